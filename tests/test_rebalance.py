"""DRIFT, REBALANCE and TURNOVER by hand, by other solvers, and their identities."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from portbal.errors import InputError, NotAvailable
from portbal.rebalance import bands_of, calendar, drift, rebalance, turnover

HOLDINGS = pd.DataFrame(
    {"Quantity": [60.0, 20.0, 100.0], "Price": [5.0, 10.0, 1.0]}, index=["A", "B", "Cash"])
TARGET = pd.Series([0.4, 0.4, 0.2], ["A", "B", "Cash"])  # weights now: 0.5, 1/3, 1/6
COV = pd.DataFrame([[0.04, 0.0], [0.0, 0.01]], ["A", "B"], ["A", "B"])


@pytest.mark.parametrize(
    ("kind", "bands", "width", "actions"),
    [
        ("absolute", 0.05, [0.05, 0.05, 0.05], ["sell", "buy", "hold"]),
        ("relative", 0.2, [0.08, 0.08, 0.04], ["sell", "hold", "hold"]),
        ("volatility", 1.0, [0.08, 0.04, 0.0], ["sell", "buy", "buy"]),
    ],
)
def test_bands(kind: str, bands: float, width: list[float], actions: list[str]) -> None:
    table = drift(HOLDINGS, TARGET, bands, kind, COV)
    np.testing.assert_allclose(table["Current"], [300 / 600, 200 / 600, 100 / 600])
    np.testing.assert_allclose(table["Drift"], table["Current"] - table["Target"])
    np.testing.assert_allclose(table["High"] - table["Target"], width)
    np.testing.assert_allclose(table["Target"] - table["Low"], width)
    assert table["Action"].to_list() == actions


def test_on_the_band_holds_and_beyond_it_does_not() -> None:
    holdings = pd.DataFrame({"Quantity": [55.0, 45.0], "Price": [1.0, 1.0]}, index=["A", "B"])
    target = pd.Series([0.5, 0.5], ["A", "B"])
    assert set(drift(holdings, target, 0.05)["Action"]) == {"hold"}
    assert drift(holdings, target, 0.0499)["Action"].to_list() == ["sell", "buy"]


def test_an_asset_only_wanted_and_one_only_held() -> None:
    target = pd.Series([0.5, 0.5], ["a", "New"])
    table = drift(HOLDINGS, target)
    assert table["Asset"].to_list() == ["A", "B", "Cash", "New"]
    assert table["Action"].to_list() == ["hold", "sell", "sell", "buy"]


def test_bands_by_asset_follow_names() -> None:
    bands = pd.Series([0.3, 0.01, 0.2], ["cash", "B", "A"])
    assert drift(HOLDINGS, TARGET, bands)["Action"].to_list() == ["hold", "buy", "hold"]
    with pytest.raises(InputError, match="'Cash' of holdings and target is missing"):
        drift(HOLDINGS, TARGET, bands.drop("cash"))


def test_what_drift_needs_is_named() -> None:
    with pytest.raises(NotAvailable, match="bands by volatility need cov"):
        drift(HOLDINGS, TARGET, 1.0, "volatility")
    with pytest.raises(InputError, match=r"sum to 80\.00%"):
        drift(HOLDINGS, TARGET.drop("Cash"))
    with pytest.raises(InputError, match="the price 2, not 1"):
        drift(HOLDINGS.assign(Price=[5.0, 10.0, 2.0]), TARGET)


def test_turnover_takes_whole_portfolios() -> None:
    whole, part = pd.Series([0.5, 0.5], ["A", "B"]), pd.Series([0.5, 0.4], ["A", "B"])
    with pytest.raises(InputError, match=r"^current: the weights sum to 90\.00%"):
        turnover(part, whole)
    with pytest.raises(InputError, match=r"^target: the weights sum to 90\.00%"):
        turnover(whole, part)


def test_turnover_is_symmetric_and_half_the_sum() -> None:
    one = pd.Series([0.6, 0.4], ["A", "B"])
    other = pd.Series([0.7, 0.3], ["b", "C"])
    assert turnover(one, other) == pytest.approx((0.6 + 0.3 + 0.3) / 2)
    assert turnover(one, other) == pytest.approx(turnover(other, one))
    assert turnover(one, one) == 0


# --- REBALANCE ------------------------------------------------------------------------------

def portfolio(seed: int):
    """Holdings with cash, a target, bands an asset, and a covariance of the assets."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    names = [*(f"S{i}" for i in range(n)), "Cash"]
    holdings = pd.DataFrame({"Quantity": np.round(rng.uniform(5, 50, n + 1), 2),
                             "Price": [*np.round(rng.uniform(5, 60, n), 2), 1.0]}, names)
    target = pd.Series(rng.dirichlet(np.ones(n + 1)), names)
    bands = pd.Series(rng.uniform(0.0, 0.08, n + 1), names)
    root = rng.normal(0, 0.1, (n, n + 2))
    return holdings, target, bands, pd.DataFrame(root @ root.T, names[:n], names[:n])


def test_the_policies_by_hand() -> None:
    holdings = pd.DataFrame({"Quantity": [58.0, 22.0, 20.0], "Price": 1.0}, ["A", "B", "C"])
    target = pd.Series([0.5, 0.25, 0.25], ["a", "B", "C"])
    for policy, weights in (
        ("target", [0.5, 0.25, 0.25]), ("edge", [0.55, 0.23125, 0.21875]),
        ("half", [0.525, 0.240625, 0.234375]),
    ):
        found = rebalance(holdings, target, policy).value
        np.testing.assert_allclose(found, weights, atol=1e-15)
        assert found.index.to_list() == ["A", "B", "C"]
    assert rebalance(holdings, target, "target", 0.08).value.to_list() == [0.58, 0.22, 0.2]
    with pytest.raises(InputError, match="there is no policy 'edges'"):
        rebalance(holdings, target, "edges")


@pytest.mark.parametrize("seed", range(60))
def test_the_edge_is_reached_with_the_least_trading(seed: int) -> None:
    from scipy.optimize import linprog

    holdings, target, bands, _ = portfolio(seed)
    found = bands_of(holdings, target, bands)
    weights = rebalance(holdings, target, "edge", bands).value
    n = len(weights)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert (weights >= found.low - 1e-12).all()
    assert (weights <= found.high + 1e-12).all()
    moved = weights - found.current
    assert (moved * (found.target - found.current) >= -1e-15).all()
    assert (np.abs(weights - found.target) <= np.abs(found.current - found.target) + 1e-12).all()
    eye = np.eye(n)
    least = linprog(
        np.append(np.zeros(n), np.full(n, 0.5)),
        A_ub=np.block([[eye, -eye], [-eye, -eye]]),
        b_ub=np.append(found.current, -found.current),
        A_eq=np.append(np.ones(n), np.zeros(n))[None], b_eq=[1.0],
        bounds=[*zip(found.low, found.high, strict=True), *[(0, None)] * n])
    assert turnover(pd.Series(found.current, weights.index), weights) == pytest.approx(
        least.fun, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_policy_cost_is_what_another_solver_finds(seed: int) -> None:
    import cvxpy as cp

    holdings, target, _, cov = portfolio(seed)
    rng = np.random.default_rng(seed)
    cost = pd.Series(rng.uniform(0.0, 0.01, len(cov)), cov.index)
    options = {"riskaversion": 4.0, "years": 0.5}
    found = rebalance(holdings, target, "cost", 0.0, cov=cov,
                      assets=pd.DataFrame({"Cost": cost}), options=options)
    now = bands_of(holdings, target, 0.0).current
    n = len(cov)
    w = cp.Variable(n + 1)
    active = (w - target.to_numpy())[:n]
    objective = 2 * cp.quad_form(active, cp.psd_wrap(cov.to_numpy())) + (
        cost.to_numpy() / 0.5) @ cp.abs(w[:n] - now[:n])
    problem = cp.Problem(cp.Minimize(objective), [cp.sum(w) == 1, w >= 0])
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    np.testing.assert_allclose(found.value, w.value, atol=2e-6)
    assert "for a cost of" in found.notes[0]


def test_where_no_trade_pays_nothing_is_traded() -> None:
    holdings, target, _, cov = portfolio(3)
    assets = pd.DataFrame({"Cost": 0.99}, index=cov.index)
    kept = rebalance(holdings, target, "cost", 0.0, cov=cov, assets=assets).value
    np.testing.assert_allclose(kept, bands_of(holdings, target).current, atol=1e-7)
    free = rebalance(holdings, target, "cost", 0.0, cov=cov, assets=assets * 0).value
    np.testing.assert_allclose(free, target, atol=1e-7)


@pytest.mark.parametrize("flow", [500.0, 5.0, -20.0, -200.0])
def test_a_flow_buys_what_is_below_or_raises_from_what_is_above(flow: float) -> None:
    for seed in range(20):
        holdings, target, _, _ = portfolio(seed)
        before, after = bands_of(holdings, target), bands_of(holdings, target, flow=flow)
        moved = after.current * after.net - before.current * before.net
        assert after.net == pytest.approx(before.net + flow)
        assert moved.sum() == pytest.approx(flow)
        assert (np.sign(flow) * moved >= -1e-9).all()
        missing = after.target * after.net - before.current * before.net
        assert (np.abs(moved) <= np.maximum(np.sign(flow) * missing, 0) + 1e-9).all()
        assert rebalance(holdings, target, bands=1.0, flow=flow).value.to_list() == list(
            after.current)
    with pytest.raises(InputError, match="it takes out"):
        bands_of(holdings, target, flow=-1e9)


def test_the_calendar_waits_for_the_period_to_end() -> None:
    holdings, target, _, _ = portfolio(1)
    now = bands_of(holdings, target).current

    def weights(every: str, last: tuple[int, int, int], today: tuple[int, int, int]):
        due = calendar(every, dt.datetime(*last), dt.datetime(*today))
        return rebalance(holdings, target, bands=0.0, due=due).value.to_list()

    assert weights("M", (2024, 3, 1), (2024, 3, 31)) == list(now)
    assert weights("m", (2024, 3, 31), (2024, 4, 1)) == target.to_list()
    assert weights("Q", (2024, 1, 31), (2024, 3, 29)) == list(now)
    assert weights("Y", (2023, 12, 31), (2024, 1, 1)) == target.to_list()
    with pytest.raises(InputError, match="before the last rebalance"):
        weights("M", (2024, 3, 2), (2024, 3, 1))
    with pytest.raises(InputError, match="needs today"):
        calendar("M", dt.datetime(2024, 1, 1), None)


def test_permuting_the_assets_permutes_the_weights() -> None:
    holdings, target, bands, cov = portfolio(8)
    assets = pd.DataFrame({"Cost": 0.001}, index=cov.index)
    for policy in ("target", "edge", "half", "cost"):
        given = (target, policy, bands, "absolute", cov, 0.0, assets)
        plain = rebalance(holdings, *given).value
        turned = rebalance(holdings.iloc[::-1], *given).value
        np.testing.assert_allclose(turned[::-1], plain, atol=1e-7)


def test_what_the_policy_cost_needs_is_named() -> None:
    holdings, target, _, cov = portfolio(2)
    with pytest.raises(NotAvailable, match="needs cov"):
        rebalance(holdings, target, "cost", 0.0)
    with pytest.raises(NotAvailable, match="costs need the column Cost"):
        rebalance(holdings, target, "cost", 0.0, cov=cov)
    with pytest.raises(InputError, match="has no Cost that can be used"):
        rebalance(holdings, target, "cost", 0.0, cov=cov,
                  assets=pd.DataFrame({"Cost": -0.1}, index=cov.index))


def test_a_flow_of_next_to_nothing_is_used_and_told_as_such() -> None:
    holdings = pd.DataFrame({"Quantity": [50.0, 50.0], "Price": 1.0}, ["A", "B"])
    target = pd.Series([0.49995, 0.49995], ["A", "B"])  # within 0.0001 of a sum of 1
    found = rebalance(holdings, target, flow=1e-3)
    np.testing.assert_allclose(found.value, [0.5, 0.5])
    assert found.notes == (
        "Every weight is in its band once the flow is used: nothing else to do.",)
