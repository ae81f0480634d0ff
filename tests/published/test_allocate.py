"""Published portfolios made from risk alone, and those of other programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pypfopt import HRPOpt

from portbal import allocate, optimize
from portbal.routes import Setting

DATA = Path(__file__).parent / "data"
POINTS = 0.006  # percentage points, of figures printed with two decimals


def covariance(volatility: list[float], correlation: np.ndarray) -> pd.DataFrame:
    names = [f"Asset {i}" for i in range(1, len(volatility) + 1)]
    return pd.DataFrame(correlation * np.outer(volatility, volatility), names, names)


@pytest.fixture(scope="module")
def roncalli() -> dict:
    return json.loads((DATA / "risk_parity_roncalli.json").read_text())


def test_roncalli_equal_and_unequal_budgets(roncalli: dict) -> None:
    case = roncalli["roncalli_3assets"]
    cov = covariance(case["sd"], np.array(case["corr"]))
    equal = allocate.risk_parity(cov).value
    np.testing.assert_allclose(equal * 100, case["published"]["erc_pct"], atol=POINTS)
    np.testing.assert_allclose(equal, case["recomputed"]["erc"], atol=1e-9)
    budgets = pd.Series([0.5, 0.2, 0.3], cov.index)
    found = allocate.risk_parity(cov, budgets).value
    np.testing.assert_allclose(found * 100, case["published"]["rb_50_20_30_pct"], atol=POINTS)
    np.testing.assert_allclose(found, case["recomputed"]["rb"], atol=1e-9)
    volatility = np.sqrt(found @ cov @ found)
    assert volatility * 100 == pytest.approx(case["published"]["rb_vol_pct"], abs=POINTS)


@pytest.mark.parametrize("common", [-0.3, 0.0, 0.5, 0.99])
def test_a_constant_correlation_gives_inverse_volatility(roncalli: dict, common: float) -> None:
    """Maillard, Roncalli, Teiletche (2010): exact, and so is maximum diversification
    (Choueifaty and Coignard 2008)."""
    case = roncalli["constant_correlation"]
    n = len(case["sd"])
    cov = covariance(case["sd"], common + (1 - common) * np.eye(n))
    np.testing.assert_allclose(allocate.risk_parity(cov).value, case["erc"], atol=1e-13)
    np.testing.assert_allclose(
        optimize.max_diversification(cov).weights, case["erc"], atol=1e-12)
    limits = pd.DataFrame([("gross", np.nan, 1.0)], columns=["Limit", "Min", "Max"])
    conic = optimize.max_diversification(cov, Setting(limits)).weights
    np.testing.assert_allclose(conic, case["erc"], atol=1e-7)


def test_lopez_de_prado_ten_assets() -> None:
    folder = DATA / "hrp_lopez_de_prado"
    case = json.loads((folder / "expected.json").read_text())
    cov = pd.read_csv(folder / "covariance.csv", header=None)
    found = allocate.hrp(cov).value
    np.testing.assert_allclose(found * 100, case["published_pct"]["HRP"], atol=POINTS)
    np.testing.assert_allclose(
        found, case["recomputed"]["hrp_distance_of_distances"], atol=1e-12)
    plain = allocate.hrp(cov, "plain").value
    np.testing.assert_allclose(plain, case["recomputed"]["hrp_plain_corr_distance"], atol=1e-12)
    correlation = pd.read_csv(folder / "correlation.csv", header=None).to_numpy()
    distances = np.sqrt((1 - correlation) / 2)
    order = allocate.METHODS["lopez-de-prado"](distances, "single")
    assert list(order + 1) == case["published_pct"]["order"]


def test_pypfopt_twenty_stocks_from_their_returns() -> None:
    """PyPortfolioOpt's own figures: a tree of pairwise correlations over a pairwise covariance,
    whose histories differ in length."""
    folder = DATA / "pypfopt_20_stocks"
    cov = pd.read_csv(folder / "cov.csv", index_col=0)
    correlation = pd.read_csv(folder / "correlation.csv", index_col=0)
    expected = pd.read_csv(folder / "weights_hrp.csv", index_col=0).iloc[:, 0]
    distances = np.sqrt((1 - correlation.to_numpy()) / 2)
    leaves = allocate.METHODS["plain"](distances, "single")
    found = pd.Series(allocate.halved(cov.to_numpy(), leaves), cov.index)
    np.testing.assert_allclose(found[expected.index], expected, atol=1e-8)


@pytest.mark.parametrize("linkage", allocate.LINKAGES)
def test_pypfopt_twenty_stocks_from_their_covariance(linkage: str) -> None:
    cov = pd.read_csv(DATA / "pypfopt_20_stocks" / "cov.csv", index_col=0)
    expected = pd.Series(HRPOpt(cov_matrix=cov).optimize(linkage))
    found = allocate.hrp(cov, "plain", linkage).value
    np.testing.assert_allclose(found[expected.index], expected, atol=1e-8)
