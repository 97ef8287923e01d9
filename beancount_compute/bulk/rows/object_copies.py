"""Copies of a month's objects on this machine, where it reads them more than once.

    s3://books/events/2026-05/a.parquet   ->   bulk/.2026-05.next/copies/000000.parquet

They go when the month is written; a run that goes on from a killed one takes those that are whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.rows.month_files import AT_ONCE, EventFiles, end_of
from beancount_compute.bulk.rows.object_store import open_file, refusing_store
from beancount_compute.reports import counted

Noted = Callable[[str], None]  # is told what goes where
_CHUNK = 8 << 20


def unnoted(text: str) -> None:
    """Nobody is told."""


def at_hand(files: EventFiles, folder: Path, noted: Noted) -> EventFiles:
    """The same files, objects as copies in a folder; who looks on is told what goes there."""
    if not files.in_store:
        return files
    folder.mkdir(parents=True, exist_ok=True)
    here = files._replace(copies=str(folder))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = [*pool.map(end_of, files.paths)]
        pairs = [
            (path, copy, end)
            for path, copy, end in zip(files.paths, here.here, ends, strict=True)
            if not os.path.exists(copy) or end_of(copy) != end
        ]
        size = sum(size for _, _, (size, _) in pairs)
        _check_room(folder, size)
        if pairs:
            noted(
                f"Copying {counted(len(pairs), 'file')} ({_megabytes(size)}) to {folder}, until "
                "the month is written"
            )
        for _ in pool.map(_copy, *zip(*pairs, strict=True)) if pairs else ():
            pass
    return here


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise BulkError(
            f"copies of the events want {_megabytes(size)} in {folder}, and {_megabytes(free)} are "
            "free: make room, or name another folder with --into"
        )


def _copy(path: str, copy: str, end: tuple[int, bytes]) -> None:
    almost = f"{copy}.almost"
    with refusing_store(path), open_file(path) as given, open(almost, "wb") as file:
        shutil.copyfileobj(given, file, _CHUNK)
    if end_of(almost) != end:
        raise BulkError(f"{path} was changed while it was read: run again")
    os.replace(almost, copy)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
