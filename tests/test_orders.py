"""ORDERS against exhaustive search, and what holds for every set of orders."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.orders import orders
from portbal.trade_rules import Known

NAMES = ["A", "B", "C", "D"]


def case(seed: int):
    """Small holdings, a target, costs of every kind, and limits of every kind."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    names = NAMES[:n]
    price = np.round(rng.uniform(5, 60, n), 2)
    lot = rng.choice([1.0, 2.0, 5.0], n)
    quantity = rng.integers(0, 4, n) * lot
    cash = float(np.round(rng.uniform(20, 150), 2))
    with_cash = rng.random() < 0.3
    target = rng.dirichlet(np.ones(n + with_cash))
    options: dict[str, object] = {
        "fee": float(rng.choice([0, 0.5])), "commission": float(rng.choice([0, 0.004])),
        "tax": float(rng.choice([0, 0.02])), "ticket": float(rng.choice([0, 25])),
    }
    if rng.random() < 0.5:
        options |= {"per share": float(rng.choice([0, 0.05])),
                    "minimum": float(rng.choice([0, 0.3])),
                    "spread": [0.002, "Cost"][int(rng.integers(2))],
                    "impact": float(rng.choice([0, 0.05]))}
    holdings = pd.DataFrame({"Quantity": quantity, "Price": price}, index=names)
    wanted = pd.Series(target, index=[*names, "Cash"][: n + with_cash])
    net = float(quantity @ price) + cash
    now = np.append(quantity * price, cash) / net
    possible = [
        ("cash", 0.05, np.nan), ("A", np.nan, 0.6), ("Sector X", 0.1, 0.9),
        ("turnover", np.nan, 0.5),
        ("holdings", np.nan, 1.0), ("smallest holding", 0.2, np.nan), ("volatility", np.nan, 0.2),
        ("top 1", np.nan, 0.45), ("cvar 80%", np.nan, 0.03), ("effective number", 1.8, np.nan),
        ("liquid in 2 days", 0.5, np.nan), ("exposure Duration", 1.0, 2.5),
    ]
    kept = rng.random(len(possible)) < [0.4, 0.4, 0.3, 0.3, *[0.15] * 8]
    rows = [row for row, there in zip(possible, kept, strict=True) if there]
    limits = pd.DataFrame(rows, columns=["Limit", "Min", "Max"]) if rows else None
    every = [*names, "Cash"]
    assets = pd.DataFrame(
        {"Lot": [*lot, 1.0], "Sector": [*("X" if i % 2 == 0 else "Y" for i in range(n)), ""],
         "Current": now, "Cost": [*rng.uniform(0, 0.01, n), 0.0], "Duration": [*range(1, n + 1), 0],
         "ADV": [*rng.uniform(100, 400, n), 1.0]}, index=every)
    returns = pd.DataFrame(rng.normal(0.0, 0.02, (20, n)), columns=names)
    root = rng.normal(0, 0.15, (n, n + 1))
    cov = pd.DataFrame(root @ root.T, names, names)
    return holdings, wanted, cash, limits, assets, options, Known(None, cov, returns, 52.0)


def exhaustive(holdings, target, cash, limits, assets, options, known) -> float | None:
    """The least distance over every permitted trade, by trying them all."""
    price, quantity = holdings["Price"].to_numpy(), holdings["Quantity"].to_numpy()
    n = len(price)
    part = assets.iloc[:n]
    net = float(quantity @ price) + cash
    ranges = [
        np.arange(-int(q // size), int(net // (p * size)) + 1) * size
        for q, p, size in zip(quantity, price, part["Lot"], strict=True)
    ]
    trade = np.array(np.meshgrid(*ranges, indexing="ij")).reshape(n, -1).T
    value = trade * price
    size = np.abs(value)
    spread = options.get("spread", 0.0)
    commission = np.maximum(options["commission"] * size
                            + options.get("per share", 0.0) * np.abs(trade),
                            options.get("minimum", 0.0))
    cost = options["fee"] + commission + options["tax"] * np.maximum(-value, 0)
    cost = cost + (part["Cost"].to_numpy() if spread == "Cost" else spread) * size
    cost = cost + options.get("impact", 0.0) * size * np.sqrt(size / part["ADV"].to_numpy())
    left = cash - value.sum(axis=1) - np.where(trade != 0, cost, 0).sum(axis=1)
    weights, c = (quantity + trade) * price / net, left / net
    every = np.column_stack([weights, c])
    losses = np.sort(-known.returns.to_numpy() @ weights.T, axis=0)[::-1]
    large = np.where(weights > 1e-12, weights, np.inf).min(axis=1)
    measured = {
        "cash": c, "A": weights[:, 0], "Sector X": weights[:, ::2].sum(axis=1),
        "turnover": np.abs(every - assets["Current"].to_numpy()).sum(axis=1) / 2,
        "holdings": (weights > 1e-12).sum(axis=1), "smallest holding": large,
        "volatility": np.sqrt(np.einsum("ki,ij,kj->k", weights, known.cov.to_numpy(), weights)),
        "top 1": every.max(axis=1), "cvar 80%": losses[:4].mean(axis=0),
        "effective number": 1 / np.maximum((weights ** 2).sum(axis=1), 1e-300),
        "liquid in 2 days": c + np.minimum(
            weights, 2 * 0.2 * part["ADV"].to_numpy() / net).sum(axis=1),
        "exposure Duration": weights @ part["Duration"].to_numpy(),
    }
    good = (c >= -1e-12) & ((trade == 0) | (size >= options["ticket"] - 1e-9)).all(axis=1)
    for name, low, high in [] if limits is None else limits.to_numpy().tolist():
        good &= ~(measured[name] < low - 1e-12) & ~(measured[name] > high + 1e-12)
    if not good.any():
        return None
    distance = np.abs(weights - target.reindex(holdings.index).to_numpy()).sum(axis=1)
    return float((distance + np.abs(c - float(target.get("Cash", 0.0))))[good].min())


@pytest.mark.parametrize("block", range(20))
def test_no_other_trades_are_nearer(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        given = case(seed)
        best = exhaustive(*given)
        if best is None:
            with pytest.raises(ConflictError):
                orders(*given)
            continue
        found = orders(*given)
        assert found.notes == (), seed
        check_orders(found.value, best, *given[:3], given[5])


def check_orders(table, best, holdings, target, cash, options) -> None:
    table = table.set_index("Asset")
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
    holdings, *rest = case(11)
    plain = orders(holdings, *rest).value.set_index("Asset")
    turned = orders(holdings.iloc[::-1], *rest).value
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
    holdings, target, cash, _, assets, options, _ = case(1)
    limits = pd.DataFrame([("volatility", math.nan, 0.2)], columns=["Limit", "Min", "Max"])
    with pytest.raises(NotAvailable, match="it needs cov"):
        orders(holdings, target, cash, limits, assets, options)


@pytest.mark.parametrize(
    ("limits", "cash", "message"),
    [
        ([("cash", 0.5, math.nan), ("A", 0.9, math.nan)], 5.0,
         r"the cash floor of 50\.00%: the most it can be is 0\.090909\b"),
        ([("Sector X", 0.7, math.nan), ("A", math.nan, 0.5)], 45.0,
         r"'Sector X' \(Min 0\.7\): the most it can be is 0\.5\b"),
        ([("volatility", math.nan, 0.05), ("A", 0.4, math.nan)], 45.0,
         r"'volatility' \(Max 0\.05\): the least it can be is 0\.08\b"),
        ([("A", 0.45, 0.48)], 45.0, r"'A' \(M"),
        ([("holdings", 1.0, math.nan), ("A", math.nan, 0.05)], 45.0, r"'holdings' \(Min 1\)"),
        ([("exposure Duration", 2.0, math.nan), ("A", math.nan, 0.4)], 45.0,
         r"'exposure Duration' \(Min 2\): the most it can be is 0\.4\b"),
    ],
)
def test_the_rule_in_the_way_is_named_with_how_far_it_is(limits, cash, message) -> None:
    holdings = pd.DataFrame({"Quantity": [5.0], "Price": [10.0]}, index=["A"])
    assets = pd.DataFrame({"Sector": ["X"], "Duration": [1.0], "Lot": [1.0]}, index=["A"])
    if cash == 45.0:
        holdings, cash = holdings.assign(Quantity=0.0), 100.0
    cov = pd.DataFrame([[0.04]], ["A"], ["A"])
    table = pd.DataFrame(limits, columns=["Limit", "Min", "Max"])
    with pytest.raises(ConflictError, match=message):
        orders(holdings, pd.Series([1.0], ["A"]), cash, table, assets, None, Known(cov=cov))


def book(quantity: list[float], price: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"Quantity": quantity, "Price": price}, index=NAMES[: len(quantity)])


def reasons(holdings, target, *rest, **known) -> dict[str, str]:
    table = orders(holdings, pd.Series(target, holdings.index), *rest, **known).value
    return dict(zip(table["Asset"], table["Reason"], strict=True))


def test_the_reason_is_what_pulls_hardest() -> None:
    assert reasons(book([60, 40]), [0.5, 0.5]) == {"A": "drift", "B": "drift"}
    assert reasons(book([0, 0]), [0.5, 0.5], 100.0) == {"A": "cash", "B": "cash"}
    assert reasons(book([50, 50]), [0.5, 0.5], 40.0) == {"A": "cash", "B": "cash"}
    last = pd.Series([0.58, 0.42], ["a", "b"])
    assert reasons(book([60, 40]), [0.4, 0.6], last_target=last) == {"A": "view", "B": "view"}
    assert reasons(book([60, 40]), [0.58, 0.42], last_target=last) == {"A": "drift", "B": "drift"}


def test_limits_and_tickets_are_reasons_too() -> None:
    limits = pd.DataFrame([("A", np.nan, 0.55)], columns=["Limit", "Min", "Max"])
    assert reasons(book([60, 40]), [0.5, 0.5], 0.0, limits)["A"] == "limit"
    group = pd.DataFrame([("Sector X", np.nan, 0.6)], columns=["Limit", "Min", "Max"])
    assets = pd.DataFrame({"Sector": ["X", "X", "Y"]}, index=NAMES[:3])
    found = reasons(book([35, 35, 30]), [0.35, 0.25, 0.4], 0.0, group, assets)
    assert found == {"B": "limit", "C": "drift"}
    away = pd.DataFrame([("turnover", np.nan, 0.02), ("C", 0.11, np.nan)],
                        columns=["Limit", "Min", "Max"])
    assert reasons(book([50, 40, 10]), [0.5, 0.4, 0.1], 0.0, away)["C"] == "limit"
    needs = pd.DataFrame([("cash", 0.02, np.nan)], columns=["Limit", "Min", "Max"])
    sold = reasons(book([50, 50]), [0.5, 0.5], 0.0, needs, None, {"ticket": 10.0})
    assert list(sold.values()) == ["ticket"]


def test_ucits_holds_after_rounding_over_issuers() -> None:
    """Against every choice of whole lots of a small account."""
    names = [f"S{i}" for i in range(22)]
    issuer = [f"I{i // 2}" if i < 4 else f"J{i}" for i in range(22)]
    rng = np.random.default_rng(3)
    middle = np.array([0.02] * 4 + [0.08] * 4 + [0.6 / 14] * 14)
    for _ in range(4):
        target = pd.Series(rng.dirichlet(200 * middle), names)
        limits = pd.DataFrame([("ucits 5/10/40", np.nan, np.nan)],
                              columns=["Limit", "Min", "Max"])
        assets = pd.DataFrame({"Issuer": issuer}, index=names)
        holdings = pd.DataFrame({"Quantity": 0.0, "Price": 13.0}, index=names)
        table = orders(holdings, target, 1000.0, limits, assets)
        assert table.notes == ()
        after = table.value.set_index("Asset")["Weight after"].reindex(names).fillna(0.0)
        sizes = after.groupby(issuer).sum()
        assert sizes.max() <= 0.1 + 1e-12
        assert sizes[sizes > 0.05 + 1e-9].sum() <= 0.4 + 1e-12
        distance = (after - target).abs().sum() + 1 - after.sum()
        assert distance == pytest.approx(ucits_by_milp(target, issuer, 0.013), abs=1e-8)


def ucits_by_milp(target: pd.Series, issuer: list[str], unit: float) -> float:
    """The least distance over whole lots, by scipy's MILP with one binary an issuer."""
    from scipy.optimize import LinearConstraint, milp

    n, groups = len(target), list(dict.fromkeys(issuer))
    g = len(groups)
    pick = np.array([[float(i == name) for i in issuer] for name in groups]) * unit
    eye, none = np.eye(n), np.zeros
    # lots (n), gap (n), large (g), weight of the large (g)
    rows = [
        (np.hstack([unit * eye, eye, none((n, 2 * g))]), target.to_numpy(), np.inf),
        (np.hstack([unit * eye, -eye, none((n, 2 * g))]), -np.inf, target.to_numpy()),
        (np.hstack([np.full((1, n), unit), none((1, n + 2 * g))]), -np.inf, 1.0),
        (np.hstack([pick, none((g, n + 2 * g))]), -np.inf, 0.1),
        (np.hstack([pick, none((g, n)), -0.05 * np.eye(g), none((g, g))]), -np.inf, 0.05),
        (np.hstack([pick, none((g, n)), 0.1 * np.eye(g), -np.eye(g)]), -np.inf, 0.1),
        (np.hstack([none((1, 2 * n + g)), np.ones((1, g))]), -np.inf, 0.4),
    ]
    cost = np.concatenate([np.full(n, -unit), np.ones(n), none(2 * g)])
    found = milp(
        cost, constraints=[LinearConstraint(a, low, high) for a, low, high in rows],
        integrality=np.concatenate([np.ones(n), none(n), np.ones(g), none(g)]),
        options={"mip_rel_gap": 0.0})
    return float(found.fun + 1)


def test_a_false_conflict_that_a_search_cut_short_once_reported() -> None:
    holdings = pd.DataFrame({"Quantity": [20.0, 0.0, 336.75], "Price": [25.58, 97.48, 1.0]},
                            index=["A0", "A1", "Cash"])
    limits = pd.DataFrame([("Sector X", np.nan, 0.67)], columns=["Limit", "Min", "Max"])
    assets = pd.DataFrame({"Sector": ["X", "Y"]}, index=["A0", "A1"])
    table = orders(holdings, pd.Series([1.0, 0.0], ["A0", "A1"]), 0.0, limits, assets).value
    assert table[["Asset", "Quantity"]].to_numpy().tolist() == [["A0", 2.0]]


def test_each_asset_leaves_the_money_left_over_alone() -> None:
    holdings = pd.DataFrame({"Quantity": [10.0], "Price": [33.19]}, index=["A"])
    limits = pd.DataFrame([("each asset", np.nan, 0.46)], columns=["Limit", "Min", "Max"])
    table = orders(holdings, pd.Series([1.0], ["A"]), 495.37, limits).value
    assert table["Weight after"].to_list() == pytest.approx([11 * 33.19 / 827.27])


@pytest.mark.parametrize("rows", [
    [("cash", 0.3, np.nan), ("each asset", 0.0, 1.0)],
    [("each asset", 0.0, 1.0), ("cash", 0.3, np.nan)],
])
def test_least_cash_holds_beside_an_each_asset_row_in_any_order(rows: list) -> None:
    holdings = pd.DataFrame({"Quantity": [50.0, 50.0], "Price": [1.0, 1.0]}, index=["A", "B"])
    limits = pd.DataFrame(rows, columns=["Limit", "Min", "Max"])
    found = orders(holdings, pd.Series({"A": 0.5, "B": 0.5}), 0.0, limits).value
    assert -found["Value"].sum() == pytest.approx(30)


def test_each_active_asset_leaves_the_money_left_over_alone() -> None:
    limits = pd.DataFrame([("each active asset", -0.06, 0.02)], columns=["Limit", "Min", "Max"])
    assets = pd.DataFrame({"Benchmark": [0.5, 0.5]}, index=["A", "B"])
    found = orders(book([0, 0], 90.0), pd.Series([0.5, 0.5], ["A", "B"]), 400.0, limits, assets)
    assert found.value["Quantity"].to_list() == [2, 2]
    with_cash = assets.reindex(["A", "B", "Cash"]).assign(Benchmark=[0.45, 0.45, 0.1])
    limits["Max"] = -0.01
    with pytest.raises(ConflictError, match=r"active"):
        orders(book([0, 0], 90.0), pd.Series([0.5, 0.5], ["A", "B"]), 400.0, limits, with_cash)


def test_all_in_cash_there_is_nothing_to_do_or_nothing_permitted() -> None:
    money = pd.DataFrame({"Quantity": [100.0], "Price": [1.0]}, index=["Cash"])
    assert orders(money, pd.Series([1.0], ["Cash"])).value.empty
    limits = pd.DataFrame([("cash", np.nan, 0.9)], columns=["Limit", "Min", "Max"])
    with pytest.raises(ConflictError, match="'cash'"):
        orders(money, pd.Series([1.0], ["Cash"]), 0.0, limits)


def test_a_short_position_may_end_on_either_side_of_its_target() -> None:
    assert nearest_short(-0.3, 31.0) == -1
    for seed in range(40):
        rng = np.random.default_rng(seed)
        wanted, price = -float(rng.uniform(0.05, 0.6)), float(rng.uniform(3, 40))
        units = np.arange(-40, 1)
        cash = 1 - units * price / 100
        gaps = np.abs(units * price / 100 - wanted) + np.abs(cash - 1 + wanted)
        assert nearest_short(wanted, price) == units[np.argmin(gaps)]


def nearest_short(wanted: float, price: float) -> float:
    """The units of A after trading, of 100 in cash."""
    target = pd.Series([wanted, 1 - wanted], ["A", "Cash"])
    return float(orders(book([0], price), target, 100.0).value["Quantity"].sum())


@pytest.mark.parametrize(
    ("limits", "held", "options", "message"),
    [
        ([("A", 0.45, 0.48)], 0, None,
         r"'A' \(Min 0\.45 Max 0\.48\): the nearest it can be is 0\.49"),
        ([("A", 0.43, 0.46)], 0, None,
         r"'A' \(Min 0\.43 Max 0\.46\): the nearest it can be is 0\.42"),
        ([("exposure Duration", 1.3, 1.38)], 0, None,
         r"'exposure Duration' \(Min 1\.3 Max 1\.38\): the nearest it can be is 1\.26"),
        ([("turnover", np.nan, 0.05), ("A", 0.5, np.nan)], 0, None,
         r"'turnover' \(Max 0\.05\): the least it can be is 0\.56\."),
        ([("turnover", np.nan, 0.05), ("volatility", np.nan, 0.1)], 10, None,
         r"'turnover' \(Max 0\.05\): the least it can be is 0\.21\."),
        ([("smallest holding", 0.3, np.nan), ("A", 0.01, 0.25), ("exposure Duration", 0.03, 0.75)],
         0, None, r"the smallest holding: the most it can be is 0\.21\."),
        ([("A", 0.01, 0.25), ("exposure Duration", 0.03, 0.75)], 0, {"ticket": 30.0},
         r"the least ticket of 30\.00: the most it can be is 21\."),
        ([("each asset", 0.2, np.nan), ("A", 0.95, np.nan)], 0, None,
         r"the cash floor of 20\.00%: the most it can be is 0\.02"),
    ],
)
def test_how_far_a_rule_in_the_way_is_from_what_can_be(limits, held, options, message) -> None:
    """Units of A weigh 7%; a bound is named with the nearest weight that lots allow beyond it."""
    holdings = pd.DataFrame({"Quantity": [float(held), 100 - 7.0 * held], "Price": [7.0, 1.0]},
                            index=["A", "Cash"])
    assets = pd.DataFrame({"Duration": [3.0]}, index=["A"])
    table = pd.DataFrame(limits, columns=["Limit", "Min", "Max"])
    table.index += 2  # as the codec numbers the rows of the range
    cov = pd.DataFrame([[0.04]], ["A"], ["A"])
    with pytest.raises(ConflictError) as caught:
        orders(holdings, pd.Series([1.0], ["A"]), 0.0, table, assets, options, Known(cov=cov))
    assert re.search(message, str(caught.value)), str(caught.value)
    if "each asset" in table["Limit"].to_list():
        assert caught.value.row == 2


def test_what_is_said_to_be_nearest_cures() -> None:
    """The figure as the message prints it, put into the limit, is permitted."""
    cured = 0
    for seed in range(60):
        holdings, target, cash, limits, assets, options, known = case(3000 + seed)
        if limits is None:
            continue
        try:
            orders(holdings, target, cash, limits, assets, options, known)
            continue
        except ConflictError as error:
            row, said = error.row, str(error)
        found = re.search(r"the (?:least|most|nearest) it can be is (\S+)\. ", said)
        if found is None or row is None:
            continue
        side = "Max" if float(found[1]) > limits.loc[row, "Max"] else "Min"
        limits.loc[row, side] = float(found[1])
        orders(holdings, target, cash, limits, assets, options, known)
        cured += 1
    assert cured >= 5


def test_more_lots_than_can_be_counted_are_a_problem() -> None:
    with pytest.raises(InputError, match=r"'A' is 5e\+17 lots, more than can be counted"):
        orders(book([0, 0], 1e-9), pd.Series([0.5, 0.5], ["A", "B"]), 1e9)
