"""What a subscriber would have paid for use beyond the holdings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.economy.term_values import Money
from beancount_compute.reports.cohort_figures import OveragePrices
from tests.reports.showing import books_of

LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
  overage: 0.30 USD
2026-01-01 custom "compute-plan" "euro" 20.00 EUR 100 CU
  overage: 0.25 EUR
2026-01-01 custom "compute-plan" "none" 20.00 USD 100 CU
2026-05-10 custom "compute-plan" "pro" 20.00 USD 100 CU
  overage: 0.35 USD
2026-05-01 custom "compute-subscription" "bob" "pro"
2026-06-01 custom "compute-cancellation" "bob" "pro"
2026-05-01 custom "compute-subscription" "carol" "none"
2026-05-01 custom "compute-subscription" "dora" "pro"
2026-05-01 custom "compute-subscription" "dora" "euro"
"""


def test_the_price_of_the_plan_on_that_day() -> None:
    """0.30, and 0.35 from 10 May; none outside of a period, or of a plan without one. Of two plans
    of one day the first by name."""
    prices = OveragePrices(books_of(LEDGER))
    assert prices.of("bob", date(2026, 5, 9), "CU") == Money(Decimal("0.30"), "USD")
    assert prices.of("bob", date(2026, 5, 31), "CU") == Money(Decimal("0.35"), "USD")
    assert prices.of("bob", date(2026, 6, 1), "CU") is None
    assert prices.of("carol", date(2026, 5, 9), "CU") is None
    assert prices.of("dora", date(2026, 5, 9), "CU") == Money(Decimal("0.25"), "EUR")


def test_the_price_is_that_of_a_plan_for_such_units() -> None:
    """Bob's newer plan sells GPU, at 9.00 in the same currency; nobody's sells TPU."""
    books = books_of(
        LEDGER + '2026-05-02 custom "compute-plan" "gpu" 20.00 USD 100 GPU\n  overage: 9.00 USD\n'
        '2026-05-03 custom "compute-subscription" "bob" "gpu"\n'
    )
    prices = OveragePrices(books)
    assert prices.of("bob", date(2026, 5, 9), "CU") == Money(Decimal("0.30"), "USD")
    assert prices.of("bob", date(2026, 5, 9), "GPU") == Money(Decimal("9.00"), "USD")
    assert prices.of("bob", date(2026, 5, 9), "TPU") is None
