"""Breakage on periods that were never paid: income from units whose price nobody has paid either.

    2026-05-01   pro of alice, 200.00 USD, and no payment of hers since
    2026-06-01   800 CU of it lapse: 160.00 USD of breakage

A bill of which nothing was settled by the end of the month was never paid. A currency in which
nobody writes payments, or writes them for nobody in particular, can't tell, and says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount_compute.economy import WIDE, ZERO, Earning, Month, Place, amount
from beancount_compute.reports import Income, money, since, until
from beancount_compute.review.finding import Amounts, Finding
from beancount_compute.review.looked_at import LookedAt

MOST_NAMED = 4  # subscribers, before the rest is only counted


class Broken(NamedTuple):
    """Breakage from what one bill sold, of which nothing was paid."""

    number: Decimal
    subscriber: str
    at: int  # the transaction that billed it
    bill: Decimal


def never_paid(look: LookedAt, month: str) -> Iterator[Finding]:
    """What lapsed in a month, and was never paid by its end; a finding for each currency."""
    last, first = Month.parse(month).last, Month.parse(month).first
    lapsed: defaultdict[str, defaultdict[str, list[Income]]]
    lapsed = defaultdict(lambda: defaultdict(list))
    for income in since(until(look.books.incomes, last), first):
        if income.earning is Earning.BREAKAGE and look.bills.can_tell(income.currency, last):
            lapsed[income.currency][income.subscriber].append(income)
    with localcontext(WIDE):
        for currency, incomes_of in sorted(lapsed.items()):
            found = [
                each
                for subscriber, incomes in sorted(incomes_of.items())
                for each in _of_subscriber(look, month, subscriber, incomes)
            ]
            if found:
                yield _finding(look, month, currency, found)


def _of_subscriber(
    look: LookedAt, month: str, subscriber: str, incomes: list[Income]
) -> Iterator[Broken]:
    last = Month.parse(month).last
    unpaid = look.bills.unpaid(subscriber, incomes[0].currency, last)
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    for income in incomes:
        bills = [*look.bills.for_lot(subscriber, income.lot)] if income.lot else []
        if bills and all(at in unpaid for at in bills):
            sums[bills[0]] += income.amount
    for at, number in sums.items():
        if number > 0:
            yield Broken(number, subscriber, at, unpaid[at])


def _finding(look: LookedAt, month: str, currency: str, found: list[Broken]) -> Finding:
    broken = sum((each.number for each in found), ZERO)
    due = sum((each.bill for each in found), ZERO)
    most = sorted(found, key=lambda each: (-each.number, each.subscriber, each.at))
    named = [
        f"{each.subscriber} {money(each.number, currency):,f} of {money(each.bill, currency):,f} "
        f"billed on {_day(look, each)}"
        for each in most[:MOST_NAMED]
    ]
    rest = len(found) - len(named)
    listed = "; ".join([*named, *([f"and {rest:,} more"] if rest else [])])
    text = f"{amount(broken, currency)} of breakage is of periods that were never paid: {listed}"
    figures = (Amounts("breakage", broken, currency), Amounts("open", due, currency))
    entries = look.books.transactions
    about = [f"{each.subscriber} {entries[each.at].meta.get('event')}" for each in found]
    place = _place(look, most[0].at)
    about += [amount(each.number, currency) for each in found]
    return Finding("unpaid", month, place, text, (month, currency, *about), figures)


def _day(look: LookedAt, broken: Broken) -> str:
    return str(look.books.transactions[broken.at].date)


def _place(look: LookedAt, at: int) -> Place:
    """Where what was billed stands: of a later period, that of its subscription."""
    name = str(look.books.transactions[at].meta.get("subscription", ""))
    return look.places.get(name) or look.place_of_transaction(at)
