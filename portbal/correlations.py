"""Correlations that move together: what they do in bad periods, and what if they rose."""

from __future__ import annotations

from collections.abc import Callable
from math import exp

import numpy as np
import pandas as pd

from portbal import groups as grouping
from portbal import labels, matrices, tables
from portbal.errors import InputError
from portbal.losses.laws import still
from portbal.result import Noted

STRESSED_SHARE = 0.1
_FEWEST = 3
# of an eigenvalue of a correlation matrix
_SEMIDEFINITE = 1e-12


def shift(returns: pd.DataFrame, share: float = STRESSED_SHARE) -> Noted[pd.DataFrame]:
    """Correlations in calm and in stressed periods: columns Pair, Calm, Stressed, Shift.

    Stressed are the periods with the lowest equal-weighted return, the whole number of them
    that is at most this share (10%); calm are the others. Pairs come in the order of the columns,
    Shift is Stressed less Calm. Periods chosen by their return have other correlations than all
    even when nothing changes (Longin and Solnik 2001, Journal of Finance 56).

    Notes give the effective number of bets, exp of the entropy of the shares of the eigenvalues
    of the correlation matrix (Meucci 2009, Risk 22(5); Roy and Vetterli 2007): n for assets that
    have nothing in common, 1 for assets that always move together.

    InputError for fewer than two assets, fewer than three stressed periods, and for an asset
    that stands still in one of the two.
    """
    values = tables.complete(returns, argument="returns")
    count, n = values.shape
    if n < 2:
        raise InputError(
            "there is one asset, and a correlation takes two", fix="Give more columns.",
            argument="returns",
        )
    if not 0 < share < 1:
        raise InputError(
            f"a share of {share:g} of the periods is not possible",
            fix="Use a fraction such as 0.1.", argument="share",
        )
    worst = int(share * count + 1e-9)
    if min(worst, count - worst) < _FEWEST:
        raise InputError(
            f"{share:.4g} of {count} periods are {worst}, too few to tell correlations from",
            fix="Give more rows.", argument="returns",
        )
    order = np.argsort(values.mean(axis=1), kind="stable")
    stressed = _correlation(values[order[:worst]], returns.columns, "stressed")
    calm = _correlation(values[order[worst:]], returns.columns, "calm")
    first, second = np.triu_indices(n, 1)
    names = [str(label) for label in returns.columns]
    frame = pd.DataFrame({
        "Pair": [f"{names[i]} / {names[j]}" for i, j in zip(first, second, strict=True)],
        "Calm": calm[first, second], "Stressed": stressed[first, second],
        "Shift": stressed[first, second] - calm[first, second],
    })
    return Noted(frame, notes=(
        f"The effective number of bets of {n} assets is {bets(calm):.3g} in {count - worst} calm "
        f"periods and {bets(stressed):.3g} in {worst} stressed ones.",
    ))


def bets(correlation: np.ndarray) -> float:
    """exp of the entropy of the eigenvalues' shares of a correlation matrix (n, n), 1 to n."""
    shares = np.linalg.eigvalsh(correlation) / len(correlation)
    shares = shares[shares > 0]
    return exp(-float(shares @ np.log(shares)))


def stressed(
    cov: pd.DataFrame, correlation: float, strength: float = 1.0, groups: pd.Series | None = None
) -> Noted[pd.DataFrame]:
    """A covariance whose correlations have moved to ``correlation`` by ``strength``.

    Every correlation becomes (1 - strength) times itself plus strength times the value; the
    volatilities stay. A mixture of two correlation matrices is one, so that the answer is positive
    semidefinite for every strength from 0 to 1; n correlations can all be as low as -1/(n - 1).

    groups   asset -> group: then only correlations within a group move, those between groups
             stay where that leaves a correlation matrix. Where it does not, they move towards
             the mean of their pair of groups (less, where a low correlation within groups does
             not leave room for it), no further than needed and at most by the strength, at
             which the matrix is a mixture again; a note says how far

    InputError for a strength outside 0 to 1, a correlation outside -1 to 1, and one that is too
    low for so many assets.
    """
    index, sigma = matrices.covariance(cov)
    for value, low, argument in ((correlation, -1, "correlation"), (strength, 0, "strength")):
        if not low <= value <= 1:
            raise InputError(
                f"it is {value:g}, not from {low} to 1", fix=f"Use a number from {low} to 1.",
                argument=argument,
            )
    deviations = np.sqrt(np.diag(sigma))
    moving = deviations > 0
    scale = np.outer(deviations, deviations)
    now = np.eye(len(index))
    both = np.outer(moving, moving)
    now[both] = (sigma[both] / scale[both])
    np.fill_diagonal(now, 1.0)
    member = np.zeros(len(index), dtype=int)
    if groups is not None:
        member = grouping.of(index, groups).member
    found, note = _moved(now[np.ix_(moving, moving)], member[moving], correlation, strength)
    values = sigma.copy()
    values[np.ix_(moving, moving)] = found * scale[np.ix_(moving, moving)]
    np.fill_diagonal(values, np.diag(sigma))
    return Noted(pd.DataFrame(values, index=index, columns=index), notes=note)


def _moved(
    now: np.ndarray, member: np.ndarray, correlation: float, strength: float
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The correlation matrix (n, n) with those within a group moved, and a note."""
    within = member[:, None] == member
    inner = np.where(within, now + strength * (correlation - now), now)
    np.fill_diagonal(inner, 1.0)
    if not len(now) or _semidefinite(inner):
        return inner, ()
    largest = int(np.bincount(member).max())
    if correlation * (largest - 1) < -1:
        raise InputError(
            f"a correlation of {correlation:g} is too low: {largest} assets cannot all be that far "
            "apart", fix=f"Use {-1 / (largest - 1):.4g} or more, or a smaller strength.",
            argument="correlation",
        )
    goal = _goal(now, member, correlation)
    share = _least(lambda s: _semidefinite(np.where(within, inner, now + s * (goal - now))),
                   strength)
    found = np.where(within, inner, now + share * (goal - now))
    return found, (
        "Correlations between groups cannot all stay as they are; they moved towards the mean of "
        f"their pair of groups by {share:.3g}, at most {np.abs(found - now)[~within].max():.3g}.",
    )


def _goal(now: np.ndarray, member: np.ndarray, correlation: float) -> np.ndarray:
    """A correlation matrix (n, n) with this correlation within groups, and between them the mean
    of the pair of groups, or as large a part of it as there can be beside it."""
    within = member[:, None] == member
    inner = np.where(within, correlation, 0.0)
    np.fill_diagonal(inner, 1.0)
    between = np.where(within, 0.0, _between(now, member))
    less = _least(lambda s: _semidefinite(inner + (1 - s) * between), 1.0)
    return inner + (1 - less) * between


def _least(holds: Callable[[float], bool], most: float) -> float:
    """The least number from 0 to ``most`` from which on ``holds``, which it does at most."""
    if holds(0.0):
        return 0.0
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return min(high * (1 + 1e-9), most)


def _between(now: np.ndarray, member: np.ndarray) -> np.ndarray:
    """The mean correlation of each pair of groups, for every pair of assets (n, n)."""
    numbers, position = np.unique(member, return_inverse=True)
    share = (position == np.arange(len(numbers))[:, None]).astype(float)
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1)
    return (share @ now @ share.T)[np.ix_(position, position)]


def _semidefinite(values: np.ndarray) -> bool:
    return bool(np.linalg.eigvalsh(values)[0] >= -_SEMIDEFINITE * len(values))


def _correlation(values: np.ndarray, names: pd.Index, when: str) -> np.ndarray:
    centred = values - values.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    for label, column in zip(names, values.T, strict=True):
        if still(column):
            raise InputError(
                f"{labels.shorten(label)} stands still in all {when} periods, and has no "
                "correlation", fix="Leave it out, or give more rows.", argument="returns",
                column=label,
            )
    unit = centred / lengths
    result = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(result, 1.0)
    return result
