"""First passages of Brownian paths against figures that others published."""

from __future__ import annotations

import json
from math import exp, log, sqrt
from pathlib import Path

import pytest

from portbal import barriers, protect

HAUG = json.loads(
    (Path(__file__).parent / "data" / "haug_barriers.json").read_text(encoding="utf-8"))
DOUBLE, SINGLE = HAUG["double"], HAUG["single"]
CASES = [
    (kind, pair, volatility, value)
    for kind in ("knock_out", "lower_first", "upper_first")
    for pair, values in DOUBLE[kind].items()
    for volatility, value in zip(DOUBLE["volatility"], values, strict=True)
]


@pytest.mark.parametrize(("kind", "pair", "volatility", "value"), CASES)
def test_haug_double_barrier_binaries(
    kind: str, pair: str, volatility: float, value: float
) -> None:
    """What is paid when a barrier is touched is discounted from then: E[exp(-r t)] over a first
    passage is the chance of it under the drift sqrt(nu^2 + 2 r s^2), times a factor (Girsanov)."""
    lower, upper = (log(float(level) / DOUBLE["spot"]) for level in pair.split())
    years, rate = DOUBLE["years"], DOUBLE["rate"]
    deviation = volatility * sqrt(years)
    drift = DOUBLE["carry"] - volatility**2 / 2
    if kind == "knock_out":
        first, second = barriers.first_touch(upper, lower, drift * years, deviation)
        found = exp(-rate * years) * (1 - first - second)
    else:
        faster = sqrt(drift**2 + 2 * rate * volatility**2)
        first, second = barriers.first_touch(upper, lower, faster * years, deviation)
        chance, level = (second, lower) if kind == "lower_first" else (first, upper)
        found = chance * exp((drift - faster) * level / volatility**2)
    assert DOUBLE["cash"] * found == pytest.approx(value, abs=6e-5)


@pytest.mark.parametrize("strike", ["98", "102"])
@pytest.mark.parametrize("way", ["down", "up"])
def test_haug_binaries_that_knock_in(way: str, strike: str) -> None:
    case = SINGLE[way]
    chance = protect.touch_probability(
        case["spot"], SINGLE["barrier"], SINGLE["carry"], SINGLE["volatility"],
        252 * SINGLE["years"])
    value = SINGLE["cash"] * exp(-SINGLE["rate"] * SINGLE["years"]) * chance
    assert value == pytest.approx(case[f"call_{strike}"] + case[f"put_{strike}"], abs=1.1e-4)
