"""Read the sealed record of rebalances.

    portbal journal                   the records, a line each
    portbal journal verify            is every record as it was sealed, and none missing?
    portbal journal show 12           one record, whole
    portbal journal replay 12         do the stored inputs still give the stored orders?

The file is $PORTBAL_JOURNAL, else ~/.portbal/journal.jsonl; --file names another. A chain of hashes
finds every changed, missing or reordered record; that its newest records are gone only who kept
the last hash elsewhere can tell: verify --last HASH.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from portbal.errors import InputError, UserError
from portbal.journal import Journal, Record
from portbal_addin import journal_file
from portbal_addin.macros.replay import replayed

_ACTIONS = ("list", "verify", "show", "replay")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=_ACTIONS, default="list")
    parser.add_argument("number", nargs="?", type=int, metavar="N", help="of show and replay")
    parser.add_argument("--file", type=Path, metavar="JOURNAL", help="the journal")
    parser.add_argument("--last", metavar="HASH", help="of verify: the hash of the last record")


def run(options: argparse.Namespace) -> int:
    path = options.file or journal_file.default_path()
    try:
        _check(path, options)
        if options.action == "verify":
            return _told(path, journal_file.read(path, last=options.last))
        if options.action == "list":
            return _list(path)
        record = _record(path, options.number)
        if options.action == "show":
            print(json.dumps(json.loads(record.line), indent=2, ensure_ascii=False))
            return 0
        return _replay(record)
    except UserError as error:
        print(f"portbal: {error}", file=sys.stderr)
        return 1


def _check(path: Path, options: argparse.Namespace) -> None:
    if not path.exists() and (options.file or options.action != "list"):
        raise InputError(f"there is no journal {path}",
                         fix="Check its name; the first rebalance that is applied makes one.")
    if options.last is not None and not re.fullmatch("[0-9a-f]{64}", options.last):
        raise InputError(f"'{options.last}' is no hash of a record",
                         fix="Give all of its 64 digits, as verify prints them.")


def _list(path: Path) -> int:
    found = journal_file.read(path)
    for record in found.records:
        content = record.content
        orders = content.get("orders") or []
        what = f"{max(len(orders) - 1, 0)} orders" if content.get("kind") == "apply" else ""
        print(f"{record.number:>6}  {content.get('when', ''):<25}  {content.get('kind', ''):<10}"
              f"{content.get('who', ''):<16}{what:<12}{content.get('workbook', '')}".rstrip())
    return _told(path, found)


def _told(path: Path, found: Journal) -> int:
    count = f"{len(found.records):,} record{'' if len(found.records) == 1 else 's'}"
    if found.is_sound:
        print(f"{path}: {count}, sound; last hash {found.last}")
        return 0
    if found.fault is not None:
        print(f"{path}: {found.fault}. The {count} before it are sound. Keep the file, and find "
              "out why.", file=sys.stderr)
    else:
        print(f"{path}: {count}, sound, and {found.torn:,} bytes of one that was cut off while it "
              "was written and was never acknowledged. The next record takes its place.",
              file=sys.stderr)
    return 1


def _record(path: Path, number: int | None) -> Record:
    records = journal_file.read(path).records
    if number is None or not 1 <= number <= len(records):
        given = "no number was given" if number is None else f"there is no record {number}"
        raise InputError(f"{given}, and {path} has {len(records):,} sound records",
                         fix="Give the number of one of them: portbal journal lists them.")
    return records[number - 1]


def _replay(record: Record) -> int:
    found = replayed(record)
    for line in found.told():
        print(line)
    return 0 if found.is_same else 1
