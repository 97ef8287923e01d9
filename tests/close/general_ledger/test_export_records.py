"""Records of exports: what is written is read back, and corrections add up to the month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from beancount_compute.close.general_ledger.account_map import Target
from beancount_compute.close.general_ledger.export_records import (
    ExportRecord,
    RecordPlace,
    all_lines,
    correction,
    read_records,
    record_of,
    record_text,
    recorded,
    sums,
)
from beancount_compute.close.general_ledger.journals import Journal, JournalLine

LAST = date(2026, 5, 31)
SEALS = ["sha256:" + "a" * 64, "sha256:" + "b" * 64]
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
CENTS = st.integers(-(10**12), 10**12).filter(bool)


@st.composite
def journals(draw: st.DrawFn) -> list[Journal]:
    """A month's journals: lines of one currency each that sum to zero; some accounts are few."""
    made = []
    for currency in draw(st.lists(st.sampled_from(["USD", "EUR", "JPY"]), unique=True)):
        cents = draw(st.lists(CENTS, min_size=1, max_size=6))
        numbers = [number for number in (*cents, -sum(cents)) if number]
        lines = tuple(
            JournalLine(
                Target(draw(st.sampled_from("abc") | TEXT), draw(TEXT), draw(TEXT), draw(TEXT)),
                draw(st.sampled_from(["", "pro"]) | TEXT),
                Decimal(number) / 100,
                draw(TEXT),
            )
            for number in numbers
        )
        made.append(Journal("TOK", LAST, currency, "memo", lines))
    return made


@given(st.lists(journals(), min_size=1, max_size=5))
def test_corrections_add_up_to_what_the_month_says_now(months: list[list[Journal]]) -> None:
    """However often it was opened again; each balances, names no place twice, and is read back as
    it was written, whatever its texts hold."""
    with TemporaryDirectory() as folder:
        place = RecordPlace(Path(folder), "2026-05", "csv-booked-account")
        (place.folder / place.name(1)).parent.mkdir()
        records: list[ExportRecord] = []
        for number, now in enumerate(months):
            found = now
            if number:
                found = correction(all_lines(records), recorded(now), "2026-05", LAST, number)
                assert bool(found) == (sums(all_lines(records)) != sums(recorded(now)))
                assert len({each.currency for each in found}) == len(found)
                for journal in found:
                    assert sum(line.amount for line in journal.lines) == 0
                    assert all(line.amount for line in journal.lines)
                    places = [(line.target.code, line.key) for line in journal.lines]
                    assert len(set(places)) == len(places)
            records.append(record_of(place, SEALS[number % 2], records, found))
            (place.folder / place.name(number + 1)).write_text(record_text(records[-1]))
            assert read_records(place, SEALS) == records
            assert sums(all_lines(records)) == sums(recorded(now))
