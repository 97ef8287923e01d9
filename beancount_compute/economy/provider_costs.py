"""What was served of providers: drawn of their credits, stated by them, accrued, and billed.

    2026-05-20  openai  80 OAI drawn of the lot of 2026-05-01
    2026-06-10  llama   chat  20.00 USD accrued, until a bill for that day comes

It follows from the entries of cost alone, which are noted as they are booked, and read back where
open events ask for days of closed months.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from beancount_compute.economy.journal import JournalEntry, LotLeg
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.economy.term_values import Money

Key = TypeVar("Key")
OF_REVERSAL = "reversal of "  # so begins the source of what gives back the cost of a use
Accrual = tuple[str, str, date, str]  # provider, meter, day of the uses, currency


class Drawn(NamedTuple):
    """Credits that uses of a day took: of a lot, or beyond all of them at a price."""

    units: Decimal
    lot: Lot | None
    price: Money | None = None  # of one credit, where there is no lot


class Billed(NamedTuple):
    """Days that a provider has billed, both included."""

    first: date
    last: date


class ProviderCosts:
    """The costs of uses by their day, as booked so far."""

    def __init__(self) -> None:
        self.accrued: dict[Accrual, Decimal] = {}  # none is zero
        self.billed: defaultdict[tuple[str, str], list[Billed]] = defaultdict(list)
        # by provider, commodity of the credits and day, in the order of the draws
        self.drawn: defaultdict[tuple[str, str, date], list[Drawn]] = defaultdict(list)
        # by provider, meter and day: what is booked, by currency; and what was stated
        self.booked: defaultdict[tuple[str, str, date], dict[str, Decimal]] = defaultdict(dict)
        self.stated: defaultdict[tuple[str, str, date], dict[str, Decimal]] = defaultdict(dict)

    def note(self, entry: JournalEntry, *, accruals: bool = True) -> None:
        """Note an entry of cost; without its `accruals` where these are known already."""
        provider, day = entry.subscriber, entry.served or entry.date
        for leg in entry.legs:
            if isinstance(leg, LotLeg):
                self._draw(provider, leg.lot.commodity, day, Drawn(-leg.units, leg.lot))
            elif leg.role is Role.COST:
                _add(self.booked[provider, leg.origin, day], leg.currency, leg.number)
            elif leg.role is Role.ACCRUED and accruals:
                self.accrue((provider, leg.origin, day, leg.currency), -leg.number)
        for units, commodity, price in entry.beyond:
            self._draw(provider, commodity, day, Drawn(units, None, price))
        for meter, number, currency in entry.stated:
            sums = self.stated[provider, meter, day]  # nothing may be stated, too
            sums[currency] = WIDE.add(sums.get(currency, ZERO), number)

    def accrue(self, key: Accrual, number: Decimal) -> None:
        """Add to what is accrued."""
        _add(self.accrued, key, number)

    def is_billed(self, provider: str, currency: str, day: date) -> bool:
        """Whether a bill has come for a day."""
        return any(each.first <= day <= each.last for each in self.billed[provider, currency])

    def bill(self, provider: str, currency: str, days: Billed) -> None:
        """Remember that days are billed; those that meet are one stretch."""
        stretches = self.billed[provider, currency]
        first, last = days
        for each in [*stretches]:
            if each.first <= last + _DAY and first <= each.last + _DAY:
                stretches.remove(each)
                first, last = min(first, each.first), max(last, each.last)
        stretches.append(Billed(first, last))

    def accrued_for(self, provider: str, currency: str, days: Billed) -> dict[Accrual, Decimal]:
        """What is still accrued for days, in order."""
        return {
            key: self.accrued[key]
            for key in sorted(self.accrued)
            if (key[0], key[3]) == (provider, currency) and days.first <= key[2] <= days.last
        }

    def last_drawn(self, provider: str, commodity: str, day: date, wanted: Decimal) -> list[Drawn]:
        """Of so many credits that uses of a day took, what they took last; nothing changes."""
        found: list[Drawn] = []
        for each in reversed(self.drawn[provider, commodity, day]):
            if wanted <= 0:
                break
            units = min(wanted, each.units)
            found.append(each._replace(units=units))
            wanted = WIDE.subtract(wanted, units)
        return found

    def _draw(self, provider: str, commodity: str, day: date, drawn: Drawn) -> None:
        draws, back = self.drawn[provider, commodity, day], -drawn.units
        if back <= 0:
            draws.append(drawn)
        while back > 0 and draws:  # given back, the last first
            last = draws.pop()
            if last.units > back:
                draws.append(last._replace(units=WIDE.subtract(last.units, back)))
            back = WIDE.subtract(back, last.units)


_DAY = timedelta(1)


def billed_days(costs: ProviderCosts) -> Iterable[tuple[str, str, Billed]]:
    """All days that are billed, by provider and currency, in order."""
    for (provider, currency), stretches in sorted(costs.billed.items()):
        for each in sorted(stretches):
            yield provider, currency, each


def _add(sums: dict[Key, Decimal], key: Key, number: Decimal) -> None:
    total = WIDE.add(sums.get(key, ZERO), number)
    if total:
        sums[key] = total
    else:
        sums.pop(key, None)
