"""Linear programs for HiGHS: minimise q'x with Ax + s = b, s zero or at least 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from portbal.solve import Infeasible, Unbounded

_TOLERANCE = 1e-10  # the tightest that HiGHS takes


def linear_optimum(
    q: np.ndarray, A: Any, b: np.ndarray, equal: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Variables (n,), duals (m,) and slacks (m,) at a vertex, or None when HiGHS has none.

    A: sparse by columns, shape (m, n); equal (m,): whether the row's slack is 0. A dual is at
    least 0 where the slack is. Infeasible and Unbounded as they are found.
    """
    import highspy

    solver = highspy.Highs()
    solver.silent()
    for name, value in (
        ("threads", 1), ("solver", "simplex"), ("primal_feasibility_tolerance", _TOLERANCE),
        ("dual_feasibility_tolerance", _TOLERANCE),
    ):
        solver.setOptionValue(name, value)
    m, n = A.shape
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = n, m
    lp.col_cost_ = q
    lp.col_lower_, lp.col_upper_ = np.full(n, -np.inf), np.full(n, np.inf)
    lp.row_lower_, lp.row_upper_ = np.where(equal, b, -np.inf), b
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = A.indptr, A.indices, A.data
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    known = highspy.HighsModelStatus
    if status == known.kUnboundedOrInfeasible:
        solver.setOptionValue("presolve", "off")
        solver.run()
        status = solver.getModelStatus()
    if status == known.kInfeasible:
        raise Infeasible
    if status == known.kUnbounded:
        raise Unbounded
    if status != known.kOptimal:
        return None
    found = solver.getSolution()
    x, z = np.array(found.col_value), -np.array(found.row_dual)
    slack = np.where(equal, 0.0, np.maximum(b - A @ x, 0.0))
    return x, np.where(equal, z, np.maximum(z, 0.0)), slack
