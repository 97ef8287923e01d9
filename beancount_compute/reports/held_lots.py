"""Open lots: what is held, when it ends, and what it is worth.

    ends     unit  currency  days left  units  carrying amount  market value
    2026-07  CU    USD              11   1000           200.00
    2027-06  CU    USD             346    400            80.00        100.00

As of the last day of the selection, or of the books where it names none; never of the clock. A lot
ends on the first day on which it is no longer usable, so on its last day one day is left. Market
value is that of tokens: units x the last price on or before the day, in the currency that the lot
cost; none where there is no such price, and of allocations, which nobody can sell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import attrgetter

from beancount_compute.economy import Month, Pocket
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, LotKey, Movement
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    How,
    Layout,
    NotSummed,
    Report,
    Request,
)
from beancount_compute.reports.fold import fold
from beancount_compute.reports.remaining import NO_END
from beancount_compute.reports.tables import CURRENCY, PLAN, UNIT, Column, Measure, Row

_ENDS = Column("ends", "ends", Measure.DATE)
LOT_LABELS = (
    _ENDS,
    PLAN,
    Column("vintage", "lot of", Measure.DATE),
    Column("unit_cost", "unit cost"),
    CURRENCY,
    UNIT,
)
LOT_FIGURES = (
    Figure("units", "units", Measure.UNITS),
    Figure("carrying_amount", "carrying\namount", Measure.MONEY),
    Figure("market_value", "market\nvalue", Measure.MONEY, how=How.KNOWN),
)
_FIGURES = (
    Figure("days_left", "days\nleft", Measure.DAYS, how=How.LEAST, adds_up=False),
    *LOT_FIGURES,
)


def _layouts(*_: object) -> list[Layout]:
    by_month = (_ENDS, UNIT, CURRENCY)
    return [
        Layout("by-month", "Open lots by month of their end", by_month, _FIGURES),
        Layout("lots", "Open lots", LOT_LABELS, _FIGURES),
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    day = selection.day_of(books)
    days_left: dict[tuple[str, Row], int] = {}
    for each in _held(books, selection, request):
        lot = each.lot
        month = Month.of(lot.end).name if lot.end else NO_END
        for table, row in (
            ("by-month", (month, each.commodity, lot.currency)),
            ("lots", lot_labels(each)),
        ):
            yield from of_lot(books, selection, table, row, each)
            if lot.end is not None:
                days = (lot.end - day).days
                days_left[table, row] = min(days, days_left.get((table, row), days))
    for (table, row), days in days_left.items():
        yield table, row, "days_left", Decimal(days), SUMMED


def _held(books: Books, selection: Selection, request: Request) -> Sequence[Movement]:
    """What was moved of open lots; of months in bulk their balances, which no entries add up to."""
    if books.bulk is None:
        return open_lots(selection.movements(books), request)
    if request.each:
        raise NotSummed(f"lots of {books.bulk.names} stand in lots.parquet, and in no transactions")
    found = books.bulk.lots_at(selection.day_of(books))
    return [each for each in found if selection.plan in ("", each.origin)]


def of_lot(
    books: Books, selection: Selection, table: str, row: Row, moved: Movement
) -> Iterator[Contribution]:
    """What a movement of a lot adds, as units, carrying amount and market value."""
    yield table, row, "units", moved.units, moved.at
    yield table, row, "carrying_amount", moved.amount, moved.at
    price = books.price_on(selection.day_of(books), moved.commodity, moved.lot.currency)
    if price is not None and moved.pocket is Pocket.TOKENS:
        yield table, row, "market_value", moved.units * price, moved.at


def lot_labels(moved: Movement) -> Row:
    """The labels of a lot's row."""
    lot: LotKey = moved.lot
    end = str(lot.end) if lot.end else NO_END
    return (end, lot.origin, str(lot.date), lot.cost, lot.currency, moved.commodity)


def open_lots(
    movements: Sequence[Movement], request: Request, by: tuple[str, ...] = ()
) -> Sequence[Movement]:
    """What was moved of the lots of which units are left, whoever holds them.

    `by` names what tells lots apart besides.
    """
    sums = fold(movements, ("commodity", "lot", "pocket", *by), ("units", "amount"))
    held = [each for each in sums if each.units]
    if not request.each:
        return held
    lot_of = attrgetter("commodity", "lot", "pocket", *by)
    still_open = set(map(lot_of, held))
    return [each for each in movements if lot_of(each) in still_open]


LOTS = Report("lots", "Open lots by expiry", _layouts, _contributions, of_sums=True)
