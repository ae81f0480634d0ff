"""Random mandates over the whole limit vocabulary, and the same mandates posed in cvxpy.

Each word is formulated here by itself, from the contract, so that it is independent of the
package's own reading. Every mandate is calibrated around a portfolio that satisfies it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cvxpy as cp
import numpy as np
import pandas as pd

SECTORS = ("Tech", "Energy", "Banks")
EXACT = {"solver": "CLARABEL", "tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
NAV, PARTICIPATION = 2e6, 0.15
PERIODS = 252
Weights = cp.Variable | np.ndarray
Row = tuple[str, float, float]


@dataclass(frozen=True)
class Instance:
    """rows: Limit, Min, Max; soft: the same with a Penalty behind; held: a portfolio that
    satisfies all rows."""

    mu: pd.Series
    cov: pd.DataFrame
    returns: pd.DataFrame
    assets: pd.DataFrame
    held: np.ndarray
    rows: list[Row] = field(default_factory=list)
    soft: list[tuple[str, float, float, float]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return list(self.mu.index)

    @property
    def has_cash(self) -> bool:
        return "Cash" in self.names

    @property
    def invested(self) -> np.ndarray:
        return np.array([name != "Cash" for name in self.names])

    def table(self, *, soft: bool = False) -> pd.DataFrame:
        """The limits as the package reads them."""
        rows = [(*row, np.nan) for row in self.rows] + (list(self.soft) if soft else [])
        return pd.DataFrame(
            rows, columns=["Limit", "Min", "Max", "Penalty"], index=range(2, 2 + len(rows)))

    def column(self, title: str) -> np.ndarray:
        return self.assets[title].to_numpy(dtype=float)

    @property
    def root(self) -> np.ndarray:
        values, vectors = np.linalg.eigh(self.cov.to_numpy())
        return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T

    # --- the words -------------------------------------------------------------------------

    def values(self, word: str, w: Weights) -> list[cp.Expression]:
        """One expression, or one for each member."""
        lead, _, rest = word.partition(" ")
        benchmark = self.column("Benchmark") if "Benchmark" in self.assets else None
        if word.startswith("each active "):
            return [x - self.at(x0) for x, x0 in zip(
                self.values(f"each {word[12:]}", w), self.values(f"each {word[12:]}", benchmark),
                strict=True)]
        if word == "each asset":
            return [w[i] for i in range(len(self.names))]
        if lead == "each":
            return [self.values(f"{rest} {label}", w)[0]
                    for label in dict.fromkeys(self.assets[rest])]
        if lead == "active" and rest != "share":
            return [self.values(rest, w)[0] - self.at(self.values(rest, benchmark)[0])]
        if lead in ("Sector", "Issuer"):
            return [(self.assets[lead] == rest).to_numpy(dtype=float) @ w]
        if lead == "exposure":
            return [self.column(rest) @ w]
        if lead == "cvar":
            return [self.tail(-self.returns.to_numpy() @ w, float(rest.rstrip("%")) / 100)]
        if lead == "top":
            return [largest(w, int(rest))]
        if lead == "liquid":
            cap = np.where(self.invested, float(rest.split()[1]) * self.a_day, 1e3)
            return [cp.sum(cp.minimum(w, cap))]
        if word == "days to liquidate":
            return [cp.abs(w[i]) / self.a_day[i] for i in np.flatnonzero(self.invested)]
        if word.removeprefix("asset ") in self.names:
            return [w[self.names.index(word.removeprefix("asset "))]]
        inside = self.invested.astype(float)
        return [{
            "net": lambda: inside @ w,
            "gross": lambda: inside @ cp.abs(w),
            "short": lambda: inside @ cp.neg(w),
            "cash": lambda: (1 - inside) @ w,
            "return": lambda: self.mu.to_numpy() @ w,
            "volatility": lambda: cp.norm(self.root @ w),
            "tracking error": lambda: cp.norm(self.root @ (w - benchmark)),
            "turnover": lambda: cp.norm1(w - self.column("Current")) / 2,
            "trade cost": lambda: self.column("Cost") @ cp.abs(w - self.column("Current")),
            "active share": lambda: cp.norm1(w - benchmark) / 2,
            "beta": lambda: (benchmark @ self.cov.to_numpy()) @ w
            / (benchmark @ self.cov.to_numpy() @ benchmark),
        }[word]()]

    @property
    def a_day(self) -> np.ndarray:
        return self.column("ADV") * PARTICIPATION / NAV

    @staticmethod
    def at(expression: cp.Expression | float) -> float:
        return float(getattr(expression, "value", expression))

    @staticmethod
    def tail(losses: cp.Expression, level: float) -> cp.Expression:
        """The mean of the worst losses as the contract has it: a sum of largest entries."""
        m = (1 - level) * losses.shape[0]
        k = int(np.floor(m + 1e-9))
        part = max(m - k, 0.0)
        least = largest(losses, k) if k else 0.0
        return ((1 - part) * least + part * largest(losses, k + 1)) / m

    def constraints(self, w: cp.Variable) -> list[cp.Constraint]:
        """All firm rows, the floors and the sum of weights."""
        n = len(self.names)
        floor = np.zeros(n)
        for word, _, high in self.rows:
            if word == "short":
                floor[self.invested] = -high
        own = self.assets.get("Min", pd.Series(np.nan, self.assets.index)).to_numpy()
        for word, low, _ in self.rows:
            if word == "each asset":
                own = np.fmax(own, low)
        floor = np.where(np.isnan(own), floor, own)
        upper = np.full(n, np.inf)
        if "Max" in self.assets:
            upper = self.assets["Max"].fillna(np.inf).to_numpy()
        result = [w >= floor]
        if np.isfinite(upper).any():
            result.append(w[np.isfinite(upper)] <= upper[np.isfinite(upper)])
        if self.has_cash or not any(word == "net" for word, _, _ in self.rows):
            result.append(cp.sum(w) == 1)
        for word, low, high in self.rows:
            if word in ("nav", "participation"):
                continue
            if word == "effective number":
                result.append(cp.norm(w[np.flatnonzero(self.invested)]) <= 1 / np.sqrt(low))
                continue
            for value in self.values(word, w):
                if high == high:
                    result.append(value <= high)
                if low == low and word != "each asset":
                    result.append(value >= low)
        return result

    def beyond(self, w: np.ndarray) -> float:
        """How far weights (n,) are outside the mandate."""
        variable = cp.Variable(len(w))
        variable.value = w
        return max(float(np.max(c.violation())) for c in self.constraints(variable))


# word -> what kind of bound it gets around the portfolio held
_BOUNDS = {
    "A0": "max", "asset A1": "min", "each asset": "max", "each Sector": "max",
    "Sector Tech": "both", "exposure Beta": "both", "active A0": "both",
    "active Sector Tech": "both", "active exposure Beta": "both", "each active asset": "both",
    "each active Sector": "both", "active share": "max", "beta": "both", "net": "both",
    "gross": "max", "short": "short", "cash": "both", "return": "min", "volatility": "max",
    "tracking error": "max", "cvar 90%": "max", "cvar 97.5%": "max", "turnover": "max",
    "trade cost": "max", "top 2": "max", "top 9": "max", "effective number": "number",
    "days to liquidate": "max", "liquid in 2 days": "min", "each floor": "floor",
}
WORDS = tuple(_BOUNDS)


def instance(seed: int) -> Instance:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    cash = bool(rng.random() < 0.25)
    names = [f"A{i}" for i in range(n - cash)] + ["Cash"] * cash
    factors = rng.normal(size=(n, 2)) * 0.12
    cov = factors @ factors.T + np.diag(rng.uniform(0.005, 0.05, n))
    mu = rng.normal(0.06, 0.04, n)
    if cash:
        cov[-1], cov[:, -1], mu[-1] = 0, 0, 0.02
    history = rng.multivariate_normal(mu / PERIODS, cov / PERIODS, size=int(rng.integers(25, 45)))
    history += mu / PERIODS - history.mean(axis=0)  # so that a return row reads the same mean
    assets = pd.DataFrame(
        {
            "Sector": [SECTORS[i % len(SECTORS)] for i in range(n)],
            "Benchmark": rng.dirichlet(np.full(n, 2.0)),
            "Current": rng.dirichlet(np.full(n, 2.0)),
            "Beta": rng.uniform(-0.5, 1.5, n),
            "Cost": rng.uniform(0.0, 0.004, n),
            "ADV": rng.uniform(5e5, 5e6, n),
        },
        index=names,
    )
    if rng.random() < 0.2:
        assets["Min"] = np.where(rng.random(n) < 0.5, -rng.uniform(0, 0.1, n), np.nan)
    plain = Instance(
        pd.Series(mu, names), pd.DataFrame(cov, names, names),
        pd.DataFrame(history, pd.bdate_range("2024-01-01", periods=len(history)), names),
        assets, assets[["Benchmark", "Current"]].mean(axis=1).to_numpy())
    if rng.random() < 0.2:
        assets["Max"] = np.where(rng.random(n) < 0.5, plain.held + rng.uniform(0.05, 0.4), np.nan)
    words = [str(w) for w in rng.permutation(WORDS)[: int(rng.integers(1, 7))]]
    if "net" in words and not cash:  # a net row alone may leave the weights unbounded
        words = [*(w for w in words if w != "gross"), "gross"]
    words = [w for w in words if cash or w != "cash"]
    if "each floor" in words:
        words = [w for w in words if w != "each asset"]
    rows: list[Row] = []
    if {"days to liquidate", "liquid in 2 days"} & set(words):
        rows += [("nav", np.nan, NAV), ("participation", np.nan, PARTICIPATION)]
    rows += [_row(plain, word, rng) for word in words]
    soft = []
    if rng.random() < 0.5:
        for word in rng.permutation(["Sector Tech", "exposure Beta", "turnover", "volatility",
                                     "top 2", "tracking error"])[:2]:
            now = plain.at(plain.values(str(word), plain.held)[0])
            soft.append((str(word), np.nan, 0.8 * now - 0.02 if word != "exposure Beta"
                         else now - 0.1, float(rng.uniform(0.001, 0.1))))
    return Instance(plain.mu, plain.cov, plain.returns, assets, plain.held, rows, soft)


def _row(plain: Instance, word: str, rng: np.random.Generator) -> Row:
    kind = _BOUNDS[word]
    if kind == "short":
        return word, np.nan, float(rng.uniform(0.02, 0.3))
    if kind == "floor":
        return "each asset", -float(rng.uniform(0, 0.2)), np.nan
    if kind == "number":
        own = plain.held[plain.invested]
        return word, float(rng.uniform(0.6, 0.99) / (own @ own)), np.nan
    values = [plain.at(x) for x in plain.values(word, plain.held)]
    size = max(map(abs, values)) + (0.05 if word not in ("trade cost", "cvar 90%") else 1e-4)
    room = float(rng.uniform(0.02, 0.3)) * size
    low, high = min(values) - room * rng.uniform(0.2, 1), max(values) + room
    return (word, float(low) if kind in ("min", "both") else np.nan,
            float(high) if kind in ("max", "both") else np.nan)


# --- the objectives --------------------------------------------------------------------------

Value = Callable[[Weights], cp.Expression]


def drawdowns(returns: np.ndarray, w: np.ndarray) -> np.ndarray:
    """How far the cumulated simple return lies below its highest so far, (T,), for numpy."""
    path = np.concatenate([[0.0], np.cumsum(returns @ w)])
    return (np.maximum.accumulate(path) - path)[1:]


def posed_drawdowns(
    returns: np.ndarray, w: cp.Variable
) -> tuple[cp.Expression, list[cp.Constraint]]:
    """The same as an expression, with the constraints of its peaks."""
    T = len(returns)
    path, peak = np.cumsum(returns, axis=0) @ w, cp.Variable(T)
    return peak - path, [peak >= path, peak >= 0, peak[1:] >= peak[:-1]]


def largest(values: Weights, count: int) -> cp.Expression:
    """The sum of so many largest entries; of all where there are not more."""
    return cp.sum(values) if count >= values.shape[0] else cp.sum_largest(values, count)


# --- conflicts -------------------------------------------------------------------------------

@dataclass(frozen=True)
class Bound:
    """One bound of one limit; keep: the expression and 1 for a Max, -1 for a Min."""

    name: str
    bound: float
    value: Callable[[cp.Variable], cp.Expression]
    sign: int

    def within(self, w: cp.Variable, slack: cp.Variable, bound: float) -> cp.Constraint:
        if self.name == "effective number":
            return self.value(w) <= 1 / np.sqrt(bound) + slack
        return self.sign * self.value(w) <= self.sign * bound + slack


def listed(case: Instance) -> list[Bound]:
    """Every bound, in the order of the table, then those of the Min and Max columns."""
    found: list[Bound] = []

    def add(name: str, low: float, high: float,
            value: Callable[[cp.Variable], cp.Expression]) -> None:
        if low == low:
            found.append(Bound(name, low, value, -1))
        if high == high:
            found.append(Bound(name, high, value, 1))

    own = np.flatnonzero(case.invested)
    for word, low, high in case.rows:
        if word in ("nav", "participation"):
            continue
        if word == "effective number":
            add(word, low, high, lambda w: cp.norm(w[own]))
            continue
        groups = [f"Sector {label}" for label in dict.fromkeys(case.assets["Sector"])]
        names = {
            "each asset": case.names, "each Sector": groups,
            "each active asset": [f"active {name}" for name in case.names],
            "each active Sector": [f"active {name}" for name in groups],
            "days to liquidate": [f"days to liquidate {case.names[i]}" for i in own],
        }.get(word, [word.removeprefix("asset ")])
        for i, name in enumerate(names):
            add(name, low, high, lambda w, i=i, word=word: case.values(word, w)[i])
    for i, name in enumerate(case.names):
        low, high = (case.assets[title].iloc[i] if title in case.assets else np.nan
                     for title in ("Min", "Max"))
        add(name, low, high, lambda w, i=i: w[i])
    return found


def hold(case: Instance, bounds: list[tuple[Bound, float]]) -> bool:
    """Whether these bounds can hold together with the sum of weights and the floors that no
    limit replaces: the least that all must be loosened by is 0."""
    w, slack = cp.Variable(len(case.names)), cp.Variable(nonneg=True)
    floor = np.zeros(len(case.names))
    words = [word for word, _, _ in case.rows]
    if "short" in words:
        floor[case.invested] = -np.inf
    if any(word == "each asset" and low == low for word, low, _ in case.rows):
        floor[:] = -np.inf
    if "Min" in case.assets:
        floor[case.assets["Min"].notna().to_numpy()] = -np.inf
    kept = np.flatnonzero(np.isfinite(floor))
    rows = [w[kept] >= 0] if len(kept) else []
    if case.has_cash or "net" not in words:
        rows.append(cp.sum(w) == 1)
    rows += [bound.within(w, slack, value) for bound, value in bounds]
    return bool(cp.Problem(cp.Minimize(slack), rows).solve(**EXACT) <= 1e-8)


def contradiction(seed: int) -> Instance:
    """An instance with every bound moved by chance, often past what can hold."""
    case, rng = instance(seed), np.random.default_rng(seed)
    rows = []
    for word, low, high in case.rows:
        if word in ("nav", "participation"):
            rows.append((word, low, high))
            continue
        size = max(abs(x) for x in (low, high) if x == x)
        shift = float(rng.uniform(-0.4, 1.0)) * (size + (1e-3 if size < 0.02 else 0.1))
        if word == "effective number":
            low = max(low + 3 * shift, 0.5)
        elif low == low and (high != high or rng.random() < 0.5):
            low = min(low + shift, high if high == high else np.inf)
        elif word in ("volatility", "tracking error", "turnover", "trade cost", "top 2",
                      "active share", "gross", "short", "days to liquidate"):
            high = max(high - shift, 0.1 * high)
        else:
            high = max(high - shift, low if low == low else -np.inf)
        rows.append((word, low, high))
    return Instance(case.mu, case.cov, case.returns, case.assets, case.held, rows)
