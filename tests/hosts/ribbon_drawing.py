"""A drawing of the ribbon tab: python tests/hosts/ribbon_drawing.py docs/images/ribbon.svg

It shows groups, labels and order as customUI14.xml has them. Office's own pictures are not drawn.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from xml.sax.saxutils import escape

from portbal_addin.macros.commands import GROUPS, commands

BUTTON, HEIGHT, GAP = 78, 118, 10


def drawing() -> str:
    """The SVG text."""
    parts: list[str] = []
    left = GAP
    for group in GROUPS:
        members = [c for c in commands().values() if c.group == group]
        if not members:
            continue
        width = BUTTON * len(members)
        for at, command in enumerate(members):
            middle = left + BUTTON * at + BUTTON / 2
            parts.append(f'<rect x="{middle - 14}" y="38" width="28" height="28" rx="4" '
                         'fill="#dbe5f1" stroke="#1f3a5f"/>')
            for row, line in enumerate(textwrap.wrap(command.label, 11)):
                parts.append(f'<text x="{middle}" y="{82 + 13 * row}">{escape(line)}</text>')
        parts.append(f'<text x="{left + width / 2}" y="{HEIGHT}" fill="#666">{escape(group)}'
                     "</text>")
        left += width + GAP
        parts.append(f'<line x1="{left - GAP / 2}" y1="34" x2="{left - GAP / 2}" '
                     f'y2="{HEIGHT + 2}" stroke="#ccc"/>')
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left} {HEIGHT + 10}" '
            f'width="{left}" height="{HEIGHT + 10}" font-size="11" text-anchor="middle" '
            'font-family="Segoe UI, DejaVu Sans, sans-serif">')
    back = [f'<rect width="{left}" height="{HEIGHT + 10}" fill="#f5f5f5"/>',
            '<text x="46" y="20" font-size="13" fill="#1f3a5f" font-weight="bold">Portfolio'
            "</text>", '<rect x="12" y="25" width="68" height="2" fill="#1f3a5f"/>']
    return "\n".join([head, *back, *parts, "</svg>", ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawing(), encoding="utf-8", newline="\n")
