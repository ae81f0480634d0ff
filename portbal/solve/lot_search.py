"""The best trades in whole lots, by exact search.

The objective and every row are sums over the assets of functions of one trade each; spending
couples them. Prices (see ``lot_prices``) bound the objective, and what a trade loses against its
asset's own best at these prices is its loss: a portfolio within ``delta`` of the bound uses only
trades whose losses sum to ``delta`` at most. Those are combined asset by asset, dropping partial
portfolios that another one beats whatever follows, for growing ``delta``, until one is permitted.
Dynamic programming with dominance, bounds and a core: Kellerer, Pferschy and Pisinger (2004),
Knapsack Problems, chapters 3, 5 and 11.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from portbal.solve import Infeasible, Unproven
from portbal.solve.lot_prices import Prices, best_prices, free_spend, prices_at
from portbal.solve.lot_program import relaxed, solved
from portbal.solve.lot_states import Partials, classes, undominated, undominated_in_rows
from portbal.solve.lots import ROUNDING, Pieces, Points, Trading, ends_of, pieces_of

_FIRST_BITS = 8  # the first sweep of a node is over about 2 ** _FIRST_BITS portfolios
_FEW = 300  # partial portfolios of an easy sweep
_MOST_TRADES = 200_000  # of one run
_MIXED = 1e-9
_TIES = 10 * ROUNDING
_EASY = 300_000  # partial portfolios until which only the very best will do
ENOUGH = 1e-8  # of net assets: after that, what is proved to be so near to the best
_EVERYTHING = 1e9  # a loss that no portfolio has


@dataclass(frozen=True)
class _Effort:
    """widths: partial portfolios kept in a sweep, at first and when there is nothing to split;
    expanded: those looked at to add one asset; nodes and partial portfolios in all; beam: kept
    once a sweep cannot be complete any more, 0 to end it there."""

    widths: tuple[int, ...]
    expanded: int
    nodes: int
    states: int
    beam: int


_PLAIN = _Effort((2_000, 30_000), 4_000_000, 1_000, 3_000_000, 250)
_COUPLED = _Effort((1_000,), 100_000, 40, 60_000, 0)


@dataclass(frozen=True)
class Found:
    """trade (n,) in units; objective, cost: see Trading; bound: no permitted portfolio has a
    lower objective; states: partial portfolios looked at."""

    trade: np.ndarray
    objective: float
    cost: float
    bound: float
    states: int

    @classmethod
    def of(cls, case: Trading, trade: np.ndarray) -> Found:
        objective = case.objective(trade)
        return cls(trade, objective, math.fsum(case.costs(trade)), objective, 0)

    @property
    def gap(self) -> float:
        """What a better portfolio could still gain; 0 when this is proved to be the best."""
        return max(self.objective - self.bound, 0.0)


@dataclass(frozen=True)
class _Node:
    """Part of the permitted trades. floor: no portfolio of it has a lower objective; share:
    how much of each end the relaxed solution holds, shape (2 p,)."""

    pieces: Pieces
    ends: Points
    prices: Prices
    share: np.ndarray
    floor: float

    @classmethod
    def of(cls, case: Trading, pieces: Pieces, floor: float) -> _Node | None:
        """None when its trades cannot be paid for, or break a row."""
        ends = ends_of(case, pieces)
        if _least_spend(ends, case.size) > case.most_spend + ROUNDING:
            return None
        if not case.rows:
            prices = best_prices(case, ends)
            share = (prices.losses(ends) <= _MIXED).astype(float)
            return cls(pieces, ends, prices, share, max(prices.bound, floor))
        try:
            program = relaxed(case, ends)
        except Infeasible:
            return None
        prices = prices_at(case, ends, program.spend, program.rows)
        return cls(pieces, ends, prices, program.share, max(prices.bound, floor))

    def halves(self, case: Trading) -> tuple[Pieces, Pieces] | None:
        """Split where the relaxed solution mixes two trades of an asset that lie far apart;
        None when it mixes none."""
        held = np.flatnonzero(self.share > _MIXED)
        asset, weight = self.ends.asset[held], self.share[held]
        value = self.ends.trade[held] * case.unit[asset]
        mean = np.bincount(asset, value * weight, case.size) / np.bincount(
            asset, weight, case.size)
        spread = np.bincount(asset, weight * np.abs(value - mean[asset]), case.size)
        for i in np.argsort(-spread, kind="stable"):
            if spread[i] <= 0:
                return None
            own = held[asset == i]
            first, last = int(own[0]) // 2, int(own[-1]) // 2
            if first < last:
                return self.pieces.split(first, int(self.pieces.count[first]) - 1)
            length = int(self.pieces.count[first]) - 1
            j = length * float(self.share[own[-1]] / self.share[own].sum())
            if case.rows and _MIXED < j % 1 < 1 - _MIXED:
                return self.pieces.split(first, math.floor(j))
        return None


@dataclass(frozen=True)
class _Explored:
    """trade: the best found in a node; closed: no other one in it can be better; floor: no
    portfolio of it has a lower objective."""

    trade: np.ndarray | None
    closed: bool
    floor: float
    states: int


def best_trades(case: Trading) -> Found:
    """The best permitted trades (see Trading).

    The search is exact, ties included. Where it gets too wide, which happens when rows couple
    the assets, HiGHS solves the rest to ACCURACY and ties are left to it.

    Infeasible when nothing is permitted; Unproven when nothing was found in time.
    """
    if not case.size:
        if not case.permits(np.zeros(0)):
            raise Infeasible
        return Found.of(case, np.zeros(0))
    pieces = pieces_of(case)
    root = _Node.of(case, pieces, -np.inf)
    if root is None:
        raise Infeasible
    effort = _COUPLED if case.rows else _PLAIN
    best: Found | None = None
    nodes = [(root.floor, 0, root, 0)]
    number, states, unexplored = 1, 0, np.inf
    while nodes and (best is None or nodes[0][0] <= best.objective + _TIES):
        if best is not None and states > _EASY and best.objective - nodes[0][0] <= ENOUGH:
            return replace(best, bound=min(nodes[0][0], unexplored), states=states)
        floor, _, node, level = heapq.heappop(nodes)
        if states > effort.states or number > effort.nodes:
            unexplored = min(unexplored, floor)
            break
        ceiling = np.inf if best is None else best.objective
        explored = _explored(case, node, ceiling, effort, effort.widths[level])
        states += explored.states
        if explored.trade is not None:
            found = Found.of(case, explored.trade)
            if best is None or _better(case, found, best):
                best = found
        if explored.closed:
            continue
        halves = node.halves(case)
        for half in halves or ():
            child = _Node.of(case, half, explored.floor)
            if child is not None:
                heapq.heappush(nodes, (child.floor, number, child, 0))
                number += 1
        if halves is None and level + 1 < len(effort.widths):
            heapq.heappush(nodes, (explored.floor, number, node, level + 1))
            number += 1
        elif halves is None:
            unexplored = min(unexplored, explored.floor)
    if np.isfinite(unexplored):
        return _finished(case, pieces, best, unexplored, states)
    if best is None:
        raise Infeasible
    return replace(best, states=states)


def _finished(
    case: Trading, pieces: Pieces, best: Found | None, bound: float, states: int
) -> Found:
    """What HiGHS makes of a search that was cut short."""
    rest = solved(case, pieces)
    if rest.trade is not None:
        found = Found.of(case, rest.trade)
        if best is None or _better(case, found, best):
            best = found
    if best is None:
        raise Unproven
    return replace(best, bound=min(max(bound, rest.bound), best.objective), states=states)


def _better(case: Trading, one: Found, other: Found) -> bool:
    """Whether one comes before the other: objective, cost, then the assets in order."""
    for a, b in ((one.objective, other.objective), (one.cost, other.cost)):
        if abs(a - b) > ROUNDING:
            return a < b
    gaps = (np.abs(case.held_after(found.trade) - case.target) for found in (one, other))
    for i, (a, b) in enumerate(zip(*gaps, strict=True)):
        if abs(a - b) > ROUNDING:
            return bool(a < b)
        x, y = float(one.trade[i]), float(other.trade[i])
        if x != y:
            return (abs(x), x) < (abs(y), y)
    return False


def _explored(
    case: Trading, node: _Node, ceiling: float, effort: _Effort, width: int
) -> _Explored:
    """Sweeps with growing delta, until the best is found or partial portfolios get too many."""
    delta = _first_delta(case, node)
    most = min(max(ceiling - node.prices.bound, 0.0), _EVERYTHING)
    floor, states = node.floor, 0
    while True:
        delta = min(delta, most)
        frame = _Frame(case, node.pieces, node.ends, node.prices, delta)
        swept = _sweep(frame, effort, width)
        states += swept.states
        if swept.complete and (swept.trade is not None or delta >= most):
            return _Explored(swept.trade, True, floor, states)
        if swept.complete:
            floor = max(floor, node.prices.bound + delta)
        if not swept.complete or swept.states > 3 * width:
            trade = swept.trade
            while trade is None and effort.beam and delta < most:
                delta = min(16 * delta, most)
                rough = _sweep(_Frame(case, node.pieces, node.ends, node.prices, delta), effort,
                               effort.beam)
                trade, states = rough.trade, states + rough.states
            return _Explored(trade, False, floor, states)
        delta *= 4 if swept.states < _FEW else 2
        if swept.has_every_trade:
            delta = _EVERYTHING


def _least_spend(ends: Points, n: int) -> float:
    """All assets together cannot cost less."""
    lowest = ends.spend - ends.dip
    return float(np.minimum.reduceat(lowest, np.searchsorted(ends.asset, np.arange(n))).sum())


def _first_delta(case: Trading, node: _Node) -> float:
    """A loss that leaves about 2 ** _FIRST_BITS portfolios to look at."""
    delta = 8 * ROUNDING
    while delta < 1e3:
        first, last = _within(node.pieces, node.ends, node.prices, delta, margin=0)
        choices = np.bincount(node.pieces.asset, np.maximum(last - first + 1, 0), case.size)
        if np.log2(np.maximum(choices, 1)).sum() >= _FIRST_BITS:
            break
        delta *= 2
    return delta


def _within(
    pieces: Pieces, ends: Points, prices: Prices, delta: float, margin: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The part of each run, first and last j, whose loss is at most delta (or a little more)."""
    losses = prices.losses(ends)
    a, b, most = losses[::2], losses[1::2], delta + _TIES
    length = pieces.count - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.clip(np.nan_to_num((most - a) / (b - a), nan=0.0), 0, 1) * length
    first = np.where(a <= most, 0, np.maximum(np.ceil(crossing) - margin, 0))
    last = np.where(b <= most, length, np.minimum(np.floor(crossing) + margin, length))
    last = np.where(np.minimum(a, b) <= most, last, first - 1)
    return first.astype(np.int64), last.astype(np.int64)


# --- one sweep -----------------------------------------------------------------------------

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
class _Swept:
    """trade: the best found; complete: nothing within delta was left out; has_every_trade: no
    trade was left out for its loss; states: partial portfolios looked at."""

    trade: np.ndarray | None
    complete: bool
    has_every_trade: bool
    states: int


class _Frame:
    """What holds throughout one sweep."""

    def __init__(
        self, case: Trading, pieces: Pieces, ends: Points, prices: Prices, delta: float
    ) -> None:
        self.case, self.prices, self.delta = case, prices, delta
        self.low, self.high = case.row_bounds()
        self.slack = np.array([row.slack for row in case.rows])
        self.free = free_spend(case, prices.spend)
        self.tail = abs(case.wanted_spend - self.free) - prices.spend * self.free
        first, last = _within(pieces, ends, prices, delta)
        number = np.maximum(last - first + 1, 0)
        self.complete = bool((number <= _MOST_TRADES).all())
        losses = prices.losses(ends)
        late = (number > _MOST_TRADES) & (losses[::2] > losses[1::2])
        first = np.where(late, last - _MOST_TRADES + 1, first)
        number = np.minimum(number, _MOST_TRADES)
        which = np.repeat(np.arange(len(number)), number)
        j = np.arange(len(which)) - np.repeat(np.cumsum(number) - number - first, number)
        points = case.at(pieces.asset[which], pieces.trade(which, j))
        inside = np.flatnonzero(prices.losses(points) <= delta + _TIES)
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
        price, wanted, room = self.prices.spend, self.case.wanted_spend, self.delta + _TIES - loss
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


def _sweep(frame: _Frame, effort: _Effort, width: int) -> _Swept:
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
            return _Swept(None, False, frame.has_every_trade, states)
        bounds = frame.bounds(grown, own, least[step + 1], most[step + 1])
        kept = np.flatnonzero(bounds <= frame.delta + _TIES)
        states += len(kept)
        if not len(kept):
            return _Swept(None, complete, frame.has_every_trade, states)
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
        frame.bounds(partials, own, nothing, nothing) <= frame.delta + _TIES)
    if not len(kept):
        return _Swept(None, complete, frame.has_every_trade, states)
    partials = partials.take(kept)
    value = partials.gap + np.abs(case.wanted_spend - partials.spend)
    winner = partials.rank[int(np.argmin(partials.places(value)))]
    rank = np.zeros(case.size, dtype=np.int64)
    rank[free] = winner
    trade = np.array([
        c.trade(int(r)) if len(c.rank) > 1 else float(c.points.trade[0])
        for c, r in zip(choices, rank, strict=True)])
    return _Swept(trade, complete, frame.has_every_trade, states)


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
    frame: _Frame, partials: Partials, choices: _Choices, column: int, own: float,
    at_most: int, most: np.ndarray, least: np.ndarray,
) -> tuple[Partials, bool]:
    """Every partial portfolio with every trade of one more asset that its spending permits."""
    loss = frame.loss(partials, own)
    lowest, highest = frame.window(loss)
    spend = choices.points.spend
    first = np.searchsorted(spend, lowest - partials.spend - most[0] - _TIES, "left")
    last = np.searchsorted(spend, highest - partials.spend - least[0] + _TIES, "right")
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
