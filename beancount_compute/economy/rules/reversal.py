"""Reversals: an event undone, whole, and where those of a day stand.

    10:00  use of 100 CU         all that alice holds
    11:00  its reversal          stands directly behind it: the very lots come back
    12:00  use of 80 CU          so this one finds them

One of what only takes units (a use, spend or refund) stands directly behind its event, whatever its
time: a use that is corrected on its own day leaves nothing behind. One of what gives units to
somebody does so only where no other event of the day is then refused or charged more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import NamedTuple

from beancount_compute.economy import (
    KINDS,
    WIDE,
    ZERO,
    Draw,
    Event,
    GivenBack,
    JournalEntry,
    Kind,
    Lacking,
    Leg,
    Lot,
    LotLeg,
    MoneyLeg,
    Pocket,
    Refused,
    Role,
    amount,
    content_id,
    mirrored,
    moved_by,
    must_be_exact,
    quoted,
    text_of,
)
from beancount_compute.economy.rules.access import unearned
from beancount_compute.economy.rules.access_back import bring_back, own_access
from beancount_compute.economy.rules.breakage import meet_end
from beancount_compute.economy.rules.catch_up import take_back_catch_ups
from beancount_compute.economy.rules.cost import take_back
from beancount_compute.economy.rules.shortfall import charged_back
from beancount_compute.economy.state import Economy, Subscription, Undo


class DayOutcome(NamedTuple):
    """What becomes of a day's events, by the identity of each."""

    refused: frozenset[int]
    charged: Mapping[int, Decimal]  # overage

    def harms(self, other: DayOutcome, but: Iterable[Event]) -> bool:
        """Whether any event but these is refused or charged more here than in the other."""
        others = {id(event) for event in but}
        return bool(self.refused - other.refused - others) or any(
            charge > other.charged.get(event, ZERO) for event, charge in self.charged.items()
        )


OutcomeOf = Callable[[Sequence[Event]], DayOutcome]  # of events in an order; it changes nothing


def placed(
    events: list[Event],
    outcome: OutcomeOf,
    booked: Mapping[str, Undo] = MappingProxyType({}),
) -> list[Event]:
    """The events of a day, in the order of the books, with their reversals where they stand.

    Where they come late, what they undo may be `booked` already: then they stand in front.
    """
    target_of = targets(events, booked)
    if not target_of:
        return events
    at_once = [each for each in target_of if not KINDS[target_of[each].kind].gives]
    if at_once:
        events = _moved(events, {each: target_of[each] for each in at_once})
    perhaps = [each for each in target_of if each not in at_once]
    if not perhaps:
        return events
    late = outcome(events)
    together = _moved(events, {each: target_of[each] for each in perhaps})
    reversals = [each.event for each in perhaps]
    if not outcome(together).harms(late, reversals):
        return together
    for each in perhaps:
        early = _moved(events, {each: target_of[each]})
        found = outcome(early)
        if not found.harms(late, [each.event]):
            events, late = early, found
    return events


class ReversalTarget(NamedTuple):
    """What a reversal undoes of its own day."""

    kind: Kind
    event: Event | None  # None where it was booked before


class Reversing(NamedTuple):
    """A reversal among the events of its day, compared by where it stands there."""

    at: int
    event: Event


def targets(
    events: Sequence[Event], booked: Mapping[str, Undo] = MappingProxyType({})
) -> dict[Reversing, ReversalTarget]:
    """The reversals that undo an event of the same day, with that event, in order."""
    reversing = [
        Reversing(at, each) for at, each in enumerate(events) if each.kind is Kind.REVERSAL
    ]
    if not reversing:
        return {}
    named = {each.event.reverses for each in reversing}
    derived = any(name.startswith("e-") for name in named)
    day = reversing[0].event.date
    by_id = {
        name: ReversalTarget(booked[name].entry.kind, None)
        for name in sorted(named & booked.keys())
        if booked[name].day == day
    }
    repeats: Counter[str] = Counter()
    for event in events:
        if event.kind is Kind.REVERSAL:
            continue
        event_id = event.id
        if not event_id and derived:
            event_id = content_id(event)
            repeats[event_id] += 1
            event_id += f"-{repeats[event_id]}" if repeats[event_id] > 1 else ""
        if event_id in named:
            by_id.setdefault(event_id, ReversalTarget(event.kind, event))
    return {each: by_id[each.event.reverses] for each in reversing if each.event.reverses in by_id}


def _moved(events: list[Event], behind: Mapping[Reversing, ReversalTarget]) -> list[Event]:
    """The events with some reversals directly behind what they undo."""
    moved = {id(each.event) for each in behind}
    following: dict[int, list[Event]] = {}
    for each, target in behind.items():
        following.setdefault(id(target.event), []).append(each.event)
    found = following.get(id(None), [])
    for event in events:
        if id(event) not in moved:
            found += [event, *following.get(id(event), ())]
    return found


def reverse(economy: Economy, event: Event, event_id: str) -> None:
    """Book the mirror image of an event's transaction, and give the very lots back."""
    cancellation = economy.cancellations.get(event.reverses)
    if cancellation is not None and cancellation[1] <= event.date:
        _run_on(economy, event, *cancellation)
        return
    undo = economy.undo.get(event.reverses)
    if undo is None or undo.day > event.date:
        raise Lacking(
            f"nothing to reverse: no event {quoted(event.reverses)} was booked on or before "
            f"{event.date}, or it is of a kind that can't be reversed"
            f"{economy.hints.of('event', event.reverses, economy.ids)}"
        )
    if instead := KINDS[undo.entry.kind].corrected_by:
        raise Refused(f"a {undo.entry.kind} can't be reversed: write {instead}")
    if undo.done:
        raise Refused(f"event {quoted(event.reverses)} is reversed already: remove this line")
    if economy.money_back and (first := economy.money_back.given_back(event.reverses)):
        raise Refused(f"{quoted(event.reverses)} has {quoted(first)} behind it: reverse that first")
    entry = undo.entry
    if entry.uses > 1:
        raise Refused(
            f"event {quoted(event.reverses)} was merged with {entry.uses - 1} other uses in a "
            "closed month (posting-grain), so its own share is not in the books: grant the units "
            "back instead, or reopen the month"
        )
    _refuse_changed(economy, undo)
    taken, given = _lots_to_take(economy, undo), _lots_to_give(undo)
    if undo.entry.period and not taken:
        raise Refused(
            f"nothing is left of {quoted(event.reverses)}, whose access was all earned by "
            f"{economy.today}: correct it by hand"
        )
    for lot, units in given:
        economy.arriving(lot.holder, [(lot, units)])
    economy.take(taken)
    undo.done = True
    take_back(economy, undo)
    economy.settle(*{lot.holder for lot, _ in given}, *{draw[0].lot.holder for draw in taken})
    economy.settle(entry.subscriber)
    legs, shortfall = _mirrored(entry, taken), None
    if entry.kind is Kind.CONSUMPTION and entry.subscription:
        legs, shortfall = charged_back(economy, undo, legs)
    economy.post(
        JournalEntry(
            economy.today,
            Kind.REVERSAL,
            entry.subscriber,
            f"Reversal of {entry.narration}",
            legs,
            event_id,
            event,
            undoes=entry.kind.value,
            counterparty=entry.counterparty,
            period=entry.period,
            subscription=entry.subscription,
            meter=entry.meter,
            quantity=entry.quantity,
            used=entry.used,
            shortfall=shortfall,
            back=entry.back and _turned(entry.back),
        )
    )
    _undo_overage(economy, undo)
    take_back_catch_ups(economy, undo, event_id)
    with localcontext(WIDE):
        for lot, units in given:
            if lot.pocket is Pocket.ACCESS:
                bring_back(economy, lot, units, entry.date)
            else:
                _restore(economy, lot, units)


def _turned(back: GivenBack) -> GivenBack:
    return back._replace(amount=-back.amount, moved_on=-back.moved_on)


def _refuse_changed(economy: Economy, undo: Undo) -> None:
    """Refuse to undo a period that ended before its time, whose lots others have by now.

    A change of plan ends it, or a cancellation at once where others shared its lots.
    """
    entry = undo.entry
    if entry.kind is not Kind.ALLOCATION or not entry.subscription:
        return
    first, _, last = entry.period.partition("/")
    subscription = economy.subscribers[entry.subscriber].subscription(entry.subscription)
    for plan, until in subscription.earlier if subscription else ():
        if first < text_of(until) <= last:
            raise Refused(
                f"the period {entry.period} of {quoted(plan)} ended with the change of {until}, "
                "which gave back what was left of it: change back instead"
            )
    at_once = subscription.at_once if subscription else None
    if subscription and at_once and at_once.shared and first == text_of(at_once.since):
        raise Refused(
            f"the period {entry.period} of {quoted(subscription.plan)} was cancelled at once, and "
            "what is left of its lots is another allocation's: correct it by hand"
        )


def _run_on(economy: Economy, event: Event, subscription: Subscription, cancelled: date) -> None:
    """Let a subscription run on whose cancellation is reversed; nothing is booked.

    A late reversal does so where the period runs until its booking: closed months get no new ones.
    """
    ended = economy.late and subscription.period_end < economy.today
    ended |= subscription.at_once is not None and (economy.late or cancelled != event.date)
    if not subscription.ended:
        raise Refused(f"event {quoted(event.reverses)} is reversed already: remove this line")
    if ended or (cancelled != event.date and not subscription.runs_on(event.date)):
        raise Refused(
            f"the subscription that {quoted(event.reverses)} cancelled ended on "
            f"{subscription.period_end}: write a new one"
        )
    subscription.ended = False
    if subscription.at_once is not None:
        subscription.period_end, subscription.at_once = subscription.at_once.whole_end, None
    economy.settle(subscription.subscriber.name)


def _mirrored(entry: JournalEntry, taken: Iterable[Draw]) -> list[Leg]:
    """The mirror image of an entry; what was had of lapsed lots comes back and lapses again.

    Access that was earned meanwhile comes out of its revenue.
    """
    legs = mirrored(entry.legs)
    left = {tuple(open_lot.lot): units for open_lot, units in taken}
    for at, leg in enumerate(legs):
        if isinstance(leg, LotLeg) and leg.lot.pocket is Pocket.ACCESS and leg.units > 0:
            lot, units = leg.lot, left.get(tuple(leg.lot), ZERO)
            legs[at] = LotLeg(lot, units)
            earned = leg.units - units
            if earned:
                of = Role.ACCESS_REVENUE, lot.holder, lot.origin
                legs.append(MoneyLeg(*of, earned, lot.currency))
    legs = [leg for leg in legs if not isinstance(leg, LotLeg) or leg.units]
    if any(each.lapsed for each in moved_by(entry.legs)):
        legs.sort(key=lambda leg: not isinstance(leg, LotLeg) or leg.units > 0)
    return legs


def _lots_to_take(economy: Economy, undo: Undo) -> list[Draw]:
    draws: list[Draw] = []
    for lot, out, back in moved_by(undo.entry.legs):
        units = WIDE.subtract(back, out)
        if units <= 0:
            continue
        open_lot = economy.open_lot(lot)
        held = open_lot.units if open_lot else ZERO
        if lot.pocket is Pocket.ACCESS:
            left = min(held, unearned(economy, lot, units), own_access(economy, undo, lot, held))
            if open_lot is not None and left:
                draws.append((open_lot, left))
            continue
        if open_lot is None or held < units:
            raise Refused(
                f"{amount(units, lot.commodity)} of the lot {quoted(lot.label)} of "
                f"{lot.date} would have to come back from {quoted(lot.holder)}, who holds "
                f"{amount(held, lot.commodity)} of it: {_what_to_do(economy, lot)}"
            )
        must_be_exact((held - units) * lot.cost)  # what stays
        draws.append((open_lot, units))
    return draws


def _what_to_do(economy: Economy, lot: Lot) -> str:
    """What to write where a lot that has to come back is gone."""
    # late events are booked before what ends on their day
    end = economy.end_of(lot)
    if end is None or end > economy.today or (economy.late and end == economy.today):
        return "reverse what used them first"
    return (
        f"what nobody used of it met its end on {end}, and a mint or an expiry can't be "
        "reversed; correct it by hand"
    )


def _lots_to_give(undo: Undo) -> list[tuple[Lot, Decimal]]:
    return [(each.lot, each.net) for each in moved_by(undo.entry.legs) if each.net > 0]


def _undo_overage(economy: Economy, undo: Undo) -> None:
    if undo.overage is not None:
        month, use, charge, _ = undo.overage
        exact, booked = economy.overage.get(month, (ZERO, ZERO))  # of a closed month nothing
        economy.overage[month] = (WIDE.subtract(exact, use), WIDE.subtract(booked, charge))


def _restore(economy: Economy, lot: Lot, units: Decimal) -> None:
    """Give a lot back; one whose end has passed meets that end at once, as it would have.

    Of a late reversal, one that ended only behind its own day can still be used by late events.
    """
    subscriber, end = economy.subscribers[lot.holder], economy.end_of(lot)
    economy.put(subscriber, lot, units, end=end)
    if end is not None and end <= economy.terms_day:
        open_lot = subscriber.find(lot)
        assert open_lot is not None
        meet_end(economy, open_lot, economy.today)
