"""Long-only weights whose risk contributions stand in given proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portbal.solve import Unbounded, Unproven

ACCURACY = 1e-8  # largest error of a share of the risk that is shown
_GOAL = 1e-13  # relative error of a contribution that is asked for
_NEAR = 0.5  # relative error from which Newton steps are taken
_MOST_SWEEPS = 30
_MOST_STEPS = 100
_CLOSE = 1e-6  # fall of the objective from which Newton steps are taken in full
_SHORTEST = 1e-9  # share of a Newton step
_RISKLESS = 1e-13  # variance, relative to that if all assets moved together


@dataclass(frozen=True)
class Budgeted:
    """weights: shape (n,), positive, of sum 1; residual: the largest difference between a share
    of the risk and its budget."""

    weights: np.ndarray
    residual: float


def risk_budget(cov: np.ndarray, budgets: np.ndarray) -> Budgeted:
    """The weights with w_i (cov w)_i = budgets_i w'cov w.

    cov      shape (n, n), positive semidefinite, every variance positive
    budgets  shape (n,), positive, of sum 1

    They minimise y'Ry/2 - sum of budgets ln(y) over y > 0, with R the correlations and y weights
    in proportion to w times volatility (Spinu 2013, An algorithm for computing risk parity
    weights, eq. 3). Cyclical coordinate descent (Griveau-Billion, Richard and Roncalli 2013, A
    fast algorithm for computing high-dimensional risk parity portfolios, eq. 7) comes near the
    minimum, Newton's method ends there. Unbounded when some long portfolio has no risk, so that
    there is no minimum; Unproven when rounding keeps the contributions from their budgets.
    """
    deviation = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(deviation, deviation)
    np.fill_diagonal(correlation, 1.0)
    y = np.sqrt(budgets)
    for _ in range(_MOST_SWEEPS):
        if _error(correlation, budgets, y) <= _NEAR:
            break
        y = _swept(correlation, budgets, y)
    y = _polished(correlation, budgets, y)
    weights = y / deviation
    weights /= weights.sum()
    contributions = weights * (cov @ weights)
    residual = float(np.abs(contributions / contributions.sum() - budgets).max())
    if not residual <= ACCURACY:
        raise Unproven(f"residual {residual:.1e}")
    return Budgeted(weights, residual)


def _error(correlation: np.ndarray, budgets: np.ndarray, y: np.ndarray) -> float:
    return float(np.abs(y * (correlation @ y) / budgets - 1).max())


def _swept(correlation: np.ndarray, budgets: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each y in turn at its best given the others: the positive root of y^2 + c y = budget."""
    y = y.copy()
    for i, budget in enumerate(budgets):
        c = correlation[i] @ y - y[i]
        root = np.sqrt(c * c + 4 * budget)
        y[i] = 2 * budget / (c + root) if c > 0 else (root - c) / 2
    return y


def _polished(correlation: np.ndarray, budgets: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Newton steps in ln(y): damped while they lower the objective measurably, then full ones
    for as long as they bring the contributions nearer."""
    error = _error(correlation, budgets, y)
    for _ in range(_MOST_STEPS):
        if error <= _GOAL:
            break
        if y @ correlation @ y <= _RISKLESS * y.sum() ** 2:
            raise Unbounded
        slope = y * (correlation @ y) - budgets
        curvature = correlation * np.outer(y, y) + np.diag(budgets)
        part = np.linalg.solve(curvature, -slope)
        fall = -float(slope @ part)
        if fall > _CLOSE:
            y = _lowered(correlation, budgets, y, part, fall)
            error = _error(correlation, budgets, y)
            continue
        new = y * (1 + part)
        new_error = _error(correlation, budgets, new)
        if not ((new > 0).all() and new_error < error):
            break
        y, error = new, new_error
    return y


def _lowered(
    correlation: np.ndarray, budgets: np.ndarray, y: np.ndarray, part: np.ndarray, fall: float
) -> np.ndarray:
    """y moved along the step, as far as half and half again keeps it positive and lowers the
    objective by a share of what the slope promises."""
    here, length = _objective(correlation, budgets, y), 1.0
    while True:
        new = y * (1 + length * part)
        if (new > 0).all() and (
            _objective(correlation, budgets, new) <= here - 0.1 * length * fall
            or length < _SHORTEST
        ):
            return new
        length /= 2


def _objective(correlation: np.ndarray, budgets: np.ndarray, y: np.ndarray) -> float:
    return float(y @ correlation @ y / 2 - budgets @ np.log(y))
