"""New values for cells of a sheet part; every other byte of it stays as it is.

Text from results is always written as text: ``t="str"`` in a cell with a formula, an inline
string elsewhere.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from portbal.errors import NotAvailable
from portbal_addin.block import column_letters
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.markup import encoded, local, parse, parser
from portbal_addin.hosts.workbook.references import Area, area_of, column_number

MOST_TEXT = 32_767

_TAG = re.compile(rb"</?[^\s/>]+(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_NAME = re.compile(rb"</?([^\s/>]+)")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)[\"']")
WRITTEN = frozenset("#NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A #GETTING_DATA".split())


class Update(NamedTuple):
    """What a cell shows from now on. ref: the area that its array formula fills, or empty to
    leave that as it is."""

    value: Value
    ref: str = ""


Updates = Mapping[tuple[int, int], Update]


class _Edit(NamedTuple):
    start: int
    end: int
    text: bytes


def patched(data: bytes, updates: Updates, part: str) -> bytes:
    """The sheet part with these cells changed. Cells and rows are made where they are missing;
    a cell that is to be blank keeps its style."""
    declared = _ENCODING.match(data.lstrip(b"\xef\xbb\xbf"))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (
        declared and declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")
    ):
        raise NotAvailable("a sheet is not stored in UTF-8", fix="Save the workbook again.")
    editor = _Editor(data, updates)
    made = parser(part)
    editor.index = lambda: made.CurrentByteIndex
    made.StartElementHandler, made.EndElementHandler = editor.start, editor.end
    parse(made, data, part)
    pieces, at = [], 0
    for edit in editor.edits():
        pieces += [data[at:edit.start], edit.text]
        at = edit.end
    return b"".join([*pieces, data[at:]])


class _Editor:
    def __init__(self, data: bytes, updates: Updates) -> None:
        self.index = lambda: 0
        self._data = data
        self._updates = updates
        self._rows: dict[int, list[int]] = {}
        for row, column in sorted(updates):
            self._rows.setdefault(row, []).append(column)
        self._missing_rows = deque(sorted(self._rows))
        self._edits: list[_Edit] = []
        self._dimension: tuple[int, bytes] | None = None
        self._filled: list[tuple[int, int]] = []
        self._column_styles: list[tuple[int, int, str]] = []
        self._row = self._column = 0
        self._row_tag: tuple[int, bytes, dict[str, str]] = (0, b"", {})
        self._data_start = -1
        self._due: list[int] = []
        self._cell_start = -1
        self._kept: list[bytes] = []
        self._kept_start = -1
        self._prefix = b""

    # --- events ----------------------------------------------------------------------------

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name) if ":" in name else name
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes)
        elif name in ("f", "extLst") and self._cell_start >= 0:
            self._kept_start = self.index()
        elif name == "col":
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdigit() and last.isdigit():
                style = attributes.get("style", "0")
                self._column_styles.append((int(first), int(last), style))
        elif name == "dimension":
            self._dimension = (self.index(), self._tag(self.index()))
        elif name == "sheetData":
            self._data_start = self.index()
            self._prefix = prefix_of(self._tag(self._data_start), b"sheetData")

    def end(self, name: str) -> None:
        name = local(name) if ":" in name else name
        if name == "c":
            if self._cell_start >= 0:
                self._end_cell()
        elif name in ("f", "extLst"):
            if self._kept_start >= 0:
                self._kept.append(self._data[self._kept_start:self._end(self._kept_start)])
                self._kept_start = -1
        elif name == "row":
            self._close(list(self._new_cells(self._due)), self._row_tag[0])
            self._due = []
        elif name == "sheetData":
            self._close(list(self._new_rows(self._missing_rows)), self._data_start)
            self._missing_rows.clear()

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = int(attributes.get("r", self._row + 1))
        self._column = 0
        start = self.index()
        tag = self._tag(start)
        self._row_tag = (start, tag, attributes)
        before = []
        while self._missing_rows and self._missing_rows[0] < self._row:
            before.append(self._missing_rows.popleft())
        if before:
            self._edits.append(_Edit(start, start, b"".join(self._new_rows(before))))
        if self._missing_rows and self._missing_rows[0] == self._row:
            self._missing_rows.popleft()
        self._due = list(self._rows.get(self._row, ()))
        if self._due:
            widened = _with_spans(tag, attributes.get("spans"), self._due)
            if widened != tag:
                self._edits.append(_Edit(start, start + len(tag), widened))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        at = attributes.get("r")
        if at is None:
            self._column += 1
        else:
            letters = at.rstrip("0123456789")
            self._column = column_number(letters)
        if not self._due:
            return
        start = self.index()
        before = [column for column in self._due if column < self._column]
        if before:
            self._edits.append(_Edit(start, start, b"".join(self._new_cells(before))))
        self._due = self._due[len(before):]
        if self._due and self._due[0] == self._column:
            del self._due[0]
            self._cell_start = start
            self._kept = []

    def _end_cell(self) -> None:
        start, end = self._cell_start, self._end(self._cell_start)
        self._cell_start = -1
        update = self._updates[self._row, self._column]
        tag = self._tag(start)
        formula = b"".join(kept for kept in self._kept if _is_formula(kept))
        rest = b"".join(kept for kept in self._kept if not _is_formula(kept))
        if formula and update.ref:
            old = _TAG.match(formula)
            if old is not None:
                formula = _with(old[0], b"ref", update.ref.encode()) + formula[old.end():]
        text = _cell(tag, update.value, formula, rest, prefix_of(tag, b"c"))
        self._note(self._row, self._column, update.value)
        self._edits.append(_Edit(start, end, text))

    # --- new cells and rows -------------------------------------------------------------------

    def _new_cells(self, columns: list[int]) -> Iterator[bytes]:
        row_style = self._row_tag[2].get("s", "0") if (
            self._row_tag[2].get("customFormat") in ("1", "true")
        ) else None
        for column in columns:
            value = self._updates[self._row, column].value
            if value is None:
                continue
            style = row_style if row_style is not None else self._style(column)
            yield self._new_cell(self._row, column, value, style)

    def _new_rows(self, rows: Iterable[int]) -> Iterator[bytes]:
        for row in rows:
            cells = [
                self._new_cell(row, column, self._updates[row, column].value, self._style(column))
                for column in self._rows[row] if self._updates[row, column].value is not None
            ]
            if cells:
                name = self._prefix + b"row"
                yield b'<%s r="%d">%s</%s>' % (name, row, b"".join(cells), name)

    def _new_cell(self, row: int, column: int, value: Value, style: str) -> bytes:
        tag = b'<%sc r="%s%d"/>' % (self._prefix, column_letters(column).encode(), row)
        if style not in ("", "0"):
            tag = _with(tag, b"s", style.encode())
        self._note(row, column, value)
        return _cell(tag, value, b"", b"", self._prefix)

    def _style(self, column: int) -> str:
        for first, last, style in self._column_styles:
            if first <= column <= last:
                return style
        return "0"

    def _note(self, row: int, column: int, value: Value) -> None:
        if value is not None:
            self._filled.append((row, column))

    # --- places -------------------------------------------------------------------------------

    def _tag(self, start: int) -> bytes:
        match = _TAG.match(self._data, start)
        if match is None:
            raise NotAvailable("a sheet is written in an unusual way", fix="Save it again.")
        return match[0]

    def _end(self, start: int) -> int:
        """Behind the element that began there and ends here. An empty element has one tag,
        and the parser already stands behind it."""
        at = self.index()
        return at if self._tag(start).endswith(b"/>") else at + len(self._tag(at))

    def _close(self, new: list[bytes], start: int) -> None:
        """Put new content before the end of the element that began at ``start``."""
        if not new:
            return
        tag = self._tag(start)
        if not tag.endswith(b"/>"):
            self._edits.append(_Edit(self.index(), self.index(), b"".join(new)))
            return
        end = start + len(tag)
        for edit in self._edits:
            if (edit.start, edit.end) == (start, end):
                self._edits.remove(edit)
                tag = edit.text
                break
        name = _NAME.match(tag)
        closing = b"</%s>" % (name[1] if name else b"")
        opened = tag[:-2].rstrip() + b">"
        self._edits.append(_Edit(start, end, opened + b"".join(new) + closing))

    def edits(self) -> list[_Edit]:
        edits = list(self._edits)
        if self._dimension is not None and self._filled:
            start, tag = self._dimension
            wider = _with_dimension(tag, self._filled)
            if wider != tag:
                edits.append(_Edit(start, start + len(tag), wider))
        return sorted(edits, key=lambda edit: (edit.start, edit.end))


def prefix_of(tag: bytes, name: bytes) -> bytes:
    """What stands before the local name in a tag: nothing, or a prefix with its colon."""
    match = _NAME.match(tag)
    return match[1].removesuffix(name) if match else b""


def _is_formula(element: bytes) -> bool:
    match = _NAME.match(element)
    return match is not None and match[1].rpartition(b":")[2] == b"f"


def _cell(tag: bytes, value: Value, formula: bytes, rest: bytes, prefix: bytes) -> bytes:
    """A cell with a new value; tag is its old start tag."""
    tag = _without(_without(tag, b"t"), b"vm")
    if value is not None and isinstance(value, str) and not isinstance(value, ErrorText):
        text = encoded(value[:MOST_TEXT]).encode()
        if formula:
            kind, content = b"str", b"<%sv>%s</%sv>" % (prefix, text, prefix)
        else:
            space = b' xml:space="preserve"' if value != value.strip() else b""
            kind = b"inlineStr"
            inner = b"<%st%s>%s</%st>" % (prefix, space, text, prefix)
            content = b"<%sis>%s</%sis>" % (prefix, inner, prefix)
    elif value is None:
        kind, content = b"", b""
    else:
        kind, shown = _shown(value)
        content = b"<%sv>%s</%sv>" % (prefix, shown, prefix)
    if kind:
        tag = _with(tag, b"t", kind)
    inside = formula + content + rest
    opened = tag[:-2].rstrip() if tag.endswith(b"/>") else tag[:-1]
    return b"%s>%s</%sc>" % (opened, inside, prefix) if inside else opened + b"/>"


def _shown(value: Value) -> tuple[bytes, bytes]:
    """Type and text of a truth, an error or a number."""
    if isinstance(value, bool):
        return b"b", b"1" if value else b"0"
    if isinstance(value, ErrorText):
        return b"e", (str(value) if value in WRITTEN else "#VALUE!").encode()
    text = repr(float(value))
    return b"", text.removesuffix(".0").encode()


def _without(tag: bytes, name: bytes) -> bytes:
    return re.sub(rb"\s+" + name + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", tag, count=1)


def _with(tag: bytes, name: bytes, value: bytes) -> bytes:
    """A start tag with this attribute, in its old place or the last."""
    pattern = re.compile(rb"(\s" + name + rb"\s*=\s*)(?:\"[^\"]*\"|'[^']*')")
    if pattern.search(tag):
        return pattern.sub(lambda match: match[1] + b'"' + value + b'"', tag, count=1)
    end = len(tag) - (2 if tag.endswith(b"/>") else 1)
    return tag[:end].rstrip() + b" " + name + b'="' + value + b'"' + tag[end:]


def _with_spans(tag: bytes, spans: str | None, columns: list[int]) -> bytes:
    if not spans or not re.fullmatch(r"\d+:\d+", spans):
        return tag
    first, last = map(int, spans.split(":"))
    wider = f"{min(first, columns[0])}:{max(last, columns[-1])}"
    return tag if wider == spans else _with(tag, b"spans", wider.encode())


def _with_dimension(tag: bytes, filled: list[tuple[int, int]]) -> bytes:
    match = re.search(rb"\sref\s*=\s*[\"']([A-Za-z0-9:$]+)[\"']", tag)
    if match is None:
        return tag
    try:
        old = area_of(0, match[1].decode())
    except ValueError:
        return tag
    rows, columns = zip(*filled, strict=True)
    new = Area(0, min(old.top, *rows), min(old.left, *columns),
               max(old.bottom, *rows), max(old.right, *columns))
    return tag if new == old else _with(tag, b"ref", new.text.encode())
