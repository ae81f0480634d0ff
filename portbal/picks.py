"""A table of views as numbers: which assets each view is about, what it expects, how surely.

A view in words is a sum of assets, each with a sign and perhaps a coefficient::

    Germany - 0.4*France - 0.6*UK

A name with signs in it, or one that begins with a digit, stands in single quotes, a single
quote inside it is doubled: ``'Coca-Cola' - 50%*'3M'``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TERM = re.compile(
    rf"""\s*(?P<sign>[-+−–]?)\s*
    (?:(?P<factor>{_NUMBER})\s*(?P<percent>%?)\s*(?P<times>\*?)\s*)?
    (?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s\d'*+−–-][^*+−–-]*))\s*""",
    re.VERBOSE,
)
_QUOTE = ("Put a name with signs or a digit in front in single quotes, such as 'Coca-Cola'; in a "
          "cell that begins with a quote, type that quote twice.")


@dataclass(frozen=True)
class Views:
    """K views about n assets.

    names       (K,) the words of each view, or its number in a pick matrix
    rows        (K,) how an error names its row
    picks       (K, n) one row a view
    returns     (K,) what the picked portfolio is expected to earn a year
    confidence  (K,) in [0, 1], NaN where it was left blank
    """

    names: tuple[str, ...]
    rows: tuple[object, ...]
    picks: np.ndarray
    returns: np.ndarray
    confidence: np.ndarray


def read(views: pd.DataFrame, assets: pd.Index) -> Views:
    """The views as numbers over ``assets``.

    views  columns View, Return and perhaps Confidence; or, in place of View, one column per
           picked asset. The index says how errors name rows.

    InputError for words that cannot be read, an unknown asset, a view that picks nothing, a
    return that is missing, and a confidence outside [0, 1].
    """
    rows = tuple(views.index.tolist())
    if not rows:
        raise InputError("it has no views", fix="Write at least one.", argument="views")
    if "View" in views.columns:
        names = tuple(str(text) for text in views["View"])
        at = labels.positions(assets, argument="prior")
        picks = np.array([
            _pick(text, assets, at, row) for text, row in zip(names, rows, strict=True)
        ])
    else:
        names = tuple(str(number) for number in range(1, len(rows) + 1))
        picks = _pick_matrix(views, assets)
    endless = np.flatnonzero(~np.isfinite(picks).all(axis=1))
    if len(endless):
        raise InputError(
            "a coefficient of the view is missing or infinite", fix="Enter a finite number.",
            argument="views", row=rows[int(endless[0])],
        )
    empty = np.flatnonzero(~picks.any(axis=1))
    if len(empty):
        raise InputError(
            "the view picks no asset", fix="Name the assets it is about.", argument="views",
            row=rows[int(empty[0])],
        )
    returns = views["Return"].to_numpy(dtype=float)
    blank = np.flatnonzero(~np.isfinite(returns))
    if len(blank):
        raise InputError(
            "the view has no return", fix="Enter the return a year that is expected.",
            argument="views", row=rows[int(blank[0])], column="Return",
        )
    return Views(names, rows, picks, returns, _confidence(views, rows))


def _confidence(views: pd.DataFrame, rows: tuple[object, ...]) -> np.ndarray:
    if "Confidence" not in views.columns:
        return np.full(len(rows), np.nan)
    values = views["Confidence"].to_numpy(dtype=float)
    for row, value in zip(rows, values, strict=True):
        if not (np.isnan(value) or 0 <= value <= 1):
            raise InputError(
                f"the confidence {value:g} is not between 0 and 1",
                fix="Use a fraction such as 0.5 or 50%, or leave it blank.",
                argument="views", row=row, column="Confidence",
            )
    return values


def _pick_matrix(views: pd.DataFrame, assets: pd.Index) -> np.ndarray:
    columns = [c for c in views.columns if labels.key(c) not in ("return", "confidence")]
    at = labels.positions(assets, argument="prior")
    labels.positions(columns, argument="views")
    picks = np.zeros((len(views), len(assets)))
    for column in columns:
        position = at.get(labels.key(column))
        if position is None:
            raise InputError(
                f"there is no asset {labels.shorten(column)}",
                fix=labels.suggestion(column, assets, "Use the names of cov."),
                argument="views", column=column,
            )
        picks[:, position] = views[column].to_numpy(dtype=float)
    return picks


def _pick(text: str, assets: pd.Index, at: dict[str, int], row: object) -> np.ndarray:
    result = np.zeros(len(assets))
    for factor, name in _terms(text, row):
        position = at.get(labels.key(name))
        if position is None:
            raise InputError(
                f"the view {labels.shorten(text)} names {labels.shorten(name)}, which is no asset",
                fix=_other_name(text, name, assets), argument="views", row=row, column="View",
            )
        result[position] += factor
    return result


def _terms(text: str, row: object) -> Iterator[tuple[float, str]]:
    """Signed coefficient and name of each term."""
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None or (at > 0 and not match["sign"]):
            raise _unreadable(text, text[at:], row)
        if match["factor"] and not match["times"] and match["plain"]:
            # 3M, or a coefficient without a *
            raise _unreadable(text, text[match.start("factor"):], row)
        factor = float(match["factor"]) if match["factor"] else 1.0
        if match["percent"]:
            factor /= 100
        name = match["plain"] or match["quoted"].replace("''", "'")
        yield (-factor if match["sign"] in ("-", "−", "–") else factor), name
        at = match.end()


def _unreadable(text: str, rest: str, row: object) -> InputError:
    comma = re.match(r"\s*[-+−–]?\s*\d+,\d", rest)
    return InputError(
        f"the view {labels.shorten(text)} cannot be read from {labels.shorten(rest.strip())} on",
        fix="Use a point for decimals." if comma else
        f"Write it like Germany - 0.4*France - 0.6*UK. {_QUOTE}",
        argument="views", row=row, column="View",
    )


def _other_name(text: str, name: str, assets: pd.Index) -> str:
    written = labels.key(text)
    for asset in assets:
        if re.search(r"[-+*−–]", str(asset)) and labels.key(asset) in written:
            quoted = str(asset).replace("'", "''")
            return f"If you mean the asset with that sign in its name, write '{quoted}' in quotes."
    return labels.suggestion(name, assets, "Use the names of cov.")
