"""The parts of a posting that belong to one plan or subscriber."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from beancount.core.data import Directive

from beancount_compute.close.general_ledger.figures import Pieces, by_account
from beancount_compute.close.general_ledger.formats import By


def pieces_by(by: By, entries: Iterable[Directive], options_map: dict[str, Any]) -> Pieces:
    """How the postings of a ledger are divided."""
    return by_account
