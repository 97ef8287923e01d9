"""What an economy came to, in a few figures: the same of a replication and of any ledger."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import NamedTuple

import numpy as np

from beancount_compute.economy import WIDE, ZERO, Earning, round_money
from beancount_compute.insight.estimates import rate
from beancount_compute.insight.lifetime_model import RenewalsSeen, fit_lifetime
from beancount_compute.insight.watched import decisions
from beancount_compute.reports import Books, Selection
from beancount_compute.reports.periods import spells_of

DISCOUNT = 0.1  # a year, of what a subscriber brings later
OF_A_MONTH = (1 + DISCOUNT) ** (1 / 12) - 1


class EconomyFigures(NamedTuple):
    """What an economy came to; money is of one currency."""

    subscribers: Decimal  # at the end
    left: Decimal  # at an end of a period, who could have stayed
    churn: Decimal  # the share of those decisions at which they left
    use: Decimal
    breakage: Decimal
    overage: Decimal
    traded: Decimal  # the gross of all sales between subscribers
    fees: Decimal
    partner_income: Decimal
    revenue: Decimal
    deferred: Decimal  # at the end
    revenue_a_month: Decimal  # of a subscriber
    lifetime_value: Decimal  # that, now and in the months to come


def outcome_of(
    seen: RenewalsSeen,
    months: int,
    there: int,
    earned: Mapping[Earning, Decimal],
    traded: Decimal,
    deferred: Decimal,
    currency: str,
) -> EconomyFigures:
    """The figures: of renewals, months in which anybody was subscribed, and money."""
    renewals = seen.counted()
    left, decided = int(renewals.left.sum()), int(renewals.left.sum() + renewals.renewed.sum())
    with localcontext(WIDE):
        revenue = sum((earned.get(each, ZERO) for each in Earning), ZERO)
        a_month = revenue / months if months else ZERO
        model = fit_lifetime(renewals)
        come = rate(model.remaining(0, OF_A_MONTH), 6) if model else None
        value = round_money(a_month * (1 + (come or ZERO)), currency)
    of = {each: earned.get(each, ZERO) for each in Earning}
    return EconomyFigures(
        Decimal(there),
        Decimal(left),
        rate(left / decided if decided else 0.0, 6) or ZERO,
        of[Earning.COMPUTE],
        of[Earning.BREAKAGE],
        of[Earning.OVERAGE],
        traded,
        of[Earning.FEES],
        of[Earning.PARTNER_INCOME],
        revenue,
        deferred,
        round_money(a_month, currency),
        value,
    )


def outcome_of_books(books: Books, currency: str) -> EconomyFigures:
    """The figures of a ledger, in a currency, up to its last day."""
    end = Selection().day_of(books)
    found = decisions(books, Selection())
    people: dict[str, int] = {}
    seen = RenewalsSeen(
        np.array([people.setdefault(each.subscriber, len(people)) for each in found], np.int64),
        np.array([each.age for each in found], np.int64),
        np.array([each.left for each in found], bool),
    )
    earned = dict.fromkeys(Earning, ZERO)
    for income in books.incomes:
        if income.currency == currency:
            earned[income.earning] += income.amount
    traded = sum((trade.gross for trade in books.trades if trade.currency == currency), ZERO)
    deferred = sum((m.amount for m in books.movements if m.currency == currency), ZERO)
    spells = spells_of(books.periods, end)
    there = len({each.subscriber for each in spells if each.left is None})
    months = sum(each.age - each.since for each in found)
    months += sum(any(p.after > end for p in each.periods) for each in spells)  # not over yet
    return outcome_of(seen, months, there, earned, traded, deferred, currency)
