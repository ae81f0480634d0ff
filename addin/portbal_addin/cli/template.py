"""List the workbook templates, or copy one to a file.

    portbal template list
    portbal template new portfolio_balancer -o my_portfolio.xlsx
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from portbal.labels import suggestion
from portbal_templates import TEMPLATES, read


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    commands.add_parser("list", help="list the templates")
    new = commands.add_parser("new", help="copy a template to a file")
    new.add_argument("name", help="the template")
    new.add_argument("-o", "--output", type=Path, metavar="FILE",
                     help="where to write it (default: its name in this folder)")
    new.add_argument("--force", action="store_true", help="replace FILE if it exists")


def run(options: argparse.Namespace) -> int:
    if options.action == "list":
        for name, summary in TEMPLATES.items():
            print(f"{name:<24}{summary}")
        return 0
    if options.name not in TEMPLATES:
        fix = suggestion(options.name, TEMPLATES, "portbal template list shows them.")
        print(f"portbal: there is no template {options.name!r}. {fix}", file=sys.stderr)
        return 1
    path = options.output or Path(f"{options.name}.xlsx")
    if path.exists() and not options.force:
        print(f"portbal: {path} exists. Choose another name with -o, or add --force to replace "
              "it.", file=sys.stderr)
        return 1
    try:
        path.write_bytes(read(options.name))
    except OSError as error:
        print(f"portbal: {path} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    print(path.resolve())
    return 0
