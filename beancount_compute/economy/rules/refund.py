"""Refunds: units given back at what they cost, and reversals: an event undone, whole.

    2026-06-15 * "alice" "Refund" #compute-refund
      Liabilities:DeferredRevenue:Tokens:Alice    1 CU {0.006666 USD, 2026-05-01, "top-up"}
      Liabilities:Payable:Alice               -0.01 USD
      Income:Compute                       0.003334 USD

Only units that were paid for are refunded. A reversal restores the very lots.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Draw,
    Event,
    JournalEntry,
    Kind,
    Lot,
    LotLeg,
    MoneyLeg,
    Pocket,
    Refused,
    Role,
    amount,
    cost_by_origin,
    mirrored,
    must_be_exact,
    out_of,
    quoted,
    round_money,
)
from beancount_compute.economy.rules.breakage import meet_end
from beancount_compute.economy.state import Economy, Undo


def refund(economy: Economy, event: Event, event_id: str) -> None:
    """Book units given back: their cost, rounded once per currency, to payable."""
    assert event.units is not None
    subscriber = economy.known(event.subscriber)
    draws: list[Draw] = []
    missing = event.units
    for pocket in (Pocket.TOKENS, Pocket.ALLOCATIONS):
        holding = subscriber.pocket(pocket).get(event.commodity)
        if holding is not None and missing:
            more, missing = holding.plan(missing, economy.order, paid_only=True)
            draws += more
    if missing:
        held = WIDE.subtract(event.units, missing)
        raise Refused(
            f"{quoted(subscriber.name)} gives back {amount(event.units, event.commodity)} and "
            f"holds {amount(held, event.commodity)} that were paid for: write at most that"
        )
    owed: dict[str, Decimal] = {}
    origins: dict[str, str] = {}
    for (origin, currency), cost in cost_by_origin(draws).items():
        owed[currency] = owed.get(currency, ZERO) + cost
        origins.setdefault(currency, origin)
    legs = out_of(draws)
    for currency, cost in owed.items():
        payable = round_money(cost, currency)
        money = ((Role.PAYABLE, -payable), (Role.REVENUE, payable - cost))
        legs += [
            MoneyLeg(role, subscriber.name, origins[currency], number, currency)
            for role, number in money
            if number
        ]
    economy.take(draws)
    economy.settle(subscriber.name)
    entry = JournalEntry(
        economy.today,
        Kind.REFUND,
        subscriber.name,
        "Refund",
        legs,
        event_id,
        event,
    )
    economy.post(entry)


def reverse(economy: Economy, event: Event, event_id: str) -> None:
    """Book the mirror image of an event's transaction, and give the very lots back."""
    undo = economy.undo.get(event.reverses)
    if undo is None or undo.day > event.date:
        raise Refused(
            f"nothing to reverse: no event {quoted(event.reverses)} was booked on or before "
            f"{event.date}, or it is of a kind that can't be reversed"
        )
    if undo.done:
        raise Refused(f"event {quoted(event.reverses)} is reversed already: remove this line")
    entry = undo.entry
    if entry.uses > 1:
        raise Refused(
            f"event {quoted(event.reverses)} was merged with {entry.uses - 1} other uses in a "
            "closed month (posting-grain), so its own share is not in the books: grant the units "
            "back instead, or reopen the month"
        )
    taken, given = _lots_to_take(economy, undo), _lots_to_give(undo)
    for lot, units in given:
        economy.arriving(lot.holder, [(lot, units)])
    economy.take(taken)
    undo.done = True
    economy.settle(*{lot.holder for lot, _ in given}, *{draw[0].lot.holder for draw in taken})
    economy.settle(entry.subscriber)
    economy.post(
        JournalEntry(
            economy.today,
            Kind.REVERSAL,
            entry.subscriber,
            f"Reversal of {entry.narration}",
            mirrored(entry.legs),
            event_id,
            event,
            undoes=entry.kind.value,
            counterparty=entry.counterparty,
            period=entry.period,
            subscription=entry.subscription,
        )
    )
    _undo_overage(economy, undo)
    with localcontext(WIDE):
        for lot, units in given:
            _restore(economy, lot, units)


def _lots_to_take(economy: Economy, undo: Undo) -> list[Draw]:
    draws: list[Draw] = []
    for leg in undo.entry.legs:
        if not isinstance(leg, LotLeg) or leg.units > 0:
            continue
        open_lot = economy.subscribers[leg.lot.holder].find(leg.lot)
        held = open_lot.units if open_lot else ZERO
        if open_lot is None or held < -leg.units:
            raise Refused(
                f"{amount(-leg.units, leg.lot.commodity)} of the lot {quoted(leg.lot.label)} of "
                f"{leg.lot.date} would have to come back from {quoted(leg.lot.holder)}, who holds "
                f"{amount(held, leg.lot.commodity)} of it: reverse what used them first"
            )
        must_be_exact((held + leg.units) * leg.lot.cost)  # what stays
        draws.append((open_lot, -leg.units))
    return draws


def _lots_to_give(undo: Undo) -> list[tuple[Lot, Decimal]]:
    legs = undo.entry.legs
    return [(leg.lot, leg.units) for leg in legs if isinstance(leg, LotLeg) and leg.units > 0]


def _undo_overage(economy: Economy, undo: Undo) -> None:
    if undo.overage is not None:
        month, use, charge = undo.overage
        exact, booked = economy.overage[month]
        economy.overage[month] = (WIDE.subtract(exact, use), WIDE.subtract(booked, charge))


def _restore(economy: Economy, lot: Lot, units: Decimal) -> None:
    """Give a lot back; one whose end has passed meets that end at once, as it would have."""
    subscriber = economy.subscribers[lot.holder]
    economy.put(subscriber, lot, units)
    if lot.end is not None and lot.end <= economy.today:
        open_lot = subscriber.find(lot)
        assert open_lot is not None
        meet_end(economy, open_lot, economy.today)
