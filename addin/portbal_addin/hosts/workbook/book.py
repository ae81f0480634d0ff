"""A workbook file as ribbon commands see it, and their changes written into the file.

Cells are patched where they stand. A new sheet or name adds to the parts that list sheets and
names; every other part stays byte for byte as it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.labels import key, shorten
from portbal_addin import journal_file
from portbal_addin.block import Block, Cell, is_error, serial_of
from portbal_addin.book import (
    FILLED,
    AddSheet,
    Area,
    DefineName,
    Kept,
    PutCells,
    PutFormula,
    Write,
)
from portbal_addin.hosts.workbook import references
from portbal_addin.hosts.workbook.additions import with_formulas, with_name, with_sheet
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.names import shifted
from portbal_addin.hosts.workbook.patch import Update, patched
from portbal_addin.hosts.workbook.sheet import StoredFormula
from portbal_addin.hosts.workbook.workbook import Workbook, block_of


class FileBook:
    """The Book of an .xlsx or .xlsm file."""

    def __init__(
        self, data: bytes, name: str, remarks: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """InputError or NotAvailable when this is no workbook that can be read. remarks: cell
        and text of the notes of its recalculation."""
        self.data = data
        self._name = name
        self._remarks = remarks
        self._workbook = Workbook.read(data)
        self._formulas: dict[int, dict[tuple[int, int], str]] = {}

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
        inner = self._inner(area)
        if area.height >= references.LAST_ROW or area.width >= references.LAST_COLUMN:
            return self._workbook.block(inner)
        stored = self._workbook.stored(inner.sheet)
        return block_of(stored.values, inner, self._workbook.sheets[inner.sheet],
                        self._workbook.date1904)

    def formulas(self, area: Area) -> tuple[tuple[str, ...], ...]:
        texts = self._texts(self._number(area.sheet))
        block = self.block(area)
        return tuple(
            tuple(texts.get((area.row + down, area.column + right), "")
                  for right in range(block.width))
            for down in range(block.height)
        )

    def remarks(self) -> tuple[tuple[str, str], ...]:
        return self._remarks

    def kept(self) -> Kept:
        path = journal_file.default_path()
        return Kept(str(path), journal_file.read(path))

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

    def _texts(self, number: int) -> dict[tuple[int, int], str]:
        """The formulas of a sheet by row and column, with their equals sign."""
        if number not in self._formulas:
            formulas = self._workbook.stored(number).formulas
            self._formulas[number] = {**dict(_filled(formulas)), **dict(_formula_texts(formulas))}
        return self._formulas[number]

    # --- writing -----------------------------------------------------------------------------

    def _written(self, group: list[Write]) -> bytes:
        first = group[0]
        package, main = self._workbook.package, self._workbook.main
        if isinstance(first, AddSheet):
            return with_sheet(package, main, first)
        if isinstance(first, DefineName):
            self._number(first.area.sheet)
            return with_name(package, main, first)
        changed: dict[str, bytes] = {}
        if isinstance(first, PutFormula):
            by_sheet: dict[int, dict[tuple[int, int], str]] = {}
            for write in group:
                assert isinstance(write, PutFormula)
                spot = (write.area.row, write.area.column)
                by_sheet.setdefault(self._number(write.area.sheet), {})[spot] = write.formula[1:]
            for number, texts in by_sheet.items():
                part = self._workbook.parts[number]
                changed[part] = with_formulas(self._workbook.package.read(part), texts, part)
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
            values, texts = self._workbook.stored(number).values, self._texts(number)
            for down, row in enumerate(write.rows):
                for right, cell in enumerate(row):
                    spot = (write.area.row + down, write.area.column + right)
                    if spot in texts:
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


def _filled(formulas: list[StoredFormula]) -> Iterable[tuple[tuple[int, int], str]]:
    """The cells that array formulas fill."""
    for formula in formulas:
        if formula.kind == "array" and formula.ref:
            for spot in references.area_of(0, formula.ref).spots():
                yield (spot.row, spot.column), FILLED
