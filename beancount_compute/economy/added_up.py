"""Legs and entries added up: what many uses, or the costs of several meters, are together.

consumption of alice, 2026-05-20     100 CU   ->   one entry of 300 CU, dated 2026-05-21,
consumption of alice, 2026-05-21     200 CU        with the id and place of the first
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from beancount_compute.economy.journal import (
    JournalEntry,
    Leg,
    LotLeg,
    MoneyLeg,
    commodity_used,
    units_used,
)
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.economy.term_values import Money


class _Sums:
    """Legs added up: lots first, then money."""

    def __init__(self) -> None:
        self._lots: dict[Lot, Decimal] = {}
        self._money: dict[tuple[Role, str, str, str], Decimal] = {}

    def add(self, legs: Iterable[Leg]) -> None:
        """Add legs up."""
        for leg in legs:
            if isinstance(leg, LotLeg):
                self._lots[leg.lot] = WIDE.add(self._lots.get(leg.lot, ZERO), leg.units)
            else:
                key = (leg.role, leg.holder, leg.origin, leg.currency)
                self._money[key] = WIDE.add(self._money.get(key, ZERO), leg.number)

    @property
    def legs(self) -> list[Leg]:
        """The sums; money that comes to nothing is left out."""
        legs: list[Leg] = [LotLeg(lot, units) for lot, units in self._lots.items()]
        legs += [
            MoneyLeg(role, holder, origin, number, currency)
            for (role, holder, origin, currency), number in self._money.items()
            if number
        ]
        return legs


def added_up(legs: Iterable[Leg]) -> list[Leg]:
    """Legs of the same lot, and of the same role, holder, origin and currency, as one."""
    sums = _Sums()
    sums.add(legs)
    return sums.legs


class Run:
    """Uses of one subscriber that become one entry: dated the last, with the id of the first."""

    def __init__(self, first: JournalEntry) -> None:
        self.first = first
        self._last = first
        self._uses = 0
        self.overage = False
        self.subscription = ""  # to which those are charged that tell it
        self._quantity = ZERO
        self._units: dict[str, Decimal] = {}  # by commodity
        self._tells = bool(first.meter)
        self._sums = _Sums()
        self.add(first)

    def add(self, entry: JournalEntry) -> None:
        """Add a use to the run."""
        self._last = entry
        self._uses += 1
        self.overage |= entry.overage
        self.subscription = self.subscription or entry.subscription
        self._quantity = WIDE.add(self._quantity, entry.quantity)
        self._tells |= entry.used is not None
        if commodity := commodity_used(entry):
            so_far = self._units.get(commodity, ZERO)
            self._units[commodity] = WIDE.add(so_far, units_used(entry))
        self._sums.add(entry.legs)

    @property
    def entry(self) -> JournalEntry:
        """The entry of all its uses."""
        legs = self._sums.legs
        return self.first._replace(
            date=self._last.date,
            legs=legs,
            overage=self.overage,
            subscription=self.subscription,
            uses=self._uses,
            quantity=self._quantity,
            used=self._used,
        )

    @property
    def _used(self) -> Money | None:
        """The units of all, where some were overage; of several commodities there is no sum."""
        if not (self.overage and self._tells) or len(self._units) != 1:
            return None
        ((commodity, units),) = self._units.items()
        return Money(units, commodity)
