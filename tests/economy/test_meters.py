"""Meters: a quantity takes units, at the terms of the day of the use."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.measuring import (
    quantities_by_lot,
    units_by_charge,
    weight_served,
    with_units,
)
from beancount_compute.economy.meters import METER_KEYS, PROVIDER_KEYS, Meter, parse_term_name
from beancount_compute.economy.refusals import Refused
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    at,
    book,
    consumption,
    day,
    measured,
    messages,
    pair,
    plan,
    reversal,
    shown,
    subscription,
    terms,
    text,
)

CHAT = "chat/output"


def meter(since: str = "2026-01-01", units: str = "12 CU", per: str = "1000000") -> Meter:
    charged = Money(*pair(units)) if units else None
    return Meter(CHAT, day(since), charged, Decimal(per))


def metered(*meters: Meter, **options: str) -> Terms:
    """The plan `pro` at 0.20 USD a unit, and a meter."""
    timeline = Timeline([(each.since, each) for each in meters or [meter()]])
    return terms(plan(), **options)._replace(meters={CHAT: timeline})


ALICE = subscription("2026-05-01", "alice")


def test_a_quantity_takes_units() -> None:
    """250,000 at 12 CU a million are 3 CU of alice's, which cost 0.20 USD each."""
    books = book([ALICE, measured("2026-05-20", "alice", CHAT, "250000")], metered())
    assert shown(books, "consumption") == text("""
        2026-05-20 consumption alice
          allocations alice 3 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          revenue alice pro -0.6 USD
    """)
    (entry,) = [each for each in books.journal if each.kind == "consumption"]
    assert (entry.meter, entry.quantity) == (CHAT, 250000)


def test_units_beside_a_quantity_are_what_is_charged() -> None:
    """The meter is then for the cost."""
    use = measured("2026-05-20", "alice", CHAT, "250000", units="7 CU")
    books = book([ALICE, use, consumption("2026-05-21", "alice", "2 CU", meter=CHAT)], metered())
    assert [str(leg.units) for each in books.journal[1:] for leg in each.legs[:1]] == ["7", "2"]


def test_a_use_takes_the_terms_of_its_day() -> None:
    """From 10 May a million takes 24 CU: 12 + 24 of 1000 CU, so 964 mint or lapse."""
    agreed = metered(meter(), meter("2026-05-10", "24 CU"))
    uses = [measured(f"2026-05-{on}", "alice", CHAT, "1000000") for on in ("09", "10")]
    books = book([ALICE, *uses], agreed)
    assert [leg.units for each in books.journal[1:] for leg in each.legs[:1]] == [12, 24]


def test_a_reversal_gives_back_the_very_units() -> None:
    """Whatever the meter says by then; it names the meter and quantity that it undoes."""
    agreed = metered(meter(), meter("2026-05-21", "24 CU"))
    events = [ALICE, measured("2026-05-20", "alice", CHAT, "1000000", id="u")]
    books = book([*events, reversal("2026-05-22", "u")], agreed)
    undone = books.journal[-1]
    assert [leg.units for leg in undone.legs[:1]] == [-12]
    assert (undone.meter, undone.quantity) == (CHAT, 1000000)


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ({"quantity": "1000000"}, {"quantity": "500000"}, ["18", "1500000"]),
        ({"quantity": "1000000"}, {"units": "6 CU"}, ["12", "1000000", "6", "0"]),
        ({"units": "12 CU"}, {"units": "6 CU", "meter": ""}, ["12", "0", "6", "0"]),
        ({"units": "12 CU"}, {"units": "6 CU"}, ["18", "0"]),
    ],
)
def test_uses_of_one_meter_merge(
    first: dict[str, str], second: dict[str, str], merged: list[str]
) -> None:
    """Their quantities add up; with others, or where one says no quantity, they don't."""
    uses = [
        measured(f"2026-05-{on}", "alice", **{"meter": CHAT, "quantity": "0", **each})
        for on, each in (("02", first), ("03", second))
    ]
    books = book([ALICE, *uses], metered(grain="month"))
    found = [each for each in books.journal if each.kind == "consumption"]
    assert [f"{each.legs[0].units:f}" for each in found] == merged[::2]
    assert [f"{each.quantity:f}" for each in found] == merged[1::2]


def test_uses_under_different_terms_do_not_merge() -> None:
    """So that each transaction rests on one line of its meter."""
    agreed = metered(meter(), meter("2026-05-10"), grain="month")
    uses = [measured(f"2026-05-{on}", "alice", CHAT, "1000000") for on in ("08", "09", "10")]
    found = book([ALICE, *uses], agreed).journal[1:]
    assert [each.uses for each in found] == [2, 1]


def test_what_no_meter_takes_is_refused() -> None:
    """An unknown meter, one that begins later, one without units, one of too many digits."""
    timeline = [meter("2026-05-10", ""), meter("2026-05-12", "12.345678901 CU", "1")]
    events = [
        ALICE,
        measured("2026-05-05", "alice", "chat/outpt", "1", line=2),
        measured("2026-05-09", "alice", CHAT, "1", line=3),
        measured("2026-05-10", "alice", CHAT, "1", line=4),
        measured("2026-05-12", "alice", CHAT, "1.2345", line=5),
        measured("2026-05-13", "alice", CHAT, "2", line=6),
        consumption("2026-05-13", "alice", "2 CU", meter="chat", line=7),
    ]
    books = book(events, metered(*timeline))
    before = "needs a compute-meter line on or before this day"
    assert messages(books) == [
        f'2: unknown meter "chat/outpt": {before}; did you mean "chat/output"?',
        f'3: unknown meter "chat/output": {before}; it begins on 2026-05-10',
        (
            '4: meter "chat/output" of 2026-05-10 has no `units`: write them there, or beside '
            "the quantity"
        ),
        (
            '5: 1.2345 "chat/output" take 15.2407406032845 CU, of more than 14 digits: write a '
            "quantity of fewer"
        ),
        f'7: unknown meter "chat": {before}',
    ]


def test_a_meter_that_can_t_be_read_is_the_cause() -> None:
    """What follows from its line is counted behind it."""
    agreed = terms(plan())._replace(refused_meters={CHAT: at(1)})
    books = book([ALICE, measured("2026-05-20", "alice", CHAT, "1", line=2)], agreed)
    assert [refusal.cause for refusal in books.refusals] == [at(1)]


def test_units_of_a_use_for_those_who_compare() -> None:
    """What can't be told stays as it is written."""
    use, other = (
        measured("2026-05-20", "alice", CHAT, "500000"),
        consumption("2026-05-20", "a", "5 CU"),
    )
    assert with_units(use, metered())[7] == 6
    assert with_units(use, terms()) is use
    assert with_units(other, metered()) is other


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("units", Money(Decimal(0), "CU"), "`units` 0 CU is not above zero"),
        ("per", Decimal(3), "`per` 3 is not a power of ten, such as 1000000"),
        ("cost", Money(Decimal(-1), "USD"), "`cost` -1 USD is below zero: write 0 or more"),
        ("provider", "open!ai", "\"open!ai\" can't be a provider's name: write letters, digits"),
        ("source", "a\nb", "`source` must be a text of one line"),
        ("beyond", Money(Decimal(-1), "USD"), "`beyond` -1 USD is below zero"),
    ],
)
def test_what_can_not_be_of_a_meter(key: str, value: object, said: str) -> None:
    """With the figures, and with what to write instead."""
    with pytest.raises(Refused) as refused:
        (METER_KEYS | PROVIDER_KEYS)[key].parse(value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("units", Money(Decimal("12.50"), "CU"), "12.5 CU"),
        ("per", Decimal(1000000), "1000000"),
        ("cost", Money(Decimal("0.4"), "USD"), "0.40 USD"),
        ("provider", " openai ", '"openai"'),
        ("source", 'the "list" of \\ May', '"the \\"list\\" of \\\\ May"'),
        ("beyond", Money(Decimal(1), "USD"), "1.00 USD"),
    ],
)
def test_what_a_meter_says_is_written_back(key: str, value: object, written: str) -> None:
    """As a ledger writes it."""
    row = (METER_KEYS | PROVIDER_KEYS)[key]
    assert row.write(row.parse(value)) == written


def test_names_of_meters() -> None:
    """NFC, without blanks at their ends."""
    assert parse_term_name(" gpt-5/in:cached ") == "gpt-5/in:cached"
    assert parse_term_name("cafe\u0301 au lait") == "caf\u00e9 au lait"


@pytest.mark.parametrize("name", ["", "  ", "chat output!", "chat\nout", "a" * 201])
def test_what_can_not_name_a_meter_is_refused(name: str) -> None:
    """Nothing, other characters, a line break within, more than 200 letters."""
    with pytest.raises(Refused, match="can't be a name here"):
        parse_term_name(name)


@pytest.mark.parametrize(
    ("of", "measured", "weight"),
    [
        (None, True, "3"),  # the units of a use that has no meter
        (meter(units=""), True, "250000"),  # a meter without units: what it measured
        (meter(units=""), False, "3"),
        (meter(), True, "3000000"),  # 250,000 x 12, beside
        (meter(), False, "3000000"),  # 3 x 1,000,000: 250,000 of it take 3 CU
    ],
)
def test_what_a_use_weighs_beside_others(of: Meter | None, measured: bool, weight: str) -> None:
    """In proportion to what it costs at the list, whether it says units or a quantity."""
    found = weight_served(of, Decimal(250000), Decimal(3), measured=measured)
    assert found == Decimal(weight)


def test_a_quantity_is_shared_by_the_units_of_lots_and_units_by_what_is_charged() -> None:
    """10 by 1 and 2 are 3.333333 and the rest; no quantity has no shares; 5 by 1.00 and 3.00."""
    units = [Decimal(1), Decimal(2)]
    assert quantities_by_lot(Decimal(10), units) == [Decimal("3.333333"), Decimal("6.666667")]
    assert quantities_by_lot(Decimal(), units) == [0, 0]
    charges = [Decimal("1.00"), Decimal("3.00")]
    assert units_by_charge(Decimal(5), charges) == [Decimal("1.25"), Decimal("3.75")]
