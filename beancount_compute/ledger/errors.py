"""Errors of the ledger: collected, one line each, where they were written.

ledger.beancount:12:  "alice" uses 1500 CU and holds 1000 CU: write at most that, or ...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from beancount_compute.economy import NotRead, Place, Refusal, printable


class ComputeError(NamedTuple):
    """An error as Beancount shows it. It carries no entry, so that it prints as one line."""

    source: dict[str, Any]
    message: str
    entry: None = None


class FieldError(Exception):
    """A value that can't be read; says what is wrong and what to write instead."""


class Errors:
    """The errors of one load, in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[ComputeError] = []
        self.unread: list[NotRead] = []  # events among what is wrong, and files of them
        self._at: dict[Place, int] = {}  # where the first error of a place stands
        self.skipped: Counter[tuple[str, str]] = Counter()  # by file, and what was passed over

    def in_order(self) -> list[ComputeError]:
        """The errors by file and line."""
        return sorted(self.found, key=lambda each: (each.source["filename"], each.source["lineno"]))

    def add(self, place: Place, message: str) -> None:
        """Collect an error at a place. A Parquet row is named in the message."""
        text = f"{place.row}: {message}" if place.row else message
        if not text.isprintable():  # another library's words, say
            text = printable(" ".join(text.split()))
        self._at.setdefault(place, len(self.found))
        self.found.append(ComputeError({"filename": place.file, "lineno": place.line}, text))

    def add_unread_file(self, place: Place, message: str) -> None:
        """Collect an error for which a whole file of events isn't read."""
        self.add(place, message)
        self.unread.append(NotRead(place, whole_file=True))

    def add_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Collect what was refused; what follows from another error is counted behind that one."""
        following: dict[Place, list[Place]] = {}
        refusals = list(refusals)
        begins = self._at.keys() | {place for place, _, cause in refusals if cause is None}
        for place, message, cause in refusals:
            if cause in begins:
                following.setdefault(cause, []).append(place)
            else:
                self.add(place, message)
        for cause, places in following.items():
            first = min(places)
            more = f" ({len(places):,} more errors follow from this, the first at {first})"
            if len(places) == 1:
                more = f" (1 more error follows from this, at {first})"
            error = self.found[self._at[cause]]
            self.found[self._at[cause]] = error._replace(message=error.message + more)
