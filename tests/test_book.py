"""The Book in memory, and what of a command's changes is needed."""

from __future__ import annotations

import datetime as dt

import pytest

from portbal_addin.block import Block
from portbal_addin.book import (
    AddSheet,
    Area,
    DefineName,
    MemoryBook,
    PutCells,
    PutFormula,
    needed,
    plain,
)

BOOK = MemoryBook.of({"Prices": [["Date", "A"], [45292, 10], [45293, None]], "Cash": 5.0})


def test_tables_are_found_by_name_whatever_its_case() -> None:
    assert BOOK.find("PRICES") == Area("Prices", 1, 1, 3, 2)
    assert BOOK.find("Cash") == Area("Cash", 1, 1)
    assert BOOK.find("Nothing") is None
    assert BOOK.sheets() == ("Prices", "Cash")


def test_a_block_knows_where_it_stands() -> None:
    block = BOOK.block(Area("Prices", 1, 1, 3, 2))
    assert block.rows == (("Date", "A"), (45292, 10), (45293, None))
    assert block.place(1, 1) == (2, 2, "Prices!B2")


def test_the_used_area() -> None:
    assert BOOK.used("Prices") == Area("Prices", 1, 1, 3, 2)
    assert BOOK.after([AddSheet("New")]).used("New") is None


@pytest.mark.parametrize(("area", "text"), [
    (Area("Trades", 7, 5, 31, 3), "Trades!E7:G37"), (Area("My book", 1, 1), "'My book'!A1"),
    (Area("S", 1, 27, 1, 2), "S!AA1:AB1"),
])
def test_an_area_as_people_write_it(area: Area, text: str) -> None:
    assert area.text == text


def test_changes_leave_the_book_they_came_from_alone() -> None:
    area = Area("Prices", 2, 2)
    changed = BOOK.after([PutCells(area, ((11,),))])
    assert (BOOK.block(area).rows, changed.block(area).rows) == (((10,),), ((11,),))


def test_a_value_takes_the_place_of_a_formula() -> None:
    area = Area("Cash", 1, 1)
    book = BOOK.after([PutFormula(area, "=1+4")])
    assert book.formulas(area) == (("=1+4",),)
    assert book.block(area).rows == ((5.0,),)
    assert book.after([PutCells(area, ((7.0,),))]).formulas(area) == (("",),)


def test_only_what_changes_something_is_needed() -> None:
    prices, cash = Area("Prices", 1, 1, 3, 2), Area("Cash", 1, 1)
    same = PutCells(prices, BOOK.block(prices).rows)
    other = PutCells(cash, ((6.0,),))
    writes = [
        AddSheet("prices"), AddSheet("New"), DefineName("cash", cash), DefineName("Cash", prices),
        same, other, PutCells(Area("New", 1, 1), ((None,),)), PutFormula(cash, "=1"),
    ]
    assert needed(BOOK, writes) == (writes[1], writes[3], other, *writes[6:])


def test_a_value_over_a_formula_that_shows_it_is_needed() -> None:
    cash = Area("Cash", 1, 1)
    book = BOOK.after([PutFormula(cash, "=2+3")])
    assert needed(book, [PutCells(cash, ((5.0,),))]) == (PutCells(cash, ((5.0,),)),)


def test_cells_are_compared_as_every_host_tells_them() -> None:
    day = dt.datetime(2024, 1, 1)
    assert [plain(cell, False) for cell in (day, 5, True, "", " ", None, "x")] == [
        45292.0, 5.0, True, None, None, None, "x"]
    assert plain(day, True) == 43830.0
    assert type(plain(True, False)) is bool
    first = Area("Prices", 2, 1)
    assert needed(BOOK, [PutCells(first, ((day,),))]) == ()
    assert needed(BOOK, [PutCells(first, ((True,),))]) != ()


def test_of_takes_one_cell_a_row_or_rows() -> None:
    book = MemoryBook.of({"One": "x", "Row": ["a", "b"], "Rows": [[1], [2]]})
    assert [book.block(book.find(n)).rows for n in ("One", "Row", "Rows")] == [  # type: ignore[arg-type]
        Block.of("x").rows, (("a", "b"),), ((1,), (2,))]
