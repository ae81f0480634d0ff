"""The arguments of a portbal formula that stands in a workbook, where they are plain to see."""

from __future__ import annotations

import re

from portbal_addin import literals
from portbal_addin.block import Block
from portbal_addin.book import Book

_CALL = re.compile(
    r"=\s*(?:\[\d+\]!|'[^']*'!)?(?:_xldudf_)?PORTBAL[._](?P<name>\w+)\((?P<inside>.*)\)\s*",
    re.IGNORECASE | re.DOTALL,
)
_NAME = re.compile(r"[^\W\d][\w.]*")


def call_in(book: Book, formula: str) -> tuple[str, tuple[Block | None, ...]] | None:
    """The function and its arguments, None where left out; None when the formula is more than
    one call, or an argument is neither a name of the workbook nor a literal."""
    match = _CALL.fullmatch(formula)
    parts = None if match is None else _split(match["inside"])
    if match is None or parts is None:
        return None
    blocks: list[Block | None] = []
    for part in parts:
        if not part:
            blocks.append(None)
        elif _NAME.fullmatch(part) and (area := book.find(part)) is not None:
            blocks.append(book.block(area))
        else:
            try:
                blocks.append(literals.parse(part))
            except ValueError:
                return None
    return match["name"].upper(), tuple(blocks)


def _split(inside: str) -> list[str] | None:
    """The parts between commas, without blanks; None when a call or a bracket is among them."""
    parts, start, quoted, depth = [], 0, False, 0
    for at, character in enumerate(inside):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in "()[]":
            return None
        elif character in "{}":
            depth += 1 if character == "{" else -1
        elif character == "," and not depth:
            parts.append(inside[start:at].strip())
            start = at + 1
    return [*parts, inside[start:].strip()]
