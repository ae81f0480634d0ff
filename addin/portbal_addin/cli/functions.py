"""List the formulas, or show one: its arguments, what they take, and an example."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap

from portbal.errors import UserError
from portbal_addin.registry import Function, find, functions


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="show this function, in any spelling")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    try:
        chosen = [find(options.name)] if options.name else list(functions().values())
    except UserError as error:
        print(f"portbal: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([_described(f) for f in chosen], indent=1, ensure_ascii=False))
    elif options.name:
        print(_shown(chosen[0]))
    else:
        name, group = (max(map(len, words)) + 2 for words in zip(
            *((f.name, f.group) for f in chosen), strict=True))
        for f in chosen:
            print(f"{f.name:<{name}}{f.group:<{group}}{f.summary}")
    return 0


def _described(f: Function) -> dict[str, object]:
    return {
        "name": f.name, "group": f.group, "summary": f.summary, "example": f.example.formula,
        "arguments": [
            {"name": a.name, "kind": a.kind.name, "accepts": a.kind.accepts, "help": a.help,
             "required": a.required, "default": a.default}
            for a in f.arguments
        ],
        "returns": f.result.accepts,
    }


def _shown(f: Function) -> str:
    lines = [f"PORTBAL.{f.name}({f.signature})", f.summary, ""]
    for a in f.arguments:
        default = "" if a.required or a.default is None else f" Default: {a.default}."
        text = f"{a.name:<14}{a.help}{default} Takes {a.kind.accepts}."
        lines.append(textwrap.fill(text, 96, subsequent_indent=" " * 14))
    return "\n".join([*lines, "", f"Returns {f.result.accepts}.", f"Example: ={f.example.formula}"])
