"""One finding: what may be right but looks wrong, with its figures and its place.

    f-3a91c2   price   events/2026-05.csv:14   40 CU at 48.00 USD: 40 times the median ...

Its id is made of what it is about, so that it stays the same wherever that is written and whatever
else happens; it changes where that changes, and then asks for an answer again.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from beancount_compute.economy import Month, Place
from beancount_compute.ledger import ACCEPT, string


class Amounts(NamedTuple):
    """A figure of a finding, such as ("median", 1.20, "USD")."""

    name: str
    number: Decimal
    unit: str


class Finding(NamedTuple):
    """What may be right but looks wrong."""

    kind: str  # a key of `rules_of_review.RULES`
    month: str  # the one that can't be closed without an answer
    place: Place
    text: str
    about: tuple[str, ...]  # what makes its id
    figures: tuple[Amounts, ...] = ()

    @property
    def id(self) -> str:
        """Its id: `f-` and six hex digits of the SHA-256 of what it is about."""
        text = "\x1f".join([self.kind, *self.about])
        return "f-" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]

    def line(self, reason: str = "...") -> str:
        """The line of the ledger that answers it."""
        day = Month.parse(self.month).last
        return f'{day} custom "{ACCEPT}" "{self.id}" {string(reason)}'
