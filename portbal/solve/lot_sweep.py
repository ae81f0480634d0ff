"""One sweep of the search over lots: all portfolios whose losses sum to delta at most, combined
asset by asset, without those that another one beats whatever follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from portbal.solve.lot_prices import Prices, free_spend
from portbal.solve.lot_states import Partials, classes, undominated, undominated_in_rows
from portbal.solve.lots import ROUNDING, Pieces, Points, Trading

TIES = 10 * ROUNDING
_MOST_TRADES = 200_000  # of one run


@dataclass(frozen=True)
class Effort:
    """widths: partial portfolios kept in a sweep, at first and when there is nothing to split;
    expanded: those looked at to add one asset; nodes and partial portfolios in all; beam: kept
    once a sweep cannot be complete any more, 0 to end it there."""

    widths: tuple[int, ...]
    expanded: int
    nodes: int
    states: int
    beam: int


def within(
    pieces: Pieces, ends: Points, prices: Prices, delta: float, margin: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The part of each run, first and last j, whose loss is at most delta (or a little more)."""
    losses = prices.losses(ends)
    a, b, most = losses[::2], losses[1::2], delta + TIES
    length = pieces.count - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.clip(np.nan_to_num((most - a) / (b - a), nan=0.0), 0, 1) * length
    first = np.where(a <= most, 0, np.maximum(np.ceil(crossing) - margin, 0))
    last = np.where(b <= most, length, np.minimum(np.floor(crossing) + margin, length))
    last = np.where(np.minimum(a, b) <= most, last, first - 1)
    return first.astype(np.int64), last.astype(np.int64)


@dataclass(frozen=True)
class _Choices:
    """The trades of one asset that are looked at, by increasing spend, shape (k,); rank: the
    place of each in the order in which the asset would like them."""

    points: Points
    rank: np.ndarray

    @classmethod
    def of(cls, points: Points, *, coupled: bool) -> _Choices:
        if len(points.trade) == 1:
            return cls(points, np.zeros(1, dtype=np.int64))
        order = np.lexsort((points.trade, np.abs(points.trade), classes(points.gap)))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        if not coupled:
            alone = Partials(points.spend, points.gap, points.cost, points.rows,
                             rank[:, None].astype(">u4"))
            kept = undominated(alone)
            points, rank = points.take(kept), rank[kept]
        by_spend = np.argsort(points.spend, kind="stable")
        return cls(points.take(by_spend), rank[by_spend])

    def trade(self, rank: int) -> float:
        return float(self.points.trade[self.rank == rank][0])


@dataclass(frozen=True)
class Swept:
    """trade: the best found; complete: nothing within delta was left out; has_every_trade: no
    trade was left out for its loss; states: partial portfolios looked at."""

    trade: np.ndarray | None
    complete: bool
    has_every_trade: bool
    states: int


class Frame:
    """What holds throughout one sweep."""

    def __init__(
        self, case: Trading, pieces: Pieces, ends: Points, prices: Prices, delta: float
    ) -> None:
        self.case, self.prices, self.delta = case, prices, delta
        self.low, self.high = case.row_bounds()
        self.slack = np.array([row.slack for row in case.rows])
        self.free = free_spend(case, prices.spend)
        self.tail = abs(case.wanted_spend - self.free) - prices.spend * self.free
        first, last = within(pieces, ends, prices, delta)
        number = np.maximum(last - first + 1, 0)
        self.complete = bool((number <= _MOST_TRADES).all())
        losses = prices.losses(ends)
        late = (number > _MOST_TRADES) & (losses[::2] > losses[1::2])
        first = np.where(late, last - _MOST_TRADES + 1, first)
        number = np.minimum(number, _MOST_TRADES)
        which = np.repeat(np.arange(len(number)), number)
        j = np.arange(len(which)) - np.repeat(np.cumsum(number) - number - first, number)
        points = case.at(pieces.asset[which], pieces.trade(which, j))
        inside = np.flatnonzero(prices.losses(points) <= delta + TIES)
        self.has_every_trade = len(inside) == pieces.count.sum()
        points = points.take(inside)
        edge = np.searchsorted(points.asset, np.arange(case.size + 1))
        self.choices = [
            _Choices.of(points.take(slice(a, b)), coupled=bool(case.rows))
            for a, b in pairwise(edge)]

    def loss(self, partials: Partials, own: float) -> np.ndarray:
        """The losses so far, where ``own`` is what the assets so far lose least."""
        prices = self.prices
        return partials.gap + prices.spend * partials.spend - prices.rows @ partials.rows - own

    def window(self, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least and most spending in the end, so that the loss stays within delta."""
        price, wanted, room = self.prices.spend, self.case.wanted_spend, self.delta + TIES - loss
        most = np.full(len(loss), self.case.most_spend)
        if price < 1:
            most = np.minimum(most, (room + wanted + self.tail) / (1 - price))
        least = np.full(len(loss), -np.inf)
        if price > -1:
            least = (wanted - self.tail - room) / (1 + price)
        if self.case.most_spend > wanted and price > 1:
            least = np.where(least <= wanted, least, (room + wanted + self.tail) / (1 - price))
        return least, most

    def bounds(
        self, partials: Partials, own: float, least: np.ndarray, most: np.ndarray
    ) -> np.ndarray:
        """A lower bound on the loss in the end, infinite where a row cannot hold. least, most
        (1 + m,): what the assets to come may spend and add to the rows."""
        limit = self.case.most_spend
        lowest = partials.spend + least[0]
        end = np.clip(self.free, lowest, np.minimum(partials.spend + most[0], limit))
        end = np.maximum(end, lowest)
        total = self.loss(partials, own)
        total += np.abs(self.case.wanted_spend - end) - self.prices.spend * end - self.tail
        total[lowest > limit + ROUNDING] = np.inf
        for r, price in enumerate(self.prices.rows):
            down, up = partials.rows[r] + least[1 + r], partials.rows[r] + most[1 + r]
            if price > 0:
                total += price * np.maximum(down - self.low[r], 0)
            elif price < 0:
                total -= price * np.maximum(self.high[r] - up, 0)
            slack = self.slack[r]
            total[(up < self.low[r] - slack) | (down > self.high[r] + slack)] = np.inf
        return total


def sweep(frame: Frame, effort: Effort, width: int) -> Swept:
    """All portfolios whose losses sum to delta at most, combined asset by asset."""
    case, choices = frame.case, frame.choices
    free = [i for i, c in enumerate(choices) if len(c.rank) > 1]
    fixed = [i for i, c in enumerate(choices) if len(c.rank) == 1]
    order = sorted(free, key=lambda i: (-case.unit[i] * case.lot[i], i))
    least = _sums(choices, order, np.min)
    most = _sums(choices, order, np.max)
    own = float(frame.prices.least[fixed].sum())
    partials = _fixed(choices, fixed, len(case.rows), len(free))
    states, complete = 1, frame.complete
    for step, i in enumerate(order):
        before = own
        own += float(frame.prices.least[i])
        grown, all_of_them = _extended(
            frame, partials, choices[i], free.index(i), before, effort.expanded, most[step + 1],
            least[step + 1])
        complete = complete and all_of_them
        if not (complete or effort.beam):
            return Swept(None, False, frame.has_every_trade, states)
        bounds = frame.bounds(grown, own, least[step + 1], most[step + 1])
        kept = np.flatnonzero(bounds <= frame.delta + TIES)
        states += len(kept)
        if not len(kept):
            return Swept(None, complete, frame.has_every_trade, states)
        grown = grown.take(kept)
        if not case.rows:
            best = undominated(grown)
        else:
            best = undominated_in_rows(
                grown, frame.low - least[step + 1][1:], frame.high - most[step + 1][1:],
                frame.slack)
        if len(best) > width:
            complete, width = False, min(width, effort.beam)
            best = np.sort(best[np.argsort(bounds[kept][best], kind="stable")[:width]])
        partials = grown.take(best)
    nothing = np.zeros(1 + len(case.rows))
    kept = np.flatnonzero(
        frame.bounds(partials, own, nothing, nothing) <= frame.delta + TIES)
    if not len(kept):
        return Swept(None, complete, frame.has_every_trade, states)
    partials = partials.take(kept)
    value = partials.gap + np.abs(case.wanted_spend - partials.spend)
    winner = partials.rank[int(np.argmin(partials.places(value)))]
    rank = np.zeros(case.size, dtype=np.int64)
    rank[free] = winner
    trade = np.array([
        c.trade(int(r)) if len(c.rank) > 1 else float(c.points.trade[0])
        for c, r in zip(choices, rank, strict=True)])
    return Swept(trade, complete, frame.has_every_trade, states)


def _fixed(choices: Sequence[_Choices], fixed: list[int], rows: int, free: int) -> Partials:
    """The one portfolio of the assets that have no choice."""
    points = [choices[i].points for i in fixed]
    return Partials(
        np.array([sum(float(p.spend[0]) for p in points)]),
        np.array([sum(float(p.gap[0]) for p in points)]),
        np.array([sum(float(p.cost[0]) for p in points)]),
        sum((p.rows for p in points), np.zeros((rows, 1))),
        np.zeros((1, free), dtype=">u4"),
    )


def _sums(
    choices: Sequence[_Choices], order: list[int], extreme: Callable[..., np.ndarray]
) -> list[np.ndarray]:
    """Of the assets from each place of the order on: the least (or most) spend and rows,
    shape (1 + m,) each."""
    total = np.zeros(1 + len(choices[0].points.rows))
    found = [total]
    for i in reversed(order):
        points = choices[i].points
        total = total + extreme(np.vstack([points.spend, points.rows]), axis=1)
        found.append(total)
    return found[::-1]


def _extended(
    frame: Frame, partials: Partials, choices: _Choices, column: int, own: float,
    at_most: int, most: np.ndarray, least: np.ndarray,
) -> tuple[Partials, bool]:
    """Every partial portfolio with every trade of one more asset that its spending permits."""
    loss = frame.loss(partials, own)
    lowest, highest = frame.window(loss)
    spend = choices.points.spend
    first = np.searchsorted(spend, lowest - partials.spend - most[0] - TIES, "left")
    last = np.searchsorted(spend, highest - partials.spend - least[0] + TIES, "right")
    number = np.maximum(last - first, 0)
    complete = bool(number.sum() <= at_most)
    if not complete:
        kept = np.argsort(loss, kind="stable")
        kept = kept[: max(int(np.searchsorted(np.cumsum(number[kept]), at_most)), 1)]
        partials, first, number = partials.take(kept), first[kept], number[kept]
    parent = np.repeat(np.arange(len(partials)), number)
    choice = np.arange(len(parent)) - np.repeat(np.cumsum(number) - number - first, number)
    rank = partials.rank[parent]
    rank[:, column] = choices.rank[choice]
    points = choices.points
    return Partials(
        partials.spend[parent] + spend[choice],
        partials.gap[parent] + points.gap[choice],
        partials.cost[parent] + points.cost[choice],
        partials.rows[:, parent] + points.rows[:, choice],
        rank,
    ), complete
