"""Closed months in bulk, byte by byte as they were sealed, and tied out again from their Parquet.

To book them again needs what books them: `beancount_compute.bulk.booked_again` does it.
"""

from __future__ import annotations

import os
from pathlib import Path

from beancount_compute.booking import Booking
from beancount_compute.close.bulk_month import booked_in_bulk
from beancount_compute.close.difference import Difference
from beancount_compute.close.loading import Loaded
from beancount_compute.close.month_in_parquet import MonthInParquet, handed_on_to
from beancount_compute.close.storage import CloseError
from beancount_compute.close.tie_outs import bulk_ties
from beancount_compute.closed import (
    FrozenMonth,
    SealedFile,
    bulk_files,
    changed_since,
    folder_of_files,
)
from beancount_compute.economy import Month


def months_in_bulk(loaded: Loaded) -> list[tuple[str, Path]]:
    """The closed months in bulk that hold, each with its folder."""
    booking = loaded.booked
    return [
        (month.name, _folder_of(month, files, booking))
        for month in booking.closed.months
        if (files := bulk_files(month.files.head_rows()))
    ]


def _folder_of(month: FrozenMonth, files: list[SealedFile], booking: Booking) -> Path:
    include = booking.options["include"]
    return Path(folder_of_files(files, month.name, booking.chain.folder, include))


def verify_bulk(loaded: Loaded, booking: Booking) -> list[Difference]:
    """Files of months in bulk that are not those that were sealed; and ties that hold no more."""
    found: list[Difference] = []
    for month in booking.closed.months:
        files = bulk_files(month.files.head_rows())
        folder = _folder_of(month, files, booking) if files else Path()
        changed = [
            Difference(
                month.name,
                str(folder / os.path.basename(each.path)),
                f"{why}: restore it, or reopen {month.name} and book it anew",
            )
            for each in files
            if (why := changed_since(each, str(folder), whole=True))
        ]
        found += changed
        if files and not changed:
            found += _bulk_ties(month.name, folder, files, loaded, booking)
    return found


def _bulk_ties(
    name: str, place: Path, files: list[SealedFile], loaded: Loaded, booking: Booking
) -> list[Difference]:
    """The tie-outs of a month in bulk that do not hold."""
    try:
        bulk = booked_in_bulk(Month.parse(name), place, files)
        parquet = MonthInParquet(place, handed_on_to(bulk.month, place, booking))
        ties = bulk_ties(bulk, parquet, loaded.entries, booking.accounts)
    except CloseError as error:
        return [Difference(name, str(place), f"can't be tied out again: {error}")]
    return [
        Difference(
            name,
            str(place),
            f"{tie.name}: {tie.left_name} {tie.left:,f} {tie.about}, {tie.right_name} "
            f"{tie.right:,f}",
        )
        for tie in ties
        if not tie.holds
    ]
