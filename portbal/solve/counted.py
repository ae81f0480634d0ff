"""The optimum of a program under rules on holdings and issuers, by branch and bound.

The square of the objective is relaxed in perspective form. Its diagonal is chosen at the root
for the bound, and again wherever reduced costs have decided a good part of the assets: of fewer
assets more can be taken apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from portbal.solve import Unbounded, Unproven
from portbal.solve.branch import Found, Relaxed, branch_and_bound
from portbal.solve.cone import Program
from portbal.solve.discrete import Discrete, State
from portbal.solve.perspective import Quadratic, along, given, minimise_perspective, separable
from portbal.solve.reduced import without

MOST_NODES = 2_000
_WORK, _EACH = 3_500_000, 2_000  # coefficients in all nodes, and what each costs beside
_FEWEST, _QUICK = 20, 50  # with fewer, leaves beside the best would take longer than nodes
_UNIT = 0.01  # of the objective's largest coefficient: no gap between branches is finer
_ROUNDS = 12  # towards the best diagonal at the root
_NONE = 1e-7  # an asset held to a smaller extent is not held in a relaxation


@dataclass(frozen=True)
class Counted:
    """What is minimised, and under what.

    frame        the convex limits, and the objective but for its square
    discrete     the rules decided by branching
    quadratic    the square, or None
    homogeneous  the program on (kappa w, kappa) and where kappa stands, for a ratio, of which
                 the square is minimised there; None for an objective as it is
    unit         the objective's largest coefficient, relative to which bounds are told
    """

    frame: Program
    discrete: Discrete
    quadratic: Quadratic | None
    homogeneous: Callable[[Program], tuple[Program, int]] | None = None
    unit: float = 1.0

    def optimum(self) -> tuple[Relaxed, Found[State]]:
        """The best point with its proof, and how it was found."""
        def near(leaf: State, point: Relaxed, relaxed: Relaxed) -> Iterable[State]:
            return self.discrete.near(
                leaf, point.weights, relaxed.weights, self._slope(point.weights))

        quick = self.quadratic is not None and self.most_nodes >= _QUICK
        found = branch_and_bound(
            self.discrete.root(), self.relax,
            lambda state, relaxed: self.discrete.complete(state, relaxed.weights),
            lambda state, relaxed: self.discrete.split(state, relaxed.weights, relaxed.held),
            near=near if quick else None, tighten=self.tighten, key=State.key, unit=_UNIT,
            most_nodes=self.most_nodes)
        return self.relax(found.leaf, polished=True), found

    def _slope(self, weights: np.ndarray) -> np.ndarray:
        """How much the square and the linear part of the objective change with each weight."""
        if self.quadratic is None:
            return np.zeros(len(weights))
        centre = 0.0 if self.quadratic.centre is None else self.quadratic.centre
        slope = self.quadratic.matrix @ (weights - centre)
        for start, coefficients in self.frame.linear:
            if start == 0 and len(coefficients) == len(slope):
                slope = slope + coefficients
        return slope

    @property
    def most_nodes(self) -> int:
        """How many nodes are relaxed, by the size of the program and so by the time that each
        takes: up to 2,000 of a small one, some 280 of 100 assets with a square, 200 with a tracking
        error row too. That is 5 to 10 seconds of one core at 100 assets."""
        size = sum(len(rows.value) for _, rows in self.frame.constraints)
        if self.quadratic is not None:
            size += self.quadratic.matrix.size
        return max(min(MOST_NODES, _WORK // (size + _EACH)), _FEWEST)

    def relax(self, state: State, *, polished: bool = False) -> Relaxed:
        """The relaxation of a state; polished: with weights exactly on their bounds."""
        program, kappa, size = self.frame.copy(), None, self.frame.size
        shares = self.discrete.relax(program, state)
        if self.homogeneous is not None:
            program, kappa = self.homogeneous(program)
            shares = self.discrete.shares(program, state)
        if self.quadratic is not None:
            open_ = shares.assets
            d = self._fresh(state) if state.part is None else state.part[open_]
            minimise_perspective(program, self.quadratic, open_, d, shares.variables)
        small, at = without(program, self.discrete.absent(state))
        outcome = small.solve() if polished else small.bound()
        x = np.zeros(program.variables)
        x[at] = outcome.x
        held, into, out = np.zeros((3, size))
        if len(shares.assets):
            held[shares.assets] = x[shares.variables]
            into[shares.assets] = outcome.duals[shares.floor] / self.unit
            out[shares.assets] = outcome.duals[shares.ceiling] / self.unit
        return Relaxed(outcome.objective / self.unit, divided(x, kappa, size), held,
                       outcome.residual, outcome.gap, into, out)

    def tighten(self, state: State, relaxed: Relaxed, slack: float) -> tuple[State, bool]:
        """The state without the assets that reduced costs decide, and with a better diagonal
        where a good part of them is, or none was chosen; whether there is such a diagonal."""
        fewer, good = self.discrete.tightened(state, relaxed.into, relaxed.out, slack)
        if self.quadratic is None or not len(self.discrete.undecided(fewer)):
            return fewer, good
        if good:
            return self._with(fewer, self._fresh(fewer)), True
        if state.part is None:
            return self._tuned(fewer, relaxed.bound + slack), True
        return fewer, False

    def _fresh(self, state: State) -> np.ndarray:
        return separable(self._left(state))

    def _left(self, state: State) -> np.ndarray:
        assert self.quadratic is not None
        return given(self.quadratic.matrix, self.discrete.undecided(state),
                     self.discrete.inside(state))

    def _with(self, state: State, d: np.ndarray) -> State:
        part = np.zeros(self.frame.size)
        part[self.discrete.undecided(state)] = d
        return replace(state, part=part)

    def _tuned(self, state: State, enough: float) -> State:
        """The state with the diagonal of the highest bound among those that a few rounds find,
        or the first whose bound is enough, or near enough for its costs to decide a good part.

        The bound is concave in d, with the supergradient w^2 / z - w^2: each round takes the
        most along the mean of those so far, later ones with more weight.
        """
        open_, left = self.discrete.undecided(state), self._left(state)
        best = tried = self._with(state, separable(left))
        highest, mean = -np.inf, np.ones(len(open_))
        for round_ in range(_ROUNDS):
            try:
                relaxed = self.relax(tried)
            except Unproven:
                break
            if relaxed.bound > highest:
                best, highest = tried, relaxed.bound
            w, z = relaxed.weights[open_], relaxed.held[open_]
            gain = np.where(z > _NONE, w**2 / np.maximum(z, _NONE) - w**2, 0.0)
            if self.discrete.tightened(
                    tried, relaxed.into, relaxed.out, enough - relaxed.bound)[1]:
                return tried
            if highest >= enough or gain.sum() <= _NONE * float(w @ w):
                break
            gain /= gain.mean()
            mean += (gain - mean) * min(0.5, 2 / (round_ + 2))
            tried = self._with(state, along(left, mean))
        return best


def divided(x: np.ndarray, kappa: int | None, size: int) -> np.ndarray:
    """The weights of an optimum, divided by kappa where there is one."""
    if kappa is None:
        return x[:size]
    if x[kappa] <= 1e-9 * np.abs(x[:size]).max():
        raise Unbounded
    return x[:size] / x[kappa]
