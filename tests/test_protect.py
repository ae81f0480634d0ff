"""Stops, targets and first passages: by hand, by simulation, and by other mathematics."""

from __future__ import annotations

import datetime as dt
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from portbal import barriers
from portbal.errors import ConflictError, InputError, UserError
from portbal.protect import stop_loss, take_profit, touch_probability
from portbal.trailing import trailing_stop
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = ["A", "B", "C"]
HOLDINGS = pd.DataFrame(
    {"Quantity": [60.0, -20.0, 100.0, 0.0], "Price": [5.0, 10.0, 1.0, 7.0]},
    index=["A", "B", "Cash", "C"])  # net assets 200: weights 1.5, -1, 0.5, 0
COV = pd.DataFrame(
    [[0.04, 0.01, 0.0], [0.01, 0.09, 0.0], [0.0, 0.0, 0.25]], NAMES, NAMES)
LONG = pd.DataFrame({"Quantity": [10.0, 30.0, 20.0], "Price": [20.0, 10.0, 25.0]}, index=NAMES)
HALVES = pd.Series(["x", "x", "y"], NAMES)


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


# --- stops -----------------------------------------------------------------------------------

def test_stops_by_hand() -> None:
    """63 days are a quarter: two deviations are the volatility of a year."""
    found = stop_loss(HOLDINGS, COV, days=63)
    table = found.value
    assert list(table) == ["Asset", "Price", "Stop", "Distance", "Loss if hit", "Share of budget"]
    assert table["Asset"].to_list() == ["A", "B", "Cash", "C"]
    np.testing.assert_allclose(table["Distance"], [0.2, 0.3, np.nan, np.nan])
    np.testing.assert_allclose(table["Stop"], [4.0, 13.0, np.nan, np.nan])
    np.testing.assert_allclose(table["Loss if hit"], [0.3, 0.3, 0, 0])
    np.testing.assert_allclose(table["Share of budget"], [0.5, 0.5, 0, 0])
    together = sqrt(2 * 0.3**2 - 2 * 0.3**2 * 0.01 / 0.06)
    assert f"60.00% of net assets are lost; by the correlations of cov it would be {together:.2%}" \
        in found.notes[0]


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_var_and_cvar_distances_are_those_of_a_normal_move(level: float) -> None:
    deviation = 0.2 * sqrt(10 / 252)
    var = stop_loss(HOLDINGS, COV, "VaR", 10, level=level).value["Distance"][0]
    assert norm.sf(var / deviation) == pytest.approx(1 - level)
    cvar = stop_loss(HOLDINGS, COV, "cvar", 10, level=level).value["Distance"][0]
    moves = norm.ppf((np.arange(200_000) + 0.5) / 200_000) * deviation
    assert moves[moves >= var].mean() == pytest.approx(cvar, rel=1e-3)


def test_one_factor_makes_the_losses_a_budget() -> None:
    plain = stop_loss(LONG, COV).value
    table = stop_loss(LONG, COV, budget=0.03).value
    assert table["Loss if hit"].sum() == pytest.approx(0.03, abs=1e-15)
    assert table["Share of budget"].sum() == pytest.approx(1)
    factors = table["Distance"] / plain["Distance"]
    np.testing.assert_allclose(factors, factors[0])
    np.testing.assert_allclose(table["Stop"], table["Price"] * (1 - table["Distance"]))


def test_groups_share_the_budget_equally_each_by_its_own_factor() -> None:
    plain = stop_loss(LONG, COV).value
    table = stop_loss(LONG, COV, budget=0.03, groups=HALVES).value
    np.testing.assert_allclose(
        table["Loss if hit"].groupby(HALVES.to_numpy()).sum(), [0.015, 0.015])
    factors = (table["Distance"] / plain["Distance"]).to_numpy()
    assert factors[0] == pytest.approx(factors[1])
    assert factors[0] != pytest.approx(factors[2])
    own = stop_loss(LONG, COV, budget=pd.Series({"Y": 0.02, "X": 0.01}), groups=HALVES).value
    np.testing.assert_allclose(own["Loss if hit"].groupby(HALVES.to_numpy()).sum(), [0.01, 0.02])
    np.testing.assert_allclose(own["Share of budget"][2], 2 / 3)
    each = stop_loss(LONG, COV, budget=pd.Series([0.01, 0.002, 0.003], ["c", "A", "B"])).value
    np.testing.assert_allclose(each["Loss if hit"], [0.002, 0.003, 0.01])


def test_groups_without_a_position_take_no_part() -> None:
    groups = pd.Series(["x", "x", "y"], ["A", "B", "C"])  # C has quantity 0
    table = stop_loss(HOLDINGS, COV, budget=0.1, groups=groups).value
    assert table["Loss if hit"].sum() == pytest.approx(0.1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.5, 5000), st.integers(-50, 50)), min_size=1, max_size=6),
    st.floats(0.001, 0.1), st.sampled_from([0.01, 0.05, 0.1]), st.floats(0, 0.005), st.booleans())
def test_all_stops_together_lose_no_more_than_the_budget(
    positions: list[tuple[float, int]], budget: float, tick: float, gap: float, grouped: bool
) -> None:
    """Money lost by selling every position at its stop, less the gap, against net assets."""
    price, quantity = np.array(positions).T
    names = [f"N{i}" for i in range(len(price))]
    holdings = pd.DataFrame(
        {"Quantity": [*quantity, 1e6], "Price": [*price, 1.0]}, index=[*names, "Cash"])
    cov = pd.DataFrame(np.diag(np.linspace(0.1, 0.5, len(names)) ** 2), names, names)
    groups = pd.Series([f"g{i % 2}" for i in range(len(names))], names) if grouped else None
    net = float(quantity @ price) + 1e6
    try:
        table = stop_loss(holdings, cov, budget=budget, groups=groups, tick=tick, gap=gap).value
    except UserError:
        return
    stop = table["Stop"].to_numpy()[:-1]
    held = quantity != 0
    fill = stop * (1 - np.sign(quantity) * gap)
    lost = float((quantity * (price - fill))[held].sum()) / net
    assert lost <= budget * (1 + 1e-9)
    assert lost == pytest.approx(table["Loss if hit"].sum())
    assert ((quantity * (price - stop))[held] > 0).all()
    np.testing.assert_allclose(stop[held] / tick, np.round(stop[held] / tick), atol=1e-6)
    free = stop_loss(holdings, cov, budget=budget, groups=groups, gap=gap).value
    assert (np.abs(free["Stop"].to_numpy()[:-1] - stop)[held] < tick * (1 + 1e-6)).all()
    assert free["Loss if hit"].sum() == pytest.approx(budget)


def test_a_level_that_is_whole_in_ticks_stays() -> None:
    """0.99 is 99 ticks of 0.01, though 0.99 / 0.01 is not 99 in floating point."""
    holdings = pd.DataFrame({"Quantity": [1.0], "Price": [1.1]}, index=["A"])
    cov = pd.DataFrame([[0.01]], ["A"], ["A"])
    table = stop_loss(holdings, cov, days=252, k=1, tick=0.01).value
    assert table["Stop"][0] == 0.99
    coarse = stop_loss(HOLDINGS, COV, days=63, tick=pd.Series({"A": 0.3, "B": 1.5, "C": 1})).value
    np.testing.assert_allclose(coarse["Stop"][:2], [4.2, 12.0])
    np.testing.assert_allclose(coarse["Distance"][:2], [0.16, 0.2])


BAD_STOPS: list[tuple[dict[str, Any], str, str]] = [
    ({"days": 0.0}, "days", "days is 0"),
    ({"k": -1.0}, "k", "k is -1"),
    ({"level": 1.0}, "level", "the level is 1"),
    ({"method": "var", "level": 0.5}, "level", "no loss"),
    ({"method": "evt"}, "method", "there is no method 'evt'"),
    ({"gap": 1.0}, "gap", "the gap is 1"),
    ({"budget": 0.0}, "budget", "the budget is 0"),
    ({"budget": 2.0}, "budget", "the budget is 2"),
    ({"budget": float("nan")}, "budget", "the budget is nan"),
    ({"budget": 0.95}, "budget", "a stop 125.0% below the price of 'C' is not above 0"),
    ({"budget": 0.01, "gap": 0.02}, "budget", "the gap alone loses 2.00%"),
    ({"budget": pd.Series({"x": 0.01}), "groups": HALVES}, "budget", "'y' of the groups"),
    ({"budget": pd.Series({"x": 0.01, "y": -0.1}), "groups": HALVES}, "budget", "is -0.1"),
    ({"budget": 0.01, "groups": HALVES[:2]}, "groups", "'C' has no group"),
    ({"tick": 0.0}, "tick", "the tick is 0"),
    ({"tick": 15.0}, "tick", "no tick of 15 lies between the price of 'A', 20,"),
    ({"tick": pd.Series({"A": 1.0, "B": 1.0})}, "tick", "'C' is missing"),
    ({"days": 2520.0}, "cov", "a stop 126.5% below the price of 'A' is not above 0"),
]


@pytest.mark.parametrize(("changed", "argument", "problem"), BAD_STOPS)
def test_bad_arguments_of_stops(changed: dict[str, Any], argument: str, problem: str) -> None:
    with pytest.raises(UserError) as caught:
        stop_loss(LONG, COV, **changed)
    assert caught.value.argument == argument
    assert problem in caught.value.problem
    assert caught.value.fix.endswith((".", "?"))


def test_what_cannot_be_protected() -> None:
    with pytest.raises(InputError, match="'C' is not in cov") as caught:
        stop_loss(LONG, COV.loc[["A", "B"], ["A", "B"]])
    assert (caught.value.argument, caught.value.row) == ("holdings", "C")
    with pytest.raises(InputError, match=r"is -0\.25, below zero"):
        stop_loss(LONG, COV - np.diag([0, 0, 0.5]))
    cash = pd.DataFrame({"Quantity": [5.0], "Price": [1.0]}, index=["Cash"])
    assert stop_loss(cash, COV).value["Loss if hit"].to_list() == [0.0]
    with pytest.raises(InputError, match="it has no position"):
        stop_loss(cash, COV, budget=0.01)
    still = COV * 0
    found = stop_loss(LONG, still)
    assert found.value["Stop"].to_list() == LONG["Price"].to_list()
    assert "The stop of 'A' is its price, as it has no volatility." in found.notes
    with pytest.raises(ConflictError, match="have no volatility"):
        stop_loss(LONG, still, budget=0.01)


# --- first passages ----------------------------------------------------------------------------

def _simulated(
    one: float, other: float, drift: float, deviation: float
) -> tuple[np.ndarray, float]:
    """Chances that ``one`` > 0, or ``other`` < 0, is touched first, from 40,000 paths of 400 steps:
    between two steps a Brownian bridge is asked whether it touched either. Also the deviation of
    the first."""
    rng = np.random.default_rng(7)
    paths, steps = 40_000, 400
    variance = deviation**2 / steps
    at, alive = np.zeros(paths), np.ones(paths, dtype=bool)
    counts = np.zeros(2)
    for _ in range(steps):
        here = at[alive]
        then = here + drift / steps + sqrt(variance) * rng.standard_normal(len(here))
        hit = np.zeros((2, len(here)), dtype=bool)
        for i, level in enumerate((one, other)):
            inside = (level - here) * (level - then)
            hit[i] = rng.random(len(here)) < np.exp(-2 * np.maximum(inside, 0) / variance)
        nearer = abs(one - here) < abs(other - here)
        hit[0], hit[1] = hit[0] & (~hit[1] | nearer), hit[1] & (~hit[0] | ~nearer)
        counts += hit.sum(axis=1)
        at[alive] = then
        alive[np.flatnonzero(alive)[hit.any(axis=0)]] = False
    chances = counts / paths
    return chances, sqrt(chances[0] * (1 - chances[0]) / paths)


@pytest.mark.parametrize(
    ("one", "other", "drift", "deviation"),
    [(0.08, -0.1, 0.06, 0.2), (0.3, -0.15, -0.02, 0.15), (0.05, -0.06, 0.01, 0.09)])
def test_the_chances_of_either_barrier_are_those_of_a_simulation(
    one: float, other: float, drift: float, deviation: float
) -> None:
    found = barriers.first_touch(one, other, drift, deviation)
    simulated, error = _simulated(one, other, drift, deviation)
    np.testing.assert_allclose(found, simulated, atol=4 * error + 5e-4)
    alone, error = _simulated(one, -50.0, drift, deviation)
    assert barriers.touch(one, drift, deviation) == pytest.approx(alone[0], abs=4 * error + 5e-4)


def _survival(a: float, b: float, v: float) -> float:
    """The chance to stay between -b and a: the density of the end by images (Kunitomo and Ikeda
    1992, with flat barriers), integrated."""
    total, width = 0.0, a + b
    for n in range(-40, 41):
        far = 2 * n * width
        if abs(2 * v * far) > 600:
            continue
        total += exp(v * far) * (norm.cdf(a - far - v) - norm.cdf(-b - far - v))
        total -= exp(v * (2 * a + far)) * (
            norm.cdf(-a - far - v) - norm.cdf(-b - 2 * a - far - v))
    return total


@settings(max_examples=200, deadline=None)
@given(st.floats(0.05, 3), st.floats(0.05, 3), st.floats(-2, 2))
def test_either_barrier_or_none(a: float, b: float, v: float) -> None:
    up, down = barriers.first_touch(a, -b, v, 1.0)
    assert up + down + _survival(a, b, v) == pytest.approx(1, abs=1e-9)
    assert (down, up) == barriers.first_touch(-b, a, v, 1.0)
    mirrored = barriers.first_touch(-a, b, -v, 1.0)
    assert (up, down) == pytest.approx(mirrored, abs=1e-15)
    assert up <= barriers.touch(a, v, 1.0) + 1e-12
    far = barriers.first_touch(a, -40.0, v, 1.0)[0]
    assert far == pytest.approx(barriers.touch(a, v, 1.0), abs=1e-12)


@pytest.mark.parametrize("v", [-30.0, -4.0, -0.3, 0.0, 1e-9, 2.0, 30.0])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_both_series_meet(share: float, v: float) -> None:
    below, above = (
        barriers.first_touch(share * width, -(1 - share) * width, v, 1.0)
        for width in (3 - 1e-12, 3 + 1e-12))
    assert below == pytest.approx(above, abs=1e-11)


def test_a_solved_heat_equation_gives_the_same() -> None:
    """Crank-Nicolson, started by implicit steps, for the chance to leave by the upper barrier."""
    from scipy.linalg import solve_banded

    a, b, v, n, steps = 0.7, 0.9, 0.6, 1600, 800
    h, dt_ = (a + b) / n, 1.0 / steps
    low, high = 0.5 / h**2 - v / (2 * h), 0.5 / h**2 + v / (2 * h)
    u = np.zeros(n + 1)
    u[-1] = 1.0
    for step in range(steps):
        theta = 1.0 if step < 4 else 0.5
        bands = np.zeros((3, n + 1))
        bands[1] = 1.0
        bands[1, 1:-1] += theta * dt_ / h**2
        bands[0, 2:] = -theta * dt_ * high
        bands[2, :-2] = -theta * dt_ * low
        right = u.copy()
        right[1:-1] += (1 - theta) * dt_ * (low * u[:-2] - u[1:-1] / h**2 + high * u[2:])
        u = solve_banded((1, 1), bands, right)
    at = np.interp(b, np.linspace(0, a + b, n + 1), u)
    assert barriers.first_touch(a, -b, v, 1.0)[0] == pytest.approx(at, abs=2e-5)


def test_touching_without_a_horizon_and_without_volatility() -> None:
    assert touch_probability(100, 100, -0.5, 0.3) == 1
    assert touch_probability(100, 110, 0.12, 0.0, 252) == 1  # ends at 112.75
    assert touch_probability(100, 110, 0.09, 0.0, 252) == 0
    assert touch_probability(100, 95, 0.09, 0.0, 252) == 0
    assert touch_probability(100, 95, -0.09, 0.0, 252) == 1
    assert touch_probability(100, 100 * exp(0.08), 0.08, 0.0, 252) == 1
    # an exponential that overflows by itself: exp(2 nu b / sigma^2) is exp(1800)
    assert touch_probability(100, 110, 0.09, 0.003, 252) == pytest.approx(
        norm.sf((log(1.1) - 0.09) / 0.003), rel=0.2)
    # below its drift for ever: the maximum of such a path is exponential
    nu = 0.05 - 0.4**2 / 2
    assert touch_probability(100, 130, 0.05, 0.4, 252 * 5000) == pytest.approx(
        exp(2 * nu * log(1.3) / 0.4**2), abs=1e-9)
    assert 0 <= touch_probability(1e-300, 1e300, 1e90, 1e90, 1e-6) <= 1
    for tiny in (1e-5, 1e-50, 1e-99, 1e-101, 5e-324):
        assert touch_probability(100, 101, 0.05, tiny, 21) == 0
        assert touch_probability(100, 101, 0.05, tiny, 252) == 1
        assert barriers.first_touch(0.01, -0.01, 0.05, tiny) == (1.0, 0.0)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-50, 50),
       st.one_of(st.just(0.0), st.floats(1e-200, 50)))
def test_chances_are_chances(one: float, other: float, drift: float, deviation: float) -> None:
    chances = barriers.first_touch(one, other, drift, deviation)
    assert min(chances) >= 0
    assert sum(chances) <= 1 + 1e-12


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [((0.0, 1, 0, 0.1), "price"), ((1, -1.0, 0, 0.1), "level"), ((1, 2, 0, -0.1), "volatility"),
     ((1, 2, 0, float("nan")), "volatility"), ((1, 2, 0, 0.1, 0.0), "days")])
def test_bad_arguments_of_touch(arguments: tuple[float, ...], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        touch_probability(*arguments)
    assert caught.value.argument == argument


# --- targets -----------------------------------------------------------------------------------

MU = pd.Series([0.1, -0.05, 0.02], NAMES)


def test_targets_without_stops_are_touched_as_touch_probability_says() -> None:
    table = take_profit(HOLDINGS, MU, COV, 126).value
    assert list(table) == [
        "Asset", "Price", "Target", "Gain", "Chance of target", "Chance of stop first"]
    np.testing.assert_allclose(
        table["Target"], [5 * exp(0.05), 10 * exp(-0.025), np.nan, np.nan])
    np.testing.assert_allclose(table["Gain"][:2], [exp(0.05) - 1, 1 - exp(-0.025)])
    for row, sigma in ((0, 0.2), (1, 0.3)):
        price, target, chance = table.loc[row, ["Price", "Target", "Chance of target"]]
        assert chance == pytest.approx(
            touch_probability(price, target, MU.iloc[row], sigma, 126), abs=1e-12)
    np.testing.assert_array_equal(table["Chance of stop first"], [0, 0, np.nan, np.nan])


def test_targets_with_the_stops_that_stoploss_returns() -> None:
    """Against a simulation of the logarithm, for a long and a short."""
    stops = stop_loss(HOLDINGS, COV, days=63).value
    cells = [list(stops), *([None if x != x else x for x in row]
                            for row in stops.itertuples(index=False, name=None))]
    holdings = [["Asset", "Quantity", "Price"],
                *([n, q, p] for n, q, p in HOLDINGS.itertuples(name=None))]
    cov = [["", *NAMES], *([n, *row] for n, row in zip(NAMES, COV.to_numpy(), strict=True))]
    mu = [["Asset", "Return"], *([n, x] for n, x in MU.items())]
    answer = call("TAKEPROFIT", holdings, mu, cov, 126, cells)
    assert isinstance(answer, Answer)
    for row, sigma, rate in ((1, 0.2, 0.1), (2, 0.3, -0.05)):
        chances = [float(x) for x in answer.block.rows[row][4:]]  # type: ignore[arg-type]
        drift, away = rate / 2, log((4 / 5, 13 / 10)[row - 1])
        ordered = (drift, away) if away < 0 else (away, drift)
        simulated, error = _simulated(*ordered, (rate - sigma**2 / 2) / 2, sigma * sqrt(0.5))
        if away > 0:
            simulated = simulated[::-1]
        np.testing.assert_allclose(chances, simulated, atol=4 * error + 5e-4)
    assert answer.block.rows[3] == ("Cash", 1, None, None, None, None)
    pairs = [["Asset", "Stop"], ["A", 4.0], ["B", 13.0]]
    assert call("TAKEPROFIT", holdings, mu, cov, 126, pairs) == answer


def test_what_is_said_of_odd_targets_and_stops() -> None:
    found = take_profit(LONG, MU, COV, stops=pd.Series({"a": 20.0, "C": 12.0}))
    table = found.value.set_index("Asset")
    assert table.loc["A"].to_list()[-2:] == [0.0, 1.0]
    assert table.loc["B", "Gain"] == pytest.approx(exp(-0.05) - 1)
    assert found.notes == (
        "The expected return is against the position, and the target no gain, of 'B'.",
        "The price has already reached the stop of 'A'.",
        "There is no stop for 'B'.",
    )
    both_below = take_profit(LONG, MU, COV, stops=pd.Series({"B": 9.9})).value.loc[1]
    assert both_below["Chance of target"] == 0  # 9.51, behind the stop
    assert both_below["Chance of stop first"] == pytest.approx(
        touch_probability(10, 9.9, -0.05, 0.3, 252))
    behind = take_profit(LONG, MU, COV, stops=pd.Series({"B": 9.0})).value.loc[1]
    assert behind["Chance of stop first"] == 0
    assert behind["Chance of target"] == pytest.approx(
        touch_probability(10, 10 * exp(-0.05), -0.05, 0.3, 252))
    certain = take_profit(LONG, MU, COV * 0).value
    assert certain["Chance of target"].to_list() == [1, 1, 1]


def test_targets_in_ticks() -> None:
    table = take_profit(LONG, MU, COV, 252, tick=0.05).value
    np.testing.assert_allclose(table["Target"], [22.10, 9.55, 25.50])  # 22.103, 9.512, 25.505
    assert table["Chance of target"][0] == pytest.approx(
        touch_probability(20, 22.10, 0.1, 0.2, 252))


BAD_TARGETS: list[tuple[dict[str, Any], str, str]] = [
    ({"days": -1.0}, "days", "days is -1"),
    ({"stops": pd.Series({"A": -1.0})}, "stops", "the stop of 'A' is -1"),
    ({"stops": pd.Series({"Z": 1.0})}, "stops", "'Z' is not in holdings"),
    ({"mu": MU[:2]}, "cov", "'C' is not in mu"),
    ({"mu": MU[:2], "cov": COV.iloc[:2, :2]}, "holdings", "'C' is not in cov"),
    ({"mu": MU * [1e5, 1, 1]}, "mu", "the expected return of 'A' takes its price to inf"),
    ({"mu": MU * [np.nan, 1, 1]}, "mu", "the number of 'A' is missing"),
    ({"tick": 3.0}, "tick", "no tick of 3 lies between the price of 'B', 10,"),
]


@pytest.mark.parametrize(("changed", "argument", "problem"), BAD_TARGETS)
def test_bad_arguments_of_targets(changed: dict[str, Any], argument: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        take_profit(**{"holdings": LONG, "mu": MU, "cov": COV, **changed})
    assert caught.value.argument == argument
    assert problem in caught.value.problem


# --- trailing stops ------------------------------------------------------------------------------

DATES = pd.date_range("2024-01-01", periods=8)
UP = [10.0, 11, 13, 14, 13, 12.5, 20, 21]


def test_a_trailing_stop_by_hand() -> None:
    """Means of two moves: 1.5, 1.5, 1, 0.75, 4, 4.25; so 11.5, 12.5, 13, 13.25, 16, 16.75. The
    close of 13 on day 5 lies on its stop."""
    found = trailing_stop(pd.DataFrame({"A": UP}, index=DATES), 1, 2)
    assert found.value.loc[0].to_list() == ["A", 21.0, 16.75, DATES[4]]
    assert found.notes == ()
    loose = trailing_stop(pd.DataFrame({"A": UP}), 2, 2).value.loc[0]
    assert loose.to_list() == ["A", 21.0, 12.5, 6]  # 10, 11, 12, 12.5, then 12, 12.5
    looser = trailing_stop(pd.DataFrame({"A": UP}), 3, 2)
    assert looser.value.loc[0].to_list() == ["A", 21.0, 11.75, None]  # then 8, 8.25
    assert looser.notes == ()


def test_dates_and_blanks_of_triggers_in_cells() -> None:
    rows = [["Date", "A", "B"], *(
        [dt.date(2024, 1, i + 1), p, 100.0 + i] for i, p in enumerate(UP))]
    answer = call("TRAILINGSTOP", rows, 1, 2)
    assert isinstance(answer, Answer)
    assert answer.block.rows[1:] == (("A", 21, 16.75, dt.date(2024, 1, 5)), ("B", 107, 106, None))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1, 200), min_size=6, max_size=40), st.floats(0.5, 6), st.integers(1, 5))
def test_trailing_stops_against_a_loop(closes: list[float], k: float, window: int) -> None:
    stop = high = -np.inf
    triggered = None
    for day, close in enumerate(closes):
        high = max(high, close)
        if day < window:
            continue
        moves = [abs(closes[i] - closes[i - 1]) for i in range(day - window + 1, day + 1)]
        mean = sum(moves) / window
        stop = max(stop, high - k * mean)
        if triggered is None and close <= stop + 1e-12 * abs(stop):
            triggered = day + 1
    row = trailing_stop(pd.DataFrame({"A": closes}), k, window).value.loc[0]
    assert row["High"] == high
    assert row["Stop"] == pytest.approx(stop, abs=1e-9)
    assert row["Triggered on"] == triggered


def test_trailing_stops_in_ticks_and_out_of_reach() -> None:
    prices = pd.DataFrame({"A": UP, "B": UP}, index=DATES)
    table = trailing_stop(prices, 3, 2, pd.Series({"B": 0.5, "A": 0.1})).value
    assert table["Stop"].to_list() == [11.8, 12.0]
    far = trailing_stop(prices, 30, 2)
    assert (far.value["Stop"] < 0).all()
    assert far.notes == ("The stop of 'A' is not above 0, and no price reaches it.",)


@pytest.mark.parametrize(
    ("changed", "argument", "problem"),
    [({"k": 0.0}, "k", "k is 0"), ({"window": 0}, "window", "the window is 0"),
     ({"window": 8}, "prices", "it has 8 rows, and a window of 8 moves needs 9"),
     ({"prices": pd.DataFrame({"A": [1.0, -2.0, 3.0]})}, "prices", "the price is -2"),
     ({"prices": pd.DataFrame({"A": [1.0, np.nan, 3.0]})}, "prices", "missing or infinite"),
     ({"tick": pd.Series({"Z": 1.0})}, "tick", "'A' is missing")])
def test_bad_arguments_of_trailing_stops(
    changed: dict[str, Any], argument: str, problem: str
) -> None:
    arguments = {"prices": pd.DataFrame({"A": UP}, index=DATES), "window": 2, **changed}
    with pytest.raises(InputError) as caught:
        trailing_stop(**arguments)
    assert caught.value.argument == argument
    assert problem in caught.value.problem
