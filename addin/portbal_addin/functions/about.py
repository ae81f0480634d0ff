"""What portbal is and what it can do."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

import portbal
from portbal_addin import registry
from portbal_addin.block import Block, is_problem
from portbal_addin.codecs.labelled import frame_result
from portbal_addin.codecs.scalars import ANYTHING, TEXT, TRUTH
from portbal_addin.registry import function


@function("VERSION", group="About")
def version() -> Annotated[str, TEXT]:
    """The version of portbal that answers.

    >>> PORTBAL.VERSION()
    "0.1.0"
    """
    return portbal.__version__


@function("FUNCTIONS", group="About")
def functions() -> Annotated[pd.DataFrame, frame_result("Name", "Group", "What it does",
                                                        "Arguments")]:
    """Every portbal function with its group, its purpose and its arguments.

    >>> PORTBAL.FUNCTIONS()
    {"Name","Group","What it does","Arguments";...}
    """
    return pd.DataFrame(
        [(f.name, f.group, f.summary, f.signature) for f in registry.functions().values()],
        columns=["Name", "Group", "What it does", "Arguments"],
    )


@function("PROBLEM", group="About")
def problem(
    range: Annotated[Block, ANYTHING, "The cells to look at."],
) -> Annotated[bool, TRUTH]:
    """TRUE if the range holds a portbal problem, else FALSE.

    >>> PORTBAL.PROBLEM({"#PORTBAL VAR: returns: it is empty. Give returns.";1})
    TRUE
    """
    return range.first_text_that(is_problem) is not None
