"""Mean and variance under bounds and a budget, exactly: the critical line.

Minimise w'Cw/2 - lam mu'w subject to lower <= w <= upper and sum(w) = budget. As lam
falls from infinity to 0, the optimum goes from the most return to the least variance
along straight lines between turning points, so that finitely many of them hold every
efficient portfolio. Markowitz (1956), The optimization of a quadratic function subject to
linear constraints; Niedermayer and Niedermayer (2010), Applying Markowitz's critical line
algorithm; Bailey and Lopez de Prado (2013), An open-source implementation of the
critical-line algorithm.

"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from portbal.solve import Infeasible, Unbounded
from portbal.solve.active_set import Box, least_variance
from portbal.solve.turning_points import turning_points

_EPS = float(np.finfo(float).eps)
_GUESSES = 12  # most tries of the quick way to the least variance
_NOTHING = 1e-4  # a weight that counts as this much at least when gradients are compared
ACCURACY = 1e-12  # differences of portfolios' returns and volatilities that mean nothing


@dataclass(frozen=True)
class CriticalLine:
    """Every efficient portfolio.

    weights  (K, n) turning points, from the most return to the least volatility
    lam      (K,) falling to 0; beyond lam[0] the first portfolio stays the optimum, or,
             where the bounds leave the return without end, goes on along ``ray``
    ray      (n,) change of the weights per unit of lam beyond lam[0]
    cov, mu  (n, n), (n,) what was asked

    The methods return weights (n,), read-only. Of several portfolios that are equally
    good, it is the one with less variance at the top and more return at the bottom.
    """

    weights: np.ndarray
    lam: np.ndarray
    cov: np.ndarray
    mu: np.ndarray
    ray: np.ndarray | None = None

    @cached_property
    def returns(self) -> np.ndarray:
        """(K,) mu'w at the turning points, falling."""
        return _falling(self.weights @ self.mu)

    @cached_property
    def variances(self) -> np.ndarray:
        """(K,) w'Cw at the turning points, falling."""
        values = np.einsum("kn,kn->k", self.weights @ self.cov, self.weights)
        return _falling(np.maximum(values, 0))

    def min_volatility(self) -> np.ndarray:
        """Least volatility; the most return among those that have it."""
        return _read_only(self.weights[-1])

    def max_return(self) -> np.ndarray:
        """Most return; the least volatility among those that have it. Unbounded."""
        if self.ray is not None:
            raise Unbounded
        return _read_only(self.weights[0])

    def max_utility(self, riskaversion: float) -> np.ndarray:
        """The maximum of mu'w - riskaversion/2 w'Cw; riskaversion is at least 0."""
        if riskaversion == 0:
            return self.max_return()
        return self._at(1 / riskaversion)

    def at_return(self, target: float) -> np.ndarray:
        """Least volatility with mu'w >= target. Infeasible above the most return."""
        returns = self.returns
        if target <= returns[-1]:
            return self.min_volatility()
        if target > returns[0]:
            if self.ray is not None:
                return self._beyond((target - returns[0]) / float(self.mu @ self.ray))
            if target - returns[0] > ACCURACY * float(np.abs(self.weights[0]) @ np.abs(self.mu)):
                raise Infeasible
            return self.max_return()
        below = int(np.searchsorted(-returns, -target))
        part = (target - returns[below]) / (returns[below - 1] - returns[below])
        return self._between(below, part)

    def at_volatility(self, target: float) -> np.ndarray:
        """Most return with volatility <= target. Infeasible below the least volatility."""
        variances, wanted = self.variances, target**2
        sizes = np.abs(self.weights[-1]) + _EPS
        terms = float(np.sqrt(np.abs(np.diag(self.cov))) @ sizes) ** 2
        least = variances[-1] * (1 - 2 * ACCURACY) - _EPS * terms
        if target < 0 or wanted < least:
            raise Infeasible
        if wanted <= variances[-1]:
            return self.min_volatility()
        if wanted >= variances[0]:
            if self.ray is None:
                return self.max_return()
            return self._beyond(self._length(self.weights[0], self.ray, wanted))
        below = int(np.searchsorted(-variances, -wanted))
        line = self.weights[below - 1] - self.weights[below]
        return self._between(below, self._length(self.weights[below], line, wanted))

    def max_sharpe(self, riskfree: float = 0.0) -> np.ndarray:
        """The maximum of excess / volatility, where excess is (mu - riskfree)'w.

        Infeasible when no portfolio has an excess above 0, Unbounded when the ratio
        rises without reaching its bound. A portfolio without risk and with an excess is
        the answer where there is one; among equals the one with the most return.
        """
        excess = self.weights @ (self.mu - riskfree)
        size = np.abs(self.weights[0]) @ np.abs(self.mu - riskfree)
        if self.ray is None and excess[0] <= 1e-15 * size:
            raise Infeasible
        # Below 0 the ratio still rises with lam. Between turning points it is linear,
        # since there dvariance/2 = lam dexcess.
        fall = self.lam * excess - self.variances
        rising = fall <= ACCURACY * self.variances
        if rising[0]:
            if self.ray is None:
                return self.max_return()
            pace = excess[0] - self.lam[0] * float(self.ray @ (self.mu - riskfree))
            if pace <= 0:
                raise Unbounded
            return self._beyond(max(-fall[0] / pace, 0))
        if not rising.any():
            return self.min_volatility()
        below = int(rising.argmax())
        part = -fall[below] / (fall[below - 1] - fall[below])
        return self._between(below, part)

    def frontier(self, points: int) -> np.ndarray:
        """(points, n) weights equally spaced in return, from the least volatility to the
        most return; (1, n) where the two coincide. Unbounded."""
        self.max_return()
        low, high = self.returns[-1], self.returns[0]
        size = float(np.abs(self.weights[[0, -1]]).max(axis=0) @ np.abs(self.mu))
        if high - low <= ACCURACY * size or points == 1:
            return _read_only(self.weights[-1:])
        rows = [self.at_return(target) for target in np.linspace(low, high, points)]
        return _read_only(np.array([self.weights[-1], *rows[1:-1], self.weights[0]]))

    def lam_of(self, weights: np.ndarray) -> float:
        """A lam at which these efficient weights (n,) are the optimum."""
        target = float(self.mu @ weights)
        if self.ray is not None and target > self.returns[0]:
            return float(self.lam[0] + (target - self.returns[0]) / (self.mu @ self.ray))
        return float(np.interp(target, self.returns[::-1], self.lam[::-1]))

    def _at(self, lam: float) -> np.ndarray:
        if lam >= self.lam[0]:
            return self._beyond(lam - self.lam[0])
        below = int(np.searchsorted(-self.lam, -lam))
        part = (lam - self.lam[below]) / (self.lam[below - 1] - self.lam[below])
        return self._between(below, part)

    def _between(self, below: int, part: float) -> np.ndarray:
        """``part`` of the way from the turning point ``below`` to the one before it."""
        part = min(max(part, 0.0), 1.0)
        return _read_only((1 - part) * self.weights[below] + part * self.weights[below - 1])

    def _beyond(self, distance: float) -> np.ndarray:
        first = self.weights[0]
        return _read_only(first if self.ray is None else first + distance * self.ray)

    def _length(self, start: np.ndarray, line: np.ndarray, variance: float) -> float:
        """t >= 0 at which start + t line has the variance; it rises along the line."""
        missing = variance - float(start @ self.cov @ start)
        if missing <= 0:
            return 0.0
        steep, slope = float(line @ self.cov @ line), max(float(line @ self.cov @ start), 0.0)
        return missing / (slope + float(np.sqrt(slope**2 + steep * missing)))


def critical_line(
    cov: np.ndarray, mu: np.ndarray, lower: np.ndarray, upper: np.ndarray, budget: float = 1.0
) -> CriticalLine:
    """All turning points, for cov (n, n) positive semidefinite and mu, lower, upper (n,).

    upper may be +inf; lower may be -inf where cov is positive definite. Infeasible when no
    weights satisfy the bounds and the budget; Unproven when rounding defeats the method.
    """
    box = _box(lower, upper, budget)
    if not box.movable.any():
        lam, weights, ray = np.zeros(1), np.array([box.lower]), None
    else:
        lam, weights, ray = turning_points(cov, mu, box)
    ray = None if ray is None else _read_only(ray)
    return CriticalLine(_read_only(weights), _read_only(lam), cov, mu, ray)


def min_volatility(
    cov: np.ndarray, lower: np.ndarray, upper: np.ndarray, budget: float = 1.0
) -> np.ndarray:
    """Weights (n,) of least variance, read-only; one of them where there are several.

    Bounds and errors as for ``critical_line``.
    """
    box = _box(lower, upper, budget)
    if not box.movable.any():
        return _read_only(box.lower.copy())
    weights = _guessed(cov, lower, upper, budget)
    if weights is None:
        weights = least_variance(cov, box)[1]
    return _read_only(weights)


def optimality(
    cov: np.ndarray, mu: np.ndarray, lam: float, weights: np.ndarray, lower: np.ndarray,
    upper: np.ndarray, budget: float = 1.0,
) -> float:
    """How far weights (n,) are from the minimum of w'Cw/2 - lam mu'w: the larger of

    - the largest violation of a bound or the budget, relative to the largest weight or,
      if that is more, the budget, or the largest bound, taken as 1 at most, and
    - half of what shifting a unit from one asset to another would still gain where the
      bounds leave room, relative to the largest sum of the terms of the gradient, in which
      a weight counts as no less than 1/10,000 of that size.

    0 at an exact optimum, and only there (Karush-Kuhn-Tucker). Room of less than 1e-11 of
    that size counts as none.
    """
    size = max(float(np.abs(weights).max()), Box.of(lower, upper, budget).size)
    size = size or 1.0
    primal = max(
        float((lower - weights).max()), float((weights - upper).max()),
        abs(float(weights.sum()) - budget), 0.0,
    )
    gradient = cov @ weights - lam * mu
    terms = float((np.abs(cov) @ (np.abs(weights) + _NOTHING * size)).max()
                  + lam * np.abs(mu).max())
    near = 1e-11 * size
    takes, gives = weights < upper - near, weights > lower + near
    if not (takes.any() and gives.any()):
        return primal / size
    gain = float(gradient[gives].max() - gradient[takes].min()) / 2
    return max(primal / size, gain / terms if gain > 0 else 0.0)


def _box(lower: np.ndarray, upper: np.ndarray, budget: float) -> Box:
    """Infeasible when it is empty."""
    least, most = float(lower.sum()), float(upper.sum())
    if (
        (lower > upper).any()
        or least - budget > ACCURACY * max(abs(least), abs(budget))
        or budget - most > ACCURACY * max(abs(most), abs(budget))
    ):
        raise Infeasible
    return Box.of(lower, upper, budget)


def _guessed(
    cov: np.ndarray, lower: np.ndarray, upper: np.ndarray, budget: float
) -> np.ndarray | None:
    """Least variance by guessing the set of free assets, again and again, from the signs of
    the last guess (Hintermueller, Ito and Kunisch (2002), The primal-dual active set
    strategy as a semismooth Newton method). Quick, and None where it does not get there.
    """
    shifted = cov + np.diag(cov).mean()
    variances = np.diag(cov)
    free = lower < upper
    free &= (variances <= np.quantile(variances[free], 1 / 3)) | np.isneginf(lower)
    weights = np.where(free, 0.0, lower)
    for _ in range(_GUESSES):
        if not free.any():
            return None
        weights[free] = 0
        right = np.column_stack([-(shifted[free] @ weights), np.ones(int(free.sum()))])
        try:
            base, ones = np.linalg.solve(shifted[np.ix_(free, free)], right).T
        except np.linalg.LinAlgError:
            return None
        if not ones.sum() > 0:
            return None
        multiplier = (budget - weights.sum() - base.sum()) / ones.sum()
        weights[free] = base + multiplier * ones
        wanted = weights - (shifted @ weights - multiplier) / shifted.diagonal()
        low, high = wanted <= lower, wanted >= upper
        weights = np.where(low, lower, np.where(high, upper, weights))
        guess = ~(low | high)
        if (guess == free).all():
            break
        free = guess
    proof = optimality(cov, np.zeros(len(cov)), 0.0, weights, lower, upper, budget)
    return weights if proof <= ACCURACY else None


def _falling(values: np.ndarray) -> np.ndarray:
    """The values (K,) without the rises that rounding leaves among equals; read-only."""
    return _read_only(np.maximum.accumulate(values[::-1])[::-1])


def _read_only(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values
