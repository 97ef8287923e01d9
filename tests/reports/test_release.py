"""The forward release of what is deferred, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.reports.books import Selection
from beancount_compute.reports.charts import forward_release
from beancount_compute.reports.disclosure import disclosure
from beancount_compute.reports.figures import CellAsked
from beancount_compute.reports.release import RELEASE
from tests.reports.showing import books_of, figures, whole
from tests.reports.story import STORY

# Alice's 200 CU for 100.00 of a plan that mints seven of ten: 100 CU are used in May. Of the 50.00
# that are left 35.00 become tokens on 1 June, until 1 December; 15.00 lapse on 1 June. Bob's 30.00
# end on 30 September, his 8.00 never.
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 100.00 USD 200 CU
  unused: "mint"
  mint-rate: 0.7
  token-expires: "6 months"
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-03 custom "compute-cancellation" "alice" "pro"
2026-05-02 custom "compute-allocation" "bob" 10 CU 30.00 USD
  expires: 2026-09-29
2026-05-04 custom "compute-allocation" "bob" 10 CU 8.00 USD
2026-05-20 custom "compute-consumption" "alice" 100 CU
"""

ACCESS = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "seat" 10.01 USD
  every: "quarter"
2026-05-01 custom "compute-subscription" "alice" "seat"
2026-01-01 custom "compute-option" "as-of" 2026-05-31
"""


def test_each_amount_stands_in_the_month_in_which_it_lapses_if_it_is_not_used() -> None:
    """Of what will be minted, seven of ten stand where its tokens end."""
    assert figures(RELEASE, books_of(LEDGER), Selection(), "by-month") == {
        ("2026-06", "USD"): {"allocations": "15.00", "total": "15.00"},
        ("2026-09", "USD"): {"tokens": "30.00", "total": "30.00"},
        ("2026-12", "USD"): {"allocations": "35.00", "total": "35.00"},
        ("no end", "USD"): {"tokens": "8.00", "total": "8.00"},
    }


def test_what_has_ended_and_is_not_yet_booked_stands_apart() -> None:
    """The ledger is written up to 20 May; asked for 1 June, 15.00 have ended."""
    found = figures(RELEASE, books_of(LEDGER), Selection(end=date(2026, 6, 1)), "by-month")
    assert found["ended, not yet booked", "USD"] == {"allocations": "15.00", "total": "15.00"}


def test_all_months_together_are_what_the_disclosure_says_remains() -> None:
    """88.00 of the ledger; of the story 280.00, of alice 260.00."""
    for ledger, subscriber, amount in ((LEDGER, "", 88), (STORY, "", 280), (STORY, "alice", 260)):
        books, selection = books_of(ledger), Selection(subscriber=subscriber)
        months = figures(RELEASE, books, selection, "by-month").values()
        bands = figures(disclosure(), books, selection, "remaining").values()
        assert sum([whole(row["total"]) for row in months]) == amount
        assert sum([whole(row["amount"]) for row in bands]) == amount


def test_what_is_left_of_access_is_explained_to_the_cent() -> None:
    """10.01 for 92 days, of which 3.37 were earned in May: of 6.64 3.27 in 30 days of 61, 3.37 in
    31. Of 10.01 and of 3.37 by themselves it would be 4.92 less 1.66 in June: 3.26."""
    books = books_of(ACCESS)
    selection = Selection(end=date(2026, 5, 31))
    months = {"2026-06": "3.27", "2026-07": "3.37"}
    assert figures(RELEASE, books, selection, "by-month") == {
        (month, "USD"): {"access": amount, "total": amount} for month, amount in months.items()
    }
    for month, amount in months.items():
        asked = CellAsked("by-month", (month, "USD"), "access")
        behind = [number for _, number in RELEASE.trace(books, selection, asked)]
        assert len(behind) == 2 and sum(behind) == Decimal(amount)


def test_its_picture_stacks_the_pockets_in_every_month_between() -> None:
    """Seven months from June to December, then what has no end."""
    [table] = RELEASE.tables(books_of(LEDGER), Selection())
    [chart] = forward_release(table)
    allocations, tokens = chart.figure["data"]
    assert allocations["x"] == [*[f"2026-{month:02}" for month in range(6, 13)], "no end"]
    assert allocations["y"] == [15.0, None, None, 0.0, None, None, 35.0, 0.0]
    assert tokens["y"] == [0.0, None, None, 30.0, None, None, 0.0, 8.0]
    assert chart.caption.startswith("88.00 USD are deferred")
    assert sum([whole(row[-1]) for row in chart.table.rows]) == Decimal("88.00")
