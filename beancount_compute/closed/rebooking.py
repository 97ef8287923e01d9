"""Booking months again, from nothing or from where the closed ones end: to freeze and to verify."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple, assert_never

from beancount.core.data import Directive, Transaction

from beancount_compute.closed.frozen_state import Lapse, State
from beancount_compute.closed.used_terms import OVERAGE, Uses
from beancount_compute.economy import (
    AS_OF,
    LATE_MONTHS,
    METER,
    OF_PROVIDERS,
    OPTIONS,
    RESERVED_ORIGINS,
    STOCK,
    WIDE,
    ZERO,
    Event,
    Facts,
    JournalEntry,
    Kind,
    LotLeg,
    MoneyLeg,
    Month,
    Refusal,
    Role,
    events_in_order,
    names_of,
)
from beancount_compute.economy.carried import Carried, Earned, count_earned
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.ledger import Accounts, LedgerTerms, Writer


class Rebooked(NamedTuple):
    """What facts give up to a day, as directives in the engine's order, and the terms they used."""

    entries: list[Directive]
    terms: dict[str, list[str]]  # by month
    refusals: list[Refusal]
    states: dict[str, State]  # at the end of each month asked for


def rebook(
    facts: Facts,
    terms: LedgerTerms,
    accounts: Accounts,
    months: Sequence[str],
    own_prices: Collection[tuple[date, str, str]],
    before: State | None = None,
    next_order: Callable[[], str] | None = None,
    first_month: str = "",
) -> Rebooked:
    """Book facts up to the end of the last month, as a load with nothing behind it would.

    They go on from the state `before`. What lies before `first_month` counts to it, as the first
    closed month holds it.
    """
    writer = Writer(accounts)
    if next_order is not None:
        writer.next_order = next_order
    uses = Uses(terms, first_month)
    ends = [Month.parse(month).last for month in months]
    carried = before.carried if before else None
    facts = _until(facts, ends[-1])
    _note_names(uses, facts, terms)
    _note_capacities(uses, terms, carried.last_day if carried else None, ends[-1])
    _note_catch_ups(uses, terms, carried.last_day if carried else None, ends[-1])
    agreed = terms.terms.setting(AS_OF, terms.booked_until(ends[-1]))
    keeper = Bookkeeper(facts, agreed, accounts.component, carried, ends)
    entries: list[Directive] = []
    earned: list[Earned] = [{} for _ in ends]
    lapsed: list[Lapse] = []
    for entry in keeper.entries():
        _note_uses(uses, entry, keeper, terms)
        count_earned(earned[bisect_left(ends, entry.date)], entry.legs)
        if entry.kind in (Kind.MINT, Kind.EXPIRY):
            _note_lapse(lapsed, entry)
        written = writer.transaction(entry)
        if entry.event is not None and entry.event.place.row:
            written.meta.pop("source", None)  # its frozen row is where it stands from now on
        entries.append(written)
    entries += [
        writer.price(price)
        for price in keeper.prices()
        if (price.date, price.commodity, price.currency) not in own_prices
    ]
    states: dict[str, State] = {}
    last = before
    parts = zip(ends, earned, _by_end(ends, facts, entries), strict=True)
    for end, sums, part in parts:
        month = Month.of(end).name
        _note_arrears(uses, keeper.states[end])
        known, by_account = _known(keeper.states[end], part, last)
        last = states[month] = State(
            month,
            _not_in_bulk(keeper.states[end], terms)._replace(
                earned=_added(sums, last), known=known
            ),
            by_account,
            _first_used(part.booked, last),
            [each for each in lapsed if Month.of(each.day).name == month],
        )
    return Rebooked(entries, uses.texts(), keeper.refusals, states)


def _not_in_bulk(state: Carried, terms: LedgerTerms) -> Carried:
    """The state at the end of a month; where that is booked in bulk, its folder has it.

    Which capacities there are is kept, so that the ledger may go on naming them.
    """
    if state.last_day == terms.booked_until(state.last_day):
        return state
    return Carried(state.last_day, [], state.known, depreciations=state.depreciations)


class _Part(NamedTuple):
    """What happened between two ends."""

    named: set[str]  # by events
    opened: set[str]  # who had opening lots
    booked: list[Transaction]


def _by_end(ends: list[date], facts: Facts, entries: Iterable[Directive]) -> list[_Part]:
    parts = [_Part(set(), set(), []) for _ in ends]
    late = [(day, event) for day, events in facts.late.items() for event in events]
    for day, event in (*late, *((event.date, event) for event in facts.events)):
        parts[bisect_left(ends, day)].named.update(names_of(event))
    for opening in facts.openings:
        if opening.lot.pocket is STOCK:
            continue
        parts[bisect_left(ends, opening.date)].opened.add(opening.lot.holder)
    for entry in entries:
        if isinstance(entry, Transaction):
            parts[bisect_left(ends, entry.date)].booked.append(entry)
    return parts


def _added(earned: Earned, before: State | None) -> dict[tuple[Role, str, str], Decimal]:
    sums = dict(before.carried.earned) if before else {}
    for key, number in earned.items():
        sums[key] = WIDE.add(sums.get(key, ZERO), number)
    return {key: number for key, number in sums.items() if number}


def _known(state: Carried, part: _Part, before: State | None) -> tuple[list[str], frozenset[str]]:
    """Who is known, and who of them by the account of opening lots only.

    Whom only a `compute-subscriber` line names is known as long as the line stands.
    """
    named = part.named | {entry.payee or "" for entry in part.booked}
    by_account = part.opened
    if before is not None:
        named |= before.named
        by_account = by_account | before.by_account
    known = [name for name in state.known if name in named or name in by_account]
    return known, frozenset(by_account - named)


def _first_used(entries: Iterable[Transaction], before: State | None) -> dict[str, date]:
    """The accounts that were booked, with the first day of each."""
    found = dict(before.first_used) if before else {}
    for entry in entries:
        for posting in entry.postings:
            known = found.get(posting.account)
            if known is None or entry.date < known:
                found[posting.account] = entry.date
    return found


def _note_lapse(lapsed: list[Lapse], entry: JournalEntry) -> None:
    """Note a lot that met its end; what is minted of it comes before what expires.

    What comes back of a closed month is a lot of its own each time, so they are told by value.
    """
    lots = [leg for leg in entry.legs if isinstance(leg, LotLeg)]
    lot, units = lots[0].lot, lots[0].units
    if entry.kind is Kind.MINT:
        lapsed.append(Lapse(lot, units, entry.date, units, lots[1].lot.end))
    elif lapsed and tuple(lapsed[-1].lot) == tuple(lot) and lapsed[-1].day == entry.date:
        lapsed[-1] = lapsed[-1]._replace(units=WIDE.add(lapsed[-1].units, units))
    else:
        lapsed.append(Lapse(lot, units, entry.date))


def _until(facts: Facts, last_day: date) -> Facts:
    return Facts(
        [each for each in facts.events if each.date <= last_day],
        [each for each in facts.openings if each.date <= last_day],
        [each for each in facts.removals if each.date <= last_day],
        [each for each in facts.introductions if each.date <= last_day],
        [each for each in facts.assertions if each.date <= last_day],  # they end a merge of uses
        {day: events for day, events in facts.late.items() if day <= last_day},
        accruals=[each for each in facts.accruals if each.date <= last_day],
    )


def _note_uses(uses: Uses, entry: JournalEntry, keeper: Bookkeeper, terms: LedgerTerms) -> None:
    """Note the terms that an entry depends on, on the day whose terms they were."""
    day = entry.occurred or entry.date
    for type_, name, on, key in _used(entry, day, keeper):
        uses.add(entry.date, type_, name, on, key)
    for leg in entry.legs:
        holder = leg.lot.holder if isinstance(leg, LotLeg) else leg.holder
        if entry.kind in OF_PROVIDERS or entry.undoes in OF_PROVIDERS:
            break
        if holder in terms.components:
            uses.add(entry.date, "compute-subscriber", holder, entry.date)


def _note_names(uses: Uses, facts: Facts, terms: LedgerTerms) -> None:
    """Note the components of all whom events name, also where nothing is booked yet."""
    if not terms.components:
        return
    booked = [(event, event.date) for event in facts.events]
    booked += [(event, day) for day, events in facts.late.items() for event in events]
    for event, day in booked:
        for name in names_of(event):
            if name in terms.components:
                uses.add(day, "compute-subscriber", name, day)


def _note_capacities(uses: Uses, terms: LedgerTerms, closed: date | None, last_day: date) -> None:
    """Note the line of each capacity in each month: a share may be nothing, and counts."""
    for name, timeline in terms.terms.capacities.items():
        first = timeline.first()
        assert first is not None
        begins = max(first.since, closed + timedelta(1)) if closed else first.since
        for month in Month.of(begins).to(Month.of(last_day)):
            uses.add(month.last, "compute-capacity", name, month.last)


def _note_arrears(uses: Uses, state: Carried) -> None:
    """Note the plans under which something is invoiced later, or costs a minimum."""
    end = state.last_day
    for each in state.subscriptions:
        if each.arrears is not None and each.arrears.of_use:
            uses.add(end, "compute-plan", each.plan, each.arrears.period)
        for commitment in each.commitments:
            if commitment.end > Month.of(end).first:
                uses.add(end, "compute-plan", commitment.plan, commitment.start)


def _note_catch_ups(uses: Uses, terms: LedgerTerms, closed: date | None, last_day: date) -> None:
    """Note each line that charges anew in its month: a catch-up may be nothing, and counts."""
    for name in terms.terms.charged_anew:
        for plan in terms.terms.plans[name]:
            if plan.overage_since and (closed or date.min) < plan.since <= last_day:
                uses.add(plan.since, "compute-plan", name, plan.since, OVERAGE)


def _used(
    entry: JournalEntry, day: date, keeper: Bookkeeper
) -> Iterator[tuple[str, str, date, str]]:
    lots = [leg.lot for leg in entry.legs if isinstance(leg, LotLeg)]
    money = [leg for leg in entry.legs if isinstance(leg, MoneyLeg)]
    yield from (("compute-account", role, entry.date, "") for role in _roles(entry))
    if entry.occurred is not None:
        yield "compute-option", LATE_MONTHS.name, entry.date, ""
    currency = entry.event.currency if entry.event else ""
    for option in OPTIONS.values():
        if entry.kind in option.used_by:
            yield "compute-option", option.name, day, currency if option.by_currency else ""
    match entry.kind:
        case Kind.ALLOCATION:
            for lot in lots[:1]:
                if lot.origin not in RESERVED_ORIGINS:
                    yield "compute-plan", lot.origin, day, ""
        case Kind.CHANGE:
            assert entry.event is not None
            yield "compute-plan", entry.event.plan, day, ""
            old = [keeper.terms_day_of(lot) for lot in lots if lot.origin == entry.event.from_plan]
            yield "compute-plan", entry.event.from_plan, [*old, day][0], ""
        case Kind.MINT | Kind.EXPIRY | Kind.ACCESS:
            for lot in lots[:1]:
                if lot.origin not in RESERVED_ORIGINS and keeper.has_plan(lot.origin):
                    yield "compute-plan", lot.origin, keeper.terms_day_of(lot), ""
        case Kind.CONSUMPTION | Kind.CATCH_UP:
            for leg in money:
                if leg.role is Role.OVERAGE:
                    yield "compute-plan", leg.origin, day, OVERAGE
            if entry.meter:
                yield "compute-meter", entry.meter, day, ""
                if entry.event is None or not entry.event.meter:
                    yield "compute-option", METER.name, day, ""
        case Kind.INVOICE | Kind.SHORTFALL:
            pass  # the plan of what is billed in arrears is used all the time: `_note_arrears`
        case Kind.GRANT | Kind.TRADE | Kind.TRANSFER | Kind.SPEND | Kind.REFUND | Kind.REVERSAL:
            pass  # they rest on no plan
        case Kind.MONEY_REFUND | Kind.CHARGEBACK | Kind.WRITE_OFF | Kind.RECOVERY:
            pass  # but on what was booked
        case Kind.COST:
            if entry.beyond:
                yield "compute-provider", entry.subscriber, entry.served or day, ""
        case Kind.PURCHASE | Kind.LAPSE | Kind.BILL:
            pass  # nor do credits: their lots say all
        case Kind.DEPRECIATION:
            pass  # its line is used in every month, whatever is booked: `_note_capacities`
        case Kind.SUBSCRIPTION | Kind.CANCELLATION:
            pass  # nor is anything booked for them
        case _:
            assert_never(entry.kind)


def _roles(entry: JournalEntry) -> Iterable[str]:
    """The roles whose accounts an entry is on."""
    return {
        leg.lot.pocket.value if isinstance(leg, LotLeg) else leg.role.value for leg in entry.legs
    }


def frozen_events(facts: Facts, last_day: date) -> list[tuple[Event, date | None]]:
    """The events that are booked up to a day, each once, in the order of the books."""
    found: list[tuple[Event, date | None]] = []
    seen: set[str] = set()
    for day in sorted(facts.late):
        if day <= last_day:
            found += [(event, day) for event in events_in_order(facts.late[day])]
    for event in events_in_order(event for event in facts.events if event.date <= last_day):
        if not event.id or event.id not in seen:
            seen.add(event.id)
            found.append((event, None))
    return found
