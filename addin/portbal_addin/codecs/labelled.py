"""Vectors, matrices, series and tables of numbers that carry names or dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from portbal.errors import InputError
from portbal.labels import key, shorten
from portbal.result import Noted
from portbal_addin.block import Block, Cell, date_of, is_blank, label_text
from portbal_addin.codecs.cells import (
    date_cell,
    date_cells,
    dates,
    is_number,
    name,
    names,
    number,
    number_cell,
    number_rows,
    numbers,
    wrong,
)
from portbal_addin.codecs.kind import Bare, Kind, either

_LOG_CORNER = "date (log)"
_MISSING = frozenset({"n/a", "na", "nan", "null", "none", "nil", "inf", "infinity", "missing"})


# --- vectors -----------------------------------------------------------------------------

def _vector(block: Block) -> pd.Series | Bare:
    """Two columns or two rows of names and numbers, or numbers alone."""
    block = block.trimmed()
    if block.height == 2 and (block.width != 2 or _lies_across(block)):
        block = block.turned()
    if block.width == 2 and not (block.height == 1 and all(map(is_number, block.rows[0]))):
        return _two_columns(block)
    if 1 not in (block.width, block.height):
        raise InputError(
            f"a vector has two columns (names and numbers), and here are "
            f"{block.height} rows and {block.width} columns",
            fix="Select the names and one column of numbers.",
        )
    return Bare(numbers(block).ravel())


def _lies_across(block: Block) -> bool:
    """Of two rows and two columns: names above, numbers below."""
    above, below = block.rows
    return (
        all(map(is_number, below))
        and not any(map(is_number, above))
        and key(label_text(above[0])) != "asset"
    )


def _two_columns(block: Block) -> pd.Series:
    start = 1 if block.height > 1 and _is_heading(block.rows[0][1]) else 0
    rows = range(start, block.height)
    index = names(block, [(r, 0) for r in rows])
    return pd.Series([number(block, r, 1) for r in rows], index=index, dtype=float)


def _is_heading(cell: Cell) -> bool:
    """A text that titles a column of numbers, not a failed or missing number."""
    return isinstance(cell, str) and cell.strip()[:1].isalpha() and key(cell) not in _MISSING


def _encode_vector(headers: tuple[str, str]) -> Any:
    def encode(value: pd.Series) -> Block:
        rows: list[tuple[Cell, ...]] = [headers]
        rows += [(str(label), number_cell(x)) for label, x in _plain(value).items()]
        return Block.of(rows)

    return encode


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Noted) else value


def _series_labels(value: Any) -> pd.Index | None:
    return value.index if isinstance(value, pd.Series) else None


VECTOR = Kind(
    "vector", "two columns: names and numbers", _vector,
    _encode_vector(("Asset", "Return")), _series_labels,
)


def vector_result(header: str) -> Kind:
    """A result with two columns, ``Asset`` and this header."""
    return Kind("vector", f"Asset, {header}", encode=_encode_vector(("Asset", header)))


# --- matrices ----------------------------------------------------------------------------

def _matrix(block: Block) -> pd.DataFrame | Bare:
    """Square numbers with names above and to the left, or square numbers alone."""
    block = block.trimmed()
    if block.height != block.width:
        raise InputError(
            f"a matrix is square, and here are {block.height} rows and {block.width} columns",
            fix="Select the whole matrix with its names on both sides, or only its numbers.",
        )
    if _is_bare_matrix(block):
        return Bare(numbers(block))
    n = block.height
    if n < 2:
        raise InputError("it is one cell", fix="Select the whole matrix with its names.")
    columns = names(block, [(0, c) for c in range(1, n)])
    index = names(block, [(r, 0) for r in range(1, n)])
    below = {key(label): r for r, label in enumerate(index)}
    for c, label in enumerate(columns):
        if key(label) not in below:
            raise wrong(
                block, 0, c + 1, f"names {shorten(label)}, which no row has",
                "Use the same names above and to the left.",
            )
    values = numbers(block.part(1, 1))
    order = [below[key(label)] for label in columns]
    return pd.DataFrame(values[order], index=columns, columns=columns)


def _is_bare_matrix(block: Block) -> bool:
    """No corner, and numbers in most of the first row: names are missing on both sides."""
    first = block.rows[0]
    return not is_blank(first[0]) and sum(map(is_number, first)) == len(first)


def _encode_matrix(value: Any) -> Block:
    frame = _plain(value)
    rows: list[tuple[Cell, ...]] = [(None, *map(str, frame.columns))]
    for label, row in zip(frame.index, number_rows(frame.to_numpy(dtype=float)), strict=True):
        rows.append((str(label), *row))
    return Block.of(rows)


def _frame_labels(value: Any) -> pd.Index | None:
    return value.columns if isinstance(value, pd.DataFrame) else None


MATRIX = Kind(
    "matrix", "a square matrix with names on both sides", _matrix, _encode_matrix, _frame_labels
)


def _encode_matrix_or_number(value: Any) -> Block:
    plain = _plain(value)
    if isinstance(plain, pd.DataFrame):
        return _encode_matrix(plain)
    return Block.of(number_cell(plain))


MATRIX_OR_NUMBER = Kind("matrix", "a matrix, or one number", encode=_encode_matrix_or_number)


def _looks_like_a_matrix(block: Block) -> bool:
    """Square, and either without a corner or numbers throughout: not names beside numbers."""
    block = block.trimmed()
    square = block.height == block.width
    return square and (is_blank(block.rows[0][0]) or all(
        is_number(cell) for row in block for cell in row))


MATRIX_OR_VECTOR = either(MATRIX, VECTOR, _looks_like_a_matrix)


# --- tables ------------------------------------------------------------------------------

def _table(
    *, leading_blanks: bool = False, above_zero: bool = False, unchecked: bool = False
) -> Any:
    """unchecked: blanks anywhere and repeated dates are for the function to find."""

    def decode(block: Block) -> pd.DataFrame:
        block = block.trimmed()
        header = block.rows[0]
        has_dates = block.width > 1 and _is_date_header(header[0])
        if has_dates and key(label_text(header[0])) == _LOG_CORNER:
            raise wrong(
                block, 0, 0, "says that these are log returns",
                "Use simple returns: RETURNS(prices).",
            )
        if block.height < 2:
            raise InputError("it has a header and no rows", fix="Select the rows as well.")
        first = 1 if has_dates else 0
        if all(is_number(cell) for cell in header[first:]) and not has_dates:
            raise wrong(
                block, 0, 0, "is a number where the name of an asset belongs",
                "Select the header row with the names as well.",
            )
        columns = names(block, [(0, c) for c in range(first, block.width)])
        index = (dates(block.part(1, 0, 1), repeated=unchecked) if has_dates
                 else pd.RangeIndex(block.height - 1))
        body = block.part(1, first)
        values = numbers(body, leading_blanks=leading_blanks, any_blanks=unchecked)
        if above_zero and (values <= 0).any():
            r, c = np.argwhere(values <= 0)[0]
            raise wrong(
                body, int(r), int(c), f"is {values[r, c]:g}, and a price is above zero",
                "Correct it, or leave the asset out.",
            )
        return pd.DataFrame(values, index=index, columns=columns)

    return decode


def _is_date_header(cell: Cell) -> bool:
    return is_blank(cell) or (isinstance(cell, str) and key(cell).startswith("date"))


def _encode_table(value: Any) -> Block:
    frame = _plain(value)
    values = number_rows(frame.to_numpy(dtype=float))
    if not isinstance(frame.index, pd.DatetimeIndex):
        return Block.of([tuple(map(str, frame.columns)), *values])
    corner = frame.index.name or "Date"
    rows: list[tuple[Cell, ...]] = [(str(corner), *map(str, frame.columns))]
    for day, row in zip(date_cells(frame.index), values, strict=True):
        rows.append((day, *row))
    return Block.of(rows)


_TABLE_ACCEPTS = "a table with a header row of names, dates in its first column if it has any"
TABLE = Kind("table", _TABLE_ACCEPTS, _table(), _encode_table, _frame_labels)
RAGGED_TABLE = Kind(
    "table", _TABLE_ACCEPTS + " (histories may start later)", _table(leading_blanks=True),
    _encode_table, _frame_labels,
)
PRICES = Kind(
    "table", _TABLE_ACCEPTS + ", prices above zero", _table(above_zero=True), _encode_table,
    _frame_labels,
)

UNCHECKED_PRICES = Kind(
    "table", _TABLE_ACCEPTS + " (blanks and repeated dates are found, not refused)",
    _table(unchecked=True), _encode_table, _frame_labels,
)


# --- series ------------------------------------------------------------------------------

def _series(block: Block) -> pd.Series:
    """Dates and numbers in two columns, or a table of one column."""
    block = block.trimmed()
    if block.width > 2:
        raise InputError(
            f"a series has one column of numbers, and here are {block.width} columns",
            fix="Select the dates and one column, or one column with its header.",
        )
    has_header = _has_header(block)
    if has_header and key(label_text(block.rows[0][0])) == _LOG_CORNER:
        raise wrong(block, 0, 0, "says that these are log returns", "Use simple returns.")
    start = 1 if has_header else 0
    if block.height <= start:
        raise InputError("it has a header and no rows", fix="Select the rows as well.")
    title = name(block, 0, block.width - 1) if has_header and not is_blank(
        block.rows[0][-1]) else "Series"
    body = block.part(start, 0)
    values = numbers(body.part(0, body.width - 1)).ravel()
    index = dates(body) if body.width == 2 else pd.RangeIndex(len(values))
    return pd.Series(values, index=index, name=title)


def _has_header(block: Block) -> bool:
    """Beside dates, a first row titled Date or one without date and number; alone, a text
    that titles numbers."""
    first = block.rows[0]
    if block.width == 1:
        return _is_heading(first[0])
    if date_of(first[0], block.date1904) is not None:
        return False
    return key(label_text(first[0])).startswith("date") or not is_number(first[1])


SERIES = Kind("series", "two columns: dates and numbers, or a table of one column", _series)


# --- result tables with columns of their own ------------------------------------------------

def encode_frame(value: Any) -> Block:
    """Any result table: its columns as they are named; texts, numbers, dates; NaN is blank."""
    frame = _plain(value)
    rows: list[tuple[Cell, ...]] = [tuple(map(str, frame.columns))]
    for row in frame.itertuples(index=False, name=None):
        rows.append(tuple(map(_any_cell, row)))
    return Block.of(rows)


def _any_cell(value: Any) -> Cell:
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float, np.integer, np.floating)):
        return number_cell(value)
    return date_cell(value)


def frame_result(*headers: str) -> Kind:
    """A result table with these headers (``...`` stands for one column per asset)."""
    return Kind("table", ", ".join(headers), encode=encode_frame)
