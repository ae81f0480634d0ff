"""The page of holdings, drift and orders."""

from __future__ import annotations

from portbal_templates import example, style
from portbal_templates.inputs import allow, last_price, table
from portbal_templates.layout import (
    ASSETS,
    CASH,
    DRIFT,
    FIRST,
    HEAD,
    HOLDINGS,
    KEPT,
    KEPT_ROOM,
    ORDERS,
    ROOM,
    SECTION,
    UNITS,
)
from portbal_templates.page import Book, Page
from portbal_templates.style import INPUT_TAB, PERCENT, PERCENT2, PRICE, SIGNED, TEXT, WHOLE


def trades_page(book: Book) -> Page:
    page = Page(
        book, "Trades", "Trades", "From the holdings to the target in whole lots, after costs.",
        widths=[30, 13, 3, 10, 11, 11, 3, 9, 7, 10, 11, 13, 10, 12, 12, 3, *[9] * 7, 3, 28, 9, 9],
        tab=INPUT_TAB,
    )
    page.source(2, "Holdings are made up. Buys are positive and sells negative in Quantity and "
                "Value; costs are positive.")
    price = last_price("HoldingsTable")
    page.section(SECTION, HOLDINGS, HOLDINGS + 2, "Holdings")
    page.units(UNITS, HOLDINGS, ["name", "shares", "US dollars"])
    table(page, HEAD, HOLDINGS, "Holdings", ["Asset", "Quantity", "Price"], ASSETS, (ROOM, 3),
          formulas={"Price": price})
    for row, (asset, stock) in enumerate(example.STOCKS.items(), start=FIRST):
        page.input(row, HOLDINGS, asset)
        page.input(row, HOLDINGS + 1, stock.quantity, WHOLE)
        page.formula(row, HOLDINGS + 2, price, PRICE)
    page.section(SECTION, ORDERS, ORDERS + 7, "Orders")
    page.units(UNITS, ORDERS, ["name", "", "shares", "US dollars", "US dollars", "US dollars",
                               "fraction"])
    page.spill(HEAD, ORDERS, book.call("ORDERS", "Holdings", "Weights", "Cash", "OrderLimits",
                                       "Assets", "OrderOptions", "Covariance", "", "",
                                       "ExpectedReturns"),
               [TEXT, TEXT, style.SIGNED_WHOLE, PRICE, style.SIGNED_WHOLE, PRICE, PERCENT2, TEXT],
               "Orders", left=2)
    page.section(SECTION, DRIFT, DRIFT + 6, "Drift")
    page.units(UNITS, DRIFT, ["name", *["fraction"] * 5])
    page.spill(HEAD, DRIFT, book.call("DRIFT", "Holdings", "Weights", "Band"),
               [TEXT, PERCENT, PERCENT, SIGNED, PERCENT, PERCENT, TEXT], "Drift")
    for column in (DRIFT + 6, ORDERS + 1):
        for text, mark in (("buy", "good"), ("sell", "near")):
            page.mark_text((FIRST, column, HEAD + ROOM, column), text, mark)
    _settings(page)
    _after(page, FIRST + 12)
    _kept(page)
    page.sheet.freeze_panes(FIRST, 0)
    return page


def _settings(page: Page) -> None:
    page.section(SECTION, CASH, CASH + 1, "Cash and bands")
    page.headings(HEAD, CASH, ["Setting", "Value"])
    for row, (title, value, number, name) in enumerate((
        ("Cash to invest (US dollars)", 100_000, WHOLE, "Cash"),
        ("Least cash left (fraction)", 0.0, PERCENT2, "LeastCash"),
        ("Band around the target (fraction)", 0.01, PERCENT, "Band"),
    ), start=FIRST):
        page.text(row, CASH, title, "label")
        page.input(row, CASH + 1, value, number)
        page.name_cell(name, row, CASH + 1)
    allow(page, (FIRST + 1, CASH + 1, FIRST + 2, CASH + 1), 0, 1,
          "A fraction of the portfolio: 0.01 or 1%.")
    head = FIRST + 6
    page.section(head - 2, CASH, CASH + 1, "Costs of an order")
    page.units(head - 1, CASH, ["fee, ticket in US dollars; commission a fraction"])
    page.headings(head, CASH, ["Option", "Value"])
    options = (("fee", 1.0, PRICE), ("commission", 0.0005, PERCENT2), ("ticket", 2000.0, WHOLE))
    for row, (option, value, number) in enumerate(options, start=head + 1):
        page.text(row, CASH, option, "label")
        page.input(row, CASH + 1, value, number)
    allow(page, (head + 1, CASH + 1, head + len(options), CASH + 1), 0, 1e9,
          "A number of at least 0.")
    page.name_range("OrderOptions", head + 1, CASH, head + len(options), CASH + 1)


def _after(page: Page, row: int) -> None:
    """What the orders do to the cash, by the spreadsheet's own formulas."""
    value, cost = f"$M${FIRST + 1}:$M${FIRST + ROOM}", f"$N${FIRST + 1}:$N${FIRST + ROOM}"
    quantity, price = f"$F${FIRST + 1}:$F${FIRST + ROOM}", f"$G${FIRST + 1}:$G${FIRST + ROOM}"
    page.section(row, CASH, CASH + 1, "After the orders", "US dollars")
    for at, (title, formula, name) in enumerate((
        ("Value of the holdings", f"=SUMPRODUCT({quantity},{price})", "PortfolioValue"),
        ("Cash before", "=Cash", ""),
        ("Bought", f'=SUMIF({value},">0")', "Bought"),
        ("Sold", f'=-SUMIF({value},"<0")', "Sold"),
        ("Costs", f"=SUM({cost})", "OrderCosts"),
        ("Cash left", f"=Cash-SUM({value})-SUM({cost})", "CashLeft"),
        ("Orders (number)", f"=COUNT({value})", "OrderCount"),
    ), start=row + 1):
        page.text(at, CASH, title, "label")
        page.formula(at, CASH + 1, formula, WHOLE)
        if name:
            page.name_cell(name, at, CASH + 1)


def _kept(page: Page) -> None:
    """The limits that whole lots keep: least cash, and every row of Limits but CVaR, which would
    need the returns as well."""
    page.section(SECTION, KEPT, KEPT + 2, "Limits that the orders keep")
    page.units(UNITS, KEPT, ["cash, and Limits", "fraction", "fraction"])
    page.headings(HEAD, KEPT, ["Limit", "Min", "Max"])
    page.formula(FIRST, KEPT, '="cash"')
    page.formula(FIRST, KEPT + 1, "=LeastCash", PERCENT2)
    page.formula(FIRST, KEPT + 2, '=""', PERCENT2)
    for row in range(FIRST + 1, FIRST + KEPT_ROOM):
        look = "formula" if row <= FIRST + len(example.LIMITS) else "room"
        words, low, high = (f"Limits!${column}{row}" for column in "BCD")
        page.formula(row, KEPT, f'=IF(OR({words}="",LEFT({words},4)="cvar"),"",{words})', look=look)
        for column, bound in ((KEPT + 1, low), (KEPT + 2, high)):
            page.formula(row, column, f'=IF(OR($Z{row + 1}="",{bound}=""),"",{bound})', PERCENT2,
                         look)
    page.name_range("OrderLimits", HEAD, KEPT, HEAD + KEPT_ROOM, KEPT + 2)
