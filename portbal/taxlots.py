"""Which tax lots a sale takes, and what it gains on them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd

from portbal import choices, labels
from portbal.errors import ConflictError, InputError
from portbal.result import Noted

COLUMNS = ["Lot", "Asset", "Quantity", "Gain", "Term"]
_WASH_DAYS = 30
_SAME = 1e-12  # of the largest tax a unit: what rounding makes of equal paths
_LISTED = 8  # wash sales that notes name one by one


@dataclass(frozen=True)
class _Lot:
    """at: its row in lots; cost a unit; quantity as it is typed, without rounding."""

    at: int
    name: str
    label: str
    asset: str
    day: pd.Timestamp
    quantity: Fraction
    cost: float


@dataclass(frozen=True)
class _Sale:
    """at: its position in sells; row: how errors name it; price a unit."""

    at: int
    row: object
    label: str
    asset: str
    day: pd.Timestamp
    quantity: Fraction
    price: float


@dataclass(frozen=True)
class _Part:
    """What one sale takes of one lot."""

    sale: _Sale
    lot: _Lot
    quantity: Fraction

    @property
    def gain(self) -> float:
        return float(self.quantity) * (self.sale.price - self.lot.cost)

    @property
    def is_long(self) -> bool:
        return _is_long(self.lot.day, self.sale.day)


def sold(
    lots: pd.DataFrame, sells: pd.DataFrame, method: str = "hifo", shortrate: float = 0.37,
    longrate: float = 0.2,
) -> Noted[pd.DataFrame]:
    """The lots that sales take: columns Lot, Asset, Quantity, Gain, Term (short, long).

    lots    columns Lot, Asset, Date (bought), Quantity, Cost (paid for one unit)
    sells   columns Asset, Date, Quantity (positive), Price (of one unit)
    method  fifo: the oldest lot first; lifo: the newest; hifo: the highest cost, and of equal
            costs the oldest; mintax: so that all sales together owe the least tax, where a gain
            owes shortrate or longrate of it and a loss saves as much
    shortrate, longrate   fractions of a gain, the top federal rates of the United States

    Rows follow sells, and within a sale the order in which lots are taken; Gain is
    quantity (price - cost). A sale takes lots bought on its date or before, and sales take
    turns by date, those of one date in the order of sells. The term is long when it is held more
    than a year: the year ends on the day of the purchase a year later, and on the last day of
    that month where the purchase was on the last day of its own (Revenue Ruling 66-7).

    mintax is the transportation problem sales x lots, solved exactly by successive shortest
    paths (Ahuja, Magnanti and Orlin 1993, Network Flows, section 9.7).

    Notes name wash sales (26 U.S.C. 1091): a loss, where other lots of the asset that stay were
    bought within 30 days before or after; each unit bought replaces one sold. What a sale leaves
    of its own lot is none (Revenue Ruling 56-602). Gain and cost are not adjusted for them.

    InputError for a quantity that is not positive, a negative cost or price, a repeated lot,
    an asset without lots; ConflictError for a sale of more than there is on its date.
    """
    for rate, name in ((shortrate, "shortrate"), (longrate, "longrate")):
        if not 0 <= rate <= 1:
            raise InputError(f"a rate of {rate:g} is not possible",
                             fix="Give a fraction from 0 to 1, such as 20%.", argument=name)
    bought, sales = _lots(lots), _sales(sells)
    take = choices.one_of(method, {
        "fifo": _by(lambda lot: (lot.day, lot.at)),
        "lifo": _by(lambda lot: (-lot.day.toordinal(), -lot.at)),
        "hifo": _by(lambda lot: (-lot.cost, lot.day, lot.at)),
        "mintax": lambda of, by: _least_tax(of, by, shortrate, longrate),
    }, argument="method")
    parts: list[_Part] = []
    for asset in dict.fromkeys(sale.asset for sale in sales):
        of = sorted((lot for lot in bought if lot.asset == asset),
                    key=lambda lot: (lot.day, lot.at))
        by = sorted((sale for sale in sales if sale.asset == asset),
                    key=lambda sale: (sale.day, sale.at))
        _enough(of, by, bought)
        parts += take(of, by)
    parts.sort(key=lambda part: part.sale.at)
    table = pd.DataFrame(
        [(part.lot.name, part.lot.label, float(part.quantity), part.gain,
          "long" if part.is_long else "short") for part in parts], columns=COLUMNS)
    return Noted(table, notes=(_sum(parts, shortrate, longrate), *_wash_notes(bought, parts)))


def _is_long(bought: pd.Timestamp, sold_on: pd.Timestamp) -> bool:
    last = 31 if bought.is_month_end else bought.day
    return (sold_on.year, sold_on.month, sold_on.day) > (bought.year + 1, bought.month, last)


# --- reading -------------------------------------------------------------------------------

def _typed(value: float) -> Fraction:
    """The decimal number that was typed, so that parts add up to it."""
    return Fraction(repr(float(value)))


def _lots(lots: pd.DataFrame) -> list[_Lot]:
    labels.positions(lots["Lot"].to_list(), argument="lots")
    result = []
    for at, (row, name, asset, day, quantity, cost) in enumerate(zip(
        lots.index, lots["Lot"], lots["Asset"], lots["Date"],
        lots["Quantity"].to_numpy(dtype=float), lots["Cost"].to_numpy(dtype=float), strict=True,
    )):
        _positive(quantity, "lots", row)
        if not 0 <= cost < math.inf:
            raise InputError(f"a cost of {cost:g} is not possible",
                             fix="Give what one unit cost, 0 or more.", argument="lots",
                             row=_row(row), column="Cost")
        result.append(_Lot(at, str(name), str(asset), labels.key(asset), pd.Timestamp(day),
                           _typed(quantity), float(cost)))
    return result


def _sales(sells: pd.DataFrame) -> list[_Sale]:
    result = []
    for at, (row, asset, day, quantity, price) in enumerate(zip(
        sells.index, sells["Asset"], sells["Date"], sells["Quantity"].to_numpy(dtype=float),
        sells["Price"].to_numpy(dtype=float), strict=True,
    )):
        _positive(quantity, "sells", row)
        if not 0 <= price < math.inf:
            raise InputError(f"a price of {price:g} is not possible",
                             fix="Give what one unit is sold for, 0 or more.", argument="sells",
                             row=_row(row), column="Price")
        result.append(_Sale(at, _row(row), str(asset), labels.key(asset), pd.Timestamp(day),
                            _typed(quantity), float(price)))
    return result


def _positive(quantity: float, argument: str, row: object) -> None:
    if not 0 < quantity < math.inf:
        what = "is bought" if argument == "lots" else "is sold"
        raise InputError(f"a quantity of {quantity:g} is not possible",
                         fix=f"Give the number of units that {what}, above 0.",
                         argument=argument, row=_row(row), column="Quantity")


def _row(row: object) -> object:
    return int(row) if isinstance(row, (int, np.integer)) else row


def _enough(lots: Sequence[_Lot], sales: Sequence[_Sale], every: Sequence[_Lot]) -> None:
    """Sales by date must find as much as they and those before them sell: then every order of
    taking lots bought by then finds it, too, since a lot open to a sale is open to later ones."""
    for number, sale in enumerate(sales):
        if not lots:
            raise InputError(
                f"lots has none of {labels.shorten(sale.label)}",
                fix=labels.suggestion(sale.label, [lot.label for lot in every],
                                      "Add its lots, or remove the sale."),
                argument="sells", row=sale.row, column="Asset",
            )
        before = sum((other.quantity for other in sales[:number]), Fraction())
        left = sum((lot.quantity for lot in lots if lot.day <= sale.day), Fraction()) - before
        if sale.quantity > left:
            raise ConflictError(
                f"{float(sale.quantity):,.10g} of {labels.shorten(sale.label)} are sold on "
                f"{sale.day:%Y-%m-%d}, and lots bought by then have {float(left):,.10g} left",
                fix="Sell less, or add the missing lots.", argument="sells", row=sale.row,
                column="Quantity",
            )


# --- taking lots ---------------------------------------------------------------------------

Take = Callable[[Sequence[_Lot], Sequence[_Sale]], list[_Part]]


def _by(key: Callable[[_Lot], tuple[object, ...]]) -> Take:
    """Each sale in turn takes the lots that are open to it in this order."""

    def take(lots: Sequence[_Lot], sales: Sequence[_Sale]) -> list[_Part]:
        left = {lot.at: lot.quantity for lot in lots}
        parts = []
        for sale in sales:
            need = sale.quantity
            for lot in sorted((x for x in lots if x.day <= sale.day), key=key):
                amount = min(need, left[lot.at])
                if amount > 0:
                    parts.append(_Part(sale, lot, amount))
                    left[lot.at] -= amount
                    need -= amount
        return parts

    return take


def _least_tax(
    lots: Sequence[_Lot], sales: Sequence[_Sale], shortrate: float, longrate: float
) -> list[_Part]:
    """Of all ways to serve the sales the one with the least sum of quantity times tax a unit.

    Each round sends what it can along the cheapest path from a sale to a lot with units left:
    directly, or through a lot that another sale gives up for a cheaper path of its own.
    """
    tax = np.array([
        [(longrate if _is_long(lot.day, sale.day) else shortrate) * (sale.price - lot.cost)
         if lot.day <= sale.day else math.inf for lot in lots] for sale in sales])
    taken = _Taken(tax, [lot.quantity for lot in lots])
    for number, sale in enumerate(sales):
        need = sale.quantity
        while need > 0:
            need -= taken.send(taken.cheapest(number), need)
    return [
        _Part(sale, lots[i], own[i])
        for sale, own, unit in zip(sales, taken.of, tax, strict=True)
        for i in sorted(own, key=lambda lot: (unit[lot], lot))
    ]


class _Taken:
    """What each of m sales has taken of n lots so far, and what it would give it up for.

    tax   (m, n) a unit, infinite where the lot is not open to the sale
    of    by sale: quantity by lot; left: what nobody has taken, by lot
    swap  (m, m) what it costs that the row's sale takes a lot from the column's, a unit; through:
          which lot that is
    """

    def __init__(self, tax: np.ndarray, left: list[Fraction]) -> None:
        sales = len(tax)
        self.tax, self.left = tax, left
        self.of: list[dict[int, Fraction]] = [{} for _ in range(sales)]
        self.free = np.ones(len(left), dtype=bool)
        self.swap = np.full((sales, sales), math.inf)
        self.through = np.zeros((sales, sales), dtype=int)
        self.least = _SAME * float(np.abs(tax[np.isfinite(tax)]).max())

    def cheapest(self, source: int) -> list[tuple[int, int]]:
        """Pairs (sale, lot it takes) from the source on: each lot but the last is given up by
        the sale of the next pair. Bellman and Ford's labels over the sales."""
        distance = np.full(len(self.of), math.inf)
        distance[source] = 0.0
        came = np.full(len(self.of), source)
        for _ in self.of:
            reach = distance[:, None] + self.swap
            taker = reach.argmin(axis=0)
            found = reach[taker, np.arange(len(taker))]
            better = found < distance - self.least
            if not better.any():
                break
            distance[better], came[better] = found[better], taker[better]
        total = distance[:, None] + np.where(self.free, self.tax, math.inf)
        path = [divmod(int(np.argmin(total)), len(self.left))]
        while path[0][0] != source:
            giver = path[0][0]
            taker_of = int(came[giver])
            path.insert(0, (taker_of, int(self.through[taker_of, giver])))
        return path

    def send(self, path: list[tuple[int, int]], need: Fraction) -> Fraction:
        """Moves as much along the path as is needed and there is; how much that was."""
        passed_on = [(taker, giver, lot) for (taker, lot), (giver, _) in pairwise(path)]
        last, free = path[-1]
        amount = min(need, self.left[free], *(self.of[giver][lot] for _, giver, lot in passed_on))
        for taker, giver, lot in passed_on:
            self._add(taker, lot, amount)
            self._add(giver, lot, -amount)
        self._add(last, free, amount)
        self.left[free] -= amount
        self.free[free] = self.left[free] > 0
        for sale, _ in path:
            lots = np.array(list(self.of[sale]))
            change = self.tax[:, lots] - self.tax[sale, lots]
            self.swap[:, sale] = change.min(axis=1)
            self.through[:, sale] = lots[change.argmin(axis=1)]
            self.swap[sale, sale] = math.inf
        return amount

    def _add(self, sale: int, lot: int, amount: Fraction) -> None:
        held = self.of[sale].pop(lot, Fraction()) + amount
        if held:
            self.of[sale][lot] = held


# --- what to say beside --------------------------------------------------------------------

def _sum(parts: Sequence[_Part], shortrate: float, longrate: float) -> str:
    short = math.fsum(part.gain for part in parts if not part.is_long)
    long = math.fsum(part.gain for part in parts if part.is_long)
    return (f"Gains are {short:,.2f} short term and {long:,.2f} long term; at {shortrate:g} and "
            f"{longrate:g} the tax is {short * shortrate + long * longrate:,.2f}.")


def _wash_notes(lots: Sequence[_Lot], parts: Sequence[_Part]) -> list[str]:
    """A sentence for each loss that other lots replace."""
    replaced = {lot.at: Fraction() for lot in lots}
    taken: dict[int, list[_Part]] = {lot.at: [] for lot in lots}
    for part in parts:
        taken[part.lot.at].append(part)
    by_day = sorted(lots, key=lambda lot: (lot.asset, lot.day, lot.at))
    sentences = []
    for loss in sorted((part for part in parts if part.gain < 0),
                       key=lambda part: (part.sale.day, part.sale.at)):
        unmatched = loss.quantity
        names = []
        for lot in _near(by_day, loss):
            gone = sum((part.quantity for part in taken[lot.at]
                        if part.sale.day <= loss.sale.day), Fraction())
            amount = min(unmatched, lot.quantity - gone - replaced[lot.at])
            if amount > 0:
                replaced[lot.at] += amount
                unmatched -= amount
                names.append(lot.name)
        if names:
            sentences.append(_wash(loss, loss.quantity - unmatched, names))
    if len(sentences) > _LISTED:
        sentences[_LISTED:] = [f"There are {len(sentences) - _LISTED} more wash sales."]
    return sentences


def _near(by_day: Sequence[_Lot], loss: _Part) -> list[_Lot]:
    """Other lots of the asset that were bought within 30 days of the loss, the oldest first."""
    asset, day = loss.lot.asset, loss.sale.day.toordinal()

    def place(lot: _Lot) -> tuple[str, int]:
        return lot.asset, lot.day.toordinal()

    start = bisect_left(by_day, (asset, day - _WASH_DAYS), key=place)
    stop = bisect_right(by_day, (asset, day + _WASH_DAYS), key=place)
    return [lot for lot in by_day[start:stop] if lot.at != loss.lot.at]


def _wash(loss: _Part, matched: Fraction, names: Sequence[str]) -> str:
    return (
        f"Wash sale: {float(matched):,.10g} of {float(loss.quantity):,.10g} sold at a loss from "
        f"lot {labels.shorten(loss.lot.name)} on {loss.sale.day:%Y-%m-%d} are replaced by "
        f"{', '.join(map(labels.shorten, names[:3]))}{' and others' if len(names) > 3 else ''}; "
        f"{-loss.gain * float(matched / loss.quantity):,.2f} of the loss may not count."
    )
