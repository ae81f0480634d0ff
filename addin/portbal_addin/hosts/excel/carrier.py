"""Ribbon commands in Excel: read the workbook, run the command, write its changes or none.

The ribbon calls ``run`` through RunPython; each command is also an xlwings script by its own
name, for menus that list scripts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import xlwings as xw

from portbal.errors import ConflictError, UserError
from portbal_addin import journal_file
from portbal_addin.block import Cell, column_letters, is_error
from portbal_addin.book import (
    FILLED,
    AddSheet,
    Area,
    Changes,
    DefineName,
    PutCells,
    Write,
    needed,
)
from portbal_addin.hosts.excel.book import ExcelBook, is_modern
from portbal_addin.hosts.excel.log import Logged, keep_log_in_excel
from portbal_addin.macros.commands import APPLY, Command, commands, find
from portbal_addin.macros.rebalance import previewed

TITLE = "Portfolio"
_VISIBLE, _VERY_HIDDEN = -1, 2  # xlSheetVisible, xlSheetVeryHidden
_SHOWN_STAMP = 16
_WIDTH, _COLUMNS = 16, 60  # of a new sheet: wide enough for names and amounts
keep_log_in_excel()


def run(name: str, book: xw.Book | None = None) -> None:
    """Run a command on the calling workbook. A problem is shown in one dialog with its cell and
    its cure, and then nothing has changed."""
    book = xw.Book.caller() if book is None else book
    app = book.app
    try:
        command = find(name)
        with Logged(name), app.properties(screen_updating=False,
                                          status_bar=f"portbal: {command.label} ..."):
            status, told = _carry(command, book)
    except UserError as error:
        _tell(app, error.problem, error.fix)
        return
    except _excel_errors() as error:
        _tell(app, f"Excel refused: {_reason(error)}", "Nothing has changed. See whether a sheet "
              "is protected or a cell is being edited.")
        return
    app.status_bar = f"portbal: {status}"
    if told:
        app.alert(told, TITLE, mode="info")


def _tell(app: xw.App, problem: str, fix: str) -> None:
    app.status_bar = f"portbal: {problem}"
    app.alert(f"{problem[:1].upper()}{problem[1:]}.\n\n{fix}", TITLE, mode="critical")


def _excel_errors() -> tuple[type[Exception], ...]:
    """What Excel raises when it refuses something; nothing where there is no Excel."""
    try:
        import pywintypes  # type: ignore[import-untyped]
    except ImportError:
        return ()
    return (pywintypes.com_error,)


def _reason(error: Exception) -> str:
    """The sentence in what Excel raises: result, text, (..., source, description, ...)."""
    details = next((item for item in error.args if isinstance(item, tuple)), ())
    said = [item for item in details if isinstance(item, str) and " " in item]
    return " ".join((said or [str(error)])[-1].split()).rstrip(".")


def _carry(command: Command, book: xw.Book) -> tuple[str, str]:
    """The status line, and what a dialog should say besides; empty for nothing."""
    if book.app.calculation != "automatic":
        book.app.calculate()

    def progress(words: str) -> None:
        book.app.status_bar = f"portbal: {command.label} ... {words}"

    seen = ExcelBook(book, lambda count: progress(f"{count} of its tables found"))
    changes = command.run(seen)
    status, told = changes.status, "\n".join(changes.notes)
    writes = (*changes.preview, *changes.writes)
    record = changes.record
    if command.trades and changes.writes:
        is_current = previewed(seen) == changes.stamp[:_SHOWN_STAMP]
        if command.name != APPLY or not is_current:
            writes, record = changes.preview, None
            status = f"Preview: {status}"
            if command.name == APPLY:
                told = ("Nothing is applied yet: this is the preview of the orders as the inputs "
                        "are now. Look at it, then press Apply again.")
    needs = needed(seen, writes)
    write(book, needs, _recorder(changes, book) if record is not None else None,
          lambda count: progress(f"writing {count} of {len(needs)}"))
    return status, told


def _recorder(changes: Changes, book: xw.Book) -> Callable[[], None]:
    def record() -> None:
        content = journal_file.entry(changes.record or {}, book.name)
        journal_file.append(journal_file.default_path(), content)

    return record


# --- writing ---------------------------------------------------------------------------------

def write(
    book: xw.Book, writes: Sequence[Write], finish: Callable[[], None] | None = None,
    told: Callable[[int], None] | None = None,
) -> None:
    """Write all of them, call ``finish``, and show the first sheet that was written to; when
    anything fails, put back what was there. told: how many are written, this one included.

    Excel calculates once, when all is written. ConflictError when something cannot be put back.
    """
    before = book.sheets.active
    shown = [before]
    mode = book.app.calculation
    try:
        with ExitStack() as back:
            if writes and mode != "manual":
                book.app.calculation = "manual"
            for count, item in enumerate(writes, start=1):
                if told is not None:
                    told(count)
                _write(book, item, back)
                if isinstance(item, PutCells):
                    shown.append(book.sheets[item.area.sheet])
            if finish is not None:
                finish()
            back.pop_all()
            shown = [sheet for sheet in shown[1:] if sheet.api.Visible == _VISIBLE] or shown[:1]
    finally:
        if book.app.calculation != mode:
            book.app.calculation = mode
        with suppress(*_excel_errors()):  # which sheet is in front is no reason to fail
            shown[0].api.Activate()


def _write(book: xw.Book, item: Write, back: ExitStack) -> None:
    """Write one item; what undoes it is pushed on ``back`` before anything changes."""
    if isinstance(item, AddSheet):
        sheet = book.sheets.add(item.name, after=book.sheets[len(book.sheets) - 1])
        back.callback(_put_back, f"the sheet {item.name}", lambda: _delete(sheet))
        sheet.range((1, 1), (1, _COLUMNS)).api.EntireColumn.ColumnWidth = _WIDTH
        for column, number in item.formats:
            sheet.range((1, column)).api.EntireColumn.NumberFormat = number
        sheet.range((1, 1)).api.EntireRow.Font.Bold = True
        if item.hidden:
            sheet.api.Visible = _VERY_HIDDEN
    elif isinstance(item, DefineName):
        _define(book, item, back)
    elif isinstance(item, PutCells):
        range_ = _range(book, item.area)
        back.callback(_put_back, item.area.text, _restorer(book, item.area))
        range_.raw_value = [[_plain(book, cell) for cell in row] for row in item.rows]
    else:
        range_ = _range(book, item.area)
        back.callback(_put_back, item.area.text, _restorer(book, item.area))
        _put_formula(range_, item.formula)


def _put_back(what: str, restore: Callable[[], None]) -> None:
    try:
        restore()
    except _excel_errors() as error:
        raise ConflictError(
            f"Excel refused ({_reason(error)}), and {what} could not be put back",
            fix="Close the workbook without saving it, and open it again.",
        ) from error


def _delete(sheet: xw.Sheet) -> None:
    """Excel deletes no sheet that is hidden like ours."""
    sheet.api.Visible = _VISIBLE
    sheet.delete()


def _define(book: xw.Book, item: DefineName, back: ExitStack) -> None:
    refers_to = _reference(item.area)
    what = f"the name {item.name}"
    old = next((n for n in book.names if n.name.casefold() == item.name.casefold()), None)
    if old is None:
        back.callback(_put_back, what, book.names.add(item.name, refers_to).delete)
        return
    referred = old.refers_to
    back.callback(_put_back, what, lambda: setattr(old, "refers_to", referred))
    old.refers_to = refers_to


def _put_formula(range_: xw.Range, formula: str) -> None:
    if range_.api.HasArray and not getattr(range_.api, "HasSpill", False):
        range_.api.CurrentArray.FormulaArray = formula
    elif is_modern(range_):
        range_.api.Formula2 = formula
    else:
        range_.api.Formula = formula


def _restorer(book: xw.Book, area: Area) -> Callable[[], None]:
    """Puts the cells of an area back to what they are now."""
    seen = ExcelBook(book)
    block, formulas = seen.block(area), seen.formulas(area)

    def restore() -> None:
        _range(book, area).raw_value = [
            [_plain(book, None if formula == FILLED else cell)
             for cell, formula in zip(row, texts, strict=True)]
            for row, texts in zip(block, formulas, strict=True)
        ]
        for down, row in enumerate(formulas):
            for right, formula in enumerate(row):
                if formula and formula != FILLED:
                    _put_formula(_range(book, area.cell(down, right)), formula)

    return restore


def _plain(book: xw.Book, cell: Cell) -> Any:
    """A cell as Excel takes it. Text is marked as text, or Excel would read a formula, a date or
    a number into it."""
    if isinstance(cell, str):
        return cell if not cell or is_error(cell) else f"'{cell}"
    if cell is None or isinstance(cell, dt.date):
        return book.app.engine.impl.prepare_xl_data_element(cell, None)
    return cell if isinstance(cell, bool) else float(cell)


def _range(book: xw.Book, area: Area) -> xw.Range:
    last = (area.row + area.height - 1, area.column + area.width - 1)
    return book.sheets[area.sheet].range((area.row, area.column), last)


def _reference(area: Area) -> str:
    sheet = area.sheet.replace("'", "''")
    first = f"${column_letters(area.column)}${area.row}"
    last = f"${column_letters(area.column + area.width - 1)}${area.row + area.height - 1}"
    return f"='{sheet}'!{first}:{last}"


# --- scripts ---------------------------------------------------------------------------------

def _script(command: Command) -> Callable[[], None]:
    def script() -> None:
        run(command.name)

    script.__name__ = script.__qualname__ = command.identifier
    script.__doc__ = command.screentip
    return xw.script(script)


SCRIPTS = {command.identifier: _script(command) for command in commands().values()}
globals().update(SCRIPTS)  # xlwings looks for scripts among the names of a module
