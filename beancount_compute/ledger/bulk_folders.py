"""The folders of months that `bean-compute bulk` booked, as far as a load needs to know them.

    include "bulk/*/journal.beancount"

    bulk/2026-05/month.json           what the folder is of
    bulk/2026-05/journal.beancount    the month for the general ledger, tagged #compute-bulk
    bulk/2026-05/*.parquet            what stands behind it, subscriber by subscriber

Nothing here reads Parquet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import date

BULK_TAG = "compute-bulk"
BULK_JOURNAL = "journal.beancount"
BULK_ABOUT = "month.json"
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


def bulk_folders(include: Iterable[str]) -> dict[str, str]:
    """The folders of the months whose journals a ledger includes, by month, in order.

    A journal of that name without what `bean-compute bulk` writes beside it is anybody's.
    """
    found: dict[str, str] = {}
    for path in include:
        folder, name = os.path.split(path)
        month = os.path.basename(folder)
        if name == BULK_JOURNAL and _MONTH.fullmatch(month) and is_bulk_folder(folder):
            found.setdefault(month, folder)
    return dict(sorted(found.items()))


def is_bulk_folder(folder: str) -> bool:
    """Whether a folder is one that `bean-compute bulk` wrote."""
    return os.path.isfile(os.path.join(folder, BULK_ABOUT))


def first_bulk_day(include: Iterable[str]) -> date | None:
    """The first day from which on a ledger is booked in bulk; None where it is not."""
    months = bulk_folders(include)
    return date.fromisoformat(f"{min(months)}-01") if months else None
