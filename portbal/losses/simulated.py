"""VaR and CVaR of simulated outcomes: independent periods, compounded over the horizon."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, sqrt

import numpy as np

from portbal.errors import InputError
from portbal.losses import student
from portbal.losses.laws import Moments, Tail, of_sorted, share_of

_MOST_DRAWS = 100_000_000

Draw = Callable[[np.random.Generator, int], np.ndarray]


def normal(values: np.ndarray) -> Draw:
    """Draws of a normal distribution with the sample mean and deviation of returns (T,)."""
    moments = Moments.sample(values)
    return lambda rng, count: moments.mean + moments.deviation * rng.standard_normal(count)


def fitted_student(values: np.ndarray) -> Draw:
    """Draws of the Student distribution of greatest likelihood for returns (T,)."""
    found = student.fit(values)
    if np.isinf(found.freedom):
        return lambda rng, count: found.location + found.scale * rng.standard_normal(count)
    return lambda rng, count: found.location + found.scale * rng.standard_t(found.freedom, count)


def bootstrap(values: np.ndarray) -> Draw:
    """Draws with replacement from returns (T,)."""
    return lambda rng, count: values[rng.integers(0, len(values), count)]


def tails(draw: Draw, horizon: int, paths: int, seed: int) -> Callable[[float], Tail]:
    """From a level to VaR and CVaR of so many simulated outcomes, the same for the same seed.

    A note gives the error of simulation: the 95% interval of VaR by order statistics, and twice
    the standard error of CVaR (Manistre and Hancock 2005, North American Actuarial Journal 9).
    InputError for more than 100 million draws and for a loss of everything on the way.
    """
    if paths * horizon > _MOST_DRAWS:
        raise InputError(
            f"{paths} paths of {horizon} periods are too many to simulate",
            fix="Ask for fewer paths, or a shorter horizon.", argument="horizon",
        )
    rng = np.random.default_rng(seed)
    outcomes = draw(rng, paths)
    if horizon > 1:
        wealth = _left(outcomes)
        for _ in range(horizon - 1):
            wealth *= _left(draw(rng, paths))
        outcomes = wealth - 1
    ordered = np.sort(outcomes)

    def at(level: float) -> Tail:
        share = share_of(level)
        plain = of_sorted(ordered, level)
        place, spread = share * paths, 1.96 * sqrt(paths * share * (1 - share))
        low = ordered[max(floor(place - spread), 0)]
        high = ordered[min(ceil(place + spread), paths - 1)]
        beyond = ordered[: max(ceil(place), 1)]
        error = sqrt((float(beyond.var()) + (1 - share) * (plain.cvar - plain.var) ** 2)
                     / max(place, 1.0))
        return Tail(plain.var, plain.cvar, (
            f"{paths} simulated outcomes, seed {seed}: the VaR lies between {-high:.4g} and "
            f"{-low:.4g}, the CVaR within {2 * error:.2g} (95%).", *plain.notes,
        ))

    return at


def _left(draws: np.ndarray) -> np.ndarray:
    """What is left of one after each draw, which must be something."""
    if draws.min() <= -1:
        raise InputError(
            "a simulated period loses everything, after which nothing is left to compound",
            fix="Use a horizon of 1, or correct the weights.", argument="horizon",
        )
    return 1 + draws
