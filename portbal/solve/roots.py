"""Roots of covariances."""

from __future__ import annotations

import numpy as np


def root_of(cov: np.ndarray) -> np.ndarray:
    """A matrix R with R'R = cov, for a positive semidefinite cov of shape (n, n)."""
    try:
        return np.linalg.cholesky(cov).T
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(cov)
        kept = values > values.max(initial=0.0) * 1e-15
        return np.sqrt(values[kept])[:, None] * vectors[:, kept].T
