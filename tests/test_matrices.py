"""What counts as a covariance matrix, and the nearest one to a matrix that does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portbal import matrices
from portbal.errors import InputError
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = list("ABCD")


def frame(values: Any) -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return pd.DataFrame(values, NAMES[: len(values)], NAMES[: len(values)])


def random_symmetric(seed: int, n: int = 4) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(n, n))
    return values + values.T


def test_a_covariance_is_read_in_the_order_of_its_rows() -> None:
    values = frame([[4, 1, 2], [1, 9, 3], [2, 3, 16]])
    index, found = matrices.covariance(values[["C", "A", "B"]])
    assert list(index) == ["A", "B", "C"]
    np.testing.assert_array_equal(found, values)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


@pytest.mark.parametrize("gap", [-3e-10, -3e-11, 0.0])
def test_the_smallest_eigenvalue_may_be_rounding(gap: float) -> None:
    """-1e-10 of the largest eigenvalue is the line."""
    q, _ = np.linalg.qr(random_symmetric(1))
    values = frame(q @ np.diag([gap * 5, 1.0, 2.0, 5.0]) @ q.T)
    if gap < -1e-10:
        with pytest.raises(InputError, match="positive semidefinite") as refused:
            matrices.covariance(values, "cov")
        assert refused.value.argument == "cov"
        assert "NEARESTPSD" in refused.value.fix
    else:
        matrices.covariance(values)


def test_singular_and_zero_matrices_are_covariances() -> None:
    matrices.covariance(frame(np.ones((3, 3))))
    matrices.covariance(frame(np.zeros((3, 3))))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[1, 0.5], [0.4, 1]], "not symmetric"),
        ([[1, np.nan], [0.4, 1]], "missing or infinite"),
        ([[-1, 0], [0, 1]], "below zero"),
        ([[1, 2], [2, 1]], "positive semidefinite"),
    ],
)
def test_what_is_no_covariance(values: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        matrices.covariance(frame(values))


def test_both_sides_have_the_same_names_once() -> None:
    values = np.eye(2)
    with pytest.raises(InputError, match="'B' is not in the rows"):
        matrices.covariance(pd.DataFrame(values, ["A", "C"], ["A", "B"]))
    with pytest.raises(InputError, match="occurs twice"):
        matrices.covariance(pd.DataFrame(values, ["A", "a"], ["A", "a"]))


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_nearest_psd_is_the_projection_on_the_cone(seed: int) -> None:
    """X = A+ exactly when X >= 0, X - A >= 0 and X (X - A) = 0."""
    values = random_symmetric(seed)
    found = matrices.nearest_psd(frame(values)).value.to_numpy()
    assert np.linalg.eigvalsh(found)[0] > -1e-12
    assert np.linalg.eigvalsh(found - values)[0] > -1e-12
    np.testing.assert_allclose(found @ (found - values), 0, atol=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_nearest_correlation_meets_its_optimality_conditions(seed: int) -> None:
    """X = (A + diag(y))+ for some y (Higham 2002, theorem 2.4): X - A - diag(y) is positive
    semidefinite and orthogonal to X."""
    values = np.clip(random_symmetric(seed), -1, 1)
    np.fill_diagonal(values, 1.0)
    found = matrices.nearest_psd(frame(values)).value.to_numpy()
    np.testing.assert_allclose(np.diag(found), 1, rtol=0, atol=1e-15)
    assert np.linalg.eigvalsh(found)[0] > -1e-10
    slack = found - values
    # (slack - diag(y)) X = 0 has the diagonal y_i = (slack X)_ii
    rest = slack - np.diag(np.diag(slack @ found))
    assert np.linalg.eigvalsh(rest)[0] > -1e-6
    np.testing.assert_allclose(rest @ found, 0, atol=1e-6)


def test_a_good_matrix_is_left_alone() -> None:
    values = frame([[0.04, 0.01], [0.01, 0.02]])
    found = matrices.nearest_psd(values)
    pd.testing.assert_frame_equal(found.value, values, rtol=0, atol=0)
    assert found.notes == ()


def test_the_formula_shows_the_matrix_or_the_change() -> None:
    cells = Block.of([["", "A", "B"], ["A", 4, 6], ["B", 6, 4]])
    matrix = find("NEARESTPSD").invoke(cells)
    assert isinstance(matrix, Answer)
    assert matrix.block.rows == ((None, "A", "B"), ("A", pytest.approx(5), pytest.approx(5)),
                                 ("B", pytest.approx(5), pytest.approx(5)))
    assert len(matrix.notes) == 1
    change = find("NEARESTPSD").invoke(cells, Block.of("change"))
    assert isinstance(change, Answer)
    assert change.block.rows == ((pytest.approx(1),),)


def test_an_asymmetric_matrix_is_not_repaired() -> None:
    found = find("NEARESTPSD").invoke(Block.of([["", "A", "B"], ["A", 1, 2], ["B", 1, 1]]))
    assert isinstance(found, Problem)
    assert "not symmetric" in found.message
