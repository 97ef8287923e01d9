"""What remains to be delivered, by the last day on which it can be used, and by a forecast.

    alice's 200.00 of June, which become tokens on 1 July and end on 1 July 2027
        last day of use    2027-01-01 to 2027-06-30    200.00
        expected           2026-07-01 to 2026-09-30    100.00     ; if half of it is used in July
                           2027-07-01 to 2028-06-30    100.00     ; what is left when it ends

The bands are the next three, six, twelve and twenty-four months from a day. The forecast goes on as
the last months went (the release pattern):

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
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from itertools import chain
from typing import NamedTuple

from beancount_compute.economy import (
    COMING,
    RELEASING,
    ZERO,
    AccessBy,
    Earning,
    Month,
    Pocket,
    Span,
    Terms,
    Unused,
    decimals_of,
    earned_ahead,
    later,
    minor_unit,
)
from beancount_compute.reports.facts import Income, LotKey, Movement

BEYOND = None  # the month of what the pattern says nothing about
_RECOGNISED = (Earning.COMPUTE, Earning.BREAKAGE, Earning.PARTNER_INCOME, Earning.ACCESS)
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


YEAR = Span(12, 0)
NO_END = "no end"
BAND_MONTHS = (3, 6, 12, 24)  # months after the day
_ENDED, _NO_END, _NO_PATTERN = "ended, not yet booked", "without an end", "beyond the pattern"


def ends_of(
    moved: Movement, terms: Terms, day: date = date.min
) -> Iterator[tuple[date | None, Decimal]]:
    """The first day on which an amount can no longer be used, also as the tokens it may become.

    That of access is behind the evenings after a day in which it will be earned.
    """
    lot, amount = moved.lot, moved.amount
    if moved.pocket is Pocket.ACCESS:
        yield from _access_ends(moved, terms, day)
        return
    plan = terms.plan_of_lot(lot.origin, lot.date) if moved.pocket is Pocket.ALLOCATIONS else None
    if plan is None or plan.unused is not Unused.MINT or lot.end is None:
        yield lot.end, amount
        return
    minted = amount * plan.mint_rate
    yield (later(lot.end, plan.token_expires) if plan.token_expires else None), minted
    if minted != amount:
        yield lot.end, amount - minted


def _access_ends(moved: Movement, terms: Terms, day: date) -> Iterator[tuple[date, Decimal]]:
    """The days behind the evenings in which access will be earned."""
    lot = moved.lot
    plan = terms.plan_of_lot(lot.origin, lot.date)
    by = plan.access_by if plan else AccessBy.DAY
    assert lot.end is not None
    begun = Month.of(day + timedelta(1)).first if day > date.min else lot.date
    since = max(lot.date, begun)  # of a month that is not over nothing is earned yet
    for evening, part in earned_ahead(moved.amount, lot.currency, since, lot.end, by):
        yield evening + timedelta(1), part


def ends_of_all(
    moves: Iterable[Movement], terms: Terms, day: date
) -> Iterator[tuple[Movement, date | None, Decimal]]:
    """The ends of the amounts of each, in the order of the books.

    What access is earned each evening is rounded: one of several amounts of a lot has what it
    changes of the parts of their sum, so that all of them together have those.
    """
    sums: defaultdict[LotKey, Decimal] = defaultdict(Decimal)
    for each in moves:
        found = ends_of(each, terms, day)
        if each.pocket is Pocket.ACCESS and each.lot in sums:
            before = each._replace(amount=sums[each.lot])
            after = each._replace(amount=before.amount + each.amount)
            found = chain(
                ends_of(after, terms, day),
                ((end, -amount) for end, amount in ends_of(before, terms, day)),
            )
        sums[each.lot] += each.amount
        for end, amount in found:
            yield each, end, amount


@cache
def bands_after(day: date) -> list[tuple[date, str]]:
    """The last day of each band of the future, and its name; names sort by time."""
    is_last = (day + timedelta(1)).day == 1
    found: list[tuple[date, str]] = []
    first = day + timedelta(1)
    for months in BAND_MONTHS:
        last = later(day, Span(months, 0), 31 if is_last else None)
        found.append((last, f"{first} to {last}"))
        first = last + timedelta(1)
    return [*found, (date.max, f"{first} and later")]


def band_of(end: date | None, day: date) -> str:
    """The band of the last day of use of what can't be used from `end` on."""
    if end is None:
        return _NO_END
    if end <= day:
        return _ENDED
    return next(name for last, name in bands_after(day) if end - timedelta(1) <= last)


def month_of(end: date | None, day: date) -> str:
    """The month in which what can't be used from `end` on is released at the latest."""
    if end is None:
        return NO_END
    return _ENDED if end <= day else Month.of(end).name


def expected(
    moved: Iterable[Movement], currency: str, terms: Terms, day: date, pattern: Mapping[int, Aged]
) -> Iterator[tuple[str, Decimal]]:
    """The bands in which what is open is expected to be released; together they are all of it."""
    names = [name for _, name in bands_after(day)]
    parts: defaultdict[str, Fraction] = defaultdict(Fraction)
    whole = ZERO
    for (since, end), amount in _open(moved, currency, terms, day).items():
        whole += amount
        for month, part in project(amount, since, end, day, pattern):
            if month is BEYOND:
                parts[_NO_PATTERN] += part
            else:
                parts[names[sum(month > most for most in BAND_MONTHS)]] += part
    return _rounded(parts, whole, currency)


def _open(
    moved: Iterable[Movement], currency: str, terms: Terms, day: date
) -> dict[tuple[date, date | None], Decimal]:
    """What is open, by the date of the lot and the day from which it can't be used."""
    amounts: defaultdict[tuple[date, date | None], Decimal] = defaultdict(Decimal)
    for each in moved:
        if each.lot.currency == currency:
            for end, amount in ends_of(each, terms, day):
                amounts[each.lot.date, end] += amount
    return {key: amount for key, amount in amounts.items() if amount}


def _rounded(
    parts: dict[str, Fraction], whole: Decimal, currency: str
) -> Iterator[tuple[str, Decimal]]:
    """The parts to the minor unit, rounded on their running total; together they are the whole."""
    scale = 10 ** decimals_of(currency)
    names = [name for name in sorted(parts) if parts[name]]
    given, running = ZERO, Fraction(0)
    for name in names[:-1]:
        running += parts[name]
        due = round(running * scale) * minor_unit(currency)
        yield name, due - given
        given = due
    for name in names[-1:]:
        yield name, whole - given
