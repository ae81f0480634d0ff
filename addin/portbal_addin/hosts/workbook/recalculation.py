"""A workbook in, the same workbook with right values out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from portbal_addin.block import Block, is_problem, serial_of
from portbal_addin.hosts.workbook import baseline
from portbal_addin.hosts.workbook import office as office_engine
from portbal_addin.hosts.workbook.baseline import Agreed
from portbal_addin.hosts.workbook.content import PortbalCall
from portbal_addin.hosts.workbook.engine import Engine, EngineBroken, ErrorText, Value
from portbal_addin.hosts.workbook.evaluate import Progress, Run, silent
from portbal_addin.hosts.workbook.grid import same
from portbal_addin.hosts.workbook.package import read_file
from portbal_addin.hosts.workbook.patch import WRITTEN, Update, patched
from portbal_addin.hosts.workbook.plan import Formula, formulas
from portbal_addin.hosts.workbook.references import Area, Spot
from portbal_addin.hosts.workbook.report import (
    Change,
    Computed,
    Recalculation,
    Remark,
    cell_name,
)
from portbal_addin.hosts.workbook.workbook import Workbook
from portbal_addin.registry import Answer, Problem

_MOST_NAMED = 5
_MOST_OFFICE = 3  # times that LibreOffice is asked
Finished = TypeVar("Finished")


def recalculate(
    source: bytes | Path | str,
    *,
    fresh: bool = False,
    now: dt.datetime | None = None,
    seconds: float = 60,
    progress: Progress = silent,
    office: bool = False,
) -> Recalculation:
    """Recalculate every portbal and native formula of an .xlsx or .xlsm file.

    source: the file's bytes or its path. fresh: its stored values are out of date, so the
    engine is not judged by them. now: what NOW() gives. seconds: the longest that native
    formulas may take at a time. progress: hears how many of how many
    calls are made. office: LibreOffice answers for native formulas that would be out of date.
    InputError or NotAvailable when it cannot be read at all.
    """
    data = source if isinstance(source, bytes) else read_file(Path(source))

    def finished(run: Run, agreed: Agreed) -> Recalculation:
        if office:
            _ask_office(run, agreed)
        return _finished(data, run, agreed) if run.formulas else Recalculation(data)

    return settled(data, finished, fresh=fresh, now=now, seconds=seconds, progress=progress)


def settled(
    data: bytes,
    finish: Callable[[Run, Agreed], Finished],
    *,
    fresh: bool = False,
    now: dt.datetime | None = None,
    seconds: float = 60,
    progress: Progress = silent,
) -> Finished:
    """Compute a workbook, and give what ``finish`` makes of it while the engine is there."""
    moment = now or dt.datetime.now()
    workbook = Workbook.read(data)
    for lambdas in (True, False):
        found = formulas(workbook, serial_of(moment, workbook.date1904), lambdas=lambdas)
        with Engine(seconds) as engine:
            try:
                run = Run(workbook, found, engine, progress)
                return finish(run, _computed(run, stored=not fresh) if found else {})
            except EngineBroken:
                if not lambdas:
                    raise
    raise AssertionError("unreachable")


def read_values(source: bytes | Path | str, reference: str) -> Block:
    """The stored cells of a defined name, a table, or ``Sheet1!A1:B4``; nothing is calculated."""
    data = source if isinstance(source, bytes) else read_file(Path(source))
    workbook = Workbook.read(data)
    return workbook.block(workbook.find(reference))


def _computed(run: Run, *, stored: bool) -> Agreed:
    kept = stored and baseline.is_kept(run.formulas, run.workbook.recalculates)
    run.load()
    run.evaluate()
    if run.confine():
        run.evaluate()
    agreed = baseline.compare(run, stored=kept)
    run.settle()
    if baseline.give_up_unknown(run, agreed):
        run.settle()
    return agreed


def _ask_office(run: Run, agreed: Agreed) -> None:
    """Let LibreOffice answer for what is out of date, until its answers stay."""
    for _ in range(_MOST_OFFICE):
        changed = _changed(run, agreed)
        kept = {formula for formula in run.formulas if formula.content is None}
        asked = [formula for formula in run.formulas if formula in run.answered or (
            formula in _stale(run, kept, changed) and office_engine.can_answer(formula))]
        if not asked:
            return
        values = run.grid.values[:len(run.workbook.sheets)]
        found = office_engine.answers(run.workbook, values, asked)
        moved = [spot for spot, value in found.items() if not same(value, run.grid.get(spot))]
        run.answered.update(run.graph.index.at[spot] for spot in found)
        for spot in moved:
            run.grid.put(spot, found[spot], send=True)
        if not moved:
            return
        run.evaluate()
        run.settle()


def _changed(run: Run, agreed: Agreed) -> set[Formula]:
    return {formula for formula in run.formulas
            if next(_updates(run, formula, agreed), None) is not None}


# --- what comes out ----------------------------------------------------------------------

def _finished(data: bytes, run: Run, agreed: Agreed) -> Recalculation:
    updates: dict[int, dict[tuple[int, int], Update]] = {}
    changed: set[Formula] = set()
    for formula in run.formulas:
        for spot, update in _updates(run, formula, agreed):
            updates.setdefault(spot.sheet, {})[spot.row, spot.column] = update
            changed.add(formula)
    if updates:
        parts = {
            run.workbook.parts[sheet]: patched(
                run.workbook.package.read(run.workbook.parts[sheet]), cells,
                run.workbook.parts[sheet],
            )
            for sheet, cells in updates.items()
        }
        data = run.workbook.package.replaced(parts)
    found = _remarks(run, changed)
    return Recalculation(
        data,
        problems=found.problems,
        notes=found.notes,
        warnings=found.warnings,
        calls=tuple(_calls(run)),
        native=sum(formula.is_native for formula in run.formulas),
        portbal=sum(bool(formula.calls) for formula in run.formulas),
        changes=tuple(_changes(run, updates)),
    )


def _changes(run: Run, updates: dict[int, dict[tuple[int, int], Update]]) -> Iterator[Change]:
    for sheet, cells in updates.items():
        stored = run.workbook.stored(sheet).values
        for at, update in sorted(cells.items()):
            name = cell_name(Spot(sheet, *at), run.workbook.sheets)
            yield Change(name, stored.get(at), update.value)


@dataclass(frozen=True)
class Remarks:
    """What a person should know about the cells of a workbook."""

    problems: tuple[Remark, ...]
    notes: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def remarks(run: Run, agreed: Agreed) -> Remarks:
    """The remarks of a recalculation that is done."""
    return _remarks(run, _changed(run, agreed))


def _remarks(run: Run, changed: set[Formula]) -> Remarks:
    return Remarks(tuple(_problems(run)), tuple(_notes(run)), tuple(_warnings(run, changed)))


def _updates(run: Run, formula: Formula, agreed: Agreed) -> Iterator[tuple[Spot, Update]]:
    """The cells of a formula that differ from the file."""
    if formula.content is None and formula not in run.answered:
        return
    stored = run.workbook.stored(formula.spot.sheet).values
    area = run.fills(formula)
    moved = area != formula.ref
    for spot in _union(area, formula.ref):
        value = _written(run.grid.get(spot)) if area.holds(spot) else None
        if not moved and spot in agreed and same(agreed[spot], run.grid.get(spot)):
            continue
        if moved and spot == formula.spot:
            yield spot, Update(value, area.text)
        elif not area.holds(spot) and run.grid.get(spot) is not None:
            continue
        elif not same(value, stored.get((spot.row, spot.column))):
            yield spot, Update(value)


def _union(one: Area, other: Area) -> Iterator[Spot]:
    yield from one.spots()
    if one != other:
        yield from (spot for spot in other.spots() if not one.holds(spot))


def _written(value: Value) -> Value:
    """A value as a file can hold it."""
    if isinstance(value, ErrorText) and value not in WRITTEN:
        return ErrorText("#VALUE!")
    return value


def _problems(run: Run) -> Iterator[Remark]:
    for formula in run.formulas:
        if not formula.calls:
            continue
        text = _problem(run, formula)
        if text:
            yield Remark(cell_name(formula.spot, run.workbook.sheets), text)


def _problem(run: Run, formula: Formula) -> str:
    """The problem that stands in a cell, or that made an error of its value."""
    if formula in run.blocked:
        return run.blocked[formula].text
    shown = run.grid.get(formula.spot)
    if is_problem(shown):
        return str(shown)
    failed = [made.result for call in _all_calls(formula.calls)
              if (made := run.made.get(call)) and isinstance(made.result, Problem)]
    area = run.fills(formula)
    values = [run.grid.get(spot) for spot in area.spots()]
    if failed and any(isinstance(v, ErrorText) or is_problem(v) for v in values):
        return failed[0].text
    return ""


def _all_calls(calls: list[PortbalCall]) -> Iterator[PortbalCall]:
    for call in calls:
        yield call
        yield from _all_calls(call.nested())


def _notes(run: Run) -> Iterator[Remark]:
    for formula in run.formulas:
        said: dict[str, None] = {}
        for call in _all_calls(formula.calls):
            made = run.made.get(call)
            if made and isinstance(made.result, Answer):
                said.update(dict.fromkeys(made.result.notes))
        for text in said:
            yield Remark(cell_name(formula.spot, run.workbook.sheets), text)


def _calls(run: Run) -> Iterator[Computed]:
    for call in run.order.calls:
        made = run.made.get(call)
        if made:
            proof = made.result.proof if isinstance(made.result, Answer) else ()
            yield Computed(cell_name(call.spot, run.workbook.sheets), call.name.upper(),
                           made.digest.hex(), proof)


def _warnings(run: Run, changed: set[Formula]) -> Iterator[Remark]:
    sheets = run.workbook.sheets
    kept = {formula for formula in run.formulas if formula.content is None}
    stale = _stale(run, kept - run.answered, changed)
    for formula in run.formulas:
        where = cell_name(formula.spot, sheets)
        if formula in run.answered:
            reason = formula.reason.rstrip(".")
            yield Remark(where, f"calculated by LibreOffice: {reason}.")
        elif formula in kept:
            yield Remark(where, _kept_words(run, formula, stale))
        elif formula in run.cut:
            yield Remark(where, run.cut[formula])
        elif run.grid.get(formula.spot) in ("#CIRC!", "#SPILL!") and formula.is_native:
            circle = run.grid.get(formula.spot) == "#CIRC!"
            yield Remark(where, "it depends on itself" if circle else "its result has no room")


def _stale(run: Run, kept: set[Formula], changed: set[Formula]) -> set[Formula]:
    """The kept formulas whose stored value may be wrong now."""
    if not kept:
        return set()
    moved = run.graph.after(changed) | {formula for formula in kept if not formula.is_stored}
    without_value = {formula for formula in kept if run.workbook.recalculates}
    return (kept & moved) | without_value


def _kept_words(run: Run, formula: Formula, stale: set[Formula]) -> str:
    reason = formula.reason.rstrip(".")
    if formula not in stale:
        return f"kept as stored: {reason}."
    after = sorted(run.graph.after({formula}), key=lambda other: other.spot)
    names = [cell_name(other.spot, run.workbook.sheets) for other in after[:_MOST_NAMED]]
    more = f" and {len(after) - _MOST_NAMED} more" if len(after) > _MOST_NAMED else ""
    those = f"; so are {', '.join(names)}{more}" if names else ""
    if not formula.is_stored:
        return f"not calculated: {reason}{those.replace('so are', 'nor are')}."
    return f"out of date: {reason}. It keeps its stored value{those}."
