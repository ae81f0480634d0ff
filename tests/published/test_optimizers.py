"""Published optimal portfolios, and those of other programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from portbal import optimize, optimize_tail
from portbal.routes import Setting

DATA = Path(__file__).parent / "data"


def read(name: str) -> dict:
    return json.loads((DATA / name).read_text())


def test_elton_gruber_tangency() -> None:
    """Elton, Gruber, Modern Portfolio Theory: 14/18, 1/18, 3/18 at a riskfree rate of 5%."""
    case = read("elton_gruber_tangency.json")
    sd = np.array(case["sd_pct"]) / 100
    cov = pd.DataFrame(np.array(case["corr"]) * np.outer(sd, sd), case["assets"], case["assets"])
    mu = pd.Series(np.array(case["mean_pct"]) / 100, case["assets"])
    found = optimize.max_sharpe(mu, cov, case["rf_pct"] / 100)
    np.testing.assert_allclose(found.weights, [14 / 18, 1 / 18, 3 / 18], atol=1e-9)
    limited = pd.DataFrame([("gross", np.nan, 1.0)], columns=["Limit", "Min", "Max"])
    found = optimize.max_sharpe(mu, cov, case["rf_pct"] / 100, Setting(limited))
    np.testing.assert_allclose(found.weights, [14 / 18, 1 / 18, 3 / 18], atol=1e-7)


def test_target_volatility() -> None:
    case = read("mvo_target_volatility.json")
    sd = np.array(case["sd"])
    n = len(sd)
    names = [f"Asset {i}" for i in range(1, n + 1)]
    correlation = np.full((n, n), case["rho"]) + (1 - case["rho"]) * np.eye(n)
    cov = pd.DataFrame(correlation * np.outer(sd, sd), names, names)
    mu = pd.Series(case["mu"], names)
    found = optimize.target_volatility(mu, cov, case["target_vol"])
    np.testing.assert_allclose(found.weights * 100, case["published_w_pct"], atol=0.012)
    np.testing.assert_allclose(found.weights, case["recomputed_w"], atol=1e-6)


def test_rockafellar_uryasev_minimum_variance_and_cvar_under_normality() -> None:
    """Rockafellar, Uryasev (2000), tables 2 to 5: for normal returns minimum variance and
    minimum CVaR coincide."""
    case = read("rockafellar_uryasev_2000.json")
    names = case["instruments"]
    mu = pd.Series(case["mean"], names)
    cov = pd.DataFrame(case["covariance"], names, names)
    found = optimize.target_return(mu, cov, case["min_return"])
    np.testing.assert_allclose(found.weights, case["pub_weights"], atol=2e-5)
    assert found.objective**2 == pytest.approx(case["pub_variance"], abs=2e-6)
    for level, figures in case["betas"].items():
        z = stats.norm.ppf(float(level))
        cvar = found.objective * stats.norm.pdf(z) / (1 - float(level)) - mu @ found.weights
        assert cvar == pytest.approx(figures["pub_CVaR"], abs=2e-6)


def test_rockafellar_uryasev_minimum_cvar_of_normal_scenarios() -> None:
    """The program of eq. 17 on scenarios that have the paper's mean and covariance exactly.

    2,000 pairs of opposite draws approximate the normal distribution; the paper's own Monte
    Carlo weights with 1,000 to 20,000 samples lie up to 0.1 from the exact ones.
    """
    case = read("rockafellar_uryasev_2000.json")
    draws = stats.qmc.MultivariateNormalQMC(np.zeros(3), rng=7).random(2048)
    draws = np.vstack([draws, -draws])
    draws = draws @ np.linalg.inv(np.linalg.cholesky(np.cov(draws.T, ddof=0))).T
    values = draws @ np.linalg.cholesky(np.array(case["covariance"])).T + case["mean"]
    returns = pd.DataFrame(values, columns=case["instruments"])
    found = optimize_tail.min_cvar(returns, 0.95, case["min_return"], Setting(periods=1))
    np.testing.assert_allclose(found.weights, case["pub_weights"], atol=0.02)
    assert found.objective == pytest.approx(case["betas"]["0.95"]["pub_CVaR"], rel=0.01)


@pytest.fixture(scope="module")
def riskfolio() -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = DATA / "riskfolio_10_stocks"
    returns = pd.read_csv(folder / "returns.csv", index_col=0, parse_dates=True)
    return returns, pd.read_csv(folder / "min_risk_weights.csv", index_col=0)


def test_riskfolio_minimum_variance(riskfolio: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    returns, weights = riskfolio
    found = optimize.min_volatility(returns.cov() * 252)
    np.testing.assert_allclose(found.weights, weights["MV"], atol=1e-5)


def test_riskfolio_minimum_cvar(riskfolio: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    returns, weights = riskfolio
    found = optimize_tail.min_cvar(returns, 0.95)
    np.testing.assert_allclose(found.weights, weights["CVaR"], atol=1e-5)


@pytest.mark.parametrize(
    ("measure", "column"), [("maximum", "MDD"), ("average", "ADD"), ("cdar", "CDaR")])
def test_riskfolio_minimum_drawdowns(
    riskfolio: tuple[pd.DataFrame, pd.DataFrame], measure: str, column: str
) -> None:
    """Riskfolio-Lib's drawdowns are those of cumulated returns, at 95% for CDaR."""
    returns, weights = riskfolio
    found = optimize_tail.min_drawdown(returns, measure, 0.95)
    np.testing.assert_allclose(found.weights, weights[column], atol=1e-5)
