"""What a recalculation did and what a person should know about it."""

from __future__ import annotations

from dataclasses import dataclass

from portbal_addin.block import Address
from portbal_addin.hosts.workbook.engine import Value
from portbal_addin.hosts.workbook.references import Spot


@dataclass(frozen=True)
class Remark:
    """A sentence about a cell."""

    cell: str
    text: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.text}"


@dataclass(frozen=True)
class Computed:
    """One portbal call: the cell it stands in, the function, a digest of name and arguments
    (equal digests mean equal answers), and figures by which its numbers can be trusted."""

    cell: str
    function: str
    digest: str
    proof: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Change:
    """A cell that shows something else than before."""

    cell: str
    before: Value
    after: Value


@dataclass(frozen=True)
class Recalculation:
    """bytes: the whole file. problems: where a formula has no answer. notes: what a reader of
    the numbers should know. warnings: formulas that were not calculated, and what depends on
    them. changes: the cells that show something else than before."""

    bytes: bytes
    problems: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    calls: tuple[Computed, ...] = ()
    native: int = 0
    portbal: int = 0
    changes: tuple[Change, ...] = ()

    @property
    def changed(self) -> int:
        return len(self.changes)


def cell_name(spot: Spot, sheets: tuple[str, ...]) -> str:
    """``Prices!B4``."""
    return Address(sheets[spot.sheet], spot.row, spot.column).cell(0, 0)


def shown(value: object) -> str:
    """A value of a cell as a person reads it."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    return "nothing" if value is None else str(value)
