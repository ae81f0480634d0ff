"""Limits as they hold for portfolios in whole lots."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from portbal import labels
from portbal.account import Account
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.limits.language import Limit, informed, own_bounds, parse
from portbal.limits.measures import DISCRETE, UCITS, Facts, is_grouping, issuer_groups
from portbal.solve.discrete import Issuers
from portbal.solve.expressions import AbsoluteSum, EffectiveNumber, Linear, ShortSum
from portbal.solve.lot_limits import Curve
from portbal.solve.lots import Row

_UNIVERSE = "holdings and target"
_BEYOND = 1.0  # net assets: how much more than its target a short position may weigh


@dataclass(frozen=True)
class Known:
    """What limits may need beside the account: mu and cov a year, returns a period."""

    mu: pd.Series | None = None
    cov: pd.DataFrame | None = None
    returns: pd.DataFrame | None = None
    periods: float | None = None


NOTHING = Known()


@dataclass(frozen=True)
class Rule:
    """One limit on more than one asset: a row, or a curve."""

    limit: Limit
    holds: Row | Curve


@dataclass(frozen=True)
class Rules:
    """lower, upper (n,): what single assets may weigh, infinite where open; smallest: the least
    weight of what is held at all; everything else is a rule, or UCITS 5/10/40 over issuers.
    cash_row: the row of limits that the floor of cash is from."""

    lower: np.ndarray
    upper: np.ndarray
    cash_floor: float
    smallest: float
    rules: tuple[Rule, ...]
    issuers: Issuers | None
    cash_row: int | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(rule.holds for rule in self.rules if isinstance(rule.holds, Row))

    @property
    def curves(self) -> tuple[Curve, ...]:
        return tuple(rule.holds for rule in self.rules if isinstance(rule.holds, Curve))

    @classmethod
    def of(
        cls, limits: pd.DataFrame | None, assets: pd.DataFrame | None, account: Account,
        known: Known = NOTHING,
    ) -> Rules:
        """Weights are fractions of net assets before trading. Current weights and net assets
        are those of the account where assets and limits do not say otherwise; cash has no
        exposure unless assets says so. ``each asset`` speaks of cash only where holdings or
        target name it, and ``each active asset`` also where the benchmark holds it.

        NotAvailable for a limit with a Penalty, and for one that cannot be posed.
        """
        n = len(account.names)
        facts = _facts(limits, assets, account, known)
        lower, upper = np.full(n, -math.inf), np.full(n, math.inf)
        floors: list[tuple[float, int]] = []  # of cash; each asset speaks of it, too
        smallest = 0.0
        rules: list[Rule] = []
        for limit in (*parse(limits, facts.assets, facts.universe), *own_bounds(facts)):
            if limit.penalty is not None:
                raise NotAvailable(
                    f"{labels.shorten(limit.name)} has a Penalty, and orders keep firm limits",
                    fix="Clear the Penalty.", argument="limits", row=limit.row)
            at = limit.measure.box
            if at is not None and at < n:
                lower[at], upper[at] = max(lower[at], limit.low), min(upper[at], limit.high)
            elif limit.each and _is_cash(limit, facts) and not account.names_cash:
                continue
            elif limit.name == "cash" or at == n:
                floors += [(limit.low, limit.row)] if limit.low > -math.inf else []
                rules += _rules(replace(limit, low=-math.inf), facts)
            elif limit.name == "smallest holding":
                smallest = max(smallest, _least(limit))
            elif limit.name not in UCITS:
                rules += _rules(limit, facts)
            else:
                limit.express(facts)
        crossed = np.flatnonzero(lower > upper)
        if len(crossed):
            label = account.names[int(crossed[0])]
            raise ConflictError(
                f"{labels.shorten(label)} must be at least {lower[crossed[0]]:.4g} and at most "
                f"{upper[crossed[0]]:.4g}", fix="Loosen one of them.", argument="limits")
        is_ucits = limits is not None and any(
            labels.key(words) == "ucits 5/10/40" for words in limits["Limit"])
        issuers = Issuers(issuer_groups(facts)[:, :n]) if is_ucits else None
        floor, row = max(floors, default=(0.0, 0))
        return cls(lower, upper, floor, smallest, tuple(rules), issuers, row or None)


def open_floors(wanted: np.ndarray, held: np.ndarray) -> np.ndarray:
    """The least that assets may weigh (n,) where no limit says otherwise: a short position wanted
    may be larger than its target, where whole lots or limits need it; one that is only held does
    not grow."""
    return np.minimum(np.where(wanted < 0, wanted - _BEYOND, 0.0), np.minimum(held, 0.0))


def _facts(
    limits: pd.DataFrame | None, assets: pd.DataFrame | None, account: Account, known: Known
) -> Facts:
    universe = pd.Index([*account.names, "Cash"], dtype=object)
    facts = Facts.gather(
        universe, assets,
        None if known.mu is None else _vector(known.mu, universe),
        None if known.cov is None else _square(known.cov, universe),
        None if known.returns is None else _columns(known.returns, universe),
        known.periods, reference=_UNIVERSE)
    table = pd.DataFrame(index=universe) if facts.assets is None else facts.assets.copy()
    if "Current" not in table:
        table["Current"] = np.append(account.weights, account.cash / account.net)
    for title in table.columns:
        exposed = title not in ("Min", "Max") and not is_grouping(table[title])
        values = table[title].to_numpy(copy=True)
        if exposed and np.isnan(values[-1]):
            values[-1] = 0.0
            table[title] = values
    facts = informed(replace(facts, assets=table), limits)
    return facts if facts.nav is not None else replace(facts, nav=account.net)


def _places(index: pd.Index, universe: pd.Index, argument: str) -> tuple[np.ndarray, np.ndarray]:
    """Which names of the universe the index has, and where; only cash may be missing."""
    at = labels.positions(index, argument=argument)
    place = np.array([at.get(name, -1) for name in labels.keys(universe)])
    for name, where in zip(universe, place, strict=True):
        if where < 0 and labels.key(name) != labels.CASH:
            raise InputError(f"{labels.shorten(name)} of {_UNIVERSE} is missing",
                             fix=f"Add it to {argument}.", argument=argument)
    return place >= 0, place[place >= 0]


def _vector(values: pd.Series, universe: pd.Index) -> pd.Series:
    there, place = _places(values.index, universe, "mu")
    result = np.zeros(len(universe))
    result[there] = values.to_numpy(dtype=float)[place]
    return pd.Series(result, universe)


def _square(cov: pd.DataFrame, universe: pd.Index) -> pd.DataFrame:
    square = labels.same_square(cov, cov.index, argument="cov", reference="its rows")
    there, place = _places(square.index, universe, "cov")
    result = np.zeros((len(universe), len(universe)))
    result[np.ix_(there, there)] = square.to_numpy()[np.ix_(place, place)]
    return pd.DataFrame(result, universe, universe)


def _columns(returns: pd.DataFrame, universe: pd.Index) -> pd.DataFrame:
    there, place = _places(returns.columns, universe, "returns")
    result = np.zeros((len(returns), len(universe)))
    result[:, there] = returns.to_numpy(dtype=float)[:, place]
    return pd.DataFrame(result, returns.index, universe)


def _is_cash(limit: Limit, facts: Facts) -> bool:
    """Whether a limit is on the weight of cash, or on its active one with no cash to compare."""
    cash = facts.size - 1
    if limit.name == f"active {facts.universe[cash]}":
        return not facts.portfolio("Benchmark")[cash]
    return limit.measure.box == cash


def _least(limit: Limit) -> float:
    if limit.high < math.inf or not limit.low > 0:
        raise NotAvailable(
            "'smallest holding' takes a positive Min and no Max",
            fix="Give the least weight of a holding as Min.", argument="limits", row=limit.row)
    return limit.low


def _rules(limit: Limit, facts: Facts) -> list[Rule]:
    """A limit as rows over the weights after trading, or as a curve; none without a bound."""
    if math.isinf(limit.low) and math.isinf(limit.high):
        return []
    n = facts.size - 1
    zero = np.zeros(n)
    if limit.name in DISCRETE:
        return [Rule(limit, Row(zero, zero, zero, 0.0, limit.low, limit.high, np.ones(n)))]
    expression = limit.posed(facts)
    if isinstance(expression, Linear):
        a, b = expression.coefficients, expression.constant
        return [Rule(limit, Row(a[:n], zero, zero, float(a[n]), limit.low - b, limit.high - b))]
    if isinstance(expression, ShortSum):
        half = expression.price[:n] / 2
        return [Rule(limit, Row(-half, half, zero, 0.0, -math.inf, limit.high))]
    if isinstance(expression, AbsoluteSum):
        price, centre = expression.price, expression.centre
        signs = (1.0, -1.0) if price[n] else (0.0,)
        return [
            Rule(limit, Row(zero, price[:n], centre[:n], sign * float(price[n]), -math.inf,
                            limit.high + sign * float(price[n] * centre[n])))
            for sign in signs
        ]
    if isinstance(expression, EffectiveNumber):
        return [Rule(limit, Curve(expression.ball, -math.inf, 1 / math.sqrt(limit.low)))]
    return [Rule(limit, Curve(expression, limit.low, limit.high))]
