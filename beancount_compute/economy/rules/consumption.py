"""Consumption: units are used, and their cost becomes revenue (ASC 606-10-55-46).

    2026-05-20 * "alice" "Consumption" #compute-consumption
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

Use beyond the holdings is overage, billed at the price in the plan of the newest subscription.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from decimal import Decimal, Inexact
from typing import NamedTuple

from beancount_compute.economy import (
    WIDE,
    Draw,
    Event,
    Grain,
    JournalEntry,
    Kind,
    Lacking,
    Leg,
    Money,
    Month,
    Plan,
    Pocket,
    Role,
    Run,
    amount,
    cost_by_origin,
    cost_of_lots,
    fields_getter,
    income,
    must_be_exact,
    out_of,
    out_of_lapsed,
    quoted,
)
from beancount_compute.economy.measuring import in_units, meter_of
from beancount_compute.economy.rules.catch_up import (
    count_use,
    on_running_total,
    price_when_late,
)
from beancount_compute.economy.rules.late_draws import (
    drawn_late,
    held_then,
    no_breakage,
    undone_later,
)
from beancount_compute.economy.rules.metered_use import meter_for
from beancount_compute.economy.rules.newest_plan import newest_subscription
from beancount_compute.economy.rules.plain_meters import PlainMeters
from beancount_compute.economy.rules.shortfall import charged, told_by
from beancount_compute.economy.scales import with_scaled_use
from beancount_compute.economy.state import (
    Economy,
    Lots,
    OverageBooked,
    Subscriber,
    Subscription,
)

POCKETS_USED = (Pocket.ALLOCATIONS, Pocket.TOKENS)  # in this order
_use = fields_getter("subscriber", "units", "id", "commodity", "meter", "flaw")


def consume_in_turn(
    economy: Economy,
    uses: Iterable[Event],
    odd: Collection[str],
    id_of: Callable[[Event], str],
    otherwise: Callable[[Event, str], None],
) -> None:
    """Book uses one after the other: a fast path, as most events are uses of part of the first lot.

    It holds where nothing is asserted and no uses merge. `id_of` gives an id to an event without
    one; `otherwise` books what isn't such a use, or may be nothing to book: an id that is `odd`.
    """
    find, reversed_ids, order = economy.subscribers.get, economy.reversed_ids, economy.order
    write, meters = economy.journal.append, PlainMeters(economy)
    unit, of_default, serve_default = meters.default
    for event in uses:
        name, units, event_id, commodity, meter, flaw = _use(event)
        if flaw or unit is None or event_id in odd:
            otherwise(event, event_id)
            continue
        if not event_id:
            event_id = id_of(event)
        use, serve = event, None
        if meter:
            measured = meters.measured(event)
            if measured is None:
                otherwise(event, event_id)
                continue
            use, serve = measured
            units, commodity = use.units, use.commodity
        elif commodity == unit:
            meter, serve = of_default, serve_default
        subscriber = find(name)
        holding = subscriber.allocations.get(commodity) if subscriber is not None else None
        if holding is not None and holding.order is not order:
            holding.reorder(order)
        if holding is None or not holding.queue or event_id in reversed_ids:
            otherwise(event, event_id)
            continue
        open_lot = holding.queue[0]
        held = open_lot.units
        if held > units:
            lot = open_lot.lot
            cost = lot.cost
            try:
                rest = held - units
                must_be_exact(rest * cost)  # what stays
                write((use, event_id, lot, units * cost, meter))
            except Inexact:
                otherwise(event, event_id)
            else:
                open_lot.units = rest
                if serve is not None:
                    serve(use)
        else:
            otherwise(event, event_id)


def consume(economy: Economy, event: Event, event_id: str) -> None:
    """Book use: from allocations first, then tokens, then as overage."""
    written = event
    if event.meter:
        event = in_units(event, meter_of(event, economy.terms, economy.hints))
    subscriber = economy.subscribers.get(event.subscriber) or economy.known(event.subscriber)
    meter = meter_for(economy, event, subscriber)
    if economy.terms.scales:
        event = with_scaled_use(event, economy.terms, meter.name if meter else "")
    commodity, missing = event.commodity, event.units
    assert missing is not None and event.units is not None
    lapsed: Lots = []
    if economy.late:
        draws, lapsed, missing = drawn_late(economy, event, subscriber, POCKETS_USED)
    else:
        draws, missing = _drawn(economy, commodity, subscriber, missing)
    legs = out_of(draws)
    if lapsed:
        taken = [*((open_lot.lot, units) for open_lot, units in draws), *lapsed]
        legs += out_of_lapsed(lapsed)
        legs += income(Role.REVENUE, subscriber.name, cost_of_lots(taken))
        legs += no_breakage(subscriber.name, lapsed)
    else:
        legs += income(Role.REVENUE, subscriber.name, cost_by_origin(draws))
    over = None
    if missing:
        over = _overage(economy, event, subscriber, missing)
        legs += over.legs
    economy.take(draws)
    tells = over is not None and (meter is not None or over.tells_units)
    used = Money(event.units, commodity) if tells else None
    _post(economy, written, event.quantity, event_id, legs, over, meter.name if meter else "", used)
    if meter is not None and meter.provider:
        economy.served.setdefault((event.date, meter.name), []).append(event)
        undo = economy.undo.get(event_id)
        if undo is not None:
            undo.use = event


def _drawn(
    economy: Economy, commodity: str, subscriber: Subscriber, wanted: Decimal
) -> tuple[list[Draw], Decimal]:
    """The lots that are used, and the units that they don't cover."""
    allocations = subscriber.allocations.get(commodity)
    draws: list[Draw] = []
    if allocations is not None:
        draws, wanted = allocations.plan(wanted, economy.order)
    if wanted:
        tokens = subscriber.tokens.get(commodity)
        if tokens is not None:
            more, wanted = tokens.plan(wanted, economy.order)
            draws += more
    return draws, wanted


def _post(
    economy: Economy,
    event: Event,
    quantity: Decimal,
    event_id: str,
    legs: list[Leg],
    over: _Overage | None,
    meter: str,
    used: Money | None,
) -> None:
    entry = JournalEntry(
        economy.today,
        Kind.CONSUMPTION,
        event.subscriber,
        "Consumption",
        legs,
        event_id,
        event,
        overage=over is not None,
        meter=meter,
        quantity=quantity,
        used=used,
        subscription=over.subscription if over else "",
        shortfall=over.shortfall if over else None,
    )
    economy.post(entry, over.booked if over else None)
    if economy.merges and not economy.late:  # a late use stands alone
        _merge(economy, entry)


class _Overage(NamedTuple):
    """Use beyond the holdings, as it is charged."""

    booked: OverageBooked
    legs: list[Leg]
    subscription: str  # the id of that which is invoiced for it later, or has a minimum
    shortfall: Money | None  # what it takes back of one
    tells_units: bool  # whether they are all told, where no meter does


def _overage(economy: Economy, event: Event, subscriber: Subscriber, missing: Decimal) -> _Overage:
    subscription, offer, price = _overage_price(economy, event, subscriber, missing)
    plan = offer.name
    use = WIDE.multiply(missing, price.number)
    month, charge = on_running_total(economy, subscriber.name, plan, price.currency, use)
    count_use(economy, subscriber.name, plan, event.date, missing)
    legs, shortfall = charged(subscription, event.date, charge, price.currency, plan)
    told = told_by(subscription, event.date)
    booked, tells = OverageBooked(month, use, charge, missing), bool(told) or offer.sells_nothing
    return _Overage(booked, legs, told, shortfall, tells)


def _overage_price(
    economy: Economy, event: Event, subscriber: Subscriber, missing: Decimal
) -> tuple[Subscription, Plan, Money]:
    """What use beyond the holdings falls under, and its price; refuses where there is none."""
    assert event.units is not None
    held = WIDE.subtract(event.units, missing)
    holds, undone = f"and holds {amount(held, event.commodity)}", ""
    if economy.late:
        holds = held_then(economy, event, subscriber, POCKETS_USED, held)
        undone = undone_later(economy, event, subscriber)
    beyond = f"{quoted(subscriber.name)} uses {amount(event.units, event.commodity)} {holds}"
    found = newest_subscription(economy, event, subscriber)
    if found is None:
        economy.check_commodities(event)
        at_most = "at most that, or a top-up or grant before it"
        write = at_most if held else "a subscription, top-up or grant before it"
        message = f"{beyond}: write {write}{undone}"
        raise Lacking(message, event.subscriber, (missing, event.commodity))
    subscription, plan = found
    if plan.overage is None:
        raise Lacking(
            f"{beyond}, and plan {quoted(plan.name)} has no `overage` price: "
            f"write at most that, a top-up before it, or an overage price{undone}",
            event.subscriber,
            (missing, event.commodity),
        )
    price = price_when_late(economy, event, subscription) if economy.late else None
    return subscription, plan, price or plan.overage


def _merge(economy: Economy, entry: JournalEntry) -> None:
    """Merge a use into the subscriber's run of uses: dated its last, at the place of the first."""
    last = len(economy.journal) - 1
    before = economy.merging.get(entry.subscriber)
    economy.merging[entry.subscriber] = last
    run = economy.runs.get(before) if before is not None else None
    if before is None or run is None or not _in_one_grain(economy, run, entry):
        economy.runs[last] = Run(entry)
        return
    run.add(entry)
    economy.superseded.add(before)
    economy.runs[last] = economy.runs.pop(before)


def _in_one_grain(economy: Economy, run: Run, other: JournalEntry) -> bool:
    """Whether uses of one meter fall into one day or month, as the posting grain is."""
    one = run.first
    if run.overage and other.overage and run.subscription != other.subscription:
        return False  # what is charged at once is told apart from what waits for an invoice
    if one.meter != other.meter or bool(one.quantity) != bool(other.quantity):
        return False
    meter = economy.terms.meters.get(one.meter)
    if meter is not None and meter.since(one.date) != meter.since(other.date):
        return False
    if economy.grain is Grain.DAY:
        return one.date == other.date
    return Month.of(one.date) == Month.of(other.date)
