"""``portbal COMMAND``: one module a command, imported when the command is used.

A command module has a docstring (its help), ``arguments(parser)`` and ``run(options) -> int``.
Exit codes: 0 done, 1 the answer is no or a problem was found, 2 the command was not understood.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

COMMANDS = {
    "demo": "recalculate the flagship workbook and show what came out",
    "recalc": "recalculate the portbal and native formulas of a workbook",
    "explain": "show how a cell of a workbook came about",
    "run": "run a ribbon command on a workbook: preview, or --apply",
    "call": "call one formula with JSON arguments",
    "journal": "read, verify and replay the sealed record of rebalances",
    "functions": "list the formulas with their arguments",
    "template": "list the workbook templates, copy one, or bring a workbook up to date",
    "build": "build the add-in and self-contained workbooks for Excel",
    "install": "put the add-in, its settings and the templates where Excel finds them",
    "uninstall": "take back what install has put there",
    "doctor": "check what the add-in needs, with a cure for what is missing",
}


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = words[0] if words and words[0] in COMMANDS else None
    parser = _parser(name)
    options = parser.parse_args(words)
    if name is None:
        parser.print_help()
        return 2
    try:
        code = int(_module(name).run(options))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("portbal: stopped; nothing was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # nobody reads on, as after `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _module(name: str) -> Any:
    return importlib.import_module(f"portbal_addin.cli.{name}")


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """The whole command line; only the chosen command's own arguments are filled in."""
    import portbal

    parser = argparse.ArgumentParser(
        prog="portbal", description="Portfolio balancing in spreadsheet cells."
    )
    parser.add_argument("--version", action="version", version=f"portbal {portbal.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, help_ in COMMANDS.items():
        command = commands.add_parser(name, help=help_)
        if name == chosen:
            command.description = _module(name).__doc__
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            _module(name).arguments(command)
    return parser
