"""Why the weights are what they are: which limits bind, and what each costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels, objectives
from portbal.errors import NotAvailable
from portbal.limits.conflict import explain as conflict
from portbal.limits.mandate import Mandate, mandate
from portbal.limits.measures import Facts
from portbal.limits.sides import Side, sides_of
from portbal.objectives import Objective
from portbal.optimize import penalised, trading_cost, utility_of, weighs_costs
from portbal.result import Noted
from portbal.routes import charged, proved
from portbal.solve import Infeasible
from portbal.solve.cone import Program, Rows
from portbal.solve.expressions import Linear, Norm, TailMean

COLUMNS = ["Limit", "Value", "Bound", "Binding", "Shadow price", "Meaning"]
_BINDS = 1e-6
_NOTHING = 1e-9


@dataclass(frozen=True)
class _Posed:
    """How an objective is minimised, and what a unit of the minimum is worth in its own terms.

    word      what the objective measures
    better    whether more of it is wanted
    add       puts it into a program
    value     of weights (n,)
    worth     its change per unit of the minimum, at the optimal value
    excess    for a ratio: what is earned above riskfree (n,), maximised by homogenising
    """

    word: str
    better: bool
    add: Callable[[Program], None]
    value: Callable[[np.ndarray], float]
    worth: Callable[[float], float]
    excess: np.ndarray | None = None


def explain(
    weights: pd.Series, objective: str, mu: pd.Series | None = None,
    cov: pd.DataFrame | None = None, limits: pd.DataFrame | None = None,
    assets: pd.DataFrame | None = None, returns: pd.DataFrame | None = None,
    periods: float | None = None,
) -> Noted[pd.DataFrame]:
    """Columns Limit, Value, Bound, Binding, Shadow price, Meaning: one row a bound.

    Value is that of the weights given. Shadow price is how much the objective at its optimum
    would gain for each unit by which the bound is loosened (a Lagrange multiplier, in the
    objective's own terms: volatility a year, return a year, ratio, CVaR a period). Limits with a
    Penalty follow the firm ones where the objective is utility. Notes say so when the weights are
    not the optimum, what a target costs, and what each asset adds to the volatility.
    """
    wanted = objectives.parse(objective)
    facts, held = _gathered(weights, mu, cov, assets, returns, periods)
    permitted = mandate(facts, limits, soft_allowed=wanted.kind == "max utility")
    posed = sides_of(facts, limits)
    if posed.discrete:
        raise NotAvailable(
            f"{labels.shorten(posed.discrete[0].name)} has no shadow price: it is decided by "
            "branching", fix="Remove the row to see the prices of the others.",
            argument="limits", row=posed.discrete[0].row,
        )
    aim = _aim(wanted, permitted)
    program = posed.structure()
    target = _target(wanted, facts, program)
    listed = [(side, side.add(program)) for side in posed.sides]
    if permitted.soft:
        listed += [
            (Side(limit, kind, limit.high if kind == "Max" else limit.low, limit.express(facts)),
             place) for limit, kind, place in penalised(program, permitted)]
    try:
        with proved():
            duals, best, scale = _solved(program, aim)
    except Infeasible:
        raise conflict(permitted) from None

    def price_at(place: int) -> float:
        price = max(float(duals[place][0]) * aim.worth(best) * scale, 0.0)
        return 0.0 if price < _NOTHING else price

    rows = []
    for side, place in listed:
        value = side.expression.value(held)
        price = price_at(place) * side.slope
        binds = abs(value - side.bound) <= _BINDS
        rows.append((side.limit.name, value, side.bound, "yes" if binds else "no", price,
                     _meaning(side, value, binds, price, aim)))
    notes = _notes(held, facts, aim, best)
    if target is not None:
        notes = (*notes, _target_costs(wanted, price_at(target), aim))
    return Noted(pd.DataFrame(rows, columns=COLUMNS), notes=notes)


def _gathered(
    weights: pd.Series, mu: pd.Series | None, cov: pd.DataFrame | None,
    assets: pd.DataFrame | None, returns: pd.DataFrame | None, periods: float | None,
) -> tuple[Facts, np.ndarray]:
    reference, index = next((name, index) for name, index in (
        ("mu", None if mu is None else mu.index), ("cov", None if cov is None else cov.index),
        ("returns", None if returns is None else returns.columns), ("weights", weights.index),
    ) if index is not None)
    facts = Facts.gather(index, assets, mu, cov, returns, periods, reference=reference)
    held = labels.filled(weights, index, argument="weights", reference=reference)
    return facts, held.to_numpy()


def _aim(wanted: Objective, permitted: Mandate) -> _Posed:
    facts = permitted.facts
    cov, mu, returns = facts.cov, facts.mu, facts.returns
    kind, x = wanted.kind, wanted.parameter

    def variance(program: Program) -> None:
        program.minimise_quadratic(facts.need("cov", cov))

    def volatility(w: np.ndarray) -> float:
        return float(np.sqrt(max(w @ facts.need("cov", cov) @ w, 0.0)))

    if kind in {"min volatility", "target return"}:
        return _Posed("volatility", False, variance, volatility, lambda v: 1 / max(v, 1e-12))
    if kind in {"max return", "target volatility"}:
        gain = facts.need("mu", mu)
        return _Posed("return", True, lambda p: p.minimise(-gain), lambda w: float(gain @ w),
                      lambda _: 1.0)
    if kind == "max sharpe":
        excess = facts.need("mu", mu) - x
        unit = float(np.abs(excess).max()) or 1.0
        return _Posed(
            "Sharpe ratio", True, variance, lambda w: float(excess @ w) / volatility(w),
            lambda s: s**3 / unit**2, excess / unit)
    if kind == "max utility":
        gain, square = facts.need("mu", mu), x * facts.need("cov", cov)
        cost = trading_cost(facts) if weighs_costs(facts) else None

        def utility(program: Program) -> None:
            program.minimise(-gain)
            program.minimise_quadratic(square)
            if cost is not None:
                cost.below(program, charged(program, 1.0))

        return _Posed("utility", True, utility, lambda w: utility_of(permitted, w, x),
                      lambda _: 1.0)
    if kind == "min cvar":
        tail = TailMean(facts.need("returns", returns), x)

        def worst(program: Program) -> None:
            start = program.new(1)
            tail.below(program, Rows.identity(1, start))
            program.minimise(np.ones(1), start)

        return _Posed("CVaR", False, worst, tail.value, lambda _: 1.0)
    raise NotAvailable(f"'{kind}' takes no limits, so none has a price",
                       fix="Use it with CHECKLIMITS instead.", argument="objective")


def _target(wanted: Objective, facts: Facts, program: Program) -> int | None:
    """The constraint of the objective's own target, where it has one."""
    bound = Rows.constants(wanted.parameter)
    if wanted.kind == "target return":
        return Linear(facts.need("mu", facts.mu)).above(program, bound)
    if wanted.kind == "target volatility":
        return Norm(facts.root, np.zeros(facts.size)).below(program, bound)
    return None


def _target_costs(wanted: Objective, price: float, aim: _Posed) -> str:
    moved = "higher" if wanted.kind == "target volatility" else "lower"
    if price == 0:
        return f"A target {moved} than {wanted.parameter:.4g} gains nothing."
    effect = "raise" if aim.better else "lower"
    return (f"A target {moved} by 0.01 would {effect} the {aim.word} by about "
            f"{price * 0.01:.4g}.")


def _solved(program: Program, aim: _Posed) -> tuple[tuple[np.ndarray, ...], float, float]:
    """Duals by constraint, the optimal value, and what a unit of a bound is scaled by."""
    if aim.excess is None:
        aim.add(program)
        outcome = program.solve()
        return outcome.duals, aim.value(outcome.x[: program.size]), 1.0
    homogeneous, kappa = program.homogenised()
    homogeneous.zero(Rows.of(aim.excess[None, :], -1.0))
    aim.add(homogeneous)
    outcome = homogeneous.solve()
    scale = float(outcome.x[kappa])
    return outcome.duals, aim.value(outcome.x[: program.size] / scale), scale


def _meaning(side: Side, value: float, binds: bool, price: float, aim: _Posed) -> str:
    name, kind = side.limit.name, side.kind
    over = value > side.bound if kind == "Max" else value < side.bound
    if over and not binds and side.limit.penalty is not None:
        return (f"{name} is beyond its {kind} by {abs(side.bound - value):.4g}, at a Penalty of "
                f"{side.limit.penalty:.4g} a unit.")
    if not binds:
        room = abs(side.bound - value)
        return (f"{name} is beyond its {kind} by {room:.4g}." if over
                else f"Not binding: {name} has {room:.4g} of room.")
    if price == 0:
        return f"{name} is at its {kind}, and loosening it gains nothing."
    moved = "higher" if kind == "Max" else "lower"
    effect = "raise" if aim.better else "lower"
    return f"A {kind} {moved} by 0.01 would {effect} the {aim.word} by about {price * 0.01:.4g}."


def _notes(held: np.ndarray, facts: Facts, aim: _Posed, best: float) -> tuple[str, ...]:
    value = aim.value(held)
    notes = []
    if abs(value - best) > 1e-6 * max(1.0, abs(best)):
        notes.append(f"The weights are not the optimum: their {aim.word} is {value:.6g}, "
                     f"the best permitted is {best:.6g}.")
    if facts.cov is not None and held.any():
        variance = float(held @ facts.cov @ held)
        if variance > 0:
            parts = held * (facts.cov @ held) / variance
            largest = np.argsort(-parts, kind="stable")[:3]
            listed = ", ".join(f"{facts.universe[i]} {parts[i]:.1%}" for i in largest)
            notes.append(f"The most volatility comes from {listed}.")
    return tuple(notes)
