"""What the ledger states of a month: assertions and control totals, held against its books.

2026-05-21 custom "compute-assert" "deferred-revenue" 280.00 USD
2026-05-31 custom "compute-control" "consumption" 1204 350123 CU

A figure that differs stops the run, with the message that a load would give: a month is not there
with a total that somebody says is wrong. Figures of one subscriber are checked where he is booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkError, BulkTerms
from beancount_compute.bulk.folder.month_state import read_part
from beancount_compute.bulk.folder.month_tables import Tables, table_of
from beancount_compute.bulk.rows.event_table import EventTable, literal, quote
from beancount_compute.closed.frozen_state import read_rows_of_state
from beancount_compute.economy import (
    CONTRA,
    DEFERRED_REVENUE,
    EARNINGS,
    POCKETS,
    STOCK,
    WIDE,
    ZERO,
    Kind,
    MonthOfKind,
    Refusal,
    Role,
    Sold,
    Totals,
    check_sold,
)

FigureOfAll = tuple[str, str, Decimal]  # which, of a currency or commodity


def check_stated(table: EventTable, made: Tables, bulk: BulkTerms, *, has_state: bool) -> None:
    """Raise `BulkError` where the books of a month are not what the ledger states."""
    since = bulk.month.first if has_state else date.min
    wrong = [*_of_subscribers(made, bulk), *_of_all(table, made, bulk, since)]
    wrong += _of_sources(made, bulk)
    if wrong:
        place, message, _ = min(wrong, key=lambda each: each.place)
        others = f" (the first of {len(wrong):,} such figures)" if len(wrong) > 1 else ""
        raise BulkError(f"{place}: {message}{others}: nothing was written")


def _of_subscribers(made: Tables, bulk: BulkTerms) -> Iterator[Refusal]:
    """What the engine said of the figures of single subscribers."""
    places = {(each.place.file, each.place.line): each.place for each in bulk.asserted}
    if places:
        for row in made["refused"].to_pylist():
            place = places.get((row["file"], row["row"]))
            if place is not None:
                yield Refusal(place, row["message"])


def _of_all(table: EventTable, made: Tables, bulk: BulkTerms, since: date) -> Iterator[Refusal]:
    """What the books of all come to at the beginning of the days of assertions."""
    asserted = sorted(each for each in bulk.asserted if not each.subscriber)
    if not asserted:
        return
    totals, on = Totals(), _figures_by_day(table, made, bulk, since)
    for assertion in asserted:
        for day in sorted(each for each in on if each < assertion.date):
            for figure in on.pop(day):
                totals.add_figure(*figure)
        if failure := totals.check(assertion):
            yield Refusal(assertion.place, failure)


def _figures_by_day(
    table: EventTable, made: Tables, bulk: BulkTerms, since: date
) -> dict[date, list[FigureOfAll]]:
    """What changes the figures of all subscribers, by day; what was there before, on the first."""
    on: defaultdict[date, list[FigureOfAll]] = defaultdict(list)
    with localcontext(WIDE):
        for pocket, commodity, cost, currency, units in table.numbers(
            "SELECT pocket, commodity, cost, currency, sum(units) FROM state_lots GROUP BY ALL"
        ):
            on[date.min] += _held(pocket, commodity, units, currency, units * cost)
        for (role, name, currency), number in bulk.earned.items():
            if not name:
                on[date.min].append((role.value, currency, _shown(role, number)))
        if any(each.figure == Role.UNBILLED for each in bulk.asserted):
            on[date.min] += _unbilled_before(table)
        table.register("stated_days", made["days"])
        for day, role, commodity, currency, units, amount in table.numbers(
            "SELECT date, role, commodity, currency, sum(units_in) - sum(units_out), sum(amount) "
            "FROM stated_days GROUP BY ALL"
        ):
            if Role(role) in POCKETS:
                on[day] += _held(role, commodity, units, currency, -amount)
            elif Role(role) in EARNINGS:
                on[day].append((role, currency, _shown(Role(role), -amount)))
            elif Role(role) is Role.UNBILLED:
                on[day].append((role, currency, amount))
        refused = {(row["file"], row["row"]) for row in made["refused"].to_pylist()}
        for sign, postings in ((1, bulk.openings), (-1, bulk.removals)):
            for each in postings:
                lot, units = each.lot, sign * each.units
                counts = since <= each.date and each.place[:2] not in refused
                if lot.pocket is not STOCK and counts:
                    cost = units * lot.cost
                    on[each.date] += _held(lot.pocket, lot.commodity, units, lot.currency, cost)
    return on


def _shown(role: Role, earned: Decimal) -> Decimal:
    """A figure of income; what was taken back of it is above zero."""
    return -earned if role in CONTRA else earned


def _unbilled_before(table: EventTable) -> Iterator[FigureOfAll]:
    """What of the subscriptions was charged and not invoiced when the month began."""
    for (beside,) in table.numbers("SELECT beside FROM state_subscriptions WHERE beside <> ''"):
        for kind, *cells in read_rows_of_state(beside):
            if kind == Role.UNBILLED:
                _, number, currency = cells
                yield kind, currency, Decimal(number)


def _held(
    pocket: str, commodity: str, units: Decimal, currency: str, cost: Decimal
) -> list[FigureOfAll]:
    return [
        figure
        for name in (DEFERRED_REVENUE, str(pocket))
        for figure in ((name, commodity, units), (name, currency, cost))
    ]


def earned_before(
    table: EventTable, folder: Path, bulk: BulkTerms
) -> dict[tuple[Role, str, str], Decimal]:
    """What was earned before the month, of all and of those of whom it is asserted."""
    asserted = [each for each in bulk.asserted if each.figure in {*EARNINGS}]
    names = sorted({each.subscriber for each in asserted})
    found: defaultdict[tuple[Role, str, str], Decimal] = defaultdict(lambda: ZERO)
    if not asserted:
        return {}
    for (role, name, currency), number in bulk.earned.items():
        for whose in {"", name} & {*names}:
            found[role, whose, currency] += number
    month = bulk.month.previous
    while (folder / month.name).exists():
        path = folder / month.name / "movements.parquet"
        read_part(path, "movements")
        roles = ", ".join(literal(role.value) for role in EARNINGS)
        for name in names:
            whose = f"AND subscriber = {literal(name)}" if name else ""
            for role, currency, amount in table.numbers(
                f"SELECT role, currency, sum(amount) FROM read_parquet({literal(str(path))}) "
                f"WHERE role IN ({roles}) {whose} GROUP BY ALL"
            ):
                found[Role(role), name, currency] -= amount
        month = month.previous
    return dict(found)


def _of_sources(made: Tables, bulk: BulkTerms) -> Iterator[Refusal]:
    """What the sources say otherwise of what they gave."""
    controls = bulk.controlled
    written: dict[MonthOfKind, list[Sold]] = {(bulk.month.name, each.kind): [] for each in controls}
    for row in made["sold"].to_pylist():
        found = written.get((bulk.month.name, Kind(row["kind"])))
        if found is not None:
            of = row["units"], row["commodity"], row["money"], row["currency"], row["rows"]
            found.append(Sold(*of))
    yield from check_sold(controls, written)


def plain_sold(table: EventTable, bulk: BulkTerms) -> pa.Table:
    """What the rows of plain subscribers are about, added up."""
    if not bulk.controlled:
        return table_of("sold", [])
    present = table.files.present

    def text(name: str) -> str:
        return f"coalesce(CAST({quote(name)} AS VARCHAR), '')" if name in present else "''"

    def number(name: str) -> str:
        read = f"TRY_CAST({quote(name)} AS DECIMAL(38, 6))" if name in present else "0"
        return f"sum(coalesce({read}, 0))"

    rows = table.numbers(
        f"SELECT kind, {text('commodity')} AS unit, {text('currency')} AS money, count(*), "
        f"{number('units')}, {number('paid')} FROM event_rows e SEMI JOIN plain_nodes n "
        "ON n.node = e.node ANTI JOIN repeats r ON r.file = e.file AND r.row_at = e.row_at "
        "GROUP BY ALL"
    )
    return table_of("sold", rows)
