"""The rules, once more: the books of facts and terms, from manual/language.md alone.

    books = Books(Facts(events), Terms(plans, options))
    books.run()
    books.held, books.journal, books.refusals

Readings (where manual/language.md is silent or can be read in two ways, this is what is done here):

R1  Opening lots stand from the beginning of their day (before period ends); hand-written reductions
    come after everything else of their day.
R2  Assertions see the books before anything of their day, opening lots included; of one who becomes
    known on it, there is nothing yet.
R3  Allocations with no terms in force on their first day (a subscription `started` before the plan
    was written) and lots older than their plan take the plan's earliest terms.
R4  When `every` changes, months go on being counted on the subscription's own day of month; where
    the running day of month is another one because of periods in days, from that day.
R5  The price of overage is the one in force on the day of use (the list of what a period keeps
    does not name it); the plan is that of the newest running subscription whose units are of the
    commodity used; newest by the day from which it runs (`started`); ties: first by plan name.
R6  A fee is its fraction of the rounded gross.
R7  The market price averages the written prices by units, not rounded gross by units.
R8  Units minted are units times mint-rate, never rounded.
R9  A top-up's payment or a settlement that rounds to zero is refused, like a gross.
R10 A spend out of lots in another currency than the settlement is booked: partner-income has one
    posting per currency.
R11 A giver who is also the receiver of a transfer is refused, like seller and buyer.
R12 A second cancellation of a cancelled subscription is refused, though its period still runs.
R13 The gap rule: cancellations and assertions are links of the chain like all events; two years are
    24 months; the as-of option reaches a gap if it is not before the first event behind it. A
    subscription that runs on bridges less than ten years to more than one event, and a period what
    it covers.
R14 Zero and negative figures are readable: such events are refused, but count for the as-of day;
    lines of a wrong type, with unknown keys or unreadable values don't.
R15 With posting-grain an accepted event, period start, mint, expiry or hand-written posting of a
    holder (both sides of a trade or transfer) ends the merging; so does each end of a period, also
    where nothing is left to end; an assertion ends it for its subscriber, or for all. A refused
    event doesn't. "month" merges within a calendar month.
R16 Tokens minted late, out of a restored lot, count their life from the end that they missed.
R17 What the rounding of a refund leaves goes to the revenue account of the first lot's origin.
R18 Hand-written additions to a pocket (outside #compute-opening) name no open lot: an error.
R19 `other characters to -` is one `-` for each; the first letter is the first character.
R20 Two `compute-subscriber` for one component: an error at the later; one that takes the natural
    component of a name that occurs anywhere in the events is an error, whatever the dates.
R21 A plan that cost-step can't split is an error on its line; its subscriptions stay, its
    allocations are not booked.
R22 An event's price in its own unit commodity is refused as a wrong currency.
R23 Overage may book a negative sum after a reversal (the running total says so).
R24 An expiry given as a date is the first day on which the units are no longer usable.
R25 A fee belongs to the one who pays it ({subscriber} in the fees account).
R26 Assertions on income read what the plugin booked, income counted positive.
R27 A file with an unknown or missing column is refused whole, on its line 1.
R29 Access is earned lot by lot, on what the lot holds; an id of a period that booked nothing can't
    be reversed; of access of which nothing is left neither, where the period holds nothing else.
R28 A top-up or grant that would end on or before its day is refused.
"""

from __future__ import annotations

import copy
import datetime
from collections import defaultdict
from dataclasses import replace
from decimal import Context, Decimal, localcontext
from typing import Any

from tests.laws.auditor.catch_ups import CatchUpBooks
from tests.laws.auditor.changes import ChangeBooks
from tests.laws.auditor.records import (
    FAR,
    ZERO,
    Day,
    Event,
    Facts,
    HandPosting,
    Leg,
    Lot,
    Period,
    Place,
    Plan,
    Refusal,
    Refusals,
    Subscription,
    Terms,
    Transaction,
    add_months,
    after,
    end_of,
    money,
    out_of,
    refuse,
    rounded,
    split_cost,
)

BACK = ("chargeback", "write-off", "recovery")
NOT_GIVING = ("subscription", "change")


def months_from(first: Day, last: Day) -> int:
    """How many calendar months one day's is behind another's."""
    return (last.year - first.year) * 12 + last.month - first.month


class Books(ChangeBooks, CatchUpBooks):
    """Who holds what, and everything booked, day by day."""

    def __init__(self, facts: Facts, terms: Terms) -> None:
        ChangeBooks.__init__(self)
        CatchUpBooks.__init__(self)
        self.facts = facts
        self.terms = terms
        self.refusals = Refusals()
        self.held: dict[tuple[str, str], dict[Lot, Decimal]] = defaultdict(dict)
        self.journal: list[Transaction] = []
        self.pending: dict[str, Transaction] = {}
        self.booked: dict[str, list[Leg]] = {}  # event id -> its legs
        self.overage_keys: dict[str, list[tuple[Any, Decimal, Decimal]]] = {}
        self.kind_of: dict[str, str] = {}  # event id -> what it booked
        self.reversed: set[str] = set()
        self.cancelled_by: dict[str, Subscription] = {}  # by the id of the cancellation
        self.subscriptions: list[Subscription] = []
        self.single_ends: list[tuple[Day, str | None]] = []  # of periods without a subscription
        self.known: dict[str, str] = {}  # subscriber -> component
        self.overage_due: dict[Any, Decimal] = defaultdict(Decimal)
        self.overage_booked: dict[Any, Decimal] = defaultdict(Decimal)
        self.trades: list[Event] = []
        self.aliases: dict[tuple[str, int], tuple[str, int]] = {}
        self.found: dict[tuple[str, int], Decimal] = {}
        self.bad_plans: set[Place] = set()
        self.access_since: dict[tuple[str, Lot], Day] = {}  # not yet earned from this day on
        self.as_of = datetime.date.min
        self.check_plans()
        self.events = self.standing_events()
        self.of_day: dict[Day, list[Event]] = defaultdict(list)
        for event in self.events:
            self.of_day[event.date].append(event)

    # Before the first day

    def check_plans(self) -> None:
        for plan in self.terms.plans:
            try:
                self.parts_of(plan, money(plan.price, plan.currency), plan.units)
            except Refusal as why:
                self.refusals.add(plan.place, why)
                self.bad_plans.add(plan.place)

    def split(self, paid: Decimal, units: Decimal, currency: str) -> list[tuple[Decimal, Decimal]]:
        return split_cost(paid, units, currency, self.terms.step)

    def standing_events(self) -> list[Event]:
        """The events that count: none behind a gap, one of each id; and the as-of day."""
        option = self.terms.as_of
        groups: list[list[Event]] = []
        joined: list[bool] = []
        for event in sorted(self.facts.events, key=lambda e: e.date):
            if groups and event.date <= add_months(groups[-1][-1].date, 24):
                groups[-1].append(event)
            elif groups and option is not None and option >= event.date:
                groups[-1].append(event)
                joined[-1] = True
            else:
                groups.append([event])
                joined.append(False)
        at = 1
        while at < len(groups):
            if self.bridged(groups[at - 1], groups[at]):
                groups[at - 1] += groups.pop(at)
                joined[at - 1] |= joined.pop(at)
            else:
                at += 1
        near: list[Event] = []
        if any(joined):
            near = [
                e
                for group, by_option in zip(groups, joined, strict=True)
                for e in group
                if by_option
            ]
        elif groups:
            most = max(len(group) for group in groups)
            near = [group for group in groups if len(group) == most][-1]
        for event in self.facts.events:
            if event not in near:
                self.refusals.add(event.place, "check the year, or set as-of")
        counting = [e.date for e in near if e.kind != "cancellation" or e.now]
        self.as_of = max([*counting, option or datetime.date.min], default=datetime.date.min)
        return self.merged(near)

    def bridged(self, before: list[Event], behind: list[Event]) -> bool:
        """Whether the periods of a subscription run on from one group of events to the next."""
        last, first = before[-1].date, behind[0].date
        running: dict[Any, Event] = {}
        for event in sorted(before, key=lambda e: (e.date, phase(e), e.order())):
            known = any(p.name == event.plan and p.date <= event.date for p in self.terms.plans)
            if event.kind == "subscription" and known:
                running[event.subscriber, event.plan] = event
            elif event.kind == "cancellation":
                running.pop((event.subscriber, event.plan), None)
        if len(behind) > 1 and first < add_months(last, 120):
            return bool(running)
        for event in running.values():
            end = event.started or event.date
            while end <= last:
                plan = self.plan_known(event.plan, max(end, event.date))
                end = after(end, plan.every)
            if end > first:
                return True
        return False

    def merged(self, events: list[Event]) -> list[Event]:
        """Same id and same content is one event; other content is an error."""
        first: dict[str, Event] = {}
        standing: list[Event] = []
        contents: dict[Any, Event] = {}
        for event in sorted(events, key=lambda e: (e.date, phase(e), e.order())):
            twin = contents.setdefault(event.content(), event)
            self.aliases[event.place] = twin.place
            if event.id is None:
                standing.append(event)
            elif event.id not in first:
                first[event.id] = event
                standing.append(event)
            elif first[event.id].content() != event.content():
                self.refusals.add(event.place, f"id {event.id} is also at {first[event.id].place}")
        return standing

    # The days

    def run(self) -> None:
        dates = {e.date for e in self.events} | {p.date for p in self.facts.openings}
        dates |= {p.date for p in self.facts.reductions} | {n.date for n in self.facts.names}
        dates |= {line.date for line in self.terms.capacities if line.date <= self.as_of}
        if not dates:
            return
        day = min(dates)
        last = max(*dates, self.as_of)
        while day <= last:
            self.run_day(day)
            if day == FAR:
                break
            day += datetime.timedelta(days=1)

    def run_day(self, day: Day) -> None:
        today = sorted(self.of_day.get(day, ()), key=Event.order)
        newcomers = [e for e in today if e.kind == "assert" and self.is_new(e.subscriber)]
        self.each([e for e in today if e not in newcomers], ("assert",), self.check_assertion)
        for naming in self.facts.names:
            if naming.date == day:
                self.known[naming.name] = naming.component
        for opening in self.facts.openings:
            if opening.date == day:
                self.open_lot(opening)
        for opened, accrued, number in self.facts.accruals:
            if opened == day:
                self.accrued[accrued] += number
        if day <= self.as_of:
            self.end_periods(day)
            self.end_lots(day)
            self.catch_up(day)
        order = [(phase(e), e) for e in today if e.kind != "assert"]
        order.sort(key=lambda placed: placed[0])
        undone = {
            e.id: e for e in today if e.id is not None and e.kind not in ("assert", "reversal")
        }
        order = self.latest_first(order, undone)
        reversals = [e for _, e in order if e.kind == "reversal" and e.reverses in undone]
        taking = ("consumption", "spend", "refund", "cancellation", *BACK)
        at_once = [e for e in reversals if undone[e.reverses].kind in taking]
        order = behind(order, at_once, undone)
        for at, event in order:
            if at == 1 and event.kind != "change":
                function = self.cancel if event.kind == "cancellation" else self.give_back
                self.refusals.guarded(event.place, function, event)
        self.each(today, ("change",), self.change_plan)
        if day <= self.as_of:
            self.invoice(day)
        order = [each for each in order if each[0] != 1]
        giving = [e for e in reversals if undone[e.reverses].kind not in NOT_GIVING + taking]
        if giving:
            order = self.tried(day, order, giving, undone)
        self.play(day, order)
        for posting in self.facts.reductions:
            if posting.date == day:
                self.refusals.guarded(posting.place, self.reduce_by_hand, posting)
        self.each(newcomers, ("assert",), self.check_newcomer)
        if day <= self.as_of:
            self.cut_access(day)
            self.cut_units(day)
            self.earn_access(day)
            self.fall_short(day)
        self.evening(day)
        if day <= self.as_of:
            self.depreciate(day)

    def play(
        self, day: Day, order: list[tuple[int, Event]], seen: Any = lambda event: None
    ) -> None:
        """Book the events of a day, each in the phase in which it stands."""
        functions = {
            "subscription": self.allocate,
            "allocation": self.allocate,
            "grant": self.allocate,
            "trade": self.move,
            "transfer": self.move,
            "spend": self.move,
            "consumption": self.consume,
            "purchase": self.purchase,
            "cost": self.state_cost,
            "bill": self.bill,
            "refund": self.give_back,
            "reversal": self.give_back,
            **dict.fromkeys(BACK, self.take_money_back),
        }
        if day <= self.as_of:
            for subscription in self.subscriptions:
                self.start_periods(subscription, day)
        for _, event in order:
            self.refusals.guarded(event.place, functions[event.kind], event)
            seen(event)

    def latest_first(
        self, order: list[tuple[int, Event]], undone: dict[str | None, Event]
    ) -> list[tuple[int, Event]]:
        """The order in which reversals of one time undo first what stands later in the books."""
        books = list(self.booked)
        today = [event for _, event in order]

        def place(event: Event) -> int:
            if event.reverses in undone:
                return len(books) + today.index(undone[event.reverses])
            return books.index(event.reverses) if event.reverses in books else -1

        reversals = sorted(
            (event for event in today if event.kind == "reversal"),
            key=lambda event: (event.time or "", -place(event)),
        )
        return [(at, reversals.pop(0) if e.kind == "reversal" else e) for at, e in order]

    def tried(
        self, day: Day, order: list[Any], giving: list[Event], undone: dict[str | None, Event]
    ) -> list[Any]:
        """The order with those reversals behind their events that harm no other event there."""
        late = self.outcome(day, order)
        early = behind(order, giving, undone)
        if not harms(self.outcome(day, early), late, giving):
            return early
        for reversal in giving:
            early = behind(order, [reversal], undone)
            found = self.outcome(day, early)
            if not harms(found, late, [reversal]):
                order, late = early, found
        return order

    def outcome(self, day: Day, order: list[Any]) -> dict[Any, Any]:
        """What becomes of each event: None where it is refused, else what it is charged."""
        said = (self.facts, self.terms, *self.facts.events)  # what no trial changes
        trial = copy.deepcopy(self, {id(each): each for each in said})
        found: dict[Any, Any] = {}
        before = [sum(trial.overage_booked.values()), len(trial.refusals.messages)]

        def seen(event: Event) -> None:
            after_it = [sum(trial.overage_booked.values()), len(trial.refusals.messages)]
            found[event.place] = None if after_it[1] > before[1] else after_it[0] - before[0]
            before[:] = after_it

        trial.play(day, order, seen)
        return found

    def each(self, events: list[Event], kinds: tuple[str, ...], function: Any) -> None:
        for event in events:
            if event.kind in kinds:
                self.refusals.guarded(event.place, function, event)

    # Holdings

    def change(self, holder: str, pocket: str, lot: Lot, units: Decimal) -> None:
        lots = self.held[holder, pocket]
        lots[lot] = lots.get(lot, ZERO) + units
        assert lots[lot] >= 0
        if lots[lot] == 0:
            del lots[lot]

    def draw(
        self, event: Event, pocket: str, wanted: Decimal, paid_only: bool = False
    ) -> list[tuple[str, Lot, Decimal]]:
        """(pocket, lot, units) of what leaves a pocket, in the draw-down order of the day."""
        assert event.subscriber is not None
        lots = [
            (lot, units)
            for lot, units in self.held[event.subscriber, pocket].items()
            if lot.commodity == event.commodity and (lot.cost > 0 or not paid_only)
        ]
        order = self.option("draw-down", event.date, "expiry")
        drawn = []
        for lot, units in sorted(lots, key=lambda held: draw_key(order, held[0])):
            taken = min(units, wanted)
            if taken > 0:
                drawn.append((pocket, lot, taken))
                wanted -= taken
        return drawn

    def draw_order(self, lot: Lot, day: Day) -> tuple[Any, ...]:
        return draw_key(self.option("draw-down", day, "expiry"), lot)

    def option(self, name: str, day: Day, default: Any) -> Any:
        values = [(date, value) for date, value in self.terms.options.get(name, []) if date <= day]
        return max(values, key=lambda v: v[0])[1] if values else default

    def is_refundable(self, lot: Lot) -> bool:
        """Whether what was paid for a lot can be had back on demand, by the terms of its day."""
        if lot.origin == "top-up":
            return bool(self.option("top-ups-refundable", lot.date, False))
        plan = self.plan_terms(lot.origin, lot.date)
        return plan is not None and plan.refundable

    def plan_terms(self, name: str | None, day: Day) -> Plan | None:
        """The terms in force; before the first ones, the first ones."""
        versions = sorted((p for p in self.terms.plans if p.name == name), key=lambda p: p.date)
        in_force = [p for p in versions if p.date <= day]
        if in_force:
            return in_force[-1]
        return versions[0] if versions else None

    def plan_known(self, name: str | None, day: Day) -> Plan:
        if not any(p.name == name and p.date <= day for p in self.terms.plans):
            refuse(f"unknown plan {name!r}")
        plan = self.plan_terms(name, day)
        assert plan is not None
        return plan

    # Booking

    def book(self, day: Day, why: str, legs: list[Leg]) -> None:
        """Apply lots and keep the transaction; it must sum to exactly zero."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for leg in legs:
            currency, weight = leg.weight()
            sums[currency] += weight
            if leg.lot is not None:
                units = leg.number if leg.role == "prepaid" else -leg.number  # an asset
                self.change(leg.subscriber, leg.role, leg.lot, units)
        assert not any(sums.values()), (why, legs)
        if legs:
            self.journal.append(Transaction(day, why, [leg for leg in legs if leg.number != 0]))

    def keep(self, event_id: str | None, legs: list[Leg]) -> None:
        if event_id is not None and legs:
            self.booked[event_id] = legs
            self.kind_of[event_id] = self.journal[-1].why

    def touch(self, *holders: str | None) -> None:
        """Something happened to them: merged consumption ends here."""
        for holder in holders:
            self.pending.pop(holder or "", None)

    # Opening lots and hand-written postings

    def open_lot(self, posting: HandPosting) -> None:
        assert posting.lot is not None
        if posting.pocket == "prepaid":
            self.credit_of[posting.lot.commodity] = posting.lot.origin
            self.change("", "prepaid", posting.lot, -posting.units)
            return
        self.known.setdefault(posting.holder, self.facts.component_of(posting.holder))
        opened = Leg(
            posting.pocket, posting.units, posting.lot.commodity, posting.holder, lot=posting.lot
        )
        self.give((posting.place, posting.date), None, [opened])
        self.change(posting.holder, posting.pocket, posting.lot, -posting.units)
        if posting.pocket == "access":
            tomorrow = posting.date + datetime.timedelta(days=1)
            since = tomorrow if tomorrow.day == 1 else posting.date
            self.access_since.setdefault((posting.holder, posting.lot), since)
        self.touch(posting.holder)

    def reduce_by_hand(self, posting: HandPosting) -> None:
        if posting.lot is None:
            refuse("a pocket posting without its lot")
        held = self.held[posting.holder, posting.pocket]
        if not 0 < posting.units <= held.get(posting.lot, ZERO):
            refuse(f"no such open lot; {posting.holder} holds {dict(held)}")
        self.change(posting.holder, posting.pocket, posting.lot, -posting.units)
        self.touch(posting.holder)

    # Period ends, expiries

    def end_periods(self, day: Day) -> None:
        for subscription in self.subscriptions:
            if subscription.last_end == day:
                self.touch(subscription.event.subscriber)
        for end, holder in self.single_ends:
            if end == day:
                self.touch(holder)

    def end_lots(self, day: Day) -> None:
        """Everything whose end has come is minted or expires, until nothing is left to end."""
        ended = [
            (holder, pocket, lot)
            for (holder, pocket), lots in self.held.items()
            for lot in lots
            if (lot.end is not None and lot.end <= day) or (holder, pocket, lot) in self.cut_ends
        ]
        for holder, pocket, lot in ended:
            end = self.cut_ends.get((holder, pocket, lot), lot.end)
            self.end_lot(day, holder, pocket, lot, self.held[holder, pocket][lot], end)
        if ended:
            self.end_lots(day)

    def end_lot(
        self, day: Day, holder: str, pocket: str, lot: Lot, units: Decimal, ends: Day | None
    ) -> None:
        if pocket == "prepaid":
            self.lapse(day, lot)
            return
        plan = self.plan_terms(lot.origin, lot.date)
        minted = ZERO
        assert ends is not None
        if pocket == "allocations" and plan and plan.unused == "mint" and lot.cost > 0:
            minted = units * plan.mint_rate
            end = after(ends, plan.token_expires) if plan.token_expires else None
            legs = [
                Leg("allocations", minted, lot.commodity, holder, lot.origin, lot=lot),
                Leg(
                    "tokens", -minted, lot.commodity, holder, lot.origin, lot=lot._replace(end=end)
                ),
            ]
            if minted:
                self.book(day, "mint", legs)
        self.book(day, "expiry", out_of(holder, pocket, lot, units - minted, "breakage"))
        self.touch(holder)

    # Allocations, subscriptions

    def introduce(self, name: str | None) -> None:
        """A name becomes known, unless its component is another's."""
        if not name:
            refuse("no subscriber")
        if name in self.known:
            return
        mine = self.facts.component_of(name)
        others = [other for other, taken in self.known.items() if taken == mine]
        others += [n for _, n, taken in self.facts.names if taken == mine and n != name]
        if others:
            refuse(f"{name!r} and {others[0]!r} meet in {mine}; name one with compute-subscriber")
        self.known[name] = mine

    def cancel(self, event: Event) -> None:
        for subscription in self.subscriptions:
            same = (subscription.event.subscriber, subscription.event.plan)
            if same == (event.subscriber, event.plan) and subscription.cancelled is None:
                subscription.cancelled = event.date
                if event.id is not None:
                    self.cancelled_by[event.id] = subscription
                if event.now:
                    self.cut(event, subscription)
                self.touch(event.subscriber)
                return
        refuse(f"{event.subscriber} has no subscription to {event.plan}")

    def allocate(self, event: Event) -> None:
        if event.kind == "subscription":
            self.subscribe(event)
        elif event.kind == "grant":
            self.grant(event)
        elif event.plan is not None:
            plan = self.plan_known(event.plan, event.date)
            if plan.place in self.bad_plans:
                refuse("the plan's cost can't be split")
            if not plan.price and not plan.units:
                refuse("a period that books nothing")
            self.discount_of(event, plan)
            self.introduce(event.subscriber)
            plan = self.less(plan, event.discount)
            if not plan.price and not plan.units:
                refuse("a discount of all, and nothing is booked")
            end = after(event.date, plan.every)
            legs = self.allocate_plan(event.subscriber or "", plan, event.date, end)
            self.keep(event.id, legs)
            self.give((event.place, event.date), event.id, legs)
            self.sell((event.place, event.date), event.id, legs, paid_of(legs), plan.units)
            self.single_ends.append((end, event.subscriber))
        else:
            self.top_up(event)
        self.touch(event.subscriber)

    def subscribe(self, event: Event) -> None:
        discount = self.discount_of(event, self.plan_known(event.plan, event.date))
        for other in self.subscriptions:
            same = (other.event.subscriber, other.event.plan) == (event.subscriber, event.plan)
            if same and other.running(event.date):
                refuse(f"{event.subscriber} already is on {event.plan}")
        began = event.started or event.date
        if began > event.date:
            refuse("started after the subscription's own date")
        self.introduce(event.subscriber)
        subscription = Subscription(event, began, began, began.day, discount=discount)
        self.subscriptions.append(subscription)
        self.start_periods(subscription, event.date)

    def discount_of(self, event: Event, plan: Plan) -> Decimal | None:
        """11.2: above zero, in the price's currency and minor unit, and not above it."""
        off = event.discount
        if off is None:
            return None
        if off <= 0 or event.currency != plan.currency or money(off, plan.currency) != off:
            refuse(f"a discount of {off} {event.currency}")
        running = event.started is not None and event.started < event.date
        if off > money(plan.price, plan.currency) and not running:
            refuse("a discount above the price")
        return off

    def less(self, plan: Plan, off: Decimal | None) -> Plan:
        """The plan at its price less a discount, but never below zero."""
        if off is None:
            return plan
        return replace(plan, price=max(ZERO, money(plan.price, plan.currency) - off))

    def start_periods(self, subscription: Subscription, day: Day) -> None:
        while subscription.next_start <= day and (
            subscription.cancelled is None or subscription.next_start < subscription.cancelled
        ):
            if subscription.periods == 1200:
                self.refusals.add(subscription.event.place, "more than 1,200 periods")
                subscription.next_start = FAR
                break
            self.start_period(subscription)

    def start_period(self, subscription: Subscription) -> None:
        event = subscription.event
        start = subscription.next_start
        plan = self.plan_terms(event.plan, start)
        assert plan is not None and event.subscriber is not None
        count, unit = plan.every
        anchor = subscription.anchor if unit == "months" else start.day
        if unit == "days":
            end = start + datetime.timedelta(days=count)
            subscription.anchor = end.day
        else:
            end = add_months(start, count, subscription.anchor)
        subscription.next_start = subscription.last_end = end
        subscription.periods += 1
        period = Period(start, end, (end - start).days, plan, anchor)
        subscription.period = period
        if start >= event.date and plan.place not in self.bad_plans:
            if subscription.discount is not None and event.currency != plan.currency:
                self.refusals.add(event.place, "the discount is in another currency now")
                subscription.discount = None
            plan = self.less(plan, subscription.discount)
            legs = self.allocate_plan(event.subscriber, plan, start, end)
            self.touch(event.subscriber)
            known_as = f"{event.id}/{start.isoformat()}" if event.id else None
            self.keep(known_as, legs)
            period.gave = legs
            self.give((event.place, start), known_as, legs)
            self.sell((event.place, start), known_as, legs, paid_of(legs), plan.units)

    def allocate_plan(self, holder: str, plan: Plan, start: Day, end: Day) -> list[Leg]:
        """One period of a plan; the lot carries its end, or with rollover its life's end."""
        paid = money(plan.price, plan.currency)
        if not paid and not plan.units:
            return []  # what is used is all that it charges
        gave = self.lots_for(plan, holder, (start, end), paid, plan.units)
        for leg in gave:
            if leg.role == "access" and leg.lot:
                self.access_since.setdefault((holder, leg.lot), start)
        legs = [Leg("receivable", paid, plan.currency, holder, plan.name), *gave]
        self.book(start, "allocation", legs)
        return legs

    def earn_access(self, day: Day) -> None:
        """In the evening of a month's last day, and of the last day of what is paid for."""
        tomorrow = day + datetime.timedelta(days=1)
        for (holder, pocket), lots in list(self.held.items()):
            for lot, left in list(lots.items()):
                if pocket == "access" and (tomorrow.day == 1 or tomorrow == lot.end):
                    since = self.access_since[holder, lot]
                    self.access_since[holder, lot] = tomorrow
                    earned = self.earned(holder, lot, left, since, day)
                    self.book_access(day, holder, lot, earned)

    def book_access(self, day: Day, holder: str, lot: Lot, earned: Decimal) -> None:
        self.book(day, "access", out_of(holder, "access", lot, earned, "access-revenue"))

    def earned(self, holder: str, lot: Lot, left: Decimal, since: Day, day: Day) -> Decimal:
        """left x the part of what is left of the time, to the minor unit; at the end all of it."""
        assert lot.end is not None
        tomorrow = day + datetime.timedelta(days=1)
        part, whole = (tomorrow - since).days, (lot.end - since).days
        if self.by_months(holder, lot):
            part, whole = months_from(since, day) + 1, months_from(since, lot.end)
        if tomorrow >= lot.end or part >= whole:
            return left
        with localcontext(Context(prec=60)):
            share = left * part / whole
        return money(share, lot.currency)

    def left_of(self, holder: str, lot: Lot, gave: Decimal, today: Day) -> Decimal:
        """What was not earned before today of what one period gave."""
        since = day = lot.date
        while day < today:
            tomorrow = day + datetime.timedelta(days=1)
            if tomorrow.day == 1 or tomorrow == lot.end:
                gave -= self.earned(holder, lot, gave, since, day)
                since = tomorrow
            day = tomorrow
        return gave

    def top_up(self, event: Event) -> None:
        assert event.paid is not None and event.currency and event.commodity
        units = positive(event.units, "units")
        positive(event.paid, "payment")
        if event.currency == event.commodity:
            refuse("paid in the units bought")
        paid = positive(money(event.paid, event.currency), "rounded payment")
        parts = self.split(paid, units, event.currency)
        end = end_of(event.expires, event.date)
        self.introduce(event.subscriber)
        holder = event.subscriber or ""
        legs = [Leg("receivable", paid, event.currency, holder, "top-up")]
        for count, cost in parts:
            lot = Lot(event.commodity, cost, event.currency, event.date, "top-up", end)
            legs.append(Leg("tokens", -count, event.commodity, holder, "top-up", lot=lot))
        self.book(event.date, "top-up", legs)
        self.keep(event.id, legs)
        self.sell((event.place, event.date), event.id, legs, paid, units)

    def grant(self, event: Event) -> None:
        units = positive(event.units, "units")
        currency = self.terms.operating_currency
        if currency is None:
            refuse("a grant needs an operating currency")
        end = end_of(event.expires, event.date)
        self.introduce(event.subscriber)
        assert event.commodity is not None
        lot = Lot(event.commodity, ZERO, currency, event.date, "grant", end)
        holder = event.subscriber or ""
        legs = [Leg("allocations", -units, event.commodity, holder, "grant", lot=lot)]
        self.book(event.date, "grant", legs)
        self.keep(event.id, legs)

    # The market

    def check_known(self, *names: str | None) -> None:
        for name in names:
            if name not in self.known:
                refuse(f"unknown subscriber {name!r}")

    def taken_tokens(self, event: Event) -> list[tuple[str, Lot, Decimal]]:
        units = positive(event.units, "units")
        drawn = self.draw(event, "tokens", units)
        if sum(d[2] for d in drawn) < units:
            refuse(f"{event.subscriber} does not hold {units} tokens")
        return drawn

    def move(self, event: Event) -> None:
        self.check_known(event.subscriber)
        if event.kind == "spend":
            legs = self.spend(event)
        else:
            self.check_known(event.counterparty)
            if event.subscriber == event.counterparty:
                refuse("both sides are the same")
            drawn = self.taken_tokens(event)
            legs = self.fees_and_gross(event) if event.kind == "trade" else []
            for _, lot, units in drawn:
                for name, number in ((event.subscriber, units), (event.counterparty, -units)):
                    holder = name or ""
                    legs.append(Leg("tokens", number, lot.commodity, holder, lot.origin, lot=lot))
            self.touch(event.counterparty)
            if event.kind == "trade":
                self.trades.append(event)
        self.touch(event.subscriber)
        self.book(event.date, event.kind, legs)
        self.keep(event.id, legs)

    def fees_and_gross(self, event: Event) -> list[Leg]:
        currency, seller, buyer = event.currency, event.subscriber, event.counterparty
        assert currency and seller and buyer and event.units
        if currency == event.commodity:
            refuse("a price in the units traded")
        gross = money(event.units * positive(event.price, "price"), currency)
        positive(gross, "rounded gross")
        seller_fee = self.fee("seller", gross, event)
        buyer_fee = self.fee("buyer", gross, event)
        return [
            Leg("receivable", gross + buyer_fee, currency, buyer),
            Leg("payable", seller_fee - gross, currency, seller),
            Leg("fees", -seller_fee, currency, seller),
            Leg("fees", -buyer_fee, currency, buyer),
        ]

    def fee(self, side: str, gross: Decimal, event: Event) -> Decimal:
        """What one side pays: the fee of its rate and its fixed fee, no more than the gross."""
        assert event.currency is not None
        rate: Decimal = self.option(f"{side}-fee", event.date, ZERO)
        fixed: Decimal = self.option(f"{side}-fixed-fee {event.currency}", event.date, ZERO)
        least: Decimal = self.option(f"minimum-fee {event.currency}", event.date, ZERO)
        of_rate = max(least, money(gross * rate, event.currency)) if rate else ZERO
        return min(gross, of_rate + fixed)

    def spend(self, event: Event) -> list[Leg]:
        assert event.currency and event.subscriber and event.counterparty
        positive(event.paid, "settlement")
        if event.currency == event.commodity:
            refuse("a settlement in the units spent")
        settled = positive(money(event.paid or ZERO, event.currency), "rounded settlement")
        drawn = self.taken_tokens(event)
        who: dict[str, Any] = {"subscriber": event.subscriber, "partner": event.counterparty}
        legs = [
            Leg("tokens", units, lot.commodity, event.subscriber, lot.origin, lot=lot)
            for _, lot, units in drawn
        ]
        rest: dict[str, Decimal] = defaultdict(Decimal)
        for _, lot, units in drawn:
            rest[lot.currency] += units * lot.cost
        rest[event.currency] -= settled
        legs.append(Leg("partner", -settled, event.currency, **who))
        legs += [Leg("partner-income", -number, code, **who) for code, number in rest.items()]
        return legs

    # Consumption

    def consume(self, event: Event) -> None:
        self.check_known(event.subscriber)
        event, meter = self.metered(event)
        units = positive(event.units, "units")
        drawn = self.draw(event, "allocations", units)
        left = units - sum((d[2] for d in drawn), ZERO)
        drawn += self.draw(event, "tokens", left)
        left = units - sum((d[2] for d in drawn), ZERO)
        holder = event.subscriber or ""
        legs = []
        for pocket, lot, count in drawn:
            legs += out_of(holder, pocket, lot, count, "revenue")
        if left > 0:
            legs += self.overage(event, left)
        self.book(event.date, "consumption", legs)
        self.keep(event.id, legs)
        self.serve(event, meter)
        charged = any(leg.role == "overage" for leg in legs)
        owing = self.owing(self.newest(event)) if charged else None  # "" where it counts nowhere
        self.merge(event, (meter, event.quantity is None), owing)

    def overage(self, event: Event, units: Decimal) -> list[Leg]:
        """Book the rounded running total less what is booked already."""
        newest, plan = self.newest(event), self.newest_plan(event)
        if newest is None or plan is None:
            refuse(f"{units} units beyond the holdings, and no subscription")
        if plan.overage is None:
            refuse(f"{units} units beyond the holdings, and {plan.name} has no overage")
        price, currency = plan.overage
        key = (event.subscriber, plan.name, event.date.year, event.date.month, currency)
        self.overage_due[key] += units * price
        booked = money(self.overage_due[key], currency) - self.overage_booked[key]
        self.overage_booked[key] += booked
        if event.id is not None:
            self.overage_keys[event.id] = [(key, units * price, booked)]
        self.use_beyond(event, newest, units, price)
        return self.charge(event, newest, booked)

    def overage_price(self, subscription: Subscription, day: Day) -> Plan:
        return self.terms_of(subscription, day)

    def newest_plan(self, event: Event) -> Plan | None:
        newest = self.newest(event)
        return self.terms_of(newest, event.date) if newest else None

    def newest(self, event: Event) -> Subscription | None:
        """The newest running subscription whose units are of the commodity used."""
        running = [
            s
            for s in self.subscriptions
            if s.event.subscriber == event.subscriber
            and s.running(event.date)
            and self.terms_of(s, event.date).commodity == event.commodity
        ]
        running.sort(key=lambda s: s.event.plan or "")
        return max(running, key=lambda s: s.began, default=None)

    def terms_of(self, subscription: Subscription, day: Day) -> Plan:
        plan = self.plan_terms(subscription.event.plan, day)
        assert plan is not None
        return plan

    def merge(self, event: Event, measured: Any, owing: str | None) -> None:
        """Put the transaction just booked into the one that the grain says."""
        grain = self.terms.grain
        holder = event.subscriber or ""
        new = self.journal[-1]
        open_one = self.pending.get(holder)
        if (
            grain != "event"
            and open_one
            and same_grain(grain, open_one.date, event.date)
            and open_one.measured == measured
            and (owing is None or open_one.owing in (None, owing))
        ):
            open_one.legs.extend(new.legs)
            open_one.date = event.date
            open_one.owing = owing if open_one.owing is None else open_one.owing
            self.journal.pop()
        else:
            new.measured, new.owing = measured, owing
            self.pending[holder] = new

    # Refunds, reversals

    def give_back(self, event: Event) -> None:
        if event.kind == "refund" and event.of:
            self.take_money_back(event)
        elif event.kind == "refund":
            self.refund(event)
        else:
            self.reverse(event)

    def refund(self, event: Event) -> None:
        self.check_known(event.subscriber)
        units = positive(event.units, "units")
        drawn = self.draw(event, "tokens", units, paid_only=True)
        left = units - sum((d[2] for d in drawn), ZERO)
        drawn += self.draw(event, "allocations", left, paid_only=True)
        if sum(d[2] for d in drawn) < units:
            refuse(f"{event.subscriber} does not hold {units} paid units")
        holder = event.subscriber or ""
        costs: dict[str, Decimal] = defaultdict(Decimal)
        origins: dict[str, str] = {}
        legs = []
        for pocket, lot, count in drawn:
            legs.append(Leg(pocket, count, lot.commodity, holder, lot.origin, lot=lot))
            costs[lot.currency] += count * lot.cost
            origins.setdefault(lot.currency, lot.origin)
        for currency, cost in costs.items():
            back = money(cost, currency)
            legs.append(Leg("payable", -back, currency, holder))
            legs.append(Leg("revenue", back - cost, currency, holder, origins[currency]))
        self.touch(holder)
        self.book(event.date, "refund", legs)
        self.keep(event.id, legs)
        self.count_refunded(event.id or event.place, holder, legs)

    def reverse(self, event: Event) -> None:
        """The mirror image of what the event booked, if all of it is still there."""
        target = event.reverses or ""
        if target in self.cancelled_by:
            subscription = self.cancelled_by[target]
            before = subscription.cancelled
            if before is None:
                refuse(f"{target} is reversed already")
            same_day = before == event.date
            if not same_day and not subscription.running(event.date):
                refuse(f"the subscription that {target} cancelled has ended")
            self.uncut(event, subscription)
            subscription.cancelled = None
            self.touch(subscription.event.subscriber)
            return
        if target not in self.booked:
            refuse(f"{target} is no event that was booked and can be reversed")
        if target in self.reversed:
            refuse(f"{target} is reversed already")
        if target in self.takings or target in self.recoveries:
            self.undo_money_back(event, target)
            self.reversed.add(target)
            self.end_lots(event.date)
            return
        if target in self.sale_of and self.sale_of[target].returns:
            refuse(f"something of {target} went back")
        if target in self.sale_of and self.sale_of[target].over:
            refuse(f"{target} was cancelled at once")
        legs = [replace(leg, number=-leg.number) for leg in self.booked[target]]
        legs = [each for leg in legs for each in self.of_access(leg, event.date)]
        if any(leg.role == "access" for leg in self.booked[target]) and not any(
            leg.lot for leg in legs
        ):
            refuse(f"nothing is left of {target}")
        wanted: dict[tuple[str, str, Lot], Decimal] = defaultdict(Decimal)
        for leg in legs:
            if leg.lot is not None:
                taken = -leg.number if leg.role == "prepaid" else leg.number
                wanted[leg.subscriber, leg.role, leg.lot] += taken
        for (holder, pocket, lot), units in wanted.items():
            if units > self.held[holder, pocket].get(lot, ZERO):
                refuse(f"{holder} no longer holds {units} of {lot}")
        self.reversed.add(target)
        for key, due, booked in self.overage_keys.get(target, []):
            self.overage_due[key] -= due
            self.overage_booked[key] -= booked
        self.touch(*(leg.subscriber for leg in legs))
        legs = self.without_charge(legs, target)
        self.ungive(target)
        self.take_back(target)
        legs.sort(key=lambda leg: leg.number)
        self.book(event.date, "reversal", legs)
        self.journal[-1].undoes = self.kind_of[target]
        self.unsell(target)
        self.undo_returns(target)
        self.without_catch_ups(event.date, target, self.plan_terms)
        self.end_lots(event.date)

    def of_access(self, leg: Leg, day: Day) -> list[Leg]:
        """Access that comes back: what is left of it, and the rest out of its revenue."""
        if leg.role != "access" or leg.lot is None:
            return [leg]
        held = self.held[leg.subscriber, "access"].get(leg.lot, ZERO)
        left = min(held, self.left_of(leg.subscriber, leg.lot, leg.number, day))
        gone = leg.number - left
        legs = [replace(leg, number=left)] if left else []
        if gone:
            back = Leg("access-revenue", gone, leg.lot.currency, leg.subscriber, leg.origin)
            legs.append(back)
        return legs

    # Assertions

    def is_new(self, name: str | None) -> bool:
        return name is not None and name not in self.known

    def check_newcomer(self, event: Event) -> None:
        """Who became known today had nothing this morning."""
        self.check_known(event.subscriber)
        self.compare(event, ZERO)

    def check_assertion(self, event: Event) -> None:
        assert event.currency is not None and event.figure is not None
        if event.subscriber:
            self.touch(event.subscriber)
        else:
            self.pending.clear()
        self.compare(event, self.figure(event.figure, event.subscriber, event.currency))

    def compare(self, event: Event, found: Decimal) -> None:
        assert event.paid is not None
        found = rounded(found, Decimal(1).scaleb(int(event.paid.as_tuple().exponent)))
        self.found[event.place] = found
        if found != event.paid:
            refuse(f"{event.figure}: expected {event.paid}, found {found}")

    def figure(self, name: str, subscriber: str | None, currency: str) -> Decimal:
        pockets = {"deferred-revenue": ("allocations", "tokens", "access")}.get(name, (name,))
        total = ZERO
        for (holder, pocket), lots in self.held.items():
            if pocket in pockets and subscriber in (None, holder):
                for lot, units in lots.items():
                    if lot.currency == currency:
                        total += units * lot.cost
                    if lot.commodity == currency and name != "deferred-revenue":
                        total += units
        sign = -1 if name in ("unbilled", "refunds", "disputes") else 1  # debits
        for leg in [leg for t in self.journal for leg in t.legs]:
            income = leg.role == name and name not in ("allocations", "tokens", "access")
            if income and leg.currency == currency and subscriber in (None, leg.subscriber):
                total -= sign * leg.number
        return total


def phase(event: Event) -> int:
    """The phase of a day that an event belongs to; assertions come first."""
    phases = {"assert": 0, "cancellation": 1, "change": 1} | dict.fromkeys(BACK, 5)
    phases |= dict.fromkeys(("subscription", "allocation", "grant", "purchase"), 2)
    phases |= dict.fromkeys(("trade", "transfer", "spend"), 3)
    phases |= {"consumption": 4, "refund": 5, "reversal": 5, "bill": 5, "cost": 5}
    return phases[event.kind]


def same_grain(grain: str, one: Day, other: Day) -> bool:
    return one == other if grain == "day" else (one.year, one.month) == (other.year, other.month)


def paid_of(legs: list[Leg]) -> Decimal:
    return sum((leg.number for leg in legs if leg.role == "receivable"), ZERO)


def positive(number: Decimal | None, what: str) -> Decimal:
    if number is None or number <= 0:
        refuse(f"{what} {number} is not above zero")
    return number


def draw_key(order: str, lot: Lot) -> tuple[Any, ...]:
    end, age = lot.end or FAR, lot.date.toordinal()
    cost = (lot.currency, lot.cost)
    return {
        "expiry": (end, age, cost, lot.origin),
        "fifo": (age, end, cost, lot.origin),
        "lifo": (-age, end, cost, lot.origin),
        "hifo": ((lot.currency, -lot.cost), end, age, lot.origin),
        "lofo": (cost, end, age, lot.origin),
    }[order]


def behind(
    order: list[tuple[int, Event]], reversals: list[Event], undone: dict[str | None, Event]
) -> list[tuple[int, Event]]:
    """The order with some reversals directly behind what they undo."""
    found: list[tuple[int, Event]] = []
    for at, event in order:
        if event in reversals:
            continue
        found.append((at, event))
        found += [(at, each) for each in reversals if undone[each.reverses] is event]
    return found


def harms(one: dict[Any, Any], other: dict[Any, Any], but: list[Event]) -> bool:
    """Whether an event but these is refused, or charged more, in one and not in the other."""
    apart = {event.place for event in but}
    for place, charge in one.items():
        if place in apart or other[place] is None:
            continue
        if charge is None or charge > other[place]:
            return True
    return False
