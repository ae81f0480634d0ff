"""The VBA functions that Excel's cells call, one a formula, and their texts in its wizard.

A function hands its arguments to portbal_udfs through xlwings. Its VB_Description is what the
wizard shows of a function; the help of its arguments can only be told when the file is opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from portbal_addin.registry import Function, functions

UDFS = "portbal_udfs"
CATEGORY = "portbal"
PREFIX = "PORTBAL_"
_PLACE = "CallerPlace"


def formulas_module(*, addin: bool) -> str:
    """Module PortbalFormulas. An add-in works for the workbook in front, others for themselves."""
    book = "ActiveWorkbook" if addin else "ThisWorkbook"
    head = "\n".join((
        'Attribute VB_Name = "PortbalFormulas"', "Option Explicit", "",
        "' The cell that calls, with book and sheet, so that its notes can be listed; empty when",
        "' no cell does.",
        f"Private Function {_PLACE}() As String", "    On Error Resume Next",
        f"    {_PLACE} = Application.Caller.Address(External:=True)", "End Function", "",
    ))
    return "\n".join([head, *(_wrapper(f, book) for f in functions().values())])


def _wrapper(function: Function, book: str) -> str:
    name = f"{PREFIX}{function.name}"
    arguments = [a.name for a in function.arguments]
    given = ", ".join([*arguments, f"{_PLACE}()"])
    taken = ", ".join(f"Optional {a}" for a in arguments)
    return "\n".join((
        f"Public Function {name}({taken})",
        f"Attribute {name}.VB_Description = {_text(function.summary)}",
        "    On Error GoTo failed",
        f"    {name} = XLPy.CallUDF({_text(UDFS)}, {_text(name)}, _",
        f"        Array({given}), {book}, Application.Caller)",
        "    Exit Function",
        "failed:",
        f"    {name} = FailureText({_text(function.name)}, Err.Description)",
        "End Function",
        "",
    ))


def wizard_module() -> str:
    """Module PortbalWizard, whose DescribeFunctions tells Excel all texts."""
    groups: dict[str, list[Function]] = {}
    for function in functions().values():
        groups.setdefault(function.group, []).append(function)
    calls = [f"    {_procedure(group)}" for group in groups]
    parts = ["\n".join((
        'Attribute VB_Name = "PortbalWizard"', "Option Explicit", "",
        "' True once Excel has taken the descriptions of all functions.",
        "Public Function DescribeFunctions() As Boolean",
        "    On Error GoTo failed", *calls, "    DescribeFunctions = True", "failed:",
        "End Function", "",
        "Private Sub Describe(ByVal formula As String, ByVal summary As String, _",
        "        Optional ByVal helps As Variant)",
        "    Dim place As String",
        f'    place = "\'" & ThisWorkbook.Name & "\'!{PREFIX}" & formula',
        "    If IsMissing(helps) Then",
        f"        Application.MacroOptions Macro:=place, Description:=summary, "
        f"Category:={_text(CATEGORY)}",
        "    Else",
        f"        Application.MacroOptions Macro:=place, Description:=summary, "
        f"Category:={_text(CATEGORY)}, _",
        "            ArgumentDescriptions:=helps",
        "    End If", "End Sub", "",
    ))]
    parts += [_described(group, members) for group, members in groups.items()]
    return "\n".join(parts)


def _described(group: str, members: Iterable[Function]) -> str:
    lines = [f"Private Sub {_procedure(group)}()"]
    for function in members:
        start = f"    Describe {_text(function.name)}, {_text(function.summary)}"
        helps = [_text(a.help) for a in function.arguments]
        if not helps:
            lines.append(start)
            continue
        lines.append(f"{start}, Array( _")
        lines += [f"        {help_}, _" for help_ in helps[:-1]]
        lines.append(f"        {helps[-1]})")
    return "\n".join([*lines, "End Sub", ""])


def _procedure(group: str) -> str:
    """``Describe`` and the group's name without spaces."""
    return "Describe" + "".join(word.capitalize() for word in group.split())


def _text(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'
