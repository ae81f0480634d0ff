"""Which limit breaks in which scenario."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels, stress
from portbal.errors import InputError, UserError
from portbal.limits.check import check
from portbal.result import Noted


@dataclass(frozen=True)
class Rechecked:
    """before: the limits as `limits.check` finds them now; after: the same in each scenario, with
    what the portfolio loses in it."""

    before: pd.DataFrame
    after: dict[str, tuple[float, pd.DataFrame]]
    notes: tuple[str, ...]

    def details(self) -> Noted[pd.DataFrame]:
        """One row a scenario and limit: columns Scenario, Loss, Limit, Before, After, Min, Max,
        Headroom, Status; the last two after the scenario."""
        parts = [
            pd.DataFrame({
                "Scenario": name, "Loss": loss, "Limit": found["Limit"],
                "Before": self.before["Value"], "After": found["Value"], "Min": found["Min"],
                "Max": found["Max"], "Headroom": found["Headroom"], "Status": found["Status"],
            })
            for name, (loss, found) in self.after.items()
        ]
        return Noted(pd.concat(parts, ignore_index=True), notes=self.notes)

    def summary(self) -> Noted[pd.DataFrame]:
        """One row a scenario: columns Scenario, Loss, Breaches (how many limits break in it),
        Limits (which)."""
        rows = []
        for name, (loss, found) in self.after.items():
            broken = list(map(str, found["Limit"][found["Status"] == "breach"]))
            rows.append((name, loss, len(broken), ", ".join(broken) or None))
        columns = ["Scenario", "Loss", "Breaches", "Limits"]
        return Noted(pd.DataFrame(rows, columns=columns), notes=self.notes)

    def matrix(self) -> Noted[pd.DataFrame]:
        """One row a limit, one column a scenario: columns Limit, Min, Max, Now, then the
        scenarios; Now and below them the status: ok, at limit or breach."""
        columns = {title: self.before[title] for title in ("Limit", "Min", "Max")}
        columns["Now"] = self.before["Status"]
        for name, (_, found) in self.after.items():
            columns[f"{name} (scenario)" if name in columns else name] = found["Status"]
        return Noted(pd.DataFrame(columns), notes=self.notes)


def recheck(
    weights: pd.Series,
    limits: pd.DataFrame,
    assets: pd.DataFrame,
    shocks: pd.DataFrame,
    more: pd.DataFrame | None = None,
    *,
    cov: pd.DataFrame | None = None,
    returns: pd.DataFrame | None = None,
    periods: float | None = None,
    mu: pd.Series | None = None,
) -> Rechecked:
    """All limits checked again after each scenario.

    shocks   columns Scenario, Where, Shock; the rows of a scenario as in `stress.losses`
    more     the same, of further scenarios

    Nothing is traded: weights move with the shocks, w (1 + s) / (1 + sum of w s), and the
    Benchmark and Current columns of assets likewise. Notes name the breaches of each scenario.

    InputError as `stress.losses` and `limits.check`, for a scenario in which everything is lost,
    and for one of more that shocks has too.
    """
    universe = assets.index
    held = labels.filled(weights, universe, argument="weights", reference="assets")

    def checked(book: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
        return check(book, limits, table, cov=cov, returns=returns, periods=periods, mu=mu)

    after: dict[str, tuple[float, pd.DataFrame]] = {}
    notes: list[str] = []
    for title, rows, argument in _scenarios(shocks, more):
        try:
            moves, unmoved = stress.by_asset(universe, rows, assets)
        except UserError as error:
            if error.argument == "shocks":
                error.argument = argument
            raise
        moved = assets.copy()
        for column in ("Benchmark", "Current"):
            if column in assets.columns:
                moved[column] = _drifted(assets[column].fillna(0.0).to_numpy(), moves, title)
        book = pd.Series(_drifted(held.to_numpy(), moves, title), index=universe)
        loss, found = -float(held.to_numpy() @ moves), checked(book, moved)
        after[title] = loss, found
        broken = [str(limit) for limit in found["Limit"][found["Status"] == "breach"]]
        listed = ", ".join(broken[:5]) + (" and others" if len(broken) > 5 else "")
        notes.append(f"{title} loses {loss:.4g} and breaks {listed or 'no limit'}.")
        notes += [f"{title}: {note}" for note in unmoved]
    return Rechecked(checked(held, assets), after, tuple(notes))


def _scenarios(
    shocks: pd.DataFrame, more: pd.DataFrame | None
) -> list[tuple[str, pd.DataFrame, str]]:
    """Each scenario's name, as it is spelt first, its rows, and the argument they are from."""
    found: dict[str, tuple[str, pd.DataFrame, str]] = {}
    for argument, table in (("shocks", shocks), ("more", more)):
        if table is None:
            continue
        known, names = set(found), table["Scenario"].map(labels.key)
        for at, name in enumerate(names):
            if name in known:
                raise InputError(
                    f"{labels.shorten(table['Scenario'].iloc[at])} is a scenario of shocks too",
                    fix="Give it another name.", argument="more", row=int(table.index[at]),
                )
            if name not in found:
                found[name] = str(table["Scenario"].iloc[at]), table[names == name], argument
    return list(found.values())


def _drifted(weights: np.ndarray, moves: np.ndarray, scenario: str) -> np.ndarray:
    """Weights after the moves; what is not invested stays as it is."""
    left = 1 + float(weights @ moves)
    if left <= 0:
        raise InputError(
            f"nothing is left after {labels.shorten(scenario)}", fix="Use smaller shocks.",
            argument="shocks",
        )
    return weights * (1 + moves) / left
