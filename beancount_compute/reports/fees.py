"""The gross and the fees of a trade, from the money that was booked.

    Assets:Receivable:Bob                    126.25 USD     ; gross + the buyer's fee
    Liabilities:Payable:Alice               -118.75 USD     ; gross - the seller's fee
    Income:Fees                               -7.50 USD     ; both: 6.25 of alice, 1.25 of bob

One posting of fees may hold both sides. Units x price is the gross, and tells them apart. Where the
lots cost another currency their postings carry no price; then the gross is the one amount that
gives this money under the fees of the day.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy.rounding import (
    PRICE_STEP,
    WIDE,
    minor_unit,
    multiply_money,
    round_half_even,
    trim,
)
from beancount_compute.economy.rules.trade import fee_on
from beancount_compute.economy.terms import Terms


class TradeMoney(NamedTuple):
    """What a trade was worth."""

    price: Decimal
    gross: Decimal


def at_price(units: Decimal, price: Decimal, currency: str) -> TradeMoney:
    """The money of a trade whose postings carry its price."""
    return TradeMoney(price, multiply_money(units, price, currency))


def without_price(
    units: Decimal, by_buyer: Decimal, to_seller: Decimal, currency: str, terms: Terms, day: date
) -> TradeMoney:
    """The money of a trade whose price no posting carries; the price is gross / units."""
    gross = gross_of(by_buyer, to_seller, currency, terms, day)
    price = round_half_even(WIDE.divide(gross, units), PRICE_STEP)
    return TradeMoney(trim(price, 0), gross)


def gross_of(
    by_buyer: Decimal, to_seller: Decimal, currency: str, terms: Terms, day: date
) -> Decimal:
    """The gross under which the buyer owes and the seller is owed this much, by a day's fees.

    What the buyer owes grows with the gross, so there is one at most.
    """
    seller_rate, buyer_rate, minimum = terms.fees(day, currency)
    if not buyer_rate:
        return by_buyer
    if not seller_rate:
        return to_seller
    step = minor_unit(currency)
    low, high = 0, int(by_buyer / step)
    while low < high:
        middle = (low + high) // 2
        gross = middle * step
        if gross + fee_on(gross, buyer_rate, minimum, currency) < by_buyer:
            low = middle + 1
        else:
            high = middle
    return low * step
