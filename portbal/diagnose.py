"""Which limits cannot hold together, and what would cure it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from portbal.limits.language import Limit
from portbal.limits.mandate import check_rules, rules_of, within_budget
from portbal.limits.measures import Facts
from portbal.limits.sides import Side, Sides, sides_of
from portbal.result import Noted
from portbal.routes import proved
from portbal.solve import Infeasible
from portbal.solve.branch import Relaxed, branch_and_bound
from portbal.solve.cone import Program, Rows
from portbal.solve.discrete import State
from portbal.solve.expressions import EffectiveNumber
from portbal.solve.problem import ACCURACY

COLUMNS = ["Limit", "Bound", "Conflict", "Needed"]
_WIDE = 10.0  # the box to branch in, in net assets, where the limits looked at leave it open


@dataclass(frozen=True)
class _Member:
    """One bound that may be part of a conflict: a side, or one of a limit that needs branching,
    whose other bound is open."""

    name: str
    bound: float
    side: Side | None = None
    rule: Limit | None = None


def _halves(rule: Limit) -> list[_Member]:
    """The bounds of a limit that needs branching."""
    found = []
    if np.isfinite(rule.low):
        found.append(_Member(rule.name, rule.low, rule=replace(rule, high=np.inf)))
    if np.isfinite(rule.high):
        found.append(_Member(rule.name, rule.high, rule=replace(rule, low=-np.inf)))
    return found


def diagnose(
    limits: pd.DataFrame, assets: pd.DataFrame, mu: pd.Series | None = None,
    cov: pd.DataFrame | None = None, returns: pd.DataFrame | None = None,
    periods: float | None = None,
) -> Noted[pd.DataFrame]:
    """Columns Limit, Bound, Conflict, Needed, one row a bound; one row ``All, , no`` when all
    limits can hold together.

    The bounds marked yes are an irreducible set: together with the sum of weights and the
    floors that no limit replaces they have no solution, and without any one of them they
    have (deletion filter, Chinneck and Dravnieks 1991, in halves). Needed is the least change of
    that bound alone that lets all limits hold; blank where none does. Limits with a Penalty may
    be broken and are not listed.
    """
    facts = Facts.gather(assets.index, assets, mu, cov, returns, periods, reference="assets")
    posed = sides_of(facts, limits)
    members = [
        *(_Member(s.limit.name, s.bound, side=s) for s in posed.sides),
        *(half for rule in posed.discrete for half in _halves(rule)),
    ]
    check_rules(posed.discrete, short=bool((_box(posed, members)[0] < 0).any()))
    if _feasible(posed, members):
        return Noted(pd.DataFrame([("All", np.nan, "no", np.nan)], columns=COLUMNS))
    kept = _irreducible(posed, members)
    rows = [
        (m.name, m.bound, "yes" if m in kept else "no",
         _needed(posed, m, [x for x in members if x is not m]) if m in kept else np.nan)
        for m in members
    ]
    note: tuple[str, ...] = ()
    if not kept:
        note = ("The sum of weights and the floors have no solution by themselves.",)
    return Noted(pd.DataFrame(rows, columns=COLUMNS), notes=note)


def _irreducible(posed: Sides, members: Sequence[_Member]) -> list[_Member]:
    """Members that have no solution, and without any one of them have: runs of members are left
    out for as long as that leaves the conflict, and halved where it does not."""
    kept = list(members)
    runs = [list(members)]
    while runs:
        run = runs.pop()
        fewer = [m for m in kept if not any(m is x for x in run)]
        if not _feasible(posed, fewer):
            kept = fewer
        elif len(run) > 1:
            middle = len(run) // 2
            runs += [run[middle:], run[:middle]]
    return kept


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
            lower, upper = within_budget(*_box(posed, members), posed.budget)
            discrete = rules_of(posed.facts, rules, np.maximum(lower, -_WIDE),
                                np.minimum(upper, _WIDE))

            def relax(state: State) -> Relaxed:
                program = built()
                undecided = discrete.relax(program, state)
                outcome = program.solve()
                held = np.zeros(program.size)
                held[undecided.assets] = outcome.x[undecided.variables]
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

    if isinstance(side.expression, EffectiveNumber):
        radius = _least_radius(posed, side.expression, others)
        return np.nan if not radius else _rounded(1 / radius**2)
    least = _optimum(posed, others, objective)
    return np.nan if least is None else _rounded(sign * least)


def _rounded(value: float) -> float:
    return float(np.round(value / ACCURACY) * ACCURACY)


def _least_radius(
    posed: Sides, number: EffectiveNumber, others: Sequence[_Member]
) -> float | None:
    """The least norm of the weights that count, 1 over the root of the effective number."""

    def objective(program: Program) -> None:
        start = program.new(1)
        number.ball.below(program, Rows.identity(1, start))
        program.minimise(np.ones(1), start)

    return _optimum(posed, others, objective)


def _needed_rule(posed: Sides, rule: Limit, others: Sequence[_Member]) -> float:
    """The nearest bound of a rule that cures it: a count by counting, a weight by bisection."""
    up = np.isfinite(rule.high)
    bound = rule.high if up else rule.low

    def cured(value: float) -> bool:
        changed = replace(rule, high=value) if up else replace(rule, low=value)
        return _feasible(posed, [*others, _Member(rule.name, value, rule=changed)])

    if rule.name == "holdings":
        counts = range(int(np.floor(bound)) + 1, posed.facts.size + 1) if up else (
            range(int(np.ceil(bound)) - 1, -1, -1))
        return next((float(count) for count in counts if cured(float(count))), np.nan)
    far = max(1.0, bound) if up else ACCURACY
    if not cured(far):
        return np.nan
    while abs(far - bound) > ACCURACY:
        middle = (far + bound) / 2
        if cured(middle):
            far = middle
        else:
            bound = middle
    return float(far)
