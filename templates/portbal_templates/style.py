"""How a cell looks says what it is: input, formula, portbal result, heading or note."""

from __future__ import annotations

from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format

NAVY, BLUE, ORANGE, GREEN, GREY, LIGHT = (
    "#1F3864", "#2E75B6", "#ED7D31", "#2F9E6E", "#7F7F7F", "#D9D9D9",
)

PERCENT = "0.0%"
PERCENT2 = "0.00%"
SIGNED = "+0.0%;-0.0%;0.0%"
NUMBER = "0.00"
FINE = "0.0000"
PRICE = "#,##0.00"
WHOLE = "#,##0"
SIGNED_WHOLE = "+#,##0;-#,##0;0"
DATE = "yyyy-mm-dd"
TEXT = "@"
GENERAL = "General"

FONT = "Calibri"
INPUT_TAB, OUTPUT_TAB = "#F2C94C", "#2E75B6"

_BASE: dict[str, Any] = {"font_name": FONT, "font_size": 10, "valign": "vcenter"}

_STYLES: dict[str, dict[str, Any]] = {
    "plain": {},
    "band": {"bg_color": NAVY, "font_color": "#FFFFFF"},
    "title": {"bg_color": NAVY, "font_color": "#FFFFFF", "bold": True, "font_size": 18},
    "to start": {"font_color": "#1F4FD8", "underline": 1, "align": "right"},
    "about": {"font_color": "#404040", "font_size": 11},
    "source": {"font_color": GREY, "font_size": 9},
    "note": {"font_color": "#404040", "text_wrap": True},
    "section": {"bold": True, "font_size": 12, "font_color": NAVY, "bottom": 2,
                "bottom_color": NAVY},
    "section rule": {"bottom": 2, "bottom_color": NAVY, "font_color": GREY, "italic": True,
                     "font_size": 9},
    "unit": {"font_color": GREY, "italic": True, "font_size": 9, "align": "right"},
    "unit left": {"font_color": GREY, "italic": True, "font_size": 9},
    "header": {"bold": True, "bg_color": "#DCE6F1", "font_color": NAVY, "align": "right",
               "bottom": 1, "bottom_color": NAVY},
    "header left": {"bold": True, "bg_color": "#DCE6F1", "font_color": NAVY, "bottom": 1,
                    "bottom_color": NAVY},
    "header text": {"bold": True, "bg_color": "#DCE6F1", "font_color": NAVY, "bottom": 1,
                    "bottom_color": NAVY, "indent": 1},
    "input": {"bg_color": "#FFF8DC", "font_color": "#1F4FD8", "border": 1,
              "border_color": "#E3D9B0", "locked": False},
    "formula": {"bg_color": "#F2F2F2", "bottom": 1, "bottom_color": LIGHT},
    "output": {"bottom": 1, "bottom_color": LIGHT},
    "output left": {"bottom": 1, "bottom_color": LIGHT},
    "output text": {"bottom": 1, "bottom_color": LIGHT, "indent": 1},
    "input text": {"bg_color": "#FFF8DC", "font_color": "#1F4FD8", "border": 1,
                   "border_color": "#E3D9B0", "locked": False, "indent": 1},
    "room": {},
    "label": {"bottom": 1, "bottom_color": LIGHT},
    "problem": {"bg_color": "#FDE9E7", "font_color": "#C00000", "bold": True},
    "link": {"font_color": "#1F4FD8", "underline": 1, "bottom": 1, "bottom_color": LIGHT},
}

# Conditional formats, added on top of a cell's own look.
_MARKS: dict[str, dict[str, Any]] = {
    "good": {"bg_color": "#E2F3EA", "font_color": "#1E6B49"},
    "near": {"bg_color": "#FFF0D5", "font_color": "#8A5A00"},
    "bad": {"bg_color": "#FDE9E7", "font_color": "#C00000", "bold": True},
}


class Styles:
    """The formats of one workbook; each combination is made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple[str, str, str], Format] = {}

    def get(self, style: str, number: str = GENERAL, align: str = "") -> Format:
        key = (style, number, align)
        if key not in self._made:
            look = {**_BASE, **_STYLES[style], "num_format": number}
            if align:
                look["align"] = align
            self._made[key] = self._workbook.add_format(look)
        return self._made[key]

    def mark(self, name: str) -> Format:
        key = ("mark", name, "")
        if key not in self._made:
            self._made[key] = self._workbook.add_format(_MARKS[name])
        return self._made[key]
