"""The words of a limits table: each row becomes one limit, or one for each member."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError, NotAvailable
from portbal.labels import key, shorten
from portbal.limits import measures
from portbal.limits.measures import WORDS, Facts, Measure, is_grouping
from portbal.solve.expressions import Expression, Linear

_LEADS = ("each asset", "each active asset", "asset", "exposure", "active", "cvar")
_CVAR = re.compile(r"cvar\s+(\d+(?:\.\d+)?)\s*%", re.IGNORECASE)


@dataclass(frozen=True)
class Limit:
    """One limit on one measure. row: the row of the limits table it comes from;
    each: whether the row spoke of every member; low and high are infinite where open."""

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
        if self.low > -math.inf and not isinstance(expression, Linear):
            raise NotAvailable(
                f"{shorten(self.name)} cannot have a Min: the permitted portfolios would not be "
                "convex", fix="Clear the Min, or use a Max.", argument="limits", row=self.row,
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
    result = []
    for row, words, low, high, penalty in zip(
        limits.index, limits["Limit"], limits["Min"], limits["Max"],
        limits["Penalty"] if "Penalty" in limits else np.full(len(limits), np.nan), strict=True,
    ):
        try:
            bounds = _bounds(float(low), float(high), float(penalty))
            each = key(words).startswith("each ")
            result += [
                Limit(int(row), measure, *bounds, each)
                for measure in _measures(str(words), assets, universe)
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


def _measures(words: str, assets: pd.DataFrame | None, universe: pd.Index) -> list[Measure]:
    text = " ".join(words.replace("\u00a0", " ").split())
    lower = text.casefold()
    if lower in WORDS:
        return [WORDS[lower]]
    if lower == "each asset":
        return [measures.asset(i, str(name)) for i, name in enumerate(universe)]
    if lower == "each active asset":
        return [measures.active(measures.asset(i, str(n))) for i, n in enumerate(universe)]
    if match := _CVAR.fullmatch(text):
        level = float(match[1]) / 100
        if not 0 < level < 1:
            raise InputError(f"the level {match[1]}% is not possible", fix="Use cvar 95%.")
        return [measures.cvar(level, lower)]
    for lead, parse_rest in (("each ", _each_group), ("exposure ", _exposure), ("active ", _active)):
        if lower.startswith(lead):
            return parse_rest(text[len(lead):].strip(), assets, universe)
    for title, group in _groupings(assets):  # before "asset", for a column named Asset class
        if lower.startswith(title.casefold() + " "):
            return [_group(title, text[len(title):].strip(), group)]
    if lower.startswith("asset "):
        return _asset(text[len("asset "):].strip(), universe)
    found = _position(text, universe)
    if found is None:
        raise InputError(
            f"unknown limit {shorten(text)}",
            fix=labels.suggestion(text, _vocabulary(assets, universe),
                                  f"Use {', '.join([*WORDS, *_LEADS])}, a group or an asset."),
        )
    return [measures.asset(found, str(universe[found]))]


def _each_group(text: str, assets: pd.DataFrame | None, universe: pd.Index) -> list[Measure]:
    for title, group in _groupings(assets):
        if key(title) == key(text):
            found = {key(label): str(label) for label in group if key(label)}
            return [_group(title, label, group) for label in found.values()]
    choices = [title for title, _ in _groupings(assets)]
    raise InputError(
        f"unknown grouping {shorten(text)}",
        fix=labels.suggestion(text, choices, "Use a text column of assets, or 'each asset'."),
    )


def _exposure(text: str, assets: pd.DataFrame | None, universe: pd.Index) -> list[Measure]:
    columns = [] if assets is None else [c for c in assets.columns if not is_grouping(assets[c])]
    for title in columns:
        if key(title) == key(text):
            return [measures.exposure(str(title))]
    raise InputError(
        f"unknown exposure {shorten(text)}",
        fix=labels.suggestion(text, columns, "Use a numeric column of assets."),
    )


def _active(text: str, assets: pd.DataFrame | None, universe: pd.Index) -> list[Measure]:
    return [measures.active(measure) for measure in _measures(text, assets, universe)]


def _asset(text: str, universe: pd.Index) -> list[Measure]:
    found = _position(text, universe)
    if found is None:
        raise InputError(
            f"unknown asset {shorten(text)}",
            fix=labels.suggestion(text, universe, "Use the name of an asset."),
        )
    return [measures.asset(found, str(universe[found]))]


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


def _groupings(assets: pd.DataFrame | None) -> Iterator[tuple[str, pd.Series]]:
    """Text columns, longest title first, so that 'Sub sector' is found before 'Sub'."""
    if assets is not None:
        titles = [c for c in assets.columns if is_grouping(assets[c])]
        for title in sorted(titles, key=lambda t: -len(str(t))):
            yield str(title), assets[title]


def _position(text: str, universe: pd.Index) -> int | None:
    for position, label in enumerate(universe):
        if key(label) == key(text):
            return position
    return None


def _vocabulary(assets: pd.DataFrame | None, universe: pd.Index) -> list[str]:
    groups = [f"{title} {label}" for title, group in _groupings(assets)
              for label in dict.fromkeys(group) if key(label)]
    return [*WORDS, "each asset", "each active asset", *groups, *map(str, universe)]
