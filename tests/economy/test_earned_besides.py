"""What is earned besides lots, worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy import (
    Earning,
    Flow,
    Kind,
    Money,
    MoneyLeg,
    Role,
    earned_besides,
    sale_of,
)

D = Decimal
QUARTER = Money(D("0.25"), "USD")


class Units(NamedTuple):
    """Units of a lot that move."""

    flow: Flow
    subscriber: str
    units: Decimal
    lot: str
    amount: Decimal = D(0)
    currency: str = "USD"
    origin: str = "pro"
    commodity: str = "CU"


SOLD = [
    Units(Flow.TRADED_OUT, "alice", D(-300), "may"),
    Units(Flow.TRADED_OUT, "alice", D(-200), "june"),
    Units(Flow.TRADED_IN, "bob", D(300), "may"),
    Units(Flow.TRADED_IN, "bob", D(200), "june"),
]


def test_a_sale_is_told_by_its_lots_legs_and_price() -> None:
    """500 CU at 0.25 are 125.00; of 6.25 the lot of 300 CU bears 3.75."""
    fee = MoneyLeg(Role.FEES, "alice", "", D("-6.25"), "USD")
    owed = MoneyLeg(Role.PAYABLE, "alice", "", D("-118.75"), "USD")
    sold = sale_of(SOLD, [owed, fee], QUARTER)
    assert sold is not None
    assert (sold.seller, sold.buyer, sold.units, sold.gross) == ("alice", "bob", 500, D(125))
    assert sold.lots == (("may", 300), ("june", 200)) and sold.origins == ("pro", "pro")
    found = [each[1:] for each in earned_besides(Kind.TRADE, SOLD, [fee], sold) if each.amount]
    assert found == [
        ("alice", "pro", "USD", D("3.75"), "may"),
        ("alice", "pro", "USD", D("2.50"), "june"),
    ]


def test_what_has_no_price_or_no_side_is_no_sale() -> None:
    assert sale_of(SOLD, [], None) is None
    assert sale_of(SOLD[:2], [], QUARTER) is None
    assert sale_of(SOLD[2:], [], QUARTER) is None
    assert not [*earned_besides(Kind.TRADE, SOLD, [], None)]


def test_a_settlement_is_borne_by_lots_of_its_currency_else_by_the_first() -> None:
    """17.00 for 100 CU at 0.20: partner income 3.00; what lapsed is none of it."""
    spent = [
        Units(Flow.EXPIRED, "alice", D(5), "old", D(1)),
        Units(Flow.SPENT, "alice", D(-40), "euros", D(-8), "EUR"),
        Units(Flow.SPENT, "alice", D(-100), "may", D(-20)),
    ]
    for currency, bears in (("USD", "may"), ("GBP", "euros")):
        settled = MoneyLeg(Role.PARTNER, "alice", "acme", D(-17), currency)
        other = MoneyLeg(Role.BREAKAGE, "alice", "pro", D(1), "USD")
        found = list(earned_besides(Kind.SPEND, spent, [other, settled], None))
        assert {each.earning for each in found} == {Earning.PARTNER_INCOME}
        assert [(each.lot, each.currency, each.amount) for each in found] == [
            (bears, currency, -17),
            ("euros", "EUR", 8),
            ("may", "USD", 20),
        ]


def test_overage_is_of_a_plan_and_the_rest_of_a_refund_of_the_first_lot() -> None:
    over = MoneyLeg(Role.OVERAGE, "alice", "pro", D(-30), "USD")
    owed = MoneyLeg(Role.RECEIVABLE, "alice", "pro", D(30), "USD")
    (found,) = earned_besides(Kind.CONSUMPTION, SOLD, [over, owed], None)
    assert found == (Earning.OVERAGE, "alice", "pro", "USD", 30, None)
    back = [Units(Flow.REFUNDED, "alice", D(-10), lot) for lot in ("may", "june")]
    rest = MoneyLeg(Role.REVENUE, "alice", "pro", D("-0.01"), "USD")
    (found,) = earned_besides(Kind.REFUND, back, [rest], None)
    assert found == (Earning.COMPUTE, "alice", "pro", "USD", D("0.01"), "may")


def test_the_rest_of_what_a_change_returns_is_of_its_first_lot_and_a_shortfall_of_none() -> None:
    back = [Units(Flow.RETURNED, "alice", D(-10), "may")]
    rest = MoneyLeg(Role.REVENUE, "alice", "pro", D("0.01"), "USD")
    short = MoneyLeg(Role.BREAKAGE, "alice", "pro", D(-5), "USD")
    assert [*earned_besides(Kind.CHANGE, back, [rest, short], None)] == [
        (Earning.COMPUTE, "alice", "pro", "USD", D("-0.01"), "may"),
        (Earning.BREAKAGE, "alice", "pro", "USD", 5, None),
    ]


def test_what_a_late_use_takes_back_of_a_shortfall_is_told_beside_lapsed_lots() -> None:
    """Of 115.00 less of breakage 15.00 are of units that had lapsed, which their lot tells."""
    moved = [
        Units(Flow.EXPIRED, "ivy", D(15), "may", D(15)),
        Units(Flow.USED, "ivy", D(-15), "may", D(-15)),
    ]
    legs = [
        MoneyLeg(Role.REVENUE, "ivy", "pro", D(-15), "USD"),
        MoneyLeg(Role.BREAKAGE, "ivy", "pro", D(15), "USD"),
        MoneyLeg(Role.OVERAGE, "ivy", "pro", D(-100), "USD"),
        MoneyLeg(Role.BREAKAGE, "ivy", "pro", D(100), "USD"),
    ]
    found = [each[:5] for each in earned_besides(Kind.CONSUMPTION, moved, legs, None)]
    assert [each for each in found if each[4]] == [
        (Earning.OVERAGE, "ivy", "pro", "USD", 100),
        (Earning.BREAKAGE, "ivy", "pro", "USD", -100),
    ]
