"""Deferred revenue and income by any interval, what is held, and two stretches side by side.

time=2026-06, books to the 20th   ->  2026-06-01 to 2026-06-20, so far; before: May
no time filter, interval=month    ->  the last month of the books; before: the month before it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, localcontext
from operator import itemgetter
from typing import NamedTuple

from beancount_compute.economy import AS_OF, WIDE, ZERO, Earning, Pocket
from beancount_compute.ledger import ORDER
from beancount_compute.reports import (
    CURRENCY,
    TOTAL,
    UNIT,
    Books,
    Cell,
    Column,
    Interval,
    Measure,
    Selection,
    Table,
    check_number,
    days_before,
    first_of,
    fold,
    last_of,
    name_of,
    names_between,
    written,
)
from beancount_compute.reports.registry import REVENUE
from beancount_compute.reports.rollforward import deferred_by


def deferred_within(
    books: Books,
    selection: Selection,
    interval: Interval,
    *,
    in_units: bool = False,
    end: date | None = None,
) -> Table:
    """The movement of deferred revenue, or of open units, in each interval of the selection.

    Intervals behind the `end` of the books are left out. Raises `TooMany`.
    """

    def names(first: date, last: date) -> list[str]:
        days = days_within(books, first, last, end or end_of(books))
        check_number(interval, *days)
        return names_between(interval, *days)

    return deferred_by(books, selection, interval, names, in_units=in_units)


def held_on(books: Books, selection: Selection) -> Table:
    """What is held at the end of the selection, by pocket, at carrying amount; tokens at market.

    Units of allocations can't be traded: the price of tokens says nothing of them.
    """
    day = selection.day_of(books)
    movements = selection.movements(books, each=False)
    with localcontext(WIDE):
        keys = ("commodity", "currency")
        totals = fold(movements, keys, ("units", "amount"))
        pockets = fold(movements, ("pocket", *keys), ("units", "amount"))
        held = [(TOTAL, each) for each in totals]
        held += [(each.pocket.value, each) for each in pockets]
        tokens = {
            (each.commodity, each.currency): each.units
            for each in pockets
            if each.pocket is Pocket.TOKENS
        }
        rows: list[tuple[Cell, ...]] = []
        for pocket, each in held:
            currency, price = each.currency, None
            units = tokens.get((each.commodity, currency), ZERO)
            if units and pocket in (TOTAL, Pocket.TOKENS):
                price = books.price_on(day, each.commodity, currency)
            value = None if price is None else units * price
            rows.append(
                (
                    *(pocket, each.commodity, currency),
                    written(Measure.UNITS, each.units, ""),
                    written(Measure.MONEY, each.amount, currency),
                    written(Measure.PRICE, price, currency),
                    written(Measure.MONEY, value, currency),
                )
            )
    rows.sort(key=itemgetter(0, 1, 2))
    return Table("Held at the end", _HELD, rows, "held")


_HELD = (
    Column("pocket", "pocket"),
    UNIT,
    CURRENCY,
    Column("units", "units outstanding", Measure.UNITS),
    Column("carrying_amount", "deferred revenue at carrying amount", Measure.MONEY),
    Column("price", "market price of tokens", Measure.PRICE),
    Column("market_value", "tokens at market price", Measure.MONEY),
)


def income_within(
    books: Books, selection: Selection, interval: Interval, names: Sequence[str]
) -> Table:
    """Income by kind in each interval of those names, and in all of them; as the revenue report."""
    sums: defaultdict[tuple[str, str], defaultdict[Earning, Decimal]]
    sums = defaultdict(lambda: defaultdict(Decimal))
    with localcontext(WIDE):
        incomes = selection.incomes(books, each=False)
        for each in fold(incomes, ("date", "currency", "earning"), ("amount",)):
            name = name_of(interval, each.date)
            sums[name, each.currency][each.earning] += each.amount
        currencies = sorted({currency for _, currency in sums})
        found = sorted({*names, *[name for name, _ in sums]}) if currencies else []
        for (_, currency), of in list(sums.items()):
            for earning, amount in of.items():
                sums[TOTAL, currency][earning] += amount

        def row(name: str, currency: str) -> tuple[Cell, ...]:
            of = sums[name, currency]
            numbers = [*[of[earning] for earning in books.earnings], sum(of.values(), ZERO)]
            cells = [written(Measure.MONEY, number, currency) for number in numbers]
            return (name, currency, *cells)

        rows = [row(name, currency) for name in found for currency in currencies]
        totals = [row(TOTAL, currency) for currency in currencies if len(found) > 1]
    labels = (Column("month", str(interval), Measure.DATE), CURRENCY)
    kinds = [(each.replace(" ", "_"), each.value) for each in books.earnings]
    columns = [Column(key, title, Measure.MONEY) for key, title in [*kinds, (TOTAL, TOTAL)]]
    title = f"Income by kind and {interval}"
    return Table(title, (*labels, *columns), rows, "income-by-interval", tuple(totals))


def lost_within(books: Books, selection: Selection) -> list[Table]:
    """What was lost and recovered within the selection; none where no money ever went back."""
    found = REVENUE.tables(books, selection, "lost") if books.gives_back else []
    return [table for table in found if table.rows]


def moved_in_all(table: Table) -> tuple[tuple[Cell, ...], ...]:
    """What stands below the movement of a unit or currency: from first opening to last closing."""
    if len(table.rows) < 2:
        return ()
    first, last = table.rows[0], table.rows[-1]
    found: list[Cell] = [TOTAL, first[1], first[2]]
    with localcontext(WIDE):
        for at in range(3, len(first) - 1):
            moved = [row[at] for row in table.rows]
            number = sum([each for each in moved if isinstance(each, Decimal)], ZERO)
            found.append(written(table.columns[at].kind, number, str(first[1])))
    return ((*found, last[-1]),)


class Compared(NamedTuple):
    """Two stretches of days, the first and last of each included."""

    name: str
    first: date
    last: date
    before: tuple[date, date]
    name_before: str
    chosen: bool  # by a time filter; else they are the last interval of the books

    def until(self, end: date) -> date:
        """The last day, or that on which the books end within these days."""
        return end if self.first <= end < self.last else self.last


def compared(selection: Selection, time: str, interval: Interval, latest: date) -> Compared:
    """The chosen days and those before; without any, the interval of the latest day."""
    if selection.start is not None and selection.end is not None:
        first, last = selection.start, selection.end
        before = days_before(first, last)
        return Compared(time, first, last, before, _named(*before), chosen=True)
    first, last = first_of(interval, latest), last_of(interval, latest)
    past = first_of(interval, first) if first == date.min else days_before(first, first)[1]
    before = (first_of(interval, past), last_of(interval, past))
    name = name_of(interval, latest)
    return Compared(name, first, last, before, name_of(interval, past), chosen=False)


def _named(first: date, last: date) -> str:
    """A stretch by the name of its interval, if it is one; else by its days."""
    for interval in (Interval.DAY, Interval.MONTH, Interval.QUARTER, Interval.YEAR):
        if (first, last) == (first_of(interval, first), last_of(interval, first)):
            return name_of(interval, first)
    return f"{first} to {last}"


def income_compared(books: Books, period: Selection, before: Selection) -> Table:
    """Income by kind in a period and in the one before it, with the change."""
    sums: defaultdict[tuple[str, Earning], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    with localcontext(WIDE):
        for at, selection in enumerate((period, before)):
            incomes = selection.incomes(books, each=False)
            for each in fold(incomes, ("currency", "earning"), ("amount",)):
                sums[each.currency, each.earning][at] = each.amount
        rows: list[tuple[Cell, ...]] = []
        for currency in sorted({currency for currency, _ in sums}):
            total = [ZERO, ZERO]
            for earning in Earning:
                now, then = sums[currency, earning]
                total = [total[0] + now, total[1] + then]
                if now or then or earning in _ALWAYS:
                    rows.append(_compared(earning.value, currency, now, then))
            rows.append(_compared(TOTAL, currency, *total))
    return Table("Income", _COMPARED, rows, "income")


_ALWAYS = (Earning.COMPUTE, Earning.BREAKAGE, Earning.FEES)
_COMPARED = (
    Column("income", "income"),
    CURRENCY,
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


def derived_until(books: Books, closed: date = date.min) -> date:
    """The last day of which anything was derived.

    That of the last booking, the as-of option or the last closed month: whichever is the latest.
    """
    booked = (entry.date for entry in reversed(books.transactions) if ORDER in entry.meta)
    return max(next(booked, date.min), books.terms.of_ledger(AS_OF) or date.min, closed)


def end_of(books: Books, closed: date = date.min) -> date:
    """The day on which the books end: the last that is derived, or a later one written by hand."""
    return max(derived_until(books, closed), books.last_day or date.min)


def days_within(books: Books, first: date, last: date, end: date) -> tuple[date, date]:
    """The days of a stretch that the books cover; its first alone where they end before it."""
    begin = books.transactions[0].date if books.transactions else first
    first = max(first, min(begin, last))
    return first, max(first, min(last, end))


def named_end(name: str, interval: Interval, day: date) -> str:
    """What stands after "at the end of": an interval that is over by that day, else the day."""
    return str(day) if name == name_of(interval, day) and day != last_of(interval, day) else name
