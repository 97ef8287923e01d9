"""Changes of plan: what is left comes back, and a short period of the new plan begins."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import MoneyLeg
from beancount_compute.economy.term_values import AccessBy, BilledBy, Money
from beancount_compute.economy.terms import Plan
from tests.economy.building import (
    Books,
    book,
    bundle,
    by_hand,
    cancellation,
    change,
    consumption,
    day,
    entry_text,
    first_letter_up,
    messages,
    number,
    plan,
    reversal,
    seat,
    shown,
    subscription,
    terms,
    text,
)

BASIC = seat("90 USD", "basic")
PLUS = seat("120 USD", "plus")
PRO = plan("pro", "200 USD", "1000 CU")
MAX = plan("max", "500 USD", "3000 CU")


def changes(books: Books) -> str:
    """The changes, without what else is booked."""
    return shown(books, "change")


def test_access_that_is_left_comes_back_and_a_short_period_begins() -> None:
    """STR-03: 90.00 for April, 20 days of it earned; 120.00 x 10/30 for the rest, 10.00 more."""
    events = [
        subscription("2026-04-01", "alice", "basic", id="s"),
        change("2026-04-21", "alice", "basic", "plus", id="c"),
    ]
    books = book(events, terms(BASIC, PLUS, as_of="2026-05-31"))
    assert messages(books) == []
    assert shown(books) == text("""
        2026-04-01 allocation alice
          receivable alice basic 90 USD
          access alice -90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
        2026-04-21 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -60 USD
          access alice -40 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}
          unbilled alice plus 10 USD
        2026-04-30 access alice
          access alice 40 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}
          access-revenue alice plus -40 USD
        2026-05-01 invoice alice
          receivable alice plus 10 USD
          unbilled alice plus -10 USD
        2026-05-01 allocation alice
          receivable alice plus 120 USD
          access alice -120 ACCESS-USD {1 USD, 2026-05-01, plus/2026-06-01}
        2026-05-31 access alice
          access alice 120 ACCESS-USD {1 USD, 2026-05-01, plus/2026-06-01}
          access-revenue alice plus -120 USD
    """)
    (entry,) = [each for each in books.journal if each.kind == "change"]
    assert entry.narration == "Change from basic to plus"
    assert (entry.id, entry.subscription, entry.prorated) == ("c", "s", "10/30")
    assert entry.period == "2026-04-21/2026-04-30"
    (invoice,) = [each for each in books.journal if each.kind == "invoice"]
    assert invoice.narration == "Invoice of the change of 2026-04-21"


def bobs_change(*more: object, **figures: str) -> Books:
    """Bob used 900 CU of pro, and changes to max on 21 April."""
    events = [
        subscription("2026-04-01", "bob", "pro", id="s"),
        consumption("2026-04-10", "bob", "900 CU"),
        change("2026-04-21", "bob", "pro", "max", id="c", **figures),
    ]
    return book([*events, *more], terms(PRO, MAX, as_of="2026-05-01"))


def test_units_that_are_left_come_back_at_carrying_amount() -> None:
    """100 x 0.20 = 20.00 come back; 500.00 x 10/30 = 166.67 for 1,000 CU."""
    assert changes(bobs_change()) == text("""
        2026-04-21 change bob
          allocations bob 100 CU {0.2 USD, 2026-04-01, pro/2026-05-01}
          allocations bob -1000 CU {0.16667 USD, 2026-04-21, max/2026-05-01}
          unbilled bob max 146.67 USD
    """)


def test_the_invoices_own_figures_go_first() -> None:
    """It credits by time, 66.67: 20.00 + 166.67 - 66.67 = 120.00 are deferred, 0.12 a unit."""
    assert changes(bobs_change(charge="166.67 USD", credit="66.67 USD")) == text("""
        2026-04-21 change bob
          allocations bob 100 CU {0.2 USD, 2026-04-01, pro/2026-05-01}
          allocations bob -1000 CU {0.12 USD, 2026-04-21, max/2026-05-01}
          unbilled bob max 100 USD
    """)


def test_a_credit_above_all_else_is_a_reduction_of_what_was_delivered() -> None:
    """20.00 + 10.00 - 66.67 = -36.67: the new units cost nothing, and that much is given back."""
    assert changes(bobs_change(charge="10 USD", credit="66.67 USD")) == text("""
        2026-04-21 change bob
          allocations bob 100 CU {0.2 USD, 2026-04-01, pro/2026-05-01}
          allocations bob -1000 CU {0 USD, 2026-04-21, max/2026-05-01}
          refunds bob pro 36.67 USD
          unbilled bob max -56.67 USD
    """)


def test_what_rounding_leaves_of_the_carrying_amount_goes_to_revenue() -> None:
    """20.00 for 3,000 CU: 1 CU at 0.006667 is 0.01 rounded, 0.003333 too much."""
    cheap = plan("pro", "20 USD", "3000 CU")
    events = [
        subscription("2026-04-01", "bob", "pro"),
        consumption("2026-04-10", "bob", "2999 CU"),
        change("2026-04-21", "bob", "pro", "max"),
    ]
    assert changes(book(events, terms(cheap, MAX, as_of="2026-04-21"))) == text("""
        2026-04-21 change bob
          allocations bob 1 CU {0.006667 USD, 2026-04-01, pro/2026-05-01}
          allocations bob -1000 CU {0.16667 USD, 2026-04-21, max/2026-05-01}
          revenue bob pro 0.003333 USD
          unbilled bob max 166.66 USD
    """)


def test_a_bundle_is_split_as_any_period() -> None:
    """300.00 x 10/30 = 100.00, of it 60.00 for access; 1,500 CU x 10/30 = 500 at 0.08."""
    big = bundle("300 USD", "1500 CU", "150 USD", "100 USD")._replace(name="big")
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "big"),
    ]
    assert changes(book(events, terms(BASIC, big, as_of="2026-04-21"))) == text("""
        2026-04-21 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -60 USD
          access alice -60 ACCESS-USD {1 USD, 2026-04-21, big/2026-05-01}
          allocations alice -500 CU {0.08 USD, 2026-04-21, big/2026-05-01}
          unbilled alice big 70 USD
    """)


def test_access_of_earlier_months_is_earned_already() -> None:
    """From 20 March: 12 of 31 days in March, 20 more of the 19 that are left until 10 April."""
    events = [
        subscription("2026-03-20", "alice", "basic"),
        change("2026-04-10", "alice", "basic", "plus"),
    ]
    # 34.84 in March; 55.16 x 9/19 = 26.13 (26.128...) until 9 April; 29.03 come back
    # 120.00 x 10/31 = 38.71
    assert changes(book(events, terms(BASIC, PLUS, as_of="2026-04-10"))) == text("""
        2026-04-10 change alice
          access alice 55.16 ACCESS-USD {1 USD, 2026-03-20, basic/2026-04-20}
          access-revenue alice basic -26.13 USD
          access alice -38.71 ACCESS-USD {1 USD, 2026-04-10, plus/2026-04-20}
          unbilled alice plus 9.68 USD
    """)


def test_even_months_take_their_share_of_this_month_back_and_a_short_period_is_by_days() -> None:
    """Quarterly from 20 April: 30.00 in April; on 10 June two shares less May's: 30.00 come back.

    120.00 x 40/91 = 52.75 for 40 days: 21 of June, 27.69, then 19.
    """
    even = AccessBy.EVEN_MONTH
    old = seat("90 USD", "basic", every="quarter", access_by=even)
    new = seat("120 USD", "plus", every="quarter", access_by=even)
    events = [
        subscription("2026-04-20", "alice", "basic"),
        change("2026-06-10", "alice", "basic", "plus"),
    ]
    books = book(events, terms(old, new, as_of="2026-10-31"))
    assert changes(books) == text("""
        2026-06-10 change alice
          access alice 30 ACCESS-USD {1 USD, 2026-04-20, basic/2026-07-20}
          access alice -52.75 ACCESS-USD {1 USD, 2026-06-10, plus/2026-07-20}
          unbilled alice plus 22.75 USD
    """)
    earned = [
        (str(each.date), str(-leg.number))
        for each in books.journal
        for leg in each.legs
        if each.kind == "access" and isinstance(leg, MoneyLeg)
    ]
    assert earned == [
        ("2026-04-30", "30.00"),
        ("2026-05-31", "30.00"),
        ("2026-06-30", "27.69"),
        ("2026-07-19", "25.06"),
        ("2026-07-31", "40.00"),
        ("2026-08-31", "40.00"),
        ("2026-09-30", "40.00"),
        ("2026-10-31", "40.00"),
    ]


def test_on_the_first_day_of_a_period_there_is_nothing_to_prorate() -> None:
    """The old plan's period is not booked, the new one is, at once owed."""
    events = [
        subscription("2026-04-01", "alice", "basic", id="s"),
        change("2026-05-01", "alice", "basic", "plus"),
    ]
    books = book(events, terms(BASIC, PLUS, as_of="2026-06-01"))
    assert messages(books) == []
    assert shown(books, "allocation", "change") == text("""
        2026-04-01 allocation alice
          receivable alice basic 90 USD
          access alice -90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
        2026-05-01 allocation alice
          receivable alice plus 120 USD
          access alice -120 ACCESS-USD {1 USD, 2026-05-01, plus/2026-06-01}
        2026-06-01 allocation alice
          receivable alice plus 120 USD
          access alice -120 ACCESS-USD {1 USD, 2026-06-01, plus/2026-07-01}
    """)
    assert [each.id for each in books.journal if each.kind == "allocation"][1] == "s/2026-05-01"


def test_periods_of_another_length_begin_at_once() -> None:
    """Monthly to yearly on the 21st: all of the year is charged, and years count from that day."""
    yearly = seat("1200 USD", "plus", every="year")
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "plus"),
    ]
    books = book(events, terms(BASIC, yearly, as_of="2027-04-21"))
    assert shown(books, "allocation", "change") == text("""
        2026-04-01 allocation alice
          receivable alice basic 90 USD
          access alice -90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
        2026-04-21 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -60 USD
          access alice -1200 ACCESS-USD {1 USD, 2026-04-21, plus/2027-04-21}
          unbilled alice plus 1170 USD
        2027-04-21 allocation alice
          receivable alice plus 1200 USD
          access alice -1200 ACCESS-USD {1 USD, 2027-04-21, plus/2028-04-21}
    """)


@pytest.mark.parametrize(
    ("old", "new", "changed", "ends"),
    [
        ("month", "10 days", "2026-04-21", ["2026-05-01", "2026-05-11", "2026-05-21"]),
        ("10 days", "month", "2026-04-15", ["2026-05-15", "2026-06-15"]),
        ("quarter", "month", "2026-05-31", ["2026-06-30", "2026-07-31"]),
        # on the first day of a period too
        ("10 days", "month", "2026-04-11", ["2026-05-11", "2026-06-11"]),
        ("month", "quarter", "2026-05-01", ["2026-08-01"]),
        ("month", "7 days", "2026-05-01", ["2026-05-08", "2026-05-15"]),
    ],
)
def test_days_of_month_count_from_the_change(
    old: str, new: str, changed: str, ends: list[str]
) -> None:
    """Where the periods of the new plan are of another length."""
    plans = seat("90 USD", "basic", every=old), seat("120 USD", "plus", every=new)
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change(changed, "alice", "basic", "plus"),
    ]
    books = book(events, terms(*plans, as_of=ends[-1]))
    begun = [str(each.date) for each in books.journal if each.kind == "allocation"]
    assert [each for each in begun if each > changed] == ends


def test_old_days_of_month_stay() -> None:
    """From 31 January: a change in February leaves the 31st."""
    events = [
        subscription("2026-01-31", "alice", "basic"),
        change("2026-03-10", "alice", "basic", "plus"),
    ]
    books = book(events, terms(BASIC, PLUS, as_of="2026-05-31"))
    begun = [str(each.date) for each in books.journal if each.kind == "allocation"]
    assert begun == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_a_second_change_counts_days_of_the_whole_period() -> None:
    """On the 27th 4 of 30 days are left: of 40.00 for 10 days 24.00 were earned, 16.00 come back.

    200.00 x 4/30 = 26.67 for 1,000 CU x 4/30 = 133.
    """
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "plus"),
        change("2026-04-27", "alice", "plus", "pro"),
    ]
    books = book(events, terms(BASIC, PLUS, PRO, as_of="2026-05-01"))
    assert "\n".join(changes(books).splitlines()[5:]) == text("""
        2026-04-27 change alice
          access alice 40 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}
          access-revenue alice plus -24 USD
          allocations alice -91 CU {0.200526 USD, 2026-04-27, pro/2026-05-01}
          allocations alice -42 CU {0.200527 USD, 2026-04-27, pro/2026-05-01}
          unbilled alice pro 10.67 USD
    """)


def test_two_changes_on_one_day_run_by_time() -> None:
    """The second takes the first one's short period back, whole."""
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "plus", "pro", time="12:00:00"),
        change("2026-04-21", "alice", "basic", "plus", time="09:00:00"),
        change("2026-04-21", "alice", "pro", "basic", time="15:00:00"),
    ]
    books = book(events, terms(BASIC, PLUS, PRO, as_of="2026-04-30"))
    assert messages(books) == []
    assert changes(books) == text("""
        2026-04-21 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -60 USD
          access alice -40 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}
          unbilled alice plus 10 USD
        2026-04-21 change alice
          access alice 40 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}
          allocations alice -263 CU {0.20021 USD, 2026-04-21, pro/2026-05-01}
          allocations alice -70 CU {0.200211 USD, 2026-04-21, pro/2026-05-01}
          unbilled alice pro 26.67 USD
        2026-04-21 change alice
          allocations alice 263 CU {0.20021 USD, 2026-04-21, pro/2026-05-01}
          allocations alice 70 CU {0.200211 USD, 2026-04-21, pro/2026-05-01}
          access alice -30 ACCESS-USD {1 USD, 2026-04-21, basic/2026-05-01}
          unbilled alice basic -36.67 USD
    """)


def test_units_are_rounded_to_the_decimals_with_which_the_plan_writes_them() -> None:
    """900.10 CU x 10/30 = 300.03; 1.5 CU x 10/30 = 0.5."""
    fine = plan("fine", "90009 USD", "900.1 CU")
    fine = fine._replace(lines=(fine.lines[0]._replace(decimals=2),))
    few = plan("few", "150 USD", "1.5 CU")
    for each, units in ((fine, "300.03 CU"), (few, "0.5 CU")):
        events = [
            subscription("2026-04-01", "alice", "basic"),
            change("2026-04-21", "alice", "basic", each.name),
        ]
        assert units in changes(book(events, terms(BASIC, each, as_of="2026-04-21")))


def test_what_is_left_for_a_plan_that_sells_only_use_is_breakage() -> None:
    """To pay-as-you-go: 30.00 are credited; kept by the invoice, nothing is promised for them."""
    payg = plan("payg", "0 USD", "0 CU", overage="0.02 USD")
    begun = subscription("2026-04-01", "alice", "basic")
    books = book(
        [begun, change("2026-04-21", "alice", "basic", "payg")],
        terms(BASIC, payg, as_of="2026-05-31"),
    )
    assert changes(books) == text("""
        2026-04-21 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -60 USD
          unbilled alice payg -30 USD
    """)
    kept = change("2026-04-21", "alice", "basic", "payg", charge="0 USD", credit="0 USD")
    books = book([begun, kept], terms(BASIC, payg, as_of="2026-05-31"))
    assert changes(books) == text("""
        2026-04-21 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -60 USD
          breakage alice basic -30 USD
    """)


def test_a_change_between_plans_that_sell_only_use_books_nothing() -> None:
    """It holds all the same: use is charged at the new price from that day on."""
    one = plan("one", "0 USD", "0 CU", overage="0.02 USD")
    other = plan("other", "0 USD", "0 CU", overage="0.05 USD")
    events = [
        subscription("2026-04-01", "alice", "one"),
        consumption("2026-04-20", "alice", "100 CU"),
        change("2026-04-21", "alice", "one", "other"),
        consumption("2026-04-21", "alice", "100 CU"),
    ]
    books = book(events, terms(one, other, as_of="2026-04-30"))
    assert shown(books) == text("""
        2026-04-20 consumption alice
          receivable alice one 2 USD
          overage alice one -2 USD
        2026-04-21 consumption alice
          receivable alice other 5 USD
          overage alice other -5 USD
    """)


def test_what_is_no_lot_of_the_period_stays() -> None:
    """Rolled-over lots of earlier periods, tokens, and the use of the day, which comes later."""
    roll = plan("pro", "200 USD", "1000 CU", unused="rollover", expires="12 months")
    events = [
        subscription("2026-03-01", "bob", "pro"),
        change("2026-04-11", "bob", "pro", "max"),
        consumption("2026-04-11", "bob", "100 CU"),
    ]
    books = book(events, terms(roll, MAX, as_of="2026-04-30"))
    assert changes(books) == text("""
        2026-04-11 change bob
          allocations bob 1000 CU {0.2 USD, 2026-04-01, pro/2027-04-01}
          allocations bob -2000 CU {0.166665 USD, 2026-04-11, max/2026-05-01}
          unbilled bob max 133.33 USD
    """)


def test_a_changed_subscription_is_cancelled_under_its_new_plan() -> None:
    """The short period runs on, and no other begins."""
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "plus"),
        cancellation("2026-04-25", "alice", "plus"),
    ]
    books = book(events, terms(BASIC, PLUS, as_of="2026-06-01"))
    assert messages(books) == []
    assert [f"{each.date} {each.kind}" for each in books.journal] == [
        "2026-04-01 allocation",
        "2026-04-21 change",
        "2026-04-30 access",
        "2026-05-01 invoice",
    ]


def test_a_late_use_falls_under_the_plan_of_its_day() -> None:
    """What was used before the change is charged at the old plan's price."""
    old = plan("one", "0 USD", "0 CU", overage="0.02 USD")
    new = plan("other", "0 USD", "0 CU", overage="0.05 USD")
    events = [subscription("2026-04-01", "alice", "one")]
    books = book(
        [*events, change("2026-04-21", "alice", "one", "other")],
        terms(old, new, as_of="2026-05-31"),
        late={day("2026-05-01"): [consumption("2026-04-20", "alice", "100 CU", id="u")]},
    )
    assert "overage alice one -2 USD" in shown(books)


# Invoices, minimums and discounts


def payg(name: str, price: str, **more: Any) -> Plan:
    return plan(name, "0 USD", "0 CU", overage=price, **more)


BY_PERIOD, BY_MONTH = BilledBy.PERIOD, BilledBy.MONTH


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # all that waits goes with the next invoice, which is behind the period whatever `bill` says
        ("use", "use", "2026-05-10 18"),
        ("use", "period", "2026-05-10 22"),
        ("period", "use", "2026-05-10 20"),
        ("period", "period", "2026-05-10 24"),
    ],
)
def test_a_change_is_on_the_next_invoice(old: str, new: str, expected: str) -> None:
    """From 10 April: 2.00 used on one plan, 4.00 on the other, and 18.00 by the change."""
    plans = (
        plan("one", "0 USD", "0 CU", access=Decimal(30), overage="0.02 USD", bill=BilledBy(old)),
        plan("two", "0 USD", "0 CU", access=Decimal(84), overage="0.04 USD", bill=BilledBy(new)),
    )
    events = [
        subscription("2026-04-10", "alice", "one"),
        consumption("2026-04-11", "alice", "100 CU"),
        change("2026-04-30", "alice", "one", "two"),
        consumption("2026-04-30", "alice", "100 CU"),
    ]
    books = book(events, terms(*plans, as_of="2026-05-31"))
    assert messages(books) == []
    assert invoices(books) == [expected]
    assert unbilled(books) == "0"


def invoices(books: Books) -> list[str]:
    """The day of each invoice, and what it is of."""
    return [
        f"{each.date} {number(leg.number)}"
        for each in books.journal
        for leg in each.legs
        if each.kind == "invoice" and isinstance(leg, MoneyLeg) and leg.role == "receivable"
    ]


def unbilled(books: Books) -> str:
    """What is not invoiced."""
    legs = [leg for each in books.journal for leg in each.legs if isinstance(leg, MoneyLeg)]
    return number(sum((leg.number for leg in legs if leg.role == "unbilled"), Decimal()))


def test_monthly_invoices_stay_on_their_day_of_the_month() -> None:
    """Yearly from 15 January: a change on 10 April is on the invoice of the 15th; one on the day
    of an invoice is on it, as what was used before."""
    plans = (
        payg("one", "0.02 USD", every="year", bill=BY_MONTH),
        payg("two", "0.04 USD", every="year", bill=BY_MONTH),
    )
    events = [
        subscription("2026-01-15", "alice", "one"),
        consumption("2026-04-09", "alice", "100 CU"),
        change("2026-04-10", "alice", "one", "two"),
        consumption("2026-04-10", "alice", "100 CU"),
        consumption("2026-05-14", "alice", "100 CU"),
        change("2026-05-15", "alice", "two", "one"),
        consumption("2026-05-15", "alice", "100 CU"),
    ]
    books = book(events, terms(*plans, as_of="2026-06-30"))
    assert messages(books) == []
    assert invoices(books) == ["2026-04-15 6", "2026-05-15 4", "2026-06-15 2"]


def test_another_length_of_period_is_invoiced_at_the_end_of_the_old_one_at_the_latest() -> None:
    """Monthly to yearly on 21 April: on 1 May; yearly to monthly: on 21 May."""
    month, year = seat("90 USD", "basic"), seat("1200 USD", "plus", every="year")
    for old, new, expected in ((month, year, "2026-05-01"), (year, month, "2026-05-21")):
        events = [
            subscription("2026-04-01", "alice", old.name),
            change("2026-04-21", "alice", old.name, new.name),
        ]
        books = book(events, terms(month, year, as_of="2026-06-30"))
        assert [each.split()[0] for each in invoices(books)] == [expected]


def test_a_second_change_leaves_the_invoice_of_the_first_where_it_was() -> None:
    """To a yearly plan on 10 April: 1,200.00 less 63.00; to a monthly one on the 11th: 300.00 less
    1,196.71. Both are invoiced when April's period is over, and not on 11 May."""
    plans = [
        seat("90 USD", "basic"),
        seat("1200 USD", "plus", every="year"),
        seat("300 USD", "max"),
    ]
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-10", "alice", "basic", "plus"),
        change("2026-04-11", "alice", "plus", "max"),
    ]
    books = book(events, terms(*plans, as_of="2026-05-10"))
    assert invoices(books) == ["2026-05-01 240.29"]


def test_a_reversed_use_comes_out_of_where_it_is() -> None:
    """Unbilled on the old plan, and still so on the new one, which bills at once."""
    plans = payg("one", "0.02 USD", bill=BY_PERIOD), payg("two", "0.04 USD")
    events = [
        subscription("2026-04-01", "alice", "one"),
        consumption("2026-04-09", "alice", "100 CU", id="u"),
        change("2026-04-10", "alice", "one", "two"),
        consumption("2026-04-10", "alice", "100 CU", id="v"),
        reversal("2026-04-11", "u"),
        reversal("2026-04-11", "v"),
    ]
    books = book(events, terms(*plans, as_of="2026-05-31"))
    assert messages(books) == []
    assert shown(books, "reversal") == text("""
        2026-04-11 reversal alice
          overage alice two 4 USD
          receivable alice two -4 USD
        2026-04-11 reversal alice
          overage alice one 2 USD
          unbilled alice one -2 USD
    """)
    assert (invoices(books), unbilled(books)) == ([], "0")


def test_a_reversed_use_comes_out_of_where_it_is_after_two_changes() -> None:
    """To a plan that bills at once and back: what was unbilled before is still so."""
    plans = payg("one", "0.02 USD", bill=BY_PERIOD), payg("two", "0.04 USD")
    events = [
        subscription("2026-04-01", "alice", "one"),
        consumption("2026-04-09", "alice", "100 CU", id="u"),
        change("2026-04-10", "alice", "one", "two"),
        consumption("2026-04-10", "alice", "100 CU", id="v"),
        change("2026-04-11", "alice", "two", "one"),
        consumption("2026-04-11", "alice", "100 CU", id="w"),
        *(reversal("2026-04-12", each) for each in ("u", "v", "w")),
    ]
    books = book(events, terms(*plans, as_of="2026-05-31"))
    assert messages(books) == []
    owed = [
        (leg.role, number(leg.number))
        for each in books.journal
        if each.kind == "reversal"
        for leg in each.legs
        if isinstance(leg, MoneyLeg) and leg.role != "overage"
    ]
    assert owed == [("unbilled", "-2"), ("receivable", "-4"), ("unbilled", "-2")]
    assert (invoices(books), unbilled(books)) == ([], "0")


def test_minimums_count_by_days_before_and_after() -> None:
    """100.00 x 20/30 = 66.67 of which 50.00 were used; then 60.00 x 10/30 = 20.00, 8.00 used."""
    plans = (
        payg("one", "0.02 USD", minimum=Money(Decimal(100), "USD")),
        payg("two", "0.04 USD", minimum=Money(Decimal(60), "USD"), bill=BY_PERIOD),
    )
    events = [
        subscription("2026-04-01", "alice", "one"),
        consumption("2026-04-09", "alice", "2500 CU"),
        change("2026-04-21", "alice", "one", "two"),
        consumption("2026-04-22", "alice", "200 CU"),
    ]
    books = book(events, terms(*plans, as_of="2026-05-01"))
    assert shown(books, "change", "shortfall", "invoice") == text("""
        2026-04-21 change alice
          breakage alice one -16.67 USD
          unbilled alice two 16.67 USD
        2026-04-30 shortfall alice
          unbilled alice two 12 USD
          breakage alice two -12 USD
        2026-05-01 invoice alice
          receivable alice two 36.67 USD
          unbilled alice two -36.67 USD
    """)
    late = [change("2026-04-21", "alice", "two", "one", time="12:00:00")]
    back = book([*events[:3], *late], terms(*plans, as_of="2026-05-01"))
    assert messages(back) == []
    assert shown(back, "shortfall") == text("""
        2026-04-30 shortfall alice
          receivable alice one 33.33 USD
          breakage alice one -33.33 USD
    """)


def test_a_short_period_has_the_minimum_of_its_own_first_day() -> None:
    """Plan two costs 90.00 at least from the day of the first change on: 90.00 x 3/30 = 9.00."""
    plans = (
        payg("one", "0.02 USD"),
        payg("two", "0.04 USD", minimum=Money(Decimal(60), "USD")),
        payg("two", "0.04 USD", minimum=Money(Decimal(90), "USD"))._replace(
            since=day("2026-04-21")
        ),
    )
    events = [
        subscription("2026-04-01", "alice", "one"),
        change("2026-04-21", "alice", "one", "two"),
        change("2026-04-24", "alice", "two", "one"),
    ]
    assert changes(book(events, terms(*plans, as_of="2026-04-24"))) == text("""
        2026-04-24 change alice
          breakage alice two -9 USD
          unbilled alice one 9 USD
    """)


def test_the_minimum_of_a_short_period_that_ends_at_once_is_rounded_once() -> None:
    """17 days of 30 of 100.00 are 56.67; 17 of the 19 days of 63.33 would be 56.66."""
    plans = payg("one", "0.02 USD"), payg("two", "0.04 USD", minimum=Money(Decimal(100), "USD"))
    events = [
        subscription("2026-04-01", "alice", "one"),
        change("2026-04-12", "alice", "one", "two"),
        cancellation("2026-04-28", "alice", "two", now="true"),
    ]
    assert shown(book(events, terms(*plans, as_of="2026-04-30")), "shortfall") == text("""
        2026-04-28 shortfall alice
          receivable alice two 56.67 USD
          breakage alice two -56.67 USD
    """)


def test_a_late_use_before_the_change_takes_its_shortfall_back() -> None:
    """The total of 20 days stays the larger of 66.67 and what was used in them."""
    plans = (
        payg("one", "0.02 USD", minimum=Money(Decimal(100), "USD")),
        payg("two", "0.04 USD"),
    )
    events = [
        subscription("2026-04-01", "alice", "one"),
        change("2026-04-21", "alice", "one", "two"),
    ]
    late = {day("2026-05-01"): [consumption("2026-04-20", "alice", "1000 CU", id="u")]}
    books = book(events, terms(*plans, as_of="2026-05-31"), late=late)
    assert shown(books, "consumption") == text("""
        2026-05-01 consumption alice
          overage alice one -20 USD
          breakage alice one 20 USD
    """)


def test_a_discount_goes_on_with_the_new_plan() -> None:
    """It is the subscription's: 120.00 - 30.00 for a month, 30.00 for a third of one."""
    events = [
        subscription("2026-04-01", "alice", "basic", discount="30 USD"),
        change("2026-04-21", "alice", "basic", "plus"),
    ]
    books = book(events, terms(BASIC, PLUS, as_of="2026-05-01"))
    # 60.00 of which 20.00 are left
    assert changes(books) == text("""
        2026-04-21 change alice
          access alice 60 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -40 USD
          access alice -30 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}
          unbilled alice plus 10 USD
    """)
    assert "receivable alice plus 90 USD" in shown(books)


# What is refused


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (change("2026-04-21", "alice", "plus", "pro"), "no uncancelled subscription to"),
        (change("2026-04-01", "alice", "basic", "plus"), "unknown subscriber"),  # until later
        (change("2026-04-21", "alice", "basic", "none"), 'unknown plan "none"'),
        (change("2026-04-21", "alice", "basic", "basic"), "to itself"),
        (change("2026-04-21", "alice", "basic", "pro"), "already has a subscription"),
        (change("2026-04-21", "alice", "basic", "euro"), "wrong currency: a change"),
        (change("2026-04-21", "alice", "pro", "images"), "from CU to IMG"),
        (
            change("2026-04-21", "alice", "basic", "plus", charge="1 EUR", credit="1 EUR"),
            "wrong currency: `charge` and `credit` in EUR",
        ),
        (
            change("2026-05-01", "alice", "basic", "plus", charge="1 USD", credit="0 USD"),
            "a period begins on 2026-05-01",
        ),
        (change("2026-04-21", "alice", "basic", "one"), "10/30 of 1 CU are none"),
        (change("2026-04-21", "carol", "basic", "one"), "unknown subscriber"),
    ],
)
def test_what_is_refused(event: object, message: str) -> None:
    """Each says what to write instead, and the subscription stays as it is."""
    plans = [
        BASIC,
        PLUS,
        PRO,
        seat("90 EUR", "euro"),
        plan("images", "10 USD", "100 IMG"),
        plan("one", "10 USD", "1 CU"),
    ]
    begun = [subscription("2026-04-01", "alice", name) for name in ("basic", "pro")]
    books = book([*begun, event], terms(*plans, as_of="2026-05-01"))
    (said,) = messages(books)
    assert message in said
    assert changes(books) == ""
    assert shown(books, "allocation").count("2026-05-01 allocation") == 2


def test_a_cancelled_subscription_is_not_changed() -> None:
    """Not on the day of the cancellation either: that comes first."""
    events = [
        subscription("2026-04-01", "alice", "basic"),
        cancellation("2026-04-21", "alice", "basic", time="18:00:00"),
        change("2026-04-21", "alice", "basic", "plus", time="09:00:00"),
    ]
    (said,) = messages(book(events, terms(BASIC, PLUS, as_of="2026-05-01")))
    assert "no uncancelled subscription to" in said


def test_a_period_that_a_change_ended_is_not_reversed() -> None:
    """What was left of it came back already; a period that began with a change can be."""
    (said,) = messages(bobs_change(reversal("2026-04-22", "s/2026-04-01")))
    assert 'of "pro" ended with the change of 2026-04-21' in said
    assert messages(bobs_change(reversal("2026-05-01", "s/2026-05-01"))) == []


def test_a_change_is_not_reversed() -> None:
    """A change back is written instead."""
    (said,) = messages(bobs_change(reversal("2026-04-22", "c")))
    assert said.endswith("a change can't be reversed: write a change back")


def test_a_plan_whose_line_is_an_error_books_nothing() -> None:
    """Its own line says so, once; the subscription is on it all the same."""
    broken = PLUS._replace(bookable=False)
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "plus"),
        cancellation("2026-04-25", "alice", "plus"),
    ]
    books = book(events, terms(BASIC, broken, as_of="2026-05-31"))
    assert messages(books) == []
    assert changes(books) == ""


def test_a_cost_step_that_is_too_coarse_for_a_short_period_is_refused() -> None:
    """33.33 for 333 CU would fit, 0.01 would not."""
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "pro", charge="0.01 USD", credit="30 USD"),
    ]
    (said,) = messages(book(events, terms(BASIC, PRO, as_of="2026-04-21", cost_step="0.01")))
    assert "0.01 USD for a period of 10 days of plan" in said
    assert said.endswith("write a smaller cost-step")


def test_a_whole_period_may_reach_the_end_of_the_calendar() -> None:
    """Then no other follows."""
    ages = seat("90 USD", "ages", every="99999 months")
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "ages"),
    ]
    books = book(events, terms(BASIC, ages, as_of="2026-05-31"))
    assert messages(books) == []
    assert "access alice -90 ACCESS-USD {1 USD, 2026-04-21, ages/9999-12-31}" in changes(books)


def test_a_changed_subscription_bridges_a_gap() -> None:
    """Under its new plan, with the period that covers it; one that was never there doesn't."""
    long = seat("900 USD", "long", every="60 months")
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-21", "alice", "basic", "long"),
        change("2026-04-22", "alice", "plus", "long"),
        subscription("2030-04-01", "bob", "basic"),
    ]
    (said,) = messages(book(events, terms(BASIC, PLUS, long, as_of="2026-04-30")))
    assert "change without subscription" in said


# Month by month


@pytest.mark.parametrize("cut", ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"])
def test_month_by_month_is_all_at_once(cut: str) -> None:
    """What a month hands on says since when a period is, of which plan, and how it is earned."""
    even = AccessBy.EVEN_MONTH
    plans = (
        seat("90 USD", "basic", every="quarter", access_by=even),
        seat("120 USD", "plus", every="quarter", access_by=even),
        seat("300 USD", "days", every="50 days"),
        PRO,
        plan("max", "500 USD", "3000 CU", overage="0.30 USD"),
    )
    events = [
        subscription("2026-03-20", "alice", "basic", id="a"),
        change("2026-04-10", "alice", "basic", "plus"),
        change("2026-05-10", "alice", "plus", "basic"),
        subscription("2026-03-15", "bob", "pro", id="b"),
        change("2026-05-20", "bob", "pro", "max"),
        subscription("2026-03-20", "carol", "basic", id="c"),
        change("2026-04-20", "carol", "basic", "days"),
        change("2026-06-15", "carol", "days", "basic"),
        subscription("2026-03-20", "dave", "days", id="d"),
        change("2026-07-10", "dave", "days", "plus"),
        subscription("2026-03-20", "erin", "basic", id="e"),
        change("2026-06-20", "erin", "basic", "plus"),
        change("2026-07-05", "erin", "plus", "basic"),
    ]
    agreed = terms(*plans, as_of="2026-12-31")
    whole = book(events, agreed)
    assert messages(whole) == []
    last = day(cut)
    keeper = Bookkeeper(Facts(events), agreed, first_letter_up, ends=[last])
    before = [each for each in keeper.entries() if each.date <= last]
    facts = Facts([each for each in events if each.date > last])
    after = Bookkeeper(facts, agreed, first_letter_up, keeper.states[last])
    found = [entry_text(each) for each in (*before, *after.entries())]
    assert found == [entry_text(each) for each in whole.journal]
    assert after.refusals == []


def test_a_period_that_other_books_handed_on_is_found_by_its_end() -> None:
    """Its lots may be dated within it: of a change there, or of the day of the opening."""
    events = [
        subscription("2026-05-01", "alice", "plus", started="2026-01-15"),
        change("2026-05-06", "alice", "plus", "basic"),
    ]
    openings = [
        by_hand("2026-04-30", "access alice 60 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-15}")
    ]
    books = book(events, terms(BASIC, PLUS, as_of="2026-05-06"), openings=openings)
    # 60.00 x 5/14 = 21.43 until 5 May; 90.00 x 9/30 = 27.00; 38.57 come back
    assert changes(books) == text("""
        2026-05-06 change alice
          access alice 60 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-15}
          access-revenue alice plus -21.43 USD
          access alice -27 ACCESS-USD {1 USD, 2026-05-06, basic/2026-05-15}
          unbilled alice basic -11.57 USD
    """)


# Lines of plans dated on the very day of a change


def on_the_day(*plans: Plan, on: str = "2026-04-21") -> str:
    """Alice changes from basic to plus on a day on which some of these lines begin."""
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change(on, "alice", "basic", "plus"),
    ]
    books = book(events, terms(BASIC, PLUS, *plans, as_of=on))
    assert messages(books) == []
    return changes(books)


def test_the_new_plans_line_of_that_day_counts() -> None:
    """150.00 x 10/30 = 50.00 instead of 40.00; where it says a quarter, a whole one begins."""
    dearer = seat("150 USD", "plus", since="2026-04-21")
    assert "access alice -50 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}" in on_the_day(dearer)
    longer = seat("300 USD", "plus", since="2026-04-21", every="3 months")
    assert "access alice -300 ACCESS-USD {1 USD, 2026-04-21, plus/2026-07-21}" in on_the_day(longer)


def test_the_old_plans_line_of_that_day_does_not() -> None:
    """The running period is a month, whatever its next ones are: beside a month the rest of it is
    changed, beside a quarter that is as long as theirs a whole one begins."""
    longer = seat("250 USD", "basic", since="2026-04-21", every="3 months")
    short = "access alice -40 ACCESS-USD {1 USD, 2026-04-21, plus/2026-05-01}"
    assert short in on_the_day(longer)
    as_long = seat("300 USD", "plus", since="2026-04-21", every="3 months")
    whole = "access alice -300 ACCESS-USD {1 USD, 2026-04-21, plus/2026-07-21}"
    assert whole in on_the_day(longer, as_long)


def test_in_a_second_change_the_line_counts_under_which_the_short_period_began() -> None:
    """Plus was by the quarter until 10 April: the short period from the 11th is one of a month, and
    10 of its 30 days are left of 240.00."""
    plans = (
        BASIC,
        seat("300 USD", "plus", every="3 months"),
        seat("120 USD", "plus", since="2026-04-11"),
        seat("240 USD", "top"),
    )
    events = [
        subscription("2026-04-01", "alice", "basic"),
        change("2026-04-11", "alice", "basic", "plus"),
        change("2026-04-21", "alice", "plus", "top"),
    ]
    assert changes(book(events, terms(*plans, as_of="2026-04-21"))) == text("""
        2026-04-11 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-04-01, basic/2026-05-01}
          access-revenue alice basic -30 USD
          access alice -80 ACCESS-USD {1 USD, 2026-04-11, plus/2026-05-01}
          unbilled alice plus 20 USD
        2026-04-21 change alice
          access alice 80 ACCESS-USD {1 USD, 2026-04-11, plus/2026-05-01}
          access-revenue alice plus -40 USD
          access alice -80 ACCESS-USD {1 USD, 2026-04-21, top/2026-05-01}
          unbilled alice top 40 USD
    """)


def test_on_a_first_day_too_it_is_the_period_before_that_counts() -> None:
    """A line of basic of that day says a quarter; plus has months as basic had, and keeps the 31st.
    Had plus quarters, the days of month would count from the 28th."""
    longer = seat("250 USD", "basic", since="2026-02-28", every="3 months")
    by_quarters = seat("9 USD", "plus", every="quarter")
    for plus, ends in ((PLUS, "2026-03-31"), (by_quarters, "2026-05-28")):
        events = [
            subscription("2026-01-31", "alice", "basic"),
            change("2026-02-28", "alice", "basic", "plus"),
        ]
        books = book(events, terms(BASIC, longer, plus, as_of="2026-02-28"))
        assert f"2026-02-28, plus/{ends}" in shown(books, "allocation")
