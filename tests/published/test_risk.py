"""Risk figures that papers and other programs published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from portbal import risk, tail
from portbal.losses.laws import Moments, cornish_fisher, normal
from reference_data import monthly

HERE = Path(__file__).parent
PEERS = json.loads((HERE / "data" / "performanceanalytics_edhec.json").read_text())
LEVELS = (0.95, 0.99)
# our method and the option with which it is theirs
SAME = {
    "historical": ("historical", {"tail": "beyond"}),
    "gaussian": ("normal", {"moments": "population"}),
    "modified": ("cornish-fisher", {}),
}


def test_roncalli_contributions() -> None:
    case = json.loads((HERE / "data" / "roncalli_contributions.json").read_text())
    names = ["A", "B", "C"]
    sd = np.array(case["volatility"])
    cov = pd.DataFrame(np.array(case["correlation"]) * np.outer(sd, sd), names, names)
    weights = pd.Series(case["weights"], names)
    found = risk.contributions(weights, cov)
    for column, published in (
        ("Marginal", "marginal_pct"), ("Contribution", "contribution_pct"), ("Share", "share_pct"),
    ):
        np.testing.assert_allclose(found[column] * 100, case[published], atol=0.006)
    assert risk.volatility(weights, cov) * 100 == pytest.approx(
        case["portfolio_volatility_pct"], abs=0.006
    )


@pytest.mark.parametrize("level", ["0.9", "0.95", "0.99"])
def test_rockafellar_uryasev_normal_var_and_cvar(level: str) -> None:
    """Rockafellar, Uryasev (2000): VaR and CVaR of their mix when returns are normal."""
    case = json.loads((HERE / "data" / "rockafellar_uryasev_2000.json").read_text())
    names = case["instruments"]
    weights = pd.Series(case["pub_weights"], names)
    cov = pd.DataFrame(case["covariance"], names, names)
    mean = risk.portfolio_return(weights, pd.Series(case["mean"], names))
    found = normal(Moments(mean, risk.volatility(weights, cov)), float(level))
    published = case["betas"][level]
    assert found.var == pytest.approx(published["pub_VaR"], abs=2e-6)
    assert found.cvar == pytest.approx(published["pub_CVaR"], abs=2e-6)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("index", PEERS["indices"])
def test_performance_analytics_from_moments(index: str, level: float) -> None:
    """R's gaussian and modified VaR and ES follow from the four moments alone."""
    theirs = PEERS["indices"][index]
    moments = Moments(
        theirs["mean"], theirs["deviation"], theirs["skewness"], theirs["excess_kurtosis"]
    )
    for name, found in (
        ("gaussian", normal(moments, level)),
        ("modified", cornish_fisher(moments, level)),
    ):
        assert found.var == pytest.approx(-theirs[f"VaR_{name}_{level}"], abs=1e-9)
        assert found.cvar == pytest.approx(-theirs[f"ES_{name}_{level}"], abs=1e-9)


@pytest.fixture(scope="module")
def edhec() -> pd.DataFrame:
    return monthly(PEERS["file"])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("method", SAME)
@pytest.mark.parametrize("index", PEERS["indices"])
def test_performance_analytics_from_returns(
    index: str, method: str, level: float, edhec: pd.DataFrame
) -> None:
    theirs = PEERS["indices"][index]
    ours, options = SAME[method]
    var = tail.var(edhec[[index]], None, level, ours, 1, options)
    cvar = tail.cvar(edhec[[index]], None, level, ours, 1, options)
    assert var.value == pytest.approx(-theirs[f"VaR_{method}_{level}"], abs=1e-9)
    assert cvar.value == pytest.approx(-theirs[f"ES_{method}_{level}"], abs=1e-9)
