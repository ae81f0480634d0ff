"""Results of several cells: they grow, shrink, are blocked, and are read by other formulas."""

from __future__ import annotations

import pytest

from hosts.workbook_files import Cells, Error, F, computed, formulas, stored
from portbal_addin.hosts.workbook import recalculate

PRICES: Cells = {"A1": "A", "B1": "B", "A2": 100.0, "B2": 50.0, "A3": 110.0, "B3": 55.0,
                 "A4": 121.0, "B4": 44.0}
CALL = "PORTBAL.RETURNS(A1:B4)"
RETURNS = {"D1": "A", "E1": "B", "D2": 0.1, "E2": 0.1, "D3": 0.1, "E3": -0.2}


def spill(values: dict[str, object]) -> dict[str, object]:
    """The cells right of the prices."""
    return {address: pytest.approx(value) if isinstance(value, float) else value
            for address, value in values.items() if address[0] not in "AB"}


def test_a_spill_grows() -> None:
    done = computed({**PRICES, "D1": F(CALL, "stale", "D1")})
    assert spill(stored(done.bytes)) == RETURNS
    assert formulas(done.bytes)["D1"] == (CALL, "D1:E3")


def test_a_spill_shrinks_and_leaves_nothing_behind() -> None:
    old = {"E1": 1.0, "F1": 2.0, "D5": 3.0, "E5": "x", "F5": Error("#N/A")}
    done = computed({**PRICES, **old, "D1": F(CALL, "stale", "D1:F5")})
    assert spill(stored(done.bytes)) == RETURNS
    assert formulas(done.bytes)["D1"] == (CALL, "D1:E3")


def test_a_spill_of_a_second_run_is_the_same() -> None:
    first = computed({**PRICES, "D1": F(CALL, None, "D1")})
    second = recalculate(first.bytes)
    assert second.changed == 0
    assert second.bytes == first.bytes


@pytest.mark.parametrize("content", [1.0, "text", False, F("1+1", 2.0), Error("#N/A")])
def test_content_in_the_way_stays_and_is_named(content: object) -> None:
    done = computed({**PRICES, "D1": F(CALL, "old", "D1:D2"), "D2": 5.0, "E3": content})
    values = stored(done.bytes)
    assert values["D1"] == (
        "#PORTBAL RETURNS: the result needs D1:E3, and E3 is not empty. Make room for it.")
    assert values["E3"] == (2.0 if isinstance(content, F) else content)
    assert "D2" not in values
    assert formulas(done.bytes)["D1"] == (CALL, "D1")
    assert [problem.cell for problem in done.problems] == ["Sheet1!D1"]


def test_merged_cells_tables_and_the_edge_are_in_the_way() -> None:
    merged = computed({"Sheet1": {**PRICES, "D1": F(CALL, None, "D1")}},
                      merged={"Sheet1": ["D3:E3"]})
    assert "D3:E3 is a table or a merged cell" in str(merged.problems[0])
    table = computed({"Sheet1": {**PRICES, "D1": F(CALL, None, "D1")}},
                     tables={"T": ("Sheet1", "E2:F4", ["x", "y"])})
    assert "E2:F4 is a table or a merged cell" in str(table.problems[0])
    edge = computed({**PRICES, "XFD1": F(CALL, None, "XFD1")})
    assert "it would leave the sheet" in str(edge.problems[0])


def test_two_spills_in_each_others_way() -> None:
    done = computed({**PRICES, "D1": F(CALL, None, "D1"), "E1": F(CALL, None, "E1")})
    values = stored(done.bytes)
    assert "E1 is not empty" in str(values["D1"])
    assert values["E1"] == "A"
    assert values["F3"] == pytest.approx(-0.2)


def test_room_that_another_spill_frees_is_used() -> None:
    """D1 shrinks from four rows to three, and D4 needs the fourth."""
    cells = {**PRICES, "D1": F(CALL, "old", "D1:E4"), "E1": 1.0, "D4": 1.0, "E4": 1.0,
             "G1": F("PORTBAL.MEANRETURN(A8:B10,,1)", "old", "G1"),
             "C4": F("_xlfn.SEQUENCE(1,2)", Error("#VALUE!"), "C4")}
    values = stored(computed(cells).bytes)
    assert (values["C4"], values["D4"]) == (1.0, 2.0)


def test_a_problem_fills_the_range_that_the_formula_had() -> None:
    done = computed({"A1": "A", "D1": F("PORTBAL.RETURNS(A1:A2)", "old", "D1:E2"), "E1": 1.0,
                     "D2": 2.0, "E2": 2.0, "G1": F("SUM(D2:E2)")})
    values = stored(done.bytes)
    assert str(values.pop("D1")).startswith("#PORTBAL RETURNS: prices")
    assert values == {"A1": "A", "E1": Error("#N/A"), "D2": Error("#N/A"), "E2": Error("#N/A"),
                      "G1": Error("#N/A")}
    assert formulas(done.bytes)["D1"][1] == "D1:E2"


def test_a_problem_is_passed_on_through_cells() -> None:
    done = computed({"A1": "A", "D1": F("PORTBAL.RETURNS(A1:A2)", None, "D1"),
                     "G1": F("PORTBAL.MEANRETURN(D1:E9)", None, "G1"),
                     "H1": F("PORTBAL.PROBLEM(D1)")})
    values = stored(done.bytes)
    assert values["G1"] == values["D1"]
    assert values["H1"] is True
    assert [problem.cell for problem in done.problems] == ["Sheet1!D1", "Sheet1!G1"]


def test_array_formulas_of_fixed_size() -> None:
    """They keep their size: what is missing is #N/A, one value is repeated, more is said."""
    wide = computed({**PRICES, "D1": F(CALL, None, "D1:F4", legacy=True)})
    missing = {**dict.fromkeys(["F1", "F2", "F3", "D4", "E4", "F4"], Error("#N/A"))}
    assert RETURNS | missing == spill(stored(wide.bytes))
    one = computed({"D1": F("PORTBAL.VERSION()", None, "D1:E2", legacy=True)})
    assert len(set(stored(one.bytes).values())) == 1
    assert len(stored(one.bytes)) == 4
    narrow = computed({**PRICES, "D1": F(CALL, None, "D1:D2", legacy=True)})
    assert set(stored(narrow.bytes)) - set(PRICES) == {"D1", "D2"}
    assert "has 3 rows and 2 columns" in str(narrow.warnings[0])


def test_a_plain_formula_shows_the_first_cell_and_says_so() -> None:
    done = computed({**PRICES, "D1": F(CALL)})
    assert set(stored(done.bytes)) - set(PRICES) == {"D1"}
    assert stored(done.bytes)["D1"] == "A"
    assert "has 3 rows and 2 columns" in str(done.warnings[0])


def test_the_blank_corner_of_a_matrix_is_an_empty_text() -> None:
    formula = "PORTBAL.COVARIANCE(PORTBAL.RETURNS(A1:B4),,12)"
    done = computed({**PRICES, "D1": F(formula, None, "D1")})
    values = stored(done.bytes)
    assert values["D1"] == ""
    assert values["E1"] == "A"
    assert values["F3"] == pytest.approx(12 * 0.045)


@pytest.mark.parametrize("spelling", ["_xlfn.ANCHORARRAY(D1)", "D1#"])
def test_whole_spills_are_read_as_they_grow(spelling: str) -> None:
    cells = {**PRICES, "D1": F(CALL, "old", "D1"), "H1": F(f"ROWS({spelling})"),
             "H2": F(f"SUM({spelling})"), "J1": F(f"PORTBAL.MEANRETURN({spelling},,1)", None, "J1"),
             "M1": F(f"_xlfn.DROP({spelling},1)*100", None, "M1")}
    values = stored(computed(cells).bytes)
    assert values["H1"] == 3.0
    assert values["H2"] == pytest.approx(0.1)
    assert (values["J2"], values["K2"]) == ("A", pytest.approx(0.1))
    assert (values["M1"], values["N2"]) == (pytest.approx(10), pytest.approx(-20))


def test_native_spills_around_portbal_calls() -> None:
    formula = "_xlfn._xlws.SORT(PORTBAL.MEANRETURN(PORTBAL.RETURNS(A1:B4),,1),2)"
    done = computed({**PRICES, "D1": F(formula, None, "D1")})
    values = stored(done.bytes)
    assert [values[a] for a in ("D1", "E1", "D2", "E2", "D3", "E3")] == [
        "B", pytest.approx(-0.05), "A", pytest.approx(0.1), "Asset", "Return"]
    assert formulas(done.bytes)["D1"][1] == "D1:E3"


def test_chains_of_portbal_and_native_formulas() -> None:
    """Weights go through native cells and back: every link sees the one before it."""
    cells: dict[str, object] = {"A1": "A", "B1": 1.0, "A2": "B", "B2": 0.0}
    for row in range(4, 40, 2):
        above = row - 2 if row > 4 else 1
        cells |= {f"A{row}": "A", f"A{row + 1}": "B",
                  f"B{row}": F(f"1-C{above}" if row > 4 else "0.5"),
                  f"B{row + 1}": F(f"1-B{row}"),
                  f"C{row}": F(f"PORTBAL.TURNOVER($A$1:$B$2,A{row}:B{row + 1})")}
    values = stored(computed(cells).bytes)
    assert {values[f"C{row}"] for row in range(4, 40, 2)} == {0.5}


def test_circles_are_named() -> None:
    own = computed({**PRICES, "D1": F("PORTBAL.RETURNS(A1:E4)", "old", "D1:E3")})
    assert "its arguments depend on its own result" in str(stored(own.bytes)["D1"])
    through = computed({"A1": "A", "A2": F("C1", 1.0), "A3": 5.0,
                        "C1": F("PORTBAL.VAR(A1:A3)", 1.0)})
    assert "its arguments depend on its own result" in str(stored(through.bytes)["C1"])
    hidden = computed({"A1": "A", "A2": 0.1, "A3": F('INDIRECT("C"&1)+1', 2.0),
                       "C1": F("PORTBAL.VAR(A1:A3)", 1.0)})
    assert "its arguments depend on its own result" in str(stored(hidden.bytes)["C1"])
    native = computed({"A1": F("B1+1"), "B1": F("A1+1"), "C1": F("PORTBAL.VERSION()")})
    assert stored(native.bytes)["A1"] == Error("#VALUE!")
    assert str(native.warnings[0]) == "Sheet1!A1: it depends on itself"
    assert stored(native.bytes)["C1"] == "0.1.0"


def test_a_native_spill_without_room() -> None:
    done = computed({"A1": F("_xlfn.SEQUENCE(3)", None, "A1"), "A2": "mine"})
    assert stored(done.bytes) == {"A1": Error("#VALUE!"), "A2": "mine"}
    assert str(done.warnings[0]) == "Sheet1!A1: its result has no room"


def test_dates_are_serial_numbers_of_the_workbook() -> None:
    serials = {"A1": "Date", "B1": "A", "A2": 40000.0, "B2": 100.0, "A3": 40001.0, "B3": 110.0}
    cells = {**serials, "D1": F("PORTBAL.RETURNS(A1:B3)", None, "D1")}
    assert stored(computed(cells).bytes)["D2"] == 40001.0
    assert stored(computed(cells, date1904=True).bytes)["D2"] == 40001.0


def test_text_from_cells_never_becomes_a_formula() -> None:
    names = {"A1": "=1+1", "B1": "+cmd|' /C calc'!A0", "A2": 1.0, "B2": 1.0, "A3": 2.0, "B3": 3.0}
    done = computed({**names, "D1": F("PORTBAL.RETURNS(A1:B3)", None, "D1")})
    values = stored(done.bytes)
    assert (values["D1"], values["E1"]) == (names["A1"], names["B1"])
    assert list(formulas(done.bytes)) == ["D1"]
