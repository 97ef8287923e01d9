"""A month's figures: cumulative rounding, at cost, of all transactions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from textwrap import dedent

import pytest
from beancount import loader
from beancount.core.data import Transaction
from hypothesis import given
from hypothesis import strategies as st

from beancount_compute.close.general_ledger.slots import (
    Slot,
    SlotTotals,
    by_account,
    movement,
    totals,
)
from beancount_compute.economy.rounding import minor_unit, round_money

NUMBERS = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=9)
LEDGER = """\
plugin "beancount.plugins.auto_accounts"
2026-04-30 * "April"
  Assets:Bank            1.005 USD
  Income:Other
2026-05-01 * "Carrying amount: 3 x 0.125"
  Liabilities:Tokens     -3 CU {0.125 USD, 2026-05-01, "pro"}
  Assets:Bank            0.375 USD
2026-05-31 * "Priced: 10 EUR for 11 USD"
  Assets:Euro            10 EUR @ 1.10 USD
  Assets:Bank           -11 USD
2026-06-01 * "June"
  Assets:Bank            1000 USD
  Income:Other
"""


def test_postings_count_at_what_they_balance_with() -> None:
    """Lots at cost, priced postings at their price; April before, June not at all."""
    entries, errors, _ = loader.load_string(dedent(LEDGER))
    assert not errors
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    found = totals(transactions, date(2026, 5, 1), date(2026, 5, 31), by_account)
    assert {slot.account: of for slot, of in found.items()} == {
        "Assets:Bank": SlotTotals(Decimal("1.005"), Decimal("-9.620")),
        "Assets:Euro": SlotTotals(Decimal(), Decimal("11.00")),
        "Income:Other": SlotTotals(Decimal("-1.005"), Decimal("-1.005")),
        "Liabilities:Tokens": SlotTotals(Decimal(), Decimal("-0.375")),
    }
    assert {slot.currency for slot in found} == {"USD"}
    assert Slot("USD", "Assets:Euro", "") in found


def test_units_of_compute_are_no_money() -> None:
    """A posting of units without a cost is left out; one at cost counts as money."""
    ledger = """\
plugin "beancount.plugins.auto_accounts"
2026-05-01 * "Units"
  Assets:Machines        5 CU
  Equity:Machines
2026-05-02 * "At cost"
  Assets:Bought          2 CU {3.00 USD}
  Assets:Bank
"""
    entries, errors, _ = loader.load_string(ledger)
    assert not errors
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    found = totals(transactions, date(2026, 5, 1), date(2026, 5, 31), by_account, {"CU"})
    assert {slot.account: str(of.end) for slot, of in found.items()} == {
        "Assets:Bank": "-6.00",
        "Assets:Bought": "6.00",
    }


@pytest.mark.parametrize(
    ("before", "end", "currency", "figure"),
    [
        ("0", "0.004", "USD", "0.00"),
        ("0.004", "0.008", "USD", "0.01"),
        ("0.008", "0.012", "USD", "0.00"),
        ("-0.005", "-0.015", "USD", "-0.02"),  # half to even: 0.00, then -0.02
        ("0.5", "1.5", "JPY", "2"),
        ("0.0004", "0.0016", "KWD", "0.002"),
    ],
)
def test_a_figure_is_the_difference_of_rounded_totals(
    before: str, end: str, currency: str, figure: str
) -> None:
    """Not the rounded difference: 0.008 - 0.004 is 0.00 rounded by itself, and 0.01 here."""
    found = movement(SlotTotals(Decimal(before), Decimal(end)), currency)
    assert str(found) == figure


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_months_add_up_to_the_ledger_for_ever(months: list[Decimal], currency: str) -> None:
    """After any number of months the figures are the account's rounded total, so never further
    from the ledger than half a minor unit."""
    total = exported = Decimal()
    for number in months:
        exported += movement(SlotTotals(total, total + number), currency)
        total += number
        assert exported == round_money(total, currency)
        assert abs(exported - total) <= minor_unit(currency) / 2
