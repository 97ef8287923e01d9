"""The state that a month goes on from: the folder of the month before it.

bulk/2026-04/lots.parquet, subscriptions.parquet, subscribers.parquet   ->   2026-05
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import BulkError, BulkTerms
from beancount_compute.bulk.folder.month_folder import ABOUT, PARTS_OF_STATE, about_month
from beancount_compute.bulk.folder.month_tables import SCHEMAS, Tables, not_written
from beancount_compute.bulk.folder.state_tables import StateTables, state_tables
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.economy import quoted
from beancount_compute.economy.carried import Carried

OPERATOR = "operator"


def find_state(folder: Path, bulk: BulkTerms) -> Path | None:
    """The folder of the month before; None where the books begin with this one."""
    before = folder / bulk.month.previous.name
    if before.exists():
        about = about_month(before)
        if about["month"] != bulk.month.previous.name:
            raise BulkError(f"{before} holds {about['month']}: name each folder by its month")
        if about["ledger"] != bulk.title:
            raise BulkError(
                f"{before} is of the ledger {quoted(about['ledger'])}, not of "
                f'{quoted(bulk.title)} (option "title"): give the folder of this ledger'
            )
        return before
    earlier = [each.name for each in sorted(folder.glob("[0-9]*-[0-9]*")) if each.is_dir()]
    earlier = [name for name in earlier if name < bulk.month.name]
    if earlier:
        raise BulkError(
            f"{folder} has no {bulk.month.previous}, and {earlier[-1]} is the last month before "
            f"{bulk.month}: book the months in their order"
        )
    return None


def digest_of_state(before: Path | None) -> str:
    """What tells one state from another: the SHA-256 of its files' ends, where Parquet says all."""
    if before is None:
        return ""
    digest = hashlib.sha256((before / ABOUT).read_bytes())
    for name in PARTS_OF_STATE:
        path = before / f"{name}.parquet"
        try:
            data = path.read_bytes()[-65536:]
            digest.update(f"{path.stat().st_size}".encode() + data)
        except OSError as error:
            raise BulkError(f"{path}: {error.strerror or error}: book that month anew") from None
    return digest.hexdigest()


def note_state(
    table: EventTable, before: Path | None, closed: Carried | None, bulk: BulkTerms
) -> bool:
    """Let queries know the state as `state_lots` and so on; whether there is any."""
    if before is not None:
        for name in PARTS_OF_STATE:  # which are read when they are asked for
            lacking = _check_part(before / f"{name}.parquet", name)
            table.note_file(f"state_{name}", before / f"{name}.parquet", lacking)
    else:
        note_given_state(table, state_tables(closed, {}) if closed is not None else {})
    plans = table.numbers("SELECT DISTINCT plan FROM state_subscriptions WHERE NOT ended")
    unknown = sorted(plan for (plan,) in plans if plan not in bulk.terms.plans)
    if unknown:
        raise BulkError(
            f"{before}: subscribers run on the plan {quoted(unknown[0])}, of which the ledger has "
            "no compute-plan: is it the state of another ledger?"
        )
    return before is not None or closed is not None


def note_given_state(table: EventTable, given: Tables) -> None:
    """Let queries know a state that is read."""
    for name in PARTS_OF_STATE:
        table.register(f"state_{name}", given.get(name, SCHEMAS[name].empty_table()))


def state_of_shard(table: EventTable, names: str, *, operator: bool = False) -> StateTables:
    """The state of those whom a query names (as `node`), and the operator's own where asked."""
    found: dict[str, Any] = {
        name: table.arrow(f"SELECT s.* FROM state_{name} s WHERE s.subscriber IN ({names})")
        for name in PARTS_OF_STATE
        if name != OPERATOR
    }
    found[OPERATOR] = table.arrow(f"SELECT * FROM state_{OPERATOR} WHERE {operator}")
    return StateTables(**found)


def read_part(path: Path, name: str) -> pa.Table:
    """A table that a month has written."""
    with _opened(path, name) as part:
        return part.read()


def _check_part(path: Path, name: str) -> list[pa.Field]:
    """Raise `BulkError` where a table that a month has written can't be read to its end.

    Returns the columns that none of its rows fills, and that it therefore lacks.
    """
    with _opened(path, name) as part:
        for _ in part.iter_batches(use_threads=False):  # whose memory is given back
            pass
        return not_written(name, part.schema_arrow.names)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[parquet.ParquetFile]:
    try:
        with parquet.ParquetFile(path) as opened:
            present = opened.schema_arrow.names
            lacking = {field.name for field in not_written(name, present)}
            if present != [each for each in SCHEMAS[name].names if each not in lacking]:
                raise BulkError(f"{path}: not the columns that bean-compute bulk writes")
            yield opened
    except (pa.ArrowException, OSError, ValueError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise BulkError(f"{path}: not Parquet, or cut off ({why}): book that month anew") from None
