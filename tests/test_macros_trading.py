"""Ribbon commands that protect, fund and record: stops, liquidity, cash, lots, hedge, journal, and
what the preview of a rebalance says that cannot be done."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from portbal import journal as chain
from portbal.errors import InputError
from portbal_addin.block import Block
from portbal_addin.book import Area, Kept, MemoryBook, PutCells, PutFormula, needed
from portbal_addin.macros import commands, orders
from portbal_addin.registry import Answer, functions
from workbooks import NAMES, ORDERS, rows_of, run, tables, with_orders, workbook

COV = [["", *NAMES], ["Alfa", 0.04, 0.012, 0.006], ["Bravo", 0.012, 0.09, 0.01],
       ["Carlo", 0.006, 0.01, 0.0225]]
SIGMA = {"Alfa": 0.2, "Bravo": 0.3, "Carlo": 0.15}
MU = [["Asset", "Return"], ["Alfa", 0.06], ["Bravo", 0.09], ["Carlo", 0.04]]
PRICES = {"Alfa": 110.0, "Bravo": 55.0, "Carlo": 83.0}  # the last row of Prices
WORTH = {"Alfa": 4400.0, "Bravo": 4400.0, "Carlo": 2490.0}
NET = 12290.0  # with the 1,000 of the cell Cash
FUTURES = [["Contract", "Asset or group", "Multiplier", "Price", "Margin", "Cost", "Beta"],
           ["Index", "all", 1.0, 100.0, 10.0, 0.1, 1.0]]
LOTS = [["Lot", "Asset", "Date", "Quantity", "Cost"],
        ["L1", "Bravo", dt.date(2020, 1, 6), 50.0, 40.0],
        ["L2", "Bravo", dt.date(2023, 12, 4), 30.0, 60.0]]


def book(**changed: Any) -> MemoryBook:
    return workbook(**{"Covariance": COV, "ExpectedReturns": MU, "Views": None, **changed})


def assets(**columns: list[Any]) -> list[list[Any]]:
    """The assets of the small workbook with more columns."""
    rows = [list(row) for row in tables()["Assets"]]
    for title, values in columns.items():
        for row, value in zip(rows, [title, *values], strict=True):
            row.append(value)
    return rows


def chosen(given: MemoryBook) -> MemoryBook:
    """Orders that are no formula: ORDERS is asked."""
    return with_orders(given).after([PutCells(Area("Orders", 1, 1), (("Asset",),))])


def written(name: str, given: MemoryBook) -> MemoryBook:
    changes = run(name, given)
    return given.after((*changes.preview, *changes.writes))


def column(given: MemoryBook, table: str, title: str) -> dict[Any, Any]:
    header, *rows = rows_of(given, table)
    return {row[0]: row[header.index(title)] for row in rows}


# --- stops and targets -------------------------------------------------------------------------

def test_stops_are_deviations_below_the_newest_price() -> None:
    """Holdings tells older prices; two deviations of 21 days where StopOptions says nothing."""
    old = [["Asset", "Quantity", "Price"], *([n, 40.0, 1.0] for n in NAMES)]
    after = written("stops and targets", book(Holdings=old))
    stops = column(after, "Stops", "Stop")
    for name in NAMES:
        distance = 2 * SIGMA[name] * np.sqrt(21 / 252)
        assert stops[name] == pytest.approx(PRICES[name] * (1 - distance))
    assert list(column(after, "Targets", "Target")) == [*NAMES, "Cash"]
    assert stops["Cash"] is None


def test_all_stops_lose_the_budget_shared_by_groups_in_ticks() -> None:
    options = [["option", "value"], ["method", "cvar"], ["days", 10.0], ["budget", 0.05],
               ["groups", "Sector"], ["gap", 0.01]]
    changes = run("stops and targets", book(StopOptions=options))
    loss = {row[0]: row[4] for row in changes.tables[0][1].rows[1:]}
    assert loss["Alfa"] + loss["Bravo"] == pytest.approx(0.025)
    assert loss["Carlo"] == pytest.approx(0.025)
    assert "; all stops together lose 5.00% of net assets." in changes.status
    after = written("stops and targets", book(
        StopOptions=options, Assets=assets(Tick=[0.05, 0.5, 0.01])))
    stops = column(after, "Stops", "Stop")
    assert stops["Alfa"] / 0.05 == pytest.approx(round(stops["Alfa"] / 0.05))
    assert stops["Bravo"] / 0.5 == pytest.approx(round(stops["Bravo"] / 0.5))


def test_the_chances_of_targets_are_those_before_the_stops_written_beside_them() -> None:
    after = written("stops and targets", book())
    blocks = [after.block(after.find(n)) for n in ("Stops", "Covariance", "ExpectedReturns")]  # type: ignore[arg-type]
    stops = Block.of([(row[0], row[2]) for row in blocks[0].rows if row[2] is not None])
    held = Block.of([["Asset", "Quantity", "Price"], *([n, 1.0, PRICES[n]] for n in NAMES)])
    answer = functions()["TAKEPROFIT"].invoke(held, blocks[2], blocks[1], None, stops)
    assert isinstance(answer, Answer)
    assert rows_of(after, "Targets")[1:4] == list(answer.block.rows[1:])


def test_monitor_watches_what_stops_and_targets_wrote() -> None:
    after = written("stops and targets", with_orders(book(Band=9.0, TrackingBand=9.0, Limits=None)))
    assert run("monitor", after).status.startswith("Nothing to act on")
    stop = column(after, "Stops", "Stop")["Bravo"]
    area = after.find("Prices")
    assert area is not None
    fallen = after.after([PutCells(area.cell(area.height - 1, 2), ((stop - 0.01,),))])
    [row] = run("monitor", fallen).tables[0][1].rows[1:]
    assert (row[0], row[1], row[6]) == ("Stop", "Bravo", stop)


def test_a_stop_that_moves_away_is_told_and_a_closer_one_is_not() -> None:
    after = written("stops and targets", book())
    assert not any("moved away" in note for note in run("stops and targets", after).notes)
    area = after.find("Prices")
    assert area is not None
    moved = after.after([PutCells(area.cell(area.height - 1, 1), ((100.0,),)),
                         PutCells(area.cell(area.height - 1, 2), ((60.0,),))])
    [note] = [n for n in run("stops and targets", moved).notes if "moved away" in n]
    assert note.startswith("Stops that moved away from the price: Alfa 97.29")
    assert "Bravo" not in note


def test_stops_that_are_a_formula_are_left_to_it_and_count_for_the_targets() -> None:
    stops = [["Asset", "High", "Stop", "Triggered on"], ["Alfa", 120.0, 105.0, None],
             ["Bravo", 60.0, 50.0, None], ["Carlo", 90.0, 80.0, None], ["Delta", 9.0, 8.0, None]]
    given = book(Stops=stops).after([PutFormula(Area("Stops", 1, 1), "=PORTBAL_TRAILINGSTOP(x)")])
    changes = run("stops and targets", given)
    assert changes.notes[-1] == "Stops is a formula and calculates itself."
    assert "lose" not in changes.status
    after = given.after(changes.writes)
    without = column(written("stops and targets", book()), "Targets", "Chance of stop first")
    assert column(after, "Targets", "Chance of stop first")["Alfa"] > without["Alfa"]


@pytest.mark.parametrize(("name", "options", "message", "fix"), [
    ("StopOptions", [["budgte", 0.05]], "StopOptions has the option 'budgte'", "'budget'"),
    ("StopOptions", [["groups", "Sektor"]], "Assets has no column 'Sektor'", "such as Sector"),
    ("StopOptions", [["days", 1.0], ["days", 2.0]], r"StopOptions \(StopOptions!A2\)", "Keep one"),
    ("StopOptions", [["method", "vra"]], "STOPLOSS: method", "'var'"),
])
def test_options_are_told_by_name(name: str, options: Any, message: str, fix: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        run("stops and targets", book(**{name: options}))
    assert fix in caught.value.fix


# --- prices in other currencies ----------------------------------------------------------------

FOREIGN = [["Asset", "Quantity", "Price", "Rate"], ["Alfa", 40.0, 110.0, 0.5],
           ["Bravo", 80.0, 55.0, None], ["Carlo", 30.0, 83.0, 2.0], [None, None, None, None]]


def test_a_rate_counts_in_values_limits_and_cash() -> None:
    """2,200 + 4,400 + 4,980 + 1,000 of cash."""
    limits = [["Limit", "Min", "Max"], ["Carlo", None, 0.5]]
    given = chosen(book(Holdings=FOREIGN, Limits=limits))
    after = written("rebalance", given)
    assert column(after, "RebalancePreview", "Before")["Net assets"] == pytest.approx(12580.0)
    assert rows_of(after, "RebalanceLimits")[1][1] == pytest.approx(4980 / 12580)
    worth = {"Alfa": 55.0, "Bravo": 55.0, "Carlo": 166.0}
    held = sum(row[1] * worth[row[0]] for row in rows_of(after, "Holdings")[1:4])
    costs = column(after, "RebalancePreview", "After")["Costs"]
    assert held + rows_of(after, "Cash")[0][0] == pytest.approx(12580 - costs)
    rows = run("monitor", with_orders(book(Holdings=FOREIGN, Band=0.001, TrackingBand=9.0,
                                           Limits=None))).tables[0][1].rows[1:]
    assert [row[2] for row in rows] == pytest.approx(
        [x / 11580 for x in (2200.0, 4400.0, 4980.0)])


def test_stops_are_in_the_currency_of_prices() -> None:
    """The same levels, and losses of another weight."""
    plain, foreign = (written("stops and targets", book(**given))
                      for given in ({}, {"Holdings": FOREIGN}))
    for table, title in (("Stops", "Stop"), ("Targets", "Target")):
        assert column(foreign, table, title) == column(plain, table, title)
    distance = 2 * SIGMA["Carlo"] * np.sqrt(21 / 252)
    assert column(foreign, "Stops", "Loss if hit")["Carlo"] == pytest.approx(
        distance * 4980 / 12580)


# --- liquidity and cash ------------------------------------------------------------------------

def test_liquidity_by_asset_and_as_a_ladder() -> None:
    """At 10% of ADV: Alfa 4,400 in 4.4 days, Bravo in 22, Carlo in half a day; 1,000 is cash."""
    given = book(Assets=assets(ADV=[10000.0, 2000.0, 49800.0]), Participation=0.1)
    changes = run("liquidity", given)
    after = given.after(changes.writes)
    assert column(after, "Liquidity", "Days") == pytest.approx(
        {"Alfa": 4.4, "Bravo": 22.0, "Carlo": 0.5, "Cash": 0.0})
    ladder = column(after, "LiquidityLadder", "Share")
    assert ladder[1.0] == pytest.approx((1000 + 1000 + 200 + 2490) / NET)
    assert ladder[5.0] == pytest.approx((1000 + 4400 + 1000 + 2490) / NET)
    assert changes.status.startswith(f"{8890 / NET:.2%} of net assets are cash within 5 days at ")


def test_flows_are_paid_from_the_day_of_the_newest_prices() -> None:
    """Prices end on a Friday; until the Monday after one sells on two days, 20% of ADV each, of
    Alfa and Carlo for nothing before Bravo; what settles a day later is of Friday alone."""
    last = tables()["Prices"][-1][0]
    assert last.weekday() == 4
    flows = [["Date", "Flow"], [last + dt.timedelta(days=3), -3500.0]]
    given = book(Assets=assets(ADV=[9000.0, 9000.0, 5000.0], Cost=[0.0, 0.01, 0.0]), Flows=flows)
    changes = run("cash plan", given)
    after = given.after(changes.writes)
    assert rows_of(after, "CashPlan")[1][1:] == (
        -3500.0, 0.0, "Cash 1,000.00; Alfa 2,500.00")
    late = run("cash plan", book(Assets=assets(ADV=[5000.0, 9000.0, 5000.0],
                                               Cost=[0.0, 0.01, 0.0]), Flows=flows, Settlement=1.0))
    assert late.tables[0][1].rows[1][3] == (
        "Cash 1,000.00; Carlo 1,000.00; Alfa 1,000.00; Bravo 500.00")


def test_flows_before_the_newest_prices_are_done_already() -> None:
    flows = [["Date", "Flow"], [dt.date(2024, 1, 2), -100.0]]
    with pytest.raises(InputError, match="Flows begin before the newest prices, which are of 2024"):
        run("cash plan", book(Assets=assets(ADV=[1e6] * 3), Flows=flows))


# --- tax lots, hedge ---------------------------------------------------------------------------

def test_the_sales_of_orders_take_lots_at_the_newest_price() -> None:
    """Orders sells 4 Bravo, at 55; of the two lots the one that cost 60 goes first, short term."""
    given = with_orders(book(TaxLots=LOTS))
    changes = run("tax lots", given)
    after = given.after(changes.writes)
    assert rows_of(after, "LotSales")[1:] == [("L2", "Bravo", 4.0, pytest.approx(-20.0), "short")]
    assert changes.status == "The sales of Orders take 1 lots, with a gain of -20.00."
    fifo = run("tax lots", with_orders(book(TaxLots=LOTS, TaxOptions=[["method", "fifo"]])))
    assert fifo.tables[0][1].rows[1:] == (("L1", "Bravo", 4.0, pytest.approx(60.0), "long"),)


def test_sells_go_before_orders_and_rates_are_those_given() -> None:
    """60 at 45: the dearer 30 lose 450, 30 of the others earn 150; 20% of 150 and 30% of -450."""
    sells = [["Asset", "Date", "Quantity", "Price"], ["Bravo", dt.date(2024, 6, 3), 60.0, 45.0]]
    options = [["method", "lifo"], ["short rate", 0.3], ["long rate", 0.2]]
    changes = run("tax lots", with_orders(book(TaxLots=LOTS, Sells=sells, TaxOptions=options)))
    assert [row[2:4] for row in changes.tables[0][1].rows[1:]] == [
        (30.0, pytest.approx(-450.0)), (30.0, pytest.approx(150.0))]
    assert changes.status.startswith("The sales of Sells take 2 lots")


def test_nothing_sold_is_no_problem() -> None:
    given = with_orders(book(TaxLots=LOTS), ORDERS[:2])
    assert run("tax lots", given).status == "Orders sells nothing."
    assert run("tax lots", with_orders(book(TaxLots=LOTS), ORDERS[:1])).writes == ()


def test_a_hedge_counts_the_cell_cash() -> None:
    """The example of HEDGE, whose money stands in the cell Cash: 1.49 x 5,000,000 / 250,000."""
    holdings = [["Asset", "Quantity", "Price"], ["A", 100.0, 50000.0]]
    futures = [FUTURES[0], ["Index", "all", 250.0, 1000.0, 12000.0, 2.5, 1.49]]
    given = book(Holdings=holdings, Cash=50000.0, Futures=futures, Assets=None,
                 Weights=[["Asset", "Weight"], ["Cash", 1.0]])
    changes = run("hedge", given)
    assert rows_of(given.after(changes.writes), "Hedge")[1][:3] == ("Index", -30.0, -7500000.0)
    assert changes.status == "1 of 1 futures are traded."


# --- what is missing ---------------------------------------------------------------------------

FULL = {"Assets": assets(ADV=[1e6] * 3), "Futures": FUTURES, "TaxLots": LOTS,
        "Flows": [["Date", "Flow"], [dt.date(2025, 1, 6), -100.0]]}
NEW = ["stops and targets", "liquidity", "cash plan", "tax lots", "hedge", "journal"]


@pytest.mark.parametrize("name", NEW)
def test_a_command_twice_changes_nothing_more(name: str) -> None:
    after = written(name, with_orders(book(**FULL)))
    changes = run(name, after)
    assert needed(after, (*changes.preview, *changes.writes)) == ()
    assert changes.status.endswith(".")


@pytest.mark.parametrize(("name", "gone", "header"), [
    ("stops and targets", "Holdings", "Asset, Quantity, Price"),
    ("liquidity", "Assets", "Asset, then groupings"),
    ("cash plan", "Flows", "Date, Flow"),
    ("tax lots", "TaxLots", "Lot, Asset, Date, Quantity, Cost"),
    ("hedge", "Futures", "Contract, Asset or group, Multiplier, Price, Margin, Cost, Beta"),
])
def test_the_missing_range_is_named_with_its_header(name: str, gone: str, header: str) -> None:
    with pytest.raises(InputError, match=f"^{gone} is not a name in this workbook$|{gone}") as told:
        run(name, with_orders(book(**{**FULL, gone: None})))
    assert told.value.fix.startswith(f"Give that name to a range; it holds {header}")


@pytest.mark.parametrize("name", ["liquidity", "cash plan"])
def test_assets_without_adv_are_told_so(name: str) -> None:
    with pytest.raises(InputError, match=r"Assets \(Assets!A1\) has no column ADV") as told:
        run(name, book(**{**FULL, "Assets": assets()}))
    assert "ADV: what is traded of each asset a day" in told.value.fix


def test_sells_are_asked_for_where_there_are_no_orders() -> None:
    with pytest.raises(InputError, match="no table Sells, and no Orders") as told:
        run("tax lots", book(TaxLots=LOTS))
    assert "Asset, Date, Quantity, Price" in told.value.fix


# --- the journal -------------------------------------------------------------------------------

def records(count: int) -> tuple[chain.Record, ...]:
    found: list[chain.Record] = []
    for number in range(count):
        content = {"kind": "undo"} if number == 1 else {
            "kind": "apply", "orders": [["Asset"], ["A"], ["B"]], "cash": [100.0, 7.5 + number]}
        found.append(chain.seal(
            {**content, "who": "ann", "workbook": "mine.xlsx",
             "when": f"2024-05-06T07:08:{number:02}+02:00"}, found[-1] if found else None))
    return tuple(found)


def test_the_last_records_of_the_journal_the_newest_first() -> None:
    given = replace(book(), name="mine.xlsx",
                    sealed=Kept("/home/ann/journal", chain.Journal(records(25))))
    changes = run("journal", given)
    rows = rows_of(given.after(changes.writes), "JournalList")
    assert changes.status == "The journal is sound: 25 records."
    assert changes.notes == ("The journal is /home/ann/journal.",)
    assert [row[0] for row in rows[1:]] == [float(n) for n in range(25, 5, -1)]
    assert rows[1] == (25.0, "2024-05-06 05:08:24 UTC", "ann", "apply", "mine.xlsx", 2.0, 31.5)
    two = run("journal", replace(given, sealed=Kept("x", chain.Journal(records(2)))))
    assert two.tables[0][1].rows[1] == (
        2.0, "2024-05-06 05:08:01 UTC", "ann", "undo", "mine.xlsx", None, None)


def test_the_journal_lists_no_other_workbook() -> None:
    given = replace(book(), name="other.xlsx", sealed=Kept("x", chain.Journal(records(3))))
    changes = run("journal", given)
    assert changes.status == "The journal is sound: 3 records."
    assert [row[0] for row in rows_of(given.after(changes.writes), "JournalList")[1:]] == ["none"]


def test_the_journal_says_whether_it_is_sound() -> None:
    data = b"".join(record.line for record in records(3))

    def status(content: bytes) -> str:
        return run("journal", replace(book(), sealed=Kept("x", chain.read(content)))).status

    assert status(b"") == "The journal is empty."
    assert status(data) == "The journal is sound: 3 records."
    assert status(data + b'{"number":4').startswith(
        "The journal is sound: 3 records, and one at its end that was never completed.")
    first = data.index(b"\n") + 1
    assert status(data[first:]).startswith("The journal has been changed: record 1 is missing")
    assert status(data.replace(b"ann", b"bob", 1)) == (
        "The journal has been changed: record 1 is not as it was sealed.")


# --- the preview -------------------------------------------------------------------------------

def test_limits_on_risk_are_kept_while_choosing_whole_lots() -> None:
    """The target breaks each of them; what the workbook knows of risk and return is used."""
    limits = [["Limit", "Min", "Max"], ["volatility", None, 0.135], ["return", 0.05, None],
              ["each asset", 0.0, 1.0]]
    given = chosen(book(Limits=limits))
    changes = run("rebalance", given)
    assert not [note for note in changes.notes if "Not kept" in note]
    after = given.after((*changes.preview, *changes.writes))
    worth = np.array([row[1] * PRICES[row[0]] for row in rows_of(after, "Holdings")[1:4]])
    cov = np.array([row[1:] for row in COV[1:]], dtype=float)
    weights = worth / NET
    assert np.sqrt(weights @ cov @ weights) <= 0.135 + 1e-9
    assert weights @ [0.06, 0.09, 0.04] >= 0.05 - 1e-9
    target = np.array([0.4, 0.35, 0.25])
    assert np.sqrt(target @ cov @ target) > 0.135
    assert column(after, "RebalanceLimits", "Status after")["volatility"] != "breach"


def test_what_orders_was_given_gives_the_same_orders_again() -> None:
    limits = [["Limit", "Min", "Max"], ["volatility", None, 0.135], ["Alfa", None, 0.4]]
    plan = orders.plan(chosen(book(Limits=limits)))
    assert list(plan.given) == [a.name for a in functions()["ORDERS"].arguments]
    again = functions()["ORDERS"].invoke(*plan.given.values())
    assert isinstance(again, Answer)
    assert again.block.rows == plan.shown.rows
    assert orders.plan(with_orders(book())).given == {}


def test_the_target_before_tells_a_view_from_drift() -> None:
    last = [["Asset", "Weight"], ["Alfa", 0.36], ["Bravo", 0.39], ["Carlo", 0.25]]
    reasons = {row[0]: row[-1] for row in orders.plan(
        chosen(book(Limits=None, LastTarget=last))).shown.rows[1:]}
    assert reasons["Alfa"] == "view"
    assert "view" not in {row[-1] for row in orders.plan(chosen(book(Limits=None))).shown.rows[1:]}


def test_costs_by_kind() -> None:
    """Two orders, 550 and 220: 0.2% and 0.1% of spread; 1% and 2% times the root of value over
    volume; commission from OrderOptions, else what Orders says."""
    given = {"Assets": assets(Cost=[0.002, 0.001, 0.0], ADV=[55000.0, 22000.0, 1.0],
                              Volatility=[0.01 * 252**0.5, 0.02 * 252**0.5, 0.1])}
    rows = column(written("rebalance", with_orders(book(**given))), "RebalancePreview", "After")
    assert rows["Commission and tax, expected"] == pytest.approx(2.75)
    assert rows["Spread, expected"] == pytest.approx(1.1 + 0.22)
    assert rows["Impact, expected"] == pytest.approx((5.5 + 4.4) * 0.1)
    options = [["fee", 1.0], ["commission", 0.01], ["spread", "Cost"]]
    rows = column(written("rebalance", with_orders(book(**given, OrderOptions=options))),
                  "RebalancePreview", "After")
    assert rows["Commission and tax, expected"] == pytest.approx(2 + 7.7)
    assert rows["Spread, expected"] == pytest.approx(1.32)


def test_costs_that_cannot_be_told_do_not_stop_a_preview() -> None:
    given = with_orders(book(Assets=assets(ADV=[55000.0, None, 1.0])))
    changes = run("rebalance", given)
    [note] = [note for note in changes.notes if note.startswith("Costs are not told by kind")]
    assert "'Bravo' has no ADV" in note
    assert "Spread, expected" not in column(given.after(changes.preview), "RebalancePreview",
                                            "After")


def open_rows(given: MemoryBook) -> list[tuple[Any, ...]]:
    return rows_of(given.after(run("rebalance", given).preview), "RebalanceOpen")[1:]


def test_nothing_stays_open_at_a_target_that_whole_lots_reach() -> None:
    holdings = [["Asset", "Quantity", "Price"], ["Alfa", 50.0, 100.0], ["Bravo", 30.0, 100.0],
                ["Carlo", 20.0, 100.0]]
    given = chosen(book(Holdings=holdings, Cash=None, Limits=None))
    assert open_rows(given) == [("All", "none", None, None, None)]
    assert "not done" not in run("rebalance", given).status


def test_a_limit_that_is_not_kept_is_told_with_the_reason() -> None:
    limits = [["Limit", "Min", "Max", "Penalty"], ["Bravo", None, 0.3, 2.0],
              ["Alfa", None, 0.5, None]]
    [row] = [row for row in open_rows(chosen(book(Limits=limits))) if row[0] == "Limit"]
    assert row[1:3] == ("Bravo", 0.3)
    assert row[3] > 0.3
    assert "has a Penalty, and orders keep firm limits" in row[4]
    live = with_orders(book(Limits=[["Limit", "Min", "Max"], ["Bravo", None, 0.3]]))
    [row] = [row for row in open_rows(live) if row[0] == "Limit"]
    assert row == ("Limit", "Bravo", 0.3, pytest.approx(4180 / NET),
                   "the formula in Orders does not keep it")


def test_targets_that_are_not_reached_are_told_with_the_reason() -> None:
    """Alfa wants 516 more: the least order of whole lots from 600 on is 6 x 110. With a limit in
    place of the ticket it stops at 36%."""
    ticket = open_rows(chosen(book(Limits=None, OrderOptions=[["ticket", 600.0]])))
    assert ("Target", "Alfa", 0.4, pytest.approx((4400 + 660) / NET),
            "its order would be 516.00, and 600.00 is the least") in ticket
    limits = [["Limit", "Min", "Max"], ["Alfa", None, 0.36], ["Sector Bank", None, 0.9]]
    rows = open_rows(chosen(book(Limits=limits)))
    [alfa] = [row for row in rows if row[1] == "Alfa"]
    assert alfa[2:] == (0.4, pytest.approx(40 * 110 / NET), "at a bound: Alfa")
    nothing = {row[1]: row[4] for row in open_rows(
        with_orders(book(Limits=None, Cash=0.0), ORDERS[:1]))}
    assert nothing["Alfa"] == "the cash left, 0.00, does not buy a lot of 110.00"
    assert nothing["Bravo"] == "nearer here would be further away elsewhere"


def test_orders_beyond_a_day_of_trading_are_told() -> None:
    """550 of Alfa at 20% of 1,100 a day: 2.5 days; 220 of Bravo are within a day."""
    given = with_orders(book(Assets=assets(ADV=[1100.0, 1100.0, 1.0]), Limits=None))
    [row] = [row for row in open_rows(given) if row[0] == "Size"]
    assert row == ("Size", "Alfa", pytest.approx(4950 / NET), pytest.approx(4620 / NET),
                   "takes 2.5 days at 0.2 of a day's trading")
    assert run("rebalance", given).status.endswith(" not done.")


def test_inputs_beside_orders_leave_what_is_applied_as_it_is() -> None:
    given = with_orders(book(Flows=[["Date", "Flow"], [dt.date(2025, 1, 6), -100.0]]))
    changes = run("apply", given)
    after = given.after((*changes.preview, *changes.writes))
    later = after.after([PutCells(Area("Flows", 2, 2), ((-200.0,),))])
    assert "nothing to do" in run("rebalance", later).status
    for area in (Area("Cash", 1, 1), Area("Covariance", 2, 2)):
        changed = after.after([PutCells(area, ((0.05,),))])
        assert "nothing to do" not in run("rebalance", changed).status


def test_the_order_of_commands_is_that_of_the_groups_whoever_imports_them() -> None:
    listed = [c.name for c in commands.commands().values()]
    assert listed.index("monitor") < listed.index("stops and targets") < listed.index("rebalance")
    assert listed.index("undo") < listed.index("cash plan") < listed.index("problems")
