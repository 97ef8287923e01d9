"""The uses of meters, added up by day: what reports of costs read of a month.

    2026-05-20  chat  use                            12 uses   350 CU
    2026-05-20  chat  drawn   pro 2026-05-01/...               300 CU   60.00 USD
    2026-05-20  chat  beyond  pro                               50 CU
    2026-05-20  chat  overage pro                                       15.00 USD

Each is told apart as a report does that reads it alone: by the day of the use, where that is
another, and one by one where it is undone on a later day. Of a use of no meter stands what lies
beyond the holdings, where it tells that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

import pyarrow as pa

from beancount_compute.bulk.by_engine.entry_facts import entry_facts
from beancount_compute.bulk.folder.month_tables import BEYOND, DRAWN, USE, table_of
from beancount_compute.economy import (
    EARNED_BY_LOTS,
    KINDS,
    ROLE_OF_EARNING,
    WIDE,
    ZERO,
    Earning,
    Flow,
    JournalEntry,
    Kind,
    Lot,
    LotLeg,
    Record,
)
from beancount_compute.economy.journal import commodity_used, is_use, units_used
from beancount_compute.economy.measuring import quantities_by_lot, units_by_charge
from beancount_compute.economy.state import Undo

_USE = Kind.CONSUMPTION
_MOVES = KINDS[_USE].moves


class UseKind(NamedTuple):
    """What uses are told apart by, besides their lots."""

    booked: date
    undoes: bool
    used_on: date
    undone: str  # the use, where it is of an earlier day
    meter: str
    measured: bool


class UseSumKey(NamedTuple):
    """What is added up of them."""

    of: UseKind
    what: str
    commodity: str = ""
    currency: str = ""
    origin: str = ""
    lot_date: date | None = None
    lot_end: date | None = None


class UseSum:
    """What that comes to."""

    __slots__ = ("amount", "quantity", "units", "uses")

    def __init__(self) -> None:
        self.uses = 0
        self.quantity = self.units = self.amount = ZERO


class _PartOfUse(NamedTuple):
    """Units of a use, of one lot or beyond all."""

    key: UseSumKey
    units: Decimal
    cost: Decimal


class MeteredUses:
    """The sums of the uses of a journal, as it is written day by day."""

    def __init__(self, undo_of: Callable[[str], Undo]) -> None:
        """`undo_of` knows the event that a reversal names."""
        self._undo_of = undo_of
        self._sums: dict[UseSumKey, UseSum] = {}
        # of uses in their short form, by lot
        self._short: dict[tuple[UseKind, Lot], UseSum] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Add records of the journal: of one day where they are uses in their short form."""
        kinds: dict[tuple[str, bool], UseKind] = {}
        short = self._short
        with localcontext(WIDE):
            for record in records:
                if not is_use(record):
                    assert isinstance(record, JournalEntry)
                    if _USE not in (record.kind, record.undoes):
                        continue
                    if record.meter:
                        self._add_entry(record)
                    elif record.used is not None:
                        self._add_beyond(record)
                    continue
                event, _, lot, _, meter = record
                if not meter:
                    continue
                day, quantity, units = event.date, event.quantity, event.units
                assert units is not None
                told = meter, bool(quantity)
                of = kinds.get(told)
                if of is None:
                    of = kinds[told] = UseKind(day, False, day, "", *told)
                known = short.get((of, lot))
                if known is None:
                    known = short[of, lot] = UseSum()
                known.uses += 1
                known.units += units
                if quantity:
                    known.quantity += quantity

    def table(self) -> pa.Table:
        """The sums."""
        with localcontext(WIDE):
            for (of, lot), found in self._short.items():
                self._add(UseSumKey(of, USE), found.uses, found.quantity, found.units)
                key, cost = _of_lot(of, lot), found.units * lot.cost
                self._add(key, 0, found.quantity, found.units, cost)
        self._short.clear()
        rows = [
            (*key.of, *key[1:], each.uses, each.quantity, each.units, each.amount)
            for key, each in self._sums.items()
        ]
        return table_of("uses", rows)

    def _add(
        self,
        key: UseSumKey,
        uses: int = 0,
        quantity: Decimal = ZERO,
        units: Decimal = ZERO,
        amount: Decimal = ZERO,
    ) -> None:
        known = self._sums.get(key)
        if known is None:
            known = self._sums[key] = UseSum()
        known.uses += uses
        known.quantity += quantity
        known.units += units
        known.amount += amount

    def _add_entry(self, entry: JournalEntry) -> None:
        """Add a use with all its legs, or what undoes one."""
        of, sign = self._kind(entry), -1 if entry.undoes else 1
        used = units_used(entry) if sign > 0 else units_used(self._undo_of(_undone(entry)).entry)
        quantity = sign * entry.quantity
        self._add(UseSumKey(of, USE), sign * entry.uses, quantity, sign * used)
        facts = entry_facts(entry, lambda name: self._undo_of(name).entry.date)
        earned = [each for each in facts.earned if each.amount]
        charges = [each for each in earned if each.earning is Earning.OVERAGE]
        parts = list(_drawn(of, entry))
        if entry.used is not None:
            beyond = sign * used - sum([part.units for part in parts], ZERO)
            parts += _beyond(of, beyond, entry, [(x.origin, x.currency, x.amount) for x in charges])
        quantities = quantities_by_lot(quantity, [part.units for part in parts])
        for part, of_it in zip(parts, quantities, strict=True):
            self._add(part.key, 0, of_it, part.units, part.cost)
        for key, amount in _earned_of_others(of, entry):
            self._add(key, amount=amount)
        for each in earned:  # what a reversal leaves of a minimum, too
            role, unit = ROLE_OF_EARNING[each.earning].value, commodity_used(entry)
            self._add(UseSumKey(of, role, unit, each.currency, each.origin), amount=each.amount)

    def _add_beyond(self, entry: JournalEntry) -> None:
        """Add what lies beyond the holdings of a use of no meter; days have the rest of it."""
        assert entry.used is not None
        of, sign = self._kind(entry), -1 if entry.undoes else 1
        facts = entry_facts(entry, lambda name: self._undo_of(name).entry.date)
        charges = [x for x in facts.earned if x.earning is Earning.OVERAGE and x.amount]
        drawn = sum([part.units for part in _drawn(of, entry)], ZERO)
        of_plans = [(each.origin, each.currency, each.amount) for each in charges]
        for part in _beyond(of, sign * entry.used.number - drawn, entry, of_plans):
            self._add(part.key, 0, ZERO, part.units)

    def _kind(self, entry: JournalEntry) -> UseKind:
        day, undone = entry.date, ""
        if entry.undoes:
            undo = self._undo_of(_undone(entry))
            if undo.entry.date != day:
                undone = undo.entry.id
            day = undo.day
        return UseKind(
            entry.date, bool(entry.undoes), day, undone, entry.meter, bool(entry.quantity)
        )


def _undone(entry: JournalEntry) -> str:
    assert entry.event is not None
    return entry.event.reverses


def _of_lot(of: UseKind, lot: Lot, what: str = DRAWN) -> UseSumKey:
    return UseSumKey(of, what, lot.commodity, lot.currency, lot.origin, lot.date, lot.end)


def _flow(leg: LotLeg, entry: JournalEntry) -> Flow:
    into, out = _MOVES[leg.lot.pocket]
    return out if (leg.units > 0) is not bool(entry.undoes) else into


def _drawn(of: UseKind, entry: JournalEntry) -> Iterator[_PartOfUse]:
    for leg in entry.legs:
        if isinstance(leg, LotLeg) and _flow(leg, entry) is Flow.USED:
            yield _PartOfUse(_of_lot(of, leg.lot), leg.units, leg.units * leg.lot.cost)


def _beyond(
    of: UseKind, units: Decimal, entry: JournalEntry, charges: list[tuple[str, str, Decimal]]
) -> Iterator[_PartOfUse]:
    """What lies beyond the holdings, by the plan that charges for it; where none does, of none."""
    if not units:
        return
    commodity = commodity_used(entry)
    if not charges:
        yield _PartOfUse(UseSumKey(of, BEYOND, commodity), units, ZERO)
    shares = units_by_charge(units, [amount for *_, amount in charges])
    for (origin, currency, _), share in zip(charges, shares, strict=True):
        yield _PartOfUse(UseSumKey(of, BEYOND, commodity, currency, origin), share, ZERO)


def _earned_of_others(of: UseKind, entry: JournalEntry) -> Iterator[tuple[UseSumKey, Decimal]]:
    """What lots earn by units that were not used: they had lapsed."""
    for leg in entry.legs:
        if isinstance(leg, LotLeg):
            flow = _flow(leg, entry)
            if flow is not Flow.USED and flow in EARNED_BY_LOTS:
                role = ROLE_OF_EARNING[EARNED_BY_LOTS[flow][0]].value
                yield _of_lot(of, leg.lot, role), leg.units * leg.lot.cost
