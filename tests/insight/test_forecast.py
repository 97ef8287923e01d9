"""The forecast of a ledger worked out by hand, its burn-down, and what is too little for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from beancount_compute.insight.all_estimates import INSIGHTS
from beancount_compute.insight.burn_down import burn_down
from beancount_compute.insight.forecast import forecast_of
from beancount_compute.insight.months_from import MonthsFrom
from beancount_compute.insight.vintage_flows import flows_of_vintages
from beancount_compute.reports import Books, Selection
from beancount_compute.reports.tables import Cell
from tests.reports.story import HEAD, STORY, books_of, by_key

END = date(2026, 3, 31)
TOP_UPS = (
    HEAD
    + """\
2026-01-01 custom "compute-subscriber" "carol"
2026-01-01 custom "compute-allocation" "alice" 1000 CU 100.00 USD
  expires: 2026-04-15
2026-02-01 custom "compute-allocation" "bob" 1000 CU 100.00 USD
  expires: 2026-05-15
2026-02-10 custom "compute-trade" "alice" "carol" 300 CU 0.12 USD
2026-02-20 custom "compute-consumption" "alice" 300 CU
2026-03-01 custom "compute-allocation" "dave" 1000 CU 100.00 USD
  expires: 2026-06-15
2026-03-20 custom "compute-consumption" "alice" 210 CU
2026-03-20 custom "compute-consumption" "bob" 200 CU
2026-03-20 custom "compute-trade" "bob" "carol" 100 CU 0.12 USD
"""
)


@pytest.fixture(scope="module")
def top_ups() -> Books:
    return books_of(TOP_UPS)


def rows(books: Books, table: str, selection: Selection | None = None) -> list[dict[str, Cell]]:
    (found,) = INSIGHTS["forecast"].tables(books, selection or Selection(end=END), table)
    return by_key(found)


def of(row: dict[str, Cell], *keys: str) -> list[str]:
    return [str(row[key]) for key in keys]


def test_the_forecast_by_hand(top_ups: Books) -> None:
    """At the age of 1 month 200.00 were open (January's 100.00 in February, February's in March):
    50.00 used, 40.00 sold, so 0.25 and 0.2. At that of 2, January's 70.00 in March: 21.00, so 0.3.

    January's  49.00: no vintage was seen at 3 months; lapses on 15 April
    February's 80.00: in April 0.3 are used, 24.00; the other 56.00 lapse in May
    March's   100.00: 25.00 in April (and 20.00, 200 CU, are sold), 22.50 in May, 52.50 lapse
    """
    keys = ("month", "opening", "used", "lapsed", "otherwise", "closing", "said")
    assert [of(row, *keys) for row in rows(top_ups, "release")] == [
        ["2026-04", "229.00", "49.00", "49.00", "0.00", "131.00", "too few"],
        ["2026-05", "131.00", "22.50", "56.00", "0.00", "52.50", "too few"],
        ["2026-06", "52.50", "0.00", "52.50", "0.00", "0.00", "too few"],
        ["total", "229.00", "71.50", "157.50", "0.00", "0.00", "too few"],
    ]
    sold = [of(row, "month", "units", "amount") for row in rows(top_ups, "sold-on")]
    assert sold == [["2026-04", "200", "20.00"], ["total", "200", "20.00"]]
    (band,) = rows(top_ups, "bands")
    assert of(band, "expected", "amount") == ["2026-04-01 to 2026-06-30", "229.00"]


def test_what_ends_on_the_first_of_a_month_was_not_there_to_be_used_in_it() -> None:
    """In February only bob's 100.00 could be used: half of them were. January is no whole month."""
    books = books_of(
        HEAD
        + """\
2026-01-10 custom "compute-allocation" "alice" 1000 CU 100.00 USD
  expires: 2026-02-01
2026-01-10 custom "compute-allocation" "bob" 1000 CU 100.00 USD
  expires: 2026-06-01
2026-02-10 custom "compute-consumption" "bob" 500 CU
"""
    )
    day = date(2026, 2, 28)
    found = flows_of_vintages(books.movements, books.terms, MonthsFrom(day), 0)
    (flows,) = found.values()
    assert flows.seen == {(0, 1): (100, 50, 0, 0)}
    assert flows.held == {(1, 4, False): (50, 500)}
    assert forecast_of(books, Selection(end=day)).past == 1


def test_burn_down_by_hand(top_ups: Books) -> None:
    """alice: 510 CU in 90 days; of her 190 she uses 79.33 in 14 days, 110.67 lapse. bob has used
    200 in 59 days: of 700, 44 days leave 550.85. carol and dave used nothing."""
    keys = ("subscriber", "held", "a_day", "day", "outcome", "lapsing")
    assert [of(row, *keys) for row in rows(top_ups, "burn-down")] == [
        ["alice", "190", "5.67", "2026-04-15", "lapses first", "110.67"],
        ["bob", "700", "3.39", "2026-05-15", "lapses first", "550.85"],
        ["carol", "400", "0", "2026-04-15", "lapses first", "400"],
        ["dave", "1000", "0", "2026-06-15", "lapses first", "1000"],
    ]


@pytest.mark.parametrize(
    ("held", "a_day", "outcome", "day", "lapsing"),
    [
        # 90 units at 20 a day: the fifth day takes the last ten
        ([(None, "90")], 20, "used up", date(2026, 4, 5), 0),
        ([(None, "90")], 0, "not used", None, 0),
        # one day before it ends: 20 of 30; the 40 without an end are used up later
        ([(date(2026, 4, 2), "30"), (None, "40")], 20, "lapses first", date(2026, 4, 2), 10),
        ([(date(2026, 4, 4), "60"), (date(2026, 4, 5), "20")], 20, "used up", date(2026, 4, 4), 0),
        ([(date(2026, 3, 1), "5")], 20, "lapses first", date(2026, 3, 1), 5),  # not yet booked
        ([(None, "1e9")], Fraction(1, 100), "used up", None, 0),  # past the calendar
    ],
)
def test_what_happens_first(
    held: Sequence[tuple[date | None, str]],
    a_day: int,
    outcome: str,
    day: date | None,
    lapsing: int,
) -> None:
    lots = [(end, Decimal(units)) for end, units in held]
    assert burn_down(lots, Fraction(a_day), END) == (outcome, day, lapsing)


def test_an_allocation_goes_on_as_the_tokens_it_becomes() -> None:
    """bob's 100 CU of May lapse as tokens on 1 June 2027; a month's units don't end with it."""
    books = books_of(STORY)
    found = rows(books, "release", Selection(end=date(2026, 5, 31)))
    assert of(found[-1], "month", "opening", "lapsed") == ["total", "160.00", "160.00"]
    assert of(found[0], "month", "closing") == ["2026-06", "160.00"]
    assert of(found[-2], "month", "lapsed") == ["2027-06", "160.00"]


def test_what_has_no_end_has_no_month() -> None:
    books = books_of(HEAD + '2026-01-01 custom "compute-allocation" "alice" 1000 CU 100.00 USD\n')
    selection = Selection(end=date(2026, 1, 31))
    (total,) = rows(books, "release", selection)
    assert of(total, "month", "opening", "closing") == ["total", "100.00", "100.00"]
    (band,) = rows(books, "bands", selection)
    assert of(band, "expected", "amount") == ["without an end", "100.00"]
    assert any("no month" in str(row["note"]) for row in rows(books, "notes", selection))
    assert rows(books, "sold-on", selection) == []


def test_what_nobody_booked_yet_is_no_past(top_ups: Books) -> None:
    """A day behind the books' last month is its end; at most ten years are looked at."""
    far = Selection(end=date.max)
    assert rows(top_ups, "release", far) == rows(top_ups, "release")
    assert rows(top_ups, "burn-down", far) == rows(top_ups, "burn-down")
    old = '1990-01-01 custom "compute-allocation" "alice" 1 CU 1.00 USD\n'
    as_of = '1990-01-01 custom "compute-option" "as-of" 2026-03-31\n'
    found = forecast_of(books_of(TOP_UPS.replace(HEAD, HEAD + as_of + old)), far)
    assert (found.past, found.months.day) == (120, END)


def test_nothing_and_too_little_are_said(top_ups: Books) -> None:
    empty = books_of(HEAD)
    assert of(rows(empty, "notes")[0], "note") == ["No units are deferred."]
    used = books_of(
        HEAD
        + '2026-01-01 custom "compute-allocation" "alice" 100 CU 10.00 USD\n'
        + '2026-01-02 custom "compute-consumption" "alice" 100 CU\n'
    )
    assert rows(used, "release") == []
    assert of(rows(used, "notes")[0], "note") == ["No units are deferred."]
    sold = HEAD + (
        '2026-01-01 custom "compute-plan" "seat" 30.00 USD\n'
        '2026-03-10 custom "compute-subscription" "ann" "seat"\n'
    )
    no_units, access = rows(books_of(sold), "notes")
    assert of(no_units, "note") == ["No units are deferred."]
    assert "Access is left out" in str(access["note"])
    before = Selection(end=date(2025, 12, 31))
    assert rows(top_ups, "release", before) == rows(top_ups, "burn-down", before) == []
    alone = Selection(end=END, subscriber="alice")
    assert rows(top_ups, "release", alone) == []
    assert [row["subscriber"] for row in rows(top_ups, "burn-down", alone)] == ["alice"]
    assert "only the burn-down" in str(rows(top_ups, "notes", alone)[0]["note"])


def test_a_larger_ledger_has_intervals_in_every_month_that_vintages_say() -> None:
    """40 buy 100 CU each month for ten months; odd ones use half a month later, then it lapses."""
    lines = [HEAD]
    for month in range(1, 11):
        for name in range(40):
            lines.append(
                f'2026-{month:02}-01 custom "compute-allocation" "u{name:02}" 100 CU 10.00 USD\n'
                f"  expires: 2026-{month + 2:02}-20\n"
            )
            if month > 1 and (name + month) % 3:
                lines.append(f'2026-{month:02}-15 custom "compute-consumption" "u{name:02}" 50 CU')
    books = books_of("\n".join(lines))
    first, *_, total = rows(books, "release", Selection(end=date(2026, 10, 31)))
    for row in (first, total):
        low, used, high = (row[key] for key in ("used_low", "used", "used_high"))
        assert isinstance(low, Decimal) and isinstance(high, Decimal) and isinstance(used, Decimal)
        assert 0 <= low < used < high and row["said"] == ""
