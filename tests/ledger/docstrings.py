"""Tests whose ledger is their docstring, in the manner of Beancount's `load_doc`.

    @ledger
    def test_x(books):
        '''
        ; what must hold
        2026-05-01 custom "compute-grant" "alice" 5 CU
        '''

The first line, which is empty, becomes the plugin's: the docstring's lines are the ledger's.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any, NamedTuple

from beancount import loader
from beancount.core.data import Custom, Directive, Open, Price, Transaction
from beancount.parser import parser

PLUGIN = 'plugin "beancount_compute"'
FILE = "<string>"  # what Beancount calls the file of a ledger that is a string


class Books(NamedTuple):
    """What Beancount makes of a ledger."""

    text: str
    entries: list[Directive]
    errors: list[Any]
    options: dict[str, Any]

    @property
    def booked(self) -> list[Transaction]:
        """The transactions that the plugin made, in the engine's order."""
        made = [e for e in self.entries if isinstance(e, Transaction) and "__order" in e.meta]
        return sorted(made, key=lambda entry: entry.meta["__order"])

    @property
    def messages(self) -> list[str]:
        return [f"{error.source['lineno']}: {error.message}" for error in self.errors]

    def of(self, kind: str) -> list[Transaction]:
        """The transactions that bear a kind's tag."""
        return [entry for entry in self.booked if f"compute-{kind}" in entry.tags]

    def one(self, kind: str) -> Transaction:
        (entry,) = self.of(kind)
        return entry

    def line(self, part: str) -> int:
        """The line of the ledger that holds some text."""
        (line,) = [n for n, each in enumerate(self.text.splitlines(), start=1) if part in each]
        return line

    def place(self, entry: Directive) -> tuple[str, int]:
        return entry.meta["filename"], entry.meta["lineno"]

    @property
    def opened(self) -> dict[str, str]:
        """The accounts that the plugin opened, with their days."""
        return {
            entry.account: str(entry.date)
            for entry in self.entries
            if isinstance(entry, Open) and entry.meta["filename"] == "<beancount_compute>"
        }

    @property
    def prices(self) -> list[str]:
        return [
            f"{entry.date} {entry.currency} {entry.amount}"
            for entry in self.entries
            if isinstance(entry, Price)
        ]


def load_text(text: str) -> Books:
    """The books of a ledger whose first line is left free."""
    text = dedent(text)
    assert text.startswith("\n")
    text = PLUGIN + text
    return Books(text, *loader.load_string(text))


def ledger(test: Callable[[Books], None]) -> Callable[[], None]:
    """Load the ledger in a test's docstring, and give its books to the test."""

    def load_and_test() -> None:
        test(load_text(test.__doc__ or ""))

    load_and_test.__name__ = test.__name__
    load_and_test.__doc__ = test.__doc__
    return load_and_test


def directives(text: str) -> list[Custom]:
    """The `custom` directives of a text, as Beancount's parser gives them, without a plugin."""
    entries, errors, _ = parser.parse_string(dedent(text))
    assert errors == []
    return [entry for entry in entries if isinstance(entry, Custom)]


def postings(entry: Transaction) -> list[str]:
    """The postings in one line each, in full digits."""
    found: list[str] = []
    for posting in entry.postings:
        assert posting.units is not None
        text = f"{posting.account} {posting.units.number:f} {posting.units.currency}"
        cost, price = posting.cost, posting.price
        if cost is not None:
            text += f' {{{cost.number:f} {cost.currency}, {cost.date}, "{cost.label}"}}'
        if price is not None:
            text += f" @ {price.number:f} {price.currency}"
        found.append(text)
    return found
