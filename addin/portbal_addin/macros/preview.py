"""What a preview says beside the orders: what they cost by kind, and what they cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from portbal.labels import CASH, key
from portbal_addin.block import Block, Cell, is_blank, label_text
from portbal_addin.book import Book
from portbal_addin.codecs.cells import number
from portbal_addin.codecs.labelled import VECTOR
from portbal_addin.codecs.scalars import OPTIONS
from portbal_addin.macros import holdings as held
from portbal_addin.macros import reading
from portbal_addin.macros.orders import Plan
from portbal_addin.macros.protection import participation
from portbal_addin.macros.writing import table_of
from portbal_addin.registry import Problem, find

_HEADER = ("What", "Where", "Wanted", "Reached", "Why")
_ROUNDING = 1e-9  # of net assets
_KINDS = (("Commission and tax", 1), ("Spread", 2), ("Impact", 3))
_MOST_NAMED = 3


@dataclass(frozen=True)
class Costs:
    """rows: item, nothing, money, as the summary shows them."""

    rows: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = ()


def costs(book: Book, plan: Plan) -> Costs:
    """What the orders cost by kind, where Assets has the column Cost (the spread) or ADV (the
    impact); what of it the options of orders do not count is not taken from cash."""
    assets = reading.table(book, "Assets")
    if assets is None or not plan.orders or not any(
        reading.column(assets, title) for title in ("Cost", "ADV")
    ):
        return Costs()
    options = reading.table(book, "OrderOptions")
    header = ("Asset", "Quantity", "Price", "Value", *(() if options else ("Cost",)))
    listed = table_of(header, [
        (o.asset, o.quantity, o.price, o.value, *(() if options else (o.cost,)))
        for o in plan.orders
    ])
    result = find("TRADECOST").invoke(listed, assets, options)
    if isinstance(result, Problem):
        return Costs(notes=(f"Costs are not told by kind: {result.message}. {result.fix}",))
    rows: list[tuple[Cell, ...]] = [
        (f"{title}, expected", None,
         sum(number(result.block, row, at) for row in range(1, result.block.height)))
        for title, at in _KINDS
    ]
    return Costs(tuple(rows), result.notes)


def what_stays_open(book: Book, plan: Plan, limits: Block | None) -> Block:
    """Limits that are not kept, targets further away than half a lot, and orders beyond a day's
    trading; one row that says none where there is nothing. Wanted and Reached are in the unit of
    the limit, else weights, fractions of net assets before trading."""
    rows = [*_broken(plan, limits), *_targets(book, plan, limits), *_sizes(book, plan)]
    return table_of(_HEADER, rows or [("All", "none", None, None, None)])


def told(still_open: Block) -> str:
    """How many things cannot be done, as the end of a sentence; empty for none."""
    count = sum(row[1] != "none" for row in still_open.rows[1:])
    return f", {count} thing{'' if count == 1 else 's'} not done" if count else ""


# --- limits ------------------------------------------------------------------------------------

def _broken(plan: Plan, limits: Block | None) -> Iterator[tuple[Cell, ...]]:
    why = {key(left.words): left.why for left in plan.left}
    for limit, _, after, low, high, _, status in () if limits is None else limits.rows[1:]:
        if status != "breach":
            continue
        above = isinstance(high, (int, float)) and isinstance(after, (int, float)) and after > high
        yield ("Limit", limit, high if above else low, after,
               why.get(key(label_text(limit))) or _not_kept(plan))


def _not_kept(plan: Plan) -> str:
    if plan.is_live:
        return "the formula in Orders does not keep it"
    if plan.left:
        return f"not kept while choosing whole lots: {', '.join(x.words for x in plan.left)}"
    return "the workbook's weights count it otherwise than the orders do"


def _reached(
    limits: Block | None, asset: _Asset, others: frozenset[str], rising: bool
) -> list[str]:
    """The limits within a lot of the bound that an asset runs into: its own, those of its
    groups, and those on the whole portfolio."""
    found = []
    for limit, _, after, low, high, *_ in () if limits is None else limits.rows[1:]:
        words = key(label_text(limit))
        group = next((t for t in asset.groups if words.startswith(f"{t} ")), None)
        own = words == asset.name or (
            group is not None and words == f"{group} {asset.groups[group]}")
        if not own and (group is not None or words in others):
            continue
        bounds = ([high] if rising else [low]) if own else [low, high]
        if any(isinstance(bound, (int, float)) and isinstance(after, (int, float))
               and abs(after - bound) <= asset.step + _ROUNDING for bound in bounds):
            found.append(label_text(limit))
    return found


# --- targets -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Asset:
    """name: folded; ordered, lot: the values of its order (0 for none) and of one lot, in money;
    step: the weight of a lot; groups: by folded title of Assets."""

    name: str
    ordered: float
    lot: float
    step: float
    groups: Mapping[str, str]


def _targets(book: Book, plan: Plan, limits: Block | None) -> Iterator[tuple[Cell, ...]]:
    target = VECTOR.decode(reading.sound(reading.required(book, "Weights")))
    wanted = {key(name): float(weight) for name, weight in target.items()}
    net = sum(plan.worth_before.values())
    ticket = _ticket(book)
    names = {**{key(name): str(name) for name in target.index}, **plan.spelled}
    others = frozenset(names)
    for asset in _assets(book, plan, names, net):
        weight = wanted.get(asset.name, 0.0)
        after = plan.worth_after.get(asset.name, 0.0) / net
        if abs(after - weight) > asset.step / 2 + _ROUNDING:
            reached = _reached(limits, asset, others, weight > after)
            yield ("Target", names[asset.name], weight, after,
                   _why(asset, (weight - after) * net, ticket, plan.cash_after, reached))


def _why(asset: _Asset, gap: float, ticket: float, cash: float, reached: list[str]) -> str:
    """Why its order does not go the rest of the way, ``gap`` in money."""
    if abs(asset.ordered + gap) < ticket:
        return f"its order would be {abs(asset.ordered + gap):,.2f}, and {ticket:,.2f} is the least"
    if gap > 0 and cash < asset.lot:
        return f"the cash left, {cash:,.2f}, does not buy a lot of {asset.lot:,.2f}"
    if reached:
        more = len(reached) - _MOST_NAMED
        return f"at a bound: {', '.join(reached[:_MOST_NAMED])}" + (
            f" and {more} more" if more > 0 else "")
    return "nearer here would be further away elsewhere"


def _ticket(book: Book) -> float:
    options = reading.table(book, "OrderOptions")
    value = 0.0 if options is None else OPTIONS.decode(reading.sound(options)).get("ticket", 0.0)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _assets(
    book: Book, plan: Plan, names: Mapping[str, str], net: float
) -> Iterator[_Asset]:
    """What is held or wanted and has a price, without cash."""
    holdings, assets = held.required(book), held.Table.read(book, "Assets")
    ordered = {key(order.asset): order.price for order in plan.orders}
    values = {key(order.asset): order.value for order in plan.orders}
    for name in names:
        row = None if assets is None else assets.rows.get(name)
        cells: dict[str, Cell] = {} if assets is None or row is None else {
            title: assets.block.rows[row][at] for title, at in assets.columns.items()}
        price: Cell = ordered.get(name)
        if name in holdings.rows:
            price = holdings.worth(holdings.rows[name])
        elif price is None:
            price = cells.get("price")
        if name == CASH or not isinstance(price, (int, float)):
            continue
        lot = cells.get("lot")
        value = float(price) * (float(lot) if isinstance(lot, (int, float)) else 1.0)
        yield _Asset(name, values.get(name, 0.0), value, value / net, {
            title: key(cell) for title, cell in cells.items()
            if isinstance(cell, str) and title != "asset"})


# --- sizes -------------------------------------------------------------------------------------

def _sizes(book: Book, plan: Plan) -> Iterator[tuple[Cell, ...]]:
    """Orders that take longer than a day at the share of its trading that one may be."""
    assets = reading.table(book, "Assets")
    volumes = None if assets is None else reading.column(assets, "ADV")
    if volumes is None:
        return
    share = participation(book)
    traded = {key(label_text(asset)): value for asset, value in volumes.rows[1:]
              if not is_blank(value)}
    net = sum(plan.worth_before.values())
    for order in plan.orders:
        volume = traded.get(key(order.asset))
        if not isinstance(volume, (int, float)) or abs(order.value) <= share * volume:
            continue
        before = plan.worth_before.get(key(order.asset), 0.0)
        in_a_day = min(abs(order.value), share * volume) * (1 if order.value > 0 else -1)
        how_long = (f"takes {abs(order.value) / (share * volume):,.4g} days" if share * volume > 0
                    else "never ends")
        yield ("Size", order.asset, plan.worth_after[key(order.asset)] / net,
               (before + in_a_day) / net, f"{how_long} at {share:.4g} of a day's trading")
