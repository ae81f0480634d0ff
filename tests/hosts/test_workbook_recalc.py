"""``portbal recalc`` at the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hosts.workbook_files import F, stored, workbook
from portbal_addin.cli import main
from portbal_addin.cli.recalc import _Progress
from portbal_addin.hosts.workbook import recalculate
from portbal_addin.remembered import Remembered

WEIGHTS = {"A1": "A", "B1": 0.6, "A2": "B", "B2": 0.4}
GOOD = workbook({**WEIGHTS, "D1": F('PORTBAL.TURNOVER(A1:B2,{"A",0.5;"B",0.5})'), "D2": F("D1*2")})
BAD = workbook({**WEIGHTS, "D1": F("PORTBAL.TURNOVER(A1:B2)")})
NOTED = workbook({
    "A1": "X", **{f"A{row}": 0.01 * (-1) ** row for row in range(2, 22)},
    "D1": F('PORTBAL.VAR(A1:A21,,0.9,"historical",5)'), "D2": F("GETPIVOTDATA(\"a\",A1)", 3.0),
})


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    path.write_bytes(GOOD)
    return path


def test_the_result_lies_beside_the_file(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recalc", str(book)]) == 0
    made = book.with_name("book.recalculated.xlsx")
    assert stored(made.read_bytes())["D1"] == pytest.approx(0.1)
    assert book.read_bytes() == GOOD
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 portbal and 1 native formulas in ")
    assert lines[0].endswith("2 cells changed")
    assert lines[-1] == f"written to {made}"


def test_the_file_itself_only_when_asked(book: Path) -> None:
    assert main(["recalc", str(book), "-o", str(book)]) == 0
    assert stored(book.read_bytes())["D2"] == pytest.approx(0.2)


def test_problems_are_listed_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "bad.xlsx", tmp_path / "out.xlsx"
    path.write_bytes(BAD)
    assert main(["recalc", str(path), "-o", str(out)]) == 1
    assert "problem  Sheet1!D1: #PORTBAL TURNOVER: target: it is missing" in capsys.readouterr().out
    assert str(stored(out.read_bytes())["D1"]).startswith("#PORTBAL TURNOVER")


def test_notes_and_warnings_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "noted.xlsx"
    path.write_bytes(NOTED)
    assert main(["recalc", str(path), "-o", str(tmp_path / "out.xlsx")]) == 0
    out = capsys.readouterr().out
    assert "note     Sheet1!D1: " in out
    assert "warning  Sheet1!D2: kept as stored: GETPIVOTDATA" in out


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no zip"])
def test_what_is_no_workbook_is_refused(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.xlsx"
    if content is not None:
        path.write_bytes(content)
    assert main(["recalc", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"portbal: {path}")
    assert not path.with_name("other.recalculated.xlsx").exists()


def test_fresh_recalculates_what_another_program_left_behind(tmp_path: Path) -> None:
    path, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    path.write_bytes(workbook({"A1": 3.0, "B1": F("A1*2", 4.0)}))
    assert main(["recalc", str(path), "-o", str(out)]) == 0
    assert stored(out.read_bytes())["B1"] == 4.0
    assert main(["recalc", str(path), "-o", str(out), "--fresh"]) == 0
    assert stored(out.read_bytes())["B1"] == 6.0


# --- in other people's pipelines -------------------------------------------------------------

def test_check_says_what_would_change_and_writes_nothing(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recalc", str(book), "--check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("2 cells would change")
    assert lines[1:] == ["change   Sheet1!D1: nothing -> 0.1", "change   Sheet1!D2: nothing -> 0.2"]
    assert [path.name for path in book.parent.iterdir()] == ["book.xlsx"]
    assert book.read_bytes() == GOOD
    assert main(["recalc", str(book), "-o", str(book)]) == 0
    capsys.readouterr()
    assert main(["recalc", str(book), "--check"]) == 0
    assert capsys.readouterr().out.endswith("0 cells would change\n")
    assert main(["recalc", str(book), "--check", "-o", "x.xlsx"]) == 2


def test_check_fails_for_what_is_out_of_date_or_has_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    cells = {"A1": 1.0, "B1": F('GETPIVOTDATA("a",A1)', 3.0), "B2": F("A1", 1.0)}
    path.write_bytes(workbook(cells))
    assert main(["recalc", str(path), "--check"]) == 1
    path.write_bytes(BAD)
    assert main(["recalc", str(path), "-o", str(path)]) == 1
    assert main(["recalc", str(path), "--check"]) == 1


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_json_reports_by_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "noted.xlsx"
    path.write_bytes(NOTED)
    assert main(["recalc", str(path), "--json", "--check"]) == 1
    found = told(capsys)
    assert (found["written"], found["native"], found["portbal"], found["changed"]) == (
        None, 0, 1, 1)
    cell = found["cells"]["Sheet1!D1"]
    assert cell["before"] is None
    assert cell["after"] == pytest.approx(0.01 * (1 + 0.01), abs=0.01)
    assert len(cell["notes"]) == 1
    assert [call["function"] for call in cell["calls"]] == ["VAR"]
    assert len(cell["calls"][0]["digest"]) == 32
    assert "GETPIVOTDATA" in found["cells"]["Sheet1!D2"]["warnings"][0]
    assert main(["recalc", str(path), "--json", "-o", str(tmp_path / "out.xlsx")]) == 0
    assert told(capsys)["written"] == str(tmp_path / "out.xlsx")
    path.write_bytes(BAD)
    assert main(["recalc", str(path), "--json", "--check"]) == 1
    assert "#PORTBAL TURNOVER" in told(capsys)["cells"]["Sheet1!D1"]["problems"][0]


# --- how a cell came about -------------------------------------------------------------------

CHAIN = workbook({
    "A1": "Date", "B1": "X", "C1": "Y",
    **{f"A{row}": 45000.0 + 7 * row for row in range(2, 20)},
    **{f"B{row}": 100.0 + 3 * (row % 3) for row in range(2, 20)},
    **{f"C{row}": 50.0 + 2 * (row % 4) for row in range(2, 20)},
    "E1": F('PORTBAL.MINVOLATILITY(PORTBAL.COVARIANCE(PORTBAL.RETURNS(A1:C19)))', None, "E1"),
    "H1": F("ROUND(PORTBAL.VAR(PORTBAL.RETURNS(A1:C19),E1#,0.9)*H9,2)"), "H9": 100.0,
    "H2": F("SUM(B2:B19)*2", 1.0), "H3": F("PORTBAL.TURNOVER(E1#)"), "H4": F("RAND()", 0.5),
}, names={"Risk": "Sheet1!$H$1"})


@pytest.fixture
def chain(tmp_path: Path) -> str:
    path = tmp_path / "chain.xlsx"
    path.write_bytes(CHAIN)
    return str(path)


def test_explain_shows_arguments_with_ranges_and_digests(
    chain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", chain, "Risk", "--json"]) == 0
    found = told(capsys)
    assert (found["cell"], found["formula"]) == (
        "Sheet1!H1", "=ROUND(PORTBAL.VAR(PORTBAL.RETURNS(A1:C19),E1#,0.9)*H9,2)")
    assert "Sheet1!H9" in found["reads"]
    var, returns = found["calls"]
    assert [(call["function"], call["depth"]) for call in found["calls"]] == [
        ("VAR", 0), ("RETURNS", 1)]
    given = {argument["name"]: argument for argument in var["arguments"]}
    assert given["returns"]["source"] == "PORTBAL.RETURNS(...)"
    assert given["weights"]["source"] == "Sheet1!E1# (E1:F3)"
    assert (given["weights"]["rows"], given["weights"]["columns"]) == (3, 2)
    assert given["level"]["source"] == "0.9"
    assert given["method"]["source"] == "left out: historical"
    assert returns["arguments"][0]["source"] == "Sheet1!A1:C19"
    assert (returns["arguments"][0]["rows"], returns["arguments"][0]["columns"]) == (19, 3)


def test_a_digest_changes_with_the_cells_and_with_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def digests(limit: float, other: float) -> tuple[str, str]:
        path = tmp_path / "a.xlsx"
        path.write_bytes(workbook({
            "A1": "A", "B1": limit, "A2": "B", "B2": 0.5, "C9": other,
            "D1": F('PORTBAL.TURNOVER(A1:B2,{"A",0.5;"B",0.5})')}))
        main(["explain", str(path), "D1", "--json"])
        call = told(capsys)["calls"][0]
        return call["digest"], call["arguments"][0]["digest"]

    assert digests(0.5, 1.0) == digests(0.5, 2.0)
    one, other = digests(0.5, 1.0), digests(0.5 + 1e-16 * 2, 1.0)
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_explain_in_words(chain: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", chain, "F2"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Sheet1!E1  =PORTBAL.MINVOLATILITY(")
    for words in ("fills     E1:F3", "PORTBAL.MINVOLATILITY: ", "proof   residual = ",
                  "      method = left out: sample", "prices = Sheet1!A1:C19  19 x 3  "):
        assert words in text
    assert main(["explain", chain, "H3"]) == 1
    assert "problem   #PORTBAL TURNOVER: target: it is missing" in capsys.readouterr().out
    for cell, words in (("H4", "warning   kept as stored: random"),
                        ("A3", "holds 45021, no formula"), ("Z9", "is blank"),
                        ("H2", "reads     Sheet1!B2:B19")):
        assert main(["explain", chain, cell]) == 0
        assert words in capsys.readouterr().out


@pytest.mark.parametrize(("cell", "words"), [
    ("A1:B2", "more than one cell"), ("Nope!A1", "no sheet 'Nope'"), ("Risky", "no name 'Risky'"),
    ("1+1", "no range"), ("SUM(A1)", "no range"),
])
def test_explain_of_what_is_no_cell(
    chain: str, cell: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", chain, cell]) == 1
    assert words in capsys.readouterr().err


# --- long runs -------------------------------------------------------------------------------

def test_progress_is_told_and_wiped_away(capsys: pytest.CaptureFixture[str]) -> None:
    with _Progress(shown=True) as tell:
        tell(1, 9)
        tell.__self__._begun -= 5  # type: ignore[attr-defined]
        tell.__self__._last -= 5  # type: ignore[attr-defined]
        tell(2, 9)
    assert capsys.readouterr().err == "\r2 of 9 portbal calls (Ctrl-C stops)\r\x1b[K"
    with _Progress(shown=False) as tell:
        tell.__self__._begun -= 5  # type: ignore[attr-defined]
        tell(1, 9)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX knows them")
def test_control_c_writes_nothing_and_leaves_no_process(tmp_path: Path) -> None:
    slow = "SUMPRODUCT(A1:A1048575*B1:B1048575)"
    path = tmp_path / "slow.xlsx"
    path.write_bytes(workbook({f"D{row}": F(f"{slow}+{row}") for row in range(1, 200)}))
    running = subprocess.Popen(
        [sys.executable, "-m", "portbal_addin", "recalc", str(path)], stderr=subprocess.PIPE,
        text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    while not _children(running.pid):
        time.sleep(0.05)
    children = _children(running.pid)
    time.sleep(0.3)
    os.killpg(running.pid, signal.SIGINT)
    assert running.communicate()[1] == "portbal: stopped; nothing was written\n"
    assert running.returncode == 130
    assert [found.name for found in tmp_path.iterdir()] == ["slow.xlsx"]
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(word) for word in text.split()]


def test_formulas_share_the_decoding_of_a_big_range(monkeypatch: pytest.MonkeyPatch) -> None:
    from portbal_addin.hosts.workbook import evaluate

    made: list[Remembered] = []

    class Watched(Remembered):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(evaluate, "Remembered", Watched)
    names = {f"{column}1": column for column in "ABCD"}
    numbers = {f"{column}{row}": (row * 7 + ord(column)) % 11 / 100 - 0.04
               for column in "ABCD" for row in range(2, 302)}
    calls = {f"F{at}": F(f'PORTBAL.VAR(A1:D301,{{"A",0.5;"B",0.5}},0.{90 + at})')
             for at in range(1, 6)}
    done = recalculate(workbook({**names, **numbers, **calls}), fresh=True)
    assert not done.problems
    assert [store.decodings for store in made] == [1]


def test_no_file_is_written_under_an_ending_that_excel_refuses(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("other.xlsm", "other.txt"):
        assert main(["recalc", str(book), "-o", str(book.with_name(name))]) == 1
        assert f"Excel does not open it as {name}. Use the ending .xlsx." in capsys.readouterr().err
    assert [path.name for path in book.parent.iterdir()] == ["book.xlsx"]


def test_a_missing_file_is_named_once(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = book.with_name("gone.xlsx")
    assert main(["recalc", str(gone)]) == 1
    assert capsys.readouterr().err.count(str(gone)) == 1
