"""Ribbon commands as functions from a workbook to its changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from portbal import optimize, prices, risk
from portbal.errors import ConflictError, InputError, UserError
from portbal.routes import Setting
from portbal.tail import METHODS
from portbal_addin.block import Block
from portbal_addin.book import (
    AddSheet,
    Area,
    DefineName,
    MemoryBook,
    PutCells,
    PutFormula,
    needed,
)
from portbal_addin.macros import commands, names, orders, rebalance
from portbal_addin.registry import functions
from workbooks import NAMES, ORDERS, rows_of, run, tables, with_orders, workbook

ALL = list(commands.commands().values())
RESULTS = ["check data", "refresh estimates", "blend views", "optimise", "frontier",
           "risk report", "check limits", "monitor"]


def done(book: MemoryBook, *names: str) -> MemoryBook:
    """The workbook after these commands, one after the other."""
    for name in names:
        changes = run(name, book)
        book = book.after((*changes.preview, *changes.writes))
    return book


def vector(rows: list[tuple[Any, ...]], column: int = 1) -> pd.Series:
    return pd.Series({row[0]: row[column] for row in rows[1:]}, dtype=float)


# --- the list of commands ------------------------------------------------------------------

def test_every_command_of_the_ribbon_is_there() -> None:
    assert [c.name for c in ALL] == [
        "check data", "refresh estimates", "blend views", "optimise", "frontier", "risk report",
        "check limits", "stress", "monitor", "stops and targets", "liquidity", "rebalance", "apply",
        "undo", "cash plan", "tax lots", "hedge", "problems", "relink", "journal",
    ]


@pytest.mark.parametrize("command", ALL, ids=lambda c: c.name)
def test_what_a_command_tells_about_itself(command: commands.Command) -> None:
    assert command.group in commands.GROUPS
    assert sum(c.group == command.group for c in ALL) <= commands.MOST_IN_A_GROUP
    assert command.screentip.endswith(".")
    assert command.supertip.endswith(".")
    assert command.label[0].isupper()
    assert len(command.label) <= 20
    assert command.image.isalnum()
    assert all(name in functions() for name in command.needs)


@pytest.mark.parametrize("spelling", ["check limits", "check-limits", "check_limits",
                                      " CHECK LIMITS ", "Check limits"])
def test_a_command_is_found_in_any_spelling(spelling: str) -> None:
    assert commands.find(spelling).name == "check limits"


def test_a_command_is_found_by_its_label() -> None:
    assert commands.find("preview rebalance").name == "rebalance"


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        commands.find("optimize")
    assert caught.value.fix == "Did you mean 'optimise'?"


def test_a_command_ships_when_its_functions_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = {name: f for name, f in functions().items() if name != "FRONTIER"}
    monkeypatch.setattr(commands, "functions", lambda: lacking)
    commands.commands.cache_clear()
    try:
        assert "frontier" not in commands.commands()
        assert "optimise" in commands.commands()
    finally:
        commands.commands.cache_clear()


@pytest.mark.parametrize("wrong", [
    {"name": "Upper"}, {"name": "check data"}, {"group": "Other"}, {"tip": ""},
    {"about": "x" * 1024},
])
def test_a_command_that_hosts_cannot_show_is_refused(wrong: dict[str, str]) -> None:
    given = {"name": "new one", "label": "New", "group": "Help", "image": "Help", "tip": "x.",
             "about": "y.", **wrong}
    with pytest.raises(ValueError):  # noqa: PT011
        commands.command(given.pop("name"), **given)


def test_every_name_of_the_flagship_that_commands_use_is_described() -> None:
    assert not set(names.INPUTS) & set(names.RESULTS)
    for result in names.RESULTS.values():
        assert result.sheet == result.sheet.lower()
        assert len(result.sheet) <= 31


# --- results against the library -------------------------------------------------------------

def test_estimates_are_those_of_the_library() -> None:
    book = done(workbook(), "refresh estimates")
    table = pd.DataFrame([row[1:] for row in tables()["Prices"][1:]], columns=list(NAMES),
                         index=pd.to_datetime([row[0] for row in tables()["Prices"][1:]]))
    returns = prices.returns(table)
    np.testing.assert_allclose(vector(rows_of(book, "HistoricalReturns")), returns.mean() * 252)
    assert rows_of(book, "Covariance")[0] == (None, *NAMES)


def test_the_whole_way_from_prices_to_weights() -> None:
    """The same as the library gives from the tables that were written on the way."""
    book = done(workbook(), "refresh estimates", "blend views", "optimise")
    mu = vector(rows_of(book, "ExpectedReturns"))
    cov = pd.DataFrame([row[1:] for row in rows_of(book, "Covariance")[1:]], index=list(NAMES),
                       columns=list(NAMES), dtype=float)
    limits = pd.DataFrame({
        "Limit": ["each asset", "Sector Tech", "tracking error"], "Min": [0.0, np.nan, np.nan],
        "Max": [0.6, 0.85, 0.1], "Penalty": np.nan, "Note": ""}, index=[2, 3, 4])
    assets = pd.DataFrame({"Sector": ["Tech", "Tech", "Bank"], "Benchmark": [0.5, 0.3, 0.2],
                           "Lot": 1.0}, index=list(NAMES))
    best = optimize.max_sharpe(mu, cov, 0.02, Setting(limits, assets))
    np.testing.assert_allclose(vector(rows_of(book, "Weights")), best.weights, atol=1e-9)
    posterior = vector(rows_of(book, "BlackLitterman"), 2)
    pd.testing.assert_series_equal(mu, posterior)


@pytest.mark.parametrize(("source", "name"), [("Implied", "ImpliedReturns"),
                                              ("historical MEAN", "HistoricalReturns")])
def test_return_source_chooses(source: str, name: str) -> None:
    book = done(workbook(ReturnSource=source), "refresh estimates", "blend views")
    pd.testing.assert_series_equal(vector(rows_of(book, "ExpectedReturns")),
                                   vector(rows_of(book, name)))


def test_return_source_is_named_when_it_is_unknown() -> None:
    with pytest.raises(InputError, match="ReturnSource is 'implid'") as caught:
        run("blend views", workbook(ReturnSource="implid"))
    assert caught.value.fix == "Did you mean 'Implied'?"


@pytest.mark.parametrize(("objective", "check"), [
    ("min volatility", lambda w, cov, mu: w @ cov @ w),
    ("target volatility 12%", lambda w, cov, mu: abs(w @ cov @ w - 0.12**2)),
    ("max utility 3", lambda w, cov, mu: 1.5 * w @ cov @ w - w @ mu),
    ("min cvar 90%", None), ("risk parity", None), ("hrp", None), ("max sharpe 1%", None),
])
def test_objectives(objective: str, check: Any) -> None:
    book = done(workbook(Objective=objective, Limits=None), "refresh estimates", "blend views",
                "optimise")
    weights = vector(rows_of(book, "Weights"))
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    if check is not None:
        cov = np.array([row[1:] for row in rows_of(book, "Covariance")[1:]], dtype=float)
        mu = vector(rows_of(book, "ExpectedReturns")).to_numpy()
        rng = np.random.default_rng(1)
        best = check(weights.to_numpy(), cov, mu)
        if not objective.startswith("target"):
            for other in rng.dirichlet(np.ones(3), 200):
                assert check(other, cov, mu) >= best - 1e-12


@pytest.mark.parametrize(("objective", "problem"), [
    ("max sharp", "no known objective"), ("target return", "needs a number"),
    ("equal weight", "needs no optimiser"),
])
def test_an_objective_that_cannot_be_solved_is_named(objective: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        run("optimise", workbook(Objective=objective))


def test_the_risk_report_is_that_of_the_library() -> None:
    book = done(with_orders(workbook()), "refresh estimates", "blend views", "risk report")
    target = vector(rows_of(book, "Weights"))
    cov = pd.DataFrame([row[1:] for row in rows_of(book, "Covariance")[1:]], index=list(NAMES),
                       columns=list(NAMES), dtype=float)
    summary = {row[0]: row[2:] for row in rows_of(book, "RiskSummary")}
    assert summary["Measure"] == ("Current", "Benchmark", "Target")
    assert summary["Volatility"][2] == pytest.approx(risk.volatility(target, cov))
    current = pd.Series([4400, 4400, 2490], list(NAMES)) / 11290
    assert summary["Volatility"][0] == pytest.approx(risk.volatility(current, cov))
    contributions = vector(rows_of(book, "RiskContributions"), 3)
    assert contributions.sum() == pytest.approx(summary["Volatility"][2])
    assert [row[:2] for row in rows_of(book, "TailRisk")] == [
        ("Method", "Level"), *((method, level) for method in METHODS for level in (0.95, 0.99))]


def test_limits_are_checked_at_the_target_and_now() -> None:
    book = with_orders(workbook(Limits=[["Limit", "Min", "Max"], ["Sector Tech", None, 0.76]]))
    changes = run("check limits", book)
    assert changes.status == "Limits breached: target 0, current 1."
    book = book.after(changes.writes)
    assert rows_of(book, "TargetLimits")[1][:2] == ("Sector Tech", pytest.approx(0.75))
    assert rows_of(book, "CurrentLimits")[1][1] == pytest.approx(8800 / 11290)
    assert rows_of(book, "CurrentLimits")[1][5] == "breach"


def test_limits_need_no_prices_where_they_ask_for_none() -> None:
    book = with_orders(workbook(Prices=None, Views=None, Limits=[
        ["Limit", "Min", "Max"], ["Alfa", None, 0.5]]))
    assert run("check limits", book).status == "Limits breached: target 0, current 0."


def test_check_data_says_what_it_found() -> None:
    table = tables()["Prices"]
    table[40][2] = None
    changes = run("check data", workbook(Prices=table))
    assert changes.status == "Prices: 1 to look at."
    assert changes.tables[0][1].rows[1][:2] == ("Bravo", "gap")
    assert run("check data", workbook()).status == "Prices: nothing to look at."


# --- where results go --------------------------------------------------------------------------

@pytest.mark.parametrize("name", RESULTS)
def test_a_command_twice_changes_nothing_more(name: str) -> None:
    book = done(with_orders(workbook()), name)
    changes = run(name, book)
    assert needed(book, (*changes.preview, *changes.writes)) == ()


def test_results_get_a_place_of_their_own_with_a_name() -> None:
    changes = run("check data", workbook())
    assert changes.writes == (
        AddSheet("portbal data check"),
        PutCells(Area("portbal data check", 1, 1, 2, 4),
                 (("Asset", "Issue", "Where", "Detail"), ("All", "none", "", ""))),
        DefineName("DataCheck", Area("portbal data check", 1, 1, 2, 4)),
    )


def test_results_of_one_sheet_stand_side_by_side() -> None:
    book = done(workbook(), "refresh estimates", "blend views")
    areas = [book.find(name) for name in
             ("HistoricalReturns", "ImpliedReturns", "BlackLitterman", "ExpectedReturns")]
    assert [(a.sheet, a.column, a.width) for a in areas if a] == [
        ("portbal estimates", column, width) for column, width in ((1, 2), (4, 2), (7, 4), (12, 2))]


def test_results_go_where_their_names_are_and_the_rest_is_cleared() -> None:
    room = Area("Mine", 3, 2, 6, 6)
    stale = tuple(tuple("old" for _ in range(6)) for _ in range(6))
    book = workbook().after(
        [AddSheet("Mine"), PutCells(room, stale), DefineName("DataCheck", room)])
    book = done(book, "check data")
    assert book.find("DataCheck") == room
    assert rows_of(book, "DataCheck") == [("Asset", "Issue", "Where", "Detail"),
                                          ("All", "none", "", "")]
    assert book.used("Mine") == Area("Mine", 3, 2, 2, 4)


def test_a_result_that_outgrows_its_name_takes_blank_cells() -> None:
    small = Area("Mine", 1, 1, 2, 2)
    book = workbook().after([AddSheet("Mine"), DefineName("HistoricalReturns", small)])
    book = done(book, "refresh estimates")
    assert book.find("HistoricalReturns") == Area("Mine", 1, 1, 4, 2)
    assert [row[0] for row in rows_of(book, "HistoricalReturns")] == ["Asset", *NAMES]


def test_a_result_never_writes_over_what_stands_beside_its_name() -> None:
    small = Area("Mine", 1, 1, 2, 2)
    book = workbook().after([
        AddSheet("Mine"), DefineName("HistoricalReturns", small),
        PutCells(Area("Mine", 4, 2), (("mine",),)),
    ])
    with pytest.raises(ConflictError, match="Mine!B4 is not empty"):
        run("refresh estimates", book)


def test_a_result_does_not_grow_into_a_table_of_excel() -> None:
    book = workbook().after([AddSheet("Mine")])
    book = book.after([DefineName("HistoricalReturns", Area("Mine", 1, 1, 2, 2, is_table=True))])
    with pytest.raises(ConflictError, match="is too small for 4 rows"):
        run("refresh estimates", book)


def test_a_formula_is_never_written_over() -> None:
    area = Area("Mine", 1, 1, 10, 2)
    book = workbook().after([
        AddSheet("Mine"), DefineName("HistoricalReturns", area),
        PutCells(area.sized(1, 2), (("Asset", "Return"),)),
        PutFormula(Area("Mine", 1, 1), "=PORTBAL_MEANRETURN(Returns)"),
    ])
    changes = run("refresh estimates", book)
    assert changes.notes == ("HistoricalReturns is a formula and calculates itself.",)
    assert not [w for w in changes.writes if isinstance(w, PutCells) and w.area.sheet == "Mine"]


def test_weights_that_are_a_formula_are_the_target() -> None:
    cell = Area("Weights", 1, 1)
    book = with_orders(workbook()).after([PutFormula(cell, "=PORTBAL_MAXSHARPE(mu,cov)")])
    changes = run("optimise", book)
    assert (changes.status, changes.writes) == ("Weights is a formula and calculates itself.", ())


# --- problems ----------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "gone", "message"), [
    ("check data", "Prices", "Prices is not a name in this workbook"),
    ("blend views", "Views", "Views is not a name in this workbook"),
    ("risk report", "Weights", "Weights is not a name in this workbook"),
    ("refresh estimates", "Prices", "Returns is not a name in this workbook"),
])
def test_what_is_missing_is_named(name: str, gone: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        run(name, workbook(**{gone: None}))
    assert caught.value.fix.endswith(".")


def test_a_mistake_is_told_with_its_cell_and_its_cure() -> None:
    limits = [["Limit", "Min", "Max"], ["Sector Tehc", None, 0.5]]
    with pytest.raises(InputError) as caught:
        run("optimise", workbook(Limits=limits))
    assert "limits row 2" in caught.value.problem
    assert "Limits!A2" in caught.value.problem
    assert caught.value.fix == "Did you mean 'Tech'?"


def test_a_bad_setting_is_told_with_its_cell() -> None:
    with pytest.raises(InputError, match=r"RiskAversion \(RiskAversion!A1\): the cell is the text"):
        run("blend views", workbook(RiskAversion="2,5"))


def test_a_problem_in_a_table_is_passed_on_as_it_stands() -> None:
    text = "#PORTBAL MAXSHARPE: limits row 3 (Limits!B9): unknown Sector 'X'. Did you mean 'Y'?"
    book = with_orders(workbook()).after([PutCells(Area("Weights", 1, 1), ((text,),))])
    with pytest.raises(InputError) as caught:
        run("risk report", book)
    assert caught.value.problem == "MAXSHARPE: limits row 3 (Limits!B9): unknown Sector 'X'"
    assert caught.value.fix == "Did you mean 'Y'?"


def test_the_list_of_problems_says_where_each_began() -> None:
    text = "#PORTBAL MAXSHARPE: mu: it is empty. Give mu."
    other = "#PORTBAL VAR: level is 2. Use a level below 1. Or 0.95."
    sheet = "Sheet"
    book = workbook().after([
        AddSheet(sheet), PutCells(Area(sheet, 1, 1, 1, 3), ((text, text, other),)),
        PutFormula(Area(sheet, 1, 1), "=PORTBAL_PORTRETURN(B1,mu)"),
        PutFormula(Area(sheet, 1, 2), "=PORTBAL_MAXSHARPE(mu,cov)"),
        PutFormula(Area(sheet, 1, 3), "=PORTBAL.VAR(r)"),
    ])
    changes = run("problems", book)
    assert changes.status == "2 problems in this workbook."
    assert changes.tables[0][1].rows[1:] == (
        ("problem", "Sheet!B1", "MAXSHARPE", "mu: it is empty", "Give mu.", 1.0),
        ("problem", "Sheet!C1", "VAR", "level is 2", "Use a level below 1. Or 0.95.", 0.0),
    )
    book = book.after(changes.writes)
    assert run("problems", book).tables[0][1].rows == changes.tables[0][1].rows


def test_a_text_that_explains_problems_is_none() -> None:
    book = workbook(Note="#PORTBAL …: a problem, where it is and what to do")
    assert run("problems", book).status == "No problems in this workbook."


@pytest.mark.parametrize(("before", "after"), [
    ("=[1]!PORTBAL_VAR(A1)", "=PORTBAL_VAR(A1)"),
    (r"='C:\Users\x y\portbal.xlam'!PORTBAL_VAR(A1)", "=PORTBAL_VAR(A1)"),
    ("=portbal.xlam!PORTBAL_VAR(A1)+1", "=PORTBAL_VAR(A1)+1"),
    ("=_xldudf_PORTBAL_VAR(A1)", "=PORTBAL_VAR(A1)"),
    ("=IF([2]!PORTBAL_PROBLEM(A1),1,[2]!PORTBAL_SHARPE(w,mu,cov))",
     "=IF(PORTBAL_PROBLEM(A1),1,PORTBAL_SHARPE(w,mu,cov))"),
    ("=@[1]!PORTBAL_VAR(A1)", "=@PORTBAL_VAR(A1)"),
    ("=@PORTBAL_VAR(A1)", None), ("=PORTBAL_VAR(A1)", None), ("=[1]!OTHER_VAR(A1)", None),
    ('="[1]!PORTBAL_VAR("&A1', None), ("=[1]!PORTBAL_UNKNOWN(A1)", None), ("=SUM(A1)", None),
])
def test_relink(before: str, after: str | None) -> None:
    book = workbook(Cell=0.1).after([PutFormula(Area("Cell", 1, 1), before)])
    writes = run("relink", book).writes
    assert writes == (() if after is None else (PutFormula(Area("Cell", 1, 1), after),))


def test_relink_enters_again_what_no_longer_finds_its_function() -> None:
    cell = Area("Cell", 1, 1)
    book = workbook(Cell="#NAME?").after([PutFormula(cell, "=PORTBAL_VAR(A1)")])
    assert run("relink", book).writes == (PutFormula(cell, "=PORTBAL_VAR(A1)"),)


# --- rebalance, apply, undo ----------------------------------------------------------------------

def applied(book: MemoryBook) -> MemoryBook:
    changes = run("apply", book)
    return book.after((*changes.preview, *changes.writes))


def state(book: MemoryBook) -> dict[Any, Any]:
    """Every cell that a person sees."""
    return {spot: cell for spot, cell in book.cells.items() if not spot[0].startswith("portbal")}


def test_a_preview_changes_no_input() -> None:
    book = with_orders(workbook())
    changes = run("rebalance", book)
    after = book.after(changes.preview)
    assert state(after) == state(book)
    summary = {row[0]: row[1:] for row in rows_of(after, "RebalancePreview")}
    assert summary["Net assets"] == (12290.0, 12287.25)
    assert summary["Cash"] == (1000.0, 667.25)
    assert summary["Costs"] == (None, 2.75)
    assert summary["Traded, half of it, of net assets"][1] == pytest.approx(385 / 12290)
    assert rebalance.previewed(after) == changes.stamp[:16]


def test_the_preview_shows_the_limits_before_and_after() -> None:
    book = with_orders(workbook(Limits=[["Limit", "Min", "Max"], ["Bravo", None, 0.35]]))
    after = book.after(run("rebalance", book).preview)
    assert rows_of(after, "RebalanceLimits")[1] == (
        "Bravo", pytest.approx(4400 / 12290), pytest.approx(4180 / 12290), None, 0.35,
        "breach", "ok")


def test_apply_writes_quantities_and_cash_and_nothing_else() -> None:
    book = with_orders(workbook())
    after = applied(book)
    changed = {spot: cell for spot, cell in state(after).items() if book.cells.get(spot) != cell}
    assert changed == {("Holdings", 2, 2): 45.0, ("Holdings", 3, 2): 76.0, ("Cash", 1, 1): 667.25}


def test_undo_restores_exactly_what_apply_replaced() -> None:
    book = with_orders(workbook())
    after = applied(book)
    changes = run("undo", after)
    restored = after.after(changes.writes)
    assert state(restored) == state(book)
    assert changes.status == "Undone: 3 cells are as they were before Apply."
    assert run("undo", restored).writes == ()
    assert run("undo", book).status == "There is nothing to undo: no rebalance was applied here."


def test_apply_twice_changes_nothing_more() -> None:
    after = applied(with_orders(workbook()))
    for name in ("apply", "rebalance"):
        changes = run(name, after)
        assert needed(after, (*changes.preview, *changes.writes)) == ()
        assert changes.record is None
        assert "nothing to do" in changes.status


@pytest.mark.parametrize("name", ["Prices", "Limits", "Cash", "Holdings", "Assets", "Weights"])
def test_a_new_number_in_any_input_allows_another_rebalance(name: str) -> None:
    after = applied(with_orders(workbook()))
    area = after.find(name)
    assert area is not None
    where = area.cell(area.height - 3, 1) if area.height > 3 else area.cell(
        area.height - 1, area.width - 1)
    after = after.after([PutCells(where.sized(1, 1), ((0.21,),))])
    assert run("rebalance", after).writes != ()


def test_apply_undo_apply_is_apply() -> None:
    book = with_orders(workbook())
    once = applied(book)
    again = applied(once.after(run("undo", once).writes))
    assert state(again) == state(once)


def test_undo_does_not_lose_what_was_typed_since() -> None:
    after = applied(with_orders(workbook()))
    after = after.after([PutCells(Area("Holdings", 2, 2), ((50.0,),))])
    with pytest.raises(ConflictError, match=r"Holdings!B2 holds 50, and Apply wrote 45") as caught:
        run("undo", after)
    assert caught.value.fix == "Put that back, then undo. Before Apply it was 40."


def test_the_second_apply_can_be_undone_and_the_first_is_then_history() -> None:
    first = applied(with_orders(workbook()))
    first = first.after([PutCells(Area("Cash", 1, 1), ((5000.0,),))])
    second = applied(first)
    assert state(second.after(run("undo", second).writes)) == state(first)


def test_an_asset_not_held_yet_gets_the_next_free_row() -> None:
    orders = [ORDERS[0], ["Delta", "buy", 7.0, 10.0, 70.0, 1.0, 0.01, "target"],
              ["Epsilon", "buy", 2.0, 20.0, 40.0, 1.0, 0.01, "target"]]
    after = applied(with_orders(workbook(Limits=None), orders))
    assert rows_of(after, "Holdings")[-2:] == [("Delta", 7.0, 10.0), ("Epsilon", 2.0, 20.0)]
    restored = after.after(run("undo", after).writes)
    assert rows_of(restored, "Holdings")[-1] == ("Carlo", 30.0, 83.0)


def test_no_free_row_is_a_problem_before_anything_is_written() -> None:
    orders = [ORDERS[0], *([f"New {n}", "buy", 1.0, 10.0, 10.0, 0.0, 0.0, ""] for n in range(3))]
    with pytest.raises(InputError, match="no free row"):
        run("rebalance", with_orders(workbook(Limits=None), orders))


def test_cash_as_a_row_of_holdings() -> None:
    held = [*tables()["Holdings"][:4], ["Cash", 2000.0, 1.0], [None, None, None]]
    book = with_orders(workbook(Holdings=held, Limits=None))
    after = applied(book)
    assert rows_of(after, "Holdings")[-1] == ("Cash", 3000 - 330 - 2.75, 1.0)
    assert rows_of(after, "Cash") == [(0.0,)]
    assert state(after.after(run("undo", after).writes)) == state(book)


def test_cash_without_a_place_gets_a_row() -> None:
    orders = [ORDERS[0], ["Bravo", "sell", -4.0, 55.0, -220.0, 1.0, 0.3, ""]]
    after = applied(with_orders(workbook(Cash=None, Limits=None), orders))
    assert rows_of(after, "Holdings")[-1] == ("Cash", 219.0, 1.0)


@pytest.mark.parametrize(("area", "what"), [
    (Area("Holdings", 2, 2), r"the quantity of Alfa \(Holdings!B2\)"),
    (Area("Cash", 1, 1), r"Cash \(Cash!A1\)"),
])
def test_a_quantity_that_is_a_formula_is_not_replaced(area: Area, what: str) -> None:
    book = with_orders(workbook()).after([PutFormula(area, "=1+1")])
    with pytest.raises(ConflictError, match=f"{what} is a formula"):
        run("rebalance", book)


def test_current_weights_that_were_typed_follow() -> None:
    assets = [[*row, extra] for row, extra in
              zip(tables()["Assets"], ["Current", 0.39, 0.39, 0.22], strict=True)]
    book = with_orders(workbook(Assets=assets))
    after = applied(book)
    column = [row[4] for row in rows_of(after, "Assets")[1:]]
    assert column == pytest.approx([4950 / 11620, 4180 / 11620, 2490 / 11620])
    assert sum(column) == pytest.approx(1)
    assert state(after.after(run("undo", after).writes)) == state(book)


def test_no_orders_no_change() -> None:
    changes = run("rebalance", with_orders(workbook(), [ORDERS[0]]))
    assert changes.writes == ()
    assert changes.record is None
    assert changes.status.startswith("No orders")


def test_the_record_has_the_inputs_the_orders_and_what_was_replaced() -> None:
    book = with_orders(workbook())
    record = run("apply", book).record
    assert record is not None
    assert record["kind"] == "apply"
    assert record["orders"] == ORDERS
    assert record["call"]["arguments"]["holdings"] == tables()["Holdings"][:4]
    assert ["Holdings!B2", 40.0, 45.0] in record["replaced"]
    undone = run("undo", applied(book)).record
    assert undone is not None
    assert (undone["kind"], undone["undoes"]) == ("undo", record["stamp"])
    assert ["Holdings!B2", 45.0, 40.0] in undone["replaced"]


def test_inputs_are_recorded_where_a_formula_does_not_show_them() -> None:
    book = with_orders(workbook())
    for formula in ("=PORTBAL_ORDERS(Holdings,Weights,Cash+1)", "=IF(1,PORTBAL_ORDERS(Holdings))"):
        hidden = book.after([PutFormula(Area("Orders", 1, 1), formula)])
        record = run("apply", hidden).record
        assert record is not None
        assert "call" not in record
        assert record["inputs"]["Holdings"] == tables()["Holdings"][:4]


def test_orders_are_taken_from_a_table_of_orders_only() -> None:
    book = with_orders(workbook(), [["Asset", "Amount"], ["Alfa", 1.0]])
    with pytest.raises(InputError, match="Orders is no table of orders"):
        run("rebalance", book)


def test_what_was_typed_has_the_same_digest_from_every_host() -> None:
    """Dates or serials, whole numbers or floats, blanks or empty texts, wider or tighter names."""
    book = with_orders(workbook())
    as_file = MemoryBook(
        book.name, book.order,
        {spot: (45292.0 + (cell - tables()["Prices"][1][0]).days
                if hasattr(cell, "year") else cell) for spot, cell in book.cells.items()},
        book.texts, book.areas,
    )
    area = book.find("Limits")
    assert area is not None
    wider = as_file.after([DefineName("Limits", area.sized(20, 3)),
                           PutCells(Area("Limits", 15, 1), (("",),))])
    assert orders.typed(book) == orders.typed(as_file) == orders.typed(wider)


# --- orders and drift by the functions ---------------------------------------------------------

def test_without_a_formula_the_orders_are_those_of_orders() -> None:
    book = with_orders(workbook(Limits=None))
    book = book.after([PutCells(Area("Orders", 1, 1), (("Asset",),))])
    blocks = [book.block(book.find(name)) for name in ("Holdings", "Weights")]  # type: ignore[arg-type]
    answer = functions()["ORDERS"].invoke(
        *blocks, Block.of(1000.0), None, book.block(book.find("Assets")))  # type: ignore[arg-type]
    after = book.after(run("rebalance", book).preview)
    assert rows_of(after, "Orders") == list(answer.block.rows)  # type: ignore[union-attr]
    assert rows_of(applied(book), "Holdings")[1][1] == 40 + next(
        row[2] for row in answer.block.rows if row[0] == "Alfa")  # type: ignore[union-attr]


def test_limits_that_orders_cannot_keep_are_told_and_checked() -> None:
    limits = [["Limit", "Min", "Max", "Penalty"], ["volatility", None, 0.9, 0.1],
              ["Alfa", None, 0.36, None], ["tracking error", None, 0.8, 0.1]]
    book = with_orders(workbook(Limits=limits))
    book = book.after([PutCells(Area("Orders", 1, 1), (("Asset",),))])
    changes = run("rebalance", book)
    assert changes.notes[0].startswith(
        "Not kept while choosing whole lots, only checked: volatility, tracking error.")
    after = applied(book)
    quantity = rows_of(after, "Holdings")[1][1]
    assert 0.35 < quantity * 110 / 12290 <= 0.36
    assert [row[0] for row in rows_of(after, "RebalanceLimits")[1:]] == [
        "volatility", "Alfa", "tracking error"]


def test_a_mistake_in_a_limit_is_told_although_others_are_left_out() -> None:
    limits = [["Limit", "Min", "Max", "Penalty"], ["volatility", None, 0.9, 0.1],
              ["Sector Tehc", None, 0.5, None]]
    book = with_orders(workbook(Limits=limits))
    book = book.after([PutCells(Area("Orders", 1, 1), (("Asset",),))])
    with pytest.raises(InputError, match=r"ORDERS: limits row 3.*\(Limits!A3\)"):
        run("rebalance", book)


def test_monitor_lists_what_asks_for_action_at_the_newest_prices() -> None:
    table = tables()["Prices"]
    table.append([table[-1][0].replace(year=2025), 220.0, 55.0, 83.0])
    limits = [["Limit", "Min", "Max"], ["Alfa", None, 0.5], ["Carlo", None, 0.5]]
    book = done(with_orders(workbook(Prices=table, Limits=limits)), "monitor")
    rows = rows_of(book, "Monitor")
    assert rows[0] == ("What", "Where", "Now", "From", "To", "Price", "Level", "Action")
    drift = [row for row in rows if row[0] == "Drift"]
    assert [(row[1], row[-1].split()[0]) for row in drift] == [
        ("Alfa", "sell"), ("Bravo", "buy"), ("Carlo", "buy")]
    assert drift[0][2:5] == (pytest.approx(8800 / 15690), pytest.approx(0.35), pytest.approx(0.45))
    breaches = [row for row in rows if row[0] == "Limit"]
    assert breaches == [("Limit", "Alfa", pytest.approx(8800 / 15690), None, 0.5,
                         None, None, "lower it by 6.09%")]
    assert run("monitor", book).status == (
        f"{len(rows) - 1} to act on at the prices of {table[-1][0]:%Y-%m-%d}.")


def test_monitor_says_which_way_and_in_the_unit_of_the_limit() -> None:
    """1 / (0.40098^2 + 0.40098^2 + 0.19804...^2) of the weights at 4400, 4400, 2490."""
    limits = [["Limit", "Min", "Max"], ["effective number", 2.9, None], ["Carlo", 0.3, None]]
    rows = run("monitor", with_orders(workbook(Band=0.9, TrackingBand=1.0, Limits=limits))
               ).tables[0][1].rows[1:]
    worth = np.array([4400.0, 4400.0, 2490.0])
    weights = worth / worth.sum()
    number = 1 / (weights**2).sum()
    assert [(row[1], row[2]) for row in rows] == [
        ("effective number", pytest.approx(number)), ("Carlo", pytest.approx(weights[2]))]
    assert rows[0][-1] == f"raise it by {2.9 - number:.4g}"
    assert rows[1][-1] == f"raise it by {0.3 - weights[2]:.2%}"


def test_monitor_lists_stops_and_targets_that_are_touched() -> None:
    """Prices now: Alfa 110, Bravo 55, Carlo 83; Bravo is sold short. Delta is not held."""
    holdings = [["Asset", "Quantity", "Price"], ["Alfa", 40.0, 1.0], ["Bravo", -8.0, 1.0],
                ["Carlo", 30.0, 1.0]]
    stops = [["Asset", "Price", "Stop"], ["Alfa", 120.0, 110.0], ["Bravo", 50.0, 54.0],
             ["Carlo", 90.0, 82.99], ["Delta", 1.0, 5.0], ["Cash", 1.0, None]]
    targets = [["Asset", "Price", "Target"], ["Alfa", 120.0, 110.01], ["Bravo", 50.0, 55.0],
               ["Carlo", 90.0, 83.0]]
    given = workbook(Holdings=holdings, Stops=stops, Targets=targets, Band=9.0, TrackingBand=9.0,
                     Limits=None)
    rows = run("monitor", with_orders(given)).tables[0][1].rows[1:]
    assert rows == (
        ("Stop", "Alfa", *[None] * 3, 110.0, 110.0, "sell 40: its stop is touched"),
        ("Stop", "Bravo", *[None] * 3, 55.0, 54.0, "buy back 8: its stop is touched"),
        ("Target", "Bravo", *[None] * 3, 55.0, 55.0, "buy back 8: its target is touched"),
        ("Target", "Carlo", *[None] * 3, 83.0, 83.0, "sell 30: its target is touched"))


@pytest.mark.parametrize("since", [dt.date(2024, 3, 1), 45352.0, "2024-03-01"])
def test_monitor_lists_a_trailing_stop_that_was_triggered(since: Any) -> None:
    """What TRAILINGSTOP returns, on 1 March 2024 as any host tells it: the price has recovered."""
    stops = [["Asset", "High", "Stop", "Triggered on"], ["Alfa", 120.0, 100.0, since],
             ["Bravo", 60.0, 50.0, None]]
    given = workbook(Stops=stops, Band=9.0, TrackingBand=9.0, Limits=None)
    [row] = run("monitor", with_orders(given)).tables[0][1].rows[1:]
    assert row == ("Stop", "Alfa", *[None] * 3, 110.0, 100.0,
                   "sell 40: its stop is touched, triggered on 2024-03-01")


def test_monitor_names_the_column_that_stops_lack() -> None:
    with pytest.raises(InputError, match="Stops has no column Stop"):
        run("monitor", with_orders(workbook(Stops=[["Asset", "Level"], ["Alfa", 1.0]])))


def test_monitor_has_one_row_when_nothing_asks_for_action() -> None:
    changes = run("monitor", with_orders(workbook(Band=0.5, TrackingBand=1.0, Limits=None)))
    assert changes.tables[0][1].rows[1:] == (("All", "none", *[None] * 6),)
    assert changes.status.startswith("Nothing to act on at the prices of 2024-")


def test_monitor_tells_a_tracking_error_that_moved() -> None:
    book = with_orders(workbook(Band=0.9, TrackingBand=0.0001, Limits=None))
    rows = run("monitor", book).tables[0][1].rows
    assert [row[0] for row in rows[1:]] == ["Tracking error"]
    assert rows[1][-1].startswith("rebalance")
