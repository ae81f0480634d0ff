"""What a formula is made of once it is read: expressions of the engine's, and portbal calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from portbal_addin.block import Block
from portbal_addin.hosts.workbook.references import Area, Spot


@dataclass(eq=False)
class Expression:
    """parts: text, and holes for portbal results, spills and expressions that are evaluated
    apart. areas: every area it reads by itself. roams: it may read any other cell. volatile:
    it changes with the clock."""

    parts: list[Part] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    roams: bool = False
    volatile: bool = False


@dataclass(frozen=True)
class Missing:
    """An argument that was left out."""


@dataclass(frozen=True)
class Spill:
    """The whole spill of the formula in a cell: ``A1#``."""

    anchor: Spot


@dataclass(eq=False)
class PortbalCall:
    """A portbal function with its arguments, in the cell where it was typed."""

    name: str
    spot: Spot
    arguments: list[Argument]

    def nested(self) -> list[PortbalCall]:
        """The calls that this one waits for, nearest first."""
        found: list[PortbalCall] = []
        for argument in self.arguments:
            if isinstance(argument, PortbalCall):
                found.append(argument)
            elif isinstance(argument, Expression):
                found.extend(inner_calls(argument))
        return found


Part = str | Spill | PortbalCall | Expression
Argument = Missing | Block | Area | Spill | PortbalCall | Expression


def inner_calls(expression: Expression) -> list[PortbalCall]:
    """The portbal calls in an expression and in those it holds, not those inside calls."""
    found: dict[PortbalCall, None] = {}
    for part in expression.parts:
        if isinstance(part, PortbalCall):
            found[part] = None
        elif isinstance(part, Expression):
            found.update(dict.fromkeys(inner_calls(part)))
    return list(found)


def text_of(expression: Expression, hole: Callable[[Part], str]) -> str:
    """The engine's text, with what ``hole`` gives for each part that is no text."""
    return "".join(part if isinstance(part, str) else hole(part) for part in expression.parts)
