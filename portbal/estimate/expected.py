"""Expected returns a year, estimated from past returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from portbal import choices, labels, tables
from portbal import periods as calendar
from portbal.errors import InputError

Method = Callable[[pd.DataFrame, float], pd.Series]


def mean(returns: pd.DataFrame, periods: float) -> pd.Series:
    """The arithmetic mean of each column's own history, times ``periods``.

    returns  simple, shape (T, n); blanks (NaN) only before a column's first number
    """
    values, starts = tables.histories(returns, argument="returns")
    lengths = len(values) - starts
    return pd.Series(np.nansum(values, axis=0) / lengths * periods, index=returns.columns)


def compound(returns: pd.DataFrame, periods: float) -> pd.Series:
    """prod(1 + r) ** (periods / T) - 1 over each column's own history of T returns.

    returns  simple, shape (T, n), none below -1; blanks (NaN) only before a column's first
             number. A return of -1 makes the answer -1.
    """
    values, starts = tables.histories(returns, argument="returns")
    below = np.argwhere(values < -1)
    if len(below):
        row, column = below[0]
        raise InputError(
            f"the return {values[row, column]:.2%} of "
            f"{labels.shorten(returns.columns[column])} loses more than everything",
            fix="Returns are fractions, 0.05 for 5%: correct it, or use the method mean.",
            argument="returns", row=tables.row_of(returns.index, int(row)),
            column=returns.columns[column],
        )
    with np.errstate(divide="ignore"):
        growth = np.nansum(np.log1p(values), axis=0)
    return pd.Series(np.expm1(growth * periods / (len(values) - starts)), index=returns.columns)


METHODS: Mapping[str, Method] = {"mean": mean, "compound": compound}


def estimate(
    returns: pd.DataFrame,
    method: str = "mean",
    periods: float | None = None,
    options: Mapping[str, object] | None = None,
) -> pd.Series:
    """Expected returns a year by a named method, in the order of the columns.

    returns  simple, shape (T, n); histories may start late
    method   a name in METHODS
    periods  return periods a year; None reads it from the dates
    options  option -> value; the methods here take none

    InputError for an unknown method or option and for what the method refuses.
    """
    run = choices.one_of(method, METHODS, argument="method")
    choices.options(options, {})
    return run(returns, calendar.per_year(returns.index, periods))
