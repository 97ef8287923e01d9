"""Terms from `custom` directives: plans, options, accounts, subscribers' components."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.months import Span
from beancount_compute.economy.term_values import Money, Unused
from tests.economy.building import day
from tests.ledger.reading_terms import read


def test_a_plan_with_everything() -> None:
    """Price and units by position, the rest as metadata (manual/language.md, section 2)."""
    terms, errors = read("""\
        2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
          every: "quarter"
          unused: "mint"
          mint-rate: 0.5
          expires: "3 months"
          token-expires: "10 days"
          overage: 0.30 EUR
    """)
    assert errors == []
    plan = terms.terms.plan("pro", day("2026-01-01"))
    assert plan is not None
    assert (plan.price, plan.currency) == (200, "USD")
    assert [(line.units, line.commodity) for line in plan.lines] == [(1000, "CU")]
    assert (plan.every, plan.unused, plan.mint_rate) == (Span(3, 0), Unused.MINT, Decimal("0.5"))
    assert (plan.expires, plan.token_expires) == (Span(3, 0), Span(0, 10))
    assert plan.overage == Money(Decimal("0.3"), "EUR")
    assert (plan.since, plan.bookable, plan.place.line) == (day("2026-01-01"), True, 1)


def test_a_plan_with_nothing() -> None:
    """A month, unused units expire, no overage, no ends of tokens."""
    terms, _ = read('2026-01-01 custom "compute-plan" "free" 0 USD 5 CU')
    plan = terms.terms.plan("free", day("2026-01-01"))
    assert plan is not None
    assert (plan.every, plan.unused, plan.mint_rate) == (Span(1, 0), Unused.EXPIRE, 1)
    assert (plan.expires, plan.token_expires, plan.overage) == (None, None, None)


@pytest.mark.parametrize("name", ["minimum-fee", "unit-cost", "seller-fee", "buyer-fee"])
def test_options_may_be_zero(name: str) -> None:
    """Zero is what holds without them; a later line may end a fee."""
    value = "0" if name.endswith("r-fee") else "0.00 USD"
    assert read(f'2026-01-01 custom "compute-option" "{name}" {value}')[1] == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('plan" "pro"', "holds text: write a name, a price and units"),
        (
            'plan" "pro" 200.00 CU 1000 CU',
            "wrong currency: CU can't pay for units of CU: write a price in money, such as 200.00",
        ),
        ('plan" "pro" -1 USD 1000 CU', "the price -1 USD is below zero"),
        ('plan" "pro" 1 USD -1 CU', "-1 CU a period is below zero"),
        ('plan" "pro" 0 USD 0 CU', "sells nothing: write one of them"),
        ('plan" "pro" 0 USD', "sells nothing: write one of them"),
        ('plan" "pro" 1 USD 1 CU\n  access-ssp: 1 USD', "`access-ssp` alone splits nothing"),
        ('plan" "pro" 1 USD 1 CU\n  units-ssp: 1 USD', "`units-ssp` alone splits nothing"),
        (
            'plan" "pro" 1 USD 1 CU\n  access-ssp: 1 EUR\n  units-ssp: 1 USD',
            "wrong currency: `access-ssp` 1 EUR of a price in USD: write it in USD",
        ),
        (
            'plan" "pro" 1 USD 1 CU\n  access-ssp: 1 USD\n  units-ssp: 0 USD',
            "`units-ssp` 0 USD is not above zero",
        ),
        (
            'plan" "pro" 1 USD 0 CU\n  access-ssp: 1 USD\n  units-ssp: 1 USD',
            "`access-ssp` of a plan without units: its price is all for access",
        ),
        ('plan" "pro" 1 USD 1 CU\n  access-by: "even-month"', "of a plan without access"),
        ('plan" "pro" 1 USD\n  access-by: "even"', '`access-by` "even" is unknown'),
        (
            'plan" "pro" 1 USD\n  access-by: "even-month"\n  every: "30 days"',
            '`access-by: "even-month"` of periods of 30 days: write `every` in months',
        ),
        ('plan" "pro" 1 ACCESS-USD 1 CU', "ACCESS-USD is access, which plans sell and time earns"),
        ('plan" "pro" 1 USD 1 ACCESS-USD', "ACCESS-USD is access, which plans sell and time earns"),
        ('plan" "pro" 123456789012345 USD 1 CU', "14 significant digits"),
        ('plan" "a/b" 1 USD 1 CU', '"a/b" is not a plan\'s name'),
        ('plan" "grant" 1 USD 1 CU', 'the name "grant" is taken'),
        ('plan" "pro" 1 USD 1 CU\n  every: "fortnight"', '"fortnight" is not a span of time'),
        ('plan" "pro" 1 USD 1 CU\n  unused: "burn"', '`unused` "burn" is unknown: write one of "e'),
        ('plan" "pro" 1 USD 1 CU\n  mint-rate: 1.01', "`mint-rate` 1.01 is outside 0 to 1"),
        ('plan" "pro" 1 USD 1 CU\n  mint-rate: -0.1', "`mint-rate` -0.1 is outside 0 to 1"),
        ('plan" "pro" 1 USD 1 CU\n  mint-rate: "all"', "`mint-rate` must be a number"),
        ('plan" "pro" 1 USD 1 CU\n  overage: 0 USD', "`overage` 0 USD is not above zero"),
        (
            'plan" "pro" 1 USD 1 CU\n  overage: 1 CU',
            "wrong currency: CU can't pay for units of CU: write a price in money, such as 0.30",
        ),
        ('plan" "pro" 1 USD 1 CU\n  overage: 1', "`overage` must be an amount"),
        ('plan" "pro" 1 USD 1 CU\n  colour: "red"', 'unknown metadata "colour"'),
        ('option" "seller-fee" 1.01', "seller-fee 1.01 is outside 0 to 1"),
        ('option" "buyer-fee" -0.01', "buyer-fee -0.01 is outside 0 to 1"),
        ('option" "seller-fee" 5 USD', "option seller-fee holds"),
        ('option" "no-such" 1', 'unknown option "no-such"; known: seller-fee'),
        ('option" "seller-fee"', "write a name and a value"),
        ('option" 1 "seller-fee"', "write a name and a value"),
        ('option" "seller-fee" 1 2', "write a name and a value"),
        ('option" "minimum-fee" 0.001 USD', "finer than the minor unit 0.01 USD"),
        ('option" "minimum-fee" 0.5 JPY', "finer than the minor unit 1 JPY"),
        ('option" "minimum-fee" -1 USD', "minimum-fee -1 USD is below zero"),
        ('option" "unit-cost" -1 USD', "unit-cost -1 USD is below zero"),
        ('option" "draw-down" "random"', 'draw-down "random" is unknown: write one of "expiry"'),
        ('option" "posting-grain" "year"', 'posting-grain "year" is unknown'),
        ('option" "cost-step" 0.005', "cost-step 0.005 is not a power of ten"),
        ('option" "as-of" "today"', "option as-of holds"),
        ('account" "profit" Income:X', 'account role "profit" is unknown: write one of'),
        ('account" "revenue" Assets:X', "outside the root Income"),
        ('account" "revenue"', "write a role and an account"),
        ('subscriber" "zoe" "not valid"', '"not valid" is not an account component'),
        ('subscriber" "zoe" "zoe"', '"zoe" is not an account component'),
        ('subscriber" "" "Zoe"', "a name is empty"),
        ('option" "seller-fee" 0.1\n  colour: "red"', 'unknown metadata "colour"'),
        ('account" "fees" Income:X\n  colour: "red"', 'unknown metadata "colour"'),
        ('subscriber" "zoe" "Zoe"\n  colour: "red"', 'unknown metadata "colour"'),
    ],
)
def test_a_line_that_is_wrong_is_one_error(line: str, message: str) -> None:
    """On its line, with what to write instead; nothing else is lost."""
    good = '2026-01-01 custom "compute-plan" "good" 1 USD 1 CU\n'
    terms, (error,) = read(f'{good}2026-01-01 custom "compute-{line}\n')
    assert error.startswith("2: ")
    assert message in error
    assert list(terms.terms.plans) == ["good"]
