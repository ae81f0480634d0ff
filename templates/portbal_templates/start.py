"""The first page: what the workbook is, how to use it, what came out, whether it is sound."""

from __future__ import annotations

from collections.abc import Mapping

from portbal_templates import charts, style
from portbal_templates.inputs import allow
from portbal_templates.layout import CHECK_ROOM, CHECKS, FIRST, HEAD, PRICE_ROOM, TAIL
from portbal_templates.page import Book, Page
from portbal_templates.style import PERCENT, PERCENT2, WHOLE

_LAST, _CHART, _CHART_LAST = 5, 7, 14  # last column on the left; columns of the charts
_STEPS, _RESULT = 3, 8
_CHECKS = _RESULT + 11
_SETTINGS = _CHECKS + 10
_PAGES = _SETTINGS + 6


def page(book: Book) -> Page:
    """The empty page, made first so that it comes first."""
    return Page(
        book, "Start", "Portfolio balancer", "From prices, limits and views to weights, risk and "
        "orders. The example: twenty US stocks, five years of daily prices.",
        widths=[34, 18, 13, 13, 13, 3] + [10] * 8, tab=style.NAVY,
    )


def fill(page: Page, counted: Mapping[str, str]) -> None:
    """counted: by page, the formula that counts its problems."""
    _steps(page)
    _results(page)
    _checks(page, counted)
    _settings(page)
    _contents(page)
    _legend(page)
    width = page.pixels(_CHART, _CHART_LAST)
    charts.weights(page, _STEPS, _CHART, width, 325)
    charts.frontier(page, _CHECKS, _CHART, width, 345)
    page.sheet.freeze_panes(2, 0)


def _steps(page: Page) -> None:
    page.section(_STEPS, 1, _LAST, "How to use it")
    for row, text in enumerate((
        "1.  Fill in what is blue on yellow: Prices, Assets, Limits, Views, Stress, Trades, and "
        "the settings below.",
        "2.  Recalculate: portbal recalc portfolio_balancer.xlsx, or F9 in a spreadsheet with the "
        "portbal add-in.",
        "3.  See that the checks below are green. Then read Target, Risk, Stress and Trades.",
    ), start=_STEPS + 1):
        page.text(row, 1, text)


def _results(page: Page) -> None:
    head = _RESULT + 1
    page.section(_RESULT, 1, _LAST, "Result")
    page.headings(head, 1, ["Measure", "Unit", "Current", "Benchmark", "Target"], left=2)
    tail = TAIL + 2
    rows = (
        ("Expected return", "fraction a year", PERCENT, f"=Risk!{{}}{FIRST + 1}", "DEF"),
        ("Volatility", "fraction a year", PERCENT, f"=Risk!{{}}{FIRST + 2}", "DEF"),
        ("Sharpe ratio", "ratio", "0.000", f"=Risk!{{}}{FIRST + 3}", "DEF"),
        (f'="VaR, "&Risk!$L${tail}', "loss, fraction", PERCENT2, f"=Risk!{{}}{tail}", "EGI"),
        (f'="CVaR, "&Risk!$L${tail}', "loss, fraction", PERCENT2, f"=Risk!{{}}{tail}", "FHJ"),
        ("Tracking error", "fraction a year", PERCENT, _limit_value("tracking error"), "I-B"),
        ("Turnover from current", "fraction, one way", PERCENT, _limit_value("turnover"), "I-B"),
    )
    for row, (title, unit, number, formula, letters) in enumerate(rows, start=head + 1):
        if title.startswith("="):
            page.formula(row, 1, title, look="label")
        else:
            page.text(row, 1, title, "label")
        page.text(row, 2, unit, "label")
        for column, letter in enumerate(letters, start=3):
            if letter == "-":
                page.text(row, column, "\u2013", "formula", align="right")
                continue
            page.formula(row, column, formula.format(letter, chr(ord(letter) + 1)), number,
                         align="right")


def _limit_value(words: str) -> str:
    """The value of a limit in the tables of limits on Target: {0} its words, {1} its value."""
    first, last = CHECKS + 2, CHECKS + 1 + CHECK_ROOM
    names = f"Target!${{0}}${first}:${{0}}${last}"
    values = f"Target!${{1}}${first}:${{1}}${last}"
    return f'=IFERROR(INDEX({values},MATCH("{words}",{names},0)),"no limit")'


def _checks(page: Page, counted: Mapping[str, str]) -> None:
    page.section(_CHECKS, 1, _LAST, "Checks")
    first, last = CHECKS + 2, CHECKS + 1 + CHECK_ROOM
    target, current = f"Target!$G${first}:$G${last}", f"Target!$N${first}:$N${last}"
    beyond = f"Prices!$B${HEAD + PRICE_ROOM + 2}:$B${HEAD + 10 * PRICE_ROOM}"
    rows = (
        ("Problems on all pages", "number", "=" + "+".join(counted.values()), WHOLE, "Problems",
         "bad"),
        ("Rows of prices too many to be read", "number", f"=COUNTA({beyond})", WHOLE,
         "PriceRowsLeft", "bad"),
        ("Limits breached: target", "number", f'=COUNTIF({target},"breach")', WHOLE,
         "TargetBreaches", "bad"),
        ("Limits breached: current", "number", f'=COUNTIF({current},"breach")', WHOLE,
         "CurrentBreaches", "near"),
        ("Limits reached: target", "number", f'=COUNTIF({target},"at limit")', WHOLE,
         "TargetAtLimit", ""),
        ("First price", "date", "=MIN(INDEX(Prices,0,1))", style.DATE, "FirstDay", ""),
        ("Last price", "date", "=MAX(INDEX(Prices,0,1))", style.DATE, "LastDay", ""),
        ("Cash left after the orders", "US dollars", "=CashLeft", WHOLE, "", ""),
    )
    for row, (title, unit, formula, number, name, mark) in enumerate(rows, start=_CHECKS + 1):
        page.text(row, 1, title, "label")
        page.text(row, 2, unit, "label")
        page.formula(row, 3, formula, number)
        if name:
            page.name_cell(name, row, 3)
        if mark:
            for criteria, look in (("==", "good"), (">", mark)):
                page.sheet.conditional_format(row, 3, row, 3, {
                    "type": "cell", "criteria": criteria, "value": 0,
                    "format": page.book.styles.mark(look),
                })


def _settings(page: Page) -> None:
    page.section(_SETTINGS, 1, _LAST, "Settings")
    rows = (
        ("RiskFree", "Risk-free rate", "fraction a year", 0.02, PERCENT2, -0.1, 1.0),
        ("RiskAversion", "Risk aversion of the benchmark", "number", 2.5, style.NUMBER, 0.01,
         100.0),
        ("Tau", "Tau: how uncertain the prior is", "number", 0.05, style.NUMBER, 0.0001, 10.0),
    )
    for row, (name, title, unit, value, number, low, high) in enumerate(rows, start=_SETTINGS + 1):
        page.text(row, 1, title, "label")
        page.text(row, 2, unit, "label")
        page.input(row, 3, value, number)
        page.name_cell(name, row, 3)
        allow(page, (row, 3, row, 3), low, high, f"A number between {low:g} and {high:g}.")
    row = _SETTINGS + 1 + len(rows)
    page.text(row, 1, "Expected returns used", "label")
    page.text(row, 2, "choose one", "label")
    page.input(row, 3, "Black-Litterman")
    page.sheet.data_validation(row, 3, row, 3, {
        "validate": "list", "source": ["Black-Litterman", "Implied", "Historical mean"],
    })
    page.name_cell("ReturnSource", row, 3)


def _contents(page: Page) -> None:
    page.section(_PAGES, 1, _LAST, "Pages")
    for row, (name, kind, text) in enumerate((
        ("Prices", "input", "daily prices, with source and licence"),
        ("Returns", "result", "daily returns"),
        ("Assets", "input", "sector, benchmark, lot, current weight"),
        ("Limits", "input", "what the portfolio may be"),
        ("Views", "input", "where you differ from the benchmark"),
        ("Estimates", "result", "expected returns and covariance"),
        ("Frontier", "result", "most return for each volatility"),
        ("Target", "result", "weights, risk by asset, limits checked"),
        ("Risk", "result", "VaR and CVaR by every method, backtests"),
        ("Stress", "input and result", "scenarios, and which limit breaks"),
        ("Trades", "input and result", "holdings, drift, orders, cash left"),
    ), start=_PAGES + 1):
        page.sheet.write_url(row, 1, f"internal:'{name}'!A1", page.book.styles.get("link"), name)
        page.text(row, 2, kind, "label")
        page.text(row, 3, text, "label")
        for column in range(4, _LAST + 1):
            page.text(row, column, "", "label")


def _legend(page: Page) -> None:
    page.section(_PAGES + 1, _CHART, _CHART_LAST, "Legend")
    for row, (text, look) in enumerate((
        ("Input: yours to change", "input"),
        ("Result of a portbal formula", "output"),
        ("Formula of the spreadsheet itself", "formula"),
        ("#PORTBAL \u2026: a problem, where it is and what to do", "problem"),
    ), start=_PAGES + 2):
        page.sheet.merge_range(row, _CHART, row, _CHART + 4, text, page.book.styles.get(look))
