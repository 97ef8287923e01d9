"""What books tell of themselves besides the journal, to who goes on with them in another place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from tests.economy.building import (
    consumption,
    first_letter_up,
    plan,
    subscription,
    terms,
    top_up,
    trade,
)

D = Decimal
OVERAGE = plan(overage="0.0033 USD", unused="mint")


def kept(*events: Event, asked: frozenset[str] = frozenset()) -> Bookkeeper:
    keeper = Bookkeeper(Facts(events, asked=asked), terms(OVERAGE), first_letter_up)
    for _ in keeper.records():
        pass
    return keeper


def test_overage_is_told_exactly_and_as_charged_over_all_months() -> None:
    """May: 100 beyond at 0.0033 are 0.33; June: 101 are 0.3333, charged as 0.33."""
    keeper = kept(
        subscription("2026-05-01", "alice"),
        consumption("2026-05-20", "alice", "1100 CU"),
        consumption("2026-06-20", "alice", "1101 CU"),
    )
    assert keeper.overage == {("alice", "pro"): (D("0.6633"), D("0.66"))}


def test_trades_are_told_by_day_with_price_and_units() -> None:
    keeper = kept(
        top_up("2026-05-01", "alice", "100 CU", "20 USD"),
        top_up("2026-05-01", "bob", "1 CU", "0.20 USD"),
        trade("2026-05-02", "alice", "bob", "40 CU", "0.25 USD"),
    )
    assert keeper.traded == {(date(2026, 5, 2), "CU", "USD"): [(D("0.25"), D(40))]}


def test_what_undoes_an_event_is_told_where_it_was_asked_for() -> None:
    """The use of 30 CU would be undone by putting them back; of the other use nobody asked."""
    keeper = kept(
        top_up("2026-05-01", "alice", "100 CU", "20 USD"),
        consumption("2026-05-02", "alice", "30 CU", id="asked"),
        consumption("2026-05-03", "alice", "40 CU", id="other"),
        asked=frozenset({"asked"}),
    )
    assert [*keeper.undo] == ["asked"]
    assert keeper.undo["asked"].entry.date == date(2026, 5, 2)
