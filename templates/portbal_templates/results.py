"""The pages that portbal fills: estimates, frontier and target weights."""

from __future__ import annotations

from portbal_templates import charts
from portbal_templates.layout import (
    ASSETS,
    BY_ASSET,
    BY_SECTOR,
    BY_WEIGHT,
    CHECK_ROOM,
    CHECKS,
    COVARIANCE,
    FIRST,
    FRONTIER,
    HEAD,
    HISTORICAL,
    IMPLIED,
    LONG_ONLY,
    MARKED,
    POINTS,
    POSTERIOR,
    ROOM,
    SECTION,
    UNITS,
    USED,
    WEIGHTS,
)
from portbal_templates.page import Book, Page
from portbal_templates.style import FINE, OUTPUT_TAB, PERCENT, PERCENT2, SIGNED, TEXT

_RATE = "fraction a year"


def estimates_page(book: Book) -> Page:
    page = Page(
        book, "Estimates", "Estimates", "Expected returns: what history says, what the benchmark "
        "implies, and what the views make of it. Covariance below.",
        widths=[10] * 21, tab=OUTPUT_TAB,
    )
    page.source(2, "History: the mean of five years of a stock with 30% volatility has a standard "
                "error of 30% / \u221a5 = 13% a year, so it is shown here and not used by default.")
    page.section(SECTION, HISTORICAL, HISTORICAL + 1, "Historical mean")
    page.units(UNITS, HISTORICAL, ["name", _RATE])
    page.spill(HEAD, HISTORICAL, book.call("MEANRETURN", "Returns"), [TEXT, PERCENT],
               "HistoricalReturns")
    page.section(SECTION, IMPLIED, IMPLIED + 1, "Implied by benchmark")
    page.units(UNITS, IMPLIED, ["name", _RATE])
    page.spill(HEAD, IMPLIED, book.call("IMPLIEDRETURNS", "BenchmarkWeights", "Covariance",
                                        "RiskAversion", "RiskFree"),
               [TEXT, PERCENT], "ImpliedReturns")
    page.section(SECTION, POSTERIOR, POSTERIOR + 3, "Black-Litterman: implied returns and views")
    page.units(UNITS, POSTERIOR, ["name", _RATE, _RATE, _RATE])
    page.spill(HEAD, POSTERIOR, book.call("BLACKLITTERMAN", "ImpliedReturns", "Covariance",
                                          "Views", "Tau"),
               [TEXT, PERCENT, PERCENT, SIGNED], "BlackLitterman")
    _used(page)
    charts.expected_returns(page, SECTION, USED + 3)
    page.section(COVARIANCE - 2, 1, ASSETS + 1, "Covariance, Ledoit-Wolf")
    page.text(COVARIANCE - 1, 1, "fraction squared a year; the diagonal is volatility squared. "
              "Correlations rise in a crisis: diversification measured here is weaker when it "
              "is needed most.", "unit left")
    page.spill(COVARIANCE, 1, book.call("COVARIANCE", "Returns", '"ledoit-wolf"'),
               [TEXT, FINE], "Covariance", room=(ROOM, ROOM + 1))
    page.sheet.conditional_format(COVARIANCE + 1, 2, COVARIANCE + ROOM, 1 + ROOM, {
        "type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#F4B183",
    })
    page.sheet.freeze_panes(2, 2)
    return page


def _used(page: Page) -> None:
    """The expected returns that the optimiser takes, chosen on Start."""
    page.section(SECTION, USED, USED + 1, "Used: see Start")
    page.units(UNITS, USED, ["name", _RATE])
    page.headings(HEAD, USED, ["Asset", "Return"])
    for row in range(FIRST, FIRST + ROOM):
        look = "formula" if row < FIRST + ASSETS else "room"
        asset = f"$H{row + 1}"
        historical = f"SUMIF($B$8:$B$37,{asset},$C$8:$C$37)"
        page.formula(row, USED, f'=IF({asset}="","",{asset})', look=look)
        page.formula(
            row, USED + 1,
            f'=IF({asset}="","",IF(ReturnSource="Implied",$I{row + 1},'
            f'IF(ReturnSource="Historical mean",{historical},$J{row + 1})))', PERCENT, look,
        )
    page.name_range("ExpectedReturns", HEAD, USED, HEAD + ROOM, USED + 1)


def frontier_page(book: Book) -> Page:
    page = Page(
        book, "Frontier", "Frontier", "The most expected return for each volatility: under all "
        "limits, and with long positions and no other limit.",
        widths=[10, 10] + [8.5] * ASSETS, tab=OUTPUT_TAB,
    )
    page.source(2, "Both lines are drawn from estimates. A portfolio on the line is not better "
                "than one just below it by more than the estimates are wrong.")
    page.section(SECTION, MARKED, MARKED + 4, "Portfolios on the chart")
    page.units(UNITS, MARKED + 2, ["a year", "a year", "ratio"], left=0)
    page.headings(HEAD, MARKED, ["Portfolio", "", "Volatility", "Return", "Sharpe"])
    for row, (title, column) in enumerate(
        (("Current", "D"), ("Benchmark", "E"), ("Target", "F")), start=FIRST
    ):
        page.text(row, MARKED, title, "label")
        page.text(row, MARKED + 1, "", "label")
        page.formula(row, MARKED + 2, f"=Risk!{column}{FIRST + 2}", PERCENT2)
        page.formula(row, MARKED + 3, f"=Risk!{column}{FIRST + 1}", PERCENT2)
        page.formula(row, MARKED + 4, f"=Risk!{column}{FIRST + 3}", "0.000")
    for head, title, name, limits in (
        (FRONTIER, "Under all limits", "Frontier", ("Limits", "Assets")),
        (LONG_ONLY, "Long positions, no other limit", "LongOnlyFrontier", ()),
    ):
        page.section(head - 2, 1, ASSETS + 2, title)
        page.units(head - 1, 1, [_RATE, _RATE, *["fraction"] * ASSETS], left=0)
        page.spill(head, 1, book.call("FRONTIER", "ExpectedReturns", "Covariance", POINTS, *limits),
                   [PERCENT2, PERCENT2, PERCENT], name, room=(POINTS, ROOM + 2), left=0)
    charts.frontier(page, SECTION, 1, page.pixels(1, MARKED - 2), 470)
    page.break_before(FRONTIER - 2, LONG_ONLY - 2)
    page.sheet.freeze_panes(2, 0)
    return page


def target_page(book: Book) -> Page:
    page = Page(
        book, "Target", "Target", "The weights with the highest expected Sharpe ratio among all "
        "that keep every limit.",
        widths=[24, 11, 11, 11, 11, 11, 3, 24, 11, 11, 11, 11, 11, 3, 24, 11, 11, 11, 11],
        tab=OUTPUT_TAB,
    )
    page.source(2, "Another objective: replace the formula under Weights, for instance by "
                f"{book.call('MINVOLATILITY', 'Covariance', 'Limits', 'Assets')[1:]}.")
    _weights(page)
    _contributions(page, BY_ASSET, "Risk of the target by asset", "RiskContributions")
    _contributions(page, BY_SECTOR, "Risk of the target by sector", "SectorContributions",
                   f"Assets!$B${HEAD + 1}:$C${HEAD + 1 + ROOM}")
    for column, title, weights, name in (
        (BY_WEIGHT, "Limits: target", "Weights", "TargetLimits"),
        (BY_ASSET, "Limits: current", "CurrentWeights", "CurrentLimits"),
    ):
        page.section(CHECKS - 2, column, column + 5, title)
        page.units(CHECKS - 1, column, ["name", *["fraction"] * 4])
        page.spill(CHECKS, column, book.call("CHECKLIMITS", weights, "Limits", "Assets",
                                             "Covariance"),
                   [TEXT, *[PERCENT2] * 4, TEXT], name, room=(CHECK_ROOM, 0))
        area = (CHECKS + 1, column + 5, CHECKS + CHECK_ROOM, column + 5)
        for text, mark in (("ok", "good"), ("at limit", "near"), ("breach", "bad")):
            page.mark_text(area, text, mark)
    for draw, first, last in (
        (charts.weights, 1, 6), (charts.risk_shares, 8, 13), (charts.sector_shares, 15, 19),
    ):
        draw(page, SECTION, first, page.pixels(first, last), 420)
    page.break_before(CHECKS - 2)
    page.sheet.freeze_panes(2, 0)
    return page


def _weights(page: Page) -> None:
    book = page.book
    page.section(WEIGHTS - 2, 1, 6, "Weights")
    page.units(WEIGHTS - 1, 1, ["name", *["fraction"] * 5])
    page.spill(WEIGHTS, 1, book.call("MAXSHARPE", "ExpectedReturns", "Covariance", "RiskFree",
                                     "Limits", "Assets"),
               [TEXT, PERCENT], "Weights")
    page.headings(WEIGHTS, 3, ["Current", "Benchmark", "Change", "Active"], left=0)
    for row in range(WEIGHTS + 1, WEIGHTS + 1 + ROOM):
        look = "formula" if row < WEIGHTS + 1 + ASSETS else "room"
        at = row + 1
        for column, of in ((3, "H"), (4, "E")):
            page.formula(row, column, f'=IF($B{at}="","",SUMIF(Assets!$B$8:$B$37,$B{at},'
                         f"Assets!${of}$8:${of}$37))", PERCENT, look)
        page.formula(row, 5, f'=IF($B{at}="","",$C{at}-$D{at})', SIGNED, look)
        page.formula(row, 6, f'=IF($B{at}="","",$C{at}-$E{at})', SIGNED, look)


def _contributions(page: Page, column: int, title: str, name: str, groups: str = "") -> None:
    page.section(WEIGHTS - 2, column, column + 4, title)
    page.units(WEIGHTS - 1, column, ["name", "fraction", _RATE, _RATE, "of volatility"])
    page.spill(WEIGHTS, column, page.book.call("RISKCONTRIBUTION", "Weights", "Covariance", groups),
               [TEXT, PERCENT, PERCENT, PERCENT2, PERCENT], name)
