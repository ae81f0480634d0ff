"""How fast holdings turn into cash, and which to sell for the cash that is needed."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import choices, labels
from portbal.account import open_account
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.result import Noted

STEPS = (1, 5, 20, 60)
TIERS = ("1 day", "5 days", "20 days", "60 days", "longer")
_SAME = 1e-9  # of an amount: what rounding may leave of it
_LATEST = 25_000  # trading days ahead that a date is looked for


@dataclass(frozen=True)
class Positions:
    """Holdings as money, in their order.

    value  (n,) in money, a short position negative
    a_day  (n,) what can be traded of it a day, in money; infinite where nothing need be sold:
           for cash, and for a quantity of 0
    """

    names: pd.Index
    value: np.ndarray
    a_day: np.ndarray
    cash: np.ndarray

    @property
    def net(self) -> float:
        return float(self.value.sum())

    @property
    def days(self) -> np.ndarray:
        """How many days it takes to trade each away (n,)."""
        return np.abs(self.value) / self.a_day

    def liquid(self, days: float) -> float:
        """The share of net assets that is cash after so many days; a short position counts
        against it in full, as in the measure ``liquid in 5 days``."""
        return float(np.minimum(self.value, days * self.a_day).sum()) / self.net


def liquidity(
    holdings: pd.DataFrame, assets: pd.DataFrame, participation: float = 0.2,
    show: str = "assets",
) -> Noted[pd.DataFrame]:
    """How many days each holding takes to be sold, or what can be sold within so many days.

    holdings       index assets; columns Quantity, Price; a row Cash (price 1) is cash
    assets         column ADV: traded value a day in base currency, for every asset held
    participation  the share of a day's trading that one may be, above 0 and up to 1
    show           assets: columns Asset, Value, Days, Tier, in the order of holdings;
                   ladder: Days (1, 5, 20, 60), Share

    Days is |value| / (participation ADV), 0 for cash, and not rounded. Tier is the first step
    of the ladder by which all of it is sold: 1 day, 5 days, 20 days, 60 days, or longer. Share
    is the part of net assets that is cash after so many days when each position sells
    participation ADV a day: the measures ``days to liquidate`` and ``liquid in 5 days`` of
    limits. InputError for a held asset without ADV.
    """
    positions = _positions(holdings, assets, participation)
    days = positions.days

    def by_asset() -> pd.DataFrame:
        step = np.searchsorted(STEPS, days * (1 - _SAME))
        return pd.DataFrame({
            "Asset": positions.names, "Value": positions.value, "Days": days,
            "Tier": [TIERS[i] for i in step],
        })

    def ladder() -> pd.DataFrame:
        return pd.DataFrame({"Days": STEPS, "Share": [positions.liquid(x) for x in STEPS]})

    table = choices.one_of(show, {"assets": by_asset, "ladder": ladder}, argument="show")()
    notes = [f"It takes {float(days.max()):,.4g} days to sell everything."]
    if (positions.value < 0).any():
        notes.append("Short positions count against the share that is liquid.")
    return Noted(table, notes=tuple(notes))


def cash_plan(
    holdings: pd.DataFrame,
    assets: pd.DataFrame,
    flows: pd.DataFrame,
    participation: float = 0.2,
    start: dt.datetime | None = None,
    settlement: int = 0,
) -> Noted[pd.DataFrame]:
    """What pays each flow: columns Date, Flow, Raised from, Cash left, in the order of flows.

    holdings       as for `liquidity`; prices stay as they are
    assets         column ADV for every asset held, and Cost (fraction of traded value) if any
    flows          columns Date (not decreasing), Flow: negative to be paid, positive received;
                   the index says how errors name rows
    start          the first day on which one may sell, else the first date of flows
    settlement     trading days from a sale to its cash; 0: on the same day

    A payment takes cash first, then sells: the cheapest by Cost first, among equals the one
    that takes fewest days to be sold, then in the order of holdings. Of an asset at most
    participation ADV a day can have been sold since start, both days included; trading days
    are Monday to Friday. ``Raised from`` names what a payment took, net of Cost, in money
    (``Cash 500.00; A 1,200.00``); blank where nothing was. Nothing is sold before it is needed.

    Selling the cheapest first costs least over all flows, and no other order pays more of
    them: what an asset can have sold by a date never shrinks, so all that counts is how much
    was raised. ConflictError with date, shortfall and cure for a flow that cannot be paid.
    """
    positions = _positions(holdings, assets, participation)
    price = _prices(positions, assets)
    order = sorted(map(int, np.flatnonzero(~positions.cash & (positions.value > 0))),
                   key=lambda i: (price[i], positions.days[i], i))
    sold = np.zeros(len(positions.names))
    first = _first_day(flows, start)
    if settlement < 0:
        raise InputError(f"a settlement of {settlement} days is not possible",
                         fix="Give 0 or more trading days.", argument="settlement")
    cash = float(positions.value[positions.cash].sum())
    rows = []
    for row, day, flow in zip(
        flows.index, flows["Date"], flows["Flow"].to_numpy(dtype=float), strict=True
    ):
        days = max(0, _trading_days(first, day) - settlement)
        need = max(0.0, -(cash + flow))
        taken = min(max(cash, 0.0), max(-flow, 0.0))
        left = need
        parts = [("Cash", taken)] if taken > 0 else []
        for i in order:
            most = min(float(positions.value[i]), days * float(positions.a_day[i])) - sold[i]
            raised = min(left, max(0.0, most) * (1 - price[i]))
            if raised > _SAME * need:
                sold[i] += raised / (1 - price[i])
                left -= raised
                parts.append((str(positions.names[i]), raised))
        if left > _SAME * need:
            raise _short(positions, price, sold, row, day, left, first, days, settlement)
        cash = cash + flow + need
        rows.append((day, flow, _parts(parts), cash))
    table = pd.DataFrame(rows, columns=["Date", "Flow", "Raised from", "Cash left"])
    notes = _plan_notes(positions, sold, price)
    if start is None and sold.any():
        notes = (*notes, f"Selling begins on {first:%Y-%m-%d}; give start for another day.")
    return Noted(table, notes=notes)


def _parts(parts: list[tuple[str, float]]) -> str:
    if [name for name, _ in parts] == ["Cash"]:
        return "Cash"
    return "; ".join(f"{name} {amount:,.2f}" for name, amount in parts)


def _plan_notes(
    positions: Positions, sold: np.ndarray, price: np.ndarray
) -> tuple[str, ...]:
    notes = []
    costs = float(sold @ price)
    if costs > 0:
        notes.append(f"Sales are {float(sold.sum()):,.2f} before and "
                     f"{float(sold.sum()) - costs:,.2f} after their cost.")
    if (positions.value[~positions.cash] < 0).any():
        notes.append("Short positions stay as they are.")
    return tuple(notes)


def _short(
    positions: Positions, price: np.ndarray, sold: np.ndarray, row: object, day: pd.Timestamp,
    short: float, first: pd.Timestamp, days: int, settlement: int,
) -> ConflictError:
    """The problem of a flow that lacks ``short`` in money, and the first date without it."""
    long = ~positions.cash & (positions.value > 0)

    def more(by: float) -> float:
        """What could be sold by then and not by the date, in money after costs."""
        then = np.minimum(positions.value[long], by * positions.a_day[long])
        return float((np.maximum(then - sold[long], 0.0) * (1 - price[long])).sum())

    cure = f"Bring in {short:,.2f} by then"
    if more(_LATEST) >= short * (1 - _SAME):
        low, high = days, _LATEST
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if more(middle) >= short * (1 - _SAME) else (middle, high)
        met = np.busday_offset(first.date(), high + settlement - 1, roll="forward")
        cure += f", pay it on {met} or later, or raise participation"
    else:
        cure += ", or pay less: all that can be sold does not suffice"
    return ConflictError(
        f"the flow of {day:%Y-%m-%d} lacks {short:,.2f}: cash and what can be sold by then do "
        "not cover it", fix=f"{cure}.", argument="flows",
        row=int(row) if isinstance(row, (int, np.integer)) else row, column="Flow",
    )


def _first_day(flows: pd.DataFrame, start: dt.datetime | None) -> pd.Timestamp:
    """From when one may sell. InputError where that is after the first flow."""
    earliest = pd.Timestamp(flows["Date"].iloc[0])
    if start is None:
        return earliest
    first = pd.Timestamp(start).normalize()
    if first > earliest:
        raise InputError(
            f"{first:%Y-%m-%d} is after the first flow ({earliest:%Y-%m-%d})",
            fix="Give a start on or before the first date of flows.", argument="start",
        )
    return first


def _trading_days(first: pd.Timestamp, day: pd.Timestamp) -> int:
    """Mondays to Fridays from the one to the other, both included."""
    return int(np.busday_count(first.date(), (day + pd.Timedelta(days=1)).date()))


def _positions(
    holdings: pd.DataFrame, assets: pd.DataFrame, participation: float
) -> Positions:
    open_account(holdings, holdings.index, 0.0, None)
    if not 0 < participation <= 1:
        raise InputError(f"a participation of {participation:g} is not possible",
                         fix="Give a fraction above 0 and up to 1, such as 20%.",
                         argument="participation")
    value = (holdings["Quantity"] * holdings["Price"]).to_numpy(dtype=float)
    cash = labels.is_cash(holdings.index)
    traded = _held_column(holdings.index, value, cash, assets, "ADV",
                          "Add what is traded of each asset a day, in base currency.")
    for label, volume in zip(holdings.index, traded, strict=True):
        if not volume > 0:
            raise InputError(
                f"{labels.shorten(label)} has no positive ADV",
                fix="Fill in what is traded of it a day.", argument="assets", row=label,
                column="ADV",
            )
    return Positions(holdings.index, value, participation * traded, cash)


def _held_column(
    names: pd.Index, value: np.ndarray, cash: np.ndarray, assets: pd.DataFrame, title: str,
    advice: str,
) -> np.ndarray:
    """A column of assets for what is held (n,), NaN where blank; infinite where nothing has to
    be sold."""
    if title not in assets:
        raise NotAvailable(f"assets has no column {title}", fix=advice, argument="assets")
    at = labels.positions(assets.index, argument="assets")
    column = assets[title].to_numpy(dtype=float)
    result = np.full(len(names), math.inf)
    for i in map(int, np.flatnonzero(~cash & (value != 0))):
        place = at.get(labels.key(names[i]))
        if place is None:
            raise InputError(
                f"{labels.shorten(names[i])} is held, and assets has no row for it",
                fix=labels.suggestion(names[i], assets.index, f"Add it with its {title}."),
                argument="assets",
            )
        result[i] = column[place]
    return result


def _prices(positions: Positions, assets: pd.DataFrame) -> np.ndarray:
    """What selling costs, a fraction of traded value (n,); 0 without a column Cost."""
    if "Cost" not in assets:
        return np.zeros(len(positions.names))
    cost = _held_column(positions.names, positions.value, positions.cash, assets, "Cost", "")
    cost[np.isinf(cost)] = 0.0
    for label, fraction in zip(positions.names, cost, strict=True):
        if not 0 <= fraction < 1:
            shown = "no Cost" if math.isnan(fraction) else f"the Cost {fraction:g}"
            raise InputError(
                f"{labels.shorten(label)} has {shown}", fix="Give a fraction such as 0.001.",
                argument="assets", row=label, column="Cost",
            )
    return cost
