"""Drawdowns of the path that cumulated returns take, without compounding, as expressions.

The path is the running sum of returns @ w; a drawdown is how far it lies below its highest
point so far, 0 before the first return included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portbal.solve.cone import Program, Rows
from portbal.solve.expressions import tail_below, tail_mean


@dataclass(frozen=True)
class _Path:
    """returns (T, n)."""

    returns: np.ndarray

    def drawdowns(self, weights: np.ndarray) -> np.ndarray:
        """How far below its peak the path lies after each return, shape (T,)."""
        path = np.cumsum(self.returns @ weights)
        return np.maximum(np.maximum.accumulate(path), 0.0) - path

    def _posed(self, program: Program) -> Rows:
        """T rows that are at least the drawdowns, and can be as small as they are: each is at
        least 0, and at least the one before less the return."""
        T = len(self.returns)
        earned = Rows.identity(T, program.new(T))  # of its own: it keeps the factors sparse
        program.zero(Rows.of(self.returns) - earned)
        start = program.new(T)
        depth = Rows.identity(T, start)
        later = np.arange(1, T)
        before = Rows(np.zeros(T), later, start + later - 1, np.ones(T - 1))
        program.positive(depth)
        program.positive(depth - before + earned)
        return depth


@dataclass(frozen=True)
class MaximumDrawdown(_Path):
    """The largest drawdown."""

    def value(self, weights: np.ndarray) -> float:
        return float(self.drawdowns(weights).max())

    def below(self, program: Program, bound: Rows) -> int:
        depth = self._posed(program)
        return program.positive(bound.repeated(depth.height) - depth)


@dataclass(frozen=True)
class AverageDrawdown(_Path):
    """The mean of the drawdowns."""

    def value(self, weights: np.ndarray) -> float:
        return float(self.drawdowns(weights).mean())

    def below(self, program: Program, bound: Rows) -> int:
        return program.positive(bound - self._posed(program).mean())


@dataclass(frozen=True)
class DrawdownTail(_Path):
    """Conditional drawdown at risk: the mean of the worst (1 - level) of the drawdowns."""

    level: float

    def value(self, weights: np.ndarray) -> float:
        return tail_mean(self.drawdowns(weights), self.level)

    def below(self, program: Program, bound: Rows) -> int:
        return tail_below(program, self._posed(program), self.level, bound)


@dataclass(frozen=True)
class Ulcer(_Path):
    """The root of the mean square of the drawdowns."""

    def value(self, weights: np.ndarray) -> float:
        return float(np.sqrt(np.mean(self.drawdowns(weights) ** 2)))

    def below(self, program: Program, bound: Rows) -> int:
        depth = self._posed(program)
        return program.norm(bound.above(depth.times(1 / np.sqrt(depth.height))))
