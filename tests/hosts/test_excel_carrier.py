"""Ribbon commands in Excel: xlwings' own classes on an Excel in memory."""

from __future__ import annotations

import ast
import datetime as dt
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xlwings as xw
from hypothesis import given
from hypothesis import strategies as st

from hosts.excel_book import Book, Cell, ExcelRefused, Sheet, Table, open_book
from portbal.errors import ConflictError, InputError
from portbal_addin import journal_file
from portbal_addin.block import Block
from portbal_addin.book import (
    FILLED,
    AddSheet,
    Area,
    DefineName,
    MemoryBook,
    PutCells,
    PutFormula,
)
from portbal_addin.hosts.excel import binding, carrier, log, notes
from portbal_addin.hosts.excel.book import ExcelBook
from portbal_addin.macros.commands import commands, find
from workbooks import ORDERS, prices, tables, with_orders, workbook


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "journal.jsonl"
    monkeypatch.setenv("PORTBAL_JOURNAL", str(path))
    return path


def excel(memory: MemoryBook) -> tuple[xw.Book, Book]:
    """The same workbook in Excel."""
    found, book = open_book({})
    book.order = [Sheet(book, name) for name in memory.sheets()]
    for (sheet, row, column), cell in memory.cells.items():
        at = next(s for s in book.order if s.name == sheet)
        whole = isinstance(cell, dt.date) and not isinstance(cell, dt.datetime)
        value = dt.datetime(*cell.timetuple()[:3]) if whole else cell  # type: ignore[union-attr]
        at.cells[row, column] = Cell(value, memory.texts.get((sheet, row, column), ""))
    for name, area in memory.areas.items():
        book.names.add(name, carrier._reference(area))
    book.active, book.writes = book.order[0], 0
    return found, book


def content(book: Book) -> dict[str, dict[tuple[int, int], tuple[Any, str]]]:
    """Values and formulas of every sheet that a person sees, by sheet."""
    return {s.name: {at: (c.value, c.formula) for at, c in s.cells.items()} for s in book.order
            if not s.name.startswith("portbal")}


def rebalancing() -> tuple[xw.Book, Book]:
    return excel(with_orders(workbook()))


# --- reading -------------------------------------------------------------------------------------

def test_cells_come_as_they_come_to_formulas() -> None:
    found, book = open_book({"T": [["Date", "A", "B"], [dt.datetime(2024, 1, 1), 1.5, None],
                                   [45293.0, "#N/A", True]]})
    book.order[0].cells[2, 2] = Cell(0.333333333333, currency=True)
    block = ExcelBook(found).block(Area("T", 1, 1, 3, 3))
    assert block.rows == (("Date", "A", "B"), (dt.datetime(2024, 1, 1), 0.333333333333, None),
                          (45293.0, "#N/A", True))
    assert block.place(1, 1)[2] == "T!B2"


def test_one_cell_is_a_block_of_one() -> None:
    found, _ = open_book({"Cash": 5.0}, date1904=True)
    block = ExcelBook(found).block(Area("Cash", 1, 1))
    assert (block.rows, block.date1904) == (((5.0,),), True)


@pytest.mark.parametrize(("refers_to", "area"), [
    ("='My ''book'!$B$2:$D$9", Area("My 'book", 2, 2, 8, 3)),
    ("=Trades!$C$8", Area("Trades", 8, 3)),
    ("=Prices!$A:$C", Area("Prices", 1, 1, 1_048_576, 3)),
    ("=Prices!$1:$5", Area("Prices", 1, 1, 5, 16_384)),
    ("=Prices!$AA$1:$AB$2", Area("Prices", 1, 27, 2, 2)),
])
def test_what_names_refer_to(refers_to: str, area: Area) -> None:
    found, book = open_book({"Prices": 1.0})
    book.names.add("Mine", refers_to)
    assert ExcelBook(found).find("MINE") == area


@pytest.mark.parametrize("refers_to", ["=0.05", "=OFFSET(Prices!$A$1,0,0)", "=#REF!$A$1",
                                       "=Prices!#REF!", "=Prices!"])
def test_a_name_that_is_no_range_is_named(refers_to: str) -> None:
    found, book = open_book({"Prices": 1.0})
    book.names.add("Mine", refers_to)
    with pytest.raises(InputError, match="'Mine' stands for no range of cells"):
        ExcelBook(found).find("Mine")


def test_a_sheets_own_name_is_another_name() -> None:
    found, book = open_book({"Prices": 1.0})
    book.names.add("Prices!Mine", "=Prices!$A$1")
    assert ExcelBook(found).find("Mine") is None


def test_a_table_of_excel_is_found_by_its_name() -> None:
    found, book = open_book({"Sheet": [["Asset", "Quantity"], ["A", 1.0]]})
    sheet = book.order[0]
    sheet.tables.append(Table("Holdings", sheet.range((1, 1), (2, 2))))
    assert ExcelBook(found).find("holdings") == Area("Sheet", 1, 1, 2, 2, is_table=True)


def test_whole_columns_are_read_as_far_as_they_are_used() -> None:
    found, book = open_book({"Prices": prices(30)})
    book.names.all[0].refers_to = "=Prices!$A:$D"
    seen = ExcelBook(found)
    area = seen.find("Prices")
    assert area is not None
    assert seen.block(area).height == 31
    assert len(seen.formulas(area)) == 31
    carrier.run("check data", found)
    assert book.app.statuses[-1] == "portbal: Prices: nothing to look at."


@pytest.mark.parametrize("told", ["=PORTBAL_WEIGHTS(x)", ""], ids=["its formula", "its value"])
def test_formulas_spills_and_texts_that_look_like_formulas(told: str) -> None:
    """A cell that a spill fills may show the formula it is filled by, or none."""
    found, book = open_book({"S": [["a", "b"], [1.0, 2.0], [3.0, 4.0]]})
    sheet = book.order[0]
    formula = "=PORTBAL_WEIGHTS(x)"
    sheet.cells[1, 1] = Cell(0.5, formula)
    for spot in ((1, 2), (2, 1), (2, 2)):
        sheet.cells[spot] = Cell(0.5, told, spill_of=(1, 1))
    sheet.spills[1, 1] = (1, 1, 2, 2)
    sheet.cells[3, 1] = Cell("=1+1", prefix="'")
    seen = ExcelBook(found)
    assert seen.formulas(Area("S", 1, 1, 3, 2)) == ((formula, FILLED), (FILLED, FILLED), ("", ""))
    assert seen.used("S") == Area("S", 1, 1, 3, 2)


def test_array_formulas_of_older_kind() -> None:
    found, book = open_book({"S": [[1.0], [2.0]]})
    sheet = book.order[0]
    for row in (1, 2):
        sheet.cells[row, 1] = Cell(0.5, "=PORTBAL_VAR(x)")
    sheet.arrays.append((1, 1, 2, 1))
    assert ExcelBook(found).formulas(Area("S", 1, 1, 2, 1)) == (("=PORTBAL_VAR(x)",), (FILLED,))
    carrier.write(found, [PutFormula(Area("S", 1, 1), "=PORTBAL_CVAR(x)")])
    assert [sheet.cells[row, 1].formula for row in (1, 2)] == ["=PORTBAL_CVAR(x)"] * 2


def test_the_same_formula_in_two_cells_is_two_formulas() -> None:
    found, book = open_book({"S": [[1.0], [1.0]]})
    for row in (1, 2):
        book.order[0].cells[row, 1] = Cell(1.0, "=Cash")
    assert ExcelBook(found).formulas(Area("S", 1, 1, 2, 1)) == (("=Cash",), ("=Cash",))


def test_an_empty_sheet_has_no_used_area() -> None:
    found, book = open_book({"S": 1.0})
    book.order[0].cells.clear()
    assert ExcelBook(found).used("S") is None


# --- writing -------------------------------------------------------------------------------------

@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6).map(
    lambda t: t if t.strip() else "x") | st.sampled_from(
    ["=1+1", "+A1", "-A1", "@x", "\tx", "\rx", "12", "5%", "2024-01-31", "MAR1", "TRUE", "'a"]))
def test_text_stays_text(text: str) -> None:
    found, book = open_book({"S": 1.0})
    carrier.write(found, [PutCells(Area("S", 1, 1), ((text,),))])
    cell = book.order[0].cells[1, 1]
    assert (cell.value, cell.formula) == (text, "")


def test_numbers_truths_dates_errors_and_blanks_are_written() -> None:
    found, book = open_book({"S": [["old"] * 6]})
    row = (-0.25, 3, True, dt.datetime(2024, 1, 2), "#N/A", None)
    carrier.write(found, [PutCells(Area("S", 1, 1, 1, 6), (row,))])
    cells = book.order[0].cells
    assert [cells[1, c].value for c in range(1, 6)] == [-0.25, 3.0, True, row[3], "#N/A"]
    assert type(cells[1, 2].value) is float
    assert (1, 6) not in cells


def test_a_hidden_sheet_a_name_and_formats() -> None:
    found, book = open_book({"S": 1.0})
    area = Area("portbal undo", 1, 1, 1, 2)
    carrier.write(found, [AddSheet("portbal undo", hidden=True, formats=((2, "0.00%"),)),
                          PutCells(area, (("a", 1.0),)), DefineName("portbal_undo", area)])
    sheet = book.order[-1]
    assert (sheet.name, sheet.state) == ("portbal undo", 2)
    assert sheet.formats == {("column", 1): 16, ("column", 2): "0.00%", ("row", 1): True}
    assert ExcelBook(found).find("portbal_undo") == area
    assert book.active is book.order[0], "a sheet that is not shown is not gone to"


def test_a_name_is_moved() -> None:
    found, book = open_book({"S": 1.0})
    carrier.write(found, [DefineName("s", Area("S", 1, 1, 3, 2))])
    assert [(n.name, n.refers_to) for n in book.names.all] == [("S", "='S'!$A$1:$B$3")]


def test_a_formula_is_entered() -> None:
    found, book = open_book({"S": 1.0})
    carrier.write(found, [PutFormula(Area("S", 1, 1), "=PORTBAL_VAR(A2)")])
    assert book.order[0].cells[1, 1].formula == "=PORTBAL_VAR(A2)"


WRITES = [
    AddSheet("New"), PutCells(Area("New", 1, 1, 1, 2), (("a", 1.0),)),
    DefineName("Fresh", Area("New", 1, 1, 1, 2)), DefineName("T", Area("T", 1, 1, 4, 2)),
    PutCells(Area("T", 1, 1, 2, 2), ((9.0, 9.0), (9.0, None))),
    PutFormula(Area("T", 3, 1), "=7"), AddSheet("Away", hidden=True),
    PutCells(Area("Away", 1, 1), (("x",),)),
]


CHANGES = 17  # one by one: what WRITES does to the workbook


@pytest.mark.parametrize("fails_at", range(1, CHANGES + 2))
def test_writes_are_whole_or_undone(fails_at: int) -> None:
    """Wherever Excel refuses: a cell, a sheet, a name, a format, hiding."""
    found, book = open_book({"T": [["=text", None], [True, 2.0], [dt.datetime(2024, 1, 1), 5.0]]})
    book.order[0].cells[3, 2] = Cell(5.0, "=B2+3")
    before, names = content(book), [(n.name, n.refers_to) for n in book.names.all]
    book.fails_at = fails_at
    if fails_at > CHANGES:
        carrier.write(found, WRITES)
        assert book.writes == CHANGES
        assert [s.name for s in book.order] == ["T", "New", "Away"]
        return
    with pytest.raises(ExcelRefused):
        carrier.write(found, WRITES)
    book.fails_at = 0
    assert content(book) == before
    assert [(n.name, n.refers_to) for n in book.names.all] == names
    assert [s.name for s in book.order] == ["T"]
    assert book.active is book.order[0]


def test_writes_are_undone_when_what_follows_fails() -> None:
    found, book = open_book({"S": 1.0})

    def fail() -> None:
        raise InputError("the journal is full", fix="Make room.")

    with pytest.raises(InputError):
        carrier.write(found, [PutCells(Area("S", 1, 1), ((2.0,),))], fail)
    assert book.order[0].cells[1, 1].value == 1.0


# --- commands ------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["check data", "refresh estimates", "blend views", "optimise",
                                  "frontier", "check limits", "problems", "relink", "undo"])
def test_excel_and_memory_give_the_same(name: str) -> None:
    memory = with_orders(workbook()) if name == "check limits" else workbook()
    found, book = excel(memory)
    carrier.run(name, found)
    assert book.app.alerts == []
    expected = memory.after(find(name).run(memory).writes)
    seen = ExcelBook(found)
    assert seen.sheets() == expected.sheets()
    for word, area in expected.areas.items():
        assert seen.find(word) == area
        for row, wanted in zip(seen.block(area), expected.block(area), strict=True):
            for cell, want in zip(row, wanted, strict=True):
                assert cell == pytest.approx(want) if isinstance(want, float) else (
                    cell or "") == (want or "") or isinstance(want, dt.date)


def test_the_status_bar_tells_progress_and_the_result() -> None:
    found, book = excel(workbook())
    carrier.run("check_data", found)
    assert book.app.statuses == [
        "portbal: Check data ...", "portbal: Check data ... 1 of its tables found",
        *(f"portbal: Check data ... writing {at} of 3" for at in (1, 2, 3)), False,
        "portbal: Prices: nothing to look at."]
    assert book.app.screen_updating is True
    assert book.active.name == "portbal data check"


def test_a_problem_is_one_dialog_with_its_cell_and_cure_and_changes_nothing() -> None:
    limits = [["Limit", "Min", "Max"], ["Sector Tehc", None, 0.5]]
    found, book = excel(workbook(Limits=limits))
    before = content(book)
    carrier.run("optimise", found)
    [(text, title, mode)] = book.app.alerts
    assert "Limits!A2" in text
    assert text.endswith("Did you mean 'Tech'?")
    assert (title, mode) == ("Portfolio", "critical")
    assert content(book) == before
    assert book.writes == 0
    assert book.app.screen_updating is True


def test_an_unknown_command_is_a_dialog() -> None:
    found, book = excel(workbook())
    carrier.run("optimize", found)
    assert book.app.alerts[0][0] == "There is no command 'optimize'.\n\nDid you mean 'optimise'?"


def test_what_excel_refuses_is_a_dialog_and_nothing_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pywintypes", SimpleNamespace(com_error=ExcelRefused))
    found, book = excel(workbook())
    before = content(book)
    book.fails_at = 5
    carrier.run("check data", found)
    assert content(book) == before
    assert [s.name for s in book.order] == list(workbook().sheets())
    [(text, _, mode)] = book.app.alerts
    assert text.startswith("Excel refused: The sheet is protected.\n\nNothing has changed.")
    assert mode == "critical"


def test_what_cannot_be_put_back_is_said_and_the_rest_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pywintypes", SimpleNamespace(com_error=ExcelRefused))
    found, book = open_book({"T": [[1.0], [2.0]], "U": 3.0})
    book.fails_at = 5  # after three writes, the second of what restores them
    cells = [Area("T", 1, 1), Area("T", 2, 1), Area("U", 1, 1)]

    def full() -> None:
        raise InputError("the journal is full", fix="Make room.")

    with pytest.raises(ConflictError, match="T!A2 could not be put back") as caught:
        carrier.write(found, [PutCells(area, ((9.0,),)) for area in cells], full)
    assert "without saving" in caught.value.fix
    assert [cell.value for cell in book.order[0].cells.values()] == [1.0, 9.0]
    assert book.order[1].cells[1, 1].value == 3.0


def test_apply_is_whole_or_undone_wherever_excel_refuses(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pywintypes", SimpleNamespace(com_error=ExcelRefused))
    found, book = rebalancing()
    carrier.run("rebalance", found)
    before, names = content(book), [(n.name, n.refers_to) for n in book.names.all]
    sheets = [s.name for s in book.order]
    for fails_at in range(1, 1000):
        book.writes, book.fails_at = 0, fails_at
        carrier.run("apply", found)
        if not book.app.alerts:
            break
        assert "Excel refused" in book.app.alerts.pop()[0]
        assert content(book) == before
        assert [(n.name, n.refers_to) for n in book.names.all] == names
        assert [s.name for s in book.order] == sheets
        assert not journal.exists()
    assert fails_at > 10, "Apply changes more than a few things"
    assert content(book) != before
    assert len(journal_file.read(journal).records) == 1


def test_the_journal_is_listed_in_excel(journal: Path) -> None:
    found, book = rebalancing()
    for name in ("rebalance", "apply", "undo", "journal"):
        carrier.run(name, found)
    assert book.app.status_bar == "portbal: The journal is sound: 2 records."
    assert str(journal) in book.app.alerts[-1][0]
    listed = next(s for s in book.order if s.name == "portbal journal")
    assert [listed.cells[row, 4].value for row in (1, 2, 3)] == ["What", "undo", "apply"]


def test_excel_calculates_once_when_all_is_written() -> None:
    found, book = rebalancing()
    carrier.run("rebalance", found)
    book.app.modes.clear()
    carrier.run("apply", found)
    assert book.app.modes == ["manual", "automatic"]
    book.app.modes.clear()
    carrier.run("apply", found)
    assert book.app.modes == [], "nothing is written"


def test_a_bug_is_logged_and_goes_on_to_the_dialog_of_the_ribbon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.keep_log(tmp_path)
    log.keep_log(tmp_path)
    monkeypatch.setattr(carrier, "_carry", lambda *_: 1 / 0)
    found, book = excel(workbook())
    with pytest.raises(ZeroDivisionError):
        carrier.run("check data", found)
    text = (tmp_path / log.NAME).read_text(encoding="utf-8")
    assert text.count("check data failed") == 1
    assert text.rstrip().endswith("ZeroDivisionError"), "not its words, which may quote positions"
    assert book.app.statuses[-1] is False
    for handler in log.LOG.handlers[:]:
        if getattr(handler, "baseFilename", "").startswith(str(tmp_path)):
            log.LOG.removeHandler(handler)
            handler.close()


def test_what_a_user_can_cure_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    found, _ = excel(workbook(Limits=[["Limit", "Min", "Max"], ["Sector Tehc", None, 0.5]]))
    carrier.run("optimise", found)
    assert caplog.records == []


# --- notes of formulas ---------------------------------------------------------------------------

def test_notes_of_formulas_are_in_the_list_of_problems() -> None:
    found, book = excel(workbook())
    sheet = next(s for s in book.order if s.name == "Cash")
    sheet.cells[1, 1] = Cell(-3.0, "=PORTBAL_RISKAVERSION(A2:A5,0,12)")
    returns = Block.of([["Index"], [-0.01], [-0.02], [-0.03]])
    for place in ("'[portfolio.xlsm]Cash'!$A$1:$B$2", "[PORTFOLIO.xlsm]Gone!$A$1",
                  "[other.xlsx]Cash!$A$1", "[portfolio.xlsm]Cash!$C$3", None):
        binding.answer("RISKAVERSION", returns, Block.of(0.0), Block.of(12.0),
                       portbal_place=place)
    [(cell, note)] = ExcelBook(found).remarks()
    assert (cell, "earned no more than riskfree" in note) == ("Cash!A1", True)
    carrier.run("problems", found)
    rows = ExcelBook(found).block(ExcelBook(found).find("ProblemList")).rows  # type: ignore[arg-type]
    assert rows[1][:4] == ("note", "Cash!A1", "RISKAVERSION", note)
    sheet.cells[1, 1].formula = "=PORTBAL_VAR(A2:A5)"
    assert ExcelBook(found).remarks() == (), "the cell has another formula now"
    sheet.cells[1, 1].formula = "=PORTBAL_RISKAVERSION(A2:A5,0,12)"
    binding.answer("VERSION", portbal_place="'[portfolio.xlsm]Cash'!$A$1:$B$2")
    assert ExcelBook(found).remarks() == (), "an answer without notes takes them away"


def test_where_a_note_belongs() -> None:
    kept = notes.Notes(most=2)
    kept.keep("'[it''s 1.xlsx]My ''she]et'!$AB$12", "VAR", ("a", "b"))
    assert kept.of("IT'S 1.xlsx") == tuple(
        notes.Note("it's 1.xlsx", "My 'she]et", 12, 28, "VAR", text) for text in "ab")
    for row in (1, 2):
        kept.keep(f"[B]S!$A${row}", "VAR", ("c",))
    assert [note.row for note in kept.of("b")] == [1, 2]
    assert kept.of("it's 1.xlsx") == ()


def test_what_is_read_is_calculated_first() -> None:
    found, book = excel(workbook())
    carrier.run("check data", found)
    assert book.app.calculated == 0
    book.app.calculation = "manual"
    carrier.run("check data", found)
    assert book.app.calculated == 1


def test_the_calling_workbook_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    found, book = excel(workbook())
    monkeypatch.setattr(xw.Book, "caller", classmethod(lambda _: found))
    carrier.SCRIPTS["check_data"]()
    assert book.app.statuses[-1] == "portbal: Prices: nothing to look at."
    assert vars(carrier)["check_data"] is carrier.SCRIPTS["check_data"]
    assert list(carrier.SCRIPTS) == [command.identifier for command in commands().values()]


def test_apply_previews_first_then_applies_then_undo_restores(journal: Path) -> None:
    found, book = rebalancing()
    before = content(book)
    carrier.run("rebalance", found)
    assert content(book) == before
    assert book.app.statuses[-1].startswith("portbal: Preview: 2 orders, costs 2.75")
    assert not journal.exists()
    carrier.run("apply", found)
    holdings = content(book)["Holdings"]
    assert [holdings[2, 2][0], holdings[3, 2][0]] == [45.0, 76.0]
    [record] = journal_file.read(journal).records
    assert record.content["orders"] == ORDERS
    assert record.content["workbook"] == "portfolio.xlsm"
    carrier.run("apply", found)
    assert len(journal_file.read(journal).records) == 1
    assert "nothing to do" in book.app.statuses[-1]
    carrier.run("undo", found)
    assert content(book) == before
    assert [r.content["kind"] for r in journal_file.read(journal).records] == ["apply", "undo"]


def test_apply_alone_shows_the_preview_and_applies_nothing(journal: Path) -> None:
    found, book = rebalancing()
    before = content(book)
    carrier.run("apply", found)
    assert content(book) == before
    assert "press Apply again" in book.app.alerts[-1][0]
    assert not journal.exists()
    carrier.run("apply", found)
    assert content(book) != before


def test_a_preview_that_is_out_of_date_is_shown_again(journal: Path) -> None:
    found, book = rebalancing()
    carrier.run("rebalance", found)
    next(s for s in book.order if s.name == "Cash").cells[1, 1] = Cell(2000.0)
    before = content(book)
    carrier.run("apply", found)
    assert content(book) == before
    assert "press Apply again" in book.app.alerts[-1][0]
    carrier.run("apply", found)
    assert journal_file.read(journal).records != ()


def test_undo_works_after_the_workbook_was_closed_and_opened() -> None:
    """All that Undo needs is in the workbook: nothing in this process remembers it."""
    found, book = rebalancing()
    before = content(book)
    carrier.run("rebalance", found)
    carrier.run("apply", found)
    again, reopened = open_book({})
    reopened.order = book.order
    for sheet in reopened.order:
        sheet.book = reopened
    reopened.names.all, reopened.active = book.names.all, book.active
    carrier.run("undo", again)
    assert content(reopened) == before


def test_without_a_journal_nothing_is_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("PORTBAL_JOURNAL", str(tmp_path / "file" / "journal.jsonl"))
    found, book = rebalancing()
    carrier.run("rebalance", found)
    before = content(book)
    carrier.run("apply", found)
    assert content(book) == before
    assert "journal" in book.app.alerts[-1][0]


def test_the_ribbon_calls_a_name_that_is_there() -> None:
    folder = Path(carrier.__file__).parent
    text = (folder / "vba" / "PortbalText.bas").read_text(encoding="utf-8")
    assert "carrier.run('" in text
    defined = {node.name for node in ast.parse(Path(carrier.__file__).read_text()).body
               if isinstance(node, ast.FunctionDef)}
    assert "run" in defined


def test_a_workbook_of_everything_a_person_fills_in() -> None:
    assert set(tables()) <= set(workbook().areas)
