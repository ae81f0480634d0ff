"""The pages that portbal fills: estimates, frontier, target weights, risk and trades."""

from __future__ import annotations

from portbal_templates import charts, example, style
from portbal_templates.inputs import (
    FIRST,
    HEAD,
    INPUT_TAB,
    OUTPUT_TAB,
    SECTION,
    UNITS,
    allow,
    last_price,
    table,
)
from portbal_templates.page import ROOM, Book, Page

COVARIANCE = 42  # the header row of the matrix on Estimates
FRONTIER, POINTS = 30, 25  # the header row of the first frontier; its portfolios
LONG_ONLY = FRONTIER + POINTS + 6
WEIGHTS = 28  # the header row of the weights on Target
CHECKS = WEIGHTS + ROOM + 6  # and of its limits
CHECK_ROOM = 60
TAIL = 16  # the header row of VaR and CVaR on Risk
METHODS = (("historical", 0.95), ("historical", 0.99), ("normal", 0.95), ("normal", 0.99),
           ("cornish-fisher", 0.95), ("cornish-fisher", 0.99))


def estimates_page(book: Book) -> Page:
    page = Page(
        book, "Estimates", "Estimates", "Expected returns: what history says, what the benchmark "
        "implies, and what the views make of it. Covariance below.",
        widths=[10, 10, 2, 10, 10, 2, 10, 10, 10, 11, 2, 10, 10, 2] + [9] * 7, tab=OUTPUT_TAB,
    )
    page.source(2, "History: the mean of five years of a stock with 30% volatility has a standard "
                "error of 30% / \u221a5 = 13% a year, so it is shown here and not used by default.")
    page.section(SECTION, 1, 2, "Historical mean")
    page.units(UNITS, 1, ["", "fraction a year"])
    page.spill(HEAD, 1, book.call("MEANRETURN", "Returns"), ["@", style.PERCENT],
               name="HistoricalReturns")
    page.section(SECTION, 4, 5, "Implied by benchmark")
    page.units(UNITS, 4, ["", "fraction a year"])
    page.spill(HEAD, 4, book.call("IMPLIEDRETURNS", "BenchmarkWeights", "Covariance",
                                  "RiskAversion", "RiskFree"),
               ["@", style.PERCENT], name="ImpliedReturns")
    page.section(SECTION, 7, 10, "Black-Litterman: implied returns and views")
    page.units(UNITS, 7, ["", "fraction a year", "fraction a year", "fraction a year"])
    page.spill(HEAD, 7, book.call("BLACKLITTERMAN", "ImpliedReturns", "Covariance", "Views",
                                  "Tau"),
               ["@", style.PERCENT, style.PERCENT, style.SIGNED], name="BlackLitterman")
    page.section(SECTION, 12, 13, "Used")
    page.units(UNITS, 12, ["", "fraction a year"])
    page.headings(HEAD, 12, ["Asset", "Return"])
    for row in range(FIRST, FIRST + ROOM):
        at = row + 1
        page.formula(row, 12, f'=IF(H{at}="","",H{at})')
        page.formula(
            row, 13,
            f'=IF(H{at}="","",IF(ReturnSource="Implied",I{at},IF(ReturnSource="Historical mean",'
            f"SUMIF($B${FIRST + 1}:$B${FIRST + ROOM},H{at},$C${FIRST + 1}:$C${FIRST + ROOM}),"
            f"J{at})))",
            style.PERCENT,
        )
    page.name_range("ExpectedReturns", HEAD, 12, HEAD + ROOM, 13)
    charts.expected_returns(page, HEAD, FIRST, len(example.STOCKS))
    width = len(example.STOCKS)
    page.section(COVARIANCE - 2, 1, width + 1, "Covariance, Ledoit-Wolf")
    page.text(COVARIANCE - 1, 1, "Fraction squared a year; the diagonal is volatility squared. "
              "Correlations rise in a crisis: diversification measured here is weaker when it "
              "is needed most.", "unit left")
    page.spill(COVARIANCE, 1, book.call("COVARIANCE", "Returns", '"ledoit-wolf"'),
               ["@"] + [style.FINE] * width, name="Covariance")
    page.sheet.conditional_format(COVARIANCE + 1, 2, COVARIANCE + ROOM, 1 + ROOM, {
        "type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#F4B183",
    })
    page.sheet.freeze_panes(2, 2)
    return page


def frontier_page(book: Book) -> Page:
    width = len(example.STOCKS)
    page = Page(
        book, "Frontier", "Frontier", "The most expected return for each volatility: under all "
        "limits, and with long positions only.", widths=[11, 10] + [8.5] * width, tab=OUTPUT_TAB,
    )
    page.section(SECTION, 14, 17, "Portfolios on the chart")
    page.units(UNITS, 14, ["", "a year", "a year", "ratio"])
    page.headings(HEAD, 14, ["Portfolio", "Volatility", "Return", "Sharpe"])
    for row, (title, column) in enumerate(
        (("Current", "D"), ("Benchmark", "E"), ("Target", "F")), start=FIRST
    ):
        page.text(row, 14, title, "label")
        page.formula(row, 15, f"=Risk!{column}9", style.PERCENT)
        page.formula(row, 16, f"=Risk!{column}8", style.PERCENT)
        page.formula(row, 17, f"=Risk!{column}10", style.NUMBER)
    page.section(FRONTIER - 2, 1, width + 2, "Under all limits",
                 "Return and Volatility: fractions a year; assets: weights, fractions")
    page.spill(FRONTIER, 1, book.call("FRONTIER", "ExpectedReturns", "Covariance", POINTS,
                                      "Limits", "Assets"),
               [style.PERCENT2, style.PERCENT2] + [style.PERCENT] * width, name="Frontier",
               room=POINTS, left=0, corner="header")
    page.section(LONG_ONLY - 2, 1, width + 2, "Long positions only",
                 "Return and Volatility: fractions a year; assets: weights, fractions")
    page.spill(LONG_ONLY, 1, book.call("FRONTIER", "ExpectedReturns", "Covariance", POINTS),
               [style.PERCENT2, style.PERCENT2] + [style.PERCENT] * width,
               name="LongOnlyFrontier", room=POINTS, left=0, corner="header")
    charts.frontier(page, SECTION, 1, 900, 460)
    page.sheet.freeze_panes(2, 0)
    return page


def target_page(book: Book) -> Page:
    page = Page(
        book, "Target", "Target", "The weights with the highest expected Sharpe ratio among all "
        "that keep every limit.",
        widths=[24, 10, 10, 10, 10, 10, 3, 24, 10, 10, 11, 10, 10, 3, 24, 10, 10, 11, 10],
        tab=OUTPUT_TAB,
    )
    page.source(2, "Another objective: replace the formula under Weights, for instance by "
                f"{book.call('MINVOLATILITY', 'Covariance', 'Limits', 'Assets')[1:]}.")
    _weights(page)
    page.section(WEIGHTS - 2, 8, 12, "Risk of the target by asset")
    page.units(WEIGHTS - 1, 8, ["", "fraction", "volatility a year", "volatility a year",
                                "fraction"])
    page.spill(WEIGHTS, 8, book.call("RISKCONTRIBUTION", "Weights", "Covariance"),
               ["@", style.PERCENT, style.PERCENT, style.PERCENT2, style.PERCENT],
               name="RiskContributions")
    page.section(WEIGHTS - 2, 15, 19, "Risk of the target by sector")
    page.units(WEIGHTS - 1, 15, ["", "fraction", "volatility a year", "volatility a year",
                                 "fraction"])
    page.spill(WEIGHTS, 15, book.call("RISKCONTRIBUTION", "Weights", "Covariance",
                                      "AssetsTable[[#All],[Asset]:[Sector]]"),
               ["@", style.PERCENT, style.PERCENT, style.PERCENT2, style.PERCENT],
               name="SectorContributions")
    for column, title, weights, name in (
        (1, "Limits: target", "Weights", "TargetLimits"),
        (8, "Limits: current", "CurrentWeights", "CurrentLimits"),
    ):
        page.section(CHECKS - 2, column, column + 5, title)
        page.units(CHECKS - 1, column, ["", "fraction", "fraction", "fraction", "fraction", ""])
        page.spill(CHECKS, column, book.call("CHECKLIMITS", weights, "Limits", "Assets",
                                             "Covariance"),
                   ["@"] + [style.PERCENT2] * 4 + ["@"], name=name, room=CHECK_ROOM)
        area = (CHECKS + 1, column + 5, CHECKS + CHECK_ROOM, column + 5)
        for text, mark in (("ok", "good"), ("at limit", "near"), ("breach", "bad")):
            page.mark_text(area, text, mark)
    charts.weights(page, SECTION, 1, 660, 420)
    charts.risk_shares(page, SECTION, 8, 660, 420)
    charts.sector_shares(page, SECTION, 15, 520, 420)
    page.sheet.freeze_panes(2, 0)
    return page


def _weights(page: Page) -> None:
    book = page.book
    page.section(WEIGHTS - 2, 1, 6, "Weights")
    page.units(WEIGHTS - 1, 1, ["", *["fraction"] * 5])
    page.spill(WEIGHTS, 1, book.call("MAXSHARPE", "ExpectedReturns", "Covariance", "RiskFree",
                                     "Limits", "Assets"),
               ["@", style.PERCENT], name="Weights")
    page.headings(WEIGHTS, 3, ["Current", "Benchmark", "Change", "Active"], left=0)
    for row in range(WEIGHTS + 1, WEIGHTS + 1 + ROOM):
        at = row + 1
        for column, of in ((3, "Current"), (4, "Benchmark")):
            page.formula(row, column, f'=IF($B{at}="","",SUMIF(AssetsTable[Asset],$B{at},'
                         f"AssetsTable[{of}]))", style.PERCENT)
        page.formula(row, 5, f'=IF($B{at}="","",$C{at}-$D{at})', style.SIGNED)
        page.formula(row, 6, f'=IF($B{at}="","",$C{at}-$E{at})', style.SIGNED)


def risk_page(book: Book) -> Page:
    page = Page(
        book, "Risk", "Risk", "What the portfolios may lose. VaR and CVaR are positive losses; "
        "CVaR is the mean loss beyond VaR.",
        widths=[22, 14, 12, 12, 12, 12, 3, 14, 14, 14, 14], tab=OUTPUT_TAB,
    )
    page.section(SECTION, 1, 5, "Return and risk", "a year")
    page.units(UNITS, 1, ["", "", "", "", ""])
    page.headings(HEAD, 1, ["Measure", "Unit", "Current", "Benchmark", "Target"], left=2)
    portfolios = ("CurrentWeights", "BenchmarkWeights", "Weights")
    for row, (title, unit, call, number) in enumerate((
        ("Expected return", "fraction", ("PORTRETURN", "{}", "ExpectedReturns"), style.PERCENT2),
        ("Volatility", "fraction", ("PORTVOLATILITY", "{}", "Covariance"), style.PERCENT2),
        ("Sharpe ratio", "ratio", ("SHARPE", "{}", "ExpectedReturns", "Covariance", "RiskFree"),
         style.NUMBER),
    ), start=FIRST):
        page.text(row, 1, title, "label")
        page.text(row, 2, unit, "label")
        for column, weights in enumerate(portfolios, start=3):
            page.formula(row, column, book.call(*(part.format(weights) for part in call)),
                         number, "output")
    _tail(page)
    notes = TAIL + len(METHODS) + 3
    page.section(notes, 8, 11, "Reading this page")
    for row, text in enumerate((
        "VaR says how often, CVaR how much: never read one without the other.",
        "Tails: normal ignores that daily returns have fat tails, and understates losses at 99%. "
        "Cornish-fisher corrects for skewness and kurtosis; historical knows only what happened.",
        "Stress: in a crisis correlations and volatilities rise together. The worst days of five "
        "years are not the worst days possible.",
    ), start=notes + 2):
        page.note(row, 8, 11, text, 58)
    charts.tail_losses(page, notes, 1, 640, 360)
    page.sheet.freeze_panes(2, 0)
    return page


def _tail(page: Page) -> None:
    book = page.book
    page.section(TAIL - 4, 1, 6, "VaR and CVaR", "")
    page.text(TAIL - 3, 1, "Horizon", "label")
    page.input(TAIL - 3, 2, 1, '0 "day(s)"')
    allow(page, (TAIL - 3, 2, TAIL - 3, 2), 1, 252, "A whole number of days.", "integer")
    page.name_cell("Horizon", TAIL - 3, 2)
    page.section(TAIL - 4, 8, 11, "The same in money")
    losses = ["VaR, current", "CVaR, current", "VaR, target", "CVaR, target"]
    page.units(TAIL - 1, 1, ["", "level", *["loss, fraction"] * 4], left=1)
    page.units(TAIL - 1, 8, ["loss, US dollars"] * 4, left=0)
    page.headings(TAIL, 1, ["Method", "Level", *losses])
    page.headings(TAIL, 8, losses, left=0)
    for row, (method, level) in enumerate(METHODS, start=TAIL + 1):
        page.text(row, 1, method, "label")
        page.input(row, 2, level, "0%")
        for column, (name, weights) in enumerate((
            ("VAR", "CurrentWeights"), ("CVAR", "CurrentWeights"),
            ("VAR", "Weights"), ("CVAR", "Weights"),
        ), start=3):
            page.formula(row, column, book.call(name, "Returns", weights, f"$C{row + 1}",
                                                f"$B{row + 1}", "Horizon"),
                         style.PERCENT2, "output")
            page.formula(row, column + 5, f"={chr(65 + column)}{row + 1}*PortfolioValue",
                         style.WHOLE)
    allow(page, (TAIL + 1, 2, TAIL + len(METHODS), 2), 0.5, 0.9999,
          "A level between 0.5 and 1: 0.95 looks at the worst 5%.")


def trades_page(book: Book) -> Page:
    page = Page(
        book, "Trades", "Trades", "From the holdings to the target in whole lots, after costs.",
        widths=[30, 14, 3, 10, 11, 11, 3, 9, 9, 9, 9, 9, 9, 9, 3, 9, 7, 10, 10, 12, 10, 12, 26],
        tab=INPUT_TAB,
    )
    page.source(2, "Holdings are made up. Buys are positive, sells negative; costs are positive.")
    _cash(page)
    page.section(SECTION, 4, 6, "Holdings")
    page.units(UNITS, 4, ["", "shares", "US dollars"])
    table(page, HEAD, 4, "Holdings", ["Asset", "Quantity", "Price"], len(example.STOCKS))
    for row, (asset, stock) in enumerate(example.STOCKS.items(), start=FIRST):
        page.input(row, 4, asset)
        page.input(row, 5, stock.quantity, style.WHOLE)
        page.formula(row, 6, last_price("HoldingsTable"), style.PRICE)
    page.section(SECTION, 8, 14, "Drift", "fractions")
    page.units(UNITS, 8, ["", *["fraction"] * 5, ""])
    page.spill(HEAD, 8, book.call("DRIFT", "Holdings", "Weights", "Band"),
               ["@", style.PERCENT, style.PERCENT, style.SIGNED, style.PERCENT, style.PERCENT,
                "@"], name="Drift")
    for text, mark in (("buy", "good"), ("sell", "near")):
        page.mark_text((FIRST, 14, HEAD + ROOM, 14), text, mark)
    page.section(SECTION, 16, 23, "Orders")
    page.units(UNITS, 16, ["", "", "shares", "US dollars", "US dollars", "US dollars",
                           "fraction", ""])
    page.spill(HEAD, 16, book.call("ORDERS", "Holdings", "Weights", "Cash", "", "Assets",
                                   "OrderOptions"),
               ["@", "@", style.SIGNED_WHOLE, style.PRICE, style.SIGNED_WHOLE, style.PRICE,
                style.PERCENT2, "@"], name="Orders", left=2)
    page.sheet.freeze_panes(FIRST, 0)
    return page


def _cash(page: Page) -> None:
    page.section(SECTION, 1, 2, "Cash and bands")
    page.headings(HEAD, 1, ["Setting", "Value"])
    page.text(FIRST, 1, "Cash to invest (US dollars)", "label")
    page.input(FIRST, 2, 100_000, style.WHOLE)
    page.name_cell("Cash", FIRST, 2)
    page.text(FIRST + 1, 1, "Band around the target (weight)", "label")
    page.input(FIRST + 1, 2, 0.01, style.PERCENT)
    page.name_cell("Band", FIRST + 1, 2)
    allow(page, (FIRST + 1, 2, FIRST + 1, 2), 0, 1, "A fraction of the portfolio: 0.01 or 1%.")
    page.section(FIRST + 3, 1, 2, "Costs of an order")
    page.headings(FIRST + 5, 1, ["Option", "Value"])
    options = (("fee", 1.0, style.PRICE), ("commission", 0.0005, "0.00%"),
               ("ticket", 2000.0, style.WHOLE))
    page.units(FIRST + 4, 1, ["fee, ticket: US dollars", "commission: fraction"])
    for row, (option, value, number) in enumerate(options, start=FIRST + 6):
        page.text(row, 1, option, "label")
        page.input(row, 2, value, number)
        allow(page, (row, 2, row, 2), 0, 1e9, "A number of at least 0.")
    page.name_range("OrderOptions", FIRST + 6, 1, FIRST + 5 + len(options), 2)
    after = FIRST + 11
    page.section(after, 1, 2, "After the orders", "US dollars")
    last = HEAD + ROOM + 1
    value, cost = f"$U${FIRST + 1}:$U${last}", f"$V${FIRST + 1}:$V${last}"
    rows = (
        ("Value of the holdings", "=SUMPRODUCT(HoldingsTable[Quantity],HoldingsTable[Price])"),
        ("Cash before", "=Cash"),
        ("Bought", f'=SUMIF({value},">0")'),
        ("Sold", f'=-SUMIF({value},"<0")'),
        ("Costs", f"=SUM({cost})"),
        ("Cash left", f"=Cash-SUM({value})-SUM({cost})"),
    )
    for row, (title, formula) in enumerate(rows, start=after + 1):
        page.text(row, 1, title, "label")
        page.formula(row, 2, formula, style.WHOLE)
    page.name_cell("PortfolioValue", after + 1, 2)
    page.name_cell("CashLeft", after + len(rows), 2)
    page.text(after + len(rows) + 1, 1, "Orders", "label")
    page.formula(after + len(rows) + 1, 2, f"=COUNT({value})", style.WHOLE)
    page.name_cell("OrderCount", after + len(rows) + 1, 2)
