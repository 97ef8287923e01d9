"""Journal entries: balanced legs, before Beancount knows of them.

    consumption of alice, 2026-05-20
      allocations  alice     200 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}
      revenue      pro    -40.00 USD

A debit is positive. What does not sum to exactly zero is refused: that would be our bug.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from beancount_compute.economy.events import Place
from beancount_compute.economy.lots import Draw, Lot
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.economy.terms import Money


class Role(StrEnum):
    """What an account is for, before its name."""

    __hash__ = str.__hash__  # the one of Enum is a Python function, and this is a dictionary key

    RECEIVABLE = "receivable"
    PAYABLE = "payable"
    PARTNER = "partner"
    ALLOCATIONS = "allocations"
    TOKENS = "tokens"
    REVENUE = "revenue"
    BREAKAGE = "breakage"
    FEES = "fees"
    PARTNER_INCOME = "partner-income"
    OVERAGE = "overage"


class Booked(StrEnum):
    """The kinds of journal entry; each is the transaction's tag behind `compute-`."""

    ALLOCATION = "allocation"
    GRANT = "grant"
    CONSUMPTION = "consumption"
    MINT = "mint"
    EXPIRY = "expiry"
    TRADE = "trade"
    TRANSFER = "transfer"
    SPEND = "spend"
    REFUND = "refund"
    REVERSAL = "reversal"


class LotLeg(NamedTuple):
    """Units of a lot; out of it when positive (a debit of the liability)."""

    lot: Lot
    units: Decimal
    price: Money | None = None  # per unit, of a trade


class MoneyLeg(NamedTuple):
    """Money on the account of a role."""

    role: Role
    holder: str  # the subscriber
    origin: str  # the lot's origin, where the account may be one per plan; for PARTNER the partner
    number: Decimal
    currency: str


Leg = LotLeg | MoneyLeg


class JournalEntry(NamedTuple):
    """Balanced legs of one day, and what they stem from."""

    date: date
    kind: Booked
    subscriber: str
    narration: str
    legs: list[Leg]
    event: str  # the event's id
    place: Place  # the line that caused it, or `NOWHERE`
    source: str = ""  # what caused it, where that is a policy rather than a line
    overage: bool = False
    count: int = 1  # the uses that a merged consumption holds
    reverses: str = ""  # the id of the event that a reversal undoes
    undoes: str = ""  # and its kind
    memo: str = ""
    extra: tuple[tuple[str, str], ...] = ()


class Unbalanced(Exception):
    """Legs that don't sum to exactly zero: an error of this program, never of the user's."""


def check_balance(legs: Iterable[Leg]) -> None:
    """Raise `Unbalanced` unless the legs sum to exactly zero in each currency."""
    residual: dict[str, Decimal] = {}
    for leg in legs:
        if leg.__class__ is LotLeg:
            currency = leg.lot.currency
            weight = WIDE.multiply(leg.units, leg.lot.cost)
        else:
            assert isinstance(leg, MoneyLeg)
            currency, weight = leg.currency, leg.number
        residual[currency] = WIDE.add(residual.get(currency, ZERO), weight)
    if any(residual.values()):
        raise Unbalanced(f"residual {residual} in {list(legs)}")


def out_of(draws: Iterable[Draw], price: Money | None = None) -> list[Leg]:
    """The legs that take units out of lots."""
    return [LotLeg(open_lot.lot, units, price) for open_lot, units in draws]


def into(lots: Iterable[tuple[Lot, Decimal]], price: Money | None = None) -> list[Leg]:
    """The legs that put units into lots."""
    return [LotLeg(lot, -units, price) for lot, units in lots]


def cost_by_origin(draws: Iterable[Draw]) -> dict[tuple[str, str], Decimal]:
    """The carrying amount that is drawn, by origin and currency."""
    costs: dict[tuple[str, str], Decimal] = {}
    for open_lot, units in draws:
        lot = open_lot.lot
        place = (lot.origin, lot.currency)
        weight = units * lot.cost
        known = costs.get(place)
        costs[place] = weight if known is None else known + weight
    return costs


def income(role: Role, holder: str, costs: dict[tuple[str, str], Decimal]) -> list[Leg]:
    """The legs that recognise carrying amounts as income; none for nothing."""
    return [
        MoneyLeg(role, holder, origin, -number, currency)
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
