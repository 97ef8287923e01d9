"""Booking: what a ledger says in, the directives that the plugin adds out.

terms, events, opening lots, seals  ->  closed months as they stand, then the open ones
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import chain as chain_of
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive, Open, Price, Transaction
from beancount.core.getters import get_entry_accounts

from beancount_compute.closed import (
    BY_HAND,
    Chain,
    Closed,
    Expected,
    FrozenEvent,
    Rebooked,
    State,
    assertion_text,
    beside_others,
    check_assertions,
    check_copies,
    check_frozen_terms,
    check_included,
    check_index,
    check_paddings,
    check_statements,
    copy_of,
    frozen_accounts,
    frozen_events,
    holders_named,
    is_copied,
    late_in_touched,
    lost_plans,
    lots_since,
    money_back,
    names_that_stay,
    past_costs,
    read_chain,
    read_closed,
    rebook,
    rows_of,
    split_events,
    statements_of,
    tell_touched,
    terms_in,
    undo_of,
    units_by_month,
    with_units_beyond,
    with_used_beyond,
    written_in_closed,
)
from beancount_compute.economy import (
    AS_OF,
    LATE_MONTHS,
    Assertion,
    ControlTotal,
    Event,
    Facts,
    Introduction,
    Month,
    Role,
    Span,
    check_controls,
    cut_short,
    later,
    named_in,
)
from beancount_compute.economy.carried import Carried
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.ledger import (
    BULK_TAG,
    OPENING_TAG,
    Accounts,
    Answer,
    Errors,
    Fields,
    FileRequest,
    LedgerTerms,
    Line,
    ScenarioLine,
    Writer,
    check_bulk_folders,
    check_openings,
    check_whys,
    first_bulk_day,
    free_components,
    holders_of,
    mentions,
    open_directives,
    orders,
    pocket_postings,
    read_hand_written,
    read_opening_accruals,
    roots_of,
    terms_of,
)


class Written(NamedTuple):
    """The `compute-` directives of a ledger, by what they are."""

    terms: list[Custom]
    events: list[Event]
    assertions: list[Assertion]
    files: list[FileRequest]
    seals: list[Custom]
    answers: list[Answer]
    controls: list[ControlTotal]
    scenarios: list[ScenarioLine]


class Booking(NamedTuple):
    """All that a load worked with: what the month end goes on from."""

    entries: list[Directive]  # as the plugin was given them
    options: dict[str, Any]
    terms: LedgerTerms
    accounts: Accounts
    facts: Facts  # of the open days, and the late events
    written_by_hand: Facts  # opening lots, removals and introductions of all days
    own_events: list[Event]  # of all days; none where nobody asked for them
    events: list[Event]  # of the open days; likewise
    assertions: list[Assertion]  # all
    answers: list[Answer]  # all
    controls: list[ControlTotal]  # all
    scenarios: list[ScenarioLine]
    skipped: Mapping[tuple[str, str], int]  # rows, by file and what they are
    chain: Chain
    closed: Closed
    state: State | None  # of the closed months, with what open events ask of it
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
    left: list[Event]  # those of months in bulk, which book them


def book(
    entries: list[Directive],
    written: Written,
    options_map: dict[str, Any],
    fields: Fields,
    errors: Errors,
    *,
    keep_events: bool,
    bulk_from: date | None = None,
) -> Booking:
    """The directives that the plugin adds to a ledger, and what they come from.

    The events are many; they are kept for whoever goes on from them. `bulk_from` is a day from
    which on they are left to bulk, if no journal that the ledger includes says an earlier one.
    """
    check_included(written.seals, options_map.get("filename") or "", errors)
    chain = read_chain(written.seals, errors)
    if chain.folder:
        check_index(entries, chain.folder, errors)
    next_order = orders().__next__
    closed = read_closed(chain, options_map["include"], fields, next_order, errors)
    check_bulk_folders(options_map["include"], {seal.month for seal in chain.closed}, errors)
    said = terms_of(written.terms, options_map, errors)
    lost = lost_plans(said, closed.terms)
    terms = terms_of([*written.terms, *lost], options_map, Errors()) if lost else said
    bulk_days = [day for day in (bulk_from, first_bulk_day(options_map["include"])) if day]
    terms = _until_bulk(terms, min(bulk_days, default=None))
    templates, frozen_components = frozen_accounts(terms, closed.terms)
    named = names_that_stay(terms.introductions, closed, errors)
    named = free_components(named, written.events, errors)
    components = {**{line.name: line.value for line in named}, **frozen_components}
    accounts = Accounts(templates, components, roots_of(options_map))
    others = [entry for entry in entries if entry.__class__ is not Custom]
    writer = Writer(accounts)
    writer.next_order = next_order
    own_events = [*written.events] if keep_events else []
    left: list[Event] = []
    if terms.bulk_from is not None:
        left = [each for each in written.events if terms.in_bulk(each.date)]
        written.events[:] = [each for each in written.events if not terms.in_bulk(each.date)]
    ledger = Ledger(entries, others, written, said, terms, named, writer, fields, errors, left)
    late = _past(ledger, closed)
    controls = [
        each
        for each in written.controls
        if each.date > closed.last_day and not terms.in_bulk(each.date)
    ]
    errors.add_refusals(check_controls(controls, written.events, terms.terms, errors.unread))
    whole = _facts(ledger, closed, late)
    state, facts = _state(ledger, closed, whole, late)
    kept = [*written.events] if keep_events else []
    facts = _before_bulk(facts, terms)
    _tell_touched(ledger, closed, facts, state)
    generated = closed.booked + _book_open(ledger, facts, state.carried if state else None)
    _check_whys(ledger, whole, generated, chain)
    if closed.months:
        check_paddings(closed, [*others, *generated], options_map, errors)
    opened = open_directives(_to_open(others, ledger.writer.first_used))
    return Booking(
        entries,
        options_map,
        terms,
        accounts,
        facts,
        whole,
        own_events,
        kept,
        list(written.assertions),
        written.answers,
        written.controls,
        written.scenarios,
        errors.skipped,
        chain,
        closed,
        state,
        generated,
        opened,
    )


def _until_bulk(terms: LedgerTerms, bulk_from: date | None) -> LedgerTerms:
    """The terms of a ledger of which nothing is derived any more from a day on."""
    as_of = terms.terms.of_ledger(AS_OF)
    terms = terms._replace(bulk_from=bulk_from)
    if as_of is None or bulk_from is None:
        return terms
    return terms._replace(terms=terms.terms.setting(AS_OF, terms.booked_until(as_of)))


def _before_bulk(facts: Facts, terms: LedgerTerms) -> Facts:
    """The facts but for what is stated on days that are booked in bulk."""
    if terms.bulk_from is None:
        return facts
    return facts._replace(
        openings=[each for each in facts.openings if not terms.in_bulk(each.date)],
        removals=[each for each in facts.removals if not terms.in_bulk(each.date)],
        accruals=[each for each in facts.accruals if not terms.in_bulk(each.date)],
        assertions=[each for each in facts.assertions if not terms.in_bulk(each.date)],
    )


def _book_open(ledger: Ledger, facts: Facts, carried: Carried | None) -> list[Directive]:
    """The transactions and prices of the open days."""
    writer = ledger.writer
    bulk_from = ledger.terms.bulk_from
    if bulk_from is not None:  # what people take out of lots then, those months book
        removals = [each for each in facts.removals if each.date < bulk_from]
        facts = facts._replace(removals=removals)
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


def _check_whys(ledger: Ledger, facts: Facts, generated: list[Directive], chain: Chain) -> None:
    """Opening lots stand ahead of the first booking, or say why."""
    transactions = [entry for entry in ledger.others if entry.__class__ is Transaction]
    openings = [entry for entry in transactions if OPENING_TAG in entry.tags]
    if openings:
        days = [entry.date for entry in generated if entry.__class__ is Transaction]
        days += [each.date for each in facts.removals if not each.flaw]
        days += [entry.date for entry in transactions if BULK_TAG in entry.tags]
        closed = Month.parse(chain.closed[0].month).last if chain.closed else None
        check_whys(openings, min(days, default=None), closed, ledger.errors)


def _past(ledger: Ledger, closed: Closed) -> list[Event]:
    """The late events; of the ledger's own events the open ones are left in `written`."""
    written, errors = ledger.written, ledger.errors
    if closed.state is None:
        return []
    opened, late = split_events(written.events, closed, errors)
    written.events[:] = opened
    check_frozen_terms(closed, ledger.said, written.terms, errors)
    by_hand = written_in_closed(ledger.entries, units_by_month(closed), closed)
    check_copies(by_hand, closed, errors)
    check_statements(statements_of(written.answers, written.controls), closed, errors)
    ledger.writer.first_used.update(closed.state.first_used)
    return late


def _state(
    ledger: Ledger, closed: Closed, facts: Facts, late: list[Event]
) -> tuple[State | None, Facts]:
    """The state that the closed months hand on, and the facts behind them."""
    state = closed.state
    if state is None:
        return None, facts
    accounts = ledger.writer.accounts
    if state.by_account:
        holders = _holders(ledger, closed, late)
        components = {name: accounts.component(name) for name in state.by_account}
        names = {name: holders.get(of, name) for name, of in components.items()}
        state = holders_named(state, names)
    carried, last_day = state.carried, closed.last_day
    came_late = [*chain_of.from_iterable(facts.late.values())]
    reversed_ids, about = named_in((*facts.events, *came_late))
    wanted = reversed_ids | about
    ending = cut_short(facts.events)
    beside = beside_others(ending, closed) if ending else frozenset()
    if wanted or came_late or beside:
        names_of = {accounts.component(name): name for name in carried.known}
        undo = undo_of(wanted, closed, accounts, names_of)
        undo = with_units_beyond(undo, ledger.terms.terms, closed, accounts, carried)
        days = {each.day for each in undo.values()} | {event.date for event in came_late}
        costs = [*past_costs(days, closed, accounts, names_of)] if ledger.terms.terms.meters else []
        went_back = money_back(about | beside, reversed_ids, closed, accounts, names_of)
        carried = carried._replace(undo=undo, past_costs=costs, money_back=went_back)
    if came_late:
        months = Span(ledger.terms.terms.on(LATE_MONTHS, closed.first_open_day), 0)
        counted = [each for each in came_late if later(each.date, months) > last_day]
        past = lots_since(counted, undo, closed, facts, accounts, names_of)
        carried = carried._replace(past=past)
    carried = with_used_beyond(carried, ledger.terms.terms, closed, accounts)
    behind = facts._replace(
        openings=[each for each in facts.openings if each.date > last_day],
        removals=[each for each in facts.removals if each.date > last_day],
        accruals=[each for each in facts.accruals if each.date > last_day],
        introductions=[
            each._replace(date=max(each.date, closed.first_open_day))
            for each in facts.introductions
            if each.date > last_day or each.name not in carried.known
        ],
    )
    return state._replace(carried=carried), behind


def _tell_touched(ledger: Ledger, closed: Closed, facts: Facts, state: State | None) -> None:
    """Name the closed months that say something else than was sealed."""
    rebooked: list[Rebooked] = []  # once, where it is asked for
    own_prices = frozenset(_own_prices(ledger.others))

    def expected(name: str) -> Expected:
        month, months = Month.parse(name), [each.seal.month for each in closed.anew]
        if not rebooked:
            terms, accounts, first = ledger.terms, ledger.writer.accounts, closed.anew[0]
            first_month = "" if closed.months else first.seal.month
            rebooked.append(
                rebook(facts, terms, accounts, months, own_prices, state, first_month=first_month)
            )
        (made,) = rebooked

        def within(day: date) -> bool:
            first = Month.parse(closed.chain.closed[0].month) == month
            return day <= month.last and (day >= month.first or (first and not closed.months))

        units = ledger.terms.terms.units
        texts = [*made.terms.get(name, ())]
        texts += sorted({assertion_text(a) for a in ledger.written.assertions if within(a.date)})
        stated = statements_of(ledger.written.answers, ledger.written.controls)
        texts += sorted({each.text for each in stated if within(each.date)})
        entries: list[Directive] = [entry for text in texts for entry in terms_in(text)]
        entries += [entry for entry in made.entries if within(entry.date)]
        entries += [
            copy_of(entry, BY_HAND)
            for entry in ledger.entries
            if within(entry.date) and is_copied(entry, units)
        ]
        events = [FrozenEvent(*each) for each in frozen_events(facts, month.last)]
        events = [each for each in events if within(each[1] or each[0].date)]
        return Expected(entries, events, rows_of(made.states[name]))

    tell_touched(closed, expected, ledger.fields, ledger.errors)


def _facts(ledger: Ledger, closed: Closed, late: list[Event]) -> Facts:
    """What the ledger states, apart from its terms."""
    written, writer, errors = ledger.written, ledger.writer, ledger.errors
    transactions = [entry for entry in ledger.others if entry.__class__ is Transaction]
    postings = pocket_postings(transactions, writer.accounts)
    openings = [entry for entry in transactions if OPENING_TAG in entry.tags]
    check_openings(openings, writer.accounts, errors)
    late_on = _late_on(ledger, closed, late)
    holders = _holders(ledger, closed, late) if postings else {}
    hand_written = read_hand_written(postings, holders, ledger.terms.terms.plans, errors)
    accruals = read_opening_accruals(openings, writer.accounts, errors)
    accrued = {
        writer.accounts.account(Role.ACCRUED, each.provider, each.meter) for each in accruals
    }
    for account in (*hand_written.accounts, *accrued):
        writer.first_used.setdefault(account, date.max)
    assertions = written.assertions
    if closed.months:
        assertions = check_assertions(assertions, closed, errors)
    return Facts(
        written.events,
        hand_written.openings,
        hand_written.removals,
        _introductions(ledger),
        assertions,
        late_on,
        errors.unread,
        accruals,
    )


def _late_on(ledger: Ledger, closed: Closed, late: list[Event]) -> dict[date, list[Event]]:
    """The late events by the day on which they are booked.

    What a month that is booked anew had booked late comes late again.
    """
    found = {closed.first_open_day: late} if late else {}
    events = ledger.written.events
    again = late_in_touched(events, closed, ledger.fields) if closed.anew else {}
    if again:
        for event in events:
            if event.id in again and event.date < again[event.id]:
                found.setdefault(again[event.id], []).append(event)
        events[:] = [e for e in events if e.id not in again or e.date >= again[e.id]]
    return found


def _introductions(ledger: Ledger) -> list[Introduction]:
    lines = (*ledger.named, *ledger.terms.known)
    return [Introduction(line.date, line.name, line.place) for line in lines]


def _holders(ledger: Ledger, closed: Closed, late: list[Event]) -> dict[str, str]:
    """The subscriber of each component, for what people wrote on accounts by hand."""
    accounts, introductions = ledger.writer.accounts, _introductions(ledger)
    events = [*ledger.written.events, *late, *ledger.left]

    def made_known() -> dict[str, str]:
        facts = Facts(events, introductions=introductions)
        keeper = Bookkeeper(facts, ledger.terms.terms, accounts.component)
        for _ in keeper.records():
            pass
        return keeper.by_component

    booked: Collection[str] = ()
    if closed.state is not None:
        booked = closed.state.named
    named = {line.value: line.name for line in ledger.named}
    return holders_of(named, booked, mentions(events), accounts.component, made_known)


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
