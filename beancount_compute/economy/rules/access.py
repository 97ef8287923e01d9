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
    earned_meanwhile,
    key_of,
    part_earned,
    text_of,
)
from beancount_compute.economy.state import Economy

_DAY = timedelta(1)


def earn_access(economy: Economy, day: date) -> None:
    """Earn what is due in the evening of a day."""
    due: list[OpenLot] = economy.agenda.take(Due.ACCESS, day)
    for open_lot in sorted(due, key=lambda each: _place(each.lot)):
        since = economy.access_from.pop(open_lot)
        if open_lot.units:
            earn(economy, open_lot, since, day)
            if open_lot.units:
                economy.await_access(open_lot, day + _DAY)


def earn(economy: Economy, open_lot: OpenLot, since: date, day: date) -> None:
    """Earn what a lot holds for the days from one to another, both included."""
    lot = open_lot.lot
    assert lot.end is not None
    by = access_by(economy, lot)
    earned = part_earned(open_lot.units, lot.currency, since, day, lot.end, by)
    if earned:
        _post_earned(economy, open_lot, earned, since, day)


def earn_before(economy: Economy, open_lot: OpenLot) -> None:
    """Earn what is for the days before today, of a lot of which something goes back or comes in.

    What is earned by even months is so at month ends only.
    """
    since = economy.access_from.get(open_lot, economy.today)
    if since < economy.today and access_by(economy, open_lot.lot) is AccessBy.DAY:
        economy.access_from[open_lot] = economy.today
        earn(economy, open_lot, since, economy.today - _DAY)


def earn_at_once(economy: Economy, open_lot: OpenLot, earned: Decimal, since: date) -> None:
    """Earn what came back too late to be earned in its time."""
    _post_earned(economy, open_lot, earned, since, economy.today - _DAY, f"/{text_of(since)}")


def earn_through(
    economy: Economy, open_lot: OpenLot, left: Decimal, day: date, again: str
) -> Decimal:
    """Earn what is left for the days through one that ends it, of even months whole ones; the rest.

    `again` tells it from what is earned of the lot in the evening of that day, if others share it.
    """
    lot, since = open_lot.lot, economy.access_from.get(open_lot, economy.today)
    assert lot.end is not None
    by, until = access_by(economy, lot), day + _DAY
    earned = earned_meanwhile(left, lot.currency, since, until, lot.end, by)
    if earned:
        _post_earned(economy, open_lot, earned, since, day, again)
    return left - earned


def unearned(economy: Economy, lot: Lot, gave: Decimal) -> Decimal:
    """What is still to be earned, before today's evening, of what a period put into a lot."""
    since, by = economy.terms_day_of(lot), access_by(economy, lot)
    assert lot.end is not None
    left = gave
    for evening, part in earned_ahead(gave, lot.currency, since, lot.end, by, lot.date):
        if evening >= economy.today:
            break
        left -= part
    return left


def _post_earned(
    economy: Economy, open_lot: OpenLot, earned: Decimal, since: date, day: date, again: str = ""
) -> None:
    lot, plan = open_lot.lot, _plan_of(economy, open_lot.lot)
    open_lot.holding.take(open_lot, earned)
    role = Role.ACCESS_REVENUE
    legs: list[Leg] = [
        LotLeg(lot, earned),
        MoneyLeg(role, lot.holder, lot.origin, -earned, lot.currency),
    ]
    access_id = f"{Kind.ACCESS}/{lot.holder}/{lot.label}/{text_of(lot.date)}/{text_of(day)}{again}"
    days = f"{text_of(since)}/{text_of(day)}"
    source = f"plan {plan.name} of {text_of(plan.since)}" if plan else lot.origin
    narration = f"Access {lot.origin} {days}"
    economy.post(
        JournalEntry(
            economy.today, Kind.ACCESS, lot.holder, narration, legs, access_id, None, source
        )
    )


def access_by(economy: Economy, lot: Lot) -> AccessBy:
    """How a lot is earned: as its plan says, but by days where a change cut its period short."""
    plan = _plan_of(economy, lot)
    if plan is None or (lot.holder, key_of(lot)) in economy.by_days:
        return AccessBy.DAY
    return plan.access_by


def earned_before(economy: Economy, open_lot: OpenLot, units: Decimal) -> Decimal:
    """What of access is earned until the day before, and not booked yet."""
    lot, since = open_lot.lot, economy.access_from.get(open_lot, economy.today)
    assert lot.end is not None
    by = access_by(economy, lot)
    return earned_meanwhile(units, lot.currency, since, economy.today, lot.end, by)


def _plan_of(economy: Economy, lot: Lot) -> Plan | None:
    return economy.terms.plan_of_lot(lot.origin, economy.terms_day_of(lot))


def _place(lot: Lot) -> tuple[str, date, str, str, str]:
    return (lot.holder, lot.date, lot.origin, lot.currency, lot.label)
