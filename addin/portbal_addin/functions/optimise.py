"""The best permitted portfolio for an objective."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import optimize, optimize_tail
from portbal.limits.check import check
from portbal.result import Noted
from portbal.routes import Setting, Solution
from portbal_addin.codecs.labelled import (
    MATRIX,
    MATRIX_OR_VECTOR,
    TABLE,
    VECTOR,
    frame_result,
    vector_result,
)
from portbal_addin.codecs.scalars import NUMBER, WHOLE, choice
from portbal_addin.codecs.tables import ASSETS, LIMITS
from portbal_addin.registry import function

Mu = Annotated[pd.Series, VECTOR, "Expected returns a year: assets and fractions."]
Cov = Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."]
Limits = Annotated[pd.DataFrame | None, LIMITS, "Limit, Min, Max: one limit a row."]
Assets = Annotated[
    pd.DataFrame | None, ASSETS, "Asset first, then groupings, exposures, Benchmark, Current."
]
Returns = Annotated[
    pd.DataFrame | None, TABLE, "Simple returns, for limits that need more than the rest tells."
]
Periods = Annotated[
    float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
]
Weights = Annotated[Noted[pd.Series], vector_result("Weight")]


def _weights(solution: Solution) -> Noted[pd.Series]:
    return Noted(solution.weights, notes=solution.notes, proof=solution.proof)


@function("MINVOLATILITY", group="Optimise")
def minvolatility(
    cov: Cov, limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights with the least volatility.

    >>> PORTBAL.MINVOLATILITY({"","A","B";"A",0.04,0;"B",0,0.01})
    {"Asset","Weight";"A",0.2;"B",0.8}
    """
    return _weights(optimize.min_volatility(cov, Setting(limits, assets, returns, periods)))


@function("MAXSHARPE", group="Optimise")
def maxsharpe(
    mu: Mu, cov: Cov,
    riskfree: Annotated[float, NUMBER, "Riskfree rate a year, a fraction."] = 0.0,
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights with the highest Sharpe ratio.

    >>> PORTBAL.MAXSHARPE({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01}, 0.01)
    {"Asset","Weight";"A",0.466666667;"B",0.533333333}
    """
    return _weights(
        optimize.max_sharpe(mu, cov, riskfree, Setting(limits, assets, returns, periods)))


@function("MAXRETURN", group="Optimise")
def maxreturn(
    mu: Mu, cov: Cov, limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights with the most expected return; give a volatility or tracking error row.

    >>> PORTBAL.MAXRETURN({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01},
    ...     {"Limit","Min","Max";"A","",0.7})
    {"Asset","Weight";"A",0.7;"B",0.3}
    """
    return _weights(optimize.max_return(mu, cov, Setting(limits, assets, returns, periods)))


@function("TARGETRETURN", group="Optimise")
def targetreturn(
    mu: Mu, cov: Cov,
    target: Annotated[float, NUMBER, "The least return wanted a year, a fraction."],
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights with the least volatility that return at least the target.

    >>> PORTBAL.TARGETRETURN({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01}, 0.06)
    {"Asset","Weight";"A",0.6;"B",0.4}
    """
    return _weights(
        optimize.target_return(mu, cov, target, Setting(limits, assets, returns, periods)))


@function("TARGETVOLATILITY", group="Optimise")
def targetvolatility(
    mu: Mu, cov: Cov,
    target: Annotated[float, NUMBER, "The most volatility allowed a year, a fraction."],
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights with the most return whose volatility is at most the target.

    >>> PORTBAL.TARGETVOLATILITY({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01}, 0.1)
    {"Asset","Weight";"A",0.4;"B",0.6}
    """
    return _weights(
        optimize.target_volatility(mu, cov, target, Setting(limits, assets, returns, periods)))


@function("MAXUTILITY", group="Optimise")
def maxutility(
    mu: Mu, cov: Cov,
    riskaversion: Annotated[float, NUMBER, "The price of variance, usually 1 to 10."],
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights with the most return less half the risk aversion times the variance.

    >>> PORTBAL.MAXUTILITY({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01}, 2)
    {"Asset","Weight";"A",0.7;"B",0.3}
    """
    return _weights(
        optimize.max_utility(mu, cov, riskaversion, Setting(limits, assets, returns, periods)))


@function("MINCVAR", group="Optimise")
def mincvar(
    returns: Annotated[pd.DataFrame, TABLE, "Simple returns: a header row of names, dates first."],
    level: Annotated[float, NUMBER, "0.95 looks at the worst 5% of periods."] = 0.95,
    target: Annotated[float | None, NUMBER, "The least return wanted a year, a fraction."] = None,
    limits: Limits = None, assets: Assets = None, periods: Periods = None,
) -> Weights:
    """The permitted weights with the least CVaR (expected shortfall) of the historical returns.

    >>> PORTBAL.MINCVAR({"A","B";0.02,-0.01;-0.03,0.01;0.01,0.01;0.02,0}, 0.75)
    {"Asset","Weight";"A",0.285714286;"B",0.714285714}
    """
    return _weights(
        optimize_tail.min_cvar(returns, level, target, Setting(limits, assets, None, periods)))


@function("FRONTIER", group="Optimise")
def frontier(
    mu: Mu, cov: Cov,
    points: Annotated[int, WHOLE, "How many portfolios, from least risk to most return."] = 25,
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Annotated[pd.DataFrame, frame_result("Return", "Volatility", "one column per asset")]:
    """The efficient frontier: portfolios equally spaced in return, with their volatility.

    >>> PORTBAL.FRONTIER({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01}, 3)
    {"Return","Volatility","A","B";0.04,0.0894427191,0.2,0.8;0.06,0.126491106,0.6,0.4;0.08,0.2,1,0}
    """
    return optimize.frontier(mu, cov, points, Setting(limits, assets, returns, periods))


@function("MINTRACKING", group="Optimise")
def mintracking(
    cov: Cov,
    limits: Annotated[pd.DataFrame, LIMITS, "Limit, Min, Max: one limit a row."],
    assets: Annotated[pd.DataFrame, ASSETS, "Asset first, then groupings, exposures, Benchmark."],
    returns: Returns = None, periods: Periods = None,
) -> Weights:
    """The permitted weights with the least tracking error to the Benchmark column of assets.

    >>> PORTBAL.MINTRACKING({"","A","B";"A",0.04,0;"B",0,0.01}, {"Limit","Min","Max";"A","",0.3},
    ...     {"Asset","Benchmark";"A",0.5;"B",0.5})
    {"Asset","Weight";"A",0.3;"B",0.7}
    """
    return _weights(optimize.min_tracking(cov, Setting(limits, assets, returns, periods)))


@function("MINDRAWDOWN", group="Optimise")
def mindrawdown(
    returns: Annotated[pd.DataFrame, TABLE, "Simple returns: a header row of names, dates first."],
    measure: Annotated[
        str, choice("cdar", "average", "maximum", "ulcer"), "One of cdar, average, maximum, ulcer."
    ] = "cdar",
    level: Annotated[float, NUMBER, "For cdar: 0.95 looks at the worst 5% of drawdowns."] = 0.95,
    limits: Limits = None, assets: Assets = None, periods: Periods = None,
) -> Weights:
    """The permitted weights with the least drawdown of the cumulated returns, without compounding.

    >>> PORTBAL.MINDRAWDOWN({"A","B";0.02,-0.01;-0.03,0.01;0.01,0.01;0.02,0}, "maximum")
    {"Asset","Weight";"A",0.25;"B",0.75}
    """
    return _weights(optimize_tail.min_drawdown(
        returns, measure, level, Setting(limits, assets, None, periods)))


@function("ROBUST", group="Optimise")
def robust(
    mu: Mu, cov: Cov,
    errors: Annotated[
        pd.DataFrame | pd.Series, MATRIX_OR_VECTOR,
        "How wrong mu may be, a year: a covariance matrix, or one standard error an asset.",
    ],
    riskaversion: Annotated[float, NUMBER, "The price of variance, usually 1 to 10."],
    kappa: Annotated[float, NUMBER, "How many errors to guard against."] = 1.0,
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights with the most utility when mu is as wrong as its errors allow.

    >>> PORTBAL.ROBUST({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01}, {"A",0.03;"B",0}, 2)
    {"Asset","Weight";"A",0.4;"B",0.6}
    """
    return _weights(optimize.robust(
        mu, cov, errors, riskaversion, kappa, Setting(limits, assets, returns, periods)))


@function("CVARFRONTIER", group="Optimise")
def cvarfrontier(
    returns: Annotated[pd.DataFrame, TABLE, "Simple returns: a header row of names, dates first."],
    points: Annotated[int, WHOLE, "How many portfolios, from least CVaR to most return."] = 15,
    level: Annotated[float, NUMBER, "0.95 looks at the worst 5% of periods."] = 0.95,
    limits: Limits = None, assets: Assets = None, periods: Periods = None,
) -> Annotated[pd.DataFrame, frame_result("Return", "CVaR", "one column per asset")]:
    """The frontier of return a year against CVaR a period, equally spaced in return.

    >>> PORTBAL.CVARFRONTIER({"A","B";0.02,-0.01;-0.03,0.02;0.03,0.01;0.02,0}, 2, 0.75, , , 12)
    {"Return","CVaR","A","B";0.0825,-0.00125,0.375,0.625;0.12,0.03,1,0}
    """
    return optimize_tail.cvar_frontier(
        returns, points, level, Setting(limits, assets, None, periods))


@function("CHECKLIMITS", group="Optimise")
def checklimits(
    weights: Annotated[pd.Series, VECTOR, "The weights to check: assets and fractions."],
    limits: Annotated[pd.DataFrame, LIMITS, "Limit, Min, Max: one limit a row."],
    assets: Annotated[pd.DataFrame, ASSETS, "Asset first, then groupings, exposures, Benchmark."],
    cov: Annotated[pd.DataFrame | None, MATRIX, "Covariance a year, for limits on risk."] = None,
    returns: Returns = None, periods: Periods = None,
    mu: Annotated[pd.Series | None, VECTOR, "Expected returns a year, for a return row."] = None,
) -> Annotated[pd.DataFrame, frame_result("Limit", "Value", "Min", "Max", "Headroom", "Status")]:
    """Every limit with its value, its headroom and its status: ok, at limit or breach.

    >>> PORTBAL.CHECKLIMITS({"A",0.6;"B",0.4}, {"Limit","Min","Max";"Sector Tech","",0.5},
    ...     {"Asset","Sector";"A","Tech";"B","Energy"})
    {"Limit","Value","Min","Max","Headroom","Status";"Sector Tech",0.6,"",0.5,-0.1,"breach"}
    """
    return check(weights, limits, assets, cov=cov, returns=returns, periods=periods, mu=mu)
