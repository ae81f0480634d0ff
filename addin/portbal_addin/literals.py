"""The literals of a formula: numbers, texts, TRUE and FALSE, and {arrays}.

Columns are separated by commas, rows by semicolons, a quote in a text is doubled.
"""

from __future__ import annotations

import re

from portbal_addin.block import Block, Cell

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"]|"")*")
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?P<percent>%?)
    | (?P<word>TRUE|FALSE|\#[A-Z0-9/!?_]+)
    | (?P<mark>[{},;])
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)


def parse_cell(text: str) -> Cell:
    """The value of one literal; ValueError when it is none."""
    match = _TOKEN.fullmatch(text)
    if match is None or match["mark"]:
        raise ValueError(f"not a literal: {text[:40]!r}")
    return _value(match)


def parse_array(text: str) -> Block:
    """The block of ``{1,2;3,4}``; ValueError when it is not one."""
    tokens = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"not an array literal at character {at + 1}")
        tokens.append(match)
        at = match.end()
    if len(tokens) < 3 or tokens[0]["mark"] != "{" or tokens[-1]["mark"] != "}":
        raise ValueError("an array literal stands in braces")
    rows: list[list[Cell]] = [[]]
    expect_value = True
    for match in tokens[1:-1]:
        mark = match["mark"]
        if expect_value == bool(mark):
            raise ValueError("values and separators of an array literal alternate")
        if not mark:
            rows[-1].append(_value(match))
        elif mark == ";":
            rows.append([])
        elif mark != ",":
            raise ValueError("arrays do not nest")
        expect_value = bool(mark)
    if expect_value:
        raise ValueError("an array literal ends with a separator")
    return Block.of(rows)


def parse(text: str) -> Block:
    """A literal or an array literal, as a block."""
    stripped = text.strip()
    return parse_array(stripped) if stripped.startswith("{") else Block.of(parse_cell(stripped))


def split_call(text: str) -> tuple[str, list[Block | None]]:
    """``PORTBAL.NAME(literal, , {..})`` -> name and arguments, None where left out."""
    head, _, rest = text.strip().partition("(")
    if not rest.endswith(")"):
        raise ValueError(f"not a call: {text[:60]!r}")
    name = head.strip().upper().removeprefix("PORTBAL.").removeprefix("PORTBAL_")
    parts, depth, quoted, start = [], 0, False, 0
    body = rest[:-1]
    for at, character in enumerate(body):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "{}":
            depth += 1 if character == "{" else -1
        elif not quoted and not depth and character == ",":
            parts.append(body[start:at])
            start = at + 1
    if parts or body.strip():
        parts.append(body[start:])
    return name, [parse(part) if part.strip() else None for part in parts]


def _value(match: re.Match[str]) -> Cell:
    if match["text"] is not None:
        return match["text"][1:-1].replace('""', '"')
    if match["number"] is not None:
        return float(match["number"]) / (100 if match["percent"] else 1)
    word = match["word"].upper()
    return {"TRUE": True, "FALSE": False}.get(word, word)
