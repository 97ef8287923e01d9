"""What a price list says of a day, whatever shape it says it in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from genai_prices.types import TieredPrices, TimeOfDateConstraint

from beancount_compute.economy import Refused
from beancount_compute.price_list.price_lines import PublishedPrice
from beancount_compute.price_list.published_prices import AskedPrice, bundled, published
from tests.price_list.lists import AUGUST, JULY, LIST, SEPTEMBER

MAY = date(2026, 5, 1)


def of(model: str, kind: str = "output", day: date = MAY, **more: object) -> list[PublishedPrice]:
    """The prices of a model of the maker."""
    asked = AskedPrice("maker", model, kind)._replace(**more)
    return published(LIST, asked, day)


def refused(model: str, kind: str = "output", day: date = MAY, **more: object) -> str:
    with pytest.raises(Refused) as error:
        of(model, kind, day, **more)
    return str(error.value)


@pytest.mark.parametrize(
    ("model", "kind", "number", "per"),
    [
        ("flat", "output", "10", 1_000_000),
        ("flat", "Output_Tokens", "10", 1_000_000),
        ("FLAT", "input", "1.25", 1_000_000),
        ("flat", "web-searches", "2.5", 1000),
        ("hours", "audio_hours", "0.36", 1),  # the list counts 3600 seconds
        ("free", "output", "0", 1_000_000),
    ],
)
def test_a_price_with_what_it_is_of(model: str, kind: str, number: str, per: int) -> None:
    """As the list says it, of a power of ten."""
    (price,) = of(model, kind)
    assert (price.since, price.number, price.per) == (MAY, Decimal(number), per)


def test_the_source_is_enough_to_look_it_up_again() -> None:
    """List, version, day, provider, model, kind, price; and the provider's own page."""
    (price,) = of("flat")
    assert price.source == "prices 1.0 on 2026-05-01: maker flat output, 10.00 USD a 1000000"
    assert price.asides == ("the provider's own page: https://maker.example/prices",)


def test_a_price_holds_until_the_next_that_is_another() -> None:
    """The maker cut it in July and in September; in August it changed something else."""
    assert [(each.since, each.number) for each in of("dated")] == [
        (MAY, 40),
        (JULY, 8),
        (SEPTEMBER, 7),
    ]
    assert [(each.since, each.number) for each in of("dated", day=AUGUST)] == [
        (AUGUST, 8),
        (SEPTEMBER, 7),
    ]
    assert [each.since for each in of("dated", day=SEPTEMBER)] == [SEPTEMBER]


def test_before_its_first_day_a_price_is_what_it_was_then() -> None:
    """As the list itself has it."""
    assert [(each.since, each.number) for each in of("begins")] == [(MAY, 8)]


def test_a_kind_that_comes_later_or_goes() -> None:
    """Nothing is taken for it on the other days."""
    assert [each.since for each in of("dated", "input", AUGUST)] == [AUGUST]
    assert refused("dated", "input") == (
        'prices 1.0 has no price of "input" for maker dated on 2026-05-01: write one of output; '
        "from 2026-08-01 on it has: --date 2026-08-01"
    )
    (price,) = of("ends")
    assert price.asides[0] == "from 2026-07-01 on the list has no price of it"


@pytest.mark.parametrize(
    ("context", "number", "others"),
    [
        (0, 6, ["above 200 input tokens: 9.00", "above 1000 input tokens: 12.00"]),
        (200, 6, ["above 200 input tokens: 9.00", "above 1000 input tokens: 12.00"]),
        (201, 9, ["up to 200 input tokens: 6.00", "above 1000 input tokens: 12.00"]),
        (1001, 12, ["up to 200 input tokens: 6.00", "above 200 input tokens: 9.00"]),
    ],
)
def test_long_requests_have_prices_of_their_own(
    context: int, number: int, others: list[str]
) -> None:
    """The lowest is taken where nothing is said; the others are named with how to ask for them."""
    (price,) = of("long", context=context)
    assert price.number == number
    named = [each.split(" USD")[0] for each in price.asides if each.startswith("requests ")]
    assert named == [f"requests {each}" for each in others]
    assert (f", {context} input tokens a request," in price.source) is (context > 0)
    (back,) = of("long", context=0)
    assert back.asides[0].endswith(" a 1000000 (--context 201)")


def test_variants_are_named_and_can_be_asked_for() -> None:
    """From the day on which they begin; what they don't say is as usual."""
    usual = of("batch", day=JULY)
    assert usual[0].asides[0] == "other requests a 1000000: mode=batch 5.00 USD (--variant)"
    (price,) = of("batch", day=JULY, variant=("mode", "batch"))
    assert price.number == 5
    assert price.source.endswith("maker batch output mode=batch, 5.00 USD a 1000000")
    assert of("batch", "input", JULY, variant=("mode", "batch"))[0].number == Decimal("1.25")
    assert [each.number for each in of("batch", variant=("tier", "default"))] == [10]
    assert all("other requests" not in each for each in of("batch")[0].asides)
    assert refused("batch", variant=("mode", "batch")) == (
        "prices 1.0 has no mode=batch for maker batch on 2026-05-01: it has "
        "mode=batch from 2026-07-01 on, tier=default"
    )
    assert refused("flat", variant=("mode", "x")).endswith(": it has no variants")


def test_a_day_has_no_price_of_hours() -> None:
    """Those are told beside it."""
    (price,) = of("nightly")
    assert price.number == Decimal("0.55")
    assert price.asides[0] == "from 00:30 to 16:30 UTC: 1.10 USD a 1000000"


def test_a_price_of_zero_is_said_to_be_one() -> None:
    """The list knows the price; where it knows none, there is none."""
    assert of("free")[0].asides[0] == "the list says that it is free"
    for model in ("empty", "none"):
        assert refused(model) == (
            f"prices 1.0 has no price at all for maker {model}: write the line by hand"
        )


def test_what_a_provider_sells_of_another() -> None:
    """At the other's usual prices, and the source says whose they are."""
    (price,) = published(LIST, AskedPrice("reseller", "batch", "output"), JULY)
    assert " reseller batch (a price of maker) output, 10.00 USD" in price.source
    assert price.asides == ()
    with pytest.raises(Refused, match="it has no variants"):
        published(LIST, AskedPrice("reseller", "batch", "output", ("mode", "batch")), JULY)


@pytest.mark.parametrize(
    ("provider", "model", "kind", "said"),
    [
        ("maekr", "flat", "output", 'has no provider "maekr"; did you mean "maker"?'),
        ("x", "flat", "output", 'has no provider "x": it has llama, maker, reseller'),
        ("maker", "flta", "output", 'has no model "flta" of maker; did you mean "flat"?'),
        (
            "maker",
            "n",
            "output",
            'of maker; it has "none", "noisy", "negative", "endless", "long"',
        ),
        ("maker", "xyz", "output", 'has no model "xyz" of maker'),
        ("maker", " ", "output", 'has no model " " of maker'),
        (
            "maker",
            "flat",
            "ouput",
            'on 2026-05-01: write one of input, output, web_searches; did you mean "output"?',
        ),
        ("maker", "negative", "output", "says -1 for maker negative, which is no price"),
        ("maker", "endless", "output", "says Infinity for maker endless, which is no price"),
    ],
)
def test_what_the_list_has_not(provider: str, model: str, kind: str, said: str) -> None:
    """One sentence, with what it has instead."""
    with pytest.raises(Refused) as error:
        published(LIST, AskedPrice(provider, model, kind), MAY)
    assert str(error.value).endswith(said)
    assert str(error.value).startswith("prices 1.0 ")


def test_every_price_of_the_installed_list_is_what_the_library_says_itself() -> None:
    """On two days; whatever its figures are, and those of some hours left out."""
    prices = bundled()
    compared = 0
    for provider in prices.providers:
        for model in provider.models:
            conditions = model.prices if isinstance(model.prices, list) else []
            if any(isinstance(each.constraint, TimeOfDateConstraint) for each in conditions):
                continue
            for day in (date(2025, 6, 1), date(2026, 11, 1)):
                theirs = model.get_prices(datetime(day.year, day.month, day.day, tzinfo=UTC))
                value = vars(theirs).get("output_mtok")
                asked = AskedPrice(provider.id, model.id, "output")
                if value is None or provider.find_model(model.id) is not model:
                    continue
                number = value.base if isinstance(value, TieredPrices) else value
                assert published(prices, asked, day)[0].number == number, (provider.id, model.id)
                compared += 1
    assert compared > 100
    assert prices.name.startswith("genai-prices ")
