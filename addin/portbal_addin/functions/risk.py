"""What a portfolio may lose, and which asset the risk comes from."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import drawdown, risk, stressed_var, tail, tailparts
from portbal import vartest as backtests
from portbal.result import Noted
from portbal_addin.block import Block
from portbal_addin.codecs.kind import either
from portbal_addin.codecs.labelled import MATRIX, SERIES, TABLE, VECTOR, frame_result
from portbal_addin.codecs.scalars import NUMBER, NUMBERS, OPTIONS, TEXT, WHOLE
from portbal_addin.codecs.tables import GROUPS
from portbal_addin.registry import function

Weights = Annotated[pd.Series, VECTOR, "Weights by asset, of any sum; an absent asset has 0."]
Mu = Annotated[pd.Series, VECTOR, "Expected returns a year: assets and fractions."]
Cov = Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."]
Returns = Annotated[pd.DataFrame, TABLE, "Simple returns: dates down, assets across."]
HeldWeights = Annotated[
    pd.Series | None, VECTOR,
    "Weights by asset, of any sum, held throughout; left out, returns has one column.",
]
Level = Annotated[float, NUMBER, "0.95 looks at the worst 5%."]
Method = Annotated[
    str, TEXT,
    "Historical, normal, cornish-fisher (modified in PerformanceAnalytics), student, filtered "
    "(GARCH or EWMA), evt (peaks over threshold), or montecarlo.",
]
Horizon = Annotated[int, WHOLE, "Return periods the loss builds up over; 1 for filtered and evt."]
Options = Annotated[
    dict[str, object] | None, OPTIONS,
    "Option, value: historical tail, quantile, horizon; normal, cornish-fisher moments; filtered "
    "filter, decay; evt threshold; montecarlo distribution, paths, seed.",
]
GroupOf = Annotated[
    pd.Series | None, GROUPS, "Asset, Group: then one row a group, of its assets' sums."
]
PartMethod = Annotated[str, TEXT, "Historical, normal, cornish-fisher or student."]
AllReturns = Annotated[pd.DataFrame, TABLE, "Simple returns: dates down, one column an asset."]
OneColumn = Annotated[
    pd.DataFrame, TABLE,
    "Simple returns of the portfolio: one column, or with weights one an asset.",
]


def _is_one_cell(block: Block) -> bool:
    block = block.trimmed()
    return (block.height, block.width) == (1, 1)


NUMBER_OR_SERIES = either(NUMBER, SERIES, _is_one_cell)


@function("PORTRETURN", group="Risk")
def portreturn(weights: Weights, mu: Mu) -> Annotated[float, NUMBER]:
    """The expected return a year of a portfolio.

    >>> PORTBAL.PORTRETURN({"A",0.6;"B",0.4}, {"A",0.08;"B",0.03})
    0.06
    """
    return risk.portfolio_return(weights, mu)


@function("PORTVOLATILITY", group="Risk")
def portvolatility(weights: Weights, cov: Cov) -> Annotated[float, NUMBER]:
    """The volatility a year of a portfolio.

    >>> PORTBAL.PORTVOLATILITY({"A",0.6;"B",0.8}, {"","A","B";"A",0.01,0;"B",0,0.01})
    0.1
    """
    return risk.volatility(weights, cov)


@function("SHARPE", group="Risk")
def sharpe(
    weights: Weights,
    mu: Mu,
    cov: Cov,
    riskfree: Annotated[float, NUMBER, "Riskfree rate a year, earned by what is not invested."] = 0,
) -> Annotated[float, NUMBER]:
    """Expected return a year above riskfree, per unit of volatility.

    >>> PORTBAL.SHARPE({"A",0.6;"B",0.4}, {"A",0.08;"B",0.03},
    ... {"","A","B";"A",0.04,0;"B",0,0.01}, 0.01)
    0.395284708
    """
    return risk.sharpe(weights, mu, cov, riskfree)


@function("VAR", group="Risk")
def var(
    returns: Returns,
    weights: HeldWeights = None,
    level: Level = 0.95,
    method: Method = "historical",
    horizon: Horizon = 1,
    options: Options = None,
) -> Annotated[Noted[float], NUMBER]:
    """Value at risk: the loss that is exceeded with probability 1 - level, per return period
    unless a horizon says otherwise. A negative one is a gain.

    >>> PORTBAL.VAR({"A";-0.03;-0.01;0;0.01;0.02}, , 0.8)
    0.014
    """
    return tail.var(returns, weights, level, method, horizon, options)


@function("CVAR", group="Risk")
def cvar(
    returns: Returns,
    weights: HeldWeights = None,
    level: Level = 0.95,
    method: Method = "historical",
    horizon: Horizon = 1,
    options: Options = None,
) -> Annotated[Noted[float], NUMBER]:
    """Conditional value at risk: the mean loss of the worst share 1 - level of outcomes, per return
    period unless a horizon says otherwise.

    >>> PORTBAL.CVAR({"A";-0.03;-0.01;0;0.01;0.02}, , 0.75)
    0.026
    """
    return tail.cvar(returns, weights, level, method, horizon, options)


@function("TAILRISK", group="Risk")
def tailrisk(
    returns: AllReturns,
    level: Level = 0.95,
    method: Method = "historical",
    horizon: Horizon = 1,
    options: Options = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", "VaR", "CVaR")]:
    """VaR and CVaR of every column of returns by itself, by any method of VAR.

    >>> PORTBAL.TAILRISK({"A","B";-0.03,0.01;-0.01,-0.02;0,0;0.01,0.01;0.02,0.03}, 0.8)
    {"Asset","VaR","CVaR";"A",0.014,0.03;"B",0.004,0.02}
    """
    return tail.of_columns(returns, level, method, horizon, options)


@function("RISKTABLE", group="Risk")
def risktable(
    returns: AllReturns,
    weights: Weights,
    levels: Annotated[
        list[float] | None, NUMBERS, "Levels in a row or column; left out, 95% and 99%."
    ] = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Method", "Level", "VaR", "CVaR")]:
    """VaR and CVaR of a portfolio by every method side by side, one period ahead; blank, with a
    note, where a method has no answer.

    >>> PORTBAL.RISKTABLE({"A","B";-0.03,0.01;-0.01,-0.02;0,0;0.01,0.01;0.02,0.03},
    ... {"A",0.5;"B",0.5}, 0.8)
    {"Method","Level","VaR","CVaR";"historical",0.8,0.011,0.015;
    "normal",0.8,0.0115053331,0.0204624739;"cornish-fisher",0.8,0.0119141239,0.0167083153;
    "student",0.8,"","";"filtered",0.8,"","";"evt",0.8,"","";"montecarlo",0.8,"",""}
    """
    return tail.table(returns, weights, tail.LEVELS if levels is None else levels)


@function("RISKCONTRIBUTION", group="Risk")
def riskcontribution(
    weights: Weights,
    cov: Cov,
    groups: GroupOf = None,
) -> Annotated[
    pd.DataFrame,
    frame_result("Asset (or Group)", "Weight", "Marginal", "Contribution", "Share"),
]:
    """How much each asset, or group, adds to the volatility; contributions add up to it.

    >>> PORTBAL.RISKCONTRIBUTION({"A",0.6;"B",0.8}, {"","A","B";"A",0.01,0;"B",0,0.01})
    {"Asset","Weight","Marginal","Contribution","Share";"A",0.6,0.06,0.036,0.36;"B",0.8,0.08,0.064,0.64}
    """
    return risk.contributions(weights, cov, groups)


@function("INCREMENTALRISK", group="Risk")
def incrementalrisk(
    weights: Weights, cov: Cov, groups: GroupOf = None,
) -> Annotated[
    pd.DataFrame, frame_result("Asset (or Group)", "Weight", "Alone", "Without", "Incremental")
]:
    """What each asset, or group, adds to the volatility by being there at all: the volatility
    less that of the portfolio in which it is cash.

    >>> PORTBAL.INCREMENTALRISK({"A",0.6;"B",0.8}, {"","A","B";"A",0.01,0;"B",0,0.01})
    {"Asset","Weight","Alone","Without","Incremental";"A",0.6,0.06,0.08,0.02;
    "B",0.8,0.08,0.06,0.04}
    """
    return risk.incremental(weights, cov, groups)


@function("TAILCONTRIBUTION", group="Risk")
def tailcontribution(
    returns: AllReturns,
    weights: Weights,
    level: Level = 0.95,
    method: PartMethod = "historical",
    groups: GroupOf = None,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Asset (or Group)", "Weight", "VaR part", "CVaR part", "Share"),
]:
    """How much each asset, or group, adds to VaR and CVaR; the parts add up to them, Share is of
    CVaR.

    >>> PORTBAL.TAILCONTRIBUTION({"A","B";-0.03,0.01;-0.01,-0.02;0,0;0.01,0.01;0.02,0.03},
    ... {"A",0.5;"B",0.5}, 0.6)
    {"Asset","Weight","VaR part","CVaR part","Share";"A",0.5,0.006,0.01,0.8;
    "B",0.5,-0.002,0.0025,0.2}
    """
    return tailparts.contributions(returns, weights, level, method, groups)


@function("TAILINCREMENT", group="Risk")
def tailincrement(
    returns: AllReturns,
    weights: Weights,
    level: Level = 0.95,
    method: Method = "historical",
    groups: GroupOf = None,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Asset (or Group)", "Weight", "Alone", "VaR added", "CVaR added"),
]:
    """What each asset, or group, adds to VaR and CVaR by being there at all; Alone is the CVaR of
    its position by itself.

    >>> PORTBAL.TAILINCREMENT({"A","B";-0.03,0.01;-0.01,-0.02;0,0;0.01,0.01;0.02,0.03},
    ... {"A",0.5;"B",0.5}, 0.8)
    {"Asset","Weight","Alone","VaR added","CVaR added";"A",0.5,0.015,0.009,0.005;
    "B",0.5,0.01,0.004,0}
    """
    return tailparts.incremental(returns, weights, level, method, groups)


@function("STRESSEDVAR", group="Risk")
def stressedvar(
    returns: Returns,
    weights: HeldWeights = None,
    level: Level = 0.95,
    window: Annotated[int, WHOLE, "Return periods in a window, such as 250 days."] = 250,
) -> Annotated[Noted[pd.DataFrame], frame_result("Window", "From", "Until", "VaR", "CVaR")]:
    """Historical VaR and CVaR of today's weights in the worst window of the history, and in the
    latest one.

    >>> PORTBAL.STRESSEDVAR({"A";0.01;-0.03;-0.01;0;0.01;0.02}, , 0.8, 3)
    {"Window","From","Until","VaR","CVaR";"stressed",1,3,0.022,0.03;"latest",4,6,-0.004,0}
    """
    return stressed_var.table(returns, weights, level, window)


@function("DRAWDOWN", group="Risk")
def drawdowns(
    returns: Returns, weights: HeldWeights = None,
) -> Annotated[
    Noted[pd.DataFrame], frame_result("Depth", "Peak", "Trough", "Recovered", "Length")
]:
    """The ten deepest falls of compounded wealth from a peak: how deep, when, and how many periods
    until the peak was reached again.

    >>> PORTBAL.DRAWDOWN({"Date","A";"2024-01-31",0.1;"2024-02-29",-0.2;"2024-03-31",0.3})
    {"Depth","Peak","Trough","Recovered","Length";0.2,"2024-01-31","2024-02-29","2024-03-31",2}
    """
    return drawdown.table(tail.portfolio(returns, weights), returns.index)


@function("VARTEST", group="Risk")
def vartest(
    returns: OneColumn,
    var: Annotated[
        float | pd.Series, NUMBER_OR_SERIES,
        "VaR forecasts, positive: one number, or one a period with its date.",
    ],
    level: Level = 0.95,
    window: Annotated[int, WHOLE, "The last periods that the Basel zone looks at."] = 250,
    shortfall: Annotated[
        float | pd.Series | None, NUMBER_OR_SERIES,
        "CVaR forecasts of the same level, for the expected shortfall row.",
    ] = None,
    weights: HeldWeights = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Test", "Value", "P value", "Verdict")]:
    """Backtests of a VaR: Kupiec's count, Christoffersen's independence, both jointly, the Basel
    zone, the durations between exceptions and, with CVaR, Acerbi and Szekely's test.

    >>> PORTBAL.VARTEST({"A";-0.03;-0.01;0;0.01;0.02}, 0.02, 0.8)
    {"Test","Value","P value","Verdict";"Kupiec",0,1,"not rejected";
    "Christoffersen",0,1,"not rejected";"joint",0,1,"not rejected";"Basel zone",1,0.67232,"green";
    "duration","","","too few exceptions"}
    """
    return backtests.table(returns, var, level, window, shortfall, weights)
