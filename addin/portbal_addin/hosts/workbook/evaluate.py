"""The recalculation: the engine evaluates native formulas, portbal answers its calls, until
nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from portbal.errors import InputError, NotAvailable
from portbal_addin.block import Block
from portbal_addin.hosts.workbook.arguments import Arguments, Made
from portbal_addin.hosts.workbook.content import (
    Expression,
    Part,
    PortbalCall,
    Spill,
    inner_calls,
    text_of,
)
from portbal_addin.hosts.workbook.engine import Engine, Value, titles
from portbal_addin.hosts.workbook.graph import Graph, Order
from portbal_addin.hosts.workbook.grid import NOT_AVAILABLE, Grid, fitted
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Area, Spot, quoted
from portbal_addin.hosts.workbook.slots import Slots
from portbal_addin.hosts.workbook.workbook import Workbook
from portbal_addin.registry import Answer, Problem, find
from portbal_addin.remembered import Remembered

_SPARE_ROUNDS = 20
_SPILL_ERROR = "#SPILL!"


Progress = Callable[[int, int], None]


def silent(_made: int, _of: int) -> None:
    """No progress is shown."""


class Run:
    """One recalculation. ``load`` gives the engine the workbook as it is stored, ``evaluate``
    computes native formulas, ``settle`` the portbal calls as well. progress: hears how many
    calls were made, and of how many."""

    def __init__(
        self, workbook: Workbook, formulas: list[Formula], engine: Engine,
        progress: Progress = silent,
    ) -> None:
        self.workbook = workbook
        self._progress = progress
        self.formulas = formulas
        self.grid = Grid(workbook, formulas)
        self.graph = Graph(formulas, self.fills)
        self.order: Order = self.graph.order()
        self.made: dict[PortbalCall, Made] = {}
        self.blocked: dict[Formula, Problem] = {}
        self.cut: dict[Formula, str] = {}
        self.answered: set[Formula] = set()  # by a second engine
        self.engine = engine
        self._cache: dict[bytes, Answer | Problem] = {}
        self.remembered = Remembered()
        self.slots = Slots(formulas, len(workbook.sheets))
        self._sheets = titles([*workbook.sheets, "portbal", *self.slots.sheets])
        self.live: dict[Formula, None] = {}
        self._confined: set[Formula] = set()
        self._written: dict[Formula | Expression, str] = {}
        self._results_used = 0
        self._varying = [formula for formula in formulas if isinstance(formula.content, Expression)
                         and any(not isinstance(part, str) for part in formula.content.parts)]
        self._read_by_calls = self._inputs()
        self._roams = any(_roams(formula.content) for formula in formulas)
        self._arguments = Arguments(self.grid, self.slots, engine, self.graph.index.at, self.made)

    def fills(self, formula: Formula) -> Area:
        """The cells that a formula fills now."""
        return self.grid.spills.get(formula.spot, formula.ref)

    # --- the engine --------------------------------------------------------------------------

    def load(self) -> None:
        """The engine's copy: constants, native formulas, and portbal formulas by their stored
        values."""
        self.engine.book(self._sheets)
        for formula in self.formulas:
            if formula.content is None and self._is_missing(formula):
                self.grid.put(formula.spot, NOT_AVAILABLE, send=False)
        native = [formula for formula in self.formulas if formula.is_native]
        computed = {spot for formula in native for spot in formula.ref.spots()}
        for number, cells in enumerate(self.grid.values):
            self.engine.values(number, [
                (row, column, value) for (row, column), value in cells.items()
                if Spot(number, row, column) not in computed
            ])
        self.live.update(dict.fromkeys(native))
        self._write(native)
        self._write_slots()

    def _write(self, formulas: Iterable[Formula]) -> None:
        """Give the engine the formulas whose text is new to it."""
        plain: dict[int, list[tuple[int, int, str]]] = {}
        spilling: dict[int, list[tuple[int, int, str]]] = {}
        fixed: dict[int, list[tuple[int, int, int, int, str]]] = {}
        for formula in formulas:
            assert isinstance(formula.content, Expression)
            text = "=" + text_of(formula.content, self._hole)
            if self._written.get(formula) == text:
                continue
            self._written[formula] = text
            sheet, row, column = formula.spot
            if formula.kind == "dynamic":
                spilling.setdefault(sheet, []).append((row, column, text))
            elif formula.kind == "fixed" or formula.calls or formula in self._confined:
                size = (formula.ref.height, formula.ref.width)
                fixed.setdefault(sheet, []).append((row, column, *size, text))
            else:
                plain.setdefault(sheet, []).append((row, column, text))
        refused: list[Spot] = []
        for sheet, cells in plain.items():
            refused += self.engine.formulas(sheet, cells)
        for sheet, cells in spilling.items():
            refused += self.engine.spilling(sheet, cells)
        for sheet, areas in fixed.items():
            refused += self.engine.fixed(sheet, areas)
        for spot in refused:
            self.keep(self.graph.index.at[spot], "the engine cannot read it")

    def _write_slots(self) -> None:
        for expression, spot in self.slots.places.items():
            text = text_of(expression, self._hole)
            if self._written.get(expression) != text:
                self._written[expression] = text
                self.engine.spilling(spot.sheet, [(spot.row, spot.column, f"={text}")])
                twin = self.slots.twins.get(expression)
                if twin is not None:
                    self.engine.spilling(twin.sheet, [(twin.row, twin.column, f'=({text})&""')])

    def _hole(self, part: Part) -> str:
        """What stands for a portbal result, a spill or a slot in the engine's formulas."""
        if isinstance(part, PortbalCall):
            made = self.made.get(part)
            return self._text(made.area) if made and made.area else "#N/A"
        if isinstance(part, Spill):
            formula = self.graph.index.at.get(part.anchor)
            if formula is None or formula.kind != "dynamic":
                return "#REF!"
            if formula in self.live:
                return self._text(Area.at(part.anchor)) + "#"
            return self._text(self.grid.spills[part.anchor])
        assert isinstance(part, Expression)
        return self._text(Area.at(self.slots.places[part])) + "#"

    def _text(self, area: Area) -> str:
        return f"{quoted(self._sheets[area.sheet])}!{area.text}"

    def _is_missing(self, formula: Formula) -> bool:
        """Is there no value of a formula that is not computed? What reads it shall not take it
        for 0."""
        return not formula.is_stored or self.workbook.recalculates

    def keep(self, formula: Formula, reason: str) -> None:
        """Give a formula up: it shows its stored value from now on, and what reads it sees #N/A
        where none is stored."""
        self.live.pop(formula, None)
        self.engine.clear([self.fills(formula)])
        formula.keep(reason)
        stored = self.workbook.stored(formula.spot.sheet).values
        rows = [[stored.get((row, column)) for column in range(formula.ref.left,
                                                               formula.ref.right + 1)]
                for row in range(formula.ref.top, formula.ref.bottom + 1)]
        if self._is_missing(formula):
            rows = [[NOT_AVAILABLE] * len(row) for row in rows]
        self.grid.fill(formula.spot, rows, send=True)
        self.engine.values(formula.spot.sheet, [
            (spot.row, spot.column, self.grid.get(spot)) for spot in formula.ref.spots()
        ])

    def evaluate(self, *, all_values: bool = True) -> None:
        """Let the engine compute, and take over what it found: all values, or those alone that
        portbal calls read."""
        for sheet, cells in self.grid.unsent.items():
            self.engine.values(sheet, [(*at, value) for at, value in cells.items()])
        self.grid.unsent.clear()
        self._write([formula for formula in self._varying if formula in self.live])
        self._write_slots()
        self.engine.evaluate()
        self._read(list(self.live) if all_values else
                   [formula for formula in self._read_by_calls if formula in self.live])

    def _read(self, formulas: list[Formula]) -> None:
        single: dict[int, list[tuple[int, int]]] = {}
        spilling: list[Spot] = []
        for formula in formulas:
            if formula.kind == "dynamic":
                spilling.append(formula.spot)
            else:
                single.setdefault(formula.spot.sheet, []).extend(
                    (spot.row, spot.column) for spot in formula.ref.spots())
        for sheet, cells in single.items():
            for at, value in zip(cells, self.engine.read(sheet, cells), strict=True):
                self.grid.put(Spot(sheet, *at), value, send=False)
        for anchor, rows in zip(spilling, self.engine.spills(spilling), strict=True):
            self.grid.fill(anchor, rows, send=False)

    def confine(self) -> bool:
        """Find formulas that spill though they are no array formulas, and let them show their
        first value alone. True if there were any."""
        known = self.grid.values
        stray = {
            Spot(*at) for at in self.engine.filled()
            if at[0] < len(known) and (at[1], at[2]) not in known[at[0]]
        }
        found = [
            formula for formula in self.live
            if formula.kind == "plain" and not formula.calls and (
                self.grid.get(formula.spot) == _SPILL_ERROR
                or _below(formula.spot) in stray or _beside(formula.spot) in stray
            )
        ]
        for formula in found:
            del self._written[formula]
        self._confined.update(found)
        self._write(found)
        return bool(found)

    def _inputs(self) -> list[Formula]:
        """The formulas that portbal calls read, and all whose spills may move."""
        found = {formula: None for formula in self.formulas if formula.kind == "dynamic"}
        areas = {argument for call in self.order.calls for argument in call.arguments
                 if isinstance(argument, Area)}
        for area in areas:
            found.update(dict.fromkeys(self.graph.index.within(area)))
        return list(found)

    # --- portbal calls ------------------------------------------------------------------------

    def settle(self) -> None:
        """Make every portbal call, and again where its arguments have changed since."""
        last = max(self.order.ready.values(), default=0)
        again: dict[PortbalCall, None] = {}
        for spent in range(last + 2 * _SPARE_ROUNDS + len(self.order.calls)):
            changed = False
            for call in self.order.calls:
                if self.order.ready[call] == spent or spent > last:
                    made_before = call in self.made
                    if self._make(call):
                        changed = True
                        if made_before and spent > last:
                            again[call] = None
            if spent:
                changed |= self._retry()
            settled = spent > last and not changed
            if again and (settled or spent == last + _SPARE_ROUNDS):
                if self._break_circles(list(again)):
                    self.settle()
                    return
                again.clear()
            if settled:
                return
            self._activate()
            self.evaluate(all_values=spent >= last)
        for call in again:
            self._give_up(call)
        self.evaluate()

    def _break_circles(self, calls: list[PortbalCall]) -> bool:
        """Give up calls that wait for themselves, as is seen once the sizes of all results are
        known. True if there were any."""
        before = len(self.order.circular)
        self.graph = Graph(self.formulas, self.fills)
        self.order.circular |= self.graph.order().circular
        for call in self.order.circular:
            self._give_up(call)
        if self._roams:
            self._try_circles([call for call in calls if call not in self.order.circular])
        return len(self.order.circular) > before

    def _try_circles(self, calls: list[PortbalCall]) -> None:
        """Give up calls whose arguments change with their own result, however they do it."""
        for call in calls:
            made = self.made[call]
            self._take(call, made.digest, Problem(call.name, "circular"))
            self.evaluate()
            if self._asked(call)[1] != made.digest:
                self._give_up(call)
                self.order.circular.add(call)
            else:
                self._take(call, made.digest, made.result)
            self.evaluate()

    def _make(self, call: PortbalCall) -> bool:
        """Make a call; False when it was made before with the same arguments."""
        made = self.made.get(call)
        if call in self.order.circular:
            if made is None:
                self._give_up(call)
            return made is None
        arguments, digest, problem = self._asked(call)
        if made is not None and made.digest == digest:
            return False
        result = problem or self._cache.get(digest)
        if result is None:
            result = self._cache[digest] = _invoked(call.name, arguments, self.remembered)
        self._take(call, digest, result)
        self._progress(len(self.made), len(self.order.calls))
        return True

    def _asked(
        self, call: PortbalCall
    ) -> tuple[list[Block | None], bytes, Problem | None]:
        """The arguments of a call with their digest, or the problem with them."""
        try:
            return *self._arguments.of(call), None
        except InputError as error:
            return [], str(error).encode(), Problem(call.name.upper(), error.problem, error.fix)

    def given(self, call: PortbalCall) -> list[tuple[Block | None, bytes]]:
        """The arguments of a call, each with its digest."""
        return self._arguments.each(call)

    def _give_up(self, call: PortbalCall) -> None:
        self._take(call, b"", Problem(
            call.name.upper(), "its arguments depend on its own result",
            "Point them to other cells.",
        ))

    def _take(self, call: PortbalCall, digest: bytes, result: Answer | Problem) -> None:
        made = self.made[call] = Made(digest, result, self._area_of(call))
        formula = self.graph.index.at[call.spot]
        if formula.content is call:
            self._show(formula, result)
        elif call in self.slots.held:
            made.area = self._place(result, made.area)

    def _area_of(self, call: PortbalCall) -> Area | None:
        made = self.made.get(call)
        return made.area if made else None

    def _place(self, result: Answer | Problem, old: Area | None) -> Area:
        """A result on the engine's sheet of results."""
        sheet = len(self.workbook.sheets)
        rows = self.grid.rows(result.block)
        height, width = len(rows), len(rows[0])
        if old is None or height > old.height or width > old.width:
            top, left = self._results_used + 1, 1
            self._results_used += height
        else:
            top, left = old.top, old.left
        self.grid.unsent.setdefault(sheet, {}).update(
            ((top + down, left + right), value)
            for down, row in enumerate(rows) for right, value in enumerate(row)
        )
        return Area(sheet, top, left, top + height - 1, left + width - 1)

    def _activate(self) -> None:
        """Let the engine compute the formulas around portbal calls that have all been made."""
        ready = [formula for formula in self._varying
                 if formula not in self.live and formula.calls
                 and all(call in self.made for call in formula.calls)]
        self.engine.clear([formula.ref for formula in ready])
        self.live.update(dict.fromkeys(ready))

    # --- what a portbal formula shows ---------------------------------------------------------

    def _retry(self) -> bool:
        """Show results that were blocked, where there is room by now."""
        shown = [self._show(formula, self.made[formula.calls[0]].result)
                 for formula in list(self.blocked)]
        return any(shown)

    def _show(self, formula: Formula, result: Answer | Problem) -> bool:
        """Put a result into its cells; False when it still does not fit."""
        rows = self.grid.rows(result.block)
        height, width = len(rows), len(rows[0])
        self.cut.pop(formula, None)
        self.blocked.pop(formula, None)
        if isinstance(result, Problem):
            height, width = formula.ref.height, formula.ref.width
            rows = _padded(rows, height, width)
        elif formula.kind != "dynamic":
            if height > formula.ref.height or width > formula.ref.width:
                self.cut[formula] = (
                    f"the result has {height} rows and {width} columns, of which "
                    f"{formula.ref.text} shows {formula.ref.height} and {formula.ref.width}; "
                    "enter the formula again to let it spill"
                )
            rows = fitted(rows, formula.ref.height, formula.ref.width)
        else:
            area = Area.at(formula.spot, height, width)
            reason = self.grid.blocker(area, formula.spot)
            if reason is not None:
                problem = Problem(
                    str(formula.calls[0].name).upper(),
                    f"the result needs {area.text if area.fits else 'more room'}, and {reason}",
                    "Make room for it.",
                )
                self.blocked[formula] = problem
                rows = [[problem.text]]
        if rows[0][0] is None:
            rows[0][0] = ""
        self.grid.fill(formula.spot, rows, send=True)
        return formula not in self.blocked


def _invoked(
    name: str, arguments: list[Block | None], remembered: Remembered
) -> Answer | Problem:
    try:
        function = find(f"PORTBAL.{name}")
    except (InputError, NotAvailable) as error:
        return Problem(name.upper(), error.problem, error.fix)
    return function.invoke(*arguments, decode=remembered.decoded)


def _padded(rows: list[list[Value]], height: int, width: int) -> list[list[Value]]:
    """A problem in the first cell, #N/A in the rest."""
    shown = [[NOT_AVAILABLE] * width for _ in range(height)]
    shown[0][0] = rows[0][0]
    return shown


def _roams(content: Expression | PortbalCall | None) -> bool:
    """May this read cells that it does not name?"""
    if isinstance(content, PortbalCall):
        return any(_roams(argument) for argument in content.arguments
                   if isinstance(argument, (Expression, PortbalCall)))
    return content is not None and (
        content.roams or any(_roams(call) for call in inner_calls(content)))


def _below(spot: Spot) -> Spot:
    return spot._replace(row=spot.row + 1)


def _beside(spot: Spot) -> Spot:
    return spot._replace(column=spot.column + 1)
