"""Conic programs for Clarabel: minimise x'Px/2 + q'x with affine rows in cones.

The first ``size`` variables are the weights. Rows are affine: coefficients times
variables plus a constant. ``homogenised`` multiplies every constant by one more variable,
which turns the constraints on w into those on (kappa w, kappa): the perspective that
makes a ratio such as the Sharpe ratio a convex program, absolute limits included.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from portbal.solve import Infeasible, Unbounded, Unproven

ACCURACY = 1e-8  # largest relative residual and gap of an answer that is shown
_GOAL = 1e-11  # what the solver is asked for
_POLISHED = 400  # most variables of a program whose optimum is polished


@dataclass(frozen=True)
class Rows:
    """Affine rows of the variables: constant (m,), and the coefficients one by one, each
    ``value`` in ``row`` of the variable ``column`` (several for one place add up)."""

    constant: np.ndarray
    row: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    column: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    value: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, matrix: np.ndarray, constant: np.ndarray | float = 0.0, start: int = 0) -> Rows:
        """``matrix @ x[start:] + constant``, for a matrix of shape (m, k)."""
        row, column = np.nonzero(matrix)
        constants = np.broadcast_to(constant, (len(matrix),)).astype(float)
        return cls(constants, row, column + start, matrix[row, column])

    @classmethod
    def constants(cls, values: np.ndarray | float) -> Rows:
        """Rows without variables."""
        return cls(np.atleast_1d(np.asarray(values, dtype=float)))

    @classmethod
    def diagonal(cls, values: np.ndarray, start: int) -> Rows:
        """Row i is values[i] times the variable start + i."""
        at = np.arange(len(values))
        return cls(np.zeros(len(values)), at, at + start, np.asarray(values, dtype=float))

    @classmethod
    def identity(cls, count: int, start: int) -> Rows:
        """The ``count`` variables from ``start`` on, one a row."""
        return cls.diagonal(np.ones(count), start)

    @property
    def height(self) -> int:
        return len(self.constant)

    def __add__(self, other: Rows) -> Rows:
        return Rows(
            self.constant + other.constant, np.concatenate([self.row, other.row]),
            np.concatenate([self.column, other.column]),
            np.concatenate([self.value, other.value]),
        )

    def __neg__(self) -> Rows:
        return self.times(-1.0)

    def __sub__(self, other: Rows) -> Rows:
        return self + (-other)

    def times(self, factor: float) -> Rows:
        return Rows(factor * self.constant, self.row, self.column, factor * self.value)

    def above(self, other: Rows) -> Rows:
        """These rows, and the others below them."""
        return Rows(
            np.concatenate([self.constant, other.constant]),
            np.concatenate([self.row, other.row + self.height]),
            np.concatenate([self.column, other.column]),
            np.concatenate([self.value, other.value]),
        )

    def repeated(self, count: int) -> Rows:
        """One row, so many times."""
        k = len(self.row)
        return Rows(np.repeat(self.constant, count), np.repeat(np.arange(count), k),
                    np.tile(self.column, count), np.tile(self.value, count))

    def mean(self) -> Rows:
        """One row: the mean of these."""
        return Rows(self.constant.mean(keepdims=True), np.zeros_like(self.row), self.column,
                    self.value / self.height)


@dataclass(frozen=True)
class Outcome:
    """x: all variables; duals: one array per constraint, in the order they were added;
    residual: the largest relative primal or dual residual, gap: the relative duality gap."""

    x: np.ndarray
    objective: float
    duals: tuple[np.ndarray, ...]
    residual: float
    gap: float


@dataclass
class Program:
    """A program under construction. Constraints are numbered as they are added."""

    size: int
    variables: int = field(init=False)
    quadratic: np.ndarray | None = None
    linear: list[tuple[int, np.ndarray]] = field(default_factory=list)
    constraints: list[tuple[str, Rows]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.variables = self.size

    def new(self, count: int) -> int:
        """Adds variables; returns where they start."""
        start = self.variables
        self.variables += count
        return start

    def minimise(self, coefficients: np.ndarray, start: int = 0) -> None:
        """Adds a linear term to the objective."""
        self.linear.append((start, np.atleast_1d(coefficients)))

    def minimise_quadratic(self, matrix: np.ndarray) -> None:
        """Adds w'Mw/2 over the first variables to the objective."""
        self.quadratic = matrix if self.quadratic is None else self.quadratic + matrix

    def zero(self, rows: Rows) -> int:
        return self._add("zero", rows)

    def positive(self, rows: Rows) -> int:
        """Every row at least 0."""
        return self._add("positive", rows)

    def norm(self, rows: Rows) -> int:
        """The first row at least the Euclidean norm of the others."""
        return self._add("norm", rows)

    def _add(self, cone: str, rows: Rows) -> int:
        self.constraints.append((cone, rows))
        return len(self.constraints) - 1

    def homogenised(self) -> tuple[Program, int]:
        """The program on (kappa x, kappa), and where kappa stands. No objective is kept."""
        result = Program(self.size)
        result.variables = self.variables
        kappa = result.new(1)
        for cone, rows in self.constraints:
            constants = Rows.of(rows.constant[:, None], start=kappa)
            linear = replace(rows, constant=np.zeros(rows.height))
            result._add(cone, linear + constants)
        result.positive(Rows.identity(1, kappa))
        return result, kappa

    def solve(self) -> Outcome:
        """Infeasible, Unbounded, or Unproven when there is no proved optimum."""
        P, q, A, b, cones = self._assembled()
        return _solve(P, q, A, b, cones, [rows.height for _, rows in self.constraints])

    def _assembled(self) -> tuple[Any, ...]:
        import clarabel
        from scipy import sparse

        n = self.variables
        q = np.zeros(n)
        for start, coefficients in self.linear:
            q[start : start + len(coefficients)] += coefficients
        if self.quadratic is None:
            P = sparse.csc_matrix((n, n))
        else:
            inner = sparse.triu(sparse.csc_matrix(self.quadratic))
            P = inner.tocsc()
            P.resize((n, n))
        made = {"zero": clarabel.ZeroConeT, "positive": clarabel.NonnegativeConeT,
                "norm": clarabel.SecondOrderConeT}
        cones, values, rows_at, columns_at, constants = [], [], [], [], []
        height = 0
        for cone, rows in self.constraints:
            cones.append(made[cone](rows.height))
            constants.append(rows.constant)
            values.append(-rows.value)
            rows_at.append(rows.row + height)
            columns_at.append(rows.column)
            height += rows.height
        A = sparse.csc_matrix(
            (np.concatenate(values), (np.concatenate(rows_at), np.concatenate(columns_at))),
            shape=(height, n),
        )
        return P, q, A, np.concatenate(constants), cones


def _solve(P: Any, q: Any, A: Any, b: Any, cones: list[Any], heights: list[int]) -> Outcome:
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _GOAL
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = ACCURACY
    settings.reduced_tol_feas = ACCURACY
    answer = clarabel.DefaultSolver(P, q, A, b, cones, settings).solve()
    status = str(answer.status)
    if "PrimalInfeasible" in status:
        raise Infeasible
    if "DualInfeasible" in status:
        raise Unbounded
    x, z, s = (np.array(part) for part in (answer.x, answer.z, answer.s))
    residual, gap = _proof(P, q, A, b, x, z, s)
    if status in ("Solved", "AlmostSolved") and len(x) <= _POLISHED:
        x, z, s, residual, gap = _polished(P, q, A, b, cones, x, z, s, residual, gap)
    if not (residual <= ACCURACY and gap <= ACCURACY):
        raise Unproven(f"residual {residual:.1e}, gap {gap:.1e}")
    ends = np.cumsum(heights)
    duals = tuple(z[end - m : end] for end, m in zip(ends, heights, strict=True))
    Px = P @ x + P.T @ x - P.diagonal() * x
    return Outcome(x, float(q @ x + x @ Px / 2), duals, residual, gap)


def _polished(
    P: Any, q: Any, A: Any, b: Any, cones: list[Any],
    x: np.ndarray, z: np.ndarray, s: np.ndarray, residual: float, gap: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """The optimum on the constraints that hold with equality, where that is at least as good.

    An interior point stops just inside; solving the optimality conditions on the rows whose
    dual exceeds their slack puts weights exactly on their bounds. A cone with curvature must
    be slack.
    """
    unpolished = x, z, s, residual, gap
    kinds = np.repeat([type(cone).__name__ for cone in cones], [cone.dim for cone in cones])
    equal, curved = kinds == "ZeroConeT", kinds == "SecondOrderConeT"
    if np.abs(z[curved]).max(initial=0.0) > ACCURACY:
        return unpolished
    active = equal | ((z > s) & ~curved)
    E = A[np.flatnonzero(active)].toarray()
    full = (P + P.T).toarray() - np.diag(P.diagonal())
    n, m = len(x), len(E)
    system = np.block([[full, E.T], [E, np.zeros((m, m))]])
    found = np.linalg.lstsq(system, np.concatenate([-q, b[active]]), rcond=None)[0]
    new_x, new_z = found[:n], np.zeros_like(z)
    new_z[active] = found[n:]
    new_s = b - A @ new_x
    scale = 1 + np.abs(b).max()
    new_s[active & (np.abs(new_s) <= 1e-12 * scale)] = 0.0
    bounded = ~(equal | curved)
    if (new_s[bounded] < -1e-13 * scale).any() or (new_z[bounded] < -ACCURACY).any():
        return unpolished
    new_residual, new_gap = _proof(P, q, A, b, new_x, new_z, new_s)
    if max(new_residual, new_gap) > max(residual, gap, 1e-12) or _outside(cones, new_s):
        return unpolished
    return new_x, new_z, new_s, new_residual, new_gap


def _outside(cones: list[Any], s: np.ndarray) -> bool:
    """Whether the slack of a second-order cone lies outside it."""
    at = 0
    for cone in cones:
        part = s[at : at + cone.dim]
        at += cone.dim
        if type(cone).__name__ == "SecondOrderConeT" and part[0] < np.linalg.norm(part[1:]):
            return True
    return False


def _proof(
    P: Any, q: Any, A: Any, b: Any, x: np.ndarray, z: np.ndarray, s: np.ndarray
) -> tuple[float, float]:
    """Relative primal or dual residual, whichever is larger, and relative duality gap."""
    if not (np.isfinite(x).all() and np.isfinite(z).all()):
        return np.inf, np.inf
    Px = P @ x + P.T @ x - P.diagonal() * x
    Ax, Az = A @ x, A.T @ z
    primal = np.abs(Ax + s - b).max() / (1 + max(np.abs(b).max(), np.abs(Ax).max()))
    dual = np.abs(Px + q + Az).max() / (1 + max(np.abs(part).max() for part in (Px, q, Az)))
    above, below = x @ Px / 2 + q @ x, -x @ Px / 2 - b @ z
    gap = abs(above - below) / (1 + max(abs(above), abs(below)))
    return float(max(primal, dual)), float(gap)
