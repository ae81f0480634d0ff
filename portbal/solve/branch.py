"""Branch and bound over convex relaxations, best bound first.

Land and Doig (1960), An automatic method of solving discrete programming problems.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

import numpy as np

from portbal.solve import Infeasible, Unproven

Node = TypeVar("Node")


@dataclass(frozen=True)
class Relaxed:
    """The optimum of a node's relaxation. bound: no point of the node has a lower objective;
    weights (n,); held (n,): how far each asset counts as held, where that is undecided;
    residual, gap: the proof of the relaxation itself; into, out (n,): how much the bound rises
    at least when an undecided asset is held, or is not."""

    bound: float
    weights: np.ndarray
    held: np.ndarray
    residual: float
    gap: float
    into: np.ndarray | None = None
    out: np.ndarray | None = None


@dataclass(frozen=True)
class Found(Generic[Node]):
    """The best point, the leaf where it was found, and how much a better one could still gain
    (relative to the best, at most 1; 0 when it is proved to be the best)."""

    best: Relaxed
    leaf: Node
    open_gap: float
    nodes: int


def branch_and_bound(
    root: Node,
    relax: Callable[[Node], Relaxed],
    complete: Callable[[Node, Relaxed], Node | None],
    split: Callable[[Node, Relaxed], Iterable[Node]],
    *,
    near: Callable[[Node, Relaxed, Relaxed], Iterable[Node]] | None = None,
    tighten: Callable[[Node, Relaxed, float], tuple[Node, bool]] | None = None,
    key: Callable[[Node], Hashable] = id,
    accuracy: float = 1e-9,
    unit: float = 1.0,
    most_nodes: int = 3_000,
) -> Found[Node]:
    """The least objective over the leaves.

    relax     the convex relaxation of a node; raises Infeasible
    complete  a leaf near a relaxed optimum, whose relaxation is exact, or None
    split     the nodes that cover a node; none when its relaxation is exact
    near      leaves beside one and its point, given a node's relaxation: tried for as long as
              that improves the best
    tighten   a node without what cannot be better than its bound plus so much, and whether
              that is enough to relax it once more before it is split
    key       what tells leaves apart, so that none is relaxed twice
    accuracy  relative to the objective plus ``unit``: less of a gain is none

    Until a point is found the newest node is next. Infeasible when no leaf has a point; Unproven
    when the root has no proof, or no point is found in ``most_nodes``. A node without a proof
    keeps the bound above it, a leaf without one stays open. With ``most_nodes`` relaxed the best
    point so far is returned with the gap that is left open.
    """
    from threadpoolctl import threadpool_limits

    order = count()
    best: Relaxed | None = None
    best_leaf: Node | None = None
    heap: list[tuple[float, int, Node, Relaxed]] = []
    tried: set[Hashable] = set()
    left = np.inf  # the lowest bound of leaves without a proof

    def tolerance() -> float:
        return np.inf if best is None else best.bound - accuracy * (unit + abs(best.bound))

    def attempt(leaf: Node) -> bool:
        """Whether a leaf that was not tried yet is better than the best."""
        nonlocal best, best_leaf
        if key(leaf) in tried:
            return False
        try:
            point = relax(leaf)
        except Infeasible:
            tried.add(key(leaf))
            return False
        except Unproven:
            return False
        tried.add(key(leaf))
        if point.bound >= tolerance():
            return False
        best, best_leaf = point, leaf
        return True

    def improve(relaxed: Relaxed) -> None:
        while best is not None and best_leaf is not None and near is not None:
            found = False
            for leaf in near(best_leaf, best, relaxed):
                found |= attempt(leaf)
            if not found:
                return

    def consider(node: Node, above: Relaxed | None = None) -> None:
        try:
            relaxed = relax(node)
        except Infeasible:
            return
        except Unproven:
            if above is None:
                raise
            heapq.heappush(heap, (above.bound, next(order), node, above))
            return
        if relaxed.bound >= tolerance():
            return
        leaf = complete(node, relaxed)
        if leaf is not None and attempt(leaf) and relaxed.bound < tolerance():
            improve(relaxed)
        if relaxed.bound < tolerance():
            heapq.heappush(heap, (relaxed.bound, next(order), node, relaxed))

    nodes = 1
    with threadpool_limits(limits=1):  # many small factorisations: threads only wait
        consider(root)
        while heap and heap[0][0] < tolerance() and nodes < most_nodes:
            _, _, node, relaxed = _newest(heap) if best is None else heapq.heappop(heap)
            again = False
            if tighten is not None:
                node, again = tighten(node, relaxed, tolerance() - relaxed.bound)
            children = [node] if again else list(split(node, relaxed))
            if not children and key(node) not in tried:
                left = min(left, relaxed.bound)
            for child in children:
                nodes += 1
                consider(child, relaxed)
    if best is None or best_leaf is None:
        if heap or left < np.inf:
            raise Unproven(f"no permitted portfolio in {nodes:,} branches")
        raise Infeasible
    lowest = min(left, best.bound, *(entry[0] for entry in heap[:1]))
    open_ = best.bound - lowest
    closed = open_ <= accuracy * (unit + abs(best.bound))
    return Found(best, best_leaf, 0.0 if closed else open_ / max(abs(best.bound), open_), nodes)


def _newest(
    heap: list[tuple[float, int, Node, Relaxed]]
) -> tuple[float, int, Node, Relaxed]:
    """Takes what was added last from a heap."""
    entry = heap.pop(max(range(len(heap)), key=lambda i: heap[i][1]))
    heapq.heapify(heap)
    return entry
