"""The best permitted portfolio for an objective of return and variance.

Statistics are recomputed from the weights, and every answer carries its proof.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from portbal import labels, matrices
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.limits.language import Limit
from portbal.limits.mandate import Mandate, constant
from portbal.limits.measures import Facts
from portbal.routes import (
    FREE,
    SAME,
    Proof,
    Setting,
    Solution,
    charged,
    check_reachable,
    conic,
    cov_of,
    highest_of,
    least_variance,
    most,
    most_ratio,
    mu_of,
    on_line,
    rounded_up,
    solution,
    universe_of,
    volatility_of,
)
from portbal.solve.cone import Program, Rows
from portbal.solve.expressions import AbsoluteSum, Concave, Convex, Norm
from portbal.solve.roots import root_of

# volatility of a hedge without a remainder, relative to that of its parts
_RISKLESS = 1e-7


def min_volatility(cov: pd.DataFrame, setting: Setting = FREE) -> Solution:
    """The least volatility. cov: a year, shape (n, n). Markowitz (1952)."""
    permitted = setting.mandate(universe_of(cov.index, "cov"), "cov", cov=cov)
    weights, proof = least_variance(permitted)
    return solution(permitted, weights, proof, volatility_of(permitted, weights))


def max_sharpe(
    mu: pd.Series, cov: pd.DataFrame, riskfree: float = 0.0, setting: Setting = FREE
) -> Solution:
    """The most (sum of w (mu - riskfree)) / volatility under all limits.

    mu, riskfree, cov are a year. ConflictError when no permitted portfolio beats riskfree,
    or when one does so without risk. The ratio is maximised over the perspective of the
    permitted set, so limits in absolute terms hold as they are:
    Cornuejols and Tutuncu (2006), Optimization Methods in Finance, section 8.2.
    """
    permitted = setting.mandate(universe_of(mu.index, "mu"), "mu", mu=mu, cov=cov)
    excess = mu_of(permitted) - riskfree
    nothing = SAME * max(1.0, float(np.abs(excess).max()))
    if permitted.is_box or float(np.abs(excess).max()) <= nothing:
        _check_beaten(permitted, excess, riskfree)
    if permitted.is_box:
        weights, proof = on_line(permitted, lambda line: line.max_sharpe(riskfree))
    else:
        try:
            weights, proof = most_ratio(permitted, excess)
        except (ConflictError, NotAvailable):
            _check_beaten(permitted, excess, riskfree)
            raise
        if excess @ weights <= nothing:
            _check_beaten(permitted, excess, riskfree)
    volatility = volatility_of(permitted, weights)
    if volatility <= _RISKLESS * float(np.sqrt(np.diag(cov_of(permitted)).max())):
        raise ConflictError(
            "a portfolio without any volatility beats the riskfree rate, so the ratio has no "
            "maximum", fix="Raise riskfree to the return of that portfolio.", argument="riskfree",
        )
    return solution(permitted, weights, proof, float(excess @ weights) / volatility)


def _check_beaten(permitted: Mandate, excess: np.ndarray, riskfree: float) -> None:
    """ConflictError when no permitted portfolio beats the riskfree rate."""
    highest = highest_of(permitted, excess)
    if highest <= SAME * max(1.0, float(np.abs(excess).max())):
        raise ConflictError(
            f"no permitted portfolio beats the riskfree rate of {riskfree:.4g}: the most any earns "
            f"above it is {highest:.4g}",
            fix="Lower riskfree, raise mu, or minimise volatility instead.", argument="riskfree",
        )


def max_diversification(cov: pd.DataFrame, setting: Setting = FREE) -> Solution:
    """The most (sum of w volatility) / volatility of the portfolio, under all limits.

    cov is a year. The route of `max_sharpe` with volatilities in place of returns; among equals
    the one with the least in assets without volatility, on which the ratio does not depend.
    ConflictError when no permitted portfolio holds an asset that moves, or when one does so
    without risk. Choueifaty and Coignard (2008), Toward maximum diversification, eq. 1.
    """
    permitted = setting.mandate(universe_of(cov.index, "cov"), "cov", cov=cov)
    sigma = cov_of(permitted)
    volatilities = np.where(matrices.still(sigma), 0.0, np.sqrt(np.diag(sigma)))
    best, _ = most(permitted, volatilities)
    if volatilities @ best <= SAME * volatilities.max():
        raise ConflictError(
            "no permitted portfolio holds an asset that moves, so there is no risk to diversify",
            fix="Give assets with a volatility, or permit them.", argument="cov",
        )
    weights, proof = _most_diversified(permitted, volatilities)
    volatility, average = volatility_of(permitted, weights), float(volatilities @ weights)
    if volatility <= _RISKLESS * average:
        raise ConflictError(
            "some permitted assets hedge each other without a remainder, so the ratio has no "
            "maximum", fix="Leave one of them out.", argument="cov",
        )
    return solution(permitted, weights, proof, average / volatility)


def _most_diversified(
    permitted: Mandate, volatilities: np.ndarray
) -> tuple[np.ndarray, Proof]:
    if permitted.is_box:
        return on_line(permitted, lambda line: line.max_sharpe(), volatilities)
    found, proof = most_ratio(permitted, volatilities)
    moving = np.flatnonzero(volatilities)
    if len(moving) == len(found):
        return found, proof

    def grown(program: Program) -> None:
        scale = program.new(1)
        program.zero(
            Rows.of(np.eye(len(found))[moving]) - Rows.of(found[moving, None], start=scale))
        program.minimise(np.array([-1.0]), scale)

    try:
        return conic(permitted, grown)[0], proof
    except ConflictError:  # found is permitted but for the last digits
        return found, proof


def max_return(mu: pd.Series, cov: pd.DataFrame, setting: Setting = FREE) -> Solution:
    """The most expected return; with a volatility or tracking error row, the mandate problem.

    Where several portfolios have it, the one of least volatility as far as the box and the
    budget go.
    """
    permitted = setting.mandate(universe_of(mu.index, "mu"), "mu", mu=mu, cov=cov)
    weights, proof = most(permitted, mu_of(permitted))
    return solution(permitted, weights, proof, float(mu_of(permitted) @ weights))


def target_return(
    mu: pd.Series, cov: pd.DataFrame, target: float, setting: Setting = FREE
) -> Solution:
    """The least volatility among portfolios that return at least ``target`` a year."""
    permitted = setting.mandate(universe_of(mu.index, "mu"), "mu", mu=mu, cov=cov)
    check_reachable(permitted, target)
    weights, proof = least_variance(permitted, at_least=target)
    return solution(permitted, weights, proof, volatility_of(permitted, weights))


def target_volatility(
    mu: pd.Series, cov: pd.DataFrame, target: float, setting: Setting = FREE
) -> Solution:
    """The most return among portfolios with at most the volatility ``target`` a year."""
    if target < 0:
        raise InputError("a volatility below 0 is not possible", fix="Give a positive number.",
                         argument="target")
    permitted = setting.mandate(universe_of(mu.index, "mu"), "mu", mu=mu, cov=cov)
    least, proof = least_variance(permitted)
    lowest = volatility_of(permitted, least)
    if target < lowest * (1 - SAME):
        raise ConflictError(
            f"the volatility {target:.4%} cannot be reached: the least any permitted portfolio "
            f"has is {lowest:.4%}", fix=f"Give at least {rounded_up(lowest)}.", argument="target",
        )
    if permitted.is_box:
        weights, proof = on_line(permitted, lambda line: line.at_volatility(target))
    elif target <= lowest * (1 + SAME):
        weights = least
    else:
        def objective(program: Program) -> None:
            Norm(permitted.facts.root, np.zeros(program.size)).below(program, constant(target))
            program.minimise(-mu_of(permitted))

        weights, proof = conic(permitted, objective)
    return solution(permitted, weights, proof, float(mu_of(permitted) @ weights))


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
        universe_of(mu.index, "mu"), "mu", mu=mu, cov=cov, soft_allowed=True)
    facts = permitted.facts
    costs = weighs_costs(facts)
    if permitted.is_box and not costs:
        weights, proof = on_line(permitted, lambda line: line.max_utility(riskaversion))
    else:
        def objective(program: Program) -> None:
            program.minimise(-mu_of(permitted))
            program.minimise_quadratic(riskaversion * cov_of(permitted))
            if costs:
                trading_cost(facts).below(program, charged(program, 1.0))
            penalised(program, permitted)

        weights, proof = conic(permitted, objective)
    return solution(permitted, weights, proof, utility_of(permitted, weights, riskaversion))


def min_tracking(cov: pd.DataFrame, setting: Setting) -> Solution:
    """The least tracking error a year to the Benchmark column of assets."""
    permitted = setting.mandate(universe_of(cov.index, "cov"), "cov", cov=cov)
    held = permitted.facts.portfolio("Benchmark")
    pull = cov_of(permitted) @ held
    if permitted.is_box:
        weights, proof = on_line(permitted, lambda line: line.max_utility(1.0), pull)
    else:
        def objective(program: Program) -> None:
            program.minimise_quadratic(cov_of(permitted), held)

        weights, proof = conic(permitted, objective)
    return solution(permitted, weights, proof, Norm(permitted.facts.root, held).value(weights))


def robust(
    mu: pd.Series, cov: pd.DataFrame, errors: pd.DataFrame | pd.Series, riskaversion: float,
    kappa: float = 1.0, setting: Setting = FREE,
) -> Solution:
    """The most mu'w - kappa times the uncertainty of it - riskaversion/2 w'cov w.

    errors  a covariance of the errors of mu, a year: uncertainty sqrt(w'Ew), an ellipsoid;
            or a vector of them: uncertainty e'abs(w), a box.
    Goldfarb and Iyengar (2003), Robust portfolio selection problems; Tutuncu and Koenig (2004).
    """
    for name, value in (("riskaversion", riskaversion), ("kappa", kappa)):
        if value < 0:
            raise InputError(f"{value:g} is negative", fix="Give a number of at least 0.",
                             argument=name)
    permitted = setting.mandate(universe_of(mu.index, "mu"), "mu", mu=mu, cov=cov)
    doubt = _doubt(errors, permitted.facts)

    def objective(program: Program) -> None:
        program.minimise(-mu_of(permitted))
        program.minimise_quadratic(riskaversion * cov_of(permitted))
        if kappa > 0:
            doubt.below(program, charged(program, kappa))

    weights, proof = conic(permitted, objective)
    value = (mu_of(permitted) @ weights - kappa * doubt.value(weights)
             - riskaversion / 2 * weights @ cov_of(permitted) @ weights)
    return solution(permitted, weights, proof, float(value))


def frontier(
    mu: pd.Series, cov: pd.DataFrame, points: int = 25, setting: Setting = FREE
) -> pd.DataFrame:
    """The efficient frontier: columns Return, Volatility, then one per asset.

    Equally spaced in return from least volatility to most return, both ends included; one
    row where they coincide. Among portfolios of least volatility the first is the one with the
    most return, among those of most return the last is the one with the least volatility.
    """
    if not 2 <= points <= 1000:
        raise InputError(f"{points} points are not possible", fix="Give 2 to 1000 points.",
                         argument="points")
    permitted = setting.mandate(universe_of(mu.index, "mu"), "mu", mu=mu, cov=cov)
    mean = mu_of(permitted)
    if permitted.is_box:
        weights = on_line(permitted, lambda line: line.frontier(points))[0]
    else:
        weights = _conic_frontier(permitted, points)
    table = pd.DataFrame(weights, columns=permitted.facts.universe)
    table.insert(0, "Volatility", [volatility_of(permitted, w) for w in weights],
                 allow_duplicates=True)
    table.insert(0, "Return", weights @ mean, allow_duplicates=True)
    return table


def _conic_frontier(permitted: Mandate, points: int) -> np.ndarray:
    mean = mu_of(permitted)
    least = _most_at_the_risk_of(permitted, least_variance(permitted)[0])
    top = _least_at_the_return_of(permitted, most(permitted, mean)[0])
    low, high = float(mean @ least), float(mean @ top)
    if high - low <= SAME * max(1.0, abs(high)):
        return least[None, :]
    inner = np.linspace(low, high, points)[1:-1]
    return np.array([
        least, *(least_variance(permitted, at_least=r)[0] for r in inner), top])


def _most_at_the_risk_of(permitted: Mandate, least: np.ndarray) -> np.ndarray:
    """The most return among the portfolios of least variance.

    All of them have the same exposure to what varies, since the variance is strictly convex in
    it; where the covariance is regular there is one alone.
    """
    values, vectors = np.linalg.eigh(cov_of(permitted))
    varies = vectors[:, values > _RISKLESS**2 * values.max()].T
    if len(varies) == len(least):
        return least

    def objective(program: Program) -> None:
        program.zero(Rows.of(varies, -varies @ least))
        program.minimise(-mu_of(permitted))

    return _unless_lost(permitted, objective, least)


def _least_at_the_return_of(permitted: Mandate, top: np.ndarray) -> np.ndarray:
    """The least variance among the portfolios of most return."""
    mean = mu_of(permitted)

    def objective(program: Program) -> None:
        program.zero(Rows.of(mean[None, :], -mean @ top))
        program.minimise_quadratic(cov_of(permitted))

    return _unless_lost(permitted, objective, top)


def _unless_lost(
    permitted: Mandate, objective: Callable[[Program], None], found: np.ndarray
) -> np.ndarray:
    """The optimum on a face that ``found`` spans, or ``found`` where the face is a point."""
    try:
        return conic(permitted, objective)[0]
    except (ConflictError, NotAvailable):
        return found


def _doubt(errors: pd.DataFrame | pd.Series, facts: Facts) -> Norm | AbsoluteSum:
    still = np.zeros(facts.size)
    if isinstance(errors, pd.DataFrame):
        aligned = labels.same_square(errors, facts.universe, argument="errors", reference="mu")
        return Norm(root_of(matrices.covariance(aligned, "errors")[1]), still)
    sizes = labels.same(errors, facts.universe, argument="errors", reference="mu")
    for label, size in sizes.items():
        if size < 0:
            raise InputError(f"{labels.shorten(label)} has the negative error {size:g}",
                             fix="Give errors of at least 0.", argument="errors", row=label)
    return AbsoluteSum(sizes.to_numpy(), still)


def trading_cost(facts: Facts) -> AbsoluteSum:
    """The Cost column times what is traded away from Current."""
    return AbsoluteSum(facts.costs(), facts.portfolio("Current"))


def penalised(program: Program, permitted: Mandate) -> tuple[tuple[Limit, str, int], ...]:
    """Adds the soft limits at their price: each side, Min or Max, and its constraint."""
    places: list[tuple[Limit, str, int]] = []
    for limit in permitted.soft:
        expression, price = limit.posed(permitted.facts), limit.penalty or 0.0
        if limit.high < np.inf and isinstance(expression, Convex):
            bound = constant(limit.high) + charged(program, price)
            places.append((limit, "Max", expression.below(program, bound)))
        if limit.low > -np.inf and isinstance(expression, Concave):
            bound = constant(limit.low) - charged(program, price)
            places.append((limit, "Min", expression.above(program, bound)))
    return tuple(places)


def weighs_costs(facts: Facts) -> bool:
    """Whether trading costs something: assets has a column Cost."""
    return facts.assets is not None and "Cost" in facts.assets


def utility_of(permitted: Mandate, weights: np.ndarray, riskaversion: float) -> float:
    """mu'w - riskaversion/2 w'cov w of weights (n,), less what penalties and trading cost."""
    value = float(mu_of(permitted) @ weights
                  - riskaversion / 2 * (weights @ cov_of(permitted) @ weights))
    if weighs_costs(permitted.facts):
        value -= trading_cost(permitted.facts).value(weights)
    for limit in permitted.soft:
        x = limit.express(permitted.facts).value(weights)
        value -= (limit.penalty or 0.0) * max(x - limit.high, limit.low - x, 0.0)
    return value
