"""What protects a position: stops, targets, and the chances that a price reaches them.

Covariances and expected returns are a year of 252 trading days. A position with a negative
quantity is short: its stop lies above the price, its target below.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import pandas as pd

from portbal import barriers, choices, labels, matrices, tables, ticks
from portbal import groups as grouping
from portbal.errors import ConflictError, InputError
from portbal.losses.laws import Moments, normal
from portbal.orders import open_account
from portbal.result import Noted

YEAR = 252


@dataclass(frozen=True)
class _Positions:
    """The positions behind holdings, those of quantity 0 and cash left out.

    rows, at (n,): their places in holdings and in cov; side (n,): 1 long, -1 short; weight (n,):
    the absolute value as a fraction of net assets; sigma (n, n): covariance a year.
    """

    names: pd.Index
    rows: np.ndarray
    at: np.ndarray
    side: np.ndarray
    price: np.ndarray
    weight: np.ndarray
    sigma: np.ndarray

    @classmethod
    def of(cls, holdings: pd.DataFrame, cov: pd.DataFrame) -> _Positions:
        """InputError for what `open_account` and `matrices.covariance` refuse, and for an asset
        that cov lacks."""
        account = open_account(holdings, pd.Index([], dtype=object), 0.0, None)
        index, sigma = matrices.covariance(cov)
        known = labels.positions(index, argument="cov")
        for label in account.names:
            if labels.key(label) not in known:
                raise InputError(
                    f"{labels.shorten(label)} is not in cov", argument="holdings", row=label,
                    fix=labels.suggestion(label, index, "Add it to cov, or remove it here."))
        at = np.array([known[name] for name in labels.keys(account.names)], dtype=int)
        held = np.flatnonzero(account.quantity)
        rows = np.flatnonzero(~labels.is_cash(holdings.index))[held]
        return cls(
            account.names[held], rows, at[held], np.sign(account.quantity[held]),
            account.price[held], np.abs(account.weights[held]), sigma[np.ix_(at[held], at[held])],
        )

    @property
    def deviation(self) -> np.ndarray:
        """Volatility a year (n,)."""
        return np.sqrt(np.diag(self.sigma))

    def spread(self, values: np.ndarray, count: int, other: float = np.nan) -> np.ndarray:
        """One number a position, as one number a row of holdings."""
        result = np.full(count, other)
        result[self.rows] = values
        return result


# --- stops -----------------------------------------------------------------------------------

def stop_loss(
    holdings: pd.DataFrame, cov: pd.DataFrame, method: str = "volatility", days: float = 21.0,
    k: float = 2.0, level: float = 0.95, budget: float | pd.Series | None = None,
    groups: pd.Series | None = None, tick: float | pd.Series | None = None, gap: float = 0.0,
) -> Noted[pd.DataFrame]:
    """Columns Asset, Price, Stop, Distance, Loss if hit, Share of budget; a row each of holdings.

    holdings  index assets; columns Quantity, Price; a row Cash (price 1) is cash
    cov       covariance a year with every asset of holdings
    method    volatility: Distance = k sigma sqrt(days/252); var: z sigma sqrt(days/252) with z
              the normal quantile at level; cvar: phi(z) / (1 - level) in its place (`laws.normal`
              with a mean of 0)
    budget    what all stops together may lose, a fraction of net assets, cash included. All
              distances are scaled by one factor so that the losses add up to it. Or one budget
              a group (an asset, without groups): then each is scaled to its own
    groups    asset -> group: the budget is shared equally over the groups that have positions,
              and each group has one factor, so that its losses add up to its part
    tick      what prices move by, one number or one an asset: stops are rounded towards the
              price, so that no loss grows
    gap       how much worse than its stop an order may be filled, a fraction of the stop; losses
              include it

    Distance is a fraction of the price; the stop of a long position is price times 1 - Distance,
    of a short one price times 1 + Distance. Loss if hit is a positive fraction of net assets,
    and Share of budget its share of the budget, without one of all losses. Cash and a quantity of
    0 have no stop (NaN) and lose nothing. Losses add up as if all stops were hit, so that their
    sum needs no correlation; a note says what they would be together by the correlations of cov.

    InputError for an argument out of bounds, for an asset that cov lacks, and for a tick that
    leaves no stop beside the price; ConflictError for a stop of a long position that is not above
    0, and for a budget that no distance can spend.
    """
    _above_zero(days, "days")
    _above_zero(k, "k")
    if not 0 < level < 1:
        raise InputError(f"the level is {level:g}", fix="Give one between 0 and 1, such as 0.95.",
                         argument="level")
    if not 0 <= gap < 1:
        raise InputError(f"the gap is {gap:g}", fix="Give a fraction from 0 to below 1.",
                         argument="gap")
    tail = normal(Moments(0.0, 1.0), level)
    width = choices.one_of(
        method, {"volatility": k, "var": tail.var, "cvar": tail.cvar}, argument="method")
    if width <= 0:
        raise InputError(f"at the level {level:g} the VaR is no loss",
                         fix="Give a level above 0.5, such as 0.95.", argument="level")
    held = _Positions.of(holdings, cov)
    spending = None if budget is None else _Budget.of(budget, groups, held.names)
    natural = width * sqrt(days / YEAR) * held.deviation
    per_distance, beyond = held.weight * (1 - held.side * gap), held.weight * gap
    distance = natural if spending is None else natural * spending.factors(
        per_distance * natural, beyond)
    _refuse_below_zero(held, distance, "cov" if spending is None else "budget")
    stop = held.price * (1 - held.side * distance)
    if tick is not None:
        stop = ticks.towards(held.price, stop, tick, held.names)
        distance = np.abs(1 - stop / held.price)
    loss = per_distance * distance + beyond
    total = float(loss.sum())
    allowed = total if spending is None else spending.total
    count = len(holdings)
    table = pd.DataFrame({
        "Asset": list(holdings.index), "Price": holdings["Price"].to_numpy(dtype=float),
        "Stop": held.spread(stop, count), "Distance": held.spread(distance, count),
        "Loss if hit": held.spread(loss, count, 0.0),
        "Share of budget": held.spread(loss / allowed if allowed else loss, count, 0.0),
    })
    notes = [_allowance(held, loss, gap)]
    still = [labels.shorten(name) for name in held.names[distance == 0]]
    if still:
        notes.append(f"The stop of {still[0]} is its price, as it has no volatility.")
    if budget is None and groups is not None:
        notes.append("Without a budget, groups change nothing.")
    return Noted(table, notes=tuple(notes))


@dataclass(frozen=True)
class _Budget:
    """groups: the positions that share a budget; parts: the budget of each, a fraction of net
    assets."""

    groups: grouping.Groups
    parts: np.ndarray

    @property
    def total(self) -> float:
        return float(self.parts.sum())

    @classmethod
    def of(
        cls, budget: float | pd.Series, groups: pd.Series | None, names: pd.Index
    ) -> _Budget:
        if not len(names):
            raise InputError("it has no position, and a budget is there to be lost by one",
                             fix="Leave the budget out.", argument="holdings")
        if isinstance(budget, pd.Series):
            by = grouping.singly(names) if groups is None else grouping.of(names, groups)
            given = labels.same(
                budget, pd.Index(by.titles, dtype=object), argument="budget",
                reference="the positions" if groups is None else "the groups of positions")
            for label, part in given.items():
                if not part > 0:
                    raise InputError(f"the budget of {labels.shorten(label)} is {part:g}",
                                     fix="Give a fraction of net assets above 0.",
                                     argument="budget", row=label)
            parts, total = given.to_numpy(), float(given.sum())
        else:
            by = (grouping.Groups(["all"], np.zeros(len(names), dtype=int)) if groups is None
                  else grouping.of(names, groups))
            total = float(budget)
            parts = np.full(len(by.titles), total / len(by.titles))
        if not 0 < total < 1:
            raise InputError(f"the budget is {total:g}", argument="budget",
                             fix="Give a fraction of net assets between 0 and 1, such as 0.02.")
        return cls(by, parts)

    def factors(self, by_distance: np.ndarray, beyond: np.ndarray) -> np.ndarray:
        """What each position's distance is multiplied by (n,): by_distance (n,) are its losses at
        a factor of 1, beyond (n,) those that no distance changes."""
        moving, fixed = self.groups.sums(by_distance), self.groups.sums(beyond)
        for title, part, scaled, rest in zip(
            self.groups.titles, self.parts, moving, fixed, strict=True
        ):
            whose = "" if len(self.parts) == 1 else f" of {labels.shorten(title)}"
            if scaled == 0:
                raise ConflictError(f"the positions{whose} have no volatility, and no distance "
                                    "can be scaled", fix="Leave the budget out.",
                                    argument="budget")
            if not rest < part:
                raise ConflictError(
                    f"the gap alone loses {rest:.2%} of net assets{whose}, and the budget is "
                    f"{part:.2%}", fix="Raise the budget, or lower the gap.", argument="budget")
        return ((self.parts - fixed) / moving)[self.groups.member]


def _refuse_below_zero(held: _Positions, distance: np.ndarray, argument: str) -> None:
    """A long position's stop has to be a price."""
    beyond = np.flatnonzero((held.side > 0) & ~(distance < 1))
    if len(beyond):
        label = held.names[beyond[0]]
        fix = ("Lower the budget: the stops cannot lose so much." if argument == "budget"
               else "Lower k, the level or days, or correct cov.")
        raise ConflictError(
            f"a stop {distance[beyond[0]]:.1%} below the price of {labels.shorten(label)} is not "
            "above 0", fix=fix, argument=argument,
            row=label if argument == "cov" else None)


def _allowance(held: _Positions, loss: np.ndarray, gap: float) -> str:
    """What the sum of losses allows for correlation and for gaps, in words."""
    unit = np.divide(held.side * loss, held.deviation, out=np.zeros(len(loss)),
                     where=held.deviation > 0)
    together = sqrt(float(matrices.variances(unit[None, :], held.sigma)[0])) if len(loss) else 0.0
    total = float(loss.sum())
    gaps = (f"A fill {gap:.2%} beyond the stop is included." if gap
            else "Fills beyond the stop (gaps) are not included.")
    return (f"If all stops are hit, {total:.2%} of net assets are lost; by the correlations of cov "
            f"it would be {together:.2%}, and the rest is the allowance for correlation. {gaps}")


# --- targets ---------------------------------------------------------------------------------

def take_profit(
    holdings: pd.DataFrame, mu: pd.Series, cov: pd.DataFrame, days: float = 252.0,
    stops: pd.Series | None = None, tick: float | pd.Series | None = None,
) -> Noted[pd.DataFrame]:
    """Columns Asset, Price, Target, Gain, Chance of target, Chance of stop first; a row each of
    holdings.

    holdings  index assets; columns Quantity, Price; a row Cash (price 1) is cash
    mu        expected returns a year, of the same assets as cov
    stops     asset -> the price of its stop; an asset that it lacks, or NaN, has none
    tick      what prices move by, one number or one an asset: targets are rounded towards the
              price

    Target is price times exp(mu days/252). Gain is what reaching it adds, a fraction of the price,
    negative where mu is against the position (a note says so). The price follows a geometric
    Brownian path with arithmetic drift mu and the volatility of cov, watched at all times. Chance
    of target is the chance that it touches the target within the days and not the stop before;
    Chance of stop first that it touches the stop within the days and not the target before
    (`barriers.first_touch`). Without a stop they are the chance to touch the target at all
    (`touch_probability`), and 0. A stop that the price has already reached is first with chance 1.
    Cash and a quantity of 0 have no target (NaN).

    InputError for days that are not above 0, for an asset that mu lacks, for mu and cov of
    different assets, for an unknown asset or a price that is not above 0 in stops, and for a tick
    that leaves no target beside the price.
    """
    _above_zero(days, "days")
    tables.vector(mu, argument="mu")
    square = labels.same_square(cov, mu.index, argument="cov", reference="mu")
    held = _Positions.of(holdings, square)
    rate = mu.to_numpy(dtype=float)[held.at]
    growth = rate * days / YEAR
    with np.errstate(over="ignore"):
        target = held.price * np.exp(growth)
    for label, price in zip(held.names, target, strict=True):
        if not 0 < price < np.inf:
            raise InputError(
                f"the expected return of {labels.shorten(label)} takes its price to {price:g}",
                fix="Give fractions a year, and fewer days.", argument="mu", row=label)
    distance = growth
    if tick is not None:
        target = ticks.towards(held.price, target, tick, held.names)
        distance = np.log(target / held.price)
    stop = _stops(stops, holdings.index, held)
    drift = (rate - np.diag(held.sigma) / 2) * days / YEAR
    chances = [
        _chances(*each) for each in zip(
            held.side.tolist(), held.price.tolist(), stop.tolist(), distance.tolist(),
            drift.tolist(), (held.deviation * sqrt(days / YEAR)).tolist(), strict=True)]
    reached, stopped = np.array(chances).reshape(-1, 2).T
    count = len(holdings)
    table = pd.DataFrame({
        "Asset": list(holdings.index), "Price": holdings["Price"].to_numpy(dtype=float),
        "Target": held.spread(target, count),
        "Gain": held.spread(held.side * (target / held.price - 1), count),
        "Chance of target": held.spread(reached, count),
        "Chance of stop first": held.spread(stopped, count),
    })
    return Noted(table, notes=_remarks(held, target, stop, given=stops is not None))


def touch_probability(
    price: float, level: float, mu: float, volatility: float, days: float = 21.0
) -> float:
    """The chance that a price touches a level within so many trading days.

    The price follows a geometric Brownian path with arithmetic drift mu and this volatility, both
    a year of 252 days, so that its logarithm has the drift mu - volatility^2 / 2; it is watched
    at all times (`barriers.touch`). 1 where level is price; without volatility the price goes
    straight to price times exp(mu days/252), and 1 where the level lies on its way.

    InputError when price, level or days are not above 0, or the volatility is negative.
    """
    _above_zero(price, "price")
    _above_zero(level, "level")
    _above_zero(days, "days")
    if not volatility >= 0:
        raise InputError(f"the volatility is {volatility:g}", argument="volatility",
                         fix="Give a fraction of at least 0, such as 0.2.")
    distance = 0.0 if level == price else log(level) - log(price)
    years = days / YEAR
    return barriers.touch(
        distance, (mu - volatility * volatility / 2) * years, volatility * sqrt(years))


def _chances(
    side: float, price: float, stop: float, distance: float, drift: float, deviation: float
) -> tuple[float, float]:
    """That the target is first, that the stop is; stop NaN for none."""
    if np.isnan(stop):
        return barriers.touch(distance, drift, deviation), 0.0
    away = 0.0 if side * (stop - price) >= 0 else log(stop) - log(price)
    return barriers.first_touch(distance, away, drift, deviation)


def _stops(stops: pd.Series | None, names: pd.Index, held: _Positions) -> np.ndarray:
    """The stop of each position (n,), NaN for none."""
    if stops is None:
        return np.full(len(held.names), np.nan)
    for label, stop in stops.items():
        if stop <= 0:
            raise InputError(f"the stop of {labels.shorten(label)} is {stop:g}",
                             fix="Give a price above 0.", argument="stops", row=label)
    return labels.filled(stops, names, argument="stops", reference="holdings",
                         fill=np.nan).to_numpy()[held.rows]


def _remarks(
    held: _Positions, target: np.ndarray, stop: np.ndarray, *, given: bool
) -> tuple[str, ...]:
    against = held.names[held.side * (target - held.price) <= 0]
    reached = held.names[held.side * (stop - held.price) >= 0]
    without = held.names[np.isnan(stop)] if given else []
    return tuple(
        f"{words} {', '.join(map(labels.shorten, found[:3]))}{' ...' if len(found) > 3 else ''}."
        for words, found in (
            ("The expected return is against the position, and the target no gain, of", against),
            ("The price has already reached the stop of", reached),
            ("There is no stop for", without),
        ) if len(found)
    )


def _above_zero(value: float, argument: str) -> None:
    if not value > 0:
        raise InputError(f"{argument} is {value:g}", fix="Give a number above 0.",
                         argument=argument)
