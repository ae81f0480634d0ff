"""A workbook as a ribbon command sees it: named tables in, changes out.

A command is a pure function from a ``Book`` to ``Changes``. Hosts carry both: they give a Book
over Excel, LibreOffice or a file, and write the Changes, all of them or none. Rows and columns
are counted from 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from portbal.journal import Journal
from portbal.labels import key
from portbal_addin.block import Address, Block, Cell, Rows, is_blank, serial_of

FILLED = "="  # in place of the formula of a cell that an array formula elsewhere fills


@dataclass(frozen=True)
class Area:
    """A rectangle of cells. is_table: it is that of an Excel table, whose size is its own."""

    sheet: str
    row: int
    column: int
    height: int = 1
    width: int = 1
    is_table: bool = False

    @property
    def address(self) -> Address:
        return Address(self.sheet, self.row, self.column)

    @property
    def text(self) -> str:
        """``Trades!E7:G37``."""
        first = self.address.cell(0, 0)
        if (self.height, self.width) == (1, 1):
            return first
        return f"{first}:{self.address.cell(self.height - 1, self.width - 1).rpartition('!')[2]}"

    def cell(self, down: int, right: int) -> Area:
        return Area(self.sheet, self.row + down, self.column + right)

    def sized(self, height: int, width: int) -> Area:
        return replace(self, height=height, width=width)


# Number formats that every spreadsheet program knows by heart, and their numbers in files.
FORMATS = {"0": 1, "0.00": 2, "#,##0": 3, "#,##0.00": 4, "0%": 9, "0.00%": 10, "m/d/yyyy": 14}


@dataclass(frozen=True)
class AddSheet:
    """A new sheet at the end, its first row bold. hidden: not even offered to be shown.
    formats: number and number format of columns, one of FORMATS."""

    name: str
    hidden: bool = False
    formats: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class DefineName:
    """The name stands for this area from now on, whether it existed or not."""

    name: str
    area: Area


@dataclass(frozen=True)
class PutCells:
    """Values for every cell of the area. A text is written as text, whatever it begins with;
    None leaves the cell blank."""

    area: Area
    rows: Rows


@dataclass(frozen=True)
class PutFormula:
    """A formula, with its equals sign, for the one cell of the area."""

    area: Area
    formula: str


Write = AddSheet | DefineName | PutCells | PutFormula


@dataclass(frozen=True)
class Changes:
    """What a command found and what it wants written, in this order.

    status   one sentence for the status line
    tables   title and block of what a person should see, for hosts that show text
    writes   what to write; of a command that trades, what Apply writes
    preview  of a command that trades, what to write before that
    stamp    of a command that trades, by what inputs: a preview with another stamp is out of date
    record   for the journal, once the writes are done
    """

    status: str
    tables: tuple[tuple[str, Block], ...] = ()
    writes: tuple[Write, ...] = ()
    preview: tuple[Write, ...] = ()
    notes: tuple[str, ...] = ()
    stamp: str = ""
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Kept:
    """The journal as a host finds it: where it is, and what it holds."""

    place: str = ""
    journal: Journal = field(default_factory=Journal)


class Book(Protocol):
    """What a host shows of a workbook."""

    @property
    def name(self) -> str:
        """The workbook's file name."""

    def sheets(self) -> tuple[str, ...]:
        """The names of its sheets, hidden ones too."""

    def find(self, name: str) -> Area | None:
        """The area of a defined name of the whole workbook or, failing that, of an Excel table
        with its header; InputError for a name that stands for something else."""

    def used(self, sheet: str) -> Area | None:
        """The smallest area that holds every used cell of a sheet."""

    def block(self, area: Area) -> Block:
        """The values of the area; whole rows and columns as far as the sheet is used."""

    def formulas(self, area: Area) -> tuple[tuple[str, ...], ...]:
        """The formula of each cell that ``block`` shows, with its equals sign; FILLED where a
        formula elsewhere fills the cell; empty where it holds a constant or nothing."""

    def remarks(self) -> tuple[tuple[str, str], ...]:
        """Cell and text of the notes that formulas gave beside their results, where the host
        knows them."""

    def kept(self) -> Kept:
        """The journal of who runs the command, as it is now; NotAvailable when it cannot be
        read."""


def plain(cell: Cell, date1904: bool) -> Cell:
    """A cell as every host would tell it: numbers as floats, dates as serials, no empty text."""
    if isinstance(cell, dt.date):
        return serial_of(cell, date1904)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return float(cell)
    return None if is_blank(cell) else cell


def needed(book: Book, writes: Iterable[Write]) -> tuple[Write, ...]:
    """The writes that change something; entering a formula again always does."""
    sheets = {key(name) for name in book.sheets()}
    return tuple(write for write in writes if _changes(book, write, sheets))


def _changes(book: Book, write: Write, sheets: set[str]) -> bool:
    if isinstance(write, AddSheet):
        return key(write.name) not in sheets
    if isinstance(write, DefineName):
        found = book.find(write.name)
        return found is None or found.text != write.area.text
    if isinstance(write, PutFormula) or key(write.area.sheet) not in sheets:
        return True
    formulas = book.formulas(write.area)
    block = book.block(write.area)
    return any(formula for row in formulas for formula in row) or any(
        plain(old, block.date1904) != plain(new, block.date1904)
        for old_row, new_row in zip(block, write.rows, strict=True)
        for old, new in zip(old_row, new_row, strict=True)
    )


Spot = tuple[str, int, int]


@dataclass(frozen=True)
class MemoryBook:
    """A workbook that exists in memory only: what commands are tested with.

    cells and formulas by sheet, row, column; a formula's value stands among the cells.
    said: the notes of formulas; sealed: the journal
    """

    name: str = "Book1.xlsx"
    order: tuple[str, ...] = ()
    cells: Mapping[Spot, Cell] = field(default_factory=dict)
    texts: Mapping[Spot, str] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    date1904: bool = False
    said: tuple[tuple[str, str], ...] = ()
    sealed: Kept = field(default_factory=Kept)

    @classmethod
    def of(cls, tables: Mapping[str, Any]) -> MemoryBook:
        """A sheet of its own, from A1, for each named table; one cell counts as a table."""
        book = cls()
        for name, value in tables.items():
            block = Block.of(value)
            area = Area(name, 1, 1, block.height, block.width)
            book = book.after((AddSheet(name), DefineName(name, area), PutCells(area, block.rows)))
        return book

    def sheets(self) -> tuple[str, ...]:
        return self.order

    def find(self, name: str) -> Area | None:
        return next((area for word, area in self.areas.items() if key(word) == key(name)), None)

    def used(self, sheet: str) -> Area | None:
        spots = [(row, column) for of, row, column in self.cells if key(of) == key(sheet)]
        if not spots:
            return None
        rows, columns = zip(*spots, strict=True)
        return Area(sheet, min(rows), min(columns), max(rows) - min(rows) + 1,
                    max(columns) - min(columns) + 1)

    def block(self, area: Area) -> Block:
        rows = tuple(tuple(map(self.cells.get, row)) for row in _spots(area))
        return Block(rows, area.address, self.date1904)

    def formulas(self, area: Area) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(self.texts.get(spot, "") for spot in row) for row in _spots(area))

    def remarks(self) -> tuple[tuple[str, str], ...]:
        return self.said

    def kept(self) -> Kept:
        return self.sealed

    def after(self, writes: Iterable[Write]) -> MemoryBook:
        """The workbook once these are written; nothing is calculated again."""
        book = self
        for write in writes:
            if isinstance(write, AddSheet):
                book = replace(book, order=(*book.order, write.name))
            elif isinstance(write, DefineName):
                kept = {word: a for word, a in book.areas.items() if key(word) != key(write.name)}
                book = replace(book, areas={**kept, write.name: write.area})
            elif isinstance(write, PutCells):
                given = {spot: cell for spots, row in zip(_spots(write.area), write.rows,
                                                          strict=True)
                         for spot, cell in zip(spots, row, strict=True)}
                cells = {**book.cells, **given}
                book = replace(
                    book, cells={spot: cell for spot, cell in cells.items() if cell is not None},
                    texts={spot: text for spot, text in book.texts.items() if spot not in given},
                )
            else:
                [[spot]] = _spots(write.area)
                book = replace(book, texts={**book.texts, spot: write.formula})
        return book


def _spots(area: Area) -> Iterator[list[Spot]]:
    for row in range(area.row, area.row + area.height):
        yield [(area.sheet, row, column)
               for column in range(area.column, area.column + area.width)]
