"""The first page: what the workbook is, how to use it, what came out, whether it is sound."""

from __future__ import annotations

from collections.abc import Mapping

from portbal_templates import charts, style
from portbal_templates.inputs import FIRST, OUTPUT_TAB, allow
from portbal_templates.page import Book, Page
from portbal_templates.results import CHECK_ROOM, CHECKS, TAIL

_LAST = 5  # the last column of the left half
_STEPS = (
    "Fill in what is blue on yellow: Prices, Assets, Limits, Views, Trades, and the settings "
    "below.",
    "Recalculate: run  portbal recalc portfolio_balancer.xlsx , or press F9 in a program that "
    "has the portbal add-in.",
    "See that the checks below are green, then read Target, Risk and Trades.",
)
_PAGES = (
    ("Prices", "input", "daily prices"),
    ("Returns", "result", "daily returns"),
    ("Assets", "input", "sector, benchmark, lot, current weight"),
    ("Limits", "input", "what the portfolio may be"),
    ("Views", "input", "where you differ from the benchmark"),
    ("Estimates", "result", "expected returns and covariance"),
    ("Frontier", "result", "return for each volatility"),
    ("Target", "result", "weights, risk by asset, limits checked"),
    ("Risk", "result", "VaR and CVaR, volatility, Sharpe ratio"),
    ("Trades", "input and result", "holdings, drift, orders, cash left"),
)
_STEP_ROW, _RESULT_ROW = 3, 8
_CHECK_ROW = _RESULT_ROW + 12
_SETTING_ROW = _CHECK_ROW + 9
_PAGE_ROW = _SETTING_ROW + 8


def page(book: Book) -> Page:
    """The empty page, made first so that it comes first."""
    return Page(
        book, "Start", "Portfolio balancer", "From prices, limits and views to weights, risk and "
        "orders. The example: twenty US stocks, five years of daily prices.",
        widths=[32, 17, 12, 12, 12, 3] + [9.5] * 8, tab="#1F3864",
    )


def fill(page: Page, counted: Mapping[str, str]) -> None:
    """counted: by page, the formula that counts its problems."""
    _steps(page)
    _results(page)
    _checks(page, counted)
    _settings(page)
    _pages(page)
    _legend(page)
    charts.weights(page, _STEP_ROW, 7, 600, 380)
    charts.frontier(page, _STEP_ROW + 19, 7, 600, 380)
    page.sheet.fit_to_pages(1, 1)
    page.sheet.freeze_panes(2, 0)


def _steps(page: Page) -> None:
    page.section(_STEP_ROW, 1, _LAST, "How to use it")
    for row, text in enumerate(_STEPS, start=_STEP_ROW + 1):
        page.note(row, 1, _LAST, f"{row - _STEP_ROW}.  {text}", 30)


def _results(page: Page) -> None:
    head = _RESULT_ROW + 1
    page.section(_RESULT_ROW, 1, _LAST, "Result")
    page.headings(head, 1, ["Measure", "Unit", "Current", "Benchmark", "Target"], left=2)
    for row, (title, at, number) in enumerate((
        ("Expected return", FIRST + 1, style.PERCENT), ("Volatility", FIRST + 2, style.PERCENT),
        ("Sharpe ratio", FIRST + 3, style.NUMBER),
    ), start=head + 1):
        page.text(row, 1, title, "label")
        page.text(row, 2, "ratio" if number == style.NUMBER else "fraction a year", "label")
        for column in (3, 4, 5):
            page.formula(row, column, f"=Risk!{chr(65 + column)}{at}", number)
    for row, (title, current, target) in enumerate((
        ("VaR, historical, 95%", "D", "F"), ("CVaR, historical, 95%", "E", "G"),
    ), start=head + 4):
        page.text(row, 1, title, "label")
        page.formula(row, 2, '="loss in "&Horizon&" day(s)"', look="label")
        page.formula(row, 3, f"=Risk!{current}{TAIL + 2}", style.PERCENT2)
        page.text(row, 4, "", "formula")
        page.formula(row, 5, f"=Risk!{target}{TAIL + 2}", style.PERCENT2)
    for row, title in enumerate(("tracking error", "turnover"), start=head + 6):
        page.text(row, 1, title.capitalize(), "label")
        page.text(row, 2, "fraction a year" if row == head + 6 else "fraction, one way", "label")
        for column, block in ((3, "I"), (5, "B")):
            names = f"Target!${block}${CHECKS + 2}:${block}${CHECKS + 1 + CHECK_ROOM}"
            value = chr(ord(block) + 1)
            values = f"Target!${value}${CHECKS + 2}:${value}${CHECKS + 1 + CHECK_ROOM}"
            page.formula(row, column, f'=IFERROR(INDEX({values},MATCH("{title}",{names},0)),'
                         '"no limit")', style.PERCENT, align="right")
        page.text(row, 4, "", "formula")


def _checks(page: Page, counted: Mapping[str, str]) -> None:
    page.section(_CHECK_ROW, 1, _LAST, "Checks")
    first = _CHECK_ROW + 1
    current = f"Target!$N${CHECKS + 2}:$N${CHECKS + 1 + CHECK_ROOM}"
    target = f"Target!$G${CHECKS + 2}:$G${CHECKS + 1 + CHECK_ROOM}"
    rows = (
        ("Problems on all pages", "=" + "+".join(counted.values()), "Problems",
         "cells that begin with #PORTBAL"),
        ("Limits breached by the target", f'=COUNTIF({target},"breach")', "TargetBreaches", ""),
        ("Limits the target is at", f'=COUNTIF({target},"at limit")', "", ""),
        ("Limits breached by the current portfolio", f'=COUNTIF({current},"breach")',
         "CurrentBreaches", ""),
        ("Orders", "=OrderCount", "", ""),
        ("Cash left after the orders", "=CashLeft", "", ""),
    )
    for row, (title, formula, name, _) in enumerate(rows, start=first):
        page.text(row, 1, title, "label")
        page.text(row, 2, "US dollars" if row == first + 5 else "number", "label")
        page.formula(row, 3, formula, style.WHOLE)
        if name:
            page.name_cell(name, row, 3)
    for row in (first, first + 1, first + 3):
        for criteria, mark in (("==", "good"), (">", "near" if row == first + 3 else "bad")):
            page.sheet.conditional_format(row, 3, row, 3, {
                "type": "cell", "criteria": criteria, "value": 0,
                "format": page.book.styles.mark(mark),
            })


def _settings(page: Page) -> None:
    page.section(_SETTING_ROW, 1, _LAST, "Settings")
    rows = (
        ("RiskFree", "Risk-free rate", "fraction a year", 0.02, style.PERCENT2, -0.1, 1.0),
        ("RiskAversion", "Risk aversion of the benchmark", "number", 2.5, style.NUMBER, 0.01,
         100.0),
        ("Tau", "Tau: uncertainty of the implied returns", "number", 0.05, style.NUMBER, 0.0001,
         10.0),
    )
    first = _SETTING_ROW + 1
    for row, (name, title, unit, value, number, low, high) in enumerate(rows, start=first):
        page.text(row, 1, title, "label")
        page.text(row, 2, unit, "label")
        page.input(row, 3, value, number)
        page.name_cell(name, row, 3)
        allow(page, (row, 3, row, 3), low, high, f"A number between {low:g} and {high:g}.")
    row = first + len(rows)
    page.text(row, 1, "Expected returns from", "label")
    page.text(row, 2, "choice", "label")
    page.input(row, 3, "Black-Litterman")
    page.sheet.data_validation(row, 3, row, 3, {
        "validate": "list", "source": ["Black-Litterman", "Implied", "Historical mean"],
    })
    page.name_cell("ReturnSource", row, 3)


def _pages(page: Page) -> None:
    page.section(_PAGE_ROW, 1, _LAST, "Pages")
    for row, (name, kind, text) in enumerate(_PAGES, start=_PAGE_ROW + 1):
        page.sheet.write_url(row, 1, f"internal:'{name}'!A1", page.book.styles.get("link"), name)
        page.text(row, 2, kind, "label")
        page.text(row, 3, text, "label")
        for column in (4, 5):
            page.text(row, column, "", "label")


def _legend(page: Page) -> None:
    page.section(_PAGE_ROW, 7, 14, "Legend")
    for row, (text, look) in enumerate((
        ("Input: yours to change", "input"), ("Result of a portbal formula", "output"),
        ("Formula of the spreadsheet", "formula"),
        ("#PORTBAL ...: a problem, with its place and its cure", "problem"),
    ), start=_PAGE_ROW + 1):
        page.sheet.merge_range(row, 7, row, 11, text, page.book.styles.get(look))
