"""How bad the bad outcomes are: VaR and CVaR by any method, positive for a loss.

``level`` 0.95 looks at the worst 5%. Figures are per return period, or over ``horizon`` periods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt

import numpy as np
import pandas as pd

from portbal import choices, labels, tables
from portbal.choices import Amount, Chosen
from portbal.errors import InputError, NotAvailable
from portbal.losses import columns, extremes, filtered, simulated, student
from portbal.losses.laws import (
    Moments,
    Tail,
    cornish_fisher,
    normal,
    of_sorted,
    share_of,
    still,
)
from portbal.result import Noted

LEVELS = (0.95, 0.99)

_SCALING_OMITS = "it leaves out the mean, compounding and what one period tells of the next"

# from a level to VaR and CVaR
Law = Callable[[float], Tail]


@dataclass(frozen=True)
class Method:
    """law(returns (T,), horizon, chosen options); words, amounts: its options; needs: the fewest
    returns; ahead: whether it looks more than one period ahead; fits: whether it fits a
    distribution, which takes returns that differ."""

    law: Callable[[np.ndarray, int, Chosen], Law]
    needs: int
    words: choices.Words
    amounts: Mapping[str, Amount]
    ahead: bool = True
    fits: bool = False


def _historical(values: np.ndarray, horizon: int, chosen: Chosen) -> Law:
    beyond, word = chosen.words["tail"] == "beyond", chosen.words["quantile"]
    kind = 0 if word == "losses" else int(word)
    ordered = np.sort(values)

    def once(level: float) -> Tail:
        return of_sorted(ordered, level, beyond=beyond, kind=kind)

    if horizon == 1:
        return once
    if chosen.words["horizon"] == "scaled":
        def scaled(level: float) -> Tail:
            one, by = once(level), sqrt(horizon)
            return Tail(one.var * by, one.cvar * by, (
                f"One period's figures times the square root of {horizon}: {_SCALING_OMITS}.",
                *one.notes,
            ))

        return scaled
    outcomes = np.sort(_compounded(values, horizon))

    def overlapping(level: float) -> Tail:
        found = of_sorted(outcomes, level, beyond=beyond, kind=kind)
        return Tail(found.var, found.cvar, (
            f"Of {len(outcomes)} overlapping windows {len(values) // horizon} do not overlap. One "
            f"period's VaR times the square root of {horizon} would be "
            f"{once(level).var * sqrt(horizon):.4g}: {_SCALING_OMITS}.", *found.notes,
        ))

    return overlapping


_MOMENTS = {"sample": Moments.sample, "population": Moments.population}


def _of_moments(by: Callable[[Moments, float], Tail]) -> Callable[[np.ndarray, int, Chosen], Law]:
    def law(values: np.ndarray, horizon: int, chosen: Chosen) -> Law:
        moments = _MOMENTS[chosen.words["moments"]](values).over(horizon)
        return _scaling(lambda level: by(moments, level), horizon)

    return law


def _scaling(law: Law, horizon: int) -> Law:
    """The same law, with a note on how it came to a longer horizon."""
    if horizon == 1:
        return law

    def noted(level: float) -> Tail:
        found = law(level)
        return Tail(found.var, found.cvar, (
            f"The mean times {horizon} and the deviation times its square root, as if periods told "
            "nothing of each other and did not compound; historical looks at whole windows.",
            *found.notes,
        ))

    return noted


def _student(values: np.ndarray, horizon: int, _chosen: Chosen) -> Law:
    found = student.fit(values)
    return _scaling(lambda level: found.tail(level, horizon), horizon)


def _filtered(values: np.ndarray, _horizon: int, chosen: Chosen) -> Law:
    if chosen.words["filter"] == "garch":
        found = filtered.by_garch(values)
    else:
        found = filtered.by_ewma(values, chosen.amounts["decay"])
    outcomes = np.sort(found.outcomes)

    def law(level: float) -> Tail:
        plain = of_sorted(outcomes, level)
        return Tail(plain.var, plain.cvar, (found.note, *plain.notes))

    return law


def _evt(values: np.ndarray, _horizon: int, chosen: Chosen) -> Law:
    threshold = chosen.amounts["threshold"]
    return extremes.tails(values, None if isnan(threshold) else threshold)


_DRAWS = {
    "normal": simulated.normal, "student": simulated.fitted_student,
    "bootstrap": simulated.bootstrap,
}


def _montecarlo(values: np.ndarray, horizon: int, chosen: Chosen) -> Law:
    draw = _DRAWS[chosen.words["distribution"]](values)
    paths, seed = int(chosen.amounts["paths"]), int(chosen.amounts["seed"])
    return simulated.tails(draw, horizon, paths, seed)


METHODS: Mapping[str, Method] = {
    "historical": Method(
        _historical, 1,
        {"tail": ("fraction", "beyond"), "quantile": ("7", *"12345689", "losses"),
         "horizon": ("overlapping", "scaled")}, {},
    ),
    "normal": Method(_of_moments(normal), 2, {"moments": ("sample", "population")}, {}),
    "cornish-fisher": Method(
        _of_moments(cornish_fisher), 4, {"moments": ("population", "sample")}, {}
    ),
    "student": Method(_student, 10, {}, {}, fits=True),
    "filtered": Method(
        _filtered, 50, {"filter": ("garch", "ewma")}, {"decay": Amount(0.94, 0.5, 0.9999)},
        ahead=False, fits=True,
    ),
    "evt": Method(_evt, 50, {}, {"threshold": Amount(nan, 0.01, 0.5)}, ahead=False, fits=True),
    "montecarlo": Method(
        _montecarlo, 10, {"distribution": ("normal", "student", "bootstrap")},
        {"paths": Amount(10_000, 100, 1_000_000, True), "seed": Amount(1, 0, 2**31, True)},
        fits=True,
    ),
}


def var(
    returns: pd.DataFrame,
    weights: pd.Series | None = None,
    level: float = 0.95,
    method: str = "historical",
    horizon: int = 1,
    options: Mapping[str, object] | None = None,
) -> Noted[float]:
    """The loss that is exceeded with probability 1 - level, a fraction.

    returns  simple, shape (T, n), without blanks; one column where there are no weights
    weights  by asset, any sum, held constant through all periods; an absent name is 0
    level    between 0 and 1
    method   historical; normal; cornish-fisher (population moments); student, of greatest
             likelihood; filtered historical simulation; evt, peaks over threshold; montecarlo
    horizon  in return periods: historical takes overlapping compounded returns, normal,
             cornish-fisher and student the mean times h and the deviation times sqrt(h), montecarlo
             compounds independent periods; filtered and evt look one period ahead only
    options  historical: tail = fraction or beyond, quantile = 1 to 9 or
             losses (see `losses.laws.historical`), horizon = overlapping or
             scaled; normal, cornish-fisher: moments = sample or population; filtered: filter =
             garch or ewma, decay (0.94); evt: threshold, the share of returns beyond it;
             montecarlo: distribution = normal, student or bootstrap, paths, seed

    InputError for unknown names, methods and options, and for too few returns; NotAvailable where
    a fitted tail has no finite mean.
    """
    tail = of_table(returns, weights, level, method, horizon, options)
    return Noted(tail.var, notes=tail.notes)


def cvar(
    returns: pd.DataFrame,
    weights: pd.Series | None = None,
    level: float = 0.95,
    method: str = "historical",
    horizon: int = 1,
    options: Mapping[str, object] | None = None,
) -> Noted[float]:
    """The mean loss of the worst share 1 - level of outcomes; arguments and errors as `var`."""
    tail = of_table(returns, weights, level, method, horizon, options)
    return Noted(tail.cvar, notes=tail.notes)


def of_table(
    returns: pd.DataFrame, weights: pd.Series | None, level: float, method: str, horizon: int,
    options: Mapping[str, object] | None,
) -> Tail:
    """VaR and CVaR together; arguments and errors as `var`."""
    checked_level(level)
    ask = question(method, horizon, options)
    return ask(portfolio(returns, weights))(level)


def table(
    returns: pd.DataFrame,
    weights: pd.Series,
    levels: Sequence[float] = LEVELS,
    methods: Sequence[str] = tuple(METHODS),
) -> Noted[pd.DataFrame]:
    """All methods side by side: columns Method, Level, VaR, CVaR, one row a method and level.

    A method that has no answer has blanks (NaN), and a note says why. Arguments and errors as
    `var`; each method has its own default options.
    """
    for level in levels:
        checked_level(level, argument="levels")
    if not len(levels):
        raise InputError("it is empty", fix="Give a level such as 95%.", argument="levels")
    values = portfolio(returns, weights)
    found = [(method, tail) for method in methods for tail in _tails(values, method, levels)]
    notes = {f"{method}: {note}": None for method, tail in found for note in tail.notes}
    frame = pd.DataFrame({
        "Method": [method for method, _ in found], "Level": list(levels) * len(methods),
        "VaR": [tail.var for _, tail in found], "CVaR": [tail.cvar for _, tail in found],
    })
    return Noted(frame, notes=tuple(notes))


def _tails(values: np.ndarray, method: str, levels: Sequence[float]) -> list[Tail]:
    """At each level, blank with a note where the method has no answer."""
    try:
        law: Law | None = question(method)(values)
        problem = ""
    except (InputError, NotAvailable) as error:
        law, problem = None, error.problem
    found = []
    for level in levels:
        if law is not None:
            try:
                found.append(law(level))
                continue
            except (InputError, NotAvailable) as error:
                problem = error.problem
        found.append(Tail(nan, nan, (f"no answer, for {problem}.",)))
    return found


def of_columns(
    returns: pd.DataFrame,
    level: float = 0.95,
    method: str = "historical",
    horizon: int = 1,
    options: Mapping[str, object] | None = None,
) -> Noted[pd.DataFrame]:
    """VaR and CVaR of every column by itself: columns Asset, VaR, CVaR.

    Arguments and errors as `var`. A note about some columns names the first of them.
    """
    checked_level(level)
    ask = question(method, horizon, options)
    values = tables.complete(returns, argument="returns")
    plain = labels.key(method) == "historical" and not options and horizon == 1
    if plain and share_of(level) * len(values) >= 1:
        losses, means = columns.historical(values, level)
        return Noted(pd.DataFrame({"Asset": returns.columns, "VaR": losses, "CVaR": means}))
    found: list[tuple[object, float, float]] = []
    notes: dict[str, str] = {}
    for position, label in enumerate(returns.columns):
        tail = ask(np.ascontiguousarray(values[:, position]))(level)
        found.append((label, tail.var, tail.cvar))
        for note in tail.notes:
            notes.setdefault(note, f"{labels.shorten(label)}: {note}")
    frame = pd.DataFrame(found, columns=["Asset", "VaR", "CVaR"])
    return Noted(frame, notes=tuple(notes.values()))


def question(
    method: str, horizon: int = 1, options: Mapping[str, object] | None = None
) -> Callable[[np.ndarray], Law]:
    """What turns returns (T,) into VaR and CVaR by level. InputError as `var`."""
    if horizon < 1:
        raise InputError(
            f"a horizon of {horizon} periods is not possible", fix="Use a whole number from 1 up.",
            argument="horizon",
        )
    entry = choices.one_of(method, METHODS, argument="method")
    chosen = choices.settings(options, entry.words, entry.amounts)
    if horizon > 1 and not entry.ahead:
        raise NotAvailable(
            f"{method} looks one period ahead, not {horizon}",
            fix="Use a horizon of 1, or montecarlo.", argument="horizon",
        )

    def ask(values: np.ndarray) -> Law:
        if len(values) < entry.needs:
            raise InputError(
                f"there are {len(values)} returns, and {method} needs at least {entry.needs}",
                fix="Give more rows.", argument="returns",
            )
        if entry.fits and still(values):
            sure = -float(values.mean()) * horizon
            return lambda _level: Tail(sure, sure)
        return entry.law(values, horizon, chosen)

    return ask


def checked_level(level: float, *, argument: str = "level") -> None:
    """InputError for a level that is not between 0 and 1."""
    if not 0 < share_of(level) < 1:
        raise InputError(
            f"the level {level:g} is not between 0 and 1",
            fix="Use a fraction such as 0.95 or 95%.", argument=argument,
        )


def portfolio(returns: pd.DataFrame, weights: pd.Series | None) -> np.ndarray:
    """Returns (T,) of the weights, or of the only column. InputError as `var`."""
    values = tables.complete(returns, argument="returns")
    if weights is not None:
        w = labels.filled(weights, returns.columns, argument="weights", reference="returns")
        return values @ w.to_numpy()
    if values.shape[1] > 1:
        raise InputError(
            f"returns has {values.shape[1]} columns, and there are no weights",
            fix="Give weights, or one column of returns.", argument="weights",
        )
    return values[:, 0]


def _compounded(values: np.ndarray, horizon: int) -> np.ndarray:
    """Overlapping compounded returns over so many periods, shape (T - horizon + 1,)."""
    if len(values) < horizon:
        raise InputError(
            f"a horizon of {horizon} periods is longer than the {len(values)} returns",
            fix="Give more rows, or use a shorter horizon.", argument="horizon",
        )
    if values.min() <= -1:
        raise InputError(
            f"the portfolio loses {-values.min():.2%} in one period, after which nothing is left "
            "to compound",
            fix="Use a horizon of 1, or correct the weights.", argument="horizon",
        )
    windows = np.lib.stride_tricks.sliding_window_view(np.log1p(values), horizon)
    return np.expm1(windows.sum(axis=1))
