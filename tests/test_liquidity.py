"""LIQUIDITY and CASHPLAN by hand, against published figures, the limit measures, a simulation
of selling and a linear program."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.limits.check import check
from portbal.liquidity import cash_plan, liquidity
from portbal_addin.block import Block
from portbal_addin.registry import Problem, find

HOLDINGS = pd.DataFrame(
    {"Quantity": [100.0, 500.0, 50.0, 0.0, 1000.0], "Price": [10.0, 4.0, 20.0, 3.0, 1.0]},
    index=["A", "B", "C", "Gone", "Cash"])
ASSETS = pd.DataFrame(
    {"ADV": [5000.0, 500.0, 10.0], "Cost": [0.0, 0.01, 0.02]}, index=["a", "B", "C"])


def flows(*rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["Date", "Flow"])
    return frame.assign(Date=pd.to_datetime(frame["Date"])).set_axis(range(2, len(rows) + 2))


def plan(*rows, holdings=HOLDINGS, assets=ASSETS, **options) -> list[tuple]:
    table = cash_plan(holdings, assets, flows(*rows), **options).value
    assert list(table.columns) == ["Date", "Flow", "Raised from", "Cash left"]
    return list(table[["Raised from", "Cash left"]].itertuples(index=False, name=None))


# --- LIQUIDITY -----------------------------------------------------------------------------

def test_days_and_tiers_by_hand() -> None:
    found = liquidity(HOLDINGS, ASSETS)
    table = found.value
    assert list(table.columns) == ["Asset", "Value", "Days", "Tier"]
    assert table["Asset"].to_list() == ["A", "B", "C", "Gone", "Cash"]
    assert table["Value"].to_list() == [1000, 2000, 1000, 0, 1000]
    np.testing.assert_allclose(table["Days"], [1, 20, 500, 0, 0])
    assert table["Tier"].to_list() == ["1 day", "20 days", "longer", "1 day", "1 day"]
    assert found.notes == ("It takes 500 days to sell everything.",)


def test_rounding_moves_nothing_into_the_next_tier() -> None:
    holdings = pd.DataFrame({"Quantity": [3.0], "Price": [0.1]}, index=["A"])
    table = liquidity(holdings, pd.DataFrame({"ADV": [0.3]}, index=["A"])).value
    assert table["Days"][0] > 5
    assert table["Tier"][0] == "5 days"


def test_published_days() -> None:
    # GARP, Financial Risk Manager: 5,000 shares, 1,000 traded a day, at most 20%: 25 days
    holdings = pd.DataFrame({"Quantity": [5000.0], "Price": [1.0]}, index=["XYZ"])
    assets = pd.DataFrame({"ADV": [1000.0]}, index=["XYZ"])
    assert liquidity(holdings, assets, 0.2).value["Days"].to_list() == [25]
    # Alpha Theory, 18 May 2009: 25m traded a day, 20%, 5 days: 5% of a fund of 500m
    holdings = pd.DataFrame({"Quantity": [25e6, 475e6], "Price": [1.0, 1.0]}, index=["ABC", "Cash"])
    table = liquidity(holdings, assets.set_axis(["ABC"]) * 25_000, 0.2).value
    assert table.iloc[0].to_list() == ["ABC", 0.05 * 500e6, 5.0, "5 days"]


@pytest.mark.parametrize("seed", range(8))
def test_it_agrees_with_the_limit_measures_and_with_selling_day_by_day(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = ["A", "B", "C", "D", "Cash"]
    quantity = np.append(rng.uniform(10, 200, 4), rng.uniform(-50, 500))
    quantity[3] *= -0.1 if seed % 2 else 1
    price = np.append(rng.uniform(5, 40, 4), 1.0)
    adv = np.append(rng.uniform(20, 3000, 4), np.nan)
    participation = float(rng.uniform(0.05, 0.5))
    holdings = pd.DataFrame({"Quantity": quantity, "Price": price}, index=names)
    assets = pd.DataFrame({"ADV": adv}, index=names)
    value = quantity * price
    net = value.sum()
    table = liquidity(holdings, assets, participation).value
    ladder = liquidity(holdings, assets, participation, "ladder").value
    assert list(ladder.columns) == ["Days", "Share"]
    words = ["days to liquidate", *(f"liquid in {days} days" for days in (1, 5, 20, 60))]
    limits = pd.DataFrame(
        [*((word, np.nan, 1e9) for word in words[:1]), *((w, -1e9, np.nan) for w in words[1:]),
         ("nav", np.nan, net), ("participation", np.nan, participation)],
        columns=["Limit", "Min", "Max"])
    checked = check(pd.Series(value / net, names), limits, assets).set_index("Limit")["Value"]
    for name, days in zip(table["Asset"][:4], table["Days"][:4], strict=True):
        assert checked[f"days to liquidate {name}"] == pytest.approx(days)
    for days, share in zip(ladder["Days"], ladder["Share"], strict=True):
        assert checked[f"liquid in {days} days"] == pytest.approx(share)
    left, cash = value[:4].copy(), value[4]
    for day in range(1, 61):
        step = np.clip(left, 0, participation * adv[:4])
        left, cash = left - step, cash + step.sum()
        if day in (1, 5, 20, 60):
            share = float(ladder.set_index("Days").loc[day, "Share"])
            assert share == pytest.approx((cash + np.minimum(left, 0).sum()) / net)


def test_names_and_order_do_not_matter() -> None:
    table = liquidity(HOLDINGS, ASSETS).value.set_index("Asset")
    turned = liquidity(HOLDINGS[::-1], ASSETS[::-1]).value.set_index("Asset")
    pd.testing.assert_frame_equal(turned.loc[table.index], table)


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"assets": ASSETS.drop(columns="ADV")}, NotAvailable, "assets: assets has no column ADV"),
        ({"assets": ASSETS.drop("B")}, InputError, "'B' is held, and assets has no row for it"),
        ({"assets": ASSETS.assign(ADV=[1.0, np.nan, 1.0])}, InputError, "'B' has no positive ADV"),
        ({"assets": ASSETS.assign(ADV=[1.0, 1.0, 0.0])}, InputError, "'C' has no positive ADV"),
        ({"participation": 0.0}, InputError, "participation: a participation of 0"),
        ({"participation": 20.0}, InputError, "a participation of 20 is not"),
        ({"show": "steps"}, InputError, "no show 'steps'"),
    ],
)
def test_problems(change: dict, kind: type, says: str) -> None:
    with pytest.raises(kind, match=says):
        liquidity(**{"holdings": HOLDINGS, "assets": ASSETS, **change})


# --- CASHPLAN ------------------------------------------------------------------------------

def test_cash_first_then_the_cheapest_then_the_most_liquid() -> None:
    # a day: A 1,000, B 100, C 2; Monday 4 March, Tuesday, the Monday after
    assert plan(("2024-03-04", -400), ("2024-03-05", -900), ("2024-03-06", 50),
                ("2024-03-11", -1144)) == [
        ("Cash", 600), ("Cash 600.00; A 300.00", 0), ("", 50),
        ("Cash 50.00; A 700.00; B 394.00", pytest.approx(0))]
    free = ASSETS.drop(columns="Cost")
    assert plan(("2024-03-04", -1102), assets=free) == [("Cash 1,000.00; A 102.00", 0)]
    dear = ASSETS.assign(Cost=[0.03, 0.01, 0.02])
    assert plan(("2024-03-04", -1102), assets=dear) == [
        ("Cash 1,000.00; B 99.00; C 1.96; A 1.04", 0)]


def test_among_equal_costs_the_most_liquid_goes_first() -> None:
    same = ASSETS.assign(Cost=0.0)
    assert plan(("2024-03-04", -1102), holdings=HOLDINGS[::-1], assets=same) == [
        ("Cash 1,000.00; A 102.00", 0)]


def test_costs_are_told() -> None:
    found = cash_plan(HOLDINGS, ASSETS, flows(("2024-03-04", -2099)))
    assert found.value["Raised from"][0] == "Cash 1,000.00; A 1,000.00; B 99.00"
    assert found.notes == ("Sales are 1,100.00 before and 1,099.00 after their cost.",
                           "Selling begins on 2024-03-04; give start for another day.")


def test_an_overdraft_is_raised_as_well() -> None:
    overdrawn = HOLDINGS.assign(Quantity=[100.0, 500.0, 50.0, 0.0, -200.0])
    assert plan(("2024-03-04", -100), holdings=overdrawn) == [("A 300.00", 0)]


def test_a_short_position_raises_nothing() -> None:
    short = HOLDINGS.assign(Quantity=[-100.0, 500.0, 50.0, 0.0, 1000.0])
    found = cash_plan(short, ASSETS, flows(("2024-03-04", -1050)))
    assert found.value["Raised from"][0] == "Cash 1,000.00; B 50.00"
    assert "Short positions stay as they are." in found.notes


# Only B, 500 traded a day, of which one may be 100; from Friday 1 March 2024.
@pytest.mark.parametrize(
    ("day", "options", "most"),
    [
        ("2024-03-04", {}, 100), ("2024-03-04", {"start": dt.datetime(2024, 3, 1)}, 200),
        ("2024-03-03", {"start": dt.datetime(2024, 3, 1)}, 100), ("2024-03-03", {}, 0),
        ("2024-03-11", {"start": dt.datetime(2024, 3, 1)}, 700),
        ("2024-03-11", {"start": dt.datetime(2024, 3, 1), "settlement": 2}, 500),
        ("2024-03-11", {"start": dt.datetime(2024, 3, 1), "participation": 0.4}, 1400),
        ("2025-03-11", {"start": dt.datetime(2024, 3, 1)}, 2000),
    ],
)
def test_trading_days(day: str, options: dict, most: float) -> None:
    only = {"holdings": HOLDINGS.loc[["B"]], "assets": ASSETS.drop(columns="Cost")}
    if most:
        assert plan((day, -most), **only, **options) == [(f"B {most:,.2f}", pytest.approx(0))]
    with pytest.raises(ConflictError, match=rf"the flow of {day} lacks 10\.00: "):
        plan((day, -most - 10), **only, **options)


def test_a_flow_that_cannot_be_paid_says_when_it_can() -> None:
    only = {"holdings": HOLDINGS.loc[["B", "Cash"]], "assets": ASSETS}
    start = dt.datetime(2024, 3, 1)
    with pytest.raises(ConflictError) as caught:
        plan(("2024-03-01", -1000), ("2024-03-05", -990), start=start, **only)
    assert str(caught.value) == (
        "flows: the flow of 2024-03-05 lacks 693.00: cash and what can be sold by then do not "
        "cover it. Bring in 693.00 by then, pay it on 2024-03-14 or later, or raise participation.")
    assert (caught.value.row, caught.value.column) == (3, "Flow")
    plan(("2024-03-01", -1000), ("2024-03-14", -990), start=start, **only)
    with pytest.raises(ConflictError, match=r"2024-03-13 lacks 99\.00"):
        plan(("2024-03-01", -1000), ("2024-03-13", -990), start=start, **only)
    with pytest.raises(ConflictError, match="pay less: all that can be sold does not suffice"):
        plan(("2024-03-01", -1000), ("2024-03-14", -1990), start=start, **only)


def test_no_plan_costs_less_and_none_pays_more() -> None:
    """Against a linear program over every sale of every asset before every date."""
    paid = refused = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n, m = 4, 3
        names = [f"A{i}" for i in range(n)]
        value = rng.uniform(100, 900, n)
        holdings = pd.DataFrame({"Quantity": np.append(value, 100.0), "Price": 1.0},
                                index=[*names, "Cash"])
        assets = pd.DataFrame({"ADV": rng.uniform(50, 900, n), "Cost": rng.uniform(0, 0.2, n)},
                              index=names)
        start = pd.Timestamp("2024-03-04")
        days = np.sort(rng.integers(0, 12, m))
        wanted = flows(*((start + pd.Timedelta(days=int(d)), float(rng.uniform(-900, 200)))
                         for d in days))
        elapsed = [len(pd.bdate_range(start, day)) for day in wanted["Date"]]
        most = np.minimum(value, 0.2 * np.outer(elapsed, assets["ADV"]))
        so_far = np.kron(np.tril(np.ones((m, m))), np.eye(n))
        net = np.kron(np.tril(np.ones((m, m))), 1 - assets["Cost"].to_numpy())
        answer = linprog(
            np.tile(assets["Cost"], m), A_ub=np.vstack([so_far, -net]),
            b_ub=np.append(most.ravel(), 100 + np.cumsum(wanted["Flow"])))
        if answer.status == 2:
            refused += 1
            with pytest.raises(ConflictError):
                cash_plan(holdings, assets, wanted, start=start.to_pydatetime())
            continue
        paid += 1
        found = cash_plan(holdings, assets, wanted, start=start.to_pydatetime())
        costs = 0.0
        if found.notes:
            before, after = (float(found.notes[0].split()[i].replace(",", "")) for i in (2, 5))
            costs = before - after
        assert costs == pytest.approx(answer.fun, abs=0.011)
        cash = 100.0
        for row in found.value.itertuples(index=False, name=None):
            parts = [x.rpartition(" ") for x in row[2].split("; ") if x and x != "Cash"]
            raised = sum(float(x[2].replace(",", "")) for x in parts if x[0] != "Cash")
            cash += row[1] + raised
            assert row[3] == pytest.approx(cash, abs=0.05)
            assert row[3] >= 0
    assert paid > 15
    assert refused > 10


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start": dt.datetime(2024, 3, 5)}, "start: 2024-03-05 is after the first flow"),
        ({"settlement": -1}, "settlement: a settlement of -1 days"),
        ({"assets": ASSETS.assign(Cost=[0.0, np.nan, 0.0])}, "assets: 'B' has no Cost"),
        ({"assets": ASSETS.assign(Cost=[0.0, 1.5, 0.0])}, "'B' has the Cost 1.5"),
    ],
)
def test_problems_of_a_plan(options: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        plan(("2024-03-04", -1), **options)


def test_the_formula_names_the_cell() -> None:
    holdings = Block.of([["Asset", "Quantity", "Price"], ["A", 10.0, 10.0]])
    assets = Block.of([["Asset", "ADV"], ["A", 100.0]])
    late = Block.of([["Flow", "Date"], [-10.0, dt.date(2024, 3, 4)], [-50.0, dt.date(2024, 3, 5)]])
    problem = find("CASHPLAN").invoke(holdings, assets, late)
    assert isinstance(problem, Problem)
    assert problem.text.startswith(
        "#PORTBAL CASHPLAN: flows row 3, column 1: the flow of 2024-03-05 lacks 20.00: ")
    unsorted = Block.of([["Date", "Flow"], ["2024-03-04", -1.0], ["2024-03-01", -1.0]])
    problem = find("CASHPLAN").invoke(holdings, assets, unsorted)
    assert isinstance(problem, Problem)
    assert (problem.row, problem.column) == (3, 1)
    assert "lies before the date above it" in problem.text
