"""Files made to do harm are refused with a reason or read safely."""

from __future__ import annotations

import sys
import warnings

from hosts.hostile import GOOD, SHEET, files
from hosts.workbook_files import parts_of
from portbal.errors import UserError
from portbal_addin.hosts.workbook import Recalculation, recalculate

REFUSED = (
    "encrypted", "cut off", "html", "pdf", "unknown compression", "lzma", "bzip2", "that lies low",
    "that lies high", "overlapping", "two parts", "20,000 parts", "unpack to", "zeros beside",
    "middling", "a million", "ten million", "megabyte", "laughs in", "entity in",
    "document type in", "half of", "deep in the book", "part ..", "part /", "part C:", "part xl",
    "part \\", "no sheets", "2,000 sheets", "as xl/", "empty xl/workbook.xml", "cell r=\"A0\"",
    "value s ", "value n 1_0", "row x", "noise as", "book at",
)
READ = ("within", "an external workbook", "formula: ", "100,000 merged")


def outcome(data: bytes) -> Recalculation | str:
    try:
        return recalculate(data, seconds=5)
    except UserError as error:
        return f"{error}" if error.fix else ""


def test_hostile_files() -> None:
    """No traceback, no file but the workbook opened, no connection made, and the same reason
    for the same trick."""
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in ("open", "socket.connect", "socket.getaddrinfo", "os.system"):
            opened.append(f"{event} {arguments}")

    sys.addaudithook(watch)
    count = 0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate name")
        for name, make in files():
            data = make()
            opened.clear()
            found = outcome(data)
            count += 1
            assert not [line for line in opened if "passwd" in line or "127.0.0.1" in line], name
            assert not [line for line in opened if not line.startswith("open ")], name
            if isinstance(found, Recalculation):
                assert not any(word in name for word in REFUSED), name
                after = parts_of(found.bytes)
                assert not any(b"root:" in part for part in after.values()), name
            else:
                assert not any(word in name for word in READ), (name, found)
                assert 10 < len(found) <= 400, (name, found)
                assert found.isprintable(), name
    watching = False
    assert count >= 200


def test_the_file_that_all_are_made_of_is_good() -> None:
    done = recalculate(GOOD)
    assert not done.problems
    assert not done.warnings
    before, after = parts_of(GOOD), parts_of(done.bytes)
    assert [name for name in before if before[name] != after[name]] == [SHEET]
