"""Ranges that are decoded once: found by their content, bounded, and never mistaken."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from portbal_addin.block import Address, Block
from portbal_addin.codecs.kind import Kind
from portbal_addin.codecs.labelled import MATRIX, RAGGED_TABLE, TABLE
from portbal_addin.registry import Answer, Problem, functions
from portbal_addin.remembered import Remembered


def returns(first: float = 0.01, sheet: str = "Returns") -> Block:
    """60 x 20 numbers in lists of their own."""
    rows = [[first if (r, c) == (0, 0) else (r * 7 + c) % 11 / 100 for c in range(20)]
            for r in range(60)]
    return Block.of([[f"A{c}" for c in range(20)], *rows], Address(sheet, 1, 1))


def test_the_same_cells_are_decoded_once() -> None:
    store = Remembered()
    values = [store.decoded(TABLE, returns(sheet=sheet)) for sheet in ("Returns", "Copy")]
    assert store.decodings == 1
    for value in values:
        pd.testing.assert_frame_equal(value, TABLE.decode(returns()))


@pytest.mark.parametrize(("kind", "block"), [
    (TABLE, returns(0.02)), (RAGGED_TABLE, returns()), (TABLE, replace(returns(), top=1)),
    (TABLE, replace(returns(), date1904=True)),
], ids=["another number", "another kind", "another place", "another epoch"])
def test_what_differs_is_decoded_anew(kind: Kind, block: Block) -> None:
    store = Remembered()
    store.decoded(TABLE, returns())
    pd.testing.assert_frame_equal(store.decoded(kind, block), kind.decode(block))
    assert store.decodings == 2


def test_true_is_not_taken_for_one() -> None:
    store = Remembered()
    store.decoded(TABLE, returns(1.0))
    truth = functions()["COVARIANCE"].invoke(
        returns(True), None, Block.of(252.0), decode=store.decoded)
    assert isinstance(truth, Problem)
    assert "TRUE or FALSE" in truth.message


def test_a_problem_is_told_with_the_cells_of_its_own_range() -> None:
    store = Remembered()
    rows = [list(row) for row in returns()]
    rows[5][3] = "n/a"
    for sheet in ("One", "Two"):
        found = functions()["COVARIANCE"].invoke(
            Block.of(rows, Address(sheet, 1, 1)), decode=store.decoded)
        assert isinstance(found, Problem)
        assert f"{sheet}!D6" in found.message
    assert store.decodings == 0


def test_an_answer_is_the_same_with_and_without() -> None:
    store = Remembered()
    for _ in range(2):
        given = [returns(), None, Block.of(252.0)]
        found = functions()["COVARIANCE"].invoke(*given, decode=store.decoded)
        assert found == functions()["COVARIANCE"].invoke(*given)
        assert isinstance(found, Answer)
    assert store.decodings == 1


def test_who_gets_a_value_cannot_change_it_for_others() -> None:
    store = Remembered()
    first = store.decoded(TABLE, returns())
    first["new"] = 1.0
    first.columns = first.columns.str.lower()
    pd.testing.assert_frame_equal(store.decoded(TABLE, returns()), TABLE.decode(returns()))


def test_small_ranges_are_not_kept() -> None:
    store = Remembered(big=2000)
    for _ in range(2):
        store.decoded(TABLE, returns())
    assert store.decodings == 0


def test_the_longest_unused_goes_first() -> None:
    store = Remembered(most_cells=3 * 61 * 20)
    for first in (1.0, 2.0, 3.0, 1.0, 4.0, 1.0):
        store.decoded(TABLE, returns(first))
    assert store.decodings == 4
    store.decoded(TABLE, returns(2.0))
    assert store.decodings == 5


def test_a_range_larger_than_the_store_is_decoded_and_not_kept() -> None:
    store = Remembered(most_cells=1100)
    store.decoded(TABLE, returns())
    store.decoded(TABLE, returns())
    assert store.decodings == 0


def test_kinds_can_be_told_apart() -> None:
    assert len({TABLE, RAGGED_TABLE, MATRIX}) == 3
