"""What was exported of a closed month, remembered beside it, and the journals that correct it.

    closed/2026-05-exported/xero-booked-account.1.json      the month as it was first exported
    closed/2026-05-exported/xero-booked-account.2.json      what its first correction added

A record says which lines went out, and under which seal the month stood then. It is never written
over: the records of a month add up to what a general ledger holds of it. Each names the one before,
and its own digest, so that none can be changed or lost without a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, NamedTuple

from beancount_compute.close.general_ledger.account_map import Target
from beancount_compute.close.general_ledger.journals import Journal, JournalLine
from beancount_compute.close.storage import CloseError
from beancount_compute.closed import NO_SEAL, file_of_month, files_digest
from beancount_compute.economy import WIDE, ZERO

OURS = "bean-compute export"
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?")


class RecordedLine(NamedTuple):
    """A line of a journal, and its currency."""

    currency: str
    line: JournalLine

    @property
    def place(self) -> tuple[str, str, str]:
        """What a general ledger adds up."""
        return (self.currency, self.line.target.code, self.line.key)


class ExportRecord(NamedTuple):
    """What one export added to a general ledger."""

    month: str
    seal: str  # of the month as it was exported
    previous: str  # the digest of the record before
    lines: tuple[RecordedLine, ...]
    digest: str = ""


class RecordPlace(NamedTuple):
    """Where the records of a month lie that were exported in one way."""

    folder: Path  # of closed months
    month: str
    way: str  # "xero-booked-account"

    def name(self, number: int) -> str:
        """The name of a record within the folder of closed months."""
        return f"{self.month}-exported/{self.way}.{number}.json"

    def numbers(self) -> list[int]:
        """The numbers of those that lie there."""
        found = (self.folder / f"{self.month}-exported").glob(f"{self.way}.*.json")
        parts = [path.name.split(".")[-2] for path in found]
        return sorted(int(part) for part in parts if part.isascii() and part.isdigit())

    def other_ways(self) -> list[str]:
        """In which ways the month was exported at all."""
        found = (self.folder / f"{self.month}-exported").glob("*.1.json")
        return sorted(path.name.removesuffix(".1.json") for path in found)


def recorded(journals: Iterable[Journal]) -> tuple[RecordedLine, ...]:
    """The lines of journals, as a record holds them."""
    return tuple(RecordedLine(each.currency, line) for each in journals for line in each.lines)


def record_of(
    place: RecordPlace, seal: str, before: list[ExportRecord], journals: Iterable[Journal]
) -> ExportRecord:
    """The record of an export that follows others."""
    previous = before[-1].digest if before else NO_SEAL
    record = ExportRecord(place.month, seal, previous, recorded(journals))
    return record._replace(digest=_digest(record))


def sums(lines: Iterable[RecordedLine]) -> dict[tuple[str, str, str], Decimal]:
    """What a general ledger holds of such lines; nothing where it is zero."""
    found: dict[tuple[str, str, str], Decimal] = {}
    with localcontext(WIDE):
        for each in lines:
            found[each.place] = found.get(each.place, ZERO) + each.line.amount
    return {place: number for place, number in found.items() if number}


def all_lines(records: Iterable[ExportRecord]) -> list[RecordedLine]:
    """What all exports of a month added."""
    return [line for record in records for line in record.lines]


def correction(
    before: list[RecordedLine], now: tuple[RecordedLine, ...], month: str, last: date, number: int
) -> list[Journal]:
    """The journals that lead from what was exported to what a month says now."""
    with localcontext(WIDE):
        reverse = [each._replace(line=_negative(each.line)) for each in before]
        left = sums([*now, *reverse])
    known = {each.place: each.line for each in (*before, *now)}
    lines = [
        RecordedLine(place[0], known[place]._replace(amount=number))
        for place, number in sorted(left.items())
    ]
    return journals_with(lines, month, last, number)


def journals_with(
    lines: Iterable[RecordedLine], month: str, last: date, number: int
) -> list[Journal]:
    """The journals of a correction, from its lines: one a currency."""
    by_currency: dict[str, list[JournalLine]] = {}
    for each in lines:
        by_currency.setdefault(each.currency, []).append(each.line)
    memo = f"Compute tokens, {month}, correction {number}"
    return [
        Journal(f"TOK-{month}-{currency}-C{number}", last, currency, memo, tuple(found))
        for currency, found in by_currency.items()
    ]


def _negative(line: JournalLine) -> JournalLine:
    return line._replace(amount=-line.amount)


def record_text(record: ExportRecord) -> str:
    """A record as it is written."""
    return json.dumps({**_said(record), "digest": record.digest}, indent=1) + "\n"


def _said(record: ExportRecord) -> dict[str, Any]:
    return {
        "by": OURS,
        "month": record.month,
        "seal": record.seal,
        "previous": record.previous,
        "lines": [
            [currency, *line.target, line.key, f"{line.amount:f}", line.description]
            for currency, line in record.lines
        ],
    }


def _digest(record: ExportRecord) -> str:
    return files_digest(json.dumps(_said(record)).encode())


def read_records(place: RecordPlace, seals: Collection[str]) -> list[ExportRecord]:
    """The records of a month, as they follow each other; raises `CloseError` where one is unsound.

    `seals` are those of the ledger's chain: a month that was exported had one of them.
    """
    found: list[ExportRecord] = []
    for number in range(1, max(place.numbers(), default=0) + 1):
        path = place.folder / place.name(number)
        record = _read(path)
        previous = found[-1].digest if found else NO_SEAL
        wrong = (
            (record.month != place.month, f"it is of {record.month}"),
            (record.digest != _digest(record), "it was changed"),
            (record.previous != previous, "the one before it is another"),
            (record.seal not in seals, "its seal is not in the chain"),
            (not _balances(record), "it does not balance"),
        )
        for is_so, why in wrong:
            if is_so:
                raise unsound(path, why)
        found.append(record)
    return found


def unsound(path: Path, why: str) -> CloseError:
    """What to say of a record that can't be trusted."""
    return CloseError(
        f"{path} can't tell what was exported: {why}; restore it, nothing was exported"
    )


def _read(path: Path) -> ExportRecord:
    data = file_of_month(str(path))
    if data is None:
        raise unsound(path, "it is gone, or no plain file")
    try:
        said = json.loads(data)
        lines = tuple(map(_line, said["lines"]))
        texts = [_text(said[key]) for key in ("month", "seal", "previous", "digest")]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise unsound(path, "it was not written by bean-compute") from None
    month, seal, previous, digest = texts
    return ExportRecord(month, seal, previous, lines, digest)


def _line(cells: list[Any]) -> RecordedLine:
    currency, code, name, tax, stands_for, key, amount, description = map(_text, cells)
    if not _NUMBER.fullmatch(amount):
        raise ValueError(amount)
    target = Target(code, name, tax, stands_for)
    return RecordedLine(currency, JournalLine(target, key, Decimal(amount), description))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _balances(record: ExportRecord) -> bool:
    totals: dict[str, Decimal] = {}
    with localcontext(WIDE):
        for currency, line in record.lines:
            totals[currency] = totals.get(currency, ZERO) + line.amount
    return not any(totals.values())
