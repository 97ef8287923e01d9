"""Values as people and exports write them, parsed once into types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from beancount_compute.economy.months import Span
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import (
    Fields,
    check_number,
    check_text,
    parse_currency,
    parse_date,
    parse_expires,
    parse_life,
    parse_name,
    parse_number,
    parse_plan_name,
    parse_time,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_number, "200", Decimal(200)),
        (parse_number, "-0.50", Decimal("-0.5")),
        (parse_number, "007", Decimal(7)),
        (parse_number, "0.00000000000001", Decimal("1E-14")),
        (parse_number, "99999999999999", Decimal(99999999999999)),
        (parse_date, "2026-02-28", date(2026, 2, 28)),
        (parse_date, "0001-01-01", date(1, 1, 1)),
        (parse_date, "9999-12-31", date(9999, 12, 31)),
        (parse_time, "00:00:00", "00:00:00"),
        (parse_time, "23:59:59", "23:59:59"),
        (parse_life, "quarter", Span(3, 0)),
        (parse_expires, "2027-01-01", "2027-01-01"),
        (parse_expires, "year", "12 months"),
        (parse_expires, "1 months", "1 month"),
        (parse_currency, "CU", "CU"),
        (parse_currency, "GPU-H.1'X_2", "GPU-H.1'X_2"),
        (parse_number, "5.0", Decimal(5)),
        (parse_number, "1e-05", Decimal("0.00001")),
        (parse_number, "+5", Decimal(5)),
        (parse_number, ".50", Decimal("0.5")),
        (parse_number, "5.", Decimal(5)),
        (parse_number, "12E2", Decimal(1200)),
        (parse_time, "09:00", "09:00:00"),
        (parse_time, "09:00:01.1250", "09:00:01.125"),
        (parse_name, " \u2028alice\t", "alice"),
        (parse_name, "e\u0301mile", "\u00e9mile"),
        (parse_name, "two\nlines", "two\nlines"),
        (check_text, "tab\tand\r\nline", "tab\tand\r\nline"),
        (parse_plan_name, "Team 5.b_c-d", "Team 5.b_c-d"),
        (parse_plan_name, "e\u0301", "\u00e9"),
        (parse_plan_name, " pro ", "pro"),
    ],
)
def test_what_can_be_read(parse: Callable[[str], Any], text: str, value: Any) -> None:
    """Numbers without idle zeros, names as NFC, spans in one spelling."""
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((parse_number, text) for text in ("", "1e", "1,000", "+-5", ".", "5..", "٣", "NaN")),
        *((parse_number, text) for text in ("Infinity", "1_000", "0x1", "--1", "1 ", "½")),
        (parse_number, "123456789012345"),  # 15 significant digits
        (parse_number, "1.00000000000001"),
        *((parse_number, text) for text in ("1e14", "1e-29", "1e999", "1e9999")),
        *((parse_date, text) for text in ("2026-02-30", "2026-2-3", "20260203", "0000-01-01")),
        *((parse_date, text) for text in ("2026-01-01T00:00", "٢026-01-01", "")),
        *(
            (parse_time, text)
            for text in ("24:00:00", "9:00:00", "09", "09:60:00", "09:00:60", "09:00Z")
        ),
        *((parse_life, text) for text in ("fortnight", "0 days", "1.5 months", "")),
        *((parse_expires, text) for text in ("2026-02-30", "soon")),
        *((parse_currency, text) for text in ("usd", "U$", "1U", "", "U" * 25)),
        *((parse_name, text) for text in ("", "  ", "\n")),
        *((check_text, text) for text in ("nul\x00", "bell\x07", "\ud800", "x" * 4097)),
        *((parse_plan_name, text) for text in ("", " ", "a/b", "a:b", "a,b", "top-up")),
        *((parse_plan_name, text) for text in ("grant", "a\tb", "a\nb", "{plan}")),
    ],
)
def test_what_can_t_be_read(parse: Callable[[str], Any], text: str) -> None:
    """ASCII digits, days of the calendar, names that a label can hold
    (manual/language.md, sections 2 and 3)."""
    with pytest.raises(FieldError):
        parse(text)


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN"), None])
def test_numbers_that_are_none(number: Decimal | None) -> None:
    """Directives can hold amounts without a number; NaN is a number for nobody."""
    with pytest.raises(FieldError):
        check_number(number)


def test_fourteen_digits_are_counted_without_idle_decimals() -> None:
    """10000000000000.00 has fourteen, a hundred of them fifteen; 0 has none to speak of."""
    assert check_number(Decimal("10000000000000.00")) == Decimal(10) ** 13
    with pytest.raises(FieldError, match="14 significant digits"):
        check_number(Decimal("100000000000000"))
    assert str(check_number(Decimal("0.000"))) == "0"
    assert str(check_number(Decimal("-0"))) == "0"


def test_fields_remember_what_they_read() -> None:
    """A repeat is the very same value; absent is absent; what can't be read is not remembered."""
    fields = Fields()
    assert fields.dates["2026-01-01"] is fields.dates["2026-01-01"]
    assert fields.numbers["12.50"] is fields.numbers["12.50"]
    absent = (fields.dates[""], fields.numbers[""], fields.names[""], fields.days[""])
    assert absent == (None, None, "", "")
    for _ in range(2):
        with pytest.raises(FieldError):
            fields.numbers["x"]


@pytest.mark.parametrize(
    ("day", "time", "zone", "found"),
    [
        ("2026-05-31", "", "UTC", ("2026-05-31", "")),
        ("2026-05-31", "23:30", "UTC", ("2026-05-31", "23:30:00")),
        ("2026-05-31T23:30:00Z", "", "UTC", ("2026-05-31", "23:30:00")),
        ("2026-05-31 23:30", "", "Europe/Berlin", ("2026-05-31", "23:30:00")),  # without a zone
        ("2026-05-31T23:30:00Z", "", "Europe/Berlin", ("2026-06-01", "01:30:00")),  # summer: + 2
        ("2026-01-31T23:30:00.125Z", "", "Europe/Berlin", ("2026-02-01", "00:30:00.125")),
        ("2026-05-31", "23:30:00+02:00", "UTC", ("2026-05-31", "21:30:00")),
        ("2026-06-01", "00:30:00+0200", "UTC", ("2026-05-31", "22:30:00")),
        ("2026-05-31T20:00:00-05", "", "UTC", ("2026-06-01", "01:00:00")),
    ],
)
def test_a_moment_is_of_the_day_that_it_falls_on_here(
    day: str, time: str, zone: str, found: tuple[str, str]
) -> None:
    """Days begin where the ledger says; a moment without a zone is one of that place."""
    on, clock = Fields(ZoneInfo(zone)).moment(day, time)
    assert (on.isoformat(), clock) == found


@pytest.mark.parametrize(
    ("day", "time"),
    [
        ("2026-05-31T23:30:00Z", "23:30:00"),
        ("2026-05-31T", ""),
        ("2026-05-31T23:30:00+99:00", ""),
        ("9999-12-31T23:30:00-05:00", ""),
        ("2026-02-30T10:00:00", ""),
        ("31.05.2026 10:00", ""),
    ],
)
def test_a_moment_that_is_none(day: str, time: str) -> None:
    """A time twice, or behind the end of the calendar, or of a day that does not exist."""
    with pytest.raises(FieldError):
        Fields(ZoneInfo("UTC")).moment(day, time)
