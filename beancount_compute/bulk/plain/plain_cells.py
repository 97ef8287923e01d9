"""Which cells of rows are plain, said in SQL; for all rows but plain uses.

units  "200.5"   ->   200.500000, where nothing about it could be read otherwise
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from beancount_compute.bulk.plain.plain_uses import (
    CLOCK,
    LONGEST,
    MOST_DECIMALS,
    WRITTEN_UNITS,
)
from beancount_compute.bulk.rows.event_table import quote
from beancount_compute.bulk.rows.month_files import EventFiles
from beancount_compute.economy import MOST_DIGITS

_CONTROL = r"[\x00-\x1f\x7f]"


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
        condition = f"regexp_full_match({units}, '{WRITTEN_UNITS}')"
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
        plain = f"regexp_full_match({date}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
        return f"TRY_CAST(CASE WHEN {plain} THEN {date} END AS DATE)"
    return None


def plain_text(files: EventFiles) -> Iterator[str]:
    """The conditions of what any row may say: its id, time and memo."""
    identity = quote("id")
    yield (  # each of these is quick; a pattern of all together would take as long as all else
        f"({identity} IS NULL OR (strlen({identity}) = length({identity}) "
        f"AND NOT contains({identity}, ' ') AND NOT contains({identity}, chr(9)) "
        f"AND NOT contains({identity}, chr(10)) AND {identity} NOT LIKE '%/____-__-__' "
        f"AND strlen({identity}) <= {LONGEST}))"
    )
    if "time" in files.present:
        time = quote("time")
        yield f"({absent(files, 'time')} OR regexp_full_match(CAST({time} AS VARCHAR), '{CLOCK}'))"
    if "memo" in files.present:
        yield (
            f"({absent(files, 'memo')} OR NOT regexp_matches({quote('memo')}, '{_CONTROL}') "
            f"AND length({quote('memo')}) < {LONGEST})"
        )


def absent(files: EventFiles, name: str) -> str:
    """The condition that a cell is empty."""
    kind = files.column(name).type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return f"({quote(name)} IS NULL OR {quote(name)} = '')"
    return f"{quote(name)} IS NULL"
