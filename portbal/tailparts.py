"""Which asset the bad outcomes come from: VaR and CVaR shared out, and without a position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from portbal import choices, labels, tables, tail
from portbal import groups as grouping
from portbal.errors import InputError
from portbal.losses.laws import (
    Moments,
    Tail,
    cornish_fisher,
    density,
    expansion,
    quantile_places,
    share_of,
    still,
    worst,
)
from portbal.result import Noted

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Parts:
    """var, cvar: what each asset adds, shape (n,); they sum to VaR and CVaR of the portfolio."""

    var: np.ndarray
    cvar: np.ndarray
    notes: tuple[str, ...] = ()


def _historical(moves: np.ndarray, total: np.ndarray, level: float) -> Parts:
    """From what each asset (T, n) and all together (T,) earned in each period.

    The CVaR part is the mean over the periods of the tail, with the weights that the portfolio's
    CVaR gives them (Tasche 2002, Journal of Banking and Finance 26). VaR lies between two periods
    and its part is theirs, so that it rests on two observations; the sampling error of the CVaR
    parts is that of a tail mean (Manistre and Hancock 2005), by the slope of the part on the
    portfolio.
    """
    order = np.argsort(total, kind="stable")
    share, count = share_of(level), len(total)
    k, following = worst(total, share)
    m = share * count
    tail_sum = moves[order[:k]].sum(axis=0)
    if k < count:
        tail_sum = tail_sum + following * moves[order[k]]
    first, second, part = quantile_places(count, share)
    at = moves[order[first]] + part * (moves[order[second]] - moves[order[first]])
    found = Parts(0.0 - at, 0.0 - tail_sum / m)
    if k < 2:
        return Parts(found.var, found.cvar, (
            f"The tail has {max(k, 1)} of {count} periods, too few to tell a sampling error.",))
    centred = total - total.mean()
    slopes = moves.T @ centred / max(float(centred @ centred), np.finfo(float).tiny)
    gap = found.cvar.sum() - found.var.sum()
    errors = np.sqrt((moves[order[:k]].var(axis=0, ddof=1) + (1 - share) * (slopes * gap) ** 2) / m)
    return Parts(found.var, found.cvar, (
        f"The tail has {m:.4g} of {count} periods; the standard error of a CVaR part is "
        f"{float(np.median(errors)):.2g} in the middle and {float(errors.max()):.2g} at most. A "
        "VaR part rests on two periods.",
    ))


def _elliptical(tail_of: Tail, moves: np.ndarray, total: np.ndarray) -> Parts:
    """Each asset's expected loss when the portfolio loses so much, by its slope on the
    portfolio: exact where returns are jointly normal or Student (Roncalli 2013, 2.2)."""
    means = moves.mean(axis=0)
    centred = total - total.mean()
    slopes = moves.T @ centred / float(centred @ centred)
    mean = float(means.sum())
    return Parts(
        slopes * (tail_of.var + mean) - means, slopes * (tail_of.cvar + mean) - means,
        tail_of.notes,
    )


def _normal(moves: np.ndarray, total: np.ndarray, level: float) -> Parts:
    return _elliptical(tail.question("normal")(total)(level), moves, total)


def _student(moves: np.ndarray, total: np.ndarray, level: float) -> Parts:
    return _elliptical(tail.question("student")(total)(level), moves, total)


def _cornish_fisher(moves: np.ndarray, total: np.ndarray, level: float) -> Parts:
    """The derivatives of modified VaR and CVaR by the weights (Boudt, Peterson and Croux 2008,
    section 3), through the derivatives of the portfolio's moments."""
    means = moves.mean(axis=0)
    centred = moves - means
    moments = Moments.population(total)
    plain = cornish_fisher(moments, level)
    deviation, s, k = moments.deviation, moments.skewness, moments.excess_kurtosis
    z = (total - moments.mean) / deviation
    count = len(total)
    by_deviation = centred.T @ z / count
    by_skewness = 3 * (centred.T @ (z * z) / count - s * by_deviation) / deviation
    by_kurtosis = 4 * (centred.T @ z**3 / count - (k + 3) * by_deviation) / deviation
    q = -_NORMAL.inv_cdf(level)
    h = expansion(q, s, k)
    h_s = (q**2 - 1) / 6 - (2 * q**3 - 5 * q) * s / 18
    h_k = (q**3 - 3 * q) / 24
    var = -means - h * by_deviation - deviation * (h_s * by_skewness + h_k * by_kurtosis)
    expected = -(plain.cvar + moments.mean) / deviation
    if expected >= h:
        return Parts(var, var.copy(), plain.notes)
    height = density(h) / (1 - level)
    e_h = h * height * (
        1 + h**3 * s / 6 + (h**4 - 2 * h**2 - 1) * k / 24
        + (h**6 - 9 * h**4 + 9 * h**2 + 3) * s**2 / 72
    ) - height * (
        h**2 * s / 2 + (4 * h**3 - 4 * h) * k / 24 + (6 * h**5 - 36 * h**3 + 18 * h) * s**2 / 72
    )
    e_s = e_h * h_s - height * (h**3 / 6 + (h**6 - 9 * h**4 + 9 * h**2 + 3) * s / 36)
    e_k = e_h * h_k - height * (h**4 - 2 * h**2 - 1) / 24
    cvar = -means - expected * by_deviation - deviation * (e_s * by_skewness + e_k * by_kurtosis)
    return Parts(var, cvar, plain.notes)


_METHODS: Mapping[str, tuple[Callable[[np.ndarray, np.ndarray, float], Parts], int]] = {
    "historical": (_historical, 1),
    "normal": (_normal, 2),
    "cornish-fisher": (_cornish_fisher, 4),
    "student": (_student, 10),
}


def contributions(
    returns: pd.DataFrame,
    weights: pd.Series,
    level: float = 0.95,
    method: str = "historical",
    groups: pd.Series | None = None,
) -> Noted[pd.DataFrame]:
    """How VaR and CVaR of one period come about (Euler's allocation).

    method   historical, normal, cornish-fisher or student
    groups   asset -> group for every asset: then one row a group, of its assets' sums
    returns  columns Asset (or Group), Weight, VaR part, CVaR part, Share; the parts sum to VaR
             and CVaR as `tail.var` and `tail.cvar` have them, Share is of CVaR

    InputError for unknown names and methods, for too few returns, for a portfolio whose return
    never changes under a method that fits moments, and when the CVaR is 0.
    """
    tail.checked_level(level)
    run, needs = choices.one_of(method, _METHODS, argument="method")
    names, w, moves, total = _moves(returns, weights)
    if len(moves) < needs:
        raise InputError(
            f"there are {len(moves)} returns, and {method} needs at least {needs}",
            fix="Give more rows.", argument="returns",
        )
    if run is not _historical and still(total, beside=float(np.abs(moves).max())):
        raise InputError(
            "the portfolio's return never changes, and there is no risk to share out",
            fix="Give weights to assets whose returns change.", argument="weights",
        )
    parts = run(moves, total, level)
    by = grouping.singly(names) if groups is None else grouping.of(names, groups)
    whole = float(parts.cvar.sum())
    if abs(whole) <= 1e-15 * float(np.abs(parts.cvar).sum()) or whole == 0:
        raise InputError(
            "the CVaR is 0, and there is nothing to share out",
            fix="Give weights to assets whose returns change.", argument="weights",
        )
    cvar = by.sums(parts.cvar)
    frame = pd.DataFrame({
        "Asset" if groups is None else "Group": by.titles, "Weight": by.sums(w),
        "VaR part": by.sums(parts.var), "CVaR part": cvar, "Share": cvar / whole,
    })
    return Noted(frame, notes=parts.notes)


def incremental(
    returns: pd.DataFrame,
    weights: pd.Series,
    level: float = 0.95,
    method: str = "historical",
    groups: pd.Series | None = None,
) -> Noted[pd.DataFrame]:
    """What each asset, or group, adds to VaR and CVaR by being there at all.

    Alone is the CVaR of its position by itself; VaR added and CVaR added are what the portfolio's
    figures have more than those of the portfolio in which the position is cash. Any method of
    `tail.var`, one period. Columns Asset (or Group), Weight, Alone, VaR added, CVaR added.
    """
    tail.checked_level(level)
    ask = tail.question(method)
    names, w, moves, total = _moves(returns, weights)
    by = grouping.singly(names) if groups is None else grouping.of(names, groups)
    whole = ask(total)(level)
    rows = []
    for title, mask, held in zip(by.titles, by.masks(), by.sums(w), strict=True):
        own = moves[:, mask].sum(axis=1)
        rest = ask(moves[:, ~mask].sum(axis=1))(level) if not mask.all() else Tail(0.0, 0.0)
        rows.append((title, held, ask(own)(level).cvar, whole.var - rest.var,
                     whole.cvar - rest.cvar))
    first = "Asset" if groups is None else "Group"
    frame = pd.DataFrame(rows, columns=[first, "Weight", "Alone", "VaR added", "CVaR added"])
    return Noted(frame, notes=whole.notes)


def _moves(
    returns: pd.DataFrame, weights: pd.Series
) -> tuple[pd.Index, np.ndarray, np.ndarray, np.ndarray]:
    """Names (those of weights first), weights (n,), weight times return (T, n), and the returns
    of the portfolio (T,)."""
    tables.vector(weights, argument="weights")
    total = tail.portfolio(returns, weights)
    names = labels.union(weights.index, returns.columns)
    order = labels.matching(names, returns.columns, argument="returns", reference="weights")
    w = labels.filled(weights, names, argument="weights", reference="returns").to_numpy()
    return names, w, returns.to_numpy(dtype=float)[:, order] * w, total
