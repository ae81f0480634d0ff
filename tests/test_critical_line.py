"""The critical line on instances that are meant to break it."""

from __future__ import annotations

from dataclasses import dataclass

import clarabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from portbal.solve import Infeasible, Unbounded, Unproven
from portbal.solve.critical_line import CriticalLine, critical_line, min_volatility, optimality

INF = np.inf


@dataclass(frozen=True)
class Problem:
    cov: np.ndarray
    mu: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    budget: float

    def line(self) -> CriticalLine:
        return critical_line(self.cov, self.mu, self.lower, self.upper, self.budget)

    def residual(self, lam: float, weights: np.ndarray) -> float:
        return optimality(
            self.cov, self.mu, lam, weights, self.lower, self.upper, self.budget)

    def objective(self, lam: float, weights: np.ndarray) -> float:
        return float(weights @ self.cov @ weights / 2 - lam * self.mu @ weights)

    def scale(self, lam: float) -> float:
        """The size of the terms of the objective."""
        size = max(1.0, abs(self.budget), float(np.abs(self.mu).max(initial=0)))
        return float(np.abs(self.cov).max() + lam * np.abs(self.mu).max()) * size + 1e-12

    def permuted(self, order: np.ndarray) -> Problem:
        return Problem(self.cov[np.ix_(order, order)], self.mu[order], self.lower[order],
                       self.upper[order], self.budget)


def full(rng: np.random.Generator, n: int) -> np.ndarray:
    returns = rng.normal(size=(2 * n + 5, n)) * rng.uniform(0.05, 0.4, n)
    return np.cov(returns.T).reshape(n, n)


def rank_deficient(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.cov(rng.normal(size=(max(2, n // 3), n)).T * 0.2).reshape(n, n)


def integer_rank_deficient(rng: np.random.Generator, n: int) -> np.ndarray:
    root = rng.integers(-3, 4, size=(max(1, n // 3), n)).astype(float)
    return root.T @ root


def duplicates(rng: np.random.Generator, n: int) -> np.ndarray:
    which = rng.integers(0, max(1, n // 2), n)
    return full(rng, n)[np.ix_(which, which)]


def near_duplicates(rng: np.random.Generator, n: int) -> np.ndarray:
    returns = rng.normal(size=(3 * n + 5, n))[:, rng.integers(0, max(1, n // 2), n)]
    returns += 10.0 ** -rng.uniform(3, 12) * rng.normal(size=returns.shape)
    return np.cov(returns.T).reshape(n, n) * 0.04


def cash(rng: np.random.Generator, n: int) -> np.ndarray:
    cov = full(rng, n)
    riskless = rng.integers(0, n, max(1, n // 5))
    cov[riskless] = cov[:, riskless] = 0
    return cov


def scales(rng: np.random.Generator, n: int) -> np.ndarray:
    deviation = 10.0 ** rng.uniform(-3, 1, n)
    correlation = np.corrcoef(rng.normal(size=(2 * n + 5, n)).T).reshape(n, n)
    return correlation * np.outer(deviation, deviation)


def equal_correlation(rng: np.random.Generator, n: int) -> np.ndarray:
    rho, deviation = rng.choice([0, 0.5, 0.9, 1.0]), rng.choice([0.1, 0.2, 0.3], n)
    return (rho + (1 - rho) * np.eye(n)) * np.outer(deviation, deviation)


def hedged(rng: np.random.Generator, n: int) -> np.ndarray:
    """Pairs of assets that cancel."""
    loadings = rng.normal(size=(n, max(1, n // 4)))
    loadings = np.vstack([loadings[: n - n // 2], -loadings[: n // 2]])
    return loadings @ loadings.T * 0.04


def identity(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.choice([0.04, 1.0]) * np.eye(n)


def riskless(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.zeros((n, n))


COVARIANCES = [full, rank_deficient, integer_rank_deficient, duplicates, near_duplicates, cash,
               scales, equal_correlation, hedged, identity, riskless]
RETURNS = ["random", "ties", "equal", "zero", "near ties", "implied", "duplicates"]
BOXES = ["long", "no upper", "capped", "short", "neutral", "fixed", "box", "tight", "leveraged"]


def returns(rng: np.random.Generator, cov: np.ndarray, kind: str) -> np.ndarray:
    n = len(cov)
    if kind == "ties":
        return rng.choice([0.02, 0.05, 0.08], n)
    if kind == "equal":
        return np.full(n, 0.07)
    if kind == "zero":
        return np.zeros(n)
    if kind == "near ties":
        return rng.choice([0.05, 0.08], n) + rng.choice([0, 1e-17, 1e-15, 1e-13, 1e-11], n)
    if kind == "implied":
        return 2.5 * cov @ np.full(n, 1 / n)
    values = rng.normal(0.06, 0.05, n)
    return values[rng.integers(0, max(1, n // 2), n)] if kind == "duplicates" else values


def box(rng: np.random.Generator, n: int, kind: str) -> tuple[np.ndarray, np.ndarray, float]:
    zero = np.zeros(n)
    if kind == "no upper":
        return zero, np.full(n, INF), 1.0
    if kind == "capped":
        return zero, np.full(n, 1 / rng.integers(1, n + 1)), 1.0
    if kind == "short":
        return np.full(n, -0.3), np.full(n, 0.5 if n > 2 else 2.0), 1.0
    if kind == "neutral":
        return np.full(n, -0.2), np.full(n, 0.2), 0.0
    if kind == "fixed":
        fixed = rng.random(n) < 0.4
        fixed[0] = False
        values = rng.choice([0, 0.02, 0.1 / n], n)
        return np.where(fixed, values, 0.0), np.where(fixed, values, 1.0), 1.0
    if kind == "box":
        lower = rng.uniform(-0.8, 0.4, n) / n
        upper = lower + rng.uniform(0, 8, n) / n
        return lower, upper, float(rng.uniform(lower.sum(), upper.sum()))
    if kind == "tight":
        lower = rng.choice([0, 0.01, 0.05], n)
        upper = lower + rng.choice([0, 0.1, 0.2], n)
        least, most = lower.sum(), upper.sum()
        return lower, upper, float(rng.choice([least, most, (least + most) / 2]))
    if kind == "leveraged":
        return np.full(n, -0.5), np.full(n, 2.5), 2.0
    if kind == "unbounded":
        return np.full(n, -INF), np.full(n, INF), 1.0
    if kind == "half unbounded":
        return (np.where(rng.random(n) < 0.5, -INF, 0.0),
                np.where(rng.random(n) < 0.5, INF, 1.0), 1.0)
    return zero, np.ones(n), 1.0


def problem(seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 2, 3, 5, 8, 13, 20, 40]))
    made = COVARIANCES[seed % len(COVARIANCES)]
    cov = made(rng, n)
    unbounded = ["unbounded", "half unbounded"] if made in (full, scales, identity) else []
    mu = returns(rng, cov, str(rng.choice(RETURNS)))
    return Problem(cov, mu, *box(rng, n, str(rng.choice(BOXES + unbounded))))


def clarabel_minimum(case: Problem, lam: float) -> float | None:
    """The objective at Clarabel's solution, or None where it has none to its accuracy."""
    n = len(case.mu)
    up, low = np.isfinite(case.upper), np.isfinite(case.lower)
    rows = np.vstack([np.ones((1, n)), np.eye(n)[up], -np.eye(n)[low]])
    right = np.concatenate([[case.budget], case.upper[up], -case.lower[low]])
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(len(right) - 1)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    answer = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(case.cov)), -lam * case.mu, sparse.csc_matrix(rows), right,
        cones, settings).solve()
    return case.objective(lam, np.array(answer.x)) if str(answer.status) == "Solved" else None


def projection_gap(case: Problem, lam: float, weights: np.ndarray) -> float:
    """How much a linear program over the box would still gain along the gradient, found by
    trading greedily: at least what the objective lacks, and no part of the kernel's proof."""
    gradient = case.cov @ weights - lam * case.mu
    rest = case.budget - case.lower.sum()
    cheapest = case.lower.copy()
    for asset in np.argsort(gradient, kind="stable"):
        step = min(case.upper[asset] - case.lower[asset], max(rest, 0.0))
        cheapest[asset] += step
        rest -= step
    return float(gradient @ (weights - cheapest))


@pytest.mark.parametrize("made", COVARIANCES, ids=lambda made: made.__name__)
def test_hostile_instances(made: object) -> None:
    """60 of each kind of covariance: every turning point, points between and beyond them,
    and the direct way to the least variance are optimal to 1e-10."""
    for k in range(60):
        seed = COVARIANCES.index(made) + len(COVARIANCES) * k
        case = problem(seed)
        line, rng = case.line(), np.random.default_rng(seed)
        lams = [*line.lam, *rng.uniform(line.lam[1:], line.lam[:-1]), line.lam[0] * 3 + 1]
        for lam in lams:
            weights = line.max_utility(1 / lam) if lam > 0 else line.min_volatility()
            assert case.residual(lam, weights) <= 1e-10, seed
        direct = min_volatility(case.cov, case.lower, case.upper, case.budget)
        assert case.residual(0, direct) <= 1e-10, seed
        assert direct @ case.cov @ direct == pytest.approx(
            line.variances[-1], rel=1e-9, abs=1e-11 * case.scale(0)), seed
        assert (np.diff(line.lam) <= 0).all()
        assert line.lam[-1] == 0


@pytest.mark.parametrize("seed", [3007, 3436, 7891])
def test_near_duplicates_that_jump_or_need_correction(seed: int) -> None:
    """Replicas within 1e-7 or so: steps along them that lam hardly notices, and that
    without a rule go round in circles or leave multipliers of the wrong sign behind."""
    case = problem(seed)
    line = case.line()
    for lam, weights in zip(line.lam, line.weights, strict=True):
        assert case.residual(lam, weights) <= 1e-10


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_another_solver_finds_nothing_better(start: int) -> None:
    compared = 0
    for seed in range(start, start + 100):
        case = problem(seed)
        line = case.line()
        for lam in (0.0, 0.3 * line.lam[0], 0.9 * line.lam[0]):
            best = clarabel_minimum(case, lam)
            weights = line.max_utility(1 / lam) if lam > 0 else line.min_volatility()
            if best is not None:
                compared += 1
                error = abs(case.objective(lam, weights) - best)
                assert error <= 2e-6 * case.scale(lam), (seed, lam)
    assert compared > 250


@pytest.mark.parametrize("start", range(0, 600, 150))
def test_no_linear_trade_gains(start: int) -> None:
    """A bound on the lack of the objective that shares nothing with ``optimality``."""
    for seed in range(start, start + 150):
        case = problem(seed)
        if not (np.isfinite(case.lower).all() and np.isfinite(case.upper).all()):
            continue
        line = case.line()
        for lam, weights in zip(line.lam, line.weights, strict=True):
            size = float(np.abs(np.stack([case.lower, case.upper])).max(axis=0).sum())
            terms = float(np.abs(case.cov).max() * size + lam * np.abs(case.mu).max())
            gap = projection_gap(case, lam, weights)
            assert gap <= 1e-11 * terms * size + 1e-300, seed


def test_the_proof_can_fail() -> None:
    cov, mu, zero, one = np.diag([0.04, 0.09]), np.array([0.05, 0.1]), np.zeros(2), np.ones(2)
    best = critical_line(cov, mu, zero, one).min_volatility()
    assert optimality(cov, mu, 0, best, zero, one) <= 1e-15
    assert optimality(cov, mu, 0.1, best, zero, one) > 0.01
    assert optimality(cov, mu, 0, best + np.array([1e-6, -1e-6]), zero, one) > 1e-7
    assert optimality(cov, mu, 0, best * 1.001, zero, one) >= 5e-4
    assert optimality(cov, mu, 0, np.array([1.1, -0.1]), zero, one) > 0.05
    # At a bound only a multiplier of the wrong sign counts.
    assert optimality(cov, mu, 10, np.array([0.0, 1.0]), zero, one) == 0
    assert optimality(cov, mu, 10, np.array([1.0, 0.0]), zero, one) > 0.1


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_assets_does_not_matter(seed: int, shuffle: object) -> None:
    case = problem(seed)
    order = np.array(sorted(range(len(case.mu)), key=lambda _: shuffle.random()))
    line, other = case.line(), case.permuted(order).line()
    for share in (0.0, 0.2, 0.7, 1.0):
        lam = share * line.lam[0]
        weights, permuted = (each.max_utility(1 / lam) if lam > 0 else each.min_volatility()
                             for each in (line, other))
        same = case.permuted(order).objective(lam, permuted)
        assert same == pytest.approx(case.objective(lam, weights), abs=1e-9 * case.scale(lam))
        if np.linalg.eigvalsh(case.cov)[0] > 1e-4:
            np.testing.assert_allclose(permuted, weights[order], atol=1e-9)


@given(st.integers(0, 10_000), st.floats(0.01, 0.99))
def test_targets_are_met_and_agree(seed: int, share: float) -> None:
    case = problem(seed)
    line = case.line()
    low, high = line.returns[-1], line.returns[0]
    size = float(np.abs(line.weights).max() * np.abs(case.mu).max() * len(case.mu))
    if high - low <= 1e-6:
        return
    target = low + share * (high - low)
    weights = line.at_return(target)
    assert weights @ case.mu == pytest.approx(target, abs=1e-12 * (size + 1))
    assert case.residual(line.lam_of(weights), weights) <= 1e-8
    volatility = float(np.sqrt(max(weights @ case.cov @ weights, 0)))
    if volatility > 1e-5:
        again = line.at_volatility(volatility)
        assert np.sqrt(again @ case.cov @ again) == pytest.approx(volatility, rel=1e-7)
        assert again @ case.mu >= target - 1e-7 * (size + 1)


@given(st.integers(0, 10_000), st.sampled_from([-0.02, 0.0, 0.02, 0.05]))
def test_no_efficient_portfolio_has_a_higher_sharpe_ratio(seed: int, riskfree: float) -> None:
    case = problem(seed)
    line = case.line()
    try:
        best = line.max_sharpe(riskfree)
    except Unbounded:
        assert line.ray is not None
        return
    except Infeasible:
        assert (line.weights @ (case.mu - riskfree)).max() <= 1e-9
        return
    variance = float(best @ case.cov @ best)
    if variance <= 1e-12 * case.scale(0):
        return
    ratio = float(best @ (case.mu - riskfree)) / np.sqrt(variance)
    lams = [*line.lam, *np.linspace(0, line.lam[0], 50), *(line.lam[0] * np.geomspace(1, 1e3, 9))]
    for lam in lams:
        weights = line.max_utility(1 / lam) if lam > 0 else line.min_volatility()
        risk = float(weights @ case.cov @ weights)
        if risk > 1e-12 * case.scale(0):
            other = float(weights @ (case.mu - riskfree)) / np.sqrt(risk)
            assert other <= ratio * (1 + 1e-9) + 1e-12


COV = np.array([[0.04, 0.006, 0.0], [0.006, 0.09, 0.01], [0.0, 0.01, 0.16]])
MU = np.array([0.05, 0.08, 0.12])


def long_only(cov: np.ndarray = COV, mu: np.ndarray = MU) -> CriticalLine:
    return critical_line(cov, mu, np.zeros(len(mu)), np.ones(len(mu)))


def test_frontier_is_equally_spaced_with_both_ends() -> None:
    line = long_only()
    rows = line.frontier(11)
    np.testing.assert_array_equal(rows[0], line.min_volatility())
    np.testing.assert_array_equal(rows[-1], line.max_return())
    np.testing.assert_allclose(np.diff(rows @ MU), np.ptp(rows @ MU) / 10, rtol=1e-10)
    assert (np.diff(np.einsum("kn,nm,km->k", rows, COV, rows)) > 0).all()


@pytest.mark.parametrize("mu", [[0.05, 0.05, 0.05], [0.1 + 0.2, 0.3, 0.3]])
def test_one_row_where_the_ends_coincide(mu: list[float]) -> None:
    line = long_only(mu=np.array(mu))
    assert line.frontier(25).shape == (1, 3)
    np.testing.assert_allclose(line.max_return(), line.min_volatility(), atol=1e-12)


def test_most_return_takes_the_least_variance_among_ties() -> None:
    line = long_only(mu=np.array([0.12, 0.02, 0.12]))
    expected = np.array([0.16, 0, 0.04]) / 0.2  # uncorrelated: inverse variances
    np.testing.assert_allclose(line.max_return(), expected, atol=1e-14)


def test_least_volatility_takes_the_most_return_among_ties() -> None:
    cov = np.diag([0.0, 0.0, 0.04])
    np.testing.assert_array_equal(long_only(cov, np.array([0.01, 0.03, 0.1])).min_volatility(),
                                  [0, 1, 0])


def test_sharpe_with_cash_is_the_portfolio_without_it() -> None:
    cov = np.zeros((4, 4))
    cov[1:, 1:] = COV
    weights = long_only(cov, np.array([0.02, *MU])).max_sharpe(0.02)
    np.testing.assert_allclose(weights, [0, *long_only().max_sharpe(0.02)], atol=1e-12)


def test_sharpe_counts_what_is_not_invested_as_riskfree() -> None:
    """With a budget of 2 the excess is mu'w - 2 riskfree."""
    double = critical_line(COV, MU, np.zeros(3), np.full(3, 2.0), 2.0).max_sharpe(0.02)
    np.testing.assert_allclose(double / 2, long_only().max_sharpe(0.02), atol=1e-13)


def test_sharpe_where_nothing_beats_the_riskfree_rate() -> None:
    with pytest.raises(Infeasible):
        long_only().max_sharpe(0.12)
    np.testing.assert_array_equal(long_only().max_sharpe(0.1199999), [0, 0, 1])


def test_targets_out_of_reach() -> None:
    line = long_only()
    with pytest.raises(Infeasible):
        line.at_return(0.1200001)
    np.testing.assert_array_equal(line.at_return(0.12), [0, 0, 1])
    np.testing.assert_array_equal(line.at_return(-1), line.min_volatility())
    least = float(np.sqrt(line.variances[-1]))
    with pytest.raises(Infeasible):
        line.at_volatility(least * (1 - 1e-6))
    np.testing.assert_allclose(line.at_volatility(least), line.min_volatility(), atol=1e-6)
    np.testing.assert_array_equal(line.at_volatility(9), [0, 0, 1])


def test_utility_is_the_point_whose_slope_is_the_riskaversion() -> None:
    line = critical_line(COV, MU, np.full(3, -INF), np.full(3, INF))
    for riskaversion in (0.5, 3, 40):
        weights = line.max_utility(riskaversion)
        marginal = MU - riskaversion * COV @ weights
        np.testing.assert_allclose(marginal, marginal[0], atol=1e-13)
    with pytest.raises(Unbounded):
        line.max_utility(0)
    np.testing.assert_array_equal(long_only().max_utility(0), [0, 0, 1])


def test_without_bounds_return_has_no_end() -> None:
    line = critical_line(COV, MU, np.full(3, -INF), np.full(3, INF))
    for unbounded in (line.max_return, lambda: line.frontier(5)):
        with pytest.raises(Unbounded):
            unbounded()
    assert line.at_return(7.5) @ MU == pytest.approx(7.5, rel=1e-13)
    weights = line.at_volatility(3.0)
    assert np.sqrt(weights @ COV @ weights) == pytest.approx(3, rel=1e-13)
    # The least-variance portfolio earns 6.7%: above that the ratio rises for ever.
    with pytest.raises(Unbounded):
        line.max_sharpe(0.09)


@pytest.mark.parametrize(
    ("lower", "upper", "budget"),
    [([0, 0], [0.4, 0.5], 1), ([0.6, 0.6], [1, 1], 1), ([0.5, 0], [0.4, 1], 1),
     ([0, 0], [0.5, 0.5], 1.0000001)],
)
def test_empty_boxes(lower: list[float], upper: list[float], budget: float) -> None:
    arguments = np.array(lower, float), np.array(upper, float), budget
    with pytest.raises(Infeasible):
        critical_line(COV[:2, :2], MU[:2], *arguments)
    with pytest.raises(Infeasible):
        min_volatility(COV[:2, :2], *arguments)


def test_bounds_that_leave_one_portfolio() -> None:
    """Ten caps of a tenth, which added one by one are a little less than 1."""
    rng = np.random.default_rng(3)
    cov, cap = full(rng, 10), np.full(10, 0.1)
    for weights in critical_line(cov, rng.normal(size=10), np.zeros(10), cap).weights:
        np.testing.assert_allclose(weights, cap, atol=1e-15)
    fixed = critical_line(cov, rng.normal(size=10), cap, cap)
    np.testing.assert_array_equal(fixed.weights, [cap])
    np.testing.assert_array_equal(min_volatility(cov, cap, cap), cap)


def test_one_asset() -> None:
    line = critical_line(np.array([[0.04]]), np.array([0.1]), np.zeros(1), np.ones(1))
    np.testing.assert_array_equal(line.weights, [[1]])
    np.testing.assert_array_equal(line.max_sharpe(0.02), [1])
    np.testing.assert_array_equal(line.frontier(5), [[1]])


def test_unbounded_assets_that_replicate_each_other_are_refused() -> None:
    with pytest.raises(Unproven):
        critical_line(np.full((2, 2), 0.04), np.array([0.1, 0.2]),
                      np.full(2, -INF), np.full(2, INF))


def test_the_quick_way_gives_up_where_it_would_cycle() -> None:
    """Both ways to the least variance agree on covariances of 60 months and 100 assets."""
    rng = np.random.default_rng(11)
    cov = np.cov(rng.normal(size=(60, 100)).T)
    for least in (0.0, -0.2):
        lower, upper = np.full(100, least), np.full(100, 0.3)
        weights = min_volatility(cov, lower, upper)
        assert optimality(cov, np.zeros(100), 0, weights, lower, upper) <= 1e-12
        exact = critical_line(cov, rng.normal(size=100), lower, upper).variances[-1]
        assert weights @ cov @ weights == pytest.approx(exact, rel=1e-9, abs=1e-13)


def test_what_is_handed_out_is_read_only_and_inputs_stay() -> None:
    cov, mu, zero, one = COV.copy(), MU.copy(), np.zeros(3), np.ones(3)
    line = critical_line(cov, mu, zero, one)
    handed = [line.weights, line.lam, line.returns, line.variances, line.min_volatility(),
              line.max_return(), line.at_return(0.09), line.at_volatility(0.25),
              line.max_sharpe(0.01), line.max_utility(4), line.frontier(3),
              min_volatility(cov, zero, one)]
    for array in handed:
        assert not array.flags.writeable
    for array in (cov, mu, zero, one):
        assert array.flags.writeable
    np.testing.assert_array_equal(cov, COV)
    np.testing.assert_array_equal(zero, 0)
