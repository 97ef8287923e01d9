"""Tie-outs of the first bill: what uses cost, worked out again from them, and as stated.

uses x price list 104.00 USD   =   accrued and variance, but for what was stated
uses x credits 80 OAI          =   drawn + beyond
stated costs 12.34 USD         =   booked as stated
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.postings import (
    place_of_entry,
    units_of,
    weight_at_cost,
)
from beancount_compute.close.tie_outs.tie_out import TieOut, of_money, of_units
from beancount_compute.economy import (
    PRICE_STEP,
    ZERO,
    Event,
    Kind,
    Meter,
    Money,
    minor_unit,
    round_money,
)
from beancount_compute.ledger import (
    ORDER,
    beyond_of,
    kind_of_tags,
    lapsed_of,
    money_of,
    named_amounts,
)
from beancount_compute.reports import Books

OfProvider = tuple[str, str]  # provider, and currency or credits


class MeteredUse(NamedTuple):
    """A use of a meter, or its reversal, as booked."""

    entry: Transaction
    meter: Meter
    day: date  # of the use
    sign: int
    used_on: date  # when the use was booked; of a reversal, the one that it undoes


def first_bill(books: Books, first: date, events: Sequence[Event]) -> Iterator[TieOut]:
    """What uses of the month cost, by provider and what it is paid in."""
    costs = [entry for entry in books.transactions if _kind(entry) == Kind.COST]
    stated_on: dict[tuple[str, str, date], date] = {}
    for entry in costs:
        for name, _, _ in named_amounts(entry.meta.get("stated")):
            stated_on.setdefault((entry.payee or "", name, _served(entry)), entry.date)
    of_month = [entry for entry in costs if entry.date >= first]
    yield from _as_stated(events, of_month)
    exact: defaultdict[OfProvider, Fraction] = defaultdict(Fraction)
    undone: defaultdict[OfProvider, int] = defaultdict(int)
    doubtful: set[str] = set()
    told = {key[:2] for key in stated_on}
    for entry in of_month:
        for units, _, price in beyond_of(entry.meta.get("beyond")):
            key = (entry.payee or "", price.currency)
            exact[key] += Fraction(units) * Fraction(price.number)
    for entry, meter, day, sign, used_on in metered(books, first):
        if meter.cost is None or not meter.provider:
            continue
        since = stated_on.get((meter.provider, meter.name, day))
        if "events" in entry.meta and (meter.provider, meter.name) in told:
            doubtful.add(meter.provider)  # of merged uses nobody can tell which day was stated
        if since is None or (used_on < since and _goes_before(entry.date, since, sign)):
            key = (meter.provider, meter.cost.currency)
            exact[key] += sign * _number(entry, meter, meter.cost)
            undone[key] += sign < 0
    booked = _booked(of_month)
    for key in sorted(exact.keys() | booked.keys()):
        provider, unit = key
        is_money = unit in books.terms.money or not _is_credits(books, unit)
        step = minor_unit(unit) if is_money else PRICE_STEP
        worked_out, found = round(exact[key] / Fraction(step)) * step, booked.get(key, ZERO)
        if not is_money and abs(worked_out - found) <= undone[key] * step:
            worked_out = found  # what comes back is no more than what the day drew, to a millionth
        sides = ("uses x price list", worked_out), ("booked", found)
        lines = [place_of_entry(entry) for entry in of_month if entry.payee == provider]
        name = f"cost of uses, {provider}"
        if is_money:
            doubt = provider in doubtful
            yield of_money(name, unit, *sides, lines, informational=doubt)
        else:
            tie = of_units(name, unit, *sides, lines)
            yield tie._replace(informational=provider in doubtful)


def _goes_before(day: date, since: date, sign: int) -> bool:
    """Whether the list still holds for a booking; reversals come before what is stated."""
    return day < since if sign > 0 else day <= since


def _kind(entry: Transaction) -> str:
    return kind_of_tags(entry.tags) if ORDER in entry.meta else ""


def _served(entry: Transaction) -> date:
    day = entry.meta.get("served")
    return day if isinstance(day, date) else entry.date


def _is_credits(books: Books, unit: str) -> bool:
    return any(
        unit == each.cost.currency
        for line in books.terms.meters.values()
        for each in line
        if each.cost
    )


def metered(books: Books, first: date) -> Iterator[MeteredUse]:
    """The uses of meters that were booked in the month, and those that were reversed in it."""
    uses: dict[str, tuple[date, date]] = {}  # by id: their day, and that of their booking
    for entry in books.transactions:
        name = entry.meta.get("meter")
        undoes = entry.meta.get("undoes")
        if not name or Kind.CONSUMPTION not in (_kind(entry), undoes):
            continue
        day, used_on = entry.meta.get("occurred", entry.date), entry.date
        if undoes:
            of_before = (day, date.min)
            day, used_on = uses.get(entry.meta.get("reverses", ""), of_before)
        else:
            uses[entry.meta.get("event", "")] = (day, used_on)
        timeline = books.terms.meters.get(name)
        meter = timeline.on(day) if timeline else None
        if meter is not None and entry.date >= first:
            yield MeteredUse(entry, meter, day, -1 if undoes else 1, used_on)


def units_of_use(entry: Transaction) -> Money:
    """The units that a use took, with those beyond the holdings, and those that had lapsed."""
    used = money_of(entry.meta.get("used"))
    if used is not None:
        return used
    taken = [units_of(posting) for posting in entry.postings if posting.cost]
    taken += [(each.number, each.commodity) for each in lapsed_of(entry.meta)]
    commodity = taken[0][1] if taken else ""
    return Money(abs(sum([number for number, _ in taken], ZERO)), commodity)


def _number(entry: Transaction, meter: Meter, cost: Money) -> Fraction:
    quantity = entry.meta.get("quantity")
    if quantity:
        return Fraction(quantity) * Fraction(cost.number) / Fraction(meter.per)
    units = units_of_use(entry).number
    of = meter.units.number if meter.units else Decimal(1)
    return Fraction(units) * Fraction(cost.number) / Fraction(of)


def _booked(entries: Iterable[Transaction]) -> dict[OfProvider, Decimal]:
    """What is booked of it: money by meter that was not stated, and credits."""
    found: defaultdict[OfProvider, Decimal] = defaultdict(Decimal)
    for entry in entries:
        provider = entry.payee or ""
        stated = {meter for meter, _, _ in named_amounts(entry.meta.get("stated"))}
        of_lots: defaultdict[str, Decimal] = defaultdict(Decimal)
        for posting in entry.postings:
            if posting.cost is not None:
                number, commodity = units_of(posting)
                found[provider, commodity] -= number
                weight, currency = weight_at_cost(posting)
                of_lots[currency] -= weight
        for meter, number, currency in named_amounts(entry.meta.get("costs")):
            if meter not in stated:
                found[provider, currency] += number
        for currency, number in of_lots.items():
            found[provider, currency] -= number
        for units, commodity, _ in beyond_of(entry.meta.get("beyond")):
            found[provider, commodity] += units
    return {key: number for key, number in found.items() if number}


def _as_stated(events: Iterable[Event], entries: Iterable[Transaction]) -> Iterator[TieOut]:
    said: defaultdict[str, Decimal] = defaultdict(Decimal)
    booked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        if event.kind is Kind.COST:
            said[event.currency] += round_money(event.paid or ZERO, event.currency)
    for entry in entries:
        for _, number, currency in named_amounts(entry.meta.get("stated")):
            booked[currency] += number
    for currency in sorted(said.keys() | booked.keys()):
        sides = ("events", said[currency]), ("bookings", booked[currency])
        yield of_money("costs, as stated", currency, *sides)
