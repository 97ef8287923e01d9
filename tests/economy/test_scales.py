"""Scales: a scenario multiplies prices, costs and use from a day on; the narrowest wins."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.journal import MoneyLeg
from beancount_compute.economy.meters import Meter
from beancount_compute.economy.scales import TARGETS, Scale, with_scales
from beancount_compute.economy.term_values import Money, ScaleTarget
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    book,
    change,
    chargeback,
    consumption,
    day,
    measured,
    messages,
    money_refund,
    pair,
    plan,
    recovery,
    reversal,
    shown,
    subscription,
    terms,
    text,
    top_up,
    trade,
)


def scaled(agreed: Terms, *lines: str) -> Terms:
    """Terms under scales such as "2026-06-01 plan-price pro 0.5"."""
    scales = []
    for line in lines:
        on, target, *name, factor = line.split()
        scales.append(Scale(day(on), ScaleTarget(target), "".join(name), Decimal(factor)))
    return with_scales(agreed, scales)


def prices(agreed: Terms, name: str = "pro") -> dict[str, str]:
    """The price of a plan from which day."""
    return {str(on): f"{each.price:f}" for on, each in agreed.plans[name].items()}


def costs(agreed: Terms, name: str) -> dict[str, str]:
    found = agreed.meters[name].items()
    return {str(on): f"{each.cost.number:f}" if each.cost else "" for on, each in found}


def test_a_minimum_is_multiplied_with_its_plan() -> None:
    """100.00 USD of use at 0.30 become 50.00 at 0.15."""
    offer = plan(overage="0.30 USD", minimum=Money(*pair("100 USD")))
    found = scaled(terms(offer), "2026-06-01 plan-price pro 0.5").plan("pro", day("2026-06-01"))
    assert found is not None and found.overage and found.minimum
    assert (found.overage.number, found.minimum.number) == (Decimal("0.15"), 50)


def test_a_price_is_multiplied_from_its_day_on() -> None:
    """200.00 until May, 100.00 from June, and half of what the ledger says from July on."""
    agreed = terms(plan(), plan(price="300 USD", since="2026-07-01"))
    found = scaled(agreed, "2026-06-01 plan-price 0.5")
    assert prices(found) == {"2026-01-01": "200", "2026-06-01": "100", "2026-07-01": "150"}
    assert [each.since for each in found.plans["pro"]] == [
        day("2026-01-01"),
        day("2026-06-01"),
        day("2026-07-01"),
    ]


def test_the_narrowest_wins_and_a_later_one_replaces() -> None:
    """Half for all, then a quarter; pro goes its own way from June on. Nothing compounds."""
    agreed = terms(plan(), plan("team", "100 USD"))
    found = scaled(
        agreed,
        "2026-02-01 plan-price 0.5",
        "2026-06-01 plan-price pro 0.8",
        "2026-08-01 plan-price 0.25",
        "2026-09-01 plan-price pro 2",
    )
    assert prices(found) == {
        "2026-01-01": "200",
        "2026-02-01": "100",
        "2026-06-01": "160",
        "2026-08-01": "160",
        "2026-09-01": "400",
    }
    assert prices(found, "team")["2026-08-01"] == "25"


def test_a_scale_that_is_older_than_the_plan_holds_from_its_first_day() -> None:
    found = scaled(terms(plan()), "2025-01-01 plan-price 0.5")
    assert prices(found) == {"2026-01-01": "100"}


def test_scaled_periods_are_booked_at_their_price() -> None:
    """May at 0.20, June at 0.10; 0.99 x 0.5 is billed as 0.50, which rounds as it would have."""
    agreed = scaled(terms(plan(), as_of="2026-06-30"), "2026-06-01 plan-price 0.5")
    uses = [consumption(f"2026-0{month}-20", "alice", "100 CU") for month in (5, 6)]
    books = book([subscription("2026-05-01", "alice"), *uses], agreed)
    assert shown(books, "consumption") == text("""
        2026-05-20 consumption alice
          allocations alice 100 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          revenue alice pro -20 USD
        2026-06-20 consumption alice
          allocations alice 100 CU {0.1 USD, 2026-06-01, pro/2026-07-01}
          revenue alice pro -10 USD
    """)
    cents = scaled(terms(plan(price="0.99 USD")), "2026-01-01 plan-price 0.5")
    (first,) = book([subscription("2026-05-01", "alice")], cents).journal
    assert [leg.number for leg in first.legs if isinstance(leg, MoneyLeg)] == [Decimal("0.50")]


def test_overage_is_part_of_what_a_plan_asks() -> None:
    """50 CU beyond the 1000 at 0.30, halved."""
    agreed = scaled(terms(plan(overage="0.30 USD")), "2026-01-01 plan-price 0.5")
    use = consumption("2026-05-20", "alice", "1050 CU")
    books = book([subscription("2026-05-01", "alice"), use], agreed)
    (entry,) = [each for each in books.journal if each.kind == "consumption"]
    assert [leg[3] for leg in entry.legs if leg[0] == "overage"] == [Decimal("-7.50")]


def test_what_goes_back_of_a_plan_s_price_is_multiplied_with_it() -> None:
    """A period of 200.00 costs 100.00, 500 of its 1000 CU are used. Of 50.00 back 25.00 are left, a
    quarter; of 60.00 charged back 30.00, of 20.00 recovered 10.00. A top-up has its own price."""
    events = [
        subscription("2026-05-01", "alice", id="s"),
        top_up("2026-05-02", "alice", "100 CU", "10 USD", id="top-1"),
        consumption("2026-05-10", "alice", "500 CU"),
        money_refund("2026-05-20", "alice", "50 USD", "s/2026-05-01"),
        chargeback("2026-05-21", "s/2026-05-01", paid="60 USD", id="cb"),
        recovery("2026-05-22", "cb", paid="20 USD"),
        money_refund("2026-05-23", "alice", "10 USD", "top-1"),
    ]
    agreed = scaled(terms(plan(), as_of="2026-05-31"), "2026-01-01 plan-price 0.5")
    books = book(events, agreed)
    assert messages(books) == []
    assert shown(books, "money-refund", "chargeback", "recovery") == text("""
        2026-05-20 money-refund alice
          allocations alice 125 CU {0.1 USD, 2026-05-01, pro/2026-06-01}
          refunds alice pro 12.5 USD
          payable alice -25 USD
        2026-05-21 chargeback alice
          allocations alice 150 CU {0.1 USD, 2026-05-01, pro/2026-06-01}
          disputes alice pro 15 USD
          receivable alice pro -30 USD
        2026-05-22 recovery alice
          receivable alice pro 10 USD
          recoveries alice -10 USD
        2026-05-23 money-refund alice
          tokens alice 100 CU {0.1 USD, 2026-05-02, top-up}
          payable alice -10 USD
    """)


def test_all_of_a_price_in_parts_stays_all_of_it() -> None:
    """Of 10.05, three times 3.35: 5.02 are 1.68, 1.68 and what is left; more is refused."""
    events = [
        subscription("2026-05-01", "alice", id="s"),
        *[money_refund(f"2026-05-0{n}", "alice", "3.35 USD", "s/2026-05-01") for n in (2, 3, 4)],
    ]
    agreed = scaled(terms(plan(price="10.05 USD")), "2026-01-01 plan-price 0.5")
    books = book(events, agreed)
    paid = [leg for entry in books.journal for leg in entry.legs if leg[0] == "payable"]
    assert (messages(books), [f"{leg[3]}" for leg in paid]) == ([], ["-1.68", "-1.68", "-1.66"])
    events[-1] = money_refund("2026-05-04", "alice", "6.70 USD", "s/2026-05-01")
    (message,) = messages(book(events, agreed))
    assert "a refund of 3.35 USD, where 1.66 USD are left" in message


def test_what_the_invoice_of_a_change_says_is_multiplied_with_either_plan() -> None:
    """The charge by what the new plan asks: 333.34; the credit by what was asked when the period
    began: 66.67. Deferred are 20.00 + 333.34 - 66.67 for 1000 CU."""
    plans = plan(), plan("max", "500 USD", "3000 CU")
    agreed = scaled(
        terms(*plans, as_of="2026-06-21"),
        "2026-01-01 plan-price max 2",
        "2026-06-10 plan-price pro 0.5",
    )
    events = [
        subscription("2026-06-01", "alice"),
        consumption("2026-06-09", "alice", "900 CU"),
        change("2026-06-21", "alice", "pro", "max", charge="166.67 USD", credit="66.67 USD"),
    ]
    assert shown(book(events, agreed), "change") == text("""
        2026-06-21 change alice
          allocations alice 100 CU {0.2 USD, 2026-06-01, pro/2026-07-01}
          allocations alice -1000 CU {0.28667 USD, 2026-06-21, max/2026-07-01}
          unbilled alice max 266.67 USD
    """)


def test_trades_are_at_the_scaled_price() -> None:
    """500 CU at 0.25 x 2: 250.00, of which the seller pays 5 %; before that day as it was."""
    agreed = scaled(terms(seller_fee="0.05"), "2026-06-05 trade-price 2")
    events = [
        top_up("2026-06-01", "alice", "1000 CU", "200 USD"),
        top_up("2026-06-01", "bob", "1 CU", "1 USD"),
        trade("2026-06-04", "alice", "bob", "100 CU", "0.25 USD"),
        trade("2026-06-10", "alice", "bob", "500 CU", "0.25 USD"),
    ]
    books = book(events, agreed)
    money = [
        [f"{leg[0]} {leg[3]:f}" for leg in each.legs if len(leg) == 5]
        for each in books.journal
        if each.kind == "trade"
    ]
    assert money == [
        ["receivable 25.00", "payable -23.75", "fees -1.25"],
        ["receivable 250.00", "payable -237.50", "fees -12.50"],
    ]
    assert [(str(each.date), each.price) for each in books.prices] == [
        ("2026-06-04", Decimal("0.25")),
        ("2026-06-10", Decimal("0.50")),
    ]


def test_a_use_takes_its_scaled_units() -> None:
    """200 x 1.5 = 300, and the id and the order of the event stay."""
    agreed = scaled(terms(plan()), "2026-05-10 use 1.5")
    events = [
        subscription("2026-05-01", "alice"),
        consumption("2026-05-05", "alice", "200 CU"),
        consumption("2026-05-20", "alice", "200 CU", id="u-2"),
    ]
    books = book(events, agreed)
    used = [each for each in books.journal if each.kind == "consumption"]
    assert [each.legs[0][1] for each in used] == [Decimal(200), Decimal(300)]
    assert (used[1].id, used[1].event) == ("u-2", events[2])


def test_more_than_the_holdings_is_refused_under_a_scale() -> None:
    """800 x 1.5 = 1200 of 1000."""
    agreed = scaled(terms(plan()), "2026-05-10 use 1.5")
    use = consumption("2026-05-20", "alice", "800 CU")
    (message,) = messages(book([subscription("2026-05-01", "alice"), use], agreed))
    assert message.startswith('0: "alice" uses 1200 CU and holds 1000 CU')


def test_scaled_units_keep_fourteen_digits() -> None:
    """0.33333333333333 of 1.0000000000001 CU has 28 digits: rounded half-even to 14."""
    agreed = scaled(terms(plan()), "2026-05-01 use 0.33333333333333")
    use = consumption("2026-05-20", "alice", "1.0000000000001 CU")
    books = book([subscription("2026-05-01", "alice"), use], agreed)
    (entry,) = [each for each in books.journal if each.kind == "consumption"]
    assert entry.legs[0][1] == Decimal("0.33333333333336")


CHAT = Meter("chat", day("2026-01-01"), Money(*pair("12 CU")), Decimal(1000))


def metered(*lines: tuple[str, str, str]) -> Terms:
    """The meter chat with its cost and provider from some days on."""
    values = [
        (day(on), CHAT._replace(since=day(on), cost=Money(*pair(cost)), provider=provider))
        for on, cost, provider in lines
    ]
    free = CHAT._replace(name="mail")
    meters = {
        "chat": Timeline(values or [(CHAT.since, CHAT)]),
        "mail": Timeline([(free.since, free)]),
    }
    return terms(plan())._replace(meters=meters)


def test_a_use_of_a_meter_is_scaled_with_its_quantity() -> None:
    """250 at 12 CU a thousand are 3 CU; doubled 6 CU of 500. Others go on as they are."""
    agreed = scaled(
        metered(), "2026-05-01 use chat 2", "2026-05-01 use 10", "2026-05-06 use chat 1"
    )
    events = [
        subscription("2026-05-01", "alice"),
        measured("2026-05-02", "alice", "chat", "250"),
        measured("2026-05-03", "alice", "mail", "250"),
        measured("2026-05-07", "alice", "chat", "250"),
    ]
    used = [each for each in book(events, agreed).journal if each.kind == "consumption"]
    assert [(each.legs[0][1], each.quantity) for each in used] == [(6, 500), (30, 2500), (3, 250)]


def test_a_cost_is_scaled_by_meter_before_provider_before_all() -> None:
    """openai asks double from June; llama, which takes over in July, asks as before."""
    agreed = metered(("2026-01-01", "10 USD", "openai"), ("2026-07-01", "4 USD", "llama"))
    found = scaled(agreed, "2026-06-01 cost openai 2")
    assert costs(found, "chat") == {"2026-01-01": "10", "2026-06-01": "20", "2026-07-01": "4"}
    assert costs(found, "mail") == {"2026-01-01": "", "2026-06-01": ""}
    found = scaled(
        agreed, "2026-06-01 cost openai 2", "2026-08-01 cost 3", "2026-06-15 cost chat 5"
    )
    assert costs(found, "chat") == {
        "2026-01-01": "10",
        "2026-06-01": "20",
        "2026-06-15": "50",
        "2026-07-01": "20",
        "2026-08-01": "20",
    }


@pytest.mark.parametrize("target", ScaleTarget)
def test_terms_without_scales_are_as_they_are(target: ScaleTarget) -> None:
    """And each target is a row."""
    agreed = metered()
    assert with_scales(agreed, []) == agreed._replace(scales={})
    assert TARGETS[target].meaning


def test_what_a_scaled_use_took_comes_back_whole() -> None:
    """A reversal gives back the 300 CU that 200 became, on a day of another scale too."""
    agreed = scaled(terms(plan()), "2026-05-10 use 1.5", "2026-05-22 use 3")
    events = [
        subscription("2026-05-01", "alice"),
        consumption("2026-05-20", "alice", "200 CU", id="u-1"),
        reversal("2026-05-25", "u-1"),
    ]
    books = book(events, agreed)
    assert books.refusals == []
    (undone,) = [each for each in books.journal if each.kind == "reversal"]
    assert undone.legs[0][1] == Decimal(-300)


def test_a_late_use_is_scaled_as_of_its_own_day() -> None:
    """It came on 12 May, is booked on 1 June, and takes twice its units as of the 12th."""
    agreed = scaled(terms(plan(unused="rollover")), "2026-05-10 use 2", "2026-05-20 use 5")
    late = {day("2026-06-01"): [consumption("2026-05-12", "alice", "100 CU", id="u-1")]}
    books = book([subscription("2026-05-01", "alice")], agreed, late=late)
    (used,) = [each for each in books.journal if each.kind == "consumption"]
    assert (used.occurred, used.legs[0][1]) == (day("2026-05-12"), Decimal(200))


def test_merged_uses_add_up_what_they_were_scaled_to() -> None:
    agreed = scaled(terms(plan(), grain="month"), "2026-05-10 use 2")
    uses = [consumption(f"2026-05-{at}", "alice", "100 CU") for at in ("05", "15")]
    books = book([subscription("2026-05-01", "alice"), *uses], agreed)
    (used,) = [each for each in books.journal if each.kind == "consumption"]
    assert (used.uses, used.legs[0][1]) == (2, Decimal(300))
