"""Who has which account component, where hand-written postings ask and several names fit."""

from __future__ import annotations

from datetime import date

import pytest
from beancount import loader
from beancount.core.data import Transaction

from beancount_compute.ledger.component_holders import holders_of
from beancount_compute.ledger.names import component_of

HEAD = (
    'option "operating_currency" "USD"\nplugin "beancount_compute"\n'
    "2026-01-01 open Equity:A\n"  # line 3
)
TAKEN_OUT = """\
2026-01-03 * "By hand"
  Liabilities:DeferredRevenue:Tokens:Bob  5 CU {0.10 USD, 2026-01-02, "top-up"}
  Equity:A
"""
OPENED = """\
2026-01-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Bob  -5 CU {0.10 USD, 2025-12-31, "top-up"}
  Equity:A
"""
TOP_UP = '2026-01-02 custom "compute-allocation" "bob" 10 CU 1 USD\n'


def booked(text: str) -> tuple[list[str | None], list[str]]:
    """The payees of what was booked, in order, and the errors with their lines."""
    entries, errors, _ = loader.load_string(HEAD + text)
    payees = [entry.payee for entry in entries if isinstance(entry, Transaction)]
    return payees, [f"{error.source['lineno']}: {error.message}" for error in errors]


@pytest.mark.parametrize(
    "refused",
    [
        '2026-01-01 custom "compute-consumption" "Bob" 1 CU\n',
        '2026-01-01 custom "compute-allocation" "Bob" "nix"\n',
        '2026-01-01 custom "compute-grant" "Bob" 0 CU\n',
        '2026-01-02 custom "compute-grant" "Bob" 1 CU\n',  # on bob's own first day
    ],
)
def test_a_refused_name_takes_no_account_from_the_one_who_has_it(refused: str) -> None:
    """Bob's line is refused; of bob's 10 units 5 are taken out by hand, so 10 can't be used."""
    use = '2026-01-04 custom "compute-consumption" "bob" 10 CU\n'
    payees, errors = booked(refused + TOP_UP + TAKEN_OUT + use)
    assert payees == ["bob", None]
    assert [error.partition(":")[0] for error in errors] == ["4", "9"]
    assert '"bob" uses 10 CU and holds 5 CU' in errors[1]


def test_an_opening_lot_is_of_whom_events_make_known() -> None:
    """5 units from the opening and 10 topped up: bob can use 15, whatever "Bob" was refused."""
    refused = '2026-01-01 custom "compute-allocation" "Bob" "nix"\n'
    use = '2026-01-04 custom "compute-consumption" "bob" 15 CU\n'
    payees, errors = booked(OPENED + refused + TOP_UP + use)
    assert payees == [None, "bob", "bob"]
    assert [error.partition(":")[0] for error in errors] == ["7"]


def test_an_opening_lot_of_nobody_else_is_of_the_first_who_is_named() -> None:
    """No event makes bob or Bob known: the first to use units is taken for the holder."""
    uses = (
        '2026-01-03 custom "compute-consumption" "bob" 1 CU\n'
        '2026-01-04 custom "compute-consumption" "Bob" 1 CU\n'
    )
    payees, errors = booked(OPENED + uses)
    assert payees == [None, "bob"]
    assert [error.partition(":")[0] for error in errors] == ["8"]


def test_who_is_made_known_is_asked_only_where_names_meet() -> None:
    """Booking a ledger twice is for the few in which two names fit one component."""

    def never() -> dict[str, str]:
        raise AssertionError

    day = date(2026, 1, 1)
    apart = {name: (day, 2, name) for name in ("alice", "bob")}
    assert holders_of({}, [], apart, component_of, never) == {"Alice": "alice", "Bob": "bob"}
    meeting = {name: (day, 2, name) for name in ("bob", "Bob")}
    assert holders_of({"Bob": "x"}, [], meeting, component_of, never) == {"Bob": "x"}
    assert holders_of({}, ["bob"], meeting, component_of, never) == {"Bob": "bob"}
    assert holders_of({}, [], meeting, component_of, dict) == {"Bob": "Bob"}
