"""``portbal run``: ribbon commands on workbook files, and the Book of a file."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from xlsxwriter import Workbook

from portbal.errors import ConflictError, InputError
from portbal_addin import journal_file
from portbal_addin.book import (
    FILLED,
    AddSheet,
    Area,
    DefineName,
    PutCells,
    PutFormula,
    Write,
    needed,
)
from portbal_addin.cli import main
from portbal_addin.cli import run as command_line
from portbal_addin.hosts.workbook import recalculate
from portbal_addin.hosts.workbook.book import FileBook
from portbal_addin.macros import names, orders
from portbal_addin.macros.commands import Command, commands
from portbal_templates import read
from workbooks import rows_of, tables, with_orders, workbook

FLAGSHIP = "portfolio_balancer"


@pytest.fixture(autouse=True)
def journal(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    monkeypatch.setenv("PORTBAL_JOURNAL", str(path))
    return path


def written(**changed: Any) -> bytes:
    """The small workbook as a file, with target weights, a native formula and a chart."""
    stream = io.BytesIO()
    book = Workbook(stream, {"in_memory": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    money = book.add_format({"num_format": "#,##0.00", "bg_color": "#FFF8DC"})
    given = tables(Weights=[["Asset", "Weight"], ["Alfa", 0.4], ["Bravo", 0.35], ["Carlo", 0.25]],
                   Limits=[["Limit", "Min", "Max"], ["each asset", 0.0, 0.6]], **changed)
    for name, value in given.items():
        sheet = book.add_worksheet(name)
        rows = value if isinstance(value, list) else [[value]]
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(r, c, cell, day)
                elif cell is not None:
                    sheet.write(r, c, cell, money if isinstance(cell, float) else None)
        book.define_name(name, f"='{name}'!$A$1:${chr(64 + len(rows[0]))}${len(rows)}")
    total = book.add_worksheet("Total")
    total.write_formula(0, 0, "=SUMPRODUCT(Holdings!B2:B4,Holdings!C2:C4)", None, 11290)
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Prices!$B$2:$B$80"})
    total.insert_chart("C3", chart)
    book.close()
    return stream.getvalue()


@pytest.fixture(scope="module")
def small() -> bytes:
    return written()


@pytest.fixture
def source(small: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "in.xlsx"
    path.write_bytes(small)
    return path


def run(*words: object) -> int:
    return main(["run", *map(str, words)])


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def book_of(path: Path) -> FileBook:
    return FileBook(path.read_bytes(), path.name)


# --- the book of a file ----------------------------------------------------------------------

def test_a_file_is_read_as_the_same_workbook_in_memory(small: bytes) -> None:
    book, memory = FileBook(small, "in.xlsx"), workbook()
    for name in ("Prices", "Assets", "Holdings", "Cash"):
        area = book.find(name.upper())
        assert area == memory.find(name)
        assert area is not None
        assert needed(book, [PutCells(area, memory.block(area).rows)]) == ()
    assert book.find("Nothing") is None
    assert book.formulas(Area("Total", 1, 1)) == (
        ("=SUMPRODUCT(Holdings!B2:B4,Holdings!C2:C4)",),)
    assert book.used("Holdings") == Area("Holdings", 1, 1, 4, 3)


def test_cells_are_patched_and_every_other_part_stays(small: bytes) -> None:
    area = Area("Holdings", 2, 2, 2, 1)
    book = FileBook(small, "in.xlsx").after([PutCells(area, ((41.5,), ("=1+1",)))])
    before, after = parts(small), parts(book.data)
    changed = [name for name in before if before[name] != after[name]]
    assert (changed, list(before)) == (["xl/worksheets/sheet5.xml"], list(after))
    assert book.block(area).rows == ((41.5,), ("=1+1",))
    assert book.formulas(area) == (("",), ("",)), "a text is no formula"


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@x", "\tx", "\rx", "1", "#N/A x", "<&>\""])
def test_text_stays_text(small: bytes, text: str) -> None:
    area = Area("Assets", 2, 2)
    book = FileBook(small, "in.xlsx").after([PutCells(area, ((text,),))])
    assert book.block(area).rows == ((text,),)
    assert book.formulas(area) == (("",),)


def test_numbers_dates_truths_errors_and_blanks(small: bytes) -> None:
    area = Area("Assets", 2, 1, 1, 6)
    row = (-0.25, dt.date(2024, 1, 2), True, "#N/A", None, 3)
    book = FileBook(small, "in.xlsx").after([PutCells(area, (row,))])
    assert book.block(area).rows == ((-0.25, 45293.0, True, "#N/A", None, 3.0),)


def test_a_value_is_not_written_over_a_formula(small: bytes) -> None:
    with pytest.raises(ConflictError, match="Total!A1 is a formula"):
        FileBook(small, "in.xlsx").after([PutCells(Area("Total", 1, 1), ((1.0,),))])


def test_sheets_and_names_are_added(small: bytes) -> None:
    area = Area("portbal & 'co'", 1, 1, 2, 2)
    book = FileBook(small, "in.xlsx").after([
        AddSheet(area.sheet, hidden=True, formats=((2, "0.00%"),)),
        PutCells(area, (("Asset", "Weight"), ("A", 0.5))), DefineName("portbal_undo", area),
        AddSheet("Second"), DefineName("Holdings", Area("Holdings", 1, 1, 9, 3)),
    ])
    assert book.sheets()[-2:] == (area.sheet, "Second")
    assert book.find("portbal_undo") == area
    assert book.find("Holdings") == Area("Holdings", 1, 1, 9, 3)
    assert book.block(area).rows == (("Asset", "Weight"), ("A", 0.5))
    after = parts(book.data)
    assert b'state="veryHidden"' in after["xl/workbook.xml"]
    styles = after["xl/styles.xml"].decode()
    for element in ("fonts", "cellXfs"):
        inside = styles.partition(f"<{element}")[2].partition(f"</{element}>")[0]
        entry = "<font>" if element == "fonts" else "<xf "
        assert inside.partition('count="')[2].partition('"')[0] == str(inside.count(entry))


def test_a_workbook_without_names_gets_some() -> None:
    stream = io.BytesIO()
    with Workbook(stream, {"in_memory": True}) as made:
        made.add_worksheet("S").write(0, 0, 1)
    book = FileBook(stream.getvalue(), "s.xlsx").after([DefineName("Mine", Area("S", 1, 1))])
    assert book.find("Mine") == Area("S", 1, 1)


def test_a_name_that_is_no_range_is_named() -> None:
    stream = io.BytesIO()
    with Workbook(stream, {"in_memory": True}) as made:
        made.add_worksheet("S")
        made.define_name("Cash", "=0.05")
    with pytest.raises(InputError, match="'Cash' stands for no range of cells"):
        FileBook(stream.getvalue(), "s.xlsx").find("Cash")


def test_a_table_of_excel_is_found_by_its_name() -> None:
    stream = io.BytesIO()
    with Workbook(stream, {"in_memory": True}) as made:
        made.add_worksheet("S").add_table("B2:C4", {
            "name": "Holdings", "columns": [{"header": "Asset"}, {"header": "Quantity"}]})
    assert FileBook(stream.getvalue(), "s.xlsx").find("holdings") == Area(
        "S", 2, 2, 3, 2, is_table=True)


def test_formulas_are_entered_where_one_stands() -> None:
    """Array, shared and plain ones, and their values stay."""
    stream = io.BytesIO()
    with Workbook(stream, {"in_memory": True}) as made:
        sheet = made.add_worksheet("S")
        sheet.write_dynamic_array_formula("A1:A3", "=[1]!PORTBAL_WEIGHTS(x)", None, 1)
        sheet.write(1, 0, 2)
        sheet.write(2, 0, 3)
        sheet.write_formula(0, 2, "=[1]!PORTBAL_VAR(A1)", None, 0.5)
    shared = (b'<c r="D1"><f t="shared" ref="D1:D2" si="0">[1]!PORTBAL_VAR(A1)</f><v>1</v></c>'
              b'</row><row r="2"><c r="A2"><v>2</v></c>'
              b'<c r="D2"><f t="shared" si="0"/><v>2</v></c>')
    data = parts(stream.getvalue())
    name = "xl/worksheets/sheet1.xml"
    old = b'</row><row r="2" spans="1:3"><c r="A2"><v>2</v></c>'
    assert old in data[name]
    data[name] = data[name].replace(old, shared)
    patched = io.BytesIO()
    with zipfile.ZipFile(patched, "w") as archive:
        for part, content in data.items():
            archive.writestr(part, content)
    book = FileBook(patched.getvalue(), "s.xlsx")
    assert book.formulas(Area("S", 1, 1, 3, 4)) == (
        ("=[1]!PORTBAL_WEIGHTS(x)", "", "=[1]!PORTBAL_VAR(A1)", "=[1]!PORTBAL_VAR(A1)"),
        (FILLED, "", "", "=[1]!PORTBAL_VAR(A2)"), (FILLED, "", "", ""))
    entered = {(1, 1): "=W(x)", (1, 3): "=V(A1)", (1, 4): "=V(A1)", (2, 4): "=V(A2)"}
    book = book.after([PutFormula(Area("S", *spot), text) for spot, text in entered.items()])
    assert book.formulas(Area("S", 1, 1, 3, 4)) == (
        ("=W(x)", "", "=V(A1)", "=V(A1)"), (FILLED, "", "", "=V(A2)"), (FILLED, "", "", ""))
    assert [row[0] for row in book.block(Area("S", 1, 1, 3, 1))] == [1.0, 2.0, 3.0]


# --- the command line ------------------------------------------------------------------------

def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    listed = capsys.readouterr().out
    assert listed.startswith("check data          Data       Look for gaps")
    assert len(listed.splitlines()) == len(commands())


def test_the_names_of_tables_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--names") == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*names.INPUTS, *names.RESULTS]


def test_without_apply_nothing_is_written(
    source: Path, small: bytes, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = source.with_name("out.xlsx")
    assert run("rebalance", source, "-o", output) == 0
    text = capsys.readouterr().out
    assert "Orders" in text
    assert "Nothing is written." in text
    assert source.read_bytes() == small
    assert not output.exists()
    assert not journal.exists()


def test_results_are_written_under_their_names(source: Path) -> None:
    output = source.with_name("out.xlsx")
    assert run("check-limits", source, "-o", output, "--apply") == 0
    rows = rows_of(book_of(output), "TargetLimits")
    assert [row[0] for row in rows] == ["Limit", "Alfa", "Bravo", "Carlo"]
    assert rows[1][1:] == (pytest.approx(0.4), 0.0, 0.6, pytest.approx(0.2), "ok")
    before, after = parts(source.read_bytes()), parts(output.read_bytes())
    lists = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
             "xl/styles.xml"}
    assert {name for name in before if before[name] != after[name]} == lists


@pytest.mark.parametrize("name", ["check data", "refresh estimates", "optimise", "frontier",
                                  "risk report", "monitor", "problems", "rebalance"])
def test_twice_changes_nothing_more(source: Path, journal: Path, name: str) -> None:
    once, twice = source.with_name("once.xlsx"), source.with_name("twice.xlsx")
    assert run(name, source, "-o", once, "--apply") == 0
    assert once.read_bytes() != source.read_bytes()
    records = journal_file.read(journal).records
    assert run(name, once, "-o", twice, "--apply") == 0
    assert once.read_bytes() == twice.read_bytes()
    assert journal_file.read(journal).records == records


def test_rebalance_undo_and_the_journal(source: Path, small: bytes, journal: Path) -> None:
    before = FileBook(small, "in.xlsx")
    assert run("rebalance", source, "-o", source, "--apply") == 0
    applied = book_of(source)
    assert rows_of(applied, "Holdings") != rows_of(before, "Holdings")
    total = applied.block(Area("Total", 1, 1)).rows[0][0]
    assert total == pytest.approx(sum(q * p for _, q, p in rows_of(applied, "Holdings")[1:]))
    assert total != 11290
    assert run("undo", source, "-o", source, "--apply") == 0
    undone = book_of(source)
    for sheet in before.sheets():
        area = before.used(sheet)
        assert area is not None
        assert undone.block(area).rows == before.block(area).rows
        assert undone.formulas(area) == before.formulas(area)
    found = journal_file.read(journal)
    assert found.is_sound
    first, second = (record.content for record in found.records)
    assert (first["kind"], second["kind"]) == ("apply", "undo")
    assert second["undoes"] == first["stamp"]
    assert first["call"]["arguments"]["cash"] == [[1000.0]]
    assert main(["journal", "replay", "1"]) == 0
    assert {"who", "when", "versions", "workbook"} <= set(first)
    assert first["versions"]["portbal"]


def test_notes_of_formulas_are_in_the_list_of_problems(source: Path) -> None:
    """A formula that answers with a note beside its result, and one that has a problem."""
    book = book_of(source)
    stream = io.BytesIO()
    made = Workbook(stream, {"in_memory": True})
    sheet = made.add_worksheet("S")
    sheet.write_column("A1", ["Index", -0.01, -0.02, -0.03])
    sheet.write_formula("C1", "=PORTBAL_RISKAVERSION(A1:A4,0,12)")
    sheet.write_formula("C2", "=PORTBAL_RISKAVERSION(A1:A4)")
    made.close()
    source.write_bytes(stream.getvalue())
    assert run("problems", source, "-o", source, "--apply") == 0
    rows = rows_of(book_of(source), "ProblemList")
    assert [row[:3] for row in rows] == [
        ("Kind", "Cell", "Function"), ("problem", "S!C2", "RISKAVERSION"),
        ("note", "S!C1", "RISKAVERSION")]
    assert "the benchmark earned no more than riskfree" in rows[2][3]
    assert book.remarks() == ()


def test_apply_without_a_preview_in_the_file_applies(source: Path) -> None:
    """The preview of files is the run without --apply."""
    output = source.with_name("out.xlsx")
    assert run("apply", source, "-o", output, "--apply") == 0
    assert rows_of(book_of(output), "RebalancePreview")[0] == ("Item", "Before", "After")
    assert rows_of(book_of(output), "Holdings") != rows_of(book_of(source), "Holdings")


def test_a_mistake_is_told_with_its_cell_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    source.write_bytes(written(Objective="max sharp"))
    assert run("optimise", source, "-o", output, "--apply") == 1
    assert "Did you mean 'max sharpe'?" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(("words", "message"), [
    (["optimize", "{in}"], "Did you mean 'optimise'?"),
    (["optimise"], "there is no workbook"),
    (["optimise", "{in}", "--apply"], "Add -o OUT.xlsx."),
    (["optimise", "nothing.xlsx"], "cannot be read"),
    (["optimise", "{in}", "-o", "out.xlsm", "--apply"], "Use the ending .xlsx."),
])
def test_what_the_command_line_lacks_is_said(
    source: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(word.replace("{in}", str(source)) for word in words)) == 1
    assert message in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    away, here = os.pipe()
    os.close(away)
    try:
        done = subprocess.run([sys.executable, "-m", "portbal_addin", "run", "--names"],
                              stdout=here, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(here)
    assert (done.returncode, done.stderr) == (141, b"")


# --- half way --------------------------------------------------------------------------------

def test_a_file_that_cannot_be_written_leaves_all_as_it_was(
    source: Path, small: bytes, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = source.with_name("missing") / "out.xlsx"
    assert run("rebalance", source, "-o", output, "--apply") == 1
    told = capsys.readouterr()
    assert "cannot be written" in told.err
    assert told.out == "", "nothing is said to be written"
    assert source.read_bytes() == small
    kinds = [record.content["kind"] for record in journal_file.read(journal).records]
    assert kinds == ["apply", "withdrawn"]


def test_without_a_journal_nothing_is_applied(
    source: Path, small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PORTBAL_JOURNAL", str(tmp_path / "file" / "journal.jsonl"))
    assert run("rebalance", source, "-o", source, "--apply") == 1
    assert "the journal" in capsys.readouterr().err
    assert source.read_bytes() == small


@pytest.mark.parametrize("at", ["recalculate", "append", "write_file"])
def test_a_failure_half_way_leaves_the_file_as_it_was(
    source: Path, small: bytes, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Wherever it stops: after reading, after calculating, before the file is in its place."""
    calls = {"left": 1 if at == "recalculate" else 0}
    real = {"recalculate": command_line.recalculate, "append": journal_file.append,
            "write_file": command_line.write_file}[at]

    def stop(*given: Any, **options: Any) -> Any:
        if calls["left"]:
            calls["left"] -= 1
            return real(*given, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(journal_file if at == "append" else command_line, at, stop)
    assert run("rebalance", source, "-o", source, "--apply") == 130
    assert source.read_bytes() == small
    assert sorted(path.name for path in source.parent.iterdir()) == ["in.xlsx"]


# --- the flagship ----------------------------------------------------------------------------

def values(data: bytes) -> dict[str, Any]:
    """Every cell of the sheets that a person sees."""
    book = FileBook(data, "x.xlsx")
    found = {}
    for sheet in book.sheets():
        area = book.used(sheet)
        if area is not None and not sheet.startswith("portbal"):
            found[sheet] = book.block(area).rows
    return found


@pytest.fixture(scope="module")
def flagship() -> FileBook:
    return FileBook(read(FLAGSHIP), "x.xlsx")


def test_the_flagship_uses_the_names_of_the_commands(flagship: FileBook) -> None:
    lacking = {name for name in (*names.INPUTS, *names.RESULTS) if flagship.find(name) is None}
    assert lacking == {
        "BandKind", "TrackingBand", "Objective", "CovarianceMethod", "DataCheck", "Monitor",
        "Stops", "Targets", "StopOptions", "LastTarget", "Participation", "Flows", "Settlement",
        "TaxLots", "Sells", "TaxOptions", "Futures", "HedgeDays", "Liquidity", "LiquidityLadder",
        "CashPlan", "LotSales", "Hedge", "JournalList", "IncrementalRisk", "CorrelationShift",
        "StressedAssets",
        "RebalancePreview", "RebalanceLimits", "RebalanceOpen", "ProblemList", "portbal_undo"}


@pytest.fixture(scope="module")
def supplied(flagship: FileBook) -> FileBook:
    """The flagship with what it has no example of: volumes, flows, tax lots and futures."""
    assets = flagship.find("Assets")
    assert assets is not None
    held = flagship.block(assets).trimmed()
    given: dict[str, list[list[Any]]] = {
        "Flows": [["Date", "Flow"], [dt.date(2023, 1, 31), -250000.0]],
        "TaxLots": [["Lot", "Asset", "Date", "Quantity", "Cost"], *(
            [f"L{at}", row[0], dt.date(2021, 3, 1), row[1], 30.0]
            for at, row in enumerate(rows_of(flagship, "Holdings")[1:]))],
        "Futures": [["Contract", "Asset or group", "Multiplier", "Price", "Margin", "Cost", "Beta"],
                    ["Index", "all", 50.0, 3800.0, 12000.0, 2.5, 1.0]],
    }
    writes: list[Write] = [PutCells(
        Area(assets.sheet, assets.row, assets.column + held.width, held.height, 1),
        (("ADV",), *(((4e6,),) * (held.height - 1))))]
    for name, rows in given.items():
        area = Area(f"Own {name}", 1, 1, len(rows), len(rows[0]))
        writes += [AddSheet(area.sheet), PutCells(area, tuple(map(tuple, rows))),
                   DefineName(name, area)]
    return flagship.after(writes)


@pytest.mark.parametrize("command", commands().values(), ids=lambda c: c.name)
def test_every_command_runs_on_the_flagship(supplied: FileBook, command: Command) -> None:
    """None writes over a formula, and only trades change what a person sees."""
    changes = command.run(supplied)
    writes = needed(supplied, (*changes.preview, *changes.writes))
    assert changes.status.endswith(".")
    touched = {write.area.sheet for write in writes if isinstance(write, PutCells)}
    own = {sheet for sheet in touched if sheet.startswith("portbal ")}
    assert touched - own <= ({"Trades"} if command.trades else set())
    assert not [write for write in writes if isinstance(write, PutFormula)]
    after = supplied.after(writes)
    assert after.sheets()[:len(supplied.sheets())] == supplied.sheets()


@pytest.mark.parametrize(("name", "message"), [
    ("liquidity", "has no column ADV"), ("cash plan", "Flows is not a name"),
    ("tax lots", "TaxLots is not a name"), ("hedge", "Futures is not a name"),
])
def test_what_the_flagship_lacks_is_one_message(
    flagship: FileBook, name: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        commands()[name].run(flagship)


def test_the_journal_is_listed_in_the_workbook(
    source: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rebalance", source, "-o", source, "--apply") == 0
    assert run("undo", source, "-o", source, "--apply") == 0
    assert run("journal", source, "-o", source, "--apply") == 0
    told = capsys.readouterr().out
    assert "The journal is sound: 2 records." in told
    assert str(journal) in told
    rows = rows_of(book_of(source), "JournalList")
    contents = [record.content for record in journal_file.read(journal).records]
    assert [(row[0], row[2], row[3], row[4]) for row in rows[1:]] == [
        (2.0, contents[1]["who"], "undo", "in.xlsx"), (1.0, contents[0]["who"], "apply", "in.xlsx")]
    assert rows[2][5:] == (len(contents[0]["orders"]) - 1, contents[0]["cash"][1])
    journal.write_bytes(journal.read_bytes().replace(b'"undo"', b'"redo"', 1))
    assert run("journal", source) == 0
    assert "has been changed: record 2 is not as it was sealed." in capsys.readouterr().out


@pytest.mark.slow
def test_the_flagship_is_rebalanced_once_and_restored(
    tmp_path: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its target is a formula that moves on with the holdings, and still Apply is once."""
    source, once, twice, back = (tmp_path / f"{n}.xlsx" for n in ("in", "once", "twice", "back"))
    source.write_bytes(recalculate(read(FLAGSHIP)).bytes)
    assert run("rebalance", source, "-o", once, "--apply") == 0
    before, after = book_of(source), book_of(once)
    traded = {row[0]: row[2] for row in rows_of(before, "Orders")[1:]}
    for (name, old, _), (_, new, _) in zip(
        rows_of(before, "Holdings")[1:], rows_of(after, "Holdings")[1:], strict=True
    ):
        assert new - old == traded.get(name, 0.0)
    assert rows_of(after, "Cash")[0][0] == pytest.approx(rows_of(before, "CashLeft")[0][0])
    assert rows_of(after, "Weights") != rows_of(before, "Weights")
    assert run("rebalance", once, "-o", twice, "--apply") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert once.read_bytes() == twice.read_bytes()
    assert run("undo", twice, "-o", back, "--apply") == 0
    then, now = values(source.read_bytes()), values(back.read_bytes())
    assert then.keys() == now.keys()
    for sheet, rows in then.items():
        for row, other in zip(rows, now[sheet], strict=True):
            assert [pytest.approx(c, rel=1e-6, abs=1e-6) if isinstance(c, float) else c or None
                    for c in row] == [c if isinstance(c, float) else c or None for c in other]
    assert len(journal_file.read(journal).records) == 2


def test_a_recorded_rebalance_can_be_read_by_other_programs(source: Path, journal: Path) -> None:
    assert run("rebalance", source, "-o", source, "--apply") == 0
    [line] = journal.read_text(encoding="ascii").splitlines()
    content = json.loads(line)["content"]
    held = {row[0]: row[1] for row in content["call"]["arguments"]["holdings"][1:]}
    for asset, _, quantity, price, value, *_ in content["orders"][1:]:
        assert value == pytest.approx(quantity * price)
        held[asset] += quantity
    assert held == {row[0]: row[1] for row in rows_of(book_of(source), "Holdings")[1:]}


def test_the_same_rebalance_in_memory_and_on_files(small: bytes) -> None:
    assert orders.typed(FileBook(small, "x")) == orders.typed(
        with_orders(workbook(Limits=[["Limit", "Min", "Max"], ["each asset", 0.0, 0.6]])))
