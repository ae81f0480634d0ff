"""What if: shocks, windows of the past, correlations that rise, and years to come."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import pandas as pd

from portbal import correlations, scenarios, simulate, stress_limits
from portbal import stress as shocked
from portbal.result import Noted
from portbal_addin.codecs.labelled import MATRIX, RAGGED_TABLE, TABLE, VECTOR, frame_result
from portbal_addin.codecs.scalars import DATE, DATE_OR_NAME, NUMBER, OPTIONS, TEXT, WHOLE, choice
from portbal_addin.codecs.tables import ASSETS, GROUPS, LIMITS, SCENARIO_SHOCKS, SHOCKS
from portbal_addin.registry import function

Weights = Annotated[pd.Series, VECTOR, "Weights by asset, of any sum; an absent asset has 0."]
Cov = Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."]
Periods = Annotated[
    float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
]


@function("CORRELATIONSHIFT", group="Estimates")
def correlationshift(
    returns: Annotated[pd.DataFrame, TABLE, "Simple returns: dates down, one column an asset."],
    share: Annotated[float, NUMBER, "The share of periods that count as stressed."] = 0.1,
) -> Annotated[Noted[pd.DataFrame], frame_result("Pair", "Calm", "Stressed", "Shift")]:
    """Correlations in calm periods and in the 10% with the lowest equal-weighted return; the note
    has the effective number of bets in both.

    >>> PORTBAL.CORRELATIONSHIFT({"A","B";-0.05,-0.04;-0.03,-0.05;-0.04,-0.01;0.01,0;0.02,-0.01;
    ... 0,0.02}, 0.5)
    {"Pair","Calm","Stressed","Shift";"A / B",-0.981980506,-0.240192231,0.741788275}
    """
    return correlations.shift(returns, share)


@function("STRESS", group="Stress")
def stress(
    weights: Weights,
    shocks: Annotated[
        pd.DataFrame, SHOCKS,
        "Where, Shock: an asset, a group such as 'Sector Energy', a numeric column of assets such "
        "as Beta, or all; and its return. The most particular row decides.",
    ],
    assets: Annotated[
        pd.DataFrame | None, ASSETS, "Asset first, then groupings and exposures that Where names."
    ] = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", "Weight", "Shock", "Loss")]:
    """What each asset loses under given shocks; the note has the portfolio's loss.

    >>> PORTBAL.STRESS({"A",0.6;"B",0.4}, {"Where","Shock";"all",-0.1;"Sector Tech",-0.3},
    ... {"Asset","Sector";"A","Tech";"B","Energy"})
    {"Asset","Weight","Shock","Loss";"A",0.6,-0.3,0.18;"B",0.4,-0.1,0.04}
    """
    return shocked.losses(weights, shocks, assets)


@function("STRESSLIMITS", group="Stress")
def stresslimits(
    weights: Weights,
    limits: Annotated[pd.DataFrame, LIMITS, "Limit, Min, Max: one limit a row."],
    assets: Annotated[pd.DataFrame, ASSETS, "Asset first, then groupings, exposures, Benchmark."],
    shocks: Annotated[
        pd.DataFrame, SCENARIO_SHOCKS,
        "Scenario, Where, Shock: as for STRESS, any number of rows a scenario.",
    ],
    show: Annotated[
        str, choice("matrix", "details", "scenarios"),
        "Matrix: one row a limit, one column a scenario; details: values before and after; "
        "scenarios: loss and breaches of each.",
    ] = "matrix",
    cov: Annotated[pd.DataFrame | None, MATRIX, "Covariance a year, for limits on risk."] = None,
    returns: Annotated[
        pd.DataFrame | None, TABLE, "Simple returns, for limits that need more than the rest tells."
    ] = None,
    periods: Periods = None,
    mu: Annotated[pd.Series | None, VECTOR, "Expected returns a year, for a return row."] = None,
    more: Annotated[
        pd.DataFrame | None, SCENARIO_SHOCKS,
        "Further scenarios, after those of shocks, such as SCENARIOSHOCKS(returns).",
    ] = None,
) -> Annotated[
    Noted[pd.DataFrame], frame_result("Limit", "Min", "Max", "Now", "one column per scenario")
]:
    """Which limit breaks in which scenario, when weights move with the shocks and nothing is
    traded.

    >>> PORTBAL.STRESSLIMITS({"A",0.6;"B",0.4}, {"Limit","Min","Max";"B",0,0.5},
    ... {"Asset","Sector";"A","Tech";"B","Energy"},
    ... {"Scenario","Where","Shock";"Tech falls","Sector Tech",-0.5;"All fall","all",-0.2})
    {"Limit","Min","Max","Now","Tech falls","All fall";"B",0,0.5,"ok","breach","ok"}
    """
    found = stress_limits.recheck(
        weights, limits, assets, shocks, more, cov=cov, returns=returns, periods=periods, mu=mu)
    return {
        "matrix": found.matrix, "details": found.details, "scenarios": found.summary,
    }[show]()


@function("SCENARIOS", group="Stress")
def windows() -> Annotated[pd.DataFrame, frame_result("Name", "From", "Until", "Index move")]:
    """Sixteen stressed windows of the past by their closing dates, with the move of the S&P 500
    without dividends.

    >>> PORTBAL.SCENARIOS()
    {"Name","From","Until","Index move";"Black Monday 1987","1987-10-13","1987-10-19",-0.285133;...}
    """
    return scenarios.windows()


@function("SCENARIO", group="Stress")
def scenario(
    weights: Weights,
    returns: Annotated[
        pd.DataFrame, RAGGED_TABLE,
        "Simple returns with dates, one column an asset; a history may start later.",
    ],
    fromdate: Annotated[
        dt.datetime | str, DATE_OR_NAME,
        "The closing date before the window, or a name of SCENARIOS().",
    ],
    untildate: Annotated[
        dt.datetime | None, DATE,
        "The last date of the window; left out, that of returns. Not with a name."
    ] = None,
    factors: Annotated[
        pd.DataFrame | None, TABLE,
        "Returns of longer histories: an asset that does not reach back is proxied by its betas.",
    ] = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", "Weight", "Return", "Loss")]:
    """What each asset earned, and today's weights lost, in a window of the past: the returns after
    fromdate up to untildate, compounded.

    >>> PORTBAL.SCENARIO({"A",0.5;"B",0.5}, {"Date","A","B";"2024-01-31",0.01,0.02;
    ... "2024-02-29",-0.1,-0.2;"2024-03-31",-0.1,0.1}, "2024-01-31", "2024-03-31")
    {"Asset","Weight","Return","Loss";"A",0.5,-0.19,0.095;"B",0.5,-0.12,0.06}
    """
    return scenarios.replay(weights, returns, fromdate, untildate, factors)


@function("SCENARIOSHOCKS", group="Stress")
def scenarioshocks(
    returns: Annotated[
        pd.DataFrame, RAGGED_TABLE,
        "Simple returns with dates, one column an asset; a history may start later.",
    ],
    factors: Annotated[
        pd.DataFrame | None, TABLE,
        "Returns of longer histories: an asset that does not reach back is proxied by its betas.",
    ] = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Scenario", "Where", "Shock")]:
    """What each asset earned in every window of SCENARIOS that the returns cover, as the shocks
    that STRESSLIMITS takes; the note names the windows that are left out.

    >>> PORTBAL.SCENARIOSHOCKS({"Date","A","B";"2020-02-19",0,0;"2020-02-28",-0.1,-0.05;
    ... "2020-03-09",-0.1,-0.1;"2020-03-23",-0.2,0.1})
    {"Scenario","Where","Shock";"Covid 2020","asset A",-0.352;"Covid 2020","asset B",-0.0595}
    """
    return scenarios.shocks(returns, factors)


@function("FEDSCENARIO", group="Stress")
def fedscenario() -> Annotated[pd.DataFrame, frame_result("Quarter", "one column per variable")]:
    """The domestic path of the Federal Reserve's severely adverse scenario of 2025; growth, rates
    and yields are fractions a year, levels as published.

    >>> PORTBAL.FEDSCENARIO()
    {"Quarter","Real GDP growth","Nominal GDP growth","Real disposable income growth",
    "Nominal disposable income growth","Unemployment rate","CPI inflation rate",
    "3-month Treasury rate","5-year Treasury yield","10-year Treasury yield",
    "BBB corporate yield","Mortgage rate","Prime rate",
    "Dow Jones Total Stock Market Index (Level)","House Price Index (Level)",
    "Commercial Real Estate Price Index (Level)","Market Volatility Index (Level)";
    "2025 Q1",-0.089,-0.08,-0.06,-0.045,0.056,0.02,0.018,0.006,0.014,0.052,0.04,0.048,
    34508.6,275.1,302.4,60;...}
    """
    return scenarios.severely_adverse()


@function("STRESSCORRELATION", group="Stress")
def stresscorrelation(
    cov: Cov,
    correlation: Annotated[float, NUMBER, "What the correlations move to, such as 0.9."],
    strength: Annotated[float, NUMBER, "How far they move: 0 not at all, 1 all the way."] = 1.0,
    groups: Annotated[
        pd.Series | None, GROUPS, "Asset, Group: then only correlations within a group move."
    ] = None,
) -> Annotated[Noted[pd.DataFrame], MATRIX]:
    """The covariance if correlations moved towards a value; volatilities stay, and the matrix is
    positive semidefinite.

    >>> PORTBAL.STRESSCORRELATION({"","A","B";"A",0.04,0;"B",0,0.01}, 0.8, 0.5)
    {"","A","B";"A",0.04,0.008;"B",0.008,0.01}
    """
    return correlations.stressed(cov, correlation, strength, groups)


@function("REVERSESTRESS", group="Stress")
def reversestress(
    weights: Weights,
    cov: Cov,
    loss: Annotated[float, NUMBER, "The loss to explain, a positive fraction."],
    days: Annotated[float, NUMBER, "Trading days the move takes, of 252 a year."] = 252,
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", "Shock", "Distance")]:
    """The most likely move of all assets that loses so much; Distance is the number of deviations
    of the portfolio, the same in every row.

    >>> PORTBAL.REVERSESTRESS({"A",0.6;"B",0.8}, {"","A","B";"A",0.01,0;"B",0,0.01}, 0.2)
    {"Asset","Shock","Distance";"A",-0.12,2;"B",-0.16,2}
    """
    return shocked.reverse(weights, cov, loss, days)


@function("SIMULATE", group="Stress")
def simulated(
    mu: Annotated[pd.Series, VECTOR, "Expected returns a year: assets and fractions."],
    cov: Cov,
    weights: Weights,
    years: Annotated[int, WHOLE, "How many years ahead, up to 100."],
    paths: Annotated[int, WHOLE, "How many paths, 100 to 1,000,000."] = 10_000,
    distribution: Annotated[str, TEXT, "Normal, student, or bootstrap."] = "normal",
    seed: Annotated[int, WHOLE, "The same seed gives the same paths."] = 1,
    returns: Annotated[
        pd.DataFrame | None, TABLE, "Past returns, whose blocks the bootstrap draws."
    ] = None,
    periods: Periods = None,
    options: Annotated[
        dict[str, object] | None, OPTIONS,
        "Option, value: student freedom (5); bootstrap block, the length of a block in periods.",
    ] = None,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Year", "P5", "P25", "P50", "P75", "P95", "Chance of loss"),
]:
    """Percentiles of wealth from 1 at the end of each year, and the chance that it is below 1.

    >>> PORTBAL.SIMULATE({"A",0.05;"B",0.02}, {"","A","B";"A",0,0;"B",0,0}, {"A",0.6;"B",0.4}, 2)
    {"Year","P5","P25","P50","P75","P95","Chance of loss";
    1,1.03866887,1.03866887,1.03866887,1.03866887,1.03866887,0;
    2,1.07883302,1.07883302,1.07883302,1.07883302,1.07883302,0}
    """
    return simulate.wealth(
        mu, cov, weights, years, paths, distribution, seed,
        returns=returns, periods_a_year=periods, options=options,
    )
