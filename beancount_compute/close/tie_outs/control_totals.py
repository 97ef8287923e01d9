"""What events say, in sum, beside what was booked: the control totals of a batch of vouchers.

    t-9,2026-06-10,,trade,alice,bob,,500,CU,0.25,,USD     500 CU out and in, 125.00 USD of gross
    u-4,2026-06-11,,consumption,alice,,,40,CU             40 CU used

Nothing is worked out a second time: a fee, a price of overage or what a plan costs stands in no
event. If a booking follows a wrong rule and agrees with itself, no total can tell: that is what
`verify` is for, which books again, and the auditor of the tests, who has rules of his own. A
reversal says whose mirror image it must be, and is compared with that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.postings import place_of_entry, units_of
from beancount_compute.close.tie_outs.tie_out import TieOut, count, of_money, of_units
from beancount_compute.economy import (
    ACCESS,
    EVENTS,
    GIVING_BACK,
    KINDS,
    OF_PROVIDERS,
    OUTSIDERS,
    WAYS,
    ZERO,
    Event,
    Flow,
    Kind,
    Pocket,
    Role,
    Way,
    content_id,
    is_access,
    multiply_money,
    round_money,
)
from beancount_compute.economy.measuring import with_units
from beancount_compute.ledger import FROM_PLAN, ORDER, kind_of_tags, named_amounts, period_of
from beancount_compute.reports import Books, since

_WITH_UNITS = [
    KINDS[kind].moves[Pocket.TOKENS]
    for kind in EVENTS
    if KINDS[kind].moves and any("units" in form.values for form in KINDS[kind].forms)
]
_IN = {into for into, _ in _WITH_UNITS if WAYS[into] is not Way.RELEASES}
_OUT = {out for _, out in _WITH_UNITS} - _IN
_PAID, _SETTLED = "top-ups, as paid", "settlements with partners"
_BUYERS, _SELLERS = "trades, gross of buyers", "trades, gross of sellers"
_BACK = "money that goes back or comes in again, where it is stated"
_MONEY = (_PAID, _BUYERS, _SELLERS, _SETTLED, _BACK)
# What books a transaction of its own; stated costs are booked with the uses of their day.
_ONE_BY_ONE = frozenset(kind for kind in EVENTS if KINDS[kind].books and kind is not Kind.COST)
_BY_EVENTS = _ONE_BY_ONE | {Kind.MONEY_REFUND}
_MONEY_BACK = frozenset([*GIVING_BACK, Kind.RECOVERY])
_BEYOND = "compute-overage"  # the tag of a use beyond the holdings
Control = tuple[str, str, str]  # what is summed up, its unit or currency, and whose it is
Controls = defaultdict[Control, Decimal]


def events_booked(
    books: Books, transactions: Iterable[Transaction], events: Sequence[Event]
) -> TieOut:
    """Every event was booked, and once; uses that were merged are counted as they say.

    The reversal of what books nothing, a cancellation, books nothing either; nor does a change of
    plan that moves nothing, as on the day on which a period begins.
    """
    kind = cache(kind_of_tags)
    entries = [
        entry
        for entry in transactions
        if ORDER in entry.meta and kind(entry.tags) in _BY_EVENTS and _is_of_event(entry)
    ]
    stated = {_id_of(event): event for event in events if event.kind in _ONE_BY_ONE}
    wanted = Counter(_id_of(event) for event in events if event.kind in _ONE_BY_ONE)
    places: defaultdict[str, list[str]] = defaultdict(list)
    merged = 0
    for entry in entries:
        places[_base(entry.meta, wanted)].append(place_of_entry(entry))
        merged += int(entry.meta.get("events", 1)) - 1
    ids = {str(entry.meta.get("event", "")) for entry in books.transactions}
    for each, event in stated.items():
        if event.kind is Kind.REVERSAL and each not in places and event.reverses not in ids:
            del wanted[each]
        if event.kind is Kind.CHANGE and each not in places:
            del wanted[each]
    unbooked = list((wanted - Counter({each: len(at) for each, at in places.items()})).elements())
    if merged == sum(stated[each].kind is Kind.CONSUMPTION for each in unbooked):
        unbooked = [each for each in unbooked if stated[each].kind is not Kind.CONSUMPTION]
    lines = [f"{stated[each].place.file}:{stated[each].place.line}" for each in unbooked]
    again = [line for each, at in places.items() for line in at[wanted[each] :]]
    return count("events booked", "events", "booked, each once", wanted.total(), lines + again)


def _id_of(event: Event) -> str:
    return event.id or content_id(event)


def _is_of_event(entry: Transaction) -> bool:
    """Not a period that a subscription brings; the reversal of one is an event."""
    return bool({"undoes", FROM_PLAN} & entry.meta.keys()) or period_of(entry) is None


def _base(meta: Mapping[str, Any], known: Container[str]) -> str:
    """The id of the event that a transaction books: of two alike, without ids, one is e-...-2."""
    event_id = str(meta.get("event", ""))
    return event_id if event_id in known else event_id.rpartition("-")[0] or event_id


class ControlTotals:
    """The totals of a month's events and bookings; its sums need `WIDE`."""

    def __init__(self, books: Books, first: date, events: Sequence[Event]) -> None:
        self._books, self._first, self._events = books, first, events
        self._component = cache(books.accounts.component)
        uses = [each for each in events if each.kind is Kind.CONSUMPTION]
        self._uses = {_id_of(each): with_units(each, books.terms) for each in uses}
        self._back = {_id_of(each) for each in events if each.of and each.paid is not None}
        self._beyond = list(self._uses_beyond())

    def ties(self) -> Iterator[TieOut]:
        """The totals, and each subscriber whose own differ."""
        stated, booked = Controls(Decimal), Controls(Decimal)
        for key, number, _ in self._stated():
            stated[key] += number
        for key, number, _ in self._booked():
            booked[key] += number
        for key in self._merged_beyond():
            booked[key] = max(booked[key], stated[key])
        totals: defaultdict[tuple[str, str], list[Control]] = defaultdict(list)
        for key in sorted(stated.keys() | booked.keys()):
            totals[key[:2]].append(key)
        differing = {key for keys in totals.values() for key in keys if stated[key] != booked[key]}
        lines = self._lines(differing) if differing else {}
        for (name, unit), keys in sorted(totals.items(), key=lambda each: each[0][0] in _MONEY):
            compared = of_money if name in _MONEY else of_units
            left, right = (sum([sums[key] for key in keys], ZERO) for sums in (stated, booked))
            everyone = [line for key in keys for line in lines.get(key, ())]
            yield compared(name, unit, ("events", left), ("bookings", right), everyone)
            for key in [key for key in keys if key in differing and len(keys) > 1]:
                sides = ("events", stated[key]), ("bookings", booked[key])
                yield compared(f"{name}, {key[2]}", unit, *sides, lines[key])

    def _stated(self) -> Iterator[tuple[Control, Decimal, Event]]:
        """What each event says of units and money."""
        for event in self._events:
            row, currency = KINDS[event.kind], event.currency
            if event.kind in OF_PROVIDERS:
                continue  # of credits `stock.py` tells
            used = with_units(event, self._books.terms)
            units, commodity = used.units, used.commodity
            who, with_whom = self._component(event.subscriber), ""
            if row.counterparty not in ("", *OUTSIDERS):
                with_whom = self._component(event.counterparty)
            if units is not None:
                into, out = row.moves[Pocket.TOKENS]
                flow = into if into in _IN and not with_whom else out
                yield _units(flow, commodity, who), units, event
                if with_whom:
                    yield _units(into, commodity, with_whom), units, event
                if event.price is not None:
                    gross = multiply_money(units, event.price, currency)
                    yield (_BUYERS, currency, with_whom), gross, event
                    yield (_SELLERS, currency, who), gross, event
            if event.paid is not None:
                key = (_SETTLED, currency, "") if row.counterparty else (_PAID, currency, who)
                if event.of:
                    key = (_BACK, currency, "")
                yield key, round_money(event.paid, currency), event

    def _booked(self) -> Iterator[tuple[Control, Decimal, int]]:
        """The same of bookings, reversals left out, with the place of each transaction."""
        topped_up: set[int] = set()
        beyond = {at: event.units or ZERO for at, event in self._beyond if event is not None}
        for moved in since(self._books.movements, self._first):
            flow, at = moved.flow, moved.at
            if moved.undoes or (flow not in _OUT and flow not in _IN):
                continue
            if flow is Flow.TOPPED_UP:
                topped_up.add(at)
            units = moved.units if flow in _IN else -moved.units
            if at in beyond:
                beyond[at] -= units
            yield _units(flow, moved.commodity, self._component(moved.subscriber)), units, at
        for at, event in self._beyond:
            if event is not None and beyond[at] > 0:
                who = self._component(event.subscriber)
                yield _units(Flow.USED, event.commodity, who), beyond[at], at
        yield from self._money_booked(topped_up)

    def _money_booked(self, topped_up: set[int]) -> Iterator[tuple[Control, Decimal, int]]:
        for owed in since(self._books.owed, self._first):
            kind, at, amount, currency = owed.kind, owed.at, owed.amount, owed.currency
            if not kind or "undoes" in self._books.transactions[at].meta:
                continue
            if kind in _MONEY_BACK:
                if self._states_money(at):
                    yield (_BACK, currency, ""), abs(amount), at
            elif owed.role is Role.PARTNER:
                yield (_SETTLED, currency, ""), -amount, at
            elif kind == Kind.TRADE:
                buys = owed.role is Role.RECEIVABLE
                key = (_BUYERS if buys else _SELLERS, currency, self._component(owed.party))
                yield key, amount if buys else -amount, at
            elif at in topped_up:
                yield (_PAID, currency, self._component(owed.party)), amount, at
        for trade in since(self._books.trades, self._first):
            if trade.times > 0:
                buyer, seller = self._component(trade.buyer), self._component(trade.seller)
                yield (_BUYERS, trade.currency, buyer), -trade.buyer_fee, trade.at
                yield (_SELLERS, trade.currency, seller), trade.seller_fee, trade.at

    def _states_money(self, at: int) -> bool:
        """Whether the event says how much goes back."""
        return _base(self._books.transactions[at].meta, self._back) in self._back

    def _uses_beyond(self) -> Iterator[tuple[int, Event | None]]:
        """The bookings of use beyond the holdings, whose units no posting says; with their event.

        None where uses were merged: how many of their units were beyond can't be told.
        """
        for at, entry in enumerate(self._books.transactions):
            meta = entry.meta
            if entry.date >= self._first and _BEYOND in (entry.tags or ()) and "undoes" not in meta:
                yield at, None if "events" in meta else self._uses.get(_base(meta, self._uses))

    def _merged_beyond(self) -> Iterator[Control]:
        for at, event in self._beyond:
            if event is None:
                who = self._component(self._books.transactions[at].payee or "")
                for commodity in {each.commodity for each in self._uses.values()}:
                    yield _units(Flow.USED, commodity, who)

    def _lines(self, differing: set[Control]) -> dict[Control, list[str]]:
        """The bookings of which their own event says otherwise."""
        stated = Controls(Decimal)
        for (name, unit, _), number, event in self._stated():
            stated[name, unit, _id_of(event)] += number
        booked: defaultdict[tuple[Control, int], Decimal] = defaultdict(Decimal)
        for key, number, at in self._booked():
            if key in differing:
                booked[key, at] += number
        found: dict[Control, list[str]] = {key: [] for key in differing}
        for (key, at), number in booked.items():
            entry = self._books.transactions[at]
            if number != stated.get((*key[:2], str(entry.meta.get("event", "")))):
                found[key].append(place_of_entry(entry))
        return found


def _units(flow: Flow, commodity: str, who: str) -> Control:
    return f"units {flow}", commodity, who


_CHARGED = "charged"  # on the receivable, or unbilled


def reversals(books: Books, transactions: Iterable[Transaction]) -> TieOut:
    """Each reversal is the mirror image of what it undoes, if that is a transaction by itself."""
    undoing = [entry for entry in transactions if "undoes" in entry.meta]
    wanted = {entry.meta["reverses"] for entry in undoing}
    undone = {
        entry.meta["event"]: entry
        for entry in books.transactions
        if entry.meta.get("event") in wanted and "undoes" not in entry.meta
    }
    bad: list[str] = []
    for entry in undoing:
        original = undone.get(entry.meta["reverses"])
        if original is not None and "events" not in original.meta:
            sums = _posted(original, books)
            for key, number in _posted(entry, books).items():
                sums[key] += number
            if any(sums.values()):
                bad.append(place_of_entry(entry))
    return count("reversals", "reversals", "mirror what they undo", len(undoing), bad)


def _posted(entry: Transaction, books: Books) -> defaultdict[tuple[str, str], Decimal]:
    """What a transaction posts: money by account, units by subscriber, whatever their pocket;
    access as what it becomes, for a reversal takes back what is left, and the rest from revenue.

    What is charged for a use is owed wherever it is by now, and as it was before its shortfall.
    """
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    charged = "subscription" in entry.meta and "period" not in entry.meta
    for plan, number, unit in named_amounts(entry.meta.get("shortfall")):
        found[_CHARGED, unit] -= number
        found[books.accounts.account(Role.BREAKAGE, entry.payee or "", plan), unit] += number
    for posting in entry.postings:
        number, unit = units_of(posting)
        pocket = books.accounts.pocket_account(posting.account)
        if charged and pocket is None:
            owed = books.accounts.owed_account(posting.account)
            if owed is not None and owed.role in (Role.RECEIVABLE, Role.UNBILLED):
                found[_CHARGED, unit] += number
                continue
        if pocket is not None and is_access(unit):
            origin = str(posting.cost and posting.cost.label).partition("/")[0]
            revenue = books.accounts.account(Role.ACCESS_REVENUE, entry.payee or "", origin)
            found[revenue, unit.removeprefix(ACCESS)] += number
            continue
        found[posting.account if pocket is None else pocket.subscriber, unit] += number
    return found
