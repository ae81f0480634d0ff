"""Where the return ahead of the benchmark came from, and how single periods add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from portbal import choices, dated, labels, tables
from portbal import groups as grouping
from portbal.errors import InputError
from portbal.result import Noted

# of a return: what rounding and shown digits leave of effects that add up
_ADDS_UP = 1e-6
METHODS = ("brinson-fachler", "brinson-hood-beebower")


def brinson(
    weights: pd.Series,
    benchmark: pd.Series,
    returns: pd.Series,
    benchmark_returns: pd.Series,
    groups: pd.Series,
    method: str = "brinson-fachler",
) -> Noted[pd.DataFrame]:
    """One period's return ahead of the benchmark, by group: columns Group, Allocation,
    Selection, Interaction, Total.

    weights, benchmark   by asset, at the start of the period; each sums to 1
    returns, benchmark_returns   of each asset in the portfolio and in the benchmark
    groups   asset -> group for every asset

    With W, R of the portfolio's and w, b of the benchmark's group, B the benchmark's return:
    allocation is (W - w)(b - B) (Brinson and Fachler 1985, Journal of Portfolio Management 11) or
    (W - w) b (Brinson, Hood and Beebower 1986, Financial Analysts Journal 42), selection
    w (R - b), interaction (W - w)(R - b). Totals add up to the portfolio's return less the
    benchmark's. A group that one side does not hold earns there what it earns on the other, so
    that its effect is all allocation, noted. Groups in the order of weights.

    InputError for weights that do not sum to 1, an asset that is held and has no return, a group
    whose weights cancel out, and as `groups.of`.
    """
    fachler = choices.one_of(
        method, {METHODS[0]: True, METHODS[1]: False}, argument="method")
    names = labels.union(weights.index, benchmark.index)
    w, r = _side(weights, returns, names, "weights", "returns")
    v, s = _side(benchmark, benchmark_returns, names, "benchmark", "benchmarkreturns")
    by = grouping.of(names, groups)
    held, wanted = by.sums(w), by.sums(v)
    own, other = by.sums(w * r), by.sums(v * s)
    of_own = _group_return(by.titles, by.sums(np.abs(w)), held, own, "weights")
    of_other = _group_return(by.titles, by.sums(np.abs(v)), wanted, other, "benchmark")
    absent = [t for t, a, b in zip(by.titles, of_own, of_other, strict=True)
              if np.isnan(a) != np.isnan(b)]
    of_own, of_other = (
        np.nan_to_num(np.where(np.isnan(of_own), of_other, of_own)),
        np.nan_to_num(np.where(np.isnan(of_other), of_own, of_other)),
    )
    base = float(other.sum()) if fachler else 0.0
    allocation = (held - wanted) * (of_other - base)
    selection = wanted * (of_own - of_other)
    interaction = (held - wanted) * (of_own - of_other)
    frame = pd.DataFrame({
        "Group": by.titles, "Allocation": allocation, "Selection": selection,
        "Interaction": interaction, "Total": allocation + selection + interaction,
    })
    notes = [f"The portfolio earned {float(own.sum()):.4g}, the benchmark "
             f"{float(other.sum()):.4g}."]
    if absent:
        notes.append(f"Held on one side only, so that all is allocation: {', '.join(absent[:8])}.")
    return Noted(frame, notes=tuple(notes))


def _side(
    weights: pd.Series, returns: pd.Series, names: pd.Index, of: str, with_: str
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and returns of all assets (n,); a return that is not needed is 0."""
    tables.check_sum(tables.vector(weights, argument=of), argument=of)
    w = labels.filled(weights, names, argument=of, reference="weights").to_numpy()
    tables.vector(returns, argument=with_)
    known = labels.positions(returns.index, argument=with_)
    values = returns.to_numpy(dtype=float)
    found = np.zeros(len(names))
    for position, name in enumerate(names):
        at = known.get(labels.key(name))
        if at is not None:
            found[position] = values[at]
        elif w[position] != 0:
            raise InputError(
                f"{labels.shorten(name)} is held and has no return", fix=f"Add it to {with_}.",
                argument=with_,
            )
    for label in returns.index:
        if labels.key(label) not in set(labels.keys(names)):
            raise InputError(
                f"{labels.shorten(label)} is not in weights or benchmark",
                fix=labels.suggestion(label, names, "Remove it, or add it with weight 0."),
                argument=with_, row=label,
            )
    return w, found


def _group_return(
    titles: list[str], size: np.ndarray, held: np.ndarray, earned: np.ndarray, argument: str
) -> np.ndarray:
    """Return of each group, NaN where nothing is held."""
    cancelled = (size > 0) & (np.abs(held) <= 1e-12 * size)
    if cancelled.any():
        title = titles[int(np.flatnonzero(cancelled)[0])]
        raise InputError(
            f"the weights of {labels.shorten(title)} cancel out, and it has no return",
            fix="Put its long and short positions into different groups.", argument=argument,
        )
    result = np.full(len(titles), np.nan)
    np.divide(earned, held, out=result, where=size > 0)
    return result


# --- many periods ------------------------------------------------------------------------------

def _carino(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """k(t) / k with k = (log(1 + R) - log(1 + B)) / (R - B) (Carino 1999, Journal of Performance
    Measurement 3)."""
    return _log_mean(own, other) / _log_mean(
        np.array([_total(own)]), np.array([_total(other)]))[0]


def _log_mean(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(log(1 + R) - log(1 + B)) / (R - B), and its limit 1 / (1 + R) where they are equal."""
    gap = (own - other) / (1 + other)
    ratio = np.ones(len(gap))
    np.divide(np.log1p(gap), gap, out=ratio, where=gap != 0)
    return ratio / (1 + other)


def _menchero(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A + a(t), A = ((R - B) / T) / ((1 + R)^(1/T) - (1 + B)^(1/T)), a(t) the least corrections
    in proportion to R(t) - B(t) (Menchero 2000, Journal of Performance Measurement 5)."""
    count = len(own)
    end, base = _total(own), _total(other)
    ahead = own - other
    slope = (1 + end) ** (1 / count) - (1 + base) ** (1 / count)
    gap = end - base
    usual = gap / count / slope if abs(slope) > 1e-9 else (1 + end) ** (1 - 1 / count)
    squares = float(ahead @ ahead)
    rest = gap - usual * float(ahead.sum())
    return usual + (rest / squares * ahead if squares > 0 else np.zeros(count))


def _grap(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The portfolio's growth before the period times the benchmark's after it (GRAP 1997)."""
    before = np.concatenate([[1.0], np.cumprod(1 + own)[:-1]])
    after = np.concatenate([np.cumprod((1 + other)[::-1])[::-1][1:], [1.0]])
    return before * after


LINKS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "carino": _carino, "menchero": _menchero, "grap": _grap, "frongello": _grap,
}


def link(
    effects: pd.DataFrame,
    portfolio_returns: pd.Series,
    benchmark_returns: pd.Series,
    method: str = "carino",
) -> Noted[pd.DataFrame]:
    """Effects of many periods as effects of all of them: columns Effect, Linked.

    effects   one row a period, one column an effect; a row adds up to the portfolio's return
              less the benchmark's in that period (leave out columns of totals)
    portfolio_returns, benchmark_returns   simple, of the same periods

    Each effect is the sum over the periods of its value times a factor of the period, such that
    all together are the compounded return of the portfolio less that of the benchmark, exactly.
    The factors are Carino's, Menchero's or GRAP's (Bacon 2008, chapter 8); Frongello (2002,
    Journal of Performance Measurement 6) gives the earlier effects the benchmark's later growth,
    which in total is the same as GRAP. A note gives the returns of all periods.

    InputError for other periods, a row that does not add up to 1e-6, and a loss of everything.
    """
    factor = choices.one_of(method, LINKS, argument="method")
    values = tables.complete(effects, argument="effects")
    own = dated.numbers(
        portfolio_returns, effects.index, argument="portfolioreturns", reference="effects")
    other = dated.numbers(
        benchmark_returns, effects.index, argument="benchmarkreturns", reference="effects")
    for series, argument in ((own, "portfolioreturns"), (other, "benchmarkreturns")):
        if series.min() <= -1:
            at = int(series.argmin())
            raise InputError(
                f"a return of {series[at]:.2%} loses everything, and nothing compounds after it",
                fix="Correct it.", argument=argument,
                row=_row(effects.index, at),
            )
    ahead = own - other
    off = np.abs(values.sum(axis=1) - ahead)
    if off.max() > _ADDS_UP:
        at = int(off.argmax())
        raise InputError(
            f"the effects add up to {values[at].sum():.6g}, and the portfolio was "
            f"{ahead[at]:.6g} ahead", fix="Give all effects of the period and no total of them.",
            argument="effects", row=_row(effects.index, at),
        )
    linked = factor(own, other) @ values
    end, base = _total(own), _total(other)
    frame = pd.DataFrame({"Effect": [str(label) for label in effects.columns], "Linked": linked})
    return Noted(frame, notes=(
        f"Over {len(values)} periods the portfolio earned {end:.4g}, the benchmark {base:.4g}.",))


def _row(index: pd.Index, at: int) -> object:
    return index[at] if isinstance(index, pd.DatetimeIndex) else at + 2


def _total(values: np.ndarray) -> float:
    return float(np.prod(1 + values)) - 1
