"""The prices at which positions are stopped: a vector, or the table of STOPLOSS."""

from __future__ import annotations

import math

import pandas as pd

from portbal.labels import keys
from portbal_addin.block import Block, is_blank, label_text
from portbal_addin.codecs.cells import names, number
from portbal_addin.codecs.kind import Kind, either
from portbal_addin.codecs.labelled import VECTOR
from portbal_addin.codecs.tables import columns_by_title, rows_with_content

_OTHERS = ("Price", "Distance", "Loss if hit", "Share of budget")


def _is_table(block: Block) -> bool:
    """More than two columns, with Asset and Stop among the titles."""
    block = block.trimmed()
    return block.width > 2 and {"asset", "stop"} <= set(keys(map(label_text, block.rows[0])))


def _table(block: Block) -> pd.Series:
    """Index: asset names; values: the prices of their stops, NaN where blank (cash has none)."""
    block = block.trimmed()
    at = columns_by_title(block, ("Asset", "Stop"), _OTHERS)
    rows = rows_with_content(block)
    stop = at["Stop"]
    return pd.Series(
        [math.nan if is_blank(block.rows[r][stop]) else number(block, r, stop) for r in rows],
        index=names(block, [(r, at["Asset"]) for r in rows]), dtype=float)


STOPS = either(Kind("stops", "the table of STOPLOSS", _table), VECTOR, _is_table)
