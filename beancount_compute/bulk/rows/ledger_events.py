"""Events that stand in the ledger itself, in a month that is booked in bulk.

    2026-05-03 custom "compute-grant" "alice" 5 CU     ->   booked with the rows of 2026-05

They are few, and one part of the month: all of them, whom they name, and who shares an id with one.
A month remembers which it had, so that none is added to it or taken away unseen.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import OPERATOR, BulkError, BulkTerms
from beancount_compute.bulk.folder.month_folder import ABOUT, about_month
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.economy import Month, content_id, names_of

_NOTED = "events"  # in month.json


def first_in_bulk(folder: Path, month: Month) -> date:
    """The first day that is booked in bulk, where that month is, too."""
    months = [each.parent.name for each in folder.glob(f"[0-9]*-[0-9]*/{ABOUT}")]
    return Month.parse(min([*months, month.name])).first


def own_events_noted(bulk: BulkTerms) -> dict[str, Any]:
    """What a month's folder remembers of the events that stood in the ledger."""
    own = sorted(map(content_id, bulk.own_events))
    return {_NOTED: own} if own else {}


def check_own_events(folder: Path, bulk: BulkTerms, ledger: Path) -> None:
    """Raise `BulkError` where an earlier month was booked with other events than the ledger has."""
    month = bulk.month.previous
    while (folder / month.name).exists():
        noted = Counter(about_month(folder / month.name).get(_NOTED, ()))
        for event in bulk._replace(month=month).own_events:
            if not noted[content_id(event)]:
                raise BulkError(
                    f"{event.place}: an event of {month}, which was booked without it: date it in "
                    f"{bulk.month}, or book {month} anew"
                )
            noted[content_id(event)] -= 1
        if noted.total():
            raise BulkError(
                f"{ledger}: {month} was booked with {noted.total():,} events that it does not have "
                f"any more: bring them back, or book {month} anew"
            )
        month = month.previous


def note_own_events(table: EventTable, bulk: BulkTerms) -> None:
    """Let queries know them as `own_events`, one row for each whom one names."""
    rows = [
        (OPERATOR, party, event.id or content_id(event), event.reverses or event.of)
        for event in bulk.own_events
        for party in (names_of(event) or [OPERATOR])
    ]
    names = ("operator", "party", "event_id", "named_id")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    given = pa.table([pa.array(each, pa.string()) for each in columns], names=list(names))
    table.register("own_events", given)
