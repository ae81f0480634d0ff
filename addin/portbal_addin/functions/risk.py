"""What a portfolio may lose, and which asset the risk comes from."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import risk, tail
from portbal.result import Noted
from portbal_addin.codecs.labelled import MATRIX, TABLE, VECTOR, frame_result
from portbal_addin.codecs.scalars import NUMBER, OPTIONS, TEXT, WHOLE
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
    str, TEXT, "Historical, normal, or cornish-fisher (modified in PerformanceAnalytics)."
]
Horizon = Annotated[int, WHOLE, "Return periods the loss builds up over."]
Options = Annotated[
    dict[str, object] | None, OPTIONS,
    "Option, value: moments = sample or population (normal, cornish-fisher); tail = fraction or "
    "beyond (historical).",
]


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


@function("RISKCONTRIBUTION", group="Risk")
def riskcontribution(
    weights: Weights,
    cov: Cov,
    groups: Annotated[
        pd.Series | None, GROUPS, "Asset, Group: then one row a group, of its assets' sums."
    ] = None,
) -> Annotated[
    pd.DataFrame,
    frame_result("Asset (or Group)", "Weight", "Marginal", "Contribution", "Share"),
]:
    """How much each asset, or group, adds to the volatility; contributions add up to it.

    >>> PORTBAL.RISKCONTRIBUTION({"A",0.6;"B",0.8}, {"","A","B";"A",0.01,0;"B",0,0.01})
    {"Asset","Weight","Marginal","Contribution","Share";"A",0.6,0.06,0.036,0.36;"B",0.8,0.08,0.064,0.64}
    """
    return risk.contributions(weights, cov, groups)
