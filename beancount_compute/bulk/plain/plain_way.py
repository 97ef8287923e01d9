"""The plain way through a month: out of the database, through arrays, into tables.

Who can't go it is named at the end, and is the engine's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.folder.month_tables import Tables, table_of
from beancount_compute.bulk.month_asked import Told
from beancount_compute.bulk.plain.lot_keys import Ints
from beancount_compute.bulk.plain.plain_days import Words, plain_days
from beancount_compute.bulk.plain.plain_inputs import PlainInputs
from beancount_compute.bulk.plain.plain_month import PlainMonth
from beancount_compute.bulk.plain.plain_others import note_plain_others
from beancount_compute.bulk.plain.plain_overage import PlainOverage
from beancount_compute.bulk.plain.plain_rows import MonthReader, UsesOfDays
from beancount_compute.bulk.plain.plain_served import meters_of_days
from beancount_compute.bulk.plain.plain_subscriptions import PlainSubscriptions
from beancount_compute.bulk.plain.plain_tables import PlainTables
from beancount_compute.bulk.plain.plain_uses import PlainUses
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.file_scan import FileRows
from beancount_compute.bulk.rows.parts import UndoOf, note_edges
from beancount_compute.bulk.rows.repeats import hashes_that_repeat, note_repeats
from beancount_compute.bulk.rows.text_words import UNKNOWN, NameCodes, Unsigned
from beancount_compute.economy import DRAW_DOWN, TOP_UP


class PlainResult(NamedTuple):
    """What the plain way booked, and who went it."""

    tables: Tables
    books: PlainTables  # the large ones
    names: pa.Array
    repeated: int  # rows that say the same again
    reader: MonthReader  # who can read the uses of some names again
    uses: UsesOfDays


def go_plain_way(
    table: EventTable, bulk: BulkTerms, undo_of: UndoOf, told: Told, *, has_state: bool
) -> PlainResult | None:
    """Book whose month is plain; None, and nothing noted, where nobody's can be."""
    commodities = sorted(bulk.terms.units)
    changes = [day for day, _ in bulk.terms.timeline(DRAW_DOWN).items()]
    plain = PlainUses(table.files, bulk.month, commodities)
    if (
        not plain.possible
        or bulk.terms.scales
        or meters_of_days(bulk.terms, bulk.month) is None
        or any(bulk.month.first < day <= bulk.month.last for day in changes)
    ):
        return None
    return _PlainWay(table, bulk, commodities, plain, undo_of, told, has_state=has_state).go()


class _PlainWay:
    """One month's way."""

    def __init__(
        self,
        table: EventTable,
        bulk: BulkTerms,
        commodities: list[str],
        plain: PlainUses,
        undo_of: UndoOf,
        told: Told,
        *,
        has_state: bool,
    ) -> None:
        self._has_state, self._undo_of = has_state, undo_of
        self._table, self._bulk = table, bulk
        self._commodities, self._plain = commodities, plain

        known = table.arrow("SELECT subscriber FROM state_subscribers ORDER BY subscriber")
        names = pa.concat_arrays([pa.array([], pa.string()), *known.column(0).chunks])
        self._reader = MonthReader(table, plain, len(commodities), names)
        repeated = hashes_that_repeat(self._reader.read(told))  # of which there are few
        note_plain_others(table, bulk, commodities)
        odd = table.odd_names_in("sorted_rows")
        self._note_subs(names)
        table.name_rows({**odd, **table.odd_names_in("sorted_rows", self._strangers)})
        table.name_some_rows("sorted_rows", "other_named")
        self.repeated = self._drop_repeats(repeated)

    def _note_subs(self, known: pa.Array) -> None:
        """Note who is known, or has a row that makes them known; others are strangers."""
        new = [known]
        for rows in ("top_ups", "new_subscriptions", "cancellations"):
            new += self._table.arrow(f"SELECT DISTINCT subscriber FROM {rows}").column(0).chunks
        names = pc.unique(pa.concat_arrays(new))
        if len(names) > len(known):
            names = names.take(pc.array_sort_indices(names))
        self._names, self._people = names, len(names)
        codes = pa.array(np.arange(len(names), dtype=np.int64))
        self._table.register("subs", pa.table({"node": names, "code": codes}))
        seen = self._reader.uses.all_names()
        strange = NameCodes(names).codes_of(seen) == UNKNOWN
        self._strangers = {*seen.filter(pa.array(strange)).to_pylist()}

    def _drop_repeats(self, hashes: Unsigned) -> int:
        """Drop rows that say the very same again, of some hashes of ids; how many they are."""
        table = self._table
        dropped = note_repeats(table, hashes)
        if not dropped:
            return 0
        again = table.arrow(
            "SELECT s.* FROM suspected s JOIN repeats r ON r.file = s.file AND r.row_at = s.row_at"
        ).combine_chunks()
        columns = {name: again.column(name).chunk(0) for name in table.files.present}
        rows = FileRows(0, "", 0, len(again), columns)
        uses = self._plain.of(rows)
        codes = self._reader.uses.names.codes_of(columns["subscriber"])
        cells = uses.day * len(self._commodities) + uses.unit
        self._reader.uses.add(*(each[uses.plain] for each in (codes, cells, -uses.steps)))
        table.run(
            "DELETE FROM sorted_rows USING repeats r WHERE r.file = sorted_rows.file "
            "AND r.row_at = sorted_rows.row_at"
        )
        return dropped

    def go(self) -> PlainResult:
        table, bulk = self._table, self._bulk
        first = bulk.month.first if self._has_state else None
        note_edges(table, first, self._undo_of, "other_named")
        origins, currencies = self._origins(), self._currencies()
        month = PlainMonth(bulk, self._commodities, origins, self._people)
        month.leave(self._left())
        subscriptions = PlainSubscriptions(table, bulk, month.good)
        inputs = PlainInputs(table, bulk, month, self._commodities, origins, currencies)
        commodities = len(self._commodities)
        scaled = inputs.read(
            subscriptions, self._reader.uses.units_given_up(self._names, commodities)
        )
        overage = PlainOverage(
            bulk, subscriptions.only, self._commodities, scaled.scale.units, month.leave
        )
        books = month.book(scaled.receipts, scaled.uses, overage)
        words = Words(
            self._names, self._commodities, origins, currencies, bulk.month.first, scaled.scale
        )
        names = self._names.filter(pa.array(month.good))
        self._note_names(
            [*sorted(self._strangers), *self._names.filter(pa.array(~month.good)).to_pylist()],
            "not_plain",
        )
        table.run("INSERT INTO left_nodes SELECT node FROM not_plain")
        tables = {
            "days": table_of("days", list(plain_days(books, words))),
            "subscriptions": subscriptions.table(self._names, overage),
            "subscribers": pa.table({"subscriber": names}),
        }
        served = meters_of_days(bulk.terms, bulk.month)
        uses = UsesOfDays(
            self._names,
            self._commodities,
            bulk.month.first,
            scaled.uses if served else np.empty(0, np.int64),
            scaled.scale.units,
        )
        del scaled, subscriptions  # they are large, and done with
        large = PlainTables(books, words)
        return PlainResult(tables, large, names, self.repeated, self._reader, uses)

    def _left(self) -> Ints:
        """The codes of those who have something that is not plain."""
        table = self._table
        self._note_names(sorted(self._bulk.named), "named_given")
        self._note_names(sorted(table.odd_names), "odd_given")
        table.run(
            "CREATE TABLE left_nodes AS SELECT DISTINCT node FROM ("
            "SELECT subscriber_node AS node FROM other_named WHERE sort = 'odd' UNION ALL "
            "SELECT counterparty_node FROM other_named WHERE sort = 'odd' UNION ALL "
            "SELECT node FROM other_named WHERE sort = 'odd' UNION ALL "
            "SELECT one FROM edges UNION ALL SELECT other FROM edges UNION ALL "
            "SELECT node FROM same_id UNION ALL SELECT node FROM named_given UNION ALL "
            "SELECT node FROM odd_given UNION ALL "
            "SELECT subscriber FROM state_lots WHERE terms_day IS NOT NULL)"
        )
        self._note_component_twins()
        found = table.arrow("SELECT s.code FROM subs s SEMI JOIN left_nodes l ON l.node = s.node")
        codes: Ints = found.column("code").to_numpy()
        return codes

    def _note_names(self, names: list[str], called: str) -> None:
        self._table.register(called, pa.table({"node": pa.array(names, pa.string())}))

    def _note_component_twins(self) -> None:
        """Those whose account component another one has, or may have."""
        table, accounts = self._table, self._bulk.accounts
        self._note_names(sorted(map(accounts.component, accounts.named)), "components_taken")
        key = "upper(left(node, 1)) || substr(node, 2)"
        table.run(
            f"INSERT INTO left_nodes SELECT node FROM subs WHERE {key} IN "
            "(SELECT node FROM components_taken)"
        )
        both = table.numbers(
            "SELECT count(*) FILTER (left(node, 1) <> lower(left(node, 1))), "
            "count(*) FILTER (left(node, 1) <> upper(left(node, 1))) FROM subs"
        )[0]
        if all(both):
            table.run(
                f"INSERT INTO left_nodes SELECT node FROM subs QUALIFY count(*) OVER "
                f"(PARTITION BY {key}) > 1"
            )

    def _origins(self) -> list[str]:
        found = self._table.numbers("SELECT DISTINCT origin FROM state_lots")
        return sorted({TOP_UP, *self._bulk.terms.plans, *(origin for (origin,) in found)})

    def _currencies(self) -> list[str]:
        found = self._table.numbers("SELECT DISTINCT currency FROM state_lots")
        plans = {plan.currency for line in self._bulk.terms.plans.values() for plan in line}
        over = {
            plan.overage.currency
            for line in self._bulk.terms.plans.values()
            for plan in line
            if plan.overage
        }
        return sorted({*self._bulk.terms.money, *plans, *over, *(name for (name,) in found)})
