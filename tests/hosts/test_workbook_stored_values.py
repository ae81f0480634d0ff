"""The engine is judged by the values that a spreadsheet program left in the file."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest

from hosts.workbook_files import Error, F, computed, formulas, stored, workbook
from portbal.errors import NotAvailable
from portbal_addin.hosts.workbook import recalculate


def test_a_value_that_the_engine_gets_wrong_stays() -> None:
    """ROUND of a datetime difference, say; here any number that differs."""
    done = computed({"A1": 2.0, "B1": F("A1*2", 4.5), "B2": F("A1*3", 6.0)})
    assert stored(done.bytes)["B1"] == 4.5
    assert [str(warning) for warning in done.warnings] == [
        "Sheet1!B1: kept as stored: the engine gives 4 where 4.5 is stored."]
    assert done.changed == 0


def test_what_depends_on_a_kept_value_uses_it() -> None:
    done = computed({"A1": 2.0, "B1": F("A1*2", 4.5), "C1": F("B1+1", 5.5),
                     "D1": F("C1&\"\"", "5.5"),
                     "E1": F("PORTBAL.TURNOVER({\"A\",1},{\"A\",0.5;\"B\",0.5})*C1")})
    values = stored(done.bytes)
    assert (values["C1"], values["D1"], values["E1"]) == (5.5, "5.5", 2.75)
    assert len(done.warnings) == 1


def test_a_kept_value_whose_inputs_changed_is_out_of_date() -> None:
    done = computed({
        "A1": F("PORTBAL.TURNOVER({\"A\",1},{\"A\",0.5;\"B\",0.5})", 0.7),
        "B1": F("GETPIVOTDATA(\"x\",A1)", 8.0),
        "C1": F("B1+A1", 8.7), "C2": F("SUM(C1:C1)", 8.7), "D1": F("1+1", 2.0),
    })
    values = stored(done.bytes)
    assert (values["A1"], values["B1"], values["C1"]) == (0.5, 8.0, 8.5)
    assert [str(warning) for warning in done.warnings] == [
        "Sheet1!B1: out of date: GETPIVOTDATA is not known to the engine. Recalculate it in a "
        "spreadsheet program. It keeps its stored value; so are Sheet1!C1, Sheet1!C2."]


def test_a_file_that_asks_to_be_calculated_has_no_values_to_compare_with() -> None:
    """Libraries write 0 and ask the program to calculate on opening."""
    done = computed({"A1": 2.0, "B1": F("A1*2", 0.0), "C1": F("B1*2", 7.0)}, calculates=True)
    assert (stored(done.bytes)["B1"], stored(done.bytes)["C1"]) == (4.0, 8.0)
    zeros = computed({"A1": 2.0, "B1": F("A1*2", 0.0), "C1": F("B1*2", 0.0)})
    assert (stored(zeros.bytes)["B1"], stored(zeros.bytes)["C1"]) == (4.0, 8.0)
    nothing = computed({"A1": 2.0, "B1": F("A1*2"), "C1": F("B1*2")})
    assert (stored(nothing.bytes)["B1"], stored(nothing.bytes)["C1"]) == (4.0, 8.0)
    assert not (*done.warnings, *zeros.warnings, *nothing.warnings)


def test_fresh_says_that_the_stored_values_are_out_of_date() -> None:
    data = workbook({"A1": 3.0, "B1": F("A1*2", 4.0), "C1": F("B1&\"x\"", "4x")})
    kept, fresh = recalculate(data), recalculate(data, fresh=True)
    assert (stored(kept.bytes)["B1"], stored(kept.bytes)["C1"]) == (4.0, "4x")
    assert (stored(fresh.bytes)["B1"], stored(fresh.bytes)["C1"]) == (6.0, "6x")
    assert len(kept.warnings) == 1
    assert not fresh.warnings


def test_last_digits_are_left_alone() -> None:
    """0.1 + 0.2 differs between programs in its 17th digit, and the bytes stay as they were."""
    data = workbook({"A1": 0.1, "A2": 0.2, "B1": F("A1+A2", 0.3), "B2": F("B1*10", 3.0)})
    done = recalculate(data)
    assert done.bytes == data
    assert not done.warnings


def test_stored_results_of_portbal_formulas_are_inputs_of_the_comparison() -> None:
    """Another program did not know the function; what follows from its error is no mistake of
    the engine's."""
    done = computed({
        "A1": F("PORTBAL.TURNOVER({\"A\",1},{\"A\",0.5;\"B\",0.5})", Error("#NAME?")),
        "B1": F("A1*2", Error("#NAME?")), "C1": F("IFERROR(A1,9)", 9.0),
    })
    values = stored(done.bytes)
    assert (values["A1"], values["B1"], values["C1"]) == (0.5, 1.0, 0.5)
    assert not done.warnings


def test_a_spill_of_another_size_is_kept() -> None:
    done = computed({"A1": F("_xlfn.SEQUENCE(2)", 1.0, "A1:A3"), "A2": 2.0, "A3": 3.0})
    assert stored(done.bytes) == {"A1": 1.0, "A2": 2.0, "A3": 3.0}
    assert formulas(done.bytes)["A1"][1] == "A1:A3"
    assert "the engine fills A1:A2, the file A1:A3" in str(done.warnings[0])


def test_the_clock_moves_and_chance_does_not() -> None:
    now = dt.datetime(2024, 5, 6, 12)
    data = workbook({"A1": F("TODAY()", 45000.0), "A2": F("NOW()-TODAY()", 0.25),
                     "A3": F("A1+1", 45001.0), "A4": F("RAND()", 0.125), "A5": F("A4*2", 0.25),
                     "A6": F("TEXT(A1,\"yyyy-mm-dd\")", "2023-03-15")})
    done = recalculate(data, now=now)
    values = stored(done.bytes)
    assert [values[f"A{row}"] for row in range(1, 7)] == [
        45418.0, 0.5, 45419.0, 0.125, 0.25, "2024-05-06"]
    assert [warning.cell for warning in done.warnings] == ["Sheet1!A4"]


def test_dates_from_1904_are_left_to_a_spreadsheet_program() -> None:
    done = computed({"A1": 40000.0, "B1": F("YEAR(A1)", 2013.0), "B2": F("A1+1", 40001.0),
                     "B3": F("TODAY()", 44000.0)}, date1904=True)
    assert stored(done.bytes)["B1"] == 2013.0
    assert [warning.cell for warning in done.warnings] == ["Sheet1!B1"]
    shown = recalculate(workbook({"B3": F("TODAY()")}, date1904=True),
                        now=dt.datetime(2024, 5, 6))
    assert stored(shown.bytes)["B3"] == 45418.0 - 1462


@pytest.mark.parametrize("formula", ["NOSUCH(A1)", "IF(A1>0,NOSUCH(A1),1)"])
def test_a_function_that_nobody_knows(formula: str) -> None:
    """Stored as #NAME? by a program, it is #NAME?; without a value it stays without."""
    known = computed({"A1": 1.0, "B1": F(formula, Error("#NAME?")), "C1": F("A1+1", 2.0)})
    assert stored(known.bytes)["B1"] == Error("#NAME?")
    assert not known.warnings
    unknown = computed({"A1": 1.0, "B1": F(formula), "C1": F("B1+1")})
    assert "B1" not in stored(unknown.bytes)
    assert "does not know a function" in str(unknown.warnings[0])


def test_a_formula_that_breaks_the_engine_is_left_alone() -> None:
    done = computed({"A1": F("LAMBDA(f,f(f))(LAMBDA(f,f(f)))", 1.0), "A2": F("1+1", 0.5),
                     "A3": F("PORTBAL.TURNOVER({\"A\",1},{\"A\",0.5;\"B\",0.5})")}, calculates=True)
    assert stored(done.bytes) == {"A1": 1.0, "A2": 2.0, "A3": 0.5}
    assert "breaks the engine" in str(done.warnings[0])


def test_an_engine_that_takes_too_long_is_stopped() -> None:
    slow = "SUMPRODUCT(A1:A1048575*B1:B1048575)"
    data = workbook({f"D{row}": F(f"{slow}+{row}", 1.0) for row in range(1, 9)})
    with pytest.raises(NotAvailable, match="took longer than"):
        recalculate(data, seconds=0.3)


def test_array_formulas_of_fixed_size_that_stay() -> None:
    done = computed({"A1": F("ROW(B1:B3)*2", 7.0, "A1:A3", legacy=True), "A2": 8.0, "A3": 9.0,
                     "C1": F("SUM(A1:A3)", 24.0)})
    assert stored(done.bytes) == {"A1": 7.0, "A2": 8.0, "A3": 9.0, "C1": 24.0}
    assert "the engine gives 2 where 7 is stored" in str(done.warnings[0])


def test_what_a_program_that_lacks_functions_left_behind() -> None:
    """LibreOffice writes the functions that it does not know in lower case, as #NAME?."""
    unknown = Error("#NAME?")
    done = computed({"Sheet1": {
        "A1": "X", "A2": 100.0, "A3": 110.0,
        "C1": F("portbal.returns(Prices[#all])", unknown, "C1:C2", legacy=True), "C2": unknown,
        "D1": F("_xlfn._xlws.sort(A2:A3,1,-1)", unknown, "D1:D2", legacy=True), "D2": unknown,
        "E1": F("SUM(D1:D2)", unknown),
    }}, tables={"Prices": ("Sheet1", "A1:A3", ["X"])})
    values = stored(done.bytes)
    assert (values["C1"], values["C2"]) == ("X", pytest.approx(0.1))
    assert (values["D1"], values["D2"], values["E1"]) == (110.0, 100.0, 210.0)
    assert not done.warnings


def test_what_reads_a_formula_without_a_value_does_not_take_it_for_zero() -> None:
    """It shows #N/A and is named, also where a library wrote 0 for every formula."""
    cells = {"A1": 5.0, "B1": F('GETPIVOTDATA("x",A1)'), "B2": F("B1*2+A1"), "B3": F("COUNT(B1)"),
             "B4": F('PORTBAL.TURNOVER({"A",1},{"A",0.5;"B",0.5})+B1')}
    for calculates in (False, True):
        zeros = {address: F(cell.text, 0.0) if isinstance(cell, F) and calculates else cell
                 for address, cell in cells.items()}
        done = computed(zeros, calculates=calculates)
        values = stored(done.bytes)
        assert (values["B2"], values["B3"], values["B4"]) == (Error("#N/A"), 0.0, Error("#N/A"))
        assert values.get("B1") == (0.0 if calculates else None)
        assert "Sheet1!B2, Sheet1!B3, Sheet1!B4" in str(done.warnings[0])


# --- LibreOffice as a second engine ---------------------------------------------------------

UNKNOWN = {
    "A1": 1234.5, "A2": 0.125, "B1": F('TEXT(A1,"0.0E+00")'), "B2": F("LEN(B1)"),
    "B3": F("_xlfn.AGGREGATE(9,6,A1:A2)"),
    "B4": F('PORTBAL.TURNOVER({"A",1},{"A",0.5;"B",0.5})+B3'),
    "B5": F('_xlfn.WEBSERVICE("http://127.0.0.1:9/")'), "B6": F("NOSUCH(1)"),
}


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_answers_for_what_the_engine_does_not_know() -> None:
    """Each is named; what follows from it is computed; nothing that reaches outside is asked."""
    done = recalculate(workbook(UNKNOWN), office=True)
    values = stored(done.bytes)
    assert [values.get(f"B{row}") for row in range(1, 7)] == [
        "1.2E+03", 7.0, 1234.625, 1235.125, None, None]
    told = {warning.cell: warning.text for warning in done.warnings}
    assert told["Sheet1!B1"].startswith("calculated by LibreOffice: the format 0.0E+00")
    assert told["Sheet1!B3"].startswith("calculated by LibreOffice: AGGREGATE")
    assert told["Sheet1!B5"].startswith("not calculated: WEBSERVICE")
    assert told["Sheet1!B6"].startswith("not calculated: ")
    assert set(told) == {"Sheet1!B1", "Sheet1!B3", "Sheet1!B5", "Sheet1!B6"}
    again = recalculate(done.bytes, office=True)
    assert again.bytes == done.bytes


def test_without_libreoffice_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotAvailable, match="LibreOffice is not installed"):
        recalculate(workbook(UNKNOWN), office=True)
    assert recalculate(workbook({"A1": F("1+1")}), office=True).native == 1
