"""What providers' bills are for: the months and meters of the uses, whenever the bill came.

    2026-06-02  openai  100.00 USD for 2026-05-01 to 2026-05-31    ->  2026-05  chat      97.00
        97.00 of chat and 2.00 of pictures were accrued                2026-05  pictures   2.00
                                                                       2026-05  not named  1.00

A bill is for what it clears, month by month and meter by meter. Of one for several months the rest
goes to them as what it clears does; where it clears nothing, as what was ever accrued for its days
does; where nothing was, by days. The rest of a month is of a meter where no other was accrued.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy import (
    ZERO,
    Billed,
    JournalEntry,
    MoneyLeg,
    Month,
    Role,
    minor_unit,
    shares_of_total,
)
from beancount_compute.ledger import date_of
from beancount_compute.reports.tables import NOT_NAMED

DayOfMeter = tuple[date, str]
MeterOfMonth = tuple[str, str]  # a month and a meter


class BillPart(NamedTuple):
    """What a bill invoices for a month and meter, and how much of that it clears."""

    month: str  # of the uses' days
    meter: str
    invoiced: Decimal
    cleared: Decimal


class MatchedBill(NamedTuple):
    """A bill, and what it is for."""

    days: Billed
    currency: str
    parts: tuple[BillPart, ...]


class BilledMonths:
    """Takes in what was accrued and billed, in the order of the books; its sums need `WIDE`."""

    def __init__(self) -> None:
        # by provider and currency: what still waits for a bill, and what ever did
        self._waiting: defaultdict[tuple[str, str], dict[DayOfMeter, Decimal]] = defaultdict(dict)
        self._accrued: defaultdict[tuple[str, str], dict[DayOfMeter, Decimal]] = defaultdict(dict)

    def accrue(self, provider: str, currency: str, of: DayOfMeter, number: Decimal) -> None:
        """Let a bill find what a day of a meter cost."""
        for sums in (self._waiting[provider, currency], self._accrued[provider, currency]):
            sums[of] = sums.get(of, ZERO) + number

    def bill(self, entry: JournalEntry) -> MatchedBill | None:
        """What a bill is for, which waits no more; None where somebody edited the bill."""
        days = _days_billed(entry)
        owed = [x for x in entry.legs if isinstance(x, MoneyLeg) and x.role is Role.PROVIDER]
        if days is None or len(owed) != 1:
            return None
        currency, invoiced = owed[0].currency, -owed[0].number
        parts = self._parts(entry.subscriber, currency, days, invoiced)
        return MatchedBill(days, currency, tuple(parts))

    def _parts(
        self, provider: str, currency: str, days: Billed, invoiced: Decimal
    ) -> Iterator[BillPart]:
        waiting = self._waiting[provider, currency]
        cleared = _by_month(waiting, days)
        for of in [of for of in waiting if days.first <= of[0] <= days.last]:
            del waiting[of]
        before = _by_month(self._accrued[provider, currency], days)
        rest = invoiced - sum(cleared.values(), ZERO)
        rests = _shares(rest, currency, days, cleared, before)
        for (month, meter), number in cleared.items():
            yield BillPart(month, meter, number, number)
        for month, number in rests.items():
            meters = {meter for of, meter in before if of == month}
            meter = meters.pop() if len(meters) == 1 else NOT_NAMED
            yield BillPart(month, meter, number, ZERO)


def _days_billed(bill: JournalEntry) -> Billed | None:
    """The days that a bill is for; None where somebody edited them."""
    first, _, last = bill.period.partition("/")
    start, end = date_of(first), date_of(last)
    return None if start is None or end is None else Billed(start, end)


def _by_month(accrued: Mapping[DayOfMeter, Decimal], days: Billed) -> dict[MeterOfMonth, Decimal]:
    """What was accrued for days, by month and meter."""
    found: defaultdict[MeterOfMonth, Decimal] = defaultdict(Decimal)
    for (day, meter), number in accrued.items():
        if days.first <= day <= days.last:
            found[Month.of(day).name, meter] += number
    return dict(sorted(found.items()))


def _shares(
    rest: Decimal,
    currency: str,
    days: Billed,
    cleared: Mapping[MeterOfMonth, Decimal],
    accrued: Mapping[MeterOfMonth, Decimal],
) -> dict[str, Decimal]:
    """The months that what a bill doesn't clear is for."""
    if not rest:
        return {}
    weights = _above_zero(cleared) or _above_zero(accrued) or _days_of(days)
    shares = shares_of_total(rest, weights.values(), minor_unit(currency))
    return dict(zip(weights, shares, strict=True))


def _above_zero(accrued: Mapping[MeterOfMonth, Decimal]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (month, _), number in accrued.items():
        sums[month] += number
    return {month: number for month, number in sums.items() if number > 0}


def _days_of(days: Billed) -> dict[str, Decimal]:
    """How many days of each month there are."""
    found: dict[str, Decimal] = {}
    day = days.first
    while day <= days.last:
        month = Month.of(day)
        end = min(month.last, days.last)
        found[month.name] = Decimal((end - day).days + 1)
        if end == days.last:
            break
        day = end + timedelta(1)
    return found
