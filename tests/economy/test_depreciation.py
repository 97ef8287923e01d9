"""Capacity goes to the months of its life: figures worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.capacities import CAPACITY_KEYS, Capacity, Depreciation
from beancount_compute.economy.carried import Carried
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import MoneyLeg
from beancount_compute.economy.months import parse_span
from beancount_compute.economy.refusals import Refused
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    Books,
    at,
    book,
    book_facts,
    consumption,
    day,
    first_letter_up,
    grant,
    messages,
    number,
    pair,
    shown,
    terms,
    text,
)


def capacity(since: str, cost: str, life: str, name: str = "gpu", **more: Any) -> Capacity:
    """A line of a capacity of llama's."""
    span = parse_span(life)
    assert span is not None
    for key in ("residual", "depreciated", "can_serve"):
        if key in more:
            more[key] = Money(*pair(more[key]))
    if "started" in more:
        more["started"] = day(more["started"])
    place = at(more.pop("line", 0))
    return Capacity(name, day(since), Money(*pair(cost)), "llama", span, place=place, **more)


def agreed(*lines: Capacity, as_of: str = "") -> Terms:
    by_name: dict[str, list[tuple[date, Capacity]]] = {}
    for each in lines:
        by_name.setdefault(each.name, []).append((each.since, each))
    capacities = {name: Timeline(dated) for name, dated in by_name.items()}
    options = {"as_of": as_of} if as_of else {}
    return terms(**options)._replace(capacities=capacities)


def depreciated(*lines: Capacity, as_of: str) -> Books:
    return book([], agreed(*lines, as_of=as_of))


def shares(books: Books, name: str = "gpu") -> list[str]:
    """Day and amount of each share."""
    found = [entry for entry in books.journal if entry.subscriber == name]
    first = [(entry.date, entry.legs[0]) for entry in found]
    return [f"{on} {number(leg.number)}" for on, leg in first if isinstance(leg, MoneyLeg)]


def amounts(books: Books) -> list[str]:
    return [each.split()[1] for each in shares(books)]


def test_a_gpu_of_four_years() -> None:
    """4800.00 over 48 months are 100.00 a month, first on the last day of its first."""
    books = depreciated(capacity("2026-06-01", "4800 USD", "48 months"), as_of="2026-07-31")
    assert messages(books) == []
    assert shown(books) == text("""
        2026-06-30 depreciation gpu
          depreciation gpu 100 USD
          capacity gpu -100 USD
        2026-07-31 depreciation gpu
          depreciation gpu 100 USD
          capacity gpu -100 USD
    """)
    first = books.journal[0]
    assert (first.id, first.source, first.event) == (
        "depreciation/gpu/2026-06-30",
        "capacity gpu of 2026-06-01, share 1 of 48",
        None,
    )


def test_it_ends_with_its_life() -> None:
    """Four years and no longer, however far the books run."""
    books = depreciated(capacity("2026-06-01", "4800 USD", "48 months"), as_of="2036-01-01")
    assert len(books.journal) == 48
    assert shares(books)[-1] == "2030-05-31 100"
    assert sum(Decimal(each) for each in amounts(books)) == 4800


@pytest.mark.parametrize("since", ["2026-06-01", "2026-06-15", "2026-06-30"])
def test_a_month_begins_on_any_day(since: str) -> None:
    """The k-th month from the start begins in June, July, August."""
    books = depreciated(capacity(since, "300 USD", "3 months"), as_of="2027-01-01")
    assert shares(books) == ["2026-06-30 100", "2026-07-31 100", "2026-08-31 100"]


def test_a_start_on_the_31st_skips_no_month() -> None:
    """The second month from 31 January begins on 28 February."""
    books = depreciated(capacity("2026-01-31", "300 USD", "quarter"), as_of="2027-01-01")
    assert shares(books) == ["2026-01-31 100", "2026-02-28 100", "2026-03-31 100"]


def test_shares_are_rounded_on_the_running_total() -> None:
    """1000/7: 142.857, 285.714, 428.571, 571.428, 714.285, 857.142; the last takes the rest."""
    books = depreciated(capacity("2026-06-01", "1000 USD", "7 months"), as_of="2027-01-01")
    assert amounts(books) == ["142.86", "142.85", "142.86", "142.86", "142.86", "142.85", "142.86"]


def test_half_of_a_cent_goes_to_the_even_one() -> None:
    """0.05 over 2 months: 0.025 is 0.02, then 0.03."""
    assert amounts(
        depreciated(capacity("2026-06-01", "0.05 USD", "2 months"), as_of="2027-01-01")
    ) == [
        "0.02",
        "0.03",
    ]


def test_a_currency_without_decimals() -> None:
    """100 JPY over 6 months: 16.67, 33.33, 50, 66.67, 83.33."""
    books = depreciated(capacity("2026-06-01", "100 JPY", "6 months"), as_of="2027-01-01")
    assert amounts(books) == ["17", "16", "17", "17", "16", "17"]


def test_a_share_of_nothing_is_not_booked() -> None:
    """1 JPY over 4 months: 0.25, 0.5 (even: 0), 0.75, 1."""
    books = depreciated(capacity("2026-06-01", "1 JPY", "4 months"), as_of="2027-01-01")
    assert shares(books) == ["2026-08-31 1"]


def test_the_residual_stays() -> None:
    """5000.00 less 200.00 over 48 months."""
    line = capacity("2026-06-01", "5000 USD", "48 months", residual="200 USD")
    books = depreciated(line, as_of="2036-01-01")
    assert set(amounts(books)) == {"100"} and len(books.journal) == 48


def test_a_later_line_spreads_what_is_left() -> None:
    """200.00 are gone by August; (4900 - 200) / 10 from then on, from August's own share on."""
    books = depreciated(
        capacity("2026-06-01", "4800 USD", "48 months"),
        capacity("2026-08-10", "4900 USD", "10 months"),
        as_of="2028-01-01",
    )
    assert shares(books)[:4] == [
        "2026-06-30 100",
        "2026-07-31 100",
        "2026-08-31 470",
        "2026-09-30 470",
    ]
    assert shares(books)[-1] == "2027-05-31 470"
    assert sum(Decimal(each) for each in amounts(books)) == 4900


def test_of_two_lines_in_a_month_the_last_gives_its_share() -> None:
    """And a line may come when a life is over: 100 in June; 100 more over two months in October."""
    books = depreciated(
        capacity("2026-06-01", "4800 USD", "48 months"),
        capacity("2026-06-20", "100 USD", "1 months"),
        capacity("2026-10-02", "200 USD", "2 months"),
        as_of="2028-01-01",
    )
    assert shares(books) == ["2026-06-30 100", "2026-10-31 50", "2026-11-30 50"]


def test_a_higher_residual_stops_it() -> None:
    """300 of 400 are gone when it is found to be worth 150: nothing more (IAS 16.54)."""
    books = depreciated(
        capacity("2026-06-01", "400 USD", "4 months"),
        capacity("2026-09-01", "400 USD", "4 months", residual="150 USD", line=2),
        as_of="2028-01-01",
    )
    assert messages(books) == [] and amounts(books) == ["100", "100", "100"]


def test_a_cost_below_what_is_depreciated_is_refused() -> None:
    """Once; what was booked stays."""
    books = depreciated(
        capacity("2026-06-01", "400 USD", "4 months"),
        capacity("2026-09-01", "250 USD", "4 months", line=2),
        as_of="2028-01-01",
    )
    assert messages(books) == [
        (
            '2: capacity "gpu" costs 250 USD in all, and 300 USD are depreciated already: write '
            "its cost from the beginning; nothing is depreciated under this line"
        )
    ]
    assert amounts(books) == ["100", "100", "100"]


def test_what_was_before_the_books_is_not_booked() -> None:
    """Started in February: 400.00 are gone by June. Or 500.00 were before, of 9 months."""
    started = capacity("2026-06-01", "4800 USD", "48 months", started="2026-02-10")
    assert shares(depreciated(started, as_of="2036-01-01"))[0] == "2026-06-30 100"
    assert len(depreciated(started, as_of="2036-01-01").journal) == 44
    before = capacity("2026-06-01", "1400 USD", "9 months", depreciated="500 USD")
    assert amounts(depreciated(before, as_of="2036-01-01")) == ["100"] * 9
    both = capacity(
        "2026-06-01", "1400 USD", "9 months", depreciated="500 USD", started="2026-05-31"
    )
    assert amounts(depreciated(both, as_of="2036-01-01")) == ["100"] * 8
    same = capacity("2026-06-15", "900 USD", "9 months", started="2026-06-01")
    assert amounts(depreciated(same, as_of="2036-01-01")) == ["100"] * 9


def test_the_books_end_as_they_do_without_it() -> None:
    """On the last event's day, which is before the month's end; nothing is booked without one."""
    line = capacity("2026-06-01", "4800 USD", "48 months")
    books = book([grant("2026-07-30", "alice", "1 CU")], agreed(line))
    assert shares(books) == ["2026-06-30 100"]
    assert book([], agreed(line)).journal == []
    far = capacity("9999-11-02", "4800 USD", "48 months")
    assert shares(depreciated(far, as_of="9999-12-31")) == ["9999-11-30 100", "9999-12-31 100"]


def test_it_is_booked_behind_what_else_happens_on_the_day() -> None:
    """Each capacity by its name."""
    books = book(
        [grant("2026-06-30", "alice", "1 CU"), consumption("2026-06-30", "alice", "1 CU")],
        agreed(
            capacity("2026-06-01", "4800 USD", "48 months", "b"),
            capacity("2026-06-02", "100 USD", "1 months", "a"),
        ),
    )
    assert [(each.kind, each.subscriber) for each in books.journal] == [
        ("grant", "alice"),
        ("consumption", "alice"),
        ("depreciation", "a"),
        ("depreciation", "b"),
    ]


def test_a_capacity_makes_its_provider_known() -> None:
    assert agreed(capacity("2026-06-01", "1 USD", "1 months")).known_providers == {"llama"}


def state_after(last_day: str, *lines: Capacity) -> Carried:
    """What is handed on when a day is over."""
    keeper = Bookkeeper(
        Facts([]), agreed(*lines, as_of=last_day), first_letter_up, None, [day(last_day)]
    )
    list(keeper.entries())
    return keeper.states[day(last_day)]


def going_on(state: Carried, *lines: Capacity, as_of: str) -> tuple[list[str], list[str]]:
    """The shares that follow, and what is refused."""
    keeper = Bookkeeper(Facts([]), agreed(*lines, as_of=as_of), first_letter_up, state)
    journal = list(keeper.entries())
    books = Books(journal, [], keeper.refusals, [], keeper.as_of)
    return shares(books), messages(books)


LINES = (
    capacity("2026-06-01", "1000 USD", "7 months"),
    capacity("2026-09-15", "1200 USD", "7 months"),
    capacity("2026-08-15", "70 USD", "7 months", "later"),
)


@pytest.mark.parametrize(
    "last", ["2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2027-06-30"]
)
def test_month_by_month_is_all_at_once(last: str) -> None:
    """The state says how far it is; what follows is the same to the cent."""
    whole = shares(depreciated(*LINES, as_of="2028-01-01"))
    found, refused = going_on(state_after(last, *LINES), *LINES, as_of="2028-01-01")
    assert refused == []
    assert found == [each for each in whole if each[:10] > last]


def test_the_state_at_a_months_end() -> None:
    """428.57 by August; from September on (1200 - 428.57) / 7 = 110.2042..."""
    state = state_after("2026-09-30", *LINES)
    assert state.depreciations == {
        "gpu": Depreciation(
            day("2026-06-01"), day("2026-09-15"), Decimal("428.57"), Decimal("538.77"), "USD"
        ),
        "later": Depreciation(day("2026-08-15"), day("2026-08-15"), Decimal(), Decimal(20), "USD"),
    }
    assert list(state_after("2026-07-31", *LINES).depreciations) == ["gpu"]


def test_a_capacity_can_t_begin_in_a_closed_month() -> None:
    """Neither a new one nor a line before the first; what the books hold of it stays."""
    state = state_after("2026-07-31", *LINES)
    new = capacity("2026-07-15", "70 USD", "7 months", "new", line=7)
    found, refused = going_on(state, *LINES, new, as_of="2026-08-31")
    assert refused == [
        (
            '7: capacity "new" of 2026-07-15 begins in a month that was closed without it: date it '
            "on the first open day or later"
        )
    ]
    assert found == ["2026-08-31 142.86"]
    earlier = capacity("2026-05-15", "70 USD", "7 months", line=8)
    found, refused = going_on(state, *LINES, earlier, as_of="2026-08-31")
    assert found == [] and refused[0].startswith('8: capacity "gpu" of 2026-05-15 begins')


def test_a_capacity_that_is_gone_from_the_ledger_is_handed_on() -> None:
    """Which is an error of its own; the books keep what they know."""
    state = state_after("2026-07-31", *LINES)
    keeper = Bookkeeper(
        Facts([]), agreed(as_of="2026-08-31"), first_letter_up, state, [day("2026-08-31")]
    )
    assert list(keeper.entries()) == []
    assert keeper.states[day("2026-08-31")].depreciations == state.depreciations


def test_late_events_change_nothing_of_it() -> None:
    """They are booked on the first open day; no share lies there."""
    late = {day("2026-07-01"): [grant("2026-06-03", "alice", "1 CU")]}
    line = capacity("2026-06-01", "4800 USD", "48 months")
    books = book_facts(Facts([], late=late), agreed(line, as_of="2026-07-31"), first_letter_up)
    assert shares(books) == ["2026-06-30 100", "2026-07-31 100"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("life", "4 fortnights", '"4 fortnights" is not a span of time'),
        ("life", "90 days", '`life` "90 days" is not in months'),
        ("life", "1201 months", '`life` "1201 months" is more than 1,200 months'),
        ("residual", Money(Decimal(-1), "USD"), "`residual` -1 USD is below zero"),
        (
            "residual",
            Money(Decimal("0.001"), "USD"),
            "`residual` 0.001 USD is finer than the minor",
        ),
        ("depreciated", Money(Decimal("0.5"), "JPY"), "unit 1 JPY: write whole ones"),
        ("can-serve", Money(Decimal(), "CU"), "`can-serve` 0 CU is not above zero"),
        ("provider", "a/b", "\"a/b\" can't be a provider's name"),
    ],
)
def test_what_a_key_can_t_be(key: str, value: object, message: str) -> None:
    with pytest.raises(Refused) as refused:
        CAPACITY_KEYS[key].parse(value)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("life", "year", '"12 months"'),
        ("life", "1 month", '"1 month"'),
        ("residual", Money(Decimal(5), "USD"), "5.00 USD"),
        ("can-serve", Money(Decimal(500), "CU"), "500 CU"),
        ("provider", " own ", '"own"'),
        ("started", date(2026, 5, 1), "2026-05-01"),
    ],
)
def test_a_key_is_written_as_it_is_read(key: str, value: object, written: str) -> None:
    row = CAPACITY_KEYS[key]
    assert row.write(row.parse(value)) == written
