"""Allocations: units come in, and what was paid for them is deferred (ASC 606-10-55-46).

2026-05-01 * "alice" "Allocation pro 2026-05-01/2026-05-31" #compute-allocation
  Assets:Receivable:Alice                       200.00 USD
  Liabilities:DeferredRevenue:Allocations:Alice  -1000 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from beancount_compute.economy import (
    ACCESS,
    COST_STEP,
    GRANT,
    TOP_UP,
    ZERO,
    CostStepTooCoarse,
    Event,
    JournalEntry,
    Key,
    Kind,
    Lacking,
    Leg,
    Lot,
    Plan,
    Pocket,
    Refused,
    Role,
    Share,
    Unused,
    amount,
    cost_of,
    into,
    key_of,
    last_day,
    later,
    lot_of,
    money_leg,
    must_be_exact,
    never_usable,
    parse_span,
    quoted,
    round_money,
    split,
)
from beancount_compute.economy.rules.discount import check_discount
from beancount_compute.economy.state import Economy, Lots, Period


def allocate(economy: Economy, event: Event, event_id: str) -> None:
    """Book a top-up to tokens, or one period of a plan to allocations."""
    economy.admit(event.subscriber)
    if event.plan:
        plan = economy.terms.plan(event.plan, event.date)
        if plan is None:
            raise unknown_plan(economy, event)
        if plan.sells_nothing:
            raise Refused(
                f"plan {quoted(plan.name)} has no price and no units, so a period of it by itself "
                "books nothing: write a subscription"
            )
        check_discount(economy, plan, event)
        if event.discount and plan.less(event.discount).sells_nothing:
            raise Refused(
                f"a discount of all that plan {quoted(plan.name)} costs: a period of access alone "
                "that costs nothing books nothing"
            )
        economy.welcome(event.subscriber)
        end = later(event.date, plan.every)
        allocate_period(
            economy,
            plan,
            event.subscriber,
            event.date,
            end,
            event_id,
            event,
            discount=event.discount,
        )
        economy.end_period_later(event.subscriber, end)
    else:
        _top_up(economy, event, event_id)


def unknown_plan(economy: Economy, event: Event) -> Refused:
    """The refusal of an event that names a plan which has no terms on its day."""
    return no_such_plan(economy, event.plan, event.date)


def no_such_plan(economy: Economy, name: str, day: date) -> Refused:
    """The refusal of what names a plan that has no terms on a day."""
    plans = economy.terms.plans
    return Lacking(
        f"unknown plan {quoted(name)}: no compute-plan of that name on or before {day}: write one, "
        f"or check the name{economy.hints.of('plan', name, plans)}"
    )


def allocate_period(
    economy: Economy,
    plan: Plan,
    subscriber: str,
    start: date,
    end: date,
    event_id: str,
    event: Event | None,
    subscription: str = "",
    discount: Decimal = ZERO,
) -> None:
    """Book one period of a plan, from its first day to the first day after it.

    `subscription` is the id of the one that it belongs to, if any. Nothing is booked of a plan
    whose cost step is an error: its own line says so, once.
    """
    if not plan.bookable:
        economy.causes.begin(subscriber, plan.place)
        return
    key = (plan.name, plan.since, start, end, economy.today, discount)
    period = economy.periods.get(key)
    if period is None:
        if discount:
            plan = plan.less(discount)
        period = economy.periods[key] = period_of(
            plan, start, end, economy.today, economy.terms.of_ledger(COST_STEP)
        )
    narration, days, paid, of_lots = period
    if not of_lots:
        return
    source = f"subscription {subscription}" if subscription and event is None else ""
    lots = [
        (lot_of((subscriber, pocket, commodity, *of_lot)), units)
        for pocket, commodity, of_lot, units in of_lots
    ]
    lots = economy.arriving(subscriber, lots)
    if start != economy.today:  # a late period ends under the terms of its own first day
        for lot, _ in lots:
            economy.terms_days[subscriber, key_of(lot)] = start
    entry = JournalEntry(
        economy.today,
        Kind.ALLOCATION,
        subscriber,
        narration,
        _billed(subscriber, paid, lots),
        event_id,
        event,
        source,
        period=days,
        subscription=subscription,
    )
    _book(economy, entry, lots)


def period_of(plan: Plan, start: date, end: date, day: date, cost_step: Decimal | None) -> Period:
    """What one period of a plan, booked on a day, is for every subscriber."""
    usable_until: date | None = end
    if plan.unused is Unused.ROLLOVER:
        usable_until = later(start, plan.expires) if plan.expires else None
    days = f"{start}/{last_day(start, end)}"
    paid = round_money(plan.access, plan.currency)
    lots: list[tuple[Pocket, str, Key, Decimal]] = []
    if paid:
        access = (cost_of(Decimal(1), plan.currency), plan.currency, day, plan.name, end)
        lots.append((Pocket.ACCESS, ACCESS + plan.currency, access, paid))
    for line in plan.lines:
        if not line.units:
            continue
        price = round_money(line.price, plan.currency)
        paid += price
        for units, cost in split(price, line.units, plan.currency, cost_step):
            key = (cost, plan.currency, day, plan.name, usable_until)
            lots.append((line.pocket, line.commodity, key, units))
    return Period(f"Allocation {plan.name} {days}", days, paid, lots)


def _top_up(economy: Economy, event: Event, event_id: str) -> None:
    assert event.units is not None and event.paid is not None
    economy.check_commodities(event)
    paid = round_money(event.paid, event.currency)
    if not paid:
        raise Refused(
            f"the payment of {amount(event.paid, event.currency)} rounds to zero: "
            "units that cost nothing are a compute-grant"
        )
    step = economy.terms.of_ledger(COST_STEP)
    shares = shares_of(paid, event.currency, event.units, event.commodity, step)
    end = end_of(event)
    day = economy.today
    lots = _lots(day, event, Pocket.TOKENS, TOP_UP, shares, event.currency, end)
    lots = economy.arriving(event.subscriber, lots)
    economy.welcome(event.subscriber)
    legs = _billed(event.subscriber, paid, lots)
    kind = Kind.ALLOCATION
    entry = JournalEntry(day, kind, event.subscriber, "Top-up", legs, event_id, event)
    _book(economy, entry, lots)


def _billed(subscriber: str, paid: Decimal, lots: Lots) -> list[Leg]:
    """The legs of units that come in, and of what is owed for them."""
    legs = into(lots)
    if paid:
        lot, _ = lots[0]
        legs.insert(0, money_leg((Role.RECEIVABLE, subscriber, lot.origin, paid, lot.currency)))
    return legs


def _book(economy: Economy, entry: JournalEntry, lots: Lots) -> None:
    economy.settle(entry.subscriber)
    economy.post(entry)
    subscriber = economy.subscribers[entry.subscriber]
    for lot, units in lots:
        economy.put(subscriber, lot, units)


def grant(economy: Economy, event: Event, event_id: str) -> None:
    """Book promotional units at zero cost; using them earns nothing."""
    assert event.units is not None
    economy.admit(event.subscriber)
    currency = economy.terms.grant_currency
    if currency is None:
        raise Refused(
            'a grant needs a currency for its zero cost: add option "operating_currency" "USD"'
        )
    economy.check_commodities(event)
    shares = split(ZERO, event.units, currency, None)
    end, day = end_of(event), economy.today
    lots = _lots(day, event, Pocket.ALLOCATIONS, GRANT, shares, currency, end)
    lots = economy.arriving(event.subscriber, lots)
    economy.welcome(event.subscriber)
    name = event.subscriber
    _book(economy, JournalEntry(day, Kind.GRANT, name, "Grant", into(lots), event_id, event), lots)


def shares_of(
    paid: Decimal, currency: str, units: Decimal, commodity: str, step: Decimal | None
) -> tuple[Share, ...]:
    """The shares of a payment; refuses a cost step under which part of it would cost nothing."""
    try:
        shares = split(paid, units, currency, step)
    except CostStepTooCoarse:
        raise Refused(
            f"{amount(paid, currency)} for {amount(units, commodity)} is less than the cost-step "
            f"{step} per unit, so part of it would cost nothing: write a smaller cost-step"
        ) from None
    for number, cost in shares:
        must_be_exact(number * cost)
    return shares


def end_of(event: Event) -> date | None:
    """The first day on which a top-up or a grant is no longer usable."""
    if not event.expires:
        return None
    span = parse_span(event.expires)
    end = later(event.date, span) if span else date.fromisoformat(event.expires)
    if end <= event.date:
        raise Refused(never_usable("expires", end, event.date))
    return end


def _lots(
    day: date,
    event: Event,
    pocket: Pocket,
    origin: str,
    shares: Sequence[Share],
    currency: str,
    end: date | None,
) -> list[tuple[Lot, Decimal]]:
    name, commodity = event.subscriber, event.commodity
    return [
        (lot_of((name, pocket, commodity, cost, currency, day, origin, end)), units)
        for units, cost in shares
    ]
