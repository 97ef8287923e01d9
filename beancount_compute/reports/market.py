"""The market: what was traded between subscribers, at which prices, and what the operator earned.

    month    unit  currency  trades  units   gross  price   low  high  fees  take rate
    2026-06  CU    USD            1    500  125.00   0.25  0.25  0.25  6.25       0.05

The price is the average of the written prices by units, rounded half-even to 0.000001; take rate is
fees / gross, turnover units traded / tokens outstanding at the end of the month or day, both
rounded alike. A reversed trade is taken out on the day of its reversal; it never counts for low and
high.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from beancount_compute.economy.lots import Pocket
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Movement, Trade
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
    Row,
)
from beancount_compute.reports.intervals import Interval, name_of
from beancount_compute.reports.tables import Column, Kind

_UNIT, _CURRENCY = Column("commodity", "unit"), Column("currency", "currency")
_FIGURES = (
    Figure("trades", "trades", Kind.COUNT),
    Figure("units", "units", Kind.UNITS),
    Figure("gross", "gross", Kind.MONEY),
    Figure("price", "price", Kind.PRICE, ("exact", "units"), How.QUOTIENT),
    Figure("low", "low", Kind.PRICE, ("lowest",), How.LEAST),
    Figure("high", "high", Kind.PRICE, ("highest",), How.MOST),
    Figure("fees", "fees", Kind.MONEY),
    Figure("take_rate", "take\nrate", Kind.RATE, ("fees", "gross"), How.QUOTIENT),
    Figure("outstanding", "tokens\noutstanding", Kind.UNITS),
    Figure("turnover", "turnover", Kind.RATE, ("units", "outstanding"), How.QUOTIENT),
)
_BY = {f"by-{interval}": interval for interval in Interval}


def market_by(*intervals: Interval) -> Report:
    """The report, with a table for each interval."""
    return Report("market", "The market between subscribers", partial(_layouts, intervals), _yield)


def _layouts(intervals: tuple[Interval, ...], *_: object) -> list[Layout]:
    titles = {each: "date" if each is Interval.DAY else each.value for each in intervals}
    return [
        Layout(
            f"by-{interval}",
            f"Market by {interval}",
            (Column(title, title, Kind.DATE), _UNIT, _CURRENCY),
            _FIGURES,
        )
        for interval, title in titles.items()
    ]


def _yield(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    trades = selection.trades(books)
    reversed_ids = {
        str(books.transactions[each.at].meta.get("reverses", ""))
        for each in books.trades
        if each.times < 0
    }
    for table in _BY:
        if request.wants(table):
            for trade in trades:
                event = str(books.transactions[trade.at].meta.get("event", ""))
                undone = trade.times < 0 or event in reversed_ids
                yield from _of_trade(table, trade, undone=undone)
            rows = {_row(table, trade) for trade in trades}
            if request.row is not None:
                rows &= {request.row}
            if request.row is not None or not request.each:
                yield from _outstanding(table, rows, selection, books, request)


def _row(table: str, trade: Trade) -> Row:
    return (name_of(_BY[table], trade.date), trade.commodity, trade.currency)


def _of_trade(table: str, trade: Trade, *, undone: bool) -> Iterator[Contribution]:
    row, at = _row(table, trade), trade.at
    yield table, row, "trades", Decimal(trade.times), at
    yield table, row, "units", trade.units, at
    yield table, row, "gross", trade.gross, at
    yield table, row, "exact", trade.price * trade.units, at
    yield table, row, "fees", trade.seller_fee + trade.buyer_fee, at
    if not undone:
        yield table, row, "lowest", trade.price, at
        yield table, row, "highest", trade.price, at


def _outstanding(
    table: str, rows: set[Row], selection: Selection, books: Books, request: Request
) -> Iterator[Contribution]:
    """The tokens that are held at the end of each row's month or day."""
    rows_of: defaultdict[str, list[Row]] = defaultdict(list)  # by commodity, in order of time
    for row in sorted(rows):
        rows_of[str(row[1])].append(row)
    movements = [
        each
        for each in selection.movements(books, each=request.each)
        if each.pocket is Pocket.TOKENS
    ]
    for commodity, its_rows in rows_of.items():
        yield from _held_after(table, commodity, its_rows, movements)


def _held_after(
    table: str, commodity: str, rows: list[Row], movements: list[Movement]
) -> Iterator[Contribution]:
    of_commodity = [each for each in movements if each.commodity == commodity]
    held, done = Decimal(), 0
    single = len(rows) == 1
    for row in rows:
        last = str(row[0])
        while done < len(of_commodity):
            each = of_commodity[done]
            if name_of(_BY[table], each.date) > last:
                break
            if single:
                yield table, row, "outstanding", each.units, each.at
            held += each.units
            done += 1
        if not single:
            yield table, row, "outstanding", held, SUMMED


MARKET = market_by(Interval.MONTH, Interval.DAY)
