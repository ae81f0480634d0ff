"""VaR and CVaR by every method, side by side, and which asset they come from."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from portbal import stressed_var, tail, tailparts
from portbal.errors import InputError, NotAvailable
from portbal.losses import columns, extremes, filtered, simulated, student
from portbal.losses.laws import Moments, cornish_fisher, historical, normal, rises
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = list("ABCDE")
METHODS = list(tail.METHODS)
AHEAD = [name for name, method in tail.METHODS.items() if method.ahead]


def table(rows: int = 250, seed: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.standard_t(6, (rows, 5)) * 0.008 + rng.normal(0.0004, 0.006, (rows, 1))
    return pd.DataFrame(values, columns=NAMES)



WEIGHTS = pd.Series([0.4, 0.3, 0.2, -0.1, 0.2], NAMES)


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


def cells(data: pd.DataFrame) -> list[list[Any]]:
    return [list(data.columns), *data.to_numpy().tolist()]


def pairs(values: pd.Series) -> list[list[Any]]:
    return [[label, value] for label, value in values.items()]


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
    found = historical(values, level)
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
    found, expected = cornish_fisher(plain, level), normal(plain, level)
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

    found = cornish_fisher(Moments(0, 1, skewness, kurtosis), 0.95)
    mean_below, _ = integrate.quad(lambda x: x * density(x), -np.inf, -found.var)
    assert found.cvar == pytest.approx(-mean_below / 0.05, rel=1e-9)
    assert found.notes == ()


def test_moments_far_from_normal_are_noted() -> None:
    found = cornish_fisher(Moments(0.005, 0.017, -2.6, 18.6), 0.99)
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
    horizon = horizon if method in AHEAD else 1
    level = max(level, 0.8) if method == "evt" else level
    found = tail.of_table(table(120, seed), WEIGHTS, level, method, horizon, None)
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
        ([pairs(WEIGHTS), 0.95, "filtered", 2], "horizon", "looks one period ahead"),
        ([pairs(WEIGHTS), 0.6, "evt"], "level", "lies within the threshold"),
        ([pairs(WEIGHTS), 0.95, "evt", "", [["threshold", 0.7]]], "options", "cannot be 0.7"),
        ([pairs(WEIGHTS), 0.95, "montecarlo", "", [["seed", 1.5]]], "options", "cannot be 1.5"),
        ([pairs(WEIGHTS), 0.95, "montecarlo", "", [["seed", "x"]]], "options", "cannot be 'x'"),
        ([pairs(WEIGHTS), 0.95, "montecarlo", "", [["path", 1]]], "options", "no option 'path'"),
        ([pairs(WEIGHTS), 0.95, "", "", [["quantile", 10]]], "options", "cannot be '10'"),
        ([pairs(WEIGHTS), 0.95, "montecarlo", 20_000], "horizon", "too many to simulate"),
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
    for rows, method in (
        (1, "normal"), (3, "cornish-fisher"), (9, "student"), (49, "filtered"), (49, "evt"),
        (9, "montecarlo"),
    ):
        with pytest.raises(InputError, match="needs at least"):
            tail.var(table(rows), WEIGHTS, 0.95, method)


# --- conventions -----------------------------------------------------------------------------

_NUMPY_TYPES = {
    "1": "inverted_cdf", "2": "averaged_inverted_cdf", "3": "closest_observation",
    "4": "interpolated_inverted_cdf", "5": "hazen", "6": "weibull", "7": "linear",
    "8": "median_unbiased", "9": "normal_unbiased",
}


@pytest.mark.parametrize("kind", _NUMPY_TYPES)
@settings(max_examples=40)
@given(rows=st.integers(1, 90), share=st.floats(0.011, 0.97), seed=st.integers(0, 10**6))
def test_quantile_types_are_those_of_hyndman_and_fan(
    kind: str, rows: int, share: float, seed: int
) -> None:
    place = Fraction(share) * rows - (Fraction(1, 2) if kind == "3" else 0)
    assume(kind > "3" or place.denominator == 1 or abs(place - round(place)) > 1e-6)
    values = np.random.default_rng(seed).normal(size=rows)
    expected = np.quantile(values, share, method=_NUMPY_TYPES[kind])
    assert historical(values, 1 - share, kind=int(kind)).var == pytest.approx(-expected, rel=1e-7)


@pytest.mark.parametrize(("level", "count"), [(0.95, 200), (0.9, 10), (0.93, 100), (0.99, 300)])
def test_rounding_of_the_level_costs_no_observation(level: float, count: int) -> None:
    """(1 - 0.95) 200 is a little more than 10 in binary: still the ten worst, not eleven."""
    values = np.random.default_rng(1).normal(size=count)
    whole = round((1 - level) * count)
    found = historical(values, level, kind=1)
    assert found.var == -np.sort(values)[whole - 1]
    assert found.cvar == pytest.approx(-np.sort(values)[:whole].mean(), rel=1e-14)
    assert found.notes == ()


def test_type_three_takes_the_even_one_of_two_that_are_as_near() -> None:
    """0.7 times 85 is 59.5, a little less in binary: the sixtieth, not the fifty-ninth."""
    values = np.random.default_rng(0).normal(size=85)
    assert historical(values, 0.3, kind=3).var == -np.sort(values)[59]


def test_a_scaled_horizon_is_the_square_root_and_the_note_tells_the_difference() -> None:
    data = table()
    options = {"horizon": "scaled"}
    one, ten = (tail.var(data, WEIGHTS, 0.95, horizon=h, options=options).value for h in (1, 10))
    assert ten == pytest.approx(one * np.sqrt(10))
    overlapping = tail.var(data, WEIGHTS, 0.95, horizon=10)
    assert f"would be {ten:.4g}" in overlapping.notes[0]
    assert "241 overlapping windows 25 do not overlap" in overlapping.notes[0]
    assert overlapping.value != pytest.approx(ten, rel=1e-3)
    scaled = tail.var(data, WEIGHTS, 0.95, horizon=10, options=options)
    for found in (overlapping, scaled):
        assert "leaves out the mean, compounding" in found.notes[0]
    assert tail.var(data, WEIGHTS, 0.95, options=options).notes == ()
    for method in ("normal", "cornish-fisher", "student"):
        assert "deviation times its square root" in tail.var(
            data, WEIGHTS, 0.95, method, 10).notes[0]
        assert "square root" not in " ".join(tail.var(data, WEIGHTS, 0.95, method).notes)


@pytest.mark.parametrize("skewness", [0.0, 1.0, 2.4])
def test_far_out_the_domain_of_the_expansion_is_maillards(skewness: float) -> None:
    """Maillard (2012): skewness up to 6 (sqrt 2 - 1), excess kurtosis between the roots of the
    discriminant of the derivative."""
    def discriminant(k: float) -> float:
        return skewness**2 / 9 - 4 * (k / 8 - skewness**2 / 6) * (1 - k / 8 + 5 * skewness**2 / 36)

    middle = 4 * (1 + 11 * skewness**2 / 36)
    low = optimize.brentq(discriminant, skewness**2 * 8 / 6 - 1e-9, middle)
    high = optimize.brentq(discriminant, middle, 30)
    for k, inside in ((low - 0.01, False), (low + 0.01, True), (high - 0.01, True),
                      (high + 0.01, False)):
        assert rises(skewness, k, 1e6) is inside
    assert not any(rises(6 * (np.sqrt(2) - 1) + 0.01, k, 1e6) for k in np.arange(0, 30, 0.01))


# --- Student ---------------------------------------------------------------------------------

@pytest.mark.parametrize(("freedom", "rows"), [(3.0, 250), (6.0, 1260), (1.6, 200), (20.0, 5000)])
def test_student_has_the_greatest_likelihood_that_scipy_finds(freedom: float, rows: int) -> None:
    values = stats.t.rvs(freedom, 0.001, 0.01, rows, random_state=int(10 * freedom))
    ours = student.fit(values)
    theirs = stats.t.fit(values)
    mine = stats.t.logpdf(values, ours.freedom, ours.location, ours.scale).sum()
    assert mine >= stats.t.logpdf(values, *theirs).sum() - 1e-7
    for step in (1.001, 0.999):
        for moved in ((ours.freedom * step, ours.location, ours.scale),
                      (ours.freedom, ours.location + (step - 1) * ours.scale, ours.scale),
                      (ours.freedom, ours.location, ours.scale * step)):
            assert stats.t.logpdf(values, *moved).sum() < mine


@pytest.mark.parametrize("level", [0.6, 0.95, 0.999])
@pytest.mark.parametrize("horizon", [1, 10])
def test_student_var_and_cvar_by_integration(level: float, horizon: int) -> None:
    law = student.Student(0.002, 0.01, 3.7)
    found = law.tail(level, horizon)
    same = stats.t(3.7, 0.002 * horizon, 0.01 * np.sqrt(horizon))
    assert found.var == pytest.approx(-same.ppf(1 - level), rel=1e-9)
    beyond, _ = integrate.quad(lambda p: same.ppf(p), 0, 1 - level, epsabs=1e-12, limit=200)
    assert found.cvar == pytest.approx(-beyond / (1 - level), rel=1e-6)


def test_thin_tails_make_it_normal() -> None:
    values = np.random.default_rng(3).uniform(-1, 1, 500)
    found = student.fit(values)
    assert found == student.Student(pytest.approx(values.mean()), pytest.approx(values.std()),
                                    np.inf)
    assert found.tail(0.95).var == pytest.approx(
        normal(Moments(values.mean(), values.std()), 0.95).var)


def test_without_a_finite_mean_there_is_no_cvar() -> None:
    wild = stats.t.rvs(0.7, size=400, random_state=2) * 0.01
    with pytest.raises(NotAvailable, match="is infinite"):
        tail.cvar(pd.DataFrame({"A": wild}), method="student")


def test_a_price_that_stands_still_has_no_student_fit() -> None:
    values = np.where(np.arange(100) < 80, 0.0, np.random.default_rng(1).normal(size=100))
    with pytest.raises(NotAvailable, match="so many returns are alike"):
        student.fit(values)


# --- filtered --------------------------------------------------------------------------------

def garch_series(rows: int, alpha: float, beta: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    h, values = 1e-4, []
    for shock in rng.standard_t(6, rows) * np.sqrt(4 / 6):
        values.append(np.sqrt(h) * shock)
        h = 1e-4 * (1 - alpha - beta) + alpha * values[-1] ** 2 + beta * h
    return np.array(values) + 0.0005


def plain_loglikelihood(values: np.ndarray, parameters: Any) -> float:
    """The same likelihood, one return after the other."""
    mean, omega, alpha, beta = parameters
    e = values - mean
    before = h = float((e**2).mean())
    total = 0.0
    for x in e:
        h = omega + alpha * before + beta * h
        total -= 0.5 * (np.log(2 * np.pi) + np.log(h) + x * x / h)
        before = x * x
    return total


@pytest.mark.parametrize(
    ("alpha", "beta", "seed"),
    # the last one's maximum has alpha + beta at its bound
    [(0.08, 0.9, 1), (0.2, 0.7, 2), (0.3, 0.4, 3), (0.15, 0.8499, 4)],
)
def test_garch_has_the_greatest_likelihood_that_scipy_finds(
    alpha: float, beta: float, seed: int
) -> None:
    values = garch_series(500, alpha, beta, seed)
    found = filtered.garch(values)
    at = (found.mean, found.omega, found.alpha, found.beta)
    assert found.loglikelihood == pytest.approx(plain_loglikelihood(values, at), rel=1e-10)
    scale = np.array([1e-3, 1e-5, 1, 1])
    theirs = max(
        -optimize.minimize(
            lambda p: -plain_loglikelihood(values, p * scale), start / scale, method="SLSQP",
            bounds=[(None, None), (1e-4, None), (0, 1), (0, 1)],
            constraints=[{"type": "ineq", "fun": lambda p: 0.9999 - p[2] - p[3]}],
        ).fun
        for start in (np.array([0.0005, 1e-5, 0.1, 0.8]), np.array([0.0005, 4e-5, 0.3, 0.3]))
    )
    assert found.loglikelihood >= theirs - 1e-6


def test_garch_derivatives_are_those_of_differences() -> None:
    values = garch_series(80, 0.1, 0.8, 4)
    x = (values - values.mean()) / values.std()
    at = np.array([0.1, 0.2, 0.8, 0.3])
    gradient, hessian = filtered._derivatives(filtered._path(x, at))
    for row, step in enumerate(np.eye(4) * 1e-5):
        above, below = (filtered._path(x, at + sign * step) for sign in (1, -1))
        assert gradient[row] == pytest.approx((above.value - below.value) / 2e-5, abs=1e-7)
        slopes = [filtered._derivatives(path)[0] for path in (above, below)]
        np.testing.assert_allclose(hessian[row], (slopes[0] - slopes[1]) / 2e-5, atol=1e-6)


def test_filtered_outcomes_are_surprises_at_the_next_volatility() -> None:
    data = pd.DataFrame({"A": garch_series(600, 0.1, 0.85, 5)})
    found = filtered.garch(data["A"].to_numpy())
    h = float(((data["A"] - found.mean) ** 2).mean())
    before, variances = h, []
    for value in data["A"]:
        h = found.omega + found.alpha * before + found.beta * h
        variances.append(h)
        before = (value - found.mean) ** 2
    following = found.omega + found.alpha * before + found.beta * h
    outcomes = found.mean + np.sqrt(following) * (data["A"] - found.mean) / np.sqrt(variances)
    for level in (0.9, 0.99):
        assert tail.var(data, None, level, "filtered").value == pytest.approx(
            historical(outcomes.to_numpy(), level).var, rel=1e-9)
    assert f"{np.sqrt(following):.4g}" in tail.var(data, method="filtered").notes[0]


def test_ewma_by_hand() -> None:
    values = table()["A"].to_numpy()
    h, variances = (values**2).mean(), []
    for value in values:
        variances.append(h)
        h = 0.9 * h + 0.1 * value**2
    outcomes = np.sqrt(h / np.array(variances)) * values
    options = {"filter": "EWMA", "decay": 0.9}
    found = tail.cvar(table()[["A"]], None, 0.95, "filtered", 1, options)
    assert found.value == pytest.approx(historical(outcomes, 0.95).cvar, rel=1e-9)


def test_without_clustering_filtered_is_historical() -> None:
    data = pd.DataFrame({"A": np.random.default_rng(8).normal(0, 0.01, 1000)})
    found = tail.var(data, method="filtered")
    assert found.value == tail.var(data).value
    assert "do not cluster" in found.notes[0]


def test_an_outlier_does_not_hide_the_clustering() -> None:
    """McLeod and Li's test sees nothing beside it; the likelihood of the true parameters does."""
    values = garch_series(600, 0.1, 0.85, 12)
    values[300] += 0.08
    assert filtered.clustering(values) > 0.9
    truth = plain_loglikelihood(values, (0.0005, 5e-6, 0.1, 0.85))
    constant = stats.norm.logpdf(values, values.mean(), values.std()).sum()
    assert 2 * (truth - constant) > 5.99
    found = filtered.garch(values)
    assert filtered.start_ratio(values) <= 2 * (found.loglikelihood - constant)
    var = tail.var(pd.DataFrame({"A": values}), None, 0.95, "filtered")
    e = values - found.mean
    outcomes = found.mean + np.sqrt(found.variances[-1] / found.variances[:-1]) * e
    assert var.value == pytest.approx(historical(outcomes, 0.95).var, rel=1e-9)
    assert f"GARCH with alpha {found.alpha:.3g}" in var.notes[0]


def test_clustering_is_found_as_often_as_it_should() -> None:
    """McLeod and Li's test rejects about one in twenty series of independent returns."""
    rng = np.random.default_rng(0)
    p = [filtered.clustering(rng.normal(size=500)) for _ in range(1000)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.02)


# --- peaks over threshold --------------------------------------------------------------------

@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.25, 0.8])
@pytest.mark.parametrize("count", [20, 126, 1000])
def test_pareto_has_the_greatest_likelihood_that_scipy_finds(shape: float, count: int) -> None:
    peaks = stats.genpareto.rvs(shape, scale=0.02, size=count, random_state=count)
    ours = extremes.fit(peaks)
    best = -np.inf
    for start in (-0.2, 0.1, 0.5):
        theirs = stats.genpareto.fit(peaks, start, floc=0, scale=peaks.mean())
        if theirs[0] >= -0.5:
            best = max(best, stats.genpareto.logpdf(peaks, *theirs).sum())
    assert ours[0] >= -0.5
    assert stats.genpareto.logpdf(peaks, ours[0], 0, ours[1]).sum() >= best - 1e-6


def test_the_lowest_shape_has_the_best_scale_for_it() -> None:
    peaks = np.linspace(0.01, 1, 30)
    shape, scale = extremes.fit(peaks)
    assert shape == -0.5
    likelihood = [stats.genpareto.logpdf(peaks, -0.5, 0, s * scale).sum() for s in (1, 1.01, 0.99)]
    assert likelihood[0] == max(likelihood)


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.3])
def test_pareto_var_and_cvar_are_those_of_the_tail(shape: float) -> None:
    law = extremes.Pareto(0.02, shape, 0.01, 100, 1000)
    found = law.tail(0.01)
    beyond = stats.genpareto(shape, 0.02, 0.01)
    assert found.var == pytest.approx(beyond.ppf(1 - 0.01 / 0.1), rel=1e-9)
    mean, _ = integrate.quad(lambda p: beyond.ppf(1 - p), 0, 0.1, limit=200)
    assert found.cvar == pytest.approx(mean / 0.1, rel=1e-6)


def test_the_choice_of_the_threshold_is_reported() -> None:
    data = table(1000)
    found = tail.var(data, WEIGHTS, 0.99, "evt")
    losses = np.sort(-(data @ WEIGHTS).to_numpy())[::-1]
    assert f"a loss of {losses[100]:.4g}, which 100 of 1000" in found.notes[0]
    wider = tail.var(data, WEIGHTS, 0.99, "evt", 1, {"threshold": 0.2})
    assert "200 of 1000" in wider.notes[0]
    assert "150 of 1000" in tail.var(data, WEIGHTS, 0.9, "evt").notes[0]


def test_evt_meets_a_known_tail() -> None:
    """99.9% VaR and CVaR of a Student distribution with 4 degrees of freedom."""
    law = stats.t(4)
    data = pd.DataFrame({"A": law.rvs(20_000, random_state=6)})
    found = tail.of_table(data, None, 0.999, "evt", 1, None)
    assert found.var == pytest.approx(-law.ppf(0.001), rel=0.08)
    assert found.cvar == pytest.approx(-law.expect(lambda x: x, ub=law.ppf(0.001)) / 0.001, rel=0.1)


def test_too_heavy_or_too_few_peaks() -> None:
    heavy = stats.pareto.rvs(0.6, size=400, random_state=1)
    with pytest.raises(NotAvailable, match="is infinite"):
        tail.cvar(pd.DataFrame({"A": -heavy}), None, 0.99, "evt")
    with pytest.raises(InputError, match="only 6 of 60 returns lie beyond"):
        tail.cvar(table(60), WEIGHTS, 0.99, "evt")


# --- simulated -------------------------------------------------------------------------------

def test_montecarlo_meets_the_normal_within_its_error() -> None:
    data = table()
    options = {"paths": 200_000}
    found = tail.of_table(data, WEIGHTS, 0.95, "montecarlo", 1, options)
    exact = tail.of_table(data, WEIGHTS, 0.95, "normal", 1, None)
    assert found.var == pytest.approx(exact.var, rel=0.01)
    assert found.cvar == pytest.approx(exact.cvar, rel=0.01)


def test_the_same_seed_gives_the_same_answer() -> None:
    first, second, other = (
        tail.var(table(), WEIGHTS, 0.95, "montecarlo", 3, {"seed": seed}).value
        for seed in (5, 5, 6)
    )
    assert first == second != other


def test_montecarlo_compounds_over_the_horizon() -> None:
    """The product of many small normal returns is lognormal."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"A": rng.normal(0.0005, 0.01, 5000)})
    moments = Moments.sample(data["A"].to_numpy())
    days = 250
    found = tail.var(data, None, 0.95, "montecarlo", days, {"paths": 50_000}).value
    drift = days * (moments.mean - moments.deviation**2 / 2)
    expected = 1 - np.exp(drift + np.sqrt(days) * moments.deviation * stats.norm.ppf(0.05))
    assert found == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("distribution", ["student", "bootstrap"])
def test_other_distributions_meet_their_methods(distribution: str) -> None:
    data = table(2000)
    options = {"distribution": distribution, "paths": 300_000}
    found = tail.of_table(data, WEIGHTS, 0.95, "montecarlo", 1, options)
    method = "student" if distribution == "student" else "historical"
    exact = tail.of_table(data, WEIGHTS, 0.95, method, 1, None)
    assert found.var == pytest.approx(exact.var, rel=0.02)
    assert found.cvar == pytest.approx(exact.cvar, rel=0.02)


def test_the_error_of_simulation_is_what_the_note_says() -> None:
    """In 95 of 100 runs VaR lies in the interval; CVaR is off by its error's size."""
    draw = simulated.normal(np.random.default_rng(0).normal(size=500))
    exact = normal(Moments.sample(np.random.default_rng(0).normal(size=500)), 0.95)
    inside, off = 0, []
    for seed in range(200):
        found = simulated.tails(draw, 1, 2000, seed)(0.95)
        words = found.notes[0].replace(",", "").split()
        low, high = float(words[words.index("between") + 1]), float(words[words.index("and") + 1])
        inside += low <= exact.var <= high
        off.append(abs(found.cvar - exact.cvar) / (float(words[-2]) / 2))
    assert 180 <= inside <= 198
    assert np.mean(np.array(off) < 2) == pytest.approx(0.95, abs=0.03)


def test_a_simulated_ruin_is_refused_over_a_horizon() -> None:
    found = call("VAR", cells(table()), pairs(WEIGHTS * 100), 0.95, "montecarlo", 2)
    assert isinstance(found, Problem)
    assert "loses everything" in found.message


# --- side by side ----------------------------------------------------------------------------

def test_the_table_has_what_each_method_alone_has() -> None:
    data = table(500)
    found = tail.table(data, WEIGHTS, [0.9, 0.99])
    assert list(found.value.columns) == ["Method", "Level", "VaR", "CVaR"]
    assert list(found.value["Method"]) == [name for name in METHODS for _ in range(2)]
    for row in found.value.itertuples(index=False):
        alone = tail.of_table(data, WEIGHTS, row.Level, row.Method, 1, None)
        assert (row.VaR, row.CVaR) == (alone.var, alone.cvar)
    for name in ("student", "filtered", "evt", "montecarlo"):
        assert any(note.startswith(f"{name}: ") for note in found.notes)


def test_a_method_without_answer_is_blank_and_told() -> None:
    found = call("RISKTABLE", cells(table(30)), pairs(WEIGHTS))
    assert isinstance(found, Answer)
    rows = {row[0]: row for row in found.block.rows[1:]}
    assert rows["evt"][2:] == (None, None)
    assert rows["historical"][2] is not None
    assert "evt: no answer, for there are 30 returns, and evt needs at least 50." in found.notes


def test_levels_stand_in_a_row_or_a_column() -> None:
    across = call("RISKTABLE", cells(table()), pairs(WEIGHTS), [[0.9, "99%"]])
    down = call("RISKTABLE", cells(table()), pairs(WEIGHTS), [[0.9], [0.99]])
    assert isinstance(across, Answer)
    assert isinstance(down, Answer)
    assert across.block == down.block
    assert {row[1] for row in across.block.rows[1:]} == {0.9, 0.99}
    wrong = call("RISKTABLE", cells(table()), pairs(WEIGHTS), [[0.9, 1]])
    assert isinstance(wrong, Problem)
    assert wrong.argument == "levels"
    assert "the level 1 is not between 0 and 1" in wrong.message


@pytest.mark.parametrize("method", METHODS)
def test_many_columns_at_once_are_each_one_alone(method: str) -> None:
    data = table(300)
    found = tail.of_columns(data, 0.97, method).value.set_index("Asset")
    assert list(found.index) == NAMES
    for name in NAMES:
        alone = tail.of_table(data[[name]], None, 0.97, method, 1, None)
        assert found.loc[name, "VaR"] == pytest.approx(alone.var, rel=1e-12)
        assert found.loc[name, "CVaR"] == pytest.approx(alone.cvar, rel=1e-12)


@settings(max_examples=60)
@given(st.integers(1, 80), st.floats(0.02, 0.99), st.integers(0, 10**6))
def test_columns_by_partial_sorting(rows: int, level: float, seed: int) -> None:
    data = table(rows, seed)
    assume((1 - level) * rows >= 1)
    found = tail.of_columns(data, level).value
    for position, name in enumerate(NAMES):
        alone = historical(data[name].to_numpy(), level)
        assert found["VaR"][position] == pytest.approx(alone.var, rel=1e-12, abs=1e-15)
        assert found["CVaR"][position] == pytest.approx(alone.cvar, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("kind", ["skewed", "rising", "tied", "unseen"])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_long_columns_by_sorting_what_a_sample_leaves(kind: str, level: float) -> None:
    """The values that are looked at first tell nothing of the rest where they are the lowest."""
    rng = np.random.default_rng(5)
    values = rng.standard_t(3, (3000, 4)) * np.linspace(0.2, 3, 3000)[:, None] * 0.01
    if kind == "rising":
        values = np.sort(values, axis=0)
    elif kind == "tied":
        values = values.round(2)
    elif kind == "unseen":
        values[::16] = -1.0
    found, means = columns.historical(values, level)
    ordered = np.sort(values, axis=0)
    worst = round((1 - level) * 3000)
    assert found == pytest.approx(-np.quantile(values, 1 - level, axis=0), rel=1e-12)
    assert means == pytest.approx(-ordered[:worst].mean(axis=0), rel=1e-12)


# --- shared out ------------------------------------------------------------------------------

PARTED = ["historical", "normal", "cornish-fisher", "student"]


@pytest.mark.parametrize("method", PARTED)
@settings(max_examples=25)
@given(
    level=st.floats(0.6, 0.99),
    values=st.lists(st.floats(-1, 1), min_size=5, max_size=5).filter(
        lambda w: max(map(abs, w)) > 0.01),
)
def test_parts_add_up_to_var_and_cvar(method: str, level: float, values: list[float]) -> None:
    data, weights = table(150), pd.Series(values, NAMES)
    found = tailparts.contributions(data, weights, level, method).value
    whole = tail.of_table(data, weights, level, method, 1, None)
    assert found["VaR part"].sum() == pytest.approx(whole.var, abs=1e-14)
    assert found["CVaR part"].sum() == pytest.approx(whole.cvar, abs=1e-14)
    assert found["Share"].sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("method", ["historical", "normal", "cornish-fisher"])
@pytest.mark.parametrize("level", [0.9, 0.97])
def test_parts_are_weight_times_slope(method: str, level: float) -> None:
    """Euler: a homogeneous measure's part is the weight times its derivative by it."""
    data = table(333)
    found = tailparts.contributions(data, WEIGHTS, level, method).value.set_index("Asset")
    for name in NAMES:
        step = pd.Series([1e-7], [name]).reindex(NAMES, fill_value=0)
        above, below = (
            tail.of_table(data, WEIGHTS + sign * step, level, method, 1, None) for sign in (1, -1)
        )
        for column, slope in (("VaR part", above.var - below.var),
                              ("CVaR part", above.cvar - below.cvar)):
            assert found.loc[name, column] == pytest.approx(
                WEIGHTS[name] * slope / 2e-7, abs=1e-8)


def test_parts_by_group_and_order() -> None:
    groups = [["Asset", "Sector"], *[[n, "x" if n < "C" else "y"] for n in NAMES]]
    single = call("TAILCONTRIBUTION", cells(table()), [["e", 0.5], ["B", 0.5]])
    assert isinstance(single, Answer)
    assert [row[0] for row in single.block.rows] == ["Asset", "e", "B", "A", "C", "D"]
    grouped = call("TAILCONTRIBUTION", cells(table()), pairs(WEIGHTS), 0.95, "", groups)
    assert isinstance(grouped, Answer)
    assert grouped.block.rows[0] == ("Group", "Weight", "VaR part", "CVaR part", "Share")
    alone = tailparts.contributions(table(), WEIGHTS).value.set_index("Asset")["CVaR part"]
    assert grouped.block.rows[1][3] == pytest.approx(alone[["A", "B"]].sum())


def test_the_sampling_error_of_a_part_is_what_samples_show() -> None:
    """The note's largest standard error against the spread over 400 fresh samples."""
    rng = np.random.default_rng(4)
    weights = pd.Series([0.7, 0.3], ["A", "B"])

    def sample() -> tuple[float, float]:
        data = pd.DataFrame(rng.standard_t(5, (600, 2)) * 0.01, columns=["A", "B"])
        found = tailparts.contributions(data, weights, 0.9)
        return found.value["CVaR part"][0], float(found.notes[0].split(" at most")[0].split()[-1])

    drawn = np.array([sample() for _ in range(400)])
    assert drawn[:, 1].mean() == pytest.approx(drawn[:, 0].std(), rel=0.15)


def test_nothing_to_share_out() -> None:
    still = pd.DataFrame({"A": [0.01] * 40, "B": [0.02] * 40})
    with pytest.raises(InputError, match="never changes"):
        tailparts.contributions(still, pd.Series({"A": 1.0}), 0.9, "normal")
    with pytest.raises(InputError, match="nothing to share out"):
        tailparts.contributions(still, pd.Series({"A": 1.0, "B": -0.5}), 0.9)


@pytest.mark.parametrize("method", ["historical", "evt", "student"])
def test_incremental_is_the_portfolio_less_that_without(method: str) -> None:
    data = table(400)
    found = tailparts.incremental(data, WEIGHTS, 0.95, method).value.set_index("Asset")
    whole = tail.of_table(data, WEIGHTS, 0.95, method, 1, None)
    rest = tail.of_table(data, WEIGHTS.where(WEIGHTS.index != "B", 0), 0.95, method, 1, None)
    assert found.loc["B", "VaR added"] == pytest.approx(whole.var - rest.var, rel=1e-6)
    assert found.loc["B", "CVaR added"] == pytest.approx(whole.cvar - rest.cvar, rel=1e-6)
    own = tail.of_table(data[["B"]] * WEIGHTS["B"], None, 0.95, method, 1, None)
    assert found.loc["B", "Alone"] == pytest.approx(own.cvar, rel=1e-6)


# --- the worst stretch -----------------------------------------------------------------------

def test_stressed_var_is_that_of_the_worst_window() -> None:
    data = table(300)
    data.index = pd.bdate_range("2023-01-02", periods=300)
    portfolio = data @ WEIGHTS
    rolling = -portfolio.rolling(60).quantile(0.1)
    found = stressed_var.table(data, WEIGHTS, 0.9, 60).value.set_index("Window")
    assert found.loc["stressed", "VaR"] == pytest.approx(rolling.max())
    assert found.loc["stressed", "Until"] == rolling.idxmax()
    assert found.loc["latest", "VaR"] == pytest.approx(rolling.iloc[-1])
    assert found.loc["latest", "From"] == data.index[-60]
    chosen = portfolio[found.loc["stressed", "From"]: found.loc["stressed", "Until"]]
    assert len(chosen) == 60
    assert found.loc["stressed", "CVaR"] == pytest.approx(historical(chosen.to_numpy(), 0.9).cvar)


def test_a_short_history_is_one_window() -> None:
    found = call("STRESSEDVAR", cells(table(30)), pairs(WEIGHTS))
    assert isinstance(found, Answer)
    assert "fewer than a window of 250" in found.notes[0]
    assert found.block.rows[1][1:] == found.block.rows[2][1:]


# --- returns that hardly move ------------------------------------------------------------------

def test_returns_whose_squares_vanish_stand_still() -> None:
    data = table(60)
    data["A"] *= 1e-200
    tiny, a = cells(data), [["A", 1]]
    for name, *arguments in (
        ("TAILCONTRIBUTION", tiny, a, 0.95, "normal"), ("CORRELATIONSHIFT", tiny),
        ("BENCHMARKFIT", cells(table(60)), a, tiny, 252),
    ):
        found = call(str(name), *arguments)
        assert isinstance(found, Problem)
        assert found.argument in ("weights", "returns", "candidates")
    sure = call("VAR", tiny, a, 0.95, "student")
    assert isinstance(sure, Answer)
    assert abs(float(str(sure.block.rows[0][0]))) < 1e-200
    beside = call("PERFORMANCE", tiny, cells(data[["A"]]), 0, 252)
    assert isinstance(beside, Answer)
    assert dict(row[:2] for row in beside.block.rows)["Beta"] is None
