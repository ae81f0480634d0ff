"""The words of a limits table: each row becomes one limit, or one for each member."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError, NotAvailable
from portbal.labels import key, shorten
from portbal.limits import measures
from portbal.limits.measures import WORDS, Facts, Measure, is_grouping
from portbal.solve.expressions import Concave, Convex, EffectiveNumber, Expression

PARAMETERS = ("nav", "participation")
_EXAMPLES = (
    "each asset", "each active asset", "cvar 95%", "top 5", "days to liquidate",
    "liquid in 5 days", "ucits 5/10/40", *PARAMETERS,
)
_TOP = re.compile(r"top\s+(\d+)", re.IGNORECASE)
_LIQUID = re.compile(r"liquid in\s+(\d+(?:\.\d+)?)\s+days?", re.IGNORECASE)
_CVAR = re.compile(r"cvar\s+(\d+(?:\.\d+)?)\s*%", re.IGNORECASE)


@dataclass(frozen=True)
class Limit:
    """One limit on one measure. row: the row of the limits table it comes from;
    each: whether it speaks of every member, so that a Min
    replaces the floor of 0; low and high are infinite where open."""

    row: int
    measure: Measure
    low: float
    high: float
    penalty: float | None = None
    each: bool = False

    @property
    def name(self) -> str:
        return self.measure.name

    def express(self, facts: Facts) -> Expression:
        """The expression; a UserError gets the row of the table."""
        try:
            expression = self.measure.express(facts)
        except (InputError, NotAvailable) as error:
            if error.argument is None:
                error.argument, error.row = "limits", self.row
                error.problem = f"{shorten(self.name)}: {error.problem}"
            raise
        return expression

    def posed(self, facts: Facts) -> Expression:
        """The expression, where an optimiser can keep it within its bounds."""
        expression = self.express(facts)
        if self.penalty is not None and isinstance(expression, EffectiveNumber):
            raise NotAvailable(
                f"{shorten(self.name)} cannot have a Penalty: its price would not be concave",
                fix="Clear the Penalty, or give the Penalty to a top row.", argument="limits",
                row=self.row,
            )
        for side, bound, form in (("Min", self.low, Concave), ("Max", self.high, Convex)):
            if math.isfinite(bound) and not isinstance(expression, form):
                other = "Max" if side == "Min" else "Min"
                raise NotAvailable(
                    f"{shorten(self.name)} cannot have a {side}: the permitted portfolios would "
                    "not be convex", fix=f"Clear the {side}, or give a {other} instead.",
                    argument="limits", row=self.row,
                )
        return expression


def parse(
    limits: pd.DataFrame | None, assets: pd.DataFrame | None, universe: pd.Index
) -> tuple[Limit, ...]:
    """The limits of a table with columns Limit, Min, Max and, if any, Penalty.

    limits   one limit a row, NaN where open; its index numbers the rows for messages
    assets   one row an asset, aligned to universe (see Facts), or None

    InputError names the row of an unknown word or label, with the nearest match.
    """
    if limits is None:
        return ()
    vocabulary = _Vocabulary(assets, universe)
    result: list[Limit] = []
    for row, words, low, high, penalty in zip(
        limits.index, limits["Limit"], limits["Min"], limits["Max"],
        limits["Penalty"] if "Penalty" in limits else np.full(len(limits), np.nan), strict=True,
    ):
        if key(words) in PARAMETERS:
            continue
        if key(words) == "ucits 5/10/40":
            if not math.isnan(float(penalty)):
                raise NotAvailable(
                    "'ucits 5/10/40' cannot have a Penalty: it is decided by branching",
                    fix="Clear the Penalty.", argument="limits", row=int(row))
            result += [Limit(int(row), measure, -math.inf, most)
                       for measure, most in measures.ISSUER_LIMITS]
            continue
        try:
            bounds = _bounds(float(low), float(high), float(penalty))
            each = key(words).startswith("each ")
            result += [
                Limit(int(row), measure, *bounds, each)
                for measure in vocabulary.measures(str(words))
            ]
        except (InputError, NotAvailable) as error:
            error.argument, error.row = "limits", int(row)
            raise
    return tuple(result)


def _bounds(low: float, high: float, penalty: float) -> tuple[float, float, float | None]:
    if math.isnan(low) and math.isnan(high):
        raise InputError("there is neither a Min nor a Max", fix="Give one, or remove the row.")
    if low > high:
        raise InputError(
            f"the Min {low:g} is above the Max {high:g}", fix="Exchange or correct them."
        )
    if penalty < 0:
        raise InputError(
            f"the Penalty {penalty:g} is negative", fix="Give a price of at least 0."
        )
    return (
        -math.inf if math.isnan(low) else low,
        math.inf if math.isnan(high) else high,
        None if math.isnan(penalty) else penalty,
    )


@dataclass(frozen=True)
class _Vocabulary:
    """What words can name: the assets of the universe, and the columns of its table."""

    assets: pd.DataFrame | None
    universe: pd.Index

    def measures(self, words: str) -> list[Measure]:
        """One measure, or one for each member. Words win over names."""
        text = " ".join(words.replace("\u00a0", " ").split())
        lower = text.casefold()
        if lower in WORDS:
            return [WORDS[lower]]
        if lower == "each asset":
            return [measures.asset(i, str(name)) for i, name in enumerate(self.universe)]
        if match := _CVAR.fullmatch(text):
            return [_cvar(match[1], lower)]
        if match := _TOP.fullmatch(text):
            return [_top(int(match[1]), lower)]
        if match := _LIQUID.fullmatch(text):
            return [measures.liquid_in(float(match[1]), lower)]
        if lower == "days to liquidate":
            return [measures.days_to_liquidate(i, str(name))
                    for i, name in enumerate(self.universe) if key(name) != labels.CASH]
        for lead, rest in (
            ("each active ", self._each_active), ("each ", self._each_group),
            ("exposure ", self._exposure), ("active ", self._active),
        ):
            if lower.startswith(lead):
                return rest(text[len(lead):].strip())
        for title, group in self._groupings():  # before "asset", for a column Asset class
            if lower.startswith(title.casefold() + " "):
                return [_group(title, text[len(title):].strip(), group)]
        if lower.startswith("asset "):
            return [self._asset(text[len("asset "):].strip(), "asset", self.universe)]
        return [self._asset(text, "limit", self._everything())]

    def _each_group(self, text: str) -> list[Measure]:
        for title, group in self._groupings():
            if key(title) == key(text):
                found = {key(label): str(label) for label in group if key(label)}
                return [_group(title, label, group) for label in found.values()]
        raise InputError(
            f"unknown grouping {shorten(text)}",
            fix=labels.suggestion(text, [title for title, _ in self._groupings()],
                                  "Use a text column of assets, or 'each asset'."),
        )

    def _each_active(self, text: str) -> list[Measure]:
        return [measures.active(measure) for measure in self.measures(f"each {text}")]

    def _active(self, text: str) -> list[Measure]:
        return [measures.active(measure) for measure in self.measures(text)]

    def _exposure(self, text: str) -> list[Measure]:
        columns = [] if self.assets is None else [
            title for title in self.assets.columns if not is_grouping(self.assets[title])]
        for title in columns:
            if key(title) == key(text):
                return [measures.exposure(str(title))]
        raise InputError(
            f"unknown exposure {shorten(text)}",
            fix=labels.suggestion(text, columns, "Use a numeric column of assets."),
        )

    def _asset(self, text: str, what: str, choices: Iterable[object]) -> Measure:
        for position, label in enumerate(self.universe):
            if key(label) == key(text):
                return measures.asset(position, str(label))
        raise InputError(
            f"unknown {what} {shorten(text)}",
            fix=labels.suggestion(
                text, choices, "Use an asset, a group such as 'Sector Energy', or one of "
                f"{', '.join([*WORDS, 'exposure', 'active', *_EXAMPLES])}."),
        )

    def _groupings(self) -> Iterator[tuple[str, pd.Series]]:
        """Text columns, longest title first, so that 'Sub sector' is found before 'Sub'."""
        if self.assets is not None:
            titles = [c for c in self.assets.columns if is_grouping(self.assets[c])]
            for title in sorted(titles, key=lambda t: -len(str(t))):
                yield str(title), self.assets[title]

    def _everything(self) -> list[str]:
        groups = [f"{title} {label}" for title, group in self._groupings()
                  for label in dict.fromkeys(group) if key(label)]
        return [*WORDS, *_EXAMPLES, *groups, *map(str, self.universe)]


def _cvar(percent: str, words: str) -> Measure:
    level = float(percent) / 100
    if not 0 < level < 1:
        raise InputError(f"the level {percent}% is not possible", fix="Use cvar 95%.")
    return measures.cvar(level, words)


def _top(count: int, words: str) -> Measure:
    if count < 1:
        raise InputError("the top 0 are nothing", fix="Use top 5.")
    return measures.top(count, words)


def informed(facts: Facts, limits: pd.DataFrame | None) -> Facts:
    """The facts with the values of the rows nav and participation, which stand in Max."""
    if limits is None:
        return facts
    for row, words, low, high in zip(
        limits.index, limits["Limit"], limits["Min"], limits["Max"], strict=True
    ):
        name = key(words)
        if name not in PARAMETERS:
            continue
        if not math.isnan(low) or not high > 0 or (name == "participation" and high > 1):
            raise InputError(
                f"'{name}' has its value in Max: a positive number, a fraction for participation",
                fix="Put it into Max and leave Min blank.", argument="limits", row=int(row),
            )
        if name == "nav":
            facts = replace(facts, nav=float(high))
        else:
            facts = replace(facts, participation=float(high))
    return facts


def _group(title: str, label: str, group: pd.Series) -> Measure:
    mask = np.array([key(x) == key(label) for x in group])
    if not mask.any():
        choices = list(dict.fromkeys(str(x) for x in group if key(x)))
        raise InputError(
            f"unknown {title} {shorten(label)}",
            fix=labels.suggestion(label, choices, f"Use one of {', '.join(choices[:8])}."),
        )
    spelled = str(group.iloc[int(np.flatnonzero(mask)[0])])
    return measures.members(f"{title} {spelled}", mask)


def own_bounds(facts: Facts) -> tuple[Limit, ...]:
    """The Min and Max columns of assets as limits."""
    if facts.assets is None:
        return ()
    blank = np.full(facts.size, math.nan)
    low = facts.assets["Min"].to_numpy(dtype=float) if "Min" in facts.assets else blank
    high = facts.assets["Max"].to_numpy(dtype=float) if "Max" in facts.assets else blank
    return tuple(
        Limit(0, measures.asset(i, str(label)), -math.inf if math.isnan(lo) else float(lo),
              math.inf if math.isnan(hi) else float(hi), each=True)
        for i, (label, lo, hi) in enumerate(zip(facts.universe, low, high, strict=True))
        if not (math.isnan(lo) and math.isnan(hi))
    )
