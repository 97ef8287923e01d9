"""What the closed months hand on, read back from their frozen text.

closed/2026-05.beancount   -1000 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}   ->  an open lot
closed/2026-05.events.csv  s-1,2026-05-01,,subscription,alice,,pro             ->  it runs on
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from beancount.core.data import Directive, Transaction

from beancount_compute.closed.event_rows import FrozenEvent
from beancount_compute.closed.held import Held
from beancount_compute.closed.holders import Holders
from beancount_compute.closed.undoing import Undoing, events_by_id
from beancount_compute.economy.carried import Carried
from beancount_compute.economy.events import Event, content_id, names_of
from beancount_compute.economy.inputs import Facts, Introduction
from beancount_compute.economy.kinds import MAKES_KNOWN, Kind
from beancount_compute.economy.lots import Key, key_of
from beancount_compute.economy.months import later
from beancount_compute.economy.options import POSTING_GRAIN, Grain
from beancount_compute.economy.terms import RESERVED_ORIGINS, Terms
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.meaning import kind_of_tags
from beancount_compute.ledger.terms_in_force import LedgerTerms


class Seen:
    """What to remember of frozen events, which are let go one by one."""

    def __init__(self, events: Iterable[FrozenEvent] = ()) -> None:
        self.first: dict[str, tuple[date, int, str]] = {}  # names, by when they come first
        self.names: set[str] = set()  # of subscribers
        self.known: dict[str, date] = {}  # those that an event made known, and since when
        self._scheduled: list[Event] = []
        self._single: list[Event] = []  # periods that were allocated by themselves
        for event in events:
            self.add(event)

    def add(self, frozen: FrozenEvent) -> None:
        """Remember of one event what it says of subscribers."""
        event, booked = frozen
        for name in names_of(event):
            place = (event.date, event.phase, name)
            if name not in self.first or place < self.first[name]:
                self.first[name] = place
            self.names.add(name)
        if event.kind in MAKES_KNOWN:
            _earliest(self.known, event.subscriber, booked or event.date)
        if event.kind in (Kind.SUBSCRIPTION, Kind.CANCELLATION):
            self._scheduled.append(event)
        elif event.kind is Kind.ALLOCATION and event.plan:
            self._single.append(event)

    @property
    def schedule(self) -> list[tuple[Event, str]]:
        """The subscriptions and cancellations, with their ids, in the order of the books."""
        return [(event, event.id or content_id(event)) for event in sorted(self._scheduled)]

    def period_ends(self, terms: Terms, last_day: date) -> list[tuple[str, date]]:
        """The ends, behind a day, of the periods that were allocated by themselves."""
        found: list[tuple[str, date]] = []
        for event in self._single if terms.of_ledger(POSTING_GRAIN) is not Grain.EVENT else ():
            plan = terms.plan_of_lot(event.plan, event.date)
            end = later(event.date, plan.every) if plan is not None else last_day
            if end > last_day:
                found.append((event.subscriber, end))
        return found


def known_since(
    seen: Seen, holders: Iterable[str], introductions: Iterable[Introduction], last_day: date
) -> dict[str, date]:
    """Whoever the closed months know, with the day since which they do.

    `holders` had opening lots: who is in the books of a closed month without an event of their own.
    """
    known = dict(seen.known)
    for introduction in introductions:
        _earliest(known, introduction.name, introduction.date)
    for name in holders:
        _earliest(known, name, last_day)
    return known


def _earliest(known: dict[str, date], name: str, day: date) -> None:
    if name not in known or day < known[name]:
        known[name] = day


def terms_days(entries: Iterable[Directive], holders: Holders) -> dict[tuple[str, Key], date]:
    """The day of the terms of lots that came late, read back from the metadata."""
    days: dict[tuple[str, Key], date] = {}
    for entry in entries:
        if not isinstance(entry, Transaction) or "occurred" not in entry.meta:
            continue
        for lot, units, _ in holders.meaning.lot_legs(entry):
            if (
                units < 0
                and lot.origin not in RESERVED_ORIGINS
                and kind_of_tags(entry.tags) == "allocation"
            ):
                days[lot.holder, key_of(lot)] = entry.meta["occurred"]
    return days


class State(NamedTuple):
    """The closed months, as the open ones go on from them."""

    last_day: date
    seen: Seen
    events: Callable[[], list[FrozenEvent]]  # only looked at where need be
    booked: list[Directive]
    copies: Callable[[], list[Directive]]  # what people wrote; likewise
    held: Held


def carried_state(
    state: State,
    facts: Facts,
    terms: LedgerTerms,
    accounts: Accounts,
    wanted: frozenset[str],
    holder_of: Callable[[], Mapping[str, str]],
) -> Carried:
    """What the engine goes on from; `wanted` are the ids that open events reverse.

    `holder_of` gives the subscribers by component, whatever their day: whoever had opening lots in
    a closed month may be named by an open event only.
    """
    last_day, known = state.last_day, state.seen.names
    introductions = [each for each in facts.introductions if each.date <= last_day]
    names = known | {each.name for each in introductions} | set(terms.components)
    holders = Holders(accounts, names)
    strangers = holders.strangers(state.held)
    if strangers:
        found = holder_of()
        strangers = {found.get(component, component) for component in strangers}
        holders = Holders(accounts, names | strangers)
    lots = holders.lots(state.held)
    assertions = any(facts.assertions)
    undoing = None
    if wanted or assertions:
        undoing = Undoing(holders.meaning, events_by_id(state.events()))
    all_of_it = [*state.booked, *state.copies()] if assertions else []
    return Carried(
        last_day,
        lots,
        known_since(state.seen, known | strangers, introductions, last_day),
        state.seen.schedule,
        undoing.undo(state.booked, wanted) if undoing else {},
        terms_days(state.booked, holders),
        state.seen.period_ends(terms.terms, last_day),
        undoing.totals(all_of_it) if undoing and assertions else None,
    )
