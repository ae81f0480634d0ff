"""How far a portfolio has moved from its target."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal import choices, labels
from portbal.errors import InputError, NotAvailable
from portbal.orders import SUM_TOLERANCE, open_account

_ROUNDING = 1e-12


def turnover(current: pd.Series, target: pd.Series) -> float:
    """Half the sum of absolute weight changes (one-way turnover, a fraction).

    A name that one side lacks has weight 0 there.
    """
    universe = labels.union(current.index, target.index)
    now = labels.filled(current, universe, argument="current", reference="target")
    then = labels.filled(target, universe, argument="target", reference="current")
    return float((now - then).abs().sum() / 2)


def drift(
    holdings: pd.DataFrame, target: pd.Series, bands: float | pd.Series = 0.05,
    kind: str = "absolute", cov: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Columns Asset, Current, Target, Drift, Low, High, Action (hold, buy, sell).

    holdings  index assets; columns Quantity, Price; a row Cash (price 1) is cash
    target    weights that sum to 1 within 0.0001
    bands     half the width of the band: one number, or one by asset
    kind      absolute: in weight; relative: a fraction of the target; volatility: a multiple
              of yearly volatility times the target (needs cov)

    Action is buy below Low and sell above High; a weight on its bound holds.
    """
    total = float(target.sum())
    if abs(total - 1) > SUM_TOLERANCE:
        raise InputError(f"the weights sum to {total:.2%}, not 100%", argument="target",
                         fix="Scale them, or add a row Cash.")
    universe = labels.union(holdings.index, target.index)
    known = holdings.reindex(universe).fillna({"Quantity": 0.0, "Price": 1.0}) if len(
        universe) > len(holdings) else holdings
    account = open_account(known, universe, 0.0, None)
    value = (known["Quantity"] * known["Price"]).to_numpy(dtype=float)
    current = value / account.net
    wanted = labels.filled(target, universe, argument="target", reference="holdings").to_numpy()
    width = _width(bands, universe)
    scale = choices.one_of(kind, {
        "absolute": lambda: np.ones(len(universe)),
        "relative": lambda: np.abs(wanted),
        "volatility": lambda: np.abs(wanted) * _volatility(cov, universe),
    }, argument="kind")()
    low, high = wanted - width * scale, wanted + width * scale
    action = np.where(current < low - _ROUNDING, "buy",
                      np.where(current > high + _ROUNDING, "sell", "hold"))
    return pd.DataFrame({
        "Asset": universe, "Current": current, "Target": wanted, "Drift": current - wanted,
        "Low": low, "High": high, "Action": action,
    })


def _width(bands: float | pd.Series, universe: pd.Index) -> np.ndarray:
    if isinstance(bands, pd.Series):
        width = labels.same(bands, universe, argument="bands",
                            reference="holdings and target").to_numpy()
    else:
        width = np.full(len(universe), float(bands))
    if (width < 0).any():
        label = universe[int(np.flatnonzero(width < 0)[0])]
        raise InputError(f"the band of {labels.shorten(label)} is negative",
                         fix="Give a band of at least 0.", argument="bands",
                         row=label if isinstance(bands, pd.Series) else None)
    return width


def _volatility(cov: pd.DataFrame | None, universe: pd.Index) -> np.ndarray:
    """Volatility a year by asset; cash has none."""
    if cov is None:
        raise NotAvailable("bands by volatility need cov", fix="Give cov.", argument="cov")
    at = labels.positions(cov.index, argument="cov")
    result = np.zeros(len(universe))
    for i, label in enumerate(universe):
        name = labels.key(label)
        if name in at:
            variance = float(cov.to_numpy(dtype=float)[at[name], at[name]])
            if variance < 0:
                raise InputError(f"the variance of {labels.shorten(label)} is negative",
                                 fix="Correct it.", argument="cov", row=label)
            result[i] = np.sqrt(variance)
        elif name != labels.CASH:
            raise InputError(f"{labels.shorten(label)} is not in cov",
                             fix="Add it to cov.", argument="cov")
    return result
