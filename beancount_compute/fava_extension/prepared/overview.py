"""Deferred revenue by any interval, what is held now, and income of two stretches side by side.

    week      currency  opening   added  released  closing
    2026-W21  USD          0.00  400.00   -240.00   160.00

Each row is what the roll-forward of its days says, in money or in units.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal, localcontext

from beancount_compute.economy.kinds import Flow
from beancount_compute.economy.roles import Earning
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.fava_extension.prepared.reach import days_within, end_of
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import written
from beancount_compute.reports.intervals import Interval, name_of, names_between
from beancount_compute.reports.tables import Cell, Column, Measure, Table

_IN = frozenset([Flow.ALLOCATED, Flow.TOPPED_UP, Flow.GRANTED])
_OUT = frozenset([Flow.USED, Flow.SPENT, Flow.EXPIRED, Flow.REFUNDED, Flow.REMOVED])
_PARTS = ("opening", "added", "released", "closing")
Sums = defaultdict[tuple[str, str], Decimal]  # by interval and currency


def deferred_by(
    books: Books,
    selection: Selection,
    interval: Interval,
    *,
    in_units: bool = False,
    end: date | None = None,
) -> Table:
    """The movement of deferred revenue, or of open units, in each interval of the selection.

    An opening lot counts as opening of the interval in which it was entered. Intervals behind the
    `end` of the books are left out. Raises `TooMany`.
    """
    opened: Sums = defaultdict(Decimal)
    added: Sums = defaultdict(Decimal)
    released: Sums = defaultdict(Decimal)
    moved: Sums = defaultdict(Decimal)
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    first_moved = last_moved = None
    with localcontext(WIDE):
        for each in selection.movements(books, each=False):
            unit, number = (
                (each.commodity, each.units) if in_units else (each.currency, each.amount)
            )
            if not unit or not number:
                continue
            if selection.start is not None and each.date < selection.start:
                held[unit] += number
                continue
            held[unit] += ZERO
            first_moved = first_moved or each.date
            last_moved = each.date
            key = (name_of(interval, each.date), unit)
            if each.flow is Flow.OPENING:
                opened[key] += number
            elif each.flow in _IN:
                added[key] += number
            elif each.flow in _OUT:
                released[key] += number
            else:  # a move changes nothing in sum; of one pocket alone, it comes or goes
                moved[key] += number
        first, last = selection.start or first_moved, selection.end or last_moved
        names: list[str] = []
        if first and last and held:
            names = names_between(interval, *days_within(books, first, last, end or end_of(books)))
        rows: list[tuple[Cell, ...]] = []
        for name in names:
            for unit in sorted(held):
                key = (name, unit)
                (added if moved[key] > 0 else released)[key] += moved[key]
                opening = held[unit] + opened[key]
                held[unit] = opening + added[key] + released[key]
                figures = (opening, added[key], released[key], held[unit])
                kind = Measure.UNITS if in_units else Measure.MONEY
                rows.append((name, unit, *[written(kind, number, unit) for number in figures]))
    what = "Open units" if in_units else "Deferred revenue"
    return Table(
        f"{what} by {interval}", _columns(interval, in_units), rows, f"deferred-by-{interval}"
    )


def _columns(interval: Interval, in_units: bool) -> tuple[Column, ...]:
    kind = Measure.UNITS if in_units else Measure.MONEY
    unit = "unit" if in_units else "currency"
    figures = [Column(each, each, kind) for each in _PARTS]
    return (Column("month", str(interval), Measure.DATE), Column("currency", unit), *figures)


def held_on(books: Books, selection: Selection) -> Table:
    """What is held at the end of the selection, by pocket, at carrying amount and market price."""
    units: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    amounts: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    day = selection.day_of(books)
    with localcontext(WIDE):
        for each in selection.movements(books, each=False):
            for pocket in (each.pocket.value, "total"):
                units[pocket, each.commodity, each.currency] += each.units
                amounts[pocket, each.commodity, each.currency] += each.amount
        rows: list[tuple[Cell, ...]] = []
        for key in sorted(units):
            pocket, commodity, currency = key
            price = books.price_on(day, commodity, currency)
            value = None if price is None else units[key] * price
            rows.append(
                (
                    *key,
                    written(Measure.UNITS, units[key], ""),
                    written(Measure.MONEY, amounts[key], currency),
                    written(Measure.MONEY, value, currency),
                    written(Measure.PRICE, price, currency),
                )
            )
    return Table("Held at the end", _HELD, rows, "held")


_HELD = (
    Column("pocket", "pocket"),
    Column("commodity", "unit"),
    Column("currency", "currency"),
    Column("units", "units outstanding", Measure.UNITS),
    Column("carrying_amount", "deferred revenue at carrying amount", Measure.MONEY),
    Column("market_value", "at market price", Measure.MONEY),
    Column("price", "market price", Measure.PRICE),
)


def income_compared(books: Books, period: Selection, before: Selection) -> Table:
    """Income by kind in a period and in the one before it, with the change."""
    sums: defaultdict[tuple[str, Earning], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    with localcontext(WIDE):
        for at, selection in enumerate((period, before)):
            for each in selection.incomes(books, each=False):
                sums[each.currency, each.earning][at] += each.amount
        rows: list[tuple[Cell, ...]] = []
        for currency in sorted({currency for currency, _ in sums}):
            total = [ZERO, ZERO]
            for earning in Earning:
                now, then = sums[currency, earning]
                total = [total[0] + now, total[1] + then]
                if now or then or earning in _ALWAYS:
                    rows.append(_compared(earning.value, currency, now, then))
            rows.append(_compared("total", currency, *total))
    return Table("Income", _COMPARED, rows, "income")


_ALWAYS = (Earning.COMPUTE, Earning.BREAKAGE, Earning.FEES)
_COMPARED = (
    Column("income", "income"),
    Column("currency", "currency"),
    Column("period", "this period", Measure.MONEY),
    Column("before", "before", Measure.MONEY),
    Column("change", "change", Measure.MONEY),
)


def _compared(name: str, currency: str, now: Decimal, then: Decimal) -> tuple[Cell, ...]:
    return (
        name,
        currency,
        *[written(Measure.MONEY, n, currency) for n in (now, then, now - then)],
    )


def latest(books: Books) -> date | None:
    """The last day on which units moved or something was earned."""
    days = [each[-1].date for each in (books.movements, books.incomes) if each]
    return max(days, default=None)
