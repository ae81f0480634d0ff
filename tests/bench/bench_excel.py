"""What a formula costs on top of its mathematics: the tuples that COM hands to xlwings through
hosts.excel.cells and the codecs to pandas, and the result back to the rows that xlwings writes.

COM is played by tests/hosts/excel_standin.py, so what Excel needs to copy the cells to Python's
process is not in it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

AIMS = {(252, 20): 0.003, (2520, 500): 0.6}  # seconds, there and back


@pytest.mark.parametrize(("rows", "columns"), AIMS)
def test_there_and_back(rows: int, columns: int) -> None:
    folder = str(Path(__file__).parents[1])
    path = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, __file__, str(rows), str(columns)], capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": path},
    )
    taken: dict[str, float] = json.loads(done.stdout)
    whole = sum(taken[part] for part in ("read", "decode", "encode", "write"))
    print(f"\n{rows} x {columns}: " + ", ".join(f"{k} {v * 1e3:.2f}" for k, v in taken.items())
          + f"; there and back {whole * 1e3:.2f} ms, aim {AIMS[rows, columns] * 1e3:.0f} ms")


def table(rows: int, columns: int) -> tuple[tuple[object, ...], ...]:
    """Returns as COM hands them over: dates down, assets across."""
    import numpy as np

    from hosts.excel_standin import ComTime

    numbers = np.random.default_rng(1).normal(0.0004, 0.01, (rows, columns)).tolist()
    first = ComTime(2015, 1, 1, tzinfo=dt.UTC)
    return (("Date", *(f"A{at}" for at in range(columns))), *(
        (first + dt.timedelta(at), *row) for at, row in enumerate(numbers)
    ))


def measured(rows: int, columns: int) -> dict[str, float]:
    from hosts.excel_standin import import_as_on_windows, install_com

    install_com()
    import_as_on_windows()
    from xlwings import conversion

    from portbal_addin.codecs.labelled import TABLE
    from portbal_addin.hosts.excel.cells import Cells
    from portbal_addin.remembered import Remembered

    options = {"convert": Cells}
    raw = table(rows, columns)
    block = conversion.read(None, raw, options)
    frame = TABLE.decode(block)
    result = TABLE.encode(frame)
    store = Remembered()
    store.decoded(TABLE, block)
    same = conversion.read(None, table(rows, columns), options)
    return {
        "read": best(lambda: conversion.read(None, raw, options)),
        "decode": best(lambda: TABLE.decode(block)),
        "encode": best(lambda: TABLE.encode(frame)),
        "write": best(lambda: conversion.write(result, None, options)),
        "in place of decode for the same range": best(lambda: store.decoded(TABLE, same)),
    }


def best(work: Callable[[], object], times: int = 15) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]), int(sys.argv[2]))))
