"""Rules that no convex set can express: how many holdings, how small, and UCITS 5/10/40.

Each is relaxed to a convex set and decided by branching: an asset is in or out, an issuer
is at most 5% or counts in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from portbal.solve.cone import Program, Rows

HELD = 1e-7  # a smaller weight is not a holding
ISSUER_MOST, ISSUER_SMALL, LARGE_MOST = 0.10, 0.05, 0.40
_STEPS = 25  # towards the largest separable part
UNKNOWN, OUT, LONG, SHORT = -1, 0, 1, 2


@dataclass(frozen=True)
class Quadratic:
    """(w - centre)'Q(w - centre)/2 with Q = matrix (n, n), and what of it can be taken apart by
    asset; no centre is 0."""

    matrix: np.ndarray
    centre: np.ndarray | None = None

    @cached_property
    def separable(self) -> np.ndarray:
        """A diagonal (n,) that leaves the matrix positive semidefinite."""
        return _separable(self.matrix)


@dataclass(frozen=True)
class Holdings:
    """At most ``most`` and at least ``fewest`` assets held, each held one at least ``least``.

    mask (n,) names the assets that count (all but cash).
    """

    mask: np.ndarray
    most: int | None = None
    fewest: int | None = None
    least: float = 0.0

    def count(self, weights: np.ndarray) -> int:
        return int((np.abs(weights[self.mask]) > HELD).sum())

    def smallest(self, weights: np.ndarray) -> float:
        """The smallest holding; infinite when nothing is held."""
        sizes = np.abs(weights[self.mask])
        return float(sizes[sizes > HELD].min(initial=np.inf))


@dataclass(frozen=True)
class Issuers:
    """UCITS 5/10/40: no issuer above 10%, those above 5% together at most 40%.

    groups (g, n): row g picks the assets of one issuer; most, large: the 10% and the 40%, None
    where that half of the rule does not hold.
    """

    groups: np.ndarray
    most: float | None = ISSUER_MOST
    large: float | None = LARGE_MOST

    def sizes(self, weights: np.ndarray) -> np.ndarray:
        return self.groups @ weights

    def largest(self, weights: np.ndarray) -> float:
        return float(self.sizes(weights).max(initial=0.0))

    def above(self, weights: np.ndarray) -> float:
        """What the issuers above 5% sum to."""
        sizes = self.sizes(weights)
        return float(sizes[sizes > ISSUER_SMALL + HELD].sum())


@dataclass(frozen=True)
class State:
    """What is decided: of each asset UNKNOWN, OUT, LONG or SHORT; of each issuer UNKNOWN,
    OUT (at most 5%) or LONG (counts in full)."""

    assets: np.ndarray
    issuers: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))

    def decide(self, which: str, at: int, value: int) -> State:
        changed = getattr(self, which).copy()
        changed[at] = value
        return replace(self, **{which: changed})


@dataclass(frozen=True)
class Discrete:
    """All discrete limits of a mandate together. lower and upper (n,) must be finite where
    an asset may be held or not."""

    lower: np.ndarray
    upper: np.ndarray
    holdings: Holdings | None = None
    issuers: Issuers | None = None

    def distances(self, weights: np.ndarray) -> list[float]:
        """How far weights (n,) are within each rule, negative where they break it."""
        result: list[float] = []
        if self.holdings is not None:
            rule, count = self.holdings, float(self.holdings.count(weights))
            if rule.most is not None:
                result.append(rule.most - count)
            if rule.fewest is not None:
                result.append(count - rule.fewest)
            result.append(rule.smallest(weights) - rule.least)
        if self.issuers is not None:
            for most, size in ((self.issuers.most, self.issuers.largest(weights)),
                               (self.issuers.large, self.issuers.above(weights))):
                if most is not None:
                    result.append(most - size)
        return result

    def root(self) -> State:
        n = len(self.lower)
        assets = np.full(n, UNKNOWN)
        groups = 0 if self.issuers is None else len(self.issuers.groups)
        return State(assets, np.full(groups, UNKNOWN))

    def relax(
        self, program: Program, state: State, quadratic: Quadratic | None
    ) -> dict[int, int]:
        """Adds the convex relaxation of a state, and the quadratic to the objective in its
        perspective form where that is given. Returns the variable that says how far an
        undecided asset is held, by asset."""
        undecided: dict[int, int] = {}
        if self.holdings is not None:
            undecided = self._relax_holdings(program, state, self.holdings, quadratic)
        elif quadratic is not None:
            program.minimise_quadratic(quadratic.matrix, quadratic.centre)
        if self.issuers is not None:
            _relax_issuers(program, state, self.issuers, self.issuers.groups @ self.upper)
        return undecided

    def _relax_holdings(
        self, program: Program, state: State, rule: Holdings, quadratic: Quadratic | None
    ) -> dict[int, int]:
        n = len(self.lower)
        pick = np.eye(n)
        decided = state.assets
        for value, low, high in (
            (OUT, np.zeros(n), np.zeros(n)),
            (LONG, np.maximum(self.lower, rule.least), None),
            (SHORT, None, np.minimum(self.upper, -rule.least)),
        ):
            at = np.flatnonzero((decided == value) & rule.mask)
            if len(at) and low is not None:
                program.positive(Rows.of(pick[at], -low[at]))
            if len(at) and high is not None:
                program.positive(Rows.of(-pick[at], high[at]))
        open_ = np.flatnonzero((decided == UNKNOWN) & rule.mask)
        inside = int((np.isin(decided, (LONG, SHORT)) & rule.mask).sum())
        if not len(open_):
            if quadratic is not None:
                program.minimise_quadratic(quadratic.matrix, quadratic.centre)
            if rule.most is not None and inside > rule.most:
                program.positive(Rows.constants(-1.0))
            if rule.fewest is not None and inside < rule.fewest:
                program.positive(Rows.constants(-1.0))
            return {}
        m = len(open_)
        start = program.new(m)
        held = Rows.identity(m, start=start)
        program.positive(held)
        program.positive(Rows.constants(np.ones(m)) - held)
        weights = Rows.of(pick[open_])
        scaled_high = Rows.diagonal(self.upper[open_], start)
        scaled_low = Rows.diagonal(self.lower[open_], start)
        program.positive(scaled_high - weights)
        program.positive(weights - scaled_low)
        long_only = self.lower[open_] >= 0
        if rule.least > 0 and long_only.any():
            at = np.flatnonzero(long_only)
            least = Rows.of(rule.least * np.eye(m)[at], start=start)
            program.positive(Rows.of(pick[open_[at]]) - least)
        total = Rows.of(np.ones((1, m)), start=start)
        if rule.most is not None:
            program.positive(Rows.constants(rule.most - inside) - total)
        if rule.fewest is not None:
            program.positive(total - Rows.constants(rule.fewest - inside))
        if quadratic is not None:
            _perspective(program, quadratic, open_, start)
        return {int(i): start + j for j, i in enumerate(open_)}

    def complete(self, state: State, weights: np.ndarray) -> State:
        """The leaf nearest to relaxed weights: the largest holdings stay, the rest go."""
        assets = state.assets.copy()
        if self.holdings is not None:
            rule = self.holdings
            open_ = np.flatnonzero((assets == UNKNOWN) & rule.mask)
            inside = int((np.isin(assets, (LONG, SHORT)) & rule.mask).sum())
            ranked = open_[np.argsort(-np.abs(weights[open_]), kind="stable")]
            threshold = max(rule.least / 2, HELD)
            wanted = int((np.abs(weights[ranked]) > threshold).sum())
            room = len(ranked) if rule.most is None else max(rule.most - inside, 0)
            wanted = min(max(wanted, (rule.fewest or 0) - inside), room)
            kept = ranked[:wanted]
            assets[open_] = OUT
            assets[kept] = np.where(weights[kept] < 0, SHORT, LONG)
        issuers = state.issuers.copy()
        if self.issuers is not None:
            sizes = self.issuers.sizes(weights)
            open_ = np.flatnonzero(issuers == UNKNOWN)
            issuers[open_] = OUT
            spent = sizes[issuers == LONG].sum()
            for g in open_[np.argsort(-sizes[open_], kind="stable")]:
                large = np.inf if self.issuers.large is None else self.issuers.large
                if sizes[g] > ISSUER_SMALL and spent + sizes[g] <= large + HELD:
                    issuers[g] = LONG
                    spent += sizes[g]
        return State(assets, issuers)

    def split(self, state: State, weights: np.ndarray, held: np.ndarray) -> Iterable[State]:
        """Two or three states that cover this one. held (n,): how far each asset counts as
        held in the relaxation."""
        if self.holdings is not None:
            open_ = np.flatnonzero((state.assets == UNKNOWN) & self.holdings.mask)
            if len(open_):
                at = int(open_[np.argmin(np.abs(held[open_] - 0.5))])
                if self.upper[at] > 0:
                    yield state.decide("assets", at, LONG)
                if self.lower[at] < 0:
                    yield state.decide("assets", at, SHORT)
                yield state.decide("assets", at, OUT)
                return
        if self.issuers is not None:
            open_ = np.flatnonzero(state.issuers == UNKNOWN)
            if len(open_):
                sizes = self.issuers.sizes(weights)
                at = int(open_[np.argmax(sizes[open_])])
                yield state.decide("issuers", at, OUT)
                yield state.decide("issuers", at, LONG)


def _perspective(
    program: Program, quadratic: Quadratic, open_: np.ndarray, held: int
) -> None:
    """w'Qw as w'(Q - D)w + sum of D_i w_i^2 / z_i, with a diagonal D on the open assets that
    leaves Q - D positive semidefinite.

    Frangioni and Gentile (2006), Perspective cuts for a class of convex 0-1 mixed integer
    programs.
    """
    d = quadratic.separable[open_]
    inner = quadratic.matrix.copy()
    inner[open_, open_] -= d
    program.minimise_quadratic(inner, quadratic.centre)
    if not d.any():
        return
    if quadratic.centre is not None:  # d (w - c)^2 = d w^2 - 2 d c w + d c^2
        c = quadratic.centre[open_]
        pull = np.zeros(len(inner))
        pull[open_] = -d * c
        program.minimise(pull)
        program.add_constant(float(d @ c**2) / 2)
    start = program.new(len(open_))
    program.minimise(d / 2, start)
    for j, i in enumerate(open_):
        size, share = Rows.identity(1, start + j), Rows.identity(1, held + j)
        # s z >= w^2 as (s + z, s - z, 2 w) in the second-order cone
        double = Rows.diagonal(np.array([2.0]), int(i))
        program.norm((size + share).above(size - share).above(double))


def _separable(quadratic: np.ndarray) -> np.ndarray:
    """A diagonal (n,) as large as a few steps find, so that Q less it stays positive
    semidefinite: each step takes what the least eigenvalue of the rest, scaled by the rest's
    own partial variances, still leaves."""
    d = np.zeros(len(quadratic))
    for _ in range(_STEPS):
        rest = quadratic - np.diag(d)
        values, vectors = np.linalg.eigh(rest)
        floor = values[-1] * 1e-10
        if values[0] <= floor:
            break
        partial = 1 / np.einsum("ij,j,ij->i", vectors, 1 / values, vectors)
        scale = np.sqrt(partial)
        least = float(np.linalg.eigvalsh(rest / np.outer(scale, scale))[0])
        d += 0.7 * least * partial
    return d * (1 - 1e-9)


def _relax_issuers(program: Program, state: State, rule: Issuers, room: np.ndarray) -> None:
    """The convex envelope of x 1[x > 5%] on [0, u] is u/(u - 5%) max(x - 5%, 0): with u = 10%
    twice what is beyond 5%. room (g,): the most that the box leaves an issuer."""
    sizes = Rows.of(rule.groups)
    g = len(rule.groups)
    if rule.most is not None:
        program.positive(Rows.constants(np.full(g, rule.most)) - sizes)
        room = np.minimum(room, rule.most)
    if rule.large is None:
        return
    start = program.new(g)
    counted = Rows.identity(g, start=start)
    program.positive(counted)
    program.positive(
        Rows.constants(rule.large) - Rows.of(np.ones((1, g)), start=start))
    beyond = room > ISSUER_SMALL
    slopes = np.ones(g)
    slopes[beyond] = room[beyond] / (room[beyond] - ISSUER_SMALL)
    for value, slope, shift in ((UNKNOWN, slopes, ISSUER_SMALL), (LONG, np.ones(g), 0.0)):
        at = np.flatnonzero((state.issuers == value) & beyond)
        if len(at):
            excess = Rows.of(slope[at, None] * rule.groups[at], -slope[at] * shift)
            program.positive(Rows.of(np.eye(g)[at], start=start) - excess)
    small = np.flatnonzero(state.issuers == OUT)
    if len(small):
        most = Rows.constants(np.full(len(small), ISSUER_SMALL))
        program.positive(most - Rows.of(rule.groups[small]))


