"""What the generated functions of portbal_udfs call."""

from __future__ import annotations

from portbal.errors import InputError
from portbal_addin.block import Block
from portbal_addin.registry import Problem, functions
from portbal_addin.remembered import Remembered

_REMEMBERED = Remembered()


def answer(name: str, *arguments: Block | InputError | None) -> Block:
    """The cells with which a formula answers; None stands for an argument left out."""
    function = functions()[name]
    blocks: list[Block | None] = []
    for argument, given in zip(function.arguments, arguments, strict=True):
        if isinstance(given, InputError):
            message = f"{argument.name}: {given.problem}"
            return Problem(name, message, given.fix, argument.name).block
        blocks.append(given)
    return function.invoke(*blocks, decode=_REMEMBERED.decoded).block
