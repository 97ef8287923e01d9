"""Tables of the reports on people, each worked out once for a selection, until the next load.

people.tables(RETENTION, Selection(plan="pro"))["survival"]
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from beancount_compute.reports import Books, ReportLike, Selection, Table
from beancount_compute.reports.bulk_reach import books_of

_MOST_KEPT = 24  # selections; what was looked at longest ago goes first


class PeopleTables:
    """Reports of a load; who asks for what another is just working out waits for it."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, Selection], dict[str, Table]] = OrderedDict()

    def tables(self, report: ReportLike, selection: Selection) -> dict[str, Table]:
        """The tables of a report by name; raises `NotInBulk`."""
        books = books_of(report, self._books, selection)
        key = report.name, selection
        with self._lock:
            found = self._found.pop(key, None)
            if found is None:
                found = {each.name: each for each in report.tables(books, selection)}
            self._found[key] = found
            if len(self._found) > _MOST_KEPT:
                self._found.popitem(last=False)
        return found
