"""The roll-forward: what was open, what came, what went, what is open now.

                opening  allocated  minted  traded in  traded out    used  closing
    alice  CU         0       2000       0          0        -500    -200     1300

In units and in money (the carrying amount: deferred revenue), so that the money's table is the
movement of the contract liability (ASC 606-10-50-8(a)). What comes in is above zero, what goes out
below it, and each row adds up to its closing. Opening lots that came after the books began
are a figure of their own (`entered.py`). Over all subscribers, and over both pockets, what only
moves is zero.

The same interval by interval, in one pass:

    month    currency  opening   added  released  otherwise  closing
    2026-05  USD          0.00  400.00   -240.00       0.00   160.00
    2026-06  USD        160.00  400.00   -280.00       0.00   280.00

Released is what was used or lapsed; `otherwise` went what was spent with partners, refunded or
removed by hand, and, of one subscriber, plan or pocket, what moved to another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal, localcontext
from functools import partial
from operator import attrgetter

from beancount_compute.economy import EARNED_BY_LOTS, WAYS, WIDE, ZERO, Flow, Pocket, Way
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.entered import Entered, begin_since, entered_in
from beancount_compute.reports.facts import Movement
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.fold import fold
from beancount_compute.reports.intervals import Interval, name_of, names_between
from beancount_compute.reports.tables import (
    CURRENCY,
    TOTAL,
    UNIT,
    Cell,
    Column,
    Measure,
    Table,
    written,
)

_MOVING = {flow: flow.key for flow in Flow if flow not in (Flow.OPENING, Flow.ENTERED)}
_BY = ("pocket", "plan", "subscriber")
_SUMS = ("units", "amount")
_MOVED, _OTHERWISE = "moved", "otherwise"
_PART_OF = {
    Way.OPENS: "opening",
    Way.ADDS: "added",
    Way.MOVES: _MOVED,
    Way.RELEASES: _OTHERWISE,
}
_PARTS = ("opening", "added", "released", _OTHERWISE, "closing")


def _figures(kind: Measure, entered: Entered, hidden: Collection[Flow]) -> tuple[Figure, ...]:
    hidden = {*hidden, *([Flow.EARNED] if kind is Measure.UNITS else [])}
    moving = {flow: key for flow, key in _MOVING.items() if flow not in hidden}
    flows = [Figure(key, flow.replace(" ", "\n", 1), kind) for flow, key in moving.items()]
    parts = ("opening", *entered.keys.values(), *moving.values())
    closing = Figure("closing", "closing", kind, parts)
    return (Figure("opening", "opening", kind), *entered.figures(kind), *flows, closing)


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    entered = entered_in(books, selection)
    hidden = books.hidden_flows
    return [
        Layout(
            f"{what}-by-{name}",
            f"Roll-forward of {words}, by {name}",
            (Column(name, name), unit),
            _figures(kind, entered, hidden),
            keeps_zeros=name == "pocket",
            adds_up=name != "pocket",  # which has its total among its rows
        )
        for name in _BY
        for what, words, unit, kind in (
            ("units", "units", UNIT, Measure.UNITS),
            ("money", "deferred revenue", CURRENCY, Measure.MONEY),
        )
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    by_subscriber = request.wants("units-by-subscriber", "money-by-subscriber")
    found = selection.movements(books, each=request.each or by_subscriber)
    keys = ("flow", "pocket", "origin", "commodity", "currency", "why")
    entered = entered_in(books, selection)
    for before, movements in zip((True, False), selection.split(found), strict=True):
        if by_subscriber:
            movements = request.fold(movements, ("subscriber", *keys), _SUMS)
            for each in movements:
                column = "opening" if before else entered.key_of(each)
                yield from _cells(each, "subscriber", each.subscriber, column)
        for each in request.fold(movements, keys, _SUMS):
            column = "opening" if before else entered.key_of(each)
            yield from _cells(each, "pocket", TOTAL, column)
            yield from _cells(each, "pocket", each.pocket.value, column)
            yield from _cells(each, "plan", each.origin, column)


def _cells(each: Movement, by: str, label: str, column: str) -> Iterator[Contribution]:
    if each.pocket is not Pocket.ACCESS:  # which is money, earned by time
        yield f"units-by-{by}", (label, each.commodity), column, each.units, each.at
    if each.currency:
        yield f"money-by-{by}", (label, each.currency), column, each.amount, each.at


ROLLFORWARD = Report(
    "rollforward",
    "Roll-forward of units and deferred revenue",
    _layouts,
    _contributions,
    of_sums=True,
)

Names = Callable[[date, date], list[str]]  # of the intervals from a day to another


def deferred_by(
    books: Books,
    selection: Selection,
    interval: Interval,
    names: Names | None = None,
    *,
    in_units: bool = False,
) -> Table:
    """The movement of deferred revenue, or of open units, in each interval of the selection.

    What only moves changes nothing in sum; of one subscriber, plan or pocket it comes or goes. All
    intervals between the first and the last are there, unless `names` gives others.
    """
    kind = Measure.UNITS if in_units else Measure.MONEY
    unit, number = ("commodity", "units") if in_units else ("currency", "amount")
    of, number_of = attrgetter(unit), attrgetter(number)
    sums: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    rows: list[tuple[Cell, ...]] = []
    with localcontext(WIDE):
        found = [
            each
            for each in selection.movements(books, each=False)
            if of(each) and number_of(each) and not (in_units and each.pocket is Pocket.ACCESS)
        ]
        before, since = selection.split(found)
        first_day = books.first_day if begin_since(books, selection.start) else None
        begins = name_of(interval, first_day) if first_day else None
        held = {of(each): number_of(each) for each in fold(before, (unit,), (number,))}
        for each in fold(since, ("date", "flow", unit), (number,)):
            held.setdefault(of(each), ZERO)
            name = name_of(interval, each.date)
            sums[_part_of(each.flow, name == begins), name, of(each)] += number_of(each)
        every = names or partial(names_between, interval)
        for name in _names(selection, since, every) if held else ():
            for each_unit in sorted(held):
                moves = sums[_MOVED, name, each_unit]
                opening, added, released, otherwise = [
                    sums[part, name, each_unit] for part in _PARTS[:-1]
                ]
                opening += held[each_unit]
                added, otherwise = added + max(moves, ZERO), otherwise + min(moves, ZERO)
                closing = held[each_unit] = opening + added + released + otherwise
                figures = (opening, added, released, otherwise, closing)
                rows.append((name, each_unit, *[written(kind, n, each_unit) for n in figures]))
    what, label = ("Open units", "unit") if in_units else ("Deferred revenue", "currency")
    labels = (Column("month", str(interval), Measure.DATE), Column("currency", label))
    columns = (*labels, *[Column(key, key, kind) for key in _PARTS])
    return Table(f"{what} by {interval}", columns, rows, f"deferred-by-{interval}")


def _part_of(flow: Flow, begins: bool) -> str:
    """The part that a flow is of an interval, in which the books may begin."""
    if flow is Flow.OPENING and not begins:
        flow = Flow.ENTERED
    return "released" if flow in EARNED_BY_LOTS else _PART_OF[WAYS[flow]]


def _names(selection: Selection, moved: Sequence[Movement], names: Names) -> list[str]:
    """The names of the intervals from the first day to the last; none where there is none."""
    first = selection.start or (moved[0].date if moved else None)
    last = selection.end or (moved[-1].date if moved else None)
    return names(first, last) if first and last else []
