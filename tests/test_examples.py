"""The example in every formula's docstring gives what it shows."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from portbal_addin.block import Cell
from portbal_addin.literals import split_call
from portbal_addin.registry import Answer, Function, find, functions


@pytest.mark.parametrize("function", functions().values(), ids=lambda f: f.name)
def test_example_of(function: Function) -> None:
    name, arguments = split_call(function.example.formula)
    assert find(name) is function
    answer = find(name).invoke(*arguments)
    assert isinstance(answer, Answer), getattr(answer, "text", answer)
    rows, shown = answer.block.rows, function.example.shown.rows
    assert len(rows) == len(shown) if function.example.complete else len(rows) > len(shown)
    for row, expected in zip(rows, shown, strict=False):
        assert len(row) == len(expected)
        for cell, wanted in zip(row, expected, strict=True):
            assert same(cell, wanted), f"{cell!r} is not {wanted!r}"


def same(cell: Cell, wanted: Cell) -> bool:
    """A blank equals empty text, a date its ISO text, numbers are equal to 1e-6."""
    if isinstance(cell, dt.date):
        return cell.isoformat() == wanted
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return (
            isinstance(wanted, (int, float)) and not isinstance(wanted, bool)
            and math.isclose(cell, wanted, rel_tol=1e-6, abs_tol=1e-12)
        )
    return (cell or "") == (wanted or "") and type(cell or "") is type(wanted or "")


def test_numbers_texts_and_truth_are_told_apart() -> None:
    assert same(0.1, 0.10000001)
    assert not same(0.1, 0.1001)
    assert not same(1, True)
    assert not same("1", 1)
    assert not same(True, "TRUE")
    assert same(None, "")
