"""The two files of each closed month, as bytes, and whether they are those that were sealed."""

from __future__ import annotations

import os
from typing import NamedTuple

from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.sealed.chain import Chain, Seal, with_digest
from beancount_compute.ledger.sealed.content import digest


class Files(NamedTuple):
    """The bytes of a month's two files; None where one is gone."""

    seal: Seal
    month_path: str
    events_path: str
    month: bytes | None
    events: bytes | None

    @property
    def hold(self) -> bool:
        """Whether the files are, byte by byte, those that were sealed."""
        return (
            self.month is not None
            and self.events is not None
            and files_digest(self.month, self.events) == self.seal.files
            and with_digest(self.seal).digest == self.seal.digest
        )


def files_digest(month: bytes, events: bytes) -> str:
    """The digest of a month's two files."""
    return digest(digest(month) + digest(events))


def read_files(chain: Chain, include: list[str], errors: Errors) -> list[Files]:
    """The files of all closed months; each is registered, so that an edit is seen at once."""
    found: list[Files] = []
    for seal in chain.closed:
        paths = month_paths(chain.folder, seal.month)
        data = [_bytes(path, seal, errors) for path in paths]
        for path, content in zip(paths, data, strict=True):
            if content is not None and path not in include:
                include.append(path)
        found.append(Files(seal, *paths, *data))
    return found


def month_paths(folder: str, month: str) -> tuple[str, str]:
    """Where the two files of a month lie."""
    stem = os.path.join(folder, month)
    return f"{stem}.beancount", f"{stem}.events.csv"


def _bytes(path: str, seal: Seal, errors: Errors) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        message = (
            f"closed month {seal.month}: can't read {quoted(os.path.basename(path))}: "
            f"{error.strerror or error}: restore it"
        )
        errors.add(seal.place, message)
        return None
