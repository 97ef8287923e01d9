"""Bob's statement of the story, by hand."""

from __future__ import annotations

from datetime import date

from beancount_compute.reports.books import Selection
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import STORY, books_of, figures, rows

BOB = Selection(subscriber="bob")


def test_every_line_shows_what_is_held_after_it() -> None:
    """Both pockets together; the last use draws on two lots, so it has two lines."""
    lines = rows(books_of(STORY), "statement", "lines", BOB)
    assert [
        (row["line"], row["date"], row["event"], row["flow"], row["pocket"], row["lot"])
        for row in lines
    ] == [
        (1, "2026-05-01", "s-bob/2026-05-01", "allocated", "allocations", "pro of 2026-05-01"),
        (2, "2026-05-20", "use-bob", "used", "allocations", "pro of 2026-05-01"),
        (3, "2026-06-01", "s-bob/2026-06-01", "allocated", "allocations", "pro of 2026-06-01"),
        (4, "2026-06-10", "trade", "traded in", "tokens", "pro of 2026-05-01"),
        (5, "2026-06-20", "use-more", "used", "allocations", "pro of 2026-06-01"),
        (6, "2026-06-20", "use-more", "used", "tokens", "pro of 2026-05-01"),
    ]
    held = [
        tuple(f"{row[key]:f}" for key in ("units", "units_held", "amount", "amount_held"))
        for row in lines
    ]
    assert held == [
        ("1000", "1000", "200.00", "200.00"),
        ("-1000", "0", "-200.00", "0.00"),
        ("1000", "1000", "200.00", "200.00"),
        ("500", "1500", "100.00", "300.00"),
        ("-1000", "500", "-200.00", "100.00"),
        ("-400", "100", "-80.00", "20.00"),
    ]


def test_the_lots_held_at_the_end_follow() -> None:
    """100 tokens of May's allocation, worth 25.00 at the last price."""
    (lot,) = rows(books_of(STORY), "statement", "lots", BOB)
    assert (lot["pocket"], lot["ends"], lot["plan"]) == ("tokens", "2027-06-01", "pro")
    assert figures(lot) == {
        "unit_cost": "0.20",
        "units": "100",
        "carrying_amount": "20.00",
        "market_value": "25.00",
    }


def test_what_was_held_before_is_brought_forward() -> None:
    """From 10 June on, bob brings 1000 CU of June forward."""
    selection = BOB._replace(start=date(2026, 6, 10))
    first, second, *_ = rows(books_of(STORY), "statement", "lines", selection)
    assert (first["what"], first["date"]) == ("brought forward", "2026-06-10")
    assert figures(first)["units_held"] == "1000"
    assert figures(second)["units_held"] == "1500"


def test_a_statement_names_its_subscriber() -> None:
    """Also where it is printed without the command that asked for it."""
    tables = REPORTS["statement"].tables(books_of(STORY), Selection(subscriber="alice"))
    assert [table.title for table in tables] == [
        "Statement of alice",
        "Bills and payments of alice",
        "Units held by alice",
        "Money of alice",
        "Lots held by alice at the end",
    ]
