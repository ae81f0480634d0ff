"""DIAGNOSE over the whole vocabulary: its sets by solving without each member, its cures by
solving with each, and the rules that need branching by exhaustive search."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from portbal.diagnose import diagnose
from portbal.errors import NotAvailable
from vocabulary import Instance, contradiction, hold, listed

CONFLICTS = 14  # in each of 15 tests: 210


def bounds_of(case: Instance) -> list:
    return [(bound, bound.bound) for bound in listed(case)]


@pytest.mark.parametrize("start", range(15))
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_a_conflict_of_any_words_is_irreducible_and_each_cure_cures(start: int) -> None:
    found, seed = 0, 1000 * start
    while found < CONFLICTS:
        seed += 1
        case = contradiction(seed)
        answer = diagnose(case.table(), case.assets, case.mu, case.cov, case.returns, 252).value
        bounds = bounds_of(case)
        if answer["Limit"].iloc[0] == "All":
            assert seed % 5 or hold(case, bounds), seed
            continue
        found += 1
        assert answer["Limit"].to_list() == [bound.name for bound, _ in bounds], seed
        np.testing.assert_allclose(answer["Bound"], [bound for _, bound in bounds], rtol=1e-12)
        marked = np.flatnonzero(answer["Conflict"] == "yes")
        assert not hold(case, [bounds[i] for i in marked]), seed
        for at in marked:
            assert hold(case, [bounds[i] for i in marked if i != at]), (seed, at)
            others = [pair for i, pair in enumerate(bounds) if i != at]
            bound, needed = bounds[at][0], float(answer["Needed"].iloc[at])
            if np.isnan(needed):
                assert not hold(case, others), (seed, at)
                continue
            step = bound.sign * 1e-5 * max(abs(needed), 0.01)
            assert hold(case, [*others, (bound, needed + step)]), (seed, at)
            assert not hold(case, [*others, (bound, needed - 10 * step)]), (seed, at)


# --- rules that need branching ---------------------------------------------------------------

ASSETS = pd.DataFrame(
    {"Issuer": ["a", "a", "b", "c", "d", "e"], "Sector": list("XXYYZZ")},
    index=[f"A{i}" for i in range(6)])


def table(*rows: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["Limit", "Min", "Max"], index=range(2, 2 + len(rows)))


OPEN = np.nan


def answer(*rows: tuple[str, float, float]) -> dict[str, tuple[str, float]]:
    found = diagnose(table(*rows), ASSETS).value
    return {name: (conflict, needed) for name, conflict, needed in zip(
        found["Limit"], found["Conflict"], found["Needed"], strict=True)}


def test_the_cure_of_a_count_is_the_fewest_more_holdings() -> None:
    found = answer(("each asset", OPEN, 0.3), ("holdings", OPEN, 2))
    assert found["holdings"] == ("yes", 4)
    assert [found[name] for name in ASSETS.index].count(("yes", pytest.approx(0.5))) == 0
    found = answer(("each asset", OPEN, 0.3), ("smallest holding", 0.25, OPEN),
                   ("holdings", 5, OPEN))
    assert found["holdings"] == ("yes", 4)
    assert found["smallest holding"] == ("yes", pytest.approx(0.2, abs=1e-7))
    assert found["A0"] == ("no", pytest.approx(OPEN, nan_ok=True))


def test_the_cure_of_a_smallest_holding_is_the_largest_that_fits() -> None:
    """With 2 of 3 Sector X, Y, Z at most 35% each, the six assets split 1 exactly."""
    found = answer(("each Sector", OPEN, 0.35), ("A0", 0.05, 0.1), ("smallest holding", 0.2, OPEN))
    assert found["smallest holding"] == ("yes", pytest.approx(0.1, abs=1e-7))


def test_each_half_of_the_ucits_rule_stands_by_itself() -> None:
    """Five issuers: at most 10% each is too little for 100%; 40% in large ones is so as well."""
    found = answer(("ucits 5/10/40", OPEN, OPEN))
    largest, large = "ucits 5/10/40: largest issuer", "ucits 5/10/40: issuers above 5%"
    yes = [name for name, (conflict, _) in found.items() if conflict == "yes"]
    assert len(yes) == 1  # either half alone has no solution with so few issuers
    half = pd.concat([ASSETS, ASSETS.set_axis([f"B{i}" for i in range(6)])])
    half["Issuer"] = [f"i{i}" for i in range(12)]
    found = diagnose(table(("ucits 5/10/40", OPEN, OPEN)), half).value.set_index("Limit")
    # 12 issuers: with h large ones of at most 10% and the others at most 5% they reach
    # 0.4 + 8 * 0.05 = 0.8; the 40% must become s with s + (12 - s / 0.1) * 0.05 >= 1: s = 0.8.
    assert found.loc[large, "Conflict"] == "yes"
    assert found.loc[large, "Needed"] == pytest.approx(0.8, abs=1e-7)
    # one large issuer of 40% and eleven of 5% reach 0.95: the other half is not to blame
    assert found.loc[largest, "Conflict"] == "no"
    more = pd.concat([half, half.iloc[:1].set_axis(["C"])])
    more["Issuer"] = [f"i{i}" for i in range(13)]
    found = diagnose(table(("ucits 5/10/40", OPEN, OPEN)), more).value.set_index("Limit")
    # thirteen: one of 40% and twelve of 5% reach 1.0; s + (13 - s / 0.1) * 0.05 >= 1 at s = 0.7
    assert list(found["Conflict"]) == ["yes", "yes"]
    assert found.loc[large, "Needed"] == pytest.approx(0.7, abs=1e-7)
    assert found.loc[largest, "Needed"] == pytest.approx(0.4, abs=1e-7)


def test_a_rule_is_cured_by_exhaustive_search() -> None:
    """Counts under a floor and a ceiling: every subset of assets is tried."""
    rng = np.random.default_rng(3)
    for _ in range(12):
        high = rng.uniform(0.1, 0.5, 6)
        most, least = int(rng.integers(1, 4)), float(rng.uniform(0.05, 0.3))
        assets = ASSETS.assign(Max=high)

        def fits(count: int, floor: float, high: np.ndarray = high) -> bool:
            return any(
                len(held) * floor <= 1 <= high[list(held)].sum()
                and floor <= high[list(held)].min()
                for k in range(1, count + 1) for held in combinations(range(6), k))

        rows = table(("holdings", OPEN, most), ("smallest holding", least, OPEN))
        found = diagnose(rows, assets).value.set_index("Limit")
        if fits(most, least):
            assert list(found.index) == ["All"]
            continue
        if found.loc["holdings", "Conflict"] == "yes":
            needed = found.loc["holdings", "Needed"]
            better = [k for k in range(most, 7) if fits(k, least)]
            assert needed == better[0] if better else np.isnan(needed)
        if found.loc["smallest holding", "Conflict"] == "yes":
            needed = found.loc["smallest holding", "Needed"]
            assert fits(most, needed - 1e-7) if needed == needed else not fits(most, 1e-7)
            assert needed != needed or not fits(most, needed + 1e-6)


def test_what_cannot_be_posed_is_told() -> None:
    with pytest.raises(NotAvailable, match="'holdings' with a Min says nothing"):
        diagnose(table(("holdings", 3, OPEN)), ASSETS)
    with pytest.raises(NotAvailable, match="cannot be posed with short positions"):
        diagnose(table(("ucits 5/10/40", OPEN, OPEN), ("short", OPEN, 0.1)), ASSETS)
