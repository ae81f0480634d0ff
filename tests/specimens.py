"""One valid call of every function, as cells, and what can be done to its arguments."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from portbal_addin.block import Cell
from portbal_addin.registry import Function, functions

Cells = list[list[Cell]]
NAMES = ("Alpha", "Beta Co", "Cash flow plc", "600519")


def _returns(rows: int = 60) -> np.ndarray:
    rng = np.random.default_rng(11)
    common = rng.normal(0, 0.008, (rows, 1))
    return common + rng.normal(0.0006, 0.01, (rows, len(NAMES)))


def _dates(count: int) -> list[Cell]:
    return [dt.date(2024, 1, 1) + dt.timedelta(days=7 * i) for i in range(count)]


def _table(values: np.ndarray) -> Cells:
    body = [[day, *map(float, row)] for day, row in zip(_dates(len(values)), values, strict=True)]
    return [["Date", *NAMES], *body]


def _vector(title: str, values: list[float]) -> Cells:
    return [["Asset", title], *([n, v] for n, v in zip(NAMES, values, strict=True))]


def _matrix() -> Cells:
    cov = np.cov(_returns(), rowvar=False) * 52
    return [["", *NAMES], *([n, *map(float, row)] for n, row in zip(NAMES, cov, strict=True))]


WEIGHTS = [0.4, 0.3, 0.2, 0.1]
TABLES: dict[str, Cells] = {
    "prices": _table(100 * np.cumprod(1 + _returns(), axis=0)),
    "returns": _table(_returns()),
    "mu": _vector("Return", [0.08, 0.06, 0.07, 0.05]),
    "prior": _vector("Return", [0.08, 0.06, 0.07, 0.05]),
    "cov": _matrix(),
    "matrix": _matrix(),
    "weights": _vector("Weight", WEIGHTS),
    "current": _vector("Weight", WEIGHTS),
    "budgets": _vector("Budget", WEIGHTS),
    "target": _vector("Weight", [0.3, 0.3, 0.2, 0.2]),
    "benchmark": _vector("Weight", [0.25, 0.25, 0.25, 0.25]),
    "benchmarkreturns": [[row[0], row[1]] for row in _table(_returns())],
    "limits": [["Limit", "Min", "Max"], ["Sector Tech", 0.1, 0.9], ["each asset", None, 0.7]],
    "assets": [
        ["Asset", "Sector", "Duration", "Benchmark", "Current", "Lot"],
        *([n, s, d, b, c, 1.0] for n, s, d, b, c in zip(
            NAMES, ("Tech", "Tech", "Bank", "Bank"), (1.0, 2.0, 3.0, 4.0),
            (0.25, 0.25, 0.25, 0.25), WEIGHTS, strict=True)),
    ],
    "views": [
        ["View", "Return", "Confidence"], ["Alpha - 'Beta Co'", 0.03, 0.5],
        ["'600519'", 0.05, None],
    ],
    "holdings": [
        ["Asset", "Quantity", "Price"],
        *([n, q, p] for n, q, p in zip(NAMES, (40.0, 25.0, 30.0, 5.0), (10.0, 12.0, 7.0, 20.0),
                                       strict=True)),
    ],
    "orders": [
        ["Asset", "Side", "Quantity", "Price", "Value", "Cost", "Weight after", "Reason"],
        ["Alpha", "sell", -10.0, 10.0, -100.0, 1.0, 0.3, "drift"],
        ["600519", "buy", 5.0, 20.0, 100.0, 1.0, 0.2, "drift"],
    ],
    "groups": [["Asset", "Group"], *([n, g] for n, g in zip(NAMES, "XXYY", strict=True))],
    "shocks": [["Where", "Shock"], ["all", -0.1], ["Alpha", -0.3], ["asset 600519", 0.05]],
    "candidates": _table(0.5 * _returns()[:, ::-1] + 0.01 * np.cos(np.arange(240)).reshape(60, 4)),
    "factors": _table(_returns()[:, ::-1]),
    "effects": [["Date", "Allocation", "Selection"], *(
        [day, float(a), float(b)] for day, (a, b) in zip(
            _dates(60), 0.1 * _returns()[:, 1:3], strict=True))],
    "portfolioreturns": [["Date", "Portfolio"], *(
        [day, float(r[0] + 0.1 * r[1] + 0.1 * r[2])] for day, r in zip(
            _dates(60), _returns(), strict=True))],
    "var": [["Date", "VaR"], *([day, 0.015 + 0.0001 * i] for i, day in enumerate(_dates(60)))],
    "cvar": [["Date", "CVaR"], *([day, 0.02 + 0.0001 * i] for i, day in enumerate(_dates(60)))],
    "levels": [[0.9, 0.95]],
    "fromdate": [[dt.date(2024, 2, 5)]],
    "untildate": [[dt.date(2024, 4, 1)]],
    "range": [[1.0, "x"], [None, 2.0]],
    "stops": _vector("Stop", [9.0, 11.0, 6.5, 18.0]),
    "errors": _vector("Error", [0.02, 0.01, 0.015, 0.01]),
    "objective": [["min volatility"]],
    "lots": [
        ["Lot", "Asset", "Date", "Quantity", "Cost"],
        ["L1", "Alpha", dt.date(2022, 5, 2), 30.0, 8.0],
        ["L2", "Alpha", dt.date(2023, 11, 1), 20.0, 12.0],
        ["L3", "600519", dt.date(2023, 12, 29), 10.0, 21.0],
    ],
    "sells": [
        ["Asset", "Date", "Quantity", "Price"],
        ["Alpha", dt.date(2024, 1, 15), 25.0, 10.0],
        ["600519", dt.date(2024, 1, 15), 4.0, 20.0],
        ["Alpha", dt.date(2024, 11, 15), 15.0, 11.0],
    ],
    "flows": [
        ["Date", "Flow"], [dt.date(2024, 3, 4), -150.0], [dt.date(2024, 3, 5), 80.0],
        [dt.date(2024, 3, 11), -200.0],
    ],
    "start": [[dt.date(2024, 3, 1)]],
    "futures": [
        ["Contract", "Asset or group", "Multiplier", "Price", "Margin", "Cost", "Beta"],
        ["Single stock", "Alpha", 0.5, 40.0, 2.0, 0.1, 1.1],
        ["Index", "all", 0.5, 50.0, 3.0, 0.1, 1.0],
    ],
}
_TRADED: Cells = [
    ["Asset", "Sector", "ADV", "Cost"],
    *([n, s, v, c] for n, s, v, c in zip(
        NAMES, ("Tech", "Tech", "Bank", "Bank"), (400.0, 900.0, 3000.0, 200.0),
        (0.001, 0.002, 0.001, 0.004), strict=True)),
]
NUMBERS: dict[str, Cell] = {
    "runs": 12.0, "kappa": 1.0,
    "k": 2.0, "budget": 0.02, "tick": 0.01, "gap": 0.001, "price": 100.0, "volatility": 0.2,
    "riskfree": 0.01, "riskaversion": 3.0, "level": 0.9, "periods": 52.0, "points": 4.0,
    "horizon": 1.0, "tau": 0.05, "cash": 100.0, "bands": 0.05,
    "correlation": 0.8, "strength": 0.5, "loss": 0.2, "days": 21.0, "share": 0.2, "window": 40.0,
    "years": 3.0, "paths": 200.0, "seed": 7.0, "participation": 0.25, "settlement": 1.0,
    "shortrate": 0.37, "longrate": 0.2,
}
# Where an argument is another kind of thing than its name says elsewhere.
SPECIAL: dict[tuple[str, str], Cells] = {
    ("TARGETRETURN", "target"): [[0.06]],
    ("TARGETVOLATILITY", "target"): [[0.2]],
    ("MINCVAR", "target"): [[0.0]],
    ("TOUCHPROBABILITY", "level"): [[105.0]],
    ("TOUCHPROBABILITY", "mu"): [[0.05]],
    ("ATTRIBUTION", "returns"): _vector("Return", [0.02, -0.01, 0.03, 0.01]),
    ("ATTRIBUTION", "benchmarkreturns"): _vector("Return", [0.015, -0.02, 0.03, 0.02]),
    ("LIQUIDITY", "assets"): _TRADED,
    ("CASHPLAN", "assets"): _TRADED,
    ("HEDGE", "assets"): _TRADED,
    ("SCENARIOSHOCKS", "returns"): [
        ["Date", *NAMES], ["2020-02-19", 0.01, 0.0, 0.0, 0.0], ["2020-02-28", -0.1, -0.1, 0.0, 0.0],
        ["2020-03-09", -0.1, -0.1, 0.0, 0.02], ["2020-03-23", -0.2, 0.1, 0.0, 0.0],
    ],
    ("STRESSLIMITS", "shocks"): [
        ["Scenario", "Where", "Shock"], ["Tech falls", "Sector Tech", -0.4],
        [None, "Alpha", -0.5], ["Rates rise", "Duration", -0.05], ["All fall", "all", -0.2],
    ],
    ("STRESSLIMITS", "more"): [["Scenario", "Where", "Shock"], ["Banks fall", "Sector Bank", -0.3]],
}


# Without weights their returns have one column.
_ONE_COLUMN = {"VAR", "CVAR", "DRAWDOWN", "STRESSEDVAR", "VARTEST"}


def valid_call(function: Function, *, optional: bool) -> list[Cells | None]:
    """Cells for every argument; optional ones too where asked and where a specimen exists."""
    cells: list[Cells | None] = []
    optional = optional or function.name in {"EXPLAIN", "VERIFY"}  # the objective needs cov
    for argument in function.arguments:
        known = SPECIAL.get((function.name, argument.name)) or TABLES.get(argument.name)
        if function.name in _ONE_COLUMN and argument.name == "returns" and not optional:
            known = TABLES["benchmarkreturns"]
        if known is None and argument.name in NUMBERS:
            known = [[NUMBERS[argument.name]]]
        cells.append(known if argument.required or optional else None)
    return cells


@dataclass(frozen=True)
class Mutation:
    """expect: ``problem`` (at the changed cell where place is given), ``same`` answer as
    before, or ``sound``: either a finite answer or a problem."""

    name: str
    expect: str
    cells: Cells | None
    place: tuple[int, int] | None = None


def mutations(kind: str, cells: Cells, rng: np.random.Generator) -> list[Mutation]:
    """Changed copies of an argument of this kind."""
    made = [change(kind, cells, rng) for change in CHANGES]
    return [mutation for mutation in made if mutation is not None]


def _numeric_place(kind: str, cells: Cells, rng: np.random.Generator) -> tuple[int, int] | None:
    places = [
        (r, c) for r, row in enumerate(cells) for c, cell in enumerate(row)
        if isinstance(cell, float)
    ]
    return places[int(rng.integers(len(places)))] if places else None


def _with(cells: Cells, place: tuple[int, int], cell: Cell) -> Cells:
    copy = [list(row) for row in cells]
    copy[place[0]][place[1]] = cell
    return copy


Change = Callable[[str, Cells, np.random.Generator], Mutation | None]
CHANGES: list[Change] = []


def _change(function: Change) -> Change:
    CHANGES.append(function)
    return function


def _bad_number(name: str, cell: Cell, expect: str = "problem") -> None:
    @_change
    def change(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
        place = _numeric_place(kind, cells, rng)
        if place is None or kind == "range" or kind == "options":
            return None
        wanted = expect
        if cell is None and kind in {"assets", "limits", "views"}:
            wanted = "sound"  # blanks have a meaning there
        if cell is None and len(cells) == 1:
            wanted = "sound"  # a scalar that is left out
        if kind == "assets" and isinstance(cell, (str, bool, dt.date)):
            wanted = "sound"  # one text makes the column a grouping
        where = place if wanted == "problem" else None
        return Mutation(name, wanted, _with(cells, place, cell), where)


_bad_number("blank", None)
_bad_number("text", "abc")
_bad_number("decimal comma", "12,5")
_bad_number("number as text", "0.25")
_bad_number("error", "#DIV/0!")
_bad_number("not available", "#N/A")
_bad_number("truth", True)
_bad_number("infinity", math.inf)
_bad_number("minus infinity", -math.inf)
_bad_number("not a number", math.nan)
_bad_number("a date", dt.date(2024, 5, 1))
_bad_number("formula text", "=1+1")
_bad_number("huge", 1e300, "sound")
_bad_number("minus huge", -1e300, "sound")
_bad_number("large", 1e12, "sound")
_bad_number("tiny", 1e-300, "sound")
_bad_number("zero", 0.0, "sound")
_bad_number("negative", -0.5, "sound")
_bad_number("percent text", "5%", "sound")


def _label_places(kind: str, cells: Cells) -> list[tuple[int, int]]:
    if kind in {"table", "matrix"}:
        places = [(0, c) for c in range(1, len(cells[0]))]
        return places + ([(r, 0) for r in range(1, len(cells))] if kind == "matrix" else [])
    if kind in {"vector", "assets", "holdings", "groups", "limits", "views"}:
        return [(r, 0) for r in range(1, len(cells))]
    return []


def _bad_label(name: str, make: Callable[[Cells, tuple[int, int]], Cell], expect: str) -> None:
    @_change
    def change(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
        places = _label_places(kind, cells)
        if not places:
            return None
        place = places[int(rng.integers(len(places)))]
        wanted = expect
        if kind in {"limits", "views"} and name == "repeated name":
            return None
        return Mutation(name, wanted, _with(cells, place, make(cells, place)),
                        place if wanted == "problem" else None)


def _other_name(cells: Cells, place: tuple[int, int]) -> Cell:
    across = place[0] == 0
    names = cells[0][1:] if across else [row[0] for row in cells[1:]]
    own = cells[place[0]][place[1]]
    other = next(n for n in names if n != own) if len(names) > 1 else own
    return f" {str(other).upper()}\u00a0"


_bad_label("blank name", lambda cells, place: None, "problem")
_bad_label("error name", lambda cells, place: "#REF!", "problem")
_bad_label("repeated name", _other_name, "sound")
_bad_label("unknown name", lambda cells, place: "Zeta", "sound")
_bad_label("long name", lambda cells, place: "x" * 10_000, "sound")
_bad_label("bidirectional name", lambda cells, place: "\u202eabc\u2066\u0000", "sound")
_bad_label("formula name", lambda cells, place: '=HYPERLINK("x")', "sound")
_bad_label("name in capitals and spaces",
           lambda cells, place: f"\u00a0{str(cells[place[0]][place[1]]).upper()}  ", "respelled")


@_change
def _padded(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if kind == "range" or len(cells) == 1:
        return None
    width = len(cells[0])
    blank: list[Cell] = [None] * (width + 2)
    return Mutation("blank edges", "same", [blank, *([None, *row, ""] for row in cells), blank])


@_change
def _transposed_vector(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if kind != "vector" or len(cells) < 4:
        return None
    return Mutation("laid across", "same", [list(row) for row in zip(*cells, strict=True)])


@_change
def _without_header(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if len(cells) < 3:
        return None
    return Mutation("no header", "same" if kind == "vector" else "sound", cells[1:])


@_change
def _one_row(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    return Mutation("first two rows", "sound", cells[:2]) if len(cells) > 2 else None


@_change
def _header_only(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    return Mutation("first row", "sound", cells[:1]) if len(cells) > 2 else None


@_change
def _one_column(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    return Mutation("first column", "sound", [row[:1] for row in cells]) if len(cells) > 1 else None


@_change
def _one_asset(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    return Mutation("two columns", "sound", [row[:2] for row in cells]) if len(cells) > 1 else None


@_change
def _missing_row(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if len(cells) < 3:
        return None
    gone = int(rng.integers(1, len(cells)))
    return Mutation("a row less", "sound", [row for r, row in enumerate(cells) if r != gone])


@_change
def _missing_column(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if len(cells[0]) < 3:
        return None
    gone = int(rng.integers(len(cells[0])))
    return Mutation("a column less", "sound", [row[:gone] + row[gone + 1:] for row in cells])


@_change
def _empty(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    return Mutation("empty range", "sound", [[None, ""], ["  ", None]])


@_change
def _one_cell(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    return Mutation("one number", "sound", [[0.5]])


@_change
def _one_text(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    return Mutation("one text", "sound", [["x"]])


@_change
def _constant(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if kind not in {"table", "matrix", "vector"}:
        return None
    return Mutation("all numbers alike", "sound", [
        [1.0 if isinstance(cell, float) else cell for cell in row] for row in cells])


@_change
def _swapped_dates(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if not (len(cells) > 5 and isinstance(cells[1][0], dt.date)):
        return None
    at = int(rng.integers(2, len(cells)))
    copy = [list(row) for row in cells]
    copy[at][0] = copy[at - 1][0] if rng.integers(2) else dt.date(1999, 1, 1)
    return Mutation("dates out of order", "problem", copy, (at, 0))


@_change
def _passed_on(kind: str, cells: Cells, rng: np.random.Generator) -> Mutation | None:
    if kind == "range":
        return None
    place = (int(rng.integers(len(cells))), int(rng.integers(len(cells[0]))))
    return Mutation("a problem passed on", "passed on",
                    _with(cells, place, "#PORTBAL VAR: it is empty. Give returns."))


def all_calls() -> list[tuple[str, bool]]:
    """(name, with optional arguments) for every function that takes arguments."""
    return [(name, optional) for name, f in functions().items() if f.arguments
            for optional in (False, True)]
