"""The journal on disk: one file a user, appended to under a lock, each record flushed to disk."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from portbal import journal
from portbal.errors import NotAvailable
from portbal.journal import Journal, Record

_SETTING = "PORTBAL_JOURNAL"
_DECIDES = ("portbal", "numpy", "scipy", "pandas", "clarabel", "highspy")  # what results hang on


def default_path() -> Path:
    """What the environment variable PORTBAL_JOURNAL says, else .portbal in the user's home."""
    chosen = os.environ.get(_SETTING)
    return Path(chosen) if chosen else Path.home() / ".portbal" / "journal.jsonl"


def read(path: Path, *, last: str | None = None) -> Journal:
    """The records of the file; an absent file is an empty journal. last: see `journal.read`."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise NotAvailable(f"the journal {path} cannot be read ({error.strerror})",
                           fix="Give a file that can be read.") from None
    return journal.read(data, last=last)


def entry(content: Mapping[str, Any], workbook: str) -> dict[str, Any]:
    """What a command did, with where, who, when and by which versions."""
    return {
        **content, "workbook": workbook, "who": _user(),
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{n: version(n) for n in _DECIDES}},
    }


def append(path: Path, content: Mapping[str, Any]) -> Record:
    """Seal the content as the next record; it is on the disk when this returns.

    A torn record at the end, which was never acknowledged, is cut off. NotAvailable when the
    journal has been changed, since a new record would hide that, and where it cannot be written.
    """
    try:
        return _append(path, content)
    except OSError as error:
        raise NotAvailable(
            f"the journal {path} cannot be written ({error.strerror})",
            fix="Set PORTBAL_JOURNAL to a file that can be written.",
        ) from None


def _append(path: Path, content: Mapping[str, Any]) -> Record:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            data = _all(descriptor)
            found = journal.read(data)
            if found.fault is not None:
                raise NotAvailable(
                    f"the journal {path} has been changed: {found.fault}",
                    fix="Keep the file, find out why, and set PORTBAL_JOURNAL to a new one.",
                )
            record = journal.seal(content, found.records[-1] if found.records else None)
            if found.torn:
                os.ftruncate(descriptor, len(data) - found.torn)
            os.lseek(descriptor, 0, os.SEEK_END)
            line = record.line
            while line:
                line = line[os.write(descriptor, line):]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync_folder(path.parent)
    return record


def _all(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _sync_folder(folder: Path) -> None:
    """So that a new file's name is on the disk as well; Windows does that by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, whichever process; the lock is a file beside the journal."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
