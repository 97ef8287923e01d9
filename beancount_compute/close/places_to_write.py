"""Where files may be written: not among other files, nor where the ledger would read them.

--pack may-pack    new, empty, or a pack of that month    written, or completed
--pack closed      among other files                      one error, nothing written
--out events       under  compute-events "events/*.csv"   one error, nothing written
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from beancount.core.data import Custom, Directive

from beancount_compute.close.storage import NEXT, CloseError, check_ours, check_plain, writing_to
from beancount_compute.ledger import CLOSED, matches, place_of

_INSTEAD = "nothing was written: name a new or an empty folder with --pack"
_KEPT = re.compile(r"reopened|[0-9]{4}-[0-9]{2}(-pack|\..*)", re.ASCII)


def check_unread(
    entries: Iterable[Directive], options: dict[str, Any], paths: Iterable[Path]
) -> None:
    """Refuse to write what a `compute-events` line of the ledger would read as events."""
    own = Path(options["filename"]).resolve().parent / CLOSED
    written = [path.resolve() for path in paths if path.suffix == ".csv"]
    written = [path for path in written if not path.is_relative_to(own)]
    for entry in entries:
        if isinstance(entry, Custom) and entry.type == "compute-events":
            folder = Path(entry.meta["filename"]).resolve().parent
            for path in [path for path in written if path.is_relative_to(folder)]:
                if matches(str(entry.values[0].value), path.relative_to(folder).parts):
                    raise CloseError(
                        f"{path} would be read as events by {place_of(entry.meta)}: "
                        "name another folder, or write a narrower pattern there"
                    )


def check_pack_place(
    place: Path, month: str, files: Mapping[str, bytes], ledgers: Path, closed: Path
) -> None:
    """Raise `CloseError` where a month's pack would be strewn among other files.

    `ledgers` is the folder of the ledger, `closed` that of its closed months: no pack, even where
    one was strewn into them.
    """
    with writing_to(place):
        reason = _wrong(place.resolve(), month, files, [ledgers.resolve(), closed.resolve()])
    if reason:
        raise CloseError(f"{place} {reason}: {_INSTEAD}")
    for name, data in files.items():
        check_ours(place / name, data)


def _wrong(place: Path, month: str, files: Mapping[str, bytes], others: list[Path]) -> str:
    """Why a folder can't hold the pack; "" where it can."""
    if any(each.is_relative_to(place) for each in others):
        return "holds the ledger or its closed months"
    closed = others[-1]
    if place.is_relative_to(closed):
        within = place.relative_to(closed)
        if _KEPT.fullmatch(within.parts[0]) and within.as_posix() != f"{month}-pack":
            return "is kept for other closed months"
        try:
            check_plain(closed, (within / "index.html").as_posix())
        except ValueError as error:
            return f"can't be written with the closed months ({error})"
    if strangers := _no_pack(place, files):
        more = " and more" if len(strangers) > 1 else ""
        return f"holds {strangers[0]}{more}, and no close pack of {month}"
    return ""


def _no_pack(place: Path, files: Mapping[str, bytes]) -> list[str]:
    """What a folder holds where none of it is of this pack."""
    if not place.exists():
        return []
    there = sorted(each.name for each in place.iterdir() if each.name != NEXT)
    ours = [name for name in there if name in files and (place / name).is_file()]
    return [] if any((place / name).read_bytes() == files[name] for name in ours) else there
