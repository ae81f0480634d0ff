"""One worksheet as a page: title band, sections, inputs, formulas and spills.

A workbook is written twice. The first time formulas have no values; then portbal
recalculates it, and the second time every formula, spilled cell and chart is written with
what came out (``Known``). Rows and columns are counted from 0, as XlsxWriter counts them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from portbal_templates import style
from portbal_templates.layout import ROOM, SECTION
from portbal_templates.style import Styles

Value = bool | float | int | str | None
Spot = tuple[str, int, int]

# How a host spells the names of portbal's formulas in a file.
SPELLINGS = {"excel": "PORTBAL_", "calc": "PORTBAL."}


@dataclass(frozen=True)
class Known:
    """What a recalculation found: values by sheet, row, column; sizes of spills by anchor."""

    values: Mapping[Spot, Value] = field(default_factory=dict)
    sizes: Mapping[Spot, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    workbook: Workbook
    styles: Styles
    host: str
    known: Known

    def call(self, name: str, *arguments: object) -> str:
        """``=PORTBAL_NAME(a, b)`` in the host's spelling; "" is an argument left out."""
        texts = [str(a) for a in arguments]
        while texts and not texts[-1]:
            texts.pop()
        return f"={SPELLINGS[self.host]}{name}({','.join(texts)})"


class Page:
    """A worksheet with its title band; every write takes the look from ``style``."""

    def __init__(
        self, book: Book, name: str, title: str, about: str, *, widths: Sequence[float],
        tab: str, long: bool = False,
    ) -> None:
        self.book, self.name, self.widths = book, name, (2, *widths)
        self.sheet: Worksheet = book.workbook.add_worksheet(name)
        sheet, styles = self.sheet, book.styles
        sheet.hide_gridlines(2)
        sheet.set_default_row(16)
        sheet.set_tab_color(tab)
        sheet.set_column(0, 0, 2, styles.get("plain"))
        for column, width in enumerate(widths, start=1):
            sheet.set_column(column, column, width, styles.get("plain"))
        sheet.set_row(0, 32)
        last = len(widths)
        for column in range(last + 1):
            sheet.write_blank(0, column, None, styles.get("band"))
        sheet.write_string(0, 1, title, styles.get("title"))
        sheet.set_row(1, 20)
        sheet.write_string(1, 1, about, styles.get("about"))
        if name != "Start":
            sheet.write_url(1, last, "internal:'Start'!A1", styles.get("to start"), "Start")
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0 if long else 1)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer("&L&8&F&C&8&A&R&8Page &P of &N")

    # --- addresses -----------------------------------------------------------------------

    def cell(self, row: int, column: int) -> str:
        return f"{self.name}!{xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)}"

    def range(self, row: int, column: int, last_row: int, last_column: int) -> str:
        return f"{self.name}!{xl_range_abs(row, column, last_row, last_column)}"

    def pixels(self, first: int, last: int) -> int:
        """How wide the columns are together on the screen."""
        return sum(int(width * 7 + 5) for width in self.widths[first : last + 1])

    def name_cell(self, name: str, row: int, column: int) -> None:
        self.book.workbook.define_name(name, f"={self.cell(row, column)}")

    def name_range(self, name: str, row: int, column: int, last_row: int, last: int) -> None:
        self.book.workbook.define_name(name, f"={self.range(row, column, last_row, last)}")

    # --- text ----------------------------------------------------------------------------

    def text(self, row: int, column: int, text: str, look: str = "plain", align: str = "") -> None:
        self.sheet.write_string(row, column, text, self.book.styles.get(look, align=align))

    def note(self, row: int, column: int, last: int, text: str, height: float = 0) -> None:
        """A wrapped text over merged columns."""
        self.sheet.merge_range(row, column, row, last, text, self.book.styles.get("note"))
        if height:
            self.sheet.set_row(row, height)

    def source(self, row: int, text: str) -> None:
        self.text(row, 1, text, "source")

    def section(self, row: int, column: int, last: int, title: str, unit: str = "") -> None:
        """A ruled heading over columns; the unit stands at its right end."""
        for at in range(column, last + 1):
            self.sheet.write_blank(row, at, None, self.book.styles.get("section rule"))
        self.text(row, column, title, "section")
        if unit:
            self.text(row, last, unit, "section rule", align="right")

    def headings(
        self, row: int, column: int, titles: Sequence[str], left: int = 1
    ) -> None:
        """Titles of columns; the first ``left`` are columns of names."""
        for at, title in enumerate(titles):
            self.text(row, column + at, title, "header left" if at < left else "header")

    def units(self, row: int, column: int, units: Sequence[str], left: int = 1) -> None:
        for at, unit in enumerate(units):
            self.text(row, column + at, unit, "unit left" if at < left else "unit")

    # --- values --------------------------------------------------------------------------

    def input(
        self, row: int, column: int, value: Value | dt.date, number: str = style.GENERAL,
        look: str = "input",
    ) -> None:
        cell = self.book.styles.get(look, number)
        if value is None:
            self.sheet.write_blank(row, column, None, cell)
        elif isinstance(value, dt.date):
            self.sheet.write_datetime(row, column, value, cell)
        else:
            self.sheet.write(row, column, value, cell)

    def formula(
        self, row: int, column: int, formula: str, number: str = style.GENERAL,
        look: str = "formula", align: str = "",
    ) -> None:
        self.sheet.write_formula(
            row, column, formula, self.book.styles.get(look, number, align),
            self._known(row, column),
        )

    def spill(
        self, row: int, column: int, formula: str, numbers: Sequence[str], name: str, *,
        room: tuple[int, int] = (ROOM, 0), left: int = 1,
    ) -> None:
        """A portbal table with its header at (row, column), and a name for it.

        numbers: formats by column, the last one holding for all further columns;
        room: rows below the header and columns that a longer result may take (0: as many
        columns as there are formats); the name covers them all, since formulas ignore blank
        rows and columns at the edge; left: columns of names.
        """
        sheet, styles = self.sheet, self.book.styles
        rows, columns = room[0], room[1] or len(numbers)
        height, width = self.book.known.sizes.get((self.name, row, column), (1, 1))
        if rows <= 100:
            for down in range(height, rows + 1):
                for at in range(columns):
                    number = numbers[min(at, len(numbers) - 1)]
                    look = styles.get("room", style.GENERAL if number == style.TEXT else number)
                    sheet.write_blank(row + down, column + at, None, look)
        sheet.write_dynamic_array_formula(
            row, column, row + height - 1, column + width - 1, formula,
            styles.get("header left" if left else "header"), self._known(row, column),
        )
        for down in range(height):
            for at in range(width):
                number = numbers[min(at, len(numbers) - 1)]
                kind = "" if number != style.TEXT else " left" if at < left else " text"
                if down or at:
                    look = f"output{kind}" if down else f"header{kind}"
                    self._put(row + down, column + at,
                              styles.get(look, style.GENERAL if kind else number))
        self.name_range(name, row, column, row + rows, column + columns - 1)

    def _known(self, row: int, column: int) -> Value:
        """The value of a formula; a recalculated one that is blank is empty text."""
        value = self.book.known.values.get((self.name, row, column))
        if value is None:
            return "" if self.book.known.values else 0
        return value

    def _put(self, row: int, column: int, look: object) -> None:
        value = self.book.known.values.get((self.name, row, column))
        if value is None:
            self.sheet.write_blank(row, column, None, look)
        elif isinstance(value, str):
            self.sheet.write_string(row, column, value, look)
        elif isinstance(value, bool):
            self.sheet.write_boolean(row, column, value, look)
        else:
            self.sheet.write_number(row, column, value, look)

    # --- marks ---------------------------------------------------------------------------

    def mark_problems(self, last_row: int, last_column: int) -> str:
        """Red for problem texts on this page; the formula that counts them."""
        area = (SECTION, 1, last_row, last_column)
        self.sheet.conditional_format(*area, {
            "type": "text", "criteria": "begins with", "value": "#PORTBAL",
            "format": self.book.styles.mark("bad"),
        })
        return f'COUNTIF({self.range(*area)},"#PORTBAL*")'

    def break_before(self, *rows: int) -> None:
        """Printed pages as wide as the sheet that begin with these rows."""
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_h_pagebreaks(list(rows))

    def mark_text(self, area: tuple[int, int, int, int], text: str, mark: str) -> None:
        self.sheet.conditional_format(*area, {
            "type": "cell", "criteria": "==", "value": f'"{text}"',
            "format": self.book.styles.mark(mark),
        })
