"""All that the books are a function of, apart from the terms.

Opening lots, events, assertions, and what people wrote on the pockets by hand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from beancount_compute.economy.events import Event, Place
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.money_back import OfPlan
from beancount_compute.economy.refusals import NotRead


class HandPosting(NamedTuple):
    """A hand-written posting to a pocket: an opening lot, or units taken out of one."""

    date: date
    lot: Lot
    units: Decimal  # opened, or taken out
    place: Place
    flaw: str = ""  # why it can't name an open lot, whatever is held


class OpeningAccrual(NamedTuple):
    """What uses of a day cost that no bill had come for when the ledger began."""

    served: date  # the day of the uses
    date: date
    provider: str
    meter: str
    number: Decimal
    currency: str
    place: Place


class Introduction(NamedTuple):
    """A `compute-subscriber` line: from its day on the subscriber is known."""

    date: date
    name: str
    place: Place


class Assertion(NamedTuple):
    """What a figure must be at the beginning of a day, to the digits written."""

    date: date
    figure: str  # one of `assertions.FIGURES`
    subscriber: str  # "" for all
    number: Decimal
    currency: str  # or the commodity, for units
    place: Place
    id: str = ""  # the writer's idempotency key, as of an event


class Again(NamedTuple):
    """Books that are written once more, under other terms; nothing is asserted of them."""

    stands: date | None = None  # the last closed day
    # hand-written postings whose lot may lie there at another cost
    by_label: frozenset[Place] = frozenset()


class Facts(NamedTuple):
    """Everything that was written, in any order."""

    events: Iterable[Event] = ()
    openings: Iterable[HandPosting] = ()
    removals: Iterable[HandPosting] = ()
    introductions: Iterable[Introduction] = ()
    assertions: Iterable[Assertion] = ()
    # late events, by the day on which they are booked: theirs lies in a closed month
    late: Mapping[date, Iterable[Event]] = MappingProxyType({})
    unread: Iterable[NotRead] = ()  # what can't be read of it
    accruals: Iterable[OpeningAccrual] = ()
    again: Again | None = None  # where the books stand already
    asked: frozenset[str] = frozenset()  # ids of which somebody will ask how to undo their events
    # whether other books, which have none of these events, may end the periods before their time
    handed_on: bool = False


Dated = TypeVar("Dated", Assertion, HandPosting, Introduction, OpeningAccrual)

_id_of = attrgetter("id")
_reversed_by = attrgetter("reverses")
_about = attrgetter("of")
_from_plan, _now = attrgetter("from_plan"), attrgetter("now")


class ByDay(NamedTuple):
    """Events by day, and their ids."""

    on: dict[date, list[Event]]
    ids: list[str]  # of all
    reversed_ids: frozenset[str]  # that reversals name
    about: frozenset[str]  # and what gives money back, or brings it in again
    cut_short: set[OfPlan]  # whose periods may end before their time
    repeated: set[str]


def named_in(events: Iterable[Event]) -> tuple[frozenset[str], frozenset[str]]:
    """The ids that reversals name, and those that money goes back for or comes in again."""
    events = list(events)
    reversed_ids, about = ({*map(named, events)} - {""} for named in (_reversed_by, _about))
    return frozenset(reversed_ids), frozenset(about)


def cut_short(events: Iterable[Event]) -> set[OfPlan]:
    """Whose periods of which plans may end before their time: by a change, or cancelled at once."""
    events = list(events)
    if {*map(_from_plan, events), *map(_now, events)} <= {""}:  # which is told quickly
        return set()
    return {
        (each.subscriber, each.from_plan or each.plan)
        for each in events
        if each.from_plan or each.now
    }


def single_ones(events: Iterable[Event]) -> set[OfPlan]:
    """Who was allocated a single period of which plans."""
    return {
        (each.subscriber, each.plan)
        for each in events
        if each.kind is Kind.ALLOCATION and each.plan
    }


def by_day_of(events: Iterable[Event]) -> ByDay:
    """The events by day, with the ids that they have and name."""
    by_day: defaultdict[date, list[Event]] = defaultdict(list)
    events = list(events)
    for event in events:
        by_day[event.date].append(event)
    # in the order in which they were read, as they lie in memory
    ids = list(filter(None, map(_id_of, events)))
    repeated: set[str] = set()
    if len(set(ids)) < len(ids):
        repeated = {name for name, times in Counter(ids).items() if times > 1}
    return ByDay(dict(by_day), ids, *named_in(events), cut_short(events), repeated)


def only_cancellations(events: list[Event]) -> bool:
    """Whether nothing else happens among events; but at once they make no derived entries."""
    return all(event.kind is Kind.CANCELLATION and not event.now for event in events)


def grouped(things: Iterable[Dated]) -> dict[date, list[Dated]]:
    """Things by their day, in the order given."""
    found: dict[date, list[Dated]] = {}
    for thing in things:
        found.setdefault(thing.date, []).append(thing)
    return found
