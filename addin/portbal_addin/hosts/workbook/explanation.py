"""How a cell of a workbook came about: its formula, what each portbal call was given, and why its
numbers can be trusted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portbal.errors import InputError, NotAvailable
from portbal_addin.block import Block
from portbal_addin.hosts.workbook.baseline import Agreed
from portbal_addin.hosts.workbook.content import (
    Argument,
    Expression,
    Missing,
    Part,
    PortbalCall,
    Spill,
    text_of,
)
from portbal_addin.hosts.workbook.engine import Value
from portbal_addin.hosts.workbook.evaluate import Run
from portbal_addin.hosts.workbook.graph import reads
from portbal_addin.hosts.workbook.package import read_file
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.recalculation import remarks, settled
from portbal_addin.hosts.workbook.references import Area, Spot
from portbal_addin.hosts.workbook.report import Remark, cell_name
from portbal_addin.registry import Answer, Function, Problem, find

_MOST_SHOWN = 60


@dataclass(frozen=True)
class Given:
    """An argument of a call. source: a range, a literal, a formula, or another call. digest:
    equal digests mean equal cells."""

    name: str
    source: str
    rows: int = 0
    columns: int = 0
    digest: str = ""


@dataclass(frozen=True)
class Explained:
    """One portbal call. depth: 0 for a call in the cell itself, 1 for one in its arguments, and
    so on. digest: of the function's name and all its arguments."""

    function: str
    summary: str
    depth: int
    digest: str
    arguments: tuple[Given, ...] = ()
    proof: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Explanation:
    """cell: where the formula stands, which may be another cell than was asked for, since
    results spill. formula: empty for a cell that holds a constant. fills: the range of the
    result. reads: what the formula reads by itself."""

    cell: str
    formula: str
    fills: str
    before: Value
    after: Value
    reads: tuple[str, ...] = ()
    calls: tuple[Explained, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def explain(
    source: bytes | Path | str, cell: str, *, fresh: bool = False, now: dt.datetime | None = None
) -> Explanation:
    """Recalculate a workbook and tell how one of its cells came about; nothing is written.

    cell: ``Sheet1!B4``, or the name of a cell. InputError for any other reference.
    """
    data = source if isinstance(source, bytes) else read_file(Path(source))
    return settled(data, lambda run, agreed: _explained(run, agreed, cell), fresh=fresh, now=now)


def _explained(run: Run, agreed: Agreed, reference: str) -> Explanation:
    try:
        area = run.workbook.find(reference)
    except NotAvailable as error:
        raise InputError(error.problem, fix="Name a cell of the workbook.") from None
    if not area.is_cell:
        raise InputError(f"{area.text} is more than one cell", fix="Name one cell.")
    sheets = run.workbook.sheets
    formula = next(iter(run.graph.index.within(area)), None)
    if formula is None:
        value = run.workbook.stored(area.sheet).values.get((area.top, area.left))
        return Explanation(cell_name(area.first, sheets), "", "", value, value)
    where = cell_name(formula.spot, sheets)
    found = remarks(run, agreed)
    return Explanation(
        where, f"={formula.text}", run.fills(formula).text, formula.stored,
        run.grid.get(formula.spot), tuple(_reads(run, formula)),
        tuple(_calls(run, formula.calls, 0)), _about(found.problems, where),
        _about(found.warnings, where),
    )


def _about(found: tuple[Remark, ...], cell: str) -> tuple[str, ...]:
    return tuple(remark.text for remark in found if remark.cell == cell)


def _reads(run: Run, formula: Formula) -> Iterator[str]:
    if isinstance(formula.content, Expression):
        found = [item for item in reads(formula.content) if isinstance(item, (Area, Spill))]
        yield from dict.fromkeys(_text(run, item) for item in found)
    elif formula.content is None:
        yield from dict.fromkeys(_text(run, area) for area in formula.areas)


def _text(run: Run, item: Area | Spill) -> str:
    if isinstance(item, Area):
        return _range(run, item)
    formula = run.graph.index.at.get(item.anchor)
    area = run.fills(formula) if formula else Area.at(item.anchor)
    return f"{cell_name(item.anchor, run.workbook.sheets)}# ({area.text})"


def _range(run: Run, area: Area) -> str:
    sheet = cell_name(Spot(area.sheet, 1, 1), run.workbook.sheets).removesuffix("A1")
    return sheet + area.text


def _calls(run: Run, calls: list[PortbalCall], depth: int) -> Iterator[Explained]:
    for call in calls:
        made = run.made.get(call)
        function = _function(call.name)
        result = made.result if made else None
        answer = result if isinstance(result, Answer) else Answer(Block.of(None))
        yield Explained(
            call.name.upper(), function.summary if function else "", depth,
            made.digest.hex() if made else "", tuple(_arguments(run, call, function)),
            answer.proof, answer.notes, result.text if isinstance(result, Problem) else "",
        )
        yield from _calls(run, call.nested(), depth + 1)


def _function(name: str) -> Function | None:
    try:
        return find(f"PORTBAL.{name}")
    except (InputError, NotAvailable):
        return None


def _arguments(run: Run, call: PortbalCall, function: Function | None) -> Iterator[Given]:
    known = function.arguments if function else ()
    given = run.given(call) if call not in run.order.circular else []
    for at, (argument, (block, mark)) in enumerate(zip(call.arguments, given, strict=False)):
        name = known[at].name if at < len(known) else f"argument {at + 1}"
        if isinstance(argument, Missing) or block is None:
            continue
        yield Given(name, _source(run, argument), block.height, block.width, mark.hex())
    for at, option in enumerate(known):
        left_out = at >= len(call.arguments) or isinstance(call.arguments[at], Missing)
        if left_out and not option.required and option.default is not None:
            yield Given(option.name, f"left out: {option.default}")


def _source(run: Run, argument: Argument) -> str:
    if isinstance(argument, (Area, Spill)):
        return _text(run, argument)
    if isinstance(argument, PortbalCall):
        return f"PORTBAL.{argument.name.upper()}(...)"
    if isinstance(argument, Expression):
        return "=" + text_of(argument, lambda part: _hole(run, part))
    assert isinstance(argument, Block)
    text = ";".join(",".join(map(_cell, row)) for row in argument)
    shown = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."
    return shown if (argument.height, argument.width) == (1, 1) else "{" + shown + "}"


def _hole(run: Run, part: Part) -> str:
    if isinstance(part, PortbalCall):
        return f"PORTBAL.{part.name.upper()}(...)"
    if isinstance(part, Spill):
        return cell_name(part.anchor, run.workbook.sheets) + "#"
    return text_of(part, lambda inner: _hole(run, inner)) if isinstance(part, Expression) else part


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return f"{cell:.15g}"
    return f'"{cell}"' if isinstance(cell, str) else ""
