"""The floors of the house: imports run downwards, deferred ones too.

A line of FLOORS is one floor, the lowest first; a module imports modules of the lines below
its own only. ``name.*`` is every module of a package, each for itself; ``name.**`` is one room,
whose modules may import each other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
SOURCES = {
    "portbal": TOP / "portbal",
    "portbal_addin": TOP / "addin" / "portbal_addin",
    "portbal_udfs": TOP / "addin" / "portbal_udfs",
    "portbal_templates": TOP / "templates" / "portbal_templates",
}

FLOORS = """
portbal
portbal.errors portbal.result
portbal.labels
portbal.choices portbal.periods
portbal.barriers portbal.matrices portbal.picks portbal.tables
portbal.prices portbal.estimate.* portbal.groups portbal.dated portbal.drawdown portbal.losses.laws
portbal.ticks
portbal.risk portbal.losses.student portbal.losses.filtered portbal.losses.extremes
portbal.losses.columns portbal.losses.simulated
portbal.tail
portbal.tailparts portbal.vartest portbal.correlations portbal.scenarios portbal.simulate
portbal.stressed_var
portbal.solve
portbal.solve.roots portbal.solve.simplex
portbal.solve.problem
portbal.solve.active_set portbal.solve.branch portbal.solve.budget portbal.solve.cone
portbal.solve.expressions portbal.solve.perspective portbal.solve.reduced
portbal.solve.turning_points
portbal.solve.discrete
portbal.solve.counted
portbal.solve.critical_line portbal.solve.paths
portbal.views portbal.limits.measures
portbal.limits.language
portbal.limits.check portbal.limits.mandate
portbal.limits.conflict portbal.limits.sides
portbal.routes
portbal.optimize portbal.optimize_tail portbal.allocate
portbal.objectives
portbal.explain portbal.diagnose portbal.verify portbal.compare portbal.sensitivity
portbal.solve.charges
portbal.solve.lots
portbal.solve.lot_program portbal.solve.lot_states portbal.solve.lot_prices
portbal.solve.tangents portbal.solve.lot_sweep
portbal.solve.lot_search
portbal.solve.lot_limits
portbal.account
portbal.trade_costs portbal.trade_rules
portbal.order_conflict
portbal.orders
portbal.rebalance portbal.protect portbal.stress portbal.trailing
portbal.liquidity portbal.hedge portbal.taxlots
portbal.performance portbal.attribution portbal.benchmark portbal.stress_limits portbal.backtest
portbal.journal

portbal_addin.block
portbal_addin.literals portbal_addin.codecs.kind portbal_addin.codecs.cells
portbal_addin.codecs.labelled portbal_addin.codecs.scalars portbal_addin.codecs.tables
portbal_addin.codecs.stops portbal_addin.codecs.trades
portbal_addin.registry portbal_addin.remembered
portbal_addin.functions.*
portbal_addin.book portbal_addin.journal_file
portbal_addin.macros.**
portbal_addin.hosts.excel.** portbal_addin.hosts.workbook.** portbal_addin.hosts.calc.**
portbal_templates.** portbal_udfs
portbal_addin.cli.build
portbal_addin.cli.*
portbal_addin.__main__
"""

# What a part may see of the house where the floors below it hold more than that.
SEES_ONLY = {
    "portbal.solve": ["portbal.solve"],
    "portbal_addin.hosts": [
        "portbal.errors", "portbal.labels", "portbal_addin.block", "portbal_addin.literals",
        "portbal_addin.registry", "portbal_addin.remembered", "portbal_addin.book",
        "portbal_addin.journal_file", "portbal_addin.macros", "portbal_addin.hosts",
    ],
    "portbal_udfs": ["portbal_addin.hosts.excel"],
    "portbal_templates": [
        "portbal_templates", "portbal_addin.registry", "portbal_addin.hosts.workbook",
    ],
}

# Packages from outside, and the only places that import them.
FOREIGN = {
    "numpy": ["portbal", "portbal_addin", "portbal_templates"],
    "pandas": ["portbal", "portbal_addin", "portbal_templates"],
    "scipy": ["portbal"],
    "clarabel": ["portbal.solve"],
    "highspy": ["portbal.solve"],
    "numba": ["portbal.solve"],
    "threadpoolctl": ["portbal.solve"],
    "pypfopt": ["portbal"],
    "cvxpy": ["portbal.verify"],
    "xlwings": ["portbal_addin.hosts.excel", "portbal_udfs"],
    "pywintypes": ["portbal_addin.hosts.excel"],
    "ironcalc": ["portbal_addin.hosts.workbook"],
    "xlsxwriter": ["portbal_templates"],
    "packaging": ["portbal_addin.hosts.workbook"],
    "uno": ["portbal_addin.hosts.calc"],
}
SOLVE_SEES = {"numpy", "scipy", "clarabel", "highspy", "numba", "threadpoolctl"}

# Nobody waits for these to learn a version or a list of formulas.
HEAVY = ["cvxpy", "pypfopt", "scipy.optimize", "scipy.stats", "clarabel", "highspy", "numba",
         "xlwings", "ironcalc", "xlsxwriter", "sklearn"]


@cache
def trees() -> dict[str, ast.Module]:
    """The parsed source of every module of the product, by its dotted name."""
    found = {}
    for root, folder in SOURCES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join((root, *parts)).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imports(module: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a module imports, wherever it does so."""
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno}: write relative imports in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node.lineno, inner if inner in trees() else str(node.module)


def is_within(module: str, part: str) -> bool:
    return module == part or module.startswith(part + ".")


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in SOURCES


def is_only_words(module: str) -> bool:
    """A package whose __init__ holds a docstring at most, and so imports nothing."""
    return all(isinstance(statement, ast.Expr) for statement in trees()[module].body)


@cache
def place(module: str) -> tuple[int, str] | None:
    """The floor of a module and the room in which it may move freely."""
    for floor, line in enumerate(FLOORS.strip().splitlines()):
        for entry in line.split():
            package = entry.removesuffix(".**").removesuffix(".*")
            if module == entry or (package != entry and is_within(module, package)):
                return floor, package if entry.endswith("**") else module
    return None


def offences(module: str, imported: Iterable[tuple[int, str]]) -> Iterator[str]:
    here = place(module)
    if here is None:
        yield f"{module} has no floor; give it one in FLOORS"
        return
    for line, other in imported:
        if not is_ours(other):
            continue
        there = place(other)
        if there is not None and there[0] >= here[0] and there[1] != here[1]:
            yield f"{module}:{line} imports {other}, which is not below it"
        for part, seen in SEES_ONLY.items():
            if is_within(module, part) and not any(is_within(other, s) for s in seen):
                yield f"{module}:{line} imports {other}, and {part} sees only {seen}"


@pytest.mark.parametrize("module", sorted(trees()))
def test_imports_run_downwards(module: str) -> None:
    if not is_only_words(module):
        assert not list(offences(module, imports(module)))


@pytest.mark.parametrize(
    ("module", "other"),
    [
        ("portbal.labels", "portbal.optimize"),
        ("portbal.prices", "portbal.risk"),
        ("portbal.optimize", "portbal_addin.block"),
        ("portbal.solve.cone", "portbal.errors"),
        ("portbal_addin.functions.risk", "portbal_addin.functions.data"),
        ("portbal_addin.hosts.excel.binding", "portbal_addin.hosts.workbook"),
        ("portbal_addin.hosts.excel.binding", "portbal.optimize"),
        ("portbal_templates.style", "portbal_addin.block"),
        ("portbal.unplaced", "portbal.errors"),
    ],
)
def test_an_import_upwards_is_found(module: str, other: str) -> None:
    assert list(offences(module, [(1, other)]))


@pytest.mark.parametrize("module", sorted(trees()))
def test_foreign_packages_stay_where_they_belong(module: str) -> None:
    for line, other in imports(module):
        package = other.partition(".")[0]
        if is_ours(other) or package in sys.stdlib_module_names:
            continue
        permitted = any(is_within(module, part) for part in FOREIGN.get(package, []))
        if is_within(module, "portbal.solve"):
            permitted = package in SOLVE_SEES
        assert permitted, f"{module}:{line} imports {package}"


def test_one_broad_except() -> None:
    """Anything that is no UserError is a bug; invoke alone turns it into a ticket."""
    broad = []
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                names = {c.id if isinstance(c, ast.Name) else c for c in caught}
                if names & {None, "Exception", "BaseException"}:
                    broad.append(module)
    assert broad == ["portbal_addin.registry"]


def test_listing_the_formulas_imports_nothing_heavy() -> None:
    code = (
        "import sys, portbal_addin.cli\n"
        "from portbal_addin.registry import functions\n"
        "assert functions()\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
