"""The best permitted portfolio for an objective.

The exact critical line carries a box and a budget; conic programs (Clarabel) carry every
other convex limit. Statistics are recomputed from the weights, and an answer whose
optimality is not proved to 1e-8 is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.limits.conflict import explain
from portbal.limits.mandate import Mandate, constant, mandate
from portbal.limits.measures import Facts
from portbal.result import Result
from portbal.solve import Infeasible, Unbounded, Unproven
from portbal.solve.branch import Relaxed, branch_and_bound
from portbal.solve.cone import ACCURACY, Outcome, Program, Rows
from portbal.solve.critical_line import CriticalLine, critical_line, optimality
from portbal.solve.discrete import Quadratic, State
from portbal.solve.expressions import AbsoluteSum, Concave, Convex, Linear, Norm, TailMean

_SAME = 1e-10  # relative difference below which two returns are one


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
    """

    limits: pd.DataFrame | None = None
    assets: pd.DataFrame | None = None
    returns: pd.DataFrame | None = None
    periods: float | None = None

    def mandate(
        self, universe: pd.Index, reference: str, *, mu: pd.Series | None = None,
        cov: pd.DataFrame | None = None, soft_allowed: bool = False,
    ) -> Mandate:
        facts = Facts.gather(universe, self.assets, mu, cov, self.returns, self.periods,
                             reference=reference)
        return mandate(facts, self.limits, soft_allowed=soft_allowed)


FREE = Setting()


# --- objectives --------------------------------------------------------------------------

def min_volatility(cov: pd.DataFrame, setting: Setting = FREE) -> Solution:
    """The least volatility. cov: a year, shape (n, n). Markowitz (1952)."""
    permitted = setting.mandate(_universe(cov.index, "cov"), "cov", cov=cov)
    weights, proof = _least_variance(permitted)
    return _solution(permitted, weights, proof, _volatility(permitted, weights))


def max_sharpe(
    mu: pd.Series, cov: pd.DataFrame, riskfree: float = 0.0, setting: Setting = FREE
) -> Solution:
    """The most (sum of w (mu - riskfree)) / volatility under all limits.

    mu, riskfree, cov are a year. ConflictError when no permitted portfolio beats riskfree,
    or when one does so without risk. The ratio is maximised over the perspective of the
    permitted set, so limits in absolute terms hold as they are:
    Cornuejols and Tutuncu (2006), Optimization Methods in Finance, section 8.2.
    """
    permitted = setting.mandate(_universe(mu.index, "mu"), "mu", mu=mu, cov=cov)
    excess = _mu(permitted) - riskfree
    best, _ = _most(permitted, excess)
    if excess @ best <= _SAME * max(1.0, float(np.abs(excess).max())):
        raise ConflictError(
            f"no permitted portfolio beats the riskfree rate of {riskfree:.4g}: the most any earns "
            f"above it is {excess @ best:.4g}",
            fix="Lower riskfree, raise mu, or minimise volatility instead.", argument="riskfree",
        )
    if permitted.is_box:
        weights, proof = _on_line(permitted, lambda line: line.max_sharpe(riskfree))
    else:
        weights, proof = _most_ratio(permitted, excess)
    volatility = _volatility(permitted, weights)
    if volatility <= 1e-12:
        raise ConflictError(
            "a portfolio without any volatility beats the riskfree rate, so the ratio has no "
            "maximum", fix="Raise riskfree to the return of that portfolio.", argument="riskfree",
        )
    return _solution(permitted, weights, proof, float(excess @ weights) / volatility)


def max_return(mu: pd.Series, cov: pd.DataFrame, setting: Setting = FREE) -> Solution:
    """The most expected return; with a volatility or tracking error row, the mandate problem.

    Where several portfolios have it, the one of least volatility as far as the box and the
    budget go.
    """
    permitted = setting.mandate(_universe(mu.index, "mu"), "mu", mu=mu, cov=cov)
    weights, proof = _most(permitted, _mu(permitted))
    return _solution(permitted, weights, proof, float(_mu(permitted) @ weights))


def target_return(
    mu: pd.Series, cov: pd.DataFrame, target: float, setting: Setting = FREE
) -> Solution:
    """The least volatility among portfolios that return at least ``target`` a year."""
    permitted = setting.mandate(_universe(mu.index, "mu"), "mu", mu=mu, cov=cov)
    _reachable(permitted, target)
    weights, proof = _least_variance(permitted, at_least=target)
    return _solution(permitted, weights, proof, _volatility(permitted, weights))


def target_volatility(
    mu: pd.Series, cov: pd.DataFrame, target: float, setting: Setting = FREE
) -> Solution:
    """The most return among portfolios with at most the volatility ``target`` a year."""
    if target < 0:
        raise InputError("a volatility below 0 is not possible", fix="Give a positive number.",
                         argument="target")
    permitted = setting.mandate(_universe(mu.index, "mu"), "mu", mu=mu, cov=cov)
    least, proof = _least_variance(permitted)
    lowest = _volatility(permitted, least)
    if target < lowest * (1 - _SAME):
        raise ConflictError(
            f"the volatility {target:.4%} cannot be reached: the least any permitted portfolio "
            f"has is {lowest:.4%}", fix=f"Give at least {_up(lowest)}.", argument="target",
        )
    if permitted.is_box:
        weights, proof = _on_line(permitted, lambda line: line.at_volatility(target))
    elif target <= lowest * (1 + _SAME):
        weights = least
    else:
        def objective(program: Program) -> None:
            Norm(permitted.facts.root, np.zeros(program.size)).below(program, constant(target))
            program.minimise(-_mu(permitted))

        weights, proof = _conic(permitted, objective)
    return _solution(permitted, weights, proof, float(_mu(permitted) @ weights))


def max_utility(
    mu: pd.Series, cov: pd.DataFrame, riskaversion: float, setting: Setting = FREE
) -> Solution:
    """The most mu'w - riskaversion/2 w'cov w, less what penalties and trading cost.

    A limit with a Penalty may be broken; each unit beyond it costs the penalty in return a
    year. With a Cost column in assets, trading away from Current costs as much.
    """
    if riskaversion < 0:
        raise InputError(f"a risk aversion of {riskaversion:g} rewards risk",
                         fix="Give a number of at least 0.", argument="riskaversion")
    permitted = setting.mandate(
        _universe(mu.index, "mu"), "mu", mu=mu, cov=cov, soft_allowed=True)
    facts = permitted.facts
    costs = facts.assets is not None and "Cost" in facts.assets
    if permitted.is_box and not costs:
        weights, proof = _on_line(permitted, lambda line: line.max_utility(riskaversion))
    else:
        def objective(program: Program) -> None:
            program.minimise(-_mu(permitted))
            program.minimise_quadratic(riskaversion * _cov(permitted))
            if costs:
                _trading(facts).below(program, _charged(program, 1.0))
            for limit in permitted.soft:
                expression, price = limit.posed(facts), limit.penalty or 0.0
                if limit.high < np.inf and isinstance(expression, Convex):
                    expression.below(program, constant(limit.high) + _charged(program, price))
                if limit.low > -np.inf and isinstance(expression, Concave):
                    expression.above(program, constant(limit.low) - _charged(program, price))

        weights, proof = _conic(permitted, objective)
    return _solution(permitted, weights, proof, _utility(permitted, weights, riskaversion, costs))


def min_cvar(
    returns: pd.DataFrame, level: float = 0.95, target: float | None = None,
    setting: Setting = FREE,
) -> Solution:
    """The least CVaR of the historical returns, per period.

    returns  shape (T, n), simple, per period; target  least return a year, by the
    arithmetic mean, or None. Rockafellar and Uryasev (2000), eq. 17.
    """
    if not 0 < level < 1:
        raise InputError(f"the level {level:g} is not between 0 and 1", fix="Use 0.95.",
                         argument="level")
    setting = Setting(setting.limits, setting.assets, returns, setting.periods)
    permitted = setting.mandate(_universe(returns.columns, "returns"), "returns")
    tail = TailMean(permitted.facts.need("returns", permitted.facts.returns), level)
    if target is not None:
        _reachable(permitted, target)

    def objective(program: Program) -> None:
        bound = program.new(1)
        tail.below(program, Rows.of(np.ones((1, 1)), start=bound))
        program.minimise(np.ones(1), bound)
        if target is not None:
            Linear(_mu(permitted)).above(program, constant(target))

    weights, proof = _conic(permitted, objective)
    return _solution(permitted, weights, proof, tail.value(weights))


def frontier(
    mu: pd.Series, cov: pd.DataFrame, points: int = 25, setting: Setting = FREE
) -> pd.DataFrame:
    """The efficient frontier: columns Return, Volatility, then one per asset.

    Equally spaced in return from least volatility to most return, both ends included; one
    row where they coincide.
    """
    if not 2 <= points <= 1000:
        raise InputError(f"{points} points are not possible", fix="Give 2 to 1000 points.",
                         argument="points")
    permitted = setting.mandate(_universe(mu.index, "mu"), "mu", mu=mu, cov=cov)
    mean = _mu(permitted)
    if permitted.is_box:
        weights = _on_line(permitted, lambda line: line.frontier(points))[0]
    else:
        weights = _conic_frontier(permitted, points)
    table = pd.DataFrame(weights, columns=permitted.facts.universe)
    table.insert(0, "Volatility", [_volatility(permitted, w) for w in weights],
                 allow_duplicates=True)
    table.insert(0, "Return", weights @ mean, allow_duplicates=True)
    return table


# --- the routes --------------------------------------------------------------------------

Proof = dict[str, float]


def _conic_frontier(permitted: Mandate, points: int) -> np.ndarray:
    mean = _mu(permitted)
    least, most = _least_variance(permitted)[0], _most(permitted, mean)[0]
    low, high = float(mean @ least), float(mean @ most)
    if high - low <= _SAME * max(1.0, abs(high)):
        return least[None, :]
    inner = np.linspace(low, high, points)[1:-1]
    return np.array([
        least, *(_least_variance(permitted, at_least=r)[0] for r in inner), most])


def _least_variance(
    permitted: Mandate, at_least: float | None = None
) -> tuple[np.ndarray, Proof]:
    """The least variance, with a return of at least so much (within reach) where given."""
    if permitted.is_box:
        if at_least is None:
            still = np.zeros(permitted.facts.size)
            return _on_line(permitted, lambda line: line.min_volatility(), still)
        return _on_line(permitted, lambda line: line.at_return(at_least))

    def objective(program: Program) -> None:
        program.minimise_quadratic(_cov(permitted))
        if at_least is not None:
            Linear(_mu(permitted)).above(program, constant(at_least))

    return _conic(permitted, objective)


def _most(permitted: Mandate, gain: np.ndarray) -> tuple[np.ndarray, Proof]:
    """The most gain'w."""
    if permitted.is_box and permitted.facts.cov is not None:
        return _on_line(permitted, lambda line: line.max_return(), gain)
    return _conic(permitted, lambda program: program.minimise(-gain))


def _most_ratio(permitted: Mandate, excess: np.ndarray) -> tuple[np.ndarray, Proof]:
    """The most excess'w / volatility, by the perspective of the permitted set."""

    def solve(program: Program) -> tuple[np.ndarray, Outcome]:
        homogeneous, kappa = program.homogenised()
        homogeneous.zero(Rows.of(excess[None, :], -1.0))
        homogeneous.minimise_quadratic(_cov(permitted))
        outcome = homogeneous.solve()
        scale = outcome.x[kappa]
        if scale <= 1e-9 * np.abs(outcome.x[: program.size]).max():
            raise Unbounded
        return outcome.x / scale, outcome

    return _best(permitted, lambda _: None, solve)


def _conic(
    permitted: Mandate, objective: Callable[[Program], None]
) -> tuple[np.ndarray, Proof]:
    def solve(program: Program) -> tuple[np.ndarray, Outcome]:
        outcome = program.solve()
        return outcome.x, outcome

    return _best(permitted, objective, solve)


def _best(
    permitted: Mandate, objective: Callable[[Program], None],
    solve: Callable[[Program], tuple[np.ndarray, Outcome]],
) -> tuple[np.ndarray, Proof]:
    """The optimum of one program, or over the branches of the discrete rules."""
    discrete = permitted.discrete
    if discrete is None:
        program = permitted.program()
        objective(program)
        with _told(permitted):
            x, outcome = solve(program)
        weights = _on_bounds(permitted, x[: program.size])
        return weights, {"residual": outcome.residual, "gap": outcome.gap}

    probe = Program(permitted.facts.size)
    objective(probe)
    quadratic = None if probe.quadratic is None else Quadratic(probe.quadratic)

    def relax(state: State) -> Relaxed:
        program = permitted.program()
        objective(program)
        program.quadratic = None
        undecided = discrete.relax(program, state, quadratic)
        x, outcome = solve(program)
        held = np.zeros(program.size)
        held[list(undecided)] = x[list(undecided.values())]
        return Relaxed(outcome.objective, x[: program.size], held, outcome.residual, outcome.gap)

    with _told(permitted):
        found = branch_and_bound(
            discrete.root(), relax,
            lambda state, relaxed: discrete.complete(state, relaxed.weights),
            lambda state, relaxed: discrete.split(state, relaxed.weights, relaxed.held))
    weights = _on_bounds(permitted, found.best.weights)
    weights[np.abs(weights) <= ACCURACY] = 0.0
    return weights, {"residual": found.best.residual, "gap": found.best.gap,
                     "nodes": float(found.nodes), "open gap": found.open_gap}


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


def _on_line(
    permitted: Mandate, choose: Callable[[CriticalLine], np.ndarray],
    gain: np.ndarray | None = None,
) -> tuple[np.ndarray, Proof]:
    """The portfolio (or portfolios) chosen on the critical line of a box and a budget."""
    assert permitted.budget is not None
    with _told(permitted):
        line = critical_line(
            _cov(permitted), _mu(permitted) if gain is None else gain,
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
        yield
    except Infeasible:
        raise explain(permitted) from None
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


def _reachable(permitted: Mandate, target: float) -> None:
    best, _ = _most(permitted, _mu(permitted))
    most = float(_mu(permitted) @ best)
    if target > most + _SAME * max(1.0, abs(most)):
        raise ConflictError(
            f"the return {target:.4%} is out of reach: the most any permitted portfolio has is "
            f"{most:.4%}", fix=f"Give at most {_down(most)}.", argument="target",
        )


def _charged(program: Program, price: float) -> Rows:
    """A new variable of at least 0 that costs so much a unit."""
    start = program.new(1)
    result = Rows.of(np.ones((1, 1)), start=start)
    program.positive(result)
    program.minimise(np.array([price]), start)
    return result


def _trading(facts: Facts) -> AbsoluteSum:
    return AbsoluteSum(facts.exposure("Cost"), facts.portfolio("Current"))


def _utility(
    permitted: Mandate, weights: np.ndarray, riskaversion: float, costs: bool
) -> float:
    value = float(_mu(permitted) @ weights
                  - riskaversion / 2 * (weights @ _cov(permitted) @ weights))
    if costs:
        value -= _trading(permitted.facts).value(weights)
    for limit in permitted.soft:
        x = limit.express(permitted.facts).value(weights)
        value -= (limit.penalty or 0.0) * max(x - limit.high, limit.low - x, 0.0)
    return value


def _solution(
    permitted: Mandate, weights: np.ndarray, proof: Proof, objective: float
) -> Solution:
    series = pd.Series(weights, index=permitted.facts.universe)
    notes: tuple[str, ...] = ()
    if proof.get("open gap", 0.0) > 0:
        notes = (f"Not proved to be the best: after {proof['nodes']:,.0f} branches a portfolio "
                 f"could still be better by {proof['open gap']:.1e} in the objective.",)
    return Solution(series, objective, notes=notes, proof=proof)


def _universe(index: pd.Index, argument: str) -> pd.Index:
    labels.positions(index, argument=argument)
    return index


def _mu(permitted: Mandate) -> np.ndarray:
    return permitted.facts.need("mu", permitted.facts.mu)


def _cov(permitted: Mandate) -> np.ndarray:
    return permitted.facts.need("cov", permitted.facts.cov)


def _volatility(permitted: Mandate, weights: np.ndarray) -> float:
    return float(np.sqrt(max(weights @ _cov(permitted) @ weights, 0.0)))


def _up(value: float) -> str:
    return f"{np.ceil(value * 1e6) / 1e6:.4%}"


def _down(value: float) -> str:
    return f"{np.floor(value * 1e6) / 1e6:.4%}"
