"""The critical line against textbooks and another program."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from portbal.solve.critical_line import critical_line, min_volatility

DATA = Path(__file__).parent / "data"
FREE = np.inf


def read(name: str) -> dict:
    return json.loads((DATA / name).read_text())


@pytest.mark.parametrize("least", [0.0, -FREE])
def test_elton_gruber_tangency(least: float) -> None:
    """Elton, Gruber, Modern Portfolio Theory: 14/18, 1/18, 3/18 at a riskfree rate of 5%,
    with short sales; no weight is negative, so that without them it is the same."""
    case = read("elton_gruber_tangency.json")
    deviation, mean = np.array(case["sd_pct"]), np.array(case["mean_pct"])
    cov = np.array(case["corr"]) * np.outer(deviation, deviation)
    line = critical_line(cov, mean, np.full(3, least), np.full(3, FREE))
    weights = line.max_sharpe(case["rf_pct"])
    np.testing.assert_allclose(weights, [14 / 18, 1 / 18, 3 / 18], atol=1e-9)
    assert weights @ cov @ weights == pytest.approx(case["published"]["variance_pct2"], rel=1e-9)
    assert weights @ mean == pytest.approx(case["published"]["mean_pct"], rel=1e-9)


def test_target_volatility() -> None:
    """Five assets, correlation 0.6, a volatility of 10%; all are held, so that Merton's
    closed form (1972, An analytic derivation of the efficient portfolio frontier) holds."""
    case = read("mvo_target_volatility.json")
    deviation, mean = np.array(case["sd"]), np.array(case["mu"])
    n = len(mean)
    cov = (case["rho"] + (1 - case["rho"]) * np.eye(n)) * np.outer(deviation, deviation)
    weights = critical_line(cov, mean, np.zeros(n), np.ones(n)).at_volatility(case["target_vol"])
    np.testing.assert_allclose(100 * weights, case["published_w_pct"], atol=0.012)
    ones, means = np.linalg.solve(cov, np.ones(n)), np.linalg.solve(cov, mean)
    a, b, c = ones.sum(), means.sum(), mean @ means
    length = np.sqrt((case["target_vol"] ** 2 - 1 / a) * a / (a * c - b**2))
    np.testing.assert_allclose(weights, ones / a + length * (means - b / a * ones), atol=1e-12)
    assert np.sqrt(weights @ cov @ weights) == pytest.approx(case["target_vol"], rel=1e-12)


def test_luenberger_three_assets() -> None:
    """Luenberger, Investment Science: means 1, 2, 3 and unit, uncorrelated variances."""
    mean = np.array([1.0, 2.0, 3.0])
    line = critical_line(np.eye(3), mean, np.full(3, -FREE), np.full(3, FREE))
    least = line.min_volatility()
    assert least @ mean == pytest.approx(2, abs=1e-12)
    assert np.linalg.norm(least) == pytest.approx(0.57735, abs=1e-5)
    for r in (2, 2.1, 2.7, 3.4, 8):
        np.testing.assert_allclose(
            line.at_return(r), [4 / 3 - r / 2, 1 / 3, r / 2 - 2 / 3], atol=1e-12)


def test_luenberger_without_short_sales() -> None:
    """The first asset leaves at r = 8/3; then it is r = 2 w2 + 3 w3 with w2 + w3 = 1."""
    mean = np.array([1.0, 2.0, 3.0])
    line = critical_line(np.eye(3), mean, np.zeros(3), np.full(3, FREE))
    np.testing.assert_allclose(line.at_return(2.5), [4 / 3 - 1.25, 1 / 3, 1.25 - 2 / 3],
                               atol=1e-12)
    np.testing.assert_allclose(line.at_return(8 / 3), [0, 1 / 3, 2 / 3], atol=1e-12)
    np.testing.assert_allclose(line.at_return(2.9), [0, 0.1, 0.9], atol=1e-12)
    np.testing.assert_array_equal(line.max_return(), [0, 0, 1])


def test_pypfopt_least_volatility_of_20_stocks() -> None:
    folder = DATA / "pypfopt_20_stocks"
    case = json.loads((folder / "min_volatility.json").read_text())
    table = pd.read_csv(folder / "cov.csv", index_col=0)
    mean = pd.read_csv(folder / "mu.csv", index_col=0).iloc[:, 0]
    assert list(mean.index) == list(table.index)
    cov, n = table.to_numpy(), len(table)
    zero, one = np.zeros(n), np.ones(n)
    expected = pd.Series(case["weights"])[table.index].to_numpy()
    line = critical_line(cov, mean.to_numpy(), zero, one)
    for weights in (min_volatility(cov, zero, one), line.min_volatility()):
        volatility = np.sqrt(weights @ cov @ weights)
        assert volatility == pytest.approx(case["volatility"], abs=1e-9)
        assert weights @ mean == pytest.approx(case["return"], abs=1e-5)
        assert (weights @ mean - 0.02) / volatility == pytest.approx(
            case["sharpe_at_2_pct"], abs=1e-5)
        np.testing.assert_allclose(weights, expected, atol=1e-5)
