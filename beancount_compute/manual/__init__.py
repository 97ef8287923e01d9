"""The manual: pages of Markdown, the same on a terminal, in Fava and on the web.

    bean-compute help terms      the page `terms.md` beside this file

A page links to another as the web does, relative to itself: `[terms](terms.md#a-heading)`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

NAMES = (  # in the order of reading
    "start",
    "terms",
    "events",
    "files",
    "access",
    "billing",
    "money-back",
    "changes",
    "costs",
    "reading",
    "reports",
    "insight",
    "what-if",
    "fava",
    "closing",
    "export",
    "errors",
    "decisions",
    "limits",
    "growing",
    "language",
    "commands",
    "developers",
)


class ManualPage(NamedTuple):
    """One page: what it is called, its heading, and the whole of it as Markdown."""

    name: str
    title: str
    text: str


@cache
def pages() -> dict[str, ManualPage]:
    """All pages by name, in the order of reading."""
    return {name: _read(name) for name in NAMES}


def _read(name: str) -> ManualPage:
    text = (files(__name__) / f"{name}.md").read_text(encoding="utf-8")
    return ManualPage(name, text.partition("\n")[0].removeprefix("# "), text)


def anchor(title: str) -> str:
    """The anchor of a heading, as the web gives it: lower case, `-` for blanks, no other marks."""
    kept = [c for c in title.lower() if c.isalnum() or c in " -_"]
    return "".join(kept).replace(" ", "-")
