"""Catch-ups: a price that changes for what running periods used already."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.economy.charged_anew import UsedInPeriod, period_with, price_of_use
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.months import Span
from beancount_compute.economy.options import AS_OF
from beancount_compute.economy.rules.catch_up import take_back_catch_ups
from beancount_compute.economy.scales import Scale, with_scales
from beancount_compute.economy.state import Economy, OverageBooked, Subscriber, Undo
from beancount_compute.economy.term_values import BilledBy, Money, ScaleTarget
from beancount_compute.economy.terms import Plan, Terms
from tests.economy.building import (
    Books,
    book,
    cancellation,
    change,
    consumption,
    day,
    grant,
    income,
    messages,
    number,
    plan,
    reversal,
    shown,
    subscription,
    terms,
    text,
)


def bulk(
    overage: str, since: str = "2026-01-01", anew: str = "", every: str = "year", **more: str
) -> Plan:
    """A line of a pay-as-you-go plan; `anew` is its `overage-since`."""
    line = plan("bulk", "0 USD", "0 CU", since=since, every=every, overage=overage, **more)
    return line._replace(overage_since=day(anew) if anew else None)


DEAR, CHEAP = bulk("480 USD"), bulk("432 USD", "2026-04-01", "2026-01-01")


def catch_ups(books: Books) -> list[str]:
    """The day of each, whose it is, and what it adds to overage."""
    return [
        f"{each.date} {each.subscriber} {number(-each.legs[-1][3])}"
        for each in books.journal
        if each.kind == "catch-up"
    ]


def overage(books: Books) -> str:
    legs = [leg for each in books.journal for leg in each.legs if leg[0] == "overage"]
    return number(-sum((leg[3] for leg in legs), Decimal()))


def test_a_running_period_is_charged_anew() -> None:
    """75 units at 480.00: 36,000.00; then 75 x -48.00 and 225 x 432.00 = 93,600.00."""
    events = [
        subscription("2026-01-01", "alice", "bulk", id="s-1"),
        consumption("2026-02-10", "alice", "75 CU"),
        consumption("2026-05-10", "alice", "225 CU"),
    ]
    books = book(events, terms(DEAR, CHEAP))
    assert shown(books) == text("""
        2026-02-10 consumption alice
          receivable alice bulk 36000 USD
          overage alice bulk -36000 USD
        2026-04-01 catch-up alice
          receivable alice bulk -3600 USD
          overage alice bulk 3600 USD
        2026-05-10 consumption alice
          receivable alice bulk 97200 USD
          overage alice bulk -97200 USD
    """)
    caught_up = books.journal[1]
    assert caught_up.narration == "Catch-up bulk 2026-01-01/2026-03-31"
    assert caught_up.id == "catch-up/s-1/2026-01-01/2026-04-01"
    assert caught_up.source == "plan bulk of 2026-04-01"
    assert not messages(books)


@pytest.mark.parametrize(
    ("anew", "every", "started", "expected"),
    [
        ("2026-01-01", "year", "2026-01-01", ["2026-04-01 alice -480"]),  # all 10 units
        ("2026-02-01", "year", "2026-01-01", ["2026-04-01 alice -336"]),  # the 7 since then
        ("2026-02-10", "year", "2026-01-01", ["2026-04-01 alice -336"]),  # that day too
        ("2026-02-11", "year", "2026-01-01", ["2026-04-01 alice -192"]),
        ("2026-04-01", "year", "2026-01-01", []),  # nothing is earlier
        ("2026-01-01", "quarter", "2026-01-01", []),  # its period ended as the day began
        ("2026-01-01", "month", "2025-12-20", ["2026-04-01 alice -192"]),  # 4 since 20 March
        ("2026-01-01", "60 days", "2026-01-01", ["2026-04-01 alice -192"]),  # 4 since 2 March
    ],
)
def test_of_which_uses_the_price_changes(
    anew: str, every: str, started: str, expected: list[str]
) -> None:
    """Those of running periods since a day; 3, 3 and 4 units, each of which loses 48.00."""
    events = [
        subscription("2026-01-01", "alice", "bulk", started=started),
        consumption("2026-01-10", "alice", "3 CU"),
        consumption("2026-02-10", "alice", "3 CU"),
        consumption("2026-03-25", "alice", "4 CU"),
    ]
    lines = bulk("480 USD", every=every), bulk("432 USD", "2026-04-01", anew, every)
    assert catch_ups(book(events, terms(*lines, as_of="2026-04-30"))) == expected


def test_only_use_beyond_the_holdings_counts_and_only_of_the_plan() -> None:
    """60 of 100 units are a grant's; what bob uses under another plan has its price."""
    other = plan("other", "0 USD", "0 CU", overage="5 USD")
    events = [
        subscription("2026-01-01", "alice", "other"),
        subscription("2026-01-01", "alice", "bulk"),
        subscription("2026-01-01", "bob", "other"),
        grant("2026-01-02", "alice", "60 CU"),
        consumption("2026-01-10", "alice", "100 CU"),
        consumption("2026-01-10", "bob", "100 CU"),
    ]
    books = book(events, terms(DEAR, CHEAP, other, as_of="2026-04-30"))
    assert catch_ups(books) == ["2026-04-01 alice -1920"]  # 40 x -48.00


def test_a_cancelled_subscription_is_charged_anew_as_long_as_its_period_runs() -> None:
    """The year runs on, though no other follows; a period that is over is left alone."""
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-01-10", "alice", "1 CU"),
        cancellation("2026-02-01", "alice", "bulk"),
    ]
    assert catch_ups(book(events, terms(DEAR, CHEAP, as_of="2026-04-30"))) == [
        "2026-04-01 alice -48"
    ]
    months = bulk("480 USD", every="month"), bulk("432 USD", "2026-04-01", "2026-01-01", "month")
    assert catch_ups(book(events, terms(*months, as_of="2026-04-30"))) == []


def test_a_second_catch_up_begins_where_the_first_one_ended() -> None:
    """10 units: 480.00, then 432.00, then 500.00; what was used since February alone."""
    up = bulk("500 USD", "2026-06-01", "2026-02-01")
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-01-10", "alice", "10 CU"),
        consumption("2026-05-10", "alice", "1 CU"),
    ]
    books = book(events, terms(DEAR, CHEAP, up, as_of="2026-06-30"))
    assert catch_ups(books) == ["2026-04-01 alice -480", "2026-06-01 alice 68"]
    assert overage(books) == number(Decimal(10 * 432 + 500))


def test_a_catch_up_is_rounded_on_the_running_total_of_its_month() -> None:
    """3 x -0.004 = -0.012 -> -0.01; 2 x 0.001 more: -0.010, of which -0.01 is charged already."""
    lines = bulk("0.005 USD"), bulk("0.001 USD", "2026-04-01", "2026-01-01")
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-01-10", "alice", "3 CU"),  # 0.015 -> 0.02
        consumption("2026-04-10", "alice", "2 CU"),
        consumption("2026-04-11", "alice", "8 CU"),  # -0.002 -> 0.00
    ]
    books = book(events, terms(*lines))
    assert [number(-each.legs[-1][3]) for each in books.journal if each.legs] == [
        "0.02",
        "-0.01",
        "0.01",
    ]
    nothing = bulk("0.0049 USD", "2026-04-01", "2026-01-01")
    assert catch_ups(book(events[:2], terms(lines[0], nothing, as_of="2026-04-30"))) == []


def test_a_reversal_takes_back_what_the_use_costs_by_now() -> None:
    """75 x 480.00 of the use; the catch-up of its share stands behind; nothing is left."""
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
        reversal("2026-05-10", "use", id="undone"),
    ]
    books = book(events, terms(DEAR, CHEAP))
    assert shown(books, "reversal", "catch-up") == text("""
        2026-04-01 catch-up alice
          receivable alice bulk -3600 USD
          overage alice bulk 3600 USD
        2026-05-10 reversal alice
          receivable alice bulk -36000 USD
          overage alice bulk 36000 USD
        2026-05-10 catch-up alice
          receivable alice bulk 3600 USD
          overage alice bulk -3600 USD
    """)
    assert (books.journal[-1].id, books.journal[-1].source) == (
        "catch-up/undone",
        "reversal undone",
    )
    assert overage(books) == "0"


@pytest.mark.parametrize("on", ["2026-02-10", "2026-03-31"])
def test_what_was_reversed_before_is_not_charged_anew(on: str) -> None:
    """Nor on the day before; a reversal of another period's use has nothing to take back."""
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
        reversal(on, "use"),
    ]
    assert catch_ups(book(events, terms(DEAR, CHEAP, as_of="2026-04-30"))) == []
    months = bulk("480 USD", every="month"), bulk("432 USD", "2026-04-01", "2026-01-01", "month")
    late = [*events[:2], reversal("2026-04-20", "use")]
    assert catch_ups(book(late, terms(*months))) == []


def test_uses_under_other_plans_are_undone_as_ever() -> None:
    """A use of what was held, or under a plan of one price, takes no look at catch-ups."""
    other = plan("other", "0 USD", "0 CU", overage="5 USD")
    events = [
        subscription("2026-01-01", "bob", "other"),
        grant("2026-01-02", "bob", "1 CU"),
        consumption("2026-01-10", "bob", "1 CU", id="held"),
        consumption("2026-01-11", "bob", "1 CU", id="beyond"),
        reversal("2026-05-01", "held"),
        reversal("2026-05-01", "beyond"),
    ]
    books = book(events, terms(DEAR, CHEAP, other))
    assert (catch_ups(books), overage(books), messages(books)) == ([], "0", [])


def test_an_outcome_that_is_tried_out_changes_nothing() -> None:
    """A reversal of a grant is tried first: behind it, it would leave nothing for the use."""
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
        grant("2026-05-10", "alice", "10 CU", id="gift"),
        consumption("2026-05-10", "alice", "10 CU", time="10:00:00"),
        reversal("2026-05-10", "use", time="11:00:00"),
        reversal("2026-05-10", "gift", time="12:00:00"),
    ]
    books = book(events, terms(DEAR, CHEAP))
    assert catch_ups(books) == ["2026-04-01 alice -3600", "2026-05-10 alice 3600"]


def test_merged_uses_end_at_a_catch_up() -> None:
    """Uses of one month on both sides of it are two; one of which nothing comes leaves them one."""
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-04-10", "alice", "1 CU"),
        consumption("2026-04-20", "alice", "1 CU"),
    ]
    for price, uses in (("432 USD", [1, 1]), ("480 USD", [2])):
        anew = bulk(price, "2026-04-15", "2026-01-01")
        books = book(events, terms(DEAR, anew, grain="month"))
        assert [each.uses for each in books.journal if each.kind == "consumption"] == uses


def test_a_factor_of_a_scenario_is_no_catch_up() -> None:
    """Twice the price from May on: 2 x 432.00 for uses from then on, and for no earlier one."""
    twice = Scale(day("2026-05-01"), ScaleTarget.PLAN_PRICE, "", Decimal(2))
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-01-10", "alice", "1 CU"),
        consumption("2026-05-10", "alice", "1 CU"),
    ]
    books = book(events, with_scales(terms(DEAR, CHEAP), [twice]))
    assert catch_ups(books) == ["2026-04-01 alice -48"]
    assert overage(books) == "1296"


# Where something is invoiced later, or costs a minimum


def test_a_catch_up_waits_for_the_invoice_as_what_was_used_does() -> None:
    """75 x 480.00 in unbilled and 75 x -48.00; the invoice behind the period is of 32,400.00."""
    lines = [each._replace(bill=BilledBy.PERIOD, every=Span(6, 0)) for each in (DEAR, CHEAP)]
    events = [
        subscription("2026-01-01", "alice", "bulk", id="s-1"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
    ]
    books = book(events, terms(*lines, as_of="2026-07-01"))
    assert shown(books, "catch-up", "invoice") == text("""
        2026-04-01 catch-up alice
          unbilled alice bulk -3600 USD
          overage alice bulk 3600 USD
        2026-07-01 invoice alice
          receivable alice bulk 32400 USD
          unbilled alice bulk -32400 USD
    """)
    assert books.journal[1].subscription == "s-1"
    undone = book([*events, reversal("2026-05-10", "use")], terms(*lines, as_of="2026-07-01"))
    assert (overage(undone), shown(undone, "invoice")) == ("0", "")


def test_what_a_catch_up_takes_back_may_be_short_of_the_minimum() -> None:
    """40,000.00 at least: 36,000.00 were charged, 3,600.00 come back, 7,600.00 are short."""
    least = Money(Decimal(40000), "USD")
    lines = [each._replace(minimum=least, every=Span(6, 0)) for each in (DEAR, CHEAP)]
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
        reversal("2026-08-10", "use"),
    ]
    books = book(events[:2], terms(*lines, as_of="2026-07-01"))
    assert (overage(books), income(books, "breakage")) == ("32400", "7600")
    books = book(events, terms(*lines))  # and what is undone later is short of it, too
    assert (overage(books), income(books, "breakage")) == ("0", "40000")
    assert books.journal[-1].shortfall == Money(Decimal(-3600), "USD")


# Late events, and the state that is handed on


def test_a_late_use_costs_the_price_of_the_catch_ups_before_it() -> None:
    """Of 20 March, booked on 1 May behind the catch-up of April: 432.00, and so is its reversal.

    One that is booked on the day of a catch-up costs 480.00, and is charged anew with the others;
    one of a period that had ended by then costs the price of its day.
    """
    events = [
        subscription("2026-01-01", "alice", "other"),
        subscription("2026-01-01", "alice", "bulk"),
        subscription("2026-01-01", "bob", "monthly"),
        consumption("2026-02-10", "alice", "1 CU"),
        reversal("2026-05-02", "behind"),
    ]
    other = plan("other", "0 USD", "0 GPU", overage="5 USD")
    monthly = [
        bulk("480 USD", every="month")._replace(name="monthly"),
        bulk("432 USD", "2026-04-10", "2026-01-01", "month")._replace(name="monthly"),
    ]
    late = {
        day("2026-04-01"): [consumption("2026-03-20", "alice", "2 CU", id="on-it")],
        day("2026-05-01"): [
            consumption("2026-03-20", "alice", "4 CU", id="behind"),
            consumption("2026-03-20", "bob", "1 CU", id="over"),
            consumption("2026-04-09", "bob", "1 CU", id="running"),
            consumption("2026-03-21", "alice", "1 GPU", id="of-another"),
        ],
    }
    books = book(events, terms(DEAR, CHEAP, other, *monthly), late=late)
    assert messages(books) == []
    charged = {
        each.id: number(-each.legs[-1][3]) for each in books.journal if each.kind == "consumption"
    }
    assert charged["on-it"] == "960"
    assert charged["behind"] == number(Decimal(4 * 432))
    assert (charged["over"], charged["running"], charged["of-another"]) == ("480", "432", "5")
    assert catch_ups(books) == ["2026-04-01 alice -144"]  # 3 x -48.00; none of the reversal
    assert overage(books) == number(Decimal(3 * 432 + 480 + 432 + 5))


def test_a_late_reversal_on_the_day_of_a_catch_up_takes_back_what_was_charged() -> None:
    """It is booked ahead of the catch-up, which finds nothing of it."""
    events = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
    ]
    late = {day("2026-04-01"): [reversal("2026-03-31", "use", id="undone")]}
    books = book(events, terms(DEAR, CHEAP), late=late)
    assert (catch_ups(books), overage(books)) == ([], "0")


def test_month_by_month_is_all_at_once() -> None:
    """What a running period used is handed on, and the state is not used up."""
    before = [
        subscription("2026-01-01", "alice", "bulk", id="s-1"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
    ]
    behind = [consumption("2026-05-10", "alice", "225 CU")]
    agreed, end = terms(DEAR, CHEAP), date(2026, 2, 28)
    keeper = Bookkeeper(Facts(before), agreed, str.title, None, [end])
    first = [*keeper.entries()]
    for _ in range(2):
        keeper_behind = Bookkeeper(Facts(behind), agreed, str.title, keeper.states[end])
        together = [*first, *keeper_behind.entries()]
        at_once = Bookkeeper(Facts([*before, *behind]), agreed, str.title)
        assert [(e.id, e.legs) for e in together] == [(e.id, e.legs) for e in at_once.entries()]
    assert keeper.states[end].beyond["alice", "bulk"].units == {date(2026, 2, 10): 75}


def test_a_catch_up_of_a_closed_day_is_over() -> None:
    """It is booked, and what is handed on is charged at the new price."""
    end = date(2026, 4, 30)
    before = [
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-02-10", "alice", "75 CU"),
    ]
    agreed = terms(DEAR, CHEAP, as_of="2026-06-30")
    keeper = Bookkeeper(Facts(before), agreed.setting(AS_OF, end), str.title, None, [end])
    assert len([*keeper.entries()]) == 2
    assert [*Bookkeeper(Facts(), agreed, str.title, keeper.states[end]).entries()] == []


def test_no_catch_up_is_known_of_days_without_a_subscription() -> None:
    """What an undone use was charged stands, where nobody knows of which period it is."""
    economy = Economy(terms(DEAR, CHEAP), date(2026, 6, 1), str.title, frozenset())
    undo = Undo(book([grant("2026-01-01", "alice", "1 CU")], terms()).journal[0])
    economy.subscribers["alice"] = Subscriber("alice")
    month = ("alice", "bulk", "USD", 2026, 1)
    undo.overage = OverageBooked(month, Decimal(480), Decimal(480), Decimal(1))
    take_back_catch_ups(economy, undo, "undone")
    assert economy.journal == []


# Which price, of which period


@pytest.mark.parametrize(
    ("on", "end", "before", "expected"),
    [
        ("2026-02-10", "2027-01-01", "2026-04-01", "480"),
        ("2026-02-10", "2027-01-01", "2026-04-02", "432"),
        ("2026-02-10", "2026-04-01", "2026-05-01", "480"),  # the period was over
        ("2026-05-10", "2027-01-01", "2026-06-01", "432"),
        ("2025-12-31", "2027-01-01", "2026-06-01", None),  # before there was a price
    ],
)
def test_the_price_of_a_use(on: str, end: str, before: str, expected: str | None) -> None:
    """The one of its day, or of a later line that reaches back to it in time."""
    found = price_of_use([DEAR, CHEAP], day(on), day(end), day(before))
    assert (found and number(found.number)) == expected


@pytest.mark.parametrize(
    ("on", "first", "end"),
    [
        ("2026-01-31", "2026-01-31", "2026-02-28"),
        ("2026-03-30", "2026-02-28", "2026-03-31"),
        ("2026-04-10", "2026-04-10", "2026-04-20"),
        ("2026-04-25", "2026-04-20", "2026-04-30"),
        ("2026-06-20", "2026-05-30", "2026-06-30"),
    ],
)
def test_the_period_that_a_day_lies_in(on: str, first: str, end: str) -> None:
    """Months from 31 January on; in March ten days; then months again, from their own day."""
    lines = (
        bulk("1 USD", every="month"),
        bulk("1 USD", "2026-03-15", every="10 days"),
        bulk("1 USD", "2026-04-30", every="month"),
    )
    found = period_with(terms(*lines), "bulk", day("2026-01-31"), day(on))
    assert [str(each) for each in found] == [first, end]


@pytest.mark.parametrize(
    ("on", "first", "end"),
    [
        ("2026-02-10", "2026-01-15", "2026-02-15"),
        ("2026-02-19", "2026-02-15", "2026-02-20"),  # cut by the change to another price
        ("2026-02-20", "2026-02-20", "2026-03-15"),  # the rest of it
        ("2026-04-01", "2026-03-15", "2026-04-10"),  # cut by the change to a year
        ("2026-04-10", "2026-04-10", "2027-04-10"),
        ("2027-04-10", "2027-04-10", "2027-05-01"),  # cut by the change to ten days
        ("2027-05-11", "2027-05-11", "2027-05-21"),
        ("2027-05-21", "2027-05-21", "2027-06-21"),  # a change as a period begins: months again
        ("2027-06-21", "2027-06-21", "2027-07-21"),
    ],
)
def test_the_period_of_a_day_where_plans_changed(on: str, first: str, end: str) -> None:
    """A change cuts a period in two; another `every` counts from the change on."""
    offers = [("a", "month"), ("b", "month"), ("c", "year"), ("d", "10 days"), ("e", "month")]
    agreed = terms(*(plan(name, "1 USD", "1 CU", every=every) for name, every in offers))
    days = ("2026-02-20", "2026-04-10", "2027-05-01", "2027-05-21")
    changes = [(name, day(until)) for (name, _), until in zip(offers, days, strict=False)]
    found = period_with(agreed, "e", day("2026-01-15"), day(on), changes)
    assert [str(each) for each in found] == [first, end]


def test_a_use_under_an_earlier_plan_is_undone_at_what_it_costs_by_now() -> None:
    """75 x 432.00, though its subscription is on another plan since May; so is a late use."""
    other = plan("other", "0 USD", "0 CU", every="year", overage="5 USD")
    events = [
        subscription("2026-01-01", "alice", "accelerators"),
        subscription("2026-01-01", "alice", "bulk"),
        consumption("2026-02-10", "alice", "75 CU", id="use"),
        change("2026-05-01", "alice", "bulk", "other"),
        consumption("2026-05-02", "alice", "1 CU"),
        reversal("2026-06-10", "use"),
    ]
    late = {day("2026-06-01"): [consumption("2026-03-20", "alice", "2 CU", id="late")]}
    gpus = plan("accelerators", "0 USD", "0 GPU", overage="5 USD")
    books = book(events, terms(DEAR, CHEAP, other, gpus), late=late)
    assert messages(books) == []
    assert catch_ups(books) == ["2026-04-01 alice -3600", "2026-06-10 alice 3600"]
    assert overage(books) == number(Decimal(2 * 432 + 5))
    assert books.journal[-1].legs[-1][2] == "bulk"


def test_what_a_period_counts() -> None:
    """Its own days alone, and a copy of its own."""
    used = UsedInPeriod("s/2026-01-01", date(2026, 1, 1), date(2026, 2, 1))
    copy = used.copied()
    for on in ("2025-12-31", "2026-01-01", "2026-01-01", "2026-02-01"):
        used.add(day(on), Decimal(2))
    assert (used.units, copy.units) == ({date(2026, 1, 1): 4}, {})


def test_which_plans_are_charged_anew() -> None:
    """Those of which a line says since when."""
    assert terms(DEAR, CHEAP).charged_anew == {"bulk"}
    assert terms(DEAR).charged_anew == Terms({}).charged_anew == frozenset()
