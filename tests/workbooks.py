"""Small workbooks for the ribbon commands, as named tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from portbal_addin.book import (
    AddSheet,
    Area,
    Book,
    Changes,
    DefineName,
    MemoryBook,
    PutCells,
    PutFormula,
)
from portbal_addin.macros.commands import find

NAMES = ("Alfa", "Bravo", "Carlo")
ORDERS = [
    ["Asset", "Side", "Quantity", "Price", "Value", "Cost", "Weight after", "Reason"],
    ["Alfa", "buy", 5.0, 110.0, 550.0, 1.5, 0.40, "drift"],
    ["Bravo", "sell", -4.0, 55.0, -220.0, 1.25, 0.34, "drift"],
]


def prices(rows: int = 80, seed: int = 3) -> list[list[Any]]:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0004, 0.01, (rows, len(NAMES)))
    steps[-1] = [0.0, 0.0, 0.0]
    walk = np.exp(np.cumsum(steps, axis=0))
    walk *= np.array([110.0, 55.0, 83.0]) / walk[-1]
    first = dt.date(2024, 1, 1)
    return [["Date", *NAMES], *(
        [first + dt.timedelta(days=at + 2 * (at // 5)), *(round(float(p), 6) for p in row)]
        for at, row in enumerate(walk)
    )]


def tables(**changed: Any) -> dict[str, Any]:
    """Everything a person fills in; None leaves a table out."""
    given: dict[str, Any] = {
        "Prices": prices(),
        "Assets": [["Asset", "Sector", "Benchmark", "Lot"], ["Alfa", "Tech", 0.5, 1.0],
                   ["Bravo", "Tech", 0.3, 1.0], ["Carlo", "Bank", 0.2, 1.0]],
        "Limits": [["Limit", "Min", "Max"], ["each asset", 0.0, 0.6], ["Sector Tech", None, 0.85],
                   ["tracking error", None, 0.1]],
        "Views": [["View", "Return", "Confidence"], ["Alfa - Bravo", 0.02, 0.5]],
        "Holdings": [["Asset", "Quantity", "Price"], ["Alfa", 40.0, 110.0], ["Bravo", 80.0, 55.0],
                     ["Carlo", 30.0, 83.0], [None, None, None], [None, None, None]],
        "Cash": 1000.0, "RiskFree": 0.02,
    }
    given.update(changed)
    return {name: value for name, value in given.items() if value is not None}


def workbook(**changed: Any) -> MemoryBook:
    return MemoryBook.of(tables(**changed))


def with_orders(book: MemoryBook, orders: list[list[Any]] | None = None) -> MemoryBook:
    """The workbook with target weights, and a table of orders that is a formula, as in the
    shipped workbooks."""
    rows = tuple(map(tuple, ORDERS if orders is None else orders))
    weights = (("Asset", "Weight"), ("Alfa", 0.4), ("Bravo", 0.35), ("Carlo", 0.25))
    return book.after([
        *_sheet("Weights", weights), *_sheet("Orders", rows, height=12),
        PutFormula(Area("Orders", 1, 1), "=PORTBAL_ORDERS(Holdings,Weights,Cash)"),
    ])


def _sheet(name: str, rows: tuple[tuple[Any, ...], ...], height: int = 0) -> list[Any]:
    area = Area(name, 1, 1, len(rows), len(rows[0]))
    room = area.sized(max(height, len(rows)), len(rows[0]))
    return [AddSheet(name), PutCells(area, rows), DefineName(name, room)]


def run(name: str, book: Book) -> Changes:
    return find(name).run(book)


def rows_of(book: Book, name: str) -> list[tuple[Any, ...]]:
    """The rows of a named table, without blank ones at its end."""
    area = book.find(name)
    assert area is not None, f"there is no {name}"
    return list(book.block(area).trimmed().rows)
