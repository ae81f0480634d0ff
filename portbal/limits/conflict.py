"""Why no portfolio is permitted: the limits that cannot hold together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portbal import labels
from portbal.errors import ConflictError
from portbal.limits.mandate import Mandate
from portbal.solve import Infeasible


def is_feasible(permitted: Mandate) -> bool:
    """Whether any weights satisfy all hard limits."""
    program = permitted.program()
    program.minimise(np.zeros(permitted.facts.size))
    try:
        program.solve()
    except Infeasible:
        return False
    return True


def explain(permitted: Mandate) -> ConflictError:
    """The error for a mandate without a solution: it names an irreducible set of rows.

    Rows are taken away one at a time; those whose absence leaves the conflict in place are
    not part of it (deletion filter, Chinneck and Dravnieks 1991).
    """
    if permitted.discrete is not None and is_feasible(replace(permitted, discrete=None)):
        return ConflictError(
            "the rules on holdings and issuers cannot hold beside the other limits",
            fix="Permit more holdings, smaller ones, or more issuers.", argument="limits")
    rows = permitted.rows
    for limit in rows:
        fewer = replace(permitted, rows=tuple(r for r in rows if r is not limit))
        if len(rows) and not is_feasible(fewer):
            permitted, rows = fewer, fewer.rows
    low, high = permitted.lower.sum(), permitted.upper.sum()
    budget = permitted.budget
    if not rows:
        found = f"at least {low:.4g}" if budget is not None and low > budget else (
            f"at most {high:.4g}")
        return ConflictError(
            f"the weights must sum to {budget:.4g}, and the limits on single assets let them sum "
            f"to {found}", fix="Loosen the Min or Max of some assets.", argument="limits",
        )
    names = " and ".join(
        f"{labels.shorten(limit.name)} (row {limit.row})" for limit in rows[:4])
    more = f" and {len(rows) - 4} more" if len(rows) > 4 else ""
    if len(rows) == 1:
        return ConflictError(
            f"{names} cannot hold beside the limits on single assets and the sum of weights",
            fix="Loosen it.", argument="limits", row=rows[0].row,
        )
    return ConflictError(
        f"{names}{more} cannot hold together", fix="Loosen one of them.", argument="limits",
        row=rows[0].row,
    )
