"""Weights from risk alone, and the usual portfolios side by side."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import allocate, optimize
from portbal import compare as comparison
from portbal.result import Noted
from portbal.routes import Setting
from portbal_addin.codecs.labelled import MATRIX, TABLE, VECTOR, frame_result, vector_result
from portbal_addin.codecs.scalars import NUMBER, TEXT
from portbal_addin.codecs.tables import ASSETS, LIMITS
from portbal_addin.registry import function

Cov = Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."]
Limits = Annotated[pd.DataFrame | None, LIMITS, "Limit, Min, Max: one limit a row."]
Assets = Annotated[
    pd.DataFrame | None, ASSETS, "Asset first, then groupings, exposures, Benchmark, Current."
]
Periods = Annotated[
    float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
]
Weights = Annotated[Noted[pd.Series], vector_result("Weight")]


@function("MAXDIVERSIFICATION", group="Optimise")
def maxdiversification(
    cov: Cov, limits: Limits = None, assets: Assets = None,
    returns: Annotated[
        pd.DataFrame | None, TABLE, "Simple returns, for limits that need more than the rest tells."
    ] = None,
    periods: Periods = None,
) -> Weights:
    """The permitted weights whose volatility is the smallest part of the average volatility.

    >>> PORTBAL.MAXDIVERSIFICATION({"","A","B";"A",0.04,0;"B",0,0.01})
    {"Asset","Weight";"A",0.333333333;"B",0.666666667}
    """
    found = optimize.max_diversification(cov, Setting(limits, assets, returns, periods))
    return Noted(found.weights, notes=found.notes, proof=found.proof)


@function("RISKPARITY", group="Optimise")
def riskparity(
    cov: Cov,
    budgets: Annotated[
        pd.Series | None, VECTOR, "Share of the risk by asset, of sum 1; left out, equal shares."
    ] = None,
) -> Weights:
    """The long-only weights at which each asset contributes its budget of the volatility.

    >>> PORTBAL.RISKPARITY({"","A","B";"A",0.04,0;"B",0,0.01}, {"A",0.2;"B",0.8})
    {"Asset","Weight";"A",0.2;"B",0.8}
    """
    return allocate.risk_parity(cov, budgets)


@function("HRP", group="Optimise")
def hrp(
    cov: Cov,
    method: Annotated[
        str, TEXT,
        "Lopez-de-prado (distance of distances), plain (correlation distance, as PyPortfolioOpt), "
        "or ordered (plain, optimal leaf order).",
    ] = "lopez-de-prado",
    linkage: Annotated[str, TEXT, "Single, complete, average, or ward."] = "single",
) -> Weights:
    """Hierarchical risk parity: weights split down a tree of assets that move alike.

    >>> PORTBAL.HRP({"","A","B","C";"A",0.04,0.018,0;"B",0.018,0.01,0;"C",0,0,0.02})
    {"Asset","Weight";"A",0.118483412;"B",0.473933649;"C",0.407582938}
    """
    return allocate.hrp(cov, method, linkage)


@function("COMPARE", group="Optimise")
def compare(
    returns: Annotated[pd.DataFrame, TABLE, "Simple returns: a header row of names, dates first."],
    mu: Annotated[
        pd.Series | None, VECTOR, "Expected returns a year; left out, the mean of returns."
    ] = None,
    cov: Annotated[
        pd.DataFrame | None, MATRIX, "Covariance a year; left out, that of returns."
    ] = None,
    limits: Limits = None, assets: Assets = None, periods: Periods = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", *comparison.PORTFOLIOS)]:
    """The usual portfolios side by side: weights, then Return, Volatility and Sharpe a year, and
    the historical VaR and CVaR at 95% per return period.

    >>> PORTBAL.COMPARE({"A","B";0.02,-0.01;-0.03,0.01;0.01,0.01;0.02,0}, , , , , 12)
    {"Asset","Equal weight","Min volatility","Max Sharpe","Min CVaR","Risk parity","HRP",
    "Max diversification";"A",0.5,0.252173913,0.277777778,0.285714286,0.286834889,0.139240506,
    0.286834889;...}
    """
    return comparison.compare(returns, mu, cov, Setting(limits, assets, None, periods))
