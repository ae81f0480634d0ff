"""Returns from prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from portbal import choices, labels, tables
from portbal.errors import InputError

# every -> the calendar periods of pandas; a week ends on Sunday
_CALENDAR = {"D": "D", "W": "W-SUN", "M": "M", "Q": "Q-DEC", "Y": "Y-DEC"}


def _simple(ratios: np.ndarray) -> np.ndarray:
    return ratios - 1


# kind -> returns from the ratios of successive prices, and the title of their dates
_KINDS: Mapping[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "simple": (_simple, "Date"),
    "log": (np.log, "Date (log)"),
}


def returns(prices: pd.DataFrame, kind: str = "simple", every: str | None = None) -> pd.DataFrame:
    """Returns between successive prices, shape (T - 1, n), labelled with the later date.

    prices  positive, shape (T, n); indexed by date where ``every`` or log returns are asked
    kind    "simple", p1 / p0 - 1, or "log", the logarithm of p1 / p0; the name of the index
            is "Date" or "Date (log)", by which the two are told apart
    every   D, W, M, Q, Y: the last price of each day, week (Monday to Sunday), month, quarter
            or year, labelled with the last date seen, the unfinished last period included

    InputError for a price that is missing or not above zero, for dates out of order, and when
    fewer than two prices are left.
    """
    convert, title = choices.one_of(kind, _KINDS, argument="kind")
    values = tables.complete(prices, argument="prices")
    _refuse(prices, np.arange(len(values)), values <= 0, "is not above zero")
    index = prices.index
    if isinstance(index, pd.DatetimeIndex):
        if not index.is_monotonic_increasing or not index.is_unique:
            raise InputError(
                "the dates are not in order", fix="Sort by date, oldest first, one row a date.",
                argument="prices",
            )
    elif title != "Date":
        raise InputError(
            "it has no dates, and only the title 'Date (log)' tells log returns from simple ones",
            fix="Add a first column with dates, or ask for simple returns.", argument="prices",
        )
    rows = np.arange(len(index)) if every is None else _last_of_each(index, every)
    values, index = values[rows], index[rows]
    if len(values) < 2:
        what = "one price alone gives" if every is None else "prices of one period alone give"
        raise InputError(f"{what} no return", fix="Select at least two.", argument="prices")
    with np.errstate(over="ignore"):
        ratios = values[1:] / values[:-1]
    beyond = np.isinf(ratios) | (ratios == 0)
    _refuse(prices, rows[1:], beyond, "is beyond any multiple of the one before")
    result = pd.DataFrame(convert(ratios), index=index[1:], columns=prices.columns)
    return result.rename_axis(index=title if isinstance(index, pd.DatetimeIndex) else None)


def _refuse(prices: pd.DataFrame, rows: np.ndarray, bad: np.ndarray, why: str) -> None:
    """InputError about the first price where ``bad``, whose rows are these of ``prices``."""
    places = np.argwhere(bad)
    if len(places):
        row, column = int(rows[places[0][0]]), int(places[0][1])
        name = prices.columns[column]
        raise InputError(
            f"the price {prices.to_numpy()[row, column]:g} of {labels.shorten(name)} {why}",
            fix="Correct it, or leave the asset out.", argument="prices",
            row=tables.row_of(prices.index, row), column=name,
        )


def _last_of_each(index: pd.Index, every: str) -> np.ndarray:
    """Positions of the last row of each calendar period."""
    frequency = choices.one_of(every, _CALENDAR, argument="every")
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(
            "it has no dates to find the last price of a period by",
            fix="Add a first column with dates, or leave out every.", argument="prices",
        )
    period = index.to_period(frequency).asi8
    return np.append(np.flatnonzero(np.diff(period)), len(period) - 1)
