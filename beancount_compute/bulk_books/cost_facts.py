"""Rows of uses and of the operator's journal as facts: what was served, by whom, and what it cost.

    2026-05-20  chat  drawn  pro 2026-05-01/2026-06-01   350 CU   70.00 USD

are 350 CU of chat that openai served on that day, of all subscribers together. Uses of no meter are
those of the days, without these. They are read where a report asks for them, and not before.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from beancount_compute.bulk_books.month_rows import Places, RowsOfFile, rows_of
from beancount_compute.economy import (
    EARNINGS,
    KINDS,
    ROLE_OF_POCKET,
    STOCK,
    WIDE,
    ZERO,
    Beyond,
    Earning,
    JournalEntry,
    Kind,
    Leg,
    LegOrigin,
    Lot,
    LotLeg,
    Meter,
    Money,
    MoneyLeg,
    Month,
    Role,
    StatedCost,
    Terms,
    cost_of,
    trim,
)
from beancount_compute.economy.measuring import units_served, weight_served
from beancount_compute.reports import Books, Income, LotKey, Movement, NotInBulk
from beancount_compute.reports.books import CostsOfMonths
from beancount_compute.reports.metered_uses import ListedUse
from beancount_compute.reports.provider_entries import ProviderEntry
from beancount_compute.reports.served_facts import CostPool, IncomeOfMeter, ServedUnits

_USE = Kind.CONSUMPTION.value
_REVERSAL = Kind.REVERSAL.value
_PREPAID = ROLE_OF_POCKET[STOCK].value
# the roles whose legs a transaction tells by meter
_BY_METER = frozenset(
    leg.role for row in KINDS.values() for leg in row.money if leg.origin is LegOrigin.METERS
)
_EARNING_OF = {role.value: earning for role, earning in EARNINGS.items()}


class UsesRow(NamedTuple):
    """A row of `uses.parquet`."""

    date: datetime.date
    undoes: bool
    used_on: datetime.date
    undone: str
    meter: str
    measured: bool
    what: str  # use, drawn, beyond, or the role of an income
    commodity: str
    currency: str
    origin: str
    lot_date: datetime.date | None
    lot_end: datetime.date | None
    uses: int
    quantity: Decimal
    units: Decimal
    amount: Decimal


class EntryRow(NamedTuple):
    """A row of `operator_journal.parquet`: a leg, what is beyond credits, or stated."""

    entry: int
    booked: datetime.date
    kind: str
    undoes: str
    id: str
    source: str
    name: str
    period: str
    served: datetime.date | None
    what: str
    meter: str
    commodity: str
    cost: Decimal
    currency: str
    date: datetime.date
    origin: str
    end: datetime.date | None
    units: Decimal
    amount: Decimal


def costs_of_months(
    own: Books, folders: Mapping[str, str], used: Sequence[Movement]
) -> CostsOfMonths:
    """The facts of months, by month; `used` is all that was, by day.

    Raises `NotInBulk` where an older release booked one of them, or `CantReadMonths`.
    """
    reader = _UsesReader(Places(own), own.terms)
    entries: list[ProviderEntry] = []
    with localcontext(WIDE):
        for folder in folders.values():
            reader.read(_rows(Path(folder) / "uses.parquet", UsesRow._fields))
            rows = _rows(Path(folder) / "operator_journal.parquet", EntryRow._fields)
            entries += _entries(rows, reader.places)
        served = [*reader.served, *reader.of_no_meter(used)]
    return CostsOfMonths(tuple(served), tuple(reader.uses), tuple(entries), tuple(reader.incomes))


def _rows(path: Path, columns: Sequence[str]) -> RowsOfFile:
    """The rows of a file that months of older releases lack; then `NotInBulk` is raised."""
    if not path.exists():
        raise NotInBulk(
            f"{path} is not there, as its month was booked by an older release: to read what uses "
            "cost, book the month anew with bean-compute bulk"
        )
    return rows_of(path, columns)


class _UsesReader:
    """Reads the uses of months; its sums need `WIDE`."""

    def __init__(self, places: Places, terms: Terms) -> None:
        self.places, self._terms = places, terms
        self.served: list[ServedUnits] = []
        self.uses: list[ListedUse] = []
        self.incomes: list[IncomeOfMeter] = []
        self._line = cache(self._line_on)

    def _line_on(self, meter: str, day: date) -> Meter | None:
        timeline = self._terms.meters.get(meter)
        return timeline.on(day) if timeline else None

    def read(self, rows: RowsOfFile) -> None:
        """Add what rows say."""
        for row in map(UsesRow._make, rows):
            line = self._line(row.meter, row.used_on)
            kind = (_REVERSAL, _USE) if row.undoes else (_USE, "")
            at = self.places.of(row.date, *kind)
            if row.what == "use":
                if line is not None and line.provider:
                    self.uses.append(_listed(row, line, at))
                continue
            provider = line.provider if line is not None else ""
            if row.what in ("drawn", "beyond"):
                self.served.append(_served(row, line, provider, at))
            if row.what == "drawn" or row.what in _EARNING_OF:
                earning = _EARNING_OF.get(row.what, Earning.COMPUTE)
                self.incomes += _of_meter(_income(row, earning, at), row, provider)

    def of_no_meter(self, used: Iterable[Movement]) -> Iterator[ServedUnits]:
        """What was used of lots, by day, without what meters took."""
        left: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for moved in used:
            left[moved.date, moved.at, moved.lot, moved.commodity] -= moved.units
        for each in self.served:
            if each.lot is not None:
                left[each.date, each.at, each.lot, each.commodity] -= each.units
        for (day, at, lot, commodity), units in left.items():
            if units:
                pool = CostPool("", "", day, day, "")
                # fmt: off
                yield ServedUnits(
                    day, Month.of(day).name, "", "", "", lot.origin, lot.month, lot, commodity,
                    units, lot.currency, ZERO, Money(units, commodity), units, pool, day, at,
                )
                # fmt: on


def _lot(row: UsesRow) -> LotKey | None:
    """The lot, told apart as those of days are; None where there is none."""
    since = row.lot_date
    if since is None:
        return None
    of = Month.of(since).name, row.origin, row.lot_end, None
    return LotKey(ZERO, row.currency, since, *of)


def _listed(row: UsesRow, line: Meter, at: int) -> ListedUse:
    return ListedUse(
        row.date,
        row.used_on,
        Month.of(row.used_on).name,
        line.provider,
        row.meter,
        line.since,
        line.cost.currency if line.cost else "",
        row.quantity,
        ZERO if row.measured else row.units,
        Decimal(row.uses),
        at,
    )


def _served(row: UsesRow, line: Meter | None, provider: str, at: int) -> ServedUnits:
    lot, units, quantity = _lot(row), row.units, row.quantity
    in_meter = Money(units, row.commodity)
    if line is not None:
        in_meter = units_served(line, quantity, units, row.commodity)
    return ServedUnits(
        row.date,
        Month.of(row.date).name,
        "",
        row.meter,
        provider,
        row.origin,
        lot.month if lot else "",
        lot,
        row.commodity,
        units,
        row.currency,
        quantity,
        in_meter,
        weight_served(line, quantity, units, measured=row.measured),
        CostPool(provider, row.meter, row.used_on, row.date, row.undone),
        row.used_on,
        at,
    )


def _income(row: UsesRow, earning: Earning, at: int) -> Income:
    month, undoes = Month.of(row.date).name, row.undoes
    of = row.origin, row.currency, row.amount, _lot(row)
    return Income(row.date, month, earning, "", *of, at, undoes, _USE)


def _of_meter(income: Income, row: UsesRow, provider: str) -> Iterator[IncomeOfMeter]:
    """An income by its meter, and taken off those of which none is told."""
    if income.amount:
        yield IncomeOfMeter(income, row.meter, provider, row.commodity)
        yield IncomeOfMeter(income._replace(amount=-income.amount), "", "", "")


def _entries(rows: RowsOfFile, places: Places) -> Iterator[ProviderEntry]:
    """The entries of the operator, in the order of the books."""
    for _, of_entry in groupby(map(EntryRow._make, rows), key=itemgetter(0)):
        entry = _entry([*of_entry])
        yield ProviderEntry(places.of(entry.date, entry.kind.value, entry.undoes), entry)


def _entry(rows: Sequence[EntryRow]) -> JournalEntry:
    legs: list[Leg] = []
    beyond: list[Beyond] = []
    stated: list[StatedCost] = []
    about = rows[0]
    for row in rows:
        if row.what == _PREPAID:
            legs.append(LotLeg(_credits(row), trim(row.units, 0)))
        elif row.what == "beyond":
            price = Money(trim(row.cost, 0), row.currency)
            beyond.append(Beyond(trim(row.units, 0), row.commodity, price))
        elif row.what == "stated":
            stated.append(StatedCost(row.meter, trim(row.amount, 0), row.currency))
        else:
            role = Role(row.what)
            meter = row.meter if role in _BY_METER else ""
            legs.append(MoneyLeg(role, row.name, meter, trim(row.amount, 0), row.currency))
    return JournalEntry(
        about.booked,
        Kind(about.kind),
        about.name,
        "",
        legs,
        about.id,
        None,
        about.source,
        undoes=about.undoes,
        period=about.period,
        served=about.served,
        beyond=(*beyond,),
        stated=(*stated,),
    )


def _credits(row: EntryRow) -> Lot:
    """The lot of credits, whose origin is the provider."""
    cost = cost_of(row.cost, row.currency)
    key = row.currency, row.date, row.origin, row.end
    return Lot(row.origin, STOCK, row.commodity, cost, *key)
