"""Conic programs: minimise x'Px/2 + q'x with affine rows in cones. HiGHS solves those that are
linear, Clarabel the others.

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
from portbal.solve.problem import Problem, solve
from portbal.solve.roots import root_of

_SMALL = 1e-3  # a square this small beside its coefficients is minimised by its root


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
    residual: the largest relative primal or dual residual, gap: the relative duality gap;
    scale: the largest coefficient of the objective."""

    x: np.ndarray
    objective: float
    duals: tuple[np.ndarray, ...]
    residual: float
    gap: float
    scale: float = 1.0


@dataclass
class Program:
    """A program under construction. Constraints are numbered as they are added."""

    size: int
    variables: int = field(init=False)
    quadratic: np.ndarray | None = None
    centre: np.ndarray | None = None
    offset: float = 0.0
    linear: list[tuple[int, np.ndarray]] = field(default_factory=list)
    constraints: list[tuple[str, Rows]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.variables = self.size

    def copy(self) -> Program:
        """The same program, to be built on apart."""
        result = Program(self.size)
        result.variables, result.offset = self.variables, self.offset
        result.quadratic, result.centre = self.quadratic, self.centre
        result.linear, result.constraints = list(self.linear), list(self.constraints)
        return result

    def new(self, count: int) -> int:
        """Adds variables; returns where they start."""
        start = self.variables
        self.variables += count
        return start

    def minimise(self, coefficients: np.ndarray, start: int = 0) -> None:
        """Adds a linear term to the objective."""
        self.linear.append((start, np.atleast_1d(coefficients)))

    def minimise_quadratic(self, matrix: np.ndarray, centre: np.ndarray | None = None) -> None:
        """Adds (w - centre)'M(w - centre)/2 over the first variables to the objective, which
        has one such term at most."""
        if self.quadratic is not None:
            raise ValueError("there is a quadratic term already")
        self.quadratic, self.centre = matrix, centre

    def add_constant(self, value: float) -> None:
        """Adds a number to the objective."""
        self.offset += value

    @property
    def largest(self) -> float:
        """The largest coefficient that the objective gives the weights, 1 where it gives none."""
        parts = [] if self.quadratic is None else [self.quadratic]
        parts += [coefficients for start, coefficients in self.linear if start < self.size]
        return max((float(np.abs(part).max()) for part in parts), default=0.0) or 1.0

    def zero(self, rows: Rows) -> int:
        return self._add("zero", rows)

    def positive(self, rows: Rows) -> int:
        """Every row at least 0."""
        return self._add("positive", rows)

    def norm(self, rows: Rows) -> int:
        """The first row at least the Euclidean norm of the others."""
        return self._add("norm", rows)

    def norms(self, rows: Rows) -> int:
        """Of every three rows the first at least the Euclidean norm of the other two."""
        return self._add("norms", rows)

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
        """Infeasible, Unbounded, or Unproven when there is no proved optimum.

        Rows and objective are solved with a largest coefficient of 1, and the proof is of that.
        Of a square alone that is small the root is minimised, which a gap measures better.
        """
        outcome = self._solved()
        if self.quadratic is None or self.linear or outcome.objective > _SMALL * outcome.scale:
            return outcome
        try:
            return self._by_root()
        except (Infeasible, Unbounded, Unproven):
            return outcome

    def bound(self) -> Outcome:
        """The optimum as the solver leaves it, proved but not polished: enough for a bound."""
        try:
            return self._solved(polished=False)
        except Unproven:
            return self.solve()

    def _solved(self, *, polished: bool = True) -> Outcome:
        P, q, A, b, cones = self._assembled()
        offset = self.offset
        if self.quadratic is not None and self.centre is not None:
            pull = self.quadratic @ self.centre
            q[: self.size] -= pull
            offset += float(self.centre @ pull) / 2
        heights = [rows.height for _, rows in self.constraints]
        factors = _row_factors(A, self.constraints)
        scale = _scale(P, q, self.size)
        problem = Problem(P / scale, q / scale, A.multiply(factors[:, None]).tocsc(),
                           b * factors, tuple(cones), offset / scale)
        found = solve(problem, polished=polished)
        ends = np.cumsum(heights)
        z = found.z * factors * scale
        duals = tuple(z[end - m : end] for end, m in zip(ends, heights, strict=True))
        return Outcome(found.x, problem.value(found.x) * scale, duals, found.residual,
                       found.gap, scale)

    def _by_root(self) -> Outcome:
        """The same optimum, as that of the root t of the square: t >= |R (w - centre)|."""
        assert self.quadratic is not None
        largest = float(np.diag(self.quadratic).max()) or 1.0
        root = root_of(self.quadratic / largest)
        centre = np.zeros(self.size) if self.centre is None else self.centre
        program = Program(self.size)
        program.variables, program.constraints = self.variables, list(self.constraints)
        t = program.new(1)
        program.norm(Rows.identity(1, t).above(Rows.of(root, -root @ centre)))
        program.minimise(np.ones(1), t)
        found = program._solved()
        change = root @ (found.x[: self.size] - centre)
        square, length = float(change @ change) * largest, float(found.x[t]) * largest
        return Outcome(
            found.x[: self.variables], square / 2, tuple(z * length for z in found.duals[:-1]),
            found.residual, found.gap, largest)

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
        if not self.constraints:
            self.positive(Rows.constants(0.0))
        cones, values, rows_at, columns_at, constants = [], [], [], [], []
        height = 0
        for cone, rows in self.constraints:
            if cone == "norms":
                cones += [made["norm"](3)] * (rows.height // 3)
            else:
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


def _row_factors(A: Any, constraints: list[tuple[str, Rows]]) -> np.ndarray:
    """What each row is multiplied with to have a largest coefficient of 1; one for each norm."""
    largest = abs(A).max(axis=1).toarray().ravel()
    start = 0
    for cone, rows in constraints:
        part = slice(start, start + rows.height)
        if cone == "norm":
            largest[part] = largest[part].max()
        elif cone == "norms":
            largest[part] = largest[part].reshape(-1, 3).max(axis=1).repeat(3)
        start += rows.height
    return 1 / np.where(largest > 0, largest, 1.0)


def _scale(P: Any, q: np.ndarray, size: int) -> float:
    """The largest coefficient of the objective: of the weights, or else of any variable."""
    weights = max(float(abs(P).max()), float(np.abs(q[:size]).max(initial=0.0)))
    return weights or float(np.abs(q).max(initial=0.0)) or 1.0
