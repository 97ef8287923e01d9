"""Meters, providers and quotes from `custom` directives."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.meters import Meter, Provider, Quote
from beancount_compute.economy.term_values import Money
from tests.economy.building import day
from tests.ledger.reading_terms import read

START = day("2026-01-01")


def test_a_meter_with_everything() -> None:
    """And its provider, a quote, and who uses it by default."""
    read_terms, errors = read("""\
        2026-01-01 custom "compute-meter" "chat/output"
          units: 12 CU
          per: 1000000
          cost: 10.00 USD
          provider: "openai"
          source: "price list of 1 January"
        2026-01-01 custom "compute-provider" "openai"
          beyond: 1.00 USD
        2026-01-01 custom "compute-quote" "chat/output" "llama" 2.00 USD
        2026-01-01 custom "compute-option" "meter" "chat/output"
        2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
          meter: "chat/output"
    """)
    assert errors == []
    terms = read_terms.terms
    meter = terms.meters["chat/output"].on(START)
    assert meter == Meter(
        "chat/output",
        START,
        Money(Decimal(12), "CU"),
        Decimal(1000000),
        Money(Decimal(10), "USD"),
        "openai",
        "price list of 1 January",
        meter.place if meter else ...,
    )
    provider, quote = terms.providers["openai"].on(START), terms.quotes["chat/output", "llama"]
    assert isinstance(provider, Provider) and provider.beyond == Money(Decimal(1), "USD")
    found = quote.on(START)
    assert isinstance(found, Quote) and found.cost == Money(Decimal(2), "USD")
    agreed = terms.plan("pro", START)
    assert agreed is not None and agreed.meter == "chat/output"
    assert terms.units == {"CU"}


def test_a_meter_with_nothing() -> None:
    """Uses say the units; nothing is known of its cost."""
    terms, errors = read('2026-01-01 custom "compute-meter" "chat"')
    meter = terms.terms.meters["chat"].on(START)
    assert errors == []
    assert meter is not None and meter[2:7] == (None, 1, None, "", "")


def test_the_later_line_holds_from_its_day() -> None:
    """As with all terms; and two lines that say the same are one."""
    terms, errors = read("""\
        2026-06-01 custom "compute-meter" "chat"
          cost: 0.40 USD
          provider: "llama"
        2026-01-01 custom "compute-meter" "chat"
        2026-01-01 custom "compute-meter" "chat"
    """)
    meters = terms.terms.meters["chat"]
    assert errors == []
    assert [each.provider for each in meters] == ["", "llama"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('meter"', 'custom "compute-meter" holds nothing: write a name: "chat/output"'),
        ('meter" "a!b"', '"a!b" can\'t be a name here'),
        ('meter" "chat"\n  units: 12', "`units` must be an amount, such as units: 12 CU"),
        ('meter" "chat"\n  per: 12', "`per` 12 is not a power of ten"),
        ('meter" "chat"\n  cost: 1 USD', 'meter "chat" has a cost and no provider'),
        (
            'meter" "chat"\n  units: 1 CU\n  cost: 1 CU\n  provider: "x"',
            "wrong currency: 1 CU is in the units that subscribers hold",
        ),
        ('meter" "chat"\n  units: 1 USD', "wrong commodity: USD is a currency of this ledger"),
        ('meter" "chat"\n  colour: "red"', 'unknown metadata "colour" of compute-meter'),
        ('provider" "openai" 5', 'custom "compute-provider" holds text, number: write a name'),
        ('provider" "openai"\n  beyond: 1', "`beyond` must be an amount, such as beyond: 1.00 USD"),
        ('quote" "gpt" "llama"', 'custom "compute-quote" holds text, text: write a meter, a'),
        ('quote" "known" "llama" -1 USD', "the quote -1 USD is below zero: write 0 or more"),
        (
            'quote" "knwon" "llama" 1 USD',
            'unknown meter "knwon": write a compute-meter line for it; did you mean "known"?',
        ),
        ('option" "meter" "gpt"', 'unknown meter "gpt": write a compute-meter line for it'),
        ('plan" "pro" 1 USD 1 CU\n  meter: "gpt"', 'unknown meter "gpt": write a compute-meter'),
    ],
)
def test_what_can_t_be_read(line: str, message: str) -> None:
    """One error at the line; what else it says stands."""
    known = '2026-01-01 custom "compute-meter" "known"\n'
    terms, errors = read(f'{known}2026-01-01 custom "compute-{line}\n', "USD")
    (error,) = errors
    assert error.startswith("2: ") and message in error
    assert list(terms.terms.meters) == ["known"]
    assert all(plan.meter == "" for plan in terms.terms.plans.get("pro", ()))


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ('meter" "chat"', 'meter" "chat"\n  per: 10', 'meter "chat"'),
        ('provider" "x"', 'provider" "x"\n  beyond: 1 USD', 'provider "x"'),
        ('quote" "k" "x" 1 USD', 'quote" "k" "x" 2 USD', 'quote "k" of "x"'),
    ],
)
def test_two_on_one_day_are_an_error_at_the_later(one: str, other: str, name: str) -> None:
    """The first stands."""
    lines = ['meter" "k"', one, other]
    text = "\n".join(f'2026-01-01 custom "compute-{line}' for line in lines)
    _, (error,) = read(text)
    assert error.startswith("3: ")
    assert f"{name} of 2026-01-01 stands for something else at " in error
    assert error.endswith(":2: remove one of the two")


def test_a_meter_of_which_no_line_can_be_read_is_known_by_name() -> None:
    """So that its uses and quotes follow from that line, and are no errors of their own here."""
    terms, errors = read("""\
        2026-01-01 custom "compute-meter" "chat"
          per: 3
        2026-01-01 custom "compute-quote" "chat" "llama" 2.00 USD
    """)
    assert len(errors) == 1
    assert [place.line for place in terms.terms.refused_meters.values()] == [1]


def test_what_a_credit_costs_beyond_is_money_of_the_ledger() -> None:
    """A meter that costs USD is then no matter of credits, whatever currency plans have."""
    found, errors = read("""\
2026-01-01 custom "compute-provider" "openai"
  beyond: 1.10 USD
""")
    assert errors == []
    assert found.terms.money == {"USD"}


CHAT = """\
2026-01-01 custom "compute-meter" "chat"
  cost: 1 USD
  provider: "openai"
"""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            'custom "compute-meter" "images"\n  cost: 1 USD\n  provider: "Openai"',
            'provider "Openai" would have the account component Openai of "openai": give it',
        ),
        ('custom "compute-meter" "Chat"', 'meter "Chat" would have the account component Chat of'),
        (
            'custom "compute-provider" "Openai"',
            'provider "Openai" would have the account component',
        ),
        (
            'custom "compute-quote" "chat" "Openai" 1 USD',
            'provider "Openai" would have the account component Openai of "openai"',
        ),
        (
            'custom "compute-capacity" "gpu" 9 USD\n  provider: "Openai"\n  life: "3 months"',
            'provider "Openai" would have the account component Openai of "openai"',
        ),
    ],
)
def test_two_names_of_one_component_are_an_error_at_the_later(lines: str, message: str) -> None:
    """Else the money of two providers would lie on one account, and nothing tell it apart."""
    terms, (error,) = read(f"{CHAT}2026-02-01 {lines}\n", "USD")
    assert error.startswith("4: ") and message in error
    assert list(terms.terms.meters) == ["chat"]
    assert not terms.terms.providers and not terms.terms.quotes and not terms.terms.capacities
