"""Names as account components and as links.

    alice               ->  Alice
    u_8f3a@example.com  ->  U-8f3a-example-com-0a1b2c     ; six hex digits of the name's SHA-256

Nothing that a name contains can change what is booked: where a name doesn't fit, its hash tells it
from every other.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256

import regex
from beancount.core.account import is_valid, is_valid_leaf

from beancount_compute.economy import quoted

_PLAIN = re.compile(r"[A-Z0-9][A-Za-z0-9-]*", re.ASCII)
_NO_LETTER = regex.compile(r"[^\p{L}\p{Nd}\-]")
_NO_START = regex.compile(r"(?![\p{Lu}\p{Nd}])")
_NO_LINK = regex.compile(r"[^A-Za-z0-9\-_./]")


@lru_cache(1 << 16)
def component_of(name: str) -> str:
    """The account component of a subscriber, partner or plan that is given none."""
    raised = name[:1].upper() + name[1:]
    if is_component(raised):
        return raised
    made = _NO_LETTER.sub("-", raised)
    if _NO_START.match(made):
        made = "S-" + made
    return f"{made}-{short_hash(name)}"


def is_component(text: str) -> bool:
    """Whether a text can stand between two colons of an account name."""
    if _PLAIN.fullmatch(text):  # as most are: Beancount's own patterns take fifty times as long
        return True
    return ":" not in text and is_valid_leaf(text) and is_valid(f"Assets:{text}")


@lru_cache(1 << 16)
def in_link(component: str, name: str) -> str:
    """A component as links hold it: ASCII, with six hex digits of a hash where that loses some."""
    made = _NO_LINK.sub("-", component)
    return made if made == component else f"{made}-{short_hash(name)}"


def short_hash(name: str) -> str:
    """Six hex digits of a name's SHA-256."""
    return sha256(name.encode("utf-8")).hexdigest()[:6]


class ComponentsTaken:
    """Which name of a kind ("provider") has which account component: the first that stands."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def flaw_of(self, what: str, name: str) -> str:
        """What is wrong with a name whose component another one has."""
        component = component_of(name)
        other = self._names.get((what, component), name)
        if other == name:
            return ""
        return (
            f"{what} {quoted(name)} would have the account component {component} of "
            f"{quoted(other)}: give it another name"
        )

    def take(self, what: str, name: str) -> None:
        """Let a name have its component."""
        self._names.setdefault((what, component_of(name)), name)
