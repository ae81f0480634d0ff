"""The cells of a sheet part: values and formulas as they are stored."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from portbal.errors import InputError, NotAvailable
from portbal_addin.block import date_of, serial_of
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.markup import decoded, local, parse, parser
from portbal_addin.hosts.workbook.references import column_number

MOST_STORED = 1_000_000  # cells or texts that are read
MOST_TAGS = 8_000_000
MOST_TEXT = 32_767
_CELL_TAG = re.compile(rb"<(?:[\w.-]+:)?(?:c|si)[\s/>]")


@dataclass(slots=True)
class StoredFormula:
    """text: empty for the followers of a shared formula. ref: the area that an array or
    shared formula names. kind: normal, shared, array, dataTable. cm: index of cell metadata."""

    row: int
    column: int
    text: str
    kind: str = "normal"
    ref: str = ""
    shared: str = ""
    cm: int = 0


@dataclass
class StoredSheet:
    """values: by row and column, of formula cells too. merged: areas as text."""

    values: dict[tuple[int, int], Value] = field(default_factory=dict)
    formulas: list[StoredFormula] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    rows: int = 1
    columns: int = 1


class _Reader:
    """Handlers for the events of a sheet part."""

    def __init__(self, texts: list[str], date1904: bool) -> None:
        self.sheet = StoredSheet()
        self._texts = texts
        self._date1904 = date1904
        self._row = 0
        self._column = 0
        self._kind = "n"
        self._cm = 0
        self._formula: dict[str, str] | None = None
        self._in = ""
        self._parts: list[str] = []
        self._value: str | None = None
        self._formula_text = ""
        self._phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = local(name)
        if name == "c":
            self._start_cell(attributes)
        elif name == "v":
            self._in = "v"
            self._parts = []
        elif name == "f":
            self._in = "f"
            self._parts = []
            self._formula = attributes
        elif name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
        elif name == "t":
            self._in = "t"
        elif name == "is":
            self._parts = []
        elif name == "rPh":
            self._phonetic = True
        elif name == "mergeCell":
            self.sheet.merged.append(attributes.get("ref", ""))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        at = attributes.get("r")
        if at is None:
            self._column += 1
        else:
            letters = at.rstrip("0123456789")
            self._column = column_number(letters)
            self._row = int(at[len(letters):])
        self._kind = attributes.get("t", "n")
        self._cm = int(attributes.get("cm", 0))
        self._formula = None
        self._value = None

    def text(self, data: str) -> None:
        if self._in and not self._phonetic:
            self._parts.append(data)

    def end(self, name: str) -> None:
        if ":" in name:
            name = local(name)
        if name == "c":
            self._end_cell()
        elif name == "v":
            self._value = "".join(self._parts)
            self._in = ""
        elif name == "f":
            self._formula_text = "".join(self._parts)
            self._in = ""
        elif name == "is":
            self._value = "".join(self._parts)
        elif name == "t":
            self._in = ""
        elif name == "rPh":
            self._phonetic = False

    def _end_cell(self) -> None:
        spot = (self._row, self._column)
        if self._value is not None:
            value = self._read(self._value)
            if value is not None:
                self.sheet.values[spot] = value
        if self._formula is not None:
            get = self._formula.get
            self.sheet.formulas.append(StoredFormula(
                *spot, self._formula_text, get("t", "normal"), get("ref", ""), get("si", ""),
                self._cm,
            ))
        elif self._value is None:
            return
        if self._row > self.sheet.rows:
            self.sheet.rows = self._row
        if self._column > self.sheet.columns:
            self.sheet.columns = self._column

    def _read(self, text: str) -> Value:
        kind = self._kind
        if kind == "n":
            if not text:
                return None
            if "_" in text or not text.isascii():
                raise ValueError(f"number {text[:20]}")
            number = float(text)
            return number if math.isfinite(number) else ErrorText("#NUM!")
        if kind == "s":
            number = int(text)
            if number < 0:
                raise ValueError(f"text {number}")
            return self._texts[number]
        if kind in ("str", "inlineStr"):
            return _known_text(text)
        if kind == "b":
            return text.strip() in ("1", "true")
        if kind == "e":
            return ErrorText(text)
        if kind == "d":
            day = date_of(text)
            return text if day is None else serial_of(day, self._date1904)
        raise ValueError(f"cell type {kind}")


def _known_text(text: str) -> str:
    """Text as it is shown; ValueError when no cell could hold it."""
    if len(text) > MOST_TEXT:
        shown = decoded(text)
        if len(shown) > MOST_TEXT:
            raise ValueError(f"a text of {len(shown):,} characters")
        return shown
    return decoded(text)


def refuse_crowds(data: bytes, part: str) -> None:
    """NotAvailable when a part holds more than can be read in reasonable time and memory."""
    tags = data.count(b"<")
    cells = sum(1 for _ in _CELL_TAG.finditer(data)) if tags > MOST_STORED else 0
    if cells > MOST_STORED or tags > MOST_TAGS:
        what = f"{cells:,} cells or texts" if cells > MOST_STORED else f"{tags:,} elements"
        raise NotAvailable(f"its part {part} has {what}",
                           fix=f"Keep a sheet under {MOST_STORED:,} cells.")


def read_sheet(data: bytes, part: str, texts: list[str], date1904: bool) -> StoredSheet:
    """The cells of a sheet; InputError when it is damaged. texts: the shared strings."""
    refuse_crowds(data, part)
    reader = _Reader(texts, date1904)
    made = parser(part)
    made.StartElementHandler, made.EndElementHandler = reader.start, reader.end
    made.CharacterDataHandler = reader.text
    try:
        parse(made, data, part)
    except (ValueError, IndexError) as error:
        raise InputError(
            f"its part {part} has a cell that cannot be read in row {reader._row} ({error})",
            fix="Save the workbook again.",
        ) from None
    return reader.sheet


def shared_texts(data: bytes, part: str) -> list[str]:
    """The shared strings, rich text without its formats."""
    refuse_crowds(data, part)
    texts: list[str] = []
    parts: list[str] = []
    state = {"in": False, "phonetic": False}

    def start(name: str, _attributes: dict[str, str]) -> None:
        name = local(name)
        if name == "si":
            parts.clear()
        elif name == "t":
            state["in"] = True
        elif name == "rPh":
            state["phonetic"] = True

    def text(data: str) -> None:
        if state["in"] and not state["phonetic"]:
            parts.append(data)

    def end(name: str) -> None:
        name = local(name)
        if name == "si":
            texts.append(_known_text("".join(parts)))
        elif name == "t":
            state["in"] = False
        elif name == "rPh":
            state["phonetic"] = False

    made = parser(part)
    made.StartElementHandler, made.EndElementHandler = start, end
    made.CharacterDataHandler = text
    try:
        parse(made, data, part)
    except ValueError as error:
        raise InputError(f"its part {part} has {error}", fix="Save the workbook again.") from None
    return texts
