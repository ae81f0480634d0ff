"""Workbooks that travel: between programs, between versions, to people without portbal.

A workbook carries two custom properties: its schema, the layout that commands expect, and the
least version of portbal that knows it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape, unescape

from packaging.version import InvalidVersion, Version

from portbal.errors import InputError, NotAvailable
from portbal_addin.hosts.workbook.package import Package, links_of, target
from portbal_addin.registry import functions

SCHEMA = 1
LEAST_VERSION = "0.1.0"
SCHEMA_PROPERTY, VERSION_PROPERTY = "portbal schema", "portbal least version"
# How a host spells our formulas in a file.
HEADS = {"excel": "PORTBAL_", "calc": "PORTBAL."}

_CUSTOM = "docProps/custom.xml"
_TYPES = "[Content_Types].xml"
_LINKS = "_rels/.rels"
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_FMTID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
# A function of ours in the spelling of any host, with what a lost add-in leaves before it.
_CALL = re.compile(
    r"""(?:'[^']*\.xlam?'!|[A-Za-z0-9_.]*\.xlam?!|\[\d+\]!)?(?:_xll\.|_xludf\.|_xldudf_)*
        PORTBAL[._]([A-Z0-9]+)(?=\()""", re.VERBOSE | re.IGNORECASE,
)
_TEXT = re.compile(r'("(?:[^"]|"")*")')
_FORMULA = re.compile(r"(<f\b[^>/]*>)([^<]*)(</f>)")
_NAME = re.compile(r"(<definedName\b[^>]*>)([^<]*)(</definedName>)")
_CELL = re.compile(r"<c\b([^>]*)>(<f\b[^>/]*>([^<]*)</f>)(.*?)</c>", re.DOTALL)
_PROPERTY = re.compile(
    r'<property\b[^>]*\bname="(portbal [\w ]+)"[^>]*>\s*<vt:\w+>([^<]*)</vt:\w+>\s*</property>'
)
_KINDS = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xltx": "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled",
    ".xltm": "application/vnd.ms-excel.template.macroEnabled",
    ".xlam": "application/vnd.ms-excel.addin.macroEnabled",
}
_WORKBOOK = "xl/workbook.xml"
_EXTERNAL = re.compile(r'(<externalReference\b[^>]*\br:id="([^"]+)"[^>]*/>)')
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")


def stamp(workbook: bytes) -> tuple[int, str]:
    """Schema and least version; 0 and "" for a workbook that carries none."""
    package = Package(workbook)
    if _CUSTOM not in package:
        return 0, ""
    found = dict(_PROPERTY.findall(package.read(_CUSTOM).decode("utf-8")))
    schema = found.get(SCHEMA_PROPERTY, "0")
    return int(schema) if schema.isdigit() else 0, found.get(VERSION_PROPERTY, "")


def ending(workbook: bytes) -> str:
    """The ending under which Excel opens such a file: ``.xlsx``, ``.xlsm``, ...; empty for a
    kind that is not known."""
    package = Package(workbook)
    text = package.read(_TYPES).decode("utf-8") if _TYPES in package else ""
    return next((name for name, kind in _KINDS.items() if f'"{kind}.main+xml"' in text), "")


def check_ending(workbook: bytes, name: str) -> None:
    """InputError when a file of that name, with this content, would not open in Excel."""
    kind = ending(workbook)
    if kind and not name.lower().endswith(kind):
        raise InputError(f"the workbook is of the kind {kind}: Excel does not open it as {name}",
                         fix=f"Use the ending {kind}.")


def check_version(workbook: bytes, version: str) -> None:
    """NotAvailable when the workbook needs a newer portbal than this version."""
    schema, least = stamp(workbook)
    try:
        is_newer = bool(least) and Version(least) > Version(version)
    except InvalidVersion:
        raise InputError(f"it names the version {least!r}, which is none",
                         fix="Get the workbook again from where it came.") from None
    if is_newer or schema > SCHEMA:
        raise NotAvailable(f"it needs portbal {least or 'newer than this'}, and this is {version}",
                           fix="Run python -m pip install --upgrade portbal.")


def upgraded(workbook: bytes) -> bytes:
    """The workbook in the schema of this version; itself when it has that already."""
    schema = stamp(workbook)[0]
    if schema >= SCHEMA:
        return workbook
    for number in range(schema, SCHEMA):
        workbook = UPGRADES[number](workbook)
    return stamped(workbook)


def stamped(workbook: bytes) -> bytes:
    """The workbook with the schema and the least version of now."""
    package = Package(workbook)
    numbers = [(SCHEMA_PROPERTY, f"<vt:i4>{SCHEMA}</vt:i4>"),
               (VERSION_PROPERTY, f"<vt:lpwstr>{LEAST_VERSION}</vt:lpwstr>")]
    if _CUSTOM in package:
        text = _PROPERTY.sub("", package.read(_CUSTOM).decode("utf-8"))
        first = max([1, *map(int, re.findall(r'\bpid="(\d+)"', text))]) + 1
        changes = {}
    else:
        text = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
                f'<Properties xmlns="{_OFFICE}/custom-properties" '
                f'xmlns:vt="{_OFFICE}/docPropsVTypes"></Properties>')
        first = 2
        types = package.read(_TYPES).decode("utf-8").replace(
            "</Types>",
            f'<Override PartName="/{_CUSTOM}" ContentType="{_CUSTOM_TYPE}"/></Types>')
        links = package.read(_LINKS).decode("utf-8").replace(
            "</Relationships>",
            f'<Relationship Id="portbalCustom" Type="{_OFFICE}/relationships/custom-properties" '
            f'Target="{_CUSTOM}"/></Relationships>')
        changes = {_TYPES: types.encode("utf-8"), _LINKS: links.encode("utf-8")}
    listed = "".join(
        f'<property fmtid="{_FMTID}" pid="{pid}" name="{name}">{value}</property>'
        for pid, (name, value) in enumerate(numbers, start=first)
    )
    changes[_CUSTOM] = text.replace("</Properties>", f"{listed}</Properties>").encode("utf-8")
    return _with_parts(workbook, changes)


def for_host(workbook: bytes, host: str) -> bytes:
    """The workbook with our formulas as a host spells them, connected to no other add-in.

    host: excel, calc, or plain: values in place of our formulas, for people without portbal.
    """
    if host == "plain":
        return without_addin_links(
            _changed(workbook, _SHEET, lambda text: _CELL.sub(_value_alone, text)))
    head = HEADS[host]
    changed = _changed(workbook, _SHEET, lambda text: _FORMULA.sub(
        lambda match: _respelled(match, head), text))
    return without_addin_links(_changed(
        changed, re.compile(r"xl/workbook\.xml"),
        lambda text: _NAME.sub(lambda match: _respelled(match, head), text)))


def without_addin_links(workbook: bytes) -> bytes:
    """The workbook without links to somebody's portbal.xlam that no formula uses any more, about
    which Excel would ask whoever opens it. Formulas name links by their position, so a link
    that comes before one that stays is left."""
    package = Package(workbook)
    if _WORKBOOK not in package or links_of(_WORKBOOK) not in package:
        return workbook
    root, links, types = (
        package.read(part).decode("utf-8") for part in (_WORKBOOK, links_of(_WORKBOOK), _TYPES))
    gone: set[str] = set()
    for at, element in reversed(list(enumerate(_EXTERNAL.findall(root), start=1))):
        found = re.search(rf'<Relationship\b[^>]*\bId="{re.escape(element[1])}"[^>]*/>', links)
        place = re.search(r'\bTarget="([^"]*)"', found[0]) if found else None
        part = target(_WORKBOOK, place[1]) if place else ""
        if found is None or not _is_addin(package, part) or _is_used(package, f"[{at}]"):
            break
        gone |= {part, links_of(part)}
        root, links = root.replace(element[0], ""), links.replace(found[0], "")
        types = re.sub(rf'<Override\b[^>]*\bPartName="/{re.escape(part)}"[^>]*/>', "", types)
    if not gone:
        return workbook
    root = re.sub(r"<externalReferences>\s*</externalReferences>", "", root)
    changed = {_WORKBOOK: root, links_of(_WORKBOOK): links, _TYPES: types}
    kept = package.replaced({name: text.encode("utf-8") for name, text in changed.items()})
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(kept)) as old, zipfile.ZipFile(stream, "w") as new:
        for info in old.infolist():
            if info.filename not in gone:
                new.writestr(info, old.read(info))
    return stream.getvalue()


def _is_addin(package: Package, part: str) -> bool:
    """Is this a link to an add-in of ours?"""
    name = links_of(part)
    return bool(part) and name in package and re.search(
        r'\bTarget="[^"]*portbal\.xlam"', package.read(name).decode("utf-8"), re.I) is not None


def _is_used(package: Package, mark: str) -> bool:
    """Does any formula, name, chart or validation refer to this link?"""
    return any(mark in _plain(package.read(name).decode("utf-8")) for name in package.names()
               if name.startswith("xl/") and name.endswith(".xml")
               and not name.startswith(("xl/externalLinks/", "xl/sharedStrings")))


def spelled(formula: str, head: str) -> str:
    """The formula with this head before our functions' names; texts in it stay as they are."""
    parts = _TEXT.split(formula)
    parts[::2] = [
        _CALL.sub(lambda m: f"{head}{m[1]}" if m[1].upper() in functions() else m[0], part)
        for part in parts[::2]
    ]
    return "".join(parts)


def _respelled(match: re.Match[str], head: str) -> str:
    formula = _plain(match[2])
    changed = spelled(formula, head)
    return match[0] if changed == formula else f"{match[1]}{escape(changed)}{match[3]}"


def _plain(text: str) -> str:
    return unescape(text, {"&quot;": '"', "&apos;": "'"})


def _value_alone(match: re.Match[str]) -> str:
    formula = _plain(match[3])
    if spelled(formula, "") == formula:
        return match[0]
    attributes = re.sub(r'\s+cm="\d+"', "", match[1])
    return f"<c{attributes}>{match[4]}</c>"


def _changed(workbook: bytes, parts: re.Pattern[str], change: Callable[[str], str]) -> bytes:
    package = Package(workbook)
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        names = [name for name in file.namelist() if parts.fullmatch(name)]
    changes = {}
    for name in names:
        old = package.read(name).decode("utf-8")
        new = change(old)
        if new != old:
            changes[name] = new.encode("utf-8")
    return package.replaced(changes) if changes else workbook


def _with_parts(workbook: bytes, changes: Mapping[str, bytes]) -> bytes:
    """With other contents in these parts, and with those that are new at the end."""
    package = Package(workbook)
    replaced = io.BytesIO(package.replaced({k: v for k, v in changes.items() if k in package}))
    with zipfile.ZipFile(replaced, "a", zipfile.ZIP_DEFLATED) as file:
        for name, content in changes.items():
            if name not in package:
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                file.writestr(info, content)
    return replaced.getvalue()


# By schema: what brings a workbook of that schema to the next one. Workbooks from before the
# first schema differ in nothing but the missing stamp.
UPGRADES: dict[int, Callable[[bytes], bytes]] = {0: lambda workbook: workbook}
