"""Access: what a period's access costs is earned by time, in the evening of month ends.

    2026-05-31 * "alice" "Access pro 2026-05-16/2026-05-31" #compute-access
      Liabilities:DeferredRevenue:Access:Alice   61.94 ACCESS-USD {1.00 USD, 2026-05-16, "pro/..."}
      Income:Access                             -61.94 USD

To stand ready is delivered as time passes (ASC 606-10-25-27(a), 25-31). What a lot still holds,
since when and until when is all that it needs.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from beancount_compute.economy import (
    AccessBy,
    Due,
    JournalEntry,
    Kind,
    Leg,
    Lot,
    LotLeg,
    MoneyLeg,
    OpenLot,
    Plan,
    Role,
    earned_ahead,
    part_earned,
    text_of,
)
from beancount_compute.economy.state import Economy

_DAY = timedelta(1)


def earn_access(economy: Economy, day: date) -> None:
    """Earn what is due in the evening of a day."""
    due: list[tuple[OpenLot, date]] = economy.agenda.take(Due.ACCESS, day)
    for open_lot, since in sorted(due, key=lambda each: _place(each[0].lot)):
        if open_lot.units:
            earn(economy, open_lot, since, day)
            if open_lot.units:
                economy.await_access(open_lot, day + _DAY)


def earn(economy: Economy, open_lot: OpenLot, since: date, day: date) -> None:
    """Earn what a lot holds for the days from one to another, both included."""
    lot = open_lot.lot
    assert lot.end is not None
    plan = _plan_of(economy, lot)
    by = plan.access_by if plan else AccessBy.DAY
    earned = part_earned(open_lot.units, lot.currency, since, day, lot.end, by)
    if not earned:
        return
    open_lot.holding.take(open_lot, earned)
    role = Role.ACCESS_REVENUE
    legs: list[Leg] = [
        LotLeg(lot, earned),
        MoneyLeg(role, lot.holder, lot.origin, -earned, lot.currency),
    ]
    access_id = f"{Kind.ACCESS}/{lot.holder}/{lot.label}/{text_of(lot.date)}/{text_of(day)}"
    days = f"{text_of(since)}/{text_of(day)}"
    source = f"plan {plan.name} of {text_of(plan.since)}" if plan else lot.origin
    narration = f"Access {lot.origin} {days}"
    economy.post(
        JournalEntry(
            economy.today, Kind.ACCESS, lot.holder, narration, legs, access_id, None, source
        )
    )


def unearned(economy: Economy, lot: Lot, gave: Decimal) -> Decimal:
    """What is still to be earned, before today's evening, of what a period put into a lot."""
    plan, since = _plan_of(economy, lot), economy.terms_day_of(lot)
    assert lot.end is not None
    by = plan.access_by if plan else AccessBy.DAY
    left = gave
    for evening, part in earned_ahead(gave, lot.currency, since, lot.end, by, lot.date):
        if evening >= economy.today:
            break
        left -= part
    return left


def _plan_of(economy: Economy, lot: Lot) -> Plan | None:
    return economy.terms.plan_of_lot(lot.origin, economy.terms_day_of(lot))


def _place(lot: Lot) -> tuple[str, date, str, str, str]:
    return (lot.holder, lot.date, lot.origin, lot.currency, lot.label)
