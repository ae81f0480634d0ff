"""Recalculate the portbal and native formulas of a workbook, without a spreadsheet program.

    portbal recalc book.xlsx                  writes book.recalculated.xlsx beside it
    portbal recalc book.xlsx -o done.xlsx
    portbal recalc book.xlsx -o book.xlsx     replaces the file

Charts, tables, formats and everything else that is no computed value stay byte for byte. What
each problem, note and warning is about is named by its cell. The exit code is 1 when a formula
has a problem.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from portbal.errors import UserError
from portbal_addin.hosts.workbook import Recalculation, Remark, recalculate
from portbal_addin.hosts.workbook.package import write_file


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="IN.xlsx", help="the workbook")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.xlsx",
                        help="where to write it (default: IN.recalculated.xlsx)")
    parser.add_argument("--fresh", action="store_true",
                        help="the stored values are out of date, because another program changed "
                        "inputs without calculating: do not compare with them")


def run(options: argparse.Namespace) -> int:
    source: Path = options.input
    output: Path = options.output or source.with_name(f"{source.stem}.recalculated{source.suffix}")
    begun = time.perf_counter()
    try:
        result = recalculate(source, fresh=options.fresh)
        write_file(output, result.bytes)
    except UserError as error:
        print(f"portbal: {source}: {error}", file=sys.stderr)
        return 1
    seconds = time.perf_counter() - begun
    print("\n".join(report(result, output, seconds)))
    return 1 if result.problems else 0


def report(result: Recalculation, output: Path, seconds: float) -> Iterator[str]:
    """The lines to print."""
    yield (f"{result.portbal:,} portbal and {result.native:,} native formulas in {seconds:.1f} s, "
           f"{result.changed:,} cells changed")
    yield from _listed("problem", result.problems)
    yield from _listed("warning", result.warnings)
    yield from _listed("note", result.notes)
    yield f"written to {output.resolve()}"


def _listed(kind: str, remarks: Sequence[Remark]) -> Iterator[str]:
    for remark in remarks:
        yield f"{kind:<8} {remark}"
