"""Equilibrium returns and Black-Litterman views."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import views as opinions
from portbal.result import Noted
from portbal_addin.codecs.kind import either
from portbal_addin.codecs.labelled import MATRIX, SERIES, VECTOR, frame_result, vector_result
from portbal_addin.codecs.scalars import NUMBER, choice
from portbal_addin.codecs.tables import VIEW_VARIANCES, VIEWS
from portbal_addin.registry import function

Cov = Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."]
Views = Annotated[
    pd.DataFrame, VIEWS,
    "View, Return, Confidence: text such as Germany - 0.4*France, names with signs in single "
    "quotes; or one column per asset, then Return, Confidence. Confidence is 0 to 1 or blank.",
]
Tau = Annotated[float, NUMBER, "Uncertainty of the prior, as a multiple of cov."]
Uncertainty = Annotated[
    str | pd.DataFrame,
    either(
        choice("he-litterman"), VIEW_VARIANCES,
        lambda block: block.trimmed().height * block.trimmed().width == 1,
    ),
    "For views without confidence: he-litterman, or a table View, Variance (a pick matrix's views "
    "are named 1, 2, 3).",
]


@function("RISKAVERSION", group="Views")
def riskaversion(
    benchmarkreturns: Annotated[pd.Series, SERIES, "Simple returns of the benchmark."],
    riskfree: Annotated[float, NUMBER, "Riskfree rate a year, a fraction."] = 0.0,
    periods: Annotated[
        float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
    ] = None,
) -> Annotated[Noted[float], NUMBER]:
    """The risk aversion at which holding the benchmark is best: excess return over variance.

    >>> PORTBAL.RISKAVERSION({"Index";0.02;0.04;0}, 0, 12)
    50
    """
    return opinions.risk_aversion(benchmarkreturns, riskfree, periods)


@function("IMPLIEDRETURNS", group="Views")
def impliedreturns(
    weights: Annotated[pd.Series, VECTOR, "Weights taken to be best, such as the market's."],
    cov: Cov,
    riskaversion: Annotated[float, NUMBER, "Return asked for per unit of variance."] = 2.5,
    riskfree: Annotated[float, NUMBER, "Riskfree rate a year, which is added."] = 0.0,
) -> Annotated[pd.Series, vector_result("Return")]:
    """The returns a year at which these weights are best: equilibrium excess returns plus riskfree.

    >>> PORTBAL.IMPLIEDRETURNS({"A",0.6;"B",0.4}, {"","A","B";"A",0.04,0.01;"B",0.01,0.02})
    {"Asset","Return";"A",0.07;"B",0.035}
    """
    return opinions.implied_returns(weights, cov, riskaversion, riskfree)


@function("BLACKLITTERMAN", group="Views")
def blacklitterman(
    prior: Annotated[pd.Series, VECTOR, "Prior returns a year, such as from IMPLIEDRETURNS."],
    cov: Cov,
    views: Views,
    tau: Tau = 0.05,
    uncertainty: Uncertainty = "he-litterman",
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", "Prior", "Posterior", "Difference")]:
    """Expected returns a year that blend a prior with views, each as far as it is trusted.

    >>> PORTBAL.BLACKLITTERMAN({"A",0.07;"B",0.035}, {"","A","B";"A",0.04,0.01;"B",0.01,0.02},
    ... {"View","Return","Confidence";"A - B",0.055,0.5})
    {"Asset","Prior","Posterior","Difference";"A",0.07,0.0775,0.0075;"B",0.035,0.0325,-0.0025}
    """
    return opinions.black_litterman(prior, cov, views, tau, uncertainty)


@function("BLCOVARIANCE", group="Views")
def blcovariance(
    cov: Cov,
    views: Views,
    tau: Tau = 0.05,
    uncertainty: Uncertainty = "he-litterman",
) -> Annotated[Noted[pd.DataFrame], MATRIX]:
    """The covariance of returns once the views are in: cov plus the posterior covariance of the
    mean.

    >>> PORTBAL.BLCOVARIANCE({"","A","B";"A",0.04,0.01;"B",0.01,0.02},
    ... {"View","Return","Confidence";"A - B",0.055,0.5}, 0.05)
    {"","A","B";"A",0.0414375,0.0106875;"B",0.0106875,0.0209375}
    """
    return opinions.posterior_covariance(cov, views, tau, uncertainty)
