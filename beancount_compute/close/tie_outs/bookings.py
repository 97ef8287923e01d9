"""Each booking of a month beside what its event and the terms say.

    2026-06-10 * "alice" "Trade with bob" #compute-trade     says -6.20 USD of fees,
    t-9,2026-06-10,,trade,alice,bob,,500,CU,0.25,,USD        and 0.05 of 125.00 USD is 6.25 USD

All postings outside the pockets are compared, account by account, and the units that move. What
moves inside the pockets is the subject of the roll-forwards and laws.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.expected import Debits, Expected, Wanted, role_of
from beancount_compute.close.tie_outs.postings import Kinds, Posted, posted
from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.roles import Role
from beancount_compute.reports.books import Books

NOT_BOOKED = (Kind.SUBSCRIPTION, Kind.CANCELLATION)  # what they lead to is derived


class Checked(NamedTuple):
    """The bookings of a month, in sum and as far as they are wrong."""

    compared: int  # transactions that the plugin booked
    wanted: Debits  # what events and terms say, by role, account and currency
    posted: Debits
    wrong: list[Transaction]
    events: int  # that must have been booked
    unbooked: list[Event]


def check_bookings(
    books: Books, transactions: Iterable[Transaction], events: Sequence[Event]
) -> Checked:
    """Compare the transactions of a month with its events; the sums need the context `WIDE`."""
    expected, kinds, accounts = Expected(books, events), Kinds(), books.accounts
    wanted_sums: Debits = defaultdict(Decimal)
    posted_sums: Debits = defaultdict(Decimal)
    wrong: list[Transaction] = []
    compared = 0
    for entry in transactions:
        kind = kinds.of(entry)
        if not kind:
            continue
        compared += 1
        if kind == Kind.CONSUMPTION:
            revenue = _plain_use(entry, expected)
            if revenue is not None:
                key = (Role.REVENUE, *revenue[:2])
                wanted_sums[key] += revenue[2]
                posted_sums[key] += revenue[2]
                continue
        found = posted(entry, accounts)
        wanted = expected.booking(entry, kind, found)
        for key, number in wanted.debits.items() if wanted else ():
            wanted_sums[key] += number
        undone = str(entry.meta.get("undoes", kind))
        for (account, currency), number in found.money.items():
            posted_sums[role_of(account, undone, accounts.roots), account, currency] += number
        if wanted is None or not _agrees(wanted, found):
            wrong.append(entry)
    booked = [(each, event) for each, event in expected.events.items() if _is_booked(event)]
    unbooked = [event for each, event in booked if each not in expected.booked]
    return Checked(compared, wanted_sums, posted_sums, wrong, len(booked), unbooked)


def _is_booked(event: Event) -> bool:
    return event.kind not in NOT_BOOKED


def _plain_use(entry: Transaction, expected: Expected) -> tuple[str, str, Decimal] | None:
    """The revenue of a use out of one lot that is as it must be; None for any other booking.

    A fast path: most bookings are such uses.
    """
    meta, postings = entry.meta, entry.postings
    if len(postings) != 2 or "events" in meta:
        return None
    event_id = meta.get("event", "")
    event = expected.events.get(event_id)
    lot, income = postings
    cost: Any = lot.cost
    units: Any = lot.units
    earned: Any = income.units
    if event is None or cost is None or income.cost is not None or event_id in expected.reversed:
        return None
    origin = (cost.label or "").partition("/")[0]
    name = event.subscriber
    if (
        event.kind is not Kind.CONSUMPTION
        or event_id in expected.booked
        or lot.account not in expected.pockets(name, origin)
        or income.account != expected.account(Role.REVENUE, name, origin)
        or units[0] != event.units
        or units[1] != event.commodity
        or earned[1] != cost.currency
        or earned[0] + units[0] * cost.number
    ):
        return None
    expected.booked.add(event_id)
    return income.account, earned[1], earned[0]


def _agrees(wanted: Wanted, found: Posted) -> bool:
    money: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (_, account, currency), number in wanted.debits.items():
        money[account, currency] += number
    return _same(money, found.money) and (wanted.units is None or _same(wanted.units, found.units))


def _same(one: dict[tuple[str, str], Decimal], other: dict[tuple[str, str], Decimal]) -> bool:
    return all(one.get(key) == number for key, number in other.items() if number) and all(
        other.get(key) == number for key, number in one.items() if number
    )
