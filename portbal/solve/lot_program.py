"""Trading in lots as a mixed-integer program for HiGHS, where limits couple the assets.

Every run of permitted trades (see ``Pieces``) has a variable that says whether the trade lies in
it, and one that counts lots along it; all else is linear on a run. Without whole numbers this is
the convex hull of each asset's trades, so its bound is as good as prices can give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portbal.solve import Infeasible, Unproven
from portbal.solve.discrete import ISSUER_MOST, ISSUER_SMALL, LARGE_MOST, Issuers
from portbal.solve.lots import ROUNDING, Pieces, Points, Trading, ends_of

if TYPE_CHECKING:
    import highspy

ACCURACY = 1e-8  # of net assets: how far the objective may be from its proven bound
_SECONDS = 10.0
_SCALE = 1000.0  # of the objective, so that the tolerances of HiGHS are small against it
_FEASIBLE = 1e-9
_ROUNDS = 5


@dataclass(frozen=True)
class Relaxed:
    """The prices of spending and of the rows (m,), and what share of every end (2 p,) the
    solution without whole lots holds."""

    spend: float
    rows: np.ndarray
    share: np.ndarray


def relaxed(case: Trading, ends: Points) -> Relaxed:
    """The linear program over the ends of the runs. Infeasible when it has no solution."""
    k, n = len(ends.asset), case.size
    bend, low, high = _bent(case, ends)
    columns = np.arange(k)
    sums = np.vstack([ends.spend, -ends.spend, ends.spend, ends.rows])
    model = _Model(k + 1)
    model.add(ends.asset, columns, np.ones(k), np.ones(n), np.ones(n))
    lower, upper = _sides(case, low, high)
    upper[2] += bend
    model.add_dense(np.column_stack([sums, _cash_gap(len(sums))]), lower, upper)
    solver = model.solve(np.append(ends.gap, 1.0), np.full(k + 1, np.inf), integer=0)
    solution = solver.getSolution()
    dual = np.array(solution.row_dual)
    return Relaxed(float(-dual[n] + dual[n + 1] - dual[n + 2]), dual[n + 3:],
                   np.array(solution.col_value)[:k])


@dataclass(frozen=True)
class Solved:
    """trade (n,): the best found, None where there was no time to find any; bound: no permitted
    portfolio has a lower objective."""

    trade: np.ndarray | None
    bound: float


def solved(case: Trading, pieces: Pieces, issuers: Issuers | None = None) -> Solved:
    """The portfolio with the least objective, to ACCURACY and the dips of market impact.
    Infeasible when there is none. issuers: keep UCITS 5/10/40 over these, groups (g, n).

    Quantities are whole, so what the tolerances of HiGHS let pass is found out: then every bound
    is drawn in a little and the program solved again.
    """
    bound, margin = -np.inf, 0.0
    bend = _bent(case, ends_of(case, pieces))[0]
    for _ in range(_ROUNDS):
        try:
            trade, found = _minimised(case, pieces, None, margin, issuers)
        except Infeasible:
            if margin:
                break
            raise
        bound = max(bound, found) if not margin else bound
        if trade is None or (case.permits(trade) and _spread_out(case, issuers, trade)):
            return Solved(trade, bound)
        margin = max(2 * margin, 1.5 * _excess(case, trade), 2 * bend, 2 * _FEASIBLE)
    return Solved(None, bound)


def _spread_out(case: Trading, issuers: Issuers | None, trade: np.ndarray) -> bool:
    """Whether UCITS 5/10/40 holds after a trade (n,)."""
    if issuers is None:
        return True
    weights = case.held_after(trade)
    return (issuers.largest(weights) <= ISSUER_MOST + ROUNDING
            and issuers.above(weights) <= LARGE_MOST + ROUNDING)


def least_of_row(case: Trading, pieces: Pieces, values: np.ndarray) -> np.ndarray | None:
    """The permitted trade (n,) with the least sum of ``values`` (2 p,), given at the ends of
    the runs; None without time to find one. Infeasible when nothing is permitted."""
    return _minimised(case, pieces, values, 0.0, None)[0]


def _minimised(
    case: Trading, pieces: Pieces, values: np.ndarray | None, margin: float,
    issuers: Issuers | None,
) -> tuple[np.ndarray | None, float]:
    ends = ends_of(case, pieces)
    n, p = case.size, len(pieces.asset)
    many = np.flatnonzero(pieces.count > 1)
    q = len(many)
    length = pieces.count[many] - 1.0

    def spread(of: np.ndarray) -> np.ndarray:
        """Values at the ends, (..., 2 p), as coefficients of the p + q variables."""
        start, end = of[..., ::2], of[..., 1::2]
        return np.concatenate(
            [start, (end[..., many] - start[..., many]) / length], axis=-1)

    bend, low, high = _bent(case, ends)
    sums = spread(np.vstack([ends.spend, -ends.spend, ends.spend, ends.rows]))
    g = 0 if issuers is None else len(issuers.groups)
    whole = p + q + g  # columns: runs, lots along them, large issuers; distance of cash, their size
    model = _Model(whole + 1 + g)
    model.add(pieces.asset, np.arange(p), np.ones(p), np.ones(n), np.ones(n))
    model.add(np.tile(np.arange(q), 2), np.append(many, p + np.arange(q)),
              np.append(-length, np.ones(q)), np.full(q, -np.inf), np.zeros(q))
    lower, upper = _sides(case, low + margin, high - margin)
    upper[2] += bend - margin
    none = np.zeros((len(sums), g))
    model.add_dense(np.hstack([sums, none, _cash_gap(len(sums))[:, None], none]), lower, upper)
    if issuers is not None:
        weight = (case.quantity[ends.asset] + ends.trade) * case.unit[ends.asset]
        _keep_ucits(model, spread(issuers.groups[:, ends.asset] * weight), margin)
    own, gap = (spread(ends.gap), 1.0) if values is None else (spread(values), 0.0)
    cost = np.concatenate([own, np.zeros(g), [gap], np.zeros(g)])
    most = np.concatenate([np.ones(p), length, np.ones(g), np.full(1 + g, np.inf)])
    solver = model.solve(_SCALE * cost, most, integer=whole)
    bound = float(solver.getInfo().mip_dual_bound) / _SCALE - bend
    found = np.array(solver.getSolution().col_value)
    if len(found) == 0 or not np.isfinite(solver.getInfo().objective_function_value):
        return None, bound
    chosen = np.flatnonzero(found[:p] > 0.5)
    lots = np.zeros(p, dtype=np.int64)
    lots[many] = np.rint(found[p: p + q])
    trade = np.zeros(n)
    trade[pieces.asset[chosen]] = pieces.trade(chosen, lots[chosen])
    return trade, bound


def _keep_ucits(model: _Model, sizes: np.ndarray, margin: float) -> None:
    """No issuer above 10%, those above 5% together at most 40%; sizes (g, p + q) are linear in
    the runs and the lots along them."""
    g, before = sizes.shape
    eye, none, one = np.eye(g), np.zeros((g, g)), np.zeros((g, 1))
    spare = ISSUER_MOST - ISSUER_SMALL
    open_end = np.full(g, -np.inf)
    model.add_dense(np.hstack([sizes, -spare * eye, one, none]), open_end,
                    np.full(g, ISSUER_SMALL - margin))
    model.add_dense(np.hstack([sizes, ISSUER_MOST * eye, one, -eye]), open_end,
                    np.full(g, ISSUER_MOST))
    total = np.append(np.zeros(before + g + 1), np.ones(g))
    model.add_dense(total[None], np.array([-np.inf]), np.array([LARGE_MOST - margin]))


def _excess(case: Trading, trade: np.ndarray) -> float:
    """How far a trade (n,) breaks a row or the floor of cash."""
    weight, cash = case.held_after(trade), case.cash_after(trade)
    values = [(row.value(weight, cash), row) for row in case.rows]
    return max([case.cash_floor - cash, *(
        max(row.low - value, value - row.high) for value, row in values)])


def _bent(case: Trading, ends: Points) -> tuple[float, np.ndarray, np.ndarray]:
    """How far all spending may lie below its lines, and the bounds of the rows with room for
    that, so that nothing permitted is left out."""
    starts = np.searchsorted(ends.asset, np.arange(case.size))
    bend = float(np.maximum.reduceat(ends.dip, starts).sum())
    low, high = case.row_bounds()
    room = bend * np.abs(np.array([row.cash for row in case.rows]))
    return bend, low - room, high + room


def _cash_gap(height: int) -> np.ndarray:
    """The column of the variable that holds the distance of cash from its target."""
    column = np.zeros(height)
    column[:2] = 1.0
    return column


def _sides(
    case: Trading, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of the rows: distance of cash from its target twice, spending, limits."""
    wanted = case.wanted_spend
    return (np.concatenate([[wanted, -wanted, -np.inf], low]),
            np.concatenate([[np.inf, np.inf, case.most_spend], high]))


class _Model:
    """A program under construction, row block by row block."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.height = 0
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.lower: list[np.ndarray] = []
        self.upper: list[np.ndarray] = []

    def add(
        self, row: np.ndarray, column: np.ndarray, value: np.ndarray, lower: np.ndarray,
        upper: np.ndarray,
    ) -> None:
        self.entries.append((row + self.height, column, value))
        self.lower.append(lower)
        self.upper.append(upper)
        self.height += len(lower)

    def add_dense(self, block: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        row, column = np.nonzero(block)
        self.add(row, column, block[row, column], lower, upper)

    def solve(self, cost: np.ndarray, most: np.ndarray, *, integer: int) -> highspy.Highs:
        """HiGHS after minimising over variables from 0 to ``most``, the first ``integer`` of them
        whole. Infeasible, or Unproven when it failed."""
        import highspy

        row, column, value = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        order = np.lexsort((row, column))
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = self.columns, self.height
        program.col_cost_ = cost
        program.col_lower_, program.col_upper_ = np.zeros(self.columns), most
        program.row_lower_, program.row_upper_ = (
            np.concatenate(self.lower), np.concatenate(self.upper))
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = np.searchsorted(
            column[order], np.arange(self.columns + 1)).astype(np.int32)
        program.a_matrix_.index_ = row[order].astype(np.int32)
        program.a_matrix_.value_ = value[order]
        if integer:
            whole, real = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
            program.integrality_ = [whole] * integer + [real] * (self.columns - integer)
        solver = highspy.Highs()
        for option, setting in (
            ("output_flag", False), ("threads", 1), ("random_seed", 0), ("time_limit", _SECONDS),
            ("mip_rel_gap", 0.0), ("mip_abs_gap", ACCURACY * _SCALE),
            ("mip_feasibility_tolerance", _FEASIBLE), ("primal_feasibility_tolerance", _FEASIBLE),
        ):
            solver.setOptionValue(option, setting)
        solver.passModel(program)
        solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Infeasible
        stopped = integer and status == highspy.HighsModelStatus.kTimeLimit
        if status != highspy.HighsModelStatus.kOptimal and not stopped:
            raise Unproven
        return solver
