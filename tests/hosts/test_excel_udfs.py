"""The functions that Excel calls through xlwings, on xlwings' own code for Windows.

COM itself is played by tests/hosts/excel_standin.py, in a process of its own.
"""

from __future__ import annotations

import datetime as dt
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hosts.excel_standin import MISSING, Cells, ComTime, Reply
from portbal_addin.block import Block, Cell
from portbal_addin.hosts.excel import generate
from portbal_addin.literals import split_call
from portbal_addin.registry import Function, functions

TESTS = Path(__file__).parent.parent
NOT_AVAILABLE = -2146826246  # #N/A
SPILL = -2146826243  # #SPILL!

FUNCTIONS = list(functions().values())


def day(number: int) -> ComTime:
    return ComTime(2024, 1, number, tzinfo=dt.UTC)


HALVES = (("A", 0.5), ("B", 0.5))
PRICES = (("Date", "A"), (day(1), 100.0), (day(2), 110.0), (day(3), 99.0))
SERIALS = (("Date", "A"), (45292.0, 100.0), (45293.0, 110.0), (45294.0, 99.0))
PROBLEM = "#PORTBAL VAR: returns: it is empty. Give returns."

# What a sheet may hold that a formula's example does not.
CASES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "left out": ("PORTBAL_TURNOVER", (Cells(HALVES), MISSING)),
    "blank cell": ("PORTBAL_TURNOVER", (Cells(HALVES), Cells(None))),
    "error cell": (
        "PORTBAL_TURNOVER",
        (
            Cells(HALVES),
            Cells((("A", 0.5), ("B", NOT_AVAILABLE)), row=7, column=3, sheet="My book"),
        ),
    ),
    "new error cell": ("PORTBAL_TURNOVER", (Cells(HALVES), (("A", 0.5), ("B", SPILL)))),
    "currency": (
        "PORTBAL_TURNOVER",
        (
            Cells(HALVES),
            Cells(
                (("A", Decimal("0.3333")), ("B", Decimal("0.6667"))),
                (("A", 0.33333333), ("B", 0.66666667)),
            ),
        ),
    ),
    "currency value": (
        "PORTBAL_TURNOVER", (Cells(HALVES), (("A", Decimal("0.25")), ("B", Decimal("0.75"))))
    ),
    "dates": ("PORTBAL_RETURNS", (Cells(PRICES), MISSING, MISSING)),
    "serials": ("PORTBAL_RETURNS", (Cells(SERIALS), MISSING, MISSING)),
    "serials of 1904": ("PORTBAL_RETURNS", (Cells(SERIALS, date1904=True), MISSING, MISSING)),
    "whole columns": ("PORTBAL_RETURNS", (Cells(PRICES, whole_columns=True), MISSING, MISSING)),
    "several ranges": ("PORTBAL_TURNOVER", (Cells(HALVES), Cells(HALVES, areas=2))),
    "problem": ("PORTBAL_TURNOVER", (Cells(HALVES), Cells(((PROBLEM, None),)))),
    "truth": ("PORTBAL_PROBLEM", (Cells(((PROBLEM, None),)),)),
}


def blocks_of(function: Function) -> list[Block | None]:
    return split_call(function.example.formula)[1]


def as_range(block: Block | None) -> Any:
    if block is None:
        return MISSING
    rows = block.rows
    return Cells(rows if rows != ((rows[0][0],),) else rows[0][0])


def as_value(block: Block | None) -> Any:
    """An array constant: one row comes as a plain tuple, one cell as its value."""
    if block is None:
        return MISSING
    rows = block.rows
    if len(rows) > 1:
        return rows
    return rows[0] if len(rows[0]) > 1 else rows[0][0]


def for_excel(rows: Iterable[Iterable[Cell]]) -> list[list[Any]]:
    """Cells as xlwings hands them to COM: blanks as empty text, dates with a time zone."""
    return [[_for_excel(cell) for cell in row] for row in rows]


def _for_excel(cell: Cell) -> Any:
    if isinstance(cell, dt.date):
        moment = cell if isinstance(cell, dt.datetime) else dt.datetime(*cell.timetuple()[:3])
        return moment.replace(tzinfo=dt.UTC)
    return "" if cell is None else cell


@pytest.fixture(scope="module")
def reply() -> Reply:
    calls = [(f"PORTBAL_{f.name}", tuple(map(as_range, blocks_of(f)))) for f in FUNCTIONS]
    calls += [(f"PORTBAL_{f.name}", tuple(map(as_value, blocks_of(f)))) for f in FUNCTIONS]
    calls += list(CASES.values())
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "hosts.excel_standin"], input=pickle.dumps(calls), check=False,
        capture_output=True, env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr.decode()
    answered: Reply = pickle.loads(done.stdout)
    return answered


@pytest.fixture
def case(reply: Reply) -> Any:
    at = 2 * len(FUNCTIONS)
    return dict(zip(CASES, reply.answers[at:], strict=True)).__getitem__


@pytest.mark.parametrize("given", ["ranges", "values"])
@pytest.mark.parametrize("at", range(len(FUNCTIONS)), ids=[f.name for f in FUNCTIONS])
def test_example(reply: Reply, at: int, given: str) -> None:
    expected = FUNCTIONS[at].invoke(*blocks_of(FUNCTIONS[at])).block
    found = reply.answers[at + (len(FUNCTIONS) if given == "values" else 0)]
    assert found == for_excel(expected)


def test_what_is_left_out_or_blank_is_named(case: Any) -> None:
    assert case("left out") == [
        ["#PORTBAL TURNOVER: target: it is missing. "
         "Give target: Weights wanted: assets and fractions."]
    ]
    assert case("blank cell")[0][0].startswith(
        "#PORTBAL TURNOVER: target (Sheet1!A1): it is empty."
    )


def test_error_cells_are_named_with_their_address(case: Any) -> None:
    assert case("error cell") == [
        ["#PORTBAL TURNOVER: target row 2, column 2 ('My book'!D8): the cell is the error #N/A. "
         "Mend the formula in that cell."]
    ]
    assert "the error #SPILL!" in case("new error cell")[0][0]


def test_currency_keeps_its_digits(case: Any) -> None:
    assert case("currency") == [[pytest.approx(0.5 - 0.33333333, abs=1e-15)]]
    assert case("currency value") == [[0.25]]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("dates", dt.datetime(2024, 1, 2)),
        ("serials", dt.datetime(2024, 1, 2)),
        ("serials of 1904", dt.datetime(2028, 1, 3)),
        ("whole columns", dt.datetime(2024, 1, 2)),
    ],
)
def test_dates(case: Any, name: str, first: dt.datetime) -> None:
    found = case(name)
    assert [row[0] for row in found] == [
        "Date", first.replace(tzinfo=dt.UTC), (first + dt.timedelta(1)).replace(tzinfo=dt.UTC)
    ]
    assert [row[1] for row in found] == ["A", pytest.approx(0.1), pytest.approx(-0.1)]


def test_several_ranges_are_refused(case: Any) -> None:
    assert case("several ranges")[0][0].startswith(
        "#PORTBAL TURNOVER: target: it is made of several ranges."
    )


def test_problems_are_passed_on_and_seen(case: Any) -> None:
    assert case("problem") == [[PROBLEM]]
    assert case("truth") == [[True]]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_vba_wrapper_and_wizard(reply: Reply, function: Function) -> None:
    name = f"PORTBAL_{function.name}"
    names = [argument.name for argument in function.arguments]
    optional = ", ".join(f"Optional {argument}" for argument in names)
    assert f"Function {name}({optional})\n" in reply.vba
    given = ", ".join([*names, "CallerPlace()"])
    assert f'{name} = XLPy.CallUDF("portbal_udfs", "{name}", Array({given}), ' in (
        reply.vba.replace(" _\n", "")
    )
    assert reply.described[name] == {
        "category": "portbal", "doc": function.summary,
        "arguments": {argument.name: argument.help for argument in function.arguments},
        "hidden": {"portbal_place": "CallerPlace()"},
    }


def test_the_generated_module_is_up_to_date() -> None:
    assert generate.TARGET.read_text(encoding="utf-8") == generate.source(), "run `make udfs`"


def test_the_module_imports_where_there_is_no_excel() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import portbal_udfs; print(portbal_udfs.PORTBAL_VERSION().rows)"],
        capture_output=True, text=True, check=True,
    )
    assert done.stdout == "(('0.1.0',),)\n"
