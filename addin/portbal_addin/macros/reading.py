"""Named tables of a workbook, as the arguments of the functions that formulas call."""

from __future__ import annotations

from portbal.errors import InputError
from portbal.labels import key, shorten, suggestion
from portbal_addin.block import PROBLEM_PREFIX, Block, Cell, is_blank, is_problem, label_text
from portbal_addin.book import Area, Book
from portbal_addin.codecs.scalars import NUMBER, OPTIONS
from portbal_addin.macros.names import INPUTS, RESULTS
from portbal_addin.registry import Answer, Problem, find


def table(book: Book, name: str) -> Block | None:
    """The cells behind a name; None where the name or any content is absent."""
    area = book.find(name)
    if area is None:
        return None
    block = book.block(area)
    return None if block.is_empty else block


def required(book: Book, name: str) -> Block:
    """The cells behind a name; InputError where there are none."""
    block = table(book, name)
    if block is None:
        holds = INPUTS[name] if name in INPUTS else RESULTS[name].holds
        if book.find(name):
            raise InputError(f"{name} is empty", fix=f"It holds {holds}.")
        raise InputError(f"{name} is not a name in this workbook",
                         fix=f"Give that name to a range; it holds {holds}.")
    return block


def is_live(book: Book, area: Area) -> bool:
    """Does the area calculate itself?"""
    return any(formula for row in book.formulas(area) for formula in row)


def text(book: Book, name: str, default: str) -> str:
    """The text in a named cell, the default where there is none."""
    block = table(book, name)
    return default if block is None else label_text(block.trimmed().rows[0][0])


def number(book: Book, name: str, default: float) -> float:
    """The number in a named cell, the default where there is none."""
    block = table(book, name)
    if block is None:
        return default
    try:
        return float(NUMBER.decode(block))
    except InputError as error:
        where = block.address.cell(0, 0) if block.address else ""
        raise InputError(f"{name} ({where}): {error.problem}", fix=error.fix) from None


def options(book: Book, name: str, known: tuple[str, ...]) -> dict[str, str | float | bool]:
    """Two columns, option and value, as a dictionary; empty where there is no such table.
    InputError for an option that is not known."""
    block = table(book, name)
    if block is None:
        return {}
    try:
        found: dict[str, str | float | bool] = OPTIONS.decode(sound(block))
    except InputError as error:
        cell = block.trimmed().find(error.row, error.column)[2]
        raise InputError(f"{name} ({cell}): {error.problem}", fix=error.fix) from None
    for word in found:
        if word not in known:
            raise InputError(f"{name} has the option {shorten(word)}",
                             fix=suggestion(word, known, f"Use {', '.join(known)}."))
    return found


def call(name: str, *arguments: Block | Cell) -> Answer:
    """A function's answer, as a cell that calls it would have it; InputError with the cell and
    the fix where it has none."""
    blocks = [a if a is None or isinstance(a, Block) else Block.of(a) for a in arguments]
    return answer(find(name).invoke(*blocks))


def answer(result: Answer | Problem) -> Answer:
    """The answer; InputError where there is a problem instead."""
    if isinstance(result, Problem):
        if result.passed_on is not None:
            raise passed_on(result.passed_on)
        raise InputError(f"{result.function}: {result.message}", fix=result.fix)
    return result


def passed_on(problem: str) -> InputError:
    """The problem that a formula of the workbook shows, as a command reports it."""
    message, _, fix = problem.removeprefix(PROBLEM_PREFIX).partition(". ")
    return InputError(message.removesuffix("."), fix=fix or "Mend that formula first.")


def sound(block: Block) -> Block:
    """The same cells; InputError when they show a problem."""
    problem = block.first_text_that(is_problem)
    if problem is not None:
        raise passed_on(problem)
    return block


def column(block: Block, title: str, name: str = "Weight") -> Block | None:
    """Two columns, names and one titled column of a table; None where the title is absent."""
    block = block.trimmed()
    titles = [key(label_text(cell)) for cell in block.rows[0]]
    if key(title) not in titles:
        return None
    at = titles.index(key(title))
    rows: list[tuple[Cell, ...]] = [("Asset", name)]
    rows += [(row[0], row[at]) for row in block.rows[1:] if not is_blank(row[0])]
    return None if all(is_blank(value) for _, value in rows[1:]) else Block.of(rows)


# --- what several commands start from --------------------------------------------------------

def returns(book: Book) -> Block:
    """Returns where the workbook calculates them, else from Prices, else as they stand."""
    area = book.find("Returns")
    if area is not None and is_live(book, area):
        return sound(book.block(area))
    prices = table(book, "Prices")
    return required(book, "Returns") if prices is None else call("RETURNS", prices).block


def has_history(book: Book) -> bool:
    """Are there prices or returns to estimate from?"""
    return any(table(book, name) is not None for name in ("Prices", "Returns"))


def estimated_covariance(book: Book, of: Block) -> Answer:
    """The covariance of these returns, by the workbook's method."""
    return call("COVARIANCE", of, text(book, "CovarianceMethod", "ledoit-wolf"))


def covariance(book: Book) -> Block:
    """Covariance as it stands in the workbook, else estimated."""
    block = table(book, "Covariance")
    return estimated_covariance(book, returns(book)).block if block is None else sound(block)


def benchmark(book: Book) -> Block | None:
    """Benchmark weights by asset."""
    block = table(book, "BenchmarkWeights")
    if block is not None:
        return sound(block)
    assets = table(book, "Assets")
    return None if assets is None else column(assets, "Benchmark")
