"""Formulas of a workbook file: how portbal calls may be written, and what native ones give."""

from __future__ import annotations

import math

import pytest

from hosts.workbook_files import (
    Cells,
    Error,
    F,
    Value,
    computed,
    parts_of,
    result,
    stored,
    workbook,
    zipped,
)
from portbal_addin.hosts.workbook import recalculate

WEIGHTS: Cells = {
    "A1": "A", "B1": 0.6, "A2": "B", "B2": 0.4,
    "C1": "A", "D1": 0.5, "C2": "B", "D2": 0.5,
}
TURNOVER = 0.1  # half of |0.6 - 0.5| + |0.4 - 0.5|


def number(value: Value) -> float:
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize("name", [
    "PORTBAL.TURNOVER", "PORTBAL_TURNOVER", "_xldudf_PORTBAL_TURNOVER", "[1]!PORTBAL_TURNOVER",
    "portbal.turnover", "Portbal_Turnover", "_xlfn.PORTBAL.TURNOVER",
    "'portbal.xlam'!PORTBAL_TURNOVER",
])
def test_every_spelling(name: str) -> None:
    assert number(result(f"{name}(A1:B2,C1:D2)", WEIGHTS)) == pytest.approx(TURNOVER)


@pytest.mark.parametrize(("formula", "expected"), [
    ("ROUND(PORTBAL.TURNOVER(A1:B2,C1:D2)*100,2)", 10.0),
    ('IF(B1>0,PORTBAL.TURNOVER(A1:B2,C1:D2),"-")', TURNOVER),
    ('IF(B1>9,PORTBAL.TURNOVER(A1:B2),"-")', "-"),
    ('IFERROR(PORTBAL.TURNOVER(A1:B2,C1:D2),"boo")', TURNOVER),
    ('IFERROR(PORTBAL.TURNOVER(A1:B2)*2,"boo")', "boo"),
    ("-PORTBAL.TURNOVER(A1:B2,C1:D2)%", -TURNOVER / 100),
    ("2*(1+PORTBAL.TURNOVER(A1:B2,C1:D2))^2", 2.42),
    ('SUM(PORTBAL.IMPLIEDRETURNS(A1:B2,{"","A","B";"A",0.04,0;"B",0,0.09}))', 2.5 * 0.06),
    ('INDEX(PORTBAL.IMPLIEDRETURNS(A1:B2,{"","A","B";"A",0.04,0;"B",0,0.09}),3,2)', 2.5 * 0.036),
    ("ROWS(PORTBAL.FUNCTIONS())>20", True),
    ('PORTBAL.VERSION()&""=PORTBAL.VERSION()', True),
    ("ISERROR(PORTBAL.VERSION())", False),
    ("ISERROR(PORTBAL.TURNOVER(A1:B2)+1)", True),
    ("PORTBAL.PROBLEM(PORTBAL.TURNOVER(A1:B2))", True),
    ("PORTBAL.PROBLEM(PORTBAL.TURNOVER(A1:B2,C1:D2))", False),
    ("PORTBAL.SHARPE({\"A\",1},{\"A\",0.05},{\"\",\"A\";\"A\",0.04},\n0.01)", 0.2),
])
def test_portbal_inside_native_formulas_and_each_other(formula: str, expected: Value) -> None:
    value = result(formula, WEIGHTS)
    if isinstance(expected, float):
        assert number(value) == pytest.approx(expected)
    else:
        assert value == expected


@pytest.mark.parametrize("argument", [
    "C1:D2", "$C$1:$D$2", "D2:C1", "(C1:D2)", "Sheet1!C1:D2", "Wanted", "wanted", "Pairs",
    "Pairs[]", "Pairs[#Data]", "Pairs[[Name]:[Weight]]", '{"A",0.5;"B",50%}', "C:D",
    "INDEX(C1:D2,0,0)", "IF(TRUE,C1:D2)", "OFFSET(A1,0,2,2,2)", 'INDIRECT("C1:D2")',
    'INDIRECT("Wan"&"ted")', 'INDIRECT("Sheet1!C1:D"&2)', "CHOOSE({1,2},C1:C2,D1:D2)",
    "_xlfn.HSTACK(C1:C2,D1:D2*1)", "_xlfn.ANCHORARRAY(M1)", "M1#", "'Other ''s'!A1:B2", "Local",
])
def test_every_way_to_give_an_argument(argument: str) -> None:
    cells = {**WEIGHTS, "F1": "Name", "G1": "Weight", "F2": "A", "G2": 0.5, "F3": "B", "G3": 0.5,
             "M1": F("C1:D2", "A", "M1:N2"), "N1": 0.5, "M2": "B", "N2": 0.5,
             "Z99": F(f"PORTBAL.TURNOVER(A1:B2,{argument})")}
    done = computed(
        {"Sheet1": cells, "Other 's": {"A1": "A", "B1": 0.5, "A2": "B", "B2": 0.5}},
        names={"Wanted": "Sheet1!$C$1:$D$2", "Sheet1!Local": "'Other ''s'!$A$1:$B$2",
               "Local": "Sheet1!$A$1"},
        tables={"Pairs": ("Sheet1", "F1:G3", ["Name", "Weight"])},
    )
    assert not done.problems
    assert not done.warnings
    assert number(stored(done.bytes)["Z99"]) == pytest.approx(TURNOVER)


def test_arguments_left_out() -> None:
    """In the middle, at the end, as empty text, as blank cells."""
    cells = {"A1": "X", "A2": 0.02, "A3": -0.04, "A4": 0.01, "A5": -0.03}
    for formula in ("PORTBAL.VAR(A1:A5,,0.5)", "PORTBAL.VAR(A1:A5,,0.5,,)",
                    'PORTBAL.VAR(A1:A5,"",0.5,"")', "PORTBAL.VAR(A1:A5,H1:H9,0.5,J1)"):
        assert number(result(formula, cells)) == pytest.approx(0.01), formula  # minus the median


def test_columns_of_tables() -> None:
    cells = {"A1": "Date", "B1": "AAPL", "C1": "It's [odd]", "A2": 40000.0, "B2": 100.0, "C2": 1.0,
             "A3": 40001.0, "B3": 110.0, "C3": 3.0, "E3": F("Prices[[#This Row],[AAPL]]*2"),
             "E4": F("SUM(Prices[It''s '[odd']])"), "E5": F("Prices[[#Headers],[AAPL]]"),
             "E6": F("INDEX(PORTBAL.RETURNS(Prices[#All]),2,2)"), "E7": F("ROWS(Prices)"),
             "E8": F("SUM(Prices[[#Data],[AAPL]:[It''s '[odd']]])"), "E2": F("Prices[@AAPL]"),
             "E9": F("Prices[Nope]")}
    done = computed({"Sheet1": cells},
                    tables={"Prices": ("Sheet1", "A1:C3", ["Date", "AAPL", "It's [odd]"])})
    values = stored(done.bytes)
    assert [values.get(f"E{row}") for row in range(2, 9)] == [
        100.0, 220.0, 4.0, "AAPL", pytest.approx(0.1), 2.0, 214.0]
    assert "E9" not in values
    assert [str(warning) for warning in done.warnings] == [
        "Sheet1!E9: not calculated: the table Prices has no column 'Nope'. Mend the reference."]


def test_names_of_names_constants_and_relative_names() -> None:
    cells = {"A1": 2.0, "B1": 5.0, "C2": F("Left*Rate"), "B2": 7.0, "C3": F("Twice"),
             "C4": F("Add(1,2)"), "C5": F("Round")}
    done = computed({"Sheet1": cells}, names={
        "Rate": "0.5", "Left": "Sheet1!XFD1", "Twice": "Both+Both", "Both": "SUM(Sheet1!$A$1:$B$1)",
        "Add": "_xlfn.LAMBDA(_xlpm.x,_xlpm.y,_xlpm.x+_xlpm.y)", "Round": "Round2",
        "Round2": "Round",
    })
    values = stored(done.bytes)
    assert values["C3"] == 14.0
    assert values["C4"] == 3.0
    assert "C5" not in values
    assert "is defined by itself" in str(done.warnings[-1])


def test_shared_formulas() -> None:
    """Excel stores a formula that was filled down once, with the area it covers."""
    data = workbook({"A1": 1.0, "A2": 2.0, "A3": 3.0,
                     "B1": F("A1*$A$3"), "B2": F("x"), "B3": F("x")})
    parts = parts_of(data)
    sheet = parts["xl/worksheets/sheet1.xml"]
    sheet = sheet.replace(b"<f>A1*$A$3</f>", b'<f t="shared" ref="B1:B3" si="0">A1*$A$3</f>')
    sheet = sheet.replace(b"<f>x</f>", b'<f t="shared" si="0"/>')
    done = recalculate(zipped({**parts, "xl/worksheets/sheet1.xml": sheet}))
    values = stored(done.bytes)
    assert [values[f"B{row}"] for row in (1, 2, 3)] == [3.0, 6.0, 9.0]


@pytest.mark.parametrize(("formula", "words"), [
    ("PORTBAL.TURNOVR(A1:B2,C1:D2)", "#PORTBAL TURNOVR: there is no function 'TURNOVR'. "
                                     "Did you mean 'TURNOVER'?"),
    ("PORTBAL.TURNOVER(A1:B2,C1:D2,1)", "#PORTBAL TURNOVER: 3 arguments were given"),
    ("PORTBAL.TURNOVER(A1:B2,Nope)", "the cell is the error #NAME?"),
    ("PORTBAL.TURNOVER(A1:B2,C1:D3)", "target row 3, column 2 (Sheet1!D3): the cell is blank"),
])
def test_problems_name_the_cell(formula: str, words: str) -> None:
    done = computed({**WEIGHTS, "C3": "C", "Z99": F(formula)})
    assert words in str(stored(done.bytes)["Z99"])
    assert [problem.cell for problem in done.problems] == ["Sheet1!Z99"]


@pytest.mark.parametrize(("formula", "reason"), [
    ("PORTBAL.TURNOVER(A1:B2,[2]Other!A1:B2)", "another workbook"),
    ("[2]!THEIRS(A1)", "calls THEIRS of another workbook"),
    ("SUM(Jan:Dec!A1)", "several sheets"),
    ("SUM((A1:A2,B1))", "joins several areas"),
    ("SUM(A1:A2 A2:A3)", "intersects"),
    ("SUM(A1:INDEX(B1:B2,2))", "computes a corner"),
    ("GETPIVOTDATA(\"x\",A1)", "GETPIVOTDATA is not known"),
    ("NOSUCHFUNCTION(A1)", "does not know a function"),
    ('INDIRECT("R1C1",FALSE)', "R1C1"),
    ("MAP(A1:A2,LAMBDA(r,PORTBAL.VAR(r)))", "parameter of LAMBDA"),
    ("RAND()", "random numbers"),
    ("SUM(" * 70 + "1" + ")" * 70, "more than 64 levels"),
    ("SUM(A1", "parentheses"),
    ("1 2", "intersects"),
    ("A1,B1", "commas"),
])
def test_what_cannot_be_carried_is_said(formula: str, reason: str) -> None:
    done = computed({**WEIGHTS, "Z99": F(formula)})
    assert "Z99" not in stored(done.bytes)
    assert reason in str(done.warnings[0])


# --- native formulas ---------------------------------------------------------------------

NUMBERS: Cells = {
    **{f"A{row}": value for row, value in enumerate((3.0, 1.0, 4.0, 1.5, 5.0), start=1)},
    **{f"B{row}": 10.0 * row for row in range(1, 6)},
    **{f"C{row}": text for row, text in enumerate("abacb", start=1)},
}
ARRAYS: list[tuple[str, Value]] = [
    ("COUNT(IF(A1:A5>2,A1:A5))", 3.0),
    ("AVERAGE(IF(A1:A5>2,A1:A5))", 4.0),
    ("MEDIAN(IF(A1:A5>2,A1:A5))", 4.0),
    ("SUM(IF(A1:A5>2,B1:B5))", 90.0),
    ('MAX(IF(C1:C5="a",B1:B5))', 30.0),
    ('SUM((C1:C5="a")*B1:B5)', 40.0),
    ("SUMPRODUCT(--(A1:A5>2),B1:B5)", 90.0),
    ("SUM(COUNTIF(C1:C5,C1:C5))", 9.0),
    ("SUM(1/COUNTIF(C1:C5,C1:C5))", 3.0),
    ("SUMPRODUCT(1/COUNTIF(C1:C5,C1:C5))", 3.0),
    ('SUM(COUNTIFS(C1:C5,{"a","b"}))', 4.0),
    ('SUM(SUMIFS(B1:B5,C1:C5,{"a","b"}))', 110.0),
    ('SUM(SUMIF(C1:C5,{"a","b"},B1:B5))', 110.0),
    ("NPV(0.1,A1:A5*1)", 3 / 1.1 + 1 / 1.1**2 + 4 / 1.1**3 + 1.5 / 1.1**4 + 5 / 1.1**5),
    ("STDEV.S(IF(A1:A5>2,A1:A5))", 1.0),
    ('INDEX(A1:B5,MATCH(1,(C1:C5="c")*1,0),2)', 40.0),
    ("MATCH(1,(A1:A5=1.5)*(B1:B5=40),0)", 4.0),
    ('TEXTJOIN(",",TRUE,IF(A1:A5>2,C1:C5,""))', "a,a,b"),
    ('CONCAT(IF(A1:A5>2,C1:C5,""))', "aab"),
    ("PRODUCT(1+A1:A5/100)", 1.03 * 1.01 * 1.04 * 1.015 * 1.05),
    ("GEOMEAN(IF(A1:A5>2,A1:A5))", 60 ** (1 / 3)),
    ("SUM(LARGE(A1:A5,{1,2}))", 9.0),
    ('SUM(LARGE(A1:A5,ROW(INDIRECT("1:2"))))', 9.0),
    ("SUM(CHOOSE({1,2},A1:A5,B1:B5))", 164.5),
    ("SUM(CHOOSE({2;1},A1:A5,B1:B5))", 164.5),
    ("LET(x,A1:A5,SUM(x*x))", 53.25),
    ("LET(x,A1:A5,SUM(ROUND(x/2,0)))", 9.0),
    ("LET(f,LAMBDA(x,x+1),f(2))", 3.0),
    ("LAMBDA(x,x+1)(2)", 3.0),
    ("SUM(ISNUMBER(A1:A5)*1)", 5.0),
    ("SUM(ISNUMBER(MATCH(A1:A5,{1,3},0))*1)", 2.0),
    ("SUM(ISBLANK(A1:A9)*1)", 4.0),
    ("SUM(IFERROR(1/(A1:A5-1),0))", 0.5 + 1 / 3 + 2 + 0.25),
    ("SUM(IF(ISERROR(1/(A1:A5-1)),0,B1:B5))", 130.0),
    ("SUM(VLOOKUP({3,4},A1:B5,2,FALSE))", 40.0),
    ("SUM(XLOOKUP({3;4},A1:A5,B1:B5))", 40.0),
    ("XLOOKUP(8,A1:A5*2,B1:B5)", 30.0),
    ("SUM(IFS(A1:A5>2,1,TRUE,0))", 3.0),
    ("SUM(ROUND(A1:A5/3,0))", 5.0),
    ("SUM(MOD(A1:A5,2))", 4.5),
    ("COUNT(1/(A1:A5>2))", 3.0),
    ("COUNTA(IF(A1:A5>2,A1:A5))", 5.0),
    ("INDEX(SORT(A1:A5,,-1),1)", 5.0),
    ("SUM((A1:A5>1)*(A1:A5<5)*B1:B5)", 80.0),
    ("SUM(LEN(C1:C5))", 5.0),
    ('SUM(--EXACT(C1:C5,"a"))', 2.0),
    ("MMULT(TRANSPOSE(A1:A5),B1:B5)", 480.0),
    ('SUM(TEXT(A1:A5,"0")*1)', 15.0),
    ("SUM(OFFSET(A1,0,0,3,1))", 8.0),
    ("SUM(MAP(A1:A5,LAMBDA(x,ROUND(x,0))))", 15.0),
    ("REDUCE(0,A1:A5,LAMBDA(a,x,a+x))", 14.5),
    ("SUM(BYROW(A1:B5,LAMBDA(r,SUM(r))))", 164.5),
    ("SUM(_xlfn._xlws.FILTER(B1:B5,A1:A5>2))", 90.0),
    ("COUNTA(_xlfn.UNIQUE(C1:C5))", 3.0),
    ("SUMPRODUCT((A:A>2)*1)", 3.0),
    ("SUM(A:A)", 14.5),
    ("SUM(INDEX(A1:B5,0,2))", 150.0),
    ("ISNA(XLOOKUP(9,A1:A5,B1:B5))", True),
    ("ISERROR(INDEX(A1:A5,9))", True),
    ("ROUND(SUM(A1:A5)/3,2)", 4.83),
    ("-2^2", 4.0),
    ("10%%", 0.001),
    ('"a""b"&C1', 'a"ba'),
    ("1E3+.5", 1000.5),
]


@pytest.fixture(scope="module")
def arrays() -> dict[str, Value]:
    """Array formulas of a file in which no program left values."""
    cells = {**NUMBERS, **{f"Z{row}": F(formula, 0.0, f"Z{row}")
                           for row, (formula, _) in enumerate(ARRAYS, start=1)}}
    done = computed(cells, calculates=True)
    assert not done.warnings
    return stored(done.bytes)


@pytest.mark.parametrize("row", range(1, len(ARRAYS) + 1))
def test_array_formulas(arrays: dict[str, Value], row: int) -> None:
    formula, expected = ARRAYS[row - 1]
    value = arrays[f"Z{row}"]
    if isinstance(expected, float):
        assert math.isclose(number(value), expected, rel_tol=1e-12), formula
    else:
        assert value == expected, formula


@pytest.mark.parametrize(("formula", "expected"), [
    ("A1:A5*2", 8.0), ("ROUND(A1:A5/3,1)", 1.3), ("SUM(A1:A5*2)", 8.0), ("SUM(A1:A5)", 14.5),
    ("SUMPRODUCT(A1:A5*2)", 29.0), ('COUNTIF(C1:C5,C1:C5)', 2.0), ("B1:B5", 30.0),
    ("H1:J1", Error("#VALUE!")), ("_xlfn.SEQUENCE(3)", 1.0), ("INDEX(A1:B5,0,2)", 10.0),
])
def test_a_formula_that_is_no_array_formula_shows_one_value(formula: str, expected: Value) -> None:
    """The value of its own row, as spreadsheet programs read such files; nothing spills."""
    done = computed({**NUMBERS, "Z3": F(formula)})
    values = stored(done.bytes)
    assert values["Z3"] == expected
    assert "Z4" not in values


def test_blanks_in_expressions_stay_blanks() -> None:
    """A blank price inside FILTER is no price of 0."""
    cells = {"A1": "X", "A2": 100.0, "A4": 121.0}
    value = result("PORTBAL.RETURNS(_xlfn._xlws.FILTER(A1:A4,{TRUE;TRUE;TRUE;TRUE}))", cells)
    assert "the cell is blank" in str(value)


def test_whole_columns_are_read_as_far_as_they_are_used() -> None:
    cells = {"A1": "X", "A2": 100.0, "A3": 110.0, "C1": F("PORTBAL.RETURNS(A:A)", None, "C1"),
             "E9": 5.0}
    assert stored(computed(cells).bytes)["C2"] == pytest.approx(0.1)


def test_cells_as_they_are_stored() -> None:
    """Errors, truths, text that looks like an error, escaped characters."""
    cells = {"A1": Error("#DIV/0!"), "A2": True, "A3": "#N/A", "A4": "a_x000D_b", "A5": "<&>",
             "B1": F("ISERROR(A1)"), "B2": F("A2"), "B3": F("ISERROR(A3)"), "B4": F("LEN(A4)"),
             "B5": F("A5&A5"), "B6": F("A1+1"), "B7": F('"_x0041_"')}
    values = stored(computed(cells).bytes)
    assert [values[f"B{row}"] for row in range(1, 7)] == [
        True, True, False, 3.0, "<&><&>", Error("#DIV/0!")]
    assert values["B7"] == "_x005F_x0041_"  # how a file writes the text _x0041_


def test_sheets_of_any_name() -> None:
    names = ["A1", "RC", "TRUE", "It's 'odd'", "x" * 40, "a/b?c", "Ümlaut 1", "portbal", "2024"]
    sheets = {name: {"A1": float(at)} for at, name in enumerate(names)}
    cells = {f"A{at + 1}": F("'" + name.replace("'", "''") + "'!A1*1")
             for at, name in enumerate(names)}
    cells["B1"] = F('PORTBAL.VAR(INDEX({"X";0.5;-0.5},0,1),,0.5)+SUM(portbal!A1)')
    done = computed({"Main": cells, **sheets})
    values = stored(done.bytes)
    assert [values[f"A{at + 1}"] for at in range(len(names))] == [float(n) for n in range(9)]
    assert values["B1"] == 7.0


def test_one_value_of_an_area() -> None:
    cells = {**NUMBERS, "Z3": F("@A1:A5*2"), "Z4": F("_xlfn.SINGLE(A1:A5)", None, "Z4"),
             "Z5": F("@PORTBAL.FUNCTIONS()"), "Z6": F("=1+1"), "Z7": F("")}
    done = computed(cells)
    values = stored(done.bytes)
    assert [values.get(f"Z{row}") for row in range(3, 8)] == [8.0, 1.5, "Name", 2.0, None]
    assert "its formula is empty" in str(done.warnings[0])


def test_areas_of_a_whole_sheet_are_not_read_cell_by_cell() -> None:
    far = {"A1": 1.0, "XFD1048576": 1.0}
    done = computed({"Far": far, "Main": {
        "A1": F("PORTBAL.PROBLEM(Far!A1:XFD1048576)"), "A2": F("1+1", 5.0, "A2:XFD1048576"),
        "A3": F("COUNT(Far!A1:XFD1048576)")}})
    values = stored(done.bytes, 2)
    assert "A:XFD has 17,179,869,184 cells" in str(values["A1"])
    assert values["A2"] == 5.0
    assert "it fills 17,179,852,800 cells" in str(done.warnings[0])
    assert "it reads 17,179,869,184 cells" in str(done.warnings[1])


def test_what_if_tables_stay() -> None:
    data = workbook({"A1": 1.0, "B1": F("A1*2", 2.0), "B2": F("x", 7.0), "C1": F("B2+1", 8.0)})
    parts = parts_of(data)
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(
        b"<f>x</f>", b'<f t="dataTable" ref="B2:B3" dt2D="0" dtr="0" r1="A1"/>')
    done = recalculate(zipped(parts))
    assert done.bytes == zipped(parts)
    assert "what-if data table" in str(done.warnings[0])
