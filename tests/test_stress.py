"""Shocks, windows of the past, stressed correlations, and years to come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from portbal import correlations, scenarios, simulate, stress
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = ["Oil", "Gas", "Chip", "Soft", "Cash"]
WEIGHTS = pd.Series([0.3, 0.2, 0.25, 0.15, 0.1], NAMES)
ASSETS = pd.DataFrame({
    "Sector": ["Energy", "Energy", "Tech", "Tech", "Cash"],
    "Country": ["US", "UK", "US", "US", ""],
    "Beta": [0.8, 0.9, 1.4, 1.1, 0.0], "Duration": [0.0, 0.0, 1.0, 2.0, 0.0],
}, index=NAMES)


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


def pairs(values: pd.Series) -> list[list[Any]]:
    return [[label, value] for label, value in values.items()]


def square(values: pd.DataFrame) -> list[list[Any]]:
    rows = zip(values.index, values.to_numpy().tolist(), strict=True)
    return [["", *values.columns], *[[label, *row] for label, row in rows]]


def table_of(assets: pd.DataFrame) -> list[list[Any]]:
    return [["Asset", *assets.columns], *[
        [label, *row] for label, row in zip(assets.index, assets.to_numpy().tolist(), strict=True)]]


def shocks(**given: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"Where": [w.replace("_", " ") for w in given], "Shock": list(given.values())},
        index=range(2, 2 + len(given)))


def moves(assets: pd.DataFrame | None = ASSETS, **given: float) -> list[float]:
    return list(stress.losses(WEIGHTS, shocks(**given), assets).value["Shock"])


# --- shocks ------------------------------------------------------------------------------------

def test_the_most_particular_row_decides() -> None:
    assert moves(all=-0.2) == [-0.2, -0.2, -0.2, -0.2, 0]
    assert moves(all=-0.2, Sector_Energy=-0.4) == [-0.4, -0.4, -0.2, -0.2, 0]
    assert moves(all=-0.2, Sector_Energy=-0.4, Gas=0.1) == [-0.4, 0.1, -0.2, -0.2, 0]
    assert moves(Gas=0.1, all=-0.2, asset_Oil=-0.5) == [-0.5, 0.1, -0.2, -0.2, 0]
    assert moves(Cash=-0.01, Sector_Cash=-0.02) == [0, 0, 0, 0, -0.01]


def test_exposures_times_their_shocks_add_up() -> None:
    found = moves(Beta=-0.1, exposure_Duration=-0.02, Soft=-0.5)
    assert found == pytest.approx([-0.08, -0.09, -0.14 - 0.02, -0.5, 0])
    assert moves(Beta=-0.1, Sector_Tech=-0.3) == pytest.approx([-0.08, -0.09, -0.3, -0.3, 0])


def test_losses_are_minus_weight_times_shock_in_the_order_of_weights() -> None:
    found = call("STRESS", [["soft ", 0.5], ["OIL", -0.5]],
                 [["Where", "Shock"], ["Sector Tech", "-30%"], ["oil", -0.1]], table_of(ASSETS))
    assert isinstance(found, Answer)
    assert found.block.rows == (
        ("Asset", "Weight", "Shock", "Loss"), ("soft", 0.5, -0.3, 0.15), ("OIL", -0.5, -0.1, -0.05))
    assert found.notes[0] == "The portfolio loses 0.1."


def test_a_smaller_group_goes_before_one_that_contains_it() -> None:
    nested = ASSETS.assign(Region=["Oil land", "Oil land", "Oil land", "Chip land", ""])
    found = stress.losses(WEIGHTS, shocks(**{"Region_Oil land": -0.1, "Sector_Energy": -0.3}),
                          nested).value
    assert list(found["Shock"]) == [-0.3, -0.3, -0.1, 0, 0]


def test_what_no_row_names_is_told() -> None:
    found = stress.losses(WEIGHTS, shocks(Oil=-0.1), None)
    assert found.notes[1] == "No row moves 'Gas', 'Chip', 'Soft', 'Cash'."
    assert stress.losses(WEIGHTS, shocks(all=-0.1), None).notes[1] == "No row moves 'Cash'."


def test_what_does_not_move_loses_nothing_rather_than_minus_nothing() -> None:
    found = call("STRESS", pairs(WEIGHTS), [["Where", "Shock"], ["all", -0.1]])
    assert isinstance(found, Answer)
    assert str(found.block.rows[-1]) == "('Cash', 0.1, 0.0, 0.0)"


@pytest.mark.parametrize(
    ("rows", "row", "says"),
    [
        ([["Sector Energy", -0.1], ["Country US", -0.2]], 3, "both move 'Oil'"),
        ([["Sector Enrgy", -0.1]], 2, "unknown Sector 'Enrgy'"),
        ([["Olli", -0.1]], 2, "'Olli' names no asset, group or exposure"),
        ([["all", -0.1], ["ALL ", -0.2]], 3, "occurs twice"),
        ([["Oil", -20]], 2, "a fall by more than everything"),
    ],
)
def test_shocks_that_mean_nothing(rows: list[list[Any]], row: int, says: str) -> None:
    found = call("STRESS", pairs(WEIGHTS), [["Where", "Shock"], *rows], table_of(ASSETS))
    assert isinstance(found, Problem)
    assert (found.argument, found.row) == ("shocks", row)
    assert says in found.message


def test_a_missing_exposure_is_a_problem_unless_another_row_decides() -> None:
    holes = [row.copy() for row in table_of(ASSETS)]
    holes[2][3] = None
    found = call("STRESS", pairs(WEIGHTS), [["Where", "Shock"], ["Beta", -0.1]], holes)
    assert isinstance(found, Problem)
    assert (found.argument, found.row, found.column) == ("assets", 3, 4)
    cured = call("STRESS", pairs(WEIGHTS), [["Where", "Shock"], ["Beta", -0.1], ["Gas", 0]], holes)
    assert isinstance(cured, Answer)


# --- limits under shocks -----------------------------------------------------------------------

LIMITS = [["Limit", "Min", "Max"], ["Sector Tech", None, 0.45], ["Chip", None, 0.3],
          ["active Sector Energy", -0.1, 0.1], ["exposure Beta", None, 1.05]]
BENCHED = ASSETS.assign(Benchmark=[0.25, 0.25, 0.25, 0.25, 0.0])
SCENARIOS = [["Scenario", "Where", "Shock"], ["Energy falls", "Sector Energy", -0.5],
             ["All fall", "all", -0.2], [None, "Chip", 0.1]]


def test_limits_are_checked_again_with_the_weights_that_shocks_leave() -> None:
    arguments = [pairs(WEIGHTS), LIMITS, table_of(BENCHED), SCENARIOS]
    found = call("STRESSLIMITS", *arguments, "details")
    assert isinstance(found, Answer)
    assert found.block.rows[0] == (
        "Scenario", "Loss", "Limit", "Before", "After", "Min", "Max", "Headroom", "Status")
    rows = {(row[0], row[2]): row for row in found.block.rows[1:]}
    assert len(rows) == 8
    tech = rows["Energy falls", "Sector Tech"]
    assert tech[1] == pytest.approx(0.25)
    assert tech[3] == pytest.approx(0.4)
    assert tech[4] == pytest.approx(0.4 / 0.75)
    assert tech[8] == "breach"
    active = rows["Energy falls", "active Sector Energy"]
    assert active[4] == pytest.approx(0.25 / 0.75 - 0.25 / 0.75)
    chip = rows["All fall", "Chip"]
    left = 1 - 0.2 * 0.65 + 0.1 * 0.25
    assert chip[4] == pytest.approx(0.25 * 1.1 / left)
    assert chip[8] == "breach"


def test_the_matrix_shows_which_limit_breaks_in_which_scenario() -> None:
    found = call("STRESSLIMITS", pairs(WEIGHTS), LIMITS, table_of(BENCHED), SCENARIOS)
    assert isinstance(found, Answer)
    assert found.block.rows[0] == ("Limit", "Min", "Max", "Now", "Energy falls", "All fall")
    assert found.block.rows[1] == ("Sector Tech", None, 0.45, "ok", "breach", "ok")
    assert [row[4] for row in found.block.rows[1:]] == ["breach", "breach", "ok", "ok"]
    assert found.notes[0] == "Energy falls loses 0.25 and breaks Sector Tech, Chip."


def test_one_row_a_scenario_with_its_loss_and_what_breaks() -> None:
    found = call("STRESSLIMITS", pairs(WEIGHTS), LIMITS, table_of(BENCHED), SCENARIOS, "scenarios")
    assert isinstance(found, Answer)
    assert found.block.rows[:2] == (
        ("Scenario", "Loss", "Breaches", "Limits"), ("Energy falls", 0.25, 2, "Sector Tech, Chip"))
    assert found.block.rows[2][1] == pytest.approx(0.2 * 0.65 - 0.1 * 0.25)
    details = call("STRESSLIMITS", pairs(WEIGHTS), LIMITS, table_of(BENCHED), SCENARIOS, "details")
    assert isinstance(details, Answer)
    for row in found.block.rows[1:]:
        broken = [r[2] for r in details.block.rows if r[0] == row[0] and r[8] == "breach"]
        assert row[2:] == (len(broken), ", ".join(map(str, broken)) or None)


def test_more_scenarios_follow_those_of_shocks() -> None:
    common = [pairs(WEIGHTS), LIMITS, table_of(BENCHED)]
    more = [["Scenario", "Where", "Shock"], ["Tech rises", "Sector Tech", 0.4]]
    both = call("STRESSLIMITS", *common, [*SCENARIOS, *more[1:]])
    apart = call("STRESSLIMITS", *common, SCENARIOS, None, None, None, None, None, more)
    assert isinstance(apart, Answer)
    assert apart == both
    assert apart.block.rows[0][-1] == "Tech rises"


@pytest.mark.parametrize(("row", "message"), [
    (["ALL fall", "Chip", 0.1], "more row 2: 'ALL fall' is a scenario of shocks too"),
    (["Other", "Sector Tehc", 0.1], "more row 2: unknown Sector 'Tehc'"),
])
def test_a_mistake_in_more_scenarios_is_told_there(row: list[Any], message: str) -> None:
    found = call("STRESSLIMITS", pairs(WEIGHTS), LIMITS, table_of(BENCHED), SCENARIOS, None, None,
                 None, None, None, [["Scenario", "Where", "Shock"], row])
    assert isinstance(found, Problem)
    assert message in found.message


def test_a_scenario_that_leaves_nothing() -> None:
    found = call("STRESSLIMITS", [["Oil", 3], ["Chip", -2]], LIMITS[:2], table_of(ASSETS),
                 [["Scenario", "Where", "Shock"], ["End", "Oil", -0.6]])
    assert isinstance(found, Problem)
    assert "nothing is left after 'End'" in found.message


# --- reverse -----------------------------------------------------------------------------------

def cov(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(60, 4)) + rng.normal(size=(60, 1))
    return pd.DataFrame(np.cov(values, rowvar=False) * 0.02, NAMES[:4], NAMES[:4])


def test_the_most_likely_move_is_that_of_an_optimiser() -> None:
    weights, sigma = WEIGHTS[:4], cov()
    found = stress.reverse(weights, sigma, 0.2).value
    inverse = np.linalg.inv(sigma)
    theirs = optimize.minimize(
        lambda x: x @ inverse @ x, np.full(4, -0.2), jac=lambda x: 2 * inverse @ x, method="SLSQP",
        constraints={"type": "eq", "fun": lambda x: weights.to_numpy() @ x + 0.2},
        options={"ftol": 1e-14})
    np.testing.assert_allclose(found["Shock"], theirs.x, rtol=1e-5)
    assert found["Distance"][0] == pytest.approx(np.sqrt(theirs.fun), rel=1e-6)
    assert found["Distance"][0] == pytest.approx(0.2 / np.sqrt(weights @ sigma @ weights))
    assert weights.to_numpy() @ found["Shock"] == pytest.approx(-0.2, abs=1e-15)
    quarter = stress.reverse(weights, sigma, 0.2, 63).value
    assert quarter["Distance"][0] == pytest.approx(2 * found["Distance"][0])
    np.testing.assert_allclose(quarter["Shock"], found["Shock"])


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [([pairs(WEIGHTS[:4]), square(cov()), 0], "loss"),
     ([pairs(WEIGHTS[:4]), square(cov() * 0), 0.1], "weights"),
     ([pairs(WEIGHTS[:4]), square(cov()), 0.1, -1], "days")],
)
def test_nothing_to_reverse(arguments: list[Any], argument: str) -> None:
    found = call("REVERSESTRESS", *arguments)
    assert isinstance(found, Problem)
    assert found.argument == argument


# --- correlations ------------------------------------------------------------------------------

def correlation_of(values: pd.DataFrame) -> np.ndarray:
    deviations = np.sqrt(np.diag(values))
    return values.to_numpy() / np.outer(deviations, deviations)


def is_semidefinite(values: pd.DataFrame) -> bool:
    return bool(np.linalg.eigvalsh(values)[0] >= -1e-12 * np.trace(values))


@settings(max_examples=60)
@given(st.floats(-0.3, 1), st.floats(0, 1), st.integers(0, 10**4))
def test_correlations_move_by_the_strength_and_volatilities_stay(
    value: float, strength: float, seed: int
) -> None:
    before = cov(seed)
    found = correlations.stressed(before, value, strength).value
    expected = correlation_of(before) * (1 - strength) + value * strength
    np.fill_diagonal(expected, 1)
    np.testing.assert_allclose(correlation_of(found), expected, atol=1e-12)
    np.testing.assert_array_equal(np.diag(found), np.diag(before))
    assert is_semidefinite(found)


@settings(max_examples=60)
@given(st.floats(-0.4, 1), st.floats(0, 1), st.integers(0, 10**4))
def test_by_group_only_those_within_move_where_that_can_be(
    value: float, strength: float, seed: int
) -> None:
    before = cov(seed)
    groups = pd.Series(["x", "x", "y", "y"], NAMES[:4])
    found = correlations.stressed(before, value, strength, groups)
    now, then = correlation_of(before), correlation_of(found.value)
    within = np.equal.outer(groups.to_numpy(), groups.to_numpy()) & ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(
        then[within], (1 - strength) * now[within] + strength * value, atol=1e-12)
    assert is_semidefinite(found.value)
    if not found.notes:
        between = np.not_equal.outer(groups.to_numpy(), groups.to_numpy())
        np.testing.assert_allclose(then[between], now[between], atol=1e-15)


def test_between_groups_no_more_moves_than_must() -> None:
    """Two pairs alike within themselves leave one correlation between them."""
    now = np.array([[1, 0.2, 0.6, 0.1], [0.2, 1, 0, 0.1], [0.6, 0, 1, 0.3], [0.1, 0.1, 0.3, 1]])
    before = pd.DataFrame(now, NAMES[:4], NAMES[:4])
    groups = pd.Series(["x", "x", "y", "y"], NAMES[:4])
    found = correlations.stressed(before, 1.0, 1.0, groups)
    np.testing.assert_allclose(found.value.to_numpy()[:2, 2:], 0.2, atol=1e-6)
    assert "moved towards the mean of their pair of groups by 1" in found.notes[0]
    milder = correlations.stressed(before, 0.5, 0.5, groups)
    assert milder.notes == ()


def test_so_many_assets_cannot_all_be_far_apart() -> None:
    found = call("STRESSCORRELATION", square(cov()), -0.5)
    assert isinstance(found, Problem)
    assert found.argument == "correlation"
    assert "Use -0.3333 or more" in found.fix
    for arguments, argument in (([1.5], "correlation"), ([0.5, -0.1], "strength")):
        found = call("STRESSCORRELATION", square(cov()), *arguments)
        assert isinstance(found, Problem)
        assert found.argument == argument


def test_what_does_not_move_has_no_correlation_to_change() -> None:
    still = pd.DataFrame([[0.04, 0, 0], [0, 0, 0], [0, 0, 0.01]], list("ABC"), list("ABC"))
    found = correlations.stressed(still, 0.5).value
    assert found.loc["A", "C"] == pytest.approx(0.5 * 0.2 * 0.1)
    assert (found["B"] == 0).all()


def test_the_shift_is_of_the_worst_tenth_of_periods() -> None:
    rng = np.random.default_rng(2)
    values = pd.DataFrame(rng.normal(size=(205, 3)), columns=list("ABC"))
    values.iloc[:30] += rng.normal(-3, 1, (30, 1))
    found = correlations.shift(values)
    worst = values.mean(axis=1).nsmallest(20).index
    calm, stressed = values.drop(worst).corr(), values.loc[worst].corr()
    assert list(found.value["Pair"]) == ["A / B", "A / C", "B / C"]
    for row, (a, b) in zip(found.value.itertuples(index=False), ["AB", "AC", "BC"], strict=True):
        assert row.Calm == pytest.approx(calm.loc[a, b])
        assert row.Stressed == pytest.approx(stressed.loc[a, b])
        assert row.Shift == pytest.approx(row.Stressed - row.Calm)
    assert "185 calm periods" in found.notes[0]
    assert "20 stressed ones" in found.notes[0]


def test_the_effective_number_of_bets_has_its_ends() -> None:
    assert correlations.bets(np.eye(7)) == pytest.approx(7)
    assert correlations.bets(np.ones((7, 7))) == pytest.approx(1)
    blocks = np.kron(np.eye(3), np.ones((2, 2)))
    assert correlations.bets(blocks) == pytest.approx(3)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ([["A"], *[[0.1]] * 40], "a correlation takes two"),
        ([["A", "B"], *[[0.1 * k, -0.1 * k] for k in range(20)]], "too few"),
        ([["A", "B"], *[[0.1 * k, 0.1] for k in range(40)]], "'B' stands still"),
    ],
)
def test_no_shift_to_tell(table: list[list[Any]], says: str) -> None:
    found = call("CORRELATIONSHIFT", table)
    assert isinstance(found, Problem)
    assert says in found.message


# --- windows of the past -----------------------------------------------------------------------

DAYS = pd.bdate_range("2020-01-02", "2020-06-30")


def history(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.02, (len(DAYS), 1))
    return pd.DataFrame(market * [1.0, 0.5, 1.5] + rng.normal(0, 0.002, (len(DAYS), 3)),
                        index=DAYS, columns=list("ABC"))


THREE = pd.Series([0.5, 0.3, 0.2], list("ABC"))


def dated(frame: pd.DataFrame) -> list[list[Any]]:
    rows = [[day.date(), *[None if np.isnan(x) else float(x) for x in row]] for day, row in zip(
        frame.index, frame.to_numpy(), strict=True)]
    return [["Date", *map(str, frame.columns)], *rows]


def test_a_window_compounds_what_came_after_its_first_close() -> None:
    table = history()
    found = scenarios.replay(THREE, table, "covid 2020")
    inside = table["2020-02-20":"2020-03-23"]  # type: ignore[misc]
    expected = (1 + inside).prod() - 1
    np.testing.assert_allclose(found.value["Return"], expected)
    np.testing.assert_allclose(found.value["Loss"], -THREE * expected)
    assert found.notes[0].startswith(f"The portfolio loses {-(THREE @ expected):.4g}")
    by_date = call("SCENARIO", pairs(THREE), dated(table), "2020-02-19", "2020-03-23")
    assert isinstance(by_date, Answer)
    assert by_date.block.rows[1][2] == pytest.approx(expected["A"])


def test_left_out_the_window_ends_with_the_returns() -> None:
    table = history()
    found = scenarios.replay(THREE, table, pd.Timestamp("2020-06-01")).value
    np.testing.assert_allclose(found["Return"], (1 + table["2020-06-02":]).prod() - 1)  # type: ignore[misc]


def test_a_history_that_does_not_reach_back_is_told() -> None:
    table = history()
    table.loc[:"2020-03-10", "C"] = np.nan  # type: ignore[misc]
    found = call("SCENARIO", pairs(THREE), dated(table), "Covid 2020")
    assert isinstance(found, Problem)
    assert "returns of 'C' run from 2020-03-11 to 2020-06-30" in found.message
    assert "factors" in found.fix
    assert isinstance(call("SCENARIO", [["A", 1]], dated(table), "Covid 2020"), Answer)
    early = call("SCENARIO", pairs(THREE), dated(history()), "GFC 2007-09")
    assert isinstance(early, Problem)
    assert "the window from 2007-10-09 to 2009-03-09" in early.message


def test_a_proxy_by_betas() -> None:
    table = history()
    full = (1 + table["2020-02-20":"2020-03-23"]).prod() - 1  # type: ignore[misc]
    factors = table[["A"]].rename(columns={"A": "Market"})
    short = table.copy()
    short.loc[:"2020-03-31", "C"] = np.nan  # type: ignore[misc]
    found = scenarios.replay(THREE, short, "Covid 2020", None, factors)
    later = table["2020-04-01":]  # type: ignore[misc]
    beta = later["C"].cov(later["A"]) / later["A"].var()
    proxy = (1 + beta * factors["Market"]["2020-02-20":"2020-03-23"]).prod() - 1  # type: ignore[misc]
    assert found.value["Return"][2] == pytest.approx(proxy)
    assert proxy == pytest.approx(full["C"], abs=0.05)
    assert found.value["Return"][0] == pytest.approx(full["A"])
    assert f"'C' is proxied by its betas (Market {beta:.3g})" in found.notes[2]


def test_returns_of_months_that_a_window_of_days_falls_between() -> None:
    months = (1 + history()).resample("ME").prod() - 1
    found = call("SCENARIO", pairs(THREE), dated(months), "2020-03-02", "2020-03-23")
    assert isinstance(found, Problem)
    assert found.argument == "returns"
    assert "none is dated after 2020-03-02 and up to 2020-03-23" in found.message
    assert "daily" in found.fix
    covered = scenarios.replay(THREE, months, "Covid 2020")
    assert list(covered.value["Return"]) == pytest.approx(list(months.loc["2020-02-29"]))
    assert covered.notes[2:] == (
        "The first of them began on 2020-01-31, before the window.",
        "What came after 2020-02-29 is not in them.",
    )


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        (["Covd 2020"], "fromdate", "there is no scenario 'Covd 2020'"),
        (["Covid 2020", "2020-03-01"], "untildate", "has its own last date"),
        (["2020-03-01", "2020-02-01"], "untildate", "2020-02-01 is not after 2020-03-01"),
        (["2020-03-01", "soon"], "untildate", "is no date"),
        (["2021-03-01"], "fromdate", "is not after"),
    ],
)
def test_windows_that_are_none(arguments: list[Any], argument: str, says: str) -> None:
    found = call("SCENARIO", pairs(THREE), dated(history()), *arguments)
    assert isinstance(found, Problem)
    assert found.argument == argument
    assert says in found.message


def test_sixteen_windows_by_their_closing_dates() -> None:
    found = call("SCENARIOS")
    assert isinstance(found, Answer)
    assert found.block.rows[0] == ("Name", "From", "Until", "Index move")
    assert len(found.block.rows) == 17
    for _, first, last, move in found.block.rows[1:]:
        assert first < last  # type: ignore[operator]
        assert -0.6 < move < -0.05  # type: ignore[operator]


def test_windows_as_shocks_lose_what_their_scenarios_lose() -> None:
    table = history().rename(columns={"A": "ALL", "B": "Asset Growth", "C": "Sector Tech"})
    held = pd.Series(THREE.to_numpy(), table.columns)
    found = call("SCENARIOSHOCKS", dated(table))
    assert isinstance(found, Answer)
    assert {row[0] for row in found.block.rows[1:]} == {"Covid 2020"}
    assert found.notes[0].startswith("Left out: Black Monday 1987, 1987 crash peak-trough, ")
    assert "2022 rates (the returns of 'ALL' run from 2020-01-02" in found.notes[0]
    replayed = call("SCENARIO", pairs(held), dated(table), "Covid 2020")
    assert isinstance(replayed, Answer)
    assets = [["Asset", "Sector"], *[[name, "Tech"] for name in table]]
    stressed = call("STRESS", pairs(held), [row[1:] for row in found.block.rows], assets)
    assert isinstance(stressed, Answer)
    assert [row[2:] for row in stressed.block.rows[1:]] == [
        row[2:] for row in replayed.block.rows[1:]]
    limits = [["Limit", "Min", "Max"], ["ALL", 0, 0.5]]
    rechecked = call("STRESSLIMITS", pairs(held), limits, assets,
                     [list(row) for row in found.block.rows], "scenarios")
    assert isinstance(rechecked, Answer)
    assert rechecked.block.rows[1][1] == pytest.approx(
        sum(float(str(row[3])) for row in replayed.block.rows[1:]))


def test_windows_as_shocks_take_proxies_or_need_a_history() -> None:
    short = history()
    short.loc[:"2020-03-31", "C"] = np.nan  # type: ignore[misc]
    none = call("SCENARIOSHOCKS", dated(short))
    assert isinstance(none, Problem)
    assert none.argument == "returns"
    assert "run from 2020-01-02 to 2020-06-30 and cover no window" in none.message
    factors = dated(history()[["A"]].rename(columns={"A": "Market"}))
    found = call("SCENARIOSHOCKS", dated(short), factors)
    one = call("SCENARIO", pairs(THREE), dated(short), "Covid 2020", "", factors)
    assert isinstance(found, Answer)
    assert isinstance(one, Answer)
    assert [row[2] for row in found.block.rows[1:]] == [row[2] for row in one.block.rows[1:]]
    assert found.notes[-1].startswith("Covid 2020: 'C' is proxied by its betas (Market ")


def test_an_asset_whose_name_begins_as_a_word_does() -> None:
    held = pd.Series([0.5, 0.5], ["Asset Growth", "Growth"])
    found = stress.losses(held, shocks(Asset_Growth=-0.1), None).value
    assert list(found["Shock"]) == [0, -0.1]
    alone = stress.losses(held[:1], shocks(Asset_Growth=-0.1), None).value
    assert list(alone["Shock"]) == [-0.1]


def test_the_federal_reserves_path_in_fractions() -> None:
    found = scenarios.severely_adverse().set_index("Quarter")
    assert len(found) == 13
    assert found["Unemployment rate"].max() == 0.1
    assert found["10-year Treasury yield"].min() == 0.01
    assert found["3-month Treasury rate"].min() == 0.001
    assert found["Market Volatility Index (Level)"].max() == 65
    equity = found["Dow Jones Total Stock Market Index (Level)"]
    assert equity.min() / equity["2028 Q1"] == pytest.approx(0.5, abs=1e-5)
    spread = found["BBB corporate yield"] - found["10-year Treasury yield"]
    assert spread.max() == pytest.approx(0.05)


# --- years to come -----------------------------------------------------------------------------

MU = pd.Series([0.08, 0.04], ["A", "B"])
SIGMA = pd.DataFrame([[0.04, 0.003], [0.003, 0.01]], ["A", "B"], ["A", "B"])
HALF = pd.Series([0.6, 0.4], ["A", "B"])


def test_normal_months_compound_to_a_lognormal() -> None:
    found = simulate.wealth(MU, SIGMA, HALF, 10, 40_000).value.set_index("Year")
    mean, variance = 0.064, float(HALF @ SIGMA @ HALF)
    law = stats.norm(mean - variance / 2, np.sqrt(variance))
    for year in (1, 10):
        exact = stats.norm(law.mean() * year, law.std() * np.sqrt(year))
        for percent in (5, 25, 50, 75, 95):
            assert found.loc[year, f"P{percent}"] == pytest.approx(
                np.exp(exact.ppf(percent / 100)), rel=0.015)
        assert found.loc[year, "Chance of loss"] == pytest.approx(exact.cdf(0), abs=0.01)


@pytest.mark.parametrize("distribution", ["normal", "student", "bootstrap"])
def test_seeds_percentiles_and_mean(distribution: str) -> None:
    past = pd.DataFrame(np.random.default_rng(1).normal(0, 0.03, (150, 2)), columns=["A", "B"])

    def run(seed: int) -> pd.DataFrame:
        return simulate.wealth(MU, SIGMA, HALF, 3, 20_000, distribution, seed, returns=past,
                               periods_a_year=12).value

    first = run(4)
    pd.testing.assert_frame_equal(first, run(4))
    assert not first.equals(run(5))
    if distribution == "bootstrap":
        distribution = "Block bootstrap"
        pd.testing.assert_frame_equal(first, run(4))
    percentiles = first[["P5", "P25", "P50", "P75", "P95"]].to_numpy()
    assert (np.diff(percentiles, axis=1) > 0).all()
    assert list(first["Year"]) == [1, 2, 3]
    variance = float(HALF @ SIGMA @ HALF)
    assert first["P50"][0] == pytest.approx(np.exp(0.064 - variance / 2), rel=0.015)


def test_students_tails_are_fatter() -> None:
    normal, student = (
        simulate.wealth(MU, SIGMA, HALF, 1, 50_000, name, options=options).value
        for name, options in (("normal", None), ("student", {"freedom": 2.5}))
    )
    assert student["P95"][0] - student["P5"][0] < normal["P95"][0] - normal["P5"][0]
    assert student["P75"][0] - student["P25"][0] < normal["P75"][0] - normal["P25"][0]


def test_the_bootstrap_keeps_what_one_period_tells_of_the_next() -> None:
    """Returns that go on as they were widen the years; drawn one by one they do not."""
    steps = np.random.default_rng(3).normal(size=600)
    momentum = pd.DataFrame({"A": np.convolve(steps, np.ones(12), "valid")})
    one = pd.Series({"A": 1.0})
    spread = {}
    for block in (1, 36):
        found = simulate.wealth(
            pd.Series({"A": 0.05}), pd.DataFrame([[0.02]], ["A"], ["A"]), one, 3, 5000,
            "bootstrap", 1, returns=momentum, periods_a_year=12, options={"block": block}).value
        spread[block] = found["P95"][2] - found["P5"][2]
    assert spread[36] > 2 * spread[1]


def test_a_path_that_loses_everything_stays_at_nothing() -> None:
    wild = pd.DataFrame([[16.0]], ["A"], ["A"])
    found = simulate.wealth(pd.Series({"A": 0.0}), wild, pd.Series({"A": 1.0}), 5, 2000)
    assert found.value["P5"].iloc[-1] == 0
    assert "paths lost everything" in found.notes[1]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ([0], "years"), ([3, 50], "paths"), ([3, 1000, "lognormal"], "distribution"),
        ([3, 1000, "", -1], "seed"), ([3, 1000, "bootstrap"], "returns"),
        ([100, 1_000_000], "paths"),
        ([3, 1000, "normal", 1, None, None, [["freedom", 5]]], "options"),
        ([3, 1000, "student", 1, None, None, [["freedom", 2]]], "options"),
    ],
)
def test_what_cannot_be_simulated(arguments: list[Any], argument: str) -> None:
    found = call("SIMULATE", pairs(MU), square(SIGMA), pairs(HALF), *arguments)
    assert isinstance(found, Problem)
    assert found.argument == argument
