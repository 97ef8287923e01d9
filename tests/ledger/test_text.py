"""Kind ledgers as plain text, which Beancount books again without the plugin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from beancount import loader
from beancount.core.data import Directive, Transaction

from beancount_compute.ledger.text import booked_text
from tests.ledger.docstrings import Books, ledger, postings


def held(entries: Iterable[Directive]) -> dict[tuple[Any, ...], Decimal]:
    """Units by account, commodity and lot, without those that are zero."""
    sums: Counter[tuple[Any, ...]] = Counter()
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            assert posting.units is not None and isinstance(posting.units.number, Decimal)
            sums[posting.account, posting.units.currency, posting.cost] += posting.units.number
    return {key: number for key, number in sums.items() if number}


@ledger
def test_a_trade_in_another_currency_than_the_lot_s_cost_prints_and_loads(books: Books) -> None:
    """
    ; units at a cost in USD and a price in EUR on one posting would be refused by Beancount
    option "operating_currency" "USD"
    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
      unused: "mint"
    2026-01-01 custom "compute-option" "seller-fee" 0.05
    2026-05-01 custom "compute-subscription" "alice" "pro"
    2026-05-02 custom "compute-cancellation" "alice" "pro"
    2026-05-02 custom "compute-allocation" "alice" 100 CU 30.00 EUR
      expires: 2026-12-01
    2026-05-02 custom "compute-subscriber" "bob" "Bob"
    2026-06-10 custom "compute-trade" "alice" "bob" 600 CU 0.25 EUR
      id: "sale"
    2026-06-11 custom "compute-trade" "bob" "alice" 50 CU 0.25 EUR
    2026-06-12 custom "compute-trade" "alice" "bob" 20 CU 0.30 USD
    2026-06-20 custom "compute-consumption" "bob" 300 CU
    2026-06-21 balance Liabilities:DeferredRevenue:Tokens:Bob  -270 CU
    """
    assert books.messages == []
    tokens = "Liabilities:DeferredRevenue:Tokens"
    top_up = '{0.30 EUR, 2026-05-02, "top-up/2026-12-01"}'
    assert postings(books.of("trade")[0]) == [
        f"{tokens}:Alice 100 CU {top_up} @ 0.25 EUR",
        f'{tokens}:Alice 500 CU {{0.20 USD, 2026-05-01, "pro"}}',
        f"{tokens}:Bob -100 CU {top_up} @ 0.25 EUR",
        f'{tokens}:Bob -500 CU {{0.20 USD, 2026-05-01, "pro"}}',
        "Assets:Receivable:Bob 150.00 EUR",
        "Liabilities:Payable:Alice -142.50 EUR",
        "Income:Fees -7.50 EUR",
    ]
    assert books.prices == [
        "2026-06-10 CU 0.25 EUR",
        "2026-06-11 CU 0.25 EUR",
        "2026-06-12 CU 0.30 USD",
    ]
    text = "".join(booked_text(books.entries, books.options))
    assert "plugin" not in text
    assert 'custom "compute-' not in text
    again, errors, _ = loader.load_string(text)
    assert errors == []
    assert held(again) == held(books.entries)
    # Beancount's booking orders the postings of a transaction by currency
    written = [sorted(postings(entry)) for entry in again if isinstance(entry, Transaction)]
    assert sorted(written) == sorted(sorted(postings(entry)) for entry in books.booked)


@ledger
def test_postings_of_nothing_keep_their_number(books: Books) -> None:
    """
    ; a void invoice, written out; without its numbers Beancount would not know what to fill in
    option "operating_currency" "USD"
    2026-05-01 open Assets:Bank
    2026-05-01 open Expenses:BankFees
    2026-05-09 * "A fee of nothing, a void invoice"
      Assets:Bank         0.00 USD
      Expenses:BankFees   0.00 USD
    """
    assert books.messages == []
    text = "".join(booked_text(books.entries, books.options))
    again, errors, _ = loader.load_string(text)
    assert errors == []
    (void,) = [each for each in again if isinstance(each, Transaction)]
    assert [str(each.units) for each in void.postings] == ["0.00 USD", "0.00 USD"]
