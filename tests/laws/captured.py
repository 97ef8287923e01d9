"""A random ledger as the plugin reads it: what Beancount loads, and what the engine is given."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from beancount import loader
from beancount.core.data import Directive, Price, Transaction

from beancount_compute import booking
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.terms import Terms
from tests.economy.building import Books, book_facts

MADE_BY = "__order"  # stands in the metadata of whatever the plugin books


class Captured(NamedTuple):
    """One load of a ledger, and the engine's books of the very facts that it read."""

    path: Path
    entries: list[Directive]
    errors: list[Any]
    options: dict[str, Any]
    facts: Facts
    terms: Terms
    component: Any
    books: Books

    def again(self, facts: Facts | None = None, terms: Terms | None = None) -> Books:
        """The engine's books of other facts or terms, with the same accounts."""
        return book_facts(facts or self.facts, terms or self.terms, self.component)


def capture(path: Path) -> Captured:
    """Load a ledger, and remember what the plugin gives to the engine: never from a cache."""
    uncached = patch.object(loader, "_load_file", loader._uncached_load_file)
    with uncached, _given() as given:
        entries, errors, options = loader.load_file(str(path))
    ((facts, terms, component),) = given
    return Captured(
        path, entries, errors, options, facts, terms, component, book_facts(facts, terms, component)
    )


@contextmanager
def _given() -> Iterator[list[tuple[Facts, Terms, Any]]]:
    given: list[tuple[Facts, Terms, Any]] = []
    own = threading.get_ident()  # a page of an earlier test may still prepare itself in another

    def remember(facts: Facts, terms: Terms, component: Any, carried: Any) -> Bookkeeper:
        kept = facts._replace(events=list(facts.events))
        if threading.get_ident() == own:
            given.append((kept, terms, component))
        return Bookkeeper(kept, terms, component, carried)

    with patch.object(booking, "Bookkeeper", remember):
        yield given


def generated(entries: list[Directive]) -> list[Transaction]:
    """The transactions that the plugin made, in the engine's order."""
    made = [each for each in entries if isinstance(each, Transaction) and MADE_BY in each.meta]
    return sorted(made, key=lambda each: each.meta[MADE_BY])


def kind_of(entry: Transaction) -> str:
    """A generated transaction's kind, from its tags alone."""
    tags = {tag.removeprefix("compute-") for tag in entry.tags if tag.startswith("compute-")}
    if "money-refund" in tags:
        tags.discard("refund")
    (kind,) = tags - {"overage"}
    return kind


def booked(entries: list[Directive]) -> list[str]:
    """All that was booked, without the places: what shuffling must not change."""
    lines = [
        f"{each.date} {kind_of(each)} {each.payee!r} {each.narration!r} {each.meta['event']} "
        f"{sorted(each.tags)} {sorted(each.links)} {each.meta.get('events')} "
        + "; ".join(
            f"{p.account} {p.units.number:f} {p.units.currency} {p.cost} {p.price}"
            for p in each.postings
            if p.units is not None
        )
        for each in generated(entries)
    ]
    lines += [
        f"{each.date} price {each.currency} {each.amount}"
        for each in entries
        if isinstance(each, Price)
    ]
    opened = [each for each in entries if type(each).__name__ == "Open"]
    return lines + sorted(f"{each.date} open {each.account}" for each in opened)


def said(errors: list[Any]) -> list[str]:
    """The messages without the places that they name."""
    return sorted(_PLACE.sub("", each.message) for each in errors)


_PLACE = re.compile(r"[^\s\"']*\.(beancount|csv|parquet)[:\s]*(row )?\d*|'lineno': \d+")
