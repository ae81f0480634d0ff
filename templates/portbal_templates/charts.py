"""The native charts of the workbooks, all of one look."""

from __future__ import annotations

from typing import Any

from xlsxwriter.chart import Chart

from portbal_templates import style
from portbal_templates.layout import (
    ASSETS,
    BY_ASSET,
    BY_SECTOR,
    FIRST,
    FRONTIER,
    HEAD,
    LONG_ONLY,
    LONG_ONLY_DRAWN,
    MARKED,
    METHODS,
    MONEY,
    PARTS,
    POINTS,
    POSTERIOR,
    SCENARIOS,
    TAIL,
    WEIGHTS,
)
from portbal_templates.page import Page

_FONT = {"name": style.FONT, "size": 9, "color": "#404040"}
_AXIS = {"color": "#A6A6A6"}
_GRID = {"visible": True, "line": {"color": "#E4E4E4", "width": 0.5}}
_NO_LINE = {"none": True}
_SECTORS = 7


def expected_returns(page: Page, row: int, column: int) -> None:
    """Implied and Black-Litterman returns, beside the tables of Estimates."""
    chart = _bars(page, "column", "Expected return before and after the views (a year)")
    for title, at, colour in (("Implied", 1, style.LIGHT), ("Black-Litterman", 2, style.NAVY)):
        _series(chart, title, "Estimates", FIRST, POSTERIOR, POSTERIOR + at, ASSETS, colour)
    _place(page, chart, row, column, page.pixels(column, 21), 420,
           "Implied and Black-Litterman expected returns by asset")


def weights(page: Page, row: int, column: int, width: int, height: int) -> None:
    chart = _bars(page, "column", "Weights: current, benchmark and target")
    for title, at, colour in (
        ("Current", 3, style.ORANGE), ("Benchmark", 4, "#BFBFBF"), ("Target", 2, style.NAVY),
    ):
        _series(chart, title, "Target", WEIGHTS + 1, 1, at, ASSETS, colour)
    _place(page, chart, row, column, width, height, "Current, benchmark and target weights")


def risk_shares(page: Page, row: int, column: int, width: int, height: int) -> None:
    chart = _bars(page, "column", "Target: weight and share of volatility by asset")
    _shares(chart, BY_ASSET, ASSETS)
    _place(page, chart, row, column, width, height, "Weight and share of volatility by asset")


def sector_shares(page: Page, row: int, column: int, width: int, height: int) -> None:
    chart = _bars(page, "bar", "Target: weight and share of volatility by sector")
    _shares(chart, BY_SECTOR, _SECTORS)
    _place(page, chart, row, column, width, height, "Weight and share of volatility by sector")


def tail_losses(page: Page, row: int, column: int, width: int, height: int) -> None:
    chart = _bars(page, "column", "VaR and CVaR: loss as a fraction of the portfolio")
    for title, at, colour in (
        ("VaR, current", 4, "#F6BE98"), ("CVaR, current", 5, style.ORANGE),
        ("VaR, target", 8, "#8EA9DB"), ("CVaR, target", 9, style.NAVY),
    ):
        _series(chart, title, "Risk", TAIL + 1, MONEY, at, len(METHODS), colour)
    _place(page, chart, row, column, width, height, "VaR and CVaR of current and target")


def tail_shares(page: Page, row: int, column: int, width: int, height: int) -> None:
    chart = _bars(page, "column", "Target by asset: weight, share of volatility, share of CVaR")
    _tail_shares(chart, 1, ASSETS)
    _place(page, chart, row, column, width, height,
           "Weight, share of volatility and share of CVaR by asset")


def sector_tail_shares(page: Page, row: int, column: int, width: int, height: int) -> None:
    chart = _bars(page, "bar", "Target by sector: weight, shares of volatility, CVaR")
    _tail_shares(chart, MONEY, _SECTORS)
    _place(page, chart, row, column, width, height,
           "Weight, share of volatility and share of CVaR by sector")


def scenario_losses(
    page: Page, row: int, column: int, width: int, height: int, count: int
) -> None:
    chart = _bars(page, "bar", "Loss of the target in each scenario: fraction of the portfolio")
    _series(chart, "Loss", "Stress", HEAD + 1, SCENARIOS, SCENARIOS + 1, count, style.NAVY)
    chart.set_legend({"none": True})
    _place(page, chart, row, column, width, height, "Loss of the target by scenario")


def frontier(page: Page, row: int, column: int, width: int, height: int) -> None:
    """Both frontiers as lines; current, benchmark and target as marked points."""
    chart = page.book.workbook.add_chart({"type": "scatter", "subtype": "straight"})
    for title, head, points, colour, weight in (
        ("Long positions, no other limit", LONG_ONLY, LONG_ONLY_DRAWN, "#A6A6A6", 1.5),
        ("Under all limits", FRONTIER, POINTS, style.NAVY, 3.0),
    ):
        chart.add_series({
            "name": title, "categories": ["Frontier", head + 1, 2, head + points, 2],
            "values": ["Frontier", head + 1, 1, head + points, 1],
            "line": {"color": colour, "width": weight}, "marker": {"type": "none"},
        })
    for at, (title, shape, size, colour, side) in enumerate((
        ("Current", "diamond", 10, style.ORANGE, "right"),
        ("Benchmark", "x", 14, style.GREY, "below"),
        ("Target", "circle", 11, style.GREEN, "above"),
    ), start=FIRST):
        # Benchmark is a cross, which has no inside: Target, drawn last, may stand on it
        chart.add_series({
            "name": title, "categories": ["Frontier", at, MARKED + 2, at, MARKED + 2],
            "values": ["Frontier", at, MARKED + 3, at, MARKED + 3], "line": _NO_LINE,
            "marker": {"type": shape, "size": size, "fill": {"color": colour},
                       "border": {"color": colour if shape == "x" else "#FFFFFF", "width": 1.75}},
            "data_labels": {"series_name": True, "value": False, "position": side,
                            "font": {**_FONT, "bold": True, "color": colour}},
        })
    _titles(chart, "Efficient frontier")
    chart.set_legend({"position": "bottom", "font": _FONT, "delete_series": [2, 3, 4]})
    for axis, name in ((chart.set_x_axis, "Volatility (a year)"),
                       (chart.set_y_axis, "Expected return (a year)")):
        axis({"name": name, "name_font": {**_FONT, "bold": False}, "num_font": _FONT,
              "num_format": "0%", "major_gridlines": _GRID, "line": _AXIS})
    _place(page, chart, row, column, width, height,
           "Efficient frontiers with the current, benchmark and target portfolios")


def _tail_shares(chart: Chart, column: int, count: int) -> None:
    for title, at, colour in (("Weight", 1, "#BFBFBF"), ("Share of volatility", 5, style.BLUE),
                              ("Share of CVaR", 4, style.NAVY)):
        _series(chart, title, "Risk", PARTS + 1, column, column + at, count, colour)


def _shares(chart: Chart, column: int, count: int) -> None:
    for title, at, colour in (("Weight", 1, "#BFBFBF"), ("Share of volatility", 4, style.BLUE)):
        _series(chart, title, "Target", WEIGHTS + 1, column, column + at, count, colour)


def _series(
    chart: Chart, title: str, sheet: str, first: int, names: int, values: int, count: int,
    colour: str,
) -> None:
    chart.add_series({
        "name": title, "categories": [sheet, first, names, first + count - 1, names],
        "values": [sheet, first, values, first + count - 1, values],
        "fill": {"color": colour}, "gap": 60, "overlap": 0,
    })


def _bars(page: Page, kind: str, title: str) -> Chart:
    """Columns (or horizontal bars) over names, values in per cent."""
    chart = page.book.workbook.add_chart({"type": kind})
    _titles(chart, title)
    names: dict[str, Any] = {"num_font": _FONT, "line": _AXIS, "label_position": "low",
                             "major_gridlines": {"visible": False}}
    values: dict[str, Any] = {"num_font": _FONT, "num_format": "0%", "major_gridlines": _GRID,
                              "line": _NO_LINE}
    if kind == "bar":  # from the top down, with the values below
        chart.set_y_axis({**names, "reverse": True})
        chart.set_x_axis({**values, "label_position": "high"})
    else:
        chart.set_x_axis(names)
        chart.set_y_axis(values)
    return chart


def _titles(chart: Chart, title: str) -> None:
    chart.set_title({"name": title, "overlay": False,
                     "name_font": {"name": style.FONT, "size": 12, "color": style.NAVY}})
    chart.set_legend({"position": "bottom", "font": _FONT})
    chart.set_chartarea({"border": {"color": style.LIGHT}})


def _place(
    page: Page, chart: Chart, row: int, column: int, width: int, height: int, description: str
) -> None:
    chart.set_size({"width": width, "height": height})
    page.sheet.insert_chart(row, column, chart,
                            {"description": description, "object_position": 2})
