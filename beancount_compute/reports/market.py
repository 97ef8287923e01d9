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
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial

from beancount_compute.economy.roles import Pocket
from beancount_compute.economy.rounding import ZERO
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Movement, Trade
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.intervals import Interval, name_of
from beancount_compute.reports.tables import Column, Measure, Row

_UNIT, _CURRENCY = Column("commodity", "unit"), Column("currency", "currency")
_FIGURES = (
    Figure("trades", "trades", Measure.COUNT),
    Figure("units", "units", Measure.UNITS),
    Figure("gross", "gross", Measure.MONEY),
    Figure("price", "price", Measure.PRICE, ("exact", "units"), How.QUOTIENT),
    Figure("low", "low", Measure.PRICE, ("lowest",), How.LEAST),
    Figure("high", "high", Measure.PRICE, ("highest",), How.MOST),
    Figure("fees", "fees", Measure.MONEY),
    Figure("take_rate", "take\nrate", Measure.RATE, ("fees", "gross"), How.QUOTIENT),
    Figure("outstanding", "tokens\noutstanding", Measure.UNITS),
    Figure("turnover", "turnover", Measure.RATE, ("units", "outstanding"), How.QUOTIENT),
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
            (Column(title, title, Measure.DATE), _UNIT, _CURRENCY),
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
    to_outstanding = request.row is not None or not request.each
    tokens = _tokens(books, selection, request) if to_outstanding else []
    for table in _BY:
        if request.wants(table):
            of_rows: defaultdict[Row, list[Trade]] = defaultdict(list)
            for trade in trades:
                of_rows[_row(table, trade)].append(trade)
            for row, among in of_rows.items():
                undone = [_is_undone(books, trade, reversed_ids) for trade in among]
                of_row = _each if request.each else _added_up
                yield from of_row(table, row, among, undone)
            rows = set(of_rows)
            if request.row is not None:
                rows &= {request.row}
            if to_outstanding:
                yield from _outstanding(table, rows, tokens)


def _is_undone(books: Books, trade: Trade, reversed_ids: set[str]) -> bool:
    """Whether a trade is a reversal, or was reversed."""
    if trade.times < 0 or not reversed_ids:
        return trade.times < 0
    return str(books.transactions[trade.at].meta.get("event", "")) in reversed_ids


def _row(table: str, trade: Trade) -> Row:
    return (name_of(_BY[table], trade.date), trade.commodity, trade.currency)


def _each(table: str, row: Row, trades: list[Trade], undone: list[bool]) -> Iterator[Contribution]:
    for trade, is_undone in zip(trades, undone, strict=True):
        for _, _, column, number, _ in _added_up(table, row, [trade], [is_undone]):
            yield table, row, column, number, trade.at


def _added_up(
    table: str, row: Row, trades: list[Trade], undone: list[bool]
) -> Iterator[Contribution]:
    yield table, row, "trades", Decimal(sum([each.times for each in trades])), SUMMED
    yield table, row, "units", sum([each.units for each in trades], ZERO), SUMMED
    yield table, row, "gross", sum([each.gross for each in trades], ZERO), SUMMED
    yield table, row, "exact", sum([each.price * each.units for each in trades], ZERO), SUMMED
    fees = sum([each.seller_fee + each.buyer_fee for each in trades], ZERO)
    yield table, row, "fees", fees, SUMMED
    prices = [each.price for each, gone in zip(trades, undone, strict=True) if not gone]
    if prices:
        yield table, row, "lowest", min(prices), SUMMED
        yield table, row, "highest", max(prices), SUMMED


def _outstanding(table: str, rows: set[Row], tokens: list[Movement]) -> Iterator[Contribution]:
    """The tokens that are held at the end of each row's month or day."""
    rows_of: defaultdict[str, list[Row]] = defaultdict(list)  # by commodity, in order of time
    for row in sorted(rows):
        rows_of[str(row[1])].append(row)
    for commodity, its_rows in rows_of.items():
        yield from _held_after(table, commodity, its_rows, tokens)


def _tokens(books: Books, selection: Selection, request: Request) -> list[Movement]:
    """What changed how many tokens are held: each movement, or those of a day added up."""
    pocket = Pocket.TOKENS
    movements = [each for each in selection.movements(books) if each.pocket is pocket]
    return movements if request.each else _of_days(movements)


def _of_days(movements: Iterable[Movement]) -> list[Movement]:
    sums: dict[tuple[date, str], tuple[Movement, Decimal]] = {}
    for each in movements:
        key = (each.date, each.commodity)
        first, units = sums.get(key, (each, ZERO))
        sums[key] = (first, units + each.units)
    return [first._replace(units=units, at=SUMMED) for first, units in sums.values()]


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
