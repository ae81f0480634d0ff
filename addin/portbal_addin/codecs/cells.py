"""One cell, or a rectangle of them, as numbers, texts, names and dates."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from portbal.errors import InputError
from portbal.labels import key, shorten
from portbal_addin.block import Block, Cell, date_of, is_blank, is_error, label_text

_NUMERIC = frozenset({float, int})
_LARGEST = 1e100  # beyond it squares of sums leave the range of a number
_PERCENT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*%")


def number(block: Block, row: int, column: int) -> float:
    """The number in one cell; InputError says what else is there."""
    cell = block.rows[row][column]
    if isinstance(cell, (float, int)) and not isinstance(cell, bool):
        if abs(cell) <= _LARGEST:
            return float(cell)
        if math.isfinite(cell):
            raise wrong(block, row, column, f"is {cell:.3g}, too large to calculate with",
                        "Check its unit.")
        raise wrong(block, row, column, "is not a finite number", "Type a number.")
    if isinstance(cell, str) and _PERCENT.fullmatch(cell.strip()):
        return float(cell.strip()[:-1]) / 100
    raise wrong(block, row, column, *_not_a_number(cell))


def _not_a_number(cell: Cell) -> tuple[str, str]:
    if is_blank(cell):
        return "is blank where a number belongs", "Type a number."
    if isinstance(cell, bool):
        return "is TRUE or FALSE where a number belongs", "Type a number."
    if isinstance(cell, dt.date):
        return "is a date where a number belongs", "Type a number."
    if is_error(cell):
        return f"is the error {cell}", "Mend the formula in that cell."
    text = shorten(cell)
    if re.fullmatch(r"\s*[-+]?[\d.]*,\d+\s*%?\s*", str(cell)):
        return f"is the text {text} with a comma", "Use a point for decimals, or a real number."
    if re.fullmatch(r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*", str(cell)):
        return f"is the text {text}, not a number", "Convert it to a number."
    return f"is the text {text} where a number belongs", "Type a number."


def wrong(block: Block, row: int, column: int, what: str, fix: str) -> InputError:
    """An InputError about the cell at 0-based (row, column) of this block."""
    down, right, _ = block.place(row, column)
    return InputError(f"the cell {what}", fix=fix, row=down, column=right)


def numbers(
    block: Block, *, leading_blanks: bool = False, any_blanks: bool = False
) -> np.ndarray:
    """All cells as a float array of shape (height, width).

    Any cell that is no finite number is an InputError with its place, except that
    with ``leading_blanks`` the blanks above a column's first number become NaN, and with
    ``any_blanks`` all blanks do.
    """
    types: set[type] = set()
    for row in block.rows:
        types.update(map(type, row))
    if types <= _NUMERIC:
        values = np.array(block.rows, dtype=float)
        if (np.abs(values) <= _LARGEST).all():
            return values
    return _numbers_cell_by_cell(block, leading_blanks or any_blanks, any_blanks)


def _numbers_cell_by_cell(block: Block, leading_blanks: bool, any_blanks: bool) -> np.ndarray:
    values = np.empty((block.height, block.width))
    started = [not leading_blanks] * block.width
    for r, row in enumerate(block.rows):
        for c, cell in enumerate(row):
            if not started[c] and is_blank(cell):
                values[r, c] = np.nan
                continue
            started[c] = not any_blanks
            values[r, c] = number(block, r, c)
    return values


def is_number(cell: Cell) -> bool:
    """Would ``number`` read this cell (percent text counts)?"""
    if isinstance(cell, bool):
        return False
    if isinstance(cell, (float, int)):
        return True
    return isinstance(cell, str) and bool(_PERCENT.fullmatch(cell.strip()))


def name(block: Block, row: int, column: int) -> str:
    """The name in one cell: trimmed text, or a number as text."""
    cell = block.rows[row][column]
    if is_blank(cell):
        raise wrong(block, row, column, "is blank where a name belongs", "Type a name.")
    if is_error(cell):
        raise wrong(block, row, column, f"is the error {cell}", "Mend the formula in that cell.")
    return label_text(cell)


def names(block: Block, cells: Sequence[tuple[int, int]]) -> pd.Index:
    """The names in these cells; a repeated one is an InputError."""
    result, seen = [], {}
    for row, column in cells:
        text = name(block, row, column)
        if key(text) in seen:
            raise wrong(
                block, row, column, f"repeats the name {shorten(text)}",
                "Keep one of them, or give them different names.",
            )
        seen[key(text)] = True
        result.append(text)
    return pd.Index(result, dtype=object)


def dates(block: Block, *, repeated: bool = False) -> pd.DatetimeIndex:
    """The first column of these rows as increasing dates, which may not repeat unless
    ``repeated`` allows it."""
    result: list[dt.datetime] = []
    for r, row in enumerate(block.rows):
        day = date_of(row[0], block.date1904)
        if day is None:
            shown = shorten(label_text(row[0])) if not is_blank(row[0]) else "blank"
            raise wrong(
                block, r, 0, f"is {shown} where a date belongs",
                "Use a date, such as 2024-01-31.",
            )
        if result and (day < result[-1] or (day == result[-1] and not repeated)):
            same = "repeats" if day == result[-1] else "lies before"
            raise wrong(
                block, r, 0, f"{same} the date above it ({day:%Y-%m-%d})",
                "Sort the rows by date, oldest first, one row a date.",
            )
        result.append(day)
    return pd.DatetimeIndex(result)


def number_rows(values: np.ndarray) -> list[list[Cell]]:
    """``number_cell`` of a whole array of shape (height, width)."""
    if np.isinf(values).any():
        raise ArithmeticError("a result is not finite")
    rows: list[list[Cell]] = (values + 0.0).tolist()
    for row, column in np.argwhere(np.isnan(values)).tolist():
        rows[row][column] = None
    return rows


def date_cells(index: pd.DatetimeIndex) -> list[dt.date]:
    """``date_cell`` of every date."""
    return [x if x.time() != dt.time() else x.date() for x in index.to_pydatetime()]


def date_cell(moment: object) -> dt.date:
    """A date as a cell: without its time when that is midnight."""
    stamp = pd.Timestamp(moment).to_pydatetime()  # type: ignore[arg-type]
    return stamp if stamp.time() != dt.time() else stamp.date()


def number_cell(value: object) -> Cell:
    """A number as a cell; a value that is not finite is a bug, NaN a blank, minus zero zero."""
    result = float(value)  # type: ignore[arg-type]
    if math.isinf(result):
        raise ArithmeticError("a result is not finite")
    return None if math.isnan(result) else result + 0.0
