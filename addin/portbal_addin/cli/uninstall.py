"""Take back what portbal install has written, and restore what lay there before."""

from __future__ import annotations

import argparse
import sys

from portbal.errors import UserError
from portbal_addin.hosts.excel import setup
from portbal_addin.hosts.excel.machine import Machine, ThisMachine


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="list the paths, change nothing")


def run(options: argparse.Namespace) -> int:
    try:
        return uninstall(ThisMachine(), dry_run=options.dry_run)
    except UserError as error:
        print(f"portbal: {error}", file=sys.stderr)
        return 1


def uninstall(machine: Machine, *, dry_run: bool) -> int:
    lines = setup.remove(machine, dry_run=dry_run)
    print("\n".join(lines or ["Nothing of portbal is installed."]))
    return 1 if any(line.startswith("FAILED") for line in lines) else 0
