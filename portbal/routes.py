"""The routes to an optimum: the exact critical line for a box and a budget, conic programs
(Clarabel) for every other convex limit, branching for what is not convex.

An answer whose optimality is not proved to 1e-8 is not given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import ConflictError, NotAvailable
from portbal.limits.conflict import explain
from portbal.limits.mandate import Mandate, constant, mandate
from portbal.limits.measures import Facts
from portbal.result import Result
from portbal.solve import Infeasible, Unbounded, Unproven
from portbal.solve.cone import Program, Rows
from portbal.solve.counted import Counted, divided
from portbal.solve.critical_line import CriticalLine, critical_line, optimality
from portbal.solve.discrete import Discrete
from portbal.solve.expressions import Linear
from portbal.solve.perspective import Quadratic
from portbal.solve.problem import ACCURACY

SAME = 1e-10  # relative difference below which two returns are one
Proof = dict[str, float]


@dataclass(frozen=True)
class Solution(Result):
    """weights: fractions by asset, in the order of the first labelled argument;
    objective: what was optimised, recomputed from the weights."""

    weights: pd.Series
    objective: float


@dataclass(frozen=True)
class Setting:
    """What every optimiser takes beside its own arguments.

    limits, assets   tables as the contract has them, or None
    returns          what a limit needs and the optimiser lacks is computed from these
    periods          return periods a year, or None to read them from the dates
    mu, cov          a year, for limits that need what the optimiser itself does not take
    """

    limits: pd.DataFrame | None = None
    assets: pd.DataFrame | None = None
    returns: pd.DataFrame | None = None
    periods: float | None = None
    mu: pd.Series | None = None
    cov: pd.DataFrame | None = None

    def mandate(
        self, universe: pd.Index, reference: str, *, mu: pd.Series | None = None,
        cov: pd.DataFrame | None = None, soft_allowed: bool = False,
    ) -> Mandate:
        mu, cov = self.mu if mu is None else mu, self.cov if cov is None else cov
        facts = Facts.gather(universe, self.assets, mu, cov, self.returns, self.periods,
                             reference=reference)
        return mandate(facts, self.limits, soft_allowed=soft_allowed)


FREE = Setting()


def least_variance(
    permitted: Mandate, at_least: float | None = None
) -> tuple[np.ndarray, Proof]:
    """The least variance, with a return of at least so much (within reach) where given."""
    if permitted.is_box:
        if at_least is None:
            still = np.zeros(permitted.facts.size)
            return on_line(permitted, lambda line: line.min_volatility(), still)
        return on_line(permitted, lambda line: line.at_return(at_least))

    def objective(program: Program) -> None:
        program.minimise_quadratic(cov_of(permitted))
        if at_least is not None:
            Linear(mu_of(permitted)).above(program, constant(at_least))

    return conic(permitted, objective)


def most(permitted: Mandate, gain: np.ndarray) -> tuple[np.ndarray, Proof]:
    """The most gain'w."""
    if permitted.is_box and permitted.facts.cov is not None:
        return on_line(permitted, lambda line: line.max_return(), gain)
    return conic(permitted, lambda program: program.minimise(-gain))


def highest_of(permitted: Mandate, gain: np.ndarray) -> float:
    """How large gain'w can be."""
    lower, upper, budget = permitted.lower, permitted.upper, permitted.budget
    if (not permitted.is_box or budget is None or np.isinf(lower).any()
            or not lower.sum() <= budget <= upper.sum()):
        return float(gain @ most(permitted, gain)[0])
    left, value = budget - lower.sum(), float(gain @ lower)
    for at in np.argsort(-gain, kind="stable"):
        step = min(left, float(upper[at] - lower[at]))
        value += step * float(gain[at])
        left -= step
    return value


def most_ratio(permitted: Mandate, excess: np.ndarray) -> tuple[np.ndarray, Proof]:
    """The most excess'w / volatility, by the perspective of the permitted set."""
    return _best(permitted, lambda _: None, excess)


def conic(
    permitted: Mandate, objective: Callable[[Program], None]
) -> tuple[np.ndarray, Proof]:
    """The optimum of an objective added to the mandate's program."""
    return _best(permitted, objective)


def _best(
    permitted: Mandate, objective: Callable[[Program], None], excess: np.ndarray | None = None
) -> tuple[np.ndarray, Proof]:
    """The optimum of one program, or over the branches of the discrete rules: of the objective,
    or of excess'w / volatility where excess (n,) is given."""
    if permitted.discrete is not None:
        return _branched(permitted, permitted.discrete, objective, excess)
    program = permitted.program()
    objective(program)
    size, kappa = program.size, None
    with _told(permitted):
        if excess is not None:
            program, kappa = _homogeneous(program, excess)
            program.minimise_quadratic(_relative(cov_of(permitted)))
        outcome = program.solve()
        weights = _on_bounds(permitted, divided(outcome.x, kappa, size))
        residual = _kept(permitted, weights, outcome.residual)
    return weights, {"residual": residual, "gap": outcome.gap}


def _branched(
    permitted: Mandate, discrete: Discrete, objective: Callable[[Program], None],
    excess: np.ndarray | None,
) -> tuple[np.ndarray, Proof]:
    frame = permitted.program()
    objective(frame)
    quadratic = homogeneous = None
    if excess is not None:
        quadratic = Quadratic(_relative(cov_of(permitted)))
        homogeneous = partial(_homogeneous, excess=excess)
    elif frame.quadratic is not None:
        quadratic = Quadratic(frame.quadratic, frame.centre)
    unit = frame.largest
    frame.quadratic = frame.centre = None
    with _told(permitted):
        best, found = Counted(frame, discrete, quadratic, homogeneous, unit).optimum()
        weights = _on_bounds(permitted, best.weights)
        weights[np.abs(weights) <= ACCURACY / 10] = 0.0
        residual = _kept(permitted, weights, best.residual)
    gap = found.open_gap
    if excess is not None or (quadratic is not None and not frame.linear):
        gap = 1 - float(np.sqrt(1 - gap))  # of the root, where the square is minimised
    return weights, {"residual": residual, "gap": best.gap, "nodes": float(found.nodes),
                     "open gap": gap}


def _homogeneous(program: Program, excess: np.ndarray) -> tuple[Program, int]:
    """The program on (kappa w, kappa) with an excess return of 1, and where kappa stands."""
    result, kappa = program.homogenised()
    result.zero(Rows.of(excess[None, :] / np.abs(excess).max(), -1.0))
    return result, kappa


def _relative(cov: np.ndarray) -> np.ndarray:
    """A covariance relative to its largest variance."""
    return cov / float(np.diag(cov).max())


def _kept(permitted: Mandate, weights: np.ndarray, residual: float) -> float:
    """The residual of the weights that are shown: the solver's, or what they break of a limit."""
    worst = max(residual, permitted.beyond(weights))
    if worst > ACCURACY:
        raise Unproven(f"residual {worst:.1e}")
    return worst


def _on_bounds(permitted: Mandate, weights: np.ndarray) -> np.ndarray:
    """Weights that lie on a bound to within the solver's accuracy, exactly on it."""
    result = weights.copy()
    at_bound = np.zeros(len(weights), dtype=bool)
    for bound in (permitted.lower, permitted.upper):
        near = np.abs(weights - bound) <= ACCURACY / 10
        result[near] = bound[near]
        at_bound |= near
    if permitted.budget is not None and not at_bound.all():
        result[~at_bound] += (permitted.budget - result.sum()) / (~at_bound).sum()
    return result


def on_line(
    permitted: Mandate, choose: Callable[[CriticalLine], np.ndarray],
    gain: np.ndarray | None = None,
) -> tuple[np.ndarray, Proof]:
    """The portfolio (or portfolios) chosen on the critical line of a box and a budget."""
    assert permitted.budget is not None
    with _told(permitted):
        line = critical_line(
            cov_of(permitted), mu_of(permitted) if gain is None else gain,
            permitted.lower, permitted.upper, permitted.budget)
        weights = choose(line)
    residuals = [
        optimality(line.cov, line.mu, line.lam_of(w), w, permitted.lower, permitted.upper,
                   permitted.budget)
        for w in np.atleast_2d(weights)
    ]
    return weights, {"residual": max(residuals)}


@contextmanager
def _told(permitted: Mandate) -> Iterator[None]:
    """What a kernel found out, in the words of the mandate."""
    try:
        with proved():
            yield
    except Infeasible:
        raise explain(permitted) from None


@contextmanager
def proved() -> Iterator[None]:
    """An optimum that is not there, or not proved, as an error for a person."""
    try:
        yield
    except Unbounded:
        raise ConflictError(
            "the permitted weights can grow without end and still gain", argument="limits",
            fix="Limit gross, short, or each asset.",
        ) from None
    except Unproven as stopped:
        raise NotAvailable(
            f"no optimum could be proved ({stopped})",
            fix="Rescale the numbers, or remove limits that nearly contradict each other.",
        ) from None


def check_reachable(permitted: Mandate, target: float) -> None:
    """ConflictError when no permitted portfolio returns the target."""
    best, _ = most(permitted, mu_of(permitted))
    highest = float(mu_of(permitted) @ best)
    if target > highest + SAME * max(1.0, abs(highest)):
        raise ConflictError(
            f"the return {target:.4%} is out of reach: the most any permitted portfolio has is "
            f"{highest:.4%}", fix=f"Give at most {rounded_down(highest)}.", argument="target",
        )


def charged(program: Program, price: float) -> Rows:
    """A new variable of at least 0 that costs so much a unit."""
    start = program.new(1)
    result = Rows.of(np.ones((1, 1)), start=start)
    program.positive(result)
    program.minimise(np.array([price]), start)
    return result


def solution(
    permitted: Mandate, weights: np.ndarray, proof: Proof, objective: float
) -> Solution:
    """The weights with their names, and a note where they are not proved to be the best."""
    series = pd.Series(weights, index=permitted.facts.universe)
    notes: tuple[str, ...] = ()
    if proof.get("open gap", 0.0) > 0:
        notes = (f"Not proved to be the best: after {proof['nodes']:,.0f} branches a portfolio "
                 f"could still be better by {proof['open gap']:.2%} of the objective.",)
    return Solution(series, objective, notes=notes, proof=proof)


def universe_of(index: pd.Index, argument: str) -> pd.Index:
    """The names, checked to be unique."""
    labels.positions(index, argument=argument)
    return index


def mu_of(permitted: Mandate) -> np.ndarray:
    """Expected returns (n,), or what is missing."""
    return permitted.facts.need("mu", permitted.facts.mu)


def cov_of(permitted: Mandate) -> np.ndarray:
    """The covariance (n, n), or what is missing."""
    return permitted.facts.need("cov", permitted.facts.cov)


def volatility_of(permitted: Mandate, weights: np.ndarray) -> float:
    """Volatility a year of weights (n,)."""
    return float(np.sqrt(max(weights @ cov_of(permitted) @ weights, 0.0)))


def rounded_up(value: float) -> str:
    """A percentage for a message, not below the value."""
    return f"{np.ceil(value * 1e6) / 1e6:.4%}"


def rounded_down(value: float) -> str:
    """A percentage for a message, not above the value."""
    return f"{np.floor(value * 1e6) / 1e6:.4%}"
