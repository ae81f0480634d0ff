"""Half-spaces that hold all portfolios which a curved limit permits, and not the one at hand."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from portbal.solve.expressions import (
    CappedSum,
    Expression,
    LargestSum,
    Norm,
    TailMean,
)


def half_space(
    expression: Expression, weights: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, float, float]:
    """Coefficients (n,) and bounds of a linear row that every portfolio keeps which the
    expression keeps within low and high (one of them infinite where it is curved), and that is
    as tight as can be at ``weights`` (n,)."""
    slope = gradient(expression, weights)
    shift = float(slope @ weights) - expression.value(weights)
    return slope, low + shift, high + shift


@singledispatch
def gradient(expression: Expression, weights: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """A (sub- or super-) gradient at weights, both of shape (n,)."""
    raise TypeError(f"{type(expression).__name__} has no gradient here")


@gradient.register
def _(expression: Norm, weights: np.ndarray) -> np.ndarray:
    away = expression.root @ (weights - expression.centre)
    size = float(np.linalg.norm(away))
    return expression.root.T @ away / size if size > 0 else np.zeros(len(weights))


@gradient.register
def _(expression: TailMean, weights: np.ndarray) -> np.ndarray:
    scenarios = expression.scenarios
    m = (1 - expression.level) * len(scenarios)
    k = min(int(m), len(scenarios) - 1)
    worst = np.argsort(scenarios @ weights, kind="stable")[: k + 1]
    share = np.append(np.ones(k), m - k)
    return -(share @ scenarios[worst]) / m


@gradient.register
def _(expression: LargestSum, weights: np.ndarray) -> np.ndarray:
    used = np.flatnonzero(expression.mask)
    largest = used[np.argsort(-weights[used], kind="stable")[: expression.count]]
    result = np.zeros(len(weights))
    result[largest] = 1.0
    return result


@gradient.register
def _(expression: CappedSum, weights: np.ndarray) -> np.ndarray:
    return (weights < expression.cap).astype(float)
