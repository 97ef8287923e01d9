"""All events of a ledger booked once more, from the first day, under the terms of a scenario.

Those of closed months come from their frozen copies, and the state that these handed on is left
aside: under other terms it would have been another. Nothing is written, and nothing asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import localcontext
from typing import NamedTuple

from beancount.core.data import Directive

from beancount_compute.booking import Booking
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import WIDE, Again, Event, Facts, Refusal, Terms
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.ledger import Accounts, Writer
from beancount_compute.scenarios.provider_bills import with_fitting_bills
from beancount_compute.scenarios.tally import DaysAsked, Tallied, Tally

SharesByPlan = Callable[[list[Directive], Terms], Tallied]


class Replayed(NamedTuple):
    """What booking all events comes to."""

    booked: Tallied
    taken: Tallied  # by hand-written postings, out of lots, at the cost of these
    refusals: list[Refusal]
    entries: int  # how many were booked
    shared: Tallied  # by plan, what is of none by itself; nothing where nobody asks


def facts_of_all_days(booking: Booking) -> Facts:
    """All that a ledger states, of closed and open days."""
    events: list[Event] = []
    late: dict[date, list[Event]] = {}
    for month in booking.closed.months:
        for event, booked in month.events:
            (events if booked is None else late.setdefault(booked, [])).append(event)
    for day, of_day in booking.facts.late.items():
        late.setdefault(day, []).extend(of_day)
    stands = booking.closed.last_day if booking.closed.months else None
    return booking.written_by_hand._replace(
        events=[*events, *booking.events],
        assertions=booking.assertions,
        late=late,
        again=Again(stands),
    )


def under_scenario(facts: Facts, of_ledger: Terms, terms: Terms, books: Replayed | None) -> Facts:
    """Facts as a scenario has them: without bills that no longer fit, and with postings by hand
    that take lots by their label, but for those that took none in the books."""
    facts = with_fitting_bills(facts, of_ledger, terms)
    if books is None or facts.again is None:
        return facts
    refused = {each.place for each in books.refusals}
    by_label = frozenset([each.place for each in facts.removals]) - refused
    return facts._replace(again=facts.again._replace(by_label=by_label))


def replay(
    facts: Facts,
    terms: Terms,
    accounts: Accounts,
    days: DaysAsked,
    share: SharesByPlan | None = None,
) -> Replayed:
    """Book facts under terms, and add up what that comes to; `share` shares out by plan."""
    keeper = Bookkeeper(facts, terms, accounts.component)
    writer = Writer(accounts) if share else None
    booked, taken = (Tally(accounts, days, terms) for _ in range(2))
    written: list[Directive] = []
    entries = 0
    with localcontext(WIDE), no_cyclic_garbage():
        for records in keeper.records():
            entries += len(records)
            booked.add(records)
            if writer is not None:
                written += writer.transactions(records)
        taken.add_taken(keeper.taken)
        shared = share(written, terms) if share else {}
        return Replayed(booked.sums(), taken.sums(), keeper.refusals, entries, shared)
