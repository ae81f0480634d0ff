"""What orders cost: the options that say so, and what a list of orders comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels
from portbal.errors import InputError, NotAvailable
from portbal.periods import TRADING_DAYS
from portbal.result import Noted
from portbal.solve.charges import Charges

OPTIONS = ("fee", "commission", "per share", "minimum", "tax", "ticket", "spread", "impact")
_FRACTIONS = ("commission", "tax", "spread")
_COLUMN = "cost"  # the word that takes the spread from the column of that name
USUAL_IMPACT = 0.01


@dataclass(frozen=True)
class Tariff:
    """What options say of costs. Money an order: fee, minimum, ticket (the least value); money
    a unit: per_share; fractions of value: commission, tax (of sales), spread (None: the column
    Cost of assets) and impact (of an order of one day's trading volume). given: which were there.
    """

    fee: float = 0.0
    commission: float = 0.0
    per_share: float = 0.0
    minimum: float = 0.0
    tax: float = 0.0
    ticket: float = 0.0
    spread: float | None = 0.0
    impact: float = 0.0
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, options: Mapping[str, object] | None) -> Tariff:
        """InputError for an unknown option, and for a number below 0 or a fraction of 1 or more."""
        found: dict[str, float | None] = {}
        for option, value in (options or {}).items():
            name = labels.key(option)
            if name not in OPTIONS:
                raise InputError(
                    f"there is no option {labels.shorten(option)} here",
                    fix=labels.suggestion(option, OPTIONS, f"Use {', '.join(OPTIONS)}."),
                    argument="options", row=option,
                )
            if name == "spread" and isinstance(value, str) and labels.key(value) == _COLUMN:
                found[name] = None
                continue
            found[name] = _amount(name, value, option)
        amounts = {name.replace(" ", "_"): value for name, value in found.items()}
        return cls(**amounts, given=frozenset(found))  # type: ignore[arg-type]

    def charges(
        self, names: pd.Index, assets: pd.DataFrame | None, net: float = 1.0
    ) -> Charges:
        """The cost of an order for each of these assets, where values are fractions of ``net``."""
        spread: float | np.ndarray = (
            cost_column(assets, names) if self.spread is None else self.spread)
        impact: float | np.ndarray = 0.0
        if self.impact:
            impact = self.impact * np.sqrt(net / volumes(assets, names))
        return Charges(
            fee=self.fee / net, commission=self.commission, per_unit=self.per_share / net,
            minimum=self.minimum / net, tax=self.tax, spread=spread, impact=impact)


def _amount(name: str, value: object, option: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise InputError(
            f"the option {name} is {labels.shorten(value)}",
            fix="Give a number of at least 0" + (
                ", or Cost for the column of assets." if name == "spread" else "."),
            argument="options", row=option,
        )
    if name in _FRACTIONS and value >= 1:
        raise InputError(f"the option {name} is {value:g}, all of the value or more",
                         fix="Give a fraction such as 0.001.", argument="options", row=option)
    return float(value)


def column(assets: pd.DataFrame | None, names: pd.Index, title: str) -> np.ndarray:
    """The numbers of one column of assets for these names (n,), NaN where there is none."""
    if assets is None or title not in assets:
        return np.full(len(names), np.nan)
    at = labels.positions(assets.index, argument="assets")
    place = [at.get(name, -1) for name in labels.keys(names)]
    values = assets[title].to_numpy(dtype=float)
    return np.array([values[i] if i >= 0 else np.nan for i in place])


def cost_column(assets: pd.DataFrame | None, names: pd.Index) -> np.ndarray:
    """The column Cost of these names (n,), a fraction of traded value; cash costs nothing.
    NotAvailable without the column, InputError for a name without a Cost of at least 0."""
    return _needed(assets, names, "Cost", 0.0, lambda x: 0 <= x < 1, "a fraction of traded value")


def volumes(assets: pd.DataFrame | None, names: pd.Index) -> np.ndarray:
    """The column ADV of these names (n,), money a day; cash has no end of it. NotAvailable
    without the column, InputError for a name without an ADV above 0."""
    return _needed(assets, names, "ADV", math.inf, lambda x: x > 0,
                   "what is traded of it a day, in money")


def _needed(
    assets: pd.DataFrame | None, names: pd.Index, title: str, of_cash: float, fits, what: str
) -> np.ndarray:
    if assets is None or title not in assets:
        raise NotAvailable(f"costs need the column {title} of assets", argument="assets",
                           fix=f"Give assets with a column {title}, {what}.")
    values = np.where(labels.is_cash(names), of_cash, column(assets, names, title))
    known = set(labels.keys(assets.index))
    for name, value in zip(names, values, strict=True):
        if not fits(value):
            raise InputError(
                f"{labels.shorten(name)} has no {title} that can be used",
                fix=f"Fill in {title}, {what}.", argument="assets", column=title,
                row=name if labels.key(name) in known else None)
    return values


def trade_costs(
    orders: pd.DataFrame, assets: pd.DataFrame | None = None,
    options: Mapping[str, object] | None = None,
) -> Noted[pd.DataFrame]:
    """Columns Asset, Commission, Spread, Impact, Total, in money, one row an order.

    orders   columns Asset, Quantity, Price and, if any, Value (else quantity times price) and
             Cost, as ORDERS returns them
    assets   Cost, a fraction of traded value: the spread paid; ADV, money traded a day, and
             Volatility, a year: the impact
    options  as ORDERS takes them. With fee, commission, per share, minimum or tax Commission is
             worked out from these, else it is Cost of orders. spread and impact go before the
             columns

    Impact is a share of value times the square root of value over ADV. The share is the option
    impact, else the volatility of a day (Volatility over the square root of 252), else 1%: the
    square-root rule by which trading a day's volume moves the price by a day's volatility
    (Grinold and Kahn 1999, Active Portfolio Management, chapter 16). Without ADV impact is 0;
    notes say which of these was used.
    """
    tariff = Tariff.of(options)
    names = pd.Index(orders["Asset"], dtype=object)
    units = orders["Quantity"].to_numpy(dtype=float)
    for row, name, price in zip(orders.index, names, orders["Price"], strict=True):
        if not price > 0:
            raise InputError(f"{labels.shorten(name)} has the price {price:g}",
                             fix="Give a price above 0.", argument="orders", row=row,
                             column="Price")
    value = (orders["Value"] if "Value" in orders else orders["Quantity"] * orders["Price"]
             ).to_numpy(dtype=float)
    notes: list[str] = []
    if tariff.given & {"fee", "commission", "per share", "minimum", "tax"}:
        charges = Tariff(tariff.fee, tariff.commission, tariff.per_share, tariff.minimum,
                         tariff.tax).charges(names, None)
        commission = charges.paid(units, value)
    elif "Cost" in orders:
        commission = orders["Cost"].to_numpy(dtype=float)
    else:
        commission = np.zeros(len(orders))
    if "spread" in tariff.given and tariff.spread is not None:
        rate: np.ndarray = np.full(len(names), tariff.spread)
    elif tariff.spread is None or (assets is not None and "Cost" in assets):
        rate = cost_column(assets, names)
    else:
        rate = np.zeros(len(names))
        notes.append("Spread is 0: give assets with a column Cost, or the option spread.")
    spread = rate * np.abs(value)
    impact = _impact(value, names, tariff, assets, notes)
    return Noted(pd.DataFrame({
        "Asset": names, "Commission": commission, "Spread": spread, "Impact": impact,
        "Total": commission + spread + impact,
    }), notes=tuple(notes))


def _impact(
    value: np.ndarray, names: pd.Index, tariff: Tariff, assets: pd.DataFrame | None,
    notes: list[str],
) -> np.ndarray:
    if "impact" not in tariff.given and (assets is None or "ADV" not in assets):
        notes.append("Impact is 0: give assets with a column ADV.")
        return np.zeros(len(value))
    volume = volumes(assets, names)
    if "impact" in tariff.given:
        share: np.ndarray = np.full(len(value), tariff.impact)
    elif assets is not None and "Volatility" in assets:
        share = _needed(assets, names, "Volatility", 0.0, lambda x: x >= 0,
                        "a fraction a year") / math.sqrt(TRADING_DAYS)
    else:
        share = np.full(len(value), USUAL_IMPACT)
        notes.append("Impact takes trading a day's volume to cost 1% of it: give assets with a "
                     "column Volatility, or the option impact.")
    return share * np.abs(value) * np.sqrt(np.abs(value) / volume)
