"""The end of a lot: unused units turn into tokens, or lapse and become breakage."""

from __future__ import annotations

from typing import Any

import pytest

from beancount_compute.economy.events import NOWHERE
from beancount_compute.economy.options import AS_OF
from tests.economy.building import (
    Books,
    book,
    by_hand,
    cancellation,
    cause,
    consumption,
    day,
    deferred,
    grant,
    income,
    lots_shown,
    messages,
    number,
    one_period,
    plan,
    shown,
    terms,
    text,
    top_up,
)


def a_month(agreed: Any, used: str = "200 CU", until: str = "2026-06-01") -> Books:
    """A period of May, some of it used, and the books up to a day."""
    events = [one_period("2026-05-01", "alice")]
    if used:
        events.append(consumption("2026-05-20", "alice", used))
    return book(events, agreed if agreed.of_ledger(AS_OF) else agreed.setting(AS_OF, day(until)))


def test_unused_units_expire() -> None:
    """800 of 1000 at 0.20: 160.00 of breakage on the first day on which they are not usable."""
    books = a_month(terms(plan()))
    assert shown(books, "mint", "expiry") == text("""
        2026-06-01 expiry alice
          allocations alice 800 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          breakage alice pro -160 USD
    """)
    (entry,) = [each for each in books.journal if each.kind == "expiry"]
    assert cause(entry) == (
        "expiry/alice/pro/2026-06-01/2026-05-01",
        NOWHERE,
        "plan pro of 2026-01-01, end 2026-06-01",
    )


def test_what_does_not_end_by_the_as_of_day_stays() -> None:
    """The day before, nothing is booked."""
    assert shown(a_month(terms(plan()), until="2026-05-31"), "expiry") == ""


def test_unused_units_are_minted() -> None:
    """Same cost, same lot date, no income; a life of 12 months counted from the mint."""
    books = a_month(terms(plan(unused="mint", token_expires="12 months")))
    assert shown(books, "mint", "expiry") == text("""
        2026-06-01 mint alice
          allocations alice 800 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          tokens alice -800 CU {0.2 USD, 2026-05-01, pro/2027-06-01}
    """)
    assert deferred(books) == "160"
    assert income(books, "breakage") == "0"
    (entry,) = [each for each in books.journal if each.kind == "mint"]
    assert cause(entry)[1:] == (NOWHERE, "plan pro of 2026-01-01, end 2026-06-01")


def test_tokens_without_a_life_never_end() -> None:
    """`token-expires` absent: no end in the label, and nothing happens for years."""
    books = a_month(terms(plan(unused="mint"), as_of="2200-01-01"))
    assert lots_shown(books) == ["tokens alice 800 CU {0.2 USD, 2026-05-01, pro}"]


def test_minted_tokens_expire_at_the_end_of_their_life() -> None:
    """Minted on 1 June for 12 months; breakage on 1 June 2027, whatever the plan says by then."""
    agreed = terms(
        plan(unused="mint", token_expires="12 months"),
        plan(unused="expire", since="2026-05-15"),
        as_of="2027-06-01",
    )
    assert shown(a_month(agreed), "mint", "expiry").endswith(
        text("""
        2027-06-01 expiry alice
          tokens alice 800 CU {0.2 USD, 2026-05-01, pro/2027-06-01}
          breakage alice pro -160 USD
        """)
    )


def test_a_part_of_each_lot_is_minted_and_the_rest_expires() -> None:
    """Half of 800: 400 minted, 400 x 0.20 = 80.00 of breakage, in that order."""
    books = a_month(terms(plan(unused="mint", mint_rate="0.5", token_expires="1 month")))
    assert shown(books, "mint", "expiry") == text("""
        2026-06-01 mint alice
          allocations alice 400 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          tokens alice -400 CU {0.2 USD, 2026-05-01, pro/2026-07-01}
        2026-06-01 expiry alice
          allocations alice 400 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          breakage alice pro -80 USD
    """)


def test_the_fraction_is_taken_of_each_lot() -> None:
    """19.99 over 7777 is 4667 at 0.002570 and 3110 at 0.002571; 0.333 of each: 1554.111, 1035.63.

    The rest expires: 3112.889 x 0.002570 + 2074.37 x 0.002571 = 8.00012473 + 5.33320527.
    """
    agreed = terms(plan(price="19.99 USD", units="7777 CU", unused="mint", mint_rate="0.333"))
    books = a_month(agreed, used="")
    assert lots_shown(books) == [
        "tokens alice 1035.63 CU {0.002571 USD, 2026-05-01, pro}",
        "tokens alice 1554.111 CU {0.00257 USD, 2026-05-01, pro}",
    ]
    assert income(books, "breakage") == "13.33333"


@pytest.mark.parametrize(("rate", "expiries"), [("0", 1), ("1", 0)])
def test_all_or_nothing_is_one_entry(rate: str, expiries: int) -> None:
    """A rate of 0 mints nothing, a rate of 1 lets nothing expire."""
    books = a_month(terms(plan(unused="mint", mint_rate=rate)))
    kinds = [each.kind for each in books.journal if each.kind in ("mint", "expiry")]
    assert kinds.count("expiry") == expiries
    assert len(kinds) == 1


def test_zero_cost_lots_are_never_minted() -> None:
    """A free tier's units end, without any money (manual/language.md, section 5)."""
    books = a_month(terms(plan(price="0 USD", unused="mint")))
    assert shown(books, "mint", "expiry") == text("""
        2026-06-01 expiry alice
          allocations alice 800 CU {0 USD, 2026-05-01, pro/2026-06-01}
    """)


def test_rollover_books_nothing_until_the_end_of_the_lot_s_life() -> None:
    """A life of 3 months from 1 May: to the end of July."""
    agreed = terms(plan(unused="rollover", expires="3 months"), as_of="2026-07-31")
    assert shown(a_month(agreed), "mint", "expiry") == ""
    agreed = agreed.setting(AS_OF, None)
    books = a_month(agreed, until="2026-08-01")
    assert shown(books, "expiry") == text("""
        2026-08-01 expiry alice
          allocations alice 800 CU {0.2 USD, 2026-05-01, pro/2026-08-01}
          breakage alice pro -160 USD
    """)


def test_tokens_are_not_minted_again() -> None:
    """A plan's minted tokens and a top-up that ends: both expire."""
    events = [
        one_period("2026-05-01", "a"),
        top_up("2026-05-01", "a", "5 CU", "1 USD", expires="2026-07-01"),
        grant("2026-07-01", "b", "1 CU"),
    ]
    books = book(events, terms(plan(unused="mint", token_expires="1 month")))
    assert income(books, "breakage") == "201"
    (entry, _) = [each for each in books.journal if each.kind == "expiry"]
    assert cause(entry)[2] == "plan pro of 2026-01-01, end 2026-07-01"
    (_, entry) = [each for each in books.journal if each.kind == "expiry"]
    assert cause(entry)[2] == "top-up, end 2026-07-01"


def test_a_token_whose_life_is_over_before_its_mint_is_booked_expires_at_once() -> None:
    """An opening lot that should have ended in January, entered on 1 May, in the books at once."""
    old = by_hand("2026-05-01", "allocations a 5 CU {0.2 USD, 2025-12-01, pro/2026-01-01}")
    agreed = terms(plan(unused="mint", token_expires="1 month"), as_of="2026-05-01")
    books = book([], agreed, openings=[old])
    assert shown(books) == text("""
        2026-05-01 mint a
          allocations a 5 CU {0.2 USD, 2025-12-01, pro/2026-01-01}
          tokens a -5 CU {0.2 USD, 2025-12-01, pro/2026-02-01}
        2026-05-01 expiry a
          tokens a 5 CU {0.2 USD, 2025-12-01, pro/2026-02-01}
          breakage a pro -1 USD
    """)


def test_a_lot_of_an_unknown_plan_expires() -> None:
    """An opening lot may name a plan that the ledger doesn't write: its label has the end."""
    old = by_hand("2026-05-01", "allocations a 5 CU {0.2 USD, 2026-04-01, gone/2026-06-01}")
    books = book([grant("2026-06-01", "b", "1 CU")], openings=[old])
    assert shown(books, "mint", "expiry") == text("""
        2026-06-01 expiry a
          allocations a 5 CU {0.2 USD, 2026-04-01, gone/2026-06-01}
          breakage a gone -1 USD
    """)


def test_ends_of_a_day_come_in_an_order_of_their_own() -> None:
    """By holder, pocket, commodity, lot date, cost and origin, whatever came in first."""
    events = [
        top_up("2026-05-03", "b", "1 CU", "1 USD", expires="2026-07-01"),
        top_up("2026-05-02", "a", "1 CU", "1 USD", expires="2026-07-01"),
        top_up("2026-05-01", "b", "1 CU", "2 USD", expires="2026-07-01"),
        top_up("2026-05-01", "b", "1 CU", "1 USD", expires="2026-07-01"),
        top_up("2026-05-01", "b", "1 BU", "3 USD", expires="2026-07-01"),
        grant("2026-05-04", "b", "1 CU", expires="2026-07-01"),
        grant("2026-07-01", "z", "1 CU"),
    ]
    books = book(events)
    ended = [each.legs[0] for each in books.journal if each.kind == "expiry"]
    assert [
        f"{leg.lot.holder} {leg.lot.commodity} {leg.lot.date.day} {number(leg.lot.cost)}"
        for leg in ended
        if hasattr(leg, "lot")
    ] == ["a CU 2 1", "b CU 4 0", "b BU 1 3", "b CU 1 1", "b CU 1 2", "b CU 3 1"]


def test_what_was_used_up_meets_no_end() -> None:
    """An empty lot ends in silence; so does one that a cancelled subscriber has used."""
    events = [
        one_period("2026-05-01", "alice"),
        consumption("2026-05-20", "alice", "1000 CU"),
        cancellation("2026-05-21", "alice", line=1),
        grant("2026-06-01", "b", "1 CU"),
    ]
    books = book(events, terms(plan()))
    assert shown(books, "mint", "expiry") == ""
    assert len(messages(books)) == 1  # one period is no subscription


def test_a_part_that_can_t_be_exact_is_minted_but_for_the_last_digits() -> None:
    """A rate of 14 digits of 12345678900.125 CU at 0.37: 14 + 14 digits, and a cost of two.

    12345678900.125 x 0.98765432109877 = 12193263112.60636639509034625; x 0.37 is 4.5 thousand
    million, of which 28 digits leave 18 decimals: two for the cost, and 16 for the units.
    """
    agreed = terms(
        plan(
            price="4567901193.37 USD",
            units="12345678901 CU",
            unused="mint",
            mint_rate="0.98765432109877",
        )
    )
    books = a_month(agreed, used="0.875 CU")
    minted = "12193263112.6063663950903462"
    assert lots_shown(books) == [f"tokens alice {minted} CU {{0.37 USD, 2026-05-01, pro}}"]
    assert (
        shown(books, "expiry")
        .split(" CU")[0]
        .endswith(
            "allocations alice 152415787.5186336049096538"  # 12345678900.125 less what was minted
        )
    )
    assert messages(books) == []
