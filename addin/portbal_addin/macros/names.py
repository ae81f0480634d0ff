"""The names by which commands know the tables of a workbook.

Any workbook that uses these names works; a name stands for one range, with its header row, or is
the name of an Excel table. Room below and beside the data is fine: blank edges are ignored.

Commands never write over a formula. A result whose range holds one calculates itself, and is left
to it. A result that the workbook has no name for gets its place on a sheet of its own, and the
name with it.
"""

from __future__ import annotations

from dataclasses import dataclass

# What a user fills in: name -> what it holds. One cell where no header is given.
INPUTS = {
    "Prices": "dates down, assets across; the last row is the newest",
    "Assets": "Asset, then groupings, exposures, Benchmark, Current, Lot, Price",
    "Limits": "Limit, Min, Max",
    "Views": "View, Return, Confidence",
    "Holdings": "Asset, Quantity, Price and, for prices in another currency, Rate (what a unit of "
                "it is worth); a row Cash with price 1 is cash",
    "Cash": "money to invest, beside what Holdings has",
    "OrderOptions": "option, value: fee, commission, tax, ticket",
    "Band": "how far a weight may leave its target; 0.05 where there is no such name",
    "BandKind": "absolute, relative or volatility; absolute where there is no such name",
    "TrackingBand": "how far tracking error may move from that of the target; 0.005 where there "
                    "is no such name",
    "Objective": "what is optimised, such as max sharpe, min volatility or target return 6%; "
                 "max sharpe where there is no such name",
    "RiskFree": "a year; 0 where there is no such name",
    "RiskAversion": "of the benchmark; 2.5 where there is no such name",
    "Tau": "how uncertain the prior is; 0.05 where there is no such name",
    "ReturnSource": "Black-Litterman, Implied or Historical mean: which ExpectedReturns are",
    "CovarianceMethod": "a method of COVARIANCE; ledoit-wolf where there is no such name",
    "BenchmarkWeights": "Asset, Weight; else the column Benchmark of Assets",
    "CurrentWeights": "Asset, Weight; else worked out from Holdings",
    "LastTarget": "Asset, Weight: the target before, so that orders tell a new one from drift",
    "Participation": "the share of a day's trading that one may be; 0.2 where there is no such "
                     "name",
    "StopOptions": "option, value: method (volatility, var, cvar), days, k, level, budget (what "
                   "all stops together may lose, a fraction of net assets), groups (a column of "
                   "Assets that shares it), gap, tick (else the column Tick of Assets), target "
                   "days",
    "Flows": "Date, Flow: oldest first; negative is to be paid, positive to be received",
    "Settlement": "trading days from a sale to its cash; 0 where there is no such name",
    "TaxLots": "Lot, Asset, Date, Quantity, Cost: bought when, how many, for what a unit in base "
               "currency",
    "Sells": "Asset, Date, Quantity, Price: what is sold; else the sells of Orders at the newest "
             "prices",
    "TaxOptions": "option, value: method (fifo, lifo, hifo, mintax), short rate, long rate",
    "Futures": "Contract, Asset or group, Multiplier, Price, Margin, Cost, Beta and, if any, Roll, "
               "Rolls",
    "Shocks": "Scenario, Where, Shock: scenarios, any number of rows each; Where is an asset, a "
              "group such as Sector Energy, a numeric column of Assets, or all",
    "ReverseLoss": "the loss that ReverseStress explains; 0.2 where there is no such name",
    "ReverseDays": "trading days that it takes; 21 where there is no such name",
    "StressedCorrelation": "what correlations move to; 0.9 where there is no such name",
    "HedgeDays": "trading days that a hedge is for; 63 where there is no such name",
}

# The inputs on which no order hangs: a preview stays current when they change.
BESIDE_ORDERS = frozenset({
    "TrackingBand", "StopOptions", "Flows", "Settlement", "TaxLots", "Sells", "TaxOptions",
    "Futures", "HedgeDays", "Shocks", "ReverseLoss", "ReverseDays", "StressedCorrelation",
})


@dataclass(frozen=True)
class Result:
    """Where a result without a name goes: a sheet, the first column there, and the number formats
    of its columns, the last one for all that follow (empty: as the number is)."""

    holds: str
    sheet: str
    column: int = 1
    formats: tuple[str, ...] = ()
    hidden: bool = False


_RATE = ("", "0.00%")
_PARTS = ("", "0.00%", "0.00%", "0.00%", "0.00%")
_TESTS = ("", "0.00", "0.00", "")
_LIMITS = ("", "0.00%", "0.00%", "0.00%", "0.00%", "")

# What commands write, and read again.
RESULTS = {
    "DataCheck": Result("what CHECKDATA found in Prices", "portbal data check"),
    "Returns": Result("simple returns of Prices", "portbal returns", 1, _RATE),
    "HistoricalReturns": Result("Asset, Return: means a year", "portbal estimates", 1, _RATE),
    "ImpliedReturns": Result(
        "Asset, Return: what the benchmark implies", "portbal estimates", 4, _RATE),
    "BlackLitterman": Result(
        "Asset, Prior, Posterior, Difference", "portbal estimates", 7, (*_RATE, "0.00%", "0.00%")),
    "ExpectedReturns": Result(
        "Asset, Return: what optimisers use", "portbal estimates", 12, _RATE),
    "Covariance": Result("covariance a year", "portbal covariance"),
    "Weights": Result("Asset, Weight: the target", "portbal target", 1, _RATE),
    "Frontier": Result(
        "Return, Volatility, one column per asset", "portbal frontier", 1, ("0.00%",)),
    "RiskSummary": Result(
        "Measure, Unit, Current, Benchmark, Target", "portbal risk", 1,
        ("", "", "0.00%", "0.00%", "0.00%")),
    "TailRisk": Result(
        "Method, Level, VaR, CVaR of the target", "portbal risk", 7,
        ("", "0%", "0.00%", "0.00%")),
    "RiskContributions": Result(
        "Asset, Weight, Marginal, Contribution, Share", "portbal risk", 12,
        ("", "0.00%", "0.00%", "0.00%", "0.00%")),
    "TailContributions": Result(
        "Asset, Weight, VaR part, CVaR part, Share", "portbal risk", 18, _PARTS),
    "IncrementalRisk": Result(
        "Asset, Weight, Alone, Without, Incremental", "portbal risk", 24, _PARTS),
    "SectorContributions": Result(
        "Group, Weight, Marginal, Contribution, Share", "portbal risk", 30, _PARTS),
    "SectorTailContributions": Result(
        "Group, Weight, VaR part, CVaR part, Share", "portbal risk", 36, _PARTS),
    "HistoricalBacktest": Result(
        "backtests of the historical VaR", "portbal backtests", 1, _TESTS),
    "NormalBacktest": Result("backtests of the normal VaR", "portbal backtests", 6, _TESTS),
    "StressedVaR": Result(
        "Window, From, Until, VaR, CVaR", "portbal backtests", 11,
        ("", "m/d/yyyy", "m/d/yyyy", "0.00%", "0.00%")),
    "Drawdowns": Result(
        "Depth, Peak, Trough, Recovered, Length", "portbal backtests", 17,
        ("0.00%", "m/d/yyyy", "m/d/yyyy", "m/d/yyyy", "0")),
    "CorrelationShift": Result(
        "Pair, Calm, Stressed, Shift", "portbal backtests", 23, ("", "0.00", "0.00", "0.00")),
    "ScenarioLosses": Result(
        "Scenario, Loss, Breaches, Limits", "portbal stress", 1, ("", "0.00%", "0", "")),
    "ReverseStress": Result(
        "Asset, Shock, Distance", "portbal stress", 6, ("", "0.00%", "0.00")),
    "StressedVolatility": Result(
        "Strength, Current, Target", "portbal stress", 10, ("0%", "0.00%", "0.00%")),
    "WindowShocks": Result("Scenario, Where, Shock", "portbal stress", 14, ("", "", "0.00%")),
    "StressMatrix": Result(
        "Limit, Min, Max, Now, a column a scenario", "portbal stress limits", 1,
        ("", "0.00%", "0.00%", "")),
    "StressedAssets": Result(
        "Asset, Weight, a column a scenario: what each loses", "portbal stress assets", 1, _RATE),
    "TargetLimits": Result("limits checked at Weights", "portbal limits", 1, _LIMITS),
    "CurrentLimits": Result("limits checked at the current weights", "portbal limits", 8, _LIMITS),
    "Monitor": Result(
        "what asks for action", "portbal monitor", 1,
        ("", "", "0.00%", "0.00%", "0.00%", "#,##0.00", "#,##0.00", "")),
    "Stops": Result(
        "Asset, Stop: the prices at which positions are sold, in the currency of Prices, as "
        "STOPLOSS or TRAILINGSTOP give them", "portbal stops", 1,
        ("", "#,##0.00", "#,##0.00", "0.00%", "0.00%", "0.00%")),
    "Targets": Result(
        "Asset, Target: the prices at which profits are taken, as TAKEPROFIT gives them",
        "portbal stops", 8, ("", "#,##0.00", "#,##0.00", "0.00%", "0.00%", "0.00%")),
    "Orders": Result(
        "Asset, Side, Quantity, Price, Value, Cost, Weight after, Reason", "portbal orders", 1,
        ("", "", "#,##0", "#,##0.00", "#,##0.00", "#,##0.00", "0.00%", "")),
    "RebalancePreview": Result(
        "Item, Before, After", "portbal preview", 1, ("", "#,##0.00", "#,##0.00")),
    "RebalanceLimits": Result(
        "limits before and after the orders", "portbal preview", 5,
        ("", "0.00%", "0.00%", "0.00%", "0.00%", "", "")),
    "RebalanceOpen": Result(
        "what the orders do not do: limits not kept, targets not reached, sizes beyond a day's "
        "trading", "portbal preview", 13, ("", "", "0.00%", "0.00%", "")),
    "Liquidity": Result(
        "Asset, Value, Days, Tier: how long it takes to sell each", "portbal liquidity", 1,
        ("", "#,##0.00", "0.00", "")),
    "LiquidityLadder": Result(
        "Days, Share: what part is cash within so many days", "portbal liquidity", 6,
        ("0", "0.00%")),
    "CashPlan": Result(
        "Date, Flow, Cash left, Raised from", "portbal cash plan", 1,
        ("m/d/yyyy", "#,##0.00", "#,##0.00", "")),
    "LotSales": Result(
        "Lot, Asset, Quantity, Gain, Term: the lots that sales take", "portbal tax lots", 1,
        ("", "", "#,##0.00", "#,##0.00", "")),
    "Hedge": Result(
        "Contract, Contracts, Notional, Margin, Residual", "portbal hedge", 1,
        ("", "#,##0", "#,##0.00", "#,##0.00", "#,##0.00")),
    "JournalList": Result(
        "the last records of the journal, the newest first", "portbal journal", 1,
        ("0", "", "", "", "", "0", "#,##0.00")),
    "ProblemList": Result("every problem with its cell and its cure", "portbal problems"),
    "portbal_undo": Result("what Apply replaced", "portbal undo", hidden=True),
}

_MOST_COLUMNS = 60  # that the last format of a result on a sheet of its own reaches


def formats(sheet: str) -> tuple[tuple[int, str], ...]:
    """The number formats of the columns of one of these sheets."""
    found: dict[int, str] = {}
    results = [result for result in RESULTS.values() if result.sheet == sheet]
    for result in results:
        for at, number in enumerate(result.formats):
            found[result.column + at] = number
        if len(results) == 1 and result.formats:
            for column in range(max(found) + 1, _MOST_COLUMNS + 1):
                found[column] = result.formats[-1]
    return tuple((column, number) for column, number in sorted(found.items()) if number)
