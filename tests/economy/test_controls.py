"""What a source says that it gave, against what was written."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from beancount_compute.economy.controls import (
    WITH_MONEY,
    WITH_UNITS,
    ControlTotal,
    check_controls,
    sold_by_month,
)
from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import EVENTS, Kind
from beancount_compute.economy.meters import Meter
from beancount_compute.economy.refusals import NotRead
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Timeline
from tests.economy.building import at, day, event, measured, one_period, pair, plan, terms, top_up

USES = [
    event(Kind.CONSUMPTION, "2026-05-01", "ann", units="200 CU"),
    event(Kind.CONSUMPTION, "2026-05-31", "ann", units="100.5 CU", id="u"),
    event(Kind.CONSUMPTION, "2026-05-31", "ann", units="100.5 CU", id="u"),  # the same
    event(Kind.CONSUMPTION, "2026-05-31", "ann", units="3 GPU"),
    event(Kind.CONSUMPTION, "2026-06-01", "ann", units="7 CU"),
]
TRADES = [
    event(Kind.TRADE, "2026-05-02", "ann", "bob", units="3 CU", price="0.335 USD"),  # 1.00
    event(Kind.TRADE, "2026-05-02", "ann", "bob", units="3 CU", price="0.335 USD"),  # again
    event(Kind.TRADE, "2026-05-03", "ann", "bob", units="10 CU", price="1.00 EUR"),
]


def said(
    kind: Kind, rows: int, units: str = "", money: str = "", on: str = "2026-05-31"
) -> ControlTotal:
    number, commodity = pair(units) if units else (None, "")
    paid, currency = pair(money) if money else (None, "")
    return ControlTotal(day(on), kind, rows, number, commodity, paid, currency, at(7))


def told(written: Sequence[Event], *controls: ControlTotal) -> list[str]:
    """What differs."""
    agreed = terms(plan("pro", "200.00 USD", "1000 CU"))
    found = list(check_controls(controls, written, agreed))
    assert all(refusal.place == at(7) for refusal in found)
    return [refusal.message for refusal in found]


@pytest.mark.parametrize(
    ("written", "control"),
    [
        (USES, said(Kind.CONSUMPTION, 2, "300.5 CU")),
        (USES, said(Kind.CONSUMPTION, 2, "300.5 CU", on="2026-05-01")),  # any day of the month
        (USES, said(Kind.CONSUMPTION, 1, "3 GPU")),
        (USES, said(Kind.CONSUMPTION, 3)),
        (USES, said(Kind.CONSUMPTION, 0, "0 XU")),
        (USES, said(Kind.GRANT, 0)),
        (TRADES, said(Kind.TRADE, 3, "16 CU")),
        (TRADES, said(Kind.TRADE, 2, "6 CU", "2.00 USD")),
        (TRADES, said(Kind.TRADE, 1, "10 CU", "10.00 EUR")),
        ([top_up("2026-05-01", "ann", "5 CU", "1.00 USD")], said(Kind.ALLOCATION, 1, "5 CU")),
        (
            [top_up("2026-05-01", "ann", "5 CU", "1.00 USD"), one_period("2026-05-02", "ann")],
            said(Kind.ALLOCATION, 2, "1005 CU", "201.00 USD"),
        ),
        ([one_period("2026-05-02", "ann", "gone")], said(Kind.ALLOCATION, 1)),
        (
            [event(Kind.SPEND, "2026-05-02", "ann", "shop", units="5 CU", paid="0.50 USD")],
            said(Kind.SPEND, 1, "5 CU", "0.50 USD"),
        ),
    ],
)
def test_what_agrees_says_nothing(written: list[Event], control: ControlTotal) -> None:
    """Each id once, in its unit and currency, of the calendar month."""
    assert told(written, control) == []


@pytest.mark.parametrize(
    ("control", "source", "ledger", "difference"),
    [
        (said(Kind.CONSUMPTION, 3, "300.5 CU"), "3 rows, 300.5 CU", "2 rows, 300.5 CU", "+1 row"),
        (said(Kind.CONSUMPTION, 1), "1 row", "3 rows", "-2 rows"),
        (
            said(Kind.CONSUMPTION, 1204, "350123 CU"),
            "1,204 rows, 350123 CU",
            "2 rows, 300.5 CU",
            "+1,202 rows, +349822.5 CU",
        ),
        (said(Kind.CONSUMPTION, 2, "300 CU"), "2 rows, 300 CU", "2 rows, 300.5 CU", "-0.5 CU"),
    ],
)
def test_a_difference_is_told_with_both_figures(
    control: ControlTotal, source: str, ledger: str, difference: str
) -> None:
    """What the source has more stands with a plus."""
    (message,) = told(USES, control)
    assert message == (
        f"consumption of 2026-05: the source says {source}; the ledger has {ledger}: a difference "
        f"of {difference}; look for rows that are missing, twice, or of another month"
    )


def test_money_is_told_as_well() -> None:
    """The gross of trades, rounded one by one: 1.00 and 1.00."""
    (message,) = told(TRADES, said(Kind.TRADE, 2, "6 CU", "2.01 USD"))
    assert "the ledger has 2 rows, 6 CU, 2 USD: a difference of +0.01 USD;" in message


def test_nothing_is_counted_where_nothing_is_stated() -> None:
    """A load without controls looks at no event."""

    def never() -> Event:
        raise AssertionError

    assert list(check_controls([], (never() for _ in range(1)), terms())) == []


def test_what_is_scheduled_or_reversed_has_no_units_of_its_own() -> None:
    """And money passes in top-ups, trades, spends, money back, purchases, bills and costs."""
    of_none = {Kind.SUBSCRIPTION, Kind.CANCELLATION, Kind.CHANGE, Kind.REVERSAL}
    of_money = {Kind.CHARGEBACK, Kind.WRITE_OFF, Kind.RECOVERY, Kind.BILL, Kind.COST}
    assert set(EVENTS) - WITH_UNITS == of_none | of_money
    both = {Kind.ALLOCATION, Kind.TRADE, Kind.SPEND, Kind.REFUND, Kind.PURCHASE}
    assert both | of_money == WITH_MONEY


def test_a_quantity_counts_as_the_units_that_it_takes() -> None:
    """Half a million at 12 CU a million are 6 CU."""
    meter = Meter("chat", day("2026-01-01"), Money(Decimal(12), "CU"), Decimal(1000000))
    agreed = terms(plan())._replace(meters={"chat": Timeline([(meter.since, meter)])})
    control = said(Kind.CONSUMPTION, 1, "6 CU")
    assert [
        *check_controls([control], [measured("2026-05-01", "ann", "chat", "500000")], agreed)
    ] == []


@pytest.mark.parametrize(
    ("unread", "rows", "cause"),
    [
        (NotRead(at(3), whole_file=True), 3, at(3)),
        (NotRead(at(3), whole_file=True), 1, None),  # a row too many
        (NotRead(at(3), day="2026-05-09", kinds=(Kind.CONSUMPTION,)), 3, at(3)),
        (NotRead(at(3), kinds=EVENTS), 3, at(3)),  # nobody knows its day
        (NotRead(at(3), day="2026-06-09", kinds=(Kind.CONSUMPTION,)), 3, None),
        (NotRead(at(3), day="2026-05-09", kinds=(Kind.TRADE,)), 3, None),
        (NotRead(at(3), day="2026-05-09"), 3, None),  # a plan, say
    ],
)
def test_rows_that_are_missing_may_be_those_that_can_t_be_read(
    unread: NotRead, rows: int, cause: object
) -> None:
    """Two uses of May are there; the first place is named of several."""
    later = unread._replace(place=at(4))
    control = said(Kind.CONSUMPTION, rows, "300.5 CU")
    (refusal,) = check_controls([control], USES, terms(), [later, unread])
    assert refusal.cause == cause


def test_where_nothing_is_controlled_nothing_is_counted() -> None:
    """However many events there are."""
    assert sold_by_month([], USES, terms()) == {}
