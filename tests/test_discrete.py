"""Counts, smallest holdings and UCITS 5/10/40 against exhaustive search and MILP."""

from __future__ import annotations

from itertools import combinations

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import LinearConstraint, milp

from portbal import optimize, optimize_tail
from portbal.errors import ConflictError
from portbal.limits.check import check
from portbal.routes import Setting
from vocabulary import EXACT


def table(*rows: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["Limit", "Min", "Max"], index=range(2, 2 + len(rows)))


def market(seed: int, n: int) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    names = [f"A{i}" for i in range(n)]
    factors = rng.normal(size=(n, 2)) * 0.12
    cov = factors @ factors.T + np.diag(rng.uniform(0.005, 0.05, n))
    mu = rng.normal(0.06, 0.04, n)
    returns = rng.multivariate_normal(mu / 252, cov / 252, size=40)
    assets = pd.DataFrame(
        {"Benchmark": rng.dirichlet(np.ones(n)), "Issuer": [f"i{k}" for k in rng.permutation(
            np.arange(n) // 2)]}, index=names)
    return (pd.Series(mu, names), pd.DataFrame(cov, names, names),
            pd.DataFrame(returns, columns=names), assets)


def least_of_each(
    cov: np.ndarray, centre: np.ndarray, sizes: range, least: float, high: float
) -> float:
    """The least deviation from the centre over all subsets of these sizes, one convex program
    each."""
    n = len(cov)
    root = np.linalg.cholesky(cov).T
    best = np.inf
    w, out = cp.Variable(n), cp.Parameter(n, nonneg=True)
    program = cp.Problem(
        cp.Minimize(cp.norm(root @ (w - centre))),
        [cp.sum(w) == 1, w >= cp.multiply(least, out), w <= high * out])
    for k in sizes:
        for held in combinations(range(n), k):
            if k * least > 1 or k * high < 1:
                continue
            chosen = np.zeros(n)
            chosen[list(held)] = 1
            out.value = chosen
            best = min(best, float(program.solve(**EXACT)))
    return best


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_counts_equal_exhaustive_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    _, cov, _, assets = market(seed, 6)
    most, least = int(rng.integers(2, 4)), float(rng.choice([0.0, 0.1, 0.25]))
    rows = [("holdings", np.nan, most), ("each asset", np.nan, 0.6)]
    rows += [("smallest holding", least, np.nan)] if least else []
    limits = table(*rows)
    tracking = bool(seed % 2)
    centre = assets["Benchmark"].to_numpy() * tracking
    setting = Setting(limits, assets)
    found = (optimize.min_tracking if tracking else optimize.min_volatility)(cov, setting)
    expected = least_of_each(cov.to_numpy(), centre, range(1, most + 1), least, 0.6)
    assert found.objective == pytest.approx(expected, rel=1e-6)
    assert "breach" not in set(check(found.weights, limits, assets, cov=cov)["Status"])
    assert found.proof["open gap"] == 0


def fewest_and_smallest(n: int, most: int, least: float, high: float) -> list[LinearConstraint]:
    """w in [least z, high z] with z 0 or 1 and at most so many of them, on (w, z)."""
    eye = np.eye(n)
    return [
        LinearConstraint(np.r_[np.ones(n), np.zeros(n)], 1, 1),
        LinearConstraint(np.c_[eye, -high * eye], -np.inf, 0),
        LinearConstraint(np.c_[eye, -least * eye], 0, np.inf),
        LinearConstraint(np.r_[np.zeros(n), np.ones(n)], -np.inf, most),
        LinearConstraint(np.c_[0 * eye, eye], 0, 1),
    ]


@pytest.mark.parametrize("seed", range(12))
def test_linear_objectives_under_counts_equal_milp(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 12
    mu, cov, returns, assets = market(seed, n)
    most, least, high = int(rng.integers(3, 6)), float(rng.uniform(0.05, 0.15)), 0.4
    limits = table(("holdings", np.nan, most), ("smallest holding", least, np.nan),
                   ("each asset", np.nan, high))
    rows = fewest_and_smallest(n, most, least, high)
    options = {"mip_rel_gap": 0.0}
    found = optimize.max_return(mu, cov, Setting(limits, assets))
    expected = milp(np.r_[-mu, np.zeros(n)], constraints=rows, options=options,
                    integrality=np.r_[np.zeros(n), np.ones(n)])
    assert found.objective == pytest.approx(-expected.fun, rel=1e-6)
    found = optimize_tail.min_cvar(returns, 0.9, None, Setting(limits, assets))
    scenarios, T = returns.to_numpy(), len(returns)
    wide = [LinearConstraint(np.c_[np.atleast_2d(r.A), np.zeros((np.atleast_2d(r.A).shape[0],
                                                               T + 1))], r.lb, r.ub) for r in rows]
    wide.append(LinearConstraint(
        np.c_[scenarios, np.zeros((T, n)), np.ones((T, 1)), np.eye(T)], 0, np.inf))
    bounds = (np.r_[np.zeros(2 * n), -np.inf, np.zeros(T)], np.full(2 * n + 1 + T, np.inf))
    expected = milp(np.r_[np.zeros(2 * n), 1, np.full(T, 1 / (0.1 * T))], constraints=wide,
                    integrality=np.r_[np.zeros(n), np.ones(n), np.zeros(T + 1)], bounds=bounds,
                    options=options)
    assert found.objective == pytest.approx(expected.fun, rel=1e-6)
    assert "breach" not in set(check(found.weights, limits, assets)["Status"])


@pytest.mark.parametrize("seed", range(12))
def test_ucits_equals_milp(seed: int) -> None:
    """Each issuer x = small or large: at most 5%, or at most 10% and counted in full."""
    n = 40
    mu, cov, _, assets = market(seed, n)
    limits = table(("ucits 5/10/40", np.nan, np.nan), ("exposure Tilt", np.nan, 0.1))
    rng = np.random.default_rng(seed)
    assets["Tilt"] = rng.uniform(-1, 1, n)
    found = optimize.max_return(mu, cov, Setting(limits, assets))
    groups = pd.get_dummies(assets["Issuer"]).T.to_numpy(dtype=float)
    g = len(groups)
    none, pick = np.zeros((g, g)), np.eye(g)
    rows = [  # on (w, z, counted)
        LinearConstraint(np.r_[np.ones(n), np.zeros(2 * g)], 1, 1),
        LinearConstraint(np.r_[assets["Tilt"], np.zeros(2 * g)], -np.inf, 0.1),
        LinearConstraint(np.c_[groups, -0.05 * np.eye(g), none], -np.inf, 0.05),
        LinearConstraint(np.c_[groups, 0.1 * np.eye(g), -np.eye(g)], -np.inf, 0.1),
        LinearConstraint(np.r_[np.zeros(n + g), np.ones(g)], -np.inf, 0.4),
        LinearConstraint(np.c_[np.zeros((g, n)), pick, none], 0, 1),
    ]
    expected = milp(
        np.r_[-mu, np.zeros(2 * g)], constraints=rows, options={"mip_rel_gap": 0.0},
        integrality=np.r_[np.zeros(n), np.ones(g), np.zeros(g)])
    assert found.objective == pytest.approx(-expected.fun, rel=1e-6)
    assert "breach" not in set(check(found.weights, limits, assets)["Status"])
    assert found.proof["open gap"] == 0


def test_ucits_of_least_volatility_equals_exhaustive_search() -> None:
    """Thirteen issuers of one asset: every choice of the large ones is a convex program."""
    _, cov, _, assets = market(5, 13)
    assets["Issuer"] = assets.index
    limits = table(("ucits 5/10/40", np.nan, np.nan))
    # 13 issuers reach 100% only with seven of 10%, which is more than 40% in large ones
    with pytest.raises(ConflictError, match="rules on holdings and issuers"):
        optimize.min_volatility(cov, Setting(limits, assets))
    _, cov, _, assets = market(5, 17)
    assets["Issuer"] = assets.index
    found = optimize.min_volatility(cov, Setting(limits, assets))
    root = np.linalg.cholesky(cov.to_numpy()).T
    w, large = cp.Variable(17), cp.Parameter(17, nonneg=True)
    program = cp.Problem(cp.Minimize(cp.norm(root @ w)), [
        cp.sum(w) == 1, w >= 0, w <= 0.05 + 0.05 * large, large @ w <= 0.4])
    best = np.inf
    for held in combinations(range(17), 4):  # four of 10% are the fewest, and fill the 40%
        large.value = np.isin(np.arange(17), held).astype(float)
        program.solve(**EXACT)
        best = min(best, float(program.value))
    assert found.objective <= best * (1 + 1e-6)
    assert "breach" not in set(check(found.weights, limits, assets)["Status"])
