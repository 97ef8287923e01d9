"""The two bills beside the price: what a unit earns, what it costs, and when that is even.

    month    unit  currency  units  price  first  second  both  price-first  price-both
    2026-05  CU    USD          80   1.20   1.00    0.00  1.00         0.20        0.20
    2026-06  CU    USD          50   1.20   0.40    2.00  2.40         0.80       -1.20

Of the uses that a provider serves. The price is what their units earned, overage among it; the
first bill what they cost; the second all that capacity cost, also what of it stood idle. Where a
unit earns in one currency and costs in another, each has its row and nothing is compared.

Break-even units: as many as pay for the second bill at the month's price and first bill, 100.00 /
(1.20 - 0.40) = 125; none where the price doesn't cover the first. The break-even price is what
both bills are for the units that were served.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from beancount_compute.economy import Earning
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.margin import of_selection
from beancount_compute.reports.served_facts import BillShare, ServedUnits, ShareOf
from beancount_compute.reports.tables import CURRENCY, MONTH, UNIT, Measure, Row

_ONE = Decimal(1)
_new = tuple.__new__
_QUOTIENT = How.QUOTIENT
_LABELS = (MONTH, UNIT, CURRENCY)
_EVEN = ("compared",)  # units of rows in which price and both bills are in one currency
_BY_USE = (Earning.COMPUTE, Earning.OVERAGE)
_OF_UNITS = (ShareOf.USE, ShareOf.ROUNDING, ShareOf.IDLE)


def _a_unit(key: str, title: str, of: tuple[str, ...], over: str = "compared") -> Figure:
    return Figure(key, title, Measure.PRICE, of, _QUOTIENT, (over,))


_FIGURES = (
    Figure("units", "units", Measure.UNITS),
    _a_unit("price", "price", ("earned",), "priced"),
    _a_unit("first", "first\nbill", ("first",), "costed"),
    _a_unit("second", "second\nbill", ("second",), "borne"),
    _a_unit("both", "both\nbills", ("first", "second")),
    _a_unit("above_first", "price\n- first", ("earned", "-first")),
    _a_unit("above_second", "price\n- second", ("earned", "-second")),
    _a_unit("above_both", "price\n- both", ("earned", "-first", "-second")),
)
_BREAK_EVEN = (
    Figure("units", "units", Measure.UNITS),
    Figure(
        "break_even_units",
        "break-even\nunits",
        Measure.UNITS,
        ("second_by_units",),
        _QUOTIENT,
        ("left_by_first",),
    ),
    _a_unit("price", "price", ("earned",), "priced"),
    _a_unit("break_even_price", "break-even\nprice", ("first", "second")),
)
_IDLE = Figure("idle_share", "idle\nshare", Measure.RATE, ("idle",), _QUOTIENT, ("can_serve",))


class UnitPart(NamedTuple):
    """What a use, an income or a bill adds to a month."""

    month: str
    commodity: str
    currency: str
    what: str
    number: Decimal
    at: int

    @property
    def row(self) -> Row:
        """The labels of its row."""
        return (self.month, self.commodity, self.currency)


def two_bills(wished: Decimal | None = None) -> Report:
    """The report; `wished` is the margin after both bills that a price is asked for, below 1."""
    contributions = partial(_contributions, wished)
    layouts = partial(_layouts, wished)
    return Report("bills", "Price and both bills, a unit", layouts, contributions, of_sums=True)


def _layouts(wished: Decimal | None, *_: object) -> list[Layout]:
    asked: tuple[Figure, ...] = ()
    if wished is not None:
        asked = (_a_unit("wished_price", f"price at\n{wished:f}", ("first", "second"), "paying"),)
    even = (*_BREAK_EVEN, *asked, _IDLE)
    return [
        Layout("unit", "Price and both bills, a unit, by month", _LABELS, _FIGURES, adds_up=False),
        Layout("break-even", "Break-even, by month", _LABELS, even, adds_up=False),
    ]


def _contributions(
    wished: Decimal | None, books: Books, selection: Selection, request: Request
) -> Iterator[Contribution]:
    by = ("month", "commodity", "currency", "what")
    parts = request.fold(list(_parts(books, selection)), by, ("number",))
    sums: defaultdict[Row, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for part in parts:
        sums[part.row][part.what] += part.number
    for part in parts:
        for what, number in _adding(part, sums[part.row], wished):
            for table in request.tables:
                yield table, part.row, what, number, part.at


def _adding(
    part: UnitPart, of_row: Mapping[str, Decimal], wished: Decimal | None
) -> Iterator[tuple[str, Decimal]]:
    """What a part adds to which columns, by what its row is in all."""
    what, number = part.what, part.number
    yield what, number
    units = of_row["priced"]
    if not units or units != of_row["costed"] or units != of_row["borne"]:
        return  # not all of it is in this currency
    if what == "priced":
        yield "compared", number
        if wished is not None:
            yield "paying", number * (_ONE - wished)
    if of_row["earned"] - of_row["first"] > 0:
        if what == "second":
            yield "second_by_units", number * units
        elif what in ("earned", "first"):
            yield "left_by_first", number if what == "earned" else -number


def _parts(books: Books, selection: Selection) -> Iterator[UnitPart]:
    if not books.terms.meters:
        return  # nobody is named to serve anything
    shares = books.bill_shares
    costed, borne = _currencies(shares.first), _currencies(shares.second)
    for at, units in enumerate(books.serving.served):
        if units.provider and of_selection(units, selection):
            yield from _of_units(units, costed[at], borne[at])
    for income, _, provider, commodity in selection.incomes_by_meter(books):
        if provider and income.earning in _BY_USE:
            of = (income.month, commodity, income.currency)
            yield _new(UnitPart, (*of, "earned", income.amount, income.at))
    for what, found in (("first", shares.first), ("second", shares.second)):
        for share in found:
            if share.line in _OF_UNITS and of_selection(share, selection):
                of = (share.month, share.commodity, share.currency)
                yield _new(UnitPart, (*of, what, share.amount, share.at))
    if not (selection.subscriber or selection.plan):
        for idle in shares.idle:
            if selection.covers(idle.date):
                of = (idle.month, idle.commodity, idle.currency)
                yield UnitPart(*of, "idle", idle.units, idle.at)
                yield UnitPart(*of, "can_serve", idle.can_serve, idle.at)


def _currencies(shares: Iterable[BillShare]) -> defaultdict[int, set[str]]:
    """In which currencies the bill of each use is."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for share in shares:
        found[share.use].add(share.currency)
    return found


def _of_units(units: ServedUnits, costed: set[str], borne: set[str]) -> Iterator[UnitPart]:
    """The units in the rows of all their currencies; what costs nothing does so in its price's."""
    earned = {units.currency} if units.currency else costed or borne
    parts = {"priced": earned, "costed": costed or earned, "borne": borne or earned}
    for what, currencies in ({"units": earned | costed | borne} | parts).items():
        for currency in sorted(currencies):
            fields = (units.month, units.commodity, currency, what, units.units, units.at)
            yield _new(UnitPart, fields)
