"""What a glob finds, looked for in so many files and folders at most.

    events/2026-*.csv      books/**/events.csv

As Python's own: `**` stands for any folders, and no star for a name that begins with a dot. That
one would go through a whole disk, and round and round where a link leads back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from glob import has_magic
from typing import NamedTuple

MOST_LOOKED_AT = 100_000  # files and folders


class TooMuchToLookAt(Exception):
    """A glob that would look at more files and folders than anybody's books have."""


class Seen(NamedTuple):
    """A file or folder that was looked at."""

    name: str
    path: str
    is_folder: bool


def paths_found(pattern: str, folder: str) -> list[str]:
    """The paths that a glob finds, seen from a folder, in order; raises `TooMuchToLookAt`."""
    root, parts = os.path.splitdrive(pattern)
    if os.path.isabs(pattern):
        root += os.sep
    *names, last = parts.replace(os.altsep or os.sep, os.sep).split(os.sep)
    names = [*filter(None, names), last]  # an empty last one stands for folders only
    return sorted(set(_Glob().find(root or folder or os.curdir, names)))


class _Glob:
    """Counts what it looks at."""

    def __init__(self) -> None:
        self._looked_at = 0

    def find(self, at: str, names: list[str], above: tuple[object, ...] = ()) -> Iterator[str]:
        """The paths that the names of a pattern find below a path; `above` are folders above it."""
        if not names:
            yield at
            return
        name, rest = names[0], names[1:]
        if name == "**":
            yield from self._below(at, rest, above)
        elif not has_magic(name):
            path = os.path.join(at, name)
            if os.path.lexists(path):
                yield from self.find(path, rest)
        else:
            for each in self._in(at):
                hidden = each.name.startswith(".") and not name.startswith(".")
                if not hidden and fnmatch(each.name, name) and (each.is_folder or not rest):
                    yield from self.find(each.path, rest)

    def _below(self, at: str, rest: list[str], above: tuple[object, ...]) -> Iterator[str]:
        """What the rest of a pattern finds in a folder and all below it; in none twice."""
        here = _identity(at)
        if here in above:
            return
        yield from self.find(at, rest)
        for each in self._in(at):
            if each.name.startswith("."):
                continue
            if each.is_folder:
                yield from self._below(each.path, rest, (*above, here))
            elif not rest:
                yield each.path

    def _in(self, folder: str) -> Iterator[Seen]:
        """What lies in a folder; nothing where it can't be read."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._looked_at += 1
                    if self._looked_at > MOST_LOOKED_AT:
                        raise TooMuchToLookAt
                    yield Seen(entry.name, entry.path, _is_folder(entry))
        except OSError:
            return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _identity(folder: str) -> object:
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino
