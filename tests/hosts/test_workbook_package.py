"""Files that are no workbook, ask for too much, or must not be half written."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from hosts.workbook_files import F, formulas, parts_of, stored, workbook, zipped
from portbal.errors import InputError, UserError
from portbal_addin.hosts.workbook import engine, package, recalculate
from portbal_addin.hosts.workbook.package import read_file, write_file

GOOD = workbook({"A1": 1.0, "B1": F("A1+1", 2.0)})
BOOK, SHEET = "xl/workbook.xml", "xl/worksheets/sheet1.xml"


def with_part(name: str, data: bytes) -> bytes:
    return zipped({**parts_of(GOOD), name: data})


def damaged() -> bytes:
    at = GOOD.index(b"xl/worksheets/sheet1.xml") + 60
    return GOOD[:at] + bytes(20) + GOOD[at + 20:]


def twice() -> bytes:
    target = BytesIO(GOOD)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("XL/Workbook.xml", b"<other/>")
    return target.getvalue()


def encrypted() -> bytes:
    data = bytearray(GOOD)
    at = GOOD.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(("data", "words"), [
    (b"", "no .xlsx file"),
    (b"not a zip at all", "no .xlsx file"),
    (GOOD[:-30], "no .xlsx file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted, or an old .xls"),
    (encrypted(), "encrypted"),
    (damaged(), "damaged"),
    (twice(), "two parts named"),
    (zipped({"a.txt": b""}), "no .xlsx workbook"),
    (zipped({**parts_of(GOOD), "../../evil": b""}), "unsafe name"),
    (zipped({**parts_of(GOOD), "/etc/evil": b""}), "unsafe name"),
    (zipped({**parts_of(GOOD), "C:\\evil": b""}), "unsafe name"),
    (zipped({name: data for name, data in parts_of(GOOD).items() if name != SHEET}), "is missing"),
    (with_part(SHEET, b"<worksheet><sheetData><row>"), "damaged"),
    (with_part(SHEET, DTD + parts_of(GOOD)[SHEET]), "document type"),
    (with_part(BOOK, DTD + b"<workbook>&b;</workbook>"), "document type"),
    (with_part(SHEET, parts_of(GOOD)[SHEET].decode().encode("utf-16")), "."),
    (with_part(SHEET, b'<w><row r="1"><c r="A1" t="s"><v>7</v></c></row></w>'),
     "cannot be read in row 1"),
    (with_part(SHEET, b'<w><row r="1"><c r="?"><v>7</v></c></row></w>'), "cannot be read in row 1"),
    (with_part("xl/pad.bin", bytes(9 << 20)), "unpacks to 9 MB"),
    (with_part("_rels/.rels", parts_of(GOOD)["_rels/.rels"].replace(b"workbook.xml", b"book.bin")),
     "binary workbook"),
])
def test_bad_files_are_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        recalculate(data)


def test_too_many_and_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MOST_PARTS", 3)
    with pytest.raises(UserError, match="it has 6 parts"):
        recalculate(GOOD)
    monkeypatch.undo()
    monkeypatch.setattr(package, "MOST_UNPACKED", 1000)
    with pytest.raises(UserError, match="it unpacks to"):
        recalculate(GOOD)


def test_external_links_are_not_followed(tmp_path: Path) -> None:
    links = parts_of(GOOD)["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>", b'<Relationship Id="rIdX" Type="t/externalLink" TargetMode="External" '
        b'Target="file:///etc/passwd"/></Relationships>')
    done = recalculate(with_part("xl/_rels/workbook.xml.rels", links))
    assert not done.warnings


# --- writing -------------------------------------------------------------------------------

def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.xlsx"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.xlsx", tmp_path / "link.xlsx"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_file(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_failure_on_the_way_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises(InputError, match="No space left on device"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.xlsx"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is killed as POSIX knows it")
@pytest.mark.parametrize("step", range(1, 9))
def test_killed_at_every_step_either_file_is_whole(tmp_path: Path, step: int) -> None:
    """The process dies before its step-th call to the system, as by kill -9."""
    path = tmp_path / "a.xlsx"
    old, new = b"old" * 100_000, b"new" * 100_000
    path.write_bytes(old)
    child = os.fork()
    if not child:
        count = 0

        def die(event: str, _arguments: tuple[object, ...]) -> None:
            nonlocal count
            count += event in ("open", "os.chmod", "os.rename", "os.remove", "tempfile.mkstemp")
            if count >= step:
                os._exit(9)

        real = os.fsync

        def fsync(handle: int) -> None:
            die("open", ())
            real(handle)

        os.fsync = fsync
        sys.addaudithook(die)
        write_file(path, new)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    finished = os.waitstatus_to_exitcode(status) == 0
    assert path.read_bytes() in ((new,) if finished else (old, new))
    assert step > 1 or path.read_bytes() == old


def test_text_that_begins_like_a_formula_is_written_as_text() -> None:
    """From names of assets, and answers that repeat them."""
    evil = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "{=1}", "'=1"]
    cells: dict[str, float | str | bool | F | None] = {"Q1": F("A1&A6")}
    for row, name in enumerate(evil, start=1):
        cells[f"A{row}"], cells[f"B{row}"] = name, 1 / len(evil)
        cells[f"{'GHIJKLMN'[row - 1]}1"] = cells[f"F{row + 1}"] = name
        for at, letter in enumerate("GHIJKLMN", start=1):
            cells[f"{letter}{row + 1}"] = 0.04 if at == row else 0.0
    cells["D1"] = F("PORTBAL.IMPLIEDRETURNS(A1:B8,PORTBAL.STRESSCORRELATION(F1:N9,0.5))", None,
                    "D1")
    done = recalculate(workbook(cells))
    assert not done.problems
    values = stored(done.bytes)
    assert [values[f"D{row}"] for row in range(2, 10)] == [text.strip() for text in evil]
    assert values["Q1"] == "=1+1=cmd|' /C calc'!A0"
    assert set(formulas(done.bytes)) == {"D1", "Q1"}


def test_the_engine_has_a_limit_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MEMORY", 250)
    with pytest.raises(UserError, match="broke off"):
        recalculate(workbook({"A1": F('SUM(LEN(REPT("x",30000)&SEQUENCE(20000)))', None, "A1")}))


def test_places_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_file(tmp_path / "none.xlsx")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_file(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        write_file(tmp_path / "no" / "such" / "place.xlsx", b"")
