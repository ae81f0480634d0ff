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
    "Holdings": "Asset, Quantity, Price; a row Cash with price 1 is cash",
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
}


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
    "TargetLimits": Result("limits checked at Weights", "portbal limits", 1, _LIMITS),
    "CurrentLimits": Result("limits checked at the current weights", "portbal limits", 8, _LIMITS),
    "Monitor": Result(
        "what asks for action", "portbal monitor", 1, ("", "", "0.00%", "0.00%", "0.00%", "")),
    "Orders": Result(
        "Asset, Side, Quantity, Price, Value, Cost, Weight after, Reason", "portbal orders", 1,
        ("", "", "#,##0", "#,##0.00", "#,##0.00", "#,##0.00", "0.00%", "")),
    "RebalancePreview": Result(
        "Item, Before, After", "portbal preview", 1, ("", "#,##0.00", "#,##0.00")),
    "RebalanceLimits": Result(
        "limits before and after the orders", "portbal preview", 5,
        ("", "0.00%", "0.00%", "0.00%", "0.00%", "", "")),
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
