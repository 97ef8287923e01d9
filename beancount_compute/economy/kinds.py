"""The kinds of events and entries, and what of each is known before any of them happens."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What an event is (the directive's type without `compute-`), and what an entry books.

    Mints and expiries are no events: they are derived.
    """

    __hash__ = str.__hash__  # the one of Enum is a Python function, and this is a dictionary key

    ALLOCATION = "allocation"
    CANCELLATION = "cancellation"
    CONSUMPTION = "consumption"
    EXPIRY = "expiry"
    GRANT = "grant"
    MINT = "mint"
    REFUND = "refund"
    REVERSAL = "reversal"
    SPEND = "spend"
    SUBSCRIPTION = "subscription"
    TRADE = "trade"
    TRANSFER = "transfer"


class Phase(IntEnum):
    """The part of a day in which an event is booked."""

    CANCELLATIONS = 1
    ALLOCATIONS = 2
    MOVES = 3
    CONSUMPTION = 4
    CORRECTIONS = 5


PHASE: dict[Kind, int] = {
    Kind.ALLOCATION: int(Phase.ALLOCATIONS),
    Kind.CANCELLATION: int(Phase.CANCELLATIONS),
    Kind.CONSUMPTION: int(Phase.CONSUMPTION),
    Kind.GRANT: int(Phase.ALLOCATIONS),
    Kind.REFUND: int(Phase.CORRECTIONS),
    Kind.REVERSAL: int(Phase.CORRECTIONS),
    Kind.SPEND: int(Phase.MOVES),
    Kind.SUBSCRIPTION: int(Phase.ALLOCATIONS),
    Kind.TRADE: int(Phase.MOVES),
    Kind.TRANSFER: int(Phase.MOVES),
}
BOOKED: tuple[Kind, ...] = tuple(
    kind for kind in Kind if kind not in (Kind.CANCELLATION, Kind.SUBSCRIPTION)
)


class Flow(StrEnum):
    """Why units entered or left a pocket, in the order of the roll-forward."""

    __hash__ = str.__hash__

    OPENING = "opening"  # an opening lot, entered by hand
    ALLOCATED = "allocated"
    TOPPED_UP = "topped up"
    GRANTED = "granted"
    MINTED = "minted"
    TRADED_IN = "traded in"
    TRADED_OUT = "traded out"
    TRANSFERRED_IN = "transferred in"
    TRANSFERRED_OUT = "transferred out"
    USED = "used"
    SPENT = "spent"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    REMOVED = "removed by hand"
