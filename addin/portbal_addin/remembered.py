"""Decoded ranges kept for a while, found again by their content.

When a workbook is calculated, many formulas take the same big range. A host may decode it once
and keep the value: a cell's content alone decides what it decodes to, and core functions change
no value that they are given.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pandas as pd

from portbal_addin.block import Block, Rows
from portbal_addin.codecs.kind import Kind

BIG = 1_000
MOST_CELLS = 2_600_000


@dataclass(frozen=True, eq=False)
class _Content:
    """What decides about a decoded value. The hash looks at some cells, equality at all.

    TRUE equals 1 in Python and decodes to something else, so a range with TRUE or FALSE is
    not kept.
    """

    kind: Kind
    rows: Rows
    place: tuple[bool, int, int, bool]

    @classmethod
    def of(cls, kind: Kind, block: Block) -> _Content:
        return cls(kind, block.rows, (block.date1904, block.top, block.left, block.across))

    def __hash__(self) -> int:
        height = len(self.rows)
        some = self.rows[:: max(1, height // 64)]
        return hash((self.kind, self.place, height, len(self.rows[0]),
                     self.rows[0], self.rows[-1], tuple((row[0], row[-1]) for row in some)))

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, _Content) and self.kind == other.kind
                and self.place == other.place and self.rows == other.rows)


def _has_truths(rows: Rows) -> bool:
    return any(bool in set(map(type, row)) for row in rows)


class Remembered:
    """A bounded store of decoded ranges; the longest unused ones go first.

    big: from how many cells on a range is kept; most_cells: of all ranges together.
    """

    def __init__(self, big: int = BIG, most_cells: int = MOST_CELLS) -> None:
        self.big, self.most_cells = big, most_cells
        self.decodings = 0
        self._values: OrderedDict[_Content, tuple[_Content, Any]] = OrderedDict()
        self._cells = 0

    def decoded(self, kind: Kind, block: Block) -> Any:
        """``kind.decode(block)``, or what it was when the same cells were decoded before."""
        size = block.height * block.width
        if not self.big <= size <= self.most_cells or _has_truths(block.rows):
            return kind.decode(block)
        content = _Content.of(kind, block)
        found = self._values.get(content)
        if found is not None:
            self._values.move_to_end(found[0])  # the key itself: compared at once
            return _own(found[1])
        value = kind.decode(block)
        self.decodings += 1
        self._values[content] = content, value
        self._cells += size
        while self._cells > self.most_cells:
            gone, _ = self._values.popitem(last=False)
            self._cells -= len(gone.rows) * len(gone.rows[0])
        return _own(value)


def _own(value: Any) -> Any:
    """The value in an object of its own: to rename or extend it leaves the kept one as it is."""
    return value.copy(deep=False) if isinstance(value, (pd.DataFrame, pd.Series)) else value
