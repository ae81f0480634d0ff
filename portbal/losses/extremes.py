"""VaR and CVaR of a generalised Pareto distribution of the losses beyond a threshold.

Peaks over threshold (McNeil and Frey 2000, Journal of Empirical Finance 7; McNeil, Frey and
Embrechts 2015, Quantitative Risk Management, section 5.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from portbal.errors import InputError, NotAvailable
from portbal.losses.laws import Tail, share_of

FEWEST_BEYOND = 10
# the share of returns beyond the threshold where it is not given: McNeil and Frey's tenth, or
# half as much again as the share looked at where that is more
_USUAL, _WIDER, _WIDEST = 0.1, 1.5, 0.3
# below this shape the likelihood has no regular maximum (Smith 1985, Biometrika 72)
_LOWEST_SHAPE = -0.5
_LARGEST_RATE = 1e3
_GRID = 24
# a gain in log-likelihood per observation from which one more step is exact to rounding
_CLOSE = 1e-10
_MOST_STEPS = 100
_EXPONENTIAL = 1e-6


@dataclass(frozen=True)
class Pareto:
    """Losses beyond the threshold: shape xi, scale beta; beyond of count returns exceed it."""

    threshold: float
    shape: float
    scale: float
    beyond: int
    count: int

    def tail(self, share: float) -> Tail:
        """VaR = u + beta/xi ((n share / N)^-xi - 1), CVaR = (VaR + beta - xi u) / (1 - xi)
        (McNeil, Frey and Embrechts 2015, equations 5.18 and 5.19)."""
        ratio = self.beyond / (self.count * share)
        xi = self.shape
        stretch = log(ratio) if abs(xi) < _EXPONENTIAL else (ratio**xi - 1) / xi
        var = self.threshold + self.scale * stretch
        return Tail(var, (var + self.scale - xi * self.threshold) / (1 - xi), (self.note,))

    @property
    def note(self) -> str:
        error = (1 + self.shape) / sqrt(self.beyond)
        return (
            f"The threshold is a loss of {self.threshold:.4g}, which {self.beyond} of "
            f"{self.count} returns exceed; the tail has shape {self.shape:.3g} (standard error "
            f"{error:.2g}) and scale {self.scale:.3g}."
        )


def tails(values: np.ndarray, tenth: float | None) -> Callable[[float], Tail]:
    """From a level to VaR and CVaR of returns (T,).

    tenth   the share of returns beyond the threshold; None for a tenth, or half as much again
            as 1 - level where that is more, at most 30%

    InputError for a level that the threshold does not reach and for fewer than ten returns beyond
    it; NotAvailable for a shape of 1 and more, when the mean beyond VaR is infinite.
    """
    fitted: dict[float, Pareto] = {}
    ordered = np.sort(values)

    def at(level: float) -> Tail:
        share = share_of(level)
        beyond = min(max(_USUAL, _WIDER * share), _WIDEST) if tenth is None else tenth
        if beyond not in fitted:
            fitted[beyond] = over(ordered, beyond)
        found = fitted[beyond]
        if share * found.count > found.beyond:
            raise InputError(
                f"the level {level:g} lies within the threshold, which "
                f"{found.beyond / found.count:.3g} of the returns exceed",
                fix="Use a higher level, a larger option threshold, or historical.",
                argument="level",
            )
        return found.tail(share)

    return at


def over(ordered: np.ndarray, share: float) -> Pareto:
    """The tail of sorted returns (T,) beyond the threshold that this share exceeds."""
    count = len(ordered)
    place = int(share * count + 1e-9)
    threshold = -float(ordered[min(place, count - 1)])
    peaks = -ordered[:place] - threshold
    peaks = peaks[peaks > 0]
    if len(peaks) < FEWEST_BEYOND:
        raise InputError(
            f"only {len(peaks)} of {count} returns lie beyond the threshold, and evt needs "
            f"{FEWEST_BEYOND}", fix="Give more rows, or a larger option threshold.",
            argument="returns",
        )
    shape, scale = fit(peaks)
    if shape >= 1:
        raise NotAvailable(
            f"the tail has shape {shape:.3g}, and the mean loss beyond VaR is infinite",
            fix="Use historical.", argument="returns",
        )
    return Pareto(threshold, shape, scale, len(peaks), count)


def fit(peaks: np.ndarray) -> tuple[float, float]:
    """Shape and scale of greatest likelihood for excesses (N,) above zero.

    The likelihood depends on theta = shape / scale alone once the shape is the mean of
    log(1 + theta y) (Grimshaw 1993, Technometrics 35): a grid over theta, then Newton's method.
    The shape stays at or above -0.5, below which there is no regular maximum; there the scale is
    the best one for that shape.
    """
    unit = float(peaks.sum()) / len(peaks)
    y = peaks / unit
    edge = -1 / float(y.max())
    low = _lowest(y, edge)
    grid = np.concatenate([
        np.linspace(low, 0, _GRID // 2, endpoint=False), np.geomspace(0.01, _LARGEST_RATE, _GRID),
    ])
    logs = np.log1p(np.outer(grid, y)).mean(axis=1)
    theta = float(grid[np.argmax(_profile(grid, logs))])
    for _ in range(_MOST_STEPS):
        slope, curvature = _slope(y, theta)
        if theta <= low and slope <= 0:
            return _LOWEST_SHAPE, unit * _lowest_scale(y)
        step = slope / max(abs(curvature), 1e-12)
        if abs(step * slope) <= _CLOSE:
            theta = min(max(theta + step, low), 2 * _LARGEST_RATE)
            break
        theta = _higher(y, theta, step, low)
    shape = float(np.log1p(theta * y).mean())
    if abs(theta) < _EXPONENTIAL:
        return shape, unit
    return shape, unit * shape / theta


def _profile(theta: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Mean log-likelihood where the shape is best for each theta, given mean log(1 + theta y)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(np.abs(theta) < _EXPONENTIAL, 1.0, logs / theta)
    return -np.log(scale) - logs - 1


def _slope(y: np.ndarray, theta: float) -> tuple[float, float]:
    """First and second derivative of the profile."""
    if abs(theta) < 1e-4:
        # -log(k/t) - k with k = m1 t - m2 t^2/2 + m3 t^3/3 - ..., m(j) the mean of y^j
        m1, m2, m3, m4 = (float((y**j).mean()) for j in (1, 2, 3, 4))
        a, b, c = m2 / (2 * m1), m3 / (3 * m1), m4 / (4 * m1)
        # log(1 - a t + b t^2 - c t^3)
        first, second, third = -a, b - a * a / 2, -c + a * b - a**3 / 3
        slope = -first - 2 * second * theta - 3 * third * theta**2 \
            - (m1 - m2 * theta + m3 * theta**2)
        return slope, -2 * second - 6 * third * theta + m2 - 2 * m3 * theta
    k = float(np.log1p(theta * y).mean())
    weight = y / (1 + theta * y)
    k1, k2 = float(weight.mean()), -float((weight * weight).mean())
    return 1 / theta - k1 / k - k1, -1 / theta**2 - k2 / k + (k1 / k) ** 2 - k2


def _higher(y: np.ndarray, theta: float, step: float, low: float) -> float:
    """The point towards the step where the profile is higher, the same where there is none."""
    value = _profile(np.array([theta]), np.array([np.log1p(theta * y).mean()]))[0]
    for _ in range(40):
        there = min(max(theta + step, low), 2 * _LARGEST_RATE)
        if _profile(np.array([there]), np.array([np.log1p(there * y).mean()]))[0] > value:
            return there
        step /= 2
    return theta


def _lowest(y: np.ndarray, edge: float) -> float:
    """The theta where the shape is -0.5."""
    count = len(y)
    return _crossing(
        lambda theta: float(np.log1p(theta * y).sum()) / count - _LOWEST_SHAPE,
        edge * (1 - 1e-12), 0.0, 25,
    )


def _lowest_scale(y: np.ndarray) -> float:
    """The scale of greatest likelihood at shape -0.5, where the mean of y / (2 scale - y) is 1."""
    largest = float(y.max())
    return _crossing(
        lambda scale: 1 - float((y / (2 * scale - y)).mean()),
        largest / 2 * (1 + 1e-12), largest * (len(y) + 1), 60,
    )


def _crossing(
    rising: Callable[[float], float], low: float, high: float, halvings: int
) -> float:
    """Where a rising function crosses zero between low and high; low when it is not below zero
    there."""
    if rising(low) >= 0:
        return low
    for _ in range(halvings):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return high
