"""What open reversals undo of the closed months: read back from their text.

2026-05-20 * "alice" "Consumption" #compute-consumption   ->  the legs that it was written from
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from beancount.core.data import Transaction

from beancount_compute.closed.frozen_months import Closed
from beancount_compute.economy import (
    COUNTED_BACK,
    NAMED_BY_REVERSALS,
    Event,
    JournalEntry,
    Kind,
    MoneyBack,
    OfPlan,
)
from beancount_compute.economy.state import Undo
from beancount_compute.ledger import Accounts, Meaning, kind_of_tags, period_of, plan_of


def undo_of(
    wanted: frozenset[str], closed: Closed, accounts: Accounts, names: Mapping[str, str]
) -> dict[str, Undo]:
    """What a reversal needs to know of the closed events that it may name."""
    booked = [entry for entry in closed.booked if isinstance(entry, Transaction)]
    meaning = Meaning(accounts, names)
    found: dict[str, Transaction] = {}
    for entry in booked:
        if entry.meta.get("event") in wanted and kind_of_tags(entry.tags) in NAMED_BY_REVERSALS:
            found[entry.meta["event"]] = entry
    if wanted - found.keys() and any("events" in entry.meta for entry in booked):
        for event in _uses(closed, wanted - found.keys()):
            run = _merged(event, booked)
            if run is not None:
                found[event.id] = run
    undone = {entry.meta["reverses"] for entry in booked if "reverses" in entry.meta}
    return {
        event_id: Undo(read, done=event_id in undone)
        for event_id, entry in found.items()
        if (read := meaning.entry_of(entry)) is not None
    }


def beside_others(plans: Collection[OfPlan], closed: Closed) -> frozenset[str]:
    """The ids of closed periods of some subscribers and plans, beside single ones, that run on."""
    periods: dict[tuple[OfPlan, date], str] = {}
    single: set[tuple[OfPlan, date]] = set()
    running: set[str] = set()
    holders = {holder for holder, _ in plans}
    for entry in closed.booked:
        if not isinstance(entry, Transaction) or entry.payee not in holders:
            continue
        if kind_of_tags(entry.tags) not in (Kind.ALLOCATION, Kind.CHANGE):
            continue
        period = period_of(entry)
        if period is not None and period.last > closed.last_day:
            periods[(entry.payee, period.plan), entry.date] = str(entry.meta["event"])
        elif period is None and "period" in entry.meta:
            of, name = (entry.payee, plan_of(entry)), str(entry.meta["event"])
            single.add((of, entry.date))
            if of in plans and entry.meta["period"][-10:] > str(closed.last_day):
                running.add(name)
    running |= {name for of, name in periods.items() if of[0] in plans and of in single}
    return frozenset(running)


def money_back(
    named: frozenset[str],
    reversed_ids: frozenset[str],
    closed: Closed,
    accounts: Accounts,
    names: Mapping[str, str],
) -> MoneyBack | None:
    """What went back of closed allocations that are named, or that are to be reversed."""
    booked = [entry for entry in closed.booked if isinstance(entry, Transaction)]
    if reversed_ids:  # of something of which money went back, or that shares its lot
        named |= {str(entry.meta["of"]) for entry in booked if "of" in entry.meta}
    of_named = [entry for entry in booked if entry.meta.get("event") in named]
    if not of_named:
        return None
    found = MoneyBack(named)
    since, payers = min(entry.date for entry in of_named), {entry.payee for entry in of_named}
    for read, undone in told_since(since, payers, closed, accounts, names):
        found.note(read, undone)
    return found


def told_since(
    day: date,
    payers: Collection[str | None],
    closed: Closed,
    accounts: Accounts,
    names: Mapping[str, str],
) -> Iterator[tuple[JournalEntry, str]]:
    """The closed entries since a day that tell what went back of what some subscribers paid.

    Each with the id of what it undoes; "" where it undoes nothing.
    """
    meaning, payers = Meaning(accounts, names), frozenset(payers)
    for entry in closed.booked:
        if not isinstance(entry, Transaction) or entry.date < day:
            continue
        if payers & {entry.payee, entry.meta.get("counterparty")}:
            kind, _ = meaning.kind(entry.tags, entry.meta)
            read = meaning.entry_of(entry) if kind in COUNTED_BACK else None
            if read is not None:
                yield read, str(entry.meta.get("reverses", ""))


def _uses(closed: Closed, wanted: Iterable[str]) -> list[Event]:
    """The closed uses of those ids."""
    wanted = set(wanted)
    return [
        event
        for month in closed.months
        for event, _ in month.events
        if event.id in wanted and event.kind is Kind.CONSUMPTION
    ]


def _merged(event: Event, booked: Iterable[Transaction]) -> Transaction | None:
    """The transaction of a use that was merged into those before it."""
    runs = (
        entry
        for entry in booked
        if entry.payee == event.subscriber and "events" in entry.meta and entry.date >= event.date
    )
    return min(runs, key=lambda entry: entry.date, default=None)


def past_costs(
    days: Collection[date], closed: Closed, accounts: Accounts, names: Mapping[str, str]
) -> Iterator[JournalEntry]:
    """What uses of closed days cost, of which open events give back or change something."""
    meaning = Meaning(accounts, names)
    for entry in closed.booked:
        if isinstance(entry, Transaction) and kind_of_tags(entry.tags) == Kind.COST:
            read = meaning.entry_of(entry)
            if read is not None and (read.served or read.date) in days:
                yield read
