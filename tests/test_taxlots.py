"""TAXLOTS by hand, against published cases, exhaustive search and a linear program."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from portbal.errors import ConflictError, InputError
from portbal.taxlots import sold
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

METHODS = ("fifo", "lifo", "hifo", "mintax")
LOTS = [
    ("L1", "A", "2022-01-10", 100.0, 10.0), ("L2", "A", "2023-02-01", 50.0, 14.0),
    ("L3", "A", "2023-11-20", 60.0, 12.0), ("L4", "A", "2024-06-03", 40.0, 30.0),
    ("M1", "B", "2023-05-05", 10.0, 7.0),
]


def lots(rows=LOTS) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["Lot", "Asset", "Date", "Quantity", "Cost"])
    return frame.assign(Date=pd.to_datetime(frame["Date"])).set_axis(range(2, len(rows) + 2))


def sells(*rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["Asset", "Date", "Quantity", "Price"])
    return frame.assign(Date=pd.to_datetime(frame["Date"])).set_axis(range(2, len(rows) + 2))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # price 13 on 2024-03-01; L4 is not bought yet
        ("fifo", [("L1", 100, 300, "long"), ("L2", 20, -20, "long")]),
        ("lifo", [("L3", 60, 60, "short"), ("L2", 50, -50, "long"), ("L1", 10, 30, "long")]),
        ("hifo", [("L2", 50, -50, "long"), ("L3", 60, 60, "short"), ("L1", 10, 30, "long")]),
        # tax a unit: L2 -0.20, L3 0.37, L1 0.60
        ("mintax", [("L2", 50, -50, "long"), ("L3", 60, 60, "short"), ("L1", 10, 30, "long")]),
    ],
)
def test_methods_by_hand(method: str, expected: list) -> None:
    table = sold(lots(), sells(("a", "2024-03-01", 120, 13)), method).value
    assert list(table.columns) == ["Lot", "Asset", "Quantity", "Gain", "Term"]
    assert list(table.drop(columns="Asset").itertuples(index=False, name=None)) == expected
    assert set(table["Asset"]) == {"A"}


def test_mintax_prefers_a_loss_that_saves_more_and_weighs_the_term() -> None:
    rows = [("old", "A", "2020-01-01", 10, 15.0), ("new", "A", "2024-01-02", 10, 14.0)]
    # at 12: old loses 3 at 20% = -0.60, new loses 2 at 37% = -0.74
    assert sold(lots(rows), sells(("A", "2024-03-01", 10, 12)), "mintax").value["Lot"][0] == "new"
    assert sold(lots(rows), sells(("A", "2024-03-01", 10, 12)), "hifo").value["Lot"][0] == "old"
    same = sold(lots(rows), sells(("A", "2024-03-01", 10, 12)), "mintax", 0.2, 0.2)
    assert same.value["Lot"][0] == "old"


# J.K. Lasser's Your Income Tax 2013, section 5.9, and fool.com's column on taxes of 2005-04-22:
# bought on 2012-09-19, long from 2013-09-20; bought on 2005-01-01, long from 2006-01-02.
# A purchase on the last day of a month ends its months on their last days (same section 5.9).
@pytest.mark.parametrize(
    ("bought", "last_short", "first_long"),
    [
        ("2012-09-19", "2013-09-19", "2013-09-20"), ("2005-01-01", "2006-01-01", "2006-01-02"),
        ("2012-11-30", "2013-11-30", "2013-12-01"), ("2019-02-28", "2020-02-29", "2020-03-01"),
        ("2020-02-29", "2021-02-28", "2021-03-01"), ("2020-02-28", "2021-02-28", "2021-03-01"),
    ],
)
def test_holding_period(bought: str, last_short: str, first_long: str) -> None:
    owned = lots([("L", "A", bought, 2, 1.0)])
    table = sold(owned, sells(("A", last_short, 1, 2), ("A", first_long, 1, 2))).value
    assert table["Term"].to_list() == ["short", "long"]


# The wash sales that others worked out: the IRS (apps.irs.gov, VITA capital gain workout, case
# study 1), Bischoff's column on the rule (100 bought at 2,000 and sold at 1,300, 75 bought again),
# and advisors4advisors.com 13330 (500 of a fund at 10, sold at 5, 500 bought again).
@pytest.mark.parametrize(
    ("rows", "sale", "says"),
    [
        ([("old", "X", "2009-06-01", 100, 10.0), ("new", "X", "2010-02-20", 100, 8.0)],
         ("X", "2010-02-01", 100, 7.5), ["100 of 100", "by 'new'; 250.00"]),
        ([("old", "X", "2008-12-01", 100, 20.0), ("a", "X", "2009-03-01", 50, 24.0),
          ("b", "X", "2009-03-10", 25, 26.0)],
         ("X", "2009-03-27", 100, 13.0), ["75 of 100", "by 'a', 'b'; 525.00"]),
        ([("old", "B", "2009-04-01", 500, 10.0), ("new", "B", "2011-04-19", 500, 4.0)],
         ("B", "2011-04-01", 500, 5.0), ["500 of 500", "by 'new'; 2,500.00"]),
    ],
)
def test_published_wash_sales(rows: list, sale: tuple, says: list[str]) -> None:
    notes = sold(lots(rows), sells(sale), "fifo").notes
    assert len(notes) == 2
    assert notes[1].startswith("Wash sale: ")
    assert all(part in notes[1] for part in says), notes[1]


@pytest.mark.parametrize(("days", "flagged"), [(-31, 0), (-30, 1), (30, 1), (31, 0)])
def test_the_window_of_a_wash_sale_is_thirty_days_either_way(days: int, flagged: int) -> None:
    again = dt.date(2024, 5, 31) + dt.timedelta(days=days)
    owned = lots([("old", "A", "2023-01-02", 10, 9.0), ("new", "A", str(again), 10, 5.0)])
    assert len(sold(owned, sells(("A", "2024-05-31", 10, 6)), "fifo").notes) == 1 + flagged


def test_what_is_no_wash_sale() -> None:
    one_lot = lots([("L", "A", "2024-05-20", 20, 9.0)])  # Revenue Ruling 56-602
    assert len(sold(one_lot, sells(("A", "2024-05-31", 10, 6))).notes) == 1
    everything = lots([("L", "A", "2024-05-20", 20, 9.0), ("M", "A", "2024-05-21", 20, 9.0)])
    assert len(sold(everything, sells(("A", "2024-05-31", 40, 6))).notes) == 1
    other = lots([("L", "A", "2023-05-20", 20, 9.0), ("M", "B", "2024-05-21", 20, 9.0)])
    assert len(sold(other, sells(("A", "2024-05-31", 20, 6))).notes) == 1
    gain = lots([("L", "A", "2023-05-20", 20, 5.0), ("M", "A", "2024-05-21", 20, 9.0)])
    assert len(sold(gain, sells(("A", "2024-05-31", 20, 6)), "fifo").notes) == 1


def test_a_replacement_counts_once() -> None:
    rows = [("a", "A", "2023-01-02", 10, 9.0), ("b", "A", "2023-01-03", 10, 9.0),
            ("new", "A", "2024-05-20", 12, 6.0)]
    notes = sold(lots(rows), sells(("A", "2024-05-10", 10, 6), ("A", "2024-05-12", 10, 6)),
                 "fifo").notes
    assert "10 of 10" in notes[1]
    assert "2 of 10" in notes[2]
    assert len(notes) == 3


# --- properties ----------------------------------------------------------------------------

def case(seed: int, most: int, whole: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Up to ``most`` lots of one or two assets, and sales that they can serve."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, most + 1)), int(rng.integers(2, 4))
    size = (lambda k: float(rng.integers(1, k))) if whole else (
        lambda k: round(float(rng.uniform(0.001, k)), 3))
    start = pd.Timestamp("2022-01-01")
    rows = [(f"L{i}", "A" if i % 3 or i == 0 else "B", start + pd.Timedelta(
        days=int(rng.integers(0, 900))), size(4), round(float(rng.uniform(5, 15)), 2))
        for i in range(n)]
    owned = lots(rows)
    left = owned.groupby("Asset")["Quantity"].sum().to_dict()
    wanted = []
    for _ in range(m):
        asset = str(rng.choice(list(left)))
        sale = start + pd.Timedelta(days=int(rng.integers(300, 1300)))
        open_ = owned[(owned["Asset"] == asset) & (owned["Date"] <= sale)]["Quantity"].sum()
        amount = round(min(size(4), left[asset], open_ / m), 3)
        amount = float(int(amount)) if whole else amount
        if amount > 0:
            left[asset] -= amount
            wanted.append((asset, sale, amount, round(float(rng.uniform(5, 15)), 2)))
    return owned, sells(*wanted)


def tax_of(table: pd.DataFrame, short: float = 0.37, long: float = 0.2) -> float:
    rate = np.where(table["Term"] == "long", long, short)
    return float((table["Gain"].to_numpy() * rate).sum())


def ways(owned: list, wanted: list) -> Iterator[float]:
    """The tax of every way to serve whole-number sales, one unit after another."""
    if not wanted:
        yield 0.0
        return
    (asset, day, quantity, price), rest = wanted[0], wanted[1:]

    def spread(at: int, need: int, tax: float) -> Iterator[float]:
        if need == 0:
            yield from (tax + more for more in ways(owned, rest))
            return
        if at == len(owned):
            return
        lot = owned[at]
        most = min(need, lot["left"]) if lot["asset"] == asset and lot["day"] <= day else 0
        a_year_on = lot["day"] + pd.DateOffset(years=1)
        rate = 0.2 if day > a_year_on else 0.37
        for amount in range(most + 1):
            lot["left"] -= amount
            yield from spread(at + 1, need - amount,
                              tax + amount * rate * (price - lot["cost"]))
            lot["left"] += amount

    yield from spread(0, int(quantity), 0.0)


def test_mintax_is_the_least_of_all_ways() -> None:
    better = compared = 0
    for seed in range(150):
        owned, wanted = case(seed, 6)
        if not len(wanted):
            continue
        units = [{"asset": row.Asset, "day": row.Date, "left": int(row.Quantity),
                  "cost": row.Cost} for row in owned.itertuples()]
        rows = list(wanted.itertuples(index=False, name=None))
        least = min(ways(units, rows))
        found = sold(owned, wanted, "mintax")
        assert tax_of(found.value) == pytest.approx(least, abs=1e-9)
        others = [tax_of(sold(owned, wanted, method).value) for method in METHODS[:3]]
        assert least <= min(others) + 1e-9
        better += least < min(others) - 1e-9
        compared += 1
    assert compared > 60
    assert better > 10


@pytest.mark.parametrize("seed", range(6))
def test_mintax_against_a_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = 40, 8
    day = pd.Timestamp("2021-01-01")
    owned = lots([(f"L{i}", "A", day + pd.Timedelta(days=int(rng.integers(0, 1100))),
                   round(float(rng.uniform(1, 9)), 4), round(float(rng.uniform(5, 15)), 2))
                  for i in range(n)])
    each = round(0.9 * float(owned["Quantity"].sum()) / m, 4)
    wanted = sells(*(("A", day + pd.Timedelta(days=int(rng.integers(1100, 1500))), each,
                      round(float(rng.uniform(5, 15)), 2)) for _ in range(m)))
    found = sold(owned, wanted, "mintax").value
    unit = np.array([
        [(0.2 if s.Date > b.Date + pd.DateOffset(years=1) else 0.37) * (s.Price - b.Cost)
         for b in owned.itertuples()] for s in wanted.itertuples()])
    answer = linprog(
        unit.ravel(), A_ub=np.tile(np.eye(n), m), b_ub=owned["Quantity"],
        A_eq=np.kron(np.eye(m), np.ones(n)), b_eq=wanted["Quantity"])
    assert tax_of(found) == pytest.approx(answer.fun, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_quantities_and_gains_add_up(method: str) -> None:
    for seed in range(40):
        owned, wanted = case(seed, 12, whole=False)
        if not len(wanted):
            continue
        table = sold(owned, wanted, method).value
        at = owned.set_index("Lot")
        assert (table.groupby("Lot")["Quantity"].sum() <= at["Quantity"].reindex(
            table["Lot"].unique()).sort_index() + 1e-12).all()
        for asset, rows in table.groupby("Asset"):
            own = wanted[wanted["Asset"] == asset]
            assert rows["Quantity"].sum() == pytest.approx(own["Quantity"].sum(), rel=1e-13)
            cost = (rows["Quantity"] * at["Cost"].loc[rows["Lot"]].to_numpy()).sum()
            assert rows["Gain"].sum() == pytest.approx(
                (own["Quantity"] * own["Price"]).sum() - cost, abs=1e-9)
        assert (table["Quantity"] > 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_names_and_the_order_of_rows_do_not_matter(method: str) -> None:
    for seed in range(20):
        owned, wanted = case(seed, 10)
        wanted = wanted.drop_duplicates("Date")
        if not len(wanted) or owned["Date"].duplicated().any():
            continue
        table = sold(owned, wanted, method).value
        renamed = sold(owned.assign(Lot="x" + owned["Lot"]), wanted, method).value
        pd.testing.assert_frame_equal(renamed.assign(Lot=renamed["Lot"].str[1:]), table)
        turned = sold(owned[::-1], wanted[::-1], method)
        assert turned.notes[0] == sold(owned, wanted, method).notes[0]


def test_the_rows_follow_sells_and_the_turns_follow_dates() -> None:
    late_first = sells(("A", "2024-03-01", 100, 13), ("A", "2023-12-01", 60, 13))
    table = sold(lots(), late_first, "fifo").value
    assert table["Lot"].to_list() == ["L1", "L2", "L3", "L1"]
    assert table["Quantity"].to_list() == [40, 50, 10, 60]


@pytest.mark.parametrize(("method", "first"), [("fifo", "a"), ("lifo", "b"), ("hifo", "a")])
def test_lots_of_one_day_and_one_cost(method: str, first: str) -> None:
    rows = [("a", "A", "2020-01-01", 5, 3.0), ("b", "A", "2020-01-01", 5, 3.0)]
    assert sold(lots(rows), sells(("A", "2024-03-01", 1, 1.0)), method).value["Lot"][0] == first


def test_parts_of_decimal_quantities_are_exact() -> None:
    rows = [("a", "A", "2020-01-01", 0.1, 3.0), ("b", "A", "2020-01-02", 0.2, 2.0)]
    table = sold(lots(rows), sells(("A", "2024-03-01", 0.3, 1.0))).value
    assert table["Quantity"].to_list() == [0.1, 0.2]


# --- problems ------------------------------------------------------------------------------

@pytest.mark.parametrize(
    ("change", "sale", "kind", "says"),
    [
        ({}, ("A", "2024-03-01", 211, 13), ConflictError,
         r"sells: 211 of 'A' are sold on 2024-03-01, and lots bought by then have 210 left\. Sell"),
        ({}, ("A", "2022-01-09", 1, 13), ConflictError, "by then have 0 left"),
        ({}, ("Apex", "2024-03-01", 1, 13), InputError, "lots has none of 'Apex'"),
        ({}, ("A", "2024-03-01", -5, 13), InputError, r"a quantity of -5 .* sold, above 0"),
        ({}, ("A", "2024-03-01", 5, -1), InputError, "a price of -1"),
        ({"Quantity": 0.0}, ("A", "2024-03-01", 5, 1), InputError, "lots: a quantity of 0"),
        ({"Cost": -1.0}, ("A", "2024-03-01", 5, 1), InputError, "lots: a cost of -1"),
        ({"Lot": "x"}, ("A", "2024-03-01", 5, 1), InputError, "'x' occurs twice"),
    ],
)
def test_problems(change: dict, sale: tuple, kind: type, says: str) -> None:
    with pytest.raises(kind, match=says):
        sold(lots().assign(**change), sells(sale))


def test_method_and_rates_are_checked() -> None:
    with pytest.raises(InputError, match=r"no method 'hilo'.*Did you mean"):
        sold(lots(), sells(("A", "2024-03-01", 5, 1)), "hilo")
    with pytest.raises(InputError, match="shortrate: a rate of 37"):
        sold(lots(), sells(("A", "2024-03-01", 5, 1)), "mintax", 37.0)


def test_the_formula_reads_serial_dates_and_names_the_cell() -> None:
    owned = Block.of([["Cost", "Lot", "Date", "Asset", "Quantity"],
                      [10.0, 7.0, 45_000.0, "A", 5.0], [11.0, "x", dt.date(2024, 1, 5), "a", 5.0]])
    wanted = Block.of([["Asset", "Date", "Quantity", "Price"], ["A", "2024-03-01", 6.0, 12.0]])
    answer = find("TAXLOTS").invoke(owned, wanted)
    assert isinstance(answer, Answer)
    assert answer.block.rows[1:] == (("x", "a", 5.0, 5.0, "short"), ("7", "A", 1.0, 2.0, "short"))
    more = Block.of([["Asset", "Date", "Quantity", "Price"], ["A", "2024-03-01", 60.0, 12.0]])
    problem = find("TAXLOTS").invoke(owned, more)
    assert isinstance(problem, Problem)
    assert problem.text.startswith("#PORTBAL TAXLOTS: sells row 2, column 3: 60 of 'A' are sold")
