"""Cells and rectangles of cells: A1 text to numbers and back.

Rows and columns are counted from 1. A sheet is known by its position in the workbook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from portbal_addin.block import column_letters

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
MOST_CELLS = 5_000_000  # that a sheet, an argument or a result may have

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
_PLAIN_SHEET = re.compile(r"[^\W\d][\w.]*")
_TAKEN = re.compile(r"[A-Z]{1,3}\d*|R\d*C\d*|TRUE|FALSE", re.IGNORECASE)


class Spot(NamedTuple):
    """One cell."""

    sheet: int
    row: int
    column: int


class Area(NamedTuple):
    """A rectangle of cells on one sheet, both corners included."""

    sheet: int
    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def at(cls, spot: Spot, height: int = 1, width: int = 1) -> Area:
        return cls(spot.sheet, spot.row, spot.column,
                   spot.row + height - 1, spot.column + width - 1)

    @property
    def height(self) -> int:
        return self.bottom - self.top + 1

    @property
    def width(self) -> int:
        return self.right - self.left + 1

    @property
    def first(self) -> Spot:
        return Spot(self.sheet, self.top, self.left)

    @property
    def is_cell(self) -> bool:
        return self.top == self.bottom and self.left == self.right

    @property
    def fits(self) -> bool:
        return self.bottom <= LAST_ROW and self.right <= LAST_COLUMN

    @property
    def text(self) -> str:
        """``B4`` or ``B4:D9``; whole columns and rows as ``B:D`` and ``4:9``."""
        if self.top == 1 and self.bottom == LAST_ROW:
            return f"{column_letters(self.left)}:{column_letters(self.right)}"
        if self.left == 1 and self.right == LAST_COLUMN:
            return f"{self.top}:{self.bottom}"
        first = f"{column_letters(self.left)}{self.top}"
        return first if self.is_cell else f"{first}:{column_letters(self.right)}{self.bottom}"

    def holds(self, spot: Spot) -> bool:
        return (spot.sheet == self.sheet and self.top <= spot.row <= self.bottom
                and self.left <= spot.column <= self.right)

    def meets(self, other: Area) -> bool:
        return (self.sheet == other.sheet
                and self.top <= other.bottom and other.top <= self.bottom
                and self.left <= other.right and other.left <= self.right)

    def spots(self) -> Iterator[Spot]:
        if self.is_cell:
            yield self.first
            return
        for row in range(self.top, self.bottom + 1):
            for column in range(self.left, self.right + 1):
                yield Spot(self.sheet, row, column)


@lru_cache(maxsize=LAST_COLUMN)
def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def cell_numbers(text: str) -> tuple[int, int]:
    """Row and column of ``B4``; ValueError for anything else."""
    match = _CELL.fullmatch(text)
    if match is None:
        raise ValueError(f"not a cell: {text[:20]!r}")
    row, column = int(match[2]), column_number(match[1])
    if not (1 <= row <= LAST_ROW and column <= LAST_COLUMN):
        raise ValueError(f"not a cell: {text[:20]!r}")
    return row, column


def area_of(sheet: int, text: str) -> Area:
    """The area of ``B4`` or ``B4:D9``; ValueError for anything else."""
    first, _, last = text.partition(":")
    top, left = cell_numbers(first)
    bottom, right = cell_numbers(last or first)
    return Area(sheet, min(top, bottom), min(left, right), max(top, bottom), max(left, right))


def quoted(sheet: str) -> str:
    """A sheet's name as formulas write it."""
    if _PLAIN_SHEET.fullmatch(sheet) and not _TAKEN.fullmatch(sheet):
        return sheet
    return "'" + sheet.replace("'", "''") + "'"
