"""How much optimal weights move when the estimates behind them do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal import labels, matrices
from portbal.errors import ConflictError, InputError
from portbal.optimize import max_sharpe
from portbal.result import Noted
from portbal.routes import FREE, Setting

COLUMNS = ["Asset", "Weight", "Low", "High"]


def sensitivity(
    mu: pd.Series, cov: pd.DataFrame, errors: pd.DataFrame | pd.Series, runs: int = 200,
    setting: Setting = FREE, seed: int = 1,
) -> Noted[pd.DataFrame]:
    """Columns Asset, Weight, Low, High: max Sharpe weights at mu, and the 5% and 95% quantiles
    of those when mu moves within its errors.

    errors  the covariance of the errors of mu (n, n), or their standard deviations (n,), a
            year; each run draws mu from a normal distribution around the one given
    Michaud (1998), Efficient Asset Management. A draw in which no portfolio beats a riskfree
    rate of 0 is left out, and a note counts them.
    """
    if not 10 <= runs <= 10_000:
        raise InputError(f"{runs} runs are not possible", fix="Give 10 to 10,000 runs.",
                         argument="runs")
    base = max_sharpe(mu, cov, 0.0, setting).weights
    if isinstance(errors, pd.DataFrame):
        aligned = labels.same_square(errors, mu.index, argument="errors", reference="mu")
        spread = matrices.covariance(aligned, "errors")[1]
    else:
        sizes = labels.same(errors, mu.index, argument="errors", reference="mu").to_numpy()
        if (sizes < 0).any():
            label = mu.index[int(np.flatnonzero(sizes < 0)[0])]
            raise InputError(f"{labels.shorten(label)} has a negative error",
                             fix="Give errors of at least 0.", argument="errors", row=label)
        spread = np.diag(sizes**2)
    drawn, lost = [], 0
    for step in _steps(labels.keys(mu.index), spread, runs, seed):
        try:
            moved = pd.Series(mu.to_numpy(dtype=float) + step, index=mu.index)
            drawn.append(max_sharpe(moved, cov, 0.0, setting).weights.to_numpy())
        except ConflictError:
            lost += 1
    if not drawn:
        raise ConflictError("in no run did a portfolio beat a riskfree rate of 0",
                            fix="Give smaller errors.", argument="errors")
    low, high = np.quantile(np.array(drawn), [0.05, 0.95], axis=0)
    table = pd.DataFrame({"Asset": base.index, "Weight": base.to_numpy(), "Low": low,
                          "High": high})
    notes = (f"In {lost} of {runs} runs no portfolio beat a riskfree rate of 0; they are left "
             "out.",) if lost else ()
    return Noted(table[COLUMNS], notes=notes)


def _steps(names: list[str], spread: np.ndarray, runs: int, seed: int) -> np.ndarray:
    """Normal draws (runs, n) with this covariance (n, n). Each name draws the same, in whatever
    order the names stand."""
    order = np.argsort(names, kind="stable")
    values, vectors = np.linalg.eigh(spread[np.ix_(order, order)])
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    steps = np.empty((runs, len(names)))
    steps[:, order] = np.random.default_rng(seed).standard_normal(steps.shape) @ root.T
    return steps
