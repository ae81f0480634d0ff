"""The recalculation: the engine evaluates native formulas, portbal answers its calls, until
nothing changes any more."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

from portbal.errors import InputError, NotAvailable
from portbal_addin.block import Block, is_blank
from portbal_addin.hosts.workbook.carry import (
    Argument,
    Expression,
    Missing,
    Part,
    PortbalCall,
    Spill,
    text_of,
)
from portbal_addin.hosts.workbook.engine import Engine, ErrorText, Value
from portbal_addin.hosts.workbook.graph import Graph, Order
from portbal_addin.hosts.workbook.grid import NOT_AVAILABLE, Grid, fitted
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Area, Spot, quoted
from portbal_addin.hosts.workbook.workbook import Workbook
from portbal_addin.registry import Answer, Problem, find

_SPARE_ROUNDS = 20
_SLOTS_ALONE = 64
_SLOTS_TOGETHER = 16
_SLOT_WIDTH = 1000
_SPILL_ERROR = "#SPILL!"


@dataclass
class Made:
    """A call that was made: the digest of what it was asked, and what came out."""

    digest: bytes
    result: Union[Answer, Problem]
    area: Area | None = None


class Run:
    """One recalculation. ``load`` gives the engine the workbook as it is stored, ``evaluate``
    computes native formulas, ``settle`` the portbal calls as well."""

    def __init__(self, workbook: Workbook, formulas: list[Formula], engine: Engine) -> None:
        self.workbook = workbook
        self.formulas = formulas
        self.grid = Grid(workbook, formulas)
        self.graph = Graph(formulas)
        self.order: Order = self.graph.order()
        self.made: dict[PortbalCall, Made] = {}
        self.blocked: dict[Formula, Problem] = {}
        self.cut: dict[Formula, str] = {}
        self._engine = engine
        self._cache: dict[bytes, Answer | Problem] = {}
        self._slots = _Slots(formulas, len(workbook.sheets))
        self._sheets = _distinct([*workbook.sheets, "portbal", *self._slots.sheets])
        self.live: dict[Formula, None] = {}
        self._confined: set[Formula] = set()
        self._written: dict[Formula | Expression, str] = {}
        self._results_used = 0

    # --- the engine --------------------------------------------------------------------------

    def load(self) -> None:
        """The engine's copy: constants, native formulas, and portbal formulas by their stored
        values."""
        self._engine.book(self._sheets)
        native = [formula for formula in self.formulas if formula.is_native]
        computed = {spot for formula in native for spot in formula.ref.spots()}
        for number, cells in enumerate(self.grid.values):
            self._engine.values(number, [
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
            refused += self._engine.formulas(sheet, cells)
        for sheet, cells in spilling.items():
            refused += self._engine.spilling(sheet, cells)
        for sheet, areas in fixed.items():
            refused += self._engine.fixed(sheet, areas)
        for spot in refused:
            self.keep(self.graph.index.at[spot], "the engine cannot read it")

    def _write_slots(self) -> None:
        for expression, spot in self._slots.places.items():
            text = text_of(expression, self._hole)
            if self._written.get(expression) != text:
                self._written[expression] = text
                self._engine.spilling(spot.sheet, [(spot.row, spot.column, f"={text}")])
                twin = self._slots.twins.get(expression)
                if twin is not None:
                    self._engine.spilling(twin.sheet, [(twin.row, twin.column, f'=({text})&""')])

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
        return self._text(Area.at(self._slots.places[part])) + "#"

    def _text(self, area: Area) -> str:
        return f"{quoted(self._sheets[area.sheet])}!{area.text}"

    def keep(self, formula: Formula, reason: str) -> None:
        """Give a formula up: it shows its stored value from now on."""
        self.live.pop(formula, None)
        self._engine.clear(formula.spot.sheet, [
            (spot.row, spot.column) for spot in self.grid.spills.get(
                formula.spot, formula.ref).spots()
        ])
        formula.keep(reason)
        stored = self.workbook.stored(formula.spot.sheet).values
        rows = [[stored.get((row, column)) for column in range(formula.ref.left,
                                                               formula.ref.right + 1)]
                for row in range(formula.ref.top, formula.ref.bottom + 1)]
        self.grid.fill(formula.spot, rows, send=True)
        self._engine.values(formula.spot.sheet, [
            (spot.row, spot.column, self.grid.get(spot)) for spot in formula.ref.spots()
        ])

    def evaluate(self) -> None:
        """Let the engine compute, and take over what it found."""
        for sheet, cells in self.grid.unsent.items():
            self._engine.values(sheet, [(*at, value) for at, value in cells.items()])
        self.grid.unsent.clear()
        self._write([formula for formula in self.live if self._varies(formula)])
        self._write_slots()
        self._engine.evaluate()
        self._read()

    @staticmethod
    def _varies(formula: Formula) -> bool:
        assert isinstance(formula.content, Expression)
        return len(formula.content.parts) > 1 and any(
            not isinstance(part, str) for part in formula.content.parts
        )

    def _read(self) -> None:
        single: dict[int, list[tuple[int, int]]] = {}
        spilling: list[Spot] = []
        for formula in self.live:
            if formula.kind == "dynamic":
                spilling.append(formula.spot)
            else:
                single.setdefault(formula.spot.sheet, []).extend(
                    (spot.row, spot.column) for spot in formula.ref.spots())
        for sheet, cells in single.items():
            for at, value in zip(cells, self._engine.read(sheet, cells), strict=True):
                self.grid.put(Spot(sheet, *at), value, send=False)
        for anchor, rows in zip(spilling, self._engine.spills(spilling), strict=True):
            self.grid.fill(anchor, rows, send=False)

    def confine(self) -> bool:
        """Find formulas that spill though they are no array formulas, and let them show their
        first value alone. True if there were any."""
        known = self.grid.values
        stray = {
            Spot(*at) for at in self._engine.filled()
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

    # --- portbal calls ------------------------------------------------------------------------

    def settle(self) -> None:
        """Make every portbal call, and again where its arguments have changed since."""
        last = max(self.order.ready.values(), default=0)
        again: dict[PortbalCall, None] = {}
        for spent in range(last + _SPARE_ROUNDS):
            changed = False
            for call in self.order.calls:
                if self.order.ready[call] <= spent:
                    made_before = call in self.made
                    if self._make(call):
                        changed = True
                        if made_before and spent > last:
                            again[call] = None
            if spent:
                changed |= self._retry()
            if spent > last and not changed:
                break
            self._activate()
            self.evaluate()
        if self._break_circles(list(again)):
            self.settle()

    def _break_circles(self, calls: list[PortbalCall]) -> bool:
        """Of calls that were made more often than their formulas explain, give up those whose
        arguments change with their own result. True if there were any."""
        before = len(self.order.circular)
        for call in calls:
            made = self.made[call]
            self._take(call, made.digest, Problem(call.name, "circular"))
            self.evaluate()
            if self._arguments(call)[1] != made.digest:
                self._give_up(call)
                self.order.circular.add(call)
            else:
                self._take(call, made.digest, made.result)
            self.evaluate()
        return len(self.order.circular) > before

    def _make(self, call: PortbalCall) -> bool:
        """Make a call; False when it was made before with the same arguments."""
        made = self.made.get(call)
        if call in self.order.circular:
            if made is None:
                self._give_up(call)
            return made is None
        arguments, digest = self._arguments(call)
        if made is not None and made.digest == digest:
            return False
        result = self._cache.get(digest)
        if result is None:
            result = self._cache[digest] = _invoked(call.name, arguments)
        self._take(call, digest, result)
        return True

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
        elif call in self._slots.held:
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
        self._engine.values(sheet, [
            (top + down, left + right, value)
            for down, row in enumerate(rows) for right, value in enumerate(row)
        ])
        return Area(sheet, top, left, top + height - 1, left + width - 1)

    def _activate(self) -> None:
        """Let the engine compute the formulas around portbal calls that have all been made."""
        for formula in self.formulas:
            if (
                formula not in self.live and isinstance(formula.content, Expression)
                and all(call in self.made for call in formula.calls)
            ):
                self._engine.clear(formula.spot.sheet, [
                    (spot.row, spot.column) for spot in formula.ref.spots()
                ])
                self.live[formula] = None
                self._write([formula])

    # --- arguments ------------------------------------------------------------------------------

    def _arguments(self, call: PortbalCall) -> tuple[list[Block | None], bytes]:
        """The blocks of a call, and a digest of its name and of all that they hold."""
        digest = hashlib.blake2b(call.name.upper().encode(), digest_size=16)
        blocks: list[Block | None] = []
        for argument in call.arguments:
            block, mark = self._argument(argument)
            blocks.append(block)
            digest.update(mark)
        return blocks, digest.digest()

    def _argument(self, argument: Argument) -> tuple[Block | None, bytes]:
        if isinstance(argument, Missing):
            return None, b"-"
        if isinstance(argument, PortbalCall):
            made = self.made.get(argument)
            if made is None:
                return Block.of(str(NOT_AVAILABLE)), b"?"
            return made.result.block, b"c" + made.digest
        if isinstance(argument, Block):
            block = argument
        elif isinstance(argument, Area):
            block = self.grid.block(argument)
        elif isinstance(argument, Spill):
            formula = self.graph.index.at.get(argument.anchor)
            spills = formula is not None and formula.kind == "dynamic"
            area = self.grid.spills[argument.anchor] if spills else Area.at(argument.anchor)
            block = self.grid.block(area)
        else:
            block = self._slot_block(argument)
        return block, self._marks(block)

    def _marks(self, block: Block) -> bytes:
        place = tuple(block.address.__dict__.values()) if block.address else ()
        data = marshal.dumps((block.rows, place, block.date1904), 2)
        return b"b" + hashlib.blake2b(data, digest_size=16).digest()

    def _slot_block(self, expression: Expression) -> Block:
        """What an expression gives. The engine hands blanks over as 0; its text tells."""
        spots = [self._slots.places[expression], self._slots.twins[expression]]
        values, texts = self._engine.spills(spots)
        rows = [
            [None if value == 0.0 and text == "" else _cell(value)
             for value, text in zip(row, text_row, strict=False)]
            for row, text_row in zip(values, texts, strict=False)
        ]
        return Block(tuple(map(tuple, rows)), None, self.workbook.date1904)

    # --- what a portbal formula shows ---------------------------------------------------------

    def _retry(self) -> bool:
        """Show results that were blocked, where there is room by now."""
        return any([self._show(formula, self.made[formula.calls[0]].result)
                    for formula in list(self.blocked)])

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


class _Slots:
    """Sheets of the engine on which expressions are evaluated apart. twins: where an argument
    is evaluated as text, to tell blanks from zeros. held: the calls whose results the engine
    reads."""

    def __init__(self, formulas: list[Formula], first_sheet: int) -> None:
        arguments: list[Expression] = []
        apart: list[Expression] = []
        self.held: set[PortbalCall] = set()
        pending: list[Expression | PortbalCall] = [
            formula.content for formula in formulas if formula.content is not None
        ]
        while pending:
            content = pending.pop()
            if isinstance(content, PortbalCall):
                for argument in content.arguments:
                    if isinstance(argument, Expression):
                        arguments.append(argument)
                    if isinstance(argument, (Expression, PortbalCall)):
                        pending.append(argument)
                continue
            for part in content.parts:
                if isinstance(part, Expression):
                    apart.append(part)
                if isinstance(part, PortbalCall):
                    self.held.add(part)
                if isinstance(part, (Expression, PortbalCall)):
                    pending.append(part)
        count = 2 * len(arguments) + len(apart)
        each = 1 if count <= _SLOTS_ALONE else _SLOTS_TOGETHER
        spots = iter([Spot(first_sheet + 1 + at // each, 1, 1 + at % each * _SLOT_WIDTH)
                      for at in range(count)])
        self.places = {expression: next(spots) for expression in (*arguments, *apart)}
        self.twins = {expression: next(spots) for expression in arguments}
        self.sheets = [f"portbal {number + 1}" for number in range(-(-count // each))]


def _distinct(names: list[str]) -> list[str]:
    """Our sheets named so that no sheet of the user's is named alike."""
    taken: set[str] = set()
    result = []
    for name in names:
        while name.casefold() in taken:
            name += "~"
        taken.add(name.casefold())
        result.append(name)
    return result


def _invoked(name: str, arguments: list[Block | None]) -> Answer | Problem:
    try:
        function = find(f"PORTBAL.{name}")
    except (InputError, NotAvailable) as error:
        return Problem(name.upper(), error.problem, error.fix)
    return function.invoke(*arguments)


def _cell(value: Value) -> Value:
    if type(value) is ErrorText:
        return str(value)
    return None if isinstance(value, str) and is_blank(value) else value


def _padded(rows: list[list[Value]], height: int, width: int) -> list[list[Value]]:
    """A problem in the first cell, #N/A in the rest."""
    shown = [[NOT_AVAILABLE] * width for _ in range(height)]
    shown[0][0] = rows[0][0]
    return shown


def _below(spot: Spot) -> Spot:
    return spot._replace(row=spot.row + 1)


def _beside(spot: Spot) -> Spot:
    return spot._replace(column=spot.column + 1)
