"""Who must be booked together, and the shards that follow from it.

    alice sells to bob, bob to carol          ->   one part: alice, bob, carol
    dave uses what he has                     ->   a part of his own

Trades, transfers, and whatever names the event of somebody else tie two subscribers together; so
do ids and account components that two of them have. Small parts share a shard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beancount_compute.bulk.bulk_terms import OPERATOR
from beancount_compute.bulk.rows.event_table import NAMING, EventTable, literal
from beancount_compute.bulk.rows.repeats import ID
from beancount_compute.economy import (
    KINDS,
    OF_PROVIDERS,
    OUTSIDERS,
    JournalEntry,
    holders_of,
)
from beancount_compute.economy.state import Undo

EVENTS_OF_A_SHARD = 25_000  # of small parts; a part may have more
_BETWEEN = ", ".join(
    literal(kind.value)
    for kind, row in KINDS.items()
    if row.counterparty and row.counterparty not in OUTSIDERS
)
_NO_ID = "rows without an id"
UndoOf = Callable[[frozenset[str]], Mapping[str, Undo]]
Codes = npt.NDArray[np.int64]


def note_edges(
    table: EventTable, first: date | None, undo_of: UndoOf, rows: str = "event_rows"
) -> None:
    """Note whom the events tie together: `edges(one, other)`; `rows` has all but plain uses.

    `first` is the month's first day, where there are months before it; `undo_of` is asked for what
    these booked.
    """
    table.run("CREATE TABLE edges(one VARCHAR, other VARCHAR)")
    if "counterparty" in table.files.present:
        table.run(
            f"INSERT INTO edges SELECT DISTINCT subscriber_node, counterparty_node FROM {rows} "
            f"WHERE kind IN ({_BETWEEN}) AND counterparty_node <> ''"
        )
    table.run("INSERT INTO edges SELECT node, min(node) OVER (PARTITION BY id) FROM same_id")
    if table.numbers("SELECT count(*) FROM own_events")[0][0]:
        _note_own_events(table)
    _note_named(table, rows, first, undo_of)


def _note_own_events(table: EventTable) -> None:
    """Whom the ledger's own events name, and who has an id of theirs, is in the operator's part."""
    table.run(
        "INSERT INTO edges SELECT operator, party FROM own_events UNION "
        "SELECT operator, named_id FROM own_events WHERE named_id <> ''"
    )
    table.run(
        f"INSERT INTO edges SELECT DISTINCT e.node, o.operator FROM event_rows e "
        f"JOIN own_events o ON {ID} = o.event_id"
    )


def rows_that_tie(table: EventTable) -> str:
    """The query of all that `note_edges` asks of rows, each of them once."""
    between = "false"
    if "counterparty" in table.files.present:
        between = f"kind IN ({_BETWEEN}) AND counterparty_node <> ''"
    return (
        "SELECT DISTINCT kind, node, subscriber_node, counterparty_node, named_event "
        f"FROM event_rows WHERE {between} OR named_event <> ''"
    )


def component_sql(node: str) -> str:
    """The account component of those who have just their name for one."""
    return f"upper(left({node}, 1)) || substr({node}, 2)"


def _note_named(table: EventTable, rows: str, first: date | None, undo_of: UndoOf) -> None:
    """What names an event, as a reversal does, is tied to the subscriber of that event."""
    of_files = ""
    if any(name in table.files.present for name in NAMING):
        of_files = f"SELECT node, named_event AS named FROM {rows} WHERE named_event <> '' UNION "
    table.run(
        f"CREATE TABLE naming AS {of_files}SELECT operator AS node, named_id AS named "
        "FROM own_events WHERE named_id <> ''"
    )
    if not table.numbers("SELECT count(*) FROM naming")[0][0]:
        return
    table.run(
        "CREATE TABLE named AS SELECT node, named FROM naming UNION ALL "
        "SELECT node, left(named, -11) FROM naming WHERE length(named) > 11"
    )
    table.run(
        f"INSERT INTO edges SELECT DISTINCT n.node, e.node FROM event_rows e JOIN named n "
        f"ON {ID} = n.named"
    )
    table.run(
        "INSERT INTO edges SELECT DISTINCT n.node, o.operator FROM own_events o JOIN named n "
        "ON o.event_id = n.named"
    )
    table.run(
        "INSERT INTO edges SELECT DISTINCT n.node, s.subscriber FROM state_subscriptions s "
        "JOIN named n ON s.id = n.named"
    )
    table.run(
        "INSERT INTO edges SELECT DISTINCT n.node, s.subscriber FROM state_subscriptions s "
        "JOIN named n ON s.cancelled_by = n.named"
    )
    if first is not None:
        _note_earlier(table, first, undo_of)
    table.run(  # ids that follow from what an event says
        f"INSERT INTO edges SELECT DISTINCT e.node, {literal(_NO_ID)} FROM event_rows e "
        f"WHERE coalesce({ID}, '') = '' AND EXISTS (FROM named WHERE named LIKE 'e-%')"
    )
    table.run(
        f"INSERT INTO edges SELECT DISTINCT node, {literal(_NO_ID)} FROM named "
        "WHERE named LIKE 'e-%'"
    )


def _note_earlier(table: EventTable, first: date, undo_of: UndoOf) -> None:
    """Tie what names an event of an earlier month to those whose lots that moved."""
    found = table.numbers(
        "SELECT DISTINCT named FROM naming WHERE named NOT IN "
        f"(SELECT {ID} FROM event_rows WHERE {ID} <> '') AND named NOT IN "
        "(SELECT event_id FROM own_events) AND named NOT IN "
        "(SELECT cancelled_by FROM state_subscriptions WHERE cancelled_by IS NOT NULL) "
        f"AND NOT (right(named, 10) >= '{first}' AND length(named) > 11 AND left(named, -11) IN "
        f"(SELECT id FROM state_subscriptions UNION SELECT {ID} FROM event_rows "
        f"WHERE {ID} <> '' UNION SELECT event_id FROM own_events))"
    )
    if not found:
        return
    undo = undo_of(frozenset(name for (name,) in found))
    pairs = [
        (name, holder)
        for name, each in sorted(undo.items())
        for holder in sorted({party_of(each.entry), *holders_of(each.entry)})
    ]
    one, other = [[pair[at] for pair in pairs] for at in (0, 1)]
    given = pa.table({"one": pa.array(one, pa.string()), "other": pa.array(other, pa.string())})
    table.register("edges_of_earlier", given)
    table.run("INSERT INTO edges SELECT one, other FROM edges_of_earlier")


def party_of(entry: JournalEntry) -> str:
    """Whose event an entry books."""
    return OPERATOR if entry.kind in OF_PROVIDERS else entry.subscriber


def note_same_components(table: EventTable, components: Mapping[str, str]) -> None:
    """Tie those together who would have one account component; some are given theirs."""
    given = pa.table(
        {"node": [*components], "component": [*components.values()]},
        schema=pa.schema([("node", pa.string()), ("component", pa.string())]),
    )
    table.register("components_given", given)
    table.run(
        "INSERT INTO edges SELECT node, min(node) OVER (PARTITION BY key) FROM "
        f"(SELECT p.node, coalesce(c.component, {component_sql('p.node')}) AS key "
        "FROM people p LEFT JOIN components_given c ON c.node = p.node) "
        "QUALIFY count(*) OVER (PARTITION BY key) > 1"
    )


def connected(count: int, one: Codes, other: Codes) -> Codes:
    """The part of each of so many codes: the lowest code that edges lead to."""
    part = np.arange(count, dtype=np.int64)
    while True:
        low = np.minimum(part[one], part[other])
        before = part.copy()
        np.minimum.at(part, part[one], low)
        np.minimum.at(part, part[other], low)
        while not np.array_equal(part, part[part]):
            part = part[part]
        if np.array_equal(part, before):
            return part


def shards_of(part: Codes, events: Codes, size: int = EVENTS_OF_A_SHARD) -> Codes:
    """The shard of each code: small parts in their order, as many as make a shard."""
    of_part = np.bincount(part, weights=events, minlength=len(part)).astype(np.int64)
    before = np.cumsum(of_part + (np.bincount(part, minlength=len(part)) > 0)) - of_part
    shard_of_part = before // size
    _, place = np.unique(shard_of_part[part], return_inverse=True)
    numbered: Codes = place.astype(np.int64)
    return numbered
