"""What hostile files cost: the slowest and the largest of them, each in a process of its own."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from hosts.hostile import files
from portbal.errors import UserError
from portbal_addin.hosts.workbook import recalculate


def measured(data: bytes) -> tuple[float, float, str]:
    """Seconds, megabytes beside those of the test itself, and what came out."""
    source, target = os.pipe()
    child = os.fork()
    if not child:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.perf_counter()
        try:
            recalculate(data)
            outcome = "read"
        except UserError as error:
            outcome = str(error)[:60]
        seconds = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        os.write(target, f"{seconds}|{used / 1024}|{outcome}".encode())
        os._exit(0)
    os.close(target)
    seconds, used, outcome = os.read(source, 4096).decode().split("|")
    os.close(source)
    os.waitpid(child, 0)
    return float(seconds), float(used), outcome


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile() -> None:
    found = [(name, *measured(make())) for name, make in files()]
    print(f"\n{len(found)} files, slowest {max(f[1] for f in found):.2f} s, "
          f"largest {max(f[2] for f in found):.0f} MB")
    for name, seconds, used, outcome in sorted(found, key=lambda f: -f[1])[:5]:
        print(f"{name:<45}{seconds:6.2f} s {used:5.0f} MB  {outcome}")
