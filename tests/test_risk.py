"""Return, volatility, VaR, CVaR and contributions of a portfolio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from portbal import risk, tail
from portbal.errors import InputError
from portbal.tail import Moments
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = list("ABCDE")
METHODS = list(tail.METHODS)


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


# --- VaR and CVaR ----------------------------------------------------------------------------

def test_historical_by_hand() -> None:
    """Ten returns at 85%: VaR lies 1.35 places from the worst, CVaR takes 1.5 of them."""
    data = pd.DataFrame({"A": [0.01, -0.05, 0.02, 0.03, -0.02, 0.0, 0.04, -0.01, 0.05, 0.06]})
    assert tail.var(data, None, 0.85).value == pytest.approx(0.02 + 0.35 * -0.01)
    assert tail.cvar(data, None, 0.85).value == pytest.approx((0.05 + 0.5 * 0.02) / 1.5)
    beyond = tail.cvar(data, None, 0.85, options={"tail": "beyond"}).value
    assert beyond == pytest.approx((0.05 + 0.02) / 2)


@settings(max_examples=60)
@given(st.integers(2, 120), st.floats(0.05, 0.995), st.integers(0, 10**6))
def test_historical_cvar_is_the_least_of_rockafellar_and_uryasevs_function(
    rows: int, level: float, seed: int
) -> None:
    """CVaR = min over a of a + mean(max(loss - a, 0)) / (1 - level), reached at a loss."""
    values = np.random.default_rng(seed).normal(size=rows)
    losses = -values
    least = min(a + np.maximum(losses - a, 0).mean() / (1 - level) for a in losses)
    found = tail.historical(values, level)
    assert found.cvar == pytest.approx(least, rel=1e-9)
    assert found.var == pytest.approx(-pd.Series(values).quantile(1 - level), rel=1e-12)


def test_normal_is_that_of_scipy() -> None:
    data = table()
    portfolio = data @ WEIGHTS
    law = stats.norm(portfolio.mean() * 10, portfolio.std() * np.sqrt(10))
    assert tail.var(data, WEIGHTS, 0.99, "normal", 10).value == pytest.approx(
        -law.ppf(0.01), rel=1e-12
    )
    mean_beyond = law.expect(lambda x: x, ub=law.ppf(0.01)) / 0.01
    assert tail.cvar(data, WEIGHTS, 0.99, "normal", 10).value == pytest.approx(
        -mean_beyond, rel=1e-7
    )


def test_moments_are_those_of_scipy_and_pandas() -> None:
    x = table()["A"]
    population, sample = Moments.population(x.to_numpy()), Moments.sample(x.to_numpy())
    assert population == Moments(
        pytest.approx(x.mean()), pytest.approx(x.std(ddof=0)), pytest.approx(stats.skew(x)),
        pytest.approx(stats.kurtosis(x)),
    )
    assert sample == Moments(
        pytest.approx(x.mean()), pytest.approx(x.std()), pytest.approx(x.skew()),
        pytest.approx(x.kurt()),
    )


def test_moments_over_a_horizon_are_those_of_independent_sums() -> None:
    """A gamma variable of shape 3 is the sum of three of shape 1."""
    one = Moments(*map(float, (1, 1, *stats.gamma(1).stats("sk"))))
    three = stats.gamma(3)
    assert one.over(3) == Moments(
        3, pytest.approx(three.std()), pytest.approx(float(three.stats("s"))),
        pytest.approx(float(three.stats("k"))),
    )


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_cornish_fisher_without_skew_and_kurtosis_is_normal(level: float) -> None:
    plain = Moments(0.001, 0.02)
    found, expected = tail.cornish_fisher(plain, level), tail.normal(plain, level)
    assert found.var == pytest.approx(expected.var, rel=1e-14)
    assert found.cvar == pytest.approx(expected.cvar, rel=1e-14)


@pytest.mark.parametrize(("skewness", "kurtosis"), [(-0.3, 0.5), (0.2, 1.0), (-0.5, 1.5)])
def test_cornish_fisher_cvar_is_the_tail_of_the_edgeworth_density(
    skewness: float, kurtosis: float
) -> None:
    """Boudt, Peterson, Croux (2008): minus the mean of x times the second-order
    Edgeworth density below the Cornish-Fisher quantile, over 1 - level."""
    def density(x: float) -> float:
        h3, h4 = x**3 - 3 * x, x**4 - 6 * x**2 + 3
        h6 = x**6 - 15 * x**4 + 45 * x**2 - 15
        return stats.norm.pdf(x) * (
            1 + skewness / 6 * h3 + kurtosis / 24 * h4 + skewness**2 / 72 * h6
        )

    found = tail.cornish_fisher(Moments(0, 1, skewness, kurtosis), 0.95)
    mean_below, _ = integrate.quad(lambda x: x * density(x), -np.inf, -found.var)
    assert found.cvar == pytest.approx(-mean_below / 0.05, rel=1e-9)
    assert found.notes == ()


def test_moments_far_from_normal_are_noted() -> None:
    found = tail.cornish_fisher(Moments(0.005, 0.017, -2.6, 18.6), 0.99)
    assert "too far from normal" in found.notes[0]
    assert found.cvar >= found.var


def test_options_choose_the_moments() -> None:
    data = table()
    sample = tail.var(data, WEIGHTS, 0.95, "normal").value
    population = tail.var(data, WEIGHTS, 0.95, "normal", 1, {"moments": "population"}).value
    mean = (data @ WEIGHTS).mean()
    assert (population + mean) / (sample + mean) == pytest.approx(np.sqrt(249 / 250))
    default = tail.var(data, WEIGHTS, 0.95, "cornish-fisher").value
    same = tail.var(data, WEIGHTS, 0.95, "cornish-fisher", 1, {"Moments": "Population"}).value
    other = tail.var(data, WEIGHTS, 0.95, "cornish-fisher", 1, {"moments": "sample"}).value
    assert default == same != other


def test_a_longer_horizon_compounds_overlapping_windows() -> None:
    data = table(rows=30)
    portfolio = 1 + data @ WEIGHTS
    outcomes = portfolio.rolling(5).apply(np.prod, raw=True).dropna() - 1
    assert len(outcomes) == 26
    assert tail.var(data, WEIGHTS, 0.9, horizon=5).value == pytest.approx(-outcomes.quantile(0.1))


@pytest.mark.parametrize("name", ["VAR", "CVAR"])
@pytest.mark.parametrize("method", METHODS)
def test_a_horizon_of_one_is_the_default(name: str, method: str) -> None:
    data = cells(table())
    first = call(name, data, pairs(WEIGHTS), 0.95, method)
    second = call(name, data, pairs(WEIGHTS), "", method.upper(), 1, "")
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.block == second.block


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40)
@given(level=st.floats(0.02, 0.999), horizon=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_var_is_at_most_cvar(method: str, level: float, horizon: int, seed: int) -> None:
    found = tail.of_table(table(60, seed), WEIGHTS, level, method, horizon, None)
    assert found.var <= found.cvar + 1e-12


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20)
@given(factor=st.floats(0.01, 20))
def test_scaling_weights_scales_the_loss(method: str, factor: float) -> None:
    plain = tail.of_table(table(), WEIGHTS, 0.95, method, 1, None)
    scaled = tail.of_table(table(), WEIGHTS * factor, 0.95, method, 1, None)
    assert scaled.var == pytest.approx(plain.var * factor, rel=1e-9)
    assert scaled.cvar == pytest.approx(plain.cvar * factor, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20)
@given(order=st.permutations(range(5)))
def test_names_decide_not_places(method: str, order: list[int]) -> None:
    plain = tail.of_table(table(), WEIGHTS, 0.95, method, 1, None)
    mixed = tail.of_table(table().iloc[:, order], WEIGHTS, 0.95, method, 1, None)
    assert mixed.cvar == pytest.approx(plain.cvar, rel=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_a_sure_gain_is_a_negative_loss(method: str) -> None:
    data = pd.DataFrame({"A": [0.01] * 50})
    found = tail.of_table(data, None, 0.95, method, 1, None)
    assert found.var == pytest.approx(-0.01)
    assert found.cvar == pytest.approx(-0.01)


def test_a_small_sample_is_noted() -> None:
    data = table(rows=50)
    noted = call("CVAR", cells(data), pairs(WEIGHTS), 0.99)
    assert isinstance(noted, Answer)
    assert "less than one in the worst 0.01" in noted.notes[0]
    assert noted.block.rows[0][0] == pytest.approx(-(data @ WEIGHTS).min())
    enough = call("CVAR", cells(data), pairs(WEIGHTS), 0.95)
    assert isinstance(enough, Answer)
    assert enough.notes == ()


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        ([""], "weights", "returns has 5 columns"),
        ([[["A", 1], ["Z", 1]]], "weights", "'Z' is not in returns"),
        ([pairs(WEIGHTS), 95], "level", "not between 0 and 1"),
        ([pairs(WEIGHTS), 1], "level", "not between 0 and 1"),
        ([pairs(WEIGHTS), 0], "level", "not between 0 and 1"),
        ([pairs(WEIGHTS), 0.95, "garch"], "method", "there is no method 'garch'"),
        ([pairs(WEIGHTS), 0.95, "", 0], "horizon", "horizon of 0"),
        ([pairs(WEIGHTS), 0.95, "", 1.5], "horizon", "not a whole number"),
        ([pairs(WEIGHTS), 0.95, "", 251], "horizon", "longer than the 250 returns"),
        ([pairs(WEIGHTS), 0.95, "", "", [["moments", "sample"]]], "options", "no option 'moments'"),
        ([pairs(WEIGHTS), 0.95, "normal", "", [["moment", "sample"]]], "options", "no option"),
        ([pairs(WEIGHTS), 0.95, "normal", "", [["moments", "robust"]]], "options", "cannot be"),
        ([pairs(WEIGHTS * 200), 0.95, "", 2], "horizon", "nothing is left"),
    ],
)
def test_what_cannot_be_answered(arguments: list[Any], argument: str, says: str) -> None:
    for name in ("VAR", "CVAR"):
        found = call(name, cells(table()), *arguments)
        assert isinstance(found, Problem)
        assert found.argument == argument
        assert says in found.message


def test_an_unknown_method_lists_what_exists_and_an_option_its_nearest() -> None:
    found = call("VAR", cells(table()), pairs(WEIGHTS), 0.95, "modified")
    assert isinstance(found, Problem)
    for method in METHODS:
        assert method in found.fix
    found = call("VAR", cells(table()), pairs(WEIGHTS), 0.95, "normal", "", [["moment", "sample"]])
    assert isinstance(found, Problem)
    assert "Did you mean 'moments'?" in found.fix


def test_too_few_returns_for_the_method() -> None:
    for rows, method in ((1, "normal"), (3, "cornish-fisher")):
        with pytest.raises(InputError, match="needs at least"):
            tail.var(table(rows), WEIGHTS, 0.95, method)
