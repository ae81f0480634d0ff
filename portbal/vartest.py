"""Is a VaR any good? Backtests of forecasts against what happened.

An exception is a period whose loss exceeds its VaR. ``share`` is 1 - level, the share of periods
that may be exceptions. Likelihood ratios take 0 log 0 as 0, so that no case is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, nan, sqrt

import numpy as np
import pandas as pd

from portbal import dated
from portbal.errors import InputError
from portbal.losses.laws import share_of
from portbal.result import Noted
from portbal.tail import checked_level, portfolio

REJECTED_AT = 0.05
# probabilities of as many or fewer exceptions from which the yellow and the red zone begin
_YELLOW, _RED = 0.95, 0.9999
# capital factors of the yellow zone for 99% and 250 days, five to nine exceptions
_PLUS = (0.40, 0.50, 0.65, 0.75, 0.85)
_SHAPES = (1e-2, 1e2)
_SIMULATIONS = 20_000
_SEED = 1
_MOST_DRAWS = 500_000
_POINTS = 4_096


@dataclass(frozen=True)
class Test:
    """A row of the result; p and value are NaN where the test has none."""

    name: str
    value: float
    p: float
    verdict: str

    @classmethod
    def judged(cls, name: str, value: float, p: float) -> Test:
        return cls(name, value, p, "rejected" if p < REJECTED_AT else "not rejected")


@dataclass(frozen=True)
class Transitions:
    """How often a period without (0) or with (1) exception followed one without or with."""

    n00: int
    n01: int
    n10: int
    n11: int

    @classmethod
    def of(cls, hits: np.ndarray) -> Transitions:
        before, after = hits[:-1], hits[1:]
        counts = [int((b & a).sum()) for b in (~before, before) for a in (~after, after)]
        return cls(*counts)


def kupiec(count: int, exceptions: int, share: float) -> float:
    """LR = 2 log of the likelihood of the observed share of exceptions over that of ``share``,
    chi-squared with one degree of freedom (Kupiec 1995, Journal of Derivatives 3)."""
    return max(2 * (_binomial(count - exceptions, exceptions)
                    - _times_log(count - exceptions, 1 - share) - _times_log(exceptions, share)),
               0.0)


def independence(found: Transitions) -> float:
    """LR of exceptions that depend on the period before against exceptions that do not,
    chi-squared with one degree of freedom (Christoffersen 1998, International Economic Review 39).
    """
    apart = _binomial(found.n00, found.n01) + _binomial(found.n10, found.n11)
    return max(2 * (apart - _binomial(found.n00 + found.n10, found.n01 + found.n11)), 0.0)


def zone(count: int, exceptions: int, share: float) -> tuple[str, float]:
    """The Basel colour of so many exceptions in ``count`` periods, and the probability of as
    many or more when VaR is right.

    Yellow begins where as many or fewer have a probability of 95%, red at 99.99% (Basel Committee
    1996, Supervisory framework for the use of backtesting): 5 and 10 in 250 days at 99%. No
    exceptions are green, however few the periods.
    """
    from scipy.special import bdtr, bdtrc

    fewer = float(bdtr(exceptions, count, share))
    if not exceptions:
        return "green", 1.0
    more = float(bdtrc(exceptions - 1, count, share))
    return ("green" if fewer < _YELLOW else "yellow" if fewer < _RED else "red"), more


def duration(hits: np.ndarray) -> tuple[float, float]:
    """LR and Weibull shape of the periods between exceptions: 1 has no memory, less than 1 means
    that exceptions come in clusters; chi-squared with one degree of freedom.

    The periods before the first and after the last exception count as cut off (Christoffersen
    and Pelletier 2004, Journal of Financial Econometrics 2). NaN for fewer than two exceptions.
    """
    at = np.flatnonzero(hits)
    if len(at) < 2:
        return nan, nan
    whole = np.diff(at).astype(float)
    cut = np.array([at[0] + 1 if not hits[0] else 0, len(hits) - 1 - at[-1]], dtype=float)
    lengths = np.concatenate([whole, cut[cut > 0]])
    shape = _best_shape(whole, lengths)
    return max(2 * (_weibull(shape, whole, lengths) - _weibull(1.0, whole, lengths)), 0.0), shape


def _weibull(shape: float, whole: np.ndarray, lengths: np.ndarray) -> float:
    """Log-likelihood at the best scale: the density of whole spells, the survival of cut ones,
    with a^b = N / sum of D^b."""
    n = len(whole)
    logs = shape * np.log(lengths)
    top = float(logs.max())
    total = top + log(float(np.exp(logs - top).sum()))
    return n * (log(n) - total + log(shape) - 1) + (shape - 1) * float(np.log(whole).sum())


def _best_shape(whole: np.ndarray, lengths: np.ndarray) -> float:
    """Where the derivative of the profile by the shape, which falls, is zero."""
    n, mean_log = len(whole), float(np.log(whole).mean())
    logs = np.log(lengths)

    def slope(shape: float) -> float:
        weights = np.exp(shape * (logs - logs.max()))
        return n * (1 / shape + mean_log - float(weights @ logs / weights.sum()))

    low, high = _SHAPES
    if slope(high) >= 0:
        return high
    for _ in range(100):
        middle = sqrt(low * high)
        if slope(middle) > 0:
            low = middle
        else:
            high = middle
    return sqrt(low * high)


def shortfall(losses: np.ndarray, var: np.ndarray, cvar: np.ndarray, share: float) -> float:
    """Z2 = 1 - sum over exceptions of loss / CVaR, over T times share: 0 when both are right,
    negative when losses are worse (Acerbi and Szekely 2014, Risk 27, equation 6)."""
    hits = losses > var
    return 1 - float((losses[hits] / cvar[hits]).sum()) / (len(losses) * share)


def shortfall_p(z: float, count: int, share: float, ratio: float) -> float:
    """The probability of a Z2 as low or lower when VaR and CVaR are right.

    Losses beyond VaR have the shape of a Student tail whose CVaR over VaR is ``ratio`` (the
    normal one where it is that low, or where the share is a half and more, for VaR is then no
    loss); 20,000 samples of ``count`` periods, always the same.
    """
    rng = np.random.default_rng(_SEED)
    samples = int(min(_SIMULATIONS, max(_MOST_DRAWS / max(count * share, 1.0), 1000)))
    exceptions = rng.binomial(count, share, samples)
    beyond = _beyond(rng, int(exceptions.sum()), share, _freedom(ratio, share), ratio)
    totals = np.bincount(np.repeat(np.arange(samples), exceptions), beyond, samples)
    drawn = 1 - totals / (count * share)
    return (int((drawn <= z + 1e-12).sum()) + 1) / (samples + 1)


def _beyond(
    rng: np.random.Generator, count: int, share: float, freedom: float, ratio: float
) -> np.ndarray:
    """Losses beyond VaR over CVaR, drawn from the tail by its quantile function: exact at points
    equally spaced in the logarithm of the probability, between them linear in it."""
    from scipy.special import ndtri, stdtrit

    logs = np.log1p(-rng.random(count))
    at = np.linspace(min(float(logs.min(initial=0.0)), -1.0), 0.0, _POINTS)
    u = share * np.exp(at)
    points = np.asarray(-(stdtrit(freedom, u) if np.isfinite(freedom) else ndtri(u)))
    losses = np.interp(logs, at, points)
    if share >= 0.5 or ratio >= _ratio(np.inf, share):
        return losses / _mean_beyond(freedom, share)
    # a thinner tail than normal: VaR plus an excess of the mean that CVaR asks for
    excess = (losses / -float(ndtri(share)) - 1) / (_ratio(np.inf, share) - 1) * (ratio - 1)
    return (1 + excess) / ratio


def _ratio(freedom: float, share: float) -> float:
    """CVaR over VaR of a Student distribution about zero, for a share below a half."""
    from scipy.special import ndtri, stdtrit

    quantile = stdtrit(freedom, share) if np.isfinite(freedom) else ndtri(share)
    return _mean_beyond(freedom, share) / -float(quantile)


def _mean_beyond(freedom: float, share: float) -> float:
    """CVaR of a Student distribution about zero."""
    from scipy.special import gammaln, ndtri, stdtrit

    if not np.isfinite(freedom):
        return exp(-float(ndtri(share)) ** 2 / 2) / sqrt(2 * np.pi) / share
    q = float(stdtrit(freedom, share))
    height = exp(float(gammaln((freedom + 1) / 2) - gammaln(freedom / 2)))
    f = height / sqrt(freedom * np.pi) * (1 + q * q / freedom) ** (-(freedom + 1) / 2)
    return f * (freedom + q * q) / (freedom - 1) / share


def _freedom(ratio: float, share: float) -> float:
    """Degrees of freedom at which CVaR over VaR is this ratio; infinite where it is as low as
    the normal one, at least 1.01."""
    if share >= 0.5 or ratio <= _ratio(np.inf, share):
        return float("inf")
    low, high = 1.01, 1e6
    if ratio >= _ratio(low, share):
        return low
    for _ in range(80):
        middle = sqrt(low * high)
        if _ratio(middle, share) > ratio:
            low = middle
        else:
            high = middle
    return sqrt(low * high)


def _binomial(without: int, with_: int) -> float:
    """The largest log-likelihood of so many periods without and with exception."""
    count = without + with_
    if not count:
        return 0.0
    return _times_log(without, without / count) + _times_log(with_, with_ / count)


def _times_log(count: int, probability: float) -> float:
    return count * log(probability) if count else 0.0


# --- all tests of one series -----------------------------------------------------------------

def table(
    returns: pd.DataFrame,
    var: float | pd.Series,
    level: float = 0.95,
    window: int = 250,
    cvar: float | pd.Series | None = None,
    weights: pd.Series | None = None,
) -> Noted[pd.DataFrame]:
    """All backtests: columns Test, Value, P value, Verdict.

    returns  one column of simple returns (T, 1)
    var      the VaR forecast of each period, a positive loss: one number for all, or a series of
             the same dates; returns before its first date are history and are left out, noted
    level    of VaR and CVaR
    window   the last periods that the Basel zone looks at; all where there are fewer, noted
    cvar     the CVaR forecasts, for the expected shortfall row
    weights  held throughout; then returns has a column an asset (T, n)

    Rows Kupiec, Christoffersen (independence), joint (their sum, two degrees of freedom): Value is
    the likelihood ratio; Basel zone: Value is the number of exceptions in the window, P value the
    probability of as many or more, Verdict green, yellow or red; duration: NaN below two
    exceptions; expected shortfall, when cvar is given: Acerbi and Szekely's second test, Value Z2.
    The others' Verdict is ``rejected`` for a P value below 5%, else ``not rejected``.

    InputError for series of other periods, a window below 1, and a cvar below its var or not
    above 0.
    """
    from scipy.special import chdtrc

    checked_level(level)
    share = share_of(level)
    held = returns if weights is None else pd.DataFrame(
        {"Portfolio": portfolio(returns, weights)}, index=returns.index)
    losses, forecast, mean_beyond, notes = _aligned(held, var, cvar)
    if window < 1:
        raise InputError(
            f"a window of {window} periods is not possible", fix="Use a whole number from 1 up.",
            argument="window",
        )
    hits = losses > forecast
    exceptions, count = int(hits.sum()), len(hits)
    by_count = kupiec(count, exceptions, share)
    by_order = independence(Transitions.of(hits))
    rows = [
        Test.judged("Kupiec", by_count, float(chdtrc(1, by_count))),
        Test.judged("Christoffersen", by_order, float(chdtrc(1, by_order))),
        Test.judged("joint", by_count + by_order, float(chdtrc(2, by_count + by_order))),
    ]
    looked_at = min(window, count)
    if looked_at < window:
        notes.append(f"The Basel zone looks at all {count} periods, for {window} are not there.")
    recent = int(hits[-looked_at:].sum())
    colour, chance = zone(looked_at, recent, share)
    rows.append(Test("Basel zone", recent, chance, colour))
    if (looked_at, share) == (250, 0.01):
        plus = 0.0 if recent < 5 else _PLUS[recent - 5] if recent < 10 else 1.0
        notes.append(f"The capital multiplier of the Basel zone is {3 + plus:.2f}.")
    by_gaps, shape = duration(hits)
    if np.isnan(by_gaps):
        rows.append(Test("duration", nan, nan, "too few exceptions"))
    else:
        rows.append(Test.judged("duration", by_gaps, float(chdtrc(1, by_gaps))))
        notes.append(
            f"The Weibull shape of the durations is {shape:.3g}: exceptions "
            f"{'come in clusters' if shape < 1 else 'do not cluster'}.")
    if mean_beyond is not None:
        z = shortfall(losses, forecast, mean_beyond, share)
        ratio = float((mean_beyond / np.where(forecast > 0, forecast, mean_beyond)).mean())
        rows.append(Test.judged("expected shortfall", z, shortfall_p(z, count, share, ratio)))
    notes.insert(0, f"{exceptions} of {count} losses exceed the VaR; {count * share:.4g} are "
                    "expected.")
    frame = pd.DataFrame(
        [(row.name, row.value, row.p, row.verdict) for row in rows],
        columns=["Test", "Value", "P value", "Verdict"],
    )
    return Noted(frame, notes=tuple(notes))


def _aligned(
    returns: pd.DataFrame, var: float | pd.Series, cvar: float | pd.Series | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, list[str]]:
    """Losses, VaR and CVaR of the same periods, and what was left out."""
    if returns.shape[1] != 1:
        raise InputError(
            f"returns has {returns.shape[1]} columns",
            fix="Give one column of returns, or weights.", argument="returns",
        )
    series = returns.iloc[:, 0]
    losses = -dated.finite(series, argument="returns")
    if not len(losses):
        raise InputError("it has no numbers", fix="Give returns.", argument="returns")
    index, notes = series.index, []
    if isinstance(var, pd.Series) and isinstance(var.index, pd.DatetimeIndex) and isinstance(
            index, pd.DatetimeIndex) and len(var):
        later = np.asarray(index >= var.index[0])
        if not later.all() and later.any():
            notes.append(f"{int((~later).sum())} returns before the first VaR are left out.")
            losses, index = losses[later], index[later]
    forecast = _forecast(var, index, "var")
    if cvar is None:
        return losses, forecast, None, notes
    beyond = _forecast(cvar, index, "cvar")
    for wrong, what in ((beyond <= 0, "is not above 0"), (beyond < forecast, "is below its VaR")):
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"the CVaR {beyond[at]:g} {what}", fix="Give positive losses, at the same level.",
                argument="cvar", row=_row(cvar, index, at),
            )
    return losses, forecast, beyond, notes


def _row(given: float | pd.Series, index: pd.Index, at: int) -> object:
    if not isinstance(given, pd.Series):
        return None
    return index[at] if isinstance(given.index, pd.DatetimeIndex) else at + 2


def _forecast(given: float | pd.Series, index: pd.Index, argument: str) -> np.ndarray:
    if isinstance(given, pd.Series):
        return dated.numbers(given, index, argument=argument, reference="returns")
    if not np.isfinite(given):
        raise InputError("it is no finite number", fix="Give a loss.", argument=argument)
    return np.full(len(index), float(given))


