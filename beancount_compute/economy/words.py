"""Figures and names as a refusal shows them."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from difflib import get_close_matches
from itertools import islice

from beancount_compute.economy.rounding import trim

LONGEST_NAME = 60  # characters of a name that a message shows
MOST_COMPARED = 1000  # names: to look for one that is like another takes time for each
MOST_ASKED = 50  # names of one ledger


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
    written = _plain(text)
    near = known if len(known) <= MOST_COMPARED else _near(written, known)
    plain = {_plain(each): each for each in sorted(near, reverse=True)}
    found = get_close_matches(written, plain, 1, cutoff=0.66)
    meant = plain[found[0]] if found else text
    return f"; did you mean {quoted(meant)}?" if meant != text else ""


def _near(written: str, known: Collection[str]) -> list[str]:
    """Of many names those that could be meant: they begin or end as this one does."""
    first, last, length = written[:2], written[-2:], len(written)
    near = (
        each
        for each in known
        if -2 < len(each) - length < 2
        and ((plain := _plain(each)).startswith(first) or plain.endswith(last))
    )
    return list(islice(near, MOST_COMPARED))


class Hints:
    """What the names of a ledger may mean that are nearly known ones: of the first few, each once.

    To look for them takes time, and where all is unknown nobody reads the hundredth.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}

    def of(self, what: str, name: str, known: Collection[str]) -> str:
        """What to ask of the name of a plan, say, as `like` does."""
        if (what, name) not in self._found:
            if len(self._found) == MOST_ASKED:
                return ""
            self._found[what, name] = like(name, known)
        return self._found[what, name]


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("_", "-").split())
