"""The process in which IronCalc evaluates native formulas; it can be stopped at any time.

Run as a script. Messages are lengths and marshalled values on standard input and output:

    (name, *arguments)  ->  answer

Sheets, rows and columns are numbers; rows and columns count from 1. A value is None, a bool, a
float, a text, or (text,) for an error.
"""

from __future__ import annotations

import marshal
import struct
import sys
from typing import Any, BinaryIO

from ironcalc import CellType, WorkbookError, create

_LENGTH = struct.Struct("<Q")


class Book:
    def __init__(self, sheets: list[str]) -> None:
        self._model = create("workbook", "en", "UTC", "en")
        self._model.rename_sheet(0, sheets[0])
        for name in [*sheets[1:], "portbal sizes"]:
            self._model.add_sheet(name)
        self._sizes = len(sheets)
        self._spills: dict[tuple[int, int, int], int] = {}

    def values(self, sheet: int, cells: list[tuple[int, int, Any]]) -> None:
        """Write constants; None clears a cell."""
        model = self._model
        number, text = model.update_cell_with_number, model.update_cell_with_text
        for row, column, value in cells:
            kind = type(value)
            if kind is float:
                number(sheet, row, column, value)
            elif kind is str:
                text(sheet, row, column, value)
            elif kind is bool:
                model.update_cell_with_bool(sheet, row, column, value)
            elif value is None:
                model.clear_cell_contents(sheet, row, column)
            else:
                model.set_user_input(sheet, row, column, value[0])

    def clear(self, sheet: int, areas: list[tuple[int, int, int, int]]) -> None:
        """Empty these areas: top, left, bottom, right. A spill goes with its anchor."""
        for top, left, bottom, right in areas:
            self._model.range_clear_contents(sheet, top, left, bottom, right)

    def formulas(self, sheet: int, cells: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
        """Write formulas; the cells whose formula the engine refuses."""
        refused = []
        put = self._model.set_user_input
        for row, column, text in cells:
            try:
                put(sheet, row, column, text)
            except WorkbookError:
                refused.append((row, column))
        return refused

    def spilling(self, sheet: int, cells: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
        """Write formulas whose spills are read with them."""
        refused = self.formulas(sheet, cells)
        for row, column, _ in cells:
            if (sheet, row, column) not in self._spills:
                self._watch(sheet, row, column)
        return refused

    def _watch(self, sheet: int, row: int, column: int) -> None:
        at = self._spills[sheet, row, column] = len(self._spills) + 1
        name = self._model.get_worksheets_properties()[sheet]["name"].replace("'", "''")
        anchor = f"'{name}'!{_letters(column)}{row}"
        for place, function in ((1, "ROWS"), (2, "COLUMNS")):
            self._model.set_user_input(self._sizes, at, place, f"={function}({anchor}#)")

    def fixed(
        self, sheet: int, cells: list[tuple[int, int, int, int, str]]
    ) -> list[tuple[int, int]]:
        """Write array formulas that fill so many rows and columns."""
        refused = []
        for row, column, height, width, text in cells:
            try:
                self.clear(sheet, [(row, column, row + height - 1, column + width - 1)])
                self._model.set_user_array_formula(sheet, row, column, width, height, text)
            except WorkbookError:
                refused.append((row, column))
        return refused

    def evaluate(self) -> None:
        self._model.evaluate()

    def read(self, sheet: int, cells: list[tuple[int, int]]) -> list[Any]:
        return [self._value(sheet, row, column) for row, column in cells]

    def spills(self, anchors: list[tuple[int, int, int]]) -> list[list[list[Any]]]:
        """The rows that spill from each of these cells; at least the cell itself."""
        found = []
        for anchor in anchors:
            sheet, row, column = anchor
            at = self._spills[anchor]
            size = [self._model.get_cell_value(self._sizes, at, place) for place in (1, 2)]
            height, width = (int(n) if isinstance(n, float) else 1 for n in size)
            found.append([[self._value(sheet, row + down, column + right)
                           for right in range(width)] for down in range(height)])
        return found

    def filled(self) -> list[tuple[int, int, int]]:
        """Every cell that is not empty."""
        return self._model.get_all_cells()

    def _value(self, sheet: int, row: int, column: int) -> Any:
        value = self._model.get_cell_value(sheet, row, column)
        if isinstance(value, str) and value.startswith("#"):
            kind = self._model.get_cell_type(sheet, row, column)
            return (value,) if kind == CellType.ErrorValue else value
        return value


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    size = megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def serve(source: BinaryIO, target: BinaryIO) -> None:
    book: Book | None = None
    while header := source.read(_LENGTH.size):
        name, *arguments = marshal.loads(source.read(_LENGTH.unpack(header)[0]))
        if name == "book":
            book, answer = Book(*arguments), None
        else:
            answer = getattr(book, name)(*arguments)
        data = marshal.dumps(answer)
        target.write(_LENGTH.pack(len(data)) + data)
        target.flush()


if __name__ == "__main__":
    _limit_memory(int(sys.argv[1]))
    serve(sys.stdin.buffer, sys.stdout.buffer)
