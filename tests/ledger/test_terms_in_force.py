"""The terms that stand: one a day and name, each from its day on; of two that differ, the first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.options import AS_OF, COST_STEP, DRAW_DOWN, POSTING_GRAIN, UNIT_COST
from beancount_compute.economy.roles import Role
from beancount_compute.economy.term_values import DrawDown, Grain, Money
from tests.economy.building import day
from tests.ledger.reading_terms import read


def test_a_later_plan_replaces_the_earlier_from_its_date() -> None:
    """Whatever the order of the lines."""
    terms, errors = read("""\
        2026-03-01 custom "compute-plan" "pro" 300.00 USD 1000 CU
        2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
    """)
    assert errors == []
    prices = [terms.terms.plan("pro", day(on)) for on in ("2026-02-28", "2026-03-01")]
    assert [plan.price for plan in prices if plan] == [200, 300]


def test_options_hold_from_their_date() -> None:
    """Fees, a minimum fee for each currency, the draw-down order, the cost of serving."""
    terms, errors = read("""\
        2026-01-01 custom "compute-option" "seller-fee" 0.05
        2026-03-01 custom "compute-option" "seller-fee" 0
        2026-01-01 custom "compute-option" "buyer-fee" 1
        2026-01-01 custom "compute-option" "minimum-fee" 0.10 USD
        2026-01-01 custom "compute-option" "minimum-fee" 5 JPY
        2026-01-01 custom "compute-option" "draw-down" "lifo"
        2026-01-01 custom "compute-option" "unit-cost" 0.04 USD
    """)
    assert errors == []
    found = terms.terms
    assert found.fees(day("2026-02-28"), "USD")[:3] == (Decimal("0.05"), 1, Decimal("0.10"))
    assert found.fees(day("2026-03-01"), "JPY")[:3] == (0, 1, 5)
    assert found.on(DRAW_DOWN, day("2025-12-31")) is DrawDown.EXPIRY
    assert found.on(DRAW_DOWN, day("2026-01-01")) is DrawDown.LIFO
    assert found.on(UNIT_COST, day("2026-01-01")) == Money(Decimal("0.04"), "USD")


def test_settings_hold_for_the_whole_ledger() -> None:
    """Whatever their date; said twice in the same way is fine."""
    terms, errors = read(
        """\
        2030-01-01 custom "compute-option" "cost-step" 0.0001
        2026-01-01 custom "compute-option" "cost-step" 0.00010
        2026-01-01 custom "compute-option" "posting-grain" "month"
        2026-01-01 custom "compute-option" "as-of" 2026-06-30
        2026-01-01 custom "compute-account" "breakage" Income:Lapsed
        2026-01-01 custom "compute-account" "tokens" "Liabilities:T:{subscriber}"
        2026-01-01 custom "compute-subscriber" "u_8" "Acme"
        """,
        "EUR",
        "USD",
    )
    assert errors == []
    found = terms.terms
    assert found.of_ledger(COST_STEP) == Decimal("0.0001")
    assert (found.of_ledger(POSTING_GRAIN), found.of_ledger(AS_OF)) == (
        Grain.MONTH,
        day("2026-06-30"),
    )
    assert found.grant_currency == "EUR"
    assert terms.templates[Role.BREAKAGE] == "Income:Lapsed"
    assert terms.templates[Role.TOKENS] == "Liabilities:T:{subscriber}"
    assert terms.templates[Role.REVENUE] == "Income:Compute"
    assert terms.components == {"u_8": "Acme"}
    assert [line.date for line in terms.introductions] == [day("2026-01-01")]


def test_a_ledger_that_says_nothing() -> None:
    """The defaults of manual/language.md; grants have no currency to be written in."""
    terms, errors = read("")
    assert errors == []
    assert (*map(terms.terms.of_ledger, (POSTING_GRAIN, AS_OF, COST_STEP)),) == (
        Grain.EVENT,
        None,
        None,
    )
    assert terms.terms.grant_currency is None
    assert set(terms.templates) == set(Role)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('plan" "pro" 1 USD 1 CU', 'plan" "pro" 2 USD 1 CU'),
        ('option" "seller-fee" 0.1', 'option" "seller-fee" 0.2'),
        ('option" "minimum-fee" 0.1 USD', 'option" "minimum-fee" 0.2 USD'),
        ('option" "cost-step" 0.1', 'option" "cost-step" 0.01'),
        ('option" "as-of" 2026-01-01', 'option" "as-of" 2026-01-02'),
        ('account" "fees" Income:A', 'account" "fees" Income:B'),
        ('subscriber" "zoe" "Zoe"', 'subscriber" "zoe" "Zora"'),
    ],
)
def test_two_that_differ_are_an_error_at_the_later_place(one: str, other: str) -> None:
    """The first stands, and the message names its place; the very same twice is fine."""
    first, second = (f'2026-01-01 custom "compute-{line}\n' for line in (one, other))
    _, (error,) = read(first + second)
    assert error.startswith("2: ")
    assert error.endswith("stands for something else at <string>:1: remove one of the two")
    assert read(first + first)[1] == []


def test_two_subscribers_with_one_component_are_an_error_at_the_later_place() -> None:
    """The first has it, and the message names who that is and where."""
    first, second = (
        f'2026-01-01 custom "compute-subscriber" "{name}" "Zoe"\n' for name in ("zoe", "zora")
    )
    terms, errors = read(first + second)
    assert errors == [
        '2: component Zoe is that of "zoe" at <string>:1: give one of the two another'
    ]
    assert terms.components == {"zoe": "Zoe"}


def test_two_plans_may_not_meet_in_one_component() -> None:
    """Their accounts could not be told apart, and `Top-up` and `Grant` are taken."""
    _, (error,) = read("""\
        2026-01-01 custom "compute-plan" "pro" 1 USD 1 CU
        2026-01-01 custom "compute-plan" "Pro" 1 USD 1 CU
    """)
    assert error.startswith('2: plan "Pro" would have the account component Pro of "pro"')
    _, (error,) = read('2026-01-01 custom "compute-plan" "Grant" 1 USD 1 CU')
    assert error.startswith('1: plan "Grant" would have the account component Grant of "grant"')


@pytest.mark.parametrize(
    ("price", "units", "step", "why"),
    [
        ("1.00 USD", "20000 CU", "0.0001", "is less than the cost-step 0.0001 per unit"),
        ("98765432109876 USD", "12345.678901234 CU", "", "more than the 28 digits"),
    ],
)
def test_a_plan_that_can_t_be_kept_exact_is_an_error_on_its_line(
    price: str, units: str, step: str, why: str
) -> None:
    """Once, whoever subscribes; the plan is known, and nothing of it is booked."""
    option = f'2026-01-01 custom "compute-option" "cost-step" {step}\n' if step else ""
    terms, (error,) = read(f'2026-01-01 custom "compute-plan" "pro" {price} {units}\n{option}')
    assert error.startswith("1: ")
    assert why in error
    plan = terms.terms.plan("pro", day("2026-01-01"))
    assert plan is not None
    assert not plan.bookable


@pytest.mark.parametrize(
    "lines",
    [
        ('"payable" "Liabilities:DeferredRevenue:Tokens:{subscriber}"',),
        ('"tokens" "Liabilities:Payable:{subscriber}"',),
        ('"tokens" "Liabilities:X:{subscriber}"', '"allocations" "Liabilities:X:{subscriber}"'),
        ('"tokens" "Liabilities:{plan}:{subscriber}"', '"payable" "Liabilities:Grant:P"'),
    ],
)
def test_a_pocket_that_would_share_its_account_keeps_its_default(lines: tuple[str, ...]) -> None:
    """The later line is the error; the books stand on accounts that can be told apart."""
    text = "".join(f'2026-01-01 custom "compute-account" {line}\n' for line in lines)
    terms, (error,) = read(text)
    assert error.startswith(f"{len(lines)}: ")
    assert "a pocket shares its account with no other role" in error
    shapes: list[Any] = [terms.templates[role] for role in (Role.TOKENS, Role.ALLOCATIONS)]
    assert len({*shapes, terms.templates[Role.PAYABLE]}) == 3
