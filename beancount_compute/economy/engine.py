"""The engine: opening lots, events and terms in; closing lots, journal and prices out.

    2026-05-01 subscription alice pro   ->  allocation of 1000 CU, deferred 200.00 USD
    2026-05-20 consumption alice 200 CU ->  revenue 40.00 USD
    2026-06-01 the period ends          ->  mint of 800 CU

Days run in order, and within one day its phases: ends, cancellations, allocations, moves,
consumption, corrections, hand-written postings. A function of the set of events, never of the order
in which they were written; no file, no clock, no Beancount.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from copy import copy
from datetime import date, timedelta
from decimal import Decimal, Inexact, localcontext
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.economy import (
    ACCESS,
    AS_OF,
    EXACT,
    POSTING_GRAIN,
    WIDE,
    ZERO,
    Assertion,
    Causes,
    Event,
    Facts,
    Grain,
    HandPosting,
    Horizon,
    JournalEntry,
    Lacking,
    Lot,
    MoneyBack,
    OfPlan,
    Phase,
    Place,
    Record,
    Refusal,
    Refused,
    Terms,
    Totals,
    average_price,
    by_day_of,
    charge_of,
    content_id,
    cost_of,
    events_in_order,
    grouped,
    holders_of,
    horizon,
    id_taken,
    in_full,
    names_of,
    only_cancellations,
    receiver,
    same_content,
    single_ones,
)
from beancount_compute.economy.carried import Carried, handed_on, take_over
from beancount_compute.economy.late_bookings import LateBookings
from beancount_compute.economy.rules import RULES
from beancount_compute.economy.rules.access import earn_access
from beancount_compute.economy.rules.at_once import end_at_once
from beancount_compute.economy.rules.breakage import end_lots
from beancount_compute.economy.rules.by_hand import (
    TOO_MANY_DIGITS,
    accrue_before,
    check_assertion,
    check_for_newcomer,
    introduce,
    take_in,
    take_out,
)
from beancount_compute.economy.rules.catch_up import await_catch_ups, charge_anew
from beancount_compute.economy.rules.consumption import consume_in_turn
from beancount_compute.economy.rules.evening import EVENING, Evening
from beancount_compute.economy.rules.invoicing import send_invoices
from beancount_compute.economy.rules.late_draws import refuse_old
from beancount_compute.economy.rules.latest_first import (
    cancellations_first,
    changes_apart,
    latest_first,
)
from beancount_compute.economy.rules.reversal import DayOutcome, placed
from beancount_compute.economy.rules.shortfall import fall_short
from beancount_compute.economy.rules.subscription import Bridges, start_periods
from beancount_compute.economy.scales import scales_uses
from beancount_compute.economy.state import Economy, Undo

_phase_of = attrgetter("phase")
_reversed_by, _about = attrgetter("reverses"), attrgetter("of")


class PriceOfDay(NamedTuple):
    """The volume-weighted average of a day's trades."""

    date: date
    commodity: str
    price: Decimal
    currency: str


def _money_back(
    about: frozenset[str], plans: Collection[OfPlan], carried: Carried | None
) -> MoneyBack | None:
    """What went back of the allocations that events name, in closed months too; None for none.

    `plans` are those of which a period may end before its time, beside single ones.
    """
    past = carried.money_back if carried else None
    if past is not None:
        return past.copied(about, plans)
    return MoneyBack(about, plans) if about or plans else None


class Bookkeeper:
    """Writes the books day by day, so that a day's events can be let go when it is done."""

    def __init__(
        self,
        facts: Facts,
        terms: Terms,
        component: Callable[[str], str],
        carried: Carried | None = None,
        ends: Iterable[date] = (),
        evening: Evening = EVENING,
    ) -> None:
        """`ends` are the days whose state is kept when they are over, in `states`."""
        self._evening = evening
        self.states: dict[date, Carried] = {}
        self._ends = sorted(ends, reverse=True)
        self.refusals: list[Refusal] = []
        by_day = by_day_of(facts.events)
        self._events_on = by_day.on
        assertions, again = list(facts.assertions), facts.again
        counts = Counter({day: len(events) for day, events in self._events_on.items()})
        counts.update(assertion.date for assertion in assertions)
        making = {day for day, events in self._events_on.items() if not only_cancellations(events)}
        running = [
            (each.subscriber, each.plan, each.period_end)
            for each in (carried.subscriptions if carried else ())
            if not each.ended
        ]
        reach = horizon(
            counts,
            making | {assertion.date for assertion in assertions},
            terms.of_ledger(AS_OF),
            carried.last_day if carried else again and again.stands,
            Bridges(self._events_on, terms, running).over,
        )
        self.as_of = reach.as_of
        self._refuse_far(reach, assertions)
        self._assertions_on = grouped(each for each in assertions if reach.covers(each.date))
        self._openings_on = grouped(facts.openings)
        self._removals_on = grouped(facts.removals)
        self._accruals_on = grouped(facts.accruals)
        self._introductions_on = grouped(facts.introductions)
        self._carried = carried
        self._closed = carried.last_day if carried else None
        self._repeats: dict[str, int] = {}
        self._first_of: dict[str, Event | None] = dict.fromkeys(by_day.repeated)
        asserted = bool(self._assertions_on) and again is None
        late_on = dict(facts.late)
        late = [*chain.from_iterable(late_on.values())]
        reversed_ids = by_day.reversed_ids.union(filter(None, map(_reversed_by, late)))
        about = by_day.about.union(filter(None, map(_about, late)))
        plans = by_day.cut_short
        if plans or facts.handed_on:
            single = single_ones(chain(*self._events_on.values(), late))
            plans = single if facts.handed_on else plans & single
        self._economy = Economy(
            terms,
            reach.as_of,
            component,
            reversed_ids | about | facts.asked,
            refusals=self.refusals,
            causes=Causes(terms.refused, facts.unread, terms.refused_meters),
            ids=by_day.ids if by_day.reversed_ids or about else (),
            money_back=_money_back(about, plans, carried),
            totals=Totals() if asserted else None,
            plain=not asserted
            and terms.of_ledger(POSTING_GRAIN) is Grain.EVENT
            and not scales_uses(terms),
            again=again,
        )
        self._late = LateBookings(self._economy, late_on)
        past = carried.past if carried else None
        self._late.remember(past, chain.from_iterable(self._events_on.values()))

    def entries(self) -> Iterator[JournalEntry]:
        """The journal, in order; each day is worked out when it is asked for."""
        return map(in_full, chain.from_iterable(self.records()))

    def records(self) -> Iterator[list[Record]]:
        """The journal with its most common entries in their short forms, a list after the other.

        Each list is gone with the next: it is a day of the journal, or all of it where uses merge.
        """
        economy = self._economy
        for stated in (
            self._events_on,
            self._introductions_on,
            self._assertions_on,
            self._openings_on,
            self._removals_on,
            self._accruals_on,
            self._late.on,
        ):
            economy.agenda.visit(stated)
        if self._carried is not None:
            first_day = self._carried.last_day + timedelta(1)
            economy.terms_of(first_day)
            with localcontext(WIDE):
                take_over(economy, self._carried, first_day)
            self._carried = None
        await_catch_ups(economy, self._closed)
        self._evening.begin(economy, self._closed)
        for day in economy.agenda.days():
            self._keep_states(day)
            with localcontext(WIDE):  # what is derived or written by hand can't be refused
                self._day(day)
            if economy.grain is Grain.EVENT:
                yield economy.journal
                economy.journal.clear()
        self._keep_states(date.max)
        yield [
            economy.runs[at].entry if at in economy.runs else record
            for at, record in enumerate(economy.journal)
            if at not in economy.superseded
        ]

    def _keep_states(self, day: date) -> None:
        """Keep the state of the ends before a day."""
        while self._ends and self._ends[-1] < day:
            end = self._ends.pop()
            self.states[end] = handed_on(self._economy, end)

    def prices(self) -> list[PriceOfDay]:
        """The prices that the days' trades leave behind, and that of access, on its first day."""
        of_access = [
            PriceOfDay(day, ACCESS + currency, cost_of(Decimal(1), currency), currency)
            for currency, day in self._economy.access_since.items()
            if self._closed is None or day > self._closed
        ]
        return of_access + [
            PriceOfDay(day, commodity, average_price(trades, currency), currency)
            for (day, commodity, currency), trades in self._economy.traded.items()
        ]

    def lots(self) -> list[tuple[Lot, Decimal]]:
        """The lots that are held, with their units."""
        return [
            (open_lot.lot, open_lot.units)
            for subscriber in self._economy.subscribers.values()
            for open_lot in subscriber.held()
        ]

    @property
    def taken(self) -> list[tuple[HandPosting, Lot, Decimal]]:
        """What hand-written postings took out of which lots, of books that are written again."""
        return self._economy.taken

    @property
    def by_component(self) -> dict[str, str]:
        """The subscribers known so far, by account component."""
        return dict(self._economy.by_component)

    @property
    def traded(self) -> dict[tuple[date, str, str], list[tuple[Decimal, Decimal]]]:
        """Prices and units of the trades so far, by day, commodity and currency."""
        return self._economy.traded

    @property
    def undo(self) -> dict[str, Undo]:
        """What undoes the events that reversals name, or that were asked of."""
        return self._economy.undo

    @property
    def overage(self) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
        """Use beyond the holdings, exact and as charged, by subscriber and plan: of all months."""
        found: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
        for (name, plan, _, _, _), (exact, charged) in self._economy.overage.items():
            so_far = found.get((name, plan), (ZERO, ZERO))
            found[name, plan] = (WIDE.add(so_far[0], exact), WIDE.add(so_far[1], charged))
        return found

    def has_plan(self, name: str) -> bool:
        """Whether the terms know a plan."""
        return name in self._economy.terms.plans

    def terms_day_of(self, lot: Lot) -> date:
        """The day whose terms decide on a lot's end."""
        return self._economy.terms_day_of(lot)

    def _refuse_far(self, reach: Horizon, assertions: list[Assertion]) -> None:
        """Refuse what lies more than two years from all that is booked."""
        days = [day for day in self._events_on if not reach.covers(day)]
        far: list[Event | Assertion] = [each for each in assertions if not reach.covers(each.date)]
        for day in sorted(days):
            far += self._events_on.pop(day)
        for each in far:
            near = reach.nearest(each.date)
            at = min((event.place for event in self._events_on.get(near, ())), default=None)
            named = f"{near} ({at})" if at else f"{near}"
            lies = "lies behind a gap of more than two years after"
            if each.date < near:
                lies = "lies before a gap of more than two years ahead of"
            message = f"{each.date} {lies} {named}: check the year of either, or set as-of"
            self.refusals.append(Refusal(each.place, message))

    def _day(self, day: date) -> None:
        economy = self._economy
        economy.today = day
        self._late.begin_day()
        economy.terms_of(day)
        early = [
            assertion
            for assertion in self._assertions_on.get(day, ())
            if not check_assertion(economy, assertion)
        ]
        for opening in self._openings_on.get(day, ()):
            take_in(economy, opening)
        for accrual in self._accruals_on.get(day, ()):
            accrue_before(economy, accrual)
        for introduction in self._introductions_on.get(day, ()):
            introduce(economy, introduction)
        self._late.book(day, self._outcome, self._book_events)
        end_lots(economy, day)
        charge_anew(economy, day)
        events = events_in_order(self._events_on.pop(day, ()))
        first, events = cancellations_first(events)
        changes, events = changes_apart(events)
        self._book_events(first + changes)
        send_invoices(economy, day)
        start_periods(economy, day)
        with localcontext(EXACT):
            in_order = placed(latest_first(events, economy.undo), self._outcome)
        self._book_events(in_order, as_they_stand=in_order is not events)
        for removal in self._removals_on.get(day, ()):
            take_out(economy, removal)
        end_at_once(economy, day)
        earn_access(economy, day)
        fall_short(economy, day)
        self._evening.book(economy, day)
        for assertion in early:
            check_for_newcomer(economy, assertion)
        self._late.end_day()

    def _outcome(self, events: Sequence[Event]) -> DayOutcome:
        """What would become of events of today, in this order; nothing is booked."""
        names = {name for event in events for name in names_of(event)}
        ids = {event.reverses or event.of for event in events if event.reverses or event.of}
        for event_id in ids & self._economy.undo.keys():
            undone = self._economy.undo[event_id].entry
            names |= {undone.subscriber, *holders_of(undone)}
        trial = copy(self)
        trial._economy = self._economy.copied(sorted(names), ids)
        trial.refusals, trial._repeats = [], {}
        trial._first_of = {event.id: None for event in events if event.id in self._first_of}
        refused: set[int] = set()
        trial._late = self._late.tried_on(trial._economy)
        late = self._economy.late
        for event in events:
            before = len(trial.refusals)
            if late:
                trial._late.book_event(event, trial._book_events)
            else:
                trial._book_event(event)
            if len(trial.refusals) > before:
                refused.add(id(event))
        charged: dict[int, Decimal] = {}
        for entry in map(in_full, trial._economy.journal):
            charge = charge_of(entry)
            if charge and entry.event is not None:
                charged[id(entry.event)] = charge
        return DayOutcome(frozenset(refused), charged)

    def _book_events(self, events: list[Event], *, as_they_stand: bool = False) -> None:
        economy, first_of = self._economy, self._first_of
        with localcontext(EXACT):
            uses = behind = len(events)
            if economy.plain and not as_they_stand:
                uses = bisect_left(events, Phase.CONSUMPTION, key=_phase_of)
                behind = bisect_right(events, Phase.CONSUMPTION, uses, key=_phase_of)
            for event in events[:uses]:
                self._book_event(event)
            in_turn = events[uses:behind]
            consume_in_turn(economy, in_turn, first_of, self._derived_id, self._book_event)
            for event in events[behind:]:
                self._book_event(event)

    def _book_event(self, event: Event, event_id: str = "") -> None:
        if event.id in self._first_of and not self._is_first(event):
            return
        try:
            if event.flaw:
                raise Refused(event.flaw)
            if self._economy.late:
                refuse_old(self._economy, event)
            event_id = event_id or event.id or self._derived_id(event)
            RULES[event.kind](self._economy, event, event_id)
        except Refused as refused:
            self.refusals.append(Refusal(event.place, str(refused), self._cause_of(event, refused)))
        except Inexact:
            self.refusals.append(Refusal(event.place, TOO_MANY_DIGITS))

    def _cause_of(self, event: Event, refused: Refused) -> Place | None:
        """What a refused event follows from, if anything."""
        left_without = receiver(event.kind, event.subscriber, event.counterparty)
        subscriber = self._economy.subscribers.get(event.subscriber)
        lacks = refused.name if isinstance(refused, Lacking) else ""
        if left_without == lacks and lacks not in self._economy.subscribers:
            left_without = ""  # a name that nobody has
        if event.plan and subscriber:
            for each in subscriber.subscriptions:
                if each.plan == event.plan and each.runs_on(event.date):
                    left_without = ""
        return self._economy.causes.of(event, refused, left_without)

    def _is_first(self, event: Event) -> bool:
        """Whether this is the first event of its id; one that says something else is refused."""
        first = self._first_of[event.id]
        if first is None:
            self._first_of[event.id] = event
            return True
        if not same_content(first, event):
            self.refusals.append(Refusal(event.place, id_taken(event.id, first.place)))
        return False

    def _derived_id(self, event: Event) -> str:
        """The id of an event that was given none; a repeat of the same content gets a number."""
        derived = content_id(event)
        count = self._repeats[derived] = self._repeats.get(derived, 0) + 1
        return derived if count == 1 else f"{derived}-{count}"
