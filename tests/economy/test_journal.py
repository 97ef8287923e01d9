"""Journal entries: they balance, or they are refused."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beancount_compute.economy.journal import (
    Leg,
    LotLeg,
    MoneyLeg,
    Unbalanced,
    check_balance,
    cost_by_origin,
    income,
    into,
    mirrored,
    out_of,
)
from beancount_compute.economy.lots import Draw, DrawDown, Holding
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import EXACT, WIDE
from tests.economy.building import lot

D = Decimal


def money(number: str, currency: str = "USD") -> MoneyLeg:
    return MoneyLeg(Role.REVENUE, "alice", "pro", D(number), currency)


def lot_leg(text: str) -> LotLeg:
    return LotLeg(*lot(text))


def draw(text: str, units: str) -> Draw:
    opened = Holding(DrawDown.EXPIRY).add(*lot(text))
    assert opened is not None
    return opened, D(units)


TOKENS = "tokens alice 200 CU {0.2 USD, 2026-05-01, pro}"


def test_what_sums_to_zero_passes() -> None:
    """200 x 0.20 = 40.00; an entry without legs is balanced too."""
    check_balance([lot_leg(TOKENS), money("-40.00")])
    check_balance([])


@pytest.mark.parametrize(
    "legs",
    [
        [lot_leg(TOKENS), money("-39.999")],  # Beancount would forgive 0.001
        [lot_leg(TOKENS), money("-40.00", "EUR")],
        [money("1"), money("-1", "EUR")],
        [lot_leg(TOKENS)],
        [money("0.0000000000000000000000000000000001")],
    ],
)
def test_what_does_not_is_refused(legs: list[Leg]) -> None:
    """To the last digit, and each currency for itself."""
    with pytest.raises(Unbalanced, match="residual"):
        check_balance(legs)


@pytest.mark.parametrize(("context", "error"), [(WIDE, Unbalanced), (EXACT, Inexact)])
def test_balance_is_not_checked_in_28_digits(context: Context, error: type[Exception]) -> None:
    """12345678901234567.123456789012 x 0.123456789012 has 41 digits; rounded to 28 it fails."""
    units, cost = D("12345678901234567.123456789012"), D("0.123456789012")
    found, _ = lot(f"tokens alice 1 CU {{{cost} USD, 2026-05-01, pro}}")
    rounded = units * cost
    legs: list[Leg] = [LotLeg(found, units), MoneyLeg(Role.REVENUE, "alice", "", -rounded, "USD")]
    with localcontext(context), pytest.raises(error):
        check_balance(legs)


def test_a_draw_out_of_lots_debits_and_into_lots_credits() -> None:
    """A debit is positive: tokens are a liability, so what leaves them is."""
    one = draw(TOKENS, "150")
    assert out_of([one]) == [LotLeg(one[0].lot, D(150))]
    assert into([(one[0].lot, D(150))]) == [LotLeg(one[0].lot, D(-150))]


def test_cost_is_gathered_by_origin_and_currency() -> None:
    """100 x 0.20 + 50 x 0.30 = 35.00 of pro; grants and euros stand apart."""
    draws = [
        draw("tokens alice 200 CU {0.2 USD, 2026-05-01, pro}", "100"),
        draw("tokens alice 200 CU {0.3 USD, 2026-06-01, pro}", "50"),
        draw("tokens alice 200 CU {0.3 EUR, 2026-06-01, pro}", "10"),
        draw("allocations alice 200 CU {0 USD, 2026-06-01, grant}", "10"),
    ]
    costs = cost_by_origin(draws)
    assert costs == {("pro", "USD"): 35, ("pro", "EUR"): 3, ("grant", "USD"): 0}


def test_income_is_credited_and_nothing_is_booked_for_nothing() -> None:
    """Revenue is negative in the books; using a grant earns nothing, so it has no leg."""
    costs = {("pro", "USD"): D(35), ("grant", "USD"): D(0)}
    assert income(Role.REVENUE, "alice", costs) == [
        MoneyLeg(Role.REVENUE, "alice", "pro", D(-35), "USD")
    ]


@given(st.lists(st.decimals(-1000, 1000, places=6), max_size=5))
def test_a_mirror_turns_every_sign_and_nothing_else(numbers: list[Decimal]) -> None:
    """An entry with its mirror image sums to zero, leg by leg."""
    found = lot(TOKENS)[0]
    legs: list[Leg] = [LotLeg(found, number) for number in numbers]
    legs += [MoneyLeg(Role.FEES, "bob", "", number, "USD") for number in numbers]
    turned = mirrored(legs)
    assert mirrored(turned) == legs
    check_balance([*legs, *turned])
    assert [leg._replace(units=D(0)) for leg in turned if isinstance(leg, LotLeg)] == [
        leg._replace(units=D(0)) for leg in legs if isinstance(leg, LotLeg)
    ]
