"""What trades are paid with: a plan for cash flows, tax lots, and futures in their place."""

from __future__ import annotations

from portbal.errors import InputError
from portbal.labels import key
from portbal_addin.block import Block, Cell, is_blank, label_text
from portbal_addin.book import Book, Changes
from portbal_addin.codecs.cells import number
from portbal_addin.macros import holdings as held
from portbal_addin.macros import reading
from portbal_addin.macros.commands import command
from portbal_addin.macros.protection import participation, with_volumes
from portbal_addin.macros.writing import results, said, table_of
from portbal_addin.registry import Problem, find

_TAX_OPTIONS = ("method", "short rate", "long rate")
_HEDGE_DAYS = 63.0  # where the workbook has no name HedgeDays


@command(
    "cash plan", label="Cash plan", group="Rebalance", image="CalendarInsert",
    needs=("CASHPLAN",),
    tip="What pays each of the Flows: cash first, then which sales.",
    about="Writes CashPlan: from the day of the newest prices on cash pays first, then sales "
          "within a day's trading, the cheapest first. Needs Flows (Date, Flow) and the column ADV "
          "of Assets; Cost of Assets, Participation and Settlement are used where they are there.",
)
def cash_plan(book: Book) -> Changes:
    """Holdings, Prices, Cash, Assets, Flows, Participation, Settlement -> CashPlan."""
    flows = reading.sound(reading.required(book, "Flows"))
    assets = with_volumes(book)
    table, day = held.newest(book)
    given = (held.with_cash(book, table).block, assets, flows, Block.of(participation(book)),
             None if day is None else Block.of(day), Block.of(
                 reading.number(book, "Settlement", 0.0)))
    result = find("CASHPLAN").invoke(*given)
    if isinstance(result, Problem) and result.argument == "start":
        raise InputError(
            f"Flows begin before the newest prices, which are of {day:%Y-%m-%d}",
            fix="Take out the flows that are done, or bring Prices up to date.")
    answer = reading.answer(result)
    planned = Block.of([(day, flow, left, raised) for day, flow, raised, left in answer.block.rows])
    written = results(book, {"CashPlan": planned})
    count = planned.height - 1
    return Changes(
        f"{count} flow{'s' if count != 1 else ''} paid, and then "
        f"{number(planned, count, 2):,.2f} of cash left.",
        (("Cash plan", planned),), written.writes, notes=(*answer.notes, *said(written.live)),
    )


@command(
    "tax lots", label="Tax lots", group="Rebalance", image="AccountingFormat",
    needs=("TAXLOTS",),
    tip="Which lots the sales take, and the gain on each.",
    about="Writes LotSales from TaxLots (Lot, Asset, Date, Quantity, Cost) and Sells (Asset, Date, "
          "Quantity, Price); without Sells the sales of Orders at the newest prices. TaxOptions "
          "chooses fifo, lifo, hifo or mintax and the rates; notes have the tax and wash sales.",
)
def tax_lots(book: Book) -> Changes:
    """TaxLots, Sells or Orders, Prices, TaxOptions -> LotSales."""
    lots = reading.sound(reading.required(book, "TaxLots"))
    options = reading.options(book, "TaxOptions", _TAX_OPTIONS)
    sells = reading.table(book, "Sells")
    of = "Sells" if sells is not None else "Orders"
    sells = _sells_of_orders(book) if sells is None else reading.sound(sells)
    if sells.trimmed().height < 2:
        return Changes(f"{of} sells nothing.")
    answer = reading.call("TAXLOTS", lots, sells, options.get("method"),
                          options.get("short rate"), options.get("long rate"))
    written = results(book, {"LotSales": answer.block})
    gains = [number(answer.block, row, 3) for row in range(1, answer.block.height)]
    return Changes(
        f"The sales of {of} take {len(gains)} lots, with a gain of {sum(gains):,.2f}.",
        (("Lots sold", answer.block),), written.writes, notes=(*answer.notes, *said(written.live)),
    )


def _sells_of_orders(book: Book) -> Block:
    """Asset, Date, Quantity, Price of what Orders sells, at the newest prices and their date."""
    orders = reading.table(book, "Orders")
    if orders is None:
        raise InputError(
            "there is no table Sells, and no Orders whose sales could be taken",
            fix="Preview a rebalance, or give the name Sells to a range with the header Asset, "
                "Date, Quantity, Price.")
    orders = reading.sound(orders).trimmed()
    if orders.height < 2:
        return table_of(("Asset", "Date", "Quantity", "Price"), [])
    sold = reading.column(orders, "Quantity")
    if sold is None:
        raise InputError("Orders has no column Quantity", fix="Preview a rebalance again.")
    table, day = held.newest(book)
    if day is None:
        raise InputError(
            "there is no table Sells, and no Prices whose date the sales of Orders could have",
            fix="Give the name Sells to a range with the header Asset, Date, Quantity, Price.")
    rows: list[tuple[Cell, ...]] = []
    for at in range(1, sold.height):
        asset, quantity = sold.rows[at][0], number(sold, at, 1)
        if quantity < 0:
            row = table.rows.get(key(label_text(asset)))
            if row is None:
                raise InputError(f"Orders sells {label_text(asset)}, which Holdings lacks",
                                 fix="Preview a rebalance again.")
            rows.append((asset, day, -quantity, table.worth(row)))
    return table_of(("Asset", "Date", "Quantity", "Price"), rows)


@command(
    "hedge", label="Hedge", group="Rebalance", image="Consolidate", needs=("HEDGE",),
    tip="Futures in place of trades, and until when they are cheaper.",
    about="Writes Hedge: the whole contracts of Futures (Contract, Asset or group, Multiplier, "
          "Price, Margin, Cost, Beta) that bring the holdings nearest to Weights, with margin and "
          "what stays open. With the column Cost of Assets it is compared with trading.",
)
def hedge(book: Book) -> Changes:
    """Holdings, Prices, Cash, Weights, Futures, Assets, HedgeDays -> Hedge."""
    futures = reading.sound(reading.required(book, "Futures"))
    target = reading.sound(reading.required(book, "Weights"))
    table, _ = held.newest(book)
    answer = reading.call(
        "HEDGE", held.with_cash(book, table).block, target, futures,
        reading.table(book, "Assets"), reading.number(book, "HedgeDays", _HEDGE_DAYS))
    written = results(book, {"Hedge": answer.block})
    contracts = [row for row in answer.block.rows[1:] if not is_blank(row[1]) and row[1]]
    return Changes(
        f"{len(contracts)} of {answer.block.height - 1} futures are traded.",
        (("Hedge", answer.block),), written.writes, notes=(*answer.notes, *said(written.live)),
    )
