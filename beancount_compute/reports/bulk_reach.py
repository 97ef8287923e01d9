"""What a report can say of months that were booked in bulk, of which days are added up.

rollforward, revenue, margin ...     of all subscribers together
aging, statement, corrections ...    of days before those months; else one sentence says why not
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol, TypeVar

from beancount_compute.reports.books import Books, NotInBulk, Selection
from beancount_compute.reports.tables import SUBSCRIBER, Column


class ReadsBooks(Protocol):
    """A report, as far as it matters here."""

    @property
    def name(self) -> str: ...
    @property
    def of_sums(self) -> bool: ...


class Labelled(Protocol):
    """The layout of a table."""

    @property
    def labels(self) -> tuple[Column, ...]: ...


LayoutOf = TypeVar("LayoutOf", bound=Labelled)


def books_of(report: ReadsBooks, books: Books, selection: Selection) -> Books:
    """The books to read; raises `NotInBulk` where these are added up too far."""
    bulk = books.bulk
    if bulk is None:
        return books
    if selection.end is not None and selection.end < bulk.first:
        return bulk.own
    before = f": ask for days up to {bulk.first - timedelta(1)}" if bulk.own.movements else ""
    if not report.of_sums:
        raise NotInBulk(
            f"{report.name} reads single transactions, of which {bulk.names} has none, being "
            f"booked in bulk{before}"
        )
    if selection.subscriber:
        raise NotInBulk(
            f"{bulk.names} was booked in bulk, so that {report.name} is of all subscribers "
            f"together; `report statement` is of one{before}"
        )
    return books


def shown(layouts: Iterable[LayoutOf], books: Books) -> list[LayoutOf]:
    """The layouts of the tables that books can fill: no days say anything by subscriber."""
    return [
        each
        for each in layouts
        if books.bulk is None or all(column.key != SUBSCRIBER.key for column in each.labels)
    ]
