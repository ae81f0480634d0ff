"""What now asks for action: the holdings at the newest prices against target, bands, limits,
tracking error, stops and targets of profit."""

from __future__ import annotations

from portbal.errors import InputError
from portbal.labels import key
from portbal_addin.block import Block, Cell, date_of, is_blank, label_text
from portbal_addin.book import Book, Changes
from portbal_addin.codecs.cells import number
from portbal_addin.macros import holdings as held
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.risk import limits_at
from portbal_addin.macros.writing import results, said, table_of

# Now, From, To are in the unit of the band or limit, most of them fractions.
_HEADER = ("What", "Where", "Now", "From", "To", "Price", "Level", "Action")
_MOVED = 0.005  # of tracking error, where the workbook has no name TrackingBand
# The limits whose values are no fractions.
_COUNTS = ("effective number", "holdings", "days to liquidate", "beta", "exposure",
           "active exposure")


@command(
    "monitor", label="Monitor", group="Risk", image="WatchWindow",
    needs=("DRIFT", "CHECKLIMITS", "TRACKINGERROR"),
    tip="What asks for action at the newest prices.",
    about="Values Holdings at the last row of Prices and lists in Monitor what asks for action: "
          "weights beyond their bands, limits breached, tracking error that moved, stops (Stops) "
          "and targets (Targets) touched, each with the action due.",
)
def monitor(book: Book) -> Changes:
    """Holdings, Prices, Weights, Limits, Assets, Stops, Targets -> Monitor."""
    target = reading.sound(reading.required(book, "Weights"))
    now, day = held.newest(book)
    weights = held.weights(book, held.values(now), held.spelled(now))
    rows = [*_drift(book, now.block, target), *_breaches(book, weights),
            *_tracking(book, weights, target), *_touched(book, now, "Stops", "Stop"),
            *_touched(book, now, "Targets", "Target")]
    found = table_of(_HEADER, rows or [("All", "none", *(None,) * 6)])
    written = results(book, {"Monitor": found})
    at = f" at the prices of {day:%Y-%m-%d}" if day else ""
    status = f"{len(rows)} to act on{at}." if rows else f"Nothing to act on{at}."
    return Changes(status, (("Monitor", found),), written.writes, notes=said(written.live))


def _columns(block: Block) -> dict[str, int]:
    return {key(label_text(cell)): at for at, cell in enumerate(block.rows[0])}


def _drift(book: Book, holdings: Block, target: Block) -> list[tuple[Cell, ...]]:
    """Assets beyond their bands; DRIFT says what to do and where the band ends."""
    kind = reading.text(book, "BandKind", "absolute")
    cov = reading.covariance(book) if key(kind) == "volatility" else None
    drift = reading.call("DRIFT", holdings, target, reading.table(book, "Band"), kind, cov).block
    rows: list[tuple[Cell, ...]] = []
    for asset, current, _, change, low, high, action in drift.rows[1:]:
        if action != "hold":
            rows.append(("Drift", asset, current, low, high, None, None,
                         f"{action} {_size(change)} to reach its target"))
    return rows


def _breaches(book: Book, weights: Block) -> list[tuple[Cell, ...]]:
    if reading.table(book, "Limits") is None or reading.table(book, "Assets") is None:
        return []
    return [
        ("Limit", limit, value, low, high, None, None,
         _back(label_text(limit), value, high, headroom))
        for limit, value, low, high, headroom, status in limits_at(book, weights).rows[1:]
        if status == "breach"
    ]


def _back(limit: str, value: Cell, high: Cell, headroom: Cell) -> str:
    """Which way, and how far, a limit that is breached is to be brought back."""
    numbers = isinstance(value, (int, float)) and isinstance(high, (int, float))
    way = "lower" if numbers and value > high else "raise"  # type: ignore[operator]
    if limit.startswith(_COUNTS) and isinstance(headroom, (int, float)):
        return f"{way} it by {abs(headroom):.4g}"
    return f"{way} it by {_size(headroom)}"


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
    return [("Tracking error", "portfolio", now, max(wanted - band, 0.0), wanted + band, None,
             None, f"rebalance: it is {_size(now - wanted)} from that of the target")]


def _touched(book: Book, holdings: held.Table, name: str, title: str) -> list[tuple[Cell, ...]]:
    """Positions whose newest price is at or beyond their stop or target, and those whose
    trailing stop was triggered. A short position is hurt from above."""
    block = reading.table(book, name)
    if block is None:
        return []
    block = reading.sound(block).trimmed()
    titles = _columns(block)
    if "asset" not in titles or key(title) not in titles:
        raise InputError(f"{name} has no column {'Asset' if 'asset' not in titles else title}",
                         fix=f"Use the header Asset, {title}.")
    found: list[tuple[Cell, ...]] = []
    for index in range(1, block.height):
        asset, level = block.rows[index][titles["asset"]], block.rows[index][titles[key(title)]]
        row = None if is_blank(asset) else holdings.rows.get(key(label_text(asset)))
        if row is None or is_blank(level):
            continue
        quantity, price = (holdings.number(row, t) for t in ("Quantity", "Price"))
        bound = number(block, index, titles[key(title)])
        since = block.rows[index][titles["triggered on"]] if "triggered on" in titles else None
        below = (quantity > 0) == (title == "Stop")
        touched = price <= bound if below else price >= bound
        if not quantity or not (touched or not is_blank(since)):
            continue
        side = f"{'sell' if quantity > 0 else 'buy back'} {abs(quantity):,.10g}"
        day = None if is_blank(since) else date_of(since, block.date1904)
        when = f", triggered on {day:%Y-%m-%d}" if day else ""
        found.append((title, label_text(asset), None, None, None, price, bound,
                      f"{side}: its {title.lower()} is touched{when}"))
    return found


def _size(value: Cell) -> str:
    return f"{abs(value):.2%}" if isinstance(value, (int, float)) else ""
