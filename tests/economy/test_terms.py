"""What was agreed, and from which day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.options import AS_OF, COST_STEP, DRAW_DOWN
from beancount_compute.economy.term_values import DrawDown, Money
from beancount_compute.economy.terms import Timeline, no_terms
from tests.economy.building import day, plan, terms


def test_a_value_holds_from_its_day_until_the_next() -> None:
    """Nothing before the first day; on a day, the value of that day."""
    line: Timeline[Any] = Timeline([(day("2026-03-01"), "late"), (day("2026-01-01"), "early")])
    assert line.on(day("2025-12-31")) is None
    assert line.on(day("2026-01-01")) == "early"
    assert line.on(day("2026-02-28")) == "early"
    assert line.on(day("2026-03-01")) == "late"
    assert line.on(day("2030-01-01")) == "late"


def test_the_first_value_is_the_earliest_whatever_the_order() -> None:
    """An empty timeline has none."""
    line: Timeline[Any] = Timeline([(day("2026-03-01"), "late"), (day("2026-01-01"), "early")])
    assert line.first() == "early"
    assert list(line.items()) == [(day("2026-01-01"), "early"), (day("2026-03-01"), "late")]
    assert Timeline[Any]().first() is None
    assert Timeline[Any]().on(day("2026-01-01")) is None


def test_a_plan_is_known_from_its_first_day() -> None:
    """Terms of a plan begin on their date; a plan without terms is none at all."""
    agreed = terms(plan(since="2026-02-01"), plan(since="2026-03-01", price="250 USD"))
    assert agreed.plan("pro", day("2026-01-31")) is None
    assert agreed.plan("basic", day("2026-02-01")) is None
    prices = [
        found.price
        for on in ("2026-02-28", "2026-03-01")
        if (found := agreed.plan("pro", day(on))) is not None
    ]
    assert prices == [Decimal(200), Decimal(250)]


def test_a_lot_older_than_its_plan_takes_the_first_terms() -> None:
    """Opening lots may be older than the ledger's first line; top-ups follow no plan."""
    agreed = terms(plan(since="2026-02-01"), plan(since="2026-03-01", price="250 USD"))
    old = agreed.plan_of_lot("pro", day("2024-01-01"))
    assert old is not None
    assert old.since == day("2026-02-01")
    new = agreed.plan_of_lot("pro", day("2026-03-01"))
    assert new is not None
    assert new.price == Decimal(250)
    assert agreed.plan_of_lot("top-up", day("2026-03-01")) is None


@pytest.mark.parametrize(
    ("on", "currency", "fees"),
    [
        ("2025-12-31", "USD", ("0", "0", "0")),
        ("2026-01-01", "USD", ("0.05", "0.01", "0.10")),
        ("2026-01-01", "EUR", ("0.05", "0.01", "0")),  # a minimum is one currency's
        ("2026-06-01", "USD", ("0", "0.01", "0.10")),  # zero is a value, not an absence
        ("2025-12-31", "JPY", ("0", "0", "0")),
    ],
)
def test_fees_are_those_of_the_day_and_currency(
    on: str, currency: str, fees: tuple[str, str, str]
) -> None:
    """Zero where nothing was agreed; the minimum fee stands for its currency alone."""
    agreed = terms(
        seller_fee={"2026-01-01": "0.05", "2026-06-01": "0"},
        buyer_fee="0.01",
        minimum_fee={"USD": "0.10", "JPY": {"2026-06-01": "5"}},
    )
    expected = tuple(Decimal(fee) for fee in fees)
    assert agreed.fees(day(on), currency)[:3] == expected


def test_a_ledger_that_agrees_on_nothing() -> None:
    """No plans, no fees, no reach, and no currency to give grants in."""
    agreed = no_terms()
    assert agreed.plan("pro", day("2026-01-01")) is None
    assert set(agreed.fees(day("2026-01-01"), "USD")) == {0}
    assert agreed.on(DRAW_DOWN, day("2026-01-01")) is DrawDown.EXPIRY
    assert (agreed.of_ledger(COST_STEP), agreed.of_ledger(AS_OF), agreed.grant_currency) == (
        None,
        None,
        None,
    )


def test_a_group_of_related_parties_holds_from_its_day() -> None:
    """Until another line ends it; who is in no line is in no group."""
    group = Timeline([(day("2026-02-01"), "acme"), (day("2026-03-01"), "")])
    agreed = no_terms()._replace(related={"ann": group})
    days = ("2026-01-31", "2026-02-01", "2026-03-01")
    assert [agreed.group_on("ann", day(each)) for each in days] == ["", "acme", ""]
    assert agreed.group_on("bob", day("2026-02-01")) == ""


def test_a_group_of_reports_holds_from_its_day_and_is_no_other() -> None:
    group = Timeline([(day("2026-02-01"), "agency"), (day("2026-03-01"), "")])
    agreed = no_terms()._replace(segments={"ann": group})
    days = ("2026-01-31", "2026-02-01", "2026-03-01")
    assert [agreed.segment_on("ann", day(each)) for each in days] == ["", "agency", ""]
    assert agreed.segment_on("bob", day("2026-02-01")) == ""
    assert agreed.group_on("ann", day("2026-02-01")) == ""


def test_a_timeline_lists_its_values_by_day() -> None:
    """In the order in which they come into force, whatever the order of writing."""
    later, earlier = (date(2026, 2, 1), "b"), (date(2026, 1, 1), "a")
    assert list(Timeline([later, earlier])) == ["a", "b"]


def test_all_that_an_option_says_can_be_listed() -> None:
    """From which day on; nothing where no line sets it."""
    early, late = (day("2026-01-01"), DrawDown.FIFO), (day("2026-04-01"), DrawDown.LIFO)
    agreed = terms(draw_down={"2026-01-01": "fifo", "2026-04-01": "lifo"})
    assert list(agreed.timeline(DRAW_DOWN).items()) == [early, late]
    assert list(agreed.timeline(COST_STEP).items()) == []


def test_a_plan_of_any_day_may_have_a_minimum() -> None:
    """Also one that was left since."""
    least = plan(since="2026-01-01")._replace(minimum=Money(Decimal(10), "USD"))
    assert terms(least, plan(since="2026-02-01")).have_minimums
    assert not terms(plan()).have_minimums
