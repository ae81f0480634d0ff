"""The arguments of portbal calls: cells as blocks, with a digest of all that they hold."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portbal_addin.block import Block, is_blank
from portbal_addin.hosts.workbook.content import (
    Argument,
    Expression,
    Missing,
    PortbalCall,
    Spill,
)
from portbal_addin.hosts.workbook.engine import Engine, ErrorText, Value
from portbal_addin.hosts.workbook.grid import NOT_AVAILABLE, Grid
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Area, Spot
from portbal_addin.hosts.workbook.slots import Slots
from portbal_addin.registry import Answer, Problem


@dataclass
class Made:
    """A call that was made: the digest of what it was asked, and what came out."""

    digest: bytes
    result: Answer | Problem
    area: Area | None = None


class Arguments:
    """formulas: by cell. made: the calls that were made so far."""

    def __init__(
        self, grid: Grid, slots: Slots, engine: Engine, formulas: Mapping[Spot, Formula],
        made: Mapping[PortbalCall, Made],
    ) -> None:
        self._grid = grid
        self._slots = slots
        self._engine = engine
        self._formulas = formulas
        self._made = made
        self._marked: dict[Area, tuple[Block, bytes]] = {}

    def of(self, call: PortbalCall) -> tuple[list[Block | None], bytes]:
        """The blocks of a call, and a digest of its name and of all that they hold."""
        digest = hashlib.blake2b(call.name.upper().encode(), digest_size=16)
        found = self.each(call)
        for _, mark in found:
            digest.update(mark)
        return [block for block, _ in found], digest.digest()

    def each(self, call: PortbalCall) -> list[tuple[Block | None, bytes]]:
        """The block of each argument with a digest of it."""
        return [self._argument(argument) for argument in call.arguments]

    def _argument(self, argument: Argument) -> tuple[Block | None, bytes]:
        if isinstance(argument, Missing):
            return None, b"-"
        if isinstance(argument, PortbalCall):
            made = self._made.get(argument)
            if made is None:
                return Block.of(str(NOT_AVAILABLE)), b"?"
            return made.result.block, b"c" + made.digest
        if isinstance(argument, Area):
            return self._cells(argument)
        if isinstance(argument, Block):
            block = argument
        elif isinstance(argument, Spill):
            formula = self._formulas.get(argument.anchor)
            spills = formula is not None and formula.kind == "dynamic"
            area = self._grid.spills[argument.anchor] if spills else Area.at(argument.anchor)
            return self._cells(area)
        else:
            block = self._slot_block(argument)
        return block, self._marks(block)

    def _cells(self, area: Area) -> tuple[Block, bytes]:
        block = self._grid.block(area)
        kept = self._marked.get(area)
        if kept is None or kept[0] is not block:
            kept = self._marked[area] = (block, self._marks(block))
        return kept

    @staticmethod
    def _marks(block: Block) -> bytes:
        at = block.address
        place = (at.sheet, at.row, at.column) if at else ()
        cells: Any = (block.rows, place, block.date1904)
        data = marshal.dumps(cells, 2)
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
        return Block(tuple(map(tuple, rows)), None, self._grid.date1904)


def _cell(value: Value) -> Value:
    if type(value) is ErrorText:
        return str(value)
    return None if isinstance(value, str) and is_blank(value) else value
