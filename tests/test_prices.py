"""Returns from prices: what they are, when they are taken, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portbal import prices
from portbal.errors import InputError
from portbal_addin.block import Address, Block
from portbal_addin.registry import Answer, Problem, find

DAYS = pd.date_range("2024-01-01", "2024-03-15", freq="B")


def table(columns: int = 3, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0005, 0.01, (len(DAYS), columns))
    return pd.DataFrame(100 * np.exp(steps.cumsum(axis=0)), DAYS, list("ABCDEFGH")[:columns])


def call(*arguments: Any, at: Address | None = None) -> Answer | Problem:
    blocks = [None if a is None else Block.of(a) for a in arguments]
    if at is not None and blocks[0] is not None:
        blocks[0] = Block.of(arguments[0], at)
    return find("RETURNS").invoke(*blocks)


def test_simple_returns_are_those_of_pandas() -> None:
    data = table()
    pd.testing.assert_frame_equal(
        prices.returns(data), data.pct_change().iloc[1:].rename_axis("Date"), check_freq=False
    )


def test_log_returns_sum_to_the_whole_move() -> None:
    data = table()
    np.testing.assert_allclose(
        prices.returns(data, "log").sum(), np.log(data.iloc[-1] / data.iloc[0]), rtol=1e-12
    )


@pytest.mark.parametrize(("every", "frequency"), [("W", "W-SUN"), ("M", "ME")])
def test_every_takes_the_last_price_of_each_period(every: str, frequency: str) -> None:
    data = table()
    found = prices.returns(data, every=every)
    np.testing.assert_allclose(
        found, data.resample(frequency).last().pct_change().iloc[1:], rtol=1e-13
    )
    assert found.index[-1] == DAYS[-1], "the unfinished period is labelled with its last date"
    assert set(found.index) <= set(DAYS)


def test_prices_of_one_period_give_no_return() -> None:
    with pytest.raises(InputError, match="one period alone"):
        prices.returns(table(), every="Q")


def test_years_and_quarters() -> None:
    days = pd.to_datetime(
        ["2021-12-30", "2021-12-31", "2022-03-31", "2022-05-02", "2022-06-29", "2023-01-03"]
    )
    data = pd.DataFrame({"A": [9.0, 10, 11, 12, 22, 5]}, days)
    quarters = prices.returns(data, every="Q")
    assert quarters["A"].tolist() == pytest.approx([0.1, 1.0, 5 / 22 - 1])
    assert quarters.index.tolist() == list(days[[2, 4, 5]])
    years = prices.returns(data, every="Y")
    assert years["A"].tolist() == pytest.approx([1.2, 5 / 22 - 1])


def test_every_day_takes_the_last_price_of_the_day() -> None:
    moments = pd.to_datetime(["2024-01-01 10:00", "2024-01-01 17:00", "2024-01-02 17:00"])
    found = prices.returns(pd.DataFrame({"A": [1.0, 2, 3]}, moments), every="D")
    assert found["A"].tolist() == [0.5]
    assert found.index.tolist() == [moments[2]]


@given(st.permutations(range(5)), st.sampled_from(["simple", "log"]))
def test_columns_permute_with_their_names(order: list[int], kind: str) -> None:
    data = table(5)
    pd.testing.assert_frame_equal(
        prices.returns(data.iloc[:, order], kind), prices.returns(data, kind).iloc[:, order]
    )


@given(st.floats(1e-3, 1e3))
def test_the_currency_does_not_matter(rate: float) -> None:
    data = table()
    np.testing.assert_allclose(prices.returns(data * rate), prices.returns(data), atol=1e-13)


def test_the_spill_has_dates_and_the_corner_tells_the_kind() -> None:
    cells = [["", "A"], ["2024-01-31", 100], ["2024-02-29", 110]]
    simple = call(cells)
    assert isinstance(simple, Answer)
    assert simple.block.rows[0] == ("Date", "A")
    assert simple.block.rows[1] == (dt.date(2024, 2, 29), pytest.approx(0.1))
    log = call(cells, "LOG")
    assert isinstance(log, Answer)
    assert log.block.rows[0] == ("Date (log)", "A")
    assert log.block.rows[1][1] == pytest.approx(np.log(1.1))


@pytest.mark.parametrize("name", ["RETURNS", "MEANRETURN", "COVARIANCE", "VAR"])
def test_log_returns_are_refused_elsewhere(name: str) -> None:
    cells = [["Date (log)", "A"], ["2024-01-31", 0.1], ["2024-02-29", 0.1]]
    found = find(name).invoke(Block.of(cells))
    assert isinstance(found, Problem)
    assert "log returns" in found.message


def test_log_returns_without_dates_are_refused_as_nothing_would_mark_them() -> None:
    found = call([["A"], [1], [2]], "log")
    assert isinstance(found, Problem)
    assert found.argument == "prices"
    assert "Date (log)" in found.message


@pytest.mark.parametrize("price", [0, -3.5])
def test_a_price_not_above_zero_is_named_with_its_cell(price: float) -> None:
    cells = [["", "", ""], ["", "A", "B"], ["2024-01-31", 1, 2], ["2024-02-29", 1, price]]
    found = call(cells, at=Address("Prices", 1, 1))
    assert isinstance(found, Problem)
    assert (found.row, found.column) == (4, 3)
    assert "Prices!C4" in found.message
    undated = call([["", ""], ["A", "B"], [1, 2], [1, price]])
    assert isinstance(undated, Problem)
    assert (undated.row, undated.column) == (4, 2)


def test_a_blank_price_is_refused_even_at_the_top() -> None:
    found = call([["", "A", "B"], ["2024-01-31", 1, ""], ["2024-02-29", 1, 2]])
    assert isinstance(found, Problem)
    assert (found.row, found.column) == (2, 3)


def test_the_library_names_the_row_by_its_date() -> None:
    data = table()
    data.iloc[7, 1] = 0
    with pytest.raises(InputError) as refused:
        prices.returns(data)
    assert (refused.value.row, refused.value.column) == (DAYS[7], "B")
    data.iloc[7, 1] = np.nan
    with pytest.raises(InputError) as refused:
        prices.returns(data)
    assert (refused.value.row, refused.value.column) == (DAYS[7], "B")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([["A"], [1], [2]], "", "M"), "no dates"),
        (([["A"], [1]],), "one price alone"),
        (([["", "A"], ["2024-01-31", 1], ["2024-02-29", 2]], "compound"), "not known"),
        (([["", "A"], ["2024-01-31", 1], ["2024-02-29", 2]], "", "H"), "not known"),
    ],
)
def test_what_cannot_be_answered(arguments: tuple[Any, ...], says: str) -> None:
    found = call(*arguments)
    assert isinstance(found, Problem)
    assert says in found.message
    assert found.fix


def test_dates_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="not in order"):
        prices.returns(table().iloc[::-1])


@pytest.mark.parametrize("pair", [(1e-300, 1e300), (1e300, 1e-300)])
def test_a_move_beyond_all_numbers_is_refused(pair: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="beyond any multiple") as refused:
        prices.returns(pd.DataFrame({"A": [1.0, *pair]}), "simple")
    assert refused.value.row == 4
