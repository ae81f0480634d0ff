"""From target weights to whole-lot orders: the nearest portfolio that can be traded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.limits.language import Limit, informed, own_bounds, parse
from portbal.limits.measures import Facts
from portbal.result import Noted
from portbal.solve import Infeasible, Unproven
from portbal.solve.expressions import AbsoluteSum, Linear, ShortSum
from portbal.solve.lot_search import best_trades
from portbal.solve.lots import Row, Trading

COLUMNS = ["Asset", "Side", "Quantity", "Price", "Value", "Cost", "Weight after", "Reason"]
SUM_TOLERANCE = 1e-4
COSTS = ("fee", "commission", "tax", "ticket")


@dataclass(frozen=True)
class Account:
    """Holdings taken apart: assets without cash, what a unit costs, and the money there is.

    names (n,) in the order of holdings, then those that only the target has; quantity and
    price (n,); cash and net assets in money.
    """

    names: pd.Index
    quantity: np.ndarray
    price: np.ndarray
    cash: float

    @property
    def net(self) -> float:
        return float(self.quantity @ self.price + self.cash)

    @property
    def weights(self) -> np.ndarray:
        return self.quantity * self.price / self.net


def orders(
    holdings: pd.DataFrame,
    target: pd.Series,
    cash: float = 0.0,
    limits: pd.DataFrame | None = None,
    assets: pd.DataFrame | None = None,
    options: Mapping[str, object] | None = None,
) -> Noted[pd.DataFrame]:
    """The orders that lead to the best whole-lot portfolio, in the order of holdings.

    holdings  index assets; columns Quantity, Price; a row Cash (price 1) adds to ``cash``
    target    weights that sum to 1 within 0.0001; Cash's is 0 unless it is there
    assets    columns Lot (default 1) and Price (for assets that are not held) are used
    options   fee (money an order), commission (fraction of value), tax (fraction of sales),
              ticket (least value of an order)

    Best is the least sum, over assets and cash, of absolute differences between weight after
    and target, among all portfolios that keep cash at or above its floor (the Min of a cash
    limit, else 0) after costs and hold every limit; ties go to the lower cost, then to the
    earlier assets' being nearer to their targets. Weights are fractions of net assets before
    trading. A trade is a whole number of lots or closes the position; nothing is sold short
    unless the target is negative. Columns: Asset, Side, Quantity (signed), Price, Value
    (signed), Cost, Weight after, Reason.
    """
    account = open_account(holdings, target.index, cash, assets)
    wanted, cash_target = _targets(target, account)
    costs = _costs(options)
    limits_here = _Rules.of(limits, assets, account)
    held = account.weights
    trading = Trading(
        quantity=account.quantity,
        unit=account.price / account.net,
        lot=_lots(assets, account.names),
        target=wanted,
        lower=np.maximum(limits_here.lower, np.minimum(0.0, np.minimum(wanted, held))),
        upper=limits_here.upper,
        cash=account.cash / account.net,
        cash_target=cash_target,
        cash_floor=limits_here.cash_floor,
        fee=costs["fee"] / account.net,
        commission=costs["commission"],
        tax=costs["tax"],
        ticket=costs["ticket"] / account.net,
        rows=limits_here.rows,
    )
    try:
        found = best_trades(trading)
    except Infeasible:
        raise _conflict(trading, limits_here) from None
    except Unproven:
        raise NotAvailable(
            "the search ended before it found a permitted portfolio",
            fix="Loosen a limit, or trade in larger lots.", argument="limits",
        ) from None
    notes: tuple[str, ...] = ()
    if found.gap > 0:
        notes = (f"Not proved to be the best: another choice could be nearer to the target by "
                 f"{found.gap:.2e} of net assets.",)
    return Noted(_table(account, trading, found.trade, bool(limits_here.limited)), notes=notes)


def open_account(
    holdings: pd.DataFrame, wanted: pd.Index, cash: float, assets: pd.DataFrame | None
) -> Account:
    """The account behind holdings and cash, with every asset that the target names."""
    labels.positions(holdings.index, argument="holdings")
    is_cash = labels.is_cash(holdings.index)
    for label, price, cash_row in zip(
        holdings.index, holdings["Price"].to_numpy(dtype=float), is_cash, strict=True
    ):
        if cash_row and price != 1:
            raise InputError(f"Cash has the price {price:g}, not 1", fix="Set its Price to 1.",
                             argument="holdings", row=label, column="Price")
        if not price > 0:
            raise InputError(f"{labels.shorten(label)} has the price {price:g}",
                             fix="Give a price above 0.", argument="holdings", row=label,
                             column="Price")
    money = cash + float(holdings["Quantity"].to_numpy(dtype=float)[is_cash].sum())
    own = holdings[~is_cash]
    known = set(labels.keys(own.index))
    new = [x for x in wanted if labels.key(x) not in known and labels.key(x) != labels.CASH]
    prices = [_price(label, assets) for label in new]
    account = Account(
        pd.Index([*own.index, *new], dtype=object),
        np.concatenate([own["Quantity"].to_numpy(dtype=float), np.zeros(len(new))]),
        np.concatenate([own["Price"].to_numpy(dtype=float), np.array(prices, dtype=float)]),
        money,
    )
    if not account.net > 0:
        raise InputError(f"net assets are {account.net:,.2f}", argument="holdings",
                         fix="Holdings and cash must be worth more than 0.")
    return account


def _price(label: object, assets: pd.DataFrame | None) -> float:
    if assets is not None and "Price" in assets:
        at = labels.positions(assets.index, argument="assets").get(labels.key(label))
        if at is not None and float(assets["Price"].iloc[at]) > 0:
            return float(assets["Price"].iloc[at])
    raise InputError(
        f"{labels.shorten(label)} is not held, and no price is known for it",
        fix="Add it to holdings with quantity 0, or give its Price in assets.",
        argument="target", row=label,
    )


def _targets(target: pd.Series, account: Account) -> tuple[np.ndarray, float]:
    labels.positions(target.index, argument="target")
    total = float(target.sum())
    if abs(total - 1) > SUM_TOLERANCE:
        raise InputError(f"the weights sum to {total:.2%}, not 100%", argument="target",
                         fix="Scale them, or add a row Cash.")
    is_cash = labels.is_cash(target.index)
    wanted = labels.filled(target[~is_cash], account.names, argument="target",
                           reference="holdings").to_numpy()
    return wanted, float(target[is_cash].sum())


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


def _costs(options: Mapping[str, object] | None) -> dict[str, float]:
    result = dict.fromkeys(COSTS, 0.0)
    for option, value in (options or {}).items():
        name = labels.key(option)
        if name not in result:
            raise InputError(
                f"there is no option {labels.shorten(option)} here",
                fix=labels.suggestion(option, COSTS, f"Use {', '.join(COSTS)}."),
                argument="options", row=option,
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise InputError(
                f"the option {name} is {labels.shorten(value)}", fix="Give a number of at least 0.",
                argument="options", row=option,
            )
        if name in ("commission", "tax") and value >= 1:
            raise InputError(f"the option {name} is {value:g}, all of the value or more",
                             fix="Give a fraction such as 0.001.", argument="options", row=option)
        result[name] = float(value)
    return result


# --- limits --------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Rules:
    """lower, upper (n,): what single assets may weigh; rows: everything else; limited: the
    limits by the rows they became."""

    lower: np.ndarray
    upper: np.ndarray
    cash_floor: float
    rows: tuple[Row, ...]
    limited: tuple[Limit, ...]

    @classmethod
    def of(
        cls, limits: pd.DataFrame | None, assets: pd.DataFrame | None, account: Account
    ) -> _Rules:
        n = len(account.names)
        universe = pd.Index([*account.names, "Cash"], dtype=object)
        facts = informed(
            Facts.gather(universe, assets, reference="holdings and target"), limits)
        lower, upper = np.full(n, -math.inf), np.full(n, math.inf)
        floors: list[float] = []  # of cash; each asset speaks of it, too
        rows: list[Row] = []
        limited: list[Limit] = []
        for limit in (*parse(limits, facts.assets, universe), *own_bounds(facts)):
            if limit.penalty is not None:
                raise NotAvailable(
                    f"{labels.shorten(limit.name)} has a Penalty, and orders keep firm limits",
                    fix="Clear the Penalty.", argument="limits", row=limit.row)
            at = limit.measure.box
            if at is not None and at < n:
                lower[at], upper[at] = max(lower[at], limit.low), min(upper[at], limit.high)
            elif limit.name == "cash" or at == n:
                floors += [limit.low] if limit.low > -math.inf else []
                rows += _rows(replace(limit, low=-math.inf), facts)
            else:
                rows += _rows(limit, facts)
            limited.append(limit)
        crossed = np.flatnonzero(lower > upper)
        if len(crossed):
            label = account.names[int(crossed[0])]
            raise ConflictError(
                f"{labels.shorten(label)} must be at least {lower[crossed[0]]:.4g} and at most "
                f"{upper[crossed[0]]:.4g}", fix="Loosen one of them.", argument="limits")
        return cls(lower, upper, max(floors, default=0.0), tuple(rows), tuple(limited))


def _rows(limit: Limit, facts: Facts) -> list[Row]:
    """A limit as rows over the weights after trading; none when it has no bound left."""
    if math.isinf(limit.low) and math.isinf(limit.high):
        return []
    expression = limit.express(facts)
    n = facts.size - 1
    zero = np.zeros(n)
    if isinstance(expression, Linear):
        a, b = expression.coefficients, expression.constant
        return [Row(a[:n], zero, zero, float(a[n]), limit.low - b, limit.high - b)]
    if limit.low > -math.inf:
        return [_refused(limit)]
    if isinstance(expression, ShortSum):
        half = expression.price[:n] / 2
        return [Row(-half, half, zero, 0.0, -math.inf, limit.high)]
    if isinstance(expression, AbsoluteSum):
        price, centre = expression.price, expression.centre
        signs = (1.0, -1.0) if price[n] else (0.0,)
        return [
            Row(zero, price[:n], centre[:n], sign * float(price[n]), -math.inf,
                limit.high + sign * float(price[n] * centre[n]))
            for sign in signs
        ]
    return [_refused(limit)]


def _refused(limit: Limit) -> Row:
    raise NotAvailable(
        f"{labels.shorten(limit.name)} cannot be kept while choosing whole lots",
        fix="Remove the row here and check it with CHECKLIMITS.", argument="limits",
        row=limit.row,
    )


def _conflict(trading: Trading, rules: _Rules) -> ConflictError:
    """Which rule stands in the way of any permitted portfolio."""
    without = (
        ("the cash floor", replace(trading, cash_floor=-1e9), "Lower it, or bring in cash."),
        ("the limits on groups and sums", replace(trading, rows=()), "Loosen one of them."),
        ("the limits on single assets",
         replace(trading, lower=np.minimum(0.0, trading.held_after(np.zeros(trading.size))),
                 upper=np.full(trading.size, math.inf)), "Loosen one of them."),
        ("the least ticket", replace(trading, ticket=0.0), "Lower it."),
    )
    for name, changed, fix in without:
        try:
            best_trades(changed)
        except (Infeasible, Unproven):
            continue
        return ConflictError(f"no whole-lot portfolio keeps {name}", fix=fix, argument="limits")
    names = ", ".join(dict.fromkeys(labels.shorten(limit.name) for limit in rules.limited[:4]))
    return ConflictError(
        f"no whole-lot portfolio keeps cash, costs and limits together ({names})",
        fix="Loosen a limit, or bring in cash.", argument="limits")


def _table(
    account: Account, trading: Trading, trade: np.ndarray, limited: bool
) -> pd.DataFrame:
    after = trading.held_after(trade)
    before = account.weights
    costs = trading.costs(trade) * account.net
    rows = []
    for i in map(int, np.flatnonzero(trade)):
        closer = abs(after[i] - trading.target[i]) < abs(before[i] - trading.target[i])
        reason = "drift" if closer else "limit" if limited else "cash"
        rows.append((
            account.names[i], "buy" if trade[i] > 0 else "sell", float(trade[i]),
            float(account.price[i]), float(trade[i] * account.price[i]), float(costs[i]),
            float(after[i]), reason,
        ))
    numbers = dict.fromkeys(COLUMNS[2:7], float)
    return pd.DataFrame(rows, columns=COLUMNS).astype(numbers)
