"""Rebalance: a preview of the orders, Apply, and Undo.

What Apply replaced is kept in the workbook itself, on a sheet that is not shown (portbal_undo), so
that Undo works after the workbook was closed and on another computer. It also says what the inputs
were then: as long as nobody changes one, there is nothing more to apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portbal.errors import ConflictError, InputError
from portbal.labels import key
from portbal_addin.block import Block, Cell, label_text
from portbal_addin.book import Area, Book, Changes, plain
from portbal_addin.macros import holdings as held
from portbal_addin.macros import orders, preview, reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.formulas import call_in
from portbal_addin.macros.orders import Plan, Replaced
from portbal_addin.macros.replay import call_of
from portbal_addin.macros.risk import limits_at
from portbal_addin.macros.writing import results, said, table_of

_UNDO_HEADER = ("Item", "Sheet", "Row", "Column", "Before", "After")
_APPLIED, _UNDONE = "applied", "undone"


@command(
    "rebalance", label="Preview rebalance", group="Rebalance", image="FindDialog", trades=True,
    needs=("ORDERS", "CHECKLIMITS"),
    tip="The orders from Holdings to Weights, before anything is changed.",
    about="Shows the orders with their reasons and costs (Orders), cash and turnover "
          "(RebalancePreview), the limits before and after (RebalanceLimits) and what cannot be "
          "done, with the reason (RebalanceOpen). Apply carries them out.",
)
def rebalance(book: Book) -> Changes:
    """Holdings, Weights, Cash -> Orders, RebalancePreview, RebalanceLimits, RebalanceOpen; Apply's
    writes."""
    last = _read_undo(book)
    if last is not None and last.state == _APPLIED and last.inputs == orders.typed(book):
        return Changes(
            "This rebalance is applied, and no input has changed since: nothing to do.",
            notes=("Change a price, a limit, a holding or a setting to rebalance again.",),
        )
    plan = orders.plan(book)
    stamp = orders.digest([orders.typed(book), orders.rows_of(plan.shown),
                           orders.rows_of(reading.required(book, "Weights"))])
    limits = _limits(book, plan)
    costs = preview.costs(book, plan)
    summary = _summary(plan, limits, costs.rows, stamp)
    still_open = preview.what_stays_open(book, plan, limits)
    shown = {"Orders": plan.shown} if not plan.is_live else {}
    written = results(book, {**shown, "RebalancePreview": summary,
                             **({"RebalanceLimits": limits} if limits else {}),
                             "RebalanceOpen": still_open})
    tables = [("Orders", plan.shown), ("Before and after", summary)]
    if limits is not None:
        tables.append(("Limits before and after", limits))
    tables.append(("What cannot be done", still_open))
    notes = (*plan.notes, *costs.notes, *said(written.live))
    if not plan.replaced:
        return Changes("No orders: the holdings are as near to the target as they can be.",
                       tuple(tables), (), written.writes, notes, stamp)
    kept = _undo_table(_APPLIED, stamp, orders.typed(book, plan.replaced), plan.replaced)
    return Changes(
        f"{len(plan.orders)} orders, costs {_costs(plan):,.2f}, cash left "
        f"{plan.cash_after:,.2f}{preview.told(still_open)}.",
        tuple(tables),
        (*orders.writes(plan.replaced), *results(book, {"portbal_undo": kept}).writes),
        written.writes, notes, stamp, _record(book, plan, limits, stamp),
    )


@command(
    "apply", label="Apply", group="Rebalance", image="AcceptInvitation", trades=True,
    needs=("ORDERS", "CHECKLIMITS"),
    tip="Carry the previewed orders out in this workbook.",
    about="Writes the new quantities to Holdings and what is left to Cash, and adds a sealed "
          "record to the journal. Sends nothing to a broker. Undo restores what was there. A "
          "preview that is out of date is shown again first.",
)
def apply(book: Book) -> Changes:
    """The same as the preview: hosts write it only where its preview has been shown."""
    return rebalance(book)


def previewed(book: Book) -> str:
    """The stamp of the preview that the workbook shows; empty where there is none."""
    block = reading.table(book, "RebalancePreview")
    for row in () if block is None else block.trimmed().rows:
        if row[0] == "Inputs" and len(row) > 2:
            return label_text(row[2])
    return ""


@command(
    "undo", label="Undo", group="Rebalance", image="Undo",
    tip="Restore what Apply replaced.",
    about="Puts Holdings and Cash back to what they were before the last Apply, also after the "
          "workbook was closed and opened, and adds a sealed record to the journal.",
)
def undo(book: Book) -> Changes:
    """portbal_undo -> the cells that Apply replaced, as they were."""
    last = _read_undo(book)
    if last is None:
        return Changes("There is nothing to undo: no rebalance was applied here.")
    if last.state == _UNDONE:
        return Changes("There is nothing to undo: the last rebalance is undone already.")
    sheets = {key(name) for name in book.sheets()}
    for cell in last.replaced:
        if key(cell.area.sheet) not in sheets:
            raise ConflictError(f"the sheet of {cell.area.text} is gone",
                                fix="Give the sheet its old name, then undo.")
        block = book.block(cell.area)
        now = block.rows[0][0]
        if plain(now, block.date1904) != plain(cell.after, block.date1904):
            raise ConflictError(
                f"{cell.area.text} holds {_told(now)}, and Apply wrote {_told(cell.after)}",
                fix=f"Put that back, then undo. Before Apply it was {_told(cell.before)}.",
            )
    kept = _undo_table(_UNDONE, last.stamp, last.inputs, last.replaced)
    return Changes(
        f"Undone: {len(last.replaced)} cells are as they were before Apply.",
        (("Restored", _restored(last.replaced)),),
        (*orders.writes(last.replaced, back=True), *results(book, {"portbal_undo": kept}).writes),
        record={"kind": "undo", "undoes": last.stamp,
                "replaced": [[c.area.text, _json(c.after), _json(c.before)]
                             for c in last.replaced]},
    )


# --- the preview -----------------------------------------------------------------------------

def _costs(plan: Plan) -> float:
    return sum(order.cost for order in plan.orders)


def _limits(book: Book, plan: Plan) -> Block | None:
    """Every limit before and after, both of net assets before trading, as ORDERS counts; None
    where the workbook has no limits."""
    if reading.table(book, "Limits") is None or reading.table(book, "Assets") is None:
        return None
    net = sum(plan.worth_before.values())
    before, after = (limits_at(book, held.weights(book, worth, plan.spelled, net))
                     for worth in (plan.worth_before, plan.worth_after))
    rows: list[tuple[Cell, ...]] = [
        (then[0], then[1], now[1], then[2], then[3], then[5], now[5])
        for then, now in zip(before.rows[1:], after.rows[1:], strict=True)
    ]
    return table_of(("Limit", "Before", "After", "Min", "Max", "Status before", "Status after"),
                    rows)


def _summary(
    plan: Plan, limits: Block | None, costs: tuple[tuple[Cell, ...], ...], stamp: str
) -> Block:
    bought = sum(o.value for o in plan.orders if o.value > 0)
    sold = -sum(o.value for o in plan.orders if o.value < 0)
    net, net_after = sum(plan.worth_before.values()), sum(plan.worth_after.values())
    rows: list[tuple[Cell, ...]] = [
        ("Net assets", net, net_after),
        ("Cash", plan.cash_before, plan.cash_after),
        ("Orders", None, float(len(plan.orders))),
        ("Bought", None, bought),
        ("Sold", None, sold),
        ("Costs", None, _costs(plan)),
        *costs,
        ("Traded, half of it, of net assets", None, (bought + sold) / 2 / net if net else 0.0),
    ]
    if limits is not None:
        rows.append(("Limits breached", *(float(sum(row[at] == "breach" for row in limits.rows))
                                          for at in (5, 6))))
    return table_of(("Item", "Before", "After"), [*rows, ("Inputs", None, stamp[:16])])


def _record(book: Book, plan: Plan, limits: Block | None, stamp: str) -> Mapping[str, Any]:
    """What the journal keeps: the call that gave the orders, the orders, and what they changed.

    inputs are the tables by name, where Orders is a formula whose arguments are not plain to
    see. stamp is the digest of everything typed and of the orders.
    """
    call = _call(book, plan)
    names = ("Holdings", "Weights", "Cash", "Limits", "Assets", "OrderOptions")
    return {
        "kind": "apply", "stamp": stamp,
        **({"call": call} if call else {
            "inputs": {name: orders.rows_of(reading.table(book, name)) for name in names}}),
        "orders": orders.rows_of(plan.shown), "orders are a formula": plan.is_live,
        "limits": orders.rows_of(limits), "proof": dict(plan.proof), "notes": list(plan.notes),
        "cash": [plan.cash_before, plan.cash_after],
        "replaced": [[c.area.text, _json(c.before), _json(c.after)] for c in plan.replaced],
    }


def _call(book: Book, plan: Plan) -> Mapping[str, Any] | None:
    if not plan.is_live:
        return call_of("ORDERS", tuple(plan.given.values()))
    area = book.find("Orders")
    found = None if area is None else call_in(book, book.formulas(area)[0][0])
    return call_of(*found) if found is not None and found[0] == "ORDERS" else None


def _json(cell: Cell) -> Any:
    return orders.rows_of(Block.of(cell))[0][0]  # type: ignore[index]


def _told(cell: Cell) -> str:
    return "nothing" if cell is None else label_text(cell)


# --- what Undo needs -------------------------------------------------------------------------

@dataclass(frozen=True)
class _Last:
    """The last Apply: inputs is the digest of what was typed once it was done."""

    state: str
    stamp: str
    inputs: str
    replaced: tuple[Replaced, ...]


def _undo_table(state: str, stamp: str, inputs: str, replaced: tuple[Replaced, ...]) -> Block:
    rows: list[tuple[Cell, ...]] = [
        (item, None, None, None, None, value)
        for item, value in (("state", state), ("stamp", stamp), ("inputs", inputs))
    ]
    rows += [("cell", c.area.sheet, float(c.area.row), float(c.area.column), c.before, c.after)
             for c in replaced]
    return table_of(_UNDO_HEADER, rows)


def _read_undo(book: Book) -> _Last | None:
    block = reading.table(book, "portbal_undo")
    if block is None:
        return None
    said: dict[str, str] = {}
    cells = []
    for item, sheet, row, column, before, after in block.rows[1:]:
        if item == "cell":
            if not isinstance(row, (int, float)) or not isinstance(column, (int, float)):
                raise InputError("portbal_undo has been changed by hand",
                                 fix="Restore the workbook from a copy.")
            cells.append(Replaced(Area(label_text(sheet), int(row), int(column)), before, after))
        elif item is not None:
            said[label_text(item)] = label_text(after)
    return _Last(said.get("state", ""), said.get("stamp", ""), said.get("inputs", ""),
                 tuple(cells))


def _restored(replaced: tuple[Replaced, ...]) -> Block:
    rows: list[tuple[Cell, ...]] = [(c.area.text, c.after, c.before) for c in replaced]
    return table_of(("Cell", "Was", "Is"), rows)
