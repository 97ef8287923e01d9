"""Closed months that say something else than was sealed: which of the ledger's events they held.

The open months go on from what was sealed. So where frozen rows or text were touched, an event that
stands in no frozen row was either booked in such a month, and then it is in the books already, or
it came late, and then the first open month books it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from beancount.core.data import Transaction

from beancount_compute.closed.chain import NO_SEAL, Chain
from beancount_compute.closed.event_rows import FrozenEvent
from beancount_compute.closed.months import FrozenMonth
from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import NEVER_LATE
from beancount_compute.economy.months import Month


class Doubts:
    """What can still be told of the months that do not say what was sealed."""

    def __init__(
        self, months: Iterable[FrozenMonth], whole: set[str], matched: Counter[str], chain: Chain
    ) -> None:
        """`whole` are months whose rows lack nothing, `matched` counts events found in rows."""
        self._chain = chain
        self._sealed = {month.name for month in months}
        doubtful = [month for month in months if not month.holds and month.name not in whole]
        self._left = {each.name: each.files.seal.events - matched[each.name] for each in doubtful}
        self._gone = [each for each in doubtful if not each.files.rows and not each.files.text]
        self._late = _late_in(doubtful)
        self._booked = {
            each.name: ids for each in doubtful if (ids := _booked_in(each)) is not None
        }

    def held(self, event: Event) -> FrozenEvent | None:
        """An event of a closed day, without a row, as such a month held it; None if none did."""
        if event.id in self._late:
            return FrozenEvent(event, self._late[event.id])
        name = self._chain.month_of(event.date)
        if name in self._left:
            may_be_late = event.id and event.kind not in NEVER_LATE and name in self._booked
            if may_be_late and event.id not in self._booked[name]:
                return None
            self._left[name] -= 1
            return FrozenEvent(event)
        if self._chain.broken and name not in self._sealed:
            return FrozenEvent(event)
        return None

    def held_late(self, event: Event) -> FrozenEvent | None:
        """The same of an event that came late, where nothing is left of the month but its seal."""
        for month in self._gone:
            first_day = Month.parse(month.name).first
            started = month.files.seal.previous != NO_SEAL
            if event.id and event.date < first_day and started and self._left[month.name] > 0:
                self._left[month.name] -= 1
                return FrozenEvent(event, first_day)
        return None


def _late_in(months: Iterable[FrozenMonth]) -> dict[str, date]:
    """The late events that rows or text still show, by id."""
    found: dict[str, date] = {}
    for month in months:
        first_day = Month.parse(month.name).first
        for entry in month.month.booked:
            if isinstance(entry, Transaction) and "compute-late" in entry.tags:
                found[str(entry.meta.get("event"))] = first_day
        found.update({event.id: first_day for event, booked in month.events if booked})
    return found


def _booked_in(month: FrozenMonth) -> set[str] | None:
    """The ids of the events that a month's text books; None where it can't be told."""
    made = [entry for entry in month.month.booked if isinstance(entry, Transaction)]
    if not month.files.text or any("events" in entry.meta for entry in made):  # merged uses
        return None
    return {str(entry.meta.get("event")) for entry in made}
