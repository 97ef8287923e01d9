"""Ledgers as the month end loads them: without a cache, and with what the plugin worked with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from beancount import loader
from beancount.core.data import BeancountError, Directive
from beancount.parser import parser

from beancount_compute.booking import Booking, observed
from beancount_compute.close.storage import CloseError
from beancount_compute.closed.files import INDEX

CLOSED = "closed"  # the folder of closed months beside a ledger, unless --into names another


class Loaded(NamedTuple):
    """A ledger as Beancount loads it, and what the plugin worked with."""

    entries: list[Directive]
    errors: list[BeancountError]
    options: dict[str, Any]
    booking: Booking | None


def load(ledger: Path) -> Loaded:
    """Load a ledger, without Beancount's cache."""
    loader.initialize(use_cache=False)
    with observed() as seen:
        entries, errors, options = loader.load_file(str(ledger))
    return Loaded(entries, errors, options, seen[-1] if seen else None)


def unreadable(ledger: Path) -> str:
    """Why Beancount's parser can't read a file as a ledger; "" where it can, whatever it says."""
    try:
        ledger.read_text(encoding="utf-8")
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError:
        return "it is not UTF-8 text"
    _, errors, _ = parser.parse_file(str(ledger))
    return f"line {errors[0].source['lineno']}: {errors[0].message}" if errors else ""


def index_seen(ledger: Path, folder: Path) -> str:
    """The index of closed months in a folder, as the ledger includes it."""
    index = folder.resolve() / INDEX
    return Path(os.path.relpath(index, ledger.parent.resolve())).as_posix()


def check_included(loaded: Loaded, ledger: Path, folder: Path) -> None:
    """Refuse a ledger that does not include the index."""
    index = (folder / INDEX).resolve()
    included = {Path(name).resolve() for name in loaded.options["include"]}
    if index not in included:
        init = f"bean-compute close --init {ledger}"
        if folder.resolve() != ledger.parent.resolve() / CLOSED:
            init += f" --into {folder}"
        there = "" if index.exists() else f"; write it first: {init}"
        raise CloseError(
            f"{ledger} does not include the index of closed months: add the line  "
            f'include "{index_seen(ledger, folder)}"{there}'
        )
