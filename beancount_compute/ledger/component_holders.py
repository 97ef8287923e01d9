"""Who has which account component: accounts say components, and events say names.

    2026-01-02 custom "compute-allocation" "bob" 10 CU 1 USD     ; bob becomes known, and has Bob
    2026-01-03 * "By hand"
      Liabilities:DeferredRevenue:Tokens:Bob  5 CU {...}         ; so this is a lot of bob's

Two names may have one component, and only one of them can be known. Hand-written postings are read
before the books are worked out, so that it is looked up here whom they mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from beancount.core.data import Transaction

from beancount_compute.economy import (
    KINDS,
    MAKES_KNOWN,
    PARTNER,
    Event,
    names_of,
    quoted,
)
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.meaning import is_of_provider, kind_of_tags
from beancount_compute.ledger.names import component_of
from beancount_compute.ledger.term_directives import Line
from beancount_compute.ledger.writing import ORDER

_WITH_PARTNER = frozenset(kind for kind, row in KINDS.items() if row.counterparty == PARTNER)
Mention = tuple[date, int, str]  # day, phase and name: the first of them comes first in the books


def free_components(lines: list[Line], events: Iterable[Event], errors: Errors) -> list[Line]:
    """The `compute-subscriber` lines whose component no other subscriber has without one.

    Whoever is only mentioned has none: it takes an event that makes a subscriber known.
    """
    named = {line.name for line in lines}
    taken = (
        {
            component_of(event.subscriber): event.subscriber
            for event in events
            if event.kind in MAKES_KNOWN and not event.flaw and event.subscriber not in named
        }
        if lines
        else {}
    )
    kept: list[Line] = []
    for line in lines:
        other = taken.get(line.value)
        if other is None:
            kept.append(line)
        else:
            message = (
                f"subscriber {quoted(other)} has the component {line.value} already: "
                f"give {quoted(line.name)} another"
            )
            errors.add(line.place, message)
    return kept


def mentions(events: Iterable[Event]) -> dict[str, Mention]:
    """Where each name comes first in events."""
    first: dict[str, Mention] = {}
    for event in events:
        for name in names_of(event):
            place = (event.date, event.phase, name)
            if name not in first or place < first[name]:
                first[name] = place
    return first


def holders_of(
    named: Mapping[str, str],
    booked: Iterable[str],
    mentioned: Mapping[str, Mention],
    component: Callable[[str], str],
    made_known: Callable[[], Mapping[str, str]],
) -> dict[str, str]:
    """The subscriber of each component: the named ones, those of closed months, then others.

    A name under which closed months booked something stays: no later event changes it. Of several
    names that events mention the one counts that they make known (`made_known`, asked only then),
    else the first.
    """
    holders = dict(named)
    for name in sorted(booked):
        holders.setdefault(component(name), name)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for _, _, name in sorted(mentioned.values()):
        names[component(name)].append(name)
    if any(len(each) > 1 and of not in holders for of, each in names.items()):
        for of, name in made_known().items():
            holders.setdefault(of, name)
    for of, (first, *_) in names.items():
        holders.setdefault(of, first)
    return holders


def names_in(
    transactions: Iterable[Transaction], accounts: Accounts, introduced: Mapping[str, str]
) -> dict[str, str]:
    """The subscriber of each account component: whom the books or `introduced` name.

    `introduced` gives the components of those that a `compute-subscriber` names.
    """
    names: dict[str, None] = {}  # in order
    for entry in transactions:
        if ORDER in entry.meta:
            if not is_of_provider(entry):
                names[entry.payee or ""] = None
            other = entry.meta.get("counterparty")
            if other.__class__ is str and not _with_partner(entry):
                names[other] = None
    found = {component: name for name, component in introduced.items()}
    for name in names:
        if name:
            found.setdefault(accounts.component(name), name)
    return found


def _with_partner(entry: Transaction) -> bool:
    return not _WITH_PARTNER.isdisjoint((kind_of_tags(entry.tags), entry.meta.get("undoes")))
