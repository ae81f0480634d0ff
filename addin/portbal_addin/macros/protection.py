"""What protects the positions: stops, targets of profit, and how fast all of it is cash."""

from __future__ import annotations

import datetime as dt

from portbal.errors import InputError
from portbal.labels import key, shorten
from portbal_addin.block import Block, is_blank, label_text
from portbal_addin.book import Book, Changes
from portbal_addin.macros import holdings as held
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.views import expected_returns
from portbal_addin.macros.writing import results, said

PARTICIPATION = 0.2  # where the workbook has no name Participation
_OPTIONS = ("method", "days", "k", "level", "budget", "groups", "gap", "tick", "target days")
_SOON = 5.0  # the days of the ladder that the status line tells


@command(
    "stops and targets", label="Stops and targets", group="Risk", image="RulesAndAlerts",
    needs=("STOPLOSS", "TAKEPROFIT"),
    tip="At which prices positions are sold, for loss and for profit.",
    about="Writes Stops and Targets at the newest prices, which Monitor then watches, with the "
          "chance to touch each target before its stop. StopOptions says how far stops are and "
          "what all of them together may lose.",
)
def stops_and_targets(book: Book) -> Changes:
    """Holdings, Prices, Covariance, ExpectedReturns, StopOptions -> Stops, Targets."""
    table, day = held.newest(book)
    options = reading.options(book, "StopOptions", _OPTIONS)
    holdings = held.in_own_currency(held.with_cash(book, table))
    cov = reading.covariance(book)
    ticks = options.get("tick", _column_of_assets(book, "Tick", "Tick"))
    area = book.find("Stops")
    notes: tuple[str, ...] = ()
    earlier = None
    if area is not None and reading.is_live(book, area):
        stops = reading.sound(book.block(area)).trimmed()
    else:
        answer = reading.call(
            "STOPLOSS", holdings.block, cov, options.get("method"), options.get("days"),
            options.get("k"), options.get("level"), options.get("budget"), _groups(book, options),
            ticks, options.get("gap"))
        stops, notes, earlier = answer.block, answer.notes, reading.table(book, "Stops")
    profits = reading.call(
        "TAKEPROFIT", holdings.block, expected_returns(book), cov, options.get("target days"),
        _levels(stops, holdings), ticks)
    written = results(book, {"Stops": stops, "Targets": profits.block})
    return Changes(
        f"{_count(stops, 'Stop')} stops and {_count(profits.block, 'Target')} targets"
        f"{_at(day)}{_together(stops)}.",
        (("Stops", stops), ("Targets", profits.block)), written.writes,
        notes=(*notes, *profits.notes, *_moved_away(earlier, stops, holdings),
               *said(written.live)),
    )


def _groups(book: Book, options: dict[str, str | float | bool]) -> Block | None:
    """Asset and group for each asset that has one; None where the budget is not shared so."""
    title = options.get("groups")
    if title is None:
        return None
    reading.required(book, "Assets")
    found = _column_of_assets(book, str(title), "Group")
    if found is None:
        raise InputError(f"StopOptions: Assets has no column {shorten(title)}",
                         fix="Name a column of Assets that groups them, such as Sector.")
    return found


def _column_of_assets(book: Book, title: str, name: str) -> Block | None:
    """Asset and one column of Assets, without the rows where it is blank."""
    assets = reading.table(book, "Assets")
    found = None if assets is None else reading.column(reading.sound(assets), title, name)
    return None if found is None else Block.of(
        [row for row in found.rows if not is_blank(row[1])])


def _levels(stops: Block, holdings: held.Table) -> Block | None:
    """Asset and stop of what is held; TAKEPROFIT knows no other asset."""
    found = reading.column(stops, "Stop", "Stop")
    rows = () if found is None else found.rows[1:]
    kept = [row for row in rows
            if key(label_text(row[0])) in holdings.rows and not is_blank(row[1])]
    return Block.of([("Asset", "Stop"), *kept]) if kept else None


def _count(block: Block, title: str) -> int:
    found = reading.column(block, title)
    return 0 if found is None else sum(not is_blank(level) for _, level in found.rows[1:])


def _together(stops: Block) -> str:
    """What all stops lose together; nothing to say where the table does not tell it."""
    found = reading.column(stops, "Loss if hit")
    losses = [] if found is None else [x for _, x in found.rows[1:] if isinstance(x, (int, float))]
    return f"; all stops together lose {sum(losses):.2%} of net assets" if losses else ""


def _moved_away(earlier: Block | None, stops: Block, holdings: held.Table) -> tuple[str, ...]:
    """Stops that give a position more room than the ones they replace."""
    old = None if earlier is None else reading.column(earlier, "Stop")
    new = reading.column(stops, "Stop")
    if old is None or new is None:
        return ()
    before = {key(label_text(asset)): level for asset, level in old.rows[1:]}
    wider = []
    for asset, level in new.rows[1:]:
        last, row = before.get(key(label_text(asset))), holdings.rows.get(key(label_text(asset)))
        if row is None or not (isinstance(level, float) and isinstance(last, (int, float))):
            continue
        side = 1 if holdings.number(row, "Quantity") > 0 else -1
        if side * (last - level) > abs(level) * 1e-9:
            wider.append(f"{label_text(asset)} {last:,.10g} to {level:,.10g}")
    return () if not wider else (
        f"Stops that moved away from the price: {', '.join(wider)}. TRAILINGSTOP never does that.",)


def _at(day: dt.date | None) -> str:
    return "" if day is None else f" at the prices of {day:%Y-%m-%d}"


@command(
    "liquidity", label="Liquidity", group="Risk", image="ChartTypeBarInsertGallery",
    needs=("LIQUIDITY",),
    tip="How long it takes to sell each holding, and what is cash by when.",
    about="Needs the column ADV of Assets: the value traded a day. Writes Liquidity (days and tier "
          "of each holding, at the newest prices) and LiquidityLadder (what part is cash within 1, "
          "5, 20 and 60 days). Participation is the share of a day's trading.",
)
def liquidity(book: Book) -> Changes:
    """Holdings, Prices, Cash, Assets, Participation -> Liquidity, LiquidityLadder."""
    table, day = held.newest(book)
    holdings = held.with_cash(book, table).block
    assets = with_volumes(book)
    share = participation(book)
    by_asset, ladder = (reading.call("LIQUIDITY", holdings, assets, share, show)
                        for show in ("assets", "ladder"))
    written = results(book, {"Liquidity": by_asset.block, "LiquidityLadder": ladder.block})
    soon = dict(_numbers(ladder.block))[_SOON]
    return Changes(
        f"{soon:.2%} of net assets are cash within {_SOON:g} days{_at(day)}.",
        (("Liquidity", by_asset.block), ("Cash within so many days", ladder.block)),
        written.writes, notes=(*by_asset.notes, *said(written.live)),
    )


def participation(book: Book) -> float:
    """The share of a day's trading that one may be."""
    return reading.number(book, "Participation", PARTICIPATION)


def with_volumes(book: Book) -> Block:
    """Assets, which have a column ADV; InputError where they have none."""
    assets = reading.sound(reading.required(book, "Assets"))
    if reading.column(assets, "ADV") is None:
        where = assets.address.cell(0, 0) if assets.address else "it"
        raise InputError(
            f"Assets ({where}) has no column ADV",
            fix="Add a column with the header ADV: what is traded of each asset a day, in money.")
    return assets


def _numbers(block: Block) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in block.rows[1:]
            if isinstance(a, (int, float)) and isinstance(b, (int, float))]
