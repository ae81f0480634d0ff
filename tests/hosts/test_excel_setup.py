"""portbal install, uninstall and doctor on a computer that is made up."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from portbal.errors import InputError, NotAvailable
from portbal_addin.cli import doctor, install, main, uninstall
from portbal_addin.hosts.excel import checks, setup
from portbal_addin.hosts.excel import machine as places
from portbal_addin.hosts.excel.addin import addin

VERSION, XLWINGS = "0.1.0", "0.37.8"
PROFILE = r"C:\Users\Ann"
PYTHON = r"C:\Python312\python.exe"
EXCEL = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE"
XLAM = rf"{PROFILE}\AppData\Roaming\Microsoft\Excel\XLSTART\portbal.xlam"
XLTM = rf"{PROFILE}\AppData\Roaming\Microsoft\Templates\portfolio_balancer.xltm"
CONF = rf"{PROFILE}\.portbal\portbal.conf"
LIST = rf"{PROFILE}\.portbal\installed.json"
DLL = rf"C:\Python312\xlwings64-{XLWINGS}.dll"
APP = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
CLICK = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration"
SECURITY = r"Microsoft\Office\16.0\Excel\Security"


@dataclass
class MadeUp:
    """A computer as dictionaries; ``refuses`` are files that are in use."""

    python: str = PYTHON
    code_page: str = "cp1252"
    variables: dict[str, str] = field(default_factory=lambda: {
        "USERPROFILE": PROFILE, "APPDATA": rf"{PROFILE}\AppData\Roaming",
        "OneDrive": rf"{PROFILE}\OneDrive",
    })
    registry: dict[str, dict[str, Any]] = field(default_factory=lambda: {
        APP: {"": EXCEL}, CLICK: {"Platform": "x64", "VersionToReport": "16.0.17928.20114"},
    })
    files: dict[str, bytes] = field(default_factory=lambda: {
        PYTHON: b"MZ", EXCEL: b"MZ", DLL: program(0x8664),
    })
    refuses: set[str] = field(default_factory=set)
    opened: list[str] = field(default_factory=list)

    def variable(self, name: str) -> str:
        return self.variables.get(name, "")

    def values(self, key: str) -> Mapping[str, Any]:
        return self.registry.get(key, {})

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(self, path: str, content: bytes) -> None:
        if path in self.refuses:
            raise PermissionError(13, "Permission denied", path)
        self.files[path] = content

    def remove(self, path: str) -> None:
        if path in self.refuses:
            raise PermissionError(13, "Permission denied", path)
        del self.files[path]

    def open(self, path: str) -> None:
        self.opened.append(path)


def program(kind: int) -> bytes:
    """As much of a Windows library as tells its bitness."""
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", kind)


@pytest.fixture
def computer() -> MadeUp:
    return MadeUp()


@pytest.fixture
def installed(computer: MadeUp, capsys: pytest.CaptureFixture[str]) -> MadeUp:
    assert install.install(computer, dry_run=False, opens=False) == 0
    capsys.readouterr()
    return computer


# --- install -----------------------------------------------------------------------------------

def test_a_dry_run_lists_every_path_and_writes_nothing(
    computer: MadeUp, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(computer.files)
    assert install.install(computer, dry_run=True, opens=False) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == [f"Excel   16.0.17928.20114, 64 bits, {EXCEL}", f"Python  {PYTHON}"]
    assert [line for line in shown if line.startswith("C:")] == [CONF, XLAM, XLTM]
    assert computer.files == before


def test_install_writes_what_it_listed(installed: MadeUp) -> None:
    assert set(installed.files) == {PYTHON, EXCEL, DLL, CONF, XLAM, XLTM, LIST}
    assert installed.files[CONF] == f'"INTERPRETER_WIN","{PYTHON}"\r\n'.encode()
    assert installed.files[XLAM] == addin(VERSION)
    assert places.settings(installed) == {"INTERPRETER_WIN": PYTHON}


def test_uninstall_leaves_nothing(installed: MadeUp) -> None:
    assert uninstall.uninstall(installed, dry_run=True) == 0
    assert XLAM in installed.files
    assert uninstall.uninstall(installed, dry_run=False) == 0
    assert installed.files == MadeUp().files
    assert uninstall.uninstall(installed, dry_run=False) == 0


def test_what_lay_there_before_comes_back(computer: MadeUp) -> None:
    computer.files |= {XLAM: b"mine", CONF: b'"SHOW CONSOLE","True"\r\n'}
    before = dict(computer.files)
    for _ in range(2):  # installing again keeps the first backup
        assert install.install(computer, dry_run=False, opens=False) == 0
    assert computer.files[XLAM + setup.KEPT] == b"mine"
    assert places.settings(computer) == {"SHOW CONSOLE": "True", "INTERPRETER_WIN": PYTHON}
    assert uninstall.uninstall(computer, dry_run=False) == 0
    assert computer.files == before


def test_a_changed_file_is_left(
    installed: MadeUp, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.files[XLTM] = b"my own version"
    uninstall.uninstall(installed, dry_run=False)
    assert installed.files[XLTM] == b"my own version"
    assert "changed since" in capsys.readouterr().out
    assert XLAM not in installed.files


@pytest.mark.parametrize("path", [XLAM, XLTM, LIST])
def test_a_file_in_use_changes_nothing(computer: MadeUp, path: str) -> None:
    computer.files[CONF] = b'"SHOW CONSOLE","True"\r\n'
    before = dict(computer.files)
    computer.refuses.add(path)
    with pytest.raises(InputError, match="Close Excel"):
        install.install(computer, dry_run=False, opens=False)
    assert computer.files == before


def test_uninstall_goes_on_where_it_stopped(
    installed: MadeUp, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.refuses.add(XLAM)
    assert uninstall.uninstall(installed, dry_run=False) == 1
    assert f"FAILED    {XLAM}" in capsys.readouterr().out
    installed.refuses.clear()
    assert uninstall.uninstall(installed, dry_run=False) == 0
    assert installed.files == MadeUp().files


def test_a_smoke_workbook_is_opened_on_request(computer: MadeUp) -> None:
    install.install(computer, dry_run=False, opens=True)
    (path,) = computer.opened
    assert computer.files[path][:2] == b"PK"
    uninstall.uninstall(computer, dry_run=False)
    assert path not in computer.files


def test_the_users_template_folder_is_used(computer: MadeUp) -> None:
    key = r"HKCU\Software\Microsoft\Office\16.0\Excel\Options"
    computer.registry[key] = {"PersonalTemplates": r"%USERPROFILE%\My templates"}
    install.install(computer, dry_run=False, opens=False)
    assert rf"{PROFILE}\My templates\portfolio_balancer.xltm" in computer.files


def test_a_path_that_settings_cannot_hold(computer: MadeUp) -> None:
    computer.variables["USERPROFILE"] = "C:\\Users\\Ωmega"
    computer.python = "C:\\Users\\Ωmega\\py\\python.exe"
    install.install(computer, dry_run=False, opens=False)
    assert places.settings(computer) == {"INTERPRETER_WIN": computer.python}
    computer.python = "D:\\Ω\\python.exe"
    with pytest.raises(NotAvailable, match="plain letters"):
        install.install(computer, dry_run=False, opens=False)


@pytest.mark.parametrize(("change", "message"), [
    (lambda c: c.registry.clear(), "no Excel was found"),
    (lambda c: c.registry.update({APP: {"": r"C:\Program Files\WindowsApps\x\EXCEL.EXE"}}),
     "Excel is the edition from the Microsoft Store"),
    (lambda c: setattr(c, "python", rf"{PROFILE}\AppData\Local\Microsoft\WindowsApps\python.exe"),
     "Python is the edition from the Microsoft Store"),
])
def test_what_cannot_work_is_refused(computer: MadeUp, change: Any, message: str) -> None:
    change(computer)
    before = dict(computer.files)
    with pytest.raises(NotAvailable, match=message):
        install.install(computer, dry_run=False, opens=False)
    assert computer.files == before


@pytest.mark.skipif(sys.platform == "win32", reason="this is Windows")
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_elsewhere_it_says_what_to_do(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--dry-run"]) == 1
    assert "this is not Windows" in capsys.readouterr().err


# --- doctor ------------------------------------------------------------------------------------

def found(computer: MadeUp, workbook: bytes | None = None) -> dict[str, checks.Check]:
    listed = list(checks.checks(computer, VERSION, XLWINGS, workbook))
    assert len({check.name for check in listed}) == len(listed)
    assert all(check.fix for check in listed if check.status in ("problem", "warning"))
    assert all("\n" not in check.cause + check.fix for check in listed)
    return {check.name: check for check in listed}


def test_all_is_well_after_installing(installed: MadeUp) -> None:
    listed = found(installed)
    assert {name: c for name, c in listed.items() if c.status not in ("ok", "note")} == {}
    assert listed["Excel"].cause == f"16.0.17928.20114, 64 bits, {EXCEL}"


def _registry(key: str, **values: Any) -> Any:
    return lambda c: c.registry.setdefault(key, {}).update(values)


def _file(path: str, content: bytes | None) -> Any:
    return lambda c: c.files.pop(path) if content is None else c.files.update({path: content})


def _settings(path: str) -> Any:
    return _file(CONF, f'"INTERPRETER_WIN","{path}"\r\n'.encode())


@pytest.mark.parametrize(("change", "name", "status", "words"), [
    (lambda c: c.registry.clear(), "Excel", "problem", "no Excel"),
    (lambda c: c.registry.update({APP: {"": r"C:\WindowsApps\EXCEL.EXE"}}), "Excel", "problem",
     "Store"),
    (_file(CONF, None), "settings", "problem", "names no interpreter"),
    (_file(PYTHON, None), "interpreter", "problem", "is gone"),
    (_settings(r"C:\Users\Ann\AppData\Local\Microsoft\WindowsApps\python.exe"), "interpreter",
     "problem", "Store"),
    (lambda c: setattr(c, "python", r"D:\other\python.exe"), "interpreter", "warning", "and this"),
    (_file(DLL, None), "library", "problem", "could not activate Python COM server"),
    (_file(DLL, program(0x014C)), "library", "problem", "32 bits"),
    (lambda c: c.registry[CLICK].update(Platform="x86"), "library", "problem",
     f"xlwings32-{XLWINGS}.dll"),
    (_file(XLAM, None), "add-in", "problem", "is missing"),
    (_file(XLAM, addin("0.0.9")), "add-in", "problem", "0.0.9, and the package is 0.1.0"),
    (_file(XLAM, b"text"), "add-in", "problem", "unknown"),
    (_registry(r"HKCU\Software\Microsoft\Office\16.0\Excel\Resiliency\DisabledItems",
               a=XLAM.encode("utf-16-le")), "disabled", "problem", "disabled"),
    (_registry(rf"HKCU\Software\Policies\{SECURITY}", VBAWarnings=4), "macros", "warning",
     "organisation blocks all macros"),
    (_registry(rf"HKCU\Software\{SECURITY}", VBAWarnings=3), "macros", "warning", "Trust Center"),
    (_file(f"{XLAM}:Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n"), "mark of the web",
     "problem", "internet"),
    (_settings(rf"{PROFILE}\OneDrive\py\python.exe"), "OneDrive", "warning", "OneDrive"),
    (_registry(r"HKCU\Control Panel\International", sDecimal=",", sList=";"), "locale", "note",
     "1,5"),
])
def test_each_trouble_is_named_with_a_cure(
    installed: MadeUp, change: Any, name: str, status: str, words: str
) -> None:
    change(installed)
    check = found(installed)[name]
    assert (check.status, words in check.cause) == (status, True), check


def test_the_library_of_a_virtual_environment_is_found(installed: MadeUp) -> None:
    python = r"C:\work\.venv\Scripts\python.exe"
    installed.files |= {
        python: b"MZ", rf"C:\work\.venv\xlwings64-{XLWINGS}.dll": program(0x8664),
        CONF: f'"INTERPRETER_WIN","{python}"\r\n'.encode(),
    }
    assert found(installed)["library"].status == "ok"


def test_a_workbook_that_does_not_calculate(installed: MadeUp) -> None:
    import io
    import zipfile

    def workbook(mode: str) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as parts:
            parts.writestr("xl/workbook.xml", f'<workbook><calcPr calcId="1"{mode}/></workbook>')
        return stream.getvalue()

    manual = found(installed, workbook(' calcMode="manual"'))["calculation"]
    assert (manual.status, "F9" in manual.cause) == ("warning", True)
    assert found(installed, workbook(""))["calculation"].status == "ok"
    assert found(installed, b"text")["calculation"].status == "problem"


def test_a_workbook_that_is_blocked_or_in_the_cloud(installed: MadeUp) -> None:
    path = rf"{PROFILE}\OneDrive\mine.xlsm"
    installed.files[f"{path}:Zone.Identifier"] = b"[ZoneTransfer]\r\nZoneId=3\r\n"
    listed = {c.name: c for c in checks.checks(installed, VERSION, XLWINGS, None, path)}
    assert (listed["mark of the web"].status, listed["mark of the web"].fix) == (
        "problem", f'Unblock-File "{path}"  (in PowerShell)')
    assert (listed["OneDrive"].status, path in listed["OneDrive"].cause) == ("warning", True)


def test_self_test_knows_right_from_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.self_test().status == "ok"
    monkeypatch.setattr(checks, "_same", lambda cell, wanted: cell == "nothing")
    assert checks.self_test().status == "problem"


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [checks.Check("a", "ok", "fine"), checks.Check("b", "warning", "odd", "Mend it.")]
    assert doctor.report(listed, as_json=False) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok       a                fine", "warning  b                odd",
        "                          -> Mend it.",
    ]
    assert doctor.report([*listed, checks.Check("c", "problem", "bad", "x")], as_json=True) == 1
    assert json.loads(capsys.readouterr().out)[1] == {
        "name": "b", "status": "warning", "cause": "odd", "fix": "Mend it."}


@pytest.mark.skipif(sys.platform == "win32", reason="this is Windows")
def test_doctor_elsewhere_tests_the_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [check["name"] for check in listed] == ["Excel", "self-test"]
    assert main(["doctor", "absent.xlsx"]) == 1
    assert main(["doctor", __file__]) == 1
    assert "the file is no workbook" in capsys.readouterr().out
