"""Bad input over every function: a right answer, or one message with its place and a cure."""

from __future__ import annotations

import datetime as dt
import math
import os
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portbal_addin.block import Block, is_problem
from portbal_addin.registry import Answer, Problem, find, functions
from specimens import CHANGES, Cells, Mutation, all_calls, valid_call

# What a function is there to find, it does not refuse.
FINDS = {"CHECKDATA": {"blank", "dates out of order"}}
CASES = int(os.environ.get("PORTBAL_CASES", "20000"))
CALLS = all_calls()


def block(cells: Cells | None) -> Block | None:
    return None if cells is None else Block.of(cells)


def kind_of(cells: Cells, name: str) -> str:
    """The shape of an argument, read from its specimen."""
    if len(cells) == 1:
        return "scalar"
    if name in {"limits", "assets", "views", "holdings", "groups", "range", "options",
                "shocks"}:
        return name
    if isinstance(cells[1][0], dt.date):
        return "series" if len(cells[0]) == 2 else "table"
    return "vector" if len(cells[0]) == 2 else "matrix"


@cache
def base(name: str, optional: bool) -> Answer:
    function = find(name)
    result = function.invoke(*map(block, valid_call(function, optional=optional)))
    assert isinstance(result, Answer), result
    return result


@cache
def changes(name: str, optional: bool) -> list[tuple[int, int]]:
    """(argument, change) pairs that apply to this call."""
    function = find(name)
    cells = valid_call(function, optional=optional)
    return [
        (a, c)
        for a, argument in enumerate(cells) if argument is not None
        for c, change in enumerate(CHANGES)
        if change(kind_of(argument, function.arguments[a].name), argument,
                  np.random.default_rng(0)) is not None
    ]


@pytest.mark.parametrize(("name", "optional"), CALLS)
def test_the_specimens_are_valid(name: str, optional: bool) -> None:
    assert sound(base(name, optional).block)


def test_enough_kinds_of_bad_input_meet_enough_functions() -> None:
    assert sum(len(changes(*call)) for call in CALLS) >= 200
    covered = {name for name, _ in CALLS}
    assert covered == {name for name, f in functions().items() if f.arguments}


@pytest.mark.parametrize(("name", "optional"), CALLS)
def test_bad_input(name: str, optional: bool) -> None:
    pairs = changes(name, optional)

    @settings(max_examples=math.ceil(CASES / len(CALLS)))
    @given(st.sampled_from(pairs), st.integers(0, 10**6))
    def check(pair: tuple[int, int], seed: int) -> None:
        function = find(name)
        cells = valid_call(function, optional=optional)
        at, change = pair
        argument = cells[at]
        assert argument is not None
        mutation = CHANGES[change](
            kind_of(argument, function.arguments[at].name), argument, np.random.default_rng(seed))
        assert mutation is not None
        changed = [*cells[:at], mutation.cells, *cells[at + 1:]]
        result = function.invoke(*map(block, changed))
        try:
            if mutation.name in FINDS.get(name, ()):
                mutation = replace(mutation, expect="sound")
            judge(mutation, result, function.arguments[at].name, base(name, optional))
        except AssertionError as error:
            raise AssertionError(
                f"{name}, {function.arguments[at].name}: {mutation.name} at {mutation.place}\n"
                f"{result}\n{error}"
            ) from None

    check()


def judge(mutation: Mutation, result: Answer | Problem, argument: str, before: Answer) -> None:
    if isinstance(result, Problem):
        assert "internal error" not in result.text
        assert "Traceback" not in result.text
        assert len(result.text) <= 500
        assert "\n" not in result.text
        assert result.text.isprintable()
        if mutation.expect == "passed on":
            assert result.text == "#PORTBAL VAR: it is empty. Give returns."
        else:
            assert result.fix.endswith((".", "?"))
    else:
        assert sound(result.block)
    if mutation.expect == "problem":
        assert isinstance(result, Problem)
        assert result.argument == argument
        if mutation.place is not None and result.row is not None:
            assert (result.row, result.column) == (mutation.place[0] + 1, mutation.place[1] + 1)
    elif mutation.expect == "passed on":
        assert isinstance(result, Problem)
    elif mutation.expect == "same":
        assert isinstance(result, Answer)
        assert close(result.block, before.block)
    elif mutation.expect == "respelled" and isinstance(result, Answer):
        assert close(result.block, before.block, texts=False)


def sound(result: Block) -> bool:
    """Only finite numbers and no problem text."""
    return not any(
        (isinstance(cell, float) and not math.isfinite(cell)) or is_problem(cell)
        for row in result for cell in row
    )


def close(one: Block, other: Block, *, texts: bool = True) -> bool:
    if (one.height, one.width) != (other.height, other.width):
        return False
    return all(
        math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-9)
        if isinstance(a, (int, float)) and isinstance(b, (int, float))
        else a == b or not texts
        for row, other_row in zip(one, other, strict=True)
        for a, b in zip(row, other_row, strict=True)
    )
