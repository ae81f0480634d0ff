"""Call one formula as a cell would.

Standard input holds a JSON array of arguments: numbers, texts, lists of rows, and null or ""
for an argument that is left out. The answer is one JSON object: {"result", "notes"} or {"error"}.

    echo '[[["A",0.6],["B",0.4]], [["A",0.5],["B",0.5]]]' | portbal call TURNOVER

With --batch each line of standard input is an object {"function", "args"} and is answered by
one line; an error does not end the run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from typing import Any

from portbal.errors import InputError, UserError
from portbal_addin.block import Block, Cell
from portbal_addin.registry import Answer, Problem, find


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="the function, in any spelling")
    parser.add_argument("--batch", action="store_true", help="one call a line")


def run(options: argparse.Namespace) -> int:
    if options.batch == bool(options.name):
        print("portbal: give either a function's name or --batch", file=sys.stderr)
        return 2
    if not options.batch:
        answer = _answer(options.name, sys.stdin.read())
        print(_json(answer))
        return 1 if "error" in answer else 0
    for line in sys.stdin:
        if line.strip():
            print(_json(_answer_line(line)), flush=True)
    return 0


def _json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False, allow_nan=False)


def _answer(name: str, text: str) -> dict[str, Any]:
    try:
        return _call(name, _parsed(text) if text.strip() else [])
    except UserError as error:
        return _error(str(error), error.argument, None, None, error.fix)


def _answer_line(line: str) -> dict[str, Any]:
    try:
        request = _parsed(line)
        if not isinstance(request, dict) or not isinstance(request.get("function"), str):
            raise InputError(
                "a line is not an object with a function's name",
                fix='Write {"function": "VERSION", "args": []}.',
            )
        return _call(request["function"], request.get("args", []))
    except UserError as error:
        return _error(str(error), error.argument, None, None, error.fix)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"the input is not JSON: {error}", fix="Send a JSON array.") from None


def _call(name: str, values: Any) -> dict[str, Any]:
    function = find(name)
    if not isinstance(values, list):
        raise InputError("the arguments are not a JSON array", fix="Send [argument, ...].")
    blocks = [_block(value, number) for number, value in enumerate(values, start=1)]
    result = function.invoke(*blocks)
    if isinstance(result, Problem):
        return _error(
            result.text, result.argument, result.row, result.column, result.fix
        )
    return {"result": _value(result), "notes": list(result.notes)}


def _block(value: Any, number: int) -> Block | None:
    try:
        block = None if value is None else Block.of(value)
    except ValueError as error:
        raise InputError(
            f"argument {number}: {error}", fix="Send a list of rows of equal length."
        ) from None
    if block is not None and not all(
        isinstance(cell, (str, float, int, type(None))) for row in block for cell in row
    ):
        raise InputError(
            f"argument {number} has lists or objects where cells belong",
            fix="Send a list of rows of numbers, texts, true, false or null.",
        )
    return block


def _value(answer: Answer) -> Any:
    """One cell as a scalar, more as rows; dates as ISO text."""
    rows = [[_cell(cell) for cell in row] for row in answer.block]
    return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows


def _cell(cell: Cell) -> Any:
    return cell.isoformat() if isinstance(cell, dt.date) else cell


def _error(
    message: str, argument: str | None, row: int | None, column: int | None, fix: str
) -> dict[str, Any]:
    return {
        "error": {"message": message, "argument": argument, "row": row, "column": column,
                  "fix": fix}
    }
