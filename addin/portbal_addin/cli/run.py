"""Run a ribbon command on a workbook file.

    portbal run "check limits" portfolio.xlsx                         what it would write
    portbal run rebalance portfolio.xlsx -o portfolio.xlsx --apply    write it
    portbal run undo portfolio.xlsx -o portfolio.xlsx --apply         restore what Apply replaced

Without --apply nothing is written. The workbook is recalculated before the command reads it and
after the command has changed it. OUT.xlsx is replaced whole or not at all, and what was applied or
undone is sealed in the journal ($PORTBAL_JOURNAL, else ~/.portbal/journal.jsonl). Without COMMAND
the commands are listed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import portbal
from portbal.errors import InputError, UserError
from portbal_addin import journal_file
from portbal_addin.block import Block, Cell, label_text
from portbal_addin.book import AddSheet, Changes, DefineName, PutCells, Write, needed
from portbal_addin.hosts.workbook import Recalculation, recalculate
from portbal_addin.hosts.workbook.book import FileBook
from portbal_addin.hosts.workbook.package import read_file, write_file
from portbal_addin.hosts.workbook.sharing import check_ending, check_version
from portbal_addin.macros.commands import Command, commands, find
from portbal_addin.macros.names import INPUTS, RESULTS

_MOST_ROWS = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="COMMAND", help="the command, in any spelling")
    parser.add_argument("workbook", nargs="?", type=Path, metavar="IN.xlsx", help="the workbook")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.xlsx",
                        help="where to write it; may be IN.xlsx")
    parser.add_argument("--names", action="store_true",
                        help="list the names by which commands know the tables of a workbook")
    parser.add_argument("--fresh", action="store_true",
                        help="the stored values are out of date, because another program changed "
                        "inputs without calculating: do not compare with them")
    parser.add_argument("--apply", action="store_true", help="write what the command changes")


def run(options: argparse.Namespace) -> int:
    if options.names:
        for name, holds in (*INPUTS.items(), *((n, r.holds) for n, r in RESULTS.items())):
            print(f"{name:<25}{holds}")
        return 0
    if options.name is None:
        for command in commands().values():
            print(f"{command.name:<20}{command.group:<11}{command.screentip}")
        return 0
    try:
        command = find(options.name)
        if options.workbook is None:
            raise InputError("there is no workbook", fix="Give a file: portbal run "
                             f"{command.identifier.replace('_', '-')} portfolio.xlsx.")
        if options.apply and options.output is None:
            raise InputError("there is no file to write to", fix="Add -o OUT.xlsx.")
        output = options.output if options.apply else None
        return _run(command, options.workbook, output, fresh=options.fresh)
    except UserError as error:
        print(f"portbal: {error}", file=sys.stderr)
        return 1


def _run(command: Command, source: Path, output: Path | None, *, fresh: bool) -> int:
    data = read_file(source)
    check_version(data, portbal.__version__)
    if output is not None:
        check_ending(data, output.name)
    before = recalculate(data, fresh=fresh)
    remarks = tuple((remark.cell, remark.text) for remark in before.notes)
    book = FileBook(before.bytes, (output or source).name, remarks)
    changes = command.run(book)
    writes = needed(book, (*changes.preview, *changes.writes))
    if output is None:
        print("\n".join(_report(changes, writes, "Would be written")))
        if writes:
            print("\nNothing is written. Add -o OUT.xlsx --apply to write it.")
        _warn(before)
        return 0
    after = before
    if writes:
        after = recalculate(book.after(writes).data, fresh=True)
    sealed = _write(output, after.bytes if after.changed or writes else data, changes, book.name)
    print("\n".join(_report(changes, writes, "Written")))
    print(f"\n{sealed}Workbook  {output.resolve()}")
    _warn(after)
    return 0


def _write(output: Path, data: bytes, changes: Changes, workbook: str) -> str:
    """The record first, the file after it; a record whose file could not be written is
    withdrawn by another. A line about the record; empty where there is none."""
    if changes.record is None:
        write_file(output, data)
        return ""
    journal = journal_file.default_path()
    record = journal_file.append(journal, journal_file.entry(changes.record, workbook))
    try:
        write_file(output, data)
    except UserError:
        withdrawn = {"kind": "withdrawn", "withdraws": record.hash}
        journal_file.append(journal, journal_file.entry(withdrawn, workbook))
        raise
    return f"Journal   {journal}, record {record.number}\n"


def _warn(done: Recalculation) -> None:
    for remark in (*done.problems, *done.warnings):
        print(f"portbal: {remark}", file=sys.stderr)


# --- what a person reads ---------------------------------------------------------------------

def _report(changes: Changes, writes: tuple[Write, ...], heading: str) -> Iterator[str]:
    yield changes.status
    yield from (f"Note: {note}" for note in changes.notes)
    for title, block in changes.tables:
        yield ""
        yield title
        yield from _table(block.trimmed())
    if writes:
        yield ""
        yield f"{heading}:"
        yield from (f"  {_told(write)}" for write in writes)


def _told(write: Write) -> str:
    if isinstance(write, AddSheet):
        return f"new sheet {write.name}{' (not shown)' if write.hidden else ''}"
    if isinstance(write, DefineName):
        return f"name {write.name} for {write.area.text}"
    if isinstance(write, PutCells):
        return write.area.text
    return f"{write.area.text}: {write.formula}"


def _table(block: Block) -> Iterator[str]:
    """Columns side by side, numbers to the right."""
    rows = [[_shown(cell) for cell in row] for row in block.rows[:_MOST_ROWS + 1]]
    widths = [min(max(map(len, column)), 60) for column in zip(*rows, strict=True)]
    right = [any(isinstance(row[at], (int, float)) for row in block.rows)
             for at in range(block.width)]
    for row in rows:
        line = "  ".join(
            text[:width].rjust(width) if to_right else text[:width].ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        )
        yield f"  {line.rstrip()}"
    if block.height > len(rows):
        yield f"  ... and {block.height - len(rows):,} more"


def _shown(cell: Cell) -> str:
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return label_text(cell)
    if cell == int(cell) and abs(cell) < 1e15:
        return f"{cell:,.0f}"
    return f"{cell:,.2f}" if abs(cell) >= 100 else f"{cell:.4f}"
