"""The files for Excel, before judges that are not ours. Excel itself has opened none of them."""

from __future__ import annotations

import importlib
import io
import json
import re
import shutil
import subprocess
import warnings
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosts.test_validators import problems
from portbal.errors import InputError
from portbal_addin.cli import main
from portbal_addin.cli.build import excel_files
from portbal_addin.hosts.excel import addin, ovba, ribbon, wrappers
from portbal_addin.hosts.excel.cfb import compound_file
from portbal_addin.macros.commands import GROUPS, MOST_IN_A_GROUP, commands
from portbal_addin.registry import functions

HERE = Path(__file__).parent
FILES = dict(excel_files())
OURS = {"ThisWorkbook", *addin.OURS, "PortbalFormulas", "PortbalWizard"}
SYSTEM_PYTHON = "/usr/bin/python3"
IMAGES = json.loads(
    (HERE.parent / "published" / "data" / "office_images.json").read_text(encoding="utf-8"))


def sheets_of(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        pages = [name for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    return [f"Sheet{number}" for number in range(1, len(pages) + 1)]


def expected(name: str) -> dict[str, str]:
    made = addin.modules(sheets_of(FILES[name]), addin=name.endswith(".xlam"))
    return {module.name: module.source.decode("cp1252") for module in made}


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    path.write_bytes(FILES[request.param])
    return path


def test_is_valid_open_xml(file: Path) -> None:
    assert problems(file) == []


def test_the_same_each_time() -> None:
    assert dict(excel_files()) == FILES


@pytest.fixture(scope="module")
def olevba() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of pyparsing's older names
        return importlib.import_module("oletools.olevba")


def test_olevba_reads_the_source_back(file: Path, olevba: Any) -> None:
    reader = olevba.VBA_Parser(str(file))
    read = {name.rpartition(".")[0]: text for _, _, name, text in reader.extract_all_macros()}
    reader.close()
    assert read == expected(file.name)


def test_pyopenvba_reads_the_source_back(file: Path) -> None:
    from pyopenvba import ExcelFile, check_file

    with ExcelFile(str(file)) as workbook:
        read = workbook.vba_modules()
    assert {name: shown(text) for name, text in read.items()} == {
        name: shown(text) for name, text in expected(file.name).items()
    }
    assert not check_file(str(file)).issues


def shown(text: str) -> str:
    """Source without what a reader may leave out or add: attributes of the module, line ends."""
    added = re.compile(r"Attribute VB_|VERSION |BEGIN|END$|  Multi")
    return "\n".join(line for line in text.splitlines() if not added.match(line)).strip()


def test_lint_finds_nothing_in_our_modules(file: Path) -> None:
    from pyvbaanalysis import analyze_workbook

    if file.suffix == ".xltm":  # the lint does not know templates; theirs is the same source
        assert expected(file.name) == expected(file.with_suffix(".xlsm").name)
        return
    found = analyze_workbook(str(file))
    assert set(found) >= OURS
    assert {name: [d.message for d in found[name]] for name in OURS if found[name]} == {}


def test_lint_would_find_something(tmp_path: Path) -> None:
    from pyvbaanalysis import analyze_loose_files

    path = tmp_path / "Bad.bas"
    path.write_text('Attribute VB_Name = "Bad"\nOption Explicit\nSub A()\n    x = 1\nEnd Sub\n')
    assert analyze_loose_files([str(path)], whole_project=True)["Bad"]


def test_excel_can_take_every_line() -> None:
    """VBA's limits: 1,023 characters a line, 24 continued lines, 64 KB a procedure."""
    for module in addin.modules(["Sheet1"], addin=True):
        lines = module.source.decode("cp1252").split("\r\n")
        assert max(map(len, lines)) <= 1023
        run = longest = 0
        for line in lines:
            run = run + 1 if line.endswith(" _") else 0
            longest = max(longest, run)
        assert longest <= 24
        procedures = re.split(r"^End (?:Sub|Function)", "\n".join(lines), flags=re.MULTILINE)
        assert max(map(len, procedures)) < 48_000


# --- the formulas ----------------------------------------------------------------------------

def test_wrappers_are_those_of_the_registry() -> None:
    text = wrappers.formulas_module(addin=True)
    names = re.findall(r"^Public Function (\w+)\(", text, re.MULTILINE)
    assert names == [f"PORTBAL_{name}" for name in functions()]
    described = re.findall(r'^Attribute (\w+)\.VB_Description = "(.*)"$', text, re.MULTILINE)
    assert described == [
        (f"PORTBAL_{f.name}", f.summary.replace('"', '""')) for f in functions().values()
    ]
    for f in functions().values():
        arguments = ", ".join([*(a.name for a in f.arguments), "CallerPlace()"])
        assert (f'XLPy.CallUDF("portbal_udfs", "PORTBAL_{f.name}", _\n        Array({arguments}), '
                "ActiveWorkbook, Application.Caller)") in text


def test_an_error_of_python_goes_to_our_dialog() -> None:
    """xlwings' RunPython would show a dialog of its own and tell nobody."""
    text = next(m for m in addin.modules(["Sheet1"], addin=True) if m.name == "xlwings").text
    [body] = re.findall(r"^Public Function RunPython\(.*?^End Function", text, re.M | re.S)
    assert "ShowError" not in body
    assert "On Error GoTo err_handling" in body
    assert "err_handling:\n            Err.Raise Err.Number, Err.Source, Err.Description\n" in body


def test_a_workbook_cannot_choose_what_python_runs() -> None:
    """Not by settings on a sheet or in its folder, nor by code on a sheet or in its folder."""
    text = next(m for m in addin.modules(["Sheet1"], addin=True) if m.name == "xlwings").text
    [config] = re.findall(r"^Function GetConfig\(.*?^End Function", text, re.M | re.S)
    asked = re.findall(r'^ *If (source.*) Then$', config, re.M)
    assert asked == ['source = "sheet"', 'source = "directory"', 'source = "" Or source = "user"']
    assert not re.search(r'GetConfig\([^)]*"(?:sheet|directory)"\)', text)
    assert "uses_embedded_code = True\n" not in text
    assert text.count('GetConfig("ADD_WORKBOOK_TO_PYTHONPATH", "false")') == 2
    assert 'GetConfig("ADD_WORKBOOK_TO_PYTHONPATH", "true")' not in text


def test_a_workbook_with_its_own_functions_works_for_itself() -> None:
    assert "ActiveWorkbook" not in wrappers.formulas_module(addin=False)


def test_the_wizard_is_told_every_help() -> None:
    text = wrappers.wizard_module()
    for f in functions().values():
        for a in f.arguments:
            assert '"' + a.help.replace('"', '""') + '"' in text
    called = re.findall(r"^    (Describe\w+)$", text, re.MULTILINE)
    defined = re.findall(r"^Private Sub (Describe\w+)\(\)$", text, re.MULTILINE)
    assert called == defined


# --- the ribbon --------------------------------------------------------------------------------

def buttons() -> dict[str, list[dict[str, str]]]:
    root = ElementTree.fromstring(ribbon.ribbon())
    space = f"{{{ribbon.NAMESPACE}}}"
    return {
        group.attrib["label"]: [dict(button.attrib) for button in group]
        for group in root.iter(f"{space}group")
    }


def test_every_command_has_its_button() -> None:
    groups = buttons()
    assert len(groups) <= 6
    assert list(groups) == [g for g in GROUPS if g in groups]
    assert all(0 < len(members) <= MOST_IN_A_GROUP for members in groups.values())
    found = [button for members in groups.values() for button in members]
    assert [button["tag"] for button in found] == [c.identifier for c in commands().values()]
    assert len({button["id"] for button in found}) == len(found)
    for button, command in zip(found, commands().values(), strict=True):
        assert (button["label"], button["screentip"], button["supertip"]) == (
            command.label, command.screentip, command.supertip)
        assert button["onAction"] == "PortbalCommand"
        assert re.fullmatch("[a-z_]+", button["tag"])


def test_every_picture_exists() -> None:
    """Names from a list that was read out of Office; another name shows an empty button."""
    images = [command.image for command in commands().values()]
    assert set(images) - set(IMAGES["names"]) == set()
    assert len(set(images)) == len(images)
    assert not set(images) & set(IMAGES["absent"])


def test_the_parts_are_linked() -> None:
    for name, content in FILES.items():
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            links = parts.read("_rels/.rels").decode()
            types = parts.read("[Content_Types].xml").decode()
            workbook = parts.read("xl/workbook.xml").decode()
            stamps = {info.date_time for info in parts.infolist()}
        assert f'Type="{ribbon.RELATIONSHIP}" Target="customUI/customUI14.xml"' in links
        kind = {"xlam": "addin", "xlsm": "sheet", "xltm": "template"}[name[-4:]]
        assert f"application/vnd.ms-excel.{kind}.macroEnabled.main+xml" in types
        assert 'codeName="ThisWorkbook"' in workbook
        assert stamps == {(1980, 1, 1, 0, 0, 0)}


def test_a_file_with_macros_is_refused() -> None:
    with pytest.raises(InputError, match=r"already has xl/vbaProject\.bin"):
        addin.carrying(FILES["portbal.xlam"], "xlsm")
    with pytest.raises(InputError, match=r"no \.xlsx file"):
        addin.carrying(b"text", "xlsm")


# --- the formats -------------------------------------------------------------------------------

@given(st.one_of(
    st.binary(max_size=9000),
    st.text("ab \n", max_size=9000).map(str.encode),
    st.integers(4090, 8200).map(lambda n: b"If x Then\r\n" * (n // 11)),
))
def test_compression_is_undone(olevba: Any, data: bytes) -> None:
    packed = ovba.compress(data)
    if data:
        unpacked = bytes(olevba.decompress_stream(bytearray(packed)))
        assert unpacked[: len(data)] == data
        assert not unpacked[len(data):].strip(b"\0")


@given(st.dictionaries(st.text("abcXYZ_", min_size=1, max_size=31), st.binary(max_size=9000),
                       max_size=14).filter(lambda d: len({k.upper() for k in d}) == len(d)))
def test_streams_are_found_again(streams: dict[str, bytes]) -> None:
    import olefile

    with olefile.OleFileIO(compound_file({"inner": streams, "one": b"1"})) as read:
        found = {"/".join(name): read.openstream(name).read() for name in read.listdir()}
        assert found == {"one": b"1", **{f"inner/{name}": data for name, data in streams.items()}}
        assert read.parsing_issues == []


def hidden(project_id: str, text: str) -> bytes:
    """What the PROJECT stream hides, undone by MS-OVBA 2.4.3.3."""
    data = bytes.fromhex(text)
    key = sum(project_id.encode()) & 0xFF
    assert (data[0] ^ data[1], data[0] ^ data[2]) == (2, key)
    plain, one, two = data[0] ^ data[2], data[2], data[1]
    out = []
    for byte in data[3:]:
        plain = byte ^ ((two + plain) & 0xFF)
        out.append(plain)
        two, one = one, byte
    body = bytes(out)[(data[0] & 6) // 2:]
    assert int.from_bytes(body[:4], "little") == len(body) - 4
    return body[4:]


@pytest.mark.parametrize(("data", "theirs"), [
    (bytes(4), "5D5F8AADDAA8DEA8DEA8DEA8DE"), (bytes(1), "5D5F8AADDAADDBADDBAD"),
    (b"\xff", "5D5F8AADDAADDBADDB52"),
])
def test_protection_is_written_as_in_the_file_that_xlwings_ships(
    data: bytes, theirs: str
) -> None:
    """quickstart_addin_ribbon.xlam: not locked, no password, visible."""
    project_id = "{318BEE36-5BE1-492A-826D-473DB19B0F30}"
    assert hidden(project_id, theirs) == data
    assert hidden(project_id, ovba.encrypt(project_id, data)) == data


def test_characters_that_vba_does_not_have_are_refused() -> None:
    module = ovba.standard('Attribute VB_Name = "A"\n\' \u03c3\n')
    with pytest.raises(ValueError, match="module A: 'σ' cannot be written in VBA"):
        _ = module.source


# --- our VBA in LibreOffice --------------------------------------------------------------------

# As xlwings hands an error of Python to VBA.
TRACEBACK = (
    "Unexpected Python Error: Traceback (most recent call last):\n"
    '  File "com_server.py", line 331, in Exec\n    exec(stmt, globals, locals)\n'
    "ModuleNotFoundError: No module named 'portbal_addin'\n \r\n"
)
CALLS: list[tuple[str, list[Any], Any]] = [
    ("IsCommandName", ["check_limits"], True),
    ("IsCommandName", ["Check"], False),
    ("IsCommandName", ["a');import os;('"], False),
    ("IsCommandName", [""], False),
    ("CommandWords", ["check_limits"], "check limits"),
    ("PythonCall", ["undo"],
     "from portbal_addin.hosts.excel import carrier;carrier.run('undo')"),
    ("OneLine", [" a\r\n\r\n  b ", 20], "a b"),
    ("OneLine", ["x" * 30, 10], "xxxxxxx..."),
    ("FailureText", ["VAR", "no\r\nserver"],
     "#PORTBAL VAR: Python did not answer (no server). Run portbal doctor in a command window."),
    ("FailureDialog", ["check_limits", "no server"],
     "'check limits' was not carried out: Python did not answer.\r\nno server\r\n\r\n"
     "Run portbal doctor in a command window; it names the cause and the cure. If it finds none, "
     "report this with the file .portbal\\portbal.log in your user folder."),
    ("Reason", [TRACEBACK, 60], "ModuleNotFoundError: No module named 'portbal_addin'"),
    ("Reason", ["Could not activate\r\n  Python COM server", 60],
     "Could not activate Python COM server"),
    ("FailureText", ["VAR", TRACEBACK],
     "#PORTBAL VAR: Python did not answer (ModuleNotFoundError: No module named 'portbal_addin'). "
     "Run portbal doctor in a command window."),
]


def in_libreoffice(modules: dict[str, str], calls: list[Any]) -> dict[str, Any]:
    if shutil.which("soffice") is None or subprocess.run(
        [SYSTEM_PYTHON, "-c", "import uno"], capture_output=True, check=False
    ).returncode:
        pytest.skip("no LibreOffice with python3-uno; make host-tools installs them")
    done = subprocess.run(
        [SYSTEM_PYTHON, str(HERE / "basic_check.py")], text=True, capture_output=True, check=False,
        input=json.dumps({"modules": modules, "calls": calls}),
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_our_modules_compile_and_run_in_libreoffice() -> None:
    ours = {
        module.name: module.text for module in addin.modules(["Sheet1"], addin=True)
        if module.kind == "standard" and module.name in OURS
    }
    answer = in_libreoffice(ours, [["PortbalText", name, given] for name, given, _ in CALLS])
    assert answer["compiles"] == dict.fromkeys(ours, True)
    assert answer["values"] == [value for _, _, value in CALLS]


def test_libreoffice_opens_the_workbook_with_its_modules(tmp_path: Path) -> None:
    """A third reader, and the only one here that is a spreadsheet program."""
    if shutil.which("soffice") is None:
        pytest.skip("no LibreOffice; make host-tools installs it")
    name = next(name for name in FILES if name.endswith(".xlsm"))
    (tmp_path / name).write_bytes(FILES[name])
    done = subprocess.run(
        ["soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{tmp_path}/profile",
         "--convert-to", "ods", "--outdir", str(tmp_path / "out"), str(tmp_path / name)],
        capture_output=True, text=True, check=False)
    made = tmp_path / "out" / name.replace(".xlsm", ".ods")
    assert made.exists(), done.stderr
    with zipfile.ZipFile(made) as parts:
        read = {Path(part).stem: ElementTree.fromstring(parts.read(part)).text or ""
                for part in parts.namelist() if part.startswith("Basic/portbal/")}
        sheets = parts.read("content.xml").decode()
    wanted = expected(name)
    assert set(wanted) <= set(read)
    for module, text in wanted.items():
        code = [line.strip() for line in text.splitlines() if line and "Attribute " not in line]
        assert [line for line in code if line not in read[module]] == []
    assert 'table:name="Start"' in sheets


def test_libreoffice_finds_a_broken_module() -> None:
    answer = in_libreoffice({"Broken": "Sub A()\n    If Then B(\nEnd Sub\n"}, [])
    assert answer["compiles"] != {"Broken": True}


# --- the command line --------------------------------------------------------------------------

def test_build_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "excel", "-o", str(tmp_path / "new")]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == FILES
    assert "portbal.xlam" in capsys.readouterr().out


def test_build_says_why_it_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["build", "excel", "-o", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


# --- the documentation -------------------------------------------------------------------------

def test_the_drawing_shows_the_ribbon_as_it_is() -> None:
    from hosts.ribbon_drawing import drawing

    path = HERE.parents[1] / "docs" / "images" / "ribbon.svg"
    assert path.read_text(encoding="utf-8") == drawing(), (
        "run python tests/hosts/ribbon_drawing.py docs/images/ribbon.svg")


def test_the_documentation_names_every_button() -> None:
    text = (HERE.parents[1] / "docs" / "excel.md").read_text(encoding="utf-8")
    assert [c.label for c in commands().values() if f"*{c.label}*" not in text] == []


def test_a_button_runs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The statement that VBA hands to Python, run here."""
    from portbal_addin.hosts.excel import carrier

    ran: list[str] = []
    monkeypatch.setattr(carrier, "run", ran.append)
    statement = next(value for name, given, value in CALLS if name == "PythonCall")
    exec(statement, {})
    assert ran == ["undo"]
