"""Journals by plan and by subscriber: what belongs to whom, worked out by hand.

May: alice has 100 CU of pro (20.00, so 0.20 each) and 50 of a top-up (5.00, so 0.10 each). She
uses 110: pro's 100 (20.00) and 10 of the top-up (1.00). Bob buys 20 of the top-up's (2.00) for
10.00; the fees are 0.50 of alice and 0.10 of bob. Bob then uses 25: the 20 (2.00) and 5 beyond what
he holds, at 0.30 of his plan basic: 1.50. A partner takes 10 of alice's top-up (1.00) for 0.70. Bob
pays 5.00 to the bank.
"""

from __future__ import annotations

import pytest
from beancount import loader

from beancount_compute.close.general_ledger.account_map import NoMap
from beancount_compute.close.general_ledger.formats import By
from beancount_compute.close.general_ledger.journals import journals_of
from beancount_compute.close.general_ledger.month_export import month_figures
from beancount_compute.economy.months import Month
from beancount_compute.reports.books import read_books

POOLED = """\
2026-01-01 custom "compute-account" "receivable" "Assets:Receivable"
2026-01-01 custom "compute-account" "payable" "Liabilities:Payable"
2026-01-01 custom "compute-account" "overage" "Income:Compute"
"""
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Assets:Bank
2026-01-01 open Assets:Receivable:Bob
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
2026-01-01 custom "compute-plan" "basic" 0.00 USD 1 CU
  overage: 0.30 USD
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "buyer-fee" 0.01
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-01 custom "compute-allocation" "alice" 50 CU 5.00 USD
2026-05-01 custom "compute-subscription" "bob" "basic"
2026-05-02 custom "compute-consumption" "bob" 1 CU
2026-05-10 custom "compute-consumption" "alice" 110 CU
2026-05-11 custom "compute-trade" "alice" "bob" 20 CU 0.50 USD
2026-05-12 custom "compute-consumption" "bob" 25 CU
2026-05-13 custom "compute-spend" "alice" "shop" 10 CU 0.70 USD
2026-05-14 * "bob" "Bob pays"
  Assets:Bank            5.00 USD
  Assets:Receivable:Bob
2026-05-31 custom "compute-cancellation" "alice" "pro"
2026-05-31 custom "compute-cancellation" "bob" "basic"
"""


def lines(ledger: str, by: By) -> list[tuple[str, str, str]]:
    entries, errors, options = loader.load_string(ledger)
    assert not errors, errors
    month = Month.parse("2026-05")
    figures = month_figures(read_books(entries, options), month, by)
    (journal,) = journals_of(figures, month.name, month.last, NoMap(), "Expenses:Rounding")
    return [(line.target.code, line.key, str(line.amount)) for line in journal.lines]


def test_by_plan() -> None:
    """Revenue by the lots' origin, fees by the lots sold, overage by the plan whose price applies;
    the bank and the settled bill belong to no plan."""
    assert lines(LEDGER, By.PLAN) == [
        ("Assets:Bank", "", "5.00"),
        ("Assets:Receivable:Alice", "pro", "20.00"),
        ("Assets:Receivable:Alice", "top-up", "5.00"),
        ("Assets:Receivable:Bob", "", "-5.00"),
        ("Assets:Receivable:Bob", "basic", "1.50"),
        ("Assets:Receivable:Bob", "top-up", "10.10"),
        ("Income:Compute", "pro", "-20.00"),
        ("Income:Compute", "top-up", "-3.00"),
        ("Income:Fees", "top-up", "-0.60"),
        ("Income:Overage", "basic", "-1.50"),
        ("Income:Partners", "top-up", "-0.30"),
        ("Liabilities:DeferredRevenue:Tokens:Alice", "top-up", "-1.00"),
        ("Liabilities:Partners:Shop", "top-up", "-0.70"),
        ("Liabilities:Payable:Alice", "top-up", "-9.50"),
    ]


@pytest.mark.parametrize("pooled", [False, True])
def test_by_subscriber(pooled: bool) -> None:
    """Each fee by who pays it, what is owed by who owes it, also on accounts that are pooled or
    shared by two roles: then revenue and overage are one figure."""
    ledger = LEDGER
    receivable, payable, overage = "Assets:Receivable:Bob", "Liabilities:Payable:Alice", "Overage"
    if pooled:
        ledger = (LEDGER + POOLED).replace("Assets:Receivable:Bob", "Assets:Receivable")
        receivable, payable, overage = "Assets:Receivable", "Liabilities:Payable", "Compute"
    found = lines(ledger, By.SUBSCRIBER)
    assert ("Assets:Bank", "", "5.00") in found
    assert (receivable, "bob", "6.60") in found  # 10.10 + 1.50 - 5.00
    assert (payable, "alice", "-9.50") in found
    assert ("Income:Fees", "alice", "-0.50") in found
    assert ("Income:Fees", "bob", "-0.10") in found
    assert ("Income:Compute", "alice", "-21.00") in found
    bob = "-3.50" if pooled else "-2.00"
    assert ("Income:Compute", "bob", bob) in found
    assert (("Income:Overage", "bob", "-1.50") in found) is (overage == "Overage")
    assert ("Liabilities:Partners:Shop", "alice", "-0.70") in found
    assert ("Liabilities:DeferredRevenue:Tokens:Alice", "alice", "-1.00") in found


def test_overage_goes_to_the_plan_for_such_units() -> None:
    """Alice's newer plan sells GPU in the same currency; 100 CU beyond pro's 1000 are pro's, at
    0.30: 30.00 of the receivable and of the income, and nothing of it belongs to nobody."""
    ledger = (
        'plugin "beancount_compute"\noption "operating_currency" "USD"\n'
        '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n  overage: 0.30 USD\n'
        '2026-01-01 custom "compute-plan" "gpu" 10.00 USD 100 GPU\n  overage: 9.00 USD\n'
        '2026-05-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-05-03 custom "compute-subscription" "alice" "gpu"\n'
        '2026-05-05 custom "compute-consumption" "alice" 1100 CU\n'
    )
    assert lines(ledger, By.PLAN) == [
        ("Assets:Receivable:Alice", "gpu", "10.00"),
        ("Assets:Receivable:Alice", "pro", "230.00"),
        ("Income:Compute", "pro", "-200.00"),
        ("Income:Overage", "pro", "-30.00"),
        ("Liabilities:DeferredRevenue:Allocations:Alice", "gpu", "-10.00"),
    ]


def test_overage_of_two_plans_in_one_transaction_is_billed_to_each() -> None:
    """Uses of a day merge: 10 CU beyond pro's 100 at 0.30, and 2 GPU beyond gpu's 5 at 9.00."""
    ledger = (
        'plugin "beancount_compute"\noption "operating_currency" "USD"\n'
        '2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU\n  overage: 0.30 USD\n'
        '2026-01-01 custom "compute-plan" "gpu" 10.00 USD 5 GPU\n  overage: 9.00 USD\n'
        '2026-01-01 custom "compute-option" "posting-grain" "day"\n'
        '2026-05-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-05-01 custom "compute-subscription" "alice" "gpu"\n'
        '2026-05-05 custom "compute-consumption" "alice" 110 CU\n'
        '2026-05-05 custom "compute-consumption" "alice" 7 GPU\n'
    )
    found = lines(ledger, By.PLAN)
    assert ("Assets:Receivable:Alice", "pro", "23.00") in found  # 20.00 + 3.00
    assert ("Assets:Receivable:Alice", "gpu", "28.00") in found  # 10.00 + 18.00
    assert ("Income:Overage", "pro", "-3.00") in found
    assert ("Income:Overage", "gpu", "-18.00") in found


MONEY_BACK = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-05-01 custom "compute-allocation" "alice" 50 CU 5.00 USD
  id: "top-1"
2026-05-01 custom "compute-allocation" "bob" 10 CU 1.00 USD
2026-05-02 custom "compute-consumption" "alice" 10 CU
2026-05-03 custom "compute-trade" "alice" "bob" 40 CU 0.10 USD
2026-05-04 custom "compute-write-off" "top-1" 5.50 USD
  id: "lost"
2026-05-05 custom "compute-recovery" "lost" 2.00 USD
"""


def test_what_is_lost_and_recovered_belongs_to_what_was_paid() -> None:
    """Bad debt 1.00, which is recovered, 4.00 sold on and 0.50 beyond are losses."""
    expected = [
        ("Assets:Receivable:Alice", "1.50"),
        ("Expenses:Losses", "4.50"),
        ("Income:Compute", "-1.00"),
        ("Income:Recoveries", "-1.00"),
        ("Liabilities:Payable:Alice", "-4.00"),
    ]
    for by, key in ((By.PLAN, "top-up"), (By.SUBSCRIBER, "alice")):
        found = [each for each in lines(MONEY_BACK, by) if "Bob" not in each[0]]
        assert found == [(account, key, amount) for account, amount in expected], by


# Alice used 750 CU at 0.02 in April: 15.00. On 1 May, with 9 of the period's 30 days left, she goes
# to a plan of 30.00 a month: 9.00 more. On the 10th 24.00 are invoiced, and her next period begins.
# Bob goes from that plan, of which he used nothing, to use alone: 30.00 are his.
CHANGES = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  bill: "period"
2026-01-01 custom "compute-plan" "pro" 30.00 USD 30 CU
2026-04-10 custom "compute-subscription" "alice" "payg"
2026-04-20 custom "compute-consumption" "alice" 750 CU
2026-05-01 custom "compute-change" "alice" "payg" "pro"
2026-05-02 custom "compute-subscription" "bob" "pro"
2026-05-16 custom "compute-change" "bob" "pro" "payg"
2026-05-31 custom "compute-cancellation" "alice" "pro"
"""


def test_what_is_unbilled_belongs_to_the_plan_that_charges_it() -> None:
    """A change's to the new plan, though it begins no lot; each is invoiced as it was charged, so
    that of a plan nothing stays behind: of pro 9.00 came and went in May."""
    assert lines(CHANGES, By.PLAN) == [
        ("Assets:Receivable:Alice", "pro", "54.00"),
        ("Assets:Receivable:Bob", "pro", "30.00"),
        ("Assets:Unbilled:Alice", "payg", "-15.00"),
        ("Assets:Unbilled:Bob", "payg", "-30.00"),
        ("Income:Breakage", "pro", "-9.00"),
        ("Liabilities:DeferredRevenue:Allocations:Alice", "pro", "-30.00"),
    ]
