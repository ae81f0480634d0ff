"""Dated windows of the past: what the portfolio of today would have lost in them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd

from portbal import labels, tables
from portbal.errors import InputError
from portbal.labels import key, shorten
from portbal.result import Noted

# a history that starts within so many of its usual gaps after the window still covers it
_GAPS = 2.0
_SLACK = pd.Timedelta(days=1)
# returns that a regression takes beyond its coefficients
_SPARE = 10


@cache
def _windows() -> pd.DataFrame:
    with (resources.files("portbal") / "data" / "scenarios.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, parse_dates=["From", "Until"])


def windows() -> pd.DataFrame:
    """Sixteen stressed windows: columns Name, From, Until, Index move.

    From and Until are closing dates: a window holds the returns after From up to and including
    Until. Index move is that of the S&P 500 without dividends between them.
    """
    return _windows().copy()


def severely_adverse() -> pd.DataFrame:
    """The domestic variables of the Federal Reserve's supervisory severely adverse scenario of
    2025, thirteen quarters: Quarter, then one column a variable.

    Growth, rates, yields and unemployment are fractions (a year, as published), index levels and
    the volatility index as published. Source: Board of Governors of the Federal Reserve System,
    2025 Stress Test Scenarios, February 2025; in the public domain.
    """
    file = resources.files("portbal") / "data" / "fed_2025_severely_adverse.csv"
    with file.open(encoding="utf-8") as lines:
        published = pd.read_csv(lines)
    frame = published.drop(columns="Scenario Name").rename(columns={"Date": "Quarter"})
    for title in frame.columns:
        if title != "Quarter" and not title.endswith("(Level)"):
            frame[title] = (frame[title] / 100).round(6)
    return frame


def window_of(name: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """From and Until of a window by its name; InputError with the nearest one."""
    known = _windows()
    for title, start, end in zip(known["Name"], known["From"], known["Until"], strict=True):
        if key(title) == key(name):
            return start, end
    raise InputError(
        f"there is no scenario {shorten(name)}",
        fix=labels.suggestion(
            name, known["Name"], "Give a date such as 2020-02-19, or a name of SCENARIOS()."),
        argument="fromdate",
    )


def replay(
    weights: pd.Series,
    returns: pd.DataFrame,
    start: dt.datetime | str,
    until: dt.datetime | None = None,
    factors: pd.DataFrame | None = None,
) -> Noted[pd.DataFrame]:
    """What each asset earned in a window of the past: columns Asset, Weight, Return, Loss.

    weights  by asset, any sum, as bought at the close of ``start`` and not traded until the end
    returns  simple, dated, shape (T, n); a history may start later (NaN before)
    start    the closing date before the window, or the name of one of `windows`
    until    the last date of the window, left out that of the returns; not with a name
    factors  returns of longer histories at the same dates, shape (S, k): an asset whose own
             history does not reach back to ``start`` is then proxied by its betas, from a
             regression with constant over the dates both have; the constant is left out

    Return compounds the returns dated after start, up to and including until; Loss is minus
    weight times Return. In the order of weights; notes give the sum, the returns compounded, and
    each proxy with its betas.

    InputError for a name without returns, for returns without dates, for a window in which no
    return is dated, and for an asset whose history does not cover it where there are no factors.
    """
    tables.vector(weights, argument="weights")
    labels.filled(weights, returns.columns, argument="weights", reference="returns")
    found = _earned(weights.index, returns, start, until, factors)
    w = weights.to_numpy(dtype=float)
    lost = 0.0 - w * found.returns
    frame = pd.DataFrame({
        "Asset": [str(name) for name in weights.index], "Weight": w, "Return": found.returns,
        "Loss": lost,
    })
    summary = (f"The portfolio loses {float(lost.sum()):.4g} from {found.first:%Y-%m-%d} to "
               f"{found.last:%Y-%m-%d}.")
    return Noted(frame, notes=(summary, *found.covered, *found.proxies))


def shocks(returns: pd.DataFrame, factors: pd.DataFrame | None = None) -> Noted[pd.DataFrame]:
    """What every asset earned in each of `windows` as shocks: columns Scenario, Where, Shock.

    One row a window and asset, as `stress_limits.recheck` takes them. A window that the returns
    of any asset do not cover, and that factors do not proxy either, is left out as a whole; a
    note names such windows and says why the latest of them is. Arguments as `replay`.

    InputError as `replay`, and when no window is covered.
    """
    index = _dated(returns, "returns")
    tables.histories(returns, argument="returns")
    rows: list[tuple[str, str, float]] = []
    notes: list[str] = []
    missing: list[str] = []
    why = ""
    for window in map(str, _windows()["Name"]):
        try:
            found = _earned(returns.columns, returns, window, None, factors)
        except InputError as error:
            missing.append(window)
            why = error.problem
            continue
        rows += [(window, f"asset {name}", float(move))
                 for name, move in zip(returns.columns, found.returns, strict=True)]
        notes += [f"{window}: {note}" for note in (*found.covered[1:], *found.proxies)]
    if not rows:
        raise InputError(
            f"they run from {index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d} and cover no window: "
            f"{why}", fix="Use a longer history, or give factors with one.", argument="returns",
        )
    if missing:
        notes.insert(0, f"Left out: {', '.join(missing)} ({why}).")
    return Noted(pd.DataFrame(rows, columns=["Scenario", "Where", "Shock"]), notes=tuple(notes))


@dataclass(frozen=True)
class _Earned:
    """returns: of each asset in the window after first up to last (n,); covered, proxies: notes
    on what was compounded and on who was proxied."""

    returns: np.ndarray
    first: pd.Timestamp
    last: pd.Timestamp
    covered: tuple[str, ...]
    proxies: tuple[str, ...]


def _earned(
    names: pd.Index, returns: pd.DataFrame, start: dt.datetime | str,
    until: dt.datetime | None, factors: pd.DataFrame | None,
) -> _Earned:
    index = _dated(returns, "returns")
    first, last = _dates(start, until, index[-1])
    at = labels.positions(returns.columns, argument="returns")
    values, starts = tables.histories(returns, argument="returns")
    inside = np.asarray((index > first) & (index <= last))
    if not inside.any() and index[0] <= last and index[-1] > first:
        raise InputError(
            f"none is dated after {first:%Y-%m-%d} and up to {last:%Y-%m-%d}",
            fix="Use returns of shorter periods, such as daily ones, or a longer window.",
            argument="returns",
        )
    usual = _usual_gap(index)
    notes: list[str] = []
    earned = np.empty(len(names))
    for position, label in enumerate(names):
        column = at[key(label)]
        begins, ends = index[starts[column]], index[-1]
        if begins - first <= usual and last - ends <= usual and inside[starts[column]:].any():
            earned[position] = float(np.prod(1 + values[inside, column])) - 1
            continue
        if factors is None:
            raise _uncovered(label, begins, ends, first, last)
        own = pd.Series(values[starts[column]:, column], index=index[starts[column]:])
        earned[position], note = _proxied(str(label), own, factors, first, last)
        notes.append(note)
    covered = []
    if inside.any():
        held = index[inside]
        covered.append(f"{len(held)} returns are compounded, dated {held[0]:%Y-%m-%d} to "
                       f"{held[-1]:%Y-%m-%d}.")
        before = index[index <= first]
        rare = usual > pd.Timedelta(days=5) * _GAPS
        if rare and len(before) and before[-1] < first:
            covered.append(f"The first of them began on {before[-1]:%Y-%m-%d}, before the window.")
        if rare and held[-1] < last:
            covered.append(f"What came after {held[-1]:%Y-%m-%d} is not in them.")
    return _Earned(earned, first, last, tuple(covered), tuple(notes))


def _dates(
    start: dt.datetime | str, until: dt.datetime | None, latest: pd.Timestamp
) -> tuple[pd.Timestamp, pd.Timestamp]:
    if isinstance(start, str):
        if until is not None:
            raise InputError(
                "a named scenario has its own last date", fix="Leave it out, or give two dates.",
                argument="untildate",
            )
        return window_of(start)
    first = pd.Timestamp(start)
    last = latest if until is None else pd.Timestamp(until)
    if last <= first:
        raise InputError(
            f"{last:%Y-%m-%d} is not after {first:%Y-%m-%d}",
            fix="Give a window within the returns.",
            argument="fromdate" if until is None else "untildate",
        )
    return first, last


def _dated(table: pd.DataFrame, argument: str) -> pd.DatetimeIndex:
    if not isinstance(table.index, pd.DatetimeIndex):
        raise InputError(
            "it has no dates", fix="Add a first column with dates.", argument=argument
        )
    if not table.index.is_monotonic_increasing or not table.index.is_unique:
        raise InputError(
            "the dates are not in order", fix="Sort by date, oldest first, one row a date.",
            argument=argument,
        )
    return table.index


def _usual_gap(index: pd.DatetimeIndex) -> pd.Timedelta:
    if len(index) < 2:
        return _SLACK
    return pd.Timedelta(np.median(np.diff(index.to_numpy()))) * _GAPS + _SLACK


def _uncovered(
    label: object, begins: pd.Timestamp, ends: pd.Timestamp, first: pd.Timestamp,
    last: pd.Timestamp,
) -> InputError:
    return InputError(
        f"the returns of {shorten(label)} run from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}, the "
        f"window from {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        fix="Use a longer history, or give factors with one to proxy it by its betas.",
        argument="returns", column=label,
    )


def _proxied(
    name: str, own: pd.Series, factors: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp
) -> tuple[float, str]:
    """The return of the window by betas on the factors, and a note about them."""
    index = _dated(factors, "factors")
    known = tables.complete(factors, argument="factors")
    usual = _usual_gap(index)
    inside = np.asarray((index > first) & (index <= last))
    if index[0] - first > usual or last - index[-1] > usual or not inside.any():
        raise InputError(
            f"the factors run from {index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}, the window from "
            f"{first:%Y-%m-%d} to {last:%Y-%m-%d}", fix="Give factors with a longer history.",
            argument="factors",
        )
    common = own.index.intersection(index)
    count = known.shape[1]
    if len(common) < count + _SPARE:
        raise InputError(
            f"{shorten(name)} and the factors have {len(common)} dates in common, too few for "
            f"{count} betas", fix="Give factors at the dates of returns, or fewer of them.",
            argument="factors",
        )
    x, y = known[index.get_indexer(common)], own[common].to_numpy()
    x_mean, y_mean = x.mean(axis=0), y.mean()
    betas, _, rank, _ = np.linalg.lstsq(x - x_mean, y - y_mean, rcond=None)
    if rank < count:
        raise InputError(
            "the factors move together so closely that they have no betas of their own",
            fix="Leave out one of them.", argument="factors",
        )
    rest = y - y_mean - (x - x_mean) @ betas
    total = float(((y - y_mean) ** 2).sum())
    fit = 1 - float((rest**2).sum()) / total if total > 0 else 1.0
    listed = ", ".join(
        f"{label} {beta:.3g}" for label, beta in zip(factors.columns[:5], betas[:5], strict=True))
    earned = float(np.prod(1 + known[inside] @ betas)) - 1
    return earned, (
        f"{shorten(name)} is proxied by its betas ({listed}), R squared {fit:.2g} over "
        f"{len(common)} returns."
    )
