"""Opening lots that came after the books began: on their day, under their `why`.

By hand: 100.00 of alice's are brought in, 150.00 are topped up in March; 50.00 of bob's come on 15
April, of which he uses 10.00 on 20 April and 5.00 on 20 May.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.charts.flow import unit_flow
from beancount_compute.reports.disclosure import disclosure
from beancount_compute.reports.intervals import Interval
from beancount_compute.reports.rollforward import ROLLFORWARD, deferred_by
from beancount_compute.reports.summary import flows_of
from tests.reports.showing import books_of
from tests.reports.showing import figures as cells
from tests.reports.story import figures, rows

HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Equity:Opening
"""
TOKENS = "Liabilities:DeferredRevenue:Tokens"
BEGINS = f"""\
2026-02-01 * "Opening" #compute-opening
  {TOKENS}:Alice  -500 CU {{0.20 USD, 2025-12-01, "top-up"}}
  Equity:Opening
2026-03-05 custom "compute-allocation" "alice" 600 CU 150.00 USD
"""
BOB = f'{TOKENS}:Bob  -250 CU {{0.20 USD, 2025-11-01, "top-up"}}'
USES = """\
2026-04-20 custom "compute-consumption" "bob" 50 CU
2026-05-20 custom "compute-consumption" "bob" 25 CU
"""
MARCH = Selection(date(2026, 3, 1), date(2026, 3, 31))
APRIL = Selection(date(2026, 4, 1), date(2026, 4, 30))
MAY = Selection(date(2026, 5, 1), date(2026, 5, 31))
OLD, NEW = ("in the opening balance", "USD"), ("added in the period", "USD")


def entered(why: str, lot: str = BOB, day: str = "2026-04-15") -> str:
    return f'{day} * "Taken over" #compute-opening\n  why: "{why}"\n  {lot}\n  Equity:Opening\n'


def ledger(why: str = "acquired", lot: str = BOB) -> Books:
    return books_of(HEAD + BEGINS + entered(why, lot) + USES)


def money(books: Books, selection: Selection) -> dict[str, str]:
    (*_, total) = rows(books, "rollforward", "money-by-pocket", selection)
    return figures(total)


def test_a_month_opens_with_what_the_one_before_closed_with() -> None:
    """March closes at 250.00 and April opens at it; 50.00 are acquired, 10.00 used."""
    books = ledger()
    assert money(books, MARCH) == {"opening": "100.00", "topped_up": "150.00", "closing": "250.00"}
    april = {"opening": "250.00", "acquired": "50.00", "used": "-10.00", "closing": "290.00"}
    assert money(books, APRIL) == april
    assert money(books, MAY) == {"opening": "290.00", "used": "-5.00", "closing": "285.00"}
    assert money(books, Selection()) == {
        "opening": "100.00",
        "acquired": "50.00",
        "topped_up": "150.00",
        "used": "-15.00",
        "closing": "285.00",
    }
    (bob,) = rows(books, "rollforward", "units-by-subscriber", APRIL._replace(subscriber="bob"))
    assert figures(bob) == {"acquired": "250", "used": "-50", "closing": "200"}


def test_what_was_entered_is_added_in_its_month_and_on_its_day() -> None:
    """The movement that Fava and the pack draw: April adds 50.00; by day it is the 15th."""
    table = deferred_by(ledger(), Selection(), Interval.MONTH)
    assert [" ".join(map(str, row)) for row in table.rows] == [
        "2026-02 USD 100.00 0.00 0.00 0.00 100.00",
        "2026-03 USD 100.00 150.00 0.00 0.00 250.00",
        "2026-04 USD 250.00 50.00 -10.00 0.00 290.00",
        "2026-05 USD 290.00 0.00 -5.00 0.00 285.00",
    ]
    days = deferred_by(ledger(), APRIL, Interval.DAY).rows
    assert [str(row[0]) for row in days if row[3]] == ["2026-04-15"]


def test_revenue_of_what_was_entered_counts_as_of_the_opening_balance_from_the_next_period() -> (
    None
):
    """April: none of the 250.00 earned anything, and the 10.00 used were not in it. May: 5.00."""
    books = ledger()
    assert cells(disclosure(), books, APRIL, "movement") == {
        OLD: {"opening": "250.00", "closing": "250.00"},
        NEW: {"acquired": "50.00", "used": "-10.00", "closing": "40.00"},
        ("total", "USD"): {
            "opening": "250.00",
            "acquired": "50.00",
            "used": "-10.00",
            "closing": "290.00",
        },
    }
    assert cells(disclosure(), books, APRIL, "opening-revenue") == {}
    assert OLD not in cells(disclosure(), books, APRIL, "revenue")
    assert cells(disclosure(), books, MAY, "opening-revenue") == {
        ("2025-11", "USD"): {"use": "5.00", "revenue": "5.00"}
    }
    whole = cells(disclosure(), books, Selection(), "movement")
    assert (whole[OLD]["opening"], whole[NEW]["acquired"]) == ("100.00", "50.00")
    assert (whole[OLD]["closing"], whole[NEW]["closing"]) == ("100.00", "185.00")


def test_of_a_lot_like_one_that_was_held_nobody_can_tell_which_units_came_when() -> None:
    """Bob's lot is alice's in cost, date and label: one lot, which was in the opening balance."""
    books = ledger(lot=f'{TOKENS}:Bob  -250 CU {{0.20 USD, 2025-12-01, "top-up"}}')
    found = cells(disclosure(), books, APRIL, "movement")[OLD]
    assert found["acquired"] == "50.00" and found["closing"] == "290.00"
    assert money(books, APRIL)["opening"] == "250.00"


def test_a_lot_that_was_gone_before_it_came_again_was_not_in_the_opening_balance() -> None:
    """Alice's 500 CU are used up in March; the same lot comes with bob in April."""
    lot = f'{TOKENS}:Bob  -250 CU {{0.20 USD, 2025-12-01, "top-up"}}'
    gone = '2026-03-02 custom "compute-consumption" "Alice" 500 CU\n'
    gone += '2026-03-01 custom "compute-subscriber" "Alice"\n'
    books = books_of(
        HEAD + BEGINS.replace("alice", "Alice") + gone + entered("acquired", lot) + USES
    )
    found = cells(disclosure(), books, APRIL, "movement")
    assert found[NEW] == {"acquired": "50.00", "used": "-10.00", "closing": "40.00"}
    assert found[OLD] == {"opening": "150.00", "closing": "150.00"}


def test_what_came_in_ties() -> None:
    """500 brought in, 250 entered later, 600 topped up; 50.00 of the money are entered later."""
    units, amounts = flows_of(ledger())
    assert (units["opening", "CU"], units["entered later", "CU"]) == (500, 250)
    assert amounts["entered later", "USD"] == Decimal("50.00")


@pytest.mark.parametrize(
    ("why", "key", "title"),
    [
        ("Acme's customers", "acme_s_customers", "Acme's customers"),
        ("used", "entered_used", "used"),
        ("plan", "entered_plan", "plan"),
        ("  two \t blanks ", "two_blanks", "two blanks"),
        ("!?", "entered", "!?"),
        ("Übernommen", "übernommen", "Übernommen"),
        ("customers of Acme, bought in April", "customers_of_acme_bought_in_april", None),
    ],
)
def test_a_why_is_a_figure_of_its_own(why: str, key: str, title: str | None) -> None:
    """Whatever it says, it is no other figure; a long one is broken into lines."""
    (table, *_) = [
        each
        for each in ROLLFORWARD.tables(ledger(why.replace("\t", "\\t")), APRIL)
        if each.name == "money-by-pocket"
    ]
    column = table.columns[3]
    assert column.key == key and len({each.key for each in table.columns}) == len(table.columns)
    assert column.title == (title or "customers of\nAcme, bought in\nApril")


def test_two_whys_of_one_spelling_stay_two() -> None:
    """50.00 acquired on the 15th, and 2.00 "Acquired!" on the 16th; alike ones are one figure."""
    dora = f'{TOKENS}:Dora  -10 CU {{0.20 USD, 2025-11-01, "top-up"}}'
    more = entered("Acquired!", dora, "2026-04-16") + entered("acquired", dora, "2026-04-17")
    april = money(books_of(HEAD + BEGINS + entered("acquired") + more), APRIL)
    assert (april["acquired"], april["acquired_2"]) == ("52.00", "2.00")


def test_opening_lots_of_two_months_ahead_of_the_first_bookings_open_one_of_them() -> None:
    """31 January and 1 February: February opens with what January closed with."""
    first = BEGINS.split("2026-03")[0].replace("2026-02-01", "2026-01-31", 1)
    books = books_of(HEAD + first + BEGINS.replace(":Alice", ":Bob"))
    january = Selection(date(2026, 1, 1), date(2026, 1, 31))
    february = Selection(date(2026, 2, 1), date(2026, 2, 28))
    assert money(books, january) == {"opening": "100.00", "closing": "100.00"}
    found = {"opening": "100.00", "opening_lots": "100.00", "closing": "200.00"}
    assert money(books, february) == found
    assert money(books, Selection())["opening"] == "200.00"
    table = deferred_by(books, Selection(), Interval.MONTH)
    assert [str(row[2]) for row in table.rows] == ["100.00", "100.00", "200.00"]
    assert cells(disclosure(), books, february, "movement")[OLD]["opening"] == "100.00"


@pytest.mark.parametrize(("why", "node"), [("acquired", "acquired"), ("used", "entered_used")])
def test_units_flow_from_what_was_entered(why: str, node: str) -> None:
    """250 of it into tokens; a name that another node has is not taken."""
    books = ledger(why)
    tables = ROLLFORWARD.tables(books, APRIL)
    (chart,) = unit_flow(next(each for each in tables if each.name == "units-by-pocket"))
    (trace,) = chart.figure["data"]
    names = [label.split("<br>")[0] for label in trace["node"]["label"]]
    links = trace["link"]
    flows = {
        (names[source], names[target]): value
        for source, target, value in zip(
            links["source"], links["target"], links["value"], strict=True
        )
    }
    assert flows[node, "tokens"] == 250 and flows["tokens", "used"] == 50


def test_the_statement_says_why() -> None:
    """Bob's: 250 acquired, 50 used."""
    april = APRIL._replace(subscriber="bob")
    lines = rows(ledger(), "statement", "lines", april)
    assert [(row["flow"], str(row["units"])) for row in lines] == [
        ("acquired", "250"),
        ("used", "-50"),
    ]
