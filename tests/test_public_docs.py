"""Every public name explains itself, in the library and to the people who type formulas."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from portbal_addin.registry import Function, functions

LIBRARY = Path(__file__).parent.parent / "portbal"


@pytest.mark.parametrize(
    "path", sorted(LIBRARY.rglob("*.py"), key=str), ids=lambda path: str(path.relative_to(LIBRARY))
)
def test_public_names_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says nothing"
    silent = [
        node.name for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize("function", functions().values(), ids=lambda function: function.name)
def test_help_is_made_of_sentences(function: Function) -> None:
    """A wizard shows these texts alone, with nothing around them."""
    for text in [function.summary, *(argument.help for argument in function.arguments)]:
        assert text[0] == text[0].upper(), text
        assert text.endswith("."), text
    assert function.result.accepts
    assert all(argument.kind.accepts for argument in function.arguments)
