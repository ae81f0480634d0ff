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

from dataclasses import dataclass

import numpy as np

from portbal.solve import Unproven

ROUNDING = 2e-14  # what rounding may leave of a difference, relative to its terms
_CLOSE = 1e-8  # residual of a linear system, relative to its right side, that is refined no more
_REPLICA = 1e-10  # weights this small, relative to the largest, may be rounding


@dataclass(frozen=True)
class Box:
    """lower <= x <= upper (n,), sum(x) = budget, and the size of x that counts as large."""

    lower: np.ndarray
    upper: np.ndarray
    budget: float = 0.0
    size: float = 0.0

    @classmethod
    def of(cls, lower: np.ndarray, upper: np.ndarray, budget: float) -> Box:
        """For weights: large is the budget, or what the bounds allow but at most 1."""
        bounds = np.abs(np.concatenate([lower, upper]))
        finite = bounds[np.isfinite(bounds)]
        return cls(lower, upper, budget, max(abs(budget), min(finite.max(initial=0), 1.0)))

    @property
    def movable(self) -> np.ndarray:
        return self.lower < self.upper

    def put(self, x: np.ndarray, asset: int, side: int) -> None:
        """Sets the asset to its lower bound (-1) or its upper one (+1)."""
        x[asset] = self.upper[asset] if side > 0 else self.lower[asset]

    def room(self, x: np.ndarray, direction: np.ndarray, among: np.ndarray) -> np.ndarray:
        """How far each of the assets can follow its direction until it meets a bound;
        ``direction`` has one component for each of them."""
        down, up = direction < 0, direction > 0
        result = np.full(len(among), np.inf)
        lower, upper = among[down], among[up]
        result[down] = (self.lower[lower] - x[lower]) / direction[down]
        result[up] = (self.upper[upper] - x[upper]) / direction[up]
        return np.maximum(result, 0)


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
        response = self.inverse @ (self.cov[self.free, asset] + self.shift)
        hedged = np.zeros(len(self.cov))
        hedged[self.free], hedged[asset] = -response, 1.0
        rest = hedged @ (self.cov @ hedged) + self.shift * hedged.sum() ** 2
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

    def solve(self, right: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
        """p (n,) and Cp, where p is 0 but on the free assets, sum(p) = total, and
        Cp + multiplier = right there."""
        free, inverse = self.free, self.inverse
        missing = right = _centred(right)
        goal = _CLOSE * float(np.abs(right).max())
        ones = inverse @ np.ones(len(free))
        step = np.zeros(len(self.cov))
        for _ in range(3):
            step[free] += _balanced(inverse @ missing, ones, total - float(step.sum()))
            product = self.cov @ step
            missing = _centred(right - product[free])
            error = float(np.abs(missing).max())
            if error <= goal or error <= self._least_error(step):
                return step, product
        self.renew()
        square = self.cov[np.ix_(free, free)] + self.shift
        both = np.linalg.solve(square, np.column_stack([right, np.ones(len(free))]))
        step[free] = _balanced(both[:, 0], both[:, 1], total)
        return step, self.cov @ step

    def _least_error(self, step: np.ndarray) -> float:
        deviations = self.deviation[self.free]
        sizes = float(np.abs(step).max()) * float(deviations.sum())
        return ROUNDING * sizes * float(deviations.max())

    def curvature(self, direction: np.ndarray, product: np.ndarray) -> float:
        """d'Cd from d and Cd, or 0 where rounding may have made all of it."""
        sizes = np.abs(direction)
        noise = _REPLICA * float(sizes.max()) * float(self.deviation[self.free].sum())
        exposure = float(self.deviation @ sizes)
        value = float(direction @ product)
        return value if value > ROUNDING * exposure**2 + noise**2 else 0.0

    def noise(self, x: np.ndarray, q: np.ndarray, size: float) -> float:
        """Half of what rounding may leave of ``Cx - q - multiplier`` on free assets, when
        the components of x come from terms of this size."""
        free = self.free
        each = self.deviation[free] * self._exposure(x, size) + np.abs(q[free])
        return ROUNDING / 2 * float(each.max())

    def rounding(self, x: np.ndarray, q: np.ndarray, size: float) -> np.ndarray:
        """What rounding may leave in each component of ``Cx - q - multiplier`` (n,)."""
        each = self.deviation * self._exposure(x, size) + np.abs(q)
        return ROUNDING * (each + each[self.free].max())

    def _exposure(self, x: np.ndarray, size: float) -> float:
        held = float(self.deviation @ np.abs(x))
        return held + size / 1000 * float(self.deviation[self.free].sum()) if size else held


def corner(
    cov: np.ndarray, preference: np.ndarray, box: Box
) -> tuple[ActiveSet, np.ndarray]:
    """A feasible start: assets at their bounds, filled up to the budget in the order of
    preference (n,), and one free that takes the rest. Assets without any bound are free at
    0. Some asset must be movable."""
    lower, upper = box.lower, box.upper
    free = np.isneginf(lower) & np.isposinf(upper)
    side = np.where(np.isneginf(lower), 1, -1)
    weights = np.where(side > 0, upper, lower)
    weights[free] = 0
    side[free | ~box.movable] = 0
    rest = box.budget - float(weights.sum())
    falling, rising = np.flatnonzero(side > 0), np.flatnonzero(side < 0)
    rising = rising[np.argsort(-preference[rising], kind="stable")]
    if free.any():
        last = int(free.argmax())
        weights[last] += rest
    elif len(falling) and (rest < 0 or not len(rising)):
        last = int(falling[0])
        weights[last] += rest
    else:
        last = int(rising[0])
        for asset in rising:
            if rest <= 0:
                break
            last = int(asset)
            full = upper[asset] - lower[asset] < rest
            weights[asset] = upper[asset] if full else lower[asset] + rest
            side[asset] = 1 if full else -1
            rest = box.budget - float(weights.sum()) if full else 0.0
    free[last] = True
    side[last] = 0
    if free.sum() > 1 and _replicating(cov[np.ix_(free, free)]):
        raise Unproven("the covariance of the unbounded assets is singular")
    return ActiveSet(cov, side.astype(np.int8), np.flatnonzero(free)), weights


def _replicating(cov: np.ndarray) -> bool:
    """Whether some mixes of these assets differ in nothing that the covariance shows."""
    shifted = cov + (float(np.mean(np.diag(cov))) or 1.0)
    deviation = np.sqrt(np.diag(shifted))
    return bool(np.linalg.eigvalsh(shifted / np.outer(deviation, deviation))[0] <= ROUNDING)


def least_variance(cov: np.ndarray, box: Box) -> tuple[ActiveSet, np.ndarray]:
    """The minimum of x'Cx, and the free assets there. Some asset must be movable."""
    active, weights = corner(cov, -np.diag(cov), box)
    _, escape = descend(active, np.zeros(len(cov)), box, weights)
    if escape is not None:
        raise Unproven("the covariance is not positive semidefinite")
    return active, weights


def descend(
    active: ActiveSet, q: np.ndarray, box: Box, x: np.ndarray
) -> tuple[np.ndarray, int | None]:
    """Brings the feasible ``x`` to the minimum, in place, and ``active`` with it.

    Returns the reduced gradient (n,) - 0 on free assets, not below 0 at lower bounds, not
    above 0 at upper ones - and None, or the asset of which the objective wants more (or
    less) without end. Where lower == upper an asset stays as it is.
    """
    movable = box.movable
    for _ in range(200 + 20 * len(x)):
        reduced = settle(active, q, box, x)
        excess = active.side * reduced - active.rounding(x, q, box.size)
        asset = int(np.where(movable, excess, -1.0).argmax())
        if excess[asset] <= 0 or not movable[asset]:
            return reduced, None
        if not drive(active, asset, abs(float(reduced[asset])), box, x):
            return reduced, asset
    raise Unproven("the active set did not settle")


def settle(active: ActiveSet, q: np.ndarray, box: Box, x: np.ndarray) -> np.ndarray:
    """Minimises over the free assets, in place; those that meet a bound stay there.

    Returns the reduced gradient.
    """
    last = np.inf
    while True:
        free = active.free
        reduced = active.cov @ x - q
        reduced -= reduced[free].sum() / len(free)
        gap = box.budget - float(x.sum())
        error = float(np.abs(reduced[free]).max())
        balanced = abs(gap) <= ROUNDING / 4 * max(float(np.abs(x).sum()), box.size)
        if (error <= active.noise(x, q, box.size) and balanced) or error >= last / 2:
            return reduced
        step, _ = active.solve(-reduced[free], gap)
        limits = box.room(x, step[free], free)
        blocking = int(limits.argmin())
        if limits[blocking] >= 1:
            x += step
            last = error
            continue
        x += limits[blocking] * step
        if active.count == 1:
            return reduced
        side = 1 if step[free[blocking]] > 0 else -1
        box.put(x, free[blocking], side)
        active.remove(blocking, side)
        last = np.inf


def _centred(values: np.ndarray) -> np.ndarray:
    return values - values.sum() / len(values)


def _balanced(values: np.ndarray, ones: np.ndarray, total: float) -> np.ndarray:
    """The values and as much of ``ones`` as brings the sum to ``total``."""
    spread = float(ones.sum())
    if spread == 0:
        raise Unproven("the covariance of the free assets is singular")
    return values + (total - float(values.sum())) / spread * ones


def drive(active: ActiveSet, asset: int, slope: float, box: Box, x: np.ndarray) -> bool:
    """Moves an asset off its bound until its reduced gradient, of size ``slope``, is 0.

    Free assets that meet a bound on the way stay there. False when it could go on for
    ever, without risk and without meeting a bound.
    """
    sign = -int(active.side[asset])
    own = np.array([asset])
    while True:
        free = active.free
        direction, product = active.solve(-sign * active.cov[free, asset], -float(sign))
        direction[asset] = sign
        curvature = active.curvature(direction, product + sign * active.cov[asset])
        wanted = slope / curvature if curvature > 0 else np.inf
        limits = box.room(x, direction[free], free)
        blocking = int(limits.argmin())
        across = float(box.room(x, direction[own], own)[0])
        step = min(wanted, across, float(limits[blocking]))
        if step == np.inf:
            return False
        x += step * direction
        slope -= step * curvature
        if step == wanted:
            active.add(asset)
            return True
        if step == across:
            active.side[asset] = sign
            box.put(x, asset, sign)
            return True
        side = 1 if direction[free[blocking]] > 0 else -1
        box.put(x, free[blocking], side)
        if active.count == 1:
            active.exchange(asset, side)
            return True
        active.remove(blocking, side)
