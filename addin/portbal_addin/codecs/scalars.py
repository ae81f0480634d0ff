"""Arguments that stand in one cell: numbers, counts, words, options."""

from __future__ import annotations

import datetime as dt
from typing import Any

from portbal.errors import InputError
from portbal.labels import key, shorten, suggestion
from portbal_addin.block import Block, Cell, date_of, is_blank, is_error, label_text
from portbal_addin.codecs.cells import name, number, number_cell, wrong
from portbal_addin.codecs.kind import Kind


def _one_cell(block: Block) -> Block:
    block = block.trimmed()
    if (block.height, block.width) != (1, 1):
        raise InputError(
            f"it is a range of {block.height} rows and {block.width} columns",
            fix="Give one cell.",
        )
    return block


def _number(block: Block) -> float:
    return number(_one_cell(block), 0, 0)


def _whole(block: Block) -> int:
    value = _number(block)
    if value != int(value):
        raise InputError(f"{value:g} is not a whole number", fix="Give a whole number.")
    return int(value)


def _text(block: Block) -> str:
    return name(_one_cell(block), 0, 0)


def _encode_number(value: Any) -> Block:
    cell = number_cell(getattr(value, "value", value))
    if cell is None:
        raise ArithmeticError("a result is not a number")
    return Block.of(cell)


def _numbers(block: Block) -> list[float]:
    block = block.trimmed()
    if 1 not in (block.height, block.width):
        raise InputError(
            f"it is a range of {block.height} rows and {block.width} columns",
            fix="Give one row or one column of numbers.",
        )
    return [number(block, r, c) for r in range(block.height) for c in range(block.width)]


def _date_or_name(block: Block) -> dt.datetime | str:
    block = _one_cell(block)
    day = date_of(block.rows[0][0], block.date1904)
    return day if day is not None else name(block, 0, 0)


def _date(block: Block) -> dt.datetime:
    block = _one_cell(block)
    day = date_of(block.rows[0][0], block.date1904)
    if day is None:
        raise wrong(block, 0, 0, "is no date", "Use a date, such as 2024-01-31.")
    return day


NUMBER = Kind("number", "a number", _number, _encode_number)
WHOLE = Kind("whole number", "a whole number", _whole, _encode_number)
TEXT = Kind("text", "a text", _text, lambda value: Block.of(str(value)))
TRUTH = Kind("truth", "TRUE or FALSE", encode=lambda value: Block.of(bool(value)))
NUMBERS = Kind("numbers", "numbers in a row or a column", _numbers)
DATE = Kind("date", "a date", _date)
DATE_OR_NAME = Kind("date", "a date, or a name", _date_or_name)
ANYTHING = Kind("range", "any range", lambda block: block, passes_problems_on=False,
                takes_blanks=True)


def choice(*words: str) -> Kind:
    """A text that is one of these words, whatever its case."""
    by_key = {key(word): word for word in words}

    def decode(block: Block) -> str:
        text = _text(block)
        found = by_key.get(key(text))
        if found is None:
            raise InputError(
                f"{shorten(text)} is not known",
                fix=suggestion(text, words, f"Use {', '.join(words)}."),
            )
        return found

    return Kind("text", " or ".join(words), decode)


def _options(block: Block) -> dict[str, str | float | bool]:
    block = block.trimmed()
    if block.width != 2:
        raise InputError(
            f"options have two columns, option and value, and here are {block.width}",
            fix="Select two columns.",
        )
    result: dict[str, str | float | bool] = {}
    for r, (option, value) in enumerate(block.rows):
        if r == 0 and key(label_text(option)) == "option" and key(label_text(value)) == "value":
            continue
        if is_blank(option) and is_blank(value):
            continue
        word = key(name(block, r, 0))
        if word in result:
            raise wrong(block, r, 0, f"repeats the option {shorten(word)}", "Keep one of them.")
        result[word] = _option_value(block, r, value)
    return result


def _option_value(block: Block, row: int, value: Cell) -> str | float | bool:
    if isinstance(value, bool):
        return value
    is_word = is_blank(value) or (
        isinstance(value, str) and (is_error(value) or not value.strip().endswith("%"))
    )
    return name(block, row, 1) if is_word else number(block, row, 1)


OPTIONS = Kind("options", "two columns: option, value", _options)
