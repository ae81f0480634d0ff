"""Statistics of series of returns, with and without a benchmark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from portbal import performance
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

DATES = pd.date_range("2019-01-31", periods=60, freq="ME")
ROWS = [
    "Return", "Compound return", "Volatility", "Sharpe", "Sortino", "Calmar", "Max drawdown",
    "VaR 95%", "CVaR 95%", "Skewness", "Excess kurtosis", "Best", "Worst", "Hit rate",
]
AGAINST = [
    "Alpha", "Beta", "Tracking error", "Information ratio", "Up capture", "Down capture",
]


def data() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(7)
    market = pd.Series(rng.normal(0.006, 0.04, 60), DATES, name="Market")
    table = pd.DataFrame({
        "Fund": 0.8 * market + rng.normal(0.002, 0.01, 60), "Other": rng.normal(0.003, 0.02, 60),
    }, index=DATES)
    return table, market


def call(*arguments: Any) -> Answer | Problem:
    return find("PERFORMANCE").invoke(*[None if a is None else Block.of(a) for a in arguments])


def dated(frame: pd.DataFrame | pd.Series) -> list[list[Any]]:
    table = pd.DataFrame(frame)
    rows = [[day.date(), *map(float, row)] for day, row in zip(
        table.index, table.to_numpy(), strict=True)]
    return [["Date", *map(str, table.columns)], *rows]


def test_rows_and_columns_are_those_of_the_contract() -> None:
    table, market = data()
    plain, against = call(dated(table)), call(dated(table), dated(market))
    assert isinstance(plain, Answer)
    assert isinstance(against, Answer)
    assert plain.block.rows[0] == ("Statistic", "Fund", "Other")
    assert [row[0] for row in plain.block.rows[1:]] == ROWS
    assert [row[0] for row in against.block.rows[1:]] == ROWS + AGAINST
    assert plain.block.rows == against.block.rows[: len(ROWS) + 1]


def test_statistics_by_pandas() -> None:
    table, market = data()
    found = performance.table(table, market, 0.02).value.set_index("Statistic")["Fund"]
    r, b = table["Fund"], market
    wealth = (1 + r).cumprod()
    assert found["Return"] == pytest.approx(r.mean() * 12)
    assert found["Compound return"] == pytest.approx(wealth.iloc[-1] ** (1 / 5) - 1)
    assert found["Volatility"] == pytest.approx(r.std() * np.sqrt(12))
    assert found["Sharpe"] == pytest.approx((r.mean() * 12 - 0.02) / (r.std() * np.sqrt(12)))
    drawdown = 1 - (wealth / wealth.cummax().clip(lower=1)).min()
    assert found["Max drawdown"] == pytest.approx(drawdown)
    assert found["Calmar"] == pytest.approx(found["Compound return"] / drawdown)
    assert found["Skewness"] == pytest.approx(r.skew())
    assert found["Excess kurtosis"] == pytest.approx(r.kurt())
    assert found["VaR 95%"] == pytest.approx(-r.quantile(0.05))
    assert found["CVaR 95%"] == pytest.approx(-r.nsmallest(3).mean())
    assert (found["Best"], found["Worst"]) == (r.max(), r.min())
    assert found["Hit rate"] == pytest.approx((r > 0).mean())
    beta, intercept = np.polyfit(b - 0.02 / 12, r - 0.02 / 12, 1)
    assert found["Beta"] == pytest.approx(beta)
    assert found["Alpha"] == pytest.approx(intercept * 12)
    assert found["Tracking error"] == pytest.approx((r - b).std() * np.sqrt(12))
    assert found["Information ratio"] == pytest.approx(
        (r - b).mean() * 12 / ((r - b).std() * np.sqrt(12)))
    assert found["Up capture"] == pytest.approx(r[b > 0].mean() / b[b > 0].mean())
    assert found["Down capture"] == pytest.approx(r[b <= 0].mean() / b[b <= 0].mean())


def test_the_benchmark_against_itself() -> None:
    _, market = data()
    found = performance.table(market.to_frame(), market).value.set_index("Statistic")["Market"]
    assert found["Beta"] == pytest.approx(1)
    assert found["Alpha"] == pytest.approx(0, abs=1e-15)
    assert found["Tracking error"] == 0
    assert found["Up capture"] == found["Down capture"] == 1
    assert np.isnan(found["Information ratio"])


def test_the_benchmark_is_matched_by_date() -> None:
    table, market = data()
    mixed = market.sample(frac=1, random_state=1)
    same = performance.table(table, market).value
    pd.testing.assert_frame_equal(performance.table(table, mixed).value, same)
    found = call(dated(table), dated(market.iloc[1:]))
    assert isinstance(found, Problem)
    assert (found.argument, "2019-01-31 of returns is missing" in found.message) == (
        "benchmarkreturns", True)


def test_what_cannot_be_told_is_blank_and_noted() -> None:
    found = call([["A"], [0.01], [0.01], [0.01]], "", 0, 12)
    assert isinstance(found, Answer)
    shown = dict(found.block.rows[1:])  # type: ignore[arg-type]
    assert shown["Volatility"] == 0
    assert shown["Sharpe"] is None
    assert "Sharpe" in found.notes[0]


def test_everything_lost_is_minus_one_and_more_is_refused() -> None:
    lost = performance.table(pd.DataFrame({"A": [0.1, -1.0, 0.2]}), periods_a_year=12).value
    shown = lost.set_index("Statistic")["A"]
    assert shown["Compound return"] == -1
    assert shown["Max drawdown"] == 1
    found = call([["A", "B"], [0.1, 0.1], [0.1, -1.5]], "", 0, 12)
    assert isinstance(found, Problem)
    assert (found.row, found.column) == (3, 2)
    assert "more than everything" in found.message


def test_periods_come_from_the_dates_or_must_be_given() -> None:
    found = call([["A"], [0.01], [0.02]])
    assert isinstance(found, Problem)
    assert "no dates to read the periods a year from" in found.message
