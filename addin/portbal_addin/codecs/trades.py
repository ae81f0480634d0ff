"""Tables about trading: tax lots and what is sold of them, cash flows, futures."""

from __future__ import annotations

import pandas as pd

from portbal.labels import key, shorten
from portbal_addin.block import Block, date_of, is_blank, label_text
from portbal_addin.codecs.cells import name, number, wrong
from portbal_addin.codecs.kind import Kind
from portbal_addin.codecs.tables import columns_by_title, rows_with_content

_WHERE = ("Asset or group", "Asset", "Group")


def _day(block: Block, row: int, column: int) -> pd.Timestamp:
    """The date in one cell, without its time of day."""
    cell = block.rows[row][column]
    day = date_of(cell, block.date1904)
    if day is None:
        shown = "blank" if is_blank(cell) else shorten(label_text(cell))
        raise wrong(block, row, column, f"is {shown} where a date belongs",
                    "Use a date, such as 2024-01-31.")
    return pd.Timestamp(day).normalize()


def _frame(
    block: Block, at: dict[str, int], names: tuple[str, ...], numbers: tuple[str, ...]
) -> pd.DataFrame:
    """The columns that are there, Date among them; index: rows of the range."""
    rows = rows_with_content(block)
    columns: dict[str, list[object]] = {}
    for title, c in at.items():
        if title == "Date":
            columns[title] = [_day(block, r, c) for r in rows]
        elif title in names:
            columns[title] = [name(block, r, c) for r in rows]
        elif title in numbers:
            columns[title] = [number(block, r, c) for r in rows]
    return pd.DataFrame(columns, index=[block.place(r, 0)[0] for r in rows])


def _lots(block: Block) -> pd.DataFrame:
    """Columns Lot, Asset, Date, Quantity, Cost (a unit); lot names do not repeat."""
    block = block.trimmed()
    at = columns_by_title(block, ("Lot", "Asset", "Date", "Quantity", "Cost"), ())
    frame = _frame(block, at, ("Lot", "Asset"), ("Quantity", "Cost"))
    seen: set[str] = set()
    for r, lot in zip(rows_with_content(block), frame["Lot"], strict=True):
        if key(lot) in seen:
            raise wrong(block, r, at["Lot"], f"repeats the lot {shorten(lot)}",
                        "Keep one of them, or give them different names.")
        seen.add(key(lot))
    return frame


def _sells(block: Block) -> pd.DataFrame:
    """Columns Asset, Date, Quantity, Price."""
    block = block.trimmed()
    at = columns_by_title(block, ("Asset", "Date", "Quantity", "Price"), ())
    return _frame(block, at, ("Asset",), ("Quantity", "Price"))


def _flows(block: Block) -> pd.DataFrame:
    """Columns Date, Flow; dates do not decrease."""
    block = block.trimmed()
    at = columns_by_title(block, ("Date", "Flow"), ())
    frame = _frame(block, at, (), ("Flow",))
    days = frame["Date"].to_list()
    for r, day, above in zip(rows_with_content(block)[1:], days[1:], days[:-1], strict=True):
        if day < above:
            raise wrong(block, r, at["Date"], f"lies before the date above it ({day:%Y-%m-%d})",
                        "Sort the rows by date, oldest first.")
    return frame


def _futures(block: Block) -> pd.DataFrame:
    """Columns Contract, Where (of the title Asset or group, Asset, or Group), Multiplier,
    Price, Margin, and those of Cost, Beta, Roll, Rolls that are there."""
    block = block.trimmed()
    header = [key(label_text(cell)) for cell in block.rows[0]]
    where = next((title for title in _WHERE if key(title) in header), _WHERE[0])
    numbers = ("Multiplier", "Price", "Margin")
    optional = ("Cost", "Beta", "Roll", "Rolls")
    at = columns_by_title(block, ("Contract", where, *numbers), optional)
    frame = _frame(block, at, ("Contract", where), (*numbers, *optional))
    return frame.rename(columns={where: "Where"})


LOTS = Kind("lots", "a table with the header Lot, Asset, Date, Quantity, Cost", _lots)
SELLS = Kind("sells", "a table with the header Asset, Date, Quantity, Price", _sells)
FLOWS = Kind("flows", "a table with the header Date, Flow", _flows)
FUTURES = Kind(
    "futures",
    "a table with the header Contract, Asset or group, Multiplier, Price, Margin, Cost, Beta",
    _futures,
)


# --- orders --------------------------------------------------------------------------------

def _orders(block: Block) -> pd.DataFrame:
    """Columns Asset, Quantity, Price and, where they are there, Value, Cost, Weight after; a
    header alone is what ORDERS returns when there is nothing to do."""
    block = block.trimmed()
    at = columns_by_title(
        block, ("Asset", "Quantity", "Price"), ("Side", "Value", "Cost", "Weight after", "Reason"),
        needs_rows=False)
    return _frame(block, at, ("Asset",), ("Quantity", "Price", "Value", "Cost", "Weight after"))


ORDERS = Kind("orders", "a table of orders as ORDERS returns it", _orders)
