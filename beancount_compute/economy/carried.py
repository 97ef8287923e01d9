"""What the closed months hand on: the state at the beginning of the first open day.

    lots, who is known, subscriptions, what was earned so far   ->  2026-06-01

The engine goes on from it as if it had booked those months itself. `handed_on` is the state that
it leaves, and `take_over` the way back into it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from beancount_compute.economy import (
    EARNINGS,
    STOCK,
    WIDE,
    ZERO,
    Accrual,
    Arrears,
    Billed,
    Commitment,
    Depreciation,
    Due,
    JournalEntry,
    Key,
    Leg,
    Lot,
    LotHistory,
    LotLeg,
    MoneyBack,
    MoneyLeg,
    Place,
    Pocket,
    Refusal,
    Role,
    Terms,
    UsedInPeriod,
    billed_days,
    key_of,
    period_with,
)
from beancount_compute.economy.rules.allocation import no_such_plan
from beancount_compute.economy.rules.shortfall import await_shortfall
from beancount_compute.economy.state import AtOnce, EarlierPlan, Economy, Lots, Subscription, Undo

Earned = MutableMapping[tuple[Role, str, str], Decimal]  # by role, subscriber and currency


class Running(NamedTuple):
    """A subscription as it stands: also one that has ended, because a late use may be of its."""

    id: str
    subscriber: str
    plan: str
    start: date
    day_of_month: int
    counted_in_days: bool
    period_end: date  # of the last period that has begun
    periods: int
    ended: bool
    place: Place
    cancelled: tuple[str, date] | None = None  # by which event, and when
    discount: Decimal = ZERO  # of `currency`: what each period costs less
    currency: str = ""
    arrears: Arrears | None = None
    commitments: tuple[Commitment, ...] = ()
    earlier: tuple[EarlierPlan, ...] = ()  # the plans that it was on before, the first first
    # of one that was changed: the first day of the running period, were it not cut short
    whole_since: date | None = None
    at_once: AtOnce | None = None  # where it ended within a period


class Carried(NamedTuple):
    """The state of the books when their closed months end."""

    last_day: date  # of the last closed month
    lots: list[tuple[Lot, Decimal]]
    known: Collection[str]  # subscribers
    subscriptions: Iterable[Running] = ()  # each subscriber's in the order of the books
    terms_days: Mapping[tuple[str, Key], date] = MappingProxyType({})  # of lots that came late
    period_ends: Iterable[tuple[str, date]] = ()  # of subscribers' single periods, behind last_day
    earned: Mapping[tuple[Role, str, str], Decimal] = MappingProxyType({})
    undo: Mapping[str, Undo] = MappingProxyType({})  # of closed events that open ones reverse
    provider_of: Mapping[str, str] = MappingProxyType({})  # by the commodity of its credits
    past: LotHistory | None = None  # of the lots of whom late events name
    depreciations: Mapping[str, Depreciation] = MappingProxyType({})  # by capacity
    accrued: Mapping[Accrual, Decimal] = MappingProxyType({})
    billed: Iterable[tuple[str, str, Billed]] = ()  # by provider and currency
    access_since: Mapping[str, date] = MappingProxyType({})  # by its currency
    # of closed allocations that open events name, or with which running periods share lots
    money_back: MoneyBack | None = None
    past_costs: Iterable[JournalEntry] = ()  # of closed days that open events change
    # what running periods used, of plans that open days charge anew
    beyond: Mapping[tuple[str, str], UsedInPeriod] = MappingProxyType({})
    by_days: Iterable[tuple[str, Key]] = ()  # lots of access that a change cut short


def running_period(terms: Terms, each: Running, day: date) -> tuple[date, date]:
    """The first day and the end of the period of a subscription in which a day lies."""
    if each.whole_since is not None:  # it changed plans
        return max(each.whole_since, each.earlier[-1].until), each.period_end
    return period_with(terms, each.plan, each.start, day)


def count_earned(earned: Earned, legs: Iterable[Leg]) -> None:
    """Count what the legs of an entry earn."""
    for leg in legs:
        if isinstance(leg, MoneyLeg) and leg.role in EARNINGS:
            key = (leg.role, leg.holder, leg.currency)
            earned[key] = WIDE.subtract(earned.get(key, ZERO), leg.number)


def handed_on(economy: Economy, last_day: date) -> Carried:
    """The state when a day is over, in one order however it came about; without what was earned."""
    subscribers = sorted(economy.subscribers.values(), key=lambda each: each.name)
    lots = [
        (open_lot.lot, open_lot.units)
        for subscriber in subscribers
        for open_lot in subscriber.held()
    ]
    lots += [(each.lot, each.units) for holding in economy.stock.values() for each in holding]
    running = [
        Running(
            each.id,
            subscriber.name,
            each.plan,
            each.start,
            each.day_of_month,
            each.counted_in_days,
            each.period_end,
            each.periods,
            each.ended,
            each.place,
            each.cancelled,
            each.discount,
            each.currency,
            each.arrears and each.arrears.copied(),
            tuple([replace(commitment) for commitment in each.commitments]),
            each.earlier,
            each.whole_since if each.earlier else None,
            each.at_once,
        )
        for subscriber in subscribers
        for each in subscriber.subscriptions
    ]
    return Carried(
        last_day,
        sorted(lots, key=_place),
        [subscriber.name for subscriber in subscribers],
        running,
        dict(economy.terms_days),
        sorted({each for each in economy.period_ends if each[1] > last_day}),
        provider_of=dict(sorted(economy.provider_of.items())),
        depreciations={
            name: each
            for name, each in sorted(economy.depreciations.items())
            if each.first <= last_day
        },
        accrued=dict(sorted(economy.costs.accrued.items())),
        billed=[*billed_days(economy.costs)],
        access_since=dict(sorted(economy.access_since.items())),
        beyond={of: each.copied() for of, each in sorted(economy.beyond.items())},
        by_days=_cut_short(economy, lots),
        money_back=economy.money_back and economy.money_back.copied(),
    )


def _cut_short(economy: Economy, lots: Lots) -> list[tuple[str, Key]]:
    """The open lots of access that a change cut short."""
    if not economy.by_days:
        return []
    held = ((lot.holder, key_of(lot)) for lot, _ in lots if lot.pocket is Pocket.ACCESS)
    return sorted([each for each in held if each in economy.by_days], key=str)


def take_over(economy: Economy, carried: Carried, first_day: date) -> None:
    """Let the economy stand where the closed months left it."""
    economy.today = first_day
    for name in carried.known:
        economy.welcome(name)
    economy.terms_days.update(carried.terms_days)
    economy.access_since.update(carried.access_since)
    economy.by_days.update(carried.by_days)
    for lot, units in carried.lots:
        if lot.pocket is STOCK:
            economy.put_in_stock(lot, units)
        else:
            economy.put(economy.welcome(lot.holder), lot, units)
    economy.provider_of.update(carried.provider_of)
    economy.depreciations.update(carried.depreciations)
    for entry in carried.past_costs:
        economy.costs.note(entry, accruals=False)
    economy.costs.accrued.update(carried.accrued)
    for provider, currency, days in carried.billed:
        economy.costs.bill(provider, currency, days)
    for name, day in carried.period_ends:
        economy.end_period_later(name, day)
    for running in carried.subscriptions:
        _resume(economy, running, carried.last_day)
    economy.beyond.update({of: each.copied() for of, each in carried.beyond.items()})
    economy.undo.update({event_id: replace(undo) for event_id, undo in carried.undo.items()})
    if economy.totals is not None:
        economy.totals.add(LotLeg(lot, -units) for lot, units in carried.lots)
        economy.totals.add(
            MoneyLeg(role, name, "", -number, currency)
            for (role, name, currency), number in carried.earned.items()
        )
        economy.totals.add(
            MoneyLeg(Role.UNBILLED, each.subscriber, "", number, currency)
            for each in carried.subscriptions
            if each.arrears is not None
            for currency, number in each.arrears.unbilled.items()
        )


def _resume(economy: Economy, running: Running, last_day: date) -> None:
    """Let a subscription run on, whose periods so far are in the books."""
    if running.plan not in economy.terms.plans:  # it went when the month was closed already
        refused = no_such_plan(economy, running.plan, running.start)
        economy.refusals.append(Refusal(running.place, str(refused)))
        return
    subscriber = economy.welcome(running.subscriber)
    subscription = Subscription(
        running.id,
        subscriber,
        running.plan,
        running.start,
        running.place,
        running.day_of_month,
        running.counted_in_days,
        running.period_end,
        running.periods,
        running.ended,
        running.cancelled,
        running.discount,
        running.currency,
        running.arrears and running.arrears.copied(),
        [replace(each) for each in running.commitments],
        running.earlier,
        running.whole_since,
        running.at_once,
    )
    subscriber.subscriptions.append(subscription)
    if subscription.arrears is not None:
        economy.agenda.put(Due.INVOICES, subscription.arrears.next_invoice, subscription)
    for commitment in subscription.commitments:
        if not commitment.over:
            await_shortfall(economy, subscription, commitment)
    if running.cancelled and running.cancelled[0] in economy.reversed_ids:
        cancellation, day = running.cancelled
        economy.cancellations[cancellation] = subscription, day
    if last_day < running.period_end < date.max:
        economy.agenda.put(Due.PERIODS, running.period_end, subscription)


def _place(held: tuple[Lot, Decimal]) -> tuple[object, ...]:
    holder, pocket, commodity, cost, currency, day, origin, end = held[0]
    return (holder, pocket, commodity, currency, cost, day, origin, end or date.max)
