"""The first bill: what the uses of a day cost to serve, one entry a provider, in its evening.

    2026-05-20 * "openai" "Cost of compute, 1 use" #compute-cost
      Assets:Prepaid:Openai              -80 OAI {1.00 USD, 2026-05-01, "openai/2027-05-01"}
      Expenses:Compute:Openai          80.00 USD
    2026-06-10 * "llama" "Cost of compute, 1 use" #compute-cost
      Expenses:Compute:Llama           20.00 USD
      Liabilities:Accrued:Llama       -20.00 USD

A use asks what it costs before anything of it is booked: unpriced use is refused, never free. What
rounding leaves stays in the running total of the provider, currency and month, so that the costs of
all uses add up to what is booked. What the provider states of a meter and day wins over the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from beancount_compute.economy import (
    OF_REVERSAL,
    PRICE_STEP,
    WIDE,
    ZERO,
    Beyond,
    Draw,
    DrawDown,
    Event,
    JournalEntry,
    Kind,
    Leg,
    LotLeg,
    Meter,
    Money,
    MoneyLeg,
    Refusal,
    Role,
    StatedCost,
    added_up,
    amount,
    decimals_of,
    minor_unit,
    must_be_exact,
    quoted,
    text_of,
    trim,
    units_used,
)
from beancount_compute.economy.rules.credits import in_stock, lapse
from beancount_compute.economy.state import Economy, Undo


def take_back(economy: Economy, undo: Undo) -> None:
    """Let the evening give back what a reversed use cost; one of today never cost anything."""
    entry = undo.entry
    if not entry.meter:
        return
    uses = economy.served.get((undo.day, entry.meter), [])
    for at, use in enumerate(uses):
        if use is undo.use:
            del uses[at]
            return
    economy.taken_back.append(undo)


class _Served(NamedTuple):
    """What uses of a meter on a day cost together, exact."""

    day: date
    meter: Meter
    number: Fraction
    uses: list[Event]

    @property
    def provider(self) -> str:
        return self.meter.provider

    @property
    def currency(self) -> str:
        assert self.meter.cost is not None
        return self.meter.cost.currency


def book_costs(economy: Economy, day: date) -> None:
    """Book what the uses of a day cost, a provider after the other; late ones by their own day."""
    back, economy.taken_back = economy.taken_back, []
    for undo in back:
        _give_back(economy, undo)
    served, economy.served = economy.served, {}
    stated, economy.stated = economy.stated, {}
    parts: dict[tuple[date, str], list[_Served]] = {key: [] for key in stated}
    for (on, name), uses in sorted(served.items()):
        meter = _meter_on(economy, name, on)
        if uses and meter and meter.provider and meter.cost:
            part = _Served(on, meter, number_of(uses, meter), uses)
            parts.setdefault((on, meter.provider), []).append(part)
    for (on, provider), of_provider in sorted(parts.items()):
        _book(economy, day, on, provider, of_provider, stated.get((on, provider), []))


def _meter_on(economy: Economy, name: str, day: date) -> Meter | None:
    timeline = economy.terms.meters.get(name)
    return timeline.on(day) if timeline else None


def number_of(uses: Iterable[Event], meter: Meter) -> Fraction:
    """What uses cost together, of the meter's money or credits, exact."""
    quantities = units = ZERO
    for event in uses:
        if event.quantity:
            quantities = WIDE.add(quantities, event.quantity)
        else:
            units = WIDE.add(units, event.units or ZERO)
    return _number(quantities, units, meter)


def _number(quantity: Decimal, units: Decimal, meter: Meter) -> Fraction:
    assert meter.cost is not None
    found = Fraction(quantity) * Fraction(meter.cost.number) / Fraction(meter.per)
    if units:
        assert meter.units is not None
        found += Fraction(units) * Fraction(meter.cost.number) / Fraction(meter.units.number)
    return found


def _book(
    economy: Economy,
    day: date,
    on: date,
    provider: str,
    parts: Iterable[_Served],
    stated: list[StatedCost],
) -> None:
    costs = economy.costs
    legs: list[Leg] = []
    beyond: list[Beyond] = []
    uses = 0
    told = {each.meter for each in stated}
    for part in parts:
        uses += len(part.uses)
        if part.meter.name not in told and (provider, part.meter.name, on) not in costs.stated:
            legs += _legs(economy, part, beyond)
    for name, number, currency in _stated_in_all(economy, on, provider, stated):
        booked = costs.booked.get((provider, name, on), {}).get(currency, ZERO)
        due = Money(WIDE.subtract(number, booked), currency)
        legs += _accrue(economy, provider, name, on, due)
    if not legs and not stated and not beyond:
        return
    what = f"{uses:,} {'use' if uses == 1 else 'uses'}" if uses else "as stated"
    cost_id = f"{Kind.COST}/{provider}/{text_of(on)}"
    economy.post(
        JournalEntry(
            day,
            Kind.COST,
            provider,
            f"Cost of compute, {what}",
            added_up(legs),
            cost_id if on == day else f"{cost_id}/{text_of(day)}",
            None,
            "uses" if uses else "as stated",
            served=None if on == day else on,
            beyond=tuple(beyond),
            stated=tuple(stated),
        )
    )


def _stated_in_all(
    economy: Economy, on: date, provider: str, stated: Iterable[StatedCost]
) -> Iterator[StatedCost]:
    """What is stated of each meter of a day, with what was before."""
    sums: dict[tuple[str, str], Decimal] = {}
    for meter, number, currency in stated:
        sums[meter, currency] = WIDE.add(sums.get((meter, currency), ZERO), number)
    for (meter, currency), number in sorted(sums.items()):
        before = economy.costs.stated.get((provider, meter, on), {}).get(currency, ZERO)
        yield StatedCost(meter, WIDE.add(before, number), currency)


def _legs(economy: Economy, part: _Served, beyond: list[Beyond]) -> list[Leg]:
    if part.currency in economy.terms.money:
        due = _due(economy, part.provider, part.currency, part.number)
        return _accrue(economy, part.provider, part.meter.name, part.day, Money(due, part.currency))
    wanted = _due(economy, part.provider, part.currency, part.number, credits=True)
    return _draw(economy, part, wanted, beyond)


def _draw(economy: Economy, part: _Served, wanted: Decimal, beyond: list[Beyond]) -> list[Leg]:
    """Credits by soonest end, oldest date, lowest cost; then at the price beyond them."""
    provider, name = part.provider, part.meter.name
    holding = economy.stock.get(part.currency)
    draws: list[Draw] = []
    missing = wanted
    if holding and wanted > 0:
        draws, missing = holding.plan(wanted, DrawDown.EXPIRY)
    legs: list[Leg] = []
    costs: dict[str, Decimal] = {}
    for open_lot, units in draws:
        lot = open_lot.lot
        legs.append(LotLeg(lot, -units))
        costs[lot.currency] = costs.get(lot.currency, ZERO) + units * lot.cost
    legs += [MoneyLeg(Role.COST, provider, name, cost, of) for of, cost in costs.items() if cost]
    economy.take(draws)
    if missing <= 0:
        return legs
    timeline = economy.terms.providers.get(provider)
    terms = timeline.on(part.day) if timeline else None
    if terms is None or terms.beyond is None:
        _refuse(economy, part, wanted, missing)
        return legs
    price = terms.beyond
    beyond.append(Beyond(missing, part.currency, price))
    return legs + _at_price(economy, part.provider, name, part.day, missing, price)


def _at_price(
    economy: Economy, provider: str, meter: str, day: date, units: Decimal, price: Money
) -> list[Leg]:
    """Credits that nobody held, at a price; units below zero are given back."""
    exact = Fraction(units) * Fraction(price.number)
    due = _due(economy, provider, price.currency, exact)
    return _accrue(economy, provider, meter, day, Money(due, price.currency))


def _refuse(economy: Economy, part: _Served, wanted: Decimal, missing: Decimal) -> None:
    """Say which uses took more credits than were held; they stand, and cost what was there."""
    held = Fraction(wanted) - Fraction(missing)
    needs = accumulate(number_of([use], part.meter) for use in part.uses)
    lacking = [use for use, need in zip(part.uses, needs, strict=True) if need > held]
    lacking = lacking or part.uses[-1:]  # by what rounding adds
    count = len(lacking)
    uses = f"{count:,} {'use' if count == 1 else 'uses'}"
    unit, provider = part.currency, part.provider
    said = f"{uses} of {quoted(part.meter.name)} on {part.day} took {amount(missing, unit)} more"
    if unit not in economy.provider_of:
        message = (
            f"{said} than are held of {quoted(provider)}, and {unit} is neither money of this "
            f'ledger (option "operating_currency") nor credits that were bought: write either, or '
            f"compute-provider {quoted(provider)} with `beyond`"
        )
    else:
        message = (
            f"{said} than are held of {quoted(provider)}: write a compute-purchase before it, or "
            f"what a credit costs beyond them: compute-provider {quoted(provider)} with `beyond`"
        )
    economy.refusals.append(Refusal(lacking[0].place, message))


def _accrue(economy: Economy, provider: str, meter: str, day: date, due: Money) -> list[Leg]:
    """What is owed for a day; where the provider has billed it already, it is a variance."""
    if not due.number:
        return []
    billed = economy.costs.is_billed(provider, due.currency, day)
    role, of = (Role.VARIANCE, "") if billed else (Role.ACCRUED, meter)
    return [
        MoneyLeg(Role.COST, provider, meter, due.number, due.currency),
        MoneyLeg(role, provider, of, WIDE.minus(due.number), due.currency),
    ]


def _due(
    economy: Economy, provider: str, currency: str, exact: Fraction, *, credits: bool = False
) -> Decimal:
    """What a cost adds to the rounded running total of the provider, currency and month."""
    key = (provider, currency, economy.today.year, economy.today.month)
    before, booked = economy.running.get(key, (Fraction(), ZERO))
    step = PRICE_STEP if credits else minor_unit(currency)
    total = before + exact
    due = round(total / Fraction(step)) * step - booked  # half-even
    economy.running[key] = (total, booked + due)
    return trim(due, 0 if credits else decimals_of(currency))


def _give_back(economy: Economy, undo: Undo) -> None:
    """Give back the share of a reversed use in its day's draw, the last drawn first."""
    entry, day = undo.entry, undo.day
    meter = _meter_on(economy, entry.meter, day)
    if meter is None or meter.cost is None or not meter.provider:
        return
    provider, currency = meter.provider, meter.cost.currency
    if (provider, meter.name, day) in economy.costs.stated:
        return  # the provider said what that day cost, whatever was used
    number = -_number(entry.quantity, ZERO if entry.quantity else units_used(entry), meter)
    beyond: list[Beyond] = []
    ended: list[LotLeg] = []
    if currency in economy.terms.money:
        due = _due(economy, provider, currency, number)
        legs = _accrue(economy, provider, meter.name, day, Money(due, currency))
    else:
        due = -_due(economy, provider, currency, number, credits=True)
        legs = []
        for units, lot, price in economy.costs.last_drawn(provider, currency, day, due):
            if lot is None:
                assert price is not None
                beyond.append(Beyond(-units, currency, price))
                legs += _at_price(economy, provider, meter.name, day, -units, price)
            else:
                lot = in_stock(economy, lot, units)
                must_be_exact(units * lot.cost)
                ended.append(LotLeg(lot, units))
                cost = WIDE.minus(units * lot.cost)
                legs.append(LotLeg(lot, units))
                if cost:
                    legs.append(MoneyLeg(Role.COST, provider, meter.name, cost, lot.currency))
    if not legs and not beyond:
        return
    narration = f"Cost of compute of {text_of(day)} given back, 1 use"
    cost_id = f"{Kind.COST}/{entry.id}/{text_of(economy.today)}"
    source = f"{OF_REVERSAL}{entry.id}"
    economy.post(
        JournalEntry(
            economy.today,
            Kind.COST,
            provider,
            narration,
            added_up(legs),
            cost_id,
            None,
            source,
            served=day,
            beyond=tuple(beyond),
        )
    )
    for lot, units, _ in ended:
        economy.put_in_stock(lot, units)
        open_lot = economy.open_lot(lot)
        if open_lot is not None and lot.end is not None and lot.end <= economy.today:
            lapse(economy, open_lot, economy.today)
