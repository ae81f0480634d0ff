"""Check what the add-in needs: one line a check, with the cause and one cure.

    portbal doctor                 this computer
    portbal doctor FILE.xlsx       and a workbook: how it calculates, whether it is blocked
    portbal doctor --json          the same for programs

The exit code is 1 when there is a problem. Away from Windows only the formulas and how the
workbook calculates are tested.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import portbal
from portbal.errors import NotAvailable
from portbal_addin.hosts.excel.checks import Check, calculation, checks, self_test
from portbal_addin.hosts.excel.machine import ThisMachine


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workbook", nargs="?", type=Path, metavar="FILE.xlsx")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    try:
        workbook = options.workbook.read_bytes() if options.workbook else None
    except OSError as error:
        print(f"portbal: {options.workbook} cannot be read: {error.strerror}.", file=sys.stderr)
        return 1
    path = str(options.workbook.resolve()) if options.workbook else ""
    return report(all_checks(workbook, path), as_json=options.json)


def all_checks(workbook: bytes | None, path: str) -> list[Check]:
    try:
        machine = ThisMachine()
    except NotAvailable as error:
        asked = [] if workbook is None else [calculation(workbook)]
        return [Check("Excel", "note", error.problem, error.fix), *asked, self_test()]
    found = checks(machine, portbal.__version__, metadata.version("xlwings"), workbook, path)
    return [*found, self_test()]


def report(found: Sequence[Check], *, as_json: bool) -> int:
    """Print the checks; 1 when one of them is a problem."""
    if as_json:
        print(json.dumps([asdict(check) for check in found], indent=1, ensure_ascii=False))
    else:
        for check in found:
            print(f"{check.status:<9}{check.name:<17}{check.cause}")
            if check.fix:
                print(f"{'':<9}{'':<17}-> {check.fix}")
    return 1 if any(check.status == "problem" for check in found) else 0
