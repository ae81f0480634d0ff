"""From weights to orders."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import rebalance
from portbal_addin.codecs.labelled import VECTOR
from portbal_addin.codecs.scalars import NUMBER
from portbal_addin.registry import function


@function("TURNOVER", group="Rebalance")
def turnover(
    current: Annotated[pd.Series, VECTOR, "Weights held now: assets and fractions."],
    target: Annotated[pd.Series, VECTOR, "Weights wanted: assets and fractions."],
) -> Annotated[float, NUMBER]:
    """Half the sum of absolute weight changes.

    >>> PORTBAL.TURNOVER({"A",0.6;"B",0.4}, {"A",0.5;"B",0.5})
    0.1
    """
    return rebalance.turnover(current, target)
