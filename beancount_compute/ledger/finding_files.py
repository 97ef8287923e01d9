"""Finding event files: the paths and globs of `compute-events` lines, each file once.

2026-01-01 custom "compute-events" "events/2026-05.csv"
2026-01-01 custom "compute-events" "events/*.csv"        ; its date has no meaning
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from beancount_compute.economy.events import Place
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import Errors

CLOSED = "closed"  # the folder of closed months: what lies in it never matches


class FileRequest(NamedTuple):
    """A `compute-events` line: which files, seen from which folder."""

    path: str
    folder: str
    place: Place


def find_files(
    requests: Sequence[FileRequest], ledger_folder: str, errors: Errors
) -> Iterator[tuple[str, Place]]:
    """Each event file once, with the line that named it first; what is missing is an error."""
    seen: set[str] = set()
    closed = os.path.realpath(os.path.join(ledger_folder, CLOSED)) + os.sep
    for request in requests:
        pattern = os.path.join(request.folder, request.path)
        try:
            named = os.path.lexists(pattern)
            paths = [pattern] if named else sorted(glob.glob(pattern, recursive=True))
        except (OSError, ValueError):  # a NUL byte in the path, say
            paths = []
        files = [
            os.path.abspath(path)
            for path in paths
            if os.path.isfile(path) and not os.path.realpath(path).startswith(closed)
        ]
        if not files and any(os.path.isfile(path) for path in paths):
            message = (
                f"{quoted(request.path)} lies in the folder of closed months, whose events are in "
                "the books already: remove this line"
            )
            errors.add(request.place, message)
        elif not files:
            message = (
                f"no event file {quoted(request.path)}: write a path or a glob, seen from here"
            )
            errors.add(request.place, message)
        for path in files:
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path, request.place
