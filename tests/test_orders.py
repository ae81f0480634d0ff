"""ORDERS against exhaustive search, and what holds for every set of orders."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.orders import orders

NAMES = ["A", "B", "C", "D"]


def case(seed: int):
    """Small holdings, a target, costs, and limits on single assets, a group and turnover."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    names = NAMES[:n]
    price = np.round(rng.uniform(5, 60, n), 2)
    lot = rng.choice([1.0, 2.0, 5.0], n)
    quantity = rng.integers(0, 4, n) * lot
    cash = float(np.round(rng.uniform(20, 150), 2))
    with_cash = rng.random() < 0.3
    target = rng.dirichlet(np.ones(n + with_cash))
    options = {
        "fee": float(rng.choice([0, 0.5])), "commission": float(rng.choice([0, 0.004])),
        "tax": float(rng.choice([0, 0.02])), "ticket": float(rng.choice([0, 25])),
    }
    holdings = pd.DataFrame({"Quantity": quantity, "Price": price}, index=names)
    wanted = pd.Series(target, index=[*names, "Cash"][: n + with_cash])
    net = float(quantity @ price) + cash
    now = np.append(quantity * price, cash) / net
    current = dict(zip([*names, "Cash"], now, strict=True))
    rows = []
    if rng.random() < 0.4:
        rows.append(("cash", 0.05, np.nan))
    if rng.random() < 0.4:
        rows.append(("A", np.nan, 0.6))
    if rng.random() < 0.3:
        rows.append(("Sector X", 0.1, 0.9))
    if rng.random() < 0.3:
        rows.append(("turnover", np.nan, 0.5))
    limits = pd.DataFrame(rows, columns=["Limit", "Min", "Max"]) if rows else None
    assets = pd.DataFrame(
        {"Lot": [*lot, 1.0], "Sector": [*("X" if i % 2 == 0 else "Y" for i in range(n)), ""],
         "Current": [current[x] for x in [*names, "Cash"]]}, index=[*names, "Cash"])
    return holdings, wanted, cash, limits, assets, options


def exhaustive(holdings, target, cash, limits, assets, options) -> float | None:
    """The least distance over every permitted trade, by trying them all."""
    price, quantity = holdings["Price"].to_numpy(), holdings["Quantity"].to_numpy()
    lot = assets["Lot"].to_numpy()[: len(price)]
    net = float(quantity @ price) + cash
    wanted = target.reindex(holdings.index).to_numpy()
    cash_target = float(target.get("Cash", 0.0))
    rows = [] if limits is None else limits.to_numpy().tolist()
    floor = next((low for name, low, _ in rows if name == "cash"), 0.0)
    ranges = [
        np.arange(-int(q // size), int(net // (p * size)) + 1) * size
        for q, p, size in zip(quantity, price, lot, strict=True)
    ]
    best = None
    for trade in map(np.array, itertools.product(*ranges)):
        value = trade * price
        moved = trade != 0
        if (np.abs(value[moved]) < options["ticket"] - 1e-9).any():
            continue
        cost = (options["fee"] * moved.sum() + options["commission"] * np.abs(value).sum()
                + options["tax"] * np.maximum(-value, 0).sum())
        left = cash - value.sum() - cost
        if left < floor * net - 1e-9:
            continue
        weights = (quantity + trade) * price / net
        every = np.append(weights, left / net)
        measured = {
            "A": weights[0], "Sector X": weights[::2].sum(),
            "turnover": np.abs(every - assets["Current"].to_numpy()).sum() / 2,
        }
        if any(not (not low > measured[name] + 1e-12 and not high < measured[name] - 1e-12)
               for name, low, high in rows if name != "cash"):
            continue
        distance = np.abs(weights - wanted).sum() + abs(left / net - cash_target)
        best = distance if best is None else min(best, distance)
    return best


@pytest.mark.parametrize("seed", range(200))
def test_no_other_trades_are_nearer(seed: int) -> None:
    given = case(seed)
    holdings, target, cash, _, _, options = given
    best = exhaustive(*given)
    if best is None:
        with pytest.raises(ConflictError):
            orders(*given)
        return
    found = orders(*given)
    assert found.notes == ()
    table = found.value.set_index("Asset")
    traded = table["Quantity"].reindex(holdings.index).fillna(0.0).to_numpy(dtype=float)
    price, quantity = holdings["Price"].to_numpy(), holdings["Quantity"].to_numpy()
    net = float(quantity @ price) + cash
    left = cash - float(table["Value"].sum()) - float(table["Cost"].sum())
    weights = (quantity + traded) * price / net
    distance = np.abs(weights - target.reindex(holdings.index).to_numpy()).sum() + abs(
        left / net - float(target.get("Cash", 0.0)))
    assert distance == pytest.approx(best, abs=1e-11)
    assert (traded != 0).sum() == len(table)
    assert (table["Value"].abs() >= options["ticket"] - 1e-9).all()
    np.testing.assert_allclose(
        table["Weight after"], weights[traded != 0], atol=1e-12)


def test_permuting_the_assets_permutes_the_orders() -> None:
    holdings, target, cash, limits, assets, options = case(11)
    plain = orders(holdings, target, cash, limits, assets, options).value.set_index("Asset")
    turned = orders(holdings.iloc[::-1], target, cash, limits, assets, options).value
    pd.testing.assert_frame_equal(
        turned.set_index("Asset").sort_index(), plain.sort_index())


def test_at_the_target_there_is_nothing_to_do() -> None:
    holdings = pd.DataFrame({"Quantity": [5.0, 10.0], "Price": [10.0, 5.0]}, index=["A", "B"])
    table = orders(holdings, pd.Series([0.5, 0.5], ["A", "B"])).value
    assert table.empty
    assert list(table.columns)[-1] == "Reason"


def test_a_cash_row_is_cash_and_an_odd_rest_can_be_sold() -> None:
    holdings = pd.DataFrame(
        {"Quantity": [103.0, 50.0], "Price": [1.5, 1.0]}, index=["A", " cash"])
    assets = pd.DataFrame({"Lot": [10.0], "Price": [20.0]}, index=["A"]).reindex(["A", "B"])
    assets.loc["B"] = [1.0, 20.0]
    table = orders(holdings, pd.Series([1.0], ["B"]), 0.0, None, assets).value
    assert table["Quantity"].to_list() == [-103.0, 10.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": pd.Series([0.5, 0.4], ["A", "B"])}, "sum to 90.00%, not 100%"),
        ({"target": pd.Series([0.5, 0.5], ["A", "Z"])}, "'Z' is not held, and no price is known"),
        ({"options": {"fees": 1.0}}, "Did you mean 'fee'"),
        ({"options": {"fee": -1.0}}, "the option fee is '-1.0'"),
        ({"cash": -1000.0}, "net assets are"),
    ],
)
def test_bad_input_is_named(change: dict, message: str) -> None:
    holdings = pd.DataFrame({"Quantity": [5.0, 10.0], "Price": [10.0, 5.0]}, index=["A", "B"])
    given = {"holdings": holdings, "target": pd.Series([0.5, 0.5], ["A", "B"]), **change}
    with pytest.raises(InputError) as caught:
        orders(**given)
    assert message in str(caught.value)


def test_a_limit_that_orders_cannot_keep_is_refused() -> None:
    holdings, target, cash, _, assets, options = case(1)
    limits = pd.DataFrame([("volatility", math.nan, 0.2)], columns=["Limit", "Min", "Max"])
    with pytest.raises(NotAvailable, match="it needs cov"):
        orders(holdings, target, cash, limits, assets, options)


def test_the_rule_in_the_way_is_named() -> None:
    holdings = pd.DataFrame({"Quantity": [5.0], "Price": [10.0]}, index=["A"])
    limits = pd.DataFrame([("cash", 0.5, math.nan), ("A", 0.9, math.nan)],
                          columns=["Limit", "Min", "Max"])
    with pytest.raises(ConflictError, match="keeps the cash floor"):
        orders(holdings, pd.Series([1.0], ["A"]), 5.0, limits)


@pytest.mark.parametrize("rows", [
    [("cash", 0.3, np.nan), ("each asset", 0.0, 1.0)],
    [("each asset", 0.0, 1.0), ("cash", 0.3, np.nan)],
])
def test_least_cash_holds_beside_an_each_asset_row_in_any_order(rows: list) -> None:
    holdings = pd.DataFrame({"Quantity": [50.0, 50.0], "Price": [1.0, 1.0]}, index=["A", "B"])
    limits = pd.DataFrame(rows, columns=["Limit", "Min", "Max"])
    found = orders(holdings, pd.Series({"A": 0.5, "B": 0.5}), 0.0, limits).value
    assert -found["Value"].sum() == pytest.approx(30)
