"""vbaProject.bin from the text of its modules ([MS-OVBA]).

Only source is written, no compiled code: Excel compiles it when it opens the file. The same
modules give the same bytes.
"""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from portbal_addin.hosts.excel.cfb import compound_file

CODEPAGE = 1252
_CHUNK = 4096
_BASES = {"document": "Document", "class": "Class", "standard": "Module"}
_ID = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
_REFERENCES = (
    ("stdole", r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#"
               r"C:\Windows\System32\stdole2.tlb#OLE Automation"),
    ("Office", r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0#C:\Program Files\Common Files"
               r"\Microsoft Shared\OFFICE16\MSO.DLL#Microsoft Office 16.0 Object Library"),
)


@dataclass(frozen=True)
class Module:
    """kind: standard, class or document (the workbook or a sheet); text: with its attributes."""

    name: str
    kind: str
    text: str

    @property
    def source(self) -> bytes:
        """As the file has it: Windows line ends and code page; ValueError for other characters."""
        text = "\r\n".join(self.text.splitlines()) + "\r\n"
        try:
            return text.encode(f"cp{CODEPAGE}")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"module {self.name}: {text[error.start]!r} cannot be written in VBA"
            ) from None


def standard(text: str) -> Module:
    """A module from the text of a .bas file."""
    return Module(_name(text), "standard", text)


def class_module(text: str) -> Module:
    """A class from the text of a .cls file, whose first lines the project does not keep."""
    text = re.sub(r"\AVERSION 1\.0 CLASS\r?\nBEGIN\r?\n.*?^END\r?\n", "", text, count=1,
                  flags=re.DOTALL | re.MULTILINE)
    return Module(_name(text), "class", text)


def document(name: str, guid: str, code: str = "") -> Module:
    """The module of the workbook or of a sheet; guid says of which."""
    attributes = "\n".join((
        f'Attribute VB_Name = "{name}"', f'Attribute VB_Base = "0{{{guid}}}"',
        "Attribute VB_GlobalNameSpace = False", "Attribute VB_Creatable = False",
        "Attribute VB_PredeclaredId = True", "Attribute VB_Exposed = True",
        "Attribute VB_TemplateDerived = False", "Attribute VB_Customizable = True",
    ))
    return Module(name, "document", f"{attributes}\n{code}")


def _name(text: str) -> str:
    match = re.search(r'^Attribute VB_Name = "(\w{1,31})"', text, re.MULTILINE)
    if match is None:
        raise ValueError("a module without Attribute VB_Name")
    return match[1]


def vba_project(name: str, modules: Sequence[Module]) -> bytes:
    """The compound file vbaProject.bin; the workbook's own module comes first."""
    project_id = f"{{{uuid.uuid5(_ID, name)}}}".upper()
    streams = {module.name: compress(module.source) for module in modules}
    if len({key.upper() for key in streams}) != len(modules):
        raise ValueError("two modules have the same name")
    streams["dir"] = compress(_directory(name, modules))
    streams["_VBA_PROJECT"] = b"\xcc\x61\xff\xff\x00\x01\x00"
    return compound_file({
        "VBA": streams,
        "PROJECT": _project(name, project_id, modules),
        "PROJECTwm": b"".join(
            module.name.encode(f"cp{CODEPAGE}") + b"\0" + module.name.encode("utf-16-le") + b"\0\0"
            for module in modules
        ) + b"\0\0",
    })


# --- the dir stream, 2.3.4.2 ---------------------------------------------------------------

def _record(number: int, content: bytes) -> bytes:
    return struct.pack("<HI", number, len(content)) + content


def _texts(first: int, second: int, text: str) -> bytes:
    return (_record(first, text.encode(f"cp{CODEPAGE}"))
            + _record(second, text.encode("utf-16-le")))


def _directory(name: str, modules: Sequence[Module]) -> bytes:
    english = struct.pack("<I", 0x409)
    parts = [
        _record(0x01, struct.pack("<I", 1)), _record(0x02, english), _record(0x14, english),
        _record(0x03, struct.pack("<H", CODEPAGE)), _record(0x04, name.encode("ascii")),
        _texts(0x05, 0x40, ""), _record(0x06, b""), _record(0x3D, b""),
        _record(0x07, bytes(4)), _record(0x08, bytes(4)),
        struct.pack("<HIIH", 0x09, 4, 1, 0), _texts(0x0C, 0x3C, ""),
    ]
    for title, library in _REFERENCES:
        path = library.encode("ascii")
        parts += [_texts(0x16, 0x3E, title),
                  _record(0x0D, struct.pack("<I", len(path)) + path + bytes(6))]
    parts += [_record(0x0F, struct.pack("<H", len(modules))), _record(0x13, b"\xff\xff")]
    for module in modules:
        kind = 0x21 if module.kind == "standard" else 0x22
        parts += [
            _texts(0x19, 0x47, module.name), _texts(0x1A, 0x32, module.name),
            _texts(0x1C, 0x48, ""), _record(0x31, bytes(4)), _record(0x1E, bytes(4)),
            _record(0x2C, b"\xff\xff"), _record(kind, b""), _record(0x2B, b""),
        ]
    return b"".join([*parts, _record(0x10, b"")])


# --- the PROJECT stream, 2.3.1 ---------------------------------------------------------------

def _project(name: str, project_id: str, modules: Sequence[Module]) -> bytes:
    listed = [
        f"{_BASES[module.kind]}={module.name}{'/&H00000000' if module.kind == 'document' else ''}"
        for module in modules
    ]
    lines = [
        f'ID="{project_id}"', *listed, f'Name="{name}"', 'HelpContextID="0"',
        'VersionCompatible32="393222000"', f'CMG="{encrypt(project_id, bytes(4))}"',
        f'DPB="{encrypt(project_id, bytes(1))}"', f'GC="{encrypt(project_id, bytes([255]))}"', "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000", "", "[Workspace]",
        *(f"{module.name}=0, 0, 0, 0, C" for module in modules),
    ]
    return ("\r\n".join(lines) + "\r\n").encode(f"cp{CODEPAGE}")


def encrypt(project_id: str, data: bytes, seed: int = 0x5D) -> str:
    """Data as the PROJECT stream hides it, 2.4.3.2: protection, password, visibility."""
    key = sum(project_id.encode("ascii")) & 0xFF
    first, second, plain = seed ^ key, seed ^ 2, key
    out = bytearray([seed, second, first])
    for byte in bytes((seed & 6) // 2) + struct.pack("<I", len(data)) + data:
        hidden = byte ^ ((second + plain) & 0xFF)
        out.append(hidden)
        second, first, plain = first, hidden, byte
    return out.hex().upper()


# --- compression, 2.4.1 --------------------------------------------------------------------

def compress(data: bytes) -> bytes:
    """A CompressedContainer of the data."""
    chunks = (data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK))
    return b"\x01" + b"".join(map(_compressed_chunk, chunks))


def _compressed_chunk(chunk: bytes) -> bytes:
    tokens = bytearray()
    seen: dict[bytes, list[int]] = {}
    at = 0
    while at < len(chunk):
        flags, group = 0, bytearray()
        for bit in range(8):
            if at >= len(chunk):
                break
            bits = max(4, (at - 1).bit_length()) if at else 4
            offset, length = _match(chunk, at, seen, (0xFFFF >> bits) + 3)
            if length:
                flags |= 1 << bit
                group += struct.pack("<H", (offset - 1) << (16 - bits) | (length - 3))
            else:
                length = 1
                group.append(chunk[at])
            for start in range(at, at + length):
                seen.setdefault(chunk[start : start + 3], []).append(start)
            at += length
        tokens.append(flags)
        tokens += group
    if len(tokens) >= _CHUNK:
        return struct.pack("<H", 0x3000 | (_CHUNK - 1)) + chunk.ljust(_CHUNK, b"\0")
    return struct.pack("<H", 0xB000 | (len(tokens) - 1)) + bytes(tokens)


def _match(chunk: bytes, at: int, seen: dict[bytes, list[int]], most: int) -> tuple[int, int]:
    """How far back the longest earlier copy of what follows begins, and its length."""
    best, offset = 0, 0
    limit = min(most, len(chunk) - at)
    for start in reversed(seen.get(chunk[at : at + 3], ())):
        length = 3
        while length < limit and chunk[start + length] == chunk[at + length]:
            length += 1
        if min(length, limit) > best and limit >= 3:
            best, offset = min(length, limit), at - start
            if best == limit:
                break
    return offset, best
