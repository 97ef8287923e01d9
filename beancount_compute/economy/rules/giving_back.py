"""Money that goes back of an allocation: refunds of money, chargebacks and write-offs.

    2026-06-20 * "alice" "Refund of top-1" #compute-money-refund #compute-refund
      of: "top-1"
      back: "top-up 20.00 USD"
      moved-on: 10.00 USD
      Liabilities:DeferredRevenue:Tokens:Alice     30 CU {0.20 USD, 2026-05-02, "top-up"}
      Income:Refunds                            14.00 USD
      Liabilities:Payable:Alice                -20.00 USD

It goes by fraction: that of what is still held is voided. The rest was delivered, and takes
revenue back (ASC 606-10-32-10, 32-14), or has moved on to somebody who keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Allocation,
    Draw,
    Event,
    Family,
    GivenBack,
    JournalEntry,
    Kind,
    Lacking,
    Leg,
    MoneyLeg,
    OpenLot,
    Pocket,
    Refused,
    Role,
    amount,
    cost_of_lots,
    decimals_in,
    decimals_of,
    family_of,
    minor_unit,
    must_be_exact,
    out_of,
    quoted,
    round_half_even,
    round_money,
    trim,
)
from beancount_compute.economy.rules.access import earn_before
from beancount_compute.economy.state import Economy, Subscriber

_UNITS = (Pocket.TOKENS, Pocket.ALLOCATIONS)
_DELIVERED = {
    Kind.MONEY_REFUND: Role.REFUNDS,
    Kind.CHARGEBACK: Role.DISPUTES,
    Kind.WRITE_OFF: Role.BAD_DEBT,
}
_WORDS = {
    Kind.MONEY_REFUND: "Refund",
    Kind.CHARGEBACK: "Chargeback",
    Kind.WRITE_OFF: "Write-off",
}


class _Fraction(NamedTuple):
    """How much of what is left of an allocation goes back."""

    back: Decimal
    left: Decimal

    def of(self, number: Decimal, step: Decimal) -> Decimal:
        """That part of a number, rounded half-even to a step; all of it where all goes back."""
        if self.back == self.left:
            return number
        exact = WIDE.divide(WIDE.multiply(number, self.back), self.left)
        return min(number, round_half_even(exact, step))


def refund_money(economy: Economy, event: Event, event_id: str) -> None:
    """Book a refund of money, at most what is left of what the allocation cost."""
    allocation = _allocation(economy, event)
    if allocation.payer != event.subscriber:
        raise Refused(
            f"{quoted(event.of)} is an allocation of {quoted(allocation.payer)}: write "
            f"{quoted(allocation.payer)}, or the id of one of {quoted(event.subscriber)}"
        )
    asked = _asked(economy, event, allocation)
    if asked > allocation.left:
        raise Refused(
            f"a refund of {amount(asked, event.currency)}, where "
            f"{amount(allocation.left, event.currency)} are left of what {quoted(event.of)} cost: "
            "write at most that; what is given beyond it is no refund"
        )
    side = Role.RECEIVABLE if event.unpaid else Role.PAYABLE
    _give_back(economy, event, event_id, Kind.MONEY_REFUND, allocation, asked, side)


def take_back_money(economy: Economy, event: Event, event_id: str) -> None:
    """Book a chargeback or a write-off; what goes beyond what the allocation cost is a loss."""
    allocation = _allocation(economy, event)
    asked = _asked(economy, event, allocation)
    _give_back(economy, event, event_id, event.kind, allocation, asked, Role.RECEIVABLE)


def _allocation(economy: Economy, event: Event) -> Allocation:
    """The allocation that an event names, of which something is left."""
    undo = economy.undo.get(event.of)
    if undo is None or undo.day > event.date:
        raise Lacking(
            f"no allocation {quoted(event.of)} was booked on or before {event.date}: write the id "
            "of a period (SUBSCRIPTION-ID/FIRST-DAY), a single allocation or a top-up"
            f"{economy.hints.of('event', event.of, economy.ids)}"
        )
    assert economy.money_back is not None
    found = economy.money_back.find(event.of)
    if undo.entry.kind not in (Kind.ALLOCATION, Kind.CHANGE):
        raise Refused(
            f"{quoted(event.of)} is a {undo.entry.kind.words}: write the id of the period, single "
            "allocation or top-up that was paid for"
        )
    if found is None:
        why = "is reversed" if undo.done else "deferred nothing"
        raise Refused(f"{quoted(event.of)} {why}: nothing of it can go back")
    if not found.left:
        raise Refused(
            f"nothing is left of {quoted(event.of)}: "
            + ("all that it cost went back" if found.price else "it cost nothing")
        )
    return found


def _asked(economy: Economy, event: Event, allocation: Allocation) -> Decimal:
    """What goes back: all that is left where the event names no amount.

    Where a scenario multiplies what the allocation cost, it multiplies that too; what was all of it
    in several parts stays so, however they are rounded.
    """
    if event.paid is None:
        return allocation.left
    if event.currency != allocation.currency:
        raise Refused(
            f"wrong currency: {quoted(event.of)} was paid in {allocation.currency}: write an "
            f"amount of {allocation.currency}"
        )
    paid = scaled_back(economy, event.paid, allocation)
    asked = round_money(paid, event.currency)
    if not asked:
        raise Refused(f"{amount(paid, event.currency)} rounds to zero: write more")
    if paid != event.paid:
        rounding = minor_unit(event.currency) * (len(allocation.gone) + 1)
        if ZERO < asked - allocation.left < rounding:
            return allocation.left
    return asked


def scaled_back(economy: Economy, number: Decimal, allocation: Allocation) -> Decimal:
    """Money of an allocation's price, as a scenario multiplies that."""
    bought = next(iter(allocation.gave)).date
    plan = economy.terms.plan_of_lot(allocation.origin, bought)
    return plan.scaled(number) if plan else number


def _give_back(
    economy: Economy,
    event: Event,
    event_id: str,
    kind: Kind,
    allocation: Allocation,
    asked: Decimal,
    side: Role,
) -> None:
    assert economy.money_back is not None
    payer = economy.subscribers[allocation.payer]
    currency, origin = allocation.currency, allocation.origin
    back = min(asked, allocation.left)
    fraction = _Fraction(back, allocation.left)
    units = _units(economy, payer, allocation, fraction)
    besides = _units(economy, payer, allocation, _Fraction(back, back)) if event.void else units
    for open_lot, number in besides:
        must_be_exact((open_lot.units - number) * open_lot.lot.cost)  # what stays
    must_be_exact(back - _cost(besides))
    for open_lot in [*_open_access(payer, allocation)]:
        earn_before(economy, open_lot)
    access = [*_access(economy, payer, allocation, fraction)]
    draws, voided = [*access, *units], _cost([*access, *units])
    rest = Decimal()
    if event.void:
        draws = [*_access(economy, payer, allocation, _Fraction(back, back)), *besides]
        rest = _cost(draws) - voided
    undelivered = fraction.of(economy.money_back.moved_on(allocation), minor_unit(currency))
    moved_on = min(max(back - voided, ZERO), round_money(undelivered, currency))
    delivered, lost = back - voided, ZERO
    if kind is not Kind.MONEY_REFUND:
        delivered, lost = delivered - moved_on, moved_on + asked - back
    legs: list[Leg] = out_of(draws)
    for role, of, number in (
        (_DELIVERED[kind], origin, delivered),
        (Role.LOSSES, "", lost),
        (Role.RECOVERIES, "", -rest),
        (side, origin if side is Role.RECEIVABLE else "", -asked),
    ):
        if number:
            legs.append(
                MoneyLeg(role, payer.name, of, trim(number, decimals_of(currency)), currency)
            )
    economy.take(draws)
    economy.settle(payer.name)
    whole = trim(back, decimals_of(currency))
    given = GivenBack(event.of, origin, whole, currency, moved_on, bool(event.void))
    economy.post(
        JournalEntry(
            economy.today,
            kind,
            payer.name,
            f"{_WORDS[kind]} of {event.of}",
            legs,
            event_id,
            event,
            back=given,
        )
    )


def _cost(draws: list[Draw]) -> Decimal:
    costs = cost_of_lots((open_lot.lot, units) for open_lot, units in draws)
    return sum(costs.values(), ZERO)


def _open_access(payer: Subscriber, allocation: Allocation) -> Iterator[OpenLot]:
    for family in allocation.gave:
        for open_lot in payer.access.get(family.commodity, ()):
            if family_of(open_lot.lot) == family:
                yield open_lot


def _access(
    economy: Economy, payer: Subscriber, allocation: Allocation, fraction: _Fraction
) -> Iterator[Draw]:
    """The fraction of what is left of an allocation's access."""
    assert economy.money_back is not None
    for open_lot in [*_open_access(payer, allocation)]:
        family = family_of(open_lot.lot)
        own = economy.money_back.share(allocation, family, open_lot.units)
        part = fraction.of(own, minor_unit(family.currency))
        if part:
            yield open_lot, part


def _units(
    economy: Economy, payer: Subscriber, allocation: Allocation, fraction: _Fraction
) -> list[Draw]:
    """The fraction of an allocation's units that its payer still holds, in draw-down order."""
    draws: list[Draw] = []
    for commodity in {family.commodity: 0 for family in allocation.gave if family.step is None}:
        lots = [*_open_lots(economy, payer, commodity)]
        own = _own_units(economy, allocation, commodity, lots)
        gave = [units for family, units in allocation.gave.items() if family.commodity == commodity]
        step = Decimal(1).scaleb(-decimals_in(sum(gave, ZERO)))
        wanted = fraction.of(sum(own.values(), ZERO), step)
        for open_lot in lots:
            family = family_of(open_lot.lot)
            taken = min(wanted, open_lot.units, own.get(family, ZERO))
            if taken > 0:
                draws.append((open_lot, taken))
                wanted, own[family] = wanted - taken, own[family] - taken
    return draws


def _open_lots(economy: Economy, payer: Subscriber, commodity: str) -> Iterator[OpenLot]:
    for pocket in _UNITS:
        holding = payer.pocket(pocket).get(commodity)
        if holding is not None:
            if holding.order is not economy.order:
                holding.reorder(economy.order)
            yield from holding


def _own_units(
    economy: Economy, allocation: Allocation, commodity: str, lots: list[OpenLot]
) -> dict[Family, Decimal]:
    """What of the units in lots is an allocation's own."""
    assert economy.money_back is not None
    held: dict[Family, Decimal] = {}
    for open_lot in lots:
        family = family_of(open_lot.lot)
        if family in allocation.gave:
            held[family] = held.get(family, ZERO) + open_lot.units
    return {
        family: economy.money_back.share(allocation, family, units)
        for family, units in held.items()
    }
