"""Three-way match: uses at the price list, what providers state, and what they invoice.

    month    provider         list  stated  booked  invoiced   not billed   invoiced - booked
    2026-05  openai   USD    99.00   41.00  100.00    103.00         0.00                3.00
    2026-06  openai   USD    20.00    0.00   20.00      0.00        20.00                0.00

Rows are the months of the uses' days, whenever a bill came. Booked is what was stated, and by the
list where nothing was. What is not billed yet stands for the bill that will come: the two
differences of what is invoiced are of what was billed, the last of them is what went to variance.
Costs that the ledger opens with count as listed. Uses that are paid in credits stand apart, in
credits by the list, as drawn and beyond them; but what credits beyond cost is money like any other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter, itemgetter

from beancount_compute.economy import (
    PRICE_STEP,
    Billed,
    JournalEntry,
    Kind,
    LotLeg,
    MoneyLeg,
    Month,
    Role,
    minor_unit,
)
from beancount_compute.reports.billed_months import BilledMonths
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import Figure, Layout, Report, Request, Single
from beancount_compute.reports.fold import grouped
from beancount_compute.reports.metered_uses import ListedUse, RoundedTotals, at_price
from beancount_compute.reports.provider_entries import AccrualOpened, ProviderEntry
from beancount_compute.reports.tables import CURRENCY, DATE, MONTH, NOT_NAMED, UNIT, Column, Measure

_PROVIDER, _METER = Column("provider", "provider"), Column("meter", "meter")
_LISTED, _STATED, _BOOKED = "listed", "stated", "booked"
_INVOICED, _NOT_BILLED = "invoiced", "not_billed"
_DRAWN, _BEYOND, _PURCHASED, _LAPSED = "drawn", "beyond", "purchased", "lapsed"
_MATCH = (
    Figure(_LISTED, "by the\nlist", Measure.MONEY),
    Figure(_STATED, "stated", Measure.MONEY),
    Figure(_BOOKED, "booked", Measure.MONEY),
    Figure(_INVOICED, "invoiced", Measure.MONEY),
    Figure(_NOT_BILLED, "not\nbilled", Measure.MONEY),
    Figure("booked_less_listed", "booked\n- list", Measure.MONEY, (_BOOKED, f"-{_LISTED}")),
    Figure(
        "invoiced_less_listed",
        "invoiced\n- list",
        Measure.MONEY,
        (_INVOICED, _NOT_BILLED, f"-{_LISTED}"),
    ),
    Figure(
        "invoiced_less_booked",
        "invoiced\n- booked",
        Measure.MONEY,
        (_INVOICED, _NOT_BILLED, f"-{_BOOKED}"),
    ),
)
_BILLS = (
    Figure(_INVOICED, "invoiced", Measure.MONEY),
    Figure("cleared", "accrued\nfor it", Measure.MONEY),
    Figure("variance", "variance", Measure.MONEY, (_INVOICED, "-cleared")),
    Figure("uses", "uses", Measure.COUNT),
)
_CREDITS = (
    Figure(_LISTED, "by the\nlist", Measure.UNITS),
    Figure(_DRAWN, "drawn", Measure.UNITS),
    Figure(_BEYOND, "beyond\nthose held", Measure.UNITS),
    Figure(
        "taken_less_listed",
        "taken\n- list",
        Measure.UNITS,
        (_DRAWN, _BEYOND, f"-{_LISTED}"),
    ),
    Figure(_PURCHASED, "purchased", Measure.UNITS),
    Figure(_LAPSED, "lapsed", Measure.UNITS),
)
_PREPAID = (
    Figure(_DRAWN, "drawn", Measure.MONEY),
    Figure(_PURCHASED, "purchased", Measure.MONEY),
    Figure(_LAPSED, "lapsed", Measure.MONEY),
)
_BILL = (
    _PROVIDER,
    DATE._replace(aside=1),
    Column("event", "event", aside=2, whole=True),
    Column("from", "from", Measure.DATE),
    Column("to", "to", Measure.DATE),
    CURRENCY,
)


_TO_A_MONTH = attrgetter("month", "provider", "commodity", "meter", "since", "at")
_FOLDED = ("month", "provider", "commodity", "meter", "since")
CostInMoney = tuple[str, str, Decimal]  # of a meter: currency and number


def _layouts(_: Books, selection: Selection) -> list[Layout]:
    of_all = ", of all subscribers and plans" if selection.subscriber or selection.plan else ""
    months = (MONTH, _PROVIDER)
    money = (*months, CURRENCY)
    return [
        Layout("months", f"Costs as listed, stated and invoiced{of_all}", money, _MATCH),
        Layout(
            "meters",
            f"Costs as listed, stated and invoiced, by meter{of_all}",
            (*months, _METER, CURRENCY),
            _MATCH,
        ),
        Layout("bills", f"Bills{of_all}", _BILL, _BILLS, keeps_zeros=True),
        Layout("credits", f"Prepaid credits{of_all}", (*months, UNIT), _CREDITS),
        Layout("prepaid", f"Prepaid credits at cost{of_all}", money, _PREPAID),
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Single]:
    yield from _listed(books, selection, request)
    yield from _Matching(books, selection).contributions()


def _listed(books: Books, selection: Selection, request: Request) -> Iterator[Single]:
    """What uses cost by the list: each adds what the rounded running total of its month grows by.

    The total is that of a month, provider and currency, meter after meter.
    """
    end, since = selection.end, _first_month(selection)
    uses = [
        each
        for each in books.metered_uses
        if each.commodity and each.month >= since and (end is None or each.date <= end)
    ]
    totals = RoundedTotals()
    for use in sorted(request.fold(uses, _FOLDED, ("quantity", "units")), key=_TO_A_MONTH):
        meter = books.terms.meters[use.meter].on(use.since)
        assert meter is not None and meter.cost is not None
        key = use.month, use.provider, use.commodity
        is_money = use.commodity in books.terms.money
        step = minor_unit(use.commodity) if is_money else PRICE_STEP
        exact = at_price(use.quantity, use.units, meter, meter.cost.number)
        added = totals.add(key, exact, step)
        if is_money:
            of_meter = use.month, use.provider, use.meter, use.commodity
            yield from _in_money(of_meter, _LISTED, added, use.at)
        else:
            yield "credits", key, _LISTED, added, use.at


def _in_money(
    of_meter: tuple[str, str, str, str], column: str, number: Decimal, at: int
) -> Iterator[Single]:
    month, provider, _, currency = of_meter
    yield "months", (month, provider, currency), column, number, at
    yield "meters", of_meter, column, number, at


def _first_month(selection: Selection) -> str:
    return Month.of(selection.start).name if selection.start else ""


class _Matching:
    """Goes through what was booked of providers, in the order of the books."""

    def __init__(self, books: Books, selection: Selection) -> None:
        self._books = books
        self._end, self._since = selection.end, _first_month(selection)
        self._billed = BilledMonths()
        self._uses = {
            provider: sorted(uses, key=attrgetter("day"))
            for provider, uses in grouped(
                [each for each in books.metered_uses if not self._is_behind(each.date)],
                attrgetter("provider"),
            ).items()
        }

    def _is_behind(self, day: date) -> bool:
        return self._end is not None and day > self._end

    def contributions(self) -> Iterator[Single]:
        """What all entries add to rows that are asked for."""
        for at, found in self._in_order():
            if self._is_behind(self._books.transactions[at].date):
                break
            for each in found:
                table, row, *_ = each
                last_day = str(row[4] if table == "bills" else row[0])
                if last_day >= self._since:
                    yield each

    def _in_order(self) -> Iterator[tuple[int, Iterator[Single]]]:
        """What there is, with its place: opening accruals first on their day, then entries."""
        days = self._books.transactions
        found: list[tuple[date, AccrualOpened | ProviderEntry]]
        found = [(days[each.at].date, each) for each in self._books.accruals_opened]
        found += [(each.entry.date, each) for each in self._books.of_providers]
        for _, each in sorted(found, key=itemgetter(0)):
            if isinstance(each, AccrualOpened):
                yield each.at, self._opening(each)
            else:
                yield each.at, self._entry(*each)

    def _entry(self, at: int, entry: JournalEntry) -> Iterator[Single]:
        kind = entry.undoes or entry.kind
        if kind == Kind.COST:
            yield from self._cost(at, entry)
        elif kind == Kind.BILL:
            yield from self._bill(at, entry)
        elif kind == Kind.PURCHASE:
            yield from _moved(at, entry, entry.date, _PURCHASED, 1)
        elif kind == Kind.LAPSE:
            yield from _moved(at, entry, entry.date, _LAPSED, -1)

    def _opening(self, opened: AccrualOpened) -> Iterator[Single]:
        at, (served, _, provider, meter, number, currency, _) = opened
        self._billed.accrue(provider, currency, (served, meter), number)
        of_meter = Month.of(served).name, provider, meter, currency
        for column in (_LISTED, _BOOKED, _NOT_BILLED):
            yield from _in_money(of_meter, column, number, at)

    def _cost(self, at: int, entry: JournalEntry) -> Iterator[Single]:
        day, provider = entry.served or entry.date, entry.subscriber
        month = Month.of(day).name
        yield from _moved(at, entry, day, _DRAWN, -1)
        for units, commodity, _ in entry.beyond:
            yield "credits", (month, provider, commodity), _BEYOND, units, at
        for meter, number, currency in entry.stated:
            yield from _in_money((month, provider, meter, currency), _STATED, number, at)
        told = {meter for meter, _, _ in entry.stated}
        for meter, currency, number in _paid_in_money(entry):
            of_meter = month, provider, meter, currency
            yield from _in_money(of_meter, _BOOKED, number, at)
            if meter not in told and self._is_in_credits(meter, day):
                yield from _in_money(of_meter, _LISTED, number, at)
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg) and leg.role is Role.ACCRUED:
                self._billed.accrue(provider, leg.currency, (day, leg.origin), -leg.number)
                of_meter = month, provider, leg.origin, leg.currency
                yield from _in_money(of_meter, _NOT_BILLED, -leg.number, at)

    def _is_in_credits(self, meter: str, day: date) -> bool:
        """Whether money for it is for credits beyond those held."""
        timeline = self._books.terms.meters.get(meter)
        line = timeline.on(day) if timeline else None
        return line is None or (
            line.cost is not None and line.cost.currency not in self._books.terms.money
        )

    def _bill(self, at: int, entry: JournalEntry) -> Iterator[Single]:
        provider, bill = entry.subscriber, self._billed.bill(entry)
        if bill is None:
            return
        days, currency, parts = bill
        row = (provider, str(entry.date), entry.id, *map(str, days), currency)
        for month, meter, invoiced, cleared in parts:
            of_meter = month, provider, meter, currency
            yield from _in_money(of_meter, _INVOICED, invoiced, at)
            yield from _in_money(of_meter, _NOT_BILLED, -cleared, at)
            yield "bills", row, _INVOICED, invoiced, at
            yield "bills", row, "cleared", cleared, at
        for use in self._uses_of(provider, days):
            yield "bills", row, "uses", use.uses, use.at

    def _uses_of(self, provider: str, days: Billed) -> Sequence[ListedUse]:
        uses, day_of = self._uses.get(provider, []), attrgetter("day")
        first = bisect_left(uses, days.first, key=day_of)
        return uses[first : bisect_right(uses, days.last, key=day_of)]


def _paid_in_money(entry: JournalEntry) -> Iterator[CostInMoney]:
    """What an entry of cost books by meter, without the cost of the credits that it draws."""
    legs = [leg for leg in entry.legs if isinstance(leg, MoneyLeg)]
    of_meters = [leg for leg in legs if leg.role is Role.COST]
    if not any(isinstance(leg, LotLeg) for leg in entry.legs):
        for leg in of_meters:
            yield leg.origin, leg.currency, leg.number
        return
    only = of_meters[0].origin if len({leg.origin for leg in of_meters}) == 1 else NOT_NAMED
    for leg in legs:
        if leg.role in (Role.ACCRUED, Role.VARIANCE):
            yield leg.origin or only, leg.currency, -leg.number


def _moved(at: int, entry: JournalEntry, day: date, column: str, sign: int) -> Iterator[Single]:
    """Credits that came (1) or went (-1), and what they cost."""
    month, provider = Month.of(day).name, entry.subscriber
    for leg in entry.legs:
        if isinstance(leg, LotLeg):
            units, lot = sign * leg.units, leg.lot
            yield "credits", (month, provider, lot.commodity), column, units, at
            yield "prepaid", (month, provider, lot.currency), column, units * lot.cost, at


BILL_MATCH = Report(
    "bill-match",
    "Providers' bills against uses and what was stated",
    _layouts,
    _contributions,
    of_sums=True,
)
