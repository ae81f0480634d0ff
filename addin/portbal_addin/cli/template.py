"""List the workbook templates, copy one to a file, or bring a workbook up to date.

    portbal template list
    portbal template new portfolio_balancer -o my_portfolio.xlsx
    portbal template new portfolio_balancer -o my_portfolio.xlsm    with the add-in inside
    portbal template new portfolio_balancer --host plain            values, for who has no portbal
    portbal template upgrade old.xlsx      to the layout of this version
    portbal template relink foreign.xlsx   formulas that show #NAME? or name another add-in
    portbal template relink mine.xlsx --host plain -o values.xlsx    a copy for who has no portbal

Upgrade and relink keep a copy of the file as it was beside it, unless -o names another file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from portbal.errors import InputError, UserError
from portbal.labels import suggestion
from portbal_templates import TEMPLATES, read

HOSTS = ("excel", "calc", "plain")
_MACROS = (".xlsm", ".xltm")


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    commands.add_parser("list", help="list the templates")
    new = commands.add_parser("new", help="copy a template to a file")
    new.add_argument("name", help="the template")
    new.add_argument("-o", "--output", type=Path, metavar="FILE",
                     help="where to write it (default: its name in this folder); .xlsm or .xltm "
                     "carries the functions and the ribbon for Excel in itself")
    new.add_argument("--host", choices=HOSTS, default="excel",
                     help="Excel with the add-in, LibreOffice Calc, or values alone")
    new.add_argument("--force", action="store_true", help="replace FILE if it exists")
    upgrade = commands.add_parser("upgrade", help="bring a workbook to the layout of this version")
    upgrade.add_argument("file", type=Path, metavar="FILE")
    relink = commands.add_parser("relink", help="connect the formulas of a workbook anew")
    relink.add_argument("file", type=Path, metavar="FILE")
    relink.add_argument("--host", choices=HOSTS, default="excel",
                        help="the program that will open it; plain: values in place of our "
                        "formulas, with -o only")
    relink.add_argument("-o", "--output", type=Path, metavar="OUT",
                        help="write to this file and leave FILE as it is")


def run(options: argparse.Namespace) -> int:
    if options.action == "list":
        for name, summary in TEMPLATES.items():
            print(f"{name:<24}{summary}")
        return 0
    try:
        if options.action == "new":
            return _new(options.name, options.output, options.host, force=options.force)
        return _upgrade(options.file) if options.action == "upgrade" else _relink(
            options.file, options.host, options.output)
    except UserError as error:
        print(f"portbal: {error}", file=sys.stderr)
        return 1


def _new(name: str, output: Path | None, host: str, *, force: bool) -> int:
    from portbal_addin.hosts.workbook.package import write_file
    from portbal_addin.hosts.workbook.sharing import check_ending, for_host

    if name not in TEMPLATES:
        raise InputError(f"there is no template {name!r}",
                         fix=suggestion(name, TEMPLATES, "portbal template list shows them."))
    path = output or Path(f"{name}.xlsx")
    if path.exists() and not force:
        raise InputError(f"{path} exists",
                         fix="Choose another name with -o, or add --force to replace it.")
    content = read(name) if host == "excel" else for_host(read(name), host)
    if path.suffix.lower() in _MACROS:
        if host != "excel":
            raise InputError(f"{path.suffix} files are for Excel",
                             fix="Use the ending .xlsx, or leave --host out.")
        from portbal_addin.hosts.excel.addin import carrying

        content = carrying(content, path.suffix.lower()[1:])
    check_ending(content, path.name)
    write_file(path, content)
    print(path.resolve())
    return 0


def _upgrade(path: Path) -> int:
    import portbal
    from portbal_addin.hosts.workbook.package import read_file
    from portbal_addin.hosts.workbook.sharing import SCHEMA, check_version, upgraded

    old = read_file(path)
    check_version(old, portbal.__version__)
    new = upgraded(old)
    if new is old:
        print(f"{path} is up to date (schema {SCHEMA}).")
        return 0
    _replace(path, old, new)
    print(f"{path} now has schema {SCHEMA}.")
    return 0


def _relink(path: Path, host: str, output: Path | None) -> int:
    from portbal_addin.hosts.workbook.package import read_file, write_file
    from portbal_addin.hosts.workbook.sharing import check_ending, for_host

    if host == "plain" and output is None:
        raise InputError(f"{path} would lose its formulas", fix="Add -o OUT.xlsx.")
    old = read_file(path)
    new = for_host(old, host)
    if output is not None:
        check_ending(new, output.name)
        write_file(output, new)
        print(output.resolve())
        return 0
    if new == old:
        print(f"{path}: every portbal formula is connected.")
        return 0
    _replace(path, old, new)
    print(f"{path}: formulas are connected; recalculate it when it is open (Ctrl+Alt+F9 in Excel).")
    return 0


def _replace(path: Path, old: bytes, new: bytes) -> None:
    """Write the new content, with the old one beside it under a name that is free."""
    from portbal_addin.hosts.workbook.package import write_file

    number = 1
    backup = path.with_stem(f"{path.stem}.backup")
    while backup.exists():
        number += 1
        backup = path.with_stem(f"{path.stem}.backup-{number}")
    write_file(backup, old)
    print(f"Kept {backup}")
    write_file(path, new)
