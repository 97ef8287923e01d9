"""Figures and names as a refusal shows them."""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy.rounding import trim

LONGEST_NAME = 60  # characters of a name that a message shows


def quoted(text: str) -> str:
    """A name as a ledger writes it, on one line whatever it holds."""
    shown = shorten(text)
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    return f'"{shown}"'


def shorten(text: str) -> str:
    """A text with its end left out where it is long."""
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."


def amount(number: Decimal, commodity: str) -> str:
    """A number with its commodity, in full digits and without idle zeros."""
    return f"{trim(number, 0):f} {commodity}"
