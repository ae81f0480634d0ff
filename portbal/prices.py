"""Returns from prices, and what looks wrong in prices."""

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


# --- the data-quality gate -------------------------------------------------------------------

# How many times the usual size of a log return is out of the ordinary. Of five years of twenty
# large US stocks, March 2020 among them, one return in 25,000 is beyond it.
_EXTRAORDINARY = 10.0
_AROUND = 30  # returns on each side that say what is usual at the time
_STALE = 5  # equal prices in a row
_DAILY_GAP = 5  # calendar days between daily prices that holidays explain
_SPLITS = (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100)
_MAD_TO_SIGMA = 1.4826  # of a normal distribution


def check(prices: pd.DataFrame) -> pd.DataFrame:
    """What looks wrong in a table of prices: columns Asset, Issue, Where, Detail.

    prices  shape (T, n), NaN where a price is missing; dates, if any, in order, perhaps repeated

    Issue is one of
        duplicate      a date that occurs twice; an asset with the prices of another
        gap            dates further apart than usual; prices missing after the first
        not a price    zero or below
        short history  the first price comes later than the table's
        stale run      five equal prices or more in a row (the asset named Cash may)
        split          a lasting jump by a usual split ratio, such as 2:1 or 1:10
        outlier        a log return more than ten times as large as is usual at that time, where
                       usual is the median size of the 61 around it, but not less than that of
                       the whole history, as the standard deviation of a normal distribution
    Where is a date, or two with "to" between; without dates the rows of the table, the header
    being row 1. One row ``All, none`` when nothing is found.

    InputError for a table without numbers and for an asset without any.
    """
    values, _ = tables.histories(prices.ffill(), argument="prices")
    values = np.where(prices.isna().to_numpy(), np.nan, values)
    index = prices.index
    found = [("All", *finding) for finding in _dates(index)]
    for column, name in enumerate(prices.columns):
        series = values[:, column]
        findings = [*_missing(series, index), *_bad(series, index)]
        good = np.flatnonzero(series > 0)
        if labels.key(name) != labels.CASH:
            findings += _stale(series[good], good, index)
        findings += _jumps(series[good], good, index)
        twin = next((prices.columns[other] for other in range(column)
                     if np.array_equal(values[:, other], series, equal_nan=True)), None)
        if twin is not None:
            findings.append(("duplicate", "", f"the same prices as {labels.shorten(twin)}"))
        found += [(str(name), *finding) for finding in findings]
    return pd.DataFrame(found or [("All", "none", "", "")],
                        columns=["Asset", "Issue", "Where", "Detail"])


_Finding = tuple[str, str, str]


def _place(index: pd.Index, first: int, last: int | None = None) -> str:
    """A row, or the rows from one to another, by date or by number."""
    ends = [tables.row_of(index, at) for at in sorted({first, first if last is None else last})]
    words = [f"{end:%Y-%m-%d}" if isinstance(end, pd.Timestamp) else f"row {end}" for end in ends]
    return " to ".join(words)


def _dates(index: pd.Index) -> list[_Finding]:
    if not isinstance(index, pd.DatetimeIndex) or len(index) < 2:
        return []
    gaps = np.diff(index.to_numpy()) / np.timedelta64(1, "D")
    found: list[_Finding] = [
        ("duplicate", _place(index, int(at) + 1), "this date occurs twice")
        for at in np.flatnonzero(gaps == 0)
    ]
    usual = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 1.0
    most = _DAILY_GAP if usual < 5 else 1.5 * usual
    return found + [
        ("gap", _place(index, int(at), int(at) + 1), f"{gaps[at]:g} days without a row")
        for at in np.flatnonzero(gaps > most)
    ]


def _runs(true: np.ndarray) -> list[tuple[int, int]]:
    """First and last position of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], true.astype(int), [0]])))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def _missing(series: np.ndarray, index: pd.Index) -> list[_Finding]:
    absent = np.isnan(series)
    found: list[_Finding] = []
    for first, last in _runs(absent):
        count = last - first + 1
        if first == 0:
            found.append(("short history", _place(index, last + 1),
                          f"{len(series) - count} of {len(series)} rows have a price"))
        else:
            prices = "1 price is" if count == 1 else f"{count} prices are"
            found.append(("gap", _place(index, first, last), f"{prices} missing"))
    return found


def _bad(series: np.ndarray, index: pd.Index) -> list[_Finding]:
    return [("not a price", _place(index, int(at)), f"{series[at]:g} is not above zero")
            for at in np.flatnonzero(series <= 0)]


def _stale(series: np.ndarray, rows: np.ndarray, index: pd.Index) -> list[_Finding]:
    return [
        ("stale run", _place(index, int(rows[first]), int(rows[last + 1])),
         f"{last - first + 2} times {series[first]:g}")
        for first, last in _runs(np.diff(series) == 0) if last - first + 2 >= _STALE
    ]


def _jumps(series: np.ndarray, rows: np.ndarray, index: pd.Index) -> list[_Finding]:
    """Splits and outliers. A price that is wrong for one row makes two jumps and is told once."""
    moves = np.diff(np.log(series))
    usual = _usual(moves)
    beyond = np.abs(moves) > _EXTRAORDINARY * usual
    found: list[_Finding] = []
    at = 0
    while at < len(moves):
        if not beyond[at]:
            at += 1
            continue
        where = _place(index, int(rows[at + 1]))
        old, new = series[at], series[at + 1]
        back = at + 1 < len(moves) and abs(moves[at] + moves[at + 1]) < max(
            5 * usual[at], 0.25 * abs(moves[at]))
        if back:
            found.append(("outlier", where, f"{old:g}, {new:g}, {series[at + 2]:g}: it comes back"))
        elif (ratio := _split(moves[at], usual[at])) is not None:
            found.append(("split", where, f"{old:g} to {new:g}, near {ratio}"))
        else:
            way = "up" if new > old else "down"
            found.append(("outlier", where, f"{way} {abs(new / old - 1):.1%}, {old:g} to {new:g}"))
        at += 2 if back else 1
    return found


def _usual(moves: np.ndarray) -> np.ndarray:
    """The usual size of each log return, as a standard deviation; infinite where nothing moves."""
    sizes = np.abs(moves)
    moving = sizes[sizes > 0]
    if not len(moving):
        return np.full(len(moves), np.inf)
    overall = float(np.median(moving))
    around = pd.Series(sizes).rolling(2 * _AROUND + 1, center=True, min_periods=_AROUND).median()
    return _MAD_TO_SIGMA * np.maximum(around.fillna(0.0).to_numpy(), overall)


def _split(move: float, usual: float) -> str | None:
    """The split that a log return looks like, as new shares to old ones."""
    for ratio in _SPLITS:
        if abs(abs(move) - np.log(ratio)) <= max(3 * usual, 0.01):
            new, old = (3, 2) if ratio == 1.5 else (ratio, 1)
            return f"{new}:{old}" if move < 0 else f"{old}:{new}"
    return None
