"""From weights to orders."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import pandas as pd

from portbal import orders as whole_lots
from portbal import rebalance as moves
from portbal.result import Noted
from portbal.trade_costs import trade_costs
from portbal.trade_rules import Known
from portbal_addin.codecs.kind import either
from portbal_addin.codecs.labelled import MATRIX, TABLE, VECTOR, frame_result, vector_result
from portbal_addin.codecs.scalars import DATE, NUMBER, OPTIONS, choice
from portbal_addin.codecs.tables import ASSETS, HOLDINGS, LIMITS
from portbal_addin.codecs.trades import ORDERS
from portbal_addin.registry import function

Holdings = Annotated[pd.DataFrame, HOLDINGS, "Asset, Quantity, Price; a row Cash has price 1."]
Target = Annotated[pd.Series, VECTOR, "Weights wanted, summing to 1: assets and fractions."]
NUMBER_OR_VECTOR = either(
    NUMBER, VECTOR, lambda block: block.trimmed().height * block.trimmed().width == 1
)
Width = Annotated[
    float | pd.Series, NUMBER_OR_VECTOR, "Half the width of the band: one number, or one an asset."
]
Kind = Annotated[
    str, choice("absolute", "relative", "volatility"),
    "Whether bands are weights, fractions of the target, or multiples of volatility times it.",
]


@function("DRIFT", group="Rebalance")
def drift(
    holdings: Holdings,
    target: Target,
    bands: Width = 0.05,
    kind: Kind = "absolute",
    cov: Annotated[pd.DataFrame | None, MATRIX, "Covariance a year, for volatility bands."] = None,
) -> Annotated[
    pd.DataFrame,
    frame_result("Asset", "Current", "Target", "Drift", "Low", "High", "Action"),
]:
    """How far each holding is from its target, and whether it has left its band.

    >>> PORTBAL.DRIFT({"Asset","Quantity","Price";"A",60,1;"B",20,2}, {"A",0.5;"B",0.5})
    {"Asset","Current","Target","Drift","Low","High","Action";
    "A",0.6,0.5,0.1,0.45,0.55,"sell";"B",0.4,0.5,-0.1,0.45,0.55,"buy"}
    """
    return moves.drift(holdings, target, bands, kind, cov)


@function("REBALANCE", group="Rebalance")
def rebalance(
    holdings: Holdings,
    target: Target,
    policy: Annotated[
        str, choice("target", "edge", "half", "cost"),
        "How far to go back once a band is left: to target, to the edge of the band, half way "
        "between, or as far as it is worth its cost.",
    ] = "target",
    bands: Width = 0.05,
    kind: Kind = "absolute",
    cov: Annotated[
        pd.DataFrame | None, MATRIX, "Covariance a year, for volatility bands and the policy cost."
    ] = None,
    flow: Annotated[
        float, NUMBER, "Money that comes in, or goes out if negative; used first."
    ] = 0.0,
    assets: Annotated[
        pd.DataFrame | None, ASSETS, "Asset first; Cost, for the policy cost."
    ] = None,
    options: Annotated[
        dict[str, object] | None, OPTIONS,
        "Option, value, for the policy cost: riskaversion (2.5), years (1) over which a trade "
        "pays.",
    ] = None,
    every: Annotated[
        str | None, choice("M", "Q", "Y"),
        "Look at the bands only once the month, quarter or year of lastdate is over.",
    ] = None,
    lastdate: Annotated[dt.datetime | None, DATE, "When it was rebalanced last, for every."] = None,
    today: Annotated[dt.datetime | None, DATE, "The date of today, for every."] = None,
) -> Annotated[Noted[pd.Series], vector_result("Weight")]:
    """The weights to trade to once a band is left; those of now while none is.

    >>> PORTBAL.REBALANCE({"Asset","Quantity","Price";"A",60,1;"B",20,2}, {"A",0.5;"B",0.5}, "half")
    {"Asset","Weight";"A",0.525;"B",0.475}
    """
    due = moves.calendar(every, lastdate, today)
    return moves.rebalance(
        holdings, target, policy, bands, kind, cov, flow, assets, options, due)


@function("ORDERS", group="Rebalance")
def orders(
    holdings: Holdings,
    target: Target,
    cash: Annotated[float, NUMBER, "Cash to invest beside a Cash row, in money."] = 0.0,
    limits: Annotated[
        pd.DataFrame | None, LIMITS, "Limit, Min, Max: what must hold after trading."
    ] = None,
    assets: Annotated[
        pd.DataFrame | None, ASSETS, "Asset first; Lot, and Price for what is not held."
    ] = None,
    options: Annotated[
        dict[str, object] | None, OPTIONS,
        "Option, value: fee (an order), commission (fraction), per share, minimum (of these), tax "
        "(fraction of sales), ticket (least value), spread (fraction, or Cost: the column), impact "
        "(fraction at a day's volume).",
    ] = None,
    cov: Annotated[
        pd.DataFrame | None, MATRIX, "Covariance a year, for limits that need it."] = None,
    returns: Annotated[
        pd.DataFrame | None, TABLE, "Simple returns, for limits that need more than the rest tells."
    ] = None,
    periods: Annotated[
        float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
    ] = None,
    mu: Annotated[
        pd.Series | None, VECTOR, "Expected returns a year, for a limit on return."
    ] = None,
    lasttarget: Annotated[
        pd.Series | None, VECTOR, "The weights wanted before: tells a new target from drift."
    ] = None,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Asset", "Side", "Quantity", "Price", "Value", "Cost", "Weight after", "Reason"),
]:
    """The whole-lot orders that lead nearest to the target, within cash, costs and limits.

    >>> PORTBAL.ORDERS({"Asset","Quantity","Price";"A",60,10;"B",20,20}, {"A",0.5;"B",0.5})
    {"Asset","Side","Quantity","Price","Value","Cost","Weight after","Reason";
    "A","sell",-10,10,-100,0,0.5,"drift";"B","buy",5,20,100,0,0.5,"drift"}
    """
    known = Known(mu, cov, returns, periods)
    return whole_lots.orders(holdings, target, cash, limits, assets, options, known, lasttarget)


@function("TRADECOST", group="Rebalance")
def tradecost(
    orders: Annotated[pd.DataFrame, ORDERS, "What ORDERS returns; Asset, Quantity, Price suffice."],
    assets: Annotated[
        pd.DataFrame | None, ASSETS,
        "Asset first; Cost (the spread paid, a fraction), ADV and Volatility (the impact)."
    ] = None,
    options: Annotated[
        dict[str, object] | None, OPTIONS,
        "Option, value as for ORDERS; without fee, commission, per share, minimum and tax the Cost "
        "of orders is the commission.",
    ] = None,
) -> Annotated[
    Noted[pd.DataFrame], frame_result("Asset", "Commission", "Spread", "Impact", "Total")
]:
    """What orders cost in money: commission and taxes, the spread, and what the price moves.

    >>> PORTBAL.TRADECOST({"Asset","Quantity","Price","Cost";"A",-100,10,5;"B",40,25,4},
    ...     {"Asset","Cost","ADV";"A",0.001,100000;"B",0.002,4000}, {"impact",0.02})
    {"Asset","Commission","Spread","Impact","Total";"A",5,1,2,8;"B",4,2,10,16}
    """
    return trade_costs(orders, assets, options)


@function("TURNOVER", group="Rebalance")
def turnover(
    current: Annotated[pd.Series, VECTOR, "Weights held now: assets and fractions."],
    target: Annotated[pd.Series, VECTOR, "Weights wanted: assets and fractions."],
) -> Annotated[float, NUMBER]:
    """Half the sum of absolute weight changes.

    >>> PORTBAL.TURNOVER({"A",0.6;"B",0.4}, {"A",0.5;"B",0.5})
    0.1
    """
    return moves.turnover(current, target)
