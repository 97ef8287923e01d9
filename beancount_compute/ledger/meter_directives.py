"""Meters, providers and quotes from `custom` directives, one by one.

2026-01-01 custom "compute-meter" "chat/output"
  units: 12 CU
  per: 1000000
2026-01-01 custom "compute-provider" "openai"
  beyond: 1.00 USD
2026-01-01 custom "compute-quote" "chat/output" "llama" 2.00 USD
"""

from __future__ import annotations

from beancount.core.data import Custom

from beancount_compute.economy import (
    METER_KEYS,
    PROVIDER_KEYS,
    Meter,
    Money,
    Place,
    Provider,
    Quote,
    amount,
    not_below_zero,
    parse_provider,
    parse_term_name,
    quoted,
)
from beancount_compute.ledger.directives import fields_of, metadata_of, plain_value, values_of
from beancount_compute.ledger.errors import FieldError

METER, PROVIDER, QUOTE = "compute-meter", "compute-provider", "compute-quote"
METER_TYPES = (METER, PROVIDER, QUOTE)


def read_meter_line(entry: Custom, place: Place) -> Meter | Provider | Quote:
    """What a line of these types states; raises `FieldError` or `Refused`."""
    match entry.type:
        case "compute-meter":
            return _meter(entry, place)
        case "compute-provider":
            (name,) = values_of(entry, {("text",): ()}, 'a name: "openai"')
            given = fields_of(metadata_of(entry, PROVIDER_KEYS), PROVIDER_KEYS)
            return Provider(parse_provider(name), entry.date, place=place, **given)
        case _:
            shapes = {("text", "text", "amount"): ()}
            example = 'a meter, a provider and a cost: "chat/output" "llama" 2.00 USD'
            meter, provider, cost = values_of(entry, shapes, example)
            metadata_of(entry, ())
            money: Money = not_below_zero("the quote")(plain_value(cost))
            names = parse_term_name(meter), parse_provider(provider)
            return Quote(*names, entry.date, money, place)


def _meter(entry: Custom, place: Place) -> Meter:
    (name,) = values_of(entry, {("text",): ()}, 'a name: "chat/output"')
    given = fields_of(metadata_of(entry, METER_KEYS), METER_KEYS)
    meter = Meter(parse_term_name(name), entry.date, place=place, **given)
    if meter.cost is not None and not meter.provider:
        raise FieldError(
            f"meter {quoted(meter.name)} has a cost and no provider: write to whom it is owed, "
            'such as provider: "openai"'
        )
    if meter.cost and meter.units and meter.cost.currency == meter.units.currency:
        raise FieldError(
            f"wrong currency: {amount(*meter.cost)} is in the units that subscribers hold: write "
            "a cost in money, or in the provider's credits"
        )
    return meter
