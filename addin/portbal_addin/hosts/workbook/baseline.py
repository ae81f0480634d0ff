"""Is the engine right? Its values beside those that a spreadsheet program left in the file.

Where the inputs are the same and the engine disagrees, the stored value stays. Where no program
left a value, what the engine says it does not know stays as it is in the file.
"""

from __future__ import annotations

import math

from portbal_addin.hosts.workbook.content import Expression
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.evaluate import Run
from portbal_addin.hosts.workbook.grid import same
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Spot

_MOST_ROUNDS = 12
_RELATIVE, _ABSOLUTE = 1e-7, 1e-12
_UNKNOWN = {
    "#NAME?": "the engine does not know a function in it",
    "#N/IMPL!": "the engine does not know this use of a function",
    "#N/IMPL": "the engine does not know this use of a function",
    "#ERROR!": "the engine cannot read it",
}

Agreed = dict[Spot, Value]


def is_kept(formulas: list[Formula], recalculates: bool) -> bool:
    """Did a spreadsheet program leave the stored values? Not if the file asks to be calculated
    on opening, nor if all are 0 or missing, as libraries write them."""
    stored = [formula.stored for formula in formulas if formula.is_native]
    return not recalculates and any(value not in (None, 0.0) for value in stored)


def compare(run: Run, *, stored: bool) -> Agreed:
    """Give up the formulas that the engine gets wrong. stored: the stored values count.

    Returns what the engine gives for the cells on which it agrees with the file.
    """
    _give_up(run, stored, {})
    if not stored:
        return {}
    moving = _moving(run)
    agreed: Agreed = {}
    for formula in run.live:
        if formula not in moving:
            cells = run.workbook.stored(formula.spot.sheet).values
            for spot in formula.ref.spots():
                value = run.grid.get(spot)
                if alike(value, cells.get((spot.row, spot.column))):
                    agreed[spot] = value
    return agreed


def give_up_unknown(run: Run, agreed: Agreed) -> bool:
    """Give up the formulas of which the engine says that it does not know them, unless the
    file agreed. True if there were any."""
    before = len(run.live)
    _give_up(run, False, agreed)
    return len(run.live) < before


def _give_up(run: Run, stored: bool, agreed: Agreed) -> None:
    moving = _moving(run) if stored else set()
    for spent in range(_MOST_ROUNDS):
        reasons = {
            formula: reason for formula in run.live
            if (reason := _reason(run, formula, stored and formula not in moving))
            and not (formula.spot in agreed and same(agreed[formula.spot],
                                                     run.grid.get(formula.spot)))
        }
        if not reasons:
            return
        roots = [formula for formula in reasons
                 if not any(other in reasons for other in run.graph.before(formula))]
        last = spent == _MOST_ROUNDS - 1
        for formula in reasons if last or not roots else roots:
            run.keep(formula, reasons[formula])
        run.evaluate()


def _moving(run: Run) -> set[Formula]:
    """The formulas that change with the clock, or that read a formula of which no program left
    a value, so that their stored values say nothing."""
    moving = {
        formula for formula in run.formulas if not _says_something(run, formula)
        or (isinstance(formula.content, Expression) and formula.content.volatile)
    }
    return moving | run.graph.after(moving)


def _says_something(run: Run, formula: Formula) -> bool:
    """Is a value stored, or does none stand for the empty text that the engine gives?"""
    return formula.is_stored or (formula.is_native and run.grid.get(formula.spot) == "")


def _reason(run: Run, formula: Formula, stored: bool) -> str:
    """Why the engine's value cannot be trusted, or nothing."""
    value = run.grid.get(formula.spot)
    if isinstance(value, ErrorText) and value in _UNKNOWN and not (
        stored and formula.stored == value
    ):
        return "" if _is_passed_on(run, formula, value) else _UNKNOWN[value]
    if not (stored and formula.is_stored) or formula.stored == ErrorText("#NAME?"):
        return ""  # the program that left #NAME? did not know the function
    if formula.kind == "plain":
        return "" if alike(value, formula.stored) else _differs(value, formula.stored)
    if run.grid.spills[formula.spot] != formula.ref:
        return f"the engine fills {run.grid.spills[formula.spot].text}, the file {formula.ref.text}"
    cells = run.workbook.stored(formula.spot.sheet).values
    for spot in formula.ref.spots():
        before = cells.get((spot.row, spot.column))
        if not alike(run.grid.get(spot), before):
            return _differs(run.grid.get(spot), before)
    return ""


def _differs(value: Value, stored: Value) -> str:
    return f"the engine gives {_words(value)} where {_words(stored)} is stored"


def _words(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    return "nothing" if value is None else f"{value[:40]}"


def _is_passed_on(run: Run, formula: Formula, error: ErrorText) -> bool:
    """Does something that the formula reads show the same error?"""
    content = formula.content
    areas = content.areas if isinstance(content, Expression) else []
    return any(error in row for area in areas for row in run.grid.block(area).rows)


def alike(value: Value, stored: Value) -> bool:
    """The same value, but for the last digits of a number; any error is like any other."""
    if isinstance(value, ErrorText) and isinstance(stored, ErrorText):
        return True
    if isinstance(value, float) and isinstance(stored, float):
        return math.isclose(value, stored, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    if value in (None, "") and stored in (None, ""):
        return True
    return type(value) is type(stored) and value == stored
