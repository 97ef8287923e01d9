"""The engine: opening lots, events and terms in; closing lots, journal and prices out.

    2026-05-01 subscription alice pro   ->  allocation of 1000 CU, deferred 200.00 USD
    2026-05-20 consumption alice 200 CU ->  revenue 40.00 USD
    2026-06-01 the period ends          ->  mint of 800 CU

Days run in order, and within one day its phases: ends, cancellations, allocations, moves,
consumption, corrections, hand-written postings. A function of the set of events, never of the order
in which they were written; no file, no clock, no Beancount.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal, Inexact, localcontext, setcontext
from heapq import heapify, heappop
from typing import NamedTuple, TypeVar, assert_never

from beancount_compute.economy.allocation import allocate, grant
from beancount_compute.economy.assertions import check_assertions
from beancount_compute.economy.breakage import end_lots
from beancount_compute.economy.consumption import consume
from beancount_compute.economy.events import Event, Kind, content_id, same_content
from beancount_compute.economy.facts import Assertion, Facts, HandPosting, Introduction
from beancount_compute.economy.horizon import Horizon, horizon
from beancount_compute.economy.journal import JournalEntry
from beancount_compute.economy.lots import Lot, OpenLot, key_of
from beancount_compute.economy.market import trade, transfer
from beancount_compute.economy.partners import spend
from beancount_compute.economy.refund import refund, reverse
from beancount_compute.economy.rounding import EXACT, WIDE, average_price
from beancount_compute.economy.state import Economy, Refusal, Refused
from beancount_compute.economy.subscription import cancel, start_periods, subscribe
from beancount_compute.economy.terms import DrawDown, Terms
from beancount_compute.economy.words import amount, quoted


class PriceOfDay(NamedTuple):
    """The volume-weighted average of a day's trades."""

    date: date
    commodity: str
    price: Decimal
    currency: str


Dated = TypeVar("Dated", Event, Assertion, HandPosting, Introduction)
Happening = TypeVar("Happening", Event, Assertion)


class Books(NamedTuple):
    """What is booked, what was refused, and what is held at the end."""

    journal: list[JournalEntry]
    prices: list[PriceOfDay]
    refusals: list[Refusal]
    lots: list[tuple[Lot, Decimal]]
    as_of: date


def book(facts: Facts, terms: Terms, component: Callable[[str], str]) -> Books:
    """Write the books of the facts. `component` names a subscriber's account component.

    Never raises for what the facts say: what can't be booked is refused, and the rest stands.
    """
    refusals: list[Refusal] = []
    written = sorted(facts.events)
    assertions = list(facts.assertions)
    reach = horizon(
        {event.date for event in written if event.kind is not Kind.CANCELLATION}
        | {assertion.date for assertion in assertions},
        {event.date for event in written if event.kind is Kind.CANCELLATION},
        terms.as_of,
    )
    events = _within(reach, _each_once(written, refusals), refusals)
    assertions = _within(reach, assertions, refusals)
    economy = Economy(
        terms,
        reach.as_of,
        component,
        frozenset([event.reverses for event in events if event.reverses]),
        refusals=refusals,
    )
    with localcontext(EXACT):
        _days(economy, facts, events, assertions)
    journal = economy.journal
    if economy.superseded:
        journal = [entry for at, entry in enumerate(journal) if at not in economy.superseded]
    if assertions:
        known = [assertion for assertion in assertions if _knows(economy, assertion)]
        refusals += check_assertions(known, journal, economy.opened, economy.removed)
    prices = [
        PriceOfDay(day, commodity, average_price(gross, units), currency)
        for (day, commodity, currency), (gross, units) in economy.traded.items()
    ]
    return Books(journal, prices, refusals, _held(economy), reach.as_of)


def _each_once(events: list[Event], refusals: list[Refusal]) -> list[Event]:
    """Events with one id count once; one that says something else under that id is refused."""
    first: dict[str, Event] = {}
    kept: list[Event] = []
    for event in events:
        if event.id:
            known = first.setdefault(event.id, event)
            if known is not event:
                if not same_content(known, event):
                    at = f"{known.place.file}:{known.place.line}"
                    message = (
                        f"event id {quoted(event.id)} stands for something else at {at}: "
                        "give this one an id of its own"
                    )
                    refusals.append(Refusal(event.place, message))
                continue
        kept.append(event)
    return kept


def _within(reach: Horizon, things: list[Happening], refusals: list[Refusal]) -> list[Happening]:
    """What lies before the first gap of more than two years; the rest is refused."""
    if reach.refused_from is None:
        return things
    for thing in things:
        if thing.date >= reach.refused_from:
            message = (
                f"{thing.date} lies behind a gap of more than two years without an event: "
                "check the year, or set as-of"
            )
            refusals.append(Refusal(thing.place, message))
    return [thing for thing in things if thing.date < reach.refused_from]


def _days(economy: Economy, facts: Facts, events: list[Event], assertions: list[Assertion]) -> None:
    """Run the days in order."""
    events_on, assertions_on = _grouped(events), _grouped(assertions)
    openings_on, removals_on = _grouped(facts.openings), _grouped(facts.removals)
    introductions_on = _grouped(facts.introductions)
    economy.days = [*events_on, *assertions_on, *openings_on, *removals_on, *introductions_on]
    heapify(economy.days)
    repeats: dict[str, int] = {}
    before: date | None = None
    while economy.days:
        day = heappop(economy.days)
        if day == before:
            continue
        before = economy.today = day
        economy.order = economy.terms.draw_down.on(day) or DrawDown.EXPIRY
        setcontext(WIDE)  # what is derived or written by hand can't be refused for its digits
        for assertion in assertions_on.get(day, ()):
            economy.settle(*([assertion.subscriber] if assertion.subscriber else economy.merging))
        for opening in openings_on.get(day, ()):
            _open(economy, opening)
        for introduction in introductions_on.get(day, ()):
            _introduce(economy, introduction)
        end_lots(economy, day)
        _events_of_day(economy, events_on.get(day, []), repeats)
        setcontext(WIDE)
        for removal in removals_on.get(day, ()):
            _remove(economy, removal)


def _events_of_day(economy: Economy, events: list[Event], repeats: dict[str, int]) -> None:
    """Book a day's events; the periods that start on it come after its cancellations."""
    cancellations = [event for event in events if event.kind is Kind.CANCELLATION]
    _book_events(economy, cancellations, repeats)
    setcontext(WIDE)
    start_periods(economy, economy.today)
    _book_events(economy, events[len(cancellations) :], repeats)


def _book_events(economy: Economy, events: list[Event], repeats: dict[str, int]) -> None:
    setcontext(EXACT)
    for event in events:
        event_id = event.id or _derived_id(event, repeats)
        try:
            _check_figures(event)
            _book_event(economy, event, event_id)
        except Refused as refused:
            economy.refusals.append(Refusal(event.place, str(refused)))
        except Inexact:
            message = (
                "the lots that this touches would need more than the 28 digits with which "
                "Beancount computes: write numbers with fewer digits"
            )
            economy.refusals.append(Refusal(event.place, message))


def _check_figures(event: Event) -> None:
    """Refuse figures that no event can have: units, prices and payments are above zero."""
    for number, commodity in (
        (event.units, event.commodity),
        (event.price, event.currency),
        (event.paid, event.currency),
    ):
        if number is not None and number <= 0:
            raise Refused(f"{amount(number, commodity)} is not above zero: write a positive number")
    if event.currency and event.currency == event.commodity:
        raise Refused(f"wrong currency: {event.currency} for units of {event.commodity}")


def _book_event(economy: Economy, event: Event, event_id: str) -> None:
    match event.kind:
        case Kind.CONSUMPTION:
            consume(economy, event, event_id)
        case Kind.TRADE:
            trade(economy, event, event_id)
        case Kind.ALLOCATION:
            allocate(economy, event, event_id)
        case Kind.GRANT:
            grant(economy, event, event_id)
        case Kind.TRANSFER:
            transfer(economy, event, event_id)
        case Kind.SPEND:
            spend(economy, event, event_id)
        case Kind.REFUND:
            refund(economy, event, event_id)
        case Kind.REVERSAL:
            reverse(economy, event, event_id)
        case Kind.SUBSCRIPTION:
            subscribe(economy, event, event_id)
        case Kind.CANCELLATION:
            cancel(economy, event)
        case _:
            assert_never(event.kind)


def _derived_id(event: Event, repeats: dict[str, int]) -> str:
    """The id of an event that was given none; a repeat of the same content gets a number."""
    derived = content_id(event)
    count = repeats[derived] = repeats.get(derived, 0) + 1
    return derived if count == 1 else f"{derived}-{count}"


def _open(economy: Economy, opening: HandPosting) -> None:
    try:
        economy.admit(opening.lot.holder)
    except Refused as refused:
        economy.refusals.append(Refusal(opening.place, str(refused)))
        return
    subscriber = economy.welcome(opening.lot.holder)
    economy.put(subscriber, opening.lot, opening.units)
    economy.opened.append(opening)


def _introduce(economy: Economy, introduction: Introduction) -> None:
    try:
        economy.admit(introduction.name)
    except Refused as refused:
        economy.refusals.append(Refusal(introduction.place, str(refused)))
    else:
        economy.welcome(introduction.name)


def _remove(economy: Economy, removal: HandPosting) -> None:
    """Let a hand-written posting take its units out of the very lot; refuse one that names none."""
    subscriber = economy.subscribers.get(removal.lot.holder)
    open_lot = subscriber.find(removal.lot) if subscriber else None
    if removal.flaw or open_lot is None or open_lot.units < removal.units:
        economy.refusals.append(Refusal(removal.place, _no_such_lot(economy, removal)))
        return
    economy.settle(removal.lot.holder)
    economy.take([(open_lot, removal.units)])
    economy.removed.append(removal)


def _knows(economy: Economy, assertion: Assertion) -> bool:
    """Whether an assertion's subscriber is known on its day; refuses it otherwise."""
    subscriber = economy.subscribers.get(assertion.subscriber)
    if not assertion.subscriber or (subscriber and subscriber.known_since <= assertion.date):
        return True
    economy.refusals.append(Refusal(assertion.place, economy.unknown(assertion.subscriber)))
    return False


def _no_such_lot(economy: Economy, removal: HandPosting) -> str:
    lot = removal.lot
    subscriber = economy.subscribers.get(lot.holder)
    holdings = subscriber.pocket(lot.pocket).values() if subscriber else ()
    written = ", ".join(
        as_written(each.lot, each.units)
        for each in sorted(
            (each for holding in holdings for each in holding),
            key=lambda each: str(key_of(each.lot)),
        )
    )
    wrong = removal.flaw or f"{as_written(lot, removal.units)} is no open lot"
    return (
        f"{wrong}; open lots of {quoted(lot.holder)} in {lot.pocket} at the end of "
        f"{removal.date}, as a posting must write them: {written or 'none'}"
    )


def as_written(lot: Lot, units: Decimal) -> str:
    """A lot as a hand-written posting that takes it out must write it."""
    return (
        f"{amount(units, lot.commodity)} "
        f'{{{amount(lot.cost, lot.currency)}, {lot.date}, "{lot.label}"}}'
    )


def _grouped(things: Iterable[Dated]) -> dict[date, list[Dated]]:
    grouped: dict[date, list[Dated]] = {}
    for thing in things:
        grouped.setdefault(thing.date, []).append(thing)
    return grouped


def _held(economy: Economy) -> list[tuple[Lot, Decimal]]:
    open_lots: list[OpenLot] = [
        open_lot
        for subscriber in economy.subscribers.values()
        for pocket in (subscriber.allocations, subscriber.tokens)
        for holding in pocket.values()
        for open_lot in holding
    ]
    return [(open_lot.lot, open_lot.units) for open_lot in open_lots]
