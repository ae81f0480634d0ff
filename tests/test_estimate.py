"""Expected returns and covariances: estimates, late histories, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portbal.errors import InputError
from portbal.estimate import covariance, expected
from portbal.periods import per_year
from portbal_addin.block import Block
from portbal_addin.registry import Answer, Problem, find


def table(rows: int = 60, columns: int = 5, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(0.005, 0.03, (rows, columns)) + rng.normal(0, 0.02, (rows, 1))
    days = pd.date_range("2015-01-31", periods=rows, freq="ME")
    return pd.DataFrame(values, days, list("ABCDEFGH")[:columns])


def ragged() -> pd.DataFrame:
    data = table()
    data.iloc[:20, 2] = np.nan
    data.iloc[:35, 4] = np.nan
    return data


def call(name: str, *arguments: Any) -> Answer | Problem:
    return find(name).invoke(*[None if a is None else Block.of(a) for a in arguments])


def cells(data: pd.DataFrame) -> list[list[Any]]:
    body = [[day.date(), *row] for day, row in zip(data.index, data.to_numpy(), strict=True)]
    return [["Date", *data.columns], *[[None if x != x else x for x in row] for row in body]]


# --- expected returns ------------------------------------------------------------------------

def test_mean_is_the_arithmetic_mean_times_periods() -> None:
    data = ragged()
    pd.testing.assert_series_equal(expected.estimate(data), data.mean() * 12)


def test_compound_is_the_growth_a_year_of_each_own_history() -> None:
    data = ragged()
    found = expected.estimate(data, "Compound")
    for name in data:
        own = data[name].dropna()
        assert found[name] == pytest.approx((1 + own).prod() ** (12 / len(own)) - 1, rel=1e-12)


def test_compound_of_a_total_loss_is_minus_one() -> None:
    data = pd.DataFrame({"A": [0.1, -1.0, 0.2]})
    assert expected.estimate(data, "compound", 12)["A"] == -1
    data.iloc[2] = -1.5
    with pytest.raises(InputError, match="more than everything") as refused:
        expected.estimate(data, "compound", 12)
    assert refused.value.row == 4


def test_periods_come_from_the_dates_or_are_given() -> None:
    data = table()
    monthly = expected.estimate(data)
    np.testing.assert_allclose(expected.estimate(data, "mean", 252), monthly * 21)
    with pytest.raises(InputError, match="no dates") as refused:
        expected.estimate(data.reset_index(drop=True))
    assert "periods" in refused.value.fix


@pytest.mark.parametrize(("gap", "odd", "periods"), [
    (1, 5, 252), (7, 14, 52), (30, 60, 12), (91, 182, 4), (365, 730, 1),
])
def test_one_class_needs_four_fifths_of_the_gaps(gap: int, odd: int, periods: int) -> None:
    def dates(regular: int) -> pd.DatetimeIndex:
        gaps = [0] + [gap] * regular + [odd] * (100 - regular)
        return pd.Timestamp("1990-01-01") + pd.to_timedelta(np.cumsum(gaps), unit="D")

    assert per_year(dates(80)) == periods
    with pytest.raises(InputError, match=rf"only 79.0% of the dates are .* {periods} periods"):
        per_year(dates(79))


# --- covariance --------------------------------------------------------------------------------

def test_sample_is_that_of_pandas_pair_by_pair() -> None:
    data = ragged()
    found = covariance.estimate(data).value
    pd.testing.assert_frame_equal(found, data.cov() * 12, rtol=1e-12)
    assert covariance.estimate(data).notes == ()


def test_ledoit_wolf_lies_between_the_sample_and_the_identity() -> None:
    data = table(rows=20)
    found = covariance.estimate(data, "ledoit-wolf").value.to_numpy() / 12
    population = np.cov(data.to_numpy().T, ddof=0)
    assert np.trace(found) == pytest.approx(np.trace(population))
    off = ~np.eye(5, dtype=bool)
    kept = found[off] / population[off]
    assert np.ptp(kept) < 1e-12
    assert 0 < kept[0] < 1


def test_ledoit_wolf_refuses_a_late_history_by_name() -> None:
    with pytest.raises(InputError, match="'E' starts later") as refused:
        covariance.estimate(ragged(), "ledoit-wolf")
    assert refused.value.column == "E"
    assert "sample" in refused.value.fix


def test_ledoit_wolf_never_repairs_in_silence() -> None:
    """Two mirrored rows leave nothing to tell the intensity by, and PyPortfolioOpt would move
    the eigenvalues of the singular matrix."""
    move = np.random.default_rng(0).normal(0, 0.1, (1, 6))
    data = pd.DataFrame(np.vstack([move, -move]), columns=list("ABCDEF"))
    with pytest.raises(InputError, match="singular"):
        covariance.estimate(data, "ledoit-wolf", 252)
    with pytest.raises(InputError, match="needs two"):
        covariance.estimate(data.iloc[:1], "ledoit-wolf", 252)


def indefinite() -> pd.DataFrame:
    """A follows B while C is away, then C follows A and B's opposite."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=40)
    data = pd.DataFrame({"A": common, "B": common + 0.01 * rng.normal(size=40), "C": np.nan})
    data.loc[36:, "C"] = [1.0, -2.0, 1.5, 0.5]
    data.loc[36:, "A"] = [1.0, -2.0, 1.5, 0.5]
    data.loc[36:, "B"] = [-1.0, 2.0, -1.5, -0.5]
    return data


def test_a_matrix_that_is_not_psd_names_nearestpsd() -> None:
    data = indefinite()
    assert np.linalg.eigvalsh(data.cov())[0] < -0.1
    with pytest.raises(InputError) as refused:
        covariance.estimate(data, "sample", 1)
    assert refused.value.argument == "returns"
    assert "NEARESTPSD" in refused.value.fix


def test_keeping_it_is_an_option_so_that_nearestpsd_can_have_it() -> None:
    data = indefinite()
    kept = covariance.estimate(data, "sample", 1, {"Indefinite": "keep"})
    pd.testing.assert_frame_equal(kept.value, data.cov())
    assert "NEARESTPSD" in kept.notes[0]
    block = call("COVARIANCE", cells_undated(data), "", 1, [["indefinite", "keep"]])
    assert isinstance(block, Answer)
    repaired = find("NEARESTPSD").invoke(block.block)
    assert isinstance(repaired, Answer)
    assert isinstance(find("MINVOLATILITY").invoke(repaired.block), Answer)


def cells_undated(data: pd.DataFrame) -> list[list[Any]]:
    rows = [[None if x != x else x for x in row] for row in data.to_numpy()]
    return [list(data.columns), *rows]


# --- both ------------------------------------------------------------------------------------

@settings(max_examples=25)
@given(st.permutations(range(5)), st.sampled_from(["sample", "ledoit-wolf"]))
def test_columns_permute_with_their_names(order: list[int], method: str) -> None:
    data = table()
    mixed = data.iloc[:, order]
    pd.testing.assert_frame_equal(
        covariance.estimate(mixed, method).value,
        covariance.estimate(data, method).value.loc[mixed.columns, mixed.columns], rtol=1e-9,
    )
    pd.testing.assert_series_equal(
        expected.estimate(mixed), expected.estimate(data).loc[mixed.columns]
    )


@settings(max_examples=25)
@given(st.floats(0.01, 100))
def test_scaling_returns_scales_the_estimates(factor: float) -> None:
    data = ragged()
    np.testing.assert_allclose(
        covariance.estimate(data * factor).value, covariance.estimate(data).value * factor**2,
        rtol=1e-10,
    )
    np.testing.assert_allclose(
        expected.estimate(data * factor), expected.estimate(data) * factor, rtol=1e-10
    )


@pytest.mark.parametrize("name", ["MEANRETURN", "COVARIANCE"])
def test_late_histories_are_taken_from_cells(name: str) -> None:
    found = call(name, cells(ragged()))
    assert isinstance(found, Answer)
    expect = ragged().mean() * 12 if name == "MEANRETURN" else ragged().cov()["A"] * 12
    assert [row[1] for row in found.block.rows[1:]] == pytest.approx(list(expect))


@pytest.mark.parametrize(
    ("name", "header"), [("MEANRETURN", ("Asset", "Return")), ("COVARIANCE", (None, *"ABCDE"))]
)
def test_headers(name: str, header: tuple[Any, ...]) -> None:
    found = call(name, cells(table()))
    assert isinstance(found, Answer)
    assert found.block.rows[0] == header
    assert [row[0] for row in found.block.rows[1:]] == list("ABCDE")


@pytest.mark.parametrize("name", ["MEANRETURN", "COVARIANCE"])
def test_a_blank_inside_a_history_is_refused_with_its_cell(name: str) -> None:
    data = table()
    data.iloc[30, 3] = np.nan
    found = call(name, cells(data))
    assert isinstance(found, Problem)
    assert (found.row, found.column) == (32, 5)
    method = {"MEANRETURN": expected.estimate, "COVARIANCE": covariance.estimate}[name]
    with pytest.raises(InputError) as refused:
        method(data)
    assert (refused.value.row, refused.value.column) == (data.index[30], "D")


@pytest.mark.parametrize("name", ["MEANRETURN", "COVARIANCE"])
def test_a_column_without_numbers_is_refused_by_name(name: str) -> None:
    data = table()
    data["B"] = np.nan
    found = call(name, cells(data))
    assert isinstance(found, Problem)
    assert "'B' has no numbers" in found.message


@pytest.mark.parametrize(
    ("name", "methods"),
    [("MEANRETURN", ["mean", "compound"]), ("COVARIANCE", ["sample", "ledoit-wolf"])],
)
def test_an_unknown_method_lists_what_exists(name: str, methods: list[str]) -> None:
    found = call(name, cells(table()), "jorion")
    assert isinstance(found, Problem)
    assert found.argument == "method"
    for method in methods:
        assert method in found.fix


def test_an_unknown_option_and_word_are_refused() -> None:
    found = call("MEANRETURN", cells(table()), "", "", [["benchmark", "SPX"]])
    assert isinstance(found, Problem)
    assert (found.argument, found.row) == ("options", 1)
    found = call("COVARIANCE", cells(table()), "", "", [["indefinit", "keep"]])
    assert isinstance(found, Problem)
    assert "Did you mean 'indefinite'?" in found.fix
    found = call("COVARIANCE", cells(table()), "", "", [["indefinite", "repair"]])
    assert isinstance(found, Problem)
    assert "refuse, keep" in found.fix


def test_one_row_has_no_covariance() -> None:
    found = call("COVARIANCE", [["A", "B"], [0.1, 0.2]], "sample", 12)
    assert isinstance(found, Problem)
    assert "needs two" in found.message
