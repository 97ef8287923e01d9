"""What was used beyond the holdings in closed months, where open days charge it anew.

    2026-02-10  a use of 75 CU, at 480.00 each; February is closed
    2026-04-01  the plan's price is 432.00, since 2026-01-01      ->  75 CU of 2026-02-10

Read from the frozen events and from what their transactions took of lots: only where the ledger has
such a line, of those whose period is running, since that period's first day.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.closed.frozen_months import Closed, FrozenMonth
from beancount_compute.economy import (
    WIDE,
    ZERO,
    Event,
    Kind,
    LotLeg,
    Month,
    Role,
    Terms,
    UsedInPeriod,
    content_id,
    plan_of_day,
)
from beancount_compute.economy.carried import Carried, Running, running_period
from beancount_compute.economy.measuring import with_units
from beancount_compute.economy.rules.newest_plan import plan_of_overage
from beancount_compute.economy.state import OverageBooked, Undo
from beancount_compute.ledger import Accounts, Meaning, kind_of_tags


class UseBeyond(NamedTuple):
    """Units of one use beyond the holdings; below zero where it is undone."""

    id: str
    subscriber: str
    plan: str
    day: date
    units: Decimal


def with_used_beyond(carried: Carried, terms: Terms, closed: Closed, accounts: Accounts) -> Carried:
    """The state with what running periods used, of plans that open lines charge anew."""
    last = closed.last_day
    plans = {
        name
        for name in terms.charged_anew
        if any(line.overage_since and line.since > last for line in terms.plans[name])
    }
    used: dict[tuple[str, str], UsedInPeriod] = {}
    for each in carried.subscriptions:
        if each.plan in plans and last < each.period_end:
            first, end = running_period(terms, each, last)
            used[each.subscriber, each.plan] = UsedInPeriod(f"{each.id}/{first}", first, end)
    if used:
        reader = _ClosedUses(terms, closed, accounts, carried)
        holders = {name for name, _ in used}
        for use in reader.uses(holders, min(each.first for each in used.values())):
            period = used.get((use.subscriber, use.plan))
            if period is not None:
                period.add(use.day, use.units)
    return carried._replace(beyond=used)


def with_units_beyond(
    undo: Mapping[str, Undo], terms: Terms, closed: Closed, accounts: Accounts, carried: Carried
) -> dict[str, Undo]:
    """What open reversals undo, with the units of uses that were charged anew, or may be."""
    found = dict(undo)
    if not terms.charged_anew:
        return found
    asked = {name: each.entry for name, each in undo.items() if each.entry.overage}
    holders = {entry.subscriber for entry in asked.values()}
    days = [undo[name].day for name in asked]
    uses = _ClosedUses(terms, closed, accounts, carried).uses(holders, min(days)) if days else ()
    for use in uses:
        plan = terms.plan(use.plan, use.day)
        if use.id not in asked or use.units < 0 or plan is None or plan.overage is None:
            continue
        if use.plan in terms.charged_anew:
            of = (use.subscriber, use.plan, plan.overage.currency, use.day.year, use.day.month)
            booked = OverageBooked(of, ZERO, ZERO, use.units)
            found[use.id] = replace(found[use.id], overage=booked)
    return found


class _ClosedUses:
    """Reads the uses of closed months."""

    def __init__(self, terms: Terms, closed: Closed, accounts: Accounts, carried: Carried) -> None:
        self._terms, self._closed = terms, closed
        names = {accounts.component(name): name for name in carried.known}
        self._meaning = Meaning(accounts, names)
        self._running: defaultdict[str, list[Running]] = defaultdict(list)
        for each in carried.subscriptions:
            self._running[each.subscriber].append(each)

    def uses(self, holders: Collection[str], since: date) -> Iterator[UseBeyond]:
        """The uses of some subscribers, booked in the month of a day or later."""
        found: dict[str, UseBeyond] = {}
        for month in self._closed.months:
            if Month.parse(month.name) < Month.of(since):
                continue
            events = _UsesOfMonth(month, holders)
            for entry in month.text.booked:
                if not isinstance(entry, Transaction) or entry.payee not in holders:
                    continue
                kind = kind_of_tags(entry.tags)
                if kind == Kind.CONSUMPTION:
                    for use in self._of(entry, events.of(entry)):
                        found[use.id] = use
                        yield use
                elif kind == Kind.REVERSAL and entry.meta.get("reverses") in found:
                    use = found[entry.meta["reverses"]]
                    yield use._replace(units=-use.units)

    def _of(self, entry: Transaction, events: list[tuple[str, Event]]) -> Iterator[UseBeyond]:
        """The uses of a transaction: lots give until they are empty, all else is beyond."""
        read = self._meaning.entry_of(entry)
        if read is None or not read.overage:
            return
        left: defaultdict[str, Decimal] = defaultdict(Decimal)
        for leg in read.legs:
            if isinstance(leg, LotLeg) and leg.units > 0:
                left[leg.lot.commodity] = WIDE.add(left[leg.lot.commodity], leg.units)
        plans = {leg.origin for leg in read.legs if leg[0] is Role.OVERAGE}
        for event_id, written in events:
            event = with_units(written, self._terms)
            units, commodity = event.units or ZERO, event.commodity
            taken = min(units, left[commodity])
            left[commodity] = WIDE.subtract(left[commodity], taken)
            plan = self._plan_of(event, plans)
            if units > taken and plan:
                beyond = WIDE.subtract(units, taken)
                yield UseBeyond(event_id, event.subscriber, plan, event.date, beyond)

    def _plan_of(self, event: Event, billed: Collection[str]) -> str:
        """The plan under which a use falls: one of those `billed`, where something was."""
        running = [
            (each.start, plan)
            for each in self._running[event.subscriber]
            if each.start <= event.date
            and (not each.ended or event.date < each.period_end)
            and (on := plan_of_day(each.plan, each.earlier, event.date))
            and (not billed or on in billed)
            and (plan := self._terms.plan(on, event.date)) is not None
            and plan.sells(event.commodity)
        ]
        return plan_of_overage(running).name if running else ""


class _UsesOfMonth:
    """The uses of a month, in the order of the books, with their ids."""

    def __init__(self, month: FrozenMonth, holders: Collection[str]) -> None:
        self._late: dict[str, Event] = {}
        rows: list[Event] = []
        for event, booked in month.events:
            if event.kind is Kind.CONSUMPTION and event.subscriber in holders:
                if booked is None:
                    rows.append(event)
                else:
                    self._late[event.id] = event
        of: defaultdict[str, list[tuple[str, Event]]] = defaultdict(list)
        for event_id, event in _with_ids(sorted(rows)):
            of[event.subscriber].append((event_id, event))
        self._next = {name: iter(events) for name, events in of.items()}

    def of(self, entry: Transaction) -> list[tuple[str, Event]]:
        """Those of a transaction, which may hold several."""
        event_id = str(entry.meta.get("event", ""))
        if "occurred" in entry.meta:
            return [(event_id, self._late[event_id])] if event_id in self._late else []
        many = entry.meta.get("events", 1)
        return list(islice(self._next.get(entry.payee or "", iter(())), int(many)))


def _with_ids(events: Iterable[Event]) -> Iterator[tuple[str, Event]]:
    """Events with their ids; of the same content without one each has a number, as in the books."""
    repeats: Counter[str] = Counter()
    for event in events:
        event_id = event.id
        if not event_id:
            event_id = content_id(event)
            repeats[event_id] += 1
            if repeats[event_id] > 1:
                event_id += f"-{repeats[event_id]}"
        yield event_id, event
