"""Functions of the weights that can be limited or optimised.

Each knows its value at given weights. A convex one can be kept ``below`` a bound in a conic
program, a concave one ``above`` it; a linear one is both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from portbal.solve.cone import Program, Rows


class Expression(Protocol):
    """Any function of the weights."""

    def value(self, weights: np.ndarray) -> float:
        """The value at weights of shape (n,)."""


@runtime_checkable
class Convex(Expression, Protocol):
    """A function that can be kept below a bound."""

    def below(self, program: Program, bound: Rows) -> int:
        """Adds ``expression <= bound`` (one row); returns the constraint that holds it."""


@runtime_checkable
class Concave(Expression, Protocol):
    """A function that can be kept above a bound."""

    def above(self, program: Program, bound: Rows) -> int:
        """Adds ``expression >= bound`` (one row); returns the constraint that holds it."""


@dataclass(frozen=True)
class Linear:
    """coefficients'w + constant, with coefficients of shape (n,)."""

    coefficients: np.ndarray
    constant: float = 0.0

    def value(self, weights: np.ndarray) -> float:
        return float(self.coefficients @ weights + self.constant)

    def rows(self) -> Rows:
        return Rows.of(self.coefficients[None, :], self.constant)

    def below(self, program: Program, bound: Rows) -> int:
        return program.positive(bound - self.rows())

    def above(self, program: Program, bound: Rows) -> int:
        return program.positive(self.rows() - bound)


@dataclass(frozen=True)
class Norm:
    """The Euclidean norm of root @ (w - centre); root has shape (k, n)."""

    root: np.ndarray
    centre: np.ndarray

    def value(self, weights: np.ndarray) -> float:
        return float(np.linalg.norm(self.root @ (weights - self.centre)))

    def below(self, program: Program, bound: Rows) -> int:
        return program.norm(bound.above(Rows.of(self.root, -self.root @ self.centre)))


@dataclass(frozen=True)
class AbsoluteSum:
    """The sum of price * abs(w - centre); price >= 0 and centre have shape (n,)."""

    price: np.ndarray
    centre: np.ndarray

    def value(self, weights: np.ndarray) -> float:
        return float(self.price @ np.abs(weights - self.centre))

    def below(self, program: Program, bound: Rows) -> int:
        used = np.flatnonzero(self.price)
        pick = np.eye(len(self.price))[used]
        parts = program.new(len(used))
        size = Rows.identity(len(used), start=parts)
        change = Rows.of(pick, -self.centre[used])
        program.positive(size - change)
        program.positive(size + change)
        return program.positive(bound - Rows.of(self.price[used][None, :], start=parts))


@dataclass(frozen=True)
class ShortSum:
    """The sum of max(-w, 0) over the assets whose price is 1 (price has shape (n,))."""

    price: np.ndarray

    def value(self, weights: np.ndarray) -> float:
        return float(self.price @ np.maximum(-weights, 0))

    def below(self, program: Program, bound: Rows) -> int:
        used = np.flatnonzero(self.price)
        parts = program.new(len(used))
        size = Rows.identity(len(used), start=parts)
        program.positive(size + Rows.of(np.eye(len(self.price))[used]))
        program.positive(size)
        return program.positive(bound - Rows.of(self.price[used][None, :], start=parts))


@dataclass(frozen=True)
class TailMean:
    """Conditional value at risk: the mean of the worst share of losses -scenarios @ w.

    With m = (1 - level) T and k = floor(m) it is the sum of the k worst losses plus
    (m - k) times the next, over m. scenarios has shape (T, n).
    Rockafellar and Uryasev (2000), Optimization of conditional value-at-risk, eq. 9.
    """

    scenarios: np.ndarray
    level: float

    def value(self, weights: np.ndarray) -> float:
        return tail_mean(-self.scenarios @ weights, self.level)

    def below(self, program: Program, bound: Rows) -> int:
        return tail_below(program, -Rows.of(self.scenarios), self.level, bound)


@dataclass(frozen=True)
class LargestSum:
    """The sum of the ``count`` largest weights among those the mask (n,) names; of all where
    there are not so many."""

    mask: np.ndarray
    count: int

    def value(self, weights: np.ndarray) -> float:
        return float(np.sort(weights[self.mask])[::-1][: self.count].sum())

    def below(self, program: Program, bound: Rows) -> int:
        used = np.flatnonzero(self.mask)
        count = min(self.count, len(used))
        quantile, excess = program.new(1), program.new(len(used))
        over = Rows.identity(len(used), start=excess)
        program.positive(over)
        program.positive(over + Rows.of(np.ones((len(used), 1)), start=quantile)
                         - Rows.of(np.eye(len(self.mask))[used]))
        return program.positive(
            bound - Rows.of(np.full((1, 1), float(count)), start=quantile)
            - Rows.of(np.ones((1, len(used))), start=excess))


@dataclass(frozen=True)
class EffectiveNumber:
    """1 over the sum of squared weights among those the mask (n,) names; 0 without holdings."""

    mask: np.ndarray

    def value(self, weights: np.ndarray) -> float:
        squares = float(weights[self.mask] @ weights[self.mask])
        return 1 / squares if squares > 0 else 0.0

    def above(self, program: Program, bound: Rows) -> int:
        """The bound must be a constant: then it is a ball around 0, and all where not positive."""
        if bound.value.size:
            raise ValueError("the bound of an effective number is a constant")
        if not bound.constant[0] > 0:
            return program.positive(Rows.constants(0.0))
        return self.ball.below(program, Rows(1 / np.sqrt(bound.constant)))

    @property
    def ball(self) -> Norm:
        """The norm of these weights: at most 1/sqrt(b) where the effective number is at least b."""
        return Norm(np.eye(len(self.mask))[self.mask], np.zeros(len(self.mask)))


@dataclass(frozen=True)
class CappedSum:
    """The sum of min(w, cap); cap has shape (n,), positive, infinite where nothing caps."""

    cap: np.ndarray

    def value(self, weights: np.ndarray) -> float:
        return float(np.minimum(weights, self.cap).sum())

    def above(self, program: Program, bound: Rows) -> int:
        n = len(self.cap)
        start = program.new(n)
        part = Rows.identity(n, start=start)
        program.positive(Rows.of(np.eye(n)) - part)
        capped = np.flatnonzero(np.isfinite(self.cap))
        unit = np.maximum(self.cap[capped], 1.0)  # a far cap must not dwarf the other rows
        share = Rows.of(np.eye(n)[capped] / unit[:, None], start=start)
        program.positive(Rows.constants(self.cap[capped] / unit) - share)
        return program.positive(Rows.of(np.ones((1, n)), start=start) - bound)


def tail_below(program: Program, losses: Rows, level: float, bound: Rows) -> int:
    """Keeps the mean of the worst (1 - level) of the losses (T rows) below the bound."""
    T = losses.height
    quantile = Rows.identity(1, program.new(1))
    excess = Rows.identity(T, program.new(T))
    program.positive(excess)
    program.positive(excess + quantile.repeated(T) - losses)
    return program.positive(bound - quantile - excess.mean().times(1 / (1 - level)))


def tail_mean(losses: np.ndarray, level: float) -> float:
    """The mean of the worst (1 - level) of the losses, with the fractional one weighed."""
    m = (1 - level) * len(losses)
    k = min(int(m), len(losses) - 1)
    worst = np.sort(losses)[::-1]
    return float((worst[:k].sum() + (m - k) * worst[k]) / m)
