"""Which rows are plain, said in SQL; and the uses of a month as units by row and day.

    2026-05-20  consumption  alice  200 CU      ->   uses[alice x CU, 19] += 200

A row is plain where nothing about it could be read otherwise, or refused for itself. Anything else
stands in `other_rows`, and is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beancount_compute.bulk.event_table import EventFiles, EventTable, literal, quote
from beancount_compute.bulk.lot_keys import Ints
from beancount_compute.bulk.repeats import HASH
from beancount_compute.economy import MOST_DIGITS, Kind, Month

MOST_DECIMALS = 6  # of units that are plain
_FILLED = ("id", "date", "time", "event", "subscriber", "units", "commodity", "memo")
_CONTROL = r"[\x00-\x1f\x7f]"
DAYS = 31


class PlainUses(NamedTuple):
    """The plain uses of a month."""

    units: Ints  # by day and row, flat
    hashes: npt.NDArray[np.uint64]  # of their ids
    rows: int
    strangers: set[str]  # names that nobody knows, or writes otherwise


class UnitsColumn(NamedTuple):
    """How the units of the files become integers."""

    sql: str
    decimals: int
    condition: str  # what must hold of a plain one


def units_column(files: EventFiles) -> UnitsColumn | None:
    """The units as integers of the smallest step; None where they are too fine."""
    if "units" not in files.present:
        return None
    kind = files.column("units").type
    units = quote("units")
    most = 10**MOST_DIGITS
    if pa.types.is_integer(kind):
        return UnitsColumn(f"CAST({units} AS BIGINT)", 0, f"{units} > 0 AND {units} < {most}")
    if pa.types.is_decimal(kind) and kind.scale <= MOST_DECIMALS:
        # as many digits as the books allow, whatever stands behind the point
        most = 10 ** (MOST_DIGITS - kind.scale)
        condition = f"{units} > 0 AND {units} < {most}"
        return UnitsColumn(f"CAST({units} AS DECIMAL(18, {kind.scale}))", kind.scale, condition)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        pattern = f"[1-9][0-9]{{0,7}}(\\.[0-9]{{1,{MOST_DECIMALS}}})?"
        condition = f"regexp_full_match({units}, '{pattern}')"
        return UnitsColumn(
            f"CAST({units} AS DECIMAL(18, {MOST_DECIMALS}))", MOST_DECIMALS, condition
        )
    return None


def day_column(files: EventFiles) -> str | None:
    """The day of a plain row; None where the files say it in a way that needs reading."""
    kind, date = files.column("date").type, quote("date")
    if pa.types.is_date(kind):
        return date
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return f"TRY_CAST(CASE WHEN length({date}) = 10 THEN {date} END AS DATE)"
    return None


def plain_use(files: EventFiles, month: Month, commodities: Sequence[str]) -> str | None:
    """The condition of a plain use; None where no row of these files can be one."""
    units, day = units_column(files), day_column(files)
    if units is None or day is None or not commodities or "commodity" not in files.present:
        return None
    listed = ", ".join(map(literal, commodities))
    conditions = [
        f"{quote('event')} = {literal(Kind.CONSUMPTION.value)}",
        units.condition,
        f"{quote('commodity')} IN ({listed})",
        f"{day} BETWEEN DATE '{month.first}' AND DATE '{month.last}'",
        *[absent(files, name) for name in files.present if name not in _FILLED],
        *plain_text(files),
    ]
    return " AND ".join(f"coalesce({each}, false)" for each in conditions)


def plain_text(files: EventFiles) -> Iterator[str]:
    """The conditions of what any row may say: its id, time and memo."""
    identity = quote("id")
    yield (  # each of these is quick; a pattern of all together would take as long as all else
        f"({identity} IS NULL OR (strlen({identity}) = length({identity}) "
        f"AND NOT contains({identity}, ' ') AND NOT contains({identity}, chr(9)) "
        f"AND NOT contains({identity}, chr(10)) AND {identity} NOT LIKE '%/____-__-__'))"
    )
    if "time" in files.present:
        time = quote("time")
        clock = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
        yield f"({absent(files, 'time')} OR regexp_full_match(CAST({time} AS VARCHAR), '{clock}'))"
    if "memo" in files.present:
        yield (
            f"({absent(files, 'memo')} OR NOT regexp_matches({quote('memo')}, '{_CONTROL}') "
            f"AND length({quote('memo')}) < 4096)"
        )


def absent(files: EventFiles, name: str) -> str:
    """The condition that a cell is empty."""
    kind = files.column(name).type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return f"({quote(name)} IS NULL OR {quote(name)} = '')"
    return f"{quote(name)} IS NULL"


def read_uses(
    table: EventTable, condition: str, commodities: Sequence[str], people: int, month: Month
) -> PlainUses:
    """The plain uses of those in `subs(node, code)`."""
    files = table.files
    units, day = units_column(files), day_column(files)
    assert units is not None and day is not None
    of_unit = "0"
    if len(commodities) > 1:
        cases = " ".join(f"WHEN {literal(c)} THEN {at}" for at, c in enumerate(commodities))
        of_unit = f"CASE {quote('commodity')} {cases} END"
    sql = (
        f"SELECT {HASH} AS h, ({day} - DATE '{month.first}') * {people * len(commodities)} + "
        f"s.code * {len(commodities)} + ({of_unit}) AS at, {units.sql} AS units "
        f"FROM files_as_they_are e LEFT JOIN subs s ON s.node = e.subscriber WHERE {condition}"
    )
    found = np.zeros(people * len(commodities) * DAYS, np.int64)
    hashes: list[npt.NDArray[np.uint64]] = []
    count = strangers = 0
    for batch in table.batches(sql):
        at, number = batch.column("at"), _integers(batch.column("units"))
        count += len(batch)
        hashes.append(batch.column("h").to_numpy().copy())
        if at.null_count:
            strangers += at.null_count
            known = at.is_valid().to_numpy(zero_copy_only=False)
            np.add.at(found, at.drop_null().to_numpy(), number[known])
        else:
            np.add.at(found, at.to_numpy(), number)
    names: set[str] = set()
    if strangers:
        unknown = table.numbers(
            f"SELECT DISTINCT e.subscriber FROM files_as_they_are e ANTI JOIN subs s "
            f"ON s.node = e.subscriber WHERE {condition}"
        )
        names = {name or "" for (name,) in unknown}
    everything = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
    return PlainUses(found, everything, count - strangers, names)


def _integers(column: pa.Array) -> Ints:
    """The steps of decimals that fit into 64 bits, as they lie in memory."""
    if pa.types.is_decimal(column.type):
        return integers_of(column)
    numbers: Ints = column.to_numpy()
    return numbers


def integers_of(column: pa.Array) -> Ints:
    """The unscaled numbers of a decimal column without nulls; they must fit into 64 bits."""
    words = np.frombuffer(column.buffers()[1], np.int64)
    return words[2 * column.offset : 2 * (column.offset + len(column)) : 2]
