"""The target weights, and the frontier they lie on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portbal.errors import NotAvailable
from portbal.labels import key, shorten
from portbal.objectives import parse
from portbal_addin.block import Block
from portbal_addin.book import Book, Changes
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.views import expected_returns
from portbal_addin.macros.writing import results, said
from portbal_addin.registry import Answer


@dataclass(frozen=True)
class _Inputs:
    """Read when an objective needs them, since the rest may not be in the workbook."""

    book: Book
    number: float

    @property
    def mu(self) -> Block:
        return expected_returns(self.book)

    @property
    def cov(self) -> Block:
        return reading.covariance(self.book)

    @property
    def returns(self) -> Block:
        return reading.returns(self.book)

    @property
    def limits(self) -> tuple[Block | None, Block | None]:
        return reading.table(self.book, "Limits"), reading.table(self.book, "Assets")


# Kind of objective -> the function that finds its weights, and the arguments of that.
_SOLVED: dict[str, tuple[str, Callable[[_Inputs], tuple[Block | float | None, ...]]]] = {
    "max sharpe": ("MAXSHARPE", lambda x: (x.mu, x.cov, x.number, *x.limits)),
    "min volatility": ("MINVOLATILITY", lambda x: (x.cov, *x.limits)),
    "max return": ("MAXRETURN", lambda x: (x.mu, x.cov, *x.limits)),
    "target return": ("TARGETRETURN", lambda x: (x.mu, x.cov, x.number, *x.limits)),
    "target volatility": ("TARGETVOLATILITY", lambda x: (x.mu, x.cov, x.number, *x.limits)),
    "max utility": ("MAXUTILITY", lambda x: (x.mu, x.cov, x.number, *x.limits)),
    "min cvar": ("MINCVAR", lambda x: (x.returns, x.number, None, *x.limits)),
    "risk parity": ("RISKPARITY", lambda x: (x.cov,)),
    "hrp": ("HRP", lambda x: (x.cov,)),
}


@command(
    "optimise", label="Optimise", group="Optimise", image="Calculator",
    needs=("MAXSHARPE", "MINVOLATILITY"),
    tip="Find the best weights that keep every limit.",
    about="Writes Weights for the cell Objective (max sharpe where there is none), from "
          "ExpectedReturns, Covariance, Limits and Assets. Trades nothing.",
)
def optimise(book: Book) -> Changes:
    """ExpectedReturns, Covariance, Limits, Assets -> Weights."""
    words = reading.text(book, "Objective", "max sharpe")
    area = book.find("Weights")
    if area is not None and reading.is_live(book, area):
        block = reading.sound(book.block(area))
        return Changes("Weights is a formula and calculates itself.", (("Weights", block),))
    answer = _solve(book, words)
    written = results(book, {"Weights": answer.block})
    return Changes(f"Weights: {words}.", (("Weights", answer.block),), written.writes,
                   notes=answer.notes)


def _solve(book: Book, words: str) -> Answer:
    objective = parse(words, "Objective")
    if objective.kind not in _SOLVED:
        raise NotAvailable(f"Objective is {shorten(words)}, which needs no optimiser",
                           fix=f"Use {', '.join(_SOLVED)}.")
    number = objective.parameter
    if key(words) == "max sharpe":
        number = reading.number(book, "RiskFree", 0.0)
    name, arguments = _SOLVED[objective.kind]
    return reading.call(name, *arguments(_Inputs(book, number)))


@command(
    "frontier", label="Frontier", group="Optimise", image="ChartTypeXYScatterInsertGallery",
    needs=("FRONTIER",),
    tip="The most return for each volatility, under all limits.",
    about="Writes Frontier: 25 portfolios from least volatility to most return, equally spaced in "
          "return, from ExpectedReturns, Covariance, Limits and Assets.",
)
def frontier(book: Book) -> Changes:
    """ExpectedReturns, Covariance, Limits, Assets -> Frontier."""
    x = _Inputs(book, 0.0)
    answer = reading.call("FRONTIER", x.mu, x.cov, None, *x.limits)
    written = results(book, {"Frontier": answer.block})
    shown = Block.of([row[:2] for row in answer.block.rows])
    return Changes(f"Frontier: {answer.block.height - 1} portfolios.", (("Frontier", shown),),
                   written.writes, notes=(*answer.notes, *said(written.live)))
