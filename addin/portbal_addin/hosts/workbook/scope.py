"""What names stand for while a formula is written, and what can be read from it as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from portbal_addin import literals
from portbal_addin.block import Block
from portbal_addin.hosts.workbook import shapes
from portbal_addin.hosts.workbook.lexer import Token
from portbal_addin.hosts.workbook.names import declaration
from portbal_addin.hosts.workbook.references import Spot
from portbal_addin.hosts.workbook.tree import Call, Nodes, Ref, unwrapped


@dataclass(frozen=True)
class Scope:
    """The names declared around a node. bound: by LET, in order, with what they stand for;
    free: parameters of LAMBDA, which have no value outside of it."""

    bound: tuple[tuple[str, Nodes], ...] = ()
    free: frozenset[str] = frozenset()

    def with_bound(self, name: str, nodes: Nodes) -> Scope:
        return Scope((*self.bound, (name, nodes)), self.free - {name})

    def with_free(self, names: frozenset[str]) -> Scope:
        kept = tuple((name, nodes) for name, nodes in self.bound if name not in names)
        return Scope(kept, self.free | names)

    @property
    def arrays(self) -> frozenset[str]:
        """The names that may stand for more than one value."""
        found: frozenset[str] = frozenset()
        for name, nodes in self.bound:
            if shapes.is_array(nodes, found):
                found |= {name}
        return found

    def meaning(self, nodes: Nodes) -> Nodes:
        """What a lone name stands for, when that is an area, a literal or a portbal call."""
        plain = unwrapped(nodes)
        name = declaration(plain)
        for bound, value in reversed(self.bound):
            if bound == name:
                inner = unwrapped(value)
                simple = len(inner) == 1 and (
                    isinstance(inner[0], Ref)
                    or (isinstance(inner[0], Token) and inner[0].kind != "name")
                    or (isinstance(inner[0], Call) and inner[0].portbal is not None)
                )
                return inner if simple else nodes
        return plain


def spill(nodes: Nodes) -> Spot | None:
    """The anchor, when these are ``A1#`` in either spelling."""
    if len(nodes) == 2 and isinstance(nodes[0], Ref) and isinstance(nodes[1], Token):
        return nodes[0].area.first if nodes[1].text == "#" else None
    if len(nodes) == 1 and isinstance(nodes[0], Call) and nodes[0].name == "ANCHORARRAY":
        inner = unwrapped(nodes[0].arguments[0]) if nodes[0].arguments else ()
        if len(inner) == 1 and isinstance(inner[0], Ref):
            return inner[0].area.first
    return None


def literal(nodes: Nodes) -> Block | None:
    """A number, with its sign and percent mark, a text, TRUE, FALSE, or an array of them."""
    if len(nodes) == 1 and isinstance(nodes[0], Call) and not nodes[0].arguments:
        return Block.of(nodes[0].name == "TRUE") if nodes[0].name in ("TRUE", "FALSE") else None
    if not all(isinstance(node, Token) for node in nodes):
        return None
    try:
        return literals.parse("".join(node.text for node in nodes if isinstance(node, Token)))
    except ValueError:
        return None


def text_literal(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
