"""Opening lots that came after the books began: each `why` is a figure of its own, on its day.

    2026-04-15 * "Acme's customers" #compute-opening
      why: "acquired"

                opening   acquired    used   closing
    2026-04      250.00      50.00    0.00    300.00

Opening lots stand under opening where the books begin within the days shown; so what a month opens
with is what the month before it closed with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from textwrap import fill
from typing import NamedTuple

from beancount_compute.economy import ZERO, Flow
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import LotKey, Movement
from beancount_compute.reports.figures import Figure
from beancount_compute.reports.fold import fold
from beancount_compute.reports.tables import Measure

_OPENINGS = (Flow.OPENING, Flow.ENTERED)
_NO_WHY = "opening lots"  # of several days ahead of the first bookings, seen from the later ones
_WIDTH = 16
_LABELS = ("pocket", "plan", "subscriber", "part", "commodity", "currency")
_FIGURES = ("opening", "closing", "removed", "between_subscribers")
_TAKEN = frozenset([*_LABELS, *_FIGURES, *[flow.key for flow in Flow]])


class Entered(NamedTuple):
    """The opening lots within some days that don't stand under opening."""

    begins: bool  # the books begin within these days
    keys: dict[str, str]  # the key of the figure of each `why`, in the order of their days

    def is_opening(self, moved: Movement) -> bool:
        """Whether what moved within the days stands under opening all the same."""
        return self.begins and moved.flow is Flow.OPENING

    def key_of(self, moved: Movement) -> str:
        """The key of the figure that holds what moved within the days."""
        if self.is_opening(moved):
            return "opening"
        return self.keys[moved.why] if moved.flow in _OPENINGS else moved.flow.key

    def figures(self, kind: Measure) -> list[Figure]:
        """A figure for each `why`."""
        return [Figure(key, fill(why or _NO_WHY, _WIDTH), kind) for why, key in self.keys.items()]


def entered_in(books: Books, selection: Selection) -> Entered:
    """What was entered within the days of a selection, by why; whoever holds it."""
    begins = begin_since(books, selection.start)
    keys: dict[str, str] = {}
    for each in books.openings:
        if (
            each.why not in keys
            and selection.covers(each.date)
            and not (begins and each.flow is Flow.OPENING)
        ):
            keys[each.why] = _free(each.why or _NO_WHY, keys.values())
    return Entered(begins, keys)


def begin_since(books: Books, start: date | None) -> bool:
    """Whether nothing was booked before a day."""
    return start is None or books.first_day is None or start <= books.first_day


def not_in_opening(books: Books, start: date | None) -> frozenset[LotKey]:
    """The lots that came as opening lots since a day, and of which nothing was held before it.

    They are older than their entry, and were no part of what was deferred then. Sums need `WIDE`.
    """
    begins = begin_since(books, start)
    came = {
        each.lot
        for each in books.openings
        if (start is None or each.date >= start) and not (begins and each.flow is Flow.OPENING)
    }
    if not came or start is None:
        return frozenset(came)
    before = [each for each in books.movements if each.lot in came and each.date < start]
    held = {each.lot for each in fold(before, ("lot",), ("units",)) if each.units != ZERO}
    return frozenset(came - held)


def _free(why: str, taken: Iterable[str]) -> str:
    """A key that says why, and is no other figure's."""
    key = re.sub(r"\W+", "_", why.casefold()).strip("_")
    if not key or key in _TAKEN:
        key = f"entered_{key}".rstrip("_")
    others = {*taken}
    found, number = key, 1
    while found in others:
        number += 1
        found = f"{key}_{number}"
    return found
