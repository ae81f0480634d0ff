"""Sheets, names and formulas added to the parts of a workbook file that hold them.

Each function gives the whole file; parts that are not about the addition stay byte for byte.
"""

from __future__ import annotations

import io
import re
import zipfile

from portbal.errors import NotAvailable
from portbal_addin.book import FORMATS, AddSheet, Area, DefineName
from portbal_addin.hosts.workbook import references
from portbal_addin.hosts.workbook.markup import encoded, local, parse, parser, tree
from portbal_addin.hosts.workbook.package import Package, links_of, target
from portbal_addin.hosts.workbook.references import quoted

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_TYPES = "[Content_Types].xml"
_TIME = (1980, 1, 1, 0, 0, 0)
_WIDTH, _COLUMNS = 16, 60


def with_sheet(package: Package, main: str, sheet: AddSheet) -> bytes:
    """The file with one more sheet at the end. main: the part that lists the sheets."""
    root, links = package.read(main).decode(), package.read(links_of(main)).decode()
    types = package.read(_TYPES).decode()
    folder = main.rpartition("/")[0]
    number = 1
    while f"{folder}/worksheets/portbal{number}.xml" in package:
        number += 1
    part, identifier = f"worksheets/portbal{number}.xml", f"rIdPortbal{number}"
    sheet_id = max(map(int, re.findall(r'\bsheetId="(\d+)"', root)), default=0) + 1
    state = ' state="veryHidden"' if sheet.hidden else ""
    prefix, r = _prefix(root, "sheets"), _link_prefix(root)
    entry = (f'<{prefix}sheet name="{_attribute(sheet.name)}" sheetId="{sheet_id}"{state} '
             f'{r}:id="{identifier}"/>')
    link = f'<Relationship Id="{identifier}" Type="{_LINKS}/worksheet" Target="{part}"/>'
    kind = f'<Override PartName="/{folder}/{part}" ContentType="{_SHEET_TYPE}"/>'
    styles, bold, numbers = _styles(package, main, sheet)
    changed = {
        main: _before(root, f"</{prefix}sheets>", entry, main),
        links_of(main): _before(links, "</Relationships>", link, links_of(main)),
        _TYPES: _before(types, "</Types>", kind, _TYPES),
    }
    data = package.replaced({**{n: text.encode() for n, text in changed.items()}, **styles})
    return _with_part(data, f"{folder}/{part}", _empty_sheet(bold, numbers))


def with_name(package: Package, main: str, name: DefineName) -> bytes:
    """The file in which the name, new or old, stands for its area."""
    root = package.read(main).decode()
    prefix = _prefix(root, "sheets")
    reference = encoded(f"{quoted(name.area.sheet)}!{_absolute(name.area)}")
    word = _attribute(name.name)
    old = re.compile(
        rf'(<{prefix}definedName(?=[^>]*\sname="{re.escape(word)}")'
        rf"(?![^>]*\slocalSheetId=)[^>]*>)[^<]*(</{prefix}definedName>)", re.IGNORECASE)
    tag = f'<{prefix}definedName name="{word}">{reference}</{prefix}definedName>'
    closing = f"</{prefix}definedNames>"
    if old.search(root):
        root = old.sub(lambda found: found[1] + reference + found[2], root, count=1)
    elif closing in root:
        root = _before(root, closing, tag, main)
    else:
        place = re.search(
            rf"</{prefix}sheets>(?:\s*<{prefix}(?:functionGroups|externalReferences)\b"
            rf"(?:[^>]*/>|.*?</{prefix}(?:functionGroups|externalReferences)>))*", root, re.DOTALL)
        if place is None:
            raise _unusual(main)
        root = (f"{root[:place.end()]}<{prefix}definedNames>{tag}{closing}{root[place.end():]}")
    return package.replaced({main: root.encode()})


def with_formulas(data: bytes, texts: dict[tuple[int, int], str], part: str) -> bytes:
    """A sheet part with other texts, without their equals signs, in these formulas, by row and
    column; their values stay."""
    edits: list[tuple[int, int, bytes]] = []
    made = parser(part)
    at = {"row": 0, "column": 0, "start": -1}

    def start(name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if name == "row":
            at["row"], at["column"] = int(attributes.get("r", at["row"] + 1)), 0
        elif name == "c":
            cell = attributes.get("r")
            at["column"] += 1
            if cell is not None:
                at["row"], at["column"] = references.cell_numbers(cell)
        elif name == "f":
            at["start"] = made.CurrentByteIndex

    def end(name: str) -> None:
        spot = (at["row"], at["column"])
        if local(name) != "f" or spot not in texts:
            return
        begin = at["start"]
        close = data.index(b">", begin) + 1
        tag = data[begin:close]
        word = tag[1:].split()[0].rstrip(b"/>")
        if tag.endswith(b"/>"):  # it followed a shared formula, and now has its own
            tag = b"<" + word + b">"
        else:
            close = data.index(b">", made.CurrentByteIndex) + 1
        edits.append((begin, close, tag + encoded(texts[spot]).encode() + b"</" + word + b">"))

    made.StartElementHandler, made.EndElementHandler = start, end
    parse(made, data, part)
    pieces, done = [], 0
    for begin, close, text in edits:
        pieces += [data[done:begin], text]
        done = close
    return b"".join([*pieces, data[done:]])


# --- a new sheet -----------------------------------------------------------------------------

def _empty_sheet(bold: int, numbers: dict[int, int]) -> bytes:
    columns = "".join(
        f'<col min="{column}" max="{column}" width="{_WIDTH}"'
        + (f' style="{numbers[column]}"' if column in numbers else "") + ' customWidth="1"/>'
        for column in range(1, _COLUMNS + 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{_MAIN}"><dimension ref="A1"/><sheetViews><sheetView '
        'workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
        'state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
        f'<cols>{columns}</cols><sheetData><row r="1" s="{bold}" customFormat="1"/></sheetData>'
        "</worksheet>"
    ).encode()


def _styles(
    package: Package, main: str, sheet: AddSheet
) -> tuple[dict[str, bytes], int, dict[int, int]]:
    """The part with the formats of cells, changed; the one that is bold; those of the columns."""
    name = next((target(main, link.get("Target"))
                 for link in tree(package.read(links_of(main)), links_of(main)).all("Relationship")
                 if link.get("Type").endswith("/styles")), None)
    if name is None:
        return {}, 0, {}
    text = package.read(name).decode()
    prefix = _prefix(text, "cellXfs")
    fonts = _counted(text, "fonts", prefix)
    formats = _counted(text, "cellXfs", prefix)
    font = re.search(rf"<{prefix}font\b(?:/>|>(.*?)</{prefix}font>)", text, re.DOTALL)
    if fonts is None or formats is None or font is None:
        return {}, 0, {}
    inside = font[1] or ""
    heavy = f"<{prefix}font><{prefix}b/>{inside.replace(f'<{prefix}b/>', '')}</{prefix}font>"
    text = _appended(text, "fonts", prefix, [heavy])
    wanted = sorted({FORMATS[number] for _, number in sheet.formats})
    made = [f'<{prefix}xf numFmtId="0" fontId="{fonts}" fillId="0" borderId="0" xfId="0" '
            'applyFont="1"/>']
    made += [f'<{prefix}xf numFmtId="{number}" fontId="0" fillId="0" borderId="0" xfId="0" '
             'applyNumberFormat="1"/>' for number in wanted]
    text = _appended(text, "cellXfs", prefix, made)
    columns = {column: formats + 1 + wanted.index(FORMATS[number])
               for column, number in sheet.formats}
    return {name: text.encode()}, formats, columns


def _counted(text: str, element: str, prefix: str) -> int | None:
    match = re.search(rf'<{prefix}{element}\b[^>]*\bcount="(\d+)"', text)
    return int(match[1]) if match and f"</{prefix}{element}>" in text else None


def _appended(text: str, element: str, prefix: str, entries: list[str]) -> str:
    """A list of the part with more entries at its end."""
    match = re.search(rf'(<{prefix}{element}\b[^>]*\bcount=")(\d+)', text)
    assert match is not None
    text = f"{text[:match.start()]}{match[1]}{int(match[2]) + len(entries)}{text[match.end():]}"
    return text.replace(f"</{prefix}{element}>", f"{''.join(entries)}</{prefix}{element}>", 1)


# --- text of parts ---------------------------------------------------------------------------

def _before(text: str, tag: str, addition: str, part: str) -> str:
    if tag not in text:
        raise _unusual(part)
    return text.replace(tag, addition + tag, 1)


def _unusual(part: str) -> NotAvailable:
    return NotAvailable(f"its part {part} is written in an unusual way",
                        fix="Save the workbook again.")


def _absolute(area: Area) -> str:
    corners = area.text.rpartition("!")[2].split(":")
    return ":".join(re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", corner) for corner in corners)


def _prefix(root: str, name: str) -> str:
    """What stands before the names of elements: nothing, or a prefix with its colon."""
    match = re.search(rf"<((?:[\w.-]+:)?){name}[\s>/]", root)
    return match[1] if match else ""


def _link_prefix(root: str) -> str:
    """The prefix under which a part knows the ids of links."""
    match = re.search(rf'xmlns:([\w.-]+)="{re.escape(_LINKS)}"', root)
    if match is None:
        raise _unusual("that lists the sheets")
    return match[1]


def _attribute(text: str) -> str:
    return encoded(text).replace('"', "&quot;")


def _with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The zip file with one more part at its end."""
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive:
        info = zipfile.ZipInfo(name, _TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
    return stream.getvalue()
