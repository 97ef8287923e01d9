"""The order, the content and the ids of events."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from itertools import permutations

import pytest

from beancount_compute.economy.events import Event, content_id, flaw_of, is_sound, same_content
from beancount_compute.economy.kinds import PHASE, Kind, Phase
from tests.economy.building import (
    at,
    bill,
    cancellation,
    change,
    consumption,
    grant,
    one_period,
    refund,
    reversal,
    spend,
    subscription,
    top_up,
    trade,
    transfer,
)

DAY = "2026-05-01"


def test_the_phases_of_a_day() -> None:
    """Cancellations, allocations, moves, consumption, corrections
    (manual/language.md, section 4)."""
    assert {kind: Phase(phase).name for kind, phase in PHASE.items()} == {
        Kind.CANCELLATION: "CANCELLATIONS",
        Kind.SUBSCRIPTION: "ALLOCATIONS",
        Kind.CHANGE: "ALLOCATIONS",
        Kind.ALLOCATION: "ALLOCATIONS",
        Kind.GRANT: "ALLOCATIONS",
        Kind.PURCHASE: "ALLOCATIONS",
        Kind.TRADE: "MOVES",
        Kind.TRANSFER: "MOVES",
        Kind.SPEND: "MOVES",
        Kind.CONSUMPTION: "CONSUMPTION",
        Kind.BILL: "CORRECTIONS",
        Kind.REFUND: "CORRECTIONS",
        Kind.CHARGEBACK: "CORRECTIONS",
        Kind.WRITE_OFF: "CORRECTIONS",
        Kind.RECOVERY: "CORRECTIONS",
        Kind.REVERSAL: "CORRECTIONS",
        Kind.COST: "CORRECTIONS",
    }
    assert sorted(Phase) == list(Phase)


IN_ORDER = {
    "day before phase": [
        reversal("2026-05-01", "x"),
        cancellation("2026-05-02", "a"),
    ],
    "phases": [
        cancellation(DAY, "z", time="23:00:00"),
        subscription(DAY, "y"),
        trade(DAY, "x", "w", "1 CU", "1 USD"),
        consumption(DAY, "b", "1 CU"),
        refund(DAY, "a", "1 CU"),
    ],
    "time before content, none first": [
        grant(DAY, "z", "9 CU"),
        grant(DAY, "y", "1 CU", time="08:00:00"),
        grant(DAY, "x", "1 CU", time="09:00:00"),
    ],
    "event": [
        one_period(DAY, "z"),
        grant(DAY, "y", "1 CU"),
        subscription(DAY, "x"),
    ],
    "moves by event": [
        spend(DAY, "z", "p", "1 CU", "1 USD"),
        trade(DAY, "y", "p", "1 CU", "1 USD"),
        transfer(DAY, "x", "p", "1 CU"),
    ],
    "text by code point": [
        grant(DAY, "Z", "1 CU"),
        grant(DAY, "a", "1 CU"),
        grant(DAY, "é", "1 CU"),
        grant(DAY, "\uffff", "1 CU"),
        grant(DAY, "🚀", "1 CU"),
    ],
    "counterparty": [
        transfer(DAY, "a", "b", "9 CU"),
        transfer(DAY, "a", "c", "1 CU"),
    ],
    "plan, absent first": [
        top_up(DAY, "a", "9 CU", "1 USD"),
        one_period(DAY, "a", "basic"),
        one_period(DAY, "a", "pro"),
    ],
    "numbers by value": [
        consumption(DAY, "a", "9 CU"),
        consumption(DAY, "a", "10 CU"),
        consumption(DAY, "a", "10.5 CU"),
    ],
    "days, absent first; a credit note is sound": [
        bill(DAY, "p", "-1 USD"),
        bill(DAY, "p", "-1 USD", last="2026-04-29"),
        bill(DAY, "p", "-1 USD", last="2026-04-30"),
        bill(DAY, "p", "-1 USD", first="2026-03-01"),
    ],
    "units, then price": [
        trade(DAY, "a", "b", "1 CU", "9 USD"),
        trade(DAY, "a", "b", "2 CU", "1 USD"),
        trade(DAY, "a", "b", "2 CU", "3 USD"),
    ],
    "paid, then currency": [
        top_up(DAY, "a", "1 CU", "1 USD"),
        top_up(DAY, "a", "1 CU", "2 EUR"),
        top_up(DAY, "a", "1 CU", "2 USD"),
    ],
    "expires, then id, then memo": [
        grant(DAY, "a", "1 CU", id="z"),
        grant(DAY, "a", "1 CU", expires="12 months", id="y"),
        grant(DAY, "a", "1 CU", expires="2027-01-01", id="b"),
        grant(DAY, "a", "1 CU", expires="2027-01-01", id="x", memo="z"),
        grant(DAY, "a", "1 CU", expires="2027-01-01", id="y", memo="a"),
        grant(DAY, "a", "1 CU", expires="2027-01-01", id="y", memo="b"),
    ],
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_events_sort_into_the_order_of_the_books(name: str) -> None:
    """Whatever order they come in, `sorted` gives that of manual/language.md, section 4."""
    expected = IN_ORDER[name]
    for shuffled in list(permutations(expected))[:120]:
        assert sorted(shuffled) == expected


def test_content_is_compared_by_value_without_place_and_extra_columns() -> None:
    """1000 and 1000.00 CU say the same; so do rows of two files with other `x_` columns."""
    one = consumption(DAY, "alice", "1000 CU", id="u", line=3)
    other = consumption(DAY, "alice", "1000.00 CU", id="u", line=9, extra=(("x_team", "red"),))
    assert one != other
    assert same_content(one, other)


@pytest.mark.parametrize(
    "other",
    [
        consumption("2026-05-02", "alice", "1 CU", id="u"),
        consumption(DAY, "bob", "1 CU", id="u"),
        consumption(DAY, "alice", "2 CU", id="u"),
        consumption(DAY, "alice", "1 GPU", id="u"),
        consumption(DAY, "alice", "1 CU", id="u", time="10:00:00"),
        consumption(DAY, "alice", "1 CU", id="u", memo="night run"),
        refund(DAY, "alice", "1 CU", id="u"),
    ],
)
def test_any_other_difference_is_other_content(other: Event) -> None:
    """Day, who, how much, of what, when, why, and what it is."""
    assert not same_content(consumption(DAY, "alice", "1 CU", id="u"), other)


def test_a_derived_id_comes_from_the_content_alone() -> None:
    """`e-` and 12 hex digits of a SHA-256, the same at any place
    (manual/language.md, section 3)."""
    one = consumption(DAY, "alice", "1 CU", line=3)
    assert content_id(one) == content_id(one._replace(**at(9)._asdict(), extra=(("x_a", "b"),)))
    prefix, digits = content_id(one).split("-")
    assert prefix == "e"
    assert len(digits) == 12
    assert set(digits) <= set("0123456789abcdef")


def test_days_of_a_bill_are_part_of_its_id() -> None:
    """In the words in which they are written; without them the id is that of the fields before."""
    fields = ["2026-06-02", "5", "", "bill", "", "openai", "", "None", "None", "7"]
    fields += ["USD", "", "", "", "", "", ""]
    for days, more in (
        (("", ""), []),
        (("", "2026-05-31"), ["to=2026-05-31"]),
        (("2026-05-01", "2026-05-31"), ["from=2026-05-01", "to=2026-05-31"]),
    ):
        digest = sha256("\x1f".join([*fields, *more]).encode()).hexdigest()
        assert content_id(bill("2026-06-02", "openai", "7 USD", *days)) == f"e-{digest[:12]}"


def test_a_derived_id_never_changes() -> None:
    """Reversals name such ids: the fields as text, parted by U+001F, worked out with hashlib."""
    fields = [DAY, "4", "", "consumption", "alice", "", "", "1", "None", "None"]
    fields += ["", "", "", "", "CU", "", ""]
    digest = sha256("\x1f".join(fields).encode()).hexdigest()
    assert content_id(consumption(DAY, "alice", "1 CU")) == f"e-{digest[:12]}"


def test_other_content_has_another_id() -> None:
    """Neither a comma in a name nor a shifted field makes two contents meet."""
    ids = {
        content_id(each)
        for each in (
            transfer(DAY, "a", "b", "1 CU"),
            transfer(DAY, "a\x1eb", "", "1 CU"),
            transfer(DAY, "", "a,b", "1 CU"),
            transfer(DAY, "b", "a", "1 CU"),
            transfer(DAY, "a", "b", "1 CU", memo="x"),
            transfer(DAY, "a", "b", "1 CU")._replace(units=Decimal("1.5")),
        )
    }
    assert len(ids) == 6


def test_a_name_with_a_lone_surrogate_has_an_id() -> None:
    """Text that UTF-8 can't hold is refused elsewhere; here it must not raise."""
    assert content_id(consumption(DAY, "\ud800", "1 CU")).startswith("e-")


@pytest.mark.parametrize(
    ("event", "flaw"),
    [
        (consumption(DAY, "a", "0 CU"), "0 CU is not above zero: write a positive number"),
        (consumption(DAY, "a", "-0.50 CU"), "-0.5 CU is not above zero: write a reversal of what"),
        (
            trade(DAY, "a", "b", "1 CU", "0 USD"),
            "0 USD is not above zero: units that are given away",
        ),
        (
            trade(DAY, "a", "b", "1 CU", "-1 USD"),
            "-1 USD is not above zero: write a positive number",
        ),
        (
            trade(DAY, "a", "b", "-1 CU", "1 USD"),
            "-1 CU is not above zero: write a reversal of what",
        ),
        (
            top_up(DAY, "a", "1 CU", "0 USD"),
            "0 USD is not above zero: units that cost nothing are a",
        ),
        (top_up(DAY, "a", "0 CU", "1 USD"), "0 CU is not above zero: write a positive number"),
        (top_up(DAY, "a", "1 CU", "-1 USD"), "-1 USD is not above zero: write a reversal of what"),
        (spend(DAY, "a", "p", "1 CU", "0 USD"), "0 USD is not above zero: write a positive number"),
        (top_up(DAY, "a", "1 CU", "1 CU"), "wrong currency: CU"),
        (
            consumption(DAY, "a", "0 CU")._replace(meter="gpu hours", quantity=Decimal(0)),
            'a quantity of 0 is not above zero: write how much of "gpu hours" was used',
        ),
        (
            consumption(DAY, "a", "1 CU")._replace(quantity=Decimal(-2)),
            "a quantity of -2 is below zero: write a positive number",
        ),
        (
            change(DAY, "a", "basic", "pro", charge="-1 USD", credit="1 USD"),
            "a charge of -1 USD is below zero: write what the invoice adds as `charge`",
        ),
        (
            subscription(DAY, "a")._replace(discount=Decimal(-5), currency="USD"),
            "-5 USD is not above zero: write a positive number",
        ),
        (
            bill("2026-06-30", "p", "1 USD", last="2026-06-30"),
            "a bill that is not dated behind its days: 2026-06-30 lies not behind 2026-06-30",
        ),
        (
            bill("2026-06-30", "p", "1 USD", "2026-06-01"),
            "its days begin on 2026-06-01 and end on 2026-05-31: write as `from` the first of",
        ),
        (bill(DAY, "p", "0 USD", "2026-04-02", "2026-04-01"), "its days begin on 2026-04-02"),
    ],
)
def test_figures_that_no_event_can_have(event: Event, flaw: str) -> None:
    """Units, prices and payments are above zero, and money is no unit
    (manual/language.md, section 6)."""
    assert not is_sound(event)
    assert flaw_of(event).startswith(flaw)


@pytest.mark.parametrize("name", IN_ORDER)
def test_events_with_sound_figures_have_no_flaw(name: str) -> None:
    """Absent figures are sound: a subscription has neither units nor currency."""
    assert all(is_sound(event) for event in IN_ORDER[name])
