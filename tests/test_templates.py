"""The workbook templates: what is in them, what their numbers are, what a user's change does."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from portbal_addin.block import Rows
from portbal_addin.hosts.workbook import Recalculation, recalculate
from portbal_addin.hosts.workbook.workbook import Workbook
from portbal_addin.registry import bare_name, functions
from portbal_templates import TEMPLATES, example, read
from portbal_templates.build import built, known
from portbal_templates.layout import FIRST

NAME = "portfolio_balancer"
SHEETS = ["Start", "Prices", "Returns", "Assets", "Limits", "Views", "Estimates", "Frontier",
          "Target", "Risk", "Stress", "Trades"]
WINDOWS = ["Volmageddon 2018", "2018Q4", "Covid 2020", "2022 rates"]
SCENARIOS = [*dict.fromkeys(scenario for scenario, _, _ in example.SHOCKS), *WINDOWS]
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Tables:
    """The cells behind the names of a workbook."""

    def __init__(self, workbook: bytes) -> None:
        self._book = Workbook.read(workbook)

    def __getitem__(self, name: str) -> Rows:
        return self._book.block(self._book.find(name)).trimmed().rows


@pytest.fixture(scope="module")
def shipped() -> bytes:
    return read(NAME)


@pytest.fixture(scope="module")
def book(shipped: bytes) -> Tables:
    return Tables(shipped)


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    prices = example.prices()
    frame = pd.DataFrame(prices.rows, index=list(prices.dates), columns=list(prices.assets))
    return frame.pct_change().iloc[1:]


def vector(table: Rows, column: int = 1) -> pd.Series:
    return pd.Series({str(row[0]): float(row[column]) for row in table[1:]})  # type: ignore[arg-type]


def matrix(table: Rows) -> pd.DataFrame:
    return pd.DataFrame([row[1:] for row in table[1:]], index=[row[0] for row in table[1:]],
                        columns=table[0][1:], dtype=float)


def parts(workbook: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sheet_parts(workbook: bytes) -> dict[str, str]:
    found = parts(workbook)
    names = re.findall(r'<sheet name="(\w+)"', found["xl/workbook.xml"].decode())
    return {name: found[f"xl/worksheets/sheet{at}.xml"].decode()
            for at, name in enumerate(names, start=1)}


def typed(workbook: bytes, sheet: str, cells: dict[str, str | float | None]) -> bytes:
    """The workbook after a user typed into some cells; stored values stay as they are."""
    part = f"xl/worksheets/sheet{list(sheet_parts(workbook)).index(sheet) + 1}.xml"
    missing = set(cells)

    def cell(match: re.Match[str]) -> str:
        place, look = match[1], match[2] or ""
        if place not in cells:
            return match[0]
        missing.remove(place)
        content = cells[place]
        if isinstance(content, str):
            return f'<c r="{place}"{look} t="inlineStr"><is><t>{content}</t></is></c>'
        return f'<c r="{place}"{look}>{"" if content is None else f"<v>{content!r}</v>"}</c>'

    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts(workbook).items():
            if name == part:
                text = re.sub(r'<c r="([A-Z]+\d+)"( s="\d+")?[^>]*?(?:/>|>.*?</c>)', cell,
                              content.decode())
                archive.writestr(name, text)
            else:
                archive.writestr(name, content)
    assert not missing, f"{sheet} has no cells {missing}"
    return changed.getvalue()


def changed(workbook: bytes, sheet: str, **cells: str | float | None) -> Recalculation:
    """Recalculated after a user typed into some cells of a page."""
    return recalculate(typed(workbook, sheet, cells), fresh=True)


# --- the file ----------------------------------------------------------------------------

def test_every_template_is_shipped() -> None:
    for name in TEMPLATES:
        assert read(name)[:2] == b"PK"


def test_a_rebuild_gives_the_same_bytes() -> None:
    assert built(NAME) == built(NAME)


def test_the_shipped_file_is_what_its_sources_build(shipped: bytes) -> None:
    """Part by part; numbers may differ in their last digits from machine to machine."""
    old, new = parts(shipped), parts(built(NAME))
    assert list(old) == list(new)
    number = re.compile(r"(?<=<v>)-?\d[^<]*(?=</v>)|(?<=<c:v>)-?\d[\d.eE+-]*(?=</c:v>)")
    for name, content in old.items():
        before, after = content.decode(), new[name].decode()
        assert number.sub("", before) == number.sub("", after), name
        np.testing.assert_allclose(
            np.array(number.findall(before), dtype=float),
            np.array(number.findall(after), dtype=float), rtol=1e-5, atol=1e-7, err_msg=name,
        )


def test_no_macro_and_no_recalculation_forced(shipped: bytes) -> None:
    """Stored values have to show in a program that has no portbal."""
    found = parts(shipped)
    assert not [name for name in found if "vba" in name.lower()]
    assert b"fullCalcOnLoad" not in found["xl/workbook.xml"]
    assert list(sheet_parts(shipped)) == SHEETS


def test_only_registered_formulas_are_used_and_each_table_spills(shipped: bytes) -> None:
    used = set()
    for sheet, text in sheet_parts(shipped).items():
        for cell in ElementTree.fromstring(text).iter(f"{MAIN}c"):
            formula = cell.findtext(f"{MAIN}f") or ""
            if "PORTBAL" not in formula or "#PORTBAL" in formula:
                continue
            names = [bare_name(name) for name in re.findall(r"(PORTBAL_\w+)\(", formula)]
            used |= set(names)
            assert all(name in functions() for name in names)
            outer = bare_name(re.match(r"(\w+)\(", formula)[1])  # type: ignore[index]
            scalar = outer not in names or functions()[outer].result.name == "number"
            assert (cell.get("cm") is None) == scalar, f"{sheet}!{cell.get('r')}"
    assert used >= {"RETURNS", "MEANRETURN", "COVARIANCE", "IMPLIEDRETURNS", "BLACKLITTERMAN",
                    "FRONTIER", "MAXSHARPE", "RISKCONTRIBUTION", "CHECKLIMITS", "VAR", "CVAR",
                    "PORTRETURN", "PORTVOLATILITY", "SHARPE", "TRACKINGERROR", "BETA",
                    "ACTIVESHARE", "TAILCONTRIBUTION", "VARTEST", "DRAWDOWN", "STRESSEDVAR",
                    "CORRELATIONSHIFT", "STRESSLIMITS", "SCENARIOSHOCKS", "STRESSCORRELATION",
                    "REVERSESTRESS", "DRIFT", "ORDERS"}


def test_every_formula_has_a_stored_value_and_none_is_an_error(shipped: bytes) -> None:
    for sheet, text in sheet_parts(shipped).items():
        for cell in ElementTree.fromstring(text).iter(f"{MAIN}c"):
            if cell.find(f"{MAIN}f") is not None:
                assert cell.find(f"{MAIN}v") is not None, f"{sheet}!{cell.get('r')}"
            value = cell.findtext(f"{MAIN}v") or ""
            assert cell.get("t") != "e", f"{sheet}!{cell.get('r')}"
            assert not value.startswith("#"), f"{sheet}!{cell.get('r')}"


def test_charts_hold_the_values_they_show(shipped: bytes) -> None:
    charts = [text.decode() for name, text in parts(shipped).items()
              if name.startswith("xl/charts/chart")]
    assert len(charts) == 11
    for text in charts:
        numbers = re.findall(r"<c:v>(-?[\d.]+(?:[eE]-?\d+)?)</c:v>", text)
        assert len(numbers) >= 9
        assert len(set(numbers)) > len(numbers) / 3


def test_inputs_and_outputs_differ_in_style(shipped: bytes) -> None:
    """Nothing that has a formula looks like an input."""
    found = parts(shipped)
    styles = ElementTree.fromstring(found["xl/styles.xml"])
    fills = [fill.find(f"{MAIN}patternFill/{MAIN}fgColor") for fill in
             styles.find(f"{MAIN}fills")]  # type: ignore[union-attr]
    yellow = {at for at, fill in enumerate(fills)
              if fill is not None and fill.get("rgb") == "FFFFF8DC"}
    inputs = {at for at, xf in enumerate(styles.find(f"{MAIN}cellXfs"))  # type: ignore[arg-type]
              if int(xf.get("fillId", 0)) in yellow}
    typed = 0
    for sheet, text in sheet_parts(shipped).items():
        for cell in ElementTree.fromstring(text).iter(f"{MAIN}c"):
            if int(cell.get("s", 0)) in inputs:
                typed += 1
                assert cell.find(f"{MAIN}f") is None, f"{sheet}!{cell.get('r')}"
    assert typed > 20 * 1260


def test_every_input_and_output_has_a_name(book: Tables) -> None:
    headers = {
        "Prices": ["Date", *example.STOCKS], "Returns": ["Date", *example.STOCKS],
        "Limits": ["Limit", "Min", "Max", "Note"], "Views": ["View", "Return", "Confidence"],
        "Holdings": ["Asset", "Quantity", "Price"], "Weights": ["Asset", "Weight"],
        "HistoricalReturns": ["Asset", "Return"], "ImpliedReturns": ["Asset", "Return"],
        "BlackLitterman": ["Asset", "Prior", "Posterior", "Difference"],
        "Covariance": ["", *example.STOCKS],
        "Frontier": ["Return", "Volatility", *example.STOCKS],
        "RiskContributions": ["Asset", "Weight", "Marginal", "Contribution", "Share"],
        "SectorContributions": ["Group", "Weight", "Marginal", "Contribution", "Share"],
        "TailContributions": ["Asset", "Weight", "VaR part", "CVaR part", "Share"],
        "SectorTailContributions": ["Group", "Weight", "VaR part", "CVaR part", "Share"],
        "HistoricalBacktest": ["Test", "Value", "P value", "Verdict"],
        "NormalBacktest": ["Test", "Value", "P value", "Verdict"],
        "Drawdowns": ["Depth", "Peak", "Trough", "Recovered", "Length"],
        "StressedVaR": ["Window", "From", "Until", "VaR", "CVaR"],
        "Shocks": ["Scenario", "Where", "Shock"], "WindowShocks": ["Scenario", "Where", "Shock"],
        "ScenarioLosses": ["Scenario", "Loss", "Breaches", "Limits"],
        "StressMatrix": ["Limit", "Min", "Max", "Now", *SCENARIOS],
        "StressedVolatility": ["Strength", "Current", "Target"],
        "ReverseStress": ["Asset", "Shock", "Distance"],
        "TargetLimits": ["Limit", "Value", "Min", "Max", "Headroom", "Status"],
        "Drift": ["Asset", "Current", "Target", "Drift", "Low", "High", "Action"],
        "Orders": ["Asset", "Side", "Quantity", "Price", "Value", "Cost", "Weight after",
                   "Reason"],
    }
    assert {name: list(book[name][0]) for name in headers} == headers


# --- the numbers, by other routes ----------------------------------------------------------

def test_data_are_the_last_five_years(returns: pd.DataFrame) -> None:
    prices = example.prices()
    assert (len(prices.rows), len(prices.assets)) == (1260, 20)
    assert [str(prices.dates[0]), str(prices.dates[-1])] == ["2017-12-27", "2022-12-28"]
    assert prices.rows[-1][prices.assets.index("MSFT")] == 233.434
    assert np.isfinite(returns.to_numpy()).all()


def test_returns_and_means(book: Tables, returns: pd.DataFrame) -> None:
    np.testing.assert_allclose(np.array([row[1:] for row in book["Returns"][1:]], dtype=float),
                               returns.to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(vector(book["HistoricalReturns"]), returns.mean() * 252, rtol=1e-9)


def test_black_litterman_by_the_master_formula(book: Tables) -> None:
    """Black and Litterman (1992): the posterior mean, by inverses instead of one solve."""
    cov = matrix(book["Covariance"]).to_numpy()
    names = list(example.STOCKS)
    benchmark = np.array([stock.benchmark for stock in example.STOCKS.values()])
    prior = 2.5 * cov @ benchmark + 0.02
    picks = np.zeros((3, len(names)))
    for row, (view, _, _) in enumerate(example.VIEWS):
        long, _, short = view.partition(" - ")
        picks[row, names.index(long)] = 1
        if short:
            picks[row, names.index(short)] = -1
    asked = np.array([value for _, value, _ in example.VIEWS])
    trust = np.array([confidence for _, _, confidence in example.VIEWS])
    spread = 0.05 * cov
    omega = np.diag(np.diag(picks @ spread @ picks.T) * (1 - trust) / trust)
    precision = np.linalg.inv(spread) + picks.T @ np.linalg.inv(omega) @ picks
    posterior = np.linalg.inv(precision) @ (
        np.linalg.inv(spread) @ prior + picks.T @ np.linalg.inv(omega) @ asked)
    np.testing.assert_allclose(vector(book["BlackLitterman"], 1), prior, rtol=1e-9)
    np.testing.assert_allclose(vector(book["BlackLitterman"], 2), posterior, rtol=1e-7)
    np.testing.assert_allclose(vector(book["ExpectedReturns"]), posterior, rtol=1e-7)


def test_target_keeps_every_limit_and_a_few_bind(book: Tables) -> None:
    weights = vector(book["Weights"])
    sector = pd.Series({name: stock.sector for name, stock in example.STOCKS.items()})
    benchmark = pd.Series({name: stock.benchmark for name, stock in example.STOCKS.items()})
    current = vector(book["CurrentWeights"])
    cov = matrix(book["Covariance"])
    by_sector = weights.groupby(sector).sum()
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    assert weights.min() >= -1e-9
    assert weights.max() == pytest.approx(0.12, abs=1e-6)
    assert by_sector["Health Care"] == pytest.approx(0.28, abs=1e-6)
    assert 0.15 <= by_sector["Technology"] <= 0.28
    assert by_sector["Consumer Staples"] >= 0.10
    assert 0.05 <= by_sector["Energy"] <= 0.15
    assert np.sqrt(weights @ cov @ weights) <= 0.22
    assert np.sqrt((weights - benchmark) @ cov @ (weights - benchmark)) <= 0.03
    assert (weights - current).abs().sum() / 2 == pytest.approx(0.25, abs=1e-6)
    statuses = [row[5] for row in book["TargetLimits"][1:]]
    assert "breach" not in statuses
    assert 2 <= statuses.count("at limit") <= 6
    assert [row[5] for row in book["CurrentLimits"][1:]].count("breach") == 5


def test_no_portfolio_of_the_frontier_beats_the_target(
    book: Tables
) -> None:
    weights, mu = vector(book["Weights"]), vector(book["ExpectedReturns"])
    cov = matrix(book["Covariance"])
    best = (weights @ mu - 0.02) / np.sqrt(weights @ cov @ weights)
    for low_return, volatility, *row in np.array(book["Frontier"][1:], dtype=float):
        assert row @ mu == pytest.approx(low_return, abs=1e-9)
        assert np.sqrt(row @ cov.to_numpy() @ row) == pytest.approx(volatility, abs=1e-8)
        assert (low_return - 0.02) / volatility <= best + 1e-9


def test_var_and_cvar_from_the_sorted_losses(
    book: Tables, returns: pd.DataFrame
) -> None:
    header, *rows = book["TailRisk"]
    assert {row[0] for row in rows} == {"historical", "normal", "cornish-fisher", "student",
                                        "filtered", "evt", "montecarlo"}
    for title, name in (("current", "CurrentWeights"), ("benchmark", "BenchmarkWeights"),
                        ("target", "Weights")):
        daily = (returns @ vector(book[name])).to_numpy()
        for method, level, days, *values in rows:
            shown = dict(zip(header[3:], values, strict=True))
            var, cvar = shown[f"VaR, {title}"], shown[f"CVaR, {title}"]
            assert cvar > var  # type: ignore[operator]
            if method == "historical":
                windows = np.lib.stride_tricks.sliding_window_view(1 + daily, int(days))  # type: ignore[call-overload]
                losses = np.sort(1 - windows.prod(axis=1))[::-1]
                worst = (1 - float(level)) * len(losses)  # type: ignore[arg-type]
                whole = int(worst)
                tail = losses[:whole].sum() + (worst - whole) * losses[whole]
                assert var == pytest.approx(np.quantile(losses, float(level)), rel=1e-9)  # type: ignore[arg-type]
                assert cvar == pytest.approx(tail / worst, rel=1e-9)


def test_the_start_page_shows_var_and_cvar_of_all_three(shipped: bytes, book: Tables) -> None:
    _, first, *_ = book["TailRisk"]
    stored = known(shipped).values
    shown = {stored.get(("Start", row, 1)): [stored.get(("Start", row, at)) for at in (3, 4, 5)]
             for row in range(8, 20)}
    assert shown["VaR, historical 95%, 1d"] == pytest.approx(list(first[3::2]))
    assert shown["CVaR, historical 95%, 1d"] == pytest.approx(list(first[4::2]))


def test_the_parts_of_cvar_by_asset_and_by_sector(book: Tables, returns: pd.DataFrame) -> None:
    daily = (returns @ vector(book["Weights"])).to_numpy()
    cvar = book["TailRisk"][1][8]
    parts = vector(book["TailContributions"], 3)
    assert parts.sum() == pytest.approx(cvar)
    worst = np.argsort(daily)[:62]  # and 0.95 of the next one of 62.95
    rest = np.argsort(daily)[62]
    for name, weight in vector(book["Weights"]).items():
        lost = -weight * returns[name].to_numpy()
        assert parts[name] == pytest.approx((lost[worst].sum() + 0.95 * lost[rest]) / 62.95)
    sector = {name: stock.sector for name, stock in example.STOCKS.items()}
    pd.testing.assert_series_equal(
        vector(book["SectorTailContributions"], 3).sort_index(), parts.groupby(sector).sum())


def test_backtests_are_of_the_target(book: Tables, returns: pd.DataFrame) -> None:
    daily = (returns @ vector(book["Weights"])).to_numpy()
    for name, var in (("HistoricalBacktest", np.quantile(-daily, 0.99)),
                      ("NormalBacktest", 2.3263478740408408 * daily.std(ddof=1) - daily.mean())):
        rows = {row[0]: row[1:] for row in book[name][1:]}
        assert rows["Basel zone"][0] == (-daily[-250:] > var).sum()
        count, expected = (-daily > var).sum(), 0.01 * len(daily)
        by_count = 2 * (count * np.log(count / expected) + (len(daily) - count) * np.log(
            (len(daily) - count) / (len(daily) - expected)))
        assert rows["Kupiec"][0] == pytest.approx(by_count, abs=1e-8)
    wealth = np.cumprod(1 + daily)
    assert book["Drawdowns"][1][0] == pytest.approx((1 - wealth / np.maximum.accumulate(
        wealth)).max())


def test_windows_lose_what_prices_lost(book: Tables) -> None:
    """Covid: from the close of 2020-02-19 to that of 2020-03-23."""
    prices = example.prices()
    day = {str(date): np.array(row) for date, row in zip(prices.dates, prices.rows, strict=True)}
    moves = pd.Series(day["2020-03-23"] / day["2020-02-19"] - 1, prices.assets)
    losses = {row[0]: row for row in book["ScenarioLosses"][1:]}
    assert list(losses) == SCENARIOS
    weights = vector(book["Weights"])
    assert losses["Covid 2020"][1] == pytest.approx(-(weights @ moves))
    after = weights * (1 + moves) / (1 + weights @ moves)
    assert after["MSFT"] > 0.12
    matrix = {row[0]: dict(zip(book["StressMatrix"][0], row, strict=True))
              for row in book["StressMatrix"][1:]}
    for name, weight in after.items():
        assert (matrix[name]["Covid 2020"] == "breach") == (weight > 0.12 + 1e-6), name
    for title, row in losses.items():
        broken = [name for name, statuses in matrix.items() if statuses[title] == "breach"]
        assert (row[2], row[3] or "") == (len(broken), ", ".join(map(str, broken)))


def test_own_scenarios_move_the_sector_and_the_rest(book: Tables) -> None:
    weights = vector(book["Weights"])
    losses = {row[0]: row[1] for row in book["ScenarioLosses"][1:]}
    for scenario in SCENARIOS[:5]:
        shocks = {where.removeprefix("Sector "): shock for name, where, shock in example.SHOCKS
                  if name == scenario}
        assert losses[scenario] == pytest.approx(-sum(
            weights[name] * shocks.get(stock.sector, shocks["all"])
            for name, stock in example.STOCKS.items()))


def test_volatility_when_correlations_rise(book: Tables, returns: pd.DataFrame) -> None:
    cov, weights = matrix(book["Covariance"]).to_numpy(), vector(book["Weights"]).to_numpy()
    deviations = np.sqrt(np.diag(cov)) * weights
    moved = 0.9 * np.outer(deviations, deviations)
    np.fill_diagonal(moved, deviations**2)
    plain = np.outer(weights, weights) * cov
    for strength, _, target in np.array(book["StressedVolatility"][1:], dtype=float):
        mixed = (1 - strength) * plain + strength * moved
        assert target == pytest.approx(np.sqrt(mixed.sum()))
    assert vector(book["ReverseStress"]) @ vector(book["Weights"]) == pytest.approx(-0.2)


def test_contributions_add_up_to_the_volatility(book: Tables) -> None:
    volatility = float(book["RiskSummary"][2][4])  # type: ignore[arg-type]
    for name in ("RiskContributions", "SectorContributions"):
        assert vector(book[name], 3).sum() == pytest.approx(volatility, rel=1e-9)
        assert vector(book[name], 4).sum() == pytest.approx(1, rel=1e-9)


def test_orders_lead_to_the_target_and_cash_is_right(book: Tables) -> None:
    held = vector(book["Holdings"])
    price = vector(book["Holdings"], 2)
    bought = vector(book["Orders"], 2).reindex(held.index).fillna(0)
    cost = vector(book["Orders"], 5).sum()
    cash = 100_000 - bought @ price - cost
    assert (bought % 10 == 0).all()
    assert (held + bought).min() >= 0
    assert book["CashLeft"][0][0] == pytest.approx(cash, abs=1e-6)
    assert cash >= 0
    after = (held + bought) * price / (held @ price + 100_000 - cost)
    assert (after - vector(book["Weights"])).abs().max() < 0.003
    sector = pd.Series({name: stock.sector for name, stock in example.STOCKS.items()})
    assert after.max() <= 0.12
    assert after.groupby(sector).sum()["Health Care"] <= 0.28
    assert [row[0] for row in book["OrderLimits"] if row[0]] == [
        "Limit", "cash", *(words for words, _, _, _ in example.LIMITS)]


# --- what a user does ----------------------------------------------------------------------

def test_nothing_changes_when_nothing_was_changed(shipped: bytes) -> None:
    again = recalculate(shipped)
    assert (list(again.problems), list(again.warnings)) == ([], [])
    before, after = known(shipped).values, known(again.bytes).values
    assert before.keys() == after.keys()
    for spot, value in before.items():
        if isinstance(value, float):
            assert after[spot] == pytest.approx(value, rel=1e-6, abs=1e-7), spot
        else:
            assert after[spot] == value, spot


def test_a_tighter_limit_is_kept(shipped: bytes) -> None:
    result = changed(shipped, "Limits", **{f"D{FIRST + 1}": 0.09})
    assert list(result.problems) == []
    assert vector(Tables(result.bytes)["Weights"]).max() == pytest.approx(0.09, abs=1e-6)


def test_a_limit_in_a_spare_row_is_read(shipped: bytes) -> None:
    spare = FIRST + 1 + len(example.LIMITS)
    after = Tables(changed(shipped, "Limits", **{f"B{spare}": "LLY", f"D{spare}": 0.07}).bytes)
    assert vector(after["Weights"])["LLY"] <= 0.07 + 1e-7
    assert len(after["TargetLimits"]) == len(Tables(shipped)["TargetLimits"]) + 1


def test_least_cash_is_kept(shipped: bytes) -> None:
    cell = place_of(shipped, "LeastCash")
    after = Tables(changed(shipped, "Trades", **{cell: 0.005}).bytes)
    worth = float(after["PortfolioValue"][0][0]) + 100_000  # type: ignore[arg-type]
    assert float(after["CashLeft"][0][0]) >= 0.00499 * worth  # type: ignore[arg-type]


def test_views_without_confidence_leave_the_prior(shipped: bytes) -> None:
    cells = {f"D{FIRST + 1 + row}": 0.0 for row in range(len(example.VIEWS))}
    after = Tables(changed(shipped, "Views", **cells).bytes)
    np.testing.assert_allclose(vector(after["BlackLitterman"], 3), 0, atol=1e-12)


@pytest.mark.parametrize(("choice", "name"), [
    ("Implied", "ImpliedReturns"), ("Historical mean", "HistoricalReturns"),
])
def test_the_choice_of_expected_returns(shipped: bytes, choice: str, name: str) -> None:
    cell = place_of(shipped, "ReturnSource")
    after = Tables(changed(shipped, "Start", **{cell: choice}).bytes)
    pd.testing.assert_series_equal(vector(after["ExpectedReturns"]), vector(after[name]))


def place_of(workbook: bytes, name: str) -> str:
    """The cell behind a name, without its sheet."""
    text = parts(workbook)["xl/workbook.xml"].decode()
    found = re.search(rf'<definedName name="{name}">\w+!([^<]+)<', text)
    assert found is not None
    return found[1].replace("$", "")


def test_a_mistake_is_shown_where_it_is_and_counted(shipped: bytes) -> None:
    """A misspelt sector: the first cell of each table that depends on it says so."""
    result = changed(shipped, "Limits", **{f"B{FIRST + 2}": "Sector Tehcnology"})
    after = Tables(result.bytes)
    text = str(after["Weights"][0][0])
    assert text.startswith(f"#PORTBAL MAXSHARPE: limits row 3 (Limits!B{FIRST + 2}): ")
    assert "Did you mean 'Technology'?" in text
    assert any("MAXSHARPE" in str(problem) for problem in result.problems)
    assert float(after["Problems"][0][0]) >= 5  # type: ignore[arg-type]


def test_a_shorter_history_shrinks_the_spills(shipped: bytes) -> None:
    """The last price row cleared: one return less, and nothing stale below it."""
    row = FIRST + len(example.prices().rows)
    cells = {f"{column}{row}": None for column in "BCDEFGHIJKLMNOPQRSTUV"}
    result = changed(shipped, "Prices", **cells)
    after = Tables(result.bytes)
    assert list(result.problems) == []
    assert len(after["Returns"]) == len(Tables(shipped)["Returns"]) - 1
    assert after["Returns"][-1][0] == after["Prices"][-1][0]


def test_a_new_row_of_prices_is_read(shipped: bytes) -> None:
    """A day later every price is 1% higher: one more return, and the newest prices are used."""
    prices = example.prices()
    row = FIRST + 1 + len(prices.rows)
    cells = "".join(f'<c r="{letter}{row}"><v>{price * 1.01!r}</v></c>' for letter, price in
                    zip("CDEFGHIJKLMNOPQRSTUV", prices.rows[-1], strict=True))
    added = f'<row r="{row}"><c r="B{row}"><v>44924</v></c>{cells}</row></sheetData>'
    longer = io.BytesIO()
    with zipfile.ZipFile(longer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts(shipped).items():
            archive.writestr(name, content.replace(b"</sheetData>", added.encode())
                             if name == "xl/worksheets/sheet2.xml" else content)
    result = recalculate(longer.getvalue(), fresh=True)
    before, after = Tables(shipped), Tables(result.bytes)
    assert list(result.problems) == []
    assert len(after["Returns"]) == len(before["Returns"]) + 1
    assert after["Returns"][-1][1:] == pytest.approx([0.01] * len(example.STOCKS))
    assert vector(after["Holdings"], 2)["AAPL"] == pytest.approx(
        1.01 * vector(before["Holdings"], 2)["AAPL"])
    assert after["LastDay"][0][0] == 44924


def test_fewer_assets_work_without_touching_a_formula(shipped: bytes) -> None:
    """XOM taken out of prices, assets, holdings and views, its weight given to CVX."""
    last = FIRST + len(example.STOCKS)
    cvx = FIRST + 1 + list(example.STOCKS).index("CVX")
    workbook = typed(shipped, "Prices", {
        f"V{row}": None for row in range(FIRST, FIRST + 1 + len(example.prices().rows))})
    workbook = typed(workbook, "Assets", {
        f"E{cvx}": 0.11, **{f"{column}{last}": None for column in "BCDEFGH"}})
    workbook = typed(workbook, "Trades", {f"{column}{last}": None for column in "EFG"})
    workbook = typed(workbook, "Views", {f"{column}{FIRST + 2}": None for column in "BCD"})
    result = recalculate(workbook, fresh=True)
    after = Tables(result.bytes)
    assert list(result.problems) == []
    assert list(vector(after["Weights"]).index) == [a for a in example.STOCKS if a != "XOM"]
    assert vector(after["Weights"]).sum() == pytest.approx(1)
    assert len(after["Covariance"]) == len(example.STOCKS)
    assert after["Problems"][0][0] == 0


def test_a_scenario_in_a_spare_row_is_read_and_a_limit_breaks_in_it(shipped: bytes) -> None:
    spare = FIRST + 1 + len(example.SHOCKS)
    after = Tables(changed(shipped, "Stress", **{
        f"B{spare}": "Apple falls", f"C{spare}": "AAPL", f"D{spare}": -0.5}).bytes)
    row = next(row for row in after["ScenarioLosses"] if row[0] == "Apple falls")
    assert row[1] == pytest.approx(0.5 * vector(after["Weights"])["AAPL"])
    assert "Apple falls" in after["StressMatrix"][0]


def test_a_history_without_windows_leaves_the_own_scenarios(shipped: bytes) -> None:
    """The same prices ten years later, when none of the windows was."""
    last = FIRST + len(example.prices().rows)
    later = {f"B{row}": (day - dt.date(1899, 12, 30)).days + 10 * 365.0
             for row, day in zip(range(FIRST + 1, last + 1), example.prices().dates, strict=True)}
    result = changed(shipped, "Prices", **later)
    assert [str(problem).split(":")[0] for problem in result.problems] == [
        f"Stress!{place_of(shipped, 'WindowShocks').partition(':')[0]}"]
    after = Tables(result.bytes)
    assert [row[0] for row in after["ScenarioLosses"][1:]] == SCENARIOS[:5]
    assert after["Problems"][0][0] == 1
