"""Sealed months change nothing: closing month by month gives the books of never closing.

pytest tests/laws/test_sealed_laws.py                                   ; a sample
BEANCOUNT_COMPUTE_EXAMPLES=400 pytest tests/laws/test_sealed_laws.py    ; the whole
"""

from __future__ import annotations

import os
import re
from calendar import monthrange
from datetime import date
from pathlib import Path

import pytest
from beancount.core.data import Transaction

from beancount_compute.close.closing import Loaded, load, next_to_close
from beancount_compute.close.verifying import verify
from beancount_compute.ledger.sealed.chain import next_month
from tests.close.sealing import begin, close, errors_of, printed

from random_ledgers import PROFILES, VALID, write_ledger  # isort: skip

AS_OF = re.compile(r'^\S+ custom "compute-option" "as-of" (\S+)\n', re.MULTILINE)
SEEDS = [
    seed
    for seed in range(int(os.environ.get("BEANCOUNT_COMPUTE_EXAMPLES", "18")))
    if PROFILES[seed % len(PROFILES)] in VALID
]


def random_ledger(seed: int, folder: Path) -> Path:
    """The random ledger of a seed, without what a month can't be closed with."""
    return without_refused_postings(without_reversals(write_ledger(seed, folder)))


def with_index(ledger: Path) -> Path:
    """A ledger that includes an empty index, with derived entries up to a month's end."""
    text = ledger.read_text(encoding="utf-8")
    loaded = load(ledger)
    assert loaded.booking is not None
    days = [entry.date for entry in loaded.entries if isinstance(entry, Transaction)]
    days += [event.date for event in loaded.booking.events]
    days += [assertion.date for assertion in loaded.booking.assertions]
    days += [date.fromisoformat(day) for day in AS_OF.findall(text)]
    last = max(days)
    end = last.replace(day=monthrange(last.year, last.month)[1])
    text = AS_OF.sub("", text)
    text += f'{end} custom "compute-option" "as-of" {end}\ninclude "closed/index.beancount"\n'
    ledger.write_text(text, encoding="utf-8")
    begin(ledger)
    return ledger


def without_refused_postings(ledger: Path) -> Path:
    """A ledger without the hand-written entries that name no open lot: such a one can't close."""
    while errors := load(ledger).errors:
        source = errors[0].source
        path = Path(source["filename"])
        lines = path.read_text(encoding="utf-8").split("\n")
        first = source["lineno"] - 1
        while not lines[first][:1].isdigit():
            first -= 1
        behind = first + 1
        while lines[behind].startswith(" "):
            behind += 1
        path.write_text("\n".join(lines[:first] + lines[behind:]), encoding="utf-8")
    return ledger


def without_reversals(ledger: Path) -> Path:
    """A ledger in which uses merge, without reversals: of a closed month none of a merged use can
    be, which has a test of its own."""
    if '"posting-grain"' not in ledger.read_text(encoding="utf-8"):
        return ledger
    for path in ledger.parent.glob("*.beancount"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r'^\S+ custom "compute-reversal" .*\n(  .*\n)*', "", text, flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    for path in ledger.parent.glob("*.csv"):
        rows = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(row for row in rows if b",reversal," not in row))
    return ledger


def months_of(loaded: Loaded) -> list[str]:
    """The months of a ledger from its first bookings on."""
    assert loaded.booking is not None
    first = next_to_close(loaded.booking)
    if first is None:
        return []
    last = max(entry.date for entry in loaded.entries if isinstance(entry, Transaction))
    months = [first]
    while months[-1] < f"{last:%Y-%m}":
        months.append(next_month(months[-1]))
    return months


@pytest.mark.parametrize("seed", SEEDS)
def test_month_by_month_is_all_at_once(seed: int, tmp_path: Path) -> None:
    """Each load on the way and at the end prints the books of never closing: the same
    transactions, lots, prices and metadata in the same order; and `verify` agrees."""
    ledger = with_index(random_ledger(seed, tmp_path / "l"))
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    whole = printed(loaded)
    for month in months_of(loaded):
        close(ledger, month, loaded=loaded, ties=False)
        loaded = load(ledger)
        assert errors_of(loaded, ledger) == []
        assert printed(loaded) == whole
    assert verify(loaded) == []
