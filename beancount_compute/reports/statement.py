"""The statement of one subscriber, or provider: every line, with what is held after it.

    line  date        event     what               flow       with   pocket       units  units held
       1  2026-05-01  ...       Allocation pro     allocated         allocations   1000        1000
       2  2026-05-20  use-17    Consumption        used              allocations   -200         800
       3  2026-06-10  t-1       Trade with carol   traded in  carol  tokens         500        1300

with the units of that commodity and the carrying amount of that currency held after each line, over
both pockets. Where the selection begins later, the first lines bring forward what was held. Bills
and payments follow (`bills_and_payments.py`), then what was open, came and went, and the lots that
are held at the end, by pocket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import ZERO, Flow, Kind, Pocket, printable
from beancount_compute.reports.bills_and_payments import (
    BALANCES,
    BILL_LABELS,
    COUNTERPARTY,
    FORWARD,
    balance_of,
    bill_figures,
    bills,
    owed_within,
    received,
)
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
from beancount_compute.reports.provider_statement import (
    COSTS,
    costs,
    costs_layout,
    credits_moved,
    open_accruals,
)
from beancount_compute.reports.tables import CURRENCY, DATE, UNIT, Column, Measure, Row

_AT_ONCE = f"compute-{Kind.CANCELLATION}"
_LINE_LABELS = (
    Column("line", "line"),
    DATE,
    Column("event", "event", aside=4, whole=True),
    Column("what", "what", aside=5),
    Column("flow", "flow"),
    COUNTERPARTY,
    Column("pocket", "pocket", aside=2),
    Column("lot", "lot", aside=3),
    UNIT,
    CURRENCY,
)
LINE_FIGURES = (
    Figure("units", "units", Measure.UNITS),
    Figure("units_held", "units\nheld", Measure.UNITS),
    Figure("amount", "amount", Measure.MONEY),
    Figure("amount_held", "carrying\namount", Measure.MONEY),
)


def balance_figures(kind: Measure) -> tuple[Figure, ...]:
    parts = ("opening", "came", "went")
    return (
        *[Figure(key, key, kind) for key in parts],
        Figure("closing", "closing", kind, parts),
    )


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    name = printable(selection.subscriber)
    of, by = (f" of {name}", f" by {name}") if name else ("", "")
    if books.is_provider(selection.subscriber):
        by = f" with {name}"
    lots = (Column("pocket", "pocket"), *LOT_LABELS)
    title = f"Bills and payments{of}" + (", of all plans" if selection.plan else "")
    money = (Column("what", "what"), CURRENCY)
    return [
        Layout("lines", f"Statement{of}", _LINE_LABELS, LINE_FIGURES, True, adds_up=False),
        Layout(
            "bills",
            title,
            BILL_LABELS,
            bill_figures(books, selection.subscriber),
            True,
            adds_up=False,
        ),
        *([costs_layout(of)] if books.is_provider(selection.subscriber) else []),
        Layout("units", f"Units held{by}", (UNIT,), balance_figures(Measure.UNITS), adds_up=False),
        Layout("money", f"Money{of}", money, balance_figures(Measure.MONEY), adds_up=False),
        Layout("lots", f"Lots held{by} at the end", lots, LOT_FIGURES),
    ]


class _Line(NamedTuple):
    labels: Row
    moved: list[Movement]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    of_provider = books.is_provider(selection.subscriber)
    movements = credits_moved(books, selection) if of_provider else selection.movements(books)
    if of_provider and request.wants(COSTS):
        yield from costs(books, selection, request)
    if request.wants("lines"):
        lines = list(_lines(books, *selection.split(movements), str(selection.start)))
        yield from _traced(lines, request.row) if request.each else _running(lines)
    if request.wants("bills"):
        yield from bills(books, selection, request)
    if request.wants("units", "money"):
        yield from _balances(books, selection, movements)
        if of_provider:
            yield from _not_billed(books, selection)
    if request.wants("lots"):
        for each in open_lots(movements, request, ("pocket",)):
            row = (each.pocket.value, *lot_labels(each))
            yield from of_lot(books, selection, "lots", row, each)


def _balances(
    books: Books, selection: Selection, movements: Sequence[Movement]
) -> Iterator[Contribution]:
    """What was there before the days, what came and went within them: units, and money."""
    for before, among in zip((True, False), selection.split(movements), strict=True):
        for each in among:
            if each.flow is Flow.MINTED:  # that only changes the pocket
                continue
            if each.pocket is not Pocket.ACCESS:
                yield "units", (each.commodity,), _part(before, each.units), each.units, each.at
            if each.currency:
                row, part = ("carrying amount", each.currency), _part(before, each.amount)
                yield "money", row, part, each.amount, each.at
    for before, owed in zip((True, False), owed_within(books, selection), strict=True):
        for line in owed:
            name, amount = balance_of(line)
            row = (f"{BALANCES[name]} ({line.role})", line.currency)
            yield "money", row, _part(before, amount), amount, line.at


def _not_billed(books: Books, selection: Selection) -> Iterator[Contribution]:
    """What a provider's uses cost that no bill has come for."""
    for before, line, number in open_accruals(books, selection):
        yield "money", ("not billed yet", line.labels[-1]), _part(before, number), number, line.at


def _part(before: bool, number: Decimal) -> str:
    return "opening" if before else "came" if number > 0 else "went"


def _lines(
    books: Books, before: Sequence[Movement], moved: Sequence[Movement], start: str
) -> Iterator[_Line]:
    """What is brought forward, by unit and currency, and then each movement."""
    number = count(1)
    pair = attrgetter("commodity", "currency")
    for each in sorted(fold(before, ("commodity", "currency"), ("units", "amount")), key=pair):
        if each.units or each.amount:
            labels = (next(number), start, "", FORWARD, "", "", "", "", *pair(each))
            yield _Line(labels, [one for one in before if pair(one) == pair(each)])
    for each in moved:
        entry = books.transactions[each.at]
        lot = f"{each.origin} of {each.lot.date}" if each.origin else ""
        event, other = str(entry.meta.get("event", "")), _counterparty(each, entry)
        of = (event, _what(each, entry), _flow(each, entry), other, each.pocket.value, lot)
        yield _Line((next(number), str(each.date), *of, *pair(each)), [each])


def _counterparty(moved: Movement, entry: Transaction) -> str:
    """Who gave what came, or got what went; "" where the operator did."""
    other = str(entry.meta.get("counterparty", ""))
    return (entry.payee or "") if other == moved.subscriber else other


def _flow(moved: Movement, entry: Transaction) -> str:
    """Why units came or went; those of a period that is cancelled at once end earlier from now."""
    return "cut short" if _AT_ONCE in entry.tags else moved.why or moved.flow.value


def _what(moved: Movement, entry: Transaction) -> str:
    """The narration, which is the giver's, as the receiver sees it."""
    if moved.flow is Flow.TRADED_IN:
        return received("Trade with", entry)
    if moved.flow is Flow.TRANSFERRED_IN:
        return received("Transfer from", entry)
    return entry.narration or ""


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
