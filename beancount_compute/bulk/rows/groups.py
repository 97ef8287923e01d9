"""Into which group a subscriber falls, where the shards of a month are booked in many places.

    user-1, user-2, ...   ->   by a hash of the account component
    alice sells to bob    ->   both into the group of the lower component

Whoever is tied to another falls into one group with him; so do those whose account component is
the same. A group is then booked just as a month is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.rows.event_table import EventTable, literal
from beancount_compute.bulk.rows.parts import component_sql, connected

ROWS_OF_A_GROUP = 1_000_000
_NO_PARTS = pa.table({"component": pa.array([], pa.string()), "part": pa.array([], pa.string())})


class Groups(NamedTuple):
    """How many groups there are, and who does not fall into that of his own name."""

    number: int
    components: Mapping[str, str]  # of those who have not just their name for one
    parts: pa.Table = _NO_PARTS  # component, and the lowest one that it is tied to

    @property
    def version(self) -> str:
        """What must be the same for a subscriber to fall into the same group again."""
        return f"{self.number} by DuckDB {duckdb.__version__}"

    def note(self, table: EventTable) -> None:
        """Let queries of a database know them."""
        given = {"node": [*self.components], "component": [*self.components.values()]}
        kinds = pa.schema([("node", pa.string()), ("component", pa.string())])
        table.register("group_components", pa.table(given, schema=kinds))
        table.register("group_parts", self.parts)

    def component(self, node: str) -> str:
        """The component of a node, in SQL."""
        if not self.components:
            return component_sql(node)
        given = f"(SELECT g.component FROM group_components g WHERE g.node = {node})"
        return f"coalesce({given}, {component_sql(node)})"

    def sql(self, node: str) -> str:
        """The group of a node, in SQL; its column must be named with its table."""
        key = self.component(node)
        if self.parts.num_rows:
            part = f"(SELECT g.part FROM group_parts g WHERE g.component = {key})"
            key = f"coalesce({part}, {key})"
        return f"(hash({key}) % {self.number})::INTEGER"

    def group_of(self, table: EventTable, node: str) -> int:
        """The group of one node; the database must know all groups."""
        found = table.numbers(
            f"SELECT {self.sql('e.node')} FROM (SELECT {literal(node)} AS node) e"
        )
        return int(found[0][0])

    def tied(self, table: EventTable) -> Groups:
        """The same with those together who are tied by `edges(one, other)`."""
        self.note(table)
        pairs = table.arrow(
            f"SELECT DISTINCT {self.component('e.one')} AS one, "
            f"{self.component('e.other')} AS other FROM edges e"
        )
        one, other = (pairs.column(name).to_pylist() for name in ("one", "other"))
        keys, code = np.unique(np.array([*one, *other], object), return_inverse=True)
        part = connected(len(keys), code[: len(one)], code[len(one) :])
        moved = np.flatnonzero(part != np.arange(len(keys)))
        names = (keys[at].tolist() for at in (moved, part[moved]))
        parts = pa.table([pa.array(each, pa.string()) for each in names], ["component", "part"])
        return self._replace(parts=parts)


def groups_for(rows: int, before: Path | None, count: int = 0) -> Groups:
    """As many groups as so many events, and the subscribers of the month before, ask for."""
    if before is not None:
        rows += parquet.read_metadata(before / "subscribers.parquet").num_rows
    return Groups(count or max(1, -(-rows // ROWS_OF_A_GROUP)), {})
