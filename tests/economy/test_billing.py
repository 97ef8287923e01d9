"""Bills: what is owed for days, and what was not accrued for them is variance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts, OpeningAccrual
from beancount_compute.economy.meters import Meter, Provider
from beancount_compute.economy.options import METER
from beancount_compute.economy.provider_costs import Billed
from beancount_compute.economy.state import Undo
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    Books,
    at,
    bill,
    book,
    consumption,
    day,
    entry_text,
    first_letter_up,
    measured,
    messages,
    plan,
    purchase,
    reversal,
    shown,
    stated_cost,
    terms,
    text,
    top_up,
)

START = day("2026-01-01")


def meter(name: str, cost: str, provider: str = "openai", units: str = "1 CU") -> Meter:
    return Meter(name, START, money(units), Decimal(1), money(cost), provider)


def money(text: str) -> Money:
    number, currency = text.split()
    return Money(Decimal(number), currency)


def agreed() -> Terms:
    """0.40 USD a unit by default; `pictures` cost 2.00 USD and `beyond` 3 OAI."""
    meters = [meter("chat", "0.40 USD"), meter("pictures", "2 USD"), meter("beyond", "3 OAI")]
    found = terms(plan(), as_of="2026-12-31")._replace(
        meters={each.name: Timeline([(START, each)]) for each in meters},
        providers={
            name: Timeline([(START, Provider(name, START, money("1.10 USD")))])
            for name in ("openai", "llama")
        },
        units=frozenset(["CU"]),
        money=frozenset(["USD"]),
    )
    return found.setting(METER, "chat")


def booked(*events: Event, **others: Any) -> Books:
    return book([top_up("2026-01-01", "alice", "1000 CU", "100 USD"), *events], agreed(), **others)


def test_a_bill_for_nothing_that_was_accrued_is_variance() -> None:
    """Also a credit note, the other way; money is rounded half-even."""
    books = booked(
        bill("2026-06-02", "openai", "1234.565 USD"),
        bill("2026-06-03", "openai", "-34.56 USD", "2026-05-01"),
    )
    assert books.refusals == []
    assert shown(books, "bill") == text("""
        2026-06-02 bill openai
          provider openai -1234.56 USD
          variance openai 1234.56 USD
        2026-06-03 bill openai
          provider openai 34.56 USD
          variance openai -34.56 USD
    """)
    assert [each.narration for each in books.journal[1:]] == [
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
    _, entry = booked(bill(on, "openai", "1 USD", *days)).journal
    assert entry.period == period


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (bill("2026-06-02", "opena", "1 USD"), 'did you mean "openai"?'),
        (bill("2026-06-02", "openai", "-0.005 USD"), "a bill of -0.005 USD rounds to zero: write"),
        (bill("2026-06-02", "openai", "1 OAI"), "a bill in OAI, which is no money: write what"),
        (bill("2026-06-02", "openai", "1 CU"), "a bill in CU, which is no money: write what"),
        (bill("2026-06-02", "llama", "1 OAI"), 'write what "llama" invoices in money, such as'),
        (reversal("2026-06-02", "b"), "a bill can't be reversed: write a credit note"),
    ],
)
def test_bills_that_are_refused(event: Event, message: str) -> None:
    """Nothing else is lost."""
    first = bill("2026-06-01", "openai", "5 USD", id="b")
    books = booked(first, event)
    (told,) = messages(books)
    assert message in told
    assert len(books.journal) == 2


def test_credits_that_were_bought_are_no_money() -> None:
    """Whatever meters cost."""
    (told,) = messages(
        booked(
            purchase("2026-05-01", "openai", "1 PRE", "1 USD"),
            bill("2026-06-02", "openai", "1 PRE"),
        )
    )
    assert "a bill in PRE, which is no money" in told


# 20.00 + 10.00 of chat and 6.00 of pictures in May, 2.00 of chat in June
USES = [
    consumption("2026-05-10", "alice", "50 CU", id="u"),
    consumption("2026-05-20", "alice", "25 CU"),
    measured("2026-05-20", "alice", "pictures", "3"),
    consumption("2026-06-10", "alice", "5 CU"),
]


def test_each_bill_clears_what_is_still_accrued_for_its_days() -> None:
    """The first half of May, then all of it: 20.00 of 21.50, 16.00 of 15.00, nothing of -3.00."""
    books = booked(
        *USES,
        bill("2026-06-15", "openai", "21.50 USD", "2026-05-01", "2026-05-15"),
        bill("2026-06-16", "openai", "15 USD"),
        bill("2026-06-17", "openai", "-3 USD"),
        bill("2026-06-18", "openai", "2 USD", "2026-06-10", "2026-06-10"),
    )
    assert messages(books) == []
    assert shown(books, "bill") == text("""
        2026-06-15 bill openai
          provider openai -21.5 USD
          accrued openai chat 20 USD
          variance openai 1.5 USD
        2026-06-16 bill openai
          provider openai -15 USD
          accrued openai chat 10 USD
          accrued openai pictures 6 USD
          variance openai -1 USD
        2026-06-17 bill openai
          provider openai 3 USD
          variance openai -3 USD
        2026-06-18 bill openai
          provider openai -2 USD
          accrued openai chat 2 USD
    """)


def test_a_bill_clears_its_own_currency_and_provider_alone() -> None:
    """Those of others stay accrued; credits beyond those held are accrued at their price."""
    use = measured("2026-05-20", "alice", "beyond", "2")  # 6 OAI at 1.10
    books = booked(
        *USES[:1],
        use,
        bill("2026-06-02", "openai", "5 EUR"),
        bill("2026-06-02", "llama", "5 USD"),
        bill("2026-06-03", "openai", "26.60 USD"),
    )
    assert messages(books) == []
    assert shown(books, "bill") == text("""
        2026-06-02 bill llama
          provider llama -5 USD
          variance llama 5 USD
        2026-06-02 bill openai
          provider openai -5 EUR
          variance openai 5 EUR
        2026-06-03 bill openai
          provider openai -26.6 USD
          accrued openai beyond 6.6 USD
          accrued openai chat 20 USD
    """)


def test_what_comes_for_days_that_are_billed_is_variance() -> None:
    """A reversal, a late use and a late statement of the cost of 20 May, when May is billed."""
    books = booked(
        *USES,
        bill("2026-06-02", "openai", "36 USD"),
        reversal("2026-06-20", "u"),
        late={
            day("2026-07-01"): [
                consumption("2026-05-10", "alice", "10 CU", id="late"),
                stated_cost("2026-05-20", "openai", "chat", "12.50 USD", id="stated"),
                bill("2026-06-12", "openai", "1 USD", "2026-05-20", "2026-06-11", id="late-bill"),
            ]
        },
    )
    assert messages(books) == []
    assert shown(books, "cost", "bill").split("2026-06-02 ", 1)[1] == text("""
        bill openai
          provider openai -36 USD
          accrued openai chat 30 USD
          accrued openai pictures 6 USD
        2026-06-10 cost openai
          cost openai chat 2 USD
          accrued openai chat -2 USD
        2026-06-20 cost openai
          cost openai chat -20 USD
          variance openai 20 USD
        2026-07-01 bill openai
          provider openai -1 USD
          accrued openai chat 2 USD
          variance openai -1 USD
        2026-07-01 cost openai
          cost openai chat 4 USD
          variance openai -4 USD
        2026-07-01 cost openai
          cost openai chat 2.5 USD
          variance openai -2.5 USD
    """)


def test_a_bill_finds_what_was_accrued_before_the_ledger_began() -> None:
    """20.00 of a day in December; those of a provider that nobody knows are refused."""
    served, began = day("2025-12-20"), day("2026-01-01")
    books = booked(
        bill("2026-01-02", "openai", "21 USD"),
        accruals=[
            OpeningAccrual(served, began, name, "chat", Decimal(20), "USD", at(line))
            for line, name in enumerate(["openai", "opena"])
        ],
    )
    (told,) = messages(books)
    assert told.startswith('1: unknown provider "opena"')
    assert shown(books, "bill") == text("""
        2026-01-02 bill openai
          provider openai -21 USD
          accrued openai chat 20 USD
          variance openai 1 USD
    """)


def test_a_bill_of_the_day_of_a_use_is_not_for_it() -> None:
    """What uses of a day cost is booked in its evening, behind a bill for days before."""
    books = booked(
        consumption("2026-05-31", "alice", "5 CU"),
        consumption("2026-06-01", "alice", "5 CU"),
        bill("2026-06-01", "openai", "2 USD"),
        reversal("2026-06-01", "nobody"),
    )
    assert [(each.date.day, each.kind) for each in books.journal if each.subscriber != "alice"] == [
        (31, "cost"),
        (1, "bill"),
        (1, "cost"),
    ]
    (told,) = messages(books)
    assert "nothing to reverse" in told


def test_the_state_hands_on_what_is_accrued_and_which_days_are_billed() -> None:
    """May is closed: June's bill takes what is left of it, and a late use is for billed days. The
    use of 10 May is reversed: its cost is known from the closed month's own entry.
    """
    first = bill("2026-05-20", "openai", "21.50 USD", "2026-05-01", "2026-05-15")
    second = bill("2026-05-25", "openai", "0.50 USD", "2026-05-16", "2026-05-18")
    top = top_up("2026-01-01", "alice", "1000 CU", "100 USD")
    end = day("2026-05-31")
    closed = Bookkeeper(
        Facts([top, *USES[:3], first, second, reversal("2026-06-20", "u")]),
        agreed(),
        first_letter_up,
        None,
        [end],
    )
    journal = list(closed.entries())
    state = closed.states[end]
    assert state.accrued == {
        ("openai", "chat", day("2026-05-20"), "USD"): 10,
        ("openai", "pictures", day("2026-05-20"), "USD"): 6,
    }
    assert state.billed == [("openai", "USD", Billed(day("2026-05-01"), day("2026-05-18")))]
    (use,) = [entry for entry in journal if entry.id == "u"]
    costs = [entry for entry in journal if entry.kind == "cost" and entry.date <= end]
    carried = state._replace(undo={"u": Undo(use)}, past_costs=costs)
    late = {day("2026-06-01"): [consumption("2026-05-10", "alice", "10 CU", id="late")]}
    open_events = [bill("2026-06-02", "openai", "15 USD"), reversal("2026-06-20", "u")]
    again = Bookkeeper(Facts(open_events, late=late), agreed(), first_letter_up, carried)
    entries = [each for each in again.entries() if each.kind in ("bill", "cost")]
    assert again.refusals == []
    assert "\n".join(map(entry_text, entries)) == text("""
        2026-06-01 cost openai
          cost openai chat 4 USD
          variance openai -4 USD
        2026-06-02 bill openai
          provider openai -15 USD
          accrued openai chat 10 USD
          accrued openai pictures 6 USD
          variance openai -1 USD
        2026-06-20 cost openai
          cost openai chat -20 USD
          variance openai 20 USD
    """)


def test_of_several_draws_only_so_many_credits_come_back() -> None:
    """3 of 6 at 1.10, of a day whose first 2 came from a lot: the lot keeps what it gave."""
    books = booked(
        purchase("2026-05-01", "openai", "2 OAI", "2 USD"),
        measured("2026-05-20", "alice", "beyond", "1", id="one"),
        measured("2026-05-20", "alice", "beyond", "1"),
        reversal("2026-05-21", "one"),
    )
    assert messages(books) == []
    assert shown(books, "cost").split("2026-05-21 ")[1] == text("""
        cost openai
          cost openai beyond -3.3 USD
          accrued openai beyond 3.3 USD
    """)
