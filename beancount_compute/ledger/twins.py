"""Rows without an id that stand in two files: an export that was loaded twice.

    events/may.csv       2026-05-20,consumption,alice,5,CU
    events/may-2.csv     2026-05-20,consumption,alice,5,CU      ; the same use, or another?

Equal rows of one file are as many events. Of equal rows in several files as many stand as the file
with the most of them has; each file is told of once, with the first that says the same. The ledger
counts as one file.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.economy import CONTENT, Event, Place, quoted
from beancount_compute.ledger.errors import Errors

Content = tuple[object, ...]
_id_of = attrgetter("id")


class Source(NamedTuple):
    """A file with its events; `""` is the ledger."""

    path: str
    events: list[Event]


def drop_twins(sources: Sequence[Source], errors: Errors) -> None:
    """Take the rows out of the sources that stand in another one too, and tell of them."""
    sources = [each for each in sources if not all(map(_id_of, each.events))]
    if len(sources) < 2:
        return
    found: defaultdict[Content, dict[int, list[Event]]] = defaultdict(dict)
    for content in _in_several(sources):
        found[content] = {}
    if not found:
        return
    for at, source in enumerate(sources):
        for event in source.events:
            if not event.id and event[:CONTENT] in found:
                found[event[:CONTENT]].setdefault(at, []).append(event)
    _tell(sources, list(found.values()), errors)
    dropped: defaultdict[int, set[int]] = defaultdict(set)
    for of_source in found.values():
        kept = max(of_source, key=lambda at: (len(of_source[at]), -at))
        for at, events in of_source.items():
            if at != kept:
                dropped[at].update(map(id, events))
    for at, gone in dropped.items():
        sources[at].events[:] = [each for each in sources[at].events if id(each) not in gone]


def _in_several(sources: Sequence[Source]) -> set[Content]:
    """What stands in more than one source."""
    first: dict[Content, int] = {}
    return {
        content
        for at, source in enumerate(sources)
        for event in source.events
        if not event.id
        for content in (event[:CONTENT],)
        if first.setdefault(content, at) != at
    }


def _tell(sources: Sequence[Source], found: list[dict[int, list[Event]]], errors: Errors) -> None:
    rows = [sum(not event.id for event in source.events) for source in sources]
    twins: Counter[tuple[int, int]] = Counter()
    places: dict[tuple[int, int], Place] = {}
    for of_source in found:
        one, *others = sorted(of_source)
        for other in others:  # of n files n - 1 pairs: nobody reads of all that there are
            pair = one, other
            twins[pair] += min(len(of_source[one]), len(of_source[other]))
            place = of_source[other][0].place
            places[pair] = min(places.get(pair, place), place)
    for pair, count in sorted(twins.items()):
        one, other = pair
        here, there = _name(sources[other]), _name(sources[one])
        message = (
            f"{_rows(count)} without an id in {here} and in {there} say the same "
            f"({_rows(rows[other] - count)} of {here} and {rows[one] - count} of {there} have no "
            "twin): an export that was loaded twice? They count once; remove a file, or give each "
            "row an id"
        )
        errors.add(places[pair], message)


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _name(source: Source) -> str:
    return quoted(os.path.basename(source.path)) if source.path else "the ledger"
