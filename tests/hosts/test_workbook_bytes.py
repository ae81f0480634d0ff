"""What is no computed value stays byte for byte; what is written is well formed."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlsxwriter import Workbook as Writer

from hosts.workbook_files import MAIN, F, formulas, parts_of, stored, workbook, zipped
from portbal.errors import NotAvailable
from portbal_addin.hosts.workbook import read_values, recalculate
from portbal_addin.hosts.workbook.engine import ErrorText
from portbal_addin.hosts.workbook.patch import Update, patched

SHEET = (
    b'<?xml version="1.0" encoding="UTF-8"?>\r\n<worksheet xmlns="m"><!-- kept --><dimension '
    b'ref="A1:B2"/><cols><col min="3" max="4" style="7"/></cols><sheetData>\n'
    b'<row r="1" spans="1:2" x="&gt;>"><c r="A1" s="3" t="s"><v>0</v></c>'
    b'<c r="B1" cm="1" vm="2"><f t="array" ref="B1:B2">X("&gt;")</f><v>1</v><extLst a="1"/></c>'
    b'</row><row r="4" s="5" customFormat="1"/>'
    b"<row r='6'><c r='B6' s='2'/><c r=\"D6\"><v>4</v></c></row></sheetData><tail/></worksheet>"
)


@pytest.mark.parametrize(("spot", "update", "old", "new"), [
    ((1, 1), Update(2.5), b's="3" t="s"><v>0</v></c>', b's="3"><v>2.5</v></c>'),
    ((1, 1), Update(None), b's="3" t="s"><v>0</v></c>', b's="3"/>'),
    ((1, 1), Update("a<b"), b't="s"><v>0</v></c>', b't="inlineStr"><is><t>a&lt;b</t></is></c>'),
    ((1, 2), Update("x", "B1:C3"),
     b'cm="1" vm="2"><f t="array" ref="B1:B2">X("&gt;")</f><v>1</v>',
     b'cm="1" t="str"><f t="array" ref="B1:C3">X("&gt;")</f><v>x</v>'),
    ((6, 2), Update(True), b"<c r='B6' s='2'/>", b"<c r='B6' s='2' t=\"b\"><v>1</v></c>"),
    ((6, 4), Update(ErrorText("#SPILL!")), b'"D6"><v>4', b'"D6" t="e"><v>#VALUE!'),
    ((6, 3), Update(1e-7), b'<c r="D6">', b'<c r="C6" s="7"><v>1e-07</v></c><c r="D6">'),
    ((4, 2), Update(1.0), b'<row r="4" s="5" customFormat="1"/>',
     b'<row r="4" s="5" customFormat="1"><c r="B4" s="5"><v>1</v></c></row>'),
    ((5, 1), Update(1.0), b"<row r='6'>",
     b'<row r="5"><c r="A5"><v>1</v></c></row>' b"<row r='6'>"),
    ((7, 7), Update(None), b"", b""),
])
def test_only_the_cell_changes(
    spot: tuple[int, int], update: Update, old: bytes, new: bytes
) -> None:
    changed = patched(SHEET, {spot: update}, "sheet")
    size = re.compile(rb'<dimension ref="[^"]*"/>')
    assert size.sub(b"", changed) == size.sub(b"", SHEET.replace(old, new, 1))


def test_dimension_and_spans_grow() -> None:
    changed = patched(SHEET, {(1, 5): Update(1.0), (9, 1): Update("z")}, "sheet")
    assert b'<dimension ref="A1:E9"/>' in changed
    assert b'<row r="1" spans="1:5"' in changed
    assert changed.endswith(b'<row r="9"><c r="A9" t="inlineStr"><is><t>z</t></is></c></row>'
                            b"</sheetData><tail/></worksheet>")


@pytest.mark.parametrize("data", [
    b"<worksheet><sheetData/></worksheet>",
    b'\xef\xbb\xbf<?xml version="1.0"?><w:worksheet xmlns:w="m"><w:sheetData></w:sheetData>'
    b"</w:worksheet>",
    b'<x:worksheet xmlns:x="m"><x:sheetData><x:row r="2"/></x:sheetData></x:worksheet>',
    b"<worksheet><sheetData><row><c/><c/></row><row><c/></row></sheetData></worksheet>",
])
def test_unusual_sheets(data: bytes) -> None:
    changed = patched(data, {(2, 1): Update("a"), (3, 2): Update(1.0)}, "sheet")
    root = ElementTree.fromstring(changed.removeprefix(b"\xef\xbb\xbf"))
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert (names.count("is"), names.count("v")) == (1, 1)
    assert len({element.tag.partition("}")[0] for element in root.iter()
                if "}" in element.tag}) <= 1


def test_a_sheet_that_is_not_in_utf8_is_refused() -> None:
    with pytest.raises(NotAvailable, match="UTF-8"):
        patched('<?xml version="1.0" encoding="ISO-8859-1"?><w/>'.encode("latin-1"),
                {(1, 1): Update(1.0)}, "sheet")


VALUES = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["=1+1", "_x000D_", "]]>", "\x01", "\ufffe", " pad ", "a\r\nb", "'", "&amp;"]),
)


@given(st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 6)), VALUES, max_size=20))
def test_what_is_written_is_read_again(values: dict[tuple[int, int], object]) -> None:
    """Cells in order, rows in order, no cell twice, and the same values by our own reader."""
    from portbal_addin.hosts.workbook.sheet import read_sheet

    changed = patched(SHEET, {spot: Update(value) for spot, value in values.items()}, "sheet")
    root = ElementTree.fromstring(changed)
    rows = [int(row.attrib["r"]) for row in root.iter("{m}row")]
    assert rows == sorted(set(rows))
    for row in root.iter("{m}row"):
        cells = [cell.attrib["r"] for cell in row.iter("{m}c")]
        assert cells == sorted(set(cells))
        assert all(cell.lstrip("ABCDEFG") == row.attrib["r"] for cell in cells)
    read = read_sheet(changed, "sheet", ["shared"], False).values
    for spot, value in values.items():
        assert read.get(spot) == (value if value != "" else read.get(spot, None))
    assert set(read) - set(values) == {(1, 1), (1, 2), (6, 4)} - set(values)


# --- a workbook with everything that a library can put in ------------------------------------

@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("rich") / "rich.xlsx"
    book = Writer(str(path))
    sheet, calc = book.add_worksheet("Prices"), book.add_worksheet("The 'calc' page")
    chartsheet = book.add_chartsheet("Chart")
    bold = book.add_format({"bold": True, "num_format": "0.00%"})
    sheet.add_table("A1:C4", {"name": "Prices", "columns": [
        {"header": "Date"}, {"header": "A"}, {"header": "B"}], "data": [
            [45000, 100, 50], [45001, 110, 55], [45002, 121, 44]]})
    sheet.write_comment("A1", "A comment")
    calc.set_column("D:F", 12, bold)
    calc.write_dynamic_array_formula("A1", "=PORTBAL.RETURNS(Prices[#All])", bold)
    calc.write_formula("F1", "=ROUND(PORTBAL.VAR(PORTBAL.RETURNS(Prices!B1:B4))*100,2)", bold)
    calc.write_formula("F2", "=SUM(Growth)*2")
    calc.write_dynamic_array_formula("H1", "=_xlfn._xlws.SORT(Prices[[A]:[B]])")
    calc.conditional_format("A1:C9", {"type": "3_color_scale"})
    calc.data_validation("J1", {"validate": "list", "source": ["a", "b"]})
    calc.insert_textbox("L1", "words")
    calc.write_rich_string("K1", "plain ", bold, "bold")
    calc.merge_range("K3:L3", "merged", bold)
    calc.add_sparkline("M1", {"range": "Prices!B2:B4"})
    calc.protect()
    book.define_name("Growth", "='The ''calc'' page'!$B$2:$C$3")
    for target in (calc, chartsheet):
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Prices!$B$2:$B$4"})
        if target is calc:
            target.insert_chart("N1", chart)
        else:
            target.set_chart(chart)
    book.close()
    return path.read_bytes()


def test_every_other_part_stays(rich: bytes) -> None:
    done = recalculate(rich)
    assert not done.problems
    assert not done.warnings
    before, after = parts_of(rich), parts_of(done.bytes)
    assert list(before) == list(after)
    assert [name for name in before if before[name] != after[name]] == ["xl/worksheets/sheet2.xml"]
    values = stored(done.bytes, 2)
    assert values["B3"] == pytest.approx(0.1)
    assert values["F1"] == -10.0
    assert values["F2"] == pytest.approx(0.2)
    assert formulas(done.bytes, 2)["A1"][1] == "A1:C3"
    assert formulas(done.bytes, 2)["H1"][1] == "H1:I3"


def test_within_a_sheet_only_cells_and_its_size_change(rich: bytes) -> None:
    part = "xl/worksheets/sheet2.xml"
    before, after = parts_of(rich)[part], parts_of(recalculate(rich).bytes)[part]
    outside = re.compile(rb"<sheetData>.*</sheetData>|<dimension[^>]*>", re.DOTALL)
    assert outside.sub(b"", before) == outside.sub(b"", after)
    root = ElementTree.fromstring(after)
    styles = {cell.attrib["r"]: cell.get("s") for cell in root.iter(f"{{{MAIN}}}c")}
    assert styles["A1"] == styles["F1"]
    assert styles["B3"] is None
    assert all(formulas(rich, 2)[cell][0] == text
               for cell, (text, _) in formulas(recalculate(rich).bytes, 2).items())


def test_the_zip_is_the_same_each_time(rich: bytes) -> None:
    one, two = recalculate(rich).bytes, recalculate(rich).bytes
    assert one == two
    with zipfile.ZipFile(io.BytesIO(rich)) as old, zipfile.ZipFile(io.BytesIO(one)) as new:
        for before, after in zip(old.infolist(), new.infolist(), strict=True):
            assert (before.filename, before.date_time, before.compress_type) == (
                after.filename, after.date_time, after.compress_type)


def test_nothing_to_do_gives_the_same_file() -> None:
    data = workbook({"A1": 1.0, "B1": F("A1+1", 2.0)})
    assert recalculate(data).bytes == data
    plain = workbook({"A1": 1.0})
    assert recalculate(plain).bytes == plain


def test_macros_and_unknown_parts_are_carried_along(tmp_path: Path) -> None:
    parts = parts_of(workbook({"B1": F("1+1")}, extra={
        "xl/vbaProject.bin": bytes(range(256)), "custom/strange.xml": b"<not xml"}))
    done = recalculate(zipped(parts))
    after = parts_of(done.bytes)
    assert stored(done.bytes)["B1"] == 2.0
    assert all(after[name] == parts[name] for name in parts if "sheet1" not in name)


def test_reading_values(rich: bytes) -> None:
    done = recalculate(rich).bytes
    assert read_values(done, "Growth").rows[1] == (pytest.approx(0.1), pytest.approx(-0.2))
    assert read_values(done, "Prices").rows[0] == (45000.0, 100.0, 50.0)
    assert read_values(done, "Prices[#All]").rows[0] == ("Date", "A", "B")
    cell = read_values(done, "'The ''calc'' page'!F1")
    assert (cell.rows, str(cell.address)) == (
        ((-10.0,),), 'Address(sheet="The \'calc\' page", row=1, column=6)')
    with pytest.raises(Exception, match="Did you mean 'growth'"):
        read_values(done, "Growht")
