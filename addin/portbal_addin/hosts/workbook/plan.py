"""Every formula of a workbook, and how it will be computed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from portbal.errors import NotAvailable
from portbal_addin.hosts.workbook.carry import Reader
from portbal_addin.hosts.workbook.content import Expression, PortbalCall, inner_calls
from portbal_addin.hosts.workbook.engine import Value, titles
from portbal_addin.hosts.workbook.lexer import Token, tokens
from portbal_addin.hosts.workbook.names import resolved, shifted
from portbal_addin.hosts.workbook.plain import PlainReader
from portbal_addin.hosts.workbook.references import MOST_CELLS, Area, Spot, area_of
from portbal_addin.hosts.workbook.repairs import Cells
from portbal_addin.hosts.workbook.sheet import StoredFormula, StoredSheet
from portbal_addin.hosts.workbook.tree import Ref
from portbal_addin.hosts.workbook.workbook import Workbook

MOST_CHARACTERS = 8_192  # of a formula, as spreadsheet programs allow


@dataclass(eq=False)
class Formula:
    """A formula in its cell.

    kind: plain (one value), fixed (an array formula that fills ``ref``), dynamic (its result
    spills; ``ref`` is what it filled when the file was saved). content: what computes it, or
    None when it keeps its stored value; ``reason`` says why. calls: the portbal calls whose
    results it uses directly. stored: the value in the file; is_stored: there is one.
    """

    spot: Spot
    text: str
    kind: str
    ref: Area
    stored: Value
    is_stored: bool
    content: Expression | PortbalCall | None = None
    reason: str = ""
    calls: list[PortbalCall] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)

    @property
    def is_native(self) -> bool:
        return isinstance(self.content, Expression) and not self.calls

    def keep(self, reason: str) -> None:
        """Leave the stored value."""
        if isinstance(self.content, Expression):
            self.areas = list(self.content.areas)
        self.content = None
        self.calls = []
        self.reason = reason


def formulas(workbook: Workbook, now: float, *, lambdas: bool = True) -> list[Formula]:
    """All of them, sheet by sheet. now: the serial number for NOW() and TODAY(). lambdas: the
    engine may have formulas with LAMBDA, which can break it."""
    sheets = [workbook.stored(number) for number in range(len(workbook.sheets))]
    used = tuple((sheet.rows, sheet.columns) for sheet in sheets)
    names = tuple(titles(workbook.sheets))
    cells = known(sheets)
    reader = Reader(workbook.names, names, used, now, cells, workbook.date1904, lambdas)
    quick = PlainReader(workbook.names, names, cells)
    found = []
    for number, sheet in enumerate(sheets):
        for formula in _read(workbook, number, sheet):
            if not formula.reason:
                _carry(formula, reader, quick)
            found.append(formula)
    return found


def known(sheets: list[StoredSheet]) -> Cells:
    """What is known of the cells before anything is computed."""
    columns: list[dict[int, list[int]]] = []
    for sheet in sheets:
        by_column: dict[int, list[int]] = {}
        for formula in sheet.formulas:
            by_column.setdefault(formula.column, []).append(formula.row)
        columns.append({column: sorted(rows) for column, rows in by_column.items()})

    @cache
    def has_formula(area: Area) -> bool:
        found = columns[area.sheet]
        return any(
            bisect_left(rows, area.top) < bisect_right(rows, area.bottom)
            for column, rows in found.items() if area.left <= column <= area.right
        )

    @cache
    def has_blanks(area: Area) -> bool:
        sheet = sheets[area.sheet]
        if area.bottom > sheet.rows or area.right > sheet.columns:
            return True
        computed = {(f.row, f.column) for f in sheet.formulas} if has_formula(area) else set()
        return any(
            (spot.row, spot.column) not in computed
            and sheet.values.get((spot.row, spot.column)) in (None, "")
            for spot in area.spots()
        )

    @cache
    def has_digits(area: Area) -> bool:
        sheet = sheets[area.sheet]
        used = area._replace(bottom=min(area.bottom, sheet.rows),
                             right=min(area.right, sheet.columns))
        return has_formula(area) or any(
            isinstance(value := sheet.values.get((spot.row, spot.column)), float)
            and float(f"{value:.15g}") != value
            for spot in used.spots()
        )

    negations = any(
        isinstance(value, str) and value.startswith("<>")
        for sheet in sheets for value in sheet.values.values()
    ) or any(
        formula.text.removeprefix("=").startswith('"<>') for sheet in sheets
        for formula in sheet.formulas
    )
    return Cells(tuple(sheet.rows for sheet in sheets), has_blanks, has_digits, negations)


def _carry(formula: Formula, reader: Reader, quick: PlainReader) -> None:
    if formula.kind == "plain":
        formula.content = quick.carried(formula.text, formula.spot)
        if formula.content is not None:
            return
    try:
        content = reader.carried(formula.text, formula.spot, array=formula.kind != "plain")
        formula.content = content
        formula.calls = [content] if isinstance(content, PortbalCall) else inner_calls(content)
    except NotAvailable as error:
        formula.reason = f"{error.problem}. {error.fix}"
        formula.areas = list(_mentioned(formula, reader))


def _mentioned(formula: Formula, reader: Reader) -> Iterator[Area]:
    """The areas that can be made out in a formula that cannot be carried."""
    try:
        found = tokens(formula.text)
    except NotAvailable:
        return
    for token in found:
        if token.kind in ("area", "name", "table"):
            yield from _areas_of(token, formula.spot, reader)


def _areas_of(token: Token, spot: Spot, reader: Reader) -> Iterator[Area]:
    try:
        nodes = resolved(token.sheet + token.text, spot, reader.names)
    except NotAvailable:
        return
    yield from (node.area for node in nodes if isinstance(node, Ref))


# --- formulas as they are stored ---------------------------------------------------------

def _read(workbook: Workbook, number: int, sheet: StoredSheet) -> Iterator[Formula]:
    shared: dict[str, StoredFormula] = {}
    for stored in sheet.formulas:
        spot = Spot(number, stored.row, stored.column)
        text, reason = stored.text.removeprefix("="), ""
        if stored.kind == "shared":
            if text:
                shared.setdefault(stored.shared, stored)
            else:
                text, reason = _follower(stored, shared.get(stored.shared))
        elif stored.kind == "dataTable":
            reason = "it is part of a what-if data table. Recalculate it in a spreadsheet program."
        elif not text.strip():
            reason = "its formula is empty. Type it again."
        elif len(text) - len("_xlfn.") * text.count("_xlfn.") > MOST_CHARACTERS:
            reason = f"it is longer than {MOST_CHARACTERS:,} characters. Split it."
        kind, ref = _kind(stored, spot, workbook)
        if ref.height * ref.width > MOST_CELLS:
            reason = f"it fills {ref.height * ref.width:,} cells. Let it fill fewer."
            kind, ref = "plain", Area.at(spot)
        value = sheet.values.get((stored.row, stored.column))
        yield Formula(spot, text, kind, ref, value, (stored.row, stored.column) in sheet.values,
                      reason=reason)


def _follower(stored: StoredFormula, first: StoredFormula | None) -> tuple[str, str]:
    if first is None:
        return "", "its shared formula is missing. Save the workbook again."
    try:
        return shifted(first.text, stored.row - first.row, stored.column - first.column), ""
    except NotAvailable as error:
        return "", f"{error.problem}. {error.fix}"


def _kind(stored: StoredFormula, spot: Spot, workbook: Workbook) -> tuple[str, Area]:
    if stored.kind != "array":
        return "plain", Area.at(spot)
    try:
        ref = area_of(spot.sheet, stored.ref)
    except ValueError:
        ref = Area.at(spot)
    if ref.first != spot:
        ref = Area.at(spot)
    return "dynamic" if stored.cm in workbook.dynamic else "fixed", ref
