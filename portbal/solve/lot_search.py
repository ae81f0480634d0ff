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
from dataclasses import dataclass, replace

import numpy as np

from portbal.solve import Infeasible, Unproven
from portbal.solve.lot_prices import Prices, best_prices, prices_at
from portbal.solve.lot_program import relaxed, solved
from portbal.solve.lot_sweep import TIES, Effort, Frame, sweep, within
from portbal.solve.lots import ROUNDING, Pieces, Points, Trading, ends_of, pieces_of

_FIRST_BITS = 8  # the first sweep of a node is over about 2 ** _FIRST_BITS portfolios
_FEW = 300  # partial portfolios of an easy sweep
_MIXED = 1e-9
_MOST_RUNS = 10_000  # of all assets, for HiGHS to look at every one
_EASY = 300_000  # partial portfolios after which something must be found, and near is enough
ENOUGH = 1e-8  # of net assets: after that, what is proved to be so near to the best
_EVERYTHING = 1e9  # a loss that no portfolio has
_PLAIN = Effort((2_000, 30_000), 4_000_000, 1_000, 3_000_000, 250)
_COUPLED = Effort((1_000,), 100_000, 40, 60_000, 0)


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

    def near(self, case: Trading) -> Pieces:
        """The runs within a tenth and two lots of the relaxed solution, and no trade."""
        value = self.ends.trade * case.unit[self.ends.asset]
        held = np.bincount(self.ends.asset, self.share, case.size)
        mean = np.bincount(self.ends.asset, value * self.share, case.size) / held
        reach = np.abs(mean) / 10 + 2 * case.lot * case.unit
        asset = self.pieces.asset
        first, last = value[::2], value[1::2]
        close = (last >= (mean - reach)[asset]) & (first <= (mean + reach)[asset])
        return self.pieces.take(close | ((first == 0) & (last == 0)))

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
    hundreds of assets, it ends within ENOUGH of the best, or HiGHS solves the rest to ACCURACY
    and ties are left to it. With market impact under rows that may leave a larger gap.

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
    if case.rows and len(pieces.asset) > _MOST_RUNS:
        return _finished(case, root, None, root.floor, 0)
    best: Found | None = None
    nodes = [(root.floor, 0, root, 0)]
    number, states, unexplored = 1, 0, np.inf
    while nodes and (best is None or nodes[0][0] <= best.objective + TIES):
        if best is not None and states > _EASY and best.objective - nodes[0][0] <= ENOUGH:
            return replace(best, bound=min(nodes[0][0], unexplored), states=states)
        floor, _, node, level = heapq.heappop(nodes)
        if states > (effort.states if best else _EASY) or number > effort.nodes:
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
        return _finished(case, root, best, unexplored, states)
    if best is None:
        raise Infeasible
    return replace(best, states=states)


def _finished(
    case: Trading, root: _Node, best: Found | None, bound: float, states: int
) -> Found:
    """What HiGHS makes of a search that was cut short: of all trades, or where there are too many
    runs of those that are near to the relaxed solution."""
    rest = None
    if len(root.pieces.asset) > _MOST_RUNS:
        try:
            rest = solved(case, root.near(case))
        except Infeasible:
            rest = None
        else:
            rest = replace(rest, bound=bound)
    if rest is None or rest.trade is None:
        rest = solved(case, root.pieces)
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
    case: Trading, node: _Node, ceiling: float, effort: Effort, width: int
) -> _Explored:
    """Sweeps with growing delta, until the best is found or partial portfolios get too many."""
    delta = _first_delta(case, node)
    most = min(max(ceiling - node.prices.bound, 0.0), _EVERYTHING)
    floor, states = node.floor, 0
    while True:
        delta = min(delta, most)
        frame = Frame(case, node.pieces, node.ends, node.prices, delta)
        swept = sweep(frame, effort, width)
        states += swept.states
        if swept.complete and (swept.trade is not None or delta >= most):
            return _Explored(swept.trade, True, floor, states)
        if swept.complete:
            floor = max(floor, node.prices.bound + delta)
        if not swept.complete or swept.states > 3 * width:
            return _Explored(swept.trade, False, floor, states)
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
        first, last = within(node.pieces, node.ends, node.prices, delta, margin=0)
        choices = np.bincount(node.pieces.asset, np.maximum(last - first + 1, 0), case.size)
        if np.log2(np.maximum(choices, 1)).sum() >= _FIRST_BITS:
            break
        delta *= 2
    return delta
