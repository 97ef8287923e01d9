"""From a cell to its transactions, which add up to it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.explaining import NoSuchCell, explain, find_cell
from beancount_compute.reports.figures import NotSummed
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import STORY, books_of
from tests.reports.test_market import TRADES


def explained(
    books: Books,
    report: str,
    row: str,
    column: str,
    table: str,
    selection: Selection | None = None,
) -> list[tuple[object, ...]]:
    chosen = selection or Selection()
    found = find_cell(REPORTS[report].tables(books, chosen), row, column, table)
    return explain(REPORTS[report], books, chosen, found).rows


def test_a_figure_lists_its_transactions() -> None:
    """Bob's two uses, with event, place and narration."""
    found = explained(books_of(STORY), "rollforward", "bob", "used", "units-by-subscriber")
    assert found == [
        ("2026-05-20", "use-bob", "<string>:13", "Consumption", "bob", Decimal(-1000)),
        ("2026-06-20", "use-more", "<string>:17", "Consumption", "bob", Decimal(-1400)),
    ]


def test_a_closing_lists_all_before_it() -> None:
    """Alice at the end of May: 200.00 in, 40.00 out. A derived entry names what caused it."""
    may = Selection(date(2026, 5, 1), date(2026, 5, 31))
    found = explained(books_of(STORY), "rollforward", "1", "closing", "money-by-subscriber", may)
    assert [(row[1], f"{row[-1]:f}") for row in found] == [
        ("s-alice/2026-05-01", "200.00"),
        ("use-alice", "-40.00"),
    ]
    june = explained(books_of(STORY), "rollforward", "alice", "allocated", "units-by-subscriber")
    assert june[1][2] == "subscription s-alice"


def test_a_quotient_is_split_by_what_each_transaction_adds() -> None:
    """0.2375 is 20.00 / 400 and 75.00 / 400; a rounded one adds up all the same."""
    found = explained(books_of(TRADES), "market", "2026-02", "price", "by-month")
    assert [(row[1], f"{row[-1]:f}") for row in found] == [("a", "0.05"), ("b", "0.1875")]


def test_low_and_high_are_one_trade_each() -> None:
    """The cheapest and the dearest."""
    for column, event in (("low", "a"), ("high", "b")):
        (row,) = explained(books_of(TRADES), "market", "2026-02", column, "by-month")
        assert row[1] == event


def test_tokens_outstanding_list_all_movements_up_to_then() -> None:
    """The top-up; a trade moves out and in, so it adds nothing."""
    found = explained(books_of(TRADES), "market", "2026-02", "outstanding", "by-month")
    assert [f"{row[-1]:f}" for row in found] == ["1000"]


def test_days_left_are_not_summed() -> None:
    """They are counted from a day."""
    with pytest.raises(NotSummed, match="days_left is counted from a day"):
        explained(books_of(STORY), "lots", "2026-07", "days_left", "by-month")


def test_what_people_wrote_is_named_by_its_line() -> None:
    """Also where they wrote a source of their own; only a derived entry stands for one."""
    removal = (
        '2026-06-21 * "Write-off"\n  source: "letter"\n'
        '  Liabilities:DeferredRevenue:Tokens:Bob  1 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}\n'
        "  Equity:Lost\n"
    )
    books = books_of(STORY + "2026-01-01 open Equity:Lost\n" + removal)
    found = explained(books, "rollforward", "bob", "removed_by_hand", "units-by-subscriber")
    assert [row[2] for row in found] == ["<string>:22"]


@pytest.mark.parametrize(
    ("row", "column", "table", "message"),
    [
        ("bob", "used", "", "name 2 cells .*add --table"),
        ("carol", "used", "units-by-subscriber", "no row .*rows are alice, bob"),
        ("bob", "usd", "units-by-subscriber", 'no column of figures "usd": there are opening, '),
        ("bob", "used", "units", 'no table "units" in this report'),
        ("3", "used", "units-by-subscriber", "no row"),
        ("bob", "subscriber", "units-by-subscriber", "holds no figures: those that do are opening"),
        ("1", "subscriber", "units-by-subscriber", "holds no figures: those that do are opening"),
    ],
)
def test_what_names_no_cell_is_an_error_that_says_what_there_is(
    row: str, column: str, table: str, message: str
) -> None:
    """Also what names more than one."""
    with pytest.raises(NoSuchCell, match=message):
        explained(books_of(STORY), "rollforward", row, column, table)


def test_a_name_wins_over_a_number() -> None:
    """A subscriber called 2 is not the second row."""
    books = books_of(STORY.replace('"alice"', '"2"'))
    (row,) = explained(books, "rollforward", "2", "traded out", "units-by-subscriber")
    assert row[-1] == -500
