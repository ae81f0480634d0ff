"""The sealed record of every rebalance: lines of JSON, chained by hash.

A record is one line: its number from 1, the hash of the record before it, its content, and its
own hash, the SHA-256 of the other three. Changing, removing or exchanging a record breaks the
chain from there on. Only a last record that was cut off while it was written is told apart from
that: it has no line end, was never acknowledged, and nothing before it is lost.

The chain cannot tell that its newest records are gone; who keeps the hash of the last record
elsewhere can (``last`` of `read`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

START = "0" * 64
_FIELDS = {"number", "previous", "content", "hash"}


@dataclass(frozen=True)
class Record:
    """number counts from 1; previous is the hash of the record before, START for the first."""

    number: int
    previous: str
    content: Mapping[str, Any]
    hash: str

    @property
    def line(self) -> bytes:
        """The record as the journal holds it, with its line end."""
        return _canonical({**self._sealed, "hash": self.hash}) + b"\n"

    @property
    def _sealed(self) -> dict[str, Any]:
        return {"number": self.number, "previous": self.previous, "content": self.content}


@dataclass(frozen=True)
class Journal:
    """What a journal holds: its sound records, and what is wrong after them.

    fault  None, or what was found instead of the next record
    torn   how many bytes of a record that was never completed stand at the end
    """

    records: tuple[Record, ...] = ()
    fault: str | None = None
    torn: int = 0

    @property
    def is_sound(self) -> bool:
        """Every byte belongs to a record that is as it was sealed."""
        return self.fault is None and not self.torn

    @property
    def last(self) -> str:
        """The hash that the next record is chained to."""
        return self.records[-1].hash if self.records else START


def seal(content: Mapping[str, Any], after: Record | None = None) -> Record:
    """The record of this content that follows ``after``, or that begins a journal.

    content  what JSON can hold, with texts as keys; ValueError for NaN and infinities,
             TypeError for other objects
    """
    number, previous = (1, START) if after is None else (after.number + 1, after.hash)
    plain = json.loads(_canonical(dict(content)))
    unsealed = Record(number, previous, plain, "")
    return Record(number, previous, plain, hashlib.sha256(_canonical(unsealed._sealed)).hexdigest())


def read(data: bytes, *, last: str | None = None) -> Journal:
    """The records of a journal's bytes, up to the first that is not as it was sealed.

    last  the hash of its last record, where that is known from elsewhere
    """
    *lines, tail = data.split(b"\n")
    records: list[Record] = []
    for number, line in enumerate(lines, start=1):
        record = _record(line)
        fault = _fault(record, number, records[-1] if records else None)
        if record is None or fault is not None:
            return Journal(tuple(records), fault, len(tail))
        records.append(record)
    journal = Journal(tuple(records), None, len(tail))
    if last is not None and journal.last != last:
        return Journal(journal.records, f"the records after {len(records)} are missing", len(tail))
    return journal


def _record(line: bytes) -> Record | None:
    """The record of a line that is, byte for byte, one that was sealed; else None."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or set(found) != _FIELDS:
        return None
    content, number = found["content"], found["number"]
    if not isinstance(content, dict) or type(number) is not int:
        return None
    record = Record(number, found["previous"], content, found["hash"])
    if record.line != line + b"\n":
        return None
    intact = hashlib.sha256(_canonical(record._sealed)).hexdigest() == record.hash
    return record if intact else None


def _fault(record: Record | None, number: int, before: Record | None) -> str | None:
    if record is None:
        return f"record {number} is not as it was sealed"
    if record.number != number:
        return f"record {number} is missing: record {record.number} stands in its place"
    if record.previous != (START if before is None else before.hash):
        return f"record {number} does not follow the one before it"
    return None


def _canonical(value: Mapping[str, Any]) -> bytes:
    """One spelling for one value; ValueError for numbers that JSON has no word for."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")
