"""Quadratic programs with bounds and a budget, by a primal active set.

Minimise x'Cx/2 - q'x subject to lower <= x <= upper and sum(x) = budget, where C is
positive semidefinite. Free assets are those that may move without meeting a bound; the
inverse of their covariance is kept and changed by one row and column at a time.

A C that is singular needs no repair. The budget is constant, so C + c 11' poses the same
problem for every c, and on the free assets it is kept nonsingular: an asset whose return
the free ones replicate at no cost is exchanged for one of them instead of joining them.

The steps are those of van de Panne and Whinston (1969), The symmetric formulation of the
simplex method for quadratic programming, Econometrica 37. Every drive of an asset from
its bound lowers the objective, so that no set of free assets can come back.
"""

from __future__ import annotations

import numpy as np

from portbal.solve import Unproven

ROUNDING = 1e-13  # what rounding may leave of a difference, relative to its terms


class ActiveSet:
    """Which assets are free, which stand at a bound, and the inverse for the free ones.

    side   (n,) -1 at the lower bound, +1 at the upper, 0 free or fixed
    count  the number of free assets, at least 1
    """

    def __init__(self, cov: np.ndarray, side: np.ndarray, free: np.ndarray) -> None:
        n = len(cov)
        self.cov = cov
        self.deviation = np.sqrt(np.maximum(np.diag(cov), 0))
        self.shift = float(np.mean(np.diag(cov))) or 1.0
        self.side = side
        self.count = len(free)
        self._order = np.empty(n, dtype=np.intp)
        self._order[: self.count] = free
        self._inverse = np.empty((n, n))
        self.renew()

    @property
    def free(self) -> np.ndarray:
        """The free assets, in no particular order; a view."""
        return self._order[: self.count]

    @property
    def inverse(self) -> np.ndarray:
        return self._inverse[: self.count, : self.count]

    def renew(self) -> None:
        """Computes the inverse afresh."""
        free = self.free
        try:
            self.inverse[:] = np.linalg.inv(self.cov[np.ix_(free, free)] + self.shift)
        except np.linalg.LinAlgError:
            raise Unproven("the covariance of the unbounded assets is singular") from None

    def add(self, asset: int) -> None:
        """Frees an asset that the free ones do not replicate."""
        m = self.count
        column = self.cov[self.free, asset] + self.shift
        response = self.inverse @ column
        rest = self.cov[asset, asset] + self.shift - column @ response
        self.inverse[:] += np.outer(response / rest, response)
        self._inverse[m, :m] = self._inverse[:m, m] = -response / rest
        self._inverse[m, m] = 1 / rest
        self._order[m] = asset
        self.side[asset] = 0
        self.count = m + 1

    def remove(self, position: int, side: int) -> None:
        """Puts the free asset at this position at the bound of that side."""
        last = self.count - 1
        inverse, order = self.inverse, self._order
        self.side[order[position]] = side
        if position != last:
            order[position] = order[last]
            inverse[[position, last]] = inverse[[last, position]]
            inverse[:, [position, last]] = inverse[:, [last, position]]
        column = inverse[:last, last]
        inverse[:last, :last] -= np.outer(column / inverse[last, last], column)
        self.count = last

    def exchange(self, asset: int, side: int) -> None:
        """Frees the asset instead of the only one that was free."""
        self.side[self._order[0]] = side
        self.side[asset] = 0
        self._order[0] = asset
        self.renew()

    def stop(
        self, position: int, direction: float, lower: np.ndarray, upper: np.ndarray,
        x: np.ndarray,
    ) -> None:
        """Puts a free asset at the bound that it met."""
        asset = self.free[position]
        x[asset] = upper[asset] if direction > 0 else lower[asset]
        self.remove(position, 1 if direction > 0 else -1)

    def solve(self, right: np.ndarray, total: float) -> np.ndarray:
        """p with C p + multiplier = right on the free assets and sum(p) = total."""
        both = self.inverse @ np.column_stack([right, np.ones(self.count)])
        ones = both[:, 1]
        return both[:, 0] + (total - both[:, 0].sum()) / ones.sum() * ones

    def rounding(self, x: np.ndarray, q: np.ndarray) -> np.ndarray:
        """What rounding may leave in each component of ``Cx - q - multiplier``."""
        terms = self.deviation * (self.deviation @ np.abs(x)) + np.abs(q)
        return ROUNDING * (terms + terms[self.free].max())


def corner(
    cov: np.ndarray, preference: np.ndarray, lower: np.ndarray, upper: np.ndarray, budget: float
) -> tuple[ActiveSet, np.ndarray]:
    """A feasible start: assets at their bounds, filled up to the budget in the order of
    preference (n,), and one free that takes the rest. Assets without any bound are free at
    0. Some asset must have lower < upper."""
    movable = lower < upper
    loose = np.isneginf(lower) & np.isposinf(upper)
    side = np.where(np.isneginf(lower), 1, -1)
    weights = np.where(side > 0, upper, lower)
    weights[loose] = 0
    side[loose | ~movable] = 0
    rest = budget - float(weights.sum())
    falling = np.flatnonzero(side > 0)
    if loose.any():
        last = int(np.flatnonzero(loose)[0])
        weights[last] += rest
    elif rest < 0 and len(falling):
        last = int(falling[0])
        weights[last] += rest
    else:
        order = np.flatnonzero(side < 0)
        order = order[np.argsort(-preference[order], kind="stable")]
        last = int(order[0]) if len(order) else int(falling[0])
        for asset in order:
            if rest <= 0:
                break
            last = int(asset)
            step = min(upper[asset] - lower[asset], rest)
            full = step < rest
            weights[asset] = upper[asset] if full else lower[asset] + step
            side[asset] = 1 if full else -1
            rest -= step
    loose[last] = True
    side[last] = 0
    return ActiveSet(cov, side.astype(np.int8), np.flatnonzero(loose)), weights


def least_variance(
    cov: np.ndarray, lower: np.ndarray, upper: np.ndarray, budget: float
) -> tuple[ActiveSet, np.ndarray]:
    """The minimum of x'Cx, the free assets with it. Some asset must have lower < upper."""
    active, weights = corner(cov, -np.diag(cov), lower, upper, budget)
    _, escape = descend(active, np.zeros(len(cov)), lower, upper, budget, weights)
    if escape is not None:
        raise Unproven("the covariance is not positive semidefinite")
    return active, weights


def descend(
    active: ActiveSet, q: np.ndarray, lower: np.ndarray, upper: np.ndarray, budget: float,
    x: np.ndarray,
) -> tuple[np.ndarray, int | None]:
    """Brings the feasible ``x`` to the minimum, in place, and ``active`` with it.

    Returns the reduced gradient (n,) - 0 on free assets, not below 0 at lower bounds, not
    above 0 at upper ones - and None, or the asset which the objective wants more (or less)
    of without end. Where lower == upper an asset stays as it is.
    """
    movable = upper > lower
    for _ in range(200 + 20 * len(x)):
        gradient = _settle(active, q, lower, upper, budget, x)
        reduced = gradient - gradient[active.free].mean()
        excess = np.where(movable, active.side * reduced - active.rounding(x, q), -np.inf)
        asset = int(excess.argmax())
        if excess[asset] <= 0:
            return reduced, None
        if not drive(active, asset, abs(float(reduced[asset])), lower, upper, x):
            return reduced, asset
    raise Unproven("the active set did not settle")


def room(
    position: np.ndarray, direction: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """How far each component can go along ``direction`` until it meets a bound."""
    result = np.full(len(position), np.inf)
    down, up = direction < 0, direction > 0
    result[down] = (lower[down] - position[down]) / direction[down]
    result[up] = (upper[up] - position[up]) / direction[up]
    return np.maximum(result, 0)


def _settle(
    active: ActiveSet, q: np.ndarray, lower: np.ndarray, upper: np.ndarray, budget: float,
    x: np.ndarray,
) -> np.ndarray:
    """Minimises over the free assets, in place; those that meet a bound stay there.

    Returns the gradient Cx - q.
    """
    refinements = 0
    while True:
        gradient = active.cov @ x - q
        free = active.free
        inner, gap = gradient[free], budget - x.sum()
        error = np.abs(inner - inner.mean()).max()
        settled = error <= active.rounding(x, q)[free].max() / 4
        balanced = abs(gap) <= ROUNDING / 10 * np.abs(x).sum()
        if (settled and balanced) or refinements > 8:
            return gradient
        step = active.solve(-inner, gap)
        limits = room(x[free], step, lower[free], upper[free])
        blocking = int(limits.argmin())
        if limits[blocking] >= 1:
            x[free] += step
            refinements += 1
            if refinements == 4:
                active.renew()
            continue
        x[free] += limits[blocking] * step
        if active.count == 1:
            return gradient
        active.stop(blocking, step[blocking], lower, upper, x)


def drive(
    active: ActiveSet, asset: int, slope: float, lower: np.ndarray, upper: np.ndarray,
    x: np.ndarray,
) -> bool:
    """Moves an asset off its bound until its reduced gradient, of size ``slope``, is 0.

    Free assets that meet a bound on the way stay there. False when it could go on for
    ever, without risk and without meeting a bound.
    """
    sign = -active.side[asset]
    while True:
        free = active.free
        direction = np.zeros(len(x))
        direction[free] = sign * active.solve(-active.cov[free, asset], -1.0)
        direction[asset] = sign
        curvature = float(direction @ (active.cov @ direction))
        if curvature > ROUNDING * float(active.deviation @ np.abs(direction)) ** 2:
            wanted = slope / curvature
        else:
            curvature, wanted = 0.0, np.inf
        limits = room(x[free], direction[free], lower[free], upper[free])
        blocking = int(limits.argmin())
        across = upper[asset] - x[asset] if sign > 0 else x[asset] - lower[asset]
        step = min(wanted, across, limits[blocking])
        if step == np.inf:
            return False
        x += step * direction
        slope -= step * curvature
        if step == wanted:
            active.add(asset)
            return True
        if step == across:
            active.side[asset] = sign
            x[asset] = upper[asset] if sign > 0 else lower[asset]
            return True
        if active.count == 1:
            side = 1 if direction[free[0]] > 0 else -1
            x[free[0]] = upper[free[0]] if side > 0 else lower[free[0]]
            active.exchange(asset, side)
            return True
        active.stop(blocking, direction[free[blocking]], lower, upper, x)
