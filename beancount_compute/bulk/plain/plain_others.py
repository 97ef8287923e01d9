"""Top-ups, new subscriptions and cancellations that are plain, said in SQL.

    2026-05-03  allocation    alice  1000 CU  19.99 USD
    2026-05-07  subscription  bob    pro
    2026-05-20  cancellation  carol  pro

Whoever has another row than these and plain uses goes through the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.plain.plain_cells import absent, day_column, plain_text, units_column
from beancount_compute.bulk.plain.plain_rows import OTHERS
from beancount_compute.bulk.plain.plain_uses import LONGEST
from beancount_compute.bulk.rows.event_table import NAMED_PLAINLY, EventTable, literal, quote
from beancount_compute.bulk.rows.month_files import EventFiles
from beancount_compute.economy import Kind, decimals_of

MOST_PAID = 10**9  # minor units
_EVERY_ROW = ("id", "date", "time", "event", "subscriber", "memo")


def note_plain_others(table: EventTable, bulk: BulkTerms, commodities: Collection[str]) -> None:
    """Make `sorted_rows` of all but plain uses, and views of them by what they plainly are."""
    files, month = table.files, bulk.month
    day = day_column(files)
    common = [
        f"{day} BETWEEN DATE '{month.first}' AND DATE '{month.last}'",
        f"regexp_full_match({quote('subscriber')}, '{NAMED_PLAINLY.pattern}')",
        f"strlen({quote('subscriber')}) <= {LONGEST}",
        *plain_text(files),
    ]
    where = {
        "top_ups": _top_up(files, bulk, commodities),
        "new_subscriptions": _of_plan(files, bulk, Kind.SUBSCRIPTION),
        "cancellations": _of_plan(files, bulk, Kind.CANCELLATION),
    }
    cases = ""
    for name, conditions in where.items():
        if conditions is not None:
            told = [f"coalesce({each}, false)" for each in (*conditions, *common)]
            cases += f" WHEN {' AND '.join(told)} THEN {literal(name)}"
    sort = f"CASE{cases} ELSE 'odd' END" if cases else "'odd'"
    lacking = [name for name in ("plan", "paid", "currency") if name not in files.present]
    nothing = "".join(f", CAST(NULL AS VARCHAR) AS {name}" for name in lacking)
    table.run(
        f"CREATE TABLE sorted_rows AS SELECT *, {sort} AS sort, "
        f"({day} - DATE '{month.first}') AS day_at{nothing} FROM {OTHERS}"
    )
    table.run(f"DROP TABLE {OTHERS}")
    added = ", ".join(["sort", "day_at", *lacking])
    table.run(f"CREATE VIEW other_rows AS SELECT * EXCLUDE ({added}) FROM sorted_rows")
    for name in where:
        table.run(f"CREATE VIEW {name} AS SELECT * FROM sorted_rows WHERE sort = {literal(name)}")


def _top_up(files: EventFiles, bulk: BulkTerms, commodities: Collection[str]) -> list[str] | None:
    units = units_column(files)
    if units is None or not {"commodity", "paid", "currency"} <= {*files.present}:
        return None
    paid = quote("paid")
    kind = files.column("paid").type
    text = f"CAST({paid} AS VARCHAR)"
    number = f"TRY_CAST({paid} AS DECIMAL(18, 4))"
    if pa.types.is_decimal(kind) and kind.scale > 4:
        number = f"CASE WHEN {paid} = round({paid}, 4) THEN {number} END"
    elif not (pa.types.is_decimal(kind) or pa.types.is_integer(kind)):
        pattern = "[0-9]{1,9}(\\.[0-9]{1,4})?"
        number = f"CASE WHEN regexp_full_match({text}, '{pattern}') THEN {number} END"
    money = sorted(bulk.terms.money - bulk.terms.units - {*commodities})
    by_currency = " OR ".join(
        f"({quote('currency')} = {literal(each)} AND {number} = round({number}, "
        f"{decimals_of(each)}) AND {number} < {MOST_PAID // 10 ** decimals_of(each)})"
        for each in money
    )
    filled = {*_EVERY_ROW, "units", "commodity", "paid", "currency", "expires"}
    unit = quote("units")
    whole = f"{units.sql} = floor({units.sql})"
    return [
        f"{quote('event')} = {literal(Kind.ALLOCATION.value)}",
        units.condition,
        f"CASE WHEN {units.condition} THEN {whole} END",
        f"{quote('commodity')} IN ({_listed(commodities)})",
        f"{number} > 0",
        f"({by_currency or 'false'})",
        f"{unit} IS NOT NULL",
        *[absent(files, name) for name in files.present if name not in filled],
    ]


def _of_plan(files: EventFiles, bulk: BulkTerms, kind: Kind) -> list[str] | None:
    if "plan" not in files.present:
        return None
    return [
        f"{quote('event')} = {literal(kind.value)}",
        f"{quote('plan')} IN ({_listed(bulk.terms.plans)})",
        f"{quote('id')} <> ''",
        f"regexp_full_match({quote('id')}, '{NAMED_PLAINLY.pattern}')",
        *[absent(files, name) for name in files.present if name not in (*_EVERY_ROW, "plan")],
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(literal, sorted(names))) or "''"
