"""Published prices as dated lines of a meter, next to those that the ledger has already.

2026-01-01 custom "compute-meter" "chat/output"      what the ledger says
  units: 12 CU
  per: 1000
  provider: "openai"
10 USD a 1000000, from 2026-05-01                    what the list says

2026-05-01 custom "compute-meter" "chat/output"      what is printed
  units: 12 CU
  per: 1000
  cost: 0.01 USD
  provider: "openai"
  source: "genai-prices 0.2.3 on 2026-05-01: ..."
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from beancount_compute.economy import (
    METER_KEYS,
    MOST_DIGITS,
    WIDE,
    Meter,
    Money,
    Quote,
    Refused,
    Terms,
    Timeline,
    amount,
    like,
    money_written,
    parse_provider,
    parse_term_name,
    quoted,
)
from beancount_compute.economy.rounding import has_few_digits

CURRENCY = "USD"  # of the whole list


class PriceForm(StrEnum):
    """What a price is printed as: what is booked, or what is compared."""

    METER = "meter"
    QUOTE = "quote"


class PublishedPrice(NamedTuple):
    """What a list asks for something from a day on."""

    since: date
    number: Decimal  # of `CURRENCY`
    per: Decimal  # a power of ten
    source: str
    asides: tuple[str, ...] = ()  # what else the list says of it


class MeterAsked(NamedTuple):
    """For which meter lines are wanted."""

    meter: str
    provider: str
    form: PriceForm | None = None  # None: by who serves the meter


class PriceLines(NamedTuple):
    """What to paste, and what to know of it."""

    lines: list[str]
    notes: list[str]


def price_lines(terms: Terms, asked: MeterAsked, prices: Sequence[PublishedPrice]) -> PriceLines:
    """The lines of prices, the first from the day that was asked for.

    The later ones go as far as the ledger has no line of its own. Raises `Refused` for a meter or
    provider that can't stand there.
    """
    name = parse_term_name(asked.meter)
    provider = _as_known(parse_provider(asked.provider), terms.known_providers)
    if name in terms.refused_meters:
        place = terms.refused_meters[name]
        raise Refused(f"no line of meter {quoted(name)} can be read: mend {place} first")
    meters = terms.meters.get(name) or Timeline()
    day, per = prices[0].since, prices[0].per
    served = meters.on(day) or meters.first() or Meter(name, day, per=per)
    if (asked.form or _form(served, provider)) is PriceForm.METER:
        return _costs(meters, served, provider, prices, terms)
    if not meters.first():
        meant = like(name, terms.meters)
        raise Refused(f"a quote is of a meter, and the ledger has no {quoted(name)}{meant}")
    quotes = terms.quotes.get((name, provider)) or Timeline()
    made = [Quote(name, provider, each.since, _cost(each, served.per)) for each in prices]
    return _beside(quotes, made, prices, f"the quote of {quoted(provider)}")


def _costs(
    meters: Timeline[Meter],
    served: Meter,
    provider: str,
    prices: Sequence[PublishedPrice],
    terms: Terms,
) -> PriceLines:
    """Lines of the meter, which keep what its line says apart from the cost."""
    named, per = quoted(served.name), served.per
    made = [
        served._replace(
            since=each.since, cost=_cost(each, per), provider=provider, source=each.source
        )
        for each in prices
    ]
    found = _beside(meters, made, prices, f"the cost of {named}")
    if not meters.first():
        meant = like(served.name, terms.meters)
        found.notes.append(f"{named} is a new meter, whose uses say their units{meant or '.'}")
    return found


def _as_known(provider: str, known: frozenset[str]) -> str:
    """The provider in the ledger's own spelling."""
    same = [each for each in sorted(known) if each.casefold() == provider.casefold()]
    return provider if provider in known or not same else same[0]


def _form(served: Meter, provider: str) -> PriceForm:
    """A price of who serves the meter, or of who shall, is its cost; others are compared."""
    if served.provider not in ("", provider):
        return PriceForm.QUOTE
    if served.cost and served.cost.currency != CURRENCY:
        raise Refused(
            f"meter {quoted(served.name)} of {served.since} costs {amount(*served.cost)}, and the "
            f"list is in {CURRENCY}: --as meter puts that in its place, --as quote compares them"
        )
    return PriceForm.METER


def _cost(price: PublishedPrice, per: Decimal) -> Money:
    """What `per` costs, exact: both are powers of ten."""
    number = price.number.scaleb(per.adjusted() - price.per.adjusted(), WIDE)
    if not has_few_digits(number):
        raise Refused(
            f"{price.source}: for `per` {per:f} that is {amount(number, CURRENCY)}, of more than "
            f"{MOST_DIGITS} digits: round it, and write the line by hand"
        )
    return Money(number, CURRENCY)


def _beside(
    there: Timeline[Any], made: Sequence[Any], prices: Sequence[PublishedPrice], what: str
) -> PriceLines:
    """Lines that say something new, as far as the ledger's own next one."""
    day = prices[0].since
    lines: list[str] = []
    notes: list[str] = []
    own = next((each for each, _ in there.items() if each > day), date.max)
    for line, price in zip(made, prices, strict=True):
        if price.since >= own:
            notes.append(
                f"the list has another price from {price.since} on, and the ledger a line of its "
                f"own from {own} on: --date {price.since} prints it."
            )
            break
        before = there.on(price.since)
        if not lines and before and (before.cost, before.provider) == (line.cost, line.provider):
            notes.append(f"{what} is {money_written(line.cost)} on {price.since} already.")
            continue
        if before and there.since(price.since) == price.since:
            notes.append(f"put the line of {price.since} in the place of that at {before.place}.")
        lines += _text(line, price)
    return PriceLines(lines, notes)


def _text(line: Meter | Quote, price: PublishedPrice) -> Iterator[str]:
    """A line, behind what is to know of it."""
    quote = isinstance(line, Quote)
    for aside in (*([price.source] if quote else []), *price.asides):
        yield f"; {aside}"
    if isinstance(line, Quote):
        names = f'"{line.meter}" "{line.provider}"'
        yield f'{line.since} custom "compute-quote" {names} {money_written(line.cost)}'
        return
    yield f'{line.since} custom "compute-meter" "{line.name}"'
    for key in METER_KEYS.values():
        value = getattr(line, key.field)
        if value != Meter._field_defaults[key.field]:
            yield f"  {key.name}: {key.write(value)}"
