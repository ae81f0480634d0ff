"""Stops that follow a price up and never move away from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal import labels, tables, ticks
from portbal.errors import InputError
from portbal.result import Noted

# of a level, relative: what rounding leaves of a close that lies on its stop
_ROUNDING = 1e-12


def trailing_stop(
    prices: pd.DataFrame, k: float = 3.0, window: int = 22, tick: float | pd.Series | None = None
) -> Noted[pd.DataFrame]:
    """Columns Asset, High, Stop, Triggered on: stops of long positions that follow their price up.

    prices   closes (T, n) above 0, the oldest first
    window   the number of moves, a close less the one before, whose absolute values are averaged
    tick     what prices move by, one number or one an asset: stops are rounded up to it

    After each close from the one that ends the first ``window`` moves on, the stop is the highest
    close so far less k times the mean absolute move of the latest window, or the stop before where
    that is higher: it never moves away from the price (the chandelier exit of Le Beau, with closes
    in place of highs and lows). It is triggered at the first close at or below it, the
    close that sets it included. High and Stop are those of the last row, whether it was triggered
    or not. Triggered on is the date, without dates the number of the row from 1, None for not yet.

    InputError for fewer than window + 1 rows, for prices that are not above 0, for k that is not
    above 0, and for a window below 1.
    """
    values = tables.complete(prices, argument="prices")
    if not k > 0:
        raise InputError(f"k is {k:g}", fix="Give a number above 0.", argument="k")
    if window < 1:
        raise InputError(f"the window is {window}", fix="Give at least 1.", argument="window")
    if len(values) <= window:
        raise InputError(
            f"it has {len(values)} rows, and a window of {window} moves needs {window + 1}",
            fix="Select a longer history, or give a smaller window.", argument="prices")
    bad = np.argwhere(values <= 0)
    if len(bad):
        row, column = bad[0]
        raise InputError(f"the price is {values[row, column]:g}", fix="Give a price above 0.",
                         argument="prices", row=tables.row_of(prices.index, int(row)),
                         column=prices.columns[column])
    steps = None if tick is None else ticks.of(tick, prices.columns).tolist()
    moves = np.lib.stride_tricks.sliding_window_view(
        np.abs(np.diff(values, axis=0)), window, axis=0).mean(axis=-1)
    highs = np.maximum.accumulate(values)[window:]
    stops = np.maximum.accumulate(highs - k * moves)
    dated = isinstance(prices.index, pd.DatetimeIndex)
    rows, unreachable = [], []
    for at, label in enumerate(prices.columns):
        stop = stops[:, at]
        if steps is not None:
            stop = np.array([ticks.up(x, steps[at]) for x in stop.tolist()])
        hit = np.flatnonzero(values[window:, at] <= stop + _ROUNDING * np.abs(stop))
        first = window + int(hit[0]) if len(hit) else None
        when = first if first is None else prices.index[first] if dated else first + 1
        rows.append((label, float(highs[-1, at]), float(stop[-1]), when))
        if stop[-1] <= 0:
            unreachable.append(labels.shorten(label))
    notes = []
    if unreachable:
        notes.append(f"The stop of {unreachable[0]} is not above 0, and no price reaches it.")
    asset, high, final, on = zip(*rows, strict=True)
    return Noted(pd.DataFrame({
        "Asset": asset, "High": high, "Stop": final, "Triggered on": pd.Series(on, dtype=object),
    }), notes=tuple(notes))
