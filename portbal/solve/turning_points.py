"""The way along the critical line, from one turning point to the next.

At a turning point the next line is the minimum of a quadratic program of its own, over the
assets that are free and those that stand at a bound with nothing to gain or lose there
(Best (1996), An algorithm for the solution of the parametric quadratic programming
problem). Ties need no rule: equal returns, duplicates, several assets meeting their bounds
at once are what that program decides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portbal.solve import Unbounded, Unproven
from portbal.solve.active_set import (
    ROUNDING,
    ActiveSet,
    Box,
    corner,
    descend,
    drive,
    least_variance,
    settle,
)

_TIED = 8 * np.finfo(float).eps  # returns this close, relative to the largest, are equal


def turning_points(
    cov: np.ndarray, mu: np.ndarray, box: Box
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """lam (K,) falling to 0, weights (K, n), and the ray (n,) beyond the first, or None.

    Some asset must be movable, and the bounds must permit the budget.
    """
    if np.isneginf(box.lower).any():
        active, weights = least_variance(cov, box)
        path = _Path(active, mu - mu.max(), box, weights, 0.0)
        ray = path.follow(1)
        path.points.reverse()
    else:
        path = _from_the_top(cov, mu, box)
        ray = path.follow(-1)
    lam = np.array([lam for lam, _ in path.points])
    weights = np.array([weights for _, weights in path.points])
    returns = weights @ mu
    noise = ROUNDING * (np.abs(weights) @ np.abs(mu)).max()
    falling = returns >= np.maximum.accumulate(returns[::-1])[::-1] - noise
    lam, weights = lam[falling], weights[falling]
    # A point that differs from neither neighbour turns nothing; above the first all is
    # like it, unless there is a ray.
    same = (weights[1:] == weights[:-1]).all(axis=1)
    turning = ~(np.append(ray is None, same) & np.append(same, False))
    return lam[turning], weights[turning], ray


def _from_the_top(cov: np.ndarray, mu: np.ndarray, box: Box) -> _Path:
    """Starts at the most return, with the largest lam at which the weights change."""
    active, weights = corner(cov, mu, box)
    relative = mu - mu[active.free[0]]
    tied = np.abs(relative) <= _TIED * np.abs(mu).max()
    relative[tied] = 0
    face = replace(box, lower=np.where(tied, box.lower, weights),
                   upper=np.where(tied, box.upper, weights))
    reduced, _ = descend(active, np.zeros(len(mu)), face, weights)
    changing = (active.side * reduced > 0) & ~tied & box.movable
    lam = float((reduced[changing] / relative[changing]).max(initial=0))
    return _Path(active, relative, box, weights, lam)


class _Path:
    """Where the way has come to, and the turning points on it."""

    def __init__(
        self, active: ActiveSet, mu: np.ndarray, box: Box, weights: np.ndarray, lam: float
    ) -> None:
        self.active, self.mu, self.box = active, mu, box
        self.weights, self.lam = weights, lam
        self.points: list[tuple[float, np.ndarray]] = []
        self.jumped: tuple[float, set[int]] = (lam, set())  # at this lam, to these assets

    def follow(self, sign: int) -> np.ndarray | None:
        """Goes down (-1) to lam = 0, or up (+1) until nothing changes any more.

        Going up it returns the direction in which the weights change without end, if any.
        """
        active, weights = self.active, self.weights
        reduced = self._correct()
        self._mark()
        for _ in range(200 + 20 * len(weights)):
            if sign < 0 and self.lam == 0:
                return None
            line, slope, escape = self._line(sign, reduced)
            if escape is None:
                step, limits = self._step(line, slope, sign, reduced)
                if step == np.inf:
                    return line if line.any() else None
                weights += step * line
                self.lam = self._arrived(sign * step, limits)
                blocking = int(limits[active.free].argmin())
                asset = active.free[blocking]
                if limits[asset] == step and active.count > 1:
                    side = 1 if line[asset] > 0 else -1
                    self.box.put(weights, asset, side)
                    active.remove(blocking, side)
            elif not drive(active, escape, 0.0, self.box, weights):
                raise Unbounded
            reduced = self._correct()
            self._mark()
        raise Unproven("the critical line did not end")

    def _mark(self) -> None:
        self.points.append((self.lam, self.weights.copy()))

    def _rounding(self) -> np.ndarray:
        return self.active.rounding(self.weights, self.lam * self.mu, self.box.size)

    def _correct(self) -> np.ndarray:
        """The reduced gradient (n,), after taking away what rounding has piled up."""
        active, weights, box = self.active, self.weights, self.box
        q, before = self.lam * self.mu, weights.copy()
        reduced = settle(active, q, box, weights)
        excess = active.side * reduced - 10 * active.rounding(weights, q, box.size)
        if (excess[box.movable] > 0).any():
            reduced, escape = descend(active, q, box, weights)
            if escape is not None:
                raise Unproven("the covariance is not positive semidefinite")
            self.points.append((self.lam, before))
        return reduced

    def _line(
        self, sign: int, reduced: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, int | None]:
        """Change of the weights and of the reduced gradient per unit of lam, each (n,).

        Then None, or the asset to which the weights jump while lam stands still: it
        differs in return and not in risk from a mix of the free ones.
        """
        active, weights, box = self.active, self.weights, self.box
        side = active.side
        idle = (side * reduced >= -self._rounding()) | (side == 0)
        near = ROUNDING * max(float(np.abs(weights).max()), box.size)
        falls = idle & (side >= 0) & (weights > box.lower + near)
        rises = idle & (side <= 0) & (weights < box.upper - near)
        still = np.zeros(len(weights), dtype=bool)
        while True:
            cone = Box(np.where(falls & ~still, -np.inf, 0.0),
                       np.where(rises & ~still, np.inf, 0.0))
            line = np.zeros(len(weights))
            slope, escape = descend(active, sign * self.mu, cone, line)
            slope[still] = 0
            if escape is None or self._matters(escape, slope, sign):
                break
            still[escape] = True
        np.copyto(weights, box.lower, where=active.side < 0)
        np.copyto(weights, box.upper, where=active.side > 0)
        return line, slope, escape

    def _matters(self, asset: int, slope: np.ndarray, sign: int) -> bool:
        """Whether the weights should jump to the asset: not a second time at the same lam,
        and not for a gain that drowns in the rounding of the risk."""
        if self.jumped[0] != self.lam:
            self.jumped = self.lam, set()
        noise = self.active.rounding(self.weights, np.zeros(len(slope)), self.box.size)
        small = sign < 0 and self.lam * abs(slope[asset]) <= 100 * noise[asset]
        if small or asset in self.jumped[1]:
            return False
        self.jumped[1].add(asset)
        return True

    def _step(
        self, line: np.ndarray, slope: np.ndarray, sign: int, reduced: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """How far the line holds, and how far each asset (n,) lets it go on: a free one
        until it meets its bound, one at a bound until it starts to move."""
        active, side = self.active, self.active.side
        limits = np.full(len(line), np.inf)
        moving = active.free[np.abs(line[active.free]) > ROUNDING * np.abs(line).max()]
        limits[moving] = self.box.room(self.weights, line[moving], moving)
        worse = side * slope
        worsening = worse > active.rounding(line, self.mu, 0.0)
        slack = np.maximum(-side[worsening] * reduced[worsening], 0)
        limits[worsening] = slack / worse[worsening]
        return min(float(limits.min()), self.lam if sign < 0 else np.inf), limits

    def _arrived(self, change: float, limits: np.ndarray) -> float:
        """lam after a step down or up by ``change``.

        Where returns nearly tie, lam can be so large that little is left of the
        difference. Then it is read from the weights: Cw - lam mu is the same for the free
        assets and the one that starts to move.
        """
        lam, doubt = self.lam + change, ROUNDING / 10 * self.lam
        active = self.active
        starting = (active.side != 0) & (np.abs(limits - abs(change)) <= doubt)
        mu = self.mu - self.mu[active.free].mean()
        starting &= mu != 0
        if starting.any() and doubt > ROUNDING * lam:
            risk = active.cov @ self.weights
            read = (risk[starting] - risk[active.free].mean()) / mu[starting]
            lam = min(max(float(read.max()), lam - doubt), lam + doubt)
        return max(0.0, lam)
