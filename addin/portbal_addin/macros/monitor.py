"""What now asks for action: the holdings at the newest prices against target, bands, limits."""

from __future__ import annotations

from portbal.labels import key
from portbal_addin.block import Block, Cell, label_text
from portbal_addin.book import Book, Changes
from portbal_addin.codecs.cells import number
from portbal_addin.macros import holdings as held
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.risk import limits_at
from portbal_addin.macros.writing import results, said, table_of

_HEADER = ("What", "Where", "Now", "From", "To", "Action")
_MOVED = 0.005  # of tracking error, where the workbook has no name TrackingBand


@command(
    "monitor", label="Monitor", group="Risk", image="WatchWindow",
    needs=("DRIFT", "CHECKLIMITS", "TRACKINGERROR"),
    tip="What asks for action at the newest prices.",
    about="Values Holdings at the last row of Prices and lists in Monitor what asks for action: "
          "weights beyond their bands, limits breached, tracking error that moved, each with the "
          "action due.",
)
def monitor(book: Book) -> Changes:
    """Holdings, Prices, Weights, Limits, Assets -> Monitor."""
    target = reading.sound(reading.required(book, "Weights"))
    now, day = held.newest(book)
    worth = _worth(now)
    weights = held.weights(book, worth, {key(a): a for a in _names(now)})
    rows = [*_drift(book, now, target), *_breaches(book, weights),
            *_tracking(book, weights, target)]
    found = table_of(_HEADER, rows or [("All", "none", None, None, None, None)])
    written = results(book, {"Monitor": found})
    at = f" at the prices of {day}" if day else ""
    status = f"{len(rows)} to act on{at}." if rows else f"Nothing to act on{at}."
    return Changes(status, (("Monitor", found),), written.writes, notes=said(written.live))


def _names(holdings: Block) -> list[str]:
    at = _columns(holdings)["asset"]
    return [label_text(row[at]) for row in holdings.rows[1:] if row[at] is not None]


def _columns(block: Block) -> dict[str, int]:
    return {key(label_text(cell)): at for at, cell in enumerate(block.rows[0])}


def _worth(holdings: Block) -> dict[str, float]:
    at = _columns(holdings)
    result = {}
    for row in range(1, holdings.height):
        name = holdings.rows[row][at["asset"]]
        if name is not None:
            result[key(label_text(name))] = (
                number(holdings, row, at["quantity"]) * number(holdings, row, at["price"])
            )
    return result


def _drift(book: Book, holdings: Block, target: Block) -> list[tuple[Cell, ...]]:
    """Assets beyond their bands; DRIFT says what to do and where the band ends."""
    kind = reading.text(book, "BandKind", "absolute")
    cov = reading.covariance(book) if key(kind) == "volatility" else None
    drift = reading.call("DRIFT", holdings, target, reading.table(book, "Band"), kind, cov).block
    rows: list[tuple[Cell, ...]] = []
    for asset, current, _, change, low, high, action in drift.rows[1:]:
        if action != "hold":
            rows.append(("Drift", asset, current, low, high,
                         f"{action} {_size(change)} to reach its target"))
    return rows


def _breaches(book: Book, weights: Block) -> list[tuple[Cell, ...]]:
    if reading.table(book, "Limits") is None or reading.table(book, "Assets") is None:
        return []
    return [
        ("Limit", limit, value, low, high, f"bring back by {_size(headroom)}")
        for limit, value, low, high, headroom, status in limits_at(book, weights).rows[1:]
        if status == "breach"
    ]


def _tracking(book: Book, weights: Block, target: Block) -> list[tuple[Cell, ...]]:
    """Tracking error against the benchmark, where it is further from that of the target than
    the cell TrackingBand (0.5% where there is none) allows."""
    benchmark = reading.benchmark(book)
    if benchmark is None:
        return []
    cov = reading.covariance(book)
    now, wanted = (
        number(reading.call("TRACKINGERROR", w, benchmark, cov).block, 0, 0)
        for w in (weights, target)
    )
    band = reading.number(book, "TrackingBand", _MOVED)
    if abs(now - wanted) <= band:
        return []
    return [("Tracking error", "portfolio", now, max(wanted - band, 0.0), wanted + band,
             f"rebalance: it is {_size(now - wanted)} from that of the target")]


def _size(value: Cell) -> str:
    return f"{abs(value):.2%}" if isinstance(value, (int, float)) else ""
