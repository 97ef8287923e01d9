"""What events say, in the corners: overage, merged uses, reversals, other currencies."""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy.kinds import Kind
from tests.close.tie_outs.ledgers import Ledger, load, posting

PLAN = """\
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
  overage: 0.30 USD
2026-01-01 custom "compute-plan" "max" 50.00 USD 10 CU
  overage: 0.50 USD
2026-05-01 custom "compute-subscription" "alice" "pro"
"""


def receivables(ledger: Ledger) -> tuple[Decimal, Decimal | None]:
    tie = ledger.tied()["receivables USD"]
    return tie.left, tie.right


def test_overage_is_billed_by_the_newest_subscription() -> None:
    """20.00, then 50.00 for max; of 120 CU the lots cover 110, and 10 x 0.50 are 5.00."""
    ledger = load(
        PLAN + '2026-05-03 custom "compute-subscription" "alice" "max"\n'
        '2026-05-04 custom "compute-consumption" "alice" 120 CU\n  id: "use"\n'
    )
    assert receivables(ledger) == (Decimal("75.00"), Decimal("75.00"))
    assert ledger.failing() == {}
    ledger.edit("use", posting("Assets:Receivable:Alice", "5.10"))
    assert ledger.failing().keys() == {"trial balance, booked USD"}


def test_overage_of_a_subscription_older_than_the_books_ties() -> None:
    """`max` runs from April, its next period starts on 20 May: 2 x 0.50, not 2 x 0.30."""
    ledger = load(
        PLAN.replace("05-01 custom", "05-02 custom")
        + '2026-05-01 custom "compute-subscription" "alice" "max"\n  started: 2026-04-20\n'
        + '2026-05-01 custom "compute-consumption" "alice" 2 CU\n'
    )
    assert receivables(ledger) == (Decimal("71.00"), Decimal("71.00"))  # 1.00 + 20.00 + 50.00
    assert ledger.failing() == {}


def test_merged_uses_are_taken_apart_again() -> None:
    """Three uses in one transaction: 100 of 105 CU are covered, 5 x 0.30 are 1.50."""
    ledger = load(
        PLAN + '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
        '2026-05-04 custom "compute-consumption" "alice" 60 CU\n  id: "one"\n'
        '2026-05-05 custom "compute-consumption" "alice" 42 CU\n  id: "two"\n'
        '2026-05-06 custom "compute-consumption" "alice" 3 CU\n  id: "three"\n'
    )
    assert receivables(ledger) == (Decimal("21.50"), Decimal("21.50"))
    assert ledger.tied()["events booked events"].right == 3
    assert ledger.failing() == {}
    ledger.edit("one", posting("Assets:Receivable:Alice", "1.40"))
    assert ledger.failing() == {"trial balance, booked USD": (ledger.line("60 CU"),)}


def test_a_merged_use_that_is_reversed_ties() -> None:
    """Of 60 + 45 CU the second leaves 5 as overage (1.50); reversed, 40 CU come back and 1.50."""
    ledger = load(
        PLAN + '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
        '2026-05-04 custom "compute-consumption" "alice" 60 CU\n  id: "one"\n'
        '2026-05-05 custom "compute-consumption" "alice" 45 CU\n  id: "two"\n'
        '2026-05-06 custom "compute-reversal" "two"\n'
    )
    assert receivables(ledger) == (Decimal("20.00"), Decimal("20.00"))
    assert ledger.failing() == {}


def test_a_reversal_of_what_another_month_booked_is_its_mirror_image() -> None:
    """10.00 billed in April is taken back in May; 9.00 would not do."""
    ledger = load(
        '2026-04-30 custom "compute-allocation" "bob" 40 CU 10.00 USD\n  id: "buy"\n'
        '2026-05-02 custom "compute-reversal" "buy"\n  id: "undo"\n'
    )
    assert receivables(ledger) == (Decimal("-10.00"), Decimal("-10.00"))
    assert ledger.failing() == {}
    ledger.edit("undo", posting("Assets:Receivable:Bob", "-9.00"))
    assert "reversals reversals" in ledger.failing()


def test_a_refund_is_rounded_to_the_minor_unit() -> None:
    """1.00 for 3 CU: one comes back at 0.333333, of which 0.33 are owed."""
    ledger = load(
        '2026-05-01 custom "compute-allocation" "bob" 3 CU 1.00 USD\n'
        '2026-05-02 custom "compute-refund" "bob" 1 CU\n'
    )
    tie = ledger.tied()["payables USD"]
    assert (tie.left, tie.right) == (Decimal("0.33"), Decimal("0.33"))
    assert ledger.failing() == {}


def test_events_without_an_id_are_told_by_their_content() -> None:
    """The same use twice, without ids, is two events; both are found."""
    use = '2026-05-04 custom "compute-consumption" "alice" 6 CU\n'
    ledger = load(PLAN + use + use)
    assert ledger.tied()["events booked events"].right == 2
    assert ledger.failing() == {}


def test_a_use_that_nothing_could_bill_must_be_covered() -> None:
    """Half of a use of 6 CU without any overage price: the booking is not the event's."""
    ledger = load(
        '2026-05-01 custom "compute-grant" "alice" 9 CU\n'
        '2026-05-04 custom "compute-consumption" "alice" 6 CU\n  id: "use"\n'
    )
    ledger.edit("use", posting("Liabilities:DeferredRevenue:Allocations:Alice", "3"))
    assert ledger.failing()["units used CU"] == (ledger.line("6 CU"),)


def test_lots_of_several_currencies_tie_each_in_their_own() -> None:
    """4.00 USD and 3 EUR for 10 CU each; all is given back, and the rest of the spend is a loss."""
    ledger = load(
        '2026-05-01 custom "compute-allocation" "bob" 10 CU 4.00 USD\n'
        '2026-05-02 custom "compute-allocation" "bob" 10 CU 3.00 EUR\n'
        '2026-05-03 custom "compute-spend" "bob" "shop" 12 CU 5.00 EUR\n'
        '2026-05-04 custom "compute-refund" "bob" 8 CU\n'
    )
    found = ledger.tied()
    assert found["owed to partners EUR"].left == Decimal("5.00")
    assert found["payables EUR"].left == Decimal("2.40")  # 8 x 0.30
    assert all(tie.holds for tie in found.values())


def test_a_late_event_counts_in_the_month_of_its_booking() -> None:
    """A sale of April, booked in May: 4.00 of gross and 10 CU are May's."""
    ledger = load(
        '2026-03-01 custom "compute-allocation" "bob" 40 CU 10.00 USD\n'
        '2026-03-01 custom "compute-grant" "alice" 1 CU\n'
        '2026-05-01 custom "compute-trade" "bob" "alice" 10 CU 0.40 USD\n  id: "sale"\n'
    )
    (sale,) = [event for event in ledger.events if event.kind is Kind.TRADE]
    ledger.events.remove(sale)
    ledger.late.append(sale._replace(date=sale.date.replace(month=4, day=20)))
    found = ledger.tied()
    assert found["trades, gross of buyers USD"].left == Decimal("4.00")
    assert found["units traded out CU"].left == 10
    assert all(tie.holds for tie in found.values())


def test_a_subscriber_whose_total_differs_is_named() -> None:
    """Of 4 + 6 CU used in all, 5 are booked of bob."""
    ledger = load(
        '2026-05-01 custom "compute-grant" "alice" 9 CU\n'
        '2026-05-01 custom "compute-grant" "bob" 9 CU\n'
        '2026-05-04 custom "compute-consumption" "alice" 4 CU\n'
        '2026-05-05 custom "compute-consumption" "bob" 6 CU\n  id: "use"\n'
    )
    ledger.edit("use", posting("Liabilities:DeferredRevenue:Allocations:Bob", "5"))
    found = ledger.tied()
    assert (found["units used CU"].left, found["units used CU"].right) == (10, 9)
    assert (found["units used, Bob CU"].left, found["units used, Bob CU"].right) == (6, 5)
    assert "units used, Alice CU" not in found


def test_a_reversal_of_access_ties_after_a_part_was_earned() -> None:
    """Of 90.00 from 20 April 30.00 was earned: 60.00 comes out of the lot, 30.00 of revenue."""
    ledger = load(
        '2026-01-01 custom "compute-plan" "seat" 90.00 USD\n  every: "quarter"\n'
        '  access-by: "even-month"\n'
        '2026-04-20 custom "compute-subscription" "alice" "seat"\n  id: "s"\n'
        '2026-05-10 custom "compute-cancellation" "alice" "seat"\n'
        '2026-05-10 custom "compute-reversal" "s/2026-04-20"\n  id: "undo"\n'
    )
    assert ledger.failing() == {}
    ledger.edit("undo", posting("Income:Access", "29.00"))
    assert "reversals reversals" in ledger.failing()
