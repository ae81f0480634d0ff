"""Filtered historical simulation: past surprises at the volatility of the next period.

Each return is divided by the volatility that a GARCH(1,1) or an exponentially weighted average
expected for it; what is left, times the volatility expected next, are the outcomes
(Barone-Adesi, Giannopoulos and Vosper 1999, Journal of Futures Markets 19; Hull and White 1998,
Journal of Risk 1). One period ahead only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import log, pi

import numpy as np

from portbal.errors import NotAvailable

# a p value above which squared returns count as uncorrelated, and the likelihood ratio of the same
# p value, of two parameters against none, up to which no start is better than a constant variance
_NO_CLUSTERING = 0.05
_NO_BETTER = 5.99
# mean, omega, p = alpha + beta, alpha / p; of returns with mean 0 and variance 1
_BOUNDS = (np.array([-np.inf, 1e-7, 0.0, 0.0]), np.array([np.inf, np.inf, 0.9999, 1.0]))
# twice it is a likelihood ratio against constant variance that leaves no doubt
_CLEAR = 30.0
_FIRST, _CLIMBS = 4, 4
# the mean log-likelihood of a constant variance
_CONSTANT = -0.5 * (log(2 * pi) + 1)
# a gain in log-likelihood per observation from which one more step is exact to rounding
_CLOSE = 1e-10
_MOST_STEPS = 200
# alpha + beta, and alpha as a share of it, to start from
_STARTS = (
    (0.98, 0.05), (0.95, 0.1), (0.9, 0.3), (0.7, 0.2), (0.3, 0.5), (0.1, 0.9), (0.995, 0.005),
    (0.9, 0.01), (0.999, 0.0),
)


@dataclass(frozen=True)
class Filter:
    """outcomes: what past surprises are at the next period's volatility, shape (T,);
    next, average: volatility of the next period and over all; words: how it was modelled."""

    outcomes: np.ndarray
    next: float
    average: float
    words: str

    @property
    def note(self) -> str:
        return (
            f"The volatility expected next period is {self.next:.4g}, on average it was "
            f"{self.average:.4g} ({self.words})."
        )


@dataclass(frozen=True)
class Garch:
    """h(t) = omega + alpha e(t-1)^2 + beta h(t-1), e = return - mean, in units of returns;
    loglikelihood of all returns; variances: h(1) to h(T+1), shape (T + 1,)."""

    mean: float
    omega: float
    alpha: float
    beta: float
    loglikelihood: float
    variances: np.ndarray


def by_ewma(values: np.ndarray, decay: float) -> Filter:
    """Volatility by an exponentially weighted average of squared returns about zero
    (RiskMetrics 1996), from the mean square of all."""
    squares = values * values
    start = float(squares.mean())
    inputs = np.concatenate([[start], (1 - decay) * squares])
    variances = _recursion(len(inputs), decay)(inputs)
    return _scaled(values, 0.0, variances, f"exponentially weighted with decay {decay:g}")


def by_garch(values: np.ndarray) -> Filter:
    """Volatility by a GARCH(1,1) of greatest normal likelihood; see `garch`.

    Where squared returns show no correlation over ten lags at 5% (McLeod and Li 1983, Journal of
    Time Series Analysis 4), which one outlier can hide, and no start of the fit is better at 5%
    than a constant variance either, the volatility is constant: there is nothing to fit.
    """
    chance = clustering(values)
    if chance > _NO_CLUSTERING and start_ratio(values) <= _NO_BETTER:
        average = float(values.std())
        return Filter(
            values, average, average,
            f"constant, for large returns do not cluster, p = {chance:.2g}",
        )
    found = garch(values)
    return _scaled(
        values, found.mean, found.variances,
        f"GARCH with alpha {found.alpha:.3g} and beta {found.beta:.3g}",
    )


def clustering(values: np.ndarray, lags: int = 10) -> float:
    """The p value of McLeod and Li's test that squares of returns (T,) about their mean are
    not correlated over so many lags: T (T + 2) times the sum of r(k)^2 / (T - k)."""
    from scipy.special import chdtrc

    count = len(values)
    squares = (values - values.mean()) ** 2
    squares -= squares.mean()
    total = float(squares @ squares)
    if total == 0:
        return 1.0
    statistic = sum(
        (float(squares[k:] @ squares[:-k]) / total) ** 2 / (count - k) for k in range(1, lags + 1)
    )
    return float(chdtrc(lags, count * (count + 2) * statistic))


def start_ratio(values: np.ndarray) -> float:
    """Twice the log-likelihood of returns (T,) at the best start of the fit less that of a
    constant variance: at most the likelihood ratio of the fit."""
    x = (values - values.mean()) / values.std()
    best = max(_path(x, np.array([0.0, 1 - p, p, share])).value for p, share in _STARTS)
    return 2 * len(x) * (best - _CONSTANT)


def _scaled(values: np.ndarray, mean: float, variances: np.ndarray, words: str) -> Filter:
    if not variances.min() > 0:
        raise NotAvailable(
            "the returns stand still for so long that no volatility is expected",
            fix="Use historical, or leave out prices that stand still.", argument="returns",
        )
    deviations = np.sqrt(variances)
    outcomes = mean + deviations[-1] * (values - mean) / deviations[:-1]
    return Filter(outcomes, float(deviations[-1]), float(values.std()), words)


def garch(values: np.ndarray) -> Garch:
    """The GARCH(1,1) with constant mean and greatest normal likelihood for returns (T,).

    Before the first return both e^2 and h are the mean of e^2, the convention of the benchmark
    of Fiorentini, Calzolari and Panattoni (1996), Journal of Applied Econometrics 11, whose
    analytic derivatives are used: Newton's method within 0 <= alpha, beta and
    alpha + beta <= 0.9999. Where the likelihood is hardly better than that of a constant
    variance, or the maximum lies at a bound, there may be several, and the best that four more of
    nine starts lead to is taken; one more where alpha + beta is at its bound alone. NotAvailable
    when no maximum is found.
    """
    centre, spread = float(values.mean()), float(values.std())
    x = (values - centre) / spread
    starts = [np.array([0.0, 1 - p, p, share]) for p, share in _STARTS]
    first, *others = sorted(
        (_path(x, start) for start in starts[:_FIRST]), key=lambda path: -path.value)
    best = _climb(x, first)
    more = best.more
    if len(x) * (best.path.value - _CONSTANT) < _CLEAR:
        more = _CLIMBS
    if more:
        others += [_path(x, start) for start in starts[_FIRST:]]
        others.sort(key=lambda path: -path.value)
        best = max([best, *(_climb(x, path) for path in others[:more])],
                   key=lambda top: top.path.value)
    if not best.proven:
        raise NotAvailable(
            "no GARCH model fits the returns best",
            fix="Use the option filter with ewma, or another method.", argument="returns",
        )
    mean, omega, p, share = map(float, best.path.at)
    return Garch(
        centre + spread * mean, omega * spread**2, p * share, p * (1 - share),
        len(x) * (best.path.value - log(spread)), best.path.h * spread**2,
    )


@dataclass(frozen=True)
class _Top:
    """Where a climb ended: proven when no step leads higher; more: from how many other starts
    to climb, by the bounds that it ended at."""

    path: _Path
    proven: bool

    @property
    def more(self) -> int:
        low, high = _BOUNDS
        ended = (self.path.at <= low) | (self.path.at >= high)
        if not ended.any():
            return 0
        return 1 if ended.tolist() == [False, False, True, False] else _CLIMBS


def _climb(x: np.ndarray, path: _Path) -> _Top:
    """The maximum of the likelihood that Newton's method finds from here."""
    low, high = _BOUNDS
    gradient, hessian = _derivatives(path)
    damping = 0.1
    for _ in range(_MOST_STEPS):
        stuck = ((path.at <= low) & (gradient <= 0)) | ((path.at >= high) & (gradient >= 0))
        step = _uphill(hessian, gradient, damping, stuck)
        trial = _path(x, np.minimum(np.maximum(path.at + step, low), high))
        if float(gradient @ step) <= _CLOSE and damping < 1e-3:
            return _Top(trial, True)
        if trial.value > path.value:
            damping = damping / 64 if damping > 1e-4 else 0.0
            path = trial
            gradient, hessian = _derivatives(path)
        elif damping > 1e9:
            return _Top(path, True)
        else:
            damping = max(16 * damping, 0.01)
    return _Top(path, False)


def _uphill(
    hessian: np.ndarray, gradient: np.ndarray, damping: float, stuck: np.ndarray
) -> np.ndarray:
    """Newton's step, shortened by the damping, the curvature made negative where it is not;
    what is stuck at a bound stays."""
    if stuck.any():
        hessian, gradient = hessian.copy(), np.where(stuck, 0.0, gradient)
        hessian[stuck], hessian[:, stuck] = 0.0, 0.0
    scale = 1 / np.sqrt(np.abs(hessian.diagonal()) + 1e-8)
    eigenvalues, vectors = np.linalg.eigh(hessian * scale * scale[:, None])
    curvature = np.maximum(np.abs(eigenvalues), 1e-8) + damping
    return scale * (vectors @ ((vectors.T @ (scale * gradient)) / curvature))


def _recursion(count: int, beta: float) -> Callable[..., np.ndarray]:
    """Solves y(t) = u(t) + beta y(t-1) from y(-1) = 0 for u (count,), as the triangular system
    that it is; backwards in time with trans=1."""
    from scipy.linalg.blas import dtbsv

    band = np.empty((2, count), order="F")
    band[0], band[1] = 1.0, -beta
    return partial(dtbsv, 1, band, lower=1, diag=1)


@dataclass(frozen=True)
class _Path:
    """at: mean, omega, p = alpha + beta, share = alpha / p; value: mean log-likelihood; e (T,);
    squares: e^2 with what lies before the first (T + 1,); h (T + 1,); inverse: 1 / h and
    excess: e^2 / h, without the last (T,)."""

    at: np.ndarray
    value: float
    e: np.ndarray
    squares: np.ndarray
    h: np.ndarray
    inverse: np.ndarray
    excess: np.ndarray


def _path(x: np.ndarray, at: np.ndarray) -> _Path:
    mean, omega, p, share = map(float, at)
    alpha, beta = p * share, p * (1 - share)
    n = len(x)
    e = x - mean
    squares = np.empty(n + 1)
    np.multiply(e, e, out=squares[1:])
    squares[0] = float(e @ e) / n
    inputs = omega + alpha * squares
    inputs[0] += beta * squares[0]
    h = _recursion(n + 1, beta)(inputs)
    inverse = 1 / h[:-1]
    excess = squares[1:] * inverse
    value = -0.5 * (log(2 * pi) + float(np.log(h[:-1]).sum() + excess.sum()) / n)
    return _Path(at, value, e, squares, h, inverse, excess)


def _derivatives(path: _Path) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and Hessian of the mean log-likelihood, by the recursions of Fiorentini, Calzolari
    and Panattoni."""
    _, _, p, share = map(float, path.at)
    alpha, beta = p * share, p * (1 - share)
    e, squares, inverse, excess = path.e, path.squares, path.inverse, path.excess
    n = len(e)
    solve = _recursion(n, beta)
    # dh by mean, omega, alpha, beta; what lies before the first return depends on the mean
    first = np.zeros((4, n + 1))
    first[0, 0] = before = -2 * float(e.sum()) / n
    inputs = np.empty((4, n))
    inputs[0, 0], inputs[1] = alpha * before, 1.0
    np.multiply(e[:-1], -2 * alpha, out=inputs[0, 1:])
    inputs[2], inputs[3, 0], inputs[3, 1:] = squares[:-1], squares[0], path.h[:-2]
    inputs[:, 0] += beta * first[:, 0]
    for row, given in zip(first, inputs, strict=True):
        row[1:] = solve(given)
    lagged, first = first[:, :-1], first[:, 1:]

    surprise = e * inverse
    by_h = (0.5 * excess - 0.5) * inverse
    gradient = first @ by_h
    gradient[0] += float(surprise.sum())
    hessian = (first * ((0.5 - excess) * inverse * inverse)) @ first.T
    mixed = first @ (surprise * inverse)
    hessian[0] -= mixed
    hessian[:, 0] -= mixed
    hessian[0, 0] -= float(inverse.sum())
    # the sums of by_h times the second derivatives of h, by the recursion run backwards
    weight = solve(by_h, trans=1)
    hessian[0, 0] += 2 * alpha * float(weight.sum()) + 2 * beta * weight[0]
    by_beta = lagged @ weight
    hessian[3] += by_beta
    hessian[:, 3] += by_beta
    by_alpha = before * weight[0] - 2 * float(e[:-1] @ weight[1:])
    hessian[0, 2] += by_alpha
    hessian[2, 0] += by_alpha
    # alpha = p share, beta = p (1 - share)
    turn = np.zeros((4, 4))
    turn[0, 0] = turn[1, 1] = 1.0
    turn[2, 2:] = share, p
    turn[3, 2:] = 1 - share, -p
    twisted = turn.T @ hessian @ turn
    twisted[2, 3] += gradient[2] - gradient[3]
    twisted[3, 2] += gradient[2] - gradient[3]
    return turn.T @ gradient / n, twisted / n
