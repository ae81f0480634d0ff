"""What is wrong in a workbook, and its formulas entered again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from portbal_addin.block import PROBLEM_PREFIX, Cell
from portbal_addin.book import Area, Book, Changes, PutFormula
from portbal_addin.macros.commands import command
from portbal_addin.macros.writing import results, said, table_of
from portbal_addin.registry import functions

# A function of ours in the spelling of any host, with what a lost add-in leaves before it
# ('C:\old\portbal.xlam'!, [1]!, _xludf.); the dot of PORTBAL.X belongs to other hosts.
_CALL = re.compile(
    r"""(?P<before>'[^']*\.xlam?'!|[A-Za-z0-9_.]*\.xlam?!|\[\d+\]!)?
        (?P<prefix>(?:_xll\.|_xludf\.|_xldudf_|@)*)
        (?P<head>PORTBAL[._])(?P<name>[A-Z0-9]+)(?=\()""",
    re.VERBOSE | re.IGNORECASE,
)
_PROBLEM = re.compile(re.escape(PROBLEM_PREFIX) + r"[A-Z][A-Z0-9]+: ")
_TEXT = re.compile(r'("(?:[^"]|"")*")')


@command(
    "problems", label="Problems", group="Help", image="ErrorChecking",
    tip="List every problem in this workbook with its cell and its cure.",
    about="Writes ProblemList: each cell that shows a #PORTBAL problem, what is wrong and what to "
          "do, and the notes of formulas where they are known. A problem that other formulas pass "
          "on is listed where it began, with how many cells show it too.",
)
def problems(book: Book) -> Changes:
    """Every sheet -> ProblemList."""
    found: dict[str, list[tuple[str, str]]] = {}
    formulas: dict[str, str] = {}
    for area, formula, cell in _cells(book):
        formulas[area.text] = formula
        if isinstance(cell, str) and _PROBLEM.match(cell):
            found.setdefault(cell, []).append((area.text, formula))
    rows: list[tuple[Cell, ...]] = []
    for text, places in found.items():
        name, _, rest = text.removeprefix(PROBLEM_PREFIX).partition(": ")
        what, _, cure = rest.partition(". ")
        began = next((place for place, formula in places if name in _called(formula)), places[0][0])
        rows.append(("problem", began, name, what.removesuffix("."), cure, float(len(places) - 1)))
    for place, text in book.remarks():
        names = sorted(_called(formulas.get(place, "")))
        rows.append(("note", place, names[0] if names else None, text, None, None))
    listed = table_of(("Kind", "Cell", "Function", "What", "What to do", "Also in"),
                      rows or [("none", "All", None, None, None, None)])
    written = results(book, {"ProblemList": listed})
    count = f"{len(found)} problem{'s' if len(found) > 1 else ''}" if found else "No problems"
    return Changes(f"{count} in this workbook.", (("Problems", listed),), written.writes,
                   notes=said(written.live))


@command(
    "relink", label="Relink", group="Help", image="HyperlinkInsert",
    tip="Connect the formulas of this workbook with this add-in.",
    about="Enters every portbal formula again: after a workbook came from another computer, was "
          "opened before the add-in, or shows #NAME? or the path of an add-in that is gone.",
)
def relink(book: Book) -> Changes:
    """Every formula of ours -> the same formula without a link to another add-in."""
    writes = tuple(
        PutFormula(area, _relinked(formula)) for area, formula, cell in _cells(book)
        if _called(formula) and (_relinked(formula) != formula or cell == "#NAME?")
    )
    if not writes:
        return Changes("Every portbal formula is connected.")
    shown: list[tuple[Cell, ...]] = [(write.area.text, write.formula) for write in writes]
    return Changes(f"{len(writes)} formulas entered again.",
                   (("Entered again", table_of(("Cell", "Formula"), shown)),), writes)


def _cells(book: Book) -> Iterator[tuple[Area, str, Cell]]:
    """Every cell in use: where it is, its formula, its value; our own lists left out."""
    own = book.find("ProblemList")
    for sheet in book.sheets():
        area = book.used(sheet)
        if area is None or (own is not None and own.sheet == sheet):
            continue
        formulas = book.formulas(area)
        for down, row in enumerate(book.block(area)):
            for right, cell in enumerate(row):
                if cell is not None or formulas[down][right]:
                    yield area.cell(down, right), formulas[down][right], cell


def _called(formula: str) -> set[str]:
    """The names of our functions that a formula calls."""
    found = {match["name"].upper() for part in _TEXT.split(formula)[::2]
             for match in _CALL.finditer(part)}
    return found & set(functions())


def _relinked(formula: str) -> str:
    """The formula with our functions called by name alone; texts in it are left as they are."""
    parts = _TEXT.split(formula)
    parts[::2] = [_CALL.sub(_bare, part) for part in parts[::2]]
    return "".join(parts)


def _bare(match: re.Match[str]) -> str:
    if match["name"].upper() not in functions():
        return match[0]
    kept = "@" if "@" in match["prefix"] else ""
    return f"{kept}{match['head']}{match['name']}"
