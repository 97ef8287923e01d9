"""Prices as lines beside those that the ledger has: each is loaded after it is pasted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy import Money, Refused
from beancount_compute.price_list.price_lines import (
    MeterAsked,
    PriceForm,
    PriceLines,
    PublishedPrice,
    price_lines,
)
from beancount_compute.price_list.published_prices import AskedPrice, bundled, published
from tests.ledger.reading_terms import read

MAY, JULY = date(2026, 5, 1), date(2026, 7, 1)
METER = """\
2026-01-01 custom "compute-meter" "chat/output"
  units: 12 CU
  per: 1000
  cost: 0.02 USD
  provider: "OpenAI"
  source: "our contract"
"""


def price(number: str, since: date = MAY, *asides: str) -> PublishedPrice:
    return PublishedPrice(since, Decimal(number), Decimal(1_000_000), f"list of {since}", asides)


def lines(
    ledger: str,
    *prices: PublishedPrice,
    provider: str = "openai",
    meter: str = "chat/output",
    form: PriceForm | None = None,
) -> PriceLines:
    """What is printed; pasted at the end of the ledger it loads."""
    terms, _ = read(ledger, "USD")
    made = price_lines(terms.terms, MeterAsked(meter, provider, form), prices or [price("10")])
    if not any("in the place of" in note for note in made.notes):
        _, errors = read(ledger + "\n".join(made.lines) + "\n", "USD")
        assert errors == []
    return made


def refused(ledger: str, *prices: PublishedPrice, **more: Any) -> str:
    with pytest.raises(Refused) as error:
        lines(ledger, *prices, **more)
    return str(error.value)


def test_the_next_line_of_a_meter_keeps_what_the_last_one_says() -> None:
    """10 a million is 0.01 a thousand; the provider is spelt as the ledger does."""
    made = lines(METER, price("10", MAY, "an aside"))
    assert made.lines == [
        "; an aside",
        '2026-05-01 custom "compute-meter" "chat/output"',
        "  units: 12 CU",
        "  per: 1000",
        "  cost: 0.01 USD",
        '  provider: "OpenAI"',
        '  source: "list of 2026-05-01"',
    ]
    assert made.notes == []


def test_a_new_meter_is_of_what_the_list_counts() -> None:
    """A name that is nearly another's is asked for."""
    made = lines(METER, meter="chat/ouput")
    assert made.lines == [
        '2026-05-01 custom "compute-meter" "chat/ouput"',
        "  per: 1000000",
        "  cost: 10.00 USD",
        '  provider: "OpenAI"',
        '  source: "list of 2026-05-01"',
    ]
    assert made.notes == [
        '"chat/ouput" is a new meter, whose uses say their units; did you mean "chat/output"?'
    ]
    assert lines("").notes == ['"chat/output" is a new meter, whose uses say their units.']


def test_a_price_of_another_provider_is_a_quote() -> None:
    """Of the meter's `per`; the list is named above it, where a quote has no keys."""
    made = lines(METER, price("2.5", MAY, "an aside"), provider="llama")
    assert made.lines == [
        "; list of 2026-05-01",
        "; an aside",
        '2026-05-01 custom "compute-quote" "chat/output" "llama" 0.0025 USD',
    ]


def test_the_form_can_be_asked_for() -> None:
    """A swap of the provider, or a quote of who serves the meter."""
    assert '  provider: "llama"' in lines(METER, provider="llama", form=PriceForm.METER).lines
    quote = lines(METER, form=PriceForm.QUOTE).lines[-1]
    assert quote == '2026-05-01 custom "compute-quote" "chat/output" "OpenAI" 0.01 USD'
    assert refused(METER, meter="chat/ouput", form=PriceForm.QUOTE) == (
        'a quote is of a meter, and the ledger has no "chat/ouput"; did you mean "chat/output"?'
    )


def test_a_meter_that_nobody_serves_yet() -> None:
    """Also one whose first line comes later: it begins with that one's keys."""
    later = '2026-06-01 custom "compute-meter" "chat/output"\n  units: 1 CU\n'
    assert lines(later).lines == [
        '2026-05-01 custom "compute-meter" "chat/output"',
        "  units: 1 CU",
        "  cost: 0.00001 USD",
        '  provider: "openai"',
        '  source: "list of 2026-05-01"',
    ]


def test_what_the_ledger_says_already_is_not_printed() -> None:
    """Neither for the meter nor for a quote, whatever their source; a later price is."""
    made = lines(METER, price("20"), price("10", JULY))
    assert made.notes == ['the cost of "chat/output" is 0.02 USD on 2026-05-01 already.']
    assert [line for line in made.lines if "custom" in line] == [
        '2026-07-01 custom "compute-meter" "chat/output"'
    ]
    quoted = METER + '2026-02-01 custom "compute-quote" "chat/output" "llama" 0.01 USD\n'
    assert lines(quoted, provider="llama") == (
        [],
        ['the quote of "llama" is 0.01 USD on 2026-05-01 already.'],
    )


def test_a_price_that_falls_and_comes_back_has_two_lines() -> None:
    """The second is what the ledger said before the first."""
    made = lines(METER, price("10"), price("20", JULY))
    assert [line for line in made.lines if "cost" in line] == [
        "  cost: 0.01 USD",
        "  cost: 0.02 USD",
    ]


def test_later_prices_end_where_the_ledger_goes_on_by_itself() -> None:
    """From its own next line on it knows better, until it is asked for that day."""
    swapped = METER + (
        '2026-06-01 custom "compute-meter" "chat/output"\n  cost: 1 USD\n  provider: "llama"\n'
    )
    made = lines(swapped, price("10"), price("5", JULY))
    assert [line for line in made.lines if "custom" in line] == [
        '2026-05-01 custom "compute-meter" "chat/output"'
    ]
    (note,) = made.notes
    assert note == (
        "the list has another price from 2026-07-01 on, and the ledger a line of its own from "
        "2026-06-01 on: --date 2026-07-01 prints it."
    )


def test_a_line_of_the_same_day_is_to_be_replaced() -> None:
    """Two that differ would be an error; in its place it loads."""
    made = lines(METER, price("10", date(2026, 1, 1)))
    (note,) = made.notes
    assert note.startswith("put the line of 2026-01-01 in the place of that at ")
    assert note.endswith(":1.")
    terms, errors = read("\n".join(made.lines) + "\n", "USD")
    assert errors == []
    meter = terms.terms.meters["chat/output"].on(MAY)
    assert meter is not None and meter.cost == Money(Decimal("0.01"), "USD")


@pytest.mark.parametrize(
    ("ledger", "asked", "said"),
    [
        (METER, {"meter": "a!b"}, '"a!b" can\'t be a name here: write letters'),
        (METER, {"provider": "a/b"}, "\"a/b\" can't be a provider's name: write letters"),
        (METER.replace("1000", "3"), {}, 'no line of meter "chat/output" can be read: mend '),
        (
            METER.replace("0.02 USD", "1 OAI"),
            {},
            'meter "chat/output" of 2026-01-01 costs 1 OAI, and the list is in USD: --as meter',
        ),
    ],
)
def test_what_can_t_be_printed(ledger: str, asked: dict[str, str], said: str) -> None:
    """One sentence that says why."""
    assert refused(ledger, **asked).startswith(said)


def test_credits_are_swapped_for_money_where_it_is_asked_for() -> None:
    """What was prepaid may be used up."""
    credits = METER.replace("0.02 USD", "1 OAI")
    assert "  cost: 0.01 USD" in lines(credits, form=PriceForm.METER).lines
    assert lines(credits, form=PriceForm.QUOTE).lines[-1].endswith("0.01 USD")


def test_more_digits_than_a_ledger_may_write() -> None:
    """The list has figures that a computer made of others: nobody rounds them unasked."""
    assert refused(METER, price("0.18000000000000002")) == (
        "list of 2026-05-01: for `per` 1000 that is 0.00018000000000000002 USD, of more than 14 "
        "digits: round it, and write the line by hand"
    )
    assert "  cost: 0.00012345678901234 USD" in lines(METER, price("0.12345678901234")).lines


def test_every_price_of_the_installed_list_loads_or_is_refused() -> None:
    """Whatever its names and figures are: each as the cost of a meter of its own."""
    terms, _ = read("")
    listed, pasted, said = bundled(), [], []
    for provider in listed.providers:
        for model in provider.models:
            try:
                prices = published(listed, AskedPrice(provider.id, model.id, "input"), MAY)
                meter = MeterAsked(f"m{len(pasted)}", provider.id)
                pasted.append(price_lines(terms.terms, meter, prices))
            except Refused as refused:
                said.append(str(refused))
    assert all(each.startswith(listed.name) for each in said)
    text = "\n".join(line for each in pasted for line in each.lines) + "\n"
    loaded, errors = read(text, "USD")
    assert errors == []
    assert len(loaded.terms.meters) == len(pasted) > 100
