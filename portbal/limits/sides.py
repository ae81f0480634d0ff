"""The hard limits one bound at a time, on top of what holds without any: the sum of weights
and the floors that no limit replaces."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal.limits.language import Limit, informed, own_bounds, parse
from portbal.limits.mandate import constant
from portbal.limits.measures import DISCRETE, Facts
from portbal.solve.cone import Program, Rows
from portbal.solve.expressions import Concave, Convex, EffectiveNumber, Expression


@dataclass(frozen=True)
class Side:
    """One bound of one limit. kind: Min or Max."""

    limit: Limit
    kind: str
    bound: float
    expression: Expression

    @property
    def slope(self) -> float:
        """How far the constraint gives way for each unit by which the bound is loosened."""
        if isinstance(self.expression, EffectiveNumber):  # a ball of radius 1/sqrt(bound)
            return 0.0 if self.bound <= 0 else 0.5 * self.bound**-1.5
        return 1.0

    def add(self, program: Program, bound: Rows | None = None) -> int:
        """Adds the constraint, with another bound where that is given."""
        rows = constant(self.bound) if bound is None else bound
        if self.kind == "Max":
            assert isinstance(self.expression, Convex)
            return self.expression.below(program, rows)
        assert isinstance(self.expression, Concave)
        return self.expression.above(program, rows)


@dataclass(frozen=True)
class Sides:
    """floors (n,): -inf where a limit speaks of the floor, as a short row does of all but cash;
    budget: None when a net row does."""

    facts: Facts
    floors: np.ndarray
    budget: float | None
    sides: tuple[Side, ...]
    discrete: tuple[Limit, ...]

    def structure(self) -> Program:
        """A program with the sum of weights and the floors alone."""
        n = self.facts.size
        program = Program(n)
        if self.budget is not None:
            program.zero(Rows.of(np.ones((1, n)), -self.budget))
        kept = np.flatnonzero(np.isfinite(self.floors))
        if len(kept):
            program.positive(Rows.of(np.eye(n)[kept], -self.floors[kept]))
        return program


def sides_of(facts: Facts, limits: pd.DataFrame | None) -> Sides:
    """Every bound of the limits table and of the Min and Max columns."""
    facts = informed(facts, limits)
    parsed = tuple(x for x in parse(limits, facts.assets, facts.universe) if x.penalty is None)
    hard = (*parsed, *own_bounds(facts))
    shorts = [x.high for x in hard if x.name == "short" and x.high < math.inf]
    floors = np.zeros(facts.size)
    if shorts:
        floors[~facts.cash] = -math.inf
    for limit in hard:
        at = limit.measure.box
        if at is not None and limit.low > -math.inf and limit.each:
            floors[at] = -math.inf
    has_net = any(x.name == "net" for x in hard) and not facts.cash.any()
    sides = []
    for limit in hard:
        if limit.name in DISCRETE:
            continue
        expression = limit.posed(facts)
        sides += [
            Side(limit, kind, bound, expression)
            for kind, bound in (("Min", limit.low), ("Max", limit.high)) if math.isfinite(bound)
        ]
    return Sides(facts, floors, None if has_net else 1.0, tuple(sides),
                 tuple(x for x in hard if x.name in DISCRETE))
