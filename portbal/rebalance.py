"""How far a portfolio has moved from its target, and how far to go back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import choices, labels, matrices
from portbal.account import check_sum, open_account
from portbal.choices import Amount
from portbal.errors import InputError, NotAvailable
from portbal.optimize import max_utility
from portbal.result import Noted
from portbal.routes import Setting
from portbal.trade_costs import cost_column

_ROUNDING = 1e-12
_CALENDAR = {"M": "M", "Q": "Q", "Y": "Y"}
_AMOUNTS = {"riskaversion": Amount(2.5, 1e-6, 1e6), "years": Amount(1.0, 1e-3, 1e3)}


def turnover(current: pd.Series, target: pd.Series) -> float:
    """Half the sum of absolute weight changes (one-way turnover, a fraction).

    A name that one side lacks has weight 0 there. InputError when one of them does not sum to 1
    within 0.0001.
    """
    for argument, weights in (("current", current), ("target", target)):
        check_sum(weights, argument)
    universe = labels.union(current.index, target.index)
    now = labels.filled(current, universe, argument="current", reference="target")
    then = labels.filled(target, universe, argument="target", reference="current")
    return float((now - then).abs().sum() / 2)


@dataclass(frozen=True)
class Bands:
    """Where the weights are, and between what they may move. All arrays have shape (n,).

    names: those of holdings, then those that only the target has; net: net assets in money
    """

    names: pd.Index
    current: np.ndarray
    target: np.ndarray
    width: np.ndarray
    net: float

    @property
    def low(self) -> np.ndarray:
        return self.target - self.width

    @property
    def high(self) -> np.ndarray:
        return self.target + self.width

    @property
    def below(self) -> np.ndarray:
        return self.current < self.low - _ROUNDING

    @property
    def above(self) -> np.ndarray:
        return self.current > self.high + _ROUNDING


def bands_of(
    holdings: pd.DataFrame, target: pd.Series, bands: float | pd.Series = 0.05,
    kind: str = "absolute", cov: pd.DataFrame | None = None, flow: float = 0.0,
) -> Bands:
    """The bands around the target, as `drift` describes them. flow: see `rebalance`."""
    check_sum(target, "target")
    universe = labels.union(holdings.index, target.index)
    known = holdings.reindex(universe).fillna({"Quantity": 0.0, "Price": 1.0}) if len(
        universe) > len(holdings) else holdings
    net = open_account(known, universe, 0.0, None).net
    value = (known["Quantity"] * known["Price"]).to_numpy(dtype=float)
    wanted = labels.filled(target, universe, argument="target", reference="holdings").to_numpy()
    if flow:
        value, net = _after_flow(value, wanted, net, flow), net + flow
    width = _width(bands, universe)
    scale = choices.one_of(kind, {
        "absolute": lambda: np.ones(len(universe)),
        "relative": lambda: np.abs(wanted),
        "volatility": lambda: np.abs(wanted) * _volatility(cov, universe),
    }, argument="kind")()
    return Bands(universe, value / net, wanted, width * scale, net)


def drift(
    holdings: pd.DataFrame, target: pd.Series, bands: float | pd.Series = 0.05,
    kind: str = "absolute", cov: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Columns Asset, Current, Target, Drift, Low, High, Action (hold, buy, sell).

    holdings  index assets; columns Quantity, Price; a row Cash (price 1) is cash
    target    weights that sum to 1 within 0.0001
    bands     half the width of the band: one number, or one by asset
    kind      absolute: in weight; relative: a fraction of the target; volatility: a multiple
              of yearly volatility times the target (needs cov)

    Action is buy below Low and sell above High; a weight on its bound holds.
    """
    found = bands_of(holdings, target, bands, kind, cov)
    action = np.where(found.below, "buy", np.where(found.above, "sell", "hold"))
    return pd.DataFrame({
        "Asset": found.names, "Current": found.current, "Target": found.target,
        "Drift": found.current - found.target, "Low": found.low, "High": found.high,
        "Action": action,
    })


# --- how far to go back --------------------------------------------------------------------

@dataclass(frozen=True)
class Calendar:
    """Nothing is traded before the period (every: M, Q or Y) of the last rebalance is over."""

    every: str
    last: dt.datetime
    today: dt.datetime

    def is_due(self) -> bool:
        """Whether today lies in a later period than the last rebalance."""
        frequency = choices.one_of(self.every, _CALENDAR, argument="every")
        if self.today < self.last:
            raise InputError(
                f"today, {self.today:%Y-%m-%d}, is before the last rebalance, "
                f"{self.last:%Y-%m-%d}", fix="Correct one of them.", argument="today")
        return bool(pd.Period(self.today, frequency) > pd.Period(self.last, frequency))


def calendar(
    every: str | None, last: dt.datetime | None, today: dt.datetime | None
) -> Calendar | None:
    """None without every; InputError when it comes without its two dates."""
    if every is None:
        return None
    for argument, day in (("lastdate", last), ("today", today)):
        if day is None:
            raise InputError(
                f"{labels.shorten(every)} needs {argument}, which was not given",
                fix="Give lastdate, the date of the last rebalance, and today.", argument=argument)
    assert last is not None
    assert today is not None
    return Calendar(every, last, today)


def rebalance(
    holdings: pd.DataFrame, target: pd.Series, policy: str = "target",
    bands: float | pd.Series = 0.05, kind: str = "absolute", cov: pd.DataFrame | None = None,
    flow: float = 0.0, assets: pd.DataFrame | None = None,
    options: Mapping[str, object] | None = None, due: Calendar | None = None,
) -> Noted[pd.Series]:
    """The weights to trade to, by asset; those of now while no band is left or none is due.

    holdings, target, bands, kind, cov   as `drift`
    policy   target: all the way back. edge: the least trading that brings every weight into its
             band; what that leaves over is bought (or sold) in proportion to what is missing to
             the target. half: half way between edge and target. cost: where the gain in tracking
             error stops being worth its cost, so that assets for which no trade pays stay
             as they are
    flow     money that comes in, or goes out where negative. It is spent on what is below its
             target (raised from what is above), in proportion, before bands are looked at, and
             also when nothing else is due; weights are of net assets after it
    assets   its column Cost, a fraction of traded value, for the policy cost; cash costs nothing
    options  for the policy cost: riskaversion (2.5), the price of half the tracking variance a
             year, and years (1), over how many of them a trade pays
    due      with it, bands are looked at only once the period of the last rebalance is over

    The policy cost minimises riskaversion/2 (w-t)' cov (w-t) + cost'abs(w - current) / years over
    weights of the same sum, whose solution has a region without trade (Dybvig 2005,
    Mean-variance portfolio rebalancing with transaction costs, section 2).
    """
    chosen = choices.settings(options, {}, _AMOUNTS).amounts
    found = bands_of(holdings, target, bands, kind, cov, flow)
    goals = {
        "target": lambda: Noted(found.target), "edge": lambda: Noted(_edge(found)),
        "half": lambda: Noted((_edge(found) + found.target) / 2),
        "cost": lambda: _worth_it(found, cov, assets, chosen),
    }
    goal = choices.one_of(policy, goals, argument="policy")
    if due is not None and not due.is_due():
        return Noted(pd.Series(found.current, found.names), notes=(
            f"Not due: the last rebalance, {due.last:%Y-%m-%d}, and today, {due.today:%Y-%m-%d}, "
            f"lie in the same period ({due.every.strip().upper()}).",))
    left = found.below | found.above
    if not left.any():
        note = "Every weight is in its band: nothing to do."
        if flow:
            note = "Every weight is in its band once the flow is used: nothing else to do."
        return Noted(pd.Series(found.current, found.names), notes=(note,))
    result = goal()
    return Noted(pd.Series(result.value, found.names), notes=result.notes)


def _after_flow(value: np.ndarray, target: np.ndarray, net: float, flow: float) -> np.ndarray:
    """Values (n,) once the flow has bought what is below its target, or raised from above it (in
    proportion to the targets where a target sum off 1, or rounding, leaves nothing there)."""
    if not net + flow > 0:
        raise InputError(f"it takes out {-flow:,.2f}, and net assets are {net:,.2f}",
                         fix="Give a flow that leaves something.", argument="flow")
    missing = target * (net + flow) - value
    part = np.maximum(np.sign(flow) * missing, 0.0)
    if not part.any():
        part = np.abs(target)
    return value + flow * part / part.sum()


def _edge(found: Bands) -> np.ndarray:
    """Every weight in its band by the least trading: the one way round as much is bought or
    sold as bands demand, the other way it is spread over what is missing to the target."""
    weights = np.clip(found.current, found.low, found.high)
    rest = found.current.sum() - weights.sum()
    part = np.maximum(np.sign(rest) * (found.target - weights), 0.0)
    return weights + rest * part / part.sum() if part.sum() > 0 else weights


def _worth_it(
    found: Bands, cov: pd.DataFrame | None, assets: pd.DataFrame | None,
    chosen: Mapping[str, float],
) -> Noted[np.ndarray]:
    sigma = _covariance(cov, found.names)
    cost = cost_column(assets, found.names)
    aversion = chosen["riskaversion"]
    table = pd.DataFrame({
        "Min": np.minimum(np.minimum(found.current, found.target), 0.0),
        "Current": found.current / found.current.sum(), "Cost": cost / chosen["years"],
    }, index=found.names)
    wanted = found.target / found.target.sum()
    square = pd.DataFrame(sigma, found.names, found.names)
    pull = pd.Series(aversion * sigma @ wanted, found.names)
    best = max_utility(pull, square, aversion, Setting(assets=table)).weights.to_numpy()
    before, after = (float(np.sqrt(max((w - wanted) @ sigma @ (w - wanted), 0.0)))
                     for w in (found.current, best))
    paid = float(cost @ np.abs(best - found.current))
    return Noted(best, notes=(
        f"Tracking error to the target {before:.4%} before, {after:.4%} after, for a cost of "
        f"{paid:.4%} of net assets.",))


def _covariance(cov: pd.DataFrame | None, names: pd.Index) -> np.ndarray:
    """The covariance (n, n) of these names; cash has none."""
    if cov is None:
        raise NotAvailable("the policy cost needs cov", fix="Give cov.", argument="cov")
    index, sigma = matrices.covariance(cov)
    at = labels.positions(index, argument="cov")
    place = np.array([at.get(labels.key(name), -1) for name in names])
    for name, where in zip(names, place, strict=True):
        if where < 0 and labels.key(name) != labels.CASH:
            raise InputError(f"{labels.shorten(name)} is not in cov", fix="Add it to cov.",
                             argument="cov")
    known = place >= 0
    result = np.zeros((len(names), len(names)))
    result[np.ix_(known, known)] = sigma[np.ix_(place[known], place[known])]
    return result


def _width(bands: float | pd.Series, universe: pd.Index) -> np.ndarray:
    if isinstance(bands, pd.Series):
        width = labels.same(bands, universe, argument="bands",
                            reference="holdings and target").to_numpy()
    else:
        width = np.full(len(universe), float(bands))
    if (width < 0).any():
        label = universe[int(np.flatnonzero(width < 0)[0])]
        raise InputError(f"the band of {labels.shorten(label)} is negative",
                         fix="Give a band of at least 0.", argument="bands",
                         row=label if isinstance(bands, pd.Series) else None)
    return width


def _volatility(cov: pd.DataFrame | None, universe: pd.Index) -> np.ndarray:
    """Volatility a year by asset; cash has none."""
    if cov is None:
        raise NotAvailable("bands by volatility need cov", fix="Give cov.", argument="cov")
    at = labels.positions(cov.index, argument="cov")
    result = np.zeros(len(universe))
    for i, label in enumerate(universe):
        name = labels.key(label)
        if name in at:
            variance = float(cov.to_numpy(dtype=float)[at[name], at[name]])
            if variance < 0:
                raise InputError(f"the variance of {labels.shorten(label)} is negative",
                                 fix="Correct it.", argument="cov", row=label)
            result[i] = np.sqrt(variance)
        elif name != labels.CASH:
            raise InputError(f"{labels.shorten(label)} is not in cov",
                             fix="Add it to cov.", argument="cov")
    return result
