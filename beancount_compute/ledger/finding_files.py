"""Finding event files: the paths and globs of `compute-events` lines, each file once.

2026-01-01 custom "compute-events" "events/2026-05.csv"
2026-01-01 custom "compute-events" "events/*.csv"        ; its date has no meaning
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import NamedTuple

from beancount_compute.economy import Place, quoted
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.globs import MOST_LOOKED_AT, TooMuchToLookAt, paths_found
from beancount_compute.ledger.header import AS_NAMED, ColumnMap

CLOSED = "closed"  # the folder of closed months, if none is named: what lies in it never matches


class FileRequest(NamedTuple):
    """A `compute-events` line: which files, seen from which folder."""

    path: str
    folder: str
    place: Place
    column_map: ColumnMap = AS_NAMED


def find_files(
    requests: Sequence[FileRequest], ledger_folder: str, errors: Errors
) -> Iterator[tuple[str, FileRequest]]:
    """Each event file once, with the line that named it first; what is missing is an error."""
    seen: set[str] = set()
    closed = os.path.realpath(os.path.join(ledger_folder, CLOSED)) + os.sep
    for request in requests:
        try:
            paths = [os.path.abspath(path) for path in _named(request) if os.path.isfile(path)]
        except TooMuchToLookAt:
            errors.add_unread_file(request.place, _too_much(request))
            continue
        files = [path for path in paths if not os.path.realpath(path).startswith(closed)]
        if not files:
            errors.add_unread_file(request.place, _no_file(request, closed=bool(paths)))
        for path in files:
            real = os.path.realpath(path)
            if not _is_utf8(path):  # Beancount's cache, and Fava, would raise
                name = quoted(os.path.relpath(path, request.folder))
                errors.add_unread_file(request.place, f"the path {name} is not UTF-8: rename it")
            elif real not in seen:
                seen.add(real)
                yield path, request


def _named(request: FileRequest) -> list[str]:
    """What a line names: a path as it stands, or else what its glob matches."""
    path = os.path.join(request.folder, request.path)
    try:
        if os.path.lexists(path):
            return [path]
        # the folder is no part of the glob: it may well be called "books[1]"
        return paths_found(request.path, request.folder)
    except (OSError, ValueError):  # a NUL byte in the path, say
        return []


def matches(pattern: str, parts: Sequence[str]) -> bool:
    """Whether a glob would find a path, if it were there; both as seen from one folder."""
    return _match(PurePath(pattern).parts, tuple(parts))


def _match(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _match(pattern[1:], parts) or (bool(parts) and _match(pattern, parts[1:]))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _match(pattern[1:], parts[1:])


def _no_file(request: FileRequest, *, closed: bool) -> str:
    if closed:
        return (
            f"{quoted(request.path)} lies in the folder of closed months, whose events are in "
            "the books already: remove this line"
        )
    return f"no event file {quoted(request.path)}: write a path or a glob, seen from here"


def _too_much(request: FileRequest) -> str:
    return (
        f"{quoted(request.path)} would look at more than {MOST_LOOKED_AT:,} files and folders: "
        "write a glob that begins with the folder of your event files"
    )


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
