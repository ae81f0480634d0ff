"""A portfolio beside a benchmark: tracking error, beta, active share, and which one fits."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd

from portbal import dated, labels, matrices, optimize, periods, tables
from portbal.errors import InputError
from portbal.losses.laws import still
from portbal.result import Noted


def tracking_error(weights: pd.Series, benchmark: pd.Series, cov: pd.DataFrame) -> float:
    """sqrt((w - b)' Sigma (w - b)), a year as cov; a name that one side lacks is 0 there.

    InputError for a name that cov lacks, and for a benchmark that does not sum to 1.
    """
    w, b, sigma = _both(weights, benchmark, cov)
    return sqrt(float(matrices.variances((w - b)[None, :], sigma)[0]))


def beta(weights: pd.Series, benchmark: pd.Series, cov: pd.DataFrame) -> float:
    """w' Sigma b / b' Sigma b. InputError as `tracking_error`, and for a benchmark without
    volatility."""
    w, b, sigma = _both(weights, benchmark, cov)
    variance = float(matrices.variances(b[None, :], sigma)[0])
    if variance == 0:
        raise InputError(
            "the benchmark has no volatility, and there is no beta to it",
            fix="Give a benchmark of assets whose covariance is not 0.", argument="benchmark",
        )
    return float(w @ sigma @ b) / variance


def active_share(weights: pd.Series, benchmark: pd.Series) -> float:
    """Half the sum of absolute differences of weights (Cremers and Petajisto 2009, Review of
    Financial Studies 22). InputError for a benchmark that does not sum to 1."""
    tables.vector(weights, argument="weights")
    _summing(benchmark)
    names = labels.union(weights.index, benchmark.index)
    w = labels.filled(weights, names, argument="weights", reference="benchmark").to_numpy()
    b = labels.filled(benchmark, names, argument="benchmark", reference="weights").to_numpy()
    return float(np.abs(w - b).sum()) / 2


def fit(
    returns: pd.DataFrame,
    weights: pd.Series,
    candidates: pd.DataFrame,
    periods_a_year: float | None = None,
) -> Noted[pd.DataFrame]:
    """Which benchmark a portfolio is most like: columns Candidate, Tracking error, Beta,
    Correlation, Weight, the least tracking error first.

    returns     simple, shape (T, n); weights by asset, held constant through all periods
    candidates  returns of benchmarks for the same dates, shape (T, k)

    Tracking error is the deviation (n - 1) of the difference of returns, a year. Weight is that of
    the style regression: the weights, none below 0 and summing to 1, of the mix of all candidates
    whose difference from the portfolio has the least variance (Sharpe 1992, Journal of Portfolio
    Management 18); a note gives its tracking error and its share of the variance explained.

    InputError for other dates, fewer than three returns, and a portfolio or a candidate whose
    return never changes.
    """
    a_year = periods.per_year(returns.index, periods_a_year)
    values = tables.complete(returns, argument="returns")
    tables.vector(weights, argument="weights")
    w = labels.filled(weights, returns.columns, argument="weights", reference="returns")
    at = dated.rows(
        candidates.index, returns.index, argument="candidates", reference="returns")
    others = tables.complete(candidates, argument="candidates")[at]
    if len(values) < 3:
        raise InputError(
            f"there are {len(values)} returns, too few to compare", fix="Give more rows.",
            argument="returns",
        )
    own = values @ w.to_numpy()
    _moving(own, "the portfolio", "weights", None)
    for position, label in enumerate(candidates.columns):
        _moving(others[:, position], labels.shorten(label), "candidates", label)
    x, y = others - others.mean(axis=0), own - own.mean()
    degrees = len(values) - 1
    gaps = y[:, None] - x
    style = _style(gaps)
    tracking = np.sqrt((gaps**2).sum(axis=0) / degrees * a_year)
    squares, products = (x**2).sum(axis=0), x.T @ y
    frame = pd.DataFrame({
        "Candidate": [str(label) for label in candidates.columns], "Tracking error": tracking,
        "Beta": products / squares, "Correlation": products / np.sqrt(squares * float(y @ y)),
        "Weight": style,
    })
    order = np.argsort(tracking, kind="stable")
    rest = gaps @ style
    note = (
        f"The mix of candidates by Weight has a tracking error of "
        f"{sqrt(float(rest @ rest) / degrees * a_year):.4g} and explains "
        f"{1 - float(rest @ rest) / float(y @ y):.4g} of the portfolio's variance."
    )
    return Noted(frame.iloc[order].reset_index(drop=True), notes=(note,))


def _style(gaps: np.ndarray) -> np.ndarray:
    """The weights (k,) of the candidates whose mixed difference from the portfolio, given each
    one's (T, k), has the least variance: the least volatile mix of the differences."""
    covariance = gaps.T @ gaps
    names = [str(position) for position in range(len(covariance))]
    frame = pd.DataFrame(covariance / max(covariance.max(), 1e-300), names, names)
    return optimize.min_volatility(frame, optimize.Setting()).weights.to_numpy()


def _moving(values: np.ndarray, name: str, argument: str, column: object) -> None:
    if still(values):
        raise InputError(
            f"the return of {name} never changes, and there is nothing to compare",
            fix="Leave it out." if column is not None else
            "Give weights to assets whose returns change.", argument=argument, column=column,
        )


def _both(
    weights: pd.Series, benchmark: pd.Series, cov: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    index, sigma = matrices.covariance(cov)
    tables.vector(weights, argument="weights")
    _summing(benchmark)
    w = labels.filled(weights, index, argument="weights", reference="cov")
    b = labels.filled(benchmark, index, argument="benchmark", reference="cov")
    return w.to_numpy(), b.to_numpy(), sigma


def _summing(benchmark: pd.Series) -> None:
    tables.check_sum(tables.vector(benchmark, argument="benchmark"), argument="benchmark")
