"""What protects a position: stops, targets, and the chance that a price reaches them."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import protect, trailing
from portbal.result import Noted
from portbal_addin.codecs.kind import either
from portbal_addin.codecs.labelled import MATRIX, PRICES, VECTOR, frame_result
from portbal_addin.codecs.scalars import NUMBER, WHOLE, choice
from portbal_addin.codecs.stops import STOPS
from portbal_addin.codecs.tables import GROUPS, HOLDINGS
from portbal_addin.registry import function

Holdings = Annotated[
    pd.DataFrame, HOLDINGS,
    "Asset, Quantity (negative for a short position), Price; a row Cash has price 1.",
]
Cov = Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."]
NUMBER_OR_VECTOR = either(
    NUMBER, VECTOR, lambda block: block.trimmed().height * block.trimmed().width == 1
)
Tick = Annotated[
    float | pd.Series | None, NUMBER_OR_VECTOR,
    "What prices move by, one number or one an asset; levels are rounded towards the price.",
]


@function("STOPLOSS", group="Protect")
def stoploss(
    holdings: Holdings,
    cov: Cov,
    method: Annotated[
        str, choice("volatility", "var", "cvar"),
        "Whether the distance is k deviations, or the normal VaR or CVaR, of the days.",
    ] = "volatility",
    days: Annotated[float, NUMBER, "Trading days that the stop is for, 252 a year."] = 21,
    k: Annotated[float, NUMBER, "Deviations to the stop, for the method volatility."] = 2,
    level: Annotated[float, NUMBER, "0.95 looks at the worst 5%, for var and cvar."] = 0.95,
    budget: Annotated[
        float | pd.Series | None, NUMBER_OR_VECTOR,
        "What all stops together may lose, a fraction of net assets; or one a group (an asset, "
        "without groups). Distances are scaled to it.",
    ] = None,
    groups: Annotated[
        pd.Series | None, GROUPS,
        "Asset, Group: the budget is shared equally over groups, each scaled by its own factor.",
    ] = None,
    tick: Tick = None,
    gap: Annotated[
        float, NUMBER, "How much worse than the stop an order may be filled, a fraction of it."
    ] = 0,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Asset", "Price", "Stop", "Distance", "Loss if hit", "Share of budget"),
]:
    """Stop prices by volatility, VaR or CVaR, or so that all stops together lose a budget; losses
    are fractions of net assets.

    >>> PORTBAL.STOPLOSS({"Asset","Quantity","Price";"A",60,1;"B",20,2},
    ... {"","A","B";"A",0.04,0;"B",0,0.09}, , 63, , , 0.05)
    {"Asset","Price","Stop","Distance","Loss if hit","Share of budget";
    "A",1,0.958333333,0.0416666667,0.025,0.5;"B",2,1.875,0.0625,0.025,0.5}
    """
    return protect.stop_loss(holdings, cov, method, days, k, level, budget, groups, tick, gap)


@function("TAKEPROFIT", group="Protect")
def takeprofit(
    holdings: Holdings,
    mu: Annotated[pd.Series, VECTOR, "Expected returns a year: assets and fractions."],
    cov: Cov,
    days: Annotated[float, NUMBER, "Trading days to the target, 252 a year."] = 252,
    stops: Annotated[
        pd.Series | None, STOPS,
        "Stop prices: Asset, Stop; or the table that STOPLOSS returns.",
    ] = None,
    tick: Tick = None,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result(
        "Asset", "Price", "Target", "Gain", "Chance of target", "Chance of stop first"),
]:
    """Target prices from expected returns, the chance to touch each within the days, before its
    stop, and the chance that the stop is touched first.

    >>> PORTBAL.TAKEPROFIT({"Asset","Quantity","Price";"A",60,100},
    ... {"A",0.08}, {"","A";"A",0.04}, 252, {"A",90})
    {"Asset","Price","Target","Gain","Chance of target","Chance of stop first";
    "A",100,108.328707,0.0832870677,0.633204852,0.363056267}
    """
    return protect.take_profit(holdings, mu, cov, days, stops, tick)


@function("TOUCHPROBABILITY", group="Protect")
def touchprobability(
    price: Annotated[float, NUMBER, "The price now."],
    level: Annotated[float, NUMBER, "The price to touch, above or below."],
    mu: Annotated[float, NUMBER, "Expected return a year, a fraction."],
    volatility: Annotated[float, NUMBER, "Volatility a year, a fraction."],
    days: Annotated[float, NUMBER, "Trading days within which it is touched, 252 a year."] = 21,
) -> Annotated[float, NUMBER]:
    """The chance that a price, a geometric Brownian path with drift mu, touches a level within so
    many trading days.

    >>> PORTBAL.TOUCHPROBABILITY(100, 110, 0.08, 0.2, 63)
    0.390631609
    """
    return protect.touch_probability(price, level, mu, volatility, days)


@function("TRAILINGSTOP", group="Protect")
def trailingstop(
    prices: Annotated[pd.DataFrame, PRICES, "Closes: dates down, assets across."],
    k: Annotated[float, NUMBER, "Mean absolute moves between the highest close and stop."] = 3,
    window: Annotated[int, WHOLE, "Moves, from close to close, in the mean."] = 22,
    tick: Tick = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", "High", "Stop", "Triggered on")]:
    """The highest close less k times the mean absolute move over the window, as a stop that never
    moves away from the price, and when a close first reached it.

    >>> PORTBAL.TRAILINGSTOP({"Date","A","B";"2024-01-01",100,50;"2024-01-02",104,51;
    ... "2024-01-03",106,52;"2024-01-04",101,53}, 1, 2)
    {"Asset","High","Stop","Triggered on";"A",106,103,"2024-01-04";"B",53,52,""}
    """
    return trailing.trailing_stop(prices, k, window, tick)
