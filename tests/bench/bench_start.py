"""What typing a first formula costs: the start of a process that answers one call."""

from __future__ import annotations

import subprocess
import sys
import time

CALL = "from portbal_addin.cli import main; main(['call', '{}'])"
PROCESSES = {
    "python": "pass",
    "numpy and pandas": "import numpy, pandas",
    "portbal call VERSION": CALL.format("VERSION"),
    "portbal call FUNCTIONS": CALL.format("FUNCTIONS"),
}


def test_start() -> None:
    print()
    for name, code in PROCESSES.items():
        best = min(_seconds(code) for _ in range(5))
        print(f"{name:<28}{best:6.2f} s")


def _seconds(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    return time.perf_counter() - begun
