"""Options and keys of plans: what may be written, what is refused, and that it is written back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.options import OPTIONS, PLAN_KEYS
from beancount_compute.economy.refusals import Refused
from beancount_compute.economy.term_values import Money

ROWS = OPTIONS | PLAN_KEYS  # their names never meet


def usd(number: str) -> Money:
    return Money(Decimal(number), "USD")


WRITTEN: list[tuple[str, Any, str]] = [
    ("seller-fee", Decimal("0.05"), "0.05"),
    ("seller-fee", Decimal(0), "0"),
    ("buyer-fee", Decimal(1), "1"),
    ("minimum-fee", usd("0.1"), "0.10 USD"),
    ("minimum-fee", Money(Decimal(1), "JPY"), "1 JPY"),
    ("minimum-fee", Money(Decimal("0.001"), "KWD"), "0.001 KWD"),
    ("seller-fixed-fee", usd("0.3"), "0.30 USD"),
    ("buyer-fixed-fee", usd("0.1"), "0.10 USD"),
    ("draw-down", "hifo", '"hifo"'),
    ("unit-cost", usd("0.0400"), "0.04 USD"),
    ("unit-cost", usd("0.00041"), "0.00041 USD"),
    ("cost-step", Decimal("0.000001"), "0.000001"),
    ("cost-step", Decimal(10), "10"),
    ("posting-grain", "month", '"month"'),
    ("as-of", date(2026, 6, 30), "2026-06-30"),
    ("time-zone", "Europe/Berlin", '"Europe/Berlin"'),
    ("price-band", Decimal("2.5"), "2.5"),
    ("wash-days", Decimal(0), "0"),
    ("late-months", Decimal("24"), "24"),
    ("meter", " chat/output ", '"chat/output"'),
    ("top-ups-refundable", True, "TRUE"),
    ("top-ups-refundable", False, "FALSE"),
    ("refundable", True, "TRUE"),
    ("every", "quarter", '"3 months"'),
    ("every", "10 days", '"10 days"'),
    ("unused", "rollover", '"rollover"'),
    ("mint-rate", Decimal("0.5"), "0.5"),
    ("expires", "year", '"12 months"'),
    ("token-expires", "1 months", '"1 month"'),
    ("overage", usd("0.30"), "0.30 USD"),
    ("overage", usd("0.0007"), "0.0007 USD"),
    ("overage-since", date(2026, 1, 1), "2026-01-01"),
    ("access-ssp", usd("150"), "150.00 USD"),
    ("units-ssp", usd("0.5"), "0.50 USD"),
    ("access-by", "even-month", '"even-month"'),
    ("bill", "month", '"month"'),
    ("minimum", usd("100"), "100.00 USD"),
]


@pytest.mark.parametrize(("name", "value", "written"), WRITTEN)
def test_what_is_read_is_written_back(name: str, value: Any, written: str) -> None:
    """As a ledger writes it: money with the decimals of its currency, texts in quotes."""
    row = ROWS[name]
    assert row.write(row.parse(value)) == written


def test_no_row_is_left_out_above() -> None:
    """A new option is added to this test."""
    assert {name for name, _, _ in WRITTEN} == set(ROWS)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("seller-fee", Decimal("1.5"), "seller-fee 1.5 is outside 0 to 1: it is a fraction of the"),
        ("buyer-fee", Decimal("-0.01"), "buyer-fee -0.01 is outside 0 to 1"),
        ("mint-rate", Decimal(2), "`mint-rate` 2 is outside 0 to 1: write a fraction, such as 0.5"),
        ("minimum-fee", usd("-1"), "minimum-fee -1 USD is below zero: write 0 or more"),
        ("minimum-fee", usd("0.001"), "minimum-fee 0.001 USD is finer than the minor unit 0.01"),
        ("minimum-fee", Money(Decimal("0.5"), "JPY"), "finer than the minor unit 1 JPY"),
        ("access-ssp", usd("0"), "`access-ssp` 0 USD is not above zero: write for what it sells"),
        ("seller-fixed-fee", usd("-1"), "seller-fixed-fee -1 USD is below zero: write 0 or more"),
        ("buyer-fixed-fee", usd("0.001"), "buyer-fixed-fee 0.001 USD is finer than the minor unit"),
        ("unit-cost", usd("-0.04"), "unit-cost -0.04 USD is below zero"),
        ("cost-step", Decimal("0.005"), "cost-step 0.005 is not a power of ten"),
        ("cost-step", Decimal(0), "cost-step 0 is not a power of ten"),
        ("draw-down", "random", 'draw-down "random" is unknown: write one of "expiry", "fifo"'),
        ("time-zone", "Mars/Olympus", 'time-zone "Mars/Olympus" is unknown: write one of the IANA'),
        ("late-months", Decimal("1.5"), "late-months 1.5 is no whole number from 0 to 120"),
        ("late-months", Decimal(-1), "late-months -1 is no whole number from 0 to 120"),
        ("time-zone", "../etc/passwd", 'time-zone "../etc/passwd" is unknown'),
        ("price-band", Decimal(1), "price-band 1 is not above 1: write a factor, such as 3"),
        ("wash-days", Decimal("1.5"), "wash-days 1.5 is no number of days: write one, such as 7"),
        ("wash-days", Decimal(-1), "wash-days -1 is no number of days"),
        ("posting-grain", "year", 'posting-grain "year" is unknown: write one of "event", "day"'),
        ("meter", " ", "the name of a meter is empty"),
        ("unused", "burn", '`unused` "burn" is unknown: write one of "expire", "rollover", "mint"'),
        ("every", "fortnight", '"fortnight" is not a span of time: write "month", "quarter"'),
        ("expires", "0 months", '"0 months" is not a span of time'),
        ("token-expires", "", '"" is not a span of time'),
        ("bill", "weekly", '`bill` "weekly" is unknown: write one of "use", "period", "month"'),
        ("minimum", usd("0.001"), "`minimum` 0.001 USD is finer than the minor unit 0.01 USD"),
        ("minimum", usd("-1"), "`minimum` -1 USD is below zero: write 0 or more"),
        ("overage", usd("0"), "`overage` 0 USD is not above zero: leave it out"),
    ],
)
def test_what_can_not_be_is_refused(name: str, value: Any, said: str) -> None:
    """With the figures, and with what to write instead."""
    with pytest.raises(Refused) as refused:
        ROWS[name].parse(value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("seller-fee", "0"),
        ("buyer-fee", "0"),
        ("minimum-fee", '"none"'),
        ("seller-fixed-fee", '"none"'),
        ("buyer-fixed-fee", '"none"'),
        ("draw-down", '"expiry"'),
        ("unit-cost", '"none"'),
        ("cost-step", '"default"'),
        ("posting-grain", '"event"'),
        ("as-of", '"none"'),
        ("time-zone", '"UTC"'),
        ("meter", '""'),
        ("price-band", "3"),
        ("wash-days", "7"),
        ("late-months", "12"),
        ("top-ups-refundable", "FALSE"),
    ],
)
def test_what_no_line_says_can_be_written_too(name: str, written: str) -> None:
    """Where terms are frozen or compared, what no line sets stands there as well."""
    assert OPTIONS[name].write(OPTIONS[name].default) == written
    assert len(OPTIONS) == 16


def test_what_came_later_is_used_wherever_the_option_beside_it_is() -> None:
    """Else a closed month that used that one and says nothing of it would have used its default."""
    for option in OPTIONS.values():
        if option.beside:
            beside = OPTIONS[option.beside]
            of_each = (option.used_by, option.by_currency)
            assert of_each == (beside.used_by, beside.by_currency)
