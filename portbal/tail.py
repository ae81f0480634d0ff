"""How bad the bad outcomes are: VaR and CVaR, positive for a loss.

``level`` 0.95 looks at the worst 5%. Figures are per return period, or over ``horizon`` periods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, floor, pi, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd

from portbal import choices, labels, tables
from portbal.errors import InputError
from portbal.result import Noted

_NORMAL = NormalDist()
# of a position in the sorted values
_ROUNDING = 1e-9
# deviations from the mean within which a quantile function has to rise
_LOOKED_AT = 3.0


@dataclass(frozen=True)
class Tail:
    """var: the loss that is exceeded with probability 1 - level; cvar: the mean loss of the
    worst share 1 - level of outcomes."""

    var: float
    cvar: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moments:
    """Mean, standard deviation, skewness and excess kurtosis of returns."""

    mean: float
    deviation: float
    skewness: float = 0.0
    excess_kurtosis: float = 0.0

    @classmethod
    def population(cls, values: np.ndarray) -> Moments:
        """Of the values (T,) as they are, divisor T."""
        mean, deviation = float(values.mean()), float(values.std())
        if np.ptp(values) == 0 or deviation == 0:
            return cls(mean, 0.0)
        z = (values - mean) / deviation
        return cls(mean, deviation, float((z**3).mean()), float((z**4).mean()) - 3)

    @classmethod
    def sample(cls, values: np.ndarray) -> Moments:
        """Estimates as STDEV.S, SKEW and KURT of a spreadsheet, of at least four values (T,);
        with fewer, skewness and excess kurtosis are 0."""
        n, plain = len(values), cls.population(values)
        deviation = plain.deviation * sqrt(n / (n - 1))
        if n < 4:
            return cls(plain.mean, deviation)
        skewness = plain.skewness * sqrt(n * (n - 1)) / (n - 2)
        kurtosis = ((n + 1) * plain.excess_kurtosis + 6) * (n - 1) / ((n - 2) * (n - 3))
        return cls(plain.mean, deviation, skewness, kurtosis if plain.deviation else 0.0)

    def over(self, horizon: int) -> Moments:
        """Of the sum of so many independent returns: mean times h, deviation times sqrt(h),
        skewness by sqrt(h), excess kurtosis by h."""
        return Moments(
            self.mean * horizon, self.deviation * sqrt(horizon),
            self.skewness / sqrt(horizon), self.excess_kurtosis / horizon,
        )


def historical(values: np.ndarray, level: float, *, beyond: bool = False) -> Tail:
    """Of the values (T,) themselves.

    VaR is the type-7 quantile (Hyndman and Fan 1996). CVaR, with m = (1 - level) T and
    k = floor(m), is (the sum of the k worst + (m - k) times the next) / m (Rockafellar and
    Uryasev 2002, proposition 8); with ``beyond`` it is the plain mean of the values at or below
    the quantile, as R's PerformanceAnalytics has it.
    """
    ordered = np.sort(values)
    quantile = float(np.quantile(ordered, 1 - level))
    m = (1 - level) * len(ordered)
    notes = () if m >= 1 else (
        f"{len(ordered)} observations have less than one in the worst {1 - level:.4g}; the CVaR "
        "is the worst of them.",
    )
    if beyond:
        at = ordered[floor((1 - level) * (len(ordered) - 1) + _ROUNDING)]
        return Tail(-quantile, -float(ordered[ordered <= at].mean()), notes)
    k = min(floor(m), len(ordered) - 1)
    worst = float(ordered[:k].sum() + (m - k) * ordered[k]) / m
    return Tail(-quantile, -worst, notes)


def normal(moments: Moments, level: float) -> Tail:
    """Of a normal distribution: VaR = -mean - z s and CVaR = -mean + s phi(z) / (1 - level),
    with z the quantile at 1 - level (Rockafellar and Uryasev 2000)."""
    z = _NORMAL.inv_cdf(1 - level)
    return Tail(
        -moments.mean - moments.deviation * z,
        -moments.mean + moments.deviation * _density(z) / (1 - level),
    )


def cornish_fisher(moments: Moments, level: float) -> Tail:
    """Modified VaR and the operational modified CVaR of Boudt, Peterson and Croux (2008),
    Journal of Risk 11(2), as R's PerformanceAnalytics computes them.

    A note says when skewness and excess kurtosis are so far from normal that the expansion
    falls somewhere within three deviations of the mean or up to the level (Maillard 2012).
    """
    s, k = moments.skewness, moments.excess_kurtosis
    z = _NORMAL.inv_cdf(1 - level)
    h = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    expected = -_density(h) / (1 - level) * (
        1 + h**3 * s / 6 + (h**4 - 2 * h**2 - 1) * k / 24
        + (h**6 - 9 * h**4 + 9 * h**2 + 3) * s**2 / 72
    )
    notes = () if _rises(s, k, max(_LOOKED_AT, abs(z))) else (
        f"Skewness {s:.3g} and excess kurtosis {k:.3g} are too far from normal for the "
        "Cornish-Fisher expansion; compare with historical.",
    )
    return Tail(
        -moments.mean - moments.deviation * h,
        -moments.mean - moments.deviation * min(expected, h),
        notes,
    )


def _density(z: float) -> float:
    return exp(-z * z / 2) / sqrt(2 * pi)


def _rises(s: float, k: float, within: float) -> bool:
    """Does the expansion rise with z from -within to within? Its derivative is
    a z^2 + b z + c."""
    a, b, c = k / 8 - s**2 / 6, s / 3, 1 - k / 8 + 5 * s**2 / 36
    lowest = a * within**2 - abs(b) * within + c
    if a > 0 and abs(b) <= 2 * a * within:
        lowest = c - b**2 / (4 * a)
    return lowest >= 0


# --- by name, from a table of returns ------------------------------------------------------

@dataclass(frozen=True)
class Method:
    """run(returns (T,), level, horizon, chosen options); needs: the fewest returns."""

    run: Callable[[np.ndarray, float, int, Mapping[str, str]], Tail]
    options: choices.Words
    needs: int


_MOMENTS = {"sample": Moments.sample, "population": Moments.population}


def _historical(
    values: np.ndarray, level: float, horizon: int, chosen: Mapping[str, str]
) -> Tail:
    outcomes = _compounded(values, horizon) if horizon > 1 else values
    return historical(outcomes, level, beyond=chosen["tail"] == "beyond")


def _normal(values: np.ndarray, level: float, horizon: int, chosen: Mapping[str, str]) -> Tail:
    return normal(_MOMENTS[chosen["moments"]](values).over(horizon), level)


def _cornish_fisher(
    values: np.ndarray, level: float, horizon: int, chosen: Mapping[str, str]
) -> Tail:
    return cornish_fisher(_MOMENTS[chosen["moments"]](values).over(horizon), level)


METHODS: Mapping[str, Method] = {
    "historical": Method(_historical, {"tail": ("fraction", "beyond")}, 1),
    "normal": Method(_normal, {"moments": ("sample", "population")}, 2),
    "cornish-fisher": Method(_cornish_fisher, {"moments": ("population", "sample")}, 4),
}


def var(
    returns: pd.DataFrame,
    weights: pd.Series | None = None,
    level: float = 0.95,
    method: str = "historical",
    horizon: int = 1,
    options: Mapping[str, object] | None = None,
) -> Noted[float]:
    """The loss that is exceeded with probability 1 - level, a fraction.

    returns  simple, shape (T, n), without blanks; one column where there are no weights
    weights  by asset, any sum, held constant through all periods; an absent name is 0
    level    between 0 and 1
    method   a name in METHODS: historical (of overlapping compounded returns when the horizon
             is longer than one period), normal, cornish-fisher (population moments)
    horizon  in return periods
    options  moments = sample or population (normal, cornish-fisher);
             tail = fraction or beyond (historical, see `historical`)

    InputError for unknown names, methods and options, and for too few returns.
    """
    tail = of_table(returns, weights, level, method, horizon, options)
    return Noted(tail.var, notes=tail.notes)


def cvar(
    returns: pd.DataFrame,
    weights: pd.Series | None = None,
    level: float = 0.95,
    method: str = "historical",
    horizon: int = 1,
    options: Mapping[str, object] | None = None,
) -> Noted[float]:
    """The mean loss of the worst share 1 - level of outcomes; arguments and errors as `var`."""
    tail = of_table(returns, weights, level, method, horizon, options)
    return Noted(tail.cvar, notes=tail.notes)


def of_table(
    returns: pd.DataFrame, weights: pd.Series | None, level: float, method: str, horizon: int,
    options: Mapping[str, object] | None,
) -> Tail:
    """VaR and CVaR together; arguments and errors as `var`."""
    if not 0 < 1 - level < 1:
        raise InputError(
            f"the level {level:g} is not between 0 and 1",
            fix="Use a fraction such as 0.95 or 95%.", argument="level",
        )
    if horizon < 1:
        raise InputError(
            f"a horizon of {horizon} periods is not possible", fix="Use a whole number from 1 up.",
            argument="horizon",
        )
    entry = choices.one_of(method, METHODS, argument="method")
    chosen = choices.options(options, entry.options)
    values = portfolio(returns, weights)
    if len(values) < entry.needs:
        raise InputError(
            f"there are {len(values)} returns, and {method} needs at least {entry.needs}",
            fix="Give more rows.", argument="returns",
        )
    return entry.run(values, level, horizon, chosen)


def portfolio(returns: pd.DataFrame, weights: pd.Series | None) -> np.ndarray:
    """Returns (T,) of the weights, or of the only column. InputError as `var`."""
    values = tables.complete(returns, argument="returns")
    if weights is not None:
        w = labels.filled(weights, returns.columns, argument="weights", reference="returns")
        return values @ w.to_numpy()
    if values.shape[1] > 1:
        raise InputError(
            f"returns has {values.shape[1]} columns, and there are no weights",
            fix="Give weights, or one column of returns.", argument="weights",
        )
    return values[:, 0]


def _compounded(values: np.ndarray, horizon: int) -> np.ndarray:
    """Overlapping compounded returns over so many periods, shape (T - horizon + 1,)."""
    if len(values) < horizon:
        raise InputError(
            f"a horizon of {horizon} periods is longer than the {len(values)} returns",
            fix="Give more rows, or use a shorter horizon.", argument="horizon",
        )
    if values.min() <= -1:
        raise InputError(
            f"the portfolio loses {-values.min():.2%} in one period, after which nothing is left "
            "to compound",
            fix="Use a horizon of 1, or correct the weights.", argument="horizon",
        )
    windows = np.lib.stride_tricks.sliding_window_view(np.log1p(values), horizon)
    return np.expm1(windows.sum(axis=1))
