"""The first bill, once more: credits, what uses cost in the evening, stated costs, and bills.

From manual/costs.md and manual/language.md alone. Readings, where they can be read in two ways:

P1  A default meter that is served and has no cost refuses the use, as a named one does.
P2  What is accrued for a day is known by provider, meter and currency; a bill takes all meters'.
P3  Credits that a reversal gives back beyond those held (at `beyond`) go through the running total
    of the price's currency, in the month of the reversal.
P4  The error of credits that nobody held stands at the first use that was not wholly covered, or at
    the day's last.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.laws.auditor.capacities import CapacityBooks
from tests.laws.auditor.records import (
    FAR,
    ZERO,
    Day,
    Event,
    Leg,
    Lot,
    Meter,
    end_of,
    minor_unit,
    money,
    refuse,
    rounded,
    significant_digits,
)

MILLIONTH = Decimal("0.000001")
Uses = list[tuple[Event, Meter]]  # with their units


class ProviderBooks(CapacityBooks):
    """What is held with providers, and owed to them."""

    held: Any
    keep: Any
    split: Any
    option: Any
    newest_plan: Any
    end_lots: Any
    as_of: Day

    def __init__(self) -> None:
        super().__init__()
        self.served: Uses = []  # today
        self.uses: dict[str, tuple[Event, Meter]] = {}  # all, by the event's id
        self.given_back: Uses = []  # today, of earlier days
        self.stated: dict[tuple[str, str, Day], dict[str, Decimal]] = {}
        self.credit_of: dict[str, str] = {}  # commodity -> provider
        self.cost_due: dict[Any, Fraction] = defaultdict(Fraction)
        self.cost_booked: dict[Any, Decimal] = defaultdict(Decimal)
        self.accrued: dict[tuple[str, str, Day, str], Decimal] = defaultdict(Decimal)
        self.billed: list[tuple[str, str, Day, Day]] = []
        # by provider, commodity and day: units with the lot, or else the price of a credit
        self.drawn: dict[Any, list[tuple[Decimal, Lot | None, Any]]] = defaultdict(list)

    # Meters

    def meter_on(self, name: str | None, day: Day) -> Meter | None:
        lines = [m for m in self.terms.meters if m.name == name and m.date <= day]
        return max(lines, key=lambda m: m.date) if lines else None

    def metered(self, event: Event) -> tuple[Event, Meter | None]:
        """A use with its units, and its meter."""
        if event.meter is not None:
            meter = self.meter_on(event.meter, event.date)
            if meter is None:
                refuse(f"unknown meter {event.meter!r}")
            if event.units is None:
                event = self.in_units(event, meter)
        else:
            plan = self.newest_plan(event)
            name = plan.meter if plan and plan.meter else None
            default: str | None = self.option("meter", event.date, None)
            meter = self.meter_on(name or default, event.date)
            if meter is None or meter.units is None or meter.units[1] != event.commodity:
                return event, None
        if meter.provider:
            if meter.cost is None and not self.has_capacity(meter.provider, event.date):
                refuse(f"{meter.name} has no cost")
            if (
                meter.cost is not None
                and event.quantity is None
                and (meter.units is None or meter.units[1] != event.commodity)
            ):
                refuse("what those units cost can't be told")
        return event, meter

    def in_units(self, event: Event, meter: Meter) -> Event:
        if event.quantity is None or event.quantity <= 0:
            refuse("a quantity is above zero")
        if meter.units is None:
            refuse("the meter has no units")
        taken = event.quantity * meter.units[0] / meter.per  # a power of ten: exact
        if significant_digits(taken) > 14:
            refuse("more than 14 digits")
        return replace(event, units=taken, commodity=meter.units[1])

    def serve(self, event: Event, meter: Meter | None) -> None:
        if meter is not None and meter.provider:
            self.served.append((event, meter))
            if event.id is not None:
                self.uses[event.id] = event, meter

    def take_back(self, event_id: str) -> None:
        """A use is reversed: of today it never cost anything, else its share comes back."""
        if event_id not in self.uses:
            return
        today = [each for each in self.served if each[0].id == event_id]
        self.served = [each for each in self.served if each[0].id != event_id]
        if not today:
            self.given_back.append(self.uses[event_id])

    # Events

    def check_provider(self, name: str | None) -> None:
        if name not in self.terms.providers:
            refuse(f"unknown provider {name!r}")

    def is_money(self, currency: str | None) -> bool:
        costs = {meter.cost[1] for meter in self.terms.meters if meter.cost}
        sold = {plan.commodity for plan in self.terms.plans}
        return currency in self.terms.money or currency not in {*self.credit_of, *costs, *sold}

    def purchase(self, event: Event) -> None:
        provider, commodity, currency = event.counterparty, event.commodity, event.currency
        self.check_provider(provider)
        assert provider and commodity and currency and event.paid is not None
        if event.units is None or event.units <= 0 or event.paid <= 0:
            refuse("units and payments are above zero")
        sold = {plan.commodity for plan in self.terms.plans}
        if commodity == currency or commodity in {*self.terms.money, *sold} or currency in sold:
            refuse("wrong commodity or currency")
        if self.credit_of.get(commodity, provider) != provider:
            refuse(f"{commodity} are credits of another")
        paid = money(event.paid, currency)
        if paid == 0:
            refuse("the payment rounds to zero")
        end = end_of(event.expires, event.date)
        legs = [Leg("provider", -paid, currency, partner=provider)]
        for units, cost in self.split(paid, event.units, currency):
            lot = Lot(commodity, cost, currency, event.date, provider, end)
            legs.append(Leg("prepaid", units, commodity, partner=provider, lot=lot))
        self.credit_of[commodity] = provider
        self.book(event.date, "purchase", legs)
        self.keep(event.id, legs)

    def state_cost(self, event: Event) -> None:
        provider, meter = event.counterparty, self.meter_on(event.meter, event.date)
        if meter is None or meter.provider != provider:
            refuse(f"{event.meter!r} is not served by {provider!r} on that day")
        assert provider and event.paid is not None and event.currency
        if event.currency in self.credit_of or event.currency in {
            plan.commodity for plan in self.terms.plans
        }:
            refuse("not in money")
        sums = self.stated.setdefault((provider, meter.name, event.date), {})
        if set(sums) - {event.currency}:
            refuse("the day's cost is stated in another currency")
        paid = money(event.paid, event.currency)
        sums[event.currency] = sums.get(event.currency, ZERO) + paid

    def bill(self, event: Event) -> None:
        last = event.last_day or event.date.replace(day=1) - datetime.timedelta(days=1)
        first = event.first_day or last.replace(day=1)
        if last >= event.date or first > last:
            refuse("a bill is dated behind its days")
        provider, currency = event.counterparty, event.currency
        self.check_provider(provider)
        assert provider and currency and event.paid is not None
        owed = money(event.paid, currency)
        if owed == 0 or not self.is_money(currency):
            refuse("a bill of nothing, or not in money")
        legs = [Leg("provider", -owed, currency, partner=provider)]
        rest = owed
        for key in [*self.accrued]:
            who, meter, day, of = key
            if (who, of) == (provider, currency) and first <= day <= last:
                number = self.accrued.pop(key)
                legs.append(Leg("accrued", number, currency, origin=meter, partner=provider))
                rest -= number
        legs.append(Leg("variance", rest, currency, partner=provider))
        self.billed.append((provider, currency, first, last))
        self.book(event.date, "bill", legs)

    # Evenings

    def evening(self, day: Day) -> None:
        back, self.given_back = self.given_back, []
        for event, meter in back:
            self.count_served(event, meter, -1)
            if meter.cost is not None:
                self.give_back_cost(day, event, meter)
        if back and day <= self.as_of:
            self.end_lots(day)  # credits that came back after their end
        served, self.served = self.served, []
        for event, meter in served:
            self.count_served(event, meter, 1)
        served = [each for each in served if each[1].cost is not None]
        providers = {meter.provider for _, meter in served}
        providers |= {key[0] for key in self.stated if key[2] == day}
        for provider in sorted(providers):
            mine = [each for each in served if each[1].provider == provider]
            for name in sorted({meter.name for _, meter in mine}):
                if (provider, name, day) not in self.stated:
                    uses = [each for each in mine if each[1].name == name]
                    self.book(day, "cost", self.cost_of(day, uses))
            for (who, name, on), sums in sorted(self.stated.items()):
                if (who, on) == (provider, day):
                    for currency, number in sums.items():
                        self.book(day, "cost", self.accrue(provider, name, day, number, currency))

    def due(
        self, day: Day, provider: str, currency: str, number: Fraction, step: Decimal
    ) -> Decimal:
        """What a cost adds to the running total of the month, as rounded."""
        key = (provider, currency, day.year, day.month)
        self.cost_due[key] += number
        added = rounded(self.cost_due[key], step) - self.cost_booked[key]
        self.cost_booked[key] += added
        return added

    def accrue(
        self, provider: str, meter: str, day: Day, number: Decimal, currency: str
    ) -> list[Leg]:
        is_billed = any(
            (who, of) == (provider, currency) and first <= day <= last
            for who, of, first, last in self.billed
        )
        if not is_billed:
            self.accrued[provider, meter, day, currency] += number
        role = "variance" if is_billed else "accrued"
        return [
            Leg("cost", number, currency, origin=meter, partner=provider),
            Leg(role, -number, currency, origin=meter, partner=provider),
        ]

    def cost_of(self, day: Day, uses: Uses) -> list[Leg]:
        """What a day's uses of one meter cost."""
        _, meter = uses[0]
        assert meter.cost is not None
        currency, provider, name = meter.cost[1], meter.provider, meter.name
        number = sum((exact_cost(event, meter) for event, _ in uses), Fraction(0))
        if currency in self.terms.money:
            due = self.due(day, provider, currency, number, minor_unit(currency))
            return self.accrue(provider, name, day, due, currency)
        wanted = self.due(day, provider, currency, number, MILLIONTH)
        legs, missing = self.draw_credits(day, meter, wanted)
        if missing <= 0:
            return legs
        price = self.beyond(provider, day)
        if price is None:
            covered = Fraction(wanted - missing)
            for event, _ in uses:
                covered -= exact_cost(event, meter)
                if covered < 0:
                    break
            self.refusals.add(event.place, f"{missing} {currency} more than are held")
            return legs
        self.drawn[provider, currency, day].append((missing, None, price))
        worth = Fraction(missing) * Fraction(price[0])
        due = self.due(day, provider, price[1], worth, minor_unit(price[1]))
        return legs + self.accrue(provider, name, day, due, price[1])

    def draw_credits(self, day: Day, meter: Meter, wanted: Decimal) -> tuple[list[Leg], Decimal]:
        """Soonest end, oldest date, lowest cost first; and what is missing."""
        assert meter.cost is not None
        commodity, provider = meter.cost[1], meter.provider
        lots = [lot for lot in self.held["", "prepaid"] if lot.commodity == commodity]
        lots.sort(key=lambda lot: (lot.end or FAR, lot.date, lot.currency, lot.cost))
        legs: list[Leg] = []
        for lot in lots:
            units = min(wanted, self.held["", "prepaid"][lot])
            if units > 0:
                wanted -= units
                legs.append(Leg("prepaid", -units, commodity, partner=provider, lot=lot))
                cost = units * lot.cost
                legs.append(Leg("cost", cost, lot.currency, origin=meter.name, partner=provider))
                self.drawn[provider, commodity, day].append((units, lot, None))
        return legs, wanted

    def beyond(self, provider: str, day: Day) -> tuple[Decimal, str] | None:
        lines = [(on, price) for on, who, price in self.terms.beyond if who == provider]
        lines = [line for line in lines if line[0] <= day]
        price: tuple[Decimal, str] | None = (
            max(lines, key=lambda each: each[0])[1] if lines else None
        )
        return price

    def give_back_cost(self, today: Day, event: Event, meter: Meter) -> None:
        """The share of a use in its day's draw, last drawn first; money through the total."""
        assert meter.cost is not None
        provider, name, currency, day = meter.provider, meter.name, meter.cost[1], event.date
        if (provider, name, day) in self.stated:
            return
        number = -exact_cost(event, meter)
        if currency in self.terms.money:
            due = self.due(today, provider, currency, number, minor_unit(currency))
            self.book(today, "cost", self.accrue(provider, name, day, due, currency))
            return
        back = -self.due(today, provider, currency, number, MILLIONTH)
        legs: list[Leg] = []
        draws = self.drawn[provider, currency, day]
        while back > 0 and draws:
            units, lot, price = draws.pop()
            part = min(units, back)
            if units > part:
                draws.append((units - part, lot, price))
            back -= part
            if lot is None:
                worth = -Fraction(part) * Fraction(price[0])
                due = self.due(today, provider, price[1], worth, minor_unit(price[1]))
                legs += self.accrue(provider, name, day, due, price[1])
            else:
                legs.append(Leg("prepaid", part, currency, partner=provider, lot=lot))
                cost = -part * lot.cost
                legs.append(Leg("cost", cost, lot.currency, origin=name, partner=provider))
        self.book(today, "cost", legs)

    def lapse(self, day: Day, lot: Lot) -> None:
        """Credits that nobody used until their end are lost."""
        units = self.held["", "prepaid"][lot]
        legs = [
            Leg("prepaid", -units, lot.commodity, partner=lot.origin, lot=lot),
            Leg("lapsed", units * lot.cost, lot.currency, partner=lot.origin),
        ]
        self.book(day, "lapse", legs)


def exact_cost(event: Event, meter: Meter) -> Fraction:
    """What one use costs, of the meter's money or credits."""
    assert meter.cost is not None
    cost = Fraction(meter.cost[0])
    if event.quantity is not None:
        return Fraction(event.quantity) * cost / Fraction(meter.per)
    assert meter.units is not None
    return Fraction(event.units or 0) * cost / Fraction(meter.units[0])
