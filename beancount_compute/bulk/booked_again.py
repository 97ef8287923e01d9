"""A closed month in bulk, booked again from its event files, and compared with what was sealed.

    events/2026-05/*.parquet, bulk/2026-04/   ->   a folder of its own   =   bulk/2026-05/ ?

Where an event file is gone, that is said, and nothing is compared.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import JOURNAL, BulkError, bulk_terms
from beancount_compute.bulk.closed_months import ClosedMonths
from beancount_compute.bulk.folder.month_folder import about_month
from beancount_compute.bulk.folder.month_tables import DETAIL
from beancount_compute.bulk.month_asked import MonthAsked
from beancount_compute.bulk.month_run import write_month
from beancount_compute.bulk.rows.ledger_events import first_in_bulk
from beancount_compute.bulk.rows.month_files import (
    EventFiles,
    event_files_of,
    first_gone,
    noted_files,
)
from beancount_compute.bulk.rows.object_copies import Noted, unnoted
from beancount_compute.bulk.rows.object_store import StoreRefusal
from beancount_compute.close.difference import Difference
from beancount_compute.close.loading import Loaded
from beancount_compute.economy import Month

_OPEN = " open "


class Unbooked(BulkError):
    """Why a month can't be booked again: no difference, but nothing was compared."""


def booked_again(
    month: str, folder: Path, loaded: Loaded, noted: Noted = unnoted
) -> list[Difference]:
    """What a month says otherwise than its events give now; raises `Unbooked`.

    `noted` is told of copies that take room meanwhile.
    """
    about = about_month(folder)
    files = _event_files(about["files"], folder, loaded)
    named = Month.parse(month)
    journal = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
    opened_here = {line.split()[2] for line in journal if _OPEN in line[:17]}
    ledger = Path(str(loaded.options["filename"]))
    with tempfile.TemporaryDirectory(prefix="bean-compute-") as name:
        place = Path(name)
        for each in sorted(folder.parent.glob("[0-9]*-[0-9]*")):
            if each.name < month and each.is_dir():
                (place / each.name).symlink_to(each.resolve(), target_is_directory=True)
        detail = DETAIL in about
        asked = MonthAsked(ledger, named, files.paths, place, detail=detail)
        bulk = bulk_terms(loaded, named)
        closed = ClosedMonths(loaded, Month.of(first_in_bulk(place, named)))
        opened = set(about["opened"]) - opened_here
        try:
            found = write_month(asked, place, files, bulk, closed, opened, noted=noted)
        except StoreRefusal as why:
            raise Unbooked(str(why)) from None
        except BulkError as error:
            text = f"can't be booked again: {str(error).replace(f'{place}/', '')}"
            return [Difference(month, str(folder), text)]
        names = [each for each in about.get("written", ()) if each != "control.csv"]
        return [
            Difference(
                month,
                str(folder / each),
                "its events, booked again, give something else: restore what was changed (the "
                "event files, terms, or hand-written lots), or look into it with another release",
            )
            for each in names
            if not _same(folder / each, found.folder / each)
        ]


def _event_files(names: list[str], folder: Path, loaded: Loaded) -> EventFiles:
    paths = noted_files(folder.parent, names)
    try:
        if gone := first_gone(paths):
            raise Unbooked(f"{gone} is gone")
        return event_files_of(paths, Path(str(loaded.options["filename"])).parent)
    except StoreRefusal as why:
        raise Unbooked(str(why)) from None


def _same(one: Path, other: Path) -> bool:
    """Whether two files say the same; Parquet, its rows in their order."""
    if not other.is_file():
        return False
    if one.suffix == ".parquet":
        return bool(parquet.read_table(one).equals(parquet.read_table(other)))
    return one.read_bytes().replace(b"\r\n", b"\n") == other.read_bytes()
