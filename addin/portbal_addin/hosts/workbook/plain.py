"""The way for the many formulas that the engine can have as they stand.

Formulas of cells, numbers, texts, operators and ordinary functions, with areas only as the
whole argument of functions that read areas, need no tree. All others take the long way.
"""

from __future__ import annotations

import re

from portbal_addin.block import column_letters
from portbal_addin.hosts.workbook.content import Expression
from portbal_addin.hosts.workbook.names import Names, data_of
from portbal_addin.hosts.workbook.references import (
    LAST_COLUMN,
    LAST_ROW,
    MOST_CELLS,
    Area,
    Spot,
    column_number,
    quoted,
)
from portbal_addin.hosts.workbook.repairs import Cells
from portbal_addin.hosts.workbook.tree import MOST_NESTED

_CELL = r"\$?[A-Z]{1,3}\$?[0-9]{1,7}(?![\w.(\[!:\#])"
_AREA = r"\$?[A-Z]{1,3}\$?[0-9]{1,7}:\$?[A-Z]{1,3}\$?[0-9]{1,7}(?![\w.(\[!:\#])"
_SHEET = r"(?:[A-Za-z_][\w.]*!|'(?:[^'\[\]]|'')+'!)?"
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:E[-+]?[0-9]+)?(?![\w.:!])"
_TEXT = r'"(?:[^"]|"")*"'
_RANGE = rf"{_SHEET}{_AREA}"
_VALUE = rf"(?:{_SHEET}{_CELL}|-?{_NUMBER}|{_TEXT}|TRUE|FALSE)"
_OF_AREAS = (
    "SUM|AVERAGE|COUNT|COUNTA|MAX|MIN|MEDIAN|PRODUCT|SUMPRODUCT|SUMSQ|STDEV|STDEV\\.S|STDEV\\.P|"
    "VAR|VAR\\.S|VAR\\.P|CORREL|COVARIANCE\\.S|COVARIANCE\\.P|SLOPE"
)
_LOOKUP = rf"(?:MATCH|VLOOKUP|HLOOKUP)\({_VALUE},{_RANGE}(?:,{_VALUE})*+\)"
_OF_VALUES = (
    "IF|IFERROR|ABS|ROUND|ROUNDUP|ROUNDDOWN|INT|SQRT|EXP|LN|LOG10|POWER|MAX|MIN|SUM|NOT|"
    "SIGN|MOD|ISNUMBER|ISBLANK|ISERROR|VALUE"
)
_PLAIN = re.compile(
    rf"(?:(?>(?:{_OF_AREAS})\((?:{_RANGE}|{_VALUE})(?:,(?:{_RANGE}|{_VALUE}))*+\)"
    rf"|{_LOOKUP}|(?:COUNTIF|LARGE|SMALL|PERCENTILE)\({_RANGE},{_VALUE}\)"
    rf"|INDEX\({_RANGE}(?:,(?:{_VALUE}|{_LOOKUP}))++\)"
    rf"|(?:SUMIF|AVERAGEIF)\({_RANGE},{_VALUE}(?:,{_RANGE})?\)"
    rf"|(?:{_OF_VALUES})\(|{_SHEET}{_CELL}|{_NUMBER}|{_TEXT}|TRUE\b|FALSE\b|<=|>=|<>"
    rf"|[-+*/^=<>%(),]))++"
)
_OF_CRITERIA = re.compile(r"(?:COUNT|SUM|AVERAGE)IF\(")
_STRUCTURE = re.compile(rf"{_TEXT}|[(),]")
_REFERENCE = re.compile(
    rf'{_TEXT}|({_SHEET})\$?([A-Z]{{1,3}})\$?([0-9]{{1,7}})(?![\w.(])'
    r"(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?"
)
# Names and columns of tables, which are replaced by areas first.
_NAMED = re.compile(
    rf"{_TEXT}|'(?:[^']|'')*'!|(?<![\w.!$\]\\])([A-Za-z_][\w.]*)"
    r"(?:\[(?:\[\#This\ Row\],\[([^\[\]'\#@]+)\]|([^\[\]'\#@]+))\]|(?![\w.(!\[\\\]]))"
)
_ABSOLUTE = re.compile(rf"{_SHEET}\$[A-Z]{{1,3}}\$[0-9]{{1,7}}(?::\$[A-Z]{{1,3}}\$[0-9]{{1,7}})?")


class PlainReader:
    """titles: how the engine calls the sheets. cells: what is known of the cells."""

    def __init__(self, names: Names, titles: tuple[str, ...], cells: Cells) -> None:
        self._cells = cells
        self._sheets: dict[str, int | None] = {"": None}
        for number, name in enumerate(names.sheets):
            if titles[number] != name:
                continue
            self._sheets[f"{name}!"] = number
            self._sheets["'" + name.replace("'", "''") + "'!"] = number
        own = {name for name, sheet in names.defined if sheet is not None}
        self._names = {
            name: text for (name, sheet), text in names.defined.items()
            if sheet is None and name not in own and _ABSOLUTE.fullmatch(text)
        }
        self._tables = {
            (folded, title.casefold()): (quoted(names.sheets[table.area.sheet]), data_of(table),
                                         column_letters(table.area.left + at))
            for folded, table in names.tables.items() for at, title in enumerate(table.columns)
        }

    def carried(self, formula: str, spot: Spot) -> Expression | None:
        """The formula as it stands, or None when it must take the long way."""
        if _PLAIN.fullmatch(formula) is None:
            formula = _NAMED.sub(lambda match: self._replaced(match, spot), formula)
            if _PLAIN.fullmatch(formula) is None:
                return None
        if not _is_whole(formula):
            return None
        areas = []
        for sheet, letters, digits, last_letters, last_digits in _REFERENCE.findall(formula):
            if not digits:
                continue
            if sheet not in self._sheets:
                return None
            number = self._sheets[sheet]
            top, left = int(digits), column_number(letters)
            bottom = int(last_digits) if last_digits else top
            right = column_number(last_letters) if last_letters else left
            if not (0 < top <= bottom <= LAST_ROW and left <= right <= LAST_COLUMN):
                return None
            if (bottom - top) * (right - left) > MOST_CELLS:
                return None
            areas.append(Area(spot.sheet if number is None else number, top, left, bottom, right))
        return None if self._needs_repair(formula, areas) else Expression([formula], areas)

    def _needs_repair(self, formula: str, areas: list[Area]) -> bool:
        """Lookups among blanks, and criteria that ask for what is not some text."""
        if "IF(" in formula and _OF_CRITERIA.search(formula) and (
            self._cells.negations or '"<>' in formula
        ):
            return True
        across, down = "HLOOKUP" in formula, "VLOOKUP" in formula
        return (across or down) and any(
            (down and self._cells.has_blanks(area._replace(right=area.left)))
            or (across and self._cells.has_blanks(area._replace(bottom=area.top)))
            for area in areas if not area.is_cell
        )

    def _replaced(self, match: re.Match[str], spot: Spot) -> str:
        word, this_row, column = match.groups()
        if word is None:
            return match[0]
        if this_row is None and column is None:
            return self._names.get(word.casefold(), match[0])
        found = self._tables.get((word.casefold(), (this_row or column).casefold()))
        if found is None:
            return match[0]
        sheet, data, letters = found
        if this_row is None:
            return f"{sheet}!{letters}{data.top}:{letters}{data.bottom}"
        inside = data.sheet == spot.sheet and data.top <= spot.row <= data.bottom
        return f"{sheet}!{letters}{spot.row}" if inside else match[0]


def _is_whole(formula: str) -> bool:
    """Parentheses match and are not too deep, commas stand inside them."""
    depth = 0
    for mark in _STRUCTURE.findall(formula):
        if mark == "(":
            depth += 1
            if depth > MOST_NESTED:
                return False
        elif mark == ")":
            depth -= 1
            if depth < 0:
                return False
        elif mark == "," and not depth:
            return False
    return depth == 0
