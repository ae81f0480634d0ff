"""A conic program as the solvers take it, its optimum, and the proof of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from portbal.solve import Infeasible, Unbounded, Unproven
from portbal.solve.simplex import linear_optimum

ACCURACY = 1e-8  # largest relative residual and gap of an answer that is shown
# Rows scaled, accuracy asked for, longest step to the edge of a cone, steps refined.
_ATTEMPTS = (
    (True, 1e-11, 0.99, False), (True, 1e-11, 0.99, True), (False, 1e-11, 0.99, True),
    (False, 1e-9, 0.9, True), (True, 1e-9, 0.9, True),
)
_POLISHED = 400  # most variables of a program whose optimum is polished
_PART = 0.1  # of the objective's largest coefficient: no gap is relative to less


@dataclass(frozen=True)
class Problem:
    """Minimise x'Px/2 + q'x + offset with Ax + s = b and s in the cones; P is upper triangular."""

    P: Any
    q: np.ndarray
    A: Any
    b: np.ndarray
    cones: tuple[Any, ...]
    offset: float

    @property
    def kinds(self) -> np.ndarray:
        """The name of each row's cone, shape (m,)."""
        return np.repeat([type(cone).__name__ for cone in self.cones],
                         [cone.dim for cone in self.cones])

    @property
    def is_linear(self) -> bool:
        return self.P.nnz == 0 and not any(
            type(cone).__name__ == "SecondOrderConeT" for cone in self.cones)

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Px, with the whole of P."""
        return np.asarray(self.P @ x + self.P.T @ x - self.P.diagonal() * x)

    def value(self, x: np.ndarray) -> float:
        return float(self.q @ x + x @ self.slope(x) / 2) + self.offset

    def proof(self, x: np.ndarray, z: np.ndarray, s: np.ndarray) -> tuple[float, float]:
        """Relative primal or dual residual, whichever is larger, and relative duality gap.

        A row is judged by its own numbers, the gap by the objective, or by a tenth of its largest
        coefficient (which is 1) where that is more.
        """
        if not (np.isfinite(x).all() and np.isfinite(z).all()):
            return np.inf, np.inf
        Px, Ax, Az = self.slope(x), self.A @ x, self.A.T @ z
        primal = np.abs(Ax + s - self.b) / (1 + np.maximum(np.abs(self.b), np.abs(Ax)))
        dual = np.abs(Px + self.q + Az).max() / (
            1 + max(np.abs(part).max() for part in (Px, self.q, Az)))
        above = x @ Px / 2 + self.q @ x + self.offset
        below = -x @ Px / 2 - self.b @ z + self.offset
        gap = abs(above - below) / max(abs(above), abs(below), _PART)
        return float(max(primal.max(), dual)), float(gap)


@dataclass(frozen=True)
class Point:
    """Variables, duals and slacks, and how far they are proved to be optimal."""

    x: np.ndarray
    z: np.ndarray
    s: np.ndarray
    residual: float
    gap: float

    @classmethod
    def at(cls, problem: Problem, x: np.ndarray, z: np.ndarray, s: np.ndarray) -> Point:
        return cls(x, z, s, *problem.proof(x, z, s))

    @property
    def is_proved(self) -> bool:
        return self.residual <= ACCURACY and self.gap <= ACCURACY


def solve(problem: Problem, *, polished: bool = True) -> Point:
    """The optimum with its proof, in the first attempt that has one: where the solver comes to
    a halt just before, refined or shorter steps or rows left unscaled carry it through.

    polished: whether weights are put exactly on their bounds where they can be."""
    if problem.is_linear:
        found = linear_optimum(problem.q, problem.A, problem.b, problem.kinds == "ZeroConeT")
        if found is not None:
            point = Point.at(problem, *found)
            if point.is_proved:
                return point
    for scaled, goal, step, refined in _ATTEMPTS:
        point = _attempt(problem, scaled=scaled, goal=goal, step=step, refined=refined,
                         polished=polished)
        if point.is_proved:
            return point
    raise Unproven(f"residual {point.residual:.1e}, gap {point.gap:.1e}")


def _attempt(
    problem: Problem, *, scaled: bool, goal: float, step: float, refined: bool, polished: bool
) -> Point:
    """Where Clarabel stopped."""
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.equilibrate_enable = scaled
    settings.max_step_fraction = step
    if refined:
        settings.iterative_refinement_max_iter = 50
        settings.iterative_refinement_reltol = settings.iterative_refinement_abstol = 1e-15
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = goal
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = ACCURACY
    settings.reduced_tol_feas = ACCURACY
    answer = clarabel.DefaultSolver(
        problem.P, problem.q, problem.A, problem.b, list(problem.cones), settings).solve()
    status = str(answer.status)
    if "PrimalInfeasible" in status:
        raise Infeasible
    if "DualInfeasible" in status:
        raise Unbounded
    point = Point.at(problem, *(np.array(part) for part in (answer.x, answer.z, answer.s)))
    if polished and status in ("Solved", "AlmostSolved") and len(point.x) <= _POLISHED:
        return _polished(problem, point)
    return point


def _polished(problem: Problem, point: Point) -> Point:
    """The optimum on the constraints that hold with equality, where that is at least as good.

    An interior point stops just inside; solving the optimality conditions on the rows whose
    dual exceeds their slack puts weights exactly on their bounds. A cone with curvature must
    be slack.
    """
    from scipy.linalg import lstsq

    equal, curved = problem.kinds == "ZeroConeT", problem.kinds == "SecondOrderConeT"
    if np.abs(point.z[curved]).max(initial=0.0) > ACCURACY:
        return point
    active = equal | ((point.z > point.s) & ~curved)
    E = problem.A[np.flatnonzero(active)].toarray()
    full = (problem.P + problem.P.T).toarray() - np.diag(problem.P.diagonal())
    n, m = len(point.x), len(E)
    system = np.block([[full, E.T], [E, np.zeros((m, m))]])
    right = np.concatenate([-problem.q, problem.b[active]])
    found = lstsq(system, right, cond=len(system) * np.finfo(float).eps, lapack_driver="gelsy")[0]
    x, z = found[:n], np.zeros_like(point.z)
    z[active] = found[n:]
    s = problem.b - problem.A @ x
    scale = 1 + np.abs(problem.b)
    s[active & (np.abs(s) <= 1e-12 * scale)] = 0.0
    bounded = ~(equal | curved)
    if (s[bounded] < -1e-13 * scale[bounded]).any() or (z[bounded] < -ACCURACY).any():
        return point
    polished = Point.at(problem, x, z, s)
    worse = max(polished.residual, polished.gap) > max(point.residual, point.gap, 1e-12)
    return point if worse or _outside(problem.cones, s) else polished


def _outside(cones: tuple[Any, ...], s: np.ndarray) -> bool:
    """Whether the slack of a second-order cone lies outside it."""
    at = 0
    for cone in cones:
        part = s[at : at + cone.dim]
        at += cone.dim
        if type(cone).__name__ == "SecondOrderConeT" and part[0] < np.linalg.norm(part[1:]):
            return True
    return False
