"""What the names in a formula stand for: areas, defined names, tables and their columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from portbal.errors import NotAvailable
from portbal.labels import shorten
from portbal_addin.block import column_letters
from portbal_addin.hosts.workbook.lexer import Token, tokens
from portbal_addin.hosts.workbook.references import (
    LAST_COLUMN,
    LAST_ROW,
    Area,
    Spot,
    column_number,
)
from portbal_addin.hosts.workbook.tree import Call, Group, Node, Nodes, Ref, bare, parsed

_MOST_NAMES_DEEP = 32
_CORNER = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})")
_COLUMNS = re.compile(r"(\$?)([A-Za-z]{1,3}):(\$?)([A-Za-z]{1,3})")
_ROWS = re.compile(r"(\$?)([0-9]{1,7}):(\$?)([0-9]{1,7})")
_TRUTHS = frozenset({"true", "false"})


@dataclass(frozen=True)
class Table:
    """area: with header and total rows."""

    name: str
    area: Area
    columns: tuple[str, ...]
    header: bool = True
    totals: bool = False


@dataclass(frozen=True)
class Names:
    """sheets: in the order of the workbook. defined: text by folded name and sheet, where
    None is the whole workbook. tables: by folded name."""

    sheets: tuple[str, ...]
    defined: Mapping[tuple[str, int | None], str] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)

    def sheet(self, prefix: str, here: int) -> int:
        """The sheet that ``Sheet1!`` names; empty is this one."""
        if not prefix:
            return here
        name = prefix[:-1]
        if name.startswith("'"):
            name = name[1:-1].replace("''", "'")
        if "[" in name:
            raise NotAvailable("it refers to another workbook", fix="Copy the cells into this one.")
        wanted = name.casefold()
        for number, sheet in enumerate(self.sheets):
            if sheet.casefold() == wanted:
                return number
        if ":" in name:
            raise NotAvailable("it refers to several sheets at once", fix="Name each sheet.")
        raise NotAvailable(f"there is no sheet {shorten(name)}", fix="Mend the reference.")

    def find(self, name: str, prefix: str, here: int) -> str | None:
        """The text behind a defined name; a sheet's own name wins over the workbook's."""
        folded = name.casefold()
        if prefix and not prefix.startswith("["):
            sheet = self.sheet(prefix, here)
            return self.defined.get((folded, sheet), self.defined.get((folded, None)))
        if prefix and prefix != "[0]!":
            raise NotAvailable("it refers to another workbook", fix="Copy the cells into this one.")
        return self.defined.get((folded, here), self.defined.get((folded, None)))


def resolved(formula: str, spot: Spot, names: Names) -> Nodes:
    """The tree of a formula in a cell, with every name replaced by what it stands for.

    NotAvailable where something in it is outside this workbook or cannot be read.
    """
    return _resolve(parsed(tokens(formula)), spot, names, frozenset(), ())


def _resolve(
    nodes: Nodes, spot: Spot, names: Names, declared: frozenset[str], within: tuple[str, ...]
) -> Nodes:
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Token):
            result.extend(_meaning(node, spot, names, declared, within))
        elif isinstance(node, Call):
            result.extend(_call(node, spot, names, declared, within))
        elif isinstance(node, Group):
            result.append(Group(_each(node.arguments, spot, names, declared, within)))
        else:
            result.append(node)
    return tuple(result)


def _each(
    arguments: tuple[Nodes, ...], spot: Spot, names: Names, declared: frozenset[str],
    within: tuple[str, ...],
) -> tuple[Nodes, ...]:
    return tuple(_resolve(nodes, spot, names, declared, within) for nodes in arguments)


def _call(
    node: Call, spot: Spot, names: Names, declared: frozenset[str], within: tuple[str, ...]
) -> Nodes:
    if node.name in ("LET", "LAMBDA"):
        declared = declared | {name for name in map(declaration, node.arguments) if name}
    arguments = _each(node.arguments, spot, names, declared, within)
    folded = node.name.casefold()
    if folded in declared and not node.sheet:
        return (Call(folded, arguments),)
    if node.portbal is None:
        text = names.find(node.name, node.sheet, spot.sheet) if not _is_foreign(node) else None
        if text is not None:
            return (*_defined(node.name, text, spot, names, within), Group(arguments))
        if node.sheet:
            raise NotAvailable(f"it calls {node.name} of another workbook",
                               fix="Open it in the program that has that function.")
    return (node._replace(arguments=arguments, sheet=""),)


def _is_foreign(node: Call) -> bool:
    return node.sheet.startswith("[") and node.sheet != "[0]!"


def declaration(nodes: Nodes) -> str | None:
    """The folded name that an argument of LET or LAMBDA declares, if it may be one."""
    if len(nodes) == 1 and isinstance(nodes[0], Token) and nodes[0].kind == "name":
        return bare(nodes[0].text).casefold()
    return None


def _meaning(
    token: Token, spot: Spot, names: Names, declared: frozenset[str], within: tuple[str, ...]
) -> Nodes:
    if token.kind == "area":
        return (Ref(_area(token, spot, names)),)
    if token.kind == "lost":
        return (Token("error", "#REF!"),)
    if token.kind == "table":
        return (Ref(_table_area(token, spot, names)),)
    if token.kind != "name":
        return (token,)
    folded = bare(token.text).casefold()
    if folded in declared or token.text.startswith("_xlpm."):
        return (Token("name", folded),)
    if folded in _TRUTHS and not token.sheet:
        return (Token("name", folded.upper()),)
    text = names.find(token.text, token.sheet, spot.sheet)
    if text is not None:
        return _defined(token.text, text, spot, names, within)
    if folded in names.tables:
        return (Ref(data_of(names.tables[folded])),)
    return (Token("error", "#NAME?"),)


def _defined(
    name: str, text: str, spot: Spot, names: Names, within: tuple[str, ...]
) -> Nodes:
    """The definition of a name, whose relative references are meant from cell A1."""
    folded = name.casefold()
    if folded in within or len(within) >= _MOST_NAMES_DEEP:
        raise NotAvailable(f"the name {shorten(name)} is defined by itself",
                           fix="Mend its definition.")
    here = shifted(text.removeprefix("="), spot.row - 1, spot.column - 1)
    nodes = parsed(tokens(here))
    inside = _resolve(nodes, spot, names, frozenset(), (*within, folded))
    return inside if len(inside) == 1 else (Group((inside,)),)


def addresses(names: Names, sheet: int) -> dict[str, Area]:
    """The areas that names, tables and their columns stand for on a sheet, by folded name."""
    found: dict[str, Area] = {}
    for folded, table in names.tables.items():
        data = found[folded] = data_of(table)
        for at, title in enumerate(table.columns):
            left = data.left + at
            found[f"{folded}[{title.casefold()}]"] = data._replace(left=left, right=left)
    for own in (None, sheet):
        for (folded, scope), text in names.defined.items():
            if scope == own and "$" in text and "(" not in text:
                try:
                    nodes = resolved(text, Spot(sheet, 1, 1), names)
                except NotAvailable:
                    continue
                if len(nodes) == 1 and isinstance(nodes[0], Ref):
                    found[folded] = nodes[0].area
    return found


# --- areas -------------------------------------------------------------------------------

def _area(token: Token, spot: Spot, names: Names) -> Area:
    sheet = names.sheet(token.sheet, spot.sheet)
    text = token.text
    match = _COLUMNS.fullmatch(text)
    if match:
        left, right = sorted((column_number(match[2]), column_number(match[4])))
        area = Area(sheet, 1, left, LAST_ROW, right)
    else:
        match = _ROWS.fullmatch(text)
        if match:
            top, bottom = sorted((int(match[2]), int(match[4])))
            area = Area(sheet, top, 1, bottom, LAST_COLUMN)
        else:
            first, _, last = text.replace("$", "").partition(":")
            rows_columns = [_corner(corner) for corner in (first, last or first)]
            (top, bottom), (left, right) = map(sorted, zip(*rows_columns, strict=True))
            area = Area(sheet, top, left, bottom, right)
    if not (area.fits and area.top >= 1):
        raise NotAvailable(f"there is no cell {text}", fix="Mend the reference.")
    return area


def _corner(text: str) -> tuple[int, int]:
    match = _CORNER.fullmatch(text)
    if match is None:
        raise NotAvailable(f"{shorten(text)} is no cell", fix="Mend the reference.")
    return int(match[4]), column_number(match[2])


def shifted(formula: str, down: int, right: int) -> str:
    """A formula with its relative references moved, as a copy of it would have them.

    A reference that leaves the sheet becomes #REF!.
    """
    return "".join(
        token.sheet + (_moved(token.text, down, right) if token.kind == "area" else token.text)
        for token in tokens(formula)
    )


def _moved(text: str, down: int, right: int) -> str:
    match = _COLUMNS.fullmatch(text)
    if match:
        parts = [_column(match[1], match[2], right), _column(match[3], match[4], right)]
    elif match := _ROWS.fullmatch(text):
        parts = [_row(match[1], match[2], down), _row(match[3], match[4], down)]
    else:
        parts = []
        for corner in text.split(":"):
            found = _CORNER.fullmatch(corner)
            if found is None:
                return text
            column, row = _column(found[1], found[2], right), _row(found[3], found[4], down)
            parts.append(column + row if column and row else "")
    return ":".join(parts) if all(parts) else "#REF!"


def _column(dollar: str, letters: str, right: int) -> str:
    number = column_number(letters) + (0 if dollar else right)
    return dollar + column_letters(number) if 1 <= number <= LAST_COLUMN else ""


def _row(dollar: str, digits: str, down: int) -> str:
    number = int(digits) + (0 if dollar else down)
    return f"{dollar}{number}" if 1 <= number <= LAST_ROW else ""


# --- tables ------------------------------------------------------------------------------

_PART = re.compile(r"\[((?:[^\[\]']|'.)*)\]")
_SPECIAL = frozenset({"#all", "#data", "#headers", "#totals", "#this row"})


def data_of(table: Table) -> Area:
    """The rows between header and totals."""
    area = table.area
    return area._replace(top=area.top + table.header, bottom=area.bottom - table.totals)


def _table_area(token: Token, spot: Spot, names: Names) -> Area:
    """The area of ``Prices[...]``, or of ``[...]`` inside the table."""
    name, _, rest = token.text.partition("[")
    table = _table(name, spot, names)
    specials, columns = _parts("[" + rest)
    area = _rows(table, specials, spot)
    if columns:
        at = sorted(_position(table, column) for column in columns)
        area = area._replace(left=table.area.left + at[0], right=table.area.left + at[-1])
    return area


def _table(name: str, spot: Spot, names: Names) -> Table:
    if name:
        found = names.tables.get(bare(name).casefold())
    else:
        found = next((t for t in names.tables.values() if t.area.holds(spot)), None)
    if found is None:
        raise NotAvailable(f"there is no table {shorten(name)}", fix="Mend the reference.")
    return found


def _parts(text: str) -> tuple[set[str], list[str]]:
    """The special items and the columns between the brackets."""
    inner = text[1:-1].strip()
    specials: set[str] = set()
    if inner.startswith("@"):
        specials.add("#this row")
        inner = inner[1:].strip()
    if not inner:
        return specials, []
    items = _PART.findall(inner) if inner.startswith("[") else [inner]
    columns = []
    for item in items:
        if item.strip().casefold() in _SPECIAL:
            specials.add(item.strip().casefold())
        else:
            columns.append(re.sub(r"'(.)", r"\1", item))
    if len(columns) > 2:
        raise NotAvailable(f"{text[:40]} is no part of a table", fix="Mend the reference.")
    return specials, columns


def _rows(table: Table, specials: set[str], spot: Spot) -> Area:
    area, data = table.area, data_of(table)
    if "#this row" in specials:
        if not (spot.sheet == area.sheet and data.top <= spot.row <= data.bottom):
            raise NotAvailable(f"the cell is not in a row of {table.name}",
                               fix="Name the whole column.")
        return area._replace(top=spot.row, bottom=spot.row)
    if "#all" in specials:
        return area
    top, bottom = data.top, data.bottom
    if "#headers" in specials:
        if not table.header:
            raise NotAvailable(f"{table.name} has no header row", fix="Show its header row.")
        top, bottom = area.top, bottom if "#data" in specials else area.top
    if "#totals" in specials:
        if not table.totals:
            raise NotAvailable(f"{table.name} has no total row", fix="Show its total row.")
        top, bottom = top if "#data" in specials else area.bottom, area.bottom
    return area._replace(top=top, bottom=bottom)


def _position(table: Table, column: str) -> int:
    wanted = " ".join(column.split()).casefold()
    for at, title in enumerate(table.columns):
        if " ".join(title.split()).casefold() == wanted:
            return at
    raise NotAvailable(f"the table {table.name} has no column {shorten(column)}",
                       fix="Mend the reference.")
