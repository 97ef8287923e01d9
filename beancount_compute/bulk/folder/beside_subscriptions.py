"""What stands beside a subscription, in one text of `subscriptions.parquet`, and the way back.

    arrears,s-1,period,2026-05-01,2026-05-01,2026-06-01
    beyond,s-1/2026-01-01,2026-01-01,2027-01-01           the period, of a plan that is charged anew
    beyond,2026-02-10,75                                  units beyond the holdings, by day
    days,1.00,USD,2026-05-12,pro,2026-06-01               a lot of access that a change cut short
    beside,a-1,,2026-05-12,2026-06-11,200.00,USD,...      an allocation that may share its lots
    gave,1000,CU,0.20,,                                   units of a lot, the end of access, "over"
    gone,r-1,20.00,0,,of-money                            what an event took of it
    took,100,0                                            units, of the first that it gave

It is written as the state of a closed month is. Most subscriptions have nothing beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import takewhile

from beancount_compute.closed.frozen_state import StateRow, read_rows_of_state, state_text
from beancount_compute.closed.running_rows import rows_beside, with_row
from beancount_compute.economy import (
    Allocation,
    Family,
    Gone,
    Key,
    MoneyBack,
    UsedInPeriod,
    day_text,
    digits_of,
)
from beancount_compute.economy.carried import Carried, Running

_BEYOND, _DAYS = "beyond", "days"
_OF_ALLOCATIONS = _BESIDE, _GAVE, _GONE, _TOOK = "beside", "gave", "gone", "took"


def texts_beside(carried: Carried) -> Iterator[str | None]:
    """What stands beside each subscription; None for nothing."""
    beyond, by_days = dict(carried.beyond), [*carried.by_days]
    back = carried.money_back
    beside = dict(back.beside(carried.last_day)) if back is not None else {}
    if not beyond and not by_days and not beside:
        yield from (state_text([*rows_beside(each)]) or None for each in carried.subscriptions)
        return
    subscriptions = [*carried.subscriptions]
    newest = {(each.subscriber, each.plan): at for at, each in enumerate(subscriptions)}
    for at, each in enumerate(subscriptions):
        rows = [*rows_beside(each)]
        of = each.subscriber, each.plan
        if newest[of] == at:
            rows += _rows_of_period(beyond[of]) if of in beyond else ()
            for allocation in beside.get(of, ()):
                rows += _rows_of_allocation(allocation)
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
    back = MoneyBack(())
    for each, text in zip(carried.subscriptions, texts, strict=True):
        uses: list[StateRow] = []
        others: list[StateRow] = []
        for kind, *row in read_rows_of_state(text or ""):
            if kind == _BEYOND:
                uses.append(row)
            elif kind == _DAYS:
                by_days.append((each.subscriber, _key(*row)))
            elif kind in _OF_ALLOCATIONS:
                others.append([kind, *row])
            else:
                each = with_row(each, kind, *row)
        if uses:
            beyond[each.subscriber, each.plan] = _period_of(uses)
        for allocation, day in _allocations_of(others, each):
            back.take_over(allocation, day)
        running.append(each)
    carried = carried._replace(money_back=back) if [*back.beside(carried.last_day)] else carried
    return carried._replace(subscriptions=running, beyond=beyond, by_days=by_days)


def _rows_of_allocation(each: Allocation) -> Iterator[StateRow]:
    families = [*each.gave]
    ends = [each.last_day, digits_of(each.price), each.currency, _day_or_none(each.until)]
    yield [_BESIDE, each.id, each.subscription, day_text(families[0].date), *ends]
    for family, units in each.gave.items():
        of = [family.commodity, digits_of(family.cost), _day_or_none(family.end)]
        yield [_GAVE, digits_of(units), *of, "over" * (family in each.ended)]
    for event_id, gone in each.gone.items():
        marks = ["void" * gone.void, "of-money" * gone.of_money]
        yield [_GONE, event_id, digits_of(gone.money), digits_of(gone.moved_on), *marks]
        for family, units in gone.units.items():
            yield [_TOOK, digits_of(units), str(families.index(family))]


def _allocations_of(
    rows: Sequence[StateRow], running: Running
) -> Iterator[tuple[Allocation, date]]:
    """The allocations of rows, each with its day."""
    for at, (kind, *cells) in enumerate(rows):
        if kind == _BESIDE:
            name, subscription, day, last_day, price, currency, until = cells
            found = Allocation(
                name,
                running.subscriber,
                running.plan,
                currency,
                Decimal(price),
                {},
                date.fromisoformat(until) if until else None,
                subscription,
                last_day,
            )
            for kind, *cells in takewhile(lambda row: row[0] != _BESIDE, rows[at + 1 :]):
                _add_row(found, date.fromisoformat(day), kind, *cells)
            yield found, date.fromisoformat(day)


def _add_row(found: Allocation, day: date, kind: str, *cells: str) -> None:
    if kind == _GAVE:
        units, commodity, cost, end, over = cells
        lot = commodity, Decimal(cost), found.currency, day, found.origin
        family = Family(found.payer, *lot, date.fromisoformat(end) if end else None)
        found.gave[family] = Decimal(units)
        if over:
            found.ended |= {family}
    elif kind == _GONE:
        name, money, moved_on, void, of_money = cells
        gone = Gone(Decimal(money), {}, Decimal(moved_on), bool(void), bool(of_money))
        found.gone[name] = gone
    else:
        units, at = cells
        [*found.gone.values()][-1].units[[*found.gave][int(at)]] = Decimal(units)


def _day_or_none(day: date | None) -> str:
    return day_text(day) if day else ""


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
