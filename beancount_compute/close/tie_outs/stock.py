"""Tie-outs of what the operator holds with its providers: prepaid credits.

purchased 200 OAI   =   drawn 50 + lapsed 30 + held 120

Months in bulk say by account and day what their credits cost, and not which: in no evening is one
overdrawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.postings import place_of_entry, units_of, weight_at_cost
from beancount_compute.close.tie_outs.tie_out import TieOut, count, of_money, of_units
from beancount_compute.economy import ZERO, Event, Kind, round_money
from beancount_compute.ledger import BULK_TAG, ORDER, kind_of_tags
from beancount_compute.reports import Books

_OPENED, _REMOVED = "opening", "removed by hand"
_IN: dict[str, str] = {_OPENED: _OPENED, Kind.PURCHASE: "purchased"}  # with their words
_OUT: dict[str, str] = {Kind.COST: "drawn", Kind.LAPSE: "lapsed", _REMOVED: _REMOVED}
LotBalances = defaultdict[tuple[str, str, object], Decimal]  # by account, commodity and cost


def prepaid(books: Books, first: date, events: Sequence[Event]) -> Iterator[TieOut]:
    """Credits as events say them, as they lie there, and as they came and went."""
    moved: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)  # by way and commodity
    booked: defaultdict[str, Decimal] = defaultdict(Decimal)  # of purchases of the month
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    held, negative = LotBalances(Decimal), list[str]()
    worth: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)  # by account and currency
    evenings: dict[tuple[date, str, str], tuple[Decimal, str]] = {}  # in bulk: what is left, where
    for entry in books.transactions:
        way = _way(entry)
        for posting in entry.postings:
            if not books.accounts.is_stock(posting.account):
                continue
            number, commodity = units_of(posting)
            by_hand = _REMOVED if number < 0 else _OPENED
            moved[way or by_hand, commodity] += number
            lot = (posting.account, commodity, posting.cost)
            held[lot] += number
            in_bulk = BULK_TAG in entry.tags
            weight, currency = (number, commodity) if in_bulk else weight_at_cost(posting)
            of = posting.account, currency
            worth[of] += weight
            if in_bulk:
                evenings[entry.date, *of] = worth[of], place_of_entry(entry)
            elif held[lot] < 0:
                negative.append(place_of_entry(entry))
            if way is Kind.PURCHASE and entry.date >= first and "undoes" not in entry.meta:
                booked[commodity] += number
                paid[currency] += weight
    negative += [place for left, place in evenings.values() if left < 0]
    stated = [event for event in events if event.kind is Kind.PURCHASE]
    yield from _as_stated(stated, booked, paid)
    yield from _in_and_out(moved, held)
    if held:
        yield count("credits, none negative", "lots", "never below zero", len(held), negative)


def _way(entry: Transaction) -> Kind | None:
    """Which kind moved credits, or undid that it did; None where a person did."""
    if ORDER not in entry.meta:
        return None
    undone = entry.meta.get("undoes")
    return Kind(undone if undone in (*_IN, *_OUT) else kind_of_tags(entry.tags))


def _as_stated(
    events: Iterable[Event],
    booked: defaultdict[str, Decimal],
    paid: defaultdict[str, Decimal],
) -> Iterator[TieOut]:
    units: defaultdict[str, Decimal] = defaultdict(Decimal)
    money: defaultdict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        units[event.commodity] += event.units or ZERO
        money[event.currency] += round_money(event.paid or ZERO, event.currency)
    for commodity in sorted(units.keys() | booked.keys()):
        sides = ("events", units[commodity]), ("bookings", booked[commodity])
        yield of_units("credits purchased", commodity, *sides)
    for currency in sorted(money.keys() | paid.keys()):
        sides = ("events", money[currency]), ("bookings, at cost", paid[currency])
        yield of_money("credits, as paid", currency, *sides)


def _in_and_out(moved: dict[tuple[str, str], Decimal], held: LotBalances) -> Iterator[TieOut]:
    for commodity in sorted({commodity for _, commodity in moved}):
        came = sum([moved.get((way, commodity), ZERO) for way in _IN], ZERO)
        went = -sum([moved.get((way, commodity), ZERO) for way in _OUT], ZERO)
        left = sum([units for (_, of, _), units in held.items() if of == commodity], ZERO)
        came_in, went_out = " + ".join(_IN.values()), " + ".join([*_OUT.values(), "held"])
        sides = (came_in, came), (went_out, went + left)
        yield of_units("credits in = out + held", commodity, *sides)
