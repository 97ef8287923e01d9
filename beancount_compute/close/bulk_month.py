"""A month that `bean-compute bulk` booked, as its close finds it: whole, and of this ledger.

    bulk/2026-05/month.json   says of which month, ledger and terms the folder is, and its files

What is half there, or of other terms, is refused before anything is worked out.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom, Directive, Transaction

from beancount_compute.booking import Booking
from beancount_compute.close.loading import Loaded
from beancount_compute.close.standing import index_folder
from beancount_compute.close.storage import CloseError
from beancount_compute.closed import SealedFile, content_digest, item_of, sealed_file
from beancount_compute.economy import AS_OF, POCKETS, WIDE, Month, decimals_of, quoted, trim
from beancount_compute.ledger import (
    BULK_ABOUT,
    BULK_JOURNAL,
    BULK_TAG,
    OPENING_TAG,
    TERM_TYPES,
    bulk_folders,
    is_bulk_folder,
    pocket_postings,
)

BULK, CONTROL_FILE = "bulk", "control.csv"
_BOOKED_BY = ("by the kernel", "by the engine")
_ANEW = ": book the month anew with bean-compute bulk"
_EACH_MONTH = "compute-subscriber"  # newcomers are named in any month, and change no booking


class BookedInBulk(NamedTuple):
    """A month in bulk that is whole."""

    month: Month
    folder: Path
    files: tuple[SealedFile, ...]
    rows: int  # booked
    refused: int  # rows
    held: tuple[Amount, ...]  # deferred revenue at its end, by currency


def bulk_month(month: Month, loaded: Loaded) -> BookedInBulk | None:
    """The folder of a month in bulk; None for a month that the ledger books itself.

    Raises `CloseError` where it is missing, half, or of another ledger.
    """
    folders = bulk_folders(loaded.options["include"])
    if month.name not in folders:
        _check_no_folder(month, loaded, min(folders, default=""))
        return None
    folder = Path(folders[month.name])
    about = _about(folder)
    booking = loaded.booked
    title = str(loaded.options.get("title") or "")
    wrong = (
        (about.get("ledger") != title, f"it is of the ledger {quoted(str(about.get('ledger')))}"),
        (about.get("terms") != terms_digest(booking, month), "the ledger's terms were changed"),
    )
    for is_so, why in wrong:
        if is_so:
            raise CloseError(f"{folder} was not booked from this ledger as it stands: {why}{_ANEW}")
    written = about.get("written")
    names = sorted(map(str, written)) if isinstance(written, list) else []
    for name in (BULK_JOURNAL, CONTROL_FILE, *names):
        if name not in names or not (folder / name).is_file():
            raise CloseError(f"{folder} is not whole: {name} is gone{_ANEW}")
    closed = index_folder(loaded.options)
    try:
        files = [sealed_file(str(folder / name), closed) for name in (*names, BULK_ABOUT)]
    except OSError as error:
        raise CloseError(f"can't read {error.filename}: {error.strerror or error}") from None
    return booked_in_bulk(month, folder, sorted(files))


def booked_in_bulk(month: Month, folder: Path, files: Sequence[SealedFile]) -> BookedInBulk:
    """A month by its files and its control.csv; raises `CloseError` where that can't be read."""
    try:
        return BookedInBulk(month, folder, tuple(files), *_controlled(folder))
    except (OSError, KeyError, ValueError, ArithmeticError, TypeError):
        raise CloseError(f"{folder / CONTROL_FILE} can't be read{_ANEW}") from None


def _check_no_folder(month: Month, loaded: Loaded, first: str) -> None:
    """Raise `CloseError` for a month that must have a folder, and of which none is included."""
    for entry in loaded.entries:
        if (
            isinstance(entry, Transaction)
            and BULK_TAG in (entry.tags or ())
            and Month.of(entry.date) == month
        ):
            raise CloseError(
                f"{entry.meta['filename']} was booked in bulk, and has no {BULK_ABOUT} beside it"
                f"{_ANEW}"
            )
    ledger = Path(str(loaded.options["filename"]))
    beside = ledger.parent / BULK / month.name
    if is_bulk_folder(str(beside)):
        raise CloseError(
            f"{beside} is not included: add the line  "
            f'include "{BULK}/*/{BULK_JOURNAL}"  to {ledger.name}'
        )
    if first and first < month.name:
        raise CloseError(
            f"{month} is not booked: from {first} on months are booked in bulk, and there is no "
            f"folder of this one: bean-compute bulk {month} {ledger.name} --events ..."
        )


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / BULK_ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        about = None
    if not isinstance(about, dict):
        raise CloseError(f"{folder / BULK_ABOUT} can't be read{_ANEW}")
    return about


def terms_digest(booking: Booking, month: Month) -> str:
    """What tells terms and hand-written lots up to a month's end from all others."""
    entries = [each for each in booking.entries if each.date <= month.last]
    terms = [
        each
        for each in entries
        if isinstance(each, Custom)
        and each.type in TERM_TYPES
        and each.type != _EACH_MONTH
        and not (each.values and each.values[0].value == AS_OF.name)
    ]
    own = [
        each
        for each in entries
        if isinstance(each, Transaction) and BULK_TAG not in (each.tags or ())
    ]
    by_hand = {id(entry): entry for entry, _, _ in pocket_postings(own, booking.accounts)}
    by_hand |= {id(entry): entry for entry in own if OPENING_TAG in entry.tags}
    found: list[Directive] = [*terms, *by_hand.values()]
    return content_digest(map(item_of, found))


def _controlled(folder: Path) -> tuple[int, int, tuple[Amount, ...]]:
    """How many rows were booked and refused, and what the lots cost at the end."""
    rows, refused, found = 0, 0, defaultdict[str, Decimal](Decimal)
    with (
        open(folder / CONTROL_FILE, encoding="utf-8", newline="") as file,
        localcontext(WIDE),
    ):
        for row in csv.DictReader(file):
            if row["what"] == "rows" and row["of"] in _BOOKED_BY:
                rows += int(row["figure"])
            if row["what"] == "rows" and row["of"] == "refused":
                refused = int(row["figure"])
            if row["what"] == "deferred revenue" and row["of"] in POCKETS.values():
                found[row["currency"]] += Decimal(row["other"])
    held = [
        Amount(trim(number, decimals_of(currency)), currency)
        for currency, number in sorted(found.items())
    ]
    return rows, refused, tuple(held)
