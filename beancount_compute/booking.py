"""Booking: what a ledger says in, the directives that the plugin adds out.

terms, events, opening lots, seals  ->  closed months as they stand, then the open ones
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive, Open, Price, Transaction
from beancount.core.getters import get_entry_accounts

from beancount_compute.closed.carrying import State, carried_state
from beancount_compute.closed.chain import Chain, read_chain
from beancount_compute.closed.copies import (
    check_assertions,
    check_copies,
    check_frozen_terms,
    check_names,
    units_by_month,
    written_in_closed,
)
from beancount_compute.closed.files import Files, check_included, read_files
from beancount_compute.closed.held import nothing_held
from beancount_compute.closed.months import (
    Closed,
    frozen_accounts,
    lost_plans,
    open_months,
    read_texts,
)
from beancount_compute.closed.restoring import restore
from beancount_compute.closed.sources import Sources, split_sources
from beancount_compute.economy.carried import Carried
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Assertion, Facts, Introduction
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.component_holders import (
    Mention,
    free_components,
    holders_of,
    mentions,
)
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.finding_files import FileRequest
from beancount_compute.ledger.hand_written import (
    check_openings,
    pocket_postings,
    read_hand_written,
)
from beancount_compute.ledger.term_directives import Line
from beancount_compute.ledger.terms_in_force import LedgerTerms
from beancount_compute.ledger.terms_of_ledger import roots_of, terms_of
from beancount_compute.ledger.writing import Writer, open_directives


class Written(NamedTuple):
    """The `compute-` directives of a ledger, by what they are."""

    terms: list[Custom]
    events: list[Event]
    assertions: list[Assertion]
    files: list[FileRequest]
    seals: list[Custom]


class Booking(NamedTuple):
    """All that a load worked with: what the month end goes on from."""

    entries: list[Directive]  # as the plugin was given them
    options: dict[str, Any]
    terms: LedgerTerms
    accounts: Accounts
    facts: Facts  # of the open days, and the late events
    written_by_hand: Facts  # opening lots, removals and introductions of all days
    events: list[Event]  # of the open days; none where nobody asked for them
    assertions: list[Assertion]  # all
    chain: Chain
    closed: Closed
    carried: Carried | None
    generated: list[Directive]
    opened: list[Open]  # the accounts that the plugin uses and that the ledger opens nowhere


class Ledger(NamedTuple):
    """A ledger on its way through booking."""

    entries: list[Directive]
    others: list[Directive]  # the entries without `custom` directives, which are most
    written: Written
    said: LedgerTerms  # as the ledger says them now
    terms: LedgerTerms  # the same, and the plans of closed months that are gone from it
    named: list[Line]  # the `compute-subscriber` lines that stand
    writer: Writer
    fields: Fields
    errors: Errors


class Past(NamedTuple):
    """The closed months, and what the ledger's own events are beside them."""

    closed: Closed
    sources: Sources | None = None  # None where no month is closed

    @property
    def late(self) -> list[Event]:
        """The events that come late."""
        return self.sources.late if self.sources else []


def book(
    entries: list[Directive],
    written: Written,
    options_map: dict[str, Any],
    fields: Fields,
    errors: Errors,
    *,
    keep_events: bool,
) -> Booking:
    """The directives that the plugin adds to a ledger, and what they come from.

    The events are many; they are kept for whoever goes on from them.
    """
    said = terms_of(written.terms, options_map, errors)
    check_included(written.seals, options_map.get("filename") or "", errors)
    chain = read_chain(written.seals, errors)
    files = read_files(chain, options_map["include"], errors)
    lost = lost_plans(said, files)
    terms = terms_of([*written.terms, *lost], options_map, Errors()) if lost else said
    templates, frozen_components = frozen_accounts(terms, files)
    named = free_components(terms.introductions, written.events, errors)
    components = {**{line.name: line.value for line in named}, **frozen_components}
    accounts = Accounts(templates, components, roots_of(options_map))
    others = [entry for entry in entries if entry.__class__ is not Custom]
    writer = Writer(accounts)
    ledger = Ledger(entries, others, written, said, terms, named, writer, fields, errors)
    past = _past(ledger, chain, files)
    whole = _facts(ledger, past)
    carried, facts = _carried(ledger, past, whole)
    kept = [*written.events] if keep_events else []
    generated = past.closed.booked + _book_open(ledger, facts, carried)
    opened = open_directives(_to_open(others, ledger.writer.first_used))
    return Booking(
        entries,
        options_map,
        terms,
        accounts,
        facts,
        whole,
        kept,
        list(written.assertions),
        chain,
        past.closed,
        carried,
        generated,
        opened,
    )


def _book_open(ledger: Ledger, facts: Facts, carried: Carried | None) -> list[Directive]:
    """The transactions and prices of the open days."""
    writer = ledger.writer
    keeper = Bookkeeper(facts, ledger.terms.terms, writer.accounts.component, carried)
    ledger.written.events.clear()  # the bookkeeper has them now, and lets them go day by day
    booked: list[Directive] = []
    for records in keeper.records():
        booked += writer.transactions(records)
    own_prices = _own_prices(ledger.others)
    booked += [
        writer.price(price)
        for price in keeper.prices()
        if (price.date, price.commodity, price.currency) not in own_prices
    ]
    ledger.errors.add_refusals(keeper.refusals)
    return booked


def _past(ledger: Ledger, chain: Chain, files: list[Files]) -> Past:
    """The closed months; of the ledger's own events the open ones are left in `written`."""
    writer, written, errors = ledger.writer, ledger.written, ledger.errors
    held = nothing_held()
    reading = (writer.accounts, ledger.fields, writer.next_order, held, errors)
    months = open_months(files, *reading)
    if not months:
        return Past(Closed(chain, [], held))
    sources = split_sources(written.events, months, chain, errors)
    written.events[:] = sources.opened
    closed = Closed(chain, read_texts(months, *reading), held)
    _check_closed(ledger, closed, sources)
    writer.first_used.update(held.first_used)
    return Past(closed, sources)


def _carried(ledger: Ledger, past: Past, facts: Facts) -> tuple[Carried | None, Facts]:
    """The state that the closed months hand on, and the facts behind them."""
    closed, sources = past
    if sources is None:
        return None, facts
    terms, accounts, errors = ledger.terms, ledger.writer.accounts, ledger.errors
    last_day, booked = closed.chain.last_day, closed.booked
    state = State(last_day, sources.seen, closed.events, booked, closed.copies, closed.held)
    if not closed.hold:
        by_hand = ledger.written.assertions, ledger.entries
        state = restore(closed, sources, facts, *by_hand, terms, accounts, errors)

    def holder_of() -> dict[str, str]:
        return _holders(ledger, past, state.seen.first)

    wanted = _reversed(facts, past.late)
    carried = carried_state(state, facts, terms, accounts, wanted, holder_of)
    return carried, _behind(facts, last_day)


def _check_closed(ledger: Ledger, closed: Closed, sources: Sources) -> None:
    """Compare what else a ledger says of its closed months with what was frozen."""
    errors = ledger.errors
    check_frozen_terms(closed, ledger.said, ledger.written.terms, errors)
    check_names(closed, sources.seen.names, ledger.said, errors)
    units = units_by_month(closed.months, ledger.terms.terms.units)
    by_hand = written_in_closed(ledger.entries, units, closed.chain)
    check_copies(by_hand, closed.months, closed.chain, errors)


def _facts(ledger: Ledger, past: Past) -> Facts:
    """What the ledger states, apart from its terms."""
    closed, sources = past
    written, writer, errors = ledger.written, ledger.writer, ledger.errors
    transactions = [entry for entry in ledger.others if entry.__class__ is Transaction]
    postings = pocket_postings(transactions, writer.accounts)
    check_openings(transactions, writer.accounts, errors)
    holders: dict[str, str] = {}
    if postings:
        holders = _holders(ledger, past, sources.seen.first if sources else {})
    hand_written = read_hand_written(postings, holders, errors)
    for account in hand_written.accounts:
        writer.first_used.setdefault(account, date.max)
    assertions = written.assertions
    if closed.months:
        assertions = check_assertions(assertions, closed.months, closed.chain, errors)
    return Facts(
        written.events,
        hand_written.openings,
        hand_written.removals,
        _introductions(ledger),
        assertions,
        {closed.chain.first_open_day: past.late} if past.late else {},
    )


def _introductions(ledger: Ledger) -> list[Introduction]:
    return [Introduction(line.date, line.name, line.place) for line in ledger.named]


def _behind(facts: Facts, last_day: date) -> Facts:
    """The facts behind the closed months."""
    return facts._replace(
        openings=[each for each in facts.openings if each.date > last_day],
        removals=[each for each in facts.removals if each.date > last_day],
        introductions=[each for each in facts.introductions if each.date > last_day],
    )


def _reversed(facts: Facts, late: Iterable[Event]) -> frozenset[str]:
    """The ids that open reversals name."""
    return frozenset(event.reverses for event in (*facts.events, *late) if event.reverses)


def _holders(ledger: Ledger, past: Past, frozen: Mapping[str, Mention]) -> dict[str, str]:
    """The subscriber of each component, for what people wrote on accounts by hand."""
    accounts, introductions = ledger.writer.accounts, _introductions(ledger)
    events = [*ledger.written.events, *past.late]

    def made_known() -> dict[str, str]:
        facts = Facts(events, introductions=introductions)
        keeper = Bookkeeper(facts, ledger.terms.terms, accounts.component)
        for _ in keeper.records():
            pass
        return keeper.by_component

    booked = {entry.payee for entry in past.closed.booked if isinstance(entry, Transaction)}
    named = {line.value: line.name for line in ledger.named}
    return holders_of(named, booked, mentions(events, frozen), accounts.component, made_known)


def _own_prices(entries: Iterable[Directive]) -> set[tuple[date, str, str]]:
    """The prices that the ledger gives itself: they win over those of trades."""
    return {
        (entry.date, entry.currency, entry.amount.currency)
        for entry in entries
        if entry.__class__ is Price
    }


def _to_open(entries: Iterable[Directive], first_used: dict[str, date]) -> dict[str, date]:
    """The accounts to open, on the first day on which any directive uses them."""
    opened = {entry.account for entry in entries if entry.__class__ is Open}
    days = {account: day for account, day in first_used.items() if account not in opened}
    for entry in entries:
        for account in get_entry_accounts(entry):
            if account in days and entry.date < days[account]:
                days[account] = entry.date
    return days
