"""The flagship workbook: from prices, limits and views to weights, risk and orders."""

from __future__ import annotations

import datetime as dt
import io

from xlsxwriter import Workbook

from portbal_templates import inputs, results, risk, start, stress, trades
from portbal_templates.page import Book, Known
from portbal_templates.style import Styles

TITLE = "Portfolio balancer"
SUMMARY = "Prices, limits and views to weights, risk and orders"
_CALC_ENGINE = 191029  # Excel 2019 and later: keeps the stored values when it opens the file
_MADE = dt.datetime(2025, 1, 1)


def compose(host: str, known: Known) -> bytes:
    """The workbook for a host, with the values that are known; the same in, the same out."""
    stream = io.BytesIO()
    workbook = Workbook(stream, {"in_memory": True})
    workbook.set_calc_mode("auto", _CALC_ENGINE)
    workbook.calc_on_load = False
    workbook.set_properties({
        "title": TITLE, "subject": SUMMARY, "author": "portbal",
        "comments": "Formulas by portbal. Example prices: skfolio, BSD 3-Clause.",
        "created": _MADE,
    })
    workbook.set_size(2400, 1400)
    book = Book(workbook, Styles(workbook), host, known)
    first = start.page(book)
    counted = {
        page.name: page.mark_problems(200, 45)
        for page in (
            inputs.prices_page(book), inputs.returns_page(book), inputs.assets_page(book),
            inputs.limits_page(book), inputs.views_page(book), results.estimates_page(book),
            results.frontier_page(book), results.target_page(book), risk.risk_page(book),
            stress.stress_page(book), trades.trades_page(book),
        )
    }
    start.fill(first, counted)
    first.sheet.activate()
    workbook.close()
    return stream.getvalue()
