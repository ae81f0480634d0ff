"""Falls from a peak of compounded wealth, and how long they took to recover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import tables
from portbal.errors import InputError
from portbal.result import Noted

_SHOWN = 10
# relative to the peak: what rounding leaves of a return to it
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Fall:
    """depth: share of the peak that was lost; peak, trough, recovered: numbers of returns, from
    0, by whose end wealth was there; peak -1 is the start, recovered None not yet."""

    depth: float
    peak: int
    trough: int
    recovered: int | None


def falls(values: np.ndarray, index: pd.Index | None = None) -> list[Fall]:
    """Every drawdown of compounded returns (T,), in the order of time.

    InputError for a return below -1, after which there is nothing left to compound; ``index``
    says which.
    """
    wealth = wealth_of(values, index)
    peaks = np.maximum.accumulate(wealth)
    under = wealth < peaks * (1 - _ROUNDING)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], under, [False]])))
    found = []
    for start, stop in edges.reshape(-1, 2):
        trough = start + int(np.argmin(wealth[start:stop]))
        depth = 1 - float(wealth[trough] / peaks[trough])
        recovered = int(stop) - 1 if stop < len(wealth) else None
        found.append(Fall(depth, int(start) - 2, int(trough) - 1, recovered))
    return found


def greatest(values: np.ndarray) -> float:
    """The depth of the deepest drawdown of returns (T,), 0 when there is none."""
    wealth = wealth_of(values)
    return float((1 - wealth / np.maximum.accumulate(wealth)).max())


def wealth_of(values: np.ndarray, index: pd.Index | None = None) -> np.ndarray:
    """Wealth from 1 after each return (T,), shape (T + 1,). InputError as `falls`."""
    if values.min() < -1:
        raise InputError(
            f"a return of {values.min():.2%} loses more than everything",
            fix="Correct the returns or the weights.", argument="returns",
            row=None if index is None else tables.row_of(index, int(values.argmin())),
        )
    return np.concatenate([[1.0], np.cumprod(1 + values)])


def table(values: np.ndarray, index: pd.Index) -> Noted[pd.DataFrame]:
    """The ten deepest drawdowns, deepest first: columns Depth, Peak, Trough, Recovered, Length.

    values   returns (T,); index: their dates, else rows are numbered from 1
    returns  Depth a positive fraction of the peak; Peak, Trough, Recovered the date at whose end
             wealth was there, blank for a peak before the first return and for what has not
             recovered; Length the periods from the peak to recovery, or to the last date. Without
             any drawdown one row of depth 0

    InputError as `falls`.
    """
    deepest = sorted(falls(values, index), key=lambda fall: -fall.depth)[:_SHOWN]
    dated = isinstance(index, pd.DatetimeIndex)

    def when(at: int | None) -> object:
        if at is None or at < 0:
            return None
        return index[at] if dated else at + 1

    rows = [
        (fall.depth, when(fall.peak), when(fall.trough), when(fall.recovered),
         (len(values) - 1 if fall.recovered is None else fall.recovered) - fall.peak)
        for fall in deepest
    ] or [(0.0, None, None, None, 0)]
    notes = []
    if any(fall.peak < 0 for fall in deepest):
        notes.append("A blank Peak lies before the first return.")
    if any(fall.recovered is None for fall in deepest):
        notes.append("A blank Recovered has not recovered by the last return.")
    columns = ["Depth", "Peak", "Trough", "Recovered", "Length"]
    frame = pd.DataFrame({
        title: pd.Series([row[at] for row in rows], dtype=object if 0 < at < 4 else None)
        for at, title in enumerate(columns)
    })
    return Noted(frame, notes=tuple(notes))
