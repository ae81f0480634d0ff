"""Branch and bound over convex relaxations, best bound first.

Land and Doig (1960), An automatic method of solving discrete programming problems.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

import numpy as np

from portbal.solve import Infeasible

Node = TypeVar("Node")


@dataclass(frozen=True)
class Relaxed:
    """The optimum of a node's relaxation. bound: no point of the node has a lower objective;
    weights (n,); held (n,): how far each asset counts as held, where that is undecided;
    residual, gap: the proof of the relaxation itself."""

    bound: float
    weights: np.ndarray
    held: np.ndarray
    residual: float
    gap: float


@dataclass(frozen=True)
class Found(Generic[Node]):
    """The best point, where it was found, and how much a better one could still gain
    (relative; 0 when it is proved to be the best)."""

    best: Relaxed
    open_gap: float
    nodes: int


def branch_and_bound(
    root: Node,
    relax: Callable[[Node], Relaxed],
    complete: Callable[[Node, Relaxed], Node | None],
    split: Callable[[Node, Relaxed], Iterable[Node]],
    *,
    accuracy: float = 1e-9,
    most_nodes: int = 3_000,
) -> Found[Node]:
    """The least objective over the leaves.

    relax     the convex relaxation of a node; raises Infeasible
    complete  a leaf near a relaxed optimum, whose relaxation is exact, or None
    split     the nodes that cover a node; none when its relaxation is exact

    Infeasible when no leaf has a point. With ``most_nodes`` used up the best point so far is
    returned with the gap that is left open.
    """
    from threadpoolctl import threadpool_limits

    order = count()
    best: Relaxed | None = None
    heap: list[tuple[float, int, Node, Relaxed]] = []

    def tolerance() -> float:
        return np.inf if best is None else best.bound - accuracy * (1 + abs(best.bound))

    def consider(node: Node) -> None:
        nonlocal best
        try:
            relaxed = relax(node)
        except Infeasible:
            return
        if relaxed.bound >= tolerance():
            return
        leaf = complete(node, relaxed)
        if leaf is not None:
            try:
                point = relax(leaf)
            except Infeasible:
                pass
            else:
                if best is None or point.bound < best.bound:
                    best = point
        if relaxed.bound < tolerance():
            heapq.heappush(heap, (relaxed.bound, next(order), node, relaxed))

    nodes = 1
    with threadpool_limits(limits=1):  # many small factorisations: threads only wait
        consider(root)
        while heap and heap[0][0] < tolerance() and nodes < most_nodes:
            _, _, node, relaxed = heapq.heappop(heap)
            for child in split(node, relaxed):
                nodes += 1
                consider(child)
    if best is None:
        raise Infeasible
    lowest = min((entry[0] for entry in heap), default=best.bound)
    open_gap = max(best.bound - lowest, 0.0) / (1 + abs(best.bound))
    return Found(best, open_gap if open_gap > accuracy else 0.0, nodes)
