"""DRIFT and TURNOVER by hand, and their identities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from portbal.errors import InputError, NotAvailable
from portbal.rebalance import drift, turnover

HOLDINGS = pd.DataFrame(
    {"Quantity": [60.0, 20.0, 100.0], "Price": [5.0, 10.0, 1.0]}, index=["A", "B", "Cash"])
TARGET = pd.Series([0.4, 0.4, 0.2], ["A", "B", "Cash"])  # weights now: 0.5, 1/3, 1/6
COV = pd.DataFrame([[0.04, 0.0], [0.0, 0.01]], ["A", "B"], ["A", "B"])


@pytest.mark.parametrize(
    ("kind", "bands", "width", "actions"),
    [
        ("absolute", 0.05, [0.05, 0.05, 0.05], ["sell", "buy", "hold"]),
        ("relative", 0.2, [0.08, 0.08, 0.04], ["sell", "hold", "hold"]),
        ("volatility", 1.0, [0.08, 0.04, 0.0], ["sell", "buy", "buy"]),
    ],
)
def test_bands(kind: str, bands: float, width: list[float], actions: list[str]) -> None:
    table = drift(HOLDINGS, TARGET, bands, kind, COV)
    np.testing.assert_allclose(table["Current"], [300 / 600, 200 / 600, 100 / 600])
    np.testing.assert_allclose(table["Drift"], table["Current"] - table["Target"])
    np.testing.assert_allclose(table["High"] - table["Target"], width)
    np.testing.assert_allclose(table["Target"] - table["Low"], width)
    assert table["Action"].to_list() == actions


def test_on_the_band_holds_and_beyond_it_does_not() -> None:
    holdings = pd.DataFrame({"Quantity": [55.0, 45.0], "Price": [1.0, 1.0]}, index=["A", "B"])
    target = pd.Series([0.5, 0.5], ["A", "B"])
    assert set(drift(holdings, target, 0.05)["Action"]) == {"hold"}
    assert drift(holdings, target, 0.0499)["Action"].to_list() == ["sell", "buy"]


def test_an_asset_only_wanted_and_one_only_held() -> None:
    target = pd.Series([0.5, 0.5], ["a", "New"])
    table = drift(HOLDINGS, target)
    assert table["Asset"].to_list() == ["A", "B", "Cash", "New"]
    assert table["Action"].to_list() == ["hold", "sell", "sell", "buy"]


def test_bands_by_asset_follow_names() -> None:
    bands = pd.Series([0.3, 0.01, 0.2], ["cash", "B", "A"])
    assert drift(HOLDINGS, TARGET, bands)["Action"].to_list() == ["hold", "buy", "hold"]
    with pytest.raises(InputError, match="'Cash' of holdings and target is missing"):
        drift(HOLDINGS, TARGET, bands.drop("cash"))


def test_what_drift_needs_is_named() -> None:
    with pytest.raises(NotAvailable, match="bands by volatility need cov"):
        drift(HOLDINGS, TARGET, 1.0, "volatility")
    with pytest.raises(InputError, match=r"sum to 80\.00%"):
        drift(HOLDINGS, TARGET.drop("Cash"))
    with pytest.raises(InputError, match="the price 2, not 1"):
        drift(HOLDINGS.assign(Price=[5.0, 10.0, 2.0]), TARGET)


def test_turnover_is_symmetric_and_half_the_sum() -> None:
    one = pd.Series([0.6, 0.4], ["A", "B"])
    other = pd.Series([0.7, 0.3], ["b", "C"])
    assert turnover(one, other) == pytest.approx((0.6 + 0.3 + 0.3) / 2)
    assert turnover(one, other) == pytest.approx(turnover(other, one))
    assert turnover(one, one) == 0
