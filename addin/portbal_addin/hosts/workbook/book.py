"""A workbook file as ribbon commands see it, and their changes written into the file.

Cells are patched where they stand. A new sheet or name adds to the parts that list sheets and
names; every other part stays byte for byte as it was.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from functools import cached_property

from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.labels import key, shorten
from portbal_addin.block import Block, Cell, is_error, serial_of
from portbal_addin.book import AddSheet, Area, DefineName, PutCells, PutFormula, Write
from portbal_addin.hosts.workbook import references
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.markup import encoded, local, parse, parser
from portbal_addin.hosts.workbook.names import shifted
from portbal_addin.hosts.workbook.package import links_of
from portbal_addin.hosts.workbook.patch import Update, patched
from portbal_addin.hosts.workbook.references import quoted
from portbal_addin.hosts.workbook.sheet import StoredFormula
from portbal_addin.hosts.workbook.workbook import Workbook

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_NEW_SHEET = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    f'<worksheet xmlns="{_MAIN}"><dimension ref="A1"/><sheetViews><sheetView workbookViewId="0"/>'
    '</sheetViews><sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="40" width="16" '
    'customWidth="1"/></cols><sheetData/></worksheet>'
).encode()
_TIME = (1980, 1, 1, 0, 0, 0)


class FileBook:
    """The Book of an .xlsx or .xlsm file."""

    def __init__(self, data: bytes, name: str) -> None:
        """InputError or NotAvailable when this is no workbook that can be read."""
        self.data = data
        self._name = name
        self._workbook = Workbook.read(data)

    @property
    def name(self) -> str:
        return self._name

    def sheets(self) -> tuple[str, ...]:
        return self._workbook.sheets

    def find(self, name: str) -> Area | None:
        names = self._workbook.names
        text = names.defined.get((name.casefold(), None))
        table = names.tables.get(name.casefold())
        if text is not None:
            try:
                area = self._workbook.find(name)
            except (InputError, NotAvailable) as error:
                raise InputError(
                    f"the name {shorten(name)} stands for no range of cells ({error.problem})",
                    fix="Let it refer to a range, such as =Sheet1!$A$1:$C$40.",
                ) from None
            return self._area(area, is_table=False)
        return None if table is None else self._area(table.area, is_table=True)

    def used(self, sheet: str) -> Area | None:
        stored = self._workbook.stored(self._number(sheet))
        if not stored.values and not stored.formulas:
            return None
        return Area(sheet, 1, 1, stored.rows, stored.columns)

    def block(self, area: Area) -> Block:
        return self._workbook.block(self._inner(area))

    def formulas(self, area: Area) -> tuple[tuple[str, ...], ...]:
        texts = self._texts[self._number(area.sheet)]
        block = self.block(area)
        return tuple(
            tuple(texts.get((area.row + down, area.column + right), "")
                  for right in range(block.width))
            for down in range(block.height)
        )

    def after(self, writes: Iterable[Write]) -> FileBook:
        """The workbook with these written; nothing is calculated. A value is not written over
        a formula: ConflictError."""
        result = self
        for group in _groups(writes):
            result = FileBook(result._written(group), self._name)
        return result

    # --- places ------------------------------------------------------------------------------

    def _number(self, sheet: str) -> int:
        for number, name in enumerate(self._workbook.sheets):
            if key(name) == key(sheet):
                return number
        raise InputError(f"there is no sheet {shorten(sheet)}", fix="Give it its old name.")

    def _area(self, area: references.Area, *, is_table: bool) -> Area:
        return Area(self._workbook.sheets[area.sheet], area.top, area.left, area.height,
                    area.width, is_table)

    def _inner(self, area: Area) -> references.Area:
        return references.Area(self._number(area.sheet), area.row, area.column,
                               area.row + area.height - 1, area.column + area.width - 1)

    @cached_property
    def _texts(self) -> list[dict[tuple[int, int], str]]:
        """The formulas of every sheet by row and column, with their equals sign."""
        return [dict(_formula_texts(self._workbook.stored(number).formulas))
                for number in range(len(self._workbook.sheets))]

    # --- writing -----------------------------------------------------------------------------

    def _written(self, group: list[Write]) -> bytes:
        first = group[0]
        if isinstance(first, AddSheet):
            return self._with_sheet(first)
        if isinstance(first, DefineName):
            return self._with_name(first)
        changed: dict[str, bytes] = {}
        if isinstance(first, PutFormula):
            by_sheet: dict[int, dict[tuple[int, int], str]] = {}
            for write in group:
                assert isinstance(write, PutFormula)
                spot = (write.area.row, write.area.column)
                by_sheet.setdefault(self._number(write.area.sheet), {})[spot] = write.formula[1:]
            for number, texts in by_sheet.items():
                part = self._workbook.parts[number]
                changed[part] = _with_formulas(self._workbook.package.read(part), texts, part)
        else:
            for number, updates in self._updates(group).items():
                part = self._workbook.parts[number]
                changed[part] = patched(self._workbook.package.read(part), updates, part)
        return self._workbook.package.replaced(changed)

    def _updates(self, group: list[Write]) -> dict[int, dict[tuple[int, int], Update]]:
        found: dict[int, dict[tuple[int, int], Update]] = {}
        for write in group:
            assert isinstance(write, PutCells)
            number = self._number(write.area.sheet)
            values = self._workbook.stored(number).values
            for down, row in enumerate(write.rows):
                for right, cell in enumerate(row):
                    spot = (write.area.row + down, write.area.column + right)
                    if spot in self._texts[number]:
                        raise ConflictError(
                            f"{write.area.address.cell(down, right)} is a formula",
                            fix="Move the formula, or name another range.",
                        )
                    value = self._value(cell)
                    if values.get(spot) != value or type(values.get(spot)) is not type(value):
                        found.setdefault(number, {})[spot] = Update(value)
        return found

    def _value(self, cell: Cell) -> Value:
        if cell is None or isinstance(cell, bool):
            return cell
        if isinstance(cell, (int, float)):
            return float(cell)
        if isinstance(cell, str):
            return ErrorText(cell) if is_error(cell) else cell
        return serial_of(cell, self._workbook.date1904)

    def _with_sheet(self, write: AddSheet) -> bytes:
        package, main = self._workbook.package, self._workbook.main
        root, links = package.read(main).decode(), package.read(links_of(main)).decode()
        types = package.read("[Content_Types].xml").decode()
        folder = main.rpartition("/")[0]
        number = 1
        while f"{folder}/worksheets/portbal{number}.xml".casefold() in types.casefold():
            number += 1
        part = f"worksheets/portbal{number}.xml"
        identifier = f"rIdPortbal{number}"
        sheet_id = max(map(int, re.findall(r'\bsheetId="(\d+)"', root)), default=0) + 1
        state = ' state="veryHidden"' if write.hidden else ""
        prefix = _prefix(root, "sheets")
        r = _link_prefix(root)
        sheet = (f'<{prefix}sheet name="{_attribute(write.name)}" sheetId="{sheet_id}"{state} '
                 f'{r}:id="{identifier}"/>')
        changed = {
            main: root.replace(f"</{prefix}sheets>", f"{sheet}</{prefix}sheets>", 1),
            links_of(main): links.replace(
                "</Relationships>",
                f'<Relationship Id="{identifier}" Type="{_LINKS}/worksheet" Target="{part}"/>'
                "</Relationships>", 1),
            "[Content_Types].xml": types.replace(
                "</Types>", f'<Override PartName="/{folder}/{part}" ContentType="{_SHEET_TYPE}"/>'
                "</Types>", 1),
        }
        for name, text in changed.items():
            if text == package.read(name).decode():
                raise NotAvailable(f"its part {name} is written in an unusual way",
                                   fix="Save the workbook again.")
        data = package.replaced({name: text.encode() for name, text in changed.items()})
        return _with_part(data, f"{folder}/{part}", _NEW_SHEET)

    def _with_name(self, write: DefineName) -> bytes:
        package, main = self._workbook.package, self._workbook.main
        root = package.read(main).decode()
        prefix = _prefix(root, "sheets")
        area = write.area
        if key(area.sheet) not in {key(name) for name in self.sheets()}:
            raise InputError(f"there is no sheet {shorten(area.sheet)}", fix="Add it first.")
        reference = f"{quoted(area.sheet)}!{_absolute(area)}"
        tag = (f'<{prefix}definedName name="{_attribute(write.name)}">{encoded(reference)}'
               f"</{prefix}definedName>")
        old = re.compile(
            rf'(<{prefix}definedName(?=[^>]*\sname="{re.escape(_attribute(write.name))}")'
            rf"(?![^>]*\slocalSheetId=)[^>]*>)[^<]*(</{prefix}definedName>)", re.IGNORECASE)
        if old.search(root):
            changed = old.sub(lambda found: found[1] + encoded(reference) + found[2], root, count=1)
        elif f"</{prefix}definedNames>" in root:
            changed = root.replace(f"</{prefix}definedNames>", f"{tag}</{prefix}definedNames>", 1)
        else:
            names = f"<{prefix}definedNames>{tag}</{prefix}definedNames>"
            before = re.search(
                rf"</{prefix}sheets>(?:\s*<{prefix}(functionGroups|externalReferences)\b"
                rf"(?:[^>]*/>|.*?</{prefix}\1>))*", root, re.DOTALL)
            if before is None:
                raise NotAvailable(f"its part {main} is written in an unusual way",
                                   fix="Save the workbook again.")
            changed = root[:before.end()] + names + root[before.end():]
        return package.replaced({main: changed.encode()})


def _groups(writes: Iterable[Write]) -> Iterable[list[Write]]:
    """Successive writes of cells, or of formulas, together; each other one by itself."""
    group: list[Write] = []
    for write in writes:
        joins = isinstance(write, (PutCells, PutFormula)) and group and type(
            group[0]) is type(write)
        if not joins and group:
            yield group
            group = []
        group.append(write)
    if group:
        yield group


def _formula_texts(formulas: list[StoredFormula]) -> Iterable[tuple[tuple[int, int], str]]:
    """A follower of a shared formula has that formula, moved."""
    masters = {f.shared: f for f in formulas if f.kind == "shared" and f.text}
    for formula in formulas:
        text = formula.text
        if not text and formula.shared in masters:
            master = masters[formula.shared]
            text = shifted(master.text, formula.row - master.row, formula.column - master.column)
        yield (formula.row, formula.column), f"={text}"


def _absolute(area: Area) -> str:
    corners = area.text.rpartition("!")[2].split(":")
    return ":".join(re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", corner) for corner in corners)


def _prefix(root: str, name: str) -> str:
    match = re.search(rf"<((?:[\w.-]+:)?){name}[\s>/]", root)
    return match[1] if match else ""


def _link_prefix(root: str) -> str:
    """The prefix under which this part knows the ids of links."""
    match = re.search(rf'xmlns:([\w.-]+)="{re.escape(_LINKS)}"', root)
    if match is None:
        raise NotAvailable("its list of sheets is written in an unusual way",
                           fix="Save the workbook again.")
    return match[1]


def _attribute(text: str) -> str:
    return encoded(text).replace('"', "&quot;")


def _with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The zip file with one more part at its end."""
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive:
        info = zipfile.ZipInfo(name, _TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
    return stream.getvalue()


def _with_formulas(data: bytes, texts: dict[tuple[int, int], str], part: str) -> bytes:
    """The sheet part with other texts in these formulas; their values stay."""
    edits: list[tuple[int, int, bytes]] = []
    made = parser(part)
    state = {"row": 0, "column": 0, "start": -1}

    def start(name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if name == "row":
            state["row"] = int(attributes.get("r", state["row"] + 1))
            state["column"] = 0
        elif name == "c":
            at = attributes.get("r")
            if at is None:
                state["column"] += 1
            else:
                state["row"], state["column"] = references.cell_numbers(at)
        elif name == "f":
            state["start"] = made.CurrentByteIndex

    def end(name: str) -> None:
        if local(name) != "f" or (state["row"], state["column"]) not in texts:
            return
        begin = state["start"]
        stop = data.index(b">", begin) + 1
        tag = data[begin:stop]
        word = tag[1:].split()[0].rstrip(b"/>")
        if tag.endswith(b"/>"):  # a follower of a shared formula, which now has its own
            tag = b"<" + word + b">"
            close = stop
        else:
            close = data.index(b">", made.CurrentByteIndex) + 1
        text = encoded(texts[state["row"], state["column"]]).encode()
        edits.append((begin, close, tag + text + b"</" + word + b">"))

    made.StartElementHandler, made.EndElementHandler = start, end
    parse(made, data, part)
    pieces, at = [], 0
    for begin, close, text in edits:
        pieces += [data[at:begin], text]
        at = close
    return b"".join([*pieces, data[at:]])
