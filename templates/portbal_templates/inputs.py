"""The pages a user fills in: prices, assets, limits, views; and the returns made from prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portbal_templates import example, style
from portbal_templates.layout import ASSETS, FIRST, HEAD, PRICE_ROOM, ROOM, SECTION, UNITS
from portbal_templates.page import Book, Page
from portbal_templates.style import INPUT_TAB, OUTPUT_TAB


def table(
    page: Page, row: int, column: int, name: str, titles: Sequence[str], rows: int,
    room: tuple[int, int], *, left: int = 1, formulas: Mapping[str, str] | None = None,
) -> None:
    """An Excel table for the cells written next, and a name for it with its header.

    The table grows as rows are typed below it. The name covers ``room`` rows and columns from
    the start, since formulas ignore blank ones at the edge. left: how many columns of names;
    formulas: by title, what a new row gets.
    """
    last = column + len(titles) - 1
    styles = page.book.styles
    page.sheet.add_table(row, column, row + rows, last, {
        "name": f"{name}Table", "autofilter": False, "style": None,
        "columns": [
            {"header": title, "formula": (formulas or {}).get(title, ""),
             "header_format": styles.get("header left" if at < left else "header")}
            for at, title in enumerate(titles)
        ],
    })
    page.name_range(name, row, column, row + room[0], column + room[1] - 1)


def last_price(table_name: str) -> str:
    """The newest price of the asset named in this row of a table."""
    return (
        f"=INDEX(Prices,COUNTA(INDEX(Prices,0,1)),"
        f"MATCH({table_name}[[#This Row],[Asset]],INDEX(Prices,1,0),0))"
    )


def allow(
    page: Page, area: tuple[int, int, int, int], low: float, high: float, what: str,
    kind: str = "decimal",
) -> None:
    """Refuse numbers outside low to high, with a message that says what is expected."""
    page.sheet.data_validation(*area, {
        "validate": kind, "criteria": "between", "minimum": low, "maximum": high,
        "ignore_blank": True, "error_title": "Not possible here", "error_message": what,
    })


def prices_page(book: Book) -> Page:
    data = example.prices()
    width = len(data.assets)
    page = Page(
        book, "Prices", "Prices", "Replace these with your own: paste over the table, "
        "or type new rows below it.", widths=[11] + [8.5] * width, tab=INPUT_TAB,
        long=True,
    )
    page.source(2, "Source: skfolio, dataset sp500_dataset, last 1,260 trading days. Licence: "
                "BSD 3-Clause, (c) 2023-2026 The skfolio developers.")
    page.source(3, "Example data, not current and not for investment decisions: twenty stocks of "
                "the S&P 500, 2017-12-27 to 2022-12-28.")
    page.section(SECTION, 1, width + 1, "Daily closing prices",
                 "US dollars a share, adjusted for splits and dividends")
    page.units(UNITS, 1, ["date"] + ["US dollars"] * width)
    table(page, HEAD, 1, "Prices", ["Date", *data.assets], len(data.rows),
          (PRICE_ROOM, 1 + ROOM))
    for down, (day, row) in enumerate(zip(data.dates, data.rows, strict=True)):
        page.input(FIRST + down, 1, day, style.DATE)
        for at, price in enumerate(row):
            page.input(FIRST + down, 2 + at, price, style.PRICE)
    allow(page, (FIRST, 2, FIRST + len(data.rows) - 1, width + 1), 0, 1e9,
          "A price is a number above 0.")
    page.sheet.freeze_panes(FIRST, 2)
    page.sheet.repeat_rows(HEAD)
    return page


def returns_page(book: Book) -> Page:
    width = len(example.STOCKS)
    page = Page(
        book, "Returns", "Returns", "Simple daily returns of the prices; every estimate and "
        "every risk figure starts here.", widths=[11] + [8.5] * width, tab=OUTPUT_TAB,
        long=True,
    )
    page.source(2, "History: five years are one draw from one market. They hold one crash (March "
                "2020) and one year of falling shares and bonds (2022); the next five years will "
                "differ.")
    page.section(SECTION, 1, width + 1, "Simple returns", "fraction per day, shown in %")
    page.spill(HEAD, 1, book.call("RETURNS", "Prices"), [style.DATE, style.PERCENT2],
               "Returns", room=(PRICE_ROOM, 1 + ROOM))
    rate = book.styles.get("room", style.PERCENT2)
    page.sheet.set_column(1, 1, 11, book.styles.get("room", style.DATE))  # of rows yet to come
    page.sheet.set_column(2, width + 1, 8.5, rate)
    page.sheet.set_column(width + 2, 1 + ROOM, 8.5, rate)
    page.sheet.freeze_panes(FIRST, 2)
    page.sheet.repeat_rows(HEAD)
    return page


def assets_page(book: Book) -> Page:
    page = Page(
        book, "Assets", "Assets", "One row an asset. A text column is a grouping that limits can "
        "name; a numeric column is an exposure.",
        widths=[10, 24, 24, 15, 9, 11, 10, 9, 9, 9, 9, 3, 10, 10, 3, 10, 11, 3, 22, 10, 10],
        tab=INPUT_TAB,
    )
    page.source(2, "Benchmark: made-up weights in the manner of an index weighted by market value. "
                "Current: quantities on Trades at the last price of Prices.")
    titles = ["Asset", "Sector", "Company", "Benchmark", "Lot", "Price", "Current"]
    current = (
        "=SUMIF(Trades!$E$8:$E$37,AssetsTable[[#This Row],[Asset]],Trades!$F$8:$F$37)"
        "*AssetsTable[[#This Row],[Price]]/PortfolioValue"
    )
    price = last_price("AssetsTable")
    page.section(SECTION, 1, 7, "Assets")
    page.units(UNITS, 1, ["name", "grouping", "grouping", "fraction, made up", "shares",
                          "US dollars", "fraction"], left=3)
    page.text(UNITS, 8, "  room for four more columns", "unit left")
    table(page, HEAD, 1, "Assets", titles, ASSETS, (ROOM, len(titles) + 4), left=3,
          formulas={"Price": price, "Current": current})
    for row, (asset, stock) in enumerate(example.STOCKS.items(), start=FIRST):
        for at, text in enumerate((asset, stock.sector, stock.company), start=1):
            page.input(row, at, text)
        page.input(row, 4, stock.benchmark, style.PERCENT)
        page.input(row, 5, stock.lot, style.WHOLE)
        page.formula(row, 6, price, style.PRICE)
        page.formula(row, 7, current, style.PERCENT)
    allow(page, (FIRST, 4, HEAD + ROOM, 4), -10, 10, "A weight is a fraction: 0.05 or 5%.")
    allow(page, (FIRST, 5, HEAD + ROOM, 5), 1, 1_000_000, "A lot is a whole number of shares.",
          "integer")
    _vector(page, 13, "Current", "H")
    _vector(page, 16, "Benchmark", "E")
    _sums(page, 19)
    page.sheet.freeze_panes(FIRST, 2)
    return page


def _vector(page: Page, column: int, title: str, of: str) -> None:
    """Asset and weight side by side, as formulas take them; blank below the last asset."""
    page.section(SECTION, column, column + 1, title)
    page.units(UNITS, column, ["name", "fraction"])
    page.headings(HEAD, column, ["Asset", title])
    for row in range(FIRST, FIRST + ROOM):
        look = "formula" if row < FIRST + ASSETS else "room"
        asset = f"$B{row + 1}"
        page.formula(row, column, f'=IF({asset}="","",{asset})', look=look)
        page.formula(row, column + 1, f'=IF({asset}="","",${of}{row + 1})', style.PERCENT, look)
    page.name_range(f"{title}Weights", HEAD, column, HEAD + ROOM, column + 1)


def _sums(page: Page, column: int) -> None:
    page.section(SECTION, column, column + 2, "Checks")
    page.units(UNITS, column, ["", "fraction", ""])
    page.headings(HEAD, column, ["Weights add up to", "Sum", "Status"])
    for row, (title, letter) in enumerate((("Benchmark", "E"), ("Current", "H")), start=FIRST):
        area = f"${letter}${FIRST + 1}:${letter}${FIRST + ROOM}"
        page.text(row, column, title, "label")
        page.formula(row, column + 1, f"=SUM({area})", style.PERCENT2)
        page.formula(row, column + 2, f'=IF(ABS(SUM({area})-1)<=0.0001,"ok","not 100%")',
                     align="right")
    checked = (FIRST, column + 2, FIRST + 1, column + 2)
    page.mark_text(checked, "ok", "good")
    page.mark_text(checked, "not 100%", "bad")


def limits_page(book: Book) -> Page:
    page = Page(
        book, "Limits", "Limits", "One limit a row, in words. Leave Min or Max blank where there "
        "is none.", widths=[28, 10, 10, 46, 3, 34, 62], tab=INPUT_TAB,
    )
    page.source(2, "Without a row every weight is at least 0 and all weights add up to 100%.")
    page.section(SECTION, 1, 4, "Limits")
    page.units(UNITS, 1, ["words", "fraction", "fraction"])
    spare = 4
    table(page, HEAD, 1, "Limits", ["Limit", "Min", "Max", "Note"], len(example.LIMITS) + spare,
          (60, 4))
    page.text(HEAD, 4, "Note", "header text")
    rows: list[tuple[str | float | None, ...]] = [*example.LIMITS, *([(None,) * 4] * spare)]
    for row, (words, low, high, note) in enumerate(rows, start=FIRST):
        page.input(row, 1, words)
        page.input(row, 2, low, style.PERCENT)
        page.input(row, 3, high, style.PERCENT)
        page.input(row, 4, note or None, look="input text")
    allow(page, (FIRST, 2, FIRST + len(rows) - 1, 3), -100, 100,
          "A fraction: 0.12 or 12%. Leave the cell blank where there is no bound.")
    _help(page, 6, "Words that a limit can use", ("Words", "What is limited"), (
        ("AAPL, or asset AAPL", "one weight"),
        ("each asset", "every weight; its Min replaces the 0"),
        ("Sector Energy", "the sum of a group, by any text column of Assets"),
        ("each Sector", "the sum of every group of that column"),
        ("exposure <column>", "the weighted sum of a numeric column of Assets"),
        ("active Sector Energy", "any of these, less the benchmark's value"),
        ("each active asset", "every weight less its benchmark weight"),
        ("net, gross, short", "sums of weights, of their sizes, of short positions"),
        ("volatility, tracking error", "a year; tracking error is against Benchmark"),
        ("return", "expected return a year"),
        ("turnover", "half the sum of absolute changes from Current"),
        ("cash", "the weight of the asset named Cash"),
    ))
    page.sheet.freeze_panes(FIRST, 2)
    return page


def views_page(book: Book) -> Page:
    page = Page(
        book, "Views", "Views", "What you expect to differ from the benchmark's implied returns. "
        "A row less is a view less.", widths=[34, 12, 12, 3, 34, 62], tab=INPUT_TAB,
    )
    page.source(2, "The three views are made up. They are total returns a year, as are the "
                "implied returns they are blended with.")
    page.section(SECTION, 1, 3, "Views")
    page.units(UNITS, 1, ["assets and factors", "fraction a year", "0 to 1"])
    spare = 4
    table(page, HEAD, 1, "Views", ["View", "Return", "Confidence"], len(example.VIEWS) + spare,
          (30, 3))
    rows: list[tuple[str | float | None, ...]] = [*example.VIEWS, *([(None,) * 3] * spare)]
    for row, (view, value, confidence) in enumerate(rows, start=FIRST):
        page.input(row, 1, view)
        page.input(row, 2, value, style.PERCENT)
        page.input(row, 3, confidence, "0%")
    last = FIRST + len(rows) - 1
    allow(page, (FIRST, 2, last, 2), -10, 10, "A fraction a year: 0.05 or 5%.")
    allow(page, (FIRST, 3, last, 3), 0, 1, "Between 0 (ignored) and 1 (certain), or blank.")
    _help(page, 5, "How to write a view", ("View", "What it says"), (
        ("LLY", "Return is LLY's return a year"),
        ("XOM - CVX", "Return is by how much XOM beats CVX"),
        ("JPM - 0.5*BAC - 0.5*GE", "Return is by how much JPM beats the mix"),
        ("'3M' - GE", "a name with a sign or a digit first goes in single quotes"),
        ("Confidence 0", "the view is ignored"),
        ("Confidence 1", "the view is taken as certain"),
        ("Confidence blank", "as uncertain as the prior on the same assets (like 50%)"),
    ))
    page.sheet.freeze_panes(FIRST, 2)
    return page


def _help(
    page: Page, column: int, title: str, titles: tuple[str, str], rows: Sequence[tuple[str, str]]
) -> None:
    page.section(SECTION, column, column + 1, title)
    page.headings(HEAD, column, titles, left=2)
    for row, (left, right) in enumerate(rows, start=FIRST):
        page.text(row, column, left, "label")
        page.text(row, column + 1, right, "label")
