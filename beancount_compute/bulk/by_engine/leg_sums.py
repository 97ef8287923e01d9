"""The journal's legs, added up: by subscriber, lot and kind; and by day, for ledger and reports.

    alice  consumption  allocations 0.20 USD 2026-05-01 pro/2026-06-01   200 CU   40.00 USD
    alice  consumption  revenue                             pro         -40.00 USD

    2026-05-20  consumption  allocations  pro 2026-05-01/2026-06-01      300 CU   60.00 USD

An amount is a debit. A use in its short form costs one addition; all else is done once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal, localcontext
from functools import partial
from typing import Any, NamedTuple

from beancount_compute.bulk.by_engine.entry_facts import (
    TRADED,
    EntryFacts,
    PriceKey,
    TradeSum,
    earned_until,
    entry_facts,
)
from beancount_compute.economy import (
    BESIDES,
    LOST,
    ROLE_OF_EARNING,
    ROLE_OF_POCKET,
    ROLES,
    STOCK,
    WIDE,
    ZERO,
    Event,
    JournalEntry,
    Kind,
    Lot,
    LotLeg,
    MoneyLeg,
    Record,
    Role,
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
        """Add units: out of the lot when positive."""
        if units > 0:
            self.units_out += units
        else:
            self.units_in -= units


class DayKey(NamedTuple):
    """What is added up of a day: a role, and the lots where it is a pocket or earned by them."""

    day: date
    kind: str
    undoes: str
    role: str
    currency: str
    commodity: str = ""
    origin: str = ""  # of the lots, where there are any
    lot_date: date | None = None
    lot_end: date | None = None
    lot_currency: str | None = None
    out: bool = True  # whether units leave, or come in
    holder: str = ""  # where the account is a provider's or a capacity's


class DaySum:
    """What that comes to."""

    __slots__ = ("amount", "units")

    def __init__(self) -> None:
        self.units = ZERO
        self.amount = ZERO


# the fields of a `DayKey` of lots, and whose they are where the operator's
LotsKey = tuple[str, str, str, str, date, date | None, str, str]
AccessKey = tuple[str, str, date, str, date | None]
_day_key = partial(tuple.__new__, DayKey)
_USE: KindUndone = (Kind.CONSUMPTION.value, "")
# how a role is written, and whether its account is a subscriber's
_ROLES = {role: (role.value, row.holder == "subscriber") for role, row in ROLES.items()}


class LegSums:
    """The sums of a journal, as it is written day by day."""

    def __init__(self, day_of: Callable[[str], date]) -> None:
        """`day_of` says on which day an event was booked that a reversal names."""
        self._day_of = day_of
        # by the identity of lots, which is quick to hash; `lots` has them by value
        self._moved: dict[KindUndone, dict[Lot, LotSum]] = {}
        self._keys: dict[Lot, LotsKey] = {}
        self.money: dict[tuple[KindUndone, str, Role, str, str], Decimal] = {}
        # access, before a change: by its lots' holder, currency, date, plan and end
        self.earned: dict[tuple[KindUndone, AccessKey], Decimal] = {}
        self.days: dict[DayKey, DaySum] = {}
        self.trades: dict[PriceKey, TradeSum] = {}
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
                    self._add_entry(in_full(record))
            if event is not None:
                self._add_uses(event.date, uses)

    def _add_uses(self, day: date, uses: dict[Lot, Decimal]) -> None:
        """Add a day's uses, by lot: what few lots tell apart is added up before."""
        moved = self._moved.setdefault(_USE, {})
        money = self.money
        of_keys: dict[LotsKey, list[Decimal]] = {}
        earned: dict[tuple[str, str], Decimal] = {}
        for lot, units in uses.items():
            known = moved.get(lot)
            if known is None:
                known = moved[lot] = LotSum()
            known.units_out += units
            cost = units * lot.cost
            if cost:
                place = _USE, lot.holder, Role.REVENUE, lot.origin, lot.currency
                money[place] = money.get(place, ZERO) - cost
            key = self._keys.get(lot) or self._key(lot)
            sums = of_keys.get(key)
            if sums is None:
                of_keys[key] = [units, cost]
            else:
                sums[0] += units
                sums[1] += cost
        for key, (units, cost) in of_keys.items():
            of_day = self._of_day(_of_lots(day, _USE, key, out=True))
            of_day.units += units
            of_day.amount += cost
            _, currency, _, origin, *_ = key
            earned[currency, origin] = earned.get((currency, origin), ZERO) + cost
        for (currency, origin), cost in earned.items():
            if cost:
                of_day = self._of_day(
                    DayKey(day, *_USE, Role.REVENUE.value, currency, origin=origin)
                )
                of_day.amount -= cost

    def _add_entry(self, entry: JournalEntry) -> None:
        way = entry.kind.value, entry.undoes
        day, besides = entry.date, BESIDES[entry.undoes or entry.kind]
        shared = entry.undoes in TRADED or entry.kind in TRADED
        for leg in entry.legs:
            if isinstance(leg, LotLeg):
                self._add_lot(day, way, leg.lot, leg.units)
                continue
            role, holder, origin, number, currency = leg
            if role is Role.ACCESS_REVENUE and entry.kind is Kind.CHANGE:
                self._add_earned(entry, leg)
                continue
            place = way, holder, role, origin, currency
            self.money[place] = self.money.get(place, ZERO) + number
            if role in besides:
                shared = True
            else:
                if role in LOST and entry.back is not None:
                    origin = entry.back.origin
                written, of_subscriber = _ROLES[role]
                of = "" if of_subscriber else holder
                key = (day, *way, written, currency, "", origin, None, None, None, True, of)
                self._of_day(_day_key(key)).amount += number
        if shared:
            self._add_facts(day, way, entry_facts(entry, self._day_of))

    def _add_earned(self, entry: JournalEntry, leg: MoneyLeg) -> None:
        way = entry.kind.value, entry.undoes
        for lot, part in earned_until(entry, leg):
            place = way, (lot.holder, lot.currency, lot.date, lot.origin, lot.end)
            self.earned[place] = self.earned.get(place, ZERO) + part
            of_lot = lot.origin, lot.date, lot.end, lot.currency
            key = (entry.date, *way, Role.ACCESS_REVENUE.value, lot.currency, "", *of_lot, True, "")
            self._of_day(_day_key(key)).amount -= part

    def _add_facts(self, day: date, way: KindUndone, facts: EntryFacts) -> None:
        """Add what is earned besides, on its lot, and a trade."""
        for earning, _, origin, currency, amount, lot in facts.earned:
            if amount:
                role, of_lot = ROLE_OF_EARNING[earning].value, (None, None, None)
                if lot is not None:
                    of_lot = lot.date, lot.end, lot.currency
                key = (day, *way, role, currency, "", origin, *of_lot, True, "")
                self._of_day(_day_key(key)).amount -= amount
        if facts.traded is not None:
            at, trade = facts.traded
            known = self.trades.get(at)
            self.trades[at] = trade if known is None else known.plus(trade)

    def _add_lot(self, day: date, way: KindUndone, lot: Lot, units: Decimal) -> None:
        of_way = self._moved.setdefault(way, {})
        moved = of_way.get(lot)
        if moved is None:
            moved = of_way[lot] = LotSum()
        out = -units if lot.pocket is STOCK else units
        moved.add(out)
        key = self._keys.get(lot) or self._key(lot)
        of_day = self._of_day(_of_lots(day, way, key, out=out > 0))
        of_day.units += abs(units)
        of_day.amount += units * lot.cost

    def _key(self, lot: Lot) -> LotsKey:
        role, currency = ROLE_OF_POCKET[lot.pocket].value, lot.currency
        holder = lot.holder if lot.pocket is STOCK else ""
        key = role, currency, lot.commodity, lot.origin, lot.date, lot.end, currency, holder
        self._keys[lot] = key
        return key

    def _of_day(self, key: DayKey) -> DaySum:
        found = self.days.get(key)
        if found is None:
            found = self.days[key] = DaySum()
        return found


def _of_lots(day: date, way: KindUndone, key: LotsKey, *, out: bool) -> DayKey:
    *of_lots, holder = key
    return _day_key((day, *way, *of_lots, out, holder))
