"""VaR, CVaR and GARCH as other programs compute them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from portbal import tail
from portbal.losses import filtered

HERE = Path(__file__).parent
PEERS = json.loads((HERE / "data" / "peers_risk.json").read_text())
STOCKS = (
    HERE.parents[1] / "templates" / "portbal_templates" / "data" / "us_stocks_daily.csv"
)
# with this option the VaR is theirs; the CVaR is theirs as it is
THEIRS = {"riskfolio": {"quantile": 1}, "skfolio": {"quantile": "losses"}}


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    table = pd.read_csv(HERE / "data" / "riskfolio_10_stocks" / "returns.csv", index_col=0)
    return table.iloc[: PEERS["rows"]]


@pytest.mark.parametrize("program", THEIRS)
@pytest.mark.parametrize("level", PEERS["tails"])
def test_riskfolio_and_skfolio(level: str, program: str, returns: pd.DataFrame) -> None:
    equal = pd.Series(1 / returns.shape[1], returns.columns)
    for name, theirs in PEERS["tails"][level].items():
        data = (returns, equal) if name == "equal weights" else (returns[[name]], None)
        var = tail.var(*data, float(level), options=THEIRS[program])
        cvar = tail.cvar(*data, float(level))
        assert var.value == pytest.approx(theirs[program][0], abs=1e-9)
        assert cvar.value == pytest.approx(theirs[program][1], abs=1e-9)


@pytest.mark.parametrize("stock", PEERS["garch"])
def test_arch(stock: str) -> None:
    """arch keeps the variance before the first return fixed while it fits; ours moves with the
    mean, which changes the parameters in the fourth digit."""
    theirs = PEERS["garch"][stock]
    values = pd.read_csv(STOCKS, index_col=0)[stock].pct_change().dropna().to_numpy()
    found = filtered.garch(values)
    assert found.loglikelihood == pytest.approx(theirs["loglikelihood"], abs=1e-3)
    assert found.loglikelihood >= theirs["loglikelihood"]
    assert found.alpha == pytest.approx(theirs["alpha"], rel=2e-3)
    assert found.beta == pytest.approx(theirs["beta"], rel=5e-4)
    assert found.omega == pytest.approx(theirs["omega"], rel=2e-3)
    assert found.mean == pytest.approx(theirs["mu"], rel=5e-3)
    assert found.variances[-1] ** 0.5 == pytest.approx(theirs["next_vol"], rel=1e-3)
