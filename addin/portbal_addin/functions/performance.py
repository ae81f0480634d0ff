"""How a portfolio did, and how it stands to its benchmark."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import attribution
from portbal import benchmark as _benchmark
from portbal import performance as statistics
from portbal.result import Noted
from portbal_addin.codecs.labelled import MATRIX, SERIES, TABLE, VECTOR, frame_result
from portbal_addin.codecs.scalars import NUMBER, TEXT
from portbal_addin.codecs.tables import GROUPS
from portbal_addin.registry import function

_GROUP = "Benchmark and performance"

Weights = Annotated[pd.Series, VECTOR, "Weights by asset, of any sum; an absent asset has 0."]
Benchmark = Annotated[pd.Series, VECTOR, "The benchmark's weights by asset; they sum to 1."]
Cov = Annotated[pd.DataFrame, MATRIX, "Covariance a year, with names on both sides."]
Periods = Annotated[
    float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
]


@function("TRACKINGERROR", group=_GROUP)
def trackingerror(weights: Weights, benchmark: Benchmark, cov: Cov) -> Annotated[float, NUMBER]:
    """The volatility a year of the difference between portfolio and benchmark.

    >>> PORTBAL.TRACKINGERROR({"A",0.6;"B",0.4}, {"A",0.5;"B",0.5},
    ... {"","A","B";"A",0.04,0;"B",0,0.01})
    0.0223606798
    """
    return _benchmark.tracking_error(weights, benchmark, cov)


@function("BETA", group=_GROUP)
def beta(weights: Weights, benchmark: Benchmark, cov: Cov) -> Annotated[float, NUMBER]:
    """How much the portfolio is expected to move when the benchmark moves by one.

    >>> PORTBAL.BETA({"A",0.6;"B",0.4}, {"A",0.5;"B",0.5}, {"","A","B";"A",0.04,0;"B",0,0.01})
    1.12
    """
    return _benchmark.beta(weights, benchmark, cov)


@function("ACTIVESHARE", group=_GROUP)
def activeshare(weights: Weights, benchmark: Benchmark) -> Annotated[float, NUMBER]:
    """Half the sum of absolute differences between the weights of portfolio and benchmark.

    >>> PORTBAL.ACTIVESHARE({"A",0.6;"B",0.4}, {"A",0.5;"C",0.5})
    0.5
    """
    return _benchmark.active_share(weights, benchmark)


@function("BENCHMARKFIT", group=_GROUP)
def benchmarkfit(
    returns: Annotated[pd.DataFrame, TABLE, "Simple returns: dates down, assets across."],
    weights: Weights,
    candidates: Annotated[
        pd.DataFrame, TABLE, "Returns of candidate benchmarks for the same dates, one a column."
    ],
    periods: Periods = None,
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Candidate", "Tracking error", "Beta", "Correlation", "Weight"),
]:
    """Which benchmark a portfolio is most like, best first; Weight is that of the mix of
    candidates that tracks it best (style regression).

    >>> PORTBAL.BENCHMARKFIT({"A","B";0.02,0.01;-0.01,0.01;0.01,-0.02;0.03,0.02},
    ... {"A",0.8;"B",0.2}, {"X","Y";0.02,0.02;-0.01,0.01;0.01,-0.01;0.02,0.03}, 12)
    {"Candidate","Tracking error","Beta","Correlation","Weight";
    "X",0.0215406592,0.966666667,0.910707725,0.691428571;
    "Y",0.0424735212,0.628571429,0.715130523,0.308571429}
    """
    return _benchmark.fit(returns, weights, candidates, periods)


@function("PERFORMANCE", group=_GROUP)
def performance(
    returns: Annotated[pd.DataFrame, TABLE, "Simple returns: dates down, one series a column."],
    benchmarkreturns: Annotated[
        pd.Series | None, SERIES, "Simple returns of the benchmark for the same dates."
    ] = None,
    riskfree: Annotated[float, NUMBER, "Riskfree rate a year, a fraction."] = 0.0,
    periods: Periods = None,
) -> Annotated[Noted[pd.DataFrame], frame_result("Statistic", "one column per series")]:
    """Return, risk and ratios of each series; with a benchmark also alpha, beta, tracking error,
    information ratio and capture.

    >>> PORTBAL.PERFORMANCE({"A";0.02;-0.01;0.01;0.03}, , 0, 12)
    {"Statistic","A";"Return",0.15;"Compound return",0.159262786;"Volatility",0.0591607978;...}
    """
    return statistics.table(returns, benchmarkreturns, riskfree, periods)


@function("ATTRIBUTION", group=_GROUP)
def attribute(
    weights: Annotated[pd.Series, VECTOR, "The portfolio's weights by asset; they sum to 1."],
    benchmark: Benchmark,
    returns: Annotated[pd.Series, VECTOR, "The period's return of each asset in the portfolio."],
    benchmarkreturns: Annotated[
        pd.Series, VECTOR, "The period's return of each asset in the benchmark."
    ],
    groups: Annotated[pd.Series, GROUPS, "Asset, Group: the group of every asset."],
    method: Annotated[str, TEXT, "Brinson-fachler or brinson-hood-beebower."] = "brinson-fachler",
) -> Annotated[
    Noted[pd.DataFrame],
    frame_result("Group", "Allocation", "Selection", "Interaction", "Total"),
]:
    """Where one period's return ahead of the benchmark came from, by group; totals add up to it.

    >>> PORTBAL.ATTRIBUTION({"A",0.6;"B",0.4}, {"A",0.5;"B",0.5}, {"A",0.1;"B",0.02},
    ... {"A",0.08;"B",0.03}, {"A","X";"B","Y"})
    {"Group","Allocation","Selection","Interaction","Total";"X",0.0025,0.01,0.002,0.0145;
    "Y",0.0025,-0.005,0.001,-0.0015}
    """
    return attribution.brinson(weights, benchmark, returns, benchmarkreturns, groups, method)


@function("ATTRIBUTIONLINK", group=_GROUP)
def attributionlink(
    effects: Annotated[
        pd.DataFrame, TABLE, "One row a period, one column an effect, and no column of totals."
    ],
    portfolioreturns: Annotated[
        pd.Series, SERIES, "The portfolio's return in each of the periods."
    ],
    benchmarkreturns: Annotated[
        pd.Series, SERIES, "The benchmark's return in each of the periods."
    ],
    method: Annotated[str, TEXT, "Carino, menchero, grap or frongello."] = "carino",
) -> Annotated[Noted[pd.DataFrame], frame_result("Effect", "Linked")]:
    """Effects of single periods as effects of all of them, which add up to the compounded return
    ahead of the benchmark.

    >>> PORTBAL.ATTRIBUTIONLINK({"Allocation","Selection";0.01,0.02;-0.01,0.03},
    ... {"Portfolio";0.05;0.04}, {"Benchmark";0.02;0.02})
    {"Effect","Linked";"Allocation",-4.9601281e-05;"Selection",0.0516496013}
    """
    return attribution.link(effects, portfolioreturns, benchmarkreturns, method)
