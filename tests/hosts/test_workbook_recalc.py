"""``portbal recalc`` at the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosts.workbook_files import F, stored, workbook
from portbal_addin.cli import main

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
    assert capsys.readouterr().err.startswith(f"portbal: {path}: ")
    assert not path.with_name("other.recalculated.xlsx").exists()


def test_fresh_recalculates_what_another_program_left_behind(tmp_path: Path) -> None:
    path, out = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    path.write_bytes(workbook({"A1": 3.0, "B1": F("A1*2", 4.0)}))
    assert main(["recalc", str(path), "-o", str(out)]) == 0
    assert stored(out.read_bytes())["B1"] == 4.0
    assert main(["recalc", str(path), "-o", str(out), "--fresh"]) == 0
    assert stored(out.read_bytes())["B1"] == 6.0
