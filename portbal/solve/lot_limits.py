"""The best trades in whole lots under limits that are no sums over the assets.

A curved limit (volatility, tracking error, CVaR, ...) is kept by half-spaces: where the best trades
break it, the half-space that cuts them off joins the rows (outer approximation; Duran and Grossmann
1986, An outer-approximation algorithm for a class of mixed-integer nonlinear programs).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from portbal.solve import Unproven
from portbal.solve.discrete import Issuers
from portbal.solve.expressions import Expression
from portbal.solve.lot_program import solved
from portbal.solve.lot_search import Found, best_trades
from portbal.solve.lots import Row, Trading, pieces_of
from portbal.solve.tangents import half_space

_MOST_CUTS = 200
_SLACK = 1e-10  # of a curved limit, for the rounding of its value


@dataclass(frozen=True)
class Curve:
    """low <= expression <= high over the weights after trading (n + 1,), cash last; the side on
    which the expression bends the wrong way is infinite."""

    expression: Expression
    low: float
    high: float

    def excess(self, weights: np.ndarray) -> float:
        """How far the value lies outside its bounds; negative inside."""
        value = self.expression.value(weights)
        return max(self.low - value, value - self.high)

    def cut(self, weights: np.ndarray) -> Row:
        """The half-space at these weights."""
        slope, low, high = half_space(self.expression, weights, self.low, self.high)
        none = np.zeros(len(slope) - 1)
        return Row(slope[:-1], none, none, float(slope[-1]), low, high)


def best_trades_within(
    case: Trading, curves: tuple[Curve, ...] = (), issuers: Issuers | None = None
) -> Found:
    """The best permitted trades that keep the curves, and UCITS 5/10/40 over issuers (groups
    (g, n)) as well. With issuers ties are left to HiGHS.

    Infeasible when nothing is permitted; Unproven when nothing was found in time.
    """
    wanted = np.append(case.target, case.cash_target)
    cuts = [curve.cut(wanted) for curve in curves]
    for _ in range(_MOST_CUTS):
        found = _best(replace(case, rows=(*case.rows, *cuts)), issuers)
        after = np.append(case.held_after(found.trade), case.cash_after(found.trade))
        broken = [curve for curve in curves if curve.excess(after) > _SLACK]
        if not broken:
            return found
        cuts += [curve.cut(after) for curve in broken]
    raise Unproven


def _best(case: Trading, issuers: Issuers | None) -> Found:
    if issuers is None:
        return best_trades(case)
    rest = solved(case, pieces_of(case), issuers)
    if rest.trade is None:
        raise Unproven
    found = Found.of(case, rest.trade)
    return replace(found, bound=min(rest.bound, found.objective))
