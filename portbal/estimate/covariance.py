"""Covariance matrices a year, estimated from past returns."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from portbal import choices, labels, matrices, tables
from portbal import periods as calendar
from portbal.errors import InputError
from portbal.result import Noted

Method = Callable[[pd.DataFrame, float], pd.DataFrame]


def sample(returns: pd.DataFrame, periods: float) -> pd.DataFrame:
    """Sample covariance (divisor T - 1) times ``periods``; each pair over its shared history.

    returns  simple, shape (T, n); blanks (NaN) only before a column's first number. A variance
             uses the column's own history, a covariance the rows that both columns have, with
             the means of those rows. Such a matrix need not be positive semidefinite.

    InputError when two columns share fewer than two rows.
    """
    values, starts = tables.histories(returns, argument="returns")
    last = int(starts.argmax())
    if len(values) - starts[last] < 2:
        raise InputError(
            f"{labels.shorten(returns.columns[last])} has one return, and a covariance needs two",
            fix="Give more rows, or leave the asset out.", argument="returns",
            column=returns.columns[last],
        )
    result = np.empty((values.shape[1], values.shape[1]))
    for start in np.unique(starts):
        here = np.flatnonzero(starts <= start)
        rows = values[start:, here]
        deviations = rows - rows.mean(axis=0)
        shared = deviations.T @ deviations / (len(rows) - 1)
        late = starts[here] == start
        result[np.ix_(here[late], here)] = shared[late]
        result[np.ix_(here, here[late])] = shared[:, late]
    return pd.DataFrame(result * periods, index=returns.columns, columns=returns.columns)


def ledoit_wolf(returns: pd.DataFrame, periods: float) -> pd.DataFrame:
    """The population covariance (divisor T) shrunk toward the average variance times the
    identity with the asymptotically best intensity, times ``periods``.

    returns  simple, shape (T, n), without blanks

    Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance
    matrices", Journal of Multivariate Analysis 88, as PyPortfolioOpt and scikit-learn compute it.
    InputError when a history starts late, and when there is nothing to tell an intensity by.
    """
    values, starts = tables.histories(returns, argument="returns")
    late = int(starts.argmax())
    if starts[late]:
        raise InputError(
            f"{labels.shorten(returns.columns[late])} starts later than others, and ledoit-wolf "
            "needs the same rows for all",
            fix="Start the table where all assets have returns, leave the asset out, or use the "
            "method sample.",
            argument="returns", column=returns.columns[late],
        )
    if len(values) < 2:
        raise InputError(
            "there is one return, and a covariance needs two", fix="Give more rows.",
            argument="returns",
        )
    from pypfopt.risk_models import CovarianceShrinkage

    with warnings.catch_warnings():
        # it warns when it is about to move eigenvalues
        warnings.simplefilter("error", UserWarning)
        try:
            shrinkage = CovarianceShrinkage(returns, returns_data=True, frequency=periods)
            return shrinkage.ledoit_wolf()
        except UserWarning:
            raise InputError(
                "ledoit-wolf finds nothing to shrink by, and the matrix is singular",
                fix="Give more rows, or use the method sample.", argument="returns",
            ) from None


METHODS: Mapping[str, Method] = {"sample": sample, "ledoit-wolf": ledoit_wolf}
_OPTIONS = {"indefinite": ("refuse", "keep")}


def estimate(
    returns: pd.DataFrame,
    method: str = "sample",
    periods: float | None = None,
    options: Mapping[str, object] | None = None,
) -> Noted[pd.DataFrame]:
    """The covariance a year by a named method, in the order of the columns.

    returns  simple, shape (T, n); histories may start late where the method says so
    method   a name in METHODS
    periods  return periods a year; None reads it from the dates
    options  indefinite = refuse (default) or keep: what becomes of a matrix that is not
             positive semidefinite, which histories of different length can give

    InputError for an unknown method or option, for what the method refuses, and, unless it is to
    be kept, for a matrix that is not positive semidefinite.
    """
    run = choices.one_of(method, METHODS, argument="method")
    keep = choices.options(options, _OPTIONS)["indefinite"] == "keep"
    cov = run(returns, calendar.per_year(returns.index, periods))
    negative = matrices.negative_eigenvalue(cov.to_numpy())
    if negative is None:
        return Noted(cov)
    if keep:
        return Noted(cov, notes=(
            f"The matrix is not positive semidefinite (lowest eigenvalue {negative:.3g}); "
            "repair it with NEARESTPSD before use.",
        ))
    raise InputError(
        "histories of different length give a covariance that is not positive semidefinite "
        f"(lowest eigenvalue {negative:.3g})",
        fix="Start all histories on the same date, or give the option indefinite = keep and pass "
        "the result through NEARESTPSD.",
        argument="returns",
    )
