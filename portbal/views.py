"""Black-Litterman: equilibrium returns, and what views make of them.

Notation of He and Litterman (1999), "The intuition behind Black-Litterman model portfolios":
prior mean pi with covariance tau Sigma; views P mu = Q + noise, the noise of view k with
variance omega_k. All returns and variances are a year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import choices, labels, matrices, picks, tables
from portbal import periods as calendar
from portbal.errors import ConflictError, InputError
from portbal.result import Noted

# Of a view's variance under the prior: what is left of it when earlier certain views say it all
_DEPENDENT = 1e-10
# Of a view's variance under the prior: less noise than this is none
_CERTAIN = 1e-12
# Relative to the returns compared: how far certain views may differ by rounding
_AGREE = 1e-9


def risk_aversion(
    benchmark_returns: pd.Series, riskfree: float = 0.0, periods: float | None = None
) -> Noted[float]:
    """The risk aversion at which holding the benchmark is best: its excess return a year over
    its variance a year (arithmetic mean and sample variance, times periods).

    benchmark_returns  simple, shape (T,)
    riskfree           a year

    InputError for fewer than two returns and for returns that never vary. A negative answer
    carries a note: no one who dislikes risk holds such a benchmark.
    """
    argument = "benchmarkreturns"
    values = tables.complete(benchmark_returns.to_frame("Series"), argument=argument)[:, 0]
    if len(values) < 2:
        raise InputError("one return has no variance", fix="Give more rows.", argument=argument)
    per_year = calendar.per_year(benchmark_returns.index, periods, argument=argument)
    variance = float(values.var(ddof=1)) * per_year
    if np.ptp(values) == 0 or variance == 0:
        raise InputError(
            "the returns never vary, so that there is no risk to be averse to",
            fix="Give the returns of a risky benchmark.", argument=argument,
        )
    aversion = (float(values.mean()) * per_year - riskfree) / variance
    notes = () if aversion > 0 else (
        f"The risk aversion is {aversion:.3g}: the benchmark earned no more than riskfree in "
        "these periods. Implied returns need a positive one.",
    )
    return Noted(aversion, notes=notes)


def implied_returns(
    weights: pd.Series, cov: pd.DataFrame, risk_aversion: float = 2.5, riskfree: float = 0.0
) -> pd.Series:
    """riskaversion * Sigma w + riskfree: the returns a year at which these weights are best.

    weights  any sum, an absent name is 0; the answer has its order, then the rest of cov
    """
    if not (np.isfinite(risk_aversion) and risk_aversion > 0):
        raise InputError(
            f"a risk aversion of {risk_aversion:g} is not above zero",
            fix="Use a number such as 2.5.", argument="riskaversion",
        )
    names, w, sigma = matrices.held(weights, cov)
    return pd.Series(risk_aversion * sigma @ w + riskfree, index=names)


def black_litterman(
    prior: pd.Series,
    cov: pd.DataFrame,
    views: pd.DataFrame,
    tau: float = 0.05,
    uncertainty: str | pd.DataFrame = "he-litterman",
) -> Noted[pd.DataFrame]:
    """Posterior expected returns: prior + tau Sigma P' (P tau Sigma P' + Omega)^-1 (Q - P prior).

    prior, views  total returns a year, or excess returns, alike in both
    cov           a year, the same assets as prior
    views         as `picks.read` takes them. Omega is diagonal. By confidence c in [0, 1]:
                  tau p Sigma p' (1 - c) / c, so that 0 leaves the view out and 1 makes it
                  certain, both exactly. Where confidence is blank, by ``uncertainty``:
                  "he-litterman", tau p Sigma p', or a table View, Variance
    returns       columns Asset, Prior, Posterior, Difference, in the order of prior

    InputError for malformed arguments; ConflictError, which names the rows, when views that are
    certain contradict each other or what the prior holds without risk.
    """
    pi = tables.vector(prior, argument="prior")
    square = labels.same_square(cov, prior.index, argument="cov", reference="prior")
    _, sigma = matrices.covariance(square)
    read = picks.read(views, prior.index)
    omega, notes = _omega(read, sigma, tau, uncertainty)
    problem = _Posed.of(read, sigma, tau, omega, pi)
    mean = pi + problem.pull(read.returns[problem.kept] - problem.pick @ pi)
    table = pd.DataFrame({
        "Asset": prior.index, "Prior": pi, "Posterior": mean, "Difference": mean - pi,
    })
    return Noted(table, notes=notes)


def posterior_covariance(
    cov: pd.DataFrame,
    views: pd.DataFrame,
    tau: float = 0.05,
    uncertainty: str | pd.DataFrame = "he-litterman",
) -> Noted[pd.DataFrame]:
    """Sigma + M, where M = tau Sigma - tau Sigma P' (P tau Sigma P' + Omega)^-1 P tau Sigma is
    the posterior covariance of the mean; arguments and errors as `black_litterman`.

    Without a prior, certain views are compared with each other only.
    """
    index, sigma = matrices.covariance(cov)
    read = picks.read(views, index)
    omega, notes = _omega(read, sigma, tau, uncertainty)
    total = sigma + _Posed.of(read, sigma, tau, omega, None).covariance()
    return Noted(pd.DataFrame((total + total.T) / 2, index=index, columns=index), notes=notes)


# --- the noise of the views ----------------------------------------------------------------

def _omega(
    views: picks.Views, sigma: np.ndarray, tau: float, uncertainty: str | pd.DataFrame
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The variance of each view's noise (K,): 0 where certain, infinite where it says nothing."""
    if not (np.isfinite(tau) and tau > 0):
        raise InputError(
            f"tau is {tau:g}, and it has to be above zero", fix="Use a number such as 0.05.",
            argument="tau",
        )
    of_prior = tau * matrices.variances(views.picks, sigma)
    notes: tuple[str, ...] = ()
    if isinstance(uncertainty, pd.DataFrame):
        blank, notes = _from_table(views, uncertainty)
    else:
        choices.one_of(uncertainty, {"he-litterman": None}, argument="uncertainty")
        blank = of_prior
    c = views.confidence
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        stated = np.where(c == 0, np.inf, of_prior * ((1 - c) / c))
    return np.where(np.isnan(c), blank, stated), notes


def _words(text: object) -> str:
    return labels.key("".join(str(text).split()))


def _from_table(views: picks.Views, table: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    variances: dict[str, float] = {}
    known = {_words(name) for name in views.names}
    for row, text, variance in zip(
        table.index.tolist(), table["View"], table["Variance"], strict=True
    ):
        word = _words(text)
        if word not in known:
            raise InputError(
                f"there is no view {labels.shorten(text)}",
                fix=labels.suggestion(text, views.names, "Use the words of the views."),
                argument="uncertainty", row=row, column="View",
            )
        if word in variances:
            raise InputError(
                f"the view {labels.shorten(text)} occurs twice", fix="Keep one of them.",
                argument="uncertainty", row=row, column="View",
            )
        if not (np.isfinite(variance) and variance >= 0):
            raise InputError(
                f"the variance {variance:g} is not a number from 0 up", fix="Correct it.",
                argument="uncertainty", row=row, column="Variance",
            )
        variances[word] = float(variance)
    result = np.full(len(views.names), np.nan)
    unused = []
    for k, name in enumerate(views.names):
        variance = variances.get(_words(name))
        if not np.isnan(views.confidence[k]):
            if variance is not None:
                unused.append(f"The view {labels.shorten(name)} has a confidence, which counts "
                              "instead of its variance.")
        elif variance is None:
            raise InputError(
                f"the view {labels.shorten(name)} has neither a confidence nor a variance",
                fix="Add it to uncertainty, or give it a confidence.", argument="views",
                row=views.rows[k],
            )
        else:
            result[k] = variance
    return result, tuple(unused)


# --- the update ------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Posed:
    """The views that say something new, and the gain of each.

    kept   (k,) their positions; pick (k, n)
    spread (n, k) tau Sigma P'; scale (k,) and scaled (k, k): P tau Sigma P' + Omega is
           scaled * outer(scale, scale)
    prior  (n, n) tau Sigma
    """

    kept: np.ndarray
    pick: np.ndarray
    spread: np.ndarray
    scale: np.ndarray
    scaled: np.ndarray
    prior: np.ndarray

    @classmethod
    def of(
        cls, views: picks.Views, sigma: np.ndarray, tau: float, omega: np.ndarray,
        pi: np.ndarray | None,
    ) -> _Posed:
        prior = tau * sigma
        of_prior = matrices.variances(views.picks, prior)
        certain = (omega == 0) | (omega < _CERTAIN * of_prior)
        kept = _independent(views, prior, of_prior, np.flatnonzero(certain), pi)
        kept = np.sort(np.concatenate(
            [kept, np.flatnonzero(~certain & np.isfinite(omega))]
        ).astype(int))
        pick = views.picks[kept]
        spread = prior @ pick.T
        total = pick @ spread + np.diag(np.where(certain, 0.0, omega)[kept])
        scale = np.sqrt(np.diag(total))
        return cls(kept, pick, spread, scale, total / np.outer(scale, scale), prior)

    def pull(self, surprise: np.ndarray) -> np.ndarray:
        """How views that differ from the prior by ``surprise`` (k,) move each asset (n,)."""
        solved = np.linalg.solve(self.scaled, surprise / self.scale)
        return self.spread @ (solved / self.scale)

    def covariance(self) -> np.ndarray:
        """The posterior covariance of the mean (n, n)."""
        spread = self.spread / self.scale
        return self.prior - spread @ np.linalg.solve(self.scaled, spread.T)


def _independent(
    views: picks.Views, prior: np.ndarray, of_prior: np.ndarray, certain: np.ndarray,
    pi: np.ndarray | None,
) -> np.ndarray:
    """Of the certain views those that earlier ones do not imply; ConflictError when one
    contradicts what it follows from."""
    kept: list[int] = []
    for k in certain:
        pick = views.picks[kept]
        scale = np.sqrt(of_prior[kept])
        shared = (pick @ prior @ views.picks[k]) / scale
        among = (pick @ prior @ pick.T) / np.outer(scale, scale)
        solved = np.linalg.solve(among, shared)
        if of_prior[k] > 0 and of_prior[k] - shared @ solved > _DEPENDENT * of_prior[k]:
            kept.append(int(k))
        else:
            _agree(views, int(k), kept, solved / scale, pi)
    return np.array(kept, dtype=int)


def _agree(
    views: picks.Views, k: int, others: list[int], factors: np.ndarray, pi: np.ndarray | None
) -> None:
    """View k is these multiples of other certain views, and perhaps something without risk:
    ConflictError when its return is not."""
    implied = factors * views.returns[others]
    rest = views.picks[k] - factors @ views.picks[others]
    rest[np.abs(rest) <= _AGREE * np.abs(views.picks[k]).max()] = 0.0
    if pi is None and rest.any():
        return
    riskless = 0.0 if pi is None else float(rest @ pi)
    gap = views.returns[k] - implied.sum() - riskless
    if abs(gap) <= _AGREE * (abs(views.returns[k]) + np.abs(implied).sum() + abs(riskless)):
        return
    involved = [j for j, factor in zip(others, factors, strict=True) if abs(factor) > _AGREE]
    row = views.rows[k]
    if involved:
        rows = ", ".join(str(views.rows[j]) for j in involved)
        raise ConflictError(
            f"the views in rows {rows} and {row} are all certain and contradict each other: "
            f"from the others follows {implied.sum() + riskless:.6g} for "
            f"{labels.shorten(views.names[k])}, and it says {views.returns[k]:.6g}",
            fix="Give one of them a confidence below 1, or correct its return.",
            argument="views", row=row,
        )
    raise ConflictError(
        f"the view {labels.shorten(views.names[k])} in row {row} is about something without "
        f"risk, whose return the prior fixes at {riskless:.6g}, and it says "
        f"{views.returns[k]:.6g}",
        fix="Set its confidence to 0, or give its assets a variance in cov.",
        argument="views", row=row,
    )
