"""The base of results that have something to say beside their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Result:
    """notes: sentences a user should read (they never change the numbers);
    proof: figures by which the numbers can be trusted, such as a duality gap."""

    notes: tuple[str, ...] = ()
    proof: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Noted(Result, Generic[T]):
    """Any value with notes."""

    value: T
