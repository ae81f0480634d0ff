"""What orders cost, by hand and against what ORDERS charges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from portbal.errors import InputError, NotAvailable
from portbal.orders import orders
from portbal.trade_costs import trade_costs
from portbal_addin.block import Block
from portbal_addin.registry import Answer, find

ORDERS = pd.DataFrame({"Asset": ["A", "B"], "Quantity": [-100.0, 40.0], "Price": [10.0, 25.0],
                       "Cost": [5.0, 4.0]})
ASSETS = pd.DataFrame({"Cost": [0.001, 0.002], "ADV": [4000.0, 100_000.0],
                       "Volatility": [0.252 ** 0.5, 0.0]}, index=["a", "B"])


def test_the_three_parts_by_hand() -> None:
    found = trade_costs(ORDERS, ASSETS)
    table = found.value.set_index("Asset")
    assert table["Commission"].to_list() == [5, 4]
    assert table["Spread"].to_list() == [1, 2]
    # a day's volatility is sqrt(0.252 / 252) = 3.16%, and a quarter of a day's volume is traded
    np.testing.assert_allclose(table["Impact"], [1000 * 0.001 ** 0.5 * 0.5, 0])
    np.testing.assert_allclose(table["Total"], table.iloc[:, :3].sum(axis=1))
    assert found.notes == ()


def test_what_is_left_out_is_said() -> None:
    bare = trade_costs(ORDERS.drop(columns="Cost"))
    assert (bare.value.drop(columns="Asset") == 0).all(axis=None)
    assert [note.split(":")[0] for note in bare.notes] == ["Spread is 0", "Impact is 0"]
    usual = trade_costs(ORDERS, ASSETS.drop(columns="Volatility"))
    np.testing.assert_allclose(usual.value["Impact"], [1000 * 0.01 * 0.5, 1000 * 0.01 * 0.1])
    assert "a day's volume to cost 1%" in usual.notes[0]


def test_options_go_before_columns() -> None:
    options = {"fee": 1.0, "per share": 0.02, "minimum": 1.5, "tax": 0.01, "spread": 0.005,
               "impact": 0.02}
    table = trade_costs(ORDERS, ASSETS, options).value.set_index("Asset")
    np.testing.assert_allclose(table["Commission"], [1 + 2 + 10, 1 + 1.5])
    np.testing.assert_allclose(table["Spread"], [5, 5])
    np.testing.assert_allclose(table["Impact"], [1000 * 0.02 * 0.5, 1000 * 0.02 * 0.1])


def test_it_comes_to_what_orders_charges() -> None:
    rng = np.random.default_rng(5)
    names = [f"S{i}" for i in range(6)]
    holdings = pd.DataFrame({"Quantity": rng.integers(0, 50, 6).astype(float),
                             "Price": np.round(rng.uniform(5, 90, 6), 2)}, index=names)
    assets = pd.DataFrame({"Cost": rng.uniform(0, 0.01, 6), "ADV": rng.uniform(5e3, 5e4, 6)},
                          index=names)
    options: dict[str, object] = {"fee": 1.0, "commission": 0.001, "minimum": 2.0, "tax": 0.005,
                                  "spread": "Cost", "impact": 0.03}
    target = pd.Series(rng.dirichlet(np.ones(6)), names)
    table = orders(holdings, target, 500.0, None, assets, options).value
    total = trade_costs(table, assets, options).value["Total"]
    np.testing.assert_allclose(total, table["Cost"], rtol=1e-12)
    assert len(table) > 3


def test_what_is_missing_is_named() -> None:
    with pytest.raises(NotAvailable, match="costs need the column ADV of assets"):
        trade_costs(ORDERS, ASSETS.drop(columns="ADV"), {"impact": 0.01})
    with pytest.raises(InputError, match="'B' has no ADV that can be used"):
        trade_costs(ORDERS, ASSETS.assign(ADV=[1.0, np.nan]))
    with pytest.raises(InputError, match="or Cost for the column of assets"):
        trade_costs(ORDERS, ASSETS, {"spread": "wide"})
    with pytest.raises(InputError, match="all of the value or more"):
        trade_costs(ORDERS, ASSETS, {"spread": 1.0})


def test_no_orders_cost_nothing() -> None:
    """ORDERS returns its header alone when there is nothing to do."""
    header = [["Asset", "Side", "Quantity", "Price", "Value", "Cost", "Weight after", "Reason"]]
    found = find("TRADECOST").invoke(Block.of(header))
    assert isinstance(found, Answer)
    assert found.block.rows == (("Asset", "Commission", "Spread", "Impact", "Total"),)


def test_a_price_is_above_zero() -> None:
    with pytest.raises(InputError, match="'A' has the price -10"):
        trade_costs(ORDERS.assign(Price=[-10.0, 25.0]))
