"""A compound file ([MS-CFB], version 3), as vbaProject.bin is one: storages and streams in it.

The same entries give the same bytes: there are no times and no class ids in the file.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_SECTOR, _MINI, _SMALL = 512, 64, 4096
_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1
_MOST_FAT = 109  # sectors of the allocation table that the header names by itself

Content = bytes | Mapping[str, "Content"]


@dataclass
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE
    colour: int = _BLACK
    start: int = _END
    size: int = 0
    children: list[int] = field(default_factory=list)


def compound_file(root: Mapping[str, Content]) -> bytes:
    """The file with these streams (bytes) and storages (mappings) below its root."""
    entries = [_Entry("Root Entry", _ROOT)]
    _collect(entries, 0, root)
    for entry in entries:
        entry.child, _ = _tree(entries, entry.children, 0, _depth(len(entry.children)))
    sectors: list[bytes] = []
    fat: list[int] = []
    mini: list[bytes] = []
    mini_fat: list[int] = []
    for entry in entries:
        if entry.kind != _STREAM:
            continue
        entry.size = len(entry.data)
        if entry.size >= _SMALL:
            entry.start = _chain(sectors, fat, entry.data, _SECTOR)
        elif entry.size:
            entry.start = _chain(mini, mini_fat, entry.data, _MINI)
    small = b"".join(mini)
    entries[0].size = len(small)
    entries[0].start = _chain(sectors, fat, small, _SECTOR)
    mini_fat_start = _chain(sectors, fat, _numbers(mini_fat, _SECTOR // 4), _SECTOR)
    mini_fat_count = -(-len(mini_fat) // (_SECTOR // 4))
    directory = b"".join(map(_packed, entries))
    unused = _packed(_Entry("", 0, start=0))
    directory += unused * (-len(entries) % (_SECTOR // 128))
    directory_start = _chain(sectors, fat, directory, _SECTOR)
    count = 0
    while (len(fat) + count) > count * (_SECTOR // 4):
        count += 1
    if count > _MOST_FAT:
        raise ValueError("the streams are too large for one compound file")
    fat_at = range(len(fat), len(fat) + count)
    fat += [_FAT] * count
    table = _numbers(fat, _SECTOR // 4)
    header = struct.pack(
        "<8s16sHHHHH6x9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE,
        9, 6, 0, count, directory_start, 0, _SMALL, mini_fat_start, mini_fat_count, _END, 0,
    )
    header += _numbers(list(fat_at), _MOST_FAT)
    return header + b"".join(sectors) + table


def _collect(entries: list[_Entry], parent: int, content: Mapping[str, Content]) -> None:
    """Entries below ``parent``, which keeps their numbers in the order of the format."""
    for name in sorted(content, key=lambda name: (len(name), name.upper())):
        value = content[name]
        if len(name) > 31:
            raise ValueError(f"{name}: a name has at most 31 characters")
        entries[parent].children.append(len(entries))
        if isinstance(value, bytes):
            entries.append(_Entry(name, _STREAM, value))
        else:
            entries.append(_Entry(name, _STORAGE, start=0))
            _collect(entries, len(entries) - 1, value)


def _depth(count: int) -> int:
    """The level whose nodes are red: the last one of a balanced tree that is not full."""
    return count.bit_length() - 1 if count & (count + 1) else -1


def _tree(
    entries: list[_Entry], children: Sequence[int], level: int, red: int
) -> tuple[int, int]:
    """Link siblings as a balanced red-black tree; its root and its height."""
    if not children:
        return _NONE, 0
    middle = len(children) // 2
    entry = entries[children[middle]]
    entry.left, left = _tree(entries, children[:middle], level + 1, red)
    entry.right, right = _tree(entries, children[middle + 1 :], level + 1, red)
    entry.colour = _RED if level == red and level else _BLACK
    return children[middle], 1 + max(left, right)


def _chain(sectors: list[bytes], fat: list[int], data: bytes, size: int) -> int:
    """Put data into the next sectors and link them; the number of the first."""
    if not data:
        return _END
    first = len(fat)
    for at in range(0, len(data), size):
        sectors.append(data[at : at + size].ljust(size, b"\0"))
        fat.append(len(fat) + 1)
    fat[-1] = _END
    return first


def _numbers(values: Sequence[int], per_sector: int) -> bytes:
    padded = [*values, *[_FREE] * (-len(values) % per_sector)]
    return struct.pack(f"<{len(padded)}I", *padded)


def _packed(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    free = entry.kind == 0
    return struct.pack(
        "<64sHBBIII16sIQQIQ", name, 0 if free else len(name) + 2, entry.kind, entry.colour,
        entry.left, entry.right, entry.child, bytes(16), 0, 0, 0, entry.start, entry.size,
    )
