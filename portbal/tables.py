"""Tables of numbers, dates down and assets across: what a calculation may rely on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError

_WHOLE = 1e-4  # how far from 1 a sum of weights may be


def row_of(index: pd.Index, position: int) -> object:
    """How an error names a row: by its date, else by its number under a header in row 1."""
    return index[position] if isinstance(index, pd.DatetimeIndex) else position + 2


def complete(table: pd.DataFrame, *, argument: str) -> np.ndarray:
    """The numbers, shape (T, n); InputError for an empty table and at the first blank."""
    values = _values(table, argument)
    _refuse(table, ~np.isfinite(values), argument, "a number is missing or infinite")
    return values


def histories(table: pd.DataFrame, *, argument: str) -> tuple[np.ndarray, np.ndarray]:
    """The numbers, shape (T, n), where each column may start late, and the row at which each
    starts, shape (n,). InputError at a blank after a start and for a column without numbers.
    """
    values = _values(table, argument)
    present = np.isfinite(values)
    for label, any_number in zip(table.columns, present.any(axis=0), strict=True):
        if not any_number:
            raise InputError(
                f"{labels.shorten(label)} has no numbers", fix="Fill its column or leave it out.",
                argument=argument, column=label,
            )
    starts = present.argmax(axis=0)
    started = np.arange(len(values))[:, None] >= starts
    _refuse(table, (started & ~present) | np.isinf(values), argument,
            "a number is missing or infinite")
    return values, starts


def vector(values: pd.Series, *, argument: str) -> np.ndarray:
    """The numbers of a labelled vector, shape (n,); InputError at the first that is none."""
    labels.positions(values.index, argument=argument)
    result = values.to_numpy(dtype=float)
    for label, value in zip(values.index, result, strict=True):
        if not np.isfinite(value):
            raise InputError(
                f"the number of {labels.shorten(label)} is missing or infinite",
                fix="Enter a finite number.", argument=argument, row=label,
            )
    return result


def check_sum(
    values: pd.Series | np.ndarray, said: str = "it sums", *, argument: str,
    fix: str = "Scale it, or add the asset that is missing.", column: str | None = None,
) -> None:
    """InputError when the values do not sum to 1 within 0.0001. said: how the problem begins."""
    total = float(values.sum())
    if not abs(total - 1) <= _WHOLE:
        raise InputError(f"{said} to {total:.2%}, not 100%", fix=fix, argument=argument,
                         column=column)


def _values(table: pd.DataFrame, argument: str) -> np.ndarray:
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InputError("it has no numbers", fix="Select rows and columns.", argument=argument)
    labels.positions(table.columns, argument=argument)
    return table.to_numpy(dtype=float)


def _refuse(table: pd.DataFrame, bad: np.ndarray, argument: str, problem: str) -> None:
    """InputError at the first cell, row by row, where ``bad`` is true."""
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            problem, fix="Enter a finite number.", argument=argument,
            row=row_of(table.index, int(row)), column=table.columns[column],
        )
