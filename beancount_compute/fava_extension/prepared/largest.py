"""The trades of some days, the largest first, each with the place of its transaction.

date        event  seller  buyer  units   price   gross   fees
2026-06-10  t-9    alice   bob      500    0.25  125.00   6.25
"""

from __future__ import annotations

from typing import NamedTuple

from beancount_compute.economy.rounding import decimals_of, trim
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import Trade
from beancount_compute.reports.tables import Cell, Column, Measure, Table

COLUMNS = (
    Column("date", "date", Measure.DATE),
    Column("event", "event"),
    Column("seller", "seller"),
    Column("buyer", "buyer"),
    Column("commodity", "unit"),
    Column("currency", "currency"),
    Column("units", "units", Measure.UNITS),
    Column("price", "price", Measure.PRICE),
    Column("gross", "gross", Measure.MONEY),
    Column("fees", "fees", Measure.MONEY),
)


class Trades(NamedTuple):
    """Some of the trades, the places of their transactions, and how many there are in all."""

    table: Table
    places: list[int]
    found: int


def largest_trades(books: Books, selection: Selection, most: int, page: int = 1) -> Trades:
    """A page of the trades by gross, the earliest first among equals; without reversals.

    A page behind the last is the last.
    """
    trades = [each for each in selection.trades(books) if each.times > 0]
    trades.sort(key=lambda each: (-each.gross, each.at))
    page = min(page, max(1, -(-len(trades) // most)))
    kept = trades[(page - 1) * most : page * most]
    rows = [_row(books, each) for each in kept]
    table = Table("Trades, the largest first", COLUMNS, rows, "largest")
    return Trades(table, [each.at for each in kept], len(trades))


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
