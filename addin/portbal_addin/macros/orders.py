"""What a rebalance would trade, what it leads to, and which cells it changes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from portbal.errors import ConflictError, InputError
from portbal.labels import CASH, key
from portbal_addin.block import Block, Cell, label_text
from portbal_addin.book import Area, Book, PutCells, plain
from portbal_addin.codecs.cells import number
from portbal_addin.macros import holdings as held
from portbal_addin.macros import reading
from portbal_addin.macros.names import BESIDE_ORDERS, INPUTS
from portbal_addin.macros.views import expected_returns
from portbal_addin.registry import Answer, Problem, find

_HEADER = ("asset", "quantity", "price", "value", "cost")
_ESTIMATES = ("Weights", "Covariance", "ExpectedReturns", "Returns")  # typed, or written as values


@dataclass(frozen=True)
class Order:
    asset: str
    quantity: float
    price: float
    value: float
    cost: float


@dataclass(frozen=True)
class Replaced:
    """One cell that Apply changes."""

    area: Area
    before: Cell
    after: Cell


@dataclass(frozen=True)
class Left:
    """A limit that cannot be kept while choosing whole lots, in its words, and why."""

    words: str
    why: str


@dataclass(frozen=True)
class _Chosen:
    answer: Answer
    given: Mapping[str, Block | None]
    left: tuple[Left, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.left:
            return self.answer.notes
        words = ", ".join(left.words for left in self.left)
        return (*self.answer.notes, f"Not kept while choosing whole lots, only checked: {words}. "
                "See RebalanceLimits.")


@dataclass(frozen=True)
class Plan:
    """shown: the orders as ORDERS tells them; cash before and after all of them; given: the
    arguments of ORDERS, none where Orders is a formula; left: limits that it was not given."""

    shown: Block
    is_live: bool
    orders: tuple[Order, ...]
    cash_before: float
    cash_after: float
    worth_before: dict[str, float]
    worth_after: dict[str, float]
    spelled: dict[str, str]
    replaced: tuple[Replaced, ...]
    notes: tuple[str, ...] = ()
    proof: tuple[tuple[str, float], ...] = ()
    given: Mapping[str, Block | None] = field(default_factory=dict)
    left: tuple[Left, ...] = ()


def plan(book: Book) -> Plan:
    """The orders from Holdings to Weights, and what they change.

    Where the workbook's Orders is a formula, its orders are taken; else ORDERS is asked.
    """
    table = held.required(book)
    target = reading.sound(reading.required(book, "Weights"))
    cash = reading.number(book, "Cash", 0.0)
    area = book.find("Orders")
    live = area is not None and reading.is_live(book, area)
    chosen = None
    if area is not None and live:
        shown = reading.sound(book.block(area)).trimmed()
    else:
        chosen = _whole_lots(book, table.block, target, cash)
        shown = chosen.answer.block
    orders = _orders(shown)
    worth = held.values(table)
    before = cash + worth.get(CASH, 0.0)
    after = before - sum(o.value for o in orders) - sum(o.cost for o in orders)
    moved = dict(worth)
    for order in orders:
        moved[key(order.asset)] = moved.get(key(order.asset), 0.0) + order.value
    spelled = {key(o.asset): o.asset for o in orders} | held.spelled(table)
    replaced: tuple[Replaced, ...] = ()
    if orders:
        shares = moved if CASH not in worth else {**moved, CASH: after}
        replaced = (*_quantities(table, orders), *_cash(book, table, orders, cash, after),
                    *_current(book, shares))
    plan = Plan(
        shown, live, orders, before, after, {**worth, CASH: before}, {**moved, CASH: after},
        spelled, tuple(r for r in replaced if r.before != r.after),
    )
    return plan if chosen is None else replace(
        plan, notes=chosen.notes, proof=chosen.answer.proof, given=chosen.given, left=chosen.left)


def _whole_lots(book: Book, holdings: Block, target: Block, cash: float) -> _Chosen:
    """The answer of ORDERS under all limits that can be kept while choosing whole lots; what
    the workbook knows of risk and return is given where a limit asks for it."""
    given: dict[str, Block | None] = {
        "holdings": holdings, "target": target, "cash": Block.of(cash),
        **{name.lower(): reading.table(book, name) for name in ("Limits", "Assets")},
        "options": reading.table(book, "OrderOptions"),
        "cov": None, "returns": None, "periods": None, "mu": None,
        "lasttarget": reading.table(book, "LastTarget"),
    }
    left: list[Left] = []
    asked = False
    while True:
        result = find("ORDERS").invoke(*given.values())
        limits = given["limits"]
        if limits is None or not _is_unkept(result):
            return _Chosen(reading.answer(result), given, tuple(left))
        if not asked:
            asked = True
            given |= _known(book)
            continue
        words, given["limits"] = _without_row(limits, result.row - 1)  # type: ignore[union-attr, operator]
        left.append(Left(words, result.message.partition(": ")[2]))  # type: ignore[union-attr]


def _is_unkept(result: Answer | Problem) -> bool:
    """Is there a limit that ORDERS has no way to keep?"""
    return (isinstance(result, Problem) and result.unavailable and result.argument == "limits"
            and result.row is not None)


def _known(book: Book) -> dict[str, Block | None]:
    """Covariance, returns and expected returns, as far as the workbook has them."""
    estimated = reading.has_history(book)
    found: dict[str, Block | None] = {}
    if estimated or reading.table(book, "Covariance") is not None:
        found["cov"] = reading.covariance(book)
    if estimated:
        found["returns"] = reading.returns(book)
    if estimated or reading.table(book, "ExpectedReturns") is not None:
        found["mu"] = expected_returns(book)
    return found


def _without_row(limits: Block, at: int) -> tuple[str, Block | None]:
    """The words of one limit, and the limits with that row blank; None when none is left."""
    words = label_text(limits.rows[at][0])
    blank: tuple[Cell, ...] = (None,) * limits.width
    rows = (*limits.rows[:at], blank, *limits.rows[at + 1:])
    rest = replace(limits, rows=rows)
    return words, rest if rest.trimmed().height > 1 else None


def _orders(shown: Block) -> tuple[Order, ...]:
    titles = [key(label_text(cell)) for cell in shown.rows[0]]
    if any(title not in titles for title in _HEADER):
        raise InputError(
            "Orders is no table of orders",
            fix="It holds Asset, Side, Quantity, Price, Value, Cost, Weight after, Reason.",
        )
    asset, *numbers = (titles.index(title) for title in _HEADER)
    return tuple(
        Order(label_text(row[asset]), *(number(shown, at, c) for c in numbers))
        for at, row in enumerate(shown.rows) if at and not _is_blank_row(row)
    )


def _is_blank_row(row: tuple[Cell, ...]) -> bool:
    return all(cell is None or cell == "" for cell in row)


# --- the cells that change -------------------------------------------------------------------

def _quantities(table: held.Table, orders: Iterable[Order]) -> Iterable[Replaced]:
    added = 0
    for order in orders:
        row = table.rows.get(key(order.asset))
        if row is None:
            row = table.free_row(added)
            added += 1
            yield Replaced(table.cell(row, "Asset"), None, order.asset)
            yield Replaced(table.cell(row, "Quantity"), None, order.quantity)
            yield Replaced(table.cell(row, "Price"), None, order.price)
            continue
        yield _typed(table, row, "Quantity", table.number(row, "Quantity") + order.quantity,
                     f"the quantity of {order.asset}")


def _typed(table: held.Table, row: int, title: str, after: float, what: str) -> Replaced:
    area = table.cell(row, title)
    if table.is_formula(row, title):
        raise ConflictError(f"{what} ({area.text}) is a formula, which Apply does not replace",
                            fix="Type the number there.")
    return Replaced(area, table.block.rows[row][table.columns[key(title)]], after)


def _cash(
    book: Book, table: held.Table, orders: tuple[Order, ...], cash: float, after: float
) -> Iterable[Replaced]:
    """The money left: in the row Cash of Holdings, else in the cell Cash, else in a new row."""
    row = table.rows.get(CASH)
    area = book.find("Cash")
    if row is not None:
        yield _typed(table, row, "Quantity", after / table.worth(row), "Cash")
        if area is not None and cash:
            yield _cash_cell(book, area, 0.0)
    elif area is not None:
        yield _cash_cell(book, area, after)
    elif after:
        known = {key(o.asset) for o in orders} - set(table.rows)
        free = table.free_row(len(known))
        for title, value in (("Asset", "Cash"), ("Quantity", after), ("Price", 1.0)):
            yield Replaced(table.cell(free, title), None, value)


def _cash_cell(book: Book, area: Area, after: float) -> Replaced:
    block = book.block(area).trimmed()
    cell = area.cell(block.top, block.left)
    if book.formulas(cell)[0][0]:
        raise ConflictError(f"Cash ({cell.text}) is a formula, which Apply does not replace",
                            fix="Type the number there.")
    return Replaced(cell, block.rows[0][0], after)


def _current(book: Book, worth: dict[str, float]) -> Iterable[Replaced]:
    """Current weights that were typed follow the holdings, or limits on turnover would go by
    old ones. Those that are formulas follow by themselves."""
    for name, titles in (("Assets", ("current",)), ("CurrentWeights", ("weight", "current"))):
        table = held.Table.read(book, name)
        title = next((t for t in titles if table is not None and t in table.columns), None)
        if table is None or title is None:
            continue
        listed = {asset: worth.get(asset, 0.0) for asset in table.rows}
        total = sum(listed.values())
        for asset, row in table.rows.items():
            if total and not table.is_formula(row, title):
                before = table.block.rows[row][table.columns[title]]
                yield Replaced(table.cell(row, title), before, listed[asset] / total)


def writes(replaced: Iterable[Replaced], *, back: bool = False) -> tuple[PutCells, ...]:
    """One write for each run of cells below each other. back: the cells as they were."""
    runs: list[tuple[Area, list[tuple[Cell, ...]]]] = []
    ordered = sorted(replaced, key=lambda r: (r.area.sheet, r.area.column, r.area.row))
    for cell in ordered:
        value = (cell.before if back else cell.after,)
        if runs:
            area, rows = runs[-1]
            if cell.area == area.cell(len(rows), 0):
                rows.append(value)
                continue
        runs.append((cell.area, [value]))
    return tuple(PutCells(area.sized(len(rows), 1), tuple(rows)) for area, rows in runs)


# --- by what inputs --------------------------------------------------------------------------

def typed(book: Book, after: Iterable[Replaced] = ()) -> str:
    """A digest of everything typed into the inputs of orders, formulas left out; ``after``: as it
    will be once these cells are replaced. Equal digests: nobody has changed anything."""
    changed = {(key(r.area.sheet), r.area.row, r.area.column): r.after for r in after}
    found: list[list[Cell]] = []
    for name in sorted((*(set(INPUTS) - BESIDE_ORDERS), *_ESTIMATES)):
        area = book.find(name)
        if area is None:
            continue
        block, formulas = book.block(area), book.formulas(area)
        cells = {
            (key(area.sheet), area.row + down, area.column + right): cell
            for down, row in enumerate(block) for right, cell in enumerate(row)
            if not formulas[down][right]
        }
        cells |= {spot: cell for spot, cell in changed.items() if _is_in(area, *spot)}
        for (_, down, right), cell in sorted(cells.items(), key=lambda item: item[0]):
            value = plain(cell, block.date1904)
            if value is not None:
                found.append([name, down - area.row, right - area.column, value])
    return digest(found)


def _is_in(area: Area, sheet: str, row: int, column: int) -> bool:
    return (sheet == key(area.sheet) and 0 <= row - area.row < area.height
            and 0 <= column - area.column < area.width)


def digest(value: Any) -> str:
    """SHA-256 of the value as JSON."""
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


def rows_of(block: Block | None) -> list[list[Any]] | None:
    """The cells as JSON can hold them; dates as ISO text."""
    if block is None:
        return None
    return [[cell.isoformat() if isinstance(cell, dt.date) else cell for cell in row]
            for row in block.trimmed()]
