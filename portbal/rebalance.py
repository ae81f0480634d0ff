"""How far a portfolio has moved from its target."""

from __future__ import annotations

import pandas as pd

from portbal import labels


def turnover(current: pd.Series, target: pd.Series) -> float:
    """Half the sum of absolute weight changes (one-way turnover, a fraction).

    A name that one side lacks has weight 0 there.
    """
    universe = labels.union(current.index, target.index)
    now = labels.filled(current, universe, argument="current", reference="target")
    then = labels.filled(target, universe, argument="target", reference="current")
    return float((now - then).abs().sum() / 2)
