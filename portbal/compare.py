"""The usual ways to weight the same assets, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import allocate, labels, matrices, optimize, optimize_tail, tables, tail
from portbal import periods as calendar
from portbal.errors import ConflictError, NotAvailable
from portbal.estimate import covariance, expected
from portbal.limits.check import check
from portbal.result import Noted
from portbal.routes import FREE, Setting

LEVEL = 0.95
STATISTICS = ("Return", "Volatility", "Sharpe", "VaR", "CVaR")


@dataclass(frozen=True)
class _Market:
    """What the portfolios are made from; setting has all of it for the limits."""

    returns: pd.DataFrame
    mu: pd.Series
    cov: pd.DataFrame
    setting: Setting


@dataclass(frozen=True)
class _Found:
    weights: pd.Series
    notes: tuple[str, ...] = ()


def _equal_weight(market: _Market) -> _Found:
    n = len(market.mu)
    return _Found(pd.Series(np.full(n, 1 / n), index=market.mu.index))


def _min_volatility(market: _Market) -> _Found:
    found = optimize.min_volatility(market.cov, market.setting)
    return _Found(found.weights, found.notes)


def _max_sharpe(market: _Market) -> _Found:
    found = optimize.max_sharpe(market.mu, market.cov, 0.0, market.setting)
    return _Found(found.weights, found.notes)


def _min_cvar(market: _Market) -> _Found:
    found = optimize_tail.min_cvar(market.returns, LEVEL, None, market.setting)
    return _Found(found.weights, found.notes)


def _risk_parity(market: _Market) -> _Found:
    return _Found(allocate.risk_parity(market.cov).value)


def _hrp(market: _Market) -> _Found:
    return _Found(allocate.hrp(market.cov).value)


def _max_diversification(market: _Market) -> _Found:
    found = optimize.max_diversification(market.cov, market.setting)
    return _Found(found.weights, found.notes)


PORTFOLIOS: Mapping[str, Callable[[_Market], _Found]] = {
    "Equal weight": _equal_weight, "Min volatility": _min_volatility, "Max Sharpe": _max_sharpe,
    "Min CVaR": _min_cvar, "Risk parity": _risk_parity, "HRP": _hrp,
    "Max diversification": _max_diversification,
}
_WITHOUT_LIMITS = ("Equal weight", "Risk parity", "HRP")


def compare(
    returns: pd.DataFrame, mu: pd.Series | None = None, cov: pd.DataFrame | None = None,
    setting: Setting = FREE,
) -> Noted[pd.DataFrame]:
    """Seven portfolios of the assets of ``returns`` and what each promises and risks.

    returns  simple, per period, shape (T, n), without blanks
    mu, cov  a year; left out, the arithmetic mean and the sample covariance of returns
    setting  limits, assets, periods. Min volatility, Max Sharpe, Min CVaR and Max diversification
             keep the limits; Equal weight, Risk parity and HRP take none, and a note says which
             they break
    returns  column Asset, then one per portfolio; a row of weights per asset, then Return,
             Volatility, Sharpe (riskfree 0), VaR and CVaR: a year the first three, historical at
             95% and per return period the last two

    A portfolio that does not exist, such as the Max Sharpe one where nothing earns more than 0,
    has a column of NaN and a note that says why. ConflictError when the limits cannot hold
    together, InputError for unsound arguments.
    """
    market = _market(returns, mu, cov, setting)
    names, notes = market.mu.index, []
    table = pd.DataFrame({"Asset": [*map(str, names), *STATISTICS]}, dtype=object)
    for title, allocation in PORTFOLIOS.items():
        try:
            found = allocation(market)
        except (ConflictError, NotAvailable) as error:
            if error.argument in ("limits", "assets"):
                raise
            table[title] = np.nan
            notes.append(f"{title} has no answer: {error.problem}.")
            continue
        statistics, remarks = _statistics(market, found.weights)
        table[title] = [*found.weights, *statistics]
        notes += [f"{title}: {note}" for note in found.notes]
        notes += [note for note in remarks if note not in notes]
        if title in _WITHOUT_LIMITS:
            notes += _breaches(title, market, found.weights)
    return Noted(table, notes=tuple(notes))


def _market(
    returns: pd.DataFrame, mu: pd.Series | None, cov: pd.DataFrame | None, setting: Setting
) -> _Market:
    tables.complete(returns, argument="returns")
    names = returns.columns
    if mu is None:
        mu = expected.mean(returns, calendar.per_year(returns.index, setting.periods))
    if cov is None:
        cov = covariance.sample(returns, calendar.per_year(returns.index, setting.periods))
    mu = labels.same(mu, names, argument="mu", reference="returns")
    tables.vector(mu, argument="mu")
    cov = labels.same_square(cov, names, argument="cov", reference="returns")
    matrices.covariance(cov)
    return _Market(
        returns, mu, cov,
        Setting(setting.limits, setting.assets, returns, setting.periods, mu, cov))


def _statistics(
    market: _Market, weights: pd.Series
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    w, sigma = weights.to_numpy(), market.cov.to_numpy()
    earned = float(w @ market.mu.to_numpy())
    volatility = float(np.sqrt(max(matrices.variances(w[None, :], sigma)[0], 0.0)))
    sharpe = earned / volatility if volatility > 0 else np.nan
    losses = tail.of_table(market.returns, weights, LEVEL, "historical", 1, None)
    return (earned, volatility, sharpe, losses.var, losses.cvar), losses.notes


def _breaches(title: str, market: _Market, weights: pd.Series) -> list[str]:
    """One note for all limits that a portfolio made without them breaks."""
    setting = market.setting
    if setting.limits is None and setting.assets is None:
        return []
    limits = pd.DataFrame(columns=["Limit", "Min", "Max"])
    assets = pd.DataFrame(index=weights.index)
    table = check(weights, limits if setting.limits is None else setting.limits,
                  assets if setting.assets is None else setting.assets,
                  cov=market.cov, returns=market.returns, periods=setting.periods, mu=market.mu)
    broken = [labels.shorten(name) for name in table["Limit"][table["Status"] == "breach"]]
    if not broken:
        return []
    more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
    return [f"{title} takes no limits and breaks {', '.join(broken[:3])}{more}."]
