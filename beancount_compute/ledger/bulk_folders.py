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
from typing import Any

from beancount_compute.economy import Month, Place
from beancount_compute.ledger.errors import Errors

BULK_TAG = "compute-bulk"
BULK_JOURNAL = "journal.beancount"
BULK_ABOUT = "month.json"
BULK_STATE, BULK_GOES_ON_FROM = "state", "before"  # in it: digests of lots and subscribers
_MONTH = re.compile(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


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
    folders = bulk_folders(include)
    abouts = {month: _about(folder) for month, folder in folders.items()}
    for month, folder in folders.items():
        path = os.path.join(folder, BULK_ABOUT)
        before = _month_before(month)
        said = month if month in sealed else abouts[month].get("month")
        if not isinstance(said, str):
            message = (
                "this is not as bean-compute bulk wrote it: restore it, or move the folder away "
                f"and book {month} anew"
            )
            errors.add(Place(path, 1), message)
        elif said != month:
            message = f"this is of {said}, and its folder is named {month}: name it by its month"
            errors.add(Place(path, 1), message)
        elif month not in sealed and _goes_on_from_another(abouts[month], abouts.get(before)):
            message = (
                f"{before} was booked anew since, and {month} goes on from what it was before: "
                f"move the folder away and book {month} anew"
            )
            errors.add(Place(path, 1), message)


def _month_before(month: str) -> str:
    """The month before one; "" where the calendar has none."""
    try:
        return Month.parse(month).previous.name
    except ValueError:
        return ""


def _goes_on_from_another(about: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Whether a month goes on from another state than the month before it holds."""
    known = about.get(BULK_GOES_ON_FROM), (before or {}).get(BULK_STATE)
    return None not in known and known[0] != known[1]


def _about(folder: str) -> dict[str, Any]:
    """What a folder says of itself; nothing where that can't be read."""
    try:
        with open(os.path.join(folder, BULK_ABOUT), encoding="utf-8") as file:
            about = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}
