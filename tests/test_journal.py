"""The journal: what was sealed can be read again, and nothing else passes for it."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portbal import journal
from portbal.errors import UserError
from portbal_addin import journal_file

CONTENTS: list[dict[str, Any]] = [
    {"kind": "apply", "orders": [["AAPL", "buy", 10.0, 126.04]], "inputs": "3f" * 32},
    {"kind": "undo", "orders": [], "who": "Zoë \u2028 \n"},
    {"kind": "apply", "cash": 1e-300, "count": 3, "none": None, "yes": True},
]


def sealed(contents: list[dict[str, Any]]) -> list[journal.Record]:
    records: list[journal.Record] = []
    for content in contents:
        records.append(journal.seal(content, records[-1] if records else None))
    return records


def lines(count: int) -> bytes:
    return b"".join(r.line for r in sealed([{"n": n, "text": "x" * n} for n in range(count)]))


def test_the_hash_is_that_of_the_canonical_json() -> None:
    """As anyone can compute it from the file with other tools."""
    first, second = sealed(CONTENTS[:2])
    inputs, previous = "3f" * 32, "0" * 64
    text = (f'{{"content":{{"inputs":"{inputs}","kind":"apply",'
            '"orders":[["AAPL","buy",10.0,126.04]]},'
            f'"number":1,"previous":"{previous}"}}')
    assert first.hash == hashlib.sha256(text.encode()).hexdigest()
    assert second.previous == first.hash
    assert json.loads(second.line)["content"] == CONTENTS[1]


def test_what_was_sealed_is_read_again() -> None:
    records = sealed(CONTENTS)
    found = journal.read(b"".join(r.line for r in records))
    assert found.is_sound
    assert [dict(r.content) for r in found.records] == CONTENTS
    assert [r.number for r in found.records] == [1, 2, 3]
    assert found.last == records[-1].hash
    assert journal.read(b"").is_sound
    assert journal.read(b"").last == journal.START


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=4), max_size=4))
def test_any_content_survives(contents: list[dict[str, Any]]) -> None:
    found = journal.read(b"".join(r.line for r in sealed(contents)))
    assert found.is_sound
    assert [dict(r.content) for r in found.records] == contents


def test_every_changed_byte_is_found() -> None:
    data = lines(12)
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            assert not journal.read(bytes(changed)).is_sound, (at, bit)


@pytest.mark.parametrize("at", range(5))
def test_a_missing_record_is_found(at: int) -> None:
    records = sealed([{"n": n} for n in range(6)])
    found = journal.read(b"".join(r.line for r in records if r.number != at + 1))
    assert found.fault == f"record {at + 1} is missing: record {at + 2} stands in its place"
    assert len(found.records) == at


def test_missing_last_records_are_found_by_the_hash_kept_elsewhere() -> None:
    records = sealed([{"n": n} for n in range(6)])
    rest = b"".join(r.line for r in records[:4])
    assert journal.read(rest).is_sound
    assert journal.read(rest, last=records[3].hash).is_sound
    assert journal.read(rest, last=records[5].hash).fault == "the records after 4 are missing"


def test_exchanged_records_are_found() -> None:
    records = sealed([{"n": n} for n in range(6)])
    order = [0, 2, 1, 3, 4, 5]
    assert not journal.read(b"".join(records[n].line for n in order)).is_sound


def test_a_record_sealed_for_another_journal_is_found() -> None:
    """The same number and a right hash of its own, but not of this chain."""
    ours, others = sealed([{"n": 1}, {"n": 2}]), sealed([{"m": 1}, {"m": 2}])
    found = journal.read(ours[0].line + others[1].line)
    assert found.fault == "record 2 does not follow the one before it"


def test_a_torn_last_record_is_recognised_and_nothing_before_it_is_lost() -> None:
    data = lines(3)
    before = data.rindex(b"\n", 0, len(data) - 1) + 1
    for end in range(before + 1, len(data)):
        found = journal.read(data[:end])
        assert (len(found.records), found.fault, found.torn) == (2, None, end - before)


@pytest.mark.parametrize("text", [b"[]\n", b"{}\n", b"null\n", b"1\n", b"\n", b"\xff\n",
                                  b"[" * 100_000 + b"\n"])
def test_other_text_is_no_record(text: bytes) -> None:
    assert journal.read(text).fault == "record 1 is not as it was sealed"


def test_only_what_json_can_hold_is_sealed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        journal.seal({"x": float("nan")})
    with pytest.raises(TypeError):
        journal.seal({"x": object()})


# --- the file ------------------------------------------------------------------------------

def test_records_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    first = journal_file.append(path, {"kind": "apply"})
    second = journal_file.append(path, {"kind": "undo"})
    found = journal_file.read(path)
    assert found.is_sound
    assert found.records == (first, second)
    assert path.stat().st_mode & 0o077 == 0, "positions are nobody else's business"


def test_a_torn_record_is_cut_off_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = journal_file.append(path, {"kind": "apply"})
    path.write_bytes(first.line + journal.seal({"kind": "undo"}, first).line[:-9])
    second = journal_file.append(path, {"kind": "apply", "again": True})
    assert journal_file.read(path).records == (first, second)


def test_a_changed_journal_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    data = lines(3).replace(b'"n":1', b'"n":7')
    path.write_bytes(data)
    with pytest.raises(UserError, match="record 2 is not as it was sealed"):
        journal_file.append(path, {"kind": "apply"})
    assert path.read_bytes() == data


def _append_many(path: Path, who: int) -> None:
    for n in range(10):
        journal_file.append(path, {"who": who, "n": n})


def test_processes_that_write_at_once_share_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(path, who)) for who in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    found = journal_file.read(path)
    assert found.is_sound
    for who in range(3):
        assert [r.content["n"] for r in found.records if r.content["who"] == who] == [*range(10)]


def test_where_the_journal_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTBAL_JOURNAL", str(tmp_path / "mine.jsonl"))
    assert journal_file.default_path() == tmp_path / "mine.jsonl"
    monkeypatch.delenv("PORTBAL_JOURNAL")
    assert journal_file.default_path() == Path.home() / ".portbal" / "journal.jsonl"


def test_every_changed_byte_of_a_thousand_records_is_found() -> None:
    """A line with one byte changed is no record any more, so reading stops there."""
    records = sealed([{"n": n, "text": "x" * (n % 7)} for n in range(1000)])
    data = b"".join(r.line for r in records)
    assert len(journal.read(data).records) == 1000
    for record in records:
        line = record.line[:-1]
        for at in range(len(line)):
            changed = bytearray(line)
            changed[at] ^= 1 << ((at + record.number) % 8)
            found = [journal._record(part) for part in bytes(changed).split(b"\n")]
            assert None in found, (record.number, at)
    for record in records[::111]:
        start = data.index(record.line)
        end = start + len(record.line) - 1
        for at in (start, start + 40, end):  # the last one joins two lines
            changed = bytearray(data)
            changed[at] ^= 1
            found = journal.read(bytes(changed))
            assert not found.is_sound
            assert len(found.records) == record.number - 1


def _die_after(path: Path, count: int, *, flush: bool) -> None:
    """Append, and be killed once so many bytes are written."""
    write = os.write

    def dying(descriptor: int, data: bytes) -> int:
        write(descriptor, data[:count])
        if not flush or count < len(data):
            os.kill(os.getpid(), signal.SIGKILL)
        return len(data)

    os.write = dying
    os.fsync = lambda _descriptor: os.kill(os.getpid(), signal.SIGKILL)
    journal_file.append(path, {"kind": "apply", "n": 3})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_writer_killed_at_any_byte_loses_nothing_before(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = journal_file.append(path, {"kind": "apply", "n": 1})
    second = journal_file.append(path, {"kind": "undo", "n": 2})
    before = path.read_bytes()
    length = len(journal.seal({"kind": "apply", "n": 3}, second).line)
    context = multiprocessing.get_context("fork")
    for count in range(length + 1):
        path.write_bytes(before)
        writer = context.Process(target=_die_after, args=(path, count), kwargs={
            "flush": count == length})
        writer.start()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        found = journal_file.read(path)
        assert found.fault is None
        assert found.records[:2] == (first, second)
        assert found.torn == (count if count < length else 0)
        third = journal_file.append(path, {"kind": "apply", "again": True})
        assert journal_file.read(path).is_sound
        assert third.number == (3 if count < length else 4)


def test_positions_never_go_to_logs(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Planted names and quantities, through a bug whose own words quote them."""
    from portbal_addin.block import Block
    from portbal_addin.registry import Problem, find

    holdings = Block.of([["Asset", "Quantity", "Price"], ["Planted plc", 987654321.5, 3.25]])
    target = Block.of([["Planted plc", 1.0]])

    def broken(*given: object) -> None:
        raise KeyError(*given)

    monkeypatch.setattr("portbal.rebalance.bands_of", broken)
    result = find("DRIFT").invoke(holdings, target)
    assert isinstance(result, Problem)
    assert "internal error" in result.text
    written = caplog.text + "".join(capfd.readouterr())
    assert "KeyError" in written
    assert "bands_of" in written
    for planted in ("Planted", "987654321", "3.25"):
        assert planted not in written + result.text
