"""An .xlsx file as named parts: read with suspicion, written whole or not at all."""

from __future__ import annotations

import io
import os
import posixpath
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from portbal.errors import InputError, NotAvailable
from portbal.labels import shorten

MOST_PARTS = 10_000
MOST_UNPACKED = 512 << 20
MOST_READ = 128 << 20  # of a part that is read, rather than copied
MOST_RATIO = 250
_RATIO_FROM = 8 << 20  # small parts may be as dense as they like
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Package:
    """The parts of a zip file, by name."""

    def __init__(self, data: bytes) -> None:
        """InputError or NotAvailable when it is no zip file, or one that asks for too much."""
        if data.startswith(_COMPOUND):
            raise NotAvailable(
                "it is encrypted, or an old .xls file",
                fix="Save it without a password as .xlsx.",
            )
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise InputError(f"it is no .xlsx file ({error})", fix="Choose a workbook.") from None
        self._parts = {info.filename: info for info in self._zip.infolist()}
        _check(self._zip.infolist())

    def names(self) -> tuple[str, ...]:
        return tuple(self._parts)

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def read(self, name: str) -> bytes:
        """InputError when the part is missing or damaged, NotAvailable when it is too large."""
        info = self._parts.get(name)
        if info is None:
            raise InputError(f"its part {shorten(name)} is missing", fix="Save the workbook again.")
        if info.file_size > MOST_READ:
            raise NotAvailable(f"its part {shorten(name)} has {info.file_size >> 20} MB",
                               fix=f"Keep a sheet under {MOST_READ >> 20} MB unpacked.")
        return self._unpacked(info)

    def _unpacked(self, info: zipfile.ZipInfo) -> bytes:
        name = info.filename
        try:
            with self._zip.open(info) as part:
                data = part.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InputError(
                f"its part {shorten(name)} is damaged ({error})",
                fix="Use another copy of the file.",
            ) from None
        if len(data) != info.file_size:
            raise InputError(f"its part {shorten(name)} is damaged",
                             fix="Use another copy of the file.")
        return data

    def replaced(self, changes: Mapping[str, bytes]) -> bytes:
        """The file with other contents in these parts: same order, names and times."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as new:
            new.comment = self._zip.comment
            for old in self._zip.infolist():
                info = zipfile.ZipInfo(old.filename, old.date_time)
                info.compress_type = old.compress_type
                info.external_attr = old.external_attr
                info.create_system = old.create_system
                info.comment = old.comment
                data = changes.get(old.filename)
                new.writestr(info, self._unpacked(old) if data is None else data)
        return target.getvalue()


def _check(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MOST_PARTS:
        raise NotAvailable(f"it has {len(parts):,} parts", fix="Choose a workbook.")
    seen: set[str] = set()
    for part in parts:
        name = part.filename
        if part.flag_bits & 1:
            raise NotAvailable("it is encrypted", fix="Save it without a password.")
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotAvailable("it is packed in an unusual way", fix="Save the workbook again.")
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise InputError(f"it has a part with the unsafe name {shorten(name)}",
                             fix="Do not trust this file.")
        if name.casefold() in seen:
            raise InputError(f"it has two parts named {shorten(name)}",
                             fix="Do not trust this file.")
        seen.add(name.casefold())
        if part.file_size > _RATIO_FROM and part.file_size > MOST_RATIO * part.compress_size:
            raise NotAvailable(
                f"its part {shorten(name)} unpacks to {part.file_size >> 20} MB from "
                f"{part.compress_size >> 10} KB", fix="Do not trust this file.",
            )
    total = sum(part.file_size for part in parts)
    if total > MOST_UNPACKED:
        raise NotAvailable(f"it unpacks to {total >> 20} MB",
                           fix=f"Keep a workbook under {MOST_UNPACKED >> 20} MB unpacked.")


def target(part: str, link: str) -> str:
    """The name of the part that a link of another part leads to."""
    if link.startswith("/"):
        return posixpath.normpath(link)[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), link))


def links_of(part: str) -> str:
    """The part that holds the links of a part."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def read_file(path: Path) -> bytes:
    """InputError with the system's reason when there is no such file."""
    try:
        size = path.stat().st_size
        if size > MOST_UNPACKED:
            raise NotAvailable(f"{path} has {size >> 20} MB",
                               fix=f"Keep a workbook under {MOST_UNPACKED >> 20} MB.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}",
                         fix="Check the name of the file.") from None


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that at any moment either the old one or the new one is there."""
    place = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(_mode(place))
            Path(name).replace(place)
        finally:
            Path(name).unlink(missing_ok=True)  # there only when something went wrong
        _sync(place.parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}",
                         fix="Choose another place with -o.") from None


def _mode(place: Path) -> int:
    """The permissions of the file that is replaced, or those of a new file."""
    if place.exists():
        return place.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync(folder: Path) -> None:
    """Make the new name last, where a system knows how."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
