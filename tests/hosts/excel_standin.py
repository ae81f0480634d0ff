"""A process that looks to xlwings like Windows with Excel: calls in on standard input, cells out.

``python -m hosts.excel_standin`` reads one pickled list of calls (name, arguments) and writes one
pickled Reply. The COM modules are stand-ins; everything of xlwings, from its decorators to
call_udf and the conversion of values, is its own code for Windows. An argument is a plain value
as COM hands it over, or a Cells for a range of a sheet.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import io
import pickle
import sys
import types
from dataclasses import dataclass
from typing import Any

MISSING = -2147352572  # how COM says that an optional argument was left out
RANGE_IID = "{00020846-0000-0000-C000-000000000046}"
ADDIN = "portbal.xlam"


@dataclass(frozen=True)
class Cells:
    """A range: what Value and Value2 give, where it starts, and its sheet."""

    value: Any
    value2: Any = None
    row: int = 1
    column: int = 1
    sheet: str = "Sheet1"
    date1904: bool = False
    areas: int = 1
    whole_columns: bool = False


@dataclass(frozen=True)
class Reply:
    """The cells that each call returned, and the VBA wrappers that xlwings writes."""

    answers: list[list[list[Any]]]
    vba: str
    described: dict[str, dict[str, Any]]


class ComTime(dt.datetime):
    """A date as pywin32 has it: a datetime with a time zone."""


def install_com() -> None:
    """Put stand-ins for pywin32 and the Windows part of ctypes in place."""

    class Anything:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __getattr__(self, name: str) -> Anything:
            return Anything()

        def __call__(self, *_: object, **__: object) -> Anything:
            return Anything()

    def module(name: str, **members: object) -> types.ModuleType:
        made = types.ModuleType(name)
        made.__dict__.update(members)
        sys.modules[name] = made
        return made

    class ComError(Exception): ...

    kinds = {
        name: type(name, (), {})
        for name in ("CDispatch", "CoClassBaseClass", "DispatchBaseClass", "DispatchEx")
    }
    module("pywintypes", TimeType=ComTime, IID=str, com_error=ComError, error=ComError)
    module("pythoncom", __file__=None, IID_IDispatch=0, IID_IEnumVARIANT=1, TypeIIDs={0: Anything},
           CoInitialize=lambda: None, ole_error=ComError)
    client = module("win32com.client", Dispatch=lambda com, **_: com, gencache=Anything(), **kinds)
    server = module("win32com.server", dispatcher=Anything(), policy=Anything(), util=Anything())
    module("win32com", client=client, server=server)
    for name in ("dispatcher", "policy", "util"):
        module(f"win32com.server.{name}", DesignatedWrapPolicy=object)
    module("win32timezone", TimeZoneInfo=types.SimpleNamespace(utc=lambda: dt.UTC))
    module("win32process", GetWindowThreadProcessId=lambda hwnd: (0, hwnd))
    for name in ("win32api", "win32con", "win32gui", "win32event"):
        module(name)
    ctypes.windll = ctypes.oledll = Anything()  # type: ignore[attr-defined]
    ctypes.PyDLL = Anything  # type: ignore[misc,assignment]


def com_range(cells: Cells) -> Any:
    """A range as Excel's object model shows it, as far as xlwings and portbal look."""
    rows = cells.value if isinstance(cells.value, tuple) else ((cells.value,),)
    height, width = len(rows), len(rows[0])
    com = types.SimpleNamespace
    book = com(Name="Book1.xlsx", Application=com(Hwnd=1), Date1904=cells.date1904)
    info = com(GetTypeAttr=lambda: com(iid=RANGE_IID))

    def part(first: tuple[int, int], last: tuple[int, int]) -> Any:
        assert first == (cells.row, cells.column)
        assert last == (cells.row + height - 1, cells.column + width - 1)
        return plain

    sheet = com(
        Name=cells.sheet, Parent=book, Cells=lambda row, column: (row, column), Range=part
    )
    sheet.UsedRange = com(
        Worksheet=sheet, Row=1, Column=1,
        Rows=com(Count=cells.row - 1 + height), Columns=com(Count=cells.column - 1 + width),
    )
    plain = com(
        _oleobj_=com(GetTypeInfo=lambda: info), Worksheet=sheet, Areas=com(Count=cells.areas),
        Row=cells.row, Column=cells.column, Rows=com(Count=height), Columns=com(Count=width),
        Value=cells.value, Value2=cells.value2,
    )
    if not cells.whole_columns:
        return plain
    whole = com(**{**vars(plain), "Rows": com(Count=1_048_576)})
    del whole.Value, whole.Value2
    return whole


def import_as_on_windows() -> types.ModuleType:
    """xlwings.udfs, imported while the platform says Windows."""
    import asyncio  # noqa: F401
    import subprocess  # noqa: F401

    import pandas  # noqa: F401

    here = sys.platform
    sys.platform = "win32"
    try:
        import xlwings.udfs
    finally:
        sys.platform = here
    return xlwings.udfs


def main() -> None:
    calls = pickle.load(sys.stdin.buffer)
    install_com()
    udfs = import_as_on_windows()
    answers = [
        udfs.call_udf(
            "portbal_udfs", name,
            tuple(com_range(a) if isinstance(a, Cells) else a for a in arguments),
        )
        for name, arguments in calls
    ]
    module = udfs.get_udf_module("portbal_udfs", None)
    text = io.StringIO()
    udfs.generate_vba_wrapper("portbal_udfs", module, text, types.SimpleNamespace(Name=ADDIN))
    described = {
        name: {
            "category": member.__xlfunc__["category"],
            "doc": member.__xlfunc__["ret"]["doc"],
            "arguments": {a["name"]: a["doc"] for a in member.__xlfunc__["args"] if not a["vba"]},
            "hidden": {a["name"]: a["vba"] for a in member.__xlfunc__["args"] if a["vba"]},
        }
        for name, member in vars(module).items() if hasattr(member, "__xlfunc__")
    }
    pickle.dump(Reply(answers, text.getvalue(), described), sys.stdout.buffer)


if __name__ == "__main__":
    from hosts.excel_standin import main as run

    run()
