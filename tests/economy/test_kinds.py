"""The table of kinds: complete, and of one mind with the rules."""

from __future__ import annotations

from beancount_compute.economy.kinds import (
    BOOKED,
    EVENTS,
    KINDS,
    MAKES_KNOWN,
    NAMED_BY_REVERSALS,
    OF_PROVIDERS,
    Flow,
    Kind,
)
from beancount_compute.economy.roles import ROLES, Role
from beancount_compute.economy.rules import RULES


def test_every_kind_has_a_row_and_every_event_a_rule() -> None:
    """Some kinds are derived: they have neither a form nor a rule."""
    assert list(KINDS) == list(Kind)
    derived = {Kind.MINT, Kind.EXPIRY, Kind.ACCESS, Kind.LAPSE, Kind.DEPRECIATION}
    derived |= {Kind.INVOICE, Kind.SHORTFALL, Kind.CATCH_UP, Kind.MONEY_REFUND}
    assert RULES.keys() == set(EVENTS) == set(Kind) - derived
    assert {kind for kind, row in KINDS.items() if row.forms} == set(EVENTS)


def test_every_role_has_a_row() -> None:
    """A role that nothing is known of could not be named in a ledger."""
    assert list(ROLES) == list(Role)


def test_what_moves_units_books_them() -> None:
    """A reversal moves what its event moved; subscriptions book nothing; credits of providers are
    no units of subscribers; invoices, shortfalls, catch-ups and recoveries are money alone."""
    moving = {kind for kind, row in KINDS.items() if row.moves}
    of_money = {Kind.INVOICE, Kind.SHORTFALL, Kind.CATCH_UP, Kind.RECOVERY}
    assert moving == set(BOOKED) - {Kind.REVERSAL, *of_money, *OF_PROVIDERS}
    assert set(KINDS) - set(BOOKED) == {Kind.SUBSCRIPTION}


def test_what_somebody_wrote_and_was_booked_can_be_reversed_once() -> None:
    """Neither what is derived nor a reversal itself; a refund of money is one of its own kind."""
    written = {*EVENTS, Kind.MONEY_REFUND} & {*BOOKED} - {Kind.CANCELLATION, Kind.REVERSAL}
    assert written == NAMED_BY_REVERSALS


def test_who_gets_units_without_having_any_becomes_known() -> None:
    """A trade, transfer or spend needs subscribers who are known already."""
    assert {Kind.SUBSCRIPTION, Kind.ALLOCATION, Kind.GRANT} == MAKES_KNOWN


def test_a_column_is_called_like_its_flow() -> None:
    """In lower case, words joined: a key for JSON and for `--explain`."""
    assert Flow.USED.key == "used"
    assert Flow.TOPPED_UP.key == "topped_up"
    assert Flow.REMOVED.key == "removed_by_hand"
