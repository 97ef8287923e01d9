"""Changes of plan, once more.

From the contract alone. Readings, where it can be read in two ways:

H1  A share of days is of the days of the whole period, also after an earlier change in it.
H2  Where the units of a short period round to none, the change is refused.
H6  A change is invoiced at the end of the period that it cuts short, or of the new one; so is what
    waited, or would be invoiced then.
H7  What is deferred for a plan that sells neither access nor units is breakage of the old one, as
    a reduction is of the old one.
H8  What a change begins can go back under the change's id, in the decimals of the units it gave.
H3  A subscription that is cancelled can't be changed, though its period still runs.
H4  A change on the day of its subscription comes before it, so that there is none to change.
H5  Lots of the period that are opening lots come back, too.
H9  What others that gave of a lot have of it stays, and is not earned when the period's own is.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.laws.auditor.billing import Giver, invoice_days
from tests.laws.auditor.money_back import MoneyBackBooks
from tests.laws.auditor.records import (
    ZERO,
    Day,
    Event,
    Leg,
    Lot,
    Period,
    Plan,
    Subscription,
    add_months,
    after,
    money,
    refuse,
    rounded,
)
from tests.laws.auditor.sales import Return, without_end


class ChangeBooks(MoneyBackBooks):
    """Who goes over to another plan within a period, or on its first day."""

    bad_plans: Any
    plan_known: Any
    less: Any

    def change_plan(self, event: Event) -> None:
        self.check_known(event.subscriber)
        if (event.charge is None) != (event.credit is None):
            refuse("a charge and a credit, or neither")
        mine = [each for each in self.subscriptions if each.event.subscriber == event.subscriber]
        running = [each for each in mine if each.event.plan == event.from_plan]
        running = [each for each in running if each.cancelled is None]
        if not running:
            refuse(f"{event.subscriber} is not on {event.from_plan}")
        new = self.plan_known(event.plan, event.date)
        if any(each.event.plan == event.plan and each.running(event.date) for each in mine):
            refuse(f"{event.subscriber} is on {event.plan} already")
        subscription = running[0]
        old = self.plan_terms(event.from_plan, event.date)
        if new.currency != old.currency:
            refuse("another currency")
        if new.commodity and old.commodity and new.commodity != old.commodity:
            refuse("another unit")
        if event.currency is not None and event.currency != new.currency:
            refuse(f"{event.currency} is not {new.currency}")
        if new.place in self.bad_plans:
            refuse("the plan's cost can't be split")
        if subscription.next_start <= event.date:
            if event.charge is not None:
                refuse("nothing is charged or credited on a period's first day")
            before = subscription.period.plan if subscription.period else old
            if new.every != before.every:
                subscription.anchor = event.date.day
        else:
            self.change_within(event, subscription, new)
        subscription.event = replace(subscription.event, plan=event.plan)
        self.touch(event.subscriber)

    def change_within(self, event: Event, subscription: Subscription, new: Plan) -> None:
        period, day, holder = subscription.period, event.date, event.subscriber or ""
        assert period is not None
        giver = (subscription.event.place, period.start)
        code, sale = new.currency, self.sale_from(giver)
        legs, returned = self.brought_back(holder, period, giver, day)
        worth = sum((leg.weight()[1] for leg in legs), ZERO)
        carried = money(worth, code)
        part, end = Fraction((period.end - day).days, period.whole), period.end
        if new.every != period.plan.every:
            part, end = Fraction(1), whole_end(new, day)
        price = self.less(new, subscription.discount).price
        charge = money(part * Fraction(price), code) if event.charge is None else event.charge
        credit = carried if event.credit is None else event.credit
        deferred = carried + charge - credit
        units = rounded(part * Fraction(new.units), written_step(new.units))
        if new.units and not units:
            refuse("none of its units")
        gave: list[Leg] = []
        if price or units:
            gave = self.lots_for(new, holder, (day, end), max(ZERO, deferred), units)
        elif deferred > 0:  # nothing is to be delivered
            gave = [Leg("breakage", -deferred, code, holder, period.plan.name)]
        legs += [
            Leg("revenue", carried - worth, code, holder, period.plan.name),
            *gave,
            Leg("refunds", max(ZERO, -deferred), code, holder, period.plan.name),
            Leg("unbilled", charge - credit, code, holder, new.name),
        ]
        self.owe(day, subscription, code, charge - credit, waits=True)
        waiting = [each for each in invoice_days(period) if each >= day]
        latest = min([period.end, end, *waiting])
        period.end = day
        legs += self.lacking(day, subscription, period, waits=True)
        owed = sum((leg.number for leg in legs if leg.role == "unbilled"), ZERO)
        if owed or subscription.due or period.plan.bill != "use":
            subscription.due.add(latest)
        self.book(day, "change", legs)
        if sale is not None:
            returned.cause, returned.paid = event.place, credit
            sale.returns.append(returned)
            sale.over |= {*sale.units, *([sale.access] if sale.access else [])}
        self.begin(event, subscription, new, (day, end), gave)
        self.sell((subscription.event.place, day), event.id, gave, charge, units)

    def begin(
        self,
        event: Event,
        subscription: Subscription,
        new: Plan,
        days: tuple[Day, Day],
        gave: list[Leg],
    ) -> None:
        """The period on the new plan."""
        period = subscription.period
        assert period is not None
        (day, end), whole, anchor = days, period.whole, period.anchor
        if new.every != period.plan.every:
            whole, anchor = (end - day).days, day.day
            subscription.anchor = end.day if new.every[1] == "days" else day.day
            subscription.next_start = subscription.last_end = end
        subscription.period = Period(day, end, whole, new, anchor, gave)
        self.give((subscription.event.place, day), None, gave)
        for leg in gave:
            if leg.role == "access" and leg.lot:
                self.access_since[leg.subscriber, leg.lot] = day
                if (end - day).days < whole:
                    self.short_lots.add((leg.subscriber, leg.lot))

    def brought_back(
        self, holder: str, period: Period, giver: Giver, day: Day
    ) -> tuple[list[Leg], Return]:
        """What is left of the lots of the period, and that as a return."""
        before = day - datetime.timedelta(days=1)
        returned, legs = Return(None), []
        for pocket in ("access", "allocations"):
            for lot in list(self.held[holder, pocket]):
                if (lot.origin, lot.date) != (period.plan.name, period.start):
                    continue
                mine: Decimal = self.held[holder, pocket].get(lot, ZERO)
                if self.gave[holder, pocket, lot]:
                    mine = self.share(giver, holder, pocket, lot)
                key = without_end(lot)
                if pocket == "access":
                    since = self.access_since[holder, lot]
                    if mine and since < day and not self.by_months(holder, lot):
                        earned = self.earned(holder, lot, mine, since, before)
                        self.book_access(day, holder, lot, earned)
                        mine -= earned
                    returned.access += mine
                else:
                    returned.units[key] = returned.units.get(key, ZERO) + mine
                legs.append(Leg(pocket, mine, lot.commodity, holder, lot.origin, lot=lot))
        return [leg for leg in legs if leg.number], returned

    def lots_for(
        self, plan: Plan, holder: str, days: tuple[Day, Day], paid: Decimal, units: Decimal
    ) -> list[Leg]:
        """The lots of a period that costs this and has these units."""
        start, end = days
        lot_end: Day | None = end
        if plan.unused == "rollover":
            lot_end = after(start, plan.expires) if plan.expires else None
        legs = []
        access = access_share(plan, paid, units)
        if access:
            unit = f"ACCESS-{plan.currency}"
            lot = Lot(unit, Decimal(1), plan.currency, start, plan.name, end)
            legs.append(Leg("access", -access, unit, holder, plan.name, lot=lot))
        for count, cost in self.parts_of(plan, paid, units):
            lot = Lot(plan.commodity, cost, plan.currency, start, plan.name, lot_end)
            legs.append(Leg("allocations", -count, plan.commodity, holder, plan.name, lot=lot))
        return legs

    def parts_of(self, plan: Plan, paid: Decimal, units: Decimal) -> list[tuple[Decimal, Decimal]]:
        """The lots of units of a period, which get what is not for access."""
        rest = paid - access_share(plan, paid, units)
        return self.split(rest, units, plan.currency) if units else []


def written_step(units: Decimal) -> Decimal:
    """What the last digit of the units of a plan counts, as they are written."""
    return Decimal(1).scaleb(min(0, int(units.as_tuple().exponent)))


def whole_end(plan: Plan, day: Day) -> Day:
    """The end of a full period from a day on, whose days of month count from there."""
    count, unit = plan.every
    return add_months(day, count) if unit == "months" else day + datetime.timedelta(days=count)


def access_share(plan: Plan, paid: Decimal, units: Decimal) -> Decimal:
    """What is for access: by the stand-alone prices, or all of it where there are no units."""
    if not units:
        return paid
    if plan.ssps is None:
        return ZERO
    of_access, of_units = (Fraction(each) for each in plan.ssps)
    return money(Fraction(paid) * of_access / (of_access + of_units), plan.currency)
