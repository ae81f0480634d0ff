"""What trading costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Charges:
    """The cost of an order, in the unit of its value (money, or a fraction of net assets).

    fee          for an order
    commission   of the value traded; per_unit: for a unit traded; minimum: what these two come
                 to at least
    tax          of the value sold
    spread       of the value traded
    impact       times the value traded to the power 1.5: its price moves with the square root
                 of what is traded (Grinold and Kahn 1999, Active Portfolio Management, chapter 16)

    Each is a number of at least 0, or one an asset, shape (n,).
    """

    fee: float = 0.0
    commission: float = 0.0
    per_unit: float | np.ndarray = 0.0
    minimum: float = 0.0
    tax: float = 0.0
    spread: float | np.ndarray = 0.0
    impact: float | np.ndarray = 0.0

    def take(self, asset: np.ndarray) -> Charges:
        """The charges of these assets, shape (k,)."""
        per_unit, spread, impact = (
            x[asset] if isinstance(x, np.ndarray) else x
            for x in (self.per_unit, self.spread, self.impact))
        return Charges(
            self.fee, self.commission, per_unit, self.minimum, self.tax, spread, impact)

    def paid(self, units: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Fee, commission and tax of orders of so many units and so much value, both (k,)."""
        of_size = self.commission * np.abs(value) + self.per_unit * np.abs(units)
        commission = np.maximum(of_size, self.minimum)
        return np.where(units != 0, self.fee + commission + self.tax * np.maximum(-value, 0), 0.0)

    def crossed(self, value: np.ndarray) -> np.ndarray:
        """The spread paid, shape (k,)."""
        return self.spread * np.abs(value)

    def moved(self, value: np.ndarray) -> np.ndarray:
        """What the price moves against the order, shape (k,)."""
        return self.impact * np.abs(value) ** 1.5

    def total(self, units: np.ndarray, value: np.ndarray) -> np.ndarray:
        """All costs, shape (k,)."""
        return self.paid(units, value) + self.crossed(value) + self.moved(value)

    def dip(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """The most by which the impact of a value between two of one sign falls below the line
        between their impacts, shape (k,)."""
        a, b = np.minimum(np.abs(one), np.abs(other)), np.maximum(np.abs(one), np.abs(other))
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(b > a, (b ** 1.5 - a ** 1.5) / (b - a), 0.0)
        lowest = (slope / 1.5) ** 2
        return np.where(b > a, self.impact * (
            a ** 1.5 + slope * (lowest - a) - lowest ** 1.5), 0.0)


FREE = Charges()
