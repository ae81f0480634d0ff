"""Everything is aligned by name: how names match, and how data follows them.

Names match after trimming (non-breaking spaces too) and ignoring case.
Answers keep the order and the spelling of the first labelled argument.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from portbal.errors import InputError

CASH = "cash"


def key(label: object) -> str:
    """The form of a label under which it is compared."""
    return str(label).replace("\u00a0", " ").strip().casefold()


def keys(labels: Iterable[object]) -> list[str]:
    """The key of each label."""
    return [key(label) for label in labels]


def is_cash(labels: Iterable[object]) -> np.ndarray:
    """Boolean mask, true where the label is the asset named Cash."""
    return np.array([key(label) == CASH for label in labels], dtype=bool)


def shorten(label: object, most: int = 40) -> str:
    """A label as a message quotes it: on one line and of bounded length."""
    text = "".join(c if c.isprintable() else " " for c in str(label))
    return f"'{text}'" if len(text) <= most else f"'{text[: most - 1]}…'"


def nearest(word: object, choices: Iterable[object]) -> str | None:
    """The choice most like ``word``, or None when nothing is close."""
    by_key = {key(choice): str(choice) for choice in choices}
    found = difflib.get_close_matches(key(word)[:80], list(by_key), n=1, cutoff=0.6)
    return by_key[found[0]] if found else None


def suggestion(word: object, choices: Iterable[object], otherwise: str) -> str:
    """``Did you mean ...?`` where a choice is close, else the other advice."""
    close = nearest(word, choices)
    return f"Did you mean '{close}'?" if close is not None else otherwise


def positions(labels: Sequence[object] | pd.Index, *, argument: str) -> dict[str, int]:
    """Position by key; a repeated or blank name is an InputError."""
    found: dict[str, int] = {}
    for position, label in enumerate(labels):
        name = key(label)
        if not name:
            raise InputError(
                f"name number {position + 1} is blank", fix="Give every asset a name.",
                argument=argument,
            )
        if name in found:
            raise InputError(
                f"{shorten(label)} occurs twice", fix="Keep one of them.",
                argument=argument, row=label,
            )
        found[name] = position
    return found


def matching(
    onto: pd.Index, labels: pd.Index, *, argument: str, reference: str
) -> np.ndarray:
    """Positions in ``labels`` of each name of ``onto``; both must name the same set.

    Returns an integer array of shape (len(onto),). InputError names the first
    label that one side lacks.
    """
    if onto.equals(labels) and onto.is_unique:
        return np.arange(len(onto))
    here = positions(labels, argument=argument)
    there = positions(onto, argument=reference)
    for label in labels:
        if key(label) not in there:
            raise InputError(
                f"{shorten(label)} is not in {reference}",
                fix=suggestion(label, onto, f"Add it to {reference} or remove it here."),
                argument=argument, row=label,
            )
    for label in onto:
        if key(label) not in here:
            raise InputError(
                f"{shorten(label)} of {reference} is missing",
                fix=f"Add it to {argument} or remove it from {reference}.",
                argument=argument,
            )
    return np.array([here[key(label)] for label in onto], dtype=int)


def same(values: pd.Series, onto: pd.Index, *, argument: str, reference: str) -> pd.Series:
    """``values`` in the order and spelling of ``onto``; the names must be the same set."""
    order = matching(onto, values.index, argument=argument, reference=reference)
    return pd.Series(values.to_numpy(dtype=float)[order], index=onto)


def same_square(
    matrix: pd.DataFrame, onto: pd.Index, *, argument: str, reference: str
) -> pd.DataFrame:
    """A labelled square matrix in the order and spelling of ``onto``."""
    order = matching(onto, matrix.index, argument=argument, reference=reference)
    columns = matching(onto, matrix.columns, argument=argument, reference=reference)
    values = matrix.to_numpy(dtype=float)[np.ix_(order, columns)]
    return pd.DataFrame(values, index=onto, columns=onto)


def same_columns(
    table: pd.DataFrame, onto: pd.Index, *, argument: str, reference: str
) -> pd.DataFrame:
    """A table with its columns in the order and spelling of ``onto``."""
    order = matching(onto, table.columns, argument=argument, reference=reference)
    result = table.iloc[:, order]
    return result.set_axis(onto, axis="columns")


def filled(
    values: pd.Series, onto: pd.Index, *, argument: str, reference: str, fill: float = 0.0
) -> pd.Series:
    """``values`` on ``onto``: an absent name is ``fill``, an unknown one an InputError."""
    if onto.equals(values.index) and onto.is_unique:
        return pd.Series(values.to_numpy(dtype=float), index=onto)
    there = positions(onto, argument=reference)
    positions(values.index, argument=argument)
    result = np.full(len(onto), fill)
    for label, value in zip(values.index, values.to_numpy(dtype=float), strict=True):
        at = there.get(key(label))
        if at is None:
            raise InputError(
                f"{shorten(label)} is not in {reference}",
                fix=suggestion(label, onto, f"Add it to {reference} or remove it here."),
                argument=argument, row=label,
            )
        result[at] = value
    return pd.Series(result, index=onto)


def union(first: pd.Index, *others: pd.Index) -> pd.Index:
    """The names of ``first``, then those of the others that are new, in order."""
    seen = {key(label): label for label in first}
    for other in others:
        for label in other:
            seen.setdefault(key(label), label)
    return pd.Index(list(seen.values()), dtype=object)
