"""Rules that no convex set can express: how many holdings, how small, and UCITS 5/10/40.

Each is relaxed to a convex set and decided by branching: an asset is in or out, an issuer
is at most 5% or counts in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from portbal.solve.cone import Program, Rows

HELD = 1e-7  # a smaller weight is not a holding
ISSUER_MOST, ISSUER_SMALL, LARGE_MOST = 0.10, 0.05, 0.40
UNKNOWN, OUT, LONG, SHORT = -1, 0, 1, 2
_GOOD_PART = 0.8  # of the undecided: with fewer left a relaxation is worth solving again
_OTHERS = 10  # assets tried for twice as many others


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
    OUT (at most 5%) or LONG (counts in full). part (n,): what of the square is taken apart by
    asset, None for a fresh choice."""

    assets: np.ndarray
    issuers: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    part: np.ndarray | None = None

    @property
    def size(self) -> int:
        """How many assets are undecided."""
        return int((self.assets == UNKNOWN).sum())

    def key(self) -> bytes:
        """What tells this state from others."""
        return self.assets.tobytes() + self.issuers.tobytes()

    def decide(self, which: str, at: int, value: int) -> State:
        changed = getattr(self, which).copy()
        changed[at] = value
        return replace(self, **{which: changed})


@dataclass(frozen=True)
class Undecided:
    """The assets (m,) that may be held or not, the variable (m,) of each that says how far it
    is, between 0 and 1, and the constraints that keep it there."""

    assets: np.ndarray
    variables: np.ndarray
    floor: int = 0
    ceiling: int = 0


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

    def undecided(self, state: State) -> np.ndarray:
        """The assets (m,) that a state leaves open."""
        if self.holdings is None:
            return np.zeros(0, dtype=int)
        return np.flatnonzero((state.assets == UNKNOWN) & self.holdings.mask)

    def inside(self, state: State) -> np.ndarray:
        """The assets that a state holds, or may hold in any case."""
        if self.holdings is None:
            return np.arange(len(self.lower))
        return np.flatnonzero(np.isin(state.assets, (LONG, SHORT)) | ~self.holdings.mask)

    def relax(self, program: Program, state: State) -> Undecided:
        """Adds the convex relaxation of a state."""
        open_ = self.undecided(state)
        if self.holdings is not None:
            self._relax_decided(program, state, self.holdings)
        if self.issuers is not None:
            _relax_issuers(program, state, self.issuers, self.issuers.groups @ self.upper)
        found = self.shares(program, state)
        if self.holdings is not None and len(open_):
            self._relax_open(program, self.holdings, found)
        return found

    def shares(self, program: Program, state: State) -> Undecided:
        """Adds how far each undecided asset is held, and how many there may be."""
        open_ = self.undecided(state)
        rule = self.holdings
        if rule is None:
            return Undecided(open_, open_)
        inside = int((np.isin(state.assets, (LONG, SHORT)) & rule.mask).sum())
        room = None if rule.most is None else rule.most - inside
        wanted = None if rule.fewest is None else rule.fewest - inside
        m = len(open_)
        if not m:
            if (room is not None and room < 0) or (wanted is not None and wanted > 0):
                program.positive(Rows.constants(-1.0))
            return Undecided(open_, open_)
        start = program.new(m)
        held = Rows.identity(m, start=start)
        floor = program.positive(held)
        ceiling = program.positive(Rows.constants(np.ones(m)) - held)
        total = Rows.of(np.ones((1, m)), start=start)
        if room is not None:
            program.positive(Rows.constants(room) - total)
        if wanted is not None:
            program.positive(total - Rows.constants(wanted))
        return Undecided(open_, np.arange(start, start + m), floor, ceiling)

    def _relax_decided(self, program: Program, state: State, rule: Holdings) -> None:
        n = len(self.lower)
        pick = np.eye(n)
        for value, low, high in (
            (OUT, np.zeros(n), np.zeros(n)),
            (LONG, np.maximum(self.lower, rule.least), None),
            (SHORT, None, np.minimum(self.upper, -rule.least)),
        ):
            at = np.flatnonzero((state.assets == value) & rule.mask)
            if len(at) and low is not None:
                program.positive(Rows.of(pick[at], -low[at]))
            if len(at) and high is not None:
                program.positive(Rows.of(-pick[at], high[at]))

    def _relax_open(self, program: Program, rule: Holdings, found: Undecided) -> None:
        open_, start, m = found.assets, int(found.variables[0]), len(found.assets)
        pick = np.eye(len(self.lower))
        weights = Rows.of(pick[open_])
        program.positive(Rows.diagonal(self.upper[open_], start) - weights)
        below = np.flatnonzero(self.lower[open_])  # else the box says it
        if len(below):
            low = Rows.of(np.diag(self.lower[open_])[below], start=start)
            program.positive(Rows.of(pick[open_[below]]) - low)
        at = np.flatnonzero(self.lower[open_] >= 0)
        if rule.least > 0 and len(at):
            least = Rows.of(rule.least * np.eye(m)[at], start=start)
            program.positive(Rows.of(pick[open_[at]]) - least)

    def tightened(
        self, state: State, into: np.ndarray | None, out: np.ndarray | None, slack: float
    ) -> tuple[State, bool]:
        """The state with what a bound decides, and whether that is a good part of it: into, out
        (n,) are how much the bound rises at least when an asset is held, or is not; more than
        ``slack`` is too much."""
        rule = self.holdings
        if rule is None or into is None or out is None:
            return state, False
        assets = state.assets.copy()
        open_ = (assets == UNKNOWN) & rule.mask
        assets[open_ & (out > slack) & (self.lower >= 0)] = LONG
        assets[open_ & (into > slack)] = OUT
        inside = np.isin(assets, (LONG, SHORT)) & rule.mask
        if rule.most is not None and inside.sum() == rule.most:
            assets[(assets == UNKNOWN) & rule.mask] = OUT
        fewer = replace(state, assets=assets)
        return fewer, fewer.size < _GOOD_PART * state.size

    def near(
        self, leaf: State, weights: np.ndarray, relaxed: np.ndarray, slope: np.ndarray
    ) -> Iterator[State]:
        """Leaves with one other asset: for one of the smallest of its weights (n,), one of those
        that a relaxation holds most of, or along which the objective falls most (its slope)."""
        if self.holdings is None:
            return
        free = self.holdings.mask & (self.lower >= 0)
        held = np.flatnonzero((leaf.assets == LONG) & free)
        others = np.flatnonzero((leaf.assets == OUT) & free)
        ranked = (np.argsort(order[others], kind="stable") for order in (-relaxed, slope))
        first = np.unique([others[at[:_OTHERS]] for at in ranked])
        for i in held[np.argsort(weights[held], kind="stable")][:_OTHERS]:
            for j in first:
                yield leaf.decide("assets", int(i), OUT).decide("assets", int(j), LONG)

    def absent(self, state: State) -> np.ndarray:
        """Which assets (n,) a state leaves out."""
        return (state.assets == OUT) & (self.lower <= 0) & (self.upper >= 0)

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


