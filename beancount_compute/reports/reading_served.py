"""From booked transactions to what was served and what it cost.

    2026-05-20  alice   80 CU of wrap, measured by chat, served by openai
    2026-05-20  openai  80.00 USD, for the uses of chat on that day

A use that was reversed on the day of its booking never cost anything: both stand in one pool, and
weigh nothing together. Uses that were merged over the days of a month share one pool of the month.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import (
    OF_REVERSAL,
    POSTING_GRAIN,
    ZERO,
    Earning,
    Flow,
    Grain,
    JournalEntry,
    Kind,
    Meter,
    Money,
    MoneyLeg,
    Month,
    Role,
    Terms,
)
from beancount_compute.economy.measuring import (
    quantities_by_lot,
    units_by_charge,
    units_served,
    weight_served,
)
from beancount_compute.ledger import ORDER, money_of
from beancount_compute.reports.facts import Income, LotKey, Movement
from beancount_compute.reports.fold import grouped
from beancount_compute.reports.intervals import Interval, name_of
from beancount_compute.reports.provider_entries import ProviderEntry
from beancount_compute.reports.served_facts import (
    BookedCost,
    BookedDepreciation,
    BookedVariance,
    CostPool,
    CostReason,
    ServedUnits,
    ServingFacts,
)

_USE = Kind.CONSUMPTION.value
_USE_TAG = f"compute-{_USE}"
_new = tuple.__new__
_USED, _OVERAGE = Flow.USED, Earning.OVERAGE
OfDays = tuple[str, str, date, str]  # provider, meter, day of its line, month


class _UsePart(NamedTuple):
    """What a use took of one lot, or beyond the holdings under one plan."""

    origin: str
    lot: LotKey | None
    commodity: str
    units: Decimal
    currency: str


def read_served(
    transactions: Sequence[Transaction],
    movements: Iterable[Movement],
    earned: Iterable[Income],
    of_providers: Iterable[ProviderEntry],
    terms: Terms,
) -> ServingFacts:
    """What was served, and what providers and capacity cost; the sums need `WIDE`.

    `earned` is what was recognised besides what lots earned: overage among it.
    """
    reader = _ServedReader(terms, movements, earned)
    for at, entry in enumerate(transactions):
        if ORDER in entry.meta:
            undoes = entry.meta.get("undoes")
            if undoes == _USE or _USE_TAG in entry.tags:
                reader.use(at, entry, undoes=bool(undoes))
    costs: list[BookedCost] = []
    variances: list[BookedVariance] = []
    depreciations: list[BookedDepreciation] = []
    for at, booked in of_providers:
        costs += _costs(at, booked)
        variances += _variances(at, booked)
        if booked.kind is Kind.DEPRECIATION:
            depreciations += _depreciations(at, booked, terms)
    served = reader.served
    if reader.merged:
        served = [each._replace(pool=reader.of_month(each.pool)) for each in served]
        costs = [each._replace(pool=reader.of_month(each.pool)) for each in costs]
    return ServingFacts(tuple(served), tuple(costs), tuple(variances), tuple(depreciations))


class _ServedReader:
    """Reads uses; it knows the days of those that reversals undo."""

    def __init__(
        self, terms: Terms, movements: Iterable[Movement], earned: Iterable[Income]
    ) -> None:
        self.served: list[ServedUnits] = []
        self.merged: set[OfDays] = set()
        self._terms = terms
        self._drawn = grouped([m for m in movements if m.flow is _USED], lambda each: each.at)
        self._beyond = grouped([i for i in earned if i.earning is _OVERAGE], lambda each: each.at)
        self._pools: dict[str, CostPool] = {}  # by the id of the use
        self._pools_of_days: dict[tuple[str, date, date], tuple[Meter | None, CostPool]] = {}
        self._by_day = terms.of_ledger(POSTING_GRAIN) is Grain.DAY

    def use(self, at: int, entry: Transaction, *, undoes: bool) -> None:
        """Add what a use took, or gave back."""
        meta = entry.meta
        name = str(meta.get("meter", ""))
        parts = list(self._parts(at, entry, -1 if undoes else 1))
        occurred = meta.get("occurred")
        day = occurred if isinstance(occurred, date) else entry.date
        if undoes:
            day, undone = self._undone(str(meta.get("reverses", "")), day, entry.date)
            line, pool = self._pool(name, day, entry.date)
            pool = pool._replace(undone=undone)
        else:
            line, pool = self._pool(name, day, entry.date)
            self._pools[str(meta.get("event", ""))] = pool
            if "events" in meta and line is not None and not self._by_day:
                month = Month.of(entry.date).name
                self.merged.add((pool.provider, name, self._since(name, day), month))
        said = meta.get("quantity")
        quantity = abs(said) if isinstance(said, Decimal) else ZERO
        quantity = -quantity if undoes else quantity
        self.served += _served(at, entry, line, parts, quantity, pool, day)

    def _parts(self, at: int, entry: Transaction, sign: int) -> Iterator[_UsePart]:
        """The lots that a use took units of, and what lies beyond them where a meter says it."""
        drawn = ZERO
        for moved in self._drawn.get(at, ()):
            drawn -= moved.units
            fields = (moved.origin, moved.lot, moved.commodity, -moved.units, moved.currency)
            yield _new(_UsePart, fields)
        used = money_of(entry.meta.get("used"))
        beyond = sign * abs(used.number) - drawn if used else ZERO
        if used is None or not beyond:
            return
        billed = self._beyond.get(at, ())
        if not billed:  # it was rounded to nothing
            yield _UsePart("", None, used.currency, beyond, "")
        shares = units_by_charge(beyond, [each.amount for each in billed])
        for each, units in zip(billed, shares, strict=True):
            yield _UsePart(each.origin, None, used.currency, units, each.currency)

    def _undone(self, use: str, day: date, booked: date) -> tuple[date, str]:
        """The day of a use that is undone; and its id, where its cost was booked before."""
        known = self._pools.get(use)
        if known is None:
            return day, use
        return known.day, "" if known.booked == booked else use

    def _pool(self, name: str, day: date, booked: date) -> tuple[Meter | None, CostPool]:
        """The line of a meter on a day, and the pool of its uses."""
        found = self._pools_of_days.get((name, day, booked))
        if found is None:
            timeline = self._terms.meters.get(name)
            line = timeline.on(day) if timeline else None
            pool = CostPool(line.provider if line else "", name, day, booked, "")
            found = self._pools_of_days[name, day, booked] = (line, pool)
        return found

    def _since(self, name: str, day: date) -> date:
        timeline = self._terms.meters.get(name)
        return timeline.since(day) if timeline else date.min

    def of_month(self, pool: CostPool) -> CostPool:
        """The pool of a month, where uses of it were merged over its days."""
        since, month = self._since(pool.meter, pool.day), Month.of(pool.booked)
        if pool.undone or (pool.provider, pool.meter, since, month.name) not in self.merged:
            return pool
        return pool._replace(day=since, booked=month.first)


def _served(
    at: int,
    entry: Transaction,
    line: Meter | None,
    parts: Sequence[_UsePart],
    quantity: Decimal,
    pool: CostPool,
    used_on: date,
) -> Iterator[ServedUnits]:
    month = name_of(Interval.MONTH, entry.date)
    quantities = quantities_by_lot(quantity, [each.units for each in parts])
    for (origin, lot, commodity, units, currency), of_it in zip(parts, quantities, strict=True):
        in_meter = Money(units, commodity)
        if line is not None:
            in_meter = units_served(line, of_it, units, commodity)
        # fmt: off
        yield _new(ServedUnits, (
            entry.date, month, entry.payee or "", pool.meter, pool.provider, origin,
            lot.month if lot else "", lot, commodity, units, currency, of_it, in_meter,
            weight_served(line, of_it, units, measured=bool(quantity)), pool, used_on, at,
        ))
        # fmt: on


def _costs(at: int, booked: JournalEntry) -> Iterator[BookedCost]:
    """The costs of an entry, by meter and currency."""
    if booked.kind not in (Kind.COST, Kind.LAPSE):
        return
    day, provider = booked.served or booked.date, booked.subscriber
    undone = ""
    if booked.source.startswith(OF_REVERSAL):
        undone = booked.source.removeprefix(OF_REVERSAL)
    stated = {each.meter for each in booked.stated}
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for leg in booked.legs:
        if isinstance(leg, MoneyLeg) and leg.role in (Role.COST, Role.LAPSED):
            sums[leg.origin, leg.currency] += leg.number
    for (meter, currency), amount in sums.items():
        reason = CostReason.GIVEN_BACK if undone else CostReason.USES
        if booked.kind is Kind.LAPSE:
            reason = CostReason.LAPSED
        elif meter in stated:
            reason = CostReason.STATED
        pool = CostPool(provider, meter, day, booked.date, undone)
        month = Month.of(booked.date).name
        yield BookedCost(booked.date, month, provider, meter, currency, amount, reason, pool, at)


def _variances(at: int, booked: JournalEntry) -> Iterator[BookedVariance]:
    for leg in booked.legs:
        if isinstance(leg, MoneyLeg) and leg.role is Role.VARIANCE:
            day, month = booked.date, Month.of(booked.date).name
            yield BookedVariance(day, month, booked.subscriber, leg.currency, leg.number, at)


def _depreciations(at: int, booked: JournalEntry, terms: Terms) -> Iterator[BookedDepreciation]:
    name, day = booked.subscriber, booked.date
    timeline = terms.capacities.get(name)
    line = timeline.on(day) if timeline else None
    can_serve, quantity = (line.can_serve, line.quantity) if line else (None, None)
    counts = quantity or can_serve
    unit = counts.currency if counts else ""
    for leg in booked.legs:
        if isinstance(leg, MoneyLeg) and leg.role is Role.DEPRECIATION:
            yield BookedDepreciation(
                day,
                Month.of(day).name,
                name,
                line.provider if line else "",
                leg.currency,
                leg.number,
                unit,
                can_serve.number if can_serve and can_serve.currency == unit else ZERO,
                quantity is not None,
                at,
            )
