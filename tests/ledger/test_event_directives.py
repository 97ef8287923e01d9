"""Events from `custom` directives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from beancount.core.amount import Amount
from beancount.core.number import MISSING

from beancount_compute.economy.events import Event
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.event_directives import event_of
from beancount_compute.ledger.fields import Fields
from tests.economy import building
from tests.ledger.docstrings import directives


def events(text: str) -> list[Event]:
    fields = Fields()
    return [event_of(entry, fields) for entry in directives(text)]


def event(line: str, meta: str = "") -> Event:
    (found,) = events(f'2026-05-01 custom "compute-{line}\n{meta}')
    return found


DAY = "2026-05-01"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('subscription" "alice" "pro"', building.subscription(DAY, "alice")),
        ('cancellation" "alice" "pro"', building.cancellation(DAY, "alice")),
        (
            'allocation" "alice" 500 CU 100.00 USD',
            building.top_up(DAY, "alice", "500 CU", "100 USD"),
        ),
        ('allocation" "alice" "pro"', building.one_period(DAY, "alice")),
        ('grant" "alice" 100 CU', building.grant(DAY, "alice", "100 CU")),
        ('consumption" "alice" 0.5 CU', building.consumption(DAY, "alice", "0.5 CU")),
        (
            'trade" "alice" "bob" 500 CU 0.25 USD',
            building.trade(DAY, "alice", "bob", "500 CU", "0.25 USD"),
        ),
        ('transfer" "alice" "bob" 5 CU', building.transfer(DAY, "alice", "bob", "5 CU")),
        (
            'spend" "alice" "shop" 100 CU 17.00 EUR',
            building.spend(DAY, "alice", "shop", "100 CU", "17 EUR"),
        ),
        ('refund" "alice" 5 CU', building.refund(DAY, "alice", "5 CU")),
        ('reversal" "use-17"', building.reversal(DAY, "use-17")),
    ],
)
def test_every_directive_of_the_language(line: str, expected: Event) -> None:
    """Positional values first, each where it belongs (manual/language.md, section 2)."""
    assert event(line) == expected._replace(file="<string>", line=1)


def test_optional_metadata() -> None:
    """An id and a time on any event, `expires` and `started` where they make sense."""
    found = event(
        'allocation" "alice" 5 CU 1.00 USD',
        '  id: " use-17 "\n  time: "14:05:09"\n  expires: "year"\n  x-note: "mine"\n',
    )
    assert (found.id, found.time, found.expires) == ("use-17", "14:05:09", "12 months")
    assert event('grant" "a" 5 CU', "  expires: 2027-01-01\n").expires == "2027-01-01"
    started = event('subscription" "alice" "pro"', "  started: 2025-11-15\n").started
    assert started == "2025-11-15"
    assert event('subscription" "a" "pro"', '  started: "2025-11-15"\n').started == started


def test_names_are_nfc_and_numbers_have_no_idle_zeros() -> None:
    """So that one subscriber is one, and equal content is equal."""
    found = event('consumption" "e\u0301mile" 1.500 CU')
    assert found.subscriber == "\u00e9mile"
    assert str(found.units) == "1.5"


@pytest.mark.parametrize(
    ("line", "meta"),
    [
        ('consumption" "alice"', ""),
        ('consumption" "alice" 5', ""),
        ('consumption" "alice" "5 CU"', ""),
        ('consumption" "alice" 5 CU 1.00 USD', ""),
        ('consumption" Assets:Alice 5 CU', ""),
        ('reversal" 17', ""),
        ('trade" "a" "b" 5 CU', ""),
        ('consumption" "" 5 CU', ""),
        ('consumption" " " 5 CU', ""),
        ('transfer" "a" "" 5 CU', ""),
        ('reversal" ""', ""),
        ('subscription" "a" ""', ""),
        ('subscription" "a" "top-up"', ""),
        ('consumption" "a" 123456789012345 CU', ""),
        ('consumption" "a" 5 CU', '  colour: "red"\n'),
        ('consumption" "a" 5 CU', "  id: 5\n"),
        ('consumption" "a" 5 CU', '  time: "noon"\n'),
        ('consumption" "a" 5 CU', '  expires: "1 month"\n'),
        ('grant" "a" 5 CU', '  started: "2026-01-01"\n'),
        ('grant" "a" 5 CU', "  expires: 12\n"),
        ('subscription" "a" "pro"', '  started: "1 month"\n'),
        ('allocation" "a" "pro"', '  expires: "1 month"\n'),
    ],
)
def test_what_is_no_event(line: str, meta: str) -> None:
    """Values of a wrong type, missing or surplus ones, and metadata that is unknown there."""
    with pytest.raises(FieldError):
        event(line, meta)


@pytest.mark.parametrize("number", [None, MISSING, Decimal("NaN")])
def test_an_amount_without_a_number_is_an_error(number: Any) -> None:
    """Beancount's parser can give amounts that are incomplete."""
    (entry,) = directives('2026-05-01 custom "compute-consumption" "alice" 5 CU')
    ((name, text), (_, amount)) = entry.values
    entry.values[1] = type(entry.values[1])(Amount(number, "CU"), amount)
    assert (name, text) == ("alice", str)
    with pytest.raises(FieldError):
        event_of(entry, Fields())


def test_figures_that_no_event_can_have_are_kept_with_their_flaw() -> None:
    """Such an event counts for the as-of day, and is refused in its turn."""
    found = event('consumption" "alice" 0 CU')
    assert found.flaw == "0 CU is not above zero: write a positive number"
    assert event('allocation" "a" 1 CU 1 CU').flaw.startswith("wrong currency: CU")
    assert event('consumption" "alice" 1 CU').flaw == ""


@pytest.mark.parametrize(
    "line", ['trade" "a" "b" 1 CU 0 USD', 'spend" "a" "b" 1 CU 0 USD', 'allocation" "a" 1 CU 0 USD']
)
def test_a_price_of_zero_still_has_a_currency(line: str) -> None:
    """The message names the amount as it was written."""
    found = event(line)
    assert found.currency == "USD"
    assert found.flaw.startswith("0 USD is not above zero: ")
