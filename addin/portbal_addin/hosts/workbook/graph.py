"""Which formula waits for which: the order of portbal calls, circles, and what is out of date.

The order only saves work. That nothing changes any more, not this graph, ends a recalculation,
since INDIRECT and growing spills depend on more than a formula shows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from portbal_addin.hosts.workbook.content import Expression, PortbalCall, Spill
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Area, Spot

Node = Formula | PortbalCall
MOST_STEPS = 3_000_000


class Index:
    """Formulas by place. fills: what each formula fills."""

    def __init__(self, formulas: Iterable[Formula], fills: Callable[[Formula], Area]) -> None:
        self._fills = fills
        self.at: dict[Spot, Formula] = {}
        self._columns: dict[int, dict[int, list[int]]] = {}
        self._wide: dict[int, list[Formula]] = {}
        for formula in formulas:
            self.at[formula.spot] = formula
            if formula.kind != "plain":
                self._wide.setdefault(formula.spot.sheet, []).append(formula)
            else:
                columns = self._columns.setdefault(formula.spot.sheet, {})
                columns.setdefault(formula.spot.column, []).append(formula.spot.row)
        for columns in self._columns.values():
            for rows in columns.values():
                rows.sort()

    def within(self, area: Area) -> Iterator[Formula]:
        """The formulas that fill any cell of an area."""
        if area.is_cell:
            single = self.at.get(area.first)
            if single is not None:
                yield single
                return
        else:
            columns = self._columns.get(area.sheet, {})
            if area.width < len(columns):
                chosen = [c for c in range(area.left, area.right + 1) if c in columns]
            else:
                chosen = [c for c in columns if area.left <= c <= area.right]
            for column in chosen:
                rows = columns[column]
                first, last = bisect_left(rows, area.top), bisect_right(rows, area.bottom)
                for row in rows[first:last]:
                    yield self.at[Spot(area.sheet, row, column)]
        for formula in self._wide.get(area.sheet, ()):
            if self._fills(formula).meets(area):
                yield formula


def reads(content: Expression | PortbalCall) -> Iterator[Area | Spill | PortbalCall]:
    """What is read directly: areas, spills and results of calls."""
    if isinstance(content, PortbalCall):
        for argument in content.arguments:
            if isinstance(argument, (Area, Spill, PortbalCall)):
                yield argument
            elif isinstance(argument, Expression):
                yield from reads(argument)
        return
    yield from content.areas
    for part in content.parts:
        if isinstance(part, (Spill, PortbalCall)):
            yield part
        elif isinstance(part, Expression):
            yield from reads(part)


@dataclass
class Order:
    """calls: each after those it waits for. ready: how many evaluations of the engine a call
    waits for. circular: the calls that wait for themselves."""

    calls: list[PortbalCall] = field(default_factory=list)
    ready: dict[PortbalCall, int] = field(default_factory=dict)
    circular: set[PortbalCall] = field(default_factory=set)


class Graph:
    def __init__(self, formulas: list[Formula], fills: Callable[[Formula], Area]) -> None:
        self.index = Index(formulas, fills)
        self._fills = fills
        self._formulas = formulas
        self._steps = 0

    def before(self, node: Node) -> list[Node]:
        """The formulas and calls that a node waits for directly."""
        content = node.content if isinstance(node, Formula) else node
        if content is None:
            assert isinstance(node, Formula)
            return list(self._within(node.areas))
        found: list[Node] = []
        for item in reads(content):
            if isinstance(item, PortbalCall):
                found.append(item)
            elif isinstance(item, Spill):
                at = self.index.at.get(item.anchor)
                found += [at] if at is not None else []
            else:
                found.extend(self._within([item]))
        if isinstance(node, Formula) and isinstance(content, PortbalCall):
            return [content]
        return found

    def _within(self, areas: Iterable[Area]) -> Iterator[Formula]:
        for area in areas:
            if self._steps > MOST_STEPS:
                return
            for formula in self.index.within(area):
                self._steps += 1
                yield formula

    def order(self) -> Order:
        """The portbal calls in the order in which they can be made."""
        order = Order()
        times: dict[Node, int] = {}
        for formula in self._formulas:
            for call in formula.calls:
                self._visit(call, times, order)
            if formula.calls:
                self._visit(formula, times, order)
        return order

    def _visit(self, start: Node, times: dict[Node, int], order: Order) -> None:
        if start in times:
            return
        path: list[Node] = [start]
        waiting = {start}
        stack = [iter(self.before(start))]
        while stack:
            for node in stack[-1]:
                if node in waiting:
                    circle = path[path.index(node):]
                    order.circular |= {n for n in circle if isinstance(n, PortbalCall)}
                elif node not in times:
                    path.append(node)
                    waiting.add(node)
                    stack.append(iter(self.before(node)))
                    break
            else:
                node = path.pop()
                waiting.discard(node)
                stack.pop()
                times[node] = self._time(node, times)
                if isinstance(node, PortbalCall):
                    order.calls.append(node)
                    order.ready[node] = times[node]

    def _time(self, node: Node, times: dict[Node, int]) -> int:
        """How many evaluations must have been made before a node is right."""
        evaluated = isinstance(node, Formula) and isinstance(node.content, Expression)
        least = 1 if evaluated else 0
        if isinstance(node, PortbalCall):
            if any(isinstance(argument, Expression) for argument in node.arguments):
                least = 1
            evaluated = False
        for other in self.before(node):
            time = times.get(other, 0)
            computed = isinstance(other, PortbalCall) or (
                isinstance(other.content, PortbalCall)
            )
            needs_engine = evaluated or (
                isinstance(node, PortbalCall) and self._through_expression(node, other)
            )
            least = max(least, time + 1 if computed and needs_engine else time)
        return least

    def _through_expression(self, call: PortbalCall, other: Node) -> bool:
        """Does an argument that the engine computes read that node?"""
        for argument in call.arguments:
            if isinstance(argument, Expression):
                for item in reads(argument):
                    if item is other:
                        return True
                    if isinstance(other, Formula) and (
                        (isinstance(item, Area) and item.meets(self._fills(other)))
                        or (isinstance(item, Spill) and item.anchor == other.spot)
                    ):
                        return True
        return False

    def after(self, sources: set[Formula]) -> set[Formula]:
        """The formulas that depend on any of these, through others too."""
        if not sources:
            return set()
        self._steps = 0
        readers: dict[Node, list[Node]] = {}
        for formula in self._formulas:
            pending: list[Node] = [formula]
            while pending:
                node = pending.pop()
                for other in self.before(node):
                    readers.setdefault(other, []).append(node)
                    if isinstance(other, PortbalCall):
                        pending.append(other)
        found: set[Node] = set()
        stack: list[Node] = list(sources)
        while stack:
            for node in readers.get(stack.pop(), ()):
                if node not in found:
                    found.add(node)
                    stack.append(node)
        return {node for node in found if isinstance(node, Formula)} - sources
