"""What subscribers used of the operator's providers: handed out of their books, taken into its own.

    2026-05-20  chat  CU   350 CU of 12 uses         ; the sums of a day are all that a cost needs
    2026-06-03  use u-7 of 2026-05-20 is reversed    ; these one by one: the last drawn comes back

Only where credits lack does the cost of a day need its uses one by one: which of them are too many.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import table_of
from beancount_compute.economy import (
    PHASE,
    WIDE,
    ZERO,
    Event,
    JournalEntry,
    Kind,
    Money,
    commodity_used,
    trim,
    units_used,
)
from beancount_compute.economy.rules.depreciation import await_depreciation
from beancount_compute.economy.rules.evening import Evening, book_evening
from beancount_compute.economy.state import Economy, Undo

SUMS = "<sums>"  # stands for the file of what sums stand for
MeterDay = tuple[date, str]  # and the meter's name


class ServedKey(NamedTuple):
    """What is added up: uses of a meter, in one unit, all with a quantity or all without."""

    date: date
    meter: str
    commodity: str
    measured: bool


class TakenBack(NamedTuple):
    """A use of an earlier day that is reversed."""

    date: datetime.date  # of the reversal, and its time
    time: str
    used_on: datetime.date
    used_at: str
    subscriber: str
    id: str  # of the use
    meter: str
    quantity: Decimal
    units: Decimal
    commodity: str

    @property
    def undo(self) -> Undo:
        """What the evening needs of it."""
        return Undo(
            JournalEntry(
                self.used_on,
                Kind.CONSUMPTION,
                self.subscriber,
                "",
                [],
                self.id,
                None,
                meter=self.meter,
                quantity=self.quantity,
                used=Money(self.units, self.commodity),
            )
        )


class ServedUses:
    """What was used of meters that a provider serves, and of whose uses anything comes back."""

    def __init__(self, one_by_one: Collection[MeterDay] = ()) -> None:
        """`one_by_one` are the days and meters of which each use is kept."""
        self._one_by_one = one_by_one
        self.sums: dict[ServedKey, tuple[Decimal, Decimal]] = {}  # quantity and units
        self.uses: defaultdict[MeterDay, list[Event]] = defaultdict(list)
        self.taken_back: defaultdict[date, list[TakenBack]] = defaultdict(list)
        self.lacking: set[MeterDay] = set()  # of which credits lack, and the uses are not known

    @property
    def handed_out(self) -> Evening:
        """An evening that books nothing: what subscribers used is the operator's to book."""
        return Evening(lambda economy, closed: None, self.take_out)

    @property
    def taken_in(self) -> Evening:
        """The operator's evening: it books what is here, with what its own part used."""
        return Evening(self._begin, self._book)

    def take_out(self, economy: Economy, day: date) -> None:
        """Take out of the economy what its evening would book."""
        served, economy.served = economy.served, {}
        for (on, meter), uses in served.items():
            if (on, meter) in self._one_by_one:
                self.uses[on, meter] += uses
            else:
                for use in uses:
                    key = ServedKey(on, meter, use.commodity, bool(use.quantity))
                    self.add(key, use.quantity, use.units or ZERO)
        back, economy.taken_back = economy.taken_back, []
        if back:
            reversals = _reversals_of(economy)
            self.taken_back[day] += [_taken_back(each, reversals) for each in back]

    def add(self, key: ServedKey, quantity: Decimal, units: Decimal) -> None:
        """Add to the sums."""
        known, so_far = self.sums.get(key, (ZERO, ZERO))
        self.sums[key] = WIDE.add(known, quantity), WIDE.add(so_far, units)

    def _begin(self, economy: Economy, closed: date | None) -> None:
        economy.agenda.visit(
            {*self.taken_back, *(on for on, _ in self.uses), *(key.date for key in self.sums)}
        )
        await_depreciation(economy, closed)

    def _book(self, economy: Economy, day: date) -> None:
        self.take_out(economy, day)
        for key in sorted(key for key in self.sums if key.date == day):
            economy.served.setdefault((day, key.meter), []).append(_in_all(key, self.sums[key]))
        for (on, meter), uses in self.uses.items():
            if on == day:
                economy.served[on, meter] = sorted(uses, key=_IN_TURN)
        economy.taken_back = [each.undo for each in _in_order(self.taken_back.get(day, ()))]
        book_evening(economy, day)
        self.lacking |= {
            (date.fromordinal(place.line), place.row)
            for place, _, _ in economy.refusals
            if place.file == SUMS
        }

    def tables(self) -> dict[str, pa.Table]:
        """The sums, and what is taken back, as tables."""
        sums = [(*key, *sums) for key, sums in sorted(self.sums.items())]
        back = [each for of_day in self.taken_back.values() for each in of_day]
        return {"served": table_of("served", sums), "taken_back": table_of("taken_back", back)}

    def add_sums(self, served: pa.Table) -> None:
        """Add what a part handed out, but for what is kept one by one."""
        for *key, quantity, units in _rows(served):
            (on, meter, _, _) = served_key = ServedKey(*key)
            if (on, meter) not in self._one_by_one:
                self.add(served_key, trim(quantity, 0), trim(units, 0))

    def add_taken_back(self, taken_back: pa.Table) -> None:
        """Add the uses whose cost is to be given back."""
        for row in _rows(taken_back):
            each = TakenBack(*row)
            each = each._replace(quantity=trim(each.quantity, 0), units=trim(each.units, 0))
            self.taken_back[each.date].append(each)


# uses of several parts in the order of a day; those of one subscriber stand in it already
_IN_TURN = attrgetter("time", "subscriber")


def _rows(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    return zip(*[column.to_pylist() for column in table.columns], strict=True)


def _in_all(key: ServedKey, sums: tuple[Decimal, Decimal]) -> Event:
    """One use that stands for all that were added up."""
    quantity, units = sums
    return Event(
        key.date,
        PHASE[Kind.CONSUMPTION],
        "",
        Kind.CONSUMPTION,
        "",
        "",
        "",
        units,
        None,
        None,
        "",
        "",
        "",
        "",
        key.commodity,
        "",
        "",
        key.meter,
        quantity,
        file=SUMS,
        line=key.date.toordinal(),
        row=key.meter,
    )


def _reversals_of(economy: Economy) -> dict[str, Event]:
    """The reversals of today, by what they undo."""
    return {
        record.event.reverses: record.event
        for record in economy.journal
        if isinstance(record, JournalEntry)
        and record.kind is Kind.REVERSAL
        and record.event is not None
        and record.date == economy.today
    }


def _taken_back(undo: Undo, reversals: dict[str, Event]) -> TakenBack:
    entry, reversal = undo.entry, reversals[undo.entry.id]
    return TakenBack(
        reversal.date,
        reversal.time,
        undo.day,
        entry.event.time if entry.event else "",
        entry.subscriber,
        entry.id,
        entry.meter,
        entry.quantity,
        units_used(entry),
        commodity_used(entry),
    )


def _in_order(back: Iterable[TakenBack]) -> list[TakenBack]:
    """The reversals of a day as they stand in the books: of one time, the latest use first."""
    latest = sorted(back, key=attrgetter("used_on", "used_at", "subscriber"), reverse=True)
    return sorted(latest, key=attrgetter("time"))
