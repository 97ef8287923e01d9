"""Capacity that lasts by units: depreciated by what its provider's meters served, by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.capacities import Capacity, Depreciation
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.meters import Meter
from beancount_compute.economy.options import METER
from beancount_compute.economy.state import Undo
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    Books,
    book,
    book_facts,
    consumption,
    day,
    first_letter_up,
    measured,
    messages,
    number,
    pair,
    plan,
    reversal,
    subscription,
    terms,
)
from tests.economy.test_depreciation import agreed as with_capacities
from tests.economy.test_depreciation import capacity, shares

START = day("2026-01-01")
ALICE = subscription("2026-05-01", "alice", "wrap")


def usd(amount: str) -> Money:
    return Money(*pair(amount))


# Served by own: 1 CU for 1 of `chat`, 12 CU for a million of `text`, `free` in units that uses say;
# by another: `far`, which costs money.
METERS = (
    Meter("chat", START, usd("1 CU"), provider="own"),
    Meter("text", START, usd("12 CU"), Decimal(1000000), provider="own"),
    Meter("free", START, provider="own"),
    Meter("far", START, usd("1 CU"), Decimal(1), usd("0.10 USD"), "llama"),
    Meter("nobody", START, usd("1 CU")),
)


def by_units(since: str, cost: str, quantity: str, name: str = "gpu", **more: Any) -> Capacity:
    """A line of a capacity of own's."""
    if "served" in more:
        more["served"] = usd(more["served"])
    line = capacity(since, cost, "month", name, **more)
    return line._replace(provider="own", life=None, quantity=usd(quantity))


def by_months(since: str, cost: str, life: str, name: str = "gpu") -> Capacity:
    return capacity(since, cost, life, name)._replace(provider="own")


def agreed(*lines: Capacity, as_of: str = "2026-12-31", grain: str = "event") -> Terms:
    """The plan `wrap` with overage, the meters, and the ledger's default meter `chat`."""
    sold = plan("wrap", "1000 USD", "1000 CU", overage="2 USD")
    found = terms(sold, as_of=as_of, grain=grain)._replace(
        meters={each.name: Timeline([(START, each)]) for each in METERS},
        money=frozenset(["USD"]),
        units=frozenset(["CU"]),
        capacities=with_capacities(*lines).capacities,
    )
    return found.setting(METER, "chat")


def booked(*events: Event, lines: tuple[Capacity, ...], **options: str) -> Books:
    return book([ALICE, *events], agreed(*lines, **options))


RACK = by_units("2026-06-01", "6000 USD", "60000 CU")
# so that uses before RACK need no cost
BASE = by_months("2026-01-01", "0 USD", "1 month", "base")


def test_what_the_meters_served_is_depreciated_by_month() -> None:
    """0.10 a unit: 120 of June are 12.00, 33.3 of August 3.33; in July nothing was served."""
    books = booked(
        consumption("2026-06-02", "alice", "100 CU"),
        consumption("2026-06-30", "alice", "20 CU", meter="chat"),
        consumption("2026-08-03", "alice", "33.3 CU", meter="free"),
        lines=(RACK,),
    )
    assert messages(books) == []
    assert shares(books) == ["2026-06-30 12", "2026-08-31 3.33"]
    first = next(entry for entry in books.journal if entry.kind == "depreciation")
    assert first.source == "capacity gpu of 2026-06-01, 120 CU of 60000 CU"


def test_units_are_those_of_the_meter() -> None:
    """250,000 at 12 CU a million are 3 CU, though 9 were charged: 0.30."""
    books = booked(measured("2026-06-02", "alice", "text", "250000", units="9 CU"), lines=(RACK,))
    assert shares(books) == ["2026-06-30 0.3"]
    charged = booked(measured("2026-06-02", "alice", "free", "250000", units="9 CU"), lines=(RACK,))
    assert shares(charged) == ["2026-06-30 0.9"]


def test_what_counts_is_of_its_provider_its_units_and_its_time() -> None:
    """Not another's meter, nobody's, or none; not before its first line."""
    gpu = by_units("2026-06-10", "6000 USD", "60000 GPU", "other")
    books = booked(
        consumption("2026-06-09", "alice", "100 CU"),
        consumption("2026-06-12", "alice", "100 CU", meter="far"),
        consumption("2026-06-12", "alice", "100 CU", meter="nobody"),
        consumption("2026-06-12", "alice", "1 CU"),
        lines=(BASE, RACK._replace(since=day("2026-06-10")), gpu),
    )
    assert messages(books) == []
    assert shares(books) == ["2026-06-30 0.1"] and shares(books, "other") == []


def test_overage_is_served_too() -> None:
    """1000 of the allocation and 500 beyond them: 150.00."""
    books = booked(consumption("2026-06-12", "alice", "1500 CU"), lines=(RACK,))
    assert shares(books) == ["2026-06-30 150"]


def test_never_more_than_there_is_to_depreciate() -> None:
    """1000 less 100.00 for 300 CU: 3.00 a unit; of 250 + 100 the last 50 cost nothing more."""
    line = by_units("2026-06-01", "1000 USD", "300 CU", residual="100 USD")
    books = booked(
        consumption("2026-06-12", "alice", "250 CU"),
        consumption("2026-07-12", "alice", "100 CU", id="u"),
        consumption("2026-08-12", "alice", "100 CU"),
        reversal("2026-09-01", "u"),
        lines=(line,),
    )
    assert shares(books) == ["2026-06-30 750", "2026-07-31 150"]  # 350 of 300 are still too many


def test_shares_are_rounded_on_the_running_total() -> None:
    """10.00 for 7 CU: 1.428, 2.857, 4.285 after 1, 2, 3 of them."""
    uses = [consumption(f"2026-0{month}-05", "alice", "1 CU") for month in (6, 7, 8)]
    books = booked(*uses, lines=(by_units("2026-06-01", "10 USD", "7 CU"),))
    assert shares(books) == ["2026-06-30 1.43", "2026-07-31 1.43", "2026-08-31 1.43"]


@pytest.mark.parametrize("on", ["2026-06-12", "2026-06-20", "2026-07-03"])
def test_a_reversed_use_was_not_served(on: str) -> None:
    """On its day, in its month, or later: then it comes back in the month of the reversal."""
    books = booked(
        consumption("2026-06-12", "alice", "100 CU"),
        consumption("2026-06-12", "alice", "40 CU", id="u"),
        measured("2026-06-12", "alice", "text", "500000", id="v"),
        consumption("2026-06-12", "alice", "7 CU", meter="nobody", id="w"),
        *(reversal(on, each) for each in "uvw"),
        lines=(RACK,),
    )
    assert messages(books) == []
    later = ["2026-06-30 14.6", "2026-07-31 -4.6"]
    assert shares(books) == (later if on > "2026-07" else ["2026-06-30 10"])


def test_a_reversed_use_beyond_the_holdings_gives_back_all_of_it() -> None:
    """1500, of which 500 were overage; and one that was overage alone."""
    books = booked(
        consumption("2026-06-12", "alice", "1500 CU", id="u"),
        consumption("2026-06-13", "alice", "10 CU", id="v"),
        reversal("2026-07-01", "u"),
        reversal("2026-07-01", "v"),
        lines=(RACK,),
    )
    assert shares(books) == ["2026-06-30 151", "2026-07-31 -151"]


def test_a_late_use_counts_when_it_is_booked() -> None:
    """If its own day is one of the capacity's."""
    late = {
        day("2026-07-01"): [
            consumption("2026-06-12", "alice", "50 CU"),
            consumption("2026-05-12", "alice", "30 CU"),
        ]
    }
    facts = Facts([ALICE, consumption("2026-07-03", "alice", "20 CU")], late=late)
    books = book_facts(facts, agreed(BASE, RACK), first_letter_up)
    assert messages(books) == []
    assert shares(books) == ["2026-07-31 7"]


def test_lines_by_units_and_by_months_follow_each_other() -> None:
    """10 of 100 CU by June are 100.00; 900.00 over 9 months from July; 25 of 50 CU in September."""
    books = booked(
        consumption("2026-06-12", "alice", "10 CU"),
        consumption("2026-07-12", "alice", "60 CU"),
        consumption("2026-09-01", "alice", "15 CU"),
        consumption("2026-09-12", "alice", "10 CU"),
        lines=(
            by_units("2026-06-01", "1000 USD", "100 CU"),
            by_months("2026-07-15", "1000 USD", "9 months"),
            by_units("2026-09-10", "1000 USD", "50 CU"),
        ),
    )
    assert shares(books) == [
        "2026-06-30 100",
        "2026-07-31 100",
        "2026-08-31 100",
        "2026-09-30 350",
    ]


def test_a_line_by_units_begins_at_nothing() -> None:
    """10 of 100 CU for 1000.00; then 900.00 for 90: each 10.00, whatever was served before it."""
    books = booked(
        consumption("2026-06-12", "alice", "10 CU"),
        consumption("2026-07-12", "alice", "9 CU"),
        lines=(
            by_units("2026-06-01", "1000 USD", "100 CU"),
            by_units("2026-07-01", "1000 USD", "90 CU"),
        ),
    )
    assert shares(books) == ["2026-06-30 100", "2026-07-31 90"]


def test_what_is_taken_back_of_an_earlier_line_is_served_first() -> None:
    """10 CU come back of June in August: nothing is depreciated until they are served again."""
    books = booked(
        consumption("2026-06-12", "alice", "10 CU", id="u"),
        reversal("2026-08-01", "u"),
        consumption("2026-09-12", "alice", "4 CU"),
        consumption("2026-10-12", "alice", "15 CU"),
        lines=(
            by_units("2026-06-01", "1000 USD", "100 CU"),
            by_units("2026-08-01", "1000 USD", "90 CU"),
        ),
    )
    assert shares(books) == ["2026-06-30 100", "2026-10-31 90"]


def test_what_was_served_before_the_books_is_not_booked() -> None:
    """100 of 300 CU were, of 700.00 that were left: then 7.00 / 3 a unit."""
    line = by_units("2026-06-01", "1000 USD", "300 CU", depreciated="300 USD", served="100 CU")
    books = booked(consumption("2026-06-12", "alice", "200 CU"), lines=(line,))
    assert shares(books) == ["2026-06-30 466.67"]
    state = opened(line)
    assert number(state.so_far) == "533.33"


def opened(line: Capacity) -> Depreciation:
    """How far a capacity is at the end of a month without use."""
    keeper = Bookkeeper(
        Facts([]), agreed(line, as_of="2026-06-30"), first_letter_up, None, [day("2026-06-30")]
    )
    list(keeper.entries())
    return keeper.states[day("2026-06-30")].depreciations["gpu"]


def test_merged_uses_count_all_the_same() -> None:
    """With one transaction a month and subscriber."""
    uses = [consumption(f"2026-06-{on}", "alice", "10 CU") for on in (11, 12, 13)]
    assert shares(booked(*uses, lines=(RACK,), grain="month")) == ["2026-06-30 3"]


def test_the_state_hands_on_what_was_served() -> None:
    """Month by month is all at once, also where a use of a closed month is reversed."""
    lines = (
        by_units("2026-06-01", "10 USD", "7 CU"),
        by_months("2026-08-01", "10 USD", "3 months"),
    )
    june = [ALICE, consumption("2026-06-12", "alice", "2 CU", id="u")]
    later = [consumption("2026-07-12", "alice", "3 CU"), consumption("2026-08-12", "alice", "1 CU")]
    ends = [day("2026-06-30"), day("2026-08-31")]
    keeper = Bookkeeper(Facts([*june, *later]), agreed(*lines), first_letter_up, None, ends)
    journal = list(keeper.entries())
    whole = shares(Books(journal, [], [], [], keeper.as_of))
    assert whole[:3] == ["2026-06-30 2.86", "2026-07-31 4.28", "2026-08-31 0.95"]
    state = keeper.states[ends[0]]
    assert state.depreciations["gpu"].served == 2
    assert keeper.states[ends[1]].depreciations["gpu"].served == 0
    again = Bookkeeper(Facts(later), agreed(*lines), first_letter_up, state)
    found = shares(Books(list(again.entries()), [], [], [], again.as_of))
    assert found == whole[1:]
    use = next(entry for entry in journal if entry.id == "u")
    state = state._replace(undo={"u": Undo(use)})
    facts = Facts([*later, reversal("2026-07-20", "u")])
    undone = Bookkeeper(facts, agreed(*lines), first_letter_up, state)
    found = shares(Books(list(undone.entries()), [], [], [], undone.as_of))
    assert found[0] == "2026-07-31 1.43"  # 3 CU in all
    gone = agreed(*lines)._replace(meters={"chat": Timeline[Meter]()})  # an error of its own
    without = Bookkeeper(Facts(facts.events[2:]), gone, first_letter_up, state)
    assert shares(Books(list(without.entries()), [], [], [], without.as_of))[0][:7] == "2026-08"


def test_a_meter_needs_no_cost_where_its_provider_has_capacity() -> None:
    """From the capacity's first day on; before it nobody could tell what a use costs."""
    books = booked(
        consumption("2026-05-31", "alice", "1 CU", line=2),
        consumption("2026-06-01", "alice", "1 CU", line=3),
        lines=(by_months("2026-06-01", "10 USD", "3 months"),),
    )
    (message,) = messages(books)
    assert message.startswith('2: meter "chat" of 2026-01-01 has a provider and no `cost`')
    assert not [entry for entry in books.journal if entry.kind == "cost"]
