"""What can go wrong in a way that the author of a sheet can cure.

``UserError`` is the only exception a caller is meant to catch::

    UserError
      InputError     an argument is not what it has to be
      ConflictError  each argument is fine, together they have no answer
      NotAvailable   the request is understood and cannot be served here

Anything else that escapes from portbal is a bug.
"""

from __future__ import annotations


class UserError(Exception):
    """A problem with its place and its cure.

    problem   what was found, without a full stop
    fix       what to do, a full sentence
    argument  the argument at fault, by its public name
    row       a label found in the argument, or a 1-based row of the range
    column    a label found in the argument, or a 1-based column of the range
    """

    def __init__(
        self,
        problem: str,
        *,
        fix: str,
        argument: str | None = None,
        row: object = None,
        column: object = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix
        self.argument = argument
        self.row = row
        self.column = column

    def __str__(self) -> str:
        where = f"{self.argument}: " if self.argument else ""
        return f"{where}{self.problem}. {self.fix}"


class InputError(UserError):
    """An argument is missing, malformed, or names something unknown."""


class ConflictError(UserError):
    """The arguments are well formed, and no answer satisfies them all."""


class NotAvailable(UserError):
    """The question is clear, and this function or place cannot answer it."""
