"""Money back, once more: refunds of money, chargebacks, write-offs, recoveries, reversals.

From the contract alone. Readings, where it can be read in two ways:

M1  All access of a lot of which something goes back is earned up to the day before, also where
    others share it.
M2  A recovery is of no more than what its event took and has not come in yet.
M3  Only access that comes back is earned at once; what was earned before it went stays.
M4  A chargeback or write-off of which something was recovered is not reversed before that is.
M5  What of access comes back is one sum, also where a part of it was voided as the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.laws.auditor.records import ZERO, Day, Event, Leg, Lot, money, out_of, refuse, rounded
from tests.laws.auditor.sales import Return, Sale, SaleBooks, without_end

CONTRA = {  # what was delivered, what moved on
    "refund": ("refunds", "refunds"),
    "chargeback": ("disputes", "losses"),
    "write-off": ("bad-debt", "losses"),
}


@dataclass
class Taking:
    """What a refund of money, a chargeback or a write-off did."""

    event: Event
    sale: Sale
    amount: Decimal
    day: Day
    legs: list[Leg]  # but for what was earned before
    bad_debt: Decimal = ZERO
    recovered: dict[str, Decimal] = field(default_factory=dict)  # by the id of the recovery
    recoveries: int = 0
    undone: bool = False


class MoneyBackBooks(SaleBooks):
    """What goes back of a sale, by fraction."""

    booked: Any
    check_known: Any
    draw_order: Any

    def __init__(self) -> None:
        super().__init__()
        self.takings: dict[str, Taking] = {}  # by the event's id
        self.recoveries: dict[str, tuple[Taking, Decimal, Decimal]] = {}

    def take_money_back(self, event: Event) -> None:
        if event.kind == "recovery":
            self.recover(event)
            return
        sale = self.sale_of.get(event.of or "")
        if sale is None or sale.source[1] > event.date:
            refuse(f"{event.of} is no allocation")
        if event.kind == "refund":
            self.check_known(event.subscriber)
            if event.subscriber != sale.holder:
                refuse(f"{event.of} is not of {event.subscriber}")
        amount, left = self.amount_of(event, sale.left(), sale.currency), sale.left()
        if event.kind == "refund" and amount > left:
            refuse(f"{amount} is more than {left}")
        inside = min(amount, left)
        self.settle(event, sale, amount, inside, Fraction(inside) / Fraction(left))

    def amount_of(self, event: Event, left: Decimal, currency: str) -> Decimal:
        if event.currency is not None and event.currency != currency:
            refuse(f"{event.currency} is not {currency}")
        if left <= 0:
            refuse(f"nothing is left of {event.of}")
        amount = left if event.paid is None else money(event.paid, currency)
        if amount <= 0:
            refuse(f"{amount} is not above zero")
        return amount

    def settle(
        self, event: Event, sale: Sale, amount: Decimal, inside: Decimal, part: Fraction
    ) -> None:
        """Void the fraction of what is held; the rest of the amount was delivered, or moved on."""
        if sale.access is not None:
            self.earn_until(sale.holder, sale.access, event.date)
        legs, gone = self.voided(sale, event.date, part)
        gone.paid, gone.cause = inside, event.place
        void = sum((leg.weight()[1] for leg in legs), ZERO)
        rest = inside - void
        counted = sum((each.moved for each in sale.returns), ZERO)
        uncounted = self.cost_moved(sale) - Fraction(counted)
        gone.moved = max(ZERO, min(rest, money(part * uncounted, sale.currency)))
        delivered_role, moved_role = CONTRA[event.kind]
        holder, code, origin = sale.holder, sale.currency, sale.origin
        side = "payable" if event.kind == "refund" and not event.unpaid else "receivable"
        legs += [
            Leg(delivered_role, rest - gone.moved, code, holder, origin),
            Leg(moved_role, gone.moved, code, holder, origin),
            Leg("losses", amount - inside, code, holder, origin),
            Leg(side, -amount, code, holder, origin),
        ]
        sale.returns.append(gone)
        if event.void:
            more, also = self.the_rest(sale, event.date, gone, legs)
            worth = sum((leg.weight()[1] for leg in more), ZERO)
            legs += [*more, Leg("recoveries", -worth, code, holder, origin)]
            also.cause, also.void = event.place, True
            sale.returns.append(also)
        taken = sum((leg.number for leg in legs if leg.role == "bad-debt"), ZERO)
        self.book(event.date, event.kind, legs)
        self.touch(holder)
        if event.id is not None:
            self.keep(event.id, legs)
            self.takings[event.id] = Taking(event, sale, amount, event.date, legs, max(ZERO, taken))

    def voided(self, sale: Sale, day: Day, part: Fraction) -> tuple[list[Leg], Return]:
        """The lots that go, and what that is of the sale."""
        holder, gone, legs = sale.holder, Return(None), []
        if sale.access is not None:
            lot = sale.access
            left = self.held[holder, "access"].get(lot, ZERO)
            gone.access = money(part * Fraction(self.part(sale, lot, left)), sale.currency)
            legs.append(Leg("access", gone.access, lot.commodity, holder, lot.origin, lot=lot))
        own = self.still_held(sale)
        total = sum(own.values(), ZERO)
        wanted = total if part == 1 else rounded(part * Fraction(total), sale.step)
        for pocket, lot, units in self.in_order(sale, day):
            key = without_end(lot)
            taken = min(units, own[key], wanted)
            if taken > 0:
                own[key] -= taken
                wanted -= taken
                gone.units[key] = gone.units.get(key, ZERO) + taken
                legs.append(Leg(pocket, taken, lot.commodity, holder, lot.origin, lot=lot))
        return [leg for leg in legs if leg.number], gone

    def the_rest(
        self, sale: Sale, day: Day, gone: Return, before: list[Leg]
    ) -> tuple[list[Leg], Return]:
        """All that is held when a part of it went just now."""
        sale.returns.remove(gone)
        every, also = self.voided(sale, day, Fraction(1))
        sale.returns.append(gone)
        went = {(leg.role, leg.lot): leg.number for leg in before if leg.lot}
        rest = [leg.number - went.get((leg.role, leg.lot), ZERO) for leg in every]
        legs = [replace(leg, number=number) for leg, number in zip(every, rest, strict=True)]
        also.access -= gone.access
        also.units = {key: each - gone.units.get(key, ZERO) for key, each in also.units.items()}
        return [leg for leg in legs if leg.number], also

    def in_order(self, sale: Sale, day: Day) -> list[tuple[str, Lot, Decimal]]:
        """Its lots in the order in which they are drawn: tokens, then allocations."""
        return sorted(
            self.holdings(sale),
            key=lambda held: (held[0] != "tokens", self.draw_order(held[1], day)),
        )

    # What comes in after all

    def recover(self, event: Event) -> None:
        taking = self.takings.get(event.of or "")
        if taking is None or taking.undone or taking.event.kind == "refund":
            refuse(f"{event.of} is no chargeback or write-off")
        left = taking.amount - sum(taking.recovered.values(), ZERO)
        amount = self.amount_of(event, left, taking.sale.currency)
        if amount > left:
            refuse(f"{amount} is more than {left}")
        debt = min(taking.bad_debt, amount)
        taking.bad_debt -= debt
        holder, code, origin = taking.sale.holder, taking.sale.currency, taking.sale.origin
        legs = [
            Leg("receivable", amount, code, holder, origin),
            Leg("bad-debt", -debt, code, holder, origin),
            Leg("recoveries", debt - amount, code, holder, origin),
        ]
        self.book(event.date, "recovery", legs)
        self.touch(holder)
        taking.recoveries += 1
        known_as = event.id or f"#{taking.recoveries}"
        taking.recovered[known_as] = amount
        if event.id is not None:
            self.keep(event.id, legs)
            self.recoveries[event.id] = (taking, amount, debt)

    # Undone

    def undo_money_back(self, event: Event, target: str) -> None:
        """The lots come back; access among them is earned at once for the days that passed."""
        if target in self.recoveries:
            taking, _, debt = self.recoveries[target]
            del taking.recovered[target]
            taking.bad_debt += debt
            legs = self.booked_legs(target)
        else:
            taking = self.takings[target]
            if taking.recovered:
                refuse(f"what came in for {target} stands")
            legs = self.booked_legs(target)
            self.undo_returns(taking.event.place)
            taking.undone = True
            legs = joined(legs)
            legs = [each for leg in legs for each in self.come_back(leg, taking.day, event.date)]
        self.touch(taking.sale.holder)
        self.book(event.date, "reversal", [leg for leg in legs if leg.number])

    def booked_legs(self, target: str) -> list[Leg]:
        return [replace(leg, number=-leg.number) for leg in self.booked[target]]

    def come_back(self, leg: Leg, gone: Day, day: Day) -> list[Leg]:
        """What a lot of access that comes back is earned at once, the rest of the lot before it."""
        if leg.role != "access" or leg.lot is None:
            return [leg]
        lot, back = leg.lot, -leg.number
        self.earn_until(leg.subscriber, lot, day)
        self.access_since[leg.subscriber, lot] = day
        earned = self.passed(leg.subscriber, lot, back, gone, day)
        return [leg, *out_of(leg.subscriber, "access", lot, earned, "access-revenue")]

    def passed(self, holder: str, lot: Lot, back: Decimal, gone: Day, day: Day) -> Decimal:
        """What of access would have been earned from the day it went to the day it is back."""
        assert lot.end is not None
        if day >= lot.end:
            return back
        if self.by_months(holder, lot):
            part = (day.year - gone.year) * 12 + day.month - gone.month
            whole = (lot.end.year - gone.year) * 12 + lot.end.month - gone.month
        else:
            part, whole = (day - gone).days, (lot.end - gone).days
        return money(Fraction(back) * part / max(1, whole), lot.currency) if part < whole else back


def joined(legs: list[Leg]) -> list[Leg]:
    """Legs of one lot of access as one."""
    found: dict[Lot, Leg] = {}
    for leg in legs:
        if leg.role == "access" and leg.lot:
            before = found[leg.lot].number if leg.lot in found else ZERO
            found[leg.lot] = replace(leg, number=before + leg.number)
    return [*found.values(), *(leg for leg in legs if leg.role != "access" or not leg.lot)]
