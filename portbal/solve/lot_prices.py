"""Prices on spending and on rows that split lot trading into one small problem an asset.

For any prices, each asset's least reduced gap gives a lower bound on the objective (Lagrange;
Fisher 1981, The Lagrangian relaxation method for solving integer programming problems).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from portbal.solve.lots import ROUNDING, Points, Trading

_DEAREST = 1e6


@dataclass(frozen=True)
class Prices:
    """The price of spending, at least -1 (money left above cash's target counts 1 a unit),
    and of each row (m,): positive where its lower bound counts, negative where its upper.

    least (n,): no trade of the asset has a lower reduced gap; bound: no permitted portfolio has a
    lower objective; dear: what spending costs in all, with what rows say of cash.
    """

    spend: float
    rows: np.ndarray
    least: np.ndarray
    bound: float
    dear: float

    def reduced(self, points: Points) -> np.ndarray:
        """The gap with spending and rows at their prices, shape (k,); at the ends of a run it
        is taken as low as it may be anywhere in it."""
        lowest = max(self.dear, 0.0) * points.dip
        return points.gap + self.spend * points.spend - self.rows @ points.rows - lowest

    def losses(self, points: Points) -> np.ndarray:
        """What each trade loses against its asset's best, shape (k,), at least 0."""
        return self.reduced(points) - self.least[points.asset]


def free_spend(case: Trading, price: float) -> float:
    """The permitted spending S at which abs(wanted - S) - price * S is least."""
    return case.most_spend if price > 1 else min(case.wanted_spend, case.most_spend)


def best_prices(case: Trading, ends: Points) -> Prices:
    """The price of spending with the highest bound, where no rows couple the assets; in the
    middle where several have it. ends: of the runs of permitted trades, by asset."""
    starts = np.searchsorted(ends.asset, np.arange(case.size))

    def slope(price: float) -> float:
        reduced = ends.gap + price * ends.spend
        least = np.minimum.reduceat(reduced, starts)
        at = np.flatnonzero(reduced == least[ends.asset])
        own = at[np.searchsorted(ends.asset[at], np.arange(case.size))]
        return float(ends.spend[own].sum()) - free_spend(case, price)

    return prices_at(case, ends, _middle(slope, -1.0, np.inf, 0.0), np.zeros(0))


def prices_at(case: Trading, ends: Points, spend: float, rows: np.ndarray) -> Prices:
    """The bound that these prices give; a sign that a row cannot have counts as 0."""
    low, high = case.row_bounds()
    spend = max(spend, -1.0)
    y = np.clip(rows, np.where(np.isfinite(high), -np.inf, 0.0),
                np.where(np.isfinite(low), np.inf, 0.0))
    starts = np.searchsorted(ends.asset, np.arange(case.size))
    dear = spend + float(y @ np.array([row.cash for row in case.rows]))
    lowest = max(dear, 0.0) * ends.dip
    least = np.minimum.reduceat(ends.gap + spend * ends.spend - y @ ends.rows - lowest, starts)
    free = free_spend(case, spend)
    bound = float(least.sum()) + abs(case.wanted_spend - free) - spend * free
    bound += float((y[y > 0] * low[y > 0]).sum() + (y[y < 0] * high[y < 0]).sum())
    return Prices(spend, y, least, bound, dear)


def _middle(slope: Callable[[float], float], low: float, high: float, start: float) -> float:
    """The middle of the maxima of a concave function of one price, from its slope."""
    left = _crossing(lambda x: slope(x) > ROUNDING, low, high, start)
    right = _crossing(lambda x: slope(x) >= -ROUNDING, low, high, max(left, start))
    return (left + right) / 2


def _crossing(rising: Callable[[float], bool], low: float, high: float, start: float) -> float:
    """Where ``rising`` turns from true to false between low and high."""
    a = b = start
    step = 0.5
    if rising(start):
        while b < min(high, _DEAREST) and rising(b):
            a, b, step = b, min(b + step, high), 2 * step
    else:
        while a > max(low, -_DEAREST) and not rising(a):
            a, b, step = max(a - step, low), a, 2 * step
    for _ in range(50):
        middle = (a + b) / 2
        if rising(middle):
            a = middle
        else:
            b = middle
    return (a + b) / 2
