"""The engine that evaluates native formulas: IronCalc in a process of its own.

Evaluation cannot be interrupted and a hostile formula can crash it, so it runs beside us and
is killed when it takes too long.
"""

from __future__ import annotations

import marshal
import math
import re
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from portbal.errors import NotAvailable
from portbal_addin.hosts.workbook.references import Area, Spot

MEMORY = 1000  # megabytes
_CHILD = Path(__file__).with_name("child.py")
_PATIENCE = 0.1  # seconds between looks at the clock
_TITLE = re.compile(r"[^\[\]:*?/\\]{1,31}")
_LENGTH = struct.Struct("<Q")

Value = Any  # None, bool, float, str, ErrorText


class ErrorText(str):
    """An error value, such as ``#DIV/0!``, as opposed to the same text."""

    __slots__ = ()


class EngineStopped(NotAvailable):
    """The engine took too long and was stopped."""


class EngineBroken(NotAvailable):
    """The engine crashed."""


def titles(sheets: Iterable[str]) -> list[str]:
    """What the engine calls these sheets: by their names, unless it refuses them or they are
    taken."""
    taken: set[str] = set()
    result = []
    for number, name in enumerate(sheets, start=1):
        title = name if _TITLE.fullmatch(name) else f"portbal sheet {number}"
        while title.casefold() in taken:
            title += "~"
        taken.add(title.casefold())
        result.append(title)
    return result


class Engine:
    """seconds: how long one question may take."""

    def __init__(self, seconds: float = 60) -> None:
        self._seconds = seconds
        self._late = False
        self._deadline = math.inf
        self._stopping = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD), str(MEMORY)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stopping.set()
        self._process.kill()
        self._process.communicate()

    # --- questions -------------------------------------------------------------------------

    def book(self, sheets: Sequence[str]) -> None:
        """Begin a workbook with these sheets; further ones cannot be added."""
        self._ask("book", list(sheets))

    def values(self, sheet: int, cells: Sequence[tuple[int, int, Value]]) -> None:
        """Write constants."""
        self._ask("values", sheet, [(r, c, _plain(value)) for r, c, value in cells])

    def clear(self, areas: Sequence[Area]) -> None:
        """Empty these areas."""
        for sheet in {area.sheet for area in areas}:
            self._ask("clear", sheet, [tuple(area[1:]) for area in areas if area.sheet == sheet])

    def formulas(self, sheet: int, cells: Sequence[tuple[int, int, str]]) -> list[Spot]:
        """Write formulas of one value; those that the engine refuses."""
        return self._refused(sheet, self._ask("formulas", sheet, list(cells)))

    def spilling(self, sheet: int, cells: Sequence[tuple[int, int, str]]) -> list[Spot]:
        """Write formulas that may spill."""
        return self._refused(sheet, self._ask("spilling", sheet, list(cells)))

    def fixed(self, sheet: int, cells: Sequence[tuple[int, int, int, int, str]]) -> list[Spot]:
        """Write array formulas: row, column, height, width, text."""
        return self._refused(sheet, self._ask("fixed", sheet, list(cells)))

    def evaluate(self) -> None:
        self._ask("evaluate")

    def read(self, sheet: int, cells: Sequence[tuple[int, int]]) -> list[Value]:
        return [_value(value) for value in self._ask("read", sheet, list(cells))]

    def spills(self, anchors: Sequence[Spot]) -> list[list[list[Value]]]:
        """The rows that spill from each of these cells."""
        found = self._ask("spills", [tuple(anchor) for anchor in anchors])
        return [[[_value(value) for value in row] for row in rows] for rows in found]

    def filled(self) -> list[tuple[int, int, int]]:
        """Sheet, row and column of every cell that is not empty."""
        return self._ask("filled")

    # --- the pipe --------------------------------------------------------------------------

    @staticmethod
    def _refused(sheet: int, cells: list[tuple[int, int]]) -> list[Spot]:
        return [Spot(sheet, row, column) for row, column in cells]

    def _ask(self, *message: Any) -> Any:
        data = marshal.dumps(message)
        self._deadline = time.monotonic() + self._seconds
        try:
            source, target = self._process.stdout, self._process.stdin
            assert source is not None
            assert target is not None
            target.write(_LENGTH.pack(len(data)) + data)
            target.flush()
            header = source.read(_LENGTH.size)
            answer = source.read(_LENGTH.unpack(header)[0]) if header else b""
        except BrokenPipeError:
            answer = b""
        finally:
            self._deadline = math.inf
        if not answer:
            raise self._stopped()
        return marshal.loads(answer)

    def _watch(self) -> None:
        """Kill the process when an answer is overdue."""
        while not self._stopping.wait(_PATIENCE):
            if time.monotonic() > self._deadline:
                self._late = True
                self._process.kill()
                return

    def _stopped(self) -> EngineStopped | EngineBroken:
        if self._late:
            return EngineStopped(
                f"the native formulas took longer than {self._seconds:g} s",
                fix="Recalculate the workbook in a spreadsheet program.",
            )
        return EngineBroken(
            "the engine for native formulas broke off",
            fix="Recalculate the workbook in a spreadsheet program.",
        )


def _plain(value: Value) -> Any:
    return (str(value),) if type(value) is ErrorText else value


def _value(value: Any) -> Value:
    return ErrorText(value[0]) if type(value) is tuple else value
