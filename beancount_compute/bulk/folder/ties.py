"""What of a month must agree, and `control.csv`, which says both sides of it.

    tie,units,allocations,CU,1000,1000
    tie,deferred revenue,,USD,200.00,200.00

Any difference stops the run: it would be an error of this program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from pathlib import Path
from typing import NamedTuple

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.folder.month_tables import SCHEMAS, Tables
from beancount_compute.bulk.folder.operator_state import STOCK_ROWS
from beancount_compute.bulk.rows.event_table import EventTable, literal, quote
from beancount_compute.economy import ROLE_OF_POCKET, ROLES, STOCK, WIDE, ZERO, Role, trim
from beancount_compute.ledger import csv_text

_STOCK = ROLE_OF_POCKET[STOCK].value
Totalled = dict[tuple[str, ...], tuple[Decimal, ...]]


class ControlRow(NamedTuple):
    """Two figures that must agree, or one that is told."""

    what: str
    of: str  # a kind or a pocket
    currency: str  # or commodity
    figure: Decimal | int
    other: Decimal | int | None = None  # None where there is nothing to compare it with


def ties_of(table: EventTable, tables: Tables, counts: Mapping[str, int]) -> list[ControlRow]:
    """The figures of a month; raises `BulkError` where two of them differ.

    The table knows the files of movements and lots as `new_movements` and `new_lots`.
    """
    for name in ("days", "by_hand", "operator", "accruals"):
        table.register(f"new_{name}", tables[name])
    with localcontext(WIDE):
        moved, days = _moved(table, "new_movements"), _moved(table, "new_days")
        rows = [*_rows_read(counts), *_booked(moved, days), *_held(table, moved)]
        rows += [*_accrued(table, moved), *_balance(moved)]
    _check_ties(rows)
    return rows


def _check_ties(rows: list[ControlRow]) -> None:
    for each in rows:
        if each.other is not None and each.other != each.figure:
            raise BulkError(
                f"{each.what} {each.of} {each.currency}: {each.figure} and {each.other} differ, "
                "an error of this program: nothing was written; please report it"
            )


def ties_of_detail(table: EventTable, path: Path) -> list[ControlRow]:
    """Whether the legs of a file add up to the movements, by all that these tell apart."""
    key = ", ".join(map(quote, SCHEMAS["movements"].names[:-3]))
    figures = "units_in", "units_out", "amount"
    sums = ", ".join(f"sum({name}) AS {name}" for name in figures)
    table.run(
        f"CREATE TABLE detail_sums AS SELECT {key}, {sums} FROM read_parquet("
        f"{literal(str(path))}) GROUP BY ALL HAVING commodity IS NOT NULL OR sum(amount) <> 0"
    )
    ((moved, summed, both),) = table.numbers(
        "SELECT (SELECT count(*) FROM new_movements), (SELECT count(*) FROM detail_sums), "
        f"(SELECT count(*) FROM (SELECT {key}, {', '.join(figures)} FROM new_movements "
        f"INTERSECT ALL SELECT * FROM detail_sums))"
    )
    rows = [
        ControlRow("rows", "movements", "", moved, both),
        ControlRow("rows", "movements, from detail", "", summed, both),
    ]
    _check_ties(rows)
    return rows


def control_text(rows: list[ControlRow]) -> str:
    """The figures as CSV."""
    head = ["what", "of", "currency", "figure", "other", "difference"]
    cells = [
        [each.what, each.of, each.currency, _shown(each.figure), *_second(each)] for each in rows
    ]
    return csv_text([head, *cells])


def _second(row: ControlRow) -> list[str]:
    return ["", ""] if row.other is None else [_shown(row.other), _shown(row.figure - row.other)]


def _shown(number: Decimal | int) -> str:
    return f"{trim(Decimal(number), 0):f}"


def _rows_read(counts: Mapping[str, int]) -> Iterator[ControlRow]:
    parts = ("by the kernel", "by the engine", "repeated", "blank", "unreadable")
    total = sum(counts.get(name, 0) for name in parts)
    yield ControlRow("rows", "read", "", counts["read"], total)
    for name in (*parts, "refused"):
        yield ControlRow("rows", name, "", counts.get(name, 0))


def _booked(moved: Totalled, days: Totalled) -> Iterator[ControlRow]:
    """Units and money by kind, from the movements and from the days."""
    for at, what in enumerate(("units in", "units out", "amount")):
        one, other = (
            {key: each[at] for key, each in sums.items() if each[at]} for sums in (moved, days)
        )
        for key in sorted(one.keys() | other.keys()):
            kind, role, currency, commodity = key
            name = currency if what == "amount" else commodity
            pair = one.get(key, ZERO), other.get(key, ZERO)
            yield ControlRow(f"{what} of {kind}", role, name, *pair)


def _held(table: EventTable, moved: Totalled) -> Iterator[ControlRow]:
    """Opening + in - out = closing, by pocket and commodity, in units and in money."""
    before = _lots(table, "state_lots") | _stock(table, "state_operator")
    after = _lots(table, "new_lots") | _stock(table, "new_operator")
    by_hand = _lots(table, "new_by_hand")
    change: defaultdict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for (_, role, currency, commodity), (units_in, units_out, amount) in moved.items():
        if ROLES[Role(role)].pocket is not None:
            change[role, commodity, currency][0] += units_in - units_out
            change[role, commodity, currency][1] += amount if role == _STOCK else -amount
    nothing = (ZERO, ZERO)
    for key in sorted(before.keys() | after.keys() | change.keys() | by_hand.keys()):
        pocket, commodity, currency = key
        cost = "prepaid credits" if pocket == _STOCK else "deferred revenue"
        for at, (what, name) in enumerate((("units", commodity), (cost, currency))):
            sums = [each.get(key, nothing)[at] for each in (before, change, by_hand)]
            yield ControlRow(what, pocket, name, sum(sums, ZERO), after.get(key, nothing)[at])


def _accrued(table: EventTable, moved: Totalled) -> Iterator[ControlRow]:
    """What was accrued + costs - bills = what is accrued, by currency."""
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for at, when in enumerate(("state", "new")):
        for currency, number in table.numbers(
            f"SELECT currency, sum(amount) FROM {when}_operator WHERE what = 'accrued' GROUP BY ALL"
        ):
            sums[currency][at] += number
    for currency, number in table.numbers(
        "SELECT currency, sum(amount) FROM new_accruals GROUP BY ALL"
    ):
        sums[currency][0] += number
    for (_, role, currency, _), (_, _, amount) in moved.items():
        if role == Role.ACCRUED.value:
            sums[currency][0] -= amount
    for currency, pair in sorted(sums.items()):
        yield ControlRow("accrued", "", currency, *pair)


def _balance(moved: Totalled) -> Iterator[ControlRow]:
    """What was booked sums to zero, by kind and currency."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (kind, _, currency, _), (_, _, amount) in moved.items():
        found[kind, currency] += amount
    for (kind, currency), number in sorted(found.items()):
        yield ControlRow("balance", kind, currency, number, ZERO)


def _moved(table: EventTable, of: str) -> Totalled:
    """Units in, units out and money, by kind, role, currency and commodity."""
    found = table.numbers(
        "SELECT kind || CASE WHEN undoes <> '' THEN ' of ' || undoes ELSE '' END, role, currency, "
        "coalesce(commodity, ''), sum(units_in), sum(units_out), sum(amount) "
        f"FROM {of} GROUP BY ALL"
    )
    return {(*row[:4],): tuple(Decimal(number or 0) for number in row[4:]) for row in found}


def _stock(table: EventTable, of: str) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    """The same of the operator's credits."""
    stock = f"SELECT *, {literal(_STOCK)} AS pocket FROM {of} WHERE what = {literal(STOCK_ROWS)}"
    return _lots(table, f"({stock})")


def _lots(table: EventTable, of: str) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    """Units and cost of lots, by pocket, commodity and currency."""
    found: defaultdict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    group = "pocket, commodity, currency"
    try:
        rows = table.numbers(
            f"SELECT {group}, sum(units), sum(units * cost) FROM {of} GROUP BY ALL"
        )
    except BulkError:  # more digits than the database has: of one cost at a time
        by_cost = table.numbers(f"SELECT {group}, sum(units), cost FROM {of} GROUP BY ALL")
        rows = [(*row[:-1], row[-2] * row[-1]) for row in by_cost]
    for pocket, commodity, currency, units, cost in rows:
        sums = found[pocket, commodity, currency]
        sums[0] += units
        sums[1] += cost
    return {key: (*sums,) for key, sums in found.items()}
