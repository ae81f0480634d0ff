"""Tables whose columns have fixed meanings: assets, limits, views, holdings, groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from portbal.errors import InputError
from portbal.labels import key, shorten, suggestion
from portbal_addin.block import Block, is_blank, is_error, label_text
from portbal_addin.codecs.cells import is_number, name, names, number, wrong
from portbal_addin.codecs.kind import Kind

NUMERIC_ASSET_COLUMNS = (
    "Benchmark", "Current", "Min", "Max", "Price", "Quantity", "Lot", "ADV", "Cost",
)


def columns_by_title(
    block: Block, required: tuple[str, ...], optional: tuple[str, ...], *,
    needs_rows: bool = True,
) -> dict[str, int]:
    """Column number by canonical title; unknown, repeated and missing titles are problems, and
    so is a header alone where rows are needed."""
    titles = {key(title): title for title in (*required, *optional)}
    found: dict[str, int] = {}
    for c, cell in enumerate(block.rows[0]):
        if is_blank(cell):
            if all(is_blank(row[c]) for row in block.rows):
                continue
            raise wrong(block, 0, c, "is blank where a title belongs", "Give the column a title.")
        title = titles.get(key(label_text(cell)))
        if title is None:
            raise wrong(
                block, 0, c, f"has the unknown title {shorten(label_text(cell))}",
                suggestion(label_text(cell), titles.values(),
                           f"Use the titles {', '.join(titles.values())}."),
            )
        if title in found:
            raise wrong(block, 0, c, f"repeats the title {title}", "Keep one of them.")
        found[title] = c
    missing = [title for title in required if title not in found]
    if missing:
        raise InputError(
            f"it has no column {missing[0]}",
            fix=f"Use a header row with {', '.join(required)}.",
        )
    if needs_rows and block.height < 2:
        raise InputError("it has a header and no rows", fix="Select the rows as well.")
    return found


def rows_with_content(block: Block) -> list[int]:
    """The rows below the header that are not blank."""
    return [r for r in range(1, block.height) if not all(map(is_blank, block.rows[r]))]


def _optional_number(block: Block, row: int, column: int | None) -> float:
    """A number, or NaN for a blank cell and for an absent column."""
    if column is None or is_blank(block.rows[row][column]):
        return float("nan")
    return number(block, row, column)


def _optional_text(block: Block, row: int, column: int | None) -> str:
    if column is None or is_blank(block.rows[row][column]):
        return ""
    return name(block, row, column)


# --- assets ------------------------------------------------------------------------------

def _assets(block: Block) -> pd.DataFrame:
    """Index: asset names. Text columns are groupings (str, "" where blank), numeric ones
    exposures (float, NaN where blank); reserved columns are numeric."""
    block = block.trimmed()
    if key(label_text(block.rows[0][0])) != "asset":
        raise InputError(
            "its first column is not titled Asset",
            fix="Select the header row, and title the first column Asset.", row=block.top + 1,
        )
    rows = rows_with_content(block)
    if not rows:
        raise InputError("it has a header and no rows", fix="Select the rows as well.")
    index = names(block, [(r, 0) for r in rows])
    titles = names(block, [(0, c) for c in range(1, block.width)])
    reserved = {key(title): title for title in NUMERIC_ASSET_COLUMNS}
    columns: dict[str, Any] = {}
    for c, title in enumerate(titles, start=1):
        cells = [block.rows[r][c] for r in rows]
        canonical = reserved.get(key(title))
        if canonical or all(is_blank(x) or is_number(x) or is_error(x) for x in cells):
            columns[canonical or title] = np.array([_optional_number(block, r, c) for r in rows])
        else:
            columns[title] = np.array([_optional_text(block, r, c) for r in rows], dtype=object)
    return pd.DataFrame(columns, index=index)


def _asset_labels(value: Any) -> pd.Index | None:
    return value.index if isinstance(value, pd.DataFrame) else None


ASSETS = Kind(
    "assets", "a table with a header row, one asset a row, first column Asset", _assets,
    labels=_asset_labels,
)


# --- limits, views -----------------------------------------------------------------------

def _limits(block: Block) -> pd.DataFrame:
    """Columns Limit, Min, Max, Penalty (NaN where blank), Note; index: rows of the range."""
    block = block.trimmed()
    at = columns_by_title(block, ("Limit", "Min", "Max"), ("Penalty", "Note"))
    rows = rows_with_content(block)
    return pd.DataFrame(
        {
            "Limit": [name(block, r, at["Limit"]) for r in rows],
            "Min": [_optional_number(block, r, at["Min"]) for r in rows],
            "Max": [_optional_number(block, r, at["Max"]) for r in rows],
            "Penalty": [_optional_number(block, r, at.get("Penalty")) for r in rows],
            "Note": [_optional_text(block, r, at.get("Note")) for r in rows],
        },
        index=[block.place(r, 0)[0] for r in rows],
    )


LIMITS = Kind("limits", "a table with the header Limit, Min, Max", _limits)


def _views(block: Block) -> pd.DataFrame:
    """Either columns View, Return, Confidence, or one column per asset (a pick matrix, 0
    where blank), then Return, Confidence. Confidence is NaN where blank. Index: rows."""
    block = block.trimmed()
    header = [key(label_text(cell)) for cell in block.rows[0]]
    if "view" in header:
        at = columns_by_title(block, ("View", "Return"), ("Confidence",))
        picks: list[tuple[str, int]] = []
    else:
        titles = names(block, [(0, c) for c in range(block.width)])
        at = {t: header.index(key(t)) for t in ("Return", "Confidence") if key(t) in header}
        picks = [(t, c) for c, t in enumerate(titles) if c not in at.values()]
        if "Return" not in at or not picks:
            raise InputError(
                "it has no columns View and Return",
                fix="Use the header View, Return, Confidence.", row=block.top + 1,
            )
    rows = rows_with_content(block)
    if not rows:
        raise InputError("it has a header and no rows", fix="Select the rows as well.")
    columns: dict[str, Any] = {}
    if picks:
        for title, c in picks:
            columns[title] = [
                0.0 if is_blank(block.rows[r][c]) else number(block, r, c) for r in rows
            ]
    else:
        columns["View"] = [name(block, r, at["View"]) for r in rows]
    columns["Return"] = [number(block, r, at["Return"]) for r in rows]
    columns["Confidence"] = [_optional_number(block, r, at.get("Confidence")) for r in rows]
    return pd.DataFrame(columns, index=[block.place(r, 0)[0] for r in rows])


VIEWS = Kind("views", "a table with the header View, Return, Confidence", _views)


def _view_variances(block: Block) -> pd.DataFrame:
    """Columns View, Variance."""
    block = block.trimmed()
    at = columns_by_title(block, ("View", "Variance"), ())
    rows = rows_with_content(block)
    return pd.DataFrame(
        {
            "View": [name(block, r, at["View"]) for r in rows],
            "Variance": [number(block, r, at["Variance"]) for r in rows],
        },
        index=[block.place(r, 0)[0] for r in rows],
    )


VIEW_VARIANCES = Kind("table", "a table with the header View, Variance", _view_variances)


# --- shocks --------------------------------------------------------------------------------

def _shocks(block: Block) -> pd.DataFrame:
    """Columns Where, Shock; index: rows of the range."""
    block = block.trimmed()
    return _shock_rows(block, columns_by_title(block, ("Where", "Shock"), ()))


def _scenario_shocks(block: Block) -> pd.DataFrame:
    """Columns Scenario, Where, Shock; a blank Scenario continues the one above."""
    block = block.trimmed()
    at = columns_by_title(block, ("Scenario", "Where", "Shock"), ())
    result = _shock_rows(block, at)
    titles: list[str] = []
    for r in rows_with_content(block):
        continues = titles and is_blank(block.rows[r][at["Scenario"]])
        titles.append(titles[-1] if continues else name(block, r, at["Scenario"]))
    return result.assign(Scenario=titles)


def _shock_rows(block: Block, at: dict[str, int]) -> pd.DataFrame:
    rows = rows_with_content(block)
    return pd.DataFrame(
        {
            "Where": [name(block, r, at["Where"]) for r in rows],
            "Shock": [number(block, r, at["Shock"]) for r in rows],
        },
        index=[block.place(r, 0)[0] for r in rows],
    )


SHOCKS = Kind("shocks", "a table with the header Where, Shock", _shocks)
SCENARIO_SHOCKS = Kind(
    "shocks", "a table with the header Scenario, Where, Shock", _scenario_shocks
)


# --- holdings, groups ----------------------------------------------------------------------

def _holdings(block: Block) -> pd.DataFrame:
    """Index: asset names; columns Quantity and Price, in base currency: where there is a column
    Rate, the price times what a unit of its currency is worth, 1 where it is blank."""
    block = block.trimmed()
    at = columns_by_title(block, ("Asset", "Quantity", "Price"), ("Rate",))
    rows = rows_with_content(block)
    index = names(block, [(r, at["Asset"]) for r in rows])
    price = [number(block, r, at["Price"]) * _rate(block, r, at.get("Rate")) for r in rows]
    return pd.DataFrame(
        {"Quantity": [number(block, r, at["Quantity"]) for r in rows], "Price": price}, index=index)


def _rate(block: Block, row: int, column: int | None) -> float:
    if column is None or is_blank(block.rows[row][column]):
        return 1.0
    rate = number(block, row, column)
    if not rate > 0:
        raise wrong(block, row, column, f"is {rate:g}, and a rate is above zero",
                    "Give what a unit of the currency is worth, or leave it blank for 1.")
    return rate


HOLDINGS = Kind(
    "holdings", "a table with the header Asset, Quantity, Price", _holdings, labels=_asset_labels
)


def _groups(block: Block) -> pd.Series:
    """Index: asset names; values: group names."""
    block = block.trimmed()
    if block.width != 2:
        raise InputError(
            f"groups have two columns, Asset and Group, and here are {block.width}",
            fix="Select two columns.",
        )
    rows = [
        r for r in range(block.height)
        if not (r == 0 and key(label_text(block.rows[0][0])) == "asset")
        and not all(map(is_blank, block.rows[r]))
    ]
    index = names(block, [(r, 0) for r in rows])
    return pd.Series([name(block, r, 1) for r in rows], index=index, dtype=object)


GROUPS = Kind("groups", "two columns: Asset, Group", _groups)
