"""Intervals: names, first and last days, and what came before."""

from __future__ import annotations

from datetime import date

import pytest

from beancount_compute.reports.intervals import (
    Interval,
    days_before,
    first_named,
    first_of,
    last_of,
    name_of,
    names_between,
)

DAY = date(2026, 5, 20)  # a Wednesday


@pytest.mark.parametrize(
    ("interval", "name", "first", "last"),
    [
        (Interval.DAY, "2026-05-20", date(2026, 5, 20), date(2026, 5, 20)),
        (Interval.WEEK, "2026-W21", date(2026, 5, 18), date(2026, 5, 24)),
        (Interval.MONTH, "2026-05", date(2026, 5, 1), date(2026, 5, 31)),
        (Interval.QUARTER, "2026-Q2", date(2026, 4, 1), date(2026, 6, 30)),
        (Interval.YEAR, "2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_each_interval_has_a_name_and_two_ends(
    interval: Interval, name: str, first: date, last: date
) -> None:
    """Weeks begin on Monday and are named by ISO 8601."""
    assert name_of(interval, DAY) == name
    assert (first_of(interval, DAY), last_of(interval, DAY)) == (first, last)
    assert first_named(interval, name) == first


def test_a_week_belongs_to_the_year_of_its_thursday() -> None:
    """2027-01-01 is a Friday."""
    assert name_of(Interval.WEEK, date(2027, 1, 1)) == "2026-W53"


def test_all_intervals_between_two_days() -> None:
    """Both included, none left out."""
    days = (date(2026, 1, 31), date(2026, 3, 1))
    assert names_between(Interval.MONTH, *days) == ["2026-01", "2026-02", "2026-03"]
    assert names_between(Interval.DAY, DAY, DAY) == ["2026-05-20"]
    assert names_between(Interval.YEAR, date(9998, 5, 1), date.max) == ["9998", "9999"]


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        (date(2026, 5, 1), date(2026, 5, 31), (date(2026, 4, 1), date(2026, 4, 30))),
        (date(2026, 4, 1), date(2026, 6, 30), (date(2026, 1, 1), date(2026, 3, 31))),
        (date(2026, 1, 1), date(2026, 12, 31), (date(2025, 1, 1), date(2025, 12, 31))),
        (date(2026, 5, 4), date(2026, 5, 10), (date(2026, 4, 27), date(2026, 5, 3))),
        (date(1, 1, 1), date(1, 1, 31), (date(1, 1, 1), date(1, 1, 1))),
    ],
)
def test_the_days_before(first: date, last: date, before: tuple[date, date]) -> None:
    """As many months where it is months, else as many days."""
    assert days_before(first, last) == before
