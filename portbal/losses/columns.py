"""VaR and CVaR of the observations, of many columns at once."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np

from portbal.losses.laws import quantile_places, share_of, worst

_TILE = (512, 64)
# of so many values one is looked at to tell how low the lowest lie
_SAMPLED = 16


def historical(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """VaR and CVaR of each column (T, n) as `laws.historical` has them, type 7, with only the worst
    part of it sorted."""
    count, share = len(values), share_of(level)
    first, second, part = quantile_places(count, share)
    k, following = worst(values, share)
    last = min(max(second, k), count - 1)
    ordered = _lowest(_laid_across(values), last + 1)
    quantile = ordered[:, first] + part * (ordered[:, second] - ordered[:, first])
    total = ordered[:, :k].sum(axis=1)
    if k < count:
        total = total + following * ordered[:, k]
    return 0.0 - quantile, 0.0 - total / (share * count)


def _lowest(rows: np.ndarray, wanted: int) -> np.ndarray:
    """The least so many of each row (n, T), rising, shape (n, wanted); rows may change places.

    One value of some is looked at first. A limit among those, four deviations above the share
    that is wanted, leaves little to sort; a row in which it leaves too few is sorted as a whole.
    """
    count = rows.shape[1]
    sample = rows[:, ::_SAMPLED]
    share, looked_at = wanted / count, sample.shape[1]
    place = ceil((share + 4 * sqrt(share * (1 - share) / looked_at)) * looked_at) + 1
    if 4 * place > looked_at:
        rows.partition(wanted - 1, axis=1)
        return np.sort(rows[:, :wanted], axis=1)
    limits = np.partition(sample, place, axis=1)[:, place]
    found = np.empty((len(rows), wanted))
    for at, (row, limit) in enumerate(zip(rows, limits, strict=True)):
        below = row[row <= limit]
        if len(below) < wanted:
            below = row
        below.sort()
        found[at] = below[:wanted]
    return found


def _laid_across(values: np.ndarray) -> np.ndarray:
    """A copy of a table (T, n) as (n, T), in tiles that a processor's cache holds."""
    rows, columns = _TILE
    across = np.empty(values.shape[::-1])
    for top in range(0, values.shape[0], rows):
        for left in range(0, values.shape[1], columns):
            tile = values[top: top + rows, left: left + columns]
            across[left: left + columns, top: top + rows] = tile.T
    return across
