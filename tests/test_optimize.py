"""The optimisers against an independent cvxpy formulation, and their identities."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from mandates import EXACT, Case, random_case
from portbal import optimize, optimize_tail
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.limits.check import check
from portbal.routes import FREE, Setting

SEEDS = range(40)


def setting(case: Case) -> Setting:
    return Setting(case.limits, case.assets, case.returns, 252)


def holds(case: Case, weights: pd.Series) -> bool:
    assert case.limits is not None
    table = check(weights, case.limits, case.assets, cov=case.cov, returns=case.returns, mu=case.mu)
    return "breach" not in set(table["Status"])


@pytest.mark.parametrize("seed", SEEDS)
def test_every_objective_equals_cvxpy(seed: int) -> None:
    case = random_case(seed)
    w = cp.Variable(len(case.mu))
    rows = case.constraints(w)
    mu, cov = case.mu.to_numpy(), case.cov.to_numpy()
    root = np.linalg.cholesky(cov).T

    found = optimize.min_volatility(case.cov, with_mu(case))
    expected = cp.Problem(cp.Minimize(cp.norm(root @ w)), rows).solve(**EXACT)
    assert found.objective == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert holds(case, found.weights)

    found = optimize.max_return(case.mu, case.cov, setting(case))
    most = cp.Problem(cp.Maximize(mu @ w), rows).solve(**EXACT)
    assert found.objective == pytest.approx(most, rel=1e-6, abs=1e-8)
    assert holds(case, found.weights)

    middle = (most + float(mu @ optimize.min_volatility(case.cov, with_mu(case)).weights)) / 2
    found = optimize.target_return(case.mu, case.cov, middle, setting(case))
    volatility = cp.Problem(
        cp.Minimize(cp.norm(root @ w)), [*rows, mu @ w >= middle]).solve(**EXACT)
    assert found.objective == pytest.approx(volatility, rel=1e-6, abs=1e-8)
    assert holds(case, found.weights)

    found = optimize.target_volatility(case.mu, case.cov, volatility * 1.05, setting(case))
    expected = cp.Problem(
        cp.Maximize(mu @ w), [*rows, cp.norm(root @ w) <= volatility * 1.05]).solve(**EXACT)
    assert found.objective == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert holds(case, found.weights)

    found = optimize.max_utility(case.mu, case.cov, 4.0, setting(case))
    cost = case.measure("trade cost", w)
    expected = cp.Problem(
        cp.Maximize(mu @ w - 2 * cp.sum_squares(root @ w) - cost), rows).solve(**EXACT)
    assert found.objective == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert holds(case, found.weights)


@pytest.mark.parametrize("seed", SEEDS)
def test_max_sharpe_has_no_better_neighbour_on_the_frontier(seed: int) -> None:
    """The ratio's maximum by a second route: bisection over the target return in cvxpy."""
    case = random_case(seed)
    riskfree = float(case.mu.min()) - 0.02
    found = optimize.max_sharpe(case.mu, case.cov, riskfree, setting(case))
    w = cp.Variable(len(case.mu))
    rows = case.constraints(w)
    excess = case.mu.to_numpy() - riskfree
    root = np.linalg.cholesky(case.cov.to_numpy()).T
    gap = cp.Problem(
        cp.Maximize(excess @ w - found.objective * cp.norm(root @ w)), rows).solve(**EXACT)
    assert gap == pytest.approx(0.0, abs=1e-8)
    assert holds(case, found.weights)


@pytest.mark.parametrize("seed", range(12))
def test_min_cvar_equals_cvxpy(seed: int) -> None:
    case = random_case(seed)
    w = cp.Variable(len(case.mu))
    level = 0.9 if seed % 2 else 0.93
    quantile = cp.Variable()
    tail = quantile + cp.sum(cp.pos(-case.returns.to_numpy() @ w - quantile)) / (
        (1 - level) * len(case.returns))
    plain = Case(case.returns.mean() * 252, case.returns.cov() * 252, case.returns, case.assets,
                 case.limits)
    expected = cp.Problem(cp.Minimize(tail), plain.constraints(w)).solve(**EXACT)
    if expected == np.inf:
        with pytest.raises(ConflictError):
            optimize_tail.min_cvar(
                case.returns, level, None, Setting(case.limits, case.assets, None, 252))
        return
    found = optimize_tail.min_cvar(
        case.returns, level, None, Setting(case.limits, case.assets, None, 252))
    assert found.objective == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert holds(plain, found.weights)


def with_mu(case: Case) -> Setting:
    """MINVOLATILITY has no mu: a return row reads it from returns, so make them agree."""
    shifted = case.returns - case.returns.mean() + case.mu / 252
    return Setting(case.limits, case.assets, shifted, 252)


@pytest.mark.parametrize("seed", range(6))
def test_frontier_is_exact_between_both_ends(seed: int) -> None:
    case = random_case(seed)
    table = optimize.frontier(case.mu, case.cov, 7, setting(case))
    least = optimize.min_volatility(case.cov, with_mu(case))
    most = optimize.max_return(case.mu, case.cov, setting(case))
    assert table["Volatility"].iloc[0] == pytest.approx(least.objective, rel=1e-9)
    assert table["Return"].iloc[-1] == pytest.approx(most.objective, rel=1e-9)
    assert np.ptp(np.diff(table["Return"])) < 1e-8
    for r, volatility in table[["Return", "Volatility"]].to_numpy()[1:-1]:
        point = optimize.target_return(case.mu, case.cov, r, setting(case))
        assert point.objective == pytest.approx(volatility, rel=1e-7)


@pytest.mark.parametrize("limited", [False, True])
def test_permuting_the_assets_permutes_the_weights(limited: bool) -> None:
    case = random_case(3)
    chosen = setting(case) if limited else FREE
    order = np.random.default_rng(1).permutation(len(case.mu))
    for solve in (
        lambda mu, cov: optimize.max_sharpe(mu, cov, 0.0, chosen),
        lambda mu, cov: optimize.max_utility(mu, cov, 3.0, chosen),
        lambda mu, cov: optimize.min_volatility(cov, chosen),
    ):
        plain = solve(case.mu, case.cov).weights
        turned = solve(case.mu.iloc[order], case.cov.iloc[order, order]).weights
        assert list(turned.index) == list(plain.index[order])
        np.testing.assert_allclose(turned, plain.iloc[order], atol=1e-8)


def test_names_align_whatever_their_order_case_and_spaces() -> None:
    case = random_case(5)
    plain = optimize.max_sharpe(case.mu, case.cov, 0.0, setting(case)).weights
    other = case.cov.iloc[::-1, ::-1].rename(index=str.lower, columns=lambda c: f" {c}\u00a0")
    found = optimize.max_sharpe(case.mu, other, 0.0, setting(case)).weights
    assert list(found.index) == list(case.mu.index)
    np.testing.assert_allclose(found, plain, atol=1e-9)


def table(*rows: tuple[str, float | None, float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        [(w, np.nan if lo is None else lo, np.nan if hi is None else hi) for w, lo, hi in rows],
        columns=["Limit", "Min", "Max"], index=range(2, 2 + len(rows)),
    )


def test_an_absolute_limit_binds_at_the_best_ratio() -> None:
    """130/30 with a volatility cap: the homogenised program keeps the cap in absolute terms."""
    case = random_case(8)
    limits = table(("short", None, 0.3), ("gross", None, 1.6), ("volatility", None, 0.13))
    found = optimize.max_sharpe(case.mu, case.cov, 0.01, Setting(limits, case.assets))
    assert found.weights.sum() == pytest.approx(1, abs=1e-9)
    assert -found.weights.clip(upper=0).sum() <= 0.3 + 1e-8
    w = found.weights.to_numpy()
    assert np.sqrt(w @ case.cov.to_numpy() @ w) <= 0.13 + 1e-9


def test_penalties_are_weighed_by_max_utility_alone() -> None:
    case = random_case(2)
    soft = table(("Sector Tech", None, 0.1)).assign(Penalty=0.02)
    with pytest.raises(NotAvailable, match="only MAXUTILITY"):
        optimize.min_volatility(case.cov, Setting(soft, case.assets))
    w = cp.Variable(len(case.mu))
    tech = (case.assets["Sector"] == "Tech").to_numpy(dtype=float) @ w
    root = np.linalg.cholesky(case.cov.to_numpy()).T
    assets = case.assets.drop(columns="Cost")
    found = optimize.max_utility(case.mu, case.cov, 3, Setting(soft, assets))
    expected = cp.Problem(
        cp.Maximize(case.mu.to_numpy() @ w - 1.5 * cp.sum_squares(root @ w)
                    - 0.02 * cp.pos(tech - 0.1)), [w >= 0, cp.sum(w) == 1]).solve(**EXACT)
    assert found.objective == pytest.approx(expected, rel=1e-7)


def test_cash_takes_what_is_not_invested() -> None:
    names = ["A", "B", "Cash"]
    cov = pd.DataFrame(np.diag([0.04, 0.09, 0.0]), names, names)
    mu = pd.Series([0.08, 0.1, 0.02], names)
    found = optimize.max_return(mu, cov, Setting(table(("net", None, 0.6))))
    np.testing.assert_allclose(found.weights, [0, 0.6, 0.4], atol=1e-9)
    found = optimize.max_sharpe(mu, cov, 0.02, Setting(table(("net", 0.5, 0.5))))
    ratio = (0.06 / 0.04) / (0.08 / 0.09)
    np.testing.assert_allclose(
        found.weights, [0.5 * ratio / (1 + ratio), 0.5 / (1 + ratio), 0.5], atol=1e-8)


def test_floors_follow_the_contract() -> None:
    names = ["A", "B"]
    cov = pd.DataFrame([[0.04, 0.03], [0.03, 0.03]], names, names)
    long_only = optimize.min_volatility(cov).weights
    np.testing.assert_allclose(long_only, [0, 1], atol=1e-12)
    shorted = optimize.min_volatility(cov, Setting(table(("short", None, 0.25)))).weights
    np.testing.assert_allclose(shorted, [0, 1], atol=1e-9)
    cov = pd.DataFrame([[0.06, 0.04], [0.04, 0.03]], names, names)
    shorted = optimize.min_volatility(cov, Setting(table(("short", None, 0.25)))).weights
    np.testing.assert_allclose(shorted, [-0.25, 1.25], atol=1e-8)
    floor = optimize.min_volatility(cov, Setting(table(("each asset", -0.1, None)))).weights
    np.testing.assert_allclose(floor, [-0.1, 1.1], atol=1e-9)
    assets = pd.DataFrame({"Min": [-0.2, np.nan]}, index=names)
    own = optimize.min_volatility(cov, Setting(None, assets)).weights
    np.testing.assert_allclose(own, [-0.2, 1.2], atol=1e-9)


def test_out_of_reach_names_what_is_within() -> None:
    case = random_case(4)
    most = case.mu.max()
    with pytest.raises(ConflictError, match=f"the most any permitted portfolio has is {most:.4%}"):
        optimize.target_return(case.mu, case.cov, most + 0.01)
    least = optimize.min_volatility(case.cov).objective
    with pytest.raises(ConflictError, match=f"least any permitted portfolio has is {least:.4%}"):
        optimize.target_volatility(case.mu, case.cov, least * 0.9)
    with pytest.raises(ConflictError, match="no permitted portfolio beats the riskfree rate"):
        optimize.max_sharpe(case.mu, case.cov, most + 0.01)


def test_a_conflict_names_an_irreducible_set_of_rows() -> None:
    case = random_case(6)
    limits = table(
        ("exposure Beta", None, 2.0), ("Sector Tech", 0.7, None), ("Sector Energy", 0.6, None),
        ("volatility", None, 0.9),
    )
    with pytest.raises(ConflictError) as caught:
        optimize.min_volatility(case.cov, Setting(limits, case.assets))
    assert str(caught.value) == (
        "limits: 'Sector Tech' (row 3) and 'Sector Energy' (row 4) cannot hold together. "
        "Loosen one of them."
    )


def test_what_a_limit_needs_is_named() -> None:
    case = random_case(7)
    with pytest.raises(NotAvailable, match="'return': it needs mu, which was not given"):
        optimize.min_volatility(case.cov, Setting(table(("return", 0.01, None))))
    with pytest.raises(NotAvailable, match="needs a Benchmark column"):
        optimize.min_volatility(case.cov, Setting(table(("tracking error", None, 0.1))))
    undated = case.returns.reset_index(drop=True)
    with pytest.raises(InputError, match="no dates to read the periods a year from"):
        optimize_tail.min_cvar(undated, 0.9, 0.05)


def test_a_singular_covariance_and_a_single_asset_have_answers() -> None:
    case = random_case(9)
    few = case.returns.iloc[: len(case.mu) - 1]
    cov = few.cov() * 252
    found = optimize.min_volatility(cov)
    w = cp.Variable(len(case.mu))
    values, vectors = np.linalg.eigh(cov.to_numpy())
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    expected = cp.Problem(
        cp.Minimize(cp.sum_squares(root @ w)), [w >= 0, cp.sum(w) == 1]).solve(**EXACT)
    assert found.objective**2 == pytest.approx(expected, abs=1e-9)
    one = pd.DataFrame([[0.04]], ["A"], ["A"])
    assert optimize.min_volatility(one).weights.to_list() == [1.0]
    assert len(optimize.frontier(pd.Series([0.05], ["A"]), one, 5)) == 1


def test_a_ratio_without_risk_has_no_maximum() -> None:
    """A hedge whose remainder is rounding: 0.24 A against 0.15 B, whatever the limits."""
    factor = np.array([0.24, -0.15, -0.06])
    cov = pd.DataFrame(np.outer(factor, factor), list("ABC"), list("ABC"))
    mu = pd.Series([0.15, 0.10, 0.05], list("ABC"))
    for limits in (None, table(("A", None, 0.5)), table(("gross", None, 1.0)),
                   table(("net", 0.5, 0.9), ("return", 0.035, None))):
        with pytest.raises(ConflictError, match="without any volatility beats the riskfree"):
            optimize.max_sharpe(mu, cov, 0.01, Setting(limits))


TRACKED = pd.DataFrame(
    [[0.0639, -0.0019, -0.0002, 0.0136], [-0.0019, 0.0604, -0.0135, 0.0271],
     [-0.0002, -0.0135, 0.0432, -0.0137], [0.0136, 0.0271, -0.0137, 0.0571]],
    list("ABCD"), list("ABCD"))


@pytest.mark.parametrize("cap", np.linspace(0.1069, 0.1091, 12))
def test_a_tight_tracking_error_does_not_stop_the_proof(cap: float) -> None:
    """The solver halts just before the proof when its rows are scaled; cvxpy is the judge."""
    mu = pd.Series([-0.0243, 0.0485, 0.104, 0.0016], list("ABCD"))
    benchmark, current = np.array([0, 0.7083, 0.2197, 0.072]), [0.0031, 0.1271, 0.1574, 0.7124]
    assets = pd.DataFrame({"Benchmark": benchmark, "Current": current}, list("ABCD"))
    limits = table(("gross", None, 1.0), ("tracking error", None, cap),
                   ("each asset", 0.02, 0.6), ("turnover", None, 0.271))
    found = optimize.max_sharpe(mu, TRACKED, 0.0, Setting(limits, assets))
    y, k = cp.Variable(4), cp.Variable(nonneg=True)
    root = np.linalg.cholesky(TRACKED.to_numpy()).T
    least = cp.Problem(cp.Minimize(cp.norm(root @ y)), [
        mu.to_numpy() @ y == 1, cp.sum(y) == k, y >= 0.02 * k, y <= 0.6 * k,
        cp.norm(root @ (y - k * benchmark)) <= cap * k,
        cp.norm1(y - k * np.array(current)) <= 0.542 * k]).solve(cp.CLARABEL)
    assert found.objective == pytest.approx(1 / least, rel=1e-6)
    off = found.weights.to_numpy() - benchmark
    assert np.sqrt(off @ TRACKED.to_numpy() @ off) <= cap + 1e-9


def test_the_frontier_ends_where_no_portfolio_is_better() -> None:
    """Most return that several portfolios have: the last row is the least risky of them."""
    case = random_case(3)
    cap = float(np.sort(case.mu)[-3:].mean())
    capped = Setting(table(("return", None, cap)), case.assets)
    last = optimize.frontier(case.mu, case.cov, 5, capped).iloc[-1]
    w = cp.Variable(len(case.mu))
    root = np.linalg.cholesky(case.cov.to_numpy()).T
    least = cp.Problem(cp.Minimize(cp.norm(root @ w)), [
        w >= 0, cp.sum(w) == 1, case.mu.to_numpy() @ w == cap]).solve(**EXACT)
    assert last["Return"] == pytest.approx(cap, abs=1e-9)
    assert last["Volatility"] == pytest.approx(least, rel=1e-6)


def test_the_frontier_starts_with_the_best_of_several_without_risk() -> None:
    """A, B and C hedge each other in many ways; the best of these is a linear program."""
    factor, mu = np.array([0.2, -0.1, -0.3, 0.4]), np.array([0.02, 0.05, 0.03, 0.09])
    cov = pd.DataFrame(np.outer(factor, factor), list("ABCD"), list("ABCD"))
    limits = table(("gross", None, 1.0), ("volatility", None, 0.25))
    rows = optimize.frontier(pd.Series(mu, list("ABCD")), cov, 6, Setting(limits))
    best = linprog(-mu, A_eq=[np.ones(4), factor], b_eq=[1, 0], bounds=(0, None))
    assert rows["Return"].iloc[0] == pytest.approx(-best.fun, abs=1e-9)
    assert rows["Volatility"].iloc[0] == pytest.approx(0, abs=1e-8)
    assert np.ptp(np.diff(rows["Return"])) < 1e-9
