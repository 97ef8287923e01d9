"""When what is deferred will be recognised, if it goes on as in the last months.

    Of the amounts that were one month old in the last 12 months, 30 % were recognised in that
    month; of those two months old, 20 %; so of 100.00 that are one month old next month

        next month      30.00        100.00 x 30 %
        the month after 14.00         70.00 x 20 %
        at its end      56.00        what is left when the lot ends

A lot's age is counted in months from the month of its date. The rate of an age is what was released
at that age, over what was open then, over all vintages. Released is what was recognised: revenue,
breakage, partner income (ASC 606-10-50-13 asks for amounts expected to be recognised as revenue).
Open is what there was at the beginning of the month, and what came in it, less what left it without
being recognised: refunds, settlements with partners, what was removed by hand. So of 100.00, of
which 20.00 are refunded and 20.00 used, a quarter is released: 20.00 of the 80.00 that stayed.

What is older than anything that was seen stays until its lot ends; without an end it is beyond the
pattern.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from beancount_compute.economy import COMING, RELEASING, ZERO, Earning, Month
from beancount_compute.reports.facts import Income, Movement

BEYOND = None  # the month of what the pattern says nothing about
_RECOGNISED = (Earning.COMPUTE, Earning.BREAKAGE, Earning.PARTNER_INCOME)
_Vintages = defaultdict[tuple[int, int], Decimal]  # by the ordinals of vintage and month


class Aged(NamedTuple):
    """What was open at an age, and what of it was recognised, over the months looked at."""

    open: Decimal
    released: Decimal

    @property
    def rate(self) -> Fraction:
        """The part that was released; reversals can't make it negative, or more than all."""
        return min(Fraction(1), max(Fraction(0), Fraction(self.released) / Fraction(self.open)))


@lru_cache(1 << 12)  # many lots and bookings share their days
def _number_of(day: date) -> int:
    return Month.of(day).ordinal


def ages(
    movements: Iterable[Movement], incomes: Iterable[Income], last: date, months: int
) -> dict[int, Aged]:
    """What the last `months` months to that of the day `last` say of each age, of one currency.

    Sums need the context `WIDE`.
    """
    added: _Vintages = defaultdict(Decimal)
    left: _Vintages = defaultdict(Decimal)
    for each in movements:
        place = (_number_of(each.lot.date), _number_of(each.date))
        if each.flow in COMING:
            added[place] += each.amount
        elif each.flow in RELEASING:
            left[place] -= each.amount
    recognised: _Vintages = defaultdict(Decimal)
    for income in incomes:
        if income.lot is not None and income.earning in _RECOGNISED:
            recognised[_number_of(income.lot.date), _number_of(income.date)] += income.amount
    found: defaultdict[int, Aged] = defaultdict(lambda: Aged(ZERO, ZERO))
    first, end = _number_of(last) - months + 1, _number_of(last)
    for vintage in {vintage for vintage, _ in added}:
        balance = ZERO
        for month in range(min(month for of, month in added if of == vintage), end + 1):
            balance += added[vintage, month]
            gone, earned = left[vintage, month], recognised[vintage, month]
            stayed = balance - (gone - earned)
            if month >= first and stayed > 0:
                age = month - vintage
                found[age] = Aged(found[age].open + stayed, found[age].released + earned)
            balance -= gone
    return dict(sorted(found.items()))


def project(
    amount: Decimal, since: date, end: date | None, last: date, pattern: Mapping[int, Aged]
) -> Iterator[tuple[int | None, Fraction]]:
    """The months after `last`, counted from 1, in which an amount is expected to be released.

    It lies in a lot of the date `since` that can be used until the day before `end`. `BEYOND` is
    the month of what has no end and is older than the pattern knows.
    """
    left, now, oldest = Fraction(amount), _number_of(last), max(pattern, default=-1)
    ends = max(_number_of(end) - now, 1) if end else None
    ahead = 1
    while left:
        age = now + ahead - _number_of(since)
        if ends is not None and (ahead == ends or age > oldest):
            yield ends, left
            return
        if age > oldest:
            yield BEYOND, left
            return
        if age in pattern:
            released = left * pattern[age].rate
            yield ahead, released
            left -= released
        ahead += 1
