"""What closed months hand on: lots, subscriptions, figures, and what can still be undone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.amount import Amount
from beancount.core.position import Cost

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from beancount_compute.closed.frozen_state import as_stated
from beancount_compute.ledger.accounts import Accounts, Roots, default_templates
from beancount_compute.ledger.meaning import Meaning
from tests.close.sealing import (
    add,
    as_text,
    booked,
    close,
    errors_of,
    load_errors,
    printed,
    write,
    write_events,
)

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  overage: 0.30 USD
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "buyer-fee" 0.01
2026-01-01 custom "compute-option" "as-of" 2026-06-30
"""
# 0.10 a unit; overage is 2 CU of carol, at 0.30
MAY = (
    "t-1,2026-05-02,,allocation,alice,,,100,CU,,10.00,USD,,,,",
    "t-2,2026-05-02,,allocation,bob,,,100,CU,,10.00,USD,,,,",
    "s-c,2026-05-02,,subscription,carol,,pro,,,,,,,,,",
    "o-1,2026-05-20,,consumption,carol,,,1002,CU,,,,,,,",
    "g-1,2026-05-03,,grant,alice,,,7,CU,,,,,,,",
    "m-1,2026-05-10,,trade,alice,bob,,40,CU,0.50,,USD,,,,",
    "p-1,2026-05-11,,spend,alice,shop,,10,CU,,0.70,USD,,,,",
    "r-1,2026-05-12,,refund,alice,,,5,CU,,,,,,,",
    "x-1,2026-05-13,,transfer,alice,bob,,5,CU,,,,,,,",
)


def undone(tmp_path: Path, event: str, terms: str = "") -> str:
    """What a reversal of June books of an event of May, whether May is closed or not."""
    back = f"back,2026-06-05,,reversal,,,,,,,,,,,{event},"
    ledger = write(tmp_path, TERMS + terms, *MAY, back)
    before = load(ledger)
    assert errors_of(before, ledger) == []
    close(ledger, "2026-05")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    assert printed(loaded) == printed(before)
    close(ledger, "2026-06")
    assert printed(load(ledger)) == printed(before)
    assert verify(load(ledger)) == []
    (entry,) = [each for each in booked(loaded.entries) if each.meta["event"] == "back"]
    return as_text(entry)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        # what is left of the period, 0 CU, can't be taken back: the use comes first
        (
            "o-1",
            (
                "Allocations/Carol -1000 CU {0.20, 2026-05-02, pro/2026-06-02}; "
                "Compute 200.00 USD; Carol -0.60 USD; Overage 0.60 USD"
            ),
        ),
        ("g-1", "Allocations/Alice 7 CU {0.00, 2026-05-03, grant}"),
        # the gross is 20.00: the seller's fee 1.00, the buyer's 0.20, on one account together
        (
            "m-1",
            (
                "Tokens/Alice -40 CU {0.10, 2026-05-02, top-up}; "
                "Tokens/Bob 40 CU {0.10, 2026-05-02, top-up}; "
                "Bob -20.20 USD; Alice 19.00 USD; Fees 1.20 USD"
            ),
        ),
        # the settlement is 0.70, the lots cost 1.00
        (
            "p-1",
            "Tokens/Alice -10 CU {0.10, 2026-05-02, top-up}; Shop 0.70 USD; Partners 0.30 USD",
        ),
        ("r-1", "Tokens/Alice -5 CU {0.10, 2026-05-02, top-up}; Alice 0.50 USD"),
        (
            "x-1",
            (
                "Tokens/Alice -5 CU {0.10, 2026-05-02, top-up}; "
                "Tokens/Bob 5 CU {0.10, 2026-05-02, top-up}"
            ),
        ),
        (
            "s-c/2026-06-02",
            "Carol -200.00 USD; Allocations/Carol 1000 CU {0.20, 2026-06-02, pro/2026-07-02}",
        ),
    ],
)
def test_an_event_of_a_closed_month_is_undone_as_one_of_an_open_month(
    tmp_path: Path, event: str, expected: str
) -> None:
    """The mirror image, on the reversal's day, with the very lots, fees and overage."""
    assert undone(tmp_path, event) == f"2026-06-05 back #reversal: {expected}"


def test_what_is_written_as_metadata_is_read_back_from_a_closed_month(tmp_path: Path) -> None:
    """A buyer with a quote and a comma, and a price of three digits in a currency that no lot
    costs: printed as before the month was closed, and from then on."""
    buyer = """d"o, k"""
    rows = (
        *MAY,
        'k-1,2026-05-02,,allocation,"d""o, k",,,10,CU,,1.00,USD,,,,',
        'm-2,2026-05-14,,trade,alice,"d""o, k",,3,CU,0.125,,EUR,,,,',
        "back,2026-06-05,,reversal,,,,,,,,,,,m-2,",
    )
    ledger = write(tmp_path, TERMS, *rows)
    before = printed(load(ledger))
    close(ledger, "2026-05")
    loaded = load(ledger)
    assert printed(loaded) == before
    found = {each.meta["event"]: each.meta for each in booked(loaded.entries)}
    for event in ("m-2", "back"):
        assert found[event]["counterparty"] == buyer
        assert found[event]["price"] == Amount(Decimal("0.125"), "EUR")


def test_a_top_up_and_a_period_of_a_closed_month_are_undone(tmp_path: Path) -> None:
    """Dave's 10 CU for 1.00, and his first period, of which nothing was used and which was minted
    on 1 June: then the tokens would have to come back, so that it is refused."""
    rows = (
        "t-9,2026-05-02,,allocation,dave,,,10,CU,,1.00,USD,,,,",
        "s-d,2026-05-15,,subscription,dave,,pro,,,,,,,,,",
    )
    ledger = write(tmp_path, TERMS, *rows)
    close(ledger, "2026-05")
    write_events(
        ledger,
        *rows,
        "b-1,2026-06-05,,reversal,,,,,,,,,,,t-9,",
        "b-2,2026-06-06,,reversal,,,,,,,,,,,s-d/2026-05-15,",
    )
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    found = {each.meta["event"]: as_text(each) for each in booked(loaded.entries)}
    assert found["b-1"] == (
        "2026-06-05 b-1 #reversal: Dave -1.00 USD; Tokens/Dave 10 CU {0.10, 2026-05-02, top-up}"
    )
    assert found["b-2"] == (
        "2026-06-06 b-2 #reversal: Dave -200.00 USD; "
        "Allocations/Dave 1000 CU {0.20, 2026-05-15, pro/2026-06-15}"
    )


def test_fees_on_an_account_of_each_subscriber_are_undone_where_they_were_booked(
    tmp_path: Path,
) -> None:
    """1.00 of alice's fees and 0.20 of bob's."""
    account = '2026-01-01 custom "compute-account" "fees" "Income:Fees:{subscriber}"\n'
    assert undone(tmp_path, "m-1", account).endswith(
        "; Bob -20.20 USD; Alice 19.00 USD; Alice 1.00 USD; Bob 0.20 USD"
    )


def test_a_use_whose_overage_shares_the_account_of_revenue_is_undone(tmp_path: Path) -> None:
    """200.00 of revenue and 0.60 of overage stand in one posting, and still count apart."""
    account = '2026-01-01 custom "compute-account" "overage" Income:Compute\n'
    asserted = (
        '2026-06-01 custom "compute-assert" "overage" 0.60 USD\n'
        '2026-06-30 custom "compute-assert" "overage" "carol" 0.00 USD\n'
        '2026-06-30 custom "compute-assert" "revenue" 0.00 USD\n'
    )
    assert undone(tmp_path, "o-1", account + asserted).endswith(
        "; Compute 200.60 USD; Carol -0.60 USD"
    )


def test_a_use_that_billed_nothing_is_undone(tmp_path: Path) -> None:
    """One unit beyond an allocation of one, at 0.001: 0.00 is due, and nothing is posted."""
    ledger = write(
        tmp_path,
        '2026-01-01 custom "compute-plan" "pro" 1.00 USD 1 CU\n  overage: 0.001 USD\n',
        "s-1,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
        "u-1,2026-05-02,,consumption,alice,,,1,CU,,,,,,,",
        "u-2,2026-05-03,,consumption,alice,,,1,CU,,,,,,,",
        "r-2,2026-06-02,,reversal,,,,,,,,,,,u-2,",
    )
    close(ledger, "2026-05")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    (undone,) = [each for each in booked(loaded.entries) if "compute-reversal" in each.tags]
    assert undone.postings == []


def test_nothing_is_undone_twice(tmp_path: Path) -> None:
    """Once in a closed month, or once in an open one: the second is refused."""
    twice = "is reversed already: remove this line"
    first = "b-1,2026-05-30,,reversal,,,,,,,,,,,x-1,"
    ledger = write(tmp_path, TERMS, *MAY, first)
    close(ledger, "2026-05")
    write_events(
        ledger,
        *MAY,
        first,
        "b-2,2026-06-05,,reversal,,,,,,,,,,,x-1,",
        "b-3,2026-06-05,,reversal,,,,,,,,,,,r-1,",
        "b-4,2026-06-06,,reversal,,,,,,,,,,,r-1,",
    )
    assert load_errors(ledger) == [
        f'events.csv:12: event "x-1" {twice}',
        f'events.csv:14: event "r-1" {twice}',
    ]


def test_a_merged_use_of_a_closed_month_has_no_share_to_undo(tmp_path: Path) -> None:
    """Two uses are one transaction: neither the first id nor the second can be reversed."""
    grain = '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
    uses = [f"u-{n},2026-05-1{n},,consumption,bob,,,1,CU,,,,,,," for n in (4, 5)]
    ledger = write(tmp_path, TERMS + grain, *MAY, *uses)
    close(ledger, "2026-05")
    back = [f"b-{n},2026-06-05,,reversal,,,,,,,,,,,u-{n}," for n in (4, 5)]
    write_events(ledger, *MAY, *uses, *back)
    message = (
        "was merged with 1 other uses in a closed month (posting-grain), so its own share is not "
        "in the books: grant the units back instead, or reopen the month"
    )
    assert load_errors(ledger) == [
        f'events.csv:13: event "u-4" {message}',
        f'events.csv:14: event "u-5" {message}',
    ]


# figures


def test_assertions_of_open_months_count_from_the_beginning(tmp_path: Path) -> None:
    """At the beginning of 2 June: bob holds 100 + 40 + 5 CU at 0.10; alice 100 - 40 - 10 - 5 - 5
    and 7 that were granted; fees 1.00 of alice and 0.20 of bob; revenue 200.00 of carol, whose
    period is used up; overage 0.60; partner income 1.00 - 0.70."""
    asserted = "".join(
        f'2026-06-02 custom "compute-assert" {what}\n'
        for what in (
            '"tokens" "bob" 145 CU',
            '"tokens" "bob" 14.50 USD',
            '"tokens" 185 CU',
            '"allocations" "alice" 7 CU',
            '"deferred-revenue" 18.50 USD',
            '"fees" 1.20 USD',
            '"fees" "alice" 1.00 USD',
            '"fees" "bob" 0.20 USD',
            '"revenue" "carol" 200.00 USD',
            '"overage" 0.60 USD',
            '"partner-income" "alice" 0.30 USD',
            '"breakage" 0.00 USD',
        )
    )
    ledger = write(tmp_path, TERMS + asserted, *MAY)
    assert load_errors(ledger) == []
    close(ledger, "2026-05")
    assert load_errors(ledger) == []
    wrong = '2026-06-02 custom "compute-assert" "fees" "bob" 0.30 USD\n'
    add(ledger, wrong)
    (error,) = load_errors(ledger)
    assert error.endswith("expected 0.30 USD, found 0.20 USD, difference -0.10")


def test_assertions_end_a_merge_of_uses_in_a_month_that_is_closed(tmp_path: Path) -> None:
    """Three uses of May by month, with an assertion before the third: two and one, also when the
    month is closed and verified."""
    grain = (
        '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
        '2026-05-26 custom "compute-assert" "revenue" "bob" 0.20 USD\n'
    )
    uses = [f"u-{n},2026-05-2{n},,consumption,bob,,,1,CU,,,,,,," for n in (4, 5, 7)]
    ledger = write(tmp_path, TERMS + grain, *MAY, *uses)
    before = printed(load(ledger))
    assert before.count("  events: 2\n") == 1
    close(ledger, "2026-05")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    assert printed(loaded) == before
    assert verify(loaded) == []


# what people wrote by hand

OPENING = """\
2026-04-30 open Liabilities:DeferredRevenue:Tokens:Frank
2026-04-30 open Equity:Opening
2026-04-30 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Frank  -100 CU {0.10 USD, 2026-01-01, "top-up/2026-05-15"}
  Liabilities:DeferredRevenue:Tokens:Frank  -100 CU {0.20 USD, 2026-01-01, "top-up"}
  Equity:Opening                             30.00 USD
"""


def test_holders_of_opening_lots_are_known_by_the_name_that_events_use(tmp_path: Path) -> None:
    """Frank's lots are Frank's by their account; an event of June says "frank"."""
    ledger = write(tmp_path, TERMS + OPENING.replace("2026-05-15", "2026-06-15"), *MAY)
    close(ledger, "2026-04", "2026-05")
    write_events(ledger, *MAY, "u-1,2026-06-16,,consumption,frank,,,10,CU,,,,,,,")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [] and verify(loaded) == []
    found = {each.meta["event"]: each for each in booked(loaded.entries)}
    assert found["expiry/frank/top-up/2026-06-15/2026-01-01"].payee == "frank"
    assert as_text(found["u-1"]).endswith(
        "Tokens/Frank 10 CU {0.20, 2026-01-01, top-up}; Compute -2.00 USD"
    )


def test_a_name_that_a_closed_month_booked_stays(tmp_path: Path) -> None:
    """One of Frank's lots lapsed in May, under the name of his account: "frank" is somebody else
    now, and can't take that account. Where the ledger said "frank" before, May says it too."""
    use = "u-1,2026-06-02,,consumption,frank,,,10,CU,,,,,,,"
    one = write(tmp_path / "one", TERMS + OPENING, *MAY)
    close(one, "2026-04", "2026-05")
    write_events(one, *MAY, use, "t-9,2026-06-03,,allocation,frank,,,1,CU,,1.00,USD,,,,")
    loaded = load(one)
    assert verify(loaded) == []
    unknown, taken = errors_of(loaded, one)
    assert unknown.startswith('events.csv:11: unknown subscriber "frank"')
    assert 'would have the account component Frank of "Frank"' in taken
    write_events(one, *MAY, use.replace("frank", "Frank"))
    assert load_errors(one) == []
    other = write(tmp_path / "other", TERMS + OPENING, *MAY, use)
    close(other, "2026-04", "2026-05")
    assert load_errors(other) == [] and verify(load(other)) == []


def test_who_had_opening_lots_stays_known_when_nothing_is_left_of_them(tmp_path: Path) -> None:
    """The only lot lapsed in May: a transfer of June still finds the receiver."""
    one = "".join(line for line in OPENING.splitlines(True) if '"top-up"' not in line)
    ledger = write(tmp_path, TERMS + one.replace("30.00", "10.00"), *MAY)
    close(ledger, "2026-04", "2026-05")
    write_events(ledger, *MAY, "x-2,2026-06-02,,transfer,bob,Frank,,10,CU,,,,,,,")
    assert load_errors(ledger) == []


def test_units_of_closed_lots_are_removed_by_hand_in_an_open_month(tmp_path: Path) -> None:
    """30 of 100 CU, by the lot's cost, date and label; more than it holds is refused."""
    ledger = write(tmp_path, TERMS + OPENING, *MAY)
    close(ledger, "2026-04", "2026-05")
    removal = (
        '2026-06-{day:02} * "By hand"\n'
        "  Liabilities:DeferredRevenue:Tokens:Frank  {units} CU "
        '{{0.20 USD, 2026-01-01, "top-up"}}\n'
        "  Equity:Opening\n"
    )
    add(ledger, removal.format(day=3, units=30))
    assert load_errors(ledger) == []
    close(ledger, "2026-06")
    assert load_errors(ledger) == [] and verify(load(ledger)) == []
    add(ledger, removal.format(day=1, units=70).replace("06-01", "07-01"))
    assert load_errors(ledger) == []
    late = removal.format(day=2, units=1).replace("06-02", "07-02")
    add(ledger, late.replace('"top-up"', '"top-up/2026-05-15"').replace("0.20", "0.10"))
    assert load_errors(ledger)[-1].endswith(
        '1 CU {0.10 USD, 2026-01-01, "top-up/2026-05-15"} is no open lot; open lots of "Frank" in '
        "tokens at the end of 2026-07-02, as a posting must write them: none "
        "(periods, mints and expiries are made up to the as-of day 2026-06-30)"
    )


# subscriptions

RUNS = """\
2025-01-01 custom "compute-plan" "monthly" 31.00 USD 31 CU
  unused: "expire"
2025-01-01 custom "compute-plan" "quarterly" 90.00 USD 90 CU
  every: "quarter"
2025-01-01 custom "compute-plan" "days" 10.00 USD 10 CU
  every: "10 days"
2026-03-15 custom "compute-plan" "days" 10.00 USD 10 CU
2025-01-01 custom "compute-plan" "free" 0.00 USD 5 CU
2026-01-01 custom "compute-option" "as-of" 2026-07-31
"""
SUBSCRIPTIONS = (
    "m,2026-01-31,,subscription,alice,,monthly,,,,,,,,,",
    "q,2026-01-31,,subscription,alice,,quarterly,,,,,,,,,",
    "d,2026-01-31,,subscription,bob,,days,,,,,,,,,",
    "f,2026-02-10,,subscription,bob,,free,,,,,,,,,",
    "s,2026-02-01,,subscription,carol,,monthly,,,,,,,2025-12-15,,",
    "n,2026-02-01,,subscription,dave,,quarterly,,,,,,,2025-12-31,,",
    "c,2026-03-20,,cancellation,carol,,monthly,,,,,,,,,",
    "e,2026-05-20,,cancellation,alice,,quarterly,,,,,,,,,",
    "again,2026-06-15,,subscription,carol,,monthly,,,,,,,,,",
)


def test_subscriptions_run_on_over_closed_months(tmp_path: Path) -> None:
    """The 31st of shorter months, quarters, days that turn into months, a free plan, one that
    began before the books, cancellations in closed and in open months: the same periods."""
    ledger = write(tmp_path, RUNS, *SUBSCRIPTIONS)
    before = load(ledger)
    assert errors_of(before, ledger) == []
    days = {
        name: [
            f"{each.date:%m-%d}"
            for each in booked(before.entries)
            if each.meta["event"].startswith(f"{name}/")
        ]
        for name in "mqdfsn"
    }
    assert days == {
        "m": ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31"],
        "q": ["01-31", "04-30"],  # cancelled on 20 May; the quarter to 31 July runs
        # by 10 days from 31 January; at 22 March months begin, on the day of month then reached
        "d": [
            "01-31",
            "02-10",
            "02-20",
            "03-02",
            "03-12",
            "03-22",
            "04-22",
            "05-22",
            "06-22",
            "07-22",
        ],
        "f": ["02-10", "03-10", "04-10", "05-10", "06-10", "07-10"],
        "s": ["02-15", "03-15"],  # of 15 December; cancelled on 20 March
        "n": ["03-31", "06-30"],  # of 31 December
    }
    for month in range(1, 8):
        close(ledger, f"2026-0{month}")
        loaded = load(ledger)
        assert errors_of(loaded, ledger) == []
        assert printed(loaded) == printed(before)
        assert verify(loaded) == []


def test_a_subscription_of_closed_months_is_cancelled_and_doubled_as_ever(tmp_path: Path) -> None:
    """A second one is refused while the first runs, and a cancellation of none."""
    ledger = write(tmp_path, RUNS, *SUBSCRIPTIONS)
    close(ledger, *(f"2026-0{month}" for month in range(1, 6)))
    write_events(
        ledger,
        *SUBSCRIPTIONS,
        "m-2,2026-06-10,,subscription,alice,,monthly,,,,,,,,,",
        "q-2,2026-06-10,,subscription,alice,,quarterly,,,,,,,,,",
        "c-2,2026-06-10,,cancellation,carol,,monthly,,,,,,,,,",
        "c-3,2026-06-11,,cancellation,dave,,quarterly,,,,,,,,,",
    )
    assert load_errors(ledger) == [
        (
            'events.csv:11: "alice" already has a subscription to "monthly", from 2026-01-31 '
            "uncancelled: cancel that one first, or remove this line"
        ),
        (
            'events.csv:12: "alice" already has a subscription to "quarterly", from 2026-01-31 '
            "until 2026-07-31: date the new one 2026-07-31 or later"
        ),
        (
            'events.csv:13: cancellation without subscription: "carol" has no uncancelled '
            'subscription to "monthly" when 2026-06-10 begins'
        ),
    ]


@pytest.mark.parametrize(
    "period",
    [
        (
            "s,2026-05-02,,subscription,carol,,pro,,,,,,,,,",
            "c,2026-05-03,,cancellation,carol,,pro,,,,,,,,,",
        ),
        ("a,2026-05-02,,allocation,carol,,pro,,,,,,,,,",),
    ],
    ids=["of a cancelled subscription", "allocated by itself"],
)
def test_the_end_of_a_last_period_ends_a_merge_as_in_open_months(
    tmp_path: Path, period: tuple[str, ...]
) -> None:
    """Carol's period, used up, ends on 2 June: her uses of tokens of 1 and 3 June stay two
    transactions, though May is closed."""
    grain = '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
    rows = (
        *period,
        "u-0,2026-05-20,,consumption,carol,,,1000,CU,,,,,,,",
        "t,2026-05-21,,allocation,carol,,,10,CU,,1.00,USD,,,,",
        "u-1,2026-06-01,,consumption,carol,,,1,CU,,,,,,,",
        "u-3,2026-06-03,,consumption,carol,,,1,CU,,,,,,,",
    )
    ledger = write(tmp_path, TERMS + grain, *rows)
    before = printed(load(ledger))
    assert '"u-1"' in before and '"u-3"' in before
    close(ledger, "2026-05")
    assert printed(load(ledger)) == before


def test_a_forged_label_is_no_exception() -> None:
    """A lot whose end is no date has none; that its text was forged is told elsewhere."""
    accounts = Accounts(default_templates(Roots()), {}, Roots())
    cost = Cost(Decimal("0.20"), "USD", date(2026, 5, 1), "pro/never")
    meaning = Meaning(accounts, {"Alice": "alice"})
    lot = meaning.lot("Liabilities:DeferredRevenue:Tokens:Alice", "CU", cost)
    assert lot is not None
    assert (lot.holder, lot.origin, lot.end) == ("alice", "pro", None)


def test_a_cancellation_of_a_closed_month_can_be_reversed(tmp_path: Path) -> None:
    """Ivy cancels on 20 May; May is closed. Taken back on 10 June, her periods go on as
    if nothing had been, also when June is closed; a second time it is an error."""
    rows = (
        "s,2026-05-15,,subscription,ivy,,pro,,,,,,,,,",
        "c,2026-05-20,,cancellation,ivy,,pro,,,,,,,,,",
    )
    plan = '2026-01-01 custom "compute-plan" "pro" 10.00 USD 10 CU\n'
    as_of = '2026-01-01 custom "compute-option" "as-of" 2026-08-31\n'
    ledger = write(tmp_path, plan + as_of, *rows)
    close(ledger, "2026-05")
    state = (tmp_path / "closed" / "2026-05.state.csv").read_text()
    assert "cancelled,c,s,2026-05-20\n" in state
    back = "r,2026-06-10,,reversal,,,,,,,,,,,c,"
    write_events(ledger, *rows, back)
    loaded = load(ledger)
    assert load_errors(ledger) == []
    days = [str(each.date) for each in booked(loaded.entries) if "period" in each.meta]
    assert days == ["2026-05-15", "2026-06-15", "2026-07-15", "2026-08-15"]
    before = printed(loaded)
    close(ledger, "2026-06")
    assert printed(load(ledger)) == before and verify(load(ledger)) == []
    for rows_known in ([], [["cancelled", "c", "s", "2026-05-20"]]):
        stated = [["state", "2026-05", "1"], *rows_known]
        again = [["state", "2026-05", "1"], ["cancelled", "c", "s", "2026-05-20"]]
        assert as_stated(again, stated) == stated
    write_events(ledger, *rows, back, "r2,2026-07-02,,reversal,,,,,,,,,,,c,")
    assert load_errors(ledger) == ['events.csv:5: event "c" is reversed already: remove this line']
