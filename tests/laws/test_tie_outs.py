"""Random ledgers tie out in every month, under every term that the language has."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from beancount.core.data import Transaction

from beancount_compute.close.loading import load
from beancount_compute.close.tie_outs import tie_outs
from beancount_compute.economy.events import Event
from beancount_compute.economy.months import Month
from beancount_compute.ledger.errors import ComputeError
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.books import read_books
from tests.examples import examples
from tests.laws.random_ledgers import PROFILES, VALID, write_ledger

SEEDS = [seed for seed in range(examples(66, 1000)) if PROFILES[seed % len(PROFILES)] in VALID]


def once_each(events: list[Event]) -> list[Event]:
    """The events without those that come a second time under one id."""
    found: dict[object, Event] = {}
    for event in events:
        found.setdefault(event.id or id(event), event)
    return list(found.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_every_month_of_a_random_ledger_ties_out(seed: int, tmp_path: Path) -> None:
    """All tie-outs hold in every month in which anything was booked."""
    entries, errors, options, booking = load(write_ledger(seed, tmp_path / "l"))
    assert booking is not None
    assert [each for each in errors if isinstance(each, ComputeError)] == []
    books = read_books(entries, options)
    events = once_each(booking.events)
    months = sorted({str(each.date)[:7] for each in entries if isinstance(each, Transaction)})
    assert months
    booked = [entry for entry in entries if isinstance(entry, Transaction) and ORDER in entry.meta]
    last = max([entry.date for entry in booked], default=date.min)
    for month in months:
        of_month = [event for event in events if str(event.date)[:7] == month]
        ties = [tie for tie in tie_outs(books, month, of_month) if not tie.holds]
        if Month.parse(month).last > last:  # which a close would book to its end
            ties = [tie for tie in ties if not tie.name.startswith(("depreciation", "access"))]
        assert ties == []
