"""Published prices, from the data in the installed library genai-prices: no network, no clock.

    openai, gpt-5, output, on 2026-05-01  ->  10 USD a 1000000

The library is the extra `[prices]`: without it this module can't be imported. A day has one price:
what the list makes dearer or cheaper within it (long requests, batches, hours of the day) is told
beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from genai_prices import __version__
from genai_prices.data import providers as bundled_providers
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)
from genai_prices.types import Provider as ListedProvider

from beancount_compute.economy import Money, Refused, like, money_written, printable, quoted
from beancount_compute.economy.rounding import is_power_of_ten
from beancount_compute.price_list.price_lines import CURRENCY, PublishedPrice

MOST_NAMED = 5  # models, in a message


class PriceList(NamedTuple):
    """What is known of providers and their models, under the name that a line shows."""

    name: str  # with its version
    providers: Sequence[ListedProvider]


class AskedPrice(NamedTuple):
    """Which price of the list."""

    provider: str
    model: str
    kind: str  # "output", "cache_read"
    variant: tuple[str, str] | None = None  # ("processing", "batch")
    context: int = 0  # input tokens of a request, where long ones cost more


class ListedUnit(NamedTuple):
    """What the list counts, and of how much of it a price is."""

    kind: str
    key: str  # as the list calls the price
    per: Decimal


class ListedModel(NamedTuple):
    """A model as a provider sells it."""

    of: str  # the list
    provider: ListedProvider
    owner: str  # the provider whose prices they are
    model: ModelInfo

    @property
    def name(self) -> str:
        """As messages and sources name it."""
        lent = f" (a price of {self.owner})" if self.owner != self.provider.id else ""
        return printable(f"{self.provider.id} {self.model.id}{lent}")

    def standard(self, day: date) -> ModelPrice:
        """What a day's prices are, by the list's own rule: the last that has begun, else the first.

        Prices of hours of a day are no prices of a day.
        """
        prices = self.model.prices
        if isinstance(prices, ModelPrice):
            return prices
        begun = [
            each.prices
            for each in prices
            if not isinstance(each.constraint, TimeOfDateConstraint)
            and _begins(each.constraint) <= day
        ]
        first = prices[0].prices if prices else ModelPrice()
        return begun[-1] if begun else first

    def variants(self) -> list[PriceVariant]:
        """The prices of those requests that are not the usual ones; another's are not lent."""
        return [*(self.model.price_variants or ())] if self.owner == self.provider.id else []

    def hours(self) -> Iterator[tuple[TimeOfDateConstraint, ModelPrice]]:
        """The prices that hold within some hours of each day."""
        prices = self.model.prices
        for each in [] if isinstance(prices, ModelPrice) else prices:
            if isinstance(each.constraint, TimeOfDateConstraint):
                yield each.constraint, each.prices

    def days(self) -> Iterator[date]:
        """The days on which a price begins."""
        prices = self.model.prices
        dated = [] if isinstance(prices, ModelPrice) else [each.constraint for each in prices]
        for constraint in (*dated, *(each.constraint for each in self.variants())):
            if isinstance(constraint, StartDateConstraint):
                yield constraint.start_date


def bundled() -> PriceList:
    """The list that came with the installed library; what a process fetched since is not in it."""
    return PriceList(f"genai-prices {__version__}", bundled_providers)


def published(prices: PriceList, asked: AskedPrice, day: date) -> list[PublishedPrice]:
    """The price of a day, and each later one that the list knows already, from the day it holds.

    Raises `Refused` where the list has none: nothing costs nothing because it is missing.
    """
    model = _model(prices, asked)
    unit = _unit(model, asked, day)
    found: list[PublishedPrice] = []
    for since in [day, *sorted({each for each in model.days() if each > day})]:
        value = _value(model, unit, asked.variant, since)
        if value is None:  # never on the first day
            aside = f"from {since} on the list has no price of it"
            found[-1] = found[-1]._replace(asides=(aside, *found[-1].asides))
            break
        number = _number(value, asked.context, model)
        if not found or number != found[-1].number:
            source = _source(model, unit, asked, since, number)
            asides = tuple(_asides(model, unit, asked, since, value))
            found.append(PublishedPrice(since, number, unit.per, source, asides))
    return found


def _model(prices: PriceList, asked: AskedPrice) -> ListedModel:
    known = {each.id: each for each in prices.providers}
    provider = known.get(asked.provider.strip().lower())
    if provider is None:
        meant = like(asked.provider, known) or f": it has {', '.join(sorted(known))}"
        raise Refused(f"{prices.name} has no provider {quoted(asked.provider)}{meant}")
    model = provider.find_model(asked.model.strip(), all_providers=[*prices.providers])
    if model is None or not asked.model.strip():
        meant = _meant(asked.model, [each.id for each in provider.models])
        raise Refused(f"{prices.name} has no model {quoted(asked.model)} of {provider.id}{meant}")
    owners = [each for each in (provider, *prices.providers) if _has(each, model)]
    return ListedModel(prices.name, provider, owners[0].id, model)


def _meant(name: str, known: Sequence[str]) -> str:
    """A model that is called nearly so, or those of which the name is a part."""
    parts = [quoted(each) for each in known if name and name.lower() in each.lower()]
    return like(name, known) or (f"; it has {', '.join(parts[:MOST_NAMED])}" if parts else "")


def _has(provider: ListedProvider, model: ModelInfo) -> bool:
    return any(each is model for each in provider.models)


def _unit(model: ListedModel, asked: AskedPrice, day: date) -> ListedUnit:
    """What is asked for, if the model has a price of it on the day."""
    variant = asked.variant
    if variant and not any(_is(each, variant, day) for each in model.variants()):
        there = sorted(
            f"{key}={value}{_from(_begins(each.constraint), day)}"
            for each in model.variants()
            for key, value in each.when.items()
        )
        raise Refused(
            f"{model.of} has no {'='.join(variant)} for {model.name} on {day}: "
            f"{'it has ' + ', '.join(there) if there else 'it has no variants'}"
        )
    units = _units()
    there = [kind for kind, each in units.items() if _value(model, each, variant, day) is not None]
    kind = asked.kind.strip().lower().replace("-", "_").removesuffix("_tokens")
    if kind in there:
        return units[kind]
    if not there:
        raise Refused(f"{model.of} has no price at all for {model.name}: write the line by hand")
    later = [
        each
        for each in sorted(model.days())
        if kind in units and each > day and _value(model, units[kind], variant, each) is not None
    ]
    since = f"; from {later[0]} on it has: --date {later[0]}" if later else ""
    raise Refused(
        f"{model.of} has no price of {quoted(asked.kind)} for {model.name} on {day}: write one of "
        f"{', '.join(sorted(there))}{since or like(asked.kind, there)}"
    )


def _units() -> dict[str, ListedUnit]:
    """All that the list counts: tokens by their kind, time by what one price is of (hours)."""
    found: dict[str, ListedUnit] = {}
    for counted, unit in unit_data.items():
        kind, key, per = counted.removesuffix("_tokens"), str(unit["price_key"]), unit["per"]
        if not is_power_of_ten(Decimal(per)):  # seconds, priced by the hour
            kind, per = key, 1
        found[kind] = ListedUnit(kind, key, Decimal(per))
    return found


def _value(
    model: ListedModel, unit: ListedUnit, variant: tuple[str, str] | None, day: date
) -> Decimal | TieredPrices | None:
    """The price of a day; that of a variant where it has one of its own."""
    matching = [each.prices for each in model.variants() if variant and _is(each, variant, day)]
    for prices in (*matching, model.standard(day)):
        value = _stated(prices).get(unit.key)
        if value is not None:
            return value
    return None


def _stated(prices: ModelPrice) -> Mapping[str, Decimal | TieredPrices | None]:
    return vars(prices)


def _is(each: PriceVariant, variant: tuple[str, str], day: date) -> bool:
    """Whether requests with this alone have those prices on a day."""
    constraint = each.constraint
    dated = not isinstance(constraint, TimeOfDateConstraint) and _begins(constraint) <= day
    return dated and each.when == dict([variant])


def _begins(constraint: object) -> date:
    return constraint.start_date if isinstance(constraint, StartDateConstraint) else date.min


def _from(begins: date, day: date) -> str:
    return f" from {begins} on" if begins > day else ""


def _number(value: Decimal | TieredPrices, context: int, model: ListedModel) -> Decimal:
    """The price of requests of so many input tokens: crossing a tier changes it for all of them."""
    number = value
    if isinstance(value, TieredPrices):
        above = [tier.price for tier in value.tiers if context > tier.start]
        number = above[-1] if above else value.base
    if not isinstance(number, Decimal) or not number.is_finite() or number < 0:
        raise Refused(f"{model.of} says {number} for {model.name}, which is no price")
    return number


def _source(
    model: ListedModel, unit: ListedUnit, asked: AskedPrice, day: date, number: Decimal
) -> str:
    """What is looked up, so that whoever has that version of the list finds the same."""
    which = f" {'='.join(asked.variant)}" if asked.variant else ""
    which += f", {asked.context} input tokens a request" if asked.context else ""
    price = f"{_money(number)} a {unit.per:f}"
    return printable(f"{model.of} on {day}: {model.name} {unit.kind}{which}, {price}")


def _asides(
    model: ListedModel,
    unit: ListedUnit,
    asked: AskedPrice,
    day: date,
    value: Decimal | TieredPrices,
) -> Iterator[str]:
    """What else the list says of that price."""
    number, each = _number(value, asked.context, model), f"a {unit.per:f}"
    if isinstance(value, TieredPrices):
        yield from (f"{tier} ({option})" for tier, option in _tiers(value, number, each))
    if others := [*_others(model, unit, asked, day, number)]:
        yield f"other requests {each}: {', '.join(others)} (--variant)"
    for hours, prices in model.hours():
        other = _stated(prices).get(unit.key)
        if other is not None and not asked.variant:
            price = _money(_number(other, asked.context, model))
            yield f"from {hours.start_time:%H:%M} to {hours.end_time:%H:%M} UTC: {price} {each}"
    if not number:
        yield "the list says that it is free"
    for url in (model.provider.pricing_urls or [])[:1]:
        yield f"the provider's own page: {printable(url)}"


def _tiers(value: TieredPrices, taken: Decimal, each: str) -> Iterator[tuple[str, str]]:
    """The other prices, by what a request takes in, and how to ask for them."""
    starts = [0, *(tier.start for tier in value.tiers)]
    prices = [value.base, *(tier.price for tier in value.tiers)]
    for start, price in zip(starts, prices, strict=True):
        if price != taken:
            which = f"above {start}" if start else f"up to {starts[1]}"
            option = f"--context {start + 1 if start else 0}"
            yield f"requests {which} input tokens: {_money(price)} {each}", option


def _others(
    model: ListedModel, unit: ListedUnit, asked: AskedPrice, day: date, taken: Decimal
) -> Iterable[str]:
    """The prices of other variants, where they differ."""
    named = [*(each.when for each in model.variants())]
    for pair in [pair for when in named if len(when) == 1 for pair in when.items()]:
        value = _value(model, unit, pair, day)
        if value is not None and (other := _number(value, asked.context, model)) != taken:
            yield f"{printable('='.join(pair))} {_money(other)}"


def _money(number: Decimal) -> str:
    return money_written(Money(number, CURRENCY))
