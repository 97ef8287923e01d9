"""The two files of each closed month, as bytes, and whether they are those that were sealed."""

from __future__ import annotations

import os
from typing import NamedTuple

from beancount.core.data import Custom

from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.sealed.chain import Chain, Seal, with_digest
from beancount_compute.ledger.sealed.content import digest
from beancount_compute.ledger.sealed.month_files import terms_in


class Files(NamedTuple):
    """The two files of a month: what seals them, where they lie, whether they are untouched.

    Their bytes are read when they are needed, and let go: those of two years are many.
    """

    seal: Seal
    month_path: str
    events_path: str
    there: bool  # both of them
    hold: bool  # byte by byte those that were sealed
    head: list[Custom]  # the terms at the beginning of the text, where it holds

    def month(self) -> bytes:
        """The bytes of the month's text; none where it is gone."""
        return _bytes(self.month_path) or b""

    def events(self) -> bytes:
        """The bytes of the month's events; none where they are gone."""
        return _bytes(self.events_path) or b""


def files_digest(month: bytes, events: bytes) -> str:
    """The digest of a month's two files."""
    return digest(digest(month) + digest(events))


def read_files(chain: Chain, include: list[str], errors: Errors) -> list[Files]:
    """The files of all closed months; each is registered, so that an edit is seen at once."""
    found: list[Files] = []
    for seal in chain.closed:
        paths = month_paths(chain.folder, seal.month)
        month, events = [_registered(path, seal, include, errors) for path in paths]
        if month is None or events is None:
            found.append(Files(seal, *paths, False, False, []))
            continue
        hold = files_digest(month, events) == seal.files and with_digest(seal).digest == seal.digest
        head = terms_in(month.decode("utf-8", "replace")) if hold else []
        found.append(Files(seal, *paths, True, hold, head))
    return found


def month_paths(folder: str, month: str) -> tuple[str, str]:
    """Where the two files of a month lie."""
    stem = os.path.join(folder, month)
    return f"{stem}.beancount", f"{stem}.events.csv"


def _registered(path: str, seal: Seal, include: list[str], errors: Errors) -> bytes | None:
    try:
        with open(path, "rb") as file:
            found = file.read()
    except OSError as error:
        message = (
            f"closed month {seal.month}: can't read {quoted(os.path.basename(path))}: "
            f"{error.strerror or error}: restore it"
        )
        errors.add(seal.place, message)
        return None
    if path not in include:
        include.append(path)
    return found


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
