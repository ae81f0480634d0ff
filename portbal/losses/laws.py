"""VaR and CVaR that need no fit: of the observations, and of a few moments.

A loss is positive. ``level`` 0.95 looks at the worst 5%.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, pi, sqrt
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()
# of a number near one
_LAST_DIGIT = 2.3e-16
# of a position in the sorted values
_ROUNDING = 1e-9
# relative to the largest: what rounding leaves of returns that are all the same; and what has no
# square above zero
_ALIKE, _NO_SQUARE = 1e-14, 1e-150
# deviations from the mean within which a quantile function has to rise
_LOOKED_AT = 3.0
# alpha and beta of the continuous quantile types (Hyndman and Fan 1996, table 1)
_PLOTTING = {4: (0.0, 1.0), 5: (0.5, 0.5), 6: (0.0, 0.0), 7: (1.0, 1.0), 8: (1 / 3, 1 / 3),
             9: (0.375, 0.375)}


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
        mean = float(values.sum()) / len(values)
        centred = values - mean
        squares = centred * centred
        variance = float(squares.sum()) / len(values)
        if np.ptp(values) == 0 or variance == 0:
            return cls(mean, 0.0)
        deviation = sqrt(variance)
        z, z2 = centred / deviation, squares / variance
        return cls(
            mean, deviation, float(z @ z2) / len(values), float(z2 @ z2) / len(values) - 3
        )

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


def share_of(level: float) -> float:
    """1 - level without what rounding adds to it, so that 95% of 200 leaves exactly 10."""
    share = 1 - level
    plain = round(share, 12)
    return plain if abs(plain - share) <= _LAST_DIGIT else share


def worst(ordered: np.ndarray, share: float) -> tuple[int, float]:
    """How many of the sorted values (T,) lie wholly in the worst share, and how much of the next
    one does; at most all of them."""
    m = min(share * len(ordered), float(len(ordered)))
    k = floor(m + _ROUNDING)
    return k, max(m - k, 0.0)


def historical(
    values: np.ndarray, level: float, *, beyond: bool = False, kind: int = 7
) -> Tail:
    """Of the values (T,) themselves.

    VaR is the quantile of type ``kind``, 1 to 9 (Hyndman and Fan 1996, The American Statistician
    50): 7 as spreadsheets and R have it, 1 as Riskfolio-Lib; 0 is the lower quantile of losses, as
    skfolio has it, which differs from 1 where (1 - level) T is whole. CVaR, with
    m = (1 - level) T and k = floor(m), is (the sum of the k worst + (m - k) times the next) / m
    (Rockafellar and Uryasev 2002, proposition 8); with ``beyond`` it is the plain mean of the
    values at or below the type-7 quantile, as R's PerformanceAnalytics has it.
    """
    return of_sorted(np.sort(values), level, beyond=beyond, kind=kind)


def of_sorted(
    ordered: np.ndarray, level: float, *, beyond: bool = False, kind: int = 7
) -> Tail:
    """`historical` of values that already rise."""
    share = share_of(level)
    quantile = _quantile(ordered, share, kind)
    k, part = worst(ordered, share)
    m = share * len(ordered)
    notes = () if m >= 1 - _ROUNDING else (
        f"{len(ordered)} observations have less than one in the worst {share:.4g}; the CVaR "
        "is the worst of them.",
    )
    if beyond:
        at = ordered[floor(share * (len(ordered) - 1) + _ROUNDING)]
        return Tail(-quantile, -float(ordered[: np.searchsorted(ordered, at, "right")].mean()),
                    notes)
    following = part * ordered[k] if k < len(ordered) else 0.0
    return Tail(0.0 - quantile, 0.0 - float(ordered[:k].sum() + following) / m, notes)


def still(values: np.ndarray, beside: float | None = None) -> bool:
    """Are the values all the same, but for rounding that is relative to the largest of them, or
    to ``beside`` where they are the difference of larger ones?"""
    largest = float(np.abs(values).max()) if beside is None else beside
    return bool(np.ptp(values) <= max(_ALIKE * largest, _NO_SQUARE))


def quantile_places(count: int, share: float, kind: int = 7) -> tuple[int, int, float]:
    """The two places in ``count`` sorted values between which the quantile lies, and how far it
    is from the first to the second."""
    if kind <= 3:
        position = share * count - (0.5 if kind == 3 else 0.0)
        below = floor(position + _ROUNDING)
        exact = abs(position - below) <= _ROUNDING
        part = {0: 1.0, 1: 0.0, 2: 0.5, 3: float(below % 2)}[kind] if exact else 1.0
    else:
        a, b = _PLOTTING[kind]
        position = a + share * (count + 1 - a - b)
        below = floor(position + _ROUNDING)
        part = max(position - below, 0.0)
    last = count - 1
    return min(max(below - 1, 0), last), min(max(below, 0), last), part


def _quantile(ordered: np.ndarray, share: float, kind: int) -> float:
    first, second, part = quantile_places(len(ordered), share, kind)
    return float(ordered[first] + part * (ordered[second] - ordered[first]))


def normal(moments: Moments, level: float) -> Tail:
    """Of a normal distribution: VaR = -mean - z s and CVaR = -mean + s phi(z) / (1 - level),
    with z the quantile at 1 - level (Rockafellar and Uryasev 2000)."""
    z = -_NORMAL.inv_cdf(level)
    return Tail(
        -moments.mean - moments.deviation * z,
        -moments.mean + moments.deviation * density(z) / (1 - level),
    )


def cornish_fisher(moments: Moments, level: float) -> Tail:
    """Modified VaR and the operational modified CVaR of Boudt, Peterson and Croux (2008),
    Journal of Risk 11(2), as R's PerformanceAnalytics computes them.

    A note says when skewness and excess kurtosis are so far from normal that the expansion
    falls somewhere within three deviations of the mean or up to the level (Maillard 2012, A
    user's guide to the Cornish Fisher expansion).
    """
    s, k = moments.skewness, moments.excess_kurtosis
    z = -_NORMAL.inv_cdf(level)
    h = expansion(z, s, k)
    expected = -density(h) / (1 - level) * (
        1 + h**3 * s / 6 + (h**4 - 2 * h**2 - 1) * k / 24
        + (h**6 - 9 * h**4 + 9 * h**2 + 3) * s**2 / 72
    )
    notes = () if rises(s, k, max(_LOOKED_AT, abs(z))) else (
        f"Skewness {s:.3g} and excess kurtosis {k:.3g} are too far from normal for the "
        "Cornish-Fisher expansion; compare with historical.",
    )
    return Tail(
        -moments.mean - moments.deviation * h,
        -moments.mean - moments.deviation * min(expected, h),
        notes,
    )


def expansion(z: float, s: float, k: float) -> float:
    """The Cornish-Fisher quantile for the normal quantile z, skewness s, excess kurtosis k."""
    return z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36


def density(z: float) -> float:
    """Of the standard normal distribution."""
    return exp(-z * z / 2) / sqrt(2 * pi)


def rises(s: float, k: float, within: float) -> bool:
    """Does the expansion rise with z from -within to within? Its derivative is
    a z^2 + b z + c. Far out this is the domain of Maillard (2012)."""
    a, b, c = k / 8 - s**2 / 6, s / 3, 1 - k / 8 + 5 * s**2 / 36
    lowest = a * within**2 - abs(b) * within + c
    if a > 0 and abs(b) <= 2 * a * within:
        lowest = c - b**2 / (4 * a)
    return lowest >= 0
