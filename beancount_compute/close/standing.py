"""How far the closed months of a loaded ledger reach.

months_of(entries, books)  ->  Months(chain, next_to_close="2026-08")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive

from beancount_compute.close.storage import OURS
from beancount_compute.closed import INDEX, SEAL_TYPES, Chain, read_chain
from beancount_compute.economy import Month
from beancount_compute.ledger import ORDER, Errors
from beancount_compute.reports import Books


class Months(NamedTuple):
    """The months of a ledger: which are sealed, and which is to be closed next."""

    chain: Chain
    next_to_close: str | None  # None where nothing was booked


def months_of(entries: Sequence[Directive], books: Books) -> Months:
    """The months of a loaded ledger."""
    seals = [entry for entry in entries if isinstance(entry, Custom) and entry.type in SEAL_TYPES]
    chain = read_chain(seals, Errors())
    if chain.closed:
        return Months(chain, Month.parse(chain.closed[-1].month).next.name)
    first = next((entry for entry in books.transactions if ORDER in entry.meta), None)
    return Months(chain, None if first is None else Month.of(first.date).name)


def index_folder(options: dict[str, Any]) -> str:
    """The folder whose index of closed months the ledger includes; "" if it includes none."""
    for name in options["include"]:
        path = Path(name)
        if path.name == INDEX and path.is_file() and OURS in path.read_text("utf-8", "replace"):
            return str(path.parent)
    return ""
