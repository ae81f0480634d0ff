"""Which limits cannot hold together, and what would cure it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal.limits.language import Limit
from portbal.limits.mandate import discrete_rules
from portbal.limits.measures import Facts
from portbal.limits.sides import Side, Sides, sides_of
from portbal.result import Noted
from portbal.routes import proved
from portbal.solve import Infeasible
from portbal.solve.branch import Relaxed, branch_and_bound
from portbal.solve.cone import ACCURACY, Program, Rows
from portbal.solve.discrete import State

COLUMNS = ["Limit", "Bound", "Conflict", "Needed"]


@dataclass(frozen=True)
class _Member:
    """One bound that may be part of a conflict: a side, or a limit that needs branching."""

    name: str
    bound: float
    side: Side | None = None
    rule: Limit | None = None


def diagnose(
    limits: pd.DataFrame, assets: pd.DataFrame, mu: pd.Series | None = None,
    cov: pd.DataFrame | None = None, returns: pd.DataFrame | None = None,
    periods: float | None = None,
) -> Noted[pd.DataFrame]:
    """Columns Limit, Bound, Conflict, Needed, one row a bound; one row ``All, , no`` when all
    limits can hold together.

    The bounds marked yes are an irreducible set: together with the sum of weights and the
    floors that no limit replaces they have no solution, and without any one of them they
    have (deletion filter, Chinneck and Dravnieks 1991). Needed is the least change of that
    bound alone that lets all limits hold; blank where none does.
    """
    facts = Facts.gather(assets.index, assets, mu, cov, returns, periods, reference="assets")
    posed = sides_of(facts, limits)
    members = [
        *(_Member(s.limit.name, s.bound, side=s) for s in posed.sides),
        *(_Member(x.name, x.low if np.isinf(x.high) else x.high, rule=x) for x in posed.discrete),
    ]
    if _feasible(posed, members):
        return Noted(pd.DataFrame([("All", np.nan, "no", np.nan)], columns=COLUMNS))
    kept = list(members)
    for member in members:
        fewer = [m for m in kept if m is not member]
        if not _feasible(posed, fewer):
            kept = fewer
    rows = [
        (m.name, m.bound, "yes" if m in kept else "no",
         _needed(posed, m, [x for x in members if x is not m]) if m in kept else np.nan)
        for m in members
    ]
    note: tuple[str, ...] = ()
    if not kept:
        note = ("The sum of weights and the floors have no solution by themselves.",)
    return Noted(pd.DataFrame(rows, columns=COLUMNS), notes=note)


def _feasible(posed: Sides, members: Sequence[_Member]) -> bool:
    def objective(program: Program) -> None:
        program.minimise(np.zeros(program.size))

    return _optimum(posed, members, objective) is not None


def _optimum(
    posed: Sides, members: Sequence[_Member], objective: Callable[[Program], None]
) -> float | None:
    """The least objective under these members, or None when they have no solution."""

    def built() -> Program:
        program = posed.structure()
        for member in members:
            if member.side is not None:
                member.side.add(program)
        objective(program)
        return program

    rules = tuple(m.rule for m in members if m.rule is not None)
    try:
        with proved():
            if not rules:
                return built().solve().objective
            lower, upper = _box(posed, members)
            discrete = discrete_rules(posed.facts, rules, lower, upper, posed.budget)

            def relax(state: State) -> Relaxed:
                program = built()
                undecided = discrete.relax(program, state, None)
                outcome = program.solve()
                held = np.zeros(program.size)
                held[list(undecided)] = outcome.x[list(undecided.values())]
                return Relaxed(outcome.objective, outcome.x[: program.size], held,
                               outcome.residual, outcome.gap)

            return branch_and_bound(
                discrete.root(), relax,
                lambda state, relaxed: discrete.complete(state, relaxed.weights),
                lambda state, relaxed: discrete.split(state, relaxed.weights, relaxed.held),
            ).best.bound
    except Infeasible:
        return None


def _box(posed: Sides, members: Sequence[_Member]) -> tuple[np.ndarray, np.ndarray]:
    """The box that these members leave, for branching."""
    lower, upper = posed.floors.copy(), np.full(posed.facts.size, np.inf)
    for member in members:
        at = None if member.side is None else member.side.limit.measure.box
        if at is None or member.side is None:
            continue
        if member.side.kind == "Max":
            upper[at] = min(upper[at], member.bound)
        else:
            lower[at] = max(lower[at], member.bound)
    return lower, upper


def _needed(posed: Sides, member: _Member, others: Sequence[_Member]) -> float:
    """The bound nearest to the member's with which all hold, NaN where there is none."""
    if member.rule is not None:
        return _needed_rule(posed, member.rule, others)
    side = member.side
    assert side is not None
    sign = 1.0 if side.kind == "Max" else -1.0

    def objective(program: Program) -> None:
        start = program.new(1)
        side.add(program, Rows.identity(1, start))
        program.minimise(np.array([sign]), start)

    if not hasattr(side.expression, "coefficients") and side.kind == "Min":
        return np.nan  # a concave bound that is no plain number
    least = _optimum(posed, others, objective)
    return np.nan if least is None else float(np.round(sign * least / ACCURACY) * ACCURACY)


def _needed_rule(posed: Sides, rule: Limit, others: Sequence[_Member]) -> float:
    """The fewest more holdings that cure it; other rules have no single bound."""
    if rule.name != "holdings" or np.isinf(rule.high):
        return np.nan
    for most in range(int(rule.high) + 1, posed.facts.size + 1):
        changed = Limit(rule.row, rule.measure, rule.low, float(most))
        if _feasible(posed, [*others, _Member(rule.name, float(most), rule=changed)]):
            return float(most)
    return np.nan
