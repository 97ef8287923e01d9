"""Names that differ by case, blanks or look-alike letters only: one customer, or two?

2026-05-20 custom "compute-consumption" "Ann@x.io" 20 CU      ; "ann@x.io" is known since April
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache

from beancount_compute.economy import KINDS, PARTNER, Month, Place, names_of, quoted
from beancount_compute.review.confusable import keys
from beancount_compute.review.finding import Finding
from beancount_compute.review.looked_at import LookedAt

FirstSeen = tuple[date, str, Place]  # the day of booking, the name, and where it stands


def alike(look: LookedAt, month: str) -> Iterator[Finding]:
    """The names of a month's newcomers that look like known ones."""
    for what, first in (("subscriber", _subscribers(look)), ("partner", _partners(look))):
        yield from _newcomers(what, first, month)


def _newcomers(what: str, first: Iterable[FirstSeen], month: str) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for day, name, place in sorted(first, key=lambda each: each[:2]):
        if Month.of(day).name > month:
            return
        found = keys(name)
        others = sorted({known[key] for key in found if key in known})
        if others and Month.of(day).name == month:
            other = others[0]
            text = (
                f"{what} {quoted(name)} looks like {quoted(other)}: if they are one, write one name"
            )
            yield Finding("name", month, place, text, (what, *sorted((name, other))))
        for key in found:
            known.setdefault(key, name)


def _subscribers(look: LookedAt) -> list[FirstSeen]:
    """Where each subscriber is first named."""
    first: dict[str, FirstSeen] = {}
    for event in look.events:
        for name in names_of(event):
            _note(first, (_day(look.booked(event), event.date), name, event.place))
    for opening in look.openings:
        _note(first, (opening.date, opening.lot.holder, opening.place))
    for line in look.introductions:
        _note(first, (line.date, line.name, line.place))
    return list(first.values())


def _partners(look: LookedAt) -> list[FirstSeen]:
    first: dict[str, FirstSeen] = {}
    for event in look.events:
        if event.counterparty and KINDS[event.kind].counterparty == PARTNER:
            day = _day(look.booked(event), event.date)
            _note(first, (day, event.counterparty, event.place))
    return list(first.values())


@lru_cache(1 << 12)  # many events are of one day
def _day(booked: str, occurred: date) -> date:
    return max(Month.parse(booked).first, occurred)


def _note(first: dict[str, FirstSeen], seen: FirstSeen) -> None:
    known = first.setdefault(seen[1], seen)
    if seen < known:
        first[seen[1]] = seen
