"""A formula as calls and their arguments: as much grammar as recalculation needs.

Nodes of one level stand side by side, operators among them:

    Token    a literal, an operator, a name that a LET or LAMBDA declares
    Ref      an area of this workbook
    Call     a function with its arguments
    Group    what stands in parentheses; after a Call or a Group it is a call of their result
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from portbal.errors import NotAvailable
from portbal_addin.hosts.workbook.lexer import Token
from portbal_addin.hosts.workbook.references import Area

MOST_NESTED = 64
_PREFIXES = re.compile(r"(?:_xlfn\.|_xlws\.|_xludf\.|_xll\.|_xlpm\.|_xldudf_)+", re.IGNORECASE)
_PORTBAL = re.compile(r"PORTBAL[._](\w+)", re.IGNORECASE)
_OPERANDS = frozenset({"area", "call", "name", "lost", "table", "open", "number", "text", "array"})


class Ref(NamedTuple):
    area: Area


class Call(NamedTuple):
    """name: in upper case without the prefixes that files add; sheet: what stood before a !"""

    name: str
    arguments: tuple[Nodes, ...]
    sheet: str = ""

    @property
    def portbal(self) -> str | None:
        """The name of the portbal function that is called, in any host's spelling."""
        match = _PORTBAL.fullmatch(self.name)
        return match[1] if match else None


class Group(NamedTuple):
    arguments: tuple[Nodes, ...]


Node = Token | Ref | Call | Group
Nodes = tuple[Node, ...]


def bare(name: str) -> str:
    """A name without the prefixes that files add."""
    return _PREFIXES.sub("", name, count=1) if name[:1] == "_" else name


def parsed(found: Sequence[Token]) -> Nodes:
    """The tree of a formula; NotAvailable when it is broken or nested too deeply."""
    stream = _Stream(found)
    (nodes,) = stream.arguments(closing=False, depth=0)
    return nodes


class _Stream:
    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._at = 0

    def arguments(self, *, closing: bool, depth: int) -> tuple[Nodes, ...]:
        """Up to the closing parenthesis, or to the end of the formula."""
        if depth > MOST_NESTED:
            raise NotAvailable(
                f"it nests more than {MOST_NESTED} levels deep", fix="Split it over several cells."
            )
        done: list[Nodes] = []
        nodes: list[Node] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.kind == "close":
                if not closing:
                    break
                return (*done, tuple(nodes))
            if token.kind == "comma":
                if not closing:
                    break
                done.append(tuple(nodes))
                nodes = []
            elif token.kind == "open":
                nodes.append(Group(self.arguments(closing=True, depth=depth + 1)))
            elif token.kind == "call":
                self._at += 1
                arguments = self.arguments(closing=True, depth=depth + 1)
                if arguments == ((),):
                    arguments = ()
                nodes.append(Call(bare(token.text).upper(), arguments, token.sheet))
            elif token.kind != "space":
                nodes.append(token)
            elif self._intersects(nodes):
                raise NotAvailable("it intersects areas by a space", fix="Name the cells.")
        else:
            if not closing:
                return (tuple(nodes),)
        raise NotAvailable("its parentheses or commas do not match", fix="Type it again.")

    def _intersects(self, nodes: list[Node]) -> bool:
        """A space with an operand on both sides."""
        after = self._tokens[self._at] if self._at < len(self._tokens) else None
        before = nodes[-1] if nodes else None
        if after is None or before is None or after.kind not in _OPERANDS:
            return False
        return not (isinstance(before, Token) and before.kind == "operator" and before.text != "#")


def calls(nodes: Nodes) -> Iterator[Call]:
    """Every call, the outer ones first."""
    for node in nodes:
        if isinstance(node, Call):
            yield node
        if isinstance(node, (Call, Group)):
            for argument in node.arguments:
                yield from calls(argument)


def leaves(nodes: Nodes) -> Iterator[Token | Ref]:
    for node in nodes:
        if isinstance(node, (Call, Group)):
            for argument in node.arguments:
                yield from leaves(argument)
        else:
            yield node


def unwrapped(nodes: Nodes) -> Nodes:
    """Without parentheses around the whole."""
    while len(nodes) == 1 and isinstance(nodes[0], Group) and len(nodes[0].arguments) == 1:
        nodes = nodes[0].arguments[0]
    return nodes
