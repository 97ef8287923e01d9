"""The two files of each closed month, as bytes, and whether they are those that were sealed."""

from __future__ import annotations

import os
from typing import NamedTuple

from beancount.core.data import Custom

from beancount_compute.closed.chain import CLOSE, Chain, Seal, with_digest
from beancount_compute.closed.content import digest
from beancount_compute.closed.month_files import terms_in
from beancount_compute.economy.events import Place
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.finding_files import CLOSED

INDEX = "index.beancount"


class Files(NamedTuple):
    """The two files of a month: what seals them, where they lie, whether they are untouched.

    Their bytes are read when they are needed, and let go: those of two years are many.
    """

    seal: Seal
    month_path: str
    events_path: str
    text: bool  # the month's text is there
    rows: bool  # its events are there
    untouched: bool  # byte by byte those that the seal names
    hold: bool  # untouched, and the seal says what it said
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
        there = month is not None, events is not None
        untouched = files_digest(month or b"", events or b"") == seal.files and all(there)
        hold = untouched and with_digest(seal).digest == seal.digest
        head = terms_in(month.decode("utf-8", "replace")) if month and hold else []
        found.append(Files(seal, *paths, *there, untouched, hold, head))
    return found


def check_included(seals: list[Custom], ledger: str, errors: Errors) -> None:
    """An index of closed months beside a ledger without seals: its include line was lost."""
    path = os.path.join(os.path.dirname(ledger), CLOSED, INDEX)
    if seals or not ledger or f'custom "{CLOSE}"'.encode() not in (_bytes(path) or b""):
        return
    message = (
        f"{CLOSED}/{INDEX} holds the seals of closed months, but this ledger does not include it, "
        f'so that all of them are worked out anew: add  include "{CLOSED}/{INDEX}"  (and keep '
        "another ledger's closed months in another folder)"
    )
    errors.add(Place(ledger, 1), message)


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
