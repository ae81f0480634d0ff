"""Levels of a price in whole ticks, the steps in which an exchange quotes it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import ceil, floor

import numpy as np
import pandas as pd

from portbal import labels, tables
from portbal.errors import InputError

# of a level, in ticks: what rounding leaves of a whole number of them
_WHOLE = 1e-9
# ticks in a level beyond which a number cannot tell them apart
_FINEST = 2.0**53


def of(tick: float | pd.Series, names: pd.Index) -> np.ndarray:
    """The tick of each of these assets (n,); a series may have more of them.

    InputError for an asset that it lacks and for a tick that is not above 0.
    """
    if not isinstance(tick, pd.Series):
        if not tick > 0:
            raise InputError(f"the tick is {tick:g}", fix="Give a number above 0.",
                             argument="tick")
        return np.full(len(names), float(tick))
    known = dict(zip(labels.positions(tick.index, argument="tick"),
                     tables.vector(tick, argument="tick").tolist(), strict=True))
    steps = [known.get(labels.key(label)) for label in names]
    for label, step in zip(names, steps, strict=True):
        if step is None:
            raise InputError(f"{labels.shorten(label)} is missing", argument="tick",
                             fix=labels.suggestion(label, tick.index, "Give its tick as well."))
        if not step > 0:
            raise InputError(f"the tick of {labels.shorten(label)} is {step:g}",
                             fix="Give a number above 0.", argument="tick", row=label)
    return np.array(steps, dtype=float)


def towards(
    price: np.ndarray, level: np.ndarray, tick: float | pd.Series | None, names: pd.Index
) -> np.ndarray:
    """The whole number of ticks next to each level (n,) on the side of its price (n,); the levels
    themselves without a tick.

    InputError as `of`, and where no whole number of ticks lies between price and level.
    """
    if tick is None:
        return level
    return np.array([_towards(*each) for each in zip(
        price.tolist(), level.tolist(), of(tick, names).tolist(), names, strict=True)])


def up(level: float, tick: float) -> float:
    """The level, or the next whole number of ticks above it."""
    return _rounded(level, tick, ceil)


def _towards(price: float, level: float, tick: float, label: object) -> float:
    """The whole number of ticks next to a level on the side of the price."""
    if level == price:
        return level
    found = _rounded(level, tick, ceil if level < price else floor)
    if (found - price) * (level - price) <= 0:
        raise InputError(
            f"no tick of {tick:g} lies between the price of {labels.shorten(label)}, {price:g}, "
            f"and its level, {level:.6g}", fix="Give a smaller tick.", argument="tick")
    return found


def _rounded(level: float, tick: float, way: Callable[[float], int]) -> float:
    """A level as a whole number of ticks, itself where a number cannot tell them apart."""
    count = level / tick
    if abs(count) >= _FINEST:
        return level
    near = round(count)
    whole = near if abs(count - near) <= _WHOLE * max(1.0, abs(count)) else way(count)
    return float(Decimal(repr(tick)) * whole)
