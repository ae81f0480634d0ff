"""What a portfolio loses under given moves, and the move that loses a given amount."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from portbal import labels, matrices, tables
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.labels import key, shorten
from portbal.periods import TRADING_DAYS
from portbal.result import Noted

# how particular a row of shocks is: the highest that names an asset decides
_ALL, _FACTOR, _GROUP, _ASSET = range(4)
_SAME = 1e-12


@dataclass(frozen=True)
class _Rule:
    """A row of the shocks table: whom it moves (n,), and by how much each (n,)."""

    row: int
    where: str
    rank: int
    covers: np.ndarray
    moves: np.ndarray


def losses(
    weights: pd.Series, shocks: pd.DataFrame, assets: pd.DataFrame | None = None
) -> Noted[pd.DataFrame]:
    """What each asset loses under the shocks: columns Asset, Weight, Shock, Loss.

    weights  by asset, any sum
    shocks   columns Where and Shock, the return of what Where names: an asset (or
             ``asset <name>``), a group of assets (``Sector Energy``), a numeric column of assets
             (``Beta`` or ``exposure Beta``; the asset's return is its exposure times the shock,
             and the shocks of several such columns add up), or ``all``
    assets   one row an asset, with the groupings and exposures that Where names

    The most particular row decides: an asset before a group, a smaller group before one that
    contains it, a group before exposures, those before all. What no row names does not move, and
    the asset Cash moves only by its own name or its group's. Loss is minus weight times shock, in
    the order of weights; a note gives their sum.

    InputError for a Where that is not known (with the nearest name) or repeated, a fall by more
    than everything, and an exposure that is missing; ConflictError for two groups that overlap
    and disagree about an asset.
    """
    tables.vector(weights, argument="weights")
    moves, notes = by_asset(weights.index, shocks, assets)
    w = weights.to_numpy(dtype=float)
    lost = 0.0 - w * moves
    frame = pd.DataFrame({
        "Asset": [str(name) for name in weights.index], "Weight": w, "Shock": moves, "Loss": lost,
    })
    return Noted(frame, notes=(f"The portfolio loses {float(lost.sum()):.4g}.", *notes))


def by_asset(
    names: pd.Index, shocks: pd.DataFrame, assets: pd.DataFrame | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The move of each asset (n,), and who is named by no row. Errors as `losses`."""
    labels.positions(names, argument="weights")
    universe = names if assets is None else labels.union(names, assets.index)
    rules = _rules(universe, shocks, assets)
    size = len(names)
    moves = np.zeros(size)
    unmoved = []
    for at in range(size):
        covering = [rule for rule in rules if rule.covers[at]]
        if covering:
            moves[at] = _decided(covering, at, str(names[at]))
        else:
            unmoved.append(shorten(names[at]))
    if not unmoved:
        return moves, ()
    listed = ", ".join(unmoved[:5]) + (" and others" if len(unmoved) > 5 else "")
    return moves, (f"No row moves {listed}.",)


def _decided(covering: list[_Rule], at: int, name: str) -> float:
    """The move of the asset at this position, by the most particular of these rows."""
    rank = max(rule.rank for rule in covering)
    top = [rule for rule in covering if rule.rank == rank]
    if rank == _FACTOR:
        for rule in top:
            if np.isnan(rule.moves[at]):
                raise InputError(
                    f"{shorten(name)} has no {rule.where}",
                    fix="Fill in the column, or give the asset a shock of its own.",
                    argument="assets", row=name, column=rule.where,
                )
        return sum(float(rule.moves[at]) for rule in top)
    least = min(top, key=lambda rule: int(rule.covers.sum()))
    for rule in top:
        contains = not (least.covers & ~rule.covers).any() and (
            int(rule.covers.sum()) > int(least.covers.sum()))
        if not contains and abs(rule.moves[at] - least.moves[at]) > _SAME:
            raise ConflictError(
                f"{shorten(rule.where)} and {shorten(least.where)} both move {shorten(name)}, "
                "and neither is the more particular",
                fix="Give the asset a row of its own.", argument="shocks", row=rule.row,
            )
    return float(least.moves[at])


def _rules(
    universe: pd.Index, shocks: pd.DataFrame, assets: pd.DataFrame | None
) -> list[_Rule]:
    rules: list[_Rule] = []
    seen: dict[str, int] = {}
    for row, where, shock in zip(
        shocks.index, shocks["Where"], shocks["Shock"].to_numpy(dtype=float), strict=True
    ):
        text = " ".join(str(where).replace("\u00a0", " ").split())
        if key(text) in seen:
            raise InputError(
                f"{shorten(text)} occurs twice", fix="Keep one of them.", argument="shocks",
                row=int(row),
            )
        seen[key(text)] = int(row)
        rule = _rule(int(row), text, float(shock), universe, assets)
        if rule.rank != _FACTOR and shock < -1:
            raise InputError(
                f"a shock of {shock:g} is a fall by more than everything",
                fix="Type -20% or -0.2 for a fall by a fifth.", argument="shocks", row=int(row),
            )
        rules.append(rule)
    return rules


def _rule(
    row: int, text: str, shock: float, universe: pd.Index, assets: pd.DataFrame | None
) -> _Rule:
    """What this Where names; words win over names."""
    same = np.full(len(universe), shock)
    if key(text) == "all":
        return _Rule(row, text, _ALL, ~labels.is_cash(universe), same)
    names = labels.keys(universe)
    groupings, exposures = _columns(assets)
    for title in exposures:
        if key(text) == f"exposure {key(title)}" or (
                key(text) == key(title) and key(text) not in names):
            assert assets is not None
            exposure = _aligned(assets[title], universe)
            covers = ~labels.is_cash(universe) | ~np.isnan(exposure)
            return _Rule(row, title, _FACTOR, covers, exposure * shock)
    for title in groupings:
        if key(text).startswith(key(title) + " "):
            assert assets is not None
            wanted = text[len(title):].strip()
            members = {key(name): key(label) for name, label in assets[title].items()}
            covers = np.array([members.get(name) == key(wanted) for name in names], dtype=bool)
            if not covers.any():
                known = [str(x) for x in dict.fromkeys(assets[title]) if key(x)]
                raise InputError(
                    f"unknown {title} {shorten(wanted)}",
                    fix=labels.suggestion(wanted, known, f"Use one of {', '.join(known[:8])}."),
                    argument="shocks", row=row,
                )
            return _Rule(row, text, _GROUP, covers, same)
    plain = text[len("asset "):].strip() if key(text).startswith("asset ") else text
    covers = np.array([name == key(plain) for name in names], dtype=bool)
    if not covers.any():
        covers = np.array([name == key(text) for name in names], dtype=bool)
    if not covers.any():
        known = ["all", *map(str, universe), *exposures, *(
            f"{title} {label}" for title in groupings if assets is not None
            for label in dict.fromkeys(assets[title]) if key(label))]
        raise InputError(
            f"{shorten(text)} names no asset" + (
                ", and there is no assets table with groups" if assets is None
                else ", group or exposure"),
            fix=labels.suggestion(
                text, known, "Use an asset, all, or a group such as 'Sector Energy' of an assets "
                "table."),
            argument="shocks", row=row,
        )
    return _Rule(row, text, _ASSET, covers, same)


def _columns(assets: pd.DataFrame | None) -> tuple[list[str], list[str]]:
    """Titles of the groupings (longest first) and of the exposures of an assets table."""
    if assets is None:
        return [], []
    numeric = [str(c) for c in assets if pd.api.types.is_numeric_dtype(assets[c])]
    texts = [str(c) for c in assets if str(c) not in numeric]
    return sorted(texts, key=len, reverse=True), numeric


def _aligned(column: pd.Series, universe: pd.Index) -> np.ndarray:
    at = {key(name): float(value) for name, value in column.items()}
    return np.array([at.get(name, np.nan) for name in labels.keys(universe)])


# --- the move that loses so much ---------------------------------------------------------------

def reverse(
    weights: pd.Series, cov: pd.DataFrame, loss: float, days: float = TRADING_DAYS
) -> Noted[pd.DataFrame]:
    """The most likely move of all assets that loses so much: columns Asset, Shock, Distance.

    Of the moves with w'x = -loss the one with the least x' Sigma^-1 x, which is
    x = -loss Sigma w / (w' Sigma w) (Breuer, Jandacka, Rheinberger and Summer 2009, International
    Journal of Central Banking 5, for elliptical returns). Distance, the same in every row, is the
    square root of that least value: loss over the volatility, the number of deviations.

    cov      a year; days: how long the move takes, of 252 a year
    loss     a positive fraction

    Assets in the order of weights, then the rest of cov. InputError for a loss that is not
    positive and for a portfolio without volatility.
    """
    if not loss > 0:
        raise InputError(
            f"a loss of {loss:g} is none", fix="Give a positive fraction such as 20%.",
            argument="loss",
        )
    if not days > 0:
        raise InputError(
            f"{days:g} days are not possible", fix="Give a positive number.", argument="days"
        )
    names, w, sigma = matrices.held(weights, cov)
    variance = float(matrices.variances(w[None, :], sigma)[0])
    if variance == 0:
        raise NotAvailable(
            "the portfolio has no volatility, and no move of its assets loses anything",
            fix="Give weights to assets whose covariance is not 0.", argument="weights",
        )
    shock = 0.0 - loss * (sigma @ w) / variance
    distance = loss / (np.sqrt(variance) * np.sqrt(days / TRADING_DAYS))
    chance = NormalDist().cdf(-distance)
    notes = [f"A normal portfolio loses that much in {days:g} days with probability {chance:.2g}."]
    if shock.min() < -1:
        notes.append(f"{shorten(names[int(shock.argmin())])} would fall by more than everything.")
    frame = pd.DataFrame({
        "Asset": [str(name) for name in names], "Shock": shock,
        "Distance": np.full(len(names), distance),
    })
    return Noted(frame, notes=tuple(notes))
