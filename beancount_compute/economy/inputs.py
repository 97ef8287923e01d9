"""All that the books are a function of, apart from the terms.

Opening lots, events, assertions, and what people wrote on the pockets by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from beancount_compute.economy.events import Event, Place
from beancount_compute.economy.lots import Lot


class HandPosting(NamedTuple):
    """A hand-written posting to a pocket: an opening lot, or units taken out of one."""

    date: date
    lot: Lot
    units: Decimal  # opened, or taken out
    place: Place
    flaw: str = ""  # why it can't name an open lot, whatever is held


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


class Facts(NamedTuple):
    """Everything that was written, in any order."""

    events: Iterable[Event] = ()
    openings: Iterable[HandPosting] = ()
    removals: Iterable[HandPosting] = ()
    introductions: Iterable[Introduction] = ()
    assertions: Iterable[Assertion] = ()
    # late events, by the day on which they are booked: theirs lies in a closed month
    late: Mapping[date, Iterable[Event]] = MappingProxyType({})
