"""Why the weights are what they are, and whether they can be trusted."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal.diagnose import diagnose as diagnosed
from portbal.explain import explain as explained
from portbal.result import Noted
from portbal.routes import Setting
from portbal.sensitivity import sensitivity as sensed
from portbal.verify import verify as verified
from portbal_addin.codecs.labelled import (
    MATRIX,
    MATRIX_OR_VECTOR,
    TABLE,
    VECTOR,
    frame_result,
)
from portbal_addin.codecs.scalars import NUMBER, TEXT, WHOLE
from portbal_addin.codecs.tables import ASSETS, LIMITS
from portbal_addin.registry import function

Weights = Annotated[pd.Series, VECTOR, "The weights to look at: assets and fractions."]
Objective = Annotated[
    str, TEXT,
    "In words, with the parameter: min volatility, max sharpe 2%, max return, target return 6%, "
    "target volatility 10%, max utility 3, min cvar 95%.",
]
Mu = Annotated[pd.Series | None, VECTOR, "Expected returns a year, where the objective needs them."]
Cov = Annotated[pd.DataFrame | None, MATRIX, "Covariance a year, where the objective needs it."]
Limits = Annotated[pd.DataFrame | None, LIMITS, "Limit, Min, Max: one limit a row."]
Assets = Annotated[
    pd.DataFrame | None, ASSETS, "Asset first, then groupings, exposures, Benchmark, Current."
]
Returns = Annotated[pd.DataFrame | None, TABLE, "Simple returns, for what needs scenarios."]
Periods = Annotated[
    float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
]


@function("SENSITIVITY", group="Optimise")
def sensitivity(
    mu: Annotated[pd.Series, VECTOR, "Expected returns a year: assets and fractions."],
    cov: Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."],
    errors: Annotated[
        pd.DataFrame | pd.Series, MATRIX_OR_VECTOR,
        "How wrong mu may be, a year: a covariance matrix, or one standard error an asset.",
    ],
    runs: Annotated[int, WHOLE, "How often mu is drawn anew."] = 200,
    limits: Limits = None, assets: Assets = None,
    seed: Annotated[int, WHOLE, "Another seed gives other draws."] = 1,
    returns: Returns = None, periods: Periods = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Asset", "Weight", "Low", "High")]:
    """How much max Sharpe weights move when mu moves within its errors: 5% and 95% quantiles.

    >>> PORTBAL.SENSITIVITY({"A",0.08;"B",0.03}, {"","A","B";"A",0.04,0;"B",0,0.01}, {"A",0;"B",0})
    {"Asset","Weight","Low","High";"A",0.4,0.4,0.4;"B",0.6,0.6,0.6}
    """
    return sensed(mu, cov, errors, runs, Setting(limits, assets, returns, periods), seed)


@function("EXPLAIN", group="Optimise")
def explain(
    weights: Weights, objective: Objective, mu: Mu = None, cov: Cov = None,
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Limit", "Value", "Bound", "Binding", "Shadow price", "Meaning"),
]:
    """Which limits bind, and what the objective would gain if each were loosened.

    >>> PORTBAL.EXPLAIN({"A",0.1;"B",0.9}, "min volatility", , {"","A","B";"A",0.04,0;"B",0,0.01},
    ...     {"Limit","Min","Max";"A","",0.1})
    {"Limit","Value","Bound","Binding","Shadow price","Meaning";
    "A",0.1,0.1,"yes",0.0542326145,
    "A Max higher by 0.01 would lower the volatility by about 0.0005423."}
    """
    return explained(weights, objective, mu, cov, limits, assets, returns, periods)


@function("DIAGNOSE", group="Optimise")
def diagnose(
    limits: Annotated[pd.DataFrame, LIMITS, "Limit, Min, Max: one limit a row."],
    assets: Annotated[pd.DataFrame, ASSETS, "Asset first, then groupings, exposures, Benchmark."],
    mu: Annotated[pd.Series | None, VECTOR, "Expected returns a year, for a return row."] = None,
    cov: Annotated[pd.DataFrame | None, MATRIX, "Covariance a year, for limits on risk."] = None,
    returns: Returns = None, periods: Periods = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Limit", "Bound", "Conflict", "Needed")]:
    """Which limits cannot hold together, and the least change of each that alone cures it.

    >>> PORTBAL.DIAGNOSE({"Limit","Min","Max";"Sector X",0.7,"";"B",0.4,""},
    ...     {"Asset","Sector";"A","X";"B","Y"})
    {"Limit","Bound","Conflict","Needed";"Sector X",0.7,"yes",0.6;"B",0.4,"yes",0.3}
    """
    return diagnosed(limits, assets, mu, cov, returns, periods)


@function("VERIFY", group="Optimise")
def verify(
    weights: Weights, objective: Objective, mu: Mu = None, cov: Cov = None,
    limits: Limits = None, assets: Assets = None, returns: Returns = None,
    periods: Periods = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Check", "Value", "Status")]:
    """A second opinion: the limits, the optimality, and the objective solved again by others.

    >>> PORTBAL.VERIFY({"A",0.2;"B",0.8}, "min volatility", , {"","A","B";"A",0.04,0;"B",0,0.01})
    {"Check","Value","Status";"Sum of weights",1,"ok";"Worst headroom of a limit",0.0000005,"ok";
    "Objective of the weights",0.0894427191,"ok";...}
    """
    return verified(weights, objective, mu, cov, limits, assets, returns, periods)
