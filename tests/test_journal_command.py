"""``portbal journal``: list, verify, show, replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from portbal_addin import journal_file
from portbal_addin.block import Block
from portbal_addin.cli import main
from portbal_addin.macros.orders import rows_of
from portbal_addin.macros.replay import call_of
from portbal_addin.registry import Answer, find

HOLDINGS = Block.of([["Asset", "Quantity", "Price"], ["A", 60.0, 10.0], ["B", 20.0, 20.0]])
TARGET = Block.of([["A", 0.5], ["B", 0.5]])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "journal.jsonl"
    monkeypatch.setenv("PORTBAL_JOURNAL", str(path))
    answer = find("ORDERS").invoke(HOLDINGS, TARGET, None, None, None, None)
    assert isinstance(answer, Answer)
    stored = {"kind": "apply", "call": call_of("ORDERS", (HOLDINGS, TARGET)),
              "orders": rows_of(answer.block)}
    journal_file.append(path, journal_file.entry(stored, "book.xlsx"))
    journal_file.append(path, journal_file.entry({"kind": "undo"}, "book.xlsx"))
    changed = [row[:] for row in stored["orders"]]
    changed[1][2] = -11.0
    journal_file.append(path, journal_file.entry({**stored, "orders": changed}, "book.xlsx"))
    return path


def test_a_sound_journal(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[:3]] == ["apply", "undo", "apply"]
    assert "2 orders" in lines[0]
    assert main(["journal", "verify"]) == 0
    last = journal_file.read(path).last
    assert f"3 records, sound; last hash {last}" in capsys.readouterr().out
    assert main(["journal", "verify", "--last", last]) == 0


def test_what_is_wrong_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = path.read_bytes()
    first, second, third = data.splitlines(keepends=True)
    for broken, message in (
        (data.replace(b'"B"', b'"C"'), "record 1 is not as it was sealed. The 0 records before"),
        (first + third, "record 2 is missing: record 3 stands in its place"),
        (first + second + third[:-9], "2 records, sound, and"),
    ):
        path.write_bytes(broken)
        assert main(["journal", "verify", "--file", str(path)]) == 1
        assert message in capsys.readouterr().err
    path.write_bytes(first + second)
    assert main(["journal", "verify", "--last", "0" * 64]) == 1
    assert "the records after 2 are missing" in capsys.readouterr().err


def test_replay(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "replay", "1"]) == 0
    assert capsys.readouterr().out == "record 1: the same 2 orders\n"
    assert main(["journal", "replay", "3"]) == 1
    told = capsys.readouterr().out
    assert "- A  sell  -11.0" in told
    assert "+ A  sell  -10.0" in told
    assert main(["journal", "replay", "2"]) == 1
    assert "record 2 is no applied rebalance but 'undo'" in capsys.readouterr().err
    assert main(["journal", "show", "7"]) == 1
    assert "there is no record 7" in capsys.readouterr().err
    assert main(["journal", "show", "1"]) == 0
    assert '"kind": "apply"' in capsys.readouterr().out


def test_a_mistyped_name_or_hash_is_not_called_sound(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["journal", "verify", "--file", str(tmp_path / "none.jsonl")]) == 1
    assert "there is no journal" in capsys.readouterr().err
    assert main(["journal", "verify", "--last", "00ff"]) == 1
    assert "'00ff' is no hash of a record" in capsys.readouterr().err
    path.unlink()
    assert main(["journal"]) == 0
    assert "0 records, sound" in capsys.readouterr().out
