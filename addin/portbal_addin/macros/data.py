"""Prices checked, and what follows from them estimated again."""

from __future__ import annotations

from portbal_addin.book import Book, Changes
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.writing import results, said


@command(
    "check data", label="Check data", group="Data", image="DataValidation", needs=("CHECKDATA",),
    tip="Look for gaps, stale prices, splits and outliers in Prices.",
    about="Lists what looks wrong in Prices in the table DataCheck: gaps, stale runs, jumps that "
          "look like splits, outliers, short histories and duplicates. Changes no price.",
)
def check_data(book: Book) -> Changes:
    """Prices -> DataCheck."""
    answer = reading.call("CHECKDATA", reading.required(book, "Prices"))
    found = [row for row in answer.block.rows[1:] if row[1] != "none"]
    written = results(book, {"DataCheck": answer.block})
    status = f"Prices: {len(found)} to look at." if found else "Prices: nothing to look at."
    return Changes(status, (("Data check", answer.block),), written.writes,
                   notes=(*answer.notes, *said(written.live)))


@command(
    "refresh estimates", label="Refresh estimates", group="Data", image="RefreshAll",
    needs=("RETURNS", "MEANRETURN", "COVARIANCE"),
    tip="Estimate returns and covariance again from the newest Prices.",
    about="Writes Returns (where the workbook has that name), HistoricalReturns and Covariance. "
          "Tables that are formulas are left to them.",
)
def refresh_estimates(book: Book) -> Changes:
    """Prices -> Returns, HistoricalReturns, Covariance."""
    returns = reading.returns(book)
    means = reading.call("MEANRETURN", returns)
    cov = reading.estimated_covariance(book, returns)
    blocks = {"HistoricalReturns": means.block, "Covariance": cov.block}
    if book.find("Returns") is not None:
        blocks = {"Returns": returns, **blocks}
    written = results(book, blocks)
    return Changes(
        f"Estimated {means.block.height - 1} assets from {returns.trimmed().height - 1} returns.",
        (("Historical returns", means.block),), written.writes,
        notes=(*means.notes, *cov.notes, *said(written.live)),
    )
