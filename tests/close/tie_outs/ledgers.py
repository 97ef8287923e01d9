"""Ledgers of the tie-outs' tests: loaded, read, and edited after the load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Directive, Posting, Transaction

from beancount_compute.close.loading import load_sources
from beancount_compute.close.tie_outs import TieOut, tie_outs
from beancount_compute.economy.events import Event
from beancount_compute.reports.books import Books, read_books

HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Equity:Opening
2026-01-01 open Assets:Bank
2026-01-01 custom "compute-option" "as-of" 2026-05-31
"""


@dataclass
class Ledger:
    """A loaded ledger whose entries may be edited before they are tied out."""

    text: str
    entries: list[Directive]
    options: dict[str, Any]
    events: list[Event]  # of all its days
    late: list[Event]

    def books(self) -> Books:
        return read_books(self.entries, self.options)

    def tied(self, month: str = "2026-05", books: Books | None = None) -> dict[str, TieOut]:
        """The tie-outs of a month by name and unit."""
        of_month = [event for event in self.events if str(event.date)[:7] == month] + self.late
        found = tie_outs(books or self.books(), month, of_month)
        named = {f"{tie.name} {tie.about}": tie for tie in found}
        assert len(named) == len(found)
        return named

    def failing(self, month: str = "2026-05") -> dict[str, tuple[str, ...]]:
        """The names of the tie-outs that don't hold, with their lines."""
        return {name: tie.lines for name, tie in self.tied(month).items() if not tie.holds}

    def line(self, part: str) -> str:
        """The place of the one line that holds some text."""
        (line,) = [n for n, each in enumerate(self.text.splitlines(), 1) if part in each]
        return f"<string>:{line}"

    def edit(self, event: str, change: Callable[[Transaction], Transaction | None]) -> None:
        """Change the transaction of an event, or let it be gone."""
        (at,) = [at for at, each in enumerate(self.entries) if each.meta.get("event") == event]
        entry = self.entries[at]
        assert isinstance(entry, Transaction)
        changed = change(entry)
        self.entries[at : at + 1] = [changed] if changed else []


def load(text: str) -> Ledger:
    """A ledger behind the plugin's line; nothing of it may be an error."""
    entries, errors, options, booking = load_sources([(HEAD + text, False)])
    assert errors == []
    assert booking is not None
    late = [event for of_day in booking.facts.late.values() for event in of_day]
    return Ledger(HEAD + text, entries, options, booking.events, late)


def posting(account: str, number: str) -> Callable[[Transaction], Transaction]:
    """An edit: the first posting on an account gets another number."""

    def change(entry: Transaction) -> Transaction:
        def units(each: Posting) -> Posting:
            assert each.units is not None
            return each._replace(units=Amount(Decimal(number), each.units.currency))

        return on(account, units)(entry)

    return change


def on(account: str, edit: Callable[[Posting], Posting]) -> Callable[[Transaction], Transaction]:
    """An edit of the first posting on an account."""

    def change(entry: Transaction) -> Transaction:
        at = next(at for at, each in enumerate(entry.postings) if each.account == account)
        postings = [*entry.postings]
        postings[at] = edit(postings[at])
        return entry._replace(postings=postings)

    return change
