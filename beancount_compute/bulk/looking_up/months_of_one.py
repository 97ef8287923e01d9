"""What months in bulk have of one subscriber: what moved, was charged and earned, and is held.

    2026-05  allocated  allocations  pro of 2026-05-01   1000 CU
    2026-05  used       allocations  pro of 2026-05-01   -620 CU
    2026-05  allocation, pro: receivable 200.00 USD

Flows are named as reports on single transactions name them.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount_compute.bulk.looking_up.lookup import FoundRow, MonthFiles
from beancount_compute.economy import (
    EARNINGS,
    KINDS,
    WIDE,
    ZERO,
    Flow,
    Kind,
    Pocket,
    Role,
    decimals_of,
    trim,
)
from beancount_compute.reports.bills_and_payments import entry_of

_OWED = (Role.RECEIVABLE, Role.UNBILLED, Role.PAYABLE)  # of subscribers
_POCKETS = {pocket.value: pocket for pocket in Pocket}


class LotThere(NamedTuple):
    """A lot in a pocket."""

    pocket: str
    commodity: str
    cost: Decimal
    currency: str
    date: datetime.date
    origin: str
    end: datetime.date | None


class MovedThere(NamedTuple):
    """Units that one flow moved of one lot in a month; below zero where they left."""

    month: str
    flow: Flow
    lot: LotThere
    units: Decimal


class ChargedThere(NamedTuple):
    """What one kind put on the subscriber's receivable, unbilled or payable in a month."""

    month: str
    entry: str
    plan: str
    role: Role
    currency: str
    amount: Decimal  # a debit is above zero


class EarnedThere(NamedTuple):
    """What one kind earned of the subscriber in a month."""

    month: str
    role: Role
    plan: str
    currency: str
    amount: Decimal


class MonthsOfOne(NamedTuple):
    """What some months have of one subscriber, month by month."""

    opening: Mapping[LotThere, Decimal]
    moved: list[MovedThere]
    charged_before: list[ChargedThere]  # in the months in front of these
    charged: list[ChargedThere]
    earned: list[EarnedThere]
    closing: Mapping[LotThere, Decimal]
    subscriptions: list[FoundRow]


def months_of_one(
    before: Sequence[MonthFiles], months: Sequence[MonthFiles], name: str, plan: str = ""
) -> MonthsOfOne:
    """What months have of a subscriber, or of one plan of theirs; `before` are those in front.

    Where no month is in front, the first opens with what its movements leave of its end, so what
    people entered by hand until then is in it. Later that is a flow of its own.
    """
    with localcontext(WIDE):
        return _read(before, months, name, plan)


def _read(
    before: Sequence[MonthFiles], months: Sequence[MonthFiles], name: str, plan: str
) -> MonthsOfOne:
    held = _held(before[-1], name, plan) if before else None
    opening = held
    moved: list[MovedThere] = []
    rows_of: dict[str, list[FoundRow]] = {}
    for files in months:
        month = files.month.name
        rows = rows_of[month] = files.rows("movements", [name])
        of_lots = list(_flows(month, [row for row in rows if plan in ("", row["origin"])]))
        closing = _held(files, name, plan)
        since = _added(closing, [(each.lot, -each.units) for each in of_lots])
        if held is None or opening is None:
            opening = held = since
        moved += sorted([*of_lots, *_by_hand(month, held, since)], key=_place)
        held = closing
    assert opening is not None and held is not None
    earlier = [(files.month.name, files.rows("movements", [name])) for files in before]
    return MonthsOfOne(
        opening,
        moved,
        [each for month, rows in earlier for each in _charged(month, rows)],
        [each for month, rows in rows_of.items() for each in _charged(month, rows)],
        [each for month, rows in rows_of.items() for each in _earned(month, rows, plan)],
        held,
        [r for r in months[-1].rows("subscriptions", [name]) if plan in ("", r["plan"])],
    )


def _held(files: MonthFiles, name: str, plan: str) -> dict[LotThere, Decimal]:
    rows = [row for row in files.rows("lots", [name]) if plan in ("", row["origin"])]
    return _added({}, [(_lot(row, row["pocket"]), row["units"]) for row in rows])


def _lot(row: FoundRow, pocket: str) -> LotThere:
    cost = trim(row["cost"], decimals_of(row["currency"]))
    return LotThere(pocket, *[{**row, "cost": cost}[name] for name in LotThere._fields[1:]])


def _added(
    held: Mapping[LotThere, Decimal], more: Iterable[tuple[LotThere, Decimal]]
) -> dict[LotThere, Decimal]:
    found = defaultdict(Decimal, held)
    for lot, units in more:
        found[lot] += units
    return {lot: units for lot, units in found.items() if units}


def _flows(month: str, rows: Iterable[FoundRow]) -> Iterator[MovedThere]:
    """What moved; a reversal moves back under the name of what it undoes.

    Of access that left its lot by a change, what was earned until then is told apart.
    """
    rows = [*rows]
    earned = {_access(row): row["amount"] for row in rows if _is_earned_until(row)}
    for row in rows:
        if row["role"] in _POCKETS:
            undoes = bool(row["undoes"])
            flows = KINDS[Kind(row["undoes"] or row["kind"])].moves[_POCKETS[row["role"]]]
            lot, left = _lot(row, row["role"]), -row["units_out"]
            if row["kind"] == Kind.CHANGE and lot.pocket == Pocket.ACCESS:
                part = earned.get(_access(row), ZERO)
                left -= part
                if part:
                    yield MovedThere(month, Flow.EARNED, lot, part)
            for units, out in ((row["units_in"], False), (left, True)):
                if units:
                    flow = flows.out if out is not undoes else flows.into
                    yield MovedThere(month, flow, lot, units)


def _is_earned_until(row: FoundRow) -> bool:
    return bool(
        row["kind"] == Kind.CHANGE
        and row["role"] == Role.ACCESS_REVENUE
        and row["date"] is not None
    )


def _access(row: FoundRow) -> tuple[object, ...]:
    return row["currency"], row["date"], row["origin"], row["end"]


def _by_hand(
    month: str, held: Mapping[LotThere, Decimal], since: Mapping[LotThere, Decimal]
) -> Iterator[MovedThere]:
    """What no event tells: what the month began with, beside what it goes back to."""
    for lot, units in _added(since, [(lot, -units) for lot, units in held.items()]).items():
        yield MovedThere(month, Flow.ENTERED if units > 0 else Flow.REMOVED, lot, units)


def _place(moved: MovedThere) -> tuple[object, ...]:
    """In the order of the roll-forward; what comes stands before what leaves."""
    lot = moved.lot
    return (_FLOWS[moved.flow], moved.units < ZERO, lot.pocket, lot.date, lot[1:4], lot.origin)


def _charged(month: str, rows: Iterable[FoundRow]) -> Iterator[ChargedThere]:
    for row in rows:
        if row["role"] in _OWED:
            of = (_entry(row), row["origin"], Role(row["role"]), row["currency"], row["amount"])
            yield ChargedThere(month, *of)


def _entry(row: FoundRow) -> str:
    """What was charged, named as in statements of single transactions."""
    kind = row["undoes"] or row["kind"]
    word = entry_of(kind, row["origin"])
    if kind == Kind.TRADE:
        word = "purchase" if row["role"] == Role.RECEIVABLE else "sale"
    if kind == Kind.INVOICE and row["role"] == Role.UNBILLED:
        word = "invoiced"
    return f"{word}, reversed" if row["undoes"] else word


def _earned(month: str, rows: Iterable[FoundRow], plan: str) -> Iterator[EarnedThere]:
    for row in rows:
        if row["role"] in EARNINGS and plan in ("", row["origin"]):
            of = (Role(row["role"]), row["origin"], row["currency"], -row["amount"])
            yield EarnedThere(month, *of)


_FLOWS = {flow: at for at, flow in enumerate(Flow)}
