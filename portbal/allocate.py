"""Weights from risk alone, without expected returns: risk parity and hierarchical risk parity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from portbal import choices, labels, matrices, tables
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.result import Noted
from portbal.solve import Unbounded, Unproven
from portbal.solve.budget import risk_budget


def risk_parity(cov: pd.DataFrame, budgets: pd.Series | None = None) -> Noted[pd.Series]:
    """The long-only weights, of sum 1, whose contributions to volatility follow the budgets.

    cov      a year, shape (n, n)
    budgets  share of the volatility that each asset contributes, at least 0, of sum 1 within
             0.0001; an absent asset has 0, and None means 1/n each
    returns  weights in the order of cov; an asset with a budget of 0 has weight 0. The proof's
             residual is the largest relative difference between a share and its budget

    Spinu (2013), An algorithm for computing risk parity weights; Roncalli (2013), Introduction
    to Risk Parity and Budgeting, section 2.2. InputError for a negative budget and a sum that
    is not 1; ConflictError when an asset with a budget has no volatility, and when some long
    portfolio of the budgeted assets has none.
    """
    index, sigma = matrices.covariance(cov)
    wanted = np.full(len(index), 1 / len(index)) if budgets is None else _budgets(budgets, index)
    _refuse(
        index, matrices.still(sigma) & (wanted > 0), "it cannot contribute to the risk",
        "Leave it out of cov, or give it a budget of 0.",
    )
    held = np.flatnonzero(wanted > 0)
    try:
        found = risk_budget(sigma[np.ix_(held, held)], wanted[held] / wanted.sum())
    except Unbounded:
        raise ConflictError(
            "some assets hedge each other without a remainder, so there is no risk to share out",
            fix="Leave one of them out, or give it a budget of 0.", argument="cov",
        ) from None
    except Unproven as stopped:
        raise NotAvailable(
            f"no weights could be proved to meet the budgets ({stopped})",
            fix="Leave out assets that nearly hedge each other, or give larger budgets.",
            argument="cov",
        ) from None
    weights = np.zeros(len(index))
    weights[held] = found.weights
    return Noted(pd.Series(weights, index=index), proof={"residual": found.residual})


def _budgets(budgets: pd.Series, index: pd.Index) -> np.ndarray:
    tables.vector(budgets, argument="budgets")
    for label, value in budgets.items():
        if value < 0:
            raise InputError(
                f"the budget of {labels.shorten(label)} is {value:g}, below 0",
                fix="Give a fraction of at least 0.", argument="budgets", row=label,
            )
    values = labels.filled(budgets, index, argument="budgets", reference="cov").to_numpy()
    tables.check_sum(values, "budgets sum", argument="budgets",
                     fix="Scale them, or add the asset that is missing.")
    return values


def _refuse(index: pd.Index, still: np.ndarray, so: str, fix: str) -> None:
    """ConflictError for the first asset without volatility."""
    if still.any():
        label = index[int(still.argmax())]
        raise ConflictError(
            f"{labels.shorten(label)} has no volatility, so {so}", fix=fix, argument="cov",
            row=label, column=label,
        )


# --- hierarchical risk parity --------------------------------------------------------------

Linkage = Literal["single", "complete", "average", "ward"]
# correlation distances (n, n), linkage -> assets in the order of the tree
Order = Callable[[np.ndarray, Linkage], np.ndarray]


def _lopez_de_prado(distances: np.ndarray, linkage: Linkage) -> np.ndarray:
    from scipy.spatial.distance import pdist

    return _leaves(pdist(distances), linkage)


def _plain(distances: np.ndarray, linkage: Linkage) -> np.ndarray:
    return _leaves(distances[np.triu_indices(len(distances), 1)], linkage)


def _ordered(distances: np.ndarray, linkage: Linkage) -> np.ndarray:
    return _leaves(distances[np.triu_indices(len(distances), 1)], linkage, ordered=True)


def _leaves(apart: np.ndarray, linkage: Linkage, *, ordered: bool = False) -> np.ndarray:
    """The order of the leaves, from the distances above the diagonal, row by row."""
    from scipy.cluster import hierarchy

    return hierarchy.leaves_list(hierarchy.linkage(apart, linkage, optimal_ordering=ordered))


METHODS: Mapping[str, Order] = {
    "lopez-de-prado": _lopez_de_prado, "plain": _plain, "ordered": _ordered,
}
# Correlation distances are half the distances between standardised series, so ward, which needs
# Euclidean ones, is sound with every method.
LINKAGES: Mapping[str, Linkage] = {
    "single": "single", "complete": "complete", "average": "average", "ward": "ward",
}


def hrp(
    cov: pd.DataFrame, method: str = "lopez-de-prado", linkage: str = "single"
) -> Noted[pd.Series]:
    """Hierarchical risk parity: long-only weights, of sum 1, by halving a tree of the assets.

    cov      a year, shape (n, n)
    method   what the tree is built from, d = sqrt((1 - correlation) / 2):
             lopez-de-prado  the Euclidean distances between the columns of d
             plain           d itself, as in PyPortfolioOpt
             ordered         as plain, branches turned so that neighbours are close
    linkage  how far two clusters are apart: single (their nearest members), complete (the
             farthest), average, ward (the growth of the variance within)
    returns  weights in the order of cov

    The leaves in the order of the tree are halved again and again; each time the weight is split
    in inverse proportion to the variances of the two inverse-variance portfolios. Lopez de Prado
    (2016), Building diversified portfolios that outperform out of sample, Journal of Portfolio
    Management 42(4). As there, of two assets joined first the earlier one in cov comes first.
    ConflictError for an asset without volatility; InputError for an unknown method or linkage.
    """
    order = choices.one_of(method, METHODS, argument="method")
    linked = choices.one_of(linkage, LINKAGES, argument="linkage")
    index, sigma = matrices.covariance(cov)
    _refuse(index, matrices.still(sigma), "it would take all the weight", "Leave it out of cov.")
    if len(index) == 1:
        return Noted(pd.Series(1.0, index=index))
    deviation = np.sqrt(np.diag(sigma))
    correlation = np.clip(sigma / np.outer(deviation, deviation), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    leaves = order(np.sqrt((1 - correlation) / 2), linked)
    return Noted(pd.Series(halved(sigma, leaves), index=index))


def halved(sigma: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """Weights (n,) by halving the order of the leaves (n,) again and again (Lopez de Prado 2016,
    algorithm 1, stage 3). sigma: covariance (n, n)."""
    weights = np.ones(len(sigma))
    parts = [leaves]
    while parts:
        part = parts.pop()
        if len(part) == 1:
            continue
        halves = part[: len(part) // 2], part[len(part) // 2:]
        first, second = (_inverse_variance_risk(sigma[np.ix_(half, half)]) for half in halves)
        weights[halves[0]] *= second / (first + second)
        weights[halves[1]] *= first / (first + second)
        parts.extend(halves)
    return weights


def _inverse_variance_risk(sigma: np.ndarray) -> float:
    """The variance of the inverse-variance portfolio of these assets."""
    weights = 1 / np.diag(sigma)
    weights /= weights.sum()
    return float(weights @ sigma @ weights)
