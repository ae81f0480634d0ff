"""All limits together, sorted by how they can be posed: a box, a budget, and the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import ConflictError, NotAvailable
from portbal.limits.language import Limit, parse
from portbal.limits.measures import Facts
from portbal.solve.cone import Program, Rows
from portbal.solve.expressions import Concave, Convex, Expression, Linear


@dataclass(frozen=True)
class Mandate:
    """What a portfolio may be.

    lower, upper   shape (n,), infinite where open
    budget         what all weights sum to, or None when a net row says it
    rows           the other hard limits; soft: those with a Penalty
    """

    facts: Facts
    lower: np.ndarray
    upper: np.ndarray
    budget: float | None
    rows: tuple[Limit, ...]
    soft: tuple[Limit, ...]

    @property
    def is_box(self) -> bool:
        """Only a box and a budget: the critical line carries it."""
        return self.budget is not None and not self.rows and not self.soft

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(limit.posed(self.facts) for limit in self.rows)

    def program(self) -> Program:
        """A conic program with all hard limits and no objective."""
        program = Program(self.facts.size)
        if self.budget is not None:
            program.zero(Rows.of(np.ones((1, self.facts.size)), -self.budget))
        identity = np.eye(self.facts.size)
        for bound, sign in ((self.lower, 1.0), (self.upper, -1.0)):
            open_end = np.isinf(bound)
            if not open_end.all():
                kept = ~open_end
                program.positive(Rows.of(sign * identity[kept], -sign * bound[kept]))
        for limit, expression in zip(self.rows, self.expressions, strict=True):
            if limit.low == limit.high and isinstance(expression, Linear):
                program.zero(expression.rows() - constant(limit.low))
                continue
            if limit.high < math.inf and isinstance(expression, Convex):
                expression.below(program, constant(limit.high))
            if limit.low > -math.inf and isinstance(expression, Concave):
                expression.above(program, constant(limit.low))
        return program


def constant(value: float) -> Rows:
    """One row without variables, as a bound."""
    return Rows(np.array([value]), ())


def mandate(
    facts: Facts, limits: pd.DataFrame | None, *, soft_allowed: bool = False
) -> Mandate:
    """Read the limits table and the Min and Max columns of assets.

    Every weight has Min 0 and weights sum to 1, unless: an ``each asset`` row or a Min
    column replaces the floor; a ``short`` row with Max s lowers it to -s; a ``net`` row
    replaces the sum of 1. With an asset named Cash all weights sum to 1 in any case.
    """
    parsed = parse(limits, facts.assets, facts.universe)
    soft = tuple(limit for limit in parsed if limit.penalty is not None)
    if soft and not soft_allowed:
        raise NotAvailable(
            f"{labels.shorten(soft[0].name)} has a Penalty, which only MAXUTILITY weighs",
            fix="Clear the Penalty to make it a firm limit, or use MAXUTILITY.",
            argument="limits", row=soft[0].row,
        )
    hard = tuple(limit for limit in parsed if limit.penalty is None)
    lower, upper = _box(facts, hard)
    rows = tuple(limit for limit in hard if limit.measure.box is None)
    budget: float | None = 1.0
    if not facts.cash.any():
        net = [limit for limit in rows if limit.name == "net"]
        if net:
            budget = None
        if len(net) == 1 and net[0].low == net[0].high:
            budget = net[0].low
            rows = tuple(limit for limit in rows if limit is not net[0])
    return Mandate(facts, lower, upper, budget, rows, soft)


def _box(facts: Facts, hard: tuple[Limit, ...]) -> tuple[np.ndarray, np.ndarray]:
    n = facts.size
    shorts = [limit.high for limit in hard if limit.name == "short" and limit.high < math.inf]
    floor = np.zeros(n)
    if shorts:
        floor[~facts.cash] = -max(min(shorts), 0.0)
    explicit = np.full(n, -math.inf)
    upper = np.full(n, math.inf)
    single = np.full(n, -math.inf)
    for limit in hard:
        at = limit.measure.box
        if at is None:
            continue
        upper[at] = min(upper[at], limit.high)
        target = explicit if limit.each else single
        target[at] = max(target[at], limit.low)
    if facts.assets is not None and "Min" in facts.assets:
        explicit = np.fmax(explicit, facts.assets["Min"].to_numpy(dtype=float))
    if facts.assets is not None and "Max" in facts.assets:
        upper = np.fmin(upper, facts.assets["Max"].to_numpy(dtype=float))
    lower = np.maximum(np.where(np.isinf(explicit), floor, explicit), single)
    crossed = np.flatnonzero(lower > upper)
    if len(crossed):
        at = int(crossed[0])
        raise ConflictError(
            f"{labels.shorten(facts.universe[at])} must be at least {lower[at]:.4g} and at most "
            f"{upper[at]:.4g}", fix="Loosen its Min or its Max.",
            argument="limits" if hard else "assets",
        )
    return lower, upper
