"""Tie-out of access: what lots still hold is what is for the days that are left of them.

120.00 USD of 16 May to 15 June, at the end of May       =   58.06 left

Worked out again lot by lot: what came and went otherwise on its day, and in each evening the part
for the days that are over (ASC 606-10-25-31). Months in bulk have lots of their own: of a ledger
that goes on in them it is what was left before the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter

from beancount_compute.close.tie_outs.postings import place_of_entry
from beancount_compute.close.tie_outs.tie_out import TieOut, of_money
from beancount_compute.economy import (
    ZERO,
    AccessBy,
    Flow,
    Month,
    Pocket,
    earned_meanwhile,
    evening_of,
    part_earned,
)
from beancount_compute.ledger import BULK_TAG, EARNED, period_of
from beancount_compute.reports import Books, LotKey, Movement, grouped

_DAY = timedelta(1)
_BY_DATE = attrgetter("date")


def access_left(books: Books, last: date) -> Iterator[TieOut]:
    """What is left of access by a month's end, of each currency in which any was sold."""
    last = _own_last_day(books, last)
    moved = [each for each in books.movements if each.pocket is Pocket.ACCESS]
    said: defaultdict[str, Decimal] = defaultdict(Decimal)
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    wrong: defaultdict[str, list[str]] = defaultdict(list)
    for (_, lot), of_lot in grouped(moved, attrgetter("account", "lot")).items():
        expected = _left(books, lot, of_lot, last)
        booked = sum([each.amount for each in of_lot], ZERO)
        said[lot.currency] += expected
        held[lot.currency] += booked
        if expected != booked:
            wrong[lot.currency].append(place_of_entry(books.transactions[of_lot[-1].at]))
    for currency in sorted(held):
        sides = ("by the days left", said[currency]), ("in lots", held[currency])
        yield of_money("access left", currency, *sides, wrong[currency])


def _own_last_day(books: Books, last: date) -> date:
    """The last day of the ledger's own months, up to one."""
    in_bulk = [each.date for each in books.transactions if BULK_TAG in each.tags]
    return Month.of(min(in_bulk)).previous.last if in_bulk else last


def _left(books: Books, lot: LotKey, moved: Sequence[Movement], last: date) -> Decimal:
    """What is left of a lot in the evening of a day."""
    others = sorted([each for each in moved if _by_event(books, each)], key=_BY_DATE)
    earned_before = {each.at + 1: -each.amount for each in moved if each.flow is Flow.EARNED}
    if lot.end is None or not others:
        return sum([each.amount for each in others], ZERO)
    plan, first = books.terms.plan_of_lot(lot.origin, lot.date), books.transactions[others[0].at]
    by = plan.access_by if plan and "prorated" not in first.meta else AccessBy.DAY
    since, left, wrong = _begun(books, others[0]), ZERO, ZERO
    went = {books.transactions[each.at].meta.get("event"): each.date for each in others}
    evening = evening_of(lot.end, max(since, others[0].date))
    while others or left:
        while others and others[0].date <= evening:
            each = others.pop(0)
            if each.flow is Flow.EXPIRED:  # a cancellation at once, of all of it or of a part
                part = earned_before.get(each.at, ZERO) - each.amount
                left -= earned_meanwhile(part, lot.currency, since, each.date + _DAY, lot.end, by)
            if each.flow is Flow.VOIDED and by is AccessBy.DAY and since < each.date < lot.end:
                left -= part_earned(left, lot.currency, since, each.date - _DAY, lot.end, by)
                since = each.date
            left += each.amount - _earned_at_once(books, each, went, by)
            if each.flow is Flow.EARNED:
                wrong += each.amount + _earned(each, others, since, by)
        if evening > last:
            break
        left -= part_earned(left, lot.currency, since, evening, lot.end, by)
        since = evening + _DAY
        if since >= lot.end:
            break
        evening = evening_of(lot.end, since)
    return left + wrong


def _by_event(books: Books, moved: Movement) -> bool:
    """Whether access came or went otherwise than in an evening: a change earns some of it too."""
    return moved.flow is not Flow.EARNED or EARNED in books.transactions[moved.at].meta


def _earned(moved: Movement, others: Iterable[Movement], since: date, by: AccessBy) -> Decimal:
    """What of the access that a change takes is for the days before it."""
    lot = moved.lot
    assert lot.end is not None  # of access
    taken = -moved.amount - sum([each.amount for each in others if each.at == moved.at], ZERO)
    return earned_meanwhile(taken, lot.currency, since, moved.date, lot.end, by)


def _earned_at_once(
    books: Books, back: Movement, went: Mapping[object, date], by: AccessBy
) -> Decimal:
    """What is earned of access that comes back, for the days that passed since it went."""
    lot, since = back.lot, went.get(books.transactions[back.at].meta.get("reverses"))
    if back.flow is not Flow.VOIDED or not back.undoes or since is None or lot.end is None:
        return ZERO
    return earned_meanwhile(back.amount, lot.currency, since, back.date, lot.end, by)


def _begun(books: Books, first: Movement) -> date:
    """The day from which access is earned: of a period that was booked late, its own first one."""
    period = period_of(books.transactions[first.at])
    if period and first.date == first.lot.date:
        return period.first
    at_end = first.flow in (Flow.OPENING, Flow.ENTERED) and first.date == Month.of(first.date).last
    return first.date + timedelta(at_end)
