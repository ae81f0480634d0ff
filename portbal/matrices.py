"""Covariance matrices: what makes one, and the nearest one to a matrix that is none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError, NotAvailable
from portbal.result import Noted

# relative to the largest eigenvalue: what rounding leaves of an exact zero
_NEGATIVE = 1e-10
# relative to the largest entry
_ASYMMETRIC = 1e-8
# relative to the variance if all members moved together
_RISKLESS = 1e-14
# relative to the largest volatility
_STILL = 1e-12
_UNIT_DIAGONAL = 1e-9
_CONVERGED = 1e-13
_MOST_STEPS = 20_000


def covariance(cov: pd.DataFrame, argument: str = "cov") -> tuple[pd.Index, np.ndarray]:
    """The names and the values of a covariance matrix, checked.

    cov      square, the same names in rows and columns, in any order
    returns  the row names, and a read-only array of shape (n, n) in their order,
             exactly symmetric

    InputError when a name is repeated or a side lacks it, an entry is not finite, a variance is
    negative, entries mirrored at the diagonal differ by more than 1e-8 of the largest entry, or
    the smallest eigenvalue is below -1e-10 times the largest (such a matrix gives some
    portfolios a negative variance).
    """
    index, values = symmetric(cov, argument)
    for label, variance in zip(index, np.diag(values), strict=True):
        if variance < 0:
            raise InputError(
                f"the variance of {labels.shorten(label)} is {variance:.6g}, below zero",
                fix="Correct it, or repair the matrix with NEARESTPSD.", argument=argument,
                row=label, column=label,
            )
    negative = negative_eigenvalue(values)
    if negative is not None:
        raise InputError(
            f"it is not positive semidefinite: its lowest eigenvalue is {negative:.3g}",
            fix="Repair it with NEARESTPSD, or estimate it from histories of equal length.",
            argument=argument,
        )
    return index, values


def negative_eigenvalue(values: np.ndarray) -> float | None:
    """The smallest eigenvalue of a symmetric matrix (n, n) when it is below -1e-10 times the
    largest, else None."""
    allowed = _NEGATIVE * max(float(np.diag(values).max()), 0.0)
    try:
        np.linalg.cholesky(values + allowed * np.eye(len(values)))
    except np.linalg.LinAlgError:
        eigenvalues = np.linalg.eigvalsh(values)
        if eigenvalues[0] < -_NEGATIVE * max(eigenvalues[-1], 0.0):
            return float(eigenvalues[0])
    return None


def symmetric(matrix: pd.DataFrame, argument: str = "matrix") -> tuple[pd.Index, np.ndarray]:
    """The names and the values of a symmetric matrix, checked as `covariance` does, save that
    eigenvalues and diagonal may have any sign."""
    index = matrix.index
    if not len(index):
        raise InputError("it is empty", fix="Select a matrix.", argument=argument)
    labels.positions(index, argument=argument)
    order = labels.matching(
        index, matrix.columns, argument=argument, reference=f"the rows of {argument}"
    )
    values = matrix.to_numpy(dtype=float)[:, order]
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            "a number is missing or infinite", fix="Enter a finite number.", argument=argument,
            row=index[row], column=index[column],
        )
    gap = np.abs(values - values.T)
    if gap.max() > _ASYMMETRIC * np.abs(values).max():
        row, column = np.unravel_index(gap.argmax(), gap.shape)
        raise InputError(
            f"it is not symmetric: {labels.shorten(index[row])} with "
            f"{labels.shorten(index[column])} is {values[row, column]:.6g}, the other way round "
            f"{values[column, row]:.6g}",
            fix="Make both entries the same.", argument=argument,
            row=index[row], column=index[column],
        )
    result = (values + values.T) / 2
    result.setflags(write=False)
    return index, result


def held(weights: pd.Series, cov: pd.DataFrame) -> tuple[pd.Index, np.ndarray, np.ndarray]:
    """Weights and covariance of the same assets: those of ``weights`` in its order and
    spelling, then the others of ``cov``, whose weight is 0.

    Returns names, weights (n,) and covariance (n, n). InputError for an unknown name in
    weights and for what `covariance` refuses.
    """
    index, sigma = covariance(cov)
    labels.filled(weights, index, argument="weights", reference="cov")
    names = labels.union(weights.index, index)
    order = labels.matching(names, index, argument="cov", reference="weights")
    w = labels.filled(weights, names, argument="weights", reference="cov")
    return names, w.to_numpy(), sigma[np.ix_(order, order)]


def variances(portfolios: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """p Sigma p' of each row of ``portfolios`` (k, n); exactly 0 where it is but rounding."""
    result = np.einsum("ki,ki->k", portfolios @ sigma, portfolios)
    most = (np.abs(portfolios) @ np.sqrt(np.diag(sigma))) ** 2
    return np.where(result <= _RISKLESS * most, 0.0, result)


def still(sigma: np.ndarray) -> np.ndarray:
    """Boolean mask (n,) of the assets without volatility, or with less than 1e-12 of the largest,
    which is what rounding leaves of returns that never change."""
    deviation = np.sqrt(np.diag(sigma))
    return deviation <= _STILL * deviation.max()


def nearest_psd(matrix: pd.DataFrame) -> Noted[pd.DataFrame]:
    """The positive semidefinite matrix nearest to a symmetric one in the Frobenius norm.

    With ones on the diagonal the answer is a correlation matrix: alternating projections with
    Dykstra's correction (Higham 2002, IMA Journal of Numerical Analysis 22, algorithm 3.3).
    Otherwise negative eigenvalues become zero (Higham 1988, theorem 2.1), which raises some
    variances. A matrix that already is positive semidefinite is returned as it is; else a note
    gives the largest absolute change.
    """
    index, values = symmetric(matrix)
    if negative_eigenvalue(values) is None:
        return Noted(pd.DataFrame(values, index=index, columns=index))
    is_correlation = bool(np.all(np.abs(np.diag(values) - 1) <= _UNIT_DIAGONAL))
    nearest = _nearest_correlation(values) if is_correlation else _clipped(values)
    change = np.abs(nearest - values).max()
    return Noted(
        pd.DataFrame(nearest, index=index, columns=index),
        notes=(f"The matrix was repaired; its entries moved by at most {change:.3g}.",),
    )


def largest_change(matrix: pd.DataFrame, nearest: Noted[pd.DataFrame]) -> Noted[float]:
    """The largest absolute difference between a matrix and what `nearest_psd` made of it."""
    _, before = symmetric(matrix)
    change = float(np.abs(nearest.value.to_numpy() - before).max())
    return Noted(change, notes=nearest.notes)


def _clipped(values: np.ndarray) -> np.ndarray:
    eigenvalues, vectors = np.linalg.eigh(values)
    positive = eigenvalues > 0
    half = vectors[:, positive] * np.sqrt(eigenvalues[positive])
    return half @ half.T


def _nearest_correlation(values: np.ndarray) -> np.ndarray:
    correction = np.zeros_like(values)
    unit = values.copy()
    for _ in range(_MOST_STEPS):
        before = unit
        reduced = unit - correction
        semidefinite = _clipped(reduced)
        correction = semidefinite - reduced
        unit = semidefinite.copy()
        np.fill_diagonal(unit, 1.0)
        gap = max(np.abs(unit - before).max(), np.abs(unit - semidefinite).max())
        if gap <= _CONVERGED * np.abs(unit).max():
            return unit
    raise NotAvailable(
        f"the nearest correlation matrix was not found in {_MOST_STEPS} steps",
        fix="Estimate the matrix from histories of equal length.", argument="matrix",
    )
