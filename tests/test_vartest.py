"""Backtests of a VaR, and their edges."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from portbal import vartest
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

DATES = pd.bdate_range("2023-01-02", periods=500)


def call(*arguments: Any) -> Answer | Problem:
    return find("VARTEST").invoke(*[None if a is None else Block.of(a) for a in arguments])


def column(values: Any) -> list[list[Any]]:
    return [["P"], *[[float(x)] for x in values]]


def rows(found: Answer | Problem) -> dict[str, tuple[Any, ...]]:
    assert isinstance(found, Answer), found
    assert found.block.rows[0] == ("Test", "Value", "P value", "Verdict")
    return {str(row[0]): row[1:] for row in found.block.rows[1:]}


def losses(hits: list[bool]) -> pd.DataFrame:
    return pd.DataFrame({"P": [-0.03 if hit else 0.01 for hit in hits]})


def likelihood(hits: np.ndarray, chances: np.ndarray) -> float:
    return float(np.log(np.where(hits, chances, 1 - chances)).sum())


@settings(max_examples=60)
@given(st.lists(st.booleans(), min_size=2, max_size=200), st.floats(0.01, 0.3))
def test_ratios_are_of_likelihoods_period_by_period(hits: list[bool], share: float) -> None:
    found = rows(call(column(losses(hits)["P"]), 0.02, 1 - share))
    h = np.array(hits)
    own = np.clip(h.mean(), 1e-300, 1 - 1e-16)
    by_count = 2 * (likelihood(h, np.full(len(h), own)) - likelihood(h, np.full(len(h), share)))
    assert found["Kupiec"][0] == pytest.approx(by_count, abs=1e-8)
    after, before = h[1:], h[:-1]
    chances = np.where(before, after[before].mean() if before.any() else 0.5,
                       after[~before].mean() if (~before).any() else 0.5)
    chances = np.clip(chances, 1e-300, 1 - 1e-16)
    alike = np.full(len(after), np.clip(after.mean(), 1e-300, 1 - 1e-16))
    by_order = 2 * (likelihood(after, chances) - likelihood(after, alike))
    assert found["Christoffersen"][0] == pytest.approx(by_order, abs=1e-8)
    assert found["joint"][0] == pytest.approx(by_count + by_order, abs=1e-8)
    assert found["joint"][1] == pytest.approx(stats.chi2(2).sf(by_count + by_order), abs=1e-8)


def test_no_exceptions_at_all() -> None:
    found = rows(call(column([0.01] * 100), 0.05, 0.95))
    assert found["Kupiec"][0] == pytest.approx(-2 * 100 * np.log(0.95))
    assert found["Kupiec"][2] == "rejected"
    assert found["Christoffersen"] == (0, 1, "not rejected")
    assert found["Basel zone"] == (0, 1, "green")
    assert found["duration"] == (None, None, "too few exceptions")
    few = rows(call(column([0.01] * 20), 0.05, 0.95))
    assert few["Kupiec"][2] == "not rejected"


@pytest.mark.parametrize("count", [1, 5])
def test_no_exceptions_are_green_however_few_the_periods(count: int) -> None:
    """As many or fewer have a probability of 95% and more: all of it is that of none."""
    assert stats.binom.cdf(0, count, 0.01) >= 0.95
    assert rows(call(column([0.01] * count), 0.05, 0.99))["Basel zone"] == (0, 1, "green")


def test_only_exceptions() -> None:
    found = rows(call(column([-0.1] * 300), 0.05, 0.99))
    assert found["Kupiec"][0] == pytest.approx(-2 * 300 * np.log(0.01))
    assert found["Christoffersen"] == (0, 1, "not rejected")
    assert found["Basel zone"][0] == 250
    assert found["Basel zone"][2] == "red"


def test_a_loss_equal_to_var_is_no_exception() -> None:
    found = rows(call(column([-0.05, -0.05, 0.01]), 0.05, 0.95))
    assert found["Basel zone"][0] == 0


def test_the_zone_looks_at_the_last_window() -> None:
    hits = [True] * 30 + [False] * 270
    assert rows(call(column(losses(hits)["P"]), 0.02, 0.99))["Basel zone"][:1] == (0,)
    found = call(column(losses(hits)["P"]), 0.02, 0.99, 280)
    assert rows(found)["Basel zone"][0] == 10
    short = call(column(losses(hits[:100])["P"]), 0.02, 0.99)
    assert isinstance(short, Answer)
    assert "looks at all 100 periods, for 250 are not there" in " ".join(short.notes)
    full = call(column(losses([True] * 6 + [False] * 244)["P"]), 0.02, 0.99)
    assert isinstance(full, Answer)
    assert "The capital multiplier of the Basel zone is 3.50." in full.notes


# --- durations ---------------------------------------------------------------------------------

def weibull_loglikelihood(a: float, b: float, whole: np.ndarray, cut: np.ndarray) -> float:
    law = stats.weibull_min(b, scale=1 / a)
    return float(law.logpdf(whole).sum() + law.logsf(cut).sum())


@pytest.mark.parametrize("seed", range(6))
def test_durations_by_scipys_weibull(seed: int) -> None:
    hits = np.random.default_rng(seed).random(400) < 0.06
    ratio, shape = vartest.duration(hits)
    at = np.flatnonzero(hits)
    whole = np.array([b - a for a, b in pairwise(at)], dtype=float)
    cut = np.array([x for x in (0 if hits[0] else at[0] + 1, 399 - at[-1]) if x > 0], dtype=float)
    free = optimize.minimize(
        lambda p: -weibull_loglikelihood(np.exp(p[0]), np.exp(p[1]), whole, cut), [-3, 0],
        method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000})
    plain = optimize.minimize_scalar(
        lambda p: -weibull_loglikelihood(np.exp(p), 1, whole, cut), bracket=(-5, -1))
    assert ratio == pytest.approx(2 * (plain.fun - free.fun), abs=1e-6)
    assert shape == pytest.approx(np.exp(free.x[1]), rel=1e-4)


def test_clusters_have_a_shape_below_one() -> None:
    clustered = np.zeros(500, dtype=bool)
    clustered[[50, 51, 53, 54, 200, 201, 202, 400, 402, 403]] = True
    even = np.zeros(500, dtype=bool)
    even[24::50] = True
    assert vartest.duration(clustered)[1] < 1 < vartest.duration(even)[1]
    assert vartest.duration(clustered)[0] > 3.84 < vartest.duration(even)[0]
    for hits, says in ((clustered, "come in clusters"), (even, "do not cluster")):
        found = call(column(losses(list(hits))["P"]), 0.02, 0.99)
        assert isinstance(found, Answer)
        assert found.notes[-1].endswith(f"exceptions {says}.")


def test_the_duration_test_rejects_one_right_model_in_twenty() -> None:
    """Where exceptions are rare; whole days make it a little more than that at 95%."""
    rng = np.random.default_rng(1)
    ratios = [vartest.duration(rng.random(4000) < 0.01)[0] for _ in range(500)]
    assert np.mean(np.array(ratios) > stats.chi2(1).ppf(0.95)) == pytest.approx(0.05, abs=0.025)


# --- expected shortfall ------------------------------------------------------------------------

def test_z2_by_hand() -> None:
    """Four periods at 75%: one exception of 0.05 against a CVaR of 0.04."""
    z = vartest.shortfall(
        np.array([0.05, 0.01, -0.02, 0.0]), np.full(4, 0.02), np.full(4, 0.04), 0.25)
    assert z == pytest.approx(1 - 0.05 / 0.04)
    assert vartest.shortfall(np.zeros(4), np.full(4, 0.02), np.full(4, 0.04), 0.25) == 1


@pytest.mark.parametrize("freedom", [4, 1e8])
def test_a_right_model_is_rejected_one_time_in_twenty(freedom: float) -> None:
    law = stats.t(freedom)
    var = -law.ppf(0.05)
    cvar = -law.expect(lambda x: x, ub=-var) / 0.05
    rng = np.random.default_rng(2)
    returns = law.rvs((300, 250), random_state=rng)
    z = [vartest.shortfall(-row, np.full(250, var), np.full(250, cvar), 0.05) for row in returns]
    critical = np.quantile(z, 0.05)
    assert vartest.shortfall_p(critical, 250, 0.05, cvar / var) == pytest.approx(0.05, abs=0.03)
    assert vartest.shortfall_p(float(np.median(z)), 250, 0.05, cvar / var) == pytest.approx(
        0.5, abs=0.07)


@pytest.mark.parametrize("level", [0.5, 0.3])
def test_shortfall_where_var_is_no_loss(level: float) -> None:
    """The chance of a Z2 as low, by samples of whole periods."""
    rng = np.random.default_rng(3)
    var, cvar = -stats.norm.ppf(1 - level), stats.norm.pdf(stats.norm.ppf(1 - level)) / (1 - level)
    draws = -rng.standard_normal((20_000, 100))
    z2 = 1 - np.where(draws > var, draws, 0).sum(axis=1) / cvar / (100 * (1 - level))
    p = vartest.shortfall_p(-0.2, 100, 1 - level, 1.0)
    assert p == pytest.approx((z2 <= -0.2).mean(), abs=0.01)
    found = rows(call(column(rng.normal(0, 1, 100) / 100), var / 100, level, 250, cvar / 100))
    assert found["expected shortfall"][2] == "not rejected"


def test_a_thinner_tail_than_normal_keeps_its_mean() -> None:
    rng = np.random.default_rng(0)
    drawn = vartest._beyond(rng, 200_000, 0.05, np.inf, 1.1)
    assert drawn.mean() == pytest.approx(1, abs=0.002)
    assert drawn.min() == pytest.approx(1 / 1.1, rel=1e-3)


def test_too_low_a_cvar_is_rejected() -> None:
    returns = np.random.default_rng(5).standard_t(3, 500) * 0.01
    low = rows(call(column(returns), 0.0165, 0.95, "", 0.0175))
    assert low["expected shortfall"][0] < 0
    assert low["expected shortfall"][2] == "rejected"
    right = rows(call(column(returns), 0.0235, 0.95, "", 0.0387))
    assert right["expected shortfall"][2] == "not rejected"
    assert "expected shortfall" not in rows(call(column(returns), 0.0235))


# --- what belongs together ---------------------------------------------------------------------

def dated(values: Any, dates: pd.DatetimeIndex, title: str) -> list[list[Any]]:
    return [["Date", title], *[[day.date(), float(x)] for day, x in zip(
        dates, values, strict=True)]]


def test_a_series_of_forecasts_is_matched_by_date_and_history_left_out() -> None:
    returns = np.random.default_rng(3).normal(0, 0.01, 500)
    forecast = np.linspace(0.01, 0.02, 250)
    found = call(dated(returns, DATES, "P"), dated(forecast, DATES[250:], "VaR"))
    assert "250 returns before the first VaR are left out." in found.notes  # type: ignore[union-attr]
    hits = int((-returns[250:] > forecast).sum())
    assert rows(found)["Basel zone"][0] == hits
    assert f"{hits} of 250 losses exceed the VaR" in found.notes[0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        ([[["A", "B"], [0.1, 0.2]], 0.05], "returns", "2 columns"),
        ([column([0.1, 0.2]), [["VaR"], [0.05]]], "var", "has 1 rows, and returns has 2"),
        ([column([0.1, 0.2]), 0.05, 1], "level", "not between 0 and 1"),
        ([column([0.1, 0.2]), 0.05, 0.9, 0], "window", "window of 0"),
        ([column([0.1, 0.2]), 0.05, 0.9, "", 0.04], "cvar", "is below its VaR"),
        ([column([0.1, 0.2]), -0.05, 0.9, "", 0], "cvar", "is not above 0"),
        ([dated([0.1, 0.2], DATES[:2], "P"), dated([0.1, 0.2], DATES[1:3], "V")], "var",
         "2023-01-04 is not in returns"),
        ([dated([0.1, 0.2, 0.1], DATES[:3], "P"), dated([0.1, 0.2], DATES[[0, 2]], "V")], "var",
         "2023-01-03 of returns is missing"),
    ],
)
def test_what_cannot_be_tested(arguments: list[Any], argument: str, says: str) -> None:
    found = call(*arguments)
    assert isinstance(found, Problem)
    assert found.argument == argument
    assert says in found.message


def test_with_weights_the_returns_are_those_of_the_portfolio() -> None:
    values = np.random.default_rng(4).normal(0, 0.01, (300, 2))
    table = [["A", "B"], *values.tolist()]
    held = call(table, 0.015, 0.95, 250, 0.02, [["A", 0.3], ["B", 0.7]])
    alone = call(column(values @ [0.3, 0.7]), 0.015, 0.95, 250, 0.02)
    for name, row in rows(alone).items():
        assert rows(held)[name] == pytest.approx(row)
    found = call(table, 0.015)
    assert isinstance(found, Problem)
    assert "Give one column of returns, or weights." in found.fix


@pytest.mark.parametrize("freedom", [1.01, 4.0, np.inf])
def test_losses_of_the_shortfall_test_are_quantiles_of_the_tail(freedom: float) -> None:
    drawn = vartest._beyond(np.random.default_rng(3), 2000, 0.01, freedom, 99.0)
    u = 0.01 * (1 - np.random.default_rng(3).random(2000))
    exact = -(stats.t(freedom).ppf(u) if np.isfinite(freedom) else stats.norm.ppf(u))
    np.testing.assert_allclose(drawn / drawn[0], exact / exact[0], rtol=1e-5)
