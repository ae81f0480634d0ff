"""Covariance estimates and matrix repairs that papers and other programs published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import ledoit_wolf

from portbal import matrices, prices
from portbal.estimate import covariance

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    """120 daily returns of 20 US stocks until 2022-12-28: the last 121 rows of skfolio's
    S&P 500 data set (BSD-3)."""
    table = pd.read_csv(
        DATA / "skfolio_sp500_last_121_prices.csv", index_col=0, parse_dates=True
    )
    return prices.returns(table)


def test_ledoit_wolf_intensity_on_120_days(returns: pd.DataFrame) -> None:
    """scikit-learn 1.x gives 0.06005264107879688 for these rows; read it off an entry."""
    shrunk = covariance.ledoit_wolf(returns, 252).to_numpy()
    population = np.cov(returns.to_numpy().T, ddof=0) * 252
    off = ~np.eye(20, dtype=bool)
    np.testing.assert_allclose(1 - shrunk[off] / population[off], 0.06005264107879688, atol=1e-8)


def test_ledoit_wolf_is_scikit_learns(returns: pd.DataFrame) -> None:
    expected, _ = ledoit_wolf(returns.to_numpy())
    shrunk = covariance.ledoit_wolf(returns, 252)
    np.testing.assert_allclose(shrunk, expected * 252, rtol=1e-12, atol=0)


def test_sample_covariance_of_pypfopt() -> None:
    """PyPortfolioOpt 1.6, tests/test_risk_models.py: its five dummy prices, frequency 1."""
    table = pd.DataFrame(
        [[4.0, 2.0, 0.6], [4.2, 2.1, 0.59], [3.9, 2.0, 0.58], [4.3, 2.1, 0.62], [4.1, 2.2, 0.63]],
        columns=["A", "B", "C"],
    )
    expected = [
        [0.006661687937656102, 0.00264970955585574, 0.0020849735375206195],
        [0.00264970955585574, 0.0023450491307634215, 0.00096770864287974],
        [0.0020849735375206195, 0.00096770864287974, 0.0016396416271856837],
    ]
    found = covariance.sample(prices.returns(table), 1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_nearest_correlation_of_higham() -> None:
    """Higham (2002), IMA Journal of Numerical Analysis 22, section 4: off-diagonals 0.7607
    and 0.1573 to four digits."""
    names = ["A", "B", "C"]
    matrix = pd.DataFrame([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]], names, names)
    found = matrices.nearest_psd(matrix).value.to_numpy()
    np.testing.assert_allclose(
        found, [[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]], atol=5e-5
    )
    assert np.linalg.eigvalsh(found)[0] > -1e-12
