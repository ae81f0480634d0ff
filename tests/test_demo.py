"""portbal demo: what it prints is what the workbook holds, and it replaces no other file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portbal_addin.cli import main
from portbal_addin.cli.demo import report, tables
from portbal_templates import read

NAME = "portfolio_balancer"


def test_demo_prints_what_a_person_wants_to_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.xlsx"
    assert main(["demo", "-o", str(output)]) == 0
    text = capsys.readouterr().out
    book = tables(output.read_bytes())
    assert "2017-12-27 to 2022-12-28" in text
    assert str(output) in text
    for asset, weight in book["Weights"][1:]:
        line = re.search(rf"^  {asset} .*$", text, re.MULTILINE)
        assert line is not None
        assert f"{weight:.1%}" in line[0]
    for method, level, days, *values in book["TailRisk"][1:]:
        line = re.search(rf"^  {method} {level:.0%}, {days:.0f} day.*$", text, re.MULTILINE)
        assert line is not None
        assert re.findall(r"[\d.]+%", line[0])[1:] == [f"{value:.2%}" for value in values]
    assert "all 27 kept" in text
    for asset, side, quantity, *_ in book["Orders"][1:]:
        assert re.search(rf"^  {side} +{asset} +{quantity:,.0f} ", text, re.MULTILINE)
    assert re.search(r"^Problems\n  none$", text, re.MULTILINE)


def test_demo_is_plain_text_of_a_page_width(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "-o", str(tmp_path / "out.xlsx")]) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    assert "\x1b" not in text
    assert max(map(len, (line for line in text.splitlines() if "out.xlsx" not in line))) <= 80
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_demo_keeps_a_file_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / f"{NAME}.xlsx"
    mine.write_bytes(b"mine")
    assert main(["demo"]) == 0
    assert main(["demo"]) == 0
    assert mine.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{NAME}-2.xlsx", f"{NAME}.xlsx"]


def test_demo_shows_problems_and_breaches() -> None:
    book = dict(tables(read(NAME)))
    header, first, *rest = book["TargetLimits"]
    book["TargetLimits"] = (header, (*first[:5], "breach"), *rest)
    text = "\n".join(report(book, ["Target!B29: #PORTBAL MAXSHARPE: ..."], Path("x.xlsx")))
    assert "1 of 27 breached" in text
    assert "Target!B29: #PORTBAL MAXSHARPE" in text


def test_demo_says_why_it_cannot_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "-o", str(tmp_path / "no" / "such" / "folder.xlsx")]) == 1
    assert "cannot be written" in capsys.readouterr().err
