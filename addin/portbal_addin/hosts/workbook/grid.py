"""The cells of a workbook while it is recalculated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from portbal_addin.block import Block, Cell, serial_of
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Area, Spot, area_of
from portbal_addin.hosts.workbook.workbook import Workbook, block_of

Rows = Sequence[Sequence[Value]]
NOT_AVAILABLE = ErrorText("#N/A")


class Grid:
    """values: by sheet, then row and column. spills: what each array formula fills now.
    unsent: values that the engine does not have yet, by sheet."""

    def __init__(self, workbook: Workbook, formulas: list[Formula]) -> None:
        self.date1904 = workbook.date1904
        self._sheets = workbook.sheets
        stored = [workbook.stored(number) for number in range(len(workbook.sheets))]
        self.values = [dict(sheet.values) for sheet in stored]
        self.unsent: dict[int, dict[tuple[int, int], Value]] = {}
        self.spills = {f.spot: f.ref for f in formulas if f.kind != "plain"}
        self._formulas = {formula.spot for formula in formulas}
        self._used = [(sheet.rows, sheet.columns) for sheet in stored]
        self._changes = [0] * len(stored)
        self._blocks: dict[Area, tuple[int, Block]] = {}
        self._taken = [
            area for number, sheet in enumerate(stored) for area in _areas(number, sheet.merged)
        ] + [table.area for table in workbook.names.tables.values()]

    def get(self, spot: Spot) -> Value:
        return self.values[spot.sheet].get((spot.row, spot.column))

    def put(self, spot: Spot, value: Value, *, send: bool) -> None:
        """A new value; with ``send`` the engine will hear of it."""
        cells = self.values[spot.sheet]
        at = (spot.row, spot.column)
        if same(cells.get(at), value):
            return
        if value is None:
            del cells[at]
        else:
            cells[at] = value
            rows, columns = self._used[spot.sheet]
            self._used[spot.sheet] = (max(rows, spot.row), max(columns, spot.column))
        self._changes[spot.sheet] += 1
        if send:
            self.unsent.setdefault(spot.sheet, {})[at] = value

    def fill(self, anchor: Spot, rows: Rows, *, send: bool) -> None:
        """The values of an array formula; what it filled before and fills no more is blank."""
        old = self.spills.get(anchor, Area.at(anchor))
        new = Area.at(anchor, len(rows), len(rows[0]))
        for spot in old.spots():
            if not new.holds(spot):
                self.put(spot, None, send=send)
        self.spills[anchor] = new
        for spot in new.spots():
            self.put(spot, rows[spot.row - new.top][spot.column - new.left], send=send)

    def block(self, area: Area) -> Block:
        """The cells of an area, as far as the sheet is used. The same area of an unchanged
        sheet gives the same block. InputError when there are too many."""
        changes = self._changes[area.sheet]
        kept = self._blocks.get(area)
        if kept is not None and kept[0] == changes:
            return kept[1]
        rows, columns = self._used[area.sheet]
        clamped = area._replace(bottom=min(area.bottom, rows), right=min(area.right, columns))
        block = block_of(self.values[area.sheet], clamped, self._sheets[area.sheet],
                         self.date1904)
        self._blocks[area] = (changes, block)
        return block

    def rows(self, block: Block) -> list[list[Value]]:
        """A result as values of cells."""
        return [[self._value(cell) for cell in row] for row in block.rows]

    def _value(self, cell: Cell) -> Value:
        if isinstance(cell, bool) or cell is None or type(cell) is str:
            return cell
        if isinstance(cell, dt.date):
            return serial_of(cell, self.date1904)
        return str(cell) if isinstance(cell, str) else float(cell)

    def blocker(self, area: Area, anchor: Spot) -> str | None:
        """Why a spill cannot fill an area: a phrase that names the cell in its way."""
        if not area.fits:
            return "it would leave the sheet"
        own = self.spills.get(anchor, Area.at(anchor))
        cells = self.values[area.sheet]
        for spot in area.spots():
            if spot == anchor:
                continue
            taken = (spot.row, spot.column) in cells and not own.holds(spot)
            if taken or spot in self._formulas:
                return f"{Area.at(spot).text} is not empty"
        for taken_area in self._taken:
            if taken_area.meets(area) and not taken_area.holds(anchor):
                return f"{taken_area.text} is a table or a merged cell"
        if not area.is_cell and any(taken.holds(anchor) for taken in self._taken):
            return "it stands in a table or a merged cell"
        return None


def _areas(sheet: int, texts: Iterable[str]) -> list[Area]:
    found = []
    for text in texts:
        try:
            found.append(area_of(sheet, text))
        except ValueError:
            continue
    return found


def same(one: Value, other: Value) -> bool:
    """The same value of the same type."""
    return type(one) is type(other) and one == other


def fitted(rows: Rows, height: int, width: int) -> list[list[Value]]:
    """Rows as an array formula of fixed size shows them: one row or column is repeated, what
    is missing is #N/A."""
    def at(row: int, column: int) -> Value:
        row = 0 if len(rows) == 1 else row
        column = 0 if len(rows[0]) == 1 else column
        inside = row < len(rows) and column < len(rows[0])
        return rows[row][column] if inside else NOT_AVAILABLE

    return [[at(row, column) for column in range(width)] for row in range(height)]
