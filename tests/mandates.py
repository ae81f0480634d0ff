"""Random mandates for tests, and the same mandates posed once more in cvxpy.

The formulation here reads the limit words by itself, so that it is independent of the
package's own reading.
"""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
import pandas as pd

SECTORS = ("Tech", "Energy", "Banks")
EXACT = {"solver": "CLARABEL", "tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9}


@dataclass(frozen=True)
class Case:
    mu: pd.Series
    cov: pd.DataFrame
    returns: pd.DataFrame
    assets: pd.DataFrame
    limits: pd.DataFrame | None

    def constraints(self, w: cp.Variable) -> list[cp.Constraint]:
        """All limits of the case on a cvxpy variable."""
        rows = [] if self.limits is None else self.limits.values.tolist()
        short = [high for name, _, high in rows if name == "short"]
        floors = [low for name, low, _ in rows if name == "each asset" and low == low]
        floor = max(floors) if floors else -short[0] if short else 0.0
        result = [w >= floor]
        if not any(name == "net" for name, _, _ in rows):
            result.append(cp.sum(w) == 1)
        for name, low, high in rows:
            value = self.measure(name, w)
            if high == high:
                result.append(value <= high)
            if low == low and name != "each asset":
                result.append(value >= low)
        return result

    def measure(self, name: str, w: cp.Variable | np.ndarray) -> cp.Expression:
        root = np.linalg.cholesky(self.cov.to_numpy()).T
        benchmark = self.assets["Benchmark"].to_numpy()
        current = self.assets["Current"].to_numpy()
        lead, _, rest = name.partition(" ")
        if lead == "Sector":
            return (self.assets["Sector"] == rest).to_numpy(dtype=float) @ w
        if lead == "exposure":
            return self.assets[rest].to_numpy() @ w
        if lead == "active" and rest != "share":
            held = (self.assets["Sector"] == rest.removeprefix("Sector ")).to_numpy(dtype=float)
            return held @ (w - benchmark)
        if lead == "cvar":
            losses = -self.returns.to_numpy() @ w
            quantile = cp.Variable()
            tail = (1 - float(rest.rstrip("%")) / 100) * len(self.returns)
            return quantile + cp.sum(cp.pos(losses - quantile)) / tail
        return {
            "each asset": lambda: w,
            "net": lambda: cp.sum(w),
            "gross": lambda: cp.norm1(w),
            "short": lambda: cp.sum(cp.neg(w)),
            "return": lambda: self.mu.to_numpy() @ w,
            "volatility": lambda: cp.norm(root @ w),
            "tracking error": lambda: cp.norm(root @ (w - benchmark)),
            "turnover": lambda: cp.norm1(w - current) / 2,
            "trade cost": lambda: self.assets["Cost"].to_numpy() @ cp.abs(w - current),
            "active share": lambda: cp.norm1(w - benchmark) / 2,
            "beta": lambda: (self.cov.to_numpy() @ benchmark) @ w
            / (benchmark @ self.cov.to_numpy() @ benchmark),
            "A0": lambda: w[0],
        }[name]()


def random_case(seed: int) -> Case:
    """A mandate that the benchmark satisfies, so that it is feasible."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 13))
    names = [f"A{i}" for i in range(n)]
    factors = rng.normal(size=(n, 3)) * 0.12
    cov = factors @ factors.T + np.diag(rng.uniform(0.005, 0.05, n))
    mu = rng.normal(0.06, 0.04, n)
    history = rng.multivariate_normal(mu / 252, cov / 252, size=120)
    sectors = [SECTORS[i % len(SECTORS)] for i in range(n)]
    assets = pd.DataFrame(
        {
            "Sector": sectors,
            "Benchmark": rng.dirichlet(np.full(n, 2.0)),
            "Current": rng.dirichlet(np.full(n, 2.0)),
            "Beta": rng.uniform(0.5, 1.5, n),
            "Cost": rng.uniform(0.0005, 0.004, n),
        },
        index=names,
    )
    case = Case(
        pd.Series(mu, index=names), pd.DataFrame(cov, names, names),
        pd.DataFrame(history, columns=names, index=pd.bdate_range("2024-01-01", periods=120)),
        assets, None,
    )
    words = rng.permutation([
        "each asset", "Sector Tech", "exposure Beta", "gross", "short", "volatility",
        "tracking error", "turnover", "trade cost", "active share", "beta", "return",
        "active Sector Energy", "cvar 90%", "A0", "net",
    ])[: int(rng.integers(1, 6))]
    if "net" in words:  # a net row alone may leave the weights unbounded
        words = np.append(words[words != "gross"], "gross")
    rows = []
    held = assets["Benchmark"].to_numpy()
    for word in words:
        if word == "cvar 90%":
            now = float(np.sort(-case.returns.to_numpy() @ held)[::-1][:12].mean())
        else:
            value = case.measure(word, held)
            now = float(np.max(getattr(value, "value", value)))
        room = float(rng.uniform(0.02, 0.3)) * (abs(now) + 0.05)
        two_sided = word in {"Sector Tech", "exposure Beta", "beta", "active Sector Energy", "net"}
        low = now - room * rng.uniform(0.2, 1) if two_sided else np.nan
        high = now + room
        if word == "short":
            high = float(rng.uniform(0.05, 0.3))
        if word == "return":
            low, high = now - room, np.nan
        rows.append((str(word), low, high))
    limits = pd.DataFrame(rows, columns=["Limit", "Min", "Max"])
    return Case(case.mu, case.cov, case.returns, assets, limits)
