"""The notes that formulas gave beside their results, by the cell that asked.

A note never stands in a cell; Excel's Problems command lists those of its workbook. Formulas and
commands run in one Python process, which keeps them as long as it lives.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

MOST_CELLS = 10_000
# '[My book.xlsx]My sheet'!$B$2:$C$9 - the name of a sheet may hold what a book's may not.
_PLACE = re.compile(
    r"(?P<quote>'?)\[(?P<book>[^\]]+)\](?P<sheet>.+)(?P=quote)!"
    r"\$(?P<column>[A-Z]{1,3})\$(?P<row>\d+)(?::.*)?"
)


@dataclass(frozen=True)
class Note:
    book: str
    sheet: str
    row: int
    column: int
    function: str
    text: str


class Notes:
    """The newest notes of each cell; the oldest cells go first when there are too many."""

    def __init__(self, most: int = MOST_CELLS) -> None:
        self.most = most
        self._by_place: OrderedDict[str, tuple[Note, ...]] = OrderedDict()

    def keep(self, place: str, function: str, notes: tuple[str, ...]) -> None:
        """Notes of a function in place of those that the cell had; none takes them away."""
        self._by_place.pop(place, None)
        match = _PLACE.fullmatch(place) if notes else None
        if match is not None:
            spot = (_plain(match, "sheet"), int(match["row"]), column_number(match["column"]))
            self._by_place[place] = tuple(
                Note(_plain(match, "book"), *spot, function, text) for text in notes)
            if len(self._by_place) > self.most:
                self._by_place.popitem(last=False)

    def of(self, book: str) -> tuple[Note, ...]:
        """The notes in a workbook, by its name."""
        return tuple(note for notes in self._by_place.values() for note in notes
                     if note.book.casefold() == book.casefold())


def column_number(letters: str) -> int:
    """``AB`` -> 28."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _plain(match: re.Match[str], part: str) -> str:
    """Inside quotes an apostrophe is written twice."""
    return match[part].replace("''", "'") if match["quote"] else match[part]


NOTES = Notes()
