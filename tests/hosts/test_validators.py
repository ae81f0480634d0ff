"""The shipped workbooks before two judges that are not ours: the Open XML SDK's validator and
LibreOffice, which prints them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portbal_addin.hosts.workbook import recalculate
from portbal_addin.hosts.workbook.book import FileBook
from portbal_addin.macros.commands import find
from portbal_templates import TEMPLATES, read
from portbal_templates.build import built

TOP = Path(__file__).parent.parent.parent
RENDERING = Path(__file__).parent / "rendering.py"


def validator() -> str:
    local = TOP / "node_modules" / ".bin" / "ooxml-validator"
    found = str(local) if local.exists() else shutil.which("ooxml-validator")
    if found is None:
        pytest.skip("no ooxml-validator; make host-tools installs it")
    return found


def problems(path: Path) -> list[object]:
    done = subprocess.run([validator(), str(path)], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["errors"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_is_valid_open_xml(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.xlsx"
    path.write_bytes(read(name))
    assert problems(path) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_recalculated_template_is_valid_open_xml(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.xlsx"
    path.write_bytes(recalculate(read(name)).bytes)
    assert problems(path) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_in_the_spelling_of_calc_is_valid_open_xml(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.xlsx"
    path.write_bytes(built(name, "calc"))
    assert problems(path) == []


@pytest.mark.parametrize("name", ["check data", "rebalance"])
def test_workbook_after_a_command_is_valid_open_xml(name: str, tmp_path: Path) -> None:
    book = FileBook(read("portfolio_balancer"), "book.xlsx")
    changes = find(name).run(book)
    path = tmp_path / "book.xlsx"
    path.write_bytes(book.after((*changes.preview, *changes.writes)).data)
    assert problems(path) == []


def test_validator_finds_a_broken_file(tmp_path: Path) -> None:
    """A judge that accepts everything would be none."""
    import zipfile

    source, path = tmp_path / "good.xlsx", tmp_path / "bad.xlsx"
    source.write_bytes(read("portfolio_balancer"))
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b"<sheetData>", b"<sheetData><nonsense/>")
            new.writestr(part, content)
    assert problems(path) != []


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The text of every printed page of the flagship."""
    for tool in ("soffice", "pdftotext", "pdftoppm"):
        if shutil.which(tool) is None:
            pytest.skip("no LibreOffice with poppler-utils; make host-tools installs them")
    folder = tmp_path_factory.mktemp("pages")
    source, pdf = folder / "portfolio_balancer.xlsx", folder / "pages.pdf"
    source.write_bytes(read("portfolio_balancer"))
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("PYTHON", "PYENV"))}
    subprocess.run([sys.executable, str(RENDERING), str(source), str(pdf)], check=True,
                   env=environment)
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True,
                          check=True)
    return done.stdout.split("\f")


def page_of(pages: list[str], sheet: str) -> str:
    """The first printed page of a sheet, known by the footer."""
    return next(text for text in pages
                if re.search(rf"portfolio_balancer\S*\s+{sheet}\s+Page", text))


def test_printed_pages_show_values_and_no_errors(pages: list[str]) -> None:
    text = "\n".join(pages)
    for trouble in ("###", "Err:", "#NAME?", "#VALUE!", "#REF!", "#N/A", "#DIV/0!"):
        assert trouble not in text
    assert len(pages) < 80


@pytest.mark.parametrize(("sheet", "words"), [
    ("Start", ["Expected return", "Problems on all pages", "Efficient frontier", "Legend"]),
    ("Prices", ["BSD 3-Clause", "US dollars", "2017-12-27"]),
    ("Assets", ["Health Care", "100.00%"]),
    ("Limits", ["each asset", "tracking error", "12.0%"]),
    ("Views", ["XOM - CVX", "Confidence"]),
    ("Estimates", ["Black-Litterman", "Covariance, Ledoit-Wolf"]),
    ("Frontier", ["Under all limits", "Volatility (a year)"]),
    ("Target", ["Weights: current, benchmark and target", "Share"]),
    ("Risk", ["cornish-fisher", "CVaR, target"]),
    ("Trades", ["Weight after", "Cash left", "Holdings"]),
])
def test_each_page_is_printed_with_its_charts(
    pages: list[str], sheet: str, words: list[str]
) -> None:
    text = page_of(pages, sheet)
    assert [word for word in words if word not in text] == []
