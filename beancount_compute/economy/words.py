"""Figures and names as a refusal shows them."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from difflib import get_close_matches

from beancount_compute.economy.rounding import trim

LONGEST_NAME = 60  # characters of a name that a message shows
MOST_COMPARED = 1000  # names: to look for one that is like another takes time for each


def quoted(text: str) -> str:
    """A name as a ledger writes it, on one line whatever it holds."""
    shown = shorten(text)
    return f'"{printable(shown)}"'


def printable(text: str) -> str:
    """A text on one line: what can't be printed as its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shorten(text: str) -> str:
    """A text with its end left out where it is long."""
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."


def amount(number: Decimal, commodity: str) -> str:
    """A number with its commodity, in full digits and without idle zeros."""
    return f"{trim(number, 0):f} {commodity}"


def like(text: str, known: Collection[str]) -> str:
    """What to ask where a name is nearly a known one: `; did you mean "pro"?`, or nothing."""
    if len(known) > MOST_COMPARED:
        return ""
    plain = {_plain(each): each for each in sorted(known, reverse=True)}
    found = get_close_matches(_plain(text), plain, 1, cutoff=0.7)
    meant = plain[found[0]] if found else text
    return f"; did you mean {quoted(meant)}?" if meant != text else ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("_", "-").split())
