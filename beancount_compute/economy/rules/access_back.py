"""Access in reversals: what comes back of it, and what of a shared lot is a period's own.

    365.00 for 2027; 66.80 of it went on 1 February, and comes back on 1 April: 11.80 are earned

What is delivered as time passes was so meanwhile (ASC 606-10-25-13(b)).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.economy import Lot, earned_meanwhile, family_of
from beancount_compute.economy.rules.access import access_by, earn_at_once, earn_before
from beancount_compute.economy.state import Economy, Undo


def bring_back(economy: Economy, lot: Lot, units: Decimal, went: date) -> None:
    """Give access back; what is for the days that passed meanwhile is earned at once."""
    subscriber = economy.subscribers[lot.holder]
    open_lot = subscriber.find(lot)
    if open_lot is not None:
        earn_before(economy, open_lot)
    assert lot.end is not None
    by = access_by(economy, lot)
    earned = earned_meanwhile(units, lot.currency, went, economy.today, lot.end, by)
    economy.put(subscriber, lot, units)
    open_lot = subscriber.find(lot)
    assert open_lot is not None
    if earned:
        earn_at_once(economy, open_lot, earned, went)


def own_access(economy: Economy, undo: Undo, lot: Lot, held: Decimal) -> Decimal:
    """What of access is a period's own, where money went back of another that shares its lot."""
    known = economy.money_back.find(undo.entry.id) if economy.money_back else None
    if known is None or economy.money_back is None:
        return held
    return economy.money_back.share(known, family_of(lot), held)
