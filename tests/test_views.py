"""Black-Litterman: equilibrium, views in words and as picks, confidence, contradictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypfopt import black_litterman as peer

from portbal import picks, views
from portbal.errors import ConflictError, InputError
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = ["US", "Europe", "Japan", "3M", "Coca-Cola", "O'Neil"]
NAN = float("nan")


def market(seed: int = 5, names: list[str] = NAMES) -> tuple[pd.Series, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0.1, 0.1, (len(names), 3))
    cov = loadings @ loadings.T + np.diag(rng.uniform(0.005, 0.02, len(names)))
    prior = pd.Series(rng.uniform(0.02, 0.09, len(names)), names)
    return prior, pd.DataFrame(cov, names, names)


def asked(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Views from (words, return, confidence), in rows 2, 3, ... of a range."""
    frame = pd.DataFrame(rows, columns=["View", "Return", "Confidence"])
    return frame.set_axis(range(2, len(rows) + 2), axis="index")


def posterior(
    view: pd.DataFrame, tau: float = 0.05, uncertainty: Any = "he-litterman"
) -> pd.Series:
    prior, cov = market()
    found = views.black_litterman(prior, cov, view, tau, uncertainty).value
    return found.set_index("Asset")["Posterior"]


THREE = asked(("US - Europe", 0.02, NAN), ("Japan", 0.08, NAN), ("US + Japan - 2*'3M'", 0.01, NAN))


# --- equilibrium -----------------------------------------------------------------------------

def test_risk_aversion_is_that_of_pypfopt() -> None:
    days = pd.date_range("2020-01-31", periods=60, freq="ME")
    levels = pd.Series(np.exp(np.random.default_rng(1).normal(0.008, 0.04, 60).cumsum()), days)
    expected = peer.market_implied_risk_aversion(levels, frequency=12, risk_free_rate=0.02)
    found = views.risk_aversion(levels.pct_change().dropna(), 0.02)
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.notes == ()


def test_a_benchmark_below_riskfree_is_noted() -> None:
    found = views.risk_aversion(pd.Series([0.01, -0.02, 0.005]), 0.0, 12)
    assert found.value < 0
    assert "Implied returns need a positive one" in found.notes[0]
    with pytest.raises(InputError, match="never vary"):
        views.risk_aversion(pd.Series([0.01, 0.01, 0.01]), 0.0, 12)


def test_implied_returns_make_the_weights_optimal() -> None:
    _, cov = market()
    weights = pd.Series([0.3, 0.2, 0.1, 0.2, 0.1, 0.1], NAMES)
    found = views.implied_returns(weights, cov, 3.0, 0.01)
    np.testing.assert_allclose(np.linalg.solve(3.0 * cov, found - 0.01), weights, rtol=1e-9)
    expected = peer.market_implied_prior_returns(weights, 3.0, cov)
    np.testing.assert_allclose(found - 0.01, expected, rtol=1e-12)


def test_an_absent_weight_is_zero_and_comes_last() -> None:
    _, cov = market()
    found = views.implied_returns(pd.Series([0.6, 0.4], ["japan", "us"]), cov)
    assert list(found.index) == ["japan", "us", "Europe", "3M", "Coca-Cola", "O'Neil"]
    w = np.array([0.4, 0, 0.6, 0, 0, 0])
    np.testing.assert_allclose(found["Europe"], 2.5 * cov.loc["Europe"] @ w)
    with pytest.raises(InputError, match="'Japn' is not in cov") as refused:
        views.implied_returns(pd.Series([1.0], ["Japn"]), cov)
    assert "Did you mean 'Japan'?" in refused.value.fix


# --- against another program -----------------------------------------------------------------

@pytest.mark.parametrize("tau", [0.05, 0.3])
def test_posterior_is_that_of_pypfopt(tau: float) -> None:
    prior, cov = market()
    read = picks.read(THREE, prior.index)
    model = peer.BlackLittermanModel(
        cov, pi=prior.to_numpy()[:, None], P=read.picks, Q=read.returns, tau=tau
    )
    np.testing.assert_allclose(posterior(THREE, tau), model.bl_returns(), rtol=1e-10)
    found = views.posterior_covariance(cov, THREE, tau).value
    np.testing.assert_allclose(found, model.bl_cov(), rtol=1e-10)


def test_confidence_is_idzoreks_as_pypfopt_has_it() -> None:
    prior, cov = market()
    confidences = [0.2, 0.5, 0.9]
    read = picks.read(THREE, prior.index)
    model = peer.BlackLittermanModel(
        cov, pi=prior.to_numpy()[:, None], P=read.picks, Q=read.returns, omega="idzorek",
        view_confidences=confidences,
    )
    found = posterior(THREE.assign(Confidence=confidences))
    np.testing.assert_allclose(found, model.bl_returns(), rtol=1e-10)


def test_one_view_moves_its_portfolio_by_the_confidence() -> None:
    """With omega = tau p Sigma p' (1 - c) / c the view's gap closes by exactly c."""
    prior, _ = market()
    for c in (0.0, 0.25, 0.5, 0.8, 1.0):
        found = posterior(asked(("US - Europe", 0.05, c)))
        before = prior["US"] - prior["Europe"]
        after = found["US"] - found["Europe"]
        assert after == pytest.approx(before + c * (0.05 - before), abs=1e-15)


# --- exact ends ------------------------------------------------------------------------------

@pytest.mark.parametrize("tau", [0.01, 1.0])
def test_confidence_zero_is_the_prior_bit_by_bit(tau: float) -> None:
    prior, cov = market()
    ignored = THREE.assign(Confidence=0.0)
    assert posterior(ignored, tau).tolist() == prior.tolist()
    found = views.posterior_covariance(cov, ignored, tau).value
    np.testing.assert_allclose(found, (1 + tau) * cov, rtol=1e-14)


def test_confidence_zero_leaves_the_other_views_alone() -> None:
    mixed = THREE.assign(Confidence=[0.0, NAN, NAN])
    np.testing.assert_allclose(posterior(mixed), posterior(THREE.iloc[1:]), rtol=1e-13)


@settings(max_examples=40)
@given(
    st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3),
    st.lists(st.sampled_from([NAN, 0.3, 1.0]), min_size=3, max_size=3),
)
def test_certain_views_are_met(returns: list[float], confidences: list[float]) -> None:
    prior, cov = market()
    view = THREE.assign(Return=returns, Confidence=confidences)
    read = picks.read(view, prior.index)
    certain = read.confidence == 1
    met = read.picks @ posterior(view).to_numpy()
    np.testing.assert_allclose(met[certain], read.returns[certain], atol=1e-13)
    total = views.posterior_covariance(cov, view).value.to_numpy()
    left = read.picks[certain] @ (total - cov.to_numpy()) @ read.picks[certain].T
    np.testing.assert_allclose(left, 0, atol=1e-15)


def test_certain_views_that_follow_from_others_are_met_too() -> None:
    circle = asked(
        ("US - Europe", 0.01, 1), ("Europe - Japan", 0.02, 1), ("US - Japan", 0.03, 1),
        ("2*US - 2*Europe", 0.02, 1),
    )
    found = posterior(circle)
    assert found["US"] - found["Europe"] == pytest.approx(0.01, abs=1e-14)
    assert found["US"] - found["Japan"] == pytest.approx(0.03, abs=1e-14)


def test_certain_views_that_contradict_name_their_rows() -> None:
    prior, cov = market()
    circle = asked(
        ("US - Europe", 0.01, 1), ("'3M'", 0.07, 1), ("Europe - Japan", 0.02, 1),
        ("US - Japan", 0.04, 1),
    )
    for ask in (
        lambda: views.black_litterman(prior, cov, circle),
        lambda: views.posterior_covariance(cov, circle),
    ):
        with pytest.raises(ConflictError) as refused:
            ask()
        assert "rows 2, 4 and 5 are all certain" in refused.value.problem
        assert (refused.value.argument, refused.value.row) == ("views", 5)


def test_a_certain_view_outweighs_an_uncertain_one() -> None:
    both = asked(("US", 0.10, 1), ("US", 0.02, NAN))
    assert posterior(both)["US"] == pytest.approx(0.10, abs=1e-15)


def test_what_has_no_risk_cannot_be_moved() -> None:
    prior, cov = market(names=["Cash", "A", "B"])
    cov.loc["Cash"] = cov["Cash"] = 0.0
    prior["Cash"] = 0.03
    view = asked(("Cash", 0.02, NAN))
    with pytest.raises(ConflictError, match="without risk") as refused:
        views.black_litterman(prior, cov, view)
    assert refused.value.row == 2
    agreed = views.black_litterman(prior, cov, asked(("Cash", 0.03, 1), ("A", 0.1, 1))).value
    assert agreed["Posterior"].iloc[0] == 0.03
    assert agreed["Posterior"].iloc[1] == pytest.approx(0.1)
    relative = views.black_litterman(prior, cov, asked(("A - Cash", 0.05, 1))).value
    assert relative["Posterior"].iloc[1] == pytest.approx(0.08)


# --- the noise as a table --------------------------------------------------------------------

def test_variances_by_view() -> None:
    prior, cov = market()
    read = picks.read(THREE, prior.index)
    omega = np.array([0.001, 0.0, 0.02])
    table = pd.DataFrame({"View": ["japan", "US-Europe", "us + Japan - 2 * '3m'"],
                          "Variance": omega[[1, 0, 2]]})
    gain = 0.05 * cov.to_numpy() @ read.picks.T
    expected = prior + gain @ np.linalg.solve(
        read.picks @ gain + np.diag(omega), read.returns - read.picks @ prior
    )
    np.testing.assert_allclose(posterior(THREE, uncertainty=table), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("table", "argument", "says"),
    [
        ([("US - Europe", 0.1), ("Japan", 0.1)], "views", "neither a confidence nor a variance"),
        ([("US - Europ", 0.1)], "uncertainty", "there is no view"),
        ([("Japan", 0.1), ("japan", 0.1)], "uncertainty", "occurs twice"),
        ([("Japan", -0.1)], "uncertainty", "not a number from 0 up"),
    ],
)
def test_variances_that_do_not_fit(table: Any, argument: str, says: str) -> None:
    variances = pd.DataFrame(table, columns=["View", "Variance"])
    with pytest.raises(InputError, match=says) as refused:
        posterior(THREE, uncertainty=variances)
    assert refused.value.argument == argument


def test_a_variance_beside_a_confidence_is_noted() -> None:
    prior, cov = market()
    view = asked(("Japan", 0.08, 0.5), ("US", 0.05, NAN))
    table = pd.DataFrame({"View": ["Japan", "US"], "Variance": [0.1, 0.1]})
    found = views.black_litterman(prior, cov, view, 0.05, table)
    assert "'Japan'" in found.notes[0]
    assert len(found.notes) == 1


# --- views in words --------------------------------------------------------------------------

@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("US", {"US": 1}),
        (" us ", {"US": 1}),
        ("-US", {"US": -1}),
        ("US-Europe", {"US": 1, "Europe": -1}),
        ("US − Europe", {"US": 1, "Europe": -1}),
        ("US - 0.4*Europe - .6 * Japan", {"US": 1, "Europe": -0.4, "Japan": -0.6}),
        ("US - 40% * Europe - 60%*Japan", {"US": 1, "Europe": -0.4, "Japan": -0.6}),
        ("2e-1*US", {"US": 0.2}),
        ("'3M' - 'Coca-Cola'", {"3M": 1, "Coca-Cola": -1}),
        ("0.5*'3m' + 0.5 'US'", {"3M": 0.5, "US": 0.5}),
        ("'O''Neil' - O'Neil + US", {"US": 1}),
        ("US + US - 3*US", {"US": -1}),
    ],
)
def test_words_are_read(words: str, expected: dict[str, float]) -> None:
    found = picks.read(asked((words, 0.1, NAN)), pd.Index(NAMES))
    assert dict(zip(NAMES, found.picks[0], strict=True)) == pytest.approx(
        dict.fromkeys(NAMES, 0.0) | expected
    )


@pytest.mark.parametrize(
    ("words", "says", "fix"),
    [
        ("US - Europ", "'Europ', which is no asset", "Did you mean 'Europe'?"),
        ("3M - US", "cannot be read from '3M - US' on", "single quotes"),
        ("Coca-Cola", "no asset", "'Coca-Cola' in quotes"),
        ("US - 0,4*Europe", "cannot be read", "Use a point for decimals."),
        ("US - ", "cannot be read", "Write it like"),
        ("US * 2", "cannot be read", "Write it like"),
        ("2*", "cannot be read", "Write it like"),
        ("'US - Europe", "cannot be read", "single quotes"),
        ("3M' - US", "cannot be read", "type that quote twice"),
        ("US - US", "picks no asset", "Name the assets"),
        ("1e999*US", "missing or infinite", "finite"),
    ],
)
def test_words_that_cannot_be_read(words: str, says: str, fix: str) -> None:
    with pytest.raises(InputError) as refused:
        picks.read(asked(("US", 0.1, NAN), (words, 0.1, NAN)), pd.Index(NAMES))
    assert says in refused.value.problem
    assert fix in refused.value.fix
    assert (refused.value.argument, refused.value.row) == ("views", 3)


@pytest.mark.parametrize("confidence", [-0.1, 1.01, 50])
def test_confidence_is_a_fraction(confidence: float) -> None:
    with pytest.raises(InputError, match="not between 0 and 1") as refused:
        posterior(asked(("US", 0.1, confidence)))
    assert (refused.value.row, refused.value.column) == (2, "Confidence")


# --- the formulas ----------------------------------------------------------------------------

PRIOR_CELLS = [["Asset", "Return"], ["A", 0.05], ["B", 0.03], ["C", 0.04]]
COV_CELLS = [["", "C", "A", "B"], ["C", 0.09, 0.01, 0], ["A", 0.01, 0.04, 0.01],
             ["B", 0, 0.01, 0.02]]


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


def test_words_and_pick_matrix_give_the_same_cells() -> None:
    words = [["View", "Return", "Confidence"], ["A - B", 0.04, ""], ["C", "6%", 0.7]]
    matrix = [["A", "B", "C", "Return", "Confidence"], [1, -1, "", 0.04, ""],
              ["", "", 1, 0.06, "70%"]]
    first, second = (call("BLACKLITTERMAN", PRIOR_CELLS, COV_CELLS, v) for v in (words, matrix))
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.block == second.block
    assert first.block.rows[0] == ("Asset", "Prior", "Posterior", "Difference")
    assert [row[0] for row in first.block.rows[1:]] == ["A", "B", "C"]
    for row in first.block.rows[1:]:
        assert row[3] == pytest.approx(row[2] - row[1])
    total = call("BLCOVARIANCE", COV_CELLS, matrix)
    assert isinstance(total, Answer)
    assert total.block.rows[0] == (None, "C", "A", "B")


def test_uncertainty_is_a_word_or_a_table() -> None:
    view = [["View", "Return"], ["A - B", 0.04]]
    default = call("BLACKLITTERMAN", PRIOR_CELLS, COV_CELLS, view)
    word = call("BLACKLITTERMAN", PRIOR_CELLS, COV_CELLS, view, "", "He-Litterman")
    table = call("BLACKLITTERMAN", PRIOR_CELLS, COV_CELLS, view, "",
                 [["View", "Variance"], ["A-B", 0.05 * 0.04]])
    assert isinstance(default, Answer)
    assert isinstance(word, Answer)
    assert isinstance(table, Answer)
    assert default.block == word.block
    np.testing.assert_allclose([row[2] for row in table.block.rows[1:]],
                               [row[2] for row in default.block.rows[1:]], rtol=1e-12)
    unknown = call("BLACKLITTERMAN", PRIOR_CELLS, COV_CELLS, view, "", "idzorek")
    assert isinstance(unknown, Problem)
    assert "he-litterman" in unknown.fix


def test_problems_point_at_the_row_of_the_view() -> None:
    view = [["", "", ""], ["View", "Return", "Confidence"], ["A - B", 0.04, ""], ["D", 0.1, ""]]
    found = call("BLACKLITTERMAN", PRIOR_CELLS, COV_CELLS, view)
    assert isinstance(found, Problem)
    assert (found.argument, found.row, found.column) == ("views", 4, 1)


def test_prior_and_cov_name_the_same_assets() -> None:
    view = [["View", "Return"], ["A - B", 0.04]]
    found = call("BLACKLITTERMAN", PRIOR_CELLS[:3], COV_CELLS, view)
    assert isinstance(found, Problem)
    assert "'C' is not in prior" in found.message


@pytest.mark.parametrize("tau", [0, -1])
def test_tau_is_above_zero(tau: float) -> None:
    found = call("BLACKLITTERMAN", PRIOR_CELLS, COV_CELLS, [["View", "Return"], ["A", 0.1]], tau)
    assert isinstance(found, Problem)
    assert found.argument == "tau"


# --- names, not places -----------------------------------------------------------------------

@settings(max_examples=25)
@given(st.permutations(range(6)), st.permutations(range(6)))
def test_assets_permute_with_their_names(first: list[int], second: list[int]) -> None:
    prior, cov = market()
    view = THREE.assign(Confidence=[NAN, 0.7, 1])
    mixed = cov.iloc[second, second]
    found = views.black_litterman(prior.iloc[first], mixed, view).value.set_index("Asset")
    plain = views.black_litterman(prior, cov, view).value.set_index("Asset")
    assert list(found.index) == [NAMES[i] for i in first]
    np.testing.assert_allclose(found, plain.loc[found.index], rtol=1e-9, atol=1e-15)


@settings(max_examples=25)
@given(st.permutations(range(3)))
def test_the_order_of_views_does_not_matter(order: list[int]) -> None:
    view = THREE.assign(Confidence=[NAN, 0.7, 1])
    np.testing.assert_allclose(posterior(view.iloc[order]), posterior(view), rtol=1e-10)
