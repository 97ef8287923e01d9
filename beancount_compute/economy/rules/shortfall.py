"""Minimums: what a period's use leaves of one is breakage in the evening of its last day.

    2026-03-31 * "bob" "Shortfall commit 2026-01-01/2026-03-31" #compute-shortfall
      Assets:Unbilled:Bob     30.00 USD
      Income:Breakage        -30.00 USD

A take-or-pay right that is not exercised (ASC 606-10-55-46 to 55-48). What comes into the period
later, or is undone of it, is charged and takes as much back: the total stays the larger of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Commitment,
    Due,
    JournalEntry,
    Kind,
    Leg,
    Money,
    MoneyLeg,
    Plan,
    Role,
    round_money,
    text_of,
)
from beancount_compute.economy.rules.invoicing import role_of_charges
from beancount_compute.economy.state import Economy, Subscription, Undo

_DAY, _WHOLE = timedelta(1), Fraction(1)
_OWED = (Role.RECEIVABLE, Role.UNBILLED)


def commit(
    economy: Economy, subscription: Subscription, plan: Plan, start: date, part: Fraction = _WHOLE
) -> None:
    """Let a period cost its plan's minimum, or a part of it."""
    if plan.minimum is None or not plan.minimum.number:
        return
    minimum = _part_of(plan.minimum, part)
    commitment = Commitment(plan.name, start, subscription.period_end, minimum)
    subscription.commitments.append(commitment)
    await_shortfall(economy, subscription, commitment)


def _part_of(minimum: Money, part: Fraction) -> Money:
    number = WIDE.multiply(minimum.number, Decimal(part.numerator))
    number = WIDE.divide(number, Decimal(part.denominator))
    return Money(round_money(number, minimum.currency), minimum.currency)


def cut_short(economy: Economy, subscription: Subscription, of_days: int) -> Decimal:
    """Let the minimum of the running period be over, and count by the days before today.

    Gives what is short of that.
    """
    commitment = subscription.commitment_on(economy.today)
    if commitment is None:
        return ZERO
    _count_by_days(economy, commitment, economy.today, of_days)
    return commitment.fall_short()


def shorten(economy: Economy, subscription: Subscription, of_days: int) -> None:
    """Let the minimum of a period that is cut short count by its days, this evening."""
    commitment = subscription.commitment_on(economy.today)
    if commitment is None:
        return
    _count_by_days(economy, commitment, subscription.period_end, of_days)
    await_shortfall(economy, subscription, commitment)


def _count_by_days(economy: Economy, commitment: Commitment, end: date, of_days: int) -> None:
    """Let a minimum count by the days until an end, of those of a whole period.

    The terms are those of the period's first day, of a short one its own.
    """
    plan = economy.terms.plan_of_lot(commitment.plan, commitment.start)
    whole = plan.minimum if plan and plan.minimum else commitment.minimum
    part = Fraction((end - commitment.start).days, of_days)
    commitment.end, commitment.minimum = end, _part_of(whole, part)


def await_shortfall(economy: Economy, subscription: Subscription, commitment: Commitment) -> None:
    """Put the evening on the agenda in which a shortfall is worked out."""
    economy.agenda.put(Due.SHORTFALLS, commitment.end - _DAY, (subscription, commitment))


def fall_short(economy: Economy, day: date) -> None:
    """Book the shortfalls of the periods that end with a day."""
    due: list[tuple[Subscription, Commitment]] = economy.agenda.take(Due.SHORTFALLS, day)
    for subscription, commitment in sorted(due, key=lambda each: _place(*each)):
        if not commitment.over and commitment.end == day + _DAY:
            book_shortfall(economy, subscription, commitment)


def book_shortfall(economy: Economy, subscription: Subscription, commitment: Commitment) -> None:
    """Book what a period's charges leave of its minimum, and let it be over."""
    name, currency = subscription.subscriber.name, commitment.minimum.currency
    economy.settle(name)
    short = commitment.fall_short()
    if not short:
        return
    role = role_of_charges(subscription)
    legs: list[Leg] = [
        MoneyLeg(role, name, commitment.plan, short, currency),
        MoneyLeg(Role.BREAKAGE, name, commitment.plan, -short, currency),
    ]
    first, last = text_of(commitment.start), text_of(commitment.end - _DAY)
    days = f"{first}/{last}"
    plan = economy.terms.plan_of_lot(commitment.plan, commitment.start)
    economy.post(
        JournalEntry(
            economy.today,
            Kind.SHORTFALL,
            name,
            f"Shortfall {commitment.plan} {days}",
            legs,
            f"{Kind.SHORTFALL}/{subscription.id}/{first}",
            None,
            f"plan {commitment.plan} of {text_of(plan.since)}" if plan else commitment.plan,
            period=days,
            subscription=subscription.id,
            shortfall=Money(short, currency),
        )
    )
    if role is Role.UNBILLED:
        assert subscription.arrears is not None
        subscription.arrears.put(short, currency)


def charged(
    subscription: Subscription, day: date, charge: Decimal, currency: str, origin: str
) -> tuple[list[Leg], Money | None]:
    """The legs of a charge for a use of a day, and what they change of a shortfall that was booked.

    The charge counts to the period in which the use falls.
    """
    name = subscription.subscriber.name
    commitment = subscription.commitment_on(day)
    change = commitment.charge(charge, currency) if commitment else ZERO
    legs: list[Leg] = []
    role, owed = role_of_charges(subscription), charge + change
    if owed:
        legs.append(MoneyLeg(role, name, origin, owed, currency))
    if charge:
        legs.append(MoneyLeg(Role.OVERAGE, name, origin, -charge, currency))
    if role is Role.UNBILLED:
        assert subscription.arrears is not None
        subscription.arrears.put(owed, currency)
    if not change:
        return legs, None
    assert commitment is not None
    legs.append(MoneyLeg(Role.BREAKAGE, name, commitment.plan, -change, currency))
    return legs, Money(change, currency)


def told_by(subscription: Subscription, day: date) -> str:
    """The id of a subscription that is invoiced for a use of a day later, or has a minimum."""
    told = subscription.arrears is not None or subscription.commitment_on(day) is not None
    return subscription.id if told else ""


def charged_back(
    economy: Economy, undo: Undo, legs: Iterable[Leg]
) -> tuple[list[Leg], Money | None]:
    """The mirror image of a use, with its charge taken from where it is now.

    That is out of unbilled if it is not invoiced yet, else from the receivable.
    """
    entry = undo.entry
    legs = list(legs)
    billed = [leg for leg in entry.legs if isinstance(leg, MoneyLeg) and leg.role is Role.OVERAGE]
    subscription = economy.subscribers[entry.subscriber].subscription(entry.subscription)
    if not billed or subscription is None:
        return legs, None
    name, charge, currency = entry.subscriber, billed[0].number, billed[0].currency
    commitment = subscription.commitment_on(undo.day)
    change = commitment.charge(charge, currency) if commitment else ZERO
    taken_back = -entry.shortfall.number if entry.shortfall else ZERO
    kept = [leg for leg in legs if not (isinstance(leg, MoneyLeg) and leg.role in _OWED)]
    if taken_back:
        kept.remove(next(leg for leg in kept if _is_breakage(leg, -taken_back)))
    role, owed = _where_it_is(subscription, undo), charge + change
    if role is Role.UNBILLED:
        assert subscription.arrears is not None
        subscription.arrears.put(owed, currency)
    if owed:
        kept.append(MoneyLeg(role, name, billed[0].origin, owed, currency))
    if not change:
        return kept, None
    assert commitment is not None
    kept.append(MoneyLeg(Role.BREAKAGE, name, commitment.plan, -change, currency))
    return kept, Money(change, currency)


def _is_breakage(leg: Leg, number: Decimal) -> bool:
    return isinstance(leg, MoneyLeg) and leg.role is Role.BREAKAGE and leg.number == number


def _where_it_is(subscription: Subscription, undo: Undo) -> Role:
    """Whether what was charged for a use is still unbilled."""
    entry, arrears = undo.entry, subscription.arrears
    if arrears is None:
        return Role.RECEIVABLE
    roles = {leg.role for leg in entry.legs if isinstance(leg, MoneyLeg)}
    if Role.UNBILLED not in roles and (Role.RECEIVABLE in roles or not arrears.of_use):
        return Role.RECEIVABLE  # what waits here came before it or behind it
    late = undo.day < entry.date
    before = entry.date < arrears.invoiced or (late and entry.date == arrears.invoiced)
    return Role.RECEIVABLE if before else Role.UNBILLED


def _place(subscription: Subscription, commitment: Commitment) -> tuple[str, str, str]:
    return subscription.subscriber.name, commitment.plan, subscription.id
