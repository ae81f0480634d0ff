"""Small workbooks written by hand, so that a test states every stored value and attribute."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from portbal_addin.hosts.workbook import Recalculation, recalculate

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

Value = float | str | bool | None


class Error(str):
    """An error value."""

    __slots__ = ()


@dataclass(frozen=True)
class F:
    """A formula. value: what a program stored, None for nothing. ref: the cells that it fills;
    with it the formula is a dynamic array, or with legacy=True one of fixed size."""

    text: str
    value: Value = None
    ref: str = ""
    legacy: bool = False


Cells = Mapping[str, Value | F]


def workbook(
    sheets: Mapping[str, Cells] | Cells,
    *,
    names: Mapping[str, str] | None = None,
    tables: Mapping[str, tuple[str, str, list[str]]] | None = None,
    merged: Mapping[str, list[str]] | None = None,
    calculates: bool = False,
    date1904: bool = False,
    extra: Mapping[str, bytes] | None = None,
) -> bytes:
    """sheets: cells by address, by sheet (one sheet called Sheet1 when they stand alone). names:
    ``Name`` or ``Sheet!Name``. tables: sheet, area and columns by name. calculates: the file
    asks to be calculated on opening."""
    if sheets and not all(isinstance(value, Mapping) for value in sheets.values()):
        sheets = {"Sheet1": sheets}  # type: ignore[dict-item]
    order = list(sheets)
    parts: dict[str, bytes] = {}
    by_sheet: dict[str, list[int]] = {}
    for number, (name, (sheet, area, columns)) in enumerate((tables or {}).items(), start=1):
        parts[f"xl/tables/table{number}.xml"] = _table(number, name, area, columns)
        by_sheet.setdefault(sheet, []).append(number)
    for number, (name, cells) in enumerate(sheets.items(), start=1):
        own = by_sheet.get(name, [])
        parts[f"xl/worksheets/sheet{number}.xml"] = _sheet(
            cells, (merged or {}).get(name, []), own)  # type: ignore[arg-type]
        if own:
            parts[f"xl/worksheets/_rels/sheet{number}.xml.rels"] = _links(
                {f"rId{n}": ("table", f"../tables/table{n}.xml") for n in own})
    parts["xl/workbook.xml"] = _book(order, names or {}, calculates, date1904)
    parts["xl/metadata.xml"] = _METADATA
    parts["xl/_rels/workbook.xml.rels"] = _links({
        **{f"rId{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(order) + 1)},
        "rIdM": ("sheetMetadata", "metadata.xml"),
    })
    parts["_rels/.rels"] = _links({"rId1": ("officeDocument", "xl/workbook.xml")})
    parts["[Content_Types].xml"] = _types(parts)
    parts.update(extra or {})
    return zipped(parts)


def zipped(parts: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6))
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def stored(data: bytes, sheet: int = 1) -> dict[str, Value]:
    """The values in a sheet of a file, read with another parser than the product's."""
    parts = parts_of(data)
    texts = []
    if "xl/sharedStrings.xml" in parts:
        for item in ElementTree.fromstring(parts["xl/sharedStrings.xml"]).iter(f"{{{MAIN}}}si"):
            texts.append("".join(t.text or "" for t in item.iter(f"{{{MAIN}}}t")))
    found: dict[str, Value] = {}
    for cell in ElementTree.fromstring(parts[f"xl/worksheets/sheet{sheet}.xml"]).iter(
        f"{{{MAIN}}}c"
    ):
        value = _value(cell, texts)
        if value is not None:
            found[cell.attrib["r"]] = value
    return found


def formulas(data: bytes, sheet: int = 1) -> dict[str, tuple[str, str]]:
    """Text and ref of every formula of a sheet."""
    root = ElementTree.fromstring(parts_of(data)[f"xl/worksheets/sheet{sheet}.xml"])
    found = {}
    for cell in root.iter(f"{{{MAIN}}}c"):
        formula = cell.find(f"{{{MAIN}}}f")
        if formula is not None:
            found[cell.attrib["r"]] = (formula.text or "", formula.get("ref", ""))
    return found


def result(formula: str, cells: Cells | None = None, **more: object) -> Value:
    """What one formula in Z99 gives, above nothing and beside these cells."""
    done = computed({**(cells or {}), "Z99": F(formula)}, **more)
    return stored(done.bytes).get("Z99")


def computed(sheets: Mapping[str, Cells] | Cells, **more: object) -> Recalculation:
    return recalculate(workbook(sheets, **more))  # type: ignore[arg-type]


# --- parts -----------------------------------------------------------------------------------

_METADATA = (
    f'{HEAD}<metadata xmlns="{MAIN}" '
    'xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">'
    '<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" '
    'pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" '
    'clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes>'
    '<futureMetadata name="XLDAPR" count="1"><bk><extLst>'
    '<ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}">'
    '<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk>'
    '</futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>'
).encode()


def _sheet(cells: Cells, merged: list[str], tables: list[int]) -> bytes:
    rows: dict[int, list[tuple[int, str, Value | F]]] = {}
    for address, value in cells.items():
        letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", address).groups()  # type: ignore[union-attr]
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        rows.setdefault(int(digits), []).append((column, address, value))
    body = "".join(
        f'<row r="{row}">' + "".join(_cell(address, value) for _, address, value in sorted(
            items, key=lambda item: item[0])) + "</row>"
        for row, items in sorted(rows.items())
    )
    joined = "".join(f'<mergeCell ref="{area}"/>' for area in merged)
    links = "".join(f'<tablePart r:id="rId{n}"/>' for n in tables)
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheetData>{body}</sheetData>'
        + (f'<mergeCells count="{len(merged)}">{joined}</mergeCells>' if merged else "")
        + (f'<tableParts count="{len(tables)}">{links}</tableParts>' if tables else "")
        + "</worksheet>"
    ).encode()


def _cell(address: str, value: Value | F) -> str:
    if not isinstance(value, F):
        if isinstance(value, str) and not isinstance(value, Error):
            return (f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}'
                    "</t></is></c>")
        return f'<c r="{address}"{_kind(value)}>{_shown(value)}</c>'
    attributes = ""
    if value.ref:
        attributes = f' t="array" ref="{value.ref}"'
    marked = ' cm="1"' if value.ref and not value.legacy else ""
    return (f'<c r="{address}"{_kind(value.value)}{marked}><f{attributes}>{escape(value.text)}</f>'
            f"{_shown(value.value)}</c>")


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return ' t="b"'
    if isinstance(value, Error):
        return ' t="e"'
    return ' t="str"' if isinstance(value, str) else ""


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"<v>{int(value)}</v>"
    return f"<v>{escape(value) if isinstance(value, str) else repr(value)}</v>"


def _value(cell: ElementTree.Element, texts: list[str]) -> Value:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{{{MAIN}}}t"))
    node = cell.find(f"{{{MAIN}}}v")
    if node is None:
        return None
    text = node.text or ""
    if kind == "s":
        return texts[int(text)]
    if kind == "b":
        return text == "1"
    if kind == "e":
        return Error(text)
    return text if kind == "str" else float(text)


def _table(number: int, name: str, area: str, columns: list[str]) -> bytes:
    items = "".join(f'<tableColumn id="{n}" name={quoteattr(column)}/>'
                    for n, column in enumerate(columns, start=1))
    return (
        f'{HEAD}<table xmlns="{MAIN}" id="{number}" name="{name}" displayName="{name}" '
        f'ref="{area}" totalsRowShown="0"><tableColumns count="{len(columns)}">{items}'
        "</tableColumns></table>"
    ).encode()


def _book(order: list[str], names: Mapping[str, str], calculates: bool, date1904: bool) -> bytes:
    sheets = "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>'
                     for n, name in enumerate(order, start=1))
    defined = ""
    for name, text in names.items():
        sheet, _, own = name.rpartition("!")
        scope = f' localSheetId="{order.index(sheet)}"' if sheet else ""
        defined += f"<definedName name={quoteattr(own)}{scope}>{escape(text)}</definedName>"
    return (
        f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        + ('<workbookPr date1904="1"/>' if date1904 else "")
        + f"<sheets>{sheets}</sheets>"
        + (f"<definedNames>{defined}</definedNames>" if defined else "")
        + ('<calcPr calcId="191029" fullCalcOnLoad="1"/>' if calculates else "")
        + "</workbook>"
    ).encode()


def _links(targets: Mapping[str, tuple[str, str]]) -> bytes:
    links = "".join(f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>'
                    for key, (kind, target) in targets.items())
    return f'{HEAD}<Relationships xmlns="{PACKAGE}">{links}</Relationships>'.encode()


def _types(parts: Mapping[str, bytes]) -> bytes:
    kinds = {"xl/workbook.xml": "sheet.main", "xl/metadata.xml": "sheetMetadata"}
    items = "".join(
        f'<Override PartName="/{name}" ContentType="{TYPES}.{_type(name, kinds)}+xml"/>'
        for name in parts if name.endswith(".xml")
    )
    return (
        f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{items}</Types>"
    ).encode()


def _type(name: str, kinds: Mapping[str, str]) -> str:
    if name in kinds:
        return kinds[name]
    return "table" if name.startswith("xl/tables/") else "worksheet"
