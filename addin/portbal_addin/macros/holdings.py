"""The holdings of a workbook: where each quantity stands, and what everything is worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from portbal.errors import InputError
from portbal.labels import CASH, key
from portbal_addin.block import Block, Cell, date_of, is_blank, label_text
from portbal_addin.book import Area, Book
from portbal_addin.codecs.cells import is_number, number
from portbal_addin.macros import reading


@dataclass(frozen=True)
class Table:
    """A table with a header and one asset a row, and where its cells are in the workbook.

    columns: position by folded title; rows: position by folded asset; both count from the
    top left of ``block``, which stands at ``area``
    """

    area: Area
    block: Block
    columns: Mapping[str, int]
    rows: Mapping[str, int]
    formulas: tuple[tuple[str, ...], ...]

    @classmethod
    def read(cls, book: Book, name: str) -> Table | None:
        """The table of that name; None where it is absent or empty."""
        found = book.find(name)
        if found is None or book.block(found).is_empty:
            return None
        whole = book.block(found)
        block = reading.sound(whole).trimmed()
        area = replace(found, row=found.row + block.top, column=found.column + block.left,
                       height=found.height - block.top, width=found.width - block.left)
        formulas = tuple(row[block.left:] for row in book.formulas(found)[block.top:])
        columns = {key(label_text(cell)): at for at, cell in enumerate(block.rows[0])}
        asset = columns.get("asset", 0)
        rows = {key(label_text(row[asset])): at for at, row in enumerate(block.rows)
                if at and not is_blank(row[asset])}
        return cls(area, block, columns, rows, formulas)

    def is_formula(self, row: int, title: str) -> bool:
        at = self.columns[key(title)]
        return row < len(self.formulas) and bool(self.formulas[row][at])

    def number(self, row: int, title: str) -> float:
        return number(self.block, row, self.columns[key(title)])

    def rate(self, row: int) -> float:
        """What a unit of the price's currency is worth; 1 without the column Rate, or a rate."""
        at = self.columns.get("rate")
        if at is None or is_blank(self.block.rows[row][at]):
            return 1.0
        return number(self.block, row, at)

    def worth(self, row: int) -> float:
        """What one unit of the asset is worth, in base currency."""
        return self.number(row, "Price") * self.rate(row)

    def cell(self, row: int, title: str) -> Area:
        return self.area.cell(row, self.columns[key(title)])

    def free_row(self, after: int) -> int:
        """The first row without content below the last one, and ``after`` more."""
        row = max([*self.rows.values(), 0]) + 1 + after
        written = row < len(self.formulas) and (
            any(self.formulas[row])
            or (row < self.block.height and not all(map(is_blank, self.block.rows[row])))
        )
        if written or row >= self.area.height:
            raise InputError(
                f"{self.area.text} has no free row for an asset that is not held yet",
                fix="Make the range that Holdings names longer.",
            )
        return row


def required(book: Book) -> Table:
    """Holdings; InputError where they are absent or have no column Quantity or Price."""
    reading.required(book, "Holdings")
    table = Table.read(book, "Holdings")
    assert table is not None
    for title in ("Asset", "Quantity", "Price"):
        if key(title) not in table.columns:
            raise InputError(f"Holdings ({table.area.text}) has no column {title}",
                             fix="Use the header Asset, Quantity, Price.")
    return table


def values(holdings: Table) -> dict[str, float]:
    """What each position is worth in base currency, by folded asset."""
    return {asset: holdings.number(row, "Quantity") * holdings.worth(row)
            for asset, row in holdings.rows.items()}


def weights(
    book: Book, worth: Mapping[str, float], spelled: Mapping[str, str], net: float | None = None
) -> Block:
    """Each value as a share of net assets, which are the sum of all where not given. Cash counts
    in the sum, and has a row of its own only where Assets has one, since limits are about the
    rows of Assets."""
    assets = reading.table(book, "Assets")
    listed = set() if assets is None else {
        key(label_text(row[0])) for row in assets.trimmed().rows}
    total = sum(worth.values()) if net is None else net
    if total <= 0:
        raise InputError("Holdings are worth nothing", fix="Fill in quantities and prices.")
    rows: list[tuple[Cell, ...]] = [
        (spelled.get(asset, asset), value / total) for asset, value in worth.items()
        if asset != CASH or CASH in listed
    ]
    return Block.of([("Asset", "Weight"), *rows])


def current_weights(book: Book) -> Block | None:
    """CurrentWeights as they stand, else worked out from Holdings; None without either."""
    block = reading.table(book, "CurrentWeights")
    if block is not None:
        return reading.sound(block)
    if reading.table(book, "Holdings") is None:
        return None
    held = required(book)
    return weights(book, values(held), spelled(held))


def spelled(table: Table) -> dict[str, str]:
    """Assets as the table spells them, by folded name."""
    at = table.columns["asset"]
    return {asset: label_text(table.block.rows[row][at]) for asset, row in table.rows.items()}


def newest(book: Book) -> tuple[Table, dt.date | None]:
    """Holdings at the newest price of each asset, and the date of the last row of Prices.

    An asset that Prices lacks keeps the price that Holdings has.
    """
    held = required(book)
    prices = reading.table(book, "Prices")
    if prices is None:
        return held, None
    prices = reading.sound(prices).trimmed()
    header = [key(label_text(cell)) for cell in prices.rows[0]]
    price, asset = held.columns["price"], held.columns["asset"]
    rows = []
    for row in held.block.rows:
        name = key(label_text(row[asset]))
        found = _last_number(prices, header.index(name)) if name in header[1:] else None
        rows.append(row if found is None else (*row[:price], found, *row[price + 1:]))
    return (replace(held, block=replace(held.block, rows=tuple(rows))),
            date_of(prices.rows[-1][0], prices.date1904))


def with_cash(book: Book, holdings: Table) -> Table:
    """Holdings whose row Cash has the money of the cell Cash as well."""
    money = reading.number(book, "Cash", 0.0)
    if not money:
        return holdings
    quantity, rows = holdings.columns["quantity"], holdings.block.rows
    at = holdings.rows.get(CASH)
    if at is None:
        cells: dict[int, Cell] = {holdings.columns["asset"]: "Cash", quantity: money,
                                  holdings.columns["price"]: 1.0}
        added = tuple(cells.get(column) for column in range(holdings.block.width))
        return replace(holdings, rows={**holdings.rows, CASH: len(rows)},
                       block=replace(holdings.block, rows=(*rows, added)))
    total = holdings.number(at, "Quantity") + money / holdings.worth(at)
    return _with(holdings, {at: {quantity: total}})


def in_own_currency(holdings: Table) -> Table:
    """The same values with prices as they are quoted: a quantity of base currency's worth, and
    no rate."""
    rate = holdings.columns.get("rate")
    if rate is None:
        return holdings
    quantity = holdings.columns["quantity"]
    return _with(holdings, {
        row: {quantity: holdings.number(row, "Quantity") * holdings.rate(row), rate: None}
        for row in holdings.rows.values()
    })


def _with(holdings: Table, cells: Mapping[int, Mapping[int, Cell]]) -> Table:
    rows = tuple(
        tuple(cells[r].get(c, cell) for c, cell in enumerate(row)) if r in cells else row
        for r, row in enumerate(holdings.block.rows)
    )
    return replace(holdings, block=replace(holdings.block, rows=rows))


def _last_number(prices: Block, column: int) -> float | None:
    for row in range(prices.height - 1, 0, -1):
        if is_number(prices.rows[row][column]):
            return number(prices, row, column)
    return None
