"""Index futures in place of trades: how many contracts, what they tie up, what stays open."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from portbal import labels
from portbal.account import check_sum, open_account
from portbal.errors import ConflictError, InputError, NotAvailable
from portbal.labels import key, shorten
from portbal.limits.measures import is_grouping
from portbal.periods import TRADING_DAYS
from portbal.result import Noted

COLUMNS = ["Contract", "Contracts", "Notional", "Margin", "Residual"]
_MOST = 1e6  # contracts of a row
_TRIFLE = 1e-9  # of all differences: what rounding may leave of one
_SAME = 1e-12  # of the largest cost: what rounding makes of equal costs
_DEFAULTS = {"Cost": 0.0, "Beta": 1.0, "Roll": 0.0, "Rolls": 0.0}


@dataclass(frozen=True)
class _Gap:
    """What the target has more than the holdings, in money, of assets without cash (n,)."""

    names: pd.Index
    money: np.ndarray
    cash: float


@dataclass(frozen=True)
class _Contract:
    """A row of futures, and which assets it stands for (n,).

    unit: multiplier times price; margin and cost in money a contract; roll: a fraction of
    notional a year that a long position pays; rolls a year.
    """

    row: object
    name: str
    where: str
    unit: float
    margin: float
    cost: float
    beta: float
    roll: float
    rolls: float
    covers: np.ndarray


def hedge(
    holdings: pd.DataFrame,
    target: pd.Series,
    futures: pd.DataFrame,
    assets: pd.DataFrame | None = None,
    days: float = 63,
) -> Noted[pd.DataFrame]:
    """The futures that bring the portfolio to its target: columns Contract, Contracts, Notional,
    Margin, Residual, in the order of futures.

    holdings  index assets; columns Quantity, Price; a row Cash (price 1) is cash
    target    weights that sum to 1 within 0.0001
    futures   columns Contract; Where (an asset, ``all`` assets but cash, or a group of assets
              such as ``Sector Energy``, or its label alone); Multiplier; Price; Margin and Cost
              (money a contract, the cost of one trade); Beta (of what Where names to the
              contract, 1 without the column). Optional: Roll (what a long position loses a year
              to roll and basis, a fraction of notional; a short one earns it), Rolls (a year;
              each trades twice). The index says how errors name rows
    assets    groupings that Where names, and Cost (fraction of traded value) of cash trades
    days      how long the position is to be held, of 252 a year; only notes depend on it

    A row hedges the difference D, in money, of target and holdings over what it names. Contracts
    is the whole number, bought positive and sold negative, that leaves the least of
    Beta D - Contracts Multiplier Price (Hull, Options, Futures and Other Derivatives, section
    3.5), of two equally near the smaller position. Notional is Contracts Multiplier Price,
    Margin |Contracts| times it, Residual what is left: exposure to the contract that still has to
    be bought (positive) or sold. An asset that several rows name belongs to the most particular:
    itself, then the smallest group, then all. Two rows may name the same assets, such as a large
    contract and a small one: of the whole numbers on the same side that leave at most half of
    the smaller contract they are those that cost least over days, of equal costs the fewest
    contracts, then what leaves less; Residual is what is left after the row and the one above.

    Notes name what no row covers, the margin that cash does not cover, and, where assets has
    Cost, whether futures or cash trades are cheaper. Both are in and out again: trades pay
    twice Cost times each asset's difference; futures twice their Cost, and for each year Roll
    and the trades of Rolls.

    InputError for a row that names nothing known, a size, price or Beta that cannot be hedged
    with; ConflictError for a third row of the same assets, and for groups that overlap.
    """
    gap = _gap(holdings, target)
    if not 0 < days < math.inf:
        raise InputError(f"{days:g} days are not possible", fix="Give a positive number.",
                         argument="days")
    universe = gap.names if assets is None else labels.union(gap.names, assets.index)
    money = np.concatenate([gap.money, np.zeros(len(universe) - len(gap.names))])
    contracts = _contracts(futures, universe, assets)
    teams = _teams(contracts, universe)
    owner = np.full(len(universe), -1)
    for number, team in enumerate(teams):
        owner[contracts[team[0]].covers] = number
    rows: list[tuple[str, float, float, float, float]] = [("", 0.0, 0.0, 0.0, 0.0)] * len(contracts)
    notes = []
    for number, team in enumerate(teams):
        own = money * (owner == number)
        left = float(own.sum())
        members = [contracts[at] for at in team]
        counts = _counts(left, members, days)
        for at, one, count in zip(team, members, counts, strict=True):
            notional = count * one.unit
            rows[at] = (one.name, count, notional, abs(count) * one.margin,
                        one.beta * left - notional)
            left -= notional / one.beta
        if any(counts):
            notes += _cheaper(members, counts, own, universe, assets, days)
    table = pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COLUMNS[1:], float))
    bare = np.flatnonzero((owner < 0) & (np.abs(money) > _TRIFLE * np.abs(money).sum()))
    if len(bare):
        named = ", ".join(shorten(name) for name in universe[bare[:5]])
        buys, sales = (float(np.maximum(sign * money[bare], 0.0).sum()) for sign in (1, -1))
        notes.append(f"No contract stands for {named}{' and others' if len(bare) > 5 else ''}: "
                     f"buys of {buys:,.2f} and sales of {sales:,.2f} are left.")
    margin = float(table["Margin"].sum())
    if margin > gap.cash and margin > 0:
        notes.append(f"The margin of {margin:,.2f} is more than the cash of {gap.cash:,.2f}; "
                     f"post securities, or raise {margin - gap.cash:,.2f}.")
    return Noted(table, notes=tuple(notes))


def _gap(holdings: pd.DataFrame, target: pd.Series) -> _Gap:
    labels.positions(holdings.index, argument="holdings")
    labels.positions(target.index, argument="target")
    check_sum(target, "target")
    account = open_account(holdings, holdings.index, 0.0, None)
    wanted = target[~labels.is_cash(target.index)]
    names = labels.union(account.names, wanted.index)
    now = np.concatenate([account.quantity * account.price,
                          np.zeros(len(names) - len(account.names))])
    then = labels.filled(wanted, names, argument="target", reference="holdings").to_numpy()
    return _Gap(names, then * account.net - now, account.cash)


def _counts(money: float, team: list[_Contract], days: float) -> list[float]:
    """The contracts, by the one or two rows of a team, that stand for so much money."""
    for one in team:
        if abs(money * one.beta) / one.unit > _MOST:
            raise InputError(
                f"{shorten(one.name)} is worth {one.unit:.3g} and {abs(money * one.beta):.3g} are "
                "to be hedged", fix="Check Multiplier and Price.", argument="futures",
                row=one.row, column="Multiplier",
            )
    side = [math.copysign(1.0, money * one.beta) for one in team]
    sizes = [one.unit / abs(one.beta) for one in team]
    large = int(np.argmax(sizes))
    found = np.zeros((1, len(team)))
    if len(team) > 1:
        most = math.floor((abs(money) + sizes[1 - large] / 2) / sizes[large])
        found = np.zeros((most + 1, 2))
        found[:, large] = np.arange(most + 1)
    last = len(team) - 1 - large  # the smaller of two, or the only one
    found[:, last] = _nearest(abs(money) - found @ np.array(sizes), sizes[last])
    left = np.abs(abs(money) - found @ np.array(sizes))
    cost = found @ np.array([sum(_costs(one, sign, days)) for one, sign in
                             zip(team, side, strict=True)])
    cost[np.abs(cost - cost.min()) <= _SAME * np.abs(cost).max()] = cost.min()
    best = int(np.lexsort((left, found.sum(axis=1), cost))[0])
    return [sign * count if count else 0.0
            for sign, count in zip(side, found[best].tolist(), strict=True)]


def _nearest(money: np.ndarray, size: float) -> np.ndarray:
    """The whole numbers from 0 that leave the least, the smaller of two equally near."""
    fewer = np.floor(np.maximum(money, 0.0) / size)
    return fewer + ((fewer + 1) * size - money < money - fewer * size)


# --- what a row stands for -----------------------------------------------------------------

def _contracts(
    futures: pd.DataFrame, universe: pd.Index, assets: pd.DataFrame | None
) -> list[_Contract]:
    names: set[str] = set()
    result = []
    for at, label in enumerate(futures.index):
        row = int(label) if isinstance(label, (int, np.integer)) else label
        name = str(futures["Contract"].iloc[at])
        if key(name) in names:
            raise InputError(f"{shorten(name)} occurs twice", fix="Keep one of them.",
                             argument="futures", row=row, column="Contract")
        names.add(key(name))
        given = {title: float(futures[title].iloc[at]) if title in futures else default
                 for title, default in _DEFAULTS.items()}
        price, multiplier, margin = (
            float(futures[title].iloc[at]) for title in ("Price", "Multiplier", "Margin"))
        for title, value in (("Multiplier", multiplier), ("Price", price)):
            if not 0 < value < math.inf:
                raise _refused(f"{shorten(name)} has the {title.lower()} {value:g}",
                               f"Give a {title.lower()} above 0.", row, title)
        for title, value in (("Margin", margin), ("Cost", given["Cost"]),
                             ("Rolls", given["Rolls"])):
            if not 0 <= value < math.inf:
                raise _refused(f"{shorten(name)} has the {title.lower()} {value:g}",
                               f"Give a {title.lower()} of at least 0.", row, title)
        if not (given["Beta"] and math.isfinite(given["Beta"])):
            raise _refused(f"{shorten(name)} has the beta {given['Beta']:g}, and hedges nothing",
                           "Give the beta of what it stands for to it.", row, "Beta")
        unit = multiplier * price
        if not 0 < unit < math.inf:
            raise _refused(f"{shorten(name)} is worth {unit:g}", "Check Multiplier and Price.",
                           row, "Multiplier")
        where = str(futures["Where"].iloc[at])
        result.append(_Contract(
            row, name, where, unit, margin, given["Cost"], given["Beta"], given["Roll"],
            given["Rolls"], _named(where, universe, assets, row)))
    return result


def _refused(problem: str, fix: str, row: object, title: str) -> InputError:
    return InputError(problem, fix=fix, argument="futures", row=row, column=title)


def _named(
    where: str, universe: pd.Index, assets: pd.DataFrame | None, row: object
) -> np.ndarray:
    """Which assets a text names (n,): all, an asset, a group with its title or by its label."""
    text = " ".join(key(where).split())
    stock = ~labels.is_cash(universe)
    names = np.array(labels.keys(universe), dtype=object)
    if text == "all":
        return stock
    plain = text.removeprefix("asset ").strip()
    for name in (text, plain):
        if (stock & (names == name)).any():
            return stock & (names == name)
    groups = _groups(universe, assets)
    found = [label for label in groups if f"{key(label[0])} {key(label[1])}" == text]
    found = found or [label for label in groups if key(label[1]) == text]
    if len(found) > 1:
        raise InputError(
            f"{shorten(where)} is a label of {found[0][0]} and of {found[1][0]}",
            fix=f"Write '{found[0][0]} {found[0][1]}'.", argument="futures", row=row,
        )
    if not found:
        known = ["all", *map(str, universe[stock]), *(f"{t} {label}" for t, label in groups),
                 *(label for _, label in groups)]
        raise InputError(
            f"{shorten(where)} names no asset or group",
            fix=labels.suggestion(where, known, "Use an asset, all, or a group such as 'Sector "
                                  "Energy' of an assets table."),
            argument="futures", row=row,
        )
    return groups[found[0]] & stock


def _groups(
    universe: pd.Index, assets: pd.DataFrame | None
) -> dict[tuple[str, str], np.ndarray]:
    """The members (n,) of each label of each grouping of assets."""
    result: dict[tuple[str, str], np.ndarray] = {}
    if assets is None:
        return result
    for title in assets.columns:
        if is_grouping(assets[title]):
            of = {key(name): key(label) for name, label in assets[title].items()}
            members = np.array([of.get(name, "") for name in labels.keys(universe)], dtype=object)
            for label in assets[title]:
                if key(label):
                    result.setdefault((str(title), str(label)), members == key(label))
    return _once(result)


def _once(groups: dict[tuple[str, str], np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """Without the other spellings of a label."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for title, label in groups:
        seen.setdefault((key(title), key(label)), (title, label))
    return {name: groups[name] for name in seen.values()}


def _teams(contracts: list[_Contract], universe: pd.Index) -> list[list[int]]:
    """Rows that name the same assets, one or two together; the most general first."""
    teams: list[list[int]] = []
    for at, one in enumerate(contracts):
        size = int(one.covers.sum())
        for team in teams:
            other = contracts[team[0]]
            both = int((one.covers & other.covers).sum())
            if both == size == int(other.covers.sum()) and len(team) == 1:
                team.append(at)
                break
            if both and (both not in (size, int(other.covers.sum())) or both == size == int(
                    other.covers.sum())):
                label = shorten(universe[int(np.flatnonzero(one.covers & other.covers)[0])])
                raise ConflictError(
                    f"{shorten(contracts[team[-1]].name)} and {shorten(one.name)} both stand for "
                    f"{label}", fix="Remove one, or let one's group contain the other's.",
                    argument="futures", row=one.row,
                )
        else:
            teams.append([at])
    return sorted(teams, key=lambda team: -int(contracts[team[0]].covers.sum()))


# --- futures or cash trades ----------------------------------------------------------------

def _costs(contract: _Contract, side: float, days: float) -> tuple[float, float]:
    """Of one contract bought (side 1) or sold (-1): in and out again, and what so many days
    add."""
    once = 2 * contract.cost
    a_year = once * contract.rolls + side * contract.unit * contract.roll
    return once, a_year * days / TRADING_DAYS


def _cheaper(
    team: list[_Contract], counts: list[float], money: np.ndarray, universe: pd.Index,
    assets: pd.DataFrame | None, days: float,
) -> list[str]:
    """What futures and cash trades cost in and out again, and until when which is cheaper."""
    if assets is None or "Cost" not in assets:
        return []
    trades = 2 * float(np.abs(money) @ _trade_cost(money, universe, assets))
    parts = np.array([abs(count) * np.array(_costs(one, math.copysign(1.0, count), days))
                      for one, count in zip(team, counts, strict=True)])
    once, later = parts.sum(axis=0).tolist()
    carried, a_day = once + later, later / days
    names = " and ".join(shorten(one.name) for one, n in zip(team, counts, strict=True) if n)
    costs = (f"{names}: over {days:g} days futures cost {carried:,.2f} and cash "
             f"trades {trades:,.2f}")
    if carried == trades:
        return [f"{costs}."]
    turn = (trades - once) / a_day if a_day else 0.0
    when = ("however long it lasts" if turn <= 0
            else f"until day {turn:,.4g}" if turn > days else f"from day {turn:,.4g} on")
    return [f"{costs}; {'futures' if carried < trades else 'cash trades'} are cheaper {when}."]


def _trade_cost(money: np.ndarray, universe: pd.Index, assets: pd.DataFrame) -> np.ndarray:
    """The Cost of assets (n,), needed where something would be traded."""
    at = labels.positions(assets.index, argument="assets")
    column = assets["Cost"].to_numpy(dtype=float)
    result = np.zeros(len(universe))
    for i in map(int, np.flatnonzero(money)):
        place = at.get(key(universe[i]))
        if place is None:
            raise NotAvailable(
                f"{shorten(universe[i])} has no row in assets, whose Cost is compared",
                fix="Add it with its Cost, or leave the column out.", argument="assets")
        if not 0 <= column[place] < math.inf:
            shown = "no Cost" if math.isnan(column[place]) else f"the Cost {column[place]:g}"
            raise InputError(f"{shorten(universe[i])} has {shown}",
                             fix="Give a fraction such as 0.001.", argument="assets",
                             row=universe[i], column="Cost")
        result[i] = column[place]
    return result
