"""Result tables, as what to write where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portbal.errors import ConflictError
from portbal.labels import key
from portbal_addin.block import Block, Cell, is_blank
from portbal_addin.book import AddSheet, Area, Book, DefineName, PutCells, Write
from portbal_addin.macros.names import RESULTS, formats
from portbal_addin.macros.reading import is_live


@dataclass(frozen=True)
class Results:
    """writes, and the names of results that are formulas and calculate themselves."""

    writes: tuple[Write, ...]
    live: tuple[str, ...]


def results(book: Book, blocks: Mapping[str, Block]) -> Results:
    """How to write result tables under their names.

    A formula is never written over. A table that outgrows its name takes blank cells below and
    beside it, and the name grows; ConflictError when something stands there.
    """
    writes: list[Write] = []
    live: list[str] = []
    sheets = {key(name) for name in book.sheets()}
    added: set[str] = set()
    for name, block in blocks.items():
        area = book.find(name)
        if area is None:
            place = RESULTS[name]
            area = Area(place.sheet, 1, place.column, block.height, block.width)
            if key(place.sheet) in sheets:
                _refuse_content(book, name, area, None)
            elif key(place.sheet) not in added:
                writes.append(AddSheet(place.sheet, place.hidden, formats(place.sheet)))
                added.add(key(place.sheet))
            writes += [PutCells(area, block.rows), DefineName(name, area)]
        elif is_live(book, area):
            live.append(name)
        else:
            writes += _into(book, name, area, block)
    return Results(tuple(writes), tuple(live))


def _into(book: Book, name: str, area: Area, block: Block) -> list[Write]:
    """The block at the top left of the area, the rest of what stands in the area cleared."""
    current = book.block(area)
    grown = area.sized(max(area.height, block.height), max(area.width, block.width))
    writes: list[Write] = []
    if grown != area:
        if area.is_table:
            raise ConflictError(
                f"the table {name} ({area.text}) is too small for {block.height} rows and "
                f"{block.width} columns", fix="Make it larger, or turn it into a named range.",
            )
        _refuse_content(book, name, grown, area)
        writes.append(DefineName(name, grown))
    height, width = max(block.height, current.height), max(block.width, current.width)
    rows = tuple(
        tuple(block.rows[r][c] if r < block.height and c < block.width else None
              for c in range(width))
        for r in range(height)
    )
    return [PutCells(area.sized(height, width), rows), *writes]


def _refuse_content(book: Book, name: str, area: Area, inside: Area | None) -> None:
    """ConflictError at the first cell of the area, outside the inner one, that is not blank."""
    formulas = book.formulas(area)
    for down, row in enumerate(book.block(area)):
        for right, cell in enumerate(row):
            if inside is not None and down < inside.height and right < inside.width:
                continue
            if not is_blank(cell) or formulas[down][right]:
                raise ConflictError(
                    f"{name} needs {area.text}, and {area.address.cell(down, right)} is not empty",
                    fix="Clear that cell, or move the name to where there is room.",
                )


def said(live: tuple[str, ...]) -> tuple[str, ...]:
    """The note about results that were left to their formulas."""
    if not live:
        return ()
    are = "is a formula and calculates itself" if len(live) == 1 else (
        "are formulas and calculate themselves")
    return (f"{', '.join(live)} {are}.",)


def table_of(header: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> Block:
    return Block.of([header, *rows])
