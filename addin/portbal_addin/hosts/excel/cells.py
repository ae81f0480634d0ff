"""What Excel hands over, as a block with its address, and a block as what Excel takes.

Most cells come as what they are, and looking at each of them costs more than a formula; so
xlwings' conversion is asked for dates, errors and currency alone. A range formatted as currency
comes rounded to four decimals, so its exact numbers are asked for. Error cells newer than 2016
come as numbers. Whole columns are read as far as the sheet is used.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from xlwings import Range
from xlwings.conversion import (
    Accessor,
    ConversionContext,
    Ensure2DStage,
    Options,
    Pipeline,
    RawValueAccessor,
)

from portbal.errors import InputError
from portbal_addin.block import Address, Block

_LAST_ROW = 1_048_576
_LAST_COLUMN = 16_384
_PLAIN = frozenset({float, str, bool, type(None)})
_WRITTEN = frozenset({float, int, str, bool})
_FIRST_ERROR = -2_146_828_288
# XlCVError, those that xlwings does not turn into text.
_ERRORS = {
    _FIRST_ERROR + 2043: "#GETTING_DATA",
    _FIRST_ERROR + 2045: "#SPILL!",
    _FIRST_ERROR + 2046: "#CONNECT!",
    _FIRST_ERROR + 2047: "#BLOCKED!",
    _FIRST_ERROR + 2048: "#UNKNOWN!",
    _FIRST_ERROR + 2049: "#FIELD!",
    _FIRST_ERROR + 2050: "#CALC!",
}


class Cells(Accessor):
    """The conversion that every argument and every result of a portbal formula uses.

    An argument becomes a Block, or the InputError that says why it cannot.
    """

    @classmethod
    def reader(cls, options: Options) -> Pipeline:
        raw = RawValueAccessor.reader(Options(options).erase(["convert"]))
        return (raw.prepend_stage(_use_what_is_used).append_stage(Ensure2DStage())
                .append_stage(_to_block))

    @classmethod
    def writer(cls, _options: Options) -> Pipeline:
        return Pipeline().append_stage(_to_rows)


def _use_what_is_used(c: ConversionContext) -> None:
    """Of whole columns or rows the part from their start to the last used cell."""
    if c.range is None:
        return
    height, width = c.range.shape
    if height < _LAST_ROW and width < _LAST_COLUMN:
        return
    top, left = c.range.row, c.range.column
    used = c.range.sheet.used_range
    bottom = max(top, min(used.row + used.shape[0], top + height) - 1)
    right = max(left, min(used.column + used.shape[1], left + width) - 1)
    c.range = c.range.sheet.range((top, left), (bottom, right))


def _to_block(c: ConversionContext) -> None:
    rows = _understood(c)
    if c.range is None:
        c.value = Block.of(rows)
    elif c.range.api.Areas.Count > 1:
        c.value = InputError(
            "it is made of several ranges", fix="Select one range, or stack them with VSTACK."
        )
    else:
        sheet = c.range.sheet
        address = Address(sheet.name, c.range.row, c.range.column)
        c.value = Block.of(rows, address, date1904=bool(sheet.book.api.Date1904))


def _understood(c: ConversionContext) -> Any:
    """The rows, where columns with anything but numbers, texts and blanks went through xlwings'
    conversion."""
    rows = c.value
    kinds = [set(map(type, column)) for column in zip(*rows, strict=True)]
    if any(Decimal in kind for kind in kinds):
        rows = _exact(rows, c.range)
    columns = [at for at, kind in enumerate(kinds) if not kind <= _PLAIN]
    if not columns:
        return rows
    given = [[row[at] for row in rows] for at in columns]
    cleaned = c.engine.impl.clean_value_data(given, dt.datetime, None, None, True)
    rows = [list(row) for row in rows]
    for at, cells in zip(columns, cleaned, strict=True):
        for row, cell in zip(rows, cells, strict=True):
            row[at] = _ERRORS.get(cell, cell) if type(cell) is int else cell
    return rows


def _exact(rows: list[list[Any]], range_: Range | None) -> list[list[Any]]:
    """With floats in place of currency amounts, unrounded where they come from cells."""
    if range_ is None:
        return [[float(x) if isinstance(x, Decimal) else x for x in row] for row in rows]
    exact = range_.api.Value2
    if not isinstance(exact, tuple):
        exact = ((exact,),)
    return [
        [y if isinstance(x, Decimal) else x for x, y in zip(row, numbers, strict=True)]
        for row, numbers in zip(rows, exact, strict=True)
    ]


def _to_rows(c: ConversionContext) -> None:
    """A block's cells are plain values; only dates and blanks need xlwings' care."""
    rows = list(map(list, c.value))
    prepared = c.engine.impl.prepare_xl_data_element
    for at, column in enumerate(zip(*rows, strict=True)):
        if not set(map(type, column)) <= _WRITTEN:
            for row, cell in zip(rows, column, strict=True):
                if type(cell) not in _WRITTEN:
                    row[at] = prepared(cell, None)
    c.value = rows
