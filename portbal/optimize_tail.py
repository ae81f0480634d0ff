"""The best permitted portfolio for an objective of the tail: CVaR, or drawdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from portbal import choices
from portbal.errors import InputError
from portbal.limits.mandate import Mandate, constant
from portbal.routes import (
    FREE,
    SAME,
    Setting,
    Solution,
    check_reachable,
    conic,
    most,
    mu_of,
    solution,
    universe_of,
)
from portbal.solve.cone import Program, Rows
from portbal.solve.expressions import Convex, Linear, TailMean
from portbal.solve.paths import AverageDrawdown, DrawdownTail, MaximumDrawdown, Ulcer


def min_cvar(
    returns: pd.DataFrame, level: float = 0.95, target: float | None = None,
    setting: Setting = FREE,
) -> Solution:
    """The least CVaR of the historical returns, per period.

    returns  shape (T, n), simple, per period; target  least return a year, by the
    arithmetic mean, or None. Rockafellar and Uryasev (2000), eq. 17.
    """
    permitted, scenarios = _scenarios(returns, level, setting)
    tail = TailMean(scenarios, level)
    mean = None
    if target is not None:
        mean = mu_of(permitted)
        check_reachable(permitted, target)
    weights, proof = conic(permitted, _least(tail, mean, target))
    return solution(permitted, weights, proof, tail.value(weights))


def min_drawdown(
    returns: pd.DataFrame, measure: str = "cdar", level: float = 0.95, setting: Setting = FREE
) -> Solution:
    """The least drawdown of the cumulated simple returns, without compounding.

    measure  cdar: the mean of the worst (1 - level) of drawdowns; average; maximum; ulcer: the
             root of their mean square. The path starts at 0 before the first return.
    Chekhlov, Uryasev and Zabarankin (2005), Drawdown measure in portfolio optimization.
    """
    permitted, scenarios = _scenarios(returns, level, setting)
    kinds: dict[str, Callable[[], Convex]] = {
        "cdar": lambda: DrawdownTail(scenarios, level),
        "average": lambda: AverageDrawdown(scenarios),
        "maximum": lambda: MaximumDrawdown(scenarios),
        "ulcer": lambda: Ulcer(scenarios),
    }
    drawdown = choices.one_of(measure, kinds, argument="measure")()
    weights, proof = conic(permitted, _least(drawdown))
    return solution(permitted, weights, proof, drawdown.value(weights))


def cvar_frontier(
    returns: pd.DataFrame, points: int = 15, level: float = 0.95, setting: Setting = FREE
) -> pd.DataFrame:
    """Columns Return (a year, arithmetic), CVaR (a period), then one per asset.

    Equally spaced in return from least CVaR to most return, both ends included; one row
    where they coincide.
    """
    if not 2 <= points <= 1000:
        raise InputError(f"{points} points are not possible", fix="Give 2 to 1000 points.",
                         argument="points")
    permitted, scenarios = _scenarios(returns, level, setting)
    tail, mean = TailMean(scenarios, level), mu_of(permitted)
    least, top = conic(permitted, _least(tail))[0], most(permitted, mean)[0]
    low, high = float(mean @ least), float(mean @ top)
    if high - low <= SAME * max(1.0, abs(high)):
        weights = least[None, :]
    else:
        inner = np.linspace(low, high, points)[1:-1]
        weights = np.array([
            least, *(conic(permitted, _least(tail, mean, r))[0] for r in inner), top])
    table = pd.DataFrame(weights, columns=permitted.facts.universe)
    table.insert(0, "CVaR", [tail.value(w) for w in weights], allow_duplicates=True)
    table.insert(0, "Return", weights @ mean, allow_duplicates=True)
    return table


def _scenarios(
    returns: pd.DataFrame, level: float, setting: Setting
) -> tuple[Mandate, np.ndarray]:
    """The mandate over the columns of returns, and the returns (T, n)."""
    if not 0 < level < 1:
        raise InputError(f"the level {level:g} is not between 0 and 1", fix="Use 0.95.",
                         argument="level")
    setting = replace(setting, returns=returns)
    permitted = setting.mandate(universe_of(returns.columns, "returns"), "returns")
    return permitted, permitted.facts.need("returns", permitted.facts.returns)


def _least(
    risk: Convex, mean: np.ndarray | None = None, target: float | None = None
) -> Callable[[Program], None]:
    """The objective: as little of the risk as possible, with a mean of at least the target."""

    def objective(program: Program) -> None:
        bound = program.new(1)
        risk.below(program, Rows.identity(1, bound))
        program.minimise(np.ones(1), bound)
        if mean is not None and target is not None:
            Linear(mean).above(program, constant(target))

    return objective
