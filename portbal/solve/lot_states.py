"""Partial portfolios of a search over lots, and which of them another one beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portbal.solve.lots import ROUNDING

_RIVALS = 96  # partial portfolios that each is compared with where rows couple assets


@dataclass(frozen=True)
class Partials:
    """k portfolios of the assets done so far.

    spend, gap, cost (k,), rows (m, k): sums of the fields of ``Points``
    rank (k, f): for each asset with a choice, in asset order, how far down its own list of
    liked trades the chosen one is
    """

    spend: np.ndarray
    gap: np.ndarray
    cost: np.ndarray
    rows: np.ndarray
    rank: np.ndarray

    def __len__(self) -> int:
        return len(self.spend)

    def take(self, which: np.ndarray) -> Partials:
        return Partials(self.spend[which], self.gap[which], self.cost[which],
                        self.rows[:, which], self.rank[which])

    def places(self, value: np.ndarray) -> np.ndarray:
        """0, 1, ... by value, then cost, then ranks in asset order; shape (k,)."""
        pair = classes(value) * np.int64(len(self)) + classes(self.cost)
        order = np.argsort(pair, kind="stable")
        same = pair[order[1:]] == pair[order[:-1]]
        tied = order[np.append(same, False) | np.append(False, same)]
        if len(tied) and self.rank.shape[1]:
            width = self.rank.shape[1]
            text = np.ascontiguousarray(self.rank[tied]).view(f"S{4 * width}").ravel()
            within = np.zeros(len(self), dtype=np.int64)
            within[tied[np.argsort(text, kind="stable")]] = np.arange(len(tied))
            order = np.lexsort((within, pair))
        places = np.empty(len(self), dtype=np.int64)
        places[order] = np.arange(len(self))
        return places


def classes(values: np.ndarray) -> np.ndarray:
    """0, 1, ... by increasing value; values that only rounding tells apart get the same."""
    order = np.argsort(values, kind="stable")
    found = np.empty(len(values), dtype=np.int64)
    found[order] = np.append(0, np.cumsum(np.diff(values[order]) > ROUNDING))
    return found


def undominated(partials: Partials) -> np.ndarray:
    """The partial portfolios that no other one beats whatever follows, where no rows couple.

    One that spends no more, and by so much more gap at most as it spends less, is at least as
    good with any completion: abs(wanted - S) changes by no more than S does.
    """
    places = partials.places(partials.gap - partials.spend)
    order = np.lexsort((places, classes(partials.spend)))
    sorted_places = places[order]
    return np.sort(order[sorted_places == np.minimum.accumulate(sorted_places)])


def undominated_in_rows(
    partials: Partials, from_below: np.ndarray, from_above: np.ndarray, slack: np.ndarray
) -> np.ndarray:
    """As ``undominated`` where rows couple: the other one must also fit every row.

    from_below, from_above (m,): a row at or above the first cannot fall below its lower bound
    any more, one at or below the second cannot exceed its upper bound. Each is compared with
    the best few only, so some may stay that are beaten.
    """
    places = partials.places(partials.gap - partials.spend)
    alive = np.argsort(places)
    at = 0
    while at < min(len(alive), _RIVALS):
        rival, rest = alive[at], alive[at + 1:]
        beaten = partials.spend[rest] >= partials.spend[rival] - ROUNDING
        for row, below, above, free in zip(
            partials.rows, from_below, from_above, slack, strict=True
        ):
            value = row[rival]
            if value > above + free:
                beaten &= value <= row[rest] + free
            if value < below - free:
                beaten &= value >= row[rest] - free
        alive = np.append(alive[: at + 1], rest[~beaten])
        at += 1
    return np.sort(alive)
