"""What a series of returns has earned, at which risk, and beside a benchmark.

Conventions: rates and risks are a year, VaR and CVaR a return period; sample statistics use n - 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import pandas as pd

from portbal import dated, drawdown, periods, tables
from portbal.errors import InputError
from portbal.losses.laws import Moments, historical, still
from portbal.result import Noted

_LEVEL = 0.95


@dataclass(frozen=True)
class Series:
    """Returns (T,) and, if any, those of the benchmark; riskfree a year; periods a year."""

    values: np.ndarray
    benchmark: np.ndarray | None
    riskfree: float
    periods: float

    @property
    def mean(self) -> float:
        return float(self.values.mean()) * self.periods

    @property
    def volatility(self) -> float:
        return _deviation(self.values) * sqrt(self.periods)


def _compound(series: Series) -> float:
    """prod(1 + r)^(periods / T) - 1; -1 once everything is lost."""
    left = float(drawdown.wealth_of(series.values)[-1])
    return float(left ** (series.periods / len(series.values))) - 1


def _sortino(series: Series) -> float:
    """Return above riskfree over downside deviation, the root mean square of what falls short of
    riskfree a period, a year (Sortino and Price 1994)."""
    short = np.minimum(series.values - series.riskfree / series.periods, 0.0)
    downside = sqrt(float((short**2).mean()) * series.periods)
    return _ratio(series.mean - series.riskfree, downside)


def _capture(series: Series, up: bool) -> float:
    """Mean return over mean benchmark return, of the periods in which the benchmark rose, or
    did not (Bacon 2008, Practical Portfolio Performance Measurement and Attribution, chapter 3)."""
    benchmark = _benchmark(series)
    chosen = benchmark > 0 if up else benchmark <= 0
    return _ratio(float(series.values[chosen].sum()), float(benchmark[chosen].sum()))


def _beta(series: Series) -> float:
    benchmark = _benchmark(series)
    centred = benchmark - benchmark.mean()
    if still(benchmark):
        return nan
    return float(centred @ (series.values - series.values.mean()) / (centred @ centred))


def _alpha(series: Series) -> float:
    """Jensen's: return above riskfree less beta times that of the benchmark, a year."""
    other = float(_benchmark(series).mean()) * series.periods
    return series.mean - series.riskfree - _beta(series) * (other - series.riskfree)


def _tracking_error(series: Series) -> float:
    return _deviation(series.values - _benchmark(series)) * sqrt(series.periods)


def _information_ratio(series: Series) -> float:
    ahead = float((series.values - _benchmark(series)).mean()) * series.periods
    return _ratio(ahead, _tracking_error(series))


def _benchmark(series: Series) -> np.ndarray:
    assert series.benchmark is not None
    return series.benchmark


STATISTICS: Mapping[str, Callable[[Series], float]] = {
    "Return": lambda s: s.mean,
    "Compound return": _compound,
    "Volatility": lambda s: s.volatility,
    "Sharpe": lambda s: _ratio(s.mean - s.riskfree, s.volatility),
    "Sortino": _sortino,
    "Calmar": lambda s: _ratio(_compound(s), drawdown.greatest(s.values)),
    "Max drawdown": lambda s: drawdown.greatest(s.values),
    "VaR 95%": lambda s: historical(s.values, _LEVEL).var,
    "CVaR 95%": lambda s: historical(s.values, _LEVEL).cvar,
    "Skewness": lambda s: Moments.sample(s.values).skewness if _shaped(s, 3) else nan,
    "Excess kurtosis": lambda s: Moments.sample(s.values).excess_kurtosis if _shaped(s, 4) else nan,
    "Best": lambda s: float(s.values.max()),
    "Worst": lambda s: float(s.values.min()),
    "Hit rate": lambda s: float((s.values > 0).mean()),
}
AGAINST_BENCHMARK: Mapping[str, Callable[[Series], float]] = {
    "Alpha": _alpha,
    "Beta": _beta,
    "Tracking error": _tracking_error,
    "Information ratio": _information_ratio,
    "Up capture": lambda s: _capture(s, True),
    "Down capture": lambda s: _capture(s, False),
}


def table(
    returns: pd.DataFrame,
    benchmark: pd.Series | None = None,
    riskfree: float = 0.0,
    periods_a_year: float | None = None,
) -> Noted[pd.DataFrame]:
    """All statistics: column Statistic, then one column a series.

    returns    simple, shape (T, n), at least two rows
    benchmark  simple returns of the same dates; with it the rows from Alpha on
    riskfree   a year; a period it is divided by periods

    Return is the arithmetic mean times periods, Compound return the growth of wealth a year,
    Sharpe, Sortino and Information ratio arithmetic; Max drawdown, VaR and CVaR are positive
    losses, VaR and CVaR historical, a period; Skewness and Excess kurtosis as SKEW and KURT of a
    spreadsheet; Up and Down capture as R's UpDownRatios. What cannot be told (a ratio over a risk
    of 0) is NaN, noted.

    InputError for fewer than two rows, other dates, and a return below -1.
    """
    a_year = periods.per_year(returns.index, periods_a_year)
    values = tables.complete(returns, argument="returns")
    if len(values) < 2:
        raise InputError(
            "there is one return, too few for a statistic", fix="Give more rows.",
            argument="returns",
        )
    other = None
    wanted = dict(STATISTICS)
    if benchmark is not None:
        other = dated.numbers(
            benchmark, returns.index, argument="benchmarkreturns", reference="returns")
        wanted |= AGAINST_BENCHMARK
    columns: dict[str, list[object]] = {"Statistic": list(wanted)}
    missing: dict[str, None] = {}
    for position, label in enumerate(returns.columns):
        column = np.ascontiguousarray(values[:, position])
        try:
            numbers = [of(Series(column, other, riskfree, a_year)) for of in wanted.values()]
        except InputError as error:
            error.row, error.column = tables.row_of(returns.index, int(column.argmin())), label
            raise
        missing.update((name, None) for name, x in zip(wanted, numbers, strict=True) if x != x)
        columns[_title(str(label))] = list(numbers)
    notes = () if not missing else (
        f"Blank where it cannot be told, a ratio over nothing for one: {', '.join(missing)}.",)
    return Noted(pd.DataFrame(columns), notes=notes)


def _title(name: str) -> str:
    return f"{name} (series)" if name == "Statistic" else name


def _deviation(values: np.ndarray) -> float:
    return 0.0 if still(values) else float(values.std(ddof=1))


def _shaped(series: Series, least: int) -> bool:
    return len(series.values) >= max(least, 4) and not still(series.values)


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0 else nan
