"""The page of stress: own scenarios and windows of the past, and which limit breaks in them."""

from __future__ import annotations

from portbal_templates import charts, example
from portbal_templates.inputs import allow, table
from portbal_templates.layout import (
    CHECK_ROOM,
    CORRELATIONS,
    HEAD,
    MATRIX,
    MATRIX_COLUMNS,
    OWN,
    SCENARIO_ROOM,
    SCENARIOS,
    SECTION,
    SHOCK_ROOM,
    UNITS,
    WINDOW_ROOM,
    WINDOWS,
)
from portbal_templates.page import Book, Page
from portbal_templates.risk import PORTFOLIOS
from portbal_templates.style import DATE, INPUT_TAB, NUMBER, PERCENT, PERCENT2, SIGNED, TEXT

_SPARE = 7
_STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DRAWN = 9  # scenarios on the chart


def stress_page(book: Book) -> Page:
    page = Page(
        book, "Stress", "Stress", "What the target loses in scenarios of your own and in windows "
        "of the past, and which limit breaks when weights move and nothing is traded.",
        widths=[24, 26, 11, 3, 26, 12, 12, 12, *[17] * 9], tab=INPUT_TAB,
    )
    page.source(2, "Your scenarios are made up; the most particular row decides: an asset before "
                "its sector before all. A window of the past joins them when the returns reach "
                "back to it.")
    _own(page)
    _scenarios(page)
    _correlations(page)
    _reverse(page)
    _matrix(page)
    _windows(page)
    charts.scenario_losses(page, CORRELATIONS - 2, SCENARIOS, page.pixels(SCENARIOS, 14), 400,
                           _DRAWN)
    page.break_before(MATRIX - 3, WINDOWS - 2)
    page.sheet.freeze_panes(2, 0)
    return page


def _own(page: Page) -> None:
    page.section(SECTION, OWN, OWN + 2, "Your scenarios")
    page.units(UNITS, OWN, ["name", "asset, Sector \u2026, or all", "fraction"], left=2)
    rows: list[tuple[str | float | None, ...]] = [
        *example.SHOCKS, *([(None,) * 3] * _SPARE)]
    table(page, HEAD, OWN, "Shocks", ["Scenario", "Where", "Shock"], len(rows),
          (SHOCK_ROOM, 3), left=2)
    for row, (scenario, where, shock) in enumerate(rows, start=HEAD + 1):
        page.input(row, OWN, scenario)
        page.input(row, OWN + 1, where)
        page.input(row, OWN + 2, shock, SIGNED)
    allow(page, (HEAD + 1, OWN + 2, HEAD + len(rows), OWN + 2), -1, 10,
          "A return: -20% or -0.2 for a fall by a fifth.")


def _scenarios(page: Page) -> None:
    page.section(SECTION, SCENARIOS, SCENARIOS + 9, "Loss, and the limits that break")
    page.units(UNITS, SCENARIOS, ["name", "loss, fraction", "number"])
    page.text(UNITS, SCENARIOS + 3, "  names", "unit left")
    page.spill(HEAD, SCENARIOS, _rechecked(page.book, "scenarios"),
               [TEXT, PERCENT2, "0", TEXT], "ScenarioLosses", room=(SCENARIO_ROOM, 0))
    page.sheet.conditional_format(HEAD + 1, SCENARIOS + 2, HEAD + SCENARIO_ROOM, SCENARIOS + 2, {
        "type": "cell", "criteria": "between", "minimum": 1, "maximum": 10_000,
        "format": page.book.styles.mark("bad"),
    })


def _rechecked(book: Book, show: str) -> str:
    """Limits after own scenarios and, where there are any, the windows of the past."""
    return book.call(
        "STRESSLIMITS", "Weights", "Limits", "Assets", "Shocks", f'"{show}"', "Covariance",
        "Returns", "", "ExpectedReturns",
        'IF(ISNUMBER(INDEX(WindowShocks,2,3)),WindowShocks,"")',
    )


def _correlations(page: Page) -> None:
    page.section(CORRELATIONS - 2, OWN, OWN + 2, "Volatility when correlations rise")
    shift = page.book.call("CORRELATIONSHIFT", "Returns")[1:]
    for row, (title, column) in enumerate((
        ("Mean, calm days", 2), ("Mean, worst tenth of days", 3),
    ), start=CORRELATIONS - 1):
        page.text(row, OWN, title, "label")
        page.text(row, OWN + 1, "correlation", "label")
        page.formula(row, OWN + 2, f"=AVERAGE(INDEX({shift},0,{column}))", NUMBER, "output")
    row = CORRELATIONS + 1
    page.text(row, OWN, "They move to", "label")
    page.text(row, OWN + 1, "correlation", "label")
    page.input(row, OWN + 2, 0.9, NUMBER)
    page.name_cell("StressedCorrelation", row, OWN + 2)
    allow(page, (row, OWN + 2, row, OWN + 2), -1, 1, "A number from -1 to 1.")
    head = CORRELATIONS + 4
    page.units(head - 1, OWN, ["part of the way", "fraction a year", "a year"], left=0)
    page.headings(head, OWN, ["Strength", "Current", "Target"], left=0)
    for row, strength in enumerate(_STRENGTHS, start=head + 1):
        page.input(row, OWN, strength, "0%")
        for column, (_, weights) in ((OWN + 1, PORTFOLIOS[0]), (OWN + 2, PORTFOLIOS[2])):
            stressed = page.book.call("STRESSCORRELATION", "Covariance", "StressedCorrelation",
                                      f"$B{row + 1}")[1:]
            page.formula(row, column, page.book.call("PORTVOLATILITY", weights, stressed),
                         PERCENT2, "output")
    last = head + len(_STRENGTHS)
    page.name_range("StressedVolatility", head, OWN, last, OWN + 2)
    allow(page, (head + 1, OWN, last, OWN), 0, 1,
          "A fraction: 0 not at all, 1 all the way.")
    page.text(last + 1, OWN, "Assets keep their volatilities: only diversification gets less.",
              "unit left")


def _reverse(page: Page) -> None:
    page.section(MATRIX - 2, OWN, OWN + 2, "The likeliest way to lose this much")
    for row, (title, unit, value, number, name) in enumerate((
        ("Loss", "loss, fraction", 0.20, PERCENT, "ReverseLoss"),
        ("Within", "trading days", 21, "0", "ReverseDays"),
    ), start=MATRIX):
        page.text(row, OWN, title, "label")
        page.text(row, OWN + 1, unit, "label")
        page.input(row, OWN + 2, value, number)
        page.name_cell(name, row, OWN + 2)
    allow(page, (MATRIX, OWN + 2, MATRIX, OWN + 2), 0.0001, 1, "A loss: 0.2 or 20%.")
    allow(page, (MATRIX + 1, OWN + 2, MATRIX + 1, OWN + 2), 1, 2520, "A number of days.")
    head = MATRIX + 4
    page.units(head - 1, OWN, ["name", "fraction", "deviations"])
    page.spill(head, OWN, page.book.call("REVERSESTRESS", "Weights", "Covariance", "ReverseLoss",
                                         "ReverseDays"),
               [TEXT, SIGNED, NUMBER], "ReverseStress")


def _matrix(page: Page) -> None:
    page.section(MATRIX - 2, SCENARIOS, SCENARIOS + 12, "Which limit breaks in which scenario")
    page.units(MATRIX - 1, SCENARIOS, ["name", "fraction", "fraction"])
    page.text(MATRIX - 1, SCENARIOS + 3, "  status", "unit left")
    page.text(MATRIX - 1, SCENARIOS + 4, "  status after the scenario", "unit left")
    page.spill(MATRIX, SCENARIOS, _rechecked(page.book, "matrix"),
               [TEXT, PERCENT2, PERCENT2, TEXT], "StressMatrix",
               room=(CHECK_ROOM, MATRIX_COLUMNS))
    area = (MATRIX + 1, SCENARIOS + 3, MATRIX + CHECK_ROOM, SCENARIOS + MATRIX_COLUMNS - 1)
    for text, mark in (("ok", "good"), ("at limit", "near"), ("breach", "bad")):
        page.mark_text(area, text, mark)


def _windows(page: Page) -> None:
    page.section(WINDOWS - 2, OWN, OWN + 2, "Windows in your returns")
    page.units(WINDOWS - 1, OWN, ["name", "asset", "fraction"], left=2)
    page.spill(WINDOWS, OWN, page.book.call("SCENARIOSHOCKS", "Returns"), [TEXT, TEXT, SIGNED],
               "WindowShocks", room=(WINDOW_ROOM, 0))
    page.section(WINDOWS - 2, SCENARIOS, SCENARIOS + 3, "All windows, by closing dates")
    page.units(WINDOWS - 1, SCENARIOS, ["name", "date", "date", "S&P 500"])
    page.spill(WINDOWS, SCENARIOS, page.book.call("SCENARIOS"), [TEXT, DATE, DATE, SIGNED],
               "Windows", room=(20, 0))
