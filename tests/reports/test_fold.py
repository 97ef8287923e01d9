"""Adding up: facts alike in some fields, and cells by row and column."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from beancount_compute.economy.kinds import Flow
from beancount_compute.economy.rounding import ZERO
from beancount_compute.reports.books import Selection
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.fold import fold, pivot
from beancount_compute.reports.reading_money import earned_by_lots
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import STORY, books_of, rows

# Both use of the allocation of May on one day; at 0.20 USD, 200 + 1000 CU are 240.00 USD.
TOGETHER = [
    ("2026-05-01", "allocated", "allocations", 2000, "400.00"),
    ("2026-05-20", "used", "allocations", -1200, "-240.00"),
    ("2026-06-01", "minted", "allocations", -800, "-160.00"),
    ("2026-06-01", "minted", "tokens", 800, "160.00"),
    ("2026-06-01", "allocated", "allocations", 2000, "400.00"),
    ("2026-06-10", "traded out", "tokens", -500, "-100.00"),
    ("2026-06-10", "traded in", "tokens", 500, "100.00"),
    ("2026-06-20", "used", "allocations", -1000, "-200.00"),
    ("2026-06-20", "used", "tokens", -400, "-80.00"),
]


class Use(NamedTuple):
    """A fact, of which two fields may be folded away."""

    month: str
    plan: str
    subscriber: str
    units: Decimal
    at: int


USES = [
    Use("2026-06", "pro", "alice", Decimal(5), 0),
    Use("2026-05", "pro", "bob", Decimal(1), 1),
    Use("2026-06", "pro", "bob", Decimal(2), 2),
]


def test_facts_alike_in_some_fields_are_one() -> None:
    """7 in June, which comes first, and 1 in May; by plan 8. What is folded away can't be read."""
    found = fold(USES, ("month",), ("units",), ("plan",))
    assert found == [
        Use("2026-06", "pro", "", Decimal(7), SUMMED),
        Use("2026-05", "pro", "", Decimal(1), SUMMED),
    ]
    (whole,) = fold(USES, ("plan",), ("units",))
    assert (whole.units, whole.month) == (Decimal(8), None)
    assert fold([], ("plan",), ("units",)) == []
    assert fold(USES, ("at", "month", "plan", "subscriber"), ("units",)) == USES


def test_rows_and_columns_are_added_up_by_cell() -> None:
    """Alice used 5 and 2; bob sold 3, and nothing else adds to his row."""
    rows = [("alice",), ("bob",), ("alice",)]
    numbers = [Decimal(5), Decimal(3), Decimal(2)]
    found, sums = pivot(rows, ["used", "sold", "used"], numbers)
    assert found == [("alice",), ("bob",)]
    assert sums == {"used": [Decimal(7), None], "sold": [None, Decimal(3)]}


def refuse() -> NoReturn:
    raise AssertionError("the money was read")


def test_alike_movements_of_a_day_are_one() -> None:
    """By day, flow, pocket and lot; in order of date, without a subscriber or an account."""
    books = books_of(STORY)
    found = books.movements_of_all
    assert [
        (str(m.date), m.flow, m.pocket, int(m.units), f"{m.amount:f}") for m in found
    ] == TOGETHER
    assert {(m.subscriber, m.account, m.at) for m in found} == {("", "", -1)}
    assert {(m.month, m.origin, m.commodity, m.currency, m.undoes) for m in found} == {
        ("2026-05", "pro", "CU", "USD", False),
        ("2026-06", "pro", "CU", "USD", False),
    }


def test_alike_incomes_of_a_day_are_one() -> None:
    """The fee stands between the uses, which come from two lots on the last day."""
    found = books_of(STORY).incomes_of_all
    assert [(str(i.date), i.earning, f"{i.amount:f}", i.kind) for i in found] == [
        ("2026-05-20", "compute", "240.00", "consumption"),
        ("2026-06-10", "fees", "6.25", "trade"),
        ("2026-06-20", "compute", "200.00", "consumption"),
        ("2026-06-20", "compute", "80.00", "consumption"),
    ]
    assert [i.lot.date for i in found if i.lot] == [
        date(2026, 5, 1),
        date(2026, 5, 1),
        date(2026, 6, 1),
        date(2026, 5, 1),
    ]
    assert {(i.subscriber, i.at, i.undoes) for i in found} == {("", -1, False)}


def test_a_reversal_is_told_from_what_it_undoes() -> None:
    """Used and undone on one day is nothing in sum, and both keep their flow and kind."""
    undone = STORY.replace(
        '2026-06-10 custom "compute-trade"',
        '2026-05-21 custom "compute-reversal" "use-bob"\n2026-06-10 custom "compute-trade"',
    )
    books = books_of(undone)
    day = [m for m in books.movements_of_all if m.date == date(2026, 5, 21)]
    assert [(m.flow, int(m.units), f"{m.amount:f}") for m in day] == [("used", 1000, "200.00")]
    earned = [i for i in books.incomes_of_all if i.date == date(2026, 5, 21)]
    assert [(i.earning, f"{i.amount:f}", i.kind) for i in earned] == [
        ("compute", "-200.00", "consumption")
    ]


def test_what_was_undone_on_its_day_was_recognised_all_the_same() -> None:
    """July has its column among the vintages, with nothing in it."""
    used = '2026-07-01 custom "compute-consumption" "bob" 10 CU\n  id: "july"\n'
    books = books_of(STORY + used + '2026-07-01 custom "compute-reversal" "july"\n')
    last = [i for i in books.incomes_of_all if i.month == "2026-07"]
    assert [(i.earning, f"{i.amount:f}") for i in last] == [("compute", "0.00")]
    (row, _) = rows(books, "vintages", "revenue")
    assert row["2026-07"] == 0


def test_a_posting_of_nothing_is_not_recognised() -> None:
    """Such as an edited frozen one: no income, and no sum that would look like use undone."""
    used = next(each for each in books_of(STORY).movements if each.flow is Flow.USED)
    nothing = used._replace(units=ZERO, amount=ZERO)
    assert [each.amount for each in earned_by_lots([used, nothing])] == [-used.amount]
    assert replace(books_of(STORY), movements=(nothing,)).movements_of_all == ()


def test_sums_are_those_of_the_facts() -> None:
    """By day and kind, what was added up and what was not say the same."""
    books = books_of(STORY)
    amounts: defaultdict[Any, Decimal] = defaultdict(Decimal)
    for sign, incomes in ((1, books.incomes), (-1, books.incomes_of_all)):
        for each in incomes:
            amounts[each.date, each.earning, each.lot] += sign * each.amount
    assert not any(amounts.values())


def test_reports_of_units_alone_never_read_the_money() -> None:
    """That is half of the time of a large ledger."""
    books = replace(books_of(STORY), read_money=refuse)
    for name in ("rollforward", "lots"):
        assert all(table.rows for table in REPORTS[name].tables(books, Selection()))
