"""Counts, smallest holdings and UCITS 5/10/40 against exhaustive search and MILP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from portbal.solve import Infeasible, Unproven, counted
from portbal.solve.branch import Found, Relaxed, branch_and_bound
from portbal.solve.cone import Program, Rows
from portbal.solve.discrete import LONG, OUT
from portbal.solve.perspective import Quadratic, along, separable
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


def best_of_subsets(
    cov: np.ndarray, most: int, objective: Callable[[cp.Variable], cp.Expression],
    rows: Callable[[cp.Variable], list[cp.Constraint]],
) -> float:
    """The least objective over all choices of so many assets, one convex program each."""
    n = len(cov)
    w, out = cp.Variable(n, nonneg=True), cp.Parameter(n, nonneg=True)
    program = cp.Problem(
        cp.Minimize(objective(w)), [cp.multiply(out, w) == 0, *rows(w)])
    best = np.inf
    for held in combinations(range(n), most):
        out.value = 1.0 - np.isin(np.arange(n), held)
        program.solve(**EXACT)
        if program.status == "optimal":
            best = min(best, float(program.value))
    return best


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_three_of_twelve_equal_exhaustive_search(seed: int) -> None:
    """The ratio, a return of at least so much, and the benchmark."""
    mu, cov, _, assets = market(seed + 20, 12)
    sigma, mean = cov.to_numpy(), mu.to_numpy()
    root, held = np.linalg.cholesky(sigma).T, assets["Benchmark"].to_numpy()
    setting = Setting(table(("holdings", np.nan, 3)), assets)
    excess = mean - 0.01
    slope = best_of_subsets(
        sigma, 3, lambda y: cp.norm(root @ y), lambda y: [excess @ y == 1])
    found = [optimize.max_sharpe(mu, cov, 0.01, setting)]
    assert found[0].objective == pytest.approx(1 / slope, rel=1e-6)
    target = float(np.sort(mean)[-4])
    found.append(optimize.target_return(mu, cov, target, setting))
    assert found[1].objective == pytest.approx(best_of_subsets(
        sigma, 3, lambda w: cp.norm(root @ w), lambda w: [cp.sum(w) == 1, mean @ w >= target]),
        rel=1e-6)
    found.append(optimize.min_tracking(cov, setting))
    assert found[2].objective == pytest.approx(best_of_subsets(
        sigma, 3, lambda w: cp.norm(root @ (w - held)), lambda w: [cp.sum(w) == 1]), rel=1e-6)
    for solution in found:
        assert (solution.weights > 0).sum() <= 3
        assert solution.proof["open gap"] == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_a_penalty_beside_a_count_equals_exhaustive_search(seed: int) -> None:
    mu, cov, _, assets = market(seed + 30, 12)
    assets["Tilt"] = np.random.default_rng(seed).uniform(-1, 1, 12)
    sigma, mean, tilt = cov.to_numpy(), mu.to_numpy(), assets["Tilt"].to_numpy()
    limits = table(("holdings", np.nan, 3), ("exposure Tilt", np.nan, -0.5))
    limits["Penalty"] = [np.nan, 0.03]
    found = optimize.max_utility(mu, cov, 3.0, Setting(limits, assets))
    expected = best_of_subsets(
        sigma, 3,
        lambda w: 1.5 * cp.quad_form(w, sigma) - mean @ w + 0.03 * cp.pos(tilt @ w + 0.5),
        lambda w: [cp.sum(w) == 1])
    assert found.objective == pytest.approx(-expected, rel=1e-6)
    assert found.proof["open gap"] == 0


def noisy(n: int) -> tuple[pd.Series, pd.DataFrame]:
    """The covariance is that of a year of days: noise that makes counts hard."""
    rng = np.random.default_rng(1)
    factors = np.c_[rng.normal(1, 0.3, n) * 0.16, rng.normal(size=(n, 4)) * 0.06]
    true = factors @ factors.T + np.diag(rng.uniform(0.1, 0.35, n) ** 2)
    names = [f"A{i}" for i in range(n)]
    cov = pd.DataFrame(np.cov(rng.multivariate_normal(np.zeros(n), true, 252).T), names, names)
    return pd.Series(rng.normal(0.06, 0.03, n), names), cov


@pytest.mark.parametrize("objective", ["volatility", "return", "utility", "ratio"])
def test_ten_of_a_hundred_are_proved_within_the_branches(objective: str) -> None:
    mu, cov = noisy(100)
    limits = table(("holdings", np.nan, 10), ("smallest holding", 0.05, np.nan))
    setting = Setting(limits)
    found = {
        "volatility": lambda: optimize.min_volatility(cov, setting),
        "return": lambda: optimize.target_return(mu, cov, float(mu.quantile(0.8)), setting),
        "utility": lambda: optimize.max_utility(mu, cov, 4.0, setting),
        "ratio": lambda: optimize.max_sharpe(mu, cov, 0.02, Setting(limits.iloc[:1])),
    }[objective]()
    assert found.proof["open gap"] == 0
    assert not found.notes
    assert (found.weights > 0).sum() <= 10


def test_a_search_that_is_stopped_says_how_much_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bound it tells holds: the optimum, found without the stop, is not below it."""
    _, cov = noisy(16)
    assets = pd.DataFrame({"Benchmark": 1 / 16}, index=cov.index)
    setting = Setting(table(("holdings", np.nan, 5)), assets)
    proved = optimize.min_tracking(cov, setting)
    assert proved.proof["open gap"] == 0
    monkeypatch.setattr(counted, "MOST_NODES", 2)
    stopped = optimize.min_tracking(cov, setting)
    assert stopped.proof["open gap"] > 0
    assert stopped.notes[0].startswith("Not proved to be the best: after ")
    lowest = stopped.objective * (1 - stopped.proof["open gap"])
    assert lowest <= proved.objective * (1 + 1e-9) <= stopped.objective * (1 + 2e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_diagonal_is_nearly_that_of_the_semidefinite_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = market(seed, 9)[1].to_numpy()
    gain = rng.uniform(0.1, 1, 9)
    d = cp.Variable(9, nonneg=True)
    most = cp.Problem(
        cp.Maximize(gain @ d), [matrix - cp.diag(d) >> 0]).solve(solver="CLARABEL")
    found = along(matrix, gain)
    assert (found >= 0).all()
    assert np.linalg.eigvalsh(matrix - np.diag(found))[0] >= -1e-12
    assert 0.95 * most <= found @ gain <= most * (1 + 1e-6)
    assert separable(matrix) @ gain <= most * (1 + 1e-6)
    assert np.linalg.eigvalsh(matrix - np.diag(separable(matrix)))[0] >= -1e-12


@pytest.mark.parametrize("ratio", [False, True])
def test_reduced_costs_are_not_more_than_forcing_costs(ratio: bool) -> None:
    """The bound with an asset held, or left out, less the bound without that."""
    _, cov, _, assets = market(4, 10)
    sigma, excess = cov.to_numpy(), np.linspace(0.02, 0.1, 10)
    limits = table(("holdings", np.nan, 3), ("tracking error", np.nan, 0.25))
    permitted = Setting(limits, assets).mandate(cov.index, "cov", cov=cov)

    def homogeneous(program: Program) -> tuple[Program, int]:
        result, kappa = program.homogenised()
        result.zero(Rows.of(excess[None, :], -1.0))
        return result, kappa

    posed = counted.Counted(permitted.program(), permitted.discrete, Quadratic(sigma),
                            homogeneous if ratio else None)
    root = posed.discrete.root()
    d = separable(sigma)
    state = replace(root, part=d)
    free = posed.relax(state)
    assert max(free.into.max(), free.out.max()) > 1e-6
    for i in range(10):
        for value, cost in ((LONG, free.into[i]), (OUT, free.out[i])):
            try:
                forced = posed.relax(state.decide("assets", i, value)).bound
            except Infeasible:
                continue
            assert forced >= free.bound + cost - 1e-9


@pytest.mark.parametrize(("lost", "best", "open_gap"), [
    (None, 3, 0), ((), None, None), ((1,), 3, 0), ((1, 1, 0), 4, 0.25)])
def test_a_node_without_a_proof_keeps_the_bound_above_it(
    lost: tuple[int, ...] | None, best: float | None, open_gap: float | None
) -> None:
    """Two of three that cost 1, 2 and 3, the first two at the least."""
    costs = (1, 2, 3)

    def relax(node: tuple[int, ...]) -> Relaxed:
        if node == lost:
            raise Unproven
        if node.count(0) > 1:
            raise Infeasible
        held = sum(cost for cost, value in zip(costs, node, strict=False) if value)
        return Relaxed(float(held), np.zeros(3), np.zeros(3), 0.0, 0.0)

    def found(most_nodes: int = 100) -> Found[tuple[int, ...]]:
        return branch_and_bound(
            (), relax, lambda node, _: node if len(node) == 3 else None,
            lambda node, _: [(*node, 1), (*node, 0)] if len(node) < 3 else [],
            key=tuple, most_nodes=most_nodes)

    if best is None:
        with pytest.raises(Unproven):
            found()
        return
    assert (found().best.bound, found().open_gap) == (best, open_gap)
    with pytest.raises(Unproven, match="no permitted portfolio in 3 branches"):
        found(2)
