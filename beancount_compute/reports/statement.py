"""The statement of one subscriber: every line, with what is held after it.

    line  date        event       what         flow        pocket       lot               units
       1  2026-05-01  ...         Allocation   allocated   allocations  pro of 2026-05-01   1000
       2  2026-05-20  use-17      Consumption  used        allocations  pro of 2026-05-01   -200

with the units of that commodity and the carrying amount of that currency held after each line, over
both pockets. Where the selection begins later, the first lines bring forward what was held. The
lots that are held at the end follow, by pocket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from beancount_compute.economy.rounding import ZERO
from beancount_compute.economy.words import printable
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Movement
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    How,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.lots import LOT_LABELS, lot_labels, of_lot, open_lots
from beancount_compute.reports.tables import Column, Measure, Row

FORWARD = "brought forward"
_LINE_LABELS = (
    Column("line", "line"),
    Column("date", "date", Measure.DATE),
    Column("event", "event", aside=3, whole=True),
    Column("what", "what", aside=4),
    Column("flow", "flow"),
    Column("pocket", "pocket", aside=1),
    Column("lot", "lot", aside=2),
    Column("commodity", "unit"),
    Column("currency", "currency"),
)
_LINE_FIGURES = (
    Figure("units", "units", Measure.UNITS),
    Figure("units_held", "units\nheld", Measure.UNITS),
    Figure("amount", "amount", Measure.MONEY),
    Figure("amount_held", "carrying\namount", Measure.MONEY),
)


def _layouts(_: Books, selection: Selection) -> list[Layout]:
    name = printable(selection.subscriber)
    of, by = (f" of {name}", f" by {name}") if name else ("", "")
    lots = (Column("pocket", "pocket"), *LOT_LABELS)
    figures = (
        Figure("units", "units", Measure.UNITS),
        Figure("carrying_amount", "carrying\namount", Measure.MONEY),
        Figure("market_value", "market\nvalue", Measure.MONEY, how=How.KNOWN),
    )
    return [
        Layout("lines", f"Statement{of}", _LINE_LABELS, _LINE_FIGURES, keeps_zeros=True),
        Layout("lots", f"Lots held{by} at the end", lots, figures),
    ]


class _Line(NamedTuple):
    labels: Row
    moved: list[Movement]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    movements = list(selection.movements(books))
    if request.wants("lines"):
        yield from _lines_of(books, movements, selection.start, request)
    if request.wants("lots"):
        day = selection.day_of(books)
        for pocket, among in groupby(
            sorted(movements, key=lambda each: each.pocket), lambda each: each.pocket
        ):
            for commodity, lot, moved in open_lots(list(among)):
                price = books.price_on(day, commodity, lot.currency)
                row = (pocket.value, *lot_labels(lot, commodity))
                yield from of_lot("lots", row, moved, price)


def _lines_of(
    books: Books, movements: list[Movement], start: date | None, request: Request
) -> Iterator[Contribution]:
    lines = _lines(books, movements, start)
    if request.each:
        yield from _traced(lines, request.row)
        return
    units: defaultdict[str, Decimal] = defaultdict(Decimal)
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for labels, moved in lines:
        commodity, currency = moved[0].commodity, moved[0].currency
        number = sum([each.units for each in moved], ZERO)
        amount = sum([each.amount for each in moved], ZERO)
        units[commodity] += number
        amounts[currency] += amount
        yield "lines", labels, "units", number, SUMMED
        yield "lines", labels, "amount", amount, SUMMED
        yield "lines", labels, "units_held", units[commodity], SUMMED
        yield "lines", labels, "amount_held", amounts[currency], SUMMED


def _traced(lines: list[_Line], row: Row | None) -> Iterator[Contribution]:
    """Each line's own movements; and behind what is held after one line, all before it."""
    for labels, moved in lines:
        for each in moved:
            yield "lines", labels, "units", each.units, each.at
            yield "lines", labels, "amount", each.amount, each.at
    asked = next((line for line in lines if line.labels == row), None)
    if asked is None:
        return
    for line in lines[: lines.index(asked) + 1]:
        for each in line.moved:
            if each.commodity == asked.moved[0].commodity:
                yield "lines", asked.labels, "units_held", each.units, each.at
            if each.currency == asked.moved[0].currency:
                yield "lines", asked.labels, "amount_held", each.amount, each.at


def _lines(books: Books, movements: list[Movement], start: date | None) -> list[_Line]:
    before: defaultdict[tuple[str, str], list[Movement]] = defaultdict(list)
    lines: list[_Line] = []
    for each in movements:
        if start is not None and each.date < start:
            before[each.commodity, each.currency].append(each)
    for (commodity, currency), moved in sorted(before.items()):
        if any(sum([getattr(each, of) for each in moved]) for of in ("units", "amount")):
            words = ("", FORWARD, "", "", "", commodity, currency)
            lines.append(_Line((len(lines) + 1, str(start), *words), moved))
    for each in movements:
        if start is None or each.date >= start:
            entry = books.transactions[each.at]
            lot = f"{each.origin} of {each.lot.date}" if each.origin else ""
            labels = (
                *(len(lines) + 1, str(each.date), str(entry.meta.get("event", ""))),
                *(entry.narration or "", each.flow.value, each.pocket.value, lot),
                *(each.commodity, each.currency),
            )
            lines.append(_Line(labels, [each]))
    return lines


STATEMENT = Report(
    "statement", "Statement of a subscriber", _layouts, _contributions, needs_subscriber=True
)
