"""What the target and the current portfolio may lose, and whether they keep the limits."""

from __future__ import annotations

from portbal_addin.block import Block, Cell
from portbal_addin.book import Book, Changes
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.holdings import current_weights
from portbal_addin.macros.views import expected_returns
from portbal_addin.macros.writing import results, said, table_of

_TAILS = (("historical", 0.95), ("historical", 0.99), ("normal", 0.95), ("normal", 0.99))
_RATE = "fraction a year"


@command(
    "risk report", label="Risk report", group="Risk", image="ChartTypeColumnInsertGallery",
    needs=("PORTRETURN", "PORTVOLATILITY", "SHARPE", "VAR", "CVAR", "RISKCONTRIBUTION"),
    tip="Return, volatility, VaR, CVaR and what each asset adds.",
    about="Writes RiskSummary (current, benchmark and target side by side), TailRisk and "
          "RiskContributions of the target. VaR and CVaR are losses per return period.",
)
def risk_report(book: Book) -> Changes:
    """Weights, ExpectedReturns, Covariance, Returns -> RiskSummary, TailRisk, RiskContributions."""
    target = reading.sound(reading.required(book, "Weights"))
    cov = reading.covariance(book)
    returns = reading.returns(book)
    summary = _summary(book, target, cov, returns)
    tails: list[tuple[Cell, ...]] = [
        (method, level, *(reading.call(name, returns, target, level, method).block.rows[0][0]
                          for name in ("VAR", "CVAR")))
        for method, level in _TAILS
    ]
    blocks = {
        "RiskSummary": summary,
        "TailRisk": table_of(("Method", "Level", "VaR", "CVaR"), tails),
        "RiskContributions": reading.call("RISKCONTRIBUTION", target, cov).block,
    }
    written = results(book, blocks)
    return Changes(
        "Risk of the target, the current portfolio and the benchmark.",
        (("Return and risk", summary), ("VaR and CVaR of the target", blocks["TailRisk"]),
         ("Contributions to volatility", blocks["RiskContributions"])),
        written.writes, notes=said(written.live),
    )


def _summary(book: Book, target: Block, cov: Block, returns: Block) -> Block:
    """A column a portfolio; blank where the workbook has none."""
    mu = expected_returns(book)
    riskfree = reading.number(book, "RiskFree", 0.0)
    portfolios = (current_weights(book), reading.benchmark(book), target)
    calls = (
        ("Expected return", _RATE, lambda w: reading.call("PORTRETURN", w, mu)),
        ("Volatility", _RATE, lambda w: reading.call("PORTVOLATILITY", w, cov)),
        ("Sharpe ratio", "ratio", lambda w: reading.call("SHARPE", w, mu, cov, riskfree)),
        ("VaR, historical, 95%", "loss, fraction", lambda w: reading.call("VAR", returns, w)),
        ("CVaR, historical, 95%", "loss, fraction", lambda w: reading.call("CVAR", returns, w)),
    )
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
    estimated = reading.has_history(book)
    knows_risk = estimated or reading.table(book, "Covariance") is not None
    knows_return = estimated or reading.table(book, "ExpectedReturns") is not None
    return reading.call(
        "CHECKLIMITS", weights, reading.required(book, "Limits"),
        reading.required(book, "Assets"), reading.covariance(book) if knows_risk else None,
        reading.returns(book) if estimated else None, None,
        expected_returns(book) if knows_return else None,
    ).block
