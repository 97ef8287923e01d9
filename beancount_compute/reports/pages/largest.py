"""The largest trades of some days, each with the place of its transaction.

date        event  seller  buyer  units   price   gross   fees
2026-06-10  t-9    alice   bob      500    0.25  125.00   6.25
"""

from __future__ import annotations

from beancount_compute.economy.rounding import decimals_of, trim
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import Trade
from beancount_compute.reports.tables import Cell, Column, Kind, Table

COLUMNS = (
    Column("date", "date", Kind.DATE),
    Column("event", "event"),
    Column("seller", "seller"),
    Column("buyer", "buyer"),
    Column("commodity", "unit"),
    Column("currency", "currency"),
    Column("units", "units", Kind.UNITS),
    Column("price", "price", Kind.PRICE),
    Column("gross", "gross", Kind.MONEY),
    Column("fees", "fees", Kind.MONEY),
)


def largest_trades(books: Books, selection: Selection, most: int) -> tuple[Table, list[int]]:
    """The largest by gross, the earliest first among equals; reversals apart, and their places."""
    trades = [each for each in selection.trades(books) if each.times > 0]
    trades.sort(key=lambda each: (-each.gross, each.at))
    kept = trades[:most]
    rows = [_row(books, each) for each in kept]
    return Table("Largest trades", COLUMNS, rows, "largest"), [each.at for each in kept]


def _row(books: Books, trade: Trade) -> tuple[Cell, ...]:
    decimals = decimals_of(trade.currency)
    return (
        str(trade.date),
        str(books.transactions[trade.at].meta.get("event", "")),
        trade.seller,
        trade.buyer,
        trade.commodity,
        trade.currency,
        trim(trade.units, 0),
        trim(trade.price, decimals),
        trim(trade.gross, decimals),
        trim(trade.seller_fee + trade.buyer_fee, decimals),
    )
