"""Stressed VaR: how high VaR stood in the worst stretch of the history."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal import tail
from portbal.errors import InputError
from portbal.losses import columns
from portbal.losses.laws import historical
from portbal.result import Noted

_AT_ONCE = 2000


def table(
    returns: pd.DataFrame, weights: pd.Series | None = None, level: float = 0.95,
    window: int = 250,
) -> Noted[pd.DataFrame]:
    """The window of so many periods with the largest historical VaR, and the latest one.

    The weights of today are held through all periods (Basel Committee 2009, Revisions to the
    Basel II market risk framework, paragraph 718(Lxxvi)(i), of a year). Columns Window (stressed,
    latest), From, Until (the first and last return of it, by date or by number from 1), VaR,
    CVaR, each a period. Of equal windows the earliest.

    InputError as `tail.var`, and for a window below 2. A history shorter than the window is one
    window, noted.
    """
    tail.checked_level(level)
    values = tail.portfolio(returns, weights)
    if window < 2:
        raise InputError(
            f"a window of {window} periods is not possible", fix="Use a whole number from 2 up.",
            argument="window",
        )
    notes = () if window <= len(values) else (
        f"There are {len(values)} returns, fewer than a window of {window}.",)
    window = min(window, len(values))
    stretches = np.lib.stride_tricks.sliding_window_view(values, window)
    highest, at = -np.inf, 0
    for start in range(0, len(stretches), _AT_ONCE):
        losses, _ = columns.historical(stretches[start: start + _AT_ONCE].T, level)
        best = int(losses.argmax())
        if losses[best] > highest:
            highest, at = float(losses[best]), start + best
    rows = []
    for title, first in (("stressed", at), ("latest", len(stretches) - 1)):
        found = historical(stretches[first], level)
        rows.append((title, _when(returns.index, first),
                     _when(returns.index, first + window - 1), found.var, found.cvar))
    frame = pd.DataFrame(rows, columns=["Window", "From", "Until", "VaR", "CVaR"])
    return Noted(frame, notes=notes)


def _when(index: pd.Index, at: int) -> object:
    return index[at] if isinstance(index, pd.DatetimeIndex) else at + 1
