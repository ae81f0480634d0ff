"""EXPLAIN, DIAGNOSE, VERIFY, SENSITIVITY: prices by finite differences, conflicts by removal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mandates import random_case
from portbal import objectives, optimize, optimize_tail
from portbal.diagnose import diagnose
from portbal.errors import ConflictError, InputError
from portbal.explain import explain
from portbal.objectives import Data
from portbal.routes import Setting
from portbal.sensitivity import sensitivity
from portbal.verify import verify

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


@pytest.mark.parametrize("seed", range(200))
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
