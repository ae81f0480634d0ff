"""Trading in lots as a linear program over the ends of the runs of permitted trades.

The weights of an asset's points sum to 1; whole portfolios have weights 0 and 1. Its duals
are good prices (see ``lot_prices``).
"""

from __future__ import annotations

import numpy as np

from portbal.solve import Infeasible, Unproven
from portbal.solve.lots import Points, Trading


def row_prices(case: Trading, ends: Points) -> tuple[float, np.ndarray, np.ndarray]:
    """Prices on spending and on the rows (m,), and the weight of every point (k,), from the
    linear program without whole lots.

    Infeasible when not even that has a solution.
    """
    import highspy

    k, n, m = len(ends.asset), case.size, len(case.rows)
    low, high = case.row_bounds()
    matrix = np.vstack([ends.spend, -ends.spend, ends.spend, ends.rows])
    starts = np.arange(k + 1) * (4 + m)
    index = np.empty((k, 4 + m), dtype=np.int32)
    value = np.empty((k, 4 + m))
    index[:, 0], value[:, 0] = ends.asset, 1.0
    index[:, 1:] = n + np.arange(3 + m)
    value[:, 1:] = matrix.T
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = k + 1, n + 3 + m
    program.col_cost_ = np.append(ends.gap, 1.0)
    program.col_lower_ = np.zeros(k + 1)
    program.col_upper_ = np.full(k + 1, highspy.kHighsInf)
    wanted, most = case.wanted_spend, case.most_spend
    program.row_lower_ = np.concatenate([np.ones(n), [wanted, -wanted, -np.inf], low])
    program.row_upper_ = np.concatenate([np.ones(n), [np.inf, np.inf, most], high])
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.append(starts, starts[-1] + 2).astype(np.int32)
    program.a_matrix_.index_ = np.append(index.ravel(), [n, n + 1]).astype(np.int32)
    program.a_matrix_.value_ = np.append(value.ravel(), [1.0, 1.0])
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(program)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        raise Infeasible
    solution = solver.getSolution()
    dual = np.array(solution.row_dual)
    if len(dual) != n + 3 + m:
        raise Unproven
    spend = float(-dual[n] + dual[n + 1] - dual[n + 2])
    return spend, dual[n + 3:], np.array(solution.col_value)[:k]
