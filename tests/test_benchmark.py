"""Tracking error, beta, active share, and which benchmark fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from portbal import benchmark
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = list("ABCD")


def returns(rows: int = 120, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.02, (rows, 4)) + rng.normal(0.004, 0.02, (rows, 1))
    return pd.DataFrame(values, columns=NAMES, index=pd.date_range(
        "2015-01-31", periods=rows, freq="ME"))


COV = returns().cov() * 12
W = pd.Series([0.5, 0.3, 0.2], ["A", "B", "C"])
B = pd.Series([0.25, 0.25, 0.5], ["B", "C", "D"])


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


def pairs(values: pd.Series) -> list[list[Any]]:
    return [[label, value] for label, value in values.items()]


def square(values: pd.DataFrame) -> list[list[Any]]:
    rows = zip(values.index, values.to_numpy().tolist(), strict=True)
    return [["", *values.columns], *[[label, *row] for label, row in rows]]


def test_tracking_error_and_beta_are_those_of_returns() -> None:
    table = returns()
    own, other = table[list(W.index)] @ W, table[list(B.index)] @ B
    assert benchmark.tracking_error(W, B, COV) == pytest.approx((own - other).std() * np.sqrt(12))
    assert benchmark.beta(W, B, COV) == pytest.approx(own.cov(other) / other.var())
    assert benchmark.beta(B, B, COV) == pytest.approx(1)
    assert benchmark.tracking_error(B, B, COV) == 0


def test_active_share_is_half_the_differences() -> None:
    assert benchmark.active_share(W, B) == pytest.approx((0.5 + 0.05 + 0.05 + 0.5) / 2)
    assert benchmark.active_share(B, B) == 0
    assert benchmark.active_share(pd.Series({"Q": 1.0}), B) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "argument", "says"),
    [
        ("TRACKINGERROR", [pairs(W), pairs(B * 0.5), square(COV)], "benchmark", "50.00%, not 100%"),
        ("BETA", [pairs(W), [["A", 0.5], ["Z", 0.5]], square(COV)], "benchmark",
         "'Z' is not in cov"),
        ("TRACKINGERROR", [[["Q", 1]], pairs(B), square(COV)], "weights", "'Q' is not in cov"),
        ("BETA", [pairs(W), [["A", 1]], square(COV * 0)], "benchmark", "no volatility"),
        ("ACTIVESHARE", [pairs(W), pairs(B * 2)], "benchmark", "200.00%, not 100%"),
    ],
)
def test_what_cannot_be_compared(
    name: str, arguments: list[Any], argument: str, says: str
) -> None:
    found = call(name, *arguments)
    assert isinstance(found, Problem)
    assert found.argument == argument
    assert says in found.message


# --- which one fits ----------------------------------------------------------------------------

def candidates() -> pd.DataFrame:
    table = returns()
    rng = np.random.default_rng(8)
    noise = rng.normal(0, 0.005, (len(table), 4))
    return pd.DataFrame({
        "Far": rng.normal(0, 0.03, len(table)), "Half": table["A"] * 0.5 + noise[:, 0],
        "Near": table[["A", "B", "C"]] @ W + noise[:, 1], "Equal": table.mean(axis=1),
    }, index=table.index)


def test_candidates_come_best_first_with_their_figures() -> None:
    own = returns()[["A", "B", "C"]] @ W
    found = benchmark.fit(returns(), W, candidates()).value
    expected = candidates().rsub(own, axis=0).std().sort_values() * np.sqrt(12)
    assert list(found["Candidate"]) == list(expected.index)
    np.testing.assert_allclose(found["Tracking error"], expected)
    for row in found.itertuples(index=False):
        other = candidates()[row.Candidate]
        assert row.Beta == pytest.approx(own.cov(other) / other.var())
        assert row.Correlation == pytest.approx(own.corr(other))


def test_style_weights_are_those_of_another_optimiser() -> None:
    own, table = returns()[["A", "B", "C"]] @ W, candidates()
    found = benchmark.fit(returns(), W, table).value.set_index("Candidate")["Weight"]
    x = (table - table.mean()).to_numpy()
    y = (own - own.mean()).to_numpy()
    theirs = optimize.minimize(
        lambda v: ((y - x @ v) ** 2).sum() * 1e4, np.full(4, 0.25), method="SLSQP",
        bounds=[(0, 1)] * 4, constraints={"type": "eq", "fun": lambda v: v.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500})
    np.testing.assert_allclose(found[table.columns], theirs.x, atol=1e-5)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert (found >= 0).all()


def test_a_mix_of_candidates_is_found_again() -> None:
    table = returns()
    found = benchmark.fit(table, W, table)
    weights = found.value.set_index("Candidate")["Weight"]
    np.testing.assert_allclose(weights[["A", "B", "C", "D"]], [0.5, 0.3, 0.2, 0], atol=1e-8)
    assert "explains 1 of the portfolio's variance" in found.notes[0]
    single = benchmark.fit(table, pd.Series({"B": 1.0}), table).value
    assert single["Candidate"][0] == "B"
    assert single["Weight"][0] == pytest.approx(1)


def test_candidates_of_other_dates_or_that_stand_still() -> None:
    table = returns()
    rows = [[d.date(), *map(float, v)] for d, v in zip(table.index, table.to_numpy(), strict=True)]
    found = call("BENCHMARKFIT", [["Date", *NAMES], *rows], pairs(W), [["Date", *NAMES], *rows[1:]])
    assert isinstance(found, Problem)
    assert (found.argument, "2015-01-31 of returns is missing" in found.message) == (
        "candidates", True)
    still = [[row[0], 0.01] for row in rows]
    found = call("BENCHMARKFIT", [["Date", *NAMES], *rows], pairs(W), [["Date", "S"], *still])
    assert isinstance(found, Problem)
    assert "'S' never changes" in found.message
