"""Prepaid credits that can't be used before they end, at the pace at which they are drawn.

    at 2026-06-30      held   usable by then    unused      lost
    ends 2026-08-01   100 OAI   31 days x 2         38   38.00 USD
    ends 2027-01-01   100 OAI  184 days x 2          0    0.00 USD      ; less the 62 from before

The pace is what was drawn in the last three whole months, or in as many as there were since credits
are held; where there was none, in the days since then. Lots go by their end, as they are drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from beancount.core.position import Cost

from beancount_compute.economy import PRICE_STEP, ZERO, DrawDown, Kind, Lot, LotLeg, Month, rank_of
from beancount_compute.economy.lots import Rank
from beancount_compute.ledger import Meaning, money_of
from beancount_compute.reports.books import Books

_MOST_MONTHS = 3


class HeldCredits(NamedTuple):
    """Credits of one lot that are held at the end of a day."""

    lot: Lot
    units: Decimal


class PaceOfDraws(NamedTuple):
    """What was drawn of a provider's credits in some days, both included."""

    provider: str
    commodity: str
    first: date
    last: date
    draws: tuple[tuple[int, Decimal], ...]  # the places of transactions, and what they drew

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def a_day(self) -> Fraction:
        """Credits a day; none where more came back than was drawn."""
        return max(Fraction(sum([n for _, n in self.draws], ZERO)) / self.days, Fraction())


class UnusedCredits(NamedTuple):
    """Credits of a lot that is held, and what will be left of it when it ends."""

    lot: Lot
    held: Decimal
    unused: Decimal


class CreditsHeld:
    """What is held of all providers at the end of a day; the sums need `WIDE`."""

    def __init__(self, books: Books, day: date) -> None:
        self._books, self._day = books, day
        self._since: dict[tuple[str, str], date] = {}  # when credits first came
        self.lots = self._held()

    def _held(self) -> tuple[HeldCredits, ...]:
        books = self._books
        if not books.terms.known_providers:
            return ()
        lots: dict[tuple[object, ...], Lot] = {}  # which compare by identity
        sums: defaultdict[tuple[object, ...], Decimal] = defaultdict(Decimal)
        for day, lot, units in self._moved():
            if day > self._day:
                continue
            lots.setdefault(tuple(lot), lot)
            sums[tuple(lot)] += units
            of = lot.holder, lot.commodity
            self._since[of] = min(day, self._since.get(of, day))
        return tuple([HeldCredits(lots[key], units) for key, units in sums.items() if units > 0])

    def _moved(self) -> Iterator[tuple[date, Lot, Decimal]]:
        """The credits that came, and below zero those that went, with their day."""
        books = self._books
        meaning, stock = Meaning(books.accounts, {}), dict[str, bool]()
        for entry in books.transactions:
            for account, amount, cost, *_ in entry.postings:
                if not isinstance(cost, Cost) or not stock.setdefault(
                    account, books.accounts.is_stock(account)
                ):
                    continue
                units = money_of(amount)
                lot = meaning.lot(account, units.currency, cost) if units else None
                if lot is not None and units is not None:
                    yield entry.date, lot, units.number
        for _, booked in books.bulk.costs().entries if books.bulk else ():
            for leg in booked.legs:
                if isinstance(leg, LotLeg):
                    yield booked.date, leg.lot, leg.units

    def paces(self, start: date | None) -> Iterator[PaceOfDraws]:
        """How quickly credits are drawn, by provider and commodity."""
        draws = [
            (at, entry.subscriber, entry.date, leg)
            for at, entry in self._books.of_providers
            if entry.kind is Kind.COST and entry.date <= self._day
            for leg in entry.legs
            if isinstance(leg, LotLeg)
        ]
        for (provider, commodity), since in sorted(self._since.items()):
            first, last = days_of_pace(max(since, start or since), self._day)
            found = [
                (at, -leg.units)
                for at, of, day, leg in draws
                if of == provider and leg.lot.commodity == commodity and first <= day <= last
            ]
            yield PaceOfDraws(provider, commodity, first, last, tuple(found))

    def unused(self, paces: Iterable[PaceOfDraws]) -> Iterator[UnusedCredits]:
        """What will be left of each lot, those that end sooner first."""
        for pace in paces:
            of_pace = [
                each
                for each in self.lots
                if (each.lot.holder, each.lot.commodity) == (pace.provider, pace.commodity)
            ]
            yield from _unused(sorted(of_pace, key=_soonest), pace.a_day, self._day)


def days_of_pace(since: date, day: date) -> tuple[date, date]:
    """The last whole months, three at most; where there is none, the days that there are."""
    this, begun = Month.of(day), Month.of(since)
    last = this.ordinal - (day < this.last)
    first = max(begun.ordinal + (since > begun.first), last - _MOST_MONTHS + 1)
    if first > last:
        return min(since, day), day
    return Month.from_ordinal(first).first, Month.from_ordinal(last).last


def _soonest(held: HeldCredits) -> Rank:
    return rank_of(held.lot, DrawDown.EXPIRY)


def _unused(lots: Sequence[HeldCredits], a_day: Fraction, day: date) -> Iterator[UnusedCredits]:
    taken = Fraction()
    for lot, held in lots:
        if lot.end is None:
            yield UnusedCredits(lot, held, ZERO)
            continue
        days_left = max((lot.end - day).days - 1, 0)  # on its end it is gone
        can_take = max(a_day * days_left - taken, Fraction())
        taken += min(can_take, Fraction(held))
        left = max(Fraction(held) - can_take, Fraction())
        yield UnusedCredits(lot, held, round(left / Fraction(PRICE_STEP)) * PRICE_STEP)
