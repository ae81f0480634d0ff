"""Recalculate the flagship workbook and show what came out.

Copies the template portfolio_balancer, twenty US stocks with five years of daily prices, to a
file, recalculates every formula in it, and prints the result.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from portbal_addin.block import Cell, Rows, date_of
from portbal_addin.hosts.workbook import recalculate
from portbal_addin.hosts.workbook.workbook import Workbook
from portbal_templates import read

NAME = "portfolio_balancer"
TABLES = (
    "Prices", "Views", "Limits", "RiskFree", "Weights", "CurrentWeights", "BenchmarkWeights",
    "RiskSummary", "TailRisk", "ScenarioLosses", "TargetLimits", "CurrentLimits", "Orders", "Cash",
    "Bought", "Sold", "OrderCosts", "CashLeft",
)
Tables = Mapping[str, Rows]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE",
                        help=f"where to write the workbook (default: {NAME}.xlsx in this folder; "
                        "a file of yours with that name is kept)")


def run(options: argparse.Namespace) -> int:
    result = recalculate(read(NAME))
    path = options.output or _free(Path(f"{NAME}.xlsx"), result.bytes)
    try:
        path.write_bytes(result.bytes)
    except OSError as error:
        print(f"portbal: {path} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    said = [str(item) for item in (*result.problems, *result.warnings)]
    print("\n".join(report(tables(result.bytes), said, path.resolve())))
    if result.notes:
        print(f"Notes      {len(result.notes)}, which portbal recalc lists")
    return 1 if said else 0


def _free(path: Path, content: bytes) -> Path:
    """The path, or the next numbered one, so that no other file is replaced."""
    number = 1
    chosen = path
    while chosen.exists() and chosen.read_bytes() != content:
        number += 1
        chosen = path.with_stem(f"{path.stem}-{number}")
    return chosen


def tables(workbook: bytes) -> Tables:
    """The cells behind the names that the report shows."""
    book = Workbook.read(workbook)
    return {name: book.block(book.find(name)).trimmed().rows for name in TABLES}


def report(book: Tables, problems: Sequence[str], path: Path) -> Iterator[str]:
    """The lines to print, from the named tables of the recalculated workbook."""
    prices = book["Prices"]
    yield "portbal demo: twenty US stocks, from prices to orders"
    yield ""
    yield (f"Prices     {len(prices) - 1:,} days, {_day(prices[1][0])} to {_day(prices[-1][0])}, "
           f"{len(prices[0]) - 1} assets")
    yield (f"Views      {len(book['Views']) - 1}, blended with the benchmark's implied returns "
           "(Black-Litterman)")
    yield (f"Objective  highest Sharpe ratio under {len(book['Limits']) - 1} rows of Limits, "
           f"risk-free rate {_percent(book['RiskFree'][0][0], 1)}")
    yield from _section("Weights", _weights(book))
    yield from _section("Return and risk, a year", _summary(book))
    yield from _section("Loss: VaR, and CVaR, the mean beyond it", _losses(book))
    yield from _section("Stress: loss of the target", _stress(book))
    yield from _section("Limits of the target", _limits(book))
    yield from _section("Orders in whole lots, US dollars", _orders(book))
    yield from _section("Problems", problems or ["none"])
    yield ""
    yield f"Workbook   {path}"


def _section(title: str, lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}" for line in lines)


def _weights(book: Tables) -> Iterator[str]:
    current, benchmark = ({row[0]: row[1] for row in book[name][1:]}
                          for name in ("CurrentWeights", "BenchmarkWeights"))
    yield f"{'':<10}{'current':>10}{'benchmark':>11}{'target':>10}{'change':>10}"
    for asset, weight in book["Weights"][1:]:
        change = _number(weight) - _number(current[asset])
        yield (f"{asset:<10}{_percent(current[asset], 1):>10}{_percent(benchmark[asset], 1):>11}"
               f"{_percent(weight, 1):>10}{_signed(change):>10}")


def _summary(book: Tables) -> Iterator[str]:
    yield f"{'':<22}{'current':>10}{'benchmark':>11}{'target':>10}"
    for title, unit, *values in book["RiskSummary"][1:]:
        shown = [f"{_number(value):.3f}" if unit == "ratio" else _percent(value, 1)
                 for value in values]
        yield f"{title:<22}{shown[0]:>10}{shown[1]:>11}{shown[2]:>10}"


def _losses(book: Tables) -> Iterator[str]:
    header, *rows = book["TailRisk"]
    portfolios = ("current", "benchmark", "target")
    chosen = [header.index(f"{measure}, {portfolio}")
              for portfolio in portfolios for measure in ("VaR", "CVaR")]
    yield f"{'':<28}" + "".join(f"{portfolio:>16}" for portfolio in portfolios)
    yield f"{'':<28}" + f"{'VaR':>8}{'CVaR':>8}" * len(portfolios)
    for row in rows:
        method, level, days = row[0], _percent(row[1], 0), _number(row[2])
        title = f"{method} {level}, {days:.0f} day{'s' if days != 1 else ''}"
        yield f"{title:<28}" + "".join(f"{_percent(row[at], 2):>8}" for at in chosen)


def _stress(book: Tables) -> Iterator[str]:
    yield f"{'':<22}{'loss':>10}   breaks"
    for scenario, loss, breaches, *_ in book["ScenarioLosses"][1:]:
        count = int(_number(breaches))
        broken = f"{count} limit{'s' if count > 1 else ''}" if count else "none"
        yield f"{scenario!s:<22}{_percent(loss, 1):>10}   {broken}"


def _limits(book: Tables) -> Iterator[str]:
    rows = book["TargetLimits"][1:]
    breaches = [row for row in rows if row[5] == "breach"]
    before = sum(row[5] == "breach" for row in book["CurrentLimits"][1:])
    kept = f"{len(breaches)} of {len(rows)} breached" if breaches else f"all {len(rows)} kept"
    yield f"{kept}; the current portfolio breaches {before}"
    for row in rows:
        if row[5] != "ok":
            low, high = (_percent(bound, 1) if bound is not None else "" for bound in row[2:4])
            yield f"{row[0]!s:<24}{_percent(row[1], 1):>8}  {low:>6} to {high:<7}{row[5]}"


def _orders(book: Tables) -> Iterator[str]:
    yield f"{'':<14}{'quantity':>10}{'price':>11}{'value':>13}{'cost':>10}"
    for asset, side, *amounts in book["Orders"][1:]:
        quantity, price, value, cost = map(_number, amounts[:4])
        yield (f"{side:<5}{asset:<9}{quantity:>10,.0f}{price:>11,.2f}{value:>13,.0f}"
               f"{cost:>10,.2f}")
    cash, bought, sold, costs, left = (
        _number(book[name][0][0]) for name in ("Cash", "Bought", "Sold", "OrderCosts", "CashLeft")
    )
    yield (f"cash {cash:,.0f}, bought {bought:,.0f}, sold {sold:,.0f}, costs {costs:,.0f}: "
           f"cash left {left:,.0f}")


def _number(value: Cell) -> float:
    """0 for a blank cell; what is no number, such as #N/A beside a problem, shows as nan."""
    if value is None:
        return 0.0
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _percent(value: Cell, digits: int) -> str:
    return f"{_number(value):.{digits}%}"


def _signed(value: float) -> str:
    return f"{value:+.1%}" if abs(value) >= 0.0005 else "0.0%"


def _day(value: Cell) -> str:
    day = date_of(value)
    return day.date().isoformat() if isinstance(day, dt.datetime) else str(value)
