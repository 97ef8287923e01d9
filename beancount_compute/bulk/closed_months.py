"""The months that a ledger closed itself, before its first in bulk: what those go on from.

reverses u-7, of May, which is closed   ->   what undoes it, as the frozen text of May has it
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cached_property

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.close.loading import Loaded
from beancount_compute.close.month_in_parquet import state_before
from beancount_compute.closed import (
    beside_others,
    money_back,
    past_costs,
    told_since,
    undo_of,
    with_units_beyond,
    with_used_beyond,
)
from beancount_compute.economy import JournalEntry, Month
from beancount_compute.economy.carried import Carried
from beancount_compute.economy.state import Undo


class ClosedMonths:
    """The ledger's own closed months, which end just before the first in bulk."""

    def __init__(self, loaded: Loaded, first: Month) -> None:
        """`first` is the first month in bulk; those behind it may be closed, too."""
        self._booking, self._first = loaded.booked, first
        closed = self._booking.closed
        own = [each for each in closed.months if Month.parse(each.name) < first]
        self._closed = closed._replace(months=own)

    @cached_property
    def carried(self) -> Carried | None:
        """What they hand on to the first month in bulk; None where there are none.

        Raises `BulkError` where they end earlier.
        """
        booking, closed, accounts = self._booking, self._closed, self._booking.accounts
        state = booking.state
        if state is not None and state.carried.last_day == self._first.previous.last:
            carried = state.carried
        else:
            before = state_before(self._first, booking)
            if before is None and closed.months:
                raise BulkError(
                    f"{self._first} goes on from {self._first.previous}, and "
                    f"{closed.months[-1].name} is the last closed month: close those between first"
                )
            if before is None:
                return None
            carried = with_used_beyond(before, booking.terms.terms, closed, accounts)
        running = {(each.subscriber, each.plan) for each in carried.subscriptions}
        beside = beside_others(running, closed)
        names = {accounts.component(name): name for name in carried.known}
        return carried._replace(money_back=money_back(beside, frozenset(), closed, accounts, names))

    @cached_property
    def _names(self) -> dict[str, str]:
        """The subscriber of each account component."""
        known = self.carried.known if self.carried else ()
        return {self._booking.accounts.component(name): name for name in known}

    def undo_of(self, ids: frozenset[str]) -> dict[str, Undo]:
        """What undoes the events of those ids, as far as they booked them."""
        if self.carried is None:
            return {}
        terms, accounts = self._booking.terms.terms, self._booking.accounts
        found = undo_of(ids, self._closed, accounts, self._names)
        return with_units_beyond(found, terms, self._closed, accounts, self.carried)

    def told_since(self, day: date, payers: Collection[str]) -> list[tuple[JournalEntry, str]]:
        """The entries since a day that tell what went back of what some subscribers paid.

        Each with the id of what it undoes, if it undoes something.
        """
        if self.carried is None or day > self.carried.last_day:
            return []
        accounts = self._booking.accounts
        return [*told_since(day, payers, self._closed, accounts, self._names)]

    def costs_for(self, days: Collection[date]) -> list[JournalEntry]:
        """The entries of cost that are for some days."""
        if self.carried is None:
            return []
        return [*past_costs(days, self._closed, self._booking.accounts, self._names)]
