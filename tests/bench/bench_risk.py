"""What risk figures cost, beside other programs where they are installed.

Runs of ours and theirs take turns in one process, and the ratio is that of their best times.
Without the others in the environment the ratios are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from portbal import tail

STOCKS = (
    Path(__file__).parents[2] / "templates" / "portbal_templates" / "data" / "us_stocks_daily.csv"
)
ROUNDS = 15


def best_times(tasks: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """The least seconds of each task, one run of every task a round."""
    best = dict.fromkeys(tasks, float("inf"))
    for task in tasks.values():
        task()
    for _ in range(rounds):
        for name, task in tasks.items():
            begun = time.perf_counter()
            task()
            best[name] = min(best[name], time.perf_counter() - begun)
    return best


def show(title: str, times: Mapping[str, float]) -> None:
    print(f"\n{title}")
    ours = times["portbal"]
    for name, seconds in times.items():
        print(f"  {name:<16}{1000 * seconds:10.2f} ms{seconds / ours:8.2f}")


def peers(values: np.ndarray, level: float) -> dict[str, Callable[[], object]]:
    """VaR and CVaR of every column by other programs that can be imported here."""
    found: dict[str, Callable[[], object]] = {}
    try:
        measures = import_module("skfolio.measures")
        found["skfolio"] = lambda: (
            measures.value_at_risk(values, beta=level), measures.cvar(values, beta=level))
    except ImportError:
        pass
    try:
        functions = import_module("riskfolio.src.RiskFunctions")
        share = round(1 - level, 12)
        found["Riskfolio-Lib"] = lambda: [
            (functions.VaR_Hist(column, share), functions.CVaR_Hist(column, share))
            for column in values.T
        ]
    except ImportError:
        pass

    try:
        stats = import_module("empyrical.stats")
        found["empyrical"] = lambda: [
            (stats.value_at_risk(column, 1 - level),
             stats.conditional_value_at_risk(column, 1 - level)) for column in values.T
        ]
    except ImportError:
        pass

    def by_numpy() -> object:
        var = np.quantile(values, 1 - level, axis=0)
        return var, np.nanmean(np.where(values <= var, values, np.nan), axis=0)

    found["numpy"] = by_numpy
    return found


def test_columns() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_t(5, (5040, 500)) * 0.01
    frame = pd.DataFrame(values, columns=[f"A{i}" for i in range(500)])
    tasks = {"portbal": lambda: tail.of_columns(frame, 0.95), **peers(values, 0.95)}
    show("VaR and CVaR of 500 columns and 5,040 rows", best_times(tasks, 7))


def test_risk_table() -> None:
    prices = pd.read_csv(STOCKS, index_col=0, parse_dates=True)
    returns = prices.pct_change().iloc[1:]
    weights = pd.Series(1 / 20, returns.columns)
    fitted = [name for name in tail.METHODS if name != "montecarlo"]
    tasks = {
        "portbal": lambda: tail.table(returns, weights, methods=fitted),
        "and montecarlo": lambda: tail.table(returns, weights),
        **{name: lambda name=name: tail.table(returns, weights, methods=[name])
           for name in fitted},
    }
    show("A table of all methods at 95% and 99%, 20 stocks and 1,259 days", best_times(tasks, 60))


if __name__ == "__main__":
    test_columns()
    test_risk_table()
