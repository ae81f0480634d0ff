"""The efficient frontiers of Beasley's OR-Library: 31 to 225 assets, long only.

J. E. Beasley, OR-Library; T.-J. Chang, N. Meade, J. E. Beasley, Y. M. Sharaiha (2000),
Heuristics for cardinality constrained portfolio optimisation. The frontiers are printed to
ten digits, which is why their variances can only be met to about 4e-7.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from portbal.solve.critical_line import CriticalLine, critical_line, min_volatility, optimality

DATA = Path(__file__).parent / "data" / "orlib"
INSTANCES = [(1, 31), (2, 85), (3, 89), (4, 98), (5, 225)]


def numbers(name: str) -> list[float]:
    return [float(word) for word in gzip.decompress((DATA / name).read_bytes()).split()]


@cache
def instance(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Means (n,) and covariance (n, n)."""
    first, *rest = numbers(f"port{number}.txt.gz")
    n = int(first)
    mean, deviation = np.array(rest[: 2 * n]).reshape(n, 2).T
    i, j, correlation = np.array(rest[2 * n :]).reshape(-1, 3).T
    i, j = i.astype(int) - 1, j.astype(int) - 1
    matrix = np.full((n, n), np.nan)
    matrix[i, j] = matrix[j, i] = correlation
    assert np.isfinite(matrix).all()
    return mean, matrix * np.outer(deviation, deviation)


@cache
def line(number: int) -> CriticalLine:
    mean, cov = instance(number)
    return critical_line(cov, mean, np.zeros(len(mean)), np.ones(len(mean)))


@cache
def published(number: int) -> np.ndarray:
    """Return and variance (2000, 2), from the most return to the least variance."""
    return np.array(numbers(f"portef{number}.txt.gz")).reshape(-1, 2)


@pytest.mark.parametrize(("number", "size"), INSTANCES)
def test_frontier(number: int, size: int) -> None:
    mean, cov = instance(number)
    assert len(mean) == size
    frontier = published(number)
    assert len(frontier) == 2000
    # The last published point of port1 lies 4e-8 below the return of the least variance.
    least = line(number).min_volatility() @ mean
    for target, variance in frontier[np.linspace(0, 1999, 100).astype(int)]:
        weights = line(number).at_return(target)
        assert weights @ mean == pytest.approx(max(target, least), abs=1e-9)
        assert weights @ cov @ weights == pytest.approx(variance, rel=1e-6)


@pytest.mark.parametrize(("number", "size"), INSTANCES)
def test_ends_of_the_frontier(number: int, size: int) -> None:
    mean, cov = instance(number)
    (top, riskiest), (bottom, least) = published(number)[[0, -1]]
    best = line(number).max_return()
    assert best @ mean == pytest.approx(top, abs=1e-9)
    assert best @ cov @ best == pytest.approx(riskiest, rel=1e-6)
    for weights in (line(number).min_volatility(),
                    min_volatility(cov, np.zeros(size), np.ones(size))):
        assert weights @ mean == pytest.approx(bottom, abs=1e-7)
        assert weights @ cov @ weights == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize(("number", "size"), INSTANCES)
def test_turning_points_are_optimal(number: int, size: int) -> None:
    mean, cov = instance(number)
    lower, upper = np.zeros(size), np.ones(size)
    for lam, weights in zip(line(number).lam, line(number).weights, strict=True):
        assert optimality(cov, mean, lam, weights, lower, upper) <= 1e-12


@pytest.mark.parametrize("number", [number for number, _ in INSTANCES])
def test_target_volatility_meets_the_frontier(number: int) -> None:
    mean, cov = instance(number)
    for target, variance in published(number)[100:1900:200]:
        weights = line(number).at_volatility(np.sqrt(variance))
        assert weights @ cov @ weights == pytest.approx(variance, rel=1e-10)
        assert weights @ mean == pytest.approx(target, rel=1e-5)
