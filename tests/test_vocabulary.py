"""Every limit word and every objective against an independent cvxpy formulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest

from portbal import optimize, optimize_tail
from portbal.errors import ConflictError, UserError
from portbal.routes import Setting, Solution
from vocabulary import (
    EXACT,
    NAV,
    PARTICIPATION,
    PERIODS,
    WORDS,
    Instance,
    drawdowns,
    instance,
    largest,
    posed_drawdowns,
)

EACH = 34  # instances an objective: 15 x 34 = 510


@dataclass(frozen=True)
class Posed:
    """What portbal answers; the same problem for cvxpy; what weights (n,) are worth."""

    found: Solution
    objective: cp.Minimize | cp.Maximize
    value: Callable[[np.ndarray], float]
    extra: tuple[cp.Constraint, ...] = ()


def settings(case: Instance, *, soft: bool = False) -> Setting:
    return Setting(case.table(soft=soft), case.assets, case.returns, PERIODS, case.mu, case.cov)


def volatility(case: Instance, w: cp.Variable) -> cp.Expression:
    return cp.norm(case.root @ w)


def spread(case: Instance, w: np.ndarray) -> float:
    return float(np.linalg.norm(case.root @ w))


def reachable(case: Instance, w: cp.Variable, rng: np.random.Generator) -> float:
    """A return between that of the portfolio held and the most."""
    gain = case.mu.to_numpy()
    most = cp.Problem(cp.Maximize(gain @ w), case.constraints(w)).solve(**EXACT)
    return float(most - rng.uniform(0.001, 1) * max(most - gain @ case.held, 0.0))


def min_volatility(case: Instance, w: cp.Variable, _: np.random.Generator) -> Posed:
    found = optimize.min_volatility(case.cov, settings(case))
    return Posed(found, cp.Minimize(volatility(case, w)), lambda x: spread(case, x))


def max_return(case: Instance, w: cp.Variable, _: np.random.Generator) -> Posed:
    gain = case.mu.to_numpy()
    found = optimize.max_return(case.mu, case.cov, settings(case))
    return Posed(found, cp.Maximize(gain @ w), lambda x: gain @ x)


def target_return(case: Instance, w: cp.Variable, rng: np.random.Generator) -> Posed:
    target = reachable(case, w, rng)
    found = optimize.target_return(case.mu, case.cov, target, settings(case))
    return Posed(found, cp.Minimize(volatility(case, w)), lambda x: spread(case, x),
                 (case.mu.to_numpy() @ w >= target,))


def target_volatility(case: Instance, w: cp.Variable, rng: np.random.Generator) -> Posed:
    gain = case.mu.to_numpy()
    rows = [*case.constraints(w), gain @ w >= reachable(case, w, rng)]
    target = 1.02 * cp.Problem(cp.Minimize(volatility(case, w)), rows).solve(**EXACT) + 1e-4
    found = optimize.target_volatility(case.mu, case.cov, target, settings(case))
    return Posed(found, cp.Maximize(gain @ w), lambda x: gain @ x,
                 (volatility(case, w) <= target,))


def max_utility(case: Instance, w: cp.Variable, rng: np.random.Generator) -> Posed:
    aversion = float(rng.uniform(0.5, 8))

    def utility(x: cp.Variable | np.ndarray) -> cp.Expression:
        penalties = sum(price * cp.pos(case.values(word, x)[0] - high)
                        for word, _, high, price in case.soft)
        return (case.mu.to_numpy() @ x - aversion / 2 * cp.sum_squares(case.root @ x)
                - case.values("trade cost", x)[0] - penalties)

    found = optimize.max_utility(case.mu, case.cov, aversion, settings(case, soft=True))
    return Posed(found, cp.Maximize(utility(w)), lambda x: case.at(utility(x)))


def min_cvar(case: Instance, w: cp.Variable, rng: np.random.Generator) -> Posed:
    level, scenarios = float(rng.choice([0.8, 0.9, 0.95])), case.returns.to_numpy()
    target, extra = None, ()
    if rng.random() < 0.5:
        target = reachable(case, w, rng)
        extra = (case.mu.to_numpy() @ w >= target,)
    found = optimize_tail.min_cvar(case.returns, level, target, settings(case))
    return Posed(found, cp.Minimize(case.tail(-scenarios @ w, level)),
                 lambda x: case.at(case.tail(-scenarios @ x, level)), extra)


DRAWDOWNS: dict[str, Callable[[cp.Expression | np.ndarray], cp.Expression]] = {
    "maximum": cp.max,
    "average": lambda depth: cp.sum(depth) / depth.shape[0],
    "ulcer": lambda depth: cp.norm(depth) / np.sqrt(depth.shape[0]),
    "cdar": lambda depth: Instance.tail(depth, 0.9),
}


def min_drawdown(measure: str) -> Callable[[Instance, cp.Variable, np.random.Generator], Posed]:
    def posed(case: Instance, w: cp.Variable, _: np.random.Generator) -> Posed:
        scenarios, form = case.returns.to_numpy(), DRAWDOWNS[measure]
        depth, peaks = posed_drawdowns(scenarios, w)
        found = optimize_tail.min_drawdown(case.returns, measure, 0.9, settings(case))
        return Posed(found, cp.Minimize(form(depth)),
                     lambda x: case.at(form(drawdowns(scenarios, x))), tuple(peaks))

    return posed


def min_tracking(case: Instance, w: cp.Variable, _: np.random.Generator) -> Posed:
    benchmark = case.column("Benchmark")
    found = optimize.min_tracking(case.cov, settings(case))
    return Posed(found, cp.Minimize(volatility(case, w - benchmark)),
                 lambda x: spread(case, x - benchmark))


def ratio(case: Instance, w: cp.Variable, found: Solution, gain: np.ndarray) -> Posed:
    """At the maximum s of gain'w / volatility the most of gain'w - s volatility is 0: 1 + that
    over the gain is 1."""
    own = found.weights.to_numpy()
    best, earned = gain @ own / spread(case, own), float(gain @ own)
    assert found.objective == pytest.approx(best, rel=1e-9)
    return Posed(found, cp.Maximize(1 + (gain @ w - best * volatility(case, w)) / earned),
                 lambda x: found.objective)


def max_sharpe(case: Instance, w: cp.Variable, rng: np.random.Generator) -> Posed:
    riskfree = float(rng.uniform(-0.02, 0.03)) if not case.has_cash else 0.021
    gain = case.mu.to_numpy() - riskfree
    return ratio(case, w, optimize.max_sharpe(case.mu, case.cov, riskfree, settings(case)), gain)


def max_diversification(case: Instance, w: cp.Variable, _: np.random.Generator) -> Posed:
    found = optimize.max_diversification(case.cov, settings(case))
    return ratio(case, w, found, np.sqrt(np.diag(case.cov)))


def robust(matrix: bool) -> Callable[[Instance, cp.Variable, np.random.Generator], Posed]:
    def posed(case: Instance, w: cp.Variable, rng: np.random.Generator) -> Posed:
        n, names = len(case.names), case.names
        aversion, kappa = float(rng.uniform(0, 6)), float(rng.uniform(0, 2))
        root, sizes = rng.normal(size=(n, n)) * 0.02, rng.uniform(0, 0.03, n)
        errors = pd.DataFrame(root.T @ root, names, names) if matrix else pd.Series(sizes, names)

        def utility(x: cp.Variable | np.ndarray) -> cp.Expression:
            doubt = cp.norm(root @ x) if matrix else sizes @ cp.abs(x)
            return (case.mu.to_numpy() @ x - kappa * doubt
                    - aversion / 2 * cp.sum_squares(case.root @ x))

        found = optimize.robust(case.mu, case.cov, errors, aversion, kappa, settings(case))
        return Posed(found, cp.Maximize(utility(w)), lambda x: case.at(utility(x)))

    return posed


OBJECTIVES = {
    "min volatility": min_volatility, "max return": max_return, "target return": target_return,
    "target volatility": target_volatility, "max utility": max_utility, "min cvar": min_cvar,
    **{f"min drawdown {measure}": min_drawdown(measure) for measure in DRAWDOWNS},
    "min tracking": min_tracking, "max sharpe": max_sharpe,
    "max diversification": max_diversification, "robust matrix": robust(True),
    "robust vector": robust(False),
}


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_every_objective_under_every_word_equals_cvxpy(objective: str) -> None:
    solved, seed = 0, list(OBJECTIVES).index(objective)
    while solved < EACH:
        seed += len(OBJECTIVES)
        case, rng = instance(seed), np.random.default_rng(seed)
        w = cp.Variable(len(case.names))
        try:
            posed = OBJECTIVES[objective](case, w, rng)
        except ConflictError as none:
            if objective == "max sharpe" and "beats" in none.problem:
                continue
            raise
        rows = [*case.constraints(w), *posed.extra]
        expected = cp.Problem(posed.objective, rows).solve(**EXACT)
        own = posed.found.weights.to_numpy()
        value = posed.value(own)
        if not objective.startswith("max sharpe"):
            assert posed.found.objective == pytest.approx(value, rel=1e-9, abs=1e-11), seed
        if objective in ("max sharpe", "max diversification"):
            value = 1.0
        assert value == pytest.approx(expected, rel=1e-6, abs=1e-9), seed
        assert case.beyond(own) <= 1e-8, seed
        assert posed.found.proof["residual"] <= 1e-8
        assert posed.found.proof.get("gap", 0.0) <= 1e-8
        solved += 1


def test_the_instances_use_every_word() -> None:
    seeds = range(15, 215)
    used = {"each floor" if word == "each asset" and low == low else word
            for seed in seeds for word, low, _ in instance(seed).rows}
    assert used >= set(WORDS)
    assert sum(bool(instance(seed).soft) for seed in seeds) > 50


@pytest.mark.parametrize("seed", [3, 8, 20, 33])
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_frontiers_go_through_the_optima(seed: int) -> None:
    """Both ends are the optima of one objective alone, every point that of a target."""
    case = instance(seed)
    line = optimize.frontier(case.mu, case.cov, 5, settings(case))
    least = optimize.min_volatility(case.cov, settings(case)).objective
    most = optimize.max_return(case.mu, case.cov, settings(case)).objective
    assert line["Volatility"].iloc[0] == pytest.approx(least, rel=1e-6, abs=1e-8)
    assert line["Return"].iloc[-1] == pytest.approx(most, rel=1e-6, abs=1e-9)
    np.testing.assert_allclose(np.diff(line["Return"]), np.ptp(line["Return"]) / 4, atol=1e-8)
    w, gain = cp.Variable(len(case.names)), case.mu.to_numpy()
    for earned, risk in line[["Return", "Volatility"]].iloc[1:-1].to_numpy():
        rows = [*case.constraints(w), gain @ w >= earned]
        expected = cp.Problem(cp.Minimize(volatility(case, w)), rows).solve(**EXACT)
        assert risk == pytest.approx(expected, rel=1e-6, abs=1e-8)
    tail = optimize_tail.cvar_frontier(case.returns, 4, 0.9, settings(case))
    np.testing.assert_allclose(np.diff(tail["Return"]), np.ptp(tail["Return"]) / 3, atol=1e-8)
    least = optimize_tail.min_cvar(case.returns, 0.9, None, settings(case)).objective
    assert tail["CVaR"].iloc[0] == pytest.approx(least, rel=1e-6, abs=1e-9)
    assert tail["Return"].iloc[-1] == pytest.approx(most, rel=1e-6, abs=1e-9)
    for earned, risk in tail[["Return", "CVaR"]].iloc[1:-1].to_numpy():
        rows = [*case.constraints(w), gain @ w >= earned]
        expected = cp.Problem(
            cp.Minimize(case.tail(-case.returns.to_numpy() @ w, 0.9)), rows).solve(**EXACT)
        assert risk == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_the_largest_of_few_are_all() -> None:
    """``top 5`` of three assets is the sum of all three."""
    names = ["A", "B", "C"]
    cov = pd.DataFrame(np.diag([0.04, 0.09, 0.01]), names, names)
    limits = pd.DataFrame([("top 5", np.nan, 0.9)], columns=["Limit", "Min", "Max"])
    with pytest.raises(ConflictError, match="'top 5'"):
        optimize.min_volatility(cov, Setting(limits))
    assert float(largest(np.array([0.5, 0.3, 0.2]), 5).value) == pytest.approx(1)


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_a_small_risk_keeps_its_digits() -> None:
    """A tracking error of 0.002% and a riskless portfolio, where a variance has no digits left."""
    case = instance(130)
    w = cp.Variable(len(case.names))
    least = cp.Problem(cp.Minimize(volatility(case, w - case.column("Benchmark"))),
                       case.constraints(w)).solve(**EXACT)
    found = optimize.min_tracking(case.cov, settings(case))
    assert 0 < least < 1e-4
    assert found.objective == pytest.approx(least, rel=1e-5)
    case = instance(870)
    found = optimize.min_volatility(case.cov, settings(case))
    assert found.weights["Cash"] == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("factor", [1e-12, 1e-6, 1e4])
@pytest.mark.parametrize("seed", [301, 310, 322, 347])
def test_the_scale_of_the_covariance_changes_nothing(seed: int, factor: float) -> None:
    case = instance(seed)
    limits = case.table()
    limits = limits[~limits["Limit"].isin(["volatility", "tracking error"])]
    setting = Setting(limits, case.assets, case.returns, PERIODS, case.mu)
    for solve in (optimize.min_volatility, optimize.min_tracking):
        plain = solve(case.cov, setting).objective
        scaled = solve(case.cov * factor, setting).objective / np.sqrt(factor)
        assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_a_large_exposure_does_not_loosen_the_other_rows() -> None:
    """Market values of 1e12 beside weights: the proof is of each row by its own numbers."""
    case = instance(6)
    assets = case.assets.assign(Size=np.linspace(1, 4, len(case.names)) * 1e12)
    limits = pd.DataFrame(
        [("exposure Size", np.nan, 1.3e12), ("turnover", np.nan, 0.9)],
        columns=["Limit", "Min", "Max"])
    found = optimize.min_volatility(case.cov, Setting(limits, assets))
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
    assert found.weights @ assets["Size"] <= 1.3e12 * (1 + 1e-9)
    w = cp.Variable(len(case.names))
    expected = cp.Problem(cp.Minimize(volatility(case, w)), [
        w >= 0, cp.sum(w) == 1, np.linspace(1, 4, len(case.names)) @ w <= 1.3,
        cp.norm1(w - case.column("Current")) <= 1.8]).solve(**EXACT)
    assert found.objective == pytest.approx(expected, rel=1e-6)


def limited(word: str, low: float, high: float, penalty: float = np.nan) -> Solution:
    names = ["A", "B", "C"]
    cov = pd.DataFrame(np.diag([0.04, 0.09, 0.01]), names, names)
    assets = pd.DataFrame(
        {"Cost": [0.001, -0.002, 0.0], "Current": [0.2, 0.3, 0.5], "Issuer": list("aab")},
        index=names)
    limits = pd.DataFrame(
        [(word, low, high, penalty)], columns=["Limit", "Min", "Max", "Penalty"])
    if penalty == penalty:
        mu = pd.Series([0.05, 0.08, 0.02], names)
        return optimize.max_utility(mu, cov, 2.0, Setting(limits, assets.drop(columns="Cost")))
    return optimize.min_volatility(cov, Setting(limits, assets))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("effective number", 2.0, np.nan, 0.1), "'effective number' cannot have a Penalty"),
        (("holdings", np.nan, 2.0, 0.1), "'holdings' cannot have a Max"),
        (("ucits 5/10/40", np.nan, np.nan, 0.1), "'ucits 5/10/40' cannot have a Penalty"),
        (("trade cost", np.nan, 0.1), "'B' has the negative Cost -0.002"),
        (("smallest holding", np.nan, 0.2), "takes a positive Min and no Max"),
        (("days to liquidat", np.nan, 2.0), "Did you mean 'days to liquidate'?"),
        (("cvar", np.nan, 2.0), "Did you mean 'cvar 95%'?"),
        (("top 2.5", np.nan, 2.0), "Did you mean 'top 5'?"),
        (("liquid in 5", 0.5, np.nan), "Did you mean 'liquid in 5 days'?"),
        (("active short", np.nan, 0.1), "'active short' has no meaning"),
        (("days to liquidate", np.nan, 2.0), "it needs the net assets"),
        (("top 5", 0.5, np.nan), "'top 5' cannot have a Min"),
        (("liquid in 2 days", np.nan, 0.5), "it needs the net assets"),
        (("effective number", np.nan, 3.0), "'effective number' cannot have a Max"),
    ],
)
def test_what_cannot_be_posed_says_so(row: tuple, message: str) -> None:
    with pytest.raises(UserError) as caught:
        limited(*row)
    assert message in str(caught.value)


@pytest.mark.parametrize("gain", [0.03, 0.03 + 1e-12, 0.01])
def test_no_excess_is_told_under_any_limit(gain: float) -> None:
    names = ["A", "B", "C"]
    cov = pd.DataFrame(np.diag([0.04, 0.09, 0.01]), names, names)
    limits = pd.DataFrame([("top 2", np.nan, 0.9)], columns=["Limit", "Min", "Max"])
    with pytest.raises(ConflictError, match="no permitted portfolio beats the riskfree rate"):
        optimize.max_sharpe(pd.Series(gain, names), cov, 0.03, Setting(limits))


def test_an_effective_number_of_nothing_asks_for_nothing() -> None:
    free = limited("A", 0.0, np.nan)
    np.testing.assert_allclose(
        limited("effective number", 0.0, np.nan).weights, free.weights, atol=1e-8)


@pytest.mark.parametrize("word", sorted(set(WORDS) - {
    "effective number", "each floor", "short", "net", "each asset", "cash"}))
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_every_word_can_have_a_price(word: str) -> None:
    """A bound that the best portfolio breaks, at so much a unit beyond it."""
    case, price = instance(42), 0.004
    plain = Instance(case.mu, case.cov, case.returns,
                     case.assets.drop(columns=["Min", "Max"], errors="ignore"), case.held)
    setting = Setting(None, plain.assets, plain.returns, PERIODS)
    free = optimize.max_utility(plain.mu, plain.cov, 4.0, setting).weights.to_numpy()
    now = plain.at(plain.values(word, free)[0])
    low, high = (now + 0.1 * abs(now) + 0.01, np.nan) if word in (
        "return", "liquid in 2 days", "asset A1") else (np.nan, 0.8 * now - 0.001)
    limits = pd.DataFrame(
        [("nav", np.nan, NAV, np.nan), ("participation", np.nan, PARTICIPATION, np.nan),
         (word, low, high, price)], columns=["Limit", "Min", "Max", "Penalty"])
    found = optimize.max_utility(plain.mu, plain.cov, 4.0, Setting(
        limits, plain.assets, plain.returns, PERIODS))
    w = cp.Variable(len(plain.names))
    broken = sum(cp.pos(value - high) if high == high else cp.pos(low - value)
                 for value in plain.values(word, w))
    expected = cp.Problem(
        cp.Maximize(plain.mu.to_numpy() @ w - 2 * cp.sum_squares(plain.root @ w)
                    - plain.values("trade cost", w)[0] - price * broken),
        [w >= 0, cp.sum(w) == 1]).solve(**EXACT)
    assert found.objective == pytest.approx(expected, rel=1e-6)
