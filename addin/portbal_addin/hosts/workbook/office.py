"""LibreOffice as a second engine, for native formulas that the first one cannot calculate.

It is given a copy in which every cell is a constant but those formulas, so that it answers for
them alone. Formulas that reach outside the workbook are not handed over.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from portbal.errors import InputError, NotAvailable
from portbal_addin.block import column_letters
from portbal_addin.hosts.workbook.engine import ErrorText, Value
from portbal_addin.hosts.workbook.markup import encoded
from portbal_addin.hosts.workbook.plan import Formula
from portbal_addin.hosts.workbook.references import Spot
from portbal_addin.hosts.workbook.workbook import Workbook

SECONDS = 90
_DATA = re.compile(rb"<sheetData\s*/>|<sheetData\s*>.*</sheetData>", re.DOTALL)
_OUTSIDE = re.compile(
    r"\b(?:WEBSERVICE|FILTERXML|IMAGE|RTD|CALL|REGISTER|DDE|HYPERLINK|STOCKHISTORY|CUBE\w*|PY|"
    r"RAND\w*|INFO|CELL|GETPIVOTDATA)\b|[|\[]\d|://|PORTBAL[._]", re.IGNORECASE)
_UNKNOWN = frozenset({"#NAME?", "#VALUE!", "#REF!"})
_CALC = "xlsx:Calc MS Excel 2007 XML"

Cells = Mapping[tuple[int, int], Value]


def can_answer(formula: Formula) -> bool:
    """Is this a formula of one value that stays inside the workbook?"""
    return bool(formula.text) and formula.ref.is_cell and _OUTSIDE.search(formula.text) is None


def answers(
    workbook: Workbook, values: Iterable[Cells], formulas: list[Formula]
) -> dict[Spot, Value]:
    """What LibreOffice gives for these formulas beside these values; without those that it does
    not know. NotAvailable when it is not installed or does not answer."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise NotAvailable("LibreOffice is not installed", fix="Install it, or leave out --office.")
    by_sheet: dict[int, dict[tuple[int, int], Formula]] = {}
    for formula in formulas:
        by_sheet.setdefault(formula.spot.sheet, {})[formula.spot[1:]] = formula
    parts = {
        part: _with_data(workbook.package.read(part), cells, by_sheet.get(number, {}))
        for number, (part, cells) in enumerate(zip(workbook.parts, values, strict=False))
    }
    found = Workbook.read(_recalculated(program, workbook.package.replaced(parts)))
    result: dict[Spot, Value] = {}
    for formula in formulas:
        name = workbook.sheets[formula.spot.sheet]
        if name in found.sheets:
            stored = found.stored(found.sheets.index(name)).values
            value = stored.get(formula.spot[1:])
            if value is not None and not (isinstance(value, ErrorText) and value in _UNKNOWN):
                result[formula.spot] = value
    return result


def _recalculated(program: str, data: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="portbal-office-") as folder:
        source, target = Path(folder, "in", "book.xlsx"), Path(folder, "out")
        source.parent.mkdir()
        source.write_bytes(data)
        profile = Path(folder, "profile").as_uri()
        try:
            subprocess.run(
                [program, f"-env:UserInstallation={profile}", "--headless", "--norestore",
                 "--convert-to", _CALC, "--outdir", str(target), str(source)],
                capture_output=True, timeout=SECONDS, check=True,
            )
            return (target / source.name).read_bytes()
        except (subprocess.SubprocessError, OSError):
            raise NotAvailable("LibreOffice gave no answer", fix="Try again without --office.",
                               ) from None


def _with_data(
    part: bytes, cells: Cells, formulas: Mapping[tuple[int, int], Formula]
) -> bytes:
    """A sheet with these constants and formulas for all its rows."""
    rows: dict[int, list[int]] = {}
    for row, column in sorted({*cells, *formulas}):
        rows.setdefault(row, []).append(column)
    data = "".join(
        f'<row r="{row}">' + "".join(
            _cell(f"{column_letters(column)}{row}", cells.get((row, column)),
                  formulas.get((row, column))) for column in columns
        ) + "</row>" for row, columns in rows.items()
    )
    changed, count = _DATA.subn(
        lambda _: b"<sheetData>" + data.encode() + b"</sheetData>", part, count=1)
    if count != 1:
        raise InputError("a sheet is written in an unusual way", fix="Save it again.")
    return changed


def _cell(address: str, value: Value, formula: Formula | None) -> str:
    if formula is not None:
        array = f' t="array" ref="{address}"' if formula.kind != "plain" else ""
        return f'<c r="{address}"><f{array}>{encoded(formula.text)}</f></c>'
    if isinstance(value, bool):
        return f'<c r="{address}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, ErrorText):
        return f'<c r="{address}" t="e"><v>{encoded(str(value))}</v></c>'
    if isinstance(value, str):
        return (f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{encoded(value)}</t>'
                "</is></c>")
    return f'<c r="{address}"><v>{value!r}</v></c>' if value is not None else ""
