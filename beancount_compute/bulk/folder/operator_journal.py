"""The operator's entries of a month, leg by leg: few, whoever was served.

    0  2026-05-01  purchase      openai  prepaid   200 OAI of {1.00 USD, 2026-05-01}   200.00 USD
    1  2026-05-20  cost          openai  cost      chat                                 80.00 USD
    2  2026-05-31  depreciation  gpu     capacity                                      -13.00 USD

Reports of costs and bills read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import SCHEMAS, table_of
from beancount_compute.bulk.folder.operator_state import legs_as_rows
from beancount_compute.economy import OF_PROVIDERS, JournalEntry, Record
from beancount_compute.economy.journal import is_use

_OF_PROVIDERS = frozenset(OF_PROVIDERS)


def entries_of_operator(records: Iterable[Record]) -> list[JournalEntry]:
    """Those entries of the journal that are of a provider or a capacity, or undo one."""
    found = []
    for each in records:
        if not is_use(each):
            assert isinstance(each, JournalEntry)
            if each.kind in _OF_PROVIDERS or each.undoes in _OF_PROVIDERS:
                found.append(each)
    return found


def operator_journal_table(entries: Iterable[JournalEntry]) -> pa.Table:
    """Entries of the operator as rows."""
    names = SCHEMAS["operator_journal"].names
    rows = [
        tuple([{**_about(at, entry), **cells}.get(name) for name in names])
        for at, entry in enumerate(entries)
        for cells in legs_as_rows(entry)
    ]
    return table_of("operator_journal", rows)


def _about(at: int, entry: JournalEntry) -> dict[str, Any]:
    return {
        "entry": at,
        "booked": entry.date,
        "kind": entry.kind.value,
        "undoes": entry.undoes,
        "id": entry.id,
        "source": entry.source,
        "name": entry.subscriber,
        "period": entry.period,
        "served": entry.served,
    }
