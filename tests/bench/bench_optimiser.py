"""What optima cost at 100 assets, beside PyPortfolioOpt where it is installed.

Runs of ours and theirs take turns in one process, and the ratio is that of their best times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import numpy as np
import pandas as pd
from bench_risk import best_times, show

from portbal import optimize, optimize_tail
from portbal.routes import FREE, Setting, Solution

N, DAYS = 100, 1_260
TE, TURNOVER, SECTOR = 0.05, 0.6, 0.25


def market(seed: int = 1, days: int = DAYS) -> tuple[
    pd.Series, pd.DataFrame, pd.DataFrame, pd.DataFrame
]:
    """mu, cov, daily returns and assets of five factors; the covariance is that of the days."""
    rng = np.random.default_rng(seed)
    factors = np.c_[rng.normal(1, 0.3, N) * 0.16, rng.normal(size=(N, 4)) * 0.06]
    true = factors @ factors.T + np.diag(rng.uniform(0.1, 0.35, N) ** 2)
    names = [f"A{i}" for i in range(N)]
    mu = rng.normal(0.06, 0.03, N)
    returns = rng.multivariate_normal(mu / 252, true / 252, days)
    assets = pd.DataFrame({
        "Benchmark": rng.dirichlet(np.full(N, 2.0)), "Current": rng.dirichlet(np.full(N, 2.0)),
        "Sector": [f"S{i % 8}" for i in range(N)], "Issuer": names}, index=names)
    return (pd.Series(mu, names), pd.DataFrame(np.cov(returns.T) * 252, names, names),
            pd.DataFrame(returns, columns=names), assets)


def table(*rows: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["Limit", "Min", "Max"])


def peer() -> ModuleType | None:
    try:
        return import_module("pypfopt.efficient_frontier")
    except ImportError:
        return None


def compared(
    title: str, ours: Callable[[], object], theirs: Callable[[ModuleType], object], rounds: int = 7
) -> None:
    tasks = {"portbal": ours}
    found = peer()
    if found is not None:
        tasks["PyPortfolioOpt"] = lambda: theirs(found)
    show(title, best_times(tasks, rounds))


def test_convex() -> None:
    mu, cov, returns, assets = market()
    compared("Least volatility", lambda: optimize.min_volatility(cov),
             lambda f: f.EfficientFrontier(None, cov).min_volatility())
    compared("Most Sharpe ratio", lambda: optimize.max_sharpe(mu, cov, 0.02),
             lambda f: f.EfficientFrontier(mu, cov).max_sharpe(0.02))

    def fifty(f: ModuleType) -> None:
        line = f.EfficientFrontier(mu, cov)
        for target in np.linspace(float(mu.mean()), float(mu.max()) - 1e-4, 50):
            line.efficient_return(float(target))

    compared("Frontier of 50 points", lambda: optimize.frontier(mu, cov, 50), fifty, 3)

    limits = table(("each Sector", np.nan, SECTOR), ("turnover", np.nan, TURNOVER),
                   ("tracking error", np.nan, TE))
    setting = Setting(limits, assets)

    def limited(f: ModuleType) -> None:
        import cvxpy as cp

        held, now = assets["Benchmark"].to_numpy(), assets["Current"].to_numpy()
        line = f.EfficientFrontier(None, cov)
        sectors = assets["Sector"].to_dict()
        line.add_sector_constraints(
            sectors, {}, dict.fromkeys(sorted(set(sectors.values())), SECTOR))
        line.add_constraint(lambda w: cp.norm(w - now, 1) <= 2 * TURNOVER)
        line.add_constraint(lambda w: cp.quad_form(w - held, cov.to_numpy()) <= TE**2)
        line.min_volatility()

    compared("Sectors, turnover and tracking error",
             lambda: optimize.min_volatility(cov, setting), limited)
    compared("Least CVaR 95% of 1,260 days", lambda: optimize_tail.min_cvar(returns, 0.95),
             lambda f: f.EfficientCVaR(None, returns).min_cvar(), 3)


COUNTED = {
    "10 held": [("holdings", np.nan, 10.0)],
    "and at least 5%": [("holdings", np.nan, 10.0), ("smallest holding", 0.05, np.nan)],
    "and sectors": [("holdings", np.nan, 10.0), ("each Sector", np.nan, SECTOR)],
    "and tracking": [("holdings", np.nan, 10.0), ("tracking error", np.nan, 0.08)],
    "and turnover": [("holdings", np.nan, 10.0), ("turnover", np.nan, 0.95)],
    "5% or nothing": [("smallest holding", 0.05, np.nan)],
    "ucits 5/10/40": [("ucits 5/10/40", np.nan, np.nan)],
}


def test_counted() -> None:
    """One run each: how long, how many branches, and what is left open."""
    mu, cov, _, assets = market()
    objectives: dict[str, Callable[[Setting], Solution]] = {
        "volatility": lambda s: optimize.min_volatility(cov, s),
        "return 8%": lambda s: optimize.target_return(mu, cov, 0.08, s),
        "utility 4": lambda s: optimize.max_utility(mu, cov, 4.0, s),
        "sharpe": lambda s: optimize.max_sharpe(mu, cov, 0.02, s),
        "tracking": lambda s: optimize.min_tracking(cov, s),
    }
    optimize.min_volatility(cov, FREE)
    for name, solve in objectives.items():
        print(f"\n{name}")
        for words, rows in COUNTED.items():
            begun = time.perf_counter()
            found = solve(Setting(table(*rows), assets))
            seconds = time.perf_counter() - begun
            proof = found.proof
            print(f"  {words:<18}{seconds:8.2f} s{proof['nodes']:8.0f} branches"
                  f"{proof['open gap']:10.1e} open")


if __name__ == "__main__":
    test_convex()
    test_counted()
