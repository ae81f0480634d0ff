"""EXPLAIN, DIAGNOSE, VERIFY, SENSITIVITY: prices by finite differences, conflicts by removal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mandates import random_case
from portbal import objectives, optimize, optimize_tail
from portbal.diagnose import diagnose
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.explain import explain
from portbal.limits.mandate import mandate
from portbal.limits.measures import Facts
from portbal.objectives import Data
from portbal.routes import Setting
from portbal.sensitivity import sensitivity
from portbal.verify import score_of, verify
from vocabulary import Instance, instance

OBJECTIVES = ("min volatility", "max sharpe 1%", "max return", "max utility 3", "min cvar 90%")


def solved(case, objective: str, limits: pd.DataFrame) -> float:
    setting = Setting(limits, case.assets, case.returns, 252)
    weights = objectives.parse(objective).solve(Data(case.mu, case.cov, setting))
    table = explain(
        weights, objective, case.mu, case.cov, limits, case.assets, case.returns, 252)
    assert not any("not the optimum" in note for note in table.notes)
    return value(case, objective, weights)


def value(case, objective: str, weights: pd.Series) -> float:
    w, mu, cov = weights.to_numpy(), case.mu.to_numpy(), case.cov.to_numpy()
    losses = np.sort(-case.returns.to_numpy() @ w)[::-1]
    return {
        "min volatility": np.sqrt(w @ cov @ w),
        "max sharpe 1%": (mu - 0.01) @ w / np.sqrt(w @ cov @ w),
        "max return": mu @ w,
        "max utility 3": mu @ w - 1.5 * w @ cov @ w
        - case.assets["Cost"] @ np.abs(w - case.assets["Current"]),
        "min cvar 90%": losses[:12].mean(),
    }[objective]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", [0, 1, 3, 5, 12])
def test_shadow_prices_equal_finite_differences(seed: int, objective: str) -> None:
    case = random_case(seed)
    assert case.limits is not None
    plain = case.limits[~case.limits["Limit"].isin(["each asset"])].reset_index(drop=True)
    if plain.empty:
        plain = pd.DataFrame([("volatility", np.nan, 0.5)], columns=["Limit", "Min", "Max"])
    setting = Setting(plain, case.assets, case.returns, 252)
    weights = objectives.parse(objective).solve(Data(case.mu, case.cov, setting))
    table = explain(
        weights, objective, case.mu, case.cov, plain, case.assets, case.returns, 252).value
    row = 0
    for position in plain.index:
        for side, sign in (("Min", -1), ("Max", 1)):
            if np.isnan(plain.loc[position, side]):
                continue
            step = 1e-5
            values = []
            for h in (-step, step):
                moved = plain.copy()
                moved.loc[position, side] += sign * h
                try:
                    values.append(solved(case, objective, moved))
                except ConflictError:
                    values.append(np.nan)
            better = values[1] - values[0] if objective.startswith("max") else (
                values[0] - values[1])
            price = table["Shadow price"].iloc[row]
            row += 1
            if np.isfinite(better):
                assert price == pytest.approx(better / (2 * step), rel=2e-2, abs=2e-4)
    assert row == len(table)


def random_conflict(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 9))
    names = [f"A{i}" for i in range(n)]
    assets = pd.DataFrame(
        {"Sector": [("Tech", "Energy", "Banks")[i % 3] for i in range(n)],
         "Beta": rng.uniform(0.5, 1.5, n), "Current": rng.dirichlet(np.ones(n))}, index=names)
    rows = [
        ("Sector Tech", float(rng.uniform(0.3, 0.8)), np.nan),
        ("Sector Energy", float(rng.uniform(0.3, 0.8)), np.nan),
        ("Sector Banks", np.nan, float(rng.uniform(0.05, 0.3))),
        ("exposure Beta", np.nan, float(rng.uniform(0.4, 1.2))),
        ("each asset", np.nan, float(rng.uniform(0.05, 0.4))),
        ("turnover", np.nan, float(rng.uniform(0.0, 0.3))),
        ("A0", float(rng.uniform(0, 0.5)), np.nan),
    ]
    chosen = rng.permutation(len(rows))[: int(rng.integers(2, 8))]
    limits = pd.DataFrame([rows[i] for i in chosen], columns=["Limit", "Min", "Max"])
    return limits, assets


def feasible(limits: pd.DataFrame, assets: pd.DataFrame) -> bool:
    """By a route of its own: least distance to the limits in cvxpy."""
    import cvxpy as cp

    w = cp.Variable(len(assets))
    measure = {
        "exposure Beta": assets["Beta"].to_numpy() @ w,
        "turnover": cp.norm1(w - assets["Current"].to_numpy()) / 2,
    }
    slack = cp.Variable(nonneg=True)
    rows = [w >= 0, cp.sum(w) == 1]
    for name, low, high in limits.itertuples(index=False):
        if name.startswith("Sector"):
            x = (assets["Sector"] == name[7:]).to_numpy(dtype=float) @ w
        elif name in assets.index:
            x = w[list(assets.index).index(name)]
        else:
            x = measure[name]
        if low == low:
            rows.append(x >= low - slack)
        if high == high:
            rows.append(x <= high + slack)
    least = cp.Problem(cp.Minimize(slack), rows).solve(solver="CLARABEL")
    return least <= 1e-7


def expanded(limits: pd.DataFrame, assets: pd.DataFrame) -> pd.DataFrame:
    """``each asset`` as a row an asset, as DIAGNOSE lists it."""
    rows = []
    for name, low, high in limits.itertuples(index=False):
        members = assets.index if name == "each asset" else [name]
        rows += [(member, low, high) for member in members]
    return pd.DataFrame(rows, columns=["Limit", "Min", "Max"])


@pytest.mark.parametrize("seed", range(40))
def test_a_conflict_is_irreducible_and_each_cure_cures(seed: int) -> None:
    limits, assets = random_conflict(seed)
    table = diagnose(limits, assets).value
    rows = expanded(limits, assets)
    if feasible(rows, assets):
        assert table.to_numpy().tolist()[0][0] == "All"
        return
    assert table["Limit"].to_list() == rows["Limit"].to_list()
    marked = np.flatnonzero(table["Conflict"] == "yes")
    assert not feasible(rows.iloc[marked], assets)
    for at in marked:
        assert feasible(rows.iloc[[i for i in marked if i != at]], assets)
        needed = table["Needed"].iloc[at]
        side = "Min" if np.isnan(rows["Max"].iloc[at]) else "Max"
        if np.isnan(needed):
            assert not feasible(rows.drop(rows.index[at]), assets)
            continue
        cured = rows.copy()
        cured.loc[at, side] = needed
        assert feasible(cured, assets)
        cured.loc[at, side] = needed + 1e-4 * (1 if side == "Min" else -1)
        assert not feasible(cured, assets)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_verify_agrees_with_others_and_shows_what_differs(seed: int, objective: str) -> None:
    case = random_case(seed)
    linear = pd.DataFrame(
        [("Sector Tech", np.nan, 0.6), ("exposure Beta", 0.6, 1.4)],
        columns=["Limit", "Min", "Max"])
    assets = case.assets.drop(columns="Cost")
    given = (case.mu, case.cov, linear, assets, case.returns, 252)
    weights = objectives.parse(objective).solve(
        Data(case.mu, case.cov, Setting(linear, assets, case.returns, 252)))
    table = verify(weights, objective, *given).value.set_index("Check")
    others = table.loc[["Objective, solved by PyPortfolioOpt", "Objective, solved by cvxpy"]]
    assert others["Status"].iloc[1] == "ok"
    assert others["Status"].iloc[0] == "ok" or objective == "max return"
    equal = pd.Series(1 / len(weights), index=weights.index)
    worse = verify(equal, objective, *given).value.set_index("Check")
    assert worse.loc["Objective, proved optimum", "Status"] == "differs"


def test_verify_reports_a_breach() -> None:
    case = random_case(1)
    limits = pd.DataFrame([("each asset", np.nan, 0.5)], columns=["Limit", "Min", "Max"])
    all_in = pd.Series([1.0], index=case.mu.index[:1])
    table = verify(all_in, "min volatility", None, case.cov, limits, case.assets).value
    assert table.set_index("Check").loc["Worst headroom of a limit", "Status"] == "breach"


def test_sensitivity_is_seeded_and_shrinks_with_the_errors() -> None:
    case = random_case(2)
    errors = pd.Series(0.02, case.mu.index)
    one = sensitivity(case.mu, case.cov, errors, 50).value
    again = sensitivity(case.mu, case.cov, errors, 50).value
    pd.testing.assert_frame_equal(one, again)
    none = sensitivity(case.mu, case.cov, 0 * errors, 20).value
    np.testing.assert_allclose(none["Low"], none["Weight"], atol=1e-9)
    np.testing.assert_allclose(none["High"], none["Weight"], atol=1e-9)
    wide = (one["High"] - one["Low"]).sum()
    narrow = sensitivity(case.mu, case.cov, errors / 10, 50).value
    assert (narrow["High"] - narrow["Low"]).sum() < wide


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min volatilty", "Did you mean 'min volatility'?"),
        ("target return", "'target return' needs a number behind it"),
    ],
)
def test_objectives_in_words(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        objectives.parse(text)
    assert objectives.parse(" Max  Sharpe 2% ") == objectives.Objective("max sharpe", 0.02)
    assert objectives.parse("max utility 3").parameter == 3
    assert objectives.parse("min cvar").parameter == 0.95


def test_drawdown_and_robust_equal_cvxpy() -> None:
    import cvxpy as cp

    case = random_case(4)
    R = case.returns.to_numpy()
    T, n = R.shape
    w, peak = cp.Variable(n), cp.Variable(T)
    path = np.cumsum(R, axis=0) @ w
    depth = peak - path
    rows = [w >= 0, cp.sum(w) == 1, peak >= path, peak >= 0, peak[1:] >= peak[:-1]]
    quantile = cp.Variable()
    forms = {
        "maximum": cp.max(depth), "average": cp.sum(depth) / T,
        "ulcer": cp.norm(depth) / np.sqrt(T),
        "cdar": quantile + cp.sum(cp.pos(depth - quantile)) / (0.1 * T),
    }
    for measure, form in forms.items():
        expected = cp.Problem(cp.Minimize(form), rows).solve(solver="CLARABEL")
        found = optimize_tail.min_drawdown(case.returns, measure, 0.9)
        assert found.objective == pytest.approx(expected, rel=1e-6), measure
    errors = pd.Series(np.linspace(0.005, 0.03, n), case.mu.index)
    root = np.linalg.cholesky(case.cov.to_numpy()).T
    base = case.mu.to_numpy() @ w - 1.5 * cp.sum_squares(root @ w)
    box = cp.Problem(cp.Maximize(base - 2 * errors.to_numpy() @ cp.abs(w)), rows[:2]).solve(
        solver="CLARABEL")
    found = optimize.robust(case.mu, case.cov, errors, 3, 2)
    assert found.objective == pytest.approx(box, rel=1e-6)
    ball = cp.Problem(
        cp.Maximize(base - 2 * cp.norm(cp.multiply(errors.to_numpy(), w))), rows[:2]).solve(
        solver="CLARABEL")
    matrix = pd.DataFrame(np.diag(errors**2), case.mu.index, case.mu.index)
    assert optimize.robust(case.mu, case.cov, matrix, 3, 2).objective == pytest.approx(
        ball, rel=1e-6)


# --- over the whole vocabulary -------------------------------------------------------------

PRICED = ("min volatility", "max sharpe -3%", "max return", "max utility 3", "min cvar 90%",
          "target return", "target volatility")


def spelled_out(case: Instance) -> list[list[object]]:
    """The rows with one member each, so that each bound can be moved alone."""
    rows: list[list[object]] = []
    sectors = [f"Sector {label}" for label in dict.fromkeys(case.assets["Sector"])]
    for word, low, high, price in case.table(soft=True).itertuples(index=False):
        members = {
            "each asset": case.names, "each Sector": sectors,
            "each active asset": [f"active {name}" for name in case.names],
            "each active Sector": [f"active {name}" for name in sectors],
        }.get(word, [word])
        if word != "days to liquidate" and not (word == "each asset" and low == low):
            rows += [[member, low, high, price] for member in members]
    return rows


@pytest.mark.parametrize("seed", range(14))
def test_the_price_of_every_word_equals_finite_differences(seed: int) -> None:
    case, objective = instance(100 + seed), PRICED[seed % len(PRICED)]
    rows = [row for row in spelled_out(case) if objective == "max utility 3" or row[3] != row[3]]
    assets = case.assets.drop(columns=["Min", "Max"], errors="ignore")
    if seed % 2:
        rows.append(["effective number", 0.9 / float(case.held @ case.held), np.nan, np.nan])
        rows = [row for i, row in enumerate(rows) if row[0] != "effective number"
                or i == len(rows) - 1]
    if objective.startswith("target"):
        middle = float(case.mu @ case.held)
        objective += f" {middle if 'return' in objective else 0.3:.6f}"

    def table() -> pd.DataFrame:
        return pd.DataFrame(rows, columns=["Limit", "Min", "Max", "Penalty"])

    def figure(weights: pd.Series) -> float:
        permitted = mandate(
            Facts.gather(case.mu.index, assets, case.mu, case.cov, case.returns, 252,
                         reference="mu"), table(), soft_allowed=True)
        return score_of(objectives.parse(objective), permitted)(weights.to_numpy())

    def best() -> float:
        data = Data(case.mu, case.cov, Setting(table(), assets, case.returns, 252))
        return figure(objectives.parse(objective).solve(data))

    given = (case.mu, case.cov, table(), assets, case.returns, 252)
    told = explain(pd.Series(case.held, case.names), objective, *given).value
    better = 1 if objective.startswith("max") or "volatility 0" in objective else -1
    firm = [i for i, row in enumerate(rows) if row[3] != row[3] and row[0] not in (
        "nav", "participation")]
    soft = [i for i, row in enumerate(rows) if row[3] == row[3]]
    at, step = 0, 1e-5
    for position in [*firm, *soft]:
        for side, sign in ((1, -1), (2, 1)):
            if np.isnan(rows[position][side]):
                continue
            price, name = told["Shadow price"].iloc[at], told["Limit"].iloc[at]
            at += 1
            kept, values = rows[position][side], []
            for h in (-step, step):
                rows[position][side] = kept + sign * h * max(1.0, abs(kept))
                try:
                    values.append(best())
                except ConflictError:
                    values.append(np.nan)
            rows[position][side] = kept
            change = better * (values[1] - values[0]) / (2 * step * max(1.0, abs(kept)))
            one = better * np.diff([values[0], best(), values[1]]) / (step * max(1.0, abs(kept)))
            if np.isfinite(change) and abs(one[1] - one[0]) < 0.02 * abs(change) + 1e-4:
                assert price == pytest.approx(change, rel=2e-2, abs=3e-4), (name, side)
    assert at == len(told)


def test_a_binding_short_row_has_the_whole_price() -> None:
    """One asset alone is short: no floor of its own takes a part of the price."""
    names = ["A", "B"]
    cov = pd.DataFrame([[0.06, 0.04], [0.04, 0.03]], names, names)
    limits = pd.DataFrame([("short", np.nan, 0.25)], columns=["Limit", "Min", "Max"])
    weights = optimize.min_volatility(cov, Setting(limits)).weights
    table = explain(weights, "min volatility", None, cov, limits).value
    more = limits.assign(Max=0.25 + 1e-5)
    lower = optimize.min_volatility(cov, Setting(limits)).objective - (
        optimize.min_volatility(cov, Setting(more)).objective)
    assert table["Shadow price"].iloc[0] == pytest.approx(lower / 1e-5, rel=1e-3)


def test_explain_weighs_penalties_and_refuses_them_elsewhere() -> None:
    case = random_case(2)
    soft = pd.DataFrame([("Sector Tech", np.nan, 0.1, 0.001)],
                        columns=["Limit", "Min", "Max", "Penalty"])
    setting = Setting(soft, case.assets)
    weights = optimize.max_utility(case.mu, case.cov, 3, setting).weights
    table = explain(weights, "max utility 3", case.mu, case.cov, soft, case.assets)
    assert not any("not the optimum" in note for note in table.notes)
    assert table.value["Shadow price"].iloc[0] == pytest.approx(0.001, rel=1e-6)
    assert table.value["Meaning"].iloc[0].endswith("at a Penalty of 0.001 a unit.")
    with pytest.raises(NotAvailable, match="only MAXUTILITY weighs"):
        explain(weights, "min volatility", case.mu, case.cov, soft, case.assets)


def test_verify_counts_costs_penalties_rules_and_targets() -> None:
    case = random_case(1)
    soft = pd.DataFrame([("Sector Tech", np.nan, 0.1, 0.001)],
                        columns=["Limit", "Min", "Max", "Penalty"])
    weights = optimize.max_utility(case.mu, case.cov, 3, Setting(soft, case.assets)).weights
    table = verify(weights, "max utility 3", case.mu, case.cov, soft, case.assets).value
    status = table.set_index("Check")["Status"]
    assert status["Objective, proved optimum"] == "ok"
    assert status["Objective, solved by cvxpy"] == "ok"
    assert status["Objective, solved by PyPortfolioOpt"].startswith("not posed")

    few = pd.DataFrame([("holdings", np.nan, 2)], columns=["Limit", "Min", "Max"])
    equal = pd.Series(1 / len(case.mu), case.mu.index)
    status = verify(equal, "min volatility", None, case.cov, few).value.set_index("Check")
    assert status.loc["Worst headroom of a limit", "Value"] == 2 - len(case.mu)
    assert status.loc["Worst headroom of a limit", "Status"] == "breach"
    assert status.loc["Objective, solved by cvxpy", "Status"].startswith("not posed")

    low = optimize.min_volatility(case.cov).weights
    target = (case.mu @ low + case.mu.max()) / 2
    words = f"target return {target:.9f}"
    status = verify(low, words, case.mu, case.cov).value.set_index("Check")
    assert status.loc["Headroom to the target", "Status"] == "breach"
    assert status.loc["Headroom to the target", "Value"] == pytest.approx(
        case.mu @ low - target, abs=1e-8)
    half = verify(low / 2, "min volatility", None, case.cov).value.set_index("Check")
    assert half.loc["Sum of weights", "Status"] == "breach"


@pytest.mark.parametrize("answer", [explain, verify])
def test_a_return_row_reads_the_mu_that_is_given(answer) -> None:
    case = random_case(3)
    limits = pd.DataFrame([("return", 0.06, np.nan)], columns=["Limit", "Min", "Max"])
    weights = optimize.min_volatility(case.cov, Setting(limits, mu=case.mu)).weights
    found = answer(weights, "min volatility", case.mu, case.cov, limits)
    assert not any("not the optimum" in note for note in found.notes)
    assert "differs" not in found.value.to_numpy()


def test_sensitivity_takes_the_returns_that_a_limit_needs() -> None:
    case = instance(2)
    limits = pd.DataFrame([("cvar 90%", np.nan, 0.05)], columns=["Limit", "Min", "Max"])
    with pytest.raises(NotAvailable, match="it needs returns"):
        sensitivity(case.mu, case.cov, 0 * case.mu, 10, Setting(limits))
    table = sensitivity(
        case.mu, case.cov, 0 * case.mu, 10, Setting(limits, None, case.returns, 252)).value
    np.testing.assert_allclose(table["Low"], table["Weight"], atol=1e-9)
