"""Excel in memory: as much of its object model as xlwings' Book, Sheet, Range, Name and Table ask
for in ribbon commands. xlwings' own classes run on top of it, their conversions too.

What is entered is read as Excel reads it: a text with an apostrophe before it is text, one that
begins with = + - @ is a formula, numbers and dates in texts become numbers and dates.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import xlwings as xw

EPOCH = dt.datetime(1899, 12, 30)


class ExcelRefused(Exception):
    """What a COM error is."""


class Engine:
    name, type = "excel", "desktop"

    @staticmethod
    def prepare_xl_data_element(x: Any, _format: Any) -> Any:
        return "" if x is None else x

    @staticmethod
    def clean_value_data(data: Any, _date: Any, _empty: Any, _number: Any, errors: bool) -> Any:
        assert errors, "error cells would be lost"
        return [list(row) for row in data]


@dataclass
class Cell:
    value: Any = None
    formula: str = ""
    prefix: str = ""
    spill_of: tuple[int, int] | None = None
    currency: bool = False


def entered(text: Any) -> Cell:
    """What Excel makes of what is entered."""
    if not isinstance(text, str):
        assert text is None or isinstance(text, (bool, float, dt.date)), repr(text)
        return Cell(text)
    if text.startswith("'"):
        return Cell(text[1:], prefix="'")
    if text.startswith(("=", "+", "-", "@")):
        return Cell(0.0, formula=text if text.startswith("=") else f"={text}")
    if re.fullmatch(r"[\d.]+%?", text) or re.fullmatch(r"\d{4}-\d\d-\d\d|[A-Z]{3}\d\d?", text):
        return Cell(12345.0)
    return Cell(text or None)


class App:
    def __init__(self) -> None:
        self.engine = Engine
        self.pid = 1
        self.screen_updating = True
        self.status_bar = False
        self.calculation = "automatic"
        self.modes: list[str] = []
        self.calculated = 0
        self.alerts: list[tuple[str, str, str | None]] = []
        self.statuses: list[Any] = []

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        if name == "status_bar" and "statuses" in self.__dict__:
            self.statuses.append(value)
        if name == "calculation" and "modes" in self.__dict__:
            self.modes.append(value)

    def calculate(self) -> None:
        self.calculated += 1

    def alert(self, prompt: str, title: str, buttons: str, mode: str | None, callback: Any) -> str:
        self.alerts.append((prompt, title, mode))
        return "ok"


class Name:
    def __init__(self, names: Names, name: str, refers_to: str) -> None:
        self.names, self.name, self._refers_to = names, name, refers_to

    @property
    def refers_to(self) -> str:
        return self._refers_to

    @refers_to.setter
    def refers_to(self, text: str) -> None:
        self.names.touched()
        self._refers_to = text

    def delete(self) -> None:
        self.names.touched()
        self.names.all.remove(self)


class Names:
    def __init__(self, touched: Callable[[], None]) -> None:
        self.all: list[Name] = []
        self.touched = touched

    def __call__(self, item: int | str) -> Name:
        if isinstance(item, int):
            return self.all[item - 1]
        return next(name for name in self.all if name.name.casefold() == item.casefold())

    def __len__(self) -> int:
        return len(self.all)

    def snapshot(self) -> list[tuple[str, Name]]:
        return [(name.name, name) for name in self.all]

    def contains(self, item: Any) -> bool:
        return any(name.name.casefold() == str(item).casefold() for name in self.all)

    def add(self, name: str, refers_to: str) -> Name:
        self.touched()
        self.all.append(Name(self, name, refers_to))
        return self.all[-1]


class Range:
    max_cells_per_read = max_cells_per_write = None

    def __init__(self, sheet: Sheet, row: int, column: int, height: int, width: int) -> None:
        self.sheet, self._at, self._shape = sheet, (row, column), (height, width)

    row = property(lambda self: self._at[0])
    column = property(lambda self: self._at[1])
    shape = property(lambda self: self._shape)
    address = property(lambda self: f"{self._at}+{self._shape}")

    def __len__(self) -> int:
        return self._shape[0] * self._shape[1]

    def _spots(self) -> Iterator[list[tuple[int, int]]]:
        assert len(self) < 10_000_000, "whole columns are not read cell by cell"
        for row in range(self.row, self.row + self._shape[0]):
            yield [(row, c) for c in range(self.column, self.column + self._shape[1])]

    def _cell(self, spot: tuple[int, int]) -> Cell:
        return self.sheet.cells.get(spot, Cell())

    def _shown(self, rows: list[tuple[Any, ...]]) -> Any:
        """One cell comes alone, more come as a tuple of rows."""
        return rows[0][0] if len(self) == 1 else tuple(rows)

    @property
    def raw_value(self) -> Any:
        return [
            tuple(Decimal(f"{c.value:.4f}") if c.currency else c.value for c in map(self._cell, s))
            for s in self._spots()
        ]

    @raw_value.setter
    def raw_value(self, rows: Any) -> None:
        assert [len(row) for row in rows] == [self._shape[1]] * self._shape[0]
        for spots, row in zip(self._spots(), rows, strict=True):
            for spot, value in zip(spots, row, strict=True):
                self.sheet.put(spot, entered(value))

    @property
    def formula2(self) -> Any:
        return self._shown([
            tuple(c.formula or ("" if c.value is None else _as_text(c.value))
                  for c in map(self._cell, s)) for s in self._spots()
        ])

    formula = formula2

    @property
    def api(self) -> Any:
        cell = self._cell(self._at)
        class Api(SimpleNamespace):
            def __setattr__(api, name: str, value: Any) -> None:  # noqa: N805
                assert name == "Formula2", name
                self.sheet.put(self._at, Cell(0.0, formula=value))

        spill = self.sheet.spills.get(cell.spill_of or self._at)
        array = next((a for a in self.sheet.arrays if _holds(a, self._at)), None)
        return Api(
            Areas=SimpleNamespace(Count=1), Formula2=cell.formula, HasSpill=spill is not None,
            SpillParent=SimpleNamespace(SpillingToRange=spill and _Whole(self.sheet, spill)),
            HasArray=array is not None, CurrentArray=array and _Whole(self.sheet, array),
            Value2=tuple(tuple(self._cell(spot).value for spot in s) for s in self._spots())
            if len(self) < 10_000 else None,
            EntireColumn=_Formats(self.sheet, "column", self.column),
            EntireRow=SimpleNamespace(Font=_Formats(self.sheet, "row", self.row)),
        )


def _holds(area: tuple[int, int, int, int], spot: tuple[int, int]) -> bool:
    return all(0 <= at - first < size for at, first, size in zip(spot, area[:2], area[2:],
                                                             strict=True))


class _Whole:
    """All that one array formula fills."""

    def __init__(self, sheet: Sheet, area: tuple[int, int, int, int]) -> None:
        self.Row, self.Column = area[:2]
        self.Rows, self.Columns = (SimpleNamespace(Count=size) for size in area[2:])
        self.__dict__["sheet"] = sheet

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "FormulaArray":
            self.__dict__[name] = value
            return
        for row in range(self.Row, self.Row + self.Rows.Count):
            for column in range(self.Column, self.Column + self.Columns.Count):
                self.sheet.put((row, column), Cell(0.0, formula=value))


class _Formats:
    """A whole row or column, which only has a look."""

    def __init__(self, sheet: Sheet, kind: str, at: int) -> None:
        self.__dict__.update(sheet=sheet, kind=kind, at=at)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in ("NumberFormat", "ColumnWidth", "Bold"), name
        self.sheet.book.touched()
        self.sheet.formats[self.kind, self.at] = value


def _as_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class Table:
    def __init__(self, name: str, area: Range) -> None:
        self._name, self._range = name, area

    name = property(lambda self: self._name)
    range = property(lambda self: self._range)


class Tables(list[Table]):
    """A collection, as far as one walks through it."""


@dataclass(eq=False)
class Sheet:
    book: Book
    name: str = ""
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    spills: dict[tuple[int, int], tuple[int, int, int, int]] = field(default_factory=dict)
    arrays: list[tuple[int, int, int, int]] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)
    formats: dict[tuple[str, int], Any] = field(default_factory=dict)
    state: int = -1

    def put(self, spot: tuple[int, int], cell: Cell) -> None:
        self.book.touched()
        if self.cells.get(spot, cell).spill_of is not None:
            raise ExcelRefused("part of a spill")
        if cell.value is None and not cell.formula:
            self.cells.pop(spot, None)
        else:
            self.cells[spot] = cell

    def range(self, first: Any, last: Any = None) -> Range:
        last = first if last is None else last
        return Range(self, *first, last[0] - first[0] + 1, last[1] - first[1] + 1)

    @property
    def used_range(self) -> Range:
        rows, columns = zip(*(self.cells or {(1, 1): None}), strict=True)
        return Range(self, min(rows), min(columns), max(rows) - min(rows) + 1,
                     max(columns) - min(columns) + 1)

    @property
    def visible(self) -> bool:
        return self.state == -1

    @property
    def api(self) -> Any:
        class Api:
            Visible = property(lambda _: self.state, lambda _, state: self.show(state))

            def Activate(_) -> None:  # noqa: N802, N805
                self.book.active = self

        return Api()

    def show(self, state: int) -> None:
        self.book.touched()
        self.state = state

    def delete(self) -> None:
        self.book.touched()
        if self.state == 2:
            raise ExcelRefused("Delete method of Worksheet class failed")
        self.book.order.remove(self)


class Sheets:
    def __init__(self, book: Book) -> None:
        self.book = book

    active = property(lambda self: self.book.active)

    def __call__(self, item: int | str) -> Sheet:
        if isinstance(item, int):
            return self.book.order[item - 1]
        found = [s for s in self.book.order if s.name.casefold() == item.casefold()]
        if not found:
            raise ExcelRefused(f"no sheet {item}")
        return found[0]

    def __len__(self) -> int:
        return len(self.book.order)

    def __iter__(self) -> Iterator[Sheet]:
        return iter(list(self.book.order))

    def add(self, before: Any = None, after: Any = None, name: str | None = None) -> Sheet:
        assert after is self.book.order[-1]
        self.book.touched()
        self.book.order.append(Sheet(self.book, name or "Sheet"))
        self.book.active = self.book.order[-1]
        return self.book.order[-1]


class Book:
    def __init__(self, name: str = "portfolio.xlsm", *, date1904: bool = False) -> None:
        self._name, self._app, self._names = name, App(), Names(self.touched)
        self.order: list[Sheet] = []
        self.active: Any = None
        self.writes, self.fails_at = 0, 0
        self.api = SimpleNamespace(Date1904=date1904)

    def touched(self) -> None:
        """Something is about to change; the change number fails_at is refused."""
        self.writes += 1
        if self.writes == self.fails_at:
            raise ExcelRefused(-2147352567, "Exception occurred.", (
                0, "Microsoft Excel", "The sheet is protected.", "x.chm", 0, -2146827284), None)

    name = property(lambda self: self._name)
    app = property(lambda self: self._app)
    names = property(lambda self: self._names)
    sheets = property(lambda self: Sheets(self))


def open_book(tables: dict[str, Any], *, date1904: bool = False) -> tuple[xw.Book, Book]:
    """A sheet of its own from A1 for each named table; xlwings' Book and what is behind it."""
    if "excel" not in [engine.name for engine in xw.engines]:
        xw.engines.add(xw.main.Engine(impl=Engine))
    xw.engines.active = xw.engines["excel"]
    book = Book(date1904=date1904)
    for name, value in tables.items():
        rows = value if isinstance(value, list) else [[value]]
        sheet = Sheet(book, name)
        book.order.append(sheet)
        for r, row in enumerate(rows, start=1):
            for c, cell in enumerate(row, start=1):
                if cell is not None:
                    is_number = isinstance(cell, int) and not isinstance(cell, bool)
                    sheet.cells[r, c] = Cell(float(cell) if is_number else cell)
        letters = chr(64 + len(rows[0]))
        book.names.add(name, f"='{name}'!$A$1:${letters}${len(rows)}")
    book.active = book.order[0] if book.order else None
    book.writes = 0
    return xw.Book(impl=book), book
