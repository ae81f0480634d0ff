"""XML parts: parsed without document types, their elements known by local names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from portbal.errors import InputError, NotAvailable
from portbal.labels import shorten

MOST_DEEP = 64
_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(slots=True)
class Element:
    """name and attributes without namespaces."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> Iterator[Element]:
        """The elements of that name here and below."""
        if self.name == name:
            yield self
        for child in self.children:
            yield from child.all(name)

    def child(self, name: str) -> Element | None:
        return next((child for child in self.children if child.name == name), None)

    def get(self, name: str, otherwise: str = "") -> str:
        return self.attributes.get(name, otherwise)

    def flag(self, name: str, otherwise: bool = False) -> bool:
        return self.get(name, "1" if otherwise else "0") in ("1", "true")


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]


def parser(part: str) -> Any:
    """A parser that refuses document types, and so entities of the file's own making."""

    def refuse(*_: object) -> None:
        raise NotAvailable(f"its part {shorten(part)} declares a document type",
                           fix="Do not trust this file.")

    made = expat.ParserCreate()
    made.StartDoctypeDeclHandler = refuse
    made.EntityDeclHandler = refuse
    made.buffer_text = True
    return made


def parse(made: Any, data: bytes, part: str) -> None:
    """InputError when the part is no XML."""
    try:
        made.Parse(data, True)
    except expat.ExpatError as error:
        raise InputError(f"its part {shorten(part)} is damaged ({error})",
                         fix="Use another copy of the file.") from None


def tree(data: bytes, part: str) -> Element:
    """A small part as elements."""
    root = Element("", {})
    stack = [root]

    def start(name: str, attributes: dict[str, str]) -> None:
        element = Element(local(name), {local(key): value for key, value in attributes.items()})
        stack[-1].children.append(element)
        stack.append(element)
        if len(stack) > MOST_DEEP:
            raise InputError(f"its part {shorten(part)} is nested too deeply",
                             fix="Do not trust this file.")

    def end(_name: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].text += data

    made = parser(part)
    made.StartElementHandler, made.EndElementHandler = start, end
    made.CharacterDataHandler = text
    parse(made, data, part)
    return root.children[0]


def decoded(text: str) -> str:
    """Text with the characters that a file writes as ``_x000D_``."""
    if "_x" not in text:
        return text
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), text)


def encoded(text: str) -> str:
    """Text as the content of an element: markup escaped, and characters that XML cannot hold
    written as ``_x0001_``."""
    if "_x" in text:
        text = _ENCODED.sub(lambda match: f"_x005F{match[0]}", text)
    text = _UNPRINTABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "_x000D_")
