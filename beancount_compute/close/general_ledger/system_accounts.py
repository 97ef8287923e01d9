"""Accounts that a suite keeps by itself, and takes no journal lines on.

    Assets:Receivable -> 610 Accounts Receivable: Xero fills it from invoices alone

A chart of accounts is its owner's, so such an account is known by its name; by the code that the
suite gives it at first only where the map has no name for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from beancount_compute.close.general_ledger.account_map import Target
from beancount_compute.close.general_ledger.formats import LimitExceeded
from beancount_compute.close.general_ledger.journals import Journal


class SystemAccount(NamedTuple):
    """An account of the suite's own."""

    name: str  # a pattern, in lower case
    reason: str
    codes: tuple[str, ...] = ()  # where the suite gives the same to everybody
    named: bool = False  # whether it takes lines that name a customer or supplier

    def is_meant(self, target: Target) -> bool:
        """Whether the map leads to it."""
        if not target.name and target.code in self.codes:
            return True
        name = " ".join((target.name or target.code).casefold().split())
        return any(re.fullmatch(self.name, part) for part in name.split(":"))


def check_targets(
    journal: Journal,
    own: Iterable[SystemAccount],
    suite: str,
    advice: str,
    *,
    named: bool = False,
) -> None:
    """Raise `LimitExceeded` with all lines on accounts that the suite keeps by itself."""
    refused: dict[str, None] = {}
    for line in journal.lines:
        for account in own:
            if account.is_meant(line.target) and not (account.named and named and line.key):
                to = f"{line.target.code} {line.target.name}".rstrip()
                refused[f"{line.target.stands_for} -> {to}: {account.reason}"] = None
    if refused:
        lines = "\n".join(refused)
        raise LimitExceeded(f"{suite} takes no journals on:\n\n{lines}\n\n{advice}")
