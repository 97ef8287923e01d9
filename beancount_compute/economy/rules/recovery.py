"""Recoveries: money that comes in after all, for a chargeback or a write-off.

    2026-08-20 * "alice" "Recovery of cb-1" #compute-recovery
      of: "cb-1"
      back: "top-up 200.00 USD"
      recoveries: 200.00 USD
      Assets:Receivable:Alice                  200.00 USD
      Income:Recoveries                       -200.00 USD

Units don't come back. A dispute that is won, with the units, is the reversal of the chargeback.
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Event,
    GivenBack,
    JournalEntry,
    Kind,
    Lacking,
    Leg,
    MoneyLeg,
    Refused,
    Role,
    amount,
    decimals_of,
    quoted,
    round_money,
    trim,
)
from beancount_compute.economy.rules.giving_back import scaled_back
from beancount_compute.economy.state import Economy

_RECOVERED = (Kind.CHARGEBACK, Kind.WRITE_OFF)


def recover(economy: Economy, event: Event, event_id: str) -> None:
    """Book what comes in: to bad debt what that took, the rest to recoveries."""
    lost = _lost(economy, event)
    back = lost.back
    assert back is not None and economy.money_back is not None
    so_far = economy.money_back.recovered(event.of)
    left = WIDE.subtract(-_on(lost, Role.RECEIVABLE), so_far.amount)
    paid, allocation = event.paid, economy.money_back.find(back.of)
    if allocation is not None and paid is not None:
        paid = scaled_back(economy, paid, allocation)
    asked = trim(_asked(event, paid, left, back.currency), decimals_of(back.currency))
    bad_debt = max(ZERO, WIDE.subtract(_on(lost, Role.BAD_DEBT), so_far.bad_debt))
    off = min(asked, bad_debt)
    name, currency = lost.subscriber, back.currency
    legs: list[Leg] = [
        MoneyLeg(role, name, origin, number, currency)
        for role, origin, number in (
            (Role.RECEIVABLE, back.origin, asked),
            (Role.BAD_DEBT, back.origin, -off),
            (Role.RECOVERIES, "", off - asked),
        )
        if number
    ]
    economy.settle(name)
    economy.post(
        JournalEntry(
            economy.today,
            Kind.RECOVERY,
            name,
            f"Recovery of {event.of}",
            legs,
            event_id,
            event,
            back=GivenBack(event.of, back.origin, asked, currency),
        )
    )


def _lost(economy: Economy, event: Event) -> JournalEntry:
    """The chargeback or write-off that an event names."""
    undo = economy.undo.get(event.of)
    if undo is None or undo.day > event.date:
        raise Lacking(
            f"nothing to recover: no chargeback or write-off {quoted(event.of)} was booked on or "
            f"before {event.date}{economy.hints.of('event', event.of, economy.ids)}"
        )
    if undo.entry.kind not in _RECOVERED:
        raise Refused(
            f"{quoted(event.of)} is of another kind ({undo.entry.kind.words}): write the id of a "
            "chargeback or a write-off"
        )
    if undo.done:
        raise Refused(f"{quoted(event.of)} is reversed: nothing of it is left to recover")
    return undo.entry


def _asked(event: Event, paid: Decimal | None, left: Decimal, currency: str) -> Decimal:
    if not left:
        raise Refused(f"{quoted(event.of)} is recovered already: remove this line")
    if paid is None:
        return left
    if event.currency != currency:
        raise Refused(f"wrong currency: {quoted(event.of)} is of {currency}: write {currency}")
    asked = round_money(paid, currency)
    if not asked:
        raise Refused(f"{amount(paid, currency)} rounds to zero: write more")
    if asked > left:
        raise Refused(
            f"a recovery of {amount(asked, currency)}, where {amount(left, currency)} are left of "
            f"{quoted(event.of)}: write at most that; interest and the like is booked by hand"
        )
    return asked


def _on(entry: JournalEntry, role: Role) -> Decimal:
    legs = [leg for leg in entry.legs if isinstance(leg, MoneyLeg) and leg.role is role]
    return sum((leg.number for leg in legs), ZERO)
