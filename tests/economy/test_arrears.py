"""Use that is charged when it happens and invoiced later, and what a period costs at least."""

from __future__ import annotations

from datetime import date

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import MoneyLeg, in_full
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.rules.invoicing import invoice_later
from beancount_compute.economy.rules.shortfall import await_shortfall
from beancount_compute.economy.term_values import BilledBy, Money
from beancount_compute.economy.terms import Plan
from beancount_compute.economy.unbilled import next_invoice
from tests.economy.building import (
    Books,
    assertion,
    book,
    cancellation,
    consumption,
    day,
    first_letter_up,
    income,
    messages,
    number,
    pair,
    plan,
    reversal,
    shown,
    subscription,
    terms,
    text,
    top_up,
)


def payg(bill: str = "period", name: str = "payg", **more: str) -> Plan:
    """A plan of 0.02 USD a unit, with nothing in its periods."""
    minimum = {"minimum": Money(*pair(more.pop("minimum")))} if "minimum" in more else {}
    overage = more.pop("overage", "0.02 USD")
    return plan(name, "0 USD", "0 CU", overage=overage, bill=BilledBy(bill), **minimum, **more)


def owed(books: Books) -> list[str]:
    """What stands on unbilled, day by day and kind by kind, and on the receivable."""
    return [
        f"{each.date} {each.kind} {leg.role} {number(leg.number)}"
        for each in books.journal
        for leg in each.legs
        if not hasattr(leg, "lot") and leg.role in ("unbilled", "receivable")
    ]


ALICE = [
    subscription("2026-01-15", "alice", "payg", id="s-a"),
    consumption("2026-01-25", "alice", "750 CU", id="u1"),
    consumption("2026-02-04", "alice", "850 CU", id="u2"),
]


def test_a_period_is_invoiced_behind_its_end() -> None:
    """750 x 0.02 = 15.00 and 850 x 0.02 = 17.00, of 15 January to 14 February: 32.00."""
    books = book(ALICE, terms(payg(), as_of="2026-02-20"))
    assert shown(books) == text("""
        2026-01-25 consumption alice
          unbilled alice payg 15 USD
          overage alice payg -15 USD
        2026-02-04 consumption alice
          unbilled alice payg 17 USD
          overage alice payg -17 USD
        2026-02-15 invoice alice
          receivable alice payg 32 USD
          unbilled alice payg -32 USD
    """)
    sent = books.journal[-1]
    assert sent.narration == "Invoice payg 2026-01-15/2026-02-14"
    assert (sent.id, sent.source) == ("invoice/s-a/2026-02-15", "subscription s-a")
    assert (sent.subscription, sent.period) == ("s-a", "2026-01-15/2026-02-14")
    assert books.journal[0].subscription == "s-a"


def test_without_a_word_use_is_billed_at_once() -> None:
    """As it always was: `bill` is "use"."""
    books = book(ALICE, terms(payg("use"), as_of="2026-02-20"))
    assert owed(books) == [
        "2026-01-25 consumption receivable 15",
        "2026-02-04 consumption receivable 17",
    ]
    assert books.journal[0].subscription == ""


@pytest.mark.parametrize(
    ("period", "end", "after", "day_of_month", "expected"),
    [
        ("2026-01-15", "2026-04-15", "2026-01-15", 15, "2026-02-15"),
        ("2026-01-15", "2026-04-15", "2026-02-15", 15, "2026-03-15"),
        ("2026-01-15", "2026-04-15", "2026-03-20", 15, "2026-04-15"),
        # the last of a month stays it, also where the period itself began on a shorter one's
        ("2026-01-31", "2026-07-31", "2026-01-31", 31, "2026-02-28"),
        ("2026-02-28", "2026-05-31", "2026-02-28", 31, "2026-03-31"),
        # counted in days: the monthly anniversary of the period, or its end
        ("2026-01-10", "2026-02-24", "2026-01-10", None, "2026-02-10"),
        ("2026-01-10", "2026-02-24", "2026-02-10", None, "2026-02-24"),
        ("2026-12-31", "2027-12-31", "2027-02-28", 31, "2027-03-31"),
    ],
)
def test_monthly_anniversaries(
    period: str, end: str, after: str, day_of_month: int | None, expected: str
) -> None:
    """The first one behind a day, at the latest the day behind the period."""
    days = day(period), day(end), day(after)
    assert next_invoice(BilledBy.MONTH, *days, day_of_month) == day(expected)
    assert next_invoice(BilledBy.PERIOD, *days, day_of_month) == day(end)


def test_by_the_month_a_quarter_has_three_invoices() -> None:
    """A month of nothing has none; what is used on the day of one is on the next."""
    offer = payg("month", every="quarter")
    events = [
        subscription("2026-01-31", "alice", "payg", id="s-a"),
        consumption("2026-02-28", "alice", "50 CU"),
        consumption("2026-04-29", "alice", "100 CU"),
    ]
    books = book(events, terms(offer, as_of="2026-05-31"))
    assert owed(books) == [
        "2026-02-28 consumption unbilled 1",
        "2026-03-31 invoice receivable 1",
        "2026-03-31 invoice unbilled -1",
        "2026-04-29 consumption unbilled 2",
        "2026-04-30 invoice receivable 2",
        "2026-04-30 invoice unbilled -2",
    ]
    assert books.journal[1].narration == "Invoice payg 2026-02-28/2026-03-30"


def test_tokens_go_first_and_cost_no_charge() -> None:
    """Who buys units uses them before any charge."""
    events = [ALICE[0], top_up("2026-01-20", "alice", "700 CU", "7 USD"), *ALICE[1:]]
    books = book(events, terms(payg(), as_of="2026-02-20"))
    assert owed(books)[1:] == [
        "2026-01-25 consumption unbilled 1",
        "2026-02-04 consumption unbilled 17",
        "2026-02-15 invoice receivable 18",
        "2026-02-15 invoice unbilled -18",
    ]


def test_a_subscription_that_ends_is_invoiced_behind_its_last_period() -> None:
    """And whoever uses more is refused, as ever."""
    events = [
        *ALICE,
        cancellation("2026-02-10", "alice", "payg"),
        consumption("2026-02-15", "alice", "1 CU", line=9),
    ]
    books = book(events, terms(payg(), as_of="2026-03-20"))
    assert owed(books)[-2:] == [
        "2026-02-15 invoice receivable 32",
        "2026-02-15 invoice unbilled -32",
    ]
    assert messages(books) == [
        '9: "alice" uses 1 CU and holds 0 CU: write a subscription, top-up or grant before it'
    ]


def test_a_reversal_takes_a_charge_from_where_it_is() -> None:
    """Out of unbilled before its invoice, else from the receivable."""
    events = [
        *ALICE,
        reversal("2026-02-14", "u2"),
        consumption("2026-02-16", "alice", "50 CU"),
        reversal("2026-02-20", "u1"),
    ]
    books = book(events, terms(payg(), as_of="2026-02-20"))
    assert owed(books) == [
        "2026-01-25 consumption unbilled 15",
        "2026-02-04 consumption unbilled 17",
        "2026-02-14 reversal unbilled -17",
        "2026-02-15 invoice receivable 15",
        "2026-02-15 invoice unbilled -15",
        "2026-02-16 consumption unbilled 1",
        "2026-02-20 reversal receivable -15",
    ]
    assert income(books, "overage") == "1"


def test_a_reversal_of_use_is_tried_with_others_of_its_day() -> None:
    """Where another's top-up is undone on that day, whose place in it is tried out."""
    events = [
        *ALICE,
        top_up("2026-02-10", "bob", "10 CU", "1 USD", id="t"),
        reversal("2026-02-10", "t"),
        reversal("2026-02-10", "u1"),
    ]
    books = book(events, terms(payg(), as_of="2026-02-15"))
    assert messages(books) == []
    assert owed(books)[-1] == "2026-02-15 invoice unbilled -17"


def test_use_that_rounds_to_nothing_is_undone_all_the_same() -> None:
    """0.004 is no charge, and neither is its reversal."""
    tiny = payg("period", overage="0.001 USD")
    events = [ALICE[0], consumption("2026-01-25", "alice", "4 CU", id="u")]
    books = book([*events, reversal("2026-01-26", "u")], terms(tiny, as_of="2026-02-20"))
    assert [each.kind for each in books.journal] == ["consumption", "reversal"]
    assert owed(books) == []


def test_what_was_charged_at_once_stays_on_the_receivable() -> None:
    """The plan is billed at use until February, and by the period since."""
    older, newer = payg("use"), payg("period", since="2026-02-01")
    events = [
        subscription("2026-01-15", "alice", "payg", id="s-a"),
        consumption("2026-02-14", "alice", "50 CU", id="u1"),  # the period is still the old one's
        consumption("2026-02-15", "alice", "100 CU"),
        reversal("2026-02-16", "u1"),
    ]
    books = book(events, terms(older, newer, as_of="2026-03-15"))
    assert owed(books) == [
        "2026-02-14 consumption receivable 1",
        "2026-02-15 consumption unbilled 2",
        "2026-02-16 reversal receivable -1",
        "2026-03-15 invoice receivable 2",
        "2026-03-15 invoice unbilled -2",
    ]


COMMIT = payg("month", "commit", every="quarter", minimum="100 USD")
BOB = [
    subscription("2026-01-01", "bob", "commit", id="s-b"),
    consumption("2026-01-25", "bob", "1750 CU", id="u1"),
    consumption("2026-02-04", "bob", "1750 CU", id="u2"),
]


def test_what_a_period_leaves_of_its_minimum_is_breakage() -> None:
    """3,500 x 0.02 = 70.00 of 100.00, in the evening of the last day; invoiced the next day."""
    books = book(BOB, terms(COMMIT, as_of="2026-04-01"))
    assert shown(books, "shortfall", "invoice") == text("""
        2026-02-01 invoice bob
          receivable bob commit 35 USD
          unbilled bob commit -35 USD
        2026-03-01 invoice bob
          receivable bob commit 35 USD
          unbilled bob commit -35 USD
        2026-03-31 shortfall bob
          unbilled bob commit 30 USD
          breakage bob commit -30 USD
        2026-04-01 invoice bob
          receivable bob commit 30 USD
          unbilled bob commit -30 USD
    """)
    (short,) = [each for each in books.journal if each.kind is Kind.SHORTFALL]
    assert short.narration == "Shortfall commit 2026-01-01/2026-03-31"
    assert (short.id, short.source) == ("shortfall/s-b/2026-01-01", "plan commit of 2026-01-01")


@pytest.mark.parametrize(
    ("used", "short"), [("4999 CU", "0.02"), ("5000 CU", "0"), ("1 CU", "99.98")]
)
def test_the_total_is_the_larger_of_minimum_and_use(used: str, short: str) -> None:
    """At use it is all on the receivable."""
    offer = payg("use", "commit", minimum="100 USD")
    events = [subscription("2026-01-01", "bob", "commit"), consumption("2026-01-31", "bob", used)]
    books = book(events, terms(offer, as_of="2026-01-31"))
    assert income(books, "breakage") == short
    assert income(books, "receivable") == "-100"


def test_a_minimum_of_nothing_is_none() -> None:
    """And no period of it says a word."""
    offer = payg("use", "commit", minimum="0 USD")
    books = book([subscription("2026-01-01", "bob", "commit")], terms(offer, as_of="2026-02-28"))
    assert books.journal == []


def test_each_period_has_a_minimum_of_its_own() -> None:
    """A period of nothing is all breakage; charges count to the period of their day."""
    offer = payg("period", "commit", minimum="100 USD")
    events = [
        subscription("2026-01-01", "bob", "commit"),
        consumption("2026-01-31", "bob", "6000 CU"),
        consumption("2026-03-01", "bob", "1000 CU"),
        cancellation("2026-03-02", "bob", "commit"),
    ]
    books = book(events, terms(offer, as_of="2026-05-01"))
    assert [each for each in owed(books) if "invoice rec" in each or "shortfall" in each] == [
        "2026-02-01 invoice receivable 120",
        "2026-02-28 shortfall unbilled 100",
        "2026-03-01 invoice receivable 100",
        "2026-03-31 shortfall unbilled 80",
        "2026-04-01 invoice receivable 100",
    ]


def test_a_use_undone_behind_the_shortfall_leaves_the_total() -> None:
    """35.00 of charges go, 35.00 of shortfall come: 100.00 as before, and nothing is owed anew."""
    books = book([*BOB, reversal("2026-04-05", "u1")], terms(COMMIT, as_of="2026-04-05"))
    assert shown(books, "reversal") == text("""
        2026-04-05 reversal bob
          overage bob commit 35 USD
          breakage bob commit -35 USD
    """)
    assert books.journal[-1].shortfall == Money(*pair("35 USD"))
    assert (income(books, "overage"), income(books, "breakage")) == ("35", "65")


def test_a_use_undone_above_the_minimum_is_given_back_down_to_it() -> None:
    """120.00 less 35.00 would be 85.00: 20.00 go back, 15.00 are short."""
    events = [*BOB, consumption("2026-03-04", "bob", "2500 CU"), reversal("2026-04-05", "u1")]
    books = book(events, terms(COMMIT, as_of="2026-04-05"))
    assert shown(books, "reversal") == text("""
        2026-04-05 reversal bob
          overage bob commit 35 USD
          receivable bob commit -20 USD
          breakage bob commit -15 USD
    """)


def test_charges_of_another_currency_are_no_part_of_a_minimum() -> None:
    """The price of use changed within the period."""
    euros = payg("month", "commit", every="quarter", minimum="100 EUR", overage="0.01 EUR")
    offers = COMMIT, euros._replace(since=day("2026-02-01"))
    books = book(BOB, terms(*offers, as_of="2026-04-01"))
    assert shown(books, "shortfall", "invoice") == text("""
        2026-02-01 invoice bob
          receivable bob commit 35 USD
          unbilled bob commit -35 USD
        2026-03-01 invoice bob
          receivable bob commit 17.5 EUR
          unbilled bob commit -17.5 EUR
        2026-03-31 shortfall bob
          unbilled bob commit 65 USD
          breakage bob commit -65 USD
        2026-04-01 invoice bob
          receivable bob commit 65 USD
          unbilled bob commit -65 USD
    """)


def test_a_plan_of_units_has_a_minimum_of_its_overage() -> None:
    """What a period holds is paid for; the minimum is of what is used beyond it."""
    offer = plan(overage="0.30 USD", bill=BilledBy.PERIOD, minimum=Money(*pair("50 USD")))
    events = [subscription("2026-01-01", "eve"), consumption("2026-01-05", "eve", "1100 CU")]
    books = book(events, terms(offer, as_of="2026-01-31"))
    assert shown(books, "consumption", "shortfall") == text("""
        2026-01-05 consumption eve
          allocations eve 1000 CU {0.2 USD, 2026-01-01, pro/2026-02-01}
          revenue eve pro -200 USD
          unbilled eve pro 30 USD
          overage eve pro -30 USD
        2026-01-31 shortfall eve
          unbilled eve pro 20 USD
          breakage eve pro -20 USD
    """)


def test_a_subscription_that_began_before_the_books_is_billed_for_its_running_period() -> None:
    """From 15 October by quarters, in the books since 20 February: on 15 March and 15 April."""
    offer = payg("month", "commit", every="quarter", minimum="100 USD")
    begun = subscription("2026-02-20", "bob", "commit", started="2025-10-15")
    events = [begun, consumption("2026-02-25", "bob", "50 CU")]
    books = book(events, terms(offer, as_of="2026-04-15"))
    assert [each for each in owed(books) if "unbilled -" not in each] == [
        "2026-02-25 consumption unbilled 1",
        "2026-03-15 invoice receivable 1",
        "2026-04-14 shortfall unbilled 99",
        "2026-04-15 invoice receivable 99",
    ]
    assert books.journal[1].narration == "Invoice commit 2026-02-15/2026-03-14"


def began_before(on: str, unbilled: str, charged: str = "", **more: str) -> Event:
    """Bob's subscription of 1 January, which these books take over."""
    told = {"started": "2026-01-01", "unbilled": unbilled, "charged": charged}
    return subscription(on, "bob", "commit", **{"id": "s-b", **told, **more})


@pytest.mark.parametrize(
    ("on", "unbilled", "charged", "expected"),
    [
        # as at once: 35.00 + 35.00 of 100.00 are charged, the second of them is not invoiced
        ("2026-02-10", "35 USD", "70 USD", ["2026-03-01 invoice 35", "2026-04-01 invoice 30"]),
        # on an anniversary, and behind the quarter, the invoice is that day's
        ("2026-03-01", "35 USD", "70 USD", ["2026-03-01 invoice 35", "2026-04-01 invoice 30"]),
        ("2026-04-01", "30 USD", "", ["2026-04-01 invoice 30"]),
        ("2026-03-02", "", "70 USD", ["2026-04-01 invoice 30"]),
    ],
)
def test_books_that_begin_later_go_on_with_what_was_charged(
    on: str, unbilled: str, charged: str, expected: list[str]
) -> None:
    """The quarter to 31 March, of which earlier books tell: its shortfall and invoices follow."""
    events = [began_before(on, unbilled, charged), cancellation("2026-04-02", "bob", "commit")]
    asserted = [assertion("2026-04-01", "unbilled", "30 USD", "bob", line=5)]
    books = book(events, terms(COMMIT, as_of="2026-04-02"), assertions=asserted)
    sent = [
        f"{each.date} {each.kind} {number(each.legs[0].number)}"
        for each in books.journal
        if each.kind == "invoice" and isinstance(each.legs[0], MoneyLeg)
    ]
    assert sent == expected
    wrong = on == "2026-04-01"  # on its first day nothing is known of bob before
    assert bool(messages(books)) is wrong


def test_what_a_change_left_unbilled_is_invoiced_behind_the_period() -> None:
    """Also where use is billed at once."""
    offer = payg("use", "commit", every="quarter")
    books = book([began_before("2026-02-10", "10 USD")], terms(offer, as_of="2026-04-02"))
    assert owed(books) == [
        "2026-04-01 invoice receivable 10",
        "2026-04-01 invoice unbilled -10",
    ]


def test_charges_that_nobody_can_have_made_are_refused() -> None:
    """Of a subscription that begins today; and where no minimum asks for them."""
    offer = payg("month", "commit", every="quarter", minimum="100 EUR", overage="0.02 EUR")
    fresh = subscription("2026-01-01", "eve", "commit", unbilled="5 USD", line=1)
    other = subscription("2026-01-01", "eve", "commit", charged="5 USD", line=2)
    dollars = began_before("2026-02-10", "", "70 USD")._replace(line=3)
    books = book([fresh, other, dollars], terms(offer, as_of="2026-02-10"))
    begins = "of a subscription that begins on 2026-01-01: nothing was charged for it before; "
    leave = "leave it out, or say since when it runs with `started`"
    assert messages(books)[:2] == [
        f"1: `unbilled` {begins}{leave}",
        f"2: `charged` {begins}{leave}",
    ]
    (third,) = messages(books)[2:]
    assert third.startswith('3: `charged` 70 USD: no period of plan "commit" on 2026-02-10 has a ')
    assert third.endswith("minimum in USD: write it in EUR, as the minimum is")
    books = book([dollars], terms(payg("use", "commit"), as_of="2026-02-10"))
    (message,) = messages(books)
    assert message.endswith("has a minimum in USD: leave it out")
    access = began_before("2026-02-10", "5 ACCESS-USD")
    (message,) = messages(book([access], terms(offer, as_of="2026-02-10")))
    assert message.split(": ", 1)[1].startswith("ACCESS-USD is access")


def test_uses_merge_up_to_an_invoice() -> None:
    """By the month of the calendar, but never over the day of an invoice or a shortfall."""
    events = [
        *ALICE,
        consumption("2026-02-05", "alice", "50 CU"),
        consumption("2026-02-15", "alice", "100 CU"),
    ]
    books = book(events, terms(payg(minimum="33.50 USD"), as_of="2026-03-01", grain="month"))
    assert shown(books) == text("""
        2026-01-25 consumption alice
          unbilled alice payg 15 USD
          overage alice payg -15 USD
        2026-02-05 consumption alice
          unbilled alice payg 18 USD
          overage alice payg -18 USD
        2026-02-14 shortfall alice
          unbilled alice payg 0.5 USD
          breakage alice payg -0.5 USD
        2026-02-15 invoice alice
          receivable alice payg 33.5 USD
          unbilled alice payg -33.5 USD
        2026-02-15 consumption alice
          unbilled alice payg 2 USD
          overage alice payg -2 USD
    """)


def test_uses_of_two_subscriptions_do_not_merge() -> None:
    """Each is invoiced by itself; use of what is paid for goes with either, and of two units
    together no sum is told."""
    gpu = plan("gpu", "10 USD", "5 GPU", overage="2 USD", bill=BilledBy.PERIOD)
    events = [
        subscription("2026-01-01", "alice", "payg", id="s-a"),
        subscription("2026-01-01", "alice", "gpu", id="s-g"),
        consumption("2026-01-02", "alice", "5 GPU"),
        consumption("2026-01-03", "alice", "50 CU"),
        consumption("2026-01-04", "alice", "1 GPU"),
        consumption("2026-01-05", "alice", "1 GPU"),
    ]
    books = book(events, terms(payg(), gpu, as_of="2026-01-20", grain="month"))
    merged = [each for each in books.journal if each.kind == "consumption"]
    assert [(str(each.date), each.subscription, each.uses, each.used) for each in merged] == [
        ("2026-01-03", "s-a", 2, None),
        ("2026-01-05", "s-g", 2, (2, "GPU")),
    ]


def test_a_use_charged_at_once_does_not_merge_with_one_that_waits() -> None:
    """The postings could not tell which plan's charge stands in unbilled."""
    gpu = plan("gpu", "10 USD", "5 GPU", overage="2 USD")
    events = [
        subscription("2026-01-01", "alice", "payg", id="s-a"),
        subscription("2026-01-01", "alice", "gpu", id="s-g"),
        consumption("2026-01-03", "alice", "50 CU"),
        consumption("2026-01-04", "alice", "6 GPU"),
    ]
    books = book(events, terms(payg(), gpu, as_of="2026-01-20", grain="month"))
    merged = [each for each in books.journal if each.kind == "consumption"]
    assert [(str(each.date), each.subscription, each.uses) for each in merged] == [
        ("2026-01-03", "s-a", 1),
        ("2026-01-04", "", 1),
    ]


def test_a_period_that_is_cut_short_falls_short_on_its_own_last_day() -> None:
    """And only then: what was awaited on the old one comes to nothing."""
    keeper = Bookkeeper(Facts(BOB[:1]), terms(COMMIT, as_of="2026-03-31"), first_letter_up)
    shortfalls = []
    for records in keeper.records():
        shortfalls += [each for each in records if in_full(each).kind is Kind.SHORTFALL]
        economy = keeper._economy
        if economy.today == day("2026-01-01"):
            (one,) = economy.subscribers["bob"].subscriptions
            one.commitments[0].end = day("2026-03-30")
            await_shortfall(economy, one, one.commitments[0])
    assert [str(in_full(each).date) for each in shortfalls] == ["2026-03-29"]


def test_what_is_unbilled_can_be_asserted() -> None:
    """At the beginning of a day, of all or of one."""
    asserted = [
        assertion("2026-02-15", "unbilled", "32 USD"),
        assertion("2026-02-16", "unbilled", "0 USD", "alice"),
        assertion("2026-02-10", "unbilled", "31 USD", "alice", line=7),
    ]
    books = book(ALICE, terms(payg(), as_of="2026-02-20"), assertions=asserted)
    assert messages(books) == [
        (
            '7: assertion fails: unbilled of "alice" at the beginning of 2026-02-10: '
            "expected 31 USD, found 32 USD, difference 1"
        )
    ]


def test_a_late_use_takes_as_much_back_from_the_shortfall() -> None:
    """A use of 20 January that comes on 10 April: 20.00 of overage, and 20.00 less of breakage."""
    late = consumption("2026-01-20", "bob", "1000 CU", id="l")
    books = book(BOB, terms(COMMIT, as_of="2026-04-20"), late={day("2026-04-10"): [late]})
    assert shown(books).splitlines()[-3:] == [
        "2026-04-10 consumption bob",
        "  overage bob commit -20 USD",
        "  breakage bob commit 20 USD",
    ]
    assert books.journal[-1].shortfall == Money(*pair("-20 USD"))
    more = late._replace(units=pair("2000 CU")[0])
    books = book(BOB, terms(COMMIT, as_of="2026-04-20"), late={day("2026-04-10"): [more]})
    assert shown(books).splitlines()[-4:] == [
        "2026-04-10 consumption bob",
        "  unbilled bob commit 10 USD",
        "  overage bob commit -40 USD",
        "  breakage bob commit 30 USD",
    ]


def test_a_late_use_undone_gives_the_shortfall_back() -> None:
    """What it took back of the shortfall comes again, in the reversal's own transaction."""
    late = consumption("2026-01-20", "bob", "2000 CU", id="l")
    events = [*BOB, reversal("2026-04-15", "l"), reversal("2026-04-16", "u1")]
    books = book(events, terms(COMMIT, as_of="2026-04-20"), late={day("2026-04-10"): [late]})
    assert shown(books, "reversal") == text("""
        2026-04-15 reversal bob
          overage bob commit 40 USD
          unbilled bob commit -10 USD
          breakage bob commit -30 USD
        2026-04-16 reversal bob
          overage bob commit 35 USD
          breakage bob commit -35 USD
    """)


def test_a_late_use_is_on_the_invoice_of_its_booking_day() -> None:
    """Late events stand first in a day; undone later, it comes from the receivable."""
    late = consumption("2026-01-20", "alice", "100 CU", id="l")
    events = [*ALICE, reversal("2026-02-15", "l")]
    books = book(events, terms(payg(), as_of="2026-02-20"), late={day("2026-02-15"): [late]})
    assert owed(books)[2:] == [
        "2026-02-15 consumption unbilled 2",
        "2026-02-15 invoice receivable 34",
        "2026-02-15 invoice unbilled -34",
        "2026-02-15 reversal receivable -2",
    ]


def test_behind_the_last_invoice_charges_go_to_the_receivable() -> None:
    """A use of the last period that comes when the subscription is over, and its reversal."""
    late = consumption("2026-02-05", "alice", "100 CU", id="l")
    events = [*ALICE, cancellation("2026-02-10", "alice", "payg"), reversal("2026-03-02", "l")]
    books = book(events, terms(payg(), as_of="2026-03-20"), late={day("2026-03-01"): [late]})
    assert owed(books)[-2:] == [
        "2026-03-01 consumption receivable 2",
        "2026-03-02 reversal receivable -2",
    ]


def test_a_late_reversal_takes_its_charge_out_of_the_invoice_of_that_day() -> None:
    """On 15 February, before the invoice: 15.00 less."""
    undone = reversal("2026-01-31", "u1")
    books = book(ALICE, terms(payg(), as_of="2026-02-20"), late={day("2026-02-15"): [undone]})
    assert owed(books)[2:] == [
        "2026-02-15 reversal unbilled -15",
        "2026-02-15 invoice receivable 17",
        "2026-02-15 invoice unbilled -17",
    ]


def test_a_charge_that_takes_back_a_shortfall_beside_lapsed_units() -> None:
    """Both come out of breakage; a reversal puts both back.

    100 CU at 1.00 lapse on 1 February. A late use of 150 has 100 of them, and 50 x 2.00 = 100.00
    of overage, which is all of the minimum.
    """
    offer = plan(
        price="100 USD",
        units="100 CU",
        overage="2 USD",
        bill=BilledBy.PERIOD,
        minimum=Money(*pair("100 USD")),
    )
    late = consumption("2026-01-20", "ivy", "150 CU", id="l")
    events = [
        subscription("2026-01-01", "ivy", id="s"),
        cancellation("2026-01-02", "ivy"),
        reversal("2026-03-02", "l"),
    ]
    books = book(events, terms(offer, as_of="2026-03-20"), late={day("2026-03-01"): [late]})
    assert shown(books, "consumption", "reversal") == text("""
        2026-03-01 consumption ivy
          allocations ivy -100 CU {1 USD, 2026-01-01, pro/2026-02-01}
          allocations ivy 100 CU {1 USD, 2026-01-01, pro/2026-02-01}
          revenue ivy pro -100 USD
          breakage ivy pro 100 USD
          overage ivy pro -100 USD
          breakage ivy pro 100 USD
        2026-03-02 reversal ivy
          allocations ivy -100 CU {1 USD, 2026-01-01, pro/2026-02-01}
          allocations ivy 100 CU {1 USD, 2026-01-01, pro/2026-02-01}
          revenue ivy pro 100 USD
          overage ivy pro 100 USD
          breakage ivy pro -100 USD
          breakage ivy pro -100 USD
    """)


@pytest.mark.parametrize("closed", ["2026-01-31", "2026-02-28", "2026-03-31"])
def test_closed_months_hand_on_what_is_unbilled_and_charged(closed: str) -> None:
    """The months behind them come out as if all were booked at once."""
    alices = [each._replace(id=f"{each.id}-alice") for each in ALICE]
    events = [*BOB, *alices, consumption("2026-03-03", "bob", "10 CU", id="u3")]
    asserted = [assertion("2026-04-02", "unbilled", "0 USD", "bob")]
    agreed = terms(COMMIT, payg(), as_of="2026-06-30")
    at_once = Bookkeeper(Facts(events, assertions=asserted), agreed, first_letter_up)
    journal = list(at_once.entries())
    assert at_once.refusals == []
    end = day(closed)
    up_to = terms(COMMIT, payg(), as_of=closed)
    first = Bookkeeper(
        Facts([each for each in events if each.date <= end]), up_to, first_letter_up, ends=[end]
    )
    earlier = list(first.entries())
    rest = Facts([each for each in events if each.date > end], assertions=asserted)
    second = Bookkeeper(rest, agreed, first_letter_up, first.states[end])
    assert [*earlier, *second.entries()] == journal
    assert second.refusals == []


def test_a_subscription_that_is_gone_leaves_the_mirror_image() -> None:
    """Nothing is known of it any more: its charge comes from where it was booked."""
    events = [ALICE[0], ALICE[1], reversal("2026-01-26", "u1")]
    keeper = Bookkeeper(Facts(events), terms(payg(), as_of="2026-01-31"), first_letter_up)
    days = keeper.records()
    next(days)
    next(days)
    undo = keeper.undo["u1"]
    undo.entry = undo.entry._replace(subscription="gone")
    (back,) = next(days)
    assert shown(Books([back], [], [], [], date.max)) == text("""
        2026-01-26 reversal alice
          unbilled alice payg -15 USD
          overage alice payg 15 USD
    """)


def test_what_is_no_use_can_wait_for_an_invoice_too() -> None:
    """An amount of something else, on a day at the latest: with the others, or by itself."""
    agreed = terms(payg(), payg("use", "once"), as_of="2026-03-31")
    for name, expected in (
        ("payg", ["2026-01-20 invoice receivable 10", "2026-02-15 invoice receivable 32"]),
        ("once", ["2026-01-20 invoice receivable 10"]),
    ):
        events = [each._replace(plan=name if each.plan else "") for each in ALICE]
        keeper = Bookkeeper(Facts(events), agreed, first_letter_up)
        journal = []
        for records in keeper.records():
            journal += records
            economy = keeper._economy
            if economy.today == day("2026-01-15"):
                (one,) = economy.subscribers["alice"].subscriptions
                invoice_later(economy, one, *pair("4 USD"), day("2026-01-20"))
                invoice_later(economy, one, *pair("6 USD"), day("2026-01-31"))
        books = Books(journal, [], [], [], date.max)
        invoices = [each for each in owed(books) if "invoice receivable" in each]
        assert invoices == expected
    assert books.journal[0].narration == "Invoice of what was unbilled on 2026-01-15"
