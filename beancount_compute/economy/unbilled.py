"""What a subscription was charged and not invoiced for yet, and what its periods cost at least.

    payg, billed by the month, from 2026-01-31      invoices on 28 Feb, 31 Mar, 30 Apr ...
    commit, minimum 100.00 USD, charged 70.00       a shortfall of 30.00

An unbilled charge is a right to consideration that is not due yet (ASC 606-10-45-4). What a minimum
leaves beyond the use is a right that nobody exercised: breakage (ASC 606-10-55-46 to 55-48).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from beancount_compute.economy.months import Span, later
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.economy.term_values import BilledBy, Money


@dataclass(slots=True)
class Arrears:
    """What stands in unbilled of one subscription, and when it is invoiced."""

    bill: BilledBy  # where the charges of the running period go; `USE` where only others wait here
    period: date  # its first day; where only others wait, that of the change that put them here
    invoiced: date  # what was booked before the invoices of that day is not in here any more
    next_invoice: date
    unbilled: dict[str, Decimal] = field(default_factory=dict)  # by currency

    @property
    def of_use(self) -> bool:
        """Whether charges for use wait here too."""
        return self.bill is not BilledBy.USE

    def put(self, number: Decimal, currency: str) -> None:
        """Put an amount in; below zero it goes out."""
        self.unbilled[currency] = WIDE.add(self.unbilled.get(currency, ZERO), number)

    def copied(self) -> Arrears:
        """The same, to try something out with, or to hand on."""
        return replace(self, unbilled=dict(self.unbilled))


@dataclass(slots=True)
class Commitment:
    """What a period is charged at least, and what it was charged."""

    plan: str
    start: date
    end: date  # the day behind it
    minimum: Money
    charged: Decimal = ZERO  # for use
    shortfall: Decimal = ZERO  # that was booked
    over: bool = False  # whether its shortfall was worked out, be it nothing

    def covers(self, day: date) -> bool:
        """Whether a day lies in the period."""
        return self.start <= day < self.end

    def charge(self, number: Decimal, currency: str) -> Decimal:
        """Count a charge for use; gives by how much it changes the shortfall that was booked."""
        if currency != self.minimum.currency:
            return ZERO
        self.charged = WIDE.add(self.charged, number)
        return self.fall_short() if self.over else ZERO

    def fall_short(self) -> Decimal:
        """Work the shortfall out; gives by how much it is another than the one booked."""
        before, self.over = self.shortfall, True
        self.shortfall = max(ZERO, WIDE.subtract(self.minimum.number, self.charged))
        return WIDE.subtract(self.shortfall, before)


def next_invoice(
    bill: BilledBy, period: date, end: date, after: date, day_of_month: int | None = None
) -> date:
    """The first day after another on which a period is invoiced: behind it at the latest.

    By months that is each monthly anniversary of its first day, as `later` counts.
    """
    if bill is not BilledBy.MONTH:
        return end
    months = max(0, (after.year - period.year) * 12 + after.month - period.month)
    while (day := later(period, Span(months, 0), day_of_month)) <= after:
        months += 1
    return min(day, end)
