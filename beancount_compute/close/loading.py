"""Ledgers as the month end loads them: without a cache, and with what the plugin worked with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from beancount import loader
from beancount.core.data import BeancountError, Directive

from beancount_compute.close.storage import INDEX, CloseError
from beancount_compute.ledger.booking import Booking, observed


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


def check_included(loaded: Loaded, ledger: Path, folder: Path) -> None:
    """Refuse a ledger that does not include the index."""
    index = (folder / INDEX).resolve()
    included = {Path(name).resolve() for name in loaded.options["include"]}
    if index not in included:
        name = os.path.relpath(index, ledger.resolve().parent)
        there = "" if index.exists() else f"; write it first: bean-compute close --init {ledger}"
        raise CloseError(
            f'{ledger} does not include the index of closed months: add the line  include "{name}"'
            f"{there}"
        )
