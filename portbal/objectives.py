"""Objectives in words: ``min volatility``, ``max sharpe 2%``, ``target return 6%``, ..."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import pandas as pd

from portbal import allocate, labels, optimize, optimize_tail
from portbal.errors import InputError, NotAvailable
from portbal.routes import FREE, Setting, Solution

T = TypeVar("T")
_NUMBER = re.compile(r"\s+([-+]?(?:\d+\.?\d*|\.\d+))\s*(%?)$")


@dataclass(frozen=True)
class Data:
    """What an objective may need; None where it was not given."""

    mu: pd.Series | None = None
    cov: pd.DataFrame | None = None
    setting: Setting = FREE

    def need_mu(self) -> pd.Series:
        return _given("mu", self.mu)

    def need_cov(self) -> pd.DataFrame:
        return _given("cov", self.cov)

    def need_returns(self) -> pd.DataFrame:
        return _given("returns", self.setting.returns)


def _given(name: str, value: T | None) -> T:
    if value is None:
        raise NotAvailable(f"the objective needs {name}, which was not given",
                           fix=f"Give {name}.", argument=name)
    return value


Solve = Callable[[Data, float], "Solution | pd.Series"]


def _informed(data: Data) -> Setting:
    """The setting with mu and cov, for limits that need what the objective does not."""
    return replace(data.setting, mu=data.mu, cov=data.cov)


# word -> how it is solved, its parameter when left out (NaN: it must be given)
_OBJECTIVES: dict[str, tuple[Solve, float]] = {
    "min volatility": (
        lambda d, _: optimize.min_volatility(d.need_cov(), _informed(d)), 0.0),
    "max sharpe": (
        lambda d, x: optimize.max_sharpe(d.need_mu(), d.need_cov(), x, d.setting), 0.0),
    "max return": (
        lambda d, _: optimize.max_return(d.need_mu(), d.need_cov(), d.setting), 0.0),
    "target return": (
        lambda d, x: optimize.target_return(d.need_mu(), d.need_cov(), x, d.setting),
        float("nan")),
    "target volatility": (
        lambda d, x: optimize.target_volatility(d.need_mu(), d.need_cov(), x, d.setting),
        float("nan")),
    "max utility": (
        lambda d, x: optimize.max_utility(d.need_mu(), d.need_cov(), x, d.setting),
        float("nan")),
    "min cvar": (
        lambda d, x: optimize_tail.min_cvar(d.need_returns(), x, None, _informed(d)), 0.95),
    "risk parity": (lambda d, _: allocate.risk_parity(d.need_cov()).value, 0.0),
    "hrp": (lambda d, _: allocate.hrp(d.need_cov()).value, 0.0),
    "equal weight": (lambda d, _: _equal(d), 0.0),
}


@dataclass(frozen=True)
class Objective:
    """kind: one of the words above; parameter: the number behind them."""

    kind: str
    parameter: float

    def solve(self, data: Data) -> pd.Series:
        """The weights that are best."""
        return self.answer(data)[0]

    def answer(self, data: Data) -> tuple[pd.Series, Mapping[str, float]]:
        """The weights that are best, and how far that is proved."""
        found = _OBJECTIVES[self.kind][0](data, self.parameter)
        if isinstance(found, Solution):
            return found.weights, found.proof
        return found, {}


def parse(text: str, argument: str = "objective") -> Objective:
    """An objective from its words; InputError with the nearest for unknown ones."""
    words = " ".join(text.replace("\u00a0", " ").split()).casefold()
    number = _NUMBER.search(words)
    value = float("nan")
    if number is not None and words[: number.start()] in _OBJECTIVES:
        words = words[: number.start()]
        value = float(number[1]) / (100 if number[2] else 1)
    if words not in _OBJECTIVES:
        raise InputError(
            f"{labels.shorten(text)} is no known objective",
            fix=labels.suggestion(words, _OBJECTIVES, f"Use {', '.join(_OBJECTIVES)}."),
            argument=argument,
        )
    if value != value:
        value = _OBJECTIVES[words][1]
    if value != value:
        raise InputError(f"'{words}' needs a number behind it", fix=f"Write '{words} 10%'.",
                         argument=argument)
    return Objective(words, value)


def _equal(data: Data) -> pd.Series:
    source = data.mu if data.mu is not None else data.cov
    index = data.need_returns().columns if source is None else source.index
    return pd.Series(1 / len(index), index=index)
