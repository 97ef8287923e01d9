"""What `check` notes of capacity: accounts that hold less than is still to be depreciated."""

from __future__ import annotations

import pytest

from beancount_compute.close.loading import load_sources
from beancount_compute.reports.books import read_books
from beancount_compute.reports.capacity_notes import notes_of_capacities

HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2026-07-31
2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "own"
  life: "48 months"
2027-06-01 custom "compute-capacity" "next" 4800.00 USD
  provider: "own"
  life: "48 months"
"""
BOUGHT = """\
2026-06-01 open Equity:Opening
2026-06-01 * "GPU Shop"
  Assets:Capacity:Gpu  {amount} USD
  Equity:Opening
"""


def notes(text: str) -> list[str]:
    entries, errors, options, _ = load_sources([(text, False)])
    assert errors == []
    return notes_of_capacities(read_books(entries, options))


@pytest.mark.parametrize(
    ("amount", "holds"), [("", "-200.00"), ("4799.99", "4,599.99"), ("4800.00", "")]
)
def test_what_was_not_bought_is_noted(amount: str, holds: str) -> None:
    """200.00 of 4800.00 are depreciated by July: 4600.00 must be there."""
    found = notes(HEAD + (BOUGHT.format(amount=amount) if amount else ""))
    expected = (
        f'Assets:Capacity:Gpu holds {holds} USD and 4,600.00 USD of capacity "gpu" are still to be '
        "depreciated: book there what it cost"
    )
    assert found == ([expected] if holds else [])


def test_capacities_on_one_account_are_looked_at_together() -> None:
    """What was before the books need not be there; nor what is worth something at the end."""
    text = (
        HEAD
        + BOUGHT.format(amount="5000.00").replace("Assets:Capacity:Gpu", "Assets:Machines")
        + '2026-01-01 custom "compute-account" "capacity" Assets:Machines\n'
        + '2026-06-01 custom "compute-capacity" "old" 1200.00 USD\n  provider: "own"\n'
        '  life: "12 months"\n  started: 2025-10-01\n  residual: 600.00 USD\n'
    )
    assert notes(text) == []  # 4600.00 + 100.00 of 4700.00 that are there
    less = text.replace("5000.00", "4999.00")
    (note,) = notes(less)
    assert note.startswith(
        'Assets:Machines holds 4,699.00 USD and 4,700.00 USD of capacity "gpu", '
    )


def test_books_without_anything_have_no_note() -> None:
    assert notes('plugin "beancount_compute"\n') == []
    assert notes(HEAD.replace("2026-06-01 custom", "2026-09-01 custom")) == []
