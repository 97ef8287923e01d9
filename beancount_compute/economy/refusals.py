"""What can't be booked: said with its figures, and with what to write instead."""

from __future__ import annotations

from typing import NamedTuple

from beancount_compute.economy.events import Place


class Refused(Exception):
    """An event that can't be booked; says what is wrong and what to write instead."""


class Refusal(NamedTuple):
    """What was refused, where it was written, and why."""

    place: Place
    message: str
