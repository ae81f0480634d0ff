"""A rectangle of cells as a host reads or writes it, with its address.

A cell is one of

    None        blank (so is empty text)
    bool        TRUE or FALSE
    float, int  a number (a date may come as a serial number)
    str         text; an error cell is its text, such as ``#DIV/0!``
    datetime    a date, with or without a time

Rows and columns are counted from 1, as people count them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from portbal.labels import key

Cell = bool | float | int | str | dt.date | None
Rows = tuple[tuple[Cell, ...], ...]

ERRORS = frozenset(
    "#NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A #GETTING_DATA #SPILL! #CALC! #FIELD! "
    "#BLOCKED! #UNKNOWN! #CONNECT! #BUSY! #CIRC! #ERROR! #N/IMPL!".split()
)
_EPOCH_1900 = dt.datetime(1899, 12, 30)
_EPOCH_1904 = dt.datetime(1904, 1, 1)
_LAST_SERIAL = 2_958_466  # the day after 9999-12-31
PROBLEM_PREFIX = "#PORTBAL "


def is_blank(cell: Cell) -> bool:
    """True for a blank cell and for empty or white text."""
    return cell is None or (isinstance(cell, str) and not cell.replace("\u00a0", " ").strip())


def is_error(cell: Cell) -> bool:
    return isinstance(cell, str) and cell in ERRORS


def is_problem(cell: Cell) -> bool:
    """True for the text of a problem that another formula answered with."""
    return isinstance(cell, str) and cell.startswith(PROBLEM_PREFIX)


def label_text(cell: Cell) -> str:
    """A cell as a name: numbers as text without a decimal point they do not need."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        return f"{cell:.15g}"
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return "" if cell is None else cell.replace("\u00a0", " ").strip()


def date_of(cell: Cell, date1904: bool = False) -> dt.datetime | None:
    """A cell as a date: a datetime, ISO text, or a serial number of either epoch.

    None when it is none of these. The 1900 system counts a 29 February 1900 that never
    was, so its serials below 60 lie a day later than the rest suggest.
    """
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, dt.datetime):
        return cell if cell.tzinfo is None else cell.replace(tzinfo=None)
    if isinstance(cell, dt.date):
        return dt.datetime(cell.year, cell.month, cell.day)
    if isinstance(cell, str):
        try:
            return dt.datetime.fromisoformat(cell.strip()).replace(tzinfo=None)
        except ValueError:
            return None
    if not 0 <= cell < _LAST_SERIAL:
        return None
    if date1904:
        return _EPOCH_1904 + dt.timedelta(days=cell)
    if int(cell) in (0, 60):
        return None
    return _EPOCH_1900 + dt.timedelta(days=cell + (cell < 60))


def serial_of(day: dt.date, date1904: bool = False) -> float:
    """The serial number of a date in a workbook of that epoch."""
    moment = day if isinstance(day, dt.datetime) else dt.datetime(day.year, day.month, day.day)
    if date1904:
        return (moment - _EPOCH_1904) / dt.timedelta(days=1)
    serial = (moment - _EPOCH_1900) / dt.timedelta(days=1)
    return serial - 1 if serial < 61 else serial


def column_letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True)
class Address:
    """The top left cell of a range."""

    sheet: str
    row: int
    column: int

    def cell(self, down: int, right: int) -> str:
        """The address of the cell so far below and to the right: ``Prices!B4``."""
        plain = self.sheet.replace("_", "").isalnum() and not self.sheet[:1].isdigit()
        sheet = self.sheet if plain else "'" + self.sheet.replace("'", "''") + "'"
        return f"{sheet}!{column_letters(self.column + right)}{self.row + down}"


@dataclass(frozen=True)
class Block:
    """Immutable rows of equal length. ``top`` and ``left`` say how many blank rows and
    columns of what the user selected lie above and to the left of these rows, ``across``
    that they are the user's columns (a table that was laid out sideways)."""

    rows: Rows
    address: Address | None = None
    date1904: bool = False
    top: int = 0
    left: int = 0
    across: bool = False

    @classmethod
    def of(cls, value: Any, address: Address | None = None, *, date1904: bool = False) -> Block:
        """From one cell, one row of cells, or rows of cells; ValueError for ragged rows."""
        if not isinstance(value, (list, tuple)):
            return cls(((value,),), address, date1904)
        if not any(isinstance(row, (list, tuple)) for row in value):
            value = [value]
        if not all(isinstance(row, (list, tuple)) and len(row) == len(value[0]) for row in value):
            raise ValueError("the rows of a range have different lengths")
        rows: Rows = tuple(map(tuple, value))
        return cls(rows if rows[0] else ((None,),), address, date1904)

    @property
    def height(self) -> int:
        return len(self.rows)

    @property
    def width(self) -> int:
        return len(self.rows[0])

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        return iter(self.rows)

    @property
    def is_empty(self) -> bool:
        return all(is_blank(cell) for row in self.rows for cell in row)

    def place(self, row: int, column: int) -> tuple[int, int, str | None]:
        """Of the cell at 0-based (row, column) here: its 1-based row and column in what
        the user selected, and its address where that is known."""
        if self.across:
            row, column = column, row
        down, right = self.top + row, self.left + column
        cell = self.address.cell(down, right) if self.address else None
        return down + 1, right + 1, cell

    def first_text_that(self, test: Callable[[Cell], bool]) -> str | None:
        """The first text, row by row, for which ``test`` holds."""
        return next((text for text in self._texts if test(text)), None)

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        return tuple(cell for row in self.rows for cell in row if isinstance(cell, str))

    def find(self, row: object, column: object) -> tuple[int | None, int | None, str | None]:
        """Where a label or a 1-based row or column of this block lies: row, column, cell.

        A row label is looked for in the first column, then in the header; a column label
        in the header, then in the first column (data may lie across).
        """
        down = self._index(row, self._column(0), self.top)
        right = self._index(column, self.rows[0], self.left)
        if down is None and right is None:
            if isinstance(row, str):
                right = self._index(row, self.rows[0], self.left)
            elif isinstance(column, str):
                down = self._index(column, self._column(0), self.top)
        if down is None and right is None:
            return None, None, self.address.cell(0, 0) if self.address else None
        cell = self.address.cell((down or 1) - 1, (right or 1) - 1) if self.address else None
        return down, right, cell

    def _column(self, at: int) -> tuple[Cell, ...]:
        return tuple(row[at] for row in self.rows)

    def _index(self, wanted: object, cells: Sequence[Cell], offset: int) -> int | None:
        if wanted is None:
            return None
        if isinstance(wanted, int) and not isinstance(wanted, bool):
            return wanted
        name = key(wanted)
        day = wanted if isinstance(wanted, dt.datetime) else None
        for at, cell in enumerate(cells):
            if cell is None:
                continue
            if key(label_text(cell)) == name:
                return offset + at + 1
            if day is not None and date_of(cell, self.date1904) == day:
                return offset + at + 1
        return None

    def part(self, top: int, left: int, width: int | None = None) -> Block:
        """The part that starts so far down and to the right."""
        stop = None if width is None else left + width
        rows = self.rows[top:]
        if left or stop is not None:
            rows = tuple(row[left:stop] for row in rows)
        if self.across:
            top, left = left, top
        return replace(self, rows=rows, top=self.top + top, left=self.left + left)

    def turned(self) -> Block:
        """Rows as columns; places are still told as the user sees them."""
        return replace(self, rows=tuple(zip(*self.rows, strict=True)), across=not self.across)

    def trimmed(self) -> Block:
        """Without the blank rows and columns at its edges; at least one cell is left."""
        rows = self.rows
        first, last = 0, len(rows)
        while last > first + 1 and all(map(is_blank, rows[last - 1])):
            last -= 1
        while first < last - 1 and all(map(is_blank, rows[first])):
            first += 1
        left, right = 0, len(rows[0])
        kept = rows[first:last]
        while right > left + 1 and all(is_blank(row[right - 1]) for row in kept):
            right -= 1
        while left < right - 1 and all(is_blank(row[left]) for row in kept):
            left += 1
        if (first, last, left, right) == (0, len(rows), 0, len(rows[0])):
            return self
        return replace(
            self, rows=tuple(row[left:right] for row in kept),
            top=self.top + first, left=self.left + left,
        )
