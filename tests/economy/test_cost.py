"""What uses cost to serve: from prepaid credits and as accruals, at the terms of their day."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.events import Event
from beancount_compute.economy.journal import MoneyLeg
from beancount_compute.economy.meters import Meter, Provider
from beancount_compute.economy.options import METER
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import trim
from beancount_compute.economy.rules import plain_meters
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    Books,
    book,
    by_hand,
    consumption,
    day,
    income,
    measured,
    messages,
    number,
    pair,
    plan,
    purchase,
    refund,
    reversal,
    shown,
    stated_cost,
    subscription,
    terms,
    text,
    top_up,
)

MAY, JUNE = day("2026-05-01"), day("2026-06-01")


def usd(amount: str) -> Money:
    return Money(*pair(amount))


def agreed(*meters: Meter, beyond: str = "", default: bool = True, **options: Any) -> Terms:
    """The plan `wrap` at 1.20 a unit, meters of one name, and the ledger's default meter."""
    wrap = plan("wrap", "120 USD", "100 CU")
    timeline = Timeline([(each.since, each) for each in meters])
    provider = Provider("openai", MAY, usd(beyond) if beyond else None)
    found = terms(wrap, **options)._replace(
        meters={each.name: timeline for each in meters},
        providers={"openai": Timeline([(MAY, provider)])},
        money=frozenset(["USD"]),
        units=frozenset(["CU"]),
    )
    return found.setting(METER, meters[0].name) if default and meters else found


def booked(agreed: Terms, *events: Event, **others: Any) -> Books:
    return book([subscription("2026-05-01", "alice", "wrap"), *events], agreed, **others)


CREDITS = Meter("chat", MAY, usd("1 CU"), Decimal(1), usd("1 OAI"), "openai")
SWAPPED = Meter("chat", JUNE, usd("1 CU"), Decimal(1), usd("0.40 USD"), "llama")


def test_the_first_bill_of_a_year_on_one_screen() -> None:
    """80 of 200 credits in May, 50 x 0.40 in June; what is left of them lapses: 120.00."""
    books = booked(
        agreed(CREDITS, SWAPPED, as_of="2027-05-01"),
        purchase("2026-05-01", "openai", "200 OAI", "200 USD", expires="12 months"),
        consumption("2026-05-20", "alice", "80 CU"),
        consumption("2026-06-10", "alice", "50 CU"),
    )
    assert messages(books) == []
    assert shown(books, "cost", "lapse") == text("""
        2026-05-20 cost openai
          prepaid openai -80 OAI {1 USD, 2026-05-01, openai/2027-05-01}
          cost openai chat 80 USD
        2026-06-10 cost llama
          cost llama chat 20 USD
          accrued llama chat -20 USD
        2027-05-01 lapse openai
          prepaid openai -120 OAI {1 USD, 2026-05-01, openai/2027-05-01}
          lapsed openai 120 USD
    """)
    assert income(books, "revenue") == "156"


def test_money_is_rounded_on_the_running_total() -> None:
    """Three days of 0.333 each: 0.33, 0.34 (0.666 is 0.67), 0.33 (0.999 is 1.00)."""
    meter = Meter("chat", MAY, usd("1 CU"), Decimal(1), usd("0.333 USD"), "llama")
    uses = [consumption(f"2026-05-0{on}", "alice", "1 CU") for on in (2, 3, 4)]
    books = booked(agreed(meter), *uses)
    costs = [leg.number for each in books.journal if each.kind == "cost" for leg in each.legs[:1]]
    assert [number(each) for each in costs] == ["0.33", "0.34", "0.33"]


def test_a_quantity_costs_what_per_of_it_costs() -> None:
    """250,000 at 10.00 a million are 2.50, whatever it takes of the subscriber."""
    meter = Meter("chat", MAY, usd("12 CU"), Decimal(1000000), usd("10 USD"), "llama")
    use = measured("2026-05-02", "alice", "chat", "250000", units="9 CU")
    assert income(booked(agreed(meter, default=False), use), "cost") == "-2.5"


def test_credits_go_by_soonest_end_and_then_cost_what_is_beyond_them() -> None:
    """10 that end in June before 5 that end in July; 1 more at 1.10, all of openai."""
    books = booked(
        agreed(CREDITS, beyond="1.10 USD"),
        purchase("2026-05-01", "openai", "5 OAI", "4 USD", expires="2026-07-01"),
        purchase("2026-05-02", "openai", "10 OAI", "9 USD", expires="2026-06-01"),
        consumption("2026-05-20", "alice", "16 CU"),
    )
    assert shown(books, "cost") == text("""
        2026-05-20 cost openai
          prepaid openai -10 OAI {0.9 USD, 2026-05-02, openai/2026-06-01}
          prepaid openai -5 OAI {0.8 USD, 2026-05-01, openai/2026-07-01}
          cost openai chat 14.1 USD
          accrued openai chat -1.1 USD
    """)


def test_credits_of_less_than_a_millionth_move_no_lot() -> None:
    """0.0000004 of a credit wait in the running total for the next use: 0.0000008 are 0.000001."""
    books = booked(
        agreed(CREDITS._replace(per=Decimal(10000000))),
        purchase("2026-05-01", "openai", "5 OAI", "5 USD"),
        measured("2026-05-20", "alice", "chat", "4", units="1 CU"),
        measured("2026-05-21", "alice", "chat", "4", units="1 CU"),
    )
    assert messages(books) == []
    assert shown(books, "cost") == text("""
        2026-05-21 cost openai
          prepaid openai -0.000001 OAI {1 USD, 2026-05-01, openai}
          cost openai chat 0.000001 USD
    """)


def test_credits_beyond_that_cost_nothing_yet_are_remembered() -> None:
    """3 at 0.001 are nothing in cents. Given back, they leave the running total, in which 3 and 3
    more are 0.006: a cent.
    """
    use = consumption("2026-05-20", "alice", "3 CU", id="u")
    later = [consumption(f"2026-05-{day}", "alice", "3 CU") for day in (22, 23)]
    books = booked(agreed(CREDITS, beyond="0.001 USD"), use, reversal("2026-05-21", "u"), *later)
    assert messages(books) == []
    assert [
        (entry.beyond[0].units, len(entry.legs)) for entry in books.journal if entry.beyond
    ] == [
        (3, 0),
        (-3, 0),
        (3, 0),
        (3, 2),
    ]


def test_credits_that_are_not_there_are_an_error_and_the_use_stands() -> None:
    """5 are there: the second use takes 1 more than is left, the third all 10 of its own."""
    books = booked(
        agreed(CREDITS),
        purchase("2026-05-01", "openai", "5 OAI", "4 USD"),
        consumption("2026-05-20", "alice", "3 CU", line=3),
        consumption("2026-05-20", "alice", "3 CU", line=4),
        consumption("2026-05-20", "alice", "10 CU", line=5),
    )
    (message,) = messages(books)
    assert message.startswith('4: 2 uses of "chat" on 2026-05-20 took 11 OAI more than are held')
    assert income(books, "revenue") == "19.2"
    assert income(books, "cost") == "-4"


def test_a_cost_in_what_is_neither_money_nor_bought_is_an_error() -> None:
    """Nobody ever bought OAI, and the ledger doesn't name it as a currency."""
    (message,) = messages(booked(agreed(CREDITS), consumption("2026-05-20", "alice", "1 CU")))
    assert "OAI is neither money of this ledger" in message


def test_what_has_no_price_is_refused() -> None:
    """A provider without a cost; a cost in units that the use is not in. Never zero."""
    unpriced = Meter("chat", MAY, usd("1 CU"), provider="llama")
    other = Meter("chat", JUNE, usd("1 GPU"), Decimal(1), usd("1 USD"), "llama")
    books = booked(
        agreed(unpriced, other, default=False),
        consumption("2026-05-20", "alice", "1 CU", meter="chat", line=2),
        consumption("2026-06-20", "alice", "1 CU", meter="chat", line=3),
        consumption("2026-06-21", "alice", "1 CU", line=4),
    )
    first, second = messages(books)
    assert first == (
        '2: meter "chat" of 2026-05-01 has a provider and no `cost`: write what it costs to serve'
    )
    assert second.startswith('3: what 1 CU of meter "chat" cost can\'t be told')
    assert shown(books, "cost") == ""


@pytest.mark.parametrize("meters", [(), (Meter("chat", MAY, usd("1 CU"), provider="llama"),)])
def test_a_default_without_a_price_costs_nothing_unseen(meters: tuple[Meter, ...]) -> None:
    """No meter, no cost; one with a provider and no cost is refused for each use."""
    found = booked(agreed(*meters), consumption("2026-05-20", "alice", "1 CU", line=2))
    assert [each.split(":")[0] for each in messages(found)] == (["2"] if meters else [])


def test_a_meter_that_nobody_serves_costs_nothing_and_is_named() -> None:
    """Its use says which meter it was of, all the same."""
    meter = Meter("chat", MAY, usd("1 CU"))
    books = booked(agreed(meter), consumption("2026-05-20", "alice", "1 CU"))
    assert shown(books, "cost") == ""
    assert [each.meter for each in books.journal if each.kind == "consumption"] == ["chat"]


def test_a_default_holds_for_uses_in_its_unit_alone() -> None:
    """2 GPU are of no meter; nor is any use where the default takes no units itself."""
    meter = Meter("chat", MAY, usd("1 CU"), Decimal(1), usd("1 USD"), "llama")
    uses = [
        top_up("2026-05-02", "alice", "5 GPU", "5 USD"),
        consumption("2026-05-03", "alice", "2 GPU"),
    ]
    assert shown(booked(agreed(meter), *uses), "cost") == ""
    unitless = meter._replace(units=None)
    books = booked(agreed(unitless), consumption("2026-05-03", "alice", "1 CU"))
    assert [each.meter for each in books.journal if each.kind == "consumption"] == [""]


def test_the_meter_of_a_plan_wins_over_that_of_the_ledger() -> None:
    """Two subscribers, one on a plan with a meter of its own at 0.10 a unit."""
    ledger = Meter("chat", MAY, usd("1 CU"), Decimal(1), usd("1 USD"), "llama")
    cheap = Meter("batch", MAY, usd("1 CU"), Decimal(1), usd("0.10 USD"), "llama")
    night = plan("night", "100 USD", "100 CU", meter="batch")
    terms_ = agreed(ledger)
    terms_ = terms_._replace(
        plans={**terms_.plans, "night": Timeline([(night.since, night)])},
        meters={**terms_.meters, "batch": Timeline([(MAY, cheap)])},
    )
    books = booked(
        terms_,
        subscription("2026-05-01", "bob", "night"),
        consumption("2026-05-03", "alice", "10 CU"),
        consumption("2026-05-03", "bob", "10 CU"),
    )
    assert shown(books, "cost") == text("""
        2026-05-03 cost llama
          cost llama batch 1 USD
          accrued llama batch -1 USD
          cost llama chat 10 USD
          accrued llama chat -10 USD
    """)


def test_a_use_that_is_reversed_on_its_day_costs_nothing() -> None:
    """Only the other one is served."""
    books = booked(
        agreed(SWAPPED._replace(since=MAY)),
        consumption("2026-05-20", "alice", "10 CU", id="wrong"),
        consumption("2026-05-20", "alice", "4 CU"),
        reversal("2026-05-20", "wrong"),
    )
    assert shown(books, "cost") == text("""
        2026-05-20 cost llama
          cost llama chat 1.6 USD
          accrued llama chat -1.6 USD
    """)


def test_a_reversed_use_gives_back_what_its_day_drew_last() -> None:
    """16 took 10, 5 and 1 beyond. 8 of them come back: the one beyond, 5, and 2 of the 10, which
    ended on 1 June and lapse at once (2 x 0.90)."""
    books = booked(
        agreed(CREDITS, beyond="1.10 USD"),
        purchase("2026-05-01", "openai", "5 OAI", "4 USD", expires="2026-07-01"),
        purchase("2026-05-02", "openai", "10 OAI", "9 USD", expires="2026-06-01"),
        consumption("2026-05-20", "alice", "8 CU"),
        consumption("2026-05-20", "alice", "8 CU", id="wrong"),
        reversal("2026-06-10", "wrong"),
    )
    assert messages(books) == []
    assert (
        shown(books, "cost", "lapse").split("2026-06-10", 1)[1]
        == text("""
        2026-06-10 cost openai
          prepaid openai 5 OAI {0.8 USD, 2026-05-01, openai/2026-07-01}
          prepaid openai 2 OAI {0.9 USD, 2026-05-02, openai/2026-06-01}
          cost openai chat -6.9 USD
          accrued openai chat 1.1 USD
        2026-06-10 lapse openai
          prepaid openai -2 OAI {0.9 USD, 2026-05-02, openai/2026-06-01}
          lapsed openai 1.8 USD
    """).split("2026-06-10", 1)[1]
    )


def test_a_reversal_takes_money_back_in_the_running_total_of_its_month() -> None:
    """10 x 0.40 in May; in June 10 x 0.40 of other uses less that."""
    books = booked(
        agreed(SWAPPED._replace(since=MAY)),
        consumption("2026-05-20", "alice", "10 CU", id="wrong"),
        reversal("2026-06-10", "wrong"),
        consumption("2026-06-10", "alice", "3 CU"),
    )
    assert shown(books, "cost") == text("""
        2026-05-20 cost llama
          cost llama chat 4 USD
          accrued llama chat -4 USD
        2026-06-10 cost llama
          cost llama chat -4 USD
          accrued llama chat 4 USD
        2026-06-10 cost llama
          cost llama chat 1.2 USD
          accrued llama chat -1.2 USD
    """)


def test_what_a_provider_states_wins_over_its_list() -> None:
    """Two lines of a day add up; what a reversal of that day gives back is nothing."""
    books = booked(
        agreed(SWAPPED._replace(since=MAY)),
        consumption("2026-05-20", "alice", "10 CU", id="wrong"),
        stated_cost("2026-05-20", "llama", "chat", "3.50 USD"),
        stated_cost("2026-05-20", "llama", "chat", "-0.25 USD"),
        reversal("2026-05-21", "wrong"),
        stated_cost("2026-05-22", "llama", "chat", "1 USD"),
    )
    assert messages(books) == []
    assert shown(books, "cost") == text("""
        2026-05-20 cost llama
          cost llama chat 3.25 USD
          accrued llama chat -3.25 USD
        2026-05-22 cost llama
          cost llama chat 1 USD
          accrued llama chat -1 USD
    """)
    assert [each.narration for each in books.journal if each.kind == "cost"] == [
        "Cost of compute, 1 use",
        "Cost of compute, as stated",
    ]


def test_a_cost_that_is_stated_late_books_the_difference() -> None:
    """4.00 by the list, then 3.00 as stated; a late use of that day is in it."""
    books = booked(
        agreed(SWAPPED._replace(since=MAY)),
        consumption("2026-05-20", "alice", "10 CU"),
        late={
            JUNE: [
                stated_cost("2026-05-20", "llama", "chat", "3 USD", id="stated"),
                consumption("2026-05-20", "alice", "5 CU", id="late"),
            ]
        },
    )
    assert shown(books, "cost") == text("""
        2026-05-20 cost llama
          cost llama chat 4 USD
          accrued llama chat -4 USD
        2026-06-01 cost llama
          cost llama chat -1 USD
          accrued llama chat 1 USD
    """)
    assert [each.served for each in books.journal if each.kind == "cost"] == [
        None,
        day("2026-05-20"),
    ]


def test_late_uses_cost_what_the_list_says_of_their_day() -> None:
    """5 at 0.40 of May, apart from 5 at 0.50 of June."""
    dearer = SWAPPED._replace(cost=usd("0.50 USD"))
    books = booked(
        agreed(SWAPPED._replace(since=MAY), dearer),
        consumption("2026-06-01", "alice", "5 CU"),
        late={JUNE: [consumption("2026-05-20", "alice", "5 CU", id="late")]},
    )
    assert shown(books, "cost") == text("""
        2026-06-01 cost llama
          cost llama chat 2 USD
          accrued llama chat -2 USD
        2026-06-01 cost llama
          cost llama chat 2.5 USD
          accrued llama chat -2.5 USD
    """)
    assert [each.id for each in books.journal if each.kind == "cost"] == [
        "cost/llama/2026-05-20/2026-06-01",
        "cost/llama/2026-06-01",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (stated_cost("2026-05-20", "openai", "chat", "1 USD"), 'meter "chat" is served by "llama"'),
        (stated_cost("2026-05-20", "llama", "chat", "1 CU"), "CU is no money"),
        (stated_cost("2026-05-20", "llama", "talk", "1 USD"), 'unknown meter "talk"'),
    ],
)
def test_what_cannot_be_stated(line: Event, said: str) -> None:
    """Of another provider, in no money, of a meter that there is not."""
    (message,) = messages(booked(agreed(SWAPPED._replace(since=MAY)), line))
    assert said in message


def test_a_cost_is_stated_in_the_money_of_its_day() -> None:
    """It is booked in USD; and a meter of no provider has none who could state anything."""
    meter = SWAPPED._replace(since=MAY)
    use = consumption("2026-05-20", "alice", "5 CU")
    late = {JUNE: [stated_cost("2026-05-20", "llama", "chat", "3 EUR", id="s")]}
    (message,) = messages(booked(agreed(meter), use, late=late))
    assert 'the cost of "chat" on 2026-05-20 is booked in USD' in message
    lines = [stated_cost("2026-05-20", "llama", "chat", paid) for paid in ("3 EUR", "3 USD")]
    (message,) = messages(booked(agreed(meter), *lines))
    assert 'the cost of "chat" on 2026-05-20 is booked in EUR' in message
    nobody = agreed(Meter("chat", MAY, usd("1 CU")))
    (message,) = messages(booked(nobody, stated_cost("2026-05-20", "llama", "chat", "3 USD")))
    assert 'meter "chat" has no provider on 2026-05-20' in message


def test_a_stated_cost_is_not_reversed() -> None:
    """A line for the difference says what is right."""
    meter = agreed(SWAPPED._replace(since=MAY))
    line = stated_cost("2026-05-20", "llama", "chat", "3 USD", id="s")
    (message,) = messages(booked(meter, line, reversal("2026-05-21", "s")))
    assert "a cost can't be reversed: write a compute-cost for the difference" in message


def test_what_a_day_could_not_draw_does_not_come_back() -> None:
    """Of 3 only 2 were there, which cost nothing; nothing was there for the next day's 3."""
    books = booked(
        agreed(CREDITS),
        purchase("2026-05-01", "openai", "2 OAI", "4 USD"),
        consumption("2026-05-20", "alice", "3 CU", id="one"),
        consumption("2026-05-21", "alice", "3 CU", id="two"),
        reversal("2026-06-10", "one"),
        reversal("2026-06-11", "two"),
    )
    assert len(messages(books)) == 2
    assert costs(books) == ["4", "-4"]


def test_credits_that_cost_nothing_leave_no_expense() -> None:
    """They were entered by hand at zero."""
    free = by_hand("2026-05-02", "prepaid openai 5 OAI {0 USD, 2026-05-01, openai}")
    books = booked(
        agreed(CREDITS),
        consumption("2026-05-20", "alice", "3 CU", id="u"),
        reversal("2026-05-21", "u"),
        openings=[free],
    )
    assert messages(books) == []
    assert shown(books, "cost") == text("""
        2026-05-20 cost openai
          prepaid openai -3 OAI {0 USD, 2026-05-01, openai}
        2026-05-21 cost openai
          prepaid openai 3 OAI {0 USD, 2026-05-01, openai}
    """)


def test_a_cost_below_half_a_cent_waits_for_more() -> None:
    """0.004 and 0.004 are 0.01 on the second day; the first books nothing."""
    meter = Meter("chat", MAY, usd("1 CU"), Decimal(1), usd("0.004 USD"), "llama")
    uses = [consumption(f"2026-05-0{on}", "alice", "1 CU") for on in (2, 3)]
    assert costs(booked(agreed(meter), *uses)) == ["0.01"]


def test_merged_uses_cost_what_they_cost_one_by_one() -> None:
    """And say how many units they took, where some were overage: 90 and 30 of 100."""
    meter = SWAPPED._replace(since=MAY)
    wrap = plan("wrap", "120 USD", "100 CU", overage="2 USD")
    merged = agreed(meter, grain="month")._replace(plans={"wrap": Timeline([(wrap.since, wrap)])})
    books = booked(
        merged,
        consumption("2026-05-20", "alice", "90 CU"),
        consumption("2026-05-21", "alice", "30 CU"),
    )
    assert costs(books) == ["36", "12"]
    (use,) = [each for each in books.journal if each.kind == "consumption"]
    assert (use.used, use.uses) == (usd("120 CU"), 2)


def test_a_use_beyond_the_holdings_costs_as_any_other() -> None:
    """All of it is overage: 20 x 0.40, and its reversal gives that back."""
    meter = agreed(SWAPPED._replace(since=MAY), grain="month")
    wrap = plan("wrap", "120 USD", "100 CU", overage="2 USD")
    merged = meter._replace(plans={"wrap": Timeline([(wrap.since, wrap)])})
    books = booked(
        merged,
        consumption("2026-05-20", "alice", "100 CU"),
        refund("2026-05-20", "alice", "0 CU", flaw="it ends the run"),
        consumption("2026-05-21", "alice", "20 CU", id="over"),
        reversal("2026-05-22", "over"),
    )
    assert costs(books) == ["40", "8", "-8"]


@pytest.mark.parametrize("most", [0, 10])
def test_equal_quantities_take_equal_units(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """3 uses of one quantity, whether it is remembered or not: 3 x 12 CU at 1.20."""
    monkeypatch.setattr(plain_meters, "MOST_KNOWN", most)
    meter = Meter("chat", MAY, usd("12 CU"), Decimal(1000000), usd("10 USD"), "llama")
    use = measured("2026-05-02", "alice", "chat", "1000000")
    uses = [use._replace(id=name) for name in ("a", "b", "c")]
    books = booked(agreed(meter, default=False), *uses)
    assert (income(books, "revenue"), costs(books)) == ("43.2", ["30"])


def test_a_quantity_of_too_many_digits_is_refused() -> None:
    """One without units of its meter, too, on the quick way as on the slow one."""
    fine = Meter("chat", MAY, usd("1.234567 CU"), Decimal(1000000), usd("1 USD"), "llama")
    books = booked(
        agreed(fine, default=False),
        measured("2026-05-02", "alice", "chat", "1234567.8901234", line=2),
        measured("2026-05-03", "alice", "chat", "1000000", line=3),
        measured("2026-05-03", "alice", "chat", "1000000", line=4),
    )
    assert [each[:2] for each in messages(books)] == ["2:"]
    assert costs(books) == ["2"]


PER_MILLION = Decimal(1000000)


@pytest.mark.parametrize(
    ("an_hour", "a_second", "per_million"),
    [("2.00", 85, "6.54"), ("2.60", 140, "5.16"), ("2.00", 120, "4.63"), ("2.00", 400, "1.39")],
)
def test_published_costs_of_a_million_tokens(an_hour: str, a_second: int, per_million: str) -> None:
    """The price of an hour of a GPU by the tokens of that hour (3,600 x those of a second)."""
    meter = Meter("gpu", MAY, usd("1 CU"), Decimal(1), usd(f"{an_hour} USD"), "own")
    hours = trim(Decimal(f"{PER_MILLION / (3600 * a_second):.8f}"), 0)
    use = measured("2026-05-02", "alice", "gpu", str(hours), units="1 CU")
    assert income(booked(agreed(meter, default=False), use), "cost") == f"-{per_million}"


def test_arbitrage_of_one_to_one_twenty() -> None:
    """Bought at 1.00, sold at 1.20: 80 used earn 96.00 and cost 80.00."""
    books = booked(
        agreed(CREDITS),
        purchase("2026-05-01", "openai", "200 OAI", "200 USD"),
        consumption("2026-05-20", "alice", "80 CU"),
    )
    assert (income(books, "revenue"), income(books, "cost")) == ("96", "-80")


def test_a_new_model_costs_less_by_58_in_100() -> None:
    """10.00 a million until June, 4.20 from then on: a meter of another model, swapped in."""
    old = Meter("chat", MAY, usd("12 CU"), PER_MILLION, usd("10 USD"), "maker")
    new = old._replace(since=JUNE, cost=usd("4.20 USD"))
    books = booked(
        agreed(old, new, default=False),
        measured("2026-05-02", "alice", "chat", "2000000"),
        measured("2026-06-02", "alice", "chat", "2000000"),
    )
    assert costs(books) == ["20", "8.4"]


def test_the_rent_of_a_gpu_falls_and_rises() -> None:
    """2.99, 1.70 and 2.35 an hour, for 10 hours each."""
    days = [MAY, JUNE, day("2026-07-01")]
    meters = [
        Meter("gpu", since, usd("1 CU"), Decimal(1), usd(f"{rent} USD"), "cloud")
        for since, rent in zip(days, ("2.99", "1.70", "2.35"), strict=True)
    ]
    uses = [measured(f"2026-0{month}-15", "alice", "gpu", "10") for month in (5, 6, 7)]
    assert costs(booked(agreed(*meters, default=False), *uses)) == ["29.9", "17", "23.5"]


def costs(books: Books) -> list[str]:
    """What each entry of cost books as an expense."""
    money = [
        [leg.number for leg in each.legs if isinstance(leg, MoneyLeg) and leg.role is Role.COST]
        for each in books.journal
        if each.kind == "cost"
    ]
    return [number(sum(each, Decimal())) for each in money]
