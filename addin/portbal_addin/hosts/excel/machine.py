"""The one seam to the computer: registry, files, environment.

``install`` and ``doctor`` know a ``Machine`` only, so that both can be tried on any system with
one that is made up. Paths are texts as Windows writes them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any, Protocol

from portbal.errors import NotAvailable

_WINDOWS = sys.platform == "win32"


class Machine(Protocol):
    """python: path of the interpreter that runs; code_page: how VBA reads text files."""

    python: str
    code_page: str

    def variable(self, name: str) -> str:
        """An environment variable; empty when it is not set."""

    def values(self, key: str) -> Mapping[str, Any]:
        """Values of a registry key such as ``HKCU\\Software\\x``, "" being its default; empty
        when there is no such key."""

    def read(self, path: str) -> bytes | None:
        """A file, or a stream of one (``name:stream``); None when there is none."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file and its folders; OSError when that is refused."""

    def remove(self, path: str) -> None:
        """Remove a file; OSError when that is refused."""

    def open(self, path: str) -> None:
        """Open a file with its program."""


class ThisMachine:
    """The Windows computer on which this runs."""

    def __init__(self) -> None:
        if not _WINDOWS:
            raise NotAvailable(
                "this is not Windows",
                fix="`portbal build excel` builds the files here; copy them to the computer with "
                "Excel, or run `portbal install` there.",
            )
        self.python = sys.executable
        self.code_page = "mbcs"

    def variable(self, name: str) -> str:
        return os.environ.get(name, "")

    def values(self, key: str) -> Mapping[str, Any]:
        import winreg

        root, _, rest = key.partition("\\")
        roots = {"HKCU": "HKEY_CURRENT_USER", "HKLM": "HKEY_LOCAL_MACHINE",
                 "HKCR": "HKEY_CLASSES_ROOT"}
        found: dict[str, Any] = {}
        for view in (0, 0x0100, 0x0200):  # as this process sees it, 64-bit, 32-bit
            try:
                with winreg.OpenKey(  # type: ignore[attr-defined,unused-ignore]
                    getattr(winreg, roots[root]), rest, 0,
                    winreg.KEY_READ | view,  # type: ignore[attr-defined,unused-ignore]
                ) as opened:
                    for at in range(winreg.QueryInfoKey(opened)[1]):  # type: ignore[attr-defined,unused-ignore]
                        name, value, _ = winreg.EnumValue(opened, at)  # type: ignore[attr-defined,unused-ignore]
                        found.setdefault(name, value)
            except OSError:
                continue
        return found

    def read(self, path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            if error.errno in (2, 20, 22) or Path(path).is_dir():
                return None
            raise

    def write(self, path: str, content: bytes) -> None:
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f"{place.name}.new")
        new.write_bytes(content)
        new.replace(place)

    def remove(self, path: str) -> None:
        Path(path).unlink()

    def open(self, path: str) -> None:
        os.startfile(path)  # type: ignore[attr-defined,unused-ignore]


# --- what both commands want to know -----------------------------------------------------------

OFFICE = ("16.0", "15.0")
_CLICK = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration"
_APP = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"


def excel_path(machine: Machine) -> str:
    """Where EXCEL.EXE lies, as far as the registry tells; empty when there is no Excel."""
    path = str(machine.values(_APP).get("", "")).strip('"')
    if path:
        return path
    for office in OFFICE:
        root = machine.values(rf"HKLM\SOFTWARE\Microsoft\Office\{office}\Excel\InstallRoot")
        if root.get("Path"):
            return join(str(root["Path"]), "EXCEL.EXE")
    return ""


def excel_version(machine: Machine) -> str:
    """Such as ``16.0.17928.20114``, or ``16.0`` when no more is known; empty for none."""
    known = machine.values(_CLICK).get("VersionToReport")
    if known:
        return str(known)
    for office in OFFICE:
        if machine.values(rf"HKLM\SOFTWARE\Microsoft\Office\{office}\Excel\InstallRoot"):
            return office
    return ""


def excel_bits(machine: Machine) -> int:
    """64 or 32; 0 when it is not known."""
    platform = str(machine.values(_CLICK).get("Platform", ""))
    for office in OFFICE:
        platform = platform or str(
            machine.values(rf"HKLM\SOFTWARE\Microsoft\Office\{office}\Outlook").get("Bitness", ""))
    if not platform and excel_path(machine):
        return 32 if "Program Files (x86)" in excel_path(machine) else 64
    return {"x64": 64, "x86": 32}.get(platform.lower(), 0)


def version_text(machine: Machine) -> str:
    """Version, bitness and place of Excel in a line; empty when there is none."""
    path = excel_path(machine)
    if not path:
        return ""
    return (f"{excel_version(machine) or 'unknown version'}, "
            f"{excel_bits(machine) or 'unknown'} bits, {path}")


def is_from_store(path: str) -> bool:
    """Programs of the Microsoft Store lie in WindowsApps and may not be started by others."""
    return "windowsapps" in path.lower()


def join(folder: str, *names: str) -> str:
    return str(PureWindowsPath(folder, *names))


def parent(path: str) -> str:
    return str(PureWindowsPath(path).parent)


def start_folder(machine: Machine) -> str:
    """XLSTART: Excel opens what lies there, and trusts its macros."""
    return join(machine.variable("APPDATA"), "Microsoft", "Excel", "XLSTART")


def template_folder(machine: Machine) -> str:
    """Where the user keeps templates: as set in Excel, else Office's own folder."""
    for office in OFFICE:
        options = machine.values(rf"HKCU\Software\Microsoft\Office\{office}\Excel\Options")
        if options.get("PersonalTemplates"):
            return _expanded(machine, str(options["PersonalTemplates"]))
    return join(machine.variable("APPDATA"), "Microsoft", "Templates")


def home(machine: Machine) -> str:
    """Our own folder, where xlwings looks for the settings of a project named portbal."""
    return join(machine.variable("USERPROFILE"), ".portbal")


def settings_path(machine: Machine) -> str:
    return join(home(machine), "portbal.conf")


def settings(machine: Machine) -> dict[str, str]:
    """The settings as xlwings' VBA would read them."""
    text = (machine.read(settings_path(machine)) or b"").decode(machine.code_page, "replace")
    found = {}
    for line in text.splitlines():
        name, comma, value = line.partition('","')
        if comma:
            found[name.lstrip('"')] = _expanded(machine, value.rstrip('"'))
    return found


def _expanded(machine: Machine, text: str) -> str:
    for name in ("USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        text = text.replace(f"%{name}%", machine.variable(name))
    return text
