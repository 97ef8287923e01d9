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
        self._following: dict[Place, list[Place]] = {}  # what follows from which error
        self.skipped: Counter[tuple[str, str]] = Counter()  # by file, and what was passed over

    def in_order(self) -> list[ComputeError]:
        """Causes first, by file and line; what follows is counted behind it."""
        found = [*self.found]
        causes: list[ComputeError] = []
        for cause, places in self._following.items():
            at = self._at[cause]
            found[at] = found[at]._replace(message=found[at].message + _more(places))
            causes.append(found[at])
        first = {self._at[cause] for cause in self._following}
        others = [each for at, each in enumerate(found) if at not in first]
        return sorted(causes, key=_by_place) + sorted(others, key=_by_place)

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
        """Collect what was refused; what follows from another error is no error of its own."""
        refusals = list(refusals)
        begins = self._at.keys() | {place for place, _, cause in refusals if cause is None}
        for place, message, cause in refusals:
            if cause is not None and cause in begins:
                self.add_following(place, cause)
            else:
                self.add(place, message)

    def add_following(self, place: Place, cause: Place) -> None:
        """Count what follows from the error of another place."""
        self._following.setdefault(cause, []).append(place)

    def unread_ids(self) -> dict[str, Place]:
        """Where events stand that can't be read, by their ids."""
        return {each.id: each.place for each in self.unread if each.id}

    def unread_file(self) -> Place | None:
        """The first file of events that can't be read."""
        return next((each.place for each in self.unread if each.whole_file), None)


def _by_place(error: ComputeError) -> tuple[str, int]:
    return error.source["filename"], error.source["lineno"]


def _more(places: list[Place]) -> str:
    if len(places) == 1:
        return f" (1 more error follows from this, at {places[0]})"
    return f" ({len(places):,} more errors follow from this, the first at {min(places)})"
