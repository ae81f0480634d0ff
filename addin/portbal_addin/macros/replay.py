"""A rebalance done again from what the journal keeps of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portbal.errors import InputError
from portbal.journal import Record
from portbal_addin.block import Block
from portbal_addin.macros.orders import rows_of
from portbal_addin.registry import Answer, Problem, find, functions

Rows = list[list[Any]]


@dataclass(frozen=True)
class Replay:
    """What was stored and what comes out now; ``problem`` where nothing does."""

    number: int
    stored: Rows
    found: Rows
    problem: str = ""

    @property
    def is_same(self) -> bool:
        """Whether every order is the same, to the last digit."""
        return not self.problem and self.stored == self.found

    def told(self) -> Iterator[str]:
        """Lines for a person."""
        if self.problem:
            yield f"record {self.number}: no orders come out: {self.problem}"
            return
        if self.is_same:
            yield f"record {self.number}: the same {len(self.stored) - 1} orders"
            return
        yield f"record {self.number}: other orders come out (- stored, + now)"
        for sign, rows, others in (("-", self.stored, self.found), ("+", self.found, self.stored)):
            yield from (f"{sign} {'  '.join(map(str, row))}" for row in rows if row not in others)


def call_of(function: str, blocks: tuple[Block | None, ...]) -> dict[str, Any]:
    """A call as the journal keeps it: each argument's cells by its name."""
    names = [argument.name for argument in find(function).arguments]
    return {"function": function,
            "arguments": {name: rows_of(block) for name, block in zip(names, blocks, strict=False)
                          if block is not None}}


def replayed(record: Record) -> Replay:
    """The orders of a record's stored call, now.

    InputError for a record that holds no orders, or whose call is not known: an Orders formula
    may take its arguments from anywhere.
    """
    content = record.content
    call = content.get("call")
    if content.get("kind") != "apply":
        raise InputError(f"record {record.number} is no applied rebalance but "
                         f"'{content.get('kind')}'", fix="Give the number of one that was applied.")
    if not isinstance(call, dict) or call.get("function") not in functions():
        raise InputError(
            f"record {record.number} does not say with which inputs its orders were worked out",
            fix="Let Orders be written by the command, or be ORDERS of named ranges.")
    function = functions()[call["function"]]
    given = call["arguments"]
    result = function.invoke(*(
        Block.of(given[argument.name]) if argument.name in given else None
        for argument in function.arguments))
    stored = content["orders"]
    if isinstance(result, Problem):
        return Replay(record.number, stored, [], result.text)
    assert isinstance(result, Answer)
    return Replay(record.number, stored, rows_of(result.block) or [])
