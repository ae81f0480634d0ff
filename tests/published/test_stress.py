"""Dated windows against the index they are dated by, and the Federal Reserve's published path."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest

from portbal import scenarios

STOCKS = (
    Path(__file__).parents[2] / "templates" / "portbal_templates" / "data" / "us_stocks_daily.csv"
)
# S&P 500 closes around the windows since 1990 (index data of skfolio, sp500_index)
CLOSES = {
    "LTCM/Russia 1998": (1186.75, 957.28), "Dot-com 2000-02": (1527.46, 776.76),
    "9/11": (1092.54, 965.80), "GFC 2007-09": (1565.15, 676.53),
    "Lehman autumn 2008": (1251.70, 752.44), "Flash crash/Euro 2010": (1217.28, 1022.58),
    "US downgrade/Euro 2011": (1345.02, 1099.23), "Taper tantrum 2013": (1669.16, 1573.09),
    "China deval 2015": (2102.44, 1867.61), "2015-16 correction": (2109.79, 1829.08),
    "Volmageddon 2018": (2872.87, 2581.00), "2018Q4": (2930.75, 2351.10),
    "Covid 2020": (3386.15, 2237.40), "2022 rates": (4796.56, 3577.03),
}


@pytest.mark.parametrize("name", CLOSES)
def test_index_moves_are_those_of_the_closes(name: str) -> None:
    first, last = CLOSES[name]
    moves = scenarios.windows().set_index("Name")["Index move"]
    assert moves[name] == pytest.approx(last / first - 1, abs=6e-6)


def test_the_2020_window_on_shipped_stocks() -> None:
    """The product of returns is the ratio of prices at the two closes."""
    prices = pd.read_csv(STOCKS, index_col=0, parse_dates=True)
    equal = pd.Series(1 / 20, prices.columns)
    found = scenarios.replay(equal, prices.pct_change().iloc[1:], "Covid 2020")
    ratio = prices.loc["2020-03-23"] / prices.loc["2020-02-19"] - 1
    assert list(found.value["Return"]) == pytest.approx(list(ratio))
    assert found.value["Loss"].sum() == pytest.approx(-ratio.mean())


def test_the_federal_reserves_summary_of_its_path() -> None:
    """2025 Stress Test Scenarios: unemployment to 10%, equity down by half, VIX to 65, BBB spread
    to 5 points, ten-year yield to 1%, house prices down a third from 2024."""
    path = scenarios.severely_adverse()
    file = resources.files("portbal") / "data" / "fed_2025_severely_adverse.csv"
    with file.open(encoding="utf-8") as lines:
        published = list(csv.DictReader(lines))
    assert len(path) == len(published) == 13
    for ours, theirs in zip(path.to_dict("records"), published, strict=True):
        assert ours["Quarter"] == theirs["Date"]
        for title, value in ours.items():
            if title != "Quarter":
                scale = 1 if title.endswith("(Level)") else 100
                assert value * scale == pytest.approx(float(theirs[title]), abs=1e-9)
    assert path["Unemployment rate"].max() == 0.1
    assert path["Market Volatility Index (Level)"].max() == 65
