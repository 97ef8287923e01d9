"""Open lots: what is held, when it ends, and what it is worth.

    ends     unit  currency  days left  units  carrying amount  market value
    2026-07  CU    USD              11   1000           200.00        250.00
    2027-06  CU    USD             346    400            80.00        100.00

As of the last day of the selection, or of the books where it names none; never of the clock. A lot
ends on the first day on which it is no longer usable, so on its last day one day is left. Market
value is units x the last price on or before the day, in the currency that the lot cost; none where
there is no such price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from beancount_compute.economy.months import Month
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, LotKey, Movement
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.tables import Column, Measure, Row

NO_END = "no end"
_DAYS = Figure("days_left", "days\nleft", Measure.DAYS, how=How.LEAST)
_FIGURES = (
    Figure("units", "units", Measure.UNITS),
    Figure("carrying_amount", "carrying\namount", Measure.MONEY),
    Figure("market_value", "market\nvalue", Measure.MONEY, how=How.KNOWN),
)
_UNIT, _CURRENCY = Column("commodity", "unit"), Column("currency", "currency")
LOT_LABELS = (
    Column("ends", "ends", Measure.DATE),
    Column("plan", "plan"),
    Column("vintage", "lot of", Measure.DATE),
    Column("unit_cost", "unit cost"),
    _CURRENCY,
    _UNIT,
)
Added = tuple[Decimal, Decimal, int]  # units, their carrying amount, and by which transaction


def _layouts(*_: object) -> list[Layout]:
    months = (Column("ends", "ends", Measure.DATE), _UNIT, _CURRENCY)
    return [
        Layout("by-month", "Open lots by month of their end", months, (_DAYS, *_FIGURES)),
        Layout("lots", "Open lots", LOT_LABELS, (_DAYS, *_FIGURES)),
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    day = selection.day_of(books)
    open_ones = open_lots if request.each else _open_lots_added_up
    for commodity, lot, added in open_ones(selection.movements(books)):
        price = books.price_on(day, commodity, lot.currency)
        month = Month.of(lot.end).name if lot.end else NO_END
        for table, row in (
            ("by-month", (month, commodity, lot.currency)),
            ("lots", lot_labels(lot, commodity)),
        ):
            if lot.end is not None:
                yield table, row, "days_left", Decimal((lot.end - day).days), added[0][2]
            yield from of_lot(table, row, added, price)


def of_lot(
    table: str, row: Row, added: list[Added], price: Decimal | None
) -> Iterator[Contribution]:
    """What was added to a lot, as units, carrying amount and market value."""
    for units, amount, at in added:
        yield table, row, "units", units, at
        yield table, row, "carrying_amount", amount, at
        if price is not None:
            yield table, row, "market_value", units * price, at


def lot_labels(lot: LotKey, commodity: str) -> Row:
    """The labels of a lot's row."""
    end = str(lot.end) if lot.end else NO_END
    return (end, lot.origin, str(lot.date), lot.cost, lot.currency, commodity)


def open_lots(movements: Iterable[Movement]) -> Iterator[tuple[str, LotKey, list[Added]]]:
    """The lots of which units are left, whoever holds them, with what each movement added."""
    found: defaultdict[tuple[str, int], list[Movement]] = defaultdict(list)
    for movement in movements:
        found[movement.commodity, id(movement.lot)].append(movement)
    for of_lot in found.values():
        if sum([each.units for each in of_lot]):
            added = [(each.units, each.amount, each.at) for each in of_lot]
            yield of_lot[0].commodity, of_lot[0].lot, added


def _open_lots_added_up(
    movements: Iterable[Movement],
) -> Iterator[tuple[str, LotKey, list[Added]]]:
    """The same, with what was added in sum."""
    found: dict[tuple[str, int], tuple[LotKey, list[Decimal]]] = {}
    for _, _, _, _, _, _, commodity, units, _, amount, lot, _, _, _ in movements:
        key = (commodity, id(lot))
        known = found.get(key)
        if known is None:
            found[key] = (lot, [units, amount])
        else:
            _, sums = known
            sums[0] += units
            sums[1] += amount
    for (commodity, _), (lot, (units, amount)) in found.items():
        if units:
            yield commodity, lot, [(units, amount, SUMMED)]


LOTS = Report("lots", "Open lots by expiry", _layouts, _contributions)
