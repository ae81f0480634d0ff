"""Native formulas that the engine alone gets wrong, with the answers of Excel's documentation;
each is computed in a file in which no program left values."""

from __future__ import annotations

import math

import pytest

from hosts.workbook_files import Cells, Error, F, Value, computed, stored

VALUE, NA, DIV = Error("#VALUE!"), Error("#N/A"), Error("#DIV/0!")
SHEET: Cells = {
    "A1": 1.0, "A2": 2.0, "A3": "a", "A4": "b", "A6": "10", "A7": True, "A8": NA,
    "B1": "Cash", "B2": "Tech", "B4": 600519.0, "B5": "cash", "B6": "Tech Bank",
    "C1": 10.0, "C2": 20.0, "C3": 30.0, "C4": 40.0, "C5": 50.0, "C6": 60.0,
    "D1": 1.0, "D3": 3.0, "D4": 4.0, "D5": 9.0,
    "E1": 2.0, "E2": 5.0, "E3": "x", "E4": 7.0, "E5": 1.0,
    "F1": 5.0, "F2": 3.0, "F4": 8.0, "G1": 0.1, "G2": 0.2, "G3": F("G1+G2"), "G4": "<>Cash",
    "G5": "Tech", "G6": 45000.75, "H1": "2024-03-01", "H2": 1 / 3,
}
# AND, OR, XOR: an error in any argument is the answer; a text that is no cell is an error.
LOGIC: list[tuple[str, Value]] = [
    ("OR(TRUE,1/0)", DIV), ("AND(FALSE,1/0)", DIV), ("OR(A1>0,A8)", NA), ("AND(A1>5,A8>0)", NA),
    ("IF(OR(A1>0,A8=1),1,2)", NA), ("IFERROR(OR(TRUE,A8),9)", 9.0), ('OR(FALSE,"x")', VALUE),
    ("AND(TRUE,A3)", True), ("OR(A3)", VALUE), ("AND(A1,A2)", True), ("OR(A5,A1=2)", False),
    ("AND(OR(A1=1,A2=5),NOT(A1=2))", True), ('XOR(FALSE,"x")', VALUE), ("XOR(TRUE,A1=1)", False),
    ("AND(C1:C6>5)", True), ("OR(C1:C6>55)", True), ('AND("TRUE",TRUE)', True),
]
# A criterion "<>text" takes all other cells: blanks, numbers and errors too.
CRITERIA: list[tuple[str, Value]] = [
    ('COUNTIF(A1:A8,"<>a")', 7.0), ('COUNTIFS(A1:A8,"<>a",A1:A8,"<>b")', 6.0),
    ('SUMIF(B1:B6,"<>Cash",C1:C6)', 150.0), ('SUMIF(B1:B6,"<>Cash*",C1:C6)', 150.0),
    ('SUMIFS(C1:C6,B1:B6,"<>Cash",C1:C6,">20")', 130.0),
    ('AVERAGEIF(B1:B6,"<>Tech*",C1:C6)', 32.5), ('AVERAGEIFS(C1:C6,B1:B6,"<>cash")', 37.5),
    ('MAXIFS(C1:C6,B1:B6,"<>Tech Bank")', 50.0), ('MINIFS(C1:C6,B1:B6,"<>Cash")', 20.0),
    ('SUMIF(B1:B6,"<>"&G5,C1:C6)', 190.0), ("SUMIF(B1:B6,G4,C1:C6)", 150.0),
    ("SUMIF(B1:B6,G5,C1:C6)", 20.0), ('COUNTIF(C1:C6,"<>"&C1)', 5.0), ('COUNTIF(B1:B6,"<>")', 5.0),
    ('SUMIF(C1:C6,"<>30")', 180.0), ('SUMIF(B:B,"<>Cash",C:C)', 150.0),
    ('SUMIFS(C:C,B:B,"<>Cash")', 150.0),
]
# A blank cell is not found by 0.
LOOKUPS: list[tuple[str, Value]] = [
    ("VLOOKUP(0,F1:G4,2,FALSE)", NA), ("VLOOKUP(8,F1:G4,1,FALSE)", 8.0), ("MATCH(0,F1:F4,0)", NA),
    ("XLOOKUP(0,F1:F4,C1:C4)", NA), ("XLOOKUP(8,F1:F4,C1:C4)", 40.0), ("XMATCH(0,F1:F4)", NA),
    ("HLOOKUP(0,I1:K2,1,FALSE)", NA), ("XLOOKUP(8,F:F,C:C)", 40.0),
    ("IFERROR(VLOOKUP(0,F1:G4,2,0),-1)", -1.0), ("VLOOKUP(8,F:G,1,FALSE)", 8.0),
    ('VLOOKUP("t*",B1:C6,2,FALSE)', 20.0), ("SUM(VLOOKUP({3,8},F1:F4,1,FALSE))", 11.0),
]
# TEXT rounds halves away from zero, as 15 digits show the number, and keeps the sign.
FORMATS: list[tuple[str, Value]] = [
    ('TEXT(2.5,"0")', "3"), ('TEXT(-2.5,"0")', "-3"), ('TEXT(-0.5,"0")', "-1"),
    ('TEXT(0.125,"0.00")', "0.13"), ('TEXT(1.005,"0.00")', "1.01"),
    ('TEXT(0.125,"0%")', "13%"), ('TEXT(0.28749999999,"0.0%")', "28.7%"),
    ('TEXT(999999.995,"#,##0.00")', "1,000,000.00"), ('TEXT(-1234.5,"$#,##0")', "-$1,235"),
    ('TEXT(-0.004,"0.00;(0.00)")', "(0.00)"), ('TEXT(0,"0.0;(0.0);""-""")', "-"),
    ('TEXT("12.5","0.00")', "12.50"), ('TEXT("abc","0.00")', "abc"), ('TEXT(TRUE,"0")', "TRUE"),
    ('TEXT(A5,"0.0")', "0.0"), ('TEXT(A8,"0")', NA), ('TEXT(H2,"@")', "0.333333333333333"),
    ('TEXT(G6,"yyyy-mm-dd hh:mm")', "2023-03-15 18:00"), ('TEXT(H1,"mmm yyyy")', "Mar 2024"),
    ('TEXT(-1,"yyyy")', VALUE), ('SUM(--TEXT(C1:C2/100,"0.0"))', 0.3),
    ('"Return "&TEXT(G3/100,"0.00%")', "Return 0.30%"),
]
# Numbers become texts of at most 15 digits.
DIGITS: list[tuple[str, Value]] = [
    ('G3&""', "0.3"), ('0.1+0.2&"x"', "0.3x"), ('1/3&""', "0.333333333333333"),
    ('A1&A3&C1/3', "1a3.33333333333333"), ("LEN(G3)", 3.0), ("LEFT(2/3,5)", "0.666"),
    ("CONCAT(G3,1/3)", "0.30.333333333333333"), ('TEXTJOIN(",",TRUE,G3,A1)', "0.3,1"),
    ('G3&""="0.3"', True), ('(G3&"")*1', 0.3), ('SUM(--(G1:G2*3&""="0.3"))', 1.0),
    ('A7&""', "TRUE"), ('A5&"x"', "x"), ('12345678&"x"', "12345678x"), ('-G3&""', "-0.3"),
    ("UPPER(1/3)", "0.333333333333333"), ('EXACT(G3,"0.3")', True),
    ('LET(x,G3,x&"")', "0.3"), ('IF(A1=1,G3,0)&"%"', "0.3%"),
]
# Pairs of which one half is no number are left out.
PAIRS: list[tuple[str, Value]] = [
    ("SUMXMY2(D1:D5,E1:E5)", 74.0), ("SUMX2PY2(D1:D5,E1:E5)", 152.0),
    ("SUMX2MY2(D1:D5,E1:E5)", 44.0), ("SUMXMY2(A7:A8,C1:C2)", NA),
    ("CORREL(D1:D5,E1:E5)", -0.29506585332970164), ("SUMPRODUCT(D1:D5,E1:E5)", 39.0),
]
ALL = [*LOGIC, *CRITERIA, *LOOKUPS, *FORMATS, *DIGITS, *PAIRS]


@pytest.fixture(scope="module")
def values() -> dict[str, Value]:
    done = computed({**SHEET, **{f"Z{row}": F(formula, 0.0, f"Z{row}")
                                 for row, (formula, _) in enumerate(ALL, start=1)}},
                    calculates=True)
    assert not done.warnings
    return stored(done.bytes)


def test_there_are_enough() -> None:
    assert len(ALL) >= 60


@pytest.mark.parametrize("row", range(1, len(ALL) + 1))
def test_natives(values: dict[str, Value], row: int) -> None:
    formula, expected = ALL[row - 1]
    value = values.get(f"Z{row}")
    if isinstance(expected, float) and isinstance(value, float):
        assert math.isclose(value, expected, rel_tol=1e-12, abs_tol=1e-12), formula
    else:
        assert (type(value), value) == (type(expected), expected), formula


@pytest.mark.parametrize("formula", [
    'TEXT(2.5,"0.0E+00")', 'TEXT(0.5,"# ?/?")', 'TEXT(1234,"#,##0,")', 'TEXT(1,A1)',
    'TEXT(12,"0.##")', 'TEXT(5,"[>100]0;0.0")', 'TEXT(1,"0.000000000")',
    'SUM(COUNTIF(B1:B6,{"<>Cash","<>Tech"}))', "SUMIFS(C1:C6,B1:B6,G4,A1:A6,G5)", "A1:A6 B1:B6",
    "1+" * 5000 + "1",
])
def test_what_the_engine_would_get_wrong_is_not_computed(formula: str) -> None:
    done = computed({**SHEET, "Z1": F(formula)})
    assert "Z1" not in stored(done.bytes)
    assert str(done.warnings[0]).startswith("Sheet1!Z1: not calculated: ")
