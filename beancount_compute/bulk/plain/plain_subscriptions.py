"""The subscriptions of plain subscribers through a month: which periods begin, and on which day.

    alice  pro  until 2026-05-14   ->   a period from 2026-05-14, until 2026-06-14

When a period begins rests on the terms alone, not on what anybody holds: so it is worked out first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.plain.lot_keys import Flags, Ints
from beancount_compute.bulk.plain.plain_overage import OnlySubscriptions, PlainOverage
from beancount_compute.bulk.plain.plain_terms import PlainPeriod, PlainPeriods, too_many_periods
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.steps import decimal_array
from beancount_compute.economy import decimals_of

_COLUMNS = (
    "id, plan, start, day_of_month, counted_in_days, period_end, periods, ended, file, line, "
    "cancelled_by, cancelled_on, discount IS NOT NULL OR beside IS NOT NULL AS peculiar"
)
_EPOCH = date(1970, 1, 1).toordinal()


class Begun(NamedTuple):
    """A period that begins on a day, with those whose it is."""

    day: int  # of the month, from 0
    origin: str
    period: PlainPeriod
    codes: Ints


class PlainSubscriptions:
    """The subscriptions of `subs(node, code)`, those of the month before and new ones."""

    def __init__(self, table: EventTable, bulk: BulkTerms, good: Flags) -> None:
        self._bulk = bulk
        self._first = bulk.month.first.toordinal()
        self._good = good
        old = table.arrow(
            f"SELECT s.code, {_COLUMNS}, -1 AS at FROM state_subscriptions t JOIN subs s "
            "ON s.node = t.subscriber"
        )
        new = (
            table.arrow(
                "SELECT s.code, t.id, t.plan, CAST(NULL AS DATE) AS start, "
                "0::SMALLINT AS day_of_month, false AS counted_in_days, "
                "CAST(NULL AS DATE) AS period_end, 0::INTEGER AS periods, "
                "false AS ended, t.file, t.row_at AS line, CAST(NULL AS VARCHAR) AS cancelled_by, "
                "CAST(NULL AS DATE) AS cancelled_on, false AS peculiar, t.day_at AS at "
                "FROM new_subscriptions t JOIN subs s "
                "ON s.node = t.subscriber"
            )
            if table.numbers("SELECT count(*) FROM new_subscriptions")[0][0]
            else old.slice(0, 0)
        )
        self.rows: pa.Table = pa.concat_tables([old, new.cast(old.schema)]).sort_by(
            [("code", "ascending"), ("at", "ascending"), ("plan", "ascending"), ("id", "ascending")]
        )
        self.code = self._numbers("code")
        self._at = self._numbers("at")
        self._new = self._at >= 0
        start = self._days("start")
        self.start = np.where(self._new, self._at + self._first, start)
        self.day_of_month = np.where(self._new, self._at + 1, self._numbers("day_of_month"))
        self.in_days = self.rows.column("counted_in_days").to_numpy(zero_copy_only=False).copy()
        self.period_end = np.where(self._new, self.start, self._days("period_end"))
        self.periods = self._numbers("periods").copy()
        self.ended = self.rows.column("ended").to_numpy(zero_copy_only=False).copy()
        self.cancelled = np.full(len(self.code), -1)  # the row of its cancellation
        coded = self.rows.column("plan").combine_chunks().dictionary_encode()
        self._plans: list[str] = coded.dictionary.to_pylist()
        self._plan = coded.indices.to_numpy().astype(np.int64)
        self._leave(self.rows.column("peculiar").to_numpy(zero_copy_only=False))
        anew = np.array([name in bulk.terms.charged_anew for name in self._plans], bool)
        if anew.any():
            self._leave(anew[self._plan])
        self._leave_doubled()
        self._cancel(table)
        self._leave(too_many_periods(self.periods) & ~self.ended)
        self.only = self._only()

    def _numbers(self, name: str) -> Ints:
        numbers: Ints = self.rows.column(name).to_numpy().astype(np.int64)
        return numbers

    def _days(self, name: str) -> Ints:
        days = self.rows.column(name).cast(pa.int32()).fill_null(0)
        ordinals: Ints = days.to_numpy().astype(np.int64) + _EPOCH
        return ordinals

    def leave(self, codes: Ints) -> None:
        """Leave subscribers to the engine."""
        self._good[codes] = False

    def _leave(self, which: Flags) -> None:
        self._good[self.code[which]] = False

    def _leave_doubled(self) -> None:
        """Leave those who subscribe to a plan on which they ran before, or twice."""
        pair = self.code * len(self._plans or [""]) + self._plan
        _, place, count = np.unique(pair, return_inverse=True, return_counts=True)
        with_new = np.zeros(len(count), bool)
        with_new[place[self._new]] = True
        self._leave((with_new & (count > 1))[place])

    def _cancel(self, table: EventTable) -> None:
        """Let subscriptions end that are cancelled; leave those where it isn't plain which."""
        self.cancellations = table.arrow(
            "SELECT s.code, c.plan, c.id, c.day_at AS at FROM cancellations c JOIN subs s "
            "ON s.node = c.subscriber ORDER BY s.code, c.day_at, c.id"
        )
        if not self.cancellations.num_rows:
            return
        plan_at = {name: at for at, name in enumerate(self._plans)}
        plans = [plan_at.get(name, -1) for name in self.cancellations.column("plan").to_pylist()]
        code = self.cancellations.column("code").to_numpy().astype(np.int64)
        pair = code * len(self._plans) + np.array(plans, np.int64)
        open_ones = np.flatnonzero(~self.ended)
        of_open = self.code[open_ones] * len(self._plans) + self._plan[open_ones]
        in_order = np.argsort(of_open, kind="stable")
        of_open, open_ones = of_open[in_order], open_ones[in_order]
        place = np.searchsorted(of_open, pair)
        inside = place < len(of_open)
        found = np.zeros(len(pair), bool)
        found[inside] = of_open[place[inside]] == pair[inside]
        _, first, times = np.unique(pair, return_index=True, return_counts=True)
        once = np.zeros(len(pair), bool)
        once[first[times == 1]] = True
        plain = found & once & (np.array(plans) >= 0)
        self._good[code[~plain]] = False
        which = open_ones[place[plain]]
        fresh = self._new[which]
        self._good[self.code[which[fresh]]] = False
        self.cancelled[which[~fresh]] = np.flatnonzero(plain)[~fresh]

    def _only(self) -> OnlySubscriptions:
        """The subscriptions of those who have but one, from a day on to the month's end."""
        people = len(self._good)
        runs = ~self.ended | (self.period_end > self._first)
        single = np.bincount(self.code[runs], minlength=people)[self.code] == 1
        pair = self.code * len(self._plans or [""]) + self._plan
        _, place, count = np.unique(pair, return_inverse=True, return_counts=True)
        rows = np.flatnonzero(
            single & runs & ~self.ended & (self.cancelled < 0) & (count[place] == 1)
        )
        plan, since = np.full(people, -1), np.zeros(people, np.int64)
        plan[self.code[rows]] = self._plan[rows]
        since[self.code[rows]] = self.start[rows] - self._first
        self._only_rows = rows
        return OnlySubscriptions(self._plans, plan, since)

    def begun(self, periods: PlainPeriods) -> Iterator[Begun]:
        """The periods that begin, day by day; afterwards the state is that of the month's end."""
        at = self.cancellations.column("at").to_numpy() if self.cancellations.num_rows else None
        cancel_day = np.full(len(self.code), 99)
        if at is not None:
            some = self.cancelled >= 0
            cancel_day[some] = at[self.cancelled[some]]
        for day in range(self._bulk.month.last.day):
            due = (self.period_end == self._first + day) & ~self.ended & (cancel_day > day)
            which = np.flatnonzero(due & self._good[self.code])
            if len(which):
                yield from self._begin(day, which, periods)
        self.ended |= self.cancelled >= 0

    def _begin(self, day: int, which: Ints, periods: PlainPeriods) -> Iterator[Begun]:
        packed = (self._plan[which] * 32 + self.day_of_month[which]) * 2 + self.in_days[which]
        on = self._bulk.month.first + timedelta(day)
        for value in np.unique(packed):
            those = which[packed == value]
            name = self._plans[self._plan[those[0]]]
            said = int(self.day_of_month[those[0]]), bool(self.in_days[those[0]])
            period = periods.begin(name, on, *said)
            if period is None:
                self._good[self.code[those]] = False
                continue
            self.period_end[those] = period.end.toordinal()
            self.day_of_month[those] = period.day_of_month
            self.in_days[those] = period.in_days
            self.periods[those] += 1
            yield Begun(day, name, period, self.code[those])

    def table(self, names: pa.Array, overage: PlainOverage) -> pa.Table:
        """The subscriptions at the month's end, of those who are good, with their overage."""
        kept = np.flatnonzero(self._good[self.code])
        rows = self.rows.take(kept)
        cancelled = self.cancelled[kept]
        none = cancelled < 0
        by, on = rows.column("cancelled_by"), rows.column("cancelled_on")
        if not none.all():
            at = pa.array(np.where(none, 0, cancelled))
            new_by = self.cancellations.column("id").take(at)
            days = self.cancellations.column("at").to_numpy()[np.where(none, 0, cancelled)]
            new_on = pa.array((days + self._first - _EPOCH).astype(np.int32)).cast(pa.date32())
            mask = pa.array(none)
            by = pc.if_else(mask, by, new_by)
            on = pc.if_else(mask, on, new_on)
        columns: dict[str, Any] = {
            "id": rows.column("id"),
            "subscriber": names.take(pa.array(self.code[kept])),
            "plan": rows.column("plan"),
            "start": _dates(self.start[kept]),
            "day_of_month": pa.array(self.day_of_month[kept].astype(np.int16)),
            "counted_in_days": pa.array(self.in_days[kept]),
            "period_end": _dates(self.period_end[kept]),
            "periods": pa.array(self.periods[kept].astype(np.int32)),
            "ended": pa.array(self.ended[kept]),
            "file": rows.column("file"),
            "line": rows.column("line").cast(pa.int64()),
            "cancelled_by": by,
            "cancelled_on": on,
            **self._overage(kept, overage),
            "discount": pa.nulls(len(kept), pa.decimal128(38, 12)),
            "discount_currency": pa.nulls(len(kept), pa.string()),
            "beside": pa.nulls(len(kept), pa.string()),
        }
        return pa.table(columns)

    def _overage(self, kept: Ints, overage: PlainOverage) -> dict[str, pa.Array]:
        """The overage of the month, exact and as it was charged."""
        rows = np.zeros(len(self.code), bool)
        rows[self._only_rows] = overage.exact[self.code[self._only_rows]] > 0
        rows, code, plan = rows[kept], self.code[kept], self._plan[kept]
        charged = pa.nulls(len(kept), pa.decimal128(38, 12))
        for at, currency in enumerate(overage.currencies):
            if currency:
                booked = decimal_array(overage.booked[code], decimals_of(currency))
                which = pa.array(rows & (plan == at))
                charged = pc.if_else(which, booked.cast(charged.type), charged)
        exact = decimal_array(overage.exact[code], overage.decimals)
        nothing = pa.scalar(None, exact.type)
        return {
            "overage": pc.if_else(pa.array(rows), exact, nothing),
            "overage_charged": charged,
        }


def _dates(ordinals: Ints) -> pa.Array:
    return pa.array((ordinals - _EPOCH).astype(np.int32)).cast(pa.date32())


def minor_units(number: Decimal, decimals: int) -> int:
    """Money in minor units."""
    return int(number.scaleb(decimals))
