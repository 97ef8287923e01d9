"""Ids that stand twice: found by their hashes, and the suspected ones looked at as text.

Sorting the hashes of all ids takes a tenth of the time of grouping the ids themselves. Rows that
say the very same as an earlier one of their id are dropped; where anything differs, the rows are
booked together, and the engine says which of them stands.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.plain.lot_keys import Flags
from beancount_compute.bulk.rows.event_table import EventTable, quote, text_of
from beancount_compute.bulk.rows.file_scan import FileRows, scan
from beancount_compute.bulk.rows.kept_rows import KeptRows, rows_at
from beancount_compute.bulk.rows.text_words import Unsigned, as_text, bytes_of, words_of

ID = f"trim({text_of('id')})"
SUSPECTED = "suspected_as_they_are"
_BITS = np.uint64(64 - 22)  # of hashes that are looked at first


def id_hashes(ids: pa.Array | None) -> Unsigned:
    """The hashes of ids, of those that are given."""
    if ids is None:
        return np.empty(0, np.uint64)
    hashes, given = _hashed(ids)
    return hashes if given.all() else hashes[given]


def _hashed(ids: pa.Array) -> tuple[Unsigned, Flags]:
    """The hashes of ids, and which of these are given at all."""
    ids = as_text(ids)
    data = bytes_of(ids)
    if len(data) and (data == ord(" ")).any():
        ids = pc.utf8_trim(ids, characters=" ")
    words = words_of(ids)
    return words.hashes(), words.lengths > 0


def hashes_of_ids(table: EventTable) -> Unsigned:
    """The hashes of all ids."""
    found = scan(table.files, table.threads, lambda rows: id_hashes(rows.column("id")), ["id"])
    return np.concatenate([np.empty(0, np.uint64), *found])


def hashes_that_repeat(hashes: Unsigned) -> Unsigned:
    """The hashes that come more than once; sorts them in place."""
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def note_repeats(table: EventTable, repeated: Unsigned) -> int:
    """Note the rows whose id stands elsewhere too; how many of them say the same again.

    Makes two tables: `repeats(file, row_at)`, which are dropped, and `same_id(id, node)`.
    """
    if not len(repeated):
        table.run("CREATE TABLE repeats(file VARCHAR, row_at BIGINT)")
        table.run("CREATE TABLE same_id(id VARCHAR, node VARCHAR)")
        return 0
    _note_suspected(table, repeated)
    content = [quote(name) for name in table.files.present if name != "id"]
    table.name_some_rows(SUSPECTED, "suspected_named")
    table.run(
        f"CREATE TABLE suspected AS SELECT *, {ID} AS same FROM suspected_named WHERE {ID} <> ''"
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


def _note_suspected(table: EventTable, repeated: Unsigned) -> None:
    """Keep the rows whose id has one of some hashes."""
    likely = np.zeros(1 << 22, bool)
    likely[repeated >> _BITS] = True

    def suspected(rows: FileRows) -> pa.Table:
        ids = rows.column("id")
        if ids is None:
            return rows_at(rows, table.files, np.empty(0, np.intp))
        hashes, given = _hashed(ids)
        some = np.flatnonzero(given & likely[hashes >> _BITS])
        place = np.minimum(np.searchsorted(repeated, hashes[some]), len(repeated) - 1)
        return rows_at(rows, table.files, some[repeated[place] == hashes[some]])

    kept = KeptRows(table, SUSPECTED)
    for bit in scan(table.files, table.threads, suspected):
        kept.add(bit)
    kept.write()
