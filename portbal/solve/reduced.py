"""A program without the weights that are 0: smaller, with the same optimum and the same duals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portbal.solve.cone import Program, Rows


def without(program: Program, out: np.ndarray) -> tuple[Program, np.ndarray]:
    """The program with the weights ``out`` (n,) at 0 left out, and where its variables stand in
    the whole one. Constraints keep their numbers; rows of inequalities that say nothing any
    more are dropped, so only constraints on other variables keep their duals row by row."""
    gone = np.zeros(program.variables, dtype=bool)
    gone[: program.size] = out
    kept = np.flatnonzero(~gone)
    place = np.cumsum(~gone) - 1
    left = kept[kept < program.size]
    result = Program(len(left))
    result.variables = len(kept)
    result.offset = program.offset
    linear = np.zeros(program.variables)
    for start, coefficients in program.linear:
        linear[start : start + len(coefficients)] += coefficients
    if program.quadratic is not None:
        result.quadratic = program.quadratic[np.ix_(left, left)]
        if program.centre is not None:
            pull = program.quadratic @ program.centre
            linear[: program.size] -= pull
            result.offset += float(program.centre @ pull) / 2
    if linear.any():
        result.minimise(linear[kept])
    for cone, rows in program.constraints:
        if cone == "norms" or not gone[rows.column].any():
            result.constraints.append((cone, replace(rows, column=place[rows.column])))
            continue
        inside = ~gone[rows.column]
        kept_rows = Rows(rows.constant, rows.row[inside], place[rows.column[inside]],
                         rows.value[inside])
        kept_rows = _narrowed(kept_rows) if cone == "norm" else _filled(kept_rows, cone)
        result.constraints.append((cone, kept_rows))
    return result, kept


def _filled(rows: Rows, cone: str) -> Rows:
    """The rows but those that hold whatever the variables are, and one at least."""
    says = np.zeros(rows.height, dtype=bool)
    says[rows.row] = True
    says |= rows.constant != 0 if cone == "zero" else rows.constant < 0
    if not says.any():
        return Rows.constants(0.0)
    place = np.cumsum(says) - 1
    return Rows(rows.constant[says], place[rows.row], rows.column, rows.value)


def _narrowed(rows: Rows) -> Rows:
    """The rows of a norm below the first, as few as have the same norm: the triangle of a QR
    factorisation."""
    below = rows.row > 0
    columns, at = np.unique(rows.column[below], return_inverse=True)
    if rows.height - 1 <= len(columns) + 1:
        return rows
    matrix = np.zeros((rows.height - 1, len(columns) + 1))
    np.add.at(matrix, (rows.row[below] - 1, at), rows.value[below])
    matrix[:, -1] = rows.constant[1:]
    triangle = np.asarray(np.linalg.qr(matrix, mode="r"))
    first = Rows(rows.constant[:1], rows.row[~below], rows.column[~below], rows.value[~below])
    row, column = np.nonzero(triangle[:, :-1])
    return first.above(Rows(triangle[:, -1], row, columns[column], triangle[row, column]))
