"""Why no whole-lot portfolio is permitted: a limit that stands in the way, and by how much."""

from __future__ import annotations

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
from portbal.solve.lot_search import Found, best_trades
from portbal.solve.lots import Row, Trading, ends_of, pieces_of
from portbal.trade_rules import Rules

_NOTHING = -2.0  # a floor of cash below what any sensible trade needs, in net assets


@dataclass(frozen=True)
class _Suspect:
    """A limit, the case without it, and the row or curve whose value it bounds, where it is one:
    high says whether from above. shift: what the limit counts beside the row; is_number: it is an
    effective number, whose curve is a norm."""

    name: str
    fix: str
    case: Trading
    rules: Rules
    row: Row | None = None
    curve: Curve | None = None
    high: bool = True
    shift: float = 0.0
    limit_row: int | None = None
    is_number: bool = False


def conflict(trading: Trading, rules: Rules, account: Account) -> ConflictError:
    """Names the first limit without which something would be permitted, with the nearest value
    that it can have while all others hold."""
    for suspect in _suspects(trading, rules, account):
        try:
            best_trades_within(suspect.case, suspect.rules.curves, suspect.rules.issuers)
        except (Infeasible, Unproven):
            continue
        return ConflictError(
            f"no whole-lot portfolio keeps {suspect.name}{_nearest(suspect)}", fix=suspect.fix,
            argument="limits", row=suspect.limit_row)
    names = dict.fromkeys(labels.shorten(rule.limit.name) for rule in rules.rules)
    shown = f" ({', '.join(list(names)[:4])})" if names else ""
    return ConflictError(
        f"no whole-lot portfolio keeps cash, costs and limits together{shown}",
        fix="Loosen more than one limit, or bring in cash.", argument="limits")


def _suspects(trading: Trading, rules: Rules, account: Account) -> Iterator[_Suspect]:
    n = trading.size
    none = np.zeros(n)
    yield _Suspect(
        f"the cash floor of {trading.cash_floor:.2%}", "Lower it, or bring in cash.",
        replace(trading, cash_floor=_NOTHING), rules,
        Row(none, none, none, 1.0, trading.cash_floor, np.inf), high=False)
    for limit in dict.fromkeys(rule.limit for rule in rules.rules):
        own = [rule.holds for rule in rules.rules if rule.limit is limit]
        others = replace(rules, rules=tuple(r for r in rules.rules if r.limit is not limit))
        only = own[0] if len(own) == 1 else None
        row = only if isinstance(only, Row) else None
        bound = "low" if np.isfinite(limit.low) else "high"
        shift = 0.0 if row is None else getattr(limit, bound) - getattr(row, bound)
        bounds = " ".join(
            f"{side} {bound:.6g}" for side, bound in (("Min", limit.low), ("Max", limit.high))
            if np.isfinite(bound))
        case = replace(trading, rows=others.rows)
        yield from (
            _Suspect(f"{labels.shorten(limit.name)} ({bounds})", "Loosen it, or another limit.",
                     case, others, row, only if isinstance(only, Curve) else None, high, shift,
                     limit.row, limit.name == "effective number")
            for high in _sides(limit, case, row))
    for i in range(n):
        for high, bound in ((True, rules.upper[i]), (False, rules.lower[i])):
            if np.isinf(bound):
                continue
            lower, upper = trading.lower.copy(), trading.upper.copy()
            if high:
                upper[i] = np.inf
            else:
                lower[i] = min(0.0, float(trading.held_after(none)[i]))
            one = np.eye(n)[i]
            yield _Suspect(
                f"{labels.shorten(account.names[i])} ({'Max' if high else 'Min'} {bound:.6g})",
                "Loosen it, or another limit.", replace(trading, lower=lower, upper=upper), rules,
                Row(one, none, none, 0.0, float(rules.lower[i]), float(rules.upper[i])),
                high=high)
    if trading.smallest:
        yield _Suspect("the smallest holding", "Lower it.", replace(trading, smallest=0.0), rules)
    if trading.ticket:
        yield _Suspect("the least ticket", "Lower it.", replace(trading, ticket=0.0), rules)
    if rules.issuers is not None:
        yield _Suspect("'ucits 5/10/40'", "Lower the largest targets.", trading,
                       replace(rules, issuers=None))


def _sides(limit: Limit, case: Trading, row: Row | None) -> tuple[bool, ...]:
    """On which side the bound of a limit stands in the way: with both, the one that something
    else permitted breaks."""
    if not np.isfinite(limit.high) or not np.isfinite(limit.low):
        return (bool(np.isfinite(limit.high)),)
    if row is None:
        return (True,)
    try:
        found = best_trades(case).trade
    except (Infeasible, Unproven):
        return (True,)
    value = row.value(case.held_after(found), case.cash_after(found))
    return (value > row.high,)


def _nearest(suspect: _Suspect) -> str:
    """The nearest value to its bound that the limit can have, as a message says it."""
    value = _bisected(suspect) if suspect.curve is not None else _reached(suspect)
    if value is None:
        return ""
    return f": the {'least' if suspect.high else 'most'} it can be is {value:.6g}"


def _reached(suspect: _Suspect) -> float | None:
    """The least (most) value of the row under all other limits; None where it is not known."""
    row = suspect.row
    if row is None or suspect.rules.curves or suspect.rules.issuers is not None:
        return None
    sign = 1.0 if suspect.high else -1.0
    pieces = pieces_of(suspect.case)
    values = sign * ends_of(replace(suspect.case, rows=(row,)), pieces).rows[0]
    try:
        trade = least_of_row(suspect.case, pieces, values)
    except (Infeasible, Unproven):
        return None
    if trade is None:
        return None
    return row.value(suspect.case.held_after(trade), suspect.case.cash_after(trade)) + suspect.shift


def _bisected(suspect: _Suspect) -> float | None:
    """The value of a curve, in the limit's own terms, that is within 1e-4 of the nearest to its
    bound that something permitted has; None where it is not known."""
    curve, rules = suspect.curve, suspect.rules
    assert curve is not None

    def value(found: Found) -> float:
        case = suspect.case
        return curve.expression.value(
            np.append(case.held_after(found.trade), case.cash_after(found.trade)))

    try:
        good = value(best_trades_within(suspect.case, rules.curves, rules.issuers))
        above = bool(np.isfinite(curve.high))
        bad = curve.high if above else curve.low
        while abs(good - bad) > 1e-4 * abs(good):
            middle = (good + bad) / 2
            tried = replace(curve, high=middle) if above else replace(curve, low=middle)
            try:
                good = value(best_trades_within(
                    suspect.case, (*rules.curves, tried), rules.issuers))
            except Infeasible:
                bad = middle
    except (Infeasible, Unproven):
        return None
    return 1 / good ** 2 if suspect.is_number and good > 0 else good
