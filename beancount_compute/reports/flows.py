"""The flows of units, a row each: which way units go, and what their lots earn as they leave.

Opening lots open; what is allocated, topped up or granted adds; what is used, spent, refunded or
lapses releases; mints, trades and transfers only move, and are zero over all pockets and holders.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from beancount_compute.economy.kinds import Flow
from beancount_compute.economy.roles import Earning


class Way(StrEnum):
    """What a flow does to what is held, over all subscribers."""

    OPENS = "opens"
    ADDS = "adds"
    MOVES = "moves"
    RELEASES = "releases"


class FlowRow(NamedTuple):
    """What is known of a flow."""

    way: Way
    earns: Earning | None = None  # the carrying amount of the lots, where it becomes income


FLOWS: dict[Flow, FlowRow] = {
    Flow.OPENING: FlowRow(Way.OPENS),
    Flow.ALLOCATED: FlowRow(Way.ADDS),
    Flow.TOPPED_UP: FlowRow(Way.ADDS),
    Flow.GRANTED: FlowRow(Way.ADDS),
    Flow.MINTED: FlowRow(Way.MOVES),
    Flow.TRADED_IN: FlowRow(Way.MOVES),
    Flow.TRADED_OUT: FlowRow(Way.MOVES),
    Flow.TRANSFERRED_IN: FlowRow(Way.MOVES),
    Flow.TRANSFERRED_OUT: FlowRow(Way.MOVES),
    Flow.USED: FlowRow(Way.RELEASES, Earning.COMPUTE),
    Flow.SPENT: FlowRow(Way.RELEASES),
    Flow.EXPIRED: FlowRow(Way.RELEASES, Earning.BREAKAGE),
    Flow.REFUNDED: FlowRow(Way.RELEASES),
    Flow.REMOVED: FlowRow(Way.RELEASES),
}
KEYS = {flow: flow.value.replace(" ", "_") for flow in Flow}  # of their columns


def flows(*ways: Way) -> tuple[Flow, ...]:
    """The flows that go one of these ways, in the order of the roll-forward."""
    return tuple([flow for flow, row in FLOWS.items() if row.way in ways])


COMING = flows(Way.OPENS, Way.ADDS)
RELEASING = flows(Way.RELEASES)
