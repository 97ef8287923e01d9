"""The summary: units and money that came in went out or are held."""

from __future__ import annotations

from decimal import Decimal
from textwrap import dedent

import pytest
from beancount import loader

from beancount_compute.economy.roles import Pocket
from beancount_compute.reports import read_books
from beancount_compute.reports.summary import Summary, summary_of
from beancount_compute.reports.tables import Table, columns, shown
from beancount_compute.reports.text_face import render

HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Equity:Opening
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
  overage: 0.30 USD
"""
# By hand: alice brings 10 CU (2.00), buys 40 for 10.00, is granted 5, and has 100 of a plan for
# 20.00; bob is granted 1. On 4 January the smaller use comes first: 7 take the grant and 2 of the
# plan, then 20 take the plan's (4.00); the 7 are reversed. The grant and the plan's 80 lapse
# (16.00). Of the opening 10 she spends 4 (0.80, settlement 0.50), gives back 2 (0.40), sells 3
# (0.60) to bob for 1.20 less 0.12, and writes off 1 (0.20). Held: her 40, his 3 and his grant.
STORY = """\
2026-01-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -10 CU {0.20 USD, 2025-12-01, "pro"}
  Equity:Opening
2026-01-02 custom "compute-subscription" "alice" "pro"
2026-01-03 custom "compute-allocation" "alice" 40 CU 10.00 USD
2026-01-03 custom "compute-grant" "alice" 5 CU
  expires: "10 days"
2026-01-03 custom "compute-grant" "bob" 1 CU
2026-01-04 custom "compute-consumption" "alice" 20 CU
2026-01-04 custom "compute-consumption" "alice" 7 CU
  id: "seven"
2026-01-05 custom "compute-reversal" "seven"
2026-01-06 custom "compute-spend" "alice" "shop" 4 CU 0.50 USD
2026-01-07 custom "compute-refund" "alice" 2 CU
2026-01-08 custom "compute-trade" "alice" "bob" 3 CU 0.40 USD
2026-01-08 custom "compute-option" "seller-fee" 0.10
2026-01-09 * "Write-off"
  Liabilities:DeferredRevenue:Tokens:Alice  1 CU {0.20 USD, 2025-12-01, "pro"}
  Equity:Opening
2026-01-10 custom "compute-cancellation" "alice" "pro"
2026-02-02 custom "compute-assert" "tokens" "alice" 40 CU
"""


def summary(ledger: str) -> Summary:
    entries, _, options = loader.load_string(dedent(ledger))
    return summary_of(read_books(entries, options), entries)


def test_every_flow_of_units_and_money_is_counted_once() -> None:
    """Each figure by hand, see above STORY; the reversed use counts for nothing."""
    found = summary(HEAD + STORY)
    units = {name: number for (name, commodity), number in found.units.items() if commodity == "CU"}
    assert {name: int(number) for name, number in units.items() if number} == {
        "opening": 10,
        "allocated": 100,
        "topped up": 40,
        "granted": 6,
        "used": 20,
        "expired": 85,
        "spent": 4,
        "refunded": 2,
        "removed by hand": 1,
        "held": 44,
    }
    money = {name: number for (name, currency), number in found.money.items() if currency == "USD"}
    assert {name: number for name, number in money.items() if number} == {
        "opening": Decimal("2.00"),
        "paid": Decimal("30.00"),
        "revenue": Decimal("4.00"),
        "breakage": Decimal("16.00"),
        "fees": Decimal("0.12"),
        "settlements": Decimal("0.50"),
        "partner income": Decimal("0.30"),
        "refunded": Decimal("0.40"),
        "removed by hand": Decimal("0.20"),
        "deferred": Decimal("10.60"),
    }
    assert found.ties
    assert found.subscribers == 2
    assert found.pockets[Pocket.TOKENS, "CU"] == 43


def test_a_posting_that_no_rule_explains_does_not_tie() -> None:
    """100 CU are taken by hand out of a lot that has ended: an error on loading, and negative."""
    found = summary(
        HEAD + STORY + '2026-02-03 * "Too much"\n'
        "  Liabilities:DeferredRevenue:Allocations:Alice"
        '  100 CU {0.20 USD, 2026-01-02, "pro/2026-02-02"}\n'
        "  Equity:Opening\n"
    )
    assert len(found.negative_lots) == 1
    assert not found.ties
    assert "DOES NOT TIE" in render(found.tables(), 80)


@pytest.mark.parametrize(
    ("keys", "named", "needs", "becomes"),
    [
        ('token-expires: "12 months"', "token-expires", "mint", "lapses at once"),
        ("mint-rate: 1", "mint-rate", "mint", "lapses at once"),
        ('expires: "6 months"', "expires", "rollover", "lapses at once"),
        ('unused: "rollover"\n  mint-rate: 0.5', "mint-rate", "mint", "stays an allocation"),
        ('unused: "mint"\n  expires: "6 months"', "expires", "rollover", "turns into tokens"),
    ],
)
def test_a_key_of_a_plan_that_means_nothing_beside_unused_is_noted(
    keys: str, named: str, needs: str, becomes: str
) -> None:
    """Also where it says its default; a line that is refused has its error and no note."""
    plan = '2026-02-01 custom "compute-plan" "lite" 5.00 USD 10 CU\n  '
    found = summary(HEAD + STORY + plan + keys + "\n").notes()
    line = (HEAD + STORY).count("\n") + 1
    (note,) = found
    assert note == (
        f'<string>:{line}: `{named}` of plan "lite" has no effect: it needs `unused: "{needs}"`, '
        f"and what a period leaves unused here {becomes}"
    )
    assert summary(HEAD + STORY + plan.replace("5.00 USD", "-5.00 USD") + keys).notes() == []


def test_a_key_of_a_plan_that_has_its_effect_is_no_note() -> None:
    """What lapses, rolls over or mints, each with the keys that are its own."""
    for number, keys in enumerate(
        (
            'unused: "mint"\n  mint-rate: 0.5\n  token-expires: "12 months"',
            'unused: "rollover"\n  expires: "6 months"',
            'unused: "expire"\n  every: "quarter"\n  overage: 0.30 USD',
        )
    ):
        plan = f'2026-02-01 custom "compute-plan" "p{number}" 5.00 USD 10 CU\n  {keys}\n'
        assert summary(HEAD + STORY + plan).notes() == []


def test_a_ledger_without_anything_has_a_summary_all_the_same() -> None:
    """No subscribers, and nothing that could fail to tie."""
    found = summary('plugin "beancount_compute"\n')
    assert (found.subscribers, found.ties) == (0, True)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Decimal("1234567.50"), "1,234,567.50"),
        (Decimal("0.0000002"), "0.0000002"),
        (12345, "12,345"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_cells_are_shown_in_full(cell: Decimal | int | str, text: str) -> None:
    """Thousands separators, every digit, and markup in a name stays text."""
    assert shown(cell) == text
    assert text in render([Table("T", columns("a", "b"), [("x", cell)])], 80)


def test_what_is_unbilled_lost_and_recovered_stands_beside_what_was_earned() -> None:
    """Bob's use is not invoiced: 2.00. Of carl's 20.00 he used 8.00, a bad debt; 12.00 are void.

    Mal gave 10 of her 40 away before her bank took all 10.00 back: 2.50 are lost, 1.00 comes back.
    Bob, who holds nothing, is a subscriber too.
    """
    found = summary(
        HEAD
        + """\
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  bill: "period"
2026-01-02 custom "compute-subscription" "bob" "payg"
2026-01-02 custom "compute-subscription" "carl" "pro"
  id: "s-carl"
2026-01-02 custom "compute-allocation" "mal" 40 CU 10.00 USD
  id: "top-mal"
2026-01-03 custom "compute-consumption" "bob" 100 CU
2026-01-03 custom "compute-consumption" "carl" 40 CU
2026-01-04 custom "compute-transfer" "mal" "carl" 10 CU
2026-01-05 custom "compute-write-off" "s-carl/2026-01-02"
2026-01-06 custom "compute-chargeback" "top-mal"
  id: "dispute"
2026-01-07 custom "compute-recovery" "dispute" 1.00 USD
"""
    )
    (books, _, _) = found.tables()
    told = {str(row[0]): str(row[1]) for row in books.rows}
    assert told["subscribers"] == "3"
    assert list(told.items())[-4:] == [
        ("unbilled", "2.00"),
        ("bad debt", "8.00"),
        ("losses", "2.50"),
        ("recoveries", "1.00"),
    ]
    assert found.ties
