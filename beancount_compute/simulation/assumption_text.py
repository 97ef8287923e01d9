"""Assumptions as TOML: each value with where it comes from.

price = 20.00  # the ledger's terms
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from beancount_compute.simulation.assumption_fits import Fit
from beancount_compute.simulation.assumptions import MILLION


class Said(NamedTuple):
    """A value as TOML, and where it comes from."""

    value: str
    source: str


def section(head: str, **keys: Said) -> Iterator[str]:
    """A table of a file: each value with its source behind it, or above where it is long."""
    yield f"\n{head}\n"
    for key, said in keys.items():
        line = f"{key} = {said.value}"
        if not said.source:
            yield f"{line}\n"
        elif len(line) + len(said.source) < 96:
            yield f"{line}  # {said.source}\n"
        else:
            yield f"# {said.source}\n{line}\n"


def number(value: float) -> str:
    """At most four decimals, one at least."""
    text = f"{value:.4f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def share(millionths: int) -> str:
    """Millionths as a share of 1."""
    return number(millionths / MILLION)


def listed(numbers: Sequence[float] | np.ndarray) -> str:
    """A list of numbers."""
    return f"[{', '.join(number(each) for each in numbers)}]"


def pairs(bands: Sequence[tuple[str, str]]) -> str:
    """A list of pairs."""
    return f"[{', '.join(f'[{end}, {added}]' for end, added in bands)}]"


def interval(fit: Fit) -> str:
    """What is said of an interval behind a source."""
    return f"; 95 %: {fit.low:.4f} to {fit.high:.4f}"


def amount(number: Decimal) -> str:
    """A price or a rate of the terms, to six decimals."""
    return f"{round(number, 6).normalize():f}" if number else "0.0"


def of_one(counts: Sequence[int]) -> list[float]:
    """Shares of four decimals that add up to 1; what rounding leaves goes to the largest."""
    shares = [round(count / sum(counts), 4) for count in counts]
    largest = shares.index(max(shares))
    shares[largest] = round(1 - sum(shares) + shares[largest], 4)
    return shares


class NotFitted:
    """What could not be fitted, and what is not like the ledger, in words."""

    def __init__(self, besides: Sequence[str]) -> None:
        self._besides = list(besides)
        self._usual: dict[str, list[str]] = {}  # what is from the default, by why

    def usual(self, what: str, why: str) -> str:
        """Note that a number is the usual one; its source."""
        self._usual.setdefault(why, []).append(what)
        return f"from the default: {why}"

    def add(self, note: str) -> None:
        """Note anything else."""
        self._besides.append(note)

    def lines(self) -> Iterator[str]:
        """All of it."""
        for why, what in self._usual.items():
            yield f"{', '.join(what)} from the default: {why}"
        yield from self._besides
