"""The ribbon commands risk report and stress, by other routes than the functions they call."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from portbal.errors import InputError
from portbal_addin.book import Area, MemoryBook, PutFormula, needed
from workbooks import prices, rows_of, run, with_orders, workbook

TARGET = np.array([0.4, 0.35, 0.25])  # of with_orders
SHOCKS = [["Scenario", "Where", "Shock"], ["Market", "all", -0.2],
          ["Bank falls", "Sector Bank", -0.5], [None, "Bravo", 0.1]]


def given(**changed: Any) -> MemoryBook:
    return with_orders(workbook(**changed))


def after(book: MemoryBook, name: str) -> MemoryBook:
    return book.after(run(name, book).writes)


def daily(book: MemoryBook) -> np.ndarray:
    table = np.array([row[1:] for row in rows_of(book, "Prices")[1:]], dtype=float)
    return table[1:] / table[:-1] - 1


def column(book: MemoryBook, name: str, title: str) -> np.ndarray:
    header, *rows = rows_of(book, name)
    return np.array([row[header.index(title)] for row in rows], dtype=float)


@pytest.fixture(scope="module")
def reported() -> MemoryBook:
    return after(after(given(Prices=prices(320)), "refresh estimates"), "risk report")


def test_parts_by_asset_and_by_sector_add_up_to_the_same(reported: MemoryBook) -> None:
    losses = np.sort(-daily(reported) @ TARGET)[::-1]
    worst = 0.05 * len(losses)
    whole = int(worst)
    cvar = (losses[:whole].sum() + (worst - whole) * losses[whole]) / worst
    shown = {row[:2]: row[2:] for row in rows_of(reported, "TailRisk")[1:]}
    assert shown["historical", 0.95] == pytest.approx((np.quantile(losses, 0.95), cvar))
    for name in ("TailContributions", "SectorTailContributions"):
        assert column(reported, name, "CVaR part").sum() == pytest.approx(cvar)
    volatility = {row[0]: row[4] for row in rows_of(reported, "RiskSummary")}["Volatility"]
    for name in ("RiskContributions", "SectorContributions"):
        assert column(reported, name, "Contribution").sum() == pytest.approx(volatility)
    assert [row[0] for row in rows_of(reported, "SectorContributions")[1:]] == ["Tech", "Bank"]


def test_the_summary_stands_to_the_benchmark(reported: MemoryBook) -> None:
    cov = np.array([row[1:] for row in rows_of(reported, "Covariance")[1:]], dtype=float)
    bench = np.array([0.5, 0.3, 0.2])
    rows = {row[0]: row[2:] for row in rows_of(reported, "RiskSummary")[1:]}
    gap = TARGET - bench
    assert rows["Tracking error"][1:] == pytest.approx((0, np.sqrt(gap @ cov @ gap)))
    beta = TARGET @ cov @ bench / (bench @ cov @ bench)
    assert rows["Beta to the benchmark"][1:] == pytest.approx((1, beta))
    assert rows["Active share"][2] == pytest.approx(0.1)


def test_backtests_count_the_days_beyond_var(reported: MemoryBook) -> None:
    own = daily(reported) @ TARGET
    deviation = own.std(ddof=1)
    for name, var in (("HistoricalBacktest", np.quantile(-own, 0.99)),
                      ("NormalBacktest", 2.3263478740408408 * deviation - own.mean())):
        tests = {row[0]: row[1:] for row in rows_of(reported, name)[1:]}
        assert tests["Basel zone"][0] == (-own[-250:] > var).sum()
        assert set(tests) == {"Kupiec", "Christoffersen", "joint", "Basel zone", "duration",
                              "expected shortfall"}
    wealth = np.concatenate([[1], np.cumprod(1 + own)])
    deepest = (1 - wealth / np.maximum.accumulate(wealth)).max()
    assert rows_of(reported, "Drawdowns")[1][0] == pytest.approx(deepest)
    first, last = rows_of(reported, "StressedVaR")[1:]
    assert first[3] >= last[3]
    assert last[3] == pytest.approx(np.quantile(-own[-250:], 0.95))


def test_what_has_no_answer_is_left_out_and_said() -> None:
    """One asset has no pair, and without Assets there are no sectors."""
    few = [row[:2] for row in prices()]
    book = workbook(Prices=few, Assets=None, Holdings=None, Views=None, Limits=None,
                    Weights=[["Asset", "Weight"], ["Alfa", 1.0]], RiskFree=0.0,
                    ExpectedReturns=[["Asset", "Return"], ["Alfa", 0.05]])
    changes = run("risk report", book)
    assert [note for note in changes.notes if note.startswith("CorrelationShift is left out: ")]
    written = book.after(changes.writes)
    assert written.find("SectorContributions") is None
    assert rows_of(written, "RiskContributions")[1][4] == pytest.approx(1)


def test_losses_and_breaches_of_own_scenarios() -> None:
    book = given(Shocks=SHOCKS)
    changes = run("stress", book)
    book = book.after(changes.writes)
    assert changes.status == (
        "2 scenarios, limits break in 1; the worst is Market: the target loses 20.00%.")
    lost = 0.25 * 0.5 - 0.35 * 0.1
    losses = rows_of(book, "ScenarioLosses")
    assert losses[1] == ("Market", pytest.approx(0.2), 0, None)
    assert losses[2] == ("Bank falls", pytest.approx(lost), 1, "Sector Tech")
    assert (0.4 + 0.35 * 1.1) / (1 - lost) > 0.85
    header, *rows = rows_of(book, "StressMatrix")
    assert header == ("Limit", "Min", "Max", "Now", "Market", "Bank falls")
    assert {row[0]: row[3:] for row in rows}["Sector Tech"] == ("ok", "ok", "breach")
    by_asset = rows_of(book, "StressedAssets")
    assert by_asset[0] == ("Asset", "Weight", "Market", "Bank falls")
    np.testing.assert_allclose(column(book, "StressedAssets", "Bank falls"), [0, -0.035, 0.125])
    assert changes.notes[0].startswith("No windows of the past: SCENARIOSHOCKS: returns: they run")


def test_windows_of_the_past_are_what_prices_did() -> None:
    table = prices()
    for at, row in enumerate(table[1:]):
        row[0] = dt.date(2020, 1, 2) + dt.timedelta(days=at + 2 * (at // 5))
    day = {row[0]: np.array(row[1:]) for row in table[1:]}
    before, last = (max(d for d in day if d <= edge)
                    for edge in (dt.date(2020, 2, 19), dt.date(2020, 3, 23)))
    moves = day[last] / day[before] - 1
    alone = after(given(Prices=table), "stress")
    assert rows_of(alone, "ScenarioLosses")[1][:2] == (
        "Covid 2020", pytest.approx(-float(TARGET @ moves)))
    np.testing.assert_allclose(column(alone, "WindowShocks", "Shock"), moves, rtol=1e-9)
    both = after(given(Prices=table, Shocks=SHOCKS), "stress")
    assert rows_of(both, "StressMatrix")[0][4:] == ("Market", "Bank falls", "Covid 2020")
    np.testing.assert_allclose(column(both, "StressedAssets", "Covid 2020"), -TARGET * moves)


def test_reverse_stress_and_correlations_take_their_settings() -> None:
    book = after(given(Shocks=SHOCKS, ReverseLoss=0.1, StressedCorrelation=0.5), "stress")
    assert column(book, "ReverseStress", "Shock") @ TARGET == pytest.approx(-0.1)
    estimated = after(book, "refresh estimates")
    cov = np.array([row[1:] for row in rows_of(estimated, "Covariance")[1:]], dtype=float)
    deviations = np.sqrt(np.diag(cov)) * TARGET
    moved = 0.5 * np.outer(deviations, deviations)
    np.fill_diagonal(moved, deviations**2)
    shown = column(book, "StressedVolatility", "Target")
    assert shown[0] == pytest.approx(np.sqrt(TARGET @ cov @ TARGET))
    assert shown[-1] == pytest.approx(np.sqrt(moved.sum()))


@pytest.mark.parametrize("name", ["risk report", "stress"])
def test_twice_changes_nothing_more(name: str) -> None:
    book = after(given(Shocks=SHOCKS), name)
    assert needed(book, run(name, book).writes) == ()


@pytest.mark.parametrize(("gone", "message"), [
    ("Limits", "Limits is not a name in this workbook"),
    ("Assets", "Assets is not a name in this workbook"),
    ("Shocks", "Shocks is not a name in this workbook"),
])
def test_what_stress_misses_is_named_once(gone: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run("stress", given(**{"Shocks": SHOCKS, gone: None}))


def test_a_mistake_in_a_shock_is_told_with_its_cell() -> None:
    with pytest.raises(InputError, match=r"shocks row 2.*\(Shocks!A2\)") as caught:
        run("stress", given(Shocks=[SHOCKS[0], ["Market", "Sector Tehc", -0.2]]))
    assert caught.value.fix == "Did you mean 'Tech'?"


def test_results_that_are_formulas_are_left_to_themselves() -> None:
    book = after(given(Shocks=SHOCKS), "stress")
    area = book.find("StressMatrix")
    assert area is not None
    cell = Area(area.sheet, area.row, area.column)
    book = book.after([PutFormula(cell, "=PORTBAL_STRESSLIMITS(Weights,Limits,Assets,Shocks)")])
    changes = run("stress", book)
    assert "StressMatrix is a formula and calculates itself." in changes.notes
    assert needed(book, changes.writes) == ()
