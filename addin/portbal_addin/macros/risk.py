"""What the target and the current portfolio may lose, and whether they keep the limits."""

from __future__ import annotations

from collections.abc import Callable

from portbal.errors import UserError
from portbal.labels import key
from portbal_addin.block import Block, Cell, is_blank, label_text
from portbal_addin.book import Book, Changes
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.holdings import current_weights
from portbal_addin.macros.views import expected_returns
from portbal_addin.macros.writing import results, said, table_of
from portbal_addin.registry import Answer

_RATE = "fraction a year"
_LOSS = "loss a period, fraction"
_TESTED_AT = 0.99
_WINDOW = 250


@command(
    "risk report", label="Risk report", group="Risk", image="ChartTypeColumnInsertGallery",
    needs=("PORTRETURN", "PORTVOLATILITY", "SHARPE", "RISKTABLE", "RISKCONTRIBUTION",
           "TAILCONTRIBUTION", "INCREMENTALRISK", "VARTEST", "DRAWDOWN", "STRESSEDVAR",
           "CORRELATIONSHIFT"),
    tip="Return, VaR and CVaR by every method, where risk comes from, backtests.",
    about="Writes RiskSummary (current, benchmark and target side by side) and, of the target, "
          "TailRisk by all methods, RiskContributions, TailContributions and IncrementalRisk by "
          "asset, SectorContributions and SectorTailContributions by the column Sector of Assets "
          "(else its first grouping), HistoricalBacktest, NormalBacktest, Drawdowns, StressedVaR; "
          "CorrelationShift. VaR and CVaR are losses per return period.",
)
def risk_report(book: Book) -> Changes:
    """Weights, ExpectedReturns, Covariance, Returns, Assets -> RiskSummary and all that
    `_report` lists."""
    target = reading.sound(reading.required(book, "Weights"))
    cov = reading.covariance(book)
    returns = reading.returns(book)
    blocks = {"RiskSummary": _summary(book, target, cov, returns)}
    notes: dict[str, str] = {}  # by what they say: of a group as of its assets
    for name, ask in _report(target, cov, returns, _sectors(book)).items():
        try:
            found = ask()
        except UserError as error:
            notes.setdefault(str(error), f"{name} is left out: {error}")
            continue
        blocks[name] = found.block
        for note in found.notes:
            notes.setdefault(note, f"{name}: {note}")
    written = results(book, blocks)
    return Changes(
        "Risk of the target, the current portfolio and the benchmark.",
        tuple((_TITLES[name], block) for name, block in blocks.items() if name in _TITLES),
        written.writes, notes=(*notes.values(), *said(written.live)),
    )


_TITLES = {
    "RiskSummary": "Return and risk",
    "TailRisk": "VaR and CVaR of the target",
    "RiskContributions": "Contributions to volatility",
    "TailContributions": "Contributions to VaR and CVaR, historical 95%",
    "SectorContributions": "Contributions to volatility by group",
    "SectorTailContributions": "Contributions to VaR and CVaR by group",
    "HistoricalBacktest": "Backtest of the historical VaR, 99%",
    "NormalBacktest": "Backtest of the normal VaR, 99%",
    "Drawdowns": "Deepest falls of the target",
    "StressedVaR": "VaR and CVaR in the worst 250 periods and the latest",
}


def _report(
    target: Block, cov: Block, returns: Block, sectors: Block | None
) -> dict[str, Callable[[], Answer]]:
    """What the report asks about the target, by the name of its result."""
    asked: dict[str, Callable[[], Answer]] = {
        "TailRisk": lambda: reading.call("RISKTABLE", returns, target),
        "RiskContributions": lambda: reading.call("RISKCONTRIBUTION", target, cov),
        "TailContributions": lambda: reading.call("TAILCONTRIBUTION", returns, target),
        "IncrementalRisk": lambda: reading.call("INCREMENTALRISK", target, cov),
        "HistoricalBacktest": lambda: _backtest(target, returns, "historical"),
        "NormalBacktest": lambda: _backtest(target, returns, "normal"),
        "Drawdowns": lambda: reading.call("DRAWDOWN", returns, target),
        "StressedVaR": lambda: reading.call("STRESSEDVAR", returns, target, None, _WINDOW),
        "CorrelationShift": lambda: reading.call("CORRELATIONSHIFT", returns),
    }
    if sectors is not None:
        asked["SectorContributions"] = lambda: reading.call(
            "RISKCONTRIBUTION", target, cov, sectors)
        asked["SectorTailContributions"] = lambda: reading.call(
            "TAILCONTRIBUTION", returns, target, None, None, sectors)
    return asked


def _backtest(target: Block, returns: Block, method: str) -> Answer:
    var, cvar = (reading.call(name, returns, target, _TESTED_AT, method).block
                 for name in ("VAR", "CVAR"))
    return reading.call("VARTEST", returns, var, _TESTED_AT, _WINDOW, cvar, target)


def _sectors(book: Book) -> Block | None:
    """Asset and Group: the column Sector of Assets, else the first column of texts there."""
    assets = reading.table(book, "Assets")
    if assets is None:
        return None
    block = reading.sound(assets).trimmed()
    titles = [label_text(cell) for cell in block.rows[0]]
    groupings = [
        title for at, title in enumerate(titles) if at and title and all(
            isinstance(row[at], str) or is_blank(row[at]) for row in block.rows[1:])
    ]
    groupings.sort(key=lambda title: key(title) != "sector")
    found = [reading.column(block, title, "Group") for title in groupings]
    return next((column for column in found if column is not None), None)


def _summary(book: Book, target: Block, cov: Block, returns: Block) -> Block:
    """A column a portfolio; blank where the workbook has none."""
    mu = expected_returns(book)
    riskfree = reading.number(book, "RiskFree", 0.0)
    benchmark = reading.benchmark(book)
    portfolios = (current_weights(book), benchmark, target)
    calls: list[tuple[str, str, Callable[[Block], Answer]]] = [
        ("Expected return", _RATE, lambda w: reading.call("PORTRETURN", w, mu)),
        ("Volatility", _RATE, lambda w: reading.call("PORTVOLATILITY", w, cov)),
        ("Sharpe ratio", "ratio", lambda w: reading.call("SHARPE", w, mu, cov, riskfree)),
        ("VaR, historical, 95%", _LOSS, lambda w: reading.call("VAR", returns, w)),
        ("CVaR, historical, 95%", _LOSS, lambda w: reading.call("CVAR", returns, w)),
    ]
    if benchmark is not None:
        calls += [
            ("Tracking error", _RATE,
             lambda w: reading.call("TRACKINGERROR", w, benchmark, cov)),
            ("Beta to the benchmark", "ratio", lambda w: reading.call("BETA", w, benchmark, cov)),
            ("Active share", "fraction", lambda w: reading.call("ACTIVESHARE", w, benchmark)),
        ]
    rows: list[tuple[Cell, ...]] = [
        (title, unit, *(None if w is None else ask(w).block.rows[0][0] for w in portfolios))
        for title, unit, ask in calls
    ]
    return table_of(("Measure", "Unit", "Current", "Benchmark", "Target"), rows)


@command(
    "check limits", label="Check limits", group="Risk", image="ReviewAcceptChange",
    needs=("CHECKLIMITS",),
    tip="Every limit with its value, headroom and status.",
    about="Checks the target and the current weights. Writes TargetLimits and CurrentLimits, with "
          "the status ok, at limit or breach.",
)
def check_limits(book: Book) -> Changes:
    """Weights, Limits, Assets -> TargetLimits, CurrentLimits."""
    checked = {}
    for name, weights in (
        ("TargetLimits", reading.table(book, "Weights")), ("CurrentLimits", current_weights(book))
    ):
        if weights is not None:
            checked[name] = limits_at(book, reading.sound(weights))
    if not checked:
        reading.required(book, "Weights")
    written = results(book, checked)
    breaches = {name: sum(row[5] == "breach" for row in block.rows)
                for name, block in checked.items()}
    titles = {"TargetLimits": "Limits: target", "CurrentLimits": "Limits: current"}
    return Changes(
        "Limits breached: " + ", ".join(
            f"{titles[name].rpartition(' ')[2]} {count}" for name, count in breaches.items()) + ".",
        tuple((titles[name], block) for name, block in checked.items()),
        written.writes, notes=said(written.live),
    )


def limits_at(book: Book, weights: Block) -> Block:
    """CHECKLIMITS of these weights, with all that the workbook knows."""
    return reading.call(
        "CHECKLIMITS", weights, reading.required(book, "Limits"),
        reading.required(book, "Assets"), *estimates(book),
    ).block


def estimates(book: Book) -> tuple[Block | None, Block | None, None, Block | None]:
    """Covariance, returns, periods and expected returns, as functions that check limits take
    them: what the workbook knows."""
    estimated = reading.has_history(book)
    knows_risk = estimated or reading.table(book, "Covariance") is not None
    knows_return = estimated or reading.table(book, "ExpectedReturns") is not None
    return (reading.covariance(book) if knows_risk else None,
            reading.returns(book) if estimated else None, None,
            expected_returns(book) if knows_return else None)
