"""What a workbook file holds: values of cells, sizes of spills, tables by their names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from xlsxwriter.utility import xl_cell_to_rowcol

from portbal_templates.page import Known, Spot, Value

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def stored(workbook: bytes) -> Known:
    """Values and spills of one of our own workbooks; nothing is calculated."""
    values: dict[Spot, Value] = {}
    sizes: dict[Spot, tuple[int, int]] = {}
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
        texts = _shared_texts(parts)
        for sheet, part in _sheets(parts):
            for cell in ElementTree.fromstring(parts.read(part)).iter(f"{_MAIN}c"):
                spot = (sheet, *xl_cell_to_rowcol(cell.attrib["r"]))
                values[spot] = _value(cell, texts)
                formula = cell.find(f"{_MAIN}f")
                if formula is not None and formula.get("t") == "array":
                    sizes[spot] = _size(formula.attrib["ref"])
    return Known(values, sizes)


def tables(workbook: bytes) -> dict[str, list[list[Value]]]:
    """The range behind every defined name, without blank rows and columns at its end."""
    values = stored(workbook).values
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
        root = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    found = {}
    for name in root.iter(f"{_MAIN}definedName"):
        if name.get("localSheetId") is None:
            sheet, area = (name.text or "").replace("$", "").split("!")
            top, left, bottom, right = _corners(area)
            found[name.attrib["name"]] = _trimmed([
                [values.get((sheet, row, column)) for column in range(left, right + 1)]
                for row in range(top, bottom + 1)
            ])
    return found


def _trimmed(rows: list[list[Value]]) -> list[list[Value]]:
    filled = [row for row in rows if any(value is not None for value in row)]
    width = max((at + 1 for row in filled for at, value in enumerate(row) if value is not None),
                default=0)
    return [row[:width] for row in filled]


def _shared_texts(parts: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in parts.namelist():
        return []
    items = ElementTree.fromstring(parts.read("xl/sharedStrings.xml")).iter(f"{_MAIN}si")
    return ["".join(text.text or "" for text in item.iter(f"{_MAIN}t")) for item in items]


def _sheets(parts: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name and part of every sheet."""
    links = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    targets = {link.attrib["Id"]: link.attrib["Target"] for link in links}
    for sheet in ElementTree.fromstring(parts.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        yield sheet.attrib["name"], f"xl/{targets[sheet.attrib[f'{_OFFICE}id']]}"


def _value(cell: ElementTree.Element, texts: list[str]) -> Value:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{_MAIN}t"))
    text = cell.findtext(f"{_MAIN}v")
    if text is None or text == "":
        return None
    if kind == "s":
        return texts[int(text)]
    if kind == "b":
        return text == "1"
    return float(text) if kind == "n" else text


def _corners(area: str) -> tuple[int, int, int, int]:
    first, _, last = area.partition(":")
    return (*xl_cell_to_rowcol(first), *xl_cell_to_rowcol(last or first))


def _size(area: str) -> tuple[int, int]:
    top, left, bottom, right = _corners(area)
    return bottom - top + 1, right - left + 1
