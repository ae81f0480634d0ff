"""Where the engine evaluates what stands in no cell: arguments, and arrays that are set apart."""

from __future__ import annotations

from portbal_addin.hosts.workbook.content import Expression, PortbalCall
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Spot

_ALONE = 64  # so many expressions get a sheet each
_TOGETHER = 16  # of more, so many share one
_WIDTH = 1000


class Slots:
    """Sheets of the engine on which expressions are evaluated apart. twins: where an argument
    is evaluated as text, to tell blanks from zeros. held: the calls whose results the engine
    reads."""

    def __init__(self, formulas: list[Formula], first_sheet: int) -> None:
        arguments: dict[Expression, None] = {}
        apart: dict[Expression, None] = {}
        self.held: set[PortbalCall] = set()
        pending: list[Expression | PortbalCall] = [
            formula.content for formula in formulas if formula.content is not None
        ]
        while pending:
            content = pending.pop()
            if isinstance(content, PortbalCall):
                for argument in content.arguments:
                    if isinstance(argument, Expression):
                        arguments[argument] = None
                    if isinstance(argument, (Expression, PortbalCall)):
                        pending.append(argument)
                continue
            for part in content.parts:
                if isinstance(part, Expression):
                    apart[part] = None
                if isinstance(part, PortbalCall):
                    self.held.add(part)
                if isinstance(part, (Expression, PortbalCall)):
                    pending.append(part)
        count = 2 * len(arguments) + len(apart)
        each = 1 if count <= _ALONE else _TOGETHER
        spots = iter([Spot(first_sheet + 1 + at // each, 1, 1 + at % each * _WIDTH)
                      for at in range(count)])
        self.places = {expression: next(spots) for expression in {**arguments, **apart}}
        self.twins = {expression: next(spots) for expression in arguments}
        self.sheets = [f"portbal {number + 1}" for number in range(-(-count // each))]
