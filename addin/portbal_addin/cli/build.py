"""Build the files for a spreadsheet program.

    portbal build excel            portbal.xlam, and every template as .xlsm and .xltm
    portbal build excel -o DIR     in another folder than dist/excel

portbal.xlam brings the functions and the ribbon tab "Portfolio" to every workbook. An .xlsm or
.xltm carries both in itself. All are built from text, the same each time, and need neither Excel
nor Windows to build.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from portbal.errors import UserError

FOLDER = Path("dist") / "excel"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", choices=["excel"], help="the program to build for")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, metavar="DIR",
                        help=f"where to write the files (default: {FOLDER.as_posix()})")


def run(options: argparse.Namespace) -> int:
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        for name, content in excel_files():
            path = options.output / name
            path.write_bytes(content)
            print(f"{path}  {len(content):,} bytes")
    except UserError as error:
        print(f"portbal: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"portbal: {error.filename} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def excel_files() -> Iterator[tuple[str, bytes]]:
    """Name and content of everything that Excel for Windows is given."""
    import portbal
    from portbal_addin.hosts.excel.addin import addin, carrying
    from portbal_templates import TEMPLATES, read

    yield "portbal.xlam", addin(portbal.__version__)
    for name in TEMPLATES:
        for kind in ("xlsm", "xltm"):
            yield f"{name}.{kind}", carrying(read(name), kind)
