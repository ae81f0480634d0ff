"""Are given weights within their limits, and how far from them?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError
from portbal.limits.language import Limit, informed, own_bounds, parse
from portbal.limits.measures import Facts

TOLERANCE = 1e-6


def check(
    weights: pd.Series,
    limits: pd.DataFrame,
    assets: pd.DataFrame,
    *,
    cov: pd.DataFrame | None = None,
    returns: pd.DataFrame | None = None,
    periods: float | None = None,
    mu: pd.Series | None = None,
) -> pd.DataFrame:
    """Columns Limit, Value, Min, Max, Headroom, Status; one row a limit.

    ``each`` rows give a row per member; the Min and Max columns of assets follow as rows of
    their assets. Headroom is the distance to the nearer bound, negative in a breach. Status
    is ``ok``, ``at limit`` (within 1e-6 of the bound) or ``breach``.
    """
    held = labels.filled(weights, assets.index, argument="weights", reference="assets")
    universe = _covered(held, cov, returns)
    held = held[universe]
    if cov is not None:
        cov = _onto(cov, universe)
    if returns is not None:
        at = labels.positions(returns.columns, argument="returns")
        returns = returns.iloc[:, [at[labels.key(label)] for label in universe]]
    facts = Facts.gather(
        universe, assets, mu, cov, returns, periods, reference="weights and assets")
    facts = informed(facts, limits)
    values = held.to_numpy()
    rows = parse(limits, facts.assets, facts.universe) + own_bounds(facts)
    return pd.DataFrame(
        [_checked(limit, limit.express(facts).value(values)) for limit in rows],
        columns=["Limit", "Value", "Min", "Max", "Headroom", "Status"],
    )


def _checked(limit: Limit, value: float) -> tuple[str, float, float, float, float, str]:
    headroom = min(value - limit.low, limit.high - value)
    if math.isinf(value):  # the smallest holding of nothing
        value = headroom = math.nan
        return limit.name, value, limit.low, math.nan, headroom, "ok"
    status = "ok" if headroom > TOLERANCE else "at limit" if headroom >= -TOLERANCE else "breach"
    low, high = (x if math.isfinite(x) else math.nan for x in (limit.low, limit.high))
    return limit.name, value, low, high, headroom, status


def _covered(
    held: pd.Series, cov: pd.DataFrame | None, returns: pd.DataFrame | None
) -> pd.Index:
    """The assets that every given table covers; one left out must be held nowhere."""
    universe = held.index
    for argument, known in (
        ("cov", None if cov is None else cov.index),
        ("returns", None if returns is None else returns.columns),
    ):
        if known is None:
            continue
        names = set(labels.positions(known, argument=argument))
        missing = [label for label in universe if labels.key(label) not in names]
        for label in missing:
            if held[label] != 0:
                raise InputError(
                    f"{labels.shorten(label)} is held and is not in {argument}",
                    fix=f"Add it to {argument}.", argument="weights", row=label,
                )
        universe = universe.drop(missing)
    return universe


def _onto(cov: pd.DataFrame, universe: pd.Index) -> pd.DataFrame:
    down = labels.positions(cov.index, argument="cov")
    across = labels.positions(cov.columns, argument="cov")
    names = labels.keys(universe)
    values = cov.to_numpy(dtype=float)[
        np.ix_([down[name] for name in names], [across[name] for name in names])]
    return pd.DataFrame(values, index=universe, columns=universe)
