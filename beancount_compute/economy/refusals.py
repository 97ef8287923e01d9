"""What can't be booked: said with its figures, and with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from beancount_compute.economy.events import Event, Place
from beancount_compute.economy.kinds import KINDS, Kind
from beancount_compute.economy.rounding import WIDE, ZERO


class Refused(Exception):
    """An event that can't be booked; says what is wrong and what to write instead."""


class Lacking(Refused):
    """Refused for what isn't there: units, a subscriber, a plan, an event.

    `name` is the subscriber who lacks it, `units` are how many of a commodity are missing: what was
    refused of that one before may be why.
    """

    def __init__(
        self, message: str, name: str = "", units: tuple[Decimal, str] | None = None
    ) -> None:
        super().__init__(message)
        self.name = name
        self.units = units


class Refusal(NamedTuple):
    """What was refused, where it was written, and why."""

    place: Place
    message: str
    cause: Place | None = None  # what was refused first, and this follows from


class NotRead(NamedTuple):
    """What was written and can't be read: a line or row, as far as it says anything, or a file."""

    place: Place
    names: tuple[str, ...] = ()  # whom it would have made known, or given units
    id: str = ""
    day: str = ""  # "2026-05-20"; "" where nobody knows
    whole_file: bool = False  # which may have said anything
    kinds: tuple[Kind, ...] = ()  # of which it would have been an event

    def may_be(self, kind: Kind, month: str) -> bool:
        """Whether an event of a kind and month is missing for it."""
        return self.whole_file or (kind in self.kinds and self.day[: len(month)] in ("", month))


def never_usable(name: str, end: date, day: date) -> str:
    """Why units of a day can't end on a day that is not after it; `name` is the end's."""
    return (
        f"{name} {end} is not after {day}: nothing of it could ever be used; "
        f"{name} is the first day on which the units are no longer usable"
    )


def receiver(kind: Kind, subscriber: str, counterparty: str) -> str:
    """Whom an event of a kind makes known or gives something; "" where it takes units only.

    A change gives its own subscriber another plan.
    """
    row = KINDS[kind]
    if row.makes_known or kind is Kind.CHANGE:
        return subscriber
    return counterparty if row.gives else ""


class _Without(NamedTuple):
    """Since when a subscriber goes without something."""

    place: Place
    units: Decimal | None  # None where nobody knows how many

    def explains(self, lacking: Lacking) -> bool:
        """Whether nothing would be lacking otherwise."""
        return self.units is None or lacking.units is None or lacking.units[0] <= self.units


class Causes:
    """What refused events follow from: what was refused before them, or can't be read at all.

    Whoever would have been on a plan that can't be read uses and sells what was never allocated.
    That is said once, where it begins.
    """

    def __init__(
        self,
        plans: Mapping[str, Place],
        unread: Iterable[NotRead] = (),
        meters: Mapping[str, Place] = MappingProxyType({}),
    ) -> None:
        self._plans = plans  # where those are written that can't be read
        self._meters = meters  # likewise
        self._without: dict[tuple[str, str], _Without] = {}  # by subscriber and commodity
        self._events: dict[str, Place] = {}
        self._lost: list[NotRead] = []  # lines and rows
        self._unread: dict[str, list[NotRead]] = {}  # the same by the names in them
        self.file: Place | None = None  # the first that can't be read
        for each in sorted(unread, key=lambda each: (each.day, each.id, each.names, each.place)):
            if each.whole_file:
                self.file = self.file or each.place
            else:
                self._lost.append(each)
            if each.id:
                self._events.setdefault(each.id, each.place)
            for name in filter(None, each.names):
                self._unread.setdefault(name, []).append(each)

    def of(self, event: Event, refused: Refused, left_without: str) -> Place | None:
        """Where what a refused event follows from was written; None where it stands alone.

        `left_without` names who doesn't get what the event would have given, if anybody.
        """
        cause = self._cause(event, refused) if isinstance(refused, Lacking) else None
        begins = cause or event.place
        if left_without:
            units = None if event.plan else (max(event.units or ZERO, ZERO), event.commodity)
            self.begin(left_without, begins, units)
        if event.id:
            self._events.setdefault(event.id, begins)
        return cause

    def begin(self, name: str, place: Place, units: tuple[Decimal, str] | None = None) -> None:
        """Note where it begins that a subscriber goes without something, or all of a plan."""
        number, commodity = units or (None, "")
        first = self._without.setdefault((name, commodity), _Without(place, ZERO))
        more = None if number is None or first.units is None else WIDE.add(first.units, number)
        self._without[name, commodity] = first._replace(units=more)

    def of_figure(self, name: str, day: date) -> Place | None:
        """Where it begins that a figure of a subscriber, or of all, lacks something on a day."""
        if self.file:
            return self.file
        without = (each.place for (of, _), each in self._without.items() if not name or of == name)
        lost = self._unread.get(name, ()) if name else self._lost
        unread = (each.place for each in lost if each.day <= day.isoformat())
        return next(chain(without, unread), None)

    def _cause(self, event: Event, lacking: Lacking) -> Place | None:
        name, commodity = lacking.name, lacking.units[1] if lacking.units else ""
        if event.plan and event.plan in self._plans:
            return self._plans[event.plan]
        if event.meter and event.meter in self._meters:
            return self._meters[event.meter]
        for named in filter(None, (event.reverses, event.of)):
            found_event = self._events.get(named) or self._events.get(named.rpartition("/")[0])
            if found_event:
                return found_event
        for of in dict.fromkeys(["", commodity or event.commodity]):
            found = self._without.get((name, of))
            if found and found.explains(lacking):
                return found.place
        for each in self._unread.get(name, ()):
            if each.day <= event.date.isoformat():
                return each.place
        return self.file if name or event.reverses else None
