"""Who came and left, and what recurs, of a small ledger with every event of a subscription's life.

alice stays on basic; bob leaves on 1 February and is won back in March; carol pays by the quarter;
dave goes from basic to pro in March, eve the other way.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.explaining import find_cell
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import HEAD, books_of, figures, rows

LIFE = (
    HEAD
    + """\
2026-01-01 custom "compute-plan" "basic" 100.00 USD 1000 CU
2026-01-01 custom "compute-plan" "pro" 300.00 USD 4000 CU
2026-01-01 custom "compute-plan" "team" 240.00 USD 3000 CU
  every: "quarter"
2026-01-01 custom "compute-subscription" "alice" "basic"
2026-01-01 custom "compute-subscription" "bob" "basic"
2026-01-01 custom "compute-subscription" "carol" "team"
2026-01-10 custom "compute-allocation" "alice" 500 CU 50.00 USD
2026-01-20 custom "compute-consumption" "alice" 200 CU
2026-01-20 custom "compute-cancellation" "bob" "basic"
2026-02-01 custom "compute-subscription" "dave" "basic"
2026-02-01 custom "compute-subscription" "eve" "pro"
2026-02-10 custom "compute-cancellation" "dave" "basic"
2026-02-10 custom "compute-cancellation" "eve" "pro"
2026-03-01 custom "compute-subscription" "bob" "basic"
2026-03-01 custom "compute-subscription" "dave" "pro"
2026-03-01 custom "compute-subscription" "eve" "basic"
2026-04-30 custom "compute-consumption" "alice" 100 CU
"""
)


@pytest.fixture(scope="module")
def life() -> Books:
    return books_of(LIFE)


def test_months_behind_the_books_are_empty(life: Books) -> None:
    """They end in April: from May on there is nothing to count."""
    for table in REPORTS["subscribers"].tables(life, Selection(date(2026, 5, 1))):
        assert table.rows == []


def test_people_come_stay_leave_and_come_back(life: Books) -> None:
    """In February bob leaves, dave and eve come; who changes plan without a day between stays."""
    found = rows(life, "subscribers", "people")
    assert [tuple(row.values())[:6] for row in found] == [
        ("2026-01", 0, 3, 0, 0, 3),
        ("2026-02", 3, 2, 0, 1, 4),
        ("2026-03", 4, 0, 1, 0, 5),
        ("2026-04", 5, 0, 0, 0, 5),
    ]
    assert [row["churn"] for row in found] == [None, Decimal("0.333333"), 0, 0]


def test_of_periods_that_end_most_are_bought_again(life: Books) -> None:
    """On 1 February two are over, and only alice's goes on; on 1 April all five do."""
    found = rows(life, "subscribers", "people")
    assert [row["repurchase"] for row in found] == [None, Decimal("0.5"), 1, 1]


def test_recurring_revenue_by_month(life: Books) -> None:
    """A quarter for 240.00 is 80.00 a month. March: bob 100.00 back, dave +200.00, eve -200.00."""
    january, february, march, april = rows(life, "subscribers", "recurring")
    assert figures(january) == {"new": "280.00", "closing": "280.00", "average": "93.333333"}
    assert figures(february) == {
        "opening": "280.00",
        "new": "400.00",
        "lost": "100.00",
        "closing": "580.00",
        "net_retention": "0.642857",  # 180 / 280
        "gross_retention": "0.642857",
        "average": "145.00",
    }
    assert figures(march) == {
        "opening": "580.00",
        "won_back": "100.00",
        "expansion": "200.00",
        "contraction": "200.00",
        "closing": "680.00",
        "net_retention": "1",
        "gross_retention": "0.655172",  # 380 / 580
        "average": "136.00",
    }
    assert april["opening"] == april["closing"] == 680


def test_bridge_goes_to_the_books_revenue(life: Books) -> None:
    """January: 440.00 billed for periods, 50.00 for a top-up, of which 20.00 were earned by use."""
    january, *_ = found = rows(life, "subscribers", "bridge")
    assert figures(january) == {
        "recurring": "280.00",
        "billing": "160.00",  # of the quarter's 240.00 two months more than recurs
        "top_ups": "50.00",
        "deferred": "-470.00",
        "revenue": "20.00",
    }
    revenue = {row["month"]: row["total"] for row in rows(life, "revenue", "by-month")}
    assert {row["month"]: row["revenue"] for row in found if row["revenue"]} == revenue


def test_each_month_opens_as_the_one_before_closed(life: Books) -> None:
    for table, opening, closing in (
        ("people", "at_start", "at_end"),
        ("recurring", "opening", "closing"),
    ):
        for one, other in pairwise(rows(life, "subscribers", table)):
            assert one[closing] == other[opening]


def test_a_plan_by_itself_loses_who_goes_to_another(life: Books) -> None:
    """Of basic: dave leaves it on 1 March, on which eve comes to it, and bob comes back."""
    found = rows(life, "subscribers", "people", Selection(plan="basic"))
    assert tuple(found[2].values())[:6] == ("2026-03", 2, 1, 1, 1, 3)


def test_some_months_only_open_with_who_was_there(life: Books) -> None:
    found = rows(life, "subscribers", "people", Selection(date(2026, 2, 1), date(2026, 3, 31)))
    assert [tuple(row.values())[:6] for row in found] == [
        ("2026-02", 3, 2, 0, 1, 4),
        ("2026-03", 4, 0, 1, 0, 5),
    ]


def test_a_reversed_start_never_was() -> None:
    """The first period of fred is undone on its day: nobody came."""
    undone = """\
2026-04-30 custom "compute-subscription" "fred" "basic"
  id: "s-fred"
2026-04-30 custom "compute-reversal" "s-fred/2026-04-30"
"""
    found = rows(books_of(LIFE + undone), "subscribers", "people")
    assert tuple(found[3].values())[:6] == ("2026-04", 5, 0, 0, 0, 5)


def test_a_cell_names_its_transactions(life: Books) -> None:
    """Two came in February: the first periods of dave and eve."""
    report = REPORTS["subscribers"]
    tables = report.tables(life, Selection(), "people")
    cell = find_cell(tables, "2026-02", "new", "people")
    traced = report.trace(life, Selection(), cell.asked)
    assert [(life.transactions[at].payee, number) for at, number in traced] == [
        ("dave", 1),
        ("eve", 1),
    ]
    cell = find_cell(tables, "2026-03", "at_start", "people")
    assert sum(number for _, number in report.trace(life, Selection(), cell.asked)) == 4


def test_a_shortfall_is_on_the_way_to_the_books_revenue() -> None:
    """30.00 of access recur; of at least 100.00 a quarter 70.00 was used, 30.00 is breakage."""
    commitment = HEAD + (
        '2026-01-01 custom "compute-plan" "seat" 30.00 USD\n'
        '2026-01-01 custom "compute-plan" "commit" 0.00 USD 0 CU\n'
        '  every: "quarter"\n  overage: 0.02 USD\n  minimum: 100.00 USD\n'
        '2026-01-01 custom "compute-option" "as-of" 2026-03-31\n'
        '2026-03-01 custom "compute-subscription" "ann" "seat"\n'
        '2026-01-01 custom "compute-subscription" "bob" "commit"\n'
        '2026-03-10 custom "compute-consumption" "bob" 3500 CU\n'
    )
    books = books_of(commitment)
    (march,) = rows(books, "subscribers", "bridge")
    assert figures(march) == {
        "recurring": "30.00",
        "shortfalls": "30.00",
        "overage": "70.00",
        "revenue": "130.00",
    }
    *_, total = rows(books, "revenue", "by-month")
    assert figures(total)["total"] == "130.00"


CHANGED = (
    HEAD
    + """\
2026-01-01 custom "compute-plan" "seat" 30.00 USD
2026-01-01 custom "compute-plan" "studio" 60.00 USD
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-05-01 custom "compute-subscription" "erin" "seat"
2026-05-01 custom "compute-subscription" "oscar" "seat"
2026-05-11 custom "compute-change" "erin" "seat" "studio"
2026-06-21 custom "compute-change" "oscar" "seat" "studio"
  charge: 25.00 USD
  credit: 20.00 USD
"""
)


def test_a_period_that_a_change_began_recurs_as_a_whole_one() -> None:
    """Erin's 21 of 31 days, 40.65, are 60.00 a month; oscar's 10 of 30 are invoiced at 25.00.

    That is 75.00 a month, though only 10.00 + 25.00 - 20.00 are deferred for these days.
    """
    may, june = rows(books_of(CHANGED), "subscribers", "recurring")
    assert (str(may["closing"]), str(june["closing"])) == ("90.00", "135.00")
    assert figures(june) == {
        "opening": "90.00",  # erin 60.00, oscar 30.00
        "expansion": "45.00",
        "closing": "135.00",
        "net_retention": "1.5",
        "gross_retention": "1",
        "average": "67.50",
    }
