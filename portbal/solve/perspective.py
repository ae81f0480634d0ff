"""A square under a count of holdings: what of it can be taken apart by asset costs w^2 / z
where the asset is held only to the extent z.

Frangioni and Gentile (2006), Perspective cuts for a class of convex 0-1 mixed integer programs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portbal.solve.cone import Program, Rows

_STEPS = 12  # towards the largest separable part
_LEAST_PRICE = 1e-4  # of the largest gain
_NEAR = 0.01  # how far the barrier leaves a sum from its most, relative
_SINGULAR = 1e-10  # an eigenvalue this small beside the largest leaves nothing to take apart


@dataclass(frozen=True)
class Quadratic:
    """(w - centre)'Q(w - centre)/2 with Q = matrix (n, n); no centre is 0."""

    matrix: np.ndarray
    centre: np.ndarray | None = None


def minimise_perspective(
    program: Program, quadratic: Quadratic, open_: np.ndarray, d: np.ndarray, held: np.ndarray
) -> None:
    """Adds w'Qw/2 as w'(Q - D)w/2 + sum of D_i w_i^2 / (2 z_i) to the objective, with the
    diagonal d (m,) on the assets ``open_`` (positions, (m,)) and z their variables ``held``."""
    if not len(open_):
        program.minimise_quadratic(quadratic.matrix, quadratic.centre)
        return
    inner = quadratic.matrix.copy()
    inner[open_, open_] -= d
    program.minimise_quadratic(inner, quadratic.centre)
    if not d.any():
        return
    if quadratic.centre is not None:  # d (w - c)^2 = d w^2 - 2 d c w + d c^2
        c = quadratic.centre[open_]
        pull = np.zeros(len(inner))
        pull[open_] = -d * c
        program.minimise(pull)
        program.add_constant(float(d @ c**2) / 2)
    start = program.new(len(open_))
    program.minimise(d / 2, start)
    m = len(open_)
    size, at = start + np.arange(m), 3 * np.arange(m)
    # s z >= w^2 as (s + z, s - z, 2 w) in the second-order cone
    program.norms(Rows(
        np.zeros(3 * m), np.concatenate([at, at, at + 1, at + 1, at + 2]),
        np.concatenate([size, held, size, held, open_]), np.repeat([1.0, 1, 1, -1, 2], m)))


def given(matrix: np.ndarray, open_: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The square of the open assets (m, m) that is left when those inside are chosen best, a
    Schur complement: a diagonal taken from it leaves the whole positive semidefinite."""
    square = matrix[np.ix_(open_, open_)]
    if not len(inside):
        return square
    cross = matrix[np.ix_(inside, open_)]
    held = matrix[np.ix_(inside, inside)]
    return square - cross.T @ np.linalg.lstsq(held, cross, rcond=1e-12)[0]


def separable(matrix: np.ndarray) -> np.ndarray:
    """A diagonal (m,) as large as a few steps find, so that the matrix (m, m) less it stays
    positive semidefinite: each step takes what the least eigenvalue of the rest, scaled by the
    rest's own partial variances, still leaves."""
    d = np.zeros(len(matrix))
    for _ in range(_STEPS if len(matrix) else 0):
        rest = matrix - np.diag(d)
        values, vectors = np.linalg.eigh(rest)
        if values[0] <= values[-1] * _SINGULAR:
            break
        partial = 1 / ((vectors**2) @ (1 / values))
        scale = np.sqrt(partial)
        least = float(np.linalg.eigvalsh(rest / np.outer(scale, scale))[0])
        d += 0.8 * least * partial
    return d * (1 - 1e-9)


def along(matrix: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """A diagonal d (m,) of at least 0 with nearly the most gain'd that leaves the matrix (m, m)
    less it positive semidefinite: sweeps of coordinate ascent on gain'd + e log det(matrix -
    diag d), e halved each time. A coordinate has a closed form, and the inverse a rank one update.

    Zheng, Sun and Li (2014), Improving the performance of MIQP solvers for quadratic programs
    with cardinality and minimum threshold constraints, choose the diagonal by a semidefinite
    program.
    """
    scale = np.diag(matrix)
    root = np.sqrt(scale)
    inner = matrix / np.outer(root, root)
    least = float(np.linalg.eigvalsh(inner)[0])
    if least <= _SINGULAR:
        return np.zeros(len(matrix))
    price = gain * scale
    price = np.maximum(price / price.max(), _LEAST_PRICE)
    d = np.full(len(matrix), least / 2)
    barrier = float(price.mean())
    while len(d) * barrier > _NEAR * float(price @ d):
        inverse = np.linalg.inv(inner - np.diag(d))
        for i in range(len(d)):
            own = inverse[i, i]
            step = min(max(1 / own - barrier / price[i], -d[i]), 0.999 / own)
            d[i] += step
            row = inverse[i] * (step / (1 - step * own))
            inverse += np.outer(inverse[i], row)
        barrier *= 0.7
    left = float(np.linalg.eigvalsh(inner - np.diag(d))[0])
    d = np.maximum(d + min(left, 0.0), 0.0)
    return d * scale * (1 - 1e-9)
