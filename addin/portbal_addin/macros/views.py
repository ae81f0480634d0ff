"""Views blended with what the benchmark implies."""

from __future__ import annotations

from dataclasses import dataclass

from portbal.errors import InputError
from portbal.labels import key, shorten, suggestion
from portbal_addin.block import Block
from portbal_addin.book import Book, Changes
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.writing import results, said

_SOURCES = ("Black-Litterman", "Implied", "Historical mean")


@dataclass(frozen=True)
class Blended:
    """implied: Asset, Return. posterior: Asset, Prior, Posterior, Difference, None without
    views. expected: Asset, Return, by the workbook's ReturnSource."""

    implied: Block
    posterior: Block | None
    expected: Block
    source: str
    notes: tuple[str, ...]


@command(
    "blend views", label="Blend views", group="Views", image="MergeCells",
    needs=("IMPLIEDRETURNS", "BLACKLITTERMAN"),
    tip="Blend Views with the returns that the benchmark implies.",
    about="Black-Litterman: writes ImpliedReturns, BlackLitterman, and ExpectedReturns, which the "
          "optimiser uses. The cell ReturnSource chooses Black-Litterman, Implied or Historical "
          "mean.",
)
def blend_views(book: Book) -> Changes:
    """BenchmarkWeights, Covariance, Views -> ImpliedReturns, BlackLitterman, ExpectedReturns."""
    reading.required(book, "Views")
    done = blend(book)
    blocks = {"ImpliedReturns": done.implied, "ExpectedReturns": done.expected}
    shown = [("Expected returns", done.expected)]
    if done.posterior is not None:
        blocks["BlackLitterman"] = done.posterior
        shown = [("Black-Litterman", done.posterior)]
    written = results(book, blocks)
    return Changes(f"Expected returns: {done.source}.", tuple(shown), written.writes,
                   notes=(*done.notes, *said(written.live)))


def blend(book: Book) -> Blended:
    """What the benchmark implies, the views in it, and what ReturnSource makes of both."""
    weights = reading.benchmark(book)
    if weights is None:
        raise InputError(
            "there are no benchmark weights to start from",
            fix="Fill in the column Benchmark of Assets, or name a table BenchmarkWeights.",
        )
    cov = reading.covariance(book)
    implied = reading.call(
        "IMPLIEDRETURNS", weights, cov, reading.number(book, "RiskAversion", 2.5),
        reading.number(book, "RiskFree", 0.0),
    )
    views = reading.table(book, "Views")
    posterior = None
    notes = implied.notes
    if views is not None and views.trimmed().height > 1:
        answer = reading.call("BLACKLITTERMAN", implied.block, cov, views,
                              reading.number(book, "Tau", 0.05))
        posterior, notes = answer.block, (*notes, *answer.notes)
    source = _source(book)
    if source == "Historical mean":
        expected = reading.call("MEANRETURN", reading.returns(book)).block
    elif source == "Implied" or posterior is None:
        expected = implied.block
    else:
        rows = [(row[0], row[2]) for row in posterior.rows[1:]]
        expected = Block.of([("Asset", "Return"), *rows])
    return Blended(implied.block, posterior, expected, source, notes)


def expected_returns(book: Book) -> Block:
    """ExpectedReturns as they stand, else blended where there is a benchmark, else the mean."""
    block = reading.table(book, "ExpectedReturns")
    if block is not None:
        return reading.sound(block)
    if reading.benchmark(book) is not None:
        return blend(book).expected
    return reading.call("MEANRETURN", reading.returns(book)).block


def _source(book: Book) -> str:
    chosen = reading.text(book, "ReturnSource", _SOURCES[0])
    for source in _SOURCES:
        if key(source) == key(chosen):
            return source
    raise InputError(
        f"ReturnSource is {shorten(chosen)}",
        fix=suggestion(chosen, _SOURCES, f"Use {', '.join(_SOURCES)}."),
    )
