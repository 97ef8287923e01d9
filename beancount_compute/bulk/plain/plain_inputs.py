"""What a plain month works on: the lots of the state, those of periods and those of top-ups.

lots.parquet, subscriptions.parquet, top-ups   ->   whose, which key, how many steps of units
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.plain.lot_keys import NEVER, Ints, KeyColumns, small_behind
from beancount_compute.bulk.plain.plain_cells import units_column
from beancount_compute.bulk.plain.plain_month import (
    COST_DECIMALS,
    Held,
    PlainMonth,
    Receipts,
    together_held,
)
from beancount_compute.bulk.plain.plain_rows import DAYS
from beancount_compute.bulk.plain.plain_subscriptions import PlainSubscriptions, minor_units
from beancount_compute.bulk.plain.plain_terms import PlainPeriods, split_many
from beancount_compute.bulk.plain.plain_uses import MOST_DECIMALS, decimals_of_units
from beancount_compute.bulk.rows.event_table import EventTable, literal, text_of
from beancount_compute.bulk.rows.free_memory import give_back_memory
from beancount_compute.bulk.rows.steps import (
    StepSizes,
    fewest_decimals,
    integers_of,
    narrow,
    rescaled,
    steps_of,
)
from beancount_compute.economy import (
    COST_STEP,
    NOWHERE,
    TOP_UP,
    Kind,
    Pocket,
    Refused,
    decimals_of,
)
from beancount_compute.economy.rules.allocation import end_of
from beancount_compute.ledger import Fields
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.rows import event_from

_EPOCH = np.int64(719163)  # 1970-01-01


class Scaled(NamedTuple):
    """Numbers with as few decimals as they need, so that they are small."""

    scale: StepSizes
    receipts: Receipts
    uses: Ints


class PlainInputs:
    """Reads what the plain subscribers of a month have and get."""

    def __init__(
        self,
        table: EventTable,
        bulk: BulkTerms,
        month: PlainMonth,
        commodities: list[str],
        origins: list[str],
        currencies: list[str],
    ) -> None:
        self._table, self._bulk, self._month = table, bulk, month
        self._commodities, self._origins, self._currencies = commodities, origins, currencies

    def held(self) -> Held:
        """The lots of the state, with costs and units of as many decimals as are plain."""
        cost = f"TRY_CAST(cost AS DECIMAL(18, {COST_DECIMALS}))"
        units = f"TRY_CAST(units AS DECIMAL(18, {MOST_DECIMALS}))"
        known = f"commodity IN ({', '.join(map(literal, self._commodities))})"
        plain = f"coalesce({cost} = cost AND {units} = units AND {known}, false)"
        self._table.run(
            "CREATE TABLE held AS SELECT s.code, pocket, commodity, currency, origin, date, "
            f'"end", {cost} AS cost, {units} AS units, {plain} AS plain '
            "FROM state_lots l JOIN subs s ON s.node = l.subscriber"
        )
        odd = self._table.arrow("SELECT DISTINCT code FROM held WHERE NOT plain").column("code")
        self._month.leave(odd.to_numpy())
        rows = self._table.arrow(
            f"SELECT code, {_place('commodity', self._commodities)} AS commodity, "
            f"CASE pocket WHEN 'tokens' THEN 1 ELSE 0 END::BIGINT AS pocket, cost, "
            f"{_place('currency', self._currencies)} AS currency, "
            "date - DATE '1970-01-01' AS day, "
            f"{_place('origin', self._origins)} AS origin, "
            '"end" - DATE \'1970-01-01\' AS "end", units '
            "FROM held WHERE plain ORDER BY code"
        )
        self._table.run("DROP TABLE held")
        end = rows.column("end")
        keys = KeyColumns(
            _ints(rows, "pocket"),
            _decimals(rows, "cost"),
            _ints(rows, "currency"),
            _ints(rows, "day") + _EPOCH,
            _ints(rows, "origin"),
            end.fill_null(NEVER - int(_EPOCH)).to_numpy().astype(np.int64) + _EPOCH,
        )
        nothing = np.zeros(rows.num_rows, np.int64)
        whose = _ints(rows, "code"), _ints(rows, "commodity")
        return together_held([Held(*whose, keys, _decimals(rows, "units"), nothing)])

    def periods(self, subscriptions: PlainSubscriptions) -> tuple[Held, Receipts]:
        """The lots of periods that begin, and what is owed for them."""
        found, receipts = [nothing_held()], [_no_receipts()]
        for day, origin, period, codes in subscriptions.begun(PlainPeriods(self._bulk.terms)):
            count = len(codes)
            currency = self._currencies.index(period.currency)
            if period.paid:
                paid = minor_units(period.paid, decimals_of(period.currency))
                receipts.append(
                    Receipts(
                        *_columns(count, day, codes, self._origins.index(origin), currency, paid)
                    )
                )
            for pocket, commodity, (cost, _, lot_day, _, end), units in period.lots:
                steps = steps_of(cost, COST_DECIMALS), steps_of(units, MOST_DECIMALS)
                if steps[0] is None or steps[1] is None or commodity not in self._commodities:
                    subscriptions.leave(codes)
                    continue
                key = _columns(
                    count,
                    int(pocket is Pocket.TOKENS),
                    steps[0],
                    currency,
                    lot_day.toordinal(),
                    self._origins.index(origin),
                    NEVER if end is None else end.toordinal(),
                )
                unit = self._commodities.index(commodity)
                more = _columns(count, codes, unit, steps[1], day)
                found.append(Held(more[0], more[1], KeyColumns(*key), more[2], more[3]))
        return together_held(found), Receipts(
            *[np.concatenate(columns) for columns in zip(*receipts, strict=True)]
        )

    def top_ups(self) -> tuple[Held, Receipts]:
        """The lots of top-ups, split into costs a unit that add up."""
        units = units_column(self._table.files)
        assert units is not None
        minor = " ".join(
            f"WHEN {literal(name)} THEN {10 ** decimals_of(name)}" for name in self._currencies
        )
        expires = "NULL" if "expires" not in self._table.files.present else text_of("expires")
        rows = self._table.arrow(
            f"SELECT s.code, t.day_at AS at, CAST(floor({units.sql}) AS BIGINT) AS units, "
            f"CAST(CAST(paid AS DECIMAL(18, 4)) * (CASE currency {minor} END) AS BIGINT) AS paid, "
            f"{_place('commodity', self._commodities)} AS commodity, "
            f"{_place('currency', self._currencies)} AS currency, "
            f"coalesce({expires}, '') AS expires "
            "FROM top_ups t JOIN subs s ON s.node = t.subscriber"
        )
        code, day, number, paid, commodity, currency = (
            _ints(rows, name) for name in ("code", "at", "units", "paid", "commodity", "currency")
        )
        end = self._ends_of_top_ups(rows, code, day)
        origin = self._origins.index(TOP_UP)
        receipts = Receipts(day, code, np.full(len(code), origin), currency, paid)
        found = [nothing_held()]
        step = self._bulk.terms.of_ledger(COST_STEP)
        for at, name in enumerate(self._currencies):
            which = np.flatnonzero(currency == at)
            split = split_many(paid[which], number[which], name, step, COST_DECIMALS)
            self._month.leave(code[which[~split.plain]])
            for cost, share in ((split.low, split.cheap), (split.low + split.step, split.dearer)):
                some = split.plain & (share > 0)
                of = which[some]
                key = KeyColumns(
                    np.ones(len(of), np.int64),
                    cost[some],
                    currency[of],
                    day[of] + self._bulk.month.first.toordinal(),
                    np.full(len(of), origin),
                    end[of],
                )
                units_of = share[some] * 10**MOST_DECIMALS
                found.append(Held(code[of], commodity[of], key, units_of, day[of]))
        return together_held(found), receipts

    def _ends_of_top_ups(self, rows: pa.Table, code: Ints, day: Ints) -> Ints:
        """The ends of top-ups, asked of the rule once for each text and day."""
        coded = rows.column("expires").combine_chunks().dictionary_encode()
        texts, place = coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
        found, back = np.unique(place * DAYS + day, return_inverse=True)
        ends = np.array(
            [self._end_of(texts[each // DAYS], int(each % DAYS)) for each in found.tolist()],
            np.int64,
        )
        if not len(ends):
            return ends
        end = ends[back]
        self._month.leave(code[end < 0])
        return end

    def _end_of(self, written: str, day: int) -> int:
        """The end of a top-up that says so of a day; below zero where it is not plain."""
        on = self._bulk.month.first + timedelta(day)
        try:
            values = {"date": on, "expires": Fields().expiries[written.strip()], "time": ""}
            end = end_of(event_from(Kind.ALLOCATION, values, NOWHERE))
        except (Refused, FieldError):
            return -1
        return NEVER if end is None else end.toordinal()

    def read(self, subscriptions: PlainSubscriptions, uses: Ints) -> Scaled:
        """Let the month begin with all lots; what else it needs, with as few decimals as it can."""
        decimals = decimals_of_units(self._table.files)
        assert decimals is not None
        of_uses = fewest_decimals([uses], decimals)
        uses = narrow(rescaled(uses, decimals, of_uses))
        give_back_memory()  # the tables of subscriptions, the wide uses
        held, (periods, for_periods) = self.held(), self.periods(subscriptions)
        top_ups, for_top_ups = self.top_ups()
        *of_small, paid = zip(for_periods, for_top_ups, strict=True)
        day, code, origin, currency = map(small_behind, of_small)
        receipts = Receipts(day, code, origin, currency, np.concatenate(paid))
        both = [held, together_held([periods, top_ups])]
        del held, periods, top_ups  # of large economies they are large
        both = [each.some(self._month.good[each.code]) for each in both]
        of_lots = fewest_decimals([each.units for each in both], MOST_DECIMALS)
        scale = StepSizes(
            max(of_uses, of_lots),
            fewest_decimals([each.keys.cost for each in both], COST_DECIMALS),
        )
        uses = rescaled(uses, of_uses, scale.units)
        both = [_scaled(each, scale) for each in both]
        give_back_memory()  # the tables of lots
        self._month.begin(both.pop(0), both.pop())
        return Scaled(scale, receipts, uses)


def _scaled(lots: Held, scale: StepSizes) -> Held:
    cost = rescaled(lots.keys.cost, COST_DECIMALS, scale.cost)
    units = rescaled(lots.units, MOST_DECIMALS, scale.units)
    return lots._replace(units=units, keys=lots.keys._replace(cost=cost))


def nothing_held() -> Held:
    """No lots at all."""
    none = np.empty(0, np.int64)
    return Held(none, none, KeyColumns(*[none] * 6), none, none)


def _place(column: str, texts: list[str]) -> str:
    cases = " ".join(f"WHEN {literal(text)} THEN {at}" for at, text in enumerate(texts))
    return f"(CASE {column} {cases} ELSE -1 END)::BIGINT"


def _ints(rows: pa.Table, name: str) -> Ints:
    numbers: Ints = rows.column(name).to_numpy().astype(np.int64)
    return numbers


def _decimals(rows: pa.Table, name: str) -> Ints:
    chunks = [integers_of(chunk) for chunk in rows.column(name).chunks]
    numbers: Ints = np.concatenate([np.empty(0, np.int64), *chunks])
    return numbers


def _columns(count: int, *values: Ints | int) -> list[Ints]:
    return [np.broadcast_to(np.asarray(value, np.int64), count) for value in values]


def _no_receipts() -> Receipts:
    return Receipts(*[np.empty(0, np.int64)] * 5)
