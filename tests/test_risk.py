"""Return, volatility, VaR, CVaR and contributions of a portfolio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portbal import risk
from portbal.errors import InputError
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = list("ABCDE")


def table(rows: int = 250, seed: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.standard_t(6, (rows, 5)) * 0.008 + rng.normal(0.0004, 0.006, (rows, 1))
    return pd.DataFrame(values, columns=NAMES)


def cov() -> pd.DataFrame:
    return table().cov() * 252


WEIGHTS = pd.Series([0.4, 0.3, 0.2, -0.1, 0.2], NAMES)
MU = pd.Series([0.05, 0.07, 0.03, 0.02, 0.09], NAMES)


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


def cells(data: pd.DataFrame) -> list[list[Any]]:
    return [list(data.columns), *data.to_numpy().tolist()]


def pairs(values: pd.Series) -> list[list[Any]]:
    return [[label, value] for label, value in values.items()]


def square(values: pd.DataFrame) -> list[list[Any]]:
    rows = zip(values.index, values.to_numpy().tolist(), strict=True)
    return [["", *values.columns], *[[label, *row] for label, row in rows]]


# --- return, volatility, Sharpe --------------------------------------------------------------

def test_return_volatility_and_sharpe_by_the_definitions() -> None:
    w, s = WEIGHTS.to_numpy(), cov().to_numpy()
    volatility = np.linalg.norm(np.linalg.cholesky(s).T @ w)
    assert risk.portfolio_return(WEIGHTS, MU) == pytest.approx(sum(WEIGHTS * MU), rel=1e-14)
    assert risk.volatility(WEIGHTS, cov()) == pytest.approx(volatility, rel=1e-12)
    assert risk.sharpe(WEIGHTS, MU, cov(), 0.02) == pytest.approx(
        (WEIGHTS * (MU - 0.02)).sum() / volatility, rel=1e-12
    )


def test_volatility_is_that_of_the_portfolio_returns() -> None:
    expected = (table() @ WEIGHTS).std() * np.sqrt(252)
    assert risk.volatility(WEIGHTS, cov()) == pytest.approx(expected, rel=1e-12)


def test_what_is_not_invested_earns_riskfree() -> None:
    """Half in cash halves return above riskfree and volatility alike."""
    full = risk.sharpe(WEIGHTS, MU, cov(), 0.02)
    assert risk.sharpe(WEIGHTS / 2, MU, cov(), 0.02) == pytest.approx(full, rel=1e-12)


def test_weights_are_matched_by_name_and_absent_ones_are_zero() -> None:
    part = pd.Series([0.5, 0.25], [" e", "B "])
    assert risk.portfolio_return(part, MU) == pytest.approx(0.5 * 0.09 + 0.25 * 0.07)
    assert risk.volatility(part, cov()) == pytest.approx(
        (table() @ pd.Series([0, 0.25, 0, 0, 0.5], NAMES)).std() * np.sqrt(252)
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("PORTRETURN", [pairs(MU)]),
        ("PORTVOLATILITY", [square(cov())]),
        ("SHARPE", [pairs(MU), square(cov())]),
        ("RISKCONTRIBUTION", [square(cov())]),
    ],
)
def test_an_unknown_name_in_weights_is_refused(name: str, arguments: list[Any]) -> None:
    found = call(name, [["Asset", "Weight"], ["A", 1], ["Z", 0]], *arguments)
    assert isinstance(found, Problem)
    assert (found.argument, found.row) == ("weights", 3)
    assert "'Z' is not in" in found.message


def test_bare_numbers_go_in_the_order_of_the_names() -> None:
    found = call("PORTRETURN", [[x] for x in WEIGHTS], pairs(MU))
    assert isinstance(found, Answer)
    assert found.block.rows == ((pytest.approx(float(WEIGHTS @ MU)),),)


def test_mu_and_cov_name_the_same_assets() -> None:
    found = call("SHARPE", pairs(WEIGHTS[:2]), pairs(MU[:4]), square(cov()))
    assert isinstance(found, Problem)
    assert "'E' is not in mu" in found.message


def test_without_volatility_there_is_no_sharpe_ratio() -> None:
    riskless = pd.DataFrame([[0.04, -0.02], [-0.02, 0.01]], ["A", "B"], ["A", "B"])
    hedged = pd.Series([1 / 3, 2 / 3], ["A", "B"])
    for ask in (
        lambda: risk.sharpe(hedged, MU[:2], riskless),
        lambda: risk.contributions(hedged, riskless),
    ):
        with pytest.raises(InputError, match="no volatility"):
            ask()
    assert risk.volatility(hedged, riskless) == 0


# --- contributions ---------------------------------------------------------------------------

def test_marginal_is_the_slope_of_volatility() -> None:
    found = risk.contributions(WEIGHTS, cov()).set_index("Asset")
    for name in NAMES:
        step = pd.Series([1e-6], [name]).reindex(NAMES, fill_value=0)
        slope = risk.volatility(WEIGHTS + step, cov()) - risk.volatility(WEIGHTS - step, cov())
        assert found.loc[name, "Marginal"] == pytest.approx(slope / 2e-6, abs=1e-8)


@settings(max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=5, max_size=5).filter(lambda w: max(map(abs, w)) > 0.01))
def test_contributions_add_up_to_volatility(values: list[float]) -> None:
    weights = pd.Series(values, NAMES)
    found = risk.contributions(weights, cov())
    assert found["Contribution"].sum() == pytest.approx(risk.volatility(weights, cov()), rel=1e-12)
    assert found["Share"].sum() == pytest.approx(1, rel=1e-12)
    groups = pd.Series(["x", "y", "x", "z", "y"], NAMES)
    grouped = risk.contributions(weights, cov(), groups).set_index("Group")
    assert list(grouped.index) == ["x", "y", "z"]
    both = found.set_index("Asset").groupby(groups)[["Weight", "Contribution", "Share"]].sum()
    np.testing.assert_allclose(grouped[both.columns], both, atol=1e-15)


def test_a_groups_marginal_is_its_slope_in_proportion() -> None:
    groups = pd.Series(["x", "X ", "x", "y", "y"], NAMES)
    found = risk.contributions(WEIGHTS, cov(), groups).set_index("Group")
    assert list(found.index) == ["x", "y"]
    grown = WEIGHTS.copy()
    grown[["A", "B", "C"]] *= 1 + 1e-6
    slope = (risk.volatility(grown, cov()) - risk.volatility(WEIGHTS, cov())) / (0.9 * 1e-6)
    assert found.loc["x", "Marginal"] == pytest.approx(slope, rel=1e-5)


def test_answers_come_in_the_order_of_weights_then_the_rest_of_cov() -> None:
    found = call("RISKCONTRIBUTION", [["e", 0.5], ["B", 0.5]], square(cov()))
    assert isinstance(found, Answer)
    assert found.block.rows[0] == ("Asset", "Weight", "Marginal", "Contribution", "Share")
    assert [row[0] for row in found.block.rows[1:]] == ["e", "B", "A", "C", "D"]
    assert [row[1] for row in found.block.rows[1:]] == [0.5, 0.5, 0, 0, 0]


def test_groups_by_cells() -> None:
    groups = [["Asset", "Group"], ["F", "other"], *[[n, "x" if n < "C" else "y"] for n in NAMES]]
    found = call("RISKCONTRIBUTION", pairs(WEIGHTS), square(cov()), groups)
    assert isinstance(found, Answer)
    assert found.block.rows[0] == ("Group", "Weight", "Marginal", "Contribution", "Share")
    assert [row[0] for row in found.block.rows[1:]] == ["x", "y"]
    missing = call("RISKCONTRIBUTION", pairs(WEIGHTS), square(cov()), groups[:-1])
    assert isinstance(missing, Problem)
    assert "'E' has no group" in missing.message


def test_a_group_without_weight_has_no_marginal() -> None:
    weights = pd.Series([0.5, -0.5, 1.0], ["A", "B", "C"])
    groups = pd.Series(["pair", "pair", "rest", "rest", "rest"], NAMES)
    found = call("RISKCONTRIBUTION", pairs(weights), square(cov()),
                 [["Asset", "Group"], *pairs(groups)])
    assert isinstance(found, Answer)
    assert found.block.rows[1][:3] == ("pair", 0, None)


# --- with and without a position ---------------------------------------------------------------

def test_incremental_is_what_selling_the_position_would_save() -> None:
    found = risk.incremental(WEIGHTS, cov()).set_index("Asset")
    whole = risk.volatility(WEIGHTS, cov())
    for name in NAMES:
        rest = WEIGHTS.copy()
        rest[name] = 0
        assert found.loc[name, "Without"] == pytest.approx(risk.volatility(rest, cov()))
        assert found.loc[name, "Incremental"] == pytest.approx(
            whole - risk.volatility(rest, cov()))
        assert found.loc[name, "Alone"] == pytest.approx(
            abs(WEIGHTS[name]) * np.sqrt(cov().loc[name, name]))


def test_incremental_by_group_takes_all_its_assets_away() -> None:
    groups = pd.Series(["x", "y", "x", "z", "y"], NAMES)
    found = risk.incremental(WEIGHTS, cov(), groups).set_index("Group")
    assert list(found.index) == ["x", "y", "z"]
    rest = WEIGHTS.where(groups != "x", 0)
    assert found.loc["x", "Without"] == pytest.approx(risk.volatility(rest, cov()))
    assert found.loc["x", "Weight"] == pytest.approx(0.6)


def test_all_in_one_group_leaves_nothing() -> None:
    found = risk.incremental(WEIGHTS, cov(), pd.Series("all", NAMES))
    assert found["Without"].tolist() == [0]
    assert found["Incremental"][0] == pytest.approx(risk.volatility(WEIGHTS, cov()))
