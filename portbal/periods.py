"""Return periods a year, read from dates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal.errors import InputError

TRADING_DAYS = 252

# (shortest gap, longest gap) in days -> periods a year
_CLASSES = (
    (1, 4, 252),
    (6, 8, 52),
    (27, 32, 12),
    (88, 93, 4),
    (360, 370, 1),
)
_SHARE_IN_CLASS = 0.8


def per_year(index: pd.Index, periods: float | None = None, *, argument: str = "returns") -> float:
    """Return periods a year: ``periods`` where given, else read from the dates.

    The median gap chooses the class (1-4 days 252, 6-8 days 52, 27-32 days 12,
    88-93 days 4, 360-370 days 1), and at least 80% of the gaps must lie in it.
    InputError when there are no dates or they follow no class.
    """
    if periods is not None:
        if not (np.isfinite(periods) and periods > 0):
            raise InputError(
                f"{periods:g} periods a year are not possible",
                fix="Give a positive number, such as 252, 52 or 12.", argument="periods",
            )
        return float(periods)
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(
            "there are no dates to read the periods a year from",
            fix="Give periods, such as 252, 52 or 12, or a table with dates.", argument=argument,
        )
    if len(index) < 2:
        raise InputError(
            "one date alone does not tell the periods a year",
            fix="Give periods, such as 252, 52 or 12.", argument=argument,
        )
    gaps = np.diff(index.to_numpy()) / np.timedelta64(1, "D")
    median = float(np.median(gaps))
    found = f"the dates are {median:g} days apart in the middle, which is no regular period"
    for low, high, result in _CLASSES:
        if low <= median <= high:
            share = float(np.mean((gaps >= low) & (gaps <= high)))
            if share >= _SHARE_IN_CLASS:
                return float(result)
            found = (f"only {share:.1%} of the dates are {low} to {high} days apart, and "
                     f"{result} periods a year need {_SHARE_IN_CLASS:.0%}")
    raise InputError(
        found,
        fix="Give periods, the number of rows a year.", argument=argument,
    )
