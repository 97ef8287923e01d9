"""How access is earned by time: by days, or by even months, in the evening of month ends.

    120.00 of 16 May to 15 June, by days    61.94 on 31 May, 58.06 on 15 June
    90.00 of 20 May to 19 August, evenly    30.00 on 31 May, 30 June and 31 July

Each part is worked out on what is left, rounded to the minor unit; the last one is all of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from beancount_compute.economy.months import Month
from beancount_compute.economy.rounding import WIDE, round_money
from beancount_compute.economy.term_values import AccessBy

_DAY = timedelta(1)


def evening_of(end: date, day: date) -> date:
    """The first evening, from a day on, in which access is earned: a month's last, or its own."""
    return min(Month.of(day).last, end - _DAY)


def part_earned(
    left: Decimal, currency: str, since: date, day: date, end: date, by: AccessBy
) -> Decimal:
    """What is for the days from one to another, both included, of what is left until an end."""
    if day >= end - _DAY:
        return left
    if by is AccessBy.EVEN_MONTH:
        begun, now, ends = [Month.of(each).ordinal for each in (since, day, end)]
        part, whole = now + 1 - begun, ends - begun
    else:
        part, whole = (day + _DAY - since).days, (end - since).days
    if part >= whole:
        return left
    return round_money(WIDE.divide(WIDE.multiply(left, Decimal(part)), Decimal(whole)), currency)


def earned_meanwhile(
    back: Decimal, currency: str, since: date, today: date, end: date, by: AccessBy
) -> Decimal:
    """What of access that comes back today is for the days that passed since it went."""
    until = today - _DAY
    if by is AccessBy.EVEN_MONTH and today < end:
        until = today.replace(day=1) - _DAY
    return part_earned(back, currency, since, until, end, by) if until >= since else Decimal()


def earned_ahead(
    left: Decimal, currency: str, since: date, end: date, by: AccessBy, booked: date = date.min
) -> Iterator[tuple[date, Decimal]]:
    """The evenings from a day on, and what is earned in each; of what came late since `booked`."""
    while left:
        day = evening_of(end, max(since, booked))
        part = part_earned(left, currency, since, day, end, by)
        yield day, part
        left, since = WIDE.subtract(left, part), day + _DAY
