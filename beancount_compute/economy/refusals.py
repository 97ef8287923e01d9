"""What can't be booked: said with its figures, and with what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from beancount_compute.economy.events import Event, Place
from beancount_compute.economy.kinds import MAKES_KNOWN


class Refused(Exception):
    """An event that can't be booked; says what is wrong and what to write instead."""


class Lacking(Refused):
    """Refused for what isn't there: units, a subscriber, a plan, an event.

    `name` is the subscriber who lacks it: what was refused of that one before may be why.
    """

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class Refusal(NamedTuple):
    """What was refused, where it was written, and why."""

    place: Place
    message: str
    cause: Place | None = None  # what was refused first, and this follows from


class Causes:
    """What refused events follow from: a plan that can't be read, a subscription that was refused.

    Whoever would have been on such a plan uses and sells what was never allocated. That is said
    once, where it begins.
    """

    def __init__(self, plans: Mapping[str, Place]) -> None:
        self._plans = plans  # where those are written that can't be read
        self._subscribers: dict[str, Place] = {}
        self._events: dict[str, Place] = {}

    def of(self, event: Event, refused: Refused, *, left_without: bool) -> Place | None:
        """Where what a refused event follows from was written; None where it stands alone.

        `left_without` says whether its subscriber is not on the plan that it names.
        """
        cause = None
        if isinstance(refused, Lacking):
            cause = self._plans.get(event.plan) if event.plan else self._events.get(event.reverses)
            cause = cause or self._subscribers.get(refused.name)
        begins = cause or event.place
        if left_without and event.kind in MAKES_KNOWN:
            self._subscribers.setdefault(event.subscriber, begins)
        if event.id:
            self._events.setdefault(event.id, begins)
        return cause
