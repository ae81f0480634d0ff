"""``python -m portbal_templates.build``: write every template into files/.

Each workbook is composed, recalculated by portbal, and composed again with the values that
came out, so that cells and charts show them in any program. The same sources give the same
bytes.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from portbal_addin.hosts.workbook import recalculate
from portbal_addin.hosts.workbook.references import area_of
from portbal_addin.hosts.workbook.sharing import stamped
from portbal_addin.hosts.workbook.workbook import Workbook
from portbal_templates import TEMPLATES
from portbal_templates.page import Known, Spot, Value

FILES = Path(__file__).parent / "files"


def built(name: str, host: str = "excel") -> bytes:
    """A template with its values; RuntimeError when one of its formulas has a problem."""
    compose = importlib.import_module(f"portbal_templates.{name}").compose
    result = recalculate(compose(host, Known()), fresh=True)
    if result.problems or result.warnings:
        raise RuntimeError("\n".join(map(str, (*result.problems, *result.warnings))))
    # XlsxWriter writes 16 digits; the last recalculation gives every number its 17th.
    return stamped(recalculate(compose(host, known(result.bytes))).bytes)


def known(workbook: bytes) -> Known:
    """Values and sizes of spills as they are stored in a workbook."""
    book = Workbook.read(workbook)
    values: dict[Spot, Value] = {}
    sizes: dict[Spot, tuple[int, int]] = {}
    for number, name in enumerate(book.sheets):
        sheet = book.stored(number)
        values |= {(name, row - 1, column - 1): value
                   for (row, column), value in sheet.values.items()}
        for formula in sheet.formulas:
            if formula.kind == "array":
                area = area_of(number, formula.ref)
                sizes[name, formula.row - 1, formula.column - 1] = (area.height, area.width)
    return Known(values, sizes)


def main() -> int:
    FILES.mkdir(exist_ok=True)
    for name in TEMPLATES:
        path = FILES / f"{name}.xlsx"
        path.write_bytes(built(name))
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
