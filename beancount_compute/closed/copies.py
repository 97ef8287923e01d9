"""What people wrote in closed months stays in the ledger; frozen copies tell whether it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress

from beancount.core.data import Custom, Directive, Price, Transaction

from beancount_compute.closed.chain import Chain
from beancount_compute.closed.content import BY_HAND, FROZEN, item_of
from beancount_compute.closed.month_files import copy_of, terms_in
from beancount_compute.closed.months import Closed, FrozenMonth, copied_entry
from beancount_compute.closed.used_terms import ASSERT, check_terms
from beancount_compute.economy.events import Place
from beancount_compute.economy.inputs import Assertion
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.assertion_directives import assertion_of
from beancount_compute.ledger.directives import place_of
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.terms_in_force import LedgerTerms
from beancount_compute.ledger.text import directive_text, string


def is_copied(entry: Directive, units: frozenset[str]) -> bool:
    """Whether what a person wrote is frozen with its month: transactions, and prices of units."""
    return isinstance(entry, Transaction) or (isinstance(entry, Price) and entry.currency in units)


def units_by_month(
    months: Iterable[FrozenMonth], units: frozenset[str]
) -> dict[str, frozenset[str]]:
    """The units whose prices each closed month has copies of.

    Those of the plans that were used so far, and whatever it has prices of: a plan of new units
    makes none of its own prices theirs. A month that does not hold can't tell: then all `units`.
    """
    known: set[str] = set()
    found: dict[str, frozenset[str]] = {}
    for month in months:
        for entry in month.month.terms:
            if entry.type == "compute-plan" and len(entry.values or ()) == 3:
                known.add(str(getattr(entry.values[2].value, "currency", "")))
        texts = [text.split(None, 3) for text, _, _ in month.month.copies]
        priced = {words[2] for words in texts if words[1] == "price"}
        found[month.name] = frozenset(known | priced) if month.holds else units
    return found


def written_in_closed(
    entries: Iterable[Directive], units: Mapping[str, frozenset[str]], chain: Chain
) -> list[Directive]:
    """What people wrote in closed months, of the kinds that are frozen with them."""
    none: frozenset[str] = frozenset()
    return [
        entry
        for entry in entries
        if entry.date <= chain.last_day
        and is_copied(entry, units.get(chain.month_of(entry.date), none))
    ]


def check_copies(
    written: Iterable[Directive], months: Iterable[FrozenMonth], chain: Chain, errors: Errors
) -> None:
    """Compare what people wrote in closed months with the frozen copies."""
    frozen: dict[str, list[tuple[FrozenMonth, Place, Directive | None]]] = {}
    for month in months:
        for text, place, entry in month.month.copies:
            if f'{FROZEN}: "{BY_HAND}"' in text:
                frozen.setdefault(text, []).append((month, place, entry))
    strange: list[Directive] = []
    for entry in written:
        text = directive_text(copy_of(entry, BY_HAND)).rstrip("\n")
        if frozen.get(text):
            frozen[text].pop()
        else:
            strange.append(entry)
    left = [(text, *each) for text, found in frozen.items() for each in found]
    _by_value(strange, left)
    doubtful = {month.name for month in months if not month.holds}
    for entry in strange:
        if chain.month_of(entry.date) in doubtful:
            continue  # the frozen copy may be what was changed: that is told elsewhere
        what = "transaction" if isinstance(entry, Transaction) else "price"
        message = (
            f"this {what} of {entry.date} is not in the closed month as it stands here: it was "
            f"added or changed afterwards; restore it, and write what is new on "
            f"{chain.first_open_day} or later"
        )
        errors.add(place_of(entry.meta), message)
    for text, month, place, _ in left:
        if month.holds:
            head = text.partition("\n")[0]
            message = (
                f"gone from the ledger, or changed, after {month.name} was closed: {head}: restore "
                f"it, and correct it with an entry of {chain.first_open_day} or later"
            )
            errors.add(place, message)


def _by_value(
    strange: list[Directive],
    left: list[tuple[str, FrozenMonth, Place, Directive | None]],
) -> None:
    """Pair what is the same but for spacing or idle zeros; both lists keep what has no pair."""
    for entry in list(strange):
        item = item_of(copy_of(entry, BY_HAND))
        for each in left:
            if item_of(copied_entry(each[0], each[3])) == item:
                strange.remove(entry)
                left.remove(each)
                break


def check_assertions(
    assertions: Iterable[Assertion],
    months: Iterable[FrozenMonth],
    chain: Chain,
    errors: Errors,
) -> list[Assertion]:
    """The open assertions; one of a closed month must have been there when it was closed."""
    frozen = Counter(
        item_of(_bare(entry))
        for month in months
        for entry in month.month.terms
        if entry.type == ASSERT
    )
    opened: list[Assertion] = []
    for each in assertions:
        if each.date > chain.last_day:
            opened.append(each)
        elif not frozen[assertion_item(each)]:
            message = (
                f"an assertion can't come late: {each.date} lies in a closed month; "
                f"date it {chain.first_open_day}, the first open day, or later"
            )
            errors.add(each.place, message)
    return opened


def frozen_assertions(months: Iterable[FrozenMonth]) -> list[Assertion]:
    """The assertions of closed months as they were frozen."""
    found: list[Assertion] = []
    for entry in (each for month in months for each in month.month.terms if each.type == ASSERT):
        with suppress(FieldError):  # was edited: that is an error of its own
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
    for month in closed.months:
        if month.holds:
            seal, first_open = month.files.seal, closed.chain.first_open_day
            check_terms(seal, month.month.terms, terms, lines, first_open, errors)


def check_names(closed: Closed, names: set[str], terms: LedgerTerms, errors: Errors) -> None:
    """A `compute-subscriber` line can't rename the accounts of somebody in a closed month."""
    named = {
        str(entry.values[0].value)
        for month in closed.months
        for entry in month.month.terms
        if entry.type == "compute-subscriber" and entry.values
    }
    for line in terms.introductions:
        if line.name in names and line.name not in named:
            message = (
                f"subscriber {quoted(line.name)} is in the books of {closed.months[-1].name} or "
                f"before under another component: remove this line, or reopen those months"
            )
            errors.add(line.place, message)
