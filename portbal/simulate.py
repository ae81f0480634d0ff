"""Wealth in years to come, by simulation."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np
import pandas as pd

from portbal import choices, labels, matrices, periods, tables
from portbal.choices import Amount
from portbal.errors import InputError, NotAvailable
from portbal.losses.laws import still
from portbal.result import Noted

MONTHS = 12
PERCENTILES = (5, 25, 50, 75, 95)
_MOST_DRAWS = 300_000_000
_MOST_YEARS = 100
_MOST_PATHS = 1_000_000
_DISTRIBUTIONS = {
    "normal": "normal", "student": "student", "bootstrap": "bootstrap",
    "block bootstrap": "bootstrap",
}
_AMOUNTS = {"freedom": Amount(5.0, 2.1, 1000.0), "block": Amount(0.0, 1.0, 10_000.0, True)}


def wealth(
    mu: pd.Series,
    cov: pd.DataFrame,
    weights: pd.Series,
    years: int,
    paths: int = 10_000,
    distribution: str = "normal",
    seed: int = 1,
    *,
    returns: pd.DataFrame | None = None,
    periods_a_year: float | None = None,
    options: Mapping[str, object] | None = None,
) -> Noted[pd.DataFrame]:
    """Percentiles of wealth from 1 at the end of each year, and the chance of a loss.

    mu, cov  a year; weights of any sum, kept by trading every period: what is not invested earns
             nothing
    normal   a month is normal with mean mu'w / 12 and variance w'Sigma w / 12
    student  the same mean and variance, Student with the option freedom (5) degrees of freedom
    bootstrap  or block bootstrap: blocks of the portfolio's own ``returns``, drawn with
             replacement and joined end to start (Politis and Romano 1992); the option block is
             their length, by default a year's periods or a tenth of the history where that is
             less. The history gives the shape; its mean and deviation are moved to those of mu
             and cov
    seed     the same seed gives the same paths

    Returns columns Year, P5, P25, P50, P75, P95, Chance of loss (of wealth below 1 at the end of
    the year). A path that loses everything stays at 0, noted. Months compound, so that the mean
    after a year is (1 + mu'w / 12)^12. A note gives the error of the simulated chance.

    InputError for different names in mu and cov, for years from 1 to 100, paths from 100 to a
    million and a seed from 0; NotAvailable for a bootstrap without returns.
    """
    draw_by = choices.one_of(distribution, _DISTRIBUTIONS, argument="distribution")
    for value, low, high, argument in (
        (years, 1, _MOST_YEARS, "years"), (paths, 100, _MOST_PATHS, "paths"),
        (seed, 0, 2**31, "seed"),
    ):
        if not low <= value <= high or value != int(value):
            raise InputError(
                f"it is {value:g}", fix=f"Use a whole number from {low} to {high}.",
                argument=argument,
            )
    known = {"normal": (), "student": ("freedom",), "bootstrap": ("block",)}[draw_by]
    chosen = choices.settings(options, {}, {name: _AMOUNTS[name] for name in known}).amounts
    mean, deviation = _moments(mu, cov, weights)
    rng = np.random.default_rng(int(seed))
    if draw_by == "bootstrap":
        if returns is None:
            raise NotAvailable(
                "a bootstrap draws from returns, and there are none",
                fix="Give returns, or use normal or student.", argument="returns",
            )
        a_year = periods.per_year(returns.index, periods_a_year)
        history, block = _history(returns, weights, a_year, mean, deviation, chosen["block"])
        steps = max(round(a_year), 1)
    else:
        steps = MONTHS
    if steps * int(years) * int(paths) > _MOST_DRAWS:
        raise InputError(
            f"{paths} paths over {years} years are too many to simulate",
            fix="Ask for fewer paths or years.", argument="paths",
        )
    left = np.ones(int(paths))
    rows, ruined = [], 0
    where = np.zeros((int(paths), 2), dtype=int)
    for year in range(1, int(years) + 1):
        for _ in range(steps):
            if draw_by == "bootstrap":
                moves = _blocks(rng, history, block, where)
            else:
                moves = mean / MONTHS + deviation / sqrt(MONTHS) * _unit(
                    rng, int(paths), chosen.get("freedom"))
            left *= np.maximum(1 + moves, 0.0)
        rows.append((year, *np.percentile(left, PERCENTILES), float((left < 1).mean())))
        ruined = int((left == 0).sum())
    chance = rows[-1][-1]
    notes = [
        f"{int(paths)} paths, seed {int(seed)}: the standard error of a chance of {chance:.3g} is "
        f"{sqrt(chance * (1 - chance) / paths):.2g}.",
    ]
    if ruined:
        notes.append(f"{ruined} paths lost everything.")
    columns = ["Year", *(f"P{p}" for p in PERCENTILES), "Chance of loss"]
    return Noted(pd.DataFrame(rows, columns=columns), notes=tuple(notes))


def _moments(mu: pd.Series, cov: pd.DataFrame, weights: pd.Series) -> tuple[float, float]:
    """Mean and volatility of the portfolio, a year."""
    expected = tables.vector(mu, argument="mu")
    square = labels.same_square(cov, mu.index, argument="cov", reference="mu")
    _, sigma = matrices.covariance(square)
    tables.vector(weights, argument="weights")
    w = labels.filled(weights, mu.index, argument="weights", reference="mu").to_numpy()
    return float(w @ expected), sqrt(float(matrices.variances(w[None, :], sigma)[0]))


def _unit(rng: np.random.Generator, count: int, freedom: float | None) -> np.ndarray:
    """Draws with mean 0 and variance 1."""
    if freedom is None:
        return rng.standard_normal(count)
    return rng.standard_t(freedom, count) * sqrt((freedom - 2) / freedom)


def _history(
    returns: pd.DataFrame, weights: pd.Series, a_year: float, mean: float, deviation: float,
    wanted: float,
) -> tuple[np.ndarray, int]:
    """The portfolio's past returns with the mean and deviation asked for, and the block length."""
    values = tables.complete(returns, argument="returns")
    w = labels.filled(weights, returns.columns, argument="weights", reference="returns").to_numpy()
    past = values @ w
    spread = float(past.std())
    if still(past):
        raise InputError(
            "the portfolio's past return never changes, and has no shape to draw from",
            fix="Use normal or student.", argument="returns",
        )
    scaled = mean / a_year + (past - past.mean()) * (deviation / sqrt(a_year) / spread)
    block = int(wanted) or max(min(round(a_year), len(past) // 10), 1)
    if block > len(past):
        raise InputError(
            f"a block of {block} periods is longer than the {len(past)} returns",
            fix="Use a shorter block.", argument="options", row="block",
        )
    return scaled, block


def _blocks(
    rng: np.random.Generator, history: np.ndarray, block: int, where: np.ndarray
) -> np.ndarray:
    """The next return of every path; where (paths, 2) holds its place and what is left of its
    block, and is moved on. Blocks run on from the end of the history to its start."""
    if where[0, 1] == 0:
        where[:, 0] = rng.integers(0, len(history), len(where))
        where[:, 1] = block
    moves = history[where[:, 0]]
    where[:, 0] = (where[:, 0] + 1) % len(history)
    where[:, 1] -= 1
    return moves
