"""Performance and attribution that R and Bacon's book published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from portbal import attribution, drawdown, performance
from reference_data import monthly

HERE = Path(__file__).parent
PEERS = json.loads((HERE / "data" / "performanceanalytics_performance.json").read_text())
BACON = json.loads((HERE / "data" / "bacon_attribution.json").read_text())
EDHEC, MANAGERS = PEERS["edhec"], PEERS["managers"]


@pytest.mark.parametrize(
    ("row", "theirs", "times"),
    [
        ("Compound return", "Return.annualized", 1), ("Volatility", "StdDev.annualized", 1),
        ("Sortino", "SortinoRatio_mar0", np.sqrt(12)), ("Calmar", "CalmarRatio", 1),
        ("Max drawdown", "maxDrawdown", 1), ("VaR 95%", "VaR_historical_0.95", -1),
        # theirs is of the population; a spreadsheet's SKEW is that times a factor of n alone
        ("Skewness", "skewness", np.sqrt(293 * 292) / 291),
        ("Excess kurtosis", "kurt_sample_excess", 1),
    ],
)
def test_performance_analytics(row: str, theirs: str, times: float) -> None:
    found = performance.table(monthly(EDHEC["file"])).value.set_index("Statistic")
    for index, value in EDHEC[theirs].items():
        assert found.loc[row, index] == pytest.approx(value * times, abs=1e-10)


def test_performance_analytics_against_a_benchmark() -> None:
    data = monthly(MANAGERS["file"])
    found = performance.table(data[["HAM1"]], data["SP500 TR"]).value.set_index("Statistic")["HAM1"]
    assert found["Up capture"] == pytest.approx(MANAGERS["up_capture"], abs=1e-10)
    assert found["Down capture"] == pytest.approx(MANAGERS["down_capture"], abs=6e-5)
    assert found["Beta"] == pytest.approx(MANAGERS["beta"], abs=6e-5)
    assert found["Alpha"] / 12 == pytest.approx(MANAGERS["alpha_a_month"], abs=6e-5)
    assert found["Tracking error"] == pytest.approx(MANAGERS["tracking_error"], abs=6e-5)


def test_performance_analytics_drawdowns() -> None:
    data = monthly(MANAGERS["file"])["HAM1"]
    found = drawdown.table(data.to_numpy(), data.index).value.head(5)
    theirs = MANAGERS["drawdowns"]
    np.testing.assert_allclose(found["Depth"], theirs["Depth"], atol=6e-5)
    assert list(found["Length"]) == theirs["Length"]
    for column in ("Peak", "Trough", "Recovered"):
        assert [f"{day:%Y-%m-%d}" for day in found[column]] == theirs[column]


@pytest.mark.parametrize(
    ("method", "key"), [("brinson-fachler", "brinson_fachler"), ("Brinson-Hood-Beebower", "bhb")]
)
def test_bacon_one_quarter(method: str, key: str) -> None:
    case = BACON["quarter"]
    names = case["sectors"]
    wp, wb, rp, rb = (pd.Series(case[k], names) for k in ("wp", "wb", "Rp", "Rb"))
    found = attribution.brinson(wp, wb, rp, rb, pd.Series(names, names), method).value
    for column, effect in (("Allocation", "allocation"), ("Selection", "selection"),
                           ("Interaction", "interaction")):
        np.testing.assert_allclose(found[column], case[key][effect], atol=1e-10)
    ahead = case["portfolio_return"] - case["benchmark_return"]
    assert found["Total"].sum() == pytest.approx(ahead, abs=1e-15)


def quarters() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Effects by market (selection with interaction), and the returns of both."""
    case = BACON["four_quarters"]
    names = case["names"]
    rows = []
    for wp, wb, rp, rb in zip(case["wp"], case["wb"], case["rp"], case["rb"], strict=True):
        found = attribution.brinson(
            *(pd.Series(x, names) for x in (wp, wb, rp, rb)), pd.Series(names, names)).value
        rows.append([*found["Allocation"], *(found["Selection"] + found["Interaction"])])
    columns = [f"{effect} {name}" for effect in ("allocation", "selection") for name in names]
    own = pd.Series([np.dot(w, r) for w, r in zip(case["wp"], case["rp"], strict=True)])
    other = pd.Series([np.dot(w, r) for w, r in zip(case["wb"], case["rb"], strict=True)])
    return pd.DataFrame(rows, columns=columns), own, other


def test_bacon_four_quarters() -> None:
    case, (effects, _, _) = BACON["four_quarters"], quarters()
    np.testing.assert_allclose(
        effects, np.hstack([case["allocation"], case["selection"]]), atol=5e-5 + 1e-12)


@pytest.mark.parametrize("method", BACON["four_quarters"]["linked"])
def test_bacon_linked(method: str) -> None:
    effects, own, other = quarters()
    found = attribution.link(effects, own, other, method).value.set_index("Effect")["Linked"]
    for effect, published in BACON["four_quarters"]["linked"][method].items():
        ours = [found[f"{effect} {name}"] for name in BACON["four_quarters"]["names"]]
        np.testing.assert_allclose(ours, published, atol=1e-4)
    ahead = np.prod(1 + own) - np.prod(1 + other)
    assert found.sum() == pytest.approx(ahead, abs=1e-15)
    assert ahead == pytest.approx(0.1327, abs=5e-5)
