"""The target weights, and the frontier they lie on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from portbal.errors import InputError
from portbal.labels import key, shorten, suggestion
from portbal_addin.block import Block
from portbal_addin.book import Book, Changes
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.views import expected_returns
from portbal_addin.macros.writing import results, said
from portbal_addin.registry import Answer

_NUMBER = re.compile(r"(.*?)\s*(-?\d+(?:\.\d+)?)\s*(%?)")


@dataclass(frozen=True)
class _Inputs:
    """Read when an objective needs them, since the rest may not be in the workbook."""

    book: Book
    number: float | None

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

    @property
    def riskfree(self) -> float:
        return (reading.number(self.book, "RiskFree", 0.0) if self.number is None
                else self.number)

    @property
    def wanted(self) -> float:
        if self.number is None:
            raise InputError("Objective has no number", fix="Write it behind, as in "
                             "target return 6%.")
        return self.number


# Objective -> the function that finds the weights, with its arguments.
_OBJECTIVES: dict[str, Callable[[_Inputs], Answer]] = {
    "max sharpe": lambda x: reading.call("MAXSHARPE", x.mu, x.cov, x.riskfree, *x.limits),
    "min volatility": lambda x: reading.call("MINVOLATILITY", x.cov, *x.limits),
    "max return": lambda x: reading.call("MAXRETURN", x.mu, x.cov, *x.limits),
    "target return": lambda x: reading.call("TARGETRETURN", x.mu, x.cov, x.wanted, *x.limits),
    "target volatility": lambda x: reading.call(
        "TARGETVOLATILITY", x.mu, x.cov, x.wanted, *x.limits),
    "max utility": lambda x: reading.call("MAXUTILITY", x.mu, x.cov, x.wanted, *x.limits),
    "min cvar": lambda x: reading.call(
        "MINCVAR", x.returns, 0.95 if x.number is None else x.number, None, *x.limits),
    "risk parity": lambda x: reading.call("RISKPARITY", x.cov),
    "hrp": lambda x: reading.call("HRP", x.cov),
}


@command(
    "optimise", label="Optimise", group="Optimise", image="GoalSeek",
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
    match = _NUMBER.fullmatch(words)
    name, number = words, None
    if match is not None:
        name = match[1]
        number = float(match[2]) / (100 if match[3] else 1)
    for objective, solve in _OBJECTIVES.items():
        if key(name) == objective:
            return solve(_Inputs(book, number))
    raise InputError(
        f"Objective is {shorten(words)}",
        fix=suggestion(name, _OBJECTIVES, f"Use {', '.join(_OBJECTIVES)}."),
    )


@command(
    "frontier", label="Frontier", group="Optimise", image="ChartTypeXYScatterInsertGallery",
    needs=("FRONTIER",),
    tip="The most return for each volatility, under all limits.",
    about="Writes Frontier: 25 portfolios from least volatility to most return, equally spaced in "
          "return, from ExpectedReturns, Covariance, Limits and Assets.",
)
def frontier(book: Book) -> Changes:
    """ExpectedReturns, Covariance, Limits, Assets -> Frontier."""
    x = _Inputs(book, None)
    answer = reading.call("FRONTIER", x.mu, x.cov, None, *x.limits)
    written = results(book, {"Frontier": answer.block})
    shown = Block.of([row[:2] for row in answer.block.rows])
    return Changes(f"Frontier: {answer.block.height - 1} portfolios.", (("Frontier", shown),),
                   written.writes, notes=(*answer.notes, *said(written.live)))
