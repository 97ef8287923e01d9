"""The folders of months that `bean-compute bulk` booked, as far as a load needs to know them.

    include "bulk/*/journal.beancount"

    bulk/2026-05/month.json           what the folder is of
    bulk/2026-05/journal.beancount    the month for the general ledger, tagged #compute-bulk
    bulk/2026-05/*.parquet            what stands behind it, subscriber by subscriber

Nothing here reads Parquet.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Container, Iterable
from datetime import date

from beancount_compute.economy import Place
from beancount_compute.ledger.errors import Errors

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


def check_bulk_folders(include: Iterable[str], sealed: Container[str], errors: Errors) -> None:
    """One error for each open month that is not what it says; a seal tells of closed ones."""
    for month, folder in bulk_folders(include).items():
        path = os.path.join(folder, BULK_ABOUT)
        said = month if month in sealed else _month_said(path)
        if said is None:
            message = (
                "this is not as bean-compute bulk wrote it: restore it, or move the folder away "
                f"and book {month} anew"
            )
            errors.add(Place(path, 1), message)
        elif said != month:
            message = f"this is of {said}, and its folder is named {month}: name it by its month"
            errors.add(Place(path, 1), message)


def _month_said(path: str) -> str | None:
    """The month that the file says; None where it says none."""
    try:
        with open(path, encoding="utf-8") as file:
            about = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    said = about.get("month") if isinstance(about, dict) else None
    return said if isinstance(said, str) else None
