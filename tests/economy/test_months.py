"""Spans of calendar time, and calendar months."""

from __future__ import annotations

from datetime import date

import pytest

from beancount_compute.economy.months import (
    MONTH,
    Month,
    Span,
    day_text,
    last_day,
    later,
    parse_span,
    text_of,
)
from tests.economy.building import day


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("month", Span(1, 0)),
        ("quarter", Span(3, 0)),
        ("year", Span(12, 0)),
        ("1 month", Span(1, 0)),
        ("18 months", Span(18, 0)),
        ("1 day", Span(0, 1)),
        ("90 days", Span(0, 90)),
    ],
)
def test_a_span_is_named_or_counted(text: str, span: Span) -> None:
    """The five ways of writing a span that the language knows."""
    assert parse_span(text) == span


@pytest.mark.parametrize(
    "text",
    ["", "0 months", "-1 days", "months", "1.5 months", "1 week", "2 years", "١ day", "1 day "],
)
def test_what_is_no_span_is_none(text: str) -> None:
    """Zero, fractions, weeks and digits of other scripts name no span."""
    assert parse_span(text) is None


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Span(1, 0), "1 month"),
        (Span(12, 0), "12 months"),
        (Span(0, 1), "1 day"),
        (Span(0, 30), "30 days"),
    ],
)
def test_a_span_reads_back_from_its_text(span: Span, text: str) -> None:
    """A span's text is one that a ledger may hold, and names the same span."""
    assert str(span) == text
    assert parse_span(text) == span


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),  # the month's last day where it is shorter
        ("2028-01-31", 1, "2028-02-29"),  # a leap year
        ("2026-01-31", 2, "2026-03-31"),  # and the day of the month comes back
        ("2026-11-30", 3, "2027-02-28"),  # over a year's end
        ("2026-12-15", 12, "2027-12-15"),
    ],
)
def test_months_end_on_the_day_of_the_month_or_its_last(start: str, months: int, end: str) -> None:
    """Months are counted on the calendar, never in days."""
    assert later(day(start), Span(months, 0)) == day(end)


def test_months_keep_the_day_of_the_month_of_the_beginning() -> None:
    """From 28 February, a subscription of the 31st comes back to 31 March."""
    assert later(day("2026-02-28"), MONTH, 31) == day("2026-03-31")
    assert later(day("2026-02-28"), MONTH) == day("2026-03-28")


def test_days_are_counted() -> None:
    """30 days from 1 February 2026: 27 to 28 February, 3 to 3 March."""
    assert later(day("2026-02-01"), Span(0, 30)) == day("2026-03-03")


def test_the_calendar_ends_in_9999() -> None:
    """What would end behind the calendar ends on its last day."""
    assert later(date(9999, 12, 1), MONTH) == date.max
    assert later(date(9999, 12, 1), Span(0, 30)) == date.max
    assert later(date(9999, 12, 1), Span(0, 31)) == date.max
    assert later(date(9999, 11, 30), MONTH) == date(9999, 12, 30)
    assert later(date(9999, 12, 1), Span(0, 29)) == date(9999, 12, 30)


def test_a_period_ends_on_the_day_before_the_next() -> None:
    """The last day of May is the day before the first of June."""
    assert last_day(day("2026-05-01"), day("2026-06-01")) == day("2026-05-31")


def test_a_period_at_the_end_of_the_calendar_has_a_last_day() -> None:
    """A period that the calendar cuts to nothing still has its first day as last."""
    assert last_day(date.max, date.max) == date.max


def test_a_day_is_written_with_ten_characters() -> None:
    """Whatever the year, and as often as it is asked for."""
    assert [text_of(date(33, 4, 3)), text_of(date.max)] == ["0033-04-03", "9999-12-31"]
    assert text_of(date(33, 4, 3)) == "0033-04-03"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-05", "2026-05-01", "2026-05-31"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2028-02", "2028-02-01", "2028-02-29"),  # a leap year
        ("0001-01", "0001-01-01", "0001-01-31"),
        ("9999-12", "9999-12-01", "9999-12-31"),
    ],
)
def test_a_month_is_from_its_first_to_its_last_day(text: str, first: str, last: str) -> None:
    """A month's text names it, and all its days lie in it."""
    month = Month.parse(text)
    assert (month.first, month.last, month.name, str(month)) == (day(first), day(last), text, text)
    assert Month.of(day(first)) == Month.of(day(last)) == month


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-00", "2026-13", "2026-5", "0000-01", "2026-05-01", "2026-05\n", "٢٠٢٦-٠٥"],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    """No other way of writing one, no year 0, no digits of other scripts."""
    with pytest.raises(ValueError, match="not a month"):
        Month.parse(text)


def test_months_follow_each_other_over_a_year_s_end() -> None:
    """January follows December, and both ways lead back."""
    december, january = Month.parse("2026-12"), Month.parse("2027-01")
    assert december.next == january
    assert january.previous == december
    assert december < january
    assert january.ordinal - december.ordinal == 1
    assert Month.from_ordinal(january.ordinal) == january


def test_the_months_between_two_are_both_of_them_and_all_between() -> None:
    """A month up to itself is one month; up to an earlier one it is none."""
    first = Month.parse("2026-11")
    assert [str(each) for each in first.to(Month.parse("2027-01"))] == [
        "2026-11",
        "2026-12",
        "2027-01",
    ]
    assert list(first.to(first)) == [first]
    assert list(first.to(first.previous)) == []


def test_no_month_lies_outside_of_the_calendar() -> None:
    """Before January of year 1 and after December 9999 there is none."""
    with pytest.raises(ValueError, match="calendar"):
        _ = Month.of(date.max).next
    with pytest.raises(ValueError, match="calendar"):
        _ = Month.of(date.min).previous


def test_a_day_is_written_with_four_two_and_two_digits() -> None:
    """Year 1 as well."""
    assert (day_text(date(1, 2, 3)), day_text(day("2026-12-31"))) == ("0001-02-03", "2026-12-31")
