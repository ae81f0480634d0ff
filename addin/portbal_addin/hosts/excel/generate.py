"""Write portbal_udfs, one plain function a formula (``make udfs``).

xlwings shows a function's docstring and the ``doc`` of its arguments in Excel's function wizard.
Every argument is optional to Excel, so that a missing one is answered by portbal and not by
#VALUE!.
"""

from __future__ import annotations

import json
from pathlib import Path

from portbal_addin.registry import Function, functions

PLACE = "portbal_place"  # which cell calls; no argument's name has an underscore
TARGET = Path(__file__).parents[3] / "portbal_udfs" / "__init__.py"

_HEAD = '''"""The portbal formulas as Excel's UDF server (xlwings) imports them.

Generated from the registry by portbal_addin.hosts.excel.generate; not edited by hand.
"""
# ruff: noqa: E501, N802

import xlwings as xw

from portbal_addin.hosts.excel.binding import answer
from portbal_addin.hosts.excel.cells import Cells
'''


def source() -> str:
    """The module's text."""
    return "\n\n".join([_HEAD, *map(_wrapper, functions().values())])


def _wrapper(function: Function) -> str:
    names = [argument.name for argument in function.arguments]
    lines = ['@xw.func(category="portbal")']
    lines += [f"@xw.arg({_text(a.name)}, Cells, doc={_text(a.help)})" for a in function.arguments]
    lines += [
        f'@xw.arg("{PLACE}", vba="CallerPlace()")',
        "@xw.ret(Cells)",
        f"def PORTBAL_{function.name}({', '.join(f'{name}=None' for name in (*names, PLACE))}):",
        f"    {_text(function.summary)}",
        f"    return answer({', '.join([_text(function.name), *names])}, {PLACE}={PLACE})",
    ]
    return "\n".join(lines) + "\n"


def _text(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def main() -> None:
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(source(), encoding="utf-8", newline="\n")
    print(f"wrote {len(functions())} functions to {TARGET}")


if __name__ == "__main__":
    main()
