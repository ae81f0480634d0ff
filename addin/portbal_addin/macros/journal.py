"""What the journal holds of the last rebalances, and whether it is as it was sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from portbal.journal import Journal, Record
from portbal_addin.block import Cell
from portbal_addin.book import Book, Changes
from portbal_addin.macros.commands import command
from portbal_addin.macros.writing import results, said, table_of

_HEADER = ("Number", "When", "Who", "What", "Workbook", "Orders", "Cash")
_MOST = 20


@command(
    "journal", label="Journal", group="Help", image="VersionHistory",
    tip="The last rebalances and undos, and whether the journal is sound.",
    about="Writes JournalList: the last 20 records of this workbook in your journal, the newest "
          "first, with number, when, who, what, orders and the cash left. Says whether each record "
          "is as it was sealed.",
)
def journal(book: Book) -> Changes:
    """The journal -> JournalList."""
    kept = book.kept()
    found = kept.journal
    own = [r for r in found.records if r.content.get("workbook") == book.name]
    rows = [_row(record) for record in reversed(own[-_MOST:])]
    listed = table_of(_HEADER, rows or [("none", *(None,) * 6)])
    written = results(book, {"JournalList": listed})
    at = (f"The journal is {kept.place}.",) if kept.place else ()
    return Changes(_said(found), (("Journal", listed),), written.writes,
                   notes=(*at, *said(written.live)))


def _said(found: Journal) -> str:
    count = len(found.records)
    if found.fault is not None:
        return f"The journal has been changed: {found.fault}."
    sealed = f"{count} record{'' if count == 1 else 's'}"
    if found.torn:
        return (f"The journal is sound: {sealed}, and one at its end that was never completed. "
                "Nothing before it is lost.")
    return f"The journal is sound: {sealed}." if count else "The journal is empty."


def _row(record: Record) -> tuple[Cell, ...]:
    content = record.content
    return (float(record.number), _when(content), _text(content, "who"), _text(content, "kind"),
            _text(content, "workbook"), _orders(content), _cash(content))


def _text(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    return value if isinstance(value, str) else None


def _when(content: Mapping[str, Any]) -> str | None:
    """To the second, in UTC, as the record says."""
    value = _text(content, "when")
    if value is None:
        return None
    try:
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return value


def _orders(content: Mapping[str, Any]) -> float | None:
    """How many there were; an undo has none."""
    rows = content.get("orders")
    return float(len(rows) - 1) if isinstance(rows, list) and rows else None


def _cash(content: Mapping[str, Any]) -> float | None:
    """What was left after the orders."""
    amounts = content.get("cash")
    last = amounts[-1] if isinstance(amounts, list) and amounts else None
    return float(last) if isinstance(last, (int, float)) else None
