"""From prices to returns, and whether the prices are sound."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import prices as history
from portbal_addin.codecs.labelled import PRICES, TABLE, UNCHECKED_PRICES, frame_result
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


@function("CHECKDATA", group="Data")
def checkdata(
    prices: Annotated[
        pd.DataFrame, UNCHECKED_PRICES,
        "Prices: dates down, assets across. Blank cells and repeated dates are listed.",
    ],
) -> Annotated[pd.DataFrame, frame_result("Asset", "Issue", "Where", "Detail")]:
    """What looks wrong in prices: gaps, stale runs, jumps that look like splits, outliers, short
    histories, duplicates. One row All, none when nothing does.

    >>> PORTBAL.CHECKDATA({"Date","A","B";"2024-01-31",50,20;"2024-02-29",51,"";"2024-03-28",52,21})
    {"Asset","Issue","Where","Detail";"B","gap","2024-02-29","1 price is missing"}
    """
    return history.check(prices)
