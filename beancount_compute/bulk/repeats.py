"""Ids that stand twice: found by their hashes, and the suspected ones looked at as text.

Sorting the hashes of all ids takes a third of the time of grouping the ids themselves. Rows that
say the very same as an earlier one of their id are dropped; where anything differs, the rows are
booked together, and the engine says which of them stands.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beancount_compute.bulk.event_table import EventTable, quote, text_of

ID = f"trim({text_of('id')})"
HASH = f"hash({text_of('id')})"  # of plain ids, which trimming would not change


def hashes_that_repeat(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The hashes that come more than once; sorts them in place."""
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def hashes_of_ids(table: EventTable) -> npt.NDArray[np.uint64]:
    """The hashes of all ids."""
    found = table.arrow(f"SELECT hash({ID}) AS h FROM event_rows WHERE {ID} <> ''")
    hashes: npt.NDArray[np.uint64] = found.column("h").to_numpy().copy()
    return hashes


def note_repeats(table: EventTable, repeated: npt.NDArray[np.uint64]) -> int:
    """Note the rows whose id stands elsewhere too; how many of them say the same again.

    Makes two tables: `repeats(file, row_at)`, which are dropped, and `same_id(id, node)`.
    """
    if not len(repeated):
        table.run("CREATE TABLE repeats(file VARCHAR, row_at BIGINT)")
        table.run("CREATE TABLE same_id(id VARCHAR, node VARCHAR)")
        return 0
    table.register("repeated_hashes", pa.table({"h": repeated}))
    content = [quote(name) for name in table.files.present if name != "id"]
    table.run(
        f"CREATE TABLE suspected AS SELECT *, {ID} AS same FROM event_rows "
        f"WHERE {ID} <> '' AND hash({ID}) IN (SELECT h FROM repeated_hashes)"
    )
    table.run(
        "CREATE TABLE repeats AS SELECT file, row_at FROM (SELECT file, row_at, row_number() OVER "
        f"(PARTITION BY same, {', '.join(content)} ORDER BY file, row_at) AS copy_no "
        "FROM suspected) WHERE copy_no > 1"
    )
    table.run(
        "CREATE TABLE same_id AS SELECT DISTINCT same AS id, node FROM suspected WHERE same IN "
        "(SELECT same FROM suspected s ANTI JOIN repeats r ON s.file = r.file AND "
        "s.row_at = r.row_at GROUP BY same HAVING count(*) > 1)"
    )
    return int(table.numbers("SELECT count(*) FROM repeats")[0][0])
