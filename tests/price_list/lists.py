"""A small price list of fixed figures, in the types of the library: tests depend on no others."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from genai_prices.types import (
    ClauseContains,
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from beancount_compute.price_list.published_prices import PriceList

FLAT = ModelPrice(
    input_mtok=Decimal("1.25"), output_mtok=Decimal("10"), web_searches_kcount=Decimal("2.5")
)
JULY, AUGUST, SEPTEMBER = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)


def from_day(day: date, prices: ModelPrice) -> ConditionalPrice:
    return ConditionalPrice(StartDateConstraint(day), prices=prices)


def of_output(number: str) -> ModelPrice:
    return ModelPrice(output_mtok=Decimal(number))


def tiered(base: str, *tiers: tuple[int, str]) -> TieredPrices:
    return TieredPrices(Decimal(base), [Tier(start, Decimal(price)) for start, price in tiers])


MODELS = {
    "flat": FLAT,
    "free": of_output("0"),
    "empty": ModelPrice(),
    "none": [],
    "noisy": of_output("0.18000000000000002"),
    "negative": of_output("-1"),
    "endless": of_output("Infinity"),
    "hours": ModelPrice(audio_hours=Decimal("0.36")),
    "long": ModelPrice(output_mtok=tiered("6", (200, "9"), (1000, "12"))),
    # the price of July is not the first that the list names, and August changes only the input
    "dated": [
        ConditionalPrice(prices=of_output("40")),
        from_day(JULY, of_output("8")),
        from_day(AUGUST, ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal("8.0"))),
        from_day(SEPTEMBER, ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal("7"))),
    ],
    "begins": [from_day(JULY, of_output("8"))],
    "ends": [ConditionalPrice(prices=of_output("8")), from_day(JULY, ModelPrice())],
    "nightly": [
        ConditionalPrice(prices=of_output("0.55")),
        ConditionalPrice(TimeOfDateConstraint(time(0, 30), time(16, 30)), prices=of_output("1.1")),
    ],
}
BATCHES = [
    PriceVariant({"tier": "default"}, ModelPrice()),
    PriceVariant({"mode": "batch"}, of_output("5"), StartDateConstraint(JULY)),
]
LIST = PriceList(
    "prices 1.0",
    [
        Provider(
            "maker",
            "Maker",
            "",
            pricing_urls=["https://maker.example/prices"],
            models=[
                *(
                    ModelInfo(name, ClauseEquals(name), prices=each)
                    for name, each in MODELS.items()
                ),
                ModelInfo("batch", ClauseContains("batch"), prices=FLAT, price_variants=BATCHES),
            ],
        ),
        Provider("reseller", "Reseller", "", fallback_model_providers=["maker"]),
        Provider(
            "llama",
            "Llama",
            "",
            models=[ModelInfo("own", ClauseEquals("own"), prices=of_output("2"))],
        ),
    ],
)
