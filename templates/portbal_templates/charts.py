"""The native charts of the workbooks, all of one look."""

from __future__ import annotations

from typing import Any

from xlsxwriter.chart import Chart

from portbal_templates import style
from portbal_templates.page import Page

_FONT = {"name": style.FONT, "size": 9, "color": "#404040"}
_GRID = {"visible": True, "line": {"color": "#E4E4E4", "width": 0.5}}
_NO_LINE = {"none": True}


def expected_returns(page: Page, head: int, first: int, count: int) -> None:
    """Historical, prior and posterior returns beside the tables of Estimates."""
    chart = _bar(page, "column")
    for title, column, colour in (
        ("Implied", 8, style.LIGHT), ("Black-Litterman", 9, style.NAVY),
    ):
        _series(chart, page, title, "Estimates", first, 7, column, count, colour)
    _finish(chart, "Expected return before and after the views (a year)", "0%")
    _place(page, chart, head - 2, 15, 640, 360,
           "Implied and Black-Litterman expected returns by asset")


def weights(page: Page, row: int, column: int, width: int, height: int) -> None:
    from portbal_templates.results import WEIGHTS

    chart = _bar(page, "column")
    for title, at, colour in (
        ("Current", 3, style.ORANGE), ("Benchmark", 4, style.LIGHT), ("Target", 2, style.NAVY),
    ):
        _series(chart, page, title, "Target", WEIGHTS + 1, 1, at, 20, colour)
    _finish(chart, "Weights: current, benchmark, target", "0%")
    _place(page, chart, row, column, width, height, "Current, benchmark and target weights")


def risk_shares(page: Page, row: int, column: int, width: int, height: int) -> None:
    from portbal_templates.results import WEIGHTS

    chart = _bar(page, "column")
    for title, at, colour in (("Weight", 9, style.LIGHT), ("Share of risk", 12, style.BLUE)):
        _series(chart, page, title, "Target", WEIGHTS + 1, 8, at, 20, colour)
    _finish(chart, "Target: weight and share of volatility by asset", "0%")
    _place(page, chart, row, column, width, height, "Weight and share of volatility by asset")


def sector_shares(page: Page, row: int, column: int, width: int, height: int) -> None:
    from portbal_templates.results import WEIGHTS

    chart = _bar(page, "bar")
    for title, at, colour in (("Weight", 16, style.LIGHT), ("Share of risk", 19, style.BLUE)):
        _series(chart, page, title, "Target", WEIGHTS + 1, 15, at, 7, colour)
    _finish(chart, "Target: weight and share of volatility by sector", "0%", reverse=True)
    _place(page, chart, row, column, width, height, "Weight and share of volatility by sector")


def tail_losses(page: Page, row: int, column: int, width: int, height: int) -> None:
    from portbal_templates.results import METHODS, TAIL

    chart = _bar(page, "column")
    for title, at, colour in (
        ("VaR, current", 3, "#F6BE98"), ("CVaR, current", 4, style.ORANGE),
        ("VaR, target", 5, "#8EA9DB"), ("CVaR, target", 6, style.NAVY),
    ):
        chart.add_series({
            "name": title, "categories": ["Risk", TAIL + 1, 1, TAIL + len(METHODS), 2],
            "values": ["Risk", TAIL + 1, at, TAIL + len(METHODS), at],
            "fill": {"color": colour}, "gap": 60,
        })
    _finish(chart, "Loss at the horizon", "0%")
    _place(page, chart, row, column, width, height, "VaR and CVaR of current and target")


def frontier(page: Page, row: int, column: int, width: int, height: int) -> None:
    """Both frontiers as lines; current, benchmark and target as marked points."""
    from portbal_templates.inputs import FIRST
    from portbal_templates.results import FRONTIER, LONG_ONLY, POINTS

    chart = page.book.workbook.add_chart({"type": "scatter", "subtype": "smooth"})
    for title, head, points, colour, weight in (
        ("Long positions only", LONG_ONLY, 13, "#A6A6A6", 1.5),
        ("Under all limits", FRONTIER, POINTS, style.NAVY, 2.75),
    ):
        chart.add_series({
            "name": title, "categories": ["Frontier", head + 1, 2, head + points, 2],
            "values": ["Frontier", head + 1, 1, head + points, 1],
            "line": {"color": colour, "width": weight}, "marker": {"type": "none"},
        })
    for at, (title, shape, colour) in enumerate((
        ("Current", "diamond", style.ORANGE), ("Benchmark", "square", style.GREY),
        ("Target", "circle", style.GREEN),
    )):
        chart.add_series({
            "name": title, "categories": ["Frontier", FIRST + at, 15, FIRST + at, 15],
            "values": ["Frontier", FIRST + at, 16, FIRST + at, 16], "line": _NO_LINE,
            "marker": {"type": shape, "size": 10, "fill": {"color": colour},
                       "border": {"color": "#FFFFFF"}},
        })
    _titles(chart, "Efficient frontier")
    for axis, name in ((chart.set_x_axis, "Volatility (a year)"),
                       (chart.set_y_axis, "Expected return (a year)")):
        axis({"name": name, "name_font": {**_FONT, "bold": False}, "num_font": _FONT,
              "num_format": "0%", "major_gridlines": _GRID,
              "line": {"color": "#A6A6A6"}})
    _place(page, chart, row, column, width, height,
           "Efficient frontiers with the current, benchmark and target portfolios")


def _bar(page: Page, kind: str) -> Chart:
    return page.book.workbook.add_chart({"type": kind})


def _series(
    chart: Chart, page: Page, title: str, sheet: str, first: int, names: int, values: int,
    count: int, colour: str,
) -> None:
    chart.add_series({
        "name": title, "categories": [sheet, first, names, first + count - 1, names],
        "values": [sheet, first, values, first + count - 1, values],
        "fill": {"color": colour}, "gap": 60, "overlap": 0,
    })


def _titles(chart: Chart, title: str) -> None:
    chart.set_title({"name": title, "overlay": False,
                     "name_font": {"name": style.FONT, "size": 12, "color": style.NAVY}})
    chart.set_legend({"position": "bottom", "font": _FONT})
    chart.set_chartarea({"border": {"color": style.LIGHT}})


def _finish(chart: Chart, title: str, number: str, reverse: bool = False) -> None:
    _titles(chart, title)
    chart.set_x_axis({"num_font": _FONT, "line": {"color": "#A6A6A6"}, "label_position": "low",
                      "reverse": reverse, "major_gridlines": {"visible": False}})
    chart.set_y_axis({"num_font": _FONT, "num_format": number, "major_gridlines": _GRID,
                      "line": _NO_LINE})


def _place(
    page: Page, chart: Chart, row: int, column: int, width: int, height: int, description: str
) -> None:
    options: dict[str, Any] = {"description": description, "object_position": 2}
    chart.set_size({"width": width, "height": height})
    page.sheet.insert_chart(row, column, chart, options)
