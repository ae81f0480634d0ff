"""A second opinion on weights: their limits, and the objective solved again by others.

PyPortfolioOpt poses a box, a sum of 1 and linear limits; cvxpy poses every other convex
limit. Both formulations are built here from the limits' expressions anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from portbal import labels, objectives
from portbal.errors import NotAvailable
from portbal.limits.check import TOLERANCE
from portbal.limits.mandate import Mandate, mandate
from portbal.limits.measures import Facts
from portbal.objectives import Data, Objective
from portbal.optimize import trading_cost, utility_of, weighs_costs
from portbal.result import Noted
from portbal.routes import Setting
from portbal.solve.expressions import (
    AbsoluteSum,
    CappedSum,
    EffectiveNumber,
    Expression,
    LargestSum,
    Linear,
    Norm,
    ShortSum,
    TailMean,
    tail_mean,
)

COLUMNS = ["Check", "Value", "Status"]
AGREES = 1e-6  # relative difference of objectives that is none


def verify(
    weights: pd.Series, objective: str, mu: pd.Series | None = None,
    cov: pd.DataFrame | None = None, limits: pd.DataFrame | None = None,
    assets: pd.DataFrame | None = None, returns: pd.DataFrame | None = None,
    periods: float | None = None,
) -> Noted[pd.DataFrame]:
    """Columns Check, Value, Status.

    The weights' objective and worst headroom; the optimum as portbal proves it, with its
    residual and gap; the optimum as PyPortfolioOpt or cvxpy finds it. With a target also how
    far the weights keep within it. Status is ok, differs
    (by more than 1e-6 relative), breach, or why a check could not be made.
    """
    wanted = objectives.parse(objective)
    setting = Setting(limits, assets, returns, periods)
    data = Data(mu, cov, setting)
    index = _universe(wanted, data)
    facts = Facts.gather(index, assets, mu, cov, returns, periods, reference="the objective's data")
    permitted = mandate(facts, limits, soft_allowed=wanted.kind == "max utility")
    held = labels.filled(weights, index, argument="weights", reference="the objective's data")
    score = score_of(wanted, permitted)
    given = score(held.to_numpy())
    budget, total = permitted.budget, float(held.sum())
    off = 0.0 if budget is None else -abs(total - budget)
    rows: list[tuple[str, float, str]] = [
        ("Sum of weights", total, _within(off)),
        _checked("Worst headroom of a limit", _headroom(permitted, held.to_numpy())),
        *_to_target(wanted, facts, held.to_numpy()),
        ("Objective of the weights", given, "ok"),
    ]
    best, proof = wanted.answer(data)
    ours = score(best.to_numpy())
    rows.append(("Objective, proved optimum", ours, _agreement(given, ours)))
    rows += [(f"Optimality: {name}", value, "ok" if value <= 1e-8 else "differs")
             for name, value in proof.items() if name in ("residual", "gap")]
    for name, solve in (("PyPortfolioOpt", _by_pypfopt), ("cvxpy", _by_cvxpy)):
        try:
            other = score(solve(wanted, permitted))
        except NotAvailable as reason:
            rows.append((f"Objective, solved by {name}", np.nan, reason.problem))
        else:
            rows.append((f"Objective, solved by {name}", other, _agreement(other, ours)))
    return Noted(pd.DataFrame(rows, columns=COLUMNS))


def _universe(wanted: Objective, data: Data) -> pd.Index:
    if wanted.kind == "min cvar":
        return data.need_returns().columns
    if data.mu is not None:
        return data.mu.index
    return data.need_cov().index


def _agreement(value: float, best: float) -> str:
    return "ok" if abs(value - best) <= AGREES * max(1e-3, abs(best)) else "differs"


def _within(headroom: float) -> str:
    return "ok" if headroom >= -TOLERANCE else "breach"


def _checked(name: str, headroom: float) -> tuple[str, float, str]:
    return name, headroom, _within(headroom)


def _to_target(
    wanted: Objective, facts: Facts, weights: np.ndarray
) -> list[tuple[str, float, str]]:
    """A row where the objective has a target: how far within it the weights (n,) are."""
    if wanted.kind == "target return":
        headroom = float(facts.need("mu", facts.mu) @ weights) - wanted.parameter
    elif wanted.kind == "target volatility":
        headroom = wanted.parameter - float(np.linalg.norm(facts.root @ weights))
    else:
        return []
    return [_checked("Headroom to the target", headroom)]


def score_of(wanted: Objective, permitted: Mandate) -> Callable[[np.ndarray], float]:
    """What the objective measures of weights (n,)."""
    facts, x = permitted.facts, wanted.parameter

    def volatility(w: np.ndarray) -> float:
        return float(np.sqrt(max(w @ facts.need("cov", facts.cov) @ w, 0.0)))

    def gained(w: np.ndarray) -> float:
        return float(facts.need("mu", facts.mu) @ w)

    table: dict[str, Callable[[np.ndarray], float]] = {
        "min volatility": volatility,
        "target return": volatility,
        "max return": gained,
        "target volatility": gained,
        "max sharpe": lambda w: (gained(w) - x * w.sum()) / volatility(w),
        "max utility": lambda w: utility_of(permitted, w, x),
        "min cvar": lambda w: tail_mean(-facts.need("returns", facts.returns) @ w, x),
    }
    found = table.get(wanted.kind)
    if found is None:
        raise NotAvailable(f"'{wanted.kind}' optimises nothing that could be solved again",
                           fix="Use it with an objective such as min volatility.",
                           argument="objective")
    return found


def _headroom(permitted: Mandate, weights: np.ndarray) -> float:
    """The least distance to a bound, negative in a breach."""
    distances = [np.min(weights - permitted.lower), np.min(permitted.upper - weights)]
    if permitted.budget is not None:
        distances.append(TOLERANCE / 2 - abs(weights.sum() - permitted.budget))
    for limit in permitted.rows:
        value = limit.express(permitted.facts).value(weights)
        distances += [value - limit.low, limit.high - value]
    if permitted.discrete is not None:
        distances += permitted.discrete.distances(weights)
    return float(min(distances))


# --- PyPortfolioOpt ------------------------------------------------------------------------

def _by_pypfopt(wanted: Objective, permitted: Mandate) -> np.ndarray:
    rows = permitted.expressions
    if permitted.budget != 1 or permitted.soft or permitted.discrete or not all(
        isinstance(expression, Linear) for expression in rows
    ):
        raise NotAvailable("not posed: it takes a box, a sum of 1 and linear limits", fix="-")
    if wanted.kind == "max return":
        raise NotAvailable("not posed: it has no such objective", fix="-")
    if wanted.kind == "max utility" and weighs_costs(permitted.facts):
        raise NotAvailable("not posed: a Cost column is beyond it", fix="-")
    from pypfopt import EfficientCVaR, EfficientFrontier, exceptions

    facts = permitted.facts
    most = 1 - (permitted.lower.sum() - permitted.lower)  # what the others' floors leave
    bounds = list(zip(permitted.lower, np.minimum(permitted.upper, most), strict=True))
    x = wanted.parameter
    tight = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    if wanted.kind == "min cvar":
        model = EfficientCVaR(None, pd.DataFrame(facts.returns), beta=x, weight_bounds=bounds,
                              solver="CLARABEL", solver_options=tight)
    else:
        model = EfficientFrontier(facts.mu, facts.cov, weight_bounds=bounds, solver="CLARABEL",
                                  solver_options=tight)
    for limit, expression in zip(permitted.rows, rows, strict=True):
        assert isinstance(expression, Linear)
        a, b = expression.coefficients, expression.constant
        if np.isfinite(limit.high):
            model.add_constraint(lambda w, a=a, most=limit.high - b: a @ w <= most)
        if np.isfinite(limit.low):
            model.add_constraint(lambda w, a=a, least=limit.low - b: a @ w >= least)
    solve: dict[str, Callable[[], Any]] = {
        "min volatility": lambda: model.min_volatility(),
        "max sharpe": lambda: model.max_sharpe(risk_free_rate=x),
        "target return": lambda: model.efficient_return(target_return=x),
        "target volatility": lambda: model.efficient_risk(target_volatility=x),
        "max utility": lambda: model.max_quadratic_utility(risk_aversion=x),
        "min cvar": lambda: model.min_cvar(),
    }
    try:
        weights = solve[wanted.kind]()
    except (exceptions.OptimizationError, ValueError) as error:
        raise NotAvailable(f"it found no answer: {' '.join(str(error).split())[:80]}",
                           fix="-") from None
    return np.array(list(weights.values()), dtype=float)


# --- cvxpy ---------------------------------------------------------------------------------

def _by_cvxpy(wanted: Objective, permitted: Mandate) -> np.ndarray:
    if permitted.discrete:
        raise NotAvailable("not posed: rules on holdings and issuers are beyond it", fix="-")
    import cvxpy as cp

    facts, x = permitted.facts, wanted.parameter
    n = facts.size
    w = cp.Variable(n)
    if wanted.kind == "max sharpe":
        return _ratio_by_cvxpy(permitted, x)
    constraints = _posed(permitted, w, 1.0)

    def volatility() -> Any:
        return cp.norm(facts.root @ w)

    objective: dict[str, Callable[[], Any]] = {
        "min volatility": lambda: cp.Minimize(volatility()),
        "target return": lambda: cp.Minimize(volatility()),
        "max return": lambda: cp.Maximize(facts.need("mu", facts.mu) @ w),
        "target volatility": lambda: cp.Maximize(facts.need("mu", facts.mu) @ w),
        "max utility": lambda: cp.Maximize(
            facts.need("mu", facts.mu) @ w - x / 2 * cp.sum_squares(facts.root @ w)
            - _extra_cost(permitted, w)),
        "min cvar": lambda: cp.Minimize(
            _cvx(TailMean(facts.need("returns", facts.returns), x), w, 1.0)),
    }
    if wanted.kind == "target return":
        constraints.append(facts.need("mu", facts.mu) @ w >= x)
    if wanted.kind == "target volatility":
        constraints.append(volatility() <= x)
    return _solved(cp.Problem(objective[wanted.kind](), constraints), w)


def _extra_cost(permitted: Mandate, w: Any) -> Any:
    """What penalties and trading take away from the utility."""
    import cvxpy as cp

    facts, cost = permitted.facts, 0.0
    if weighs_costs(facts):
        cost += _cvx(trading_cost(facts), w, 1.0)
    for limit in permitted.soft:
        value, price = _cvx(limit.posed(facts), w, 1.0), limit.penalty or 0.0
        if np.isfinite(limit.high):
            cost += price * cp.pos(value - limit.high)
        if np.isfinite(limit.low):
            cost += price * cp.pos(limit.low - value)
    return cost


def _ratio_by_cvxpy(permitted: Mandate, riskfree: float) -> np.ndarray:
    import cvxpy as cp

    facts = permitted.facts
    y, kappa = cp.Variable(facts.size), cp.Variable(nonneg=True)
    constraints = [*_posed(permitted, y, kappa),
                   (facts.need("mu", facts.mu) - riskfree) @ y == 1]
    weights = _solved(cp.Problem(cp.Minimize(cp.norm(facts.root @ y)), constraints), y)
    return np.asarray(weights / kappa.value, dtype=float)


def _solved(problem: Any, variable: Any) -> np.ndarray:
    import warnings

    import cvxpy as cp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            problem.solve(solver="CLARABEL", tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9)
        except cp.error.SolverError as error:
            raise NotAvailable(f"it found no answer: {str(error)[:80]}", fix="-") from None
    if variable.value is None:
        raise NotAvailable(f"it found no answer ({problem.status})", fix="-")
    return np.asarray(variable.value, dtype=float)


def _posed(permitted: Mandate, w: Any, unit: Any) -> list[Any]:
    """The mandate on w, with every constant times ``unit``."""
    import cvxpy as cp

    low, high = np.isfinite(permitted.lower), np.isfinite(permitted.upper)
    result: list[Any] = []
    if low.any():
        result.append(w[low] >= permitted.lower[low] * unit)
    if high.any():
        result.append(w[high] <= permitted.upper[high] * unit)
    if permitted.budget is not None:
        result.append(cp.sum(w) == permitted.budget * unit)
    for limit, expression in zip(permitted.rows, permitted.expressions, strict=True):
        if isinstance(expression, EffectiveNumber):
            if limit.low <= 0:
                continue
            inside = w[np.flatnonzero(expression.mask)]
            result.append(cp.norm(inside) <= unit / np.sqrt(limit.low))
            continue
        value = _cvx(expression, w, unit)
        if np.isfinite(limit.high):
            result.append(value <= limit.high * unit)
        if np.isfinite(limit.low):
            result.append(value >= limit.low * unit)
    return result


def _cvx(expression: Expression, w: Any, unit: Any) -> Any:
    """The expression in cvxpy, homogeneous of degree one in w and unit."""
    import cvxpy as cp

    if isinstance(expression, Linear):
        return expression.coefficients @ w + expression.constant * unit
    if isinstance(expression, Norm):
        return cp.norm(expression.root @ w - (expression.root @ expression.centre) * unit)
    if isinstance(expression, AbsoluteSum):
        return expression.price @ cp.abs(w - expression.centre * unit)
    if isinstance(expression, ShortSum):
        return expression.price @ cp.neg(w)
    if isinstance(expression, TailMean):
        quantile = cp.Variable()
        tail = (1 - expression.level) * len(expression.scenarios)
        return quantile + cp.sum(cp.pos(-expression.scenarios @ w - quantile)) / tail
    if isinstance(expression, LargestSum):
        inside = w[np.flatnonzero(expression.mask)]
        few = expression.count < expression.mask.sum()
        return cp.sum_largest(inside, expression.count) if few else cp.sum(inside)
    if isinstance(expression, CappedSum):
        capped = np.isfinite(expression.cap)
        return cp.sum(w[~capped]) + cp.sum(cp.minimum(w[capped], expression.cap[capped] * unit))
    raise NotAvailable(f"not posed: {type(expression).__name__}", fix="-")
