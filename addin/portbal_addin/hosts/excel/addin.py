"""portbal.xlam, and workbooks that carry the same ribbon and functions in themselves.

Everything is made from text: our modules in vba/, the functions of the registry, the ribbon of
the commands, and xlwings' own modules as the installed wheel has them. The same inputs give the
same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from importlib import resources
from xml.sax.saxutils import escape

from portbal.errors import InputError
from portbal_addin.hosts.excel import ribbon, wrappers
from portbal_addin.hosts.excel.ovba import Module, class_module, document, standard, vba_project

NAME = "portbal"
OURS = ("PortbalText", "PortbalRibbon", "PortbalStart")
KINDS = {"xlam": "addin", "xlsm": "sheet", "xltm": "template"}
_WORKBOOK_GUID = "00020819-0000-0000-C000-000000000046"
_SHEET_GUID = "00020820-0000-0000-C000-000000000046"
_VBA_TYPE = "application/vnd.ms-office.vbaProject"
_VBA_LINK = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MAIN_TYPE = re.compile(
    r'(PartName="/xl/workbook\.xml"\s+ContentType=")[^"]*"|'
    r'(ContentType=")[^"]*("\s+PartName="/xl/workbook\.xml")'
)
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# xlwings' module, where it differs from that of the wheel: its settings are named after us, the
# ribbon uses the server that formulas use, and an error goes to the caller, who has one dialog for
# all. What a workbook brings along - settings on a sheet or beside it that name a Python, code on
# a sheet, modules in its folder - is not looked at: it may come from anybody.
_DIFFERENCES = (
    ('Const PROJECT_NAME As String = "myaddin"', f'Const PROJECT_NAME As String = "{NAME}"', 1),
    ('GetConfig("USE UDF SERVER", False)', 'GetConfig("USE UDF SERVER", True)', 1),
    ('GetConfig("ADD_WORKBOOK_TO_PYTHONPATH", "true")',
     'GetConfig("ADD_WORKBOOK_TO_PYTHONPATH", "false")', 2),
    ('If source = "" Or source = "sheet" Then', 'If source = "sheet" Then', 1),
    ('If source = "" Or source = "directory" Then', 'If source = "directory" Then', 1),
    ("uses_embedded_code = True\n                Exit For",
     "uses_embedded_code = False\n                Exit For", 1),
    ('            ShowError "", Err.Description\n            RunPython = -1\n',
     "            Err.Raise Err.Number, Err.Source, Err.Description\n", 1),
)


def addin(version: str) -> bytes:
    """portbal.xlam of this version of the product."""
    return carrying(_empty_workbook(version), "xlam")


def carrying(workbook: bytes, kind: str) -> bytes:
    """An .xlsx with our functions and ribbon put in, as .xlam, .xlsm or .xltm.

    InputError when it is no workbook, or already has macros or a ribbon.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(workbook)) as source:
            parts = {info.filename: source.read(info) for info in source.infolist()}
    except zipfile.BadZipFile:
        raise InputError("it is no .xlsx file", fix="Choose a workbook.") from None
    for name in ("xl/vbaProject.bin", ribbon.PART):
        if name in parts:
            raise InputError(f"it already has {name}", fix="Start from a workbook without macros.")
    sheets = _name_sheets(parts)
    parts["xl/workbook.xml"] = _with_code_name(parts["xl/workbook.xml"], "workbookPr",
                                               "ThisWorkbook")
    parts["[Content_Types].xml"] = _content_types(parts["[Content_Types].xml"], kind)
    parts["xl/_rels/workbook.xml.rels"] = _linked(
        parts["xl/_rels/workbook.xml.rels"], "portbalVba", _VBA_LINK, "vbaProject.bin")
    parts["_rels/.rels"] = _linked(
        parts["_rels/.rels"], "portbalRibbon", ribbon.RELATIONSHIP, ribbon.PART)
    parts["xl/vbaProject.bin"] = vba_project(NAME, modules(sheets, addin=kind == "xlam"))
    parts[ribbon.PART] = ribbon.ribbon().encode("utf-8")
    return _zipped(parts)


def modules(sheets: list[str], *, addin: bool) -> list[Module]:
    """Every VBA module of a file whose sheets have these code names."""
    return [
        document("ThisWorkbook", _WORKBOOK_GUID, _ours("ThisWorkbook.cls")),
        *(document(sheet, _SHEET_GUID) for sheet in sheets),
        *(standard(_ours(f"{name}.bas")) for name in OURS),
        standard(wrappers.formulas_module(addin=addin)),
        standard(wrappers.wizard_module()),
        standard(_xlwings_module()),
        class_module(_of_xlwings("addin/Dictionary.cls")),
    ]


def _ours(name: str) -> str:
    return (resources.files(__package__) / "vba" / name).read_text(encoding="utf-8")


def _of_xlwings(name: str) -> str:
    return (resources.files("xlwings") / name).read_text(encoding="utf-8")


def _xlwings_module() -> str:
    text = _of_xlwings("xlwings_custom_addin.bas")
    for old, new, count in _DIFFERENCES:
        if text.count(old) != count:
            raise RuntimeError(f"xlwings_custom_addin.bas has changed: {old}")
        text = text.replace(old, new)
    return text


# --- parts of the package --------------------------------------------------------------------

def _name_sheets(parts: dict[str, bytes]) -> list[str]:
    """Give every sheet the code name of its module; the names."""
    found = [name for name in parts if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
    found.sort(key=lambda name: int(re.sub(r"\D", "", name)))
    names = []
    for number, part in enumerate(found, start=1):
        names.append(f"Sheet{number}")
        parts[part] = _with_code_name(parts[part], "sheetPr", names[-1])
    return names


def _with_code_name(content: bytes, element: str, name: str) -> bytes:
    text = content.decode("utf-8")
    found = re.search(rf"<{element}\b[^>]*>", text)
    if found is not None:
        mended = re.sub(r'\s+codeName="[^"]*"', "", found[0])
        mended = mended.replace(f"<{element}", f'<{element} codeName="{name}"', 1)
        return (text[: found.start()] + mended + text[found.end():]).encode("utf-8")
    if element != "sheetPr":
        raise InputError(f"its workbook part has no {element}", fix="Save the workbook again.")
    return re.sub(r"(<worksheet\b[^>]*>)", rf'\1<sheetPr codeName="{name}"/>', text,
                  count=1).encode("utf-8")


def _content_types(content: bytes, kind: str) -> bytes:
    wanted = f"application/vnd.ms-excel.{KINDS[kind]}.macroEnabled.main+xml"
    text, count = _MAIN_TYPE.subn(
        lambda m: f'{m[1]}{wanted}"' if m[1] else f"{m[2]}{wanted}{m[3]}", content.decode("utf-8"))
    if count != 1:
        raise InputError("it does not say where its workbook part is", fix="Save it again.")
    override = f'<Override PartName="/xl/vbaProject.bin" ContentType="{_VBA_TYPE}"/>'
    return text.replace("</Types>", f"{override}</Types>").encode("utf-8")


def _linked(content: bytes, name: str, type_: str, target: str) -> bytes:
    link = f'<Relationship Id="{name}" Type="{type_}" Target="{target}"/>'
    return content.decode("utf-8").replace(
        "</Relationships>", f"{link}</Relationships>").encode("utf-8")


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0
            info.external_attr = 0
            file.writestr(info, content)
    return stream.getvalue()


# --- the workbook of the add-in ----------------------------------------------------------------

def _empty_workbook(version: str) -> bytes:
    """The workbook that the add-in is made from: one sheet that says what it is."""
    about = f"portbal {version}: portfolio balancing in cells"
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    types = "".join(
        f'<Override PartName="/{part}" ContentType="{type_}"/>' for part, type_ in (
            ("xl/workbook.xml", f"{office}.sheet.main+xml"),
            ("xl/worksheets/sheet1.xml", f"{office}.worksheet+xml"),
            ("xl/styles.xml", f"{office}.styles+xml"),
            ("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
        )
    )
    core = f"{_PACKAGE}/metadata/core-properties"
    texts = {
        "[Content_Types].xml":
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            f'ContentType="application/xml"/>{types}</Types>',
        "_rels/.rels": _links(
            ("workbook", f"{_LINKS}/officeDocument", "xl/workbook.xml"),
            ("core", f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml":
            f'<cp:coreProperties xmlns:cp="{core}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<dc:title>portbal</dc:title><dc:description>Portfolio balancing in cells: functions "
            "and the ribbon tab Portfolio.</dc:description>"
            f"<cp:version>{escape(version)}</cp:version></cp:coreProperties>",
        "xl/workbook.xml":
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><workbookPr/><bookViews>'
            "<workbookView/></bookViews><sheets><sheet name=\"About\" sheetId=\"1\" "
            'r:id="sheet1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _links(
            ("sheet1", f"{_LINKS}/worksheet", "worksheets/sheet1.xml"),
            ("styles", f"{_LINKS}/styles", "styles.xml"),
        ),
        "xl/worksheets/sheet1.xml":
            f'<worksheet xmlns="{_MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is>'
            f"<t>{escape(about)}</t></is></c></row></sheetData></worksheet>",
        "xl/styles.xml":
            f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"'
            '/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill>'
            '<patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/>'
            "<right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count=\"1\"><xf "
            'numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="1"><xf'
            ' numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>',
    }
    return _zipped({name: (_HEAD + text).encode("utf-8") for name, text in texts.items()})


def _links(*links: tuple[str, str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="{name}" Type="{type_}" Target="{target}"/>'
        for name, type_, target in links
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'
