"""What the target loses in scenarios, and which limit breaks in them."""

from __future__ import annotations

from portbal.errors import InputError
from portbal.labels import key
from portbal_addin.block import Block, Cell, is_blank, label_text
from portbal_addin.book import Book, Changes
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.holdings import current_weights
from portbal_addin.macros.risk import estimates
from portbal_addin.macros.writing import results, said, table_of

_STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


@command(
    "stress", label="Stress", group="Risk", image="HighImportance",
    needs=("STRESS", "STRESSLIMITS", "SCENARIOSHOCKS", "STRESSCORRELATION", "REVERSESTRESS"),
    tip="Loss in each scenario, and which limit breaks in it.",
    about="Scenarios are the rows of Shocks (Scenario, Where, Shock) and the windows of the past "
          "that the returns cover. Writes ScenarioLosses, StressMatrix (a row a limit, a column a "
          "scenario), StressedAssets (what each asset loses), WindowShocks, ReverseStress (the "
          "likeliest move that loses ReverseLoss within ReverseDays) and StressedVolatility (with "
          "correlations moved towards StressedCorrelation).",
)
def stress(book: Book) -> Changes:
    """Weights, Limits, Assets, Shocks, Returns, Covariance -> ScenarioLosses, StressMatrix,
    StressedAssets, WindowShocks, ReverseStress, StressedVolatility."""
    target = reading.sound(reading.required(book, "Weights"))
    limits, assets = (reading.sound(reading.required(book, name)) for name in ("Limits", "Assets"))
    given = reading.table(book, "Shocks")
    windows, notes = _windows(book)
    if given is None and windows is None:
        given = reading.required(book, "Shocks")
    shocks, more = (given, windows) if given is not None else (windows, None)
    assert shocks is not None
    known = estimates(book)
    summary, matrix = (
        reading.call("STRESSLIMITS", target, limits, assets, shocks, show, *known, more)
        for show in ("scenarios", "matrix")
    )
    blocks = {
        "ScenarioLosses": summary.block, "StressMatrix": matrix.block,
        "StressedAssets": _by_asset(target, assets, [s for s in (shocks, more) if s is not None]),
    }
    if windows is not None:
        blocks["WindowShocks"] = windows
    blocks |= _of_covariance(book, target, known[0])
    written = results(book, blocks)
    rows = summary.block.rows[1:]
    worst = max(rows, key=lambda row: float(row[1]) if isinstance(row[1], (int, float)) else 0.0)
    return Changes(
        f"{len(rows)} scenario{'s' if len(rows) > 1 else ''}, limits break in "
        f"{sum(bool(row[2]) for row in rows)}; the worst is {worst[0]}: the target loses "
        f"{worst[1]:.2%}.",
        tuple((title, blocks[name]) for name, title in _TITLES.items() if name in blocks),
        written.writes, notes=(*notes, *summary.notes, *said(written.live)),
    )


_TITLES = {
    "ScenarioLosses": "Loss, and the limits that break",
    "StressMatrix": "Which limit breaks in which scenario",
    "ReverseStress": "The likeliest way to lose this much",
    "StressedVolatility": "Volatility when correlations rise",
}


def _windows(book: Book) -> tuple[Block | None, tuple[str, ...]]:
    """The shocks of past windows; None, with a note that says why, where there are none."""
    if not reading.has_history(book):
        return None, ("There are no returns, so no windows of the past.",)
    try:
        found = reading.call("SCENARIOSHOCKS", reading.returns(book))
    except InputError as error:
        return None, (f"No windows of the past: {error}",)
    return found.block, found.notes


def _by_asset(target: Block, assets: Block, shocks: list[Block]) -> Block:
    """Asset, Weight, then what each asset loses in each scenario."""
    scenarios: dict[str, tuple[str, list[tuple[Cell, ...]]]] = {}
    for block in shocks:
        table = block.trimmed()
        titles = [key(label_text(cell)) for cell in table.rows[0]]
        scenario, where, shock = (titles.index(t) for t in ("scenario", "where", "shock"))
        name = ""
        for row in table.rows[1:]:
            if all(is_blank(cell) for cell in row):
                continue
            name = name if is_blank(row[scenario]) else label_text(row[scenario])
            scenarios.setdefault(key(name), (name, []))[1].append((row[where], row[shock]))
    columns: list[tuple[Cell, ...]] = []
    for title, rows in scenarios.values():
        lost = reading.call("STRESS", target, table_of(("Where", "Shock"), rows), assets).block
        if not columns:
            columns = [tuple(row[at] for row in lost.rows) for at in (0, 1)]
        columns.append((title, *(row[3] for row in lost.rows[1:])))
    return Block.of(list(zip(*columns, strict=True)))


def _of_covariance(book: Book, target: Block, cov: Block | None) -> dict[str, Block]:
    """Reverse stress, and volatility when correlations rise; nothing without a covariance."""
    if cov is None:
        return {}
    loss, days = reading.number(book, "ReverseLoss", 0.2), reading.number(book, "ReverseDays", 21)
    correlation = reading.number(book, "StressedCorrelation", 0.9)
    portfolios = (current_weights(book), target)
    rows: list[tuple[Cell, ...]] = []
    for strength in _STRENGTHS:
        moved = reading.call("STRESSCORRELATION", cov, correlation, strength).block
        rows.append((strength, *(
            None if w is None else reading.call("PORTVOLATILITY", w, moved).block.rows[0][0]
            for w in portfolios)))
    return {
        "ReverseStress": reading.call("REVERSESTRESS", target, cov, loss, days).block,
        "StressedVolatility": table_of(("Strength", "Current", "Target"), rows),
    }
