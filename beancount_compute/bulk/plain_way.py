"""The plain way through a month: out of the database, through arrays, into tables.

Who can't go it is named at the end, and is the engine's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.event_table import EventTable, literal, quote
from beancount_compute.bulk.lot_keys import Ints
from beancount_compute.bulk.month_tables import Tables
from beancount_compute.bulk.parts import UndoOf, note_edges
from beancount_compute.bulk.plain_inputs import PlainInputs
from beancount_compute.bulk.plain_month import PlainMonth, Receipts, together_held
from beancount_compute.bulk.plain_others import note_plain_others
from beancount_compute.bulk.plain_rows import integers_of, plain_use, read_uses, units_column
from beancount_compute.bulk.plain_served import meters_of_days
from beancount_compute.bulk.plain_subscriptions import PlainSubscriptions
from beancount_compute.bulk.plain_tables import Words, plain_tables
from beancount_compute.bulk.repeats import ID, hashes_that_repeat, note_repeats
from beancount_compute.economy import DRAW_DOWN, TOP_UP, Kind


class PlainResult(NamedTuple):
    """What the plain way booked: its tables, and who went it."""

    tables: Tables
    names: pa.Array
    repeated: int  # rows that say the same again


def go_plain_way(
    table: EventTable, bulk: BulkTerms, undo_of: UndoOf, *, has_state: bool
) -> PlainResult | None:
    """Book whose month is plain; None, and nothing noted, where nobody's can be."""
    commodities = sorted(bulk.terms.units)
    changes = [day for day, _ in bulk.terms.timeline(DRAW_DOWN).items()]
    condition = plain_use(table.files, bulk.month, commodities)
    if (
        condition is None
        or bulk.terms.scales
        or meters_of_days(bulk.terms, bulk.month) is None
        or any(bulk.month.first < day <= bulk.month.last for day in changes)
    ):
        return None
    return _PlainWay(table, bulk, commodities, condition, undo_of, has_state=has_state).go()


class _PlainWay:
    """One month's way."""

    def __init__(
        self,
        table: EventTable,
        bulk: BulkTerms,
        commodities: list[str],
        condition: str,
        undo_of: UndoOf,
        *,
        has_state: bool,
    ) -> None:
        self._has_state, self._undo_of = has_state, undo_of
        self._table, self._bulk = table, bulk
        self._commodities, self._condition = commodities, condition
        note_plain_others(table, bulk, commodities, condition)
        odd = table.odd_names_in("other_rows")
        self._note_subs()
        odd_uses = f"sort = 'odd' AND {quote('event')} = {literal(Kind.CONSUMPTION.value)}"
        if not table.numbers(f"SELECT count(*) FROM sorted_rows WHERE {odd_uses}")[0][0]:
            condition = f"{quote('event')} = {literal(Kind.CONSUMPTION.value)}"  # and all are plain
        self._uses = read_uses(table, condition, commodities, self._people, bulk.month)
        table.name_rows({**odd, **table.odd_names_in("other_rows", self._uses.strangers)})
        table.name_some_rows("sorted_rows", "other_named")
        self.repeated = self._drop_repeats()

    def _note_subs(self) -> None:
        self._table.run(
            "CREATE TABLE subs AS SELECT node, row_number() OVER (ORDER BY node) - 1 AS code FROM ("
            "SELECT subscriber AS node FROM state_subscribers UNION SELECT subscriber FROM top_ups "
            "UNION SELECT subscriber FROM new_subscriptions UNION SELECT subscriber FROM "
            "cancellations) ORDER BY code"
        )
        self._names = self._table.arrow("SELECT node FROM subs ORDER BY code").column("node")
        self._names = self._names.combine_chunks()
        self._people = len(self._names)

    def _drop_repeats(self) -> int:
        """Drop rows that say the very same again; how many they are."""
        table = self._table
        others = table.arrow(f"SELECT hash({ID}) AS h FROM other_rows WHERE {ID} <> ''").column("h")
        hashes = np.concatenate([self._uses.hashes, others.to_numpy()])
        dropped = note_repeats(table, hashes_that_repeat(hashes))
        if not dropped:
            return 0
        units = units_column(table.files)
        assert units is not None
        unit = " ".join(
            f"WHEN {literal(name)} THEN {at}" for at, name in enumerate(self._commodities)
        )
        again = table.arrow(
            f"SELECT (s.day) * {self._people * len(self._commodities)} + b.code * "
            f"{len(self._commodities)} + (CASE s.commodity {unit} END) AS at, s.units FROM "
            f"(SELECT file, row_at, subscriber, commodity, {units.sql} AS units, "
            f"(CAST({quote('date')} AS DATE) - DATE '{self._bulk.month.first}') AS day "
            f"FROM suspected WHERE {self._condition}) s JOIN repeats r "
            "ON r.file = s.file AND r.row_at = s.row_at JOIN subs b ON b.node = s.subscriber"
        )
        if again.num_rows:
            units_again = again.column("units").combine_chunks()
            numbers = (
                integers_of(units_again)
                if pa.types.is_decimal(units_again.type)
                else units_again.to_numpy()
            )
            np.subtract.at(self._uses.units, again.column("at").to_numpy(), numbers)
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
        held = inputs.held()
        periods, for_periods = inputs.periods(subscriptions)
        top_ups, for_top_ups = inputs.top_ups()
        scaled = inputs.scaled(held, together_held([periods, top_ups]), self._uses.units)
        receipts = Receipts(
            *[np.concatenate(pair) for pair in zip(for_periods, for_top_ups, strict=True)]
        )
        books = month.book(scaled.held, scaled.came, receipts, scaled.uses)
        words = Words(
            self._names, self._commodities, origins, currencies, bulk.month.first, scaled.scale
        )
        names = self._names.filter(pa.array(month.good))
        strangers = sorted(self._uses.strangers)
        self._note_names(
            [*strangers, *self._names.filter(pa.array(~month.good)).to_pylist()], "not_plain"
        )
        table.run("INSERT INTO left_nodes SELECT node FROM not_plain")
        tables = {
            **plain_tables(books, words),
            "subscriptions": subscriptions.table(self._names),
            "subscribers": pa.table({"subscriber": names}),
        }
        return PlainResult(tables, names, self.repeated)

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
        return sorted({*self._bulk.terms.money, *plans, *(name for (name,) in found)})
