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

from portbal_addin.block import Block, Cell, is_problem
from portbal_addin.codecs.labelled import RAGGED_TABLE
from portbal_addin.registry import Answer, Function, Problem, find, functions
from specimens import CHANGES, NAMES, Cells, Mutation, all_calls, valid_call

# What a function is there to find, it does not refuse.
FINDS = {"CHECKDATA": {"blank", "dates out of order"}}
CASES = int(os.environ.get("PORTBAL_CASES", "20000"))
FUZZ = "PORTBAL_CASES" in os.environ  # other cases in every run
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

    @settings(max_examples=math.ceil(CASES / len(CALLS)), derandomize=not FUZZ)
    @given(st.sampled_from(pairs), st.integers(0, 10**6), st.sampled_from([None, None, *pairs]))
    def check(pair: tuple[int, int], seed: int, second: tuple[int, int] | None) -> None:
        function = find(name)
        changed = valid_call(function, optional=optional)
        at = pair[0]
        mutation = change(function, changed, pair, seed)
        assert mutation is not None
        if second is not None and second[0] != at:
            change(function, changed, second, seed)
            mutation = replace(mutation, name=f"{mutation.name} and more", expect="sound")
        result = function.invoke(*map(block, changed))
        try:
            starts_late = (mutation.name == "blank" and mutation.place is not None
                           and mutation.place[0] == 1
                           and function.arguments[at].kind is RAGGED_TABLE)
            if mutation.name in FINDS.get(name, ()) or starts_late:
                mutation = replace(mutation, expect="sound")
            judge(mutation, result, function.arguments[at].name, base(name, optional))
        except AssertionError as error:
            raise AssertionError(
                f"{name}, {function.arguments[at].name}: {mutation.name} at {mutation.place}\n"
                f"{result}\n{error}"
            ) from None

    check()


def change(
    function: Function, cells: list[Cells | None], pair: tuple[int, int], seed: int
) -> Mutation | None:
    """Make one change to one of these arguments."""
    at, number = pair
    argument = cells[at]
    assert argument is not None
    kind = kind_of(argument, function.arguments[at].name)
    mutation = CHANGES[number](kind, argument, np.random.default_rng(seed))
    if mutation is not None:
        cells[at] = mutation.cells
    return mutation


def judge(mutation: Mutation, result: Answer | Problem, argument: str, before: Answer) -> None:
    if isinstance(result, Problem):
        assert "internal error" not in result.text
        assert "Traceback" not in result.text
        assert len(result.text) <= 500
        assert "\n" not in result.text
        assert result.text.isprintable()
        if mutation.expect == "passed on" or result.passed_on is not None:
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


def test_problem_looks_at_blank_cells_too() -> None:
    """=IF(PORTBAL.PROBLEM(A1:B2), ...) over cells that are not filled yet."""
    problem = find("PROBLEM")
    for cells in (None, Block.of(None), Block.of(""), Block.of([[None, ""], [None, None]])):
        answer = problem.invoke(cells)
        assert isinstance(answer, Answer)
        assert answer.block.rows == ((False,),)
    assert isinstance(problem.invoke(), Problem)


# --- the order of names -----------------------------------------------------------------------

TURNED = [NAMES[at] for at in (3, 1, 0, 2)]


def turned(cells: Cells) -> Cells:
    """With the rows and the columns of the four names in another order."""
    def order(labels: list[Cell]) -> list[int]:
        places = iter([labels.index(name) for name in TURNED if name in labels])
        return [next(places) if label in TURNED else at for at, label in enumerate(labels)]

    columns = order(list(cells[0]))
    if len(set(columns)) != len(columns):
        return cells
    firsts = [row[0] for row in cells]
    rows = order(firsts) if all(firsts.count(name) < 2 for name in NAMES) else range(len(cells))
    return [[cells[row][column] for column in columns] for row in rows]


def by_label(result: Block) -> dict[tuple[object, object], Cell]:
    """Cells by the labels of their row and column; rows without one by their place. A pair of
    names is the same in either order."""
    top, *rows = result.rows
    found: dict[tuple[object, object], Cell] = {}
    for at, row in enumerate(rows or [top]):
        first = row[0]
        texts = [cell for cell in row[1:2] if isinstance(cell, str)]
        label: object = at
        if isinstance(first, str):
            label = (frozenset(first.split(" / ")), *texts)
        for title, cell in zip(top if rows else range(len(top)), row, strict=True):
            pair = isinstance(cell, str) and " / " in cell
            found[label, title] = None if pair else cell
    return found


@pytest.mark.parametrize(("name", "optional"), CALLS)
def test_permuting_the_names_permutes_the_answer(name: str, optional: bool) -> None:
    function = find(name)
    cells = valid_call(function, optional=optional)
    others = [turned(argument) if argument else None for argument in cells]
    if others == cells:
        return
    result = function.invoke(*map(block, others))
    assert isinstance(result, Answer), result
    before, after = by_label(base(name, optional).block), by_label(result.block)
    assert before.keys() == after.keys()
    for key, cell in before.items():
        if isinstance(cell, float):
            assert after[key] == pytest.approx(cell, rel=1e-6, abs=1e-7), key
        elif key[1] not in ("Why", "Detail"):
            assert after[key] == cell, key
