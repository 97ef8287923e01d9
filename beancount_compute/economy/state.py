"""The state of the economy while its books are written: who holds what, what is still to come.

Rules (`allocation.py`, `consumption.py`, `market.py` ...) first plan what an event needs and refuse
it by raising `Refused`; only then do they change anything here.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from beancount_compute.economy import (
    DRAW_DOWN,
    NAMED_BY_REVERSALS,
    POSTING_GRAIN,
    STOCK,
    ZERO,
    Again,
    Agenda,
    Arrears,
    Causes,
    Commitment,
    Depreciation,
    Draw,
    DrawDown,
    Due,
    Event,
    Fees,
    Grain,
    HandPosting,
    Hints,
    Holding,
    JournalEntry,
    Key,
    Kind,
    Lacking,
    Lot,
    LotHistory,
    Meter,
    Money,
    MoneyBack,
    Month,
    OpenLot,
    Place,
    Pocket,
    ProviderCosts,
    Record,
    Refusal,
    Refused,
    Run,
    StatedCost,
    Terms,
    Totals,
    UsedInPeriods,
    check_balance,
    evening_of,
    is_access,
    key_of,
    no_unit,
    plan_of_day,
    quoted,
)

Lots = list[tuple[Lot, Decimal]]
_ALLOCATIONS, _TOKENS, _ACCESS = (
    Pocket.ALLOCATIONS,
    Pocket.TOKENS,
    Pocket.ACCESS,
)  # to name a member of an enum takes longer
_COST = Kind.COST


class EarlierPlan(NamedTuple):
    """A plan that a subscription was on, until a change."""

    plan: str
    until: date  # the first day on the next one


class AtOnce(NamedTuple):
    """The period that a cancellation at once cut short."""

    since: date  # its first day, of which its lots are
    whole_end: date  # the day on which it would have ended
    shared: bool | None = (
        None  # its own part of lots was cut off, others' stands; told that evening
    )


@dataclass(slots=True)
class Subscription:
    """A subscriber on a plan, from its start until its last period ends."""

    id: str
    subscriber: Subscriber
    plan: str
    start: date
    place: Place
    day_of_month: int
    counted_in_days: bool
    period_end: date
    periods: int = 0
    ended: bool = False  # no further period starts
    cancelled: tuple[str, date] | None = None  # by which event, and when
    discount: Decimal = ZERO  # of `currency`: what each period costs less
    currency: str = ""
    arrears: Arrears | None = None  # where something is invoiced later
    commitments: list[Commitment] = field(default_factory=list)  # of its periods, in order
    earlier: tuple[EarlierPlan, ...] = ()  # the plans that it was on before, the first first
    # first day of the running period, were it not cut short; None until somebody asks for it
    whole_since: date | None = None
    at_once: AtOnce | None = None  # where it ended within a period

    def plan_on(self, day: date) -> str:
        """The plan that it is on, on a day."""
        return plan_of_day(self.plan, self.earlier, day)

    def runs_on(self, day: date) -> bool:
        """Whether a period of it covers the day."""
        return not self.ended or day < self.period_end

    def commitment_on(self, day: date) -> Commitment | None:
        """That of the period which covers a day, if it has a minimum."""
        return next((each for each in reversed(self.commitments) if each.covers(day)), None)

    def copied(self, subscriber: Subscriber) -> Subscription:
        """The same for a copy of the subscriber."""
        return replace(
            self,
            subscriber=subscriber,
            arrears=self.arrears and self.arrears.copied(),
            commitments=[replace(each) for each in self.commitments],
        )


class Subscriber:
    """Who buys and uses compute: three pockets by commodity, and subscriptions."""

    __slots__ = ("access", "allocations", "name", "subscriptions", "tokens")

    def __init__(self, name: str) -> None:
        self.name = name
        self.allocations: dict[str, Holding] = {}
        self.tokens: dict[str, Holding] = {}
        self.access: dict[str, Holding] = {}
        self.subscriptions: list[Subscription] = []

    def pocket(self, pocket: Pocket) -> dict[str, Holding]:
        """The holdings of one pocket, by commodity."""
        if pocket is _TOKENS:
            return self.tokens
        return self.access if pocket is _ACCESS else self.allocations

    def held(self) -> Iterator[OpenLot]:
        """The open lots of all pockets."""
        for pocket in (self.allocations, self.tokens, self.access):
            for holding in pocket.values():
                yield from holding

    def copied(self) -> Subscriber:
        """The same holdings and subscriptions, to try something out with."""
        copy = Subscriber(self.name)
        copy.allocations = {unit: holding.copied() for unit, holding in self.allocations.items()}
        copy.tokens = {unit: holding.copied() for unit, holding in self.tokens.items()}
        copy.access = {unit: holding.copied() for unit, holding in self.access.items()}
        copy.subscriptions = [each.copied(copy) for each in self.subscriptions]
        return copy

    def subscription(self, name: str) -> Subscription | None:
        """The subscription of that id."""
        return next((each for each in self.subscriptions if each.id == name), None)

    def find(self, lot: Lot) -> OpenLot | None:
        """The open lot of that identity."""
        holding = self.pocket(lot.pocket).get(lot.commodity)
        return holding.find(key_of(lot)) if holding else None


class OverageBooked(NamedTuple):
    """What one use added to the running total of a subscriber, plan and month."""

    month: tuple[str, str, str, int, int]  # subscriber, plan, currency, year, month
    exact: Decimal
    booked: Decimal
    units: Decimal


class Period(NamedTuple):
    """What one period of a plan is for every subscriber."""

    narration: str
    days: str  # "2026-05-01/2026-05-31"
    paid: Decimal
    lots: list[tuple[Pocket, str, Key, Decimal]]  # pocket, commodity, key, units


class EntrySince(NamedTuple):
    """An entry of an earlier month that tells what went back of something."""

    at: int  # its place among all that are told
    entry: JournalEntry
    undone: str  # the id of what it undoes; "" where it undoes nothing


@dataclass(slots=True)
class Undo:
    """What a reversal needs to know of an event that was booked."""

    entry: JournalEntry
    overage: OverageBooked | None = None
    done: bool = False
    use: Event | None = None  # of a meter, with its units
    # in bulk, of one of an earlier month: what since then tells what went back of it
    since: tuple[EntrySince, ...] = ()

    @property
    def day(self) -> date:
        """The day on which the event happened, which is before the booking of a late one."""
        entry = self.entry
        return entry.event.date if entry.event else entry.occurred or entry.date


@dataclass(slots=True)
class Economy:
    """Everything that the books of a day depend on."""

    terms: Terms
    as_of: date
    component: Callable[[str], str]  # a subscriber's account component
    reversed_ids: frozenset[str]  # the ids that reversals name, and what gives money back
    today: date = date.min  # the day that is being booked
    terms_day: date = date.min  # the day whose terms apply: today, or that of a late event
    order: DrawDown = DrawDown.EXPIRY
    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    stock: dict[str, Holding] = field(default_factory=dict)  # the operator's credits, by commodity
    served: dict[tuple[date, str], list[Event]] = field(default_factory=dict)  # by day and meter
    taken_back: list[Undo] = field(default_factory=list)  # uses of earlier days, reversed today
    # what providers state, by the day that it is for and provider
    stated: dict[tuple[date, str], list[StatedCost]] = field(default_factory=dict)
    # units by the identity of meter and quantity, which are kept with them
    known_quantities: dict[tuple[int, int], tuple[Meter, Decimal, Money]] = field(
        default_factory=dict
    )
    costs: ProviderCosts = field(default_factory=ProviderCosts)
    # costs by provider, currency or credits, year and month: exact, and as booked
    running: dict[tuple[str, str, int, int], tuple[Fraction, Decimal]] = field(default_factory=dict)
    provider_of: dict[str, str] = field(default_factory=dict)  # by the commodity of its credits
    depreciations: dict[str, Depreciation] = field(default_factory=dict)  # by capacity
    by_units: dict[str, str] = field(default_factory=dict)  # capacities, and units of a quantity
    by_component: dict[str, str] = field(default_factory=dict)
    undo: dict[str, Undo] = field(default_factory=dict)
    # the subscriptions, and when, that cancellations ended which somebody reverses, by their ids
    cancellations: dict[str, tuple[Subscription, date]] = field(default_factory=dict)
    # prices and units of the trades of a day, by commodity and currency
    traded: dict[tuple[date, str, str], list[tuple[Decimal, Decimal]]] = field(default_factory=dict)
    access_from: dict[OpenLot, date] = field(default_factory=dict)  # since when it is to be earned
    access_since: dict[str, date] = field(default_factory=dict)  # by its currency
    fees: dict[str, Fees] = field(default_factory=dict)  # of today, by currency
    overage: MutableMapping[tuple[str, str, str, int, int], tuple[Decimal, Decimal]] = field(
        default_factory=dict
    )
    # of plans that are charged anew: what their running periods used beyond the holdings
    beyond: UsedInPeriods = field(default_factory=dict)
    # by the plan's name and first day, the period's first day and end, today and the discount
    periods: dict[tuple[str, date, date, date, date, Decimal], Period] = field(default_factory=dict)
    journal: list[Record] = field(default_factory=list)
    merging: dict[str, int] = field(default_factory=dict)  # where in the journal uses still merge
    superseded: set[int] = field(default_factory=set)  # places in it that merged into later ones
    runs: dict[int, Run] = field(default_factory=dict)  # of merged uses, by the place of the last
    # the day of the terms of lots that came late, by holder and key
    terms_days: MutableMapping[tuple[str, Key], date] = field(default_factory=dict)
    # of short periods of plans whose access is earned by even months: these lots are by days
    by_days: set[tuple[str, Key]] = field(default_factory=set)
    period_ends: list[tuple[str, date]] = field(default_factory=list)  # of single periods
    sound_pairs: set[tuple[str, str]] = field(default_factory=set)  # of commodity and currency
    totals: Totals | None = None  # only where something is asserted
    # where there are late events: what became of lots, and open reversals by what they undo
    history: LotHistory | None = None
    reversed_on: Mapping[str, date] = field(default_factory=dict)
    money_back: MoneyBack | None = None  # only where money goes back of something
    returned: list[OpenLot] = field(default_factory=list)  # of late events, whose end has passed
    grain: Grain = field(init=False)
    merges: bool = field(init=False)  # whether uses may be merged
    agenda: Agenda = field(init=False)
    charged_anew: frozenset[str] = field(init=False)  # plans
    plain: bool = False  # nothing is asserted, and no uses are merged
    refusals: list[Refusal] = field(default_factory=list)
    causes: Causes = field(default_factory=lambda: Causes({}))
    ids: Collection[str] = ()  # of all events, where any of them is a reversal
    hints: Hints = field(default_factory=Hints)
    again: Again | None = None  # where the books are written once more, under other terms
    taken: list[tuple[HandPosting, Lot, Decimal]] = field(default_factory=list)  # then, by hand

    def __post_init__(self) -> None:
        self.grain = self.terms.of_ledger(POSTING_GRAIN)
        self.merges = self.grain is not Grain.EVENT
        self.agenda = Agenda(self.as_of)
        self.charged_anew = self.terms.charged_anew

    def terms_of(self, day: date) -> None:
        """Let the terms of a day apply: today, or the day of a late event."""
        self.terms_day = day
        self.order = self.terms.on(DRAW_DOWN, day)
        self.fees.clear()

    @property
    def late(self) -> bool:
        """Whether a late event is booked, on the terms of its own day."""
        return self.terms_day != self.today

    def copied(self, names: Collection[str], ids: Iterable[str]) -> Economy:
        """A copy to try out events of these subscribers, and reversals of these ids, in."""
        trial = Economy(self.terms, self.as_of, self.component, self.reversed_ids)
        trial.today = self.today
        trial.terms_of(self.terms_day)
        trial.periods, trial.sound_pairs = self.periods, self.sound_pairs
        trial.overage = ChainMap({}, self.overage)
        trial.beyond = {of: each.copied() for of, each in self.beyond.items() if of[0] in names}
        trial.terms_days = ChainMap({}, self.terms_days)
        trial.reversed_on = self.reversed_on
        if self.late and self.history is not None:
            trial.history = self.history.copied()
        if self.money_back is not None:
            trial.money_back = self.money_back.copied()
        trial.stock = {unit: holding.copied() for unit, holding in self.stock.items()}
        trial.provider_of = dict(self.provider_of)
        for name in names:
            component = self.component(name)
            if component in self.by_component:
                trial.by_component[component] = self.by_component[component]
            if name in self.subscribers:
                trial.subscribers[name] = self.subscribers[name].copied()
        for event_id in ids:
            if event_id in self.undo:
                trial.undo[event_id] = replace(self.undo[event_id])
        return trial

    def known(self, name: str, by: str = "on or before") -> Subscriber:
        """The subscriber of that name; refuses one that is not known yet."""
        subscriber = self.subscribers.get(name)
        if subscriber is None:
            raise Lacking(self.unknown(name, by), name)
        return subscriber

    def unknown(self, name: str, by: str = "on or before") -> str:
        """What to say of a subscriber that is not known."""
        return (
            f"unknown subscriber {quoted(name)}: needs a subscription, allocation, grant, "
            f"opening lot or compute-subscriber {by} this day"
            f"{self.hints.of('subscriber', name, self.subscribers)}"
        )

    def check_commodities(self, event: Event) -> None:
        """Refuse money where units belong, and units where money does."""
        pair = (event.commodity, event.currency)
        if pair in self.sound_pairs:
            return
        for each in pair:
            if is_access(each):
                raise Refused(no_unit(each))
        if event.commodity in self.terms.money or event.commodity == self.terms.grant_currency:
            raise Refused(
                f"wrong commodity: {event.commodity} is a currency of this ledger, not a unit of "
                "compute: write the units first, then the money"
            )
        if event.currency in self.terms.units:
            raise Refused(
                f"wrong currency: {event.currency} is a unit of compute in this ledger: "
                "write a price in money"
            )
        self.sound_pairs.add(pair)

    def admit(self, name: str) -> None:
        """Refuse a name whose account component another subscriber has."""
        if name in self.subscribers:
            return
        component = self.component(name)
        other = self.by_component.get(component, name)
        if other != name:
            raise Refused(
                f"subscriber {quoted(name)} would have the account component {component} of "
                f"{quoted(other)}: give one of them another with "
                f'custom "compute-subscriber" {quoted(name)} "..."'
            )

    def welcome(self, name: str) -> Subscriber:
        """The subscriber of that name, known from now on."""
        subscriber = self.subscribers.get(name)
        if subscriber is None:
            subscriber = self.subscribers[name] = Subscriber(name)
            self.by_component[self.component(name)] = name
        return subscriber

    def arriving(self, name: str, lots: Lots) -> Lots:
        """Lots as they will lie in a subscriber's pockets, which change only with `put`.

        Raises `decimal.Inexact` where one would melt into a lot of more than 28 digits.
        """
        subscriber = self.subscribers.get(name)
        if subscriber is None:
            return lots
        arrived: Lots = []
        for lot, units in lots:
            holding = subscriber.pocket(lot.pocket).get(lot.commodity)
            arrived.append((holding.lot_for(lot, units) if holding else lot, units))
        return arrived

    def fees_in(self, currency: str) -> Fees:
        """The day's fees for trades in a currency."""
        fees = self.fees.get(currency)
        if fees is None:
            fees = self.fees[currency] = self.terms.fees(self.terms_day, currency)
        return fees

    def terms_day_of(self, lot: Lot) -> date:
        """The day whose terms decide on a lot's end: its own, or the one on which it was due."""
        if not self.terms_days:
            return lot.date
        return self.terms_days.get((lot.holder, key_of(lot)), lot.date)

    def end_of(self, lot: Lot) -> date | None:
        """The first day on which a lot is no longer usable: its own end, or an earlier one.

        What comes back of a period that was cancelled at once ended with it, after that evening.
        """
        if lot.pocket is not _ALLOCATIONS:
            return lot.end
        of, ends = (lot.origin, lot.date), [lot.end] if lot.end else []
        for each in self.subscribers[lot.holder].subscriptions:
            at_once = each.at_once
            if at_once and at_once.shared is False and (each.plan, at_once.since) == of:
                ends.append(each.period_end)
        return min(ends, default=None)

    def put(
        self,
        subscriber: Subscriber,
        lot: Lot,
        units: Decimal,
        *,
        end: date | None = None,
        entered: bool = False,
    ) -> None:
        """Put units of a lot into its pocket, to end on its day or a given one before it.

        What came late ends before phase 1. Access that is entered on a month's last day is what
        that evening leaves.
        """
        _, pocket, commodity, *_, its_end = lot
        end = end or its_end
        holdings = subscriber.pocket(pocket)
        holding = holdings.get(commodity)
        if holding is None:
            holding = holdings[commodity] = Holding(self.order)
        opened = holding.add(lot, units)
        if opened is None or end is None:
            return
        if pocket is _ACCESS and end > self.today:
            self.access_since.setdefault(lot.currency, self.today)
            since = self.terms_day_of(lot) if lot.date == self.today else self.today
            if entered:
                since = self.today + timedelta(self.today == Month.of(self.today).last)
            self.await_access(opened, since)
        if end <= self.today and self.late:
            self.returned.append(opened)
        else:
            self.agenda.put(Due.LOT_ENDS, end if end > self.today else self.today, opened)

    def await_access(self, open_lot: OpenLot, since: date) -> None:
        """Put a lot of access on the agenda, which is to be earned since a day."""
        end = open_lot.lot.end
        assert end is not None
        evening = evening_of(end, max(since, self.today))
        self.access_from[open_lot] = since
        self.agenda.put(Due.ACCESS, evening, open_lot)

    def put_in_stock(self, lot: Lot, units: Decimal) -> None:
        """Put credits into the operator's stock, to lapse on the day of their end."""
        self.provider_of[lot.commodity] = lot.holder
        opened = self.stock.setdefault(lot.commodity, Holding(DrawDown.EXPIRY)).add(lot, units)
        if opened is not None and lot.end is not None:
            self.agenda.put(Due.LOT_ENDS, max(lot.end, self.today), opened)

    def open_lot(self, lot: Lot) -> OpenLot | None:
        """The open lot of that identity, a subscriber's or one in stock."""
        if lot.pocket is not STOCK:
            subscriber = self.subscribers.get(lot.holder)
            return subscriber.find(lot) if subscriber else None
        holding = self.stock.get(lot.commodity)
        return holding.find(key_of(lot)) if holding else None

    def end_period_later(self, name: str, day: date) -> None:
        """Remember the day on which a period ends that no subscription follows up.

        Where uses merge, they do so up to that day.
        """
        self.period_ends.append((name, day))
        if self.merges and self.today < day:
            self.agenda.put(Due.PERIOD_ENDS, day, name)

    def take(self, draws: list[Draw]) -> None:
        """Take what was planned out of its lots."""
        for open_lot, units in draws:
            if units == open_lot.units:
                open_lot.holding.close(open_lot)
            else:  # inline, because most uses leave a rest
                open_lot.units -= units

    def post(self, entry: JournalEntry, overage: OverageBooked | None = None) -> None:
        """Book an entry; remember it where a reversal will ask for it."""
        check_balance(entry.legs)
        if entry.id in self.reversed_ids and entry.kind in NAMED_BY_REVERSALS:
            self.undo[entry.id] = Undo(entry, overage)
        if entry.kind is _COST:
            self.costs.note(entry)
        if self.totals is not None:
            self.totals.add(entry.legs)
        if self.money_back is not None:
            self.money_back.note(entry)
        self.journal.append(entry)

    def settle(self, *names: str) -> None:
        """End the run of uses that would be merged: something else happens to these subscribers."""
        if self.merges:
            for name in names:
                self.merging.pop(name, None)
