"""Short forms of what is most often booked: records that balance by how they are made.

    use of alice, 2026-05-20: out of {0.20 USD, 2026-05-01, "pro/2026-06-01"}, 40.00

says as much as the journal entry with its two legs, and is made in fewer steps. They stand in for
entries where nothing asks for the legs: nothing is asserted, no uses merge, and no reversal names
them. `in_full` gives the entry in full, which is what every other reader of the journal gets.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import NamedTuple, TypeGuard

from beancount_compute.economy.events import Event
from beancount_compute.economy.journal import JournalEntry, Leg, LotLeg, MoneyLeg, Unbalanced, into
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.options import Money
from beancount_compute.economy.roles import Role

# Use out of one lot, the most common entry by far: the event, its id, the lot and the cost of the
# units used. A bare tuple, because it is made in a sixth of the time that a named one takes.
Use = tuple[Event, str, Lot, Decimal]


def entry_of_use(use: Use) -> JournalEntry:
    """The entry of a use in full."""
    event, event_id, lot, cost = use
    assert event.units is not None
    legs: list[Leg] = [LotLeg(lot, event.units)]
    if cost:
        legs.append(MoneyLeg(Role.REVENUE, lot.holder, lot.origin, -cost, lot.currency))
    return JournalEntry(
        event.date, Kind.CONSUMPTION, lot.holder, "Consumption", legs, event_id, event
    )


class Sale(NamedTuple):
    """A trade of part of one lot, in a short form; it balances, as both sides move the same cost.

    The money does too: what the buyer owes, less what the seller gets, is the two fees.
    """

    event: Event
    id: str  # of the event
    lot: Lot  # the seller's
    bought: Lot  # the buyer's
    due: Decimal  # from the buyer: gross + fee
    owed: Decimal  # to the seller, as a credit: fee - gross
    seller_fee: Decimal
    buyer_fee: Decimal

    @property
    def entry(self) -> JournalEntry:
        """The entry in full."""
        event, seller, buyer = self.event, self.lot.holder, self.bought.holder
        assert event.units is not None and event.price is not None
        price = Money(event.price, event.currency)
        money = (
            (Role.RECEIVABLE, buyer, self.due),
            (Role.PAYABLE, seller, self.owed),
            (Role.FEES, seller, -self.seller_fee),
            (Role.FEES, buyer, -self.buyer_fee),
        )
        legs: list[Leg] = [
            LotLeg(self.lot, event.units, price),
            LotLeg(self.bought, -event.units, price),
            *(
                MoneyLeg(role, name, "", number, event.currency)
                for role, name, number in money
                if number
            ),
        ]
        narration = f"Trade with {buyer}"
        return JournalEntry(
            event.date,
            Kind.TRADE,
            seller,
            narration,
            legs,
            self.id,
            event,
            counterparty=buyer,
        )


class Supply(NamedTuple):
    """Units that come in and are billed, in a short form: a top-up, or a period of a plan."""

    date: date
    subscriber: str
    narration: str
    paid: Decimal
    lots: list[tuple[Lot, Decimal]]  # of one origin and currency
    id: str  # of the event
    event: Event | None
    source: str = ""
    period: str = ""
    subscription: str = ""

    @property
    def entry(self) -> JournalEntry:
        """The entry in full."""
        day, subscriber, narration, paid, lots, event_id, event, source, period, subscription = self
        legs = into(lots)
        if paid:
            lot, _ = lots[0]
            legs.insert(0, MoneyLeg(Role.RECEIVABLE, subscriber, lot.origin, paid, lot.currency))
        return JournalEntry(
            day,
            Kind.ALLOCATION,
            subscriber,
            narration,
            legs,
            event_id,
            event,
            source,
            period=period,
            subscription=subscription,
        )


class Mint(NamedTuple):
    """A lot's unused units turned into tokens, in a short form: both lots cost the same."""

    date: date
    lot: Lot
    token: Lot
    units: Decimal
    id: str
    source: str

    @property
    def entry(self) -> JournalEntry:
        """The entry in full."""
        day, lot, token, units, mint_id, source = self
        legs: list[Leg] = [LotLeg(lot, units), LotLeg(token, -units)]
        return JournalEntry(day, Kind.MINT, lot.holder, "Mint", legs, mint_id, None, source)


Record = JournalEntry | Use | Sale | Supply | Mint

# A named tuple's own constructor is a Python function and takes three times as long.
sale_of_lot = partial(tuple.__new__, Sale)
supply_of = partial(tuple.__new__, Supply)
mint_of = partial(tuple.__new__, Mint)


def is_use(record: Record) -> TypeGuard[Use]:
    """Whether a record is a use: the only one that is a bare tuple."""
    return type(record) is tuple


def in_full(record: Record) -> JournalEntry:
    """The entry that a record stands for."""
    if is_use(record):
        return entry_of_use(record)
    assert isinstance(record, JournalEntry | Sale | Supply | Mint)
    return record if isinstance(record, JournalEntry) else record.entry


def check_paid(supply: Supply) -> None:
    """Raise `Unbalanced` unless the units that come in cost exactly what was paid for them."""
    rest = supply.paid
    for lot, units in supply.lots:
        rest -= units * lot.cost
    if rest:
        raise Unbalanced(f"residual {rest} in {supply}")
