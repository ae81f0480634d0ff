"""How trades are paid for: liquidity, cash, futures in their place, and tax lots."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import pandas as pd

from portbal import hedge as futures_hedge
from portbal import liquidity as liquid
from portbal import taxlots as tax
from portbal.result import Noted
from portbal_addin.codecs.labelled import VECTOR, frame_result
from portbal_addin.codecs.scalars import DATE, NUMBER, WHOLE, choice
from portbal_addin.codecs.tables import ASSETS, HOLDINGS
from portbal_addin.codecs.trades import FLOWS, FUTURES, LOTS, SELLS
from portbal_addin.registry import function

Holdings = Annotated[pd.DataFrame, HOLDINGS, "Asset, Quantity, Price; a row Cash has price 1."]
Participation = Annotated[
    float, NUMBER, "The share of a day's trading that one may be, above 0 and up to 1."
]


@function("LIQUIDITY", group="Rebalance")
def liquidity(
    holdings: Holdings,
    assets: Annotated[
        pd.DataFrame, ASSETS,
        "Asset first, and ADV: traded value a day in base currency, for every asset held."
    ],
    participation: Participation = 0.2,
    show: Annotated[
        str, choice("assets", "ladder"),
        "Assets: days to sell each; ladder: the share of net assets that is cash within 1, 5, 20, "
        "60 days.",
    ] = "assets",
) -> Annotated[
    Noted[pd.DataFrame], frame_result("Asset", "Value", "Days", "Tier")
]:
    """How many days it takes to sell each holding, and the ladder of what is cash within so many
    days; cash takes 0 days.

    >>> PORTBAL.LIQUIDITY({"Asset","Quantity","Price";"A",100,10;"B",50,20;"Cash",500,1},
    ... {"Asset","ADV";"A",10000;"B",250})
    {"Asset","Value","Days","Tier";"A",1000,0.5,"1 day";"B",1000,20,"20 days";
    "Cash",500,0,"1 day"}
    """
    return liquid.liquidity(holdings, assets, participation, show)


@function("CASHPLAN", group="Rebalance")
def cashplan(
    holdings: Holdings,
    assets: Annotated[
        pd.DataFrame, ASSETS,
        "Asset first, ADV (traded value a day) for every asset held, and Cost (fraction of traded "
        "value) if any.",
    ],
    flows: Annotated[
        pd.DataFrame, FLOWS, "Date, Flow: oldest first; negative is paid, positive received."
    ],
    participation: Participation = 0.2,
    start: Annotated[
        dt.datetime | None, DATE,
        "The first day on which one may sell; left out, the first date of flows."
    ] = None,
    settlement: Annotated[int, WHOLE, "Trading days from a sale to its cash; 0: same day."] = 0,
) -> Annotated[
    Noted[pd.DataFrame], frame_result("Date", "Flow", "Raised from", "Cash left")
]:
    """What pays each flow: cash first, then sales within ADV until its date, the cheapest first
    and then the most liquid.

    >>> PORTBAL.CASHPLAN({"Asset","Quantity","Price";"A",100,10;"B",50,20;"Cash",500,1},
    ... {"Asset","ADV";"A",1500;"B",100000}, {"Date","Flow";"2024-03-04",-400;"2024-03-05",-1500})
    {"Date","Flow","Raised from","Cash left";"2024-03-04",-400,"Cash",100;
    "2024-03-05",-1500,"Cash 100.00; B 1,000.00; A 400.00",0}
    """
    return liquid.cash_plan(holdings, assets, flows, participation, start, settlement)


@function("HEDGE", group="Rebalance")
def hedge(
    holdings: Holdings,
    target: Annotated[pd.Series, VECTOR, "Weights wanted, summing to 1: assets and fractions."],
    futures: Annotated[
        pd.DataFrame, FUTURES,
        "Contract; Asset or group (all, an asset, 'Sector Energy'); Multiplier; Price; Margin and "
        "Cost (money a contract); Beta (of the asset or group to it); optional Roll (a year, of "
        "notional, paid by longs), Rolls (a year).",
    ],
    assets: Annotated[
        pd.DataFrame | None, ASSETS,
        "Asset first, groupings, and Cost (fraction of traded value) to compare with cash trades."
    ] = None,
    days: Annotated[float, NUMBER, "How long it is to be held, of 252 days a year."] = 63,
) -> Annotated[
    Noted[pd.DataFrame], frame_result("Contract", "Contracts", "Notional", "Margin", "Residual")
]:
    """Whole futures contracts that bring the portfolio nearest to its target; notes say until when
    they are cheaper than cash trades.

    >>> PORTBAL.HEDGE({"Asset","Quantity","Price";"A",100,50000;"Cash",50000,1}, {"Cash",1},
    ... {"Contract","Asset or group","Multiplier","Price","Margin","Cost","Beta";
    ... "Index","all",250,1000,12000,2.5,1.49})
    {"Contract","Contracts","Notional","Margin","Residual";"Index",-30,-7500000,360000,50000}
    """
    return futures_hedge.hedge(holdings, target, futures, assets, days)


@function("TAXLOTS", group="Rebalance")
def taxlots(
    lots: Annotated[
        pd.DataFrame, LOTS, "Lot, Asset, Date (bought), Quantity, Cost (paid for one unit)."
    ],
    sells: Annotated[
        pd.DataFrame, SELLS, "Asset, Date, Quantity (positive), Price (of one unit)."
    ],
    method: Annotated[
        str, choice("fifo", "lifo", "hifo", "mintax"),
        "Fifo: the oldest lot first; lifo: the newest; hifo: the highest cost; mintax: least tax "
        "over all sales.",
    ] = "hifo",
    shortrate: Annotated[float, NUMBER, "Tax on gains held up to a year, a fraction."] = 0.37,
    longrate: Annotated[float, NUMBER, "Tax on gains held for longer, a fraction."] = 0.2,
) -> Annotated[
    Noted[pd.DataFrame], frame_result("Lot", "Asset", "Quantity", "Gain", "Term")
]:
    """Which lots each sale takes, and the gain on them: short up to a year, long after it; notes
    have the tax and wash sales.

    >>> PORTBAL.TAXLOTS({"Lot","Asset","Date","Quantity","Cost";"L1","A","2022-01-03",100,10;
    ... "L2","A","2023-11-01",50,14}, {"Asset","Date","Quantity","Price";"A","2024-03-01",80,12})
    {"Lot","Asset","Quantity","Gain","Term";"L2","A",50,-100,"short";"L1","A",30,60,"long"}
    """
    return tax.sold(lots, sells, method, shortrate, longrate)
