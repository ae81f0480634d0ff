"""What the generated functions of portbal_udfs call."""

from __future__ import annotations

from portbal.errors import InputError
from portbal_addin.block import Block
from portbal_addin.hosts.excel.log import keep_log_in_excel
from portbal_addin.hosts.excel.notes import NOTES
from portbal_addin.registry import Answer, Problem, functions
from portbal_addin.remembered import Remembered

_REMEMBERED = Remembered()
keep_log_in_excel()


def answer(
    name: str, *arguments: Block | InputError | None, portbal_place: str | None = None
) -> Block:
    """The cells with which a formula answers; None stands for an argument left out.

    portbal_place: the cell that calls, as Excel writes it; notes of the answer are kept for it.
    """
    function = functions()[name]
    blocks: list[Block | None] = []
    for argument, given in zip(function.arguments, arguments, strict=True):
        if isinstance(given, InputError):
            message = f"{argument.name}: {given.problem}"
            return Problem(name, message, given.fix, argument.name).block
        blocks.append(given)
    result = function.invoke(*blocks, decode=_REMEMBERED.decoded)
    NOTES.keep(portbal_place or "", name, result.notes if isinstance(result, Answer) else ())
    return result.block
