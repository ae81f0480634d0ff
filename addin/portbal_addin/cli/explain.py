"""Show how a cell of a workbook came about. Nothing is written.

    portbal explain book.xlsx Out!B4
    portbal explain book.xlsx Weights --json

CELL is a cell, with its sheet unless that is the first one, or the name of a cell. A cell that a
result spills into is explained by the formula that fills it. For each portbal call: its arguments
with their ranges and digests (equal digests mean equal cells), what was left out, the proof of
its numbers, and its notes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from portbal.errors import UserError
from portbal_addin.hosts.workbook import Explained, Explanation, explain
from portbal_addin.hosts.workbook.report import shown


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="FILE.xlsx", help="the workbook")
    parser.add_argument("cell", metavar="CELL", help="a cell such as Out!B4, or a name")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("--fresh", action="store_true",
                        help="the stored values are out of date: do not compare with them")


def run(options: argparse.Namespace) -> int:
    try:
        found = explain(options.input, options.cell, fresh=options.fresh)
    except UserError as error:
        where = "" if str(options.input) in str(error) else f"{options.input}: "
        print(f"portbal: {where}{error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(asdict(found), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(lines(found)))
    return 1 if found.problems else 0


def lines(found: Explanation) -> Iterator[str]:
    """The text to print."""
    if not found.formula:
        what = "is blank" if found.after is None else f"holds {shown(found.after)}, no formula"
        yield f"{found.cell} {what}"
        return
    yield f"{found.cell}  {found.formula}"
    yield f"  shows     {shown(found.after)}"
    if found.after != found.before:
        yield f"  stored    {shown(found.before)}"
    if found.fills != found.cell.rpartition("!")[2]:
        yield f"  fills     {found.fills}"
    if found.reads:
        yield f"  reads     {', '.join(found.reads)}"
    for word in found.problems:
        yield f"  problem   {word}"
    for word in found.warnings:
        yield f"  warning   {word}"
    for call in found.calls:
        yield from _call(call)


def _call(call: Explained) -> Iterator[str]:
    margin = "  " * (call.depth + 1)
    yield f"{margin}PORTBAL.{call.function}: {call.summary}"
    yield f"{margin}  digest  {call.digest}"
    for given in call.arguments:
        size = f"  {given.rows} x {given.columns}  {given.digest[:18]}" if given.digest else ""
        yield f"{margin}  {given.name} = {given.source}{size}"
    for name, value in call.proof:
        yield f"{margin}  proof   {name} = {value:.6g}"
    for note in call.notes:
        yield f"{margin}  note    {note}"
    if call.problem:
        yield f"{margin}  problem {call.problem}"
