"""Falls from a peak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portbal import drawdown
from portbal.errors import InputError
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

DATES = pd.date_range("2024-01-31", periods=6, freq="ME")


def call(*arguments: Any) -> Answer | Problem:
    return find("DRAWDOWN").invoke(*[None if a is None else Block.of(a) for a in arguments])


def test_two_falls_by_hand() -> None:
    """1, 1.1, 0.88, 1.1, 0.99, 0.891, 1.0692: one fall recovers, the other does not."""
    values = np.array([0.1, -0.2, 0.25, -0.1, -0.1, 0.2])
    found = drawdown.table(values, DATES)
    deep, shallow = found.value.iloc[0], found.value.iloc[1]
    assert deep["Depth"] == pytest.approx(0.2)
    assert (deep["Peak"], deep["Trough"], deep["Recovered"]) == (DATES[0], DATES[1], DATES[2])
    assert deep["Length"] == 2
    assert shallow["Depth"] == pytest.approx(0.19)
    assert (shallow["Peak"], shallow["Trough"]) == (DATES[2], DATES[4])
    assert pd.isna(shallow["Recovered"])
    assert shallow["Length"] == 3
    assert found.notes == ("A blank Recovered has not recovered by the last return.",)


def test_a_fall_from_the_start_has_no_date_of_its_peak() -> None:
    found = drawdown.table(np.array([-0.1, 0.2]), DATES[:2])
    assert found.value["Peak"][0] is None
    assert found.value["Length"][0] == 2
    assert found.notes == ("A blank Peak lies before the first return.",)


def test_a_return_to_the_peak_ends_the_fall_whatever_rounding_leaves() -> None:
    values = np.array([0.1, 0.1, -0.3, 1 / 0.7 - 1, 0.05])
    (fall,) = drawdown.falls(values)
    assert (fall.peak, fall.trough, fall.recovered) == (1, 2, 3)


def test_without_any_fall_there_is_one_row_of_nothing() -> None:
    found = call([["A"], [0.01], [0.02]])
    assert isinstance(found, Answer)
    assert found.block.rows == (
        ("Depth", "Peak", "Trough", "Recovered", "Length"), (0, None, None, None, 0))


def test_rows_are_numbered_without_dates_and_weights_make_the_portfolio() -> None:
    found = call([["A", "B"], [0.1, 0.1], [-0.2, 0.0], [0.3, 0.1]], [["A", 0.5], ["B", 0.5]])
    assert isinstance(found, Answer)
    assert found.block.rows[1] == (pytest.approx(0.1), 1, 2, 3, 2)


def test_only_the_ten_deepest_are_shown() -> None:
    values = np.concatenate([[-0.01 * k, 1.0] for k in range(1, 15)])
    found = drawdown.table(values, pd.RangeIndex(28)).value
    np.testing.assert_allclose(found["Depth"], [0.01 * k for k in range(14, 4, -1)])


@settings(max_examples=60)
@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=60))
def test_falls_cover_all_time_under_water(values: list[float]) -> None:
    returns = np.array(values)
    wealth = drawdown.wealth_of(returns)
    found = drawdown.falls(returns)
    depths = 1 - wealth / np.maximum.accumulate(wealth)
    assert max((fall.depth for fall in found), default=0.0) == pytest.approx(
        depths.max(), abs=1e-11)
    for fall in found:
        end = len(returns) - 1 if fall.recovered is None else fall.recovered - 1
        assert (depths[fall.peak + 2: end + 2] > 0).all()
        assert depths[fall.trough + 1] == pytest.approx(fall.depth)
    under = sum((len(returns) if f.recovered is None else f.recovered) - 1 - f.peak for f in found)
    assert under == int((depths > 1e-12).sum())


def test_everything_can_be_lost_but_not_more() -> None:
    (fall,) = drawdown.falls(np.array([0.1, -1.0, 0.5]))
    assert fall == drawdown.Fall(1.0, 0, 1, None)
    with pytest.raises(InputError, match="more than everything"):
        drawdown.falls(np.array([-1.2]))
    found = call([["Date", "A"], ["2024-01-31", 0.1], ["2024-02-29", -1.2], ["2024-03-31", 0.3]])
    assert isinstance(found, Problem)
    assert "returns row 3: a return of -120.00% loses more than everything" in found.message
