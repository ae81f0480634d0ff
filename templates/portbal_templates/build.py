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
from portbal_templates import TEMPLATES
from portbal_templates.page import Known
from portbal_templates.stored import stored

FILES = Path(__file__).parent / "files"


def built(name: str, host: str = "excel") -> bytes:
    """A template with its values; RuntimeError when one of its formulas has a problem."""
    compose = importlib.import_module(f"portbal_templates.{name}").compose
    result = recalculate(compose(host, Known()))
    if result.problems or result.warnings:
        raise RuntimeError("\n".join(map(str, (*result.problems, *result.warnings))))
    return compose(host, stored(result.bytes))


def main() -> int:
    FILES.mkdir(exist_ok=True)
    for name in TEMPLATES:
        path = FILES / f"{name}.xlsx"
        path.write_bytes(built(name))
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
