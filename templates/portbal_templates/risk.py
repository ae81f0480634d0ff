"""The page of risk: VaR and CVaR by every method, where they come from, and whether they hold."""

from __future__ import annotations

from xlsxwriter.utility import xl_col_to_name

from portbal_templates import charts, style
from portbal_templates.inputs import allow
from portbal_templates.layout import (
    ALL_METHODS,
    ASSETS,
    BACKTEST,
    BY_ASSET,
    BY_SECTOR,
    DEEPEST,
    DRAWDOWNS,
    FIRST,
    HEAD,
    METHODS,
    MONEY,
    PART_CHARTS,
    PARTS,
    ROOM,
    SECTION,
    TAIL,
    TESTS,
    WEIGHTS,
)
from portbal_templates.page import Book, Page
from portbal_templates.style import NUMBER, OUTPUT_TAB, PERCENT, PERCENT2, TEXT

_RATE = "fraction a year"
_LOSS = "loss, fraction"
_LAST = 9  # last column on the left
PORTFOLIOS = (("current", "CurrentWeights"), ("benchmark", "BenchmarkWeights"),
              ("target", "Weights"))
SECTORS = f"Assets!$B${HEAD + 1}:$C${HEAD + 1 + ROOM}"


def risk_page(book: Book) -> Page:
    page = Page(
        book, "Risk", "Risk", "What the portfolios may lose. VaR and CVaR are positive losses; "
        "CVaR is the mean of the losses beyond VaR.",
        widths=[24, 15, 12, *[16] * 6, 3, 26, *[14] * 5], tab=OUTPUT_TAB,
    )
    _summary(page)
    _reading(page)
    _tail(page)
    _money(page)
    charts.tail_losses(page, TAIL + len(METHODS) + 3, 1, page.pixels(1, MONEY + 5), 380)
    for column, method in ((1, "historical"), (MONEY, "normal")):
        _backtest(page, column, method)
    _parts(page, 1, "CVaR of the target by asset", "TailContributions", BY_ASSET)
    _parts(page, MONEY, "CVaR of the target by sector", "SectorTailContributions", BY_SECTOR,
           SECTORS)
    charts.tail_shares(page, PART_CHARTS, 1, page.pixels(1, _LAST), 330)
    charts.sector_tail_shares(page, PART_CHARTS, MONEY, page.pixels(MONEY, MONEY + 5), 330)
    _drawdowns(page)
    page.break_before(PART_CHARTS - 1)
    page.sheet.freeze_panes(2, 0)
    return page


def _summary(page: Page) -> None:
    page.section(SECTION, 1, 5, "Return and risk")
    page.headings(HEAD, 1, ["Measure", "Unit", "Current", "Benchmark", "Target"], left=2)
    against = ("{}", "BenchmarkWeights", "Covariance")
    rows = (
        ("Expected return", _RATE, ("PORTRETURN", "{}", "ExpectedReturns"), PERCENT2),
        ("Volatility", _RATE, ("PORTVOLATILITY", "{}", "Covariance"), PERCENT2),
        ("Sharpe ratio", "ratio", ("SHARPE", "{}", "ExpectedReturns", "Covariance", "RiskFree"),
         "0.000"),
        ("Tracking error", _RATE, ("TRACKINGERROR", *against), PERCENT2),
        ("Beta to the benchmark", "ratio", ("BETA", *against), "0.000"),
        ("Active share", "fraction", ("ACTIVESHARE", *against[:2]), PERCENT2),
    )
    for row, (title, unit, call, number) in enumerate(rows, start=FIRST):
        page.text(row, 1, title, "label")
        page.text(row, 2, unit, "label")
        for column, (_, weights) in enumerate(PORTFOLIOS, 3):
            page.formula(row, column, page.book.call(*(part.format(weights) for part in call)),
                         number, "output")
    page.name_range("RiskSummary", HEAD, 1, HEAD + len(rows), 5)


def _reading(page: Page) -> None:
    page.section(SECTION, MONEY, MONEY + 5, "Reading this page")
    for row, text in enumerate((
        "VaR says how often, CVaR how much. Never read one without the other.",
        "Normal knows no fat tails; historical only what happened; student and evt fit the tail.",
        "Filtered looks at tomorrow: it rises and falls with the volatility of the last days.",
        "Cornish-fisher corrects normal while skewness and kurtosis are moderate, as at ten days.",
        "At one day they are too large for it, and the formula says so in a note.",
        "Montecarlo compounds simulated normal days; the seed is always the same.",
        "A method, a level or a horizon typed into the table is calculated at once.",
    ), start=HEAD):
        page.text(row, MONEY, text)


def _tail(page: Page) -> None:
    """VaR and CVaR side by side, by method, level and horizon."""
    titles = [f"{measure}, {name}" for name, _ in PORTFOLIOS for measure in ("VaR", "CVaR")]
    last = TAIL + len(METHODS)
    page.section(TAIL - 2, 1, _LAST, "VaR and CVaR by every method")
    page.units(TAIL - 1, 1, ["name", "fraction", "days", *[_LOSS] * len(titles)])
    page.headings(TAIL, 1, ["Method", "Level", "Horizon", *titles])
    calls = [(measure, weights) for _, weights in PORTFOLIOS for measure in ("VAR", "CVAR")]
    for row, (method, level, days) in enumerate(METHODS, start=TAIL + 1):
        page.input(row, 1, method)
        page.input(row, 2, level, "0%")
        page.input(row, 3, days, "0")
        for column, (measure, weights) in enumerate(calls, start=4):
            page.formula(row, column, page.book.call(
                measure, "Returns", weights, f"$C{row + 1}", f"$B{row + 1}", f"$D{row + 1}",
            ), PERCENT2, "output")
    page.name_range("TailRisk", TAIL, 1, last, _LAST)
    page.sheet.data_validation(TAIL + 1, 1, last, 1, {
        "validate": "list", "source": list(ALL_METHODS),
    })
    allow(page, (TAIL + 1, 2, last, 2), 0.5, 0.9999,
          "A level between 0.5 and 1: 0.95 looks at the worst 5%.")
    allow(page, (TAIL + 1, 3, last, 3), 1, 252,
          "A whole number of days; 1 for filtered and evt.", "integer")


def _money(page: Page) -> None:
    page.section(TAIL - 2, MONEY, MONEY + 4, "The same on the value of the holdings")
    page.units(TAIL - 1, MONEY, ["name", *["loss, US dollars"] * 4])
    page.headings(TAIL, MONEY, ["Method, level, days", "VaR, current", "CVaR, current",
                                "VaR, target", "CVaR, target"])
    for row in range(TAIL + 1, TAIL + 1 + len(METHODS)):
        at = row + 1
        page.formula(row, MONEY, f'=$B{at}&" "&TEXT($C{at},"0%")&", "&$D{at}&"d"', look="label")
        for column, of in enumerate("EFIJ", start=MONEY + 1):
            page.formula(row, column, f"={of}{at}*PortfolioValue", style.WHOLE)


def _parts(
    page: Page, column: int, title: str, name: str, volatility: int, groups: str = ""
) -> None:
    """Contributions to VaR and CVaR; beside them the shares of volatility that Target shows."""
    page.section(PARTS - 2, column, column + 5, f"{title}, historical 95%, one day")
    page.units(PARTS - 1, column, ["name", "fraction", _LOSS, _LOSS, "of CVaR", "of volatility"])
    page.spill(PARTS, column, page.book.call(
        "TAILCONTRIBUTION", "Returns", "Weights", 0.95, '"historical"', groups,
    ), [TEXT, PERCENT, PERCENT2, PERCENT2, PERCENT], name)
    page.headings(PARTS, column + 5, ["Share, volatility"], left=0)
    names, shares = (
        f"Target!${letter}${WEIGHTS + 2}:${letter}${WEIGHTS + 1 + ROOM}"
        for letter in map(xl_col_to_name, (volatility, volatility + 4)))
    shown = 7 if groups else ASSETS
    for row in range(PARTS + 1, PARTS + 1 + ROOM):
        own = f"${xl_col_to_name(column)}{row + 1}"
        page.formula(row, column + 5, f'=IF({own}="","",SUMIF({names},{own},{shares}))', PERCENT,
                     "formula" if row <= PARTS + shown else "room")


def _backtest(page: Page, column: int, method: str) -> None:
    """A VaR of the target, and how it stands to the days that it was estimated from."""
    page.section(BACKTEST, column, column + 3, f"Backtest of the {method} VaR of the target")
    page.text(BACKTEST + 1, column, "On the days that it was estimated from: what this tells is "
              "less the count than whether bad days come in clusters.", "unit left")
    page.headings(BACKTEST + 2, column, ["Tested", "Unit", "Value"], left=2)
    level, var, cvar = (
        f"${xl_col_to_name(column + 2)}${row + 1}" for row in range(BACKTEST + 3, BACKTEST + 6))
    for row, (title, unit) in enumerate((
        ("Level", "fraction"), ("VaR, one day", _LOSS), ("CVaR, one day", _LOSS),
    ), start=BACKTEST + 3):
        page.text(row, column, title, "label")
        page.text(row, column + 1, unit, "label")
    page.input(BACKTEST + 3, column + 2, 0.99, "0%")
    allow(page, (BACKTEST + 3, column + 2, BACKTEST + 3, column + 2), 0.5, 0.9999,
          "A level between 0.5 and 1: 0.99 looks at the worst 1%.")
    for row, measure in ((BACKTEST + 4, "VAR"), (BACKTEST + 5, "CVAR")):
        page.formula(row, column + 2, page.book.call(
            measure, "Returns", "Weights", level, f'"{method}"'), PERCENT2, "output")
    head = BACKTEST + 8
    page.units(head - 1, column, ["name", "statistic", "0 to 1", ""])
    page.spill(head, column, page.book.call(
        "VARTEST", "Returns", var, level, 250, cvar, "Weights",
    ), [TEXT, NUMBER, "0.000", TEXT], f"{method.capitalize()}Backtest", room=(TESTS, 0))
    area = (head + 1, column + 3, head + TESTS, column + 3)
    for text, mark in (("not rejected", "good"), ("green", "good"), ("yellow", "near"),
                       ("rejected", "bad"), ("red", "bad")):
        page.mark_text(area, text, mark)


def _drawdowns(page: Page) -> None:
    page.section(DRAWDOWNS - 2, 1, 5, "Deepest falls of the target, held throughout")
    page.units(DRAWDOWNS - 1, 1, [_LOSS, "date", "date", "date", "days"], left=0)
    page.spill(DRAWDOWNS, 1, page.book.call("DRAWDOWN", "Returns", "Weights"),
               [PERCENT2, style.DATE, style.DATE, style.DATE, "0"], "Drawdowns",
               room=(DEEPEST, 0), left=0)
    page.section(DRAWDOWNS - 2, MONEY, MONEY + 4, "VaR and CVaR of the target in the worst year")
    page.units(DRAWDOWNS - 1, MONEY, ["name", "date", "date", _LOSS, _LOSS])
    page.spill(DRAWDOWNS, MONEY, page.book.call("STRESSEDVAR", "Returns", "Weights", 0.99),
               [TEXT, style.DATE, style.DATE, PERCENT2, PERCENT2], "StressedVaR", room=(2, 0))
    page.text(DRAWDOWNS + 3, MONEY, "The worst 250 days in a row, and the latest: historical, at "
              "99%, one day ahead.", "unit left")
