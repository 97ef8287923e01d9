"""Bills: what is owed for days, and what was not accrued for them is variance."""

from __future__ import annotations

import pytest

from beancount_compute.economy.events import Event
from beancount_compute.economy.meters import Provider
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    Books,
    bill,
    book,
    day,
    messages,
    plan,
    purchase,
    reversal,
    shown,
    terms,
    text,
)

START = day("2026-01-01")


def agreed() -> Terms:
    return terms(plan(), as_of="2026-12-31")._replace(
        providers={"openai": Timeline([(START, Provider("openai", START))])},
        units=frozenset(["CU"]),
        money=frozenset(["USD"]),
    )


def booked(*events: Event) -> Books:
    return book(events, agreed())


def test_a_bill_for_nothing_that_was_accrued_is_variance() -> None:
    """Also a credit note, the other way; money is rounded half-even."""
    books = booked(
        bill("2026-06-02", "openai", "1234.565 USD"),
        bill("2026-06-03", "openai", "-34.56 USD", "2026-05-01"),
    )
    assert books.refusals == []
    assert shown(books) == text("""
        2026-06-02 bill openai
          provider openai -1234.56 USD
          variance openai 1234.56 USD
        2026-06-03 bill openai
          provider openai 34.56 USD
          variance openai -34.56 USD
    """)
    assert [each.narration for each in books.journal] == [
        "Bill for 2026-05-01 to 2026-05-31",
        "Credit note for 2026-05-01 to 2026-05-31",
    ]


@pytest.mark.parametrize(
    ("on", "days", "period"),
    [
        ("2026-01-01", ("", ""), "2025-12-01/2025-12-31"),
        ("2026-03-31", ("", ""), "2026-02-01/2026-02-28"),
        ("2026-03-31", ("", "2026-03-30"), "2026-03-01/2026-03-30"),
        ("2026-03-31", ("2026-01-15", ""), "2026-01-15/2026-02-28"),
        ("2026-03-31", ("2026-03-05", "2026-03-05"), "2026-03-05/2026-03-05"),
    ],
)
def test_the_days_of_a_bill(on: str, days: tuple[str, str], period: str) -> None:
    """The calendar month before it; of `to`, where that is another."""
    (entry,) = booked(bill(on, "openai", "1 USD", *days)).journal
    assert entry.period == period


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (bill("2026-06-02", "opena", "1 USD"), 'did you mean "openai"?'),
        (bill("2026-06-02", "openai", "-0.005 USD"), "a bill of -0.005 USD rounds to zero: write"),
        (bill("2026-06-02", "openai", "1 OAI"), "a bill in OAI, which is no money: write what"),
        (bill("2026-06-02", "openai", "1 CU"), "a bill in CU, which is no money: write what"),
        (reversal("2026-06-02", "b"), "a bill can't be reversed: write a credit note"),
    ],
)
def test_bills_that_are_refused(event: Event, message: str) -> None:
    """Nothing else is lost."""
    first = bill("2026-06-01", "openai", "5 USD", id="b")
    books = booked(purchase("2026-05-01", "openai", "1 OAI", "1 USD"), first, event)
    (told,) = messages(books)
    assert message in told
    assert len(books.journal) == 2
