"""What can be limited: each measure turns weights into an expression.

From the one expression come the constraint, the check and the shadow price's meaning.
A measure says which data it needs; ``Facts`` provides them or says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from portbal import labels, matrices, periods, tables
from portbal.errors import InputError, NotAvailable
from portbal.solve.discrete import ISSUER_MOST, LARGE_MOST, Holdings, Issuers
from portbal.solve.expressions import (
    AbsoluteSum,
    CappedSum,
    EffectiveNumber,
    Expression,
    LargestSum,
    Linear,
    Norm,
    ShortSum,
    TailMean,
)
from portbal.solve.roots import root_of


@dataclass(frozen=True)
class Facts:
    """All that a limit may need to know, aligned to one universe of n assets.

    assets    groupings and exposures, one row an asset; None when there is no such table
    mu        expected returns a year, shape (n,); cov, a year, shape (n, n)
    returns   scenarios a period, shape (T, n)
    undated   why returns could not be brought to a year, where they could not
    nav, participation   net assets, and the share of a day's trading volume one may be
    """

    universe: pd.Index
    assets: pd.DataFrame | None = None
    mu: np.ndarray | None = None
    cov: np.ndarray | None = None
    returns: np.ndarray | None = None
    undated: InputError | None = None
    nav: float | None = None
    participation: float = 0.2

    @classmethod
    def gather(
        cls,
        universe: pd.Index,
        assets: pd.DataFrame | None = None,
        mu: pd.Series | None = None,
        cov: pd.DataFrame | None = None,
        returns: pd.DataFrame | None = None,
        periods_a_year: float | None = None,
        *,
        reference: str,
    ) -> Facts:
        """Align everything to ``universe``; what mu and cov lack comes from returns.

        reference is the name of the argument the universe was read from. mu falls back
        to the arithmetic mean a year, cov to the sample covariance a year.
        """
        aligned = None if assets is None else _aligned_assets(assets, universe, reference)
        scenarios = None
        if returns is not None:
            table = labels.same_columns(returns, universe, argument="returns", reference=reference)
            scenarios = table.to_numpy(dtype=float)
        m = None if mu is None else labels.same(
            mu, universe, argument="mu", reference=reference).to_numpy()
        c = None if cov is None else matrices.covariance(labels.same_square(
            cov, universe, argument="cov", reference=reference))[1]
        undated = None
        if scenarios is not None and returns is not None and (m is None or c is None):
            try:
                a_year = periods.per_year(returns.index, periods_a_year)
            except InputError as error:
                undated = error
            else:
                m = scenarios.mean(axis=0) * a_year if m is None else m
                if c is None and len(scenarios) > 1:
                    c = np.atleast_2d(np.cov(scenarios, rowvar=False)) * a_year
        return cls(universe, aligned, m, c, scenarios, undated)

    @property
    def size(self) -> int:
        return len(self.universe)

    @cached_property
    def cash(self) -> np.ndarray:
        return labels.is_cash(self.universe)

    @cached_property
    def root(self) -> np.ndarray:
        return root_of(self.need("cov", self.cov))

    def need(self, what: str, value: np.ndarray | None) -> np.ndarray:
        """The value, or NotAvailable that says which argument would bring it."""
        if value is None and self.undated is not None:
            raise self.undated
        if value is None:
            other = "" if what == "returns" else ", or the returns it can be computed from"
            raise NotAvailable(
                f"it needs {what}, which was not given", fix=f"Give {what}{other}."
            )
        return value

    def column(self, title: str) -> pd.Series:
        """A column of assets by title, in the order of the universe."""
        if self.assets is not None:
            for name in self.assets.columns:
                if labels.key(name) == labels.key(title):
                    return self.assets[name]
        where = "assets has no such column" if self.assets is not None else "assets was not given"
        raise NotAvailable(
            f"it needs a {title} column, and {where}", fix=f"Add a {title} column to assets."
        )

    def portfolio(self, title: str) -> np.ndarray:
        """Benchmark or Current: absent is 0, the sum must be 1."""
        values = self.column(title).fillna(0.0).to_numpy(dtype=float)
        tables.check_sum(values, f"the column {title} sums", argument="assets", column=title,
                         fix=f"Scale {title}, or add the asset that is missing.")
        return values

    def costs(self) -> np.ndarray:
        """The column Cost: a fraction of what is traded, at least 0."""
        values = self.exposure("Cost")
        if (values < 0).any():
            label = self.universe[int(np.flatnonzero(values < 0)[0])]
            raise InputError(
                f"{labels.shorten(label)} has the negative Cost {values.min():g}",
                fix="Give costs as fractions of at least 0.", argument="assets", row=label,
                column="Cost",
            )
        return values

    def exposure(self, title: str) -> np.ndarray:
        """A numeric column; every asset needs a value."""
        column = self.column(title)
        if is_grouping(column):
            raise InputError(
                f"the column {title} holds text, and an exposure is a number",
                fix=f"Use '{title} <label>' for a group, or a numeric column.",
                argument="assets", column=title,
            )
        values = column.to_numpy(dtype=float)
        if np.isnan(values).any():
            label = self.universe[int(np.flatnonzero(np.isnan(values))[0])]
            raise InputError(
                f"{labels.shorten(label)} has no {title}",
                fix=f"Fill in the column {title}.", argument="assets", row=label, column=title,
            )
        return values


def _aligned_assets(assets: pd.DataFrame, universe: pd.Index, reference: str) -> pd.DataFrame:
    """Rows in the order of the universe; text blank and number NaN where there is none."""
    at = labels.positions(assets.index, argument="assets")
    known = set(labels.keys(universe))
    for title in ("Benchmark", "Current"):
        if title in assets.columns:
            held = assets[title].fillna(0.0).to_numpy(dtype=float) != 0
            for label in assets.index[held]:
                if labels.key(label) not in known:
                    raise InputError(
                        f"{labels.shorten(label)} has a {title} weight and is not in {reference}",
                        fix=f"Add it to {reference}, or clear its {title}.",
                        argument="assets", row=label, column=title,
                    )
    order = [at.get(name, -1) for name in labels.keys(universe)]
    columns = {}
    for title in assets.columns:
        values = assets[title].to_numpy()
        blank: object = "" if is_grouping(assets[title]) else np.nan
        columns[title] = [values[i] if i >= 0 else blank for i in order]
    return pd.DataFrame(columns, index=universe)


def is_grouping(column: pd.Series) -> bool:
    """Whether a column of assets holds text (a grouping) and not numbers (an exposure)."""
    return not pd.api.types.is_numeric_dtype(column)


@dataclass(frozen=True)
class Measure:
    """name: as a message says it; express: the expression for given facts.

    box: the position of the one asset that the measure is the weight of, else None.
    """

    name: str
    express: Callable[[Facts], Expression]
    box: int | None = None


def asset(position: int, name: str) -> Measure:
    """The weight of the asset at this position of the universe."""
    return Measure(name, lambda facts: Linear(np.eye(facts.size)[position]), box=position)


def members(name: str, mask: np.ndarray) -> Measure:
    """The sum of weights of the assets where the mask is true."""
    return Measure(name, lambda _facts: Linear(mask.astype(float)))


def exposure(title: str) -> Measure:
    """The sum of weights times a numeric column of assets."""
    return Measure(f"exposure {title}", lambda facts: Linear(facts.exposure(title)))


def active(inner: Measure) -> Measure:
    """A linear measure less that of the benchmark."""

    def express(facts: Facts) -> Expression:
        expression = inner.express(facts)
        if not isinstance(expression, Linear):
            raise NotAvailable(
                f"'active {inner.name}' has no meaning",
                fix="Use active with an asset, a group or an exposure.",
            )
        held = expression.value(facts.portfolio("Benchmark"))
        return Linear(expression.coefficients, expression.constant - held)

    return Measure(f"active {inner.name}", express)


def cvar(level: float, name: str) -> Measure:
    """The historical CVaR a period at this level."""
    return Measure(name, lambda facts: TailMean(facts.need("returns", facts.returns), level))


def top(count: int, name: str) -> Measure:
    """The sum of the largest weights."""
    return Measure(name, lambda facts: LargestSum(np.ones(facts.size, dtype=bool), count))


def days_to_liquidate(position: int, label: str) -> Measure:
    """The days it takes to trade one asset away."""

    def express(facts: Facts) -> Expression:
        price = np.zeros(facts.size)
        price[position] = 1 / _a_day(facts)[position]
        return AbsoluteSum(price, np.zeros(facts.size))

    return Measure(f"days to liquidate {label}", express)


def liquid_in(days: float, name: str) -> Measure:
    """The share that can be sold within so many days; a short position counts against it."""
    return Measure(name, lambda facts: CappedSum(days * _a_day(facts)))


def _a_day(facts: Facts) -> np.ndarray:
    """The weight of each asset that can be traded in a day; cash is liquid at once."""
    if facts.nav is None:
        raise InputError(
            "it needs the net assets", fix="Add a row nav with the net assets in Max.")
    volume = facts.column("ADV").to_numpy(dtype=float)
    traded = volume * facts.participation / facts.nav
    traded[facts.cash] = np.inf
    bad = ~(traded > 0)
    if bad.any():
        label = facts.universe[int(np.flatnonzero(bad)[0])]
        raise InputError(
            f"{labels.shorten(label)} has no positive ADV",
            fix="Fill in what is traded of it a day.", argument="assets", row=label, column="ADV",
        )
    return traded


def _beta(facts: Facts) -> Expression:
    cov = facts.need("cov", facts.cov)
    benchmark = facts.portfolio("Benchmark")
    variance = float(benchmark @ cov @ benchmark)
    if variance <= 0:
        raise InputError(
            "the benchmark has no variance, so beta has no meaning",
            fix="Give a benchmark that moves.", argument="assets", column="Benchmark",
        )
    return Linear(cov @ benchmark / variance)


@dataclass(frozen=True)
class _Counted:
    """A value that no convex program can hold: the mandate poses it by branching."""

    count: Callable[[np.ndarray], float]

    def value(self, weights: np.ndarray) -> float:
        return float(self.count(weights))


def issuer_groups(facts: Facts) -> np.ndarray:
    """One row an issuer, picking its assets; an asset without an issuer is its own, cash
    has none. Shape (g, n)."""
    names = [labels.key(x) for x in facts.column("Issuer")]
    groups: dict[str, np.ndarray] = {}
    for at, (name, label) in enumerate(zip(names, facts.universe, strict=True)):
        if not facts.cash[at]:
            groups.setdefault(name or f"asset {labels.key(label)}", np.zeros(facts.size))[at] = 1
    return np.array(list(groups.values()))


def _not_cash(facts: Facts) -> np.ndarray:
    return (~facts.cash).astype(float)


def _zeros(facts: Facts) -> np.ndarray:
    return np.zeros(facts.size)


def _cash(facts: Facts) -> Expression:
    if not facts.cash.any():
        raise InputError(
            "there is no asset named Cash", fix="Add an asset named Cash, or remove the row."
        )
    return Linear(facts.cash.astype(float))


# What the mandate decides by branching.
UCITS = ("ucits 5/10/40: largest issuer", "ucits 5/10/40: issuers above 5%")
DISCRETE = ("holdings", "smallest holding", *UCITS)
ISSUER_LIMITS = (
    (Measure(UCITS[0], lambda facts: _Counted(Issuers(issuer_groups(facts)).largest)),
     ISSUER_MOST),
    (Measure(UCITS[1], lambda facts: _Counted(Issuers(issuer_groups(facts)).above)),
     LARGE_MOST),
)

# The words that stand alone, in the order a list of them is shown.
WORDS: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("net", lambda facts: Linear(_not_cash(facts))),
        Measure("gross", lambda facts: AbsoluteSum(_not_cash(facts), _zeros(facts))),
        Measure("short", lambda facts: ShortSum(_not_cash(facts))),
        Measure("cash", _cash),
        Measure("return", lambda facts: Linear(facts.need("mu", facts.mu))),
        Measure("volatility", lambda facts: Norm(facts.root, _zeros(facts))),
        Measure("tracking error", lambda facts: Norm(facts.root, facts.portfolio("Benchmark"))),
        Measure("active share", lambda facts: AbsoluteSum(
            np.full(facts.size, 0.5), facts.portfolio("Benchmark"))),
        Measure("beta", _beta),
        Measure("effective number", lambda facts: EffectiveNumber(~facts.cash)),
        Measure("holdings", lambda facts: _Counted(Holdings(~facts.cash).count)),
        Measure("smallest holding", lambda facts: _Counted(Holdings(~facts.cash).smallest)),
        Measure("turnover", lambda facts: AbsoluteSum(
            np.full(facts.size, 0.5), facts.portfolio("Current"))),
        Measure("trade cost", lambda facts: AbsoluteSum(
            facts.costs(), facts.portfolio("Current"))),
    )
}
