"""VaR and CVaR of a Student distribution fitted by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi, sqrt

import numpy as np

from portbal.errors import NotAvailable
from portbal.losses.laws import Moments, Tail, normal, share_of

# degrees of freedom: fewer leave no likelihood to speak of, more are a normal distribution
_FEWEST, _MOST = 0.1, 1e4
# a gain in log-likelihood per observation from which one more step is exact to rounding
_CLOSE = 1e-10
_MOST_STEPS = 200
# deviations: a scale below it means that most returns are the same
_COLLAPSED = 1e-7


@dataclass(frozen=True)
class Student:
    """location + scale times a Student variable; freedom is infinite for a normal one."""

    location: float
    scale: float
    freedom: float

    def tail(self, level: float, horizon: int = 1) -> Tail:
        """VaR = -m h - s sqrt(h) q and CVaR = -m h + s sqrt(h) f(q) (nu + q^2) / ((nu - 1)
        (1 - level)), with q the quantile at 1 - level (McNeil, Frey and Embrechts 2015,
        Quantitative Risk Management, example 2.15).

        NotAvailable for one degree of freedom and fewer, when the mean beyond VaR is infinite.
        """
        centre, spread = self.location * horizon, self.scale * sqrt(horizon)
        if self.freedom > _MOST:
            plain = normal(Moments(centre, spread), level)
            return Tail(plain.var, plain.cvar, (
                "The returns have no fatter tails than a normal distribution, which is fitted.",))
        if self.freedom <= 1:
            raise NotAvailable(
                f"the fitted Student distribution has {self.freedom:.3g} degrees of freedom, and "
                "the mean loss beyond VaR is infinite", fix="Use historical.", argument="returns",
            )
        from scipy.special import gammaln, stdtrit

        nu, share = self.freedom, share_of(level)
        q = float(stdtrit(nu, share))
        height = exp(gammaln((nu + 1) / 2) - gammaln(nu / 2)) / sqrt(nu * pi)
        f = height * (1 + q * q / nu) ** (-(nu + 1) / 2)
        return Tail(
            -centre - spread * q,
            -centre + spread * f * (nu + q * q) / ((nu - 1) * share),
            (f"The fitted Student distribution has {nu:.3g} degrees of freedom.",),
        )


def fit(values: np.ndarray) -> Student:
    """The Student distribution of greatest likelihood for returns (T,), at least four.

    Newton's method on location, log scale and log degrees of freedom, from moments, with steps
    halved until the likelihood rises. Beyond 10,000 degrees of freedom the answer is the normal
    distribution of greatest likelihood. NotAvailable when most returns are the same, which makes
    the likelihood infinite.
    """
    plain = Moments.population(values)
    x = (values - plain.mean) / plain.deviation
    freedom = 4 + 6 / plain.excess_kurtosis if plain.excess_kurtosis > 0.1 else 50.0
    freedom = min(max(freedom, 3.0), 50.0)
    at = np.array([float(np.median(x)), 0.5 * log((freedom - 2) / freedom), log(freedom)])
    low = np.array([-np.inf, log(_COLLAPSED), log(_FEWEST)])
    high = np.array([np.inf, np.inf, log(_MOST)])
    value, gradient, hessian = _likelihood(x, at)
    for _ in range(_MOST_STEPS):
        free = ~(((at <= low) & (gradient < 0)) | ((at >= high) & (gradient > 0)))
        step = np.zeros(3)
        step[free] = _uphill(hessian[np.ix_(free, free)], gradient[free])
        expected = float(gradient @ step)
        if expected <= _CLOSE:
            at = np.clip(at + step, low, high)
            break
        following = _raised(x, at, np.clip(step, -2, 2), value, low, high)
        if following is None:
            break
        at, value, gradient, hessian = following
    if at[1] <= low[1] or at[2] <= low[2]:
        raise NotAvailable(
            "so many returns are alike that no Student distribution fits best",
            fix="Use historical, or leave out prices that stand still.", argument="returns",
        )
    if at[2] >= high[2]:
        return Student(plain.mean, plain.deviation, np.inf)
    return Student(
        plain.mean + plain.deviation * float(at[0]), plain.deviation * exp(at[1]), exp(at[2])
    )


def _uphill(hessian: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Newton's step, with the curvature made negative where it is not."""
    eigenvalues, vectors = np.linalg.eigh(hessian)
    curvature = np.maximum(np.abs(eigenvalues), 1e-10)
    return vectors @ ((vectors.T @ gradient) / curvature)


_State = tuple[np.ndarray, float, np.ndarray, np.ndarray]


def _raised(
    x: np.ndarray, at: np.ndarray, step: np.ndarray, value: float, low: np.ndarray,
    high: np.ndarray,
) -> _State | None:
    """The point on the way where the likelihood is higher, or None when there is none."""
    for _ in range(40):
        there = np.clip(at + step, low, high)
        found = _likelihood(x, there)
        if found[0] > value:
            return there, *found
        step = step / 2
    return None


def _likelihood(x: np.ndarray, at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Mean log-likelihood, gradient and Hessian at location, log scale, log freedom."""
    from scipy.special import gammaln, psi, zeta

    location, scale, nu = float(at[0]), exp(at[1]), exp(at[2])
    n, more = len(x), nu + 1
    d = (x - location) / scale
    d2 = d * d
    w = 1 / (nu + d2)
    q = d2 * w
    logs = float(np.log1p(d2 / nu).sum()) / n
    dw = d * w
    mean_q, mean_dw, mean_w = float(q.sum()) / n, float(dw.sum()) / n, float(w.sum()) / n
    mean_qw, mean_dww = float(q @ w) / n, float(dw @ w) / n
    value = float(gammaln(more / 2) - gammaln(nu / 2)) - 0.5 * log(nu * pi) - at[1] \
        - more / 2 * logs
    by_nu = 0.5 * (float(psi(more / 2) - psi(nu / 2)) - 1 / nu - logs + more / nu * mean_q)
    gradient = np.array([more * mean_dw / scale, more * mean_q - 1, nu * by_nu])
    mm = more / scale**2 * (2 * mean_qw - mean_w)
    ml = -2 * more * nu * mean_dww / scale
    ll = -2 * more * nu * mean_qw
    mn = (mean_dw - more * mean_dww) / scale
    ln = mean_q - more * mean_qw
    nn = (
        float(zeta(2, more / 2) - zeta(2, nu / 2)) / 4 + 1 / (2 * nu**2)
        + mean_q / (2 * nu) * (1 - 1 / nu) - (1 + 1 / nu) / 2 * mean_qw
    )
    hessian = np.array([
        [mm, ml, nu * mn], [ml, ll, nu * ln], [nu * mn, nu * ln, nu * by_nu + nu**2 * nn],
    ])
    return float(value), gradient, hessian
