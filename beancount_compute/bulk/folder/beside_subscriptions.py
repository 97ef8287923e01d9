"""What stands beside a subscription, in one text of `subscriptions.parquet`, and the way back.

    arrears,s-1,period,2026-05-01,2026-05-01,2026-06-01
    beyond,s-1/2026-01-01,2026-01-01,2027-01-01           the period, of a plan that is charged anew
    beyond,2026-02-10,75                                  units beyond the holdings, by day
    days,1.00,USD,2026-05-12,pro,2026-06-01               a lot of access that a change cut short

It is written as the state of a closed month is. Most subscriptions have nothing beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from beancount_compute.closed.frozen_state import StateRow, read_rows_of_state, state_text
from beancount_compute.closed.running_rows import rows_beside, with_row
from beancount_compute.economy import Key, UsedInPeriod, day_text, digits_of
from beancount_compute.economy.carried import Carried, Running

_BEYOND, _DAYS = "beyond", "days"


def texts_beside(carried: Carried) -> Iterator[str | None]:
    """What stands beside each subscription; None for nothing."""
    beyond, by_days = dict(carried.beyond), [*carried.by_days]
    if not beyond and not by_days:
        yield from (state_text([*rows_beside(each)]) or None for each in carried.subscriptions)
        return
    subscriptions = [*carried.subscriptions]
    newest = {(each.subscriber, each.plan): at for at, each in enumerate(subscriptions)}
    for at, each in enumerate(subscriptions):
        rows = [*rows_beside(each)]
        of = each.subscriber, each.plan
        if of in beyond and newest[of] == at:
            rows += _rows_of_period(beyond[of])
        if each.earlier:
            of_holder = [lot for lot in by_days if lot[0] == each.subscriber]
            rows += [[_DAYS, *_cells(key)] for _, key in of_holder]
            by_days = [lot for lot in by_days if lot[0] != each.subscriber]
        yield state_text(rows) or None


def with_beside(carried: Carried, texts: Sequence[str | None]) -> Carried:
    """The state with what stands beside its subscriptions."""
    if not any(texts):
        return carried
    running: list[Running] = []
    beyond: dict[tuple[str, str], UsedInPeriod] = {}
    by_days: list[tuple[str, Key]] = []
    for each, text in zip(carried.subscriptions, texts, strict=True):
        uses: list[StateRow] = []
        for kind, *row in read_rows_of_state(text or ""):
            if kind == _BEYOND:
                uses.append(row)
            elif kind == _DAYS:
                by_days.append((each.subscriber, _key(*row)))
            else:
                each = with_row(each, kind, *row)
        if uses:
            beyond[each.subscriber, each.plan] = _period_of(uses)
        running.append(each)
    return carried._replace(subscriptions=running, beyond=beyond, by_days=by_days)


def _rows_of_period(used: UsedInPeriod) -> Iterator[StateRow]:
    yield [_BEYOND, used.id, day_text(used.first), day_text(used.end)]
    for day, units in used.units.items():
        yield [_BEYOND, day_text(day), digits_of(units)]


def _period_of(rows: Sequence[StateRow]) -> UsedInPeriod:
    (name, first, end), *uses = rows
    found = UsedInPeriod(name, date.fromisoformat(first), date.fromisoformat(end))
    for day, units in uses:
        found.add(date.fromisoformat(day), Decimal(units))
    return found


def _cells(key: Key) -> StateRow:
    cost, currency, day, origin, end = key
    assert end is not None  # access has one
    return [digits_of(cost), currency, day_text(day), origin, day_text(end)]


def _key(cost: str, currency: str, day: str, origin: str, end: str) -> Key:
    return Decimal(cost), currency, date.fromisoformat(day), origin, date.fromisoformat(end)
