"""Control totals of a source: how many rows of a kind it gave for a month, of how much.

    2026-05-31 custom "compute-control" "consumption" 1204 350123 CU
    2026-05-31 custom "compute-control" "trade" 12 4000 CU 512.00 USD

They are compared with the events as they are written, each id once, by the day on which they
occurred. What names a unit counts the events in it; what names money, those in that currency too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount_compute.economy.events import Event, Place
from beancount_compute.economy.kinds import EVENTS, KINDS, Kind
from beancount_compute.economy.measuring import with_units
from beancount_compute.economy.months import Month
from beancount_compute.economy.refusals import NotRead, Refusal
from beancount_compute.economy.rounding import WIDE, ZERO, round_money
from beancount_compute.economy.terms import Terms
from beancount_compute.economy.words import amount

_FIELDS = {kind: {name for form in KINDS[kind].forms for name in form.values} for kind in EVENTS}
WITH_UNITS = frozenset(kind for kind, names in _FIELDS.items() if "units" in names)
WITH_MONEY = frozenset(kind for kind, names in _FIELDS.items() if names & {"paid", "price"})


MonthOfKind = tuple[str, Kind]


class ControlTotal(NamedTuple):
    """What a source says that it gave for the month of a day."""

    date: date
    kind: Kind
    rows: int
    units: Decimal | None
    commodity: str  # "" for rows of any
    money: Decimal | None
    currency: str  # likewise
    place: Place


class Sold(NamedTuple):
    """What an event is about, where that can be told; or several that are about the same."""

    units: Decimal
    commodity: str
    money: Decimal
    currency: str
    rows: int = 1


def check_controls(
    controls: Iterable[ControlTotal],
    events: Iterable[Event],
    terms: Terms,
    unread: Collection[NotRead] = (),
) -> Iterator[Refusal]:
    """What the events say otherwise than the sources; rows may be missing for what is unread."""
    controls = list(controls)
    if controls:
        yield from check_sold(controls, sold_by_month(controls, events, terms), unread)


def sold_by_month(
    controls: Iterable[ControlTotal], events: Iterable[Event], terms: Terms
) -> dict[MonthOfKind, list[Sold]]:
    """What the events are about that controls count, each id once."""
    written: dict[MonthOfKind, list[Sold]] = {_key(control): [] for control in controls}
    if not written:
        return written
    seen: set[str] = set()
    with localcontext(WIDE):
        for event in events:
            found = written.get((Month.of(event.date).name, event.kind))
            if found is not None and event.id not in seen:
                found.append(_sold(event, terms))
                seen.update([event.id] if event.id else [])
    return written


def check_sold(
    controls: Iterable[ControlTotal],
    written: Mapping[MonthOfKind, Sequence[Sold]],
    unread: Collection[NotRead] = (),
) -> Iterator[Refusal]:
    """What is written otherwise than the sources say, by month and kind."""
    by_month: dict[MonthOfKind, list[ControlTotal]] = {}
    for control in controls:
        by_month.setdefault(_key(control), []).append(control)
    with localcontext(WIDE):
        for key, asked in by_month.items():
            for control in asked:
                counted = _counted(control, written[key])
                if differs := _difference(control, counted):
                    lacking = unread if control.rows > _rows_of(counted) else ()
                    yield Refusal(control.place, differs, _cause(key, lacking))


def _key(control: ControlTotal) -> MonthOfKind:
    return Month.of(control.date).name, control.kind


def _cause(key: MonthOfKind, lacking: Iterable[NotRead]) -> Place | None:
    """The first that can't be read and would have been counted."""
    month, kind = key
    return min((each.place for each in lacking if each.may_be(kind, month)), default=None)


def _sold(event: Event, terms: Terms) -> Sold:
    event = with_units(event, terms)
    units, money = event.units or ZERO, event.paid or ZERO
    commodity, currency = event.commodity, event.currency
    if event.kind is Kind.TRADE:
        money = round_money(units * (event.price or ZERO), currency)
    plan = terms.plan(event.plan, event.date) if event.kind is Kind.ALLOCATION else None
    if plan is not None:  # one period of it
        units = sum((line.units for line in plan.lines), ZERO)
        commodity = plan.lines[0].commodity if plan.lines else ""
        currency = plan.currency
        money = plan.less(event.discount).price if event.discount else plan.price
    return Sold(units, commodity, money, currency)


def _counted(control: ControlTotal, written: Iterable[Sold]) -> list[Sold]:
    """What a control counts of its month."""
    return [
        each
        for each in written
        if control.commodity in ("", each.commodity) and control.currency in ("", each.currency)
    ]


def _difference(control: ControlTotal, counted: list[Sold]) -> str:
    """What to say where the two differ; "" where they agree."""
    units = sum((each.units for each in counted), ZERO)
    money = sum((each.money for each in counted), ZERO)
    rows = _rows_of(counted)
    said, found, differ = [_rows(control.rows)], [_rows(rows)], []
    if more := control.rows - rows:
        differ.append(f"{'+' if more > 0 else '-'}{_rows(abs(more))}")
    for stated, is_there, name in (
        (control.units, units, control.commodity),
        (control.money, money, control.currency),
    ):
        if stated is None:
            continue
        said.append(amount(stated, name))
        found.append(amount(is_there, name))
        if stated != is_there:
            differ.append(f"{'+' if stated > is_there else ''}{amount(stated - is_there, name)}")
    if not differ:
        return ""
    return (
        f"{control.kind} of {Month.of(control.date).name}: the source says {', '.join(said)}; the "
        f"ledger has {', '.join(found)}: a difference of {', '.join(differ)}; look for rows that "
        "are missing, twice, or of another month"
    )


def _rows_of(counted: Iterable[Sold]) -> int:
    return sum(each.rows for each in counted)


def _rows(number: int) -> str:
    return f"{number:,} {'row' if number == 1 else 'rows'}"
