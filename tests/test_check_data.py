"""CHECKDATA: what is planted in clean prices is found, where it is, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portbal import prices
from portbal.errors import InputError
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find
from portbal_templates import example

DAYS = pd.bdate_range("2021-01-04", periods=300)


def clean(seed: int = 1, columns: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0003, 0.012, (len(DAYS), columns))
    return pd.DataFrame(100 * np.exp(steps.cumsum(axis=0)), DAYS, list("ABCDEF")[:columns])


def found(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    return [tuple(row[:3]) for row in prices.check(table).to_numpy()]


def day(at: int) -> str:
    return f"{DAYS[at]:%Y-%m-%d}"


def test_clean_prices_give_one_row() -> None:
    assert prices.check(clean()).to_numpy().tolist() == [["All", "none", "", ""]]


@given(st.integers(0, 10_000))
def test_a_random_walk_is_clean(seed: int) -> None:
    assert found(clean(seed)) == [("All", "none", "")]


@pytest.mark.parametrize(("ratio", "told"), [(2, "2:1"), (3, "3:1"), (10, "10:1"), (1.5, "3:2")])
def test_a_split(ratio: float, told: str) -> None:
    table = clean()
    table.iloc[120:, 1] /= ratio
    assert found(table) == [("B", "split", day(120))]
    assert told in prices.check(table)["Detail"][0]


def test_a_reverse_split() -> None:
    table = clean()
    table.iloc[120:, 1] *= 8
    assert found(table) == [("B", "split", day(120))]
    assert "1:8" in prices.check(table)["Detail"][0]


@pytest.mark.parametrize("factor", [10, 0.1, 0.01, 1.3, 0.75, 2])
def test_a_price_that_is_wrong_once(factor: float) -> None:
    """Not a split, though ten times and half are its ratios: the next price is back."""
    table = clean()
    table.iloc[200, 2] *= factor
    assert found(table) == [("C", "outlier", day(200))]


def test_a_lasting_jump_that_is_no_split() -> None:
    table = clean()
    table.iloc[200:, 0] *= 1.27
    assert found(table) == [("A", "outlier", day(200))]


def test_what_is_usual_in_wild_times_is_no_outlier() -> None:
    """Forty days five times as wild as the rest."""
    rng = np.random.default_rng(5)
    steps = rng.normal(0, 0.01, 300)
    steps[130:170] *= 5
    table = pd.DataFrame({"A": 50 * np.exp(steps.cumsum())}, DAYS)
    assert found(table) == [("All", "none", "")]


def test_stale_runs_are_of_five_equal_prices_and_more() -> None:
    table = clean()
    table.iloc[40:44, 0] = table.iloc[40, 0]
    table.iloc[60:65, 1] = table.iloc[60, 1]
    assert found(table) == [("B", "stale run", f"{day(60)} to {day(64)}")]


def test_cash_may_stand_still() -> None:
    table = clean().assign(Cash=1.0, Fund=2.0)
    assert found(table) == [("Fund", "stale run", f"{day(0)} to {day(299)}")]


def test_gaps_and_short_histories() -> None:
    table = clean()
    table.iloc[:50, 0] = np.nan
    table.iloc[100, 1] = np.nan
    table.iloc[200:203, 1] = np.nan
    table.iloc[290:, 2] = np.nan
    assert found(table) == [
        ("A", "short history", day(50)), ("B", "gap", day(100)),
        ("B", "gap", f"{day(200)} to {day(202)}"), ("C", "gap", f"{day(290)} to {day(299)}"),
    ]
    details = prices.check(table)["Detail"].tolist()
    assert details == ["250 of 300 rows have a price", "1 price is missing", "3 prices are missing",
                       "10 prices are missing"]


@pytest.mark.parametrize(("frequency", "gone", "gap"), [
    ("B", [20, 21, 22, 23, 24], True), ("B", [20], False), ("W-FRI", [20], True),
    ("ME", [20], True), ("QE", [20], True),
])
def test_dates_further_apart_than_usual(frequency: str, gone: list[int], gap: bool) -> None:
    days = pd.date_range("2015-01-01", periods=60, freq=frequency)
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"A": 100 * np.exp(rng.normal(0, 0.01, 60).cumsum())}, days)
    table = table.drop(index=days[gone])
    where = f"{days[gone[0] - 1]:%Y-%m-%d} to {days[gone[-1] + 1]:%Y-%m-%d}"
    assert found(table) == ([("All", "gap", where)] if gap else [("All", "none", "")])


def test_duplicates() -> None:
    table = clean().assign(E=lambda t: t["A"])
    table.index = table.index.where(table.index != DAYS[10], DAYS[9])
    assert found(table) == [("All", "duplicate", day(9)), ("E", "duplicate", "")]


def test_zero_and_negative_prices() -> None:
    table = clean()
    table.iloc[5, 0], table.iloc[6, 1] = 0.0, -3.0
    assert found(table) == [("A", "not a price", day(5)), ("B", "not a price", day(6))]


def test_without_dates_rows_are_counted_as_in_the_sheet() -> None:
    table = clean().reset_index(drop=True)
    table.iloc[10, 0] = np.nan
    assert found(table) == [("A", "gap", "row 12")]


def test_an_asset_without_prices_is_a_problem() -> None:
    with pytest.raises(InputError, match="has no numbers"):
        prices.check(clean().assign(F=np.nan))


def test_five_years_of_real_prices() -> None:
    """Twenty stocks through March 2020: one jump, that of LLY on good news (2020-06-16)."""
    data = example.prices()
    table = pd.DataFrame(data.rows, pd.to_datetime(list(data.dates)), list(data.assets))
    assert found(table) == [("LLY", "outlier", "2020-06-16")]


def test_the_formula_reports_what_others_refuse() -> None:
    cells = [["Date", "A"], ["2024-01-31", 10], ["2024-01-31", 11], ["2024-02-29", None],
             ["2024-03-28", 12]]
    answer = find("CHECKDATA").invoke(Block.of(cells))
    assert isinstance(answer, Answer)
    assert [row[1] for row in answer.block.rows] == ["Issue", "duplicate", "gap"]
    for wrong in ("n/a", "#N/A", True, "12,5"):
        cells[2][1] = wrong
        assert isinstance(find("CHECKDATA").invoke(Block.of(cells)), Problem)
    backwards = [["Date", "A"], ["2024-02-29", 10], ["2024-01-31", 11]]
    problem = find("CHECKDATA").invoke(Block.of(backwards))
    assert isinstance(problem, Problem)
    assert "lies before the date above it" in problem.message
