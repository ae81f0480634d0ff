"""Trading in whole lots: which trades are permitted, and what each one does.

All money is a fraction of net assets before trading, so a value is a weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from portbal.solve import Infeasible
from portbal.solve.charges import FREE, Charges

ROUNDING = 1e-13  # two weights closer than this are the same
MOST_LOTS = 1e15  # beyond it a float no longer counts in ones
_BENT = 1.05  # how many times as long as its start a run is at most, where costs are no line


@dataclass(frozen=True)
class Row:
    """low <= linear'x + absolute'|x - centre| + held'(x not 0) + cash * c <= high, over the
    weights after trading, x of shape (n,) for the assets and c for cash; absolute >= 0."""

    linear: np.ndarray
    absolute: np.ndarray
    centre: np.ndarray
    cash: float
    low: float
    high: float
    held: np.ndarray | None = None

    def value(self, weights: np.ndarray, cash: float) -> float:
        """The value at given weights."""
        every = np.arange(len(weights))
        return math.fsum([*self.parts(every, weights), self.cash * cash])

    def parts(self, asset: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """What so much of these assets adds, without cash; all of shape (k,)."""
        away = self.absolute[asset] * np.abs(weight - self.centre[asset])
        result = self.linear[asset] * weight + away
        if self.held is not None:
            result += self.held[asset] * (np.abs(weight) > ROUNDING)
        return result

    def holds(self, weights: np.ndarray, cash: float) -> bool:
        """Whether the value is within the bounds, up to the rounding of its own terms."""
        return self.low - self.slack <= self.value(weights, cash) <= self.high + self.slack

    @property
    def slack(self) -> float:
        """What rounding may do to the value."""
        largest = np.abs(self.linear).max(initial=0.0) + self.absolute.max(initial=0.0)
        largest += 0.0 if self.held is None else np.abs(self.held).max(initial=0.0)
        return ROUNDING * float(1 + largest + abs(self.cash))


@dataclass(frozen=True)
class Trading:
    """Holdings, what is wanted, and what trading costs. All arrays have shape (n,).

    quantity      units held; unit: the weight of one unit; lot: the units of one lot, above 0
    target        weights wanted; lower, upper: bounds on the weight after trading, finite lower
    cash          weight of cash now; cash_target, and cash_floor after all costs
    charges       what orders cost; ticket: the least value of one
    smallest      the least weight of what is held at all; a smaller one is sold or topped up

    A trade is a whole number of lots, or closes the position; its value is at least ``ticket``.
    The best trades have the least sum of abs(weight after - target), cash included; among those
    the least cost; among those the assets are as close to their targets as can be, the first
    asset before the second and so on (then with the smaller trade).
    """

    quantity: np.ndarray
    unit: np.ndarray
    lot: np.ndarray
    target: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cash: float
    cash_target: float = 0.0
    cash_floor: float = 0.0
    charges: Charges = FREE
    ticket: float = 0.0
    smallest: float = 0.0
    rows: tuple[Row, ...] = ()

    @property
    def size(self) -> int:
        return len(self.quantity)

    @property
    def most_spend(self) -> float:
        """What may be spent, costs included: down to the floor of cash."""
        return self.cash - self.cash_floor

    @property
    def wanted_spend(self) -> float:
        """The spending that leaves cash at its target."""
        return self.cash - self.cash_target

    def held_after(self, trade: np.ndarray) -> np.ndarray:
        """Weights after trading, shape (n,)."""
        return (self.quantity + trade) * self.unit

    def costs(self, trade: np.ndarray) -> np.ndarray:
        """The cost of each order, shape (n,)."""
        return self.charges.total(trade, trade * self.unit)

    def cash_after(self, trade: np.ndarray) -> float:
        """The weight of cash after trading and its costs."""
        return math.fsum([self.cash, *(-trade * self.unit), *(-self.costs(trade))])

    def objective(self, trade: np.ndarray) -> float:
        """The sum of absolute differences between weights after and targets, with cash."""
        gaps = np.abs(self.held_after(trade) - self.target)
        return math.fsum([*gaps, abs(self.cash_after(trade) - self.cash_target)])

    def permits(self, trade: np.ndarray) -> bool:
        """Whether a trade (n,) keeps the bounds, the ticket, the floor of cash and every row."""
        weight, cash = self.held_after(trade), self.cash_after(trade)
        within = (weight >= self.lower - ROUNDING) & (weight <= self.upper + ROUNDING)
        large = (trade == 0) | (np.abs(trade) * self.unit >= self.ticket - ROUNDING)
        large &= (np.abs(weight) <= ROUNDING) | (np.abs(weight) >= self.smallest - ROUNDING)
        return bool(within.all() and large.all() and cash >= self.cash_floor - ROUNDING
                    and all(row.holds(weight, cash) for row in self.rows))

    def at(self, asset: np.ndarray, trade: np.ndarray) -> Points:
        """What a trade of each of these assets does; both of shape (k,)."""
        unit = self.unit[asset]
        weight = (self.quantity[asset] + trade) * unit
        value = trade * unit
        cost = self.charges.take(asset).total(trade, value)
        spend = value + cost
        rows = np.empty((len(self.rows), len(asset)))
        for r, row in enumerate(self.rows):
            rows[r] = row.parts(asset, weight) - row.cash * spend
        gap = np.abs(weight - self.target[asset])
        return Points(asset, trade, gap, spend, cost, rows, np.zeros(len(asset)))

    def row_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds on the sums of ``Points.rows``, each of shape (m,)."""
        shift = np.array([row.cash * self.cash for row in self.rows])
        low = np.array([row.low for row in self.rows]) - shift
        return low, np.array([row.high for row in self.rows]) - shift


@dataclass(frozen=True)
class Points:
    """Trades of single assets. All arrays have shape (k,), rows (m, k).

    gap: distance to the target; spend: value and cost; rows: the part in each row, with what
    the spending takes from cash; dip: at the ends of a run, how far spending within it can
    fall below the line between the ends.
    """

    asset: np.ndarray
    trade: np.ndarray
    gap: np.ndarray
    spend: np.ndarray
    cost: np.ndarray
    rows: np.ndarray
    dip: np.ndarray

    def take(self, which: np.ndarray | slice) -> Points:
        return Points(self.asset[which], self.trade[which], self.gap[which], self.spend[which],
                      self.cost[which], self.rows[:, which], self.dip[which])


@dataclass(frozen=True)
class Pieces:
    """The permitted trades in runs along which everything in ``Points`` is linear, save for
    market impact, which makes spending convex.

    All arrays have shape (p,), sorted by asset. Run i holds the trades
    (first + j) * lot + odd for j = 0 .. count - 1.
    """

    asset: np.ndarray
    first: np.ndarray
    count: np.ndarray
    odd: np.ndarray
    lot: np.ndarray

    def split(self, piece: int, j: int) -> tuple[Pieces, Pieces]:
        """Two parts: the runs of its asset up to this run's trade j, and those after it."""
        own = self.asset == self.asset[piece]
        at = np.arange(len(own))
        low, high = ~own | (at <= piece), ~own | (at > piece)
        upto, beyond = self.count.copy(), self.count.copy()
        first = self.first.copy()
        upto[piece] = j + 1
        if j + 1 < self.count[piece]:
            high[piece] = True
            first[piece] += j + 1
            beyond[piece] -= j + 1
        return (
            Pieces(self.asset[low], self.first[low], upto[low], self.odd[low], self.lot[low]),
            Pieces(self.asset[high], first[high], beyond[high], self.odd[high], self.lot[high]))

    def take(self, which: np.ndarray) -> Pieces:
        """These runs only; every asset must keep one."""
        return Pieces(self.asset[which], self.first[which], self.count[which], self.odd[which],
                      self.lot[which])

    def trade(self, piece: np.ndarray, j: np.ndarray) -> np.ndarray:
        return (self.first[piece] + j) * self.lot[piece] + self.odd[piece]


class NoTrade(Infeasible):
    """One asset alone has no permitted trade. asset: its position."""

    def __init__(self, asset: int) -> None:
        super().__init__(asset)
        self.asset = asset


def pieces_of(case: Trading) -> Pieces:
    """Every permitted trade that can be paid for. NoTrade when an asset has none."""
    runs = [_runs(case, i, math.inf) for i in range(case.size)]
    for i, found in enumerate(runs):
        if not found:
            raise NoTrade(i)
    spent = _least_spend(case, _joined(case, runs))
    room = case.most_spend - spent.sum() + spent
    runs = [_runs(case, i, float(room[i])) for i in range(case.size)]
    if not all(runs):
        raise Infeasible
    return _joined(case, runs)


def _joined(case: Trading, runs: list[list[tuple[int, int, float]]]) -> Pieces:
    asset = np.repeat(np.arange(case.size), [len(found) for found in runs])
    flat = [run for found in runs for run in found]
    first = np.array([run[0] for run in flat], dtype=np.int64)
    last = np.array([run[1] for run in flat], dtype=np.int64)
    odd = np.array([run[2] for run in flat])
    return Pieces(asset, first, last - first + 1, odd, case.lot[asset])


def _least_spend(case: Trading, pieces: Pieces) -> np.ndarray:
    """No asset can cost less (negative: bring in more), shape (n,)."""
    ends = ends_of(case, pieces)
    return np.minimum.reduceat(
        ends.spend - ends.dip, 2 * np.searchsorted(pieces.asset, np.arange(case.size)))


def ends_of(case: Trading, pieces: Pieces) -> Points:
    """The first and the last trade of every run, one after the other: 2 p points."""
    which = np.repeat(np.arange(len(pieces.asset)), 2)
    j = np.zeros(len(which), dtype=np.int64)
    j[1::2] = pieces.count - 1
    ends = case.at(pieces.asset[which], pieces.trade(which, j))
    value = ends.trade * case.unit[ends.asset]
    dip = case.charges.take(pieces.asset).dip(value[::2], value[1::2])
    return replace(ends, dip=np.repeat(dip, 2))


def _runs(case: Trading, i: int, room: float) -> list[tuple[int, int, float]]:
    """(first lot, last lot, odd units) of each run of asset i, where buying may spend ``room``."""
    unit, lot, held = float(case.unit[i]), float(case.lot[i]), float(case.quantity[i])
    low, high = float(case.lower[i]), float(case.upper[i])
    size = unit * lot
    slack = ROUNDING / size

    def lots_to(weight: float) -> float:
        return (weight / unit - held) / lot

    def floor(lots: float) -> int:
        return math.floor(min(lots + slack, MOST_LOTS))

    def ceil(lots: float) -> int:
        return math.ceil(max(lots - slack, -MOST_LOTS))

    charges = case.charges
    least = max(ceil(case.ticket / size), 1)
    payable = (room - charges.fee) / (1 + charges.commission) / size
    bottom, top = ceil(lots_to(low)), floor(lots_to(high))
    kinks = {floor(lots_to(weight)) for weight in (
        float(case.target[i]),
        *(float(row.centre[i]) for row in case.rows if row.absolute[i]))}
    if any(row.held is not None and row.held[i] for row in case.rows):
        kinks |= {floor(lots_to(0.0)), ceil(lots_to(0.0)) - 1}
    kinks |= _bends(charges.take(np.array([i])), lot, unit, max(-bottom, floor(payable), 1))
    found = _cut(bottom, min(top, -least), sorted(kinks))
    odd = abs(held - round(held / lot) * lot) * unit
    if odd > ROUNDING and low - ROUNDING <= 0 <= high + ROUNDING and (
            abs(held) * unit >= case.ticket - ROUNDING):
        found.append((0, 0, -held))
    if bottom <= 0 <= top:
        found.append((0, 0, 0.0))
    found += _cut(max(bottom, least), min(top, floor(payable)), sorted(kinks))
    if case.smallest > 0:
        tiny = floor(lots_to(-case.smallest)), ceil(lots_to(case.smallest))
        found = [part for run in found for part in _without(run, tiny, lots_to(0.0), slack)]
    return sorted(found, key=lambda run: run[0] * lot + run[2])


def _bends(charges: Charges, lot: float, unit: float, most: float) -> set[int]:
    """Where the costs of an order change their slope, in lots away from no trade, on both
    sides; with market impact, which bends everywhere, at steps of a few percent up to ``most``."""
    found: set[int] = set()
    a_lot = charges.commission * unit * lot + float(np.sum(charges.per_unit)) * lot
    if charges.minimum > 0 and a_lot > 0:
        found.add(math.floor(min(charges.minimum / a_lot, MOST_LOTS)))
    if np.any(charges.impact):
        step = 1
        while step < min(most, MOST_LOTS):
            found.add(step)
            step = max(step + 1, int(step * _BENT))
    return found | {-lots - 1 for lots in found}


def _without(
    run: tuple[int, int, float], tiny: tuple[int, int], nothing: float, slack: float
) -> list[tuple[int, int, float]]:
    """The run less the lots between ``tiny`` that leave neither nothing nor enough."""
    first, last, odd = run
    if odd:
        return [run]
    parts = [(first, min(last, tiny[0]), odd), (max(first, tiny[1]), last, odd)]
    zero = round(nothing)
    if abs(nothing - zero) <= slack and tiny[0] < zero < tiny[1] and first <= zero <= last:
        parts.insert(1, (zero, zero, odd))
    return [part for part in parts if part[0] <= part[1]]


def _cut(first: int, last: int, kinks: list[int]) -> list[tuple[int, int, float]]:
    """The lots first..last in runs that end at a kink or before one."""
    runs = []
    for kink in kinks:
        if first <= kink < last:
            runs.append((first, kink, 0.0))
            first = kink + 1
    if first <= last:
        runs.append((first, last, 0.0))
    return runs
