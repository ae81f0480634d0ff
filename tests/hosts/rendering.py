"""A workbook as LibreOffice shows it:

    python tests/hosts/rendering.py WORKBOOK.xlsx OUTPUT [SHEET [DPI]]

OUTPUT is a .pdf with every page, or a .png of the first page without its margins; with SHEET of
that sheet, on one page. LibreOffice
recalculates array formulas whenever it opens a file, and knows no portbal formula here; so the
copy that it gets holds the stored values of formulas alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

RESOLUTION = 96
MARGIN = 14


def values_only(source: Path, copy: Path) -> None:
    """The workbook with the stored value in place of every formula."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"<f\b[^>]*>[^<]*</f>|<f\b[^>]*/>", b"", content)
                content = content.replace(b' cm="1"', b"")
            new.writestr(part, content)


def only(workbook: Path, sheet: str) -> None:
    """Hide every other sheet, and let this one print on one page."""
    with zipfile.ZipFile(workbook) as file:
        parts = {part.filename: file.read(part) for part in file.infolist()}
    text = parts["xl/workbook.xml"].decode()
    tags = re.findall(r"<sheet\b[^>]*/>", text)
    at = next(at for at, tag in enumerate(tags) if f'name="{sheet}"' in tag)
    for tag in tags[:at] + tags[at + 1:]:
        shown = re.sub(r' state="\w+"', "", tag)
        text = text.replace(tag, shown.replace("<sheet", '<sheet state="hidden"', 1))
    text = re.sub(r' (?:activeTab|firstSheet)="\d+"', "", text)
    text = text.replace("<workbookView", f'<workbookView activeTab="{at}"', 1)
    parts["xl/workbook.xml"] = text.encode()
    link = re.search(r'\br:id="([^"]+)"', tags[at])
    links = parts["xl/_rels/workbook.xml.rels"].decode()
    target = next(re.search(r'Target="/?(?:xl/)?([^"]+)"', tag)
                  for tag in re.findall(r"<Relationship\b[^>]*/>", links)
                  if link is not None and f'Id="{link[1]}"' in tag)
    assert target is not None
    name = f"xl/{target[1]}"
    page = parts[name].decode()
    page = re.sub(r"(<worksheet\b[^>]*>)", r'\1<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>',
                  page, count=1)
    parts[name] = page.replace(
        "</sheetData>", '</sheetData><pageSetup orientation="landscape"/>', 1).encode()
    with zipfile.ZipFile(workbook, "w", zipfile.ZIP_DEFLATED) as file:
        for part, content in parts.items():
            file.writestr(part, content)


def to_pdf(source: Path, output: Path, sheet: str = "") -> None:
    """Print every sheet; RuntimeError with LibreOffice's words when it does not."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{source.stem}.xlsx"
        values_only(source, copy)
        if sheet:
            only(copy, sheet)
        command = ["soffice", "--headless", "--norestore",
                   f"-env:UserInstallation=file://{folder}/profile",
                   "--convert-to", "pdf", "--outdir", folder, str(copy)]
        for _ in range(2):  # a new profile may make it end with 81: start again
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if copy.with_suffix(".pdf").exists():
                shutil.copyfile(copy.with_suffix(".pdf"), output)
                return
        raise RuntimeError(f"LibreOffice wrote no PDF: {done.stdout}{done.stderr}")


def first_page(pdf: Path, picture: Path, resolution: int = RESOLUTION) -> None:
    """The first page as PNG, cut to what is on it."""
    page = ["pdftoppm", "-r", str(resolution), "-f", "1", "-l", "1", "-singlefile"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*page, "-gray", str(pdf), f"{folder}/page"], check=True)
        content = (Path(folder) / "page.pgm").read_bytes()
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", content)
    if header is None:
        raise RuntimeError("pdftoppm wrote no picture")
    width, height = int(header[1]), int(header[2])
    dark = np.frombuffer(content, np.uint8, offset=header.end()).reshape(height, width) < 250
    dark[int(height * 0.94):] = False  # the printed footer
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    left, top = max(columns[0] - MARGIN, 0), max(rows[0] - MARGIN, 0)
    box = ["-x", left, "-y", top, "-W", min(columns[-1] + MARGIN, width - 1) - left,
           "-H", min(rows[-1] + MARGIN, height - 1) - top]
    subprocess.run([*page, "-png", *map(str, box), str(pdf), str(picture.with_suffix(""))],
                   check=True)


def main(source: Path, output: Path, sheet: str = "", resolution: str = str(RESOLUTION)) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".pdf":
        to_pdf(source, output, sheet)
        return
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "pages.pdf"
        to_pdf(source, pdf, sheet)
        first_page(pdf, output, int(resolution))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
