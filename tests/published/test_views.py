"""The tables of He and Litterman (1999), to the digits they print."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from portbal import views

CASE = json.loads((Path(__file__).parent / "data" / "he_litterman_1999.json").read_text())
PRINTED = 0.051  # points: half of the last digit


@pytest.fixture(scope="module")
def cov() -> pd.DataFrame:
    sd = np.array(CASE["volatility"])
    values = np.array(CASE["correlation"]) * np.outer(sd, sd)
    return pd.DataFrame(values, CASE["assets"], CASE["assets"])


@pytest.fixture(scope="module")
def equilibrium(cov: pd.DataFrame) -> pd.Series:
    weights = pd.Series(CASE["market_weights"], CASE["assets"])
    return views.implied_returns(weights, cov, CASE["risk_aversion"])


def asked(table: str) -> pd.DataFrame:
    case = CASE["tables"][table]
    result = pd.DataFrame(case["picks"], columns=CASE["assets"])
    result["Return"] = case["returns"]
    return result


def test_equilibrium_returns(equilibrium: pd.Series) -> None:
    np.testing.assert_allclose(equilibrium * 100, CASE["equilibrium_pct"], atol=PRINTED)


@pytest.mark.parametrize("table", ["table4", "table5"])
def test_posterior_returns(table: str, cov: pd.DataFrame, equilibrium: pd.Series) -> None:
    found = views.black_litterman(equilibrium, cov, asked(table), CASE["tau"]).value
    published = CASE["tables"][table]["posterior_pct"]
    np.testing.assert_allclose(found["Posterior"] * 100, published, atol=PRINTED)


@pytest.mark.parametrize("table", ["table4", "table5"])
def test_weights_by_posterior_covariance(
    table: str, cov: pd.DataFrame, equilibrium: pd.Series
) -> None:
    """w = (delta (Sigma + M))^-1 mu, and its deviation from w_eq / (1 + tau)."""
    case, tau = CASE["tables"][table], CASE["tau"]
    mean = views.black_litterman(equilibrium, cov, asked(table), tau).value["Posterior"]
    total = views.posterior_covariance(cov, asked(table), tau).value
    weights = np.linalg.solve(CASE["risk_aversion"] * total.to_numpy(), mean)
    np.testing.assert_allclose(weights * 100, case["weights_pct"], atol=PRINTED)
    deviation = weights - np.array(CASE["market_weights"]) / (1 + tau)
    np.testing.assert_allclose(deviation * 100, case["deviation_pct"], atol=PRINTED)


@pytest.mark.parametrize("table", ["table4", "table5"])
def test_published_omega_as_variances(
    table: str, cov: pd.DataFrame, equilibrium: pd.Series
) -> None:
    """The tables print omega / tau, 0.021 and 0.017; as View, Variance they give the same."""
    case, tau = CASE["tables"][table], CASE["tau"]
    variances = pd.DataFrame({
        "View": [str(k) for k in range(1, len(case["returns"]) + 1)],
        "Variance": np.array(case["omega_over_tau"]) * tau,
    })
    found = views.black_litterman(equilibrium, cov, asked(table), tau, variances).value
    np.testing.assert_allclose(found["Posterior"] * 100, case["posterior_pct"], atol=0.08)


def test_words_say_what_the_pick_matrix_says(cov: pd.DataFrame, equilibrium: pd.Series) -> None:
    """Table 4: Germany outperforms the rest of Europe, by market weight, by 5%."""
    words = pd.DataFrame({
        "View": ["Germany - 0.2954545454545454*France - 70.45454545454546% * uk"],
        "Return": [0.05], "Confidence": [np.nan],
    })
    found = views.black_litterman(equilibrium, cov, words).value["Posterior"]
    same = views.black_litterman(equilibrium, cov, asked("table4")).value["Posterior"]
    np.testing.assert_allclose(found, same, rtol=1e-13)
