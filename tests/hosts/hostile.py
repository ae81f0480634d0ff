"""Files made to do harm, and damaged ones: about 300, each by a name.

Each is refused with a reason or read safely. A file is made when it is asked for, so that the
large ones do not lie in memory together.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from hosts.workbook_files import HEAD, MAIN, OFFICE, F, parts_of, workbook, zipped

RELATIONS = "xl/_rels/workbook.xml.rels"
SHEET, BOOK, SHARED = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
TABLE, METADATA, ROOT = "xl/tables/table1.xml", "xl/metadata.xml", "_rels/.rels"
READ = (SHEET, BOOK, SHARED, TABLE, METADATA, ROOT, RELATIONS)


def _parts() -> dict[str, bytes]:
    parts = parts_of(workbook(
        {"Sheet1": {
            "A1": "A", "B1": 0.6, "A2": "B", "B2": 0.4, "C1": F("SUM(B1:B2)"),
            "D1": F('PORTBAL.TURNOVER(A1:B2,{"A",0.5;"B",0.5})'), "E1": F("SUM(Pairs[x])"),
            "F1": F("_xlfn.SEQUENCE(2)", None, "F1"), "H1": "x", "I1": "y", "H2": 1.0}},
        tables={"Pairs": ("Sheet1", "H1:I2", ["x", "y"])}, names={"Rate": "Sheet1!$B$1"},
    ))
    parts[SHARED] = f'{HEAD}<sst xmlns="{MAIN}"><si><t>one</t></si></sst>'.encode()
    parts[RELATIONS] = parts[RELATIONS].replace(
        b"</Relationships>", f'<Relationship Id="rIdS" Type="{OFFICE}/sharedStrings" '
        'Target="sharedStrings.xml"/></Relationships>'.encode())
    return parts


PARTS = _parts()
GOOD = zipped(PARTS)


def with_part(name: str, data: bytes) -> bytes:
    return zipped({**PARTS, name: data})


def replaced(part: str, old: str, new: str) -> bytes:
    data = PARTS[part]
    assert old.encode() in data, (part, old)
    return with_part(part, data.replace(old.encode(), new.encode(), 1))


def sheet(body: str, before: str = "", after: str = "") -> bytes:
    """The workbook with these rows in its sheet."""
    return with_part(SHEET, (f'{HEAD}<worksheet xmlns="{MAIN}">{before}<sheetData>{body}'
                             f"</sheetData>{after}</worksheet>").encode())


def formula(text: str, attributes: str = "", cell: str = "") -> bytes:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return sheet(f'<row r="1"><c r="A1"{cell}><f{attributes}>{escaped}</f></c></row>')


def files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Every name with what makes its file."""
    for family in (_zips, _bombs, _paths, _documents, _structures, _cells, _formulas, _carried):
        yield from family()


# --- archives --------------------------------------------------------------------------------

def _zips() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for share in range(10):
        yield f"cut off after {share * 10}%", partial(_cut, share / 10)
    for seed in range(20):
        yield f"flipped bytes {seed}", partial(_flipped, seed)
    yield "old xls or encrypted", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)
    for bit in (0, 6):
        yield f"encrypted entry, flag {bit}", partial(_flagged, 1 << bit)
    yield "unknown compression", partial(_method, 99)
    yield "lzma", partial(_packed, zipfile.ZIP_LZMA)
    yield "bzip2", partial(_packed, zipfile.ZIP_BZIP2)
    yield "size that lies low", partial(_lying, 3)
    yield "size that lies high", partial(_lying, 1 << 30)
    yield "overlapping entries", _overlapping
    yield "zip in front of other data", lambda: b"MZ" + bytes(500) + GOOD
    yield "other data behind the zip", lambda: GOOD + bytes(70_000)
    yield "zip within the zip", lambda: with_part("xl/inner.xlsx", GOOD)
    yield "html", lambda: b"<html><script>alert(1)</script></html>"
    yield "pdf", lambda: b"%PDF-1.7\n" + bytes(100)
    yield "many entries in the directory alone", _directory


def _cut(share: float) -> bytes:
    return GOOD[:int(len(GOOD) * share)]


def _flipped(seed: int) -> bytes:
    rng = random.Random(seed)
    data = bytearray(GOOD)
    for _ in range(rng.choice((1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _flagged(flag: int) -> bytes:
    data = bytearray(GOOD)
    data[GOOD.index(b"PK\x01\x02") + 8] |= flag
    data[6] |= flag
    return bytes(data)


def _method(number: int) -> bytes:
    data = bytearray(GOOD)
    at = GOOD.index(b"PK\x01\x02") + 10
    data[at:at + 2] = struct.pack("<H", number)
    return bytes(data)


def _packed(method: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in PARTS.items():
            archive.writestr(name, data)
    return target.getvalue()


def _lying(size: int) -> bytes:
    data = bytearray(GOOD)
    at = GOOD.index(b"PK\x01\x02", GOOD.index(SHEET.encode()))
    while SHEET.encode() not in GOOD[at:at + 100]:
        at = GOOD.index(b"PK\x01\x02", at + 1)
    data[at + 24:at + 28] = struct.pack("<I", size)
    return bytes(data)


def _overlapping() -> bytes:
    """Every entry of the directory leads to the first one's bytes."""
    data = bytearray(GOOD)
    at = GOOD.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 42:at + 46] = struct.pack("<I", 0)
        at = GOOD.find(b"PK\x01\x02", at + 1)
    return bytes(data)


def _directory() -> bytes:
    data = bytearray(GOOD)
    at = GOOD.rindex(b"PK\x05\x06")
    data[at + 8:at + 12] = struct.pack("<HH", 65_535, 65_535)
    return bytes(data)


# --- bombs -----------------------------------------------------------------------------------

def _bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "spaces that unpack to 60 MB", lambda: with_part(SHEET, PARTS[SHEET] + b" " * (60 << 20))
    yield "zeros beside the sheet", lambda: with_part("xl/media/a.png", bytes(60 << 20))
    yield "20,000 parts", lambda: zipped({**PARTS, **{f"x/{n}": b"" for n in range(20_000)}})
    yield "many middling parts", lambda: zipped(
        {**PARTS, **{f"x/{n}": bytes(7 << 20) for n in range(74)}})
    yield "a million rows", lambda: sheet("".join(
        f'<row r="{n}"><c/></row>' for n in range(1, 1_048_577)))
    yield "a million and a half cells", lambda: sheet("".join(
        f'<row r="{n}">' + f"<c><v>{n * 7919 % 10007}</v></c>" * 30 + "</row>"
        for n in range(1, 50_001)))
    yield "ten million empty elements", lambda: sheet("".join(
        f"<row r='{n}'/>" + "<x/>" * 200 for n in range(1, 50_001)))
    yield "a million shared texts", lambda: with_part(SHARED, (
        f'{HEAD}<sst xmlns="{MAIN}">' + "".join(
            f"<si><t>{n * 7919 % 10007}</t></si>" for n in range(1_000_001)) + "</sst>").encode())
    yield "a text of a megabyte in 20,000 cells", _repeated_text
    yield "an attribute of 8 MB", lambda: sheet(f'<row r="1" x="{_noise(8 << 20)}"/>')
    yield "an element nested 100,000 deep", lambda: sheet("<a>" * 100_000 + "</a>" * 100_000)
    yield "an element nested deep in the book", lambda: with_part(
        BOOK, b"<a>" * 100_000 + b"</a>" * 100_000)
    yield "100,000 names", lambda: replaced(BOOK, "</definedNames>", "".join(
        f'<definedName name="n{n}">n{n + 1}</definedName>' for n in range(100_000))
        + "</definedNames>")
    yield "100,000 merged cells", lambda: sheet("", after="<mergeCells>" + "".join(
        f'<mergeCell ref="A{n}:XFD{n}"/>' for n in range(1, 100_001)) + "</mergeCells>")
    yield "100,000 columns", lambda: sheet(
        '<row r="1"><c r="A1"><f>1+1</f></c></row>',
        before="<cols>" + '<col min="1" max="16384" style="1"/>' * 100_000 + "</cols>")
    yield "a table of 100,000 columns", lambda: replaced(
        TABLE, "</tableColumns>", '<tableColumn id="9" name="z"/>' * 100_000 + "</tableColumns>")
    yield "2,000 sheets", lambda: replaced(BOOK, "</sheets>", "".join(
        f'<sheet name="s{n}" sheetId="{n}" r:id="rId1"/>' for n in range(2, 2_002)) + "</sheets>")


def _noise(size: int) -> str:
    return random.Random(1).randbytes(size // 2).hex()


def _repeated_text() -> bytes:
    text = _noise(1 << 20)
    shared = f'{HEAD}<sst xmlns="{MAIN}"><si><t>{text}</t></si></sst>'.encode()
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>'
                   for n in range(1, 20_001))
    parts = parts_of(sheet(rows + '<row r="20001"><c r="A20001"><f>A1</f></c></row>'))
    return zipped({**parts, SHARED: shared})


# --- names of parts and links ------------------------------------------------------------------

_UNSAFE = ("../evil", "../../etc/passwd", "/etc/passwd", "C:\\evil", "C:evil", "xl/../../evil",
           "xl\\..\\evil", "\\\\host\\share", "..", "xl/..", "file:///etc/passwd", "a:b")
_TARGETS = ("../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x",
            "\\\\host\\share\\x", "%2e%2e/%2e%2e/etc/passwd", "", ".", "..", "../_rels/.rels",
            "workbook.xml", "worksheets/none.xml", "worksheets/sheet1.xml#x", "x" * 70_000)


def _paths() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name in _UNSAFE:
        yield f"part {name}", partial(with_part, name, b"evil")
    for target in _TARGETS:
        yield f"sheet at {target[:30]!r}", partial(
            replaced, RELATIONS, "worksheets/sheet1.xml", target)
    for target in ("http://127.0.0.1:9/x", "/nowhere.xml", "../../x"):
        yield f"book at {target}", partial(replaced, ROOT, "xl/workbook.xml", target)
    yield "two parts of one name", partial(_twice, SHEET)
    yield "two parts but for capitals", partial(_twice, SHEET.upper())
    yield "a part with a name of 60,000 characters", lambda: with_part("x" * 60_000, b"")
    yield "a part with a bidirectional name", lambda: with_part("xl/\u202egpj.xml", b"")
    yield "a folder as a part", lambda: with_part("xl/worksheets/", b"")
    yield "a symbolic link as a part", _symbolic


def _twice(name: str) -> bytes:
    target = io.BytesIO(GOOD)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(name, b"<other/>")
    return target.getvalue()


def _symbolic() -> bytes:
    target = io.BytesIO(GOOD)
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo("xl/link.xml")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return target.getvalue()


# --- XML ---------------------------------------------------------------------------------------

_LAUGHS = "<!DOCTYPE x [" + '<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
_DOCTYPES = {
    "billion laughs": _LAUGHS,
    "quadratic entity": f'<!DOCTYPE x [<!ENTITY a "{"x" * 50_000}">]>',
    "external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "external document type": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
}


def _documents() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for part in READ:
        for name, doctype in _DOCTYPES.items():
            yield f"{name} in {part}", partial(_with_doctype, part, doctype)
        yield f"half of {part}", partial(_halved, part)
        yield f"empty {part}", partial(with_part, part, b"")
        yield f"noise as {part}", partial(with_part, part, random.Random(2).randbytes(500))
        yield f"another root in {part}", partial(with_part, part, b"<html/>")
        yield f"{part} in UTF-16", partial(_encoded, part, "utf-16")
        yield f"{part} claims an unknown encoding", partial(_claimed, part, "ebcdic-cp-be")
        yield f"{part} is missing", partial(_without, part)
    yield "XInclude", lambda: sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><xi:include '
        'xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
        "</is></c></row>")
    yield "a style sheet instruction", lambda: with_part(SHEET, PARTS[SHEET].replace(
        b"<worksheet", b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?><worksheet', 1))
    yield "an undefined entity", lambda: sheet("<row>&nothing;</row>")
    yield "a null character", lambda: sheet("<row>\0</row>")


def _with_doctype(part: str, doctype: str) -> bytes:
    body = PARTS[part].removeprefix(HEAD.encode())
    return with_part(part, HEAD.encode() + doctype.encode() + body)


def _halved(part: str) -> bytes:
    return with_part(part, PARTS[part][:len(PARTS[part]) // 2])


def _encoded(part: str, encoding: str) -> bytes:
    text = PARTS[part].decode().replace('encoding="UTF-8"', f'encoding="{encoding}"')
    return with_part(part, text.encode(encoding))


def _claimed(part: str, encoding: str) -> bytes:
    return with_part(part, PARTS[part].replace(b"UTF-8", encoding.encode(), 1))


def _without(part: str) -> bytes:
    return zipped({name: data for name, data in PARTS.items() if name != part})


# --- workbooks that contradict themselves ------------------------------------------------------

def _structures() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "no sheets", partial(replaced, BOOK, '<sheet name="Sheet1" sheetId="1" r:id="rId1"/>', "")
    yield "two sheets of one name", partial(
        replaced, BOOK, "</sheets>", '<sheet name="sheet1" sheetId="2" r:id="rId1"/></sheets>')
    yield "a sheet without a name", partial(replaced, BOOK, 'name="Sheet1"', "")
    yield "a sheet with an unknown link", partial(replaced, BOOK, 'r:id="rId1"', 'r:id="rId99"')
    yield "a sheet without a link", partial(replaced, BOOK, 'r:id="rId1"', "")
    yield "a name of no sheet", partial(
        replaced, BOOK, '<definedName name="Rate"', '<definedName name="Rate" localSheetId="-1"')
    yield "a name without a name", partial(replaced, BOOK, '<definedName name="Rate"',
                                           "<definedName")
    yield "names that name each other", partial(
        replaced, BOOK, "</definedNames>", '<definedName name="P">Q</definedName>'
        '<definedName name="Q">P</definedName></definedNames>')
    for ref in ("", "A0", "A1:ZZZ9", "I2:H1", "A1:A1048577", "evil"):
        yield f"a table at {ref!r}", partial(replaced, TABLE, 'ref="H1:I2"', f'ref="{ref}"')
    yield "a table without columns", partial(
        replaced, TABLE, '<tableColumn id="1" name="x"/>', "<tableColumn/>")
    yield "a table with many header rows", partial(
        replaced, TABLE, "<table ", '<table headerRowCount="99" totalsRowCount="99" ')
    for number in ("-1", "99999999999999999999", "x"):
        yield f"cell metadata {number}", partial(replaced, METADATA, 't="1" v="0"',
                                                 f't="{number}" v="{number}"')
    yield "a link without a target", partial(
        replaced, RELATIONS, ' Target="worksheets/sheet1.xml"', "")


_BAD_CELLS = (
    ' r="A0"', ' r="XFE1"', ' r="A1048577"', ' r="1A"', ' r="A-1"', ' r="ZZZZZZZZ1"', ' r="$A$1"',
    ' r=""', ' r="A99999999999999999999"', ' r="A1" s="x"', ' r="A1" t="nonsense"',
    ' r="A1" cm="x"', ' r="A1" cm="-1"', ' r="A1" vm="9"', ' r="\u0661"',
)
_BAD_VALUES = (
    ("n", "nan"), ("n", "inf"), ("n", "1e999"), ("n", "0x10"), ("n", "1_000"), ("n", "\u0663"),
    ("n", " 5 "), ("s", "-1"), ("s", "7"), ("s", "1.5"), ("s", "9" * 5000), ("b", "maybe"),
    ("e", "#EVIL!"), ("e", ""), ("d", "never"), ("d", "99999-01-01"), ("str", "x" * 100_000),
    ("n", "9" * 400), ("str", "_x0000_"), ("inlineStr", "x"),
)


def _cells() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for attributes in _BAD_CELLS:
        body = f'<row r="1"><c{attributes}><v>1</v></c><c r="C1"><f>SUM(A1:B1)</f></c></row>'
        yield f"cell{attributes}", partial(sheet, body)
    for kind, value in _BAD_VALUES:
        body = (f'<row r="1"><c r="A1" t="{kind}"><v>{value}</v></c>'
                '<c r="C1"><f>A1</f></c></row>')
        yield f"value {kind} {value[:20]}", partial(sheet, body)
    for row in ("0", "-1", "x", "1048577", "99999999999999999999"):
        yield f"row {row}", partial(
            sheet, f'<row r="{row}"><c><v>1</v></c><c><f>1+1</f></c></row>')
    yield "rows in disorder", partial(
        sheet, '<row r="5"><c r="A5"><f>1+1</f></c></row><row r="2"><c r="A2"><f>1+2</f></c></row>')
    yield "a cell twice", partial(
        sheet, '<row r="1"><c r="A1"><f>1+1</f></c><c r="A1"><f>1+2</f></c></row>')
    yield "cells in disorder", partial(
        sheet, '<row r="1"><c r="C1"><f>1+1</f></c><c r="A1"><f>1+2</f></c></row>')
    yield "a cell in a cell", partial(
        sheet, '<row r="1"><c r="A1"><c r="B1"><f>1+1</f></c></c></row>')
    yield "a formula in a value", partial(sheet, '<row r="1"><c r="A1"><v><f>1+1</f></v></c></row>')
    yield "columns without numbers", partial(
        sheet, '<row r="1"><c r="A1"><f>1+1</f></c></row>', before="<cols><col/></cols>")
    yield "columns of nonsense", partial(
        sheet, '<row r="1"><c r="A1"><f>1+1</f></c></row>',
        before='<cols><col min="-5" max="x"/></cols>')
    yield "a dimension that lies", partial(
        sheet, '<row r="1"><c r="A1"><f>1+1</f></c></row>',
        before='<dimension ref="XFE9:evil"/>')
    yield "spans that lie", partial(
        sheet, '<row r="1" spans="9:-1"><c r="A1"><f>1+1</f></c></row>')
    yield "merged nonsense", partial(
        sheet, '<row r="1"><c r="A1"><f>1+1</f></c></row>',
        after='<mergeCells><mergeCell ref="evil"/><mergeCell/></mergeCells>')


_FORMULAS = {
    "nested parentheses": "(" * 60_000 + "1" + ")" * 60_000,
    "nested calls": "SUM(" * 5_000 + "1" + ")" * 5_000,
    "one long sum": "+".join(["1"] * 50_000),
    "one long text": '"' + "x" * 100_000 + '"',
    "many quotes": '"' * 99_999,
    "many brackets": "[" * 50_000,
    "many minus signs": "-" * 50_000 + "1",
    "an open sheet name": "'" * 50_001 + "!A1",
    "almost plain": "SUM(" + "A1," * 20_000 + "A1]",
    "many names": "a" * 100_000,
    "digits": "9" * 100_000,
    "exponents": "1e" * 50_000,
    "a LAMBDA that calls itself": "LAMBDA(f,f(f))(LAMBDA(f,f(f)))",
    "a sequence of a whole sheet": "SEQUENCE(1048576,16384)",
    "a long text made": 'REPT("x",1000000000)',
    "an array made": "SUM(MAKEARRAY(9000,9000,LAMBDA(a,b,a*b)))",
    "many rows multiplied": "SUM(A1:A60000*TRANSPOSE(A1:A60000))",
    "all cells": "SUM(A1:XFD1048576)",
    "all columns multiplied": "SUMPRODUCT(A:XFD*A:XFD)",
    "another workbook": "[1]Sheet1!A1",
    "another file": "'file:///etc/[passwd]x'!A1",
    "DDE": "cmd|' /C calc'!A0",
    "the web": 'WEBSERVICE("http://127.0.0.1:9/x")',
    "a link": 'HYPERLINK("file:///etc/passwd","x")',
    "a library": 'CALL("kernel32","WinExec","JCJ","calc",0)',
    "real time data": 'RTD("evil.server",,"x")',
    "a far INDIRECT": 'INDIRECT("[other.xlsx]Sheet1!A1")',
    "an INDIRECT of itself": 'INDIRECT("A1")',
    "itself": "A1+1",
    "nothing": "",
    "only an equals sign": "=",
    "a null": "1+\u0001",
    "an unknown portbal function": "PORTBAL.EVIL(A1)",
    "portbal of all cells": "PORTBAL.VAR(A1:XFD1048576)",
    "portbal nested": "PORTBAL.PROBLEM(" * 3_000 + ")" * 3_000,
}


def _formulas() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, text in _FORMULAS.items():
        yield f"formula: {name}", partial(formula, text.replace("\u0001", "x"))
    for attributes in (' t="shared" si="5"', ' t="shared"', ' t="array"', ' t="array" ref="evil"',
                       ' t="array" ref="A1:XFD1048576"', ' t="array" ref="B7:B9"',
                       ' t="dataTable" ref="A1:B2"', ' t="nonsense"',
                       ' t="shared" ref="A1:XFD1048576" si="0"'):
        yield f"formula with{attributes}", partial(formula, "1+1", attributes)
    yield "a dynamic array of all cells", partial(
        formula, "A2:XFD1048576", ' t="array" ref="A1"', ' cm="1"')


def _carried() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """What is carried along and never looked into, opened or run."""
    for name in ("xl/vbaProject.bin", "xl/embeddings/oleObject1.bin", "xl/activeX/activeX1.bin",
                 "xl/externalLinks/externalLink1.xml", "customUI/customUI14.xml",
                 "xl/connections.xml", "xl/queryTables/queryTable1.xml",
                 "xl/macrosheets/sheet1.xml", "word/document.xml", "docProps/core.xml"):
        yield f"{name} within", partial(with_part, name, _LAUGHS.encode() + b"<x>&a9;</x>")
    yield "an external workbook", lambda: replaced(
        RELATIONS, "</Relationships>",
        f'<Relationship Id="rIdX" Type="{OFFICE}/externalLink" TargetMode="External" '
        'Target="file:///etc/passwd"/></Relationships>')
    yield "a macro sheet", lambda: replaced(
        RELATIONS, f"{OFFICE}/worksheet", "http://schemas.microsoft.com/office/2006/relationships/"
        "xlMacrosheet")
