"""Tie-outs of what stands in the books: roll-forwards, deferred revenue, laws, the trial balance.

opening 440.00 + movements of the month -160.00   =   280.00   closing balance of the pockets
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.close.tie_outs.postings import WHO, Weighed, place_of_entry
from beancount_compute.close.tie_outs.tie_out import Side, TieOut, count, of_money, of_units
from beancount_compute.economy import ZERO, Flow, Pocket
from beancount_compute.ledger import ORDER, Errors, pocket_postings, read_hand_written
from beancount_compute.reports import Books, LotKey, Movement, counted
from beancount_compute.reports.summary import (
    MONEY_IN,
    MONEY_OUT,
    UNITS_IN,
    UNITS_OUT,
    FlowSums,
    flows_of,
)

_TRANSFERS = (
    Flow.MINTED,
    Flow.TRADED_IN,
    Flow.TRADED_OUT,
    Flow.TRANSFERRED_IN,
    Flow.TRANSFERRED_OUT,
)
_where = attrgetter("account", "commodity", "lot")


class OpenLots(NamedTuple):
    """What is open, and which lots were ever drawn below nothing."""

    lots: int  # all of them, emptied ones too
    cost: dict[tuple[str, str], Decimal]  # of open lots, by component and currency
    negative: list[Movement]  # the first of each lot that drew it below zero


def open_lots(books: Books) -> OpenLots:
    """Every lot with its units, folded in the order of the books; the sums need `WIDE`."""
    held: dict[tuple[str, str, LotKey], Decimal] = {}
    first_of: dict[tuple[str, str, LotKey], Movement] = {}
    negative: dict[tuple[str, str, LotKey], Movement] = {}
    for movement in books.movements:
        key = _where(movement)
        total = held.get(key)
        if total is None:
            first_of[key] = movement
            total = ZERO
        total = held[key] = total + movement.units
        if total < ZERO:
            negative.setdefault(key, movement)
    cost: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for key, units in held.items():
        if units > 0:
            movement = first_of[key]
            component = books.accounts.component(movement.subscriber)
            cost[component, movement.currency] += units * movement.lot.cost
    return OpenLots(len(held), dict(cost), list(negative.values()))


def roll_forwards(books: Books, weighed: Weighed, first: date) -> Iterator[TieOut]:
    """Opening + movements = closing: units for each pocket, money for all."""
    units: defaultdict[tuple[Pocket, str], Decimal] = defaultdict(Decimal)
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    opening: defaultdict[str, Decimal] = defaultdict(Decimal)
    for movement in books.movements:
        units[movement.pocket, movement.commodity] += movement.units
        currency = movement.currency or movement.commodity
        if movement.date < first:
            opening[currency] += movement.amount
        else:
            amounts[currency] += movement.amount
    for pocket, commodity in sorted(units.keys() | weighed.units.keys()):
        yield of_units(
            f"units in {pocket}",
            commodity,
            ("opening + movements", units[pocket, commodity]),
            ("closing balance of the accounts", weighed.units.get((pocket, commodity), ZERO)),
        )
    closing: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (_, currency), number in weighed.deferred.items():
        closing[currency] += number
    for currency in sorted(opening.keys() | amounts.keys() | closing.keys()):
        yield of_money(
            "deferred revenue, roll-forward",
            currency,
            ("opening + movements", opening[currency] + amounts[currency]),
            ("closing balance of the accounts, at cost", closing[currency]),
        )


def deferred_revenue(books: Books, weighed: Weighed, lots: OpenLots) -> Iterator[TieOut]:
    """Deferred revenue = cost of open lots: in total, and for each subscriber that differs."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for movement in lots.negative:
        component = books.accounts.component(movement.subscriber)
        places[component].append(place_of_entry(books.transactions[movement.at]))
    keys = sorted(weighed.deferred.keys() | lots.cost.keys())
    for currency in sorted({currency for _, currency in keys}):
        of_currency = [key for key in keys if key[1] == currency]
        differing: list[TieOut] = []
        left = right = ZERO
        for key in of_currency:
            posted, open_cost = weighed.deferred.get(key, ZERO), lots.cost.get(key, ZERO)
            left, right = left + posted, right + open_cost
            if posted != open_cost:
                differing.append(_deferred(key[0], currency, posted, open_cost, places[key[0]]))
        everyone = [line for lines in places.values() for line in lines]
        holders = counted(len(of_currency), "subscriber")
        yield _deferred(holders, currency, left, right, everyone)
        yield from differing


def _deferred(
    holders: str, currency: str, left: Decimal, right: Decimal, lines: Iterable[str]
) -> TieOut:
    return of_money(
        f"deferred revenue = open lots, {holders}",
        currency,
        ("postings on pockets, at cost", left),
        ("cost of open lots", right),
        lines,
    )


def laws(books: Books, weighed: Weighed) -> Iterator[TieOut]:
    """What came in, from the beginning, went out or is held: in units and in money."""
    units, amounts = flows_of(books)
    for commodity in _named(units):
        sides = _side(units, commodity, UNITS_IN), _side(units, commodity, UNITS_OUT)
        yield of_units("units in = out + held", commodity, *sides, _bent_moves(books))
    for currency in _named(amounts):
        sides = _side(amounts, currency, MONEY_IN), _side(amounts, currency, MONEY_OUT)
        lines = _unbalanced(books, weighed)
        yield of_money("money in = out + deferred", currency, *sides, lines)


def _named(flows: FlowSums) -> list[str]:
    return sorted({name for _, name in flows})


def _side(flows: FlowSums, unit: str, names: Sequence[str]) -> Side:
    return " + ".join(names), sum([flows[name, unit] for name in names], ZERO)


def _bent_moves(books: Books) -> Iterator[str]:
    """The mints, trades and transfers that don't leave in sum what they found."""
    moved: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
    amounts: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for movement in books.movements:
        if movement.flow in _TRANSFERS:
            moved[movement.at, movement.commodity] += movement.units
            amounts[movement.at, movement.currency] += movement.amount
    bent = {at for sums in (moved, amounts) for (at, _), number in sums.items() if number}
    for at in sorted(bent):
        yield place_of_entry(books.transactions[at])


def _unbalanced(books: Books, weighed: Weighed) -> Iterator[str]:
    """The transactions that don't sum to zero, and moves that are bent."""
    residuals = [place_of_entry(entry) for entry, _ in weighed.residuals]
    yield from residuals
    yield from (line for line in _bent_moves(books) if line not in residuals)


def trial_balance(weighed: Weighed) -> Iterator[TieOut]:
    """Debits = credits in every currency; what Beancount forgives by hand is only shown."""
    for by_hand, who in enumerate(WHO):
        of_them = [
            (entry, tolerated)
            for entry, tolerated in weighed.residuals
            if (not tolerated or by_hand) and _is_by_hand(entry.meta) == bool(by_hand)
        ]
        bad = [place_of_entry(entry) for entry, tolerated in of_them if not tolerated]
        for currency in sorted(
            {key for key, name in weighed.debits.keys() | weighed.credits.keys() if name == who}
        ):
            yield of_money(
                f"trial balance, {who}",
                currency,
                ("debits", weighed.debits[currency, who]),
                ("credits", weighed.credits[currency, who]),
                bad,
                informational=bool(by_hand) and not bad,
            )


def no_lot_negative(books: Books, lots: OpenLots) -> TieOut:
    """Nobody was ever given units of a lot that did not hold them."""
    bad = [place_of_entry(books.transactions[movement.at]) for movement in lots.negative]
    return count("lots, none negative", "lots", "never below zero", lots.lots, bad)


def hand_written(books: Books) -> TieOut:
    """Hand-written postings on pockets beside those that bend none: opening lots, and removals.

    The plugin says the same of what it is given; this looks at the loaded ledger, where plugins
    that come later have had their say too. What a lot holds is the subject of `no_lot_negative`.
    """
    by_hand = [entry for entry in books.transactions if _is_by_hand(entry.meta)]
    postings, errors = pocket_postings(by_hand, books.accounts), Errors()
    written = read_hand_written(postings, {}, books.terms.plans, errors)
    bent = [
        f"{error.source['filename']}:{error.source['lineno']}: {error.message}"
        for error in errors.in_order()
    ]
    for lot, _, place, flaw in [each[1:] for each in (*written.removals, *written.openings)]:
        if not flaw and (lot.commodity in books.terms.money or lot.commodity == lot.currency):
            flaw = f"{lot.commodity} is money, not a unit of compute"
        if flaw:
            bent.append(f"{place.file}:{place.line}: {flaw}")
    name = "hand-written on pockets"
    return count(name, "postings", "opening lots and removals", len(postings), bent)


def _is_by_hand(meta: dict[str, object]) -> bool:
    return ORDER not in meta
