"""How some subscribers stand at the end of a month in bulk: what they hold, and on which plans.

    alice  CU  USD  1300 units, 500 of them tokens, at 260.00, the next to end on 2026-07-01
           pro, running; of the 1000 CU of its period 620 are used

As of the last day of the month. Figures are those that `fava_extension/prepared/` works out of a
ledger's transactions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount_compute.bulk.looking_up.lookup import FoundRow, MonthFiles
from beancount_compute.close.standing import Status
from beancount_compute.economy import WIDE, ZERO, Kind, Pocket, trim

_PairOfUnits = tuple[str, str]  # commodity, currency of its cost
_GIVES = (Kind.ALLOCATION, Kind.CHANGE)  # a change of plan, of the new one's short period
_OfPeriod = tuple[str, str]  # subscriber, plan


class BulkStanding(NamedTuple):
    """What one subscriber holds of one unit and currency, with the plans."""

    subscriber: str
    commodity: str
    currency: str
    units: Decimal
    tokens: Decimal  # of the units
    carrying: Decimal
    end: date | None  # of the lot that ends next
    plans: tuple[str, ...]  # in force; where none is, the last one that was
    status: Status
    allocated: Decimal  # for the periods that cover the day
    used: Decimal  # of these units


class _PeriodUse(NamedTuple):
    commodity: str
    currency: str
    allocated: Decimal
    used: Decimal


def standings(
    months: Sequence[MonthFiles], names: Sequence[str], plan: str = ""
) -> list[BulkStanding]:
    """The rows of some subscribers at the end of the last month, in the order of the names.

    The months before tell what was used of a period that began in one of them.
    """
    last = months[-1]
    lots = _by_name(last.rows("lots", names), "origin", plan)
    running = _by_name(last.rows("subscriptions", names), "plan", plan)
    with localcontext(WIDE):
        uses = _uses(months, running)
        return [
            row
            for name in names
            for row in _rows_of(name, lots[name], running[name], uses[name], last.month.last)
        ]


def _by_name(rows: Iterable[FoundRow], key: str, plan: str) -> defaultdict[str, list[FoundRow]]:
    found: defaultdict[str, list[FoundRow]] = defaultdict(list)
    for row in rows:
        if plan in ("", row[key]):
            found[row["subscriber"]].append(row)
    return found


def _rows_of(
    name: str, lots: list[FoundRow], running: list[FoundRow], uses: list[_PeriodUse], last: date
) -> list[BulkStanding]:
    plans, status = _plans(running, last)
    pairs = {(lot["commodity"], lot["currency"]) for lot in lots}
    pairs |= {(use.commodity, use.currency) for use in uses}
    found = []
    for commodity, currency in sorted(pairs) or [("", "")]:
        held = [x for x in lots if (x["commodity"], x["currency"]) == (commodity, currency)]
        of_unit = [use for use in uses if use.commodity == commodity]
        found.append(
            BulkStanding(
                name,
                commodity,
                currency,
                sum([lot["units"] for lot in held], ZERO),
                sum([lot["units"] for lot in held if lot["pocket"] == Pocket.TOKENS], ZERO),
                sum([lot["units"] * lot["cost"] for lot in held], ZERO),
                min([lot["end"] for lot in held if lot["end"]], default=None),
                plans,
                status,
                sum([use.allocated for use in of_unit], ZERO),
                sum([use.used for use in of_unit], ZERO),
            )
        )
    return found


def _plans(running: list[FoundRow], last: date) -> tuple[tuple[str, ...], Status]:
    """The plans in force, or the last one that was, and how they stand."""
    if not running:
        return (), Status.NONE
    now = [each for each in running if each["period_end"] > last]
    if not now:
        newest = max(running, key=lambda each: each["period_end"])
        return (newest["plan"],), Status.ENDED
    goes_on = any(not each["ended"] for each in now)
    plans = tuple(dict.fromkeys(each["plan"] for each in now))
    return plans, Status.RUNNING if goes_on else Status.CANCELLED


def _uses(
    months: Sequence[MonthFiles], running: defaultdict[str, list[FoundRow]]
) -> defaultdict[str, list[_PeriodUse]]:
    """What was allocated for each period that covers the last day, and what of it was used."""
    last = months[-1].month.last
    waiting = {
        (name, each["plan"]): each["start"]
        for name, of_name in running.items()
        for each in of_name
        if each["period_end"] > last
    }
    moved: defaultdict[_OfPeriod, list[FoundRow]] = defaultdict(list)
    found: defaultdict[str, list[_PeriodUse]] = defaultdict(list)
    for files in reversed(months):
        names = sorted({name for name, _ in waiting})
        for row in files.rows("movements", names, f"role = '{Pocket.ALLOCATIONS}'"):
            if (row["subscriber"], row["origin"]) in waiting:
                moved[row["subscriber"], row["origin"]].append(row)
        for key in list(waiting):
            first = _first_day(moved[key])
            if first is not None:
                found[key[0]] += _of_period(moved[key], first)
            if first is not None or waiting[key] >= files.month.first:
                del waiting[key]
    return found


def _first_day(moved: Iterable[FoundRow]) -> date | None:
    """The first day of the newest period."""
    return max([row["date"] for row in moved if row["kind"] in _GIVES], default=None)


def _of_period(moved: Iterable[FoundRow], first: date) -> list[_PeriodUse]:
    allocated: defaultdict[_PairOfUnits, Decimal] = defaultdict(Decimal)
    used: defaultdict[_PairOfUnits, Decimal] = defaultdict(Decimal)
    for row in moved:
        if row["date"] != first:
            continue
        pair = row["commodity"], row["currency"]
        if row["kind"] in _GIVES or row["undoes"] == Kind.ALLOCATION:
            allocated[pair] += row["units_in"] - row["units_out"]
        elif row["kind"] == Kind.CONSUMPTION:
            used[pair] += row["units_out"]
        elif row["undoes"] == Kind.CONSUMPTION:
            used[pair] -= row["units_in"]
    return [
        _PeriodUse(*pair, trim(units, 0), trim(used[pair], 0))
        for pair, units in allocated.items()
        if units
    ]
