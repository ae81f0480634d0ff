"""Risk parity, hierarchical risk parity and maximum diversification: their identities, and the
comparison of portfolios that has them all."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mandates import EXACT, random_case
from portbal import allocate, optimize, optimize_tail, risk, tail
from portbal.compare import PORTFOLIOS, compare
from portbal.errors import ConflictError, InputError
from portbal.routes import Setting


def named(values: np.ndarray) -> pd.DataFrame:
    names = [f"A{i}" for i in range(len(values))]
    return pd.DataFrame(values, names, names)


def random_cov(seed: int, n: int) -> pd.DataFrame:
    """A market factor, own risks, and volatilities over two orders of magnitude."""
    rng = np.random.default_rng(seed)
    returns = rng.normal(size=(3 * n + 5, n)) + rng.normal(size=(3 * n + 5, 1))
    scale = 10 ** rng.uniform(-2.5, -0.5, n)
    return named(np.cov(returns * scale, rowvar=False))


def shares(weights: pd.Series, cov: pd.DataFrame) -> np.ndarray:
    return risk.contributions(weights, cov)["Share"].to_numpy()


# --- risk parity ---------------------------------------------------------------------------

@pytest.mark.parametrize("seed", range(30))
def test_contributions_are_the_budgets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cov = random_cov(seed, int(rng.integers(2, 80)))
    spread = float(rng.choice([0.3, 1.0, 10.0]))
    budgets = pd.Series(rng.dirichlet(np.full(len(cov), spread)), cov.index).clip(lower=1e-4)
    budgets /= budgets.sum()
    found = allocate.risk_parity(cov, budgets)
    np.testing.assert_allclose(shares(found.value, cov), budgets, rtol=1e-12)
    assert found.value.sum() == pytest.approx(1, abs=1e-14)
    assert found.value.min() > 0
    assert found.proof["residual"] <= 1e-13


@given(
    arrays.arrays(float, 5, elements=st.floats(0.01, 1)),
    arrays.arrays(float, (5, 5), elements=st.floats(-1, 1)),
)
def test_contributions_are_the_budgets_whatever_hedges(
    wanted: np.ndarray, mixing: np.ndarray
) -> None:
    cov = named(mixing @ mixing.T + 0.05 * np.eye(5))
    budgets = pd.Series(wanted / wanted.sum(), cov.index)
    found = allocate.risk_parity(cov, budgets).value
    np.testing.assert_allclose(shares(found, cov), budgets, rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_risk_parity_minimises_the_barrier_function(seed: int) -> None:
    """Spinu's program by a second route: cvxpy's exponential cone."""
    cov = random_cov(seed, 6)
    budgets = np.random.default_rng(seed).dirichlet(np.ones(6))
    deviation = np.sqrt(np.diag(cov))
    correlation = cov.to_numpy() / np.outer(deviation, deviation)
    y = cp.Variable(6)
    root = np.linalg.cholesky(correlation).T
    expected = cp.Problem(
        cp.Minimize(cp.sum_squares(root @ y) / 2 - budgets @ cp.log(y))).solve(**EXACT)
    own = allocate.risk_parity(cov, pd.Series(budgets, cov.index)).value.to_numpy() * deviation
    own /= np.linalg.norm(root @ own)
    assert 0.5 - budgets @ np.log(own) == pytest.approx(expected, abs=1e-8)


def test_budgets_align_by_name_and_a_missing_one_is_zero() -> None:
    cov = random_cov(3, 4)
    budgets = pd.Series([0.5, 0.3, 0.2], [" a3", "A0", "a1\u00a0"])
    found = allocate.risk_parity(cov, budgets).value
    assert list(found.index) == list(cov.index)
    assert found["A2"] == 0
    np.testing.assert_allclose(shares(found, cov), [0.3, 0.2, 0, 0.5], atol=1e-14)


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.4, 1.0])
def test_two_assets_are_weighted_by_inverse_volatility(correlation: float) -> None:
    cov = named(np.array([[0.09, correlation * 0.03], [correlation * 0.03, 0.01]]))
    np.testing.assert_allclose(allocate.risk_parity(cov).value, [0.25, 0.75], atol=1e-13)
    if correlation < 1:
        found = optimize.max_diversification(cov)
        np.testing.assert_allclose(found.weights, [0.25, 0.75], atol=1e-12)
        assert found.objective == pytest.approx(np.sqrt(2 / (1 + correlation)), rel=1e-12)


def test_refusals_of_budgets() -> None:
    cov = random_cov(1, 3)
    with pytest.raises(InputError, match=r"the budget of 'A1' is -0\.1, below 0"):
        allocate.risk_parity(cov, pd.Series([0.6, -0.1, 0.5], cov.index))
    with pytest.raises(InputError, match=r"budgets sum to 90\.00%, not 100%"):
        allocate.risk_parity(cov, pd.Series([0.5, 0.2, 0.2], cov.index))
    with pytest.raises(InputError, match="'B9' is not in cov"):
        allocate.risk_parity(cov, pd.Series([0.5, 0.5], ["A0", "B9"]))


def test_what_has_no_risk_gets_no_budget() -> None:
    cov = named(np.diag([0.04, 0.0, 0.01]))
    with pytest.raises(ConflictError, match="'A1' has no volatility"):
        allocate.risk_parity(cov)
    budgets = pd.Series([0.5, 0, 0.5], cov.index)
    np.testing.assert_allclose(
        allocate.risk_parity(cov, budgets).value, [1 / 3, 0, 2 / 3], atol=1e-14)
    hedge = named(np.array([[0.04, -0.02], [-0.02, 0.01]]))
    with pytest.raises(ConflictError, match="hedge each other without a remainder"):
        allocate.risk_parity(hedge)


# --- hierarchical risk parity ---------------------------------------------------------------

@pytest.mark.parametrize("method", allocate.METHODS)
@pytest.mark.parametrize("linkage", allocate.LINKAGES)
def test_hrp_of_two_and_three_assets(method: str, linkage: str) -> None:
    pair = named(np.array([[0.04, 0.01], [0.01, 0.01]]))
    np.testing.assert_allclose(allocate.hrp(pair, method, linkage).value, [0.2, 0.8], atol=1e-15)
    close = 0.9 * 0.2 * 0.1
    three = named(np.array([[0.04, close, 0], [close, 0.01, 0], [0, 0, 0.02]]))
    found = allocate.hrp(three, method, linkage).value
    assert found.sum() == pytest.approx(1, abs=1e-14)
    # the asset apart is one half, the inverse-variance portfolio of the pair the other
    paired = np.array([0.2, 0.8]) @ three.to_numpy()[:2, :2] @ [0.2, 0.8]
    alone = paired / (paired + 0.02)
    np.testing.assert_allclose(found, [0.2 * (1 - alone), 0.8 * (1 - alone), alone], atol=1e-14)


def test_a_chain_is_put_in_order() -> None:
    """Correlations that fall with the distance along a line: the line is the best order."""
    place = np.array([3, 0, 2, 5, 1, 4, 7, 6])
    cov = named(0.8 ** np.abs(np.subtract.outer(place, place)))
    distances = np.sqrt((1 - cov.to_numpy()) / 2)
    order = place[allocate.METHODS["ordered"](distances, "average")]
    assert list(order) in (list(range(8)), list(range(8))[::-1])


@pytest.mark.parametrize("seed", range(10))
def test_permuting_the_assets_permutes_the_weights(seed: int) -> None:
    """HRP ordered: an optimal order is unique up to its direction, which halves of equal size
    do not feel."""
    cov = random_cov(seed, 8)
    turn = np.random.default_rng(seed).permutation(8)
    turned = cov.iloc[turn, turn]
    for allocation in (
        lambda c: allocate.risk_parity(c).value,
        lambda c: allocate.hrp(c, "ordered", "average").value,
        lambda c: optimize.max_diversification(c).weights,
    ):
        np.testing.assert_allclose(
            allocation(turned)[cov.index], allocation(cov), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("factor", [1e-10, 1e-3, 1e6])
def test_scaling_the_covariance_leaves_the_weights(factor: float) -> None:
    cov = random_cov(5, 9)
    limits = table(("top 3", None, 0.7), ("A0", 0.1, None))
    for allocation in (
        lambda c: allocate.risk_parity(c).value,
        *(lambda c, m=m: allocate.hrp(c, m).value for m in allocate.METHODS),
        lambda c: optimize.max_diversification(c).weights,
        lambda c: optimize.max_diversification(c, Setting(limits)).weights,
    ):
        np.testing.assert_allclose(allocation(cov * factor), allocation(cov), atol=1e-7)


def test_refusals_of_hrp() -> None:
    cov = random_cov(1, 3)
    with pytest.raises(InputError, match="Did you mean 'plain'"):
        allocate.hrp(cov, "plan")
    with pytest.raises(InputError, match="Use single, complete, average, ward"):
        allocate.hrp(cov, linkage="centroid")
    with pytest.raises(ConflictError, match="'A1' has no volatility"):
        allocate.hrp(named(np.diag([0.04, 0.0, 0.01])))
    assert allocate.hrp(named(np.array([[0.04]]))).value.to_list() == [1.0]


def test_assets_that_move_as_one_have_a_place_in_the_tree() -> None:
    cov = named(np.array([[0.04, 0.02, 0], [0.02, 0.01, 0], [0, 0, 0.02]]))
    for method in allocate.METHODS:
        assert allocate.hrp(cov, method).value.min() > 0


# --- maximum diversification ---------------------------------------------------------------

def table(*rows: tuple[str, float | None, float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        [(w, np.nan if lo is None else lo, np.nan if hi is None else hi) for w, lo, hi in rows],
        columns=["Limit", "Min", "Max"], index=range(2, 2 + len(rows)),
    )


def test_the_closed_form_where_no_floor_binds() -> None:
    """Weights in proportion to C^-1 sigma (Choueifaty and Coignard 2008)."""
    shorts = table(("each asset", -10, None))
    for seed in range(10):
        cov = random_cov(seed, 7)
        closed = np.linalg.solve(cov.to_numpy(), np.sqrt(np.diag(cov)))
        if closed.sum() <= 0:
            continue
        found = optimize.max_diversification(cov, Setting(shorts)).weights
        np.testing.assert_allclose(found, closed / closed.sum(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("seed", range(25))
def test_max_diversification_equals_cvxpy_under_limits(seed: int) -> None:
    """At the maximum d of the ratio the most of volatilities'w - d volatility is 0."""
    case = random_case(seed)
    shifted = case.returns - case.returns.mean() + case.mu / 252
    found = optimize.max_diversification(
        case.cov, Setting(case.limits, case.assets, shifted, 252))
    w = cp.Variable(len(case.mu))
    root = np.linalg.cholesky(case.cov.to_numpy()).T
    deviation = np.sqrt(np.diag(case.cov))
    gap = cp.Problem(
        cp.Maximize(deviation @ w - found.objective * cp.norm(root @ w)),
        case.constraints(w)).solve(**EXACT)
    assert gap == pytest.approx(0.0, abs=1e-8)
    own = found.weights.to_numpy()
    ratio = deviation @ own / np.linalg.norm(root @ own)
    assert found.objective == pytest.approx(ratio, rel=1e-12)


def test_cash_stays_at_its_floor() -> None:
    names = ["A", "B", "Cash"]
    cov = pd.DataFrame(np.diag([0.04, 0.01, 0.0]), names, names)
    free = optimize.max_diversification(cov).weights
    np.testing.assert_allclose(free, [1 / 3, 2 / 3, 0], atol=1e-12)
    floor = optimize.max_diversification(cov, Setting(table(("cash", 0.1, None)))).weights
    np.testing.assert_allclose(floor, [0.3, 0.6, 0.1], atol=1e-8)
    conic = optimize.max_diversification(cov, Setting(table(("gross", None, 2.0)))).weights
    np.testing.assert_allclose(conic, [1 / 3, 2 / 3, 0], atol=1e-8)
    forced = optimize.max_diversification(cov, Setting(table(("gross", None, 0.5)))).weights
    np.testing.assert_allclose(forced[:2] / forced[:2].sum(), [1 / 3, 2 / 3], atol=1e-7)


def test_a_ratio_without_a_maximum_is_told() -> None:
    hedge = named(np.array([[0.04, -0.02], [-0.02, 0.01]]))
    with pytest.raises(ConflictError, match="hedge each other without a remainder"):
        optimize.max_diversification(hedge)
    still = named(np.zeros((2, 2)))
    with pytest.raises(ConflictError, match="no permitted portfolio holds an asset that moves"):
        optimize.max_diversification(still)


# --- the comparison ------------------------------------------------------------------------

@pytest.fixture
def returns() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    values = rng.normal(0.001, 0.01, (120, 5)) * [1, 2, 1.5, 0.5, 1]
    values += 0.005 * rng.normal(size=(120, 1))
    dates = pd.date_range("2023-01-06", periods=120, freq="7D")
    return pd.DataFrame(values, dates, list("ABCDE"))


def test_compare_has_every_portfolio_with_its_figures(returns: pd.DataFrame) -> None:
    found = compare(returns)
    assert list(found.value.columns) == ["Asset", *PORTFOLIOS]
    assert list(found.value["Asset"]) == [
        *"ABCDE", "Return", "Volatility", "Sharpe", "VaR", "CVaR"]
    mu, cov = returns.mean() * 52, returns.cov() * 52
    expected = {
        "Equal weight": pd.Series(0.2, list("ABCDE")),
        "Min volatility": optimize.min_volatility(cov).weights,
        "Max Sharpe": optimize.max_sharpe(mu, cov).weights,
        "Min CVaR": optimize_tail.min_cvar(returns, 0.95).weights,
        "Risk parity": allocate.risk_parity(cov).value,
        "HRP": allocate.hrp(cov).value,
        "Max diversification": optimize.max_diversification(cov).weights,
    }
    result = found.value.set_index("Asset").astype(float)
    for title, weights in expected.items():
        np.testing.assert_allclose(result[title].iloc[:5], weights, atol=1e-9)
        np.testing.assert_allclose(
            result[title].iloc[5:],
            [risk.portfolio_return(weights, mu), risk.volatility(weights, cov),
             risk.sharpe(weights, mu, cov), tail.var(returns, weights).value,
             tail.cvar(returns, weights).value], rtol=1e-8)
    assert result.loc["Sharpe"].idxmax() == "Max Sharpe"
    assert result.loc["Volatility"].idxmin() == "Min volatility"
    assert result.loc["CVaR"].idxmin() == "Min CVaR"


def test_compare_takes_what_is_given_and_keeps_the_limits(returns: pd.DataFrame) -> None:
    mu = pd.Series([0.02, 0.08, 0.05, 0.01, 0.04], list("ABCDE"))
    cov = pd.DataFrame(np.diag([0.02, 0.09, 0.05, 0.01, 0.03]), list("ABCDE"), list("ABCDE"))
    assets = pd.DataFrame({"Sector": list("XXYYY")}, index=list("ABCDE"))
    limits = table(("Sector X", 0.45, None), ("return", 0.045, None))
    found = compare(returns, mu[::-1], cov, Setting(limits, assets))
    result = found.value.set_index("Asset").astype(float)
    for title in ("Min volatility", "Max Sharpe", "Min CVaR", "Max diversification"):
        assert result[title][["A", "B"]].sum() >= 0.45 - 1e-8
        assert result[title]["Return"] >= 0.045 - 1e-8
        assert result[title]["Return"] == pytest.approx(result[title].iloc[:5] @ mu, abs=1e-12)
    assert found.notes == (
        "Equal weight takes no limits and breaks 'Sector X', 'return'.",
        "Risk parity takes no limits and breaks 'Sector X', 'return'.",
        "HRP takes no limits and breaks 'Sector X', 'return'.",
    )


def test_a_portfolio_that_does_not_exist_leaves_its_column_blank(returns: pd.DataFrame) -> None:
    found = compare(returns.assign(Cash=0.0004))
    blank = [title for title in PORTFOLIOS if found.value[title].isna().any()]
    assert blank == ["Max Sharpe", "Risk parity", "HRP"]
    assert [note.partition(",")[0] for note in found.notes] == [
        "Max Sharpe has no answer: a portfolio without any volatility beats the riskfree rate",
        "Risk parity has no answer: 'Cash' has no volatility",
        "HRP has no answer: 'Cash' has no volatility",
    ]
    falling = returns - returns.mean() - 0.001
    found = compare(falling)
    assert found.value["Max Sharpe"].isna().all()
    assert found.notes[0].startswith("Max Sharpe has no answer: no permitted portfolio beats")
    with pytest.raises(ConflictError, match=r"'return' \(row 2\) cannot hold"):
        compare(returns, setting=Setting(
            table(("return", 9.0, None), ("volatility", None, 0.5))))
