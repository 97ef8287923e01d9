"""Capacities from `custom` directives: read one by one, and those that stand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.economy.capacities import Capacity
from beancount_compute.economy.months import Span
from beancount_compute.economy.term_values import Money
from tests.economy.building import day
from tests.ledger.reading_terms import read

START = day("2026-06-01")
LIFE = '\n  provider: "own"\n  life: "48 months"'
GPU = f'2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD{LIFE}\n'


def money(number: int, currency: str = "USD") -> Money:
    return Money(Decimal(number), currency)


def test_a_capacity_with_everything() -> None:
    """It makes its provider known."""
    terms, errors = read(
        GPU + "  residual: 200.00 USD\n  can-serve: 500 CU\n  started: 2026-01-05\n"
        "  depreciated: 40.00 USD\n"
    )
    assert errors == []
    found = terms.terms.capacities["gpu"].on(START)
    assert found is not None
    assert found._replace(place=Capacity._field_defaults["place"]) == Capacity(
        "gpu",
        START,
        money(4800),
        "own",
        Span(48, 0),
        None,
        money(200),
        money(500, "CU"),
        date(2026, 1, 5),
        money(40),
    )
    assert terms.terms.known_providers == {"own"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"gpu"', 'holds text: write a name and what it cost: "gpu" 4800.00 USD'),
        (f'"gpu!" 1 USD{LIFE}', '"gpu!" can\'t be a name here'),
        (f'"gpu" -1 USD{LIFE}', "the cost -1 USD is below zero"),
        (f'"gpu" 0.001 USD{LIFE}', "the cost 0.001 USD is finer than the minor unit 0.01 USD"),
        ('"gpu" 1 USD\n  life: "month"', 'capacity "gpu" has no `provider`: write whose meters'),
        (
            '"gpu" 1 USD\n  provider: "own"',
            'capacity "gpu" has neither `life` nor `quantity`: write how',
        ),
        (
            f'"gpu" 1 USD{LIFE}\n  quantity: 9 CU',
            'capacity "gpu" has both `life` and `quantity`: write how',
        ),
        (
            f'"gpu" 1 USD{LIFE}\n  served: 9 CU',
            '`served` of capacity "gpu" says nothing beside `life`: write `started`',
        ),
        (
            '"gpu" 1 USD\n  provider: "own"\n  quantity: 9 CU\n  started: 2026-01-01',
            '`started` of capacity "gpu" says nothing beside `quantity`: write `served`',
        ),
        (
            '"gpu" 1 USD\n  provider: "own"\n  quantity: 9 CU\n  served: 8 XU',
            'wrong commodity: `served` 8 XU of capacity "gpu", which serves CU: write it in that',
        ),
        (
            '"gpu" 1 USD\n  provider: "own"\n  quantity: 9 CU\n  can-serve: 8 XU',
            "wrong commodity: `can-serve` 8 XU",
        ),
        (
            '"gpu" 1 USD\n  provider: "own"\n  quantity: 9 CU\n  served: 10 CU',
            '`served` 10 CU of capacity "gpu" is more than its `quantity` 9 CU',
        ),
        (
            '"gpu" 1 USD\n  provider: "own"\n  quantity: 9 EUR',
            "wrong commodity: EUR is a currency of this ledger",
        ),
        (
            '"gpu" 1 USD\n  provider: "own"\n  quantity: 9 CU',
            'unknown provider "own": no compute-meter names it, so that nothing of capacity "gpu"',
        ),
        (f'"gpu" 1 USD{LIFE}\n  residual: 0', "`residual` must be an amount"),
        (
            f'"gpu" 10 USD{LIFE}\n  residual: 1 EUR',
            'wrong currency: `residual` 1 EUR of capacity "gpu", which cost 10 USD: write it',
        ),
        (
            f'"gpu" 10 USD{LIFE}\n  residual: 11 USD',
            '`residual` 11 USD of capacity "gpu" is more than its cost 10 USD: write at most that',
        ),
        (f'"gpu" 10 USD{LIFE}\n  depreciated: 11 USD', "`depreciated` 11 USD"),
        (f'"gpu" 10 USD{LIFE}\n  started: 2026-06-02', "`started` 2026-06-02 is after 2026-06-01"),
        (f'"gpu" 10 CU{LIFE}', "wrong currency: CU is a unit of compute"),
        (f'"gpu" 10 USD{LIFE}\n  can-serve: 5 EUR', "wrong commodity: EUR is a currency"),
        (f'"gpu" 10 SEK{LIFE}\n  can-serve: 5 SEK', "wrong commodity: SEK is a currency"),
        (f'"gpu" 10 USD{LIFE}\n  lives: 9', 'unknown metadata "lives" of compute-capacity'),
    ],
)
def test_what_can_t_be_read(line: str, message: str) -> None:
    """One error at the line."""
    plan = '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    text = f'{plan}2026-06-01 custom "compute-capacity" {line}\n'
    terms, (error,) = read(text, "USD", "EUR")
    assert error.startswith("2: ") and message in error
    assert terms.terms.capacities == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            f'2026-06-01 custom "compute-capacity" "gpu" 5000 USD{LIFE}',
            'capacity "gpu" of 2026-06-01 stands for something else at ',
        ),
        (
            f'2026-07-01 custom "compute-capacity" "gpu" 5000 EUR{LIFE}',
            'wrong currency: capacity "gpu" cost 4800 USD at ',
        ),
        (
            f'2026-07-01 custom "compute-capacity" "gpu" 5000 USD{LIFE}\n  started: 2026-01-01',
            '`started` says what was before the first line of capacity "gpu", ',
        ),
        (
            f'2026-07-01 custom "compute-capacity" "gpu" 5000 USD{LIFE}\n  depreciated: 0 USD',
            "`depreciated` says what was before the first line",
        ),
        (
            f'2026-07-01 custom "compute-capacity" "Gpu" 5000 USD{LIFE}',
            'capacity "Gpu" would have the account component Gpu of "gpu": give it another name',
        ),
    ],
)
def test_what_can_t_stand_beside_another(line: str, message: str) -> None:
    """The first stands."""
    terms, (error,) = read(f"{GPU}{line}\n", "USD")
    assert error.startswith("4: ") and message in error
    (timeline,) = terms.terms.capacities.values()
    assert [each.cost for each in timeline] == [money(4800)]


def test_two_lines_that_say_the_same_are_one() -> None:
    """As with all terms; and a later one holds from its day."""
    later = GPU.replace("2026-06-01", "2027-06-01").replace("48", "12")
    terms, errors = read(later + GPU + GPU)
    assert errors == []
    assert [str(each.life) for each in terms.terms.capacities["gpu"]] == ["48 months", "12 months"]


SERVED = """\
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  provider: "own"
2026-01-01 custom "compute-meter" "mail"
  provider: "mail"
"""
BY_UNITS = """\
2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "own"
  quantity: 60000 CU
"""


def test_a_quantity_is_of_units_that_a_meter_takes() -> None:
    """Those of its provider; of a meter that takes none uses say them, and they may be any."""
    any_units = BY_UNITS.replace('"own"', '"mail"').replace("gpu", "post").replace("CU", "XU")
    terms, errors = read(SERVED + BY_UNITS + "  served: 100 CU\n" + any_units)
    assert errors == []
    first = terms.terms.capacities["gpu"].first()
    assert first is not None and first.life is None
    assert (first.quantity, first.served) == (money(60000, "CU"), money(100, "CU"))
    assert list(terms.terms.capacities) == ["gpu", "post"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BY_UNITS.replace('"own"', '"onw"'), 'unknown provider "onw": no compute-meter names it'),
        (BY_UNITS.replace("CU", "XU"), 'wrong commodity: no meter of "own" takes XU: write the'),
        (
            BY_UNITS.replace("gpu", "post").replace('"own"', '"mail"')
            + BY_UNITS.replace("gpu", "post")
            .replace('"own"', '"mail"')
            .replace("CU", "XU")
            .replace("2026-06", "2026-07"),
            'wrong commodity: capacity "post" serves CU by a line before: write its `quantity`',
        ),
        (
            BY_UNITS + BY_UNITS.replace("2026-06", "2026-07") + "  served: 5 CU\n",
            "`served` says what was before the first line",
        ),
    ],
)
def test_a_quantity_that_nothing_serves(text: str, message: str) -> None:
    _, (error,) = read(SERVED + text)
    assert message in error


def test_what_can_t_be_told_of_a_meter_that_can_t_be_read_is_no_error() -> None:
    """It may be the one."""
    terms, (error,) = read('2026-01-01 custom "compute-meter" "chat"\n  per: 3\n' + BY_UNITS)
    assert "per" in error and list(terms.terms.capacities) == ["gpu"]
