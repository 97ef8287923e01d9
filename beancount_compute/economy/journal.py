"""Journal entries: balanced legs, before Beancount knows of them.

    consumption of alice, 2026-05-20
      allocations  alice     200 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}
      revenue      pro    -40.00 USD

A debit is positive. What does not sum to exactly zero is refused: that would be our bug.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import NamedTuple, TypeGuard

from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.lots import Draw, Lot
from beancount_compute.economy.roles import STOCK, Role
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.economy.term_values import Money


class LotLeg(NamedTuple):
    """Units of a lot as a debit: out of it when positive, or into it where it is an asset."""

    lot: Lot
    units: Decimal
    price: Money | None = None  # per unit, of a trade


FIXED_FEE = "fixed"  # the origin of a fixed fee, which stands apart from that of a rate


class MoneyLeg(NamedTuple):
    """Money on the account of a role."""

    role: Role
    holder: str  # the subscriber
    origin: str  # the lot's origin, where the account may be one per plan; for PARTNER the partner
    number: Decimal
    currency: str


Leg = LotLeg | MoneyLeg


class Beyond(NamedTuple):
    """Credits that uses took beyond those held; below zero where they are given back."""

    units: Decimal
    commodity: str
    price: Money


class StatedCost(NamedTuple):
    """What a provider states that a meter cost on a day."""

    meter: str
    number: Decimal
    currency: str


class Exchange(NamedTuple):
    """What the invoice of a change of plan says, where it isn't the share of the days."""

    charge: Decimal
    credit: Decimal
    currency: str


class GivenBack(NamedTuple):
    """Money that goes back of what an allocation cost; of a recovery, what came in again."""

    of: str  # the id of the event that it is about
    origin: str  # of its lots
    amount: Decimal
    currency: str
    moved_on: Decimal = ZERO  # of that, for units that somebody else has now
    void: bool = False  # whether nothing is left of its units


class JournalEntry(NamedTuple):
    """Balanced legs of one day, and what they stem from."""

    date: datetime.date
    kind: Kind
    subscriber: str
    narration: str
    legs: list[Leg]
    id: str  # of the event
    event: Event | None  # the line that caused it; None for what is derived
    source: str = ""  # what caused it, where that is a policy rather than a line
    overage: bool = False
    uses: int = 1  # the uses that a merged consumption holds
    undoes: str = ""  # the kind of the event that a reversal undoes
    occurred: datetime.date | None = None  # the day of a late event, which lies in a closed month
    counterparty: str = ""  # the buyer, receiver or partner; in a reversal too, as all below
    period: str = ""  # the first and last day of the period allocated: "2026-05-01/2026-05-31"
    # the id of the subscription that the period belongs to, or to which a use is charged
    subscription: str = ""
    meter: str = ""  # of a use
    quantity: Decimal = ZERO  # of the meter, where the use says it
    used: Money | None = None  # the units of a use that has a meter and overage
    served: datetime.date | None = None  # the day of the uses whose cost is booked later
    beyond: tuple[Beyond, ...] = ()
    stated: tuple[StatedCost, ...] = ()
    shortfall: Money | None = None  # of a minimum; below zero where a late charge takes it back
    back: GivenBack | None = None
    exchange: Exchange | None = None
    prorated: str = ""  # the days of a short period, of those of a whole one: "10/30"


class Unbalanced(Exception):
    """Legs that don't sum to exactly zero: an error of this program, never of the user's."""


# Made once for each leg and entry of each event: a named tuple's own constructor is a Python
# function and takes three times as long.
lot_leg = partial(tuple.__new__, LotLeg)
money_leg = partial(tuple.__new__, MoneyLeg)


# The one short form: use out of one lot, by far the most common entry: the event, its id, the lot,
# the cost of the units used and the name of its meter. It says as much as the entry with its two
# legs, balances by how it is made, and is made in a sixth of the time, being a bare tuple. It
# stands in for entries where nothing asks for the legs: nothing is asserted, no uses merge, and no
# reversal names it.
Use = tuple[Event, str, Lot, Decimal, str]
Record = JournalEntry | Use


def is_use(record: Record) -> TypeGuard[Use]:
    """Whether a record is a use in its short form: the only one that is a bare tuple."""
    return type(record) is tuple


def in_full(record: Record) -> JournalEntry:
    """The entry that a record stands for."""
    if not is_use(record):
        assert isinstance(record, JournalEntry)
        return record
    event, event_id, lot, cost, meter = record
    assert event.units is not None
    legs: list[Leg] = [LotLeg(lot, event.units)]
    if cost:
        legs.append(MoneyLeg(Role.REVENUE, lot.holder, lot.origin, -cost, lot.currency))
    return JournalEntry(
        event.date,
        Kind.CONSUMPTION,
        lot.holder,
        "Consumption",
        legs,
        event_id,
        event,
        meter=meter,
        quantity=event.quantity,
    )


def check_balance(legs: list[Leg]) -> None:
    """Raise `Unbalanced` unless the legs sum to exactly zero in each currency.

    The engine's decimal context makes each of these sums exact, or raises `decimal.Inexact`.
    """
    only = ""
    total = ZERO
    for leg in legs:
        if isinstance(leg, LotLeg):
            lot, units, _ = leg
            currency, weight = lot.currency, units * lot.cost
        else:
            _, _, _, weight, currency = leg
        if currency == only or not only:
            only = currency
            total += weight
        else:
            _check_currencies(legs)
            return
    if total:
        raise Unbalanced(f"residual {total} {only} in {legs}")


def _check_currencies(legs: list[Leg]) -> None:
    residual: dict[str, Decimal] = {}
    for leg in legs:
        if isinstance(leg, LotLeg):
            currency, weight = leg.lot.currency, leg.units * leg.lot.cost
        else:
            currency, weight = leg.currency, leg.number
        residual[currency] = residual.get(currency, ZERO) + weight
    if any(residual.values()):
        raise Unbalanced(f"residual {residual} in {legs}")


def out_of(draws: Iterable[Draw]) -> list[Leg]:
    """The legs that take units out of lots."""
    return [lot_leg((open_lot.lot, units, None)) for open_lot, units in draws]


def out_of_lapsed(lots: Iterable[tuple[Lot, Decimal]]) -> list[Leg]:
    """The legs that take units out of lots that lapsed: they come back, and leave otherwise."""
    return [lot_leg((lot, number, None)) for lot, units in lots for number in (-units, units)]


def into(lots: Iterable[tuple[Lot, Decimal]]) -> list[Leg]:
    """The legs that put units into lots."""
    return [lot_leg((lot, -units, None)) for lot, units in lots]


def cost_by_origin(draws: Iterable[Draw]) -> dict[tuple[str, str], Decimal]:
    """The carrying amount that is drawn, by origin and currency."""
    return cost_of_lots((open_lot.lot, units) for open_lot, units in draws)


def cost_of_lots(lots: Iterable[tuple[Lot, Decimal]]) -> dict[tuple[str, str], Decimal]:
    """The carrying amount of units of lots, by origin and currency."""
    costs: dict[tuple[str, str], Decimal] = {}
    for lot, units in lots:
        place = (lot.origin, lot.currency)
        costs[place] = costs.get(place, ZERO) + units * lot.cost
    return costs


def income(role: Role, holder: str, costs: dict[tuple[str, str], Decimal]) -> list[Leg]:
    """The legs that recognise carrying amounts as income; none for nothing."""
    return [
        money_leg((role, holder, origin, -number, currency))
        for (origin, currency), number in costs.items()
        if number
    ]


def mirrored(legs: Iterable[Leg]) -> list[Leg]:
    """The same legs with their signs turned."""
    return [
        leg._replace(units=-leg.units)
        if isinstance(leg, LotLeg)
        else leg._replace(number=-leg.number)
        for leg in legs
    ]


class Moved(NamedTuple):
    """What an entry moves of one lot."""

    lot: Lot
    out: Decimal  # the units that leave it
    back: Decimal  # and those that come in

    @property
    def net(self) -> Decimal:
        """The units that are gone of it; below zero where there are more."""
        return WIDE.subtract(self.out, self.back)

    @property
    def lapsed(self) -> Decimal:
        """The units that came in only to leave: of a lot that had lapsed, or lapses again."""
        return min(self.out, self.back)


def moved_by(legs: Iterable[Leg]) -> list[Moved]:
    """What legs move, lot by lot; lots are compared by value."""
    found: dict[tuple[object, ...], Moved] = {}
    for leg in legs:
        if isinstance(leg, LotLeg):
            lot, units, _ = leg
            if lot.pocket is STOCK:
                units = -units
            out, back = (units, ZERO) if units > 0 else (ZERO, -units)
            known = found.get(tuple(lot), Moved(lot, ZERO, ZERO))
            sums = WIDE.add(known.out, out), WIDE.add(known.back, back)
            found[tuple(lot)] = Moved(known.lot, *sums)
    return list(found.values())


def gives_back(entry: JournalEntry) -> bool:
    """Whether an entry undoes one that only took units: what it had of lapsed lots lapses again."""
    return entry.undoes in (Kind.CONSUMPTION, Kind.SPEND, Kind.REFUND)


def holders_of(entry: JournalEntry) -> set[str]:
    """The subscribers whose lots an entry moves."""
    return {
        leg.lot.holder
        for leg in entry.legs
        if isinstance(leg, LotLeg) and leg.lot.pocket is not STOCK
    }


def charge_of(entry: JournalEntry) -> Decimal:
    """What an entry bills for use beyond the holdings, in whatever currency."""
    return -sum(
        [
            leg.number
            for leg in entry.legs
            if isinstance(leg, MoneyLeg) and leg.role is Role.OVERAGE and not entry.undoes
        ],
        ZERO,
    )


def units_used(entry: JournalEntry) -> Decimal:
    """The units of a use, with those beyond the holdings."""
    if entry.used is not None:
        return entry.used.number
    return sum(
        [
            leg.units
            for leg in entry.legs
            if isinstance(leg, LotLeg) and leg.lot.pocket is not STOCK and leg.units > 0
        ],
        ZERO,
    )


def commodity_used(use: JournalEntry) -> str:
    """The commodity of the units of a use; "" where it took none."""
    if use.used is not None:
        return use.used.currency
    return next((leg.lot.commodity for leg in use.legs if isinstance(leg, LotLeg)), "")
