"""The files of a month in bulk under its seal, and what a load looks at of them.

    bulk,../bulk/2026-05/journal.beancount,1204,sha256:...
    bulk,../bulk/2026-05/lots.parquet,88213,sha256:...

Text is read on each load and compared in full. Of Parquet, which may be gigabytes, a load looks at
presence and size; `verify` at every byte.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from beancount_compute.closed.content import digest
from beancount_compute.ledger import bulk_folders

_BLOCK = 1 << 20


class SealedFile(NamedTuple):
    """A file of a month in bulk."""

    path: str  # as seen from the folder of closed months
    size: int
    digest: str


def bulk_files(rows: Iterable[Sequence[str]]) -> list[SealedFile]:
    """The files of a month in bulk that the rows of its state name; none of any other month."""
    return [SealedFile(row[1], int(row[2]), row[3]) for row in rows if row[:1] == ["bulk"]]


def sealed_file(path: str, closed: str) -> SealedFile:
    """A file as it stands; raises `OSError` where it can't be read."""
    seen = os.path.relpath(os.path.realpath(path), os.path.realpath(closed))
    return SealedFile(seen.replace(os.sep, "/"), *_measured(path))


def _measured(path: str) -> tuple[int, str]:
    """Size and digest; the ends of lines of a text are no content."""
    if not path.endswith(".parquet"):
        with open(path, "rb") as file:
            data = file.read().replace(b"\r\n", b"\n")
        return len(data), digest(data)
    found = sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
        return file.tell(), f"sha256:{found.hexdigest()}"


def folder_of_files(
    files: Sequence[SealedFile], month: str, closed: str, include: Iterable[str]
) -> str:
    """Where the files of a month lie: where the ledger includes its journal, else as sealed."""
    as_sealed = os.path.normpath(os.path.join(closed, os.path.dirname(files[0].path)))
    return bulk_folders(include).get(month, as_sealed)


def changed_since(sealed: SealedFile, folder: str, *, whole: bool) -> str:
    """What is wrong with a sealed file, in the folder of its month; "" where nothing is.

    Without `whole` a Parquet file is not read.
    """
    path = os.path.join(folder, os.path.basename(sealed.path))
    try:
        if whole or not sealed.path.endswith(".parquet"):
            found = SealedFile(sealed.path, *_measured(path))
        else:
            found = sealed._replace(size=os.stat(path).st_size)
    except OSError as error:
        return f"can't be read: {error.strerror or error}"
    return "" if found == sealed else "is not the file that was sealed"
