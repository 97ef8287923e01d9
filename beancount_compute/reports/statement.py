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
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.economy import ZERO, printable
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Movement
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.fold import fold
from beancount_compute.reports.held_lots import (
    LOT_FIGURES,
    LOT_LABELS,
    lot_labels,
    of_lot,
    open_lots,
)
from beancount_compute.reports.tables import CURRENCY, UNIT, Column, Measure, Row

FORWARD = "brought forward"
_LINE_LABELS = (
    Column("line", "line"),
    Column("date", "date", Measure.DATE),
    Column("event", "event", aside=3, whole=True),
    Column("what", "what", aside=4),
    Column("flow", "flow"),
    Column("pocket", "pocket", aside=1),
    Column("lot", "lot", aside=2),
    UNIT,
    CURRENCY,
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
    return [
        Layout("lines", f"Statement{of}", _LINE_LABELS, _LINE_FIGURES, True, adds_up=False),
        Layout("lots", f"Lots held{by} at the end", lots, LOT_FIGURES),
    ]


class _Line(NamedTuple):
    labels: Row
    moved: list[Movement]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    movements = selection.movements(books)
    if request.wants("lines"):
        lines = list(_lines(books, *selection.split(movements), str(selection.start)))
        yield from _traced(lines, request.row) if request.each else _running(lines)
    if request.wants("lots"):
        for each in open_lots(movements, request, ("pocket",)):
            row = (each.pocket.value, *lot_labels(each))
            yield from of_lot(books, selection, "lots", row, each)


def _lines(
    books: Books, before: Sequence[Movement], moved: Sequence[Movement], start: str
) -> Iterator[_Line]:
    """What is brought forward, by unit and currency, and then each movement."""
    number = count(1)
    pair = attrgetter("commodity", "currency")
    for each in sorted(fold(before, ("commodity", "currency"), ("units", "amount")), key=pair):
        if each.units or each.amount:
            labels = (next(number), start, "", FORWARD, "", "", "", *pair(each))
            yield _Line(labels, [one for one in before if pair(one) == pair(each)])
    for each in moved:
        entry = books.transactions[each.at]
        lot = f"{each.origin} of {each.lot.date}" if each.origin else ""
        event, what = str(entry.meta.get("event", "")), entry.narration or ""
        of = (event, what, each.flow.value, each.pocket.value, lot)
        yield _Line((next(number), str(each.date), *of, *pair(each)), [each])


def _running(lines: Iterable[_Line]) -> Iterator[Contribution]:
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for labels, moved in lines:
        for key, unit in (("units", moved[0].commodity), ("amount", moved[0].currency)):
            number = sum([getattr(each, key) for each in moved], ZERO)
            held[f"{key} {unit}"] += number
            yield "lines", labels, key, number, SUMMED
            yield "lines", labels, f"{key}_held", held[f"{key} {unit}"], SUMMED


def _traced(lines: Sequence[_Line], row: Row | None) -> Iterator[Contribution]:
    """Each line's own movements; and behind what is held after one line, all up to it."""
    for labels, moved in lines:
        for each in moved:
            yield "lines", labels, "units", each.units, each.at
            yield "lines", labels, "amount", each.amount, each.at
    asked = next((line for line in lines if line.labels == row), None)
    if asked is None:
        return
    first = asked.moved[0]
    for each in [each for line in lines[: lines.index(asked) + 1] for each in line.moved]:
        if each.commodity == first.commodity:
            yield "lines", asked.labels, "units_held", each.units, each.at
        if each.currency == first.currency:
            yield "lines", asked.labels, "amount_held", each.amount, each.at


STATEMENT = Report(
    "statement", "Statement of a subscriber", _layouts, _contributions, needs_subscriber=True
)
