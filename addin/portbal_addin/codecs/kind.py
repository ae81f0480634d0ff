"""What a codec is: how the cells of one kind of argument become a value, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from portbal.errors import InputError
from portbal_addin.block import Block


@dataclass(frozen=True)
class Bare:
    """Numbers without names, which take the names of another argument.

    values is one-dimensional for a vector, square for a matrix.
    """

    values: np.ndarray

    def labelled(self, labels: pd.Index, source: str) -> pd.Series | pd.DataFrame:
        if len(self.values) != len(labels):
            raise InputError(
                f"it has {len(self.values)} numbers without names, "
                f"and {source} has {len(labels)} names",
                fix="Select the names together with the numbers.",
            )
        if self.values.ndim == 1:
            return pd.Series(self.values, index=labels)
        return pd.DataFrame(self.values, index=labels, columns=labels)


def _no_decode(_block: Block) -> Any:
    raise TypeError("this kind is for results only")


def _no_encode(_value: Any) -> Block:
    raise TypeError("this kind is for arguments only")


def _no_labels(_value: Any) -> pd.Index | None:
    return None


@dataclass(frozen=True)
class Kind:
    """name as FORMULAS.md has it; accepts: one phrase that says what a user selects;
    takes_blanks: a range without anything in it is a value like any other."""

    name: str
    accepts: str
    decode: Callable[[Block], Any] = _no_decode
    encode: Callable[[Any], Block] = _no_encode
    labels: Callable[[Any], pd.Index | None] = _no_labels
    passes_problems_on: bool = True
    takes_blanks: bool = False


def either(first: Kind, second: Kind, use_first: Callable[[Block], bool]) -> Kind:
    """An argument that is of one kind or another, told apart by its cells."""

    def decode(block: Block) -> Any:
        return (first if use_first(block) else second).decode(block)

    def labels(value: Any) -> pd.Index | None:
        found = first.labels(value)
        return second.labels(value) if found is None else found

    return Kind(
        f"{first.name} or {second.name}", f"{first.accepts}, or {second.accepts}",
        decode, labels=labels,
    )
