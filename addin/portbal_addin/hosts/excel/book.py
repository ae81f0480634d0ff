"""An open workbook of Excel as ribbon commands see it, through xlwings' Book.

Values are read by the same conversion as the arguments of formulas: dates, blanks, errors,
amounts in currency, single cells and whole columns come as they come to formulas.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import xlwings as xw

from portbal.errors import InputError
from portbal.labels import key, shorten
from portbal_addin import journal_file
from portbal_addin.block import Block, Cell
from portbal_addin.book import FILLED, Area, Kept
from portbal_addin.hosts.excel.cells import Cells
from portbal_addin.hosts.excel.notes import NOTES, column_number

_LAST_ROW = 1_048_576
_LAST_COLUMN = 16_384
_REFERENCE = re.compile(
    r"=(?P<sheet>'(?:[^']|'')+'|[^'!:,(#]+)!"
    r"\$?(?P<left>[A-Z]{1,3})?\$?(?P<top>\d+)?(?::\$?(?P<right>[A-Z]{1,3})?\$?(?P<bottom>\d+)?)?"
)


class ExcelBook:
    """The Book of an xlwings Book. told: called when another named table is found, with how many
    there were so far."""

    def __init__(self, book: xw.Book, told: Callable[[int], None] | None = None) -> None:
        self.book = book
        self._told = told
        self._seen: set[str] = set()

    @property
    def name(self) -> str:
        return str(self.book.name)

    def sheets(self) -> tuple[str, ...]:
        return tuple(sheet.name for sheet in self.book.sheets)

    def find(self, name: str) -> Area | None:
        area = self._find(name)
        if area is not None and self._told is not None and key(name) not in self._seen:
            self._seen.add(key(name))
            self._told(len(self._seen))
        return area

    def _find(self, name: str) -> Area | None:
        refers_to = self._names.get(name.casefold())
        if refers_to is not None:
            return self._area(name, refers_to)
        for sheet in self.book.sheets:
            for table in sheet.tables:
                if key(table.name) == key(name):
                    height, width = table.range.shape
                    return Area(sheet.name, table.range.row, table.range.column, height, width,
                                is_table=True)
        return None

    def used(self, sheet: str) -> Area | None:
        used = self.book.sheets[sheet].used_range
        area = Area(sheet, used.row, used.column, *used.shape)
        is_empty = used.shape == (1, 1) and self.block(area).is_empty
        return None if is_empty else area

    def block(self, area: Area) -> Block:
        """InputError for what cannot be read as one range."""
        block = self._range(area).options(Cells).value
        if isinstance(block, InputError):
            raise block
        return block

    def formulas(self, area: Area) -> tuple[tuple[str, ...], ...]:
        block = self.block(area)
        range_ = self._range(area.sized(block.height, block.width))
        texts = _rows(range_.formula2 if is_modern(range_) else range_.formula)
        filled: set[tuple[int, int]] = set()
        return tuple(
            tuple(self._formula(area.cell(down, right), text, block.rows[down][right], filled)
                  for right, text in enumerate(row))
            for down, row in enumerate(texts)
        )

    def _formula(self, cell: Area, text: Any, value: Cell, filled: set[tuple[int, int]]) -> str:
        """``filled``: the cells that array formulas above and to the left fill."""
        spot = (cell.row, cell.column)
        if spot in filled:
            return FILLED
        if not (isinstance(text, str) and text.startswith("=")) or text == value:
            return ""  # a text that only looks like a formula is its own value
        api = self._range(cell).api
        if getattr(api, "HasSpill", False):
            whole = api.SpillParent.SpillingToRange
        elif api.HasArray:
            whole = api.CurrentArray
        else:
            return text
        first = (whole.Row, whole.Column)
        filled.update((row, column) for row in range(first[0], first[0] + whole.Rows.Count)
                      for column in range(first[1], first[1] + whole.Columns.Count))
        filled.discard(first)
        return text if spot == first else FILLED

    def remarks(self) -> tuple[tuple[str, str], ...]:
        """The notes that formulas gave since Python was started for this Excel. A cell that no
        longer calls the function has none."""
        sheets = {key(name): name for name in self.sheets()}
        found = []
        for note in NOTES.of(self.name):
            if key(note.sheet) not in sheets:
                continue
            area = Area(sheets[key(note.sheet)], note.row, note.column)
            if f"PORTBAL_{note.function}(" in self.formulas(area)[0][0].upper():
                found.append((area.text, note.text))
        return tuple(found)

    def kept(self) -> Kept:
        path = journal_file.default_path()
        return Kept(str(path), journal_file.read(path))

    def _range(self, area: Area) -> xw.Range:
        sheet = self.book.sheets[area.sheet]
        return sheet.range((area.row, area.column),
                           (area.row + area.height - 1, area.column + area.width - 1))

    @cached_property
    def _names(self) -> dict[str, str]:
        """What the names of the whole workbook refer to, by folded name."""
        return {name.name.casefold(): name.refers_to or "" for name in self.book.names
                if "!" not in name.name}

    def _area(self, name: str, refers_to: str) -> Area:
        found = _REFERENCE.fullmatch(refers_to)
        if found is None or not (found["left"] or found["top"]):
            raise InputError(
                f"the name {shorten(name)} stands for no range of cells",
                fix="Let it refer to a range, such as =Sheet1!$A$1:$C$40.",
            )
        sheet = found["sheet"]
        if sheet.startswith("'"):
            sheet = sheet[1:-1].replace("''", "'")
        top, left = int(found["top"] or 1), column_number(found["left"]) if found["left"] else 1
        bottom = int(found["bottom"] or (found["top"] or _LAST_ROW))
        right = column_number(found["right"] or found["left"]) if found["left"] else _LAST_COLUMN
        return Area(sheet, top, left, bottom - top + 1, right - left + 1)


def is_modern(range_: xw.Range) -> bool:
    """Does this Excel have dynamic arrays?"""
    return hasattr(range_.api, "Formula2")


def _rows(raw: Any) -> list[list[Any]]:
    """What Excel hands over for one cell, or for rows of them."""
    if not isinstance(raw, (list, tuple)):
        return [[raw]]
    return [list(row) if isinstance(row, (list, tuple)) else [row] for row in raw]
