"""The market: what was traded between subscribers, at which prices, and what the operator earned.

    month    unit  currency  trades  units   gross  price   low  high  fees  take rate
    2026-06  CU    USD            1    500  125.00   0.25  0.25  0.25  6.25       0.05

The price is the average of the written prices by units, rounded half-even to 0.000001; take rate is
fees / gross, turnover units traded / tokens outstanding at the end of the month or day, both
rounded alike.

A reversed trade is taken out of trades, units, gross and fees on the day of its reversal, which is
no price. Price, low and high are those of the trades that stand on the selection's last day, as if
the others had not been; a row of whose trades none stands any more keeps the prices of those that
stood at its end, as the `price` directive of the day stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import accumulate

from beancount_compute.economy import ZERO, Pocket
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Movement, Trade
from beancount_compute.reports.figures import Contribution, Figure, How, Layout, Report, Request
from beancount_compute.reports.fold import grouped
from beancount_compute.reports.intervals import Interval, name_of
from beancount_compute.reports.tables import CURRENCY, UNIT, Column, Measure, Row

_FIGURES = (
    Figure("trades", "trades", Measure.COUNT),
    Figure("units", "units", Measure.UNITS),
    Figure("gross", "gross", Measure.MONEY),
    Figure("price", "price", Measure.PRICE, ("exact",), How.QUOTIENT, ("priced",)),
    Figure("low", "low", Measure.PRICE, ("lowest",), How.LEAST),
    Figure("high", "high", Measure.PRICE, ("highest",), How.MOST),
    Figure("fees", "fees", Measure.MONEY),
    Figure("take_rate", "take\nrate", Measure.RATE, ("fees",), How.QUOTIENT, ("gross",)),
    Figure("outstanding", "tokens\noutstanding", Measure.UNITS, adds_up=False),
    Figure("turnover", "turnover", Measure.RATE, ("units",), How.QUOTIENT, ("outstanding",), False),
)
_BY = {f"by-{interval}": interval for interval in Interval}


def market_by(*intervals: Interval) -> Report:
    """The report, with a table for each interval."""
    layouts = partial(_layouts, intervals)
    return Report("market", "The market between subscribers", layouts, _yield, of_sums=True)


def _layouts(intervals: tuple[Interval, ...], *_: object) -> list[Layout]:
    titles = {each: "date" if each is Interval.DAY else each.value for each in intervals}
    return [
        Layout(
            f"by-{interval}",
            f"Market by {interval}",
            (Column(title, title, Measure.DATE), UNIT, CURRENCY),
            _FIGURES,
        )
        for interval, title in titles.items()
    ]


def _yield(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    tokens: Sequence[Movement] = []
    if request.row is not None or not request.each:  # balances are of a row
        held = [each for each in selection.movements(books) if each.pocket is Pocket.TOKENS]
        tokens = request.fold(held, ("date", "commodity"), ("units",))
    among = selection.trades(books)
    undone = _undone(books, among)
    for table, interval in _BY.items():
        row_of = partial(_row_of, interval)
        of_rows = grouped(among if request.wants(table) else (), row_of)
        for row, trades in of_rows.items():
            yield from _booked(table, row, trades, request)
            yield from _prices(table, row, _priced(books, trades, among, undone), request)
        rows = [row for row in of_rows if request.row in (None, row)]
        yield from _outstanding(table, rows, tokens, request)


def _row_of(interval: Interval, trade: Trade) -> Row:
    return name_of(interval, trade.date), trade.commodity, trade.currency


def _booked(
    table: str, row: Row, trades: Sequence[Trade], request: Request
) -> Iterator[Contribution]:
    """What was traded, less what was reversed."""
    for part in [[each] for each in trades] if request.each else [trades]:
        at = part[0].at if request.each else SUMMED
        yield table, row, "trades", Decimal(sum([each.times for each in part])), at
        yield table, row, "units", sum([each.units for each in part], ZERO), at
        yield table, row, "gross", sum([each.gross for each in part], ZERO), at
        fees = sum([each.seller_fee + each.buyer_fee for each in part], ZERO)
        yield table, row, "fees", fees, at


def _prices(
    table: str, row: Row, trades: Sequence[Trade], request: Request
) -> Iterator[Contribution]:
    """The prices of trades: by units, the lowest and the highest."""
    for part in [[each] for each in trades] if request.each else filter(None, [trades]):
        at = part[0].at if request.each else SUMMED
        yield table, row, "exact", sum([each.price * each.units for each in part], ZERO), at
        yield table, row, "priced", sum([each.units for each in part], ZERO), at
        yield table, row, "lowest", min([each.price for each in part]), at
        yield table, row, "highest", max([each.price for each in part]), at


def _undone(books: Books, trades: Sequence[Trade]) -> set[str]:
    """The ids of the trades that some of these reverse."""
    return {
        str(books.transactions[each.at].meta.get("reverses", ""))
        for each in trades
        if each.times < 0
    }


def _priced(
    books: Books, trades: Sequence[Trade], among: Sequence[Trade], undone: set[str]
) -> list[Trade]:
    """The trades of a row that have a price: those that stand, or stood at the row's end."""
    bought = [each for each in trades if each.times > 0]
    if books.bulk is not None:
        return left_of(bought, among) or left_of(bought, trades)
    if not undone:
        return bought
    ids = [str(books.transactions[each.at].meta.get("event", "")) for each in bought]
    in_row = _undone(books, trades)
    for gone in (undone, in_row):
        stand = [each for each, name in zip(bought, ids, strict=True) if name not in gone]
        if stand:
            return stand
    return []


def left_of(bought: Sequence[Trade], among: Sequence[Trade]) -> list[Trade]:
    """Trades of a day and price together, less those that others undo, where these are no ones."""
    left: dict[tuple[object, ...], Trade] = {}
    for each in bought:
        key = _day_and_price(each, each.date)
        left[key] = _both(left[key], each) if key in left else each
    for each in among:
        if each.times < 0:
            key = _day_and_price(each, each.traded or each.date)
            if key in left:
                left[key] = _both(left[key], each)
    return [each for each in left.values() if each.times > 0]


def _day_and_price(trade: Trade, day: date) -> tuple[object, ...]:
    return day, trade.commodity, trade.currency, trade.price


def _both(one: Trade, other: Trade) -> Trade:
    return one._replace(units=one.units + other.units, times=one.times + other.times)


def _outstanding(
    table: str, rows: list[Row], tokens: Sequence[Movement], request: Request
) -> Iterator[Contribution]:
    """The tokens that are held at the end of each row's month or day."""
    for commodity in {each.commodity for each in tokens}:
        moved = [each for each in tokens if each.commodity == commodity]
        names = [name_of(_BY[table], each.date) for each in moved]
        held = list(accumulate([each.units for each in moved], initial=ZERO))
        for row in rows:
            name, of, _ = row
            until = bisect_right(names, str(name)) if of == commodity else 0
            if not request.each:
                yield table, row, "outstanding", held[until], SUMMED
                continue
            for each in moved[:until]:
                yield table, row, "outstanding", each.units, each.at


MARKET = market_by(Interval.MONTH, Interval.DAY)
