"""An account taken apart: what is held, what a unit costs, and the money there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels, tables
from portbal.errors import InputError


@dataclass(frozen=True)
class Account:
    """Holdings taken apart: assets without cash, what a unit costs, and the money there is.

    names (n,) in the order of holdings, then those that only the target has; quantity and
    price (n,); cash and net assets in money. names_cash: somebody named an asset Cash.
    """

    names: pd.Index
    quantity: np.ndarray
    price: np.ndarray
    cash: float
    names_cash: bool = False

    @property
    def net(self) -> float:
        return float(self.quantity @ self.price + self.cash)

    @property
    def weights(self) -> np.ndarray:
        return self.quantity * self.price / self.net


def check_sum(weights: pd.Series, argument: str) -> None:
    """InputError when weights do not sum to 1 within 0.0001."""
    tables.check_sum(weights, "the weights sum", argument=argument,
                     fix="Scale them, or add a row Cash.")


def open_account(
    holdings: pd.DataFrame, wanted: pd.Index, cash: float, assets: pd.DataFrame | None
) -> Account:
    """The account behind holdings and cash, with every asset that the target names."""
    labels.positions(holdings.index, argument="holdings")
    is_cash = labels.is_cash(holdings.index)
    for label, price, cash_row in zip(
        holdings.index, holdings["Price"].to_numpy(dtype=float), is_cash, strict=True
    ):
        if cash_row and price != 1:
            raise InputError(f"Cash has the price {price:g}, not 1", fix="Set its Price to 1.",
                             argument="holdings", row=label, column="Price")
        if not price > 0:
            raise InputError(f"{labels.shorten(label)} has the price {price:g}",
                             fix="Give a price above 0.", argument="holdings", row=label,
                             column="Price")
    money = cash + float(holdings["Quantity"].to_numpy(dtype=float)[is_cash].sum())
    own = holdings[~is_cash]
    known = set(labels.keys(own.index))
    new = [x for x in wanted if labels.key(x) not in known and labels.key(x) != labels.CASH]
    prices = [_price(label, assets) for label in new]
    account = Account(
        pd.Index([*own.index, *new], dtype=object),
        np.concatenate([own["Quantity"].to_numpy(dtype=float), np.zeros(len(new))]),
        np.concatenate([own["Price"].to_numpy(dtype=float), np.array(prices, dtype=float)]),
        money,
        bool(is_cash.any() or labels.is_cash(wanted).any()),
    )
    if not account.net > 0:
        raise InputError(f"net assets are {account.net:,.2f}", argument="holdings",
                         fix="Holdings and cash must be worth more than 0.")
    return account


def _price(label: object, assets: pd.DataFrame | None) -> float:
    if assets is not None and "Price" in assets:
        at = labels.positions(assets.index, argument="assets").get(labels.key(label))
        if at is not None and float(assets["Price"].iloc[at]) > 0:
            return float(assets["Price"].iloc[at])
    raise InputError(
        f"{labels.shorten(label)} is not held, and no price is known for it",
        fix="Add it to holdings with quantity 0, or give its Price in assets.",
        argument="target", row=label,
    )
