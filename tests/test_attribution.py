"""Where the return ahead of the benchmark came from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portbal import attribution
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find

NAMES = list("ABCDEF")
GROUPS = pd.Series(["x", "x", "y", "y", "y", "z"], NAMES)
LINKS = list(attribution.LINKS)


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


def pairs(values: pd.Series) -> list[list[Any]]:
    return [["Asset", "Value"], *[[label, value] for label, value in values.items()]]


def case(seed: int) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series]:
    rng = np.random.default_rng(seed)
    weights = [pd.Series(rng.dirichlet(np.ones(6)), NAMES) for _ in range(2)]
    returns = [pd.Series(rng.normal(0.01, 0.05, 6), NAMES) for _ in range(2)]
    return weights[0], weights[1], returns[0], returns[1]


@pytest.mark.parametrize("method", attribution.METHODS)
@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_totals_are_the_return_ahead_and_the_effects_their_definitions(
    method: str, seed: int
) -> None:
    w, b, r, s = case(seed)
    found = attribution.brinson(w, b, r, s, GROUPS, method).value.set_index("Group")
    assert found["Total"].sum() == pytest.approx(w @ r - b @ s, abs=1e-15)
    for group in "xyz":
        inside = (group == GROUPS).to_numpy()
        held, wanted = w[inside].sum(), b[inside].sum()
        own, other = w[inside] @ r[inside] / held, b[inside] @ s[inside] / wanted
        base = b @ s if method == "brinson-fachler" else 0
        assert found.loc[group, "Allocation"] == pytest.approx(
            (held - wanted) * (other - base), abs=1e-14)
        assert found.loc[group, "Selection"] == pytest.approx(wanted * (own - other), abs=1e-14)
        assert found.loc[group, "Interaction"] == pytest.approx(
            (held - wanted) * (own - other), abs=1e-14)


def test_a_group_on_one_side_only_is_all_allocation() -> None:
    w = pd.Series({"A": 0.6, "B": 0.4})
    b = pd.Series({"A": 0.5, "C": 0.5})
    returns = pd.Series({"A": 0.1, "B": 0.04, "C": -0.02})
    groups = pd.Series({"A": "x", "B": "y", "C": "z"})
    found = attribution.brinson(w, b, returns.drop("C"), returns.drop("B"), groups)
    table = found.value.set_index("Group")
    assert table.loc["y", ["Selection", "Interaction"]].tolist() == [0, 0]
    assert table.loc["z", "Allocation"] == pytest.approx(-0.5 * (-0.02 - 0.04))
    assert table["Total"].sum() == pytest.approx(0.076 - 0.04)
    assert "Held on one side only, so that all is allocation: y, z." in found.notes


def test_names_decide_not_places() -> None:
    w, b, r, s = case(1)
    plain = attribution.brinson(w, b, r, s, GROUPS).value
    mixed = attribution.brinson(w, b[::-1], r[::-1], s.sample(frac=1, random_state=1),
                                GROUPS[::-1]).value
    pd.testing.assert_frame_equal(plain, mixed)


@pytest.mark.parametrize(
    ("change", "argument", "says"),
    [
        ({0: {"A": 0.5}}, "weights", "sums to 50.00%, not 100%"),
        ({1: {"A": 1.1}}, "benchmark", "sums to 110.00%, not 100%"),
        ({2: {"A": 0.1}}, "returns", "'B' is held and has no return"),
        ({3: {**dict.fromkeys(NAMES, 0.1), "Q": 0.1}}, "benchmarkreturns", "'Q' is not in"),
        ({4: {"A": "x"}}, "groups", "'B' has no group"),
        ({0: {"A": 1.0, "C": 0.5, "D": -0.5}}, "weights", "cancel out"),
    ],
)
def test_what_cannot_be_attributed(change: dict[int, Any], argument: str, says: str) -> None:
    arguments: list[Any] = [*case(2), GROUPS]
    for at, values in change.items():
        arguments[at] = pd.Series(values)
    found = call("ATTRIBUTION", *map(pairs, arguments))
    assert isinstance(found, Problem)
    assert found.argument == argument
    assert says in found.message


# --- linking -----------------------------------------------------------------------------------

def periods(seed: int, count: int) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    rng = np.random.default_rng(seed)
    effects = pd.DataFrame(rng.normal(0, 0.02, (count, 3)), columns=["a", "b", "c"])
    other = pd.Series(rng.normal(0.01, 0.05, count))
    return effects, other + effects.sum(axis=1), other


@pytest.mark.parametrize("method", LINKS)
@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_linked_effects_add_up_exactly(method: str, seed: int, count: int) -> None:
    effects, own, other = periods(seed, count)
    found = attribution.link(effects, own, other, method).value
    ahead = np.prod(1 + own) - np.prod(1 + other)
    assert found["Linked"].sum() == pytest.approx(ahead, abs=1e-13)


@pytest.mark.parametrize("method", LINKS)
def test_one_period_is_as_it_was(method: str) -> None:
    effects, own, other = periods(3, 1)
    found = attribution.link(effects, own, other, method).value
    np.testing.assert_allclose(found["Linked"], effects.iloc[0], rtol=1e-9)


@pytest.mark.parametrize("method", ["carino", "grap", "frongello"])
def test_equal_returns_are_the_limit_of_nearly_equal_ones(method: str) -> None:
    effects = pd.DataFrame({"a": [0.01, -0.02, 0.03], "b": [-0.01, 0.02, -0.03]})
    other = pd.Series([0.05, -0.04, 0.02])
    same = attribution.link(effects, other, other, method).value["Linked"]
    more = effects.assign(a=effects["a"] + 1e-7)
    nearly = attribution.link(more, other + 1e-7, other, method).value["Linked"]
    np.testing.assert_allclose(same, nearly, atol=1e-6)
    assert same.sum() == pytest.approx(0, abs=1e-15)


def test_menchero_of_equal_returns_is_the_usual_factor_alone() -> None:
    effects = pd.DataFrame({"a": [0.01, -0.02, 0.03], "b": [-0.01, 0.02, -0.03]})
    other = pd.Series([0.05, -0.04, 0.02])
    found = attribution.link(effects, other, other, "menchero").value["Linked"]
    factor = np.prod(1 + other) ** (2 / 3)
    np.testing.assert_allclose(found, [0.02 * factor, -0.02 * factor])


def test_carino_and_frongello_by_their_recursions() -> None:
    effects, own, other = periods(5, 6)
    end, base = np.prod(1 + own) - 1, np.prod(1 + other) - 1
    k = (np.log(1 + end) - np.log(1 + base)) / (end - base)
    each = (np.log(1 + own) - np.log(1 + other)) / (own - other)
    np.testing.assert_allclose(
        attribution.link(effects, own, other, "carino").value["Linked"],
        effects.mul(each / k, axis=0).sum())
    total = np.zeros(3)
    growth = 1.0
    for row in range(6):
        total = total * (1 + other[row]) + effects.iloc[row].to_numpy() * growth
        growth *= 1 + own[row]
    np.testing.assert_allclose(
        attribution.link(effects, own, other, "frongello").value["Linked"], total)


@pytest.mark.parametrize(
    ("arguments", "argument", "row", "says"),
    [
        ([[["a", "b"], [0.1, 0.1], [0.1, 0.2]], [["P"], [0.3], [0.3]], [["B"], [0.1], [0.1]]],
         "effects", 3, "add up to 0.3, and the portfolio was 0.2 ahead"),
        ([[["a"], [0.1]], [["P"], [-1.0]], [["B"], [-1.1]]], "portfolioreturns", 2,
         "loses everything"),
        ([[["a"], [0.1], [0.1]], [["P"], [0.2]], [["B"], [0.1]]], "portfolioreturns", None,
         "has 1 rows, and effects has 2"),
    ],
)
def test_what_cannot_be_linked(
    arguments: list[Any], argument: str, row: int | None, says: str
) -> None:
    found = call("ATTRIBUTIONLINK", *arguments)
    assert isinstance(found, Problem)
    assert (found.argument, found.row) == (argument, row)
    assert says in found.message
