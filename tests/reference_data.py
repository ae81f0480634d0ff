"""Data that other packages carry under the GPL, read from a folder beside this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "data"


def monthly(file: str) -> pd.DataFrame:
    """The table of that name; the test is skipped, and counted, where it is not there."""
    folder = os.environ.get("PORTBAL_REFERENCE_DATA")
    path = (Path(folder) if folder else BESIDE) / file
    if not path.exists():
        pytest.skip(
            f"{file} is packaged under the GPL and not part of this repository; "
            "PORTBAL_REFERENCE_DATA names the folder that has it"
        )
    return pd.read_csv(path, index_col=0, parse_dates=True)
