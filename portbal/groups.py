"""Assets by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError


@dataclass(frozen=True)
class Groups:
    """titles in the order of their first asset; member: the group number of each asset (n,)."""

    titles: list[str]
    member: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sum of each group, of one number an asset (n,)."""
        return np.bincount(self.member, values, len(self.titles))

    def masks(self) -> np.ndarray:
        """Which assets are in each group, shape (groups, n)."""
        return self.member == np.arange(len(self.titles))[:, None]


def of(names: pd.Index, groups: pd.Series) -> Groups:
    """The groups of these assets, by a series asset -> group; further assets in it do not matter.

    InputError for an asset without a group.
    """
    at = labels.positions(groups.index, argument="groups")
    numbers: dict[str, int] = {}
    titles: list[str] = []
    member = np.empty(len(names), dtype=int)
    for position, name in enumerate(names):
        row = at.get(labels.key(name))
        if row is None:
            raise InputError(
                f"{labels.shorten(name)} has no group", fix="Add it to groups.", argument="groups"
            )
        title = str(groups.iloc[row])
        if labels.key(title) not in numbers:
            numbers[labels.key(title)] = len(titles)
            titles.append(title)
        member[position] = numbers[labels.key(title)]
    return Groups(titles, member)


def singly(names: pd.Index) -> Groups:
    """Every asset a group of its own."""
    return Groups([str(name) for name in names], np.arange(len(names)))
