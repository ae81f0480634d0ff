"""Why no whole-lot portfolio is permitted: a limit that stands in the way, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from portbal import labels
from portbal.account import Account
from portbal.errors import ConflictError
from portbal.limits.language import Limit
from portbal.solve import Infeasible, Unproven
from portbal.solve.lot_limits import Curve, best_trades_within
from portbal.solve.lot_program import least_of_row
from portbal.solve.lot_search import Found
from portbal.solve.lots import ROUNDING, Row, Trading, ends_of, pieces_of
from portbal.trade_rules import Rules, open_floors

_CLOSE = 1e-4  # how near to its exact value the nearest is searched for, as a fraction of it
_NOTHING = -2.0  # a floor of cash below what any sensible trade needs, in net assets


@dataclass(frozen=True)
class _Suspect:
    """One bound, and the case without it.

    case, rules   everything else, the other bound of the same limit included
    bound, high   the bound in the way, and whether it is one from above
    own           the rows and curves that hold the limit; none: it is the least holding or the
                  least ticket (is_ticket) of the trading, or has no number (NaN)
    is_number     it is an effective number, whose curve is a norm; is_double: the limit has
                  another bound, too
    scale         what the bound is multiplied with to be shown
    """

    name: str
    fix: str
    case: Trading
    rules: Rules
    bound: float
    high: bool = False
    own: tuple[Row | Curve, ...] = ()
    limit_row: int | None = None
    is_number: bool = False
    is_double: bool = False
    is_ticket: bool = False
    scale: float = 1.0

    def at(self, value: float) -> tuple[Trading, tuple[Curve, ...]]:
        """The case and curves with this bound instead."""
        if not self.own:
            case = (replace(self.case, ticket=value) if self.is_ticket
                    else replace(self.case, smallest=value))
            return case, self.rules.curves
        more = value - self.bound
        moved = [replace(x, high=x.high + more) if self.high else replace(x, low=x.low + more)
                 for x in self.own]
        rows = tuple(x for x in moved if isinstance(x, Row))
        curves = tuple(x for x in moved if isinstance(x, Curve))
        return (replace(self.case, rows=(*self.case.rows, *rows)),
                (*self.rules.curves, *curves))

    def value(self, trade: np.ndarray) -> float:
        """What the bound would have to be for this trade (n,)."""
        weights, cash = self.case.held_after(trade), self.case.cash_after(trade)
        if not self.own:
            sizes = np.abs(trade * self.case.unit if self.is_ticket else weights)
            return float(sizes[sizes > ROUNDING].min(initial=np.inf))
        sign = 1.0 if self.high else -1.0
        every = np.append(weights, cash)
        return self.bound + sign * max(
            sign * ((x.value(weights, cash) if isinstance(x, Row) else x.expression.value(every))
                    - (x.high if self.high else x.low)) for x in self.own)


def conflict(trading: Trading, rules: Rules, account: Account) -> ConflictError:
    """Names the first limit without which something would be permitted, with the nearest value
    that it can have while all others hold."""
    for bounds in _suspects(trading, rules, account):
        found: list[tuple[float, int, _Suspect, float | None]] = []
        for suspect in bounds:
            try:
                without = best_trades_within(
                    suspect.case, suspect.rules.curves, suspect.rules.issuers)
            except (Infeasible, Unproven):
                continue
            nearest = _nearest(suspect, without)
            away = np.inf if nearest is None else abs(nearest - suspect.bound)
            found.append((away, len(found), suspect, nearest))
        if found:
            _, _, suspect, nearest = min(found)
            return ConflictError(
                f"no whole-lot portfolio keeps {suspect.name}{_said(suspect, nearest)}",
                fix=suspect.fix, argument="limits", row=suspect.limit_row)
    names = dict.fromkeys(labels.shorten(rule.limit.name) for rule in rules.rules)
    shown = f" ({', '.join(list(names)[:4])})" if names else ""
    return ConflictError(
        f"no whole-lot portfolio keeps cash, costs and limits together{shown}",
        fix="Loosen more than one limit, or bring in cash.", argument="limits")


def _suspects(
    trading: Trading, rules: Rules, account: Account
) -> Iterator[tuple[_Suspect, ...]]:
    """What may stand in the way, the bounds of one limit together."""
    n = trading.size
    none = np.zeros(n)
    yield (_Suspect(
        f"the cash floor of {trading.cash_floor:.2%}", "Lower it, or bring in cash.",
        replace(trading, cash_floor=_NOTHING), rules, trading.cash_floor,
        own=(Row(none, none, none, 1.0, trading.cash_floor, np.inf),),
        limit_row=rules.cash_row),)
    for limit in dict.fromkeys(rule.limit for rule in rules.rules):
        yield tuple(_of_limit(limit, trading, rules))
    for i in range(n):
        yield tuple(_of_asset(i, labels.shorten(account.names[i]), trading, rules))
    if trading.smallest:
        yield (_Suspect("the smallest holding", "Lower it.", replace(trading, smallest=0.0), rules,
                        trading.smallest),)
    if trading.ticket:
        yield (_Suspect(f"the least ticket of {trading.ticket * account.net:,.2f}", "Lower it.",
                        replace(trading, ticket=0.0), rules, trading.ticket, is_ticket=True,
                        scale=account.net),)
    if rules.issuers is not None:
        yield (_Suspect("'ucits 5/10/40'", "Lower the largest targets.", trading,
                        replace(rules, issuers=None), np.nan),)


def _of_limit(limit: Limit, trading: Trading, rules: Rules) -> Iterator[_Suspect]:
    own = tuple(rule.holds for rule in rules.rules if rule.limit is limit)
    others = replace(rules, rules=tuple(r for r in rules.rules if r.limit is not limit))
    is_number = limit.name == "effective number"
    both = [(high, bound) for high, bound in ((True, limit.high), (False, limit.low))
            if np.isfinite(bound)]
    name = f"{labels.shorten(limit.name)} ({_bounds(limit.low, limit.high)})"
    for high, bound in both:
        kept = [replace(x, high=np.inf) if high else replace(x, low=-np.inf)
                for x in own if isinstance(x, Row)] if len(both) > 1 else []
        curve = own[0]
        if is_number and isinstance(curve, Curve):
            high, bound = True, curve.high
        yield _Suspect(
            name, "Loosen it, or another limit.", replace(trading, rows=(*others.rows, *kept)),
            others, bound, high, own, limit.row, is_number, len(both) > 1)


def _of_asset(i: int, name: str, trading: Trading, rules: Rules) -> Iterator[_Suspect]:
    none = np.zeros(trading.size)
    low, high = float(rules.lower[i]), float(rules.upper[i])
    floors = open_floors(trading.target, trading.held_after(none))
    row = Row(np.eye(trading.size)[i], none, none, 0.0, low, high)
    for is_high, bound in ((True, high), (False, low)):
        if np.isinf(bound):
            continue
        lower, upper = trading.lower.copy(), trading.upper.copy()
        if is_high:
            upper[i] = np.inf
        else:
            lower[i] = floors[i]
        yield _Suspect(
            f"{name} ({_bounds(low, high)})", "Loosen it, or another limit.",
            replace(trading, lower=lower, upper=upper), rules, bound, is_high, (row,),
            is_double=bool(np.isfinite(low) and np.isfinite(high)))


def _bounds(low: float, high: float) -> str:
    return " ".join(f"{side} {bound:.6g}" for side, bound in (("Min", low), ("Max", high))
                    if np.isfinite(bound))


def _said(suspect: _Suspect, nearest: float | None) -> str:
    """The nearest value to its bound that the limit can have, as a message says it."""
    if nearest is None or math.isinf(nearest):
        return ""
    high = suspect.high and not suspect.is_number
    value = 1 / nearest ** 2 if suspect.is_number else nearest * suspect.scale
    which = "nearest" if suspect.is_double else "least" if high else "most"
    return f": the {which} it can be is {_outward(value, high):.6g}"


def _outward(value: float, up: bool) -> float:
    """The value in six digits, so rounded that it cures as a bound: up or down."""
    shown = float(f"{value:.6g}")
    if abs(shown - value) <= ROUNDING * max(1.0, abs(value)) or (shown > value) == up:
        return shown
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 5)
    return shown + step if up else shown - step


def _nearest(suspect: _Suspect, without: Found) -> float | None:
    """The nearest value to its bound that something permitted has; without: what is best when the
    bound is left out. None where it is not known."""
    if np.isnan(suspect.bound):
        return None
    rules, own = suspect.rules, suspect.own
    try:
        if len(own) == 1 and isinstance(own[0], Row) and not rules.curves and not rules.issuers:
            return _least(suspect, own[0])
        return _bisected(suspect, without)
    except (Infeasible, Unproven):
        return None


def _least(suspect: _Suspect, row: Row) -> float | None:
    """The nearest value of a row, exactly."""
    sign = 1.0 if suspect.high else -1.0
    pieces = pieces_of(suspect.case)
    values = sign * ends_of(replace(suspect.case, rows=(row,)), pieces).rows[0]
    trade = least_of_row(suspect.case, pieces, values)
    return None if trade is None else suspect.value(trade)


def _bisected(suspect: _Suspect, without: Found) -> float:
    """The nearest value within ``_CLOSE`` of itself, by trying bounds between."""
    good, bad = suspect.value(without.trade), suspect.bound
    while abs(good - bad) > _CLOSE * max(abs(good), _CLOSE):
        middle = (good + bad) / 2
        case, curves = suspect.at(middle)
        try:
            good = suspect.value(best_trades_within(case, curves, suspect.rules.issuers).trade)
        except Infeasible:
            bad = middle
    return good
