"""A formula as tokens. Operator precedence is left to the engine.

The grammar is that of formulas in files: English names, commas between arguments, semicolons
between rows of arrays.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from portbal.errors import NotAvailable

_NAME = r"(?:[^\W\d]|\\)[\w.\\?]*"
_SHEET = rf"(?:'(?:[^']|'')*'|\[[^\[\]]*\](?:{_NAME})?|{_NAME}(?::{_NAME})?)!"
_CELL = r"\$?[A-Za-z]{1,3}\$?[0-9]{1,7}"
_COLUMN = r"\$?[A-Za-z]{1,3}"
_ROW = r"\$?[0-9]{1,7}"
_END = r"(?![\w.(\[!?\\])"

_TOKEN = re.compile(
    rf"""
      (?P<space>[\s\u00a0]+)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<comma>,)
    | (?P<text>"(?:[^"]|"")*")
    | (?P<error>\#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|GETTING_DATA|SPILL!|CALC!|FIELD!
        |BLOCKED!|UNKNOWN!|CONNECT!|BUSY!|CIRC!|EXTERNAL!|PYTHON!))
    | (?P<array>\{{(?:[^{{}}"]|"(?:[^"]|"")*")*\}})
    | (?P<operator><=|>=|<>|[-+*/^&=<>%:@\#])
    | (?P<sheet>{_SHEET})?
      (?:
        (?P<area>{_CELL}(?::{_CELL})?{_END}|{_COLUMN}:{_COLUMN}{_END}|{_ROW}:{_ROW}{_END})
      | (?P<call>{_NAME}(?=\())
      | (?P<name>{_NAME})
      | (?P<lost>\#REF!)
      )
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
    | (?P<brackets>\[)
    """,
    re.VERBOSE,
)
_WITH_SHEET = frozenset({"area", "call", "name", "lost"})


class Token(NamedTuple):
    """kind: space, text, error, array, area, call, name, lost, number, open, close, comma,
    table, operator. sheet: the ``Sheet1!`` before an area, a call or a name, else empty."""

    kind: str
    text: str
    sheet: str = ""


@lru_cache(maxsize=512)
def tokens(formula: str) -> tuple[Token, ...]:
    """The tokens of a formula without its equals sign; NotAvailable where it is no formula."""
    found: list[Token] = []
    at, end = 0, len(formula)
    while at < end:
        match = _TOKEN.match(formula, at)
        if match is None:
            raise _unreadable(formula, at)
        kind = str(match.lastgroup)
        stop = match.end()
        if kind == "brackets" or (kind == "name" and formula[stop:stop + 1] == "["):
            start = at if kind == "brackets" else match.start("name")
            stop = _closing(formula, at if kind == "brackets" else stop)
            found.append(Token("table", formula[start:stop], match["sheet"] or ""))
        elif kind in _WITH_SHEET:
            found.append(Token(kind, match[kind], match["sheet"] or ""))
        else:
            found.append(Token(kind, match[0]))
        at = stop
    return tuple(found)


def _closing(formula: str, start: int) -> int:
    """Where the brackets that open at ``start`` end; ``'`` quotes the next character."""
    depth, at = 0, start
    while at < len(formula):
        character = formula[at]
        if character == "'":
            at += 1
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    raise _unreadable(formula, start)


def _unreadable(formula: str, at: int) -> NotAvailable:
    return NotAvailable(
        f"the formula cannot be read from its character {at + 1}",
        fix=f"Look at {formula[at:at + 12]!r}.",
    )
