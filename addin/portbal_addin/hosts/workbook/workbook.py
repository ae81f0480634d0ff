"""A workbook file as it is stored: sheets, names, tables, and how it counts dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from portbal.errors import InputError, NotAvailable
from portbal.labels import shorten, suggestion
from portbal_addin.block import Address, Block
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.lexer import Token
from portbal_addin.hosts.workbook.markup import Element, tree
from portbal_addin.hosts.workbook.names import Names, Table, resolved
from portbal_addin.hosts.workbook.package import Package, links_of, target
from portbal_addin.hosts.workbook.references import MOST_CELLS, Area, Spot, area_of
from portbal_addin.hosts.workbook.sheet import StoredSheet, read_sheet, shared_texts
from portbal_addin.hosts.workbook.tree import Ref

_MOST_SHEETS = 1000


@dataclass
class Workbook:
    """One .xlsx or .xlsm file. sheets: worksheets only, in the order of the workbook; parts:
    where each is stored; main: the part that lists them. dynamic: the cell metadata that marks
    a dynamic array formula.
    recalculates: the file asks to be calculated when it is opened, so its values are nobody's.
    """

    package: Package
    sheets: tuple[str, ...]
    parts: tuple[str, ...]
    names: Names
    date1904: bool
    recalculates: bool
    dynamic: frozenset[int]
    main: str = ""
    _texts: str = ""
    _stored: dict[int, StoredSheet] = field(default_factory=dict)

    @classmethod
    def read(cls, data: bytes) -> Workbook:
        """InputError or NotAvailable when this is no workbook that can be read."""
        package = Package(data)
        main = _main_part(package)
        root = tree(package.read(main), main)
        links = _links(package, main)
        sheets = list(_worksheets(root, links))
        if not sheets or len(sheets) > _MOST_SHEETS:
            raise NotAvailable(f"it has {len(sheets)} worksheets", fix="Choose another workbook.")
        by_number = {number: at for at, (number, _, _) in enumerate(sheets)}
        parts = tuple(part for _, _, part in sheets)
        properties = root.child("workbookPr")
        calculation = root.child("calcPr")
        names = Names(
            tuple(name for _, name, _ in sheets),
            dict(_defined(root, by_number)),
            {table.name.casefold(): table for table in _tables(package, parts)},
        )
        return cls(
            package, names.sheets, parts, names,
            date1904=properties is not None and properties.flag("date1904"),
            recalculates=calculation is not None and calculation.flag("fullCalcOnLoad"),
            dynamic=_dynamic(package, links),
            main=main,
            _texts=next((part for kind, part in links.values() if kind == "sharedStrings"), ""),
        )

    @cached_property
    def _shared(self) -> list[str]:
        return shared_texts(self.package.read(self._texts), self._texts) if self._texts else []

    def stored(self, sheet: int) -> StoredSheet:
        found = self._stored.get(sheet)
        if found is None:
            part = self.parts[sheet]
            found = read_sheet(self.package.read(part), part, self._shared, self.date1904)
            self._stored[sheet] = found
        return found

    # --- reading cells -------------------------------------------------------------------

    def find(self, reference: str) -> Area:
        """The area of a defined name, a table, or ``Sheet1!A1:B4``."""
        nodes = resolved(reference, Spot(0, 1, 1), self.names)
        if len(nodes) != 1 or not isinstance(nodes[0], Ref):
            known = [name for name, _ in self.names.defined] + list(self.names.tables)
            if nodes == (Token("error", "#NAME?"),):
                raise InputError(
                    f"the workbook has no name {shorten(reference)}",
                    fix=suggestion(reference, known, "Look at its names."),
                )
            raise InputError(f"{shorten(reference)} is no range of cells", fix="Name a range.")
        return nodes[0].area

    def block(self, area: Area) -> Block:
        """The stored cells of an area, as far as the sheet is used."""
        sheet = self.stored(area.sheet)
        bottom, right = min(area.bottom, sheet.rows), min(area.right, sheet.columns)
        return block_of(sheet.values, area._replace(bottom=bottom, right=right),
                        self.sheets[area.sheet], self.date1904)


def block_of(
    values: dict[tuple[int, int], Value], area: Area, sheet: str, date1904: bool
) -> Block:
    """Cells as a block with its address; error values become their texts. InputError when there
    are too many."""
    if area.height * area.width > MOST_CELLS:
        raise InputError(f"{area.text} has {area.height * area.width:,} cells",
                         fix="Select the table alone.")
    get = values.get
    columns = range(area.left, max(area.right, area.left) + 1)
    rows = tuple(
        tuple([get((row, column)) for column in columns])
        for row in range(area.top, max(area.bottom, area.top) + 1)
    )
    if any(type(cell) is ErrorText for row in rows for cell in row):
        rows = tuple(tuple(str(cell) if type(cell) is ErrorText else cell for cell in row)
                     for row in rows)
    return Block(rows, Address(sheet, area.top, area.left), date1904)


# --- the parts ---------------------------------------------------------------------------

def _links(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Kind and target of every link of a part that stays inside the file, by id."""
    name = links_of(part)
    if name not in package:
        return {}
    return {
        link.get("Id"): (link.get("Type").rpartition("/")[2], target(part, link.get("Target")))
        for link in tree(package.read(name), name).all("Relationship")
        if link.get("TargetMode") != "External"
    }


def _main_part(package: Package) -> str:
    for kind, part in _links(package, "").values():
        if kind == "officeDocument":
            if part.endswith(".bin"):
                raise NotAvailable("it is a binary workbook (.xlsb)", fix="Save it as .xlsx.")
            return part
    raise InputError("it is no .xlsx workbook", fix="Choose a workbook saved as .xlsx.")


def _worksheets(
    root: Element, links: dict[str, tuple[str, str]]
) -> Iterator[tuple[int, str, str]]:
    """Number among all sheets, name and part of every worksheet; others hold no cells."""
    for number, sheet in enumerate(root.all("sheet")):
        kind, part = links.get(sheet.get("id"), ("", ""))
        if kind == "worksheet":
            yield number, sheet.get("name"), part


def _defined(
    root: Element, by_number: dict[int, int]
) -> Iterator[tuple[tuple[str, int | None], str]]:
    for name in root.all("definedName"):
        scope = name.get("localSheetId")
        if not scope:
            yield (name.get("name").casefold(), None), name.text
        elif scope.isdigit() and int(scope) in by_number:
            yield (name.get("name").casefold(), by_number[int(scope)]), name.text


def _tables(package: Package, parts: tuple[str, ...]) -> Iterator[Table]:
    for sheet, part in enumerate(parts):
        for kind, name in _links(package, part).values():
            if kind == "table":
                yield _table(tree(package.read(name), name), sheet)


def _table(root: Element, sheet: int) -> Table:
    try:
        area = area_of(sheet, root.get("ref"))
    except ValueError as error:
        raise InputError(f"a table is damaged ({error})", fix="Save the workbook again.") from None
    return Table(
        root.get("displayName") or root.get("name"), area,
        tuple(column.get("name") for column in root.all("tableColumn")),
        header=root.get("headerRowCount", "1") != "0",
        totals=root.get("totalsRowCount", "0") != "0",
    )


def _dynamic(package: Package, links: dict[str, tuple[str, str]]) -> frozenset[int]:
    """The numbers of cell metadata (the attribute cm) that mean a dynamic array."""
    part = next((part for kind, part in links.values() if kind == "sheetMetadata"), None)
    if part is None or part not in package:
        return frozenset()
    root = tree(package.read(part), part)
    types = [kind.get("name") for kind in root.all("metadataType")]
    flags: list[bool] = []
    for future in root.all("futureMetadata"):
        if future.get("name") == "XLDAPR":
            flags = [any(item.flag("fDynamic") for item in entry.all("dynamicArrayProperties"))
                     for entry in future.children if entry.name == "bk"]
    cells = root.child("cellMetadata")
    found = set()
    for number, entry in enumerate(cells.children if cells else [], start=1):
        for record in entry.all("rc"):
            kind, value = _whole(record.get("t", "0")), _whole(record.get("v", "0"))
            if 0 < kind <= len(types) and types[kind - 1] == "XLDAPR" and (
                0 <= value < len(flags) and flags[value]
            ):
                found.add(number)
    return frozenset(found)


def _whole(text: str) -> int:
    """The number, or -1 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
