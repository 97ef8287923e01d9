"""Cancellations at once: the running period ends tomorrow, and nothing is owed for its rest.

    2026-05-20 custom "compute-cancellation" "alice" "pro"
      now: TRUE

    2026-05-20 * "alice" "Cancellation pro 2026-05-16/2026-05-20" #compute-cancellation
      Liabilities:DeferredRevenue:Allocations:Alice   500 CU {0.08 USD, ..., "pro/2026-06-16"}
      Liabilities:DeferredRevenue:Allocations:Alice  -500 CU {0.08 USD, ..., "pro/2026-05-21"}
    2026-05-20 * "alice" "Access pro 2026-05-16/2026-05-20" #compute-access
      Liabilities:DeferredRevenue:Access:Alice    19.35 ACCESS-USD {1.00 USD, 2026-05-16, "pro/..."}
      Income:Access                              -19.35 USD
    2026-05-20 * "alice" "Expiry" #compute-expiry
      Liabilities:DeferredRevenue:Access:Alice   100.65 ACCESS-USD {1.00 USD, 2026-05-16, "pro/..."}
      Income:Breakage                           -100.65 USD
    2026-05-21   units end: they are minted as planned, or lapse

The use of that day stands. What is left of access is no longer to be delivered (ASC 606-10-55-46).
The first transaction says to every reader of the books when the period ended, also where it has no
postings. Where another allocation of that plan and day may share its lots, its own units end alone.
"""

from __future__ import annotations

from datetime import date, timedelta

from beancount_compute.economy import (
    Due,
    Event,
    JournalEntry,
    Kind,
    Pocket,
    into,
    lot_of,
    out_of,
    text_of,
)
from beancount_compute.economy.rules.access import earn_through
from beancount_compute.economy.rules.breakage import expire_rest
from beancount_compute.economy.rules.short_period import lots_of_period
from beancount_compute.economy.rules.shortfall import shorten
from beancount_compute.economy.rules.subscription import whole_since
from beancount_compute.economy.state import AtOnce, Economy, Subscription

_DAY = timedelta(1)


def end_at_once(economy: Economy, day: date) -> None:
    """Let the subscriptions end that were cancelled at once today, and still are."""
    due: list[tuple[Subscription, Event, str]] = economy.agenda.take(Due.CANCELLED, day)
    for subscription, event, event_id in sorted(due, key=lambda each: _place(each[0])):
        if subscription.at_once is not None and subscription.cancelled == (event_id, day):
            _end(economy, subscription, subscription.at_once, event, event_id)


def _end(
    economy: Economy, subscription: Subscription, at_once: AtOnce, event: Event, event_id: str
) -> None:
    name, plan = subscription.subscriber.name, subscription.plan
    tomorrow = subscription.period_end
    economy.settle(name)
    days = f"{text_of(at_once.since)}/{text_of(event.date)}"
    narration = f"Cancellation {plan} {days}"
    own = lots_of_period(economy, subscription, at_once.since, at_once.whole_end)
    access = [each for each in own if each[0].lot.pocket is Pocket.ACCESS]
    back, of = economy.money_back, (subscription.id, name, plan, at_once.since)
    shared = back is not None and back.is_shared(*of)
    # what ends tomorrow anyway needs no other lot
    units = [each for each in own[len(access) :] if each[0].lot.end != tomorrow]
    cut_off = [(lot_of((*open_lot.lot[:-1], tomorrow)), held) for open_lot, held in units]
    economy.post(
        JournalEntry(
            economy.today,
            Kind.CANCELLATION,
            name,
            narration,
            [*out_of(units), *into(cut_off)],
            event_id,
            event,
            period=days,
            subscription=subscription.id,
        )
    )
    for open_lot, held in access:
        rest = earn_through(economy, open_lot, held, event.date, f"/{event_id}" if shared else "")
        if rest:
            expire_rest(economy, open_lot, rest, event.date)
    subscription.at_once = at_once._replace(shared=shared)
    economy.take(units)
    for lot, number in cut_off:
        economy.put(subscription.subscriber, lot, number)
    of_days = (at_once.whole_end - whole_since(economy, subscription)).days
    shorten(economy, subscription, of_days)
    if subscription.arrears is not None:
        subscription.arrears.next_invoice = tomorrow
        economy.agenda.put(Due.INVOICES, tomorrow, subscription)


def _place(subscription: Subscription) -> tuple[str, str, str]:
    return subscription.subscriber.name, subscription.plan, subscription.id
