"""The journal's legs, added up: by subscriber, lot and kind, and by day for the general ledger.

    alice  consumption  allocations 0.20 USD 2026-05-01 pro/2026-06-01   200 CU   40.00 USD
    alice  consumption  revenue                             pro         -40.00 USD

An amount is a debit. A use in its short form costs one addition; all else is done once a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from beancount_compute.economy import (
    ROLE_OF_POCKET,
    WIDE,
    ZERO,
    Event,
    Kind,
    Leg,
    Lot,
    LotLeg,
    Record,
    Role,
    day_text,
    in_full,
)
from beancount_compute.economy.journal import is_use

KindUndone = tuple[str, str]  # a kind, and the kind that a reversal undoes


class LotSum:
    """What a kind moves of a lot: units in and out of it."""

    __slots__ = ("units_in", "units_out")

    def __init__(self) -> None:
        self.units_in = ZERO
        self.units_out = ZERO

    def add(self, units: Decimal) -> None:
        """Add units as a debit: out of the lot when positive."""
        if units > 0:
            self.units_out += units
        else:
            self.units_in -= units


class DayKey(NamedTuple):
    """A line of the general ledger: a role, and the cohort of the lots where it is a pocket."""

    day: date
    kind: str
    undoes: str
    role: str
    currency: str
    commodity: str = ""
    origin: str = ""
    cohort: str = ""  # the month of the allocation: "2026-05"


class DaySum:
    """What a line of the general ledger adds up to."""

    __slots__ = ("amount", "units_in", "units_out")

    def __init__(self) -> None:
        self.units_in = ZERO
        self.units_out = ZERO
        self.amount = ZERO


CohortKey = tuple[str, str, str, str, str]  # role, currency, commodity, origin, month
_USE: KindUndone = (Kind.CONSUMPTION.value, "")


class LegSums:
    """The sums of a journal, as it is written day by day."""

    def __init__(self) -> None:
        # by the identity of lots, which is quick to hash; `lots` has them by value
        self._moved: dict[KindUndone, dict[Lot, LotSum]] = {}
        self._cohorts: dict[Lot, CohortKey] = {}
        self.money: dict[tuple[KindUndone, str, Role, str, str], Decimal] = {}
        self.days: dict[DayKey, DaySum] = {}
        self.transactions = 0

    @property
    def lots(self) -> dict[tuple[KindUndone, tuple[Any, ...]], LotSum]:
        """What each kind moves of each lot, by value: an event may meet another object of a lot."""
        found: dict[tuple[KindUndone, tuple[Any, ...]], LotSum] = {}
        with localcontext(WIDE):
            for way, moved in self._moved.items():
                for lot, of_lot in moved.items():
                    key = way, tuple(lot)
                    if key in found:
                        found[key].units_in += of_lot.units_in
                        found[key].units_out += of_lot.units_out
                    else:
                        found[key] = of_lot
        return found

    def add(self, records: Iterable[Record]) -> None:
        """Add records of the journal: of one day where they are uses in their short form."""
        uses: dict[Lot, Decimal] = {}
        event: Event | None = None
        with localcontext(WIDE):
            for record in records:
                self.transactions += 1
                if is_use(record):
                    event, _, lot, _, _ = record
                    units = event.units
                    assert units is not None
                    known = uses.get(lot)
                    uses[lot] = units if known is None else known + units
                else:
                    entry = in_full(record)
                    way = entry.kind.value, entry.undoes
                    for leg in entry.legs:
                        self._add_leg(entry.date, way, leg)
            if event is not None:
                self._add_uses(event.date, uses)

    def _add_uses(self, day: date, uses: dict[Lot, Decimal]) -> None:
        """Add a day's uses, by lot: what only the cohort tells is added up before."""
        moved = self._moved.setdefault(_USE, {})
        money = self.money
        of_cohorts: dict[CohortKey, list[Decimal]] = {}
        for lot, units in uses.items():
            known = moved.get(lot)
            if known is None:
                known = moved[lot] = LotSum()
            known.units_out += units
            cost = units * lot.cost
            if cost:
                place = _USE, lot.holder, Role.REVENUE, lot.origin, lot.currency
                money[place] = money.get(place, ZERO) - cost
            cohort = self._cohorts.get(lot) or self._cohort(lot)
            sums = of_cohorts.get(cohort)
            if sums is None:
                of_cohorts[cohort] = [units, cost]
            else:
                sums[0] += units
                sums[1] += cost
        for cohort, (units, cost) in of_cohorts.items():
            _, currency, _, origin, _ = cohort
            of_day = self._of_day(DayKey(day, *_USE, *cohort))
            of_day.units_out += units
            of_day.amount += cost
            if cost:
                self._of_day(
                    DayKey(day, *_USE, Role.REVENUE.value, currency, origin=origin)
                ).amount -= cost

    def _add_leg(self, day: date, way: KindUndone, leg: Leg) -> None:
        if isinstance(leg, LotLeg):
            self._add_lot(day, way, leg.lot, leg.units)
        else:
            place = way, leg.holder, leg.role, leg.origin, leg.currency
            self.money[place] = self.money.get(place, ZERO) + leg.number
            key = DayKey(day, *way, leg.role.value, leg.currency, origin=leg.origin)
            self._of_day(key).amount += leg.number

    def _add_lot(self, day: date, way: KindUndone, lot: Lot, units: Decimal) -> None:
        of_way = self._moved.setdefault(way, {})
        moved = of_way.get(lot)
        if moved is None:
            moved = of_way[lot] = LotSum()
        moved.add(units)
        cohort = self._cohorts.get(lot) or self._cohort(lot)
        of_day = self._of_day(DayKey(day, *way, *cohort))
        if units > 0:
            of_day.units_out += units
        else:
            of_day.units_in -= units
        of_day.amount += units * lot.cost

    def _cohort(self, lot: Lot) -> CohortKey:
        role = ROLE_OF_POCKET[lot.pocket].value
        cohort = role, lot.currency, lot.commodity, lot.origin, day_text(lot.date)[:7]
        self._cohorts[lot] = cohort
        return cohort

    def _of_day(self, key: DayKey) -> DaySum:
        found = self.days.get(key)
        if found is None:
            found = self.days[key] = DaySum()
        return found
