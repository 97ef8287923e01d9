"""The engine's own way: the events and the state of a shard in, its books as tables out.

    rows of Arrow, lots and subscriptions of the month before   ->   movements, lots, refused ...

A function of Arrow to Arrow, so that it runs here, in another process, or on Spark.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkError, BulkTerms
from beancount_compute.bulk.by_engine.charging_anew import units_charged_anew, with_charged_anew
from beancount_compute.bulk.by_engine.leg_details import LegDetails
from beancount_compute.bulk.by_engine.leg_sums import LegSums
from beancount_compute.bulk.by_engine.served_uses import MeterDay, ServedUses
from beancount_compute.bulk.by_engine.sold_rows import sold_table
from beancount_compute.bulk.by_engine.sums_of_uses import MeteredUses
from beancount_compute.bulk.folder.month_tables import (
    DETAIL,
    Tables,
    by_hand_table,
    days_table,
    movements_table,
    prices_table,
    refused_table,
    table_of,
    trades_table,
)
from beancount_compute.bulk.folder.operator_journal import (
    entries_of_operator,
    operator_journal_table,
)
from beancount_compute.bulk.folder.operator_state import costs_table
from beancount_compute.bulk.folder.state_tables import StateTables, carried_from, state_tables
from beancount_compute.bulk.rows.arrow_events import ReadRows, read_rows
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import (
    COUNTED_BACK,
    Event,
    Facts,
    JournalEntry,
    Kind,
    MoneyBack,
    Place,
    Refusal,
    in_full,
    sold_by_month,
)
from beancount_compute.economy.carried import Carried
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.rules.evening import Evening
from beancount_compute.economy.state import Undo
from beancount_compute.ledger import refuse_ids_of_periods


class OperatorPart(NamedTuple):
    """What makes of a shard the operator's own: what all others hand out to it."""

    served: ServedUses
    costs: Sequence[JournalEntry]  # of earlier months, for the days of which uses are taken back


class Shard(NamedTuple):
    """What is booked in one piece: subscribers whom nothing ties to those of another."""

    names: pa.Array  # of all of them, whether or not anything happens to them
    rows: pa.Table
    state: StateTables | None  # None where the books begin with this month
    undo: Mapping[str, Undo] = MappingProxyType({})  # of earlier months, which reversals name
    detail: bool = False  # whether its legs are told one by one
    operator: OperatorPart | None = None
    one_by_one: frozenset[MeterDay] = frozenset()  # of whose uses each is wanted


class ShardBooks(NamedTuple):
    """The books of a shard, and how many rows became what."""

    tables: Tables
    counts: dict[str, int]


def book_shard(shard: Shard, bulk: BulkTerms) -> ShardBooks:
    """Book a shard; raises `BulkError` for an event of another month."""
    with no_cyclic_garbage():
        return _book(shard, bulk)


def _book(shard: Shard, bulk: BulkTerms) -> ShardBooks:
    read = read_rows(shard.rows, bulk.zone)
    _check_days(read.events, bulk)
    served = shard.operator.served if shard.operator else ServedUses(shard.one_by_one)
    evening = served.taken_in if shard.operator else served.handed_out
    keeper, facts = _keeper(shard, bulk, read, evening)
    last = bulk.month.last
    count = len(read.events)
    sold = sold_table(sold_by_month(bulk.controlled, facts.events, bulk.terms))
    facts = facts._replace(events=())
    read.events.clear()
    sums, details = LegSums(lambda name: keeper.undo[name].entry.date), LegDetails()
    metered = MeteredUses(keeper.undo.__getitem__)
    plans = [plan for line in bulk.terms.plans.values() for plan in line]
    tells_uses = bool(bulk.terms.meters) or any(plan.overage for plan in plans)
    of_operator: list[JournalEntry] = []
    for records in keeper.records():
        sums.add(records)
        if shard.detail:
            details.add(records)
        if tells_uses:
            metered.add(records)
        if shard.operator:
            of_operator += entries_of_operator(records)
    refusals = [*read.refusals, *keeper.refusals]
    tables = {
        "movements": movements_table(sums),
        "days": days_table(sums),
        "trades": trades_table(sums),
        "refused": refused_table(refusals),
        "prices": prices_table(keeper.traded),
        **_by_hand(facts, refusals),
        "costs": costs_table([each for each in of_operator if each.kind is Kind.COST]),
        "operator_journal": operator_journal_table(of_operator),
        "uses": metered.table(),
        "sold": sold,
        **(ServedUses() if shard.operator else served).tables(),
        **state_tables(keeper.states[last], keeper.overage),
    }
    if shard.detail:
        tables[DETAIL] = details.table()
    counts = {
        "by the engine": count,
        "blank": read.blank,
        "unreadable": len(read.refusals),
        "refused": len(refusals),
        "transactions": sums.transactions,
    }
    return ShardBooks(tables, counts)


def _keeper(
    shard: Shard,
    bulk: BulkTerms,
    read: ReadRows,
    evening: Evening,
    asked: frozenset[str] = frozenset(),
) -> tuple[Bookkeeper, Facts]:
    """Who writes the books of a shard, and what of it was written by hand."""
    refuse_ids_of_periods(read.events)
    carried = None
    if shard.state is not None:
        carried = carried_from(shard.state, bulk.month.first - timedelta(1))
        costs = shard.operator.costs if shard.operator else ()
        back = _money_back(shard.undo, carried)
        carried = carried._replace(undo=dict(shard.undo), past_costs=costs, money_back=back)
        carried = with_charged_anew(carried, bulk.terms)
    known = frozenset(carried.known) if carried else None
    names = frozenset(shard.names.to_pylist())
    if carried and bulk.asserted:
        earned = {key: number for key, number in bulk.earned.items() if key[1] in names}
        carried = carried._replace(earned=earned)
    facts = bulk.facts_of(names, known)
    events = [*read.events, *facts.events]
    facts = facts._replace(events=events, unread=read.unread, asked=asked, handed_on=True)
    ends = [bulk.month.last]
    component = bulk.accounts.component
    return Bookkeeper(facts, bulk.terms, component, carried, ends, evening), facts


def _money_back(undo: Mapping[str, Undo], carried: Carried) -> MoneyBack | None:
    """What went back of allocations of earlier months, as the entries since tell it.

    And what the state says of those with which running periods share lots.
    """
    since = {each.at: each for of in undo.values() for each in of.since}
    handed_on = carried.money_back
    if not since:
        return handed_on
    found = MoneyBack(undo)
    for at in sorted(since):
        found.note(since[at].entry, since[at].undone)
    for _, allocations in handed_on.beside(carried.last_day) if handed_on else ():
        for each in allocations:
            found.take_over(each, next(iter(each.gave)).date)
    return found


class BookedAgain(NamedTuple):
    """What a shard that is booked once more says of events that are asked for."""

    undo: dict[str, Undo]  # by their ids
    entries: list[JournalEntry]  # that tell what went back of what some subscribers paid


def booked_again(
    shard: Shard, bulk: BulkTerms, ids: frozenset[str], payers: Collection[str] = ()
) -> BookedAgain:
    """What undoes the events of those ids in a shard, and what went back of what some paid."""
    entries: list[JournalEntry] = []
    with no_cyclic_garbage():
        read = read_rows(shard.rows, bulk.zone)
        keeper, _ = _keeper(shard, bulk, read, ServedUses().handed_out, ids)
        for records in keeper.records():
            for entry in map(in_full, records) if payers else ():
                about = entry.subscriber in payers or entry.counterparty in payers
                if about and (entry.undoes or entry.kind) in COUNTED_BACK:
                    entries.append(entry)
    # overage of a month that is over is charged: nothing of it is worked out anew
    undo = {
        name: Undo(undo.entry, units_charged_anew(undo.overage, bulk.terms))
        for name, undo in keeper.undo.items()
        if name in ids
    }
    return BookedAgain(undo, entries)


def uses_in(shard: Shard, bulk: BulkTerms) -> Mapping[MeterDay, list[Event]]:
    """The uses of a shard that are wanted one by one; it is booked once more for that."""
    served = ServedUses(shard.one_by_one)
    with no_cyclic_garbage():
        keeper, _ = _keeper(shard, bulk, read_rows(shard.rows, bulk.zone), served.handed_out)
        for _ in keeper.records():
            pass
    return served.uses


def _by_hand(facts: Facts, refusals: Iterable[Refusal]) -> Tables:
    """What was taken in and out by hand, and not refused."""
    refused = {each.place for each in refusals}
    openings = [each for each in facts.openings if each.place not in refused]
    removals = [each for each in facts.removals if each.place not in refused]
    accruals = [each for each in facts.accruals if each.place not in refused]
    return {
        "by_hand": by_hand_table(openings, removals),
        "accruals": table_of("accruals", [(each.currency, each.number) for each in accruals]),
    }


def _check_days(events: Sequence[Event], bulk: BulkTerms) -> None:
    """Raise `BulkError` for an event of another month."""
    first, last = bulk.month.first, bulk.month.last
    for event in events:
        if not first <= event.date <= last:
            raise of_another_month(event.place, event.date, bulk)


def of_another_month(place: Place, day: date, bulk: BulkTerms) -> BulkError:
    """What to say of an event that lies outside of the month."""
    return BulkError(
        f"{place} is of {day}, outside of {bulk.month}: export each month into files of its own; "
        "what comes late is dated on the first day of the open month"
    )
