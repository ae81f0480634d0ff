"""Series and tables of the same periods: matched by date, or row by row without dates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal.errors import InputError


def rows(
    index: pd.Index, onto: pd.Index, *, argument: str, reference: str
) -> np.ndarray:
    """Positions in ``index`` of the periods of ``onto``, which must be the same.

    By date where both have dates; otherwise row by row, when there are equally many. InputError
    at the first date that one side lacks.
    """
    if isinstance(index, pd.DatetimeIndex) and isinstance(onto, pd.DatetimeIndex):
        if index.equals(onto):
            return np.arange(len(onto))
        for day in index.difference(onto):
            raise InputError(
                f"{day:%Y-%m-%d} is not in {reference}",
                fix=f"Use the same dates in {argument} and {reference}.", argument=argument,
                row=day.to_pydatetime(),
            )
        for day in onto.difference(index):
            raise InputError(
                f"{day:%Y-%m-%d} of {reference} is missing",
                fix=f"Use the same dates in {argument} and {reference}.", argument=argument,
            )
        return index.get_indexer(onto)
    if len(index) != len(onto):
        raise InputError(
            f"it has {len(index)} rows, and {reference} has {len(onto)}",
            fix="Use the same periods, with their dates where they have any.", argument=argument,
        )
    return np.arange(len(onto))


def numbers(
    series: pd.Series, onto: pd.Index, *, argument: str, reference: str
) -> np.ndarray:
    """The numbers of a series for the periods of ``onto`` (T,); InputError as `rows`, and for
    a number that is missing or infinite."""
    at = rows(series.index, onto, argument=argument, reference=reference)
    return finite(series, argument=argument)[at]


def finite(series: pd.Series, *, argument: str) -> np.ndarray:
    """The numbers of a series (T,); InputError at one that is missing or infinite."""
    values = series.to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        day = series.index[bad[0]]
        raise InputError(
            "a number is missing or infinite", fix="Enter a finite number.", argument=argument,
            row=day if isinstance(day, pd.Timestamp) else int(bad[0]) + 2,
        )
    return values
