"""The gross of a trade, found again in the money that was booked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.economy.options import BUYER_FEE, MINIMUM_FEE, SELLER_FEE, Money
from beancount_compute.economy.rules.trade import fee_on
from beancount_compute.economy.terms import Terms, Timeline, no_terms
from beancount_compute.reports.fees import gross_of

DAY = date(2026, 2, 1)


def terms(seller: str, buyer: str, minimum: str, currency: str) -> Terms:
    least = Timeline([(date.min, Money(Decimal(minimum), currency))])
    rates = no_terms().setting(SELLER_FEE, Decimal(seller)).setting(BUYER_FEE, Decimal(buyer))
    return rates._replace(options={**rates.options, (MINIMUM_FEE.name, currency): least})


@pytest.mark.parametrize("gross", ["0.01", "0.49", "0.50", "7.50", "123456.78"])
@pytest.mark.parametrize("seller", ["0", "0.05", "1"])
@pytest.mark.parametrize("buyer", ["0", "0.01", "1"])
@pytest.mark.parametrize("minimum", ["0", "0.50"])
def test_the_gross_is_found_whatever_the_fees(
    gross: str, seller: str, buyer: str, minimum: str
) -> None:
    """Book a gross, forget it, find it: also where the minimum fee, or all of it, is charged."""
    amount = Decimal(gross)
    rates = terms(seller, buyer, minimum, "USD")
    by_buyer = amount + fee_on(amount, Decimal(buyer), Decimal(minimum), "USD")
    to_seller = amount - fee_on(amount, Decimal(seller), Decimal(minimum), "USD")
    assert gross_of(by_buyer, to_seller, "USD", rates, DAY) == amount


def test_a_currency_without_decimals_has_whole_steps() -> None:
    """1,000 JPY and 1 % of it."""
    rates = terms("0.05", "0.01", "0", "JPY")
    assert gross_of(Decimal(1010), Decimal(950), "JPY", rates, DAY) == 1000
