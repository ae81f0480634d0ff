"""Put the add-in, its settings and the templates where Excel finds them.

    portbal install --dry-run    list every path, write nothing
    portbal install              list every path, then write
    portbal install --open       open a workbook in Excel afterwards, to see that it works

The settings name the Python that runs this command. A file that is replaced is kept beside the
new one, and portbal uninstall restores it. Nothing but the user's own folders is written.
"""

from __future__ import annotations

import argparse
import sys

from portbal.errors import UserError
from portbal_addin.hosts.excel import setup
from portbal_addin.hosts.excel.machine import Machine, ThisMachine, home, join, version_text

SMOKE = "smoke.xlsx"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="list the paths, write nothing")
    parser.add_argument("--open", action="store_true", help="open a workbook in Excel afterwards")


def run(options: argparse.Namespace) -> int:
    try:
        return install(ThisMachine(), dry_run=options.dry_run, opens=options.open)
    except UserError as error:
        print(f"portbal: {error}", file=sys.stderr)
        return 1


def install(machine: Machine, *, dry_run: bool, opens: bool) -> int:
    from portbal_addin.cli.build import excel_files
    from portbal_templates import TEMPLATES, read

    files = {name: content for name, content in excel_files() if not name.endswith(".xlsm")}
    steps = list(setup.plan(machine, files))
    smoke = join(home(machine), SMOKE)
    if opens:
        steps.append(setup.Step(smoke, "a workbook to try it with", read(next(iter(TEMPLATES)))))
    print(f"Excel   {version_text(machine)}\nPython  {machine.python}\n")
    for step in steps:
        print(f"{step.path}\n    {step.what}")
    if dry_run:
        print("Nothing was written.")
        return 0
    setup.apply(machine, tuple(steps))
    print("Installed. Start Excel; the tab Portfolio is in its ribbon. `portbal doctor` checks it.")
    if opens:
        machine.open(smoke)
    return 0
