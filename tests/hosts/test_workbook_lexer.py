"""Formulas taken apart: nothing is lost, copies move as spreadsheet programs move them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portbal.errors import NotAvailable
from portbal_addin.hosts.workbook.lexer import tokens
from portbal_addin.hosts.workbook.names import shifted
from portbal_addin.hosts.workbook.references import (
    LAST_COLUMN,
    LAST_ROW,
    Area,
    area_of,
    column_number,
)


@pytest.mark.parametrize(("formula", "expected"), [
    ("LOG10(A1)", "call:LOG10 open:( area:A1 close:)"),
    ("A1B+AB1", "name:A1B operator:+ area:AB1"),
    ("$A$1:B2#", "area:$A$1:B2 operator:#"),
    ("A:$C,1:$3", "area:A:$C comma:, area:1:$3"),
    ('"a""b"&"A1"', 'text:"a""b" operator:& text:"A1"'),
    ("'It''s A1'!B2", "area:B2"),
    ("Prices[[#All],[A'[b']]]*2", "table:Prices[[#All],[A'[b']]] operator:* number:2"),
    ("[@x]", "table:[@x]"),
    ('{1,"}";#N/A}', 'array:{1,"}";#N/A}'),
    ("#DIV/0!+1e-3%", "error:#DIV/0! operator:+ number:1e-3 operator:%"),
    ("Umsätze.2\\x", "name:Umsätze.2\\x"),
    ("_xlfn.LET(_xlpm.x,1,_xlpm.x)",
     "call:_xlfn.LET open:( name:_xlpm.x comma:, number:1 comma:, name:_xlpm.x close:)"),
    ("Sheet1!#REF!", "lost:#REF!"),
    ("A1<>B1>=C1", "area:A1 operator:<> area:B1 operator:>= area:C1"),
])
def test_tokens(formula: str, expected: str) -> None:
    assert " ".join(f"{token.kind}:{token.text}" for token in tokens(formula)) == expected
    assert "".join(token.sheet + token.text for token in tokens(formula)) == formula


@given(st.text(max_size=60))
def test_any_text_is_read_whole_or_refused(text: str) -> None:
    try:
        found = tokens(text)
    except NotAvailable:
        return
    assert "".join(token.sheet + token.text for token in found) == text


@pytest.mark.parametrize(("formula", "down", "right", "expected"), [
    ("A1+$A1+A$1+$A$1", 2, 1, "B3+$A3+B$1+$A$1"),
    ("SUM(Sheet1!A1:B$2)", 1, 0, "SUM(Sheet1!A2:B$2)"),
    ("A:A+1:1", 1, 1, "B:B+2:2"),
    ('"A1"&\'A1\'!A1&A1()', 1, 0, '"A1"&\'A1\'!A2&A1()'),
    ("A1", -1, 0, "#REF!"),
    ("Name1+T[A1]", 3, 3, "Name1+T[A1]"),
])
def test_copies(formula: str, down: int, right: int, expected: str) -> None:
    assert shifted(formula, down, right) == expected


AREAS = st.tuples(
    st.integers(1, LAST_ROW), st.integers(1, LAST_COLUMN),
    st.integers(1, LAST_ROW), st.integers(1, LAST_COLUMN),
).map(lambda c: Area(0, min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3])))


@given(AREAS)
def test_areas_are_written_as_they_are_read(area: Area) -> None:
    if ":" in area.text and not area.text[0].isdigit() and any(c.isdigit() for c in area.text):
        assert area_of(0, area.text) == area


def test_columns() -> None:
    assert [column_number(letters) for letters in ("A", "Z", "AA", "XFD")] == [1, 26, 27, 16384]
