"""What people wrote in closed months stays in the ledger; frozen copies tell whether it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import (
    Balance,
    Custom,
    Directive,
    Open,
    Pad,
    Price,
    Transaction,
    entry_sortkey,
)
from beancount.ops.pad import pad

from beancount_compute.closed.content import BY_HAND, FROZEN, ON_LOAD, item_of
from beancount_compute.closed.default_meter import check_default_meter
from beancount_compute.closed.frozen_months import Closed, FrozenMonth
from beancount_compute.closed.frozen_text import Copy, copy_of, terms_in
from beancount_compute.closed.grant_currency import check_grant_currency
from beancount_compute.closed.used_terms import ASSERT, by_name, check_catch_ups, check_terms
from beancount_compute.economy import Assertion, Place, quoted
from beancount_compute.ledger import (
    BULK_TAG,
    Errors,
    FieldError,
    LedgerTerms,
    Line,
    assertion_of,
    component_of,
    directive_text,
    place_of,
    string,
)

_pad: Any = pad  # it has no types
PADDED = "P"  # the flag of what Beancount pads


def is_copied(entry: Directive, units: frozenset[str]) -> bool:
    """Whether what a person wrote is frozen with its month: transactions, and prices of units."""
    return isinstance(entry, Transaction) or (isinstance(entry, Price) and entry.currency in units)


def units_by_month(closed: Closed) -> dict[str, frozenset[str]]:
    """The units whose prices each closed month has copies of.

    Those of the plans that were used so far, and whatever it has prices of: a plan of new units
    makes none of its own prices theirs.
    """
    known: set[str] = set()
    found: dict[str, frozenset[str]] = {}
    for month in closed.months:
        for entry in month.text.terms:
            if entry.type == "compute-plan":
                values = [value for value, _ in (entry.values or ())[2:]]
                known |= {str(each.currency) for each in values if isinstance(each, Amount)}
        texts = [copy.text.split(None, 3) for copy in month.text.copies]
        priced = {words[2] for words in texts if words[1:2] == ["price"]}
        found[month.name] = frozenset(known | priced)
    return found


def written_in_closed(
    entries: Iterable[Directive], units: Mapping[str, frozenset[str]], closed: Closed
) -> list[Directive]:
    """What people wrote in closed months, of the kinds that are frozen with them."""
    none: frozenset[str] = frozenset()
    last_day, month_of = closed.last_day, closed.chain.month_of
    return [
        entry
        for entry in entries
        if entry.date <= last_day and is_copied(entry, units.get(month_of(entry.date), none))
    ]


def check_copies(written: Iterable[Directive], closed: Closed, errors: Errors) -> None:
    """Compare what people wrote in closed months with the frozen copies."""
    frozen: dict[str, list[tuple[FrozenMonth, Copy]]] = {}
    for month in closed.months:
        for copy in month.text.copies:
            if f'{FROZEN}: "{BY_HAND}"' in copy.text:
                frozen.setdefault(copy.text, []).append((month, copy))
    strange: list[Directive] = []
    for entry in written:
        same = frozen.get(directive_text(copy_of(entry, BY_HAND)).rstrip("\n"))
        if same:
            same.pop()
        else:
            strange.append(entry)
    left = [each for same in frozen.values() for each in same]
    strange, left = _by_value(strange, left)
    in_bulk = [each for each in strange if BULK_TAG in (getattr(each, "tags", None) or ())]
    for entry in [each for each in strange if each not in in_bulk]:
        what = "transaction" if isinstance(entry, Transaction) else "price"
        message = (
            f"this {what} of {entry.date} is not in the closed month as it stands here: it was "
            f"added or changed afterwards; restore it, and write what is new on "
            f"{closed.first_open_day} or later"
        )
        errors.add(place_of(entry.meta), message)
    heads = [(month, copy, copy.text.partition("\n")[0]) for month, copy in left]
    for month, copy, head in heads:
        if f" #{BULK_TAG}" in head:
            continue
        message = (
            f"gone from the ledger, or changed, after {month.name} was closed: {head}: restore "
            f"it, and correct it with an entry of {closed.first_open_day} or later"
        )
        errors.add(copy.place, message)
    gone = [(month, copy.place, head) for month, copy, head in heads if f" #{BULK_TAG}" in head]
    _tell_journals(in_bulk, gone, closed, errors)


def _tell_journals(
    strange: Sequence[Directive],
    gone: Sequence[tuple[FrozenMonth, Place, str]],
    closed: Closed,
    errors: Errors,
) -> None:
    """Name the journals of months in bulk that changed: once each, by the first difference."""
    where = [(closed.chain.month_of(each.date), place_of(each.meta), "is new") for each in strange]
    where += [(month.name, place, f"is gone: {head}") for month, place, head in gone]
    first: dict[str, tuple[Place, str]] = {}
    count = Counter(name for name, _, _ in where)
    for name, place, what in where:
        first.setdefault(name, (place, what))
    for name, (place, what) in sorted(first.items()):
        more = f" (and {count[name] - 1:,} more)" if count[name] > 1 else ""
        message = (
            f"the journal of {name} was changed after it was closed: this transaction {what}"
            f"{more}: restore it, or reopen {name}"
        )
        errors.add(place, message)


def _by_value(
    strange: list[Directive], left: list[tuple[FrozenMonth, Copy]]
) -> tuple[list[Directive], list[tuple[FrozenMonth, Copy]]]:
    """What has no pair that is the same but for spacing or idle zeros."""
    if not strange or not left:
        return strange, left
    by_item: dict[str, list[tuple[FrozenMonth, Copy]]] = {}
    for each in left:
        by_item.setdefault(item_of(each[1].read), []).append(each)
    unpaired: list[Directive] = []
    for entry in strange:
        same = by_item.get(item_of(copy_of(entry, BY_HAND)))
        if same:
            same.pop()
        else:
            unpaired.append(entry)
    return unpaired, [each for same in by_item.values() for each in same]


def check_paddings(
    closed: Closed,
    entries: Iterable[Directive],
    options: dict[str, Any],
    errors: Errors,
) -> None:
    """Compare what Beancount will pad in the closed months with what it padded then.

    A balance behind a `pad` decides on its amount, and may have been changed since.
    """
    entries, others = list(entries), []  # what plugins behind ours wrote
    frozen: dict[str, tuple[FrozenMonth, Copy]] = {}
    for month in closed.months:
        for copy in month.text.copies:
            if f'{FROZEN}: "{ON_LOAD}"' not in copy.text:
                continue
            if copy.text[11] == PADDED:
                frozen[item_of(copy.read)] = (month, copy)
            else:
                others.append(copy.read)
    pads = [entry for entry in entries if isinstance(entry, Pad)]
    if not frozen and not any(entry.date <= closed.last_day for entry in pads):
        return
    looked_at = _on_accounts([entry.account for entry in pads], [*entries, *others])
    padded, _ = _pad(sorted(looked_at, key=entry_sortkey), options)
    written = set(map(id, looked_at))  # a person may write that flag as well
    for entry in padded:
        if not isinstance(entry, Transaction) or entry.flag != PADDED or id(entry) in written:
            continue
        if entry.date <= closed.last_day and not frozen.pop(item_of(copy_of(entry, ON_LOAD)), None):
            message = (
                f"this pad gives {entry.postings[0].units} now, which is not in the closed month "
                f"of {entry.date}: a balance behind it was changed or added; restore it"
            )
            errors.add(place_of(entry.meta), message)
    for month, copy in frozen.values():
        head = copy.text.partition("\n")[0]
        message = (
            f"this was padded when {month.name} was closed, and is not any more: {head}: restore "
            "the pad and the balance behind it"
        )
        errors.add(copy.place, message)


def _on_accounts(accounts: Iterable[str], entries: Iterable[Directive]) -> list[Directive]:
    """What Beancount looks at to pad accounts."""
    above = tuple(f"{account}:" for account in accounts)
    found: list[Directive] = []
    for entry in entries:
        if isinstance(entry, Transaction):
            postings = entry.postings
            on = any(f"{posting.account}:".startswith(above) for posting in postings)
            if on and all(type(posting.units) is Amount for posting in postings):
                found.append(entry)
        elif isinstance(entry, Pad | Balance | Open):
            found.append(entry)
    return found


def check_assertions(
    assertions: Iterable[Assertion], closed: Closed, errors: Errors
) -> list[Assertion]:
    """The open assertions; one of a closed month must have been there when it was closed."""
    frozen = Counter(item_of(_bare(entry)) for entry in closed.terms if entry.type == ASSERT)
    opened: list[Assertion] = []
    for each in assertions:
        if each.date > closed.last_day:
            opened.append(each)
        elif not frozen[assertion_item(each)]:
            message = (
                f"an assertion can't come late: {each.date} lies in a closed month; "
                f"date it {closed.first_open_day}, the first open day, or later"
            )
            errors.add(each.place, message)
    return opened


def frozen_assertions(closed: Closed) -> list[Assertion]:
    """The assertions of closed months as they were frozen."""
    found: list[Assertion] = []
    for entry in closed.terms:
        if entry.type == ASSERT:
            with suppress(FieldError):  # was forged
                found.append(assertion_of(entry))
    return found


def _bare(entry: Custom) -> Custom:
    return entry._replace(meta={})


def assertion_text(each: Assertion) -> str:
    """An assertion as it is frozen."""
    whose = f" {string(each.subscriber)}" if each.subscriber else ""
    return f'{each.date} custom "{ASSERT}" "{each.figure}"{whose} {each.number:f} {each.currency}\n'


def assertion_item(each: Assertion) -> str:
    """An assertion by value."""
    (entry,) = terms_in(assertion_text(each))
    return item_of(_bare(entry))


def check_frozen_terms(
    closed: Closed, terms: LedgerTerms, lines: list[Custom], errors: Errors
) -> None:
    """Compare the ledger's terms with those that the closed months used."""
    lines_of = by_name(lines)
    for month in closed.months:
        seal, frozen = month.files.seal, month.text.terms
        check_terms(seal, frozen, terms, lines_of, closed.first_open_day, errors)
    check_catch_ups(closed.terms, terms.terms, closed.last_day, closed.first_open_day, errors)
    booked = [(month.files.seal, month.text.booked) for month in closed.months]
    check_grant_currency(booked, terms.terms.grant_currency, errors)
    check_default_meter(booked, terms.terms, lines, closed.first_open_day, errors)


def names_that_stay(lines: list[Line], closed: Closed, errors: Errors) -> list[Line]:
    """The `compute-subscriber` lines that change nobody's accounts of closed months.

    The books stand on those accounts, so that a line that does is an error, and does not hold.
    """
    if closed.state is None or not lines:
        return lines
    frozen = {
        str(entry.values[0].value): str(entry.values[1].value)
        for entry in closed.terms
        if entry.type == "compute-subscriber" and len(entry.values or ()) > 1
    }
    booked = {name: frozen.get(name) or component_of(name) for name in closed.state.named}
    holders = {component: name for name, component in sorted(booked.items())}
    kept: list[Line] = []
    for line in lines:
        holder = holders.get(line.value, line.name)
        if line.name not in frozen and booked.get(line.name, line.value) != line.value:
            message = (
                f"subscriber {quoted(line.name)} is in the books of {closed.months[-1].name} or "
                f"before under another component: remove this line, or reopen those months"
            )
        elif holder != line.name:
            message = (
                f"subscriber {quoted(holder)} has the component {line.value} already: "
                f"give {quoted(line.name)} another"
            )
        else:
            kept.append(line)
            continue
        errors.add(line.place, message)
    return kept
