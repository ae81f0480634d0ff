"""The limit language: words to limits, messages for what it does not know, and checks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from portbal.errors import InputError, NotAvailable
from portbal.limits.check import check
from portbal.limits.language import parse
from portbal.limits.mandate import mandate
from portbal.limits.measures import Facts

ASSETS = pd.DataFrame(
    {
        "Sector": ["Tech", "Tech", "Energy", ""],
        "Asset class": ["Equity", "Bond", "Equity", "Money"],
        "Beta": [1.2, 0.2, 0.9, 0.0],
        "Benchmark": [0.4, 0.3, 0.3, 0.0],
        "Current": [0.1, 0.2, 0.3, 0.4],
    },
    index=["AAPL", "Short", "XOM", "Cash"],
)
COV = pd.DataFrame(np.diag([0.04, 0.01, 0.09, 0.0]), ASSETS.index, ASSETS.index)
WEIGHTS = pd.Series([0.5, -0.1, 0.4, 0.2], ASSETS.index)


def limits(*rows: tuple[str, float | None, float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        [(w, np.nan if lo is None else lo, np.nan if hi is None else hi) for w, lo, hi in rows],
        columns=["Limit", "Min", "Max"], index=range(2, 2 + len(rows)),
    )


def value(words: str) -> float:
    found = check(WEIGHTS, limits((words, None, 1.0)), ASSETS, cov=COV)
    assert len(found) == 1
    return float(found["Value"].iloc[0])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("AAPL", 0.5),
        ("asset short", -0.1),
        ("short", 0.1),
        ("  Sector\u00a0 TECH ", 0.4),
        ("asset class equity", 0.9),
        ("exposure beta", 0.5 * 1.2 - 0.1 * 0.2 + 0.4 * 0.9),
        ("active AAPL", 0.1),
        ("active Sector Energy", 0.1),
        ("active exposure Beta", 0.94 - (0.48 + 0.06 + 0.27)),
        ("net", 0.8),
        ("gross", 1.0),
        ("cash", 0.2),
        ("turnover", (0.4 + 0.3 + 0.1 + 0.2) / 2),
        ("active share", (0.1 + 0.4 + 0.1 + 0.2) / 2),
        ("volatility", np.sqrt(0.25 * 0.04 + 0.01 * 0.01 + 0.16 * 0.09)),
        ("tracking error", np.sqrt(0.01 * 0.04 + 0.16 * 0.01 + 0.01 * 0.09)),
        ("beta", (0.5 * 0.4 * 0.04 - 0.1 * 0.3 * 0.01 + 0.4 * 0.3 * 0.09)
         / (0.16 * 0.04 + 0.09 * 0.01 + 0.09 * 0.09)),
    ],
)
def test_the_value_of_each_measure(words: str, expected: float) -> None:
    assert value(words) == pytest.approx(expected, abs=1e-12)


def test_each_rows_give_a_row_per_member() -> None:
    found = check(WEIGHTS, limits(("each asset", None, 0.45), ("each Sector", 0.0, 0.4)), ASSETS)
    assert found["Limit"].to_list() == [
        "AAPL", "Short", "XOM", "Cash", "Sector Tech", "Sector Energy"]
    assert found["Status"].to_list() == ["breach", "ok", "ok", "ok", "at limit", "at limit"]
    np.testing.assert_allclose(
        found["Headroom"], [-0.05, 0.55, 0.05, 0.25, 0.0, 0.0], atol=1e-12)


def test_the_min_and_max_columns_are_checked_too() -> None:
    assets = ASSETS.assign(Min=[np.nan, 0.0, np.nan, np.nan], Max=[0.6, np.nan, np.nan, np.nan])
    found = check(WEIGHTS, limits(("net", None, 1.0)), assets)
    assert found["Limit"].to_list() == ["net", "AAPL", "Short"]
    assert found["Status"].to_list() == ["ok", "ok", "breach"]


def test_names_a_covariance_lacks_may_not_be_held() -> None:
    cov = COV.drop("XOM").drop(columns="XOM")
    rows = limits(("volatility", None, 0.2))
    none = WEIGHTS.copy()
    none["XOM"] = 0.0
    assert len(check(none, rows, ASSETS.assign(Benchmark=0.0, Current=0.0), cov=cov)) == 1
    with pytest.raises(InputError, match="'XOM' is held and is not in cov"):
        check(WEIGHTS, rows, ASSETS, cov=cov)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("Sector Tehc", "limits: unknown Sector 'Tehc'. Did you mean 'Tech'?"),
        ("each Sectr", "limits: unknown grouping 'Sectr'. Did you mean 'Sector'?"),
        ("exposure Bta", "limits: unknown exposure 'Bta'. Did you mean 'Beta'?"),
        ("asset XOMM", "limits: unknown asset 'XOMM'. Did you mean 'XOM'?"),
        ("turnovr", "limits: unknown limit 'turnovr'. Did you mean 'turnover'?"),
        ("cvar 100%", "limits: the level 100% is not possible. Use cvar 95%."),
    ],
)
def test_unknown_words_name_the_row_and_the_nearest(words: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(limits(("net", None, 1.0), (words, None, 1.0)), ASSETS, ASSETS.index)
    assert str(caught.value) == message
    assert caught.value.row == 3


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("net", None, None), "neither a Min nor a Max"),
        (("net", 0.5, 0.4), "the Min 0.5 is above the Max 0.4"),
    ],
)
def test_rows_that_say_nothing_possible(row: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(limits(row), ASSETS, ASSETS.index)


def test_a_floor_on_a_convex_measure_cannot_be_posed() -> None:
    facts = Facts.gather(ASSETS.index, ASSETS, None, COV, reference="cov")
    with pytest.raises(NotAvailable, match="'turnover' cannot have a Min") as caught:
        _ = mandate(facts, limits(("turnover", 0.1, None))).expressions
    assert caught.value.row == 2


def test_weights_that_do_not_sum_to_one_are_refused_where_they_must() -> None:
    assets = ASSETS.assign(Benchmark=[0.4, 0.3, 0.2, 0.0])
    with pytest.raises(InputError, match=r"the column Benchmark sums to 90.00%, not 100%"):
        check(WEIGHTS, limits(("tracking error", None, 1.0)), assets, cov=COV)


def test_an_extra_row_of_assets_with_a_benchmark_weight_is_unknown() -> None:
    short = COV.drop("XOM").drop(columns="XOM")
    with pytest.raises(InputError, match="'XOM' has a Benchmark weight and is not in cov"):
        Facts.gather(short.index, ASSETS, None, short, reference="cov")
    harmless = ASSETS.copy()
    harmless.loc["XOM", ["Benchmark", "Current"]] = 0.0
    assert Facts.gather(short.index, harmless, None, short, reference="cov").size == 3
