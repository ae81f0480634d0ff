"""Workbooks that go from one program, version or person to another."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from hosts.test_validators import problems
from portbal.errors import InputError, NotAvailable
from portbal_addin.cli import main
from portbal_addin.hosts.excel import addin
from portbal_addin.hosts.workbook import sharing
from portbal_addin.hosts.workbook.package import Package
from portbal_addin.hosts.workbook.workbook import Workbook
from portbal_templates import TEMPLATES, read
from portbal_templates.build import FILES

NAME = "portfolio_balancer"
FORMULA = re.compile(r"<f\b[^>/]*>([^<]*)</f>")


def parts(workbook: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        return {name: file.read(name) for name in file.namelist()}


def formulas(workbook: bytes) -> list[str]:
    return [text for name, content in parts(workbook).items() if "worksheets/sheet" in name
            for text in FORMULA.findall(content.decode())]


def unstamped() -> bytes:
    """The flagship as a program would save it that keeps no custom properties."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts(read(NAME)).items():
            if name == "docProps/custom.xml":
                continue
            text = re.sub(rb'<Override PartName="/docProps/custom.xml"[^>]*/>', b"", content)
            file.writestr(name, re.sub(rb'<Relationship Id="portbalCustom"[^>]*/>', b"", text))
    return target.getvalue()


def of_schema(schema: int, least: str) -> bytes:
    content = parts(read(NAME))["docProps/custom.xml"].decode()
    changed = content.replace(f"<vt:i4>{sharing.SCHEMA}<", f"<vt:i4>{schema}<").replace(
        f"<vt:lpwstr>{sharing.LEAST_VERSION}<", f"<vt:lpwstr>{least}<")
    return Package(read(NAME)).replaced({"docProps/custom.xml": changed.encode()})


# --- the stamp -------------------------------------------------------------------------------

@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_carries_its_schema_and_least_version(name: str) -> None:
    content = (FILES / f"{name}.xlsx").read_bytes()
    assert sharing.stamp(content) == (sharing.SCHEMA, sharing.LEAST_VERSION)
    assert sharing.upgraded(content) is content


def test_a_workbook_without_stamp_gets_one_and_nothing_else() -> None:
    old = unstamped()
    assert sharing.stamp(old) == (0, "")
    new = sharing.upgraded(old)
    assert sharing.stamp(new) == (sharing.SCHEMA, sharing.LEAST_VERSION)
    before, after = parts(old), parts(new)
    assert set(after) - set(before) == {"docProps/custom.xml"}
    assert {n for n in before if before[n] != after[n]} == {"[Content_Types].xml", "_rels/.rels"}
    assert sharing.upgraded(new) is new


def test_other_properties_are_kept() -> None:
    text = parts(read(NAME))["docProps/custom.xml"].decode()
    mine = ('<property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="9" name="Desk">'
            "<vt:lpwstr>Rates</vt:lpwstr></property></Properties>")
    old = Package(of_schema(0, "")).replaced(
        {"docProps/custom.xml": re.sub("<property.*</Properties>", mine, text).encode()})
    new = sharing.upgraded(old)
    assert "<vt:lpwstr>Rates<" in parts(new)["docProps/custom.xml"].decode()
    assert sharing.stamp(new)[0] == sharing.SCHEMA
    pids = re.findall(r'pid="(\d+)"', parts(new)["docProps/custom.xml"].decode())
    assert len(pids) == len(set(pids)) == 3


@pytest.mark.parametrize("workbook", [of_schema(1, "99.0"), of_schema(99, "0.1.0")])
def test_a_workbook_from_a_newer_version_is_refused(workbook: bytes) -> None:
    with pytest.raises(NotAvailable, match=r"it needs portbal .*, and this is 0\.1\.0"):
        sharing.check_version(workbook, "0.1.0")
    sharing.check_version(read(NAME), "0.1.0")


def test_every_older_schema_has_its_upgrade() -> None:
    assert sorted(sharing.UPGRADES) == list(range(sharing.SCHEMA))


# --- spellings ---------------------------------------------------------------------------------

@pytest.mark.parametrize(("formula", "excel"), [
    ("PORTBAL.VAR(A1)", "PORTBAL_VAR(A1)"),
    ("[1]!PORTBAL_VAR(A1)", "PORTBAL_VAR(A1)"),
    ("'C:\\old books\\portbal.xlam'!PORTBAL_VAR(A1)", "PORTBAL_VAR(A1)"),
    ("_xldudf_PORTBAL_VAR(A1)+portbal.cvar(A1)", "PORTBAL_VAR(A1)+PORTBAL_cvar(A1)"),
    ('IF(A1="PORTBAL.VAR(x)",PORTBAL.VAR(B1),1)', 'IF(A1="PORTBAL.VAR(x)",PORTBAL_VAR(B1),1)'),
    ("PORTBAL.NOSUCHTHING(A1)", "PORTBAL.NOSUCHTHING(A1)"),
    ("SUM(A1)", "SUM(A1)"),
])
def test_spelling(formula: str, excel: str) -> None:
    assert sharing.spelled(formula, "PORTBAL_") == excel


def test_there_and_back() -> None:
    calc = sharing.for_host(read(NAME), "calc")
    assert any("PORTBAL." in text for text in formulas(calc))
    assert not any("PORTBAL_" in text for text in formulas(calc))
    assert parts(sharing.for_host(calc, "excel")) == parts(read(NAME))


def test_plain_has_the_values_and_no_formula_of_ours() -> None:
    plain = sharing.for_host(read(NAME), "plain")
    assert not any("PORTBAL_" in text for text in formulas(plain))
    ours = [text for text in formulas(read(NAME)) if "PORTBAL_" in text]
    assert len(formulas(plain)) == len(formulas(read(NAME))) - len(ours)
    old, new = Workbook.read(read(NAME)), Workbook.read(plain)
    for number in range(len(old.sheets)):
        assert new.stored(number).values == old.stored(number).values


def saved_by_excel(addins: list[str], formula: str) -> bytes:
    """The flagship as Excel saves it with formulas of other workbooks: links by position."""
    content = parts(read(NAME))
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml"
    listed = links = types = ""
    for number, path in enumerate(addins, start=1):
        name = f"externalLinks/externalLink{number}.xml"
        content[f"xl/{name}"] = (
            f'<externalLink xmlns="{main}"><externalBook xmlns:r="{office}" r:id="rId1"/>'
            "</externalLink>").encode()
        content[f"xl/externalLinks/_rels/externalLink{number}.xml.rels"] = (
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{office}/externalLink'
            f'Path" Target="{path}" TargetMode="External"/></Relationships>').encode()
        listed += f'<externalReference r:id="out{number}"/>'
        links += f'<Relationship Id="out{number}" Type="{office}/externalLink" Target="{name}"/>'
        types += f'<Override PartName="/xl/{name}" ContentType="{kind}"/>'

    def put(part: str, before: str, text: str) -> None:
        content[part] = content[part].replace(before.encode(), (text + before).encode(), 1)

    put("xl/workbook.xml", "<definedNames>", f"<externalReferences>{listed}</externalReferences>")
    put("xl/_rels/workbook.xml.rels", "</Relationships>", links)
    put("[Content_Types].xml", "</Types>", types)
    for name in content:
        if "worksheets/sheet" in name:
            content[name] = content[name].replace(b"PORTBAL_", formula.encode())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in content.items():
            file.writestr(name, data)
    return stream.getvalue()


OTHERS = "file:///C:/Users/Bob/AppData/Roaming/Microsoft/Excel/XLSTART/portbal.xlam"


def test_relink_takes_the_link_to_another_persons_add_in_away(tmp_path: Path) -> None:
    foreign = saved_by_excel([OTHERS], "[1]!PORTBAL_")
    assert any("[1]!PORTBAL_" in text for text in formulas(foreign))
    assert parts(sharing.for_host(foreign, "excel")) == parts(read(NAME))
    path = tmp_path / "plain.xlsx"
    path.write_bytes(sharing.for_host(foreign, "plain"))
    assert not [name for name in parts(path.read_bytes()) if "externalLink" in name]
    assert problems(path) == []


@pytest.mark.parametrize(("links", "left"), [
    (["other.xlsx", OTHERS], 1), ([OTHERS, "other.xlsx"], 2), (["other.xlsx"], 1),
    (["my_portbal.xlsm"], 1),
])
def test_links_that_formulas_may_use_are_left(
    links: list[str], left: int, tmp_path: Path
) -> None:
    """They are named by position: one that comes before another cannot go."""
    at = links.index(OTHERS) + 1 if OTHERS in links else 1
    path = tmp_path / "mine.xlsx"
    path.write_bytes(sharing.for_host(saved_by_excel(links, f"[{at}]!PORTBAL_"), "excel"))
    assert len([n for n in parts(path.read_bytes()) if "externalLinks/ext" in n]) == left
    assert formulas(path.read_bytes()) == formulas(read(NAME))
    assert problems(path) == []
    assert main(["template", "relink", str(path)]) == 0


def test_a_command_refuses_a_workbook_that_needs_a_newer_portbal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.xlsx"
    path.write_bytes(of_schema(99, "99.0"))
    assert main(["run", "check data", str(path)]) == 1
    assert "it needs portbal 99.0" in capsys.readouterr().err


# --- portbal template --------------------------------------------------------------------------

def test_upgrade_keeps_a_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, old = tmp_path / "mine.xlsx", unstamped()
    path.write_bytes(old)
    (tmp_path / "mine.backup.xlsx").write_bytes(b"an older one")
    assert main(["template", "upgrade", str(path)]) == 0
    assert (tmp_path / "mine.backup.xlsx").read_bytes() == b"an older one"
    assert (tmp_path / "mine.backup-2.xlsx").read_bytes() == old
    assert sharing.stamp(path.read_bytes())[0] == sharing.SCHEMA
    once = path.read_bytes()
    assert main(["template", "upgrade", str(path)]) == 0
    assert "up to date" in capsys.readouterr().out
    assert path.read_bytes() == once
    assert len(list(tmp_path.iterdir())) == 3


def test_upgrade_leaves_a_newer_workbook_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.xlsx"
    path.write_bytes(of_schema(99, "99.0"))
    assert main(["template", "upgrade", str(path)]) == 1
    assert "it needs portbal 99.0" in capsys.readouterr().err
    assert path.read_bytes() == of_schema(99, "99.0")


def test_relink(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "calc.xlsx"
    assert main(["template", "new", NAME, "-o", str(path), "--host", "calc"]) == 0
    assert main(["template", "relink", str(path)]) == 0
    assert parts(path.read_bytes()) == parts(read(NAME))
    assert (tmp_path / "calc.backup.xlsx").exists()
    assert main(["template", "relink", str(path)]) == 0
    assert "every portbal formula is connected" in capsys.readouterr().out


def test_a_copy_without_formulas_of_ones_own_workbook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, values = tmp_path / "mine.xlsx", tmp_path / "values.xlsx"
    mine.write_bytes(read(NAME))
    assert main(["template", "relink", str(mine), "--host", "plain"]) == 1
    assert "would lose its formulas. Add -o OUT.xlsx." in capsys.readouterr().err
    assert main(["template", "relink", str(mine), "--host", "plain", "-o", str(values)]) == 0
    assert values.read_bytes() == sharing.for_host(read(NAME), "plain")
    assert mine.read_bytes() == read(NAME)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.xlsx", "values.xlsx"]
    assert main(["template", "relink", str(mine), "-o", str(tmp_path / "x.xlsm")]) == 1


def test_a_new_workbook_may_carry_the_add_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.xlsm"
    assert main(["template", "new", NAME, "-o", str(path)]) == 0
    assert "xl/vbaProject.bin" in parts(path.read_bytes())
    assert main(["template", "new", NAME, "-o", str(path), "--force", "--host", "calc"]) == 1
    assert ".xlsm files are for Excel" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.xltx", "a.txt", "a", "a.xlsb"])
def test_a_file_that_excel_would_not_open_is_not_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["template", "new", NAME, "-o", str(tmp_path / name)]) == 1
    assert "Use the ending .xlsx." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_ending_goes_with_the_kind_of_workbook() -> None:
    flagship = read(NAME)
    assert sharing.ending(flagship) == ".xlsx"
    for kind in ("xlsm", "xltm", "xlam"):
        assert sharing.ending(addin.carrying(flagship, kind)) == f".{kind}"
    sharing.check_ending(flagship, "MY.XLSX")
    with pytest.raises(InputError, match=r"Use the ending \.xlsm"):
        sharing.check_ending(addin.carrying(flagship, "xlsm"), "mine.xlsx")


@pytest.mark.parametrize("action", ["upgrade", "relink"])
def test_what_is_no_workbook_is_refused(
    action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no.xlsx"
    path.write_text("text")
    assert main(["template", action, str(path)]) == 1
    assert "no .xlsx file" in capsys.readouterr().err
    assert path.read_text() == "text"
    assert main(["template", action, str(tmp_path / "absent.xlsx")]) == 1
