"""What a portfolio is expected to earn and how much it moves, and which asset moves it.

Returns and covariances are a year. Weights may have any sum; a name that weights lack is 0.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from portbal import groups as grouping
from portbal import labels, matrices, tables
from portbal.errors import InputError


def portfolio_return(weights: pd.Series, mu: pd.Series) -> float:
    """sum of w mu."""
    expected = tables.vector(mu, argument="mu")
    return float(_weights(weights, mu.index, reference="mu") @ expected)


def volatility(weights: pd.Series, cov: pd.DataFrame) -> float:
    """sqrt(w' Sigma w)."""
    index, sigma = matrices.covariance(cov)
    return _deviation(_weights(weights, index, reference="cov"), sigma)


def sharpe(
    weights: pd.Series, mu: pd.Series, cov: pd.DataFrame, riskfree: float = 0.0
) -> float:
    """(sum of w (mu - riskfree)) / volatility, so that what is not invested earns riskfree.

    InputError when mu and cov name different assets, and when the volatility is 0.
    """
    expected = tables.vector(mu, argument="mu")
    square = labels.same_square(cov, mu.index, argument="cov", reference="mu")
    _, sigma = matrices.covariance(square)
    w = _weights(weights, mu.index, reference="mu")
    risk = _deviation(w, sigma)
    if risk == 0:
        raise _riskless("there is no Sharpe ratio")
    return float(w @ (expected - riskfree)) / risk


def contributions(
    weights: pd.Series, cov: pd.DataFrame, groups: pd.Series | None = None
) -> pd.DataFrame:
    """How each asset's share of the volatility comes about.

    Marginal is Sigma w / volatility, the change of volatility per unit of weight; Contribution is
    weight times marginal, and the contributions add up to the volatility; Share is contribution
    over volatility (Roncalli 2013, Introduction to Risk Parity and Budgeting, section 2.1).

    groups   asset -> group for every asset; further assets in it do not matter. Weight,
             Contribution and Share are then sums, Marginal is Contribution over Weight, the change
             of volatility when the whole group grows in proportion (NaN for a weight of 0)
    returns  columns Asset (or Group), Weight, Marginal, Contribution, Share; assets in the order
             of weights, then the rest of cov; groups in the order in which these assets name them

    InputError when the volatility is 0, and for an asset without a group.
    """
    names, w, sigma = matrices.held(weights, cov)
    risk = _deviation(w, sigma)
    if risk == 0:
        raise _riskless("there is nothing to share out")
    marginal = sigma @ w / risk
    contribution = w * marginal
    if groups is None:
        return _table("Asset", list(names), w, marginal, contribution, risk)
    by = grouping.of(names, groups)
    held, shared = by.sums(w), by.sums(contribution)
    per_weight = np.full(len(by.titles), np.nan)
    np.divide(shared, held, out=per_weight, where=held != 0)
    return _table("Group", by.titles, held, per_weight, shared, risk)


def incremental(
    weights: pd.Series, cov: pd.DataFrame, groups: pd.Series | None = None
) -> pd.DataFrame:
    """What each asset, or group, adds to the volatility by being there at all.

    Alone is the volatility of its position by itself, Without that of the portfolio when the
    position becomes cash, Incremental the volatility less Without (negative for a hedge). They do
    not add up; contributions do (`contributions`).

    groups   as in `contributions`
    returns  columns Asset (or Group), Weight, Alone, Without, Incremental
    """
    names, w, sigma = matrices.held(weights, cov)
    by = grouping.singly(names) if groups is None else grouping.of(names, groups)
    parts = np.where(by.masks(), w, 0.0)
    alone = np.sqrt(matrices.variances(parts, sigma))
    without = np.sqrt(matrices.variances(w - parts, sigma))
    return pd.DataFrame({
        "Asset" if groups is None else "Group": by.titles, "Weight": by.sums(w), "Alone": alone,
        "Without": without, "Incremental": _deviation(w, sigma) - without,
    })


def _weights(weights: pd.Series, onto: pd.Index, *, reference: str) -> np.ndarray:
    tables.vector(weights, argument="weights")
    return labels.filled(weights, onto, argument="weights", reference=reference).to_numpy()


def _deviation(w: np.ndarray, sigma: np.ndarray) -> float:
    return float(np.sqrt(matrices.variances(w[None, :], sigma)[0]))


def _riskless(consequence: str) -> InputError:
    return InputError(
        f"the portfolio has no volatility, and {consequence}",
        fix="Give weights to assets whose covariance is not 0.", argument="weights",
    )


def _table(
    first: str, titles: list[str], w: np.ndarray, marginal: np.ndarray,
    contribution: np.ndarray, risk: float,
) -> pd.DataFrame:
    return pd.DataFrame({
        first: titles, "Weight": w, "Marginal": marginal, "Contribution": contribution,
        "Share": contribution / risk,
    })
