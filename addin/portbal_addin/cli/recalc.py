"""Recalculate the portbal and native formulas of a workbook, without a spreadsheet program.

    portbal recalc book.xlsx                  writes book.recalculated.xlsx beside it
    portbal recalc book.xlsx -o done.xlsx
    portbal recalc book.xlsx -o book.xlsx     replaces the file
    portbal recalc book.xlsx --check          writes nothing; 1 when any cell would change

Charts, tables, formats and everything else that is no computed value stay byte for byte. What
each problem, note and warning is about is named by its cell. The exit code is 1 when a formula
has a problem, and with --check also when a cell would change or a formula is out of date.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from portbal.errors import UserError
from portbal_addin.hosts.workbook import Change, Recalculation, Remark, recalculate
from portbal_addin.hosts.workbook.package import write_file
from portbal_addin.hosts.workbook.report import shown
from portbal_addin.hosts.workbook.sharing import check_ending

_MOST_LISTED = 100
_PATIENCE = 1.0  # seconds before progress is shown


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="IN.xlsx", help="the workbook")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.xlsx",
                        help="where to write it (default: IN.recalculated.xlsx)")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; say what would change, and exit with 1 if anything "
                        "would")
    parser.add_argument("--json", action="store_true", help="report by cell, as one JSON object")
    parser.add_argument("--office", action="store_true",
                        help="let LibreOffice, where it is installed, calculate the native "
                        "formulas that would be out of date; each is named")
    parser.add_argument("--fresh", action="store_true",
                        help="the stored values are out of date, because another program changed "
                        "inputs without calculating: do not compare with them")


def run(options: argparse.Namespace) -> int:
    source: Path = options.input
    if options.check and options.output:
        print("portbal: give either --check or --output", file=sys.stderr)
        return 2
    output: Path | None = None if options.check else (
        options.output or source.with_name(f"{source.stem}.recalculated{source.suffix}"))
    begun = time.perf_counter()
    try:
        with _Progress(sys.stderr.isatty()) as progress:
            result = recalculate(source, fresh=options.fresh, progress=progress,
                                 office=options.office)
        if output is not None:
            check_ending(result.bytes, output.name)
            write_file(output, result.bytes)
    except UserError as error:
        where = "" if str(source) in str(error) else f"{source}: "
        print(f"portbal: {where}{error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(by_cell(result, output), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(report(result, output, time.perf_counter() - begun)))
    if options.check and (result.changes or result.warnings):
        return 1
    return 1 if result.problems else 0


class _Progress:
    """A line on a terminal that says how far a long run has come."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._begun = self._last = time.perf_counter()
        self._written = False

    def __enter__(self) -> Callable[[int, int], None]:
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._written:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _tell(self, made: int, of: int) -> None:
        now = time.perf_counter()
        if self._shown and now - self._begun > _PATIENCE and now - self._last > _PATIENCE / 4:
            self._last, self._written = now, True
            text = f"\r{made:,} of {of:,} portbal calls (Ctrl-C stops)"
            print(text, end="", file=sys.stderr, flush=True)


def report(result: Recalculation, output: Path | None, seconds: float) -> Iterator[str]:
    """The lines to print. output: None when nothing is written."""
    change = "cells changed" if output else "cells would change"
    yield (f"{result.portbal:,} portbal and {result.native:,} native formulas in {seconds:.1f} s, "
           f"{result.changed:,} {change}")
    yield from _listed("problem", result.problems)
    yield from _listed("warning", result.warnings)
    yield from _listed("note", result.notes)
    if output is not None:
        yield f"written to {output.resolve()}"
        return
    yield from (_changed(change) for change in result.changes[:_MOST_LISTED])
    if result.changed > _MOST_LISTED:
        yield f"and {result.changed - _MOST_LISTED:,} more; --json lists them all"


def _listed(kind: str, remarks: Sequence[Remark]) -> Iterator[str]:
    for remark in remarks:
        yield f"{kind:<8} {remark}"


def _changed(change: Change) -> str:
    return f"change   {change.cell}: {shown(change.before)} -> {shown(change.after)}"


def by_cell(result: Recalculation, output: Path | None) -> dict[str, Any]:
    """What is known of each cell: ``before`` and ``after`` where they differ, ``problems``,
    ``warnings``, ``notes``, and the ``calls`` of portbal functions with digest and proof."""
    cells: dict[str, dict[str, Any]] = {}
    for change in result.changes:
        cells.setdefault(change.cell, {}).update(before=change.before, after=change.after)
    for kind, remarks in (("problems", result.problems), ("warnings", result.warnings),
                          ("notes", result.notes)):
        for remark in remarks:
            cells.setdefault(remark.cell, {}).setdefault(kind, []).append(remark.text)
    for call in result.calls:
        made = {"function": call.function, "digest": call.digest, "proof": dict(call.proof)}
        cells.setdefault(call.cell, {}).setdefault("calls", []).append(made)
    return {
        "written": str(output.resolve()) if output else None, "native": result.native,
        "portbal": result.portbal, "changed": result.changed, "cells": cells,
    }
