"""The roll-forward: what was open, what came, what went, what is open now.

                opening  allocated  minted  traded in  traded out    used  closing
    alice  CU         0       2000       0          0        -500    -200     1300

In units and in money (the carrying amount: deferred revenue), so that the money's table is the
movement of the contract liability (ASC 606-10-50-8(a)). What comes in is above zero, what goes out
below it, and each row adds up to its closing. Opening lots count as opening on whatever day they
were entered. Over all subscribers, and over both pockets, what only moves is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from beancount_compute.economy.kinds import Flow
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Movement
from beancount_compute.reports.figures import (
    Contribution,
    Figure,
    Layout,
    Report,
    Request,
)
from beancount_compute.reports.tables import Column, Measure

TOTAL = "total"
_KEYS = {flow: flow.value.replace(" ", "_") for flow in Flow}
_FLOWS = [flow for flow in Flow if flow is not Flow.OPENING]
_UNIT, _CURRENCY = Column("commodity", "unit"), Column("currency", "currency")
_BY = {
    "pocket": Column("pocket", "pocket"),
    "plan": Column("plan", "plan"),
    "subscriber": Column("subscriber", "subscriber"),
}


def _figures(kind: Measure) -> tuple[Figure, ...]:
    flows = [Figure(_KEYS[flow], flow.value.replace(" ", "\n", 1), kind) for flow in _FLOWS]
    return (
        Figure("opening", "opening", kind),
        *flows,
        Figure("closing", "closing", kind, ("opening", *[_KEYS[flow] for flow in _FLOWS])),
    )


def _layouts(*_: object) -> list[Layout]:
    return [
        Layout(
            f"{what}-by-{name}",
            f"Roll-forward of {words}, by {name}",
            (label, unit),
            _figures(kind),
            keeps_zeros=name == "pocket",
        )
        for name, label in _BY.items()
        for what, words, unit, kind in (
            ("units", "units", _UNIT, Measure.UNITS),
            ("money", "deferred revenue", _CURRENCY, Measure.MONEY),
        )
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    start = selection.start or date.min
    by_subscriber = request.wants(*_names("subscriber"))
    found = selection.movements(books, each=request.each or by_subscriber)
    if by_subscriber:
        if not request.each:
            found = _alike_added_up(found, start)
        for one in found:
            yield from _cells(one, "subscriber", one.subscriber, start)
    if request.wants(*_names("pocket", "plan")):
        if not request.each:
            found = _alike_added_up([one._replace(subscriber="") for one in found], start)
        for one in found:
            yield from _cells(one, "pocket", TOTAL, start)
            yield from _cells(one, "pocket", one.pocket.value, start)
            yield from _cells(one, "plan", one.origin, start)


def _names(*by: str) -> list[str]:
    return [f"{what}-by-{name}" for what in ("units", "money") for name in by]


def _cells(each: Movement, by: str, label: str, start: date) -> Iterator[Contribution]:
    column = "opening" if each.date < start else _KEYS[each.flow]
    yield f"units-by-{by}", (label, each.commodity), column, each.units, each.at
    if each.currency:
        yield f"money-by-{by}", (label, each.currency), column, each.amount, each.at


def _alike_added_up(movements: Iterable[Movement], start: date) -> list[Movement]:
    """The movements before and from the first day on, with those added up that rows don't tell."""
    found: dict[tuple[object, ...], tuple[Movement, list[Decimal]]] = {}
    for movement in movements:
        # fmt: off
        (
            day, _, flow, subscriber, pocket, origin, commodity, units, currency, amount, _, _, _, _
        ) = movement
        # fmt: on
        key = (day >= start, flow, subscriber, pocket, origin, commodity, currency)
        known = found.get(key)
        if known is None:
            found[key] = (movement, [units, amount])
        else:
            _, sums = known
            sums[0] += units
            sums[1] += amount
    return [
        movement._replace(units=units, amount=amount, at=SUMMED)
        for movement, (units, amount) in found.values()
    ]


ROLLFORWARD = Report(
    "rollforward", "Roll-forward of units and deferred revenue", _layouts, _contributions
)
