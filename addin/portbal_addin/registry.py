"""Every formula, defined once; ``Function.invoke`` is the one way in.

A definition is a plain function whose annotations say how cells become its arguments::

    @function("TURNOVER", group="Rebalance")
    def turnover(
        current: Annotated[pd.Series, WEIGHTS, "Weights held now."],
        target: Annotated[pd.Series, WEIGHTS, "Weights wanted."],
    ) -> Annotated[float, NUMBER]:
        '''Half the sum of absolute weight changes.

        >>> PORTBAL.TURNOVER({"A",0.6;"B",0.4}, {"A",0.5;"B",0.5})
        0.1
        '''
        return rebalance.turnover(current, target)

Hosts, help, the wizard's texts, the reference and the tests all read what stands here.
"""

from __future__ import annotations

import importlib
import inspect
import keyword
import logging
import re
import secrets
import traceback
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from portbal.errors import InputError, NotAvailable, UserError
from portbal.result import Result
from portbal_addin import literals
from portbal_addin.block import PROBLEM_PREFIX, Block, is_problem
from portbal_addin.codecs.kind import Bare, Kind

_LOG = logging.getLogger("portbal")
_MOST_HELP = 255
_NAME = re.compile(r"[A-Z][A-Z0-9]{2,30}")
_ARGUMENT = re.compile(r"[a-z][a-z0-9]*")
# Words that VBA, UNO IDL or Basic keep for themselves.
_RESERVED = frozenset(
    "abs any array as boolean byref byte byval call case cbool cbyte ccur cdate cdbl cdec "
    "char cint circle clng clnglng clngptr close const context csng cstr currency cvar cverr "
    "date debug decimal default dim do doevents double each else empty end enum eqv erase "
    "error event exception factory false fix fixed float for friend function get global goto "
    "if imp implements in inout input inputb int integer interface is lbound len lenb let "
    "like line lock long longlong longptr loop lset me mid mod module name new next not "
    "nothing null object octet on open option optional or out output paramarray parameter "
    "preserve print private property pset public published put raiseevent raises readonly "
    "redim rem resume rset scale select sequence service set sgn shared short single "
    "singleton spc static step stop string struct sub tab then to transient true type typedef "
    "typeof ubound union unlock unsigned until variant void wend while width with withevents "
    "write xor".split()
)


def where(error: BaseException) -> str:
    """The lines of code behind an error and its kind, for a log. Its words are left out: they
    may quote names and positions."""
    lines = traceback.format_tb(error.__traceback__)
    cause = error.__cause__ or error.__context__
    before = "" if cause is None else f"{where(cause)}\nwhich led to\n"
    return f"{before}{''.join(lines)}{type(error).__name__}"


@dataclass(frozen=True)
class Argument:
    name: str
    kind: Kind
    help: str
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Answer:
    """What a formula returned: one spill, and what to say beside it."""

    block: Block
    notes: tuple[str, ...] = ()
    proof: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Problem:
    """Why a formula has no answer. ``text`` is what its first cell shows; unavailable: the
    question is clear, and this function has no way to answer it."""

    function: str
    message: str
    fix: str = ""
    argument: str | None = None
    row: int | None = None
    column: int | None = None
    passed_on: str | None = None
    unavailable: bool = False

    @property
    def text(self) -> str:
        if self.passed_on is not None:
            return self.passed_on
        return " ".join(f"{PROBLEM_PREFIX}{self.function}: {self.message}. {self.fix}".split())

    @property
    def block(self) -> Block:
        return Block.of(self.text)


@dataclass(frozen=True)
class Example:
    """A formula of literals and the first rows of what it returns (all, when complete)."""

    formula: str
    shown: Block
    complete: bool


@dataclass(frozen=True)
class Function:
    name: str
    group: str
    summary: str
    arguments: tuple[Argument, ...]
    result: Kind
    call: Callable[..., Any]
    example: Example

    @property
    def signature(self) -> str:
        """``prices, [kind], [every]``: left-out arguments in brackets."""
        return ", ".join(a.name if a.required else f"[{a.name}]" for a in self.arguments)

    def invoke(
        self, *blocks: Block | None, decode: Callable[[Kind, Block], Any] | None = None
    ) -> Answer | Problem:
        """Decode, call, encode. None stands for an argument that was left out.

        decode: what stands for ``kind.decode(block)``, such as ``Remembered().decoded``.
        """
        try:
            passed = self._passed_on(blocks)
            if passed is not None:
                return passed
            values = self._decode(blocks, decode or _decode)
            with np.errstate(over="raise"):
                value = self.call(**values)
            block = self.result.encode(value)
            if isinstance(value, Result):
                return Answer(block, value.notes, tuple(value.proof.items()))
            return Answer(block)
        except UserError as error:
            return self._problem(error, blocks)
        except (FloatingPointError, OverflowError):
            return Problem(self.name, "the numbers are too large or too small to calculate with",
                           "Check the units of the inputs.")
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a ticket
            ticket = secrets.token_hex(3)
            _LOG.error("ticket %s: %s failed\n%s", ticket, self.name, where(error))
            return Problem(self.name, f"internal error, ticket {ticket}",
                           "Please report it with the log.")

    def _passed_on(self, blocks: Sequence[Block | None]) -> Problem | None:
        for argument, block in zip(self.arguments, blocks, strict=False):
            if block is None or not argument.kind.passes_problems_on:
                continue
            text = block.first_text_that(is_problem)
            if text is not None:
                return Problem(self.name, text, argument=argument.name, passed_on=text)
        return None

    def _decode(
        self, blocks: Sequence[Block | None], decode: Callable[[Kind, Block], Any]
    ) -> dict[str, Any]:
        if len(blocks) > len(self.arguments):
            raise InputError(
                f"{len(blocks)} argument{' was' if len(blocks) == 1 else 's were'} given, and "
                f"{self.name} takes {len(self.arguments)}",
                fix=f"Use {self.name}({self.signature}).",
            )
        values: dict[str, Any] = {}
        for at, argument in enumerate(self.arguments):
            block = blocks[at] if at < len(blocks) else None
            if argument.kind.takes_blanks and at < len(blocks):
                block = block or Block.of(None)
            elif block is None or block.is_empty:
                if argument.required:
                    raise InputError(
                        "it is empty" if block is not None else "it is missing",
                        fix=f"Give {argument.name}: {argument.help}", argument=argument.name,
                    )
                values[argument.name] = argument.default
                continue
            try:
                values[argument.name] = decode(argument.kind, block)
            except UserError as error:
                error.argument = argument.name
                raise
        return self._labelled(values)

    def _labelled(self, values: dict[str, Any]) -> dict[str, Any]:
        """Give bare numbers the names of the first argument that has names."""
        bare = [a for a in self.arguments if isinstance(values[a.name], Bare)]
        if not bare:
            return values
        for source in self.arguments:
            labels = source.kind.labels(values[source.name])
            if labels is not None:
                break
        else:
            raise InputError(
                "it has no names, and no other argument has names to go by",
                fix="Select the names together with the numbers.", argument=bare[0].name,
            )
        for argument in bare:
            try:
                values[argument.name] = values[argument.name].labelled(labels, source.name)
            except UserError as error:
                error.argument = argument.name
                raise
        return values

    def _problem(self, error: UserError, blocks: Sequence[Block | None]) -> Problem:
        names = [a.name for a in self.arguments]
        row = column = None
        where = error.argument or ""
        if error.argument in names:
            at = names.index(error.argument)
            block = blocks[at] if at < len(blocks) else None
            if block is not None:
                row, column, cell = block.trimmed().find(error.row, error.column)
                if row is not None:
                    where += f" row {row}"
                if column is not None and block.width > 1:
                    where += f" column {column}" if row is None else f", column {column}"
                if cell is not None:
                    where += f" ({cell})"
        message = f"{where}: {error.problem}" if where else error.problem
        return Problem(self.name, message, error.fix, error.argument, row, column,
                       unavailable=isinstance(error, NotAvailable))


def _decode(kind: Kind, block: Block) -> Any:
    return kind.decode(block)


_FUNCTIONS: dict[str, Function] = {}
_FAMILIES = ("data", "estimates", "views", "optimise", "allocate", "proof", "risk", "performance",
             "stress", "protect", "rebalance", "trading", "about")


def function(name: str, *, group: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a formula. The definition is checked at once: names, help, example."""

    def register(call: Callable[..., Any]) -> Callable[..., Any]:
        if name in _FUNCTIONS:
            raise ValueError(f"{name} is registered twice")
        _FUNCTIONS[name] = _define(name, group, call)
        return call

    return register


@cache
def functions() -> dict[str, Function]:
    """Every registered function by name, in the order of the families."""
    for family in _FAMILIES:
        importlib.import_module(f"portbal_addin.functions.{family}")
    return dict(_FUNCTIONS)


def bare_name(spelling: str) -> str:
    """The registered name behind any host's spelling: ``_xldudf_PORTBAL_VAR`` -> ``VAR``."""
    match = re.fullmatch(
        r"(?:\[\d+\]!)?(?:_xldudf_|_xlfn\.|_xlws\.|_xludf\.|_xll\.)*(?:PORTBAL[._])?([A-Z0-9]+)",
        spelling.strip().upper(), re.IGNORECASE,
    )
    return match[1] if match else spelling.strip().upper()


def find(spelling: str) -> Function:
    """The function of that name in any spelling; InputError with the nearest name."""
    from portbal.labels import shorten, suggestion

    name = bare_name(spelling)
    found = functions().get(name)
    if found is None:
        raise InputError(
            f"there is no function {shorten(name)}",
            fix=suggestion(name, functions(), "PORTBAL.FUNCTIONS() lists them all."),
        )
    return found


def _define(name: str, group: str, call: Callable[..., Any]) -> Function:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name}: upper-case letters and digits, 3 to 31")
    hints = typing.get_type_hints(call, include_extras=True)
    arguments = []
    for parameter in inspect.signature(call).parameters.values():
        _, kind, help_ = _annotation(name, parameter.name, hints, parts=3)
        if not _ARGUMENT.fullmatch(parameter.name) or parameter.name in _RESERVED or (
            keyword.iskeyword(parameter.name)
        ):
            raise ValueError(f"{name}: argument name {parameter.name!r} cannot be used everywhere")
        if not 0 < len(help_) <= _MOST_HELP:
            raise ValueError(f"{name}: help of {parameter.name} has {len(help_)} characters")
        required = parameter.default is inspect.Parameter.empty
        default = None if required else parameter.default
        arguments.append(Argument(parameter.name, kind, help_, required, default))
    if [a.required for a in arguments] != sorted((a.required for a in arguments), reverse=True):
        raise ValueError(f"{name}: required arguments come first")
    result = _annotation(name, "return", hints, parts=2)[1]
    summary, example = _docstring(name, inspect.getdoc(call) or "")
    return Function(name, group, summary, tuple(arguments), result, call, example)


def _annotation(name: str, of: str, hints: dict[str, Any], parts: int) -> tuple[Any, ...]:
    arguments = typing.get_args(hints.get(of))
    if len(arguments) != parts or not isinstance(arguments[1], Kind):
        raise ValueError(f"{name}: {of} needs Annotated[type, kind{', help' * (parts - 2)}]")
    return arguments


def _docstring(name: str, text: str) -> tuple[str, Example]:
    """The summary and the example; ``;...}`` in the latter says that more rows follow."""
    summary, _, rest = text.partition("\n\n")
    summary = " ".join(summary.split())
    if not 0 < len(summary) <= _MOST_HELP:
        raise ValueError(f"{name}: the summary has {len(summary)} characters")
    _, mark, after = rest.partition(">>> ")
    if not mark:
        raise ValueError(f"{name}: the docstring has no example")
    lines = after.splitlines()
    call = [lines.pop(0)]
    while lines and lines[0].startswith("... "):
        call.append(lines.pop(0)[4:])
    shown = []
    while lines and lines[0].strip():
        shown.append(lines.pop(0).strip())
    result = " ".join(shown)
    complete = not result.endswith(";...}")
    block = literals.parse(result if complete else result.removesuffix(";...}") + "}")
    return summary, Example(" ".join(call), block, complete)


