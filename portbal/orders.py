"""From target weights to whole-lot orders: the nearest portfolio that can be traded."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from portbal import labels
from portbal.account import Account, check_sum, open_account
from portbal.errors import InputError, NotAvailable
from portbal.order_conflict import conflict
from portbal.result import Noted
from portbal.solve import Infeasible, Unproven
from portbal.solve.discrete import ISSUER_MOST
from portbal.solve.lot_limits import best_trades_within
from portbal.solve.lots import MOST_LOTS, ROUNDING, Row, Trading
from portbal.trade_costs import Tariff
from portbal.trade_rules import NOTHING, Known, Rules, open_floors

_MOST_CENTS = 1e9  # beyond it a float no longer tells cents apart by a millionth
_PROVED = 1e-8  # of net assets: what counts as proved where limits couple the assets
COLUMNS = ["Asset", "Side", "Quantity", "Price", "Value", "Cost", "Weight after", "Reason"]


def orders(
    holdings: pd.DataFrame,
    target: pd.Series,
    cash: float = 0.0,
    limits: pd.DataFrame | None = None,
    assets: pd.DataFrame | None = None,
    options: Mapping[str, object] | None = None,
    known: Known = NOTHING,
    last_target: pd.Series | None = None,
) -> Noted[pd.DataFrame]:
    """The orders that lead to the best whole-lot portfolio, in the order of holdings.

    holdings  index assets; columns Quantity, Price; a row Cash (price 1) adds to ``cash``
    target    weights that sum to 1 within 0.0001; Cash's is 0 unless it is there
    assets    columns Lot (default 1) and Price (for assets that are not held) are used; Cost
              and ADV where options ask for them, and what limits name
    options   fee (money an order), commission (fraction of value), per share (money a unit),
              minimum (least commission of an order: what the two before come to at least), tax
              (fraction of sales), ticket (least value of an order), spread (fraction of value, or
              the word Cost for that column), impact (the fraction of value that an order of one
              day's volume costs; it goes with the square root of value over ADV)
    known     what limits on return, volatility, tracking error, beta and CVaR need
    last_target   the weights wanted before, so that orders tell a new target from drift

    Best is the least sum, over assets and cash, of absolute differences between weight after
    and target, among all portfolios that keep cash at or above its floor (the Min of a cash
    limit, else 0) after costs and hold every limit; ties go to the lower cost, then to the
    earlier assets' being nearer to their targets. Weights are fractions of net assets before
    trading. A trade is a whole number of lots or closes the position; nothing is sold short
    unless the target is negative, and then by at most net assets more than the target. Columns:
    Asset, Side, Quantity (signed), Price, Value (signed), Cost, Weight after, Reason.

    Reason is what pulls hardest the way of the order: drift (prices moved the weight), view (the
    target moved), cash (money to invest or to raise). It is limit where a limit is broken now
    that the order mends, or keeps the order from going nearer to its target; ticket where the
    least value of an order does that.

    ConflictError when nothing is permitted: it names a limit that alone stands in the way, and
    the nearest value it can have.
    """
    account = open_account(holdings, target.index, cash, assets)
    wanted, cash_target = _targets(target, account)
    tariff = Tariff.of(options)
    rules = Rules.of(limits, assets, account, known)
    held = account.weights
    lot = _lots(assets, account.names)
    _check_countable(wanted, lot, account)
    trading = Trading(
        quantity=account.quantity,
        unit=account.price / account.net,
        lot=lot,
        target=wanted,
        lower=np.maximum(rules.lower, open_floors(wanted, held)),
        upper=rules.upper,
        cash=account.cash / account.net,
        cash_target=cash_target,
        cash_floor=_payable_floor(rules.cash_floor, account, lot, tariff),
        charges=tariff.charges(account.names, assets, account.net),
        ticket=tariff.ticket / account.net,
        smallest=rules.smallest,
        rows=rules.rows,
    )
    try:
        found = best_trades_within(trading, rules.curves, rules.issuers)
    except Infeasible:
        raise conflict(trading, rules, account) from None
    except Unproven:
        raise NotAvailable(
            "the search ended before it found a permitted portfolio",
            fix="Loosen a limit, or trade in larger lots.", argument="limits",
        ) from None
    notes: tuple[str, ...] = ()
    if found.gap > _PROVED:
        notes = (f"Not proved to be the best: another choice could be nearer to the target by "
                 f"{found.gap:.2e} of net assets.",)
    last = None if last_target is None else _last(last_target, account)
    reasons = _reasons(trading, rules, found.trade, last)
    return Noted(_table(account, trading, found.trade, reasons), notes=notes)


def _targets(target: pd.Series, account: Account) -> tuple[np.ndarray, float]:
    labels.positions(target.index, argument="target")
    check_sum(target, "target")
    is_cash = labels.is_cash(target.index)
    wanted = labels.filled(target[~is_cash], account.names, argument="target",
                           reference="holdings").to_numpy()
    return wanted, float(target[is_cash].sum())


def _last(target: pd.Series, account: Account) -> np.ndarray:
    """The weights wanted before (n,); assets that are neither held nor wanted now do not
    matter."""
    at = labels.positions(target.index, argument="lasttarget")
    values = target.to_numpy(dtype=float)
    return np.array([values[at[name]] if name in at else 0.0
                     for name in labels.keys(account.names)])


def _lots(assets: pd.DataFrame | None, names: pd.Index) -> np.ndarray:
    result = np.ones(len(names))
    if assets is None or "Lot" not in assets:
        return result
    at = labels.positions(assets.index, argument="assets")
    for i, label in enumerate(names):
        place = at.get(labels.key(label))
        lot = math.nan if place is None else float(assets["Lot"].iloc[place])
        if math.isnan(lot):
            continue
        if not lot > 0:
            raise InputError(f"{labels.shorten(label)} has the lot {lot:g}",
                             fix="Give a lot above 0, or leave it blank for 1.",
                             argument="assets", row=label, column="Lot")
        result[i] = lot
    return result


def _payable_floor(
    floor: float, account: Account, lot: np.ndarray, tariff: Tariff
) -> float:
    """The least weight of cash that trades can leave at or above the floor, where each costs
    a whole number of cents: no portfolio is lost, and the search knows when it is there."""
    if tariff.given - {"fee", "ticket"}:
        return floor
    parts = np.concatenate([lot * account.price, account.quantity * account.price, [tariff.fee]])
    cents = parts * 100
    if np.abs(cents).max() > _MOST_CENTS or (np.abs(cents - np.rint(cents)) > 1e-6).any():
        return floor
    spent = np.floor((account.cash - floor * account.net) * 100 + 1e-6) / 100
    return max(floor, float(account.cash - spent) / account.net)


def _check_countable(wanted: np.ndarray, lot: np.ndarray, account: Account) -> None:
    lots = np.abs(wanted) * account.net / (account.price * lot)
    beyond = np.flatnonzero(lots > MOST_LOTS)
    if len(beyond):
        label = account.names[int(beyond[0])]
        raise InputError(
            f"the target of {labels.shorten(label)} is {lots[beyond[0]]:.0e} lots, more than can "
            "be counted", fix="Correct its price, or give it a larger Lot.", argument="target",
            row=label)


# --- why -----------------------------------------------------------------------------------

def _reasons(
    trading: Trading, rules: Rules, trade: np.ndarray, last: np.ndarray | None
) -> list[str]:
    """Why each asset is traded, one word an asset; what is not traded has one too."""
    before, after = trading.held_after(np.zeros(trading.size)), trading.held_after(trade)
    pulls = _pulls(trading, before, last)
    mends = _mends(trading, rules, before, trade)
    gap, gap_before = np.abs(after - trading.target), np.abs(before - trading.target)
    found = []
    for i in range(trading.size):
        if mends[i]:
            found.append("limit")
        elif gap[i] < gap_before[i]:
            found.append(max(pulls, key=lambda word: pulls[word][i] * np.sign(trade[i])))
        elif trade[i] and _is_least_ticket(trading, i, float(trade[i])):
            found.append("ticket")
        else:
            found.append("limit" if rules.rules or np.isfinite(rules.upper[i]) else "cash")
    return found


def _pulls(
    trading: Trading, before: np.ndarray, last: np.ndarray | None
) -> dict[str, np.ndarray]:
    """What moves each weight from where it is to its target, in parts (n,) that add up."""
    invested = before.sum()
    cash = np.zeros(trading.size)
    if invested > 0:
        cash = before * ((1 - trading.cash_target) / invested - 1)
    elif not before.any():
        cash = trading.target.copy()
    view = np.zeros(trading.size) if last is None else trading.target - last
    return {"drift": trading.target - before - cash - view, "view": view, "cash": cash}


def _mends(
    trading: Trading, rules: Rules, before: np.ndarray, trade: np.ndarray
) -> np.ndarray:
    """Where an order moves its asset the way that a limit broken now asks for, mask (n,)."""
    found = ((before > rules.upper + ROUNDING) & (trade < 0)) | (
        (before < rules.lower - ROUNDING) & (trade > 0))
    for row in (*rules.rows, *_issuer_rows(rules)):
        value = row.value(before, trading.cash)
        pull = np.sign(row.linear - row.cash) * np.sign(trade)
        if value > row.high + row.slack:
            found |= (pull < 0) & (row.linear != 0)
        elif value < row.low - row.slack:
            found |= (pull > 0) & (row.linear != 0)
    return found


def _issuer_rows(rules: Rules) -> list[Row]:
    if rules.issuers is None:
        return []
    none = np.zeros(len(rules.lower))
    return [Row(group, none, none, 0.0, -math.inf, ISSUER_MOST)
            for group in rules.issuers.groups]


def _is_least_ticket(trading: Trading, i: int, trade: float) -> bool:
    """Whether one lot less would be below the least value of an order."""
    less = (abs(trade) - float(trading.lot[i])) * float(trading.unit[i])
    return trading.ticket > 0 and less < trading.ticket - ROUNDING


def _table(
    account: Account, trading: Trading, trade: np.ndarray, reasons: list[str]
) -> pd.DataFrame:
    after = trading.held_after(trade)
    costs = trading.costs(trade) * account.net
    rows = [
        (account.names[i], "buy" if trade[i] > 0 else "sell", float(trade[i]),
         float(account.price[i]), float(trade[i] * account.price[i]), float(costs[i]),
         float(after[i]), reasons[i])
        for i in map(int, np.flatnonzero(trade))
    ]
    numbers = dict.fromkeys(COLUMNS[2:7], float)
    return pd.DataFrame(rows, columns=COLUMNS).astype(numbers)
