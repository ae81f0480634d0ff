"""All limits together, sorted by how they can be posed: a box, a budget, and the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import ConflictError, NotAvailable
from portbal.limits.language import Limit, informed, parse
from portbal.limits.measures import DISCRETE, UCITS, Facts, issuer_groups
from portbal.solve.cone import Program, Rows
from portbal.solve.discrete import Discrete, Holdings, Issuers
from portbal.solve.expressions import Concave, Convex, Expression, Linear


@dataclass(frozen=True)
class Mandate:
    """What a portfolio may be.

    lower, upper   shape (n,), infinite where open
    budget         what all weights sum to, or None when a net row says it
    rows           the other hard limits; soft: those with a Penalty
    discrete       the rules on holdings and issuers that are decided by branching
    """

    facts: Facts
    lower: np.ndarray
    upper: np.ndarray
    budget: float | None
    rows: tuple[Limit, ...]
    soft: tuple[Limit, ...]
    discrete: Discrete | None = None

    @property
    def is_box(self) -> bool:
        """Only a box and a budget: the critical line carries it."""
        return self.budget is not None and not (self.rows or self.soft or self.discrete)

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(limit.posed(self.facts) for limit in self.rows)

    def beyond(self, weights: np.ndarray) -> float:
        """How far weights (n,) are outside the hard convex limits, each relative to its bound
        where that is more than 1; 0 inside."""
        worst = max(0.0, float((self.lower - weights).max()), float((weights - self.upper).max()))
        if self.budget is not None:
            worst = max(worst, abs(float(weights.sum()) - self.budget))
        for limit, expression in zip(self.rows, self.expressions, strict=True):
            value = expression.value(weights)
            for bound, over in ((limit.low, limit.low - value), (limit.high, value - limit.high)):
                if math.isfinite(bound):
                    worst = max(worst, over / max(1.0, abs(bound)))
        return worst

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
    return Rows.constants(value)


def mandate(
    facts: Facts, limits: pd.DataFrame | None, *, soft_allowed: bool = False
) -> Mandate:
    """Read the limits table and the Min and Max columns of assets.

    Every weight has Min 0 and weights sum to 1, unless: an ``each asset`` row or a Min
    column replaces the floor; a ``short`` row with Max s lowers it to -s; a ``net`` row
    replaces the sum of 1. With an asset named Cash all weights sum to 1 in any case.
    """
    facts = informed(facts, limits)
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
    branching = tuple(limit for limit in rows if limit.name in DISCRETE)
    rows = tuple(limit for limit in rows if limit.name not in DISCRETE)
    discrete = discrete_rules(facts, branching, lower, upper, budget) if branching else None
    return Mandate(facts, lower, upper, budget, rows, soft, discrete)


def discrete_rules(
    facts: Facts, branching: tuple[Limit, ...], lower: np.ndarray, upper: np.ndarray,
    budget: float | None,
) -> Discrete:
    """The rules that need branching, with a finite box to branch in."""
    first = branching[0]
    lower, upper = within_budget(lower, upper, budget)
    if np.isinf(upper).any() or np.isinf(lower).any():
        label = facts.universe[int(np.flatnonzero(np.isinf(upper) | np.isinf(lower))[0])]
        raise NotAvailable(
            f"{labels.shorten(first.name)} needs a Max for every asset, and "
            f"{labels.shorten(label)} has none", fix="Add a row 'each asset' with a Max.",
            argument="limits", row=first.row,
        )
    check_rules(branching, short=bool((lower < 0).any()))
    return rules_of(facts, branching, lower, upper)


def check_rules(branching: tuple[Limit, ...], *, short: bool) -> None:
    """NotAvailable for a rule that cannot be posed. short: whether a weight may be below 0."""
    least = [limit.low for limit in branching if limit.name == "smallest holding"]
    for limit in branching:
        if limit.name == "smallest holding" and (limit.high < math.inf or not limit.low > 0):
            raise NotAvailable(
                "'smallest holding' takes a positive Min and no Max",
                fix="Give the least weight of a holding as Min.", argument="limits",
                row=limit.row)
        if limit.name == "holdings" and limit.low > 0 and not least:
            raise NotAvailable(
                "'holdings' with a Min says nothing while a holding may be as small as you like",
                fix="Add a row 'smallest holding' with a Min.", argument="limits", row=limit.row)
        if limit.name in UCITS and short:
            raise NotAvailable(
                "'ucits 5/10/40' cannot be posed with short positions",
                fix="Remove the short row and negative floors.", argument="limits", row=limit.row)


def within_budget(
    lower: np.ndarray, upper: np.ndarray, budget: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """The box (n,), (n,) cut down to what the sum of weights leaves each."""
    if budget is None:
        return lower, upper
    if np.isfinite(lower).all():
        upper = np.minimum(upper, budget - (lower.sum() - lower))
    if np.isfinite(upper).all():
        lower = np.maximum(lower, budget - (upper.sum() - upper))
    return lower, upper


def rules_of(
    facts: Facts, branching: tuple[Limit, ...], lower: np.ndarray, upper: np.ndarray
) -> Discrete:
    """These rules and no others, within a finite box."""
    most = [limit.high for limit in branching if limit.name == "holdings"]
    fewest = [limit.low for limit in branching if limit.name == "holdings"]
    least = [limit.low for limit in branching if limit.name == "smallest holding"]
    holdings = issuers = None
    if most or least:
        holdings = Holdings(
            ~facts.cash,
            None if not most or math.isinf(min(most)) else math.floor(min(most)),
            None if not fewest or math.isinf(max(fewest)) else math.ceil(max(fewest)),
            max(least, default=0.0))
    largest, large = ([x.high for x in branching if x.name == name] for name in UCITS)
    if largest or large:
        issuers = Issuers(issuer_groups(facts), min(largest, default=None),
                          min(large, default=None))
    return Discrete(lower, upper, holdings, issuers)


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
