"""Cells to values and back: what each kind of argument accepts, and how it refuses the rest."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portbal.errors import InputError
from portbal.result import Noted
from portbal_addin.block import Address, Block
from portbal_addin.codecs.kind import Bare, Kind, either
from portbal_addin.codecs.labelled import (
    MATRIX,
    MATRIX_OR_NUMBER,
    PRICES,
    RAGGED_TABLE,
    SERIES,
    TABLE,
    VECTOR,
    frame_result,
    vector_result,
)
from portbal_addin.codecs.scalars import NUMBER, OPTIONS, TEXT, TRUTH, WHOLE, choice
from portbal_addin.codecs.tables import (
    ASSETS,
    GROUPS,
    HOLDINGS,
    LIMITS,
    VIEW_VARIANCES,
    VIEWS,
)
from portbal_addin.registry import Problem, find

JANUARY, FEBRUARY = dt.datetime(2024, 1, 31), dt.datetime(2024, 2, 29)


def read(kind: Kind, cells: Any, **block: Any) -> Any:
    return kind.decode(Block.of(cells, **block))


def refused(kind: Kind, cells: Any) -> InputError:
    with pytest.raises(InputError) as error:
        read(kind, cells)
    assert error.value.fix
    return error.value


# --- vectors ---------------------------------------------------------------------------------

@pytest.mark.parametrize(
    "cells",
    [
        [["A", 0.6], ["B", 0.4]],
        [["Asset", "Weight"], ["A", 0.6], ["B", "40%"]],
        [["A", "B"], [0.6, 0.4]],
        [["Asset", "A", "B"], ["Weight", 0.6, 0.4]],
        [["", ""], [" A\u00a0", 0.6], ["B", 0.4], ["", None]],
    ],
)
def test_vectors_with_names(cells: Any) -> None:
    found = read(VECTOR, cells)
    assert found.to_dict() == {"A": 0.6, "B": 0.4}
    assert list(VECTOR.labels(found)) == ["A", "B"]


@pytest.mark.parametrize("cells", [[[1], [2], [3]], [[1, 2, 3]], [1, 2, 3]])
def test_vectors_without_names_wait_for_names(cells: Any) -> None:
    found = read(VECTOR, cells)
    assert isinstance(found, Bare)
    assert found.labelled(pd.Index(["A", "B", "C"]), "cov").to_dict() == {"A": 1, "B": 2, "C": 3}
    with pytest.raises(InputError, match="3 numbers without names, and cov has 2 names"):
        found.labelled(pd.Index(["A", "B"]), "cov")


def test_numeric_names_are_texts() -> None:
    assert list(read(VECTOR, [[600519, 0.5], [2.5, 0.5]]).index) == ["600519", "2.5"]


@pytest.mark.parametrize(
    ("cells", "row", "says"),
    [
        ([["A", 0.6], ["a ", 0.4]], 2, "repeats the name 'a'"),
        ([["A", 0.6], ["", 0.4]], 2, "blank where a name"),
        ([["A", 0.6], ["B", ""], ["C", 0.1]], 2, "blank where a number"),
        ([["A", "n/a"], ["B", 0.4]], 1, "the text 'n/a'"),
        ([["A", "12,5"], ["B", 0.4]], 1, "with a comma"),
        ([["A", "#DIV/0!"], ["B", 0.4]], 1, "the error #DIV/0!"),
        ([["A", True], ["B", 0.4]], 1, "TRUE or FALSE"),
        ([["A", JANUARY], ["B", 0.4]], 1, "a date"),
        ([["A", float("inf")], ["B", 0.4]], 1, "not a finite number"),
        ([["A", 1, 2], ["B", 3, 4], ["C", 5, 6]], None, "3 rows and 3 columns"),
    ],
)
def test_what_is_no_vector(cells: Any, row: int | None, says: str) -> None:
    error = refused(VECTOR, cells)
    assert says in error.problem
    assert error.row == row


def test_places_of_a_vector_laid_across_are_the_users() -> None:
    error = refused(VECTOR, [["A", "B", "C"], [1, "x", 3]])
    assert (error.row, error.column) == (2, 2)


def test_vector_results() -> None:
    values = pd.Series([0.5, 0.5], ["A", "B"])
    expected = (("Asset", "Weight"), ("A", 0.5), ("B", 0.5))
    assert vector_result("Weight").encode(values).rows == expected
    assert vector_result("Weight").encode(Noted(values, notes=("x",))).rows == expected


# --- matrices --------------------------------------------------------------------------------

def test_a_matrix_comes_in_the_order_of_its_columns() -> None:
    found = read(MATRIX, [["", "A", "B"], ["B", 3, 4], ["a", 1, 2]])
    assert list(found.index) == list(found.columns) == ["A", "B"]
    assert found.to_numpy().tolist() == [[1, 2], [3, 4]]


def test_bare_square_numbers_take_names() -> None:
    found = read(MATRIX, [[1, 2], [3, 4]])
    assert isinstance(found, Bare)
    frame = found.labelled(pd.Index(["A", "B"]), "mu")
    assert frame.loc["A", "B"] == 2


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([["", "A", "B"], ["A", 1, 2]], "2 rows and 3 columns"),
        ([["", "A", "B"], ["A", 1, 2], ["C", 3, 4]], "names 'B', which no row has"),
        ([["", "A", "A"], ["A", 1, 2], ["A", 3, 4]], "repeats the name"),
        ([["", "A", "B"], ["A", 1, ""], ["B", 3, 4]], "blank where a number"),
        ([["A"]], "one cell"),
    ],
)
def test_what_is_no_matrix(cells: Any, says: str) -> None:
    assert says in refused(MATRIX, cells).problem


@given(st.integers(1, 6), st.integers(0, 1000))
def test_matrices_survive_cells(n: int, seed: int) -> None:
    names = [f"N{i}" for i in range(n)]
    values = pd.DataFrame(np.random.default_rng(seed).normal(size=(n, n)), names, names)
    found = MATRIX.decode(MATRIX.encode(Noted(values)))
    assert found.to_numpy().tolist() == values.to_numpy().tolist()
    assert list(found.columns) == names


def test_a_matrix_or_a_number() -> None:
    assert MATRIX_OR_NUMBER.encode(Noted(0.25)).rows == ((0.25,),)
    frame = pd.DataFrame([[1.0]], ["A"], ["A"])
    assert MATRIX_OR_NUMBER.encode(Noted(frame)).rows == ((None, "A"), ("A", 1.0))


# --- tables ----------------------------------------------------------------------------------

@pytest.mark.parametrize("corner", ["", "Date", "dates", "Date of close"])
@pytest.mark.parametrize(
    "days",
    [(JANUARY, FEBRUARY), ("2024-01-31", "2024-02-29"), (45322, 45351.0),
     (JANUARY.date(), FEBRUARY.date())],
)
def test_tables_with_dates(corner: str, days: Any) -> None:
    found = read(TABLE, [[corner, "A", "B"], [days[0], 1, 2], [days[1], 3, 4]])
    assert list(found.index) == [JANUARY, FEBRUARY]
    assert found["B"].tolist() == [2, 4]


def test_the_1904_epoch() -> None:
    found = read(TABLE, [["Date", "A"], [45322 - 1462, 1]], date1904=True)
    assert list(found.index) == [JANUARY]


def test_tables_without_dates() -> None:
    found = read(TABLE, [["A", "B"], [1, 2], [3, 4]])
    assert isinstance(found.index, pd.RangeIndex)
    assert found["A"].tolist() == [1, 3]
    assert TABLE.encode(found).rows == (("A", "B"), (1, 2), (3, 4))


def test_table_results_carry_their_dates_and_the_title_of_their_index() -> None:
    frame = pd.DataFrame({"A": [1.0, np.nan]}, pd.DatetimeIndex([JANUARY, FEBRUARY]))
    assert TABLE.encode(frame).rows == (
        ("Date", "A"), (dt.date(2024, 1, 31), 1), (dt.date(2024, 2, 29), None)
    )
    assert TABLE.encode(frame.rename_axis("Date (log)")).rows[0] == ("Date (log)", "A")


@pytest.mark.parametrize(
    ("cells", "place", "says"),
    [
        ([["", "A"], ["2024-01-31", ""], ["2024-02-29", 1]], (2, 2), "blank where a number"),
        ([["", "A"], ["2024-02-29", 1], ["2024-01-31", 1]], (3, 1), "lies before"),
        ([["", "A"], ["2024-01-31", 1], ["2024-01-31", 1]], (3, 1), "repeats"),
        ([["", "A"], ["31.01.2024", 1]], (2, 1), "where a date belongs"),
        ([["", "A", "a"], ["2024-01-31", 1, 2]], (1, 3), "repeats the name"),
        ([["Date (Log)", "A"], ["2024-01-31", 1]], (1, 1), "log returns"),
        ([["", "A"]], (None, None), "no rows"),
        ([[1, 2], [3, 4]], (1, 1), "name of an asset"),
    ],
)
def test_what_is_no_table(cells: Any, place: Any, says: str) -> None:
    error = refused(TABLE, cells)
    assert says in error.problem
    assert (error.row, error.column) == place


def test_leading_blanks_are_a_history_that_starts_later() -> None:
    cells = [["", "A", "B"], ["2024-01-31", 1, ""], ["2024-02-29", 2, 3]]
    assert np.isnan(read(RAGGED_TABLE, cells)["B"].iloc[0])
    inside = [["", "A", "B"], ["2024-01-31", 1, 1], ["2024-02-29", 2, ""], ["2024-03-31", 2, 1]]
    for kind in (TABLE, PRICES, RAGGED_TABLE):
        error = refused(kind, inside)
        assert (error.row, error.column) == (3, 3)
    for kind in (TABLE, PRICES):
        assert (refused(kind, cells).row, refused(kind, cells).column) == (2, 3)


def test_prices_are_above_zero() -> None:
    error = refused(PRICES, [["", ""], ["A", "B"], [1, 2], [1, 0]])
    assert (error.row, error.column) == (4, 2)
    assert "a price is above zero" in error.problem


# --- series ----------------------------------------------------------------------------------

@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ([["Date", "Index"], ["2024-01-31", 0.1], ["2024-02-29", 0.2]], "Index"),
        ([["", "Index"], ["2024-01-31", 0.1], ["2024-02-29", 0.2]], "Index"),
        ([["Date", 500], ["2024-01-31", 0.1], ["2024-02-29", 0.2]], "500"),
        ([["2024-01-31", 0.1], ["2024-02-29", 0.2]], "Series"),
        ([["Index"], [0.1], [0.2]], "Index"),
        ([[0.1], ["20%"]], "Series"),
    ],
)
def test_series(cells: Any, name: str) -> None:
    found = read(SERIES, cells)
    assert found.tolist() == [0.1, 0.2]
    assert found.name == name
    assert isinstance(found.index, pd.DatetimeIndex) == (len(cells[0]) == 2)


@pytest.mark.parametrize(
    ("cells", "row", "says"),
    [
        ([["2024-01-31", "n/a"], ["2024-02-29", 0.2]], 1, "the text 'n/a'"),
        ([["2024-01-31", ""], ["2024-02-29", 0.2]], 1, "blank"),
        ([["31.01.2024", 0.1], ["2024-02-29", 0.2]], 1, "where a date belongs"),
        ([["#N/A"], [0.2]], 1, "the error #N/A"),
        ([["nan"], [0.2]], 1, "the text 'nan'"),
        ([["Date", "A", "B"], ["2024-01-31", 1, 2]], None, "3 columns"),
        ([["Date (log)", "A"], ["2024-01-31", 1]], 1, "log returns"),
    ],
)
def test_no_row_of_a_series_is_taken_for_a_header(cells: Any, row: Any, says: str) -> None:
    error = refused(SERIES, cells)
    assert says in error.problem
    assert error.row == row


# --- one cell --------------------------------------------------------------------------------

def test_scalars() -> None:
    assert read(NUMBER, " 5 % ") == 0.05
    assert read(NUMBER, [["", ""], ["", 3]]) == 3
    assert read(WHOLE, 4.0) == 4
    assert read(TEXT, " word ") == "word"
    assert read(choice("simple", "log"), "LOG ") == "log"
    assert NUMBER.encode(Noted(2.5)).rows == ((2.5,),)
    assert TRUTH.encode(np.True_).rows == ((True,),)


@pytest.mark.parametrize(
    ("kind", "cells", "says"),
    [
        (NUMBER, "0,5", "with a comma"),
        (NUMBER, [[1, 2]], "a range of 1 rows and 2 columns"),
        (WHOLE, 2.5, "not a whole number"),
        (TEXT, "#REF!", "the error #REF!"),
        (choice("simple", "log"), "logs", "'logs' is not known"),
    ],
)
def test_scalars_that_are_not(kind: Kind, cells: Any, says: str) -> None:
    assert says in refused(kind, cells).problem


def test_a_number_that_is_none_is_a_bug() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ArithmeticError):
            NUMBER.encode(value)


def test_options() -> None:
    cells = [["Option", "Value"], ["Tail ", "beyond"], ["", ""], ["alpha", "5%"], ["n", 3],
             ["on", True]]
    assert read(OPTIONS, cells) == {"tail": "beyond", "alpha": 0.05, "n": 3, "on": True}
    assert "repeats the option" in refused(OPTIONS, [["a", 1], ["A", 2]]).problem
    assert refused(OPTIONS, [["a", 1], ["b", ""], ["c", 1]]).row == 2
    assert refused(OPTIONS, [["a", "#N/A"]]).column == 2
    assert "3" in refused(OPTIONS, [["a", 1, 2]]).problem


def test_either_tells_two_kinds_apart_by_the_cells() -> None:
    kind = either(choice("he-litterman"), VIEW_VARIANCES, lambda block: block.width == 1)
    assert read(kind, "HE-LITTERMAN") == "he-litterman"
    found = read(kind, [["View", "Variance"], ["A - B", 0.01]])
    assert found["Variance"].tolist() == [0.01]
    assert kind.labels("he-litterman") is None


# --- tables with fixed columns ---------------------------------------------------------------

def test_views_carry_their_rows() -> None:
    found = read(VIEWS, [["", ""], ["View", "Return"], ["A - B", "5%"], ["", ""], ["C", 0.02]])
    assert list(found.index) == [3, 5]
    assert found["View"].tolist() == ["A - B", "C"]
    assert found["Return"].tolist() == [0.05, 0.02]
    assert found["Confidence"].isna().all()
    picked = read(VIEWS, [["A", "B", "Return", "Confidence"], [1, "", 0.05, 0.5]])
    assert picked.loc[2].tolist() == [1, 0, 0.05, 0.5]
    assert "unknown title" in refused(VIEWS, [["View", "Retrun"], ["A", 1]]).problem


def test_groups() -> None:
    for cells in ([["Asset", "Group"], ["A", "x"], ["B", 1]], [["A", "x"], ["B", 1]]):
        assert read(GROUPS, cells).to_dict() == {"A": "x", "B": "1"}


ASSET_ROWS = [
    ["Asset", "Sector", "Beta", "benchmark", "Rank"],
    [" A\u00a0", "Tech", 1.2, "60%", 1], ["", "", "", "", ""], [600519, "", "", 0.4, "top"],
]


def test_assets_are_groupings_exposures_and_reserved_columns() -> None:
    """A column of numbers is an exposure, one with any text a grouping; blanks are none."""
    found = read(ASSETS, [["", "", "", "", ""], *ASSET_ROWS])
    assert list(found.index) == ["A", "600519"]
    assert list(found.columns) == ["Sector", "Beta", "Benchmark", "Rank"]
    assert found["Sector"].tolist() == ["Tech", ""]
    assert found["Beta"].iloc[0] == 1.2
    assert np.isnan(found["Beta"].iloc[1])
    assert found["Benchmark"].tolist() == [0.6, 0.4]
    assert found["Rank"].tolist() == ["1", "top"]
    assert list(ASSETS.labels(found)) == ["A", "600519"]


@pytest.mark.parametrize(("cells", "place", "says"), [
    ([["Name", "Beta"], ["A", 1]], (1, None), "not titled Asset"),
    ([["Asset", "Beta"]], (None, None), "no rows"),
    ([["Asset", "Min"], ["A", "low"]], (2, 2), "the text 'low'"),
    ([["Asset", "Min"], ["A", 1], ["a", 2]], (3, 1), "repeats the name"),
    ([["Asset", "Beta", "beta"], ["A", 1, 2]], (1, 3), "repeats the name"),
    ([["Asset", "Beta"], ["A", "#N/A"]], (2, 2), "the error #N/A"),
    ([["Asset", "Sector"], ["A", "Tech"], ["B", "#REF!"]], (3, 2), "the error #REF!"),
    ([["Asset", ""], ["A", 1]], (1, 2), "blank"),
])
def test_what_are_no_assets(cells: Any, place: Any, says: str) -> None:
    error = refused(ASSETS, cells)
    assert says in error.problem
    assert (error.row, error.column) == place


def test_limits_with_and_without_penalties() -> None:
    found = read(LIMITS, [["limit", "Max", " MIN "], ["each asset", "40%", ""], ["", "", ""],
                          ["Sector Tech", "", 0.1]])
    assert list(found.index) == [2, 4]
    assert found["Limit"].tolist() == ["each asset", "Sector Tech"]
    assert found["Max"].iloc[0] == 0.4
    assert np.isnan(found["Min"].iloc[0])
    assert found["Min"].iloc[1] == 0.1
    assert found["Penalty"].isna().all()
    full = read(LIMITS, [["Limit", "Min", "Max", "Penalty", "Note"], ["beta", 0, 1, 0.5, "why"]])
    assert full.loc[2].tolist() == ["beta", 0, 1, 0.5, "why"]
    misspelt = refused(LIMITS, [["Limit", "Min", "Maxx"], ["a", 0, 1]])
    assert "unknown title 'Maxx'" in misspelt.problem
    assert "no column Max" in refused(LIMITS, [["Limit", "Min"], ["a", 0]]).problem
    error = refused(LIMITS, [["Limit", "Min", "Max"], ["a", "x", 1]])
    assert (error.row, error.column) == (2, 2)


def test_holdings() -> None:
    found = read(HOLDINGS, [["Price", "Asset", "Quantity"], [2, "A", -3], [1, "Cash", 50]])
    assert found.loc["A"].tolist() == [-3, 2]
    assert found.loc["Cash"].tolist() == [50, 1]
    assert list(HOLDINGS.labels(found)) == ["A", "Cash"]
    for cells, place in (
        ([["Asset", "Quantity", "Price"], ["A", "", 1]], (2, 2)),
        ([["Asset", "Quantity", "Price"], ["A", 1, "12,5"]], (2, 3)),
        ([["Asset", "Quantity", "Price"], ["A", 1, 2], ["a ", 1, 2]], (3, 1)),
    ):
        error = refused(HOLDINGS, cells)
        assert (error.row, error.column) == place


@pytest.mark.parametrize("left_out", [None, "", [["", None], [" ", "\u00a0"]]])
def test_optional_arguments_that_are_left_out_take_their_defaults(left_out: Any) -> None:
    var = find("VAR")
    returns = Block.of([["X"], *([value] for value in (0.01, -0.02, 0.03, -0.04))])
    block = None if left_out is None else Block.of(left_out)
    given = var.invoke(returns, block, Block.of(0.5), block, block)
    assert given.block.rows == ((pytest.approx(0.005),),)  # minus the median of the four
    missing = var.invoke(block)
    assert isinstance(missing, Problem)
    assert missing.argument == "returns"


def test_problems_in_any_cell_are_passed_on() -> None:
    text = "#PORTBAL RETURNS: prices: it is empty. Give prices."
    for place in ((0, 0), (2, 1)):
        cells: list[list[Any]] = [["", "A", "B"], ["2024-01-31", 1, 2], ["2024-02-29", 3, 4]]
        cells[place[0]][place[1]] = text
        assert find("MEANRETURN").invoke(Block.of(cells)).block.rows == ((text,),)


# --- result tables ---------------------------------------------------------------------------

def test_result_tables() -> None:
    frame = pd.DataFrame({
        "Date": [JANUARY, pd.NaT], "Text": ["a", "b"], "Number": [1.5, np.nan],
        "Whole": [1, 2], "Truth": [True, False],
    })
    assert frame_result("Date", "...").encode(frame).rows == (
        ("Date", "Text", "Number", "Whole", "Truth"),
        (dt.date(2024, 1, 31), "a", 1.5, 1, True), (None, "b", None, 2, False),
    )


def test_a_range_knows_its_cells() -> None:
    block = Block.of([["", "A"], ["2024-01-31", 1]], Address("My data", 10, 3))
    assert block.find("2024-01-31", "A") == (2, 2, "'My data'!D11")
