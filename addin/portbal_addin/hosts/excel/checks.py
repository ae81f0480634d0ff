"""What ``portbal doctor`` looks at, one check each, with the cause and one cure."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from portbal_addin.block import Cell
from portbal_addin.hosts.excel import machine as places
from portbal_addin.hosts.excel.machine import Machine, join, parent
from portbal_addin.literals import split_call
from portbal_addin.registry import Answer, functions

INSTALL = "portbal install"
_SECURITY = (
    r"HKCU\Software\Policies\Microsoft\Office\{}\Excel\Security",
    r"HKCU\Software\Microsoft\Office\{}\Excel\Security",
)


@dataclass(frozen=True)
class Check:
    """status: ok, note, warning or problem; cause: what was found; fix: one thing to do."""

    name: str
    status: str
    cause: str
    fix: str = ""


def self_test() -> Check:
    """Every formula's example against the answer that is written beside it."""
    wrong = [f.name for f in functions().values() if not _as_shown(f.name)]
    if wrong:
        return Check("self-test", "problem", f"wrong answers: {', '.join(wrong)}",
                     "python -m pip install --force-reinstall portbal")
    return Check("self-test", "ok", f"{len(functions())} formulas give the known answers")


def _as_shown(name: str) -> bool:
    function = functions()[name]
    answer = function.invoke(*split_call(function.example.formula)[1])
    if not isinstance(answer, Answer):
        return False
    rows, shown = answer.block.rows, function.example.shown.rows
    return len(rows) >= len(shown) and all(
        len(row) == len(wanted) and all(map(_same, row, wanted))
        for row, wanted in zip(rows, shown, strict=False)
    )


def _same(cell: Cell, wanted: Cell) -> bool:
    if isinstance(cell, dt.date):
        return cell.isoformat() == wanted
    if isinstance(cell, float) and isinstance(wanted, (int, float)):
        return math.isclose(cell, wanted, rel_tol=1e-6, abs_tol=1e-12)
    return (cell or "") == (wanted or "")


def checks(
    machine: Machine, version: str, xlwings: str, workbook: bytes | None = None, path: str = ""
) -> Iterator[Check]:
    """All checks of a Windows computer.

    version: of portbal; xlwings: the version whose VBA the add-in holds; workbook, path: content
    and place of a workbook that is to be looked at as well.
    """
    excel = places.excel_path(machine)
    yield _excel(machine, excel)
    yield from _interpreter(machine)
    yield _library(machine, xlwings)
    yield _addin(machine, version)
    yield _disabled(machine)
    yield _macros(machine)
    files = [*_installed(machine), *([path] if path else [])]
    yield _web(machine, files)
    yield _onedrive(machine, files)
    yield calculation(workbook)
    yield _locale(machine)


def _excel(machine: Machine, path: str) -> Check:
    if not path:
        return Check("Excel", "problem", "no Excel was found", "Install Excel for Windows.")
    found = places.version_text(machine)
    if places.is_from_store(path):
        return Check("Excel", "problem", f"the Microsoft Store edition, whose macros cannot start "
                     f"Python: {found}", "Install Office from office.com instead.")
    return Check("Excel", "ok", found)


def _interpreter(machine: Machine) -> Iterator[Check]:
    path = places.settings(machine).get("INTERPRETER_WIN", "")
    where = places.settings_path(machine)
    if not path:
        yield Check("settings", "problem", f"{where} names no interpreter, so Excel would take "
                    "whatever Python the PATH has", INSTALL)
        return
    yield Check("settings", "ok", where)
    if places.is_from_store(path):
        yield Check("interpreter", "problem", f"{path} is the Microsoft Store's Python, which "
                    "other programs cannot start", "Install Python from python.org, then pip "
                    "install portbal and portbal install with it.")
    elif machine.read(path) is None:
        yield Check("interpreter", "problem", f"{path} is gone", INSTALL)
    elif path.lower() != machine.python.lower():
        yield Check("interpreter", "warning", f"Excel uses {path}, and this is {machine.python}",
                    f"{INSTALL}  (with the Python that Excel should use)")
    else:
        yield Check("interpreter", "ok", path)


def _library(machine: Machine, xlwings: str) -> Check:
    """xlwings' library lies beside the interpreter, in a virtual environment one folder up."""
    python = places.settings(machine).get("INTERPRETER_WIN", "") or machine.python
    bits = places.excel_bits(machine) or 64
    name = f"xlwings{bits}-{xlwings}.dll"
    looked = [parent(python), parent(parent(python))]
    for folder in looked:
        content = machine.read(join(folder, name))
        if content is not None:
            kind = _library_bits(content)
            if kind not in (0, bits):
                return Check("library", "problem", f"{join(folder, name)} has {kind} bits, Excel "
                             f"{bits}", _reinstall(xlwings))
            return Check("library", "ok", join(folder, name))
    return Check("library", "problem", f"{name} lies neither in {looked[0]} nor in {looked[1]} "
                 '("could not activate Python COM server")', _reinstall(xlwings))


def _reinstall(xlwings: str) -> str:
    return f"python -m pip install --force-reinstall xlwings=={xlwings}"


def _library_bits(content: bytes) -> int:
    """32 or 64, from the header of a Windows program; 0 when it is none."""
    if content[:2] != b"MZ" or len(content) < 64:
        return 0
    at = struct.unpack_from("<I", content, 0x3C)[0]
    if content[at : at + 4] != b"PE\0\0" or len(content) < at + 6:
        return 0
    return {0x8664: 64, 0xAA64: 64, 0x014C: 32}.get(struct.unpack_from("<H", content, at + 4)[0], 0)


def _addin(machine: Machine, version: str) -> Check:
    path = join(places.start_folder(machine), "portbal.xlam")
    content = machine.read(path)
    if content is None:
        return Check("add-in", "problem", f"{path} is missing", INSTALL)
    found = addin_version(content)
    if found != version:
        return Check("add-in", "problem", f"{path} is of portbal {found or 'unknown'}, and the "
                     f"package is {version}", INSTALL)
    return Check("add-in", "ok", f"{path}, version {version}")


def addin_version(content: bytes) -> str:
    """The version that portbal.xlam carries; empty when it is another file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            text = parts.read("docProps/core.xml").decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError):
        return ""
    found = re.search(r"<cp:version>([^<]*)</cp:version>", text)
    return found[1] if found else ""


def _disabled(machine: Machine) -> Check:
    """Excel lists files that broke it and opens them no more."""
    for office in places.OFFICE:
        key = rf"HKCU\Software\Microsoft\Office\{office}\Excel\Resiliency\DisabledItems"
        for value in machine.values(key).values():
            text = value.decode("utf-16-le", "ignore") if isinstance(value, bytes) else ""
            if "portbal" in text.lower():
                return Check("disabled", "problem", "Excel has put portbal on its list of disabled "
                             "items", "In Excel: File, Options, Add-ins, Manage: Disabled Items, "
                             "Go, Enable.")
    return Check("disabled", "ok", "Excel has not disabled the add-in")


def _macros(machine: Machine) -> Check:
    for template in _SECURITY:
        by_policy = "Policies" in template
        for office in places.OFFICE:
            found = machine.values(template.format(office))
            where = "the policy of your organisation" if by_policy else "Excel's Trust Center"
            fix = ("Ask your administrator to trust Excel's start folder." if by_policy else
                   "In Excel: File, Options, Trust Center, Macro Settings: Disable with "
                   "notification.")
            if found.get("VBAWarnings") in (3, 4):
                which = {3: "all but signed macros", 4: "all macros"}[found["VBAWarnings"]]
                trusted = machine.values(template.format(office) + r"\Trusted Locations")
                if trusted.get("AllLocationsDisabled") == 1 or found["VBAWarnings"] == 4:
                    return Check("macros", "warning", f"{where} blocks {which}; only files in "
                                 "trusted folders, such as the add-in's, may run", fix)
                return Check("macros", "warning", f"{where} blocks {which}", fix)
    return Check("macros", "ok", "nothing that blocks macros was found")


def _installed(machine: Machine) -> list[str]:
    return [join(places.start_folder(machine), "portbal.xlam"),
            join(places.template_folder(machine), "portfolio_balancer.xltm")]


def _web(machine: Machine, files: list[str]) -> Check:
    for path in files:
        mark = machine.read(f"{path}:Zone.Identifier")
        if mark is not None and re.search(rb"ZoneId=[34]", mark):
            return Check("mark of the web", "problem", f"{path} is marked as coming from the "
                         "internet, so Excel blocks its macros",
                         f'Unblock-File "{path}"  (in PowerShell)')
    return Check("mark of the web", "ok", "no file is marked")


def _onedrive(machine: Machine, files: list[str]) -> Check:
    cloud = [machine.variable(name)
             for name in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer")]
    paths = [places.settings(machine).get("INTERPRETER_WIN", ""), *files]
    for path in paths:
        if any(folder and path.lower().startswith(folder.lower() + "\\") for folder in cloud):
            return Check("OneDrive", "warning", f"{path} is synchronised by OneDrive, where Excel "
                         "sees a web address in place of the file",
                         "Choose a local folder: for templates in Excel's options under Save, for "
                         "Python when installing it.")
    return Check("OneDrive", "ok", "nothing lies in OneDrive")


def calculation(workbook: bytes | None) -> Check:
    """The mode that a workbook asks of Excel; a note where none is given."""
    advice = "In Excel: Formulas, Calculation Options, Automatic; then save the workbook."
    if workbook is None:
        return Check("calculation", "note", "Excel takes the mode of the first workbook that it "
                     "opens", "portbal doctor FILE looks at one.")
    try:
        with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
            text = parts.read("xl/workbook.xml").decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError):
        return Check("calculation", "problem", "the file is no workbook", "Give an .xlsx file.")
    found = re.search(r'<calcPr\b[^>]*\bcalcMode="(\w+)"', text)
    if found and found[1] != "auto":
        return Check("calculation", "warning", f"the workbook's mode is {found[1]}: formulas show "
                     "old values until F9", advice)
    return Check("calculation", "ok", "automatic")


def _locale(machine: Machine) -> Check:
    found = machine.values(r"HKCU\Control Panel\International")
    decimal, separator = str(found.get("sDecimal", ".")), str(found.get("sList", ","))
    if decimal == "." and separator == ",":
        return Check("locale", "ok", "decimal point, arguments separated by commas")
    return Check("locale", "note", f"this computer writes 1{decimal}5 and separates arguments with "
                 f"{separator!r}: formulas are typed so; texts such as '5%' and limits in words "
                 "keep the point")
