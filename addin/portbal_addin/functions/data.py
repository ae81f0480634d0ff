"""From prices to returns."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import prices as history
from portbal_addin.codecs.labelled import PRICES, TABLE
from portbal_addin.codecs.scalars import choice
from portbal_addin.registry import function


@function("RETURNS", group="Data")
def returns(
    prices: Annotated[pd.DataFrame, PRICES, "Prices: dates down, assets across."],
    kind: Annotated[
        str, choice("simple", "log"), "Simple, or log, whose table is titled Date (log)."
    ] = "simple",
    every: Annotated[
        str | None, choice("D", "W", "M", "Q", "Y"),
        "D, W, M, Q or Y: take the last price of each day, week (Monday to Sunday), month, "
        "quarter or year. Left out, take every row.",
    ] = None,
) -> Annotated[pd.DataFrame, TABLE]:
    """Returns between successive prices, labelled with the later date.

    >>> PORTBAL.RETURNS({"A","B";100,50;110,55;121,44})
    {"A","B";0.1,0.1;0.1,-0.2}
    """
    return history.returns(prices, kind, every)
